/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's files: made, filled with zeroes, handed over, given up after an error, retired.
 *
 * A file is used only when its header, its zeroes and its name are on disk. A file that failed is never
 * written to again; what was durable in it stays what it is, and the next file's name says from which
 * number on that one counts. A file is removed when the record that retires it is durable and signed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/units.h"
#include "journal/store-internal.h"

#define RETIRE_AT_ONCE 64 /* so that their records fit */

static const uint8_t zeroes[64 * 1024];

void fwa_segment_name(uint64_t first, char name[FWA_SEGMENT_NAME])
{
	snprintf(name, FWA_SEGMENT_NAME, "%016llx.fwj", (unsigned long long)first);
}

uint64_t fwa_segment_number(const char *name)
{
	char again[FWA_SEGMENT_NAME];
	uint64_t n = 0;

	for (int i = 0; i < 16; i++) {
		int digit = fwa_hex_digit(name[i]);

		if (digit < 0)
			return 0;
		n = n << 4 | (uint64_t)digit;
	}
	fwa_segment_name(n, again);
	return strcmp(again, name) == 0 ? n : 0;
}

/* --- zeroes ahead of the records ----------------------------------------------------------------------- */

static int write_zeroes(struct fwa_store *s, uint64_t from, uint64_t to)
{
	int r = 0;

	while (r == 0 && from < to) {
		size_t n = to - from < sizeof(zeroes) ? (size_t)(to - from) : sizeof(zeroes);

		r = s->fs.write(&s->fs, s->fd, zeroes, n, from);
		from += n;
	}
	return r;
}

/* What to fill next: as much again as there is, within bounds; whole pages. */
static uint64_t next_fill(const struct fwa_store *s, uint64_t end)
{
	uint64_t step = s->filled;

	if (step < FWA_FILL_MIN)
		step = FWA_FILL_MIN;
	if (step > FWA_FILL_MAX)
		step = FWA_FILL_MAX;
	if (end < s->filled + step)
		end = s->filled + step;
	return (end + 4095) & ~(uint64_t)4095;
}

static bool no_space(int error)
{
	return error == -ENOSPC || error == -EDQUOT;
}

int fwa_store_fill(struct fwa_store *s, uint64_t end)
{
	uint64_t to = next_fill(s, end);
	int r = write_zeroes(s, s->filled, to);

	if (no_space(r)) {
		to = (end + 4095) & ~(uint64_t)4095;
		r = write_zeroes(s, s->filled, to);
	}
	/* No room is no reason to give the file up: nothing but zeroes was written. */
	if (no_space(r))
		return r;
	if (r == 0)
		r = s->fs.sync(&s->fs, s->fd);
	if (r < 0) {
		s->tainted = true;
		return r;
	}
	s->filled = to;
	s->segments[s->n_segments - 1].bytes = to;
	return 0;
}

/* --- new files ------------------------------------------------------------------------------------------- */

struct fwa_store_segment *fwa_store_add_segment(struct fwa_store *s)
{
	size_t cap = s->cap_segments ? 2 * s->cap_segments : 16;
	struct fwa_store_segment *more;

	if (s->n_segments == s->cap_segments) {
		more = reallocarray(s->segments, cap, sizeof(*more));
		if (!more)
			return NULL;
		s->segments = more;
		s->cap_segments = cap;
	}
	more = &s->segments[s->n_segments++];
	*more = (struct fwa_store_segment){ 0 };
	return more;
}

/* Removes what an earlier try has left, or a file in which nothing was durable. */
static int clear_way(struct fwa_store *s, uint64_t first)
{
	bool last = s->n_segments && s->segments[s->n_segments - 1].first == first;
	char name[FWA_SEGMENT_NAME];
	int r;

	if (s->leftover != first && !last)
		return 0;
	fwa_segment_name(first, name);
	r = s->fs.remove(&s->fs, name);
	if (r < 0 && r != -ENOENT)
		return r;
	if (last) {
		fwa_store_forget_objects(s, first);
		s->n_segments--;
	}
	return 0;
}

/* Makes the file, and all of it durable. */
static int make_file(struct fwa_store *s, const uint8_t header[FWA_SEGMENT_LEN], uint64_t first)
{
	char name[FWA_SEGMENT_NAME];
	int r;

	fwa_segment_name(first, name);
	s->fd = s->fs.open(&s->fs, name, true);
	if (s->fd < 0)
		return s->fd;
	r = s->fs.write(&s->fs, s->fd, header, FWA_SEGMENT_LEN, 0);
	if (r == 0)
		r = write_zeroes(s, FWA_SEGMENT_LEN, FWA_FILL_MIN);
	if (r == 0)
		r = s->fs.sync(&s->fs, s->fd);
	if (r == 0)
		r = s->fs.sync_dir(&s->fs);
	if (r < 0) {
		s->fs.close(&s->fs, s->fd);
		s->fd = -1;
		s->fs.remove(&s->fs, name);
	}
	return r;
}

