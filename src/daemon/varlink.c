/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control plane's connections. What a call means is in varlink-call.c.
 */
#include "daemon/varlink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bury.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

#define PATIENCE (5 * FWA_US_PER_S)      /* for a request to come, and for its reply to be taken */
#define LAST_WORDS (30 * FWA_US_PER_S)   /* for a last error to be taken */
#define ACCEPT_PAUSE (FWA_US_PER_S / 10) /* while many connections are not closed yet */
#define OUTPUT_MAX (32u * 1024 * 1024)   /* bytes that wait to be sent, of all clients */
#define OUTPUT_STRANGERS_MAX (24u * 1024 * 1024) /* of strangers: the rest is for administrators */
#define EVENTS_MAX (64u * 1024)                  /* bytes of events that a subscriber lets wait */

struct fwa_varlink_client {
	struct fwa_varlink_client *next;
	struct fwa_varlink *varlink;
	sd_event_source *io, *timer;
	int fd;
	struct fwa_peer peer;
	struct fwa_varlink_input in;
	char *out; /* what is being sent */
	size_t out_len, out_at, out_cap;
	struct fwa_varlink_call *call; /* which is not replied to yet */
	bool subscribed;
	bool closing; /* when all is sent */
};

struct fwa_varlink {
	struct fwa_daemon *daemon;
	sd_event_source *accept, *pause;
	int fd;
	struct fwa_varlink_client *clients;
	size_t out_total;
};

static void client_free(struct fwa_varlink_client *c)
{
	struct fwa_varlink_client **at = &c->varlink->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->varlink->out_total -= c->out_cap;
	sd_event_source_unref(c->io);
	sd_event_source_unref(c->timer);
	fwa_bury_socket(c->fd);
	if (c->call)
		c->call->client = NULL;
	fwa_varlink_input_clear(&c->in);
	free(c->out);
	free(c);
}

static int on_late(sd_event_source *source, uint64_t us, void *userdata)
{
	client_free(userdata);
	return 0;
}

/* --- output --------------------------------------------------------------------------------- */

/*
 * What the client waits for now: that its output is taken, a request; or nothing but the end of the
 * connection. Only where it is the client's turn there is a hurry.
 */
static void settle(struct fwa_varlink_client *c, bool new_patience)
{
	bool waits = c->call || c->subscribed, hurry = !waits || (c->out && !c->subscribed);
	uint64_t patience = c->closing ? LAST_WORDS : PATIENCE;
	int r = sd_event_source_set_io_events(c->io, c->out ? EPOLLOUT : waits ? 0 : EPOLLIN);

	if (r >= 0 && new_patience && hurry)
		r = sd_event_source_set_time_relative(c->timer, patience);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->timer, hurry ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	if (r < 0)
		log_warning("control: a client cannot be waited for: %s", strerror(-r));
}

static void drop_output(struct fwa_varlink_client *c)
{
	c->varlink->out_total -= c->out_cap;
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_at = c->out_cap = 0;
}

/* Adds a message and its NUL to what is sent. False when there is no room for it. */
static bool add_output(struct fwa_varlink_client *c, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	size_t len = text ? strlen(text) + 1 : 0, cap = c->out_len + len;
	bool first = !c->out;
	size_t most = c->peer.admin ? OUTPUT_MAX : OUTPUT_STRANGERS_MAX;
	char *out;

	if (!text || c->varlink->out_total - c->out_cap + cap > most)
		return false; /*= spec/SECURITY-MODEL.md#C26 */
	out = realloc(c->out, cap);
	if (!out)
		return false;
	memcpy(out + c->out_len, text, len);
	c->varlink->out_total += cap - c->out_cap;
	c->out = out;
	c->out_len = c->out_cap = cap;
	settle(c, first);
	return true;
}

/* Sends what it can. 0 or negative errno. */
static int client_write(struct fwa_varlink_client *c)
{
	ssize_t n;

	if (!c->out)
		return 0;
	n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->out_at += (size_t)n;
	if (c->out_at == c->out_len) {
		drop_output(c);
		settle(c, true);
	}
	return 0;
}

/* --- replies -------------------------------------------------------------------------------- */

void fwa_varlink_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

