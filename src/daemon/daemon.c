/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of devices, who of them is quarantined, and the daemon's own beginning and end.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "base/bury.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/grants.h"
#include "daemon/journal.h"
#include "daemon/monitor.h"
#include "daemon/peer.h"
#include "daemon/reload.h"
#include "daemon/served.h"
#include "daemon/varlink.h"

#define DEVICES_MAX 128
/* Each holds a dozen, of its worker, its ring, its policy, and what the journal is to keep of it. */
#define DESCRIPTORS 4096

/* --- devices -------------------------------------------------------------------------------- */

static struct fwa_served **find(struct fwa_daemon *d, const char *name)
{
	struct fwa_served **at = &d->devices;

	while (*at && ((*at)->stopping || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	return at;
}

int fwa_daemon_add(struct fwa_daemon *d, const char *name, const char *spec)
{
	struct fwa_served **at = find(d, name), *s;
	size_t n = 0;
	int r;

	if (d->stopping)
		return 0;
	if (*at) {
		fwa_served_retry(*at);
		return 0;
	}
	for (s = d->devices; s; s = s->next)
		n++;
	if (n >= DEVICES_MAX) {
		log_error("%s: not served: there are %d devices already", name, DEVICES_MAX);
		return -E2BIG;
	}
	r = fwa_served_new(d, name, spec, &s);
	if (r < 0)
		return r;
	*at = s;
	fwa_act(d, FWA_ACT_DEVICE_ADDED, NULL, name, "%s", spec);
	fwa_event(d, "device_added", name, "%s", spec);
	return 0;
}

void fwa_daemon_remove(struct fwa_daemon *d, const char *name)
{
	struct fwa_served *s = *find(d, name);

	if (!s)
		return;
	log_info("%s: removed", name);
	fwa_act(d, FWA_ACT_DEVICE_REMOVED, NULL, name, "removed");
	fwa_event(d, "device_removed", name, "removed");
	fwa_served_stop(s, true);
}

static void leave(struct fwa_daemon *d)
{
	sd_event_exit(d->event, 0);
}

/* All that was served is over: so is the journal, and then we are. */
static void end(struct fwa_daemon *d)
{
	if (!d->journald) {
		leave(d);
		return;
	}
	fwa_act(d, FWA_ACT_DAEMON_STOP, NULL, NULL, "fwadmitd %s", FWADMIT_VERSION);
	fwa_journald_end(d->journald, leave);
}

void fwa_daemon_stopped(struct fwa_daemon *d, struct fwa_served *s)
{
	struct fwa_served **at = &d->devices;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	fwa_served_free(s);
	if (d->stopping && !d->devices)
		end(d);
}

struct fwa_served *fwa_daemon_find(const struct fwa_daemon *d, const char *name)
{
	return *find((struct fwa_daemon *)d, name);
}

/* --- quarantine ----------------------------------------------------------------------------- */

static bool is_device(const struct fwa_served *s, const struct fwa_identified *who)
{
	return s->identified && fwa_same_device(who, &s->who);
}

/* Tells all workers whose device is @who. */
static void tell_all(struct fwa_daemon *d, const struct fwa_identified *who,
		     enum fwa_control_kind kind, const char *text, struct fwa_round *round)
{
	for (struct fwa_served *s = d->devices; s; s = s->next)
		if (is_device(s, who))
			fwa_served_order(s, kind, text, round);
}

/* Says what @event did to devices that nobody has named: two controllers of one drive, or a forgery. */
static void tell_of_twins(struct fwa_daemon *d, const char *name, const struct fwa_identified *who,
			  const char *event)
{
	for (const struct fwa_served *s = d->devices; s; s = s->next) {
		if (strcmp(s->name, name) == 0 || !is_device(s, who))
			continue;
		log_warning("%s: %s with %s: by model and serial it is the same device", s->name,
			    event, name);
		fwa_event(d, event, s->name, "with %s: by model and serial it is the same device",
			  name);
	}
}

int fwa_daemon_quarantine(struct fwa_daemon *d, const char *name, const struct fwa_identified *who,
			  const struct fwa_quarantine_why *why, const struct fwa_peer *peer,
			  struct fwa_round *round)
{
	char key[FWA_DIGEST_TEXT], text[FWA_CONTROL_TEXT_MAX];
	uint64_t record;
	int r;

	snprintf(text, sizeof(text), "%s: %s", why->cause, why->reason);
	record = fwa_act_begin(d, FWA_ACT_QUARANTINED, peer, name, "%s", text);
	fwa_device_digest(who, key);
	r = fwa_quarantine_add(&d->quarantine, key, why, who);
	if (r < 0)
		log_error("%s: its quarantine cannot be remembered: %s", name, strerror(-r));
	log_warning("%s: quarantined (%s): %s", name, why->cause, why->reason);
	fwa_event(d, "quarantined", name, "%s: %s", why->cause, why->reason);
	tell_all(d, who, FWA_CONTROL_QUARANTINE, text, round); /*= spec/SECURITY-MODEL.md#C22 */
	tell_of_twins(d, name, who, "quarantined");
	if (peer) /* who is answered when it is in the journal */
		fwa_act_await(d, record);
	return r;
}

int fwa_daemon_release(struct fwa_daemon *d, const char *name, const struct fwa_identified *who,
		       struct fwa_round *round)
{
	char key[FWA_DIGEST_TEXT];
	int r;

	fwa_device_digest(who, key);
	r = fwa_quarantine_remove(&d->quarantine, key);
	if (r < 0) {
		log_error("%s: its quarantine cannot be ended: %s", name, strerror(-r));
		return r;
	}
	log_info("%s: released from quarantine", name);
	fwa_event(d, "released", name, "released from quarantine");
	tell_all(d, who, FWA_CONTROL_RELEASE, "", round);
	tell_of_twins(d, name, who, "released");
	return 0;
}

/* --- beginning and end ---------------------------------------------------------------------- */

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	int r = fwa_reload(userdata, NULL, NULL, NULL);

	if (r < 0)
		log_error("policy: not reloaded: %s", strerror(-r));
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct fwa_daemon *d = userdata;
	struct fwa_served *next;

	if (d->stopping)
		return 0;
	d->stopping = true;
	sd_notify(0, "STOPPING=1");
	d->monitor = fwa_monitor_free(d->monitor);
	d->varlink = fwa_varlink_free(d->varlink);
	fwa_reload_cancel(d);
	if (!d->devices) {
		end(d);
		return 0;
	}
	for (struct fwa_served *s = d->devices; s; s = next) {
		next = s->next;
		fwa_served_stop(s, false);
	}
	return 0;
}

static int setup_event(struct fwa_daemon *d)
{
	static const int watched[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_new(&d->event);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGTERM, on_stop, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGINT, on_stop, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGHUP, on_reload, d);
	if (r >= 0)
		r = sd_event_set_watchdog(d->event, true);
	if (r >= 0)
		r = fwa_grants_watch(d);
	if (r >= 0)
		fwa_advised_expect(d);
	if (r < 0)
		log_error("cannot set up: %s", strerror(-r));
	return r < 0 ? r : 0;
}

/* The usual limit is 1024. What cannot be had is had without. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int setup_journal(struct fwa_daemon *d)
{
	int r;

	allow_descriptors();
	r = fwa_journald_new(d, &d->journald);
	if (r == 0)
		fwa_act(d, FWA_ACT_DAEMON_START, NULL, NULL,
			"fwadmitd %s, %s mode, policy sha256 %s", FWADMIT_VERSION, d->options->mode,
			fwa_policy_files_digest(d->policy));
	return r;
}

static int setup_devices(struct fwa_daemon *d)
{
	const struct fwa_daemon_options *o = d->options;
	int r = 0;

	for (size_t i = 0; i < o->n_devices && r == 0; i++)
		r = fwa_daemon_add(d, o->devices[i].name, o->devices[i].spec);
	if (r == 0 && o->discover)
		r = fwa_monitor_new(d, &d->monitor);
	return r;
}

/* What was started before a failure is stopped in order, as at the end. */
static int loop(struct fwa_daemon *d, bool failed)
{
	int r;

	if (failed)
		on_stop(NULL, NULL, d);
	else
		sd_notify(0, "READY=1");
	r = sd_event_loop(d->event);
	if (r < 0)
		log_error("event loop: %s", strerror(-r));
	return failed || r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void clear(struct fwa_daemon *d)
{
	while (d->devices) {
		struct fwa_served *s = d->devices;

		d->devices = s->next;
		fwa_served_free(s);
	}
	fwa_monitor_free(d->monitor);
	fwa_varlink_free(d->varlink);
	fwa_reload_cancel(d);
	fwa_quarantine_clear(&d->quarantine);
	fwa_grants_unwatch(d);
	fwa_advised_clear(&d->advisories);
	d->journald = fwa_journald_free(d->journald);
	free(d->grants_dir);
	fwa_policy_files_free(d->policy);
	fwa_socket_dir_close(&d->dir);
	sd_event_unref(d->event);
}

/* What was there before us: what is remembered, who may change it, the policy. */
static int recall(struct fwa_daemon *d)
{
	char error[FWA_ERROR_LEN];
	int r;

	fwa_state_open(d->options->state_dir, &d->state);
	d->baselines = (struct fwa_baselines){
		.pinned_dir = fwa_pinned_dir(),
		.state_dir = d->state.path,
		.require_pinned = d->options->require_pinned,
	};
	fwa_baselines_sweep(&d->baselines);
	if (d->state.path && asprintf(&d->grants_dir, "%s/grants", d->state.path) < 0) {
		d->grants_dir = NULL;
		return -ENOMEM;
	}
	d->admin_group = fwa_peer_admin_group();
	r = fwa_quarantine_load(&d->state, &d->quarantine);
	if (r == 0)
		r = fwa_advised_load(d);
	return r < 0 ? r : fwa_reload_read(d, &d->policy, error);
}

int fwa_daemon_run(const struct fwa_daemon_options *options)
{
	struct fwa_daemon d = { .options = options,
				.dir = { .fd = -1, .lock_fd = -1 },
				.advisories = { .table_fd = -1 } };
	int status = EXIT_FAILURE, r;

	r = fwa_socket_dir_open(options->socket_dir, &d.dir);
	if (r == 0)
		r = recall(&d);
	if (r == 0)
		r = setup_event(&d);
	if (r == 0) /* with all signals blocked that are waited for */
		r = fwa_bury_start();
	if (r == 0)
		r = setup_journal(&d);
	if (r == 0) {
		r = fwa_varlink_new(&d, &d.varlink);
		if (r == 0)
			r = setup_devices(&d);
		status = loop(&d, r < 0);
	}
	clear(&d);
	return status;
}
