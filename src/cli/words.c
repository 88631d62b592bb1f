/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a payload's bytes mean is read from the model's rules, as the gate reads them; what they do not explain is
 * shown as it is.
 */
#include "cli/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"
#include "base/uuid.h"
#include "cli/document.h"
#include "cli/duration.h"
#include "cli/text.h"
#include "core/command.h"

#define EXPLAINED_MAX 64u

struct words {
	FILE *out;
	struct fwa_command cmd;
	size_t bytes;                  /* of data to show */
	bool explained[EXPLAINED_MAX]; /* bytes of the payload that were said in words */
	size_t data_at;                /* from there on they are data; SIZE_MAX: nothing is */
};

/* --- fields ------------------------------------------------------------------------------------- */

static void explain(struct words *w, size_t at, size_t n)
{
	for (size_t i = at; i < at + n && i < EXPLAINED_MAX; i++)
		w->explained[i] = true;
}

/* The number of @width bytes at @at, called @name. */
static void number(struct words *w, const char *name, size_t at, size_t width)
{
	const uint8_t *p = w->cmd.payload.data;
	uint64_t value = 0;

	if (at + width > w->cmd.payload.len)
		return;
	for (size_t i = width; i > 0; i--)
		value = value << 8 | p[at + i - 1];
	explain(w, at, width);
	fprintf(w->out, " %s=%" PRIu64, name, value);
}

static void rule(struct words *w, const struct fwa_rule *r)
{
	switch (r->kind) {
	case FWA_RULE_LOG_RANGE:
	case FWA_RULE_LSA_RANGE:
		number(w, "offset", r->at, 4);
		number(w, "length", r->at2, 4);
		break;
	case FWA_RULE_FEATURE_RANGE:
		number(w, "offset", r->at, 2);
		number(w, "length", r->at2, 2);
		break;
	case FWA_RULE_LSA_DATA:
	case FWA_RULE_FEATURE_DATA:
		number(w, "offset", r->at, r->kind == FWA_RULE_LSA_DATA ? 4 : 2);
		w->data_at = r->at2;
		break;
	case FWA_RULE_DPA:
		number(w, "address", r->at, 8);
		break;
	case FWA_RULE_DPA_RANGE:
		number(w, "address", r->at, 8);
		number(w, "lines", r->at2, 8);
		break;
	default:
		break;
	}
}

static void uuid_field(struct words *w, const struct fwa_model_command *row, const uint8_t *uuid)
{
	struct fwa_selector s = fwa_command_selector(row, &w->cmd);
	const char *name = cli_selector_name(row, &s);
	char text[FWA_UUID_TEXT_LEN];

	fwa_uuid_text(uuid, text);
	fprintf(w->out, " uuid=%s", name ? name : text);
	explain(w, 0, FWA_UUID_LEN);
}

static void fields(struct words *w, const struct fwa_model_command *row)
{
	for (unsigned int f = FWA_FIELD_LID; f < FWA_FIELD_COUNT; f++) {
		struct fwa_field_value v;

		if (!fwa_command_field(&w->cmd, (enum fwa_field)f, &v))
			continue;
		if (v.uuid)
			uuid_field(w, row, v.uuid);
		else if (f == FWA_FIELD_LID || f == FWA_FIELD_FID || f == FWA_FIELD_CNS)
			fprintf(w->out, " %s=%02xh", fwa_field_name(f), v.number);
		else if (v.number)
			fprintf(w->out, " %s=%u", fwa_field_name(f), v.number);
	}
}

static void hex(struct words *w, const char *name, size_t at)
{
	size_t n = w->cmd.payload.len - at;

	fprintf(w->out, " %s=", name);
	for (size_t i = 0; i < n && i < w->bytes; i++)
		fprintf(w->out, "%02x", w->cmd.payload.data[at + i]);
	if (n > w->bytes)
		fprintf(w->out, ".. (%zu bytes)", n);
}

/* What no word said, unless it is zero. */
static void payload(struct words *w)
{
	size_t len = w->cmd.payload.len, end = w->data_at < len ? w->data_at : len;

	for (size_t i = 0; i < end; i++) {
		if (w->cmd.payload.data[i] && (i >= EXPLAINED_MAX || !w->explained[i])) {
			hex(w, "payload", 0);
			return;
		}
	}
	if (w->data_at < len)
		hex(w, "data", w->data_at);
	else if (len && !w->explained[0])
		fprintf(w->out, " payload=%zu zero byte%s", len, len == 1 ? "" : "s");
}

