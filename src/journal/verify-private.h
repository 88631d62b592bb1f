/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a verification.
 *
 * 1. A segment is cut into runs: records up to and with the next checkpoint. Finding their ends reads no
 *    more than each record's length. Runs are checked by themselves, by any thread: each record carries
 *    its hash, so a run begins with the one before it, which the run before has to arrive at.
 * 2. What needs the order (counters, decisions without an outcome) is followed afterwards by one thread,
 *    over notes which the runs leave. So the first fault is always the first one.
 */
#pragma once

#include "journal/private.h"
#include "journal/verify.h"

#define FWA_RUN_RECORDS (FWA_CHECKPOINT_RECORDS + 1)

struct fwa_finding {
	enum fwa_verify_fault fault;
	uint64_t bad;
	size_t offset;
	char why[sizeof(((struct fwa_verified *)0)->why)];
};

/* Notes a fault. Its first argument may not have one yet. */
void fwa_found(struct fwa_finding *f, enum fwa_verify_fault fault, uint64_t bad, size_t offset,
	       const char *why, ...) __attribute__((format(printf, 5, 6)));

/* --- runs ----------------------------------------------------------------------------------------- */

struct fwa_note {
	size_t offset;
	uint64_t source, counter, refers, closes;
	uint32_t len;
	uint8_t kind;
	bool admitted;
};

enum fwa_run_end {
	FWA_RUN_CHECKPOINT, /* a checkpoint */
	FWA_RUN_FULL,       /* as many records as a run may have */
	FWA_RUN_LAST,       /* records end here */
	FWA_RUN_BROKEN,     /* what follows has no length */
};

struct fwa_run {
	/* what is to be checked */
	struct fwa_span file;
	size_t from;
	uint64_t seq;  /* that the first one has to have */
	uint64_t next; /* that the next segment begins with; 0: none */
	uint8_t before[FWA_HASH_LEN];
	uint8_t journal[16], key[FWA_KEY_LEN];
	/* What it begins behind is the first of its tree; or nothing is. */
	bool tree, has_leaf;
	uint8_t leaf[FWA_HASH_LEN];
	/* where it ends, by the lengths of records alone */
	size_t to, planned; /* the place, and how many records there should be */
	enum fwa_run_end end;
	/* what was found */
	struct fwa_finding found;
	size_t n; /* good records; notes of them, and of the bad one as far as that goes */
	struct fwa_checkpoint checkpoint;
	bool has_checkpoint; /* the last one, good or bad, is one */
	struct fwa_note notes[FWA_RUN_RECORDS];
};

/* Finds out where the run ends. */
void fwa_run_plan(struct fwa_run *r);
/* Checks it, and finds out where it ends on the way: whoever has not planned reads all of it once only. */
void fwa_run_check(struct fwa_run *r);

/* --- threads -------------------------------------------------------------------------------------- */

/* Runs that are checked in the order in which they were given, by as many threads as there may be. */
struct fwa_pool;
struct fwa_pool *fwa_pool_new(unsigned int threads); /* NULL: memory */
void fwa_pool_free(struct fwa_pool *p);
/* Whether runs are checked only when they are taken, and need no plan. */
bool fwa_pool_is_lazy(const struct fwa_pool *p);
/* A run to fill; NULL when all are being checked. */
struct fwa_run *fwa_pool_room(struct fwa_pool *p);
void fwa_pool_give(struct fwa_pool *p); /* what was filled is to be checked */
/* The oldest run, when it was checked; NULL when there is none. It stays until fwa_pool_drop(). */
struct fwa_run *fwa_pool_take(struct fwa_pool *p);
void fwa_pool_drop(struct fwa_pool *p);
/* Waits for all runs and forgets them. */
void fwa_pool_clear(struct fwa_pool *p);

/* --- what goes on from record to record ----------------------------------------------------------- */

struct fwa_follow;
struct fwa_follow *fwa_follow_new(void); /* NULL: memory */
void fwa_follow_free(struct fwa_follow *f);
/* Nothing is known of what was before: the next checkpoint says it. */
void fwa_follow_reset(struct fwa_follow *f, bool from_nothing);
/* Takes the record @seq, which is good in itself; @body is its body. False with a fault in @found. */
bool fwa_follow_take(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		     struct fwa_span body, struct fwa_finding *found);
/* The open decisions. */
uint64_t fwa_follow_open(const struct fwa_follow *f);

/* --- a verification ------------------------------------------------------------------------------- */

#define FWA_GAPS_MAX 64u

/* Numbers that are missing. A record of the retirement of the last of them allows that. */
struct fwa_gap {
	uint64_t from, to;
	uint8_t before[FWA_HASH_LEN]; /* what the segment behind it follows */
	bool allowed;
};

struct fwa_verification {
	struct fwa_journal *j;
	const struct fwa_verify_options *o;
	struct fwa_verified *v;
	struct fwa_pool *pool;
	struct fwa_follow *follow;
	struct fwa_finding found;
	uint64_t from, to; /* as asked for, and all that was kept */

	/* The segment, the one after it (0: none), and how its chain begins. */
	struct fwa_map map;
	uint64_t first, next;
	uint8_t head[FWA_HASH_LEN], before[FWA_HASH_LEN]; /* and what its header says it follows */
	uint8_t journal[16], key[FWA_KEY_LEN];
	bool begun; /* these two are those of the first one */

	/* Up to where all is good: the next number, its place, the hash before it. */
	uint64_t seq;
	size_t at;
	uint8_t hash[FWA_HASH_LEN];
	uint64_t since; /* records since the last checkpoint */
	bool handed_over, done;
	unsigned int tries;

	/*
	 * Hashes from record @leaf_first on, for the next checkpoint's tree: while it is not @known what
	 * that begins with, from the record before the first one that was read.
	 */
	uint8_t leaves[FWA_RUN_RECORDS][FWA_HASH_LEN];
	size_t n_leaves;
	uint64_t leaf_first;
	bool known;

	struct fwa_gap gaps[FWA_GAPS_MAX];
	size_t n_gaps;
	uint64_t retired; /* the greatest number of which a record says that it is retired */
};

/* Goes on as behind a checkpoint or at the beginning; or as in the middle. */
void fwa_leaves_begin(struct fwa_verification *v, uint64_t first, const uint8_t *hash, bool known);
/*
 * Verifies from v->at to the end of the segment, or to v->to (v->done is set). False with a fault in v->found:
 * also where there is something that is no record. Else v->at is where records end.
 */
bool fwa_verify_records(struct fwa_verification *v);
/* Whether @seq is one that was kept, and of which checkpoint; NULL. */
const struct fwa_statement *fwa_verify_kept(const struct fwa_verification *v, uint64_t seq);
/* Notes what a record of retirement says. */
void fwa_verify_retired(struct fwa_verification *v, struct fwa_span body);
