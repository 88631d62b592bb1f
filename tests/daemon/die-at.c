/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into fwadmitd by test_crash.py: once the file $DIE_AT is there, with a number N in it,
 * the N-th call that changes a file or tells somebody something is not made: the process is killed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static void step(void)
{
	static int left;
	const char *path = getenv("DIE_AT");
	FILE *f;

	if (strcmp(program_invocation_short_name, "fwadmitd") != 0)
		return; /* a worker, which may not even look */
	if (left == 0) {
		f = path ? fopen(path, "re") : NULL;
		if (!f)
			return;
		if (fscanf(f, "%d", &left) != 1)
			left = 0;
		fclose(f);
		if (left == 0)
			return;
	}
	if (--left == 0)
		kill(getpid(), SIGKILL);
}

#define STEP(type, name, parameters, ...)                         \
	type name parameters;                                     \
	type name parameters                                      \
	{                                                         \
		type(*real) parameters = dlsym(RTLD_NEXT, #name); \
                                                                  \
		step();                                           \
		return real(__VA_ARGS__);                         \
	}

STEP(int, mkostemp, (char *t, int flags), t, flags)
STEP(int, mkdir, (const char *path, mode_t mode), path, mode)
STEP(ssize_t, write, (int fd, const void *data, size_t n), fd, data, n)
STEP(int, fsync, (int fd), fd)
STEP(int, rename, (const char *from, const char *to), from, to)
STEP(int, renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
STEP(int, unlink, (const char *path), path)
STEP(int, unlinkat, (int fd, const char *path, int flags), fd, path, flags)
STEP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), fd, m, flags)
STEP(ssize_t, send, (int fd, const void *data, size_t n, int flags), fd, data, n, flags)
