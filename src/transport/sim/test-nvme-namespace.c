/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated NVMe controller stores, its features, its registers and its resets.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/sim/nvme.h"

static uint8_t data[65536];
static uint32_t result;

static struct fwa_device *open_nvme(const char *what)
{
	struct fwa_open_args args = { .fd = -1 };
	struct fwa_device *dev = NULL;

	assert_int_equal(fwa_sim_open(&args, what, &dev), 0);
	return dev;
}

/* The status of a command; its data is in @data. */
static uint32_t send(struct fwa_device *dev, struct fwa_command cmd)
{
	struct fwa_reply reply = { .out = data, .out_cap = sizeof(data) };

	memset(data, 0xee, sizeof(data));
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 100), 0);
	result = reply.result;
	return reply.code;
}

static uint32_t admin(struct fwa_device *dev, uint16_t opcode, uint32_t cdw10, uint32_t cdw11)
{
	return send(dev, (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
					       .opcode = opcode,
					       .nsid = 1,
					       .cdw = { cdw10, cdw11 } });
}

static uint32_t io_read(struct fwa_device *dev, uint64_t lba, uint16_t count, uint32_t len)
{
	return send(dev, (struct fwa_command){
				 .set = FWA_SET_NVME_IO,
				 .opcode = NVME_OP_READ,
				 .nsid = 1,
				 .cdw = { (uint32_t)lba, (uint32_t)(lba >> 32), count - 1u },
				 .out_len = len });
}

static uint32_t io_write(struct fwa_device *dev, uint64_t lba, uint16_t count, uint8_t byte,
			 uint32_t len)
{
	static uint8_t out[65536];

	memset(out, byte, sizeof(out));
	return send(dev, (struct fwa_command){
				 .set = FWA_SET_NVME_IO,
				 .opcode = NVME_OP_WRITE,
				 .nsid = 1,
				 .cdw = { (uint32_t)lba, (uint32_t)(lba >> 32), count - 1u },
				 .payload = fwa_span(out, len) });
}

static void assert_block(struct fwa_device *dev, uint64_t lba, uint8_t byte)
{
	assert_int_equal(io_read(dev, lba, 1, 512), 0);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(data[i], byte);
}

static void test_blocks(void **state)
{
	struct fwa_device *dev = open_nvme("nvme");

	assert_block(dev, 0, 0);
	assert_int_equal(io_write(dev, 3, 2, 7, 1024), 0);
	assert_block(dev, 2, 0);
	assert_block(dev, 3, 7);
	assert_block(dev, 4, 7);
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_IO,
							 .opcode = NVME_OP_WRITE_ZEROES,
							 .nsid = 1,
							 .cdw = { 4, 0, 0 } }),
			 0);
	assert_block(dev, 3, 7);
	assert_block(dev, 4, 0);
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_IO, .nsid = 1 }), 0);
	assert_int_equal(io_read(dev, 511, 1, 512), 0);
	assert_int_equal(io_read(dev, 511, 2, 1024), NVME_LBA_RANGE);
	assert_int_equal(io_read(dev, UINT64_MAX, 2, 1024), NVME_LBA_RANGE);
	assert_int_equal(io_read(dev, 0, 2, 512), NVME_INVALID_FIELD);
	assert_int_equal(io_write(dev, 0, 1, 9, 1024), NVME_INVALID_FIELD);
	assert_block(dev, 0, 0);
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_IO,
							 .opcode = NVME_OP_READ,
							 .nsid = 2,
							 .out_len = 512 }),
			 NVME_INVALID_NAMESPACE);
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_IO, .opcode = 0x04 }),
			 NVME_INVALID_OPCODE);
	dev->ops->close(dev);
}

static uint64_t size_in_blocks(struct fwa_device *dev, uint8_t *ret_shift)
{
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
							 .opcode = NVME_OP_IDENTIFY,
							 .nsid = 1,
							 .out_len = 4096 }),
			 0);
	*ret_shift = data[NVME_ID_NS_LBAF + 4 * data[NVME_ID_NS_FLBAS] + 2];
	return fwa_le64(data);
}

static void test_format(void **state)
{
	struct fwa_device *dev = open_nvme("nvme");
	uint8_t shift;

	assert_int_equal(size_in_blocks(dev, &shift), 512);
	assert_int_equal(shift, 9);
	assert_int_equal(io_write(dev, 3, 1, 7, 512), 0);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 2, 0), NVME_INVALID_FORMAT);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 1 << 4, 0), NVME_INVALID_FORMAT);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 3 << 9, 0), NVME_INVALID_FIELD);
	assert_block(dev, 3, 7);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 0, 0), 0);
	assert_block(dev, 3, 0);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 2 << 9, 0), 0); /* cryptographic erase */
	assert_int_equal(io_read(dev, 3, 1, 512), 0);
	assert_memory_not_equal(data, data + 8, 8);
	assert_int_equal(admin(dev, NVME_OP_FORMAT, 1, 0), 0);
	assert_int_equal(size_in_blocks(dev, &shift), 64);
	assert_int_equal(shift, 12);
	assert_int_equal(io_write(dev, 63, 1, 7, 4096), 0);
	assert_int_equal(io_write(dev, 64, 1, 7, 4096), NVME_LBA_RANGE);
	dev->ops->close(dev);
}

static void until_sanitized(struct fwa_device *dev)
{
	do
		assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
								 .opcode = NVME_OP_GET_LOG_PAGE,
								 .cdw = { NVME_LOG_RETAIN |
									  NVME_LID_SANITIZE },
								 .out_len = 512 }),
				 0);
	while (data[2] == NVME_SANITIZE_RUNS);
}

