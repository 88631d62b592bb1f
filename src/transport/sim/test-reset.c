/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is put off until a reset is there after the right one, and nothing else is lost.
 */
#include <errno.h>

#include "transport/sim/sim.h"
#include "transport/sim/test-device.h"

#define SAVE (1u << 3)

static void reset(struct fwa_device *dev, enum fwa_reset kind)
{
	assert_int_equal(dev->ops->reset(dev, kind, 1000), 0);
}

static uint8_t feature_byte(struct fwa_device *dev, const uint8_t *uuid, uint8_t selection)
{
	assert_int_equal(test_get_feature(dev, uuid, 0, 1, selection), CXL_RC_SUCCESS);
	return answer.data[0];
}

static void test_features(void **state)
{
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++) {
		struct fwa_device *dev = test_open("honest");
		uint8_t link[16], calibration[16], verbosity[16], is, other, value;

		test_feature_uuid(dev, SIM_FEATURE_LINK, link);
		test_feature_uuid(dev, SIM_FEATURE_CALIBRATION, calibration);
		test_feature_uuid(dev, SIM_FEATURE_VERBOSITY, verbosity);

		/* One that waits. */
		is = feature_byte(dev, link, SIM_CURRENT);
		value = (uint8_t)~is;
		assert_int_equal(test_set_feature(dev, link, 0, 0, 1, &value, 1), CXL_RC_SUCCESS);
		assert_int_equal(feature_byte(dev, link, SIM_CURRENT), is);
		reset(dev, kind);
		assert_int_equal(feature_byte(dev, link, SIM_CURRENT), value);

		/* One that does not, saved and not. */
		is = feature_byte(dev, calibration, SIM_CURRENT);
		value = (uint8_t)~is;
		assert_int_equal(test_set_feature(dev, calibration, SAVE, 0, 1, &value, 1), 0);
		other = (uint8_t)(value + 1);
		assert_int_equal(test_set_feature(dev, calibration, 0, 0, 1, &other, 1), 0);
		assert_int_equal(feature_byte(dev, calibration, SIM_CURRENT), other);
		reset(dev, kind);
		assert_int_equal(feature_byte(dev, calibration, SIM_CURRENT), value);

		/* One that cannot be saved. */
		is = feature_byte(dev, verbosity, SIM_CURRENT);
		value = (uint8_t)~is;
		assert_int_equal(test_set_feature(dev, verbosity, 0, 0, 1, &value, 1), 0);
		reset(dev, kind);
		assert_int_equal(feature_byte(dev, verbosity, SIM_CURRENT), is);

		/* A transfer that was begun is over. */
		assert_int_equal(test_set_feature(dev, link, 1, 0, 1, &value, 1), CXL_RC_SUCCESS);
		reset(dev, kind);
		assert_int_equal(test_set_feature(dev, link, 1, 0, 1, &value, 1), CXL_RC_SUCCESS);
		test_close(dev);
	}
}

static uint64_t volatile_units(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x4100), CXL_RC_SUCCESS);
	return fwa_le64(answer.data);
}

static void test_partition(void **state)
{
	struct fwa_device *dev = test_open("honest");
	const uint64_t persistent = 3 * SIM_CAPACITY_UNIT;
	uint8_t got[4];

	assert_int_equal(SEND(dev, 0x4101, LE64(1ull), 0), CXL_RC_SUCCESS);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_MEDIA, 0, fwa_span("gone", 4)), 0);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_MEDIA, persistent, fwa_span("kept", 4)), 0);
	reset(dev, FWA_RESET_CXL);
	reset(dev, FWA_RESET_CONVENTIONAL);
	assert_int_equal(volatile_units(dev), 2);
	assert_int_equal(fwa_le64(answer.data + 16), 1);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 0, got, 4), 0);
	assert_memory_equal(got, "gone", 4);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(volatile_units(dev), 1);
	assert_int_equal(fwa_le64(answer.data + 16), 0);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 0, got, 4), 0);
	assert_memory_equal(got, "\0\0\0\0", 4); /* volatile */
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, persistent, got, 4), 0);
	assert_memory_equal(got, "kept", 4);
	test_close(dev);
}

static uint8_t active_slot(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x0200), CXL_RC_SUCCESS);
	return answer.data[1];
}

static void test_firmware(void **state)
{
	struct fwa_device *dev = test_open("honest,undeclare=0x4301");
	uint8_t package[128] = "SIMFWPKG", cel[4096];
	uint32_t len;

	/* It declares Inject Poison once it is active (change.c). */
	package[8] = 1 << 2;
	fwa_put_le16(package + 12, 0x4301);
	fwa_put_le16(package + 14, 0x0004);
	memcpy(package + 16, "2.0", 3);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, sizeof(package)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0202, 1, 2), CXL_RC_SUCCESS);
	assert_int_equal(active_slot(dev), 1 | 2 << 3);
	assert_int_equal(SEND(dev, 0x0400), CXL_RC_SUCCESS);
	len = fwa_le32(answer.data + 8 + 16);
	reset(dev, FWA_RESET_CXL);
	reset(dev, FWA_RESET_CONVENTIONAL);
	assert_int_equal(active_slot(dev), 1 | 2 << 3);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(active_slot(dev), 2);
	assert_int_equal(SEND(dev, 0x0400), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data + 8 + 16), len + 4);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, len, 4), CXL_RC_SUCCESS);
	memcpy(cel, answer.data, 4);
	assert_memory_equal(cel, "\x01\x43\x04\x00", 4);
	/* A transfer that was begun is over. */
	assert_int_equal(test_transfer_fw(dev, 1, 1, 0, package, sizeof(package)), CXL_RC_SUCCESS);
	reset(dev, FWA_RESET_CXL);
	assert_int_equal(test_transfer_fw(dev, 1, 1, 0, package, sizeof(package)), CXL_RC_SUCCESS);
	test_close(dev);
}

