/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which commands are with the device, and which wait.
 *
 * 1. A device that answers at once is asked on the main thread, and nothing is copied for that. For
 *    every other one a request becomes a job with memory of its own, so that it can outlive the
 *    message that brought it and the client that sent it.
 * 2. A job is judged when it comes, and again when it starts (C17, C19): what happened meanwhile
 *    counts.
 * 3. Every job ends: it is answered, or its client is gone. A job that runs is never taken back, and
 *    what it did is known to the worker whether or not anybody waits for it (C27).
 */
#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static struct job *job_of_wait(struct wait *wait)
{
	return fwa_list_entry(wait, struct job, wait);
}

void job_free(struct job *j)
{
	free(j->payload);
	admit_release(j->worker, j);
	free(j);
}

/* --- answers ------------------------------------------------------------------------------------ */

/* Executed for a client that is gone, or cannot be told. */
/*= spec/SECURITY-MODEL.md#C27 */
static void note_undeliverable(const struct worker *w, const struct job *j)
{
	if (j->reply.status != FWA_OUTCOME_REFUSED && j->reply.decision.effects)
		worker_log(w, "uid %u: %s %04xh was executed, its answer could not be delivered",
			   j->uid, fwa_set_name(j->cmd.set), j->cmd.opcode);
}

static bool answer(struct worker *w, struct job *j)
{
	bool sent = session_answer(w, j, FWA_GATE_OK);

	if (!sent)
		note_undeliverable(w, j);
	return sent;
}

/* The end of a job that was copied. */
static void finish(struct worker *w, struct job *j, enum fwa_gate_error error)
{
	struct session *s = j->session;

	if (!s) {
		note_undeliverable(w, j);
	} else {
		s->job = NULL;
		if (error ? session_answer(w, j, error) : answer(w, j))
			session_listen(w, s);
		else
			session_end(w, s);
	}
	job_free(j);
}

static void client_done(struct worker *w, struct job *j)
{
	admit_end(w, j);
	finish(w, j, FWA_GATE_OK);
}

/* --- starting ----------------------------------------------------------------------------------- */

static void run_errand(struct errand *e)
{
	struct job *j = fwa_list_entry(e, struct job, errand);

	j->work(j);
}

/* What is left of the time that the client gave: waiting counts. */
static unsigned int time_left(const struct job *j)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	uint64_t ms = j->wait.deadline > now ? (j->wait.deadline - now) / FWA_NS_PER_MS : 0;

	return ms ? (unsigned int)ms : 1;
}

/* Judges a client's job once more, and begins it. False when it does not start after all. */
/*= spec/SECURITY-MODEL.md#C17 */
static bool begin(struct worker *w, struct job *j)
{
	bool admitted;

	if (w->gone || !session_fold(w, j->session)) {
		finish(w, j, w->gone ? FWA_GATE_E_GONE : FWA_GATE_E_MEMORY);
		return false;
	}
	admitted = admit_judge(w, j);
	if (admitted && !queue_may_start(&w->queue, j->wait.class)) {
		queue_wait(&w->queue, &j->wait); /* it has become of another class */
		return false;
	}
	if (!admitted || !admit_begin(w, j)) {
		finish(w, j, FWA_GATE_OK);
		return false;
	}
	j->timeout_ms = time_left(j);
	return true;
}

void jobs_start(struct worker *w)
{
	struct wait *wait;

	while (lanes_free(&w->lanes) && (wait = queue_start(&w->queue, w->hold || w->ending))) {
		struct job *j = job_of_wait(wait);

		if (j->owner && !begin(w, j))
			continue;
		if (!j->owner && w->quarantine) { /*= spec/SECURITY-MODEL.md#C22 */
			j->drop(w, j);
			continue;
		}
		queue_began(&w->queue, wait);
		j->errand.run = run_errand;
		lanes_give(&w->lanes, &j->errand);
	}
}

