/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring: what goes in comes out, in order and once, whoever dies meanwhile; and neither side can be made
 * to do wrong by whatever the other one writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "journal/ring.h"

#define KIND FWA_RECORD_CONTROL

static uint8_t buf[FWA_RECORD_BODY_MAX];

struct fixture {
	struct fwa_ring_fds fds;
	struct fwa_ring_writer w;
	struct fwa_ring_reader r;
	struct fwa_ring *ring;
};

/* A reader of @f's ring, on descriptors of its own: one that ends leaves the others. */
static void open_reader(struct fixture *f, uint64_t counter)
{
	struct fwa_ring_fds fds = { f->fds.memory, fcntl(f->fds.doorbell, F_DUPFD_CLOEXEC, 3),
				    fcntl(f->fds.ack, F_DUPFD_CLOEXEC, 3) };

	assert_int_equal(fwa_ring_reader_open(&f->r, &fds, counter), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(fwa_ring_create(&f->fds), 0);
	assert_int_equal(fwa_ring_writer_open(&f->w, &f->fds), 0);
	open_reader(f, 0);
	f->ring = f->w.ring;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fwa_ring_reader_close(&f->r);
	fwa_ring_writer_close(&f->w);
	fwa_ring_close(&f->fds);
	free(f);
	return 0;
}

/* A body that says which record it is of. */
static struct fwa_span body_of(uint64_t counter, size_t len)
{
	static uint8_t body[FWA_RECORD_BODY_MAX];

	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(counter * 31 + i);
	return fwa_span(body, len);
}

static size_t len_of(uint64_t counter)
{
	return (size_t)(counter * 7919 % 3001);
}

static uint64_t put(struct fixture *f, size_t len, bool urgent)
{
	return fwa_ring_put(&f->w, KIND, body_of(f->w.counter + 1, len), urgent);
}

static void expect(struct fixture *f, uint64_t counter, size_t len, bool urgent)
{
	struct fwa_ring_record got;

	assert_int_equal(fwa_ring_take(&f->r, buf, &got), 1);
	assert_int_equal(got.kind, KIND);
	assert_int_equal(got.counter, counter);
	assert_int_equal(got.urgent, urgent);
	assert_int_equal(got.body.len, len);
	assert_memory_equal(got.body.data, body_of(counter, len).data, len);
}

static void expect_result(struct fixture *f, int r)
{
	struct fwa_ring_record got;

	assert_int_equal(fwa_ring_take(&f->r, buf, &got), r);
}

static bool rung(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* --- in and out --------------------------------------------------------------------------------- */

static void test_lengths(void **state)
{
	static const size_t lens[] = { 0, 1, 7, 8, 9, 4096, FWA_RECORD_BODY_MAX };
	struct fixture *f = *state;

	expect_result(f, 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(lens); i++)
		assert_int_equal(put(f, lens[i], i & 1), i + 1);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(lens); i++)
		expect(f, i + 1, lens[i], i & 1);
	expect_result(f, 0);
	assert_int_equal(fwa_ring_put(&f->w, KIND, fwa_span(buf, FWA_RECORD_BODY_MAX + 1), false),
			 0);
	assert_int_equal(f->w.counter, FWA_ARRAY_SIZE(lens));
}

/* Records of all lengths, so that every part of one crosses the end of the data. */
static void test_wraps(void **state)
{
	struct fixture *f = *state;
	uint64_t taken = 0;

	while (f->w.produced < 40 * FWA_RING_DATA_LEN) {
		if (!put(f, len_of(f->w.counter + 1), false)) {
			expect(f, taken + 1, len_of(taken + 1), false);
			taken++;
			fwa_ring_release(&f->r);
		}
	}
	while (taken++ < f->w.counter)
		expect(f, taken, len_of(taken), false);
	expect_result(f, 0);
}

/* Its launcher keeps a ring as long as what it lost is not told. */
static void test_lost(void **state)
{
	struct fwa_record_unrecorded in = { .refused = 3, .since = 5, .until = 9 }, out;
	struct fixture *f = *state;

	assert_false(fwa_ring_lost(f->r.ring, &out));
	fwa_ring_set_lost(&f->w, &in);
	assert_true(fwa_ring_lost(f->r.ring, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(fwa_ring_pending(&f->fds), 1);
	fwa_ring_lost_told(&f->r);
	assert_false(fwa_ring_lost(f->r.ring, NULL));
	assert_int_equal(fwa_ring_pending(&f->fds), 0);
	in = (struct fwa_record_unrecorded){ .passed = 1 };
	fwa_ring_set_lost(&f->w, &in);
	assert_true(fwa_ring_lost(f->r.ring, NULL));
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, n;

	assert_int_equal(fwa_ring_pending(&f->fds), 0);
	while ((n = put(f, 104, false)))
		last = n;
	assert_int_equal(fwa_ring_pending(&f->fds), 1);
	assert_true(fwa_ring_room(&f->w) < fwa_ring_need(104));
	assert_int_equal(last, FWA_RING_DATA_LEN / fwa_ring_need(104));
	assert_false(fwa_ring_ask_room(&f->w, fwa_ring_need(104)));
	expect(f, 1, 104, false);
	/* Taken is not released. */
	assert_int_equal(put(f, 104, false), 0);
	assert_false(rung(f->fds.ack));
	fwa_ring_release(&f->r);
	assert_true(rung(f->fds.ack));
	fwa_ring_acked(&f->w);
	assert_false(rung(f->fds.ack));
	assert_true(fwa_ring_ask_room(&f->w, fwa_ring_need(104)));
	assert_int_equal(put(f, 104, false), last + 1);
	/* Nobody asks any more. */
	expect(f, 2, 104, false);
	fwa_ring_release(&f->r);
	assert_false(rung(f->fds.ack));
}

static void test_durable(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= 3; i++) {
		put(f, 8, true);
		expect(f, i, 8, true);
		fwa_ring_receipt(&f->r, i, 1000 + i);
	}
	assert_int_equal(fwa_ring_durable(&f->w), 0);
	assert_int_equal(fwa_ring_seq(&f->w, 3), 0);
	fwa_ring_publish(&f->r, 1003, true);
	assert_true(rung(f->fds.ack));
	assert_int_equal(fwa_ring_durable(&f->w), 3);
	assert_int_equal(fwa_ring_head(&f->w), 1003);
	assert_int_equal(fwa_ring_seq(&f->w, 0), 0);
	assert_int_equal(fwa_ring_seq(&f->w, 2), 1002);
	assert_int_equal(fwa_ring_seq(&f->w, 4), 0);
	/* Its place is another one's now. */
	fwa_ring_receipt(&f->r, 2 + FWA_RING_RECEIPTS, 5000);
	assert_int_equal(fwa_ring_seq(&f->w, 2), 0);
	assert_int_equal(fwa_ring_seq(&f->w, 2 + FWA_RING_RECEIPTS), 0);
}

static void test_trouble(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fwa_ring_trouble(&f->w), 0);
	fwa_ring_set_trouble(&f->r, ENOSPC);
	assert_true(rung(f->fds.ack));
	assert_int_equal(fwa_ring_trouble(&f->w), ENOSPC);
	atomic_store(&f->ring->trouble, 0x80000000);
	assert_int_equal(fwa_ring_trouble(&f->w), EIO);
	fwa_ring_set_trouble(&f->r, 0);
	assert_int_equal(fwa_ring_trouble(&f->w), 0);
}

/* --- sleeping ----------------------------------------------------------------------------------- */

static void test_sleeps(void **state)
{
	struct fixture *f = *state;

	put(f, 8, true);
	assert_false(rung(f->fds.doorbell)); /* it is awake */
	assert_false(fwa_ring_sleep(&f->r, FWA_RING_SLEEPS));
	assert_int_equal(atomic_load(&f->ring->sleep), FWA_RING_AWAKE);
	expect(f, 1, 8, true);
	assert_true(fwa_ring_sleep(&f->r, FWA_RING_SLEEPS));
	assert_false(rung(f->fds.doorbell));
	put(f, 8, false);
	assert_true(rung(f->fds.doorbell));
	assert_int_equal(atomic_load(&f->ring->sleep), FWA_RING_AWAKE);
	fwa_ring_awake(&f->r);
	assert_false(rung(f->fds.doorbell));
	put(f, 8, false);
	assert_false(rung(f->fds.doorbell));
}

static void test_dozes(void **state)
{
	struct fixture *f = *state;

	/* What came just now does not keep it from dozing, unless somebody waits. */
	put(f, 8, false);
	assert_true(fwa_ring_sleep(&f->r, FWA_RING_DOZES));
	put(f, 8, false);
	assert_false(rung(f->fds.doorbell));
	put(f, 8, true);
	assert_true(rung(f->fds.doorbell));
	fwa_ring_awake(&f->r);
	assert_false(rung(f->fds.doorbell));
	assert_false(fwa_ring_sleep(&f->r, FWA_RING_DOZES));
	for (uint64_t i = 1; i <= 3; i++)
		expect(f, i, 8, i == 3);
	fwa_ring_release(&f->r);
	assert_true(fwa_ring_sleep(&f->r, FWA_RING_DOZES));
	for (size_t n = fwa_ring_need(1000); n < FWA_RING_DATA_LEN / 2; n += fwa_ring_need(1000))
		put(f, 1000, false);
	assert_false(rung(f->fds.doorbell));
	put(f, 1000, false);
	assert_true(rung(f->fds.doorbell));
	fwa_ring_awake(&f->r);
	assert_false(fwa_ring_sleep(&f->r, FWA_RING_DOZES));
}

/* The producer has taken the word back, and rings only now: nothing is rung for ever. */
static void test_late_bell(void **state)
{
	struct fixture *f = *state;
	uint64_t one = 1;

	assert_true(fwa_ring_sleep(&f->r, FWA_RING_SLEEPS));
	atomic_store(&f->ring->sleep, FWA_RING_AWAKE);
	fwa_ring_awake(&f->r);
	assert_int_equal(write(f->fds.doorbell, &one, sizeof(one)), sizeof(one));
	assert_true(fwa_ring_sleep(&f->r, FWA_RING_SLEEPS));
	fwa_ring_awake(&f->r);
	assert_false(rung(f->fds.doorbell));
}

/* --- another consumer --------------------------------------------------------------------------- */

/*
 * A consumer dies: it had taken some, of these some were in the file, of these some were released. The next
 * one knows what is in the file, and takes the rest.
 */
static void dies_and_resumes(uint64_t taken, uint64_t in_file, uint64_t released)
{
	struct fixture *f;
	void *state;

	setup(&state);
	f = state;
	for (uint64_t i = 1; i <= 6; i++)
		put(f, len_of(i), false);
	for (uint64_t i = 1; i <= taken; i++) {
		expect(f, i, len_of(i), false);
		if (i == released)
			fwa_ring_release(&f->r);
	}
	fwa_ring_sleep(&f->r, FWA_RING_SLEEPS);
	fwa_ring_reader_close(&f->r);
	open_reader(f, in_file);
	for (uint64_t i = in_file + 1; i <= 6; i++)
		expect(f, i, len_of(i), false);
	expect_result(f, 0);
	assert_int_equal(fwa_ring_pending(&f->fds), released < 6);
	fwa_ring_release(&f->r);
	assert_int_equal(fwa_ring_pending(&f->fds), 0);
	fwa_ring_publish(&f->r, 1, false);
	assert_int_equal(fwa_ring_durable(&f->w), 6);
	assert_int_equal(fwa_ring_room(&f->w), FWA_RING_DATA_LEN);
	put(f, len_of(7), true);
	expect(f, 7, len_of(7), true);
	teardown(&state);
}

static void test_resumes(void **unused)
{
	for (uint64_t taken = 0; taken <= 6; taken++)
		for (uint64_t in_file = 0; in_file <= taken; in_file++)
			for (uint64_t released = 0; released <= in_file; released++)
				dies_and_resumes(taken, in_file, released);
}

/* More was released than the file has: a gap, not to be passed in silence. */
static void test_resumes_with_a_gap(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= 4; i++)
		put(f, 8, false);
	for (uint64_t i = 1; i <= 3; i++)
		expect(f, i, 8, false);
	fwa_ring_release(&f->r);
	fwa_ring_reader_close(&f->r);
	open_reader(f, 2);
	expect_result(f, -EPROTO);
}

