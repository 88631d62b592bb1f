/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits for a reset: each form that declares so, and then each kind of reset that it declares. The
 * campaign looks before the reset, where nothing may have changed yet, and behind it.
 */
#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static const struct {
	fwa_effects effect;
	enum fwa_reset reset;
} resets[] = {
	{ FWA_EFFECT_CONFIG_COLD_RESET, FWA_RESET_COLD },
	{ FWA_EFFECT_CONFIG_CONV_RESET, FWA_RESET_CONVENTIONAL },
	{ FWA_EFFECT_CONFIG_CXL_RESET, FWA_RESET_CXL },
};
#define RESETS (sizeof(resets) / sizeof(resets[0]))

/* Another value than there is, and the same to be saved. */
static const uint8_t variations[] = { 0, 4 };
#define TRIES (RESETS * sizeof(variations))

/* Where the family has no bit for it, the model's word counts. */
static fwa_effects waits(const struct vfy_generator *g, const struct vfy_form *f)
{
	fwa_effects bits = g->nvme ? FWA_EFFECTS_NVME_DECLARABLE : FWA_EFFECTS_CXL_DECLARABLE;

	return (f->declared | (f->floor & ~bits)) & FWA_EFFECTS_RESET;
}

static bool is_meant(const struct vfy_generator *g, const struct vfy_form *f)
{
	return waits(g, f) && !vfy_scene_only(f) && f->risk < VFY_PROBES &&
	       vfy_gen_wanted(g, f->step.set, f->step.opcode);
}

static int plan(struct vfy_generator *g)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->n_model_forms; i++)
		n += is_meant(g, &g->form[i]);
	g->planned[VFY_PHASE_RESET] = n;
	return 0;
}

static bool add(struct vfy_generator *g, uint32_t form, unsigned int variation,
		struct vfy_random *random)
{
	const struct vfy_form *f = &g->form[form];
	struct vfy_step step;

	if (!vfy_input_valid(g, g->command[f->command].row, &f->choice, variation, random, &step))
		return false;
	vfy_burst_add(g, &step, form);
	return true;
}

/* The first form of @opcode, VFY_NO_FORM for none. */
static uint32_t first_of(const struct vfy_generator *g, uint8_t set, uint16_t opcode)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, set, opcode);

	return c && c->n_forms ? c->first_form : VFY_NO_FORM;
}

/* Firmware is there before it is activated. True when it was put there. */
static bool prepare(struct vfy_generator *g, const struct vfy_form *f, struct vfy_random *random)
{
	uint32_t before = VFY_NO_FORM;

	if (f->step.set == FWA_SET_CXL && f->step.opcode == CXL_OP_ACTIVATE_FW)
		before = first_of(g, FWA_SET_CXL, CXL_OP_TRANSFER_FW);
	if (f->step.set == FWA_SET_NVME_ADMIN && f->step.opcode == NVME_OP_FW_COMMIT)
		before = first_of(g, FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD);
	if (before == VFY_NO_FORM || !add(g, before, 0, random))
		return false;
	vfy_burst_settle(g);
	return true;
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_RESET, job);
	uint64_t form = job / TRIES, reset = job % TRIES % RESETS;
	unsigned int variation = variations[job % TRIES / RESETS];
	const struct vfy_form *f;

	if (form >= g->n_model_forms)
		return false;
	vfy_burst_begin(g, VFY_EXPERIMENT_STEPS, VFY_EXPERIMENT_STEPS);
	f = &g->form[form];
	if (!g->args.resets || !is_meant(g, f) || !(waits(g, f) & resets[reset].effect))
		return true;
	g->burst.together = true;
	g->burst.deferred = true;
	if (prepare(g, f, &random) && variation == 0 && f->step.opcode == CXL_OP_ACTIVATE_FW)
		variation = VFY_IN_SCENE;
	if (!add(g, (uint32_t)form, variation, &random))
		g->burst.spoiled = true;
	vfy_burst_reset(g, resets[reset].reset);
	return true;
}

const struct vfy_phase_ops vfy_phase_reset = {
	.unit = "forms of commands", .by_forms = true, .plan = plan, .fill = fill
};
