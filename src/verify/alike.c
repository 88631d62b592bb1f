/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many findings of one kind that weigh little and tell of no effect: one stands for all of them.
 */
#include <stdio.h>
#include <string.h>

#include "verify/engine.h"

#define ALIKE "; the like of "
#define ALIKE_AT 200u /* of the text, so that there is room for how many */

/* A device can have as many of these as there are opcodes. */
static bool is_common(const struct vfy_finding *f)
{
	return f->has_opcode && f->severity <= VFY_LOW && !f->undeclared;
}

static bool is_alike(const struct vfy_finding *a, const struct vfy_finding *b)
{
	return is_common(a) && is_common(b) && a->kind == b->kind && a->set == b->set;
}

static bool is_known_alike(const struct vfy_finding *f, uint16_t opcode)
{
	for (size_t i = 0; i < vfy_finding_alike(f); i++)
		if (f->alike[i] == opcode)
			return true;
	return f->opcode == opcode;
}

static void note_alike(struct vfy_finding *f, uint16_t opcode)
{
	if (is_known_alike(f, opcode))
		return;
	if (f->n_alike < VFY_ALIKE_MAX)
		f->alike[f->n_alike] = opcode;
	f->n_alike++;
}

/* @better becomes the example of all that @f stands for, and @f one of those. */
static void become(struct vfy_finding *f, struct vfy_finding *better)
{
	struct vfy_finding spare = *f;

	*f = *better;
	f->n_alike = spare.n_alike;
	memcpy(f->alike, spare.alike, sizeof(f->alike));
	*better = spare;
	for (size_t i = 0; i < vfy_finding_alike(f); i++)
		if (f->alike[i] == f->opcode)
			f->alike[i] = spare.opcode;
}

/* @f stands for @other, too, which is cleared. */
static void stand_for(struct vfy_campaign *c, struct vfy_finding *f, struct vfy_finding *other)
{
	if (vfy_finding_is_better(other, f))
		become(f, other);
	note_alike(f, other->opcode);
	c->dropped++;
	vfy_finding_clear(other);
}

size_t vfy_alike_text(const char *text)
{
	const char *more = strstr(text, ALIKE);

	return more ? (size_t)(more - text) : strlen(text);
}

static void say_alike(struct vfy_finding *f)
{
	size_t len = vfy_alike_text(f->text);

	if (len > ALIKE_AT)
		len = ALIKE_AT;
	snprintf(f->text + len, sizeof(f->text) - len, ALIKE "%u other commands", f->n_alike);
}

/* The shortest of them is the example; the others go. */
static void fold(struct vfy_campaign *c, struct vfy_finding *f)
{
	struct vfy_finding *first = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < c->n_findings; i++) {
		struct vfy_finding *other = &c->finding[i];

		if (first && is_alike(other, f)) {
			stand_for(c, first, other);
			continue;
		}
		if (kept != i)
			c->finding[kept] = *other;
		if (!first && is_alike(other, f))
			first = &c->finding[kept];
		kept++;
	}
	c->n_findings = kept;
	if (!first) /* there are many */
		return;
	stand_for(c, first, f);
	say_alike(first);
}

/* Whether there are so many like @f that one stands for all. */
static bool is_one_of_many(const struct vfy_campaign *c, const struct vfy_finding *f)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_findings; i++)
		if (is_alike(&c->finding[i], f))
			n += 1 + c->finding[i].n_alike;
	return n >= VFY_ALIKE_APART;
}

bool vfy_alike_fold(struct vfy_campaign *c, struct vfy_finding *f)
{
	if (!is_common(f) || !is_one_of_many(c, f))
		return false;
	fold(c, f);
	return true;
}
