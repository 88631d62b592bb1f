/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit: options up to the verb, the verb, its options, its words.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/text.h"

#define SOCKET_DIR "/run/fwadmit"

enum {
	FORMAT_NORMAL,
	FORMAT_JSON
};
enum {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER
};

static const char *code_name(int code)
{
	switch (code) {
	case CLI_USAGE:
		return "usage";
	case CLI_NOT_FOUND:
		return "not-found";
	case CLI_REFUSED:
		return "refused";
	case CLI_DEVICE_ERROR:
		return "device-error";
	case CLI_NOT_RUNNING:
		return "not-running";
	case CLI_VIOLATION:
		return "violation";
	default:
		return "failed";
	}
}

int cli_fail(const struct cli *cli, int code, const char *format, ...)
{
	struct json_object *o, *error;
	char message[1024];
	size_t len = 0;
	va_list ap;

	if (cli->where)
		len = (size_t)snprintf(message, sizeof(message), "%.512s: ", cli->where);
	va_start(ap, format);
	vsnprintf(message + len, sizeof(message) - len, format, ap);
	va_end(ap);
	/* It may quote what came from a file or the command line: still one line, and no escapes. */
	cli_one_line(message);
	if (!cli->json) {
		fprintf(stderr, "fwadmit: %s\n", message);
		return code;
	}
	o = cli_json_begin(cli);
	error = json_object_new_object();
	json_object_object_add(error, "code", json_object_new_string(code_name(code)));
	json_object_object_add(error, "message", cli_json_text(message));
	json_object_object_add(o, "error", error);
	cli_json_end(o);
	return code;
}

