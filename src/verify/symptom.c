/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an attempt shows. Nothing here knows of a device more than its declarations and the judgement.
 */
#include <errno.h>
#include <string.h>

#include "verify/engine.h"
#include "wire/cxl.h"

#define NVME_INVALID_OPCODE 0x001u

/* Changes that a reset is declared for and that are visible at once: as what a judgement calls them. */
#define WAITS (FWA_EFFECT_CONFIG | FWA_EFFECT_POLICY)

struct list {
	struct vfy_symptom *at;
	size_t n;
};

static bool same(const struct vfy_symptom *a, const struct vfy_symptom *b)
{
	return a->kind == b->kind && a->bit == b->bit && a->group == b->group && a->at == b->at;
}

static void add(struct list *l, struct vfy_symptom s)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(&l->at[i], &s))
			return;
	if (l->n < VFY_SYMPTOMS_MAX)
		l->at[l->n++] = s;
}

/* --- answers ---------------------------------------------------------------------------------------- */

static uint8_t kind_of_error(int error)
{
	if (error == -ETIMEDOUT)
		return VFY_HANG;
	return error == -ENODEV ? VFY_GONE : VFY_GARBAGE;
}

/* Codes that say nothing of whether the device has the command, or that it has not. */
static bool says_nothing(unsigned int set, uint32_t code)
{
	if (set != FWA_SET_CXL)
		return code != 0; /* some check other fields before the opcode */
	switch (code) {
	case CXL_RC_UNSUPPORTED:
	case CXL_RC_INTERNAL:
	case CXL_RC_RETRY:
	case CXL_RC_BUSY:
	case CXL_RC_MEDIA_DISABLED:
	case CXL_RC_SECURITY_STATE:
	case CXL_RC_UNSUPPORTED_MAILBOX:
		return true;
	default:
		return false;
	}
}

/* Codes that no revision of the specification has. */
static bool is_no_code(unsigned int set, uint32_t code)
{
	if (set == FWA_SET_CXL)
		return code > CXL_RC_ABORT_UNSUPPORTED;
	/* Status code types 4 to 6 are reserved; 15 bits in all. */
	return code > 0x7fff || (code >> 8 & 7) - 4u < 3u;
}

static bool is_listed(const struct vfy_campaign *c, const struct vfy_step *step)
{
	struct fwa_declared declared;

	return fwa_profile_declared(c->target.profile, step->set, step->opcode, &declared);
}

/* It is declared, and the device says that it has no such command. Once may be for what was asked of it. */
static bool is_refused(const struct vfy_campaign *c, const struct vfy_step *step, uint32_t code)
{
	return c->engine->ending && step->set == FWA_SET_CXL && code == CXL_RC_UNSUPPORTED &&
	       is_listed(c, step);
}

static void answers(const struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a, struct list *l)
{
	for (size_t i = vfy_judged_part(q); i < a->n && i < q->n; i++) {
		const struct vfy_step *step = &q->step[i];
		const struct vfy_answer *answer = &a->answer[i];
		struct vfy_symptom s = { .at = i, .code = answer->code };

		if (step->kind != VFY_COMMAND || answer->error)
			continue;
		s.kind = VFY_GARBAGE;
		if (is_no_code(step->set, answer->code))
			add(l, s);
		s.kind = VFY_CONTRADICTION;
		if (is_refused(c, step, answer->code))
			add(l, s);
		s.kind = VFY_SLOW;
		if (answer->took_ns >= vfy_counts_slow(c, step->set, step->opcode))
			add(l, s);
		s.kind = VFY_UNLISTED;
		if (!is_listed(c, step) && !says_nothing(step->set, answer->code) &&
		    !is_no_code(step->set, answer->code))
			add(l, s);
	}
	if (a->beyond)
		add(l, (struct vfy_symptom){ .kind = VFY_OVERRUN, .at = a->beyond_at });
	if (a->error && a->at != SIZE_MAX)
		add(l, (struct vfy_symptom){ .kind = kind_of_error(a->error), .at = a->at });
}

/* --- changes ---------------------------------------------------------------------------------------- */

static bool declares(const struct vfy_observe_row *row, const struct vfy_change *change)
{
	return change->field < row->n_fields && row->field[change->field].kind == VFY_DECLARES;
}

