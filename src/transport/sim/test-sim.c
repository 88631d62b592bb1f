/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailbox, the options, and the command groups that keep no secrets: identify, logs, events,
 * firmware, labels, health, vendor.
 */
#include <errno.h>

#include "transport/sim/sim.h"
#include "transport/sim/test-device.h"

static void test_options(void **state)
{
	struct fwa_device *dev =
		test_open("honest,payload=4096,seed=0x10,bg-ms=0,after=7,locked=1");
	const struct sim_options *o = &((struct sim *)dev)->options;

	assert_int_equal(dev->payload_max, 4096);
	assert_int_equal(o->seed, 16);
	assert_int_equal(o->bg_ms, 0);
	assert_int_equal(o->after, 7);
	assert_int_equal(o->locked, 1);
	test_close(dev);
}

static void test_bad_options(void **state)
{
	static const char *const bad[][2] = {
		{ "", "unknown personality \"\"" },
		{ "dishonest", "there are honest, liar-data" },
		{ "Honest", "unknown personality" },
		{ "honest ", "unknown personality" },
		{ "honest,", "unknown option \"\"; there are seed" },
		{ "honest,sead=1", "unknown option \"sead\"" },
		{ "honest,seed", "seed takes a number" },
		{ "honest,seed=", "seed takes a number" },
		{ "honest,seed=-1", "seed takes a number" },
		{ "honest,seed=1x", "seed takes a number" },
		{ "honest,seed= 1", "seed takes a number" },
		{ "honest,seed=18446744073709551616", "seed takes a number" },
		{ "honest,payload=128", "from 256 to 1048576" },
		{ "honest,payload=3000", "power of two" },
		{ "honest,payload=2097152", "from 256 to 1048576" },
		{ "honest,locked=2", "from 0 to 1" },
		{ "honest,count=", "count takes a path" },
		{ "honest,count=/dev/null", "is no file of 64 bytes" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fwa_open_args args = { .fd = -1 };
		struct fwa_device *dev = NULL;

		assert_int_equal(fwa_sim_open(&args, bad[i][0], &dev), -EINVAL);
		assert_null(dev);
		if (!strstr(args.error, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], args.error);
	}
}

/* The device's own word for what it was given: also of what a killed process sent. */
static void test_tally(void **state)
{
	char path[] = "/tmp/fwadmit-tally-XXXXXX", what[64];
	fwa_auto_close int fd = mkstemp(path);
	struct fwa_device *dev;
	uint8_t got[64 + 2 * 64];

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(got)), 0);
	snprintf(what, sizeof(what), "honest,count=%s,seed=3", path);
	dev = test_open(what);
	for (int i = 0; i < 3; i++) /* the third has no room, but counts */
		assert_int_equal(test_send(dev, 0x4103, "\0\0\0\0\0\0\0\0abc", 11), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	assert_int_equal(fwa_le64(got), 3);
	assert_int_equal(fwa_le16(got + 128), 0x4103);
	assert_int_equal(fwa_le32(got + 132), 11);
	assert_memory_equal(got + 136, "\0\0\0\0\0\0\0\0abc\0", 12);
	test_close(dev);
	unlink(path);
}

static void test_long_names_are_cut(void **state)
{
	struct fwa_open_args args = { .fd = -1 };
	struct fwa_device *dev = NULL;
	char long_name[4096];

	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(fwa_sim_open(&args, long_name, &dev), -EINVAL);
	assert_true(strlen(args.error) < sizeof(args.error));
	assert_string_equal(args.error + strlen(args.error) - 5, ", ..."); /* there are more */
}

static void test_personalities_are_listed(void **state)
{
	const char *name, *about;
	size_t n = 0;

	while (fwa_sim_personality(n, &name, &about)) {
		assert_true(name[0] && about[0]);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(name, sim_personalities[i].name);
		test_close(test_open(name));
		n++;
	}
	assert_int_equal(n, sim_n_personalities);
}

