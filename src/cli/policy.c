/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of what the policy files say wrong, one line is enough here; `fwadmit policy check` has them all.
 */
#include "cli/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "host/state.h"

static void keep_first_error(const struct fwa_policy_message *m, void *userdata)
{
	char *error = userdata;

	if (m->error && !*error)
		fwa_policy_message_line(m, error);
}

int cli_policy_load_from(const char *dir, fwa_policy_message_fn fn, void *userdata,
			 struct fwa_policy_files **ret)
{
	fwa_auto_free char *state = dir ? NULL : fwa_state_dir(), *grants = NULL;

	if (state && asprintf(&grants, "%s/grants", state) < 0)
		return -ENOMEM;
	return fwa_policy_files_load(dir, grants, fn, userdata, ret);
}

int cli_policy_load(const struct cli *cli, struct fwa_policy_files **ret, char error[FWA_ERROR_LEN])
{
	const char *dir = cli->args.text[CLI_OPT_POLICY];
	int r;

	error[0] = '\0';
	r = cli_policy_load_from(dir, keep_first_error, error, ret);
	if (r < 0 && !*error)
		snprintf(error, FWA_ERROR_LEN, "policy %s: %s", dir ? dir : "files", strerror(-r));
	return r;
}