void fwa_varlink_number(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static struct json_object *error_message(const char *error, struct json_object *parameters)
{
	struct json_object *o = json_object_new_object();
	char full[96];

	snprintf(full, sizeof(full), "%s%s", strchr(error, '.') ? "" : "org.fwadmit.Control.",
		 error);
	fwa_varlink_text(o, "error", full);
	if (parameters)
		json_object_object_add(o, "parameters", parameters);
	return o;
}

/* Sends @message, which is taken over, as the last of @call. */
static void finish(struct fwa_varlink_call *call, struct json_object *message)
{
	struct fwa_varlink_client *c = call->client;
	struct json_object *busy;

	if (c) {
		c->call = NULL;
		if (!add_output(c, message)) {
			busy = error_message("Busy", NULL);
			if (!add_output(c, busy)) {
				c->closing = true;
				settle(c, true);
			}
			json_object_put(busy);
		}
	}
	json_object_put(message);
	fwa_varlink_request_clear(&call->request);
	free(call);
}

void fwa_varlink_reply(struct fwa_varlink_call *call, struct json_object *parameters)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "parameters", parameters ?: json_object_new_object());
	finish(call, o);
}

void fwa_varlink_error(struct fwa_varlink_call *call, const char *error,
		       struct json_object *parameters)
{
	finish(call, error_message(error, parameters));
}

void fwa_varlink_refuse(struct fwa_varlink_call *call, const char *error, const char *key,
			const char *value)
{
	struct json_object *parameters = json_object_new_object();

	if (key)
		fwa_varlink_text(parameters, key, value);
	fwa_varlink_error(call, error, parameters);
}

/* --- events --------------------------------------------------------------------------------- */

static struct json_object *event_message(const char *event, const char *device, const char *text)
{
	struct json_object *o = json_object_new_object(), *parameters = json_object_new_object();

	fwa_varlink_text(parameters, "event", event);
	if (device)
		fwa_varlink_text(parameters, "device", device);
	fwa_varlink_text(parameters, "text", text);
	fwa_varlink_number(parameters, "time", (int64_t)time(NULL));
	json_object_object_add(o, "parameters", parameters);
	json_object_object_add(o, "continues", json_object_new_boolean(true));
	return o;
}

/* A subscriber that does not keep up is told so, when it reads on, and no more (C26). */
static void tell_subscriber(struct fwa_varlink_client *c, struct json_object *message)
{
	struct json_object *last;

	if (c->out_len - c->out_at <= EVENTS_MAX && add_output(c, message))
		return;
	last = error_message("TooSlow", json_object_new_object());
	add_output(c, last);
	json_object_put(last);
	c->subscribed = false;
	c->closing = true; /*= spec/SECURITY-MODEL.md#C26 */
	settle(c, true);
}

void fwa_event(struct fwa_daemon *d, const char *event, const char *device, const char *format, ...)
{
	struct json_object *message = NULL;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fwa_make_printable(text);
	for (struct fwa_varlink_client *c = d->varlink ? d->varlink->clients : NULL; c;
	     c = c->next) {
		if (!c->subscribed)
			continue;
		if (!message)
			message = event_message(event, device, text);
		tell_subscriber(c, message);
	}
	json_object_put(message);
}

void fwa_varlink_subscribe(struct fwa_varlink_call *call)
{
	struct fwa_varlink_client *c = call->client;

	if (c)
		c->subscribed = true;
	finish(call, event_message("subscribed", NULL, "what happens from now on"));
}

/* --- requests ------------------------------------------------------------------------------- */

/* 0 or negative errno. */
static int client_call(struct fwa_varlink_client *c, const char *text, size_t len)
{
	struct fwa_varlink_call *call = calloc(1, sizeof(*call));
	int r;

	if (!call)
		return -ENOMEM;
	r = fwa_varlink_request_parse(text, len, &call->request);
	if (r < 0) {
		fwa_varlink_request_clear(&call->request);
		free(call);
		return r;
	}
	call->daemon = c->varlink->daemon;
	call->peer = c->peer;
	if (!call->request.oneway) {
		call->client = c;
		c->call = call;
	}
	fwa_varlink_run(call);
	settle(c, true);
	return 0;
}

