/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store on a file system in memory, whose life is as it should be: segments, retirement, sources,
 * checkpoints, objects.
 */
#include "journal/test-world.h"

#include <errno.h>
#include <unistd.h>

#include "journal/test-dir.h"

static void test_a_life(void **state)
{
	struct fwa_testcheck c;

	begin_world(0, 0);
	assert_int_equal(life(200), 0);
	check_world(w.appended, &c);
	assert_int_equal(c.n_segments, 1);
	assert_int_equal(c.n_starts, 1);
	assert_int_equal(c.n_sources, 1);
	assert_int_equal(c.first, 1);
	fwa_testcheck_clear(&c);
	live_again();
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_starts, 2);
	assert_int_equal(c.n_cuts, 0);
	fwa_testcheck_clear(&c);
	end_world();
}

static void test_opened_a_thousand_times(void **state)
{
	struct fwa_testcheck c;

	begin_world(200 * 1024, 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(begin_life(), 0);
		if (i % 3 == 0)
			assert_int_equal(append_decision(true), 0);
		assert_int_equal(append_control(20), 0);
		assert_int_equal(sync_store(), 0);
		if (i % 10 == 0)
			assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
		fwa_store_free(w.store);
		w.store = NULL;
		time_goes(FWA_NS_PER_S);
	}
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_starts, 1000);
	assert_int_equal(c.n_cuts, 0);
	assert_int_equal(c.n_sources, 1);
	assert_int_equal(c.n_decisions, 334);
	fwa_testcheck_clear(&c);
	end_world();
}

static void test_rotated_and_retired(void **state)
{
	struct fwa_testcheck c;
	size_t total = 0;

	begin_world(60 * 1024, 400 * 1024);
	assert_int_equal(begin_life(), 0);
	assert_int_equal(append_decision(true), 0);
	for (unsigned int i = 0; i < 3000; i++) {
		time_goes(FWA_NS_PER_MS);
		assert_int_equal(append_control(500), 0);
		if (i % 50 == 0) {
			assert_int_equal(sync_store(), 0);
			assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
			w.appended = fwa_store_last(w.store);
		}
	}
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, &c);
	assert_true(c.first > 1 && c.retired == c.first - 1);
	assert_true(c.state_known);
	assert_int_equal(c.n_decisions, 1);
	for (size_t i = 0; i < w.t.n_files; i++)
		total += w.t.files[i]->named ? w.t.files[i]->len : 0;
	assert_in_range(total, 200 * 1024, 600 * 1024);
	fwa_testcheck_clear(&c);
	/* What was open is so still, though its record is gone. */
	live_again();
	check_world(w.acknowledged, NULL);
	assert_int_equal(append_outcome(2), -EPROTO);
	assert_int_equal(append_outcome(1), 0);
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, NULL);
	end_world();
}

static void test_retired_by_age(void **state)
{
	struct fwa_testcheck c;

	begin_world(4096, 0);
	w.options.age_max = 3600;
	assert_int_equal(begin_life(), 0);
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 10; k++)
			assert_int_equal(append_control(500), 0);
		assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
		time_goes(1000 * FWA_NS_PER_S);
	}
	check_world(0, &c);
	assert_in_range(c.n_segments, 4, 6);
	assert_true(c.retired == c.first - 1);
	fwa_testcheck_clear(&c);
	end_world();
}

/* A file that is retired and still there when the machine stopped goes the next time. */
static void test_retirement_is_finished(void **state)
{
	size_t files = 0;

	begin_world(20 * 1024, 200 * 1024);
	assert_int_equal(begin_life(), 0);
	w.t.fail_kind = FWA_TESTFS_REMOVE;
	w.t.fail_from = 1;
	w.t.fail_to = SIZE_MAX;
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(append_control(500), 0);
		if (i % 25 == 0)
			assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
	}
	check_world(0, NULL);
	fwa_store_free(w.store);
	w.store = NULL;
	fwa_testfs_restart(&w.t, false);
	for (size_t i = 0; i < w.t.n_files; i++)
		files += w.t.files[i]->named;
	assert_true(files >= 8);
	/* By what is recorded, not by what the limits are now. */
	w.options.total_max = 0;
	assert_int_equal(begin_life(), 0);
	files = 0;
	for (size_t i = 0; i < w.t.n_files; i++)
		files += w.t.files[i]->named;
	assert_true(files <= 5);
	check_world(0, NULL);
	end_world();
}

