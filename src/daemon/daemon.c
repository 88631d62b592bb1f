/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of devices, the policy that they share, and the daemon's own beginning and end.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/util.h"
#include "daemon/log.h"
#include "daemon/monitor.h"
#include "daemon/served.h"
#include "daemon/varlink.h"

/* Each holds up to five descriptors; 1024 are the usual limit. */
#define DEVICES_MAX 128

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
	if (r == 0)
		*at = s;
	return r;
}

void fwa_daemon_remove(struct fwa_daemon *d, const char *name)
{
	struct fwa_served *s = *find(d, name);

	if (!s)
		return;
	log_info("%s: removed", name);
	fwa_served_stop(s);
}

void fwa_daemon_stopped(struct fwa_daemon *d, struct fwa_served *s)
{
	struct fwa_served **at = &d->devices;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	fwa_served_free(s);
	if (d->stopping && !d->devices)
		sd_event_exit(d->event, 0);
}

/* --- policy --------------------------------------------------------------------------------- */

static void on_policy_message(const struct fwa_policy_message *m, void *userdata)
{
	int priority = m->error ? LOG_ERR : LOG_WARNING;

	if (m->line)
		fwa_log(priority, "%s:%u: %s", m->file, m->line, m->text);
	else
		fwa_log(priority, "%s: %s", m->file, m->text);
}

static int load_policy(struct fwa_daemon *d, struct fwa_policy_files **ret)
{
	int r = fwa_policy_files_load(d->options->policy_dir, NULL, on_policy_message, NULL, ret);
	unsigned int n = r == 0 ? fwa_policy_files_count(*ret) : 0;

	if (r == 0)
		log_info("policy: %u grant%s from %s, sha256 %s", n, n == 1 ? "" : "s",
			 fwa_policy_files_source(*ret), fwa_policy_files_digest(*ret));
	return r;
}

/* The new policy is in force for all devices or for none. */
static int take_policy(struct fwa_daemon *d, const struct fwa_policy_files *policy)
{
	int r = 0;

	for (struct fwa_served *s = d->devices; s && r == 0; s = s->next)
		r = fwa_served_prepare_policy(s, policy);
	for (struct fwa_served *s = d->devices; s; s = s->next)
		fwa_served_settle_policy(s, r == 0);
	return r;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct fwa_daemon *d = userdata;
	struct fwa_policy_files *policy = NULL;
	int r;

	r = load_policy(d, &policy);
	if (r == 0)
		r = take_policy(d, policy);
	if (r < 0) { /*= spec/SECURITY-MODEL.md#C3 */
		log_error("policy: not reloaded, the old one stays in force (%s)", strerror(-r));
		fwa_policy_files_free(policy);
		return 0;
	}
	fwa_policy_files_free(d->policy);
	d->policy = policy;
	return 0;
}

/* --- beginning and end ---------------------------------------------------------------------- */

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
	if (!d->devices)
		return sd_event_exit(d->event, 0);
	for (struct fwa_served *s = d->devices; s; s = next) {
		next = s->next;
		fwa_served_stop(s);
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
	if (r < 0)
		log_error("cannot set up: %s", strerror(-r));
	return r < 0 ? r : 0;
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
	fwa_policy_files_free(d->policy);
	fwa_socket_dir_close(&d->dir);
	sd_event_unref(d->event);
}

int fwa_daemon_run(const struct fwa_daemon_options *options)
{
	struct fwa_daemon d = { .options = options, .dir = { .fd = -1, .lock_fd = -1 } };
	int status = EXIT_FAILURE, r;

	r = fwa_socket_dir_open(options->socket_dir, &d.dir);
	if (r == 0)
		r = load_policy(&d, &d.policy);
	if (r == 0)
		r = setup_event(&d);
	if (r == 0) {
		r = fwa_varlink_new(&d, &d.varlink);
		if (r == 0)
			r = setup_devices(&d);
		status = loop(&d, r < 0);
	}
	clear(&d);
	return status;
}
