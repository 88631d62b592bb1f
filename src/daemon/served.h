/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device that is served: its socket, its policy, its worker.
 *
 *	         start            READY
 *	(new) ---------> starting ------> ready
 *	                  ^    |            |
 *	            delay |    v  dies      v  dies
 *	                  +----+<-----------+     too often: failed, for RETRY_AFTER
 *
 * 1. The listening socket lives as long as the device: clients of a dead worker connect to the next.
 * 2. At most one worker, which is known by its pid until it was waited for.
 * 3. A worker that says what it cannot mean is killed, as is one that does not take a policy: what
 *    was revoked is revoked (C19).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/daemon.h"
#include "proto/control.h"

enum fwa_served_state {
	FWA_SERVED_STARTING,
	FWA_SERVED_READY,
	FWA_SERVED_FAILED, /* starts again only after a while */
	FWA_SERVED_GONE,   /* the worker says that the device is not there any more */
	FWA_SERVED_COUNT,
};

struct fwa_served {
	struct fwa_served *next;
	struct fwa_daemon *daemon;
	char *name;
	char *spec;
	enum fwa_served_state state;
	bool stopping;

	int listen_fd;
	int policy_fd;
	int next_policy_fd; /* compiled, not yet in force */

	pid_t pid; /* 0: no worker */
	int control_fd;
	unsigned int policies_sent; /* and not yet answered */
	sd_event_source *child, *messages, *timer, *refuse;

	uint64_t started; /* CLOCK_MONOTONIC, us */
	unsigned int quick_deaths;
	unsigned int restarts;
	/* What the worker said of the device, or of its failure. */
	char about[FWA_CONTROL_TEXT_MAX + 1];
};

/* Makes the socket and starts a worker. 0, or negative errno after a line in the log. */
int fwa_served_new(struct fwa_daemon *d, const char *name, const char *spec,
		   struct fwa_served **ret);
struct fwa_served *fwa_served_free(struct fwa_served *s);
/* Removes the socket and ends the worker; fwa_daemon_stopped() is called now or when it has ended. */
void fwa_served_stop(struct fwa_served *s);
/* Starts a device again that had failed or was gone. */
void fwa_served_retry(struct fwa_served *s);

/* Compiles @policy for the device, without effect until the next call. 0 or negative errno. */
int fwa_served_prepare_policy(struct fwa_served *s, const struct fwa_policy_files *policy);
/* Puts the prepared policy in force (@keep), or drops it. */
void fwa_served_settle_policy(struct fwa_served *s, bool keep);

/* "starting", "ready", "failed", "gone". */
const char *fwa_served_state_name(enum fwa_served_state state);
