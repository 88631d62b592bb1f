/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The honest device changes what it declares and nothing else: commands at random, good ones and bad
 * ones, and after each of them all of its state is held against its own declarations.
 */
#include "transport/sim/test-state.h"

#define COMMANDS 20000
#define IMMEDIATE 0x003eu /* bits of a word: changes that are there at once */

/* Changed by a command that came to nothing; the rest must be as it was. */
static const char failure_changes[] = "security"; /* wrong passphrases are counted */

static struct sim *before;
static uint64_t seen; /* parts that changed at all */

static unsigned int declared(const struct sim *s, uint16_t opcode)
{
	for (size_t at = 0; at < s->cel_len; at += CXL_CEL_ENTRY_LEN)
		if (fwa_le16(s->cel + at) == opcode)
			return fwa_le16(s->cel + at + 2);
	fail_msg("%04xh is not declared", opcode);
	return 0;
}

/* The Feature that a Set Feature is about: that of the transfer where one runs. */
static unsigned int feature_of(const struct sim *s, const struct test_draw *d)
{
	for (unsigned int id = 0; id < SIM_FEATURE_COUNT; id++)
		if (d->len >= 16 && fwa_uuid_eq(s->feature[id].uuid, d->in))
			return id;
	return s->transfer.id;
}

static void check_parts(const struct sim *s, const struct test_draw *d, bool done)
{
	unsigned int word = declared(before, d->opcode);

	for (size_t i = 0; i < FWA_ARRAY_SIZE(test_parts); i++) {
		const struct test_part *p = &test_parts[i];

		if (!test_part_differs(p, before, s))
			continue;
		seen |= 1ull << i;
		if (!(p->covered_by & word))
			fail_msg("%04xh declares %04xh and changes %s", d->opcode, word, p->name);
		if (!done && strcmp(p->name, failure_changes) != 0)
			fail_msg("%04xh fails and changes %s", d->opcode, p->name);
	}
}

static void check_values(const struct sim *s, const struct test_draw *d, bool done)
{
	unsigned int id = feature_of(before, d);
	unsigned int word = s->feature[id].effects;

	for (unsigned int i = 0; i < SIM_SELECTIONS * SIM_FEATURE_COUNT; i++) {
		unsigned int selection = i / SIM_FEATURE_COUNT;

		if (!test_value_differs(selection, i % SIM_FEATURE_COUNT, before, s))
			continue;
		assert_true(done);
		assert_int_equal(d->opcode, CXL_OP_SET_FEATURE);
		assert_int_equal(i % SIM_FEATURE_COUNT, id);
		assert_int_not_equal(selection, SIM_DEFAULT);
		assert_true(selection == SIM_SAVED || word & IMMEDIATE);
		/* The command's own word covers the Feature's. */
		assert_int_equal(word & ~declared(before, CXL_OP_SET_FEATURE), 0);
	}
}

/* Success, success in a while, and success once there was a reset. */
static bool is_done(uint32_t code)
{
	return code == CXL_RC_SUCCESS || code == CXL_RC_BACKGROUND || code == CXL_RC_FW_COLD_RESET;
}

/* Nothing but the reply is in the payload registers. */
static void check_beyond(struct fwa_device *dev, uint32_t replied)
{
	uint8_t beyond[2048];

	assert_true(dev->payload_max <= sizeof(beyond));
	assert_int_equal(
		dev->ops->peek(dev, FWA_REGION_BEYOND, 0, beyond, dev->payload_max - replied), 0);
	for (size_t i = 0; i < dev->payload_max - replied; i++)
		assert_int_equal(beyond[i], 0);
}

static void run(const char *what, uint64_t seed)
{
	struct fwa_device *dev = test_open(what);
	struct sim *s = (struct sim *)dev;
	struct test_draw d = { .random = seed };
	uint8_t percent;

	for (unsigned int i = 0; i < COMMANDS; i++) {
		bool done;

		test_draw(&d, s);
		test_copy(before, s);
		done = is_done(test_send(dev, d.opcode, d.in, d.len));
		assert_int_equal(answer.error, 0);
		if (answer.code == CXL_RC_BACKGROUND)
			assert_true(declared(before, d.opcode) & CXL_CEL_BACKGROUND);
		check_beyond(dev, answer.len);
		/* What it does in the background is its own, too. */
		while (dev->ops->progress(dev, &percent))
			assert_true(percent < 100);
		check_parts(s, &d, done);
		check_values(s, &d, done);
		if (i % 250 == 249) { /* frozen, or full of poison */
			test_close(dev);
			dev = test_open(what);
			s = (struct sim *)dev;
		}
	}
	test_close(dev);
}

static void test_honest(void **state)
{
	before = malloc(sizeof(*before));
	assert_non_null(before);
	run("honest,bg-ms=0", 1);
	run("honest,bg-ms=0,seed=7,payload=256", 2);
	run("honest,bg-ms=0,locked=1", 3);
	run("honest,bg-ms=1,fw-ms=1", 4);
	free(before);
	/* The commands were such that they changed nearly everything. */
	for (size_t i = 0; i < FWA_ARRAY_SIZE(test_parts); i++)
		if (test_parts[i].covered_by && !(seen & 1ull << i))
			fail_msg("nothing changed %s", test_parts[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
