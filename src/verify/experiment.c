/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One experiment: its steps, what is different then, and what is made of that.
 *
 * What was read after one experiment is what was read before the next.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"
#include "wire/nvme.h"

#define LIGHT_MAX 64u /* experiments until all observables are read again */
#define FRESH_EVERY 2000u
#define MANY_STEPS 8u
#define USELESS_MAX 3u /* so often a device may be lost by one command until it is sent no more */

static const struct vfy_step observe_step = { .kind = VFY_OBSERVE };

/* --- what is known already -------------------------------------------------------------------------- */

/* Much has to be done before it, or only to be read: whatever comes next is the last that it does. */
static bool is_worn_out(const struct vfy_sequence *q)
{
	size_t readings = 0;

	for (size_t i = 0; i + 1 < q->n; i++)
		readings += q->step[i].kind == VFY_OBSERVE;
	return q->n > MANY_STEPS || (readings && readings + 1 == q->n);
}

/* The device does not last: each command that it happens to die by is not one more finding. */
static bool does_not_last(const struct vfy_campaign *c, const struct vfy_symptom *s)
{
	if (s->kind != VFY_HANG && s->kind != VFY_GONE && s->kind != VFY_GARBAGE)
		return false;
	for (size_t i = 0; i < c->n_findings; i++)
		if (c->finding[i].kind == s->kind && is_worn_out(&c->finding[i].sequence))
			return true;
	return false;
}

/* By which NVMe controllers are asked whether background work is over. */
static const struct vfy_step asking = {
	.kind = VFY_COMMAND,
	.set = FWA_SET_NVME_ADMIN,
	.opcode = NVME_OP_GET_LOG_PAGE,
};

/* Of the commands of @a, a run of @q, the one that is known for @s, NULL for none. */
static struct vfy_known *find_known(const struct vfy_campaign *c, const struct vfy_sequence *q,
				    const struct vfy_attempt *a, const struct vfy_symptom *s)
{
	struct vfy_known *k = a->asked ? vfy_known_find(c, &asking, s) : NULL;

	if (!k || !k->is_finding)
		k = vfy_known_find(c, vfy_accused(q, s), s);

	for (size_t i = 0; s->bit && i < q->n && !(k && k->is_finding); i++)
		if (q->step[i].kind == VFY_COMMAND)
			k = vfy_known_find(c, &q->step[i], s);
	return k;
}

/* What is known of it is what the gate sends to nobody, and this it sends: that weighs more. */
static bool weighs_more(const struct vfy_attempt *a, struct vfy_known *k)
{
	return k->scope == FWA_SCOPE_NEVER && a->claim.scope < FWA_SCOPE_NEVER &&
	       k->tried++ < VFY_SHORTER_MAX;
}

/* Whether there is nothing more to be found out about it. 1, 0, negative errno. */
static int is_explained(struct vfy_campaign *c, const struct vfy_sequence *q,
			const struct vfy_attempt *of, const struct vfy_symptom *s, bool *used)
{
	struct vfy_known *k = find_known(c, q, of, s);
	struct vfy_attempt a = { 0 };
	int r;

	if (!k || !k->is_finding)
		return (k && k->tried >= VFY_IN_VAIN_MAX) || does_not_last(c, s);
	if (weighs_more(of, k))
		return does_not_last(c, s);
	if (k->steps <= q->n || k->tried >= VFY_SHORTER_MAX || !c->target.disposable)
		return 1;
	/* It took more than this before: does this do it, alone? */
	k->tried++;
	*used = true;
	r = vfy_try(c, q, 0, &a);
	if (r == 0)
		r = !vfy_shows(c, q, &a, s);
	vfy_attempt_clear(&a);
	return r;
}

/* Confirming may cost as much as experiments do, and a little to begin with. */
static bool may_confirm(const struct vfy_campaign *c)
{
	return c->engine->confirming < 1000000 + c->target.commands / 2;
}

/*
 * Confirms what @a, a run of @q after @tape, shows and is not known. 1 when the device is another one
 * since, 0, negative errno.
 */
static int look(struct vfy_campaign *c, const struct vfy_sequence *tape,
		const struct vfy_sequence *q, const struct vfy_attempt *a)
{
	struct vfy_symptom all[VFY_SYMPTOMS_MAX];
	size_t n = vfy_symptoms(c, q, a, all);
	bool used = false;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		/* What comes after the step that shows it has no part in it. */
		struct vfy_sequence core = { .step = q->step, .n = q->n };
		int explained;

		if (all[i].at < q->n)
			core.n = all[i].at + 1;
		explained = is_explained(c, &core, a, &all[i], &used);
		if (explained < 0) {
			r = explained;
		} else if (explained) {
			c->dropped++;
		} else if (!may_confirm(c)) {
			c->not_confirmed += vfy_kind_accuses(all[i].kind);
		} else {
			r = vfy_confirm(c, tape, &core, &all[i], 0);
			used = true;
		}
	}
	return r < 0 ? r : used || a->error;
}