void jobs_collect(struct worker *w)
{
	struct fwa_link done;

	fwa_list_init(&done);
	lanes_collect(&w->lanes, &done);
	fwa_list_each(at, following, &done)
	{
		struct job *j = fwa_list_entry(at, struct job, errand.link);

		fwa_list_remove(at);
		queue_ended(&w->queue, &j->wait);
		j->done(w, j);
	}
	jobs_start(w);
}

void jobs_expire(struct worker *w, uint64_t now)
{
	struct fwa_link late;

	fwa_list_init(&late);
	queue_expire(&w->queue, now, &late);
	fwa_list_each(at, following, &late)
	{
		fwa_list_remove(at);
		finish(w, fwa_list_entry(at, struct job, wait.link), FWA_GATE_E_BUSY);
	}
}

uint64_t jobs_next_expiry(const struct worker *w)
{
	return queue_waiting(&w->queue) ? w->queue.next_deadline : UINT64_MAX;
}

/* --- new ones ----------------------------------------------------------------------------------- */

/* In one go: nothing of @j is needed afterwards. */
static bool run_now(struct worker *w, struct job *j)
{
	bool stays;

	if (admit_begin(w, j)) {
		admit_submit(j);
		admit_end(w, j);
	}
	stays = answer(w, j);
	admit_release(w, j);
	return stays;
}

/* A copy that lives until it is done; the payload of a memfd was copied already. */
static struct job *keep(struct job *j)
{
	struct job *kept = malloc(sizeof(*kept));
	size_t len = j->cmd.payload.len;

	if (!kept)
		return NULL;
	if (!j->payload && len) {
		j->payload = malloc(len);
		if (!j->payload) {
			free(kept);
			return NULL;
		}
		memcpy(j->payload, j->cmd.payload.data, len);
		j->cmd.payload.data = j->payload;
	}
	*kept = *j;
	j->payload = NULL;
	return kept;
}

static void prepare(struct worker *w, struct job *j)
{
	j->work = admit_submit;
	j->done = client_done;
	j->wait.peer = j->session->turn.peer;
	j->wait.bytes = j->cmd.payload.len;
	j->wait.deadline =
		fwa_clock_ns(CLOCK_MONOTONIC) + admit_timeout(w, j->timeout_ms) * FWA_NS_PER_MS;
}

bool job_take(struct worker *w, struct job *j)
{
	struct session *s = j->session;
	struct job *kept;

	j->timeout_ms = admit_timeout(w, j->timeout_ms);
	if (!w->lanes.n)
		return run_now(w, j);
	prepare(w, j);
	kept = keep(j);
	if (!kept)
		return session_answer(w, j, FWA_GATE_E_MEMORY);
	s->job = kept;
	queue_wait(&w->queue, &kept->wait);
	state_changed(w);
	jobs_start(w);
	if (s->job != kept)
		return true; /* over already, one way or the other */
	if (!fwa_list_empty(&kept->wait.link) && queue_over(kept->wait.peer)) {
		queue_cancel(&w->queue, &kept->wait);
		s->job = NULL;
		job_free(kept);
		return session_answer(w, j, FWA_GATE_E_BUSY);
	}
	session_watch_end(w, s);
	return true;
}

void job_own(struct worker *w, struct job *j)
{
	j->worker = w;
	j->session = NULL;
	j->owner = 0;
	j->wait.peer = NULL;
	if (w->lanes.n) {
		queue_wait(&w->queue, &j->wait);
		jobs_start(w);
		return;
	}
	j->work(j);
	j->done(w, j);
}

void job_abandon(struct worker *w, struct job *j)
{
	j->session->job = NULL;
	j->session = NULL;
	if (fwa_list_empty(&j->wait.link)) {
		j->wait.peer = NULL; /* it runs, and outlives its user's last connection */
		return;
	}
	queue_cancel(&w->queue, &j->wait);
	job_free(j);
}
