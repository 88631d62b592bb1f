/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judge, record, begin, submit, end: the one path from a request to the device. Judging and what
 * follows belong to the main thread; only the submit itself may be in a lane.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "core/status.h"
#include "proto/control.h"
#include "wire/cxl.h"

#define MAX_TIMEOUT_MS 600000u
/* The room of a longer reply is not kept: fresh memory is zeroed where it is touched only. */
#define SPARE_MAX (16u * 1024)

uint64_t worker_now(void)
{
	return fwa_clock_ns(CLOCK_BOOTTIME);
}

/*
 * The kernel marks the state in force with brackets: "none [integrity] confidentiality". What cannot
 * be opened or read counts as locked down.
 */
/*= spec/SECURITY-MODEL.md#C21 */
static bool locked_down(int fd)
{
	char text[128];
	ssize_t n;

	if (fd < 0)
		return fd != -ENOENT;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return true;
	text[n] = '\0';
	return !strstr(text, "[none]");
}

/* All but the lockdown, which it takes a system call to know. */
static struct fwa_contract own_state(struct worker *w, const struct session *s, uint64_t now)
{
	struct fwa_contract c = {
		.mode = w->mode,
		.quarantine = w->quarantine,
		.journal = journal_state(w),
		.drift = s ? profile_drift(w, s->who.uid) : NULL,
	};

	if (!s)
		return c;
	lease_contract(w, s, &c);
	c.rate_over = holdings_rate_over(s->held, now);
	c.seats_over = holdings_seats_over(s->held, s->rights);
	return c;
}

struct fwa_contract worker_contract(struct worker *w, const struct session *s, uint64_t now)
{
	struct fwa_contract c = own_state(w, s, now);

	c.lockdown = locked_down(w->lockdown_fd);
	return c;
}

unsigned int admit_timeout(const struct worker *w, unsigned int ms)
{
	if (!ms)
		return w->device_timeout_ms;
	return ms < MAX_TIMEOUT_MS ? ms : MAX_TIMEOUT_MS;
}

/* A mailbox reply is as long as the device makes it; an NVMe transfer is as long as it was asked. */
static uint32_t reply_room(const struct worker *w, const struct fwa_command *cmd)
{
	if (cmd->set != FWA_SET_CXL)
		return cmd->out_len;
	return w->device->payload_max < FWA_COMMAND_DATA_MAX ? w->device->payload_max
							     : FWA_COMMAND_DATA_MAX;
}

void worker_device_gone(struct worker *w)
{
	if (!w->gone)
		fwa_control_send(w->control, FWA_CONTROL_GONE, "the device is gone", -1);
	w->gone = true;
}

/* What the transport's answer means for the caller. */
/*= spec/SECURITY-MODEL.md#C27 */
static void set_outcome(struct fwa_gate_reply *reply, int r, const struct fwa_reply *answer)
{
	if (r == 0) {
		reply->device_code = answer->code;
		reply->device_result = answer->result;
		reply->status = fwa_status_ok(reply->decision.set, answer->code)
					? FWA_OUTCOME_COMPLETED
					: FWA_OUTCOME_DEVICE_ERROR;
		return;
	}
	reply->status = answer->maybe_sent ? FWA_OUTCOME_UNKNOWN : FWA_OUTCOME_REFUSED;
	reply->transport_errno = -r;
}

/* What is never beside anything else; what changes nothing may be beside everything. */
static enum job_class class_of(const struct fwa_command *cmd, fwa_effects effects)
{
	if (effects & FWA_EFFECT_EXCLUSIVE || profile_may_change(cmd, effects))
		return JOB_ALONE;
	return effects ? JOB_CHANGE : JOB_READ;
}

