/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's side of the journal: what is decided is in the ring before anything follows from it (C31).
 *
 * 1. Every decision on a request is a record before its client hears of it or the device sees the
 *    command. A command that may change something waits until the record is on disk as well.
 * 2. A record that admits owes an outcome. The ring keeps room for all that are owed, so that an
 *    outcome can always be put in.
 * 3. While there is no room for one more request none is taken. After a while of that, when the journal
 *    says that it cannot write, and when somebody has waited too long for it, the journal is down:
 *    requests are judged by that, and what cannot be recorded is counted, and told first thing when
 *    it can be. It is up again by itself.
 * 4. Of strangers, to whom no grant is given at all, only so many refusals a second are records, and the
 *    others are counted: else anybody could push out of the journal what he likes (C32).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/bucket.h"
#include "core/record.h"
#include "journal/ring.h"
#include "proto/gate.h"

struct worker;
struct job;

/* How long a command waits for its record, at most, before the journal is down; and a worker for room. */
#define JOURNAL_WAIT_MS 5000
#define JOURNAL_ROOM_MS 2000
/* Refusals of strangers that are recorded in a second, of all of them together. */
#define JOURNAL_STRANGERS 10

struct journal {
	struct fwa_ring_writer ring; /* ring.ring is NULL when there is no journal, by choice */
	bool reads_pass; /* while it is down, what changes nothing may pass unrecorded */

	struct fwa_link waiting; /* jobs whose record is not on disk yet, in the records' order */
	uint64_t next_late;      /* none of them waits longer than this, CLOCK_MONOTONIC ns */
	uint32_t owed;           /* outcomes */

	uint8_t said;        /* enum fwa_journal_state, as it was last logged */
	uint64_t late;       /* a record that was waited for too long; 0: it is there by now */
	uint64_t durable;    /* as it was when it grew last */
	uint64_t behind;     /* CLOCK_MONOTONIC ns since when it does not, and should; 0: all is */
	uint64_t full_since; /* CLOCK_MONOTONIC ns since when there is no room; 0: there is */
	bool full;           /* for too long */
	struct fwa_record_unrecorded lost;
	uint64_t tell_at; /* it is not told before that again, CLOCK_MONOTONIC ns */
	struct fwa_bucket strangers;

	/* What is decided by, as records name it. */
	uint32_t context; /* grows with each change; */
	uint32_t told;    /* the last one that is recorded */
	uint8_t profile_sha256[FWA_HASH_LEN], policy_digest[FWA_HASH_LEN];
	uint8_t accepted_sha256[FWA_HASH_LEN]; /* zero for none */
	uint8_t own_refused; /* why the gate's own command was refused the last time; ADMIT: it was not */
};

void journal_init(struct journal *j, bool reads_pass);
/* Before the sandbox closes: maps the ring. 0 or negative errno. */
int journal_open(struct worker *w, const struct fwa_ring_fds *fds);

/* --- what is decided by ------------------------------------------------------------------------- */

/* w->profile, w->policy, w->profiling.accepted is another one from now on. */
void journal_new_profile(struct worker *w);
void journal_new_policy(struct worker *w);
void journal_new_baseline(struct worker *w);

/* --- how it is ------------------------------------------------------------------------------------ */

/* enum fwa_journal_state, now; and how it is when it is down, whether it is or not. */
uint8_t journal_state(struct worker *w);
uint8_t journal_down(const struct worker *w);
/* Whether a request may be taken: there is room for all that it may have to record, or it is down. */
bool journal_takes(struct worker *w);
/* When it may be down, CLOCK_MONOTONIC ns; UINT64_MAX: never. Notes that it is. */
uint64_t journal_full_at(const struct worker *w);
void journal_note_full(struct worker *w);
/* @record was waited for too long. */
void journal_note_late(struct worker *w, uint64_t record);
/* When it may tell what was not recorded, CLOCK_MONOTONIC ns, UINT64_MAX: not by itself; and does. */
uint64_t journal_next_telling(const struct worker *w);
void journal_tell(struct worker *w, uint64_t now);
/* The ack was rung: takes note, and tells what could not be told before. */
void journal_acked(struct worker *w);

/* --- records -------------------------------------------------------------------------------------- */

/*
 * Records the decision on @j, as judged, in place of the one before, whose command was not sent. False
 * when that cannot be; then nothing may follow from it but what journal_miss() allows.
 */
bool journal_decision(struct worker *w, struct job *j);
/* It could not: counts @j, once. */
void journal_miss(struct worker *w, struct job *j);
/*
 * The same for a command of the gate's own: whether it is admitted, and recorded. A refusal that is the
 * same as the last is not recorded again.
 */
bool journal_own_decision(struct worker *w, struct job *j);
/* Whether the last record of @j, made when its reply was @was, says what is decided now, by the same. */
bool journal_says(const struct worker *w, const struct job *j, const struct fwa_gate_reply *was);
/*
 * Whether the device may see the command of @j: it changes nothing, or its record is on disk. Its
 * number is in the reply then.
 */
bool journal_settled(struct worker *w, struct job *j);
/* Whether the record is on disk, its number in the reply; or there is none to wait for. */
bool journal_numbered(struct worker *w, struct job *j);
/* Records what became of @j, if that is owed: @delivered, whether whoever waits for its reply has it. */
void journal_outcome(struct worker *w, struct job *j, bool delivered);
