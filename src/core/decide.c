/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each step looks at one thing and says what it does not like; fwa_decide() strings them together.
 *
 * 1. A step sees only what the steps before it let through.
 * 2. Linux mode leaves steps out or replaces what they ask for; it has no path of its own.
 */
#include "core/decide.h"

#include "core/declaration.h"
#include "core/shape.h"
#include "core/transfer.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* What is looked up once, before the steps. */
struct subject {
	const struct fwa_contract *contract;
	const struct fwa_rights *rights;
	const struct fwa_profile *profile;
	const struct fwa_command *cmd;
	uint64_t now;

	const struct fwa_model_command *row;
	struct fwa_selector selector;
	const struct fwa_operation *operation; /* NULL: the command does one thing */
	struct fwa_declared declared;
	bool is_set_feature;
	unsigned int part; /* of a Feature's transfer, enum cxl_set_feature_part */
	bool has_feature;
	struct fwa_feature feature;
	unsigned int class;
};

static bool is_linux(const struct subject *s)
{
	return s->contract->mode == FWA_MODE_LINUX;
}

/* --- scope ---------------------------------------------------------------------------------- */

static uint8_t need(enum fwa_need why, enum fwa_scope scope, uint8_t *ret_need)
{
	*ret_need = (uint8_t)why;
	return (uint8_t)scope;
}

static uint8_t class_scope(unsigned int class)
{
	switch (class) {
	case FWA_CLASS_PLAIN:
		return FWA_SCOPE_CONFIGURATION;
	case FWA_CLASS_USER_DATA:
		return FWA_SCOPE_DEBUG_WRITE_FULL; /*= spec/SECURITY-MODEL.md#C12 */
	default:
		return FWA_SCOPE_DEBUG_READ_ONLY;
	}
}

/*= spec/SECURITY-MODEL.md#C13 */
uint8_t fwa_scope_of(fwa_effects effects, unsigned int class, uint8_t *ret_need)
{
	if (effects & FWA_EFFECT_UNKNOWN)
		return need(FWA_NEED_NOT_UNDERSTOOD, FWA_SCOPE_NEVER, ret_need);
	if (effects & FWA_EFFECTS_NEVER)
		return need(FWA_NEED_NEVER, FWA_SCOPE_NEVER, ret_need);
	if (effects & FWA_EFFECT_EXCLUSIVE)
		return need(FWA_NEED_EXCLUSIVE, FWA_SCOPE_DEBUG_WRITE_FULL, ret_need);
	if (effects & FWA_EFFECTS_IMMEDIATE)
		return need(FWA_NEED_CHANGE, FWA_SCOPE_DEBUG_WRITE_FULL, ret_need);
	if (class == FWA_CLASS_USER_DATA)
		return need(FWA_NEED_USER_DATA, FWA_SCOPE_DEBUG_WRITE_FULL, ret_need);
	if (effects & FWA_EFFECTS_RESET)
		return need(FWA_NEED_RESET_CONFIG, FWA_SCOPE_DEBUG_WRITE, ret_need);
	if (class == FWA_CLASS_PLAIN)
		return need(FWA_NEED_PLAIN_READ, FWA_SCOPE_CONFIGURATION, ret_need);
	return need(FWA_NEED_DEBUG_READ, FWA_SCOPE_DEBUG_READ_ONLY, ret_need);
}

uint8_t fwa_least_scope(enum fwa_set set, uint16_t opcode, fwa_effects *ret_effects)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);
	unsigned int class = row ? row->class : FWA_CLASS_DEBUG;
	fwa_effects effects = row ? row->floor : 0;
	uint8_t need;

	/* Which of its effects Set Feature has is the Feature's to say: C10. */
	if (set == FWA_SET_CXL && opcode == CXL_OP_SET_FEATURE)
		effects = 0;
	if (row && row->select) /* what it selects may be a plain read */
		class = FWA_CLASS_PLAIN;
	*ret_effects = effects;
	return fwa_scope_of(effects, class, &need);
}

/*= spec/SECURITY-MODEL.md#C28 */
uint8_t fwa_linux_feature_scope(uint16_t word)
{
	const uint16_t immediate = CXL_CEL_CONFIG | CXL_CEL_DATA | CXL_CEL_POLICY | CXL_CEL_LOG;
	const uint16_t reset =
		CXL_CEL_CONFIG_COLD_RESET | CXL_CEL_CONFIG_CONV_RESET | CXL_CEL_CONFIG_CXL_RESET;

	if (word & (CXL_CEL_RESERVED | CXL_CEL_BACKGROUND))
		return FWA_SCOPE_NEVER;
	if (word & immediate)
		return FWA_SCOPE_DEBUG_WRITE_FULL;
	return word & reset ? FWA_SCOPE_DEBUG_WRITE : FWA_SCOPE_NEVER;
}

