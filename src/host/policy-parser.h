/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two halves of the reader share: lines and sections (policy-parse.c), and keys with their
 * values (policy-keys.c).
 */
#pragma once

#include "host/policy-internal.h"

#define FWA_POLICY_BLANKS " \t\r"

enum fwa_policy_key {
	KEY_USER,
	KEY_GROUP,
	KEY_UNIT,
	KEY_DEVICE,
	KEY_FAMILY,
	KEY_VENDOR,
	KEY_MODEL,
	KEY_FIRMWARE,
	KEY_SERIAL,
	KEY_SCOPE,
	KEY_EFFECTS,
	KEY_COMMANDS,
	KEY_TICKET,
	KEY_UNTIL,
	KEY_COMMANDS_PER_SECOND,
	KEY_BYTES_PER_SECOND,
	KEY_MAX_SESSIONS,
	KEY_RECORD,
	/* those below are for files of the store only */
	KEY_BOOT,
	KEY_LATER_BOOT,
	KEY_CREATED,
	KEY_COUNT,
};

struct fwa_policy_parser {
	struct fwa_policy_files *p;
	struct fwa_policy_names *names;
	struct fwa_policy_report *report;
	const char *file;
	const uint8_t *at, *end;
	unsigned int line;
	bool memory;                                 /* ran out of it */
	const struct fwa_policy_stored_file *stored; /* NULL: an operator's file */
	size_t first_rule;                           /* of this file */

	bool in_grant;
	uint32_t has; /* bits: enum fwa_policy_key */
	struct fwa_policy_rule rule;
	struct fwa_policy_filter filter;
	struct fwa_policy_stored more;
};

#define complain(ps, ...) fwa_policy_report((ps)->report, true, (ps)->file, (ps)->line, __VA_ARGS__)
#define warn(ps, ...) fwa_policy_report((ps)->report, false, (ps)->file, (ps)->line, __VA_ARGS__)

static inline bool fwa_policy_has(const struct fwa_policy_parser *ps, enum fwa_policy_key key)
{
	return ps->has & 1u << key;
}

/* Takes "key = value" into the grant that is being read; @value is taken apart. */
void fwa_policy_take_key(struct fwa_policy_parser *ps, const char *key, char *value);
