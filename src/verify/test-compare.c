/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is a difference: of bytes, numbers, clocks and lists, with and without masks, also of snapshots
 * that lie about their lengths.
 */
#include "verify/test-bench.h"

#define MS 1000000ull

static struct bench b;

static void assert_change(uint8_t field, uint32_t first, uint32_t last)
{
	const struct vfy_judgement *j = bench_changes(&b);

	assert_int_equal(j->n_changes, 1);
	assert_int_equal(j->change[0].field, field);
	assert_int_equal(j->change[0].first, first);
	assert_int_equal(j->change[0].last, last);
}

static void assert_no_change(void)
{
	assert_int_equal(bench_changes(&b)->n_changes, 0);
	assert_int_equal(b.j.observed, 0);
	assert_int_equal(b.j.undeclared, 0);
}

/* Wherever one byte differs that is what is said, and of which field. */
static void test_each_byte(void **state)
{
	for (uint32_t at = 0; at < BENCH_LEN; at++) {
		bool in_field = at >= 8 && at <= 11;

		bench_init(&b, 3, FWA_EFFECT_LOG);
		bench_field(&b, 8, 11, VFY_STATE, FWA_EFFECT_DATA);
		assert_no_change();
		b.data[1][BENCH_LEN + at] = 1;
		assert_change(in_field ? 0 : VFY_NO_FIELD, at, at);
		assert_int_equal(b.j.change[0].observable, 1);
		assert_int_equal(b.j.undeclared, in_field ? FWA_EFFECT_DATA : FWA_EFFECT_LOG);
	}
}

/* What is in no field is one change, around the fields. */
static void test_rest(void **state)
{
	bench_init(&b, 1, FWA_EFFECT_LOG);
	bench_field(&b, 4, 7, VFY_STATE, FWA_EFFECT_DATA);
	bench_field(&b, 10, UINT32_MAX, VFY_VOLATILE, FWA_EFFECT_DATA);
	b.data[1][3] = b.data[1][8] = 1;
	assert_change(VFY_NO_FIELD, 3, 8);
	b.data[1][63] = 1;
	assert_change(VFY_NO_FIELD, 3, 8);
	b.data[1][7] = 1;
	assert_int_equal(bench_changes(&b)->n_changes, 2);
}

static void test_bits_of_a_byte(void **state)
{
	for (unsigned int bit = 0; bit < 8; bit++) {
		bench_init(&b, 1, FWA_EFFECT_LOG);
		bench_field(&b, 0, 0, VFY_STATE, FWA_EFFECT_DATA)->mask = 0x07;
		bench_field(&b, 0, 0, VFY_STATE, FWA_EFFECT_POLICY)->mask = 0x38;
		bench_field(&b, 1, 4, VFY_VOLATILE, FWA_EFFECT_POLICY);
		b.data[1][0] = (uint8_t)(1u << bit);
		b.data[1][2] = 1;
		assert_change(bit < 3 ? 0 : bit < 6 ? 1 : VFY_NO_FIELD, 0, 0);
	}
}

static void test_masked_bytes_say_nothing(void **state)
{
	for (uint32_t at = 0; at < BENCH_LEN; at++) {
		bench_init(&b, 2, FWA_EFFECT_LOG);
		bench_field(&b, 8, 11, VFY_STATE, FWA_EFFECT_DATA);
		memset(b.data[1] + BENCH_LEN, 0xff, BENCH_LEN);
		memset(b.mask_bytes + BENCH_LEN / 8, 0xff, BENCH_LEN / 8);
		assert_no_change();
		b.mask_bytes[(BENCH_LEN + at) / 8] ^= (uint8_t)(1u << (at % 8));
		assert_change(at >= 8 && at <= 11 ? 0 : VFY_NO_FIELD, at, at);
	}
}

static void test_masked_observables_say_nothing(void **state)
{
	bench_init(&b, 12, FWA_EFFECT_LOG);
	b.data[1][9 * BENCH_LEN] = 1;
	b.values[1][10].code = 7;
	assert_int_equal(bench_changes(&b)->n_changes, 2);
	b.mask_whole[1] = 0x06;
	assert_no_change();
	b.mask_whole[1] = 0x04;
	assert_int_equal(bench_changes(&b)->n_changes, 1);
	assert_int_equal(b.j.change[0].observable, 9);
}

