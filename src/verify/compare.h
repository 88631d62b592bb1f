/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different between two snapshots of one plan, field by field. Pure.
 *
 * What a field's kind explains is no difference: a counter that grew, a clock that went on, whatever is
 * volatile. Snapshots are what a device sent, so nothing here trusts a length in one of them.
 */
#pragma once

#include "verify/observe.h"

struct vfy_difference {
	uint32_t observable;
	uint8_t field;        /* VFY_NO_FIELD: in none of them, or the reading itself */
	bool reading;         /* one of them could be read, or both failed with different codes */
	bool grown;           /* records: only new ones */
	uint32_t first, last; /* the first and last byte of the value that differ */
};

/* @mask may be NULL. Calls @fn for each difference, in the order of the plan. */
void vfy_compare(const struct vfy_plan *plan, const struct vfy_mask *mask,
		 const struct vfy_snapshot *before, const struct vfy_snapshot *after,
		 void (*fn)(void *userdata, const struct vfy_difference *d), void *userdata);

/* One was taken over from the other: nobody reads twice at one time. */
bool vfy_same_reading(const struct vfy_value *a, const struct vfy_value *b);

/* Bit @i of @bits, which has @n. */
static inline bool vfy_bit(const uint8_t *bits, size_t n, size_t i)
{
	return bits && i < n && bits[i / 8] >> (i % 8) & 1;
}
