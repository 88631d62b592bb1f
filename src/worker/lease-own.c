/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the gate's own. They are judged like a client's: declared, understood, well shaped, and
 * not while the device is quarantined; of grants they need none (C16).
 */
#include "worker/lease-own.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "core/status.h"
#include "wire/nvme.h"
#include "worker/lease.h"
#include "worker/state.h"
#include "worker/worker.h"

/* How often the device is asked, and at most when somebody waits for the answer. */
#define ASK_MS 1000
#define ASK_SOON_MS 200
/* Questions without an answer after which work that nobody owns any more is given up. */
#define FAILURES_MAX 3
/* How often, and how many times at most, a busy device is told to end what was left. */
#define TRY_MS 1000
#define TRIES_MAX 60
/* How long a transfer may be without a part. */
#define IDLE_MS 60000
/* How long a worker that is to go waits for that. */
#define PENDING_MS 5000

static uint64_t in_ms(unsigned int ms)
{
	return fwa_clock_ns(CLOCK_MONOTONIC) + ms * FWA_NS_PER_MS;
}

/* --- judging --------------------------------------------------------------------------------------- */

/*
 * What an advisory forbids is not sent by the gate either; what it only adds effects to is, when it is the
 * abort that others wait for. A question that has effects is not worth them.
 */
/*= spec/SECURITY-MODEL.md#C16 */
/*= spec/SECURITY-MODEL.md#C33 */
static bool judge(struct worker *w, struct job *j, bool question)
{
	j->judged = worker_now();
	j->contract = worker_contract(w, NULL, j->judged);
	fwa_contract_advise(&j->contract, &w->advising.advice, &j->cmd, j->judged, NULL);
	if (question && j->contract.advisory)
		j->contract.advisory |= FWA_EFFECT_UNKNOWN;
	j->reply.decision =
		fwa_decide(&j->contract, &fwa_rights_all, &w->profile, &j->cmd, j->judged);
	return fwa_admitted(&j->reply.decision);
}

/* --- asking ---------------------------------------------------------------------------------------- */

struct question {
	struct job job; /* first: it is freed as a job */
	uint64_t number;
	uint16_t opcode; /* of what began the work */
	uint8_t percent;
	enum fwa_work answer;
};

static struct question *question_of(struct job *j)
{
	return (struct question *)j;
}

static void ask_registers(struct job *j)
{
	struct fwa_device *device = j->worker->device;
	struct question *q = question_of(j);

	j->result = device->ops->progress(device, &q->percent);
	if (j->result >= 0)
		q->answer = j->result ? FWA_WORK_RUNS : FWA_WORK_OVER;
}

static void ask_log(struct job *j)
{
	struct question *q = question_of(j);

	admit_submit(j);
	admit_outcome(j);
	if (j->result == 0 && j->answer.code == 0)
		q->answer = fwa_background_answer(
			q->opcode, fwa_span(j->answer.out, j->answer.out_len), &q->percent);
}

/* What the work began with says how it is asked about. False when there is no way. */
static bool prepare(struct worker *w, struct question *q)
{
	const struct lease *by = &w->leases.work.by;
	struct job *j = &q->job;

	q->opcode = by->opcode;
	q->answer = FWA_WORK_UNKNOWN;
	if (w->device->ops->progress) {
		j->work = ask_registers;
		return true;
	}
	j->work = ask_log;
	j->timeout_ms = admit_timeout(w, 0);
	return by->set == FWA_SET_NVME_ADMIN && fwa_background_ask(by->opcode, &j->cmd);
}

/* Registers are read without a command, and without leave. */
static bool may_ask(struct worker *w, struct job *j)
{
	if (j->work == ask_registers)
		return true;
	judge(w, j, true);
	return journal_own_decision(w, j);
}

static void release(struct worker *w)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);

	w->leases.work.held = false;
	/* The device could not take a part meanwhile. */
	w->leases.feature.touched = w->leases.firmware.touched = now;
	state_changed(w);
}

