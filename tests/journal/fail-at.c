/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into fwadmit-journald: $FAIL_AT is "CALL FIRST LAST ERRNO", and the calls of that kind (write,
 * fdatasync) from the FIRST to the LAST fail so; of each later 50 calls LAST - FIRST + 1 more when ERRNO is
 * negative. A tracer could not do that: what it changes is not what the system call filter allows.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t (*real_write)(int fd, const void *data, size_t len, off64_t at);
static int (*real_sync)(int fd);
static char call[16];
static int first, last, error, calls;

__attribute__((constructor)) static void setup(void)
{
	const char *text = getenv("FAIL_AT");

	real_write = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
	real_sync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	if (!text || sscanf(text, "%15s %d %d %d", call, &first, &last, &error) != 4)
		abort();
}

static bool fails(const char *name)
{
	int n;

	if (strcmp(name, call) != 0)
		return false;
	n = ++calls;
	if (error < 0 && n > last)
		n = first + (n - last) % 50;
	if (n < first || n > last)
		return false;
	errno = abs(error);
	return true;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	/* Half of it may be there. */
	if (fails("write")) {
		int saved = errno;

		real_write(fd, data, len / 2, at);
		errno = saved;
		return -1;
	}
	return real_write(fd, data, len, at);
}

int fdatasync(int fd)
{
	return fails("fdatasync") ? -1 : real_sync(fd);
}
