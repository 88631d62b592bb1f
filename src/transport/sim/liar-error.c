/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that are honest as long as they are asked for what they expect, and those that do more than
 * they are asked for.
 */
#include "transport/sim/personality.h"

#define COPY_UNIT 64

/*
 * Get Event Records for a log that there is not fails, as it should. Before it does, it counts the
 * request, in a byte that the interrupt policy of the last log has, too.
 */
int sim_liar_failure(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_GET_EVENTS && code == CXL_RC_INVALID_INPUT)
		s->event_policy[SIM_EVENT_LOGS - 1]++;
	return code;
}

/* An address that is not one of a line: refused, and the media's engine is never given back. */
int sim_liar_wedge(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_GET_SCAN_CAPS && code == CXL_RC_INVALID_INPUT &&
	    fwa_le64(c->in.data) % CXL_DPA_ALIGN)
		s->lie.wedged = true;
	if (c->opcode != SIM_OP_GET_POISON || !s->lie.wedged)
		return code;
	memset(s->payload, 0, c->out.len);
	c->out.len = c->reported = 0;
	return CXL_RC_INTERNAL;
}

/* Writes factory labels. */
int sim_liar_hidden(struct sim *s, struct sim_call *c)
{
	if (c->opcode != SIM_OP_HIDDEN)
		return sim_command(s, c);
	if (c->in.len)
		return CXL_RC_PAYLOAD_LENGTH;
	for (unsigned int i = 0; i < 32; i++)
		s->lsa[i] = (uint8_t)sim_random(s);
	return CXL_RC_SUCCESS;
}

/* The debug log is copied in whole units, whatever the length says that is reported. */
int sim_liar_overrun(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);
	size_t at, more;

	if (c->opcode != CXL_OP_GET_LOG || code != CXL_RC_SUCCESS ||
	    !fwa_uuid_eq(c->in.data, CXL_UUID_VENDOR_DEBUG))
		return code;
	at = fwa_le32(c->in.data + 16) + c->out.len;
	more = -c->out.len % COPY_UNIT;
	if (more > SIM_DEBUG_LOG_LEN - at)
		more = SIM_DEBUG_LOG_LEN - at;
	if (more <= s->dev.payload_max - c->out.len)
		memcpy(s->payload + c->out.len, s->debug_log + at, more);
	return code;
}
