/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a campaign works with: snapshots and masks for its plan, fresh devices, what is known already.
 */
#include "verify/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* --- snapshots and masks ------------------------------------------------------------------------------ */

static void clear_masks(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;

	vfy_snapshot_clear(&e->first);
	vfy_snapshot_clear(&e->before);
	vfy_snapshot_clear(&e->after);
	vfy_snapshot_clear(&e->spare);
	vfy_mask_clear(&c->mask);
	vfy_mask_clear(&e->apart);
	vfy_mask_clear(&e->scratch);
	for (size_t i = 0; i < FWA_RESET_COUNT; i++)
		vfy_mask_clear(&e->reset[i]);
	e->resets_known = 0;
}

int vfy_engine_remake(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	int r;

	clear_masks(c);
	e->has_rare = false;
	for (size_t i = 0; i < c->plan.n; i++)
		e->has_rare |= c->plan.observable[i].rare;
	r = vfy_snapshot_make(&e->first, &c->plan);
	if (r == 0)
		r = vfy_snapshot_make(&e->before, &c->plan);
	if (r == 0)
		r = vfy_snapshot_make(&e->after, &c->plan);
	if (r == 0)
		r = vfy_snapshot_make(&e->spare, &c->plan);
	if (r == 0)
		r = vfy_mask_make(&c->mask, &c->plan);
	if (r == 0)
		r = vfy_mask_make(&e->apart, &c->plan);
	if (r == 0)
		r = vfy_mask_make(&e->scratch, &c->plan);
	for (size_t i = 0; i < FWA_RESET_COUNT && r == 0; i++)
		r = vfy_mask_make(&e->reset[i], &c->plan);
	return r;
}

int vfy_engine_make(struct vfy_campaign *c)
{
	c->engine = calloc(1, sizeof(*c->engine));
	if (!c->engine)
		return -ENOMEM;
	c->engine->started_ns = fwa_clock_ns(CLOCK_MONOTONIC);
	return 0;
}

void vfy_engine_clear(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;

	if (!e)
		return;
	clear_masks(c);
	vfy_sequence_clear(&e->tape);
	for (size_t i = 0; i < e->n_forgotten; i++)
		free(e->forgotten[i]);
	free(e->forgotten);
	free(e->known);
	vfy_rows_clear(c);
	free(e);
	c->engine = NULL;
}

int vfy_engine_forget(struct vfy_campaign *c, size_t i, const char *why)
{
	struct vfy_engine *e = c->engine;
	struct vfy_plan *p = &c->plan;
	char **more = reallocarray(e->forgotten, e->n_forgotten + 1, sizeof(*more));
	char *text;

	if (!more)
		return -ENOMEM;
	e->forgotten = more;
	if (asprintf(&text, "%s: %s", p->observable[i].name, why) < 0)
		return -ENOMEM;
	e->forgotten[e->n_forgotten++] = text;
	memmove(&p->observable[i], &p->observable[i + 1], (p->n - i - 1) * sizeof(*p->observable));
	p->n--;
	for (size_t j = i; j < p->n; j++) /* each points into itself */
		if (p->observable[j].cmd.payload.data)
			p->observable[j].cmd.payload.data = p->observable[j].payload;
	return 0;
}

int vfy_engine_only(struct vfy_campaign *c, size_t i, struct vfy_plan *ret_all)
{
	struct vfy_plan only;
	int r = vfy_plan_only(&only, &c->plan, i);

	if (r < 0)
		return r;
	*ret_all = c->plan;
	c->plan = only;
	c->engine->only = ret_all->observable[i].name;
	return vfy_engine_remake(c);
}

int vfy_engine_all(struct vfy_campaign *c, struct vfy_plan *all)
{
	vfy_plan_clear(&c->plan);
	c->plan = *all;
	c->engine->only = NULL;
	return vfy_engine_remake(c);
}

/* --- fresh devices ------------------------------------------------------------------------------------ */

int vfy_engine_fresh(struct vfy_campaign *c, bool observe)
{
	struct vfy_engine *e = c->engine;
	int r = 0;

	vfy_sequence_cut(&e->tape, 0);
	e->since_fresh = e->light_from = e->light = 0;
	e->light_claim = (struct vfy_claim){ 0 };
	if (c->target.disposable) {
		r = vfy_target_fresh(&c->target);
		e->lost = r < 0;
	}
	if (r < 0 || !observe)
		return r;
	c->snapshots++;
	return vfy_target_observe(&c->target, &c->plan, NULL, &e->before);
}

int vfy_engine_observe_light(struct vfy_campaign *c)
{
	c->snapshots++;
	return vfy_target_observe(&c->target, &c->plan, &c->engine->first, &c->engine->before);
}

/* --- what is known ------------------------------------------------------------------------------------ */

static bool is_about(const struct vfy_known *k, const struct vfy_step *step)
{
	if (!step)
		return !k->has_opcode;
	return k->has_opcode && k->set == step->set && k->opcode == step->opcode;
}

/* Two names for the same change: which it is depends on what was sent before it. */
static bool same_kind(unsigned int a, unsigned int b)
{
	return a == b || (a == VFY_BREACH && b == VFY_IMMEDIATE) ||
	       (a == VFY_IMMEDIATE && b == VFY_BREACH);
}

struct vfy_known *vfy_known_find(const struct vfy_campaign *c, const struct vfy_step *step,
				 const struct vfy_symptom *s)
{
	const struct vfy_engine *e = c->engine;

	for (size_t i = 0; i < e->n_known; i++) {
		struct vfy_known *k = &e->known[i];

		if (is_about(k, step) && same_kind(k->kind, s->kind) && k->bit == s->bit &&
		    k->group == s->group)
			return k;
	}
	return NULL;
}

struct vfy_known *vfy_known_add(struct vfy_campaign *c, const struct vfy_step *step,
				const struct vfy_symptom *s)
{
	struct vfy_engine *e = c->engine;
	struct vfy_known *more = vfy_known_find(c, step, s);

	if (more)
		return more;
	if (e->n_known == e->known_room) {
		size_t room = e->known_room ? 2 * e->known_room : 32;

		more = reallocarray(e->known, room, sizeof(*more));
		if (!more)
			return NULL;
		e->known = more;
		e->known_room = room;
	}
	e->known[e->n_known] = (struct vfy_known){
		.kind = s->kind,
		.bit = s->bit,
		.group = s->group,
		.has_opcode = step != NULL,
		.set = step ? step->set : 0,
		.opcode = step ? step->opcode : 0,
	};
	return &e->known[e->n_known++];
}
