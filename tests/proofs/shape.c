/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shapes (C18): each rule passes exactly when the mathematical range lies inside, for any offsets,
 * lengths and sizes, so no sum wraps; and lengths are within those of the row and of the mailbox.
 *
 * Any command with any payload and any profile limits; look-ups as in any.h. The sums here are made
 * in 128 bits.
 */
#include "any.h"
#include "wire/cxl.h"

typedef unsigned __int128 wide;

static struct {
	uint32_t payload_max, lsa_size;
} limits;
static struct fwa_command cmd;

/* A profile of which only the limits are looked at. */
static const struct fwa_profile *any_profile(void)
{
	struct fwa_profile *p = profile_before(n_features);

	limits.payload_max = p->payload_max = nondet_u32();
	limits.lsa_size = p->lsa_size = nondet_u32();
	return p;
}

static void any_command(size_t max)
{
	forget(cmd);
	assume(cmd.set < FWA_SET_COUNT);
	assume(cmd.payload.len <= max && cmd.out_len <= FWA_COMMAND_DATA_MAX);
	cmd.payload.data = bytes_of(cmd.payload.len);
	any_world(&cmd);
}

/* The number of @width bytes at @at, from single bytes; 0 when it is not all there. */
static wide number(unsigned int at, unsigned int width)
{
	wide v = 0;

	if (at + width > cmd.payload.len)
		return 0;
	for (unsigned int i = 0; i < width; i++)
		v += (wide)cmd.payload.data[at + i] << (8 * i);
	return v;
}

/* The Feature or log of the command: its own bytes, or one whose transfer is in progress. */
static const uint8_t *any_uuid(void)
{
	static uint8_t uuid[16];

	return nondet_bool() ? uuid : NULL;
}

static wide dwords(uint32_t zeroes_based)
{
	return ((wide)zeroes_based + 1) * 4;
}

/* Whether @r should pass. */
static bool inside(const struct fwa_rule *r, const uint8_t *uuid)
{
	wide len = cmd.payload.len, out = cmd.out_len;
	wide rest = len - r->at2;
	uint32_t *dw = cmd.cdw;

	switch (r->kind) {
	case FWA_RULE_NONZERO:
		return number(r->at, r->width) != 0;
	case FWA_RULE_REPLY_FITS:
		return !limits.payload_max || number(r->at, r->width) <= limits.payload_max;
	case FWA_RULE_LOG_RANGE:
		return uuid && any.has_log && number(r->at, 4) + number(r->at2, 4) <= any.log_size;
	case FWA_RULE_LSA_RANGE:
		return number(r->at, 4) + number(r->at2, 4) <= limits.lsa_size;
	case FWA_RULE_LSA_DATA:
		return len >= r->at2 && number(r->at, 4) + rest <= limits.lsa_size;
	case FWA_RULE_FEATURE_RANGE:
		return uuid && any.has_feature &&
		       number(r->at, 2) + number(r->at2, 2) <= any.feature.get_size;
	case FWA_RULE_FEATURE_DATA:
		return uuid && any.has_feature && len >= r->at2 &&
		       number(r->at, 2) + rest <= any.feature.set_size;
	case FWA_RULE_DPA:
		return (number(r->at, 8) & 63) == 0;
	case FWA_RULE_DPA_RANGE:
		return (number(r->at, 8) & 63) == 0 &&
		       (number(r->at, 8) + (number(r->at2, 8) << 6)) >> 64 == 0;
	case FWA_RULE_NUMD_OUT:
		return dwords((dw[1] & 0xffff) << 16 | dw[0] >> 16) == out;
	case FWA_RULE_NUMD_IN:
		return dwords(dw[0]) == len;
	case FWA_RULE_NLB:
		return any.has_namespace && any.ns.block_size && !any.ns.metadata &&
		       ((wide)(dw[2] & 0xffff) + 1) * any.ns.block_size == len + out;
	case FWA_RULE_DSM_RANGES:
		return (wide)((dw[0] & 0xff) + 1) * 16 == len;
	case FWA_RULE_LENGTH_CDW11:
		return dw[1] == len + out;
	case FWA_RULE_LENGTH_DWORDS_CDW10:
		return dwords(dw[0]) == len + out;
	case FWA_RULE_LENGTH_DWORDS_CDW11:
		return dwords(dw[1]) == len + out;
	case FWA_RULE_LENGTH_DWORDS_CDW12:
		return dwords(dw[2]) == len + out;
	case FWA_RULE_WHOLE_PAGE:
		return len == 0 || len == 4096;
	case FWA_RULE_PLACEMENT_IDS:
		return ((wide)(dw[0] >> 16) + 1) * 2 == len;
	case FWA_RULE_COPY_RANGES:
		return (wide)((dw[2] & 0xff) + 1) * (dw[2] >> 8 & 1 ? 40 : 32) == len;
	default:
		return false;
	}
}

