/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much was tried, and what was watched: as much a part of a verdict as the verdict.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/words.h"

static void phase(FILE *out, const char *name, struct json_object *o)
{
	uint64_t done = cli_doc_number(o, "done"), planned = cli_doc_number(o, "planned");

	fputs("<tr><th scope=\"row\">", out);
	cli_html_text(out, name);
	fputs("</th><td>", out);
	cli_html_text(out, cli_phase_words(name));
	fputs("</td><td class=\"n\">", out);
	cli_html_number(out, done);
	fputs("</td><td class=\"n\">", out);
	if (planned)
		cli_html_number(out, planned);
	else
		fputs(done ? "no end" : "none", out);
	fputs("</td><td>", out);
	cli_html_text(out, cli_doc_text(o, "unit"));
	fputs("</td><td>", out);
	if (planned)
		fprintf(out,
			"<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
			"aria-hidden=\"true\"><rect width=\"%.1f\" height=\"1\"/></svg>",
			done >= planned ? 100.0 : (double)done * 100.0 / (double)planned);
	fputs("</td></tr>\n", out);
}

static void phases(FILE *out, struct json_object *coverage)
{
	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Coverage\"><table>"
	      "<thead><tr><th scope=\"col\">Phase</th><th scope=\"col\">What</th>"
	      "<th scope=\"col\" class=\"n\">Done</th><th scope=\"col\" class=\"n\">Of</th>"
	      "<th scope=\"col\">Unit</th><th scope=\"col\"><span "
	      "class=\"vh\">Share</span></th></tr>"
	      "</thead>\n<tbody>\n",
	      out);
	json_object_object_foreach(coverage, key, value)
	{
		phase(out, key, value);
	}
	fputs("</tbody></table></div>\n", out);
}

static void left_out(FILE *out, struct json_object *list)
{
	fputs("<h4>Not watched: a change there is not seen</h4>\n", out);
	if (!cli_doc_list_length(list)) {
		fputs("<p>Nothing of what the tables know was left out.</p>\n", out);
		return;
	}
	fputs("<ul class=\"plain\">\n", out);
	for (size_t i = 0; i < cli_doc_list_length(list); i++) {
		fputs("<li>", out);
		cli_html_text(out, cli_doc_list_text(list, i));
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void watched(FILE *out, struct json_object *list)
{
	fprintf(out, "<details><summary>Watched: %zu observables</summary>\n",
		cli_doc_list_length(list));
	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
	      "aria-label=\"Observables\"><table>"
	      "<thead><tr><th scope=\"col\">Observable</th><th scope=\"col\" class=\"n\">Bytes</th>"
	      "<th scope=\"col\" class=\"n\">Masked</th></tr></thead>\n<tbody>\n",
	      out);
	for (size_t i = 0; i < cli_doc_list_length(list); i++) {
		struct json_object *o = cli_doc_list_object(list, i);

		fputs("<tr><td><code>", out);
		cli_html_text(out, cli_doc_text(o, "name"));
		fputs("</code></td><td class=\"n\">", out);
		cli_html_number(out, cli_doc_number(o, "bytes"));
		fputs("</td><td class=\"n\">", out);
		cli_html_number(out, cli_doc_number(o, "masked"));
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n"
	      "<p>Masked bytes change by themselves, with nothing sent, and say "
	      "nothing.</p></details>\n",
	      out);
}

void cli_report_coverage(FILE *out, struct json_object *doc)
{
	struct json_object *coverage = cli_doc_object(doc, "coverage");

	if (!coverage)
		return;
	fputs("<section id=\"coverage\"><h2>What was tried</h2>\n"
	      "<p>The search is bounded. That nothing was found beyond this report does not say "
	      "that there "
	      "is nothing.</p>\n",
	      out);
	phases(out, coverage);
	left_out(out, cli_doc_list(doc, "left_out"));
	watched(out, cli_doc_list(doc, "observables"));
	fputs("</section>\n", out);
}
