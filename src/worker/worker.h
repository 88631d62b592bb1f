/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker: one process, one device, one socket.
 *
 * 1. Only admit.c gives a command to the device, and only after fwa_decide() admitted the very
 *    bytes that it gives (C17).
 * 2. Who a client is comes from its socket, at connect (C2); nothing in a message says it.
 * 3. Nothing that a client or the device sends makes the worker wait, grow or stop without bound
 *    (C26): one request a client at a time, bounded clients, a time-out for every device call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/decide.h"
#include "core/policy.h"
#include "core/transfer.h"
#include "proto/gate.h"
#include "transport/transport.h"

struct session;

/* A stranger may not use up the places of the others (C26). */
#define SESSIONS_MAX 1024u
#define SESSIONS_PER_UID 64u

struct worker {
	const char *name;
	struct fwa_device *device;
	bool gone;
	uid_t owner;     /* who started the worker */
	uint8_t mode;    /* enum fwa_mode */
	int lockdown_fd; /* the kernel's lockdown file; -ENOENT: the kernel has none; other -errno */

	uint8_t *encoded; /* what profile views */
	struct fwa_profile profile;
	uint8_t *snapshot; /* what policy views */
	struct fwa_policy policy;

	int epoll;
	int listener; /* -1 in embedded mode */
	int control;  /* to the process that started us */
	struct session *sessions;
	uint32_t n_sessions;
	const struct session *lessee; /* owns the background operation that runs; NULL: none runs */
	struct fwa_transfer transfer; /* of a CXL Feature */
	const struct session *transferor; /* whose it is, while it runs */
};

/* One connected client. */
struct session {
	struct session *next;
	int sock;
	pid_t pid;
	struct fwa_principal who;
	struct fwa_rights rights;
};

/* --- admit.c -------------------------------------------------------------------------------- */

/*
 * Judges @cmd for @s and, when it is admitted, sends it: decide, submit, outcome. Fills @reply but
 * for its id; *ret_out is fresh memory with the device's data (to be freed), NULL for none.
 */
void worker_admit(struct worker *w, struct session *s, const struct fwa_command *cmd,
		  unsigned int timeout_ms, struct fwa_gate_reply *reply, uint8_t **ret_out);
/* The state that decisions depend on, as of now. */
struct fwa_contract worker_contract(struct worker *w, const struct session *s);
/* CLOCK_BOOTTIME in ns. */
uint64_t worker_now(void);

/* --- session.c ------------------------------------------------------------------------------ */

/* Takes over the connected socket @sock. NULL, with the socket closed, when it may not stay. */
struct session *session_new(struct worker *w, int sock);
/* Closes and frees @s, which was taken off the worker's list. */
void session_free(struct session *s);
/* Folds the worker's policy for @s again. */
void session_grant(const struct worker *w, struct session *s);
/*
 * Serves one message of @s. False when the session is over: gone, malformed, or not reading its
 * replies.
 */
bool session_serve(struct worker *w, struct session *s);

/* --- loop.c --------------------------------------------------------------------------------- */

/*
 * Puts the policy snapshot in the sealed memfd @fd in force, for all sessions at once: those of its
 * grants that are for the device whose profile was read.
 */
int worker_load_policy(struct worker *w, int fd);
/* Adds a connected client. */
int worker_add_client(struct worker *w, int sock);
/* Serves until the control socket closes or, in embedded mode, the client leaves. 0 or -errno. */
int worker_loop(struct worker *w);
/* One line to standard error, which the daemon's log shows. */
void worker_log(const struct worker *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- sandbox.c ------------------------------------------------------------------------------ */

/* Before the device is opened: no new privileges, no core dumps, death with the parent. */
int sandbox_begin(void);
/*
 * After it: only the capabilities that @device's ioctls need, no new processes, and a system call
 * filter without open, socket, exec and with only the ioctls of the device's transport (C5).
 */
int sandbox_enter(const struct fwa_device *device);