static void prove_rule(void)
{
	const struct fwa_profile *p = any_profile();
	const struct fwa_rule *r = &any_rules[0];
	const uint8_t *uuid = any_uuid();
	bool passes;

	any_row.n_rules = 0;
	assume(fwa_shape_check(p, &any_row, &cmd, uuid) == FWA_DETAIL_NONE);
	any_row.n_rules = 1;
	passes = fwa_shape_check(p, &any_row, &cmd, uuid) == FWA_DETAIL_NONE;
	prove(passes == inside(r, uuid));
	witness(passes);
	witness(!passes);
}

/* The same for a rule of one kind, where the model's tables have it. */
static void prove_rule_at(unsigned int kind, unsigned int at, unsigned int width, unsigned int at2)
{
	any_command(48);
	any_rules[0] = (struct fwa_rule){ .kind = kind, .at = at, .width = width, .at2 = at2 };
	prove_rule();
}

/* What the payload says: any numbers, in a payload of up to 48 bytes.
 * proof: core/shape.c core/effects.c; without; --unwind 9 --unwindset fwa_shape_check.0:2 */
void prove_shape_ranges(void)
{
	prove_rule_at(FWA_RULE_NONZERO, 4, 4, 0);
	prove_rule_at(FWA_RULE_NONZERO, 8, 8, 0);
	prove_rule_at(FWA_RULE_NONZERO, 18, 2, 0);
	prove_rule_at(FWA_RULE_NONZERO, 20, 4, 0);
	prove_rule_at(FWA_RULE_REPLY_FITS, 0, 4, 0);
	prove_rule_at(FWA_RULE_REPLY_FITS, 4, 4, 0);
	prove_rule_at(FWA_RULE_REPLY_FITS, 18, 2, 0);
	prove_rule_at(FWA_RULE_REPLY_FITS, 20, 4, 0);
	prove_rule_at(FWA_RULE_LOG_RANGE, 16, 0, 20);
	prove_rule_at(FWA_RULE_LSA_RANGE, 0, 0, 4);
	prove_rule_at(FWA_RULE_LSA_DATA, 0, 0, 8);
	prove_rule_at(FWA_RULE_FEATURE_RANGE, 16, 0, 18);
	prove_rule_at(FWA_RULE_FEATURE_DATA, 20, 0, 32);
	prove_rule_at(FWA_RULE_DPA, 0, 0, 0);
	prove_rule_at(FWA_RULE_DPA_RANGE, 0, 0, 8);
}

/* One rule on what the command dwords say, for data of any length, at which nobody looks.
 * proof: core/shape.c core/effects.c; without; --unwind 9 --unwindset fwa_shape_check.0:2 */
void prove_shape_transfers(void)
{
	any_command(FWA_COMMAND_DATA_MAX);
	cmd.payload.data = NULL;
	assume(any_rules[0].kind >= FWA_RULE_NUMD_OUT);
	/* prove_namespace */
	assume((any.ns.block_size & (any.ns.block_size - 1)) == 0 && any.ns.block_size <= 65536);
	prove_rule();
}

/* Lengths and direction, with no rules; and that no rule lets pass what they refuse.
 * proof: core/shape.c core/effects.c; without; --unwind 9 --unwindset fwa_shape_check.0:2 */
void prove_shape_lengths(void)
{
	const struct fwa_profile *p = any_profile();
	size_t len;
	bool cxl, passes, written;

	any_command(FWA_COMMAND_DATA_MAX);
	any_row.n_rules = 0;
	len = cmd.payload.len;
	cxl = cmd.set == FWA_SET_CXL;
	passes = fwa_shape_check(p, any.has_row ? &any_row : NULL, &cmd, any_uuid()) ==
		 FWA_DETAIL_NONE;
	written = cxl ? !limits.payload_max || len <= limits.payload_max
		      : !(len && cmd.out_len) && !(len && !(cmd.opcode & 1)) &&
				  !(cmd.out_len && !(cmd.opcode & 2));
	if (any.has_row)
		written =
			written && any_row.in_min <= len && len <= any_row.in_max &&
			(cxl || (any_row.out_min <= cmd.out_len && cmd.out_len <= any_row.out_max));
	prove(passes == written);
	witness(passes && cxl && any.has_row && len > 9);
	witness(!passes && !cxl && !any.has_row);
}
