/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store, where others did something to its files.
 */
#include "journal/test-world.h"

#include <errno.h>

static void test_torn_tail_is_cut(void **state)
{
	struct fwa_testcheck c;
	struct fwa_testfs_file *f;
	uint8_t digest[FWA_HASH_LEN];
	uint64_t good;

	begin_world(0, 0);
	assert_int_equal(life(20), 0);
	good = w.acknowledged;
	assert_int_equal(append_control(700), 0);
	assert_int_equal(append_control(700), 0);
	assert_int_equal(sync_store(), 0);
	close_store();
	f = last_file();
	f->data[end_of(f) - 1000] ^= 1;
	fwa_sha256(fwa_span(f->data, 0), digest);
	assert_int_equal(open_store(), 0);
	assert_int_equal(sync_store(), 0);
	check_world(0, &c);
	assert_int_equal(c.n_cuts, 1);
	assert_int_equal(c.n_segments, 1);
	assert_int_equal(c.damaged, 0);
	assert_int_equal(c.last, good + 1);
	fwa_testcheck_clear(&c);
	end_world();
}

static void test_damage_is_left_alone(void **state)
{
	struct fwa_testfs_file *f;
	fwa_auto_free uint8_t *before = NULL;
	struct fwa_testcheck c;
	uint64_t last;
	size_t len, at;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(append_control(1000), 0);
		if (i % 500 == 0)
			assert_int_equal(sync_store(), 0);
	}
	assert_int_equal(sync_store(), 0);
	last = w.acknowledged;
	close_store();
	f = last_file();
	len = f->len;
	at = end_of(f) - 3 * FWA_STORE_UNSYNCED_MAX / 2;
	/* A length: hopping ends here, too. */
	while (fwa_le32(f->data + at) < 1000 || fwa_le32(f->data + at) > 1200)
		at += 8;
	f->data[at] ^= 1;
	before = malloc(len);
	memcpy(before, f->data, len);
	assert_int_equal(open_store(), 0);
	assert_int_equal(append_source(), 0);
	assert_int_equal(sync_store(), 0);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->data, before, len);
	assert_true(fwa_store_segment(w.store) > last);
	check_world(0, &c);
	assert_int_equal(c.n_segments, 2);
	assert_int_equal(c.n_gaps, 1);
	assert_true(c.damaged > 1 && c.damaged < last);
	assert_int_equal(fwa_testcheck_find(&c, c.damaged), NULL);
	assert_non_null(fwa_testcheck_find(&c, c.damaged - 1));
	/* Nobody knows what else it names. */
	assert_int_equal(fwa_store_find_names(w.store), -EBADMSG);
	fwa_testcheck_clear(&c);
	live_again();
	check_world(0, NULL);
	end_world();
}

static void test_no_header(void **state)
{
	struct fwa_testfs_file *f;

	begin_world(0, 0);
	assert_int_equal(life(20), 0);
	close_store();
	f = last_file();
	f->data[0] ^= 1;
	assert_int_equal(open_store(), -EBADMSG);
	assert_true(f->named);
	end_world();
}

/* A file that was only being made is none. */
static void test_half_made(void **state)
{
	static const char *const names[] = { "0000000000000999.fwj", "0000000000000001.fwj" };
	uint8_t bytes[4096] = "FWJ";
	struct fwa_testcheck c;

	for (size_t i = 0; i < 4; i++) {
		size_t len = i % 2 ? 3 : sizeof(bytes);

		begin_world(0, 0);
		if (i < 2)
			assert_int_equal(life(20), 0);
		close_store();
		fwa_testfs_put(&w.t, names[i / 2], bytes, len);
		assert_int_equal(open_store(), 0);
		assert_int_equal(append_source(), 0);
		assert_int_equal(sync_store(), 0);
		check_world(0, &c);
		assert_int_equal(c.n_segments, 1);
		fwa_testcheck_clear(&c);
		end_world();
	}
}

static void test_other_names_are_left_alone(void **state)
{
	static const char *const names[] = { "key", "0000000000000001.fwj.bak", "x.fwj",
					     "000000000000000A.fwj", "0000000000000000.fwj" };

	begin_world(0, 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		fwa_testfs_put(&w.t, names[i], "?", 1);
	assert_int_equal(begin_life(), 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		assert_int_equal(fwa_testfs_find(&w.t, names[i])->len, 1);
	end_world();
}

/* Another key begins another segment: each is signed by the key of its header. */
static void test_another_key(void **state)
{
	struct fwa_signer *first = signer;
	struct fwa_testcheck c;

	begin_world(0, 0);
	assert_int_equal(life(20), 0);
	make_signer(NULL);
	w.options.signer = signer;
	live_again();
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_segments, 2);
	fwa_testcheck_clear(&c);
	end_world();
	fwa_signer_free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_torn_tail_is_cut),
		cmocka_unit_test(test_damage_is_left_alone),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_half_made),
		cmocka_unit_test(test_other_names_are_left_alone),
		cmocka_unit_test(test_another_key),
	};

	return cmocka_run_group_tests(tests, make_signer, free_signer);
}
