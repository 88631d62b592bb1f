/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What would pass in place of a refused command: decided again and again, with one thing less in the
 * way each time. No step knows more of the decision than its verdict.
 */
#include "core/decide.h"

/* What is tried: the command, and what is thought away to see whether it would pass without. */
struct trial {
	struct fwa_contract contract;
	struct fwa_rights rights;
	struct fwa_command cmd;
	const struct fwa_profile *profile;
	uint64_t now;
};

static struct fwa_decision decide_trial(const struct trial *t)
{
	return fwa_decide(&t->contract, &t->rights, t->profile, &t->cmd, t->now);
}

static bool lacks_a_grant(enum fwa_reason reason)
{
	return reason >= FWA_REASON_NO_GRANT && reason <= FWA_REASON_GRANT_EXPIRED;
}

/* The caller asked for more than @d says that it needs, and has what it needs. */
static bool asked_too_much(struct trial *t, const struct fwa_decision *d)
{
	uint8_t asked = t->cmd.scope;

	if (d->scope <= d->required)
		return false;
	t->cmd.scope = d->required;
	if (d->reason == FWA_REASON_LOCKDOWN || !lacks_a_grant(decide_trial(t).reason))
		return true;
	t->cmd.scope = asked;
	return false;
}

/* A right that is for every command, and never used up. */
static bool give(struct trial *t, const struct fwa_decision *d)
{
	t->rights = (struct fwa_rights){ .n_matched = 1, .n = 1 };
	t->rights.right[0] = (struct fwa_right){ .scope = d->scope, .effects = d->effects };
	t->contract.rate_over = t->contract.seats_over = 0;
	return true;
}

/* Who waits until others are done cannot abort what they had begun. */
static bool wait_for_others(struct trial *t)
{
	if (fwa_command_aborts(&t->cmd))
		return false;
	t->contract.leased = t->contract.firmware_leased = false;
	if (t->contract.transfer == FWA_TRANSFER_OTHER)
		t->contract.transfer = FWA_TRANSFER_NONE;
	return true;
}

/* Takes away what @d says is in the way, and notes it in @r. False when nothing can be done. */
static bool clear_the_way(struct trial *t, const struct fwa_decision *d, struct fwa_remedy *r)
{
	switch (d->reason) {
	case FWA_REASON_QUARANTINED:
		t->contract.quarantine = FWA_QUARANTINE_NONE;
		return r->release = true;
	case FWA_REASON_SCOPE_TOO_LOW:
		t->cmd.scope = d->required;
		return r->ask = true;
	case FWA_REASON_LOCKDOWN:
		return r->ask = asked_too_much(t, d);
	case FWA_REASON_NO_GRANT:
	case FWA_REASON_GRANT_SCOPE:
	case FWA_REASON_GRANT_EFFECTS:
	case FWA_REASON_GRANT_EXPIRED:
		if (asked_too_much(t, d))
			return r->ask = true;
		return r->grant = give(t, d);
	case FWA_REASON_DRIFT:
		t->contract.drift = NULL;
		return r->accept = true;
	case FWA_REASON_LEASE:
		return r->wait = wait_for_others(t);
	case FWA_REASON_RATE:
		t->contract.rate_over = t->contract.seats_over = 0;
		return r->wait = true;
	case FWA_REASON_JOURNAL:
		t->contract.journal = FWA_JOURNAL_OK;
		return r->wait = true;
	default:
		return false;
	}
}

/* More steps than can be in the way: each that was cleared is cleared for good. */
#define REMEDY_STEPS 8

/*= spec/SECURITY-MODEL.md#C30 */
struct fwa_remedy fwa_remedy(const struct fwa_contract *contract, const struct fwa_rights *rights,
			     const struct fwa_profile *profile, const struct fwa_command *cmd,
			     uint64_t now)
{
	struct trial t = { *contract, *rights, *cmd, profile, now };
	struct fwa_remedy remedy = { 0 };

	for (int i = 0; i < REMEDY_STEPS; i++) {
		struct fwa_decision d = decide_trial(&t);

		if (fwa_admitted(&d)) {
			remedy.possible = true;
			remedy.scope = d.scope;
			remedy.effects = d.effects;
			return remedy;
		}
		if (!clear_the_way(&t, &d, &remedy))
			break;
	}
	return (struct fwa_remedy){ 0 };
}

/*= spec/SECURITY-MODEL.md#C33 */
bool fwa_refused_by_advisory(const struct fwa_contract *contract, const struct fwa_rights *rights,
			     const struct fwa_profile *profile, const struct fwa_command *cmd,
			     uint64_t now)
{
	struct fwa_decision d = fwa_decide(contract, rights, profile, cmd, now), without;
	struct fwa_contract c = *contract;

	c.advisory = 0;
	without = fwa_decide(&c, rights, profile, cmd, now);
	return !fwa_admitted(&d) && d.reason != without.reason;
}
