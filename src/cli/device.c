/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the command line calls DEVICE to a client of a gate: a socket of the running fwadmitd,
 * or a private worker that ends with this program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/hex.h"
#include "base/util.h"
#include "cli/policy.h"
#include "cli/subject.h"
#include "host/baseline.h"
#include "host/discover.h"
#include "host/launch.h"
#include "host/state.h"
#include "proto/control.h"

#define READY_TIMEOUT_MS 30000u /* QEMU takes a while to start */
#define LEAVE_TIMEOUT_MS 2000

/* An embedded device before its worker runs. */
struct embedded {
	const char *name;
	const char *spec;
	int device_fd;
};

__attribute__((format(printf, 3, 4))) static int explain(char error[FWA_ERROR_LEN], int code,
							 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, FWA_ERROR_LEN, format, ap);
	va_end(ap);
	fwa_make_printable(error);
	return code;
}

/* --- a worker of our own -------------------------------------------------------------------- */

/* What the worker says: its text and descriptor. */
struct said {
	uint16_t kind;
	char text[FWA_CONTROL_TEXT_MAX + 1];
	int fd;
};

/* Waits until @deadline, CLOCK_MONOTONIC ns, for a message of the worker. */
static int wait_message(struct cli_subject *s, uint64_t deadline, struct said *ret,
			char error[FWA_ERROR_LEN])
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	struct pollfd p = { .fd = s->control, .events = POLLIN };
	int r;

	r = poll(&p, 1, deadline > now ? (int)((deadline - now) / FWA_NS_PER_MS + 1) : 0);
	if (r == 0)
		return explain(error, CLI_FAILED, "%s: not ready in time", s->name);
	if (r > 0)
		r = fwa_control_recv(s->control, &ret->kind, ret->text, &ret->fd);
	return r < 0 ? explain(error, CLI_FAILED, "%s: its worker ended early", s->name) : CLI_OK;
}

/* Answers the worker's question what its device is held to. */
/*= spec/SECURITY-MODEL.md#C23 */
static int answer_baseline(struct cli_subject *s, char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *state = fwa_state_dir();
	struct fwa_baselines store = { .pinned_dir = fwa_pinned_dir(), .state_dir = state };
	fwa_auto_close int fd = -1;
	char name[FWA_DIGEST_TEXT];
	int r, unread;

	r = fwa_baselines_answer(&store, &s->identity, s->control, &s->baseline_source, &fd,
				 &unread);
	if (r < 0)
		return explain(error, CLI_FAILED, "%s: its worker ended early", s->name);
	fwa_baseline_name(&s->identity, name);
	if (unread < 0)
		return explain(error, CLI_FAILED, "%s: its baseline %.12s.. cannot be read: %s",
			       s->name, name, strerror(-unread));
	return cli_journal_keep(&s->journal, FWA_OBJECT_ACCEPTED, NULL, fd, error);
}

/* Takes one message: CLI_OK, and *ret_ready when the worker serves the device. */
static int take_message(struct cli_subject *s, struct said *m, bool *ret_ready,
			char error[FWA_ERROR_LEN])
{
	switch (m->kind) {
	case FWA_CONTROL_READY:
		*ret_ready = true;
		return CLI_OK;
	case FWA_CONTROL_IDENTITY:
		if (fwa_identified_parse(m->text, &s->identity) == 0)
			return cli_journal_keep(&s->journal, FWA_OBJECT_PROFILE, NULL, m->fd,
						error);
		break;
	case FWA_CONTROL_DECLARATIONS:
		fwa_close(s->declarations);
		s->declarations = fwa_steal_fd(&m->fd);
		return answer_baseline(s, error);
	case FWA_CONTROL_FAILED:
		return explain(error, CLI_FAILED, "%s: %.200s", s->name, m->text);
	case FWA_CONTROL_NO_DEVICE:
		return explain(error, CLI_NOT_FOUND, "%s: %.200s", s->name, m->text);
	default:
		break;
	}
	return explain(error, CLI_FAILED, "%s: its worker does not speak our protocol", s->name);
}

/* Waits for the worker to say that it serves the device, and answers what it asks until then. */
static int wait_ready(const struct cli *cli, struct cli_subject *s, char error[FWA_ERROR_LEN])
{
	uint64_t deadline =
		fwa_clock_ns(CLOCK_MONOTONIC) + cli_timeout(cli, READY_TIMEOUT_MS) * FWA_NS_PER_MS;
	struct said m = { .fd = -1 };
	bool ready = false;
	int r = CLI_OK;

	while (r == CLI_OK && !ready) {
		r = wait_message(s, deadline, &m, error);
		if (r == CLI_OK)
			r = take_message(s, &m, &ready, error);
		m.fd = fwa_close(m.fd);
	}
	return r;
}