static void dwords(struct words *w, struct json_object *step)
{
	struct json_object *list = cli_doc_list(step, "cdw");

	if (w->cmd.nsid)
		fprintf(w->out, " nsid=%u", w->cmd.nsid);
	for (size_t i = 0; i < 6 && i < cli_doc_list_length(list); i++)
		if (w->cmd.cdw[i])
			fprintf(w->out, " cdw%zu=0x%x", i + 10, w->cmd.cdw[i]);
}

/* --- steps -------------------------------------------------------------------------------------- */

static void command_words(struct words *w, struct json_object *step)
{
	const struct fwa_model_command *row = fwa_model_find(w->cmd.set, w->cmd.opcode);
	char name[96];

	cli_command_text(w->cmd.set, w->cmd.opcode, name, sizeof(name));
	fputs(name, w->out);
	fields(w, row);
	if (w->cmd.set != FWA_SET_CXL)
		dwords(w, step);
	for (size_t i = 0; row && i < row->n_rules; i++)
		rule(w, &row->rules[i]);
	payload(w);
}

static void command_step(FILE *out, struct json_object *step, size_t bytes)
{
	struct words w = { .out = out, .bytes = bytes, .data_at = SIZE_MAX };
	struct json_object *cdw = cli_doc_list(step, "cdw");
	unsigned int set;
	size_t len;
	fwa_auto_free uint8_t *data = cli_doc_hex(step, "payload", &len);

	if (!cli_doc_command(step, &set, &w.cmd.opcode)) {
		fputs("a command that is none", out);
		return;
	}
	w.cmd.set = (uint8_t)set;
	w.cmd.nsid = (uint32_t)cli_doc_number(step, "nsid");
	for (size_t i = 0; i < 6 && i < cli_doc_list_length(cdw); i++)
		w.cmd.cdw[i] = (uint32_t)json_object_get_uint64(json_object_array_get_idx(cdw, i));
	w.cmd.payload = fwa_span(data, len);
	command_words(&w, step);
}

char *cli_step_words(struct json_object *step, size_t bytes)
{
	const char *what = cli_doc_text(step, "do");
	uint64_t times = cli_doc_number(step, "times");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (strcmp(what, "command") == 0)
		command_step(out, step, bytes);
	else if (strcmp(what, "observe") == 0)
		fputs("read everything that can be observed", out);
	else if (strcmp(what, "settle") == 0)
		fputs("wait until no background work runs", out);
	else
		fprintf(out, "%.32s %.32s", cli_doc_text(step, "reset"), what);
	if (times > 1)
		fprintf(out, ", %" PRIu64 " times", times);
	return fclose(out) == 0 ? text : NULL;
}

char *cli_answer_words(struct json_object *step)
{
	struct json_object *a = cli_doc_object(step, "answer");
	const char *error = cli_doc_text(a, "error"), *status = cli_doc_text(a, "status");
	uint64_t bytes = cli_doc_number(a, "bytes");
	char *text = NULL, code[32];

	if (!a)
		return strdup("");
	snprintf(code, sizeof(code), "code %" PRIx64 "h", cli_doc_number(a, "code"));
	if (*error)
		return asprintf(&text, "no answer (%.32s)", error) < 0 ? NULL : text;
	if (bytes)
		return asprintf(&text, "%.64s, %" PRIu64 " byte%s", *status ? status : code, bytes,
				bytes == 1 ? "" : "s") < 0
			       ? NULL
			       : text;
	return asprintf(&text, "%.64s", *status ? status : code) < 0 ? NULL : text;
}

/* --- findings ----------------------------------------------------------------------------------- */

