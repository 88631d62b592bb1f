/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Judging a recorded decision again.
 *
 * Of a payload only the bytes that decisions look at are recorded; fwa_command_judged_len() says how
 * many, and is the one place that knows. Should it ever say too little, the rest reads as zero here
 * and never as somebody else's memory.
 */
#include "core/record.h"

#include "core/record-text.h"

/* --- what of a payload is judged -------------------------------------------------------------- */

static size_t greater(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Where the payload's bytes end that @r looks at. */
static size_t rule_end(const struct fwa_rule *r)
{
	switch (r->kind) {
	case FWA_RULE_NONZERO:
	case FWA_RULE_REPLY_FITS:
		return (size_t)r->at + r->width;
	case FWA_RULE_LOG_RANGE:
	case FWA_RULE_LSA_RANGE:
		return greater(r->at, r->at2) + 4;
	case FWA_RULE_LSA_DATA:
		return (size_t)r->at + 4;
	case FWA_RULE_FEATURE_RANGE:
		return greater(r->at, r->at2) + 2;
	case FWA_RULE_FEATURE_DATA:
		return (size_t)r->at + 2;
	case FWA_RULE_DPA:
		return (size_t)r->at + 8;
	case FWA_RULE_DPA_RANGE:
		return greater(r->at, r->at2) + 8;
	default: /* lengths: no byte of the payload says them */
		return 0;
	}
}

/*
 * The longest of what is judged of commands of @row: rules and fields. Which part of a transfer it is
 * stands in a Set Feature where one of its fields does.
 */
static size_t judged_end(const struct fwa_model_command *row)
{
	enum fwa_set set = (enum fwa_set)row->set;
	size_t end = 0;

	for (unsigned int f = 1; f < FWA_FIELD_COUNT; f++)
		end = greater(end, fwa_field_end(set, row->opcode, (enum fwa_field)f));
	for (uint8_t i = 0; i < row->n_rules; i++)
		end = greater(end, rule_end(&row->rules[i]));
	return end;
}

size_t fwa_command_judged_len(const struct fwa_command *cmd)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	size_t end = row ? judged_end(row) : 0;

	return end < cmd->payload.len ? end : cmd->payload.len;
}

/* --- again ------------------------------------------------------------------------------------ */

/* More than fwa_command_judged_len() ever says: places are bytes, and what is there has at most 8. */
#define JUDGED_MAX (UINT8_MAX + 1 + 8)

/* What judges, besides the profile. */
struct again {
	struct fwa_command cmd;
	struct fwa_contract contract;
	struct fwa_drift drift;
	struct fwa_rights rights;
	uint32_t groups[FWA_RECORD_GROUPS_MAX];
	uint8_t payload[JUDGED_MAX];
};

/* NULL, or what is missing. */
static const char *set_command(struct again *a, const struct fwa_record_decision *r)
{
	a->cmd = r->cmd;
	if (r->payload.len) {
		if (r->payload.len != r->cmd.payload.len)
			return "it records another payload than it says";
		a->cmd.payload.data = r->payload.data;
		return NULL;
	}
	if (r->judged_bytes.len < fwa_command_judged_len(&r->cmd))
		return "it records fewer bytes of the payload than decisions look at";
	for (size_t i = 0; i < r->judged_bytes.len && i < JUDGED_MAX; i++)
		a->payload[i] = r->judged_bytes.data[i];
	a->cmd.payload.data = a->payload;
	return NULL;
}

static const char *set_contract(struct again *a, const struct fwa_record_decision *r,
				const struct fwa_profile *accepted)
{
	bool named = !fwa_record_is_zero(r->accepted_sha256, FWA_HASH_LEN);

	a->contract = r->contract;
	a->contract.drift = NULL;
	if (!r->drifted)
		return NULL;
	if (named && !accepted)
		return "the declarations that it was held to are not here";
	a->drift.baseline = named ? accepted : NULL;
	a->contract.drift = &a->drift;
	return NULL;
}

static bool same_policy(const struct fwa_policy *policy, const uint8_t digest[FWA_HASH_LEN])
{
	if (!policy->digest)
		return fwa_record_is_zero(digest, FWA_HASH_LEN);
	return memcmp(policy->digest, digest, FWA_HASH_LEN) == 0;
}

static const char *set_rights(struct again *a, const struct fwa_record_decision *r,
			      const struct fwa_profile *profile, const struct fwa_policy *policy,
			      fwa_pattern_fn match)
{
	struct fwa_principal who = {
		.uid = r->who.uid,
		.gid = r->who.gid,
		.groups = a->groups,
		.n_groups = r->who.n_groups,
		.owner = r->who.owner,
		.unit = r->who.unit,
	};

	if (r->who.gate) {
		a->rights = fwa_rights_all;
		return NULL;
	}
	if (!same_policy(policy, r->policy_digest))
		return "it was decided by another policy";
	if (r->who.more_groups || who.n_groups > FWA_RECORD_GROUPS_MAX)
		return "it does not record all groups of the caller";
	for (uint32_t i = 0; i < who.n_groups; i++)
		a->groups[i] = fwa_le32(r->who.groups + (size_t)i * 4);
	fwa_policy_fold(policy, &who, profile, match, &a->rights);
	return NULL;
}

static bool same_decision(const struct fwa_decision *a, const struct fwa_decision *b)
{
	return a->reason == b->reason && a->detail == b->detail && a->need == b->need &&
	       a->required == b->required && a->scope == b->scope && a->set == b->set &&
	       a->opcode == b->opcode && a->declared_raw == b->declared_raw &&
	       a->attributes == b->attributes && a->declared == b->declared &&
	       a->floor == b->floor && a->advisory == b->advisory && a->effects == b->effects;
}

/* @name as a record has it: what is not printable is a '?' there. */
static bool same_name(const char *recorded, const char *name)
{
	for (size_t i = 0; i < FWA_GRANT_NAME_MAX - 1; i++) {
		char c = name[i] && !fwa_record_printable(name[i]) ? '?' : name[i];

		if (recorded[i] != c)
			return false;
		if (!c)
			return true;
	}
	return true;
}

/* The grant that admitted: for the gate's own commands and for what was refused there is none. */
static bool same_grant(const struct fwa_record_decision *r, const struct fwa_policy *policy,
		       const struct fwa_decision *d)
{
	if (r->who.gate || !fwa_admitted(d))
		return !r->grant[0];
	return same_name(r->grant, fwa_policy_grant_name(policy, d->grant - 1));
}

bool fwa_record_replay(const struct fwa_record_decision *r, const struct fwa_profile *profile,
		       const struct fwa_policy *policy, const struct fwa_profile *accepted,
		       fwa_pattern_fn match, struct fwa_decision *ret, const char **ret_why)
{
	struct again a = { 0 };
	const char *why = set_command(&a, r);

	if (!why)
		why = set_contract(&a, r, accepted);
	if (!why)
		why = set_rights(&a, r, profile, policy, match);
	*ret_why = why;
	*ret = (struct fwa_decision){ 0 };
	if (why)
		return false;
	*ret = fwa_decide(&a.contract, &a.rights, profile, &a.cmd, r->judged);
	return same_decision(ret, &r->decision) && same_grant(r, policy, ret);
}