/* --- effects -------------------------------------------------------------------------------- */

static bool variant_applies(const struct subject *s, const struct fwa_variant *v)
{
	if (s->selector.uuid)
		return memcmp(v->uuid, s->selector.uuid, sizeof(v->uuid)) == 0;
	return (s->cmd->cdw[v->cdw - 10] & v->mask) == v->value;
}

/*
 * Adds the floors of the selected forms (C11). The most demanding class of those that apply counts;
 * a UUID that the model does not know is a debug read.
 */
static fwa_effects selected_floor(struct subject *s)
{
	const struct fwa_selector_table *t = s->row->select;
	struct fwa_variant_slice slice = { 0, t->n_all };
	unsigned int class = FWA_CLASS_DEBUG;
	fwa_effects floor = 0;
	bool any = false;

	if (t->by_value)
		slice = t->by_value[s->selector.value];
	else if (!s->selector.uuid)
		return 0;
	for (uint16_t i = slice.first; i < slice.first + slice.count; i++) {
		const struct fwa_variant *v = &t->all[i];

		if (!variant_applies(s, v))
			continue;
		if (!any || class_scope(v->class) > class_scope(class))
			class = v->class;
		any = true;
		floor |= v->floor;
	}
	s->class = class;
	return floor;
}

/*= spec/SECURITY-MODEL.md#C11 */
static fwa_effects floor_of(struct subject *s)
{
	fwa_effects floor;

	s->class = s->row ? s->row->class : FWA_CLASS_DEBUG;
	if (!s->row || is_linux(s))
		return 0;
	/* Set Feature changes what the Feature's entry says (C10), not all that any could. */
	floor = s->has_feature ? 0 : s->row->floor;
	if (s->selector.kind != FWA_SELECT_NONE)
		floor |= selected_floor(s);
	if (s->operation)
		floor |= s->operation->floor;
	return floor;
}

/*
 * What linux mode asks for: what Linux does of the device's declaration; and of what an advisory adds, which
 * Linux has no notion of, what strict mode does.
 */
/*= spec/SECURITY-MODEL.md#C33 */
static uint8_t linux_scope(const struct subject *s, fwa_effects advisory, uint8_t *ret_need)
{
	uint8_t least = s->is_set_feature ? fwa_linux_feature_scope(s->feature.effects)
					  : FWA_SCOPE_CONFIGURATION;
	uint8_t by_advisory = fwa_scope_of(advisory, FWA_CLASS_PLAIN, ret_need);

	if (by_advisory > least)
		return by_advisory;
	*ret_need = FWA_NEED_LINUX;
	return least;
}

/*= spec/SECURITY-MODEL.md#C7 */
static void weigh(struct subject *s, struct fwa_decision *d)
{
	d->declared_raw = s->declared.raw;
	d->declared = s->declared.effects;
	d->attributes = s->declared.attributes;
	if (is_linux(s)) /* which has no notion of bits that depend on others */
		d->declared &= ~FWA_EFFECT_UNKNOWN;
	d->floor = floor_of(s);
	d->advisory = s->contract->advisory & FWA_EFFECTS_ALL;
	d->effects = d->declared | d->floor | d->advisory;
	if (is_linux(s))
		d->required = linux_scope(s, d->advisory, &d->need);
	else
		d->required = fwa_scope_of(d->effects, s->class, &d->need);
	if (fwa_advised_alone(d) & FWA_EFFECT_UNKNOWN) /* that is well understood */
		d->need = FWA_NEED_NEVER;
	d->scope = s->cmd->scope;
	if (d->scope == FWA_SCOPE_LEAST && d->required != FWA_SCOPE_NEVER)
		d->scope = d->required;
}

/* --- the steps, in the order of enum fwa_reason; FWA_DETAIL_NONE passes --------------------- */

/*= spec/SECURITY-MODEL.md#C17 */
static enum fwa_detail well_formed(const struct fwa_command *cmd)
{
	uint32_t nvme_fields = cmd->nsid;

