/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A journal as the log verbs read it: records in their order, with who wrote them, and decisions with
 * their outcomes.
 *
 * 1. What is shown was read from the journal. The index (cli/index.h) only says where to look, and
 *    each record is held against what was asked for again.
 * 2. Memory does not grow with the journal: names and outcomes are kept in tables of fixed size, and
 *    looked up again where they do not fit.
 */
#pragma once

#include "cli/cli.h"
#include "journal/reader.h"

struct cli_index;

#define CLI_LOG_DAEMON_DIR "/var/lib/fwadmit/journal"

/* Who writes: the SOURCE record of that number. */
struct cli_source {
	uint64_t seq;
	bool known; /* false: its record is gone, or is none */
	uint8_t kind;
	uint32_t pid, uid;
	char name[64]; /* of the device */
};

struct cli_place {
	uint64_t segment, offset;
};

struct cli_log {
	const struct cli *cli;
	char *dir; /* owned */
	struct fwa_journal *journal;
	struct fwa_cursor *side;    /* for looking things up */
	struct cli_source *sources; /* by number, modulo their count */
	struct cli_index *index;    /* owned; NULL: none */
	bool id_known;              /* the journal has segments: @id is its own */
	uint8_t id[16];
	uint64_t first; /* sequence number of the first record that is left */
};

#define CLI_LOG_NONE ((struct cli_log){ 0 })
#define cli_auto_log __attribute__((cleanup(cli_log_close)))

/*
 * Opens the journal of --journal, else fwadmitd's where it can be read, else the user's own. CLI_OK, or
 * the exit code after cli_fail().
 */
int cli_log_open(const struct cli *cli, struct cli_log *ret);
void cli_log_close(struct cli_log *log);
/* CLI_FAILED after saying what @r, a negative errno, means for the journal. */
int cli_log_fail(const struct cli_log *log, int r);

/* The source of that number, until the next call. Never NULL. */
const struct cli_source *cli_log_source(struct cli_log *log, uint64_t seq);
/* Notes a SOURCE record that was come upon. */
void cli_log_note_source(struct cli_log *log, const struct fwa_frame *f);
/* Waits until something may have been written, a second at most. @fd: of cli_log_watch(). */
int cli_log_watch(const struct cli_log *log);
void cli_log_wait(int fd);
