/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that a policy file can get wrong: each message, with its line.
 */
#include <errno.h>
#include <pwd.h>

#include "host/test-policy.h"

/* One name that cannot be looked up; else as the C library's. */
struct passwd *getpwnam(const char *name)
{
	static struct passwd pw;
	static char buf[16384];
	struct passwd *found = NULL;
	int r;

	r = strcmp(name, "lookup-fails") == 0 ? EIO
					      : getpwnam_r(name, &pw, buf, sizeof(buf), &found);
	errno = r;
	return found;
}

#define EFFECTS                                                                            \
	"config-cold-reset, config, data, policy, log, security, background, "             \
	"config-conv-reset, config-cxl-reset, namespace-capability, namespace-inventory, " \
	"controller-capability, exclusive, none"

#define KEYS                                                                                   \
	"user, group, unit, device, family, vendor, model, firmware, serial, scope, effects, " \
	"commands, ticket, until, commands-per-second, bytes-per-second, max-sessions, record"
#define FIELDS "lid, lsp, lsi, fid, cns, nsid, slot, uuid, sel, sv, op"

/* A grant that reaches everything, with @line. */
#define ALL(line)                                                                                  \
	"[grant a]\nuser = root\ndevice = *\nscope = debug-write-full\neffects = "                 \
	"config-cold-reset, "                                                                      \
	"config, data\neffects = policy, log, security, background, config-conv-reset\neffects = " \
	"config-cxl-reset, namespace-capability, namespace-inventory\neffects = "                  \
	"controller-capability, exclusive\n" line "\n"
