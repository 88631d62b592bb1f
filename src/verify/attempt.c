/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a sequence, and what is different after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/status.h"
#include "verify/engine.h"
#include "wire/cxl.h"

#define SETTLE_MS 10000u
#define IDLE_MAX_NS (2 * FWA_NS_PER_S) /* of a control */

size_t vfy_judged_part(const struct vfy_sequence *q)
{
	size_t at = q->n;

	while (at && q->step[at - 1].kind != VFY_OBSERVE)
		at--;
	return at;
}

void vfy_attempt_clear(struct vfy_attempt *a)
{
	free(a->answer);
	*a = (struct vfy_attempt){ 0 };
}

/* Room for the answers to @n steps. */
static int make_room(struct vfy_attempt *a, size_t n)
{
	struct vfy_answer *more;

	if (n <= a->room)
		return 0;
	more = reallocarray(a->answer, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + a->room, 0, (n - a->room) * sizeof(*more));
	a->answer = more;
	a->room = n;
	return 0;
}

static bool is_device_error(int r)
{
	return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO;
}

/* --- steps ------------------------------------------------------------------------------------------ */

/* The observable whose reading failed, by the snapshot that it failed in. */
static uint32_t failed_observable(const struct vfy_snapshot *s, int error)
{
	for (size_t i = s->n; i--;)
		if (s->value[i].error == error)
			return (uint32_t)i;
	return UINT32_MAX;
}

static int observe(struct vfy_campaign *c, size_t at, const struct vfy_snapshot *previous,
		   struct vfy_snapshot *ret, struct vfy_attempt *a)
{
	int r = vfy_target_observe(&c->target, &c->plan, previous, ret);

	c->snapshots++;
	if (!is_device_error(r))
		return r;
	a->error = r;
	a->at = at;
	a->at_observable = failed_observable(ret, r);
	return 0;
}

static void begin_judged_part(struct vfy_attempt *a)
{
	a->claim = (struct vfy_claim){ 0 };
	a->by_reply = 0;
	a->resets = 0;
	a->failed = false;
}

/* What the answer to a command says besides its data. */
static void take_answer(struct vfy_campaign *c, const struct vfy_step *step,
			const struct vfy_answer *answer, struct vfy_attempt *a)
{
	struct fwa_command cmd = vfy_step_command(step);
	bool done = !answer->error && fwa_status_ok(step->set, answer->code);

	a->failed = !done && (a->failed || !a->claim.n);
	vfy_claim_add(&a->claim, c->target.profile, &cmd);
	if (step->set == FWA_SET_CXL && answer->code == CXL_RC_BACKGROUND)
		a->by_reply |= FWA_EFFECT_BACKGROUND;
}

static int perform_step(struct vfy_campaign *c, const struct vfy_sequence *q, size_t i,
			struct vfy_attempt *a)
{
	const struct vfy_step *step = &q->step[i];
	struct vfy_answer *answer = &a->answer[i];
	uint32_t beyond = 0;
	int r;

	if (step->kind == VFY_OBSERVE) {
		begin_judged_part(a);
		return observe(c, i, a->light ? &c->engine->before : NULL, &c->engine->before, a);
	}
	r = vfy_target_run(&c->target, &c->plan, step, &c->engine->spare, answer, &beyond);
	if (step->kind == VFY_COMMAND) {
		answer->error = answer->error || r == 0 ? answer->error : r;
		take_answer(c, step, answer, a);
	}
	if (step->kind == VFY_RESET && r == 0) {
		vfy_claim_reset(&a->claim, step->reset);
		a->resets |= (uint8_t)(1u << step->reset);
	}
	if (beyond && !a->beyond) {
		a->beyond = beyond;
		a->beyond_at = i;
	}
	a->took_ns += answer->took_ns;
	if (r == -ENOMEM)
		return r;
	/* What was not sent, cannot be done or is not over yet, ends nothing. */
	if (is_device_error(r) && step->kind != VFY_SETTLE) {
		a->error = r;
		a->at = i;
	}
	return 0;
}

int vfy_perform(struct vfy_campaign *c, const struct vfy_sequence *q, size_t from, size_t to,
		struct vfy_attempt *a)
{
	int r = make_room(a, to);

	for (size_t i = from; i < to && r == 0 && !a->error; i++) {
		r = perform_step(c, q, i, a);
		a->n = i + 1;
	}
	return r;
}

/* --- afterwards ------------------------------------------------------------------------------------- */

/* Whether the transport says, without a command, that work goes on. */
static bool works_on(struct vfy_campaign *c)
{
	struct fwa_device *dev = c->target.dev;
	uint8_t percent;

	return dev->ops->progress && dev->ops->progress(dev, &percent) == 1;
}

static bool may_work_on(const struct vfy_attempt *a)
{
	return a->settle ||
	       (a->claim.declared | a->claim.floor | a->by_reply) & FWA_EFFECT_BACKGROUND;
}

/* What does not end is judged as it is; whether the device still answers is then seen by observing. */
static int settle(struct vfy_campaign *c, struct vfy_attempt *a)
{
	uint64_t start = fwa_clock_ns(CLOCK_MONOTONIC), sent;
	int r;

	if (works_on(c))
		a->by_reply |= FWA_EFFECT_BACKGROUND;
	if (!may_work_on(a))
		return 0;
	sent = c->target.commands;
	r = vfy_target_settle(&c->target, SETTLE_MS);
	/* A control asks as often, though nothing runs: who answers may lie. */
	while (r == 0 && c->target.commands != sent && c->target.commands - sent < a->asked) {
		uint64_t before = c->target.commands;

		r = vfy_target_settle(&c->target, 0);
		if (c->target.commands == before)
			break;
	}
	a->asked = c->target.commands - sent;
	a->took_ns += fwa_clock_ns(CLOCK_MONOTONIC) - start;
	return r == -ENOMEM ? r : 0;
}

