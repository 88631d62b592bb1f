/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit report: what verify found, as one HTML page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"
#include "cli/document.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/report.h"

static int read_document(const struct cli *cli, const char *path, struct json_object **ret)
{
	fwa_auto_free uint8_t *text = NULL;
	char error[FWA_ERROR_LEN];
	size_t len;
	int r = fwa_read_file(path, CLI_DOCUMENT_MAX, &text, &len);

	if (r == -EFBIG)
		return cli_fail(cli, CLI_FAILED, "%s: more than %u bytes", path, CLI_DOCUMENT_MAX);
	if (r < 0)
		return cli_fail_file(cli, path, r);
	*ret = cli_document_read(fwa_span(text, len), error);
	if (*ret && (!cli_document_is(*ret, "fwadmit-evidence") ||
		     cli_document_intact(fwa_span(text, len), error)))
		return CLI_OK;
	return cli_fail(cli, CLI_FAILED, "%s: %s", path, error);
}

/* With a file the object says what is in it; without one it has the page itself. */
static void print_json(const struct cli *cli, struct json_object *doc, const char *path,
		       const char *page)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, "kind", cli_json_text(cli_doc_text(doc, "kind")));
	json_object_object_add(o, "findings",
			       json_object_new_int64((int64_t)cli_document_findings(doc)));
	json_object_object_add(o, "file", cli_json_text(path));
	json_object_object_add(o, "html", path ? NULL : cli_json_text(page));
	cli_json_end(o);
}

int cli_cmd_report(struct cli *cli)
{
	const char *output = cli->args.text[CLI_OPT_OUTPUT_PAGE];
	fwa_auto_free char *page = NULL;
	struct json_object *doc = NULL;
	int r;

	if (output && strcmp(output, "-") == 0)
		output = NULL;
	r = read_document(cli, cli->word[0], &doc);
	if (r == CLI_OK)
		page = cli_report_page(doc);
	if (r == CLI_OK && !page)
		r = cli_fail(cli, CLI_FAILED, "out of memory");
	if (r != CLI_OK)
		goto out;
	if (output || !cli->json)
		r = cli_write_output(cli, output ? output : "-",
				     fwa_span((const uint8_t *)page, strlen(page)));
	if (r == CLI_OK && cli->json)
		print_json(cli, doc, output, page);
out:
	json_object_put(doc);
	return r;
}
