/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help and the manual page, from the tables of verbs and options.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"

#define NAME_WIDTH 32
#define LINE_WIDTH 80
#define OPTION_TEXT 64

struct pair {
	const char *name;
	const char *text;
};

static const struct pair device_forms[] = {
	{ "nvme0, mem0", "a device that a running fwadmitd serves" },
	{ "/dev/nvme0, /dev/cxl/mem0", "a device of this machine, by a private worker" },
	{ "sim:honest", "a simulated device; \"fwadmit list --sim\" names them" },
	{ "qtest:nvme, qtest:cxl-type3", "QEMU's device model" },
	{ "--from=FILE --kind=KIND", "instead of DEVICE: a log or a profile in a file" },
};

static const struct pair command_forms[] = {
	{ "get-log, set-features", "a name, mostly the specification's" },
	{ "0x4302, 4302h", "an opcode" },
	{ "io:read, admin:06h", "NVMe: with its queue; the default is admin" },
};

static const struct pair scopes[] = {
	{ "configuration", "standard reads" },
	{ "debug-read-only", "vendor and debug reads" },
	{ "debug-write", "what waits for a reset" },
	{ "debug-write-full", "what changes anything at once, or reads users' data" },
};

static const struct pair exit_codes[] = {
	{ "0", "done" },
	{ "1", "failed" },
	{ "2", "the command line makes no sense" },
	{ "3", "not found" },
	{ "4", "refused: the command by the gate, or the request by fwadmitd" },
	{ "5", "the device returned an error" },
	{ "7", "fwadmitd is not running" },
	{ "8", "a check found a violation" },
};

static const struct pair environment[] = {
	{ "NO_COLOR", "when set and not empty: no colors, unless --color=always" },
	{ "COLUMNS", "how wide tables may be; without it as wide as the terminal, and in a file or "
		     "a pipe as wide as they are" },
};

static const struct pair files[] = {
	{ "/etc/fwadmit/policy.d/*.conf, /run/..., /usr/lib/...",
	  "the policy: who may send what to which device" },
	{ "/run/fwadmit/NAME.sock", "the gate of the device NAME" },
	{ "/run/fwadmit/control.sock", "fwadmitd itself: status, monitor, grants, quarantine" },
	{ "/var/lib/fwadmit/journal",
	  "fwadmitd's journal; members of group fwadmit-admin read it" },
	{ "$XDG_STATE_HOME/fwadmit/journal, ~/.local/state/...",
	  "the journal of what a user sends without fwadmitd" },
};

static const struct pair examples[] = {
	{ "fwadmit list --sim", "the simulated devices" },
	{ "fwadmit effects sim:honest", "what a device declares" },
	{ "fwadmit lint --from=cel.bin --kind=cxl-cel", "check a captured log, without a device" },
	{ "fwadmit explain mem0 set-lsa --as=alice --offset=0 --hex=00",
	  "would Alice be let through?" },
	{ "fwadmit send mem0 get-log --uuid=cel", "read a log" },
	{ "fwadmit grant create --user=svc-fw --device='nvme*' --effects=data --for=2h "
	  "--ticket=CHG-1234",
	  "let svc-fw change data on NVMe devices for two hours" },
	{ "fwadmit log list --since=-1d --refused", "what was refused since yesterday" },
	{ "fwadmit log verify --checkpoint=FILE", "is the journal still what was signed then?" },
	{ "fwadmit verify qtest:nvme -O out", "does QEMU's NVMe controller do what it declares?" },
	{ "fwadmit report out/campaign.json -O report.html", "a page of what came of it" },
};

static void print_pairs(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("  %-*s %s\n", NAME_WIDTH, pairs[i].name, pairs[i].text);
}

/* "-O, --output=FILE" */
static void option_text(const struct cli_option *o, char text[OPTION_TEXT])
{
	char letter[8] = "";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(text, OPTION_TEXT, o->type == CLI_MAYBE ? "%s--%s[%s%s]" : "%s--%s%s%s", letter,
		 o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
}

static void print_options(cli_option_set set)
{
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		const struct cli_option *o = &cli_options[i];
		char name[OPTION_TEXT];

		if (!(set & CLI_BIT(i)) || o->hidden)
			continue;
		option_text(o, name);
		printf("  %-*s %s\n", NAME_WIDTH, name, o->help);
	}
}

/* Words of @text in lines of at most LINE_WIDTH. */
static void print_paragraph(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > LINE_WIDTH) {
			putchar('\n');
			column = 0;
		}
		printf("%s%.*s", column ? " " : "", (int)len, text);
		column += len + (column ? 1 : 0);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_synopsis(const struct cli_verb *verb, const char *prefix)
{
	printf("%sfwadmit %s%s%s [OPTION]..\n", prefix, verb->name, *verb->synopsis ? " " : "",
	       verb->synopsis);
}

