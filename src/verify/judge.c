/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 1. The gate and the verifier read a declaration the same way: by fwa_decide().
 * 2. Also what the gate would refuse has a claim: what the device declares of it is what counts.
 * 3. Who judges knows nothing of the device but what its snapshots, plan and claim say.
 */
#include "verify/judge.h"

#include "core/decide.h"
#include "core/policy.h"
#include "verify/compare.h"

/* What of a reader's doing is worse than that it is not a reader's: see enum vfy_severity. */
#define GRAVE                                                               \
	(FWA_EFFECT_DATA | FWA_EFFECT_SECURITY | FWA_EFFECT_CONFIG |        \
	 FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY | \
	 FWA_EFFECT_CONTROLLER_CAPABILITY)

/* What may make any reading fail, or not fail any more: locks, work that runs, another firmware. */
#define BLOCKS (FWA_EFFECT_SECURITY | FWA_EFFECT_BACKGROUND | FWA_EFFECT_CONFIG)

/* And what makes that of a namespace fail: it is no longer there, or not as it was. */
#define BLOCKS_NAMESPACE (FWA_EFFECT_NAMESPACE_INVENTORY | FWA_EFFECT_NAMESPACE_CAPABILITY)

/* --- claims ----------------------------------------------------------------------------------------- */

/*
 * Where the gate did not get as far as to weigh the command: the word of its opcode, or that of a Feature
 * which cannot be changed, and the floor of all of its forms.
 */
static void unweighed(const struct fwa_profile *profile, const struct fwa_command *cmd,
		      struct fwa_decision *d)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	struct fwa_selector selector = fwa_command_selector(row, cmd);
	struct fwa_declared word;
	struct fwa_feature feature;

	d->floor = row ? row->floor : 0;
	if (!fwa_profile_declared(profile, cmd->set, cmd->opcode, &word))
		return;
	d->declared = word.effects;
	if (d->detail != FWA_DETAIL_FEATURE_READ_ONLY ||
	    !fwa_profile_feature_by_uuid(profile, selector.uuid, &feature))
		return;
	/*= spec/SECURITY-MODEL.md#C10 */
	d->declared = fwa_cxl_declared(feature.effects).effects;
	d->floor = 0;
}

void vfy_claim_add(struct vfy_claim *claim, const struct fwa_profile *profile,
		   const struct fwa_command *cmd)
{
	static const struct fwa_contract ordinary = { .mode = FWA_MODE_STRICT };
	bool cxl = cmd->set == FWA_SET_CXL;
	struct fwa_command asked = *cmd;
	struct fwa_decision d;
	bool listed;

	asked.scope = FWA_SCOPE_LEAST;
	if (cxl) { /* a mailbox has no such fields */
		asked.nsid = 0;
		memset(asked.cdw, 0, sizeof(asked.cdw));
	}
	d = fwa_decide(&ordinary, &fwa_rights_all, profile, &asked, 0);
	listed = d.reason > FWA_REASON_UNDECLARED || d.detail == FWA_DETAIL_NO_TRANSFER;
	if (d.reason <= FWA_REASON_UNDECLARED)
		unweighed(profile, &asked, &d);
	claim->declared |= d.declared;
	claim->floor |= d.floor;
	claim->declarable |= cxl ? FWA_EFFECTS_CXL_DECLARABLE : FWA_EFFECTS_NVME_DECLARABLE;
	claim->listed = listed && (claim->listed || !claim->n);
	if (!fwa_admitted(&d)) /* with every right: to nobody */
		claim->scope = FWA_SCOPE_NEVER;
	else if (d.required > claim->scope)
		claim->scope = d.required;
	claim->n++;
}

void vfy_claim_reset(struct vfy_claim *claim, enum fwa_reset kind)
{
	fwa_effects due = FWA_EFFECT_CONFIG_CXL_RESET;

	if (kind != FWA_RESET_CXL)
		due |= FWA_EFFECT_CONFIG_CONV_RESET;
	if (kind == FWA_RESET_COLD)
		due |= FWA_EFFECT_CONFIG_COLD_RESET;
	if (claim->floor & due)
		claim->floor |= FWA_EFFECT_CONFIG;
	if (claim->declared & due)
		claim->declared |= FWA_EFFECT_CONFIG;
}

/* What covers: where the family has no bit for an effect the model speaks for it. */
static fwa_effects covers(const struct vfy_claim *claim)
{
	return claim->declared | (claim->floor & ~claim->declarable);
}

/* --- changes ---------------------------------------------------------------------------------------- */

/* By what the Feature's own entry declares: struct vfy_field. */
static fwa_effects feature_means(const struct vfy_observable *o)
{
	fwa_effects own = o->feature_effects & FWA_EFFECTS_ALL & ~FWA_EFFECTS_NEVER;

	switch (o->selection) {
	case 0:
		return (own & FWA_EFFECTS_IMMEDIATE) | FWA_EFFECT_CONFIG;
	case 2:
		return own | FWA_EFFECT_CONFIG;
	default:
		return FWA_EFFECT_CONFIG; /* nobody sets a default */
	}
}

static fwa_effects lowest(fwa_effects e)
{
	return e & -e;
}

struct meaning {
	fwa_effects means;
	fwa_effects name_as;
	bool free; /* it needs nothing */
};

static struct meaning plain(const struct vfy_observable *o, fwa_effects means, fwa_effects name_as)
{
	const fwa_effects any = FWA_EFFECT_CONFIG | FWA_EFFECT_CONTROLLER_CAPABILITY;
	fwa_effects own = feature_means(o);