static void no_answer(struct worker *w)
{
	struct leases *l = &w->leases;

	l->work.ask = in_ms(ASK_MS);
	if (w->gone || (++l->work.failures >= FAILURES_MAX && !l->work.by.session))
		release(w);
}

static void answered(struct worker *w, struct job *j)
{
	struct question *q = question_of(j);
	struct leases *l = &w->leases;

	l->work.asking = false;
	if (l->work.held && l->work.number == q->number) {
		l->work.ask = in_ms(ASK_MS);
		if (q->answer == FWA_WORK_UNKNOWN) {
			no_answer(w);
		} else {
			l->work.failures = 0;
			l->work.percent = q->percent;
			state_changed(w);
		}
		if (q->answer == FWA_WORK_OVER)
			release(w);
	}
	job_free(j);
	lease_tend(w);
}

static void not_asked(struct worker *w, struct job *j)
{
	w->leases.work.asking = false;
	job_free(j);
}

static void ask(struct worker *w)
{
	struct leases *l = &w->leases;
	struct question *q;

	if (!l->work.held || l->work.mute || l->work.asking)
		return;
	l->work.asked = fwa_clock_ns(CLOCK_MONOTONIC);
	l->work.ask = in_ms(ASK_MS);
	q = calloc(1, sizeof(*q));
	if (!q)
		return;
	q->job.worker = w;
	q->number = l->work.number;
	q->percent = FWA_PERCENT_UNKNOWN;
	q->job.done = answered;
	q->job.drop = not_asked;
	q->job.wait.class = JOB_READ;
	if (!prepare(w, q) || !may_ask(w, &q->job) || !admit_begin(w, &q->job)) {
		job_free(&q->job);
		return;
	}
	l->work.asking = true;
	job_own(w, &q->job);
}

/* Whether there is any way to ask about the work that has begun; that the journal is down passes. */
static bool can_be_asked(struct worker *w)
{
	struct question q = { 0 };

	if (!prepare(w, &q))
		return false;
	return q.job.work == ask_registers || judge(w, &q.job, true) ||
	       q.job.reply.decision.reason == FWA_REASON_JOURNAL;
}

/* A question about work before may be under way: its answer will not count, and the next comes after it. */
void lease_work_began(struct worker *w)
{
	struct leases *l = &w->leases;

	l->work.held = true;
	l->work.mute = !can_be_asked(w);
	l->work.percent = FWA_PERCENT_UNKNOWN;
	l->work.failures = 0;
	l->work.number++;
	l->work.ask = in_ms(ASK_SOON_MS);
}

void lease_hasten(struct worker *w)
{
	uint64_t soon = w->leases.work.asked + ASK_SOON_MS * FWA_NS_PER_MS;

	if (soon < w->leases.work.ask)
		w->leases.work.ask = soon;
}

void lease_refresh(struct worker *w)
{
	if (!w->leases.work.held)
		return;
	if (w->lanes.n)
		lease_hasten(w);
	else
		ask(w);
}

/* --- ending what was left --------------------------------------------------------------------------- */

struct end {
	struct job job; /* first: it is freed as a job */
	bool firmware;
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN];
};
_Static_assert(FWA_TRANSFER_ABORT_LEN <= CXL_TRANSFER_FW_HEADER_LEN, "room for both");

static const char *what(bool firmware)
{
	return firmware ? "firmware" : "a Feature";
}

static struct ending *ending_of(struct worker *w, bool firmware)
{
	return firmware ? &w->leases.firmware.ending : &w->leases.feature.ending;
}

static const struct lease *lease_of(const struct worker *w, bool firmware)
{
	return firmware ? &w->leases.firmware.by : &w->leases.feature.by;
}

