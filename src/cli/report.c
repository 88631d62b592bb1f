/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page: its head and policy, the device, the findings, how to do it again.
 */
#include "cli/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/util.h"
#include "cli/document.h"
#include "cli/words.h"
#include "host/digest.h"

/* --- head ----------------------------------------------------------------------------------------- */

/* The digest of the style, as a policy has it: no other style, and nothing else, is let in. */
static void policy(FILE *out)
{
	char text[FWA_DIGEST_TEXT], base64[48];
	uint8_t digest[32] = { 0 };

	fwa_sha256_text(fwa_span((const uint8_t *)cli_report_style, strlen(cli_report_style)),
			text);
	for (size_t i = 0; i < sizeof(digest); i++)
		fwa_hex_byte(text + 2 * i, &digest[i]);
	fwa_base64_text(digest, sizeof(digest), base64);
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
		base64);
}

static void name_of(FILE *out, struct json_object *doc)
{
	struct json_object *d = cli_doc_object(doc, "device");
	const char *vendor = cli_doc_text(d, "vendor"), *model = cli_doc_text(d, "model");

	cli_html_text(out, vendor);
	if (*vendor && *model)
		fputc(' ', out);
	cli_html_text(out, model);
	if (!*vendor && !*model)
		cli_html_text(out, cli_doc_text(d, "spec"));
}

static void head(FILE *out, struct json_object *doc)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
	policy(out);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      out);
	name_of(out, doc);
	fputs(": what it declares, and what it does</title>\n<style>", out);
	fputs(cli_report_style, out);
	fputs("</style>\n</head>\n", out);
}

/* --- findings ------------------------------------------------------------------------------------- */

/* Calls @fn for each finding, those that accuse first; each group is worst first already. */
static void each_finding(FILE *out, struct json_object *doc,
			 void (*fn)(FILE *out, struct json_object *finding, size_t number))
{
	size_t n = cli_document_findings(doc), number = 0;

	for (unsigned int accuses = 2; accuses-- > 0;)
		for (size_t i = 0; i < n; i++) {
			struct json_object *f = cli_document_finding(doc, i);

			if (cli_finding_accuses(f) == (accuses == 1))
				fn(out, f, ++number);
		}
}

static void link_to(FILE *out, struct json_object *finding, size_t number)
{
	if (!cli_finding_accuses(finding))
		return;
	fprintf(out, "<li><a href=\"#finding-%zu\">", number);
	cli_html_text(out, cli_doc_text(finding, "text"));
	fputs("</a></li>", out);
}

/* --- the device and the verdict -------------------------------------------------------------------- */

static void verdict(FILE *out, struct json_object *doc)
{
	const char *text = cli_doc_text(doc, "verdict");
	bool evidence = cli_document_is(doc, "fwadmit-evidence");
	bool breach = evidence ? cli_document_accusing(doc) > 0 : strcmp(text, "breach") == 0;
	bool honest = strcmp(text, "honest-so-far") == 0;
	char *words = cli_verdict_words(doc);

	fprintf(out, "<div class=\"verdict%s\" id=\"verdict\"><strong>%s</strong><p>",
		breach   ? " breach"
		: honest ? " honest"
			 : "",
		breach   ? "Breach: it does not keep its word"
		: honest ? "Honest so far"
			 : "Inconclusive");
	if (words && *words)
		words[0] = (char)toupper((unsigned char)words[0]);
	cli_html_take(out, words);
	fputs(honest   ? ". No proof: what was not tried, or not watched, may lie."
	      : breach ? "."
		       : ". Something did not happen again, or could not be watched: neither a "
			 "breach nor a clean bill.",
	      out);
	fputs("</p>", out);
	if (breach) {
		fputs("<ol>", out);
		each_finding(out, doc, link_to);
		fputs("</ol>", out);
	}
	fputs("</div>\n", out);
}

static void fact(FILE *out, const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	cli_html_text(out, text);
	fputs("</dd>", out);
}

static void number_fact(FILE *out, struct json_object *doc, const char *name, const char *key)
{
	if (!cli_doc_has(doc, key))
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	cli_html_number(out, cli_doc_number(doc, key));
	fputs("</dd>", out);
}

static void facts(FILE *out, struct json_object *doc)
{
	struct json_object *d = cli_doc_object(doc, "device"), *t = cli_doc_object(doc, "tool");
	uint64_t ms = cli_doc_number(doc, "elapsed_ms");

	fputs("<dl class=\"facts\">", out);
	fact(out, "Vendor", cli_doc_text(d, "vendor"));
	fact(out, "Model", cli_doc_text(d, "model"));
	fact(out, "Firmware", cli_doc_text(d, "firmware"));
	fact(out, "Serial", cli_doc_text(d, "serial"));
	fact(out, "Family", cli_doc_text(d, "family"));
	fact(out, "Opened as", cli_doc_text(d, "spec"));
	fact(out, "Transport", cli_doc_text(d, "transport"));
	fact(out, "Probe", cli_doc_text(doc, "probe"));
	fact(out, "Seed", cli_doc_text(doc, "seed"));
	number_fact(out, doc, "Commands sent", "executed");
	number_fact(out, doc, "Experiments", "experiments");
	if (cli_doc_has(doc, "elapsed_ms")) {
		fprintf(out, "<dt>Time</dt><dd>%" PRIu64 ".%" PRIu64 " s of ", ms / 1000,
			ms % 1000 / 100);
		cli_html_take(out, cli_budget_words(doc));
		fputs("</dd>", out);
	}
	fputs("<dt>Tool</dt><dd>", out);
	cli_html_text(out, cli_doc_text(t, "name"));
	fputc(' ', out);
	cli_html_text(out, cli_doc_text(t, "version"));
	fputs("</dd>", out);
	fact(out, "Written", cli_doc_text(doc, "time"));
	fputs("</dl>\n<dl><dt>Declarations</dt><dd><code>sha256:", out);
	cli_html_text(out, cli_doc_text(cli_doc_object(doc, "profile"), "sha256"));
	fputs("</code></dd>", out);
	if (cli_document_is(doc, "fwadmit-evidence")) {
		fputs("<dt>Evidence</dt><dd><code>", out);
		cli_html_text(out, cli_doc_text(doc, "id"));
		fputs("</code></dd><dt>Its digest</dt><dd><code>sha256:", out);
		cli_html_text(out, cli_doc_text(doc, "sha256"));
		fputs("</code></dd>", out);
	}
	fputs("</dl>\n", out);
}

