/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event records, their interrupt policy, and the clock (CXL 3.1 sections 8.2.9.2 and 8.2.9.4).
 *
 * The device has a few events from before it was opened; nothing that it does adds one, so that no
 * command changes a log that it does not declare.
 */
#include "transport/sim/sim.h"

#define REPLY_HEADER_LEN 32
#define REPLY_COUNT 20
#define FLAG_MORE (1u << 1)

#define CLEAR_HEADER_LEN 6
#define CLEAR_ALL (1u << 0)

#define RECORD_HANDLE 20

#define POLICY_MODE 0x3u /* bits 1:0; 3 is reserved */
#define POLICY_MODE_RESERVED 3u

static const uint8_t memory_module_event[16] = { 0xfe, 0x92, 0x74, 0x75, 0xdd, 0x59, 0x43, 0x39,
						 0xa5, 0x86, 0x79, 0xba, 0xb1, 0x13, 0xb7, 0x74 };

static void add(struct sim *s, unsigned int log, uint16_t handle)
{
	struct sim_event_log *e = &s->event[log];
	uint8_t *r = e->record[e->count++];

	memcpy(r, memory_module_event, sizeof(memory_module_event));
	r[16] = SIM_EVENT_LEN;
	r[17] = (uint8_t)log; /* severity */
	fwa_put_le16(r + RECORD_HANDLE, handle);
	fwa_put_le64(r + 24, sim_random(s));
}

void sim_events_init(struct sim *s)
{
	add(s, 0, 1);
	add(s, 0, 2);
	add(s, 0, 3);
	add(s, 1, 4);
}

uint16_t sim_get_events(struct sim *s, struct sim_call *c)
{
	unsigned int log = c->in.data[0];
	size_t room = (s->dev.payload_max - REPLY_HEADER_LEN) / SIM_EVENT_LEN;
	const struct sim_event_log *e;
	uint8_t *header;
	size_t n;

	if (log >= SIM_EVENT_LOGS)
		return CXL_RC_INVALID_INPUT;
	e = &s->event[log];
	n = e->count < room ? e->count : room;
	header = fwa_write_room(&c->out, REPLY_HEADER_LEN);
	header[0] = n < e->count ? FLAG_MORE : 0;
	fwa_put_le16(header + REPLY_COUNT, (uint16_t)n);
	fwa_write_bytes(&c->out, e->record, n * SIM_EVENT_LEN);
	return CXL_RC_SUCCESS;
}

uint16_t sim_clear_events(struct sim *s, struct sim_call *c)
{
	unsigned int log = c->in.data[0];
	size_t n = c->in.data[2];
	struct sim_event_log *e;

	if (log >= SIM_EVENT_LOGS)
		return CXL_RC_INVALID_INPUT;
	e = &s->event[log];
	if (c->in.data[1] & CLEAR_ALL) {
		e->count = 0;
		return CXL_RC_SUCCESS;
	}
	if (c->in.len != CLEAR_HEADER_LEN + 2 * n)
		return CXL_RC_PAYLOAD_LENGTH;
	if (!n)
		return CXL_RC_INVALID_INPUT;
	if (n > e->count)
		return CXL_RC_INVALID_HANDLE;
	/* Oldest first, as they were read; all or none. */
	for (size_t i = 0; i < n; i++)
		if (fwa_le16(c->in.data + CLEAR_HEADER_LEN + 2 * i) !=
		    fwa_le16(e->record[i] + RECORD_HANDLE))
			return CXL_RC_INVALID_HANDLE;
	e->count -= (unsigned int)n;
	memmove(e->record, e->record[n], e->count * sizeof(e->record[0]));
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_event_policy(struct sim *s, struct sim_call *c)
{
	fwa_write_bytes(&c->out, s->event_policy, SIM_EVENT_LOGS);
	return CXL_RC_SUCCESS;
}

uint16_t sim_set_event_policy(struct sim *s, struct sim_call *c)
{
	for (unsigned int i = 0; i < SIM_EVENT_LOGS; i++)
		if ((c->in.data[i] & POLICY_MODE) == POLICY_MODE_RESERVED)
			return CXL_RC_INVALID_INPUT;
	memcpy(s->event_policy, c->in.data, SIM_EVENT_LOGS);
	return CXL_RC_SUCCESS;
}

/* Nanoseconds since the Unix epoch; 0 until a host has set the clock. */
uint16_t sim_get_timestamp(struct sim *s, struct sim_call *c)
{
	fwa_write_le64(&c->out,
		       s->timestamp_set ? s->timestamp + (sim_now() - s->timestamp_at_ns) : 0);
	return CXL_RC_SUCCESS;
}

uint16_t sim_set_timestamp(struct sim *s, struct sim_call *c)
{
	s->timestamp_set = true;
	s->timestamp = fwa_le64(c->in.data);
	s->timestamp_at_ns = sim_now();
	return CXL_RC_SUCCESS;
}