/* It is over, or nothing more can be done about it. */
static void forget(struct worker *w, bool firmware)
{
	*ending_of(w, firmware) = (struct ending){ 0 };
	if (firmware)
		w->leases.firmware.transfer.running = false;
	else
		w->leases.feature.transfer.left = w->leases.feature.transfer.running = false;
	state_changed(w);
}

/* The device may be told again later: it did not look at the command. */
static bool was_busy(const struct job *j)
{
	if (j->result < 0)
		return j->result == -EBUSY && !j->answer.maybe_sent;
	return j->answer.code == CXL_RC_BUSY || j->answer.code == CXL_RC_RETRY;
}

static const char *ended_how(const struct job *j)
{
	if (j->result < 0)
		return strerror(-j->result);
	return fwa_status_name(j->cmd.set, j->answer.code);
}

static void ended(struct worker *w, struct job *j)
{
	struct end *e = (struct end *)j;
	struct ending *ending = ending_of(w, e->firmware);
	const struct lease *by = lease_of(w, e->firmware);

	ending->sent = false;
	if (was_busy(j) && ++ending->try < TRIES_MAX) {
		ending->at = in_ms(TRY_MS);
	} else {
		worker_log(w,
			   "uid %u left its transfer of %s half done; the abort that was sent: %s",
			   by->uid, what(e->firmware), ended_how(j));
		forget(w, e->firmware);
	}
	admit_end(w, j);
	job_free(j);
}

/* It is tried again when the quarantine is over. */
static void not_ended(struct worker *w, struct job *j)
{
	ending_of(w, ((struct end *)j)->firmware)->sent = false;
	job_free(j);
}

static void build(struct worker *w, struct end *e)
{
	if (e->firmware)
		fwa_firmware_abort(&w->leases.firmware.transfer, e->payload, &e->job.cmd);
	else
		e->job.cmd = fwa_transfer_abort(&w->leases.feature.transfer, e->payload);
}

/* It is asked again when a quarantine is over, or the journal is back; all else stays as it is. */
static void refused(struct worker *w, const struct end *e)
{
	unsigned int reason = e->job.reply.decision.reason;

	if (reason == FWA_REASON_QUARANTINED || reason == FWA_REASON_JOURNAL)
		return;
	worker_log(w, "uid %u left its transfer of %s half done; the abort is refused: %s",
		   e->job.uid, what(e->firmware), fwa_reason_name(reason));
	forget(w, e->firmware);
}

static void send_end(struct worker *w, bool firmware)
{
	const struct lease *by = lease_of(w, firmware);
	struct ending *ending = ending_of(w, firmware);
	struct end *e = calloc(1, sizeof(*e));

	ending->at = in_ms(TRY_MS);
	if (!e)
		return;
	e->job.worker = w;
	e->firmware = firmware;
	build(w, e);
	e->job.done = ended;
	e->job.drop = not_ended;
	e->job.work = admit_submit;
	e->job.timeout_ms = admit_timeout(w, 0);
	e->job.uid = by->uid;
	e->job.pid = by->pid;
	e->job.wait.class = JOB_CHANGE;
	judge(w, &e->job, false);
	if (!journal_own_decision(w, &e->job)) {
		refused(w, e);
	} else if (admit_begin(w, &e->job)) {
		ending->sent = true;
		job_own(w, &e->job);
		return;
	}
	job_free(&e->job);
}

/* One whose last part is still with the device is ended after it. */
static bool change_runs(const struct worker *w)
{
	return w->queue.n_running[JOB_CHANGE] || w->queue.n_running[JOB_ALONE];
}

static bool feature_left(const struct worker *w)
{
	return w->leases.feature.transfer.left && !w->leases.feature.by.session;
}

static bool firmware_left(const struct worker *w)
{
	return w->leases.firmware.transfer.running && !w->leases.firmware.by.session;
}

/* What is left to be done can be tried at e->at: a part of firmware in the background is waited for. */
static bool may_end(const struct worker *w, bool firmware)
{
	const struct leases *l = &w->leases;

	if (firmware)
		return firmware_left(w) && !change_runs(w) && !l->firmware.ending.sent &&
		       !l->work.held;
	return feature_left(w) && !change_runs(w) && !l->feature.ending.sent;
}

