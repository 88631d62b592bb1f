/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: what they show, what they say in one line, and which of them are the same.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"

/* --- exhibits --------------------------------------------------------------------------------------- */

/* The bytes of @v around @first to @last. */
static uint32_t keep_bytes(const struct vfy_snapshot *s, const struct vfy_value *v, uint32_t from,
			   uint8_t ret[256])
{
	uint32_t len = v->len > from ? v->len - from : 0;
	struct fwa_span all = fwa_span(s->data, s->data_len), part = { NULL, 0 };

	if (len > 256)
		len = 256;
	if (!len || !fwa_span_sub(all, (size_t)v->at + from, len, &part))
		return 0;
	memcpy(ret, part.data, part.len);
	return (uint32_t)part.len;
}

static void exhibit(const struct vfy_campaign *c, const struct vfy_snapshot *before,
		    const struct vfy_change *change, struct vfy_exhibit *ret)
{
	const struct vfy_snapshot *after = &c->engine->after;
	const struct vfy_observable *o = &c->plan.observable[change->observable];
	const struct vfy_value *a = &before->value[change->observable];
	const struct vfy_value *b = &after->value[change->observable];

	*ret = (struct vfy_exhibit){
		.shown = change->shown,
		.covered = change->covered,
		.first = change->first,
		.last = change->last,
		.before_code = a->code,
		.after_code = b->code,
		.before_error = a->error,
		.after_error = b->error,
		.kept_from = change->first & ~15u,
	};
	snprintf(ret->name, sizeof(ret->name), "%s", o->name);
	if (change->field < o->row->n_fields)
		snprintf(ret->field, sizeof(ret->field), "%s", o->row->field[change->field].name);
	ret->before_len = keep_bytes(before, a, ret->kept_from, ret->before);
	ret->after_len = keep_bytes(after, b, ret->kept_from, ret->after);
}

/* --- severity --------------------------------------------------------------------------------------- */

static uint8_t at_most(uint8_t severity, uint8_t most)
{
	return severity < most ? severity : most;
}

/* What a device does to itself: the worse, the less a caller needs for it. */
static uint8_t severity_of_trouble(const struct vfy_claim *claim)
{
	if (claim->scope == FWA_SCOPE_NEVER)
		return VFY_LOW;
	return claim->declared | claim->floor ? VFY_MEDIUM : VFY_HIGH;
}

static uint8_t severity_of(const struct vfy_finding *f, const struct vfy_judgement *j)
{
	if (!vfy_kind_accuses(f->kind))
		return VFY_NOTE;
	switch (f->kind) {
	case VFY_HANG:
	case VFY_GONE:
		return severity_of_trouble(&f->claim);
	case VFY_GARBAGE:
	case VFY_OVERRUN:
		return at_most(severity_of_trouble(&f->claim), VFY_MEDIUM);
	case VFY_UNSTABLE:
		return VFY_MEDIUM;
	case VFY_UNLISTED:
	case VFY_CONTRADICTION:
		return VFY_LOW;
	default:
		return j->severity;
	}
}

/* --- in words --------------------------------------------------------------------------------------- */

static void say(struct vfy_finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct vfy_finding *f, const char *format, ...)
{
	size_t len = strlen(f->text);
	va_list args;

	va_start(args, format);
	vsnprintf(f->text + len, sizeof(f->text) - len, format, args);
	va_end(args);
}

void vfy_finding_subject(struct vfy_finding *f)
{
	const struct fwa_model_command *row;
	bool cxl = f->set == FWA_SET_CXL;

	f->text[0] = '\0';
	if (!f->has_opcode) {
		say(f, "the device");
		return;
	}
	row = fwa_model_find(f->set, f->opcode);
	say(f, "%s (%s %0*xh)", row ? row->title : "command", cxl ? "CXL" : fwa_set_name(f->set),
	    cxl ? 4 : 2, f->opcode);
}

static void say_effects(struct vfy_finding *f, fwa_effects effects)
{
	const char *before = ": ";

	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++) {
		if (!(effects >> bit & 1))
			continue;
		say(f, "%s%s", before, fwa_effect_name(bit));
		before = ", ";
	}
}

void vfy_finding_effects(struct vfy_finding *f)
{
	say_effects(f, f->undeclared);
}

static size_t count(const struct vfy_sequence *q, unsigned int kind)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		n += q->step[i].kind == kind;
	return n;
}

/* What it takes besides the command itself. */
static void say_history(struct vfy_finding *f)
{
	size_t commands = count(&f->sequence, VFY_COMMAND), readings;

	if (commands > 1)
		say(f, ", after %zu other command%s", commands - 1, commands == 2 ? "" : "s");
	readings = count(&f->sequence, VFY_OBSERVE);
	if (readings)
		say(f, "%s %zu reading%s of all state", commands > 1 ? " and" : ", after", readings,
		    readings == 1 ? "" : "s");
}

