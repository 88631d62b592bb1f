/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmitd: the supervisor.
 *
 * It finds devices, compiles the policy, opens nodes and sockets, starts one worker a device and
 * hands these over; then it waits for something to end. It reads no byte of a client's command and
 * none of a device's answer (C5): no worker's misfortune reaches another (C26). What administrators
 * ask of it, and what it has to remember of it, it keeps in STATE; what they did, and it, is in the
 * journal (C31).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/advisories.h"
#include "daemon/quarantine.h"
#include "daemon/socket-dir.h"
#include "daemon/state.h"
#include "host/baseline.h"
#include "host/discover.h"
#include "host/policy-file.h"

/* A device given by --device=NAME=SPEC. */
struct fwa_static_device {
	const char *name;
	const char *spec;
};

struct fwa_daemon_options {
	const char *socket_dir;
	const char *policy_dir; /* NULL: the standard directories */
	const char *state_dir;
	const char *mode;               /* "strict" or "linux" */
	unsigned int device_timeout_ms; /* 0: the worker's own */
	bool discover;
	bool require_pinned;
	const char *journal;     /* a directory, "none", or NULL: STATE/journal */
	const char *journal_key; /* NULL: the journal's own */
	uint64_t journal_segment, journal_size,
		journal_age;     /* bytes, bytes, seconds; 0: the usual */
	bool journal_reads_pass; /* what changes nothing may pass when it cannot be recorded */
	struct fwa_static_device *devices;
	size_t n_devices;
};

struct fwa_served;
struct fwa_monitor;
struct fwa_varlink;
struct fwa_reload;
struct fwa_round;
struct fwa_journald;
struct fwa_peer;

struct fwa_daemon {
	const struct fwa_daemon_options *options;
	sd_event *event;
	struct fwa_socket_dir dir;
	struct fwa_policy_files *policy;
	struct fwa_reload *reload; /* NULL: there was none yet */
	struct fwa_state state;
	char *grants_dir; /* where time-limited grants are stored; NULL: there is no STATE */
	sd_event_source *grant_end, *clock;
	struct fwa_advised advisories;
	struct fwa_baselines baselines;
	struct fwa_quarantines quarantine;
	gid_t admin_group;
	struct fwa_served *devices; /* in the order of their coming */
	struct fwa_monitor *monitor;
	struct fwa_varlink *varlink;
	struct fwa_journald *journald; /* NULL: there is no journal */
	bool stopping;
};

/* Serves until told to stop; the process's exit status. */
int fwa_daemon_run(const struct fwa_daemon_options *options);

/* Starts to serve a device. 0, or negative errno after a line in the log. */
int fwa_daemon_add(struct fwa_daemon *d, const char *name, const char *spec);
/* The device @name went away. */
void fwa_daemon_remove(struct fwa_daemon *d, const char *name);
/* The device @name, NULL when there is none, or none any more. */
struct fwa_served *fwa_daemon_find(const struct fwa_daemon *d, const char *name);
/*
 * Quarantines who says that he is @who, whom we know as @name, and tells all workers that serve him;
 * @round, unless it is NULL, is held until they have heard. @peer asked for it; NULL: the gate did it.
 * 0, or negative errno after a line in the log when it is in force, but not stored.
 */
int fwa_daemon_quarantine(struct fwa_daemon *d, const char *name, const struct fwa_identified *who,
			  const struct fwa_quarantine_why *why, const struct fwa_peer *peer,
			  struct fwa_round *round);
/* Ends it. 0, or negative errno after a line in the log when nothing was changed. */
int fwa_daemon_release(struct fwa_daemon *d, const char *name, const struct fwa_identified *who,
		       struct fwa_round *round);
/* Called when a device that was to stop has stopped. */
void fwa_daemon_stopped(struct fwa_daemon *d, struct fwa_served *s);
