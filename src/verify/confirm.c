/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what was seen once to a finding: it happens again on a fresh device, a shorter sequence is enough
 * for it, and it happens each time with the sequence and never without it (C34).
 *
 * 1. What cannot be made to happen again accuses nobody.
 * 2. What happens without the sequence, too, is the device's own doing: those bytes are masked from then
 *    on.
 * 3. A device that cannot be had fresh is tried as it is, and its sequences are left as long as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"
#include "verify/minimise.h"

/* Of one confirmation: runs in all, and commands beyond those that the first run took. */
#define RUNS_MAX 600u
#define RUNS_MAX_CHILD 60u /* where each fresh device is a process to be started */
#define COMMANDS_MAX 2000000u
/* Background work may take seconds, each time. How short a sequence gets is all that a clock decides. */
#define SHORTEN_NS (5 * FWA_NS_PER_S)
#define REPEATS 3u

struct confirm {
	struct vfy_campaign *c;
	struct vfy_symptom s;
	unsigned int flags;
	struct vfy_sequence q; /* with which it happens */
	size_t runs_left;
	uint64_t commands_end;
};

static bool is_trouble(unsigned int kind)
{
	return kind == VFY_HANG || kind == VFY_GONE || kind == VFY_GARBAGE;
}

bool vfy_is_short_enough(const struct vfy_campaign *c)
{
	return vfy_is_out_of_budget(c) ||
	       fwa_clock_ns(CLOCK_MONOTONIC) >= c->engine->shorten_until_ns;
}

/* --- runs -------------------------------------------------------------------------------------------- */

static bool spent(const struct confirm *k)
{
	return !k->runs_left || k->c->target.commands >= k->commands_end ||
	       (k->runs_left != SIZE_MAX && vfy_is_out_of_budget(k->c));
}

/* 1 when @s shows at the end of @q, whose run is then *a; 0; negative errno, -EDQUOT: enough tried. */
static int run(struct confirm *k, const struct vfy_sequence *q, struct vfy_attempt *a)
{
	int r;

	if (spent(k))
		return -EDQUOT;
	k->runs_left--;
	vfy_attempt_clear(a);
	r = vfy_try(k->c, q, k->flags, a);
	return r < 0 ? r : vfy_shows(k->c, q, a, &k->s);
}

/* What a control shows is the device's own doing, or that of the resets in it. */
static void mask_control(struct confirm *k, const struct vfy_attempt *a)
{
	struct vfy_campaign *c = k->c;
	struct vfy_engine *e = c->engine;
	struct vfy_mask *mask = a->apart ? &e->apart : &c->mask;

	if (!a->judged) /* a blind one */
		return;
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++)
		if (a->resets >> kind & 1)
			mask = &e->reset[kind];
	c->masked_late +=
		vfy_mask_learn(mask, &c->plan, a->apart ? &e->first : &e->before, &e->after);
}

/*
 * 1 when it shows without @q, too, of which @of was a run: then it is masked; 0; negative errno.
 */
static int run_control(struct confirm *k, const struct vfy_sequence *q,
		       const struct vfy_attempt *of)
{
	struct vfy_attempt a = { .took_ns = of->took_ns, .asked = of->asked };
	unsigned int flags = k->flags | VFY_TRY_CONTROL;
	int r;

	/* One that does not last may die by being read once more: that is no excuse. */
	if (is_trouble(k->s.kind))
		flags |= VFY_TRY_BLIND;
	r = vfy_try(k->c, q, flags, &a);

	if (r == 0)
		r = vfy_control_shows(k->c, q, &a, &k->s);
	if (r > 0)
		mask_control(k, &a);
	vfy_attempt_clear(&a);
	return r;
}

/* --- with what it happens ------------------------------------------------------------------------------ */

/* Where the last @n experiments of the tape begin. */
static size_t tape_from(const struct vfy_sequence *tape, size_t n)
{
	size_t at = tape->n;

	/* Each ends with an observation. */
	for (; at; at--)
		if (tape->step[at - 1].kind == VFY_OBSERVE && !n--)
			break;
	return at;
}

/* The tape from @from on, and @core behind it. */
static int with_history(const struct vfy_sequence *tape, size_t from,
			const struct vfy_sequence *core, struct vfy_sequence *ret)
{
	int r = 0;

	vfy_sequence_clear(ret);
	for (size_t i = from; i < tape->n && r == 0; i++)
		r = vfy_sequence_add(ret, &tape->step[i]);
	return r < 0 ? r : vfy_sequence_add_all(ret, core);
}

