/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleanup attributes and small helpers for code that has effects. Core does not use this file.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

#define FWA_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline int fwa_close(int fd)
{
	if (fd >= 0)
		close(fd);
	return -1;
}

static inline void fwa_cleanup_fd(int *fd)
{
	*fd = fwa_close(*fd);
}

static inline void fwa_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void fwa_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define fwa_auto_close __attribute__((cleanup(fwa_cleanup_fd)))
#define fwa_auto_free __attribute__((cleanup(fwa_cleanup_free)))
#define fwa_auto_fclose __attribute__((cleanup(fwa_cleanup_file)))

/* Hands the pointer on and forgets it, so that its cleanup attribute frees nothing. */
#define fwa_steal(p)                  \
	({                            \
		__typeof__(p) _p = p; \
		p = NULL;             \
		_p;                   \
	})

/* The same for a descriptor. */
static inline int fwa_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* @clock in ns. */
static inline uint64_t fwa_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * FWA_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Makes @text, which came from outside, fit for terminals and logs: all but printable ASCII is '?'. */
static inline void fwa_make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
