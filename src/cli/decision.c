/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words for a decision: its codes, and for a refusal what would pass (C30).
 */
#include "cli/decision.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/uuid.h"
#include "cli/advice.h"
#include "cli/duration.h"
#include "cli/propose.h"
#include "cli/state.h"
#include "cli/text.h"
#include "cli/varlink.h"
#include "core/reason.h"
#include "core/transfer.h"

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

/* A greater scope than is needed may be all that is wrong. */
static void try_less(const struct cli_subject *s, struct cli_verdict *v)
{
	struct fwa_command least = *v->cmd;
	struct fwa_remedy r;

	if (fwa_admitted(&v->decision) || v->decision.scope <= v->decision.required)
		return;
	least.scope = FWA_SCOPE_LEAST;
	r = fwa_remedy(&s->contract, &s->rights, s->profile, &least, s->now);
	if (!r.possible || (v->remedy.possible && v->remedy.grant == r.grant))
		return;
	v->remedy = r;
	v->remedy.ask = true;
}

struct cli_verdict cli_verdict_of(const struct cli_subject *s, const struct fwa_command *cmd,
				  const char *user)
{
	struct cli_verdict v = { .cmd = cmd, .contract = &s->contract, .subject = s, .user = user };

	v.decision = fwa_decide(&s->contract, &s->rights, s->profile, cmd, s->now);
	v.remedy = fwa_remedy(&s->contract, &s->rights, s->profile, cmd, s->now);
	v.last = last_obstacle(s, cmd);
	try_less(s, &v);
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

	if (!v->subject->client || v->subject->embedded)
		return;
	if (v->decision.reason == FWA_REASON_QUARANTINED || v->decision.reason == FWA_REASON_LEASE)
		device = cli_state_of(cli, v->subject->name);
	lease = cli_member_object(device, "lease");
	if (v->decision.reason == FWA_REASON_QUARANTINED)
		cli_member(device, "quarantine", "", v->state);
	else if (lease)
		cli_lease_text(lease, v->state, sizeof(v->state));
	json_object_put(device);
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
		snprintf(text, size, "grant \"%s\" would cover it, and ended %s ago",
			 s->grant_names[i],
			 cli_duration_text((int64_t)((s->now - r->until) / 1000000000), span));
		return;
	}
}

void cli_verdict_why(const struct cli_verdict *v, char *text, size_t size)
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

const char *cli_user_name(void)
{
	static char number[16];
	const struct passwd *pw = getpwuid(geteuid());

	snprintf(number, sizeof(number), "%u", geteuid());
	return pw ? pw->pw_name : number;
}

/* --- the page ------------------------------------------------------------------------------- */

static void print_field(const char *name, const char *value)
{
	printf("  %-12s %s\n", name, value);
}

/* The log, Feature, page or structure that the command selects, when it selects one. */
static void print_selector(const struct fwa_command *cmd)
{
	static const char *const names[] = {
		[FWA_SELECT_FID] = "feature",
		[FWA_SELECT_LID] = "log page",
		[FWA_SELECT_CNS] = "structure",
	};
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	struct fwa_selector s = fwa_command_selector(row, cmd);
	const char *name = cli_selector_name(row, &s), *what;
	char value[FWA_UUID_TEXT_LEN], text[128];

	if (s.uuid) {
		what = s.kind == FWA_SELECT_LOG_UUID ? "log" : "feature";
		fwa_uuid_text(s.uuid, value);
	} else if (s.kind == FWA_SELECT_FID || s.kind == FWA_SELECT_LID ||
		   s.kind == FWA_SELECT_CNS) {
		what = names[s.kind];
		snprintf(value, sizeof(value), "%02xh", s.value);
	} else {
		return;
	}
	snprintf(text, sizeof(text), "%s%s%s%s", name ? name : "", name ? " (" : "", value,
		 name ? ")" : "");
	print_field(what, text);
}

/* What the command is told to do, and whose transfer of a Feature it goes on with. */
static void print_operation(const struct cli_verdict *v)
{
	const struct fwa_model_command *row = fwa_model_find(v->cmd->set, v->cmd->opcode);
	uint16_t value;
	const struct fwa_operation *op = fwa_command_operation(row, v->cmd, &value);
	struct fwa_selector s = fwa_command_selector(row, v->cmd);
	char text[128];

	if (s.uuid && fwa_transfer_named(s.uuid) && v->contract->transfer == FWA_TRANSFER_OWN) {
		fwa_uuid_text(v->contract->transfer_uuid, text);
		print_field("in transfer", text);
	}
	if (!op)
		return;
	snprintf(text, sizeof(text), "%s (%xh)", op->name, value);
	print_field("operation", text);
}

