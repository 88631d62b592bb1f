/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: every message with its line, directories and masking, and what a compiled policy
 * gives to whom.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "base/util.h"
#include "core/command.h"
#include "host/policy-internal.h"

#define GOOD "[grant a]\nuser = root\ndevice = mem0\nscope = debug-write\n"

/* Messages, one a line: "E:LINE:TEXT" or "W:LINE:TEXT". */
static void collect(const struct fwa_policy_message *m, void *userdata)
{
	char *all = userdata;
	size_t n = strlen(all);

	snprintf(all + n, 8192 - n, "%s%c:%u:%s", n ? "\n" : "", m->error ? 'E' : 'W', m->line,
		 m->text);
}

static struct fwa_policy_files *parse(const char *text, size_t len, char messages[8192], int *ret_r)
{
	struct fwa_policy_files *p = NULL;

	messages[0] = '\0';
	*ret_r =
		fwa_policy_files_parse_memory("x.conf", fwa_span(text, len), collect, messages, &p);
	return p;
}

#define EFFECTS                                                                            \
	"config-cold-reset, config, data, policy, log, security, background, "             \
	"config-conv-reset, config-cxl-reset, namespace-capability, namespace-inventory, " \
	"controller-capability, exclusive, none"

#define KEYS                                                                             \
	"user, group, device, family, vendor, model, firmware, serial, scope, effects, " \
	"commands, ticket"
#define FIELDS "lid, lsp, lsi, fid, cns, nsid, slot, uuid, sel, sv, op"

/* A grant that reaches everything, with @line. */
#define ALL(line)                                                                                  \
	"[grant a]\nuser = root\ndevice = *\nscope = debug-write-full\neffects = "                 \
	"config-cold-reset, "                                                                      \
	"config, data\neffects = policy, log, security, background, config-conv-reset\neffects = " \
	"config-cxl-reset, namespace-capability, namespace-inventory\neffects = "                  \
	"controller-capability, exclusive\n" line "\n"
/* 67 terms */
#define TEN_NSIDS "nsid:1 nsid:1 nsid:1 nsid:1 nsid:1 nsid:1 nsid:1 nsid:1 nsid:1 nsid:1"

