/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store on a file system in memory that dies, fails and loses. Whatever fwa_store_sync() acknowledged is
 * there when the journal is opened again, and all of the journal is as the format says.
 */
#include "journal/test-world.h"

#include <errno.h>

/* Runs a life that ends at call @at; false when it ended by itself before that. */
static bool die_at(size_t at, unsigned int steps, bool power, uint64_t seed)
{
	struct fwa_testcheck c;
	int r;

	begin_world(8192, 300 * 1024);
	w.t.seed = seed;
	w.t.die_at = at;
	r = life(steps);
	if (r == 0) {
		end_world();
		return false;
	}
	fwa_testfs_restart(&w.t, power);
	live_again();
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_gaps, 0);
	assert_int_equal(c.damaged, 0);
	fwa_testcheck_clear(&c);
	end_world();
	return true;
}

static void test_killed_at_every_call(void **state)
{
	size_t at = 1;

	for (; die_at(at, 150, false, at); at++)
		;
	assert_true(at > 100);
}

/*
 * A commit as large as may be, with checkpoints in it, of which any sectors are there: also a checkpoint behind
 * a record that is not.
 */
static void test_power_cut_in_a_large_commit(void **state)
{
	size_t cuts = 0;

	for (uint64_t seed = 1; seed <= 24; seed++) {
		struct fwa_testcheck c;

		begin_world(0, 0);
		w.t.seed = seed;
		assert_int_equal(begin_life(), 0);
		for (int i = 0; i < 2400; i++) {
			assert_int_equal(append_control(900), 0);
			if (i % 600 == 599)
				assert_int_equal(sync_store(), 0);
		}
		for (int i = 0; i < 700; i++) {
			assert_int_equal(append_control(900), 0);
			if (i % 20 == 0)
				assert_int_equal(fwa_store_checkpoint(w.store, 0, w.now), 0);
		}
		assert_int_equal(fwa_store_write(w.store), 0);
		fwa_testfs_restart(&w.t, true);
		live_again();
		check_world(w.acknowledged, &c);
		assert_int_equal(c.n_gaps, 0);
		cuts += c.n_cuts;
		fwa_testcheck_clear(&c);
		end_world();
	}
	assert_true(cuts > 5);
}

static void test_power_cut_at_every_call(void **state)
{
	size_t n = 0;

	for (uint64_t seed = 1; seed <= 6; seed++)
		for (size_t at = 1; die_at(at, 100, true, seed * 1000 + at); at++)
			n++;
	assert_true(n > 300);
}

/* The test sees what it is for: without syncs something is lost. */
static void test_power_cut_without_syncs_is_seen(void **state)
{
	struct fwa_testcheck c;
	size_t lost = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		begin_world(0, 0);
		w.t.seed = seed;
		w.t.no_sync = true;
		assert_int_equal(life(50), 0);
		fwa_testfs_restart(&w.t, true);
		fwa_testcheck(&w.t, &c);
		lost += c.bad || c.last < w.acknowledged;
		fwa_testcheck_clear(&c);
		end_world();
	}
	assert_true(lost > 10);
}

/* Each call fails once, or three times; the store says so, is repaired, and nothing is lost. */
static void fail_at(size_t at, size_t n, int error, int kind, bool *ret_failed)
{
	struct fwa_testcheck c;
	unsigned int tries = 0;
	int r = 0;

	begin_world(8192, 0);
	w.t.seed = at;
	assert_int_equal(begin_life(), 0);
	w.t.fail_from = w.t.calls + at;
	w.t.fail_to = w.t.fail_from + n;
	w.t.fail_error = error;
	w.t.fail_kind = kind;
	for (unsigned int i = 0; i <= 100; i++) {
		r = i < 100 ? step(i) : sync_store();
		if (r == 0)
			continue;
		*ret_failed = true;
		assert_int_equal(r, -error);
		assert_int_equal(append_control(3), -EROFS);
		assert_int_equal(fwa_store_sync(w.store), -EROFS);
		assert_int_equal(fwa_store_checkpoint(w.store, 0, w.now), -EROFS);
		while (fwa_store_repair(w.store, w.now) < 0)
			assert_true(++tries < 30);
		w.acknowledged = fwa_store_durable(w.store);
		assert_true(w.acknowledged >= w.appended);
	}
	check_world(w.appended, &c);
	fwa_testcheck_clear(&c);
	/* And what is on disk is that, too: nothing was trusted after a failed sync. */
	fwa_testfs_restart(&w.t, true);
	live_again();
	check_world(w.acknowledged, NULL);
	end_world();
}

