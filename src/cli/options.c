/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getopt_long() does the parsing; its tables are made of cli_options for the verb at hand.
 */
#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"

#define LONG_ONLY 256 /* getopt's value of an option without a letter: this and its id */

static const char *const formats[] = { "normal", "json", NULL };
static const char *const colors[] = { "auto", "always", "never", NULL };
static const char *const kinds[] = { "cxl-cel", "nvme-effects", "profile", NULL };
static const char *const shells[] = { "bash", "zsh", "fish", NULL };
static const char *const scopes[] = { "configuration", "debug-read-only", "debug-write",
				      "debug-write-full", NULL };
static const char *const probes[] = { "read-only", "declared", "destructive", NULL };
static const char *const records[] = { "digest", "payload", NULL };

static const char *const formats_out[] = { "csaf", NULL };

const struct cli_option cli_options[CLI_OPT_COUNT] = {
	[CLI_OPT_OUTPUT_FORMAT] = { "output-format", 'o', CLI_CHOICE, false, "normal|json", formats,
				    0, "text for people, or one JSON object" },
	[CLI_OPT_OUTPUT_FORMAT_VERSION] = { "output-format-version", 0, CLI_NUMBER, false, "1",
					    NULL, 1, "version of the JSON format" },
	[CLI_OPT_VERBOSE] = { "verbose", 'v', CLI_FLAG, false, NULL, NULL, 0, "say more" },
	[CLI_OPT_QUIET] = { "quiet", 'q', CLI_FLAG, false, NULL, NULL, 0,
			    "no notes on standard error" },
	[CLI_OPT_SOCKET_DIR] = { "socket-dir", 0, CLI_DIR, false, "DIR", NULL, 0,
				 "where fwadmitd's sockets are (/run/fwadmit)" },
	[CLI_OPT_POLICY] = { "policy", 0, CLI_DIR, false, "DIR", NULL, 0,
			     "read the policy from DIR alone" },
	[CLI_OPT_JOURNAL] = { "journal", 0, CLI_DIR, false, "DIR", NULL, 0,
			      "where the journal is kept" },
	[CLI_OPT_TIMEOUT] = { "timeout", 0, CLI_NUMBER, false, "MS", NULL, 86400000,
			      "longest wait for the device, in milliseconds" },
	[CLI_OPT_COLOR] = { "color", 0, CLI_CHOICE, false, "WHEN", colors, 0,
			    "auto, always or never (auto)" },
	[CLI_OPT_HELP] = { "help", 'h', CLI_FLAG, false, NULL, NULL, 0, "show help" },
	[CLI_OPT_VERSION] = { "version", 0, CLI_FLAG, false, NULL, NULL, 0, "show the version" },
	[CLI_OPT_COMPLETION] = { "completion", 0, CLI_CHOICE, true, "SHELL", shells, 0,
				 "print the completion script for bash, zsh or fish" },
	[CLI_OPT_MAN] = { "man", 0, CLI_FLAG, true, NULL, NULL, 0,
			  "print the manual page's source" },
	[CLI_OPT_SIM] = { "sim", 0, CLI_FLAG, false, NULL, NULL, 0, "the simulated devices" },
	[CLI_OPT_FROM] = { "from", 0, CLI_FILE, false, "FILE", NULL, 0,
			   "read declarations from FILE, not from a device" },
	[CLI_OPT_KIND] = { "kind", 0, CLI_CHOICE, false, "KIND", kinds, 0,
			   "what FILE is: cxl-cel, nvme-effects or profile" },
	[CLI_OPT_SAVE] = { "save", 0, CLI_FILE, false, "FILE", NULL, 0,
			   "save the profile to FILE, for --from --kind=profile" },
	[CLI_OPT_SCOPE] = { "scope", 0, CLI_CHOICE, false, "SCOPE", scopes, 0,
			    "ask for this scope, or grant it (the least needed)" },
	[CLI_OPT_AS] = { "as", 0, CLI_TEXT, false, "USER", NULL, 0,
			 "judge as if USER asked, by the policy files" },
	[CLI_OPT_DEVICE_NAME] = { "device-name", 0, CLI_TEXT, false, "NAME", NULL, 0,
				  "with --from: the name that policy patterns see" },
	[CLI_OPT_DRY_RUN] = { "dry-run", 0, CLI_FLAG, false, NULL, NULL, 0,
			      "decide, send nothing" },
	[CLI_OPT_UUID] = { "uuid", 0, CLI_TEXT, false, "UUID|NAME", NULL, 0, "CXL log or Feature" },
	[CLI_OPT_FID] = { "fid", 0, CLI_TEXT, false, "N|NAME", NULL, 0, "NVMe feature" },
	[CLI_OPT_LID] = { "lid", 0, CLI_TEXT, false, "N|NAME", NULL, 0, "NVMe log page" },
	[CLI_OPT_LSP] = { "lsp", 0, CLI_NUMBER, false, "N", NULL, 0x7f,
			  "NVMe log specific parameter" },
	[CLI_OPT_LSI] = { "lsi", 0, CLI_NUMBER, false, "N", NULL, 0xffff,
			  "NVMe log specific identifier" },
	[CLI_OPT_RAE] = { "rae", 0, CLI_FLAG, false, NULL, NULL, 0,
			  "NVMe: retain the asynchronous event" },
	[CLI_OPT_CNS] = { "cns", 0, CLI_TEXT, false, "N|NAME", NULL, 0,
			  "NVMe Identify: what to identify" },
	[CLI_OPT_NSID] = { "nsid", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX, "NVMe namespace" },
	[CLI_OPT_SLOT] = { "slot", 0, CLI_NUMBER, false, "N", NULL, 0xff, "firmware slot" },
	[CLI_OPT_ACTION] = { "action", 0, CLI_NUMBER, false, "N", NULL, 0xff,
			     "number of the operation" },
	[CLI_OPT_OFFSET] = { "offset", 0, CLI_NUMBER, false, "N", NULL, UINT64_MAX,
			     "first byte, or device physical address" },
	[CLI_OPT_LENGTH] = { "length", 0, CLI_NUMBER, false, "N", NULL, UINT64_MAX,
			     "number of bytes" },
	[CLI_OPT_SELECTION] = { "selection", 0, CLI_TEXT, false, "N|NAME", NULL, 0,
				"current, default or saved; or a number" },
	[CLI_OPT_CDW10] = { "cdw10", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 10" },
	[CLI_OPT_CDW11] = { "cdw11", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 11" },
	[CLI_OPT_CDW12] = { "cdw12", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 12" },
	[CLI_OPT_CDW13] = { "cdw13", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 13" },
	[CLI_OPT_CDW14] = { "cdw14", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 14" },
	[CLI_OPT_CDW15] = { "cdw15", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
			    "NVMe command dword 15" },
	[CLI_OPT_INPUT] = { "input", 'i', CLI_FILE, false, "FILE", NULL, 0,
			    "the payload: the bytes of FILE (-: standard input)" },
	[CLI_OPT_HEX] = { "hex", 0, CLI_TEXT, false, "BYTES", NULL, 0,
			  "the payload, in hex digits" },
	[CLI_OPT_OUTPUT] = { "output", 'O', CLI_FILE, false, "FILE", NULL, 0,
			     "write the device's bytes to FILE (-: standard output)" },
	[CLI_OPT_USER] = { "user", 0, CLI_ONCE, false, "USER,..", NULL, 0,
			   "for these users: names, numbers or \"*\"" },
	[CLI_OPT_GROUP] = { "group", 0, CLI_ONCE, false, "GROUP,..", NULL, 0,
			    "or for the members of these groups" },
	[CLI_OPT_UNIT] = { "unit", 0, CLI_ONCE, false, "PATTERN,..", NULL, 0,
			   "or for these systemd units; with --as: in this unit" },
	[CLI_OPT_DEVICE] = { "device", 0, CLI_ONCE, false, "PATTERN,..", NULL, 0,
			     "on the devices of these names (\"nvme*\")" },
	[CLI_OPT_EFFECTS] = { "effects", 0, CLI_ONCE, false, "EFFECT,..", NULL, 0,
			      "at most these effects, or \"none\" (those of the scope)" },
	[CLI_OPT_COMMANDS] = { "commands", 0, CLI_ONCE, false, "LIST", NULL, 0,
			       "only these commands, as in policy files" },
	[CLI_OPT_FOR] = { "for", 0, CLI_ONCE, false, "TIME", NULL, 0, "how long: 90m, 2h, 1d12h" },
	[CLI_OPT_TICKET] = { "ticket", 0, CLI_ONCE, false, "TEXT", NULL, 0,
			     "why: shown with the grant and with what it admits" },
	[CLI_OPT_NAME] = { "name", 0, CLI_ONCE, false, "NAME", NULL, 0,
			   "the grant's name (made up)" },
	[CLI_OPT_COMMANDS_PER_SECOND] = { "commands-per-second", 0, CLI_NUMBER, false, "N", NULL,
					  UINT32_MAX, "at most so many commands of a user" },
	[CLI_OPT_BYTES_PER_SECOND] = { "bytes-per-second", 0, CLI_SIZE, false, "N[K|M|G]", NULL,
				       INT64_MAX, "at most so much data of a user" },
	[CLI_OPT_MAX_SESSIONS] = { "max-sessions", 0, CLI_NUMBER, false, "N", NULL, UINT32_MAX,
				   "at most so many sessions of a user at a time" },
	[CLI_OPT_RECORD] = { "record", 0, CLI_CHOICE, false, "WHAT", records, 0,
			     "record digests of payloads, or payloads, too (digest)" },
	[CLI_OPT_REASON] = { "reason", 0, CLI_ONCE, false, "TEXT", NULL, 0,
			     "why, for those who find the device quarantined" },
	[CLI_OPT_SINCE] = { "since", 0, CLI_ONCE, false, "TIME", NULL, 0,
			    "from then on: \"2026-11-22 10:00\", -1h, yesterday, @SECONDS" },
	[CLI_OPT_UNTIL] = { "until", 0, CLI_ONCE, false, "TIME", NULL, 0, "up to then" },
	[CLI_OPT_LOG_DEVICE] = { "device", 0, CLI_ONCE, false, "PATTERN,..", NULL, 0,
				 "of the devices of these names (\"nvme*\")" },
	[CLI_OPT_LOG_USER] = { "user", 0, CLI_ONCE, false, "USER,..", NULL, 0,
			       "of these users: names or numbers" },
	[CLI_OPT_REFUSED] = { "refused", 0, CLI_FLAG, false, NULL, NULL, 0,
			      "what was refused, alone" },
	[CLI_OPT_LOG_EFFECTS] = { "effects", 0, CLI_MAYBE, false, "EFFECT,..", NULL, 0,
				  "with any effect, with one of these, or with \"none\"" },
	[CLI_OPT_LINES] = { "lines", 'n', CLI_NUMBER, false, "N", NULL, INT64_MAX,
			    "the last N of them" },
	[CLI_OPT_ALL] = { "all", 'a', CLI_FLAG, false, NULL, NULL, 0,
			  "also the journal's own records" },
	[CLI_OPT_NO_INDEX] = { "no-index", 0, CLI_FLAG, false, NULL, NULL, 0,
			       "read the journal without its index" },
	[CLI_OPT_FOLLOW] = { "follow", 'f', CLI_FLAG, false, NULL, NULL, 0,
			     "go on with what comes" },
	[CLI_OPT_SHOW_HEX] = { "hex", 0, CLI_FLAG, false, NULL, NULL, 0,
			       "the bytes of the record, part by part" },
	[CLI_OPT_FROM_SEQ] = { "from", 0, CLI_NUMBER, false, "SEQ", NULL, INT64_MAX,
			       "from this record on" },
	[CLI_OPT_TO_SEQ] = { "to", 0, CLI_NUMBER, false, "SEQ", NULL, INT64_MAX,
			     "up to this record" },
	[CLI_OPT_KEY] = { "key", 0, CLI_FILE, false, "FILE|HEX", NULL, 0,
			  "the public key that must have signed (the one in the journal)" },
	[CLI_OPT_CHECKPOINT] = { "checkpoint", 0, CLI_FILE, false, "FILE", NULL, 0,
				 "lines of `log checkpoint` that must be in it (-: standard "
				 "input)" },
	[CLI_OPT_PROOF_FILE] = { "proof", 0, CLI_FILE, false, "FILE", NULL, 0,
				 "check what `log export --proof` wrote, without a journal" },
	[CLI_OPT_PROOF_SEQ] = { "proof", 0, CLI_NUMBER, false, "SEQ", NULL, INT64_MAX,
				"one record and the proof that it is in the journal" },
	[CLI_OPT_REBUILD] = { "rebuild", 0, CLI_FLAG, false, NULL, NULL, 0, "begin anew" },
	[CLI_OPT_PLAN] = { "plan", 0, CLI_FLAG, false, NULL, NULL, 0,
			   "say what would be sent and how risky it is; send none of it" },
	[CLI_OPT_PROBE] = { "probe", 0, CLI_CHOICE, false, "HOW", probes, 0,
			    "read-only, declared or destructive (read-only; what is simulated: "
			    "destructive)" },
	[CLI_OPT_COMMAND] = { "command", 0, CLI_ONCE, false, "COMMAND", NULL, 0,
			      "try this command alone" },
	[CLI_OPT_BUDGET] = { "budget", 0, CLI_ONCE, false, "TIME|N", NULL, 0,
			     "30s, 2h or N commands (60s)" },
	[CLI_OPT_SEED] = { "seed", 0, CLI_NUMBER, false, "N", NULL, UINT64_MAX,
			   "where the search begins: the same one, the same campaign (0)" },
	[CLI_OPT_REPLAY] = { "replay", 0, CLI_FILE, false, "FILE", NULL, 0,
			     "do what an evidence file says, and nothing else" },
	[CLI_OPT_SERIAL] = { "serial", 0, CLI_ONCE, false, "TEXT", NULL, 0,
			     "the device's serial number: needed with --probe=destructive" },
	[CLI_OPT_OUTPUT_DIR] = { "output", 'O', CLI_DIR, false, "DIR", NULL, 0,
				 "save the campaign, and the evidence of each finding, in DIR" },
	[CLI_OPT_OUTPUT_PAGE] = { "output", 'O', CLI_FILE, false, "FILE", NULL, 0,
				  "write it to FILE (standard output)" },
	[CLI_OPT_SIGN_KEY] = { "key", 0, CLI_FILE, false, "PEM", NULL, 0,
			       "the private key to sign with (this host's own)" },
	[CLI_OPT_ID] = { "id", 0, CLI_ONCE, false, "ID", NULL, 0,
			 "what the advisory is called (made up)" },
	[CLI_OPT_EXPIRES] = { "expires", 0, CLI_ONCE, false, "TIME", NULL, 0,
			      "when it ends: 90d, 2030-01-01T00:00:00Z (never)" },
	[CLI_OPT_NEVER] = { "never", 0, CLI_FLAG, false, NULL, NULL, 0,
			    "forbid the command, in place of adding its effects" },
	[CLI_OPT_REFERENCE] = { "reference", 0, CLI_ONCE, false, "URL", NULL, 0,
				"where more is to be read" },
	[CLI_OPT_OUTPUT_ADVISORY] = { "output", 'O', CLI_FILE, false, "FILE", NULL, 0,
				      "write the advisory to FILE, and do not import it" },
	[CLI_OPT_FORMAT] = { "format", 0, CLI_CHOICE, false, "FORMAT", formats_out, 0,
			     "csaf: CSAF 2.0, as security tools read it (csaf)" },
};

__attribute__((format(printf, 2, 3))) static void usage_error(struct cli_args *args,
							      const char *format, ...)
{
	va_list ap;

	if (args->error[0])
		return;
	va_start(ap, format);
	vsnprintf(args->error, sizeof(args->error), format, ap);
	va_end(ap);
}

static bool parse_choice(const char *text, const char *const *values, uint64_t *ret)
{
	for (uint64_t i = 0; values[i]; i++) {
		if (strcmp(text, values[i]) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static void choice_error(struct cli_args *args, const struct cli_option *o, const char *text)
{
	char list[128] = "";

	for (int i = 0; o->values[i]; i++) {
		strcat(list, i ? ", " : "");
		strcat(list, o->values[i]);
	}
	usage_error(args, "--%s=%.64s: not one of %s", o->name, text, list);
}

/* "64K": 65536, at most @max. */
static bool parse_size(const char *text, uint64_t max, uint64_t *ret)
{
	static const char units[] = "KMG";
	char number[32];
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;

	if (len >= sizeof(number))
		return false;
	memcpy(number, text, len + 1);
	if (unit)
		number[len - 1] = '\0';
	if (!fwa_parse_number(number, max >> shift, ret))
		return false;
	*ret <<= shift;
	return true;
}

/* Says so when @text is not what the option @o takes. */
static bool check_text(struct cli_args *args, const struct cli_option *o, bool given,
		       const char *text)
{
	bool is_text = o->type == CLI_TEXT || o->type == CLI_ONCE || o->type == CLI_FILE ||
		       o->type == CLI_DIR;
	bool once = o->type == CLI_ONCE || o->type == CLI_MAYBE;

	if (is_text && !*text)
		usage_error(args, "--%s: empty value", o->name);
	else if (once && given)
		usage_error(args, "--%s twice: give one, with commas where it takes several",
			    o->name);
	else
		return true;
	return false;
}

static void take_option(struct cli_args *args, unsigned int id, const char *text)
{
	const struct cli_option *o = &cli_options[id];

	if (o->type == CLI_SIZE && !parse_size(text, o->max, &args->number[id])) {
		usage_error(args, "--%s=%.64s: not a number, or one with K, M or G behind it",
			    o->name, text);
		return;
	}
	if (o->type == CLI_NUMBER && !fwa_parse_number(text, o->max, &args->number[id])) {
		usage_error(args, "--%s=%.64s: not a number from 0 to %llu", o->name, text,
			    (unsigned long long)o->max);
		return;
	}
	if (o->type == CLI_CHOICE && !parse_choice(text, o->values, &args->number[id])) {
		choice_error(args, o, text);
		return;
	}
	if (!check_text(args, o, cli_given(args, id), text))
		return;
	args->text[id] = text;
	args->given |= CLI_BIT(id);
}

/* Fills what getopt_long() wants for the options in @allowed. */
static void getopt_tables(cli_option_set allowed, bool stop, struct option *longs, char *shorts)
{
	/* '+' ends at the first word that is no option; ':' tells a missing value from others */
	if (stop)
		*shorts++ = '+';
	*shorts++ = ':';
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		const struct cli_option *o = &cli_options[i];
		bool has_value = o->type != CLI_FLAG;
		int how = !has_value             ? no_argument
			  : o->type == CLI_MAYBE ? optional_argument
						 : required_argument;

		if (!(allowed & CLI_BIT(i)))
			continue;
		*longs++ = (struct option){ o->name, how, NULL, LONG_ONLY + i };
		if (o->letter)
			*shorts++ = o->letter;
		if (o->letter && has_value)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

static int option_by_letter(cli_option_set allowed, int letter)
{
	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		if (allowed & CLI_BIT(i) && cli_options[i].letter == letter)
			return i;
	}
	return -1;
}

int cli_parse_options(struct cli_args *args, cli_option_set allowed, bool stop, int argc,
		      char **argv)
{
	struct option longs[CLI_OPT_COUNT + 1];
	char shorts[2 * CLI_OPT_COUNT + 3];
	int got;

	getopt_tables(allowed, stop, longs, shorts);
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (got == '?')
			usage_error(args, "%.64s: no such option here", word);
		else if (got == ':')
			usage_error(args, "%.64s: needs a value", word);
		else
			take_option(args,
				    (unsigned int)(got >= LONG_ONLY
							   ? got - LONG_ONLY
							   : option_by_letter(allowed, got)),
				    optarg ? optarg : "");
	}
	return optind;
}
