/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least grant that lets a refused command pass, in the words of a policy file and of `fwadmit grant
 * create` (C30). It is for one user, one device, one command and what that selects, and no more scope
 * and effects than the decision asked for.
 */
#pragma once

#include "cli/decision.h"
#include "cli/text.h"

#define CLI_PROPOSAL_TEXT 2048

struct cli_proposal {
	char file[320]; /* where an operator would put it */
	char name[FWA_GRANT_NAME_MAX];
	char user[64];
	char device[2 * FWA_TEXT_MAX]; /* a pattern that only the device's name matches */
	const char *scope;
	char effects[CLI_EFFECTS_TEXT];
	char commands[CLI_FILTER_ITEM_TEXT];
};

/* Fills @ret for the refused command of @v, whose remedy is a grant. */
void cli_propose(const struct cli *cli, const struct cli_verdict *v, struct cli_proposal *ret);
/* The policy file, a line that names it first. */
void cli_proposal_policy(const struct cli_proposal *p, char text[CLI_PROPOSAL_TEXT]);
/* The command line, quoted for a shell; it grants for an hour. */
void cli_proposal_command(const struct cli_proposal *p, char text[CLI_PROPOSAL_TEXT]);
