/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting one of our own programs: with the descriptors that it needs, and nothing else of ours.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The child's number of the first descriptor that it is given. */
#define FWA_PROGRAM_FIRST 3

struct fwa_program {
	const char *path; /* of the program, from fwa_program_find() */
	char **argv;
	const int *fds; /* fds[i] becomes FWA_PROGRAM_FIRST + i, which is closed when it is -1 */
	size_t n_fds;
	bool apart;        /* in a session of its own: no terminal's keys end it */
	bool quiet;        /* its stderr is /dev/null, too */
	const int *err_fd; /* what its stderr is instead; NULL: ours, or as @quiet says */
};

/*
 * Our program @name: what the environment's @variable says, else beside the running program, else the
 * installed libexec folder. 0 or negative errno.
 */
int fwa_program_find(const char *name, const char *variable, char path[PATH_MAX]);
/* Starts it. The descriptors stay the caller's. 0 or negative errno. */
int fwa_program_start(const struct fwa_program *s, pid_t *ret_pid);
