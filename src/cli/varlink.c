/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection a call. A message is a JSON object and a NUL.
 */
#include "cli/varlink.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/util.h"
#include "cli/text.h"

#define INTERFACE "org.fwadmit.Control."
#define SERVICE "org.varlink.service."
#define MESSAGE_MAX (16u * 1024 * 1024) /* the state of every device that there can be */
#define DEPTH_MAX 16
#define TIMEOUT_MS 30000u /* a change is answered once each device's worker has it */
#define FOREVER UINT64_MAX

struct connection {
	int fd;
	uint64_t deadline; /* CLOCK_BOOTTIME ns by which a whole message must have come */
	char *in;
	size_t len, cap;
};

static void disconnect(struct connection *c)
{
	fwa_close(c->fd);
	free(c->in);
}

#define auto_connection __attribute__((cleanup(disconnect)))

__attribute__((format(printf, 3, 4))) static int fail(struct cli_failure *f, int code,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
	return code;
}

/* --- messages ------------------------------------------------------------------------------- */

static int wait_readable(const struct connection *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint64_t now = fwa_clock_ns(CLOCK_BOOTTIME);
	int ms = -1, r;

	if (c->deadline != FOREVER) {
		if (now >= c->deadline)
			return -ETIMEDOUT;
		ms = (int)((c->deadline - now) / FWA_NS_PER_MS) + 1;
	}
	r = poll(&p, 1, ms);
	if (r == 0)
		return -ETIMEDOUT;
	return r < 0 && errno != EINTR ? -errno : 0;
}

static int make_room(struct connection *c)
{
	char *more;

	if (c->len < c->cap)
		return 0;
	more = c->cap < MESSAGE_MAX ? realloc(c->in, c->cap + 65536) : NULL;
	if (!more)
		return -EMSGSIZE;
	c->in = more;
	c->cap += 65536;
	return 0;
}

/* Waits until c->in begins with a whole message: its length without the NUL, or negative errno. */
static ssize_t receive(struct connection *c)
{
	size_t seen = 0;

	for (;;) {
		const char *nul = c->len > seen ? memchr(c->in + seen, '\0', c->len - seen) : NULL;
		ssize_t n;
		int r;

		if (nul)
			return nul - c->in;
		seen = c->len;
		r = make_room(c);
		if (r == 0)
			r = wait_readable(c);
		if (r < 0)
			return r;
		n = recv(c->fd, c->in + c->len, c->cap - c->len, MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		c->len += n > 0 ? (size_t)n : 0;
	}
}

/* Takes the first message, of @len bytes, out of c->in: an object, or NULL when it is none. */
static struct json_object *take(struct connection *c, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;

	if (tokener)
		o = json_tokener_parse_ex(tokener, c->in, (int)len);
	if (!json_object_is_type(o, json_type_object) ||
	    json_tokener_get_parse_end(tokener) != len) {
		json_object_put(o);
		o = NULL;
	}
	if (tokener)
		json_tokener_free(tokener);
	c->len -= len + 1;
	memmove(c->in, c->in + len + 1, c->len);
	return o;
}

/* --- connecting ----------------------------------------------------------------------------- */

/* 0 or negative errno. */
static int connect_daemon(const struct cli *cli, unsigned int ms, struct connection *c)
{
	struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock",
			     cli_socket_dir(cli)) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	return 0;
}

