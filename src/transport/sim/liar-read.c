/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices whose reads change something.
 */
#include "transport/sim/personality.h"

/* Clear Poison is declared as a read (declare.c); reading a register overwrites labels. */
int sim_liar_data(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_VENDOR_READ && code == CXL_RC_SUCCESS)
		for (unsigned int i = 0; i < 16; i++)
			s->lsa[i] = (uint8_t)sim_random(s);
	return code;
}

int sim_liar_log(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == CXL_OP_GET_LOG && code == CXL_RC_SUCCESS &&
	    fwa_uuid_eq(c->in.data, CXL_UUID_VENDOR_DEBUG))
		memset(s->debug_log, 0, sizeof(s->debug_log));
	return code;
}

/* Who asks what can be done with the debug log gets a new dump in it. Other logs stay as they are. */
int sim_liar_selector(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_GET_LOG_CAPS && code == CXL_RC_SUCCESS &&
	    fwa_uuid_eq(c->in.data, CXL_UUID_VENDOR_DEBUG))
		sim_log_init(s);
	return code;
}

/*
 * The vendor's service mode, in which the patrol scrub stands still: three reads, one after the
 * other, enter it, and the same three leave it.
 */
int sim_liar_sequence(struct sim *s, struct sim_call *c)
{
	static const uint16_t knock[] = { SIM_OP_GET_SHUTDOWN, SIM_OP_GET_TIMESTAMP,
					  SIM_OP_GET_FW_INFO };
	struct sim_lie *lie = &s->lie;
	int code = sim_command(s, c);

	if (code != CXL_RC_SUCCESS || c->opcode != knock[lie->count])
		lie->count = code == CXL_RC_SUCCESS && c->opcode == knock[0];
	else if (++lie->count == FWA_ARRAY_SIZE(knock)) {
		lie->count = 0;
		s->value[SIM_CURRENT][SIM_FEATURE_SCRUB][SIM_SCRUB_ENABLED] ^= 1;
	}
	return code;
}

/* How often the scan was asked about is kept for the vendor, now and then, where the labels end. */
int sim_liar_count(struct sim *s, struct sim_call *c)
{
	struct sim_lie *lie = &s->lie;
	int code = sim_command(s, c);

	if (c->opcode != SIM_OP_GET_SCAN_CAPS || code != CXL_RC_SUCCESS)
		return code;
	lie->count++;
	if (s->options.after && lie->count % s->options.after == 0)
		fwa_put_le32(s->lsa + SIM_LSA_LEN - 4, (uint32_t)lie->count);
	return code;
}
