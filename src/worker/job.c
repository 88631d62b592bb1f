/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which commands are with the device, and which wait.
 *
 * 1. A request is judged and recorded when it comes. What changes nothing goes on at once; every other
 *    one waits until its record is on disk, and many may wait for the same write (C31).
 * 2. A device that answers at once is asked on the main thread, and for a command that changes nothing
 *    nothing is copied. Every other request becomes a job with memory of its own, so that it can
 *    outlive the message that brought it and the client that sent it.
 * 3. A job that has waited is judged again when it starts (C17, C19): what happened meanwhile counts.
 * 4. Every job ends: it is answered, or its client is gone; and the record that admitted it gets its
 *    outcome. A job that runs is never taken back, and what it did is known to the worker whether or
 *    not anybody waits for it (C27).
 */
#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static struct job *job_of_wait(struct wait *wait)
{
	return fwa_list_entry(wait, struct job, wait);
}

static struct job *job_of_link(struct fwa_link *link)
{
	return fwa_list_entry(link, struct job, wait.link);
}

void job_free(struct job *j)
{
	/* The gate's own waits for no reply that could be lost. */
	journal_outcome(j->worker, j, !j->owner);
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

/* Its outcome is recorded behind that, whether or not the client has it. */
static bool answer(struct worker *w, struct job *j, enum fwa_gate_error error)
{
	bool sent = session_answer(w, j, error);

	journal_outcome(w, j, sent);
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
		if (answer(w, j, error))
			session_listen(w, s);
		else
			session_end(w, s);
	}
	job_free(j);
}

/* --- waiting for the journal ---------------------------------------------------------------------- */

/* Whether the reply of @j has to wait until its record has a number. */
static bool is_held(struct worker *w, struct job *j)
{
	return j->receipt && j->session && !journal_numbered(w, j);
}

/* Until its record is on disk. Most come in the order of their records: those that are done later do not. */
static void await_record(struct worker *w, struct job *j, enum job_stage stage)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	struct fwa_link *at = w->journal.waiting.prev;

	j->stage = (uint8_t)stage;
	j->late = now + JOURNAL_WAIT_MS * FWA_NS_PER_MS;
	if (j->wait.deadline && j->wait.deadline < j->late)
		j->late = j->wait.deadline;
	if (j->late < w->journal.next_late)
		w->journal.next_late = j->late;
	if (j->wait.peer)
		queue_hold(j->wait.peer, j->wait.bytes);
	while (at != &w->journal.waiting && job_of_link(at)->record > j->record)
		at = at->prev;
	fwa_list_append(at->next, &j->wait.link);
}

static void await_no_more(struct job *j)
{
	fwa_list_remove(&j->wait.link);
	if (j->wait.peer)
		queue_unhold(j->wait.peer, j->wait.bytes);
	j->stage = JOB_JUDGED;
}

void job_release(struct worker *w, struct job *j)
{
	await_no_more(j);
	finish(w, j, FWA_GATE_OK);
}

/* Lets the answer wait; where too much of one user's waits already it goes out without its number. */
/*= spec/SECURITY-MODEL.md#C26 */
static void hold(struct worker *w, struct job *j)
{
	admit_shrink(j);
	free(fwa_steal(j->payload));
	j->wait.bytes = j->answer.out_cap;
	await_record(w, j, JOB_HELD);
	if (queue_over_bytes(j->wait.peer))
		job_release(w, j);
}

static void finish_or_hold(struct worker *w, struct job *j)
{
	if (is_held(w, j))
		hold(w, j);
	else
		finish(w, j, FWA_GATE_OK);
}

