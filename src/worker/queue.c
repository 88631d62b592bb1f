/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of users, sessions and commands.
 */
#include "worker/queue.h"

#include <stdlib.h>

static struct wait *wait_of(struct fwa_link *l)
{
	return fwa_list_entry(l, struct wait, link);
}

void queue_init(struct queue *q)
{
	*q = (struct queue){ .next_deadline = UINT64_MAX };
	fwa_list_init(&q->peers);
	fwa_list_init(&q->ready_turns);
	fwa_list_init(&q->waiting_turns);
	fwa_list_init(&q->own);
}

/* --- users ------------------------------------------------------------------------------------ */

static struct peer *find(const struct queue *q, uint32_t uid)
{
	for (struct fwa_link *l = q->peers.next; l != &q->peers; l = l->next) {
		struct peer *p = fwa_list_entry(l, struct peer, link);

		if (p->uid == uid)
			return p;
	}
	return NULL;
}

struct peer *queue_enter(struct queue *q, uint32_t uid)
{
	struct peer *p = find(q, uid);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->uid = uid;
		fwa_list_init(&p->ready_turn);
		fwa_list_init(&p->waiting_turn);
		fwa_list_init(&p->ready);
		fwa_list_init(&p->waiting);
		fwa_list_append(&q->peers, &p->link);
	}
	p->n_sessions++;
	return p;
}

uint32_t queue_sessions(const struct queue *q, uint32_t uid)
{
	const struct peer *p = find(q, uid);

	return p ? p->n_sessions : 0;
}

void queue_leave(struct peer *p)
{
	if (--p->n_sessions)
		return;
	fwa_list_remove(&p->link);
	free(p);
}

/* --- requests --------------------------------------------------------------------------------- */

void queue_ready(struct queue *q, struct turn *t)
{
	struct peer *p = t->peer;

	fwa_list_append(&p->ready, &t->link);
	if (fwa_list_empty(&p->ready_turn))
		fwa_list_append(&q->ready_turns, &p->ready_turn);
}

struct turn *queue_next(struct queue *q)
{
	struct fwa_link *l = q->ready_turns.next;
	struct peer *p;
	struct turn *t;

	if (l == &q->ready_turns)
		return NULL;
	p = fwa_list_entry(l, struct peer, ready_turn);
	t = fwa_list_entry(p->ready.next, struct turn, link);
	fwa_list_remove(&t->link);
	fwa_list_remove(l);
	if (!fwa_list_empty(&p->ready))
		fwa_list_append(&q->ready_turns, l);
	return t;
}

void queue_withdraw(struct turn *t)
{
	fwa_list_remove(&t->link);
	if (fwa_list_empty(&t->peer->ready))
		fwa_list_remove(&t->peer->ready_turn);
}

/* --- commands --------------------------------------------------------------------------------- */

void queue_wait(struct queue *q, struct wait *j)
{
	struct peer *p = j->peer;

	q->n_waiting[j->class]++;
	if (!p) {
		fwa_list_append(&q->own, &j->link);
		return;
	}
	fwa_list_append(&p->waiting, &j->link);
	p->n_waiting++;
	p->waiting_bytes += j->bytes;
	if (fwa_list_empty(&p->waiting_turn))
		fwa_list_append(&q->waiting_turns, &p->waiting_turn);
	if (j->deadline < q->next_deadline)
		q->next_deadline = j->deadline;
}

bool queue_over_bytes(const struct peer *p)
{
	return p->waiting_bytes > QUEUE_BYTES_MAX;
}

bool queue_over(const struct peer *p)
{
	return p->n_waiting > QUEUE_JOBS_MAX || queue_over_bytes(p);
}

void queue_hold(struct peer *p, size_t bytes)
{
	p->waiting_bytes += bytes;
}

void queue_unhold(struct peer *p, size_t bytes)
{
	p->waiting_bytes -= bytes;
}

void queue_cancel(struct queue *q, struct wait *j)
{
	struct peer *p = j->peer;

	q->n_waiting[j->class]--;
	fwa_list_remove(&j->link);
	if (!p)
		return;
	p->n_waiting--;
	p->waiting_bytes -= j->bytes;
	if (fwa_list_empty(&p->waiting))
		fwa_list_remove(&p->waiting_turn);
}

uint32_t queue_running(const struct queue *q)
{
	return q->n_running[JOB_READ] + q->n_running[JOB_CHANGE] + q->n_running[JOB_ALONE];
}

uint32_t queue_waiting(const struct queue *q)
{
	return q->n_waiting[JOB_READ] + q->n_waiting[JOB_CHANGE] + q->n_waiting[JOB_ALONE];
}

bool queue_may_start(const struct queue *q, unsigned int class)
{
	switch (class) {
	case JOB_READ:
		return !q->n_running[JOB_ALONE];
	case JOB_CHANGE:
		return !q->n_running[JOB_ALONE] && !q->n_running[JOB_CHANGE];
	default:
		return !queue_running(q);
	}
}

/* Whether anything that waits may start: else there is no need to look at each. */
static bool any_may_start(const struct queue *q)
{
	for (unsigned int class = 0; class < JOB_CLASSES; class ++)
		if (q->n_waiting[class] && queue_may_start(q, class))
			return true;
	return false;
}

/* The first of @list that may start; one that has to run alone lets none behind it pass. */
static struct wait *first_of(const struct queue *q, const struct fwa_link *list, bool *held)
{
	for (struct fwa_link *l = list->next; l != list; l = l->next) {
		struct wait *j = wait_of(l);

		if (queue_may_start(q, j->class))
			return j;
		*held = j->class == JOB_ALONE;
		if (*held)
			return NULL;
	}
	return NULL;
}

static struct wait *first(const struct queue *q, bool own_only)
{
	bool held = false;
	struct wait *j = first_of(q, &q->own, &held);

	if (j || held || own_only)
		return j;
	for (struct fwa_link *l = q->waiting_turns.next; l != &q->waiting_turns; l = l->next) {
		j = first_of(q, &fwa_list_entry(l, struct peer, waiting_turn)->waiting, &held);
		if (j || held)
			return j;
	}
	return NULL;
}

struct wait *queue_start(struct queue *q, bool own_only)
{
	struct wait *j = any_may_start(q) ? first(q, own_only) : NULL;

	if (!j)
		return NULL;
	queue_cancel(q, j);
	if (j->peer && !fwa_list_empty(&j->peer->waiting_turn)) {
		fwa_list_remove(&j->peer->waiting_turn);
		fwa_list_append(&q->waiting_turns, &j->peer->waiting_turn);
	}
	return j;
}

void queue_began(struct queue *q, const struct wait *j)
{
	q->n_running[j->class]++;
}

void queue_ended(struct queue *q, const struct wait *j)
{
	q->n_running[j->class]--;
}

/* Moves those of @p that are late to @late; the earliest deadline of the others is noted. */
static void take_late(struct queue *q, struct peer *p, uint64_t now, struct fwa_link *late)
{
	fwa_list_each(at, following, &p->waiting)
	{
		struct wait *j = wait_of(at);

		if (j->deadline <= now) {
			queue_cancel(q, j);
			fwa_list_append(late, &j->link);
		} else if (j->deadline < q->next_deadline) {
			q->next_deadline = j->deadline;
		}
	}
}

void queue_expire(struct queue *q, uint64_t now, struct fwa_link *late)
{
	if (now < q->next_deadline)
		return;
	q->next_deadline = UINT64_MAX;
	fwa_list_each(at, following, &q->waiting_turns)
	{
		take_late(q, fwa_list_entry(at, struct peer, waiting_turn), now, late);
	}
}
