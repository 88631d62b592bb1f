/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make-log DIR [SEGMENT-BYTES]: writes a journal in DIR, by the store itself, as standard input says, a line
 * each:
 *
 *	time MS                          time goes on
 *	source NAME                      attaches one
 *	decision NAME [key=value..]      uid, opcode, effects, reason, gate, comm, unit
 *	outcome NAME [key=value..]       of the oldest open decision: status, code
 *	control NAME act uid device TEXT
 *	unrecorded NAME REFUSED PASSED
 *	judge NAME [uid= opcode= lie=1]  a real decision, on a profile and a policy that are stored, too
 *	checkpoint, rotate, end NAME     the store's acts
 *	bulk N                           records at random, always the same
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/pattern.h"
#include "base/units.h"
#include "base/util.h"
#include "core/outcome.h"
#include "core/record.h"
#include "host/policy-file.h"
#include "journal/store.h"

#define SOURCES 64
#define OPEN 64

struct source {
	char name[64];
	uint64_t number, counter;
	uint64_t open[OPEN]; /* counters, oldest first */
	unsigned int n_open;
};

static struct fwa_store *store;
static struct fwa_times now = { 1700000000 * FWA_NS_PER_S, 1000 * FWA_NS_PER_S };
static struct source sources[SOURCES];
static uint8_t body[FWA_RECORD_BODY_MAX];
static int dir;
static uint64_t seed = 88172645463325252;

static void die(const char *what, int r)
{
	fprintf(stderr, "make-log: %s: %s\n", what, strerror(-r));
	exit(1);
}

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) % n);
}

static uint64_t append(const struct fwa_append *a)
{
	uint64_t seq = 0;
	int r;

	if (fwa_store_due(store, now)) {
		r = fwa_store_checkpoint(store, FWA_CHECKPOINT_PERIODIC, now);
		if (r < 0 && r != -ENOBUFS)
			die("checkpoint", r);
	}
	if (fwa_store_unsynced(store) > FWA_STORE_UNSYNCED_MAX / 2) {
		r = fwa_store_sync(store);
		if (r == 0)
			r = fwa_store_rotate(store, now);
		if (r < 0)
			die("sync", r);
	}
	r = fwa_store_append(store, a, now, &seq);
	if (r < 0)
		die("append", r);
	return seq;
}

static uint64_t append_of(struct source *s, uint8_t kind, struct fwa_writer *w)
{
	struct fwa_append a = { .kind = kind,
				.source = s->number,
				.counter = ++s->counter,
				.body = fwa_span(w->buf, w->len) };

	return append(&a);
}

static struct source *find(const char *name)
{
	for (int i = 0; i < SOURCES; i++) {
		if (strcmp(sources[i].name, name) == 0)
			return &sources[i];
	}
	fprintf(stderr, "make-log: no source %s\n", name);
	exit(1);
}

static void attach(const char *name)
{
	struct fwa_record_source r = { .kind = FWA_SOURCE_WORKER, .pid = 42 };
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct source *s = find("");
	struct fwa_open_source before;

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.spec, sizeof(r.spec), "sim:%s", name);
	snprintf(s->name, sizeof(s->name), "%s", name);
	r.id[0] = (uint8_t)(1 + (s - sources));
	snprintf((char *)r.id + 1, sizeof(r.id) - 1, "%.14s", name);
	if (fwa_store_source(store, r.id, &before)) /* of a run before this one */
		s->counter = r.resumed = before.counter;
	fwa_record_source_encode(&w, &r);
	s->number = append(
		&(struct fwa_append){ .kind = FWA_RECORD_SOURCE, .body = fwa_span(body, w.len) });
}

static const char *value(char **words, const char *key, const char *otherwise)
{
	size_t len = strlen(key);

	for (; *words; words++) {
		if (strncmp(*words, key, len) == 0 && (*words)[len] == '=')
			return *words + len + 1;
	}
	return otherwise;
}

static uint32_t number(char **words, const char *key, uint32_t otherwise)
{
	const char *v = value(words, key, NULL);

	return v ? (uint32_t)strtoul(v, NULL, 0) : otherwise;
}