static void test_same_seed_same_device(void **state)
{
	static uint8_t first[SIM_DEBUG_LOG_LEN];
	struct fwa_device *a = test_open("honest,seed=5"), *b = test_open("honest,seed=5"),
			  *other = test_open("honest,seed=6");

	assert_string_equal(a->id.serial, b->id.serial);
	assert_string_not_equal(a->id.serial, other->id.serial);
	assert_int_equal(test_get_log(a, CXL_UUID_VENDOR_DEBUG, 0, sizeof(first)), 0);
	memcpy(first, answer.data, sizeof(first));
	assert_int_equal(test_get_log(b, CXL_UUID_VENDOR_DEBUG, 0, sizeof(first)), 0);
	assert_memory_equal(answer.data, first, sizeof(first));
	assert_int_equal(test_get_log(other, CXL_UUID_VENDOR_DEBUG, 0, sizeof(first)), 0);
	assert_memory_not_equal(answer.data, first, sizeof(first));
	test_close(a);
	test_close(b);
	test_close(other);
}

static void test_mailbox(void **state)
{
	static const uint8_t zeros[4096];
	struct fwa_device *dev = test_open("honest");
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = 6 };
	uint8_t out[16] = { 0 };
	struct fwa_reply reply = { .out = out, .out_cap = 8 };

	assert_int_equal(SEND(dev, 0x4666), CXL_RC_UNSUPPORTED);
	assert_true(answer.maybe_sent);
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 1), -EOPNOTSUPP);
	assert_false(reply.maybe_sent);
	test_send(dev, 0x4103, zeros, 2049);
	assert_int_equal(answer.error, -EMSGSIZE);
	assert_false(answer.maybe_sent);
	assert_int_equal(test_send(dev, 0x4103, zeros, 2048), CXL_RC_SUCCESS);
	/* No more than the caller's buffer takes. */
	cmd.set = FWA_SET_CXL;
	cmd.opcode = 0x4000;
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 1), 0);
	assert_int_equal(reply.out_len, 8);
	assert_memory_equal(out, "1.0.0\0\0\0\0\0\0\0\0\0\0", 16);
	test_close(dev);
}

/* Every declared command, one byte short of its shortest payload and one over its longest. */
static void test_payload_lengths(void **state)
{
	static const struct {
		uint16_t opcode;
		size_t min;
		size_t max;
	} lengths[] = {
		{ 0x0005, 0, 0 },      { 0x0100, 1, 1 },     { 0x0101, 6, 2048 },
		{ 0x0102, 0, 0 },      { 0x0103, 4, 4 },     { 0x0200, 0, 0 },
		{ 0x0201, 128, 2048 }, { 0x0202, 2, 2 },     { 0x0300, 0, 0 },
		{ 0x0301, 8, 8 },      { 0x0400, 0, 0 },     { 0x0401, 24, 24 },
		{ 0x0402, 16, 16 },    { 0x0403, 16, 16 },   { 0x0500, 8, 8 },
		{ 0x0501, 21, 21 },    { 0x0502, 32, 2048 }, { 0x4000, 0, 0 },
		{ 0x4100, 0, 0 },      { 0x4101, 9, 9 },     { 0x4102, 8, 8 },
		{ 0x4103, 9, 2048 },   { 0x4200, 0, 0 },     { 0x4201, 0, 0 },
		{ 0x4202, 12, 12 },    { 0x4203, 0, 0 },     { 0x4204, 1, 1 },
		{ 0x4300, 16, 16 },    { 0x4301, 8, 8 },     { 0x4302, 72, 72 },
		{ 0x4303, 16, 16 },    { 0x4304, 17, 17 },   { 0x4305, 0, 0 },
		{ 0x4400, 0, 0 },      { 0x4401, 0, 0 },     { 0x4500, 0, 0 },
		{ 0x4501, 96, 96 },    { 0x4502, 64, 64 },   { 0x4503, 32, 32 },
		{ 0x4504, 0, 0 },      { 0x4505, 64, 64 },   { 0xc000, 4, 4 },
		{ 0xc001, 8, 8 },
	};
	static const uint8_t zeros[2048];
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(((struct sim *)dev)->cel_len, 4 * sizeof(lengths) / sizeof(lengths[0]));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (lengths[i].min)
			assert_int_equal(
				test_send(dev, lengths[i].opcode, zeros, lengths[i].min - 1),
				CXL_RC_PAYLOAD_LENGTH);
		if (lengths[i].max < sizeof(zeros))
			assert_int_equal(
				test_send(dev, lengths[i].opcode, zeros, lengths[i].max + 1),
				CXL_RC_PAYLOAD_LENGTH);
	}
	test_close(dev);
}

