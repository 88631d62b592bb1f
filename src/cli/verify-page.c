/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that `fwadmit verify` prints: 100 columns wide, worst first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/verify.h"
#include "cli/words.h"

#define STEP_BYTES 16     /* of data that a step shows; the evidence has all */
#define STEPS_SHOWN 12u   /* of one finding */
#define CHANGES_SHOWN 4u  /* of one finding */
#define CHANGE_BYTES 12u  /* of one change */
#define LEFT_OUT_SHOWN 5u /* of what cannot be observed */

struct page {
	const struct cli *cli;
	const struct cli_verification *v;
};

static const char *on(const struct cli *cli, const char *color)
{
	return cli->color ? color : "";
}

static const char *off(const struct cli *cli)
{
	return cli->color ? "\033[0m" : "";
}

static const char *severity_color(const char *severity)
{
	if (strcmp(severity, "critical") == 0 || strcmp(severity, "high") == 0)
		return "\033[31m";
	return strcmp(severity, "medium") == 0 || strcmp(severity, "low") == 0 ? "\033[33m" : "";
}

/* --- head ---------------------------------------------------------------------------------------- */

void cli_verify_print_device(const struct cli_verification *v)
{
	struct json_object *d = cli_doc_object(v->doc, "device");
	const char *vendor = cli_doc_text(d, "vendor"), *model = cli_doc_text(d, "model");
	const char *digest = cli_doc_text(cli_doc_object(v->doc, "profile"), "sha256");

	printf("%s:", v->device);
	if (*vendor || *model)
		printf(" %s%s%s,", vendor, *vendor && *model ? " " : "", model);
	if (*cli_doc_text(d, "serial"))
		printf(" serial %s,", cli_doc_text(d, "serial"));
	if (*cli_doc_text(d, "firmware"))
		printf(" firmware %s,", cli_doc_text(d, "firmware"));
	printf(" %s", cli_doc_text(d, "family"));
	if (*digest)
		printf(" profile %.12s", digest);
	putchar('\n');
}

static void print_numbers(struct json_object *doc)
{
	fwa_auto_free char *budget = cli_budget_words(doc);
	uint64_t ms = cli_doc_number(doc, "elapsed_ms");
	uint64_t n = cli_doc_number(doc, "experiments");

	printf("%" PRIu64 " commands in %" PRIu64 " experiment%s, %" PRIu64 ".%" PRIu64
	       " s of %s; probe %s, seed %s\n",
	       cli_doc_number(doc, "executed"), n, n == 1 ? "" : "s", ms / 1000, ms % 1000 / 100,
	       budget ? budget : "", cli_doc_text(doc, "probe"), cli_doc_text(doc, "seed"));
}

static void print_verdict(const struct cli *cli, struct json_object *doc)
{
	const char *verdict = cli_doc_text(doc, "verdict");
	fwa_auto_free char *words = cli_verdict_words(doc);
	bool breach = strcmp(verdict, "breach") == 0,
	     honest = strcmp(verdict, "honest-so-far") == 0;

	printf("\n%s%s%s: %s\n",
	       on(cli, breach   ? "\033[1;31m"
		       : honest ? "\033[32m"
				: "\033[33m"),
	       breach   ? "does not keep its word"
	       : honest ? "honest so far"
			: "inconclusive",
	       off(cli), words ? words : "");
	if (!breach && !honest)
		puts("Something did not happen again, or could not be watched: neither a breach "
		     "nor "
		     "a clean bill.");
}

/* --- findings ------------------------------------------------------------------------------------ */

static void print_effects(struct json_object *f)
{
	char declared[CLI_EFFECTS_TEXT], floor[CLI_EFFECTS_TEXT], observed[CLI_EFFECTS_TEXT];

	printf("  declared   %s\n",
	       cli_doc_has(f, "listed") && !cli_doc_flag(f, "listed")
		       ? "nothing: the command is not listed"
		       : cli_effects_text(cli_doc_effects(f, "declared"), 0, " ", declared));
	printf("  floor      %s\n", cli_effects_text(cli_doc_effects(f, "floor"), 0, " ", floor));
	printf("  observed   %s\n",
	       cli_effects_text(cli_doc_effects(f, "observed"), 0, " ", observed));
}