/* --- a hostile producer ------------------------------------------------------------------------- */

static uint8_t *frame(struct fixture *f)
{
	return f->ring->data + f->r.consumed % FWA_RING_DATA_LEN;
}

static void test_hostile_frames(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int result;
	} changes[] = {
		{ 0, 12, 1 },       { 0, 15, 1 },          { 0, 9, -EPROTO }, /* padding */
		{ 0, 17, -EPROTO }, { 2, 2, -EPROTO },     { 3, 0x80, -EPROTO },
		{ 4, 255, 1 }, /* kinds are the reader's matter */
		{ 5, 1, 1 },        { 5, 2, -EPROTO },     { 5, 0x80, -EPROTO },
		{ 6, 1, -EPROTO },  { 7, 1, -EPROTO },     { 8, 0, -EPROTO },
		{ 8, 2, -EPROTO },  { 15, 1, -EPROTO },    { 26, 1, 1 },
		{ 27, 1, -EPROTO }, { 31, 0x80, -EPROTO },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(changes); i++) {
		struct fixture *f = *state;

		put(f, 11, false);
		frame(f)[changes[i].at] = changes[i].value;
		expect_result(f, changes[i].result);
		teardown(state);
		setup(state);
	}
}

static void test_hostile_words(void **state)
{
	static const uint64_t words[] = { 1,          8,          15,
					  20,         32 + 8,     FWA_RING_DATA_LEN + 8,
					  1ull << 63, UINT64_MAX, 0 };
	struct fixture *f = *state;

	/* Of 32 bytes that are there: more, fewer, far too many. */
	put(f, 16, false);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(words); i++) {
		struct fwa_ring_reader before = f->r;

		atomic_store(&f->ring->produced, words[i]);
		expect_result(f, words[i] == 32 + 8 ? 1 : words[i] ? -EPROTO : 0);
		f->r = before;
	}
	/* Room is the consumer's own count. */
	atomic_store(&f->ring->produced, 32);
	atomic_store(&f->ring->consumed, 1 << 20);
	expect(f, 1, 16, false);
	fwa_ring_release(&f->r);
	assert_int_equal(atomic_load(&f->ring->consumed), 32);
	/* A word of sleep that is none. */
	atomic_store(&f->ring->sleep, 0xffffffff);
	fwa_ring_awake(&f->r);
	assert_true(fwa_ring_sleep(&f->r, FWA_RING_SLEEPS));
}

