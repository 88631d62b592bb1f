/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on disk: written, read again, and refused with any bit changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/digest.h"
#include "journal/format.h"

static void fill(void *to, size_t len, uint8_t first)
{
	uint8_t *p = to;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(first + i);
}

/* --- segments ---------------------------------------------------------------------------------------- */

static void test_segment(void **state)
{
	struct fwa_segment s = { .first = 77, .created = 99 }, again;
	uint8_t bytes[FWA_SEGMENT_LEN], hash[FWA_HASH_LEN], other[FWA_HASH_LEN];

	fill(s.journal, sizeof(s.journal), 1);
	fill(s.key, sizeof(s.key), 20);
	fill(s.before, sizeof(s.before), 60);
	fwa_segment_encode(bytes, &s);
	assert_memory_equal(bytes, "FWJSEG1", 8);
	assert_int_equal(fwa_segment_decode(fwa_span(bytes, sizeof(bytes)), &again), 0);
	assert_memory_equal(&s, &again, sizeof(s));
	fwa_segment_hash(bytes, hash);
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(fwa_segment_decode(fwa_span(bytes, sizeof(bytes)), &again), -1);
		fwa_segment_hash(bytes, other);
		assert_memory_not_equal(hash, other, FWA_HASH_LEN);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_equal(fwa_segment_decode(fwa_span(bytes, len), &again), -1);
	s.first = 0;
	fwa_segment_encode(bytes, &s);
	assert_int_equal(fwa_segment_decode(fwa_span(bytes, sizeof(bytes)), &again), -1);
}

/* --- records ------------------------------------------------------------------------------------------ */

static size_t write_one(uint8_t *buf, size_t cap, size_t body, uint8_t hash[FWA_HASH_LEN])
{
	static uint8_t bytes[FWA_BODY_MAX];
	struct fwa_writer w = fwa_writer(buf, cap);
	struct fwa_frame f = { .kind = 17,
			       .seq = 1,
			       .time = 2,
			       .source = 3,
			       .counter = 4,
			       .refers = 5,
			       .body = { bytes, body } };

	fill(bytes, body, 7);
	fwa_frame_write(&w, &f, hash);
	assert_false(w.full);
	assert_int_equal(w.len, fwa_frame_len(body));
	return w.len;
}

static void test_record(void **state)
{
	static uint8_t buf[FWA_FRAME_MAX + 16];
	static const size_t lens[] = { 0, 1, 7, 8, 9, 300, FWA_RECORD_BODY_MAX, FWA_BODY_MAX };
	struct fwa_frame f;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t hash[FWA_HASH_LEN] = { 9 }, again[FWA_HASH_LEN] = { 9 };
		uint8_t wrong[FWA_HASH_LEN] = { 8 };
		size_t len = write_one(buf, sizeof(buf), lens[i], hash);
		struct fwa_span bytes = fwa_span(buf, sizeof(buf));

		assert_int_equal(len % 8, 0);
		assert_int_equal(fwa_frame_parse(bytes, &f), 1);
		assert_int_equal(f.len, len);
		assert_int_equal(f.kind, 17);
		assert_int_equal(f.seq, 1);
		assert_int_equal(f.time, 2);
		assert_int_equal(f.source, 3);
		assert_int_equal(f.counter, 4);
		assert_int_equal(f.refers, 5);
		assert_int_equal(f.body.len, lens[i]);
		assert_true(fwa_frame_verify(bytes, &f, again));
		assert_memory_equal(hash, again, FWA_HASH_LEN);
		assert_false(fwa_frame_verify(bytes, &f, wrong));
		assert_int_equal(fwa_frame_parse(fwa_span(buf, len), &f), 1);
		assert_int_equal(fwa_frame_parse(fwa_span(buf, len - 1), &f), -1);
	}
}

/* Records of every length are chained in the same way, however that is done. */
static void test_chain(void **state)
{
	static uint8_t buf[4096], bytes[FWA_HASH_LEN + sizeof(buf)];

	for (size_t body = 0; body < 1300; body++) {
		uint8_t hash[FWA_HASH_LEN], expected[FWA_HASH_LEN];
		size_t len;

		fill(hash, sizeof(hash), (uint8_t)body);
		memcpy(bytes, hash, FWA_HASH_LEN);
		len = write_one(buf, sizeof(buf), body, hash) - FWA_HASH_LEN;
		memcpy(bytes + FWA_HASH_LEN, buf, len);
		fwa_sha256(fwa_span(bytes, FWA_HASH_LEN + len), expected);
		assert_memory_equal(hash, expected, FWA_HASH_LEN);
		assert_memory_equal(buf + len, expected, FWA_HASH_LEN);
	}
}

