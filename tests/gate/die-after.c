/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into a worker by test_journal.py: the $DIE_AFTER-th call by which it tells or hears something is
 * not made: the process is killed.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static long left;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("DIE_AFTER");

	left = text ? atol(text) : 0;
}

static void step(void)
{
	if (left && --left == 0)
		raise(SIGKILL);
}

#define STEP(type, name, parameters, ...)               \
	type name parameters;                           \
	type name parameters                            \
	{                                               \
		static type(*real) parameters;          \
                                                        \
		if (!real)                              \
			real = dlsym(RTLD_NEXT, #name); \
		step();                                 \
		return real(__VA_ARGS__);               \
	}

STEP(ssize_t, read, (int fd, void *data, size_t n), fd, data, n)
STEP(ssize_t, write, (int fd, const void *data, size_t n), fd, data, n)
STEP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), fd, m, flags)
STEP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), fd, m, flags)
STEP(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), fd, e, n, ms)
