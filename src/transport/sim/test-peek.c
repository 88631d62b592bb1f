/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is seen past the mailbox: media as commands leave it, status registers, what is behind a reply.
 */
#include <errno.h>

#include "transport/sim/sim.h"
#include "transport/sim/test-device.h"

static uint8_t line[SIM_LINE_LEN];

static int peek(struct fwa_device *dev, uint64_t dpa)
{
	memset(line, 0x11, sizeof(line));
	return dev->ops->peek(dev, FWA_REGION_MEDIA, dpa, line, sizeof(line));
}

static int poke(struct fwa_device *dev, uint64_t dpa, const char *text)
{
	return dev->ops->poke(dev, FWA_REGION_MEDIA, dpa, fwa_span(text, strlen(text)));
}

static bool all(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(line); i++)
		if (line[i] != byte)
			return false;
	return true;
}

static void assert_holds(struct fwa_device *dev, uint64_t dpa, const char *text)
{
	assert_int_equal(peek(dev, dpa), 0);
	assert_memory_equal(line, text, strlen(text));
}

static void assert_all(struct fwa_device *dev, uint64_t dpa, uint8_t byte)
{
	assert_int_equal(peek(dev, dpa), 0);
	assert_true(all(byte));
}

static uint32_t clear_poison(struct fwa_device *dev, uint64_t dpa, const char *text)
{
	uint8_t in[72] = { LE64(dpa) };

	memcpy(in + 8, text, strlen(text));
	return test_send(dev, 0x4302, in, sizeof(in));
}

static void test_media(void **state)
{
	struct fwa_device *dev = test_open("honest");
	uint8_t two[2 * SIM_LINE_LEN];

	assert_all(dev, 0, 0);
	assert_int_equal(poke(dev, 4096 + 60, "over two"), 0);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_MEDIA, 4096, two, sizeof(two)), 0);
	assert_memory_equal(two + 60, "over two", 8);
	assert_int_equal(two[59] | two[68], 0);
	assert_holds(dev, 4096 + 61, "ver two");
	assert_int_equal(poke(dev, 4096 + 64, "OVER"), 0);
	assert_holds(dev, 4096 + 60, "overOVER");
	assert_int_equal(peek(dev, SIM_CAPACITY - 64), 0);
	assert_int_equal(peek(dev, SIM_CAPACITY - 63), -ERANGE);
	assert_int_equal(peek(dev, UINT64_MAX), -ERANGE);
	assert_int_equal(poke(dev, SIM_CAPACITY - 1, "no"), -ERANGE);
	test_close(dev);
}

/* Bounded memory, and no line that is forgotten in silence. */
static void test_room(void **state)
{
	struct fwa_device *dev = test_open("honest");
	char text[16];

	for (uint64_t i = SIM_LINES_MAX; i; i--) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
		assert_int_equal(poke(dev, i * 8192, text), 0);
	}
	assert_int_equal(poke(dev, 64, "more"), -ENOSPC);
	assert_int_equal(clear_poison(dev, 64, "more"), CXL_RC_RESOURCES);
	assert_all(dev, 64, 0);
	assert_int_equal(poke(dev, 8192, "other"), 0); /* there is a line for it */
	assert_holds(dev, 8192, "other");
	assert_holds(dev, 2 * 8192, "2");
	assert_int_equal(SEND(dev, 0x4401), CXL_RC_SUCCESS);
	assert_int_equal(poke(dev, 64, "more"), 0);
	test_close(dev);
}

static void test_poison(void **state)
{
	struct fwa_device *dev = test_open("honest");

	assert_int_equal(poke(dev, 128, "data"), 0);
	assert_int_equal(SEND(dev, 0x4301, LE64(128)), CXL_RC_SUCCESS);
	assert_all(dev, 128, 0xff);
	assert_int_equal(clear_poison(dev, 128, "new"), CXL_RC_SUCCESS);
	assert_holds(dev, 128, "new");
	assert_int_equal(line[3], 0);
	assert_int_equal(clear_poison(dev, 192, "it writes"), CXL_RC_SUCCESS);
	assert_holds(dev, 192, "it writes");
	test_close(dev);
}

static void until_idle(struct fwa_device *dev)
{
	uint8_t percent;

	while (dev->ops->progress(dev, &percent))
		;
}

static void test_erase(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=20"), *other = test_open("honest");
	uint8_t first[SIM_LINE_LEN];

	for (unsigned int i = 0; i < 2; i++) {
		struct fwa_device *d = i ? other : dev;

		assert_int_equal(poke(d, 128, "secret"), 0);
		assert_int_equal(SEND(d, 0x4401), CXL_RC_SUCCESS); /* Secure Erase: another key */
		assert_int_equal(peek(d, 128), 0);
		assert_memory_not_equal(line, "secret", 6);
		assert_false(all(line[0]));
		if (i)
			assert_memory_equal(line, first,
					    sizeof(line)); /* the same device, the same noise */
		memcpy(first, line, sizeof(line));
		assert_int_equal(peek(d, 1 << 20), 0);
		assert_false(all(line[0]));
		assert_memory_not_equal(line, first, sizeof(line));
	}
	assert_int_equal(poke(dev, 128, "secret"), 0);
	assert_int_equal(SEND(dev, 0x4400), CXL_RC_BACKGROUND); /* Sanitize: written over */
	assert_int_equal(peek(dev, 128), -EACCES);
	assert_int_equal(poke(dev, 128, "x"), -EACCES);
	until_idle(dev);
	assert_all(dev, 128, 0);
	assert_all(dev, 1 << 20, 0);
	test_close(dev);
	test_close(other);
}

