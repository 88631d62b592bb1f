/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/journal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/util.h"
#include "host/journal.h"

#define END_TIMEOUT_NS (2 * FWA_NS_PER_S)
#define WHY_TEXT 136 /* what a message has room for */
#define LEAVE_TIMEOUT_NS (100 * FWA_NS_PER_MS)

static const char *given_dir(const struct cli *cli)
{
	return cli->args.text[CLI_OPT_JOURNAL];
}

/* Where it is kept; fresh memory. */
static char *find_dir(const struct cli *cli)
{
	return given_dir(cli) ? strdup(given_dir(cli)) : fwa_journal_own_dir();
}

/* @why: of the journal in @dir. */
static int no_journal(const char *dir, const char *why, char error[FWA_ERROR_LEN])
{
	bool said = strncmp(why, dir, strlen(dir)) == 0;
	char text[WHY_TEXT];

	snprintf(text, sizeof(text), "%s%s%s", said ? "" : dir, said ? "" : ": ", why);
	fwa_fail(error, 0,
		 "nothing was sent, for it cannot be recorded: %s; --journal=DIR keeps the journal "
		 "elsewhere, --journal=none goes without",
		 text);
	fwa_make_printable(error);
	return CLI_FAILED;
}

int cli_journal_give(const struct cli *cli, struct cli_journal *j, struct fwa_launch *l,
		     char error[FWA_ERROR_LEN])
{
	int r;

	if (given_dir(cli) && strcmp(given_dir(cli), CLI_JOURNAL_NONE) == 0)
		j->wanted = false;
	if (!j->wanted)
		return CLI_OK;
	r = fwa_ring_create(&j->ring);
	if (r < 0)
		return no_journal("a ring", strerror(-r), error);
	l->ring = &j->ring;
	return CLI_OK;
}

/* --- its beginning -------------------------------------------------------------------------- */

/* What the journal's writer says first: 0, or a negative errno with a line. */
static int hear(int sock, char text[FWA_ATTACH_TEXT_MAX + 1])
{
	struct fwa_attach_message m;
	int r = fwa_attach_recv(sock, &m);

	if (r < 0) {
		snprintf(text, FWA_ATTACH_TEXT_MAX + 1, "its writer ended early: %s", strerror(-r));
		return r;
	}
	for (size_t i = 0; i < FWA_ARRAY_SIZE(m.fds); i++)
		fwa_close(m.fds[i]);
	if (m.kind == FWA_ATTACH_READY)
		return 0;
	snprintf(text, FWA_ATTACH_TEXT_MAX + 1, "%s",
		 m.text[0] ? m.text : strerror(m.error ? m.error : EPROTO));
	return m.error ? -m.error : -EPROTO;
}

/* A connection to the journal's writer, which is ready. */
static int open_journal(const struct cli *cli, struct cli_journal *j, char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *dir = find_dir(cli);
	struct fwa_journal_options o = { .dir = dir };
	char text[FWA_ATTACH_TEXT_MAX + 1];
	int r;

	if (!dir)
		return no_journal("the journal", "there is no home directory", error);
	r = fwa_journal_launch(&o, true, &j->pid, &j->sock);
	if (r == -ETIMEDOUT)
		return no_journal(dir, "the program that holds its lock does not answer", error);
	if (r < 0)
		return no_journal(dir, strerror(-r), error);
	return hear(j->sock, text) < 0 ? no_journal(dir, text, error) : CLI_OK;
}

static int tell(struct cli_journal *j, const struct fwa_attach_message *m,
		char error[FWA_ERROR_LEN])
{
	int r = fwa_attach_send(j->sock, m);

	return r < 0 ? no_journal("its writer", strerror(-r), error) : CLI_OK;
}