	if (cmd->set >= FWA_SET_COUNT)
		return FWA_DETAIL_SET;
	if (cmd->scope > FWA_SCOPE_DEBUG_WRITE_FULL && cmd->scope != FWA_SCOPE_LEAST)
		return FWA_DETAIL_SCOPE;
	if (cmd->payload.len > FWA_COMMAND_DATA_MAX || cmd->out_len > FWA_COMMAND_DATA_MAX)
		return FWA_DETAIL_DATA_MAX;
	if (cmd->set != FWA_SET_CXL)
		return cmd->opcode > 0xff ? FWA_DETAIL_OPCODE_WIDTH : FWA_DETAIL_NONE;
	for (int i = 0; i < 6; i++)
		nvme_fields |= cmd->cdw[i];
	return nvme_fields ? FWA_DETAIL_FIELDS : FWA_DETAIL_NONE;
}

/* A later part of a transfer may name its Feature as the one that is being transferred. */
/*= spec/SECURITY-MODEL.md#C10 */
static enum fwa_detail resolve_transfer(struct subject *s)
{
	if (is_linux(s) || !s->is_set_feature || !s->selector.uuid ||
	    !fwa_transfer_named(s->selector.uuid))
		return FWA_DETAIL_NONE;
	if (s->contract->transfer == FWA_TRANSFER_OTHER)
		return FWA_DETAIL_TRANSFER_OF_OTHER;
	if (s->contract->transfer != FWA_TRANSFER_OWN || s->part < CXL_PART_CONTINUE)
		return FWA_DETAIL_NO_TRANSFER;
	s->selector.uuid = s->contract->transfer_uuid;
	return FWA_DETAIL_NONE;
}

/*= spec/SECURITY-MODEL.md#C6 */
static enum fwa_detail declared(struct subject *s)
{
	bool by_feature = s->selector.kind == FWA_SELECT_FEATURE_UUID;
	struct fwa_selector selector = s->selector;
	struct fwa_declaration declaration = { 0 };
	enum fwa_detail detail;

	if (!fwa_profile_declared(s->profile, s->cmd->set, s->cmd->opcode, &declaration.declared))
		return FWA_DETAIL_NOT_LISTED;
	if (is_linux(s) &&
	    (s->cmd->set != FWA_SET_CXL || s->cmd->opcode < CXL_OP_GET_SUPPORTED_FEATURES ||
	     s->cmd->opcode > CXL_OP_SET_FEATURE))
		return FWA_DETAIL_LINUX_OPCODE;
	if (is_linux(s) && by_feature && !s->is_set_feature)
		selector.kind = FWA_SELECT_NONE; /* Linux lets the device decide */
	detail = resolve_transfer(s);
	if (detail)
		return detail;
	selector.uuid = s->selector.uuid;
	detail = fwa_declaration_narrow(s->profile, s->cmd, &selector, &declaration);
	s->declared = declaration.declared;
	s->has_feature = declaration.has_feature;
	s->feature = declaration.feature;
	return detail;
}

/*= spec/SECURITY-MODEL.md#C8 */
static enum fwa_detail understood(const struct subject *s, const struct fwa_decision *d)
{
	if (is_linux(s))
		return s->is_set_feature && s->feature.effects & CXL_CEL_RESERVED
			       ? FWA_DETAIL_RESERVED_DECLARED
			       : FWA_DETAIL_NONE;
	if (s->declared.reserved)
		return FWA_DETAIL_RESERVED_DECLARED;
	if (s->has_feature && !(s->declared.effects & (FWA_EFFECTS_RESET | FWA_EFFECTS_IMMEDIATE)))
		return FWA_DETAIL_FEATURE_SILENT;
	return (d->declared | d->floor) & FWA_EFFECT_UNKNOWN ? FWA_DETAIL_UNKNOWN_SELECTOR
							     : FWA_DETAIL_NONE;
}

/* Linux checks shapes itself, in the front end that speaks its interface. */
static enum fwa_detail shaped(const struct subject *s)
{
	if (is_linux(s))
		return FWA_DETAIL_NONE;
	return fwa_shape_check(s->profile, s->row, s->cmd, s->selector.uuid);
}

/*= spec/SECURITY-MODEL.md#C15 */
static enum fwa_detail ever(const struct fwa_decision *d)
{
	if (d->required != FWA_SCOPE_NEVER)
		return FWA_DETAIL_NONE;
	if (d->advisory & FWA_EFFECT_UNKNOWN) /*= spec/SECURITY-MODEL.md#C33 */
		return FWA_DETAIL_ADVISORY;
	if (d->effects & FWA_EFFECT_DMA)
		return FWA_DETAIL_DMA;
	if (d->effects & FWA_EFFECT_CARRIER)
		return FWA_DETAIL_CARRIER;
	return d->effects & FWA_EFFECT_OTHER_CLIENT ? FWA_DETAIL_OTHER_CLIENT
						    : FWA_DETAIL_LINUX_FEATURE;
}

