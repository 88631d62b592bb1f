/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judging: that a difference is covered exactly when the claim has any of what its field means, that who is
 * covered in all is not accused, and that everybody else is, of what it is called (C9).
 */
#define FIELDS 2u
#include "observed.h"

static struct vfy_claim claim;
static struct vfy_judgement j;
static struct vfy_difference difference[DIFFERENCES];
static unsigned int n_differences;

/* Any differences that the real one can report: compare.c. */
void vfy_compare(const struct vfy_plan *p, const struct vfy_mask *m,
		 const struct vfy_snapshot *before, const struct vfy_snapshot *after,
		 void (*fn)(void *userdata, const struct vfy_difference *d), void *userdata)
{
	for (unsigned int i = 0; i < n_differences; i++)
		fn(userdata, &difference[i]);
}

static void any_differences(void)
{
	n_differences = nondet_u8();
	assume(n_differences <= DIFFERENCES);
	for (unsigned int i = 0; i < DIFFERENCES; i++) {
		forget(difference[i]);
		difference[i].observable = 0;
		assume(difference[i].field < row.n_fields || difference[i].field == VFY_NO_FIELD);
		assume(implies(difference[i].reading, difference[i].field == VFY_NO_FIELD));
		assume(implies(difference[i].grown, difference[i].field < row.n_fields));
	}
	forget(claim);
	assume(!((claim.declared | claim.floor | claim.declarable) & ~FWA_EFFECTS_ALL));
	observable.feature_effects = nondet_u32();
	observable.selection = nondet_u8();
}

static fwa_effects covers(void)
{
	return claim.declared | (claim.floor & ~claim.declarable);
}

/* Whether any of what @d means was declared, written once more. */
static bool is_covered(const struct vfy_difference *d)
{
	fwa_effects means = d->field < row.n_fields ? fields[d->field].means : row.means;

	if (d->grown)
		return !fields[d->field].grows || fields[d->field].grows & covers();
	if (d->reading) {
		means |= FWA_EFFECT_SECURITY | FWA_EFFECT_BACKGROUND | FWA_EFFECT_CONFIG;
		for (unsigned int k = 0; k < FIELDS; k++)
			means |= k < row.n_fields ? fields[k].means : 0;
	}
	return means & covers();
}

static fwa_effects name_of(const struct vfy_difference *d)
{
	return d->field < row.n_fields ? fields[d->field].name_as : row.name_as;
}

/*
 * proof: verify/judge.c core/decide.c; without fwa_decide fwa_opcode_effects vfy_claim_add; --unwind 5 */
void prove_judged(void)
{
	fwa_effects undeclared = 0, by_reply = nondet_u32();
	unsigned int uncovered = 0;

	any_row();
	any_differences();
	assume(!(by_reply & ~FWA_EFFECTS_ALL));
	vfy_judge(&plan, NULL, NULL, NULL, &claim, by_reply, &j);
	for (unsigned int i = 0; i < DIFFERENCES; i++)
		if (i < n_differences && !is_covered(&difference[i])) {
			undeclared |= name_of(&difference[i]);
			uncovered++;
		}
	prove(j.n_changes == n_differences);
	prove(j.undeclared == (undeclared | (by_reply & ~covers())));
	prove(!(j.undeclared & ~j.observed));
	for (unsigned int i = 0; i < DIFFERENCES; i++)
		prove(implies(i < n_differences, j.change[i].covered == (i >= uncovered)));
	prove((j.severity == VFY_NOTE) == !j.undeclared && j.severity < VFY_SEVERITIES);
	witness(uncovered == 2 && n_differences == 3);
	witness(n_differences == 3 && !j.undeclared);
	witness(j.severity == VFY_CRITICAL);
}
