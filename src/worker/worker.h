/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker: one process, one device, one socket.
 *
 * 1. Only admit.c gives a client's command to the device, and only after fwa_decide() admitted the
 *    very bytes that it gives (C17), under the state of the moment at which it starts.
 * 2. Who a client is comes from its socket, at connect (C2); nothing in a message says it.
 * 3. Nothing that a client or the device sends makes the worker wait, grow or stop without bound
 *    (C26): one request a client at a time, bounded clients and queues, a time-out for every device
 *    call. The main thread waits for events only; where a device can keep its caller waiting, lanes
 *    do that (lane.h).
 * 4. All state belongs to the main thread. A lane has the device and one job.
 * 5. What is decided is recorded before anything follows from it, and a command that may change
 *    something is not sent before that is on disk (journal.h, C31).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "core/decide.h"
#include "core/policy.h"
#include "core/transfer.h"
#include "proto/gate.h"
#include "transport/transport.h"
#include "worker/account.h"
#include "worker/advice.h"
#include "worker/journal.h"
#include "worker/lane.h"
#include "worker/lease.h"
#include "worker/profile.h"
#include "worker/quarantine.h"
#include "worker/queue.h"
#include "worker/state.h"
#include "worker/unit.h"

struct session;

/* A stranger may not use up the places of the others (C26). */
#define SESSIONS_MAX 1024u
#define SESSIONS_PER_UID 64u
#define SESSIONS_FOR_ROOT 64u /* that nobody else gets, however many users there are */

/* How long a command may take, unless the worker is told otherwise. */
#define DEVICE_TIMEOUT_MS 30000u

struct worker {
	const char *name;
	struct fwa_device *device;
	bool gone;
	uid_t owner;     /* who started the worker */
	uint8_t mode;    /* enum fwa_mode */
	int lockdown_fd; /* the kernel's lockdown file; -ENOENT: the kernel has none; other -errno */
	int proc_fd;     /* /proc, where clients' units are read; -1: they stay unknown */

	uint8_t *encoded; /* what profile views */
	struct fwa_profile profile;
	struct profiling profiling;
	uint8_t quarantine;             /* enum fwa_quarantine */
	unsigned int device_timeout_ms; /* the gate's own limit for one command */
	struct fwa_span snapshot;       /* what policy views */
	struct fwa_policy policy;
	struct advising advising;

	int epoll;
	int listener; /* -1 in embedded mode */
	int control;  /* to the process that started us */
	uint64_t
		accept_again; /* CLOCK_MONOTONIC ns at which clients are accepted again; 0: they are */
	bool ending;          /* nothing new is begun */
	bool hold;            /* no request is taken and no client's command started for now */
	bool starting;        /* jobs_start() is at work */
	struct lanes lanes;
	struct queue queue;
	struct journal journal;
	struct fwa_link sessions, dead;
	struct fwa_link accounts;
	uint32_t n_sessions;
	uint64_t last_session;
	uint64_t n_turned_away;      /* clients */
	uint64_t turned_away_logged; /* CLOCK_MONOTONIC ns */

	struct leases leases;
	struct state state;
	uint8_t *spare; /* one reply's room that is free again; NULL: none */
	uint32_t spare_len;
};

#define LABEL_LEN FWA_CALLER_LABEL_MAX /* a longer one is not shown */
#define COMM_LEN FWA_CALLER_COMM_MAX   /* the kernel's own limit */

/*
 * One connected client: quiet, or with a request in the queue, or with a job. Small: rights are folded
 * at the first request, and dropped with the policy that they view.
 */
struct session {
	struct fwa_link link; /* of all, or of the dead */
	struct turn turn;
	uint64_t id; /* never used again */
	int sock;
	pid_t pid;
	bool dead;       /* only waits to be freed */
	bool listening;  /* its requests are told of */
	struct job *job; /* its request that waits or is under way */
	struct fwa_principal who;
	char *label;         /* of the security module, made printable; NULL: unknown */
	char comm[COMM_LEN]; /* the program's name, made printable: its own choice, only shown */
	struct fwa_rights *rights; /* only as many as it says; NULL: not folded under this policy */
	struct holdings *held;     /* for its rights; NULL: they were never folded */
	bool lost_firmware;        /* its NVMe download was taken from it: it gets no other one */
};

