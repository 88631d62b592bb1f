/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching a device to which nothing is done.
 *
 * 1. What differs between readings of a device with nothing but time between them says nothing, and is
 *    masked. The first reading of a fresh device is not one of them: what is different from it, and then
 *    stays, was changed by observing, which sends only what is declared to change nothing. That is a
 *    finding like any other: its reading before is that of another fresh device.
 * 2. What does not survive being read, or is changed by it, is read no more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"

#define ROUNDS_MAX 24u /* so many observables may be left out until it is not worth while */
#define PAUSE_NS 5000000l

static void rest(void)
{
	const struct timespec t = { .tv_nsec = PAUSE_NS };

	nanosleep(&t, NULL);
}

static bool is_device_error(int r)
{
	return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO;
}

static const char not_survived[] = "the device does not survive that it is read";

/* --- what a reading does not survive ------------------------------------------------------------------ */

static bool by_command(const struct vfy_observable *o)
{
	return o->row->each != VFY_EACH_REGISTERS && o->row->each != VFY_EACH_MEDIA;
}

/* The commands that read the first @n observables. */
static int reading(const struct vfy_plan *plan, size_t n, struct vfy_sequence *ret)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct vfy_step step = vfy_command_step(&plan->observable[i].cmd);

		if (by_command(&plan->observable[i]))
			r = vfy_sequence_add(ret, &step);
	}
	return r;
}

static uint8_t kind_of(int error)
{
	if (error == -ETIMEDOUT)
		return VFY_HANG;
	return error == -ENODEV ? VFY_GONE : VFY_GARBAGE;
}

/* Whether a finding was added, or one that repeats another. */
static bool found_since(const struct vfy_campaign *c, size_t before)
{
	return c->n_findings + c->dropped > before;
}

/*
 * @core ends with the command that was not survived. 1 when it is that command's doing, 0 when it could not be
 * shown to be anybody's, negative errno; @error when it takes more than this one command.
 */
static int say_trouble(struct vfy_campaign *c, const struct vfy_sequence *core, int error)
{
	struct vfy_symptom s = { .kind = kind_of(error) };
	struct vfy_sequence none = { 0 };
	struct vfy_sequence last = { .step = &core->step[core->n - 1], .n = 1 };
	const struct vfy_known *known = vfy_known_find(c, last.step, &s);
	size_t before = c->n_findings + c->dropped;
	int r;

	if (known && known->is_finding)
		return 1;
	r = vfy_confirm(c, &none, &last, &s, VFY_TRY_BLIND);
	if (r < 0 || found_since(c, before))
		return r < 0 ? r : 1;
	s.at = core->n - 1;
	if (core->n > 1)
		r = vfy_confirm(c, &none, core, &s, VFY_TRY_BLIND);
	return r == 0 && found_since(c, before) ? error : r;
}

/* Observable @i was not read, with @error, after @earlier readings of all. 0 or negative errno. */
static int leave_out(struct vfy_campaign *c, uint32_t i, int error, unsigned int earlier)
{
	struct vfy_sequence core = { 0 };
	int r = 0;

	while (r == 0 && earlier--)
		r = reading(&c->plan, c->plan.n, &core);
	if (r == 0)
		r = reading(&c->plan, i + 1, &core);
	if (r == 0)
		r = vfy_engine_forget(c, i, not_survived);
	if (r == 0)
		r = vfy_engine_remake(c);
	if (r == 0 && core.n)
		r = say_trouble(c, &core, error);
	vfy_sequence_clear(&core);
	return r < 0 ? r : 0;
}

/* --- readings --------------------------------------------------------------------------------------- */

/* The @earlier-th reading of it. 0, 1 when something was left out and all begins anew, or negative errno. */
static int read_all(struct vfy_campaign *c, struct vfy_snapshot *ret, unsigned int earlier)
{
	int r = vfy_target_observe(&c->target, &c->plan, NULL, ret), left;

	c->snapshots++;
	if (!is_device_error(r) || !c->target.disposable)
		return r;
	for (size_t i = ret->n; i--;)
		if (ret->value[i].error == r) {
			left = leave_out(c, (uint32_t)i, r, earlier);
			return left < 0 ? left : 1;
		}
	return r;
}

/* Four readings, of which the first is in e->before and the second in e->after. */
static int watch(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	int r = vfy_engine_fresh(c, false);

	if (r == 0)
		r = read_all(c, &e->before, 0);
	if (r == 0)
		r = read_all(c, &e->after, 1);
	rest();
	if (r == 0)
		r = read_all(c, &e->spare, 2);
	rest();
	if (r == 0)
		r = read_all(c, &e->first, 3);
	if (r)
		return r;
	vfy_mask_learn(&c->mask, &c->plan, &e->after, &e->spare);
	vfy_mask_learn(&c->mask, &c->plan, &e->spare, &e->first);
	return 0;
}

/* Another fresh one's first reading, some time later, in e->first: what differs is of the device. */
static int watch_another(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	int r = vfy_engine_fresh(c, false);

	if (r < 0)
		return r;
	rest();
	r = read_all(c, &e->first, 0);
	if (r == 0)
		vfy_mask_learn(&e->apart, &c->plan, &e->before, &e->first);
	return r;
}

/* --- what observing does ------------------------------------------------------------------------------- */

static bool same_command(const struct vfy_step *step, const struct fwa_command *cmd)
{
	struct vfy_step other = vfy_command_step(cmd);

	return vfy_step_eq(step, &other);
}

/* Leaves out what the steps of @q read. How many, or negative errno. */
static int forget_all(struct vfy_campaign *c, const struct vfy_sequence *q, const char *why)
{
	int n = 0;

	for (size_t s = 0; s < q->n; s++)
		for (size_t i = c->plan.n; i--;) {
			int r;

			if (!by_command(&c->plan.observable[i]) ||
			    !same_command(&q->step[s], &c->plan.observable[i].cmd))
				continue;
			r = vfy_engine_forget(c, i, why);
			if (r < 0)
				return r;
			n++;
		}
	return n;
}

