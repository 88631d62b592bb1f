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

/* What few want to see every day is for --verbose. */
static const struct column {
	const char *head;
	const char *key;
	bool is_number;
	bool verbose;
} columns[] = {
	{ "NAME", "name", false, false },
	{ "STATE", "state", false, false },
	{ "PID", "pid", true, true },
	{ "RESTARTS", "restarts", true, true },
	{ "BASELINE", "baseline", false, false },
	{ "DRIFT", "drift", true, false },
	{ "SESSIONS", "sessions", true, false },
	{ "QUEUED", "queued", true, true },
	{ "DEVICE", "spec", false, true },
	{ "ABOUT", NULL, false, false },
};

#define COLUMNS FWA_ARRAY_SIZE(columns)
#define STATE_COLUMN 1

/* What it is, and while it is not served why. */
static void about(struct json_object *device, char text[CLI_MEMBER_TEXT])
{
	char state[CLI_MEMBER_TEXT], model[CLI_MEMBER_TEXT], firmware[CLI_MEMBER_TEXT];

	cli_member(device, "state", "", state);
	if (!*cli_member(device, "model", "", model) ||
	    (strcmp(state, "ready") != 0 && strcmp(state, "quarantined") != 0))
		cli_member(device, "about", "-", text);
	else
		snprintf(text, CLI_MEMBER_TEXT, "%.120s, %.120s", model,
			 cli_member(device, "firmware", "-", firmware));
}

static void add_row(const struct cli *cli, struct libscols_table *t, struct json_object *device)
{
	char text[COLUMNS][CLI_MEMBER_TEXT], state[CLI_MEMBER_TEXT], digits[24];
	const char *cells[COLUMNS];
	size_t n = 0;

	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->verbose && !cli_given(&cli->args, CLI_OPT_VERBOSE))
			continue;
		if (!c->key)
			about(device, text[i]);
		else if (c->is_number)
			snprintf(text[i], sizeof(text[i]), "%s", number(device, c->key, digits));
		else
			cli_member(device, c->key, "-", text[i]);
		cells[n++] = text[i];
	}
	cli_table_add(t, cells, n, STATE_COLUMN,
		      state_color(cli_member(device, "state", "-", state)));
}

/* "24 devices: 22 ready, 1 quarantined, 1 failed" */
static void print_summary(struct json_object *devices, size_t n)
{
	static const char *const states[] = { "ready", "starting", "quarantined", "failed",
					      "gone" };
	const char *separator = ": ";
	char state[CLI_MEMBER_TEXT];

	printf("%zu device%s", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < FWA_ARRAY_SIZE(states); i++) {
		size_t count = 0;

		for (size_t j = 0; j < n; j++)
			count += strcmp(cli_member(json_object_array_get_idx(devices, j), "state",
						   "", state),
					states[i]) == 0;
		if (!count)
			continue;
		printf("%s%zu %s", separator, count, states[i]);
		separator = ", ";
	}
	putchar('\n');
}

static void print_devices(const struct cli *cli, struct json_object *devices, size_t n)
{
	const char *heads[COLUMNS];
	struct libscols_table *t;
	size_t shown = 0;

	if (!n)
		return;
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!columns[i].verbose || cli_given(&cli->args, CLI_OPT_VERBOSE))
			heads[shown++] = columns[i].head;
	}
	t = cli_table_new(cli, heads, shown);
	for (size_t i = 0; i < n; i++)
		add_row(cli, t, json_object_array_get_idx(devices, i));
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
	int64_t queued = cli_member_number(device, "queued", 0);
	int64_t restarts = cli_member_number(device, "restarts", 0);
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
	if (queued > 0)
		printf("%s: %lld request%s for the device\n", name, (long long)queued,
		       queued == 1 ? " waits" : "s wait");
	if (restarts > 0)
		printf("%s: its worker was started again %lld time%s; the journal says why: "
		       "journalctl -u fwadmitd\n",
		       name, (long long)restarts, restarts == 1 ? "" : "s");
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
	       cli_member_number(device, "drift", 0) > 0 ||
	       cli_member_number(device, "queued", 0) > 0 ||
	       cli_member_number(device, "restarts", 0) > 0 || cli_member_object(device, "lease") ||
	       (findings && json_object_array_length(findings)) ||
	       strcmp(cli_member(device, "baseline", "", text), "required") == 0;
}

/* What is wrong with the file at @path, which begins what is said of it. */
static const char *without_path(const char *text, const char *path)
{
	size_t len = strlen(path);

	return strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
										  : text;
}

/* In one line. A fwadmitd of before there was a journal says nothing of it. */
static void print_journal(struct json_object *journal)
{
	int64_t unsynced = cli_member_number(journal, "unsynced", 0);
	char state[CLI_MEMBER_TEXT], path[CLI_MEMBER_TEXT], text[CLI_MEMBER_TEXT], head[24];

	if (!journal)
		return;
	cli_member(journal, "state", "?", state);
	if (strcmp(state, "none") == 0) {
		puts("no journal is kept: nothing of what is done here is recorded");
		return;
	}
	printf("journal %s, %s", cli_member(journal, "path", "?", path), state);
	if (*cli_member(journal, "trouble", "", text))
		printf(": %s; what cannot be recorded is refused", without_path(text, path));
	printf("; head %s", number(journal, "head", head));
	if (unsynced > 0)
		printf(", %lld bytes wait to be written", (long long)unsynced);
	putchar('\n');
}

static void print_advisories(struct json_object *info)
{
	int64_t n = cli_member_number(info, "advisories", 0);
	char text[CLI_MEMBER_TEXT];

	if (n)
		printf("%lld advisor%s in force\n", (long long)n, n == 1 ? "y is" : "ies are");
	if (*cli_member(info, "advisories_trouble", "", text))
		printf("ADVISORIES: %s; `fwadmit advisory list` shows them\n", text);
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
	if (json_object_get_boolean(json_object_object_get(info, "require_pinned")))
		puts("baselines have to be pinned");
	print_journal(cli_member_object(info, "journal"));
	print_advisories(info);
	if (!*cli_member(info, "state_dir", "", source))
		puts("its state cannot be written: nothing is remembered across a restart");
	print_summary(devices, n);
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
		"version",       "pid",        "policy_digest",      "policy_source",
		"policy_grants", "mode",       "state_dir",          "require_pinned",
		"journal",       "advisories", "advisories_trouble", "devices"
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
