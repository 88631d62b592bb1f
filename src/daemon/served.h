/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device that is served: its socket, its policy, its worker.
 *
 *	         start            READY
 *	(new) ---------> starting ------> ready
 *	                  ^    |            |
 *	            delay |    v  dies      v  dies
 *	                  +----+<-----------+     too often, or no device: failed, for RETRY_AFTER
 *
 * 1. The listening socket lives as long as the device: clients of a dead worker connect to the next.
 * 2. At most one worker, which is known by its pid until it was waited for.
 * 3. A worker that says what it cannot mean is killed, as is one that does not take a policy in time:
 *    what was revoked is revoked (C19).
 * 4. What a worker says of its device is text, which is cleaned, and bytes, which are stored, digested
 *    and handed on, and not understood (C5).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/daemon.h"
#include "host/baseline.h"
#include "host/digest.h"
#include "proto/control.h"

struct fwa_round;
struct fwa_source;

enum fwa_served_state {
	FWA_SERVED_STARTING,
	FWA_SERVED_READY,
	FWA_SERVED_FAILED, /* starts again only after a while */
	FWA_SERVED_GONE,   /* the worker says that the device is not there any more */
	FWA_SERVED_COUNT,
};

/* What STATE messages say: all that is text is cleaned. */
struct fwa_served_news {
	bool known;
	uint32_t sessions, queued, drift;
	bool leased;
	char lease_kind[32];
	char lease_command[64];
	uint32_t lease_uid, lease_pid; /* pid 0: none */
	int lease_percent;             /* -1: not known */
	uint64_t lease_since;
};

/* Policies that were sent to the worker and not yet acknowledged, the oldest first. */
struct fwa_served_ack {
	struct fwa_served_ack *next;
	struct fwa_round *round; /* NULL: nobody waits */
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
	struct fwa_source *source; /* its ring; NULL: none runs, or there is no journal */
	bool hopeless;             /* there is no such device: not to be tried again at once */
	bool failed;               /* the worker has said that it fails */
	bool lost;                 /* the last one was killed, or crashed */
	struct fwa_served_ack *acks;
	sd_event_source *child, *messages, *timer, *refuse, *late;

	uint64_t started; /* CLOCK_MONOTONIC, us */
	unsigned int quick_deaths;
	unsigned int restarts;
	/* What the worker said of the device, or of its failure. */
	char about[FWA_CONTROL_TEXT_MAX + 1];

	/* Who the device said that it is. It outlives the worker that said it. */
	bool identified;
	struct fwa_identified who;
	char kind[FWA_DIGEST_TEXT];      /* of which baseline it is */
	int profile_fd, declarations_fd; /* -1: not said by this worker yet */
	int baseline_fd;                 /* what this worker is held to, -1: nothing */
	char profile_digest[FWA_DIGEST_TEXT], declarations_digest[FWA_DIGEST_TEXT];
	unsigned int introductions; /* under another name, since introductions_since */
	uint64_t introductions_since;
	enum fwa_baseline_source baseline;
	bool judged;                 /* this worker knows its baseline */
	struct fwa_round *reprofile; /* dropped when the worker has read the profile again */
	struct fwa_served_news news;
};

/* --- served.c ------------------------------------------------------------------------------- */

/* Makes the socket and starts a worker. 0, or negative errno after a line in the log. */
int fwa_served_new(struct fwa_daemon *d, const char *name, const char *spec,
		   struct fwa_served **ret);
struct fwa_served *fwa_served_free(struct fwa_served *s);
/*
 * Removes the socket and ends the worker, which tells its clients that the device is gone when it
 * was @unplugged. fwa_daemon_stopped() is called now or when the worker has ended.
 */
void fwa_served_stop(struct fwa_served *s, bool unplugged);
/* Starts a device again that had failed or was gone. */
void fwa_served_retry(struct fwa_served *s);
/* Kills the worker, if there is one; another one will be started. */
void fwa_served_kill(struct fwa_served *s);
/* Why the device is quarantined; NULL when it is not. */
const struct fwa_quarantined *fwa_served_quarantine(const struct fwa_served *s);
/* "starting", "ready", "failed", "gone", "quarantined". */
const char *fwa_served_state_name(const struct fwa_served *s);

/* --- served-kind.c -------------------------------------------------------------------------- */

/*
 * Whether @s declares something else than others of its model and firmware, and not more devices do
 * as it does than as any of these; @text says so.
 */
bool fwa_served_stands_out(const struct fwa_served *s, char text[FWA_ERROR_LEN]);
/* Whether @s is the only one to declare what it does among others of its model and firmware. */
bool fwa_served_divides(const struct fwa_served *s, char text[FWA_ERROR_LEN]);

/* --- served-report.c ------------------------------------------------------------------------ */

/* Takes one message of the worker. For sd_event_add_io(). */
int fwa_served_on_control(sd_event_source *source, int fd, uint32_t events, void *userdata);

/* --- served-order.c ------------------------------------------------------------------------- */

/* Compiles @policy for the device, without effect until the next call. 0 or negative errno. */
int fwa_served_prepare_policy(struct fwa_served *s, const struct fwa_policy_files *policy);
/* Puts the prepared policy in force (@round held until the worker has it), or drops it (NULL). */
void fwa_served_settle_policy(struct fwa_served *s, struct fwa_round *round);
/* The worker has acknowledged the oldest policy. False when there is none. */
bool fwa_served_acknowledged(struct fwa_served *s);
/* There is no worker any more that could acknowledge anything. */
void fwa_served_forget_acks(struct fwa_served *s);
/*
 * Tells the worker @kind, QUARANTINE with @text or RELEASE; @round, unless it is NULL, is held until
 * it works by it.
 */
void fwa_served_order(struct fwa_served *s, enum fwa_control_kind kind, const char *text,
		      struct fwa_round *round);
/* Gives the worker the advisories in force. @round as above. */
void fwa_served_advise(struct fwa_served *s, struct fwa_round *round);
/* Lets the journal keep what the worker decides by. */
void fwa_served_keep(struct fwa_served *s);
/* Tells the worker what its device's declarations are held to. @round as above. */
void fwa_served_judge(struct fwa_served *s, struct fwa_round *round);
