/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words for a decision: its codes, and for a refusal what would pass (C30).
 */
#include "cli/decision.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/duration.h"
#include "cli/state.h"
#include "cli/text.h"
#include "cli/varlink.h"
#include "core/reason.h"

/*
 * What would still be in the way if all that can be taken away was: quarantine, drift, what others do,
 * and the want of a grant.
 */
static struct fwa_decision last_obstacle(const struct cli_subject *s, const struct fwa_command *cmd)
{
	struct fwa_contract contract = { .mode = s->contract.mode,
					 .lockdown = s->contract.lockdown,
					 .advisory = s->contract.advisory };
	struct fwa_rights all = { .n_matched = 1, .n = 1 };
	struct fwa_command asked = *cmd;
	struct fwa_decision d;

	if (s->contract.transfer == FWA_TRANSFER_OWN) {
		contract.transfer = FWA_TRANSFER_OWN;
		memcpy(contract.transfer_uuid, s->contract.transfer_uuid,
		       sizeof(contract.transfer_uuid));
	}
	all.right[0] = (struct fwa_right){ .scope = FWA_SCOPE_DEBUG_WRITE_FULL,
					   .effects = FWA_EFFECTS_GRANTABLE };
	d = fwa_decide(&contract, &all, s->profile, &asked, s->now);
	if (d.reason == FWA_REASON_SCOPE_TOO_LOW) {
		asked.scope = FWA_SCOPE_LEAST;
		d = fwa_decide(&contract, &all, s->profile, &asked, s->now);
	}
	return d;
}

struct cli_verdict cli_verdict_of(struct cli_subject *s, const struct fwa_command *cmd,
				  const char *user)
{
	struct cli_verdict v = { .cmd = cmd, .contract = &s->contract, .subject = s, .user = user };

	v.entry = cli_advised_contract(s, cmd);
	v.decision = fwa_decide(&s->contract, &s->rights, s->profile, cmd, s->now);
	v.remedy = fwa_remedy(&s->contract, &s->rights, s->profile, cmd, s->now);
	v.last = last_obstacle(s, cmd);
	for (uint32_t i = 0; i < s->rights.n; i++) {
		if (s->rights.right[i].grant + 1 != v.decision.grant)
			continue;
		v.grant = s->grant_names[i];
		v.ticket = s->tickets[i];
	}
	return v;
}

void cli_verdict_ask(const struct cli *cli, struct cli_verdict *v)
{
	struct json_object *device = NULL, *lease;
	char baseline[CLI_MEMBER_TEXT];

	if (!v->subject->client || v->subject->embedded)
		return;
	if (v->decision.reason == FWA_REASON_QUARANTINED || v->decision.reason == FWA_REASON_LEASE)
		device = cli_state_of(cli, v->subject->name);
	lease = cli_member_object(device, "lease");
	if (v->decision.reason == FWA_REASON_QUARANTINED)
		cli_quarantine_text(device, v->state, sizeof(v->state));
	else if (lease && v->decision.reason == FWA_REASON_LEASE)
		cli_lease_text(lease, v->state, sizeof(v->state));
	v->pinned = strcmp(cli_member(device, "baseline", "", baseline), "pinned") == 0;
	json_object_put(device);
}

bool cli_verdict_accepted(const struct cli_verdict *v, fwa_effects *ret)
{
	const struct fwa_drift *drift = v->contract->drift;
	struct fwa_contract contract = *v->contract;
	struct fwa_decision before;

	if (v->decision.detail != FWA_DETAIL_LOST_EFFECT || !drift || !drift->baseline)
		return false;
	contract.drift = NULL;
	before = fwa_decide(&contract, &v->subject->rights, drift->baseline, v->cmd,
			    v->subject->now);
	*ret = before.declared;
	return true;
}

/* --- why ------------------------------------------------------------------------------------ */

