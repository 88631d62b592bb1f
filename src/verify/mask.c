/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is learned to say nothing. A number, a list, somebody's notes and a digest say nothing as a whole
 * when a part of them does not; of a state it is the bytes.
 */
#include <errno.h>
#include <stdlib.h>

#include "verify/compare.h"

int vfy_mask_make(struct vfy_mask *m, const struct vfy_plan *plan)
{
	*m = (struct vfy_mask){ .n_bytes = plan->bytes, .n = plan->n };
	m->bytes = calloc(1, plan->bytes / 8 + 1);
	m->whole = calloc(1, plan->n / 8 + 1);
	if (m->bytes && m->whole)
		return 0;
	vfy_mask_clear(m);
	return -ENOMEM;
}

void vfy_mask_clear(struct vfy_mask *m)
{
	free(m->bytes);
	free(m->whole);
	*m = (struct vfy_mask){ 0 };
}

struct learning {
	struct vfy_mask *m;
	const struct vfy_plan *plan;
	const struct vfy_snapshot *a, *b;
	size_t learned;
};

static void mask_byte(struct learning *l, size_t i)
{
	if (i >= l->m->n_bytes || vfy_bit(l->m->bytes, l->m->n_bytes, i))
		return;
	l->m->bytes[i / 8] |= (uint8_t)(1u << (i % 8));
	l->learned++;
}

/* What declares is not to be unreadable at times, either. */
static bool declares(const struct vfy_observe_row *row)
{
	for (uint8_t i = 0; i < row->n_fields; i++)
		if (row->field[i].kind == VFY_DECLARES)
			return true;
	return false;
}

static void mask_reading(struct learning *l, uint32_t i)
{
	const struct vfy_observable *o = &l->plan->observable[i];

	if (i >= l->m->n || declares(o->row) || vfy_bit(l->m->whole, l->m->n, i))
		return;
	l->m->whole[i / 8] |= (uint8_t)(1u << (i % 8));
	l->learned += o->len;
}

/* Byte @i of the value differs, or one of them does not have it. */
static bool differs(const struct learning *l, const struct vfy_difference *d, uint32_t i)
{
	const struct vfy_value *a = &l->a->value[d->observable], *b = &l->b->value[d->observable];

	if (i >= a->len || i >= b->len)
		return true;
	return l->a->data[a->at + i] != l->b->data[b->at + i];
}

static void mask_difference(void *userdata, const struct vfy_difference *d)
{
	struct learning *l = userdata;
	const struct vfy_observable *o = &l->plan->observable[d->observable];
	const struct vfy_field *f = d->field < o->row->n_fields ? &o->row->field[d->field] : NULL;
	uint32_t first = d->first, last = d->last;
	bool whole = o->digest || (f && f->kind != VFY_STATE);

	if (d->reading) {
		mask_reading(l, d->observable);
		return;
	}
	if (f && f->kind == VFY_DECLARES)
		return;
	if (whole && f) {
		first = f->first;
		last = f->last;
	}
	if (o->digest)
		first = 0;
	if (last >= o->len || o->digest)
		last = o->len - 1;
	for (uint32_t i = first; i <= last; i++)
		if (whole || differs(l, d, i))
			mask_byte(l, l->b->value[d->observable].at + (size_t)i);
}

bool vfy_mask_has(const struct vfy_mask *m, const struct vfy_plan *plan,
		  const struct vfy_snapshot *s, size_t i)
{
	if (vfy_bit(m->whole, m->n, i))
		return true;
	for (size_t k = 0; k < plan->observable[i].len; k++)
		if (vfy_bit(m->bytes, m->n_bytes, s->value[i].at + k))
			return true;
	return false;
}

size_t vfy_mask_learn(struct vfy_mask *m, const struct vfy_plan *plan, const struct vfy_snapshot *a,
		      const struct vfy_snapshot *b)
{
	struct learning l = { .m = m, .plan = plan, .a = a, .b = b };

	vfy_compare(plan, m, a, b, mask_difference, &l);
	return l.learned;
}
