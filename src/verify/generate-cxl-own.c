/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads of CXL mailbox commands that want more than lengths and ranges: what CXL 3.1 section 8.2.9 says
 * of each, with values that are other than what the device said it has, where it said so.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"

#define OP_GET_EVENTS 0x0100
#define OP_GET_EVENT_POLICY 0x0102
#define OP_GET_FW_INFO 0x0200
#define OP_GET_LOG_CAPABILITIES 0x0402
#define OP_CLEAR_LOG 0x0403
#define OP_POPULATE_LOG 0x0404
#define OP_GET_PARTITION 0x4100
#define OP_GET_ALERTS 0x4201

/* --- short payloads, as they stand ---------------------------------------------------------------- */

/* One variation each, in this order. What is longer than @byte is zero. */
static const struct {
	uint16_t opcode;
	uint8_t len;
	uint8_t byte[8];
} fixed[] = {
	{ 0x0100, 1, { 0 } }, /* Get Event Records: of each log */
	{ 0x0100, 1, { 1 } },          { 0x0100, 1, { 2 } },          { 0x0100, 1, { 3 } },
	{ 0x0100, 1, { 4 } },          { 0x0405, 2, { 255, 0 } }, /* Get Supported Logs Sub-List: as many as there are, one */
	{ 0x0405, 2, { 1, 0 } },       { 0x4204, 1, { 1 } }, /* Set Shutdown State: dirty, clean */
	{ 0x4204, 1, { 0 } },          { 0x4601, 8, { 0 } }, /* Security Receive: which protocols there are */
	{ 0x4800, 2, { 8, 0 } }, /* Get Dynamic Capacity Configuration */
	{ 0x4800, 2, { 1, 0 } },       { 0x4801, 8, { 8, 0, 0, 0 } }, /* Get Dynamic Capacity Extent List */
	{ 0x4801, 8, { 0, 0, 0, 0 } },
};

/* Whether @opcode has such payloads; the one of the variation, if there is one, is put in. */
bool vfy_make_cxl_fixed(struct vfy_make *m, bool *ret_made)
{
	unsigned int n = 0;

	*ret_made = false;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (fixed[i].opcode != m->row->opcode)
			continue;
		if (n++ != m->variation || !vfy_make_len(m, fixed[i].len))
			continue;
		memcpy(m->step->payload, fixed[i].byte, fixed[i].len);
		*ret_made = true;
	}
	return n;
}

/* --- others ------------------------------------------------------------ */

#define EVENT_LOGS 4u
#define EVENTS_COUNT 20    /* in what Get Event Records returns */
#define EVENTS_HANDLE 52   /* of the first record */
#define CLEAR_EVENTS_LEN 6 /* log, flags, how many handles, 3 reserved; then these */

/* The oldest record of a log, by the handle that was read; then all of a log. */
static bool clear_events(struct vfy_make *m)
{
	uint8_t log = (uint8_t)(m->variation % EVENT_LOGS);
	const struct vfy_form *f = vfy_taken_as(m->g, FWA_SET_CXL, OP_GET_EVENTS, log);
	uint8_t *p = m->step->payload;

	p[0] = log;
	if (m->variation >= EVENT_LOGS) {
		p[1] = 1;
		return true;
	}
	if (!f || f->head_len < EVENTS_HANDLE + 2 || !fwa_le16(f->head + EVENTS_COUNT) ||
	    !vfy_make_len(m, CLEAR_EVENTS_LEN + 2))
		return false;
	p[0] = log;
	p[2] = 1;
	fwa_put_le16(p + CLEAR_EVENTS_LEN, fwa_le16(f->head + EVENTS_HANDLE));
	return true;
}

/* As long as Get Event Interrupt Policy returned: of 4 logs, or of 5. Modes: MSI, none, FW. */
static bool event_policy(struct vfy_make *m)
{
	static const uint8_t modes[] = { 1, 0, 2 };
	const struct vfy_form *now = vfy_taken(m->g, FWA_SET_CXL, OP_GET_EVENT_POLICY, NULL);

	if (m->variation > 3 || !vfy_make_len(m, now && now->head_len == 5 ? 5 : 4))
		return false;
	for (uint32_t i = 0; i < m->step->payload_len; i++)
		m->step->payload[i] = modes[m->variation < 3 ? m->variation : i % 3];
	return true;
}

