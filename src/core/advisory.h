/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Advisories: what devices were caught doing, as effects that the gate adds to what they declare (C33).
 *
 * Signed files are checked elsewhere (host/advisory.h) and compiled into a *table* for all devices: a
 * header, entries of fixed size, their terms, their text. For the one device that a worker has, by its
 * identity, the table is folded into *advice*; a decision looks only at that, at a cost that does not
 * depend on how many advisories there are: a bit says whether any entry is about the opcode, and few are.
 *
 * 1. An advisory only adds effects, or forbids. Nothing in a table can take an effect away.
 * 2. What cannot be understood, an entry that is not whole or does not stand in its place, makes the table
 *    none: fwa_advisories_parse() looks at every byte. Whoever installs it then keeps the one before.
 * 3. More than FWA_ADVICE_MAX entries about one device: the commands of those that have no room are
 *    forbidden, never passed (C33).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/effects.h"
#include "core/filter.h"
#include "core/policy.h"
#include "core/profile.h"

#define FWA_ADVISORIES_MAGIC 0x31564441u /* "ADV1" */
#define FWA_ADVISORIES_MAX 65536u        /* entries of a table */
#define FWA_ADVICE_MAX 256u
#define FWA_ADVISORY_ID_MAX 64 /* with the final NUL */

/*
 * One entry: one command of one family of devices. Empty patterns and bounds match everything. Firmware
 * revisions are compared by the function that fold is given.
 */
struct fwa_advisory {
	uint8_t family; /* enum fwa_family: whose command sets; FWA_FAMILY_SIM for simulated ones only */
	bool never;                 /* the command is refused, whatever it declares */
	fwa_effects effects;        /* added; 0 only with @never */
	uint64_t until;             /* CLOCK_BOOTTIME ns at which it ends; 0 = never */
	struct fwa_span filter;     /* one or more positive items (core/filter.h); never empty */
	const char *id;             /* "FWA-2026-0001": of the advisory that it is from */
	const char *vendor, *model; /* patterns */
	const char *firmware_from, *firmware_to; /* both included */
	const char *reference;                   /* URL or "" */
};

struct fwa_advisories {
	struct fwa_span encoded;
	uint32_t n;
	const uint8_t *digest; /* 32 bytes, of the sources; zero when there are none */
};

/* --- writing: all in memory of the caller's ------------------------------------------------------- */

/* Encodes @n entries; @w->full says that it did not fit. */
void fwa_advisories_write(struct fwa_writer *w, const struct fwa_advisory *all, uint32_t n,
			  const uint8_t digest[32]);

/* --- reading -------------------------------------------------------------------------------------- */

/* 0, or -1 when it is not a table; @a is then empty. Linear. */
int fwa_advisories_parse(struct fwa_advisories *a, struct fwa_span encoded);
/* Entry @i, a view of the table; false past the last. */
bool fwa_advisories_entry(const struct fwa_advisories *a, uint32_t i, struct fwa_advisory *ret);

/* <0, 0, >0, as strcmp, for firmware revisions; core knows no locale and no versions. */
typedef int (*fwa_version_fn)(const char *a, const char *b);

/* Advice for one device: entries that are about it, by opcode. Zeroed it adds nothing. */
struct fwa_advice {
	uint32_t n;
	uint32_t entry[FWA_ADVICE_MAX]; /* indexes in the table, ascending */
	const struct fwa_advisories *table;
	uint64_t cxl[1024]; /* bit: an entry is about this opcode */
	uint64_t nvme[2][4];
	bool overflow; /* @over has the opcodes of those without room */
	uint64_t cxl_over[1024];
	uint64_t nvme_over[2][4];
};

void fwa_advice_fold(const struct fwa_advisories *a, const struct fwa_profile *profile,
		     fwa_pattern_fn match, fwa_version_fn compare, struct fwa_advice *ret);

/*
 * What is added to @cmd now: effects, among them FWA_EFFECT_UNKNOWN when it is forbidden. @uuid: as
 * fwa_filter_covers(). *ret_entry (may be NULL): the index of the first entry that counts, UINT32_MAX for none.
 * Constant time for what nothing is about.
 */
fwa_effects fwa_advice_effects(const struct fwa_advice *advice, const struct fwa_command *cmd,
			       const uint8_t *uuid, uint64_t now, uint32_t *ret_entry);
