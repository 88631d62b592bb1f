/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether `explain` and `send` agree: agree FWADMITD FWADMIT CASES [SEED].
 *
 * A real fwadmitd serves devices with all kinds of declarations under policies that are drawn at
 * random. Clients who are drawn at random judge commands that are, too, as explain does; then they
 * send them. Every field of the two decisions must be the same (C30). Bystanders leave background
 * work, transfers and used-up rates behind, operators quarantine devices and accept what they declare,
 * and most devices drift, for they say that they are the same one. The seed is printed; the same one
 * draws the same.
 *
 * With root the clients are different users; without, they are all this one.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/decision.h"
#include "cli/subject.h"
#include "host/policy-file.h"
#include "wire/nvme.h"

#undef main /* the program's own has another name here */

#define ROUND 48 /* commands under one policy */
#define PATIENCE_MS 20000

/* Devices that declare very different things; name=spec. */
static const char *const devices[] = {
	"honest=sim:honest,bg-ms=1",
	"slow=sim:honest,bg-ms=2000",
	"small=sim:honest,payload=512,seed=7,bg-ms=500",
	"locked=sim:honest,locked=1,bg-ms=40",
	"spec=sim:liar-spec,bg-ms=1",
	"reserved=sim:reserved",
	"flapping=sim:flapping,seed=3",
	"huge=sim:huge",
	"empty=sim:empty",
	"nvme=sim:nvme,bg-ms=300",
};

static struct {
	char dir[64], policy[96], sockets[96], log[96];
	const char *fwadmit;
	pid_t daemon;
	uint64_t random;
	unsigned long cases, again, by_reason[FWA_REASON_COUNT];
} t;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "agree: ");
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (t.daemon > 0)
		kill(t.daemon, SIGTERM);
	fprintf(stderr, "agree: what is left is in %s\n", t.dir);
	exit(1);
}

/* --- drawing ---------------------------------------------------------------------------------- */

static uint64_t draw(void)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return t.random * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((draw() >> 32) % n);
}

static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

#define ONE_OF(array) ((array)[below(FWA_ARRAY_SIZE(array))])

/* --- policies ---------------------------------------------------------------------------------- */

static const char *const who[] = {
	"user = *",          "user = 0",           "user = 1500",
	"user = 1501, 1502", "user = @owner",      "user = 1400-1600",
	"group = 7001",      "group = 7002, 7003", "group = 1500",
};
static const char *const scopes[] = { "configuration", "debug-read-only", "debug-write",
				      "debug-write-full" };
static const char *const effects[] = {
	"none",
	"data",
	"config, data",
	"config-cold-reset, background",
	"policy, log",
	"security",
	"background, data, config, policy, log, security",
	"log, config",
};
static const char *const commands[] = {
	"get-log, identify-memory-device",
	"get-log uuid:cel, !set-lsa",
	"!get-log uuid:vendor-debug",
	"set-feature, get-feature",
	"!sanitize, !set-lsa",
	"0xc000, 0xc001, get-health-info",
	"transfer-fw slot:1 slot:2, activate-fw !slot:2",
};
static const char *const conditions[] = {
	"family = sim", "family = cxl", "model = *", "model = x*", "serial = *1*", "firmware = ?*",
};

static void write_grant(FILE *f, unsigned int i)
{
	fprintf(f, "[grant g%u]\n%s\ndevice = %s\nscope = %s\n", i, ONE_OF(who),
		chance(70)   ? "*"
		: chance(50) ? "h*, spec"
			     : "[a-m]*",
		ONE_OF(scopes));
	if (chance(50))
		fprintf(f, "effects = %s\n", ONE_OF(effects));
	if (chance(35))
		fprintf(f, "commands = %s\n", ONE_OF(commands));
	if (chance(20))
		fprintf(f, "%s\n", ONE_OF(conditions));
	if (chance(15))
		fprintf(f, "until = %s\n",
			chance(50) ? "2001-02-03T04:05:06Z" : "2101-02-03T04:05:06Z");
	if (chance(10))
		fprintf(f, "commands-per-second = %u\n", chance(50) ? 1 : 100000);
	if (chance(10))
		fprintf(f, "bytes-per-second = %u\n", chance(50) ? 1 : 100000000);
	if (chance(10))
		fprintf(f, "max-sessions = 1\n");
	if (chance(20)) /* it stands before others then */
		fprintf(f, "record = payload\n");
}

