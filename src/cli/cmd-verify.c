/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit verify: what a device declares, against what it does. The program fwadmit-verify does it; here its
 * document is shown and saved.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/util.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/verifier.h"
#include "cli/verify.h"
#include "host/discover.h"

#define BUDGET_MS 60000u
#define BUDGET_SECONDS_MAX (366u * 86400u)

/* --- the device ---------------------------------------------------------------------------------- */

static int refuse_name(const struct cli *cli, const char *name)
{
	const char *dir = strncmp(name, "mem", 3) == 0 ? "/dev/cxl/" : "/dev/";
	fwa_auto_free char *socket = NULL;
	struct stat st;

	if (strncmp(name, "fwctl", 5) == 0)
		dir = "/dev/fwctl/";
	if (asprintf(&socket, "%s/%s.sock", cli_socket_dir(cli), name) < 0)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	if (stat(socket, &st) == 0)
		return cli_fail(
			cli, CLI_USAGE,
			"%.64s: fwadmitd serves it, and verify needs a device for itself, past "
			"the gate: fwadmit quarantine %.64s, then fwadmit verify %s%.64s",
			name, name, dir, name);
	return cli_fail(cli, CLI_NOT_FOUND,
			"%.64s: not a device; give a path (%s%.64s), sim:.. or qtest:..", name, dir,
			name);
}

/* What the transports call the device @word. CLI_OK, or the code after cli_fail(). */
static int read_device(const struct cli *cli, const char *word, char spec[512])
{
	char error[FWA_ERROR_LEN];
	struct fwa_found found;
	int r;

	if (!*word)
		return cli_fail(cli, CLI_USAGE, "the device's name is empty");
	if (strncmp(word, "sim:", 4) != 0 && strncmp(word, "qtest:", 6) != 0) {
		if (!strchr(word, '/'))
			return refuse_name(cli, word);
		r = fwa_discover_path(word, &found, error);
		if (r < 0)
			return cli_fail(cli, r == -ENOENT ? CLI_NOT_FOUND : CLI_FAILED, "%s",
					error);
		word = found.spec;
	}
	if (strlen(word) >= 512)
		return cli_fail(cli, CLI_USAGE, "%.64s..: too long for a device", word);
	strcpy(spec, word);
	return CLI_OK;
}

/* --- options ------------------------------------------------------------------------------------- */

static int add_budget(const struct cli *cli, struct cli_verifier *v)
{
	const char *text = cli->args.text[CLI_OPT_BUDGET];
	uint64_t n;

	if (!text)
		cli_verifier_addf(v, "budget-ms", "%u", BUDGET_MS);
	else if (fwa_parse_number(text, INT64_MAX, &n) && n)
		cli_verifier_addf(v, "budget-commands", "%" PRIu64, n);
	else if (cli_duration_parse(text, BUDGET_SECONDS_MAX, &n) && n)
		cli_verifier_addf(v, "budget-ms", "%" PRIu64, n * 1000);
	else
		return cli_fail(
			cli, CLI_USAGE,
			"--budget=%.64s: not a time such as 30s or 2h, nor a number of commands",
			text);
	return CLI_OK;
}

/* Which command a name stands for depends on the device: it is asked what it is, as every verb does. */
static int add_command(const struct cli *cli, struct cli_verifier *v)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	cli_auto_command struct cli_command c = { 0 };
	int r = cli_subject_open_device(cli, cli->word[0], &s);

	if (r == CLI_OK)
		r = cli_command_name_read(cli, &s, cli->args.text[CLI_OPT_COMMAND], &c);
	if (r != CLI_OK)
		return r;
	cli_verifier_add(v, "set", fwa_set_name(c.cmd.set));
	cli_verifier_addf(v, "opcode", "0x%x", c.cmd.opcode);
	return CLI_OK;
}

static const cli_option_set search = CLI_BIT(CLI_OPT_PLAN) | CLI_BIT(CLI_OPT_COMMAND) |
				     CLI_BIT(CLI_OPT_BUDGET) | CLI_BIT(CLI_OPT_SEED) |
				     CLI_BIT(CLI_OPT_OUTPUT_DIR);

/* Options that mean nothing together are a mistake worth stopping for. */
static int check_options(const struct cli *cli)
{
	cli_option_set idle = 0;
	const char *beside = "--replay";

	if (cli_given(&cli->args, CLI_OPT_REPLAY)) {
		idle = cli->args.given & search;
	} else if (cli_given(&cli->args, CLI_OPT_PLAN)) {
		idle = cli->args.given & (CLI_BIT(CLI_OPT_BUDGET) | CLI_BIT(CLI_OPT_OUTPUT_DIR));
		beside = "--plan";
	}
	for (int i = 0; i < CLI_OPT_COUNT; i++)
		if (idle & CLI_BIT(i))
			return cli_fail(cli, CLI_USAGE, "--%s means nothing with %s",
					cli_options[i].name, beside);
	return CLI_OK;
}

