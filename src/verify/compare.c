/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 1. Values that are equal cost one memcmp(), whatever their fields.
 * 2. A number or a list of which a byte is masked says nothing as a whole.
 */
#include "verify/compare.h"

#define CLOCK_SLACK_NS 10000000u /* beyond 1/64 of the time that went by */
#define CLOCK_BYTES 8u

struct comparison {
	const struct vfy_mask *mask;
	const struct vfy_value *va, *vb;
	struct fwa_span a, b; /* the values */
	size_t at;            /* where they begin in the snapshots, and in the mask */
	uint32_t longer;
	struct vfy_difference d;
	void (*fn)(void *userdata, const struct vfy_difference *d);
	void *userdata;
};

static struct fwa_span view(const struct vfy_observable *o, const struct vfy_snapshot *s,
			    const struct vfy_value *v)
{
	struct fwa_span data = fwa_span(s->data, s->data_len), ret = { NULL, 0 };

	fwa_span_sub(data, v->at, v->len < o->len ? v->len : o->len, &ret);
	return ret;
}

bool vfy_same_reading(const struct vfy_value *a, const struct vfy_value *b)
{
	return a->at_ns && a->at_ns == b->at_ns && a->took_ns == b->took_ns;
}

static bool masked(const struct comparison *c, uint32_t i)
{
	return c->mask && vfy_bit(c->mask->bytes, c->mask->n_bytes, c->at + i);
}

/* --- bytes ------------------------------------------------------------------------------------------ */

static bool byte_differs(const struct comparison *c, uint32_t i, uint8_t bits)
{
	if (masked(c, i))
		return false;
	if (i >= c->a.len || i >= c->b.len)
		return true;
	return (c->a.data[i] ^ c->b.data[i]) & bits;
}

/* The bytes from @first to @last that differ in one of @bits, added to c->d; whether there are any. */
static bool scan(struct comparison *c, uint32_t first, uint32_t last, uint8_t bits, bool any)
{
	if (last < c->a.len && last < c->b.len &&
	    !memcmp(c->a.data + first, c->b.data + first, last - first + 1))
		return any;
	for (uint32_t i = first; i <= last; i++) {
		if (!byte_differs(c, i, bits))
			continue;
		c->d.first = any ? c->d.first : i;
		c->d.last = i;
		any = true;
	}
	return any;
}

static bool any_masked(const struct comparison *c, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++)
		if (masked(c, i))
			return true;
	return false;
}

/* --- what kinds explain ----------------------------------------------------------------------------- */

/* Both have it whole. */
static bool whole(const struct comparison *c, uint32_t last)
{
	return last < c->a.len && last < c->b.len;
}

static bool not_less(const struct comparison *c, uint32_t first, uint32_t last)
{
	for (uint32_t i = last + 1; i-- > first;)
		if (c->a.data[i] != c->b.data[i])
			return c->b.data[i] > c->a.data[i];
	return true;
}

static uint64_t number(struct fwa_span s, uint32_t first, uint32_t last)
{
	uint64_t v = 0;

	for (uint32_t i = last + 1; i-- > first;)
		v = v << 8 | s.data[i];
	return v;
}

/* A clock may stand, be slower than ours, and begin anew at its end; it may not be set back, nor ahead. */
static bool went_on(const struct comparison *c, const struct vfy_field *f, uint32_t last)
{
	uint64_t elapsed = c->vb->at_ns > c->va->at_ns ? c->vb->at_ns - c->va->at_ns : 0;
	uint64_t a, b, most, ahead;

	if (last - f->first >= CLOCK_BYTES)
		return false;
	a = number(c->a, f->first, last);
	b = number(c->b, f->first, last);
	most = elapsed + elapsed / 64 + CLOCK_SLACK_NS + c->va->took_ns + c->vb->took_ns;
	ahead = (b - a) & UINT64_MAX >> 8 * (CLOCK_BYTES - 1 - (last - f->first));
	return ahead <= most / (f->unit ? f->unit : 1);
}

static bool same_record(const struct comparison *c, size_t a, size_t b, uint32_t unit)
{
	return !memcmp(c->a.data + a, c->b.data + b, unit);
}

/* Each old record is still there, in the same order. */
static bool list_grown(const struct comparison *c, uint32_t first, uint32_t unit)
{
	size_t at = first;

	if ((c->a.len - first) % unit || (c->b.len - first) % unit)
		return false;
	for (size_t i = first; i < c->a.len; i += unit) {
		while (at < c->b.len && !same_record(c, i, at, unit))
			at += unit;
		if (at >= c->b.len)
			return false;
		at += unit;
	}
	return true;
}

