/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: what is admitted, and that nothing else is refused.
 *
 * Any device, any rights, any state, any command and time, in both modes. What is looked up in the
 * model and in the device's profile is any answer at all (any.h), and so is that of
 * fwa_shape_check(), which shape.c proves.
 */
#include "any.h"
#include "core/transfer.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define RIGHTS 2

static const struct fwa_profile *profile;
static struct fwa_contract contract;
static struct fwa_rights rights;
static struct fwa_command cmd;
static uint64_t now;
static uint8_t payload[32];     /* all that the decision itself looks at */
static uint8_t filters[RIGHTS]; /* places to point at */
static bool covers[RIGHTS];
static enum fwa_detail shape;
static struct fwa_drift a_drift; /* a place to point at */
static enum fwa_detail drifted;  /* what it says of the command */

enum fwa_detail fwa_shape_check(const struct fwa_profile *p, const struct fwa_model_command *row,
				const struct fwa_command *command, const uint8_t *uuid)
{
	prove(p == profile && row == (any.has_row ? &any_row : NULL) && command == &cmd);
	return shape;
}

enum fwa_detail fwa_drift_detail(const struct fwa_drift *drift, const struct fwa_profile *p,
				 const struct fwa_command *command,
				 const struct fwa_selector *selector)
{
	prove(drift == &a_drift && p == profile && command == &cmd);
	return drifted;
}

/* A profile of which only the lengths of two pages are looked at. */
static const struct fwa_profile *any_profile(void)
{
	struct fwa_profile *p = profile_before(n_features);

	p->nvme_logs.len = nondet_size();
	p->nvme_features.len = nondet_size();
	return p;
}

/* Any filter, by its place. */
bool fwa_filter_covers(struct fwa_span filter, const struct fwa_command *command,
		       const uint8_t *uuid)
{
	prove(command == &cmd && __CPROVER_same_object(filter.data, filters));
	return covers[filter.data - filters];
}

/* Anything at all. */
static void anything(void)
{
	forget(contract);
	forget(rights);
	forget(cmd);
	now = nondet_u64();
	shape = nondet_u8();
	drifted = nondet_u8();
	contract.drift = nondet_bool() ? &a_drift : NULL;
	for (int i = 0; i < 32; i++)
		payload[i] = nondet_u8();
	cmd.payload.data = payload + (cmd.payload.len < 32 ? 32 - cmd.payload.len : 0);
	any_world(&cmd);
	profile = any_profile();
	assume(contract.mode <= FWA_MODE_LINUX);
	any.declared = cmd.set == FWA_SET_CXL ? fwa_cxl_declared(nondet_u16())
					      : fwa_nvme_declared(nondet_u32());
	/* prove_shape_lengths */
	assume(implies(shape == FWA_DETAIL_NONE && any.has_row, cmd.payload.len >= any_row.in_min));
	/* fwa_policy_grant(); prove_granted for more than two */
	assume(rights.n <= RIGHTS);
	for (unsigned int i = 0; i < RIGHTS; i++) {
		rights.right[i].filter = fwa_span(filters + i, nondet_bool());
		covers[i] = nondet_bool();
		assume((rights.right[i].effects & ~FWA_EFFECTS_GRANTABLE) == 0 &&
		       rights.right[i].grant < FWA_POLICY_GRANTS_MAX);
	}
}

/* Right @i covers the command, allows @effects at @scope, and has not ended. */
static bool enough(unsigned int i, unsigned int scope, fwa_effects effects)
{
	return i < rights.n && covers[i] && rights.right[i].scope >= scope &&
	       !(effects & ~rights.right[i].effects) &&
	       (!rights.right[i].until || now < rights.right[i].until);
}

static bool used_up(unsigned int i)
{
	return (contract.rate_over >> i | contract.seats_over >> i) & 1;
}

/* Some right is enough; and is not used up. */
static bool allowed(unsigned int scope, fwa_effects effects)
{
	return enough(0, scope, effects) || enough(1, scope, effects);
}

static bool allowed_now(unsigned int scope, fwa_effects effects)
{
	return (enough(0, scope, effects) && !used_up(0)) ||
	       (enough(1, scope, effects) && !used_up(1));
}

/* Request Abort Background Operation; Device Self-test with code Fh. */
static bool aborts(void)
{
	return cmd.set == 0 ? cmd.opcode == 5
			    : cmd.set == 1 && cmd.opcode == 0x14 && (cmd.cdw[0] & 15) == 15;
}

/* Transfer FW, Activate FW; Firmware Image Download, Firmware Commit. */
static bool moves_firmware(void)
{
	return cmd.set == 0 ? cmd.opcode == 0x201 || cmd.opcode == 0x202
			    : cmd.set == 1 && (cmd.opcode == 0x10 || cmd.opcode == 0x11);
}

/* What others have begun is in the way of a command with @effects (C16). */
static bool in_the_way_of(fwa_effects effects)
{
	return (aborts() ? contract.not_to_abort
			 : contract.leased && effects & FWA_EFFECT_BACKGROUND) ||
	       (contract.transfer == FWA_TRANSFER_OTHER &&
		fwa_transfer_part(&cmd) != CXL_PART_FULL) ||
	       (contract.firmware_leased && moves_firmware());
}

