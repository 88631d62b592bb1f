/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: directories and masking, and what a compiled policy gives to whom, and until when.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "core/command.h"
#include "host/test-policy.h"

/* What @who may do on device @name, by @text. */
static struct fwa_rights rights_of(const char *text, const char *name, const char *spec,
				   const struct fwa_principal *who)
{
	static const struct fwa_profile nobody;
	fwa_auto_free uint8_t *snapshot = NULL;
	struct fwa_rights rights;
	struct fwa_policy policy;
	struct fwa_policy_files *p;
	char messages[MESSAGES];
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
	char messages[MESSAGES];
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
	char messages[MESSAGES];
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
	char messages[MESSAGES] = "", link[128];

	/* None of them is there, or has a file: the stock policy. */
	assert_int_equal(mkdir(d->path[0], 0755), 0);
	write_file(d->path[0], "README", "not a policy");
	write_file(d->path[0], ".hidden.conf", "not a policy");
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, NULL, collect, messages, &p), 0);
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
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, NULL, collect, messages, &p), 0);
	assert_string_equal(fwa_policy_files_source(p), "standard directories");
	assert_int_equal(fwa_policy_files_count(p), 6); /* with the three of the stock policy */
	p = fwa_policy_files_free(p);

	/* The stock policy goes the same way. */
	snprintf(link, sizeof(link), "%s/50-stock.conf", d->path[2]);
	assert_int_equal(symlink("/dev/null", link), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, NULL, collect, messages, &p), 0);
	assert_string_equal(messages, "");
	assert_string_equal(fwa_policy_files_source(p), "standard directories");
	assert_int_equal(fwa_policy_files_count(p), 3);
	assert_string_equal(p->rules[0].name, "a2");
	assert_string_equal(p->rules[2].name, "b0");
	p = fwa_policy_files_free(p);

	/* The same name in two files: both hold, and it is said. */
	write_file(d->path[2], "80-d.conf", GRANT("b0"));
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, NULL, collect, messages, &p), 0);
	assert_non_null(strstr(messages, "W:1:grant 'b0' is already in "));
	assert_int_equal(fwa_policy_files_count(p), 4);
	fwa_policy_files_free(p);
}

static void test_one_directory(void **state)
{
	struct fwa_policy_files *p = NULL;
	const struct dirs *d = *state;
	char messages[MESSAGES] = "", path[128];

	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -ENOENT);
	assert_string_equal(messages, "E:0:cannot read: No such file or directory");

	assert_int_equal(mkdir(d->path[1], 0755), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), 0);
	assert_string_equal(messages, "W:0:no *.conf in it: nothing is granted");
	assert_int_equal(fwa_policy_files_count(p), 0);
	assert_string_equal(fwa_policy_files_source(p), d->path[1]);
	p = fwa_policy_files_free(p);

	write_file(d->path[1], "a.conf", GRANT("a"));
	write_file(d->path[1], "b.conf", "nonsense\n");
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -EINVAL);
	assert_null(p);
	assert_string_equal(messages,
			    "E:1:neither 'key = value', nor '[grant NAME]', nor a comment");

	write_file(d->path[1], "b.conf", GRANT("b"));
	snprintf(path, sizeof(path), "%s/b.conf", d->path[1]);
	assert_int_equal(chmod(path, 0646), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -EINVAL);
	assert_string_equal(messages, "E:0:everybody may write to this file");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -EINVAL);
	assert_string_equal(messages, "E:0:not a regular file");
}

/* "cat FILES | sha256sum" */
static void test_digest(void **state)
{
	struct fwa_policy_files *p = NULL, *q = NULL;
	const char *both = GRANT("a") GRANT("b");
	const struct dirs *d = *state;
	char messages[MESSAGES];
	int r;

	p = parse("", 0, messages, &r);
	assert_string_equal(fwa_policy_files_digest(p),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	fwa_policy_files_free(p);

	assert_int_equal(mkdir(d->path[1], 0755), 0);
	write_file(d->path[1], "b.conf", GRANT("b"));
	write_file(d->path[1], "a.conf", GRANT("a"));
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, NULL, NULL, &p), 0);
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
	char messages[MESSAGES];
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

