/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features: seven of them, with current, default and saved values, and Set Feature in one piece or
 * in parts (CXL 3.1 section 8.2.9.6).
 *
 * 1. A Feature's own entry says what a change of it does (C10): one that declares only
 *    config-*-reset keeps its current value until a reset.
 * 2. Parts are collected beside the value; only the finishing part changes it.
 */
#include "transport/sim/sim.h"

/* Attribute flags. */
#define CHANGEABLE CXL_FEATURE_CHANGEABLE
#define PERSISTS_COLD_RESET (4u << 1)
#define HAS_DEFAULT (1u << 5)
#define HAS_SAVED (1u << 6)

/* Set Feature flags. */
#define TRANSFER_MASK 0x7u
#define SAVE (1u << 3)

enum transfer {
	TRANSFER_FULL,
	TRANSFER_INITIATE,
	TRANSFER_CONTINUE,
	TRANSFER_FINISH,
	TRANSFER_ABORT,
};

/* "The Feature whose transfer is in progress". */
static const uint8_t in_progress_uuid[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static const uint8_t scrub_uuid[16] = { 0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
					0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a };
/* The last byte of the others' UUIDs is their number here. */
static const uint8_t vendor_uuid[SIM_FEATURE_COUNT][16] = {
#define VENDOR_UUID(id)                                          \
	[id] = { 0x5a, 0x1d, 0xf0, 0x0d, 0x6b, 0x2e, 0x4c, 0x11, \
		 0x9a, 0x77, 0x0c, 0x51, 0x4d, 0x00, 0x00, id }
	VENDOR_UUID(SIM_FEATURE_LINK),       VENDOR_UUID(SIM_FEATURE_TELEMETRY),
	VENDOR_UUID(SIM_FEATURE_VERBOSITY),  VENDOR_UUID(SIM_FEATURE_CALIBRATION),
	VENDOR_UUID(SIM_FEATURE_ERASE_LOCK), VENDOR_UUID(SIM_FEATURE_BUILD),
};

/* Patrol scrub: capability, current cycle, least cycle, enabled; Set Feature takes cycle, enabled. */
static const uint8_t scrub_place[] = { 1, 3 };

#define CHANGES (CHANGEABLE | HAS_DEFAULT | HAS_SAVED | PERSISTS_COLD_RESET)

static const struct sim_feature features[SIM_FEATURE_COUNT] = {
	[SIM_FEATURE_SCRUB] = { scrub_uuid, 4, 2, CHANGEABLE | HAS_DEFAULT, 1, 1, 0x0202, false,
				scrub_place },
	[SIM_FEATURE_LINK] = { vendor_uuid[SIM_FEATURE_LINK], 64, 64, CHANGES, 1, 1, 0x0e01, true },
	[SIM_FEATURE_TELEMETRY] = { vendor_uuid[SIM_FEATURE_TELEMETRY], 32, 32, CHANGES, 1, 2,
				    0x0208, false },
	[SIM_FEATURE_VERBOSITY] = { vendor_uuid[SIM_FEATURE_VERBOSITY], 16, 16,
				    CHANGEABLE | HAS_DEFAULT, 1, 1, 0x0210, false },
	[SIM_FEATURE_CALIBRATION] = { vendor_uuid[SIM_FEATURE_CALIBRATION], SIM_FEATURE_MAX,
				      SIM_FEATURE_MAX, CHANGES, 1, 1, 0x0202, false },
	[SIM_FEATURE_ERASE_LOCK] = { vendor_uuid[SIM_FEATURE_ERASE_LOCK], 8, 8, CHANGES, 1, 1,
				     0x0221, false },
	[SIM_FEATURE_BUILD] = { vendor_uuid[SIM_FEATURE_BUILD], 48, 0, 0, 1, 0, 0x0000, false },
};

void sim_features_init(struct sim *s)
{
	memcpy(s->feature, features, sizeof(features));
	for (unsigned int id = 0; id < SIM_FEATURE_COUNT; id++) {
		for (size_t i = 0; i < s->feature[id].get_size; i++)
			s->value[SIM_DEFAULT][id][i] = (uint8_t)sim_random(s);
		memcpy(s->value[SIM_CURRENT][id], s->value[SIM_DEFAULT][id], SIM_FEATURE_MAX);
		memcpy(s->value[SIM_SAVED][id], s->value[SIM_DEFAULT][id], SIM_FEATURE_MAX);
	}
}

void sim_features_reset(struct sim *s)
{
	s->transfer.running = false;
	for (unsigned int id = 0; id < SIM_FEATURE_COUNT; id++)
		memcpy(s->value[SIM_CURRENT][id],
		       s->value[features[id].flags & HAS_SAVED ? SIM_SAVED : SIM_DEFAULT][id],
		       SIM_FEATURE_MAX);
}

static bool find(const uint8_t *uuid, enum sim_feature_id *ret)
{
	for (unsigned int id = 0; id < SIM_FEATURE_COUNT; id++) {
		if (!fwa_uuid_eq(features[id].uuid, uuid))
			continue;
		*ret = id;
		return true;
	}
	return false;
}

static void write_entry(const struct sim_feature *f, unsigned int index, struct fwa_writer *w)
{
	fwa_write_bytes(w, f->uuid, FWA_UUID_LEN);
	fwa_write_le16(w, (uint16_t)index);
	fwa_write_le16(w, f->get_size);
	fwa_write_le16(w, f->set_size);
	fwa_write_le32(w, f->flags);
	fwa_write_u8(w, f->get_version);
	fwa_write_u8(w, f->set_version);
	fwa_write_le16(w, f->effects);
	fwa_write_room(w, 18);
}

uint16_t sim_get_supported_features(struct sim *s, struct sim_call *c)
{
	uint32_t count = fwa_le32(c->in.data);
	unsigned int start = fwa_le16(c->in.data + 4);
	unsigned int n;

	if (count < CXL_FEATURES_HEADER_LEN || count > s->dev.payload_max ||
	    start >= SIM_FEATURE_COUNT)
		return CXL_RC_INVALID_INPUT;
	n = (count - CXL_FEATURES_HEADER_LEN) / CXL_FEATURE_ENTRY_LEN;
	if (n > SIM_FEATURE_COUNT - start)
		n = SIM_FEATURE_COUNT - start;
	fwa_write_le16(&c->out, (uint16_t)n);
	fwa_write_le16(&c->out, SIM_FEATURE_COUNT);
	fwa_write_room(&c->out, 4);
	for (unsigned int i = start; i < start + n; i++)
		write_entry(&s->feature[i], i, &c->out);
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_feature(struct sim *s, struct sim_call *c)
{
	unsigned int offset = fwa_le16(c->in.data + 16);
	unsigned int count = fwa_le16(c->in.data + 18);
	unsigned int selection = c->in.data[20];
	const struct sim_feature *f;
	enum sim_feature_id id;

	if (!find(c->in.data, &id))
		return CXL_RC_UNSUPPORTED;
	f = &s->feature[id];
	if (selection >= SIM_SELECTIONS ||
	    (selection == SIM_DEFAULT && !(f->flags & HAS_DEFAULT)) ||
	    (selection == SIM_SAVED && !(f->flags & HAS_SAVED)))
		return CXL_RC_FEATURE_SELECTION;
	if (offset > f->get_size || count > f->get_size - offset || count > s->dev.payload_max)
		return CXL_RC_INVALID_INPUT;
	fwa_write_bytes(&c->out, s->value[selection][id] + offset, count);
	return CXL_RC_SUCCESS;
}

static void store(struct sim *s, enum sim_selection selection, enum sim_feature_id id,
		  unsigned int offset, struct fwa_span data)
{
	const uint8_t *place = s->feature[id].place;
	uint8_t *value = s->value[selection][id];

	for (size_t i = 0; i < data.len; i++)
		value[place ? place[offset + i] : offset + i] = data.data[i];
}

static void change(struct sim *s, enum sim_feature_id id, unsigned int offset, struct fwa_span data,
		   bool save)
{
	bool waits = s->feature[id].waits;

	if (!waits)
		store(s, SIM_CURRENT, id, offset, data);
	if (waits || save)
		store(s, SIM_SAVED, id, offset, data);
}

void sim_feature_apply_saved(struct sim *s, enum sim_feature_id id)
{
	memcpy(s->value[SIM_CURRENT][id], s->value[SIM_SAVED][id], SIM_FEATURE_MAX);
}

/* Feature and fields of a Set Feature that does not abort. */
static uint16_t check_set(const struct sim *s, enum sim_feature_id id, const struct sim_call *c)
{
	const struct sim_feature *f = &s->feature[id];
	uint32_t flags = fwa_le32(c->in.data + 16);
	unsigned int offset = fwa_le16(c->in.data + 20);
	size_t len = c->in.len - CXL_SET_FEATURE_HEADER_LEN;

	/* set_size, not the flag: a liar may deny in its entry what it can do. */
	if (!f->set_size)
		return CXL_RC_UNSUPPORTED;
	if (c->in.data[22] != f->set_version)
		return CXL_RC_FEATURE_VERSION;
	if (flags & SAVE && !(f->flags & HAS_SAVED))
		return CXL_RC_INVALID_INPUT;
	if (!len)
		return CXL_RC_PAYLOAD_LENGTH;
	if (offset > f->set_size || len > f->set_size - offset)
		return CXL_RC_INVALID_INPUT;
	return CXL_RC_SUCCESS;
}

static uint16_t begin(struct sim *s, enum sim_feature_id id, const struct sim_call *c)
{
	struct sim_feature_transfer *t = &s->transfer;
	uint16_t code = check_set(s, id, c);

	if (code != CXL_RC_SUCCESS)
		return code;
	t->running = true;
	t->id = id;
	t->at = fwa_le16(c->in.data + 20);
	t->save = fwa_le32(c->in.data + 16) & SAVE;
	t->len = (uint32_t)(c->in.len - CXL_SET_FEATURE_HEADER_LEN);
	memcpy(t->data, c->in.data + CXL_SET_FEATURE_HEADER_LEN, t->len);
	return CXL_RC_SUCCESS;
}

static uint16_t go_on(struct sim *s, const struct sim_call *c, bool finish)
{
	struct sim_feature_transfer *t = &s->transfer;
	size_t len = c->in.len - CXL_SET_FEATURE_HEADER_LEN;
	uint16_t code = check_set(s, t->id, c);

	if (code != CXL_RC_SUCCESS)
		return code;
	if (fwa_le16(c->in.data + 20) != t->at + t->len) {
		t->running = false;
		return CXL_RC_FEATURE_OUT_OF_ORDER;
	}
	memcpy(t->data + t->len, c->in.data + CXL_SET_FEATURE_HEADER_LEN, len);
	t->len += (uint32_t)len;
	if (finish) {
		t->running = false;
		change(s, t->id, t->at, fwa_span(t->data, t->len), t->save);
	}
	return CXL_RC_SUCCESS;
}

static uint16_t set_full(struct sim *s, enum sim_feature_id id, const struct sim_call *c)
{
	uint16_t code = check_set(s, id, c);

	if (code != CXL_RC_SUCCESS)
		return code;
	change(s, id, fwa_le16(c->in.data + 20),
	       fwa_span(c->in.data + CXL_SET_FEATURE_HEADER_LEN,
			c->in.len - CXL_SET_FEATURE_HEADER_LEN),
	       fwa_le32(c->in.data + 16) & SAVE);
	return CXL_RC_SUCCESS;
}

/* A part that follows: of the Feature in progress, by its own UUID or by the one of all ones. */
static uint16_t follow(struct sim *s, const struct sim_call *c, unsigned int transfer)
{
	struct sim_feature_transfer *t = &s->transfer;

	if (!t->running)
		return CXL_RC_FEATURE_OUT_OF_ORDER;
	if (!fwa_uuid_eq(c->in.data, in_progress_uuid) &&
	    !fwa_uuid_eq(c->in.data, s->feature[t->id].uuid))
		return CXL_RC_FEATURE_IN_PROGRESS;
	if (transfer != TRANSFER_ABORT)
		return go_on(s, c, transfer == TRANSFER_FINISH);
	t->running = false;
	return CXL_RC_SUCCESS;
}

uint16_t sim_set_feature(struct sim *s, struct sim_call *c)
{
	unsigned int transfer = fwa_le32(c->in.data + 16) & TRANSFER_MASK;
	enum sim_feature_id id;

	if (transfer > TRANSFER_ABORT)
		return CXL_RC_INVALID_INPUT;
	if (transfer >= TRANSFER_CONTINUE)
		return follow(s, c, transfer);
	if (s->transfer.running)
		return CXL_RC_FEATURE_IN_PROGRESS;
	if (!find(c->in.data, &id))
		return CXL_RC_UNSUPPORTED;
	return transfer == TRANSFER_FULL ? set_full(s, id, c) : begin(s, id, c);
}
