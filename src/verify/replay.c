/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding of somebody else's, on a device of one's own. The declarations are this device's: what it declares
 * itself is no breach of its.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"
#include "verify/evidence.h"
#include "verify/safety.h"

#define REPEATS_MAX 10u

/* --- whether it can be run ---------------------------------------------------------------------------- */

static bool is_declared(const struct vfy_campaign *c, const struct vfy_step *step)
{
	struct fwa_declared declared;

	return fwa_profile_declared(c->target.profile, step->set, step->opcode, &declared);
}

/* Fills @why with what is missing. */
static bool can_send(const struct vfy_campaign *c, const struct vfy_finding *f,
		     char why[FWA_ERROR_LEN])
{
	for (size_t i = 0; i < f->sequence.n; i++) {
		const struct vfy_step *step = &f->sequence.step[i];

		if (step->kind != VFY_COMMAND)
			continue;
		if ((step->set != FWA_SET_CXL) != c->target.dev->is_nvme) {
			fwa_fail(why, 0, "the evidence is about a device of another kind");
			return false;
		}
		if (f->kind != VFY_UNLISTED && !is_declared(c, step)) {
			fwa_fail(why, 0, "this device does not declare %s %04xh",
				 fwa_set_name(step->set), step->opcode);
			return false;
		}
	}
	return true;
}

static const struct vfy_observe_row *find_row(const struct vfy_plan *plan, const char *name)
{
	size_t len = strcspn(name, " ");

	for (size_t i = 0; i < plan->n; i++)
		if (strcmp(plan->observable[i].name, name) == 0)
			return plan->observable[i].row;
	for (size_t i = 0; i < plan->n; i++) {
		const char *row = plan->observable[i].row->name;

		if (strlen(row) == len && strncmp(row, name, len) == 0)
			return plan->observable[i].row;
	}
	return NULL;
}

/* What has to show again: the first of its exhibits, which is the first that nothing covered. */
static bool symptom_of(const struct vfy_campaign *c, const struct vfy_finding *f,
		       struct vfy_symptom *ret, char why[FWA_ERROR_LEN])
{
	const struct vfy_exhibit *x = f->n_exhibits ? &f->exhibit[0] : NULL;

	*ret = (struct vfy_symptom){ .kind = f->kind, .at = f->sequence.n };
	switch (f->kind) {
	case VFY_HANG:
	case VFY_GONE:
	case VFY_GARBAGE:
	case VFY_OVERRUN:
	case VFY_UNLISTED:
	case VFY_CONTRADICTION:
	case VFY_SLOW:
		return true;
	default:
		break;
	}
	ret->bit = x ? x->shown : f->undeclared & -f->undeclared;
	ret->group = x ? find_row(&c->plan, x->name) : NULL;
	if (!x || ret->group)
		return true;
	fwa_fail(why, 0, "%s cannot be observed on this device", x->name);
	return false;
}

/* --- running it --------------------------------------------------------------------------------------- */

/* All that is watched, or only what the evidence says. 0; 1: it is not there; negative errno. */
static int watch(struct vfy_campaign *c, const struct vfy_finding *f, struct vfy_plan *all)
{
	int r = vfy_learn_plan(c);

	if (r < 0)
		return r;
	if (!f->only[0])
		return vfy_learn_device(c, false);
	for (size_t i = 0; i < c->plan.n; i++)
		if (strcmp(c->plan.observable[i].name, f->only) == 0) {
			r = vfy_engine_only(c, i, all);
			return r < 0 ? r : vfy_learn_first(c);
		}
	return 1;
}

static int repeat(struct vfy_campaign *c, const struct vfy_finding *f, struct vfy_replayed *ret,
		  char why[FWA_ERROR_LEN])
{
	unsigned int flags = f->apart ? VFY_TRY_APART : 0;
	struct vfy_symptom s;
	int r;

	if (!symptom_of(c, f, &s, why)) {
		ret->outcome = VFY_NOT_RUN;
		return 0;
	}
	r = vfy_repeat(c, &f->sequence, &s, flags, c->args.repeats, &ret->finding);
	if (r < 0)
		return r;
	/* Where there is no fresh device once has to be enough: what changed may stay so. */
	ret->same = r > 0 || (!c->target.disposable && ret->finding.reproduced &&
			      !ret->finding.control_changed);
	return 0;
}

static int run_steps(struct vfy_campaign *c, const struct vfy_finding *f, struct vfy_replayed *ret,
		     char why[FWA_ERROR_LEN])
{
	struct vfy_plan all = { 0 };
	int r = watch(c, f, &all);

	if (r > 0) {
		ret->outcome = VFY_NOT_RUN;
		fwa_fail(why, 0, "%s cannot be observed on this device", f->only);
	} else if (r == 0) {
		r = repeat(c, f, ret, why);
	}
	c->engine->only = NULL;
	vfy_plan_clear(&all);
	return r < 0 ? r : 0;
}

/* But for how many others each stands. */
static bool same_text(const char *a, const char *b)
{
	size_t x = vfy_alike_text(a), y = vfy_alike_text(b);

	return strncmp(a, b, x < y ? x : y) == 0;
}

