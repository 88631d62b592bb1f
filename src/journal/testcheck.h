/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests: whether all of a journal that is in memory is as the format says. It shares the codecs with the
 * store, and nothing else: what is open, trees and segments' ends it works out by itself, the plain way.
 */
#pragma once

#include "journal/format.h"
#include "journal/testfs.h"

struct fwa_testcheck_record {
	uint8_t kind;
	uint64_t seq, time, source, counter, refers;
	uint8_t body_sha256[FWA_HASH_LEN];
};

struct fwa_testcheck {
	bool bad;
	char why[256]; /* and where */
	struct fwa_testcheck_record *records;
	size_t n_records, cap_records;
	struct fwa_open_source *sources;
	struct fwa_open_decision *decisions;
	size_t n_sources, n_decisions;
	size_t n_segments, n_checkpoints, n_starts, n_cuts, n_gaps;
	uint64_t first, last, retired, damaged, open_n;
	bool ends_with_handover;
	bool state_known; /* what is open: after the first checkpoint, or from number 1 on */
	/* within */
	uint8_t hash[FWA_HASH_LEN], record[FWA_HASH_LEN],
		(*tree)[FWA_HASH_LEN], journal[16], key[FWA_KEY_LEN];
	size_t n_tree;
	uint64_t tree_first;
	bool tree_known, at_front;
};

/* True when all is well. What was found is in *c, to be cleared in any case. */
bool fwa_testcheck(struct fwa_testfs *t, struct fwa_testcheck *c);
void fwa_testcheck_clear(struct fwa_testcheck *c);
const struct fwa_testcheck_record *fwa_testcheck_find(const struct fwa_testcheck *c, uint64_t seq);
