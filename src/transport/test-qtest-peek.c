/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the qtest transport shows past commands, and its resets, against the QEMU of this machine or the one
 * that FWADMIT_QEMU names. Skipped (77) when there is none.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/qtest-cxl.h"
#include "transport/qtest-nvme.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define SUBMIT_MS 10000

static uint8_t out[65536];

static int open_type(const char *type, struct fwa_device **ret)
{
	const char *qemu = getenv("FWADMIT_QEMU");
	struct fwa_open_args args = { .fd = -1 };
	char rest[512];
	int r;

	snprintf(rest, sizeof(rest), "%s%s%s", type, qemu ? ",qemu=" : "", qemu ? qemu : "");
	r = fwa_qtest_open(&args, rest, ret);
	if (r < 0)
		fprintf(stderr, "%s\n", args.error);
	return r;
}

static int set_up_cxl(void **state)
{
	return open_type("cxl-type3", (struct fwa_device **)state);
}

static int set_up_nvme(void **state)
{
	return open_type("nvme", (struct fwa_device **)state);
}

static int tear_down(void **state)
{
	struct fwa_device *dev = *state;

	dev->ops->close(dev);
	return 0;
}

static struct fwa_reply send(struct fwa_device *dev, const struct fwa_command *cmd)
{
	struct fwa_reply reply = { .out = out, .out_cap = sizeof(out) };

	memset(out, 0, sizeof(out));
	assert_int_equal(dev->ops->submit(dev, cmd, &reply, SUBMIT_MS), 0);
	return reply;
}

static struct fwa_reply cxl(struct fwa_device *dev, uint16_t opcode, const void *in, size_t len)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = opcode,
				   .payload = fwa_span(in, len),
				   .out_len = dev->payload_max };

	return send(dev, &cmd);
}

static uint32_t version(struct fwa_device *dev)
{
	unsigned int major = 0;

	assert_int_equal(sscanf(dev->about, "QEMU %3u.", &major), 1);
	return major;
}

/* --- CXL ------------------------------------------------------------------------------------ */

static void assert_lsa(struct fwa_device *dev, const char *text)
{
	uint8_t in[8] = { 0 };

	in[4] = 16;
	assert_int_equal(cxl(dev, 0x4102, in, sizeof(in)).code, CXL_RC_SUCCESS);
	assert_memory_equal(out, text, strlen(text));
}

static void set_lsa(struct fwa_device *dev, const char *text)
{
	uint8_t in[64] = { 0 };

	memcpy(in + 8, text, strlen(text));
	assert_int_equal(cxl(dev, 0x4103, in, 8 + strlen(text)).code, CXL_RC_SUCCESS);
}

static void test_cxl_registers(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t r[24];

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, r, sizeof(r)), 0);
	assert_int_equal(r[0] >> 2 & 3, 1); /* media ready */
	assert_int_equal(r[0] >> 4 & 1, 1); /* mailbox ready */
	assert_int_equal(cxl(dev, 0xc0ff, NULL, 0).code, CXL_RC_UNSUPPORTED);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 12, r, 2), 0);
	assert_int_equal(fwa_le16(r), CXL_RC_UNSUPPORTED);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 1, r, sizeof(r)), -ERANGE);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_REGISTERS, 0, fwa_span(r, 1)), -EOPNOTSUPP);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_COUNT, 0, r, 1), -EOPNOTSUPP);
}

static void assert_media(struct fwa_device *dev, uint64_t dpa, const char *text, size_t len)
{
	uint8_t got[64];

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, dpa, got, len), 0);
	assert_memory_equal(got, text, len);
}

static void poke(struct fwa_device *dev, uint64_t dpa, const char *text)
{
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_MEDIA, dpa, fwa_span(text, strlen(text))),
			 0);
}