static bool same_declaration(const struct vfy_finding *a, const struct vfy_finding *b)
{
	return a->kind == b->kind && a->set == b->set && a->has_opcode == b->has_opcode &&
	       a->opcode == b->opcode && same_text(a->text, b->text);
}

/* What is about the declarations alone: read again. */
static int run_declarations(struct vfy_campaign *c, const struct vfy_finding *f,
			    struct vfy_replayed *ret, char why[FWA_ERROR_LEN])
{
	int r;

	if (f->kind != VFY_CONTRADICTION && f->kind != VFY_UNSTABLE) {
		ret->outcome = VFY_NOT_RUN;
		return fwa_fail(why, 0, "there is nothing to run: %s", vfy_kind_name(f->kind));
	}
	r = vfy_contradictions(c);
	for (size_t i = 0; r == 0 && i < c->n_findings; i++)
		if (same_declaration(&c->finding[i], f)) {
			ret->same = true;
			ret->finding = c->finding[i];
			c->finding[i] = (struct vfy_finding){ 0 };
			return 0;
		}
	ret->finding.runs = c->args.repeats;
	return r;
}

static bool same_device(const struct fwa_identity *a, const struct fwa_identity *b)
{
	return strcmp(a->vendor, b->vendor) == 0 && strcmp(a->model, b->model) == 0 &&
	       strcmp(a->firmware, b->firmware) == 0;
}

static void conclude(const struct vfy_campaign *c, const struct vfy_evidence *e,
		     struct vfy_replayed *ret)
{
	ret->runs = ret->finding.runs;
	ret->reproduced = ret->finding.reproduced;
	ret->controls = ret->finding.controls;
	ret->control_changed = ret->finding.control_changed;
	if (ret->outcome == VFY_NOT_RUN)
		return;
	if (!same_device(&e->id_of, &c->target.profile->id))
		ret->outcome = VFY_OTHER_DEVICE;
	else
		ret->outcome = ret->same ? VFY_REPRODUCED : VFY_NOT_REPRODUCED;
}

/* Somebody else says what is sent: it is held to what the caller allows. */
static int may_run(const struct vfy_campaign *c, const struct vfy_finding *f,
		   char error[FWA_ERROR_LEN])
{
	for (size_t i = 0; i < f->sequence.n; i++) {
		const struct vfy_step *step = &f->sequence.step[i];
		unsigned int risk = step->kind == VFY_COMMAND
					    ? vfy_step_risk(c->target.profile, step)
				    : step->kind == VFY_RESET ? VFY_PROBE_DESTRUCTIVE
							      : VFY_PROBE_READ_ONLY;

		if (risk > c->args.probe)
			return fwa_fail(error, -EPERM, "step %zu needs --probe=%s", i + 1,
					vfy_probe_name(risk));
	}
	return vfy_may_probe(c->target.disposable, c->args.probe, &c->target.profile->id,
			     c->args.serial, error);
}

/* Whether @f says that the device does not survive being opened, as it did not now, with @error. */
static bool is_useless(const struct vfy_finding *f, int error)
{
	if (f->sequence.n)
		return false;
	return (f->kind == VFY_HANG && error == -ETIMEDOUT) ||
	       (f->kind == VFY_GONE && error == -ENODEV) ||
	       (f->kind == VFY_GARBAGE && error == -EPROTO);
}

static int replay(struct vfy_campaign *c, const struct vfy_evidence *e, struct vfy_replayed *ret,
		  char error[FWA_ERROR_LEN])
{
	const struct vfy_finding *f = &e->finding;
	int r = vfy_target_open(&c->target, c->args.spec, c->args.timeout_ms);

	if (r < 0 && c->target.profile && is_useless(f, r)) {
		ret->same = true;
		conclude(c, e, ret);
		return 0;
	}
	if (r < 0)
		return fwa_fail(error, r, "%s", c->target.error);
	r = may_run(c, f, error);
	if (r < 0)
		return r;
	r = vfy_rows_make(c);
	ret->outcome = VFY_NOT_REPRODUCED;
	if (r == 0 && !can_send(c, f, error))
		ret->outcome = VFY_NOT_RUN;
	else if (r == 0 && f->sequence.n)
		r = run_steps(c, f, ret, error);
	else if (r == 0)
		r = run_declarations(c, f, ret, error);
	if (r < 0)
		return fwa_fail(error, r, "the device cannot be watched: %s", strerror(-r));
	conclude(c, e, ret);
	return 0;
}

int vfy_replay(const struct vfy_evidence *e, const struct vfy_campaign_args *args,
	       struct vfy_replayed *ret, char error[FWA_ERROR_LEN])
{
	uint32_t repeats = e->finding.reproduced;
	struct vfy_campaign c = { .args = *args };
	int r = vfy_engine_make(&c);

	c.args.repeats = repeats < 1 ? 1 : repeats > REPEATS_MAX ? REPEATS_MAX : repeats;
	*ret = (struct vfy_replayed){ 0 };
	error[0] = '\0';
	r = r < 0 ? fwa_fail(error, r, "out of memory") : replay(&c, e, ret, error);
	vfy_campaign_clear(&c);
	return r;
}