/* A counter of each width may grow and not shrink. */
static void test_counters(void **state)
{
	for (uint32_t width = 1; width <= 16; width++) {
		bench_init(&b, 1, FWA_EFFECT_LOG);
		bench_field(&b, 4, 4 + width - 1, VFY_COUNTER, FWA_EFFECT_LOG);
		b.data[0][4] = 0xff;
		b.data[1][4] = width > 1 ? 0 : 0xff;
		b.data[0][4 + width - 1] = width > 1 ? 1 : 0xff;
		b.data[1][4 + width - 1] = width > 1 ? 2 : 0xff;
		assert_no_change();
		b.data[1][4 + width - 1] = 0;
		assert_change(0, 4 + (width == 1 ? 0 : 0), 4 + width - 1);
		b.mask_bytes[0] = 0x10; /* of which a byte is known to say nothing */
		assert_no_change();
	}
}

/* A counter that is not all there any more is no counter. */
static void test_cut_counters(void **state)
{
	bench_init(&b, 1, FWA_EFFECT_LOG);
	bench_field(&b, 4, 7, VFY_COUNTER, FWA_EFFECT_LOG);
	b.values[1][0].len = 6;
	bench_changes(&b);
	assert_int_equal(b.j.n_changes, 2);
	assert_int_equal(b.j.change[0].field, 0);
	assert_int_equal(b.j.change[0].first, 6);
	assert_int_equal(b.j.change[0].last, 7);
}

static void put_clocks(uint64_t before, uint64_t after, uint64_t elapsed)
{
	bench_init(&b, 1, FWA_EFFECT_LOG);
	bench_field(&b, 0, 7, VFY_CLOCK, FWA_EFFECT_POLICY)->unit = 1000;
	fwa_put_le64(b.data[0], before);
	fwa_put_le64(b.data[1], after);
	b.values[0][0].at_ns = 5000 * MS;
	b.values[1][0].at_ns = 5000 * MS + elapsed;
}

static void test_clocks(void **state)
{
	const uint64_t t = 1700000000000000;

	put_clocks(t, t, 1000 * MS); /* it stands */
	assert_no_change();
	put_clocks(t, t + 1000000, 1000 * MS);
	assert_no_change();
	put_clocks(t, t + 900000, 1000 * MS); /* it is slow */
	assert_no_change();
	put_clocks(t, t + 1100000, 1000 * MS);
	assert_change(0, 0, 2);
	put_clocks(t, t - 1, 1000 * MS);
	assert_int_equal(bench_changes(&b)->n_changes, 1);
	put_clocks(t, 0, 1);
	assert_int_equal(bench_changes(&b)->n_changes, 1);
	put_clocks(0, UINT64_MAX, 1000 * MS);
	assert_int_equal(bench_changes(&b)->n_changes, 1);
	put_clocks(UINT64_MAX - 10, 20, 1000 * MS); /* it begins anew */
	assert_no_change();
	put_clocks(t, t, 0);
	b.values[1][0].at_ns = 0; /* readings in no order that makes sense */
	assert_no_change();
	put_clocks(t, 0, 0); /* one reading, taken over */
	assert_no_change();
}

/* A list of records of 4 bytes behind a head of 8, told by their first byte. */
static void put_lists(unsigned int kind, const char *before, const char *after)
{
	bench_init(&b, 1, FWA_EFFECT_DATA);
	b.field[0].unit = 4;
	bench_field(&b, 8, kind == VFY_RING ? 8 + 4 * 4 - 1 : UINT32_MAX, kind, FWA_EFFECT_LOG)
		->unit = 4;
	b.field[0].grows = FWA_EFFECTS_ALL;
	for (size_t i = 0; before[i]; i++)
		b.data[0][8 + 4 * i] = (uint8_t)before[i];
	for (size_t i = 0; after[i]; i++)
		b.data[1][8 + 4 * i] = (uint8_t)after[i];
	b.values[0][0].len = (uint32_t)(8 + 4 * (kind == VFY_RING ? 4 : strlen(before)));
	b.values[1][0].len = (uint32_t)(8 + 4 * (kind == VFY_RING ? 4 : strlen(after)));
}

static void assert_list(unsigned int kind, const char *before, const char *after, bool grown)
{
	put_lists(kind, before, after);
	bench_changes(&b);
	assert_int_equal(b.j.n_changes, 1);
	assert_int_equal(b.j.change[0].field, 0);
	assert_int_equal(b.j.change[0].grown, grown);
}

static void test_lists(void **state)
{
	put_lists(VFY_RECORDS, "abc", "abc");
	assert_no_change();
	assert_list(VFY_RECORDS, "abc", "abcd", true);
	assert_list(VFY_RECORDS, "", "a", true);
	assert_list(VFY_RECORDS, "abc", "dabc", true);
	assert_list(VFY_RECORDS, "aabc", "aadbce", true);
	assert_list(VFY_RECORDS, "abc", "ab", false);
	assert_list(VFY_RECORDS, "abc", "bcd", false);
	assert_list(VFY_RECORDS, "abc", "acbd", false);
	assert_list(VFY_RECORDS, "abc", "", false);
	assert_list(VFY_RECORDS, "aab", "abcd", false);
}