/* Linux refuses the Features that its own drivers manage after it has looked at the scope. */
static bool linux_exclusive(struct subject *s)
{
	return is_linux(s) && s->is_set_feature && s->selector.uuid &&
	       selected_floor(s) & FWA_EFFECT_OTHER_CLIENT;
}

/* Whether the caller has used up what right @i allows, and what of it. */
/*= spec/SECURITY-MODEL.md#C24 */
static enum fwa_detail right_over(const struct fwa_contract *c, uint32_t i)
{
	if (c->seats_over >> i & 1)
		return FWA_DETAIL_SESSIONS;
	return c->rate_over >> i & 1 ? FWA_DETAIL_USED_UP : FWA_DETAIL_NONE;
}

/*
 * One right that is enough and not used up admits; when each that is enough is used up, the first of
 * them says why.
 */
/*= spec/SECURITY-MODEL.md#C19 */
static enum fwa_reason granted(const struct subject *s, struct fwa_decision *d)
{
	bool covered = false, scope_ok = false, effects_ok = false;
	enum fwa_detail over = FWA_DETAIL_NONE;

	for (uint32_t i = 0; i < s->rights->n && i < FWA_RIGHTS_MAX; i++) {
		const struct fwa_right *r = &s->rights->right[i];
		enum fwa_detail used_up;

		if (!fwa_filter_covers(r->filter, s->cmd, s->selector.uuid))
			continue;
		covered = true;
		if (r->scope < d->scope)
			continue;
		scope_ok = true;
		if (d->effects & ~r->effects) /*= spec/SECURITY-MODEL.md#C14 */
			continue;
		effects_ok = true;
		if (r->until && s->now >= r->until) /*= spec/SECURITY-MODEL.md#C20 */
			continue;
		used_up = right_over(s->contract, i);
		if (used_up) {
			over = over ? over : used_up;
			continue;
		}
		d->grant = r->grant + 1;
		d->right = i;
		return FWA_REASON_ADMIT;
	}
	d->detail = (uint8_t)over;
	if (over)
		return FWA_REASON_RATE;
	if (!covered) {
		d->detail = s->rights->n_matched ? FWA_DETAIL_OTHER_COMMANDS : FWA_DETAIL_NONE;
		return FWA_REASON_NO_GRANT;
	}
	if (!scope_ok)
		return FWA_REASON_GRANT_SCOPE;
	return effects_ok ? FWA_REASON_GRANT_EXPIRED : FWA_REASON_GRANT_EFFECTS;
}

/* What others have begun and not ended. */
/*= spec/SECURITY-MODEL.md#C16 */
static enum fwa_detail in_the_way(const struct subject *s, const struct fwa_decision *d)
{
	const struct fwa_contract *c = s->contract;

	if (fwa_command_aborts(s->cmd)) {
		if (c->not_to_abort)
			return FWA_DETAIL_BACKGROUND_OF_OTHER;
	} else if (c->leased && d->effects & FWA_EFFECT_BACKGROUND) {
		return FWA_DETAIL_BACKGROUND_OF_OTHER;
	}
	if (c->transfer == FWA_TRANSFER_OTHER && s->part != CXL_PART_FULL)
		return FWA_DETAIL_TRANSFER_OF_OTHER;
	if (c->firmware_leased && fwa_command_moves_firmware(s->cmd))
		return FWA_DETAIL_FIRMWARE_OF_OTHER;
	return FWA_DETAIL_NONE;
}

/* Nothing passes that would not be recorded, but where the operator has let reads pass. */
/*= spec/SECURITY-MODEL.md#C31 */
static bool recordable(const struct subject *s, const struct fwa_decision *d)
{
	switch (s->contract->journal) {
	case FWA_JOURNAL_OK:
		return true;
	case FWA_JOURNAL_DOWN_EFFECTS:
		return !fwa_may_change(d);
	default:
		return false;
	}
}

/*
 * The state of the gate that can refuse what a grant covers: drift and lease, then what @granted says
 * of the rate, and the journal.
 */
static enum fwa_reason permitted_now(const struct subject *s, enum fwa_reason granted,
				     struct fwa_decision *d)
{
	enum fwa_detail detail = FWA_DETAIL_NONE;

	if (s->contract->drift) /*= spec/SECURITY-MODEL.md#C23 */
		detail = fwa_drift_detail(s->contract->drift, s->profile, s->cmd, &s->selector);
	if (detail) {
		d->detail = (uint8_t)detail;
		return FWA_REASON_DRIFT;
	}
	detail = in_the_way(s, d);
	if (detail) {
		d->detail = (uint8_t)detail;
		return FWA_REASON_LEASE;
	}
	if (granted == FWA_REASON_ADMIT && !recordable(s, d)) {
		d->detail = FWA_DETAIL_JOURNAL_DOWN;
		return FWA_REASON_JOURNAL;
	}
	return granted;
}

