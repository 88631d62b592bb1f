/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit advisory import, list, show, remove, export.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "base/util.h"
#include "cli/advisory.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/varlink.h"
#include "host/advisory.h"

int cli_cmd_advisory_import(struct cli *cli)
{
	fwa_auto_free uint8_t *text = NULL;
	size_t len;
	int r = fwa_read_file(cli->word[0], FWA_ADVISORY_FILE_MAX, &text, &len);

	if (r < 0)
		return cli_fail_file(cli, cli->word[0], r);
	return cli_advisory_import(cli, cli->word[0], fwa_span(text, len));
}

int cli_cmd_advisory_remove(struct cli *cli)
{
	struct json_object *o;
	int r = cli_advisory_remove(cli, cli->word[0]);

	if (r != CLI_OK)
		return r;
	if (!cli->json) {
		cli_note(cli, "advisory %s is gone; older editions of it are still refused",
			 cli->word[0]);
		return CLI_OK;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "id", cli_json_text(cli->word[0]));
	cli_json_end(o);
	return CLI_OK;
}

/* --- list ------------------------------------------------------------------------------------- */

static const char *time_of(struct json_object *o, const char *key, const char *otherwise,
			   char text[FWA_TIME_TEXT])
{
	int64_t t = cli_member_number(o, key, -1);

	return t > 0 ? cli_time_text(t, text) : otherwise;
}

static void add_row(struct libscols_table *t, struct json_object *o)
{
	char id[CLI_MEMBER_TEXT], status[CLI_MEMBER_TEXT], title[CLI_MEMBER_TEXT];
	char expires[FWA_TIME_TEXT], sequence[24], error[CLI_MEMBER_TEXT];
	const char *cells[] = { id, status, sequence, NULL, title };

	cli_member(o, "id", "?", id);
	cli_member(o, "status", "?", status);
	cli_member(o, "title", "", title);
	snprintf(sequence, sizeof(sequence), "%lld",
		 (long long)cli_member_number(o, "sequence", 0));
	cells[3] = time_of(o, "expires", "-", expires);
	if (*cli_member(o, "error", "", error))
		cells[4] = error;
	cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 1,
		      strcmp(status, "bad") == 0        ? "red"
		      : strcmp(status, "in-force") == 0 ? NULL
							: "yellow");
}

int cli_cmd_advisory_list(struct cli *cli)
{
	static const char *const heads[] = { "ID", "STATUS", "EDITION", "EXPIRES", "TITLE" };
	struct libscols_table *t;
	struct json_object *all, *o;
	size_t n;
	int r = cli_advisory_list(cli, NULL, &all);

	if (r != CLI_OK)
		return r;
	n = json_object_array_length(all);
	if (cli->json) {
		o = cli_json_begin(cli);
		json_object_object_add(o, "advisories", json_object_get(all));
		cli_json_end(o);
	} else if (n) {
		t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
		for (size_t i = 0; i < n; i++)
			add_row(t, json_object_array_get_idx(all, i));
		cli_table_print(t);
	} else {
		cli_fail(cli, CLI_NOT_FOUND, "there is no advisory");
	}
	json_object_put(all);
	return n ? CLI_OK : CLI_NOT_FOUND;
}

/* --- show ------------------------------------------------------------------------------------- */

/* The document, fresh; NULL when it has none. */
static struct json_object *document_of(struct json_object *advisory)
{
	struct json_object *text = NULL;

	if (!json_object_object_get_ex(advisory, "document", &text) ||
	    !json_object_is_type(text, json_type_string))
		return NULL;
	return json_tokener_parse(json_object_get_string(text));
}

static void print_item(struct json_object *o)
{
	char *text = strdup(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));

	if (text)
		fwa_make_printable(text);
	printf("    %s\n", text ? text : "?");
	free(text);
}

static void print_list(struct json_object *document, const char *key)
{
	struct json_object *list = document ? cli_member_array(document, key) : NULL;
	size_t n = list ? json_object_array_length(list) : 0;

	if (n)
		printf("  %s\n", key);
	for (size_t i = 0; i < n; i++)
		print_item(json_object_array_get_idx(list, i));
}

static void print_line(struct json_object *o, const char *key)
{
	char text[CLI_MEMBER_TEXT];

	if (*cli_member(o, key, "", text))
		printf("  %-10s %s\n", key, text);
}

