/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices that are quarantined (C22), by who they say that they are, so that a device which goes
 * and comes back, under whatever name, is as quarantined as before. Kept in STATE/quarantine, one
 * file each; a record that cannot be read counts.
 */
#pragma once

#include "daemon/state.h"
#include "host/baseline.h"

#define FWA_QUARANTINE_REASON_MAX 256 /* bytes */

struct fwa_quarantined {
	struct fwa_quarantined *next;
	char key[FWA_DIGEST_TEXT];
	bool stored;
	char cause[24]; /* a word: "operator", "garbage", "time-out", "identity-changed" */
	char reason[FWA_QUARANTINE_REASON_MAX + 1];
	int64_t by;    /* uid of the administrator, FWA_QUARANTINE_BY_NOBODY */
	int64_t since; /* seconds since 1970, 0 when it is not known */
};

#define FWA_QUARANTINE_BY_NOBODY (-1) /* the gate did it */

/* Why a device is to be quarantined, and by whom; texts as above. */
struct fwa_quarantine_why {
	const char *cause, *reason;
	int64_t by;
};

struct fwa_quarantines {
	struct fwa_quarantined *first;
	unsigned int n;
	char *dir; /* NULL: nothing is remembered */
};

/*
 * Reads what STATE remembers. 0, or negative errno after a line in the log when it is not known who
 * is quarantined.
 */
int fwa_quarantine_load(const struct fwa_state *state, struct fwa_quarantines *ret);
void fwa_quarantine_clear(struct fwa_quarantines *q);

/* The entry for @key, NULL when that device is not quarantined. */
const struct fwa_quarantined *fwa_quarantine_find(const struct fwa_quarantines *q, const char *key);
/*
 * Quarantines @key, which shows as @who. An entry that is there stays as it is. 0, or negative errno
 * when it could not be stored: it is in force all the same; -ENOMEM: it is not.
 */
int fwa_quarantine_add(struct fwa_quarantines *q, const char *key,
		       const struct fwa_quarantine_why *why, const struct fwa_identified *who);
/* Ends it. 0, or negative errno: then nothing was changed. */
int fwa_quarantine_remove(struct fwa_quarantines *q, const char *key);
