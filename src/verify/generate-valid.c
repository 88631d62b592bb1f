/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Well-formed commands, from those that change nothing to those after which little works: reads first, as
 * what they return is what later values differ from; then what changes policy, log and configuration;
 * data; background work; firmware; security; and last what freezes it.
 *
 * All reads of one command are one experiment, each variation of what changes something is its own; but
 * of what the device has refused once, the other variations are one.
 */
#include <errno.h>
#include <stdlib.h>

#include "verify/generate-internal.h"
#include "wire/nvme.h"

#define READS 64u /* of one experiment */
#define FREEZE_SECURITY 0x4504

enum wear {
	WEAR_NONE,
	WEAR_SETTING,
	WEAR_DATA,
	WEAR_BACKGROUND,
	WEAR_FIRMWARE,
	WEAR_SECURITY,
	WEAR_FREEZE,
	WEARS,
};

enum job_kind {
	JOB_READS, /* all of the command's */
	JOB_FORM,
	JOB_SCENE,
};

struct vfy_valid_job {
	uint8_t kind, wear;
	uint8_t variation;
	uint32_t which; /* command, form or scene */
	uint32_t nth;   /* of the scene */
};

static enum wear wear_of(fwa_effects effects)
{
	if (effects & (FWA_EFFECT_SECURITY | FWA_EFFECT_NAMESPACE_INVENTORY))
		return WEAR_SECURITY;
	if (effects & FWA_EFFECT_BACKGROUND)
		return WEAR_BACKGROUND;
	return effects & FWA_EFFECT_DATA ? WEAR_DATA : WEAR_SETTING;
}

static enum wear wear_of_form(const struct vfy_form *f)
{
	struct fwa_command cmd = vfy_step_command(&f->step);

	if (cmd.set == FWA_SET_CXL && cmd.opcode == FREEZE_SECURITY)
		return WEAR_FREEZE;
	if (fwa_command_moves_firmware(&cmd))
		return WEAR_FIRMWARE;
	return wear_of(f->declared | f->floor);
}

/* --- the list ------------------------------------------------------------------------------------- */

/* Jobs in no order: into @to, or only counted where that is NULL. */
static uint32_t list(struct vfy_generator *g, struct vfy_valid_job *to)
{
	uint32_t n = 0, scene = 0, nth = 0;

	for (uint32_t i = 0; i < g->n_commands; i++) {
		const struct vfy_gen_command *c = &g->command[i];

		if (!c->n_forms || !vfy_gen_wanted(g, c->set, c->opcode))
			continue;
		if (to)
			to[n] = (struct vfy_valid_job){ .kind = JOB_READS, .which = i };
		n++;
		for (uint32_t f = c->first_form; f < c->first_form + c->n_forms; f++) {
			if (vfy_form_reads(&g->form[f]) || vfy_scene_only(&g->form[f]))
				continue;
			for (uint8_t v = 0; v < VFY_VARIATIONS; v++, n++)
				if (to)
					to[n] = (struct vfy_valid_job){
						.kind = JOB_FORM,
						.wear = (uint8_t)wear_of_form(&g->form[f]),
						.variation = v,
						.which = f,
					};
		}
	}
	for (; vfy_scene_next(g, &scene, &nth); nth++, n++)
		if (to)
			to[n] = (struct vfy_valid_job){
				.kind = JOB_SCENE,
				.wear = (uint8_t)wear_of(vfy_scene_effects(g, scene)),
				.which = scene,
				.nth = nth,
			};
	return n;
}

/* By wear, else as they were. */
static void sort(const struct vfy_valid_job *from, uint32_t n, struct vfy_valid_job *to)
{
	uint32_t at = 0;

	for (unsigned int wear = 0; wear < WEARS; wear++)
		for (uint32_t i = 0; i < n; i++)
			if (from[i].wear == wear)
				to[at++] = from[i];
}

