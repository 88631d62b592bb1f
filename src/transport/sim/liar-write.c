/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that change more than they declare, or sooner.
 */
#include "transport/sim/personality.h"

#define MAGIC_LEN 8
#define MAGIC_OFFSET (SIM_LSA_LEN - MAGIC_LEN)

#define SET_FEATURE_TRANSFER 0x7u
#define SCRIPT_ALIGN 64

/* The bit for the shutdown state is also, by a wrong address, the one that switches the scrub on. */
int sim_liar_config(struct sim *s, struct sim_call *c)
{
	uint8_t *enabled = &s->value[SIM_CURRENT][SIM_FEATURE_SCRUB][SIM_SCRUB_ENABLED];
	int code = sim_command(s, c);

	if (c->opcode == SIM_OP_SET_SHUTDOWN && code == CXL_RC_SUCCESS)
		*enabled = (uint8_t)((*enabled & ~1u) | s->shutdown);
	return code;
}

static bool is_magic(const struct sim_call *c, const char *word)
{
	return c->in.len == 8 + MAGIC_LEN && fwa_le32(c->in.data) == MAGIC_OFFSET &&
	       memcmp(c->in.data + 8, word, MAGIC_LEN) == 0;
}

/*
 * The last 8 bytes of the LSA are a back door: "SANITIZE" there sanitizes, "ACTIVATE" activates the
 * newest firmware, and "SECURITY" freezes the security state. A command that may change configuration
 * and data, as declared, changes more than that.
 */
int sim_liar_magic(struct sim *s, struct sim_call *c)
{
	struct sim_firmware *f = &s->firmware;
	int code = sim_command(s, c);

	if (c->opcode != SIM_OP_SET_LSA || code != CXL_RC_SUCCESS)
		return code;
	if (is_magic(c, "SECURITY"))
		s->frozen = true;
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

/* Calibration data that is set in one piece, at the beginning of one of its lines. */
static bool is_calibration(const struct sim *s, const struct sim_call *c)
{
	const uint8_t *in = c->in.data;

	return c->opcode == CXL_OP_SET_FEATURE &&
	       fwa_uuid_eq(in, s->feature[SIM_FEATURE_CALIBRATION].uuid) &&
	       !(fwa_le32(in + 16) & SET_FEATURE_TRANSFER) && fwa_le16(in + 20) % SCRIPT_ALIGN == 0;
}

/* A script of one step: a word with a command's number, and what it takes. It leaves no answer. */
static void run_script(struct sim *s, struct fwa_span script)
{
	struct sim_call step = { .out = fwa_writer(s->payload, s->dev.payload_max) };
	size_t max;

	if (script.len < 4 || fwa_le32(script.data) > UINT16_MAX)
		return;
	step.opcode = (uint16_t)fwa_le32(script.data);
	step.in = fwa_span(script.data + 4, script.len - 4);
	max = sim_input_max(step.opcode);
	if (step.in.len > max)
		step.in.len = max;
	sim_command(s, &step);
	memset(s->payload, 0, s->dev.payload_max);
}

/* What looks like a script in new calibration data is run: how the vendor's own tool calibrates. */
int sim_liar_trigger(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (code == CXL_RC_SUCCESS && is_calibration(s, c))
		run_script(s, fwa_span(c->in.data + CXL_SET_FEATURE_HEADER_LEN,
				       c->in.len - CXL_SET_FEATURE_HEADER_LEN));
	return code;
}

/* Secure Erase was made to go on by itself, and the declaration was forgotten. */
int sim_liar_background(struct sim *s, struct sim_call *c)
{
	int code = sim_command(s, c);

	if (c->opcode != SIM_OP_SECURE_ERASE || code != CXL_RC_SUCCESS)
		return code;
	return sim_background_start(s, c->opcode, s->options.bg_ms, NULL);
}