static void test_hostile_memory(void **state)
{
	struct fixture *f = *state;
	fwa_auto_close int unsealed = fwa_memfd("ring"), small = fwa_memfd("ring");
	struct fwa_ring_fds fds = f->fds;
	struct fwa_ring_reader r;

	assert_int_equal(ftruncate(unsealed, FWA_RING_LEN), 0);
	fds.memory = unsealed;
	assert_int_equal(fwa_ring_reader_open(&r, &fds, 0), -EPERM);
	assert_int_equal(ftruncate(small, FWA_RING_LEN - 4096), 0);
	assert_int_equal(fcntl(small, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	fds.memory = small;
	assert_int_equal(fwa_ring_reader_open(&r, &fds, 0), -EMSGSIZE);
	fds.memory = f->fds.doorbell;
	assert_int_equal(fwa_ring_reader_open(&r, &fds, 0), -EPERM);
	/* Where the ring would go on: not a multiple of 8. */
	atomic_store(&f->ring->consumed, 4);
	atomic_store(&f->ring->produced, 44);
	fwa_ring_reader_close(&f->r);
	open_reader(f, 0);
	expect_result(f, -EPROTO);
}

static uint64_t random64(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* Random bytes anywhere, again and again: whatever is taken is within its bounds and in order. */
static void test_hostile_noise(void **state)
{
	struct fixture *f = *state;
	unsigned int taken = 0;

	for (int round = 0; round < 20000; round++) {
		struct fwa_ring_record got;
		uint64_t counter = f->r.counter;
		int r;

		for (int i = 0; i < 3; i++)
			put(f, random64() % 64, false);
		if (random64() % 2)
			f->ring->data[(f->r.consumed + random64() % 64) % FWA_RING_DATA_LEN] ^=
				(uint8_t)(1u << random64() % 8);
		else if (random64() % 8 == 0)
			atomic_fetch_add(&f->ring->produced, random64() % 32 * 4);
		while ((r = fwa_ring_take(&f->r, buf, &got)) == 1) {
			assert_int_equal(got.counter, ++counter);
			assert_true(got.body.data == buf && got.body.len <= FWA_RECORD_BODY_MAX);
			taken++;
		}
		fwa_ring_sleep(&f->r, (uint32_t)(random64() % 3));
		fwa_ring_release(&f->r);
		if (r < 0) { /* both begin again */
			teardown(state);
			setup(state);
			f = *state;
		}
	}
	assert_true(taken > 10000);
}

/* --- a hostile consumer ------------------------------------------------------------------------- */

static void test_hostile_consumer(void **state)
{
	struct fixture *f = *state;

	put(f, 16, true);
	atomic_store(&f->ring->consumed, 33);
	assert_int_equal(fwa_ring_room(&f->w), 0);
	assert_int_equal(put(f, 0, false), 0);
	assert_false(fwa_ring_ask_room(&f->w, 16));
	atomic_store(&f->ring->consumed, UINT64_MAX);
	assert_int_equal(fwa_ring_room(&f->w), FWA_RING_DATA_LEN - 33);
	atomic_store(&f->ring->consumed, (uint64_t)0 - FWA_RING_DATA_LEN);
	assert_int_equal(fwa_ring_room(&f->w), 0);
	atomic_store(&f->ring->consumed, 0);
	/* What is not there yet cannot be on disk, and then nothing is believed. */
	fwa_ring_receipt(&f->r, 1, 7);
	fwa_ring_receipt(&f->r, 2, 8);
	atomic_store(&f->ring->durable, 2);
	assert_int_equal(fwa_ring_durable(&f->w), 0);
	assert_int_equal(fwa_ring_seq(&f->w, 1), 0);
	atomic_store(&f->ring->durable, UINT64_MAX);
	assert_int_equal(fwa_ring_durable(&f->w), 0);
	atomic_store(&f->ring->durable, 1);
	assert_int_equal(fwa_ring_seq(&f->w, 1), 7);
	/* The producer's position is its own. */
	atomic_store(&f->ring->produced, 4000);
	put(f, 8, false);
	assert_int_equal(atomic_load(&f->ring->produced), 32 + 24);
	atomic_store(&f->ring->sleep, 77);
	put(f, 8, false);
	assert_true(rung(f->fds.doorbell));
}

/* --- two threads -------------------------------------------------------------------------------- */

#define HAMMER 200000

static void wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	/* Rung or not within this time: a lost wake-up is one that nobody makes up for. */
	assert_int_equal(poll(&p, 1, 20000), 1);
}

static void *produce(void *arg)
{
	struct fixture *f = arg;

	for (uint64_t i = 1; i <= HAMMER; i++) {
		bool urgent = i % 64 == 0;
		uint8_t body[256];

		memset(body, (int)(i & 255), sizeof(body));
		while (!fwa_ring_put(&f->w, KIND, fwa_span(body, i % sizeof(body)), urgent)) {
			fwa_ring_acked(&f->w);
			if (!fwa_ring_ask_room(&f->w, fwa_ring_need(i % sizeof(body))))
				wait_for(f->fds.ack);
		}
		while (urgent && fwa_ring_durable(&f->w) < i) {
			wait_for(f->fds.ack);
			fwa_ring_acked(&f->w);
		}
		if (urgent && fwa_ring_seq(&f->w, i) != i * 10)
			return f; /* another number */
	}
	return NULL;
}

/* It always sleeps for good: each wake-up that is lost would be waited for in vain. */
static void test_two_threads(void **state)
{
	struct fixture *f = *state;
	struct fwa_ring_record got;
	pthread_t thread;
	void *wrong;

	assert_int_equal(pthread_create(&thread, NULL, produce, f), 0);
	while (f->r.counter < HAMMER) {
		bool urgent = false;
		int r;

		while ((r = fwa_ring_take(&f->r, buf, &got)) == 1) {
			assert_int_equal(got.body.len, got.counter % 256);
			for (size_t i = 0; i < got.body.len; i++)
				if (buf[i] != (got.counter & 255))
					fail();
			if (got.urgent)
				fwa_ring_receipt(&f->r, got.counter, got.counter * 10);
			urgent = urgent || got.urgent;
		}
		assert_int_equal(r, 0);
		fwa_ring_release(&f->r);
		fwa_ring_publish(&f->r, f->r.counter * 10, urgent);
		if (f->r.counter < HAMMER && fwa_ring_sleep(&f->r, FWA_RING_SLEEPS)) {
			wait_for(f->fds.doorbell);
			fwa_ring_awake(&f->r);
		}
	}
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
}

/* A whole page of words that change while they are used, and the data too. */
static _Atomic bool stop;

static void *scribble(void *arg)
{
	struct fixture *f = arg;
	uint64_t x = 1;

	while (!stop) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		atomic_store(&f->ring->produced, f->r.consumed + (x >> 40) % 4096 * 8);
		atomic_store(&f->ring->consumed, x);
		atomic_store(&f->ring->sleep, (uint32_t)(x >> 33) % 4);
		f->ring->data[(x >> 20) % 4096] = (uint8_t)(x >> 50) & 3;
	}
	return NULL;
}

#if defined(__SANITIZE_THREAD__)
#define RACES_ARE_FOUND true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACES_ARE_FOUND true
#endif
#endif
#ifndef RACES_ARE_FOUND
#define RACES_ARE_FOUND false
#endif

static void test_changes_meanwhile(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	if (RACES_ARE_FOUND)
		skip(); /* it is one */
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, scribble, f), 0);
	for (int i = 0; i < 300000; i++) {
		struct fwa_ring_record got;

		f->r.consumed %= 4096;
		if (fwa_ring_take(&f->r, buf, &got) == 1)
			assert_true(got.body.len <= FWA_RECORD_BODY_MAX);
		fwa_ring_sleep(&f->r, FWA_RING_DOZES);
		fwa_ring_release(&f->r);
		f->r.counter = (uint64_t)i % 3;
	}
	stop = true;
	pthread_join(thread, NULL);
}

#define FIXED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXED(test_lengths),
		FIXED(test_wraps),
		FIXED(test_lost),
		FIXED(test_full),
		FIXED(test_durable),
		FIXED(test_trouble),
		FIXED(test_sleeps),
		FIXED(test_dozes),
		FIXED(test_late_bell),
		cmocka_unit_test(test_resumes),
		FIXED(test_resumes_with_a_gap),
		FIXED(test_hostile_frames),
		FIXED(test_hostile_words),
		FIXED(test_hostile_memory),
		FIXED(test_hostile_noise),
		FIXED(test_hostile_consumer),
		FIXED(test_two_threads),
		FIXED(test_changes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
