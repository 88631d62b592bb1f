/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison, background work, erasing and passphrases.
 */
#include "transport/sim/sim.h"
#include "transport/sim/test-device.h"

#define ALL_LINES (SIM_CAPACITY / 64)

static uint16_t poison_count(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x4300, LE64(0), LE64(ALL_LINES)), CXL_RC_SUCCESS);
	return fwa_le16(answer.data + 10);
}

static uint32_t clear_poison(struct fwa_device *dev, uint64_t dpa)
{
	uint8_t in[72] = { LE64(dpa) };

	return test_send(dev, 0x4302, in, sizeof(in));
}

static uint32_t security_state(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	return fwa_le32(answer.data);
}

static uint32_t media_key(struct fwa_device *dev)
{
	assert_int_equal(SEND(dev, 0xc000, LE32(SIM_REGISTER_MEDIA_KEY)), CXL_RC_SUCCESS);
	return fwa_le32(answer.data);
}

static void test_poison(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(poison_count(dev), 1); /* it came so */
	assert_int_equal(SEND(dev, 0x4301, LE64(32)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4301, LE64(SIM_CAPACITY)), CXL_RC_INVALID_PA);
	assert_int_equal(SEND(dev, 0x4301, LE64(UINT64_MAX - 63)), CXL_RC_INVALID_PA);
	assert_int_equal(SEND(dev, 0x4301, LE64(128)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4301, LE64(128)), CXL_RC_SUCCESS); /* once is enough */
	assert_int_equal(SEND(dev, 0x4301, LE64(64)), CXL_RC_SUCCESS);
	assert_int_equal(poison_count(dev), 3);
	assert_int_equal(answer.len, 32 + 3 * 16);
	assert_int_equal(fwa_le64(answer.data + 32), 64 | 3);
	assert_int_equal(fwa_le64(answer.data + 48), 128 | 3);
	assert_int_equal(fwa_le32(answer.data + 56), 1);
	assert_int_equal(SEND(dev, 0x4300, LE64(64), LE64(1)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data + 10), 1);
	assert_int_equal(clear_poison(dev, 65), CXL_RC_INVALID_INPUT);
	assert_int_equal(clear_poison(dev, SIM_CAPACITY), CXL_RC_INVALID_PA);
	assert_int_equal(clear_poison(dev, 192), CXL_RC_SUCCESS); /* was not poisoned */
	assert_int_equal(clear_poison(dev, 64), CXL_RC_SUCCESS);
	assert_int_equal(poison_count(dev), 2);
	test_close(dev);
}

static void test_poison_ranges(void **state)
{
	struct fwa_device *dev = test_open("honest");

	for (uint16_t opcode = 0x4300; opcode <= 0x4303; opcode += 3) {
		assert_int_equal(SEND(dev, opcode, LE64(1), LE64(1)), CXL_RC_INVALID_INPUT);
		assert_int_equal(SEND(dev, opcode, LE64(0), LE64(0)), CXL_RC_INVALID_INPUT);
		assert_int_equal(SEND(dev, opcode, LE64(SIM_CAPACITY), LE64(1)), CXL_RC_INVALID_PA);
		assert_int_equal(SEND(dev, opcode, LE64(64), LE64(ALL_LINES)), CXL_RC_INVALID_PA);
		assert_int_equal(SEND(dev, opcode, LE64(64), LE64(1ull << 58)), CXL_RC_INVALID_PA);
		assert_int_equal(SEND(dev, opcode, LE64(0), LE64(ALL_LINES)), CXL_RC_SUCCESS);
	}
	assert_int_equal(answer.len, 4);
	test_close(dev);
}

static void test_poison_limit(void **state)
{
	struct fwa_device *dev = test_open("honest");

	for (uint64_t i = 0; i < SIM_POISON_LIMIT; i++)
		assert_int_equal(SEND(dev, 0x4301, LE64(64 * i)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4301, LE64(64 * 1000)), CXL_RC_POISON_LIMIT);
	assert_int_equal(clear_poison(dev, 0), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4301, LE64(64 * 1000)), CXL_RC_SUCCESS);
	test_close(dev);
}

