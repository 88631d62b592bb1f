/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit effects: what a device declares, and what the gate makes of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/findings.h"
#include "cli/table.h"
#include "cli/text.h"
#include "core/reason.h"

static struct json_object *json_command(const struct cli_subject *s, const struct fwa_decision *d)
{
	const struct fwa_model_command *row = fwa_model_find(d->set, d->opcode);
	struct json_object *o = json_object_new_object();

	cli_json_add_command(o, d->set, d->opcode);
	json_object_object_add(o, "title", cli_json_text(row ? row->title : NULL));
	json_object_object_add(o, "vendor",
			       json_object_new_boolean(cli_is_vendor(d->set, d->opcode)));
	json_object_object_add(o, "declared_raw", json_object_new_int64(d->declared_raw));
	json_object_object_add(o, "declared", cli_json_effects(d->declared));
	json_object_object_add(o, "attributes", cli_json_attributes(d->attributes));
	json_object_object_add(o, "floor", cli_json_effects(d->floor));
	json_object_object_add(o, "advisory", cli_json_effects(d->advisory));
	json_object_object_add(o, "advisories", cli_advised_json(s, d->set, d->opcode));
	json_object_object_add(o, "effects", cli_json_effects(d->effects));
	json_object_object_add(o, "required_scope", cli_json_text(fwa_scope_name(d->required)));
	json_object_object_add(o, "reason", cli_json_text(fwa_need_name(d->need)));
	json_object_object_add(o, "clause", cli_json_clause(cli_need_clause(d)));
	return o;
}

static void print_json(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_findings *findings)
{
	struct json_object *o = cli_json_begin(cli), *commands = json_object_new_array();
	struct fwa_decision d;
	unsigned int set = 0;
	int32_t opcode = -1;

	while (fwa_profile_next(s->profile, &set, &opcode)) {
		if (!fwa_opcode_effects(s->profile, set, (uint16_t)opcode, &d))
			continue;
		cli_advised_opcode(s, &d);
		json_object_array_add(commands, json_command(s, &d));
	}
	json_object_object_add(o, "source", cli_json_source(s));
	json_object_object_add(o, "device", cli_json_device(s));
	json_object_object_add(o, "profile_digest", json_object_new_string(s->digest));
	json_object_object_add(o, "commands", commands);
	json_object_object_add(o, "findings", cli_json_findings(findings));
	cli_json_end(o);
}

static const char *scope_color(unsigned int scope)
{
	return scope == FWA_SCOPE_NEVER              ? "red"
	       : scope == FWA_SCOPE_DEBUG_WRITE_FULL ? "yellow"
						     : NULL;
}

/* With --verbose two more: the raw declaration, and what it says besides effects. */
static size_t columns(const struct cli *cli)
{
	return cli_given(&cli->args, CLI_OPT_VERBOSE) ? 7 : 5;
}

static void add_row(const struct cli *cli, struct libscols_table *t, const struct fwa_decision *d)
{
	char opcode[CLI_OPCODE_TEXT], effects[CLI_EFFECTS_TEXT], raw[16], attributes[256];
	const char *cells[] = { opcode,
				cli_command_name(d->set, d->opcode),
				fwa_scope_name(d->required),
				fwa_need_name(d->need),
				"-",
				raw,
				cli_attributes_text(d->attributes, attributes,
						    sizeof(attributes)) };

	cli_opcode_word(d->set, d->opcode, opcode);
	if (d->effects)
		cells[4] = cli_effects_text(d->effects, d->effects & ~d->declared, " ", effects);
	snprintf(raw, sizeof(raw), d->set == FWA_SET_CXL ? "%04xh" : "%08xh", d->declared_raw);
	cli_table_add(t, cells, columns(cli), 2, scope_color(d->required));
}

static void print_totals(const size_t *by_scope, bool added, const struct cli_findings *f)
{
	size_t total = 0;
	char text[96];

	for (unsigned int scope = 0; scope <= FWA_SCOPE_NEVER; scope++)
		total += by_scope[scope];
	printf("%zu command%s", total, total == 1 ? "" : "s");
	for (unsigned int scope = 0, n = 0; scope <= FWA_SCOPE_NEVER; scope++) {
		if (by_scope[scope])
			printf("%s %zu %s", n++ ? "," : ":", by_scope[scope],
			       fwa_scope_name(scope));
	}
	cli_findings_summary(f, text, sizeof(text));
	printf("; %s\n", text);
	if (added)
		puts("+effect: added by the specification's floor, the device does not declare it "
		     "(C7)");
}

/* One line an entry: which advisory adds what to which command. */
static void print_advisory(const struct fwa_advisory *e, void *userdata)
{
	const struct fwa_decision *d = userdata;
	char effects[CLI_EFFECTS_TEXT];

	printf("advisory %s %s%s%s %s%s%s%s\n", e->id, e->never ? "forbids" : "adds +",
	       e->never ? "" : cli_effects_text(e->effects, 0, " +", effects),
	       e->never ? "" : " to", cli_command_name(d->set, d->opcode),
	       *e->reference ? " (" : "", e->reference, *e->reference ? ")" : "");
}

/*= spec/SECURITY-MODEL.md#C33 */
static void print_advisories(const struct cli_subject *s)
{
	struct fwa_decision d;
	unsigned int set = 0;
	int32_t opcode = -1;

	while (fwa_profile_next(s->profile, &set, &opcode))
		if (fwa_opcode_effects(s->profile, set, (uint16_t)opcode, &d))
			cli_advised_each(s, set, (uint16_t)opcode, print_advisory, &d);
}

static void print_text(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_findings *findings)
{
	static const char *const heads[] = { "OPCODE",  "COMMAND", "SCOPE",     "BECAUSE",
					     "EFFECTS", "RAW",     "ATTRIBUTES" };
	bool verbose = cli_given(&cli->args, CLI_OPT_VERBOSE), added = false, advised = false;
	struct libscols_table *t = cli_table_new(cli, heads, columns(cli));
	size_t by_scope[FWA_SCOPE_NEVER + 1] = { 0 };
	struct fwa_decision d;
	unsigned int set = 0;
	int32_t opcode = -1;

	while (fwa_profile_next(s->profile, &set, &opcode)) {
		if (!fwa_opcode_effects(s->profile, set, (uint16_t)opcode, &d))
			continue;
		cli_advised_opcode(s, &d);
		add_row(cli, t, &d);
		by_scope[d.required]++;
		added |= d.floor & ~d.declared;
		advised |= d.advisory;
	}
	cli_print_subject(cli, s);
	putchar('\n');
	cli_table_print(t);
	if (fwa_profile_count(s->profile))
		putchar('\n');
	cli_print_findings(cli, findings, verbose ? FWA_NOTE : FWA_WARNING);
	if (findings->count[FWA_ERROR] || findings->count[FWA_WARNING] || (verbose && findings->n))
		putchar('\n');
	print_totals(by_scope, added, findings);
	if (advised)
		print_advisories(s);
}

int cli_cmd_effects(struct cli *cli)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	cli_auto_findings struct cli_findings findings = { 0 };
	int words, r;

	r = cli_subject_open(cli, &s, &words);
	if (r != CLI_OK)
		return r;
	findings = cli_findings_of(s.profile);
	if (!findings.complete)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	if (cli_given(&cli->args, CLI_OPT_SAVE)) {
		r = cli_subject_save(cli, &s, cli->args.text[CLI_OPT_SAVE]);
		if (r != CLI_OK)
			return r;
	}
	if (cli->json)
		print_json(cli, &s, &findings);
	else
		print_text(cli, &s, &findings);
	return CLI_OK;
}
