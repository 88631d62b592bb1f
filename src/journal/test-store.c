/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store on a file system in memory that dies, fails and loses. Whatever fwa_store_sync() acknowledged is
 * there when the journal is opened again, and all of the journal is as the format says.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/units.h"
#include "base/util.h"
#include "core/outcome.h"
#include "journal/store.h"
#include "journal/testcheck.h"
#include "journal/testfs.h"

#define RECORDS_MAX 65536u

static struct fwa_signer *signer;

/* --- a world: a journal, and what it was told ---------------------------------------------------------- */

struct told {
	uint8_t kind;
	uint8_t body_sha256[FWA_HASH_LEN];
};

static struct world {
	struct fwa_testfs t;
	struct fwa_fs fs;
	struct fwa_store_options options;
	struct fwa_store *store;
	struct fwa_times now;
	struct told told[RECORDS_MAX]; /* by number */
	uint64_t acknowledged, appended;
	uint64_t source, counter, open; /* of the one source; the counter of its open decision */
	uint8_t id[16];
	uint64_t seed;
} w;

static void begin_world(uint64_t segment_max, uint64_t total_max)
{
	memset(&w, 0, sizeof(w));
	fwa_testfs_init(&w.t);
	w.fs = fwa_testfs_fs(&w.t);
	w.options = (struct fwa_store_options){ .segment_max = segment_max,
						.total_max = total_max,
						.signer = signer,
						.version = "0.1.0" };
	w.now = (struct fwa_times){ 1700000000 * FWA_NS_PER_S, 1000 * FWA_NS_PER_S };
	w.id[0] = 1;
}

static void end_world(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	fwa_testfs_clear(&w.t);
}

static void time_goes(uint64_t ns)
{
	w.now.real += ns;
	w.now.boot += ns;
}

static int open_store(void)
{
	return fwa_store_open(&w.fs, &w.options, w.now, &w.store);
}

static int append(const struct fwa_append *a)
{
	uint64_t seq = 0;
	int r = fwa_store_append(w.store, a, w.now, &seq);

	if (r == 0) {
		assert_true(seq < RECORDS_MAX);
		w.told[seq].kind = a->kind;
		fwa_sha256(a->body, w.told[seq].body_sha256);
		w.appended = seq;
		if (a->counter)
			w.counter = a->counter;
	}
	return r;
}

static int append_source(void)
{
	struct fwa_record_source r = { .kind = FWA_SOURCE_WORKER, .pid = 42, .name = "nvme0" };
	struct fwa_open_source before;
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
	uint8_t body[512];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	memcpy(r.id, w.id, sizeof(r.id));
	if (fwa_store_source(w.store, w.id, &before))
		r.resumed = before.counter;
	fwa_record_source_encode(&out, &r);
	a.body = fwa_span(body, out.len);
	ret = append(&a);
	if (ret == 0) {
		w.source = w.appended;
		w.counter = r.resumed;
	}
	return ret;
}

static int append_control(size_t len)
{
	struct fwa_record_control r = { .act = FWA_ACT_GRANT_CREATED, .uid = 7 };
	struct fwa_append a = { .kind = FWA_RECORD_CONTROL,
				.source = w.source,
				.counter = w.counter + 1 };
	uint8_t body[2048];
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	memset(r.text, 'a' + (int)(w.counter % 26), len);
	fwa_record_control_encode(&out, &r);
	a.body = fwa_span(body, out.len);
	return append(&a);
}

static int append_decision(bool admitted)
{
	struct fwa_record_decision r = {
		.judged = w.now.boot,
		.decision = { .reason = admitted ? FWA_REASON_ADMIT : FWA_REASON_LEASE,
			      .required = FWA_SCOPE_CONFIGURATION,
			      .scope = FWA_SCOPE_CONFIGURATION,
			      .set = FWA_SET_CXL,
			      .opcode = 0x0001 },
		.cmd = { .set = FWA_SET_CXL, .scope = FWA_SCOPE_LEAST, .opcode = 0x0001 },
	};
	struct fwa_append a = { .kind = FWA_RECORD_DECISION,
				.source = w.source,
				.counter = w.counter + 1 };
	uint8_t body[1024];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	fwa_record_decision_encode(&out, &r);
	a.body = fwa_span(body, out.len);
	ret = append(&a);
	if (ret == 0 && admitted)
		w.open = w.counter;
	return ret;
}

static int append_outcome(uint64_t decision)
{
	struct fwa_record_outcome r = { .decision = decision, .status = FWA_OUTCOME_COMPLETED };
	struct fwa_append a = { .kind = FWA_RECORD_OUTCOME,
				.source = w.source,
				.counter = w.counter + 1 };
	uint8_t body[256];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	fwa_record_outcome_encode(&out, &r);
	a.body = fwa_span(body, out.len);
	ret = append(&a);
	if (ret == 0)
		w.open = 0;
	return ret;
}

static int sync_store(void)
{
	int r = fwa_store_sync(w.store);

	if (r == 0) {
		assert_int_equal(fwa_store_durable(w.store), fwa_store_last(w.store));
		assert_int_equal(fwa_store_unsynced(w.store), 0);
	}
	if (fwa_store_durable(w.store) > w.acknowledged)
		w.acknowledged = fwa_store_durable(w.store);
	return r;
}

