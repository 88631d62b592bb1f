/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device is, how its capacity is divided, and its Label Storage Area (CXL 3.1 section
 * 8.2.9.9.1 and .2).
 */
#include "transport/sim/sim.h"

#define POISON_CAP_INJECT (1u << 0)
#define POISON_LIST_MAX_ENTRIES 256

#define PARTITION_NOW (1u << 0)

#define SET_LSA_HEADER_LEN 8

uint16_t sim_identify(struct sim *s, struct sim_call *c)
{
	uint8_t *out = fwa_write_room(&c->out, CXL_IDENTIFY_MEMORY_LEN);

	memcpy(out + CXL_IDENTIFY_FW_REVISION, sim_firmware_revision(s, s->firmware.active),
	       SIM_FW_REVISION_LEN);
	fwa_put_le64(out + 0x10, SIM_CAPACITY_UNITS);
	fwa_put_le64(out + 0x18, SIM_VOLATILE_ONLY_UNITS);
	fwa_put_le64(out + 0x20, SIM_PERSISTENT_ONLY_UNITS);
	fwa_put_le64(out + 0x28, 1); /* partitions are whole units */
	for (unsigned int i = 0; i < SIM_EVENT_LOGS; i++)
		fwa_put_le16(out + 0x30 + 2 * i, SIM_EVENTS_MAX);
	fwa_put_le32(out + CXL_IDENTIFY_LSA_SIZE, SIM_LSA_LEN);
	fwa_put_le16(out + 0x3c, POISON_LIST_MAX_ENTRIES); /* 3 bytes; the third is 0 */
	fwa_put_le16(out + 0x3f, SIM_POISON_LIMIT);
	out[0x41] = POISON_CAP_INJECT;
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_partition(struct sim *s, struct sim_call *c)
{
	bool pending = s->next_volatile_units != s->volatile_units;

	fwa_write_le64(&c->out, s->volatile_units);
	fwa_write_le64(&c->out, SIM_CAPACITY_UNITS - s->volatile_units);
	fwa_write_le64(&c->out, pending ? s->next_volatile_units : 0);
	fwa_write_le64(&c->out, pending ? SIM_CAPACITY_UNITS - s->next_volatile_units : 0);
	return CXL_RC_SUCCESS;
}

void sim_partition_apply(struct sim *s)
{
	uint64_t was = s->volatile_units * SIM_CAPACITY_UNIT;
	uint64_t is = s->next_volatile_units * SIM_CAPACITY_UNIT;

	sim_media_forget(s, was < is ? was : is, was < is ? is : was);
	s->volatile_units = s->next_volatile_units;
}

uint16_t sim_set_partition(struct sim *s, struct sim_call *c)
{
	uint64_t units = fwa_le64(c->in.data);

	if (units < SIM_VOLATILE_ONLY_UNITS ||
	    units > SIM_CAPACITY_UNITS - SIM_PERSISTENT_ONLY_UNITS)
		return CXL_RC_INVALID_INPUT;
	s->next_volatile_units = units;
	if (c->in.data[8] & PARTITION_NOW)
		sim_partition_apply(s);
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_lsa(struct sim *s, struct sim_call *c)
{
	uint32_t offset = fwa_le32(c->in.data);
	uint32_t length = fwa_le32(c->in.data + 4);

	if (offset > SIM_LSA_LEN || length > SIM_LSA_LEN - offset || length > s->dev.payload_max)
		return CXL_RC_INVALID_INPUT;
	fwa_write_bytes(&c->out, s->lsa + offset, length);
	return CXL_RC_SUCCESS;
}

uint16_t sim_set_lsa(struct sim *s, struct sim_call *c)
{
	uint32_t offset = fwa_le32(c->in.data);
	size_t length = c->in.len - SET_LSA_HEADER_LEN;

	if (offset > SIM_LSA_LEN || length > SIM_LSA_LEN - offset)
		return CXL_RC_INVALID_INPUT;
	memcpy(s->lsa + offset, c->in.data + SET_LSA_HEADER_LEN, length);
	return CXL_RC_SUCCESS;
}
