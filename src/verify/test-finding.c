/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What findings are called, what becomes of one that is cleared, and of many that are alike.
 */
#include "verify/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each kind has a name of its own, words, and a clause that is there. */
static void test_kinds(void **state)
{
	for (unsigned int i = 0; i < VFY_KINDS; i++) {
		assert_non_null(vfy_kind_name(i));
		assert_non_null(vfy_kind_text(i));
		assert_in_range(vfy_kind_clause(i), 1, 34);
		for (unsigned int j = 0; j < i; j++) {
			assert_string_not_equal(vfy_kind_name(i), vfy_kind_name(j));
			assert_string_not_equal(vfy_kind_text(i), vfy_kind_text(j));
		}
	}
	assert_string_equal(vfy_kind_name(VFY_KINDS), "unknown");
	assert_false(vfy_kind_accuses(VFY_KINDS));
}

/* Notes are those that no clause forbids. */
static void test_who_is_accused(void **state)
{
	const unsigned int notes = 1u << VFY_HALF_APPLIED | 1u << VFY_NEVER_SEEN |
				   1u << VFY_NEVER_CAME | 1u << VFY_SLOW;

	for (unsigned int i = 0; i < VFY_KINDS; i++)
		assert_int_equal(vfy_kind_accuses(i), !(notes >> i & 1));
	assert_int_equal(vfy_kind_clause(VFY_BREACH), 9);
	assert_int_equal(vfy_kind_clause(VFY_UNSTABLE), 23);
	assert_int_equal(vfy_kind_clause(VFY_OVERRUN), 25);
	assert_int_equal(vfy_kind_clause(VFY_GONE), 26);
}

static void test_clear(void **state)
{
	uint8_t payload[] = { 1, 2, 3 };
	struct vfy_step step = { .payload = payload, .payload_len = sizeof(payload) };
	struct vfy_finding f = { .kind = VFY_HANG, .has_opcode = true };

	assert_int_equal(vfy_sequence_add(&f.sequence, &step), 0);
	f.answer = calloc(1, sizeof(*f.answer));
	assert_non_null(f.answer);
	vfy_finding_clear(&f);
	assert_null(f.answer);
	assert_int_equal(f.sequence.n, 0);
	assert_false(f.has_opcode);
	vfy_finding_clear(&f); /* once more is no harm */
}

/* --- many of a kind ----------------------------------------------------------------------------------- */

static int add(struct vfy_campaign *c, unsigned int kind, uint16_t opcode, fwa_effects undeclared)
{
	struct vfy_finding f = {
		.kind = (uint8_t)kind,
		.severity = VFY_LOW,
		.set = FWA_SET_CXL,
		.has_opcode = true,
		.opcode = opcode,
		.undeclared = undeclared,
		.runs = 3,
		.reproduced = 3,
	};

	vfy_finding_text(&f, 0);
	return vfy_finding_add(c, &f);
}

static void clear(struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_findings; i++)
		vfy_finding_clear(&c->finding[i]);
	free(c->finding);
	*c = (struct vfy_campaign){ 0 };
}

/* As many as stand alone do; one more, and one stands for all. */
static void test_few_stand_alone(void **state)
{
	struct vfy_campaign c = { 0 };

	for (unsigned int i = 0; i < VFY_ALIKE_APART; i++)
		assert_int_equal(add(&c, VFY_UNLISTED, (uint16_t)(0xc000 + i), 0), 0);
	assert_int_equal(c.n_findings, VFY_ALIKE_APART);
	assert_int_equal(add(&c, VFY_UNLISTED, 0xd000, 0), 0);
	assert_int_equal(c.n_findings, 1);
	assert_int_equal(c.finding[0].opcode, 0xc000);
	assert_int_equal(c.finding[0].n_alike, VFY_ALIKE_APART);
	assert_int_equal(c.finding[0].alike[VFY_ALIKE_APART - 1], 0xd000);
	assert_non_null(strstr(c.finding[0].text, "; the like of 16 other commands"));
	assert_true(vfy_finding_accuses(&c.finding[0]));
	clear(&c);
}

