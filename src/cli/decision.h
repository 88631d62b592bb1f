/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decision and what to say about it.
 */
#pragma once

#include "cli/command.h"
#include "cli/json.h"

/* Decides here, by what the gate described; nothing is sent. */
struct cli_verdict cli_verdict_of(const struct cli_subject *s, const struct fwa_command *cmd);

/* One clause without a final stop: why the decision is what it is. */
void cli_verdict_why(const struct cli_verdict *v, char *text, size_t size);
/* The same about a refused command: what would pass, or that nothing would. */
const char *cli_verdict_next(const struct cli_verdict *v);
/* The page that explain prints. @user: for whom a grant would be. */
void cli_print_verdict(const struct cli *cli, const struct cli_subject *s,
		       const struct cli_verdict *v, const char *user);
/* The name of the user who runs this program. */
const char *cli_user_name(void);