/* look() with what is on the tape, which fresh devices would overwrite. */
static int look_back(struct vfy_campaign *c, size_t tape_len, const struct vfy_sequence *q,
		     const struct vfy_attempt *a)
{
	struct vfy_sequence tape = c->engine->tape;
	int r;

	c->engine->tape = (struct vfy_sequence){ 0 };
	vfy_sequence_cut(&tape, tape_len);
	r = look(c, &tape, q, a);
	if (r) {
		vfy_sequence_clear(&tape);
		return r;
	}
	vfy_sequence_clear(&c->engine->tape);
	c->engine->tape = tape;
	return 0;
}

/* --- what is not read each time ------------------------------------------------------------------------ */

/* All commands on the tape since then, and @q behind them, as one experiment. */
static int stretch(const struct vfy_campaign *c, const struct vfy_sequence *q,
		   struct vfy_sequence *ret)
{
	const struct vfy_sequence *tape = &c->engine->tape;
	int r = 0;

	for (size_t i = c->engine->light_from; i < tape->n && r == 0; i++)
		if (tape->step[i].kind != VFY_OBSERVE)
			r = vfy_sequence_add(ret, &tape->step[i]);
	return r < 0 ? r : vfy_sequence_add_all(ret, q);
}

static void add_claim(struct vfy_claim *to, const struct vfy_claim *claim)
{
	to->listed = claim->listed && (to->listed || !to->n);
	to->declared |= claim->declared;
	to->floor |= claim->floor;
	to->declarable |= claim->declarable;
	to->scope = claim->scope > to->scope ? claim->scope : to->scope;
	to->n += claim->n;
}

/* What rare observables show of all experiments since they were read. As look(). */
static int look_at_rare(struct vfy_campaign *c, const struct vfy_sequence *q,
			const struct vfy_attempt *last)
{
	struct vfy_engine *e = c->engine;
	struct vfy_attempt a = { .claim = e->light_claim, .resets = last->resets };
	struct vfy_sequence all = { 0 };
	int r;

	add_claim(&a.claim, &last->claim);
	vfy_rejudge(c, &a, VFY_RARE);
	if (!a.judgement.undeclared)
		return 0;
	r = stretch(c, q, &all);
	if (r == 0)
		r = look_back(c, e->light_from, &all, &a);
	vfy_sequence_clear(&all);
	return r == -E2BIG ? 0 : r;
}

/* Whether this time all observables are read. */
static bool is_full(const struct vfy_campaign *c, const struct vfy_experiment *x)
{
	if (!c->engine->has_rare)
		return true;
	switch (x->phase) {
	case VFY_PHASE_VALID:
	case VFY_PHASE_RESET:
	case VFY_PHASE_VENDOR:
	case VFY_PHASE_TRIGGERS:
		return true;
	default:
		return c->engine->light >= LIGHT_MAX;
	}
}

/* --- running --------------------------------------------------------------------------------------------- */

/* @q was run and judged, and nothing came of it: what was read after it is what was read before the next. */
static int go_on(struct vfy_campaign *c, const struct vfy_sequence *q, const struct vfy_attempt *a,
		 bool full)
{
	struct vfy_engine *e = c->engine;
	struct vfy_snapshot before = e->before;
	int r = vfy_sequence_add_all(&e->tape, q);

	if (r == 0)
		r = vfy_sequence_add(&e->tape, &observe_step);
	e->before = e->after;
	e->after = before;
	if (full) {
		e->light = 0;
		e->light_from = e->tape.n;
		e->light_claim = (struct vfy_claim){ 0 };
	} else {
		e->light++;
		add_claim(&e->light_claim, &a->claim);
	}
	return r == -E2BIG ? vfy_engine_fresh(c, true) : r;
}

/* What was run is looked at. A device that was used up is had anew. */
static int finish(struct vfy_campaign *c, const struct vfy_sequence *q, struct vfy_attempt *a,
		  bool full)
{
	bool stretched = full && c->engine->light && a->judged;
	int r;

	if (stretched)
		vfy_rejudge(c, a, VFY_NOT_RARE);
	r = look_back(c, c->engine->tape.n, q, a);
	if (r == 0 && stretched)
		r = look_at_rare(c, q, a);
	if (r < 0)
		return r;
	return r ? vfy_engine_fresh(c, true) : go_on(c, q, a, full);
}

static int run_plain(struct vfy_campaign *c, const struct vfy_experiment *x, struct vfy_attempt *a)
{
	const struct vfy_sequence *q = &x->sequence;
	bool full = is_full(c, x);
	int r = vfy_perform(c, q, 0, q->n, a);

	if (r == 0)
		r = vfy_conclude(c, q, full, a);
	if (r < 0)
		return r;
	vfy_rows_count(c, q, a);
	return finish(c, q, a, full);
}

/* --- across a reset -------------------------------------------------------------------------------------- */