#define CAN_CLEAR 1u /* Get Log Capabilities */
#define CAN_POPULATE 2u

/* What the log's capabilities say that it can, as far as they were read. */
static bool change_log(struct vfy_make *m)
{
	struct vfy_choice like = { .by_uuid = true };
	uint64_t can;

	memcpy(like.uuid, m->choice->uuid, sizeof(like.uuid));
	can = vfy_fact(m->g, FWA_SET_CXL, OP_GET_LOG_CAPABILITIES, &like, 0, 1, UINT8_MAX);
	return m->variation == 0 &&
	       can & (m->row->opcode == OP_CLEAR_LOG ? CAN_CLEAR : CAN_POPULATE);
}

static bool supported_features(struct vfy_make *m)
{
	uint32_t n = m->g->profile->n_features;
	uint32_t whole = CXL_FEATURES_HEADER_LEN + n * CXL_FEATURE_ENTRY_LEN;
	uint8_t *p = m->step->payload;

	switch (m->variation) {
	case 0:
		fwa_put_le32(p, vfy_least(whole, m->g->mailbox));
		return true;
	case 1:
		fwa_put_le32(p, CXL_FEATURES_HEADER_LEN);
		return true;
	case 2:
		fwa_put_le32(p, CXL_FEATURES_HEADER_LEN + CXL_FEATURE_ENTRY_LEN);
		fwa_put_le16(p + 4, (uint16_t)(n ? n - 1 : 0));
		return true;
	default:
		return false;
	}
}

/* The third of a Feature that a part of a transfer is; all of it for a full one. */
static void part_of(unsigned int part, uint32_t size, uint32_t *ret_at, uint32_t *ret_len)
{
	uint32_t third = size / 3;

	*ret_at = 0;
	*ret_len = size;
	if (part == CXL_PART_INITIATE || part == CXL_PART_ABORT)
		*ret_len = third;
	if (part == CXL_PART_CONTINUE) {
		*ret_at = third;
		*ret_len = third;
	}
	if (part == CXL_PART_FINISH) {
		*ret_at = 2 * third;
		*ret_len = size - 2 * third;
	}
}

#define FEATURE_HAS_SAVED (1u << 6)
#define FEATURE_MOST 4096u /* bytes of a value; what is behind them boundaries write to */

static bool set_feature(struct vfy_make *m)
{
	struct vfy_choice like = { .by_uuid = true };
	bool save = m->variation == 4 || m->variation == 6;
	const struct vfy_form *now;
	struct fwa_feature f;
	uint32_t at, len, known;
	uint8_t *p = m->step->payload;

	memcpy(like.uuid, m->choice->uuid, sizeof(like.uuid));
	if (!fwa_profile_feature_by_uuid(m->g->profile, m->choice->uuid, &f) ||
	    m->room <= CXL_SET_FEATURE_HEADER_LEN || (save && !(f.flags & FEATURE_HAS_SAVED)))
		return false;
	part_of(m->choice->op, vfy_least(f.set_size, FEATURE_MOST), &at, &len);
	len = vfy_least(len, m->room - CXL_SET_FEATURE_HEADER_LEN);
	if (!len || !vfy_make_len(m, CXL_SET_FEATURE_HEADER_LEN + len))
		return false;
	now = vfy_taken(m->g, FWA_SET_CXL, CXL_OP_GET_FEATURE, &like);
	known = now && now->head_len > at && f.get_size == f.set_size ? now->head_len - at : 0;
	vfy_make_fill(m, CXL_SET_FEATURE_HEADER_LEN, len, known ? now->head + at : NULL, known);
	if (save)
		p[CXL_SET_FEATURE_FLAGS] = 1u << CXL_SET_FEATURE_SAVED_BIT;
	fwa_put_le16(p + 20, (uint16_t)at);
	p[CXL_SET_FEATURE_VERSION] = f.set_version;
	return true;
}

