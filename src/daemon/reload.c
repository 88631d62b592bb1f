/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/advisories.h"
#include "daemon/event.h"
#include "daemon/grants.h"
#include "daemon/journal.h"
#include "daemon/peer.h"
#include "daemon/round.h"
#include "daemon/served.h"

struct waiter {
	struct waiter *next;
	bool anyway, asked;
	struct fwa_peer peer; /* when somebody asked */
	fwa_reload_fn fn;
	void *userdata;
};

/* Those who are told of one reading's outcome. */
struct run {
	struct waiter *waiters;
};

struct fwa_reload {
	sd_event_source *step;
	struct waiter *asked;            /* since the reading that is under way began */
	bool anyway;                     /* one of them wants at least the old one compiled again */
	struct run *run;                 /* NULL: none is under way */
	bool begun;                      /* the policy was read for it */
	struct fwa_policy_files *policy; /* NULL: that of the daemon, once more */
};

/* --- reading -------------------------------------------------------------------------------- */

static void on_policy_message(const struct fwa_policy_message *m, void *userdata)
{
	int priority = m->error ? LOG_ERR : LOG_WARNING;
	char *error = userdata, line[FWA_ERROR_LEN];

	fwa_policy_message_line(m, line);
	fwa_make_printable(line);
	fwa_log(priority, "%s", line);
	if (m->error && !error[0])
		strcpy(error, line);
}

int fwa_reload_read(struct fwa_daemon *d, struct fwa_policy_files **ret, char error[FWA_ERROR_LEN])
{
	unsigned int n;
	int r;

	error[0] = '\0';
	fwa_grants_tidy(d);
	r = fwa_policy_files_load(d->options->policy_dir, d->grants_dir, on_policy_message, error,
				  ret);
	if (r < 0) {
		if (!error[0])
			snprintf(error, FWA_ERROR_LEN, "%s", strerror(-r));
		return r;
	}
	n = fwa_policy_files_count(*ret);
	log_info("policy: %u grant%s from %s, sha256 %s", n, n == 1 ? "" : "s",
		 fwa_policy_files_source(*ret), fwa_policy_files_digest(*ret));
	return 0;
}

/* --- outcome -------------------------------------------------------------------------------- */

static void tell_all(struct waiter *waiters, int r, const char *message)
{
	struct waiter *next;

	for (struct waiter *w = waiters; w; w = next) {
		next = w->next;
		if (w->fn)
			w->fn(w->userdata, r, message);
		free(w);
	}
}

static void tell(struct run *run, int r, const char *message)
{
	tell_all(run->waiters, r, message);
	free(run);
}

/* The first of those who have asked for it. NULL: it came about by itself. */
static const struct fwa_peer *asker(const struct run *run)
{
	const struct waiter *w = run->waiters;

	while (w && !w->asked)
		w = w->next;
	return w ? &w->peer : NULL;
}

/* Every worker has it. */
static void on_settled(void *userdata)
{
	tell(userdata, 0, "");
}

/* Those who asked for what was read are told; the others get the old one compiled again. */
static void refuse(struct fwa_daemon *d, int r, const char *message)
{
	struct waiter **at = &d->reload->run->waiters, *refused = NULL;

	/*= spec/SECURITY-MODEL.md#C3 */
	log_error("policy: not reloaded, the old one stays in force: %s", message);
	fwa_act(d, FWA_ACT_POLICY_REFUSED, asker(d->reload->run), NULL, "%s", message);
	fwa_event(d, "policy_refused", NULL, "%s", message);
	while (*at) {
		struct waiter *w = *at;

		if (w->anyway) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = refused;
		refused = w;
	}
	tell_all(refused, r, message);
}

/* Nothing changes. */
static void fail(struct fwa_daemon *d, int r, const char *message)
{
	struct run *run;

	refuse(d, r, message);
	run = fwa_steal(d->reload->run);
	d->reload->begun = false;
	for (struct fwa_served *s = d->devices; s; s = s->next)
		fwa_served_settle_policy(s, NULL);
	d->reload->policy = fwa_policy_files_free(d->reload->policy);
	tell(run, r, message);
}

