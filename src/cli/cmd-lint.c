/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit lint: a device's declarations against the specification and the security model.
 */
#include <stdio.h>

#include "cli/findings.h"

static void print_json(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_findings *f)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, "source", cli_json_source(s));
	json_object_object_add(o, "device", cli_json_device(s));
	json_object_object_add(o, "findings", cli_json_findings(f));
	json_object_object_add(o, "errors", json_object_new_int64((int64_t)f->count[FWA_ERROR]));
	json_object_object_add(o, "warnings",
			       json_object_new_int64((int64_t)f->count[FWA_WARNING]));
	json_object_object_add(o, "notes", json_object_new_int64((int64_t)f->count[FWA_NOTE]));
	cli_json_end(o);
}

static void print_text(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_findings *f)
{
	unsigned int n = fwa_profile_count(s->profile);
	char summary[96];

	cli_print_subject(cli, s);
	putchar('\n');
	cli_print_findings(cli, f, FWA_NOTE);
	if (f->n)
		putchar('\n');
	cli_findings_summary(f, summary, sizeof(summary));
	printf("%u command%s: %s\n", n, n == 1 ? "" : "s", summary);
}

int cli_cmd_lint(struct cli *cli)
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
	if (cli->json)
		print_json(cli, &s, &findings);
	else
		print_text(cli, &s, &findings);
	return findings.count[FWA_ERROR] ? CLI_VIOLATION : CLI_OK;
}