/* @a |= @b */
static void add_mask(struct vfy_mask *a, const struct vfy_mask *b)
{
	for (size_t i = 0; i < (a->n_bytes + 7) / 8; i++)
		a->bytes[i] |= b->bytes[i];
	for (size_t i = 0; i < (a->n + 7) / 8; i++)
		a->whole[i] |= b->whole[i];
}

static void copy_mask(struct vfy_mask *a, const struct vfy_mask *b)
{
	memcpy(a->bytes, b->bytes, (a->n_bytes + 7) / 8);
	memcpy(a->whole, b->whole, (a->n + 7) / 8);
}

static void hide(struct vfy_mask *m, const struct vfy_plan *plan, bool rare)
{
	for (size_t i = 0; i < plan->n && i < m->n; i++)
		if (plan->observable[i].rare == rare)
			m->whole[i / 8] |= (uint8_t)(1u << (i % 8));
}

/* All that says nothing after @a. */
static const struct vfy_mask *mask_for(struct vfy_campaign *c, const struct vfy_attempt *a,
				       enum vfy_which which)
{
	struct vfy_engine *e = c->engine;

	if (!a->apart && !a->resets && which == VFY_ALL)
		return &c->mask;
	copy_mask(&e->scratch, &c->mask);
	if (a->apart)
		add_mask(&e->scratch, &e->apart);
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++)
		if (a->resets >> kind & 1)
			add_mask(&e->scratch, &e->reset[kind]);
	if (which != VFY_ALL)
		hide(&e->scratch, &c->plan, which == VFY_NOT_RARE);
	return &e->scratch;
}

void vfy_rejudge(struct vfy_campaign *c, struct vfy_attempt *a, enum vfy_which which)
{
	struct vfy_engine *e = c->engine;

	vfy_judge(&c->plan, mask_for(c, a, which), a->apart ? &e->first : &e->before, &e->after,
		  &a->claim, a->by_reply, &a->judgement);
	a->judged = true;
}

int vfy_conclude(struct vfy_campaign *c, const struct vfy_sequence *q, bool rare,
		 struct vfy_attempt *a)
{
	struct vfy_engine *e = c->engine;
	int r = a->error ? 0 : settle(c, a);

	if (r < 0 || a->error)
		return r;
	r = observe(c, q->n, rare ? NULL : &e->before, &e->after, a);
	if (r == 0 && !a->error)
		vfy_rejudge(c, a, VFY_ALL);
	return r;
}

/* --- on a fresh device -------------------------------------------------------------------------------- */

static void idle(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / FWA_NS_PER_S),
			      .tv_nsec = (long)(ns % FWA_NS_PER_S) };

	nanosleep(&t, NULL);
}

/* @q for a control: without the commands of its judged part. */
static int control_of(const struct vfy_sequence *q, struct vfy_sequence *ret)
{
	size_t judged = vfy_judged_part(q);
	int r = 0;

	for (size_t i = 0; i < q->n && r == 0; i++)
		if (i < judged || q->step[i].kind != VFY_COMMAND)
			r = vfy_sequence_add(ret, &q->step[i]);
	return r;
}

/* Whether background work is asked for after @q, by commands that the control has to send, too. */
static bool is_asked_for(struct vfy_campaign *c, const struct vfy_sequence *q)
{
	struct vfy_attempt a = { 0 };

	for (size_t i = vfy_judged_part(q); i < q->n; i++) {
		struct fwa_command cmd = vfy_step_command(&q->step[i]);

		if (q->step[i].kind == VFY_COMMAND)
			vfy_claim_add(&a.claim, c->target.profile, &cmd);
	}
	return may_work_on(&a);
}

/* a->took_ns and asked of the run that a control is for come in. */
static int perform_control(struct vfy_campaign *c, const struct vfy_sequence *q,
			   struct vfy_attempt *a)
{
	struct vfy_sequence control = { 0 };
	uint64_t ns = a->took_ns < IDLE_MAX_NS ? a->took_ns : IDLE_MAX_NS;
	int r = control_of(q, &control);

	a->took_ns = 0;
	a->settle = is_asked_for(c, q);
	if (r == 0)
		r = vfy_perform(c, &control, 0, control.n, a);
	if (r == 0 && !a->error)
		idle(ns);
	vfy_sequence_clear(&control);
	return r;
}

int vfy_try(struct vfy_campaign *c, const struct vfy_sequence *q, unsigned int flags,
	    struct vfy_attempt *a)
{
	bool blind = flags & VFY_TRY_BLIND;
	int r;

	a->apart = flags & VFY_TRY_APART;
	a->light = flags & VFY_TRY_LIGHT;
	r = vfy_engine_fresh(c, !a->apart && !blind && !a->light);
	if (r == 0 && a->light)
		r = vfy_engine_observe_light(c);
	if (r < 0 && (c->engine->lost || !is_device_error(r)))
		return r;
	a->error = r;
	a->at = SIZE_MAX; /* before any step */
	if (r < 0)
		return 0;
	r = flags & VFY_TRY_CONTROL ? perform_control(c, q, a) : vfy_perform(c, q, 0, q->n, a);
	return r < 0 || blind ? r : vfy_conclude(c, q, !a->light, a);
}
