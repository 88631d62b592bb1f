/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings in text: a table, a summary of one line, and the line about what was examined.
 */
#include "cli/findings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "cli/table.h"
#include "cli/text.h"

static void collect(const struct fwa_finding *finding, void *userdata)
{
	struct cli_findings *f = userdata;
	struct fwa_finding *list;

	if (!f->complete)
		return;
	list = reallocarray(f->list, f->n + 1, sizeof(*list));
	if (!list) {
		f->complete = false;
		return;
	}
	f->list = list;
	f->list[f->n++] = *finding;
	f->count[finding->severity]++;
}

struct cli_findings cli_findings_of(const struct fwa_profile *profile)
{
	struct cli_findings f = { .complete = true };

	fwa_lint(profile, collect, &f);
	return f;
}

void cli_findings_free(struct cli_findings *f)
{
	free(f->list);
	*f = (struct cli_findings){ 0 };
}

struct json_object *cli_json_findings(const struct cli_findings *f)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < f->n; i++)
		json_object_array_add(a, cli_json_finding(&f->list[i]));
	return a;
}

static void add_finding(struct libscols_table *t, const struct fwa_finding *f)
{
	static const char *const colors[] = { NULL, "yellow", "red" };
	char command[96] = "-", clause[16], message[512];
	const char *cells[] = { fwa_severity_name(f->severity), clause, command, message };

	if (f->has_opcode)
		cli_command_text(f->set, f->opcode, command, sizeof(command));
	snprintf(clause, sizeof(clause), "C%u", f->clause);
	cli_finding_text(f, message, sizeof(message));
	cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, colors[f->severity]);
}

void cli_print_findings(const struct cli *cli, const struct cli_findings *f,
			enum fwa_severity least)
{
	static const char *const heads[] = { "FINDING", "CLAUSE", "COMMAND", "WHAT" };
	struct libscols_table *t;
	size_t n = 0;

	for (unsigned int severity = least; severity <= FWA_ERROR; severity++)
		n += f->count[severity];
	if (!n)
		return;
	t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].severity >= least)
			add_finding(t, &f->list[i]);
	}
	cli_table_print(t);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void cli_findings_summary(const struct cli_findings *f, char *text, size_t size)
{
	size_t len = 0;

	snprintf(text, size, "no findings");
	for (unsigned int i = 0; i <= FWA_ERROR; i++) {
		unsigned int severity = FWA_ERROR - i;

		if (f->count[severity] && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%zu %s%s",
						len ? ", " : "", f->count[severity],
						fwa_severity_name(severity),
						plural(f->count[severity]));
	}
}

void cli_print_subject(const struct cli *cli, const struct cli_subject *s)
{
	const struct fwa_identity *id = &s->profile->id;
	char name[256];

	snprintf(name, sizeof(name), "%s", *s->name ? s->name : cli->args.text[CLI_OPT_FROM]);
	cli_one_line(name);
	if (!s->identified) {
		printf("%s: %s, %zu byte%s\n", name, s->kind, s->source_len, plural(s->source_len));
		return;
	}
	printf("%s:", name);
	if (*id->vendor || *id->model)
		printf(" %s%s%s,", id->vendor, *id->vendor && *id->model ? " " : "", id->model);
	if (*id->serial)
		printf(" serial %s,", id->serial);
	if (*id->firmware)
		printf(" firmware %s,", id->firmware);
	printf(" %s profile %.12s\n", fwa_family_name(s->profile->family), s->digest);
}
