/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds what, by the commands that were sent.
 */
#include "worker/lease.h"

#include "base/util.h"
#include "worker/lease-own.h"
#include "worker/state.h"
#include "worker/worker.h"

static void take(struct lease *l, const struct job *j)
{
	/* A client that went away while its command was with the device holds nothing any more. */
	bool stays = j->session && !j->worker->ending;

	*l = (struct lease){ .session = stays ? j->owner : 0,
			     .uid = j->uid,
			     .pid = j->pid,
			     .set = j->cmd.set,
			     .opcode = j->cmd.opcode,
			     .since = fwa_clock_ns(CLOCK_BOOTTIME) };
}

/* --- what others hold --------------------------------------------------------------------------- */

/* Somebody's transfer that is not ended yet counts as another one's for everybody. */
static enum fwa_transferor transferor(const struct leases *l, const struct session *s)
{
	const struct fwa_transfer *t = &l->feature.transfer;

	if (t->running && l->feature.by.session == s->id)
		return FWA_TRANSFER_OWN;
	return t->running || (t->left && !l->feature.by.session) ? FWA_TRANSFER_OTHER
								 : FWA_TRANSFER_NONE;
}

/*
 * Whoever opened the device with its own rights, in embedded mode, is alone with it. Else work that
 * this gate did not begin is not known to be the caller's.
 */
static bool may_abort(const struct worker *w, const struct session *s)
{
	if (s->who.uid == 0 || w->listener < 0)
		return true;
	return w->leases.work.held && w->leases.work.by.uid == s->who.uid;
}

/*= spec/SECURITY-MODEL.md#C16 */
void lease_contract(struct worker *w, const struct session *s, struct fwa_contract *c)
{
	struct leases *l = &w->leases;

	lease_refresh(w);
	c->leased = l->work.held && l->work.by.session != s->id;
	c->not_to_abort = !may_abort(w, s);
	c->firmware_leased = s->lost_firmware ||
			     (l->firmware.transfer.running && l->firmware.by.session != s->id);
	c->transfer = (uint8_t)transferor(l, s);
	if (c->transfer == FWA_TRANSFER_OWN)
		memcpy(c->transfer_uuid, l->feature.transfer.uuid, sizeof(c->transfer_uuid));
}

/* --- following ------------------------------------------------------------------------------------ */

static enum fwa_sent became(unsigned int outcome)
{
	if (outcome == FWA_OUTCOME_COMPLETED)
		return FWA_SENT_DONE;
	return outcome == FWA_OUTCOME_DEVICE_ERROR ? FWA_SENT_FAILED : FWA_SENT_UNKNOWN;
}

static void follow_feature(struct leases *l, const struct job *j, enum fwa_sent sent)
{
	struct fwa_transfer *t = &l->feature.transfer;
	bool was_left = t->left, was_running = t->running;

	if (fwa_transfer_part(&j->cmd) == CXL_PART_FULL)
		return;
	fwa_transfer_follow(t, &j->cmd, sent);
	if ((t->running && !was_running) || (t->left && !was_left))
		take(&l->feature.by, j);
	if (j->owner == l->feature.by.session)
		l->feature.touched = fwa_clock_ns(CLOCK_MONOTONIC);
}

static void follow_firmware(struct leases *l, const struct job *j, enum fwa_sent sent)
{
	struct fwa_firmware *f = &l->firmware.transfer;
	bool was_running = f->running;

	if (!fwa_firmware_part(&j->cmd))
		return;
	fwa_firmware_follow(f, &j->cmd, sent, j->reply.device_code);
	if (f->running && !was_running)
		take(&l->firmware.by, j);
	if (j->owner == l->firmware.by.session)
		l->firmware.touched = fwa_clock_ns(CLOCK_MONOTONIC);
}

/*
 * Whether @j has begun work that goes on. A mailbox says so in its return code: a command that may run
 * in the background can as well be done when it answers.
 */
static bool began_work(const struct job *j, enum fwa_sent sent)
{
	if (!(j->reply.decision.effects & FWA_EFFECT_BACKGROUND) || fwa_command_aborts(&j->cmd) ||
	    sent == FWA_SENT_FAILED)
		return false;
	return sent == FWA_SENT_UNKNOWN || j->cmd.set != FWA_SET_CXL ||
	       j->reply.device_code == CXL_RC_BACKGROUND;
}

static void follow_work(struct worker *w, const struct job *j, enum fwa_sent sent)
{
	struct leases *l = &w->leases;

	if (fwa_command_aborts(&j->cmd))
		lease_hasten(w);
	if (!began_work(j, sent))
		return;
	take(&l->work.by, j);
	lease_work_began(w);
}

/*= spec/SECURITY-MODEL.md#C16 */
void lease_follow(struct worker *w, const struct job *j)
{
	enum fwa_sent sent = became(j->reply.status);
	const char *kind;
	bool held = lease_shown(w, &kind);

	if (j->reply.status != FWA_OUTCOME_REFUSED) {
		follow_feature(&w->leases, j, sent);
		follow_firmware(&w->leases, j, sent);
		follow_work(w, j, sent);
	}
	lease_tend(w);
	if (held || lease_shown(w, &kind)) /* else there is nothing to tell */
		state_changed(w);
}

/* Id 0: whosever it is. */
static void leave(struct worker *w, uint64_t id)
{
	struct lease *all[] = { &w->leases.work.by, &w->leases.feature.by, &w->leases.firmware.by };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(all); i++)
		if (!id || all[i]->session == id)
			all[i]->session = 0;
	lease_tend(w);
	state_changed(w);
}

void lease_leave(struct worker *w, const struct session *s)
{
	leave(w, s->id);
}

void lease_leave_all(struct worker *w)
{
	leave(w, 0);
}

const struct lease *lease_shown(const struct worker *w, const char **ret_kind)
{
	const struct leases *l = &w->leases;

	if (l->work.held) {
		*ret_kind = "background";
		return &l->work.by;
	}
	if (l->firmware.transfer.running) {
		*ret_kind = "firmware-transfer";
		return &l->firmware.by;
	}
	*ret_kind = "feature-transfer";
	return l->feature.transfer.left ? &l->feature.by : NULL;
}
