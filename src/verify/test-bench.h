/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan of one row whose fields a test writes, and two snapshots of it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "verify/judge.h"

#define BENCH_OBSERVABLES 100u
#define BENCH_LEN 64u /* bytes of one value */

struct bench {
	struct vfy_observe_row row;
	struct vfy_field field[8];
	struct vfy_observable observable[BENCH_OBSERVABLES];
	struct vfy_plan plan;
	struct vfy_value values[2][BENCH_OBSERVABLES];
	uint8_t data[2][BENCH_OBSERVABLES * BENCH_LEN];
	struct vfy_snapshot before, after;
	uint8_t mask_bytes[BENCH_OBSERVABLES * BENCH_LEN / 8];
	uint8_t mask_whole[BENCH_OBSERVABLES / 8 + 1];
	struct vfy_mask mask;
	struct vfy_judgement j;
};

/* @n observables that are all zeroes in both snapshots, with no fields. */
static inline void bench_init(struct bench *b, size_t n, fwa_effects means)
{
	memset(b, 0, sizeof(*b));
	b->row = (struct vfy_observe_row){ .name = "row",
					   .title = "Row",
					   .field = b->field,
					   .means = means,
					   .name_as = means & -means };
	for (size_t i = 0; i < n; i++) {
		b->observable[i] = (struct vfy_observable){ .row = &b->row, .len = BENCH_LEN };
		for (int s = 0; s < 2; s++)
			b->values[s][i] = (struct vfy_value){ .len = BENCH_LEN,
							      .at = (uint32_t)(i * BENCH_LEN) };
	}
	b->plan = (struct vfy_plan){ .observable = b->observable, .n = n, .bytes = n * BENCH_LEN };
	b->before = (struct vfy_snapshot){ b->values[0], b->data[0], n, n * BENCH_LEN };
	b->after = (struct vfy_snapshot){ b->values[1], b->data[1], n, n * BENCH_LEN };
	b->mask = (struct vfy_mask){ b->mask_bytes, b->mask_whole, n * BENCH_LEN, n };
}

static inline struct vfy_field *bench_field(struct bench *b, uint32_t first, uint32_t last,
					    unsigned int kind, fwa_effects means)
{
	struct vfy_field *f = &b->field[b->row.n_fields++];

	*f = (struct vfy_field){ .name = "field",
				 .first = first,
				 .last = last,
				 .kind = (uint8_t)kind,
				 .means = means,
				 .name_as = means & -means };
	return f;
}

static inline const struct vfy_judgement *bench_judge(struct bench *b,
						      const struct vfy_claim *claim)
{
	vfy_judge(&b->plan, &b->mask, &b->before, &b->after, claim, 0, &b->j);
	return &b->j;
}

/* What changed under a claim of nothing. */
static inline const struct vfy_judgement *bench_changes(struct bench *b)
{
	return bench_judge(b, &(struct vfy_claim){ 0 });
}
