/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would pass in place of a refused command, and who can see to it (C30): a sentence for each
 * reason and detail. The remedy itself is fwa_remedy()'s; here it gets its words.
 */
#pragma once

#include "cli/decision.h"

#define CLI_ADVICE_MAX 5
#define CLI_ADVICE_TEXT 256

/*
 * All of the clauses together, without a final stop, are what it takes. At least one.
 */
struct cli_advice {
	size_t n;
	char pass[CLI_ADVICE_MAX][CLI_ADVICE_TEXT];
	const char *who;
};

/* For a command that @v refuses. */
void cli_advise(const struct cli_verdict *v, struct cli_advice *ret);
