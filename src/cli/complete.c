/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion scripts for shells, from the tables of verbs and options. A verb of two words
 * ("policy check") is completed as two words.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char *takes(const struct cli_option *o)
{
	return o->type == CLI_FLAG || o->type == CLI_MAYBE ? "" : "=";
}

static void each_option(cli_option_set set, void (*print)(const struct cli_option *o))
{
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		if (set & CLI_BIT(i) && !cli_options[i].hidden)
			print(&cli_options[i]);
	}
}

/* The first word of @v, and false when an earlier verb had the same. */
static bool first_word(const struct cli_verb *v, char word[32])
{
	snprintf(word, 32, "%.*s", (int)strcspn(v->name, " "), v->name);
	return v == cli_verbs || strncmp(v[-1].name, word, strlen(word)) != 0;
}

static void print_first_words(void)
{
	char word[32];

	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		if (first_word(v, word))
			printf("%s%s", v == cli_verbs ? "" : " ", word);
	}
}

/* --- bash ----------------------------------------------------------------------------------- */

static void bash_option(const struct cli_option *o)
{
	printf(" --%s%s", o->name, takes(o));
}

static void bash_value(const struct cli_option *o)
{
	if (o->type == CLI_FILE || o->type == CLI_DIR) {
		printf("\t\t--%s) COMPREPLY=($(compgen -%c -- \"$value\"));"
		       " return ;;\n",
		       o->name, o->type == CLI_DIR ? 'd' : 'f');
		return;
	}
	if (o->type != CLI_CHOICE)
		return;
	printf("\t\t--%s) COMPREPLY=($(compgen -W '", o->name);
	for (int i = 0; o->values[i]; i++)
		printf("%s%s", i ? " " : "", o->values[i]);
	puts("' -- \"$value\")); return ;;");
}

static void print_bash(void)
{
	char word[32];

	puts("# bash completion for fwadmit\n"
	     "_fwadmit()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= value= "
	     "option= w\n"
	     "\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	     "\t\t[[ $w == [a-z]* ]] && { verb=$w; break; }\n"
	     "\tdone\n"
	     "\tif [[ $prev == --* && $cur == = ]]; then option=$prev value=\n"
	     "\telif [[ $prev == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]} value=$cur\n"
	     "\tfi\n"
	     "\tif [[ $option ]]; then\n\t\tcase $option in");
	each_option(CLI_ALL_OPTIONS, bash_value);
	printf("\t\tesac\n\t\treturn\n\tfi\n\tlocal options='");
	each_option(CLI_GLOBAL, bash_option);
	puts("'\n\tcase $verb in");
	printf("\t'') COMPREPLY=($(compgen -W \"$([[ $cur == -* ]] && echo \"$options\" || echo '");
	print_first_words();
	puts("')\" -- \"$cur\")) ;;");
	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		cli_option_set options = 0;

		if (!first_word(v, word))
			continue;
		printf("\t%s) COMPREPLY=($(compgen -W \"", word);
		for (const struct cli_verb *o = v; o->name; o++) {
			const char *second = strchr(o->name, ' ');

			if (strncmp(o->name, word, strlen(word)) != 0)
				break;
			options |= o->options;
			if (second)
				printf("%s ", second + 1);
		}
		printf("$options");
		each_option(options, bash_option);
		puts("\" -- \"$cur\")) ;;");
	}
	puts("\tesac\n\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n}\n"
	     "complete -o default -F _fwadmit fwadmit");
}

/* --- zsh ------------------------------------------------------------------------------------ */

/* Text inside single quotes and brackets. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_option(const struct cli_option *o)
{
	printf(" \\\n\t\t'--%s%s[", o->name, takes(o));
	print_zsh_text(o->help);
	putchar(']');
	if (*takes(o))
		printf(":%s:", o->name);
	if (o->type == CLI_FILE)
		fputs("_files", stdout);
	else if (o->type == CLI_DIR)
		fputs("_files -/", stdout);
	for (int i = 0; o->type == CLI_CHOICE && o->values[i]; i++)
		printf("%s%s", i ? " " : "(", o->values[i]);
	printf("%s'", o->type == CLI_CHOICE ? ")" : "");
}

static void print_zsh(void)
{
	char word[32];

	puts("#compdef fwadmit\n\n"
	     "local -a verbs=(");
	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		if (!first_word(v, word))
			continue;
		printf("\t'%s:", word);
		print_zsh_text(v->help);
		puts("'");
	}
	puts(")\n"
	     "local verb=${words[(r)[a-z]*]}\n"
	     "[[ $words[1] == $verb ]] && verb=${words[2,-1][(r)[a-z]*]}\n"
	     "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n\t_describe verb "
	     "verbs\n\treturn\nfi\n"
	     "case $verb in");
	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		if (!first_word(v, word))
			continue;
		printf("%s)\n\t_arguments '*:word:_files'", word);
		each_option(CLI_GLOBAL | v->options, zsh_option);
		puts("\n\t;;");
	}
	puts("esac");
}

/* --- fish ----------------------------------------------------------------------------------- */

static void print_fish_option(const struct cli_option *o, const char *condition)
{
	printf("complete -c fwadmit %s-l %s", condition, o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (*takes(o))
		fputs(o->type == CLI_FILE || o->type == CLI_DIR ? " -r -F" : " -x", stdout);
	for (int i = 0; o->type == CLI_CHOICE && o->values[i]; i++)
		printf("%s%s", i ? " " : " -a '", o->values[i]);
	if (o->type == CLI_CHOICE)
		putchar('\'');
	fputs(" -d \"", stdout);
	fputs(o->help, stdout);
	puts("\"");
}

static void print_fish(void)
{
	char word[32], condition[96];

	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		if (first_word(v, word))
			printf("complete -c fwadmit -n __fish_use_subcommand -a %s -d \"%s\"\n",
			       word, v->help);
		snprintf(condition, sizeof(condition), "-n '__fish_seen_subcommand_from %s' ",
			 word);
		for (int i = 0; i < CLI_OPT_COUNT; i++) {
			if (v->options & CLI_BIT(i))
				print_fish_option(&cli_options[i], condition);
		}
	}
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		if (CLI_GLOBAL & CLI_BIT(i) && !cli_options[i].hidden)
			print_fish_option(&cli_options[i], "");
	}
}

void cli_print_completion(unsigned int shell)
{
	static void (*const print[])(void) = { print_bash, print_zsh, print_fish };

	print[shell]();
}