static void test_sanitize(void **state)
{
	struct fwa_device *dev = open_nvme("nvme,bg-ms=20");

	assert_int_equal(io_write(dev, 3, 1, 7, 512), 0);
	assert_int_equal(admin(dev, NVME_OP_SANITIZE, 2, 0), 0);
	assert_int_equal(io_read(dev, 3, 1, 512), NVME_SANITIZE_IN_PROGRESS);
	until_sanitized(dev);
	assert_block(dev, 3, 0);
	assert_int_equal(admin(dev, NVME_OP_SANITIZE, 3, 0x5a5a5a5a), 0);
	until_sanitized(dev);
	assert_block(dev, 3, 0x5a);
	assert_int_equal(admin(dev, NVME_OP_SANITIZE, 4, 0), 0);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_COLD, 1), 0); /* it goes on */
	until_sanitized(dev);
	assert_int_equal(io_read(dev, 3, 1, 512), 0);
	assert_memory_not_equal(data, data + 8, 8);
	dev->ops->close(dev);
}

static uint32_t feature(struct fwa_device *dev, uint32_t cdw10)
{
	assert_int_equal(admin(dev, NVME_OP_GET_FEATURES, cdw10, 0), 0);
	return result;
}

static void test_features(void **state)
{
	for (unsigned int kind = FWA_RESET_COLD; kind <= FWA_RESET_CONVENTIONAL; kind++) {
		struct fwa_device *dev = open_nvme("nvme");

		assert_int_equal(feature(dev, 0x04), 0x157);
		assert_int_equal(feature(dev, 3 << 8 | 0x04), 4);
		assert_int_equal(feature(dev, 3 << 8 | 0x80), 5);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 0x04, 0x140), 0);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 0x80, 1), 0);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 1u << 31 | 0x80, 2), 0);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 0x80, 3), 0);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 1u << 31 | 0x04, 0x150),
				 NVME_FEATURE_NOT_SAVEABLE);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 0x06, 2), NVME_INVALID_FIELD);
		assert_int_equal(admin(dev, NVME_OP_SET_FEATURES, 0x03, 0), NVME_INVALID_FIELD);
		assert_int_equal(admin(dev, NVME_OP_GET_FEATURES, 4 << 8 | 0x04, 0),
				 NVME_INVALID_FIELD);
		assert_int_equal(feature(dev, 0x04), 0x140);
		assert_int_equal(feature(dev, 1 << 8 | 0x04), 0x157);
		assert_int_equal(feature(dev, 0x80), 3);
		assert_int_equal(feature(dev, 2 << 8 | 0x80), 2);
		assert_int_equal(dev->ops->reset(dev, kind, 1), 0);
		assert_int_equal(feature(dev, 0x04), 0x157);
		assert_int_equal(feature(dev, 0x80), 2);
		dev->ops->close(dev);
	}
}

static uint8_t active_firmware(struct fwa_device *dev)
{
	assert_int_equal(send(dev, (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
							 .opcode = NVME_OP_GET_LOG_PAGE,
							 .cdw = { 3 },
							 .out_len = 512 }),
			 0);
	return data[0];
}

static void test_reset(void **state)
{
	struct fwa_device *dev = open_nvme("nvme,bg-ms=600000");
	struct fwa_command download = { .set = FWA_SET_NVME_ADMIN,
					.opcode = NVME_OP_FW_DOWNLOAD,
					.cdw = { 3 },
					.payload = fwa_span("SIMNVME12.0     ", 16) };

	assert_int_equal(io_write(dev, 3, 1, 7, 512), 0);
	assert_int_equal(send(dev, download), 0);
	assert_int_equal(admin(dev, NVME_OP_FW_COMMIT, 1 << 3 | 2, 0), 0);
	assert_int_equal(active_firmware(dev), 1 | 2 << 4);
	assert_int_equal(send(dev, download), 0);
	assert_int_equal(admin(dev, NVME_OP_SELF_TEST, 1, 0), 0);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_CXL, 1), -EOPNOTSUPP);
	assert_int_equal(active_firmware(dev), 1 | 2 << 4);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_CONVENTIONAL, 1), 0);
	assert_int_equal(active_firmware(dev), 2);
	assert_int_equal(admin(dev, NVME_OP_FW_COMMIT, 3, 0), NVME_INVALID_IMAGE); /* forgotten */
	assert_int_equal(admin(dev, NVME_OP_SELF_TEST, 1, 0), 0); /* the first one has ended */
	assert_block(dev, 3, 7);
	dev->ops->close(dev);
}

static void test_peek(void **state)
{
	struct fwa_device *dev = open_nvme("nvme");
	static uint8_t got[2 * FWA_BEYOND_LEN];

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, got, 8), 0);
	assert_int_equal(fwa_le32(got) & 1, 1);
	assert_int_equal(fwa_le32(got + 4), 1);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 1, got, 8), -ERANGE);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 0, got, sizeof(got)), 0);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 1, got, sizeof(got)), -ERANGE);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 0, got, 1), -EOPNOTSUPP);
	assert_null(dev->ops->poke);
	dev->ops->close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),   cmocka_unit_test(test_format),
		cmocka_unit_test(test_sanitize), cmocka_unit_test(test_features),
		cmocka_unit_test(test_reset),    cmocka_unit_test(test_peek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
