/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matrix: commands by effects. Each cell has a shape, a color and a hidden word.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/words.h"

#define QUIET_SHOWN 100u /* rows; of more, those without any effect are counted instead */

enum mark {
	MARK_NONE,
	MARK_KEPT,     /* declared, and observed */
	MARK_DECLARED, /* and not observed */
	MARK_FLOOR,    /* the specification says so alone */
	MARK_SEEN,     /* that, and observed: not a breach where there is no bit to declare it by */
	MARK_OTHER, /* observed, and not held against it: a document says so by not calling it undeclared */
	MARK_BROKEN,
	MARKS,
};

static const struct {
	const char *symbol, *class, *word, *legend;
} marks[MARKS] = {
	[MARK_KEPT] = { "kept", "kept", "declared and observed", "declared, and observed" },
	[MARK_DECLARED] = { "decl", "declared", "declared", "declared, not observed" },
	[MARK_FLOOR] = { "flor", "floor", "by the specification alone",
			 "not declared, but in the specification" },
	[MARK_SEEN] = { "seen", "floor", "by the specification alone, and observed",
			"in the specification alone, and observed" },
	[MARK_OTHER] = { "othr", "other", "observed, and no breach",
			 "observed, and explained otherwise" },
	[MARK_BROKEN] = { "brok", "broken", "observed and undeclared",
			  "observed, and not declared" },
};

static const char symbols[] =
	"<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"vh\"><defs>"
	"<symbol id=\"kept\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"5.5\" "
	"fill=\"currentColor\"/></symbol>"
	"<symbol id=\"decl\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"4.75\" "
	"fill=\"none\" "
	"stroke=\"currentColor\" stroke-width=\"1.5\"/></symbol>"
	"<symbol id=\"flor\" viewBox=\"0 0 16 16\"><path d=\"M8 2.5 13.5 8 8 13.5 2.5 8z\" "
	"fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/></symbol>"
	"<symbol id=\"seen\" viewBox=\"0 0 16 16\"><path d=\"M8 2 14 8 8 14 2 8z\" "
	"fill=\"currentColor\"/></symbol>"
	"<symbol id=\"othr\" viewBox=\"0 0 16 16\"><path d=\"M3.5 3.5h9v9h-9z\" fill=\"none\" "
	"stroke=\"currentColor\" stroke-width=\"1.5\"/></symbol>"
	"<symbol id=\"brok\" viewBox=\"0 0 16 16\"><path d=\"M3 3 13 13M13 3 3 13\" fill=\"none\" "
	"stroke=\"currentColor\" stroke-width=\"3.2\"/></symbol></defs></svg>\n";

struct row {
	fwa_effects declared, floor, observed, undeclared;
};

static struct row row_of(struct json_object *o)
{
	return (struct row){ cli_doc_effects(o, "declared"), cli_doc_effects(o, "floor"),
			     cli_doc_effects(o, "observed"), cli_doc_effects(o, "undeclared") };
}

static enum mark mark_of(const struct row *r, fwa_effects bit)
{
	if (r->undeclared & bit)
		return MARK_BROKEN;
	if (r->declared & bit)
		return r->observed & bit ? MARK_KEPT : MARK_DECLARED;
	if (r->floor & bit)
		return r->observed & bit ? MARK_SEEN : MARK_FLOOR;
	return r->observed & bit ? MARK_OTHER : MARK_NONE;
}

static void print_mark(FILE *out, enum mark m)
{
	fprintf(out, "<svg class=\"m %s\" aria-hidden=\"true\"><use href=\"#%s\"/></svg>",
		marks[m].class, marks[m].symbol);
}

static void print_legend(FILE *out, unsigned int used)
{
	fputs("<ul class=\"legend\">", out);
	for (unsigned int m = MARK_NONE + 1; m < MARKS; m++) {
		if (!(used >> m & 1))
			continue;
		fputs("<li>", out);
		print_mark(out, (enum mark)m);
		fprintf(out, " %s</li>", marks[m].legend);
	}
	fputs("</ul>\n", out);
}

static void print_head(FILE *out, fwa_effects columns)
{
	fputs("<table class=\"matrix\"><caption>Commands by effects. A command without a mark was "
	      "declared as "
	      "a read, and nothing was seen to change by it.</caption>\n"
	      "<thead><tr><th scope=\"col\">Command</th><th scope=\"col\" class=\"n\">Tried</th>",
	      out);
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++)
		if (columns >> bit & 1)
			fprintf(out, "<th scope=\"col\" class=\"e\"><span>%s</span></th>",
				fwa_effect_name(bit));
	fputs("</tr></thead>\n<tbody>\n", out);
}

static void print_row(FILE *out, struct json_object *o, fwa_effects columns)
{
	const char *name = cli_doc_text(o, "name");
	struct row r = row_of(o);

	if (!*name)
		name = cli_doc_flag(o, "vendor") ? "vendor-specific" : "unknown";
	fprintf(out, "<tr%s><th scope=\"row\">", r.undeclared ? " class=\"bad\"" : "");
	cli_html_text(out, name);
	fputs(" <code>", out);
	if (strcmp(cli_doc_text(o, "set"), "nvme-io") == 0)
		fputs("io:", out);
	cli_html_text(out, cli_doc_text(o, "opcode_hex"));
	fputs("</code>", out);
	if (cli_doc_has(o, "listed") && !cli_doc_flag(o, "listed"))
		fputs(" <span class=\"label\">not listed</span>", out);
	fputs("</th><td class=\"n\">", out);
	cli_html_number(out, cli_doc_number(o, "tried"));
	fputs("</td>", out);
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++) {
		enum mark m = mark_of(&r, 1u << bit);

		if (!(columns >> bit & 1))
			continue;
		fputs(m == MARK_BROKEN ? "<td class=\"e bad\">" : "<td class=\"e\">", out);
		if (m != MARK_NONE) {
			print_mark(out, m);
			fprintf(out, "<span class=\"vh\">%s</span>", marks[m].word);
		}
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

void cli_report_matrix(FILE *out, struct json_object *doc)
{
	struct json_object *list = cli_doc_list(doc, "commands");
	size_t n = cli_doc_list_length(list), quiet = 0;
	fwa_effects columns = 0;
	unsigned int used = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		struct row r = row_of(cli_doc_list_object(list, i));

		columns |= r.declared | r.floor | r.observed | r.undeclared;
		for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++)
			used |= 1u << mark_of(&r, 1u << bit);
	}
	fputs("<section id=\"matrix\"><h2>Commands by effects</h2>\n", out);
	fputs(symbols, out);
	print_legend(out, used);
	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Commands by "
	      "effects\">",
	      out);
	print_head(out, columns);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = cli_doc_list_object(list, i);
		struct row r = row_of(o);

		if (n > QUIET_SHOWN && !(r.declared | r.floor | r.observed | r.undeclared))
			quiet++;
		else
			print_row(out, o, columns);
	}
	fputs("</tbody></table></div>\n", out);
	if (quiet) {
		fputs("<p>Left out above: ", out);
		cli_html_number(out, quiet);
		fputs(" commands that have no effects by any of the three.</p>\n", out);
	}
	fputs("</section>\n", out);
}
