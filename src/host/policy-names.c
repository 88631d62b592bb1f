/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups by name. A policy may name the same user thousands of times and a lookup can go
 * over a network, so that each name is asked for once a load.
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct known {
	uint32_t who;
	uint32_t id;
	enum fwa_policy_lookup result;
	char name[];
};

static int known_order(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;

	if (a->who != b->who)
		return a->who < b->who ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static enum fwa_policy_lookup parse_id(const char *s, uint32_t *ret_id)
{
	unsigned long long v;

	errno = 0;
	v = strtoull(s, NULL, 10);
	if (errno || v >= UINT32_MAX) /* (uid_t)-1 is nobody at all */
		return FWA_LOOKUP_BAD;
	*ret_id = (uint32_t)v;
	return FWA_LOOKUP_FOUND;
}

/* getpwnam(3): these, too, say no more than that there is no such name. */
static enum fwa_policy_lookup missing(int error)
{
	switch (error) {
	case 0:
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
		return FWA_LOOKUP_UNKNOWN;
	default:
		return FWA_LOOKUP_FAILED;
	}
}

static enum fwa_policy_lookup ask_system(uint32_t who, const char *name, uint32_t *ret_id)
{
	errno = 0;
	if (who == FWA_WHO_UID) {
		const struct passwd *pw = getpwnam(name);

		if (!pw)
			return missing(errno);
		*ret_id = pw->pw_uid;
	} else {
		const struct group *gr = getgrnam(name);

		if (!gr)
			return missing(errno);
		*ret_id = gr->gr_gid;
	}
	return FWA_LOOKUP_FOUND;
}

enum fwa_policy_lookup fwa_policy_names_find(struct fwa_policy_names *names, uint32_t who,
					     const char *name, uint32_t *ret_id)
{
	fwa_auto_free struct known *e = NULL;
	struct known **slot;
	size_t len = strlen(name) + 1;

	if (all_digits(name))
		return parse_id(name, ret_id);
	e = malloc(sizeof(*e) + len);
	if (!e)
		return FWA_LOOKUP_MEMORY;
	*e = (struct known){ .who = who };
	memcpy(e->name, name, len);
	slot = tsearch(e, &names->tree, known_order);
	if (!slot)
		return FWA_LOOKUP_MEMORY;
	if (*slot == e) {
		e->result = ask_system(who, name, &e->id);
		e = NULL; /* the tree's now */
	}
	if ((*slot)->result == FWA_LOOKUP_FOUND)
		*ret_id = (*slot)->id;
	return (*slot)->result;
}

void fwa_policy_names_clear(struct fwa_policy_names *names)
{
	tdestroy(names->tree, free);
	tdestroy(names->commands, free);
	*names = (struct fwa_policy_names){ 0 };
}