static void test_identify(void **state)
{
	struct fwa_device *dev = test_open("honest,seed=3");

	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 67);
	assert_string_equal((char *)answer.data, "1.3.0");
	assert_int_equal(fwa_le64(answer.data + 0x10), 4);
	assert_int_equal(fwa_le64(answer.data + 0x18), 1);
	assert_int_equal(fwa_le64(answer.data + 0x20), 1);
	assert_int_equal(fwa_le64(answer.data + 0x28), 1);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(fwa_le16(answer.data + 0x30 + 2 * i), 8);
	assert_int_equal(fwa_le32(answer.data + 0x38), SIM_LSA_LEN);
	assert_int_equal(fwa_le16(answer.data + 0x3f), 32);
	test_close(dev);
}

static void test_logs(void **state)
{
	static const uint8_t nobody[16] = { 1 };
	struct fwa_device *dev = test_open("honest");
	uint32_t size;

	assert_int_equal(SEND(dev, 0x0400), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 8 + 2 * 20);
	assert_int_equal(fwa_le16(answer.data), 2);
	assert_memory_equal(answer.data + 8, CXL_UUID_CEL, 16);
	size = fwa_le32(answer.data + 24);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, size), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, size);
	assert_int_equal(fwa_le16(answer.data), 0x0005);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, size, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 0);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 1, size), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, UINT32_MAX, 2), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, 4096), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_log(dev, nobody, 0, 4), CXL_RC_INVALID_LOG);
	assert_int_equal(answer.len, 0);
	test_close(dev);
}

static void test_clear_log(void **state)
{
	static const uint8_t zeros[16];
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_send(dev, 0x0402, zeros, 16), CXL_RC_INVALID_LOG);
	assert_int_equal(test_send(dev, 0x0402, CXL_UUID_CEL, 16), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data), 0);
	assert_int_equal(test_send(dev, 0x0402, CXL_UUID_VENDOR_DEBUG, 16), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data), 1);
	assert_int_equal(test_send(dev, 0x0403, zeros, 16), CXL_RC_INVALID_LOG);
	assert_int_equal(test_send(dev, 0x0403, CXL_UUID_CEL, 16), CXL_RC_UNSUPPORTED);
	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 16), CXL_RC_SUCCESS);
	assert_memory_not_equal(answer.data, zeros, 16);
	assert_int_equal(test_send(dev, 0x0403, CXL_UUID_VENDOR_DEBUG, 16), CXL_RC_SUCCESS);
	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 16), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, zeros, 16);
	test_close(dev);
}

static void test_events(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x0100, 4), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0100, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 32 + 3 * 128);
	assert_int_equal(answer.data[0], 0);
	assert_int_equal(fwa_le16(answer.data + 20), 3);
	assert_int_equal(fwa_le16(answer.data + 32 + 20), 1);
	assert_int_equal(SEND(dev, 0x0101, 4, 1, 0, 0, 0, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0101, 0, 0, 0, 0, 0, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0101, 0, 0, 1, 0, 0, 0), CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(SEND(dev, 0x0101, 0, 0, 1, 0, 0, 0, LE16(2)), CXL_RC_INVALID_HANDLE);
	assert_int_equal(SEND(dev, 0x0101, 0, 0, 2, 0, 0, 0, LE16(1), LE16(3)),
			 CXL_RC_INVALID_HANDLE);
	assert_int_equal(SEND(dev, 0x0101, 2, 0, 1, 0, 0, 0, LE16(1)), CXL_RC_INVALID_HANDLE);
	assert_int_equal(SEND(dev, 0x0101, 0, 0, 2, 0, 0, 0, LE16(1), LE16(2)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0100, 0), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data + 20), 1);
	assert_int_equal(fwa_le16(answer.data + 32 + 20), 3);
	assert_int_equal(SEND(dev, 0x0101, 1, 0, 1, 0, 0, 0, LE16(4)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0100, 1), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 32);
	assert_int_equal(SEND(dev, 0x0101, 0, 1, 0, 0, 0, 0), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0100, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 32);
	test_close(dev);
}

