/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rates: what passes in how much time, at the edges of all numbers and against plain arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/bucket.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND UINT64_C(1000000000)

/* How many commands of @bytes pass at @now, at most @most. */
static unsigned int passes(struct fwa_bucket *b, const struct fwa_rate *rate, uint64_t bytes,
			   uint64_t now, unsigned int most)
{
	unsigned int n = 0;

	while (n < most && !fwa_bucket_wait(b, rate, now)) {
		fwa_bucket_take(b, rate, bytes, now);
		n++;
	}
	return n;
}

/* Every rate from 1 to 5000: a second's worth at once, then one each time that one is due. */
static void bucket_lets_the_rate_pass(void **state)
{
	for (uint32_t r = 1; r <= 5000; r++) {
		struct fwa_rate rate = { .commands = r };
		struct fwa_bucket b = { 0 };
		uint64_t now = 77 * SECOND;

		assert_int_equal(passes(&b, &rate, 1 << 20, now, r + 2), r);
		assert_int_equal(passes(&b, &rate, 0, now, 2), 0);
		now += fwa_bucket_wait(&b, &rate, now);
		assert_int_equal(passes(&b, &rate, 0, now, 2), 1);
		/* an idle hour fills it once, not 3600 times */
		assert_int_equal(passes(&b, &rate, 0, now + 3600 * SECOND, r + 2), r);
	}
}

/* Until @wait is over nothing passes, and then something does. */
static void bucket_says_how_long(void **state)
{
	static const uint64_t sizes[] = { 1, 1000, 4096, 65536, 2u << 20 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (uint64_t per = 1; per < 1u << 30; per = per * 3 + 1) {
			struct fwa_rate rate = { .bytes = per };
			struct fwa_bucket b = { 0 };
			uint64_t now = 5 * SECOND, wait;

			passes(&b, &rate, sizes[i], now, 100000);
			wait = fwa_bucket_wait(&b, &rate, now);
			if (!wait)
				continue; /* more than 100,000 pass at once */
			assert_true(fwa_bucket_wait(&b, &rate, now + wait - 1));
			assert_false(fwa_bucket_wait(&b, &rate, now + wait));
		}
	}
}

/* One transfer may be longer than a second's bytes: then the next one waits until it is paid for. */
static void bucket_debt_is_paid(void **state)
{
	struct fwa_rate rate = { .bytes = 1000 };
	struct fwa_bucket b = { 0 };
	uint64_t now = 100 * SECOND;

	assert_int_equal(passes(&b, &rate, 10000, now, 5), 1);
	assert_int_equal(fwa_bucket_wait(&b, &rate, now), 9 * SECOND + 1);
	assert_int_equal(passes(&b, &rate, 1, now + 9 * SECOND, 5), 0);
	assert_int_equal(passes(&b, &rate, 1, now + 9 * SECOND + 1, 5), 1);
	assert_int_equal(passes(&b, &rate, 1, now + 11 * SECOND, 5000), 1000);
}

/* The scarcer one decides; what has no limit costs nothing. */
static void bucket_of_both(void **state)
{
	struct fwa_rate rate = { .commands = 10, .bytes = 1000 }, none = { 0 };
	struct fwa_bucket b = { 0 };

	assert_int_equal(passes(&b, &rate, 0, 9 * SECOND, 50), 10);
	b = (struct fwa_bucket){ 0 };
	assert_int_equal(passes(&b, &rate, 250, 9 * SECOND, 50), 4);
	b = (struct fwa_bucket){ 0 };
	assert_int_equal(passes(&b, &none, UINT64_MAX, 9 * SECOND, 50), 50);
	assert_int_equal(b.commands | b.bytes, 0);
	/* a reload that takes a limit away forgives what it was owed */
	fwa_bucket_take(&b, &rate, UINT64_MAX, 9 * SECOND);
	assert_true(fwa_bucket_wait(&b, &rate, 9 * SECOND));
	assert_false(fwa_bucket_wait(&b, &none, 9 * SECOND));
}