static void findings(FILE *out, struct json_object *doc)
{
	size_t n = cli_document_findings(doc);

	fputs("<section id=\"findings\"><h2>Findings</h2>\n", out);
	if (!n)
		fputs("<p>None.</p>\n", out);
	each_finding(out, doc, cli_report_finding);
	fputs("</section>\n", out);
}

/* --- again ---------------------------------------------------------------------------------------- */

/* @text as one word of a shell, whatever is in it. */
static void shell_word(FILE *out, const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,=+-";

	if (*text && strspn(text, plain) == strlen(text)) {
		cli_html_text(out, text);
		return;
	}
	fputs("&#39;", out);
	for (; *text; text++) {
		char one[2] = { *text, '\0' };

		cli_html_text(out, *text == '\'' ? "'\\''" : one);
	}
	fputs("&#39;", out);
}

static void replay_line(FILE *out, struct json_object *doc, const char *id)
{
	fputs("fwadmit verify ", out);
	shell_word(out, cli_doc_text(cli_doc_object(doc, "device"), "spec"));
	fprintf(out, " --replay=%s.json\n", id);
}

/* As --budget takes it: whole seconds, or commands. */
static void budget_option(FILE *out, struct json_object *doc)
{
	struct json_object *b = cli_doc_object(doc, "budget");
	uint64_t ms = cli_doc_number(b, "ms"), commands = cli_doc_number(b, "commands");

	if (commands)
		fprintf(out, " --budget=%" PRIu64, commands);
	else if (ms)
		fprintf(out, " --budget=%" PRIu64 "s", ms / 1000 + (ms % 1000 != 0));
}

static void again(FILE *out, struct json_object *doc)
{
	struct json_object *d = cli_doc_object(doc, "device");
	char id[CLI_DOCUMENT_ID_TEXT];

	fputs("<section id=\"again\"><h2>To do it again</h2>\n", out);
	if (cli_document_is(doc, "fwadmit-evidence")) {
		fputs("<p>With this evidence file, and a device of this model and "
		      "firmware:</p>\n<pre>",
		      out);
		replay_line(out, doc, cli_document_id(doc, id) ? id : "FILE");
		fputs("</pre>\n", out);
	} else {
		if (cli_document_accusing(doc))
			fputs("<p>One finding, with its evidence file, on a device of this model "
			      "and "
			      "firmware:</p>\n<pre>",
			      out);
		for (size_t i = 0; i < cli_document_findings(doc); i++) {
			struct json_object *f = cli_document_finding(doc, i);

			if (cli_finding_accuses(f) && cli_finding_evidence(f, id))
				replay_line(out, doc, id);
		}
		if (cli_document_accusing(doc))
			fputs("</pre>\n", out);
		fputs("<p>The whole campaign:</p>\n<pre>fwadmit verify ", out);
		shell_word(out, cli_doc_text(d, "spec"));
		fputs(" --seed=", out);
		shell_word(out, cli_doc_text(doc, "seed"));
		fputs(" --probe=", out);
		shell_word(out, cli_doc_text(doc, "probe"));
		budget_option(out, doc);
		fputs("</pre>\n", out);
	}
	if (cli_document_accusing(doc))
		fputs("<p>It exits with 8 when it happens again.</p>", out);
	fputs("</section>\n", out);
}

/* --- the page ------------------------------------------------------------------------------------- */

static void page(FILE *out, struct json_object *doc)
{
	bool evidence = cli_document_is(doc, "fwadmit-evidence");

	head(out, doc);
	fputs("<body>\n<header><p class=\"kicker\">fwadmit: ", out);
	fputs(evidence ? "evidence of one finding" : "what a device declares, and what it does",
	      out);
	fputs("</p>\n<h1>", out);
	name_of(out, doc);
	fputs("</h1>\n", out);
	verdict(out, doc);
	facts(out, doc);
	fputs("</header>\n<main>\n", out);
	cli_report_matrix(out, doc);
	findings(out, doc);
	cli_report_coverage(out, doc);
	again(out, doc);
	fputs("</main>\n<footer><p>A change accuses the device when it happened again on fresh "
	      "devices, "
	      "and not without the steps. Clauses are those of fwadmit&#39;s security "
	      "model.</p></footer>\n"
	      "</body>\n</html>\n",
	      out);
}

char *cli_report_page(struct json_object *doc)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool failed;

	if (!out)
		return NULL;
	page(out, doc);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	if (!failed)
		return text;
	free(text);
	return NULL;
}
