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
#include "cli/text.h"
#include "core/reason.h"
#include "core/transfer.h"

struct cli_verdict cli_verdict_of(const struct cli_subject *s, const struct fwa_command *cmd)
{
	struct cli_verdict v = { .cmd = cmd, .contract = &s->contract };

	v.decision = fwa_decide(&s->contract, &s->rights, s->profile, cmd, s->now);
	v.remedy = fwa_remedy(&s->contract, &s->rights, s->profile, cmd, s->now);
	for (uint32_t i = 0; i < s->rights.n; i++) {
		if (s->rights.right[i].grant + 1 != v.decision.grant)
			continue;
		v.grant = s->grant_names[i];
		v.ticket = s->tickets[i];
	}
	return v;
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
		snprintf(text, size, "the grant that would cover it has ended");
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

const char *cli_verdict_next(const struct cli_verdict *v)
{
	switch (v->decision.reason) {
	case FWA_REASON_QUARANTINED:
		return "nothing passes until an operator ends the quarantine";
	case FWA_REASON_DRIFT:
		return "it passes once an operator accepts the new declaration";
	case FWA_REASON_LEASE:
	case FWA_REASON_RATE:
		return v->remedy.possible ? "it may pass later"
					  : "only whoever began that work, and root, may end it";
	default:
		break;
	}
	if (v->remedy.grant)
		return "a grant is missing, `fwadmit explain` shows it";
	if (v->remedy.ask)
		return "it passes with a greater --scope";
	switch (v->decision.reason) {
	case FWA_REASON_MALFORMED:
	case FWA_REASON_PAYLOAD_SHAPE:
		return "no grant helps, other bytes or lengths may";
	case FWA_REASON_UNDECLARED:
		if (v->decision.detail == FWA_DETAIL_NO_TRANSFER ||
		    v->decision.detail == FWA_DETAIL_TRANSFER_OF_OTHER)
			return "no grant helps, the UUID of the Feature itself may";
		return "no grant helps, the device would have to declare it";
	case FWA_REASON_RESERVED_BITS:
		return "no grant helps, the device would have to declare it in defined bits";
	case FWA_REASON_LOCKDOWN:
		return "no grant helps while the kernel is locked down";
	default:
		return "no grant can allow it, not even root's";
	}
}

const char *cli_user_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "this user";
}

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

/* A file that an operator can paste: the narrowest grant that is enough. */
static void print_grant(const struct cli_subject *s, const struct cli_verdict *v, const char *user)
{
	const struct fwa_model_command *row = fwa_model_find(v->decision.set, v->decision.opcode);
	char effects[CLI_EFFECTS_TEXT], name[CLI_OPCODE_TEXT];

	cli_opcode_hex(v->decision.set, v->decision.opcode, name);
	printf("\n# /etc/fwadmit/policy.d/60-%s.conf\n", row ? row->name : name);
	printf("[grant %.28s-%.16s]\n", row ? row->name : name, user);
	printf("user = %s\n", user);
	printf("device = %s\n", s->name);
	printf("scope = %s\n", fwa_scope_name(v->remedy.scope));
	/* also "none": without the line a grant reaches every effect of its scope */
	printf("effects = %s\n", cli_effects_text(v->remedy.effects, 0, ", ", effects));
}

static void print_remedy(const struct cli_subject *s, const struct cli_verdict *v, const char *user)
{
	char text[128];
	const struct fwa_remedy *r = &v->remedy;

	if (!r->possible || r->release || r->accept || r->wait)
		print_field("would pass", cli_verdict_next(v));
	if (!r->possible || !(r->grant || r->ask))
		return;
	if (!r->grant) {
		snprintf(text, sizeof(text), "with --scope=%s: this user's grants are enough",
			 fwa_scope_name(v->remedy.scope));
		print_field("would pass", text);
	} else {
		print_field("would pass", "with an operator's grant such as this:");
		print_grant(s, v, user);
	}
}

/*= spec/SECURITY-MODEL.md#C30 */
void cli_print_verdict(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_verdict *v, const char *user)
{
	const struct fwa_decision *d = &v->decision;
	bool admitted = fwa_admitted(d);
	const char *on = cli->color ? (admitted ? "\033[32m" : "\033[31m") : "";
	const char *off = cli->color ? "\033[0m" : "";
	char command[96], text[512];

	cli_command_text(d->set, d->opcode, command, sizeof(command));
	printf("%s on %s for %s: %s%s%s\n", command, s->name, user, on,
	       admitted ? "would be admitted" : "would be refused", off);
	snprintf(text, sizeof(text), "%s (C%u)", fwa_reason_name(d->reason),
		 fwa_reason_clause(d->reason));
	print_field("reason", text);
	cli_verdict_why(v, text, sizeof(text));
	print_field("why", text);
	print_selector(v->cmd);
	print_operation(v);
	print_effects(d);
	if (!admitted)
		print_remedy(s, v, user);
}
