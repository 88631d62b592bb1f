/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of one model and firmware that declare differently, and firmware that makes a device
 * declare differently from its activation on.
 */
#include "transport/sim/sim.h"

#include <stdio.h>

/* Where a package's head has what it changes. */
#define HEAD_FLAGS 8
#define HEAD_OPCODE 12
#define HEAD_EFFECTS 14
#define HEAD_DECLARES (1u << 2)   /* the opcode, with these effects */
#define HEAD_UNDECLARES (1u << 3) /* the opcode */
#define HEAD_SERIAL (1u << 4)     /* the device gives another serial number */

static void declare(struct sim *s, uint16_t opcode, uint16_t effects)
{
	sim_undeclare(s, opcode);
	sim_declare_more(s, opcode, effects);
}

void sim_change_by_options(struct sim *s)
{
	const struct sim_options *o = &s->options;

	if (o->declare != UINT64_MAX)
		declare(s, (uint16_t)(o->declare >> 16), (uint16_t)o->declare);
	if (o->undeclare != UINT64_MAX)
		sim_undeclare(s, (uint16_t)o->undeclare);
	if (o->serial != UINT64_MAX)
		snprintf(s->dev.id.serial, FWA_TEXT_MAX, "%llu", (unsigned long long)o->serial);
}

void sim_change(struct sim *s, const uint8_t *head)
{
	uint32_t flags = fwa_le32(head + HEAD_FLAGS);
	uint16_t opcode = fwa_le16(head + HEAD_OPCODE);

	if (flags & HEAD_UNDECLARES)
		sim_undeclare(s, opcode);
	if (flags & HEAD_DECLARES)
		declare(s, opcode, fwa_le16(head + HEAD_EFFECTS));
	if (flags & HEAD_SERIAL)
		snprintf(s->dev.id.serial, FWA_TEXT_MAX, "changed");
}