static const struct {
	const char *text;
	const char *messages; /* all of them */
} table[] = {
	{ "", "" },
	{ "# nothing\n\n; nothing\n", "" },
	{ GOOD, "" },
	{ "\xef\xbb\xbf" GOOD, "" },
	{ "[grant a]\r\n\tuser = 0 , 1\r\n  device=*\r\n scope : configuration\r\n", "" },
	{ "[grant a] # comment\nuser = root ; comment\ndevice = mem0\nscope = debug-write", "" },
	{ GOOD "effects = none\n", "" },
	{ GOOD "user = 1\nuser = 2\n", "" },
	{ GOOD "[grant b]\ngroup = 5\ndevice = *\nscope = debug-write-full\neffects = data, log\n",
	  "" },

	{ "user = root\n", "E:1:'user' outside of a [grant NAME] section" },
	{ "[device x]\n", "E:1:unknown section '[device x]'; allowed: [grant NAME]" },
	{ "[grants]\n", "E:1:unknown section '[grants]'; allowed: [grant NAME]" },
	{ "[grant a", "E:1:a section line is '[grant NAME]' and nothing else" },
	{ "[grant a] user = root\n", "E:1:a section line is '[grant NAME]' and nothing else" },
	{ "[grant]\nuser = 0\ndevice = *\nscope = debug-write\n",
	  "E:1:a grant needs a name: [grant NAME]" },
	{ "[grant a/b]\nuser = 0\ndevice = *\nscope = debug-write\n",
	  "E:1:the name of a grant has letters, digits, '-', '_' and '.' only" },
	{ "[grant 012345678901234567890123456789012345678901234567]\nuser = 0\ndevice = *\n"
	  "scope = debug-write\n",
	  "E:1:the name of a grant has at most 47 characters" },
	{ "\n[grant a]\n[grant b]\nuser = 0\ndevice = *\nscope = debug-write\n",
	  "E:2:grant 'a' has neither user nor group\nE:2:grant 'a' has no device\n"
	  "E:2:grant 'a' has no scope" },
	{ GOOD "group = 5\n", "E:1:grant 'a' has both user and group: make it two" },
	{ GOOD "\n" GOOD, "E:6:grant 'a' is already in x.conf:1" },

	{ GOOD "users = root\n", "E:5:unknown key 'users'; allowed: " KEYS },
	{ GOOD "nonsense\n", "E:5:neither 'key = value', nor '[grant NAME]', nor a comment" },
	{ GOOD "effects =\n", "E:5:'effects' has no value" },
	{ GOOD "scope = debug-write\n", "E:5:a grant has one scope" },
	{ "[grant a]\nuser = 0\ndevice = *\nscope = full\n",
	  "E:4:unknown scope 'full'; allowed: configuration, debug-read-only, debug-write, "
	  "debug-write-full" },
	{ "[grant a]\nuser = 0\ndevice = *\nscope = never\n",
	  "E:4:unknown scope 'never'; allowed: configuration, debug-read-only, debug-write, "
	  "debug-write-full" },
	{ GOOD "effects = Data\n", "E:5:unknown effect 'Data'; allowed: " EFFECTS },
	{ GOOD "effects = dma\n", "E:5:effect 'dma' can never be granted; allowed: " EFFECTS },
	{ GOOD "effects = unknown\n",
	  "E:5:effect 'unknown' can never be granted; allowed: " EFFECTS },
	{ GOOD "effects = config, data\n",
	  "W:1:grant 'a': scope debug-write does not reach effects: "
	  "config data" },
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-read-only\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "[grant b]\nuser = 0, 1\ndevice = *\nscope = debug-write\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:5)" },
	{ GOOD "[grant b]\nuser = 0\ndevice = mem0, mem1\nscope = debug-write\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:5)" },
	{ GOOD "[grant b]\nuser = 0, 1\ndevice = mem0\nscope = debug-read-only\n", "" },
	{ GOOD "[grant b]\nuser = 0\ndevice = mem1\nscope = debug-read-only\n", "" },
	{ GOOD "[grant b]\nuser = 0\ndevice = mem0\nscope = debug-write-full\neffects = data\n",
	  "" },
	{ GOOD "[grant b]\ngroup = 0\ndevice = mem0\nscope = debug-write\n", "" },
	{ GOOD "user = @root\n",
	  "E:5:unknown user '@root'; allowed: a name, a number, a range, @owner, *" },
	{ GOOD "user = adm*\n",
	  "E:5:unknown user 'adm*'; allowed: a name, a number, a range, @owner, *" },
	{ GOOD "user = 4294967295\n", "E:5:'4294967295' is not a number that a user can have" },
	{ GOOD "user = no-such-user-here\n",
	  "W:5:this machine has no user 'no-such-user-here'; the grant gives it nothing" },
	{ "[grant a]\ngroup = *\ndevice = *\nscope = debug-write\n",
	  "E:2:unknown group '*'; allowed: a name, a number" },
	{ "[grant a]\ngroup = no-such-group-here\ndevice = *\nscope = debug-write\n",
	  "W:2:this machine has no group 'no-such-group-here'; the grant gives it nothing" },
	{ GOOD "user = \x1b[2J\n", "E:5:the line holds a control character" },
	{ GOOD "user = \xc3\xa9t\xc3\xa9*\n",
	  "E:5:unknown user '??t??*'; allowed: a name, a number, a range, @owner, *" },

	/* ranges */
	{ GOOD "user = 1000-1999, 5-5\n", "" },
	{ GOOD "user = 2000-1999\n",
	  "E:5:'2000-1999' is not a range of numbers that users can have" },
	{ GOOD "user = 0-4294967295\n",
	  "E:5:'0-4294967295' is not a range of numbers that users can have" },
	{ GOOD "user = 1-99999999999999999999\n",
	  "E:5:'1-99999999999999999999' is not a range of numbers that users can have" },
	{ GOOD "user = 1000-\n",
	  "W:5:this machine has no user '1000-'; the grant gives it nothing" },
	{ "[grant a]\nuser = 10-20\ndevice = *\nscope = debug-write\n[grant b]\nuser = 10-15\n"
	  "device = *\nscope = debug-write\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },

	/* conditions and tickets */
	{ GOOD "family = cxl, nvme\nvendor = Acme Inc*\nmodel = X?\nfirmware = 1.*\nserial = *\n"
	       "ticket = CHG-1, as agreed\n",
	  "" },
	{ GOOD "vendor = ,\n", "E:5:'vendor' has no value" },
	{ GOOD "model = a, , b\n", "E:5:'model' has an empty pattern" },
	{ GOOD "ticket = a\nticket = b\n", "E:6:a grant has one ticket" },
	{ GOOD "ticket = 0123456789012345678901234567890123456789012345678901234567890123\n",
	  "E:5:a ticket has at most 63 bytes" },
	{ GOOD "ticket =\n", "E:5:'ticket' has no value" },
	{ GOOD "family = nmve\n",
	  "W:1:grant 'a': no family is called 'nmve'; there are cxl, nvme, fwctl, sim" },
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\nvendor = A\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "vendor = A\n[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\n"
	       "vendor = A, B\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:6)" },
	{ GOOD "vendor = A\n[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\n"
	       "model = A\n",
	  "" },

	/* commands */
	{ ALL("commands = get-log-page !lid:0x07/lsp:1"), "" },
	{ ALL("commands = cxl:get-log uuid:cel, 4302h, io:0x02 nsid:1, !admin:identify cns:1"),
	  "" },
	{ ALL("commands = get-feature uuid:00112233-4455-6677-8899-aabbccddeeff"), "" },
	{ ALL("commands = get-log-page lid:smart lid:0x80/lsi:65535"), "" },
	{ ALL("commands = transfer-fw slot:2, fw-commit !slot:7"), "" },
	{ ALL("commands = get-log-page\ncommands = identify"), "" },
	{ ALL("commands ="), "E:9:'commands' has no value" },
	{ ALL("commands = identify, !"), "E:9:a command is missing" },
	{ ALL("commands = identify, ,c001h"), "E:9:a command is missing" },
	{ ALL("commands = no-such"),
	  "E:9:unknown command 'no-such'; give a name or an opcode such as 0x4302" },
	{ ALL("commands = fpga:identify"),
	  "E:9:unknown command 'fpga:identify'; give a name or an opcode such as 0x4302" },
	{ ALL("commands = io:get-log-page"),
	  "E:9:unknown command 'io:get-log-page'; give a name or an opcode such as 0x4302" },
	{ ALL("commands = 0x10000"),
	  "E:9:unknown command '0x10000'; give a name or an opcode such as 0x4302" },
	{ ALL("commands = admin:100h"),
	  "E:9:unknown command 'admin:100h'; give a name or an opcode such as 0x4302" },
	{ ALL("commands = get-log-page identify"),
	  "E:9:'identify' is not FIELD:VALUE; commands are separated by commas" },
	{ ALL("commands = get-log-page lid:"), "E:9:'' is not a lid, which is a number up to 255" },
	{ ALL("commands = get-log-page lid:256"),
	  "E:9:'256' is not a lid, which is a number up to 255" },
	{ ALL("commands = get-log-page lsp:0x80"),
	  "E:9:'0x80' is not a lsp, which is a number up to 127" },
	{ ALL("commands = fw-commit slot:8"), "E:9:'8' is not a slot, which is a number up to 7" },
	{ ALL("commands = get-features sel:8"), "E:9:'8' is not a sel, which is a number up to 7" },
	{ ALL("commands = set-features sv:2"), "E:9:'2' is not a sv, which is a number up to 1" },
	{ ALL("commands = set-features sel:0"), "E:9:command 'set-features' has no sel" },
	{ ALL("commands = format-nvm op:8"), "E:9:'8' is not a op, which is a number up to 7" },
	{ ALL("commands = format-nvm op:reserved"), /* is five numbers */
	  "E:9:'reserved' is not a op, which is a number up to 7" },
	{ ALL("commands = get-log op:1"), "E:9:command 'get-log' has no op" },
	{ ALL("commands = get-log-page !"),
	  "E:9:'' is not FIELD:VALUE; commands are separated by commas" },
	{ ALL("commands = get-log-page lid:1/"),
	  "E:9:'' is not FIELD:VALUE; commands are separated by commas" },
	{ ALL("commands = get-log-page lud:1"), "E:9:unknown field 'lud'; allowed: " FIELDS },
	{ ALL("commands = get-log-page lid:1/lid:2"), "E:9:field 'lid' twice in one group" },
	{ ALL("commands = get-log-page fid:1"), "E:9:command 'get-log-page' has no fid" },
	{ ALL("commands = cxl:identify cns:1"), "E:9:command 'cxl:identify' has no cns" },
	{ ALL("commands = c001h nsid:1"), "E:9:command 'c001h' has no nsid" },
	{ ALL("commands = get-log uuid:nobody"),
	  "E:9:'nobody' is neither a UUID nor a name that get-log knows" },
	{ ALL("commands = io:read " TEN_NSIDS "\ncommands = io:read " TEN_NSIDS
	      "\ncommands = io:read " TEN_NSIDS "\ncommands = io:read " TEN_NSIDS
	      "\ncommands = io:read " TEN_NSIDS "\ncommands = io:read " TEN_NSIDS),
	  "E:14:more than 64 commands and fields in one grant" },

	/* commands that make no sense with the rest */
	{ GOOD "commands = clear-poison\n",
	  "W:1:grant 'a': command cxl:clear-poison needs scope debug-write-full\n"
	  "W:1:grant 'a' can never admit anything" },
	{ GOOD "commands = clear-poison, get-supported-logs\n",
	  "W:1:grant 'a': command cxl:clear-poison needs scope debug-write-full" },
	{ "[grant a]\nuser = root\ndevice = *\nscope = debug-write-full\neffects = log\n"
	  "commands = clear-poison\n",
	  "W:1:grant 'a': command cxl:clear-poison has effects that the grant does not allow\n"
	  "W:1:grant 'a' can never admit anything" },
	{ "[grant a]\nuser = root\ndevice = *\nscope = configuration\ncommands = c001h\n",
	  "W:1:grant 'a': command cxl:c001h needs scope debug-read-only\n"
	  "W:1:grant 'a' can never admit anything" },
	{ ALL("family = nv*\ncommands = get-log"),
	  "W:1:grant 'a': no device of its family has command cxl:get-log\n"
	  "W:1:grant 'a' can never admit anything" },
	{ ALL("family = nvme, cxl\ncommands = get-log, get-log-page"), "" },
	{ ALL("family = sim\ncommands = get-log, get-log-page"), "" },
	{ ALL("commands = admin:dbbuf"), "W:1:grant 'a': command admin:dbbuf is never admitted\n"
					 "W:1:grant 'a' can never admit anything" },
	{ ALL("commands = get-log, !get-log"),
	  "W:1:grant 'a': command cxl:get-log is both allowed and excluded" },
	{ ALL("commands = get-log uuid:cel, !get-log uuid:cel"),
	  "W:1:grant 'a': command cxl:get-log is both allowed and excluded" },
	{ ALL("commands = get-log, !get-log uuid:cel"), "" },
	{ ALL("commands = get-log-page lid:1, !get-log-page !lid:1"), "" },
	{ ALL("commands = get-log-page lid:1 lid:7/lsp:1 !lid:7/lsp:1"),
	  "W:1:grant 'a': command admin:get-log-page: the same lid is both allowed and excluded" },
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\ncommands = get-log\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "commands = get-log\n[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\n"
	       "commands = get-log\n",
	  "W:6:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "commands = get-log\n[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\n"
	       "commands = get-log uuid:cel\n",
	  "" },
};

