/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a segment: cut into runs, given to be checked, and put together again in their order.
 */
#include "base/util.h"
#include "journal/verify-private.h"

/* --- cutting -------------------------------------------------------------------------------------- */

struct plan {
	size_t at;
	uint64_t seq;
	const uint8_t *before;
	bool tree, has_leaf;
	uint8_t leaf[FWA_HASH_LEN];
	bool ended;
};

/* From where all is good. */
static void plan_begin(const struct fwa_verification *v, struct plan *p)
{
	*p = (struct plan){ .at = v->at, .seq = v->seq };
	p->before = v->at > FWA_SEGMENT_LEN ? v->map.bytes.data + v->at - FWA_HASH_LEN : v->head;
	p->tree = v->known && v->n_leaves <= 1;
	p->has_leaf = v->n_leaves;
	memcpy(p->leaf, v->leaves[0], FWA_HASH_LEN);
}

/* From behind @r, if it is good. */
static void plan_on(struct plan *p, const struct fwa_run *r)
{
	p->ended = r->end == FWA_RUN_LAST || r->end == FWA_RUN_BROKEN;
	p->at = r->to;
	p->seq = r->seq + r->planned;
	p->before = r->file.data + r->to - FWA_HASH_LEN;
	p->tree = p->has_leaf = r->end == FWA_RUN_CHECKPOINT;
	memcpy(p->leaf, p->before, FWA_HASH_LEN);
}

static void fill(const struct fwa_verification *v, const struct plan *p, struct fwa_run *r)
{
	r->file = v->map.bytes;
	r->from = p->at;
	r->seq = p->seq;
	r->next = v->next;
	memcpy(r->before, p->before, FWA_HASH_LEN);
	memcpy(r->journal, v->journal, sizeof(r->journal));
	memcpy(r->key, v->key, FWA_KEY_LEN);
	r->tree = p->tree;
	r->has_leaf = p->has_leaf;
	memcpy(r->leaf, p->leaf, FWA_HASH_LEN);
}

static void give_runs(struct fwa_verification *v, struct plan *p)
{
	struct fwa_run *r;

	while (!p->ended && (r = fwa_pool_room(v->pool))) {
		fill(v, p, r);
		if (!fwa_pool_is_lazy(v->pool)) {
			fwa_run_plan(r);
			plan_on(p, r);
		}
		fwa_pool_give(v->pool);
	}
}

/* --- trees ---------------------------------------------------------------------------------------- */

void fwa_leaves_begin(struct fwa_verification *v, uint64_t first, const uint8_t *hash, bool known)
{
	v->leaf_first = first;
	v->known = known;
	v->since = 0;
	v->n_leaves = 0;
	if (hash)
		memcpy(v->leaves[v->n_leaves++], hash, FWA_HASH_LEN);
}

static const uint8_t *hash_of(const struct fwa_run *r, const struct fwa_note *n)
{
	return r->file.data + n->offset + n->len - FWA_HASH_LEN;
}

/* The tree of a checkpoint over records of which the run has not all. */
static bool check_tree(struct fwa_verification *v, const struct fwa_run *r,
		       const struct fwa_note *n)
{
	const struct fwa_statement *s = &r->checkpoint.statement;
	uint8_t root[FWA_HASH_LEN];
	struct fwa_tree tree;
	uint64_t skip = s->first - v->leaf_first;

	if (!v->known && s->first < v->leaf_first)
		return true;
	fwa_tree_init(&tree);
	for (uint64_t i = skip; i < v->n_leaves; i++)
		fwa_tree_add(&tree, v->leaves[i]);
	fwa_tree_root(&tree, root);
	if (skip <= !v->known && memcmp(root, s->root, FWA_HASH_LEN) == 0)
		return true;
	fwa_found(&v->found, FWA_FAULT_ROOT, v->seq, n->offset, "it was signed over other records");
	return false;
}

/* --- putting together ----------------------------------------------------------------------------- */

static bool same_statement(const struct fwa_statement *a, const struct fwa_statement *b)
{
	uint8_t x[FWA_STATEMENT_LEN], y[FWA_STATEMENT_LEN];

	fwa_statement_encode(x, a);
	fwa_statement_encode(y, b);
	return memcmp(x, y, sizeof(x)) == 0;
}