/* What changes nothing may pass unrecorded where the operator has said so, and nothing else may (C31). */
static bool recordable(const struct fwa_decision *d)
{
	bool reads =
		contract.mode == FWA_MODE_STRICT ? !d->effects : !d->effects && d->required == 0;

	return contract.journal == FWA_JOURNAL_OK ||
	       (contract.journal == FWA_JOURNAL_DOWN_EFFECTS && reads);
}

static bool sets_a_feature(void)
{
	return cmd.set == FWA_SET_CXL && cmd.opcode == CXL_OP_SET_FEATURE && any.has_row &&
	       any.has_select && any_select.kind == FWA_SELECT_FEATURE_UUID;
}

static bool selects(unsigned int kind)
{
	return any.has_row && any.has_select && any_select.kind == kind;
}

/* The variant that counts when it applies to the command. */
static bool applies(const struct fwa_variant *v, unsigned int i)
{
	const struct fwa_variant_slice *slice = &any_slices[(uint8_t)cmd.cdw[0]];

	if (by_uuid(any_select.kind))
		return i < any_select.n_all && cmd.payload.len >= 16 &&
		       !memcmp(v->uuid, cmd.payload.data, 16) &&
		       !fwa_transfer_named(cmd.payload.data);
	return i >= slice->first && i < slice->first + slice->count &&
	       (cmd.cdw[v->cdw - 10] & v->mask) == v->value;
}

/* What holds of an admitted command in either mode (C6, C13, C16, C17, C19 to C24, C31). */
static void prove_within_rights(const struct fwa_decision *d)
{
	prove(cmd.set < FWA_SET_COUNT && (cmd.set == FWA_SET_CXL || cmd.opcode <= 0xff));
	prove(any.listed);
	prove(d->set == cmd.set && d->opcode == cmd.opcode);
	prove(!contract.quarantine && !(contract.drift && drifted));
	prove(!in_the_way_of(d->effects));
	prove(recordable(d));
	prove(d->required <= d->scope && d->scope <= FWA_SCOPE_DEBUG_WRITE_FULL);
	prove(d->scope == (cmd.scope == FWA_SCOPE_LEAST ? d->required : cmd.scope));
	prove(!(contract.lockdown && d->scope == FWA_SCOPE_DEBUG_WRITE_FULL));
	prove(d->right < RIGHTS && d->grant == rights.right[d->right].grant + 1);
	prove(enough(d->right, d->scope, d->effects) && !used_up(d->right));
	prove((d->effects & FWA_EFFECTS_NEVER) == 0);
	prove((contract.advisory & FWA_EFFECTS_ALL & ~d->effects) == 0);
	prove(cmd.payload.len <= FWA_COMMAND_DATA_MAX && cmd.out_len <= FWA_COMMAND_DATA_MAX);
}

/* What more strict mode holds an admitted command to (C7 to C12, C18). */
static void prove_strict(const struct fwa_decision *d)
{
	unsigned int i = nondet_u32();
	struct fwa_declared said = any.declared;

	if (sets_a_feature())
		said = fwa_cxl_declared(any.feature.effects);
	prove(!said.reserved && !any.declared.reserved);
	prove((said.effects & ~d->effects) == 0);
	prove(implies(sets_a_feature(), any.has_feature && any.feature.flags & 1));
	prove(implies(any.has_row && !sets_a_feature(), (any_row.floor & ~d->effects) == 0));
	prove(implies(any.has_row && any.has_operation, (any.operation.floor & ~d->effects) == 0));
	prove(implies(selects(FWA_SELECT_LID) && profile->nvme_logs.len, any.has_lid));
	prove(implies(selects(FWA_SELECT_FID), any.has_fid));
	prove(implies(selects(FWA_SELECT_FID) && cmd.opcode == NVME_OP_SET_FEATURES,
		      !any.fid.reserved && (any.fid.effects & ~d->effects) == 0));
	prove(implies(d->effects & (FWA_EFFECTS_IMMEDIATE | FWA_EFFECT_EXCLUSIVE), d->scope == 3));
	prove(implies(d->effects & FWA_EFFECTS_RESET, d->scope >= 2));
	prove(implies(!any.has_row, d->scope >= 1));
	prove(shape == FWA_DETAIL_NONE);
	assume(i < ANY_VARIANTS);
	if (!any.has_row || !any.has_select || !applies(&any_variants[i], i))
		return;
	prove((any_variants[i].floor & ~d->effects) == 0);
	prove(implies(any_variants[i].class == FWA_CLASS_USER_DATA, d->scope == 3));
	prove(implies(any_variants[i].class == FWA_CLASS_DEBUG, d->scope >= 1));
	witness(any_variants[i].floor);
}

/* proof: core/decide.c core/declaration.c core/effects.c core/command.c core/transfer.c;
 *        without fwa_command_operation;
 *        --unwind 7 --unwindset anything.0:33 */
