/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: messages of the process that started us, what lanes have done, new clients, and
 * requests, some in turn before it looks at events again.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bury.h"
#include "base/fd.h"
#include "base/util.h"
#include "proto/control.h"

#define EVENTS 64
/* Requests between two looks at what else has come. */
#define TURNS 16
#define ACCEPT_PAUSE_NS (FWA_NS_PER_S / 10)
#define WAIT_MS_MAX 3600000u

/* By write(), for stdio makes system calls that the sandbox does not allow. */
void worker_log(const struct worker *w, const char *format, ...)
{
	char line[512];
	size_t room = sizeof(line) - 1, len;
	va_list args;
	ssize_t written;

	snprintf(line, room, "fwadmit-worker %s: ", w->name);
	len = strlen(line);
	va_start(args, format);
	vsnprintf(line + len, room - len, format, args);
	va_end(args);
	len = strlen(line);
	line[len] = '\n';
	written = write(STDERR_FILENO, line, len + 1);
	(void)written; /* a log that cannot be written to stops nothing */
}

static int watch(struct worker *w, int fd, void *tag)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = tag };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* --- clients -------------------------------------------------------------------------------------- */

int worker_add_client(struct worker *w, int sock)
{
	int r;

	/* Our end only: a client that does not read must not make the others wait (C26). */
	if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
		close(sock);
		return r;
	}
	return session_new(w, sock) ? 0 : -EPERM;
}

static void watch_listener(struct worker *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = &w->listener };

	epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->listener, &e);
}

/*
 * Without a descriptor or memory for it a client stays where it is, and would be told of for ever.
 * While many connections are not closed yet, no more are taken.
 */
static void accept_client(struct worker *w)
{
	bool full = fwa_buried() >= FWA_BURIED_MAX;
	int sock = full ? -1 : accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);

	if (sock >= 0) {
		worker_add_client(w, sock);
		return;
	}
	if (!full && errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return;
	watch_listener(w, 0);
	w->accept_again = fwa_clock_ns(CLOCK_MONOTONIC) + ACCEPT_PAUSE_NS;
}

static uint64_t next_accept(const struct worker *w)
{
	return w->accept_again ? w->accept_again : UINT64_MAX;
}

static void accept_again(struct worker *w, uint64_t now)
{
	w->accept_again = 0;
	watch_listener(w, EPOLLIN);
}

/* --- policy --------------------------------------------------------------------------------------- */

int worker_load_policy(struct worker *w, int fd)
{
	struct fwa_span snapshot, old = w->snapshot;
	struct fwa_policy policy;
	int r = fwa_memfd_map(fd, FWA_POLICY_MAX, &snapshot);

	if (r < 0)
		return r;
	if (fwa_policy_parse(&policy, snapshot) < 0) {
		fwa_memfd_unmap(snapshot);
		return -EBADMSG;
	}
	w->snapshot = snapshot;
	w->policy = policy;
	journal_new_policy(w);
	sessions_unfold(w);
	fwa_memfd_unmap(old); /* which their rights viewed until now */
	return 0;
}

/* --- the process that started us -------------------------------------------------------------------- */

static void on_policy(struct worker *w, const char *text, int *fd)
{
	int r = *fd < 0 ? -EBADF : worker_load_policy(w, *fd);

	if (r < 0)
		fwa_control_send(w->control, FWA_CONTROL_POLICY_BAD, strerror(-r), -1);
	else
		fwa_control_send(w->control, FWA_CONTROL_POLICY_OK, "", -1);
}

/* The device was unplugged: each client is told so once, whether it asks or not. */
static void on_removed(struct worker *w, const char *text, int *fd)
{
	w->gone = w->ending = true;
	fwa_list_each(at, following, &w->sessions)
	{
		session_farewell(w, fwa_list_entry(at, struct session, link));
	}
}

/* What it says, and what is done then; the descriptor is closed afterwards unless it was taken. */
static const struct {
	uint16_t kind;
	void (*run)(struct worker *w, const char *text, int *fd);
} messages[] = {
	{ FWA_CONTROL_POLICY, on_policy },
	{ FWA_CONTROL_ADVISORIES, advice_on_advisories },
	{ FWA_CONTROL_BASELINE, profile_on_baseline },
	{ FWA_CONTROL_REPROFILE, profile_on_reprofile },
	{ FWA_CONTROL_QUARANTINE, quarantine_on_quarantine },
	{ FWA_CONTROL_RELEASE, quarantine_on_release },
	{ FWA_CONTROL_REMOVED, on_removed },
};

/* When whoever started us is gone, or talks nonsense, nothing new begins. */
static void serve_control(struct worker *w)
{
	char text[FWA_CONTROL_TEXT_MAX + 1];
	fwa_auto_close int fd = -1;
	uint16_t kind;

	if (fwa_control_recv(w->control, &kind, text, &fd) < 0) {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->control, NULL);
		w->ending = true;
		lease_leave_all(w);
		return;
	}
	for (size_t i = 0; i < FWA_ARRAY_SIZE(messages); i++)
		if (messages[i].kind == kind)
			messages[i].run(w, text, &fd);
}

