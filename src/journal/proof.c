/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs of inclusion. Which children a node has, and which of them is ours, follows from the numbers of record
 * and checkpoint: a proof that says otherwise is none.
 *
 *= spec/SECURITY-MODEL.md#C32
 */
#include "journal/sha256.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "journal/private.h"
#include "journal/verify.h"

#define LEAVES_MAX (FWA_CHECKPOINT_RECORDS + 1)

static void node_hash(const uint8_t (*children)[FWA_HASH_LEN], size_t n, uint8_t out[FWA_HASH_LEN])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, "FWJNODE1", 8);
	SHA256_Update(&ctx, children, n * FWA_HASH_LEN);
	SHA256_Final(out, &ctx);
}

/* How many children the node has in which entry @i of a level of @n entries is. */
static size_t children_of(uint64_t i, uint64_t n)
{
	uint64_t first = i - i % FWA_TREE_CHILDREN;

	return n - first < FWA_TREE_CHILDREN ? (size_t)(n - first) : FWA_TREE_CHILDREN;
}

/* --- making --------------------------------------------------------------------------------------- */

/* Goes from a level of @n hashes to the one above it, in place. How many there are then. */
static size_t level_up(uint8_t (*hashes)[FWA_HASH_LEN], size_t n)
{
	size_t up = 0;

	for (size_t i = 0; i < n; i += FWA_TREE_CHILDREN, up++) {
		uint8_t node[FWA_HASH_LEN];

		node_hash(hashes + i, children_of(i, n), node);
		memcpy(hashes[up], node, FWA_HASH_LEN);
	}
	return up;
}

/* The levels from hash @i of @n up to the root. */
static void make_levels(struct fwa_proof *p, uint8_t (*hashes)[FWA_HASH_LEN], size_t n, size_t i)
{
	while (n > 1) {
		struct fwa_proof_level *l = &p->levels[p->n_levels++];

		l->index = (uint8_t)(i % FWA_TREE_CHILDREN);
		l->n = (uint8_t)children_of(i, n);
		memcpy(l->children, hashes + i - l->index, (size_t)l->n * FWA_HASH_LEN);
		i /= FWA_TREE_CHILDREN;
		n = level_up(hashes, n);
	}
}

/* The checkpoint behind record @seq: what it says. 0, -EAGAIN when there is none yet, -errno. */
static int find_checkpoint(struct fwa_cursor *c, uint64_t seq, struct fwa_proof *p)
{
	struct fwa_checkpoint ck;
	struct fwa_frame f;
	int r = fwa_cursor_seek(c, seq + 1);

	while (r >= 0 && (r = fwa_cursor_next(c, &f)) > 0) {
		if (f.kind != FWA_RECORD_CHECKPOINT)
			continue;
		if (fwa_checkpoint_decode(f.body, &ck) < 0 || ck.statement.seq != f.seq ||
		    ck.statement.first > seq || f.seq - ck.statement.first > LEAVES_MAX)
			return -EBADMSG;
		p->statement = ck.statement;
		memcpy(p->signature, ck.signature, FWA_SIGNATURE_LEN);
		return 0;
	}
	return r ? r : -EAGAIN;
}

/* Collects the hashes of the tree; and the record itself, and what stands before it. */
static int collect(struct fwa_cursor *c, uint64_t seq, struct fwa_proof *p,
		   uint8_t (*hashes)[FWA_HASH_LEN])
{
	uint64_t at = p->statement.first;
	struct fwa_frame f;
	int r = fwa_cursor_seek(c, at);

	for (; r >= 0 && at < p->statement.seq; at++) {
		r = fwa_cursor_next(c, &f);
		if (r <= 0 || f.seq != at)
			return r < 0 ? r : -EBADMSG;
		memcpy(hashes[at - p->statement.first], f.hash, FWA_HASH_LEN);
		if (at != seq)
			continue;
		p->frame = malloc(f.len);
		if (!p->frame)
			return -ENOMEM;
		p->frame_len = f.len;
		memcpy(p->frame, fwa_cursor_bytes(c).data, f.len);
		fwa_cursor_before(c, p->before);
	}
	return r < 0 ? r : 0;
}

