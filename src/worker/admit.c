/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decide, submit, outcome: the one path from a request to the device.
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

#define DEFAULT_TIMEOUT_MS 30000u
#define MAX_TIMEOUT_MS 600000u

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

/* A lease ends when the device says that its background operation has. */
static bool leased_by_other(struct worker *w, const struct session *s)
{
	if (!w->lessee)
		return false;
	if (w->device->ops->busy && w->device->ops->busy(w->device) == 0)
		w->lessee = NULL;
	return w->lessee && w->lessee != s;
}

struct fwa_contract worker_contract(struct worker *w, const struct session *s)
{
	struct fwa_contract c = {
		.mode = w->mode,
		.lockdown = locked_down(w->lockdown_fd),
		.leased = leased_by_other(w, s),
	};

	if (!w->transfer.running)
		return c;
	c.transfer = FWA_TRANSFER_OTHER;
	if (w->transferor == s) {
		c.transfer = FWA_TRANSFER_OWN;
		memcpy(c.transfer_uuid, w->transfer.uuid, sizeof(c.transfer_uuid));
	}
	return c;
}

static unsigned int bounded_timeout(unsigned int ms)
{
	if (!ms)
		return DEFAULT_TIMEOUT_MS;
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

static void device_gone(struct worker *w)
{
	if (!w->gone)
		fwa_control_send(w->control, FWA_CONTROL_GONE, "the device is gone", -1);
	w->gone = true;
}

/* What the transport's answer means for the caller. */
/*= spec/SECURITY-MODEL.md#C27 */
static void set_outcome(struct worker *w, struct fwa_gate_reply *reply, int r,
			const struct fwa_reply *answer)
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
	if (r == -ENODEV)
		device_gone(w);
}

/* The buffer is fresh and zeroed, so that no reply shows what another one left (C25). */
static void submit(struct worker *w, const struct fwa_command *cmd, unsigned int timeout_ms,
		   struct fwa_gate_reply *reply, uint8_t **ret_out)
{
	struct fwa_reply answer = { .out_cap = reply_room(w, cmd) };
	uint64_t start = fwa_clock_ns(CLOCK_MONOTONIC);
	int r = -ENOMEM;

	answer.out = calloc(1, answer.out_cap ? answer.out_cap : 1);
	if (answer.out)
		r = w->device->ops->submit(w->device, cmd, &answer, bounded_timeout(timeout_ms));
	reply->duration_ns = fwa_clock_ns(CLOCK_MONOTONIC) - start;
	set_outcome(w, reply, r, &answer);
	if (r == 0 && answer.out_len <= answer.out_cap) /*= spec/SECURITY-MODEL.md#C25 */
		reply->out_len = answer.out_len < cmd->out_len ? answer.out_len : cmd->out_len;
	*ret_out = answer.out;
}

/* Whether the command may have begun something; one that failed or was never sent has not. */
static bool may_run(const struct fwa_gate_reply *reply)
{
	return reply->status == FWA_OUTCOME_COMPLETED || reply->status == FWA_OUTCOME_UNKNOWN;
}

/*
 * A command that may have changed namespaces has made what the profile says of their blocks a thing
 * of the past. The lengths of transfers are judged by that, so from now on it says nothing.
 */
/*= spec/SECURITY-MODEL.md#C18 */
static void forget_namespaces(struct worker *w, const struct fwa_gate_reply *reply)
{
	const fwa_effects changes =
		FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY;

	if (reply->decision.effects & changes && reply->status != FWA_OUTCOME_REFUSED)
		w->profile.namespaces = fwa_span(NULL, 0);
}

/* Which Feature's transfer is in progress from now on, and whose it is. */
/*= spec/SECURITY-MODEL.md#C16 */
static void follow_transfer(struct worker *w, const struct session *s,
			    const struct fwa_command *cmd, const struct fwa_gate_reply *reply)
{
	if (reply->status == FWA_OUTCOME_REFUSED || fwa_transfer_part(cmd) == CXL_PART_FULL)
		return;
	fwa_transfer_follow(&w->transfer, cmd, reply->status == FWA_OUTCOME_COMPLETED);
	w->transferor = w->transfer.running ? s : NULL;
}

void worker_admit(struct worker *w, struct session *s, const struct fwa_command *cmd,
		  unsigned int timeout_ms, struct fwa_gate_reply *reply, uint8_t **ret_out)
{
	struct fwa_contract contract = worker_contract(w, s);
	struct fwa_decision d = fwa_decide(&contract, &s->rights, &w->profile, cmd, worker_now());
	struct fwa_grant grant;

	reply->decision = d;
	reply->status = FWA_OUTCOME_REFUSED;
	if (!fwa_admitted(&d))
		return;
	if (fwa_policy_grant(&w->policy, d.grant - 1, &grant))
		memcpy(reply->grant, grant.name, sizeof(reply->grant));
	submit(w, cmd, timeout_ms, reply, ret_out);
	forget_namespaces(w, reply);
	follow_transfer(w, s, cmd, reply);
	/* What may be running from now on is the session's: C16. */
	if (d.effects & FWA_EFFECT_BACKGROUND && may_run(reply))
		w->lessee = s;
}
