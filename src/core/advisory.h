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
#define FWA_ADVISORIES_TERMS_MAX 1000000u
#define FWA_ADVISORIES_TEXT_MAX (32u * 1024 * 1024)
#define FWA_ADVISORIES_HEADER_LEN 64
#define FWA_ADVISORIES_ENTRY_LEN 24
/* The longest table. */
#define FWA_ADVISORIES_TABLE_MAX                                                             \
	(FWA_ADVISORIES_HEADER_LEN + (size_t)FWA_ADVISORIES_MAX * FWA_ADVISORIES_ENTRY_LEN + \
	 (size_t)FWA_ADVISORIES_TERMS_MAX * FWA_TERM_LEN + FWA_ADVISORIES_TEXT_MAX)
#define FWA_ADVICE_MAX 256u
#define FWA_ADVISORY_ID_MAX 64 /* with the final NUL */

/*
 * One entry: one command of one family of devices. Empty patterns and bounds match everything, and a
 * device that does not say which firmware it has is within all bounds. Firmware revisions are compared by
 * the function that fold is given.
 *
 * Encoded: u8 family, u8 flags (bit 0: never), le16 terms, le32 effects, le64 until, le32 first term, le32
 * where its texts begin: id, vendor, model, firmware_from, firmware_to and reference, printable ASCII, each
 * with a NUL, behind those of the entry before, as its terms are.
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

/*
 * A view of a table: le32 magic, entries, terms, bytes of text; 16 reserved; SHA-256 of the sources; the
 * entries, terms, texts. Zeroed it has no entries.
 */
struct fwa_advisories {
	struct fwa_span encoded;
	uint32_t n;
	const uint8_t *digest; /* 32 bytes, of the sources; zero when there are none */
};

/* --- writing: all in memory of the caller's ------------------------------------------------------- */

/*
 * Encodes @n entries; @w->full says that it did not fit, or was more than a table may have. Whether they
 * make sense fwa_advisories_parse() says.
 */
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

/*
 * What of @a is about the device of @profile. @ret views @a, which must stay. Which of its entries are over
 * it does not know: they take their room until whoever made the table makes it anew.
 */
void fwa_advice_fold(const struct fwa_advisories *a, const struct fwa_profile *profile,
		     fwa_pattern_fn match, fwa_version_fn compare, struct fwa_advice *ret);

/*
 * What is added to @cmd now, CLOCK_BOOTTIME ns: effects, among them FWA_EFFECT_UNKNOWN when it is
 * forbidden; a field whose bytes are missing has each value. @uuid: as fwa_filter_covers(). *ret_entry (may be
 * NULL): the index of the first entry that counts, UINT32_MAX for none: nothing is added, or the entry had
 * no room. Constant time for what nothing is about.
 */
fwa_effects fwa_advice_effects(const struct fwa_advice *advice, const struct fwa_command *cmd,
			       const uint8_t *uuid, uint64_t now, uint32_t *ret_entry);