/* --- time ------------------------------------------------------------------------------------------- */

/* Who wants to be called at a time of CLOCK_MONOTONIC in ns, UINT64_MAX: not at all. */
static const struct {
	uint64_t (*next)(const struct worker *w);
	void (*run)(struct worker *w, uint64_t now);
} timers[] = {
	{ jobs_next_expiry, jobs_expire }, { jobs_next_late, jobs_give_up },
	{ lease_next, lease_run },         { state_next, state_run },
	{ next_accept, accept_again },     { journal_next_telling, journal_tell },
};

static uint64_t first_timer(const struct worker *w)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(timers); i++) {
		uint64_t next = timers[i].next(w);

		first = next < first ? next : first;
	}
	return first;
}

/* Milliseconds until @first, at least one; -1 when it never comes. */
static int time_until(uint64_t first)
{
	uint64_t now, ms;

	if (first == UINT64_MAX)
		return -1;
	now = fwa_clock_ns(CLOCK_MONOTONIC);
	if (first <= now)
		return 0;
	ms = (first - now) / FWA_NS_PER_MS + 1;
	return (int)(ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX);
}

static void run_timers(struct worker *w)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(timers); i++) {
		uint64_t next = timers[i].next(w), now;

		if (next == UINT64_MAX)
			continue;
		now = fwa_clock_ns(CLOCK_MONOTONIC);
		if (next <= now)
			timers[i].run(w, now);
	}
}

/* --- events ----------------------------------------------------------------------------------------- */

/*= spec/SECURITY-MODEL.md#C31 */
static bool may_serve(struct worker *w)
{
	return !w->hold && !w->ending && journal_takes(w);
}

/* The session has a request, or it tells that its client is gone. */
static void on_session(struct worker *w, struct session *s)
{
	if (s->dead)
		return;
	if (s->job) { /* asked for nothing but its end */
		session_end(w, s);
		return;
	}
	if (!may_serve(w))
		session_watch_end(w, s); /* what is not served yet is not told of again */
	if (!s->dead && fwa_list_empty(&s->turn.link))
		queue_ready(&w->queue, &s->turn);
}

static void on_event(struct worker *w, const struct epoll_event *e)
{
	if (e->data.ptr == &w->control)
		return; /* served before all others */
	if (e->data.ptr == &w->lanes)
		jobs_collect(w);
	else if (e->data.ptr == &w->journal)
		jobs_recorded(w);
	else if (e->data.ptr == &w->listener)
		accept_client(w);
	else
		on_session(w, e->data.ptr);
}

/* Takes note of all that has come, and of the time. False when it cannot be told. */
static bool take_events(struct worker *w)
{
	struct epoll_event events[EVENTS];
	bool ready = may_serve(w) && !fwa_list_empty(&w->queue.ready_turns);
	uint64_t first = first_timer(w);
	int n = epoll_wait(w->epoll, events, EVENTS, ready ? 0 : time_until(first));

	if (n < 0)
		return errno == EINTR;
	if (first != UINT64_MAX)
		run_timers(w);
	/* A new policy holds for every request that has not been taken yet (C19). */
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr == &w->control)
			serve_control(w);
	for (int i = 0; i < n; i++)
		on_event(w, &events[i]);
	return true;
}

/*= spec/SECURITY-MODEL.md#C26 */
static void serve_turns(struct worker *w)
{
	struct turn *t;

	profile_settle(w);
	for (int i = 0; i < TURNS && may_serve(w) && (t = queue_next(&w->queue)); i++) {
		struct session *s = fwa_list_entry(t, struct session, turn);

		if (!session_serve(w, s))
			session_end(w, s);
		else if (!s->dead && s->job)
			session_watch_end(w, s);
		else if (!s->dead)
			session_listen(w, s);
		profile_settle(w);
	}
}

/* No event that was fetched names them any more. */
static void free_dead(struct worker *w)
{
	fwa_list_each(at, following, &w->dead)
	{
		session_free(w, fwa_list_entry(at, struct session, link));
	}
	fwa_list_init(&w->dead);
}

/* What may change the device is brought to its end before the worker ends; reads are not. */
static bool is_over(const struct worker *w)
{
	const uint32_t *running = w->queue.n_running;

	if (!w->ending && (w->listener >= 0 || w->n_sessions))
		return false;
	return !running[JOB_CHANGE] && !running[JOB_ALONE] && fwa_list_empty(&w->queue.own) &&
	       !lease_pending(w);
}

int worker_loop(struct worker *w)
{
	int r = watch(w, w->control, &w->control);

	if (r == 0 && w->listener >= 0)
		r = watch(w, w->listener, &w->listener);
	if (r == 0 && w->lanes.n)
		r = watch(w, w->lanes.done_fd, &w->lanes);
	if (r == 0 && w->journal.ring.ring)
		r = watch(w, w->journal.ring.ack, &w->journal);
	while (r == 0 && !is_over(w)) {
		if (!take_events(w)) {
			r = -errno;
			break;
		}
		serve_turns(w);
		free_dead(w);
	}
	jobs_close(w);
	return r;
}