static bool has_command(const struct vfy_sequence *q, size_t from)
{
	for (; from < q->n; from++)
		if (q->step[from].kind == VFY_COMMAND)
			return true;
	return false;
}

/* The same trouble, only earlier: what came after it was not done. 1, 0, negative errno. */
static int cut_at_trouble(struct confirm *k, struct vfy_attempt *a)
{
	size_t at = a->at;

	if (!a->error || at >= k->q.n)
		return 0;
	/* An observation that fails is the one at the end of the sequence. */
	vfy_sequence_cut(&k->q, k->q.step[at].kind == VFY_OBSERVE ? at : at + 1);
	return has_command(&k->q, 0) ? run(k, &k->q, a) : 0;
}

/*
 * Alone, then behind ever more of what came before it, up to all. 1 with k->q and *a, 0 when it does not
 * happen any more, negative errno.
 */
static int find(struct confirm *k, const struct vfy_sequence *tape, const struct vfy_sequence *core,
		struct vfy_attempt *a)
{
	size_t from = tape->n, last = from + 1;
	int r = 0;

	for (size_t n = 0; r == 0 && from < last; n = n ? 2 * n : 1) {
		last = from;
		r = with_history(tape, from, core, &k->q);
		if (r == -E2BIG)
			return 0;
		if (r == 0)
			r = run(k, &k->q, a);
		if (r == 0 && is_trouble(k->s.kind))
			r = cut_at_trouble(k, a);
		from = k->flags & VFY_TRY_APART || !k->c->target.disposable
			       ? last
			       : tape_from(tape, n ? 2 * n : 1);
	}
	return r == -EDQUOT ? 0 : r;
}

/* --- shorter ------------------------------------------------------------------------------------------- */

static int pick(const struct vfy_sequence *q, const uint32_t *keep, size_t n,
		struct vfy_sequence *ret)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = vfy_sequence_add(ret, &q->step[keep[i]]);
	return r;
}

static int try_steps(void *userdata, const uint32_t *keep, size_t n)
{
	struct confirm *k = userdata;
	struct vfy_sequence q = { 0 };
	struct vfy_attempt a = { 0 };
	int r = pick(&k->q, keep, n, &q);

	if (r == 0 && vfy_is_short_enough(k->c))
		r = -EDQUOT;
	/* Somebody must have done it. */
	if (r == 0 && has_command(&q, vfy_judged_part(&q)))
		r = run(k, &q, &a);
	vfy_attempt_clear(&a);
	vfy_sequence_clear(&q);
	return r;
}

/* Fewer steps. 0 or negative errno. */
static int fewer_steps(struct confirm *k)
{
	size_t n = k->q.n, budget = SIZE_MAX;
	struct vfy_sequence q = { 0 };
	fwa_auto_free uint32_t *keep = calloc(n ? n : 1, sizeof(*keep));
	int r;

	if (!keep)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		keep[i] = i;
	r = vfy_minimise(keep, &n, &budget, try_steps, k);
	if (r < 0 && r != -EDQUOT)
		return r;
	r = pick(&k->q, keep, n, &q);
	if (r < 0) {
		vfy_sequence_clear(&q);
		return r;
	}
	vfy_sequence_clear(&k->q);
	k->q = q;
	return 0;
}

static int shorten(struct confirm *k)
{
	int r;

	if (!k->c->target.disposable)
		return 0;
	k->c->engine->shorten_until_ns = fwa_clock_ns(CLOCK_MONOTONIC) + SHORTEN_NS;
	r = fewer_steps(k);
	/* What observing sends is short, and has to be known again. */
	if (r == 0 && !(k->flags & VFY_TRY_APART))
		r = vfy_shrink(k->c, &k->q, &k->s, k->flags, &k->runs_left);
	return r == -EDQUOT ? 0 : r;
}

/* --- again and again ------------------------------------------------------------------------------------ */

struct tally {
	uint32_t runs, reproduced, controls, control_changed;
};