static void test_messages(void **state)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		char messages[8192];
		bool error = strstr(table[i].messages, "E:") != NULL;
		struct fwa_policy_files *p;
		int r;

		p = parse(table[i].text, strlen(table[i].text), messages, &r);
		assert_string_equal(messages, table[i].messages);
		assert_int_equal(r, error ? -EINVAL : 0);
		assert_true((p == NULL) == error);
		fwa_policy_files_free(p);
	}
}

/* What libinih would cut short or join is said, never guessed. */
static void test_long_lines(void **state)
{
	char text[1024], messages[8192];
	struct fwa_policy_files *p;
	int r, n;

	n = snprintf(text, sizeof(text), GOOD "user = %0*d\n", 300, 0);
	p = parse(text, (size_t)n, messages, &r);
	assert_null(p);
	assert_non_null(strstr(messages, "E:5:the line is longer than "));

	n = snprintf(text, sizeof(text), "#%0*d\n" GOOD, 300, 0); /* a comment may be long */
	p = parse(text, (size_t)n, messages, &r);
	assert_string_equal(messages, "");
	fwa_policy_files_free(p);

	p = parse(GOOD "user = a\0b\n", sizeof(GOOD "user = a\0b\n") - 1, messages, &r);
	assert_null(p);
	assert_string_equal(messages, "E:5:the line holds a control character");
}

