/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/weight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t values(const char *text)
{
	return fwa_json_values(fwa_span((const uint8_t *)text, strlen(text)));
}

/* Never fewer than there are, and not many more. */
static void test_values(void **state)
{
	assert_int_equal(values("1"), 1);
	assert_int_equal(values("[]"), 2);
	assert_int_equal(values("[1]"), 2);
	assert_int_equal(values("[1,[],{\"a\":2,\"b\":{}}]"), 8);
	assert_true(values("{\"a\":[1,2,3]}") >= 5);
}

/* What stands in a text is none, whatever it is quoted with. */
static void test_texts(void **state)
{
	assert_int_equal(values("\"[,{[,{\""), 1);
	assert_int_equal(values("\"\\\"[,\\\\\",1"), 2);
	assert_int_equal(values("\"\\"), 1); /* ends within */
	assert_int_equal(values("\"[[[["), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
