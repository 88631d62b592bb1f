/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A segment's file, mapped for reading. A file that becomes shorter while it is mapped, or a disk that
 * cannot read it, would end the program by SIGBUS: the page that is missing becomes one of zeroes
 * instead, where records end.
 */
#pragma once

#include "base/bytes.h"

struct fwa_map {
	int fd; /* -1: nothing is mapped */
	struct fwa_span bytes;
	int slot; /* where SIGBUS looks for it */
};

#define FWA_MAP_NONE                 \
	{                            \
		.fd = -1, .slot = -1 \
	}

/* Maps the regular file @name in @dirfd. 0 or negative errno, -EINVAL for another kind of file. */
int fwa_map_open(int dirfd, const char *name, struct fwa_map *ret);
void fwa_map_close(struct fwa_map *m);
/* Takes in what was written behind the end: @m may be somewhere else then. 0 or negative errno. */
int fwa_map_grow(struct fwa_map *m);
