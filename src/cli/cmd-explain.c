/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit explain: the gate's decision, made here from what the gate described; nothing is sent.
 */
#include <stdio.h>

#include "cli/decision.h"
#include "cli/parts.h"
#include "cli/text.h"

/* The device's name that policy patterns are matched with, when there is only a file. */
static void name_file(const struct cli *cli, struct cli_subject *s)
{
	const char *name = cli->args.text[CLI_OPT_DEVICE_NAME];

	if (!name)
		name = cli_subject_is_nvme(s) ? "nvme0" : "mem0";
	snprintf(s->name, sizeof(s->name), "%s", name);
}

/* Whose rights: --as=USER's, root's for a file, else the caller's as the gate said. */
static int choose_rights(const struct cli *cli, struct cli_subject *s)
{
	const char *user = cli->args.text[CLI_OPT_AS];

	if (!s->client)
		name_file(cli, s);
	else if (cli_given(&cli->args, CLI_OPT_DEVICE_NAME))
		return cli_fail(cli, CLI_USAGE, "--device-name is for --from=FILE");
	else if (cli_given(&cli->args, CLI_OPT_UNIT) && !user)
		return cli_fail(cli, CLI_USAGE,
				"--unit: the gate knows the caller's own unit; to judge as if it "
				"was another one, give --as=USER, too");
	return user || !s->client ? cli_subject_judge_as(cli, s, user) : CLI_OK;
}

static const char *user_name(const struct cli *cli, const struct cli_subject *s)
{
	if (cli_given(&cli->args, CLI_OPT_AS))
		return cli->args.text[CLI_OPT_AS];
	return s->client ? cli_user_name() : "root";
}

/* What is unknown is left out. */
static struct json_object *caller_json(const struct fwa_caller *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "uid", json_object_new_int64(c->uid));
	json_object_object_add(o, "gid", json_object_new_int64(c->gid));
	if (c->unit[0])
		json_object_object_add(o, "unit", cli_json_text(c->unit));
	if (c->label[0])
		json_object_object_add(o, "label", cli_json_text(c->label));
	if (c->comm[0])
		json_object_object_add(o, "comm", cli_json_text(c->comm));
	return o;
}

static void print_json(const struct cli *cli, const struct cli_verdict *v)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, "device", cli_json_device(v->subject));
	json_object_object_add(o, "user", cli_json_text(v->user));
	if (v->subject->as_caller)
		json_object_object_add(o, "as", caller_json(&v->subject->caller));
	json_object_object_add(o, "policy_digest", cli_json_text(v->subject->policy_digest));
	json_object_object_add(o, "decision", cli_json_decision(cli, v));
	json_object_object_add(o, "payload_recorded",
			       json_object_new_boolean(cli_verdict_records_payload(v)));
	cli_json_end(o);
}

int cli_cmd_explain(struct cli *cli)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	cli_auto_command struct cli_command c = { .assume = true };
	cli_auto_parts struct cli_parts parts = { 0 };
	struct fwa_command cmd;
	struct cli_verdict v;
	int words, r;

	r = cli_subject_open(cli, &s, &words);
	if (r == CLI_OK)
		r = choose_rights(cli, &s);
	if (r == CLI_OK)
		r = cli_command_read(cli, &s, cli->word[words], &c);
	if (r == CLI_OK)
		r = cli_parts_of(cli, &s, &c, &parts);
	if (r != CLI_OK)
		return r;
	cmd = cli_parts_get(&parts, 0);
	v = cli_verdict_of(&s, &cmd, user_name(cli, &s));
	v.parts = parts.n;
	cli_verdict_ask(cli, &v);
	if (c.assumed)
		cli_note(cli, "%s: judged with zeroes where nothing was given",
			 cli_command_name(c.cmd.set, c.cmd.opcode));
	if (cli->json)
		print_json(cli, &v);
	else
		cli_print_verdict(cli, &v);
	return fwa_admitted(&v.decision) ? CLI_OK : CLI_REFUSED;
}