static void test_cxl_media(void **state)
{
	const uint64_t end = FWA_QTEST_CXL_CAPACITY;
	struct fwa_device *dev = *state;
	uint8_t byte;

	assert_media(dev, 64, "\0\0\0\0", 4);
	poke(dev, 64, "stored");
	poke(dev, end - 4, "last");
	assert_media(dev, 64, "stored", 6);
	assert_media(dev, end - 4, "last", 4);
	assert_media(dev, 70, "\0\0", 2);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, end, &byte, 1), -ERANGE);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, UINT64_MAX, &byte, 1), -ERANGE);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_MEDIA, end - 1, fwa_span("no", 2)),
			 -ERANGE);
	set_lsa(dev, "label"); /* the mailbox works as before */
	assert_lsa(dev, "label");
}

/* A command that changes the media is seen to do it, where this QEMU has one. */
static void test_cxl_clear_poison(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t in[72] = { 128, 0 };

	poke(dev, 128, "before");
	memcpy(in + 8, "after!", 6);
	if (cxl(dev, 0x4302, in, sizeof(in)).code == CXL_RC_SUCCESS)
		assert_media(dev, 128, "after!", 6);
	else
		assert_media(dev, 128, "before", 6);
	assert_true(version(dev) >= 9 || cxl(dev, 0x4302, in, 72).code == CXL_RC_UNSUPPORTED);
}

static size_t beyond(struct fwa_device *dev, size_t replied)
{
	static uint8_t got[65536];
	size_t len = dev->payload_max - replied, n = 0;

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 1, got, len), -ERANGE);
	memset(got, 0xee, len);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 0, got, len), 0);
	for (size_t i = 0; i < len; i++)
		n += got[i] != 0;
	return n;
}

/* Writes where a device that overruns its reply would. */
static void overrun(struct fwa_device *dev, size_t at)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;

	assert_int_equal(fwa_qtest_begin(&c->base.wire, SUBMIT_MS), 0);
	fwa_qtest_write(&c->base.wire, c->mailbox + FWA_QTEST_MB_PAYLOAD + at, fwa_span("over", 4));
	assert_int_equal(fwa_qtest_sync(&c->base.wire), 0);
}

static void test_cxl_beyond(void **state)
{
	struct fwa_device *dev = *state;
	static uint8_t long_input[1024];
	struct fwa_reply r = cxl(dev, 0x4000, NULL, 0);

	memset(long_input, 0xaa, sizeof(long_input));
	overrun(dev, r.out_len);
	assert_int_equal(beyond(dev, r.out_len), 0); /* nobody had asked for it before */
	for (int i = 0; i < 3; i++) {
		r = cxl(dev, 0x4000, NULL, 0);
		assert_true(r.out_len > 0);
		assert_int_equal(beyond(dev, r.out_len), 0);
		overrun(dev, dev->payload_max - 4);
		assert_int_equal(beyond(dev, r.out_len), 4);
		overrun(dev, r.out_len);
		assert_int_equal(beyond(dev, r.out_len), 8);
		set_lsa(dev, "a payload without a reply");
		assert_int_equal(beyond(dev, 0), 0); /* what the host wrote is no overrun */
		set_lsa(dev, "two");
		set_lsa(dev, "two");
		assert_int_equal(beyond(dev, 0), 0);
		r = cxl(dev, 0x0300, long_input, sizeof(long_input));
		assert_int_equal(r.code, CXL_RC_PAYLOAD_LENGTH);
		assert_int_equal(beyond(dev, 0), 0);
	}
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_BEYOND, 0, fwa_span("", 1)), -EOPNOTSUPP);
}

static void test_cxl_reset(void **state)
{
	struct fwa_device *dev = *state;

	assert_int_equal(dev->ops->reset(dev, FWA_RESET_CXL, 5000), -EOPNOTSUPP);
	for (int round = 0; round < 3; round++) {
		for (unsigned int kind = 0; kind <= FWA_RESET_CONVENTIONAL; kind++) {
			set_lsa(dev, "label");
			poke(dev, 4096, "stored");
			beyond(dev, 0);
			assert_int_equal(dev->ops->reset(dev, kind, SUBMIT_MS), 0);
			assert_lsa(dev, "label");
			assert_int_equal(beyond(dev, 16), 0);
			assert_media(dev, 4096, "stored", 6);
		}
	}
}

