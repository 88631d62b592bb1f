/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a client is, as the kernel says of its socket (C2).
 *
 * 1. Uid, gid, groups and security label are those of the moment when it connected; the kernel keeps
 *    them with the socket.
 * 2. Unit and name are read in /proc by the number of the process, which another process may have by
 *    now. So they count only if the process that connected lived on until after they were read,
 *    which its pidfd says: as long as it lives, nobody else has its number.
 * 3. All of it is read once, here. What becomes of the process or its number later changes nothing.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define GROUPS_MAX 65536u
/* A line for each hierarchy. Who is in groups of longer names has no unit. */
#define CGROUPS_LEN 8192

static int read_groups(int sock, struct fwa_principal *who)
{
	fwa_auto_free gid_t *groups = NULL;
	socklen_t len = 0;

	/* With no room the kernel says how much it needs. */
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
		return 0;
	if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
		return -errno;
	groups = malloc(len);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return -errno;
	who->n_groups = (uint32_t)(len / sizeof(gid_t));
	who->groups = fwa_steal(groups);
	return 0;
}

static void read_label(struct session *s)
{
	char label[LABEL_LEN];
	socklen_t len = sizeof(label) - 1;

	if (getsockopt(s->sock, SOL_SOCKET, SO_PEERSEC, label, &len) < 0)
		return;
	label[len] = '\0';
	fwa_make_printable(label);
	s->label = label[0] ? strdup(label) : NULL;
}

/* --- the process ---------------------------------------------------------------------------- */

static int peer_pidfd(int sock)
{
	socklen_t len = sizeof(int);
	int pidfd;

	return getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0 ? -errno : pidfd;
}

/* Not so for a process of which only the first thread has ended: its number is still its own. */
static bool lives(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* All of a file of process @pid: its length, or negative errno; -EFBIG when @buf cannot hold it. */
static ssize_t read_of_process(int proc, pid_t pid, const char *file, char *buf, size_t cap)
{
	fwa_auto_close int fd = -1;
	size_t len = 0;
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	fd = openat(proc, path, SANDBOX_OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)len;
		len += (size_t)n;
	}
	return -EFBIG;
}

static void read_unit(int proc, struct session *s)
{
	char text[CGROUPS_LEN], unit[UNIT_NAME_LEN];
	ssize_t n = read_of_process(proc, s->pid, "cgroup", text, sizeof(text));

	if (n > 0 && unit_of_cgroups(text, (size_t)n, unit))
		s->who.unit = strdup(unit);
}

static void read_comm(int proc, struct session *s)
{
	char text[COMM_LEN + 1]; /* with an end of line, and to see the end of the file */
	ssize_t n = read_of_process(proc, s->pid, "comm", text, sizeof(text));

	if (n < 1)
		return;
	memcpy(s->comm, text, (size_t)n - 1);
	s->comm[n - 1] = '\0';
	fwa_make_printable(s->comm);
}

/*= spec/SECURITY-MODEL.md#C2 */
static void read_process(const struct worker *w, struct session *s)
{
	fwa_auto_close int pidfd = -1;

	/* Number 0: it is in a pid namespace that has no numbers here. */
	if (w->proc_fd < 0 || s->pid <= 0)
		return;
	pidfd = peer_pidfd(s->sock);
	if (pidfd < 0)
		return;
	read_unit(w->proc_fd, s);
	read_comm(w->proc_fd, s);
	if (lives(pidfd))
		return;
	free((void *)s->who.unit);
	s->who.unit = NULL;
	s->comm[0] = '\0';
}

/* --- all of it ------------------------------------------------------------------------------ */

static bool has_pidfds(void)
{
	int pair[2], pidfd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	pidfd = peer_pidfd(pair[0]);
	fwa_close(pidfd);
	close(pair[0]);
	close(pair[1]);
	return pidfd >= 0;
}

/* Whether the numbers in @proc are those of our own pid namespace, and so those of SO_PEERCRED. */
static bool is_our_proc(int proc)
{
	char self[32];
	struct statfs fs;
	ssize_t n = readlinkat(proc, "self", self, sizeof(self) - 1);

	if (n < 0 || fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	self[n] = '\0';
	return strtol(self, NULL, 10) == getpid();
}

int identity_open(void)
{
	fwa_auto_close int fd = -1;

	if (!has_pidfds())
		return -ENOPROTOOPT;
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return is_our_proc(fd) ? fwa_steal_fd(&fd) : -EXDEV;
}

/*= spec/SECURITY-MODEL.md#C2 */
int session_identify(const struct worker *w, struct session *s)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(s->sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	s->pid = cred.pid;
	s->who.uid = cred.uid;
	s->who.gid = cred.gid;
	s->who.owner = cred.uid == w->owner;
	read_label(s);
	read_process(w, s);
	return read_groups(s->sock, &s->who);
}

const char *identity_text(const struct session *s, char text[IDENTITY_TEXT_LEN])
{
	const char *unit = s->who.unit ? s->who.unit : "", *label = s->label ? s->label : "";

	snprintf(text, IDENTITY_TEXT_LEN, "uid %u, gid %u%s%s, pid %d%s%s%s%s%s", s->who.uid,
		 s->who.gid, *unit ? ", unit " : "", unit, (int)s->pid, s->comm[0] ? " (" : "",
		 s->comm, s->comm[0] ? ")" : "", *label ? ", label " : "", label);
	return text;
}

void identity_tell(const struct session *s, struct fwa_caller *ret)
{
	ret->uid = s->who.uid;
	ret->gid = s->who.gid;
	strncpy(ret->unit, s->who.unit ? s->who.unit : "", sizeof(ret->unit) - 1);
	strncpy(ret->label, s->label ? s->label : "", sizeof(ret->label) - 1);
	memcpy(ret->comm, s->comm, sizeof(ret->comm));
}

_Static_assert(UNIT_NAME_LEN <= FWA_CALLER_UNIT_MAX, "the description has room for any unit");