/* Where a job is. On the way from the one to the next it is in no list. */
enum job_stage {
	JOB_JUDGED,    /* with whoever made it */
	JOB_RECORDING, /* admitted, waits until its record is on disk */
	JOB_QUEUED,    /* admitted, waits for its turn */
	JOB_RUNNING,   /* with the device */
	JOB_HELD,      /* done or refused; its reply waits until the record has a number */
};

/* One command on its way, of a client or of the gate's own. */
struct job {
	struct wait wait; /* its link is in the list of its stage */
	uint8_t stage;    /* enum job_stage */
	struct errand errand;
	struct worker *worker;
	/* In a lane, or on the main thread where there is none: touches the job and the device only. */
	void (*work)(struct job *j);
	/* On the main thread, when work has come back. Frees the job. */
	void (*done)(struct worker *w, struct job *j);
	/* The gate's own: instead, when it had to wait and the device is quarantined by then. Frees it. */
	void (*drop)(struct worker *w, struct job *j);

	struct session *session; /* who waits for the reply; NULL: nobody, any more */
	uint64_t owner;          /* id of the session whose it is; 0: the gate's own */
	uint32_t uid;            /* and its user */
	pid_t pid;

	bool receipt;     /* who waits for the reply wants the record's number in it */
	bool missed;      /* it is counted among those that have none */
	bool owes;        /* its record admits, and has no outcome yet */
	uint64_t record;  /* the counter of its last one; 0: none */
	uint32_t context; /* of the journal, as it was then */
	uint64_t late;    /* when it has waited too long for that, CLOCK_MONOTONIC ns */

	struct fwa_command cmd;
	uint8_t *payload;        /* what cmd.payload views when it is the job's own */
	unsigned int timeout_ms; /* for the device */
	struct fwa_reply answer; /* answer.out: zeroed memory, the job's until admit_release() */
	int result;              /* what the transport said */
	uint64_t judged;         /* when, CLOCK_BOOTTIME ns */
	struct fwa_contract contract; /* and in which state */
	uint64_t duration_ns;         /* of work */
	struct account *account;      /* that it uses, from its begin to its end; NULL: none */
	struct fwa_gate_reply reply;
};

/* --- admit.c: decide, record, begin, run, end ------------------------------------------------------ */

/* The state that decisions depend on at @now, CLOCK_BOOTTIME ns; for the gate's own acts @s is NULL. */
struct fwa_contract worker_contract(struct worker *w, const struct session *s, uint64_t now);
/*
 * Judges j->cmd for j->session, whose rights are folded, now, and records that. Fills the reply's
 * decision and outcome; true when admitted, with the job's class.
 */
bool admit_judge(struct worker *w, struct job *j);
/* The same again for one that was admitted: recorded when it is another decision, or on other grounds. */
bool admit_judge_again(struct worker *w, struct job *j);
/* The same for one that has waited too long for the journal: as if that were down, whether it is or not. */
bool admit_judge_late(struct worker *w, struct job *j);
/* The job was admitted just now and starts: takes what it needs, and pays for it. False: refused, see the reply. */
bool admit_begin(struct worker *w, struct job *j);
/* A client's job.work: submits, and nothing else. */
void admit_submit(struct job *j);
/* It has come back: the outcome in its reply. */
void admit_outcome(struct job *j);
/* The same, and what follows for others. */
void admit_end(struct worker *w, struct job *j);
/* Only as much of the room for the reply stays as that fills. */
void admit_shrink(struct job *j);
/* The room that admit_begin() took for the reply, if it did, is free again. */
void admit_release(struct worker *w, struct job *j);
/* How long the request may take in all, in ms, out of what the client asked for. */
unsigned int admit_timeout(const struct worker *w, unsigned int ms);
/* The device went away: says so once. */
void worker_device_gone(struct worker *w);
/* CLOCK_BOOTTIME in ns. */
uint64_t worker_now(void);

/* --- job.c: which jobs run when ------------------------------------------------------------------ */

/*
 * A session's request as a job, on the caller's stack, not judged yet. Judges it, and answers, or runs it
 * at once and answers, or lets it wait, or answers that the gate is busy. False when the session is
 * over.
 */
bool job_take(struct worker *w, struct job *j);
/*
 * A job of the gate's own, in fresh memory with work, done, drop and wait.class set, and its decision
 * recorded if there is one: begins as soon as it may, before those of clients. Without lanes, and with
 * nothing that it may change, it is done when this returns.
 */