void cli_verify_print_runs(struct json_object *o)
{
	printf("  again      %" PRIu64 " of %" PRIu64 " runs", cli_doc_number(o, "reproduced"),
	       cli_doc_number(o, "runs"));
	if (cli_doc_number(o, "controls"))
		printf("; without it %" PRIu64 " of %" PRIu64, cli_doc_number(o, "control_changed"),
		       cli_doc_number(o, "controls"));
}

static void print_again(struct json_object *f)
{
	uint64_t from = cli_doc_number(f, "from_steps");

	if (!cli_doc_number(f, "runs"))
		return;
	cli_verify_print_runs(f);
	if (from > 1)
		printf("; made shorter from %" PRIu64 " steps", from);
	putchar('\n');
}

static void print_steps(struct json_object *f)
{
	struct json_object *steps = cli_doc_list(f, "steps");
	size_t n = cli_doc_list_length(steps);

	for (size_t i = 0; i < n && i < STEPS_SHOWN; i++) {
		struct json_object *step = cli_doc_list_object(steps, i);
		fwa_auto_free char *what = cli_step_words(step, STEP_BYTES);
		fwa_auto_free char *answer = cli_answer_words(step);

		printf("  %-10s %zu. %s%s%s\n", i ? "" : "steps", i + 1, what ? what : "",
		       answer && *answer ? " -> " : "", answer ? answer : "");
	}
	if (n > STEPS_SHOWN)
		printf("             and %zu more, in the evidence\n", n - STEPS_SHOWN);
}

/* A few bytes around the first that changed. */
static void print_bytes(const struct cli *cli, struct json_object *change, const char *key)
{
	size_t len, other_len, first;
	fwa_auto_free uint8_t *bytes = cli_doc_hex(change, key, &len);
	const char *other_key = strcmp(key, "before") == 0 ? "after" : "before";
	fwa_auto_free uint8_t *other = cli_doc_hex(change, other_key, &other_len);
	uint64_t from = cli_doc_number(change, "from"), at = cli_doc_number(change, "first");
	const char *error;
	char member[16];

	snprintf(member, sizeof(member), "%s_error", key);
	error = cli_doc_text(change, member);
	first = at > from && at - from < len ? (size_t)(at - from) : 0;
	printf("               %-7s", key);
	if (!len) {
		snprintf(member, sizeof(member), "%s_code", key);
		printf("%s%.32s (code %" PRIu64 ")\n", *error ? "" : "cannot be read", error,
		       cli_doc_number(change, member));
		return;
	}
	for (size_t i = first; i < len && i < first + CHANGE_BYTES; i++) {
		bool differs = i >= other_len || bytes[i] != other[i];

		printf("%s%02x%s ", differs ? on(cli, "\033[1m") : "", bytes[i],
		       differs ? off(cli) : "");
	}
	printf("%s\n", len > first + CHANGE_BYTES ? ".." : "");
}

static void print_changes(const struct cli *cli, struct json_object *f)
{
	struct json_object *changes = cli_doc_list(f, "changes");
	size_t n = cli_doc_list_length(changes);

	for (size_t i = 0; i < n && i < CHANGES_SHOWN; i++) {
		struct json_object *change = cli_doc_list_object(changes, i);
		fwa_auto_free char *what = cli_change_words(change);

		printf("  %-10s %s\n", i ? "" : "changed", what ? what : "");
		print_bytes(cli, change, "before");
		print_bytes(cli, change, "after");
	}
	if (n > CHANGES_SHOWN)
		printf("             and %zu more\n", n - CHANGES_SHOWN);
}

static void print_finding(const struct page *p, struct json_object *f)
{
	const char *severity = cli_doc_text(f, "severity");
	char id[CLI_DOCUMENT_ID_TEXT];
	fwa_auto_free char *replay = NULL;

	printf("\n%s%s%s  %s  %s\n", on(p->cli, severity_color(severity)), severity, off(p->cli),
	       cli_doc_text(f, "clause"), cli_doc_text(f, "text"));
	print_effects(f);
	print_again(f);
	print_steps(f);
	print_changes(p->cli, f);
	if (!p->v->dir || !cli_finding_evidence(f, id))
		return;
	replay = cli_verify_replay_command(p->v, id);
	printf("  replay     %s\n", replay ? replay : "");
}

