/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the command line: one table, from which parsing, help, the manual page and shell
 * completion come.
 *
 * A parsed command line keeps, for each option, whether it was given, its text and its number;
 * there is no field per option to forget.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cli_option_id {
	/* global */
	CLI_OPT_OUTPUT_FORMAT,
	CLI_OPT_OUTPUT_FORMAT_VERSION,
	CLI_OPT_VERBOSE,
	CLI_OPT_QUIET,
	CLI_OPT_SOCKET_DIR,
	CLI_OPT_POLICY,
	CLI_OPT_JOURNAL,
	CLI_OPT_TIMEOUT,
	CLI_OPT_COLOR,
	CLI_OPT_HELP,
	CLI_OPT_VERSION,
	CLI_OPT_COMPLETION,
	CLI_OPT_MAN,
	/* list */
	CLI_OPT_SIM,
	/* declarations from a file */
	CLI_OPT_FROM,
	CLI_OPT_KIND,
	CLI_OPT_SAVE,
	/* who asks, and for what */
	CLI_OPT_SCOPE,
	CLI_OPT_AS,
	CLI_OPT_DEVICE_NAME,
	CLI_OPT_DRY_RUN,
	/* what a command selects */
	CLI_OPT_UUID,
	CLI_OPT_FID,
	CLI_OPT_LID,
	CLI_OPT_LSP,
	CLI_OPT_LSI,
	CLI_OPT_RAE,
	CLI_OPT_CNS,
	CLI_OPT_NSID,
	CLI_OPT_SLOT,
	CLI_OPT_ACTION,
	CLI_OPT_OFFSET,
	CLI_OPT_LENGTH,
	CLI_OPT_SELECTION,
	CLI_OPT_CDW10,
	CLI_OPT_CDW11,
	CLI_OPT_CDW12,
	CLI_OPT_CDW13,
	CLI_OPT_CDW14,
	CLI_OPT_CDW15,
	/* data */
	CLI_OPT_INPUT,
	CLI_OPT_HEX,
	CLI_OPT_OUTPUT,
	/* a time-limited grant */
	CLI_OPT_USER,
	CLI_OPT_GROUP,
	CLI_OPT_UNIT,
	CLI_OPT_DEVICE,
	CLI_OPT_EFFECTS,
	CLI_OPT_COMMANDS,
	CLI_OPT_FOR,
	CLI_OPT_TICKET,
	CLI_OPT_NAME,
	CLI_OPT_COMMANDS_PER_SECOND,
	CLI_OPT_BYTES_PER_SECOND,
	CLI_OPT_MAX_SESSIONS,
	CLI_OPT_RECORD,
	/* quarantine */
	CLI_OPT_REASON,
	/* the journal */
	CLI_OPT_SINCE,
	CLI_OPT_UNTIL,
	CLI_OPT_LOG_DEVICE,
	CLI_OPT_LOG_USER,
	CLI_OPT_REFUSED,
	CLI_OPT_LOG_EFFECTS,
	CLI_OPT_LINES,
	CLI_OPT_ALL,
	CLI_OPT_NO_INDEX,
	CLI_OPT_FOLLOW,
	CLI_OPT_SHOW_HEX,
	CLI_OPT_FROM_SEQ,
	CLI_OPT_TO_SEQ,
	CLI_OPT_KEY,
	CLI_OPT_CHECKPOINT,
	CLI_OPT_PROOF_FILE,
	CLI_OPT_PROOF_SEQ,
	CLI_OPT_REBUILD,
	/* verify */
	CLI_OPT_PLAN,
	CLI_OPT_PROBE,
	CLI_OPT_COMMAND,
	CLI_OPT_BUDGET,
	CLI_OPT_SEED,
	CLI_OPT_REPLAY,
	CLI_OPT_SERIAL,
	CLI_OPT_OUTPUT_DIR,
	/* report */
	CLI_OPT_OUTPUT_PAGE,
	/* advisories */
	CLI_OPT_SIGN_KEY,
	CLI_OPT_ID,
	CLI_OPT_EXPIRES,
	CLI_OPT_NEVER,
	CLI_OPT_REFERENCE,
	CLI_OPT_OUTPUT_ADVISORY,
	CLI_OPT_FORMAT,
	CLI_OPT_COUNT,
};

/* A set of options. */
__extension__ typedef unsigned __int128 cli_option_set;
#define CLI_BIT(id) ((cli_option_set)1 << (id))
#define CLI_ALL_OPTIONS (~(cli_option_set)0)
_Static_assert(CLI_OPT_COUNT <= 128, "a set holds all options");

/* Groups of options, as the verbs take them. */
#define CLI_GLOBAL (CLI_BIT(CLI_OPT_SIM) - 1)
#define CLI_SOURCE (CLI_BIT(CLI_OPT_FROM) | CLI_BIT(CLI_OPT_KIND))
#define CLI_SELECTORS (CLI_BIT(CLI_OPT_INPUT) - CLI_BIT(CLI_OPT_UUID))
#define CLI_GRANT ((CLI_BIT(CLI_OPT_REASON) - CLI_BIT(CLI_OPT_USER)) | CLI_BIT(CLI_OPT_SCOPE))
/* Which records. */
#define CLI_RECORDS (CLI_BIT(CLI_OPT_LINES) - CLI_BIT(CLI_OPT_SINCE))
#define CLI_VERIFY (CLI_BIT(CLI_OPT_OUTPUT_PAGE) - CLI_BIT(CLI_OPT_PLAN))
#define CLI_ADVISORY (CLI_BIT(CLI_OPT_FORMAT) - CLI_BIT(CLI_OPT_SIGN_KEY))
#define CLI_PAYLOAD (CLI_BIT(CLI_OPT_INPUT) | CLI_BIT(CLI_OPT_HEX))

enum cli_option_type {
	CLI_FLAG,
	CLI_TEXT,
	CLI_ONCE,   /* text that may be given once: a second one would not add to the first */
	CLI_MAYBE,  /* the same, and the text may be left out */
	CLI_SIZE,   /* a number; K, M, G behind it multiply it by 2^10, 2^20, 2^30 */
	CLI_FILE,   /* completed as a path */
	CLI_DIR,    /* completed as a directory */
	CLI_NUMBER, /* at most @max */
	CLI_CHOICE, /* one of @values; the number is its index */
};

struct cli_option {
	const char *name; /* without the dashes */
	char letter;      /* 0: none */
	uint8_t type;     /* enum cli_option_type */
	bool hidden;      /* not in help and completion */
	const char *arg;  /* what help calls the value */
	const char *const *values;
	uint64_t max;
	const char *help;
};

extern const struct cli_option cli_options[CLI_OPT_COUNT];

struct cli_args {
	cli_option_set given;
	const char *text[CLI_OPT_COUNT];
	uint64_t number[CLI_OPT_COUNT];
	char error[256]; /* the first usage error; empty when there is none */
};

static inline bool cli_given(const struct cli_args *a, enum cli_option_id id)
{
	return (a->given & CLI_BIT(id)) != 0;
}

/*
 * Reads the options of @argv[1..] that are in the set @allowed, and moves the other words to the
 * end; returns the index of the first of those. With @stop it ends at the first such word. Goes on
 * after a usage error, so that @args says how the error is to be shown.
 */
int cli_parse_options(struct cli_args *args, cli_option_set allowed, bool stop, int argc,
		      char **argv);
