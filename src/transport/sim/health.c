/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Health, alerts and the shutdown state (CXL 3.1 section 8.2.9.9.3).
 */
#include "transport/sim/sim.h"

#define LIFE_USED_PERCENT 3
#define TEMPERATURE_C 36
#define LIFE_USED_CRITICAL_PERCENT 95
#define OVER_TEMPERATURE_CRITICAL_C 85

#define SHUTDOWN_DIRTY (1u << 0)

#define ALERT_COUNT 5
#define ALERTS_MASK ((1u << ALERT_COUNT) - 1)

/*
 * The programmable warning thresholds, by their bit: where they are in Set Alert Configuration, in
 * Get Alert Configuration, and how wide. Life used, over- and under-temperature, corrected
 * volatile and persistent errors.
 */
static const struct {
	uint8_t set_at;
	uint8_t get_at;
	uint8_t width;
} alerts[ALERT_COUNT] = { { 2, 3, 1 }, { 4, 8, 2 }, { 6, 10, 2 }, { 8, 12, 2 }, { 10, 14, 2 } };

void sim_alerts_init(struct sim *s)
{
	s->alerts[1] = ALERTS_MASK; /* programmable */
	s->alerts[2] = LIFE_USED_CRITICAL_PERCENT;
	s->alerts[3] = LIFE_USED_CRITICAL_PERCENT - 20;
	fwa_put_le16(s->alerts + 4, OVER_TEMPERATURE_CRITICAL_C);
	fwa_put_le16(s->alerts + 8, OVER_TEMPERATURE_CRITICAL_C - 10);
}

uint16_t sim_get_health(struct sim *s, struct sim_call *c)
{
	uint8_t *out = fwa_write_room(&c->out, 18);

	out[3] = LIFE_USED_PERCENT;
	fwa_put_le16(out + 4, TEMPERATURE_C);
	fwa_put_le32(out + 10, (uint32_t)(s->options.seed % 5)); /* corrected volatile errors */
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_alerts(struct sim *s, struct sim_call *c)
{
	fwa_write_bytes(&c->out, s->alerts, sizeof(s->alerts));
	return CXL_RC_SUCCESS;
}

/* Byte 0: which thresholds the host gives; byte 1: which of them are to be on. */
uint16_t sim_set_alerts(struct sim *s, struct sim_call *c)
{
	const uint8_t *in = c->in.data;
	unsigned int given = in[0];

	if (given & ~ALERTS_MASK || in[1] & ~ALERTS_MASK)
		return CXL_RC_INVALID_INPUT;
	if (given & 1 && in[2] >= LIFE_USED_CRITICAL_PERCENT)
		return CXL_RC_INVALID_INPUT;
	if (given & 2 && fwa_le16(in + 4) >= OVER_TEMPERATURE_CRITICAL_C)
		return CXL_RC_INVALID_INPUT;
	for (unsigned int i = 0; i < ALERT_COUNT; i++)
		if (given & 1u << i)
			memcpy(s->alerts + alerts[i].get_at, in + alerts[i].set_at,
			       alerts[i].width);
	s->alerts[0] = (uint8_t)((s->alerts[0] & ~given) | (in[1] & given));
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_shutdown(struct sim *s, struct sim_call *c)
{
	fwa_write_u8(&c->out, s->shutdown);
	return CXL_RC_SUCCESS;
}

uint16_t sim_set_shutdown(struct sim *s, struct sim_call *c)
{
	if (c->in.data[0] & ~SHUTDOWN_DIRTY)
		return CXL_RC_INVALID_INPUT;
	s->shutdown = c->in.data[0];
	return CXL_RC_SUCCESS;
}