static void settle(struct fwa_daemon *d)
{
	struct fwa_reload *rl = d->reload;
	struct fwa_round *round = fwa_round_new(on_settled, rl->run);
	uint64_t record;

	if (!round) {
		fail(d, -ENOMEM, strerror(ENOMEM));
		return;
	}
	if (rl->policy) {
		fwa_policy_files_free(d->policy);
		d->policy = fwa_steal(rl->policy);
	}
	record = fwa_act_begin(d, FWA_ACT_POLICY_RELOADED, asker(rl->run), NULL,
			       "sha256 %s, %u grants from %s", fwa_policy_files_digest(d->policy),
			       fwa_policy_files_count(d->policy),
			       fwa_policy_files_source(d->policy));
	rl->run = NULL;
	rl->begun = false;
	for (struct fwa_served *s = d->devices; s; s = s->next)
		fwa_served_settle_policy(s, round);
	fwa_grants_expect(d);
	fwa_event(d, "policy_reloaded", NULL, "sha256 %s", fwa_policy_files_digest(d->policy));
	fwa_act_await(d, record);
	fwa_round_drop(round);
}

/* --- step by step --------------------------------------------------------------------------- */

static void begin(struct fwa_daemon *d)
{
	struct fwa_reload *rl = d->reload;
	bool anyway = rl->anyway;
	char error[FWA_ERROR_LEN];
	int r;

	rl->begun = true;
	rl->run->waiters = fwa_steal(rl->asked);
	rl->anyway = false;
	d->admin_group = fwa_peer_admin_group();
	fwa_advised_renew(d, NULL); /* every worker has them when it has the policy */
	r = fwa_reload_read(d, &rl->policy, error);
	if (r < 0 && anyway)
		refuse(d, r, error);
	else if (r < 0)
		fail(d, r, error);
}

/* Compiles for the next device. False when there is none left. */
static bool prepare_next(struct fwa_daemon *d)
{
	struct fwa_served *s = d->devices;
	int r;

	while (s && (s->stopping || s->next_policy_fd >= 0))
		s = s->next;
	if (!s)
		return false;
	r = fwa_served_prepare_policy(s, d->reload->policy ?: d->policy);
	if (r < 0)
		fail(d, r, strerror(-r));
	return true;
}

/* A timer that has run out already takes its turn behind all that waits now. 0 or negative errno. */
static int step_again(struct fwa_reload *rl)
{
	int r = sd_event_source_set_time_relative(rl->step, 0);

	return r < 0 ? r : sd_event_source_set_enabled(rl->step, SD_EVENT_ONESHOT);
}

static int on_step(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_daemon *d = userdata;
	struct fwa_reload *rl = d->reload;

	if (!rl->run)
		rl->run = calloc(1, sizeof(*rl->run));
	if (rl->run && !rl->begun)
		begin(d);
	else if (rl->run && !prepare_next(d))
		settle(d);
	return rl->run || rl->asked ? step_again(rl) : 0;
}

static int set_up(struct fwa_daemon *d)
{
	int r;

	if (d->reload)
		return step_again(d->reload);
	d->reload = calloc(1, sizeof(*d->reload));
	if (!d->reload)
		return -ENOMEM;
	r = sd_event_add_time_relative(d->event, &d->reload->step, CLOCK_MONOTONIC, 0, 1, on_step,
				       d);
	if (r < 0) {
		sd_event_source_unref(d->reload->step);
		free(d->reload);
		d->reload = NULL;
	}
	return r;
}

static int ask(struct fwa_daemon *d, bool anyway, const struct fwa_peer *peer, fwa_reload_fn fn,
	       void *userdata)
{
	struct waiter *w = malloc(sizeof(*w)), **at;
	int r = w ? set_up(d) : -ENOMEM;

	if (r < 0) {
		free(w);
		return r;
	}
	*w = (struct waiter){ .anyway = anyway, .asked = peer, .fn = fn, .userdata = userdata };
	if (peer)
		w->peer = *peer;
	d->reload->anyway |= anyway;
	at = &d->reload->asked;
	while (*at)
		at = &(*at)->next;
	*at = w;
	return 0;
}

int fwa_reload(struct fwa_daemon *d, const struct fwa_peer *peer, fwa_reload_fn fn, void *userdata)
{
	return ask(d, false, peer, fn, userdata);
}

int fwa_reload_anyway(struct fwa_daemon *d, const struct fwa_peer *peer, fwa_reload_fn fn,
		      void *userdata)
{
	return ask(d, true, peer, fn, userdata);
}

void fwa_reload_cancel(struct fwa_daemon *d)
{
	struct fwa_reload *rl = d->reload;

	if (!rl)
		return;
	sd_event_source_unref(rl->step);
	fwa_policy_files_free(rl->policy);
	if (rl->run)
		tell(rl->run, -ECANCELED, strerror(ECANCELED));
	tell_all(rl->asked, -ECANCELED, strerror(ECANCELED));
	free(rl);
	d->reload = NULL;
}
