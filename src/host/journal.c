/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the journal's writer, or joining it.
 *
 * 1. It is no child that dies with us: it has a session of its own, and ends once all that was given to it is
 *    on disk and its last connection is gone.
 * 2. So there may be one that is ending. It has the lock for a moment yet, and takes no more
 *    connections, or ends one that it had not seen. Both are tried again, for a bounded time: a connection
 *    counts only when journald has said something on it.
 */
#include "host/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "host/program.h"
#include "host/state.h"

#define JOURNALD "fwadmit-journald"
#define SOCKET "socket"
/* For the one that is ending to end, or for the one that began to read what is there. */
#define PATIENCE_NS (20 * FWA_NS_PER_S)
#define PAUSE_NS (5 * FWA_NS_PER_MS)

char *fwa_journal_own_dir(void)
{
	fwa_auto_free char *state = fwa_own_state_dir();
	char *path = NULL;

	return state && asprintf(&path, "%s/journal", state) >= 0 ? path : NULL;
}

/* --- starting one ------------------------------------------------------------------------------- */

static int spawn(const struct fwa_journal_options *o, int control, pid_t *ret_pid)
{
	fwa_auto_free char *dir = NULL, *key = NULL;
	char path[PATH_MAX], segment[48], size[48], age[48], fd[32];
	int r = fwa_program_find(JOURNALD, "FWADMIT_JOURNALD", path);

	if (r < 0)
		return r;
	if (asprintf(&dir, "--dir=%s", o->dir) < 0 ||
	    (o->key && asprintf(&key, "--key=%s", o->key) < 0))
		return -ENOMEM;
	snprintf(fd, sizeof(fd), "--control-fd=%d", FWA_PROGRAM_FIRST);
	snprintf(segment, sizeof(segment), "--segment=%llu", o->segment_max);
	snprintf(size, sizeof(size), "--size=%llu", o->total_max);
	snprintf(age, sizeof(age), "--age=%llu", o->age_max);

	/* The last one is the key's, or the end. */
	char *argv[] = { (char *)JOURNALD, dir, fd, segment, size, age, key, NULL };
	struct fwa_program s = { .path = path,
				 .argv = argv,
				 .fds = &control,
				 .n_fds = 1,
				 .apart = true,
				 .quiet = !o->log };

	return fwa_program_start(&s, ret_pid);
}

static int start(const struct fwa_journal_options *o, pid_t *ret_pid, int *ret_sock)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = spawn(o, pair[1], ret_pid);
	close(pair[1]);
	if (r < 0)
		close(pair[0]);
	else
		*ret_sock = pair[0];
	return r;
}

/* --- joining one -------------------------------------------------------------------------------- */

/* A connection to whoever listens in @dir, if that is us or root; -ENOENT or -ECONNREFUSED for nobody. */
static int connect_to(const char *dir)
{
	fwa_auto_close int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fwa_auto_close int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (at < 0 || sock < 0)
		return -errno;
	/* A path of any length in the few bytes that there are for it. */
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/" SOCKET, at);
	if (connect(sock, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	if (peer.uid != geteuid() && peer.uid != 0)
		return -EPERM;
	return fwa_steal_fd(&sock);
}

/* Until journald has said something, which stays unread. -ECONNRESET when it has gone instead. */
static int wait_for_word(int sock, uint64_t deadline)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char byte;

	for (;;) {
		uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
		int r;

		if (now >= deadline)
			return -ETIMEDOUT;
		r = poll(&p, 1, (int)((deadline - now) / FWA_NS_PER_MS) + 1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		return recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ? 0 : -ECONNRESET;
	}
}

/* Whether what it said first is that another one has the journal. */
static bool lost_to_another(int sock)
{
	uint8_t head[12];

	return recv(sock, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) >=
		       (ssize_t)sizeof(head) &&
	       fwa_le16(head) == FWA_ATTACH_FAILED && fwa_le32(head + 8) == EWOULDBLOCK;
}

/* The one that is there, or one of our own. -EAGAIN: neither, but perhaps soon. */
static int join_or_start(const struct fwa_journal_options *o, uint64_t deadline, pid_t *ret_pid,
			 int *ret_sock)
{
	int sock = connect_to(o->dir), r;
	pid_t pid = 0;

	if (sock == -ENOENT || sock == -ECONNREFUSED) {
		r = start(o, &pid, &sock);
		if (r < 0)
			return r;
	} else if (sock < 0) {
		return sock;
	}
	r = wait_for_word(sock, deadline);
	if (r == 0 && !(pid && lost_to_another(sock))) {
		*ret_pid = pid;
		*ret_sock = sock;
		return 0;
	}
	close(sock);
	if (pid && r != -ETIMEDOUT)
		waitpid(pid, NULL, 0);
	/* One of our own that ends without a word will do so again. */
	return r == 0 || (r == -ECONNRESET && !pid) ? -EAGAIN : r;
}

int fwa_journal_launch(const struct fwa_journal_options *o, bool join, pid_t *ret_pid,
		       int *ret_sock)
{
	uint64_t deadline = fwa_clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
	int r = fwa_make_dirs(o->dir);

	if (r < 0)
		return r;
	if (!join)
		return start(o, ret_pid, ret_sock);
	for (;;) {
		r = join_or_start(o, deadline, ret_pid, ret_sock);
		if (r != -EAGAIN)
			return r;
		if (fwa_clock_ns(CLOCK_MONOTONIC) >= deadline)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
}
