/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/testcheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/digest.h"

#define MOST 65536u

static bool __attribute__((format(printf, 2, 3)))
wrong(struct fwa_testcheck *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	c->bad = true;
	return false;
}

/* --- trees, the plain way ------------------------------------------------------------------------- */

static void plain_root(const struct fwa_testcheck *c, uint8_t out[FWA_HASH_LEN])
{
	uint8_t(*level)[FWA_HASH_LEN] = calloc(c->n_tree + 1, FWA_HASH_LEN);
	uint8_t node[8 + 16 * FWA_HASH_LEN] = "FWJNODE1";
	size_t n = c->n_tree;

	if (n)
		memcpy(level, c->tree, n * FWA_HASH_LEN);
	while (n > 1) {
		size_t nodes = 0;

		for (size_t i = 0; i < n; i += 16) {
			size_t k = n - i < 16 ? n - i : 16;

			memcpy(node + 8, level[i], k * FWA_HASH_LEN);
			fwa_sha256(fwa_span(node, 8 + k * FWA_HASH_LEN), level[nodes++]);
		}
		n = nodes;
	}
	memcpy(out, level[0], FWA_HASH_LEN);
	free(level);
}

/* --- what is open, the plain way --------------------------------------------------------------------- */

static size_t source_index(const struct fwa_testcheck *c, uint64_t number)
{
	size_t i = 0;

	while (i < c->n_sources && c->sources[i].number != number)
		i++;
	return i;
}

static void drop_source(struct fwa_testcheck *c, size_t i)
{
	memmove(&c->sources[i], &c->sources[i + 1], (--c->n_sources - i) * sizeof(*c->sources));
}

static bool take_source(struct fwa_testcheck *c, const struct fwa_frame *f)
{
	struct fwa_open_source s = { .number = f->seq };
	struct fwa_record_source r;

	if (fwa_record_source_decode(f->body, &r) < 0)
		return wrong(c, "%llu: no source", (unsigned long long)f->seq);
	for (size_t i = 0; i < c->n_sources; i++) {
		if (memcmp(c->sources[i].id, r.id, 16) != 0)
			continue;
		for (size_t k = 0; k < c->n_decisions; k++)
			if (c->decisions[k].source == c->sources[i].number)
				c->decisions[k].source = f->seq;
		if (r.resumed != c->sources[i].counter)
			return wrong(c, "%llu: resumed elsewhere", (unsigned long long)f->seq);
		drop_source(c, i--);
	}
	s.counter = r.resumed;
	s.kind = r.kind;
	memcpy(s.id, r.id, 16);
	memcpy(s.name, r.name, sizeof(s.name));
	c->sources[c->n_sources++] = s;
	return true;
}

static bool take_outcome(struct fwa_testcheck *c, const struct fwa_frame *f, uint64_t counter)
{
	for (size_t i = 0; i < c->n_decisions; i++) {
		const struct fwa_open_decision *d = &c->decisions[i];

		if (d->source != f->source || d->counter != counter)
			continue;
		if (d->seq != f->refers)
			break;
		memmove(&c->decisions[i], &c->decisions[i + 1],
			(--c->n_decisions - i) * sizeof(*d));
		return true;
	}
	return wrong(c, "%llu: an outcome of nothing", (unsigned long long)f->seq);
}

static bool take_of_source(struct fwa_testcheck *c, const struct fwa_frame *f)
{
	size_t i = source_index(c, f->source);
	uint64_t closes;
	bool admitted;

	if (!fwa_record_check(f->kind, f->body, &admitted, &closes))
		return wrong(c, "%llu: no body", (unsigned long long)f->seq);
	if (i == c->n_sources)
		return wrong(c, "%llu: no such source", (unsigned long long)f->seq);
	if (f->counter && f->counter != c->sources[i].counter + 1)
		return wrong(c, "%llu: counter %llu after %llu", (unsigned long long)f->seq,
			     (unsigned long long)f->counter,
			     (unsigned long long)c->sources[i].counter);
	if (f->counter)
		c->sources[i].counter = f->counter;
	if (f->kind == FWA_RECORD_OUTCOME)
		return take_outcome(c, f, closes);
	if (admitted)
		c->decisions[c->n_decisions++] =
			(struct fwa_open_decision){ f->source, f->counter, f->seq };
	return true;
}

