/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for a device's state, for status and explain.
 */
#include "cli/state.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/duration.h"
#include "cli/varlink.h"

struct json_object *cli_state_of(const struct cli *cli, const char *device)
{
	struct json_object *reply, *devices, *found = NULL;
	struct cli_failure failure;
	char name[CLI_MEMBER_TEXT];
	size_t n;

	if (cli_varlink_try(cli, "ListDevices", NULL, &reply, &failure) != CLI_OK)
		return NULL;
	devices = cli_member_array(reply, "devices");
	n = devices ? json_object_array_length(devices) : 0;
	for (size_t i = 0; i < n && !found; i++) {
		struct json_object *d = json_object_array_get_idx(devices, i);

		if (strcmp(cli_member(d, "name", "", name), device) == 0)
			found = json_object_get(d);
	}
	json_object_put(reply);
	return found;
}

static void user_text(int64_t uid, char *text, size_t size)
{
	const struct passwd *pw = uid >= 0 && uid < UINT32_MAX ? getpwuid((uid_t)uid) : NULL;

	if (pw)
		snprintf(text, size, "%s", pw->pw_name);
	else
		snprintf(text, size, "uid %lld", (long long)uid);
}

void cli_quarantine_text(struct json_object *device, char *text, size_t size)
{
	int64_t since = cli_member_number(device, "quarantine_since", -1), ago;
	int64_t by = cli_member_number(device, "quarantine_by", -1);
	char reason[CLI_MEMBER_TEXT], when[FWA_TIME_TEXT], span[CLI_DURATION_TEXT];
	char user[64] = "fwadmitd";

	cli_member(device, "quarantine", "", reason);
	if (since <= 0) { /* of a record that cannot be read */
		snprintf(text, size, "%s", reason);
		return;
	}
	if (by >= 0)
		user_text(by, user, sizeof(user));
	ago = (int64_t)(fwa_clock_ns(CLOCK_REALTIME) / 1000000000) - since;
	snprintf(text, size, "%s; by %s at %s%s%s%s", reason, user, cli_time_text(since, when),
		 ago >= 0 ? ", " : "", ago >= 0 ? cli_duration_text(ago, span) : "",
		 ago >= 0 ? " ago" : "");
}

void cli_lease_text(struct json_object *lease, char *text, size_t size)
{
	char command[CLI_MEMBER_TEXT], kind[CLI_MEMBER_TEXT], user[64];
	char pid[48] = "", percent[48] = "", span[CLI_DURATION_TEXT];
	int64_t n = cli_member_number(lease, "pid", 0), done, since, uid;

	cli_member(lease, "kind", "background", kind);
	cli_member(lease, "command", "a command", command);
	uid = cli_member_number(lease, "uid", -1); /* only administrators are told */
	if (uid < 0)
		snprintf(user, sizeof(user), "a user who is not said");
	else
		user_text(uid, user, sizeof(user));
	if (n > 0)
		snprintf(pid, sizeof(pid), " (pid %lld)", (long long)n);
	done = cli_member_number(lease, "percent", -1);
	if (done >= 0 && done <= 100)
		snprintf(percent, sizeof(percent), ", %lld %% done", (long long)done);
	since = (int64_t)(fwa_clock_ns(CLOCK_BOOTTIME) / FWA_NS_PER_S) -
		cli_member_number(lease, "since", INT64_MAX);
	snprintf(text, size, "%s, %s, of %s%s%s%s%s", command, kind, user, pid, percent,
		 since >= 0 ? ", for " : "", since >= 0 ? cli_duration_text(since, span) : "");
}
