/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Appending, checkpoints, committing. What is appended stands, byte for byte as in the file, in memory
 * until it is durable: one write a commit, and one more elsewhere after an error.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/units.h"
#include "core/outcome.h"
#include "journal/store-internal.h"

#define CLOCK_STEP_NS (500 * FWA_NS_PER_MS)

/* --- the chain ------------------------------------------------------------------------------------- */

void fwa_chain_reset(struct fwa_store_chain *c)
{
	fwa_tree_init(&c->tree);
	c->open_n = 0;
}

void fwa_chain_add(struct fwa_store_chain *c, uint64_t seq, bool checkpoint)
{
	if (checkpoint)
		fwa_chain_reset(c);
	else
		c->open_n++;
	if (c->tree.n == 0)
		c->first = seq;
	fwa_tree_add(&c->tree, c->hash);
	memcpy(c->record, c->hash, FWA_HASH_LEN);
	c->last = seq;
}

static size_t unsynced(const struct fwa_store *s)
{
	return (size_t)(s->now.offset - s->durable.offset);
}

/* Appends @f as the next record, in memory. -ENOBUFS when there is no room. */
int fwa_store_put(struct fwa_store *s, struct fwa_frame *f)
{
	struct fwa_writer w =
		fwa_writer(s->unsynced + unsynced(s), FWA_STORE_UNSYNCED_MAX - unsynced(s));

	if (fwa_frame_len(f->body.len) > w.cap)
		return -ENOBUFS;
	f->seq = s->now.last + 1;
	fwa_frame_write(&w, f, s->now.hash);
	s->now.offset += w.len;
	fwa_chain_add(&s->now, f->seq, f->kind == FWA_RECORD_CHECKPOINT);
	return 0;
}

/* --- appending ------------------------------------------------------------------------------------- */

/* Where the wall clock would be had nobody set it. */
static uint64_t expected(const struct fwa_store *s, struct fwa_times now)
{
	return s->last_time.real + (now.boot - s->last_time.boot);
}

static bool clock_was_set(const struct fwa_store *s, struct fwa_times now)
{
	uint64_t before = expected(s, now);
	uint64_t off = now.real > before ? now.real - before : before - now.real;

	return off > CLOCK_STEP_NS;
}

static int put_clock(struct fwa_store *s, struct fwa_times now)
{
	struct fwa_record_clock r = { .before = expected(s, now), .after = now.real };
	struct fwa_frame f = { .kind = FWA_RECORD_CLOCK, .time = now.real };
	uint8_t body[64];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_clock_encode(&w, &r);
	f.body = fwa_span(body, w.len);
	return fwa_store_put(s, &f);
}

/* What has to stand before a record at @now: that the clock was set, and a checkpoint at the latest now. */
static int put_before(struct fwa_store *s, struct fwa_times now)
{
	int r = 0;

	if (s->now.open_n == 0)
		s->unsigned_since = now.boot;
	if (clock_was_set(s, now))
		r = put_clock(s, now);
	if (r < 0)
		return r;
	s->last_time = now;
	if (s->now.open_n + 1 < FWA_CHECKPOINT_RECORDS)
		return 0;
	s->unsigned_since = now.boot;
	return fwa_store_checkpoint(s, FWA_CHECKPOINT_PERIODIC, now);
}

int fwa_store_append(struct fwa_store *s, const struct fwa_append *a, struct fwa_times now,
		     uint64_t *ret_seq)
{
	struct fwa_frame f = { .kind = a->kind,
			       .time = now.real,
			       .source = a->source,
			       .counter = a->counter,
			       .refers = a->refers,
			       .body = a->body };
	int r;

	if (s->broken)
		return -EROFS;
	if (a->kind == 0 || a->kind == FWA_RECORD_CHECKPOINT || a->body.len > FWA_RECORD_BODY_MAX)
		return -EINVAL;
	if (unsynced(s) + fwa_frame_len(a->body.len) > FWA_STORE_APPEND_MAX)
		return -ENOBUFS;
	r = put_before(s, now);
	if (r < 0)
		return r;
	f.seq = s->now.last + 1;
	r = fwa_ledger_apply(&s->ledger, &f);
	if (r == 0 && f.kind == FWA_RECORD_OBJECT)
		r = fwa_store_name_object(s, s->segments[s->n_segments - 1].first, f.body);
	if (r == 0)
		r = fwa_store_put(s, &f);
	if (r == 0 && ret_seq)
		*ret_seq = f.seq;
	return r;
}

/* --- checkpoints ------------------------------------------------------------------------------------- */

bool fwa_store_due(const struct fwa_store *s, struct fwa_times now)
{
	if (s->now.open_n == 0)
		return false;
	return s->now.open_n + 1 >= FWA_CHECKPOINT_RECORDS ||
	       now.boot - s->unsigned_since >= FWA_NS_PER_S;
}

int fwa_store_sign(struct fwa_store *s, const struct fwa_store_chain *c, struct fwa_checkpoint *ck)
{
	uint8_t bytes[FWA_STATEMENT_LEN];
	struct fwa_statement *st = &ck->statement;

	memcpy(st->journal, s->journal, sizeof(st->journal));
	memcpy(st->key, s->key, FWA_KEY_LEN);
	memcpy(st->head, c->hash, FWA_HASH_LEN);
	st->seq = c->last + 1;
	st->first = c->tree.n ? c->first : st->seq;
	fwa_tree_root(&c->tree, st->root);
	fwa_statement_encode(bytes, st);
	return fwa_sign(s->options.signer, fwa_span(bytes, sizeof(bytes)), ck->signature);
}

