/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: the one that came with the start, and those of other programs of the same user, or of root,
 * which found the journal taken. What one says wrong ends it, and no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "journald/journald.h"

#define SOCKET "socket"
#define BACKLOG 64
/* Messages of one connection that are read before others have their turn. */
#define TURN 64

static enum watch listener_watch = WATCH_LISTENER;

int watch_fd(const struct journald *j, int fd, uint32_t events, void *what)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	return epoll_ctl(j->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int listen_open(struct journald *j)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	j->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (j->listener < 0)
		return -errno;
	/* What is there was left by one that was killed: the lock is ours. */
	if (unlinkat(j->dirfd, SOCKET, 0) < 0 && errno != ENOENT)
		return -errno;
	/* A path of any length in the few bytes that there are for it. */
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET, j->dirfd);
	mask = umask(0177);
	r = bind(j->listener, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && listen(j->listener, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? r : watch_fd(j, j->listener, EPOLLIN, &listener_watch);
}

void listen_close(struct journald *j)
{
	unlinkat(j->dirfd, SOCKET, 0);
	j->listener = fwa_close(j->listener);
}

static void connection_close(struct journald *j, struct connection *c)
{
	sources_orphan(j, c);
	objects_orphan(j, c);
	fwa_list_remove(&c->link);
	j->n_connections--;
	epoll_ctl(j->epoll, EPOLL_CTL_DEL, c->sock, NULL);
	close(c->sock);
	free(c);
}

int connection_add(struct journald *j, int sock)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->watch = WATCH_CONNECTION;
	c->sock = sock;
	r = watch_fd(j, sock, EPOLLIN, &c->watch);
	if (r < 0) {
		free(c);
		return r;
	}
	fwa_list_append(&j->connections, &c->link);
	j->n_connections++;
	connection_ready(j, c);
	return 0;
}

/* A peer that does not read ends by that: the next look at it says so. */
static void say(struct connection *c, const struct fwa_attach_message *m)
{
	if (fwa_attach_send(c->sock, m) < 0)
		shutdown(c->sock, SHUT_RDWR);
}

void connection_ready(struct journald *j, struct connection *c)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_READY };

	snprintf(m.text, sizeof(m.text), "the last record is %llu%s",
		 (unsigned long long)fwa_store_last(j->store),
		 j->n_left ? ", and sources of before have not ended" : "");
	say(c, &m);
}

void connection_bad(struct journald *j, struct connection *c, uint32_t token, const char *why)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_BAD, .token = token };

	snprintf(m.text, sizeof(m.text), "%s", why);
	say(c, &m);
}

static bool is_ours(int sock)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

void listen_accept(struct journald *j)
{
	for (int i = 0; i < TURN; i++) {
		int sock = accept4(j->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (sock < 0)
			return;
		if (!is_ours(sock) || j->n_connections >= CONNECTIONS_MAX ||
		    connection_add(j, sock) < 0)
			close(sock);
	}
}

static void obey(struct journald *j, struct connection *c, struct fwa_attach_message *m)
{
	switch (m->kind) {
	case FWA_ATTACH_SOURCE:
		source_attach(j, c, m);
		break;
	case FWA_ATTACH_DETACH:
		source_detach(j, c, m->token, (enum fwa_source_end)m->how);
		break;
	case FWA_ATTACH_OBJECT:
		object_add(j, c, m);
		break;
	case FWA_ATTACH_BEGIN:
		j->begun = true;
		break;
	default:
		/* What only we say. */
		shutdown(c->sock, SHUT_RDWR);
	}
}

void connection_read(struct journald *j, struct connection *c)
{
	for (int i = 0; i < TURN; i++) {
		struct fwa_attach_message m;
		int r = fwa_attach_recv(c->sock, &m);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			if (r != -ECONNRESET)
				log_warning("a launcher says what is no message: %s", strerror(-r));
			connection_close(j, c);
			return;
		}
		obey(j, c, &m);
	}
}