static void test_errors_at_every_call(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EROFS };
	static const int kinds[] = { -1, FWA_TESTFS_SYNC, FWA_TESTFS_WRITE };
	bool failed = true;
	size_t at = 1;

	for (; failed; at++) {
		failed = false;
		for (size_t i = 0; i < FWA_ARRAY_SIZE(errors); i++)
			for (size_t k = 0; k < (i ? 1 : FWA_ARRAY_SIZE(kinds)); k++) {
				fail_at(at, 1, errors[i], kinds[k], &failed);
				fail_at(at, 4, errors[i], kinds[k], &failed);
			}
	}
	assert_true(at > 50);
}

/* An error, then the end before it is repaired, or in the middle of that. */
static void test_killed_after_errors(void **state)
{
	for (size_t at = 1; at < 60; at++)
		for (size_t later = 0; later < 8; later += 1 + at % 2)
			for (int power = 0; power < 2; power++) {
				int r = 0;

				begin_world(8192, 0);
				w.t.seed = at * 100 + later;
				assert_int_equal(begin_life(), 0);
				w.t.fail_from = w.t.calls + at;
				w.t.fail_to = w.t.fail_from + 1;
				for (unsigned int i = 0; i < 100 && r == 0; i++)
					r = step(i);
				w.t.die_at = w.t.calls + later;
				if (r < 0 && fwa_store_repair(w.store, w.now) == 0)
					w.acknowledged = fwa_store_durable(w.store);
				fwa_testfs_restart(&w.t, power);
				live_again();
				check_world(w.acknowledged, NULL);
				/* What was only read so far is on disk since it was opened. */
				assert_int_equal(sync_store(), 0);
				fwa_testfs_restart(&w.t, true);
				check_world(w.acknowledged, NULL);
				end_world();
			}
}

/* Nothing but space is missing: no new files, and it goes on when there is some. */
static void test_full_disk(void **state)
{
	struct fwa_testcheck c;
	unsigned int i = 0;
	int r = 0;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	/* Also after a file was given up for another reason. */
	assert_int_equal(append_control(1), 0);
	w.t.fail_from = w.t.calls + 1;
	w.t.fail_to = w.t.calls + 2;
	assert_int_equal(sync_store(), -EIO);
	assert_int_equal(fwa_store_repair(w.store, w.now), 0);
	w.t.space = 300 * 1024;
	for (; r == 0 && i < 100000; i++)
		r = step(i);
	assert_int_equal(r, -ENOSPC);
	for (int k = 0; k < 10; k++)
		assert_int_equal(fwa_store_repair(w.store, w.now), -ENOSPC);
	assert_int_equal(w.t.n_files, 2);
	w.t.space = 0;
	assert_int_equal(fwa_store_repair(w.store, w.now), 0);
	w.acknowledged = fwa_store_durable(w.store);
	assert_true(w.acknowledged >= w.appended);
	for (unsigned int k = 0; k < 50; k++)
		assert_int_equal(step(i + k), 0);
	assert_int_equal(sync_store(), 0);
	check_world(w.appended, &c);
	assert_int_equal(c.n_segments, 2);
	fwa_testcheck_clear(&c);
	/* A journal is opened on a full disk, too. */
	w.t.space = 1;
	live_again();
	end_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_every_call),
		cmocka_unit_test(test_power_cut_in_a_large_commit),
		cmocka_unit_test(test_power_cut_at_every_call),
		cmocka_unit_test(test_power_cut_without_syncs_is_seen),
		cmocka_unit_test(test_errors_at_every_call),
		cmocka_unit_test(test_killed_after_errors),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, make_signer, free_signer);
}
