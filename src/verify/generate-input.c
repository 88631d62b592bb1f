/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Well-formed inputs: the maker of the family fills in what the command wants, then the bytes that select
 * are put in, and the gate's own check of shapes (fwa_shape_check()) has the last word.
 */
#include <string.h>

#include "core/shape.h"
#include "verify/generate-internal.h"

bool vfy_make_len(struct vfy_make *m, uint64_t len)
{
	if (len > m->room)
		return false;
	m->step->payload_len = (uint32_t)len;
	memset(m->step->payload, 0, len);
	return true;
}

void vfy_make_fill(struct vfy_make *m, uint32_t at, uint32_t len, const uint8_t *known,
		   uint32_t known_len)
{
	uint8_t *to = m->step->payload + at;

	switch (m->variation) {
	case 0: /* other than it is, so that it shows */
		vfy_random_fill(m->random, to, len);
		for (uint32_t i = 0; i < len && i < known_len; i++)
			to[i] = known[i] ^ 0xff;
		break;
	case 1:
		memset(to, 0xff, len);
		break;
	case 3: /* a small number */
		memset(to, 0, len);
		if (len)
			to[0] = 1;
		break;
	case 4:
		memset(to, 0, len);
		break;
	case 5: /* other than it is by one bit */
		memset(to, 0, len);
		for (uint32_t i = 0; i < len && i < known_len; i++)
			to[i] = known[i];
		if (len)
			to[vfy_random_below(m->random, len)] ^=
				(uint8_t)(1u << vfy_random_below(m->random, 8));
		break;
	default:
		vfy_random_fill(m->random, to, len);
		break;
	}
}

#define PART_FEW 128u
#define PART_TAIL 16u

bool vfy_make_range(const struct vfy_make *m, uint64_t size, uint64_t most, uint64_t *ret_at,
		    uint64_t *ret_len)
{
	uint64_t len = size < most ? size : most, at = 0;

	if (!len)
		return false;
	switch (m->variation) {
	case 0:
		len = len < PART_FEW ? len : PART_FEW;
		break;
	case 1:
		break;
	case 2:
		len = len < PART_TAIL ? len : PART_TAIL;
		at = size - len;
		break;
	case 3:
		len = 1;
		at = size / 2;
		break;
	default:
		len = 1 + vfy_random(m->random) % len;
		at = vfy_random(m->random) % (size - len + 1);
		break;
	}
	*ret_at = at;
	*ret_len = len;
	return true;
}

struct vfy_step vfy_step_copy(struct vfy_generator *g, const struct vfy_step *from)
{
	struct vfy_step step = *from;

	step.payload = g->data;
	if (from->payload_len)
		memcpy(g->data, from->payload, from->payload_len);
	return step;
}

/* --- what selects --------------------------------------------------------------------------------- */

static bool put_operation(const struct vfy_make *m)
{
	const struct fwa_operation_table *t = m->row->operations;
	uint32_t mask, value;

	if (!t || !m->choice->has_op)
		return true;
	mask = (uint32_t)t->mask << t->shift;
	value = (uint32_t)m->choice->op << t->shift & mask;
	if (t->cdw) {
		uint32_t *dword = &m->step->cdw[t->cdw - 10];

		*dword = (*dword & ~mask) | value;
		return true;
	}
	if ((uint32_t)t->at + t->width > m->step->payload_len)
		return false;
	for (uint8_t i = t->width; i-- > 0; mask >>= 8, value >>= 8) {
		uint8_t *byte = &m->step->payload[t->at + i];

		*byte = (uint8_t)((*byte & ~mask) | value);
	}
	return true;
}

static bool put_choice(const struct vfy_make *m)
{
	const struct vfy_choice *c = m->choice;

	if (m->step->set != FWA_SET_CXL) {
		m->step->nsid = c->nsid;
		m->step->cdw[0] |= c->cdw10;
	}
	if (c->by_uuid) {
		if (m->step->payload_len < sizeof(c->uuid))
			return false;
		memcpy(m->step->payload, c->uuid, sizeof(c->uuid));
	}
	return put_operation(m);
}

bool vfy_input_valid(struct vfy_generator *g, const struct fwa_model_command *row,
		     const struct vfy_choice *choice, unsigned int variation,
		     struct vfy_random *random, struct vfy_step *ret)
{
	struct vfy_step step = {
		.kind = VFY_COMMAND, .set = row->set, .opcode = row->opcode, .payload = g->data
	};
	struct vfy_make m = {
		.g = g,
		.row = row,
		.choice = choice,
		.variation = variation,
		.random = random,
		.step = &step,
		.room = row->set == FWA_SET_CXL ? g->mailbox : VFY_NVME_DATA_MAX,
	};
	struct fwa_command cmd;

	if (!(row->set == FWA_SET_CXL ? vfy_make_cxl(&m) : vfy_make_nvme(&m)) || !put_choice(&m))
		return false;
	cmd = vfy_step_command(&step);
	if (fwa_shape_check(g->profile, row, &cmd, choice->by_uuid ? choice->uuid : NULL))
		return false;
	*ret = step;
	return true;
}
