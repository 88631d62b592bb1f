/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of rules that a command's row in model/ can name, and the lengths of every command.
 *
 * All sums are made in 64 bits of numbers that have at most 32, so none can wrap; where a number
 * has 64 bits the check is written as a subtraction.
 */
#include "core/shape.h"

#include "wire/cxl.h"
#include "wire/nvme.h"

/* A number of the payload; 0 when it is not all there (the length check comes first). */
static uint64_t field(const struct fwa_command *cmd, uint8_t at, uint8_t width)
{
	uint64_t v = 0;

	fwa_span_number(cmd->payload, at, width, &v);
	return v;
}

static bool log_range(const struct fwa_profile *p, const struct fwa_command *cmd,
		      const struct fwa_rule *rule, const uint8_t *uuid)
{
	uint32_t size;

	return uuid && fwa_profile_log_size(p, uuid, &size) &&
	       field(cmd, rule->at, 4) + field(cmd, rule->at2, 4) <= size;
}

static bool feature_range(const struct fwa_profile *p, const struct fwa_command *cmd,
			  const struct fwa_rule *rule, const uint8_t *uuid)
{
	struct fwa_feature f;

	return uuid && fwa_profile_feature_by_uuid(p, uuid, &f) &&
	       field(cmd, rule->at, 2) + field(cmd, rule->at2, 2) <= f.get_size;
}

static bool feature_data(const struct fwa_profile *p, const struct fwa_command *cmd,
			 const struct fwa_rule *rule, const uint8_t *uuid)
{
	struct fwa_feature f;

	return uuid && fwa_profile_feature_by_uuid(p, uuid, &f) && cmd->payload.len >= rule->at2 &&
	       field(cmd, rule->at, 2) + (cmd->payload.len - rule->at2) <= f.set_size;
}

static bool lsa_data(const struct fwa_profile *p, const struct fwa_command *cmd,
		     const struct fwa_rule *rule)
{
	return cmd->payload.len >= rule->at2 &&
	       field(cmd, rule->at, 4) + (cmd->payload.len - rule->at2) <= p->lsa_size;
}

static enum fwa_detail dpa_range(const struct fwa_command *cmd, const struct fwa_rule *rule)
{
	uint64_t dpa = field(cmd, rule->at, 8);
	uint64_t units = field(cmd, rule->at2, 8);

	if (dpa % CXL_DPA_ALIGN)
		return FWA_DETAIL_DPA_ALIGN;
	if (units > (UINT64_MAX - dpa) / CXL_DPA_ALIGN)
		return FWA_DETAIL_DPA_WRAP;
	return FWA_DETAIL_NONE;
}

/* Data of either direction: only one of them is there, by the direction rule. */
static uint64_t data_len(const struct fwa_command *cmd)
{
	return (uint64_t)cmd->payload.len + cmd->out_len;
}

static uint64_t zeroes_based_dwords(uint64_t n)
{
	return (n + 1) * 4;
}

/* Copy: CDW12 7:0 ranges, 0's based, of 32 bytes, or 40 in the odd descriptor formats of 11:8. */
static uint64_t copy_ranges_len(uint32_t cdw12)
{
	return ((cdw12 & 0xff) + 1) * (cdw12 >> 8 & 1 ? 40u : 32u);
}

static enum fwa_detail blocks(const struct fwa_profile *p, const struct fwa_command *cmd)
{
	struct fwa_namespace ns;

	/* Separate metadata would need a second buffer, which a flat request has not. */
	if (!fwa_profile_namespace(p, cmd->nsid, &ns) || !ns.block_size || ns.metadata)
		return FWA_DETAIL_NAMESPACE_UNKNOWN;
	if (((uint64_t)(cmd->cdw[2] & 0xffff) + 1) * ns.block_size != data_len(cmd))
		return FWA_DETAIL_TRANSFER_LENGTH;
	return FWA_DETAIL_NONE;
}

static enum fwa_detail require(bool ok, enum fwa_detail detail)
{
	return ok ? FWA_DETAIL_NONE : detail;
}

static enum fwa_detail check_cxl_rule(const struct fwa_profile *p, const struct fwa_command *cmd,
				      const struct fwa_rule *r, const uint8_t *uuid)
{
	switch (r->kind) {
	case FWA_RULE_NONZERO:
		return require(field(cmd, r->at, r->width), FWA_DETAIL_ZERO_LENGTH);
	case FWA_RULE_REPLY_FITS:
		return require(!p->payload_max || field(cmd, r->at, r->width) <= p->payload_max,
			       FWA_DETAIL_REPLY_OVER_MAILBOX);
	case FWA_RULE_LOG_RANGE:
		return require(log_range(p, cmd, r, uuid), FWA_DETAIL_LOG_RANGE);
	case FWA_RULE_LSA_RANGE:
		return require(field(cmd, r->at, 4) + field(cmd, r->at2, 4) <= p->lsa_size,
			       FWA_DETAIL_LSA_RANGE);
	case FWA_RULE_LSA_DATA:
		return require(lsa_data(p, cmd, r), FWA_DETAIL_LSA_RANGE);
	case FWA_RULE_FEATURE_RANGE:
		return require(feature_range(p, cmd, r, uuid), FWA_DETAIL_FEATURE_RANGE);
	case FWA_RULE_FEATURE_DATA:
		return require(feature_data(p, cmd, r, uuid), FWA_DETAIL_FEATURE_RANGE);
	case FWA_RULE_DPA:
		return require(field(cmd, r->at, 8) % CXL_DPA_ALIGN == 0, FWA_DETAIL_DPA_ALIGN);
	case FWA_RULE_DPA_RANGE:
		return dpa_range(cmd, r);
	default:
		return FWA_DETAIL_UNKNOWN_SELECTOR; /* a rule that is not known here: refuse */
	}
}