/* Active slot, and another one, as far as Get FW Info said. */
static uint8_t active_slot(const struct vfy_make *m)
{
	return vfy_fact(m->g, FWA_SET_CXL, OP_GET_FW_INFO, NULL, 1, 1, 1) & 7;
}

static uint8_t other_slot(const struct vfy_make *m)
{
	uint64_t n = vfy_fact(m->g, FWA_SET_CXL, OP_GET_FW_INFO, NULL, 0, 1, 2);

	return (uint8_t)(n > 1 ? active_slot(m) % n + 1 : 2);
}

/* There is a revision for the slot: 16 bytes each, from 16 on. */
static bool is_filled(const struct vfy_make *m, unsigned int slot)
{
	return vfy_fact(m->g, FWA_SET_CXL, OP_GET_FW_INFO, NULL, 16 * slot, 1, 1);
}

#define FW_UNIT 128u

/* An image of three parts of 128 bytes. */
static bool transfer_fw(struct vfy_make *m)
{
	uint32_t units = m->choice->op == CXL_FW_FULL ? 3 : m->choice->op == CXL_FW_ABORT ? 0 : 1;
	uint8_t *p = m->step->payload;

	if (m->variation > 1 || !vfy_make_len(m, CXL_TRANSFER_FW_HEADER_LEN + units * FW_UNIT))
		return false;
	p[1] = other_slot(m);
	if (m->choice->op == CXL_FW_CONTINUE)
		fwa_put_le32(p + 4, 1);
	if (m->choice->op == CXL_FW_END)
		fwa_put_le32(p + 4, 2);
	vfy_make_fill(m, CXL_TRANSFER_FW_HEADER_LEN, units * FW_UNIT, NULL, 0);
	return true;
}

/* The slot that is active, another one that has something; in scenes, which have just filled it, that one. */
static bool activate_fw(struct vfy_make *m)
{
	uint8_t slot = m->variation ? other_slot(m) : active_slot(m);

	m->step->payload[1] = slot;
	return m->variation == 0 || m->variation == VFY_IN_SCENE ||
	       (m->variation == 1 && is_filled(m, slot));
}

static bool set_timestamp(struct vfy_make *m)
{
	static const uint64_t ns[] = { 1700000000000000000, 1, 1ull << 63, UINT64_MAX, 0 };

	fwa_put_le64(m->step->payload, m->variation < 5 ? ns[m->variation] : vfy_random(m->random));
	return true;
}

/* What is active, and one step more or less. */
static bool set_partition(struct vfy_make *m)
{
	uint64_t now = vfy_fact(m->g, FWA_SET_CXL, OP_GET_PARTITION, NULL, 0, 8, 1);
	uint64_t step =
		vfy_fact(m->g, FWA_SET_CXL, CXL_OP_IDENTIFY_MEMORY_DEVICE, NULL, 0x28, 8, 1);
	const uint64_t units[] = { now + step, now - step, now };

	if (m->variation >= sizeof(units) / sizeof(units[0]))
		return false;
	fwa_put_le64(m->step->payload, units[m->variation]);
	return true;
}

#define ALERTS 5u

/* Thresholds of warnings must lie within those that cannot be set. */
static bool set_alerts(struct vfy_make *m)
{
	struct vfy_generator *g = m->g;
	uint64_t can = vfy_fact(g, FWA_SET_CXL, OP_GET_ALERTS, NULL, 1, 1, 0x1f);
	uint64_t life = vfy_fact(g, FWA_SET_CXL, OP_GET_ALERTS, NULL, 2, 1, 90);
	uint64_t over = vfy_fact(g, FWA_SET_CXL, OP_GET_ALERTS, NULL, 4, 2, 80);
	uint64_t under = vfy_fact(g, FWA_SET_CXL, OP_GET_ALERTS, NULL, 6, 2, 0);
	unsigned int v = m->variation;
	uint8_t *p = m->step->payload;

	if (v > ALERTS + 1)
		return false;
	p[0] = (uint8_t)(v < 2 ? can : 1u << (v - 2));
	p[1] = v == 1 ? 0 : p[0];
	p[2] = (uint8_t)(life > 2 + v ? life - 2 - v : 1);
	fwa_put_le16(p + 4, (uint16_t)(over > 3 + v ? over - 3 - v : 1));
	fwa_put_le16(p + 6, (uint16_t)(under + 3 + v));
	fwa_put_le16(p + 8, (uint16_t)(17 + v));
	fwa_put_le16(p + 10, (uint16_t)(33 + v));
	return true;
}

