/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a worker, as host/program.h starts programs.
 */
#include "host/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/program.h"
#include "journal/ring.h"

#define WORKER "fwadmit-worker"

/* The worker's descriptors; the numbers are nobody's interface, the command line names them. */
enum {
	CHILD_CONTROL = FWA_PROGRAM_FIRST,
	CHILD_POLICY,
	CHILD_SOCKET,
	CHILD_DEVICE,
	CHILD_RING, /* memory, doorbell, ack */
	CHILD_ADVISORIES = CHILD_RING + 3,
	CHILD_END,
};

/* $FWADMIT_WORKER, or beside this one, or installed. */
static int find_program(char path[PATH_MAX])
{
	return fwa_program_find(WORKER, "FWADMIT_WORKER", path);
}

static int spawn(const struct fwa_launch *l, const int *fds, const char *program, pid_t *ret_pid)
{
	fwa_auto_free char *name = NULL, *device = NULL;
	char mode[32], policy[32], control[32], sock[32], node[32], limit[48];
	char journal[48] = "--journal=none", advisories[32];

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
	if (l->ring)
		snprintf(journal, sizeof(journal), "--journal-fds=%d,%d,%d", CHILD_RING,
			 CHILD_RING + 1, CHILD_RING + 2);
	snprintf(advisories, sizeof(advisories), "--advisories-fd=%d", CHILD_ADVISORIES);

	char *argv[13] = { (char *)WORKER, name, device, mode, policy, control, sock, journal };
	struct fwa_program s = {
		.path = program, .argv = argv, .fds = fds, .n_fds = CHILD_END - FWA_PROGRAM_FIRST
	};
	int n = 8;

	if (l->device_fd >= 0)
		argv[n++] = node;
	if (l->advisories_fd > 0)
		argv[n++] = advisories;
	if (l->device_timeout_ms)
		argv[n++] = limit;
	if (l->reads_pass)
		argv[n++] = (char *)"--journal-reads=pass";
	return fwa_program_start(&s, ret_pid);
}

int fwa_launch_worker(const struct fwa_launch *l, pid_t *ret_pid, int *ret_control)
{
	char program[PATH_MAX];
	int pair[2], r;
	pid_t pid;

	r = find_program(program);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;

	const int fds[] = {
		[CHILD_CONTROL - FWA_PROGRAM_FIRST] = pair[1],
		[CHILD_POLICY - FWA_PROGRAM_FIRST] = l->policy_fd,
		[CHILD_SOCKET - FWA_PROGRAM_FIRST] =
			l->listen_fd >= 0 ? l->listen_fd : l->client_fd,
		[CHILD_DEVICE - FWA_PROGRAM_FIRST] = l->device_fd,
		[CHILD_RING - FWA_PROGRAM_FIRST] = l->ring ? l->ring->memory : -1,
		[CHILD_RING + 1 - FWA_PROGRAM_FIRST] = l->ring ? l->ring->doorbell : -1,
		[CHILD_RING + 2 - FWA_PROGRAM_FIRST] = l->ring ? l->ring->ack : -1,
		[CHILD_ADVISORIES - FWA_PROGRAM_FIRST] =
			l->advisories_fd > 0 ? l->advisories_fd : -1,
	};

	r = spawn(l, fds, program, &pid);
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