/* With work in the background, which QEMU does not end, the device can be reset and used after it. */
static void test_cxl_reset_under_work(void **state)
{
	struct fwa_device *dev = *state;

	for (unsigned int kind = 0; kind <= FWA_RESET_CONVENTIONAL; kind++) {
		uint32_t code = cxl(dev, 0x4400, NULL, 0).code;

		assert_true(code == CXL_RC_BACKGROUND || code == CXL_RC_BUSY || version(dev) < 9);
		assert_int_equal(dev->ops->reset(dev, kind, SUBMIT_MS), 0);
		assert_int_equal(cxl(dev, 0x4000, NULL, 0).code, CXL_RC_SUCCESS);
	}
}

/* --- NVMe ----------------------------------------------------------------------------------- */

static struct fwa_command transfer(uint16_t opcode, const void *data, uint32_t len)
{
	struct fwa_command cmd = {
		.set = FWA_SET_NVME_IO, .opcode = opcode, .nsid = 1, .cdw = { 8, 0, len / 512 - 1 }
	};

	if (opcode == NVME_OP_WRITE)
		cmd.payload = fwa_span(data, len);
	else
		cmd.out_len = len;
	return cmd;
}

static void test_nvme_registers(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t r[8];

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, r, sizeof(r)), 0);
	assert_int_equal(fwa_le32(r) & 1, 1);     /* enabled */
	assert_int_equal(fwa_le32(r + 4) & 3, 1); /* ready, not failed */
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 1, r, sizeof(r)), -ERANGE);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 0, r, 1), -EOPNOTSUPP);
	assert_null(dev->ops->poke);
}

static size_t nvme_beyond(struct fwa_device *dev)
{
	static uint8_t got[2 * FWA_BEYOND_LEN];
	size_t n = 0;

	memset(got, 0xee, sizeof(got));
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 0, got, sizeof(got)), 0);
	for (size_t i = 0; i < sizeof(got); i++)
		n += got[i] != 0;
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_BEYOND, 1, got, sizeof(got)), -ERANGE);
	return n;
}

static void nvme_overrun(struct fwa_device *dev, uint64_t addr)
{
	struct fwa_qtest *q = &((struct fwa_qtest_device *)dev)->wire;

	assert_int_equal(fwa_qtest_begin(q, SUBMIT_MS), 0);
	fwa_qtest_write(q, addr, fwa_span("over", 4));
	assert_int_equal(fwa_qtest_sync(q), 0);
}

static void test_nvme_beyond(void **state)
{
	static const uint32_t lengths[] = { 512, 4096, 4608, 8192, 12288, 65536 };
	struct fwa_device *dev = *state;
	struct fwa_command cmd = transfer(NVME_OP_READ, NULL, 512);

	send(dev, &cmd);
	nvme_overrun(dev, FWA_QTEST_NVME_DATA + 4096);
	assert_int_equal(nvme_beyond(dev), 0); /* nobody had asked for it before */
	for (size_t i = 0; i < FWA_ARRAY_SIZE(lengths); i++) {
		uint32_t pages = (lengths[i] + 4095) / 4096 * 4096;

		cmd = transfer(NVME_OP_WRITE, out, lengths[i]);
		assert_int_equal(send(dev, &cmd).code, 0);
		assert_int_equal(nvme_beyond(dev), 0);
		cmd = transfer(NVME_OP_READ, NULL, lengths[i]);
		assert_int_equal(send(dev, &cmd).code, 0);
		assert_int_equal(nvme_beyond(dev), 0);
		nvme_overrun(dev, FWA_QTEST_NVME_DATA + pages);
		assert_int_equal(nvme_beyond(dev), 4);
		nvme_overrun(dev, FWA_QTEST_NVME_DATA + pages + FWA_BEYOND_LEN - 4);
		nvme_overrun(dev, FWA_QTEST_NVME_DATA - 4);
		assert_int_equal(nvme_beyond(dev), 12);
	}
}

