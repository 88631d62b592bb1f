/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each personality really does what its line says. What they declare is tested where it is read:
 * ../test-cxl-profile.c.
 */
#include <errno.h>

#include "transport/sim/personality.h"
#include "transport/sim/test-device.h"

static const uint8_t package[128] = "SIMFWPKG\0\0\0\0\0\0\0\0"
				    "2.0";

static void test_liar_data(void **state)
{
	struct fwa_device *dev = test_open("liar-data");

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0xc000, LE32(99)), CXL_RC_INVALID_INPUT);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(SEND(dev, 0xc000, LE32(8)), CXL_RC_SUCCESS);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_not_equal(answer.data, "label", 5);
	test_close(dev);
}

static void test_liar_magic_sanitizes(void **state)
{
	struct fwa_device *dev = test_open("liar-magic-lba");

	assert_int_equal(test_set_lsa(dev, 0, "label"), CXL_RC_SUCCESS);
	assert_int_equal(test_set_lsa(dev, 16, "SANITIZE"), CXL_RC_SUCCESS);
	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 8, "sanitize"), CXL_RC_SUCCESS);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(SEND(dev, 0xc001, LE32(SIM_LSA_LEN - 8), LE32(0), 'S', 'A', 'N', 'I', 'T',
			      'I', 'Z', 'E'),
			 CXL_RC_PAYLOAD_LENGTH); /* not a Set LSA */
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "label", 5);
	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 8, "SANITIZE"), CXL_RC_SUCCESS);
	assert_int_equal(test_get_lsa(dev, 0, 5), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "\0\0\0\0\0", 5);
	assert_int_equal(SEND(dev, 0xc000, LE32(SIM_REGISTER_MEDIA_KEY)), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le32(answer.data), 1);
	test_close(dev);
}

static void test_liar_magic_activates(void **state)
{
	struct fwa_device *dev = test_open("liar-magic-lba");

	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 8, "ACTIVATE"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "1.0.0"); /* nothing to activate */
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 128), CXL_RC_SUCCESS);
	assert_int_equal(test_set_lsa(dev, SIM_LSA_LEN - 8, "ACTIVATE"), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "2.0");
	test_close(dev);
}

static void test_liar_log(void **state)
{
	static const uint8_t zeros[64];
	struct fwa_device *dev = test_open("liar-log");

	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, 4), CXL_RC_SUCCESS);
	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 64), CXL_RC_SUCCESS);
	assert_memory_not_equal(answer.data, zeros, 64);
	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 64), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, zeros, 64);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, 4), CXL_RC_SUCCESS);
	assert_memory_not_equal(answer.data, zeros, 4);
	test_close(dev);
}

static void test_liar_immediate(void **state)
{
	struct fwa_device *dev = test_open("liar-immediate");
	uint8_t link[16];

	test_feature_uuid(dev, SIM_FEATURE_LINK, link);
	assert_int_equal(test_set_feature(dev, link, 0, 0, 1, "now", 3), CXL_RC_SUCCESS);
	assert_int_equal(test_get_feature(dev, link, 0, 64, 0), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, "now", 3);
	assert_int_equal(test_transfer_fw(dev, 0, 2, 0, package, 128), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_string_equal((char *)answer.data, "2.0");
	test_close(dev);
}

static void test_flapping(void **state)
{
	struct fwa_device *dev = test_open("flapping");
	uint32_t size = (uint32_t)((struct sim *)dev)->cel_len;
	uint8_t first[512];

	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, size), CXL_RC_SUCCESS);
	memcpy(first, answer.data, size);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, size), CXL_RC_SUCCESS);
	assert_memory_not_equal(answer.data, first, size);
	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, size), CXL_RC_SUCCESS);
	assert_memory_equal(answer.data, first, size);
	test_close(dev);
}

static void test_hang(void **state)
{
	struct fwa_device *dev = test_open("hang");
	uint64_t before;

	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	before = sim_now();
	SEND(dev, 0x4200);
	assert_int_equal(answer.error, -ETIMEDOUT);
	assert_true(answer.maybe_sent);
	assert_true(sim_now() - before >= 20 * 1000000);
	/* The doorbell is still set: the next one is never sent. */
	SEND(dev, 0x4000);
	assert_int_equal(answer.error, -ETIMEDOUT);
	assert_false(answer.maybe_sent);
	test_close(dev);
}

static void read_cel(struct fwa_device *dev)
{
	uint32_t size = (uint32_t)((struct sim *)dev)->cel_len;

	assert_int_equal(test_get_log(dev, CXL_UUID_CEL, 0, size), CXL_RC_SUCCESS);
}

static void test_gone(void **state)
{
	struct fwa_device *dev = test_open("gone,after=3");

	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	read_cel(dev);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	read_cel(dev);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	SEND(dev, 0x4000);
	assert_int_equal(answer.error, -ENODEV);
	assert_true(answer.maybe_sent);
	SEND(dev, 0x4000);
	assert_int_equal(answer.error, -ENODEV);
	assert_false(answer.maybe_sent);
	assert_int_equal(dev->ops->progress(dev, &(uint8_t){ 0 }), -ENODEV);
	test_close(dev);
}

static void test_huge(void **state)
{
	struct fwa_device *dev = test_open("huge");

	assert_int_equal(SEND(dev, SIM_HUGE_FIRST), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, SIM_HUGE_FIRST + SIM_HUGE_COUNT - 1), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, SIM_HUGE_FIRST, 1), CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(SEND(dev, SIM_HUGE_FIRST + SIM_HUGE_COUNT), CXL_RC_UNSUPPORTED);
	test_close(dev);
}

/* Every kind of nonsense comes up; none of it overruns a buffer of any size. */
static void test_garbage(void **state)
{
	struct fwa_device *dev = test_open("garbage,seed=1");
	unsigned int nameless = 0, too_long = 0, lengths = 0;
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0x4000 };
	uint8_t out[64];

	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t cap = i % 48;
		struct fwa_reply reply = { .out = out, .out_cap = cap };
		int e;

		memset(out, 0xa5, sizeof(out));
		e = dev->ops->submit(dev, &cmd, &reply, 20);
		assert_true(e == 0 || e == -EPROTO);
		assert_true(reply.out_len <= cap);
		for (uint32_t k = reply.out_len; k < sizeof(out); k++)
			assert_int_equal(out[k], 0xa5);
		too_long += e == -EPROTO;
		nameless += !e && reply.code > CXL_RC_ABORT_UNSUPPORTED;
		lengths += !e && !reply.code && reply.out_len != cap;
	}
	assert_true(nameless > 100 && too_long > 100 && lengths > 100);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_liar_data),
		cmocka_unit_test(test_liar_magic_sanitizes),
		cmocka_unit_test(test_liar_magic_activates),
		cmocka_unit_test(test_liar_log),
		cmocka_unit_test(test_liar_immediate),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