void prove_admitted(void)
{
	struct fwa_decision d;

	anything();
	d = fwa_decide(&contract, &rights, profile, &cmd, now);
	prove(d.reason < FWA_REASON_COUNT);
	if (!fwa_admitted(&d)) {
		prove(d.grant == 0 && d.right == 0);
		return;
	}
	witness(contract.mode == FWA_MODE_STRICT && d.effects & FWA_EFFECT_BACKGROUND);
	witness(contract.mode == FWA_MODE_LINUX && d.effects);
	witness(contract.journal == FWA_JOURNAL_DOWN_EFFECTS);
	witness(contract.mode == FWA_MODE_LINUX && contract.advisory & FWA_EFFECT_DATA);
	prove_within_rights(&d);
	if (contract.mode == FWA_MODE_STRICT)
		prove_strict(&d);
}

/* The verdict on a command that no model knows, step by step, from spec/SECURITY-MODEL.md. */
static enum fwa_reason written_reason(void)
{
	fwa_effects effects = any.declared.effects | (contract.advisory & 0x1ffff);
	unsigned int least = effects >> 13 ? 4 : effects & 0x1e3e ? 3 : effects & 0x181 ? 2 : 1;
	unsigned int scope = cmd.scope == 255 ? least : cmd.scope;
	bool fields = cmd.nsid;

	for (int i = 0; i < 6; i++)
		fields = fields || cmd.cdw[i];
	if (cmd.set > 2 || (cmd.scope > 3 && cmd.scope != 255) || cmd.payload.len > 2 << 20 ||
	    cmd.out_len > 2 << 20 || (cmd.set == 0 ? fields : cmd.opcode > 0xff))
		return FWA_REASON_MALFORMED;
	if (contract.quarantine)
		return FWA_REASON_QUARANTINED;
	if (!any.listed)
		return FWA_REASON_UNDECLARED;
	if (any.declared.effects >> 16)
		return FWA_REASON_RESERVED_BITS;
	if (shape)
		return FWA_REASON_PAYLOAD_SHAPE;
	if (least == 4)
		return FWA_REASON_NEVER;
	if (scope < least)
		return FWA_REASON_SCOPE_TOO_LOW;
	if (contract.lockdown && scope == 3)
		return FWA_REASON_LOCKDOWN;
	if (!allowed(scope, effects))
		return FWA_REASON_NO_GRANT; /* to GRANT_EXPIRED: prove_granted */
	if (contract.drift && drifted)
		return FWA_REASON_DRIFT;
	if (in_the_way_of(effects))
		return FWA_REASON_LEASE;
	if (!allowed_now(scope, effects))
		return FWA_REASON_RATE;
	if (contract.journal == 0 || (contract.journal == 2 && !effects))
		return FWA_REASON_ADMIT;
	return FWA_REASON_JOURNAL;
}

/* Vendor commands: the reason is the written one, so none that may pass is refused.
 * proof: core/decide.c core/declaration.c core/effects.c core/command.c core/transfer.c;
 *        without fwa_command_operation;
 *        --unwind 7 --unwindset anything.0:33 */
void prove_vendor_exact(void)
{
	enum fwa_reason written, reason;

	anything();
	assume(contract.mode == FWA_MODE_STRICT && !any.has_row);
	written = written_reason();
	reason = fwa_decide(&contract, &rights, profile, &cmd, now).reason;
	if (reason >= FWA_REASON_NO_GRANT && reason <= FWA_REASON_GRANT_EXPIRED)
		reason = FWA_REASON_NO_GRANT;
	prove(reason == written);
	witness(reason == FWA_REASON_ADMIT);
	witness(reason == FWA_REASON_LEASE);
	witness(reason == FWA_REASON_NEVER && contract.advisory >> 16 & 1);
	witness(reason == FWA_REASON_RATE);
	witness(reason == FWA_REASON_ADMIT && contract.rate_over & 1);
	witness(reason == FWA_REASON_ADMIT && contract.journal);
	witness(reason == FWA_REASON_JOURNAL && contract.journal == 2);
	witness(reason == FWA_REASON_JOURNAL && contract.journal > 2);
}

/* An advisory only takes away: what passes with its effects passes without (C33), in both modes.
 * proof: core/decide.c core/declaration.c core/effects.c core/command.c core/transfer.c;
 *        without fwa_command_operation;
 *        --unwind 7 --unwindset anything.0:33 */
void prove_advisory_takes_away(void)
{
	struct fwa_decision with, without;

	anything();
	with = fwa_decide(&contract, &rights, profile, &cmd, now);
	contract.advisory = 0;
	without = fwa_decide(&contract, &rights, profile, &cmd, now);
	prove((without.effects & ~with.effects) == 0);
	prove(implies(fwa_admitted(&with), fwa_admitted(&without)));
	witness(fwa_admitted(&without) && !fwa_admitted(&with));
	witness(fwa_admitted(&with) && with.effects != without.effects);
}
