/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The liars beside an honest device with the same seed, given the same commands: answers and state are
 * the same until the lie, and then just that differs which it is about.
 *
 * The older ones' lies are tested in test-personality.c, their honesty here.
 */
#include "transport/sim/test-state.h"

static struct fwa_device *liar, *honest;

static void open_both(const char *personality)
{
	char what[128];

	snprintf(what, sizeof(what), "%s,bg-ms=0", personality);
	liar = test_open(what);
	honest = test_open("honest,bg-ms=0");
}

static void close_both(void)
{
	test_close(liar);
	test_close(honest);
}

/* What is not the same. */
static const char *lie(void)
{
	return test_differ((struct sim *)liar, (struct sim *)honest);
}

/* Sends to both, and expects one answer. The code. */
static uint32_t both(uint16_t opcode, const void *in, size_t len)
{
	struct test_answer honest_answer;

	test_send(honest, opcode, in, len);
	honest_answer = answer;
	test_send(liar, opcode, in, len);
	assert_int_equal(answer.error, honest_answer.error);
	assert_int_equal(answer.code, honest_answer.code);
	assert_int_equal(answer.len, honest_answer.len);
	assert_memory_equal(answer.data, honest_answer.data, sizeof(answer.data));
	return answer.code;
}

#define BOTH(opcode, ...)                                       \
	both(opcode, (const uint8_t[]){ 0, ##__VA_ARGS__ } + 1, \
	     sizeof((const uint8_t[]){ 0, ##__VA_ARGS__ }) - 1)

/* A command on a log: its UUID, and what follows. */
static uint32_t both_log(uint16_t opcode, const uint8_t *uuid, uint32_t offset, uint32_t length)
{
	uint8_t in[CXL_GET_LOG_LEN];

	memcpy(in, uuid, 16);
	fwa_put_le32(in + 16, offset);
	fwa_put_le32(in + 20, length);
	return both(opcode, in, opcode == CXL_OP_GET_LOG ? sizeof(in) : 16);
}

static uint32_t both_set_lsa(uint32_t offset, const char *text)
{
	uint8_t in[64] = { LE32(offset) };

	memcpy(in + 8, text, strlen(text));
	return both(SIM_OP_SET_LSA, in, 8 + strlen(text));
}

static uint32_t both_set_feature(enum sim_feature_id id, uint32_t flags, uint16_t offset,
				 const void *data, size_t len)
{
	const struct sim_feature *f = &((struct sim *)liar)->feature[id];
	uint8_t in[256] = { 0 };

	memcpy(in, f->uuid, 16);
	fwa_put_le32(in + 16, flags);
	fwa_put_le16(in + 20, offset);
	in[22] = f->set_version;
	memcpy(in + CXL_SET_FEATURE_HEADER_LEN, data, len);
	return both(CXL_OP_SET_FEATURE, in, CXL_SET_FEATURE_HEADER_LEN + len);
}

/* --- where they are honest ---------------------------------------------------------------------- */

/* What each one must not be given, as it lies then; what it says of itself is not compared. */
static const struct {
	const char *personality;
	uint16_t without[3];
	bool declares; /* another CEL */
} rows[] = {
	{ "liar-data", { SIM_OP_VENDOR_READ }, true },
	{ "liar-magic-lba", { SIM_OP_SET_LSA } },
	{ "liar-log", { CXL_OP_GET_LOG } },
	{ "liar-immediate", { CXL_OP_SET_FEATURE, CXL_OP_TRANSFER_FW } },
	{ "liar-config", { SIM_OP_SET_SHUTDOWN } },
	{ "liar-selector", { SIM_OP_GET_LOG_CAPS } },
	{ "liar-sequence", { SIM_OP_GET_TIMESTAMP } },
	{ "liar-count", { SIM_OP_GET_SCAN_CAPS } },
	{ "liar-failure", { SIM_OP_GET_EVENTS } },
	{ "liar-wedge", { SIM_OP_GET_SCAN_CAPS } },
	{ "liar-security", { SIM_OP_FREEZE, CXL_OP_GET_SUPPORTED_LOGS, CXL_OP_GET_LOG }, true },
	{ "liar-hidden", { SIM_OP_HIDDEN } },
	{ "liar-trigger", { CXL_OP_SET_FEATURE } },
	{ "liar-background", { SIM_OP_SECURE_ERASE } },
	{ "liar-overrun", { 0 } },
	{ "liar-cel", { CXL_OP_GET_LOG } },
};

static bool is_left_out(size_t row, uint16_t opcode)
{
	bool out = opcode == 0x0301; /* two devices are not set to the same nanosecond */

	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows[row].without); i++)
		out |= opcode == rows[row].without[i];
	return out;
}

static void stay_the_same(size_t row)
{
	struct test_draw d = { .random = row };
	uint8_t percent;

	open_both(rows[row].personality);
	for (unsigned int i = 0; i < 1500; i++) {
		test_draw(&d, (struct sim *)honest);
		if (is_left_out(row, d.opcode))
			continue;
		/* Firmware that says what is declared is another matter. */
		if (d.opcode == CXL_OP_TRANSFER_FW)
			memset(d.in + 136, 0, 4);
		if (rows[row].declares && d.opcode == CXL_OP_GET_LOG)
			continue;
		both(d.opcode, d.in, d.len);
		assert_int_equal(liar->ops->progress(liar, &percent), 0);
		assert_int_equal(honest->ops->progress(honest, &percent), 0);
		assert_string_equal(lie(), rows[row].declares ? "cel" : "");
	}
	close_both();
}

static void test_honest_otherwise(void **state)
{
	size_t liars = 0;
	const char *name, *about;

	for (size_t row = 0; row < FWA_ARRAY_SIZE(rows); row++)
		stay_the_same(row);
	/* No CXL liar is left out; liar-spec lies in what it declares alone. */
	for (size_t i = 0; fwa_sim_personality(i, &name, &about); i++)
		liars += strncmp(name, "liar-", 5) == 0 && strncmp(name, "liar-nvme-", 10) != 0;
	assert_int_equal(liars, FWA_ARRAY_SIZE(rows) + 1);
}

/* --- where they lie ----------------------------------------------------------------------------- */

static void test_config(void **state)
{
	open_both("liar-config");
	assert_int_equal(BOTH(SIM_OP_SET_SHUTDOWN, 2), CXL_RC_INVALID_INPUT);
	assert_string_equal(lie(), "");
	for (uint8_t dirty = 0; dirty < 2; dirty++) {
		const struct sim *s = (struct sim *)liar;

		assert_int_equal(BOTH(SIM_OP_SET_SHUTDOWN, dirty), CXL_RC_SUCCESS);
		assert_int_equal(s->value[SIM_CURRENT][SIM_FEATURE_SCRUB][SIM_SCRUB_ENABLED] & 1,
				 dirty);
		/* One of the two is what it was. */
		assert_true(!strcmp(lie(), "") || !strcmp(lie(), "current-0"));
	}
	close_both();
}

static void test_selector(void **state)
{
	open_both("liar-selector");
	assert_int_equal(both_log(SIM_OP_GET_LOG_CAPS, CXL_UUID_CEL, 0, 0), CXL_RC_SUCCESS);
	assert_int_equal(BOTH(SIM_OP_GET_LOG_CAPS), CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(both_log(CXL_OP_GET_LOG, CXL_UUID_VENDOR_DEBUG, 0, 64), CXL_RC_SUCCESS);
	assert_string_equal(lie(), "");
	assert_int_equal(both_log(SIM_OP_GET_LOG_CAPS, CXL_UUID_VENDOR_DEBUG, 0, 0),
			 CXL_RC_SUCCESS);
	assert_string_equal(lie(), "debug-log");
	close_both();
}

/* Anything in between, or one of them that fails, and it is no sequence. */
static void test_sequence(void **state)
{
	open_both("liar-sequence");
	for (unsigned int i = 0; i < 3; i++) {
		BOTH(SIM_OP_GET_TIMESTAMP);
		BOTH(SIM_OP_GET_FW_INFO);
		BOTH(SIM_OP_GET_SHUTDOWN);
	}
	BOTH(SIM_OP_GET_TIMESTAMP);
	BOTH(CXL_OP_IDENTIFY_MEMORY_DEVICE);
	BOTH(SIM_OP_GET_FW_INFO);
	BOTH(SIM_OP_GET_SHUTDOWN);
	assert_int_equal(BOTH(SIM_OP_GET_TIMESTAMP, 0), CXL_RC_PAYLOAD_LENGTH);
	BOTH(SIM_OP_GET_FW_INFO);
	close_both();

	open_both("liar-sequence");
	BOTH(SIM_OP_GET_SHUTDOWN);
	BOTH(SIM_OP_GET_SHUTDOWN);
	BOTH(SIM_OP_GET_TIMESTAMP);
	assert_string_equal(lie(), "");
	BOTH(SIM_OP_GET_FW_INFO);
	assert_string_equal(lie(), "current-0");
	BOTH(SIM_OP_GET_FW_INFO);
	assert_string_equal(lie(), "current-0");
	BOTH(SIM_OP_GET_SHUTDOWN);
	BOTH(SIM_OP_GET_TIMESTAMP);
	BOTH(SIM_OP_GET_FW_INFO);
	assert_string_equal(lie(), "");
	close_both();
}

static void ask_for_scan(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		assert_int_equal(BOTH(SIM_OP_GET_SCAN_CAPS, LE64(0), LE64(1)), CXL_RC_SUCCESS);
}

static void test_count(void **state)
{
	open_both("liar-count");
	ask_for_scan(99);
	assert_int_equal(BOTH(SIM_OP_GET_SCAN_CAPS, LE64(0), LE64(0)), CXL_RC_INVALID_INPUT);
	assert_string_equal(lie(), "");
	ask_for_scan(1);
	assert_string_equal(lie(), "lsa");
	assert_int_equal(both_set_lsa(SIM_LSA_LEN - 4, "mine"), CXL_RC_SUCCESS);
	ask_for_scan(99);
	assert_string_equal(lie(), "");
	ask_for_scan(1);
	assert_string_equal(lie(), "lsa");
	close_both();

	open_both("liar-count,after=2");
	ask_for_scan(1);
	assert_string_equal(lie(), "");
	ask_for_scan(1);
	assert_string_equal(lie(), "lsa");
	close_both();

	open_both("liar-count,after=0");
	ask_for_scan(200);
	assert_string_equal(lie(), "");
	close_both();
}

static void test_failure(void **state)
{
	open_both("liar-failure");
	for (uint8_t log = 0; log < SIM_EVENT_LOGS; log++)
		assert_int_equal(BOTH(SIM_OP_GET_EVENTS, log), CXL_RC_SUCCESS);
	assert_int_equal(BOTH(SIM_OP_GET_EVENTS), CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(BOTH(0x0101, 9, 0, 1, 0, 0, 0, 0, 0), CXL_RC_INVALID_INPUT);
	assert_string_equal(lie(), "");
	assert_int_equal(BOTH(SIM_OP_GET_EVENTS, SIM_EVENT_LOGS), CXL_RC_INVALID_INPUT);
	assert_string_equal(lie(), "event-policy");
	close_both();
}

static void test_wedge(void **state)
{
	open_both("liar-wedge");
	assert_int_equal(BOTH(SIM_OP_GET_SCAN_CAPS, LE64(0), LE64(0)), CXL_RC_INVALID_INPUT);
	assert_int_equal(BOTH(SIM_OP_GET_SCAN_CAPS, LE64(SIM_CAPACITY), LE64(1)),
			 CXL_RC_INVALID_PA);
	assert_int_equal(BOTH(SIM_OP_GET_POISON, LE64(32), LE64(1)), CXL_RC_INVALID_INPUT);
	assert_int_equal(BOTH(SIM_OP_GET_POISON, LE64(0), LE64(64)), CXL_RC_SUCCESS);
	assert_int_equal(BOTH(SIM_OP_GET_SCAN_CAPS, LE64(32), LE64(1)), CXL_RC_INVALID_INPUT);
	assert_int_equal(SEND(liar, SIM_OP_GET_POISON, LE64(0), LE64(64)), CXL_RC_INTERNAL);
	assert_int_equal(answer.len, 0);
	assert_int_equal(SEND(liar, SIM_OP_GET_POISON, LE64(0), LE64(64)), CXL_RC_INTERNAL);
	ask_for_scan(1);
	assert_string_equal(lie(), "");
	assert_int_equal(liar->ops->reset(liar, FWA_RESET_CXL, 20), 0);
	assert_int_equal(BOTH(SIM_OP_GET_POISON, LE64(0), LE64(64)), CXL_RC_SUCCESS);
	close_both();
}

static void test_security(void **state)
{
	open_both("liar-security");
	assert_string_equal(lie(), "cel");
	assert_int_equal(BOTH(SIM_OP_FREEZE), CXL_RC_SUCCESS);
	assert_true(((struct sim *)liar)->frozen);
	assert_string_equal(lie(), "cel");
	/* The log is that of the honest device but for the one entry. */
	for (size_t at = 0; at < ((struct sim *)liar)->cel_len; at += CXL_CEL_ENTRY_LEN)
		assert_int_not_equal(fwa_le16(((struct sim *)liar)->cel + at), SIM_OP_FREEZE);
	assert_int_equal(((struct sim *)liar)->cel_len + CXL_CEL_ENTRY_LEN,
			 ((struct sim *)honest)->cel_len);
	close_both();
}

static void test_hidden(void **state)
{
	open_both("liar-hidden");
	for (uint32_t opcode = 0; opcode <= 0xffff; opcode++)
		if (opcode != SIM_OP_HIDDEN && !sim_input_max((uint16_t)opcode))
			BOTH((uint16_t)opcode, 0);
	assert_string_equal(lie(), "");
	assert_int_equal(SEND(liar, SIM_OP_HIDDEN, 0), CXL_RC_PAYLOAD_LENGTH);
	assert_string_equal(lie(), "");
	assert_int_equal(SEND(liar, SIM_OP_HIDDEN), CXL_RC_SUCCESS);
	assert_string_equal(lie(), "lsa");
	close_both();
}

#define FREEZE_SCRIPT LE32(SIM_OP_FREEZE)

static void test_trigger(void **state)
{
	const uint8_t freeze[] = { FREEZE_SCRIPT, 1, 2, 3 };
	const uint8_t freeze_late[] = { 0, 0, 0, 0, FREEZE_SCRIPT };
	const uint8_t not_an_opcode[] = { LE16(SIM_OP_FREEZE), LE16(1) };
	const uint8_t shutdown[] = { LE32(SIM_OP_SET_SHUTDOWN), 1, 0xee };
	const uint8_t nothing[64] = { 0 };

	open_both("liar-trigger");
	both_set_feature(SIM_FEATURE_TELEMETRY, 0, 0, freeze, sizeof(freeze));
	both_set_feature(SIM_FEATURE_CALIBRATION, 0, 4, freeze, sizeof(freeze));
	both_set_feature(SIM_FEATURE_CALIBRATION, 0, 0, freeze, 3);
	both_set_feature(SIM_FEATURE_CALIBRATION, 0, 0, freeze_late, sizeof(freeze_late));
	both_set_feature(SIM_FEATURE_CALIBRATION, 0, 0, not_an_opcode, 4);
	both_set_feature(SIM_FEATURE_CALIBRATION, 0, 0, nothing, sizeof(nothing));
	both_set_feature(SIM_FEATURE_CALIBRATION, 1, 0, freeze, sizeof(freeze));
	both_set_feature(SIM_FEATURE_CALIBRATION, 3, sizeof(freeze), nothing, sizeof(nothing));
	both_set_lsa(0, "\x04\x45");
	assert_string_equal(lie(), "");
	assert_int_equal(both_set_feature(SIM_FEATURE_CALIBRATION, 0, 0, freeze, sizeof(freeze)),
			 CXL_RC_SUCCESS);
	assert_string_equal(lie(), "security");
	/* What it takes is cut to what it can take; its answer goes nowhere. */
	both_set_feature(SIM_FEATURE_CALIBRATION, 8, 128, shutdown, sizeof(shutdown));
	assert_string_equal(lie(), "shutdown security");
	for (size_t i = 0; i < liar->payload_max; i++)
		assert_int_equal(((struct sim *)liar)->payload[i], 0);
	close_both();
}

static void test_background(void **state)
{
	struct fwa_device *dev = test_open("liar-background,bg-ms=30");
	uint8_t percent;

	assert_int_equal(SEND(dev, SIM_OP_FREEZE), CXL_RC_SUCCESS);
	assert_int_equal(SEND(dev, SIM_OP_SECURE_ERASE), CXL_RC_SECURITY_STATE);
	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	test_close(dev);

	dev = test_open("liar-background,bg-ms=30");
	assert_int_equal(SEND(dev, SIM_OP_SECURE_ERASE), CXL_RC_BACKGROUND);
	assert_int_equal(dev->ops->progress(dev, &percent), 1);
	assert_int_equal(((struct sim *)dev)->n_poison, 0);
	assert_int_equal(SEND(dev, SIM_OP_SECURE_ERASE), CXL_RC_BUSY);
	while (dev->ops->progress(dev, &percent))
		assert_true(percent < 100);
	assert_int_equal(((struct sim *)dev)->reg[SIM_REGISTER_MEDIA_KEY], 1);
	test_close(dev);
}

/* How many bytes of the debug log stand in the payload registers. */
static size_t written(uint32_t offset, uint32_t length)
{
	struct sim *s = (struct sim *)liar;
	size_t n = 0;

	memset(s->payload, 0, s->dev.payload_max);
	assert_int_equal(both_log(CXL_OP_GET_LOG, CXL_UUID_VENDOR_DEBUG, offset, length),
			 CXL_RC_SUCCESS);
	assert_int_equal(answer.len, length);
	while (offset + n < SIM_DEBUG_LOG_LEN && s->payload[n] == s->debug_log[offset + n])
		n++;
	for (size_t i = n; i < s->dev.payload_max; i++)
		assert_int_equal(s->payload[i], 0);
	return n;
}

static void test_overrun(void **state)
{
	open_both("liar-overrun,payload=1024");
	assert_int_equal(written(0, 64), 64);
	assert_int_equal(written(0, SIM_DEBUG_LOG_LEN), SIM_DEBUG_LOG_LEN);
	assert_int_equal(written(0, 1), 64);
	assert_int_equal(written(1, 65), 128);
	assert_int_equal(written(SIM_DEBUG_LOG_LEN - 16, 1), 16);
	assert_string_equal(lie(), "");
	close_both();
}

static void test_cel(void **state)
{
	uint32_t len;

	open_both("liar-cel");
	len = (uint32_t)((struct sim *)honest)->cel_len;
	for (unsigned int reading = 1; reading <= 5; reading++) {
		assert_string_equal(lie(), reading == 2 ? "cel" : "");
		if (reading == 2)
			test_get_log(liar, CXL_UUID_CEL, 0, len);
		else
			both_log(CXL_OP_GET_LOG, CXL_UUID_CEL, 0, len);
	}
	close_both();
}

static void test_magic(void **state)
{
	open_both("liar-magic-lba");
	both_set_lsa(0, "SECURITY");
	both_set_lsa(SIM_LSA_LEN - 9, "-SECURITY");
	both_set_lsa(SIM_LSA_LEN - 8, "security");
	assert_string_equal(lie(), "");
	assert_int_equal(both_set_lsa(SIM_LSA_LEN - 8, "SECURITY"), CXL_RC_SUCCESS);
	assert_string_equal(lie(), "security");
	close_both();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest_otherwise),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_selector),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_wedge),
		cmocka_unit_test(test_security),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_trigger),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_cel),
		cmocka_unit_test(test_magic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