static void test_sources_end(void **state)
{
	struct fwa_testcheck c;
	uint64_t opened[5];
	int r;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(append_decision(true), 0);
		opened[i] = w.appended;
	}
	assert_int_equal(fwa_store_open_decision(w.store, w.source, 3), opened[2]);
	assert_int_equal(fwa_store_open_decision(w.store, w.source, 6), 0);
	assert_int_equal(fwa_store_end_source(w.store, 99, 0, w.now), -ENOENT);
	r = fwa_store_end_source(w.store, w.source, FWA_SOURCE_END_LOST, w.now);
	assert_int_equal(r, 0);
	assert_int_equal(append_control(3), -EPROTO);
	assert_false(fwa_store_source(w.store, w.id, &(struct fwa_open_source){ 0 }));
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_sources, 0);
	assert_int_equal(c.n_decisions, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fwa_testcheck_find(&c, w.appended + 1 + (uint64_t)i)->refers,
				 opened[i]);
	fwa_testcheck_clear(&c);
	end_world();
}

static void test_too_much_is_open(void **state)
{
	struct fwa_store *s;
	size_t n = 0;
	int r;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	s = w.store;
	while ((r = append_decision(true)) != -EMFILE) {
		n += r == 0;
		if (r == -ENOBUFS)
			r = sync_store();
		assert_int_equal(r, 0);
	}
	assert_int_equal(n, FWA_OPEN_DECISIONS_MAX);
	for (n = 1; n < FWA_OPEN_SOURCES_MAX; n++) {
		w.id[0] = (uint8_t)(n & 255);
		w.id[1] = 1;
		assert_int_equal(append_source(), 0);
	}
	w.id[1] = 2;
	assert_int_equal(append_source(), -EMFILE);
	/* The greatest of all checkpoints. */
	assert_int_equal(fwa_store_checkpoint(s, FWA_CHECKPOINT_PERIODIC, w.now), 0);
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, NULL);
	fwa_store_free(w.store);
	assert_int_equal(open_store(), 0);
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, NULL);
	end_world();
}

static void test_room(void **state)
{
	size_t n = 0;
	int r;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	for (; (r = append_control(1000)) == 0; n++)
		;
	assert_int_equal(r, -ENOBUFS);
	assert_true(n > 700);
	assert_int_equal(fwa_store_checkpoint(w.store, FWA_CHECKPOINT_STOP, w.now), 0);
	assert_true(fwa_store_unsynced(w.store) <= FWA_STORE_UNSYNCED_MAX);
	assert_int_equal(sync_store(), 0);
	assert_int_equal(append_control(1000), 0);
	/* All of that may be torn, and is cut then. */
	check_world(w.acknowledged, NULL);
	end_world();
}

static void test_checkpoints_are_due(void **state)
{
	struct fwa_testcheck c;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	assert_false(fwa_store_due(w.store, w.now));
	time_goes(FWA_NS_PER_S);
	assert_true(fwa_store_due(w.store, w.now));
	assert_int_equal(fwa_store_checkpoint(w.store, FWA_CHECKPOINT_PERIODIC, w.now), 0);
	time_goes(100 * FWA_NS_PER_S);
	assert_false(fwa_store_due(w.store, w.now));
	assert_int_equal(append_control(1), 0);
	time_goes(FWA_NS_PER_S - 1);
	assert_false(fwa_store_due(w.store, w.now));
	/* Whoever does not ask gets them all the same: the checker counts. */
	for (unsigned int i = 0; i < 3 * FWA_CHECKPOINT_RECORDS; i++) {
		int r = append_control(1);

		if (r == -ENOBUFS) {
			assert_int_equal(sync_store(), 0);
			r = append_control(1);
		}
		assert_int_equal(r, 0);
	}
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, &c);
	assert_int_equal(c.n_checkpoints, 2 + 3);
	fwa_testcheck_clear(&c);
	end_world();
}

static size_t count(const struct fwa_testcheck *c, uint8_t kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_records; i++)
		n += c->records[i].kind == kind;
	return n;
}

static void test_clock_steps(void **state)
{
	struct fwa_testcheck c;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	for (int i = 0; i < 20; i++) {
		/* A clock that is led along slowly is not set. */
		time_goes(FWA_NS_PER_S);
		w.now.real += 400 * FWA_NS_PER_MS;
		assert_int_equal(append_control(1), 0);
	}
	w.now.real -= 600 * FWA_NS_PER_MS;
	assert_int_equal(append_control(1), 0);
	w.now.real += 600 * FWA_NS_PER_MS;
	assert_int_equal(append_control(1), 0);
	w.now.real = 1;
	assert_int_equal(append_control(1), 0);
	assert_int_equal(append_control(1), 0);
	assert_int_equal(sync_store(), 0);
	check_world(w.acknowledged, &c);
	assert_int_equal(count(&c, FWA_RECORD_CLOCK), 3);
	fwa_testcheck_clear(&c);
	end_world();
}

