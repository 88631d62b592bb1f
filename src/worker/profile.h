/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profile in force, and what it is held to (C23).
 *
 *	reading --> told --BASELINE--> settled
 *	   ^                              | a command that may change what is declared, or REPROFILE
 *	   +------------------------------+
 *
 * 1. While it is read, and until whoever started the worker has said what it is held to, nothing is
 *    judged: the worker holds.
 *    In embedded mode he is asked once, before READY: his program may not listen any more. What he
 *    answered then holds for as long as the device has the same firmware; for another one there is
 *    no baseline.
 * 3. A profile that cannot be read again is in force no more: the device then declares nothing, and is
 *    quarantined.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/drift.h"

struct job;
struct worker;

struct profiling {
	bool serving;          /* READY was said */
	bool busy;             /* a reading is under way, or its answer is awaited: */
	bool asked;            /* it was told, and BASELINE is awaited */
	bool due;              /* to be read again when that is over */
	bool after_background; /* to be read when the background operation that runs is done */
	bool lost;             /* the last reading failed */

	/* In embedded mode: what BASELINE said, and of whom, for the readings to come. */
	bool answered;
	char answer[16];
	int answer_fd; /* owned; -1: it had none */
	struct fwa_identity answer_id;

	uint8_t state;     /* enum fwa_baseline_state */
	uint32_t drifted;  /* how many of its declarations have */
	uint8_t *accepted; /* owned: the bytes of the baseline, when the state is differs */
	uint32_t accepted_len;
	struct fwa_profile *baseline; /* owned: views them */
	struct fwa_drift drift;
};

/* The first reading, on this thread. 0, or negative errno with @error filled. */
int profile_first(struct worker *w, char error[FWA_ERROR_LEN]);
/* Says who the device is and what it declares, and holds until BASELINE comes. 0 or negative errno. */
int profile_tell(struct worker *w);

/* Whether a command with @effects may change what the device declares, or how its namespaces are. */
bool profile_may_change(const struct fwa_command *cmd, fwa_effects effects);
/* A client's job has come back: reads the profile again if it may have changed. */
void profile_follow(struct worker *w, const struct job *j);
/* Reads it again if a background operation that may have changed it is done. */
void profile_settle(struct worker *w);
/* Reads it again, if a reading has failed. */
void profile_recover(struct worker *w);

/* What a caller with @uid is held to: NULL for nothing. */
const struct fwa_drift *profile_drift(const struct worker *w, uint32_t uid);

/* Messages of whoever started the worker: BASELINE and REPROFILE. */
void profile_on_baseline(struct worker *w, const char *text, int *fd);
void profile_on_reprofile(struct worker *w, const char *text, int *fd);
