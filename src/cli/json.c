/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is not known is null; text that is not UTF-8 is masked before it goes into an object.
 */
#include "cli/advice.h"
#include "cli/propose.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "base/uuid.h"
#include "cli/text.h"
#include "core/reason.h"
#include "core/status.h"
#include "core/transfer.h"

struct json_object *cli_json_begin(const struct cli *cli)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "format_version", json_object_new_int(1));
	json_object_object_add(o, "verb", cli_json_text(cli->verb ? cli->verb->name : NULL));
	return o;
}

void cli_json_end(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void cli_json_line(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

struct json_object *cli_json_text(const char *text)
{
	fwa_auto_free char *copy = text && *text ? strdup(text) : NULL;

	if (!copy)
		return NULL;
	cli_utf8(copy);
	return json_object_new_string(copy);
}

struct json_object *cli_json_hex(const uint8_t *data, size_t len)
{
	fwa_auto_free char *text = malloc(2 * len + 1);

	if (!text)
		return NULL;
	fwa_hex_text(data, len, text);
	return json_object_new_string_len(text, (int)(2 * len));
}

static struct json_object *names(uint32_t set, unsigned int count,
				 const char *(*name)(unsigned int bit))
{
	struct json_object *a = json_object_new_array();

	for (unsigned int bit = 0; bit < count; bit++) {
		if (set >> bit & 1)
			json_object_array_add(a, json_object_new_string(name(bit)));
	}
	return a;
}

struct json_object *cli_json_effects(fwa_effects effects)
{
	return names(effects, FWA_EFFECT_COUNT, fwa_effect_name);
}

struct json_object *cli_json_attributes(uint32_t attributes)
{
	return names(attributes, FWA_ATTR_COUNT, fwa_attribute_name);
}

struct json_object *cli_json_clause(unsigned int clause)
{
	char text[16];

	snprintf(text, sizeof(text), "C%u", clause);
	return json_object_new_string(text);
}

void cli_json_add_command(struct json_object *o, unsigned int set, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);
	char hex[CLI_OPCODE_TEXT];

	cli_opcode_hex(set, opcode, hex);
	json_object_object_add(o, "set", cli_json_text(fwa_set_name(set)));
	json_object_object_add(o, "opcode", json_object_new_int(opcode));
	json_object_object_add(o, "opcode_hex", json_object_new_string(hex));
	json_object_object_add(o, "name", cli_json_text(row ? row->name : NULL));
}

struct json_object *cli_json_source(const struct cli_subject *s)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_object_new_string(s->kind));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)s->source_len));
	json_object_object_add(o, "sha256", json_object_new_string(s->source_sha256));
	return o;
}

struct json_object *cli_json_device(const struct cli_subject *s)
{
	struct json_object *o;

	if (!s->identified)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "name", cli_json_text(s->name));
	json_object_object_add(o, "family", cli_json_text(fwa_family_name(s->profile->family)));
	json_object_object_add(o, "vendor", cli_json_text(s->profile->id.vendor));
	json_object_object_add(o, "model", cli_json_text(s->profile->id.model));
	json_object_object_add(o, "serial", cli_json_text(s->profile->id.serial));
	json_object_object_add(o, "firmware", cli_json_text(s->profile->id.firmware));
	return o;
}

struct json_object *cli_json_finding(const struct fwa_finding *f)
{
	struct json_object *o = json_object_new_object();
	char message[512];

	cli_finding_text(f, message, sizeof(message));
	json_object_object_add(o, "code", cli_json_text(fwa_finding_name(f->code)));
	json_object_object_add(o, "severity", cli_json_text(fwa_severity_name(f->severity)));
	if (f->has_opcode) {
		cli_json_add_command(o, f->set, f->opcode);
	} else {
		json_object_object_add(o, "set", cli_json_text(fwa_set_name(f->set)));
		json_object_object_add(o, "opcode", NULL);
		json_object_object_add(o, "opcode_hex", NULL);
		json_object_object_add(o, "name", NULL);
	}
	json_object_object_add(o, "clause", cli_json_clause(f->clause));
	json_object_object_add(o, "message", json_object_new_string(message));
	json_object_object_add(o, "declared", cli_json_effects(f->declared));
	json_object_object_add(o, "expected", cli_json_effects(f->expected));
	return o;
}

