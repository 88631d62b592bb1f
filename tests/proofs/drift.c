/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drift (C23), and what a profile declares of one command (C6, C10): two profiles of which each answers
 * the look-ups with anything at all.
 */
#include "core/drift.h"
#include "core/declaration.h"
#include "proof.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* What a profile answers. */
struct answers {
	const struct fwa_profile *profile;
	bool listed, has_feature, has_log, has_lid, has_fid;
	struct fwa_declared declared, fid;
	struct fwa_feature feature;
};

static struct answers now, then;
static struct fwa_command cmd;
static struct fwa_selector selector;
static uint8_t uuid[16];

static const struct answers *of(const struct fwa_profile *p)
{
	prove(p == now.profile || p == then.profile);
	return p == now.profile ? &now : &then;
}

bool fwa_profile_declared(const struct fwa_profile *p, enum fwa_set set, uint16_t opcode,
			  struct fwa_declared *ret)
{
	prove(set == cmd.set && opcode == cmd.opcode);
	if (of(p)->listed)
		*ret = of(p)->declared;
	return of(p)->listed;
}

bool fwa_profile_feature_by_uuid(const struct fwa_profile *p, const uint8_t *u,
				 struct fwa_feature *ret)
{
	prove(u == uuid);
	if (of(p)->has_feature)
		*ret = of(p)->feature;
	return of(p)->has_feature;
}

bool fwa_profile_log_size(const struct fwa_profile *p, const uint8_t *u, uint32_t *ret_size)
{
	prove(u == uuid);
	*ret_size = nondet_u32();
	return of(p)->has_log;
}

bool fwa_profile_lid(const struct fwa_profile *p, uint8_t lid)
{
	prove(lid == selector.value);
	return of(p)->has_lid;
}

bool fwa_profile_fid(const struct fwa_profile *p, uint8_t fid, struct fwa_declared *ret)
{
	prove(fid == selector.value);
	*ret = of(p)->fid;
	return of(p)->has_fid;
}

static void any_answers(struct answers *a)
{
	struct fwa_profile *p = profile_before(n_features);

	forget(*a);
	p->nvme_logs.len = nondet_bool() ? 1024 : 0;
	p->nvme_features.len = nondet_bool() ? 1024 : 0;
	a->profile = p;
	a->listed = nondet_bool();
	a->has_feature = nondet_bool();
	a->has_log = nondet_bool();
	a->has_lid = nondet_bool();
	a->has_fid = nondet_bool();
	a->declared = cmd.set == FWA_SET_CXL ? fwa_cxl_declared(nondet_u16())
					     : fwa_nvme_declared(nondet_u32());
	a->fid = fwa_nvme_feature_declared(nondet_u32());
}

static void anything(void)
{
	forget(cmd);
	forget(selector);
	assume(cmd.set < FWA_SET_COUNT && selector.kind <= FWA_SELECT_CNS);
	selector.uuid = nondet_bool() ? uuid : NULL;
	any_answers(&now);
	any_answers(&then);
}

static bool sets_feature(void)
{
	return selector.kind == FWA_SELECT_FEATURE_UUID && selector.uuid && cmd.opcode == 0x502;
}

/* A vendor's log page or feature, asked for with the index of a UUID. */
static bool of_another_vendor(void)
{
	return selector.value >= 0xc0 && cmd.cdw[4] & 0x7f;
}

/* Whether the command is declared, as spec/SECURITY-MODEL.md has it. */
static bool declares(const struct answers *a)
{
	switch (selector.kind) {
	case FWA_SELECT_FEATURE_UUID:
		return a->listed && (!selector.uuid ||
				     (a->has_feature && (!sets_feature() || a->feature.flags & 1)));
	case FWA_SELECT_LOG_UUID:
		return a->listed && (!selector.uuid || a->has_log);
	case FWA_SELECT_LID:
		return a->listed &&
		       (!a->profile->nvme_logs.len || (a->has_lid && !of_another_vendor()));
	case FWA_SELECT_FID:
		return a->listed && a->has_fid &&
		       !(a->profile->nvme_features.len && of_another_vendor());
	default:
		return a->listed;
	}
}

/* With which effects. */
static fwa_effects effects_of(const struct answers *a)
{
	fwa_effects unknown = a->declared.reserved ? FWA_EFFECT_UNKNOWN : 0;

	if (sets_feature())
		return fwa_cxl_declared(a->feature.effects).effects | unknown;
	if (selector.kind == FWA_SELECT_FID && cmd.opcode == NVME_OP_SET_FEATURES)
		return a->declared.effects | a->fid.effects;
	return a->declared.effects;
}

/* Declared exactly when it is, and with those effects; what is reserved anywhere stays reserved.
 * proof: core/declaration.c core/effects.c; without; --unwind 7 */
void prove_declaration(void)
{
	struct fwa_declaration d;
	enum fwa_detail detail;

	anything();
	detail = fwa_declaration_of(now.profile, &cmd, &selector, &d);
	prove((detail == FWA_DETAIL_NONE) == declares(&now));
	if (detail)
		return;
	prove(d.declared.effects == effects_of(&now));
	prove(implies(now.declared.reserved, d.declared.reserved));
	prove(d.has_feature == sets_feature());
	prove(implies(d.has_feature, d.feature.effects == now.feature.effects));
	witness(d.has_feature && d.declared.reserved);
	witness(selector.kind == FWA_SELECT_FID && now.fid.reserved);
}

/* Drift is exactly what is declared now and was not, or has lost an effect.
 * proof: core/drift.c core/declaration.c core/effects.c; without; --unwind 7 */
void prove_drift(void)
{
	struct fwa_drift drift;
	enum fwa_detail detail;
	fwa_effects lost;

	anything();
	drift.baseline = then.profile;
	detail = fwa_drift_detail(&drift, now.profile, &cmd, &selector);
	lost = effects_of(&then) & ~effects_of(&now);
	prove((detail == FWA_DETAIL_APPEARED) == (declares(&now) && !declares(&then)));
	prove((detail == FWA_DETAIL_LOST_EFFECT) == (declares(&now) && declares(&then) && lost));
	prove(detail == FWA_DETAIL_NONE || detail == FWA_DETAIL_APPEARED ||
	      detail == FWA_DETAIL_LOST_EFFECT);
	prove(fwa_drift_detail(NULL, now.profile, &cmd, &selector) == FWA_DETAIL_NONE);
	drift.baseline = NULL;
	prove(fwa_drift_detail(&drift, now.profile, &cmd, &selector) == FWA_DETAIL_NOT_PINNED);
	drift.baseline = now.profile;
	prove(fwa_drift_detail(&drift, now.profile, &cmd, &selector) == FWA_DETAIL_NONE);
	witness(detail == FWA_DETAIL_APPEARED && then.listed);
	witness(detail == FWA_DETAIL_LOST_EFFECT && sets_feature());
	witness(detail == FWA_DETAIL_NONE && declares(&now) &&
		effects_of(&now) != effects_of(&then));
}