static void test_times(void **state)
{
	static const struct {
		const char *text;
		uint64_t time;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },          { "2000-02-29T23:59:59Z", 951868799 },
		{ "2026-12-31T18:00:00Z", 1798740000 }, { "2038-01-19T03:14:08Z", 2147483648 },
		{ "2100-03-01T00:00:00Z", 4107542400 }, { "9999-12-31T23:59:59Z", FWA_TIME_MAX },
	};
	static const char *const bad[] = {
		"",
		"2026",
		"2026-12-31",
		"2026-12-31T18:00:00",
		"2026-12-31T18:00:00z",
		"2026-12-31t18:00:00Z",
		"2026-12-31 18:00:00Z",
		"2026-12-31T18:00:00ZZ",
		"2026-12-31T18:00:00.0Z",
		"2026-12-31T18:00:00+00:00",
		"+026-12-31T18:00:00Z",
		"2026-+2-31T18:00:00Z",
		"2026-12-31T18:00: 0Z",
		"1969-12-31T23:59:59Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T23:59:60Z",
	};
	char text[FWA_TIME_TEXT];
	uint64_t time = 7;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(good); i++) {
		assert_true(fwa_time_parse(good[i].text, &time));
		assert_int_equal(time, good[i].time);
		fwa_time_text(time, text);
		assert_string_equal(text, good[i].text);
	}
	for (size_t i = 0; i < FWA_ARRAY_SIZE(bad); i++)
		assert_false(fwa_time_parse(bad[i], &time));
	/* Each day of 800 years, as the C library has it. */
	for (time_t t = 0; t < (time_t)25246080000; t += 86400) {
		struct tm tm;
		char expected[32];

		gmtime_r(&t, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
		fwa_time_text((uint64_t)t, text);
		assert_string_equal(text, expected);
		assert_true(fwa_time_parse(text, &time));
		assert_int_equal(time, t);
	}
	fwa_time_text(UINT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void test_boot_time(void **state)
{
	struct fwa_moment m = { .wall = 1000, .wall_ns = 250, .boot = 5000 };

	assert_int_equal(fwa_moment_boot_time(&m, 0), 1);
	assert_int_equal(fwa_moment_boot_time(&m, 1000), 1);
	assert_int_equal(fwa_moment_boot_time(&m, 1001), 1000000000 - 250 + 5000);
	assert_int_equal(fwa_moment_boot_time(&m, UINT64_MAX), UINT64_MAX);
	m.boot = UINT64_MAX - 5;
	assert_int_equal(fwa_moment_boot_time(&m, 1001), UINT64_MAX);
	fwa_moment_now(&m);
	assert_true(m.wall > 1700000000 && m.boot > 0 && m.wall_ns < 1000000000);
	assert_int_equal(strlen(m.boot_id), 36);
}

/* The last of the one or two rights of root on mem0 by @text, as of @m. */
static struct fwa_right right_at(const char *text, const struct fwa_moment *m, uint64_t *ret_next)
{
	static const struct fwa_profile nobody;
	fwa_auto_free uint8_t *snapshot = NULL;
	struct fwa_rights rights;
	struct fwa_policy policy;
	struct fwa_policy_files *p;
	char messages[MESSAGES];
	size_t len;
	int r;

	p = parse(text, strlen(text), messages, &r);
	assert_int_equal(r, 0);
	assert_int_equal(fwa_policy_files_encode_at(p, "mem0", NULL, m, &snapshot, &len), 0);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(snapshot, len)), 0);
	assert_true(fwa_policy_whole(&policy));
	fwa_policy_fold(&policy, &root, &nobody, fwa_pattern_matches, &rights);
	*ret_next = fwa_policy_files_next_end(p, m);
	fwa_policy_files_free(p);
	assert_true(rights.n >= 1 && rights.n <= 2 && !rights.overflow);
	return rights.right[rights.n - 1];
}