static void test_record_any_bit(void **state)
{
	uint8_t buf[200] = { 0 }, hash[FWA_HASH_LEN] = { 0 };
	size_t len = write_one(buf, sizeof(buf), 61, hash);
	struct fwa_frame f;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		uint8_t before[FWA_HASH_LEN] = { 0 };

		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (fwa_frame_parse(fwa_span(buf, sizeof(buf)), &f) == 1)
			assert_false(fwa_frame_verify(fwa_span(buf, sizeof(buf)), &f, before));
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(fwa_frame_parse(fwa_span(buf, cut), &f), 1);
}

static void test_where_records_end(void **state)
{
	uint8_t zeroes[64] = { 0 }, some[3] = { 0, 0, 1 };
	struct fwa_frame f;

	assert_int_equal(fwa_frame_parse(fwa_span(zeroes, 0), &f), 0);
	assert_int_equal(fwa_frame_parse(fwa_span(zeroes, 3), &f), 0);
	assert_int_equal(fwa_frame_parse(fwa_span(zeroes, 64), &f), 0);
	assert_int_equal(fwa_frame_parse(fwa_span(some, 3), &f), -1);
}

static void test_record_that_does_not_fit(void **state)
{
	static uint8_t body[FWA_BODY_MAX + 1], buf[FWA_FRAME_MAX + 64];
	uint8_t hash[FWA_HASH_LEN] = { 3 }, before[FWA_HASH_LEN] = { 3 };
	struct fwa_frame f = { .kind = 1, .seq = 1, .body = { body, sizeof(body) } };
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_frame_write(&w, &f, hash);
	assert_true(w.full);
	w = fwa_writer(buf, 100);
	f.body.len = 50;
	fwa_frame_write(&w, &f, hash);
	assert_true(w.full);
	assert_int_equal(w.len, 0);
	assert_memory_equal(hash, before, FWA_HASH_LEN);
}

/* --- checkpoints -------------------------------------------------------------------------------------------- */

static struct fwa_statement statement(void)
{
	struct fwa_statement s = { .seq = 100, .time = 5, .first = 90 };

	fill(s.journal, sizeof(s.journal), 1);
	fill(s.head, sizeof(s.head), 2);
	fill(s.root, sizeof(s.root), 3);
	fill(s.key, sizeof(s.key), 4);
	return s;
}

static void test_statement(void **state)
{
	struct fwa_statement s = statement(), again;
	uint8_t bytes[FWA_STATEMENT_LEN + 1] = { 0 };

	fwa_statement_encode(bytes, &s);
	assert_int_equal(fwa_statement_decode(fwa_span(bytes, FWA_STATEMENT_LEN), &again), 0);
	assert_memory_equal(&s, &again, sizeof(s));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_int_equal(fwa_statement_decode(fwa_span(bytes, len), &again),
				 len == FWA_STATEMENT_LEN ? 0 : -1);
	s.first = 101;
	fwa_statement_encode(bytes, &s);
	assert_int_equal(fwa_statement_decode(fwa_span(bytes, FWA_STATEMENT_LEN), &again), -1);
	s.first = 0;
	fwa_statement_encode(bytes, &s);
	assert_int_equal(fwa_statement_decode(fwa_span(bytes, FWA_STATEMENT_LEN), &again), -1);
}

static size_t make_checkpoint(uint8_t *buf, size_t cap)
{
	struct fwa_open_source sources[] = { { 3, 30, { 1 }, 1, "nvme0" }, { 9, 1, { 2 }, 2, "" } };
	struct fwa_open_decision decisions[] = { { 9, 1, 12 }, { 3, 7, 20 }, { 3, 8, 21 } };
	struct fwa_checkpoint c = { .statement = statement(),
				    .why = FWA_CHECKPOINT_STOP,
				    .n_sources = 2,
				    .n_decisions = 3 };
	struct fwa_writer w = fwa_writer(buf, cap);

	fill(c.signature, sizeof(c.signature), 50);
	fwa_checkpoint_encode(&w, &c);
	for (int i = 0; i < 2; i++)
		fwa_open_source_encode(&w, &sources[i]);
	for (int i = 0; i < 3; i++)
		fwa_open_decision_encode(&w, &decisions[i]);
	assert_false(w.full);
	return w.len;
}