static int launch(const struct cli *cli, const struct embedded *e, struct cli_subject *s,
		  char error[FWA_ERROR_LEN])
{
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_close int policy_fd = -1, advisories_fd = -1, ours = -1, theirs = -1;
	struct fwa_launch l = {
		.name = s->name, .spec = e->spec, .device_fd = e->device_fd, .listen_fd = -1
	};
	int pair[2], r;

	if (cli_policy_load(cli, &files, error) < 0)
		return CLI_FAILED;
	policy_fd = fwa_policy_files_compile(files, s->name, e->spec);
	if (policy_fd < 0)
		return explain(error, CLI_FAILED, "policy: %s", strerror(-policy_fd));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return explain(error, CLI_FAILED, "cannot make a socket: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	l.client_fd = theirs;
	l.policy_fd = policy_fd;
	r = cli_advised_compile(cli, &advisories_fd, error);
	if (r != CLI_OK)
		return r;
	l.advisories_fd = advisories_fd;
	r = cli_journal_give(cli, &s->journal, &l, error);
	if (r != CLI_OK)
		return r;
	r = fwa_launch_worker(&l, &s->worker, &s->control);
	if (r < 0)
		return explain(error, CLI_FAILED, "cannot start fwadmit-worker: %s", strerror(-r));
	r = cli_journal_begin(cli, &s->journal, &l, s->worker, error);
	if (r == CLI_OK)
		r = wait_ready(cli, s, error);
	if (r != CLI_OK)
		return r;
	r = fwa_client_from_fd(fwa_steal_fd(&ours), &s->client);
	return r < 0 ? explain(error, CLI_FAILED, "%s", strerror(-r)) : CLI_OK;
}

static int open_embedded(const struct cli *cli, const struct embedded *e, struct cli_subject *s,
			 char error[FWA_ERROR_LEN])
{
	if (strlen(e->name) >= sizeof(s->name) || strlen(e->spec) >= sizeof(s->spec))
		return explain(error, CLI_USAGE, "%.64s..: too long for a device", e->spec);
	s->embedded = true;
	strcpy(s->name, e->name);
	strcpy(s->spec, e->spec);
	return launch(cli, e, s, error);
}

/* "sim:honest,seed=3": policy sees the name "sim:honest". */
static int open_spec(const struct cli *cli, const char *spec, struct cli_subject *s,
		     char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *name = strndup(spec, strcspn(spec, ","));

	if (!name)
		return explain(error, CLI_FAILED, "out of memory");
	return open_embedded(cli, &(struct embedded){ name, spec, -1 }, s, error);
}

static int open_path(const struct cli *cli, const char *path, struct cli_subject *s,
		     char error[FWA_ERROR_LEN])
{
	fwa_auto_close int fd = -1;
	struct fwa_found found;
	int r;

	r = fwa_discover_path(path, &found, error);
	if (r < 0)
		return r == -ENOENT ? CLI_NOT_FOUND : CLI_FAILED;
	fd = open(found.node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return explain(error, CLI_FAILED, "%s: %s", found.node, strerror(errno));
	return open_embedded(cli, &(struct embedded){ found.name, found.spec, fd }, s, error);
}

/* True when it ended by itself. */
static bool see_off(pid_t worker)
{
	fwa_auto_close int pidfd = pidfd_open(worker, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int status = -1;

	/* It ends by itself once both sockets are closed, unless the device holds it up. */
	if (pidfd < 0 || poll(&p, 1, LEAVE_TIMEOUT_MS) <= 0)
		kill(worker, SIGKILL);
	return waitpid(worker, &status, WNOHANG) == worker && WIFEXITED(status);
}

void cli_worker_close(struct cli_subject *s)
{
	bool orderly = true;

	s->client = fwa_client_free(s->client);
	s->control = fwa_close(s->control);
	s->declarations = fwa_close(s->declarations);
	if (s->worker > 0)
		orderly = see_off(s->worker);
	s->worker = 0;
	cli_journal_end(&s->journal, orderly);
}

/* --- a socket of the daemon ----------------------------------------------------------------- */

static bool daemon_runs(const char *dir)
{
	fwa_auto_free char *path = NULL;

	return asprintf(&path, "%s/control.sock", dir) >= 0 && access(path, F_OK) == 0;
}

static int open_name(const struct cli *cli, const char *name, struct cli_subject *s,
		     char error[FWA_ERROR_LEN])
{
	const char *dir = cli_socket_dir(cli);
	fwa_auto_free char *path = NULL;
	int r;

	if (!*name)
		return explain(error, CLI_USAGE, "the device's name is empty");
	if (strlen(name) >= sizeof(s->name) || *name == '.')
		return explain(error, CLI_NOT_FOUND, "%.64s: not a device", name);
	if (asprintf(&path, "%s/%s.sock", dir, name) < 0)
		return explain(error, CLI_FAILED, "out of memory");
	r = fwa_client_connect(path, &s->client);
	if (r == -EACCES || r == -EPERM)
		return explain(error, CLI_FAILED, "%s: you may not open %s", name, path);
	if (r == -ENOENT && daemon_runs(dir))
		return explain(error, CLI_NOT_FOUND, "%s: fwadmitd serves no such device", name);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return explain(
			error, CLI_NOT_RUNNING,
			"%s: no fwadmitd is running; without it, give a path (/dev/..) or sim:..",
			name);
	if (r < 0)
		return explain(error, CLI_FAILED, "%s: %s", path, strerror(-r));
	strcpy(s->name, name);
	return CLI_OK;
}

/* --- both ----------------------------------------------------------------------------------- */

static int describe(const struct cli *cli, struct cli_subject *s, char error[FWA_ERROR_LEN])
{
	fwa_auto_free struct fwa_description *d = calloc(1, sizeof(*d));
	uint8_t *encoded;
	int r;

	fwa_client_set_timeout(s->client, cli_timeout(cli, READY_TIMEOUT_MS));
	r = d ? fwa_client_describe(s->client, d) : -ENOMEM;
	if (r == -ENODEV)
		return explain(error, CLI_FAILED, "%s: the device is gone", s->name);
	if (!s->embedded && (r == -ECONNRESET || r == -EPIPE))
		return explain(error, CLI_FAILED,
			       "%s: it is not served at the moment; `fwadmit status` shows why",
			       s->name);
	if (r < 0)
		return explain(error, CLI_FAILED, "%s: the gate does not describe it: %s", s->name,
			       strerror(-r));
	encoded = malloc(d->profile.len + 1);
	if (!encoded)
		return explain(error, CLI_FAILED, "out of memory");
	memcpy(encoded, d->profile.data, d->profile.len);
	if (!cli_subject_set_profile(s, encoded, d->profile.len))
		return explain(error, CLI_FAILED, "%s: the gate sent a profile that is none",
			       s->name);
	s->kind = "device";
	s->source_len = s->encoded_len;
	memcpy(s->source_sha256, s->digest, sizeof(s->digest));
	s->identified = true;
	s->contract = d->contract;
	r = cli_subject_set_baseline(s, d);
	if (r < 0)
		return explain(error, CLI_FAILED, "%s: the gate sent a baseline that is none",
			       s->name);
	s->now = d->now;
	r = cli_advised_take(s, d->advisories);
	if (r < 0)
		return explain(error, CLI_FAILED, "%s: the gate sent advisories that are none",
			       s->name);
	if (s->embedded && s->baseline_state == FWA_BASELINE_MISSING)
		cli_note(cli,
			 "%s: its %s baseline is damaged: nothing that it declares counts as "
			 "accepted",
			 s->name, fwa_baseline_source_name(s->baseline_source));
	if (!cli_subject_set_rights(s, &d->rights))
		return explain(error, CLI_FAILED, "out of memory");
	memcpy(s->grant_names, d->grant_names, sizeof(s->grant_names));
	memcpy(s->tickets, d->tickets, sizeof(s->tickets));
	s->caller = d->caller;
	s->as_caller = true;
	fwa_hex_text(d->policy_digest, sizeof(d->policy_digest), s->policy_digest);
	return CLI_OK;
}

int cli_subject_try_device(const struct cli *cli, const char *device, struct cli_subject *s,
			   char error[FWA_ERROR_LEN])
{
	int r;

	if (strncmp(device, "sim:", 4) == 0 || strncmp(device, "qtest:", 6) == 0)
		r = open_spec(cli, device, s, error);
	else if (strchr(device, '/'))
		r = open_path(cli, device, s, error);
	else
		r = open_name(cli, device, s, error);
	return r == CLI_OK ? describe(cli, s, error) : r;
}

int cli_subject_open_device(const struct cli *cli, const char *device, struct cli_subject *s)
{
	char error[FWA_ERROR_LEN] = "";
	int r = cli_subject_try_device(cli, device, s, error);

	return r == CLI_OK ? r : cli_fail(cli, r, "%s", error);
}
