/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policy: who may do what, compiled for one device (C19).
 *
 * The operator's files are compiled elsewhere into a *snapshot*: a header and fixed-size grants,
 * sorted by whom they are for. When a client connects, its grants are found by binary search and
 * folded into *rights*: the few grants that no other of them contains. A decision looks only at
 * rights, so its cost depends neither on the number of rules nor on that of users.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/effects.h"

enum fwa_who {
	FWA_WHO_ANY = 0,
	FWA_WHO_OWNER = 1, /* the uid that started the worker: embedded mode */
	FWA_WHO_UID = 2,
	FWA_WHO_GID = 3,
};

#define FWA_GRANT_NAME_MAX 48 /* with the final NUL */
#define FWA_POLICY_MAGIC 0x504c4f50u
#define FWA_POLICY_HEADER_LEN 48
#define FWA_POLICY_GRANT_LEN 80
#define FWA_POLICY_GRANTS_MAX 200000u

/* One grant. Encoded: le32 who, id, scope, effects; le64 until, reserved; then the name. */
struct fwa_grant {
	uint32_t who;   /* enum fwa_who */
	uint32_t id;    /* uid or gid; else 0 */
	uint32_t scope; /* the greatest */
	fwa_effects effects;
	uint64_t until; /* CLOCK_BOOTTIME ns at which it ends; 0 = never */
	char name[FWA_GRANT_NAME_MAX];
};

/* A view of an encoded snapshot: le32 magic, le32 count, 8 reserved, SHA-256 of the sources. */
struct fwa_policy {
	struct fwa_span grants;
	uint32_t count;
	const uint8_t *digest; /* 32 bytes */
};

/* Who asks, as the kernel says (C2). */
struct fwa_principal {
	uint32_t uid;
	uint32_t gid;
	const uint32_t *groups; /* supplementary */
	uint32_t n_groups;
	bool owner; /* the same uid as the worker's starter */
};

#define FWA_RIGHTS_MAX 32

/*
 * What one principal may do on one device. A zeroed one denies. @n_matched counts all grants that
 * were for the principal, also those that others contain. @overflow: more than FWA_RIGHTS_MAX
 * grants of which none contains another; the rest was left out, so less is admitted (C19).
 */
struct fwa_rights {
	uint32_t n_matched;
	uint32_t n;
	bool overflow;
	struct fwa_right {
		uint32_t scope;
		fwa_effects effects;
		uint64_t until;
		uint32_t grant; /* index in the policy, for the name */
	} right[FWA_RIGHTS_MAX];
};

/* The order in which a snapshot must be sorted: who, then id. <0, 0, >0. */
int fwa_grant_order(uint32_t who_a, uint32_t id_a, uint32_t who_b, uint32_t id_b);
/* Appends @g to a snapshot being written. */
void fwa_policy_write_grant(struct fwa_writer *w, const struct fwa_grant *g);
/* Appends the header for @count grants; @digest is 32 bytes. */
void fwa_policy_write_header(struct fwa_writer *w, uint32_t count, const uint8_t *digest);
/* Reads a snapshot: 0, or -1 when it is not one (sizes, order, fields); @p is then zero: no grants. */
int fwa_policy_parse(struct fwa_policy *p, struct fwa_span encoded);
/* Grant @i; false past the last. */
bool fwa_policy_grant(const struct fwa_policy *p, uint32_t i, struct fwa_grant *ret);
/* Folds the grants for @who into @ret. O(groups * log grants + grants that match). */
void fwa_policy_fold(const struct fwa_policy *p, const struct fwa_principal *who,
		     struct fwa_rights *ret);

/* The effects that a grant of @scope allows when it names none (C14, C19). */
fwa_effects fwa_grant_default_effects(unsigned int scope);