static void test_messages_are_bounded(void **state)
{
	char text[20 * 1000], messages[8192];
	size_t lines = 0;
	int r;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "x=\n"[i % 3];
	assert_null(parse(text, sizeof(text), messages, &r));
	for (const char *c = messages; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, FWA_POLICY_MESSAGES_MAX);
	assert_non_null(strstr(messages, "too many messages"));
}

static void test_warnings_hide_no_error(void **state)
{
	char text[4096] = GOOD, messages[8192];
	size_t n = strlen(text);
	int r;

	for (int i = 0; i <= FWA_POLICY_MESSAGES_MAX; i++)
		n += (size_t)sprintf(text + n, "user = no-such-%d\n", i);
	n += (size_t)sprintf(text + n, "nonsense\n");
	assert_null(parse(text, n, messages, &r));
	assert_int_equal(r, -EINVAL);
	assert_non_null(strstr(messages, "W:69:too many messages"));
	assert_non_null(strstr(messages, "E:70:neither "));
}

/* What @who may do on device @name, by @text. */
static struct fwa_rights rights_of(const char *text, const char *name, const char *spec,
				   const struct fwa_principal *who)
{
	static const struct fwa_profile nobody;
	fwa_auto_free uint8_t *snapshot = NULL;
	struct fwa_rights rights;
	struct fwa_policy policy;
	struct fwa_policy_files *p;
	char messages[8192];
	size_t len;
	int r;

	p = parse(text, strlen(text), messages, &r);
	assert_int_equal(r, 0);
	assert_int_equal(fwa_policy_files_encode(p, name, spec, &snapshot, &len), 0);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(snapshot, len)), 0);
	assert_memory_equal(policy.digest, p->digest, 32);
	assert_true(fwa_policy_whole(&policy));
	fwa_policy_fold(&policy, who, &nobody, fwa_pattern_matches, &rights);
	fwa_policy_files_free(p);
	return rights;
}

