/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features: the list, the three selections, and Set Feature in one piece and in parts.
 */
#include "transport/sim/sim.h"
#include "transport/sim/test-device.h"

#define FULL 0
#define INITIATE 1
#define CONTINUE 2
#define FINISH 3
#define ABORT 4
#define SAVE 8

static const uint8_t any_uuid[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void test_list(void **state)
{
	struct fwa_device *dev = test_open("honest,payload=256");
	uint16_t all = 0;

	assert_int_equal(SEND(dev, 0x0500, LE32(7), LE16(0), LE16(0)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0500, LE32(257), LE16(0), LE16(0)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0500, LE32(256), LE16(SIM_FEATURE_COUNT), LE16(0)),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x0500, LE32(8), LE16(0), LE16(0)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data), 0);
	assert_int_equal(fwa_le16(answer.data + 2), SIM_FEATURE_COUNT);
	assert_int_equal(SEND(dev, 0x0500, LE32(8 + 48 - 1), LE16(0), LE16(0)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data), 0); /* whole entries only */
	for (uint16_t start = 0; start < SIM_FEATURE_COUNT; start += 5) {
		uint16_t n = start ? SIM_FEATURE_COUNT - 5 : 5;

		assert_int_equal(SEND(dev, 0x0500, LE32(256), LE16(start), LE16(0)), 0);
		assert_int_equal(fwa_le16(answer.data), n);
		assert_int_equal(answer.len, 8 + 48 * n);
		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(fwa_le16(answer.data + 8 + 48 * i + 16), start + i);
			all |= fwa_le16(answer.data + 8 + 48 * i + 28);
		}
	}
	/* Set Feature's own entry is the union: what the honest device declares in its CEL. */
	assert_int_equal(all, 0x0e3b);
	test_close(dev);
}

static void test_get(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t link[16], verbosity[16], build[16];

	test_feature_uuid(dev, SIM_FEATURE_LINK, link);
	test_feature_uuid(dev, SIM_FEATURE_VERBOSITY, verbosity);
	test_feature_uuid(dev, SIM_FEATURE_BUILD, build);
	assert_int_equal(test_get_feature(dev, any_uuid, 0, 1, 0), CXL_RC_UNSUPPORTED);
	assert_int_equal(test_get_feature(dev, link, 0, 64, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 64);
	assert_int_equal(test_get_feature(dev, link, 0, 64, 1), CXL_RC_SUCCESS);
	assert_int_equal(test_get_feature(dev, link, 0, 64, 2), CXL_RC_SUCCESS);
	assert_int_equal(test_get_feature(dev, link, 0, 64, 3), CXL_RC_FEATURE_SELECTION);
	assert_int_equal(test_get_feature(dev, verbosity, 0, 16, 1), CXL_RC_SUCCESS);
	assert_int_equal(test_get_feature(dev, verbosity, 0, 16, 2), CXL_RC_FEATURE_SELECTION);
	assert_int_equal(test_get_feature(dev, build, 0, 48, 1), CXL_RC_FEATURE_SELECTION);
	assert_int_equal(test_get_feature(dev, link, 1, 64, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_feature(dev, link, 65, 0, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_feature(dev, link, 0xffff, 2, 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_feature(dev, link, 60, 4, 0), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 4);
	test_close(dev);
}

static void test_set_full(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t telemetry[16], was[32];

	test_feature_uuid(dev, SIM_FEATURE_TELEMETRY, telemetry);
	test_get_feature(dev, telemetry, 0, 32, 0);
	memcpy(was, answer.data, 32);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 4, 2, "new", 3), CXL_RC_SUCCESS);
	test_get_feature(dev, telemetry, 0, 32, 0);
	assert_memory_equal(answer.data, was, 4);
	assert_memory_equal(answer.data + 4, "new", 3);
	assert_memory_equal(answer.data + 7, was + 7, 25);
	/* Neither default nor saved follow without being told. */
	test_get_feature(dev, telemetry, 0, 32, 1);
	assert_memory_equal(answer.data, was, 32);
	test_get_feature(dev, telemetry, 0, 32, 2);
	assert_memory_equal(answer.data, was, 32);
	assert_int_equal(test_set_feature(dev, telemetry, FULL | SAVE, 4, 2, "new", 3), 0);
	test_get_feature(dev, telemetry, 0, 32, 2);
	assert_memory_equal(answer.data + 4, "new", 3);
	test_close(dev);
}

static void test_set_refused(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t telemetry[16], verbosity[16], build[16];

	test_feature_uuid(dev, SIM_FEATURE_TELEMETRY, telemetry);
	test_feature_uuid(dev, SIM_FEATURE_VERBOSITY, verbosity);
	test_feature_uuid(dev, SIM_FEATURE_BUILD, build);
	assert_int_equal(test_set_feature(dev, any_uuid, FULL, 0, 1, "x", 1), CXL_RC_UNSUPPORTED);
	assert_int_equal(test_set_feature(dev, any_uuid, INITIATE, 0, 1, "x", 1),
			 CXL_RC_UNSUPPORTED);
	assert_int_equal(test_set_feature(dev, build, FULL, 0, 0, "x", 1), CXL_RC_UNSUPPORTED);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 0, 1, "x", 1),
			 CXL_RC_FEATURE_VERSION);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 0, 2, "x", 0),
			 CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 30, 2, "xyz", 3),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 0xffff, 2, "xyz", 3),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_feature(dev, telemetry, 5, 0, 2, "x", 1), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_feature(dev, verbosity, FULL | SAVE, 0, 1, "x", 1),
			 CXL_RC_INVALID_INPUT);
	test_close(dev);
}

