/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters: which commands a grant is for, by opcode and by what the command selects (C19).
 *
 * A filter is a list of items, positive or negative. An item is one opcode and groups of field
 * values. It matches a command of that opcode when at least one of its positive groups matches (or
 * it has none) and none of its negative ones does; a group matches when all its fields have their
 * values. A filter covers a command when a positive item matches (or it has none) and no negative
 * one does. An empty filter covers every command.
 *
 * 1. Fields are read from the bytes that are submitted (core/command.h), never claimed.
 * 2. A field whose bytes are missing never helps: it matches no positive item and every negative
 *    one.
 * 3. Encoded, a filter is a view of at most FWA_FILTER_TERMS_MAX terms of fixed size, so that
 *    judging by it costs the same however many grants there are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/command.h"

#define FWA_FILTER_TERMS_MAX 64u
#define FWA_TERM_LEN 24

#define FWA_TERM_COMMAND 0 /* as @kind: begins an item */

enum fwa_term_flag {
	FWA_TERM_NOT = 1 << 0, /* a negative item, or a negative group (on each of its terms) */
	FWA_TERM_AND = 1 << 1, /* continues the group of the term before */
};

/* Encoded: u8 kind, flags, set, 0; le32 value; 16 bytes of UUID. */
struct fwa_term {
	uint8_t kind;     /* FWA_TERM_COMMAND or enum fwa_field */
	uint8_t flags;    /* enum fwa_term_flag */
	uint8_t set;      /* of FWA_TERM_COMMAND, else 0 */
	uint32_t value;   /* opcode, or the field's number; 0 for FWA_FIELD_UUID */
	uint8_t uuid[16]; /* of FWA_FIELD_UUID, else 0 */
};

void fwa_filter_write_term(struct fwa_writer *w, const struct fwa_term *t);
/* Whether both are the same but for their flags. */
bool fwa_term_eq(const struct fwa_term *a, const struct fwa_term *b);
/* Term @i of an encoded filter; false past the last. */
bool fwa_filter_term(struct fwa_span filter, size_t i, struct fwa_term *ret);
/* True when @filter is one: whole terms, not too many, each of them in its place and in its range. */
bool fwa_filter_valid(struct fwa_span filter);
/*
 * Whether @filter, which is valid, covers @cmd. @uuid: the Feature that its UUID stands for when that
 * names the one whose transfer is in progress (core/transfer.h); NULL, or the same UUID, otherwise.
 * Pure; bounded by FWA_FILTER_TERMS_MAX.
 */
bool fwa_filter_covers(struct fwa_span filter, const struct fwa_command *cmd, const uint8_t *uuid);
/*
 * The same for what forbids (core/advisory.h), where rule 2 is the other way round: whether @filter
 * covers @cmd, or would with some value of a field whose bytes are missing.
 */
bool fwa_filter_may_cover(struct fwa_span filter, const struct fwa_command *cmd,
			  const uint8_t *uuid);