int fwa_store_checkpoint(struct fwa_store *s, enum fwa_checkpoint_why why, struct fwa_times now)
{
	struct fwa_checkpoint ck = { .statement.time = now.real,
				     .why = (uint8_t)why,
				     .n_sources = s->ledger.n_sources,
				     .n_decisions = s->ledger.n_decisions };
	struct fwa_frame f = { .kind = FWA_RECORD_CHECKPOINT, .time = now.real };
	struct fwa_writer w = fwa_writer(s->body, sizeof(s->body));
	int r;

	if (s->broken)
		return -EROFS;
	r = fwa_store_sign(s, &s->now, &ck);
	if (r < 0)
		return r;
	fwa_checkpoint_encode(&w, &ck);
	fwa_ledger_encode(&s->ledger, &w, &w);
	f.body = fwa_span(s->body, w.len);
	return fwa_store_put(s, &f);
}

/* --- committing ---------------------------------------------------------------------------------------- */

void fwa_store_all_durable(struct fwa_store *s)
{
	s->durable = s->now;
	s->written = s->now.offset;
}

int fwa_store_write(struct fwa_store *s)
{
	uint64_t from = s->written - s->durable.offset;
	int r = 0;

	if (s->broken)
		return -EROFS;
	if (s->written == s->now.offset)
		return 0;
	if (s->now.offset > s->filled)
		r = fwa_store_fill(s, s->now.offset);
	if (r == 0) {
		r = s->fs.write(&s->fs, s->fd, s->unsynced + from, unsynced(s) - from, s->written);
		s->tainted |= r < 0;
	}
	if (r == 0)
		s->written = s->now.offset;
	s->broken |= r < 0;
	return r;
}

int fwa_store_sync(struct fwa_store *s)
{
	int r = fwa_store_write(s);

	if (r < 0 || s->durable.last == s->now.last)
		return r;
	r = s->fs.sync(&s->fs, s->fd);
	if (r < 0) {
		s->broken = s->tainted = true;
		return r;
	}
	fwa_store_all_durable(s);
	return 0;
}

uint64_t fwa_store_last(const struct fwa_store *s)
{
	return s->now.last;
}

uint64_t fwa_store_durable(const struct fwa_store *s)
{
	return s->durable.last;
}

size_t fwa_store_unsynced(const struct fwa_store *s)
{
	return unsynced(s);
}

void fwa_store_free(struct fwa_store *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		s->fs.close(&s->fs, s->fd);
	free(s->unsynced);
	free(s->segments);
	free(s->objects);
	free(s);
}

/* --- sources, decisions ---------------------------------------------------------------------------------- */

bool fwa_store_source(const struct fwa_store *s, const uint8_t id[16], struct fwa_open_source *ret)
{
	const struct fwa_open_source *found = fwa_ledger_source_by_id(&s->ledger, id);

	if (found)
		*ret = *found;
	return found;
}

uint64_t fwa_store_open_decision(const struct fwa_store *s, uint64_t source, uint64_t counter)
{
	const struct fwa_open_decision *d = fwa_ledger_decision(&s->ledger, source, counter);

	return d ? d->seq : 0;
}

uint32_t fwa_store_open_count(const struct fwa_store *s, uint64_t source)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->ledger.n_decisions; i++)
		n += s->ledger.decisions[i].source == source;
	return n;
}

static int put_unknown(struct fwa_store *s, const struct fwa_open_decision *d, struct fwa_times now)
{
	struct fwa_record_outcome r = { .decision = d->counter, .status = FWA_OUTCOME_UNKNOWN };
	struct fwa_append a = { .kind = FWA_RECORD_OUTCOME, .source = d->source, .refers = d->seq };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_outcome_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	return fwa_store_append(s, &a, now, NULL);
}

static int put_source_end(struct fwa_store *s, uint64_t source, enum fwa_source_end how,
			  struct fwa_times now)
{
	struct fwa_record_source_end r = { .how = (uint8_t)how, .closed = (uint32_t)s->ended };
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE_END, .source = source };
	uint8_t body[64];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_source_end_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	return fwa_store_append(s, &a, now, NULL);
}

int fwa_store_end_source(struct fwa_store *s, uint64_t source, enum fwa_source_end how,
			 struct fwa_times now)
{
	const struct fwa_open_decision *d;
	int r;

	if (!fwa_ledger_source(&s->ledger, source))
		return -ENOENT;
	if (s->ending != source) {
		s->ending = source;
		s->ended = 0;
	}
	while ((d = fwa_ledger_first(&s->ledger, source))) {
		struct fwa_open_decision copy = *d;

		r = put_unknown(s, &copy, now);
		if (r < 0)
			return r;
		s->ended++;
	}
	r = put_source_end(s, source, how, now);
	if (r == 0)
		s->ending = 0;
	return r;
}

void fwa_store_each_source(const struct fwa_store *s,
			   void (*each)(void *arg, const struct fwa_open_source *source), void *arg)
{
	for (uint32_t i = 0; i < s->ledger.n_sources; i++)
		each(arg, &s->ledger.sources[i]);
}
