/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policy: who may do what, compiled for one device (C19).
 *
 * The operator's files are compiled elsewhere into a *snapshot*: a header and tables of fixed-size
 * entries. Grantees, sorted by whom a grant is for, refer to grants, and these to the terms of
 * their filter and to the patterns of their conditions. When a client connects, its grants are
 * found by binary search and folded into *rights*: the few grants that no other of them contains.
 * A decision looks only at rights, so its cost depends neither on the number of rules nor on that
 * of users.
 *
 * 1. A snapshot comes into force at once, however long it is: fwa_policy_parse() looks at its header
 *    and its ends only.
 * 2. So nothing that an entry says is believed until it is used: an index that leads nowhere, a
 *    filter that is none or an entry that does not stand in its order makes that grant none.
 *    Whatever the bytes are, they grant what an entry that is whole says, or less.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/effects.h"
#include "core/filter.h"
#include "core/profile.h"

enum fwa_who {
	FWA_WHO_ANY = 0,
	FWA_WHO_OWNER = 1, /* the uid that started the worker: embedded mode */
	FWA_WHO_UID = 2,
	FWA_WHO_GID = 3,
	FWA_WHO_UID_RANGE = 4, /* looked at one by one: at most FWA_POLICY_RANGES_MAX */
	FWA_WHO_UNIT = 5,      /* systemd units by a pattern: at most FWA_POLICY_UNITS_MAX */
	FWA_WHO_COUNT,
};

/* What a grant can demand of the device's identity. The numbers are stable. */
enum fwa_condition {
	FWA_CONDITION_FAMILY,
	FWA_CONDITION_VENDOR,
	FWA_CONDITION_MODEL,
	FWA_CONDITION_FIRMWARE,
	FWA_CONDITION_SERIAL,
	FWA_CONDITION_COUNT,
};

#define FWA_GRANT_NAME_MAX 48   /* with the final NUL */
#define FWA_GRANT_TICKET_MAX 64 /* with the final NUL */
#define FWA_POLICY_MAGIC 0x334c4f50u
#define FWA_POLICY_HEADER_LEN 64
#define FWA_POLICY_GRANTEE_LEN 16
#define FWA_POLICY_GRANT_LEN 104
#define FWA_POLICY_PATTERN_LEN 8
#define FWA_POLICY_GRANTS_MAX 200000u /* grantees, and so grants */
#define FWA_POLICY_RANGES_MAX 1024u
#define FWA_POLICY_UNITS_MAX 1024u
#define FWA_POLICY_TERMS_MAX 1000000u
#define FWA_POLICY_PATTERNS_MAX 1000000u
#define FWA_POLICY_TEXT_MAX (32u * 1024 * 1024)
#define FWA_POLICY_MAX                                                                     \
	(FWA_POLICY_HEADER_LEN +                                                           \
	 (size_t)FWA_POLICY_GRANTS_MAX * (FWA_POLICY_GRANTEE_LEN + FWA_POLICY_GRANT_LEN) + \
	 (size_t)FWA_POLICY_TERMS_MAX * FWA_TERM_LEN +                                     \
	 (size_t)FWA_POLICY_PATTERNS_MAX * FWA_POLICY_PATTERN_LEN + FWA_POLICY_TEXT_MAX)

/* How many of each a snapshot has. Encoded in the header, in this order. */
struct fwa_policy_counts {
	uint32_t grantees;
	uint32_t grants;
	uint32_t terms;
	uint32_t patterns;
	uint32_t text; /* bytes */
};

/* Whom a grant is for. Encoded: le32 who, id, last, grant. */
struct fwa_grantee {
	uint32_t who;   /* enum fwa_who */
	uint32_t id;    /* uid or gid, first uid of a range, offset of a unit's pattern; else 0 */
	uint32_t last;  /* last uid of a range; else 0 */
	uint32_t grant; /* index */
};

/*
 * One grant. Encoded: le32 scope, effects; le64 until; le32 first_term, n_terms, first_pattern,
 * n_patterns, ticket, sessions, commands, flags (bit 0: record_payload; others 0); le64 bytes; then
 * the name.
 */
struct fwa_grant {
	uint32_t scope; /* the greatest */
	fwa_effects effects;
	uint64_t until; /* CLOCK_BOOTTIME ns at which it ends; 0 = never */
	uint32_t first_term, n_terms;
	uint32_t first_pattern, n_patterns;
	uint32_t ticket;   /* offset in the text */
	uint32_t sessions; /* of one uid at a time; 0 = any number */
	uint32_t commands; /* of one uid a second; 0 = any number */
	uint64_t bytes;    /* the same, both ways */
	bool record_payload;
	char name[FWA_GRANT_NAME_MAX];
};

/* One pattern of a condition. Encoded: le32 condition, le32 text. */
struct fwa_pattern {
	uint32_t condition; /* enum fwa_condition */
	uint32_t text;      /* offset */
};

/*
 * A view of an encoded snapshot: le32 magic, the five counts, 8 reserved, SHA-256 of the sources;
 * grantees, grants, terms, patterns; the text, which begins and ends with a NUL.
 */
