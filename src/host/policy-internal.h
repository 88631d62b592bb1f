/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy between its text and its compiled form. Only files called policy-*.c, grants*.c and
 * advisory-*.c include this.
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
#include "host/digest.h"
#include "host/policy-file.h"
#include "host/policy-time.h"

/* Whom a rule is for: one of its users, groups or units. */
struct fwa_policy_subject {
	uint32_t who;  /* enum fwa_who */
	uint32_t id;   /* of a unit: the offset of its pattern in the texts */
	uint32_t last; /* of a range */
};

/* What a grant of the store has besides (host/grants.h): when it was made, and its end by boot time. */
struct fwa_policy_stored {
	uint64_t created; /* wall clock, s */
	uint32_t by;      /* uid */
	struct fwa_policy_boot_end {
		char boot_id[FWA_BOOT_ID_TEXT]; /* "": none */
		uint64_t at;                    /* CLOCK_BOOTTIME of that boot, ns */
	} boot, later_boot; /* in which it was made; in which it was found last */
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
	size_t ticket;     /* offset in the texts; 0: none */
	uint64_t until;    /* wall clock, s; 0: never */
	size_t stored;     /* index, from 1, of what it has besides; 0: it is not of the store */
	uint32_t sessions; /* 0: no limit, and so the others */
	uint32_t commands;
	uint64_t bytes;
	bool record_payload;
	size_t file; /* index of where it was written */
	unsigned int line;
};

struct fwa_policy_files {
	struct fwa_policy_rule *rules;
	size_t n_rules, cap_rules;
	size_t n_revoked; /* of the rules: for nobody any more */
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
	size_t n_ranges, n_units;
	struct fwa_policy_stored *stored;
	size_t n_stored, cap_stored;
	char **files;
	size_t n_files, cap_files;
	char *source;
	uint8_t digest[32];
	char digest_text[FWA_DIGEST_TEXT];
};

#define FWA_POLICY_MESSAGES_MAX 64

/* Where errors and warnings go: at most so many of each, so that warnings hide no error. */
struct fwa_policy_report {
	fwa_policy_message_fn fn;
	void *userdata;
	unsigned int errors, warnings; /* that there were */
};

void fwa_policy_report(struct fwa_policy_report *r, bool error, const char *file, unsigned int line,
		       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Room for one more of @size bytes in the array at *@array: 0 or -ENOMEM. */
int fwa_policy_grow(void *array, size_t size, size_t n, size_t add, size_t *cap);

#define FWA_GRANT_NAME_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* What was looked up once: users and groups, and commands. */
struct fwa_policy_names {
	void *tree;
	void *commands;
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

/* A file of the store: it has the one grant of that name, and what struct fwa_policy_stored holds. */
struct fwa_policy_stored_file {
	const char *name;
	/* Called with each item of each key; may be NULL. */
	void (*item)(const char *key, const char *item, void *userdata);
	void *userdata;
};

/*
 * Adds the grants of one file's text to @p. Errors and warnings go to @report. @stored: the file is
 * of the store; else NULL. 0, also when there were errors; negative errno when it could not go on.
 */
int fwa_policy_parse_text(struct fwa_policy_files *p, struct fwa_policy_names *names,
			  struct fwa_policy_report *report, const char *file, struct fwa_span text,
			  const struct fwa_policy_stored_file *stored);

/* Numbers and their units, in policy-values.c: false when it is not one from 1 to @max. */
bool fwa_policy_parse_count(const char *text, uint64_t max, uint64_t *ret);
bool fwa_policy_parse_size(const char *text, uint64_t max, uint64_t *ret);
/*
 * Adds one item of "commands" to @filter; @text is taken apart. 0, or -EINVAL with @error, or
 * -ENOMEM.
 */
int fwa_policy_parse_commands(struct fwa_policy_filter *filter, struct fwa_policy_names *names,
			      char *text, char error[FWA_ERROR_LEN]);

/*
 * Reports grants that share a name (in one file an error, else a warning) and, when there was no
 * error at all, grants that add nothing to another for the same users or groups, and what
 * fwa_policy_check_commands() finds. 0 or -ENOMEM.
 */
int fwa_policy_check(const struct fwa_policy_files *p, struct fwa_policy_report *report);

/* Reports commands of a grant that it can never admit, or both allows and excludes. */
void fwa_policy_check_commands(const struct fwa_policy_files *p, struct fwa_policy_report *report);

/* As fwa_policy_files_load(), from the @n directories @dirs, in rising precedence. */
int fwa_policy_files_load_dirs(const char *const *dirs, size_t n, const char *grants,
			       fwa_policy_message_fn fn, void *userdata,
			       struct fwa_policy_files **ret);

/*
 * The end of @r, CLOCK_BOOTTIME ns as of @m: 0 never, 1 when it is over. False when it is not in
 * force although it is not over: the clock is before the time at which the grant was made.
 */
bool fwa_policy_rule_end(const struct fwa_policy_files *p, const struct fwa_policy_rule *r,
			 const struct fwa_moment *m, uint64_t *ret_end);

/*
 * Calls @fn with each file of the store @dir, in the order of their names, unless it is not one:
 * then, and when the store cannot be read, says so to @report. @path is for messages. 0, or what @fn
 * returned when that was not 0, or -ENOMEM.
 */
typedef int (*fwa_grants_file_fn)(const char *name, const char *path, struct fwa_span text,
				  void *userdata);
int fwa_grants_each_file(const char *dir, struct fwa_policy_report *report, fwa_grants_file_fn fn,
			 void *userdata);
/* Opens the store @dir; -EPERM when others own it or may write to it, or another negative errno. */
int fwa_grants_open(const char *dir);
/*
 * Adds the grant of one file of the store to @p; when it has an error, it says the first one to
 * @report and @p is as before. 0, 1 when it was left out, or -ENOMEM.
 */
int fwa_policy_add_stored(struct fwa_policy_files *p, struct fwa_policy_names *names,
			  struct fwa_policy_report *report, const char *path, struct fwa_span text,
			  const struct fwa_policy_stored_file *stored);

/* The stock policy, data/policy/50-stock.conf; not ended with a NUL. */
extern const uint8_t fwa_policy_stock[];
extern const size_t fwa_policy_stock_len;
