/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a journal survives a state of the disk: opened, its sources ended or taken up again, all of it is as
 * the format says, and what was said to be durable is there. What is cut is worked out here a second time.
 */
#pragma once

#include "crash-model.h"
#include "journal/store.h"

/* A record that somebody has put in; of those that were said to be durable each has to be there. */
struct crash_told {
	uint8_t kind; /* 0: not known */
	uint8_t body_sha256[FWA_HASH_LEN];
};

struct crash_check {
	struct fwa_store_options options;
	struct fwa_times now;
	/* By what the durable words count: word 0 numbers of the journal, the others counters of sources. */
	const struct crash_told *told[CRASH_WORDS];
	size_t n_told[CRASH_WORDS];
	uint8_t ids[CRASH_WORDS][16]; /* of those sources */
	const char *dir;              /* for what fwa_verify() is to read; NULL: nothing */
	/* found */
	uint64_t states, cuts, resumed, verified, second;
	uint64_t bad;
	char why[320]; /* of the first bad one */
};

/* Recovers @t, and looks at all of it. @variant chooses who comes back. False: it is bad; noted in @c. */
bool crash_survives(struct crash_check *c, struct fwa_testfs *t,
		    const uint64_t durable[CRASH_WORDS], uint64_t variant);