static void test_set_waits_for_reset(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t link[16], was[64];

	test_feature_uuid(dev, SIM_FEATURE_LINK, link);
	test_get_feature(dev, link, 0, 64, 0);
	memcpy(was, answer.data, 64);
	assert_int_equal(test_set_feature(dev, link, FULL, 0, 1, "later", 5), CXL_RC_SUCCESS);
	test_get_feature(dev, link, 0, 64, 0);
	assert_memory_equal(answer.data, was, 64);
	test_get_feature(dev, link, 0, 64, 2);
	assert_memory_equal(answer.data, "later", 5);
	test_close(dev);
}

static void test_set_scrub(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t scrub[16], was[4];

	test_feature_uuid(dev, SIM_FEATURE_SCRUB, scrub);
	test_get_feature(dev, scrub, 0, 4, 0);
	memcpy(was, answer.data, 4);
	assert_int_equal(test_set_feature(dev, scrub, FULL, 0, 1, "\x0c\x01", 2), CXL_RC_SUCCESS);
	test_get_feature(dev, scrub, 0, 4, 0);
	assert_memory_equal(answer.data, ((uint8_t[]){ was[0], 12, was[2], 1 }), 4);
	test_close(dev);
}

static void test_parts(void **state)
{
	struct fwa_device *dev = test_open("honest");
	static uint8_t part[3][1024], was[2048];
	uint8_t calibration[16];

	memset(part[0], 'a', 1024);
	memset(part[1], 'b', 1024);
	memset(part[2], 'c', 1024);
	test_feature_uuid(dev, SIM_FEATURE_CALIBRATION, calibration);
	test_get_feature(dev, calibration, 0, 2048, 0);
	memcpy(was, answer.data, 2048);
	assert_int_equal(test_set_feature(dev, calibration, INITIATE, 0, 1, part[0], 1024), 0);
	assert_int_equal(test_set_feature(dev, any_uuid, CONTINUE, 1024, 1, part[1], 1024), 0);
	test_get_feature(dev, calibration, 0, 2048, 0);
	assert_memory_equal(answer.data, was, 2048); /* not before the end */
	assert_int_equal(test_set_feature(dev, calibration, FINISH, 2048, 1, part[2], 1024), 0);
	test_get_feature(dev, calibration, 0, 2048, 0);
	assert_memory_equal(answer.data, part[0], 1024);
	assert_memory_equal(answer.data + 1024, part[1], 1024);
	test_get_feature(dev, calibration, 2048, 2048, 0);
	assert_memory_equal(answer.data, part[2], 1024);
	assert_int_equal(test_set_feature(dev, any_uuid, CONTINUE, 3072, 1, part[2], 8),
			 CXL_RC_FEATURE_OUT_OF_ORDER);
	test_close(dev);
}