static bool take_source_end(struct fwa_testcheck *c, const struct fwa_frame *f)
{
	size_t i = source_index(c, f->source);

	if (i == c->n_sources)
		return wrong(c, "%llu: ends no source", (unsigned long long)f->seq);
	for (size_t k = 0; k < c->n_decisions; k++)
		if (c->decisions[k].source == f->source)
			return wrong(c, "%llu: leaves open", (unsigned long long)f->seq);
	drop_source(c, i);
	return true;
}

static int by_seq(const void *a, const void *b)
{
	const struct fwa_open_decision *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* What the checkpoint says is open has to be what is. */
static bool compare_open(struct fwa_testcheck *c, const struct fwa_checkpoint *ck)
{
	struct fwa_open_source s;
	struct fwa_open_decision d;

	if (!c->state_known) {
		c->n_sources = ck->n_sources;
		c->n_decisions = ck->n_decisions;
		for (uint32_t i = 0; i < ck->n_sources; i++)
			fwa_checkpoint_source(ck, i, &c->sources[i]);
		for (uint32_t i = 0; i < ck->n_decisions; i++)
			fwa_checkpoint_decision(ck, i, &c->decisions[i]);
		return c->state_known = true;
	}
	if (c->n_sources != ck->n_sources || c->n_decisions != ck->n_decisions)
		return false;
	if (c->n_decisions)
		qsort(c->decisions, c->n_decisions, sizeof(*c->decisions), by_seq);
	for (uint32_t i = 0; i < ck->n_sources; i++)
		if (!fwa_checkpoint_source(ck, i, &s) || s.number != c->sources[i].number ||
		    s.counter != c->sources[i].counter || s.kind != c->sources[i].kind ||
		    memcmp(s.id, c->sources[i].id, 16) != 0 ||
		    strcmp(s.name, c->sources[i].name) != 0)
			return false;
	for (uint32_t i = 0; i < ck->n_decisions; i++)
		if (!fwa_checkpoint_decision(ck, i, &d) ||
		    memcmp(&d, &c->decisions[i], sizeof(d)) != 0)
			return false;
	return true;
}

/* --- records --------------------------------------------------------------------------------------------- */

static bool take_checkpoint(struct fwa_testcheck *c, const struct fwa_frame *f,
			    const uint8_t before[FWA_HASH_LEN])
{
	uint8_t root[FWA_HASH_LEN], bytes[FWA_STATEMENT_LEN];
	unsigned long long seq = f->seq;
	struct fwa_checkpoint ck;

	if (fwa_checkpoint_decode(f->body, &ck) < 0)
		return wrong(c, "%llu: no checkpoint", seq);
	fwa_statement_encode(bytes, &ck.statement);
	if (!fwa_signed_by(c->key, fwa_span(bytes, sizeof(bytes)), ck.signature) ||
	    memcmp(ck.statement.key, c->key, FWA_KEY_LEN) != 0)
		return wrong(c, "%llu: not signed", seq);
	if (ck.statement.seq != f->seq || ck.statement.time != f->time ||
	    memcmp(ck.statement.journal, c->journal, 16) != 0 ||
	    memcmp(ck.statement.head, before, FWA_HASH_LEN) != 0)
		return wrong(c, "%llu: states something else", seq);
	plain_root(c, root);
	if (c->tree_known && (memcmp(ck.statement.root, root, FWA_HASH_LEN) != 0 ||
			      ck.statement.first != (c->n_tree ? c->tree_first : f->seq)))
		return wrong(c, "%llu: another root", seq);
	if (!compare_open(c, &ck))
		return wrong(c, "%llu: other things are open", seq);
	c->tree_known = true;
	c->n_tree = 0;
	c->open_n = 0;
	c->n_checkpoints++;
	c->ends_with_handover = ck.why == FWA_CHECKPOINT_HANDOVER;
	if ((ck.why == FWA_CHECKPOINT_BEGIN && !c->at_front) ||
	    (ck.why == FWA_CHECKPOINT_HANDOVER && c->at_front))
		return wrong(c, "%llu: a checkpoint in the wrong place", seq);
	return true;
}

static bool take_start(struct fwa_testcheck *c, const struct fwa_frame *f)
{
	struct fwa_record_start r;

	if (fwa_record_start_decode(f->body, &r) < 0)
		return wrong(c, "%llu: no start", (unsigned long long)f->seq);
	c->n_starts++;
	c->n_cuts += r.cut_bytes != 0;
	if (r.damaged)
		c->damaged = r.damaged;
	return true;
}

static bool take_retired(struct fwa_testcheck *c, const struct fwa_frame *f)
{
	struct fwa_record_retired r;

	if (fwa_record_retired_decode(f->body, &r) < 0 || r.last >= f->seq || r.first > r.last)
		return wrong(c, "%llu: retires nonsense", (unsigned long long)f->seq);
	if (r.last > c->retired)
		c->retired = r.last;
	return true;
}

static bool take_kind(struct fwa_testcheck *c, const struct fwa_frame *f,
		      const uint8_t before[FWA_HASH_LEN])
{
	if (c->ends_with_handover && !c->at_front)
		return wrong(c, "%llu: behind a hand-over", (unsigned long long)f->seq);
	c->ends_with_handover = false;
	c->open_n += f->kind != FWA_RECORD_CHECKPOINT;
	if (c->open_n >= FWA_CHECKPOINT_RECORDS)
		return wrong(c, "%llu: no checkpoint for too long", (unsigned long long)f->seq);
	if (f->kind == FWA_RECORD_CHECKPOINT)
		return take_checkpoint(c, f, before);
	if (f->kind == FWA_RECORD_START)
		return take_start(c, f);
	if (f->kind == FWA_RECORD_RETIRED)
		return take_retired(c, f);
	if (!c->state_known)
		return true;
	if (f->kind == FWA_RECORD_SOURCE)
		return take_source(c, f);
	if (f->kind == FWA_RECORD_SOURCE_END)
		return take_source_end(c, f);
	return f->kind < FWA_RECORD_DECISION || take_of_source(c, f);
}

static bool take_record(struct fwa_testcheck *c, struct fwa_span bytes, const struct fwa_frame *f)
{
	uint8_t before[FWA_HASH_LEN];
	struct fwa_testcheck_record *r;

	memcpy(before, c->hash, sizeof(before));
	if (f->seq != c->last + 1)
		return wrong(c, "%llu after %llu", (unsigned long long)f->seq,
			     (unsigned long long)c->last);
	if (!fwa_frame_verify(bytes, f, c->hash))
		return wrong(c, "%llu: another hash", (unsigned long long)f->seq);
	if (!take_kind(c, f, before))
		return false;
	if (c->n_tree == 0)
		c->tree_first = f->seq;
	if (c->n_tree < MOST)
		memcpy(c->tree[c->n_tree++], c->hash, FWA_HASH_LEN);
	c->last = f->seq;
	c->at_front = false;
	memcpy(c->record, c->hash, FWA_HASH_LEN);
	if (c->n_records == c->cap_records) {
		c->cap_records = c->cap_records * 2 + 256;
		c->records = reallocarray(c->records, c->cap_records, sizeof(*c->records));
	}
	r = &c->records[c->n_records++];
	*r = (struct fwa_testcheck_record){ f->kind,   f->seq,     f->time,
					    f->source, f->counter, f->refers };
	fwa_sha256(f->body, r->body_sha256);
	return true;
}

/* --- segments ----------------------------------------------------------------------------------------------- */

static bool all_zero(struct fwa_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i])
			return false;
	return true;
}