static void print_one(struct json_object *o, struct json_object *document)
{
	char id[CLI_MEMBER_TEXT], when[FWA_TIME_TEXT];

	printf("advisory %s, edition %lld\n", cli_member(o, "id", "?", id),
	       (long long)cli_member_number(o, "sequence", 0));
	print_line(o, "title");
	print_line(o, "status");
	print_line(o, "error");
	print_line(o, "reference");
	print_line(o, "signer");
	print_line(o, "key");
	printf("  %-10s %s\n", "issued", time_of(o, "issued", "-", when));
	printf("  %-10s %s\n", "expires", time_of(o, "expires", "never", when));
	print_list(document, "products");
	print_list(document, "commands");
	print_list(document, "evidence");
}

int cli_cmd_advisory_show(struct cli *cli)
{
	struct json_object *all, *one, *document, *o;
	int r = cli_advisory_list(cli, cli->word[0], &all);

	if (r != CLI_OK)
		return r;
	one = json_object_array_get_idx(all, 0);
	document = document_of(one);
	if (cli->json) {
		json_object_object_add(one, "document", document);
		o = cli_json_begin(cli);
		json_object_object_add(o, "advisory", json_object_get(one));
		cli_json_end(o);
	} else {
		print_one(one, document);
		json_object_put(document);
	}
	json_object_put(all);
	return CLI_OK;
}

/* --- export ----------------------------------------------------------------------------------- */

/* What is known of it, as the store has it; views @advisory but for the document. */
static void take(struct json_object *advisory, struct fwa_advisory_file *f)
{
	char text[CLI_MEMBER_TEXT];
	int64_t n;

	memset(f, 0, sizeof(*f));
	snprintf(f->id, sizeof(f->id), "%.63s", cli_member(advisory, "id", "?", text));
	snprintf(f->title, sizeof(f->title), "%s", cli_member(advisory, "title", "", text));
	snprintf(f->reference, sizeof(f->reference), "%s",
		 cli_member(advisory, "reference", "", text));
	snprintf(f->key, sizeof(f->key), "%.64s", cli_member(advisory, "key", "", text));
	snprintf(f->signer, sizeof(f->signer), "%s", cli_member(advisory, "signer", "", text));
	n = cli_member_number(advisory, "sequence", 0);
	f->sequence = n > 0 ? (uint64_t)n : 0;
	n = cli_member_number(advisory, "issued", 0);
	f->issued = n > 0 ? (uint64_t)n : 0;
	n = cli_member_number(advisory, "expires", 0);
	f->expires = n > 0 ? (uint64_t)n : 0;
	n = cli_member_number(advisory, "commands", 0);
	f->n_commands = n > 0 ? (size_t)n : 0;
	f->document = document_of(advisory);
}

/* The publisher is whoever has signed it; CSAF wants a URI for him, and the key is the only one that there is. */
static struct json_object *csaf_of(struct json_object *advisory)
{
	struct fwa_advisory_file f;
	struct json_object *csaf;
	char uri[96];

	take(advisory, &f);
	snprintf(uri, sizeof(uri), "urn:sha256:%s", f.key);
	csaf = fwa_advisory_csaf(&f, f.signer, uri);
	fwa_advisory_file_clear(&f);
	return csaf;
}

int cli_cmd_advisory_export(struct cli *cli)
{
	const int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *output = cli->args.text[CLI_OPT_OUTPUT_PAGE], *text;
	struct json_object *all, *csaf, *o;
	int r = cli_advisory_list(cli, cli->word[0], &all);

	if (r != CLI_OK)
		return r;
	csaf = csaf_of(json_object_array_get_idx(all, 0));
	text = csaf ? json_object_to_json_string_ext(csaf, how) : NULL;
	if (!text) {
		r = cli_fail(cli, CLI_FAILED, "%s: its document cannot be had", cli->word[0]);
	} else if (cli->json && !output) {
		o = cli_json_begin(cli);
		json_object_object_add(o, "csaf", json_object_get(csaf));
		cli_json_end(o);
	} else {
		fwa_auto_free char *page = NULL;
		int len = asprintf(&page, "%s\n", text);

		r = len < 0 ? cli_fail(cli, CLI_FAILED, "out of memory")
			    : cli_write_output(cli, output ? output : "-",
					       fwa_span((const uint8_t *)page, (size_t)len));
	}
	json_object_put(csaf);
	json_object_put(all);
	return r;
}
