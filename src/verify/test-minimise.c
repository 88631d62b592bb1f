/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which things are needed: every predicate over four things, needed sets among many, budgets, errors.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "verify/minimise.h"

#define MANY 1000u

/* --- every predicate over four things ------------------------------------------------------------- */

#define FEW 4u
#define SETS (1u << FEW)

/* Bit s: it happens with the set s of things. */
static uint32_t set_of(const uint32_t *keep, size_t n)
{
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(keep[i] < FEW);
		assert_true(!i || keep[i - 1] < keep[i]);
		set |= 1u << keep[i];
	}
	return set;
}

static int happens(void *userdata, const uint32_t *keep, size_t n)
{
	const uint32_t *predicate = userdata;

	return *predicate >> set_of(keep, n) & 1;
}

static void each_predicate(void **state)
{
	for (uint32_t predicate = 0; predicate < 1u << SETS; predicate++) {
		uint32_t keep[FEW] = { 0, 1, 2, 3 }, set;
		size_t n = FEW, budget = 1000;

		if (!(predicate >> (SETS - 1) & 1))
			continue; /* it does not happen at all */
		assert_int_equal(vfy_minimise(keep, &n, &budget, happens, &predicate), 1);
		set = set_of(keep, n);
		assert_true(predicate >> set & 1);
		for (size_t i = 0; i < n; i++)
			assert_false(predicate >> (set & ~(1u << keep[i])) & 1);
	}
}

/* --- a needed set among many ----------------------------------------------------------------------- */

struct needed {
	uint32_t thing[8];
	size_t n;
	size_t tries, tried; /* calls, and things in them all */
	size_t fail_at;      /* the call that fails; 0: none */
};

static int has(const uint32_t *keep, size_t n, uint32_t thing)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == thing)
			return 1;
	return 0;
}

static int all_needed(void *userdata, const uint32_t *keep, size_t n)
{
	struct needed *needed = userdata;

	needed->tries++;
	needed->tried += n;
	if (needed->tries == needed->fail_at)
		return -EIO;
	for (size_t i = 0; i < needed->n; i++)
		if (!has(keep, n, needed->thing[i]))
			return 0;
	return 1;
}

static void fill(uint32_t *keep)
{
	for (uint32_t i = 0; i < MANY; i++)
		keep[i] = i;
}

static void few_of_many(void **state)
{
	static const struct needed sets[] = {
		{ .n = 0 },
		{ .thing = { 0 }, .n = 1 },
		{ .thing = { MANY - 1 }, .n = 1 },
		{ .thing = { 0, MANY - 1 }, .n = 2 },
		{ .thing = { 3, 500, 501, 777 }, .n = 4 },
		{ .thing = { 1, 2, 3, 4, 5, 6, 7, 8 }, .n = 8 },
	};

	for (size_t s = 0; s < FWA_ARRAY_SIZE(sets); s++) {
		struct needed needed = sets[s];
		uint32_t keep[MANY];
		size_t n = MANY, budget = MANY;

		fill(keep);
		assert_int_equal(vfy_minimise(keep, &n, &budget, all_needed, &needed), 1);
		assert_int_equal(n, needed.n);
		assert_true(n == 0 || memcmp(keep, needed.thing, n * sizeof(*keep)) == 0);
		assert_int_equal(budget, MANY - needed.tries);
		/* One needed thing costs few whole runs, eight of them not eight times as many. */
		assert_true(needed.tried < 12 * MANY);
	}
}

/* So many of equal things are needed. */
static int enough(void *userdata, const uint32_t *keep, size_t n)
{
	return n >= *(const size_t *)userdata;
}

static void a_number_of_them(void **state)
{
	for (size_t least = 0; least <= 100; least++) {
		uint32_t keep[MANY];
		size_t n = MANY, budget = SIZE_MAX;

		fill(keep);
		assert_int_equal(vfy_minimise(keep, &n, &budget, enough, &least), 1);
		assert_int_equal(n, least);
	}
}

/* --- what ends it before that ---------------------------------------------------------------------- */

static void the_budget_ends(void **state)
{
	for (size_t given = 0; given < 60; given++) {
		struct needed needed = { .thing = { 3, 500, 501, 777 }, .n = 4 };
		uint32_t keep[MANY];
		size_t n = MANY, budget = given;
		int r;

		fill(keep);
		r = vfy_minimise(keep, &n, &budget, all_needed, &needed);
		assert_int_equal(needed.tries, given - budget);
		assert_true(r == 1 || (r == 0 && budget == 0));
		assert_int_equal(all_needed(&needed, keep, n), 1);
		assert_true(r == 0 || n == 4);
	}
}

static void a_try_fails(void **state)
{
	for (size_t at = 1; at < 40; at++) {
		struct needed needed = { .thing = { 3, 500 }, .n = 2, .fail_at = at };
		uint32_t keep[MANY];
		size_t n = MANY, budget = SIZE_MAX;
		int r;

		fill(keep);
		r = vfy_minimise(keep, &n, &budget, all_needed, &needed);
		assert_true(r == -EIO || (r == 1 && needed.tries < at));
		assert_int_equal(all_needed(&needed, keep, n), 1);
	}
}

static void nothing_to_take(void **state)
{
	size_t n = 0, budget = 0;

	assert_int_equal(vfy_minimise(NULL, &n, &budget, all_needed, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_predicate),   cmocka_unit_test(few_of_many),
		cmocka_unit_test(a_number_of_them), cmocka_unit_test(the_budget_ends),
		cmocka_unit_test(a_try_fails),      cmocka_unit_test(nothing_to_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