static void test_compile_ends(void **state)
{
	struct fwa_moment m = { .wall = 1798740000 - 10, .boot = 77 };
	const char *text = GOOD "until = 2026-12-31T18:00:00Z\n";
	struct fwa_right r;
	uint64_t next;

	r = right_at(text, &m, &next);
	assert_int_equal(r.until, UINT64_C(10000000077));
	assert_int_equal(next, r.until);
	m.wall = 1798740000; /* over: it is there, so that the refusal can say so */
	r = right_at(text, &m, &next);
	assert_int_equal(r.until, 1);
	assert_int_equal(next, 0);
	r = right_at(GOOD, &m, &next);
	assert_int_equal(r.until, 0);
	assert_int_equal(next, 0);
	/* the end that comes next, of several */
	m.wall = 1798740000 - 10;
	r = right_at(GOOD "until = 2026-12-31T18:00:00Z\n"
			  "[grant b]\nuser = 5\ndevice = x\nscope = debug-write\n"
			  "until = 2026-12-31T17:59:55Z\n"
			  "[grant c]\nuser = 5\ndevice = x\nscope = debug-write\n"
			  "until = 2026-12-31T17:00:00Z\n",
		     &m, &next);
	assert_int_equal(next, UINT64_C(5000000077));
	assert_int_equal(r.until, UINT64_C(10000000077));
}

/* However many have ended, those that have not find room. */
static void test_ended_grants_take_no_place(void **state)
{
	struct fwa_moment m = { .wall = 1798740000, .boot = 77 };
	char text[16384];
	struct fwa_right r;
	uint64_t next;
	size_t n = 0;

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			"[grant g%d]\nuser = root\ndevice = mem0\nscope = debug-write\n"
			"until = 2026-11-22T18:%02d:00Z\nmax-sessions = %d\n",
			i, i % 60, i + 1);
	snprintf(text + n, sizeof(text) - n, "%smax-sessions = 500\n", GOOD);
	r = right_at(text, &m, &next);
	assert_int_equal(r.until, 0);
	assert_int_equal(r.sessions, 500);
}

static void test_compile_limits(void **state)
{
	struct fwa_moment m = { .wall = 1, .boot = 1 };
	uint64_t next;
	struct fwa_right r = right_at(GOOD "commands-per-second = 10\nbytes-per-second = 3K\n"
					   "max-sessions = 2\nticket = T\n",
				      &m, &next);

	assert_int_equal(r.commands, 10);
	assert_int_equal(r.bytes, 3072);
	assert_int_equal(r.sessions, 2);
	r = right_at(GOOD "bytes-per-second = 8589934591G\ncommands-per-second = 4294967295\n", &m,
		     &next);
	assert_int_equal(r.bytes, UINT64_C(8589934591) << 30);
	assert_int_equal(r.commands, UINT32_MAX);
	assert_int_equal(r.sessions, 0);
}

/* One that has ended admits nothing, so that there is nothing to record; it makes no room scarce. */
static void test_compile_record(void **state)
{
	struct fwa_moment m = { .wall = 1, .boot = 1 };
	uint64_t next;

	assert_true(right_at(GOOD "record = payload\n", &m, &next).record_payload);
	assert_false(right_at(GOOD "record = digest\n", &m, &next).record_payload);
	assert_false(right_at(GOOD, &m, &next).record_payload);
	m.wall = 1900000000;
	assert_false(right_at(GOOD "record = payload\nuntil = 2026-12-31T18:00:00Z\n", &m, &next)
			     .record_payload);
}