char *cli_change_words(struct json_object *change)
{
	const char *field = cli_doc_text(change, "field");
	uint64_t first = cli_doc_number(change, "first"), last = cli_doc_number(change, "last");
	char effects[CLI_EFFECTS_TEXT], where[64], *text;

	if (strcmp(field, "bytes") == 0)
		field = "";
	if (first == last)
		snprintf(where, sizeof(where), "byte %" PRIu64, first);
	else
		snprintf(where, sizeof(where), "bytes %" PRIu64 " to %" PRIu64, first, last);
	if (asprintf(&text, "%.96s%s%.48s, %s: %s%s", cli_doc_text(change, "observable"),
		     *field ? ": " : "", field, where,
		     cli_effects_text(cli_doc_effects(change, "effects") |
					      cli_doc_effects(change, "effect"),
				      0, " ", effects),
		     cli_doc_flag(change, "covered") ? " (declared)" : "") < 0)
		return NULL;
	return text;
}

char *cli_accused_words(struct json_object *finding)
{
	struct json_object *selector = cli_doc_object(finding, "selector");
	const char *selected = cli_doc_text(selector, "name");
	char name[96], *text;
	unsigned int set;
	uint16_t opcode;

	if (!cli_doc_command(finding, &set, &opcode))
		return strdup("the device");
	cli_command_text(set, opcode, name, sizeof(name));
	return asprintf(&text, "%s%s%.64s", name, *selected ? " of " : "", selected) < 0 ? NULL
											 : text;
}

char *cli_coverage_words(struct json_object *phase)
{
	uint64_t done = cli_doc_number(phase, "done"), planned = cli_doc_number(phase, "planned");
	const char *unit = cli_doc_text(phase, "unit");
	char *text;

	if (!planned && !done)
		return strdup("none");
	if (planned)
		return asprintf(&text, "%" PRIu64 " of %" PRIu64 " %.32s", done, planned, unit) < 0
			       ? NULL
			       : text;
	return asprintf(&text, "%" PRIu64 " %.32s", done, unit) < 0 ? NULL : text;
}

char *cli_verdict_words(struct json_object *doc)
{
	size_t accusing = cli_document_accusing(doc), n = cli_document_findings(doc) - accusing;
	char *text;

	if (accusing && n)
		return asprintf(&text, "%zu finding%s and %zu note%s", accusing,
				accusing == 1 ? "" : "s", n, n == 1 ? "" : "s") < 0
			       ? NULL
			       : text;
	if (accusing)
		return asprintf(&text, "%zu finding%s", accusing, accusing == 1 ? "" : "s") < 0
			       ? NULL
			       : text;
	if (n)
		return asprintf(&text, "no finding, %zu note%s", n, n == 1 ? "" : "s") < 0 ? NULL
											   : text;
	return strdup("no finding");
}

const char *cli_phase_words(const char *phase)
{
	static const struct {
		const char *name, *text;
	} phases[] = {
		{ "valid", "every command, selector and operation, well-formed" },
		{ "boundary", "at the edges of ranges and lengths" },
		{ "malformed", "too short, too long, out of range, reserved" },
		{ "reset", "what waits for a reset: not before it, and then" },
		{ "vendor", "vendor commands: which lengths they take, then values" },
		{ "repeat", "each read, many times over" },
		{ "pairs", "each read after each read and each write" },
		{ "triples", "three reads in a row" },
		{ "triggers", "ordinary data that carries commands and magic values" },
		{ "sweep", "opcodes that are not declared" },
		{ "random", "random inputs, until the budget ends" },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(phases); i++)
		if (strcmp(phase, phases[i].name) == 0)
			return phases[i].text;
	return "";
}

char *cli_budget_words(struct json_object *doc)
{
	struct json_object *b = cli_doc_object(doc, "budget");
	uint64_t ms = cli_doc_number(b, "ms"), commands = cli_doc_number(b, "commands");
	char time[CLI_DURATION_TEXT], *text;

	if (!ms && !commands)
		return strdup("no limit");
	if (!ms)
		return asprintf(&text, "%" PRIu64 " commands", commands) < 0 ? NULL : text;
	if (ms % 1000)
		snprintf(time, sizeof(time), "%" PRIu64 " ms", ms);
	else
		cli_duration_text((int64_t)(ms / 1000 > INT32_MAX ? INT32_MAX : ms / 1000), time);
	if (!commands)
		return strdup(time);
	return asprintf(&text, "%s or %" PRIu64 " commands", time, commands) < 0 ? NULL : text;
}
