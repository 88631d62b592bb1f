/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lives of the store whose steps are recorded (crash-life.c), and what tries their states (crash.c). */
#pragma once

#include "crash-check.h"

struct crash_run {
	struct crash_check c;
	uint64_t seed, salt;
	uint64_t at_end[CRASH_WORDS]; /* what is durable after the last step */
	size_t tears, randoms;        /* of each write, and states of each step */
	size_t sparse;                /* of so many states one is tried */
	size_t n_lives;
	size_t second_every; /* one in so many states is recovered from with another cut; 0: none */
};

/* Tries the states after each step of @trace, which began with the files of @base. */
void crash_try(struct crash_run *run, const struct crash_trace *trace,
	       const struct fwa_testfs *base);

#define CRASH_TOLD_MAX 16384u

/* A life, and what it was told. */
struct crash_life {
	struct fwa_testfs t;
	struct crash_trace trace;
	struct crash_told told[CRASH_TOLD_MAX];
	uint64_t durable;
};

enum crash_plan {
	CRASH_LIFE_BUSY,   /* sources, checkpoints, hand-overs, retirement, objects */
	CRASH_LIFE_KILLED, /* the same, and the writer is killed, or ends in order, and comes again */
	CRASH_LIFE_ERRORS, /* errors of each kind, and repair */
	CRASH_LIFE_FULL,   /* no space for a while */
	CRASH_LIFE_LARGE,  /* commits as large as may be */
	CRASH_LIVES,
};

/* Lives @plan by @seed; @no_sync: its syncs do nothing. Aborts when the store fails. */
void crash_live(struct crash_life *l, enum crash_plan plan, uint64_t seed,
		const struct fwa_store_options *o, bool no_sync);
void crash_life_end(struct crash_life *l);

/* What was recorded in file @trace of sources that @told tells of. False when it is nothing. */
bool crash_read(struct crash_run *run, const char *trace, const char *told,
		struct crash_trace *ret);
