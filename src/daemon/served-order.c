/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker is told. A worker takes messages in their order, so that a policy which it has
 * acknowledged says that it works by all that was sent before; that is how any order is waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/quarantine.h"
#include "daemon/round.h"
#include "daemon/served.h"

#define ACK_TIMEOUT (10 * FWA_US_PER_S)

/* False when the worker could not be told and is no more. */
static bool tell(struct fwa_served *s, enum fwa_control_kind kind, const char *text, int fd)
{
	int r = fwa_control_send(s->control_fd, kind, text, fd);

	if (r == 0)
		return true;
	log_error("%s: worker %d cannot be told (%s): killed", s->name, s->pid, strerror(-r));
	fwa_served_kill(s);
	return false;
}

/* --- acknowledgements ----------------------------------------------------------------------- */

static int on_late(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_served *s = userdata;

	log_error("%s: worker %d does not take its policy in time: killed", s->name, s->pid);
	fwa_served_kill(s); /*= spec/SECURITY-MODEL.md#C19 */
	return 0;
}

static void watch_acks(struct fwa_served *s)
{
	s->late = sd_event_source_unref(s->late);
	if (s->acks && sd_event_add_time_relative(s->daemon->event, &s->late, CLOCK_MONOTONIC,
						  ACK_TIMEOUT, 0, on_late, s) < 0)
		log_warning("%s: no timer for the worker's answer", s->name);
}

static void pop_ack(struct fwa_served *s)
{
	struct fwa_served_ack *a = s->acks;

	s->acks = a->next;
	if (a->round)
		fwa_round_drop(a->round);
	free(a);
}

bool fwa_served_acknowledged(struct fwa_served *s)
{
	if (!s->acks)
		return false;
	pop_ack(s);
	watch_acks(s);
	return true;
}

void fwa_served_forget_acks(struct fwa_served *s)
{
	while (s->acks)
		pop_ack(s);
	s->late = sd_event_source_unref(s->late);
}

/*
 * Sends the policy, which @round then waits for; but not with a worker that is starting, for it
 * takes all that was sent before it serves anybody.
 */
static void send_policy(struct fwa_served *s, struct fwa_round *round)
{
	struct fwa_served_ack *a, **at = &s->acks;

	if (s->control_fd < 0)
		return;
	a = calloc(1, sizeof(*a));
	if (!a) {
		log_error("%s: no memory for worker %d's answer: killed", s->name, s->pid);
		fwa_served_kill(s);
		return;
	}
	if (round && s->state != FWA_SERVED_STARTING) {
		fwa_round_hold(round);
		a->round = round;
	}
	while (*at)
		at = &(*at)->next;
	*at = a;
	if (s->acks == a)
		watch_acks(s);
	/* Who cannot be told is killed, and waited for all the same. */
	tell(s, FWA_CONTROL_POLICY, "", s->policy_fd);
}

/* --- policy --------------------------------------------------------------------------------- */

int fwa_served_prepare_policy(struct fwa_served *s, const struct fwa_policy_files *policy)
{
	int fd = fwa_policy_files_compile(policy, s->name, s->spec);

	if (fd < 0)
		return fd;
	fwa_close(s->next_policy_fd);
	s->next_policy_fd = fd;
	return 0;
}

void fwa_served_settle_policy(struct fwa_served *s, struct fwa_round *round)
{
	if (s->next_policy_fd < 0)
		return;
	if (!round) {
		s->next_policy_fd = fwa_close(s->next_policy_fd);
		return;
	}
	fwa_close(s->policy_fd);
	s->policy_fd = s->next_policy_fd;
	s->next_policy_fd = -1;
	fwa_journald_keep(s->daemon->journald, FWA_OBJECT_POLICY, s->name, s->policy_fd);
	send_policy(s, round);
}

void fwa_served_keep(struct fwa_served *s)
{
	struct fwa_journald *j = s->daemon->journald;

	fwa_journald_keep(j, FWA_OBJECT_POLICY, s->name, s->policy_fd);
	fwa_journald_keep(j, FWA_OBJECT_PROFILE, NULL, s->profile_fd);
	fwa_journald_keep(j, FWA_OBJECT_ACCEPTED, NULL, s->baseline_fd);
}

/* --- quarantine and baseline ---------------------------------------------------------------- */

void fwa_served_order(struct fwa_served *s, enum fwa_control_kind kind, const char *text,
		      struct fwa_round *round)
{
	if (s->control_fd >= 0 && tell(s, kind, text, -1) && round)
		send_policy(s, round);
}

/*= spec/SECURITY-MODEL.md#C33 */
void fwa_served_advise(struct fwa_served *s, struct fwa_round *round)
{
	if (s->control_fd >= 0 &&
	    tell(s, FWA_CONTROL_ADVISORIES, "", s->daemon->advisories.table_fd) && round)
		send_policy(s, round);
}

void fwa_served_judge(struct fwa_served *s, struct fwa_round *round)
{
	const struct fwa_baselines *b = &s->daemon->baselines;
	int r;

	if (s->control_fd < 0 || s->declarations_fd < 0)
		return;
	fwa_close(s->baseline_fd);
	r = fwa_baselines_find(b, &s->who, &s->baseline, &s->baseline_fd);
	if (r < 0)
		log_error("%s: its baseline cannot be read: %s", s->name, strerror(-r));
	fwa_served_keep(s);
	if (!tell(s, FWA_CONTROL_BASELINE, fwa_baseline_source_name(s->baseline), s->baseline_fd))
		return;
	s->judged = true;
	if (round)
		send_policy(s, round);
}
