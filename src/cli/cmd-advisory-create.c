/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit advisory create: from the evidence of one finding to a signed advisory.
 *
 * It is about what was found and no more: devices of that vendor, model and firmware, the command with what it
 * selected, and the effects that were seen and not declared.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "base/util.h"
#include "base/uuid.h"
#include "cli/advisory.h"
#include "cli/document.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/output.h"
#include "host/advisory.h"
#include "host/state.h"

/* What a draft views. */
struct made {
	char vendor[2 * FWA_TEXT_MAX], model[2 * FWA_TEXT_MAX];
	char command[128];
	char title[256];
};

static int read_evidence(const struct cli *cli, const char *path, struct json_object **ret)
{
	fwa_auto_free uint8_t *text = NULL;
	char error[FWA_ERROR_LEN] = "";
	size_t len;
	int r = fwa_read_file(path, CLI_DOCUMENT_MAX, &text, &len);

	if (r < 0)
		return cli_fail_file(cli, path, r);
	*ret = cli_document_read(fwa_span(text, len), error);
	if (!*ret)
		return cli_fail(cli, CLI_FAILED, "%s: %s", path, error);
	if (!cli_document_is(*ret, "fwadmit-evidence"))
		return cli_fail(cli, CLI_FAILED,
				"%s: that is a campaign; give the evidence of one finding", path);
	if (!cli_document_intact(fwa_span(text, len), error))
		return cli_fail(cli, CLI_FAILED, "%s: %s", path, error);
	if (!cli_finding_accuses(cli_document_finding(*ret, 0)))
		return cli_fail(cli, CLI_FAILED,
				"%s: what was found there is no accusation that happened again",
				path);
	return CLI_OK;
}

/* " lid:2": what the command selected, if that tells its forms apart. */
static void add_selector(struct json_object *finding, char *text, size_t size)
{
	static const char *const numbers[] = { "lid", "fid", "cns" };
	struct json_object *selector = cli_doc_object(finding, "selector");
	const char *uuid = cli_doc_text(selector, "uuid");

	if (*uuid)
		snprintf(text, size, " uuid:%.36s", uuid);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(numbers) && !*uuid; i++)
		if (cli_doc_has(selector, numbers[i]))
			snprintf(text, size, " %s:%llu", numbers[i],
				 (unsigned long long)cli_doc_number(selector, numbers[i]));
}

/* The command in the words of policy files. False when the finding is about none. */
static bool command_of(struct json_object *finding, char *text, size_t size)
{
	static const char *const sets[] = {
		[FWA_SET_CXL] = "cxl", [FWA_SET_NVME_ADMIN] = "admin", [FWA_SET_NVME_IO] = "io"
	};
	unsigned int set;
	uint16_t opcode;
	int n;

	if (!cli_doc_command(finding, &set, &opcode))
		return false;
	n = snprintf(text, size, set == FWA_SET_CXL ? "%s:%04xh" : "%s:%02xh", sets[set], opcode);
	add_selector(finding, text + n, size - (size_t)n);
	return true;
}

/* --expires=TIME: a span from now, or a time. */
static int end_of(const struct cli *cli, const struct fwa_moment *now, uint64_t *ret)
{
	const char *text = cli->args.text[CLI_OPT_EXPIRES];
	uint64_t seconds;

	*ret = 0;
	if (!text)
		return CLI_OK;
	if (cli_duration_parse(text, 100ull * 366 * 86400, &seconds) && seconds) {
		*ret = now->wall + seconds;
		return CLI_OK;
	}
	if (fwa_time_parse(text, ret) && *ret > now->wall)
		return CLI_OK;
	return cli_fail(cli, CLI_USAGE,
			"--expires=%.32s: not a time to come such as 90d or 2030-01-01T00:00:00Z",
			text);
}

static int draft_of(const struct cli *cli, struct json_object *doc, struct made *m,
		    struct fwa_advisory_draft *d)
{
	struct json_object *finding = cli_document_finding(doc, 0);
	struct json_object *device = cli_doc_object(doc, "device");
	const char *path = cli->word[0];

	if (!command_of(finding, m->command, sizeof(m->command)))
		return cli_fail(cli, CLI_FAILED, "%s: the finding is about no command", path);
	if (!fwa_pattern_exactly(cli_doc_text(device, "vendor"), m->vendor, sizeof(m->vendor)) ||
	    !fwa_pattern_exactly(cli_doc_text(device, "model"), m->model, sizeof(m->model)))
		return cli_fail(cli, CLI_FAILED, "%s: its device's names are too long", path);
	snprintf(m->title, sizeof(m->title), "%.255s", cli_doc_text(finding, "text"));
	d->never = cli_given(&cli->args, CLI_OPT_NEVER);
	d->effects = cli_doc_effects(finding, "undeclared");
	if (!d->never && (!d->effects || d->effects & FWA_EFFECT_UNKNOWN))
		return cli_fail(
			cli, CLI_FAILED,
			"%s: no undeclared effect was seen that could be added: give --never "
			"to forbid the command",
			path);
	d->id = cli->args.text[CLI_OPT_ID];
	d->title = *m->title ? m->title : NULL;
	d->reference = cli->args.text[CLI_OPT_REFERENCE];
	d->family = cli_doc_text(device, "family");
	d->vendor = m->vendor;
	d->model = m->model;
	d->firmware_from = d->firmware_to = cli_doc_text(device, "firmware");
	d->command = m->command;
	d->evidence_sha256 = cli_doc_text(doc, "sha256");
	return CLI_OK;
}

static int make(const struct cli *cli, struct json_object *doc, char **ret)
{
	fwa_auto_free char *state = fwa_state_dir();
	struct fwa_advisory_place place = { .state = state };
	struct fwa_advisory_draft d = { 0 };
	char error[FWA_ERROR_LEN] = "";
	struct fwa_moment now;
	struct made m = { 0 };
	int r;

	if (!state)
		return cli_fail(cli, CLI_FAILED,
				"there is no state folder: set FWADMIT_STATE_DIR or HOME");
	fwa_moment_now(&now);
	r = end_of(cli, &now, &d.expires);
	if (r == CLI_OK)
		r = draft_of(cli, doc, &m, &d);
	if (r != CLI_OK)
		return r;
	r = fwa_advisory_make(&place, &d, cli->args.text[CLI_OPT_SIGN_KEY], &now, ret, error);
	return r < 0 ? cli_fail(cli, CLI_FAILED, "%s: %s", cli->word[0],
				*error ? error : strerror(-r))
		     : CLI_OK;
}

int cli_cmd_advisory_create(struct cli *cli)
{
	const char *output = cli->args.text[CLI_OPT_OUTPUT_ADVISORY];
	fwa_auto_free char *text = NULL;
	struct json_object *doc = NULL, *o;
	struct fwa_span envelope;
	int r = read_evidence(cli, cli->word[0], &doc);

	if (r == CLI_OK)
		r = make(cli, doc, &text);
	json_object_put(doc);
	if (r != CLI_OK)
		return r;
	envelope = fwa_span((const uint8_t *)text, strlen(text));
	if (!output)
		return cli_advisory_import(cli, cli->word[0], envelope);
	r = cli_write_output(cli, output, envelope);
	if (r == CLI_OK && cli->json && strcmp(output, "-") != 0) {
		o = cli_json_begin(cli);
		json_object_object_add(o, "file", cli_json_text(output));
		cli_json_end(o);
	}
	return r;
}