static void write_policy(void)
{
	char name[128], temporary[128];
	unsigned int n = below(9);
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s/new", t.policy);
	snprintf(name, sizeof(name), "%s/10-drawn.conf", t.policy);
	f = fopen(temporary, "we");
	if (!f)
		fail("%s: %s", temporary, strerror(errno));
	fprintf(f, "# %016" PRIx64 "\n", draw());
	for (unsigned int i = 0; i < n; i++)
		write_grant(f, i);
	if (fclose(f) != 0 || rename(temporary, name) < 0)
		fail("%s: %s", name, strerror(errno));
}

static void policy_message(const struct fwa_policy_message *m, void *userdata)
{
	if (m->error)
		fail("%s:%u: %s", m->file, m->line, m->text);
}

/* The digest that the gate will name once the policy is in force. */
static void policy_digest(char digest[FWA_DIGEST_TEXT])
{
	struct fwa_policy_files *files;

	if (fwa_policy_files_load(t.policy, NULL, policy_message, NULL, &files) < 0)
		fail("the policy that was drawn is none");
	snprintf(digest, FWA_DIGEST_TEXT, "%s", fwa_policy_files_digest(files));
	fwa_policy_files_free(files);
}

/* --- clients ----------------------------------------------------------------------------------- */

struct client {
	uid_t uid;
	gid_t gid;
	gid_t groups[3];
	size_t n_groups;
};

static const struct client clients[] = {
	{ 0, 0, { 0 }, 1 },
	{ 1500, 1500, { 7001 }, 1 },
	{ 1501, 7002, { 7001, 7003 }, 2 },
	{ 1700, 1700, { 0 }, 0 },
	{ 65534, 65534, { 7003, 7001, 1500 }, 3 },
};

static void become(const struct client *c)
{
	if (getuid() == 0 &&
	    (setgroups(c->n_groups, c->groups) < 0 || setegid(c->gid) < 0 || seteuid(c->uid) < 0))
		fail("cannot become %u: %s", c->uid, strerror(errno));
}

static void become_oneself(void)
{
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0 || setgroups(0, NULL) < 0))
		fail("cannot become root again");
}

static void open_device(struct cli *cli, const char *device, const struct client *c,
			struct cli_subject *s)
{
	char name[32], error[256] = "";

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, "="), device);
	become(c);
	if (cli_subject_try_device(cli, name, s, error) != CLI_OK)
		fail("%s", error);
	become_oneself();
}

/* --- commands ---------------------------------------------------------------------------------- */

static void draw_opcode(const struct fwa_profile *p, struct fwa_command *cmd)
{
	unsigned int set = 0;
	int32_t opcode = -1;
	uint32_t n = fwa_profile_count(p), i = n ? below(n < 48 ? n : 48) : 0;

	cmd->set = p->has_nvme ? FWA_SET_NVME_ADMIN : FWA_SET_CXL;
	if (!n || chance(6)) {
		const struct fwa_model_command *row =
			fwa_model_row(cmd->set, below(p->has_nvme ? 50 : 160));

		cmd->opcode = row && chance(80) ? row->opcode : (uint16_t)draw();
		return;
	}
	do
		fwa_profile_next(p, &set, &opcode);
	while (i--);
	cmd->set = (uint8_t)set;
	cmd->opcode = (uint16_t)opcode;
}