static void test_events_more_than_fit(void **state)
{
	struct fwa_device *dev = test_open("honest,payload=256");

	assert_int_equal(SEND(dev, 0x0100, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 32 + 128);
	assert_int_equal(answer.data[0], 2);
	assert_int_equal(fwa_le16(answer.data + 20), 1);
	test_close(dev);
}

static void test_event_policy_and_clock(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x0103, 1, 1, 3, 1), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0102), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, ((uint8_t[]){ 0, 0, 0, 0 }), 4);
	assert_int_equal(SEND(dev, 0x0103, 1, 1, 2, 1), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0102), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 4);
	assert_memory_equal(answer.data, ((uint8_t[]){ 1, 1, 2, 1 }), 4);

	assert_int_equal(SEND(dev, 0x0300), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le64(answer.data), 0);
	assert_int_equal(SEND(dev, 0x0301, LE64(1ull << 60)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0300), CXL_RC_SUCCESS);
	assert_in_range(fwa_le64(answer.data), 1ull << 60, (1ull << 60) + 60000000000);
	test_close(dev);
}

#define PACKAGE(revision, flags)                                                              \
	{                                                                                     \
		'S', 'I', 'M', 'F', 'W', 'P', 'K', 'G', flags, 0, 0, 0, 0, 0, 0, 0, '2', '.', \
			revision                                                              \
	}

static void test_firmware(void **state)
{
	static const uint8_t package[128] = PACKAGE('0', 0), noise[128] = "not a package";
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x0200), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 80);
	assert_memory_equal(answer.data, ((uint8_t[]){ 2, 1, 1 }), 3);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_FW_SLOT); /* empty */
	assert_int_equal(SEND(dev, 0x0202, 0, 0), CXL_RC_FW_SLOT);
	assert_int_equal(SEND(dev, 0x0202, 0, 3), CXL_RC_FW_SLOT);
	assert_int_equal(SEND(dev, 0x0202, 2, 1), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 0, 0, 0, package, 128), CXL_RC_FW_SLOT);
	assert_int_equal(test_transfer_fw(dev, 0, 1, 0, package, 128), CXL_RC_FW_SLOT);
	assert_int_equal(test_transfer_fw(dev, 0, 3, 0, package, 128), CXL_RC_FW_SLOT);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, noise, 128), CXL_RC_FW_AUTH);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 5, 2, 0, package, 128), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 128), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 1, 2), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0200), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[1], 1 | 2 << 3);
	assert_string_equal((char *)answer.data + 32, "2.0");
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "2.0");
	test_close(dev);
}

static void test_firmware_that_fails(void **state)
{
	static const uint8_t fails[128] = PACKAGE('1', 1), needs_reset[128] = PACKAGE('2', 2);
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, fails, 128), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_FW_ROLLED_BACK);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, needs_reset, 128), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_FW_COLD_RESET);
	assert_int_equal(SEND(dev, 0x0200), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[1], 1 | 2 << 3);
	test_close(dev);
}