/* Did the device say anything? */
static bool answered(const struct fwa_gate_reply *r)
{
	return r->status == FWA_OUTCOME_COMPLETED || r->status == FWA_OUTCOME_DEVICE_ERROR ||
	       r->status == FWA_OUTCOME_UNDELIVERABLE;
}

struct json_object *cli_json_outcome(unsigned int set, const struct fwa_gate_reply *r, size_t bytes)
{
	struct json_object *o = json_object_new_object();
	bool code = answered(r);

	json_object_object_add(o, "status", cli_json_text(fwa_outcome_name(r->status)));
	json_object_object_add(o, "device_code",
			       code ? json_object_new_int64(r->device_code) : NULL);
	json_object_object_add(o, "device_status",
			       code ? cli_json_text(fwa_status_name(set, r->device_code)) : NULL);
	json_object_object_add(o, "device_result",
			       code ? json_object_new_int64(r->device_result) : NULL);
	json_object_object_add(
		o, "transport_error",
		r->transport_errno ? cli_json_text(strerrorname_np(r->transport_errno)) : NULL);
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)bytes));
	json_object_object_add(o, "duration_ns", json_object_new_int64((int64_t)r->duration_ns));
	json_object_object_add(o, "seq", r->seq ? json_object_new_int64((int64_t)r->seq) : NULL);
	return o;
}

static void add_uuid(struct json_object *o, const char *key, const uint8_t *uuid)
{
	char text[FWA_UUID_TEXT_LEN];

	fwa_uuid_text(uuid, text);
	json_object_object_add(o, key, json_object_new_string(text));
}

/* The log, Feature, page or structure, by number or by UUID. */
static void add_selected(struct json_object *o, const struct fwa_model_command *row,
			 const struct cli_verdict *v)
{
	static const char *const keys[] = {
		[FWA_SELECT_FID] = "fid",
		[FWA_SELECT_LID] = "lid",
		[FWA_SELECT_CNS] = "cns",
	};
	struct fwa_selector s = fwa_command_selector(row, v->cmd);

	if (s.uuid)
		add_uuid(o, "uuid", s.uuid);
	else if (s.kind == FWA_SELECT_FID || s.kind == FWA_SELECT_LID || s.kind == FWA_SELECT_CNS)
		json_object_object_add(o, keys[s.kind], json_object_new_int(s.value));
	else
		return;
	json_object_object_add(o, "name", cli_json_text(cli_selector_name(row, &s)));
	if (s.uuid && fwa_transfer_named(s.uuid) && v->contract->transfer == FWA_TRANSFER_OWN)
		add_uuid(o, "feature", v->contract->transfer_uuid);
}

/* Which of its operations the command asks for. */
static void add_operation(struct json_object *o, const struct fwa_model_command *row,
			  const struct fwa_command *cmd)
{
	uint16_t value;
	const struct fwa_operation *op = fwa_command_operation(row, cmd, &value);

	if (!op)
		return;
	json_object_object_add(o, "operation", json_object_new_int(value));
	json_object_object_add(o, "operation_name", json_object_new_string(op->name));
}

/* What selects beside all that, as filters of grants call it. */
static void add_numbers(struct json_object *o, const struct fwa_command *cmd)
{
	static const enum fwa_field numbers[] = { FWA_FIELD_LSP, FWA_FIELD_LSI, FWA_FIELD_SLOT,
						  FWA_FIELD_SEL, FWA_FIELD_SV,  FWA_FIELD_NSID };
	struct fwa_field_value value;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(numbers); i++)
		if (fwa_command_field(cmd, numbers[i], &value))
			json_object_object_add(o, fwa_field_name(numbers[i]),
					       json_object_new_int64(value.number));
}

static struct json_object *selector(const struct cli_verdict *v)
{
	const struct fwa_model_command *row = fwa_model_find(v->cmd->set, v->cmd->opcode);
	struct json_object *o = json_object_new_object();

	add_selected(o, row, v);
	add_operation(o, row, v->cmd);
	add_numbers(o, v->cmd);
	return o;
}

