/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of `fwadmit verify` share.
 */
#pragma once

#include "cli/cli.h"
#include "cli/document.h"

struct cli_verification {
	struct json_object *doc; /* owned */
	const char *device;      /* as the command line has it */
	const char *dir;         /* where evidence was saved; NULL: nowhere */
};

/* The page for people: what was found, worst first, what was tried, and what to do next. */
void cli_verify_page(const struct cli *cli, const struct cli_verification *v);
/* What would be sent (--plan). */
void cli_verify_plan_page(const struct cli *cli, const struct cli_verification *v);
/* What came of --replay. */
void cli_verify_replay_page(const struct cli *cli, const struct cli_verification *v);
/* "fwadmit verify sim:liar --replay=out/fwadmit-0123456789abcdef.json"; fresh memory. */
char *cli_verify_replay_command(const struct cli_verification *v, const char *id);

/* --- between the verify-*.c files ---------------------------------------------------------------- */

/* The device, in a line. */
void cli_verify_print_device(const struct cli_verification *v);
/* How often it happened, without a line feed. */
void cli_verify_print_runs(struct json_object *finding);