static int send_request(struct connection *c, const char *method, struct json_object *parameters,
			bool more)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	char full[96];
	int r = 0;

	snprintf(full, sizeof(full), INTERFACE "%s", method);
	json_object_object_add(o, "method", json_object_new_string(full));
	if (parameters)
		json_object_object_add(o, "parameters", parameters);
	if (more)
		json_object_object_add(o, "more", json_object_new_boolean(true));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	for (size_t at = 0, len = strlen(text) + 1; r == 0 && at < len;) {
		ssize_t n = send(c->fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	json_object_put(o);
	return r;
}

/* Takes @parameters. */
static int begin(const struct cli *cli, const char *method, struct json_object *parameters,
		 bool more, struct connection *c, struct cli_failure *f)
{
	unsigned int ms = cli_timeout(cli, TIMEOUT_MS);
	int r = connect_daemon(cli, ms, c);

	if (r < 0)
		json_object_put(parameters);
	else
		r = send_request(c, method, parameters, more);
	c->deadline = fwa_clock_ns(CLOCK_BOOTTIME) + ms * FWA_NS_PER_MS;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return fail(f, CLI_NOT_RUNNING, "fwadmitd is not running (nothing answers in %s)",
			    cli_socket_dir(cli));
	if (r < 0)
		return fail(f, CLI_FAILED, "%s/control.sock: %s", cli_socket_dir(cli),
			    strerror(-r));
	return CLI_OK;
}

/* --- errors --------------------------------------------------------------------------------- */

struct meaning {
	const char *error;
	int code;
	const char *key;    /* the parameter that is quoted */
	const char *before; /* it */
	const char *after;
};

static const struct meaning meanings[] = {
	{ INTERFACE "NotAuthorized", CLI_REFUSED, NULL,
	  "only root and members of group fwadmit-admin may do this", "" },
	{ SERVICE "PermissionDenied", CLI_REFUSED, NULL,
	  "only root and members of group fwadmit-admin may do this", "" },
	{ INTERFACE "NoSuchDevice", CLI_NOT_FOUND, "device", "",
	  ": fwadmitd serves no such device; `fwadmit status` shows those that it serves" },
	{ INTERFACE "NoSuchGrant", CLI_NOT_FOUND, "name", "",
	  ": no time-limited grant is called so; `fwadmit grant list` shows them; those of policy "
	  "files end when they are taken out of the file" },
	{ INTERFACE "InvalidGrant", CLI_USAGE, "message", "no grant was made: ", "" },
	{ INTERFACE "NoSuchAdvisory", CLI_NOT_FOUND, "id", "",
	  ": there is no such advisory; `fwadmit advisory list` shows them" },
	{ INTERFACE "InvalidAdvisory", CLI_FAILED, "message", "the advisory was not taken: ", "" },
	{ INTERFACE "PolicyError", CLI_FAILED, "message",
	  "the policy was not taken, the old one stays in force: ", "" },
	{ INTERFACE "Busy", CLI_FAILED, NULL,
	  "fwadmitd has too much to do at the moment and changed nothing; try again", "" },
	{ INTERFACE "NotReady", CLI_FAILED, "device", "",
	  ": the device is not served at the moment; `fwadmit status` shows why" },
	{ INTERFACE "NotQuarantined", CLI_FAILED, "device", "",
	  ": the device is not quarantined; there is nothing to release" },
	{ INTERFACE "Changed", CLI_FAILED, "device", "",
	  ": the device declares something else by now; look at it again before you accept it" },
	{ INTERFACE "StateError", CLI_FAILED, "message",
	  "fwadmitd cannot write its state, and changed nothing: ", "" },
	{ INTERFACE "JournalError", CLI_FAILED, "message",
	  "fwadmitd changed nothing: ", "; `fwadmit status` shows how the journal is" },
	{ INTERFACE "TooSlow", CLI_FAILED, NULL,
	  "fwadmitd hung up: more happened than was read; start again", "" },
	{ SERVICE "MethodNotFound", CLI_FAILED, "method", "the running fwadmitd does not know ",
	  ": it is of another version than this program" },
	{ SERVICE "MethodNotImplemented", CLI_FAILED, "method",
	  "the running fwadmitd does not know ", ": it is of another version than this program" },
	{ SERVICE "InterfaceNotFound", CLI_FAILED, "interface", "what answers does not know ",
	  ": it is not fwadmitd" },
	{ SERVICE "InvalidParameter", CLI_USAGE, "parameter", "fwadmitd does not take this ",
	  ": it is too long, or has a character that has no place there" },
};

/* The error that @reply is, in words. */
static int fail_with(struct json_object *reply, struct cli_failure *f)
{
	struct json_object *parameters = cli_member_object(reply, "parameters");
	char error[CLI_MEMBER_TEXT], value[CLI_MEMBER_TEXT];

	cli_member(reply, "error", "?", error);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(meanings); i++) {
		const struct meaning *m = &meanings[i];

		if (strcmp(error, m->error) == 0)
			return fail(f, m->code, "%s%s%s", m->before,
				    m->key ? cli_member(parameters, m->key, "?", value) : "",
				    m->after);
	}
	return fail(f, CLI_FAILED, "fwadmitd answers with the error %s", error);
}

