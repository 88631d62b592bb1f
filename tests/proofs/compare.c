/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing: that what is the same is no difference, and that a byte that differs is one, of the field that it
 * is in, unless it is masked or its kind explains it.
 */
#define FIELDS 2u
#include "observed.h"

static struct vfy_value va, vb;
static uint8_t data_a[LEN], data_b[LEN], mask_bytes[1], mask_whole[1];
static struct vfy_snapshot a, b;
static struct vfy_mask mask;

static void any_value(struct vfy_value *v)
{
	forget(*v);
	v->at = 0;
}

static void any_values(void)
{
	any_value(&va);
	any_value(&vb);
	for (unsigned int i = 0; i < LEN; i++) {
		data_a[i] = nondet_u8();
		data_b[i] = nondet_u8();
	}
	a = (struct vfy_snapshot){ .value = &va, .data = data_a, .n = 1, .data_len = LEN };
	b = (struct vfy_snapshot){ .value = &vb, .data = data_b, .n = 1, .data_len = LEN };
	mask_bytes[0] = nondet_u8();
	mask_whole[0] = nondet_u8();
	mask = (struct vfy_mask){ mask_bytes, mask_whole, LEN, 1 };
}

/* What was reported: how often, and how often of byte @i as what it is in. */
static struct {
	uint32_t i;
	uint8_t field;
	unsigned int times, of_byte;
	bool reading;
} told;

static void on_difference(void *userdata, const struct vfy_difference *d)
{
	told.times++;
	told.reading |= d->reading;
	prove(d->observable == 0 && (d->field < row.n_fields || d->field == VFY_NO_FIELD));
	prove(d->first <= d->last && (d->reading || d->last < LEN));
	if (!d->reading && told.i >= d->first && told.i <= d->last && d->field == told.field)
		told.of_byte++;
}

static void compare(void)
{
	vfy_compare(&plan, &mask, &a, &b, on_difference, NULL);
	prove(told.times <= DIFFERENCES);
}

/* The field that byte @i is in. */
static uint8_t field_of(uint32_t i)
{
	for (uint8_t k = 0; k < FIELDS && k < row.n_fields; k++)
		if (i >= fields[k].first && i <= fields[k].last)
			return k;
	return VFY_NO_FIELD;
}

static bool is_masked(uint32_t i)
{
	return mask_bytes[0] >> i & 1 || mask_whole[0] & 1;
}

static bool byte_differs(uint32_t i)
{
	bool in_a = i < va.len, in_b = i < vb.len;

	return in_a != in_b || (in_a && data_a[i] != data_b[i]);
}

/*
 * proof: verify/compare.c; without list_grown ring_grown; --unwind 5 */
void prove_compare_silent(void)
{
	any_row();
	any_values();
	assume(va.error == vb.error && va.code == vb.code);
	for (uint32_t i = 0; i < LEN; i++)
		assume(is_masked(i) || !byte_differs(i));
	compare();
	prove(told.times == 0);
	witness(va.len == LEN && data_a[0] != data_b[0]);
}

/*
 * proof: verify/compare.c; without list_grown ring_grown; --unwind 5 */
void prove_compare_sees(void)
{
	uint32_t i = nondet_u32();
	uint8_t f;

	any_row();
	any_values();
	assume(va.error == vb.error && va.code == vb.code);
	assume(!vfy_same_reading(&va, &vb));
	assume(i < LEN && !is_masked(i) && byte_differs(i));
	f = field_of(i);
	assume(f == VFY_NO_FIELD || fields[f].kind == VFY_STATE || fields[f].kind == VFY_DECLARES);
	/* of lists it is told, too, how they differ: that is no matter here */
	for (unsigned int k = 0; k < FIELDS; k++)
		assume(fields[k].kind != VFY_RECORDS && fields[k].kind != VFY_RING);
	told.i = i;
	told.field = f;
	compare();
	prove(!told.reading);
	prove(told.of_byte == 1);
	witness(f == 0 && fields[f].kind == VFY_DECLARES && told.times == 2);
	witness(f == VFY_NO_FIELD && told.times == 2);
}

/*
 * proof: verify/compare.c; without list_grown ring_grown; --unwind 5 */
void prove_compare_readings(void)
{
	any_row();
	any_values();
	assume(va.error != vb.error || va.code != vb.code);
	assume(!vfy_same_reading(&va, &vb));
	compare();
	prove(told.times == !(mask_whole[0] & 1));
	prove(implies(told.times, told.reading));
	witness(told.reading);
}
