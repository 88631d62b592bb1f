/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal, as the daemon sees it: the process that writes it, a ring for each worker, and one for
 * what the daemon itself has to say.
 *
 * 1. fwadmit-journald is started with the daemon, and again when it ends. Nothing waits for it: a worker
 *    has a ring before anybody takes from it, and then refuses what it cannot record (C31).
 * 2. A ring belongs to one worker and is never used again. It is kept here until all that is in it is in
 *    the journal's file, so that a journald that dies loses nothing: the next one gets the same rings.
 * 3. What widens what anybody may do is durable in the journal before it takes effect, or is not done. What
 *    narrows it is done, whatever becomes of the journal.
 * 4. The daemon waits for the journal for at most 2 s, and not again while it is known to be down.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "daemon/daemon.h"
#include "daemon/peer.h"
#include "journal/attach.h"

#define FWA_JOURNAL_NONE "none" /* in place of a directory: there is to be no journal */

struct fwa_journald;

/* One worker's ring. */
struct fwa_source;

/* --- journal.c -------------------------------------------------------------------------------- */

/*
 * Begins to keep a journal, as the daemon's options say; *ret is NULL when there is to be none. 0, or
 * negative errno after a line in the log.
 */
int fwa_journald_new(struct fwa_daemon *d, struct fwa_journald **ret);
/*
 * The last record was written: calls @done when the journal is complete, and its writer gone; later,
 * unless it cannot be awaited.
 */
void fwa_journald_end(struct fwa_journald *j, void (*done)(struct fwa_daemon *d));
/* Takes NULL; returns NULL. */
struct fwa_journald *fwa_journald_free(struct fwa_journald *j);

enum fwa_journald_state {
	FWA_JOURNALD_STARTING,
	FWA_JOURNALD_OK,
	FWA_JOURNALD_TROUBLE,
};

struct fwa_journald_status {
	enum fwa_journald_state state;
	const char *path;
	const char *trouble; /* why it cannot be written, "" when it can */
	pid_t pid;           /* 0: it does not run now */
	uint64_t head;       /* number of the last record on disk, 0 when it is not known */
	uint64_t unsynced;   /* bytes of records that wait in the rings */
};
void fwa_journald_status(struct fwa_journald *j, struct fwa_journald_status *ret);

/*
 * A ring for a worker of @s that is to be started; NULL in *ret without a journal. 0, or negative
 * errno: -EBUSY when too much of its workers before still waits to be written.
 */
int fwa_source_new(struct fwa_journald *j, struct fwa_served *s, struct fwa_source **ret);
/* For the worker; they stay the source's. */
const struct fwa_ring_fds *fwa_source_fds(const struct fwa_source *src);
/* The worker runs, as @pid. Takes NULL, as does the next. */
void fwa_source_begin(struct fwa_source *src, pid_t pid);
/* It ended, or never ran; frees it, at some time. Returns NULL. */
struct fwa_source *fwa_source_end(struct fwa_source *src, enum fwa_source_end how);

/*
 * What decisions will name: the journal keeps it. @fd, a sealed memfd, stays the caller's. @device: for
 * a policy; else NULL. Without a journal, or a descriptor, it does nothing.
 */
void fwa_journald_keep(struct fwa_journald *j, enum fwa_object_kind kind, const char *device,
		       int fd);

/* --- act.c ------------------------------------------------------------------------------------ */

/* Records an act; who asked for it: NULL for nobody. @device may be NULL. Does not wait. */
void fwa_act(struct fwa_daemon *d, enum fwa_control_act act, const struct fwa_peer *peer,
	     const char *device, const char *format, ...) __attribute__((format(printf, 5, 6)));
/*
 * The same, of one that is to be answered when it is durable: what fwa_act_await() takes. It is done
 * whether it can be recorded or not.
 */
uint64_t fwa_act_begin(struct fwa_daemon *d, enum fwa_control_act act, const struct fwa_peer *peer,
		       const char *device, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Returns when it is durable, or cannot be. */
void fwa_act_await(struct fwa_daemon *d, uint64_t record);
/*
 * Records an act that widens, before it is done: 0 when that is durable; or negative errno, and it must
 * not be done: @error says why.
 */
int fwa_act_widen(struct fwa_daemon *d, char error[FWA_ERROR_LEN], enum fwa_control_act act,
		  const struct fwa_peer *peer, const char *device, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* --- between the two -------------------------------------------------------------------------- */

/* The daemon's own ring, NULL without a journal. Another one takes its place when it is spoilt. */
struct fwa_ring_writer *fwa_journald_ring(struct fwa_journald *j);
/* Looks whether the journal can be written now; says so when that has changed. True when it can. */
bool fwa_journald_look(struct fwa_journald *j);
/* Whether there is no use in waiting for it. What is wrong then. */
bool fwa_journald_is_down(struct fwa_journald *j);
const char *fwa_journald_trouble(struct fwa_journald *j);
/*
 * Waits until the daemon's record @counter is durable, for 2 s at most, and keeps journald going
 * meanwhile. 0, or negative errno when it is down.
 */
int fwa_journald_wait(struct fwa_journald *j, uint64_t counter);
