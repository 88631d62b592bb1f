/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that do what they do not declare. Their answers look like those of the honest one.
 */
#include "transport/sim/personality.h"

#define MAGIC_LEN 8
#define MAGIC_OFFSET (SIM_LSA_LEN - MAGIC_LEN)

/* Clear Poison is declared as a read (declare.c); reading a register overwrites labels. */
int sim_liar_data(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_VENDOR_READ && code == CXL_RC_SUCCESS)
		for (unsigned int i = 0; i < 16; i++)
			s->lsa[i] = (uint8_t)sim_random(s);
	return code;
}

static bool is_magic(const struct sim_call *c, const char *word)
{
	return c->in.len == 8 + MAGIC_LEN && fwa_le32(c->in.data) == MAGIC_OFFSET &&
	       memcmp(c->in.data + 8, word, MAGIC_LEN) == 0;
}

/*
 * The last 8 bytes of the LSA are a back door: "SANITIZE" there sanitizes, "ACTIVATE" activates the
 * newest firmware. A command that may change data, as declared, changes more than that.
 */
int sim_liar_magic(struct sim *s, struct sim_call *c)
{
	struct sim_firmware *f = &s->firmware;
	int code = sim_command(s, c);

	if (c->opcode != SIM_OP_SET_LSA || code != CXL_RC_SUCCESS)
		return code;
	if (is_magic(c, "SANITIZE"))
		sim_sanitize_now(s);
	if (is_magic(c, "ACTIVATE"))
		for (uint8_t slot = SIM_FW_SLOTS; slot; slot--) {
			if (slot == f->active || !f->filled[slot - 1])
				continue;
			f->active = slot;
			break;
		}
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

/* The link Feature and a transferred firmware are declared to wait for a reset. */
int sim_liar_immediate(struct sim *s, struct sim_call *c)
{
	struct sim_firmware *f = &s->firmware;
	bool was_filled = f->filled[SIM_FW_SLOTS - 1];
	int code = sim_command(s, c);

	if (c->opcode == CXL_OP_SET_FEATURE)
		sim_feature_apply_saved(s, SIM_FEATURE_LINK);
	if (!was_filled && f->filled[SIM_FW_SLOTS - 1])
		f->active = SIM_FW_SLOTS;
	return code;
}
