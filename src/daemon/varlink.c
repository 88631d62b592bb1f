/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control plane's connections. What a request means is in varlink-reply.c.
 */
#include "daemon/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/util.h"
#include "daemon/log.h"

#define PATIENCE 5000000ull /* us for a request to come, and for its reply to be taken */

struct client {
	struct client *next;
	struct fwa_varlink *varlink;
	sd_event_source *io, *timer;
	int fd;
	char in[FWA_VARLINK_REQUEST_MAX];
	size_t in_len;
	char *out; /* the reply that is being sent, with its NUL */
	size_t out_len, out_at;
};

struct fwa_varlink {
	struct fwa_daemon *daemon;
	sd_event_source *accept;
	int fd;
	struct client *clients;
	unsigned int n_clients;
};

static void client_free(struct client *c)
{
	struct client **at = &c->varlink->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->varlink->n_clients--;
	sd_event_source_unref(c->io);
	sd_event_source_unref(c->timer);
	close(c->fd);
	free(c->out);
	free(c);
}

static int on_late(sd_event_source *source, uint64_t us, void *userdata)
{
	client_free(userdata);
	return 0;
}

/* Sends what it can. 0 or negative errno. */
static int client_write(struct client *c)
{
	ssize_t n;

	if (!c->out)
		return 0;
	n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->out_at += (size_t)n;
	if (c->out_at == c->out_len) {
		free(c->out);
		c->out = NULL;
	}
	return 0;
}

/* Answers the request that ends at @nul. 0 or negative errno. */
static int client_answer(struct client *c, const char *nul)
{
	size_t len = (size_t)(nul - c->in);
	int r;

	c->out = fwa_varlink_reply(c->varlink->daemon, c->in, len);
	if (!c->out)
		return -EPROTO;
	c->out_len = strlen(c->out) + 1;
	c->out_at = 0;
	c->in_len -= len + 1;
	memmove(c->in, nul + 1, c->in_len);
	r = sd_event_source_set_time_relative(c->timer, PATIENCE);
	return r < 0 ? r : client_write(c);
}

static int client_read(struct client *c)
{
	ssize_t n;

	n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	c->in_len += (size_t)n;
	return 0;
}

/* Reads only when nothing waits to be sent: a client that does not take its replies gets no more. */
static int client_work(struct client *c, uint32_t events)
{
	const char *nul;
	int r;

	r = client_write(c);
	if (r == 0 && !c->out && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = client_read(c);
	while (r == 0 && !c->out && (nul = memchr(c->in, '\0', c->in_len)))
		r = client_answer(c, nul);
	if (r == 0 && !c->out && c->in_len == sizeof(c->in))
		r = -EMSGSIZE; /* a request without an end */
	if (r == 0)
		r = sd_event_source_set_io_events(c->io, c->out ? EPOLLOUT : EPOLLIN);
	return r;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct client *c = userdata;

	if (client_work(c, events) < 0)
		client_free(c);
	return 0;
}

static int client_new(struct fwa_varlink *varlink, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	sd_event *event = varlink->daemon->event;
	int r;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->varlink = varlink;
	c->fd = fd;
	c->next = varlink->clients;
	varlink->clients = c;
	varlink->n_clients++;
	r = sd_event_add_io(event, &c->io, fd, EPOLLIN, on_client, c);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, PATIENCE, 0,
					       on_late, c);
	if (r < 0)
		client_free(c);
	return r;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_varlink *varlink = userdata;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0)
		return 0;
	if (varlink->n_clients >= FWA_VARLINK_CLIENTS_MAX)
		close(client); /*= spec/SECURITY-MODEL.md#C26 */
	else
		client_new(varlink, client);
	return 0;
}

int fwa_varlink_new(struct fwa_daemon *d, struct fwa_varlink **ret)
{
	struct fwa_varlink *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	v->daemon = d;
	v->fd = fwa_socket_dir_listen(&d->dir, FWA_VARLINK_NAME, SOCK_STREAM);
	if (v->fd < 0) {
		r = v->fd;
		free(v);
		return r;
	}
	r = sd_event_add_io(d->event, &v->accept, v->fd, EPOLLIN, on_accept, v);
	if (r < 0) {
		fwa_varlink_free(v);
		return r;
	}
	*ret = v;
	return 0;
}

struct fwa_varlink *fwa_varlink_free(struct fwa_varlink *v)
{
	if (!v)
		return NULL;
	while (v->clients)
		client_free(v->clients);
	sd_event_source_unref(v->accept);
	close(v->fd);
	fwa_socket_dir_remove(&v->daemon->dir, FWA_VARLINK_NAME);
	free(v);
	return NULL;
}