/* Units between other grants, with patterns and tickets whose texts must not be mixed up. */
static const char units[] =
	"[grant z]\nunit = smartd.service, backup@*.service\ndevice = *\nscope = debug-read-only\n"
	"ticket = T1\nvendor = *\n"
	"[grant y]\nuser = 7\ndevice = *\nscope = configuration\nmodel = *\nticket = T2\n"
	"[grant x]\nunit = *\ndevice = mem0\nscope = debug-write\nticket = T3\n";

/* What systemd shows can be pasted. */
static void test_unit_escapes(void **state)
{
	static const struct {
		const char *pattern, *unit;
		bool matches;
	} cases[] = {
		{ "fw\\x2dagent.service", "fw\\x2dagent.service", true },
		{ "fw\\\\x2dagent.service", "fw\\x2dagent.service", true },
		{ "fw\\x2d*.service", "fw\\x2dagent.service", true },
		{ "fw\\x2Dagent.service", "fw\\x2Dagent.service", true },
		{ "fw\\x2dagent.service", "fwx2dagent.service", false },
		{ "fw\\\\x2dagent.service", "fwx2dagent.service", false },
		{ "fw\\xagent.service", "fwxagent.service", true },
		{ "fw\\*.service", "fw*.service", true },
		{ "fw\\*.service", "fwagent.service", false },
		{ "fw\\\\*.service", "fw\\agent.service", true },
		{ "fw.service\\x", "fw.servicex", true },
		{ "fw.service\\x2", "fw.servicex2", true },
		{ "fw.service\\", "fw.service", false },
	};
	char text[256];

	for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
		struct fwa_principal who = { .uid = 99, .gid = 99, .unit = cases[i].unit };
		struct fwa_rights r;

		snprintf(text, sizeof(text),
			 "[grant u]\nunit = %s\ndevice = *\nscope = configuration\n",
			 cases[i].pattern);
		r = rights_of(text, "mem0", NULL, &who);
		assert_int_equal(r.n, cases[i].matches);
	}
}

static uint32_t scope_of_unit(const char *unit, const char *device)
{
	struct fwa_principal who = { .uid = 99, .gid = 99, .unit = unit };
	struct fwa_rights r = rights_of(units, device, NULL, &who);

	return r.n ? r.right[0].scope : FWA_SCOPE_NEVER;
}

static void test_compile_units(void **state)
{
	struct fwa_principal who = { .uid = 7, .gid = 70 };
	struct fwa_rights r;

	assert_int_equal(scope_of_unit("smartd.service", "nvme0"), FWA_SCOPE_DEBUG_READ_ONLY);
	assert_int_equal(scope_of_unit("smartd.service", "mem0"), FWA_SCOPE_DEBUG_WRITE);
	assert_int_equal(scope_of_unit("backup@x.service", "nvme0"), FWA_SCOPE_DEBUG_READ_ONLY);
	assert_int_equal(scope_of_unit("xsmartd.service", "nvme0"), FWA_SCOPE_NEVER);
	assert_int_equal(scope_of_unit("other.service", "mem0"), FWA_SCOPE_DEBUG_WRITE);
	assert_int_equal(scope_of_unit("", "mem0"), FWA_SCOPE_NEVER); /* not known: not even "*" */
	assert_int_equal(scope_of_unit(NULL, "mem0"), FWA_SCOPE_NEVER);
	r = rights_of(units, "mem0", NULL, &who);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.right[0].scope, FWA_SCOPE_CONFIGURATION);
}

static void notes_of(const char *text, char messages[MESSAGES])
{
	static const struct fwa_found devices[] = { { .name = "mem0" }, { .name = "nvme1" } };
	struct fwa_policy_files *p;
	int r;

	p = parse(text, strlen(text), messages, &r);
	assert_int_equal(r, 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_notes(p, devices, 2, collect, messages), 0);
	fwa_policy_files_free(p);
}

#define OVERLAP                                                                                \
	"overlaps grant 'a' (x.conf:1): a command must be covered by one of them alone, they " \
	"are not added up"
#define B "[grant b]\nuser = root\nscope = debug-write-full\neffects = data\n"

