/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree that grows, against one that is made of all its hashes at once; and fixed roots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "journal/format.h"

#define MOST 4400u /* three levels, and into the fourth */

static uint8_t leaves[MOST][FWA_HASH_LEN];

static void root_at_once(size_t n, uint8_t out[FWA_HASH_LEN])
{
	static uint8_t level[MOST + 1][FWA_HASH_LEN];
	uint8_t node[8 + 16 * FWA_HASH_LEN] = "FWJNODE1";

	memset(level[0], 0, FWA_HASH_LEN);
	memcpy(level, leaves, n * FWA_HASH_LEN);
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
}

static void test_every_size(void **state)
{
	uint8_t grown[FWA_HASH_LEN], whole[FWA_HASH_LEN];
	static struct fwa_tree t;

	fwa_tree_init(&t);
	for (size_t n = 0; n < MOST; n++) {
		if (n < 600 || n % 16 < 2 || n > 4090) {
			fwa_tree_root(&t, grown);
			root_at_once(n, whole);
			assert_memory_equal(grown, whole, FWA_HASH_LEN);
		}
		assert_int_equal(t.n, n);
		fwa_tree_add(&t, leaves[n]);
	}
	fwa_tree_init(&t);
	fwa_tree_root(&t, grown);
	root_at_once(0, whole);
	assert_memory_equal(grown, whole, FWA_HASH_LEN);
}

/* Calculated by another program: the definition must not change with the code. */
static void test_fixed_roots(void **state)
{
	static const struct {
		size_t n;
		const char *root;
	} roots[] = {
		{ 0, "0000000000000000000000000000000000000000000000000000000000000000" },
		{ 1, "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc" },
		{ 2, "6ca92fe8e13065a2947fd7fe16448a0184f160078706c9a7dbbf61eb5627fdd5" },
		{ 16, "bc539ca32dc9b1d40b3bee712071f1ed7104017dd9330ab489db752b6dd13d30" },
		{ 17, "57dea536d91ab7f07ee38c234c777d504b35d800251c32503e3813b32e5cbe05" },
		{ 4095, "26ac5c7611475403c16b11dc6ecabe92940bda583b553b027f1c4d08f751d02e" },
	};
	uint8_t root[FWA_HASH_LEN];
	char hex[2 * FWA_HASH_LEN + 1];
	static struct fwa_tree t;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		fwa_tree_init(&t);
		for (size_t n = 0; n < roots[i].n; n++)
			fwa_tree_add(&t, leaves[n]);
		fwa_tree_root(&t, root);
		fwa_hex_text(root, sizeof(root), hex);
		assert_string_equal(hex, roots[i].root);
	}
}

static int make_leaves(void **state)
{
	for (size_t i = 0; i < MOST; i++) {
		uint8_t n[8];

		fwa_put_le64(n, i);
		fwa_sha256(fwa_span(n, 8), leaves[i]);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_fixed_roots),
	};

	return cmocka_run_group_tests(tests, make_leaves, NULL);
}
