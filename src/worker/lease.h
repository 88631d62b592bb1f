/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases: what the device does for one client while others are served (C16).
 *
 * 1. There are three, each with one owner: background work, a transfer of a Feature, a transfer of
 *    firmware. The owner is a session; when that is over, nobody, but its user is remembered.
 * 2. Background work goes on without its client, and its lease ends when the device says that it is
 *    over. Where the device cannot be asked the lease ends with the session.
 * 3. A transfer that its client left half done is ended by a command of the gate's own, judged like
 *    any other. Until it is, nobody begins another one.
 * 4. Nobody keeps others from a transfer by leaving one alone: one without a part for a minute is as if
 *    its session were over.
 * 5. No lane is held while the device works: the gate asks now and then how far it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/background.h"
#include "core/decide.h"
#include "core/transfer.h"

struct worker;
struct session;
struct job;

struct lease {
	uint64_t session; /* whose it is; 0: that session is over */
	uint32_t uid;
	pid_t pid;
	uint8_t set; /* the command that began it */
	uint16_t opcode;
	uint64_t since; /* CLOCK_BOOTTIME ns */
};

/* What was left half done, until the gate has ended it. */
struct ending {
	bool sent;        /* a command of the gate's own is under way */
	unsigned int try; /* how many were, to a device that is busy */
	uint64_t at;      /* CLOCK_MONOTONIC ns of the next */
	uint64_t since;   /* and of when it was left */
};

struct leases {
	struct {
		bool held;
		bool mute;             /* the device cannot be asked */
		bool asking;           /* it is being asked */
		uint8_t percent;       /* FWA_PERCENT_UNKNOWN */
		unsigned int failures; /* questions in a row without an answer */
		uint64_t number;       /* tells this work from the one before */
		uint64_t asked, ask;   /* when, CLOCK_MONOTONIC ns */
		struct lease by;
	} work;
	struct {
		struct fwa_transfer transfer;
		struct ending ending;
		uint64_t
			touched; /* CLOCK_MONOTONIC ns of its owner's last part, or of work's end */
		struct lease by; /* while the device may hold a part */
	} feature;
	struct {
		struct fwa_firmware transfer;
		struct ending ending;
		uint64_t touched;
		struct lease by;
	} firmware;
};

/* Fills in @c what others hold, as @s finds it. May ask the device, where that takes no time. */
void lease_contract(struct worker *w, const struct session *s, struct fwa_contract *c);
/* The command of @j, with its outcome known, was the last: what is held from now on, and whose it is. */
void lease_follow(struct worker *w, const struct job *j);
/* The session is over: its work goes on, its transfers are ended. */
void lease_leave(struct worker *w, const struct session *s);
/* All sessions are. */
void lease_leave_all(struct worker *w);

/* When the device is asked next or something is tried again, CLOCK_MONOTONIC ns; UINT64_MAX: never. */
uint64_t lease_next(const struct worker *w);
/* Does what is due. */
void lease_run(struct worker *w, uint64_t now);
/* Whether something that was left is to be ended before the worker may go; for some seconds. */
bool lease_pending(const struct worker *w);

/* The lease that is shown, and its kind ("background"); NULL when none is held. */
const struct lease *lease_shown(const struct worker *w, const char **ret_kind);
