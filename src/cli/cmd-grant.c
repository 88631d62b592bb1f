/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit grant create, grant list, grant revoke: grants that end by themselves. What they mean is
 * checked where they are kept; here only what no message of the daemon could make clear.
 */
#include <stdio.h>
#include <string.h>

#include "base/pattern.h"
#include "base/util.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/varlink.h"
#include "host/grants.h"

#define LIST_TEXT 512

/* --- create --------------------------------------------------------------------------------- */

/* "a, b" as ["a", "b"]; commas and blanks separate. */
static struct json_object *split(const char *text)
{
	static const char separators[] = ", \t";
	struct json_object *a = json_object_new_array();

	for (;;) {
		size_t len;

		text += strspn(text, separators);
		len = strcspn(text, separators);
		if (!len)
			return a;
		json_object_array_add(a, json_object_new_string_len(text, (int)len));
		text += len;
	}
}

/* Adds the option @id as a list called as the option is. False when there is nothing in it. */
static bool add_list(const struct cli *cli, struct json_object *o, enum cli_option_id id)
{
	struct json_object *a;

	if (!cli_given(&cli->args, id))
		return true;
	a = split(cli->args.text[id]);
	json_object_object_add(o, cli_options[id].name, a);
	return json_object_array_length(a) > 0;
}

static void add_text(const struct cli *cli, struct json_object *o, enum cli_option_id id)
{
	if (cli_given(&cli->args, id))
		json_object_object_add(o, cli_options[id].name,
				       json_object_new_string(cli->args.text[id]));
}

static void add_number(const struct cli *cli, struct json_object *o, enum cli_option_id id,
		       const char *key)
{
	if (cli_given(&cli->args, id))
		json_object_object_add(o, key,
				       json_object_new_int64((int64_t)cli->args.number[id]));
}

static int check_who(const struct cli *cli)
{
	int kinds = cli_given(&cli->args, CLI_OPT_USER) + cli_given(&cli->args, CLI_OPT_GROUP) +
		    cli_given(&cli->args, CLI_OPT_UNIT);

	if (kinds == 0)
		return cli_fail(cli, CLI_USAGE,
				"whom is the grant for? give --user, --group or --unit");
	if (kinds > 1)
		return cli_fail(cli, CLI_USAGE,
				"--user, --group and --unit: a grant has one of them; make two "
				"grants");
	return CLI_OK;
}

static int check_what(const struct cli *cli)
{
	if (!cli_given(&cli->args, CLI_OPT_DEVICE))
		return cli_fail(
			cli, CLI_USAGE,
			"on which device? give --device=NAME, or a pattern such as 'nvme*'");
	if (!cli_given(&cli->args, CLI_OPT_SCOPE) && !cli_given(&cli->args, CLI_OPT_EFFECTS))
		return cli_fail(cli, CLI_USAGE,
				"what may be done? give --effects, --scope or both; `fwadmit "
				"explain` says what a command needs");
	return CLI_OK;
}

/* --for in seconds. */
static int read_span(const struct cli *cli, uint64_t *ret)
{
	const char *text = cli->args.text[CLI_OPT_FOR];

	if (!text)
		return cli_fail(cli, CLI_USAGE,
				"for how long? give --for, such as --for=2h; what is to last "
				"belongs into a policy file");
	if (*text && !text[strspn(text, "0123456789")])
		return cli_fail(cli, CLI_USAGE,
				"--for=%.32s: give a unit, too: s, m, h, d or w, such as --for=2h",
				text);
	if (!cli_duration_parse(text, UINT64_MAX, ret))
		return cli_fail(cli, CLI_USAGE, "--for=%.32s: not a time such as 90m, 2h or 1d12h",
				text);
	if (!*ret)
		return cli_fail(cli, CLI_USAGE,
				"--for=%.32s: such a grant has ended before it begins", text);
	if (*ret > FWA_GRANT_SECONDS_MAX)
		return cli_fail(cli, CLI_USAGE,
				"--for=%.32s: more than a year; what is to last belongs into a "
				"policy file, with \"until\" if it is to end",
				text);
	return CLI_OK;
}

static struct json_object *request(const struct cli *cli, uint64_t seconds, bool *ret_empty)
{
	static const enum cli_option_id lists[] = { CLI_OPT_USER, CLI_OPT_GROUP, CLI_OPT_UNIT,
						    CLI_OPT_DEVICE, CLI_OPT_EFFECTS };
	struct json_object *o = json_object_new_object();

