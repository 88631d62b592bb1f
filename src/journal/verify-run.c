/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a run, each by itself, in this order: it is a record, has the next number, the hash is
 * right, the body is one of its kind; and the checkpoint at its end.
 */
#include <stdarg.h>

#include "base/util.h"
#include "journal/verify-private.h"

#define AHEAD 1024
#define CACHE_LINE 64

void fwa_found(struct fwa_finding *f, enum fwa_verify_fault fault, uint64_t bad, size_t offset,
	       const char *why, ...)
{
	va_list args;

	f->fault = fault;
	f->bad = bad;
	f->offset = offset;
	va_start(args, why);
	vsnprintf(f->why, sizeof(f->why), why, args);
	va_end(args);
}

/* Whether the run ends at @at, behind @n records; else *ret_len is the length of what stands there. */
static bool ends(struct fwa_run *r, size_t at, size_t n, size_t *ret_len)
{
	size_t room = r->file.len - at, len;

	r->to = at;
	r->planned = n;
	r->end = FWA_RUN_FULL;
	if (n == FWA_RUN_RECORDS)
		return true;
	r->end = FWA_RUN_LAST;
	len = room < 4 || (r->next && n == r->next - r->seq) ? 0 : fwa_le32(r->file.data + at);
	if (!len)
		return true;
	r->end = FWA_RUN_BROKEN;
	*ret_len = len;
	return len < FWA_FRAME_LEN + FWA_HASH_LEN || len % 8 || len > room;
}

static void end_behind_checkpoint(struct fwa_run *r, size_t at, size_t n)
{
	r->to = at;
	r->planned = n;
	r->end = FWA_RUN_CHECKPOINT;
}

/* What is read of each record alone is too far apart for the processor to see that more of it is wanted. */
static void fetch_ahead(const struct fwa_run *r, size_t at, size_t len)
{
	size_t from = at + AHEAD, to = from + len;

	for (; from < to && from < r->file.len; from += CACHE_LINE)
		__builtin_prefetch(r->file.data + from);
}

void fwa_run_plan(struct fwa_run *r)
{
	size_t at = r->from, n = 0, len;

	while (!ends(r, at, n, &len)) {
		uint8_t kind = r->file.data[at + 4];

		fetch_ahead(r, at, len);
		at += len;
		n++;
		if (kind == FWA_RECORD_CHECKPOINT) {
			end_behind_checkpoint(r, at, n);
			return;
		}
	}
}

/* --- bodies --------------------------------------------------------------------------------------- */

static bool check_own_body(uint8_t kind, struct fwa_span body)
{
	union {
		struct fwa_record_start start;
		struct fwa_record_retired retired;
		struct fwa_record_clock clock;
		struct fwa_record_source source;
		struct fwa_record_source_end end;
		struct fwa_record_object object;
	} as;

	switch (kind) {
	case FWA_RECORD_START:
		return fwa_record_start_decode(body, &as.start) == 0;
	case FWA_RECORD_RETIRED:
		return fwa_record_retired_decode(body, &as.retired) == 0;
	case FWA_RECORD_CLOCK:
		return fwa_record_clock_decode(body, &as.clock) == 0;
	case FWA_RECORD_SOURCE:
		return fwa_record_source_decode(body, &as.source) == 0;
	case FWA_RECORD_SOURCE_END:
		return fwa_record_source_end_decode(body, &as.end) == 0;
	case FWA_RECORD_OBJECT:
		return fwa_record_object_decode(body, &as.object) == 0;
	default:
		return true; /* of a later version */
	}
}

static bool check_body(struct fwa_run *r, const struct fwa_frame *f, struct fwa_note *n)
{
	if (f->kind == FWA_RECORD_CHECKPOINT)
		return fwa_checkpoint_decode(f->body, &r->checkpoint) == 0;
	if (f->kind >= FWA_RECORD_DECISION && fwa_record_kind_name(f->kind))
		return fwa_record_check(f->kind, f->body, &n->admitted, &n->closes);
	n->admitted = false;
	n->closes = 0;
	return check_own_body(f->kind, f->body);
}

/* --- checkpoints ---------------------------------------------------------------------------------- */