static int count_control(struct confirm *k, const struct vfy_sequence *q,
			 const struct vfy_attempt *of, struct tally *t)
{
	int r = run_control(k, q, of);

	if (r < 0)
		return r;
	t->controls++;
	t->control_changed += (uint32_t)r;
	return 0;
}

/*
 * Until it has happened @repeats times, or has not as often, with controls in between. The last run that
 * showed it is in *a, what was read then in the engine's snapshots.
 */
static int repeat(struct confirm *k, uint32_t repeats, struct tally *t, struct vfy_attempt *a)
{
	int r = 0;

	k->runs_left = SIZE_MAX;
	k->commands_end = UINT64_MAX;
	while (r >= 0 && t->reproduced < repeats && t->runs - t->reproduced < repeats) {
		r = t->runs ? count_control(k, &k->q, a, t) : 0;
		if (r == 0)
			r = run(k, &k->q, a);
		t->runs++;
		t->reproduced += r > 0;
	}
	return r < 0 ? r : 0;
}

/* What it shows besides, with the same command, needs no confirmation of its own. */
static int know_all(struct confirm *k, const struct vfy_attempt *a)
{
	struct vfy_symptom all[VFY_SYMPTOMS_MAX];
	size_t n = vfy_symptoms(k->c, &k->q, a, all);

	for (size_t i = 0; i < n; i++) {
		struct vfy_known *known = vfy_known_add(k->c, vfy_accused(&k->q, &all[i]), &all[i]);

		if (!known)
			return -ENOMEM;
		if (!known->is_finding || k->q.n < known->steps)
			known->steps = k->q.n;
		if (!known->is_finding || a->claim.scope < known->scope)
			known->scope = a->claim.scope;
		known->is_finding = true;
	}
	return 0;
}

/* It was not made to happen again, or happens by itself. */
static int in_vain(struct confirm *k, const struct vfy_step *accused, bool by_itself)
{
	struct vfy_known *known = vfy_known_add(k->c, accused, &k->s);

	if (!known)
		return -ENOMEM;
	known->tried++;
	/* What would only have been a note leaves nothing open. */
	k->c->not_confirmed += !by_itself && vfy_kind_accuses(k->s.kind);
	return 0;
}

/*
 * Repeats and controls. 1: it is confirmed, and *f all but f->from_steps; k->q is used up. 0: it is not, and
 * *t says why.
 */
static int confirm_again(struct confirm *k, uint32_t repeats, struct tally *t,
			 struct vfy_finding *f)
{
	struct vfy_attempt a = { 0 };
	int r = repeat(k, repeats, t, &a);

	if (r == 0 && t->reproduced >= repeats && !t->control_changed)
		r = know_all(k, &a);
	if (r == 0 && t->reproduced) {
		vfy_finding_of(k->c, &k->q, &a, &k->s, k->flags, f);
		r = count_control(k, &f->sequence, &a, t); /* the snapshots were needed */
	}
	f->runs = t->runs;
	f->reproduced = t->reproduced;
	f->controls = t->controls;
	f->control_changed = t->control_changed;
	vfy_attempt_clear(&a);
	return r < 0 ? r : t->reproduced >= repeats && !t->control_changed;
}

/* The sequence is as short as it gets: repeats, controls, and a finding. */
static int conclude(struct confirm *k, size_t from_steps)
{
	uint32_t repeats = k->c->args.repeats ? k->c->args.repeats : REPEATS;
	struct vfy_finding f = { 0 };
	struct tally t = { 0 };
	int r = confirm_again(k, repeats, &t, &f);

	f.from_steps = (uint32_t)from_steps;
	if (r > 0)
		return vfy_finding_add(k->c, &f);
	if (r == 0)
		r = in_vain(k, vfy_last_command(k->q.n ? &k->q : &f.sequence), t.control_changed);
	vfy_finding_clear(&f);
	return r;
}

int vfy_repeat(struct vfy_campaign *c, const struct vfy_sequence *q, const struct vfy_symptom *s,
	       unsigned int flags, uint32_t repeats, struct vfy_finding *ret)
{
	struct confirm k = { .c = c, .s = *s, .flags = flags };
	struct tally t = { 0 };
	int r = vfy_sequence_add_all(&k.q, q);

	if (r == 0)
		r = confirm_again(&k, repeats, &t, ret);
	vfy_sequence_clear(&k.q);
	return r;
}

