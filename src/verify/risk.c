/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a step risks: the one place that says which probe may send it.
 *
 * 1. It is a property of the step's bytes, of what the device declares of them, and of the model. Where
 *    these leave room (a selector that is cut off, a declaration that was read twice and differed), all
 *    that it could be counts.
 * 2. A change counts as well-formed only where the model knows what it means: what a vendor's opcode,
 *    Feature or feature does with a value, nobody here knows.
 * 3. Some steps no probe sends. They would not show what the device does, but break what it is reached
 *    by, or the host: host addresses; NVMe commands on what the driver holds, its queues among it; NVMe
 *    transfers that may be longer than the buffer that goes with them.
 */
#include "core/decide.h"
#include "verify/generate-internal.h"
#include "wire/nvme.h"

#define NEVER VFY_PROBES

#define CHANGES_DECLARED \
	(FWA_EFFECT_CONFIG | FWA_EFFECT_POLICY | FWA_EFFECT_LOG | FWA_EFFECTS_RESET)

const char *vfy_probe_name(unsigned int probe)
{
	static const char *const names[VFY_PROBES] = { "read-only", "declared", "destructive" };

	return probe < VFY_PROBES ? names[probe] : "never";
}

/* --- the model's floor, also of what the device does not declare ---------------------------------- */

/* A UUID that is not all there could become any. */
static bool may_apply(const struct fwa_model_command *row, const struct fwa_selector *s,
		      const struct fwa_variant *v, const struct fwa_command *cmd)
{
	if (row->select->by_value)
		return (cmd->cdw[v->cdw - 10] & v->mask) == v->value;
	return !s->uuid || memcmp(v->uuid, s->uuid, sizeof(v->uuid)) == 0;
}

static fwa_effects selected_floor(const struct fwa_model_command *row,
				  const struct fwa_command *cmd)
{
	struct fwa_selector s = fwa_command_selector(row, cmd);
	struct fwa_variant_slice slice;
	fwa_effects floor = 0;

	if (!row->select)
		return 0;
	slice = (struct fwa_variant_slice){ 0, row->select->n_all };
	if (row->select->by_value)
		slice = row->select->by_value[s.value];
	for (uint16_t i = slice.first; i < slice.first + slice.count; i++)
		if (may_apply(row, &s, &row->select->all[i], cmd))
			floor |= row->select->all[i].floor;
	return floor;
}

/* So could an operation. */
static fwa_effects operation_floor(const struct fwa_model_command *row,
				   const struct fwa_command *cmd)
{
	const struct fwa_operation *op;
	fwa_effects floor = 0;
	uint16_t value;

	op = fwa_command_operation(row, cmd, &value);
	if (op)
		return op->floor;
	for (uint8_t i = 0; row->operations && i < row->operations->n; i++)
		floor |= row->operations->all[i].floor;
	return floor;
}

/* Set Feature's own row is a maximum over all Features; what it selects says which (C10). */
static fwa_effects floor_of(const struct fwa_model_command *row, const struct fwa_command *cmd)
{
	if (!row)
		return 0;
	return row->floor | selected_floor(row, cmd) | operation_floor(row, cmd);
}

/* --- what no probe sends --------------------------------------------------------------------------- */

static uint64_t zeroes_based(uint64_t n, uint64_t unit)
{
	return (n + 1) * unit;
}

/* The bytes that the controller moves by what @r says of @cmd; false when it says nothing of that. */
static bool said_by(const struct fwa_profile *p, const struct fwa_rule *r,
		    const struct fwa_command *cmd, uint64_t *ret)
{
	const uint32_t *cdw = cmd->cdw;
	struct fwa_namespace ns;

	switch (r->kind) {
	case FWA_RULE_NUMD_OUT:
		*ret = zeroes_based(cdw[0] >> 16 | (uint64_t)(cdw[1] & 0xffff) << 16, 4);
		return true;
	case FWA_RULE_NUMD_IN:
		*ret = zeroes_based(cdw[0], 4);
		return true;
	case FWA_RULE_NLB:
		if (!fwa_profile_namespace(p, cmd->nsid, &ns) || !ns.block_size || ns.metadata)
			*ret = UINT64_MAX;
		else
			*ret = zeroes_based(cdw[2] & 0xffff, ns.block_size);
		return true;
	case FWA_RULE_DSM_RANGES:
		*ret = zeroes_based(cdw[0] & 0xff, 16);
		return true;
	case FWA_RULE_LENGTH_CDW11:
		*ret = cdw[1];
		return true;
	case FWA_RULE_LENGTH_DWORDS_CDW10:
	case FWA_RULE_LENGTH_DWORDS_CDW11:
	case FWA_RULE_LENGTH_DWORDS_CDW12:
		*ret = zeroes_based(cdw[r->kind - FWA_RULE_LENGTH_DWORDS_CDW10], 4);
		return true;
	case FWA_RULE_WHOLE_PAGE:
		*ret = NVME_PAGE_LEN;
		return true;
	case FWA_RULE_PLACEMENT_IDS:
		*ret = zeroes_based(cdw[0] >> 16, 2);
		return true;
	case FWA_RULE_COPY_RANGES:
		*ret = zeroes_based(cdw[2] & 0xff, cdw[2] >> 8 & 1 ? 40 : 32);
		return true;
	default:
		return false;
	}
}

/*
 * Where nobody says how much a command moves, it is taken to follow the common format of vendor
 * commands: CDW10 dwords of data and no metadata (NVM Express Base 2.0, Figure 93).
 */