/* A grant for whom @line says. */
#define UNIT(line) "[grant a]\n" line "\ndevice = *\nscope = debug-write\n"
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
	  "E:2:grant 'a' has neither user, group nor unit\nE:2:grant 'a' has no device\n"
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
	{ GOOD "user =\n", "E:5:'user' has no value" },
	{ GOOD "user = lookup-fails\n",
	  "W:5:cannot look up user 'lookup-fails' now; the grant gives it nothing" },
	{ "[grant a]\ngroup =\ndevice = *\nscope = debug-write\n",
	  "E:2:'group' has no value\nE:1:grant 'a' has neither user, group nor unit" },
	{ "[grant a]\ngroup = 4294967295\ndevice = *\nscope = debug-write\n",
	  "E:2:'4294967295' is not a number that a group can have" },
	{ "[grant a]\nuser = 0\ndevice =\nscope = debug-write\n",
	  "E:3:'device' has no value\nE:1:grant 'a' has no device" },
	{ "[grant a]\nuser = 0\ndevice = ,\nscope = debug-write\n",
	  "E:3:'device' has no value\nE:1:grant 'a' has no device" },
	{ "[grant a]\nuser = 0\ndevice = *\nscope =\n",
	  "E:4:'scope' has no value\nE:1:grant 'a' has no scope" },
	{ "[grant a]\nuser = 0\ndevice = *\nscope = debug-write debug-write\n",
	  "E:4:a grant has one scope" },
	{ GOOD "[grant b]\nuser = *\ndevice = mem0\nscope = debug-write\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:5)" },
	{ GOOD "[grant b]\nuser = 0-5\ndevice = mem0\nscope = debug-write\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:5)" },
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

	/* units */
	{ UNIT("unit = smartd.service, backup@*.service"), "" },
	{ UNIT("unit = *"), "" },
	{ UNIT("unit = user@1000.service\nunit = dev-disk\\\\x2dby.mount"), "" },
	{ UNIT("unit ="),
	  "E:2:'unit' has no value\nE:1:grant 'a' has neither user, group nor unit" },
	{ UNIT("unit = smartd"), "E:2:unit 'smartd' has no type, as smartd.service has" },
	{ UNIT("unit = /system.slice/smartd.service"),
	  "E:2:'/system.slice/smartd.service' is not a pattern for systemd units" },
	{ UNIT("unit = \xc3\xa9.service"), "E:2:'??.service' is not a pattern for systemd units" },
	{ UNIT("user = root\nunit = a.service"),
	  "E:1:grant 'a' has both user and unit: make it two" },
	{ UNIT("group = 5\nunit = a.service"),
	  "E:1:grant 'a' has both group and unit: make it two" },
	{ UNIT("user = root\ngroup = 5\nunit = a.service"),
	  "E:1:grant 'a' has both user and unit: make it two" },
	{ UNIT("unit = a.service, b.service") "[grant b]\nunit = b.service\ndevice = *\n"
					      "scope = debug-write\n",
	  "" }, /* only rules that share their first are compared */
	{ UNIT("unit = a.service") "[grant b]\nunit = a.service\ndevice = mem0\n"
				   "scope = debug-write\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ UNIT("unit = a.service") "[grant b]\nunit = b.service\ndevice = *\n"
				   "scope = debug-write\n",
	  "" },

	/* ends */
	{ GOOD "until = 9999-12-31T23:59:59Z\n", "W:1:grant 'a' lasts until 9999-12-31T23:59:59Z: "
						 "so far off that it is as good as without "
						 "an end" },
	{ GOOD "until = 2001-02-03T04:05:06Z\n",
	  "W:1:grant 'a' ended at 2001-02-03T04:05:06Z: it gives nothing" },
	{ GOOD "until = 1970-01-01T00:00:00Z\n",
	  "W:1:grant 'a' ended at 1970-01-01T00:00:01Z: it gives nothing" },
	{ GOOD "until =\n", "E:5:'until' has no value" },
	{ GOOD "until = tomorrow\n",
	  "E:5:'tomorrow' is not a time in UTC such as 2026-12-31T18:00:00Z" },
	{ GOOD "until = 2001-02-29T00:00:00Z\n",
	  "E:5:'2001-02-29T00:00:00Z' is not a time in UTC such as 2026-12-31T18:00:00Z" },
	{ GOOD "until = 2001-02-03T04:05:06+01:00\n",
	  "E:5:'2001-02-03T04:05:06+01:00' is not a time in UTC such as 2026-12-31T18:00:00Z" },
	{ GOOD "until = 2001-02-03 04:05:06\n",
	  "E:5:'2001-02-03' is not a time in UTC such as 2026-12-31T18:00:00Z\n"
	  "E:5:a grant has one until" },
	{ GOOD "until = 2001-02-03T04:05:06Z\nuntil = 2001-02-03T04:05:06Z\n",
	  "E:6:a grant has one until" },
	{ GOOD "until = 2001-02-03T04:05:06Z\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-write\n",
	  "W:1:grant 'a' ended at 2001-02-03T04:05:06Z: it gives nothing\n"
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:6)" },
	{ GOOD "until = 2001-02-03T04:05:06Z\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-write-full\nuntil = 2000-01-01T00:00:00Z\n",
	  "W:1:grant 'a' ended at 2001-02-03T04:05:06Z: it gives nothing\n"
	  "W:6:grant 'b' ended at 2000-01-01T00:00:00Z: it gives nothing" },
	{ GOOD "created = 0 2001-02-03T04:05:06Z\n", "E:5:unknown key 'created'; allowed: " KEYS },
	{ GOOD "boot = 1\n", "E:5:unknown key 'boot'; allowed: " KEYS },
	{ GOOD "later-boot = 1\n", "E:5:unknown key 'later-boot'; allowed: " KEYS },

	/* limits */
	{ GOOD "commands-per-second = 10\nbytes-per-second = 1M\nmax-sessions = 2\n", "" },
	{ GOOD "commands-per-second = 4294967295\nbytes-per-second = 8589934591G\n"
	       "max-sessions = 4294967295\n",
	  "" },
	{ GOOD "commands-per-second = 0\n",
	  "E:5:'0' is not a number of commands from 1 to 4294967295" },
	{ GOOD "commands-per-second = 4294967296\n",
	  "E:5:'4294967296' is not a number of commands from 1 to 4294967295" },
	{ GOOD "commands-per-second = 18446744073709551617\n",
	  "E:5:'18446744073709551617' is not a number of commands from 1 to 4294967295" },
	{ GOOD "commands-per-second = -1\n",
	  "E:5:'-1' is not a number of commands from 1 to 4294967295" },
	{ GOOD "commands-per-second = 10/s\n",
	  "E:5:'10/s' is not a number of commands from 1 to 4294967295" },
	{ GOOD "commands-per-second = 1 2\n", "E:5:a grant has one commands-per-second" },
	{ GOOD "commands-per-second =\n", "E:5:'commands-per-second' has no value" },
	{ GOOD "bytes-per-second = 0\n",
	  "E:5:'0' is not a number of bytes such as 4096, 64K, 10M or 1G" },
	{ GOOD "bytes-per-second = 0K\n",
	  "E:5:'0K' is not a number of bytes such as 4096, 64K, 10M or 1G" },
	{ GOOD "bytes-per-second = K\n",
	  "E:5:'K' is not a number of bytes such as 4096, 64K, 10M or 1G" },
	{ GOOD "bytes-per-second = 1T\n",
	  "E:5:'1T' is not a number of bytes such as 4096, 64K, 10M or 1G" },
	{ GOOD "bytes-per-second = 8589934592G\n",
	  "E:5:'8589934592G' is not a number of bytes such as 4096, 64K, 10M or 1G" },
	{ GOOD "bytes-per-second = 000000000000000000000000001\n",
	  "E:5:'000000000000000000000000001' is not a number of bytes such as 4096, 64K, 10M or "
	  "1G" },
	{ GOOD "bytes-per-second = 1\nbytes-per-second = 1\n",
	  "E:6:a grant has one bytes-per-second" },
	{ GOOD "bytes-per-second =\n", "E:5:'bytes-per-second' has no value" },
	{ GOOD "max-sessions = 0\n", "E:5:'0' is not a number of sessions from 1 to 4294967295" },
	{ GOOD "max-sessions = 1 1\n", "E:5:a grant has one max-sessions" },
	{ GOOD "max-sessions =\n", "E:5:'max-sessions' has no value" },
	/* an unlimited one shadows a limited one, which shadows nothing */
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-write\nmax-sessions = 1\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "max-sessions = 1\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-write\n",
	  "W:1:grant 'a' adds nothing to grant 'b' (x.conf:6)" },
	{ GOOD "max-sessions = 1\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-read-only\n",
	  "" },
	{ GOOD "max-sessions = 1\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-write\nmax-sessions = 2\n",
	  "W:6:grant 'b' adds its limits to those of grant 'a' (x.conf:1)" },
	{ GOOD "commands-per-second = 1\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-write\ncommands-per-second = 1\n",
	  "W:6:grant 'b' doubles the limits of grant 'a' (x.conf:1)" },

	/* what is recorded */
	{ GOOD "record = digest\n", "" },
	{ GOOD "record = payload\n", "" },
	{ GOOD "record = all\n", "E:5:unknown record 'all'; allowed: digest, payload" },
	{ GOOD "record =\n", "E:5:'record' has no value" },
	{ GOOD "record = digest payload\n", "E:5:a grant has one record" },
	/* one that records adds to one that does not, but not the other way round */
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-read-only\nrecord = payload\n",
	  "" },
	{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = debug-read-only\nrecord = digest\n",
	  "W:5:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "record = payload\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-read-only\n",
	  "W:6:grant 'b' adds nothing to grant 'a' (x.conf:1)" },
	{ GOOD "record = payload\n[grant b]\nuser = root\ndevice = mem0\n"
	       "scope = debug-read-only\nrecord = payload\n",
	  "W:6:grant 'b' adds nothing to grant 'a' (x.conf:1)" },

	/* conditions and tickets */
	{ GOOD "family = cxl, nvme\nvendor = Acme Inc*\nmodel = X?\nfirmware = 1.*\nserial = *\n"
	       "ticket = CHG-1, as agreed\n",
	  "" },
	{ GOOD "family =\n", "E:5:'family' has no value" },
	{ GOOD "vendor = ,\n", "E:5:'vendor' has no value" },
	{ GOOD "model =\n", "E:5:'model' has no value" },
	{ GOOD "firmware =\n", "E:5:'firmware' has no value" },
	{ GOOD "serial =\n", "E:5:'serial' has no value" },
	{ GOOD "family = cxl, , nvme\n", "E:5:'family' has an empty pattern" },
	{ GOOD "vendor = a, , b\n", "E:5:'vendor' has an empty pattern" },
	{ GOOD "model = a, , b\n", "E:5:'model' has an empty pattern" },
	{ GOOD "firmware = a, , b\n", "E:5:'firmware' has an empty pattern" },
	{ GOOD "serial = a, , b\n", "E:5:'serial' has an empty pattern" },
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
		char messages[MESSAGES];
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
	char text[1024], messages[MESSAGES];
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
	char text[20 * 1000], messages[MESSAGES];
	size_t lines = 0;
	int r;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "user=\n"[i % 6];
	assert_null(parse(text, sizeof(text), messages, &r));
	for (const char *c = messages; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, FWA_POLICY_MESSAGES_MAX);
	assert_non_null(strstr(messages, "too many messages"));
}