static int make_list(struct vfy_generator *g)
{
	uint32_t n = list(g, NULL);
	struct vfy_valid_job *unsorted = calloc(n + 1u, sizeof(*unsorted));

	g->valid = calloc(n + 1u, sizeof(*g->valid));
	if (!unsorted || !g->valid) {
		free(unsorted);
		return -ENOMEM;
	}
	list(g, unsorted);
	sort(unsorted, n, g->valid);
	free(unsorted);
	g->n_valid = n;
	return 0;
}

void vfy_valid_clear(struct vfy_generator *g)
{
	free(g->valid);
	g->valid = NULL;
}

static int plan(struct vfy_generator *g)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->n_model_forms; i++)
		n += vfy_gen_wanted(g, g->form[i].step.set, g->form[i].step.opcode);
	g->planned[VFY_PHASE_VALID] = n;
	return g->valid ? 0 : make_list(g);
}

/* --- jobs ----------------------------------------------------------------------------------------- */

static void fill_reads(struct vfy_generator *g, uint32_t command)
{
	const struct vfy_gen_command *c = &g->command[command];

	vfy_burst_begin(g, READS, 1);
	for (uint32_t f = c->first_form; f < c->first_form + c->n_forms; f++)
		if (vfy_form_reads(&g->form[f]))
			vfy_burst_add(g, &g->form[f].step, f);
}

static void add_variation(struct vfy_generator *g, uint32_t form, unsigned int variation,
			  struct vfy_random *random)
{
	const struct vfy_form *f = &g->form[form];
	struct vfy_step step;

	if (vfy_input_valid(g, g->command[f->command].row, &f->choice, variation, random, &step))
		vfy_burst_add(g, &step, form);
}

/* A feature that cannot be read is one that the controller does not have. */
static bool is_missing(const struct vfy_generator *g, const struct vfy_form *f)
{
	struct vfy_choice like = f->choice;

	like.has_op = false;
	return f->step.set == FWA_SET_NVME_ADMIN && f->step.opcode == NVME_OP_SET_FEATURES &&
	       vfy_gen_command(g, FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES) &&
	       !vfy_taken(g, FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES, &like);
}

/* What the controller does not have is tried together, once each. */
static void fill_missing(struct vfy_generator *g, uint32_t form, struct vfy_random *random)
{
	const struct vfy_gen_command *c = &g->command[g->form[form].command];

	g->burst.writes = READS;
	for (uint32_t f = form; f < c->first_form + c->n_forms && g->burst.steps.n < READS; f++)
		if (!(g->form[f].sent_in >> VFY_PHASE_VALID & 1) && is_missing(g, &g->form[f]))
			add_variation(g, f, 0, random);
}

static void fill_form(struct vfy_generator *g, uint32_t form, unsigned int variation,
		      struct vfy_random *random)
{
	bool refused = g->form[form].state == VFY_FORM_REFUSED;

	vfy_burst_begin(g, READS, VFY_VARIATIONS);
	if (g->form[form].sent_in >> VFY_PHASE_VALID & 1 && is_missing(g, &g->form[form]))
		return;
	if (is_missing(g, &g->form[form])) {
		fill_missing(g, form, random);
		return;
	}
	if (refused && variation > 1)
		return;
	add_variation(g, form, variation, random);
	if (refused)
		for (unsigned int v = 2; v < VFY_VARIATIONS; v++)
			add_variation(g, form, v, random);
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_VALID, job);
	const struct vfy_valid_job *j;

	if (job >= g->n_valid)
		return false;
	j = &g->valid[job];
	switch (j->kind) {
	case JOB_READS:
		fill_reads(g, j->which);
		break;
	case JOB_FORM:
		fill_form(g, j->which, j->variation, &random);
		break;
	default:
		vfy_scene_play(g, j->which, j->nth, &random);
		break;
	}
	return true;
}

const struct vfy_phase_ops vfy_phase_valid = {
	.unit = "forms of commands", .by_forms = true, .plan = plan, .fill = fill
};
