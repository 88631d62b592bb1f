/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the command line calls COMMAND, with its selectors and data, to the flat request.
 *
 * What is built here is a convenience: the gate judges the bytes, not the options that made them.
 */
#pragma once

#include "cli/subject.h"

struct cli_command {
	struct fwa_command cmd;
	const struct fwa_model_command *row; /* NULL when no specification names the opcode */
	uint8_t *payload;                    /* owned; cmd.payload views it */
	bool assume;  /* in: numbers and data that are missing may be made up (explain) */
	bool assumed; /* out: some were */
};

void cli_command_free(struct cli_command *c);
#define cli_auto_command __attribute__((cleanup(cli_command_free)))

/* Reads COMMAND @word for @s, and all options about it. CLI_OK, or the code after cli_fail(). */
int cli_command_read(const struct cli *cli, const struct cli_subject *s, const char *word,
		     struct cli_command *ret);

/*
 * The name or opcode @word alone, as a command of @s. CLI_OK, with ret->row and what of ret->cmd says which
 * command it is, or the code after cli_fail().
 */
int cli_command_name_read(const struct cli *cli, const struct cli_subject *s, const char *word,
			  struct cli_command *ret);

/* --- between the command-*.c files ---------------------------------------------------------- */

struct cli_build {
	const struct cli *cli;
	const struct cli_subject *subject;
	struct cli_command *out;
	cli_option_set used; /* options that had a meaning */
	bool has_data;       /* -i or --hex */
	uint8_t *data;
	size_t data_len;
};

int cli_build_cxl(struct cli_build *b);
int cli_build_nvme(struct cli_build *b);

/* True, and the option counts as used, when it was given. */
bool cli_build_takes(struct cli_build *b, enum cli_option_id id);
/* "get-log": for messages. */
const char *cli_build_name(const struct cli_build *b);
/* Fills the payload up to @len bytes with zeroes where data is missing and may be assumed. */
int cli_build_zeroes(struct cli_build *b, size_t len);
/*
 * For an option @id that the command needs and that was not given: @value in *ret when it may be
 * assumed, else says that the command needs it.
 */
int cli_build_missing(const struct cli_build *b, enum cli_option_id id, uint64_t value,
		      uint64_t *ret);
/*
 * The same for an option that takes a name: lists those of @row. @bad: the value that is none of them,
 * NULL when the option was not given.
 */
int cli_build_unnamed(const struct cli_build *b, enum cli_option_id id,
		      const struct fwa_model_command *row, const char *bad);
/* Says that the command needs --action, and which actions there are. */
int cli_build_no_action(const struct cli_build *b);
/* --selection as a number. False after cli_fail() in *ret_code. */
bool cli_build_selection(struct cli_build *b, uint64_t *ret, int *ret_code);
