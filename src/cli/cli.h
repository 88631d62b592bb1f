/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fwadmit program: what its files share.
 *
 * 1. One table names the verbs (verbs.c); a verb is one function in one file, cmd-*.c.
 * 2. A verb returns the exit code. An error is said once, by cli_fail(), as text on standard error
 *    or as the JSON error object on standard output; nothing else was printed then.
 * 3. Bytes of a device never reach a terminal as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_REFUSED = 4,
	CLI_DEVICE_ERROR = 5,
	CLI_NOT_RUNNING = 7,
	CLI_VIOLATION = 8,
};

struct cli;

struct cli_verb {
	const char *name; /* one or two words */
	const char *synopsis;
	const char *help;       /* one line */
	const char *about;      /* a paragraph for --help and the manual page */
	cli_option_set options; /* besides the global ones */
	int min_args;
	int max_args;
	int (*run)(struct cli *cli);
};

/* Ended by a row without a name. */
extern const struct cli_verb cli_verbs[];

struct cli {
	const struct cli_verb *verb; /* NULL until it is known */
	const char *group;           /* the first word of a verb whose second is missing; NULL */
	struct cli_args args;
	int n; /* words behind the verb */
	char **word;
	bool json;
	bool color;        /* on standard output */
	const char *where; /* file and line that messages are about; NULL: the command line */
};

/* Says what went wrong, in one line, and returns @code. */
__attribute__((format(printf, 3, 4))) int cli_fail(const struct cli *cli, int code,
						   const char *format, ...);
/* A remark on standard error: not with --quiet, not in JSON. */
__attribute__((format(printf, 2, 3))) void cli_note(const struct cli *cli, const char *format, ...);

/* --timeout, or @otherwise; ms. */
unsigned int cli_timeout(const struct cli *cli, unsigned int otherwise);

/* --socket-dir, or where the daemon puts its sockets. */
const char *cli_socket_dir(const struct cli *cli);

/* help.c: from the tables. */
void cli_print_help(void);
void cli_print_verb_help(const struct cli_verb *verb);
/* Of the verbs of two words of which @word is the first. */
void cli_print_group_help(const char *word);
void cli_print_man(void);

/* complete.c: @shell as CLI_OPT_COMPLETION's number. */
void cli_print_completion(unsigned int shell);

/* suggest.c: of @n candidates, the one that @word probably meant, or NULL. */
const char *cli_suggest(const char *word, const char *const *candidates, size_t n);

/* The verbs. */
int cli_cmd_list(struct cli *cli);
int cli_cmd_status(struct cli *cli);
int cli_cmd_effects(struct cli *cli);
int cli_cmd_lint(struct cli *cli);
int cli_cmd_explain(struct cli *cli);
int cli_cmd_send(struct cli *cli);
int cli_cmd_policy_check(struct cli *cli);
int cli_cmd_policy_show(struct cli *cli);
int cli_cmd_policy_test(struct cli *cli);
int cli_cmd_policy_reload(struct cli *cli);
int cli_cmd_grant_create(struct cli *cli);
int cli_cmd_grant_list(struct cli *cli);
int cli_cmd_grant_revoke(struct cli *cli);
int cli_cmd_quarantine(struct cli *cli);
int cli_cmd_release(struct cli *cli);
int cli_cmd_reprofile(struct cli *cli);
int cli_cmd_monitor(struct cli *cli);
int cli_cmd_log_list(struct cli *cli);
int cli_cmd_log_show(struct cli *cli);
int cli_cmd_log_verify(struct cli *cli);
int cli_cmd_log_export(struct cli *cli);
int cli_cmd_log_checkpoint(struct cli *cli);
int cli_cmd_log_replay(struct cli *cli);
int cli_cmd_log_index(struct cli *cli);
int cli_cmd_report(struct cli *cli);
int cli_cmd_verify(struct cli *cli);
int cli_cmd_advisory_import(struct cli *cli);
int cli_cmd_advisory_list(struct cli *cli);
int cli_cmd_advisory_show(struct cli *cli);
int cli_cmd_advisory_remove(struct cli *cli);
int cli_cmd_advisory_create(struct cli *cli);
int cli_cmd_advisory_export(struct cli *cli);
int cli_cmd_baseline_save(struct cli *cli);
int cli_cmd_baseline_diff(struct cli *cli);
int cli_cmd_baseline_accept(struct cli *cli);