struct fwa_policy {
	struct fwa_policy_counts n;
	struct fwa_span grantees, grants, terms, patterns;
	const char *text;
	const uint8_t *digest; /* 32 bytes */
};

/* Who asks, as the kernel says (C2). */
struct fwa_principal {
	uint32_t uid;
	uint32_t gid;
	const uint32_t *groups; /* supplementary */
	uint32_t n_groups;
	bool owner;       /* the same uid as the worker's starter */
	const char *unit; /* systemd's; NULL or "": unknown, and no grant for units is for it */
};

#define FWA_RIGHTS_MAX 32

/*
 * What one principal may do on one device. A zeroed one denies. @n_matched counts all grants that
 * were for the principal, also those that others contain. @overflow: more than FWA_RIGHTS_MAX
 * grants of which none contains another; the rest was left out, so less is admitted (C19), but none that
 * has payloads recorded for one that has not.
 */
struct fwa_rights {
	uint32_t n_matched;
	uint32_t n;
	bool overflow;
	struct fwa_right {
		uint32_t scope;
		fwa_effects effects;
		uint64_t until;
		uint32_t grant;         /* index in the policy, for the name */
		struct fwa_span filter; /* a view of the policy */
		uint32_t sessions;      /* as in the grant: C24 */
		uint32_t commands;
		uint64_t bytes;
		bool record_payload; /* of what it admits (C31); these rights come first */
	} right[FWA_RIGHTS_MAX];
};

/* All that a grant can allow: what the gate's own commands are judged with (C16). */
extern const struct fwa_rights fwa_rights_all;

/* Whether @r has a limit (C24). */
static inline bool fwa_right_limited(const struct fwa_right *r)
{
	return r->sessions || r->commands || r->bytes;
}

/* The order in which grantees must be sorted: who, then id. <0, 0, >0. */
int fwa_grantee_order(uint32_t who_a, uint32_t id_a, uint32_t who_b, uint32_t id_b);

/* --- writing a snapshot: the header, then as many of each as it says, in the order of the counts -- */

void fwa_policy_write_header(struct fwa_writer *w, const struct fwa_policy_counts *n,
			     const uint8_t *digest);
void fwa_policy_write_grantee(struct fwa_writer *w, const struct fwa_grantee *g);
void fwa_policy_write_grant(struct fwa_writer *w, const struct fwa_grant *g);
void fwa_policy_write_pattern(struct fwa_writer *w, const struct fwa_pattern *p);

/* --- reading ---------------------------------------------------------------------------------- */

/*
 * Views @encoded as a snapshot: 0, or -1 when it is not one (magic, counts, length, a text that does
 * not begin and end with a NUL); @p is then zero: no grants. O(1).
 */
int fwa_policy_parse(struct fwa_policy *p, struct fwa_span encoded);
/*
 * Whether all of it is as it was meant: each entry whole, grantees in their order, few that are
 * looked at one by one. For tests: those who use a snapshot need not ask. Linear.
 */
bool fwa_policy_whole(const struct fwa_policy *p);
/* Grantee, grant or pattern @i; false, with *ret zero, past the last and when it is malformed. */
bool fwa_policy_grantee(const struct fwa_policy *p, uint32_t i, struct fwa_grantee *ret);
bool fwa_policy_grant(const struct fwa_policy *p, uint32_t i, struct fwa_grant *ret);
bool fwa_policy_pattern(const struct fwa_policy *p, uint32_t i, struct fwa_pattern *ret);
/*
 * The name of grant @i, of which fwa_policy_grant() said once that it is whole, as of each grant of
 * folded rights: FWA_GRANT_NAME_MAX bytes, the last a NUL; all zero past the last grant.
 */
const char *fwa_policy_grant_name(const struct fwa_policy *p, uint32_t i);
/* The filter of a grant that fwa_policy_grant() returned. */
struct fwa_span fwa_policy_filter(const struct fwa_policy *p, const struct fwa_grant *g);
/* The text at @offset, always ended; "" when there is none. */
const char *fwa_policy_text(const struct fwa_policy *p, uint32_t offset);

/* Whether @text matches @pattern, as the shell has it; core matches no patterns itself. */
typedef bool (*fwa_pattern_fn)(const char *pattern, const char *text);
/*
 * Folds the grants that are for @who, on the device of @profile, into @ret: for each condition that a
 * grant has, one of its patterns must match. O(groups * log grants + ranges + units + grants that
 * are for @who). The rights view @p's snapshot.
 */
void fwa_policy_fold(const struct fwa_policy *p, const struct fwa_principal *who,
		     const struct fwa_profile *profile, fwa_pattern_fn match,
		     struct fwa_rights *ret);

/* The effects that a grant of @scope allows when it names none (C14, C19). */
fwa_effects fwa_grant_default_effects(unsigned int scope);
/* "family", "vendor", ...; NULL beyond FWA_CONDITION_COUNT. And what @profile says of it. */
const char *fwa_condition_name(unsigned int condition);
const char *fwa_condition_text(const struct fwa_profile *profile, enum fwa_condition condition);