static void test_firmware_in_parts(void **state)
{
	static const uint8_t package[256] = PACKAGE('3', 0), rest[100];
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_transfer_fw(dev, 2, 2, 0, package, 256), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 3, 2, 0, package, 256), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 4, 2, 0, package, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 1, package, 256), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 100), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_FW_IN_PROGRESS);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 256), CXL_RC_FW_IN_PROGRESS);
	assert_int_equal(test_transfer_fw(dev, 2, 2, 2, package, 256), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 2, 2, 2, package, 256), CXL_RC_SUCCESS); /* again */
	assert_int_equal(test_transfer_fw(dev, 2, 2, 9, package, 256), CXL_RC_FW_OUT_OF_ORDER);
	assert_int_equal(test_transfer_fw(dev, 2, 2, 4, package, 256), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 4, 2, 0, package, 0), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 3, 2, 2, rest, 100), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "2.3");
	test_close(dev);
}

static void test_firmware_too_long(void **state)
{
	static const uint8_t part[128] = PACKAGE('4', 0);
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, part, 128), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 2, 2, UINT32_MAX, part, 128), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 2, 2, (32u << 20) / 128, part, 128),
			 CXL_RC_INVALID_INPUT);
	test_close(dev);
}

static void wait_idle(struct fwa_device *dev)
{
	uint8_t percent;

	while (dev->ops->progress(dev, &percent))
		assert_true(percent < 100);
}

/* With fw-ms each part and the activation take their time, and count when it is over. */
static void test_firmware_in_the_background(void **state)
{
	static const uint8_t package[256] = PACKAGE('5', 0), noise[256];
	struct fwa_device *dev = test_open("honest,fw-ms=20");

	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_BACKGROUND);
	assert_int_equal(test_transfer_fw(dev, 3, 2, 2, noise, 256), CXL_RC_BUSY);
	assert_int_equal(test_transfer_fw(dev, 4, 2, 0, package, 0), CXL_RC_BUSY);
	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	wait_idle(dev);
	assert_int_equal(test_transfer_fw(dev, 3, 2, 2, noise, 256), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_BUSY);
	wait_idle(dev);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_not_equal((char *)answer.data, "2.5");
	wait_idle(dev);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "2.5");
	test_close(dev);
}

static void test_firmware_aborted_in_the_background(void **state)
{
	static const uint8_t package[256] = PACKAGE('6', 0);
	struct fwa_device *dev = test_open("honest,fw-ms=60000");

	assert_int_equal(test_transfer_fw(dev, 1, 2, 0, package, 256), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, CXL_OP_ABORT_BACKGROUND), CXL_RC_SUCCESS);
	assert_int_equal(test_transfer_fw(dev, 4, 2, 0, package, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 256), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, CXL_OP_ABORT_BACKGROUND), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 0, 2), CXL_RC_FW_SLOT);
	test_close(dev);
}

static void test_lsa(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_set_lsa(dev, 100, "label"), CXL_RC_SUCCESS);
	assert_int_equal(test_get_lsa(dev, 100, 5), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 5);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 4, "label"), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_lsa(dev, UINT32_MAX, "label"), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 5, "label"), CXL_RC_SUCCESS);
	assert_int_equal(test_get_lsa(dev, SIM_LSA_LEN - 5, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(test_get_lsa(dev, SIM_LSA_LEN, 1), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_lsa(dev, UINT32_MAX, 2), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_lsa(dev, 0, 2049), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_lsa(dev, 0, 2048), CXL_RC_SUCCESS);
	test_close(dev);
}

static void test_partition(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x4101, LE64(0), 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4101, LE64(4), 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4101, LE64(1ull << 63), 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4101, LE64(3), 0), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4100), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 32);
	assert_int_equal(answer.data[0], 2);
	assert_int_equal(answer.data[8], 2);
	assert_int_equal(answer.data[16], 3);
	assert_int_equal(answer.data[24], 1);
	assert_int_equal(SEND(dev, 0x4101, LE64(3), 1), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4100), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[0], 3);
	assert_int_equal(answer.data[16], 0);
	test_close(dev);
}

