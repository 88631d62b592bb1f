/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs: the Command Effects Log and a vendor debug log (CXL 3.1 section 8.2.9.5).
 */
#include "transport/sim/sim.h"

#define CAP_CLEAR (1u << 0) /* Get Log Capabilities: Clear Log works */

struct log {
	const uint8_t *uuid;
	uint8_t *data;
	size_t len;
	bool clearable;
};

static bool find_log(struct sim *s, const uint8_t *uuid, struct log *ret)
{
	struct log logs[] = {
		{ CXL_UUID_CEL, s->cel, s->cel_len, false },
		{ CXL_UUID_VENDOR_DEBUG, s->debug_log, SIM_DEBUG_LOG_LEN, true },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(logs); i++) {
		if (!fwa_uuid_eq(logs[i].uuid, uuid))
			continue;
		*ret = logs[i];
		return true;
	}
	return false;
}

void sim_log_init(struct sim *s)
{
	for (size_t i = 0; i + 8 <= SIM_DEBUG_LOG_LEN; i += 8)
		fwa_put_le64(s->debug_log + i, sim_random(s));
}

uint16_t sim_get_supported_logs(struct sim *s, struct sim_call *c)
{
	fwa_write_le16(&c->out, 2);
	fwa_write_room(&c->out, CXL_LOGS_HEADER_LEN - 2);
	fwa_write_bytes(&c->out, CXL_UUID_CEL, sizeof(CXL_UUID_CEL));
	fwa_write_le32(&c->out, (uint32_t)s->cel_len);
	fwa_write_bytes(&c->out, CXL_UUID_VENDOR_DEBUG, sizeof(CXL_UUID_VENDOR_DEBUG));
	fwa_write_le32(&c->out, SIM_DEBUG_LOG_LEN);
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_log(struct sim *s, struct sim_call *c)
{
	uint32_t offset = fwa_le32(c->in.data + 16);
	uint32_t length = fwa_le32(c->in.data + 20);
	struct log log;

	if (!find_log(s, c->in.data, &log))
		return CXL_RC_INVALID_LOG;
	if (offset > log.len || length > log.len - offset || length > s->dev.payload_max)
		return CXL_RC_INVALID_INPUT;
	fwa_write_bytes(&c->out, log.data + offset, length);
	if (log.data == s->cel && offset + length == log.len)
		s->readings++;
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_log_caps(struct sim *s, struct sim_call *c)
{
	struct log log;

	if (!find_log(s, c->in.data, &log))
		return CXL_RC_INVALID_LOG;
	fwa_write_le32(&c->out, log.clearable ? CAP_CLEAR : 0);
	return CXL_RC_SUCCESS;
}

uint16_t sim_clear_log(struct sim *s, struct sim_call *c)
{
	struct log log;

	if (!find_log(s, c->in.data, &log))
		return CXL_RC_INVALID_LOG;
	if (!log.clearable)
		return CXL_RC_UNSUPPORTED;
	memset(log.data, 0, log.len);
	return CXL_RC_SUCCESS;
}
