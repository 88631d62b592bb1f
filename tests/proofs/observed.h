/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One observable of LEN bytes with up to FIELDS fields of any kind. Each step of the loops over observables,
 * fields and bytes is the same for more.
 */
#pragma once

#include "verify/compare.h"
#include "verify/judge.h"

#include "proof.h"

#define LEN 3u
#define DIFFERENCES (FIELDS + 1)

static struct vfy_field fields[FIELDS];
static struct vfy_observe_row row;
static struct vfy_observable observable;
static struct vfy_plan plan;
static bool one_bit(fwa_effects e)
{
	return e && !(e & (e - 1));
}

/* What tools/gen_observe.py can write of whole bytes: no two fields share one. */
static void any_field(struct vfy_field *f, uint32_t from)
{
	forget(*f);
	f->mask = 0;
	assume(f->first >= from && f->first <= f->last);
	assume(f->last < LEN || f->last == UINT32_MAX);
	assume(f->kind <= VFY_DECLARES);
	assume(f->unit >= 1 && f->unit <= 2);
	assume(f->means && !(f->means & ~FWA_EFFECTS_ALL));
	assume(one_bit(f->name_as) && f->name_as & f->means);
	assume(!(f->grows & ~FWA_EFFECTS_ALL));
	if (f->kind == VFY_RECORDS)
		assume(f->last == UINT32_MAX);
	if (f->kind == VFY_RING)
		assume(f->last < LEN && (f->last - f->first + 1) % f->unit == 0);
	if (f->kind == VFY_COUNTER || f->kind == VFY_CLOCK)
		assume(f->last < LEN);
}

static void any_row(void)
{
	uint32_t from = 0;

	forget(row);
	row.field = fields;
	assume(row.n_fields <= FIELDS);
	assume(row.means && !(row.means & ~FWA_EFFECTS_ALL));
	assume(one_bit(row.name_as) && row.name_as & row.means);
	for (unsigned int i = 0; i < FIELDS; i++) {
		any_field(&fields[i], from);
		from = fields[i].last == UINT32_MAX ? LEN : fields[i].last + 1;
	}
	observable.row = &row;
	observable.len = LEN;
	plan.observable = &observable;
	plan.n = 1;
	plan.bytes = LEN;
}
