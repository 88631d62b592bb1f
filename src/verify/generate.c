/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of the phases, and what was tried of each.
 */
#include "verify/generate.h"

#include <errno.h>
#include <stdlib.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"

static const struct vfy_phase_ops *const phases[VFY_PHASES] = {
	[VFY_PHASE_VALID] = &vfy_phase_valid,         [VFY_PHASE_BOUNDARY] = &vfy_phase_boundary,
	[VFY_PHASE_MALFORMED] = &vfy_phase_malformed, [VFY_PHASE_RESET] = &vfy_phase_reset,
	[VFY_PHASE_VENDOR] = &vfy_phase_vendor,       [VFY_PHASE_REPEAT] = &vfy_phase_repeat,
	[VFY_PHASE_PAIRS] = &vfy_phase_pairs,         [VFY_PHASE_TRIPLES] = &vfy_phase_triples,
	[VFY_PHASE_TRIGGERS] = &vfy_phase_triggers,   [VFY_PHASE_SWEEP] = &vfy_phase_sweep,
	[VFY_PHASE_RANDOM] = &vfy_phase_random,
};

static const char *const names[VFY_PHASES] = { "valid",    "boundary", "malformed", "reset",
					       "vendor",   "repeat",   "pairs",     "triples",
					       "triggers", "sweep",    "random" };

const char *vfy_phase_name(unsigned int phase)
{
	return phase < VFY_PHASES ? names[phase] : NULL;
}

/* Whether the phase is one of those that were asked for. */
static bool is_asked_for(const struct vfy_generator *g, unsigned int phase)
{
	return phases[phase] && (!g->args.phases || g->args.phases >> phase & 1);
}

static uint32_t mailbox_of(const struct fwa_profile *p)
{
	if (!p->payload_max)
		return CXL_PAYLOAD_MIN;
	return vfy_least(p->payload_max, CXL_PAYLOAD_MAX);
}

static int set_up(struct vfy_generator *g, const struct vfy_generate_args *args)
{
	int r;

	g->args = *args;
	g->profile = args->profile;
	g->nvme = args->profile->has_nvme || args->profile->family == FWA_FAMILY_NVME;
	g->mailbox = mailbox_of(args->profile);
	g->room = g->mailbox > VFY_NVME_DATA_MAX ? g->mailbox : VFY_NVME_DATA_MAX;
	g->looking_into = VFY_SLOW_MAX;
	g->data = calloc(1, g->room);
	if (!g->data)
		return -ENOMEM;
	r = vfy_forms_make(g);
	for (unsigned int i = 0; r == 0 && i < VFY_PHASES; i++)
		if (is_asked_for(g, i))
			r = phases[i]->plan(g);
	return r;
}

int vfy_generator_make(const struct vfy_generate_args *args, struct vfy_generator **ret)
{
	struct vfy_generator *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	r = set_up(g, args);
	if (r < 0)
		vfy_generator_free(g);
	else
		*ret = g;
	return r;
}

struct vfy_generator *vfy_generator_free(struct vfy_generator *g)
{
	if (!g)
		return NULL;
	vfy_burst_clear(&g->burst);
	vfy_forms_clear(g);
	vfy_valid_clear(g);
	vfy_vendor_clear(g);
	vfy_order_clear(g);
	vfy_trigger_clear(g);
	vfy_slow_clear(g);
	free(g->data);
	free(g);
	return NULL;
}

/* The next burst, with anything in it or not: 1, 0 when all phases are over, negative errno. */
static int fill_next(struct vfy_generator *g)
{
	if (g->ops && vfy_slow_fill(g, is_asked_for(g, VFY_PHASE_RANDOM)))
		return 1;
	for (; g->phase < VFY_PHASES; g->phase++, g->job = 0, g->ops = NULL) {
		int r = 0;

		if (!is_asked_for(g, g->phase))
			continue;
		if (!g->ops)
			r = phases[g->phase]->plan(g);
		if (r < 0)
			return r;
		g->ops = phases[g->phase];
		if (g->ops->fill(g, g->job++))
			return 1;
	}
	return 0;
}

static int next_burst(struct vfy_generator *g)
{
	int r = fill_next(g);

	if (r > 0)
		vfy_burst_ready(g);
	return r > 0 && g->burst.error ? g->burst.error : r;
}

int vfy_generator_next(struct vfy_generator *g, struct vfy_experiment *ret)
{
	int r = g->failed;

	if (r < 0)
		return r;
	vfy_burst_count(g, true);
	do {
		r = vfy_burst_cut(g, ret);
		if (r == 0) {
			r = next_burst(g);
			if (r <= 0)
				return r;
			r = 0;
		}
	} while (r == 0);
	return r;
}

static int learn(struct vfy_generator *g, uint32_t form, const struct vfy_step *step,
		 const struct vfy_answer *answer)
{
	int r = 0;

	if (form != VFY_NO_FORM)
		vfy_learn(g, form, step, answer);
	else if (g->phase == VFY_PHASE_VENDOR)
		r = vfy_vendor_learn(g, step, answer);
	return r < 0 ? r : vfy_slow_learn(g, step, answer);
}

static bool is_lost(const struct vfy_answer *a)
{
	return a->error == -ENODEV || a->error == -ETIMEDOUT || a->error == -EPROTO;
}

/* The device died, or hung, at @step. */
static void note_loss(struct vfy_generator *g, const struct vfy_step *step)
{
	struct vfy_gen_command *c = vfy_gen_command(g, step->set, step->opcode);

	if (!c || step->kind != VFY_COMMAND)
		return;
	c->lost++;
	c->lost_shaped += vfy_step_is_shaped(g->profile, step);
}

void vfy_generator_answered(struct vfy_generator *g, const struct vfy_experiment *e,
			    const struct vfy_answer *answer, size_t n)
{
	vfy_burst_count(g, answer);
	if (!answer || e->sequence.n != g->n_last)
		return;
	n = vfy_least(n, g->n_last);
	for (size_t i = 0; i < n; i++)
		if (e->sequence.step[i].kind == VFY_COMMAND &&
		    learn(g, g->last[i], &e->sequence.step[i], &answer[i]) < 0)
			g->failed = -ENOMEM;
	vfy_slow_answered(g, e, answer, n);
	if (n && is_lost(&answer[n - 1])) {
		note_loss(g, &e->sequence.step[n - 1]);
		vfy_burst_resume(g, n - 1);
	}
}

void vfy_generator_coverage(const struct vfy_generator *g, unsigned int phase,
			    struct vfy_coverage *ret)
{
	*ret = (struct vfy_coverage){ .unit = "" };
	if (phase >= VFY_PHASES || !phases[phase])
		return;
	*ret = (struct vfy_coverage){
		.planned = g->planned[phase],
		.done = g->done[phase],
		.unit = phases[phase]->unit,
	};
}