int fwa_store_begin_segment(struct fwa_store *s, uint64_t gap, uint64_t created)
{
	struct fwa_segment header = { .first = s->now.last + 1 + gap, .created = created };
	struct fwa_store_segment *segment;
	uint8_t bytes[FWA_SEGMENT_LEN];
	int r;

	memcpy(header.journal, s->journal, sizeof(header.journal));
	memcpy(header.key, s->key, FWA_KEY_LEN);
	memcpy(header.before, s->now.record, FWA_HASH_LEN);
	fwa_segment_encode(bytes, &header);
	if (s->fd >= 0)
		s->fs.close(&s->fs, s->fd);
	s->fd = -1;
	r = clear_way(s, header.first);
	if (r < 0)
		return r;
	s->leftover = header.first;
	segment = fwa_store_add_segment(s);
	r = segment ? make_file(s, bytes, header.first) : -ENOMEM;
	if (r < 0) {
		s->n_segments -= segment ? 1 : 0;
		return r;
	}
	s->leftover = 0;
	*segment = (struct fwa_store_segment){ header.first, created, FWA_FILL_MIN,
					       .readable = true, .named = true };
	memcpy(segment->before, header.before, FWA_HASH_LEN);
	if (gap)
		fwa_chain_reset(&s->now);
	s->now.last = header.first - 1;
	s->now.offset = FWA_SEGMENT_LEN;
	fwa_segment_hash(bytes, s->now.hash);
	s->filled = FWA_FILL_MIN;
	fwa_store_all_durable(s);
	return 0;
}

/* --- handing over ------------------------------------------------------------------------------------------ */

static int hand_over(struct fwa_store *s, struct fwa_times now)
{
	int r = fwa_store_sync(s);

	if (r == 0)
		r = fwa_store_checkpoint(s, FWA_CHECKPOINT_HANDOVER, now);
	if (r == 0)
		r = fwa_store_sync(s);
	if (r < 0)
		return r;
	r = fwa_store_begin_segment(s, 0, now.real);
	if (r < 0) {
		/* Nothing may follow a hand-over: the repair is to begin the next one. */
		s->broken = s->tainted = true;
		return r;
	}
	r = fwa_store_checkpoint(s, FWA_CHECKPOINT_BEGIN, now);
	return r < 0 ? r : fwa_store_sync(s);
}

/* --- after errors ------------------------------------------------------------------------------------------- */

/*
 * Signs the checkpoint anew, whose record is about to be chained to c->hash: what it says of the chain before
 * it is no longer so.
 */
static int sign_again(struct fwa_store *s, const struct fwa_store_chain *c, struct fwa_frame *f,
		      bool first)
{
	struct fwa_checkpoint ck;
	struct fwa_writer w = fwa_writer((uint8_t *)f->body.data, f->body.len);
	int r;

	if (fwa_checkpoint_decode(f->body, &ck) < 0)
		return -EBADMSG;
	r = fwa_store_sign(s, c, &ck);
	if (r < 0)
		return r;
	if (first)
		ck.why = FWA_CHECKPOINT_BEGIN;
	else if (ck.why != FWA_CHECKPOINT_STOP)
		ck.why = FWA_CHECKPOINT_PERIODIC;
	/* The lists stay where they are. */
	ck.sources = ck.decisions = fwa_span(NULL, 0);
	fwa_checkpoint_encode(&w, &ck);
	return 0;
}

/* Chains what is not durable to the new file: same numbers, same lengths, other hashes. */
static int chain_again(struct fwa_store *s, size_t len)
{
	struct fwa_store_chain *c = &s->now;
	struct fwa_frame f;
	int r = 0;

	for (size_t at = 0; r == 0 && at < len; at += f.len) {
		struct fwa_span bytes = fwa_span(s->unsynced + at, len - at);

		if (fwa_frame_parse(bytes, &f) != 1)
			return -EBADMSG;
		if (f.kind == FWA_RECORD_CHECKPOINT)
			r = sign_again(s, c, &f, at == 0);
		fwa_frame_chain(bytes, &f, c->hash);
		memcpy(s->unsynced + at + f.len - FWA_HASH_LEN, c->hash, FWA_HASH_LEN);
		c->offset += f.len;
		fwa_chain_add(c, f.seq, f.kind == FWA_RECORD_CHECKPOINT);
	}
	return r;
}

