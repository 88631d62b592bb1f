/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The advisories in force, for all workers (C33). The store is host/advisory.h's; here is when it is read,
 * and who is told.
 *
 * 1. Workers have the table before whoever asked for a change is answered.
 * 2. When the store cannot be read as a whole what was in force stays so. A document that cannot be believed any
 *    more is left out, and said: in the log, as an event, and by GetInfo.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct fwa_advisory_file;
struct fwa_daemon;
struct fwa_round;

struct fwa_advised {
	int table_fd;       /* what workers get; -1: there is no STATE to have any in */
	uint32_t n;         /* documents in force */
	uint64_t until;     /* CLOCK_BOOTTIME ns when the next one ends; 0: none does */
	uint64_t read;      /* wall clock at the last reading, seconds; 0: there was none yet */
	char trouble[256];  /* the first that is wrong, "" when all is well */
	unsigned int n_bad; /* documents that are left out and should not be */
	sd_event_source *end;
};

/* Reads the store. 0, or negative errno after a line in the log: what was in force is. */
int fwa_advised_load(struct fwa_daemon *d);
/* Reads it and tells all workers, whom @round waits for unless it is NULL. As above. */
int fwa_advised_renew(struct fwa_daemon *d, struct fwa_round *round);
/* Waits for the end of the next one. */
void fwa_advised_expect(struct fwa_daemon *d);
void fwa_advised_clear(struct fwa_advised *a);
