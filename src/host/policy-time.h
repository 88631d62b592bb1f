/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When grants end: times as policy files write them, and the clock by which workers judge.
 *
 * People name an end by the wall clock, which can be set; workers measure by CLOCK_BOOTTIME, which
 * cannot (C20). One is turned into the other at one moment, when a policy is compiled: after the
 * wall clock was set, compile again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FWA_TIME_TEXT 21                    /* "2026-12-31T18:00:00Z" with the final NUL */
#define FWA_BOOT_ID_TEXT 37                 /* a UUID with the final NUL */
#define FWA_TIME_MAX UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* One moment, by all clocks. */
struct fwa_moment {
	uint64_t wall;                  /* CLOCK_REALTIME: seconds since 1970 */
	uint32_t wall_ns;               /* and what is beyond them */
	uint64_t boot;                  /* CLOCK_BOOTTIME: ns */
	char boot_id[FWA_BOOT_ID_TEXT]; /* of the kernel's start; "" when it is not known */
};

void fwa_moment_now(struct fwa_moment *ret);

/*
 * The CLOCK_BOOTTIME, in ns, at which the wall clock will show @until (seconds since 1970), if nobody
 * sets it; 1, which is past, when it has shown it already; UINT64_MAX when it is beyond what can be
 * told. Never 0, which is no end at all.
 */
uint64_t fwa_moment_boot_time(const struct fwa_moment *m, uint64_t until);

/* Reads "2026-12-31T18:00:00Z" (RFC 3339, UTC, whole seconds, from 1970 on). False for all else. */
bool fwa_time_parse(const char *text, uint64_t *ret);
/* The same in return; what is beyond FWA_TIME_MAX is written as that. */
void fwa_time_text(uint64_t time, char text[FWA_TIME_TEXT]);