static void test_health(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x4200), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 18);
	assert_int_equal(answer.data[3], 3);
	assert_int_equal(fwa_le16(answer.data + 4), 36);
	assert_int_equal(SEND(dev, 0x4203), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[0], 0);
	assert_int_equal(SEND(dev, 0x4204, 2), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4204, 1), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4203), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 1);
	assert_int_equal(answer.data[0], 1);
	test_close(dev);
}

static void test_alerts(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x4202, 0x20, 0, 0, 0, LE16(0), LE16(0), LE16(0), LE16(0)),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4202, 0, 0x20, 0, 0, LE16(0), LE16(0), LE16(0), LE16(0)),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4202, 1, 1, 95, 0, LE16(0), LE16(0), LE16(0), LE16(0)),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4202, 2, 2, 0, 0, LE16(85), LE16(0), LE16(0), LE16(0)),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(
		SEND(dev, 0x4202, 0x13, 0x11, 50, 0, LE16(70), LE16(9), LE16(9), LE16(300)),
		CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4201), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 16);
	assert_int_equal(answer.data[0], 0x11); /* over-temperature was given, and off */
	assert_int_equal(answer.data[3], 50);
	assert_int_equal(fwa_le16(answer.data + 8), 70);
	assert_int_equal(fwa_le16(answer.data + 10), 0);
	assert_int_equal(fwa_le16(answer.data + 14), 300);
	test_close(dev);
}

static void test_vendor(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0xc000, LE32(16)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0xc000, LE32(UINT32_MAX)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0xc001, LE32(7), LE32(1)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0xc001, LE32(16), LE32(1)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0xc001, LE32(8), LE32(0x12345678)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0xc000, LE32(8)), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 4);
	assert_int_equal(fwa_le32(answer.data), 0x12345678);
	test_close(dev);
}

/*
 * Each declared command many times, with fields that are small, aligned or at an edge as often as
 * they are noise: no answer is longer than the mailbox, and no code is one that nobody has named.
 */
static void test_any_command(void **state)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 64, 128, 2048, 16384, UINT32_MAX };
	struct fwa_device *dev = test_open("honest,bg-ms=0");
	struct sim *s = (struct sim *)dev, noise = { .random = 1 };
	unsigned int done = 0;
	uint8_t in[2048];

	for (unsigned int i = 0; i < 100000; i++) {
		size_t entry = sim_random(&noise) % (s->cel_len / 4) * 4;
		uint16_t opcode = fwa_le16(s->cel + entry);
		size_t len = sim_random(&noise) % (i % 4 ? 128 : sizeof(in) + 1);

		for (size_t at = 0; at + 4 <= sizeof(in) && at < 256; at += 4) {
			uint64_t r = sim_random(&noise);

			fwa_put_le32(in + at, r % 3 ? edges[r / 3 % 9] : (uint32_t)(r >> 32));
		}
		for (size_t k = 0; k < 48 && !(i % 3); k++) /* the shape that the table wants */
			if (test_send(dev, opcode, in, k) != CXL_RC_PAYLOAD_LENGTH) {
				len = k;
				break;
			}
		if (i % 5 == 0)
			memcpy(in, CXL_UUID_VENDOR_DEBUG, 16);
		done += test_send(dev, opcode, in, len) == CXL_RC_SUCCESS;
		assert_int_equal(answer.error, 0);
		assert_in_range(answer.code, 0, CXL_RC_ABORT_UNSUPPORTED);
		assert_in_range(answer.len, 0, dev->payload_max);
	}
	assert_true(done > 10000);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_personalities_are_listed),
		cmocka_unit_test(test_same_seed_same_device),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_payload_lengths),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_clear_log),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_events_more_than_fit),
		cmocka_unit_test(test_event_policy_and_clock),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_firmware_that_fails),
		cmocka_unit_test(test_firmware_in_parts),
		cmocka_unit_test(test_firmware_too_long),
		cmocka_unit_test(test_firmware_in_the_background),
		cmocka_unit_test(test_firmware_aborted_in_the_background),
		cmocka_unit_test(test_lsa),
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_vendor),
		cmocka_unit_test(test_any_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
