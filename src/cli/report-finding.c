/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One finding: what is said, what was done, what changed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/text.h"
#include "cli/words.h"

#define STEPS_SHOWN 200u
#define STEP_BYTES 16u     /* in words */
#define PAYLOAD_SHOWN 512u /* bytes */
#define LINES_SHOWN 16u    /* of bytes that changed */
#define LINE 8u            /* bytes of a line of before and after */

/* --- what is said --------------------------------------------------------------------------------- */

static void fact_effects(FILE *out, struct json_object *f, const char *name, const char *key)
{
	char text[CLI_EFFECTS_TEXT];

	fprintf(out, "<dt>%s</dt><dd>%s</dd>", name,
		cli_effects_text(cli_doc_effects(f, key), 0, ", ", text));
}

static void facts(FILE *out, struct json_object *f)
{
	fputs("<dl><dt>Command</dt><dd><code>", out);
	cli_html_take(out, cli_accused_words(f));
	fputs("</code></dd>", out);
	if (cli_doc_has(f, "listed") && !cli_doc_flag(f, "listed"))
		fputs("<dt>Declared</dt><dd>not at all: the device does not list the command</dd>",
		      out);
	else
		fact_effects(out, f, "Declared", "declared");
	fact_effects(out, f, "Specification", "floor");
	fact_effects(out, f, "Observed", "observed");
	fact_effects(out, f, "Undeclared", "undeclared");
	fputs("<dt>Clause</dt><dd>", out);
	cli_html_text(out, cli_doc_text(f, "clause"));
	fputs(" of the security model</dd>", out);
	if (cli_doc_number(f, "runs"))
		fprintf(out,
			"<dt>Confirmed</dt><dd>%" PRIu64 " of %" PRIu64 " runs; in %" PRIu64
			" of %" PRIu64 " controls, without the steps%s</dd>",
			cli_doc_number(f, "reproduced"), cli_doc_number(f, "runs"),
			cli_doc_number(f, "control_changed"), cli_doc_number(f, "controls"),
			cli_doc_number(f, "reproduced") ? "" : ": not confirmed");
	if (cli_doc_number(f, "from_steps") > 1)
		fprintf(out, "<dt>Made shorter</dt><dd>from %" PRIu64 " steps</dd>",
			cli_doc_number(f, "from_steps"));
	fputs("</dl>\n", out);
}

/* --- what was done -------------------------------------------------------------------------------- */

static void payload(FILE *out, struct json_object *step)
{
	size_t len;
	fwa_auto_free uint8_t *bytes = cli_doc_hex(step, "payload", &len);

	if (!bytes || !len)
		return;
	fputs("<span class=\"hex\">", out);
	for (size_t i = 0; i < len && i < PAYLOAD_SHOWN; i++)
		fprintf(out, "%s%02x", i ? " " : "", bytes[i]);
	if (len > PAYLOAD_SHOWN)
		fprintf(out, " .. %zu bytes in all", len);
	fputs("</span>", out);
}

static void steps(FILE *out, struct json_object *f)
{
	struct json_object *list = cli_doc_list(f, "steps");
	size_t n = cli_doc_list_length(list);

	if (!n)
		return;
	fputs("<h4>Step by step, on a fresh device</h4>\n<ol class=\"steps\">\n", out);
	for (size_t i = 0; i < n && i < STEPS_SHOWN; i++) {
		struct json_object *step = cli_doc_list_object(list, i);
		char *answer = cli_answer_words(step);

		fprintf(out, "<li%s><div><code>", i + 1 == n ? " class=\"last\"" : "");
		cli_html_take(out, cli_step_words(step, STEP_BYTES));
		fputs("</code>", out);
		payload(out, step);
		if (answer && *answer) {
			fputs("<span class=\"answer\"><span class=\"label\">answer</span> ", out);
			cli_html_text(out, answer);
			fputs("</span>", out);
		}
		free(answer);
		fputs("</div></li>\n", out);
	}
	fputs("</ol>\n", out);
	if (n > STEPS_SHOWN)
		fprintf(out, "<p>And %zu more steps, in the document.</p>\n", n - STEPS_SHOWN);
}

/* --- what changed --------------------------------------------------------------------------------- */

struct bytes {
	uint8_t *data;
	size_t len;
};

static bool differs(const struct bytes *a, const struct bytes *b, size_t i)
{
	return i >= a->len || i >= b->len || a->data[i] != b->data[i];
}

