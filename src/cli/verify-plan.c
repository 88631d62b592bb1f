/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of `fwadmit verify --plan` and `--replay`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/table.h"
#include "cli/verify.h"
#include "cli/words.h"

static const char *on(const struct cli *cli, const char *color)
{
	return cli->color ? color : "";
}

static const char *off(const struct cli *cli)
{
	return cli->color ? "\033[0m" : "";
}

/* --- --plan -------------------------------------------------------------------------------------- */

/* Rows of a plan from @first on that differ in their opcode alone, none of which has a name. */
static size_t unnamed(struct json_object *list, size_t first, uint64_t *ret_times)
{
	struct json_object *a = cli_doc_list_object(list, first);
	size_t n = 0;

	*ret_times = 0;
	for (struct json_object *b = a; b; b = cli_doc_list_object(list, first + ++n)) {
		if (cli_doc_has(b, "name") ||
		    strcmp(cli_doc_text(a, "phase"), cli_doc_text(b, "phase")) != 0 ||
		    strcmp(cli_doc_text(a, "set"), cli_doc_text(b, "set")) != 0 ||
		    strcmp(cli_doc_text(a, "risk"), cli_doc_text(b, "risk")) != 0)
			break;
		*ret_times += cli_doc_number(b, "count");
	}
	return n;
}

static void add_plan_row(struct libscols_table *t, struct json_object *row, const char *command,
			 uint64_t count)
{
	const char *risk = cli_doc_text(row, "risk");
	char times[24];
	const char *cells[] = { cli_doc_text(row, "phase"), command, times, risk };

	snprintf(times, sizeof(times), "%" PRIu64, count);
	cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 3,
		      strcmp(risk, "destructive") == 0 ? "red"
		      : strcmp(risk, "declared") == 0  ? "yellow"
						       : NULL);
}

/* A sweep has tens of thousands of opcodes: those without a name are a line together. */
static void print_plan_commands(const struct cli *cli, struct json_object *doc)
{
	static const char *const heads[] = { "PHASE", "COMMAND", "TIMES", "RISK" };
	struct json_object *list = cli_doc_list(doc, "commands");
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));

	for (size_t i = 0; i < cli_doc_list_length(list); i++) {
		struct json_object *row = cli_doc_list_object(list, i);
		fwa_auto_free char *command = cli_accused_words(row);
		uint64_t count = cli_doc_number(row, "count"), times;
		size_t n = unnamed(list, i, &times);
		char many[96];

		if (n < 2) {
			add_plan_row(t, row, command, count);
			continue;
		}
		snprintf(many, sizeof(many), "%zu opcodes without a name, %.8s to %.8s", n,
			 cli_doc_text(row, "opcode_hex"),
			 cli_doc_text(cli_doc_list_object(list, i + n - 1), "opcode_hex"));
		add_plan_row(t, row, many, times);
		i += n - 1;
	}
	cli_table_print(t);
}

static void print_plan_phases(const struct cli *cli, struct json_object *doc)
{
	static const char *const heads[] = { "PHASE", "EXPERIMENTS", "COMMANDS", "WHAT" };
	struct json_object *list = cli_doc_list(doc, "phases");
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));

	for (size_t i = 0; i < cli_doc_list_length(list); i++) {
		struct json_object *row = cli_doc_list_object(list, i);
		const char *phase = cli_doc_text(row, "phase");
		char experiments[24] = "no end", commands[24] = "no end";
		const char *cells[] = { phase, experiments, commands, cli_phase_words(phase) };

		if (cli_doc_has(row, "experiments"))
			snprintf(experiments, sizeof(experiments), "%" PRIu64,
				 cli_doc_number(row, "experiments"));
		if (cli_doc_has(row, "commands"))
			snprintf(commands, sizeof(commands), "%" PRIu64,
				 cli_doc_number(row, "commands"));
		cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
	}
	cli_table_print(t);
}

void cli_verify_plan_page(const struct cli *cli, const struct cli_verification *v)
{
	struct json_object *device = cli_doc_object(v->doc, "device");
	size_t n = cli_doc_list_length(cli_doc_list(v->doc, "observing"));

	cli_verify_print_device(v);
	printf("probe %s; nothing of this was sent; %zu observable%s would be read between "
	       "experiments\n\n",
	       cli_doc_text(v->doc, "probe"), n, n == 1 ? "" : "s");
	print_plan_phases(cli, v->doc);
	putchar('\n');
	print_plan_commands(cli, v->doc);
	if (cli_doc_flag(device, "disposable"))
		puts("\nThe device is simulated, or a process of its own: nothing of yours is at "
		     "risk.");
	else
		puts("\nRisk: read-only changes nothing that the device declares; declared changes "
		     "what can "
		     "be set back;\ndestructive may lose data, security state or the device.");
}

/* --- --replay ------------------------------------------------------------------------------------ */

void cli_verify_replay_page(const struct cli *cli, const struct cli_verification *v)
{
	struct json_object *doc = v->doc;
	const char *outcome = cli_doc_text(doc, "outcome"), *why = cli_doc_text(doc, "why");
	bool same = cli_doc_flag(doc, "same");

	printf("%s on %s: %s%s%s\n", cli_doc_text(doc, "evidence"), v->device,
	       on(cli, same ? "\033[1;31m" : "\033[32m"),
	       same ? "it happens here, too" : "it does not happen here", off(cli));
	printf("  what       %s\n", cli_doc_text(doc, "text"));
	cli_verify_print_runs(doc);
	putchar('\n');
	if (strcmp(outcome, "other-device") == 0)
		puts("  device     not the one that the evidence is about: another model or "
		     "firmware");
	if (*why)
		printf("  why        %s\n", why);
}