static void client_done(struct worker *w, struct job *j)
{
	admit_end(w, j);
	finish_or_hold(w, j);
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

static void wait_for_turn(struct worker *w, struct job *j)
{
	j->stage = JOB_QUEUED;
	queue_wait(&w->queue, &j->wait);
}

/* Judges a client's job once more, and begins it. False when it does not start after all. */
/*= spec/SECURITY-MODEL.md#C17 */
static bool begin(struct worker *w, struct job *j)
{
	if (w->gone || !session_fold(w, j->session)) {
		finish(w, j, w->gone ? FWA_GATE_E_GONE : FWA_GATE_E_MEMORY);
		return false;
	}
	if (!admit_judge_again(w, j)) {
		finish_or_hold(w, j);
		return false;
	}
	if (!journal_settled(w, j)) { /* it is another decision, which is not on disk yet */
		await_record(w, j, JOB_RECORDING);
		return false;
	}
	if (!queue_may_start(&w->queue, j->wait.class)) {
		wait_for_turn(w, j); /* it has become of another class */
		return false;
	}
	if (!admit_begin(w, j)) {
		finish(w, j, FWA_GATE_OK);
		return false;
	}
	j->timeout_ms = time_left(j);
	return true;
}

static void drop(struct worker *w, struct job *j)
{
	journal_outcome(w, j, true);
	j->drop(w, j);
}

static void run(struct worker *w, struct job *j)
{
	j->stage = JOB_RUNNING;
	queue_began(&w->queue, &j->wait);
	if (w->lanes.n) {
		j->errand.run = run_errand;
		lanes_give(&w->lanes, &j->errand);
		return;
	}
	j->work(j);
	queue_ended(&w->queue, &j->wait);
	j->done(w, j);
}

/* A lane is free, or none is needed; and there is room for what may have to be recorded. */
static bool may_start(struct worker *w)
{
	return (!w->lanes.n || lanes_free(&w->lanes)) && journal_takes(w);
}

void jobs_start(struct worker *w)
{
	struct wait *wait;

	if (w->starting)
		return; /* what it has begun asks for more: it goes on by itself */
	w->starting = true;
	while (may_start(w) && (wait = queue_start(&w->queue, w->hold || w->ending))) {
		struct job *j = job_of_wait(wait);

		if (j->owner && !begin(w, j))
			continue;
		if (!j->owner && w->quarantine) /*= spec/SECURITY-MODEL.md#C22 */
			drop(w, j);
		else
			run(w, j);
	}
	w->starting = false;
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

/*
 * It may go to the device as soon as it is its turn: starts, or waits for that. A user may not have many
 * that do.
 */
static void line_up(struct worker *w, struct job *j)
{
	struct session *s = j->session;

	wait_for_turn(w, j);
	state_changed(w);
	jobs_start(w);
	if (!s || s->job != j || j->stage != JOB_QUEUED)
		return; /* over already, one way or the other, or under way */
	if (w->lanes.n && queue_over(j->wait.peer)) {
		queue_cancel(&w->queue, &j->wait);
		finish(w, j, FWA_GATE_E_BUSY);
	}
}

/* --- what the journal says, and time -------------------------------------------------------------- */

/* Its record is on disk. */
/*= spec/SECURITY-MODEL.md#C31 */
static void go_on(struct worker *w, struct job *j)
{
	if (j->stage == JOB_HELD) {
		job_release(w, j);
		return;
	}
	await_no_more(j);
	line_up(w, j);
}

void jobs_recorded(struct worker *w)
{
	struct fwa_link *waiting = &w->journal.waiting;

	journal_acked(w);
	while (!fwa_list_empty(waiting) && journal_numbered(w, job_of_link(waiting->next)))
		go_on(w, job_of_link(waiting->next));
	jobs_start(w);
}

/* It has waited for its record for as long as it may. What is held is known all the same. */
/*= spec/SECURITY-MODEL.md#C31 */
static void give_up(struct worker *w, struct job *j)
{
	bool held = j->stage == JOB_HELD;

	await_no_more(j);
	if (!j->owner)
		drop(w, j);
	else if (held)
		finish(w, j, FWA_GATE_OK);
	else if (w->gone || !session_fold(w, j->session))
		finish(w, j, w->gone ? FWA_GATE_E_GONE : FWA_GATE_E_MEMORY);
	else if (admit_judge_late(w, j))
		line_up(w, j); /* it changes nothing any more, and what changes nothing may pass */
	else
		finish(w, j, FWA_GATE_OK);
}

/* The first that is late by @now; the others' time is noted. NULL when there is none. */
static struct job *next_late(struct worker *w, uint64_t now)
{
	w->journal.next_late = UINT64_MAX;
	fwa_list_each(at, following, &w->journal.waiting)
	{
		struct job *j = job_of_link(at);

		if (j->late <= now)
			return j;
		if (j->late < w->journal.next_late)
			w->journal.next_late = j->late;
	}
	return NULL;
}

void jobs_give_up(struct worker *w, uint64_t now)
{
	struct job *j;

	jobs_recorded(w);
	if (journal_full_at(w) <= now)
		journal_note_full(w);
	while ((j = next_late(w, now))) {
		if (j->late != j->wait.deadline)
			journal_note_late(w, j->record);
		give_up(w, j);
	}
	jobs_start(w);
}

uint64_t jobs_next_late(const struct worker *w)
{
	uint64_t full = journal_full_at(w), late = w->journal.next_late;

	return full < late ? full : late;
}

void jobs_expire(struct worker *w, uint64_t now)
{
	struct fwa_link late;

	fwa_list_init(&late);
	queue_expire(&w->queue, now, &late);
	fwa_list_each(at, following, &late)
	{
		fwa_list_remove(at);
		finish(w, job_of_link(at), FWA_GATE_E_BUSY);
	}
}

uint64_t jobs_next_expiry(const struct worker *w)
{
	return queue_waiting(&w->queue) ? w->queue.next_deadline : UINT64_MAX;
}

/* --- new ones ----------------------------------------------------------------------------------- */

/* A copy that lives until it is done; the payload of a memfd was copied already. */
static struct job *keep(struct job *j, size_t len)
{
	struct job *kept = malloc(sizeof(*kept));

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
	kept->work = admit_submit;
	kept->done = client_done;
	kept->wait.peer = j->session->turn.peer;
	kept->wait.bytes = len;
	kept->wait.deadline = fwa_clock_ns(CLOCK_MONOTONIC) + j->timeout_ms * FWA_NS_PER_MS;
	kept->session->job = kept;
	j->payload = j->answer.out = NULL;
	j->owes = false;
	return kept;
}

/* The answer to @j, which is on its caller's stack. Without memory to hold it, it has no number. */
static bool answer_now(struct worker *w, struct job *j)
{
	struct job *kept = is_held(w, j) ? keep(j, 0) : NULL;
	bool stays;

	if (kept) {
		hold(w, kept);
		return true;
	}
	stays = answer(w, j, FWA_GATE_OK);
	admit_release(w, j);
	return stays;
}

/* In one go: nothing of @j is needed afterwards. */
static bool run_now(struct worker *w, struct job *j)
{
	if (admit_begin(w, j)) {
		admit_submit(j);
		admit_end(w, j);
	}
	return answer_now(w, j);
}

/* Waits for the journal, or for its turn. */
static void begin_later(struct worker *w, struct job *j)
{
	if (journal_settled(w, j)) {
		line_up(w, j);
		return;
	}
	await_record(w, j, JOB_RECORDING);
	if (queue_over_bytes(j->wait.peer)) {
		await_no_more(j);
		finish(w, j, FWA_GATE_E_BUSY);
	}
}

/* A refusal is answered at once, whatever the device does meanwhile. */
bool job_take(struct worker *w, struct job *j)
{
	struct job *kept;

	j->timeout_ms = admit_timeout(w, j->timeout_ms);
	if (!admit_judge(w, j))
		return answer_now(w, j);
	if (!w->lanes.n && journal_settled(w, j))
		return run_now(w, j);
	kept = keep(j, j->cmd.payload.len);
	if (!kept)
		return answer(w, j, FWA_GATE_E_MEMORY);
	begin_later(w, kept);
	return true;
}

/*= spec/SECURITY-MODEL.md#C31 */
void job_own(struct worker *w, struct job *j)
{
	j->worker = w;
	j->session = NULL;
	j->owner = 0;
	j->wait.peer = NULL;
	if (!journal_settled(w, j)) {
		await_record(w, j, JOB_RECORDING);
	} else if (w->lanes.n) {
		wait_for_turn(w, j);
		jobs_start(w);
	} else {
		j->stage = JOB_RUNNING;
		j->work(j);
		j->done(w, j);
	}
}

void job_abandon(struct worker *w, struct job *j)
{
	j->session->job = NULL;
	j->session = NULL;
	if (j->stage == JOB_RUNNING) {
		j->wait.peer = NULL; /* it outlives its user's last connection */
		return;
	}
	if (j->stage == JOB_QUEUED)
		queue_cancel(&w->queue, &j->wait);
	else
		await_no_more(j);
	job_free(j);
}

/* Those of clients that run are unknown to whoever reads the journal; their device may answer for long. */
void jobs_close(struct worker *w)
{
	fwa_list_each(at, following, &w->sessions)
	{
		struct session *s = fwa_list_entry(at, struct session, link);

		if (s->job && s->job->stage != JOB_RUNNING)
			job_abandon(w, s->job);
	}
	fwa_list_each(own, next, &w->journal.waiting)
	{
		await_no_more(job_of_link(own));
		job_free(job_of_link(own));
	}
}