/* Could be read, and cannot be read any more. */
static bool is_lost(const struct vfy_campaign *c, const struct vfy_attempt *a,
		    const struct vfy_change *change)
{
	const struct vfy_engine *e = c->engine;
	const struct vfy_snapshot *first = a->apart ? &e->first : &e->before;
	const struct vfy_value *before = &first->value[change->observable];
	const struct vfy_value *after = &e->after.value[change->observable];

	return change->reading && !before->error && !before->code && (after->error || after->code);
}

/* What the device declares of the command that is accused, and not of those that came before it. */
static fwa_effects own_declared(const struct vfy_campaign *c, const struct vfy_sequence *q)
{
	const struct vfy_step *step = vfy_last_command(q);
	struct vfy_claim claim = { 0 };
	struct fwa_command cmd;

	if (!step)
		return 0;
	cmd = vfy_step_command(step);
	vfy_claim_add(&claim, c->target.profile, &cmd);
	return claim.declared;
}

static uint8_t kind_of_change(const struct vfy_campaign *c, const struct vfy_attempt *a,
			      const struct vfy_change *change, fwa_effects declared)
{
	const struct vfy_observe_row *row = c->plan.observable[change->observable].row;

	if (declares(row, change))
		return VFY_UNSTABLE;
	if (is_lost(c, a, change))
		return VFY_WEDGED;
	if (!a->resets && declared & FWA_EFFECTS_RESET && change->shown & WAITS)
		return VFY_IMMEDIATE;
	return VFY_BREACH;
}

static void changes(const struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a, struct list *l)
{
	const struct vfy_judgement *j = &a->judgement;
	fwa_effects undeclared_reply = j->undeclared & a->by_reply;
	fwa_effects declared = j->n_changes ? own_declared(c, q) : 0;
	struct vfy_symptom s = { .at = q->n };

	for (uint32_t i = 0; i < j->n_changes && i < VFY_CHANGES_MAX; i++) {
		const struct vfy_change *change = &j->change[i];

		s.group = c->plan.observable[change->observable].row;
		s.bit = change->shown;
		s.kind = kind_of_change(c, a, change, declared);
		if (change->covered)
			s.kind = VFY_HALF_APPLIED;
		if (!change->covered || (a->failed && a->claim.n && !change->grown))
			add(l, s);
	}
	s = (struct vfy_symptom){ .kind = VFY_BREACH, .bit = undeclared_reply, .at = q->n };
	if (undeclared_reply)
		add(l, s);
}

size_t vfy_symptoms(const struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a, struct vfy_symptom *ret)
{
	struct list l = { .at = ret };

	answers(c, q, a, &l);
	if (a->judged)
		changes(c, q, a, &l);
	return l.n;
}

/* --- the same again --------------------------------------------------------------------------------- */

const struct vfy_step *vfy_last_command(const struct vfy_sequence *q)
{
	for (size_t i = q->n; i--;)
		if (q->step[i].kind == VFY_COMMAND)
			return &q->step[i];
	return NULL;
}

const struct vfy_step *vfy_accused(const struct vfy_sequence *q, const struct vfy_symptom *s)
{
	struct vfy_sequence until = { .step = q->step, .n = s->at < q->n ? s->at + 1 : q->n };

	return vfy_last_command(&until);
}

static bool is_about_step(const struct vfy_symptom *s)
{
	return !s->bit && !s->group;
}

bool vfy_shows(const struct vfy_campaign *c, const struct vfy_sequence *q,
	       const struct vfy_attempt *a, const struct vfy_symptom *s)
{
	struct vfy_symptom all[VFY_SYMPTOMS_MAX];
	size_t n = vfy_symptoms(c, q, a, all);

	if (s->limit && a->claim.scope >= s->limit)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (all[i].kind != s->kind || all[i].bit != s->bit || all[i].group != s->group)
			continue;
		/* About a step: the last one, or observing after it. */
		if (!is_about_step(s) || all[i].at + 1 >= q->n)
			return true;
	}
	return false;
}

bool vfy_control_shows(const struct vfy_campaign *c, const struct vfy_sequence *q,
		       const struct vfy_attempt *a, const struct vfy_symptom *s)
{
	const struct vfy_judgement *j = &a->judgement;

	if (a->error)
		return true; /* it cannot even be watched without the sequence */
	if (is_about_step(s))
		return s->kind == VFY_OVERRUN && a->beyond;
	for (uint32_t i = 0; a->judged && i < j->n_changes && i < VFY_CHANGES_MAX; i++)
		if (!j->change[i].covered &&
		    c->plan.observable[j->change[i].observable].row == s->group)
			return true;
	return !s->group && j->observed & s->bit;
}