static void test_checkpoint(void **state)
{
	uint8_t buf[1024];
	size_t len = make_checkpoint(buf, sizeof(buf));
	struct fwa_checkpoint c;
	struct fwa_open_source s;
	struct fwa_open_decision d;

	assert_int_equal(fwa_checkpoint_decode(fwa_span(buf, len), &c), 0);
	assert_int_equal(c.why, FWA_CHECKPOINT_STOP);
	assert_int_equal(c.n_sources, 2);
	assert_int_equal(c.n_decisions, 3);
	assert_true(fwa_checkpoint_source(&c, 0, &s));
	assert_int_equal(s.number, 3);
	assert_int_equal(s.counter, 30);
	assert_string_equal(s.name, "nvme0");
	assert_true(fwa_checkpoint_source(&c, 1, &s));
	assert_false(fwa_checkpoint_source(&c, 2, &s));
	assert_true(fwa_checkpoint_decision(&c, 2, &d));
	assert_int_equal(d.seq, 21);
	assert_false(fwa_checkpoint_decision(&c, 3, &d));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(fwa_checkpoint_decode(fwa_span(buf, cut), &c), -1);
	assert_int_equal(fwa_checkpoint_decode(fwa_span(buf, len + 1), &c), -1);
}

/* Each of these makes it none: where, and what stands there then. */
static void test_checkpoint_that_is_none(void **state)
{
	enum {
		LISTS = FWA_CHECKPOINT_LEN,
		DECISIONS = LISTS + 2 * FWA_OPEN_SOURCE_LEN
	};
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 0, 'X' },
		{ LISTS - 8, FWA_CHECKPOINT_WHYS },
		{ LISTS - 7, 1 },
		{ LISTS - 6, 1 },                 /* one source fewer */
		{ LISTS - 5, 2 },                 /* 514 */
		{ LISTS - 4, 4 },                 /* one decision more */
		{ LISTS - 1, 1 },                 /* very many */
		{ LISTS, 0 },                     /* source number 0 */
		{ LISTS, 9 },                     /* the same number twice */
		{ LISTS + 7, 1 },                 /* a number of later */
		{ LISTS + 32, 0 },                /* no kind */
		{ LISTS + 32, FWA_SOURCE_KINDS }, /* no kind that is known */
		{ LISTS + 33, 1 },                /* reserved */
		{ LISTS + 40, '\n' },             /* not printable */
		{ LISTS + 46, 'x' },              /* behind the name's end */
		{ LISTS + FWA_OPEN_SOURCE_LEN + 103, 1 },
		{ DECISIONS, 0 },                 /* of no source */
		{ DECISIONS + 8, 0 },             /* counter 0 */
		{ DECISIONS + 16, 20 },           /* not in order */
		{ DECISIONS + 2 * 24 + 16, 100 }, /* the checkpoint's own number */
	};
	uint8_t buf[1024];
	struct fwa_checkpoint c;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		size_t len = make_checkpoint(buf, sizeof(buf));

		buf[changes[i].at] = changes[i].value;
		if (fwa_checkpoint_decode(fwa_span(buf, len), &c) != -1)
			fail_msg("change %zu was not seen", i);
	}
}

static void test_line(void **state)
{
	uint8_t signature[FWA_SIGNATURE_LEN];
	struct fwa_checkpoint c = { .statement = statement() };
	struct fwa_statement again;
	char line[FWA_CHECKPOINT_LINE], cut[FWA_CHECKPOINT_LINE];
	size_t len;

	fill(c.signature, sizeof(c.signature), 200);
	fwa_checkpoint_line(&c, line);
	len = strlen(line);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(fwa_checkpoint_parse_line(line, &again, signature), 0);
	assert_memory_equal(&again, &c.statement, sizeof(again));
	assert_memory_equal(signature, c.signature, sizeof(signature));
	line[len - 1] = '\0';
	assert_int_equal(fwa_checkpoint_parse_line(line, &again, signature), 0);
	for (size_t n = 0; n < len - 1; n++) {
		memcpy(cut, line, n);
		cut[n] = '\0';
		assert_int_equal(fwa_checkpoint_parse_line(cut, &again, signature), -1);
		memcpy(cut, line, len);
		cut[n] = '_';
		assert_int_equal(fwa_checkpoint_parse_line(cut, &again, signature), -1);
	}
	strcat(line, "x");
	assert_int_equal(fwa_checkpoint_parse_line(line, &again, signature), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_record_any_bit),
		cmocka_unit_test(test_where_records_end),
		cmocka_unit_test(test_record_that_does_not_fit),
		cmocka_unit_test(test_statement),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_that_is_none),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