static uint64_t moves_at_most(const struct fwa_profile *p, const struct fwa_model_command *row,
			      const struct fwa_command *cmd)
{
	bool from_device = NVME_DIR(cmd->opcode) & NVME_DIR_FROM_DEVICE;
	uint32_t most = FWA_LENGTH_ANY;
	uint64_t said;

	for (uint8_t i = 0; row && i < row->n_rules; i++)
		if (said_by(p, &row->rules[i], cmd, &said))
			return said;
	if (row)
		most = from_device ? row->out_max : row->in_max;
	if (most != FWA_LENGTH_ANY)
		return most;
	return cmd->cdw[1] ? UINT64_MAX : zeroes_based(cmd->cdw[0], 4);
}

static bool breaks_the_host(const struct fwa_profile *p, const struct fwa_model_command *row,
			    const struct fwa_command *cmd, fwa_effects floor)
{
	if (floor & FWA_EFFECT_DMA)
		return true;
	if (cmd->set == FWA_SET_CXL)
		return false;
	if (floor & FWA_EFFECT_OTHER_CLIENT)
		return true;
	return NVME_DIR(cmd->opcode) != NVME_DIR_NONE &&
	       moves_at_most(p, row, cmd) > (uint64_t)cmd->payload.len + cmd->out_len;
}

/* --- risk ----------------------------------------------------------------------------------------- */

/* Both readings of the log say the same of @cmd. */
static bool declared_twice(const struct fwa_profile *p, const struct fwa_command *cmd)
{
	struct fwa_declared once, again;
	size_t at;

	if (cmd->set == FWA_SET_CXL)
		return !p->cel_again.len || (fwa_cel_declared(p->cel, cmd->opcode, &once) &&
					     fwa_cel_declared(p->cel_again, cmd->opcode, &again) &&
					     once.raw == again.raw);
	at = (cmd->set == FWA_SET_NVME_IO ? NVME_EFFECTS_IO : 0u) + 4u * cmd->opcode;
	if (!p->nvme_effects_again.len)
		return true;
	return at + 4 <= p->nvme_effects.len && at + 4 <= p->nvme_effects_again.len &&
	       fwa_le32(p->nvme_effects.data + at) == fwa_le32(p->nvme_effects_again.data + at);
}

/* The model says what a value of what @cmd changes means. */
static bool known_change(const struct fwa_model_command *row, const struct fwa_command *cmd)
{
	struct fwa_selector s = fwa_command_selector(row, cmd);

	if (!row)
		return false;
	if (s.kind == FWA_SELECT_FID)
		return s.value < NVME_ID_VENDOR;
	if (s.kind != FWA_SELECT_FEATURE_UUID)
		return true;
	for (uint16_t i = 0; s.uuid && i < row->select->n_all; i++)
		if (memcmp(row->select->all[i].uuid, s.uuid, FWA_UUID_LEN) == 0)
			return true;
	return false;
}

static enum vfy_probe command_risk(const struct fwa_profile *p, const struct fwa_command *cmd,
				   const struct fwa_decision *d)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	bool whole = fwa_admitted(d);
	fwa_effects effects = d->effects, floor;

	if (cmd->set >= FWA_SET_COUNT || (cmd->set != FWA_SET_CXL && cmd->opcode > 0xff))
		return NEVER;
	floor = floor_of(row, cmd);
	if (breaks_the_host(p, row, cmd, floor))
		return NEVER;
	if ((!whole && d->reason != FWA_REASON_PAYLOAD_SHAPE) || !declared_twice(p, cmd))
		return VFY_PROBE_DESTRUCTIVE;
	if (!whole) /* what is missing could become anything */
		effects |= floor;
	/* The gate would not send what is malformed, and firmware has died of less. */
	if (!effects)
		return whole ? VFY_PROBE_READ_ONLY : VFY_PROBE_DECLARED;
	if (whole && !(effects & ~CHANGES_DECLARED) && known_change(row, cmd) &&
	    !fwa_command_moves_firmware(cmd))
		return VFY_PROBE_DECLARED;
	return VFY_PROBE_DESTRUCTIVE;
}

enum vfy_probe vfy_step_judged(const struct fwa_profile *profile, const struct vfy_step *step,
			       struct fwa_decision *ret)
{
	const struct fwa_contract contract = { .mode = FWA_MODE_STRICT };
	struct fwa_command cmd = vfy_step_command(step);

	*ret = (struct fwa_decision){ 0 };
	switch (step->kind) {
	case VFY_OBSERVE:
	case VFY_SETTLE:
		return VFY_PROBE_READ_ONLY;
	case VFY_RESET: /* what is volatile is gone */
		return VFY_PROBE_DESTRUCTIVE;
	case VFY_COMMAND:
		*ret = fwa_decide(&contract, &fwa_rights_all, profile, &cmd, 0);
		return command_risk(profile, &cmd, ret);
	default:
		return NEVER;
	}
}

/*= spec/SECURITY-MODEL.md#C34 */
enum vfy_probe vfy_step_risk(const struct fwa_profile *profile, const struct vfy_step *step)
{
	struct fwa_decision d;

	return vfy_step_judged(profile, step, &d);
}

bool vfy_step_is_shaped(const struct fwa_profile *profile, const struct vfy_step *step)
{
	struct fwa_decision d;

	vfy_step_judged(profile, step, &d);
	return vfy_is_shaped(&d);
}
