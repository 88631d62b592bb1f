/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page that explain prints (C30).
 */
#include <stdio.h>

#include "base/units.h"
#include "base/uuid.h"
#include "cli/advice.h"
#include "cli/duration.h"
#include "cli/propose.h"
#include "cli/text.h"
#include "core/reason.h"
#include "core/record.h"
#include "core/transfer.h"

void cli_print_field(const char *name, const char *value)
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
	cli_print_field(what, text);
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
		cli_print_field("in transfer", text);
	}
	if (!op)
		return;
	snprintf(text, sizeof(text), "%s (%xh)", op->name, value);
	cli_print_field("operation", text);
}

static void print_effects(const struct cli_verdict *v)
{
	const struct fwa_decision *d = &v->decision;
	char advised[CLI_ADVISED_TEXT];
	char effects[CLI_EFFECTS_TEXT], text[CLI_EFFECTS_TEXT + 64];
	bool listed = d->reason != FWA_REASON_UNDECLARED && d->reason != FWA_REASON_MALFORMED &&
		      d->reason != FWA_REASON_QUARANTINED;

	if (!listed)
		return;
	snprintf(text, sizeof(text), d->set == FWA_SET_CXL ? "%s (raw %04xh)" : "%s (raw %08xh)",
		 cli_effects_text(d->declared, 0, ", ", effects), d->declared_raw);
	cli_print_field("declares", text);
	if (d->floor & ~d->declared) {
		snprintf(text, sizeof(text), "%s (C7)",
			 cli_effects_text(d->floor & ~d->declared, 0, ", ", effects));
		cli_print_field("floor adds", text);
	}
	if (d->advisory) {
		cli_advised_text(v->recorded ? NULL : v->subject, v->entry, d->advisory, advised);
		cli_print_field("advisory", advised);
	}
	cli_print_field("effects", cli_effects_text(d->effects, 0, ", ", effects));
	if (d->required == FWA_SCOPE_NEVER) {
		snprintf(text, sizeof(text), "none is enough (C%u)", cli_need_clause(d));
		cli_print_field("needs scope", text);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s (C%u)", fwa_scope_name(d->required),
		 fwa_need_name(d->need), cli_need_clause(d));
	cli_print_field("needs scope", text);
	cli_print_field("asked for", fwa_scope_name(d->scope));
}

/* What the operator accepted, where the device declares something else now. */
static void print_drift(const struct cli_verdict *v)
{
	char text[CLI_EFFECTS_TEXT];
	fwa_effects before;

	if (!cli_verdict_accepted(v, &before))
		return;
	cli_print_field("accepted", cli_effects_text(before, 0, ", ", text));
	cli_print_field("lost", cli_effects_text(before & ~v->decision.declared, 0, ", ", text));
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
			cli_duration_text((int64_t)((r->until - v->subject->now) / FWA_NS_PER_S),
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
		cli_print_field("limits", text + 2);
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
		cli_print_field(i ? "and" : "would pass", a.pass[i]);
	cli_print_field("who can", a.who);
	if (v->remedy.possible && v->remedy.grant)
		print_proposal(cli, v);
}

static void print_caller(const struct fwa_caller *c)
{
	char text[512];

	snprintf(text, sizeof(text), "uid %u, gid %u%s%s%s%s", c->uid, c->gid,
		 c->unit[0] ? ", unit " : "", c->unit, c->label[0] ? ", label " : "", c->label);
	cli_print_field("as", text);
}

static void print_reason(const struct cli_verdict *v)
{
	const struct fwa_decision *d = &v->decision;
	char text[512];

	snprintf(text, sizeof(text), "%s (C%u)", fwa_reason_name(d->reason),
		 fwa_reason_clause(d->reason));
	cli_print_field("reason", text);
	cli_verdict_why(v, text, sizeof(text));
	cli_print_field("why", text);
}

void cli_print_recorded(const struct cli_verdict *v)
{
	print_reason(v);
	print_selector(v->cmd);
	print_operation(v);
	print_effects(v);
}

bool cli_verdict_records_payload(const struct cli_verdict *v)
{
	return fwa_admitted(&v->decision) && v->cmd->payload.len &&
	       v->cmd->payload.len <= FWA_RECORD_PAYLOAD_MAX &&
	       v->subject->rights.right[v->decision.right].record_payload;
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
	if (v->subject->as_caller)
		print_caller(&v->subject->caller);
	print_reason(v);
	if (*v->state)
		cli_print_field(d->reason == FWA_REASON_LEASE ? "running" : "quarantine", v->state);
	print_selector(v->cmd);
	print_operation(v);
	if (v->parts > 1) {
		snprintf(text, sizeof(text), "%zu, of which this is the first", v->parts);
		cli_print_field("in parts", text);
	}
	print_effects(v);
	print_drift(v);
	if (cli_verdict_records_payload(v))
		cli_print_field("payload", "will be in the journal, by that grant");
	if (admitted)
		print_limits(v);
	else
		print_advice(cli, v);
}