/* The old records have moved on by some places, and those at the end fell off. */
static bool ring_grown(const struct comparison *c, uint32_t first, uint32_t last, uint32_t unit)
{
	size_t n = (last - first + 1) / unit;

	for (size_t moved = 1; moved <= n; moved++)
		if (!memcmp(c->a.data + first, c->b.data + first + moved * unit,
			    (n - moved) * unit))
			return moved < n;
	return false;
}

static bool grown(const struct comparison *c, const struct vfy_field *f, uint32_t last)
{
	if (!f->unit || c->a.len < f->first || c->b.len < f->first)
		return false;
	if (f->kind == VFY_RECORDS)
		return list_grown(c, f->first, f->unit);
	return f->kind == VFY_RING && whole(c, last) && ring_grown(c, f->first, last, f->unit);
}

/* Whether @f, whose bytes to @last are there, differs in no way that says anything. */
static bool explained(const struct comparison *c, const struct vfy_field *f, uint32_t last)
{
	switch (f->kind) {
	case VFY_VOLATILE:
		return true;
	case VFY_COUNTER:
		return any_masked(c, f->first, last) ||
		       (whole(c, last) && not_less(c, f->first, last));
	case VFY_CLOCK:
		return any_masked(c, f->first, last) || (whole(c, last) && went_on(c, f, last));
	case VFY_RECORDS:
	case VFY_RING:
	case VFY_TRACE:
		return any_masked(c, f->first, last);
	default:
		return false;
	}
}

/* --- fields ----------------------------------------------------------------------------------------- */

static void report(struct comparison *c, uint8_t field)
{
	c->d.field = field;
	c->fn(c->userdata, &c->d);
}

static void compare_field(struct comparison *c, const struct vfy_field *f, uint8_t index)
{
	uint32_t last = f->last < c->longer ? f->last : c->longer - 1;

	c->d.grown = false;
	if (f->first > last || explained(c, f, last) ||
	    !scan(c, f->first, last, f->mask ? f->mask : 0xff, false))
		return;
	c->d.grown = grown(c, f, last);
	report(c, index);
}

/* All that is in no field, also of a byte of which fields have some bits. */
static void compare_rest(struct comparison *c, const struct vfy_observe_row *row)
{
	uint32_t at = 0; /* everything below is in a field or has been looked at */
	bool any = false;

	c->d.grown = false;
	for (uint8_t i = 0; i < row->n_fields && at < c->longer; i++) {
		const struct vfy_field *f = &row->field[i];
		uint8_t bits = f->mask;

		if (f->first > at)
			any = scan(c, at, f->first < c->longer ? f->first - 1 : c->longer - 1, 0xff,
				   any);
		while (f->mask && i + 1 < row->n_fields && row->field[i + 1].first == f->first)
			bits |= row->field[++i].mask;
		if (f->mask && f->first < c->longer)
			any = scan(c, f->first, f->first, (uint8_t)~bits, any);
		at = f->last < c->longer ? f->last + 1 : c->longer;
	}
	if (at < c->longer)
		any = scan(c, at, c->longer - 1, 0xff, any);
	if (any)
		report(c, VFY_NO_FIELD);
}

static void compare_values(struct comparison *c, const struct vfy_observe_row *row)
{
	c->longer = (uint32_t)(c->a.len > c->b.len ? c->a.len : c->b.len);
	if (!c->longer || (c->a.len == c->b.len && !memcmp(c->a.data, c->b.data, c->a.len)))
		return;
	for (uint8_t i = 0; i < row->n_fields; i++)
		compare_field(c, &row->field[i], i);
	compare_rest(c, row);
}

void vfy_compare(const struct vfy_plan *plan, const struct vfy_mask *mask,
		 const struct vfy_snapshot *before, const struct vfy_snapshot *after,
		 void (*fn)(void *userdata, const struct vfy_difference *d), void *userdata)
{
	struct comparison c = { .mask = mask, .fn = fn, .userdata = userdata };

	for (size_t i = 0; i < plan->n && i < before->n && i < after->n; i++) {
		const struct vfy_observable *o = &plan->observable[i];

		if (mask && vfy_bit(mask->whole, mask->n, i))
			continue;
		c.va = &before->value[i];
		c.vb = &after->value[i];
		c.d = (struct vfy_difference){ .observable = (uint32_t)i };
		if (vfy_same_reading(c.va, c.vb))
			continue;
		if (c.va->error != c.vb->error || c.va->code != c.vb->code) {
			c.d.reading = true;
			report(&c, VFY_NO_FIELD);
			continue;
		}
		c.a = view(o, before, c.va);
		c.b = view(o, after, c.vb);
		c.at = c.vb->at;
		compare_values(&c, o->row);
	}
}
