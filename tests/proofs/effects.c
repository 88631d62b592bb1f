/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declarations to effects, and effects to scope: for every word a device can send, and every set of
 * effects. The rules are written here a second time, from the specifications and from
 * spec/SECURITY-MODEL.md (C8, C12 to C15, C28), bit by bit and without the names that the code uses.
 */
#include "core/decide.h"
#include "proof.h"

static bool bit(uint32_t word, unsigned int i)
{
	return word >> i & 1;
}

/* proof: core/effects.c; without; */
void prove_cxl_declared(void)
{
	uint16_t w = nondet_u16();
	struct fwa_declared d = fwa_cxl_declared(w);
	bool alone = bit(w, 8) && !bit(w, 6), early = (bit(w, 10) || bit(w, 11)) && !bit(w, 9);

	prove(d.raw == w);
	prove((d.reserved & ~w) == 0);
	for (unsigned int i = 0; i < 7; i++)
		prove(bit(d.effects, i) == bit(w, i));
	prove(!!(d.effects & FWA_EFFECT_CONFIG_CONV_RESET) == (bit(w, 10) && bit(w, 9)));
	prove(!!(d.effects & FWA_EFFECT_CONFIG_CXL_RESET) == (bit(w, 11) && bit(w, 9)));
	prove(!!(d.effects & FWA_EFFECT_UNKNOWN) == (w >> 12 || alone || early));
	prove(!!(d.effects & FWA_EFFECT_UNKNOWN) == (d.reserved != 0));
	prove((d.effects & ~(FWA_EFFECTS_CXL_DECLARABLE | FWA_EFFECT_UNKNOWN)) == 0);
	prove(!!(d.attributes & FWA_ATTR_SECONDARY_MAILBOX) == bit(w, 7));
	prove(!!(d.attributes & FWA_ATTR_ABORT_SUPPORTED) == (bit(w, 8) && bit(w, 6)));
	prove((d.attributes & ~(FWA_ATTR_SECONDARY_MAILBOX | FWA_ATTR_ABORT_SUPPORTED)) == 0);
	witness(d.effects == FWA_EFFECTS_CXL_DECLARABLE);
	witness(d.effects == FWA_EFFECT_UNKNOWN);
}

/* proof: core/effects.c; without; */
void prove_nvme_declared(void)
{
	uint32_t w = nondet_u32();
	struct fwa_declared d = fwa_nvme_declared(w);
	unsigned int cser = w >> 14 & 3, cse = w >> 16 & 7;

	prove(d.raw == w);
	prove((d.reserved & ~w) == 0);
	prove(!!(d.effects & FWA_EFFECT_DATA) == bit(w, 1));
	prove(!!(d.effects & FWA_EFFECT_NAMESPACE_CAPABILITY) == bit(w, 2));
	prove(!!(d.effects & FWA_EFFECT_NAMESPACE_INVENTORY) == bit(w, 3));
	prove(!!(d.effects & FWA_EFFECT_CONTROLLER_CAPABILITY) == bit(w, 4));
	prove(!!(d.effects & FWA_EFFECT_EXCLUSIVE) == (cser || cse));
	prove(!!(d.effects & FWA_EFFECT_UNKNOWN) ==
	      ((w >> 5 & 0x1ff) || w >> 26 || cser > 1 || cse > 2));
	prove((d.effects & ~(FWA_EFFECTS_NVME_DECLARABLE | FWA_EFFECT_UNKNOWN)) == 0);
	prove(!!(d.attributes & FWA_ATTR_UUID_SELECTION) == bit(w, 19));
	for (unsigned int i = 0; i < 6; i++)
		prove(!!(d.attributes & FWA_ATTR_SCOPE_NAMESPACE << i) == bit(w, 20 + i));
	prove((d.attributes & (FWA_ATTR_SECONDARY_MAILBOX | FWA_ATTR_ABORT_SUPPORTED)) == 0);
	prove(d.attributes >> FWA_ATTR_COUNT == 0);
	witness(d.effects == FWA_EFFECTS_NVME_DECLARABLE);
	witness(d.effects == FWA_EFFECT_UNKNOWN);
}