/* In the state of now, but for a journal that is down when @down says so. */
static void judge(struct worker *w, struct job *j, bool down)
{
	const struct session *s = j->session;
	struct fwa_decision *d = &j->reply.decision;
	struct fwa_contract *c = &j->contract;

	j->judged = worker_now();
	*c = own_state(w, s, j->judged);
	fwa_contract_advise(c, &w->advising.advice, &j->cmd, j->judged, NULL);
	if (down)
		c->journal = journal_down(w);
	*d = fwa_decide(c, s->rights, &w->profile, &j->cmd, j->judged);
	/* Nothing else depends on it: most requests are spared the system call. */
	c->lockdown = d->scope >= FWA_SCOPE_DEBUG_WRITE_FULL && locked_down(w->lockdown_fd);
	if (c->lockdown)
		*d = fwa_decide(c, s->rights, &w->profile, &j->cmd, j->judged);
	j->reply.status = FWA_OUTCOME_REFUSED;
	if (!fwa_admitted(d)) {
		memset(j->reply.grant, 0, sizeof(j->reply.grant));
		return;
	}
	memcpy(j->reply.grant, fwa_policy_grant_name(&w->policy, d->grant - 1),
	       sizeof(j->reply.grant));
	j->wait.class = class_of(&j->cmd, d->effects);
}

/* What cannot be recorded is judged by that. True when it is admitted. */
/*= spec/SECURITY-MODEL.md#C31 */
static bool record(struct worker *w, struct job *j)
{
	j->reply.seq = 0; /* of another record, if of any */
	if (!journal_decision(w, j)) {
		judge(w, j, true);
		journal_miss(w, j);
	}
	return fwa_admitted(&j->reply.decision);
}

bool admit_judge(struct worker *w, struct job *j)
{
	judge(w, j, false);
	return record(w, j);
}

bool admit_judge_again(struct worker *w, struct job *j)
{
	const struct fwa_gate_reply was = j->reply;

	judge(w, j, false);
	return journal_says(w, j, &was) || record(w, j);
}

bool admit_judge_late(struct worker *w, struct job *j)
{
	judge(w, j, true);
	return record(w, j);
}

/* Zeroed, so that no reply shows what another one left (C25). */
static uint8_t *take_room(struct worker *w, uint32_t len)
{
	if (!w->spare || w->spare_len != len)
		return calloc(1, len ? len : 1);
	memset(w->spare, 0, len);
	return fwa_steal(w->spare);
}

/* The next reply is mostly as long as this one: a mailbox has one size. */
void admit_release(struct worker *w, struct job *j)
{
	uint8_t *room = fwa_steal(j->answer.out), *old;

	if (!room || j->answer.out_cap > SPARE_MAX) {
		free(room);
		return;
	}
	old = w->spare;
	w->spare = room;
	w->spare_len = j->answer.out_cap;
	free(old);
}

void admit_shrink(struct job *j)
{
	uint32_t len = j->reply.out_len ? j->reply.out_len : 1;
	uint8_t *fitting = j->answer.out ? realloc(j->answer.out, len) : NULL;

	if (fitting) {
		j->answer.out = fitting;
		j->answer.out_cap = len;
	}
}

bool admit_begin(struct worker *w, struct job *j)
{
	uint32_t room = reply_room(w, &j->cmd);

	j->answer = (struct fwa_reply){ .out_cap = room, .out = take_room(w, room) };
	if (!j->answer.out) {
		j->reply.transport_errno = ENOMEM;
		return false;
	}
	if (j->session)
		j->account = holdings_begin(j->session->held, j->reply.decision.right,
					    j->cmd.payload.len, j->judged);
	return true;
}

void admit_submit(struct job *j)
{
	struct fwa_device *device = j->worker->device;
	uint64_t start = fwa_clock_ns(CLOCK_MONOTONIC);

	j->result = device->ops->submit(device, &j->cmd, &j->answer, j->timeout_ms);
	j->duration_ns = fwa_clock_ns(CLOCK_MONOTONIC) - start;
}

void admit_outcome(struct job *j)
{
	const struct fwa_reply *answer = &j->answer;
	struct fwa_gate_reply *reply = &j->reply;

	reply->duration_ns = j->duration_ns;
	set_outcome(reply, j->result, answer);
	if (j->result == 0 && answer->out_len <= answer->out_cap) /*= spec/SECURITY-MODEL.md#C25 */
		reply->out_len =
			answer->out_len < j->cmd.out_len ? answer->out_len : j->cmd.out_len;
}

void admit_end(struct worker *w, struct job *j)
{
	const struct fwa_gate_reply *reply = &j->reply;

	admit_outcome(j);
	if (j->result == -ENODEV)
		worker_device_gone(w);
	if (j->account)
		account_end(j->account, reply->out_len, worker_now());
	lease_follow(w, j);
	quarantine_follow(w, j);
	profile_follow(w, j);
}
