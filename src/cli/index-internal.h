/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index's file: what reading and writing it share.
 */
#pragma once

#include <sqlite3.h>

#include "cli/index.h"

#define CLI_INDEX_APPLICATION 0x46574a49 /* "FWJI" */
#define CLI_INDEX_VERSION 1

/* What a tag stands for, beside the number of an effect's bit. */
enum {
	CLI_TAG_ANY_EFFECT = 64,
	CLI_TAG_REFUSED = 65,
};

extern const char cli_index_schema[];

struct cli_index_state {
	uint8_t journal[16];
	uint64_t last;
	struct cli_place place;
	uint8_t hash[FWA_HASH_LEN];
	bool damaged; /* something could not be read: it is not in the index */
};

/* The names that it may have: in the journal's folder, and in the user's cache. Fresh memory; NULL. */
char *cli_index_path(const struct cli_log *log, bool in_cache);
/* Whether the journal's folder is one where an index may be: nobody else could have put one there. */
bool cli_index_goes_beside(const struct cli_log *log);
/* The one row of its table `state`. 0 or negative errno. */
int cli_index_state_read(sqlite3 *db, struct cli_index_state *ret);
/* Whether the journal has that record there. @log's lookups move. */
bool cli_index_state_holds(struct cli_log *log, const struct cli_index_state *s);
int cli_index_errno(sqlite3 *db);
