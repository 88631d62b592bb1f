/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy between its text and its compiled form. Only the files called policy-*.c include this.
 *
 * 1. A rule is in the policy only when all of it was understood; a policy with an error is not
 *    handed to anybody.
 * 2. Rules refer to subjects, patterns and files by index, so that growing moves nothing they hold.
 * 3. No more of anything than a snapshot may have: whatever device a policy is compiled for, the
 *    snapshot is within its bounds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/policy-file.h"

/* Whom a rule is for: one of its users or groups. */
struct fwa_policy_subject {
	uint32_t who; /* enum fwa_who */
	uint32_t id;
	uint32_t last; /* of a range */
};

/* The commands of one grant; encoded it is a filter (core/filter.h). */
struct fwa_policy_filter {
	struct fwa_term term[FWA_FILTER_TERMS_MAX];
	size_t n;
};

struct fwa_policy_rule {
	char name[FWA_GRANT_NAME_MAX];
	uint32_t scope;
	fwa_effects effects;
	size_t subjects;   /* index of the first */
	size_t n_subjects; /* 0: nobody on this machine; the rule is inert */
	size_t patterns;   /* offset of the first in the pool; each ends with a NUL */
	size_t n_patterns;
	size_t conditions; /* index of the first */
	size_t n_conditions;
	size_t terms; /* index of the first */
	size_t n_terms;
	size_t ticket; /* offset in the texts; 0: none */
	size_t file;   /* index of where it was written */
	unsigned int line;
};

struct fwa_policy_files {
	struct fwa_policy_rule *rules;
	size_t n_rules, cap_rules;
	struct fwa_policy_subject *subjects;
	size_t n_subjects, cap_subjects;
	struct fwa_pattern *conditions; /* their text is an offset in @texts */
	size_t n_conditions, cap_conditions;
	struct fwa_term *terms;
	size_t n_terms, cap_terms;
	char *pool; /* device patterns */
	size_t n_pool, cap_pool;
	char *texts; /* of conditions and tickets; "" is the first */
	size_t n_texts, cap_texts;
	size_t n_ranges;
	char **files;
	size_t n_files, cap_files;
	char *source;
	uint8_t digest[32];
	char digest_text[65];
};

#define FWA_POLICY_MESSAGES_MAX 64

/* Where errors and warnings go: at most so many of each, so that warnings hide no error. */
struct fwa_policy_report {
	fwa_policy_message_fn fn;
	void *userdata;
	unsigned int errors, warnings; /* that were said */
};

void fwa_policy_report(struct fwa_policy_report *r, bool error, const char *file, unsigned int line,
		       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Room for one more of @size bytes in the array at *@array: 0 or -ENOMEM. */
int fwa_policy_grow(void *array, size_t size, size_t n, size_t add, size_t *cap);

/* Users and groups that were looked up once. */
struct fwa_policy_names {
	void *tree;
};

enum fwa_policy_lookup {
	FWA_LOOKUP_FOUND,
	FWA_LOOKUP_UNKNOWN, /* this machine has no such user or group */
	FWA_LOOKUP_FAILED,  /* or cannot tell now */
	FWA_LOOKUP_BAD,     /* not a number that a user or group can have */
	FWA_LOOKUP_MEMORY,
};

/* The id of user (FWA_WHO_UID) or group (FWA_WHO_GID) @name, a name or a decimal number. */
enum fwa_policy_lookup fwa_policy_names_find(struct fwa_policy_names *names, uint32_t who,
					     const char *name, uint32_t *ret_id);
void fwa_policy_names_clear(struct fwa_policy_names *names);

/*
 * Adds the grants of one file's text to @p. Errors and warnings go to @report. 0, also when there
 * were errors; negative errno when it could not go on.
 */
int fwa_policy_parse_text(struct fwa_policy_files *p, struct fwa_policy_names *names,
			  struct fwa_policy_report *report, const char *file, struct fwa_span text);
/*
 * Adds one item of "commands" to @filter; @text is taken apart. 0, or -EINVAL with @error, or
 * -ENOMEM.
 */
int fwa_policy_parse_commands(struct fwa_policy_filter *filter, char *text,
			      char error[FWA_ERROR_LEN]);

/*
 * Reports grants that share a name (in one file an error, else a warning) and, when there was no
 * error at all, grants that add nothing to another for the same users or groups, and what
 * fwa_policy_check_commands() finds. 0 or -ENOMEM.
 */
int fwa_policy_check(const struct fwa_policy_files *p, struct fwa_policy_report *report);

/* Reports commands of a grant that it can never admit, or both allows and excludes. */
void fwa_policy_check_commands(const struct fwa_policy_files *p, struct fwa_policy_report *report);

/* As fwa_policy_files_load(), from the @n directories @dirs, in rising precedence. */
int fwa_policy_files_load_dirs(const char *const *dirs, size_t n, fwa_policy_message_fn fn,
			       void *userdata, struct fwa_policy_files **ret);

/* The stock policy, data/policy/50-stock.conf; not ended with a NUL. */
extern const uint8_t fwa_policy_stock[];
extern const size_t fwa_policy_stock_len;