static bool clear_poison(struct vfy_make *m)
{
	vfy_make_fill(m, 8, 64, NULL, 0);
	return true;
}

/* Class, subclass, flags (bit 0: only ask whether it could be done), then what and where. */
static bool perform_maintenance(struct vfy_make *m)
{
	static const uint8_t len_of_class[] = { 2, 14, 16 };
	unsigned int class = m->choice->op >> 8;

	if (m->variation > 2 || !vfy_make_len(m, class < 3 ? len_of_class[class] : 16))
		return false;
	if (class == 1 || class == 2)
		m->step->payload[2] = m->variation == 0;
	if (m->variation == 2 && class == 1)
		fwa_put_le64(m->step->payload + 3, vfy_cxl_dpa(m));
	return true;
}

/* Discovery: first operation, how many; the others: how many ranges, and these. */
static bool media_operations(struct vfy_make *m)
{
	bool discovery = !m->choice->op;
	uint8_t *p = m->step->payload;

	if (m->variation > 3 || !vfy_make_len(m, discovery ? 12 : 24))
		return false;
	if (discovery) {
		fwa_put_le16(p + 10, (uint16_t)(m->variation ? 1 : 16));
		return true;
	}
	fwa_put_le32(p + 4, 1);
	fwa_put_le64(p + 8, vfy_cxl_dpa(m));
	fwa_put_le64(p + 16, CXL_DPA_ALIGN);
	return true;
}

/* The passphrases that are in use here; the devices forget them again (generate-scenario.c). */
static void passphrase(const struct vfy_make *m, uint8_t *to, uint64_t which)
{
	struct vfy_random r = vfy_random_of(m->g->args.seed, VFY_PHASES + 1, which);

	vfy_random_fill(&r, to, 32);
}

/*
 * Set Passphrase has type, current and new one; the others type and current. Variations: the user's is
 * set, changed, and is the second one then; the same with the master's.
 */
static bool by_passphrase(struct vfy_make *m)
{
	bool sets = m->row->opcode == 0x4501;
	unsigned int step = m->variation % 3;
	uint8_t *p = m->step->payload;

	if (m->variation > 5)
		return false;
	p[0] = m->variation < 3;
	if (sets && step)
		passphrase(m, p + 32, step - 1);
	if (!sets)
		passphrase(m, p + 32, step ? 1 : 0);
	if (sets)
		passphrase(m, p + 64, step);
	return true;
}

static bool unlock(struct vfy_make *m)
{
	passphrase(m, m->step->payload, m->variation ? 1 : 0);
	return m->variation < 2;
}

static const struct {
	uint16_t opcode;
	bool (*make)(struct vfy_make *m);
} makers[] = {
	{ 0x0101, clear_events },
	{ 0x0103, event_policy },
	{ OP_CLEAR_LOG, change_log },
	{ OP_POPULATE_LOG, change_log },
	{ CXL_OP_TRANSFER_FW, transfer_fw },
	{ CXL_OP_ACTIVATE_FW, activate_fw },
	{ 0x0301, set_timestamp },
	{ CXL_OP_GET_SUPPORTED_FEATURES, supported_features },
	{ CXL_OP_SET_FEATURE, set_feature },
	{ 0x0600, perform_maintenance },
	{ 0x4101, set_partition },
	{ 0x4202, set_alerts },
	{ 0x4302, clear_poison },
	{ 0x4402, media_operations },
	{ 0x4501, by_passphrase },
	{ 0x4502, by_passphrase },
	{ 0x4503, unlock },
	{ 0x4505, by_passphrase },
};

bool vfy_make_cxl_own(struct vfy_make *m, bool *ret_made)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (makers[i].opcode != m->row->opcode)
			continue;
		*ret_made = makers[i].make(m);
		return true;
	}
	return false;
}