/* What is left says where the command has the length of its data: that is all of it. */
static enum fwa_detail check_rule(const struct fwa_profile *p, const struct fwa_command *cmd,
				  const struct fwa_rule *r, const uint8_t *uuid)
{
	uint64_t said, data = data_len(cmd);

	switch (r->kind) {
	case FWA_RULE_NUMD_OUT:
		said = zeroes_based_dwords(cmd->cdw[0] >> 16 | (cmd->cdw[1] & 0xffff) << 16);
		data = cmd->out_len;
		break;
	case FWA_RULE_NUMD_IN:
		said = zeroes_based_dwords(cmd->cdw[0]);
		data = cmd->payload.len;
		break;
	case FWA_RULE_NLB:
		return blocks(p, cmd);
	case FWA_RULE_DSM_RANGES:
		said = ((uint64_t)(cmd->cdw[0] & 0xff) + 1) * 16;
		data = cmd->payload.len;
		break;
	case FWA_RULE_LENGTH_CDW11:
		said = cmd->cdw[1];
		break;
	case FWA_RULE_LENGTH_DWORDS_CDW10:
	case FWA_RULE_LENGTH_DWORDS_CDW11:
	case FWA_RULE_LENGTH_DWORDS_CDW12:
		said = zeroes_based_dwords(cmd->cdw[r->kind - FWA_RULE_LENGTH_DWORDS_CDW10]);
		break;
	case FWA_RULE_WHOLE_PAGE:
		return require(!cmd->payload.len || cmd->payload.len == NVME_PAGE_LEN,
			       FWA_DETAIL_TRANSFER_LENGTH);
	case FWA_RULE_PLACEMENT_IDS:
		said = ((uint64_t)(cmd->cdw[0] >> 16) + 1) * 2;
		data = cmd->payload.len;
		break;
	case FWA_RULE_COPY_RANGES:
		said = copy_ranges_len(cmd->cdw[2]);
		data = cmd->payload.len;
		break;
	default:
		return check_cxl_rule(p, cmd, r, uuid);
	}
	return require(said == data, FWA_DETAIL_TRANSFER_LENGTH);
}

/* The opcode's two low bits say which way data goes (NVMe Base 2.0, 3.3.3.1). */
static enum fwa_detail check_direction(const struct fwa_command *cmd)
{
	unsigned int dir = NVME_DIR(cmd->opcode);
	bool in = cmd->payload.len, out = cmd->out_len;

	if ((in && out) || (in && !(dir & NVME_DIR_TO_DEVICE)) ||
	    (out && !(dir & NVME_DIR_FROM_DEVICE)))
		return FWA_DETAIL_DIRECTION;
	return FWA_DETAIL_NONE;
}

static enum fwa_detail check_lengths(const struct fwa_profile *p,
				     const struct fwa_model_command *row,
				     const struct fwa_command *cmd)
{
	bool cxl = cmd->set == FWA_SET_CXL;

	if (cxl && p->payload_max && cmd->payload.len > p->payload_max)
		return FWA_DETAIL_PAYLOAD_OVER_MAILBOX;
	if (!row)
		return FWA_DETAIL_NONE;
	if (cmd->payload.len < row->in_min)
		return FWA_DETAIL_PAYLOAD_SHORT;
	if (cmd->payload.len > row->in_max)
		return FWA_DETAIL_PAYLOAD_LONG;
	if (!cxl && (cmd->out_len < row->out_min || cmd->out_len > row->out_max))
		return FWA_DETAIL_REPLY_LENGTH;
	return FWA_DETAIL_NONE;
}

/*= spec/SECURITY-MODEL.md#C18 */
enum fwa_detail fwa_shape_check(const struct fwa_profile *p, const struct fwa_model_command *row,
				const struct fwa_command *cmd, const uint8_t *uuid)
{
	enum fwa_detail detail = FWA_DETAIL_NONE;

	if (cmd->set != FWA_SET_CXL)
		detail = check_direction(cmd);
	if (!detail)
		detail = check_lengths(p, row, cmd);
	for (uint8_t i = 0; !detail && row && i < row->n_rules; i++)
		detail = check_rule(p, cmd, &row->rules[i], uuid);
	return detail;
}
