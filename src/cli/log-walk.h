/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that are asked for, in their order, with or without an index: the same ones.
 */
#pragma once

#include "cli/log-filter.h"

struct cli_walk {
	struct cli_log *log;
	const struct cli_filter *filter;
	struct fwa_cursor *cursor;
	struct cli_outcomes *outcomes;
	uint64_t start;     /* the first number that may be shown */
	uint64_t end;       /* and the first that may not: 0: none */
	uint64_t last;      /* the last number that was looked at */
	bool by_index;      /* what comes next is looked for in the index */
	bool damaged;       /* something could not be read; it was said */
	bool want_outcomes; /* look for the outcomes of decisions */
};

#define cli_auto_walk __attribute__((cleanup(cli_walk_end)))

/*
 * Begins at the first record that @filter takes; with @lines not 0, at the @lines'th last one. CLI_OK,
 * or after cli_fail().
 */
int cli_walk_begin(struct cli_log *log, const struct cli_filter *filter, uint64_t lines,
		   struct cli_walk *ret);
void cli_walk_end(struct cli_walk *w);
/* The next one: 1; 0 at the end for now; negative errno. */
int cli_walk_next(struct cli_walk *w, struct cli_entry *ret);
/* Looks for the outcome of @e again. 0 or negative errno. */
int cli_walk_outcome(struct cli_walk *w, struct cli_entry *e);
