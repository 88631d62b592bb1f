/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit status: what the running fwadmitd says about itself and its devices.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/state.h"
#include "cli/table.h"
#include "cli/varlink.h"

static struct json_object *devices_of(struct json_object *info, size_t *ret_n)
{
	struct json_object *a = cli_member_array(info, "devices");

	*ret_n = a ? json_object_array_length(a) : 0;
	return a;
}

/* A number as text, "-" when it is not known. */
static const char *number(struct json_object *o, const char *key, char text[24])
{
	int64_t n = cli_member_number(o, key, -1);

	snprintf(text, 24, n < 0 ? "-" : "%lld", (long long)n);
	return text;
}

/* --- the table ------------------------------------------------------------------------------ */

static const char *state_color(const char *state)
{
	if (strcmp(state, "ready") == 0)
		return NULL;
	return strcmp(state, "starting") == 0 ? "yellow" : "red";
}

static void add_row(struct libscols_table *t, struct json_object *device)
{
	static const char *const texts[] = { "name", "state", "baseline", "spec", "about" };
	static const char *const numbers[] = { "drift", "sessions", "queued", "pid", "restarts" };
	char text[FWA_ARRAY_SIZE(texts)][CLI_MEMBER_TEXT], digits[FWA_ARRAY_SIZE(numbers)][24];

	for (size_t i = 0; i < FWA_ARRAY_SIZE(texts); i++)
		cli_member(device, texts[i], "-", text[i]);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(numbers); i++)
		number(device, numbers[i], digits[i]);
	cli_table_add(t,
		      (const char *[]){ text[0], text[1], digits[3], digits[4], text[2], digits[0],
					digits[1], digits[2], text[3], text[4] },
		      10, 1, state_color(text[1]));
}

static void print_devices(const struct cli *cli, struct json_object *devices, size_t n)
{
	static const char *const heads[] = { "NAME",  "STATE",    "PID",    "RESTARTS", "BASELINE",
					     "DRIFT", "SESSIONS", "QUEUED", "DEVICE",   "ABOUT" };
	struct libscols_table *t;

	if (!n)
		return;
	t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	for (size_t i = 0; i < n; i++)
		add_row(t, json_object_array_get_idx(devices, i));
	putchar('\n');
	cli_table_print(t);
}

/* --- what needs a sentence ------------------------------------------------------------------ */

static void print_remarks(struct json_object *device)
{
	struct json_object *lease = cli_member_object(device, "lease");
	struct json_object *findings = cli_member_array(device, "findings");
	size_t n = findings ? json_object_array_length(findings) : 0;
	int64_t drift = cli_member_number(device, "drift", 0);
	char name[CLI_MEMBER_TEXT], text[1024];

	cli_member(device, "name", "?", name);
	cli_quarantine_text(device, text, sizeof(text));
	if (*text)
		printf("%s: quarantined: %s; `fwadmit release %s` ends it\n", name, text, name);
	if (drift > 0)
		printf("%s: %lld command%s declared otherwise than in the baseline: `fwadmit "
		       "baseline diff %s`\n",
		       name, (long long)drift, drift == 1 ? " is" : "s are", name);
	if (strcmp(cli_member(device, "baseline", "", text), "required") == 0)
		printf("%s: no baseline is pinned for it, as this fwadmitd demands\n", name);
	if (lease) {
		cli_lease_text(lease, text, sizeof(text));
		printf("%s: busy: %s\n", name, text);
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *f = json_object_array_get_idx(findings, i);

		snprintf(text, sizeof(text), "%s",
			 json_object_is_type(f, json_type_string) ? json_object_get_string(f)
								  : "?");
		fwa_make_printable(text);
		printf("%s: finding: %s\n", name, text);
	}
}

/* --- all of it ------------------------------------------------------------------------------ */

static bool remarkable(struct json_object *device)
{
	struct json_object *findings = cli_member_array(device, "findings");
	char text[CLI_MEMBER_TEXT];

	return *cli_member(device, "quarantine", "", text) ||
	       cli_member_number(device, "drift", 0) > 0 || cli_member_object(device, "lease") ||
	       (findings && json_object_array_length(findings)) ||
	       strcmp(cli_member(device, "baseline", "", text), "required") == 0;
}

static void print_text(const struct cli *cli, struct json_object *info)
{
	char version[CLI_MEMBER_TEXT], mode[CLI_MEMBER_TEXT], digest[CLI_MEMBER_TEXT];
	char source[CLI_MEMBER_TEXT], pid[24];
	int64_t grants = cli_member_number(info, "policy_grants", -1);
	struct json_object *devices;
	bool any = false;
	size_t n;

	devices = devices_of(info, &n);
	printf("fwadmitd %s is running, pid %s, %s mode\n",
	       cli_member(info, "version", "?", version), number(info, "pid", pid),
	       cli_member(info, "mode", "?", mode));
	printf("policy %.12s from %s", cli_member(info, "policy_digest", "?", digest),
	       cli_member(info, "policy_source", "?", source));
	if (grants >= 0)
		printf(", %lld grant%s", (long long)grants, grants == 1 ? "" : "s");
	putchar('\n');
	print_devices(cli, devices, n);
	for (size_t i = 0; i < n; i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		if (!remarkable(device))
			continue;
		if (!any)
			putchar('\n');
		any = true;
		print_remarks(device);
	}
}

static void print_json(const struct cli *cli, struct json_object *info)
{
	static const char *const keys[] = {
		"version", "pid",       "policy_digest",  "policy_source", "policy_grants",
		"mode",    "state_dir", "require_pinned", "devices"
	};
	struct json_object *o = cli_json_begin(cli), *v;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(keys); i++) {
		v = json_object_object_get(info, keys[i]);
		json_object_object_add(o, keys[i], json_object_get(v));
	}
	cli_json_end(o);
}

int cli_cmd_status(struct cli *cli)
{
	struct json_object *info;
	int r = cli_varlink_call(cli, "GetInfo", NULL, &info);

	if (r != CLI_OK)
		return r;
	if (cli->json)
		print_json(cli, info);
	else
		print_text(cli, info);
	json_object_put(info);
	return CLI_OK;
}