static void test_warnings_hide_no_error(void **state)
{
	char text[4096] = GOOD, messages[MESSAGES];
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

/* @count times @before, a number, and @after; in grants of @each lines. */
static void check_limit(const char *before, const char *after, uint32_t count, uint32_t each,
			const char *message)
{
	bool who = strncmp(before, "u", 1) == 0;
	fwa_auto_free char *text = NULL;
	char messages[MESSAGES];
	size_t size;
	FILE *f;
	int r;

	f = open_memstream(&text, &size);
	assert_non_null(f);
	for (uint32_t i = 0; i < count; i++) {
		if (i % each == 0)
			fprintf(f, "[grant g%u]\ndevice = *\nscope = debug-write\n%s", i,
				who ? "" : "user = 0\n");
		fprintf(f, "%s%u%s\n", before, 1000000 + i, after);
	}
	fclose(f);
	assert_null(parse(text, size, messages, &r));
	assert_int_equal(r, -EINVAL);
	assert_string_equal(messages, message);
}

#define FIFTY "01234567890123456789012345678901234567890123456789"

static void test_too_many(void **state)
{
	const uint32_t all = UINT32_MAX;

	check_limit("user = ", "", FWA_POLICY_GRANTS_MAX + 1, all,
		    "E:200004:more than 200000 users and groups in all grants");
	check_limit("user = ", "-4000000", FWA_POLICY_RANGES_MAX + 1, all,
		    "E:1028:more than 1024 ranges of users in all grants");
	check_limit("unit = u", ".service", FWA_POLICY_UNITS_MAX + 1, all,
		    "E:1028:more than 1024 units in all grants");
	check_limit("model = ", "", FWA_POLICY_PATTERNS_MAX + 1, all,
		    "E:1000005:more than 1000000 patterns in all grants");
	/* 158 bytes each, behind the empty text */
	check_limit("model = ", FIFTY FIFTY FIFTY, (FWA_POLICY_TEXT_MAX - 1) / 158 + 1, all,
		    "E:212374:more than 33554432 bytes of patterns and tickets in all grants");
	check_limit("commands = io:read nsid:", "", FWA_POLICY_TERMS_MAX / 2 + 1, 32,
		    "E:562501:more than 1000000 commands and fields in all grants");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_messages_are_bounded),
		cmocka_unit_test(test_warnings_hide_no_error),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
