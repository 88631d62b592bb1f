/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of grants that were made for a time (C20).
 *
 * A directory with one file a grant, NAME.conf, in the language of policy files, and with three keys
 * more: "boot" says when it ends by the boot clock, "later-boot" the same in a later boot, and
 * "created", the last line, who made it and when. fwa_policy_files_load() reads it on top of the
 * operator's files.
 *
 * 1. One writer: the daemon. A file is there whole or not at all.
 * 2. A file that is not as it was written here (cut off, of another owner, writable by others, of
 *    another name than its grant) is not in force, and no other grant suffers.
 * 3. No byte of a request can add a line, a key or a grant: what was written is read back by the
 *    policy reader and compared before it is stored.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/policy.h"
#include "host/policy-file.h"
#include "host/policy-time.h"

#define FWA_GRANTS_MAX 1024 /* in a store */
#define FWA_GRANT_ITEMS_MAX 64
#define FWA_GRANT_SECONDS_MAX (366u * 86400)

struct fwa_grant_list {
	const char *item[FWA_GRANT_ITEMS_MAX];
	size_t n;
};

/* What a grant says, in the words of policy files. Printable ASCII; views its owner's memory. */
struct fwa_grant_terms {
	const char *name;                        /* NULL: one is made up */
	struct fwa_grant_list user, group, unit; /* of one kind only */
	struct fwa_grant_list device;
	struct fwa_grant_list effects;  /* none: those of the scope */
	struct fwa_grant_list commands; /* none: all */
	const char *scope;              /* NULL: the least that covers the effects */
	const char *ticket;             /* NULL: none */
	uint64_t commands_per_second;   /* 0: no limit */
	uint64_t bytes_per_second;
	uint64_t max_sessions;
	const char
		*records; /* what the journal has of payloads: "digest", "payload"; NULL: digest */
	/*
	 * Asked when all of it is good, and has its name, right before it is stored: 0, or negative
	 * errno, and it is not made. NULL: not asked.
	 */
	int (*record)(void *userdata, const struct fwa_grant_terms *t, char error[FWA_ERROR_LEN]);
	void *userdata;
};

/* A grant of the store. */
struct fwa_granted {
	struct fwa_grant_terms terms;
	uint64_t created, until; /* wall clock, seconds since 1970 */
	uint32_t by;             /* uid */
	uint64_t end;            /* CLOCK_BOOTTIME ns; 1: it is over */
	bool waits;              /* for the clock, which is before @created: not in force */
	char *memory;            /* what @terms views */
};

/*
 * Makes a grant of @terms that ends @seconds from @now, in the store @dir, which is made if it is not
 * there (mode 0700). *ret_name is its name. 0 when it is on disk; -EINVAL, -EEXIST (the name), -E2BIG
 * (too many), other negative errno, with @error.
 *
 * JSON can hold texts with a NUL: those are to be refused before.
 */
int fwa_grants_create(const char *dir, const struct fwa_grant_terms *terms, uint64_t seconds,
		      uint32_t by, const struct fwa_moment *now, char ret_name[FWA_GRANT_NAME_MAX],
		      char error[FWA_ERROR_LEN]);

/* Calls @fn with each good grant of the store, in the order of names. 0 or -ENOMEM. */
typedef void (*fwa_granted_fn)(const struct fwa_granted *g, void *userdata);
int fwa_grants_list(const char *dir, const struct fwa_moment *now, fwa_granted_fn fn,
		    void *userdata);

/* Removes the file of the grant @name, also a bad one. 0, -ENOENT (no such grant), negative errno. */
int fwa_grants_remove(const char *dir, const char *name);

/*
 * To be called before the policy is loaded: at start, when a grant has ended and when the clock was
 * set. Removes the grants that are over, for each of which it calls @fn (if that is not NULL), and
 * what a crash left; and writes down, once, when the grants of earlier boots end in this one, so
 * that the clock can be set back without making them longer. The number of grants that it removed,
 * or negative errno.
 */
int fwa_grants_sweep(const char *dir, const struct fwa_moment *now, fwa_granted_fn fn,
		     void *userdata);
