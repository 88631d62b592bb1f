/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit policy check: what is wrong with the operator's files, as the gate reads them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/policy.h"
#include "cli/text.h"
#include "host/discover.h"

struct check {
	const struct cli *cli;
	struct json_object *messages;
	unsigned int errors;
	unsigned int warnings;
};

static void say(struct check *c, const struct fwa_policy_message *m, const char *severity)
{
	struct json_object *o;
	char text[1024];

	if (!c->cli->json) {
		if (m->line)
			snprintf(text, sizeof(text), "%s:%u: %s: %s", m->file, m->line, severity,
				 m->text);
		else
			snprintf(text, sizeof(text), "%s: %s: %s", m->file, severity, m->text);
		cli_one_line(text);
		puts(text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "severity", json_object_new_string(severity));
	json_object_object_add(o, "file", cli_json_text(m->file));
	json_object_object_add(o, "line", m->line ? json_object_new_int64(m->line) : NULL);
	json_object_object_add(o, "message", cli_json_text(m->text));
	json_object_array_add(c->messages, o);
}

static void take_message(const struct fwa_policy_message *m, void *userdata)
{
	struct check *c = userdata;

	c->errors += m->error;
	c->warnings += !m->error;
	say(c, m, m->error ? "error" : "warning");
}

static void take_note(const struct fwa_policy_message *m, void *userdata)
{
	say(userdata, m, "note");
}

/* With --verbose: what is no mistake, and on this machine may yet be none of what was meant. */
static void print_notes(struct check *c, const struct fwa_policy_files *files)
{
	struct fwa_found *devices = NULL;
	size_t n = 0;

	if (fwa_discover(&devices, &n) == 0)
		fwa_policy_files_notes(files, devices, n, take_note, c);
	free(devices);
}

static void print_check_json(struct check *c, const struct fwa_policy_files *files)
{
	struct json_object *o = cli_json_begin(c->cli);

	json_object_object_add(o, "source",
			       files ? cli_json_text(fwa_policy_files_source(files)) : NULL);
	json_object_object_add(o, "policy_digest",
			       files ? cli_json_text(fwa_policy_files_digest(files)) : NULL);
	json_object_object_add(o, "grants",
			       files ? json_object_new_int64(fwa_policy_files_count(files)) : NULL);
	json_object_object_add(o, "errors", json_object_new_int64(c->errors));
	json_object_object_add(o, "warnings", json_object_new_int64(c->warnings));
	json_object_object_add(o, "messages", json_object_get(c->messages));
	cli_json_end(o);
}

static void print_check_text(const struct check *c, const struct fwa_policy_files *files)
{
	if (!files)
		printf("the policy has %u error%s; a running fwadmitd keeps the old one\n",
		       c->errors, c->errors == 1 ? "" : "s");
	else
		printf("%s: %u grant%s, policy %.12s\n", fwa_policy_files_source(files),
		       fwa_policy_files_count(files), fwa_policy_files_count(files) == 1 ? "" : "s",
		       fwa_policy_files_digest(files));
}

int cli_cmd_policy_check(struct cli *cli)
{
	const char *dir = cli->n ? cli->word[0] : cli->args.text[CLI_OPT_POLICY];
	struct check c = { .cli = cli };
	cli_auto_policy struct fwa_policy_files *files = NULL;
	int r;

	if (dir && access(dir, F_OK) < 0)
		return cli_fail_file(cli, dir, -errno);
	c.messages = json_object_new_array();
	r = cli_policy_load_from(dir, take_message, &c, &files);
	if (r < 0 && !c.errors) {
		json_object_put(c.messages);
		return cli_fail(cli, CLI_FAILED, "%s: %s", dir ? dir : "policy", strerror(-r));
	}
	if (r == 0 && cli_given(&cli->args, CLI_OPT_VERBOSE))
		print_notes(&c, files);
	if (cli->json)
		print_check_json(&c, files);
	else
		print_check_text(&c, files);
	json_object_put(c.messages);
	return c.errors ? CLI_VIOLATION : CLI_OK;
}