/* Dwords and lengths as an NVMe command might have them. */
static void draw_nvme(struct fwa_command *cmd)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	uint32_t dwords = 1 + below(16);

	cmd->nsid = chance(50) ? 0 : chance(50) ? 1 : UINT32_MAX;
	cmd->cdw[0] = below(chance(70) ? 16 : 256);
	cmd->out_len = row && !row->out_max ? 0 : row && chance(70) ? row->out_min : dwords * 4;
	if (row && row->in_max && cmd->payload.len) {
		cmd->payload.len = dwords * 4;
		cmd->cdw[0] = chance(80) ? dwords - 1 : cmd->cdw[0];
	} else if (cmd->opcode == NVME_OP_GET_LOG_PAGE) {
		cmd->cdw[0] |= (cmd->out_len ? cmd->out_len / 4 - 1 : 0) << 16;
	}
}

/* A UUID that the device knows, if it knows any. */
static void draw_uuid(const struct fwa_profile *p, unsigned int kind, uint8_t uuid[16])
{
	struct fwa_feature f;

	if (kind == FWA_SELECT_FEATURE_UUID && p->features.len >= 48 &&
	    fwa_profile_feature(p, below((uint32_t)(p->features.len / 48)), &f))
		memcpy(uuid, f.uuid, 16);
	else if (kind == FWA_SELECT_LOG_UUID && p->logs.len >= 20)
		memcpy(uuid, p->logs.data + (size_t)below((uint32_t)(p->logs.len / 20)) * 20, 16);
	if (chance(3))
		memset(uuid, 0xff, 16);
}

static void draw_command(const struct fwa_profile *p, uint8_t payload[512], struct fwa_command *cmd)
{
	const struct fwa_model_command *row;
	uint32_t len;

	memset(cmd, 0, sizeof(*cmd));
	memset(payload, 0, 512);
	draw_opcode(p, cmd);
	if (chance(3))
		cmd->set = (uint8_t)below(4);
	cmd->scope = chance(70) ? FWA_SCOPE_LEAST : (uint8_t)below(chance(90) ? 4 : 256);
	row = fwa_model_find(cmd->set, cmd->opcode);
	len = row ? row->in_min : below(40);
	if (row && row->in_max > row->in_min && chance(30))
		len += below(row->in_max - row->in_min < 64 ? row->in_max - row->in_min + 1 : 64);
	if (chance(5))
		len = below(512);
	if (len > 512)
		len = 512;
	for (uint32_t i = 0; i < len && chance(80); i++)
		payload[i] = chance(60) ? 0 : (uint8_t)below(4);
	if (row && row->select && chance(92))
		draw_uuid(p, row->select->kind, payload);
	if (row && row->operations && !row->operations->cdw && chance(60))
		payload[row->operations->at] = (uint8_t)below(8);
	cmd->payload = fwa_span(payload, len);
	cmd->out_len = chance(90) ? 512 : below(8192);
	if (p->has_nvme)
		draw_nvme(cmd);
	if (chance(2))
		cmd->cdw[below(6)] = (uint32_t)draw();
}

/* --- agreeing ---------------------------------------------------------------------------------- */

static void print_case(const char *device, const struct client *c, const struct fwa_command *cmd,
		       const struct fwa_decision *a, const struct fwa_decision *b)
{
	fprintf(stderr, "%s, uid %u, set %u opcode %04xh scope %u, payload", device, c->uid,
		cmd->set, cmd->opcode, cmd->scope);
	for (size_t i = 0; i < cmd->payload.len && i < 64; i++)
		fprintf(stderr, " %02x", cmd->payload.data[i]);
	fprintf(stderr, "\nexplain: %s, detail %u, need %u, required %u, effects %x\n",
		fwa_reason_name(a->reason), a->detail, a->need, a->required, a->effects);
	fprintf(stderr, "send:    %s, detail %u, need %u, required %u, effects %x\n",
		fwa_reason_name(b->reason), b->detail, b->need, b->required, b->effects);
}

static bool same(const struct fwa_decision *a, const struct fwa_decision *b)
{
	return a->reason == b->reason && a->detail == b->detail && a->need == b->need &&
	       a->required == b->required && a->scope == b->scope && a->set == b->set &&
	       a->opcode == b->opcode && a->declared_raw == b->declared_raw &&
	       a->attributes == b->attributes && a->declared == b->declared &&
	       a->floor == b->floor && a->advisory == b->advisory && a->effects == b->effects;
}

