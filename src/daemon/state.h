/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory in which the daemon remembers: STATE/quarantine, STATE/grants, STATE/baselines,
 * STATE/advisories.
 *
 * What says that a change is made comes after the change is on the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fwa_state {
	const char *path; /* NULL: there is none, or none that can be written to */
	char error[160];  /* then: why */
};

/* Makes @path if need be. What is wrong with it is one line in the log, and in @ret->error. */
void fwa_state_open(const char *path, struct fwa_state *ret);