/* The grant that would cover the command and has ended. */
static void why_expired(const struct cli_verdict *v, char *text, size_t size)
{
	const struct cli_subject *s = v->subject;
	const struct fwa_decision *d = &v->decision;
	char span[CLI_DURATION_TEXT];

	snprintf(text, size, "the grant that would cover it has ended");
	for (uint32_t i = 0; i < s->rights.n; i++) {
		const struct fwa_right *r = &s->rights.right[i];

		if (!r->until || s->now < r->until || r->scope < d->scope ||
		    d->effects & ~r->effects || !fwa_filter_covers(r->filter, v->cmd, NULL))
			continue;
		/* the clock that ends grants begins at boot */
		if (r->until < FWA_NS_PER_S)
			snprintf(text, size,
				 "grant \"%s\" would cover it, and ended before this machine was "
				 "started",
				 s->grant_names[i]);
		else
			snprintf(text, size, "grant \"%s\" would cover it, and ended %s ago",
				 s->grant_names[i],
				 cli_duration_text((int64_t)((s->now - r->until) / FWA_NS_PER_S),
						   span));
		return;
	}
}

/* Why, but for advisories. */
static void why(const struct cli_verdict *v, char *text, size_t size)
{
	const struct fwa_decision *d = &v->decision;
	const char *needs = fwa_scope_name(d->required), *asked = fwa_scope_name(d->scope);
	const char *ticket = v->ticket && *v->ticket ? v->ticket : NULL;
	char effects[CLI_EFFECTS_TEXT];
	const char *list = cli_effects_text(d->effects, 0, ", ", effects);

	if (*fwa_detail_text(d->detail)) {
		snprintf(text, size, "%s", fwa_detail_text(d->detail));
		return;
	}
	switch (d->reason) {
	case FWA_REASON_QUARANTINED:
		snprintf(text, size, "the device is quarantined: nothing is sent to it");
		break;
	case FWA_REASON_SCOPE_TOO_LOW:
		snprintf(text, size, "it needs scope %s, %s was asked for", needs, asked);
		break;
	case FWA_REASON_LOCKDOWN:
		snprintf(text, size, "the kernel is locked down: no %s", needs);
		break;
	case FWA_REASON_NO_GRANT:
		snprintf(text, size, "no grant is for this user on this device");
		break;
	case FWA_REASON_GRANT_SCOPE:
		snprintf(text, size, "no grant of this user reaches scope %s", asked);
		break;
	case FWA_REASON_GRANT_EFFECTS:
		snprintf(text, size, "no grant of this user covers %s at scope %s", list, asked);
		break;
	case FWA_REASON_GRANT_EXPIRED:
		why_expired(v, text, size);
		break;
	case FWA_REASON_DRIFT:
		snprintf(text, size, "the device's declaration of it is not the accepted one");
		break;
	case FWA_REASON_LEASE:
		snprintf(text, size, "a background operation of another session is running");
		break;
	case FWA_REASON_RATE:
		snprintf(text, size, "the grant's rate is used up for now");
		break;
	case FWA_REASON_ADMIT:
		snprintf(text, size, "grant \"%s\"%s%s%s covers scope %s and its effects",
			 v->grant ? v->grant : "", ticket ? " (ticket " : "", ticket ? ticket : "",
			 ticket ? ")" : "", asked);
		cli_one_line(text); /* the ticket is an operator's free text */
		break;
	default:
		snprintf(text, size, "%s", fwa_reason_name(d->reason));
		break;
	}
}

/*= spec/SECURITY-MODEL.md#C33 */
void cli_verdict_why(const struct cli_verdict *v, char *text, size_t size)
{
	const struct fwa_decision *d = &v->decision;
	char advised[CLI_ADVISED_TEXT];
	size_t len;

	why(v, text, size);
	if (fwa_admitted(d) || !fwa_advised_alone(d))
		return;
	cli_advised_text(v->recorded ? NULL : v->subject, v->entry, fwa_advised_alone(d), advised);
	len = d->detail == FWA_DETAIL_ADVISORY ? 0 : strlen(text);
	snprintf(text + len, size - len, "%s%s", len ? "; " : "", advised);
}

const char *cli_user_name(void)
{
	static char number[16];
	const struct passwd *pw = getpwuid(geteuid());

	snprintf(number, sizeof(number), "%u", geteuid());
	return pw ? pw->pw_name : number;
}
