/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random inputs, a mix of everything, until the budget ends: forms with other values, forms that are bent
 * somewhere, reads in any order with something that changes things between them, contents of triggers
 * anywhere, vendor commands and undeclared opcodes with anything.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define BENT 16u /* of one form, in one experiment */
#define READS 64u
#define DEAR 16u        /* times less often */
#define TRIES 64u       /* to find what is meant */
#define EMPTY_MAX 4096u /* jobs without a step, one after the other: there is nothing to send */

static bool is_usable(const struct vfy_generator *g, const struct vfy_form *f)
{
	return f->risk <= g->args.probe && g->command[f->command].lost_shaped < VFY_LOST_MAX &&
	       vfy_gen_wanted(g, f->step.set, f->step.opcode);
}

/*
 * What keeps the device busy for a while, and what may leave it of no further use, has its turn less often:
 * each costs the time of many others.
 */
static bool is_dear(const struct vfy_generator *g, const struct vfy_form *f)
{
	return (f->declared | f->floor) & (FWA_EFFECT_BACKGROUND | FWA_EFFECT_SECURITY);
}

/* Any form that may be sent, rather one that the device takes; VFY_NO_FORM when none turned up. */
static uint32_t any_form(const struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t found = VFY_NO_FORM;

	for (unsigned int i = 0; g->n_forms && i < TRIES; i++) {
		uint32_t form = vfy_random_below(random, g->n_forms);

		if (!is_usable(g, &g->form[form]) ||
		    (is_dear(g, &g->form[form]) && vfy_random_below(random, DEAR)))
			continue;
		found = form;
		if (g->form[form].state == VFY_FORM_TAKEN)
			break;
	}
	return found;
}

static void add_variation(struct vfy_generator *g, uint32_t form, struct vfy_random *random)
{
	const struct vfy_form *f = &g->form[form];
	const struct fwa_model_command *row = g->command[f->command].row;
	struct vfy_step step;

	if (row && vfy_input_valid(g, row, &f->choice, vfy_random_below(random, VFY_VARIATIONS),
				   random, &step))
		vfy_burst_add(g, &step, form);
	else
		vfy_burst_add(g, &f->step, form);
}

/* --- what a job is -------------------------------------------------------------------------------- */

static void other_values(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t form = any_form(g, random);

	if (form != VFY_NO_FORM)
		add_variation(g, form, random);
}

static void bend_bytes(struct vfy_step *step, uint32_t mailbox, struct vfy_random *random)
{
	uint32_t at, len;

	switch (vfy_random_below(random, 6)) {
	case 0: /* another length */
		len = vfy_random_below(random, vfy_least(step->payload_len + 32, mailbox) + 1);
		if (len > step->payload_len)
			vfy_random_fill(random, step->payload + step->payload_len,
					len - step->payload_len);
		step->payload_len = len;
		return;
	case 1: /* a bit */
		if (step->payload_len)
			step->payload[vfy_random_below(random, step->payload_len)] ^=
				(uint8_t)(1u << vfy_random_below(random, 8));
		return;
	case 2: /* a run of equal bytes */
		at = vfy_random_below(random, step->payload_len);
		len = vfy_random_below(random, step->payload_len - at + 1);
		memset(step->payload + at, vfy_random(random) & 1 ? 0xff : 0, len);
		return;
	default: /* a byte */
		if (step->payload_len)
			step->payload[vfy_random_below(random, step->payload_len)] =
				(uint8_t)vfy_random(random);
		return;
	}
}

static void bend_dwords(struct vfy_step *step, struct vfy_random *random)
{
	unsigned int i = vfy_random_below(random, 6);

	switch (vfy_random_below(random, 4)) {
	case 0:
		step->cdw[i] ^= 1u << vfy_random_below(random, 32);
		break;
	case 1:
		step->cdw[i] = (uint32_t)vfy_random(random);
		break;
	case 2:
		step->cdw[i] = vfy_random_below(random, 16);
		break;
	default:
		step->nsid = vfy_random_below(random, 4) - 1;
		break;
	}
}

static void bent(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t form = any_form(g, random);

	for (unsigned int i = 0; form != VFY_NO_FORM && i < BENT; i++) {
		struct vfy_step step = vfy_step_copy(g, &g->form[form].step);

		for (uint32_t n = 1 + vfy_random_below(random, 4); n; n--)
			if (step.set == FWA_SET_CXL)
				bend_bytes(&step, g->mailbox, random);
			else
				bend_dwords(&step, random);
		vfy_burst_add(g, &step, form);
	}
}