static void test_a_list_that_ends_in_a_record(void **state)
{
	put_lists(VFY_RECORDS, "abc", "abcd");
	b.values[1][0].len--;
	bench_changes(&b);
	assert_false(b.j.change[0].grown);
	put_lists(VFY_RECORDS, "abc", "abcd");
	b.values[0][0].len = 4; /* not even its head */
	bench_changes(&b);
	assert_int_equal(b.j.n_changes, 2);
	assert_false(b.j.change[0].grown);
}

static void test_rings(void **state)
{
	put_lists(VFY_RING, "abcd", "abcd");
	assert_no_change();
	assert_list(VFY_RING, "", "a", true);
	assert_list(VFY_RING, "ab", "cab", true);
	assert_list(VFY_RING, "abcd", "eabc", true);
	assert_list(VFY_RING, "abcd", "gfea", true);
	assert_list(VFY_RING, "abcd", "hgfe", false);
	assert_list(VFY_RING, "abcd", "abc", false);
	assert_list(VFY_RING, "abcd", "bcd", false);
	assert_list(VFY_RING, "abcd", "", false);
	assert_list(VFY_RING, "abcd", "eabx", false);
}

/* A list that is known to change by itself says nothing any more, whichever of its bytes is masked. */
static void test_masked_lists(void **state)
{
	const unsigned int kinds[] = { VFY_RECORDS, VFY_RING, VFY_TRACE };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(kinds); i++) {
		put_lists(kinds[i], "abcd", "bcda");
		assert_int_equal(bench_changes(&b)->n_changes, 1);
		b.mask_bytes[1] = 0x10;
		assert_no_change();
	}
}

/* What one of them does not have differs, wherever the lengths are. */
static void test_lengths(void **state)
{
	for (uint32_t before = 0; before <= BENCH_LEN; before++)
		for (uint32_t after = 0; after <= BENCH_LEN; after++) {
			uint32_t low = before < after ? before : after;
			uint32_t high = before < after ? after : before;

			bench_init(&b, 1, FWA_EFFECT_LOG);
			b.values[0][0].len = before;
			b.values[1][0].len = after;
			if (low == high)
				assert_no_change();
			else
				assert_change(VFY_NO_FIELD, low, high - 1);
		}
}

/* Values that would reach outside of their snapshot are empty. */
static void test_lies_about_lengths(void **state)
{
	bench_init(&b, 2, FWA_EFFECT_LOG);
	b.values[0][1].len = b.values[1][1].len = UINT32_MAX;
	b.data[1][BENCH_LEN] = 1;
	assert_int_equal(bench_changes(&b)->n_changes, 1); /* no more than the plan has room for */
	b.values[0][1].at = b.values[1][1].at = UINT32_MAX;
	assert_no_change();
	b.values[0][1].at = b.values[1][1].at = BENCH_LEN + 1;
	assert_no_change();
	b.after.n = 1;
	b.values[1][1].code = 1;
	assert_no_change();
	b.mask.n_bytes = 0;
	b.mask.n = 0;
	assert_no_change();
}

/* A reading that fails, fails otherwise, or does not fail any more; what it held is then nobody's matter. */
static void test_readings(void **state)
{
	const struct {
		uint32_t code;
		int32_t error;
	} r[] = { { 0, 0 }, { 7, 0 }, { 8, 0 }, { 0, -5 }, { 0, -95 } };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(r); i++)
		for (size_t k = 0; k < FWA_ARRAY_SIZE(r); k++) {
			bench_init(&b, 1, FWA_EFFECT_LOG);
			b.values[0][0].code = r[i].code;
			b.values[0][0].error = r[i].error;
			b.values[1][0].code = r[k].code;
			b.values[1][0].error = r[k].error;
			if (i == k) {
				assert_no_change();
				continue;
			}
			b.data[1][0] = 1;
			assert_change(VFY_NO_FIELD, 0, 0);
			assert_true(b.j.change[0].reading);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_bits_of_a_byte),
		cmocka_unit_test(test_masked_bytes_say_nothing),
		cmocka_unit_test(test_masked_observables_say_nothing),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_cut_counters),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_a_list_that_ends_in_a_record),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_masked_lists),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_lies_about_lengths),
		cmocka_unit_test(test_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
