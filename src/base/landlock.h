/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Landlock: which files this process may still reach, beneath which folders; and no network, no signals and
 * no abstract sockets outside, as far as the kernel knows how to take these away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rights of the kernel's interface, all of its first version but the last one. */
enum {
	FWA_LANDLOCK_WRITE_FILE = 1 << 1,
	FWA_LANDLOCK_READ_FILE = 1 << 2,
	FWA_LANDLOCK_READ_DIR = 1 << 3,
	FWA_LANDLOCK_REMOVE_FILE = 1 << 5,
	FWA_LANDLOCK_MAKE_DIR = 1 << 7,
	FWA_LANDLOCK_MAKE_REG = 1 << 8,
	FWA_LANDLOCK_TRUNCATE = 1 << 14,  /* of version 3 */
	FWA_LANDLOCK_IOCTL_DEV = 1 << 15, /* of version 5 */
};

struct fwa_landlock_path {
	int fd; /* of a folder, or of one file */
	uint64_t allowed;
};

/*
 * From here on this thread, and those that it starts, open nothing but what @paths allow, and if not @signals
 * signal nobody but one another. Needs "no new privileges". False, with nothing changed, where the kernel
 * has no Landlock.
 */
bool fwa_landlock(const struct fwa_landlock_path *paths, size_t n, bool signals);