static const char *how(const struct fwa_remedy *r)
{
	if (r->release)
		return "an operator ends the quarantine";
	if (r->accept)
		return "an operator accepts the declarations";
	if (r->wait)
		return "waiting";
	return r->grant ? "an operator's grant" : "ask for the scope";
}

/* The grant, in parts and as an operator would type it. */
static struct json_object *proposal(const struct cli *cli, const struct cli_verdict *v)
{
	struct json_object *o = json_object_new_object();
	char text[CLI_PROPOSAL_TEXT];
	struct cli_proposal p;

	cli_propose(cli, v, &p);
	json_object_object_add(o, "user", cli_json_text(p.user));
	json_object_object_add(o, "device", cli_json_text(p.device));
	json_object_object_add(o, "commands", cli_json_text(p.commands));
	cli_proposal_policy(&p, text);
	json_object_object_add(o, "policy", cli_json_text(text));
	cli_proposal_command(&p, text);
	json_object_object_add(o, "command_line", cli_json_text(text));
	return o;
}

/* Adds "advice", what would pass in words, and "who" can see to it. */
static void add_advice(struct json_object *o, const struct cli_verdict *v)
{
	struct json_object *a = json_object_new_array();
	struct cli_advice advice = { .who = NULL };

	if (!fwa_admitted(&v->decision) && !v->recorded)
		cli_advise(v, &advice);
	for (size_t i = 0; i < advice.n; i++)
		json_object_array_add(a, cli_json_text(advice.pass[i]));
	json_object_object_add(o, "advice", a);
	json_object_object_add(o, "who", cli_json_text(advice.who));
}

static struct json_object *would_pass(const struct cli *cli, const struct cli_verdict *v)
{
	struct json_object *o;

	if (fwa_admitted(&v->decision) || !v->remedy.possible || v->stale || v->recorded)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(v->remedy.scope)));
	json_object_object_add(o, "effects", cli_json_effects(v->remedy.effects));
	json_object_object_add(o, "how", json_object_new_string(how(&v->remedy)));
	json_object_object_add(o, "grant", v->remedy.grant ? proposal(cli, v) : NULL);
	return o;
}

struct json_object *cli_json_decision(const struct cli *cli, const struct cli_verdict *v)
{
	const struct fwa_decision *d = &v->decision;
	struct json_object *o = json_object_new_object();
	const char *detail = fwa_detail_text(d->detail);
	fwa_effects accepted;
	char why[512];

	cli_verdict_why(v, why, sizeof(why));
	json_object_object_add(o, "verdict",
			       json_object_new_string(fwa_admitted(d) ? "admit" : "deny"));
	json_object_object_add(o, "reason", cli_json_text(fwa_reason_name(d->reason)));
	json_object_object_add(o, "clause", cli_json_clause(fwa_reason_clause(d->reason)));
	json_object_object_add(o, "detail", cli_json_text(detail));
	json_object_object_add(o, "why", cli_json_text(why));
	cli_json_add_command(o, d->set, d->opcode);
	json_object_object_add(o, "selector", selector(v));
	json_object_object_add(o, "declared_raw", json_object_new_int64(d->declared_raw));
	json_object_object_add(o, "declared", cli_json_effects(d->declared));
	json_object_object_add(o, "floor", cli_json_effects(d->floor));
	json_object_object_add(o, "advisory", cli_json_effects(d->advisory));
	json_object_object_add(o, "advisories",
			       v->recorded || !v->subject
				       ? json_object_new_array()
				       : cli_advised_json(v->subject, d->set, d->opcode));
	json_object_object_add(o, "effects", cli_json_effects(d->effects));
	json_object_object_add(o, "required_scope", cli_json_text(fwa_scope_name(d->required)));
	json_object_object_add(o, "required_because", cli_json_text(fwa_need_name(d->need)));
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(d->scope)));
	json_object_object_add(o, "grant", cli_json_text(v->grant));
	json_object_object_add(o, "ticket", cli_json_text(v->ticket));
	json_object_object_add(o, "accepted",
			       cli_verdict_accepted(v, &accepted) ? cli_json_effects(accepted)
								  : NULL);
	json_object_object_add(o, "state", cli_json_text(v->state));
	json_object_object_add(o, "would_pass", would_pass(cli, v));
	add_advice(o, v);
	return o;
}