static uint64_t timestamp(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x0300), CXL_RC_SUCCESS);
	return fwa_le64(answer.data);
}

static uint8_t shutdown_state(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x4203), CXL_RC_SUCCESS);
	return answer.data[0];
}

static uint8_t interrupts(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x0102), CXL_RC_SUCCESS);
	return answer.data[0];
}

static void test_what_a_host_sets_anew(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(SEND(dev, 0x0301, LE64(1000ull)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4204, 1), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x0103, 1, 0, 0, 0), CXL_RC_SUCCESS);
	reset(dev, FWA_RESET_CXL);
	assert_true(timestamp(dev) >= 1000);
	assert_int_equal(interrupts(dev), 1);
	reset(dev, FWA_RESET_CONVENTIONAL);
	assert_int_equal(timestamp(dev), 0);
	assert_int_equal(interrupts(dev), 0);
	assert_int_equal(shutdown_state(dev), 1);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(shutdown_state(dev), 0);
	test_close(dev);
}

static uint32_t security_state(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	return fwa_le32(answer.data);
}

static void test_security(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t in[96] = { 1 };

	assert_int_equal(SEND(dev, 0x4504), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 8);
	reset(dev, FWA_RESET_CONVENTIONAL);
	assert_int_equal(security_state(dev), 8);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(security_state(dev), 0);
	memcpy(in + 64, "word", 4);
	assert_int_equal(test_send(dev, 0x4501, in, sizeof(in)), CXL_RC_SUCCESS);
	reset(dev, FWA_RESET_CONVENTIONAL);
	assert_int_equal(security_state(dev), 1);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(security_state(dev), 1 | 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(test_send(dev, 0x4503, "                                ", 32),
				 CXL_RC_PASSPHRASE);
	assert_int_equal(security_state(dev), 1 | 4 | 0x10);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(security_state(dev), 1 | 4);
	assert_int_equal(test_send(dev, 0x4503, in + 64, 32), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 1);
	test_close(dev);
}

static void test_background(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=600000");
	uint8_t percent, registers[24];

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4304, LE64(0), LE64(16), 0), CXL_RC_BACKGROUND);
	reset(dev, FWA_RESET_CXL);
	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	assert_int_equal(SEND(dev, 0x4305), CXL_RC_UNSUPPORTED); /* came to nothing */
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_BACKGROUND);
	reset(dev, FWA_RESET_CXL);
	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "\0\0\0\0\0", 5); /* a sanitize does not stop half way */
	assert_int_equal(SEND(dev, 0xc000, LE32(SIM_REGISTER_MEDIA_KEY)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data), 1);
	reset(dev, FWA_RESET_CXL);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, registers, 24), 0);
	assert_memory_equal(registers + 8, (const uint8_t[16]){ 0 }, 16);
	test_close(dev);
}

static void test_what_stays(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t alerts[12] = { 1, 1, 10 };

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4301, LE64(128ull)), CXL_RC_SUCCESS);
	assert_int_equal(test_send(dev, 0x4202, alerts, sizeof(alerts)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0xc001, LE32(SIM_REGISTER_FIRST_WRITABLE), LE32(77)), 0);
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++)
		reset(dev, kind);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(SEND(dev, 0x4300, LE64(0), LE64(SIM_CAPACITY / 64)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data + 10), 2);
	assert_int_equal(SEND(dev, 0x4201), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[0], 1);
	assert_int_equal(SEND(dev, 0xc000, LE32(SIM_REGISTER_FIRST_WRITABLE)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data), 77);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_COUNT, 1), -EOPNOTSUPP);
	test_close(dev);
}

static void test_dead_devices(void **state)
{
	struct fwa_device *dev = test_open("hang");

	assert_int_equal(SEND(dev, 0x4200), 0x10000);
	assert_int_equal(SEND(dev, 0x4500), 0x10000);
	reset(dev, FWA_RESET_COLD);
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	test_close(dev);
	dev = test_open("gone,after=0");
	assert_int_equal(SEND(dev, 0x4500), 0x10000);
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_COLD, 1), -ENODEV);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),   cmocka_unit_test(test_partition),
		cmocka_unit_test(test_firmware),   cmocka_unit_test(test_what_a_host_sets_anew),
		cmocka_unit_test(test_security),   cmocka_unit_test(test_background),
		cmocka_unit_test(test_what_stays), cmocka_unit_test(test_dead_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