static bool check_kept(struct fwa_verification *v, const struct fwa_run *r,
		       const struct fwa_note *n)
{
	const struct fwa_statement *kept = fwa_verify_kept(v, v->seq);

	if (!kept ||
	    (n->kind == FWA_RECORD_CHECKPOINT && same_statement(kept, &r->checkpoint.statement)))
		return true;
	fwa_found(&v->found, FWA_FAULT_CHECKPOINT, v->seq, n->offset,
		  "another checkpoint was kept of this place");
	return false;
}

/* What a checkpoint changes, or a record without one. */
static void count(struct fwa_verification *v, const struct fwa_run *r, const struct fwa_note *n)
{
	if (n->kind != FWA_RECORD_CHECKPOINT) {
		v->handed_over = false;
		v->since++;
		if (!r->tree || !r->has_checkpoint)
			memcpy(v->leaves[v->n_leaves++], hash_of(r, n), FWA_HASH_LEN);
		return;
	}
	v->handed_over = r->checkpoint.why == FWA_CHECKPOINT_HANDOVER;
	v->v->checkpoints++;
	v->v->signed_until = v->seq;
	fwa_leaves_begin(v, v->seq, hash_of(r, n), true);
}

/* Takes a good record of @r. False with a fault that only the order shows. */
static bool take(struct fwa_verification *v, const struct fwa_run *r, const struct fwa_note *n)
{
	struct fwa_frame f = { .len = 0 };

	if (n->kind != FWA_RECORD_CHECKPOINT && v->since == FWA_CHECKPOINT_RECORDS) {
		fwa_found(&v->found, FWA_FAULT_UNSIGNED, v->seq, n->offset,
			  "%u records before it were not signed", FWA_CHECKPOINT_RECORDS);
		return false;
	}
	if (n->kind < FWA_RECORD_DECISION)
		fwa_frame_parse(fwa_span(r->file.data + n->offset, n->len), &f);
	if (!fwa_follow_take(v->follow, v->seq, n, f.body, &v->found) || !check_kept(v, r, n))
		return false;
	if (n->kind == FWA_RECORD_RETIRED)
		fwa_verify_retired(v, f.body);
	count(v, r, n);
	v->seq++;
	v->at = n->offset + n->len;
	v->v->records++;
	v->v->bytes += n->len;
	v->tries = 0;
	return true;
}

/* Takes all of @r. False with a fault. */
static bool take_run(struct fwa_verification *v, const struct fwa_run *r)
{
	bool last_is_checkpoint = r->has_checkpoint && !r->tree;

	for (size_t i = 0; i < r->n && !v->done; i++) {
		if (last_is_checkpoint && r->notes[i].kind == FWA_RECORD_CHECKPOINT &&
		    !check_tree(v, r, &r->notes[i]))
			return false;
		if (!take(v, r, &r->notes[i]))
			return false;
		v->done = v->seq > v->to && r->notes[i].kind == FWA_RECORD_CHECKPOINT;
	}
	if (v->done || r->found.fault == FWA_FAULT_NONE)
		return true;
	/* The tree comes before the signature. */
	if (last_is_checkpoint &&
	    (r->found.fault == FWA_FAULT_KEY || r->found.fault == FWA_FAULT_SIGNATURE) &&
	    !check_tree(v, r, &r->notes[r->n]))
		return false;
	v->found = r->found;
	return false;
}

bool fwa_verify_records(struct fwa_verification *v)
{
	enum fwa_run_end end = FWA_RUN_LAST;
	bool good = true;
	struct fwa_run *r;
	struct plan p;

	plan_begin(v, &p);
	give_runs(v, &p);
	while (good && !v->done && (r = fwa_pool_take(v->pool))) {
		good = take_run(v, r);
		end = r->end;
		if (fwa_pool_is_lazy(v->pool))
			plan_on(&p, r);
		fwa_pool_drop(v->pool);
		if (v->o->progress)
			v->o->progress(v->o->arg, v->seq - 1);
		if (good)
			give_runs(v, &p);
	}
	fwa_pool_clear(v->pool);
	if (v->at > FWA_SEGMENT_LEN)
		memcpy(v->hash, v->map.bytes.data + v->at - FWA_HASH_LEN, FWA_HASH_LEN);
	if (!good || v->done || end != FWA_RUN_BROKEN)
		return good;
	fwa_found(&v->found, FWA_FAULT_FRAME, v->seq, v->at, "no record is there");
	return false;
}
