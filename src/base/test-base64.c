/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base64: the vectors of RFC 4648, all short texts, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/util.h"

static void vectors(void **state)
{
	static const char *const table[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb\xef", "//777w==" },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		size_t len = strlen(table[i][0]), n;
		uint8_t back[16];
		char text[16];

		fwa_base64_text((const uint8_t *)table[i][0], len, text);
		assert_string_equal(text, table[i][1]);
		assert_int_equal(fwa_base64_len(len), strlen(text));
		assert_true(fwa_base64_parse(text, strlen(text), back, &n));
		assert_int_equal(n, len);
		assert_true(!n || memcmp(back, table[i][0], n) == 0);
	}
}

/* Of all texts of four characters from these those are read that would be written again. */
static void one_text_for_each(void **state)
{
	static const char some[] = "AQgwZ9+/=-_ \n";
	const size_t n = sizeof(some); /* NUL, too */

	for (size_t i = 0; i < n * n * n * n; i++) {
		char text[5] = { some[i % n], some[i / n % n], some[i / n / n % n],
				 some[i / n / n / n] };
		uint8_t bytes[3];
		char again[5];
		size_t len;

		if (!fwa_base64_parse(text, 4, bytes, &len)) {
			assert_int_equal(len, 0);
			continue;
		}
		assert_true(len >= 1 && len <= 3);
		fwa_base64_text(bytes, len, again);
		assert_memory_equal(text, again, 4);
	}
}

static void lengths(void **state)
{
	uint8_t bytes[8];
	size_t len;

	for (size_t n = 0; n <= 8; n++)
		assert_int_equal(fwa_base64_parse("AAAAAAAA", n, bytes, &len), n % 4 == 0);
	assert_false(fwa_base64_parse("AA==AAAA", 8, bytes, &len));
	assert_false(fwa_base64_parse("AAA=AAAA", 8, bytes, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(one_text_for_each),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