static bool enter(struct fwa_testcheck *c, const struct fwa_segment *h,
		  const uint8_t header[FWA_SEGMENT_LEN])
{
	if (c->n_segments++ == 0) {
		memcpy(c->journal, h->journal, sizeof(c->journal));
		c->first = h->first;
		c->state_known = c->tree_known = h->first == 1;
		c->last = h->first - 1;
	} else if (memcmp(c->journal, h->journal, sizeof(c->journal)) != 0) {
		return wrong(c, "segment %llu is of another journal", (unsigned long long)h->first);
	} else if (memcmp(c->record, h->before, FWA_HASH_LEN) != 0) {
		return wrong(c, "segment %llu does not follow", (unsigned long long)h->first);
	}
	if (c->last != h->first - 1) {
		c->n_gaps++;
		c->last = h->first - 1;
		c->state_known = c->tree_known = false;
		c->n_tree = 0;
	}
	memcpy(c->key, h->key, FWA_KEY_LEN);
	fwa_segment_hash(header, c->hash);
	c->at_front = true;
	return true;
}

/* The records of @f before number @until, the next segment's; 0: it is the last. */
static bool check_segment(struct fwa_testcheck *c, const struct fwa_testfs_file *f, uint64_t until)
{
	struct fwa_span bytes = fwa_span(f->data, f->len);
	struct fwa_segment h;
	struct fwa_frame frame;
	size_t at = FWA_SEGMENT_LEN;
	char name[FWA_TESTFS_NAME];

	if (fwa_segment_decode(bytes, &h) < 0)
		return wrong(c, "%s: no header", f->name);
	snprintf(name, sizeof(name), "%016llx.fwj", (unsigned long long)h.first);
	if (strcmp(name, f->name) != 0)
		return wrong(c, "%s: begins with %llu", f->name, (unsigned long long)h.first);
	if (!enter(c, &h, f->data))
		return false;
	while (until == 0 || c->last + 1 < until) {
		struct fwa_span rest = fwa_span(f->data + at, f->len - at);
		int r = fwa_frame_parse(rest, &frame);

		if (r != 1 && until)
			return true; /* damage: the next header must know of it */
		if (r < 0)
			return wrong(c, "%s: no record at %zu", f->name, at);
		if (r == 0)
			break;
		if (!take_record(c, rest, &frame))
			return false;
		at += frame.len;
	}
	if (until == 0 && !all_zero(fwa_span(f->data + at, f->len - at)))
		return wrong(c, "%s: something behind %zu", f->name, at);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct fwa_testfs_file *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

bool fwa_testcheck(struct fwa_testfs *t, struct fwa_testcheck *c)
{
	struct fwa_testfs_file **files = calloc(t->n_files + 1, sizeof(struct fwa_testfs_file *));
	uint64_t next;
	size_t n = 0;

	*c = (struct fwa_testcheck){ 0 };
	c->tree = calloc(MOST, FWA_HASH_LEN);
	c->sources = calloc(MOST, sizeof(*c->sources));
	c->decisions = calloc(MOST, sizeof(*c->decisions));
	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i]->named && strstr(t->files[i]->name, ".fwj"))
			files[n++] = t->files[i];
	qsort(files, n, sizeof(struct fwa_testfs_file *), by_name);
	for (size_t i = 0; i < n && !c->bad; i++) {
		next = i + 1 < n ? strtoull(files[i + 1]->name, NULL, 16) : 0;
		check_segment(c, files[i], next);
	}
	free(files);
	return !c->bad;
}

void fwa_testcheck_clear(struct fwa_testcheck *c)
{
	free(c->tree);
	free(c->sources);
	free(c->decisions);
	free(c->records);
	*c = (struct fwa_testcheck){ 0 };
}

const struct fwa_testcheck_record *fwa_testcheck_find(const struct fwa_testcheck *c, uint64_t seq)
{
	size_t low = 0, high = c->n_records;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c->records[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n_records && c->records[low].seq == seq ? &c->records[low] : NULL;
}
