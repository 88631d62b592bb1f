/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What findings are called, and what becomes of one that is cleared.
 */
#include "verify/finding.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_who_is_accused),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
