/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a worker.
 *
 * 1. A worker gets the descriptors that it needs, at numbers that are free of any other meaning,
 *    and no other: whatever else is open here, with or without close-on-exec, is closed there (C5).
 * 2. It gets no blocked signal and none that is ignored, no input but /dev/null, no output but
 *    stderr.
 */
#include "host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

#define WORKER "fwadmit-worker"

/* The worker's descriptors; the numbers are nobody's interface, the command line names them. */
enum {
	CHILD_CONTROL = 3,
	CHILD_POLICY,
	CHILD_SOCKET,
	CHILD_DEVICE,
	CHILD_END,
};

/* A plan: what becomes which descriptor of the worker. */
struct plan {
	int high[CHILD_END]; /* copies out of the way of the numbers that are made */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
};

/* The program: $FWADMIT_WORKER, or beside this one, or installed. @path has PATH_MAX bytes. */
static int find_program(char *path)
{
	const char *override = secure_getenv("FWADMIT_WORKER");
	char self[PATH_MAX] = "";
	char *slash;

	if (override)
		return snprintf(path, PATH_MAX, "%s", override) < PATH_MAX ? 0 : -ENAMETOOLONG;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (snprintf(path, PATH_MAX, "%s/" WORKER, self) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return 0;
	}
	strcpy(path, FWADMIT_LIBEXEC_DIR "/" WORKER);
	return access(path, X_OK) == 0 ? 0 : -errno;
}

static int plan_fd(struct plan *p, int child, int fd)
{
	if (fd < 0)
		return 0;
	p->high[child] = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_END);
	if (p->high[child] < 0)
		return -errno;
	return -posix_spawn_file_actions_adddup2(&p->actions, p->high[child], child);
}

static int plan_signals(struct plan *p)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(&p->attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&p->attr, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(&p->attr,
					     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -r;
}

static int plan_make(struct plan *p, const struct fwa_launch *l, int control)
{
	int r;

	r = -posix_spawn_file_actions_addopen(&p->actions, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = -posix_spawn_file_actions_addopen(&p->actions, 1, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = plan_fd(p, CHILD_CONTROL, control);
	if (r == 0)
		r = plan_fd(p, CHILD_POLICY, l->policy_fd);
	if (r == 0)
		r = plan_fd(p, CHILD_SOCKET, l->listen_fd >= 0 ? l->listen_fd : l->client_fd);
	if (r == 0)
		r = plan_fd(p, CHILD_DEVICE, l->device_fd);
	/* A number that is not planned may be open here: close it before what follows the last. */
	for (int child = 3; child < CHILD_END && r == 0; child++)
		if (p->high[child] < 0)
			r = -posix_spawn_file_actions_addclose(&p->actions, child);
	if (r == 0) /*= spec/SECURITY-MODEL.md#C5 */
		r = -posix_spawn_file_actions_addclosefrom_np(&p->actions, CHILD_END);
	if (r == 0)
		r = plan_signals(p);
	return r;
}

static int spawn(const struct plan *p, const struct fwa_launch *l, const char *program,
		 pid_t *ret_pid)
{
	fwa_auto_free char *name = NULL, *device = NULL;
	char mode[32], policy[32], control[32], sock[32], node[32], limit[48];

	if (asprintf(&name, "--name=%s", l->name) < 0 ||
	    asprintf(&device, "--device=%s", l->spec) < 0)
		return -ENOMEM;
	snprintf(mode, sizeof(mode), "--mode=%s", l->mode ? l->mode : "strict");
	snprintf(policy, sizeof(policy), "--policy-fd=%d", CHILD_POLICY);
	snprintf(control, sizeof(control), "--control-fd=%d", CHILD_CONTROL);
	snprintf(sock, sizeof(sock), "--%s-fd=%d", l->listen_fd >= 0 ? "listen" : "client",
		 CHILD_SOCKET);
	snprintf(node, sizeof(node), "--device-fd=%d", CHILD_DEVICE);
	snprintf(limit, sizeof(limit), "--device-timeout-ms=%u", l->device_timeout_ms);

	char *argv[] = {
		(char *)WORKER, name, device, mode, policy, control, sock, NULL, NULL, NULL
	};
	int n = 7;

	if (l->device_fd >= 0)
		argv[n++] = node;
	if (l->device_timeout_ms)
		argv[n++] = limit;

	return -posix_spawn(ret_pid, program, &p->actions, &p->attr, argv, environ);
}

static int plan_init(struct plan *p)
{
	int r;

	for (int i = 0; i < CHILD_END; i++)
		p->high[i] = -1;
	r = posix_spawn_file_actions_init(&p->actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&p->attr);
	if (r)
		posix_spawn_file_actions_destroy(&p->actions);
	return -r;
}

static void plan_clear(struct plan *p)
{
	for (int i = 0; i < CHILD_END; i++)
		fwa_close(p->high[i]);
	posix_spawnattr_destroy(&p->attr);
	posix_spawn_file_actions_destroy(&p->actions);
}

int fwa_launch_worker(const struct fwa_launch *l, pid_t *ret_pid, int *ret_control)
{
	char program[PATH_MAX];
	struct plan p;
	int pair[2], r;
	pid_t pid;

	r = find_program(program);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = plan_init(&p);
	if (r == 0) {
		r = plan_make(&p, l, pair[1]);
		if (r == 0)
			r = spawn(&p, l, program, &pid);
		plan_clear(&p);
	}
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	*ret_pid = pid;
	*ret_control = pair[0];
	return 0;
}

FILE *fwa_launch_list_sim(void)
{
	char path[PATH_MAX], command[PATH_MAX + 32];
	int r = find_program(path);

	/* The shell sees the path in single quotes. */
	if (r == 0 && strchr(path, '\''))
		r = -EINVAL;
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	snprintf(command, sizeof(command), "exec '%s' --list-sim", path);
	return popen(command, "re");
}
