/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What observing hides: where a reading changes something each time, that seems to change by itself, and is
 * masked. Who looks at it alone sees better.
 */
#include <errno.h>

#include "base/util.h"
#include "verify/engine.h"

static bool is_read_by_command(const struct vfy_observable *o)
{
	return o->row->each != VFY_EACH_REGISTERS && o->row->each != VFY_EACH_MEDIA;
}

int vfy_learn_first(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		struct vfy_snapshot *s = i ? &e->before : &e->first;

		r = vfy_engine_fresh(c, false);
		if (r == 0)
			r = vfy_target_observe(&c->target, &c->plan, NULL, s);
		c->snapshots++;
	}
	if (r == 0)
		vfy_mask_learn(&e->apart, &c->plan, &e->first, &e->before);
	return r;
}

/* Whether @cmd alone shows anything, in *s. 1, 0, negative errno. */
static int shows(struct vfy_campaign *c, const struct vfy_sequence *core, unsigned int flags,
		 struct vfy_symptom *ret)
{
	struct vfy_symptom all[VFY_SYMPTOMS_MAX];
	struct vfy_attempt a = { 0 };
	int r = vfy_try(c, core, flags, &a);

	if (r == 0 && vfy_symptoms(c, core, &a, all)) {
		*ret = all[0];
		r = 1;
	}
	vfy_attempt_clear(&a);
	return r;
}

/* c->plan is of the one alone. Whether a finding was added. */
static int accuse(struct vfy_campaign *c, const struct fwa_command *cmd, unsigned int flags)
{
	struct vfy_step step = vfy_command_step(cmd);
	struct vfy_sequence core = { .step = &step, .n = 1 }, none = { 0 };
	size_t before = c->n_findings + c->dropped;
	struct vfy_symptom s;
	int r = vfy_learn_first(c);

	if (r == 0)
		r = shows(c, &core, flags, &s);
	if (r > 0)
		r = vfy_confirm(c, &none, &core, &s, flags);
	return r < 0 ? r : c->n_findings + c->dropped > before;
}

/* What reading @by does to @i, seen with nothing else read. 1: a finding, and @by is read no more; 0. */
static int try_reader(struct vfy_campaign *c, size_t i, size_t by)
{
	unsigned int flags = i == by ? VFY_TRY_APART : 0;
	struct vfy_plan all;
	int r = vfy_engine_only(c, i, &all), back;

	if (r == 0)
		r = accuse(c, &all.observable[by].cmd, flags);
	back = vfy_engine_all(c, &all);
	if (back < 0 || r <= 0)
		return back < 0 ? back : r;
	r = vfy_engine_forget(c, by, "reading it changes the device");
	return r < 0 ? r : 1;
}

/* Whether @i was as it was before on another fresh device, some time later. */
static bool stays(const struct vfy_engine *e, size_t i)
{
	const struct vfy_value *a = &e->before.value[i], *b = &e->first.value[i];
	struct fwa_span x, y;

	return a->error == b->error && a->code == b->code && a->len == b->len &&
	       fwa_span_sub(fwa_span(e->before.data, e->before.data_len), a->at, a->len, &x) &&
	       fwa_span_sub(fwa_span(e->first.data, e->first.data_len), b->at, b->len, &y) &&
	       (!a->len || memcmp(x.data, y.data, x.len) == 0);
}

/* 0: nothing was tried; 1: a finding; 2: tried in vain; negative errno. */
static int try_one(struct vfy_campaign *c, size_t i, bool stayed)
{
	size_t by = i;
	int r = vfy_engine_fresh(c, false);

	if (r == 0)
		r = vfy_disturbed(&c->plan, c->target.dev, vfy_target_submit, &c->target, i, &by);
	if (r < 0 || (!r && !stayed) || !is_read_by_command(&c->plan.observable[by]))
		return r < 0 ? r : 0;
	r = try_reader(c, i, by);
	return r ? r : 2;
}

/*= spec/SECURITY-MODEL.md#C9 */
int vfy_learn_hidden(struct vfy_campaign *c)
{
	struct vfy_engine *e = c->engine;
	fwa_auto_free uint8_t *what = calloc(c->plan.n + 1, 1);
	int r = 0, tried = 0;

	if (!what)
		return -ENOMEM;
	for (size_t i = 0; i < c->plan.n; i++)
		if (vfy_mask_has(&c->mask, &c->plan, &e->before, i))
			what[i] = stays(e, i) ? 2 : 1;
	for (size_t i = 0; i < c->plan.n && (r == 0 || r == 2); i++) {
		r = what[i] ? try_one(c, i, what[i] == 2) : 0;
		if (r)
			tried = r;
	}
	return tried;
}