static int attach(struct cli_journal *j, const struct fwa_launch *l, pid_t pid,
		  char error[FWA_ERROR_LEN])
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_SOURCE,
		.token = 1,
		.source = { .kind = FWA_SOURCE_EMBEDDED, .pid = (uint32_t)pid, .uid = getuid() },
		.fds = { j->ring.memory, j->ring.doorbell, j->ring.ack },
	};
	struct fwa_attach_message begin = { .kind = FWA_ATTACH_BEGIN, .fds = { -1, -1, -1 } };
	int r;

	snprintf(m.source.name, sizeof(m.source.name), "%s", l->name);
	snprintf(m.source.spec, sizeof(m.source.spec), "%s", l->spec);
	fwa_make_printable(m.source.name);
	fwa_make_printable(m.source.spec);
	if (getrandom(m.source.id, sizeof(m.source.id), 0) != sizeof(m.source.id))
		return no_journal("no number", strerror(errno), error);
	r = tell(j, &m, error);
	return r == CLI_OK ? tell(j, &begin, error) : r;
}

int cli_journal_begin(const struct cli *cli, struct cli_journal *j, const struct fwa_launch *l,
		      pid_t pid, char error[FWA_ERROR_LEN])
{
	int r;

	if (!j->wanted)
		return CLI_OK;
	r = open_journal(cli, j, error);
	if (r == CLI_OK)
		r = cli_journal_keep(j, FWA_OBJECT_POLICY, l->name, l->policy_fd, error);
	return r == CLI_OK ? attach(j, l, pid, error) : r;
}

int cli_journal_keep(struct cli_journal *j, enum fwa_object_kind kind, const char *device, int fd,
		     char error[FWA_ERROR_LEN])
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_OBJECT,
		.object = { .kind = (uint8_t)kind },
		.fds = { fd, -1, -1 },
	};
	int r;

	if (!j->wanted || fd < 0)
		return CLI_OK;
	snprintf(m.object.device, sizeof(m.object.device), "%s", device ? device : "");
	fwa_make_printable(m.object.device);
	r = fwa_journal_key(kind, fd, m.object.key);
	return r < 0 ? no_journal("what is decided by", strerror(-r), error) : tell(j, &m, error);
}

/* --- its end -------------------------------------------------------------------------------- */

/* Waits for @fd until @deadline. */
static bool wait_for(int fd, uint64_t deadline)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return now < deadline && poll(&p, 1, (int)((deadline - now) / FWA_NS_PER_MS + 1)) > 0;
}

/* Until all that the worker, which is no more, has put into its ring is in the file. */
static void await_written(const struct fwa_ring_fds *fds)
{
	uint64_t deadline = fwa_clock_ns(CLOCK_MONOTONIC) + END_TIMEOUT_NS, count;
	struct fwa_ring *ring =
		mmap(NULL, FWA_RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds->memory, 0);

	if (ring == MAP_FAILED)
		return;
	do
		atomic_store(&ring->wants_room, 1);
	while (atomic_load(&ring->consumed) != atomic_load(&ring->produced) &&
	       wait_for(fds->ack, deadline) && read(fds->ack, &count, sizeof(count)) >= 0);
	munmap(ring, FWA_RING_PAGE);
}

/*
 * The last one that hangs up lets the journal's writer end: then it is complete, with its last checkpoint. Not
 * waited for for long, as there may be others.
 */
static void await_end(struct cli_journal *j)
{
	fwa_auto_close int pidfd = -1;
	struct ucred writer = { .pid = j->pid };
	socklen_t len = sizeof(writer);

	if (!j->pid && getsockopt(j->sock, SOL_SOCKET, SO_PEERCRED, &writer, &len) < 0)
		return;
	pidfd = pidfd_open(writer.pid, 0);
	j->sock = fwa_close(j->sock);
	if (pidfd >= 0)
		wait_for(pidfd, fwa_clock_ns(CLOCK_MONOTONIC) + LEAVE_TIMEOUT_NS);
}

void cli_journal_end(struct cli_journal *j, bool orderly)
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_DETACH,
		.token = 1,
		.how = orderly ? FWA_SOURCE_END_ORDERLY : FWA_SOURCE_END_LOST,
		.fds = { -1, -1, -1 },
	};

	if (j->sock >= 0 && fwa_attach_send(j->sock, &m) == 0) {
		await_written(&j->ring);
		await_end(j);
	}
	j->sock = fwa_close(j->sock);
	fwa_ring_close(&j->ring);
	if (j->pid > 0)
		waitpid(j->pid, NULL, WNOHANG); /* it goes on when it has more to do */
	j->pid = 0;
}
