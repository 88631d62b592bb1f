/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit monitor: what happens, a line an event, for people and for programs that read a pipe.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/varlink.h"

/* Whether an operator has something to look at. */
static bool alarming(const char *event)
{
	static const char *const events[] = {
		"quarantined",   "baseline_drift",  "finding", "policy_refused",
		"device_failed", "journal_trouble", NULL
	};

	for (size_t i = 0; events[i]; i++) {
		if (strcmp(event, events[i]) == 0)
			return true;
	}
	return false;
}

static void print_text(const struct cli *cli, struct json_object *event)
{
	char name[CLI_MEMBER_TEXT], device[CLI_MEMBER_TEXT], text[CLI_MEMBER_TEXT];
	char when[FWA_TIME_TEXT];
	bool red;

	cli_member(event, "event", "?", name);
	cli_member(event, "device", "", device);
	cli_member(event, "text", "", text);
	red = cli->color && alarming(name);
	for (char *c = name; *c; c++) {
		if (*c == '_')
			*c = '-';
	}
	printf("%s %s%s%s%s%s%s%s\n", cli_time_text(cli_member_number(event, "time", -1), when),
	       red ? "\033[31m" : "", name, red ? "\033[0m" : "", *device ? " " : "", device,
	       *text ? ": " : "", text);
}

static void print_json(const struct cli *cli, struct json_object *event)
{
	static const char *const keys[] = { "event", "device", "text", "time" };
	struct json_object *o = cli_json_begin(cli), *v;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(keys); i++) {
		v = json_object_object_get(event, keys[i]);
		json_object_object_add(o, keys[i], json_object_get(v));
	}
	cli_json_line(o);
}

static bool show(const struct cli *cli, struct json_object *event, void *userdata)
{
	if (cli->json)
		print_json(cli, event);
	else
		print_text(cli, event);
	return fflush(stdout) == 0; /* who reads the pipe wants it now */
}

int cli_cmd_monitor(struct cli *cli)
{
	return cli_varlink_stream(cli, "Subscribe", NULL, show, NULL);
}
