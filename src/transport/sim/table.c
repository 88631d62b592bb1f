/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of what the device can do, and the Command Effects Log that is made of it.
 *
 * The effects are what CXL 3.1 section 8.2.9 gives each command, upper bounds included (C9): an
 * honest device. Set Feature's word is the union of what the Features in feature.c declare (C10).
 * Personalities edit the log; the table they cannot touch.
 */
#include "transport/sim/sim.h"

#define ANY UINT32_MAX

/* By opcode. */
static const struct sim_command commands[] = {
	{ 0x0005, 0x0000, 0, 0, false, sim_request_abort },
	{ 0x0100, 0x0000, 1, 1, false, sim_get_events },
	{ 0x0101, 0x0010, 6, ANY, false, sim_clear_events },
	{ 0x0102, 0x0000, 0, 0, false, sim_get_event_policy },
	{ 0x0103, 0x0008, 4, 4, false, sim_set_event_policy },
	{ 0x0200, 0x0000, 0, 0, false, sim_get_fw_info },
	{ 0x0201, 0x0f41, 128, ANY, false, sim_transfer_fw },
	{ 0x0202, 0x0f43, 2, 2, false, sim_activate_fw },
	{ 0x0300, 0x0000, 0, 0, false, sim_get_timestamp },
	{ 0x0301, 0x0008, 8, 8, false, sim_set_timestamp },
	{ 0x0400, 0x0000, 0, 0, false, sim_get_supported_logs },
	{ 0x0401, 0x0000, CXL_GET_LOG_LEN, CXL_GET_LOG_LEN, false, sim_get_log },
	{ 0x0402, 0x0000, 16, 16, false, sim_get_log_caps },
	{ 0x0403, 0x0010, 16, 16, false, sim_clear_log },
	{ 0x0500, 0x0000, CXL_GET_FEATURES_LEN, CXL_GET_FEATURES_LEN, false,
	  sim_get_supported_features },
	{ 0x0501, 0x0000, 21, 21, false, sim_get_feature },
	{ 0x0502, 0x0e3b, CXL_SET_FEATURE_HEADER_LEN, ANY, false, sim_set_feature },
	{ 0x4000, 0x0000, 0, 0, false, sim_identify },
	{ 0x4100, 0x0000, 0, 0, false, sim_get_partition },
	{ 0x4101, 0x0007, 9, 9, true, sim_set_partition },
	{ 0x4102, 0x0000, 8, 8, true, sim_get_lsa },
	{ 0x4103, 0x0006, 9, ANY, true, sim_set_lsa },
	{ 0x4200, 0x0000, 0, 0, false, sim_get_health },
	{ 0x4201, 0x0000, 0, 0, false, sim_get_alerts },
	{ 0x4202, 0x0008, 12, 12, false, sim_set_alerts },
	{ 0x4203, 0x0000, 0, 0, false, sim_get_shutdown },
	{ 0x4204, 0x0008, 1, 1, false, sim_set_shutdown },
	{ 0x4300, 0x0000, 16, 16, true, sim_get_poison },
	{ 0x4301, 0x0004, 8, 8, true, sim_inject_poison },
	{ 0x4302, 0x0004, 72, 72, true, sim_clear_poison },
	{ 0x4303, 0x0000, 16, 16, false, sim_get_scan_caps },
	{ SIM_OP_SCAN_MEDIA, 0x0140, 17, 17, false, sim_scan_media },
	{ 0x4305, 0x0010, 0, 0, false, sim_get_scan_results },
	{ SIM_OP_SANITIZE, 0x0164, 0, 0, false, sim_sanitize },
	{ 0x4401, 0x0024, 0, 0, false, sim_secure_erase },
	{ 0x4500, 0x0000, 0, 0, false, sim_get_security },
	{ 0x4501, 0x0020, 96, 96, false, sim_set_passphrase },
	{ 0x4502, 0x0020, 64, 64, false, sim_disable_passphrase },
	{ 0x4503, 0x0020, 32, 32, false, sim_unlock },
	{ 0x4504, 0x0020, 0, 0, false, sim_freeze },
	{ 0x4505, 0x0024, 64, 64, false, sim_passphrase_erase },
	{ SIM_OP_VENDOR_READ, 0x0000, 4, 4, false, sim_vendor_read },
	{ SIM_OP_VENDOR_WRITE, 0x0002, 8, 8, false, sim_vendor_write },
};

static const struct sim_command *find(uint16_t opcode)
{
	size_t low = 0, high = FWA_ARRAY_SIZE(commands);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (commands[mid].opcode == opcode)
			return &commands[mid];
		if (commands[mid].opcode < opcode)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static uint16_t run(struct sim *s, struct sim_call *c)
{
	const struct sim_command *command = find(c->opcode);

	if (!command)
		return CXL_RC_UNSUPPORTED;
	if (c->in.len < command->in_min || c->in.len > command->in_max)
		return CXL_RC_PAYLOAD_LENGTH;
	if (s->background.opcode && command->effects & CXL_CEL_BACKGROUND)
		return CXL_RC_BUSY;
	if (command->media && sim_media_disabled(s))
		return CXL_RC_MEDIA_DISABLED;
	return command->run(s, c);
}

uint32_t sim_input_max(uint16_t opcode)
{
	const struct sim_command *command = find(opcode);

	return command ? command->in_max : 0;
}

int sim_command(struct sim *s, struct sim_call *c)
{
	uint16_t code = run(s, c);

	if (c->out.full)
		code = CXL_RC_INTERNAL;
	if (code != CXL_RC_SUCCESS)
		c->out.len = 0;
	c->reported = c->out.len;
	return code;
}

void sim_declare_honest(struct sim *s)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(commands); i++)
		sim_declare_more(s, commands[i].opcode, commands[i].effects);
}

/* The entry for @opcode in the log, NULL when there is none. */
static uint8_t *entry(struct sim *s, uint16_t opcode)
{
	for (size_t at = 0; at + CXL_CEL_ENTRY_LEN <= s->cel_len; at += CXL_CEL_ENTRY_LEN)
		if (fwa_le16(s->cel + at) == opcode)
			return s->cel + at;
	return NULL;
}

void sim_declare(struct sim *s, uint16_t opcode, uint16_t effects)
{
	uint8_t *e = entry(s, opcode);

	if (e)
		fwa_put_le16(e + 2, effects);
}

void sim_declare_more(struct sim *s, uint16_t opcode, uint16_t effects)
{
	if (SIM_CEL_MAX - s->cel_len < CXL_CEL_ENTRY_LEN)
		return;
	fwa_put_le16(s->cel + s->cel_len, opcode);
	fwa_put_le16(s->cel + s->cel_len + 2, effects);
	s->cel_len += CXL_CEL_ENTRY_LEN;
}

void sim_undeclare(struct sim *s, uint16_t opcode)
{
	uint8_t *e = entry(s, opcode);

	if (!e)
		return;
	s->cel_len -= CXL_CEL_ENTRY_LEN;
	memmove(e, e + CXL_CEL_ENTRY_LEN, s->cel_len - (size_t)(e - s->cel));
}
