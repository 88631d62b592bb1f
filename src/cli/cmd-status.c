/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit status: what the running fwadmitd says about itself, over its Varlink socket.
 */
#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/table.h"

#define REQUEST "{\"method\":\"org.fwadmit.Control.GetInfo\"}"
#define ANSWER_MAX (4u * 1024 * 1024)
#define ANSWER_TIMEOUT_MS 5000u

/* A connected socket, or negative errno. */
static int connect_daemon(const struct cli *cli)
{
	unsigned int ms = cli_timeout(cli, ANSWER_TIMEOUT_MS);
	struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	fwa_auto_close int fd = -1;

	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock",
			     cli_socket_dir(cli)) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (send(fd, REQUEST, sizeof(REQUEST), MSG_NOSIGNAL) != sizeof(REQUEST))
		return -EPIPE;
	return fwa_steal_fd(&fd);
}

/* Reads one message, ended by its NUL, into fresh memory; or negative errno. */
static int read_answer(int fd, char **ret)
{
	fwa_auto_free char *text = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		ssize_t n;

		if (len == cap) {
			char *more = cap < ANSWER_MAX ? realloc(text, cap + 65536) : NULL;

			if (!more)
				return -EMSGSIZE;
			text = more;
			cap += 65536;
		}
		n = recv(fd, text + len, cap - len, 0);
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		if (memchr(text + len, '\0', (size_t)n)) {
			*ret = fwa_steal(text);
			return 0;
		}
		len += (size_t)n;
	}
}

/* The reply's parameters, owned by *ret_root; NULL when it is not a reply. */
static struct json_object *parse_answer(const char *text, struct json_object **ret_root)
{
	struct json_object *parameters = NULL;

	*ret_root = json_tokener_parse(text);
	if (!json_object_object_get_ex(*ret_root, "parameters", &parameters) ||
	    !json_object_is_type(parameters, json_type_object))
		return NULL;
	return parameters;
}

static const char *text_of(struct json_object *o, const char *key, char buf[256])
{
	struct json_object *v;

	snprintf(buf, 256, "%s",
		 json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : "-");
	fwa_make_printable(buf);
	return buf;
}

static void print_devices(const struct cli *cli, struct json_object *devices)
{
	static const char *const keys[] = { "name", "state", "pid", "restarts", "spec", "about" };
	static const char *const heads[] = {
		"NAME", "STATE", "PID", "RESTARTS", "DEVICE", "ABOUT"
	};
	size_t n = json_object_is_type(devices, json_type_array) ? json_object_array_length(devices)
								 : 0;
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	char buf[FWA_ARRAY_SIZE(keys)][256];
	const char *cells[FWA_ARRAY_SIZE(keys)];

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < FWA_ARRAY_SIZE(keys); k++)
			cells[k] = text_of(json_object_array_get_idx(devices, i), keys[k], buf[k]);
		cli_table_add(t, cells, FWA_ARRAY_SIZE(keys), 0, NULL);
	}
	if (n)
		putchar('\n');
	cli_table_print(t);
}

static void print_text(const struct cli *cli, struct json_object *info)
{
	char version[256], pid[256], mode[256], digest[256], source[256];

	printf("fwadmitd %s is running, pid %s, %s mode\n", text_of(info, "version", version),
	       text_of(info, "pid", pid), text_of(info, "mode", mode));
	printf("policy %.12s from %s\n", text_of(info, "policy_digest", digest),
	       text_of(info, "policy_source", source));
	print_devices(cli, json_object_object_get(info, "devices"));
}

static void print_json(const struct cli *cli, struct json_object *info)
{
	static const char *const keys[] = { "version",       "pid",  "policy_digest",
					    "policy_source", "mode", "devices" };
	struct json_object *o = cli_json_begin(cli), *v;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(keys); i++) {
		v = json_object_object_get(info, keys[i]);
		json_object_object_add(o, keys[i], json_object_get(v));
	}
	cli_json_end(o);
}

int cli_cmd_status(struct cli *cli)
{
	fwa_auto_close int fd = connect_daemon(cli);
	fwa_auto_free char *text = NULL;
	struct json_object *root = NULL, *info;
	int r = fd;

	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return cli_fail(cli, CLI_NOT_RUNNING,
				"fwadmitd is not running (nothing answers in %s)",
				cli_socket_dir(cli));
	if (fd >= 0)
		r = read_answer(fd, &text);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "%s/control.sock: %s", cli_socket_dir(cli),
				strerror(-r));
	info = parse_answer(text, &root);
	if (!info)
		r = cli_fail(cli, CLI_FAILED, "%s/control.sock: not fwadmitd's answer",
			     cli_socket_dir(cli));
	else if (cli->json)
		print_json(cli, info);
	else
		print_text(cli, info);
	json_object_put(root);
	return info ? CLI_OK : r;
}