static uint64_t put_decision(struct source *s, const struct fwa_record_decision *r)
{
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	uint64_t seq;

	fwa_record_decision_encode(&w, r);
	seq = append_of(s, FWA_RECORD_DECISION, &w);
	if (fwa_admitted(&r->decision))
		s->open[s->n_open++] = s->counter;
	return seq;
}

static struct fwa_record_decision blank(void)
{
	struct fwa_record_decision r = {
		.judged = now.boot,
		.decision = { .reason = FWA_REASON_ADMIT, .set = FWA_SET_CXL, .opcode = 0x4302 },
		.cmd = { .set = FWA_SET_CXL, .scope = FWA_SCOPE_LEAST, .opcode = 0x4302 },
		.who = { .uid = 1000, .gid = 100, .pid = 4711 },
	};

	return r;
}

static void decision(struct source *s, char **words)
{
	struct fwa_record_decision r = blank();

	r.decision.opcode = r.cmd.opcode = (uint16_t)number(words, "opcode", 0x4302);
	r.decision.reason = (uint8_t)number(words, "reason", FWA_REASON_ADMIT);
	r.decision.declared = r.decision.effects = number(words, "effects", 0);
	r.who.uid = number(words, "uid", 1000);
	r.who.gate = number(words, "gate", 0);
	snprintf(r.who.comm, sizeof(r.who.comm), "%s", value(words, "comm", ""));
	snprintf(r.who.unit, sizeof(r.who.unit), "%s", value(words, "unit", ""));
	put_decision(s, &r);
}

static void outcome(struct source *s, char **words)
{
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_record_outcome r = { .decision = s->open[0],
					.status = (uint8_t)number(words, "status", 1),
					.device_code = number(words, "code", 0),
					.out_len = 16,
					.duration_ns = 1500000,
					.response_sha256 = { 7 } };

	if (!s->n_open) {
		fprintf(stderr, "make-log: nothing is open\n");
		exit(1);
	}
	memmove(s->open, s->open + 1, --s->n_open * sizeof(s->open[0]));
	fwa_record_outcome_encode(&w, &r);
	append_of(s, FWA_RECORD_OUTCOME, &w);
}

static void control(struct source *s, uint16_t act, uint32_t uid, const char *device,
		    const char *text)
{
	struct fwa_record_control r = { .act = act, .uid = uid, .pid = 1 };
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	snprintf(r.device, sizeof(r.device), "%s", device);
	snprintf(r.text, sizeof(r.text), "%s", text);
	fwa_record_control_encode(&w, &r);
	append_of(s, FWA_RECORD_CONTROL, &w);
}

static void unrecorded(struct source *s, uint64_t refused, uint64_t passed)
{
	struct fwa_record_unrecorded r = {
		.refused = refused, .passed = passed, .since = now.boot - 1, .until = now.boot
	};
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_unrecorded_encode(&w, &r);
	append_of(s, FWA_RECORD_UNRECORDED, &w);
}

/* --- real decisions ------------------------------------------------------------------------------- */

static uint8_t *policy_bytes;
static size_t policy_len;
static uint8_t profile_bytes[4096];
static size_t profile_len;
static struct fwa_profile profile;
static struct fwa_policy policy;

static void keep(uint8_t kind, const uint8_t *key, const char *device, struct fwa_span data)
{
	struct fwa_record_object r = { .kind = kind };
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	char name[80] = "objects/";
	fwa_auto_close int fd = -1;

	fwa_sha256(data, r.sha256);
	memcpy(r.key, key ? key : r.sha256, sizeof(r.key));
	snprintf(r.device, sizeof(r.device), "%s", device);
	fwa_hex_text(r.sha256, sizeof(r.sha256), name + 8);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fwa_write_all(fd, data) < 0)
		die(name, -errno);
	fwa_record_object_encode(&w, &r);
	append(&(struct fwa_append){ .kind = FWA_RECORD_OBJECT, .body = fwa_span(body, w.len) });
}