static const struct fwa_principal root = { .uid = 0, .gid = 0 };
static const struct fwa_principal user7 = { .uid = 7, .gid = 70 };
static const struct fwa_principal member = {
	.uid = 8, .gid = 80, .groups = (const uint32_t[]){ 3, 5 }, .n_groups = 2
};
static const struct fwa_principal owner = { .uid = 9, .gid = 90, .owner = true };

static const char mixed[] =
	"[grant z]\nuser = 7, 0\ndevice = mem[0-3], nvme*\nscope = debug-write\n"
	"[grant five]\ngroup = 5\ndevice = *\nscope = debug-read-only\n"
	"[grant more]\nuser = 7\ndevice = mem1\nscope = debug-write-full\n"
	"effects = data\n"
	"[grant mine]\nuser = @owner\ndevice = sim:*\nscope = debug-write\n"
	"[grant all]\nuser = *\ndevice = open\nscope = configuration\n";

static void test_compile(void **state)
{
	struct fwa_rights r;

	r = rights_of(mixed, "mem0", "cxl:/dev/cxl/mem0", &user7);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_DEBUG_WRITE);
	assert_int_equal(r.right[0].effects, fwa_grant_default_effects(FWA_SCOPE_DEBUG_WRITE));
	r = rights_of(mixed, "mem1", NULL, &user7);
	assert_int_equal(r.n_matched, 2);
	r = rights_of(mixed, "mem4", NULL, &user7);
	assert_int_equal(r.n_matched, 0);
	r = rights_of(mixed, "nvme12", NULL, &root);
	assert_int_equal(r.n_matched, 1);
	r = rights_of(mixed, "mem9", NULL, &member);
	assert_int_equal(r.n_matched, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_DEBUG_READ_ONLY);
	r = rights_of(mixed, "x", "sim:honest", &owner);
	assert_int_equal(r.n_matched, 1);
	r = rights_of(mixed, "x", "sim:honest", &user7);
	assert_int_equal(r.n_matched, 0);
	r = rights_of(mixed, "open", NULL, &owner);
	assert_int_equal(r.n_matched, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_CONFIGURATION);
}

