/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decision and what to say about it.
 */
#pragma once

#include "cli/command.h"
#include "cli/json.h"

/*
 * Decides here, by what the gate described; nothing is sent. @user: for whom (as a policy file has it).
 * The verdict views @s, whose contract has what is advised of @cmd until the next one, @cmd and @user.
 */
struct cli_verdict cli_verdict_of(struct cli_subject *s, const struct fwa_command *cmd,
				  const char *user);
/* Asks fwadmitd what is in the way, where it may know more than the gate describes. */
void cli_verdict_ask(const struct cli *cli, struct cli_verdict *v);

/*
 * For a command that lost an effect: the effects of the declaration that was accepted. False for any
 * other.
 */
bool cli_verdict_accepted(const struct cli_verdict *v, fwa_effects *ret);

/* One clause without a final stop: why the decision is what it is. */
void cli_verdict_why(const struct cli_verdict *v, char *text, size_t size);
/* The page that explain prints. */
void cli_print_verdict(const struct cli *cli, const struct cli_verdict *v);
/* Whether the grant that admits wants the payload in the journal, and it can be there. */
bool cli_verdict_records_payload(const struct cli_verdict *v);
/* The part of it that is about the decision alone, for one that the journal has. */
void cli_print_recorded(const struct cli_verdict *v);
/* One line of such a page. */
void cli_print_field(const char *name, const char *value);
/* The name of the user who runs this program, or the number of one without a name. */
const char *cli_user_name(void);