static void test_parts_out_of_order(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t calibration[16], telemetry[16], was[16];

	test_feature_uuid(dev, SIM_FEATURE_CALIBRATION, calibration);
	test_feature_uuid(dev, SIM_FEATURE_TELEMETRY, telemetry);
	test_get_feature(dev, calibration, 0, 16, 0);
	memcpy(was, answer.data, 16);
	for (uint32_t flags = CONTINUE; flags <= ABORT; flags++)
		assert_int_equal(test_set_feature(dev, any_uuid, flags, 0, 1, "x", 1),
				 CXL_RC_FEATURE_OUT_OF_ORDER);
	assert_int_equal(test_set_feature(dev, calibration, INITIATE, 0, 1, "part", 4), 0);
	assert_int_equal(test_set_feature(dev, calibration, INITIATE, 0, 1, "part", 4),
			 CXL_RC_FEATURE_IN_PROGRESS);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 0, 2, "x", 1),
			 CXL_RC_FEATURE_IN_PROGRESS);
	assert_int_equal(test_set_feature(dev, telemetry, CONTINUE, 4, 2, "x", 1),
			 CXL_RC_FEATURE_IN_PROGRESS);
	assert_int_equal(test_set_feature(dev, calibration, CONTINUE, 4, 9, "x", 1),
			 CXL_RC_FEATURE_VERSION);
	assert_int_equal(test_set_feature(dev, calibration, CONTINUE, 8, 1, "x", 1),
			 CXL_RC_FEATURE_OUT_OF_ORDER);
	/* ... which ended the transfer. */
	assert_int_equal(test_set_feature(dev, calibration, FINISH, 4, 1, "x", 1),
			 CXL_RC_FEATURE_OUT_OF_ORDER);
	assert_int_equal(test_set_feature(dev, calibration, INITIATE, 0, 1, "part", 4), 0);
	assert_int_equal(test_set_feature(dev, any_uuid, ABORT, 0, 1, "", 0), CXL_RC_SUCCESS);
	assert_int_equal(test_set_feature(dev, telemetry, FULL, 0, 2, "x", 1), CXL_RC_SUCCESS);
	test_get_feature(dev, calibration, 0, 16, 0);
	assert_memory_equal(answer.data, was, 16);
	test_close(dev);
}

static void test_parts_past_the_end(void **state)
{
	struct fwa_device *dev = test_open("honest,payload=8192");
	static const uint8_t part[SIM_FEATURE_MAX];
	uint8_t calibration[16];

	test_feature_uuid(dev, SIM_FEATURE_CALIBRATION, calibration);
	assert_int_equal(test_set_feature(dev, calibration, INITIATE, 0, 1, part, 4095), 0);
	assert_int_equal(test_set_feature(dev, calibration, CONTINUE, 4095, 1, part, 2),
			 CXL_RC_INVALID_INPUT);
	assert_int_equal(test_set_feature(dev, calibration, FINISH, 4095, 1, part, 1), 0);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set_full),
		cmocka_unit_test(test_set_refused),
		cmocka_unit_test(test_set_waits_for_reset),
		cmocka_unit_test(test_set_scrub),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_parts_out_of_order),
		cmocka_unit_test(test_parts_past_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
