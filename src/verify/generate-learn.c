/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the answers say: which forms the device takes, and what it returned by them. Everything that a
 * device says is a number among others here; nothing is believed for a length or an index.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"

bool vfy_is_taken(const struct vfy_step *step, const struct vfy_answer *answer)
{
	if (answer->error)
		return false;
	return answer->code == 0 || (step->set == FWA_SET_CXL && answer->code == CXL_RC_BACKGROUND);
}

void vfy_learn(struct vfy_generator *g, uint32_t form, const struct vfy_step *step,
	       const struct vfy_answer *answer)
{
	struct vfy_form *f = &g->form[form];

	if (!vfy_is_taken(step, answer)) {
		if (f->state == VFY_FORM_UNTRIED)
			f->state = VFY_FORM_REFUSED;
		return;
	}
	f->state = VFY_FORM_TAKEN;
	f->result = answer->result;
	f->head_len = (uint8_t)vfy_least(answer->out_len, VFY_HEAD);
	memcpy(f->head, answer->head, f->head_len);
}

static bool selects_as(const struct vfy_form *f, const struct vfy_choice *like)
{
	const struct vfy_choice *c = &f->choice;

	if (!like)
		return true;
	if (like->by_uuid != c->by_uuid || memcmp(like->uuid, c->uuid, sizeof(c->uuid)) != 0)
		return false;
	if (like->has_op && (!c->has_op || like->op != c->op))
		return false;
	return like->nsid == c->nsid && (like->cdw10 & 0xff) == (c->cdw10 & 0xff);
}

/* The next form of the command at or after *@at. */
static const struct vfy_form *next_taken(const struct vfy_generator *g,
					 const struct vfy_gen_command *c, uint32_t *at)
{
	for (; c && *at < c->n_forms; ++*at)
		if (g->form[c->first_form + *at].state == VFY_FORM_TAKEN)
			return &g->form[c->first_form + (*at)++];
	return NULL;
}

const struct vfy_form *vfy_taken(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
				 const struct vfy_choice *like)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, set, opcode);
	const struct vfy_form *f;
	uint32_t at = 0;

	while ((f = next_taken(g, c, &at)))
		if (selects_as(f, like))
			break;
	return f;
}

const struct vfy_form *vfy_taken_as(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
				    unsigned int variation)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, set, opcode);
	const struct vfy_form *f;
	uint32_t at = 0;

	while ((f = next_taken(g, c, &at)))
		if (f->variation == variation)
			break;
	return f;
}

uint64_t vfy_fact(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
		  const struct vfy_choice *like, unsigned int at, unsigned int width,
		  uint64_t otherwise)
{
	const struct vfy_form *f = vfy_taken(g, set, opcode, like);
	uint64_t v;

	if (!f || !fwa_span_number(fwa_span(f->head, f->head_len), at, width, &v))
		return otherwise;
	return v;
}