static void test_compile_to_memfd(void **state)
{
	fwa_auto_free uint8_t *snapshot = NULL, *copy = NULL;
	fwa_auto_close int fd = -1;
	struct fwa_policy_files *p;
	char messages[8192];
	size_t len;
	int r;

	p = parse(mixed, sizeof(mixed) - 1, messages, &r);
	assert_int_equal(fwa_policy_files_encode(p, "mem1", NULL, &snapshot, &len), 0);
	fd = fwa_policy_files_compile(p, "mem1", NULL);
	assert_true(fd >= 0);
	assert_int_equal(fwa_memfd_copy(fd, len, &copy), 0);
	assert_memory_equal(copy, snapshot, len);
	fwa_policy_files_free(p);
}

/* The stock policy: root, the group, whoever plays with a simulation; and nobody else. */
static void test_stock(void **state)
{
	fwa_auto_free char *text = strndup((const char *)fwa_policy_stock, fwa_policy_stock_len);
	char messages[8192];
	struct fwa_policy_files *p;
	struct fwa_rights r;
	int result;

	assert_non_null(text);
	p = parse(text, fwa_policy_stock_len, messages, &result);
	assert_int_equal(result, 0);
	assert_null(strstr(messages, "E:"));
	assert_int_equal(fwa_policy_files_count(p), 3);
	fwa_policy_files_free(p);

	r = rights_of(text, "mem0", "cxl:/dev/cxl/mem0", &root);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_DEBUG_WRITE);
	r = rights_of(text, "mem0", "cxl:/dev/cxl/mem0", &user7);
	assert_int_equal(r.n, 0);
	r = rights_of(text, "mem0", "cxl:/dev/cxl/mem0", &owner);
	assert_int_equal(r.n, 0);
	r = rights_of(text, "sim:honest", "sim:honest", &owner);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_DEBUG_WRITE);
	r = rights_of(text, "sim:honest", "sim:honest", &user7);
	assert_int_equal(r.n, 0);
}

/* Directories */

struct dirs {
	char base[64];
	char path[3][96];
	const char *list[3];
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0644), 0);
}

