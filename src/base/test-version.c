/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware revisions: in their order, and that it is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/version.h"

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void in_order(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} table[] = {
		{ "", "", 0 },
		{ "", "0", -1 },
		{ "1", "1", 0 },
		{ "1", "2", -1 },
		{ "9", "10", -1 },
		{ "1.9", "1.10", -1 },
		{ "1.2", "1.2.0", -1 },
		{ "1.2", "1.2a", -1 },
		{ "1.2a", "1.2b", -1 },
		{ "1.2a", "1.3", -1 },
		{ "A1", "B0", -1 },
		{ "Z9", "a0", -1 }, /* bytes */
		{ "fw-2", "fw-10", -1 },
		{ "1.02", "1.2", 0 },
		{ "007", "7", 0 },
		{ "0", "00", 0 },
		{ "1.0", "1.00.1", -1 },
		{ "GDC5302Q", "GDC5502Q", -1 },
		{ "2B2QEXM7", "2B2QEXM6", 1 },
		/* longer than any number */
		{ "99999999999999999999999999999998", "99999999999999999999999999999999", -1 },
		{ "99999999999999999999999999999999", "100000000000000000000000000000000", -1 },
		{ "1a", "1\xff", -1 },
		{ "1", "a", -1 },
		{ "-1", "1", -1 }, /* no signs: '-' is less than '1' */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(sign(fwa_version_compare(table[i].a, table[i].b)), table[i].order);
		assert_int_equal(sign(fwa_version_compare(table[i].b, table[i].a)),
				 -table[i].order);
	}
}

/* Antisymmetric and transitive, so that a range is one. */
static void is_an_order(void **state)
{
	static const char characters[] = "0011209aZ.-";
	unsigned int chains = 0;

	srand(5);
	for (int i = 0; i < 200000; i++) {
		char v[3][8] = { "" };
		int ab, bc, ac;

		for (int k = 0; k < 3; k++)
			for (int n = rand() % 7, at = 0; at < n; at++)
				v[k][at] = characters[(size_t)rand() % (sizeof(characters) - 1)];
		ab = sign(fwa_version_compare(v[0], v[1]));
		bc = sign(fwa_version_compare(v[1], v[2]));
		ac = sign(fwa_version_compare(v[0], v[2]));
		assert_int_equal(ab, -sign(fwa_version_compare(v[1], v[0])));
		assert_int_equal(fwa_version_compare(v[0], v[0]), 0);
		if (ab <= 0 && bc <= 0) {
			assert_true(ac <= 0 && (ac == 0) == (ab == 0 && bc == 0));
			chains++;
		}
	}
	assert_true(chains > 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(is_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