static void end_when_due(struct worker *w, bool firmware)
{
	struct ending *e = ending_of(w, firmware);
	uint64_t now;

	if (!(firmware ? firmware_left(w) : feature_left(w)))
		return;
	now = fwa_clock_ns(CLOCK_MONOTONIC);
	if (!e->since)
		e->since = now;
	if (may_end(w, firmware) && e->at <= now)
		send_end(w, firmware);
}

/* When a transfer has been alone for too long, CLOCK_MONOTONIC ns; UINT64_MAX: never. */
static uint64_t idle_until(const struct worker *w, bool firmware)
{
	const struct leases *l = &w->leases;
	bool there = firmware ? l->firmware.transfer.running : l->feature.transfer.left;

	/* In embedded mode there is nobody whom it could keep waiting. */
	if (!there || !lease_of(w, firmware)->session || w->listener < 0 || l->work.held ||
	    change_runs(w))
		return UINT64_MAX;
	return (firmware ? l->firmware.touched : l->feature.touched) + IDLE_MS * FWA_NS_PER_MS;
}

/*
 * A client that has lost its download does not know it, and NVMe has no command that tells the device:
 * what this client would send on is never to become part of another one's image.
 */
static void lose_firmware(struct worker *w, uint64_t session)
{
	fwa_list_each(at, following, &w->sessions)
	{
		struct session *s = fwa_list_entry(at, struct session, link);

		if (s->id == session && w->leases.firmware.transfer.set != FWA_SET_CXL)
			s->lost_firmware = true;
	}
}

static void leave_when_idle(struct worker *w, bool firmware)
{
	struct lease *by = firmware ? &w->leases.firmware.by : &w->leases.feature.by;

	if (idle_until(w, firmware) > fwa_clock_ns(CLOCK_MONOTONIC))
		return;
	worker_log(w, "uid %u has sent no part of its transfer of %s for %u s: it is ended",
		   by->uid, what(firmware), IDLE_MS / 1000);
	if (firmware)
		lose_firmware(w, by->session);
	by->session = 0;
	state_changed(w);
}

/*= spec/SECURITY-MODEL.md#C16 */
void lease_tend(struct worker *w)
{
	struct leases *l = &w->leases;

	if (!l->work.held && !l->firmware.transfer.running && !l->feature.transfer.left)
		return; /* nearly always */
	leave_when_idle(w, false);
	leave_when_idle(w, true);
	if (l->work.held && l->work.mute && !l->work.by.session)
		release(w);
	if (firmware_left(w) && (w->gone || l->firmware.transfer.set != FWA_SET_CXL))
		forget(w, true);
	if (feature_left(w) && w->gone)
		forget(w, false);
	end_when_due(w, false);
	end_when_due(w, true);
}

/* --- time ------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t lease_next(const struct worker *w)
{
	const struct leases *l = &w->leases;
	uint64_t next = UINT64_MAX;

	if (l->work.held && !l->work.mute && !l->work.asking)
		next = l->work.ask;
	if (may_end(w, false))
		next = earlier(next, l->feature.ending.at);
	if (may_end(w, true))
		next = earlier(next, l->firmware.ending.at);
	next = earlier(next, idle_until(w, false));
	return earlier(next, idle_until(w, true));
}

void lease_run(struct worker *w, uint64_t now)
{
	if (w->leases.work.ask <= now)
		ask(w);
	lease_tend(w);
}

bool lease_pending(const struct worker *w)
{
	const struct leases *l = &w->leases;
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);

	if (feature_left(w) && now < l->feature.ending.since + PENDING_MS * FWA_NS_PER_MS)
		return true;
	return firmware_left(w) && now < l->firmware.ending.since + PENDING_MS * FWA_NS_PER_MS;
}