void cli_note(const struct cli *cli, const char *format, ...)
{
	va_list ap;

	if (cli->json || cli_given(&cli->args, CLI_OPT_QUIET))
		return;
	va_start(ap, format);
	fputs("fwadmit: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

unsigned int cli_timeout(const struct cli *cli, unsigned int otherwise)
{
	return cli_given(&cli->args, CLI_OPT_TIMEOUT)
		       ? (unsigned int)cli->args.number[CLI_OPT_TIMEOUT]
		       : otherwise;
}

const char *cli_socket_dir(const struct cli *cli)
{
	return cli_given(&cli->args, CLI_OPT_SOCKET_DIR) ? cli->args.text[CLI_OPT_SOCKET_DIR]
							 : SOCKET_DIR;
}

/* The number of words of @argv that name the verb @v; 0 when they do not. */
static int matches(const struct cli_verb *v, int argc, char **argv)
{
	const char *second = strchr(v->name, ' ');
	size_t len = strcspn(v->name, " ");

	if (strlen(argv[0]) != len || strncmp(argv[0], v->name, len) != 0)
		return 0;
	if (!second)
		return 1;
	return argc > 1 && strcmp(argv[1], second + 1) == 0 ? 2 : 0;
}

/* Adds to @text the verb @v of two words, of which @word is the first. */
static void add_half(const struct cli_verb *v, const char *word, char *text, size_t size)
{
	size_t len = strlen(word), at = strlen(text);

	if (strncmp(v->name, word, len) == 0 && v->name[len] == ' ')
		snprintf(text + at, size - at, "%sfwadmit %s", at ? ", " : "", v->name);
}

static int find_verb(struct cli *cli, int argc, char **argv)
{
	const char *names[48];
	const char *like;
	char half[176] = "";
	size_t n = 0;

	for (const struct cli_verb *v = cli_verbs; v->name && n < FWA_ARRAY_SIZE(names); v++) {
		int words = matches(v, argc, argv);

		if (words) {
			cli->verb = v;
			return words;
		}
		names[n++] = v->name;
		add_half(v, argv[0], half, sizeof(half));
	}
	if (*half) {
		cli->group = argv[0];
		snprintf(cli->args.error, sizeof(cli->args.error), "%.64s what? %s", argv[0], half);
		return 0;
	}
	like = cli_suggest(argv[0], names, n);
	snprintf(cli->args.error, sizeof(cli->args.error), "%.64s: no such verb; %s%s", argv[0],
		 like ? "did you mean: fwadmit " : "see: fwadmit --help", like ? like : "");
	return 0;
}

static bool use_color(const struct cli *cli)
{
	const char *no_color = getenv("NO_COLOR");

	switch (cli->args.number[CLI_OPT_COLOR]) {
	case COLOR_ALWAYS:
		return true;
	case COLOR_NEVER:
		return false;
	default:
		return isatty(STDOUT_FILENO) && !(no_color && *no_color);
	}
}

static void print_version(const struct cli *cli)
{
	struct json_object *o;

	if (!cli->json) {
		puts("fwadmit " FWADMIT_VERSION);
		return;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "version", json_object_new_string(FWADMIT_VERSION));
	cli_json_end(o);
}

/* What is answered without a verb. False when there is none of it. */
static bool run_without_verb(struct cli *cli)
{
	if (cli_given(&cli->args, CLI_OPT_VERSION))
		print_version(cli);
	else if (cli_given(&cli->args, CLI_OPT_COMPLETION))
		cli_print_completion((unsigned int)cli->args.number[CLI_OPT_COMPLETION]);
	else if (cli_given(&cli->args, CLI_OPT_MAN))
		cli_print_man();
	else if (cli_given(&cli->args, CLI_OPT_HELP) && !cli->verb)
		cli_print_help();
	else if (cli_given(&cli->args, CLI_OPT_HELP))
		cli_print_verb_help(cli->verb);
	else
		return false;
	return true;
}

static int check_words(struct cli *cli)
{
	const struct cli_verb *v = cli->verb;

	/* Where a file can take the device's place, cli_subject_open() looks for the missing one. */
	if (cli->n < v->min_args)
		return cli_fail(cli, CLI_USAGE, "usage: fwadmit %s %s [OPTION]..", v->name,
				v->synopsis);
	if (cli->n > v->max_args)
		return cli_fail(
			cli, CLI_USAGE, "%.64s: a word too many; usage: fwadmit %s%s%s [OPTION]..",
			cli->word[v->max_args], v->name, *v->synopsis ? " " : "", v->synopsis);
	return CLI_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
	int at = cli_parse_options(&cli->args, CLI_GLOBAL, true, argc, argv);

	if (at < argc) {
		at += find_verb(cli, argc - at, argv + at);
		/* The word before the options takes the place of the program's name. */
		argc -= at - 1;
		argv += at - 1;
		at = cli_parse_options(&cli->args,
				       CLI_GLOBAL | (cli->verb ? cli->verb->options : 0), false,
				       argc, argv);
	}
	cli->json = cli->args.number[CLI_OPT_OUTPUT_FORMAT] == FORMAT_JSON;
	cli->color = !cli->json && use_color(cli);
	cli->n = argc - at;
	cli->word = argv + at;
	if (cli->group && cli_given(&cli->args, CLI_OPT_HELP)) {
		cli_print_group_help(cli->group);
		return CLI_OK;
	}
	if (cli->args.error[0])
		return cli_fail(cli, CLI_USAGE, "%s", cli->args.error);
	if (cli_given(&cli->args, CLI_OPT_OUTPUT_FORMAT_VERSION) &&
	    cli->args.number[CLI_OPT_OUTPUT_FORMAT_VERSION] != 1)
		return cli_fail(cli, CLI_USAGE, "--output-format-version: only 1 is known");
	if (cli_given(&cli->args, CLI_OPT_TIMEOUT) && !cli->args.number[CLI_OPT_TIMEOUT])
		return cli_fail(cli, CLI_USAGE, "--timeout=0: nothing answers in no time");
	if (run_without_verb(cli))
		return CLI_OK;
	if (!cli->verb)
		return cli_fail(cli, CLI_USAGE, "what to do? see: fwadmit --help");
	return check_words(cli) == CLI_OK ? cli->verb->run(cli) : CLI_USAGE;
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	int r = run(&cli, argc, argv);

	/* What was not written was not said. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "fwadmit: cannot write: %s\n", strerror(errno));
		return CLI_FAILED;
	}
	return r;
}