/* A clock that stands still or goes back fills nothing. */
static void bucket_time_that_goes_nowhere(void **state)
{
	struct fwa_rate rate = { .commands = 3 };
	struct fwa_bucket b = { 0 };

	assert_int_equal(passes(&b, &rate, 0, 50 * SECOND, 9), 3);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(passes(&b, &rate, 0, 50 * SECOND, 9), 0);
	for (uint64_t back = 1; back <= 50 * SECOND; back *= 7)
		assert_int_equal(passes(&b, &rate, 0, 50 * SECOND - back, 9), 0);
	assert_int_equal(passes(&b, &rate, 0, 50 * SECOND + SECOND / 3 + 2, 9), 1);
}

static const uint64_t edges[] = {
	0,
	1,
	2,
	SECOND - 1,
	SECOND,
	SECOND + 1,
	UINT32_MAX,
	(uint64_t)UINT32_MAX + 1,
	UINT64_MAX / SECOND - 1,
	UINT64_MAX / SECOND,
	UINT64_MAX / SECOND + 1,
	UINT64_MAX / 2,
	UINT64_MAX / 2 + 1,
	UINT64_MAX - SECOND,
	UINT64_MAX - 1,
	UINT64_MAX,
};

/* True when @wait ns at @rate a second are at least @n, in 128 bits, and not many more than that. */
static bool is_cost(uint64_t wait, uint64_t n, uint64_t rate)
{
	unsigned __int128 exact = (unsigned __int128)n * SECOND;

	exact = (exact + rate - 1) / rate;
	if (exact > UINT64_MAX)
		return wait == UINT64_MAX;
	return wait >= exact && wait - exact <= 1 + (uint64_t)(exact >> 30);
}

/* Any state, cost, rate and time at the edges: what is taken is what it costs, and never less. */
static void bucket_never_overflows(void **state)
{
	for (size_t paid = 0; paid < COUNT(edges); paid++)
		for (size_t n = 0; n < COUNT(edges); n++)
			for (size_t per = 1; per < COUNT(edges); per++)
				for (size_t now = 0; now < COUNT(edges); now++) {
					struct fwa_bucket b = { .bytes = edges[paid] };
					struct fwa_rate rate = { .bytes = edges[per] };
					uint64_t full =
						edges[now] > SECOND ? edges[now] - SECOND : 0;
					uint64_t from = edges[paid] > full ? edges[paid] : full;

					fwa_bucket_take(&b, &rate, edges[n], edges[now]);
					assert_true(b.bytes >= from);
					assert_true(b.bytes == UINT64_MAX ||
						    is_cost(b.bytes - from, edges[n], edges[per]));
					assert_int_equal(!fwa_bucket_wait(&b, &rate, edges[now]),
							 b.bytes < edges[now]);
				}
}

/* At random: in any stretch of time no more passes than the rate allows, and a burst, and one. */
static void bucket_over_time(void **state)
{
	srand(3);
	for (int round = 0; round < 300; round++) {
		struct fwa_rate rate = { .commands = 1 + (uint32_t)rand() % 2000,
					 .bytes = 1 + (uint64_t)rand() % 100000 };
		struct fwa_bucket b = { 0 };
		uint64_t start = (uint64_t)rand() * 1000, now = start,
			 most = 1 + (uint64_t)rand() % 9000;
		uint64_t commands = 0, bytes = 0, last = 0;

		for (int i = 0; i < 3000; i++) {
			uint64_t n = (uint64_t)rand() % most;

			now += (uint64_t)rand() % (SECOND / 100);
			if (fwa_bucket_wait(&b, &rate, now))
				continue;
			fwa_bucket_take(&b, &rate, n, now);
			commands++;
			bytes += n;
			last = n;
			assert_true((double)commands <=
				    rate.commands * ((double)(now - start) / 1e9 + 1) + 1);
			assert_true((double)(bytes - last) <=
				    (double)rate.bytes * ((double)(now - start) / 1e9 + 1));
		}
		assert_true(commands > 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_lets_the_rate_pass),
		cmocka_unit_test(bucket_says_how_long),
		cmocka_unit_test(bucket_debt_is_paid),
		cmocka_unit_test(bucket_of_both),
		cmocka_unit_test(bucket_time_that_goes_nowhere),
		cmocka_unit_test(bucket_never_overflows),
		cmocka_unit_test(bucket_over_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