	*ret_empty = false;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(lists); i++)
		*ret_empty |= !add_list(cli, o, lists[i]);
	add_text(cli, o, CLI_OPT_NAME);
	add_text(cli, o, CLI_OPT_SCOPE);
	add_text(cli, o, CLI_OPT_COMMANDS);
	add_text(cli, o, CLI_OPT_TICKET);
	add_text(cli, o, CLI_OPT_RECORD);
	json_object_object_add(o, "seconds", json_object_new_int64((int64_t)seconds));
	add_number(cli, o, CLI_OPT_COMMANDS_PER_SECOND, "commands_per_second");
	add_number(cli, o, CLI_OPT_BYTES_PER_SECOND, "bytes_per_second");
	add_number(cli, o, CLI_OPT_MAX_SESSIONS, "max_sessions");
	return o;
}

static void print_created(const struct cli *cli, struct json_object *grant, uint64_t seconds)
{
	char name[CLI_MEMBER_TEXT], left[CLI_DURATION_TEXT], end[FWA_TIME_TEXT];

	cli_member(grant, "name", "?", name);
	if (cli_given(&cli->args, CLI_OPT_QUIET))
		puts(name);
	else
		printf("grant %s is in force for %s, until %s; to end it now: fwadmit grant revoke "
		       "%s\n",
		       name, cli_duration_text((int64_t)seconds, left),
		       cli_time_text(cli_member_number(grant, "until", -1), end), name);
}

/* Whether a device that fwadmitd serves has a name or a node that one of @patterns is for. */
static bool for_any_device(struct json_object *devices, struct json_object *patterns)
{
	size_t n = devices ? json_object_array_length(devices) : 0;
	char name[CLI_MEMBER_TEXT], spec[CLI_MEMBER_TEXT];

	for (size_t i = 0; i < n; i++) {
		struct json_object *d = json_object_array_get_idx(devices, i);

		cli_member(d, "name", "", name);
		cli_member(d, "spec", "", spec);
		for (size_t j = 0; j < json_object_array_length(patterns); j++) {
			const char *pattern =
				json_object_get_string(json_object_array_get_idx(patterns, j));

			if (fwa_pattern_matches(pattern, name) ||
			    fwa_pattern_matches(pattern, spec))
				return true;
		}
	}
	return false;
}

/* A grant for a device that is yet to come is none to refuse; a slip of the pen is worth a word. */
static void note_no_device(const struct cli *cli, struct json_object *grant)
{
	struct json_object *patterns = cli_member_array(grant, "device"), *reply;
	struct cli_failure failure;
	char list[LIST_TEXT];

	if (!patterns || cli_varlink_try(cli, "ListDevices", NULL, &reply, &failure) != CLI_OK)
		return;
	if (!for_any_device(cli_member_array(reply, "devices"), patterns))
		cli_note(cli, "%s: there is no such device now; the grant is for when there is",
			 cli_member_list(grant, "device", " ", list, sizeof(list)));
	json_object_put(reply);
}

int cli_cmd_grant_create(struct cli *cli)
{
	struct json_object *parameters, *reply, *o;
	uint64_t seconds = 0;
	bool empty;
	int r = check_who(cli);

	if (r == CLI_OK)
		r = check_what(cli);
	if (r == CLI_OK)
		r = read_span(cli, &seconds);
	if (r != CLI_OK)
		return r;
	parameters = request(cli, seconds, &empty);
	if (empty) {
		json_object_put(parameters);
		return cli_fail(cli, CLI_USAGE, "a list of nothing: give at least one of each");
	}
	r = cli_varlink_call(cli, "CreateGrant", parameters, &reply);
	if (r != CLI_OK)
		return r;
	if (cli->json) {
		o = cli_json_begin(cli);
		json_object_object_add(o, "grant",
				       json_object_get(cli_member_object(reply, "grant")));
		cli_json_end(o);
	} else {
		print_created(cli, cli_member_object(reply, "grant"), seconds);
		note_no_device(cli, cli_member_object(reply, "grant"));
	}
	json_object_put(reply);
	return CLI_OK;
}

/* --- list ----------------------------------------------------------------------------------- */

/* "user alice, bob" */
static void who_text(struct json_object *grant, char *text, size_t size)
{
	static const char *const kinds[] = { "user", "group", "unit" };
	char list[LIST_TEXT];

	snprintf(text, size, "nobody");
	for (size_t i = 0; i < FWA_ARRAY_SIZE(kinds); i++) {
		if (*cli_member_list(grant, kinds[i], ", ", list, sizeof(list)))
			snprintf(text, size, "%s %s", kinds[i], list);
	}
}

