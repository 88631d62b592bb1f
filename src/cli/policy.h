/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operator's policy files, for embedded workers and for judging here.
 */
#pragma once

#include "cli/cli.h"
#include "host/policy-file.h"

static inline void cli_policy_cleanup(struct fwa_policy_files **p)
{
	*p = fwa_policy_files_free(*p);
}

#define cli_auto_policy __attribute__((cleanup(cli_policy_cleanup)))

/*
 * Reads the policy of --policy, or the standard one. 0; or negative errno with the first error in
 * @error, as "file:line: text".
 */
int cli_policy_load(const struct cli *cli, struct fwa_policy_files **ret,
		    char error[FWA_ERROR_LEN]);

/*
 * The same from @dir alone; or, when it is NULL, the standard directories and the grants that were
 * made for a time, which are in this process's state folder. As fwa_policy_files_load().
 */
int cli_policy_load_from(const char *dir, fwa_policy_message_fn fn, void *userdata,
			 struct fwa_policy_files **ret);
