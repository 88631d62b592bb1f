/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: new clients, requests, messages of the process that started us.
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

#include "base/fd.h"
#include "base/util.h"
#include "proto/control.h"

#define EVENTS 32

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

int worker_add_client(struct worker *w, int sock)
{
	struct session *s;
	int r;

	/* Our end only: a client that does not read must not make the others wait (C26). */
	if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
		close(sock);
		return r;
	}
	s = session_new(w, sock);
	if (!s)
		return -EPERM;
	r = watch(w, s->sock, s);
	if (r < 0) {
		session_free(s);
		return r;
	}
	s->next = w->sessions;
	w->sessions = s;
	w->n_sessions++;
	return 0;
}

/* Holds the lease of a session that is no more. */
static const struct session departed;

static void drop_client(struct worker *w, struct session *s)
{
	struct session **at = &w->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	w->n_sessions--;
	/* Its work goes on without it: where the device can say when that is over, the lease waits. */
	if (w->lessee == s) /*= spec/SECURITY-MODEL.md#C16 */
		w->lessee = w->device->ops->busy ? &departed : NULL;
	/* Nobody else can go on with its transfer, but anybody who names the Feature can abort it. */
	if (w->transferor == s) {
		w->transfer.running = false;
		w->transferor = NULL;
	}
	session_free(s);
}

static void accept_client(struct worker *w)
{
	int sock = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);

	if (sock >= 0)
		worker_add_client(w, sock);
}

int worker_load_policy(struct worker *w, int fd)
{
	fwa_auto_free uint8_t *copy = NULL;
	uint8_t *old = w->snapshot;
	ssize_t len = fwa_memfd_size(fd, FWA_POLICY_MAX);
	struct fwa_policy policy;
	int r = len < 0 ? (int)len : fwa_memfd_copy(fd, (size_t)len, &copy);

	if (r == 0 && fwa_policy_parse(&policy, fwa_span(copy, (size_t)len)) < 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	w->snapshot = fwa_steal(copy);
	w->policy = policy;
	for (struct session *s = w->sessions; s; s = s->next)
		session_grant(w, s);
	free(old); /* which their rights viewed until now */
	return 0;
}

static void policy_message(struct worker *w, int fd)
{
	int r = fd < 0 ? -EBADF : worker_load_policy(w, fd);

	if (r < 0)
		fwa_control_send(w->control, FWA_CONTROL_POLICY_BAD, strerror(-r), -1);
	else
		fwa_control_send(w->control, FWA_CONTROL_POLICY_OK, "", -1);
}

/* False when whoever started us is gone, or talks nonsense. */
static bool serve_control(struct worker *w)
{
	char text[FWA_CONTROL_TEXT_MAX + 1];
	fwa_auto_close int fd = -1;
	uint16_t kind;

	if (fwa_control_recv(w->control, &kind, text, &fd) < 0)
		return false;
	if (kind == FWA_CONTROL_POLICY)
		policy_message(w, fd);
	return true;
}

/* False when the worker is to end. */
static bool serve_event(struct worker *w, void *tag)
{
	if (tag == &w->listener) {
		accept_client(w);
		return true;
	}
	if (!session_serve(w, tag))
		drop_client(w, tag);
	return w->listener >= 0 || w->sessions; /* embedded: the only client left */
}

int worker_loop(struct worker *w)
{
	struct epoll_event events[EVENTS];
	int r = watch(w, w->control, &w->control);

	if (r == 0 && w->listener >= 0)
		r = watch(w, w->listener, &w->listener);
	while (r == 0) {
		int n = epoll_wait(w->epoll, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		/* A new policy holds for every request that has not been taken yet (C19). */
		for (int i = 0; i < n; i++)
			if (events[i].data.ptr == &w->control && !serve_control(w))
				return 0;
		/* A session has one descriptor, so one event: none that is dropped comes again. */
		for (int i = 0; i < n; i++)
			if (events[i].data.ptr != &w->control &&
			    !serve_event(w, events[i].data.ptr))
				return 0;
	}
	return r;
}