static void print_verb_line(const struct cli_verb *v)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", v->name, *v->synopsis ? " " : "", v->synopsis);
	printf("  %-*s %s\n", NAME_WIDTH, name, v->help);
}

void cli_print_help(void)
{
	puts("usage: fwadmit VERB [WORD].. [OPTION]..\n\n"
	     "Sends commands to device firmware through a gate that admits them by the effects\n"
	     "that the device itself declares.\n\nVerbs");
	for (const struct cli_verb *v = cli_verbs; v->name; v++)
		print_verb_line(v);
	puts("\nDEVICE is");
	print_pairs(device_forms, FWA_ARRAY_SIZE(device_forms));
	puts("\nCOMMAND is");
	print_pairs(command_forms, FWA_ARRAY_SIZE(command_forms));
	puts("\nSCOPE is");
	print_pairs(scopes, FWA_ARRAY_SIZE(scopes));
	puts("\nOptions of all verbs (\"fwadmit VERB --help\" shows the others)");
	print_options(CLI_GLOBAL);
	puts("\nExit codes");
	print_pairs(exit_codes, FWA_ARRAY_SIZE(exit_codes));
}

void cli_print_group_help(const char *word)
{
	size_t len = strlen(word);

	printf("usage: fwadmit %s VERB [WORD].. [OPTION]..\n\nVerbs\n", word);
	for (const struct cli_verb *v = cli_verbs; v->name; v++)
		if (strncmp(v->name, word, len) == 0 && v->name[len] == ' ')
			print_verb_line(v);
	printf("\n\"fwadmit %s VERB --help\" says more of each.\n", word);
}

void cli_print_verb_help(const struct cli_verb *verb)
{
	print_synopsis(verb, "usage: ");
	putchar('\n');
	print_paragraph(verb->about);
	if (verb->options) {
		puts("\nOptions");
		print_options(verb->options);
	}
	puts("\n\"fwadmit --help\" shows the options of all verbs.");
}

/* --- the manual page ------------------------------------------------------------------------ */

/* Text for roff: nothing in it may be read as a request or an escape. */
static void print_roff(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

static void print_roff_item(const char *name, const char *text)
{
	fputs(".TP\n\\fB", stdout);
	print_roff(name);
	fputs("\\fR\n", stdout);
	print_roff(text);
	putchar('\n');
}

static void print_roff_pairs(const char *title, const struct pair *pairs, size_t n)
{
	printf(".SH %s\n", title);
	for (size_t i = 0; i < n; i++)
		print_roff_item(pairs[i].name, pairs[i].text);
}

static void print_roff_options(cli_option_set set)
{
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		const struct cli_option *o = &cli_options[i];
		char name[OPTION_TEXT];

		if (!(set & CLI_BIT(i)) || o->hidden)
			continue;
		option_text(o, name);
		print_roff_item(name, o->help);
	}
}

void cli_print_man(void)
{
	cli_option_set verb_options = 0;

	printf(".TH FWADMIT 1 \"\" \"fwadmit %s\"\n.SH NAME\nfwadmit \\- send commands to device "
	       "firmware "
	       "through a gate\n.SH SYNOPSIS\n.nf\n",
	       FWADMIT_VERSION);
	for (const struct cli_verb *v = cli_verbs; v->name; v++) {
		printf("\\fBfwadmit %s\\fR%s", v->name, *v->synopsis ? " " : "");
		print_roff(v->synopsis);
		fputs(" [OPTION]..\n", stdout);
		verb_options |= v->options;
	}
	puts(".fi\n.SH DESCRIPTION\nA command is admitted by the effects that the device itself "
	     "declares for "
	     "it, never by the name of the program that sends it. What the operator's policy does "
	     "not "
	     "grant is refused, with the reason and with what would pass.\n.SH VERBS");
	for (const struct cli_verb *v = cli_verbs; v->name; v++)
		print_roff_item(v->name, v->about);
	print_roff_pairs("DEVICES", device_forms, FWA_ARRAY_SIZE(device_forms));
	print_roff_pairs("COMMANDS", command_forms, FWA_ARRAY_SIZE(command_forms));
	print_roff_pairs("SCOPES", scopes, FWA_ARRAY_SIZE(scopes));
	puts(".SH OPTIONS OF ALL VERBS");
	print_roff_options(CLI_GLOBAL);
	puts(".SH OPTIONS OF SOME VERBS");
	print_roff_options(verb_options);
	print_roff_pairs("EXIT STATUS", exit_codes, FWA_ARRAY_SIZE(exit_codes));
	print_roff_pairs("ENVIRONMENT", environment, FWA_ARRAY_SIZE(environment));
	print_roff_pairs("FILES", files, FWA_ARRAY_SIZE(files));
	print_roff_pairs("EXAMPLES", examples, FWA_ARRAY_SIZE(examples));
}