/* --- replies -------------------------------------------------------------------------------- */

/* Receives one reply: CLI_OK and its whole object. */
static int next_reply(const struct cli *cli, struct connection *c, struct json_object **ret,
		      struct cli_failure *f)
{
	ssize_t len = receive(c);
	struct json_object *reply;
	int r;

	if (len < 0)
		return fail(f, CLI_FAILED, "%s/control.sock: %s", cli_socket_dir(cli),
			    len == -ECONNRESET ? "fwadmitd hung up" : strerror((int)-len));
	reply = take(c, (size_t)len);
	if (reply && json_object_object_get_ex(reply, "error", NULL))
		r = fail_with(reply, f);
	else if (!cli_member_object(reply, "parameters"))
		r = fail(f, CLI_FAILED, "%s/control.sock: not fwadmitd's answer",
			 cli_socket_dir(cli));
	else
		r = CLI_OK;
	if (r == CLI_OK)
		*ret = reply;
	else
		json_object_put(reply);
	return r;
}

int cli_varlink_try(const struct cli *cli, const char *method, struct json_object *parameters,
		    struct json_object **ret, struct cli_failure *f)
{
	auto_connection struct connection c = { .fd = -1 };
	struct json_object *reply;
	int r = begin(cli, method, parameters, false, &c, f);

	if (r == CLI_OK)
		r = next_reply(cli, &c, &reply, f);
	if (r != CLI_OK)
		return r;
	*ret = json_object_get(cli_member_object(reply, "parameters"));
	json_object_put(reply);
	return CLI_OK;
}

int cli_varlink_call(const struct cli *cli, const char *method, struct json_object *parameters,
		     struct json_object **ret)
{
	struct cli_failure f;
	int r = cli_varlink_try(cli, method, parameters, ret, &f);

	return r == CLI_OK ? r : cli_fail(cli, r, "%s", f.text);
}

int cli_varlink_stream(const struct cli *cli, const char *method, struct json_object *parameters,
		       cli_varlink_fn fn, void *userdata)
{
	auto_connection struct connection c = { .fd = -1 };
	struct cli_failure f;
	bool more = true;
	int r = begin(cli, method, parameters, true, &c, &f);

	c.deadline = FOREVER; /* events come when they come */
	while (r == CLI_OK && more) {
		struct json_object *reply, *continues;

		r = next_reply(cli, &c, &reply, &f);
		if (r != CLI_OK)
			break;
		more = json_object_object_get_ex(reply, "continues", &continues) &&
		       json_object_get_boolean(continues);
		more &= fn(cli, cli_member_object(reply, "parameters"), userdata);
		json_object_put(reply);
	}
	return r == CLI_OK ? r : cli_fail(cli, r, "%s", f.text);
}

/* --- reading replies ------------------------------------------------------------------------ */

static struct json_object *member(struct json_object *o, const char *key, json_type type)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

const char *cli_member(struct json_object *o, const char *key, const char *otherwise,
		       char text[CLI_MEMBER_TEXT])
{
	struct json_object *v = member(o, key, json_type_string);

	snprintf(text, CLI_MEMBER_TEXT, "%s", v ? json_object_get_string(v) : otherwise);
	cli_one_line(text);
	return text;
}

int64_t cli_member_number(struct json_object *o, const char *key, int64_t otherwise)
{
	struct json_object *v = member(o, key, json_type_int);

	return v ? json_object_get_int64(v) : otherwise;
}

struct json_object *cli_member_array(struct json_object *o, const char *key)
{
	return member(o, key, json_type_array);
}

struct json_object *cli_member_object(struct json_object *o, const char *key)
{
	return member(o, key, json_type_object);
}

const char *cli_member_list(struct json_object *o, const char *key, const char *separator,
			    char *text, size_t size)
{
	struct json_object *a = cli_member_array(o, key);
	size_t n = a ? json_object_array_length(a) : 0, len = 0;

	*text = '\0';
	for (size_t i = 0; i < n && len < size; i++) {
		struct json_object *v = json_object_array_get_idx(a, i);

		if (json_object_is_type(v, json_type_string))
			len += (size_t)snprintf(text + len, size - len, "%s%s",
						len ? separator : "", json_object_get_string(v));
	}
	cli_one_line(text);
	return text;
}