static void test_partitions(void **state)
{
	struct fwa_device *dev = test_open("honest");
	const uint64_t unit = SIM_CAPACITY_UNIT;

	for (uint64_t i = 0; i < SIM_CAPACITY_UNITS; i++)
		assert_int_equal(poke(dev, i * unit, "data"), 0);
	assert_int_equal(SEND(dev, 0x4101, LE64(1ull), 1), CXL_RC_SUCCESS); /* was 2, at once */
	assert_holds(dev, 0, "data");
	assert_all(dev, unit, 0); /* was volatile, is persistent */
	assert_holds(dev, 2 * unit, "data");
	assert_int_equal(SEND(dev, 0x4101, LE64(3ull), 0), CXL_RC_SUCCESS); /* after a reset */
	assert_holds(dev, 2 * unit, "data");
	assert_holds(dev, 3 * unit, "data");
	test_close(dev);
}

static void test_locked(void **state)
{
	struct fwa_device *dev = test_open("honest,locked=1");
	uint8_t registers[24], in[32] = "fwadmit";

	assert_int_equal(peek(dev, 0), -EACCES);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, registers, 24), 0);
	assert_int_equal(registers[0], 3 << 2 | 1 << 4); /* disabled, mailbox ready */
	assert_int_equal(test_send(dev, 0x4503, in, sizeof(in)), CXL_RC_SUCCESS);
	assert_int_equal(peek(dev, 0), 0);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, registers, 1), 0);
	assert_int_equal(registers[0], 1 << 2 | 1 << 4);
	test_close(dev);
}

static void test_registers(void **state)
{
	struct fwa_device *dev = test_open("honest,bg-ms=50");
	uint8_t r[24];

	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, r, 25), -ERANGE);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 24, r, 1), -ERANGE);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_REGISTERS, 0, fwa_span(r, 1)), -EOPNOTSUPP);
	assert_int_equal(SEND(dev, 0x4304, LE64(0), LE64(16), 0), CXL_RC_BACKGROUND);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 0, r, 24), 0);
	assert_int_equal(r[8], 1);
	assert_int_equal(fwa_le16(r + 12), CXL_RC_BACKGROUND);
	assert_int_equal(fwa_le16(r + 16), 0x4304);
	assert_true(r[18] < 100);
	assert_int_equal(SEND(dev, 0x0005), CXL_RC_SUCCESS);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 8, r + 8, 16), 0);
	assert_int_equal(r[8], 0);
	assert_int_equal(fwa_le16(r + 12), CXL_RC_SUCCESS);
	assert_int_equal(fwa_le16(r + 16), 0x4304);
	assert_int_equal(fwa_le16(r + 20), CXL_RC_ABORTED);
	assert_int_equal(SEND(dev, 0x4304, LE64(0), LE64(16), 0), CXL_RC_BACKGROUND);
	until_idle(dev);
	assert_int_equal(dev->ops->peek(dev, FWA_REGION_REGISTERS, 16, r + 16, 8), 0);
	assert_int_equal(r[18], 100);
	assert_int_equal(fwa_le16(r + 20), CXL_RC_SUCCESS);
	test_close(dev);
}

static int peek_beyond(struct fwa_device *dev, size_t len, bool *ret_clean)
{
	uint8_t got[4096];
	int r;

	assert_true(len <= sizeof(got));
	memset(got, 0xee, sizeof(got));
	r = dev->ops->peek(dev, FWA_REGION_BEYOND, 0, got, len);
	*ret_clean = true;
	for (size_t i = 0; i < len; i++)
		*ret_clean &= !got[i];
	return r;
}

/* Writes four bytes behind each reply. */
static int overrun(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	memcpy(s->payload + c->reported, "more", 4);
	return code;
}

static void test_beyond(void **state)
{
	struct fwa_device *dev = test_open("honest");
	struct sim *s = (struct sim *)dev;
	struct sim_personality liar = *s->personality;
	bool clean;

	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 1024), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	assert_int_equal(peek_beyond(dev, 2048 - 4, &clean), 0);
	assert_true(clean); /* though a longer reply was there before */
	assert_int_equal(peek_beyond(dev, 2048 - 3, &clean), -ERANGE);
	assert_int_equal(test_get_log(dev, CXL_UUID_VENDOR_DEBUG, 0, 1024), CXL_RC_SUCCESS);
	assert_int_equal(peek_beyond(dev, 1024, &clean), 0);
	assert_true(clean);
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	assert_int_equal(peek_beyond(dev, 2048 - 4, &clean), 0);
	assert_true(clean);
	assert_int_equal(SEND(dev, 0x4500, 1), CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(peek_beyond(dev, 2048, &clean), 0);
	assert_true(clean);
	liar.command = overrun;
	s->personality = &liar;
	assert_int_equal(SEND(dev, 0x4500), CXL_RC_SUCCESS);
	assert_int_equal(answer.len, 4);
	assert_int_equal(peek_beyond(dev, 2048 - 4, &clean), 0);
	assert_false(clean);
	assert_int_equal(dev->ops->poke(dev, FWA_REGION_BEYOND, 0, fwa_span("", 1)), -EOPNOTSUPP);
	test_close(dev);
}

static void test_gone(void **state)
{
	struct fwa_device *dev = test_open("gone,after=0");

	assert_int_equal(peek(dev, 0), 0);
	assert_int_equal(SEND(dev, 0x4500), 0x10000);
	assert_int_equal(peek(dev, 0), -ENODEV);
	assert_int_equal(poke(dev, 0, "x"), -ENODEV);
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_media),      cmocka_unit_test(test_room),
		cmocka_unit_test(test_poison),     cmocka_unit_test(test_erase),
		cmocka_unit_test(test_partitions), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_registers),  cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