static int client_read(struct fwa_varlink_client *c)
{
	size_t room;
	size_t max = c->peer.admin ? FWA_VARLINK_REQUEST_MAX_ADMIN : FWA_VARLINK_REQUEST_MAX;
	char *to = fwa_varlink_input_room(&c->in, max, &room);
	bool brings;
	ssize_t n;

	if (!to)
		return -EMSGSIZE; /* a request without an end */
	n = fwa_peek(c->fd, to, room, &brings);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0 || brings) /* descriptors: nothing here wants any */
		return n < 0 ? (int)n : -ECONNRESET;
	n = recv(c->fd, to, (size_t)n, 0); /* what was looked at, and no more */
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	fwa_varlink_input_add(&c->in, (size_t)n);
	return 0;
}

/* Whether the client may have its next request taken: one that does not take its replies may not. */
static bool is_ready(const struct fwa_varlink_client *c)
{
	return !c->out && !c->call && !c->subscribed && !c->closing;
}

static int client_work(struct fwa_varlink_client *c, uint32_t events)
{
	const char *request;
	size_t len;
	int r;

	r = client_write(c);
	if (r == 0 && !c->out && (c->closing || (!is_ready(c) && events & (EPOLLHUP | EPOLLERR))))
		return -ECONNRESET;
	if (r == 0 && is_ready(c) && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = client_read(c);
	while (r == 0 && is_ready(c) && (request = fwa_varlink_input_next(&c->in, &len))) {
		r = client_call(c, request, len);
		if (r == 0)
			r = client_write(c);
	}
	return r;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_varlink_client *c = userdata;

	if (client_work(c, events) < 0)
		client_free(c);
	return 0;
}

/* --- clients -------------------------------------------------------------------------------- */

static bool has_place(const struct fwa_varlink *v, const struct fwa_peer *peer)
{
	unsigned int all = 0, strangers = 0, own = 0;

	for (const struct fwa_varlink_client *c = v->clients; c; c = c->next) {
		all++;
		strangers += !c->peer.admin;
		own += c->peer.uid == peer->uid;
	}
	if (peer->admin)
		return all < FWA_VARLINK_CLIENTS_MAX;
	return strangers < FWA_VARLINK_STRANGERS_MAX && own < FWA_VARLINK_PER_UID_MAX;
}

static int client_new(struct fwa_varlink *v, int fd, const struct fwa_peer *peer)
{
	struct fwa_varlink_client *c = calloc(1, sizeof(*c));
	sd_event *event = v->daemon->event;
	int r;

	if (!c) {
		fwa_bury_socket(fd);
		return -ENOMEM;
	}
	c->varlink = v;
	c->fd = fd;
	c->peer = *peer;
	c->next = v->clients;
	v->clients = c;
	r = sd_event_add_io(event, &c->io, fd, EPOLLIN, on_client, c);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, PATIENCE, 0,
					       on_late, c);
	if (r < 0)
		client_free(c);
	return r;
}

static int on_pause_over(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_varlink *v = userdata;

	return sd_event_source_set_enabled(v->accept, SD_EVENT_ON);
}

/* While many connections are not closed yet, no more are taken. */
static int pause_accepting(struct fwa_varlink *v)
{
	v->pause = sd_event_source_unref(v->pause);
	if (sd_event_add_time_relative(v->daemon->event, &v->pause, CLOCK_MONOTONIC, ACCEPT_PAUSE,
				       0, on_pause_over, v) < 0)
		return 0;
	return sd_event_source_set_enabled(v->accept, SD_EVENT_OFF);
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_varlink *v = userdata;
	struct fwa_peer peer;
	int client;

	if (fwa_buried() >= FWA_BURIED_MAX)
		return pause_accepting(v);
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return 0;
	if (fwa_peer_of(client, v->daemon->admin_group, &peer) < 0 || !has_place(v, &peer))
		fwa_bury_socket(client); /*= spec/SECURITY-MODEL.md#C26 */
	else
		client_new(v, client, &peer);
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
	/* Since Linux 6.16 no descriptor can be sent then; before, what comes is left to be buried. */
	setsockopt(v->fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int));
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
	sd_event_source_unref(v->pause);
	close(v->fd);
	fwa_socket_dir_remove(&v->daemon->dir, FWA_VARLINK_NAME);
	free(v);
	return NULL;
}