static void add_row(struct libscols_table *t, struct json_object *grant)
{
	char name[CLI_MEMBER_TEXT], scope[CLI_MEMBER_TEXT], ticket[CLI_MEMBER_TEXT];
	char who[LIST_TEXT + 8], device[LIST_TEXT], effects[LIST_TEXT];
	char left[CLI_DURATION_TEXT], ends[CLI_DURATION_TEXT + 4];
	const char *cells[] = { cli_member(grant, "name", "?", name),
				who,
				cli_member_list(grant, "device", " ", device, sizeof(device)),
				cli_member(grant, "scope", "?", scope),
				effects,
				ends,
				cli_member(grant, "ticket", "-", ticket) };

	who_text(grant, who, sizeof(who));
	cli_member_list(grant, "effects", " ", effects, sizeof(effects));
	if (!cli_member_array(grant, "effects"))
		snprintf(effects, sizeof(effects), "the scope's");
	else if (!*effects)
		snprintf(effects, sizeof(effects), "none");
	snprintf(ends, sizeof(ends), "in %s",
		 cli_duration_text(cli_member_number(grant, "seconds_left", 0), left));
	cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
}

/* What few grants have, below the table. */
static void print_limits(struct json_object *grant)
{
	static const char *const limits[][2] = {
		{ "commands_per_second", "commands-per-second" },
		{ "bytes_per_second", "bytes-per-second" },
		{ "max_sessions", "max-sessions" },
	};
	char name[CLI_MEMBER_TEXT], commands[CLI_MEMBER_TEXT];
	bool any = *cli_member(grant, "commands", "", commands);

	cli_member(grant, "name", "?", name);
	if (any)
		printf("\n%s\n  %-19s  %s\n", name, "commands", commands);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(limits); i++) {
		int64_t n = cli_member_number(grant, limits[i][0], 0);

		if (n <= 0)
			continue;
		if (!any)
			printf("\n%s\n", name);
		any = true;
		printf("  %-19s  %lld for each user\n", limits[i][1], (long long)n);
	}
	if (strcmp(cli_member(grant, "record", "", commands), "payload") == 0)
		printf("%s%s%s  %-19s  payload\n", any ? "" : "\n", any ? "" : name,
		       any ? "" : "\n", "record");
}

static void print_grants(const struct cli *cli, struct json_object *grants, size_t n)
{
	static const char *const heads[] = { "NAME",    "WHO",  "DEVICE", "SCOPE",
					     "EFFECTS", "ENDS", "TICKET" };
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));

	for (size_t i = 0; i < n; i++)
		add_row(t, json_object_array_get_idx(grants, i));
	cli_table_print(t);
	for (size_t i = 0; i < n; i++)
		print_limits(json_object_array_get_idx(grants, i));
}

int cli_cmd_grant_list(struct cli *cli)
{
	struct json_object *reply, *grants, *o;
	size_t n;
	int r = cli_varlink_call(cli, "ListGrants", NULL, &reply);

	if (r != CLI_OK)
		return r;
	grants = cli_member_array(reply, "grants");
	n = grants ? json_object_array_length(grants) : 0;
	if (cli->json) {
		o = cli_json_begin(cli);
		json_object_object_add(o, "grants",
				       grants ? json_object_get(grants) : json_object_new_array());
		cli_json_end(o);
	} else if (n) {
		print_grants(cli, grants, n);
	} else {
		cli_fail(cli, CLI_NOT_FOUND, "there is no time-limited grant");
	}
	json_object_put(reply);
	return n ? CLI_OK : CLI_NOT_FOUND;
}

/* --- revoke --------------------------------------------------------------------------------- */

int cli_cmd_grant_revoke(struct cli *cli)
{
	struct json_object *parameters = json_object_new_object(), *reply, *o;
	int r;

	json_object_object_add(parameters, "name", json_object_new_string(cli->word[0]));
	r = cli_varlink_call(cli, "RevokeGrant", parameters, &reply);
	if (r != CLI_OK)
		return r;
	json_object_put(reply);
	if (!cli->json) {
		cli_note(cli, "grant %s is gone, for running sessions, too", cli->word[0]);
		return CLI_OK;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "name", cli_json_text(cli->word[0]));
	cli_json_end(o);
	return CLI_OK;
}
