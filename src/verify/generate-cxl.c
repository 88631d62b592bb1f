/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads of CXL mailbox commands by the model's lengths and rules: ranges of logs, Features, the label
 * storage area and media. What a command wants beyond that is in generate-cxl-own.c.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"

#define CAPACITY_UNITS_MAX (1ull << 34)

/* --- ranges --------------------------------------------------------------------------------------- */

/* Get Log, Get LSA: 4-byte offset and length, the latter a part of @size bytes. */
static bool read_range(struct vfy_make *m, const struct fwa_rule *r, uint64_t size)
{
	uint64_t at, len;

	if (m->variation > 3 || !vfy_make_range(m, size, m->g->mailbox, &at, &len))
		return false;
	fwa_put_le32(m->step->payload + r->at, (uint32_t)at);
	fwa_put_le32(m->step->payload + r->at2, (uint32_t)len);
	return true;
}

static bool log_range(struct vfy_make *m, const struct fwa_rule *r)
{
	uint32_t size;

	return fwa_profile_log_size(m->g->profile, m->choice->uuid, &size) &&
	       read_range(m, r, size);
}

#define FEATURE_HAS(selection) (1u << (4 + (selection))) /* default: bit 5, saved: bit 6 */

/* Get Feature, of the selections that it has: its beginning, and all of it. */
static bool feature_range(struct vfy_make *m, const struct fwa_rule *r)
{
	struct fwa_feature f;
	uint64_t at, len;

	if (m->variation > 1 || !fwa_profile_feature_by_uuid(m->g->profile, m->choice->uuid, &f) ||
	    (m->choice->op && !(f.flags & FEATURE_HAS(m->choice->op))) ||
	    !vfy_make_range(m, f.get_size, m->g->mailbox, &at, &len))
		return false;
	fwa_put_le16(m->step->payload + r->at, (uint16_t)at);
	fwa_put_le16(m->step->payload + r->at2, (uint16_t)len);
	return true;
}

static bool lsa_data(struct vfy_make *m, const struct fwa_rule *r)
{
	uint64_t at, len;

	if (m->room <= r->at2 ||
	    !vfy_make_range(m, m->g->profile->lsa_size, m->room - r->at2, &at, &len) ||
	    !vfy_make_len(m, r->at2 + len))
		return false;
	vfy_make_fill(m, r->at2, (uint32_t)len, NULL, 0);
	fwa_put_le32(m->step->payload + r->at, (uint32_t)at);
	return true;
}

uint64_t vfy_cxl_capacity(const struct vfy_make *m)
{
	uint64_t units =
		vfy_fact(m->g, FWA_SET_CXL, CXL_OP_IDENTIFY_MEMORY_DEVICE, NULL, 0x10, 8, 1);

	return (units && units < CAPACITY_UNITS_MAX ? units : 1) * VFY_CXL_CAPACITY_UNIT;
}

/* First line, second, last, middle, any. */
static uint64_t line_of(const struct vfy_make *m)
{
	uint64_t lines = vfy_cxl_capacity(m) / CXL_DPA_ALIGN;

	switch (m->variation) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return lines - 1;
	case 3:
		return lines / 2;
	default:
		return vfy_random(m->random) % lines;
	}
}

uint64_t vfy_cxl_dpa(const struct vfy_make *m)
{
	return line_of(m) * CXL_DPA_ALIGN;
}

/* Get Poison List and its like: everything, the first line, the last one. */
static bool dpa_range(struct vfy_make *m, const struct fwa_rule *r)
{
	uint64_t lines = vfy_cxl_capacity(m) / CXL_DPA_ALIGN;

	if (m->variation > 2)
		return false;
	fwa_put_le64(m->step->payload + r->at, m->variation == 2 ? (lines - 1) * CXL_DPA_ALIGN : 0);
	fwa_put_le64(m->step->payload + r->at2, m->variation ? 1 : lines);
	return true;
}

/* What the rules leave to choose. False: there is no such variation. */
static bool apply_rule(struct vfy_make *m, const struct fwa_rule *r)
{
	switch (r->kind) {
	case FWA_RULE_LOG_RANGE:
		return log_range(m, r);
	case FWA_RULE_FEATURE_RANGE:
		return feature_range(m, r);
	case FWA_RULE_LSA_RANGE:
		return read_range(m, r, m->g->profile->lsa_size);
	case FWA_RULE_LSA_DATA:
		return lsa_data(m, r);
	case FWA_RULE_DPA:
		fwa_put_le64(m->step->payload + r->at, vfy_cxl_dpa(m));
		return true;
	case FWA_RULE_DPA_RANGE:
		return dpa_range(m, r);
	default: /* the others follow from these, or are checked in the end */
		return true;
	}
}

/* What only a length is known of: all zeroes, small numbers, all ones, anything. */
static bool make_by_length(struct vfy_make *m)
{
	static const uint8_t fills[VFY_VARIATIONS] = { 4, 3, 1, 2, 2, 2, 2, 2 };
	bool exact = m->row->in_min == m->row->in_max;

	if (!exact && m->variation > 3 && !vfy_make_len(m, m->row->in_min + 8ull * m->variation))
		return false;
	if (!m->step->payload_len)
		return m->variation == 0;
	m->variation = fills[m->variation % VFY_VARIATIONS];
	vfy_make_fill(m, 0, m->step->payload_len, NULL, 0);
	return true;
}

static bool has_range(const struct fwa_model_command *row)
{
	for (uint8_t i = 0; i < row->n_rules; i++)
		switch (row->rules[i].kind) {
		case FWA_RULE_LOG_RANGE:
		case FWA_RULE_FEATURE_RANGE:
		case FWA_RULE_LSA_RANGE:
		case FWA_RULE_LSA_DATA:
		case FWA_RULE_DPA:
		case FWA_RULE_DPA_RANGE:
			return true;
		default:
			break;
		}
	return false;
}

bool vfy_make_cxl(struct vfy_make *m)
{
	bool made;

	if (vfy_make_cxl_fixed(m, &made))
		return made;
	if (!vfy_make_len(m, m->row->in_min))
		return false;
	for (uint8_t i = 0; i < m->row->n_rules; i++)
		if (!apply_rule(m, &m->row->rules[i]))
			return false;
	if (vfy_make_cxl_own(m, &made))
		return made;
	if (has_range(m->row))
		return true;
	/* selects a log and takes no more, or takes nothing */
	if (m->choice->by_uuid && m->row->in_max <= FWA_UUID_LEN)
		return m->variation == 0;
	return make_by_length(m);
}