/* Whether anything is different after the reset than it was before it, in e->spare. */
static void count_waiting(struct vfy_campaign *c, const struct vfy_sequence *q,
			  const struct vfy_attempt *a)
{
	struct vfy_engine *e = c->engine;
	struct vfy_attempt across = { .claim = a->claim, .resets = a->resets };
	struct vfy_snapshot before = e->before;
	const struct vfy_step *step = q->n ? &q->step[0] : NULL;
	struct vfy_counts *k = step ? vfy_counts_of(c, step->set, step->opcode) : NULL;

	if (!k || a->failed || !(a->claim.declared & FWA_EFFECTS_RESET))
		return;
	e->before = e->spare;
	vfy_rejudge(c, &across, VFY_ALL);
	e->before = before;
	k->waited++;
	k->came += across.judgement.n_changes > 0;
}

static int cross_reset(struct vfy_campaign *c, const struct vfy_sequence *q, struct vfy_attempt *a)
{
	struct vfy_engine *e = c->engine;
	struct vfy_snapshot between = e->after;
	int r;

	e->after = e->spare;
	e->spare = between;
	r = vfy_perform(c, q, q->n - 1, q->n, a);
	if (r == 0)
		r = vfy_conclude(c, q, true, a);
	if (r < 0)
		return r;
	if (a->judged && !a->error)
		count_waiting(c, q, a);
	return finish(c, q, a, true);
}

static int run_across_reset(struct vfy_campaign *c, const struct vfy_experiment *x,
			    struct vfy_attempt *a)
{
	const struct vfy_sequence *q = &x->sequence;
	struct vfy_sequence before = { .step = q->step, .n = q->n - 1 };
	int r = vfy_perform(c, &before, 0, before.n, a);

	if (r == 0)
		r = vfy_conclude(c, &before, true, a);
	if (r < 0)
		return r;
	vfy_rows_count(c, &before, a);
	/* What was to wait for the reset is seen before it. */
	r = look_back(c, c->engine->tape.n, &before, a);
	if (r)
		return r < 0 ? r : vfy_engine_fresh(c, true);
	return cross_reset(c, q, a);
}

/* --- one ------------------------------------------------------------------------------------------------- */

/* Commands that the device did not survive, and steps for which nobody asked. */
static bool is_to_be_left(struct vfy_campaign *c, const struct vfy_sequence *q)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct vfy_step *step = &q->step[i];
		const struct vfy_counts *k;

		if (step->kind == VFY_OBSERVE)
			return true; /* it would be judged in parts */
		if (step->kind != VFY_COMMAND)
			continue;
		if (vfy_step_risk(c->target.profile, step) > c->args.probe)
			return true;
		k = vfy_counts_of(c, step->set, step->opcode);
		/* What only malformed commands did is no reason to leave well-formed ones. */
		if (k && k->useless >= USELESS_MAX &&
		    (k->useless_shaped >= USELESS_MAX ||
		     !vfy_step_is_shaped(c->target.profile, step)))
			return true;
	}
	return !q->n;
}

/* What resets of these kinds do by themselves. 0; 1: one of them cannot be done; negative errno. */
static int learn_resets(struct vfy_campaign *c, uint8_t kinds)
{
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++) {
		int r = kinds >> kind & 1 ? vfy_learn_reset(c, kind) : 0;

		if (r < 0)
			return r == -EOPNOTSUPP ? 1 : r;
	}
	return 0;
}

static uint8_t resets_of(const struct vfy_sequence *q)
{
	uint8_t kinds = 0;

	for (size_t i = 0; i < q->n; i++)
		if (q->step[i].kind == VFY_RESET)
			kinds |= (uint8_t)(1u << q->step[i].reset);
	return kinds;
}

/*
 * A reset brings what waited for it, and takes what does not outlast it: such an experiment has a device to
 * itself.
 */
static int run(struct vfy_campaign *c, const struct vfy_experiment *x, uint8_t resets,
	       struct vfy_attempt *a)
{
	struct vfy_engine *e = c->engine;
	bool fresh = resets || x->fresh || e->since_fresh >= FRESH_EVERY;
	int r = 0;

	if (c->target.disposable && fresh && e->since_fresh)
		r = vfy_engine_fresh(c, true);
	if (r < 0)
		return r;
	c->experiments++;
	e->since_fresh++;
	if (x->deferred && x->sequence.n > 1)
		r = run_across_reset(c, x, a);
	else
		r = run_plain(c, x, a);
	return r < 0 || !resets || !e->since_fresh ? r : vfy_engine_fresh(c, true);
}

int vfy_experiment_run(struct vfy_campaign *c, const struct vfy_experiment *x)
{
	uint8_t resets = resets_of(&x->sequence);
	struct vfy_attempt a = { 0 };
	int r = 0;

	if (is_to_be_left(c, &x->sequence))
		r = 1;
	else if (resets & ~c->engine->resets_known)
		r = learn_resets(c, resets);
	if (r == 0)
		r = run(c, x, resets, &a);
	else if (r > 0)
		c->left++;
	vfy_generator_answered(c->generator, x, a.answer, a.n);
	vfy_attempt_clear(&a);
	return r < 0 ? r : 0;
}