/* What time alone can change between the two decisions. */
static bool passes_with_time(const struct fwa_decision *d)
{
	return d->reason == FWA_REASON_RATE || d->reason == FWA_REASON_LEASE;
}

/* Judges and sends; false when the two differ by something that time alone can change. */
static bool agree(struct cli *cli, const char *device, const struct client *c,
		  const struct fwa_command *cmd)
{
	struct cli_subject s = CLI_SUBJECT_NONE;
	struct fwa_gate_reply reply;
	struct cli_verdict v;
	struct fwa_span data;
	bool equal;
	int r;

	open_device(cli, device, c, &s);
	v = cli_verdict_of(&s, cmd, "agree");
	r = fwa_client_submit(s.client, cmd, 0, &reply, &data);
	if (r < 0 || reply.error)
		fail("%s: submit: %s", device,
		     r < 0 ? strerror(-r) : fwa_gate_error_text(reply.error));
	equal = same(&v.decision, &reply.decision) &&
		(!fwa_admitted(&reply.decision) || (v.grant && strcmp(v.grant, reply.grant) == 0));
	if (!equal && !passes_with_time(&v.decision) && !passes_with_time(&reply.decision)) {
		print_case(device, c, cmd, &v.decision, &reply.decision);
		fail("explain and send differ (seed of this case is not replayable alone)");
	}
	if (equal)
		t.by_reason[reply.decision.reason]++;
	cli_subject_close(&s);
	return equal;
}

static void one_case(struct cli *cli, const char *device, const struct client *c)
{
	struct cli_subject s = CLI_SUBJECT_NONE;
	struct fwa_command cmd;
	uint8_t payload[512];
	int attempts = 0;

	open_device(cli, device, c, &s);
	draw_command(s.profile, payload, &cmd);
	cli_subject_close(&s);
	for (; !agree(cli, device, c, &cmd); t.again++)
		if (++attempts == 20)
			fail("%s: opcode %04xh: explain and send never agree", device, cmd.opcode);
	t.cases++;
}

/* Somebody else, whose connection stays: begins transfers and background work, spends rates. */
static void bystander(struct cli_subject *s)
{
	struct fwa_gate_reply reply;
	struct fwa_command cmd;
	struct fwa_span data;
	uint8_t payload[512];

	draw_command(s->profile, payload, &cmd);
	fwa_client_submit(s->client, &cmd, 0, &reply, &data);
}

/* --- operators ---------------------------------------------------------------------------------- */

/* "quarantine", "release" or "baseline accept", by the program itself. */
static void operate(const char *what, const char *device)
{
	char command[512];

	snprintf(command, sizeof(command), "'%s' %s --quiet --socket-dir=%s %.*s", t.fwadmit, what,
		 t.sockets, (int)strcspn(device, "="), device);
	if (system(command) != 0)
		fail("%s: %s", device, what);
}

/* --- rounds ------------------------------------------------------------------------------------ */

static void wait_for_policy(struct cli *cli)
{
	char digest[FWA_DIGEST_TEXT];

	policy_digest(digest);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(devices); i++) {
		for (int ms = 0;; ms++) {
			struct cli_subject s = CLI_SUBJECT_NONE;
			bool there;

			open_device(cli, devices[i], &clients[0], &s);
			there = strcmp(s.policy_digest, digest) == 0;
			cli_subject_close(&s);
			if (there)
				break;
			if (ms == PATIENCE_MS)
				fail("%s: the new policy does not come into force", devices[i]);
			usleep(1000);
		}
	}
}