static int add_options(const struct cli *cli, struct cli_verifier *v)
{
	const struct cli_args *a = &cli->args;
	int r = check_options(cli);

	if (cli_given(a, CLI_OPT_PROBE))
		cli_verifier_add(v, "probe", a->text[CLI_OPT_PROBE]);
	if (cli_given(a, CLI_OPT_SEED))
		cli_verifier_addf(v, "seed", "%" PRIu64, a->number[CLI_OPT_SEED]);
	if (cli_given(a, CLI_OPT_SERIAL))
		cli_verifier_add(v, "serial", a->text[CLI_OPT_SERIAL]);
	if (cli_given(a, CLI_OPT_TIMEOUT))
		cli_verifier_addf(v, "timeout", "%u", cli_timeout(cli, 0));
	if (cli_given(a, CLI_OPT_PLAN))
		cli_verifier_add(v, "plan", NULL);
	if (cli_given(a, CLI_OPT_REPLAY))
		cli_verifier_add(v, "replay", a->text[CLI_OPT_REPLAY]);
	else if (r == CLI_OK)
		r = add_budget(cli, v);
	if (r == CLI_OK && cli_given(a, CLI_OPT_COMMAND))
		r = add_command(cli, v);
	v->progress = !cli->json && !cli_given(a, CLI_OPT_QUIET) && isatty(STDERR_FILENO);
	if (v->progress)
		cli_verifier_add(v, "progress", NULL);
	return r;
}

/* --- files --------------------------------------------------------------------------------------- */

/* Only beside files: what goes through a link or into a device is not kept. */
static int save(const struct cli *cli, const char *dir, const char *name, const char *text)
{
	fwa_auto_free char *path = NULL;
	struct stat st;

	if (!text || asprintf(&path, "%s/%s", dir, name) < 0)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return cli_fail(cli, CLI_FAILED, "%s: not a file, so it is not replaced", path);
	return cli_write_output(cli, path, fwa_span((const uint8_t *)text, strlen(text)));
}

static int save_evidence(const struct cli *cli, const char *dir, struct json_object *finding)
{
	char id[CLI_DOCUMENT_ID_TEXT], name[64];
	const char *text = cli_finding_evidence(finding, id);

	if (!text)
		return cli_fail(cli, CLI_FAILED, "fwadmit-verify accuses without evidence");
	snprintf(name, sizeof(name), "%s.json", id);
	return save(cli, dir, name, text);
}

/* Before an hour goes into what cannot be saved. */
static int check_dir(const struct cli *cli, const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return cli_fail(cli, CLI_FAILED, "%s: %s", dir, strerror(errno));
	if (stat(dir, &st) < 0)
		return cli_fail(cli, CLI_FAILED, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return cli_fail(cli, CLI_FAILED, "%s: not a directory", dir);
	if (access(dir, W_OK | X_OK) < 0)
		return cli_fail(cli, CLI_FAILED, "%s: cannot write: %s", dir, strerror(errno));
	return CLI_OK;
}

/* The campaign, and a file for each finding that accuses. */
static int save_all(const struct cli *cli, const struct cli_verification *v)
{
	int r = save(cli, v->dir, "campaign.json",
		     json_object_to_json_string_ext(
			     v->doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					     JSON_C_TO_STRING_NOSLASHESCAPE));

	for (size_t i = 0; i < cli_document_findings(v->doc) && r == CLI_OK; i++) {
		struct json_object *f = cli_document_finding(v->doc, i);

		if (cli_finding_accuses(f))
			r = save_evidence(cli, v->dir, f);
	}
	return r;
}

/* --- output -------------------------------------------------------------------------------------- */

char *cli_verify_replay_command(const struct cli_verification *v, const char *id)
{
	char *text;

	if (asprintf(&text, "fwadmit verify %s --replay=%s%s%s.json", v->device,
		     v->dir ? v->dir : "", v->dir ? "/" : "", id) < 0)
		return NULL;
	return text;
}

/* A copy of the members @keys of @from. */
static struct json_object *pick(struct json_object *from, const char *const *keys, size_t n)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < n; i++) {
		struct json_object *v;

		if (json_object_object_get_ex(from, keys[i], &v))
			json_object_object_add(o, keys[i], json_object_get(v));
	}
	return o;
}