static void prepare_judging(const char *device)
{
	static const char text[] =
		"[grant w]\nuser = 1000, 2001\ndevice = *\nscope = debug-write-full\n"
		"effects = data, config\n"
		"[grant r]\nuser = *\ndevice = *\nscope = configuration\n";
	/* Identify, Get LSA, Set LSA, Sanitize */
	static const uint8_t cel[] = { 0x00, 0x40, 0, 0, 0x02, 0x41, 0,    0,
				       0x03, 0x41, 6, 0, 0x00, 0x44, 0x05, 0x02 };
	static const uint8_t limits[] = { 0, 2, 0, 0, 0, 4, 0, 0 };
	struct fwa_writer w = fwa_writer(profile_bytes, sizeof(profile_bytes));
	struct fwa_policy_files *files = NULL;

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	profile_len = w.len;
	if (fwa_profile_parse(&profile, fwa_span(profile_bytes, profile_len)) < 0 ||
	    fwa_policy_files_parse_memory("test", fwa_span(text, sizeof(text) - 1), NULL, NULL,
					  &files) < 0 ||
	    fwa_policy_files_encode(files, device, "", &policy_bytes, &policy_len) < 0 ||
	    fwa_policy_parse(&policy, fwa_span(policy_bytes, policy_len)) < 0)
		die("policy", -EINVAL);
	fwa_policy_files_free(files);
	keep(FWA_OBJECT_PROFILE, NULL, "", fwa_span(profile_bytes, profile_len));
	keep(FWA_OBJECT_POLICY, policy.digest, device, fwa_span(policy_bytes, policy_len));
}

static void judge(struct source *s, char **words)
{
	static const uint8_t zeroes[64];
	struct fwa_record_decision r = blank();
	struct fwa_principal who = { .uid = number(words, "uid", 1000), .gid = 100 };
	static struct fwa_rights rights;

	if (!policy_bytes)
		prepare_judging(s->name);
	r.who.uid = who.uid;
	snprintf(r.who.comm, sizeof(r.who.comm), "%s", value(words, "comm", "fwadmit"));
	r.cmd.opcode = (uint16_t)number(words, "opcode", 0x4103);
	r.cmd.payload = fwa_span(zeroes, number(words, "length", 16));
	r.cmd.out_len = number(words, "out", 0);
	fwa_policy_fold(&policy, &who, &profile, fwa_pattern_matches, &rights);
	r.decision = fwa_decide(&r.contract, &rights, &profile, &r.cmd, now.boot);
	if (r.decision.grant)
		snprintf(r.grant, sizeof(r.grant), "%s",
			 fwa_policy_grant_name(&policy, r.decision.grant - 1));
	if (number(words, "lie", 0))
		r.decision.effects = r.decision.declared = FWA_EFFECT_LOG;
	r.judged_bytes = fwa_span(zeroes, fwa_command_judged_len(&r.cmd));
	if (r.judged_bytes.len > r.cmd.payload.len)
		r.judged_bytes.len = r.cmd.payload.len;
	if (r.cmd.payload.len)
		fwa_sha256(r.cmd.payload, r.request_sha256);
	r.cmd.payload.data = NULL;
	fwa_sha256(fwa_span(profile_bytes, profile_len), r.profile_sha256);
	memcpy(r.policy_digest, policy.digest, sizeof(r.policy_digest));
	if (number(words, "lost", 0)) /* a profile that nobody has kept */
		r.profile_sha256[0] ^= 1;
	put_decision(s, &r);
}

/* --- many ------------------------------------------------------------------------------------------- */

static void bulk_decision(struct source *s)
{
	static const uint16_t opcodes[] = { 0x4000, 0x4102, 0x0401, 0x4302, 0x4103 };
	struct fwa_record_decision r = blank();
	uint32_t dice = below(1000);

	r.decision.opcode = r.cmd.opcode = opcodes[below(5)];
	r.who.uid = below(100) ? 1000 + below(20) : 0;
	r.who.gate = dice < 3;
	if (dice < 20)
		r.decision.reason = FWA_REASON_NO_GRANT;
	if (dice >= 900)
		r.decision.declared = r.decision.effects = FWA_EFFECT_DATA | FWA_EFFECT_CONFIG;
	if (dice >= 998)
		r.decision.declared = r.decision.effects = FWA_EFFECT_SECURITY;
	snprintf(r.who.comm, sizeof(r.who.comm), "tool");
	snprintf(r.who.unit, sizeof(r.who.unit), "tool-%u.service", below(5));
	put_decision(s, &r);
}