static void one_round(struct cli *cli, unsigned long cases)
{
	const char *const device = ONE_OF(devices);
	struct cli_subject other = CLI_SUBJECT_NONE;
	bool quarantined;

	write_policy();
	kill(t.daemon, SIGHUP);
	wait_for_policy(cli);
	open_device(cli, device, &ONE_OF(clients), &other);
	quarantined = chance(10);
	if (quarantined)
		operate("quarantine", device);
	if (chance(15))
		operate("baseline accept", device);
	for (unsigned long i = 0; i < ROUND && t.cases < cases; i++) {
		if (chance(40))
			bystander(&other);
		one_case(cli, chance(70) ? device : ONE_OF(devices), &ONE_OF(clients));
	}
	cli_subject_close(&other);
	if (quarantined)
		operate("release", device);
}

static void start_daemon(const char *program)
{
	char sockets[128], policy[128], state[128], option[FWA_ARRAY_SIZE(devices)][96];
	char *argv[FWA_ARRAY_SIZE(devices) + 6] = { (char *)program, sockets, policy, state,
						    (char *)"--no-discovery" };

	snprintf(sockets, sizeof(sockets), "--socket-dir=%s", t.sockets);
	snprintf(policy, sizeof(policy), "--policy=%s", t.policy);
	snprintf(state, sizeof(state), "--state-dir=%s/state", t.dir);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(devices); i++) {
		snprintf(option[i], sizeof(option[i]), "--device=%s", devices[i]);
		argv[5 + i] = option[i];
	}
	t.daemon = fork();
	if (t.daemon == 0) {
		if (!freopen(t.log, "w", stderr))
			_exit(127);
		execv(program, argv);
		_exit(127);
	}
}

static void make_dirs(void)
{
	strcpy(t.dir, "/tmp/fwadmit-agree-XXXXXX");
	if (!mkdtemp(t.dir) || chmod(t.dir, 0755) < 0)
		fail("%s: %s", t.dir, strerror(errno));
	snprintf(t.policy, sizeof(t.policy), "%s/policy", t.dir);
	snprintf(t.sockets, sizeof(t.sockets), "%s/run", t.dir);
	snprintf(t.log, sizeof(t.log), "%s/log", t.dir);
	if (mkdir(t.policy, 0755) < 0 || mkdir(t.sockets, 0755) < 0)
		fail("%s: %s", t.dir, strerror(errno));
}

static void remove_dirs(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", t.dir);
	if (system(command) != 0)
		fail("cannot remove it");
}

static void wait_for_daemon(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/control.sock", t.sockets);
	for (int ms = 0; access(path, F_OK) < 0; ms++) {
		if (ms == PATIENCE_MS || waitpid(t.daemon, NULL, WNOHANG) != 0)
			fail("fwadmitd does not start");
		usleep(1000);
	}
	/* The control socket comes first, then those of the devices. */
	snprintf(path, sizeof(path), "%s/%.*s.sock", t.sockets,
		 (int)strcspn(devices[FWA_ARRAY_SIZE(devices) - 1], "="),
		 devices[FWA_ARRAY_SIZE(devices) - 1]);
	for (int ms = 0; access(path, F_OK) < 0; ms++) {
		if (ms == PATIENCE_MS)
			fail("%s does not come", path);
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	unsigned long cases = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	struct cli cli = { 0 };

	if (!cases)
		fail("usage: agree FWADMITD FWADMIT CASES [SEED]");
	t.random = argc > 4 ? strtoull(argv[4], NULL, 0) : 20;
	printf("# seed %" PRIu64 "\n", t.random);
	t.fwadmit = argv[2];
	make_dirs();
	cli.args.given = CLI_BIT(CLI_OPT_SOCKET_DIR);
	cli.args.text[CLI_OPT_SOCKET_DIR] = t.sockets;
	write_policy();
	start_daemon(argv[1]);
	wait_for_daemon();
	while (t.cases < cases)
		one_round(&cli, cases);
	kill(t.daemon, SIGTERM);
	waitpid(t.daemon, NULL, 0);
	remove_dirs();
	printf("# %lu cases agree, %lu judged again because time had passed\n", t.cases, t.again);
	for (int i = 0; i < FWA_REASON_COUNT; i++)
		printf("# %8lu %s\n", t.by_reason[i], fwa_reason_name((unsigned int)i));
	return 0;
}