void vfy_finding_text(struct vfy_finding *f, uint32_t code)
{
	vfy_finding_subject(f);
	say(f, " %s", vfy_kind_text(f->kind));
	say_effects(f, f->kind == VFY_NEVER_SEEN
			       ? f->claim.declared & FWA_EFFECTS_IMMEDIATE & ~f->observed
			       : f->undeclared);
	if (f->n_exhibits)
		say(f, "; seen in %s", f->exhibit[0].name);
	if (code || f->kind == VFY_UNLISTED)
		say(f, ", with code %xh", code);
	say_history(f);
}

/* --- making one ------------------------------------------------------------------------------------- */

static void take_exhibits(const struct vfy_campaign *c, const struct vfy_attempt *a, bool apart,
			  struct vfy_finding *f)
{
	const struct vfy_judgement *j = &a->judgement;

	if (!a->judged)
		return;
	for (uint32_t i = 0; i < j->n_changes && i < VFY_EXHIBITS_MAX; i++)
		exhibit(c, apart ? &c->engine->first : &c->engine->before, &j->change[i],
			&f->exhibit[f->n_exhibits++]);
}

void vfy_finding_of(struct vfy_campaign *c, struct vfy_sequence *q, struct vfy_attempt *a,
		    const struct vfy_symptom *s, unsigned int flags, struct vfy_finding *f)
{
	bool whole = a->n >= q->n;
	const struct vfy_step *accused = vfy_last_command(q);

	*f = (struct vfy_finding){
		.kind = s->kind,
		.has_opcode = accused != NULL,
		.set = accused ? accused->set : 0,
		.opcode = accused ? accused->opcode : 0,
		.claim = a->claim,
		.observed = a->judgement.observed,
		.undeclared = a->judgement.undeclared,
		.apart = flags & VFY_TRY_APART,
	};
	f->severity = severity_of(f, &a->judgement);
	if (c->engine->only)
		snprintf(f->only, sizeof(f->only), "%s", c->engine->only);
	take_exhibits(c, a, f->apart, f);
	if (whole) {
		f->answer = fwa_steal(a->answer);
		a->n = a->room = 0;
	}
	f->sequence = *q;
	*q = (struct vfy_sequence){ 0 };
	vfy_finding_text(f, s->code);
}

/* --- all of them ------------------------------------------------------------------------------------- */

static size_t group_len(const char *name)
{
	return strcspn(name, " ");
}

/* Whether the first thing that each shows is of the same kind of observable. */
static bool same_group(const struct vfy_finding *a, const struct vfy_finding *b)
{
	const char *x = a->n_exhibits ? a->exhibit[0].name : "";
	const char *y = b->n_exhibits ? b->exhibit[0].name : "";

	return group_len(x) == group_len(y) && strncmp(x, y, group_len(x)) == 0;
}

static bool same(const struct vfy_finding *a, const struct vfy_finding *b)
{
	if (a->kind != b->kind || a->has_opcode != b->has_opcode || a->set != b->set ||
	    a->opcode != b->opcode || a->undeclared != b->undeclared)
		return false;
	/* Those that need no command are told apart by what they say. */
	if (!a->sequence.n && !b->sequence.n)
		return strcmp(a->text, b->text) == 0;
	return same_group(a, b);
}

bool vfy_finding_is_better(const struct vfy_finding *a, const struct vfy_finding *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	if (a->sequence.n != b->sequence.n)
		return a->sequence.n < b->sequence.n;
	return a->sequence.payloads < b->sequence.payloads;
}

/* --- adding one --------------------------------------------------------------------------------------- */

/* @f says the same as @other, or is an example of what it stands for. */
static void repeat(struct vfy_campaign *c, struct vfy_finding *other, struct vfy_finding *f)
{
	struct vfy_finding spare;

	if (vfy_finding_is_better(f, other) && !other->n_alike) {
		spare = *other;
		*other = *f;
		*f = spare;
	}
	c->dropped++;
	vfy_finding_clear(f);
}

int vfy_finding_add(struct vfy_campaign *c, struct vfy_finding *f)
{
	struct vfy_finding *more;

	for (size_t i = 0; i < c->n_findings; i++)
		if (same(&c->finding[i], f)) {
			repeat(c, &c->finding[i], f);
			return 0;
		}
	if (vfy_alike_fold(c, f))
		return 0;
	more = c->n_findings < VFY_FINDINGS_MAX
		       ? reallocarray(c->finding, c->n_findings + 1, sizeof(*more))
		       : NULL;
	if (!more) {
		vfy_finding_clear(f);
		c->dropped++;
		return c->n_findings < VFY_FINDINGS_MAX ? -ENOMEM : 0;
	}
	c->finding = more;
	c->finding[c->n_findings++] = *f;
	*f = (struct vfy_finding){ 0 };
	if (c->args.progress)
		c->args.progress(c->args.userdata, c);
	return 0;
}

bool vfy_finding_accuses(const struct vfy_finding *f)
{
	return vfy_kind_accuses(f->kind) && f->reproduced;
}

static int worst_first(const void *pa, const void *pb)
{
	const struct vfy_finding *a = pa, *b = pb;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	return a->opcode < b->opcode ? -1 : a->opcode > b->opcode;
}

void vfy_findings_sort(struct vfy_campaign *c)
{
	if (c->n_findings)
		qsort(c->finding, c->n_findings, sizeof(*c->finding), worst_first);
}