static void test_nvme_reset(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd;

	assert_int_equal(dev->ops->reset(dev, FWA_RESET_CXL, SUBMIT_MS), -EOPNOTSUPP);
	for (int round = 0; round < 3; round++) {
		for (unsigned int kind = 0; kind <= FWA_RESET_CONVENTIONAL; kind++) {
			static uint8_t data[512];

			memset(data, 16 * round + (int)kind + 1, sizeof(data));
			cmd = transfer(NVME_OP_WRITE, data, 512);
			assert_int_equal(send(dev, &cmd).code, 0);
			assert_int_equal(dev->ops->reset(dev, kind, SUBMIT_MS), 0);
			assert_int_equal(nvme_beyond(dev), 0);
			cmd = transfer(NVME_OP_READ, NULL, 512);
			assert_int_equal(send(dev, &cmd).code, 0);
			assert_memory_equal(out, data, 512);
		}
	}
}

/* A command that never ends holds the buffer until a reset. */
static void test_nvme_reset_frees(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command event = { .set = FWA_SET_NVME_ADMIN, .opcode = 0x0c };
	struct fwa_reply reply = { .out = out };
	struct fwa_command cmd = transfer(NVME_OP_READ, NULL, 512);

	for (unsigned int kind = 0; kind <= FWA_RESET_CONVENTIONAL; kind++) {
		assert_int_equal(dev->ops->submit(dev, &event, &reply, 50), -ETIMEDOUT);
		assert_int_equal(dev->ops->reset(dev, kind, SUBMIT_MS), 0);
		assert_int_equal(send(dev, &cmd).code, 0);
	}
}

/* --- both ----------------------------------------------------------------------------------- */

static void test_qemu_dies(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t byte;

	assert_int_equal(kill(((struct fwa_qtest_device *)dev)->qemu.pid, SIGKILL), 0);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, &byte, 1), -ENODEV);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_COLD, SUBMIT_MS), -ENODEV);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_CONVENTIONAL, SUBMIT_MS), -ENODEV);
	if (!dev->is_nvme) {
		assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 0, &byte, 1), -ENODEV);
		assert_int_equal(dev->ops->poke(dev, FWA_REGION_MEDIA, 0, fwa_span("x", 1)),
				 -ENODEV);
	}
}

#define CXL(name) cmocka_unit_test_setup_teardown(name, set_up_cxl, tear_down)
#define NVME(name) cmocka_unit_test_setup_teardown(name, set_up_nvme, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CXL(test_cxl_registers),
		CXL(test_cxl_media),
		CXL(test_cxl_clear_poison),
		CXL(test_cxl_beyond),
		CXL(test_cxl_reset),
		CXL(test_cxl_reset_under_work),
		CXL(test_qemu_dies),
		NVME(test_nvme_registers),
		NVME(test_nvme_beyond),
		NVME(test_nvme_reset),
		NVME(test_nvme_reset_frees),
		{ "test_qemu_dies_nvme", test_qemu_dies, set_up_nvme, tear_down, NULL },
	};
	const char *qemu = getenv("FWADMIT_QEMU");
	struct fwa_qemu_version v;
	char error[256];
	int r = fwa_qemu_version(FWA_QEMU_PROGRAM, &v, error);

	/* -EACCES: there is none either, and $PATH has a folder that this user may not look into. */
	if (!qemu && (r == -ENOENT || r == -EACCES)) {
		fprintf(stderr, "skipped: %s\n", error);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
