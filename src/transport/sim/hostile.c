/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices whose answers cannot be worked with: they change, they do not come, or they are nonsense.
 */
#include "transport/sim/personality.h"

#include <errno.h>

#define GET_HEALTH_INFO 0x4200

/* Every other whole reading of the CEL leaves out that Set LSA changes data. */
int sim_flapping(struct sim *s, struct sim_call *c)
{
	unsigned int before = s->readings;
	int code = sim_command(s, c);

	if (s->readings != before)
		sim_declare(s, SIM_OP_SET_LSA, s->readings % 2 ? 0x0002 : 0x0006);
	return code;
}

/* The second whole reading of the CEL is other than the first and those that follow. */
int sim_liar_cel(struct sim *s, struct sim_call *c)
{
	unsigned int before = s->readings;
	int code = sim_command(s, c);

	if (s->readings != before)
		sim_declare(s, SIM_OP_SET_LSA, s->readings == 1 ? 0x0002 : 0x0006);
	return code;
}

int sim_hang(struct sim *s, struct sim_call *c)
{
	return c->opcode == GET_HEALTH_INFO ? -ETIMEDOUT : sim_command(s, c);
}

/* after=0: before anything was read. Else the declarations can be read, whole and twice. */
int sim_gone(struct sim *s, struct sim_call *c)
{
	if (s->readings >= 2)
		s->commands++;
	s->gone = s->commands >= s->options.after;
	return s->gone ? -ENODEV : sim_command(s, c);
}

int sim_huge(struct sim *s, struct sim_call *c)
{
	if (c->opcode < SIM_HUGE_FIRST || c->opcode >= SIM_HUGE_FIRST + SIM_HUGE_COUNT)
		return sim_command(s, c);
	return c->in.len ? CXL_RC_PAYLOAD_LENGTH : CXL_RC_SUCCESS;
}

/* A device that can be sent commands, by what it declared while it was well. */
int sim_rotting(struct sim *s, struct sim_call *c)
{
	return s->readings < 2 ? sim_command(s, c) : sim_garbage(s, c);
}

static void scribble(struct sim *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		s->payload[i] = (uint8_t)sim_random(s);
}

/* The CEL's size, the first in the list, is anything but what it is. */
static void lie_about_size(struct sim *s)
{
	const uint32_t sizes[] = {
		0,
		1,
		(uint32_t)s->cel_len - 1,
		(uint32_t)s->cel_len + 3,
		SIM_CEL_MAX + 2,
		UINT32_MAX,
		(uint32_t)sim_random(s),
	};

	fwa_put_le32(s->payload + CXL_LOGS_HEADER_LEN + FWA_UUID_LEN,
		     sizes[sim_random(s) % FWA_ARRAY_SIZE(sizes)]);
}

int sim_garbage(struct sim *s, struct sim_call *c)
{
	size_t room = s->dev.payload_max;
	int code = sim_command(s, c);
	uint64_t r = sim_random(s);

	if (c->opcode == CXL_OP_GET_SUPPORTED_LOGS && code == CXL_RC_SUCCESS && r % 4) {
		lie_about_size(s);
		return code;
	}
	switch (r / 4 % 6) {
	case 0: /* a code that nobody has named */
		return (int)(CXL_RC_ABORT_UNSUPPORTED + 1 + r / 64 % 0xff00);
	case 1: /* more than there are registers for */
		c->reported = room + 1 + r / 64 % 65536;
		return CXL_RC_SUCCESS;
	case 2: /* noise */
		scribble(s, 0, room);
		c->reported = r / 64 % (room + 1);
		return CXL_RC_SUCCESS;
	case 3: /* cut short */
		c->reported = c->out.len ? r / 64 % c->out.len : 0;
		return code;
	case 4: /* goes on after its end */
		scribble(s, c->out.len, room);
		c->reported = room;
		return code;
	default: /* one byte wrong */
		if (c->out.len)
			s->payload[r / 64 % c->out.len] ^= 0xff;
		return code;
	}
}
