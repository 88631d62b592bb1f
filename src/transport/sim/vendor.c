/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two vendor commands on a bank of 32-bit registers. C000h: le32 number; gives le32 value. C001h:
 * le32 number, le32 value; only the upper half of the bank can be written.
 */
#include "transport/sim/sim.h"

void sim_vendor_init(struct sim *s)
{
	for (unsigned int i = 0; i < SIM_REGISTERS; i++)
		s->reg[i] = (uint32_t)sim_random(s);
	s->reg[SIM_REGISTER_MEDIA_KEY] = 0;
}

uint16_t sim_vendor_read(struct sim *s, struct sim_call *c)
{
	uint32_t i = fwa_le32(c->in.data);

	if (i >= SIM_REGISTERS)
		return CXL_RC_INVALID_INPUT;
	fwa_write_le32(&c->out, s->reg[i]);
	return CXL_RC_SUCCESS;
}

uint16_t sim_vendor_write(struct sim *s, struct sim_call *c)
{
	uint32_t i = fwa_le32(c->in.data);

	if (i < SIM_REGISTER_FIRST_WRITABLE || i >= SIM_REGISTERS)
		return CXL_RC_INVALID_INPUT;
	s->reg[i] = fwa_le32(c->in.data + 4);
	return CXL_RC_SUCCESS;
}
