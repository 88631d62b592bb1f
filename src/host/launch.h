/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a worker: the same for the daemon (a listening socket) and for embedded mode (one
 * connected client).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct fwa_ring_fds; /* journal/ring.h */

struct fwa_launch {
	const char *name; /* the device's name, as policy patterns see it */
	const char *spec; /* for fwa_device_open() */
	const char *mode; /* "strict" or "linux"; NULL = strict */
	int device_fd;    /* open device node to hand over, or -1 */
	int listen_fd;    /* listening SOCK_SEQPACKET socket to hand over, or -1 */
	int client_fd;    /* connected SOCK_SEQPACKET socket to hand over, or -1 */
	int policy_fd;    /* snapshot from fwa_policy_files_compile() */
	int advisories_fd; /* table from fwa_advisories_compile(); 0 or less: there are no advisories */
	unsigned int device_timeout_ms; /* how long a command may take; 0: the worker's own limit */
	const struct fwa_ring_fds *ring; /* its way to the journal; NULL: it records nothing */
	bool reads_pass; /* while the journal is down, what changes nothing may pass unrecorded */
};

/*
 * Starts fwadmit-worker (from beside the running program, else the installed libexec folder;
 * $FWADMIT_WORKER overrides). All descriptors stay the caller's. Returns 0 with the pid and the
 * caller's end of the control socket, or negative errno.
 */
int fwa_launch_worker(const struct fwa_launch *l, pid_t *ret_pid, int *ret_control);

/*
 * The simulated devices that the worker knows, one "NAME<TAB>ABOUT" a line. To be closed with
 * pclose(); NULL with errno set when there is no worker.
 */
FILE *fwa_launch_list_sim(void);
