/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A campaign from its beginning to its end: the declarations, learning, experiments while there are some and
 * the budget lasts, notes.
 */
#include "verify/campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"
#include "verify/safety.h"

#define PROGRESS_EVERY 256u

static uint64_t elapsed_ms(const struct vfy_campaign *c)
{
	return (fwa_clock_ns(CLOCK_MONOTONIC) - c->engine->started_ns) / FWA_NS_PER_MS;
}

bool vfy_is_out_of_budget(const struct vfy_campaign *c)
{
	const struct vfy_budget *b = &c->args.budget;

	if (c->args.stop && *c->args.stop)
		return true;
	return (b->commands && c->target.commands >= b->commands) ||
	       (b->ms && elapsed_ms(c) >= b->ms);
}

static void tell(struct vfy_campaign *c)
{
	c->elapsed_ms = elapsed_ms(c);
	if (c->args.progress)
		c->args.progress(c->args.userdata, c);
}

static int make_generator(struct vfy_campaign *c)
{
	struct vfy_generate_args args = {
		.profile = c->target.profile,
		.seed = c->args.seed,
		.probe = c->args.probe,
		.resets = c->target.dev->ops->reset != NULL,
		.only_set = c->args.only_set,
		.only_opcode = c->args.only_opcode,
		.phases = c->args.phases,
	};

	return vfy_generator_make(&args, &c->generator);
}

/* --- experiments ---------------------------------------------------------------------------------------- */

static bool is_device_error(int r)
{
	return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO;
}

/* The device is watched anew: what it does by itself now is learnt, or it cannot be watched any more. */
static int recover(struct vfy_campaign *c, int r)
{
	if (c->engine->lost || !c->target.disposable || !is_device_error(r))
		return r;
	r = vfy_learn_device(c, true);
	return r < 0 ? r : vfy_engine_fresh(c, true);
}

/* 1: one was run; 0: there is none left; negative errno. */
static int next(struct vfy_campaign *c)
{
	struct vfy_experiment x = { 0 };
	int r = vfy_generator_next(c->generator, &x);

	if (r > 0) {
		r = vfy_experiment_run(c, &x);
		if (r < 0)
			r = recover(c, r);
		r = r < 0 ? r : 1;
	}
	vfy_sequence_clear(&x.sequence);
	return r;
}

static int experiment(struct vfy_campaign *c)
{
	uint64_t next_tell = PROGRESS_EVERY;
	int r = 1;

	while (r > 0) {
		c->out_of_budget = vfy_is_out_of_budget(c);
		if (c->out_of_budget)
			return 0;
		r = next(c);
		if (c->experiments >= next_tell) {
			next_tell = c->experiments + PROGRESS_EVERY;
			tell(c);
		}
	}
	return r;
}

/* --- all of it -------------------------------------------------------------------------------------------- */

static int prepare(struct vfy_campaign *c)
{
	int r = vfy_rows_make(c);

	if (r == 0)
		r = vfy_contradictions(c);
	if (r == 0)
		r = vfy_learn_plan(c);
	if (r == 0)
		r = vfy_learn_device(c, true);
	if (r == 0)
		r = make_generator(c);
	return r < 0 ? r : vfy_engine_fresh(c, true);
}

/* A device that is lost on the way ends the campaign, and not what was found by then. */
static int run(struct vfy_campaign *c)
{
	int r = prepare(c);
	bool found = c->n_findings > 0;

	if (r == 0)
		r = experiment(c);
	if (r == 0)
		r = vfy_rows_refused(c);
	if (r < 0 && r != -ENOMEM && (found || c->experiments)) {
		c->inconclusive = true;
		r = 0;
	}
	return r < 0 ? r : vfy_rows_notes(c);
}

/*
 * A device that does not survive that it is opened and its declarations are read, each time: there is nothing
 * to be tried, and that is to be said. 0 then, else @r.
 */
static int say_useless(struct vfy_campaign *c, int r)
{
	uint32_t repeats = c->args.repeats ? c->args.repeats : 3;
	struct vfy_finding f = {
		.kind = r == -ETIMEDOUT ? VFY_HANG
			: r == -ENODEV  ? VFY_GONE
					: VFY_GARBAGE,
		.severity = VFY_HIGH,
		.runs = 1,
		.reproduced = 1,
	};

	if (!c->target.profile || !c->target.disposable || !is_device_error(r))
		return r;
	f.set = c->target.profile->family == FWA_FAMILY_NVME ? FWA_SET_NVME_ADMIN : FWA_SET_CXL;
	for (; f.runs < repeats; f.runs++)
		f.reproduced += vfy_target_fresh(&c->target) == r;
	if (f.reproduced < f.runs)
		return r;
	snprintf(f.text, sizeof(f.text), "%s", c->target.error);
	return vfy_finding_add(c, &f);
}

/* What was found is said of each command, too. */
static void fill_rows(struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_findings; i++) {
		const struct vfy_finding *f = &c->finding[i];
		struct vfy_row *row =
			f->has_opcode ? vfy_row_of(c, f->set, f->opcode, false) : NULL;

		if (row && vfy_finding_accuses(f))
			row->undeclared |= f->undeclared;
	}
}

int vfy_campaign_run(struct vfy_campaign *c, const struct vfy_campaign_args *args)
{
	int r;

	*c = (struct vfy_campaign){ .args = *args };
	r = vfy_engine_make(c);
	if (r < 0)
		return fwa_fail(c->target.error, r, "out of memory");
	r = vfy_target_open(&c->target, args->spec, args->timeout_ms);
	if (r < 0)
		return say_useless(c, r);
	r = vfy_may_probe(c->target.disposable, args->probe, &c->target.profile->id, args->serial,
			  c->target.error);
	if (r < 0)
		return r;
	r = run(c);
	if (r < 0 && !c->target.error[0])
		fwa_fail(c->target.error, r, "the device cannot be watched: %s", strerror(-r));
	c->inconclusive |= c->not_confirmed > 0;
	fill_rows(c);
	vfy_findings_sort(c);
	tell(c);
	return r;
}

void vfy_campaign_clear(struct vfy_campaign *c)
{
	c->generator = vfy_generator_free(c->generator);
	for (size_t i = 0; i < c->n_findings; i++)
		vfy_finding_clear(&c->finding[i]);
	free(c->finding);
	vfy_engine_clear(c);
	vfy_plan_clear(&c->plan);
	vfy_target_close(&c->target);
	*c = (struct vfy_campaign){ 0 };
}

const char *vfy_campaign_verdict(const struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_findings; i++)
		if (vfy_finding_accuses(&c->finding[i]))
			return "breach";
	return c->inconclusive ? "inconclusive" : "honest-so-far";
}
