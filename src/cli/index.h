/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of the journal (SQLite): where the decisions of a user, on a device, with an effect are.
 *
 * 1. It is a file that can go at any time. Who has none reads the journal.
 * 2. It is never believed: it says at which place to look, and what is not there makes it wrong: it is
 *    not used any more then.
 * 3. It knows which journal it is of, and the number and hash of the last record that is in it. Where
 *    the journal has another one there it is of another history, and not used.
 */
#pragma once

#include "cli/log-filter.h"

struct cli_index;

/*
 * Opens the index of @log for reading. 0; -ENOENT when there is none; -ESTALE, -EBADMSG or another
 * negative errno, with *ret_why a text, when there is one that is of no use.
 */
int cli_index_open(struct cli_log *log, struct cli_index **ret, const char **ret_why);
void cli_index_close(struct cli_index *x);
/* The last record that is in it. */
uint64_t cli_index_last(const struct cli_index *x);
struct cli_place cli_index_last_place(const struct cli_index *x);

/* Prepares for what @f asks for. 0 or negative errno. */
int cli_index_select(struct cli_index *x, const struct cli_filter *f);
/*
 * The first record from @from on, or with @backwards the last one up to it, that may be wanted: 1 with its
 * number and place, 0 when there is none, negative errno.
 */
int cli_index_next(struct cli_index *x, uint64_t from, bool backwards, uint64_t *ret_seq,
		   struct cli_place *ret);
/* Where the SOURCE record of that number is. */
bool cli_index_source(struct cli_index *x, uint64_t seq, struct cli_place *ret);

/*
 * Brings the index up to the journal's end, or makes it. CLI_OK, or after cli_fail(). @watch: goes on
 * until it is killed.
 */
int cli_index_update(struct cli_log *log, bool rebuild, bool watch);