/* proof: core/effects.c; without; */
void prove_nvme_feature_declared(void)
{
	uint32_t w = nondet_u32();
	struct fwa_declared d = fwa_nvme_feature_declared(w);
	uint32_t known = 0x07f8001f; /* FSUPP, UDCC, NCC, NIC, CCC; UUID selection; seven scopes */

	prove(d.raw == w && d.reserved == (w & ~known));
	prove(!!(d.effects & FWA_EFFECT_DATA) == bit(w, 1));
	prove(!!(d.effects & FWA_EFFECT_NAMESPACE_CAPABILITY) == bit(w, 2));
	prove(!!(d.effects & FWA_EFFECT_NAMESPACE_INVENTORY) == bit(w, 3));
	prove(!!(d.effects & FWA_EFFECT_CONTROLLER_CAPABILITY) == bit(w, 4));
	prove(!!(d.effects & FWA_EFFECT_UNKNOWN) == ((w & ~known) != 0));
	prove((d.effects & ~(FWA_EFFECTS_NVME_DECLARABLE | FWA_EFFECT_UNKNOWN)) == 0);
	prove(!(d.effects & FWA_EFFECT_EXCLUSIVE));
	witness(d.effects == FWA_EFFECT_UNKNOWN);
}

/* The scope of DESIGN's table: 0 to 3, and 4 for never. */
static unsigned int written_scope(uint32_t effects, unsigned int class)
{
	if (effects >> 13) /* dma, carrier, other-client, unknown */
		return 4;
	if (effects & 0x1e3e || class == FWA_CLASS_USER_DATA)
		return 3;
	if (effects & 0x0181) /* config-*-reset */
		return 2;
	return class == FWA_CLASS_PLAIN ? 0 : 1;
}

/* proof: core/decide.c; without; */
void prove_scope_of(void)
{
	fwa_effects less = nondet_u32(), more = nondet_u32();
	unsigned int class = nondet_u32();
	uint8_t why, s, t;

	assume((less & ~FWA_EFFECTS_ALL) == 0 && (more & ~FWA_EFFECTS_ALL) == 0);
	s = fwa_scope_of(less, class, &why);
	prove(s == written_scope(less, class));
	prove((s == FWA_SCOPE_NEVER) == ((less & FWA_EFFECTS_NEVER) != 0));
	prove((s == FWA_SCOPE_NEVER) == (why == FWA_NEED_NEVER || why == FWA_NEED_NOT_UNDERSTOOD));
	prove(implies(less & FWA_EFFECT_EXCLUSIVE, s >= FWA_SCOPE_DEBUG_WRITE_FULL));
	t = fwa_scope_of(more, class, &why);
	prove(implies((less & ~more) == 0, s <= t));
	witness(s == FWA_SCOPE_CONFIGURATION && t == FWA_SCOPE_DEBUG_WRITE);
	witness(s == FWA_SCOPE_NEVER);
}

/* What the text of Linux's cxlctl_validate_set_features() says of its effects word and a scope. */
static bool linux_passes(uint16_t eff, unsigned int scope)
{
	uint16_t imm = eff & 0x001e, rst = eff & 0x0c01;

	if (eff & 0xf000 || eff & 0x0040)
		return false;
	if (!imm && !rst)
		return false;
	return imm ? scope == 3 : scope >= 2;
}

/* proof: core/decide.c; without; */
void prove_linux_feature_scope(void)
{
	uint16_t w = nondet_u16();
	unsigned int scope = nondet_u32();
	uint8_t least = fwa_linux_feature_scope(w);

	assume(scope <= 3);
	prove((scope >= least) == linux_passes(w, scope));
	prove(least == FWA_SCOPE_DEBUG_WRITE || least == FWA_SCOPE_DEBUG_WRITE_FULL ||
	      least == FWA_SCOPE_NEVER);
	witness(least == FWA_SCOPE_DEBUG_WRITE);
	witness(least == FWA_SCOPE_DEBUG_WRITE_FULL);
}