/* What the tree has to be, which @tree is one of, when that is known. */
static bool is_tree(const struct fwa_run *r, const struct fwa_statement *s,
		    const struct fwa_tree *tree)
{
	uint64_t first = r->has_leaf ? r->seq - 1 : r->seq;
	uint8_t root[FWA_HASH_LEN];

	if (!r->tree)
		return true;
	fwa_tree_root(tree, root);
	return s->first == first && memcmp(s->root, root, FWA_HASH_LEN) == 0;
}

/* A checkpoint and what is before it; its lists are for later. */
static bool check_checkpoint(struct fwa_run *r, const struct fwa_frame *f,
			     const uint8_t head[FWA_HASH_LEN], const struct fwa_tree *tree)
{
	const struct fwa_statement *s = &r->checkpoint.statement;
	const char *why = NULL;
	enum fwa_verify_fault fault = FWA_FAULT_ROOT;

	if (memcmp(s->journal, r->journal, sizeof(s->journal)) != 0)
		why = "its statement is of another journal";
	else if (s->seq != f->seq || s->time != f->time)
		why = "its statement is of another record";
	else if (memcmp(s->head, head, FWA_HASH_LEN) != 0)
		why = "it was signed behind another record";
	else if (!is_tree(r, s, tree))
		why = "it was signed over other records";
	else if (memcmp(s->key, r->key, FWA_KEY_LEN) != 0)
		fault = FWA_FAULT_KEY, why = "it names another key";
	else if (!fwa_signed_by(r->key, fwa_span(f->body.data, FWA_STATEMENT_LEN),
				r->checkpoint.signature))
		fault = FWA_FAULT_SIGNATURE, why = "its signature is not one of its key";
	if (why)
		fwa_found(&r->found, fault, f->seq, r->notes[r->n].offset, "%s", why);
	return !why;
}

/* --- records -------------------------------------------------------------------------------------- */

/* One record at @at: false with a fault. @hash goes on to its own. */
static bool check_record(struct fwa_run *r, size_t at, uint8_t hash[FWA_HASH_LEN],
			 struct fwa_tree *tree, struct fwa_frame *f)
{
	struct fwa_span bytes = fwa_span(r->file.data + at, r->file.len - at);
	struct fwa_note *n = &r->notes[r->n];
	uint64_t seq = r->seq + r->n;
	uint8_t head[FWA_HASH_LEN];

	if (fwa_frame_parse(bytes, f) <= 0) {
		fwa_found(&r->found, FWA_FAULT_FRAME, seq, at, "no record is there");
		return false;
	}
	if (f->seq != seq) {
		fwa_found(&r->found, FWA_FAULT_SEQUENCE, seq, at, "record %llu stands there",
			  (unsigned long long)f->seq);
		return false;
	}
	memcpy(head, hash, FWA_HASH_LEN);
	if (!fwa_frame_verify(bytes, f, hash)) {
		fwa_found(&r->found, FWA_FAULT_HASH, seq, at,
			  "its hash is not that of its bytes behind the record before");
		return false;
	}
	*n = (struct fwa_note){ at, f->source, f->counter, f->refers, 0, f->len, f->kind, false };
	if (!check_body(r, f, n)) {
		const char *name = fwa_record_kind_name(f->kind);

		fwa_found(&r->found, FWA_FAULT_BODY, seq, at, "its body is no %s", name);
		return false;
	}
	if (f->kind == FWA_RECORD_CHECKPOINT) {
		r->has_checkpoint = true;
		return check_checkpoint(r, f, head, tree);
	}
	if (r->tree)
		fwa_tree_add(tree, hash);
	return true;
}

void fwa_run_check(struct fwa_run *r)
{
	uint8_t hash[FWA_HASH_LEN];
	struct fwa_tree tree;
	struct fwa_frame f;
	size_t at = r->from, len;

	memcpy(hash, r->before, FWA_HASH_LEN);
	fwa_tree_init(&tree);
	if (r->tree && r->has_leaf)
		fwa_tree_add(&tree, r->leaf);
	r->n = 0;
	r->has_checkpoint = false;
	r->found.fault = FWA_FAULT_NONE;
	while (!ends(r, at, r->n, &len) && check_record(r, at, hash, &tree, &f)) {
		r->n++;
		at += f.len;
		if (f.kind == FWA_RECORD_CHECKPOINT) {
			end_behind_checkpoint(r, at, r->n);
			return;
		}
	}
}