	if (means)
		return (struct meaning){ means, name_as ? name_as : lowest(means), false };
	name_as =
		lowest(own & FWA_EFFECTS_IMMEDIATE & ~any); /* its own, not what any Feature has */
	return (struct meaning){ own, name_as ? name_as : FWA_EFFECT_CONFIG, false };
}

static struct meaning meaning_of(const struct vfy_observable *o, const struct vfy_difference *d)
{
	const struct vfy_observe_row *row = o->row;
	struct meaning m = plain(o, row->means, row->name_as);
	const struct vfy_field *f;

	if (d->reading) {
		for (uint8_t i = 0; i < row->n_fields; i++)
			m.means |= plain(o, row->field[i].means, 0).means;
		m.means |= BLOCKS;
		if (row->each == VFY_EACH_NAMESPACE || row->each == VFY_EACH_LBA)
			m.means |= BLOCKS_NAMESPACE;
		return m;
	}
	if (d->field >= row->n_fields)
		return m;
	f = &row->field[d->field];
	m = plain(o, f->means, f->name_as);
	if (d->grown) {
		m.means = f->grows;
		m.free = !f->grows;
	}
	return m;
}

/* --- the judgement ---------------------------------------------------------------------------------- */

struct judging {
	const struct vfy_plan *plan;
	fwa_effects covers;
	struct vfy_judgement *ret;
	uint32_t kept;
};

/* Takes the last change that is covered out of those that are kept; false when there is none. */
static bool drop_covered(struct judging *j)
{
	uint32_t at = j->kept;

	while (at && !j->ret->change[at - 1].covered)
		at--;
	if (!at)
		return false;
	for (; at < j->kept; at++)
		j->ret->change[at - 1] = j->ret->change[at];
	j->kept--;
	return true;
}

/* Where there is no room one that is not covered takes the place of one that is. */
static void keep(struct judging *j, const struct vfy_change *change)
{
	j->ret->n_changes++;
	if (j->kept < VFY_CHANGES_MAX || (!change->covered && drop_covered(j)))
		j->ret->change[j->kept++] = *change;
}

static void on_difference(void *userdata, const struct vfy_difference *d)
{
	struct judging *j = userdata;
	struct meaning m = meaning_of(&j->plan->observable[d->observable], d);
	struct vfy_change change = {
		.observable = d->observable,
		.field = d->field,
		.reading = d->reading,
		.grown = d->grown,
		.first = d->first,
		.last = d->last,
		.means = m.means,
		.shown = m.name_as,
		.covered = m.free || j->covers & m.means,
	};

	/* A change that is covered goes by what covers it. */
	if (change.covered && !(j->covers & m.name_as) && j->covers & m.means)
		change.shown = lowest(j->covers & m.means);
	/* An event that tells of another effect is none of its own. */
	if (!d->grown || !change.covered)
		j->ret->observed |= change.shown;
	if (!change.covered)
		j->ret->undeclared |= change.shown;
	keep(j, &change);
}

/* Uncovered ones first, else in the order of the plan. */
static void order(struct vfy_judgement *r, uint32_t kept)
{
	for (uint32_t i = 1; i < kept; i++) {
		struct vfy_change moved = r->change[i];
		uint32_t at = i;

		for (; !moved.covered && at && r->change[at - 1].covered; at--)
			r->change[at] = r->change[at - 1];
		r->change[at] = moved;
	}
}

/*= spec/SECURITY-MODEL.md#C9 */
void vfy_judge(const struct vfy_plan *plan, const struct vfy_mask *mask,
	       const struct vfy_snapshot *before, const struct vfy_snapshot *after,
	       const struct vfy_claim *claim, fwa_effects observed_by_reply,
	       struct vfy_judgement *ret)
{
	struct judging j = {
		.plan = plan,
		.covers = covers(claim),
		.ret = ret,
	};

	*ret = (struct vfy_judgement){
		.observed = observed_by_reply,
		.undeclared = observed_by_reply & ~j.covers,
	};
	vfy_compare(plan, mask, before, after, on_difference, &j);
	order(ret, j.kept);
	ret->severity = (uint8_t)vfy_severity_of(claim, ret->undeclared);
}

/* --- severity --------------------------------------------------------------------------------------- */

static uint8_t scope_of(fwa_effects effects)
{
	uint8_t need;

	return fwa_scope_of(effects & FWA_EFFECTS_ALL, FWA_CLASS_PLAIN, &need);
}

enum vfy_severity vfy_severity_of(const struct vfy_claim *claim, fwa_effects undeclared)
{
	fwa_effects said = claim->declared | claim->floor, beyond = undeclared & ~claim->floor;
	uint8_t asked = scope_of(said), needed = scope_of(said | beyond);

	if (!undeclared)
		return VFY_NOTE;
	if (claim->scope > asked) /* for what it reads: C12 */
		asked = claim->scope;
	if (!beyond || asked == FWA_SCOPE_NEVER)
		return VFY_LOW;
	if (asked >= needed)
		return VFY_MEDIUM;
	return asked <= FWA_SCOPE_DEBUG_READ_ONLY && beyond & GRAVE ? VFY_CRITICAL : VFY_HIGH;
}

const char *vfy_severity_name(unsigned int severity)
{
	static const char *const names[VFY_SEVERITIES] = { "note", "low", "medium", "high",
							   "critical" };

	return severity < VFY_SEVERITIES ? names[severity] : "unknown";
}