static void test_notes(void **state)
{
	static const struct {
		const char *text, *messages;
	} notes[] = {
		{ GOOD, "" },
		{ GOOD B "device = mem*\n", "W:5:grant 'b' " OVERLAP },
		{ GOOD B "device = *\n", "W:5:grant 'b' " OVERLAP },
		{ GOOD B "device = nvme*\n", "" },
		{ GOOD B "device = mem0\n[grant c]\nuser = 5\ndevice = mem0\nscope = "
			 "configuration\n",
		  "W:5:grant 'b' " OVERLAP },
		{ GOOD "commands = get-log\n" B "device = mem0\ncommands = get-log uuid:cel\n",
		  "W:6:grant 'b' " OVERLAP },
		{ GOOD "commands = get-log\n" B "device = mem0\ncommands = identify\n", "" },
		{ GOOD "commands = !get-log\n" B "device = mem0\ncommands = identify\n",
		  "W:6:grant 'b' " OVERLAP },
		/* one contains the other: that is a warning */
		{ GOOD "[grant b]\nuser = root\ndevice = mem0\nscope = configuration\n", "" },
		{ "[grant a]\nuser = root\ndevice = mem7, nvme0\nscope = configuration\n",
		  "W:1:grant 'a' is for no device that this machine has now" },
		{ "[grant a]\nuser = root\ndevice = mem7, sim:*\nscope = configuration\n", "" },
		{ "[grant a]\nuser = root\ndevice = mem7, nvme?\nscope = configuration\n", "" },
	};
	char messages[MESSAGES];

	for (size_t i = 0; i < FWA_ARRAY_SIZE(notes); i++) {
		notes_of(notes[i].text, messages);
		assert_string_equal(messages, notes[i].messages);
	}
}

static void test_files_that_cannot_be(void **state)
{
	struct fwa_policy_files *p = NULL;
	const struct dirs *d = *state;
	char messages[MESSAGES] = "", path[160];

	/* a file where a standard directory may be */
	write_file(d->base, "0", "x");
	assert_int_equal(fwa_policy_files_load_dirs(d->list, 3, NULL, collect, messages, &p),
			 -ENOTDIR);
	assert_string_equal(messages, "E:0:cannot read: Not a directory");

	assert_int_equal(mkdir(d->path[1], 0755), 0);
	write_file(d->path[1], "a.conf", "");
	snprintf(path, sizeof(path), "%s/a.conf", d->path[1]);
	assert_int_equal(truncate(path, 64 * 1024 * 1024 + 1), 0);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -EFBIG);
	assert_string_equal(messages, "E:0:cannot read: File too large");

	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 4096; i++) {
		char link_path[160];

		snprintf(link_path, sizeof(link_path), "%s/%d.conf", d->path[1], i);
		assert_int_equal(link(path, link_path), 0);
	}
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(d->path[1], NULL, collect, messages, &p), -E2BIG);
	assert_string_equal(messages, "E:0:cannot read: Argument list too long");
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compile),
		cmocka_unit_test(test_compile_to_memfd),
		cmocka_unit_test(test_stock),
		cmocka_unit_test_setup_teardown(test_directories, setup_dirs, teardown_dirs),
		cmocka_unit_test_setup_teardown(test_one_directory, setup_dirs, teardown_dirs),
		cmocka_unit_test_setup_teardown(test_digest, setup_dirs, teardown_dirs),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_boot_time),
		cmocka_unit_test(test_compile_ends),
		cmocka_unit_test(test_ended_grants_take_no_place),
		cmocka_unit_test(test_compile_limits),
		cmocka_unit_test(test_compile_record),
		cmocka_unit_test(test_compile_units),
		cmocka_unit_test(test_unit_escapes),
		cmocka_unit_test(test_notes),
		cmocka_unit_test_setup_teardown(test_files_that_cannot_be, setup_dirs,
						teardown_dirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