static int setup_dirs(void **state)
{
	struct dirs *d = calloc(1, sizeof(*d));

	if (!d)
		return -1;
	strcpy(d->base, "/tmp/fwadmit-test-XXXXXX");
	if (!mkdtemp(d->base)) {
		free(d);
		return -1;
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(d->path[i], sizeof(d->path[i]), "%s/%zu", d->base, i);
		d->list[i] = d->path[i];
	}
	*state = d;
	return 0;
}

static int teardown_dirs(void **state)
{
	struct dirs *d = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", d->base);
	free(d);
	return system(command);
}

#define GRANT(name) "[grant " name "]\nuser = root\ndevice = " name "\nscope = debug-write\n"

static void test_directories(void **state)
{
	struct fwa_policy_files *p = NULL;
	const struct dirs *d = *state;
	char messages[8192] = "", link[128];

	/* None of them is there, or has a file: the stock policy. */
	assert_int_equal(mkdir(d->path[0], 0755), 0);
	write_file(d->path[0], "README", "not a policy");
	write_file(d->path[0], ".hidden.conf", "not a policy");
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, collect, messages, &p), 0);
	assert_string_equal(fwa_policy_files_source(p), "built-in stock policy");
	assert_int_equal(fwa_policy_files_count(p), 3);
	p = fwa_policy_files_free(p);

	/* A file in a later directory hides the one of the same name; a link to /dev/null masks. */
	assert_int_equal(mkdir(d->path[2], 0755), 0);
	write_file(d->path[0], "50-a.conf", GRANT("a0"));
	write_file(d->path[0], "60-b.conf", GRANT("b0"));
	write_file(d->path[0], "70-c.conf", GRANT("c0"));
	write_file(d->path[2], "50-a.conf", GRANT("a2") GRANT("a2too"));
	snprintf(link, sizeof(link), "%s/70-c.conf", d->path[2]);
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, collect, messages, &p), 0);
	assert_string_equal(fwa_policy_files_source(p), "standard directories");
	assert_int_equal(fwa_policy_files_count(p), 6); /* with the three of the stock policy */
	p = fwa_policy_files_free(p);

	/* The stock policy goes the same way. */
	snprintf(link, sizeof(link), "%s/50-stock.conf", d->path[2]);
	assert_int_equal(symlink("/dev/null", link), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, collect, messages, &p), 0);
	assert_string_equal(messages, "");
	assert_string_equal(fwa_policy_files_source(p), "standard directories");
	assert_int_equal(fwa_policy_files_count(p), 3);
	assert_string_equal(p->rules[0].name, "a2");
	assert_string_equal(p->rules[2].name, "b0");
	p = fwa_policy_files_free(p);

	/* The same name in two files: both hold, and it is said. */
	write_file(d->path[2], "80-d.conf", GRANT("b0"));
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, collect, messages, &p), 0);
	assert_non_null(strstr(messages, "W:1:grant 'b0' is already in "));
	assert_int_equal(fwa_policy_files_count(p), 4);
	fwa_policy_files_free(p);
}

static void test_one_directory(void **state)
{
	struct fwa_policy_files *p = NULL;
	const struct dirs *d = *state;
	char messages[8192] = "", path[128];

	assert_int_equal(fwa_policy_files_load(d->path[1], collect, messages, &p), -ENOENT);
	assert_string_equal(messages, "E:0:cannot read: No such file or directory");

	assert_int_equal(mkdir(d->path[1], 0755), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], collect, messages, &p), 0);
	assert_string_equal(messages, "W:0:no *.conf in it: nothing is granted");
	assert_int_equal(fwa_policy_files_count(p), 0);
	assert_string_equal(fwa_policy_files_source(p), d->path[1]);
	p = fwa_policy_files_free(p);

	write_file(d->path[1], "a.conf", GRANT("a"));
	write_file(d->path[1], "b.conf", "nonsense\n");
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], collect, messages, &p), -EINVAL);
	assert_null(p);
	assert_string_equal(messages,
			    "E:1:neither 'key = value', nor '[grant NAME]', nor a comment");

	write_file(d->path[1], "b.conf", GRANT("b"));
	snprintf(path, sizeof(path), "%s/b.conf", d->path[1]);
	assert_int_equal(chmod(path, 0646), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], collect, messages, &p), -EINVAL);
	assert_string_equal(messages, "E:0:everybody may write to this file");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], collect, messages, &p), -EINVAL);
	assert_string_equal(messages, "E:0:not a regular file");
}

