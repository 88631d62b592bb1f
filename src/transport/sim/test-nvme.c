/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated NVMe controller: its firmware, and work that takes time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/transport.h"
#include "wire/nvme.h"

static uint8_t data[NVME_IDENTIFY_LEN];

static struct fwa_device *open_nvme(const char *what)
{
	struct fwa_open_args args = { .fd = -1 };
	struct fwa_device *dev = NULL;

	assert_int_equal(fwa_sim_open(&args, what, &dev), 0);
	return dev;
}

/* The status of an admin command. */
static uint32_t send(struct fwa_device *dev, uint16_t opcode, uint32_t cdw10, uint32_t cdw11,
		     struct fwa_span payload, uint32_t out_len)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = opcode,
				   .cdw = { cdw10, cdw11 },
				   .payload = payload,
				   .out_len = out_len };
	struct fwa_reply reply = { .out = data, .out_cap = sizeof(data) };

	memset(data, 0, sizeof(data));
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 100), 0);
	assert_true(reply.maybe_sent);
	assert_int_equal(reply.out_len, reply.code ? 0 : out_len);
	return reply.code;
}

static uint32_t plain(struct fwa_device *dev, uint16_t opcode, uint32_t cdw10)
{
	return send(dev, opcode, cdw10, 0, fwa_span(NULL, 0), 0);
}

static uint32_t download(struct fwa_device *dev, uint32_t at, const char *image)
{
	return send(dev, NVME_OP_FW_DOWNLOAD, (uint32_t)strlen(image) / 4 - 1, at / 4,
		    fwa_span(image, strlen(image)), 0);
}

static uint32_t commit(struct fwa_device *dev, uint32_t action, uint32_t slot)
{
	return plain(dev, NVME_OP_FW_COMMIT, action << 3 | slot);
}

static void test_firmware(void **state)
{
	struct fwa_device *dev = open_nvme("nvme");

	assert_int_equal(commit(dev, 0, 2), 0x107); /* nothing came */
	assert_int_equal(download(dev, 8, "2.0     "), 0x114);
	assert_int_equal(download(dev, 0, "SIMNVME1"), 0);
	assert_int_equal(commit(dev, 0, 2), 0x107);
	assert_int_equal(download(dev, 8, "2.0     "), 0);
	assert_int_equal(commit(dev, 0, 4), 0x106);
	assert_int_equal(commit(dev, 4, 2), 0x002);
	assert_int_equal(commit(dev, 0, 2), 0);
	assert_int_equal(commit(dev, 0, 2), 0x107);
	assert_int_equal(commit(dev, 3, 3), 0x107);
	assert_int_equal(commit(dev, 2, 2), 0);
	assert_int_equal(download(dev, 0, "SIMNVME13.0     "), 0);
	assert_int_equal(commit(dev, 3, 3), 0);
	assert_int_equal(send(dev, NVME_OP_IDENTIFY, 1, 0, fwa_span(NULL, 0), 4096), 0);
	assert_memory_equal(data + NVME_ID_CTRL_FR, "3.0     ", 8);
	assert_int_equal(send(dev, NVME_OP_GET_LOG_PAGE, 3, 0, fwa_span(NULL, 0), 32), 0);
	assert_memory_equal(data + 8, "1.0     2.0     3.0     ", 24);
	dev->ops->close(dev);
}

/* As the gate asks for it. */
static enum fwa_work work(struct fwa_device *dev, uint16_t opcode, uint8_t *percent)
{
	struct fwa_command cmd;
	struct fwa_reply reply = { .out = data, .out_cap = sizeof(data) };

	assert_true(fwa_background_ask(opcode, &cmd));
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 100), 0);
	return fwa_background_answer(opcode, fwa_span(data, reply.out_len), percent);
}

static void until_over(struct fwa_device *dev, uint16_t opcode)
{
	uint8_t percent, before = 0;

	while (work(dev, opcode, &percent) == FWA_WORK_RUNS) {
		assert_true(percent >= before && percent < 100);
		before = percent;
	}
}

static void test_self_test(void **state)
{
	struct fwa_device *dev = open_nvme("nvme,bg-ms=50");
	uint8_t percent;

	assert_int_equal(work(dev, NVME_OP_SELF_TEST, &percent), FWA_WORK_OVER);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 3), 0x002);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 1), 0);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 2), 0x11d);
	assert_int_equal(work(dev, NVME_OP_SELF_TEST, &percent), FWA_WORK_RUNS);
	assert_int_equal(work(dev, NVME_OP_SANITIZE, &percent), FWA_WORK_OVER);
	until_over(dev, NVME_OP_SELF_TEST);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 2), 0);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 15), 0);
	assert_int_equal(work(dev, NVME_OP_SELF_TEST, &percent), FWA_WORK_OVER);
	dev->ops->close(dev);
}

static void test_sanitize(void **state)
{
	struct fwa_device *dev = open_nvme("nvme,bg-ms=50");
	uint8_t percent;

	assert_int_equal(plain(dev, NVME_OP_SANITIZE, 1), 0x002);
	assert_int_equal(plain(dev, NVME_OP_SANITIZE, 2), 0);
	assert_int_equal(work(dev, NVME_OP_SANITIZE, &percent), FWA_WORK_RUNS);
	assert_int_equal(plain(dev, NVME_OP_SANITIZE, 2), 0x01d);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 1), 0x01d);
	until_over(dev, NVME_OP_SANITIZE);
	assert_int_equal(plain(dev, NVME_OP_SELF_TEST, 1), 0);
	dev->ops->close(dev);
}

static void test_declares_what_it_does(void **state)
{
	static uint8_t encoded[FWA_PROFILE_MAX];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	struct fwa_device *dev = open_nvme("nvme,seed=7");
	static struct fwa_profile profile;
	char error[FWA_ERROR_LEN];
	struct fwa_namespace ns;

	assert_int_equal(fwa_profile_read(dev, &w, error), 0);
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(encoded, w.len)), 0);
	assert_true(fwa_profile_check(&profile));
	assert_string_equal(profile.id.serial, "0000000000000007");
	assert_string_equal(profile.id.firmware, "1.0");
	assert_int_equal(fwa_profile_count(&profile), 13);
	assert_true(fwa_profile_namespace(&profile, 1, &ns));
	assert_int_equal(ns.block_size, 512);
	for (uint16_t opcode = 0; opcode <= 0xff; opcode++) {
		struct fwa_declared d;

		if (!fwa_profile_declared(&profile, FWA_SET_NVME_ADMIN, opcode, &d))
			assert_int_equal(plain(dev, opcode, 0), 0x001);
	}
	dev->ops->close(dev);
}

static void test_bounds(void **state)
{
	struct fwa_device *dev = open_nvme("nvme");
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = NVME_OP_IDENTIFY, .cdw = { 1 } };
	struct fwa_reply reply = { .out = data, .out_cap = 64 };

	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 1), -EOPNOTSUPP);
	cmd.set = FWA_SET_NVME_ADMIN;
	cmd.out_len = 65;
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 1), -EMSGSIZE);
	reply.out_cap = cmd.out_len = sizeof(data) + 1;
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 1), -EMSGSIZE);
	assert_false(reply.maybe_sent);
	assert_int_equal(download(dev, 0xfffffffc, "SIM1"), 0x114);
	assert_int_equal(send(dev, NVME_OP_FW_DOWNLOAD, 4096 / 4, 0, fwa_span(data, 4100 - 4), 0),
			 0x002);
	dev->ops->close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firmware), cmocka_unit_test(test_self_test),
		cmocka_unit_test(test_sanitize), cmocka_unit_test(test_declares_what_it_does),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