static void bulk(uint64_t n)
{
	static char *none[] = { NULL };

	for (uint64_t i = 0; i < n; i++) {
		struct source *s;

		do {
			s = &sources[below(SOURCES)];
		} while (!*s->name);
		now.real += 10000;
		now.boot += 10000;
		if (s->n_open && (s->n_open > 4 || below(2)))
			outcome(s, none);
		else if (below(20000) == 0)
			control(s, FWA_ACT_GRANT_CREATED, below(2) ? 0 : 1003, s->name, "bulk");
		else if (below(50000) == 0)
			unrecorded(s, 1 + below(9), below(3));
		else
			bulk_decision(s);
	}
}

/* --- lines ------------------------------------------------------------------------------------------ */

static void act(char **words)
{
	const char *verb = words[0];
	int r = 0;

	if (strcmp(verb, "time") == 0) {
		now.real += strtoull(words[1], NULL, 0) * FWA_NS_PER_MS;
		now.boot += strtoull(words[1], NULL, 0) * FWA_NS_PER_MS;
	} else if (strcmp(verb, "clock") == 0) {
		now.real -= strtoull(words[1], NULL, 0) * FWA_NS_PER_MS;
	} else if (strcmp(verb, "source") == 0) {
		attach(words[1]);
	} else if (strcmp(verb, "decision") == 0) {
		decision(find(words[1]), words + 2);
	} else if (strcmp(verb, "judge") == 0) {
		judge(find(words[1]), words + 2);
	} else if (strcmp(verb, "outcome") == 0) {
		outcome(find(words[1]), words + 2);
	} else if (strcmp(verb, "control") == 0) {
		control(find(words[1]), (uint16_t)atoi(words[2]), (uint32_t)atoi(words[3]),
			words[4], words[5] ? words[5] : "");
	} else if (strcmp(verb, "unrecorded") == 0) {
		unrecorded(find(words[1]), strtoull(words[2], NULL, 0),
			   strtoull(words[3], NULL, 0));
	} else if (strcmp(verb, "bulk") == 0) {
		bulk(strtoull(words[1], NULL, 0));
	} else if (strcmp(verb, "checkpoint") == 0) {
		r = fwa_store_checkpoint(store, FWA_CHECKPOINT_PERIODIC, now);
	} else if (strcmp(verb, "rotate") == 0) {
		r = fwa_store_sync(store);
		if (r == 0)
			r = fwa_store_rotate(store, now);
	} else if (strcmp(verb, "end") == 0) {
		r = fwa_store_end_source(store, find(words[1])->number, FWA_SOURCE_END_LOST, now);
		find(words[1])->name[0] = '\0';
	} else if (strcmp(verb, "sync") == 0) {
		r = fwa_store_sync(store);
		puts("synced");
		fflush(stdout);
	} else {
		fprintf(stderr, "make-log: %s?\n", verb);
		exit(1);
	}
	if (r < 0)
		die(verb, r);
}

int main(int argc, char **argv)
{
	struct fwa_store_options o = { .version = "test" };
	char line[1024];
	struct fwa_fs fs;
	int r;

	if (argc < 2)
		return 2;
	if (argc > 2)
		o.segment_max = strtoull(argv[2], NULL, 0);
	if (argc > 3)
		o.total_max = strtoull(argv[3], NULL, 0);
	mkdir(argv[1], 0700);
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(argv[1], -errno);
	mkdirat(dir, "objects", 0700);
	r = fwa_signer_open(dir, "key", &o.signer);
	if (r < 0)
		die("key", r);
	fs = fwa_fs_real(&dir);
	r = fwa_store_open(&fs, &o, now, &store);
	if (r < 0)
		die("open", r);
	while (fgets(line, sizeof(line), stdin)) {
		char *words[16] = { NULL }, *rest = line, *word;
		unsigned int n = 0;

		while (n < 15 && (word = strsep(&rest, " \n")))
			if (*word)
				words[n++] = word;
		if (n)
			act(words);
	}
	now.real += 2 * FWA_NS_PER_S;
	now.boot += 2 * FWA_NS_PER_S;
	r = fwa_store_checkpoint(store, FWA_CHECKPOINT_STOP, now);
	if (r == 0)
		r = fwa_store_sync(store);
	if (r < 0)
		die("end", r);
	fwa_store_free(store);
	fwa_signer_free(o.signer);
	free(policy_bytes);
	return 0;
}