/* The objects that records name which move to the new file. */
static int name_again(struct fwa_store *s, size_t len)
{
	uint64_t segment = s->segments[s->n_segments - 1].first;
	struct fwa_frame f;
	int r = 0;

	for (size_t at = 0; r == 0 && at < len; at += f.len) {
		if (fwa_frame_parse(fwa_span(s->unsynced + at, len - at), &f) != 1)
			return -EBADMSG;
		if (f.kind == FWA_RECORD_OBJECT)
			r = fwa_store_name_object(s, segment, f.body);
	}
	return r;
}

int fwa_store_repair(struct fwa_store *s, struct fwa_times now)
{
	size_t len = fwa_store_unsynced(s);
	struct fwa_store_chain lost = s->now;
	int r;

	if (!s->broken)
		return 0;
	if (!s->tainted) {
		s->broken = false;
		return fwa_store_sync(s);
	}
	s->now = s->durable;
	r = fwa_store_begin_segment(s, 0, now.real);
	if (r < 0) {
		s->now = lost;
		return r;
	}
	r = chain_again(s, len);
	if (r == 0)
		r = name_again(s, len);
	if (r < 0) {
		/* All of it stays what has to be written. */
		s->now = lost;
		s->now.offset = s->durable.offset + len;
		return r;
	}
	s->broken = s->tainted = false;
	r = fwa_store_checkpoint(s, len ? FWA_CHECKPOINT_PERIODIC : FWA_CHECKPOINT_BEGIN, now);
	return r < 0 ? r : fwa_store_sync(s);
}

/* --- retiring ----------------------------------------------------------------------------------------------- */

/* How many of the oldest may go: all that are too many or too old, but never the last. */
static size_t to_retire(const struct fwa_store *s, struct fwa_times now)
{
	const struct fwa_store_options *o = &s->options;
	uint64_t total = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->n_segments; i++)
		total += s->segments[i].retired ? 0 : s->segments[i].bytes;
	for (; n + 1 < s->n_segments && n < RETIRE_AT_ONCE; n++) {
		uint64_t ended = s->segments[n + 1].created;
		bool old = o->age_max && now.real > ended &&
			   (now.real - ended) / FWA_NS_PER_S >= o->age_max;
		bool much = o->total_max && total > o->total_max;

		if (!old && !much && !s->segments[n].retired)
			break;
		total -= s->segments[n].retired ? 0 : s->segments[n].bytes;
	}
	return n;
}

static int put_retired(struct fwa_store *s, size_t i, struct fwa_times now)
{
	struct fwa_record_retired r = { .first = s->segments[i].first,
					.last = s->segments[i + 1].first - 1,
					.bytes = s->segments[i].bytes };
	struct fwa_append a = { .kind = FWA_RECORD_RETIRED };
	uint8_t body[128];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memcpy(r.last_hash, s->segments[i + 1].before, FWA_HASH_LEN);
	fwa_record_retired_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	return fwa_store_append(s, &a, now, NULL);
}

/* One after the other, so that of what is left none is missing between. */
int fwa_store_remove_retired(struct fwa_store *s)
{
	char name[FWA_SEGMENT_NAME];
	size_t n = 0;
	int r = 0;

	while (n + 1 < s->n_segments && s->segments[n].retired) {
		fwa_segment_name(s->segments[n].first, name);
		r = s->fs.remove(&s->fs, name);
		if (r == 0)
			r = s->fs.sync_dir(&s->fs);
		if (r < 0 && r != -ENOENT)
			break;
		fwa_store_forget_objects(s, s->segments[n].first);
		r = 0;
		n++;
	}
	if (n) {
		s->n_segments -= n;
		memmove(s->segments, s->segments + n, s->n_segments * sizeof(*s->segments));
	}
	return r;
}

static int retire(struct fwa_store *s, struct fwa_times now)
{
	size_t n = to_retire(s, now), recorded = 0;
	int r = n ? fwa_store_sync(s) : 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (s->segments[i].retired)
			continue;
		r = put_retired(s, i, now);
		recorded++;
	}
	if (r == 0 && recorded)
		r = fwa_store_checkpoint(s, FWA_CHECKPOINT_PERIODIC, now);
	if (r == 0 && recorded)
		r = fwa_store_sync(s);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		s->segments[i].retired = true;
	/* What cannot be removed now is tried again: it harms nobody. */
	if (n)
		fwa_store_remove_retired(s);
	return 0;
}

int fwa_store_rotate(struct fwa_store *s, struct fwa_times now)
{
	uint64_t most = s->options.segment_max ? s->options.segment_max : FWA_SEGMENT_MAX;
	int r = 0;

	if (s->broken)
		return -EROFS;
	if (s->now.offset >= most)
		r = hand_over(s, now);
	return r < 0 ? r : retire(s, now);
}
