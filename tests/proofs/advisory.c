/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is added to a command: exactly what the entries in force that cover it say (C33).
 *
 * The table has any entries, which advice names in any order. Whether a filter covers the command is any
 * answer, the same for the same filter. The maps of opcodes are not part of it: CBMC does not finish on
 * them.
 */
#include "core/advisory.h"
#undef FWA_ADVICE_MAX
#define FWA_ADVICE_MAX 3 /* each step of the loop over them is the same */

#include "core/advisory.c"
#include "proof.h"

#define ENTRIES 2
#define TERMS 2

static struct fwa_command cmd;
static uint8_t table[FWA_ADVISORIES_HEADER_LEN + ENTRIES * FWA_ADVISORIES_ENTRY_LEN +
		     TERMS * FWA_TERM_LEN];
static const uint8_t *terms = table + sizeof(table) - TERMS * FWA_TERM_LEN;
static bool covers[TERMS];

/* By where it begins. */
bool fwa_filter_may_cover(struct fwa_span filter, const struct fwa_command *command,
			  const uint8_t *uuid)
{
	prove(command == &cmd && filter.len == FWA_TERM_LEN);
	prove(filter.data == terms || filter.data == terms + FWA_TERM_LEN);
	return covers[filter.data != terms];
}

/* As fwa_advisories_parse() lets them through: each with its own term. */
static void any_table(struct fwa_advisories *a)
{
	for (size_t i = 0; i < sizeof(table); i++)
		table[i] = nondet_u8();
	fwa_put_le32(table, FWA_ADVISORIES_MAGIC);
	fwa_put_le32(table + 4, ENTRIES);
	fwa_put_le32(table + 8, TERMS);
	fwa_put_le32(table + 12, 0);
	for (int i = 16; i < 32; i++)
		table[i] = 0;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		uint8_t *e = table + FWA_ADVISORIES_HEADER_LEN + i * FWA_ADVISORIES_ENTRY_LEN;

		assume(e[1] <= 1 && (e[1] || fwa_le32(e + 4)));
		fwa_put_le16(e + 2, 1);
		fwa_put_le32(e + 16, i);
	}
	a->encoded = fwa_span(table, sizeof(table));
	a->n = ENTRIES;
}

/* What entry @i says at @now, read from its bytes. */
static fwa_effects said(uint32_t i, uint64_t now)
{
	const uint8_t *e = table + FWA_ADVISORIES_HEADER_LEN + i * FWA_ADVISORIES_ENTRY_LEN;
	uint64_t until = fwa_le64(e + 8);

	if (!covers[i] || (until && until <= now))
		return 0;
	return fwa_le32(e + 4) | (e[1] ? FWA_EFFECT_UNKNOWN : 0);
}

/* proof: ; without; --unwind 17 --unwindset any_table.0:161 */
void prove_advised(void)
{
	static struct fwa_advice advice;
	struct fwa_advisories a = { 0 };
	uint64_t now = nondet_u64();
	fwa_effects got, want = 0;
	uint32_t first = UINT32_MAX;

	any_table(&a);
	advice.table = &a;
	advice.n = nondet_u32();
	assume(advice.n <= ENTRIES);
	for (uint32_t i = 0; i < TERMS; i++)
		covers[i] = nondet_bool();
	for (uint32_t i = 0; i < ENTRIES; i++) {
		advice.entry[i] = nondet_bool();
		if (i < advice.n)
			want |= said(advice.entry[i], now);
	}
	got = of_entries(&advice, &cmd, NULL, now, &first);
	prove(got == want);
	prove(implies(got, first < ENTRIES && said(first, now)));
	witness(got == FWA_EFFECT_DATA && first == 1);
	witness(got & FWA_EFFECT_UNKNOWN && got & FWA_EFFECT_DATA);
	witness(got == 0 && advice.n == ENTRIES && covers[0]);
}
