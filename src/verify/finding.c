/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/finding.h"

#include <stdlib.h>

static const struct {
	const char *name;
	const char *text;
	uint8_t clause;
	bool accuses;
} kinds[VFY_KINDS] = {
	/* clang-format off */
	[VFY_BREACH] = { "breach",
		"changes what it does not declare", 9, true },
	[VFY_IMMEDIATE] = { "immediate",
		"declares a change for the next reset and makes it at once", 9, true },
	[VFY_UNLISTED] = { "unlisted",
		"is answered, and is not declared", 6, true },
	[VFY_HANG] = { "hang",
		"is not answered, nor is anything after it", 26, true },
	[VFY_GONE] = { "gone",
		"makes the device disappear", 26, true },
	[VFY_GARBAGE] = { "garbage",
		"is answered with what makes no sense", 25, true },
	[VFY_OVERRUN] = { "overrun",
		"is answered with more bytes than the answer says", 25, true },
	[VFY_UNSTABLE] = { "unstable",
		"makes the device declare something else", 23, true },
	[VFY_CONTRADICTION] = { "contradiction",
		"is declared in a way that contradicts the specification or another declaration", 8, true },
	[VFY_HALF_APPLIED] = { "half-applied",
		"fails, and has changed something that it declares", 9, false },
	[VFY_WEDGED] = { "wedged",
		"leaves the device in a state in which what was readable cannot be read", 26, true },
	[VFY_NEVER_SEEN] = { "never-seen",
		"declares an effect of which nothing was seen", 7, false },
	[VFY_NEVER_CAME] = { "never-came",
		"declares a change for a reset, and nothing was seen of it after one", 7, false },
	[VFY_SLOW] = { "slow",
		"takes much longer with this input than with others", 26, false },
	/* clang-format on */
};

const char *vfy_kind_name(unsigned int kind)
{
	return kind < VFY_KINDS ? kinds[kind].name : "unknown";
}

const char *vfy_kind_text(unsigned int kind)
{
	return kind < VFY_KINDS ? kinds[kind].text : "is of a kind that is not known here";
}

unsigned int vfy_kind_clause(unsigned int kind)
{
	return kind < VFY_KINDS ? kinds[kind].clause : 1;
}

bool vfy_kind_accuses(unsigned int kind)
{
	return kind < VFY_KINDS && kinds[kind].accuses;
}

void vfy_finding_clear(struct vfy_finding *f)
{
	vfy_sequence_clear(&f->sequence);
	free(f->answer);
	*f = (struct vfy_finding){ 0 };
}

size_t vfy_finding_alike(const struct vfy_finding *f)
{
	return f->n_alike < VFY_ALIKE_MAX ? f->n_alike : VFY_ALIKE_MAX;
}