/* "cat FILES | sha256sum" */
static void test_digest(void **state)
{
	struct fwa_policy_files *p = NULL, *q = NULL;
	const char *both = GRANT("a") GRANT("b");
	const struct dirs *d = *state;
	char messages[8192];
	int r;

	p = parse("", 0, messages, &r);
	assert_string_equal(fwa_policy_files_digest(p),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	fwa_policy_files_free(p);

	assert_int_equal(mkdir(d->path[1], 0755), 0);
	write_file(d->path[1], "b.conf", GRANT("b"));
	write_file(d->path[1], "a.conf", GRANT("a"));
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, NULL, &p), 0);
	q = parse(both, strlen(both), messages, &r);
	assert_string_equal(fwa_policy_files_digest(p), fwa_policy_files_digest(q));
	fwa_policy_files_free(p);
	fwa_policy_files_free(q);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void test_scale(void **state)
{
	const uint32_t count = 100000;
	fwa_auto_free uint8_t *snapshot = NULL;
	fwa_auto_free char *text = NULL;
	struct fwa_policy_files *p;
	struct fwa_policy policy;
	char messages[8192];
	size_t len, size;
	double start;
	int r;
	FILE *f;

	f = open_memstream(&text, &size);
	assert_non_null(f);
	for (uint32_t i = 0; i < count; i++)
		fprintf(f,
			"[grant g%u]\nuser = %u\ndevice = mem%u, nvme*\nscope = debug-write-full\n"
			"effects = data, log\ncommands = get-log-page !lid:%u, format-nvm\n"
			"vendor = Acme*\nticket = CHG-%u\n",
			i, (i * 7919) % count, i % 16, i % 256, i);
	fclose(f);
	start = seconds();
	p = parse(text, size, messages, &r);
	assert_non_null(p);
	assert_int_equal(fwa_policy_files_encode(p, "nvme0", "nvme:/dev/nvme0", &snapshot, &len),
			 0);
	print_message("%u grants read and compiled in %.0f ms\n", count,
		      (seconds() - start) * 1000);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(snapshot, len)), 0);
	assert_true(fwa_policy_whole(&policy));
	assert_int_equal(policy.n.grants, count);
	assert_true(seconds() - start < 5); /* sanitizers and busy machines included */
	fwa_policy_files_free(p);
}

static void test_too_many_subjects(void **state)
{
	fwa_auto_free char *text = NULL;
	char messages[8192];
	size_t size;
	FILE *f;
	int r;

	f = open_memstream(&text, &size);
	assert_non_null(f);
	fputs("[grant a]\ndevice = *\nscope = debug-write\n", f);
	for (uint32_t i = 0; i <= FWA_POLICY_GRANTS_MAX; i++)
		fprintf(f, "user = %u\n", i);
	fclose(f);
	assert_null(parse(text, size, messages, &r));
	assert_string_equal(messages, "E:200004:more than 200000 users and groups in all grants");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_messages_are_bounded),
		cmocka_unit_test(test_warnings_hide_no_error),
		cmocka_unit_test(test_compile),
		cmocka_unit_test(test_compile_to_memfd),
		cmocka_unit_test(test_stock),
		cmocka_unit_test_setup_teardown(test_directories, setup_dirs, teardown_dirs),
		cmocka_unit_test_setup_teardown(test_one_directory, setup_dirs, teardown_dirs),
		cmocka_unit_test_setup_teardown(test_digest, setup_dirs, teardown_dirs),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_too_many_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