static struct json_object *breach_json(const struct cli_verification *v,
				       struct json_object *finding)
{
	static const char *const keys[] = { "set",        "opcode",   "opcode_hex", "name",
					    "selector",   "declared", "floor",      "observed",
					    "undeclared", "severity", "clause",     "kind",
					    "text" };
	struct json_object *o = pick(finding, keys, FWA_ARRAY_SIZE(keys));
	char id[CLI_DOCUMENT_ID_TEXT], error[FWA_ERROR_LEN];
	const char *text = cli_finding_evidence(finding, id);
	fwa_auto_free char *replay = text ? cli_verify_replay_command(v, id) : NULL;

	json_object_object_add(
		o, "evidence",
		text ? cli_document_read(fwa_span((const uint8_t *)text, strlen(text)), error)
		     : NULL);
	json_object_object_add(o, "replay", cli_json_text(replay));
	return o;
}

/* All that the document has, under the names of the contract. */
static void print_json(const struct cli *cli, const struct cli_verification *v)
{
	struct json_object *o = cli_json_begin(cli), *breaches = json_object_new_array();
	struct json_object *device = cli_doc_object(v->doc, "device");

	if (device)
		json_object_object_add(device, "name", cli_json_text(v->device));
	for (size_t i = 0; i < cli_document_findings(v->doc); i++) {
		struct json_object *f = cli_document_finding(v->doc, i);

		if (cli_finding_accuses(f))
			json_object_array_add(breaches, breach_json(v, f));
	}
	json_object_object_foreach(v->doc, key, value)
	{
		if (strcmp(key, "format_version") != 0)
			json_object_object_add(o, key, json_object_get(value));
	}
	if (cli_document_is(v->doc, "fwadmit-campaign"))
		json_object_object_add(o, "breaches", breaches);
	else
		json_object_put(breaches);
	cli_json_end(o);
}

static void print_page(const struct cli *cli, const struct cli_verification *v)
{
	if (cli_document_is(v->doc, "fwadmit-plan"))
		cli_verify_plan_page(cli, v);
	else if (cli_document_is(v->doc, "fwadmit-replay"))
		cli_verify_replay_page(cli, v);
	else
		cli_verify_page(cli, v);
}

/* --- all together -------------------------------------------------------------------------------- */

/* What the program could not do. It exits as this one does. */
static int fail(const struct cli *cli, const struct cli_verifier *v, const char *device)
{
	int code = v->status == CLI_USAGE || v->status == CLI_NOT_FOUND ? v->status : CLI_FAILED;

	if (v->status < 0)
		return cli_fail(cli, code, "%.128s: fwadmit-verify was killed", device);
	if (!*v->said)
		return cli_fail(cli, code, "%.128s: fwadmit-verify failed", device);
	return cli_fail(cli, code, "%.200s", v->said);
}

static const char *kind_wanted(const struct cli *cli)
{
	if (cli_given(&cli->args, CLI_OPT_REPLAY))
		return "fwadmit-replay";
	return cli_given(&cli->args, CLI_OPT_PLAN) ? "fwadmit-plan" : "fwadmit-campaign";
}

/* The document says what happened: the exit code has to agree with it. */
static int conclude(const struct cli *cli, const struct cli_verifier *v,
		    const struct cli_verification *what)
{
	bool accused = v->status == CLI_VIOLATION;
	int r = CLI_OK;

	if ((v->status != CLI_OK && !accused) || !what->doc)
		return fail(cli, v, what->device);
	if (!cli_document_is(what->doc, kind_wanted(cli)) ||
	    (cli_document_is(what->doc, "fwadmit-campaign") &&
	     (cli_document_fault(what->doc) || accused != (cli_document_accusing(what->doc) > 0))))
		return cli_fail(cli, CLI_FAILED, "fwadmit-verify contradicts itself");
	if (what->dir)
		r = save_all(cli, what);
	if (r != CLI_OK)
		return r;
	if (*v->said && !v->progress)
		cli_note(cli, "%s", v->said);
	if (cli->json)
		print_json(cli, what);
	else
		print_page(cli, what);
	return accused ? CLI_VIOLATION : CLI_OK;
}

int cli_cmd_verify(struct cli *cli)
{
	cli_auto_verifier struct cli_verifier v = { 0 };
	struct cli_verification what = { .device = cli->word[0],
					 .dir = cli->args.text[CLI_OPT_OUTPUT_DIR] };
	char spec[512], error[FWA_ERROR_LEN];
	int r = read_device(cli, cli->word[0], spec);

	if (r != CLI_OK)
		return r;
	cli_verifier_add(&v, "device", spec);
	r = add_options(cli, &v);
	if (r == CLI_OK && what.dir)
		r = check_dir(cli, what.dir);
	if (r != CLI_OK)
		return r;
	if (cli_verifier_run(&v, &what.doc, error) < 0)
		r = cli_fail(cli, CLI_FAILED, "%s", error);
	else
		r = conclude(cli, &v, &what);
	json_object_put(what.doc);
	return r;
}
