/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All 65,536 effects words at all 4 scopes, 262,144 decisions a mode, and none sampled.
 *
 * Strict: each word is the declaration of a vendor command, which has no floor. Linux: each word
 * is a Feature's. Each decision is compared with a rule that is written here a second time, from the text of
 * spec/SECURITY-MODEL.md rather than from the code; then the whole is printed in a form that a
 * person can review, and that the test compares with effect-table.snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/decide.h"
#include "wire/cxl.h"

#define WORDS 65536
#define VENDOR_OPCODES 16384

static struct fwa_profile profile;
static uint8_t verdicts[2][WORDS][4]; /* enum fwa_reason */
static uint8_t required[2][WORDS];

static const struct fwa_rights everything = {
	.n_matched = 1,
	.n = 1,
	.right = { { .scope = FWA_SCOPE_DEBUG_WRITE_FULL, .effects = FWA_EFFECTS_GRANTABLE } },
};

static void judge(enum fwa_mode mode, uint16_t word, struct fwa_command *cmd)
{
	struct fwa_contract contract = { .mode = (uint8_t)mode };

	for (uint8_t scope = 0; scope < 4; scope++) {
		struct fwa_decision d;

		cmd->scope = scope;
		d = fwa_decide(&contract, &everything, &profile, cmd, 0);
		verdicts[mode][word][scope] = d.reason;
		required[mode][word] = d.required;
	}
}

static void parse(const struct fwa_writer *w)
{
	if (w->full || fwa_profile_parse(&profile, fwa_span(w->buf, w->len)) < 0 ||
	    !fwa_profile_check(&profile))
		abort();
}

static void judge_strict(void)
{
	static uint8_t cel[VENDOR_OPCODES * CXL_CEL_ENTRY_LEN], encoded[sizeof(cel) + 64];

	for (unsigned int first = 0; first < WORDS; first += VENDOR_OPCODES) {
		struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

		for (unsigned int i = 0; i < VENDOR_OPCODES; i++) {
			fwa_put_le16(cel + 4 * i, (uint16_t)(CXL_OP_VENDOR_FIRST + i));
			fwa_put_le16(cel + 4 * i + 2, (uint16_t)(first + i));
		}
		fwa_profile_begin(&w, FWA_FAMILY_CXL);
		fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
		parse(&w);
		for (unsigned int i = 0; i < VENDOR_OPCODES; i++) {
			struct fwa_command cmd = { .set = FWA_SET_CXL,
						   .opcode = (uint16_t)(CXL_OP_VENDOR_FIRST + i) };

			judge(FWA_MODE_STRICT, (uint16_t)(first + i), &cmd);
		}
	}
}

static void judge_linux(void)
{
	static uint8_t features[FWA_PROFILE_FEATURES_MAX * CXL_FEATURE_ENTRY_LEN];
	static uint8_t encoded[sizeof(features) + 64];
	static const uint8_t cel[] = { 0x02, 0x05, 0x3f, 0x00 };

	for (unsigned int first = 0; first < WORDS; first += FWA_PROFILE_FEATURES_MAX) {
		struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

		for (unsigned int i = 0; i < FWA_PROFILE_FEATURES_MAX; i++) {
			uint8_t *e = features + i * CXL_FEATURE_ENTRY_LEN;

			fwa_put_le32(e, first + i);
			fwa_put_le32(e + 22, CXL_FEATURE_CHANGEABLE);
			fwa_put_le16(e + 28, (uint16_t)(first + i));
		}
		fwa_profile_begin(&w, FWA_FAMILY_CXL);
		fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
		fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(features, sizeof(features)));
		parse(&w);
		for (unsigned int i = 0; i < FWA_PROFILE_FEATURES_MAX; i++) {
			struct fwa_command cmd = {
				.set = FWA_SET_CXL,
				.opcode = CXL_OP_SET_FEATURE,
				.payload = fwa_span(features + i * CXL_FEATURE_ENTRY_LEN, 16),
			};

			judge(FWA_MODE_LINUX, (uint16_t)(first + i), &cmd);
		}
	}
}

/* --- the rules, a second time ------------------------------------------------------------------- */

static int strict_scope(unsigned int w)
{
	if (w & 0xf000 || (w & 0x0c00 && !(w & 0x0200)) || (w & 0x0100 && !(w & 0x0040)))
		return 4;
	if (w & 0x003e)
		return 3;
	return w & 0x0c01 ? 2 : 1;
}

static int linux_scope(unsigned int w)
{
	if (w & 0xf040)
		return 4;
	if (w & 0x001e)
		return 3;
	return w & 0x0c01 ? 2 : 4;
}

static unsigned int compare(enum fwa_mode mode, int (*rule)(unsigned int))
{
	unsigned int wrong = 0;

	for (unsigned int w = 0; w < WORDS; w++)
		for (int scope = 0; scope < 4; scope++)
			wrong += (verdicts[mode][w][scope] == FWA_REASON_ADMIT) !=
				 (scope >= rule(w));
	return wrong;
}

/* --- the snapshot ------------------------------------------------------------------------------- */

static const char *const modes[] = { "strict", "linux" };

static void print_counts(enum fwa_mode mode)
{
	unsigned int n[4][FWA_REASON_COUNT] = { 0 };

	for (unsigned int w = 0; w < WORDS; w++)
		for (int scope = 0; scope < 4; scope++)
			n[scope][verdicts[mode][w][scope]]++;
	for (unsigned int scope = 0; scope < 4; scope++)
		for (unsigned int reason = 0; reason < FWA_REASON_COUNT; reason++)
			if (n[scope][reason])
				printf("%s %-16s %-14s %5u words\n", modes[mode],
				       fwa_scope_name(scope), fwa_reason_name(reason),
				       n[scope][reason]);
}

static void print_word(unsigned int w)
{
	printf("word %04x strict %-16s linux %s\n", w, fwa_scope_name(required[FWA_MODE_STRICT][w]),
	       fwa_scope_name(required[FWA_MODE_LINUX][w]));
}

/* Single bits, and each bit with bit 9, which makes bits 10 and 11 count. */
static void print_words(void)
{
	print_word(0);
	for (unsigned int bit = 0; bit < 16; bit++)
		print_word(1u << bit);
	for (unsigned int bit = 0; bit < 16; bit++)
		if (bit != 9)
			print_word(1u << bit | 0x0200);
	print_word(0x0140);
	print_word(0x0021);
	print_word(0x0041);
}

/* FNV-1a over all verdicts, so that no change of a single one goes unseen. */
static uint64_t digest(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

int main(void)
{
	unsigned int wrong;

	judge_strict();
	judge_linux();
	wrong = compare(FWA_MODE_STRICT, strict_scope) + compare(FWA_MODE_LINUX, linux_scope);
	for (unsigned int w = 0; w < WORDS; w++)
		wrong += fwa_linux_feature_scope((uint16_t)w) != linux_scope(w);
	for (int mode = 0; mode < 2; mode++)
		print_counts(mode);
	print_words();
	printf("digest %016llx\n", (unsigned long long)digest(verdicts, sizeof(verdicts)));
	if (wrong)
		fprintf(stderr, "%u decisions differ from the written rule\n", wrong);
	return wrong != 0;
}