/* It could not be shown to be ours: that is how this device is. */
static int mask_first(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	int r = vfy_engine_fresh(c, false);

	if (r == 0)
		r = read_all(c, &e->before, 0);
	if (r == 0)
		r = read_all(c, &e->after, 1);
	if (r == 0)
		c->masked_late += vfy_mask_learn(&c->mask, &c->plan, &e->before, &e->after);
	return r;
}

/* 0, 1 to begin anew, or negative errno. */
static int accuse_observing(struct vfy_campaign *c, const struct vfy_symptom *s)
{
	struct vfy_sequence core = { 0 }, none = { 0 };
	size_t before = c->n_findings;
	int r = reading(&c->plan, c->plan.n, &core);

	if (r == 0)
		r = vfy_confirm(c, &none, &core, s, VFY_TRY_APART);
	vfy_sequence_clear(&core);
	if (r == 0 && c->n_findings > before)
		r = forget_all(c, &c->finding[c->n_findings - 1].sequence,
			       "reading it changes the device");
	else if (r == 0)
		r = mask_first(c);
	return r;
}

/* What is different after the first reading. 0, 1 to begin anew, or negative errno. */
static int judge_observing(struct vfy_campaign *c)
{
	static const struct vfy_sequence none;
	struct vfy_symptom all[VFY_SYMPTOMS_MAX];
	struct vfy_engine *e = c->engine;
	struct vfy_attempt a = { 0 };

	vfy_judge(&c->plan, &c->mask, &e->before, &e->after, &a.claim, 0, &a.judgement);
	a.judged = true;
	return vfy_symptoms(c, &none, &a, all) ? accuse_observing(c, &all[0]) : 0;
}

/*
 * @look: for what observing hides. That forgets what was learnt, so it is done until it finds nothing, and
 * then no more. 0, 1 to begin anew, or negative errno.
 */
static int learn_once(struct vfy_campaign *c, bool accuse, bool *look)
{
	int r = vfy_engine_remake(c);

	if (r == 0)
		r = watch(c);
	if (r == 0 && c->target.disposable)
		r = watch_another(c);
	if (r || !c->target.disposable || !accuse)
		return r;
	if (*look) {
		r = vfy_learn_hidden(c);
		*look = r == 1;
	}
	return r ? r : judge_observing(c);
}

int vfy_learn_device(struct vfy_campaign *c, bool accuse)
{
	bool look = true;
	int r = 1;

	for (unsigned int round = 0; r > 0 && round < ROUNDS_MAX; round++)
		r = learn_once(c, accuse, &look);
	return r > 0 ? -EPROTO : r;
}

/* --- resets ------------------------------------------------------------------------------------------- */

/* Twice: a second one may change what the first one brought. */
static int watch_resets(struct vfy_campaign *c, const struct vfy_step *reset)
{
	struct vfy_engine *e = c->engine;
	struct vfy_answer answer;
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		r = vfy_target_run(&c->target, NULL, reset, NULL, &answer, NULL);
		if (r == 0)
			r = vfy_target_observe(&c->target, &c->plan, NULL, &e->after);
		c->snapshots++;
		if (r == 0)
			vfy_mask_learn(&e->reset[reset->reset], &c->plan, &e->before, &e->after);
	}
	return r;
}

int vfy_learn_reset(struct vfy_campaign *c, unsigned int kind)
{
	struct vfy_step reset = { .kind = VFY_RESET, .reset = (uint8_t)kind };
	struct vfy_engine *e = c->engine;
	int r, again;

	if (e->resets_known >> kind & 1)
		return 0;
	r = vfy_engine_fresh(c, true);
	if (r < 0)
		return r;
	r = watch_resets(c, &reset);
	if (r == 0)
		e->resets_known |= (uint8_t)(1u << kind);
	/* A device that does not survive it is not asked for it again. */
	again = vfy_engine_fresh(c, true);
	return again < 0 ? again : r < 0 && r != -ENOMEM ? -EOPNOTSUPP : r;
}

/* --- the plan ----------------------------------------------------------------------------------------- */

struct asked {
	struct vfy_campaign *c;
	struct vfy_sequence all;
};

static int ask(void *userdata, const struct fwa_command *cmd, struct fwa_reply *reply)
{
	struct asked *asked = userdata;
	struct vfy_step step = vfy_command_step(cmd);

	vfy_sequence_add(&asked->all, &step); /* only to say it: what has no room is not said */
	return vfy_target_submit(&asked->c->target, cmd, reply);
}

/* The device did not survive the last that it was @asked: it is planned without asking, and that is not read. */
static int plan_without(struct vfy_campaign *c, const struct vfy_sequence *asked, int error)
{
	struct vfy_sequence last = { .step = &asked->step[asked->n - 1], .n = 1 };
	int said = say_trouble(c, asked, error), r;

	vfy_plan_clear(&c->plan);
	if (said < 0)
		return said;
	r = vfy_plan_make(&c->plan, c->target.profile, c->target.dev, NULL, NULL);
	if (r == 0 && said > 0)
		r = forget_all(c, &last, not_survived);
	return r < 0 ? r : 0;
}

int vfy_learn_plan(struct vfy_campaign *c)
{
	struct asked asked = { .c = c };
	int r = vfy_plan_make(&c->plan, c->target.profile, c->target.dev, ask, &asked);

	if (is_device_error(r) && asked.all.n)
		r = plan_without(c, &asked.all, r);
	vfy_sequence_clear(&asked.all);
	return r;
}