static void name_object(uint8_t n)
{
	struct fwa_record_object o = { .kind = FWA_OBJECT_POLICY, .sha256 = { n }, .device = "d" };
	struct fwa_append a = { .kind = FWA_RECORD_OBJECT };
	uint8_t body[256];
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	fwa_record_object_encode(&out, &o);
	a.body = fwa_span(body, out.len);
	assert_int_equal(append(&a), 0);
	assert_true(fwa_store_has_object(w.store, &o));
}

static bool names(uint8_t n)
{
	uint8_t sha256[FWA_HASH_LEN] = { n };

	return fwa_store_names(w.store, sha256);
}

static void test_objects_are_named(void **state)
{
	struct fwa_record_object o = { .kind = FWA_OBJECT_POLICY, .sha256 = { 1 }, .device = "d" };
	int r;

	begin_world(4096, 0);
	assert_int_equal(begin_life(), 0);
	for (uint8_t n = 1; n <= 5; n++) {
		name_object(n);
		for (int i = 0; i < 10; i++)
			assert_int_equal(append_control(500), 0);
		assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
	}
	assert_int_equal(fwa_store_find_names(w.store), 0);
	assert_true(names(1) && names(5) && !names(6));
	assert_false(fwa_store_has_object(w.store, &o));
	name_object(7);
	assert_int_equal(sync_store(), 0);
	/* Another writer reads what it did not write. */
	fwa_store_free(w.store);
	assert_int_equal(begin_life(), 0);
	assert_true(names(7) && !names(1));
	while ((r = fwa_store_find_names(w.store)) == 1)
		;
	assert_int_equal(r, 0);
	for (uint8_t n = 1; n <= 7; n++)
		assert_int_equal(names(n), n != 6);
	/* What is cut names nothing. */
	name_object(8);
	assert_int_equal(sync_store(), 0);
	close_store();
	last_file()->data[end_of(last_file()) - 40] ^= 1;
	assert_int_equal(begin_life(), 0);
	assert_true(names(7) && !names(8));
	/* And what is retired names nothing. */
	w.options.total_max = 1;
	fwa_store_free(w.store);
	assert_int_equal(begin_life(), 0);
	assert_int_equal(fwa_store_rotate(w.store, w.now), 0);
	while ((r = fwa_store_find_names(w.store)) == 1)
		;
	assert_true(!names(1) && !names(5) && names(7));
	end_world();
}

static void test_nonsense_is_not_appended(void **state)
{
	struct fwa_append a = { .kind = FWA_RECORD_CONTROL };
	uint64_t last;

	begin_world(0, 0);
	assert_int_equal(begin_life(), 0);
	last = fwa_store_last(w.store);
	a.body = fwa_span("x", 1);
	a.source = w.source;
	a.counter = 1;
	assert_int_equal(fwa_store_append(w.store, &a, w.now, NULL), -EINVAL);
	w.counter = 1; /* the next would be 2 */
	assert_int_equal(append_control(1), -EPROTO);
	w.counter = 0;
	assert_int_equal(append_control(1), 0);
	assert_int_equal(append_outcome(1), -EPROTO);
	w.source++;
	assert_int_equal(append_control(1), -EPROTO);
	a.kind = FWA_RECORD_CHECKPOINT;
	assert_int_equal(fwa_store_append(w.store, &a, w.now, NULL), -EINVAL);
	assert_int_equal(fwa_store_last(w.store), last + 1);
	end_world();
}

static void test_on_a_real_disk(void **state)
{
	begin_world(8192, 300 * 1024);
	w.fs = fwa_fs_real(&dirfd_);
	assert_int_equal(life(200), 0);
	for (int i = 0; i < 3; i++)
		live_again();
	assert_int_equal(w.fs.open(&w.fs, "../x", true), -EINVAL);
	assert_int_equal(symlinkat("/etc/passwd", dirfd_, "link"), 0);
	assert_int_equal(w.fs.open(&w.fs, "link", true), -ELOOP);
	end_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_opened_a_thousand_times),
		cmocka_unit_test(test_rotated_and_retired),
		cmocka_unit_test(test_retired_by_age),
		cmocka_unit_test(test_retirement_is_finished),
		cmocka_unit_test(test_sources_end),
		cmocka_unit_test(test_too_much_is_open),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_checkpoints_are_due),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_objects_are_named),
		cmocka_unit_test(test_nonsense_is_not_appended),
		cmocka_unit_test_setup_teardown(test_on_a_real_disk, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_signer, free_signer);
}