/* All of the journal is well, and @until at least is in it. */
static void check_world(uint64_t until, struct fwa_testcheck *ret)
{
	struct fwa_testcheck c;

	if (!fwa_testcheck(&w.t, &c))
		fail_msg("%s", c.why);
	for (uint64_t seq = 1; seq <= until; seq++) {
		const struct fwa_testcheck_record *r = fwa_testcheck_find(&c, seq);

		if (!r && seq < c.first && seq <= c.retired)
			continue;
		if (!r)
			fail_msg("%llu is not there", (unsigned long long)seq);
		if (!w.told[seq].kind)
			continue;
		assert_int_equal(r->kind, w.told[seq].kind);
		assert_memory_equal(r->body_sha256, w.told[seq].body_sha256, FWA_HASH_LEN);
	}
	if (ret)
		*ret = c;
	else
		fwa_testcheck_clear(&c);
}

/* One step of a busy life. */
static int step(unsigned int i)
{
	time_goes(FWA_NS_PER_MS * (1 + i % 7));
	switch (i % 12) {
	case 0:
	case 5:
		return w.open ? append_outcome(w.open) : append_decision(true);
	case 1:
		return append_decision(false);
	case 4:
	case 9:
		return fwa_store_write(w.store);
	case 6:
	case 11:
		return sync_store();
	case 7:
		return fwa_store_checkpoint(w.store, FWA_CHECKPOINT_PERIODIC, w.now);
	case 8:
		return i % 24 == 8 ? fwa_store_rotate(w.store, w.now) : 0;
	case 10:
		w.now.real += i % 36 == 10 ? 2 * FWA_NS_PER_S : 0;
		return append_control(10);
	default:
		return append_control(100 + 97 * i % 900);
	}
}

static int begin_life(void)
{
	int r = open_store();

	if (r == 0)
		r = append_source();
	if (r == 0)
		r = sync_store();
	return r;
}

static int life(unsigned int steps)
{
	int r = begin_life();

	for (unsigned int i = 0; i < steps && r == 0; i++)
		r = step(i);
	return r == 0 ? sync_store() : r;
}

/* Opens it again, and goes on a little. */
static void live_again(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	w.open = 0;
	time_goes(FWA_NS_PER_S);
	/* What was not acknowledged may be gone; then its numbers are given again. */
	memset(&w.told[w.acknowledged + 1], 0,
	       (RECORDS_MAX - w.acknowledged - 1) * sizeof(*w.told));
	assert_int_equal(begin_life(), 0);
	for (unsigned int i = 2; i < 7; i++)
		assert_int_equal(step(i), 0);
}

/* --- tests ------------------------------------------------------------------------------------------------ */

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

static int make_signer(void **state)
{
	char dir[] = "/tmp/fwadmit-store-XXXXXX", command[64];
	fwa_auto_close int fd = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY) : -1;
	int r = fwa_signer_open(fd, "key", &signer);

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return r < 0 ? r : system(command);
}

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

/* --- what others did to the file --------------------------------------------------------------------------- */

static struct fwa_testfs_file *last_file(void)
{
	struct fwa_testfs_file *last = NULL;

	for (size_t i = 0; i < w.t.n_files; i++)
		if (w.t.files[i]->named && (!last || strcmp(w.t.files[i]->name, last->name) > 0))
			last = w.t.files[i];
	return last;
}

/* The offset behind the last record of @f. */
static size_t end_of(const struct fwa_testfs_file *f)
{
	size_t end = f->len;

	while (end && f->data[end - 1] == 0)
		end--;
	return (end + 7) & ~(size_t)7;
}

static void close_store(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	memset(w.told, 0, sizeof(w.told));
}

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
	char dir[] = "/tmp/fwadmit-store-XXXXXX", command[64];
	fwa_auto_close int fd = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY) : -1;

	begin_world(8192, 300 * 1024);
	w.fs = fwa_fs_real(&fd);
	assert_int_equal(life(200), 0);
	for (int i = 0; i < 3; i++)
		live_again();
	assert_int_equal(w.fs.open(&w.fs, "../x", true), -EINVAL);
	assert_int_equal(symlinkat("/etc/passwd", fd, "link"), 0);
	assert_int_equal(w.fs.open(&w.fs, "link", true), -ELOOP);
	end_world();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static int free_signer(void **state)
{
	fwa_signer_free(signer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_killed_at_every_call),
		cmocka_unit_test(test_power_cut_in_a_large_commit),
		cmocka_unit_test(test_power_cut_at_every_call),
		cmocka_unit_test(test_power_cut_without_syncs_is_seen),
		cmocka_unit_test(test_errors_at_every_call),
		cmocka_unit_test(test_killed_after_errors),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_opened_a_thousand_times),
		cmocka_unit_test(test_rotated_and_retired),
		cmocka_unit_test(test_retired_by_age),
		cmocka_unit_test(test_retirement_is_finished),
		cmocka_unit_test(test_sources_end),
		cmocka_unit_test(test_too_much_is_open),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_checkpoints_are_due),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_torn_tail_is_cut),
		cmocka_unit_test(test_damage_is_left_alone),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_half_made),
		cmocka_unit_test(test_other_names_are_left_alone),
		cmocka_unit_test(test_another_key),
		cmocka_unit_test(test_objects_are_named),
		cmocka_unit_test(test_nonsense_is_not_appended),
		cmocka_unit_test(test_on_a_real_disk),
	};

	return cmocka_run_group_tests(tests, make_signer, free_signer);
}