static void print_effects(const struct fwa_decision *d)
{
	char effects[CLI_EFFECTS_TEXT], text[CLI_EFFECTS_TEXT + 64];
	bool listed = d->reason != FWA_REASON_UNDECLARED && d->reason != FWA_REASON_MALFORMED &&
		      d->reason != FWA_REASON_QUARANTINED;

	if (!listed)
		return;
	snprintf(text, sizeof(text), d->set == FWA_SET_CXL ? "%s (raw %04xh)" : "%s (raw %08xh)",
		 cli_effects_text(d->declared, 0, ", ", effects), d->declared_raw);
	print_field("declares", text);
	if (d->floor & ~d->declared) {
		snprintf(text, sizeof(text), "%s (C7)",
			 cli_effects_text(d->floor & ~d->declared, 0, ", ", effects));
		print_field("floor adds", text);
	}
	if (d->advisory)
		print_field("advisory", cli_effects_text(d->advisory, 0, ", ", effects));
	print_field("effects", cli_effects_text(d->effects, 0, ", ", effects));
	if (d->required == FWA_SCOPE_NEVER) {
		snprintf(text, sizeof(text), "none is enough (C%u)", cli_need_clause(d));
		print_field("needs scope", text);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s (C%u)", fwa_scope_name(d->required),
		 fwa_need_name(d->need), cli_need_clause(d));
	print_field("needs scope", text);
	print_field("asked for", fwa_scope_name(d->scope));
}

/* What the grant that admits sets besides scope and effects. */
static void print_limits(const struct cli_verdict *v)
{
	const struct fwa_right *r = &v->subject->rights.right[v->decision.right];
	char text[128] = "", span[CLI_DURATION_TEXT];
	size_t len = 0;

	if (r->until)
		len += (size_t)snprintf(
			text, sizeof(text), ", it ends in %s",
			cli_duration_text((int64_t)((r->until - v->subject->now) / 1000000000),
					  span));
	if (r->commands)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", %u commands a second",
					r->commands);
	if (r->bytes)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", %llu bytes a second",
					(unsigned long long)r->bytes);
	if (r->sessions)
		snprintf(text + len, sizeof(text) - len, ", %u sessions at a time", r->sessions);
	if (*text)
		print_field("limits", text + 2);
}

static void print_proposal(const struct cli *cli, const struct cli_verdict *v)
{
	struct cli_proposal p;
	char text[CLI_PROPOSAL_TEXT];

	cli_propose(cli, v, &p);
	cli_proposal_command(&p, text);
	printf("\nFor an hour, where fwadmitd runs:\n%s\n", text);
	cli_proposal_policy(&p, text);
	printf("\nFor good, in a policy file:\n%s", text);
}

static void print_advice(const struct cli *cli, const struct cli_verdict *v)
{
	struct cli_advice a;

	cli_advise(v, &a);
	for (size_t i = 0; i < a.n; i++)
		print_field(i ? "and" : "would pass", a.pass[i]);
	print_field("who can", a.who);
	if (v->remedy.possible && v->remedy.grant)
		print_proposal(cli, v);
}

/*= spec/SECURITY-MODEL.md#C30 */
void cli_print_verdict(const struct cli *cli, const struct cli_verdict *v)
{
	const struct fwa_decision *d = &v->decision;
	bool admitted = fwa_admitted(d);
	const char *on = cli->color ? (admitted ? "\033[32m" : "\033[31m") : "";
	const char *off = cli->color ? "\033[0m" : "";
	char command[96], text[512];

	cli_command_text(d->set, d->opcode, command, sizeof(command));
	printf("%s on %s for %s: %s%s%s\n", command, v->subject->name, v->user, on,
	       admitted ? "would be admitted" : "would be refused", off);
	snprintf(text, sizeof(text), "%s (C%u)", fwa_reason_name(d->reason),
		 fwa_reason_clause(d->reason));
	print_field("reason", text);
	cli_verdict_why(v, text, sizeof(text));
	print_field("why", text);
	if (*v->state)
		print_field(d->reason == FWA_REASON_LEASE ? "running" : "quarantine", v->state);
	print_selector(v->cmd);
	print_operation(v);
	print_effects(d);
	if (admitted)
		print_limits(v);
	else
		print_advice(cli, v);
}
