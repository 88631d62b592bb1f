/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose turn it is.
 *
 * 1. Turns go round the users, not the connections: who opens many, or always has a request ready,
 *    waits as often as who does not (C26). Those of one user take turns among themselves.
 * 2. An admitted command that cannot start now waits in its user's queue, which is short. Turns to
 *    start go round the users too.
 * 3. Commands without effects run beside others, of those with effects there is one at a time, and
 *    some run alone. One that has to run alone and whose turn it is holds back those behind it, so
 *    that it starts when the last one before it ends.
 *
 * No clock, no descriptors, no memory of its own but a struct peer for each connected user.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

enum job_class {
	JOB_READ,   /* runs beside others */
	JOB_CHANGE, /* beside reads */
	JOB_ALONE,
	JOB_CLASSES,
};

/* Most commands of one user that wait, and most bytes of theirs. */
#define QUEUE_JOBS_MAX 16u
#define QUEUE_BYTES_MAX (8u * 1024 * 1024)

/* One connected user. */
struct peer {
	struct fwa_link link;
	uint32_t uid;
	uint32_t n_sessions;
	struct fwa_link ready_turn, waiting_turn;
	struct fwa_link ready;   /* sessions with a request */
	struct fwa_link waiting; /* commands that could not start yet, oldest first */
	uint32_t n_waiting;
	size_t waiting_bytes;
};

/* A place in the ready list; part of a session. */
struct turn {
	struct fwa_link link;
	struct peer *peer;
};

/* A command on its way; part of a job. */
struct wait {
	struct fwa_link link;
	struct peer *peer; /* NULL: the gate's own, which goes first */
	enum job_class class;
	size_t bytes;
	uint64_t deadline; /* CLOCK_MONOTONIC ns: it does not start after that */
};

struct queue {
	struct fwa_link peers;
	struct fwa_link ready_turns;   /* of peers */
	struct fwa_link waiting_turns; /* of peers */
	struct fwa_link own;           /* the gate's own commands that wait */
	uint32_t n_waiting[JOB_CLASSES];
	uint32_t n_running[JOB_CLASSES];
	uint64_t next_deadline; /* none that waits has an earlier one */
};

void queue_init(struct queue *q);

/* The peer of @uid, made when there is none; NULL without memory. Counts a session of it. */
struct peer *queue_enter(struct queue *q, uint32_t uid);
/* How many sessions @uid has. */
uint32_t queue_sessions(const struct queue *q, uint32_t uid);
/* Gives back what queue_enter() gave; the last one frees it. */
void queue_leave(struct peer *p);

/* @t, which is not in the queue, has a request. */
void queue_ready(struct queue *q, struct turn *t);
/* Takes out whose turn it is; NULL when nobody has a request. O(1). */
struct turn *queue_next(struct queue *q);
/* Takes @t out, if it is in. */
void queue_withdraw(struct turn *t);

/* @j waits for its start. */
void queue_wait(struct queue *q, struct wait *j);
/* Whether so many of @p's wait that another one must not. */
bool queue_over(const struct peer *p);
/* One of @p's with @bytes waits elsewhere: its bytes count as waiting; and no more. */
void queue_hold(struct peer *p, size_t bytes);
void queue_unhold(struct peer *p, size_t bytes);
/* Whether so much of @p's waits, wherever that is. */
bool queue_over_bytes(const struct peer *p);
/* Takes out whatever starts next; NULL when nothing may start now. @own_only: no client's. */
struct wait *queue_start(struct queue *q, bool own_only);
/* Takes out one that waits. */
void queue_cancel(struct queue *q, struct wait *j);
/* Takes out all whose deadline is not after @now and appends them to @late. */
void queue_expire(struct queue *q, uint64_t now, struct fwa_link *late);
/* Whether one of @class may start beside what runs; it has started; it has ended. */
bool queue_may_start(const struct queue *q, unsigned int class);
void queue_began(struct queue *q, const struct wait *j);
void queue_ended(struct queue *q, const struct wait *j);
uint32_t queue_running(const struct queue *q);
uint32_t queue_waiting(const struct queue *q);
