/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reading and writing the store share.
 */
#pragma once

#include <stdio.h>

#include "host/grants.h"
#include "host/policy-internal.h"

#define FWA_GRANT_FILE_MAX (64u * 1024)
#define FWA_GRANT_SUFFIX ".conf"
#define FWA_GRANT_FILE_NAME (FWA_GRANT_NAME_MAX + sizeof(FWA_GRANT_SUFFIX))

static inline void fwa_grant_file_name(const char *name, char file[FWA_GRANT_FILE_NAME])
{
	snprintf(file, FWA_GRANT_FILE_NAME, "%s" FWA_GRANT_SUFFIX, name);
}

/* The keys that are lists. */
#define FWA_GRANT_LISTS 6
struct fwa_grant_key {
	const char *key;
	size_t offset; /* in struct fwa_grant_terms */
};
extern const struct fwa_grant_key fwa_grant_lists[FWA_GRANT_LISTS];

static inline struct fwa_grant_list *fwa_grant_list_at(const struct fwa_grant_terms *t, size_t i)
{
	return (struct fwa_grant_list *)((char *)(uintptr_t)t + fwa_grant_lists[i].offset);
}

/*
 * Reads one file. *ret has memory to be freed (ret->memory). 0; 1 when it is not in force, which
 * @report was told; or -ENOMEM.
 */
int fwa_granted_read(const char *name, const char *path, struct fwa_span text,
		     const struct fwa_moment *now, struct fwa_policy_report *report,
		     struct fwa_granted *ret, struct fwa_policy_stored *ret_stored);