static void half_line(FILE *out, const struct bytes *a, const struct bytes *b, size_t at)
{
	bool marked = false;

	fputs("<td class=\"hex\">", out);
	for (size_t i = at; i < at + LINE && i < a->len; i++) {
		bool mark = differs(a, b, i);

		/* The blank between two marked bytes is marked, too. */
		if (marked && !mark)
			fputs("</mark>", out);
		if (i > at)
			fputc(' ', out);
		if (mark && !marked)
			fputs("<mark>", out);
		fprintf(out, "%02x", a->data[i]);
		marked = mark;
	}
	fputs(marked ? "</mark></td>" : "</td>", out);
}

static void lines(FILE *out, struct json_object *change, const struct bytes *before,
		  const struct bytes *after)
{
	size_t len = before->len > after->len ? before->len : after->len;
	uint64_t from = cli_doc_number(change, "from");
	size_t shown = 0, at;
	bool gap = false;

	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Bytes before and "
	      "after\">"
	      "<table class=\"bytes\"><thead><tr><th scope=\"col\">Byte</th><th "
	      "scope=\"col\">Before</th>"
	      "<th scope=\"col\">After</th></tr></thead>\n<tbody>\n",
	      out);
	for (at = 0; at < len && shown < LINES_SHOWN; at += LINE) {
		bool any = false;

		for (size_t i = at; i < at + LINE && i < len; i++)
			any |= differs(before, after, i);
		if (!any && at && at + LINE < len) {
			if (!gap)
				fputs("<tr><th scope=\"row\">..</th><td></td><td></td></tr>\n",
				      out);
			gap = true;
			continue;
		}
		gap = false;
		shown++;
		fprintf(out, "<tr><th scope=\"row\" class=\"hex\">%" PRIu64 "</th>", from + at);
		half_line(out, before, after, at);
		half_line(out, after, before, at);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
	if (at < len)
		fprintf(out, "<p class=\"label\">And %zu more bytes, in the document.</p>\n",
			len - at);
}

static void reading(FILE *out, struct json_object *change, const char *key, size_t len)
{
	char member[16];

	snprintf(member, sizeof(member), "%s_error", key);
	fprintf(out, "<dt>%s</dt><dd>", *key == 'b' ? "Before" : "After");
	if (*cli_doc_text(change, member)) {
		fputs("no answer: ", out);
		cli_html_text(out, cli_doc_text(change, member));
	} else {
		snprintf(member, sizeof(member), "%s_code", key);
		fprintf(out, "%s, code %" PRIx64 "h", len ? "read" : "nothing to read",
			cli_doc_number(change, member));
	}
	fputs("</dd>", out);
}

static void change_of(FILE *out, struct json_object *change)
{
	struct bytes before, after;

	before.data = cli_doc_hex(change, "before", &before.len);
	after.data = cli_doc_hex(change, "after", &after.len);
	fputs("<h4><code>", out);
	cli_html_take(out, cli_change_words(change));
	fputs("</code></h4>\n", out);
	if (before.len && after.len) {
		lines(out, change, &before, &after);
	} else {
		fputs("<dl>", out);
		reading(out, change, "before", before.len);
		reading(out, change, "after", after.len);
		fputs("</dl>\n", out);
	}
	free(before.data);
	free(after.data);
}

void cli_report_finding(FILE *out, struct json_object *f, size_t number)
{
	struct json_object *changes = cli_doc_list(f, "changes");
	static const char *const known[] = { "note", "low", "medium", "high", "critical" };
	const char *severity = cli_doc_text(f, "severity"), *class = "note";

	for (size_t i = 0; i < FWA_ARRAY_SIZE(known); i++)
		if (strcmp(severity, known[i]) == 0)
			class = known[i];
	fprintf(out, "<article id=\"finding-%zu\"%s><span class=\"badge %s\">", number,
		cli_finding_accuses(f) ? " class=\"accuses\"" : "", class);
	cli_html_text(out, severity);
	fputs("</span><span class=\"label\">", out);
	cli_html_text(out, cli_doc_text(f, "kind"));
	fprintf(out, "</span>\n<h3>%zu. ", number);
	cli_html_text(out, cli_doc_text(f, "text"));
	fputs("</h3>\n", out);
	facts(out, f);
	steps(out, f);
	for (size_t i = 0; i < cli_doc_list_length(changes); i++)
		change_of(out, cli_doc_list_object(changes, i));
	fputs("</article>\n", out);
}