static void test_poison_more_than_fits(void **state)
{
	struct fwa_device *dev = test_open("honest,payload=256");

	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(SEND(dev, 0x4301, LE64(64 * i)), CXL_RC_SUCCESS);
	assert_int_equal(poison_count(dev), 14);
	assert_int_equal(answer.data[0], 1);
	assert_int_equal(poison_count(dev), 7);
	assert_int_equal(answer.data[0], 0);
	assert_int_equal(fwa_le64(answer.data + 32), 14 * 64 | 3);
	assert_int_equal(poison_count(dev), 14); /* from the start again */
	assert_int_equal(SEND(dev, 0x4300, LE64(0), LE64(2)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(answer.data + 10), 2);
	assert_int_equal(poison_count(dev), 14); /* another request ended that list */
	test_close(dev);
}

static void test_sanitize(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=50");
	uint8_t percent, before = 0;

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_BACKGROUND);
	assert_int_equal(dev->ops->progress(dev, &percent), 1);
	assert_true(percent < 100);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_BUSY);
	assert_int_equal(SEND(dev, 0x4401), CXL_RC_BUSY);
	assert_int_equal(SEND(dev, 0x0202, 0, 1), CXL_RC_BUSY);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_MEDIA_DISABLED);
	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_MEDIA_DISABLED);
	assert_int_equal(SEND(dev, 0x4300, LE64(0), LE64(1)), CXL_RC_MEDIA_DISABLED);
	assert_int_equal(SEND(dev, 0x4200), CXL_RC_SUCCESS);
	while (dev->ops->progress(dev, &percent)) {
		assert_true(percent >= before && percent < 100);
		before = percent;
	}
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "\0\0\0\0\0", 5);
	assert_int_equal(poison_count(dev), 0);
	assert_int_equal(media_key(dev), 1);
	test_close(dev);
}

static void test_abort(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=60000");
	uint8_t percent;

	assert_int_equal(SEND(dev, 0x0005), CXL_RC_SUCCESS); /* nothing runs */
	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, 0x0005), CXL_RC_SUCCESS);
	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	test_close(dev);
}

/* Scan Media leaves the media within reach; what it found is handed out once. */
static void test_scan_media(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=50,payload=256");
	uint8_t percent;

	assert_int_equal(SEND(dev, 0x4305), CXL_RC_UNSUPPORTED);
	assert_int_equal(SEND(dev, 0x4304, LE64(32), LE64(20), 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4304, LE64(0), LE64(0), 0), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(dev, 0x4304, LE64(0), LE64(1ull << 58), 0), CXL_RC_INVALID_PA);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(SEND(dev, 0x4301, LE64(i * 64)), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4304, LE64(64), LE64(16), 0), CXL_RC_BACKGROUND);
	assert_int_equal(SEND(dev, 0x4304, LE64(64), LE64(16), 0), CXL_RC_BUSY);
	assert_int_equal(SEND(dev, 0x4305), CXL_RC_UNSUPPORTED);
	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	while (dev->ops->progress(dev, &percent))
		assert_true(percent < 100);
	assert_int_equal(SEND(dev, 0x4305), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[16], 1);
	assert_int_equal(fwa_le16(answer.data + 18), 14);
	assert_int_equal(fwa_le64(answer.data + 32), 64 | 3);
	assert_int_equal(SEND(dev, 0x4305), CXL_RC_SUCCESS);
	assert_int_equal(answer.data[16], 0);
	assert_int_equal(fwa_le16(answer.data + 18), 2);
	assert_int_equal(fwa_le64(answer.data + 32), 15 * 64 | 3);
	assert_int_equal(SEND(dev, 0x4305), CXL_RC_UNSUPPORTED);
	test_close(dev);
}

static void test_secure_erase(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4401), CXL_RC_SUCCESS);
	assert_int_equal(media_key(dev), 1);
	assert_int_equal(poison_count(dev), 0);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(SEND(dev, 0x4504), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4401), CXL_RC_SECURITY_STATE);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_SECURITY_STATE);
	assert_int_equal(media_key(dev), 1);
	test_close(dev);
}