/* However many: each is counted once, as many as there is room for are named, and nothing else is lost. */
static void test_every_opcode(void **state)
{
	struct vfy_campaign c = { 0 };

	assert_int_equal(add(&c, VFY_CONTRADICTION, 0x0100, 0), 0);
	assert_int_equal(add(&c, VFY_BREACH, 0xc005, FWA_EFFECT_DATA), 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(add(&c, VFY_UNLISTED, (uint16_t)(0xc000 + i), 0), 0);
	for (unsigned int i = 0; i < 100; i++) /* those are known */
		assert_int_equal(add(&c, VFY_UNLISTED, (uint16_t)(0xc000 + i), 0), 0);
	assert_int_equal(add(&c, VFY_UNLISTED, 0xf000, FWA_EFFECT_DATA), 0);
	assert_int_equal(c.n_findings, 4);
	assert_int_equal(c.finding[2].n_alike, 999);
	assert_int_equal(vfy_finding_alike(&c.finding[2]), VFY_ALIKE_MAX);
	for (unsigned int i = 0; i < VFY_ALIKE_MAX; i++)
		assert_int_equal(c.finding[2].alike[i], 0xc001 + i);
	assert_non_null(strstr(c.finding[2].text, "; the like of 999 other commands"));
	assert_int_equal(c.finding[3].undeclared, FWA_EFFECT_DATA);
	clear(&c);
}

/* The example is the shortest, whenever it came, and the one that was it is named. */
static void test_shortest_example(void **state)
{
	const struct vfy_step step = { .kind = VFY_COMMAND };
	struct vfy_campaign c = { 0 };

	for (unsigned int i = 0; i < 100; i++) {
		struct vfy_finding f = { .kind = VFY_GARBAGE, .severity = VFY_LOW };

		f.set = FWA_SET_CXL;
		f.has_opcode = true;
		f.opcode = (uint16_t)(0xc000 + i % 50); /* the second time in fewer steps */
		for (unsigned int n = i < 50 ? 3 : i == 80 ? 1 : 2; n; n--)
			assert_int_equal(vfy_sequence_add(&f.sequence, &step), 0);
		assert_int_equal(vfy_finding_add(&c, &f), 0);
	}
	assert_int_equal(c.n_findings, 1);
	assert_int_equal(c.finding[0].sequence.n, 1);
	assert_int_equal(c.finding[0].opcode, 0xc000 + 30);
	assert_int_equal(c.finding[0].n_alike, 49);
	for (unsigned int i = 0; i < 49; i++) {
		assert_int_not_equal(c.finding[0].alike[i], c.finding[0].opcode);
		for (unsigned int k = 0; k < i; k++)
			assert_int_not_equal(c.finding[0].alike[i], c.finding[0].alike[k]);
	}
	clear(&c);
}

/* What tells of effects is never put together, nor are those of different kinds. */
static void test_what_stands_alone(void **state)
{
	struct vfy_campaign c = { 0 };

	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(add(&c, VFY_CONTRADICTION, (uint16_t)i, FWA_EFFECT_DATA), 0);
		assert_int_equal(add(&c, VFY_BREACH, (uint16_t)i, FWA_EFFECT_LOG), 0);
	}
	for (unsigned int i = 0; i < VFY_ALIKE_APART; i++) {
		assert_int_equal(add(&c, VFY_CONTRADICTION, (uint16_t)(100 + i), 0), 0);
		assert_int_equal(add(&c, VFY_UNLISTED, (uint16_t)(100 + i), 0), 0);
	}
	assert_int_equal(c.n_findings, 40 + 2 * VFY_ALIKE_APART);
	assert_int_equal(c.dropped, 0);
	clear(&c);
}

/* --- two that say the same ------------------------------------------------------------------------------ */

static int add_steps(struct vfy_campaign *c, unsigned int severity, size_t n)
{
	struct vfy_finding f = { .kind = VFY_BREACH, .severity = (uint8_t)severity };
	const struct vfy_step step = { .kind = VFY_COMMAND };

	f.has_opcode = true;
	f.undeclared = FWA_EFFECT_LOG;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(vfy_sequence_add(&f.sequence, &step), 0);
	return vfy_finding_add(c, &f);
}

/* The graver, for it is of what the gate would send; else the shorter. */
static void test_which_is_kept(void **state)
{
	static const struct {
		unsigned int severity;
		size_t steps, kept;
	} table[] = { { VFY_LOW, 3, 3 },  { VFY_LOW, 2, 2 },   { VFY_LOW, 4, 2 },
		      { VFY_HIGH, 5, 5 }, { VFY_LOW, 1, 5 },   { VFY_HIGH, 5, 5 },
		      { VFY_HIGH, 4, 4 }, { VFY_MEDIUM, 1, 4 } };
	struct vfy_campaign c = { 0 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(add_steps(&c, table[i].severity, table[i].steps), 0);
		assert_int_equal(c.n_findings, 1);
		assert_int_equal(c.finding[0].sequence.n, table[i].kept);
	}
	clear(&c);
}

/* What the gate asks more for than it did of the first does not count as the same. */
static void test_limit(void **state)
{
	struct vfy_campaign c = { 0 };
	struct vfy_step step = { .kind = VFY_COMMAND };
	struct vfy_sequence q = { .step = &step, .n = 1 };
	struct vfy_attempt a = { .error = -ETIMEDOUT };
	struct vfy_symptom s = { .kind = VFY_HANG };

	for (unsigned int limit = 0; limit <= FWA_SCOPE_NEVER + 1; limit++)
		for (unsigned int scope = 0; scope <= FWA_SCOPE_NEVER; scope++) {
			s.limit = (uint8_t)limit;
			a.claim.scope = (uint8_t)scope;
			assert_int_equal(vfy_shows(&c, &q, &a, &s), !limit || scope < limit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_who_is_accused),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_few_stand_alone),
		cmocka_unit_test(test_every_opcode),
		cmocka_unit_test(test_what_stands_alone),
		cmocka_unit_test(test_shortest_example),
		cmocka_unit_test(test_which_is_kept),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
