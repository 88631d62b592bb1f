/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was seen of each command, and what was declared and never seen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/decide.h"
#include "core/status.h"
#include "verify/engine.h"
#include "wire/cxl.h"

#define SLOW_LEAST_NS (20 * 1000000ull)
#define SLOW_BITS 5u /* 32 times the median */
#define SLOW_ANSWERS 16u
#define REFUSED_LEAST 2u

void vfy_rows_clear(struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_rows; i++)
		vfy_sequence_clear(&c->engine->counts[i].refused);
	free(c->engine->counts);
	c->engine->counts = NULL;
	free(c->row);
	c->row = NULL;
	c->n_rows = 0;
}

static int add_row(struct vfy_campaign *c, unsigned int set, uint16_t opcode, bool listed)
{
	struct vfy_row *more = reallocarray(c->row, c->n_rows + 1, sizeof(*more));
	struct vfy_counts *counts;
	struct fwa_decision d = { 0 };

	if (!more)
		return -ENOMEM;
	c->row = more;
	counts = reallocarray(c->engine->counts, c->n_rows + 1, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	c->engine->counts = counts;
	counts[c->n_rows] = (struct vfy_counts){ 0 };
	fwa_opcode_effects(c->target.profile, set, opcode, &d);
	c->row[c->n_rows++] = (struct vfy_row){
		.set = (uint8_t)set,
		.opcode = opcode,
		.listed = listed,
		.declared = d.declared,
		.floor = d.floor,
	};
	return 0;
}

int vfy_rows_make(struct vfy_campaign *c)
{
	unsigned int set = 0;
	int32_t opcode = -1;
	int r = 0;

	while (r == 0 && fwa_profile_next(c->target.profile, &set, &opcode))
		r = add_row(c, set, (uint16_t)opcode, true);
	return r;
}

struct vfy_row *vfy_row_of(struct vfy_campaign *c, unsigned int set, uint16_t opcode, bool make)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (c->row[i].set == set && c->row[i].opcode == opcode)
			return &c->row[i];
	return make && add_row(c, set, opcode, false) == 0 ? &c->row[c->n_rows - 1] : NULL;
}

struct vfy_counts *vfy_counts_of(struct vfy_campaign *c, unsigned int set, uint16_t opcode)
{
	const struct vfy_row *row = vfy_row_of(c, set, opcode, false);

	return row ? &c->engine->counts[row - c->row] : NULL;
}

/* --- how long answers take ----------------------------------------------------------------------------- */

static unsigned int bits_of(uint64_t ns)
{
	return ns ? 63 - (unsigned int)__builtin_clzll(ns) : 0;
}

uint64_t vfy_counts_slow(const struct vfy_campaign *c, unsigned int set, uint16_t opcode)
{
	const struct vfy_counts *k = vfy_counts_of((struct vfy_campaign *)c, set, opcode);
	uint32_t below = 0;
	uint64_t slow;

	if (!k || k->answers < SLOW_ANSWERS)
		return UINT64_MAX;
	for (unsigned int i = 0; i < 64 - SLOW_BITS; i++) {
		below += k->took[i];
		if (below * 2 < k->answers)
			continue;
		slow = 2ull << (i + SLOW_BITS - 1);
		return slow > SLOW_LEAST_NS ? slow : SLOW_LEAST_NS;
	}
	return UINT64_MAX;
}

static void count_answer(const struct vfy_campaign *c, struct vfy_counts *k,
			 const struct vfy_step *step, const struct vfy_answer *answer)
{
	bool useless =
		answer->error == -ENODEV || answer->error == -ETIMEDOUT || answer->error == -EPROTO;
	bool unsupported =
		step->set == FWA_SET_CXL && !answer->error && answer->code == CXL_RC_UNSUPPORTED;

	if (unsupported && !k->unsupported++)
		vfy_sequence_add(&k->refused, step); /* no room: it is only not said */
	k->took[bits_of(answer->took_ns)]++;
	k->answers++;
	if (useless) {
		k->useless++;
		k->useless_shaped += vfy_step_is_shaped(c->target.profile, step);
	}
}

/* --- what they did ------------------------------------------------------------------------------------- */

/* The only command of the judged part, however often; NULL when there are several. */
static const struct vfy_step *only_command(const struct vfy_sequence *q)
{
	const struct vfy_step *only = NULL;

	for (size_t i = 0; i < q->n; i++) {
		const struct vfy_step *step = &q->step[i];

		if (step->kind != VFY_COMMAND)
			continue;
		if (only && (only->set != step->set || only->opcode != step->opcode))
			return NULL;
		only = step;
	}
	return only;
}

void vfy_rows_count(struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a)
{
	const struct vfy_step *only = only_command(q);

	for (size_t i = 0; i < q->n && i < a->n; i++) {
		const struct vfy_step *step = &q->step[i];
		bool done = !a->answer[i].error && fwa_status_ok(step->set, a->answer[i].code);
		struct vfy_row *row;

		if (step->kind != VFY_COMMAND)
			continue;
		/* What is not declared gets a row when it is answered. */
		row = vfy_row_of(c, step->set, step->opcode, done);
		if (!row)
			continue;
		count_answer(c, &c->engine->counts[row - c->row], step, &a->answer[i]);
		row->tried++;
		row->succeeded += done;
		if (a->judged && step == only)
			row->observed |= a->judgement.observed;
		else if (a->judged) /* of several, whoever says so may have done it */
			row->observed |= a->judgement.observed & (row->declared | row->floor);
	}
}

/* --- what they did not do ------------------------------------------------------------------------------- */

static int note(struct vfy_campaign *c, const struct vfy_row *row, unsigned int kind)
{
	struct vfy_finding f = {
		.kind = (uint8_t)kind,
		.severity = VFY_NOTE,
		.set = row->set,
		.has_opcode = true,
		.opcode = row->opcode,
		.claim = { .declared = row->declared, .floor = row->floor, .listed = row->listed },
		.observed = row->observed,
		.runs = (uint32_t)row->tried,
		.reproduced = (uint32_t)row->tried,
	};

	vfy_finding_text(&f, 0);
	return vfy_finding_add(c, &f);
}

int vfy_rows_refused(struct vfy_campaign *c)
{
	const struct vfy_symptom s = { .kind = VFY_CONTRADICTION, .code = CXL_RC_UNSUPPORTED };
	static const struct vfy_sequence none;
	int r = 0;

	c->engine->ending = true;
	for (size_t i = 0; i < c->n_rows && r == 0; i++) {
		const struct vfy_row *row = &c->row[i];
		const struct vfy_counts *k = &c->engine->counts[i];

		if (row->listed && row->tried >= REFUSED_LEAST && k->unsupported == row->tried &&
		    k->refused.n)
			r = vfy_confirm(c, &none, &k->refused, &s, 0);
	}
	return r;
}

int vfy_rows_notes(struct vfy_campaign *c)
{
	int r = 0;

	for (size_t i = 0; i < c->n_rows && r == 0; i++) {
		const struct vfy_row *row = &c->row[i];
		const struct vfy_counts *k = &c->engine->counts[i];

		if (row->listed && row->succeeded &&
		    vfy_never_seen(row->declared, row->floor, row->observed))
			r = note(c, row, VFY_NEVER_SEEN);
		if (r == 0 && k->waited && !k->came)
			r = note(c, row, VFY_NEVER_CAME);
	}
	return r;
}