/* A device that cannot be had fresh: what was seen is said, and accuses nobody. */
static int say_unconfirmed(struct confirm *k, const struct vfy_sequence *core)
{
	struct vfy_finding f = { 0 };
	struct vfy_attempt a = { .judgement = { .observed = k->s.bit, .undeclared = k->s.bit } };
	struct vfy_sequence q = { 0 };
	int r = vfy_sequence_add_all(&q, core);

	for (size_t i = 0; i < core->n && r == 0; i++) {
		struct fwa_command cmd = vfy_step_command(&core->step[i]);

		if (core->step[i].kind == VFY_COMMAND)
			vfy_claim_add(&a.claim, k->c->target.profile, &cmd);
	}
	if (r < 0) {
		vfy_sequence_clear(&q);
		return r;
	}
	vfy_finding_of(k->c, &q, &a, &k->s, k->flags, &f);
	f.runs = 1;
	f.from_steps = (uint32_t)core->n;
	snprintf(f.text + strlen(f.text), sizeof(f.text) - strlen(f.text), " (seen once)");
	return vfy_finding_add(k->c, &f);
}

/* It does not happen again; if it comes by itself that is why. */
static int not_again(struct confirm *k, const struct vfy_sequence *core,
		     const struct vfy_attempt *of)
{
	int by_itself = run_control(k, core, of), r;

	if (by_itself < 0)
		return by_itself;
	r = in_vain(k, vfy_last_command(core), by_itself);
	if (r == 0 && !by_itself && !k->c->target.disposable)
		r = say_unconfirmed(k, core);
	return r;
}

static int again(struct confirm *k, const struct vfy_sequence *core, struct vfy_attempt *a)
{
	size_t from_steps = k->q.n;
	int r = run_control(k, &k->q, a); /* nothing is made short that is no finding */

	if (r < 0)
		return r;
	if (r)
		return in_vain(k, vfy_last_command(core), true);
	/* What fewer callers may send would be a finding of less weight. */
	k->s.limit = (uint8_t)(a->claim.scope + 1);
	r = shorten(k);
	return r < 0 ? r : conclude(k, from_steps);
}

/* Whether what @s is about can be seen without what is seldom read. */
static bool is_light(const struct vfy_campaign *c, const struct vfy_symptom *s, unsigned int flags)
{
	if (flags & (VFY_TRY_APART | VFY_TRY_BLIND) || !c->target.disposable ||
	    !c->engine->has_rare)
		return false;
	for (size_t i = 0; s->group && i < c->plan.n; i++)
		if (c->plan.observable[i].row == s->group && c->plan.observable[i].rare)
			return false;
	return true;
}

/*
 * Reading less is quicker, and each run is one of many. But reading sends commands, too, and where these
 * count only the whole of it makes it happen again.
 */
static int find_cheaply(struct confirm *k, const struct vfy_sequence *tape,
			const struct vfy_sequence *core, struct vfy_attempt *a)
{
	unsigned int flags = k->flags;
	int r;

	if (!is_light(k->c, &k->s, flags))
		return find(k, tape, core, a);
	k->flags |= VFY_TRY_LIGHT;
	r = find(k, tape, core, a);
	if (r)
		return r;
	k->flags = flags;
	return find(k, tape, core, a);
}

static int carry_out(struct confirm *k, const struct vfy_sequence *tape,
		     const struct vfy_sequence *core)
{
	struct vfy_attempt a = { 0 };
	int r = find_cheaply(k, tape, core, &a);

	if (r > 0)
		r = again(k, core, &a);
	else if (r == 0)
		r = not_again(k, core, &a);
	vfy_attempt_clear(&a);
	return r;
}

/*= spec/SECURITY-MODEL.md#C34 */
int vfy_confirm(struct vfy_campaign *c, const struct vfy_sequence *tape,
		const struct vfy_sequence *core, const struct vfy_symptom *s, unsigned int flags)
{
	struct confirm k = { .c = c, .s = *s, .flags = flags };
	uint64_t before = c->target.commands;
	int r;

	k.runs_left = c->target.dev && c->target.dev->is_child ? RUNS_MAX_CHILD : RUNS_MAX;
	k.commands_end = before + COMMANDS_MAX;
	r = carry_out(&k, tape, core);
	c->engine->confirming += c->target.commands - before;
	vfy_sequence_clear(&k.q);
	return r;
}