static void reads(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t write = any_form(g, random), n = 1 + vfy_random_below(random, READS);

	g->burst.mixed = true;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t form = any_form(g, random);

		if (form != VFY_NO_FORM && vfy_form_reads(&g->form[form]))
			vfy_burst_add(g, &g->form[form].step, form);
		if (write != VFY_NO_FORM && !vfy_random_below(random, 8))
			vfy_burst_add(g, &g->form[write].step, write);
	}
}

static void carried(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t form = any_form(g, random);
	uint8_t content[VFY_CONTENT];

	for (unsigned int i = 0; form != VFY_NO_FORM && i < BENT; i++) {
		struct vfy_step step = vfy_step_copy(g, &g->form[form].step);
		uint32_t which = vfy_random_below(random, vfy_contents(g));
		uint32_t len = (uint32_t)vfy_content(g, which, content), at;

		len = vfy_least(len, step.payload_len);
		at = vfy_random_below(random, step.payload_len - len + 1);
		memcpy(step.payload + at, content, len);
		if (step.set != FWA_SET_CXL)
			step.cdw[1 + vfy_random_below(random, 5)] = fwa_le32(content);
		vfy_burst_add(g, &step, form);
	}
}

/* A command with anything as its payload and its dwords. */
static void anything(struct vfy_generator *g, uint8_t set, uint16_t opcode,
		     struct vfy_random *random)
{
	struct vfy_step step = {
		.kind = VFY_COMMAND, .set = set, .opcode = opcode, .payload = g->data
	};

	if (set == FWA_SET_CXL) {
		step.payload_len = vfy_random_below(random, vfy_least(g->mailbox, 128) + 1);
	} else {
		if (NVME_DIR(opcode) & NVME_DIR_FROM_DEVICE)
			step.out_len = NVME_PAGE_LEN;
		else if (NVME_DIR(opcode) == NVME_DIR_TO_DEVICE)
			step.payload_len = NVME_PAGE_LEN;
		step.nsid = vfy_random(random) & 1;
		step.cdw[0] = vfy_random_below(random, NVME_PAGE_LEN / 4);
		for (unsigned int i = 2; i < 6; i++)
			step.cdw[i] = vfy_random(random) & 1 ? (uint32_t)vfy_random(random) : 0;
	}
	vfy_random_fill(random, g->data, step.payload_len);
	vfy_burst_add(g, &step, VFY_NO_FORM);
}

static void vendor(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t c = vfy_random_below(random, g->n_commands);

	for (unsigned int i = 0; i < BENT && g->n_commands; i++)
		if (!g->command[c].row &&
		    vfy_gen_wanted(g, g->command[c].set, g->command[c].opcode))
			anything(g, g->command[c].set, g->command[c].opcode, random);
}

static void undeclared(struct vfy_generator *g, struct vfy_random *random)
{
	struct fwa_declared ignored;

	for (unsigned int i = 0; i < READS; i++) {
		uint8_t set = g->nvme ? (uint8_t)(FWA_SET_NVME_ADMIN + (vfy_random(random) & 1))
				      : FWA_SET_CXL;
		uint16_t opcode = (uint16_t)vfy_random_below(random, g->nvme ? 256 : 65536);

		if (vfy_gen_wanted(g, set, opcode) &&
		    !fwa_profile_declared(g->profile, set, opcode, &ignored))
			anything(g, set, opcode, random);
	}
}

/* --- the phase ------------------------------------------------------------------------------------ */

/* Without an end. */
static int plan(struct vfy_generator *g)
{
	vfy_content_plan(g);
	g->planned[VFY_PHASE_RANDOM] = 0;
	return 0;
}

static void fill_one(struct vfy_generator *g, struct vfy_random *random)
{
	uint32_t kind = vfy_random_below(random, 20);

	vfy_burst_begin(g, READS, BENT);
	if (kind < 6)
		other_values(g, random);
	else if (kind < 11)
		bent(g, random);
	else if (kind < 14)
		reads(g, random);
	else if (kind < 17)
		carried(g, random);
	else if (kind < 19)
		vendor(g, random);
	else
		undeclared(g, random);
	g->burst.units = g->burst.steps.n;
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_RANDOM, job);

	for (unsigned int i = 0; i < EMPTY_MAX; i++) {
		fill_one(g, &random);
		if (g->burst.steps.n || g->burst.error)
			return true;
	}
	return false;
}

const struct vfy_phase_ops vfy_phase_random = { .unit = "inputs", .plan = plan, .fill = fill };
