/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree over the records of a checkpoint. Of each level only the children that do not make a whole node
 * yet are kept; the root closes the levels from below, without changing them.
 */
#include "journal/format.h"
#include "journal/sha256.h"

#define LEVELS 8 /* 2^32 records: far more than between two checkpoints */

static void node_hash(uint8_t (*children)[FWA_HASH_LEN], size_t n, uint8_t out[FWA_HASH_LEN])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, "FWJNODE1", 8);
	SHA256_Update(&ctx, children, n * FWA_HASH_LEN);
	SHA256_Final(out, &ctx);
}

void fwa_tree_init(struct fwa_tree *t)
{
	t->n = 0;
	memset(t->used, 0, sizeof(t->used));
}

void fwa_tree_add(struct fwa_tree *t, const uint8_t hash[FWA_HASH_LEN])
{
	uint8_t up[FWA_HASH_LEN];

	memcpy(up, hash, FWA_HASH_LEN);
	t->n++;
	for (int level = 0; level < LEVELS; level++) {
		memcpy(t->nodes[level][t->used[level]++], up, FWA_HASH_LEN);
		if (t->used[level] < FWA_TREE_CHILDREN)
			return;
		node_hash(t->nodes[level], FWA_TREE_CHILDREN, up);
		t->used[level] = 0;
	}
}

/* Whether a level above @level has anything. */
static bool any_above(const struct fwa_tree *t, int level)
{
	while (++level < LEVELS)
		if (t->used[level])
			return true;
	return false;
}

void fwa_tree_root(const struct fwa_tree *t, uint8_t out[FWA_HASH_LEN])
{
	uint8_t children[FWA_TREE_CHILDREN][FWA_HASH_LEN], up[FWA_HASH_LEN] = { 0 };
	size_t n, carried = 0;

	for (int level = 0; level < LEVELS; level++) {
		n = t->used[level];
		memcpy(children, t->nodes[level], n * FWA_HASH_LEN);
		if (carried)
			memcpy(children[n++], up, FWA_HASH_LEN);
		if (n == 0)
			continue;
		if (n == 1 && !any_above(t, level)) {
			memcpy(up, children[0], FWA_HASH_LEN);
			break;
		}
		node_hash(children, n, up);
		carried = 1;
	}
	memcpy(out, up, FWA_HASH_LEN);
}