static enum fwa_detail quarantine_detail(unsigned int quarantine)
{
	switch (quarantine) {
	case FWA_QUARANTINE_GARBAGE:
		return FWA_DETAIL_GARBAGE;
	case FWA_QUARANTINE_TIME_OUT:
		return FWA_DETAIL_TIME_OUT;
	case FWA_QUARANTINE_IDENTITY:
		return FWA_DETAIL_IDENTITY_CHANGED;
	default:
		return FWA_DETAIL_OPERATOR;
	}
}

/* The steps up to the grants: what the device and the command say. */
static enum fwa_reason judge_command(struct subject *s, struct fwa_decision *d)
{
	uint16_t value;

	d->detail = (uint8_t)well_formed(s->cmd);
	if (d->detail)
		return FWA_REASON_MALFORMED;
	if (s->contract->quarantine) { /*= spec/SECURITY-MODEL.md#C22 */
		d->detail = (uint8_t)quarantine_detail(s->contract->quarantine);
		return FWA_REASON_QUARANTINED;
	}
	s->row = fwa_model_find(s->cmd->set, s->cmd->opcode);
	s->selector = fwa_command_selector(s->row, s->cmd);
	s->operation = fwa_command_operation(s->row, s->cmd, &value);
	s->is_set_feature = s->cmd->set == FWA_SET_CXL && s->cmd->opcode == CXL_OP_SET_FEATURE;
	s->part = fwa_transfer_part(s->cmd);
	d->detail = (uint8_t)declared(s);
	if (d->detail)
		return FWA_REASON_UNDECLARED;
	weigh(s, d);
	d->detail = (uint8_t)understood(s, d);
	if (d->detail)
		return FWA_REASON_RESERVED_BITS;
	d->detail = (uint8_t)shaped(s);
	if (d->detail)
		return FWA_REASON_PAYLOAD_SHAPE;
	d->detail = (uint8_t)ever(d);
	if (d->detail)
		return FWA_REASON_NEVER;
	if (d->scope < d->required)
		return FWA_REASON_SCOPE_TOO_LOW;
	if (linux_exclusive(s)) {
		d->detail = FWA_DETAIL_OTHER_CLIENT;
		return FWA_REASON_NEVER;
	}
	return FWA_REASON_ADMIT;
}

/*= spec/SECURITY-MODEL.md#C29 */
struct fwa_decision fwa_decide(const struct fwa_contract *contract, const struct fwa_rights *rights,
			       const struct fwa_profile *profile, const struct fwa_command *cmd,
			       uint64_t now)
{
	struct subject s = {
		.contract = contract,
		.rights = rights,
		.profile = profile,
		.cmd = cmd,
		.now = now,
	};
	struct fwa_decision d = { .set = cmd->set,
				  .opcode = cmd->opcode,
				  .scope = cmd->scope,
				  .required = FWA_SCOPE_NEVER,
				  .need = FWA_NEED_NEVER };
	enum fwa_reason reason = judge_command(&s, &d);

	if (reason == FWA_REASON_ADMIT && contract->lockdown &&
	    d.scope >= FWA_SCOPE_DEBUG_WRITE_FULL) /*= spec/SECURITY-MODEL.md#C21 */
		reason = FWA_REASON_LOCKDOWN;
	if (reason == FWA_REASON_ADMIT)
		reason = granted(&s, &d);
	if (reason == FWA_REASON_ADMIT || reason == FWA_REASON_RATE)
		reason = permitted_now(&s, reason, &d);
	if (reason != FWA_REASON_ADMIT)
		d.grant = d.right = 0;
	d.reason = (uint8_t)reason;
	return d;
}

bool fwa_opcode_effects(const struct fwa_profile *profile, enum fwa_set set, uint16_t opcode,
			struct fwa_decision *ret)
{
	struct fwa_contract contract = { .mode = FWA_MODE_STRICT };
	struct fwa_command cmd = { .set = (uint8_t)set,
				   .opcode = opcode,
				   .scope = FWA_SCOPE_LEAST };
	struct subject s = { .contract = &contract, .profile = profile, .cmd = &cmd };
	struct fwa_decision d = { .set = cmd.set, .opcode = opcode };

	if (!fwa_profile_declared(profile, set, opcode, &s.declared))
		return false;
	s.row = fwa_model_find(set, opcode);
	weigh(&s, &d);
	*ret = d;
	return true;
}