static uint32_t passphrase(struct fwa_device *dev, uint16_t opcode, uint8_t type,
			   const char *current, const char *new)
{
	uint8_t in[96] = { type };

	memcpy(in + 32, current, strlen(current));
	if (new)
		memcpy(in + 64, new, strlen(new));
	return test_send(dev, opcode, in, new ? 96 : 64);
}

static uint32_t unlock(struct fwa_device *dev, const char *current)
{
	uint8_t in[32] = { 0 };

	memcpy(in, current, strlen(current));
	return test_send(dev, 0x4503, in, sizeof(in));
}

static void test_passphrase(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(security_state(dev), 0);
	assert_int_equal(passphrase(dev, 0x4501, 2, "", "one"), CXL_RC_INVALID_INPUT);
	assert_int_equal(passphrase(dev, 0x4502, 2, "", NULL), CXL_RC_INVALID_INPUT);
	assert_int_equal(passphrase(dev, 0x4502, 1, "", NULL), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4501, 1, "", "one"), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 1);
	assert_int_equal(passphrase(dev, 0x4501, 0, "", "master"), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 3);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4501, 1, "two", "two"), CXL_RC_PASSPHRASE);
	assert_int_equal(passphrase(dev, 0x4501, 1, "one", "two"), CXL_RC_SUCCESS);
	assert_int_equal(unlock(dev, "two"), CXL_RC_SECURITY_STATE); /* is not locked */
	assert_int_equal(passphrase(dev, 0x4502, 1, "one", NULL), CXL_RC_PASSPHRASE);
	assert_int_equal(passphrase(dev, 0x4502, 1, "two", NULL), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 2);
	test_close(dev);
}

static void test_locked(void **state)
{
	struct fwa_device *dev = test_open("honest,locked=1");

	assert_int_equal(security_state(dev), 1 | 4);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_MEDIA_DISABLED);
	assert_int_equal(SEND(dev, 0x4401), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4501, 1, "fwadmit", "x"), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4502, 1, "fwadmit", NULL), CXL_RC_SECURITY_STATE);
	assert_int_equal(unlock(dev, "wrong"), CXL_RC_PASSPHRASE);
	assert_int_equal(unlock(dev, "fwadmit"), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 1);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	test_close(dev);
}

static void test_passphrase_limit(void **state)
{
	struct fwa_device *dev = test_open("honest,locked=1");

	for (int i = 0; i < 3; i++)
		assert_int_equal(unlock(dev, "wrong"), CXL_RC_PASSPHRASE);
	assert_int_equal(unlock(dev, "fwadmit"), CXL_RC_SECURITY_STATE);
	assert_int_equal(security_state(dev), 1 | 4 | 0x10);
	test_close(dev);
}

static void test_passphrase_erase(void **state)
{
	struct fwa_device *dev = test_open("honest,locked=1");

	assert_int_equal(passphrase(dev, 0x4505, 2, "", NULL), CXL_RC_INVALID_INPUT);
	assert_int_equal(passphrase(dev, 0x4505, 0, "", NULL), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4505, 1, "wrong", NULL), CXL_RC_PASSPHRASE);
	assert_int_equal(passphrase(dev, 0x4505, 1, "fwadmit", NULL), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 0);
	assert_int_equal(media_key(dev), 1);
	assert_int_equal(poison_count(dev), 0);
	test_close(dev);
}

static void test_frozen(void **state)
{
	struct fwa_device *dev = test_open("honest,locked=1");

	assert_int_equal(SEND(dev, 0x4504), CXL_RC_SUCCESS);
	assert_int_equal(security_state(dev), 1 | 4 | 8);
	assert_int_equal(unlock(dev, "fwadmit"), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4501, 0, "", "x"), CXL_RC_SECURITY_STATE);
	assert_int_equal(passphrase(dev, 0x4505, 1, "fwadmit", NULL), CXL_RC_SECURITY_STATE);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poison),
		cmocka_unit_test(test_poison_ranges),
		cmocka_unit_test(test_poison_limit),
		cmocka_unit_test(test_poison_more_than_fits),
		cmocka_unit_test(test_sanitize),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_scan_media),
		cmocka_unit_test(test_secure_erase),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_passphrase_limit),
		cmocka_unit_test(test_passphrase_erase),
		cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