static void print_findings(const struct page *p)
{
	struct json_object *doc = p->v->doc;
	size_t notes = 0;

	for (size_t i = 0; i < cli_document_findings(doc); i++)
		if (cli_finding_accuses(cli_document_finding(doc, i)))
			print_finding(p, cli_document_finding(doc, i));
	for (size_t i = 0; i < cli_document_findings(doc); i++) {
		struct json_object *f = cli_document_finding(doc, i);

		if (cli_finding_accuses(f))
			continue;
		if (!notes++)
			puts("\nBesides:");
		printf("  %-8s %-4s %s\n", cli_doc_text(f, "severity"), cli_doc_text(f, "clause"),
		       cli_doc_text(f, "text"));
	}
}

/* --- coverage ------------------------------------------------------------------------------------ */

static void print_coverage(const struct cli *cli, struct json_object *doc)
{
	static const char *const heads[] = { "TRIED", "HOW MUCH", "WHAT" };
	struct json_object *coverage = cli_doc_object(doc, "coverage");
	struct libscols_table *t;

	if (!coverage)
		return;
	putchar('\n');
	t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	json_object_object_foreach(coverage, key, value)
	{
		char name[24];
		fwa_auto_free char *words = cli_coverage_words(value);
		const char *cells[] = { name, words, cli_phase_words(key) };

		snprintf(name, sizeof(name), "%s", key);
		fwa_make_printable(name);
		cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
	}
	cli_table_print(t);
}

static void print_left_out(const struct cli *cli, struct json_object *doc)
{
	struct json_object *list = cli_doc_list(doc, "left_out");
	size_t n = cli_doc_list_length(list),
	       observed = cli_doc_list_length(cli_doc_list(doc, "observables"));
	size_t most = cli_given(&cli->args, CLI_OPT_VERBOSE) ? n : LEFT_OUT_SHOWN;

	printf("\nWatched: %zu observable%s", observed, observed == 1 ? "" : "s");
	if (!n) {
		putchar('\n');
		return;
	}
	puts("; not watched, so that a change there is not seen:");
	for (size_t i = 0; i < n && i < most; i++)
		printf("  %s\n", cli_doc_list_text(list, i));
	if (n > most)
		printf("  and %zu more (--verbose)\n", n - most);
}

/* --- what next ----------------------------------------------------------------------------------- */

/* An option as the command line had it. */
static void print_given(const struct cli *cli, enum cli_option_id id)
{
	if (cli_given(&cli->args, id))
		printf(" --%s=%s", cli_options[id].name, cli->args.text[id]);
}

static void print_next(const struct page *p)
{
	struct json_object *doc = p->v->doc;
	char id[CLI_DOCUMENT_ID_TEXT];

	if (p->v->dir)
		printf("\nA page for others:      fwadmit report %s/campaign.json -O report.html\n",
		       p->v->dir);
	if (!cli_document_accusing(doc)) {
		if (strcmp(cli_doc_text(doc, "verdict"), "honest-so-far") == 0)
			puts("\nThis is no proof: what was not tried, or not watched, may lie.");
		return;
	}
	if (!p->v->dir) {
		printf("\nNothing was saved. The same again, with evidence:\n"
		       "fwadmit verify %s --seed=%s",
		       p->v->device, cli_doc_text(doc, "seed"));
		print_given(p->cli, CLI_OPT_PROBE);
		print_given(p->cli, CLI_OPT_COMMAND);
		print_given(p->cli, CLI_OPT_BUDGET);
		puts(" -O DIR");
		return;
	}
	for (size_t i = 0; i < cli_document_findings(doc); i++) {
		if (!cli_finding_evidence(cli_document_finding(doc, i), id))
			continue;
		printf("An advisory against it: fwadmit advisory create %s/%s.json\n", p->v->dir,
		       id);
		return;
	}
}

void cli_verify_page(const struct cli *cli, const struct cli_verification *v)
{
	struct page p = { cli, v };

	cli_verify_print_device(v);
	print_numbers(v->doc);
	print_verdict(cli, v->doc);
	print_findings(&p);
	print_coverage(cli, v->doc);
	print_left_out(cli, v->doc);
	print_next(&p);
}
