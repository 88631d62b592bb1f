/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit log index: brings the index of a journal up to date.
 */
#include "cli/index.h"

int cli_cmd_log_index(struct cli *cli)
{
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	int r = cli_log_open(cli, &log);

	if (r != CLI_OK)
		return r;
	if (!log.id_known)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: the journal is empty", log.dir);
	return cli_index_update(&log, cli_given(&cli->args, CLI_OPT_REBUILD),
				cli_given(&cli->args, CLI_OPT_FOLLOW));
}