void job_own(struct worker *w, struct job *j);
/* Starts what waits and may start. */
void jobs_start(struct worker *w);
/* Takes back what lanes have done. */
void jobs_collect(struct worker *w);
/* Answers those that waited too long; the next time at which one will have, UINT64_MAX for none. */
void jobs_expire(struct worker *w, uint64_t now);
uint64_t jobs_next_expiry(const struct worker *w);
/* The same for those that wait for the journal, and for when it is down. */
void jobs_give_up(struct worker *w, uint64_t now);
uint64_t jobs_next_late(const struct worker *w);
/* The journal has rung: goes on with those whose record is on disk. */
void jobs_recorded(struct worker *w);
/* The reply of @j, which is held, goes out as it is. */
void job_release(struct worker *w, struct job *j);
/* The worker ends: what has not been sent never is. */
void jobs_close(struct worker *w);
/* The session of @j is over: what waits is dropped, what runs goes on for nobody. */
void job_abandon(struct worker *w, struct job *j);
/* Frees a job and all that is its own; an outcome that is still owed is recorded. */
void job_free(struct job *j);

/* --- identity.c ---------------------------------------------------------------------------------- */

/*
 * Opens /proc for session_identify(), before the sandbox closes. The descriptor; -ENOPROTOOPT when
 * the kernel cannot say which process a socket's peer is, -EXDEV when this is not the /proc of our
 * own processes; other negative errno.
 */
int identity_open(void);
/*
 * Fills in who the peer of @s's socket was when it connected. 0 or negative errno. Groups, unit and
 * label are fresh memory, which session_free() frees. Unit and name stay unknown when the process is
 * no more.
 */
int session_identify(const struct worker *w, struct session *s);
/* Room for all that identity_text() says. */
#define IDENTITY_TEXT_LEN 512
/* Who @s is, for a line of a log: "uid 1000, gid 100, unit a.service, pid 7 (comm), label x". */
const char *identity_text(const struct session *s, char text[IDENTITY_TEXT_LEN]);

/* The same for @s itself, in @ret, which is zero. */
void identity_tell(const struct session *s, struct fwa_caller *ret);

/* --- session.c: clients -------------------------------------------------------------------------- */

/* Takes over the connected socket @sock. NULL, with the socket closed, when it may not stay. */
struct session *session_new(struct worker *w, int sock);
/* It is over: the worker forgets it, and session_free() may be called when no event names it. */
void session_end(struct worker *w, struct session *s);
void session_free(struct worker *w, struct session *s);
/* Folds the policy for @s, unless it was. False without memory. */
bool session_fold(struct worker *w, struct session *s);
/* The policy that its rights view goes away. */
void session_unfold(struct session *s);
/* The same for all: the policy, or who the device says that it is, is another one. */
void sessions_unfold(struct worker *w);
/*
 * Serves one message of @s. False when the session is over: gone, malformed, or not reading its
 * replies.
 */
bool session_serve(struct worker *w, struct session *s);
/* Answers the request of @j, with the device's data or with @error. False when the session is over. */
bool session_answer(struct worker *w, struct job *j, enum fwa_gate_error error);
/*
 * Tells the client that the device is gone, and ends @s; but not while a command of it is under way that
 * may change something, whose outcome it is told.
 */
void session_farewell(struct worker *w, struct session *s);
/* Lets the next request of @s come, or tells only when it leaves. */
void session_listen(struct worker *w, struct session *s);
void session_watch_end(struct worker *w, struct session *s);

/* --- loop.c -------------------------------------------------------------------------------------- */

/*
 * Puts the policy snapshot in the sealed memfd @fd in force, for all sessions at once. O(sessions),
 * however long it is. 0, or negative errno and the old one stays.
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
 * After it, and before threads are made, which inherit this: no files but for reading beneath
 * @proc_fd, no TCP, no sockets or processes outside, and only the capabilities that @device's ioctls
 * need. Where the kernel cannot hold the worker to that, *proc_fd is closed and becomes -1.
 */
int sandbox_drop(const struct fwa_device *device, int *proc_fd);
/*
 * After threads were made: for all of them a system call filter without socket, exec, new threads or
 * processes, with open only for reading beneath @proc_fd (-1: not at all), and with only the ioctls
 * of the device's transport (C5).
 */
int sandbox_close(const struct fwa_device *device, int proc_fd);
/* How files beneath the worker's /proc are opened: the sandbox knows no other way. */
#define SANDBOX_OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