static int prove(struct fwa_cursor *c, uint64_t seq, struct fwa_proof *p)
{
	fwa_auto_free uint8_t(*hashes)[FWA_HASH_LEN] = calloc(LEAVES_MAX, sizeof(*hashes));
	struct fwa_frame f = { .seq = 0 };
	const char *why;
	int r;

	if (!hashes)
		return -ENOMEM;
	r = fwa_cursor_seek(c, seq);
	if (r == 0)
		r = fwa_cursor_next(c, &f);
	if (r <= 0 || f.seq != seq)
		return r < 0 ? r : -ENOENT;
	r = find_checkpoint(c, seq, p);
	if (r == 0)
		r = collect(c, seq, p, hashes);
	if (r < 0)
		return r;
	make_levels(p, hashes, (size_t)(p->statement.seq - p->statement.first),
		    (size_t)(seq - p->statement.first));
	return fwa_proof_holds(p, &why) ? 0 : -EBADMSG;
}

int fwa_prove(struct fwa_journal *j, uint64_t seq, struct fwa_proof *ret)
{
	struct fwa_cursor *c = fwa_cursor_new(j);
	struct fwa_proof p = { .frame = NULL };
	int r = c ? prove(c, seq, &p) : -ENOMEM;

	fwa_cursor_free(c);
	if (r < 0)
		fwa_proof_clear(&p);
	else
		*ret = p;
	return r;
}

void fwa_proof_clear(struct fwa_proof *p)
{
	free(p->frame);
	*p = (struct fwa_proof){ .frame = NULL };
}

/* --- judging -------------------------------------------------------------------------------------- */

/* From @hash, which is number @i of @n, up to the root. False when a level is not as it has to be. */
static bool climb(const struct fwa_proof *p, uint64_t i, uint64_t n, uint8_t hash[FWA_HASH_LEN])
{
	uint32_t level = 0;

	for (; n > 1; level++) {
		uint8_t children[FWA_TREE_CHILDREN][FWA_HASH_LEN];
		const struct fwa_proof_level *l = &p->levels[level];

		if (level == p->n_levels || l->index != i % FWA_TREE_CHILDREN ||
		    l->n != children_of(i, n))
			return false;
		memcpy(children, l->children, sizeof(children));
		memcpy(children[l->index], hash, FWA_HASH_LEN);
		node_hash(children, l->n, hash);
		i /= FWA_TREE_CHILDREN;
		n = (n + FWA_TREE_CHILDREN - 1) / FWA_TREE_CHILDREN;
	}
	return level == p->n_levels;
}

static const char *judge(const struct fwa_proof *p)
{
	const struct fwa_statement *s = &p->statement;
	struct fwa_span bytes = fwa_span(p->frame, p->frame_len);
	uint8_t hash[FWA_HASH_LEN], message[FWA_STATEMENT_LEN];
	struct fwa_frame f;

	if (p->n_levels > FWA_PROOF_LEVELS || fwa_frame_parse(bytes, &f) != 1 || f.len != bytes.len)
		return "it has no record";
	memcpy(hash, p->before, FWA_HASH_LEN);
	if (!fwa_frame_verify(bytes, &f, hash))
		return "the record's hash is another one";
	if (f.seq < s->first || f.seq >= s->seq)
		return "the checkpoint is not one of this record";
	if (!climb(p, f.seq - s->first, s->seq - s->first, hash))
		return "its tree has another form";
	if (memcmp(hash, s->root, FWA_HASH_LEN) != 0)
		return "the tree's root is another one";
	fwa_statement_encode(message, s);
	if (!fwa_signed_by(s->key, fwa_span(message, sizeof(message)), p->signature))
		return "the checkpoint's signature is wrong";
	return NULL;
}

bool fwa_proof_holds(const struct fwa_proof *p, const char **ret_why)
{
	const char *why = judge(p);

	if (why)
		*ret_why = why;
	return !why;
}
