/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operator changes with one call: policy reload, quarantine, release, reprofile.
 */
#include <stdio.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/varlink.h"

/* A message of one text. */
static struct json_object *with(const char *key, const char *value)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, key, json_object_new_string(value));
	return o;
}

static void print_json(const struct cli *cli, const char *key, const char *value, const char *key2,
		       const char *value2)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, key, cli_json_text(value));
	if (key2)
		json_object_object_add(o, key2, cli_json_text(value2));
	cli_json_end(o);
}

int cli_cmd_policy_reload(struct cli *cli)
{
	char digest[CLI_MEMBER_TEXT];
	struct json_object *reply;
	int r;

	if (cli_given(&cli->args, CLI_OPT_POLICY))
		return cli_fail(cli, CLI_USAGE,
				"--policy: fwadmitd reads the policy that it was started with; "
				"`fwadmit policy check DIR` tries another");
	r = cli_varlink_call(cli, "Reload", NULL, &reply);
	if (r != CLI_OK)
		return r;
	cli_member(reply, "policy_digest", "", digest);
	json_object_put(reply);
	if (cli->json)
		print_json(cli, "policy_digest", digest, NULL, NULL);
	else
		cli_note(cli, "policy %.12s is in force for every device", digest);
	return CLI_OK;
}

int cli_cmd_quarantine(struct cli *cli)
{
	const char *device = cli->word[0], *reason = cli->args.text[CLI_OPT_REASON];
	struct json_object *parameters = with("device", device), *reply;
	int r;

	if (!reason)
		reason = "no reason was given";
	json_object_object_add(parameters, "reason", json_object_new_string(reason));
	r = cli_varlink_call(cli, "Quarantine", parameters, &reply);
	if (r != CLI_OK)
		return r;
	json_object_put(reply);
	if (cli->json)
		print_json(cli, "device", device, "quarantine", reason);
	else
		cli_note(cli, "%s is quarantined: no command reaches it until `fwadmit release %s`",
			 device, device);
	return CLI_OK;
}

int cli_cmd_reprofile(struct cli *cli)
{
	const char *device = cli->word[0];
	struct json_object *reply;
	int r = cli_varlink_call(cli, "Reprofile", with("device", device), &reply);

	if (r != CLI_OK)
		return r;
	json_object_put(reply);
	if (cli->json)
		print_json(cli, "device", device, NULL, NULL);
	else
		cli_note(cli, "%s: its declarations are read again; `fwadmit baseline diff %s`",
			 device, device);
	return CLI_OK;
}

int cli_cmd_release(struct cli *cli)
{
	const char *device = cli->word[0];
	struct json_object *reply;
	int r = cli_varlink_call(cli, "Release", with("device", device), &reply);

	if (r != CLI_OK)
		return r;
	json_object_put(reply);
	if (cli->json)
		print_json(cli, "device", device, "quarantine", NULL);
	else
		cli_note(cli, "%s takes commands again", device);
	return CLI_OK;
}
