/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of grants that were made for a time: what can be asked for, what is made of files that
 * are not as they should be, and when grants end, whatever the clocks do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/pattern.h"
#include "core/command.h"
#include "host/grants.h"
#include "host/test-policy.h"

#define BOOT_A "00000000-0000-4000-8000-00000000000a"
#define BOOT_B "00000000-0000-4000-8000-00000000000b"
#define S UINT64_C(1000000000)

/* 2026-12-31T18:00:00Z, an hour after the boot */
static const struct fwa_moment noon = { 1798740000, 0, 3600 * S, BOOT_A };

static char store[64], policy_dir[64];

static int setup(void **state)
{
	static char base[32];

	strcpy(base, "/tmp/fwadmit-grants-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(store, sizeof(store), "%s/state/grants", base);
	snprintf(policy_dir, sizeof(policy_dir), "%s/policy.d", base);
	*state = base;
	return mkdir(policy_dir, 0755);
}

static int teardown(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	return system(command);
}

static struct fwa_grant_terms basic(void)
{
	return (struct fwa_grant_terms){
		.name = "g",
		.user = { { "0" }, 1 },
		.device = { { "mem*" }, 1 },
		.scope = "debug-write-full",
		.effects = { { "data" }, 1 },
	};
}

static void make(const struct fwa_grant_terms *t, uint64_t seconds)
{
	char name[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN] = "";

	if (fwa_grants_create(store, t, seconds, 1000, &noon, name, error) < 0)
		fail_msg("%s", error);
	assert_string_equal(name, t->name);
}

static char *file_text(const char *name)
{
	char path[160], *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.conf", store, name);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void write_text(const char *name, const char *text, size_t len)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.conf", store, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fwrite(text, 1, len, f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

/* What root has on mem0 by the store at @m; messages into @messages. */
static struct fwa_rights rights_at(const struct fwa_moment *m, char messages[MESSAGES])
{
	static const struct fwa_profile nobody;
	static const struct fwa_principal root;
	fwa_auto_free uint8_t *snapshot = NULL;
	struct fwa_policy_files *p = NULL;
	struct fwa_rights rights;
	struct fwa_policy policy;
	size_t len;

	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(policy_dir, store, collect, messages, &p), 0);
	assert_int_equal(fwa_policy_files_encode_at(p, "mem0", NULL, m, &snapshot, &len), 0);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(snapshot, len)), 0);
	assert_true(fwa_policy_whole(&policy));
	fwa_policy_fold(&policy, &root, &nobody, fwa_pattern_matches, &rights);
	fwa_policy_files_free(p);
	return rights;
}

#define NO_FILES "W:0:no *.conf in it: nothing is granted"

static uint64_t end_at(const struct fwa_moment *m)
{
	char messages[MESSAGES];
	struct fwa_rights r = rights_at(m, messages);

	assert_string_equal(messages, NO_FILES);
	return r.n ? r.right[0].until : 0;
}

/* --- creating --------------------------------------------------------------------------------- */

static void test_create(void **state)
{
	struct fwa_grant_terms t = {
		.name = "fix-1.2_x",
		.user = { { "0", "1000-1999", "*" }, 3 },
		.device = { { "mem[0-3]", "nvme*" }, 2 },
		.effects = { { "data", "config" }, 2 },
		.commands = { { "clear-poison, io:write nsid:1", "!io:read" }, 2 },
		.ticket = "CHG-1234 #4 [x]",
		.commands_per_second = 10,
		.bytes_per_second = 1 << 20,
		.max_sessions = 3,
	};
	fwa_auto_free char *text = NULL;
	struct stat st;

	make(&t, 7200);
	text = file_text("fix-1.2_x");
	assert_string_equal(
		text, "# made by fwadmitd; to end it: fwadmit grant revoke fix-1.2_x\n"
		      "[grant fix-1.2_x]\nuser = 0\nuser = 1000-1999\nuser = *\ndevice = mem[0-3]\n"
		      "device = nvme*\neffects = data\neffects = config\ncommands = clear-poison\n"
		      "commands = io:write nsid:1\ncommands = !io:read\nscope = debug-write-full\n"
		      "ticket = CHG-1234 #4 [x]\ncommands-per-second = 10\n"
		      "bytes-per-second = 1048576\nmax-sessions = 3\nuntil = 2026-12-31T20:00:00Z\n"
		      "boot = " BOOT_A " 10800000000000\ncreated = 1000 2026-12-31T18:00:00Z\n");
	assert_int_equal(stat(store, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(end_at(&noon), 10800 * S);
}

static void remember(const struct fwa_granted *g, void *userdata)
{
	char *all = userdata;
	size_t n = strlen(all);

	snprintf(all + n, MESSAGES - n,
		 "%s by %u at %llu until %llu end %llu%s: %zu users (%s), %zu devices, %s, ticket "
		 "%s, "
		 "%zu commands\n",
		 g->terms.name, g->by, (unsigned long long)g->created, (unsigned long long)g->until,
		 (unsigned long long)g->end, g->waits ? " waits" : "", g->terms.user.n,
		 g->terms.user.n ? g->terms.user.item[0] : "", g->terms.device.n, g->terms.scope,
		 g->terms.ticket ? g->terms.ticket : "none", g->terms.commands.n);
}

static void test_list(void **state)
{
	struct fwa_grant_terms t = basic();
	char all[MESSAGES] = "";

	assert_int_equal(fwa_grants_list(store, &noon, remember, all), 0); /* no store yet */
	assert_string_equal(all, "");
	t.name = "b";
	make(&t, 60);
	t.name = "a";
	t.ticket = "T";
	t.commands = (struct fwa_grant_list){ { "clear-poison" }, 1 };
	make(&t, 1);
	write_text("bad", "x", 1);
	assert_int_equal(fwa_grants_list(store, &noon, remember, all), 0);
	assert_string_equal(
		all, "a by 1000 at 1798740000 until 1798740001 end 3601000000000: 1 users (0), "
		     "1 devices, debug-write-full, ticket T, 1 commands\n"
		     "b by 1000 at 1798740000 until 1798740060 end 3660000000000: 1 users (0), "
		     "1 devices, debug-write-full, ticket none, 0 commands\n");
}

static void test_made_up_names(void **state)
{
	char a[FWA_GRANT_NAME_MAX], b[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN];
	struct fwa_grant_terms t = basic();

	t.name = NULL;
	assert_int_equal(fwa_grants_create(store, &t, 1, 0, &noon, a, error), 0);
	assert_int_equal(fwa_grants_create(store, &t, 1, 0, &noon, b, error), 0);
	assert_int_equal(strlen(a), 10);
	assert_string_not_equal(a, b);
}

/* The least scope that covers what is named. */
static void test_scopes(void **state)
{
	static const struct {
		const char *effect, *scope;
	} table[] = { { "none", "scope = configuration\n" },
		      { "config-cold-reset", "scope = debug-write\n" },
		      { "data", "scope = debug-write-full\n" },
		      { "exclusive", "scope = debug-write-full\n" } };
	struct fwa_grant_terms t = basic();

	t.scope = NULL;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		fwa_auto_free char *text = NULL;

		t.effects.item[0] = table[i].effect;
		make(&t, 5);
		text = file_text("g");
		assert_non_null(strstr(text, table[i].scope));
		assert_int_equal(fwa_grants_remove(store, "g"), 0);
	}
}

static void refused(const struct fwa_grant_terms *t, uint64_t seconds, const char *message)
{
	char name[FWA_GRANT_NAME_MAX] = "untouched", error[FWA_ERROR_LEN] = "";
	char all[MESSAGES] = "";

	assert_int_equal(fwa_grants_create(store, t, seconds, 0, &noon, name, error), -EINVAL);
	if (message)
		assert_string_equal(error, message);
	assert_string_equal(name, "untouched");
	assert_int_equal(fwa_grants_list(store, &noon, remember, all), 0);
	assert_string_equal(all, "");
}

#define ITEM(key, value, last)                                                           \
	"'" key "' cannot be '" value "': an item has 1 to 128 characters of printable " \
	"ASCII without " last " and blanks around it"

/* Whatever a value holds, nothing but that value can come of it. */
static void test_injection(void **state)
{
	static const char *const values[] = { "",
					      " ",
					      "a\nscope = debug-write",
					      "a\n[grant b]",
					      "a\r",
					      "a\tb",
					      "a b",
					      " a",
					      "a ",
					      "a;b",
					      "a ;b",
					      ";a",
					      "a,b",
					      ",",
					      "a\x7f",
					      "\x1b[2J",
					      "\xc3\xa9",
					      "a\xc2\x85",
					      "a\xe2\x80\xa8",
					      "\xff",
					      "0123456789012345678901234567890123456789012345678901"
					      "2345678901234567890123456789012345678901234567890123"
					      "4567890123456789012345678" };
	char long_value[300];

	memset(long_value, 'a', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	for (size_t i = 0; i <= FWA_ARRAY_SIZE(values); i++) {
		const char *v = i < FWA_ARRAY_SIZE(values) ? values[i] : long_value;
		struct fwa_grant_terms t;

		for (int k = 0; k < 8; k++) {
			struct fwa_grant_list list = { { v }, 1 };

			t = basic();

			if (k == 0)
				t.name = v;
			else if (k == 1)
				t.user = list;
			else if (k == 2) {
				t.group = list;
				t.user.n = 0;
			} else if (k == 3) {
				t.unit = list;
				t.user.n = 0;
			} else if (k == 4)
				t.device = list;
			else if (k == 5)
				t.effects = list;
			else if (k == 6)
				t.commands = list;
			else
				t.scope = v;
			refused(&t, 5, NULL);
			/* commas and blanks are a ticket's own; its bytes are counted */
			t = basic();
			t.ticket = v;
			if (k == 7 && strcmp(v, "a b") != 0 && strcmp(v, "a,b") != 0 &&
			    strcmp(v, ",") != 0)
				refused(&t, 5,
					"a ticket has 1 to 63 characters of printable ASCII "
					"without "
					"';' and blanks around it");
		}
	}
}

static void test_what_is_refused(void **state)
{
	static const char name_message[] = "the name of a grant has 1 to 47 letters, digits, '-', "
					   "'_' and '.', which is not the first";
	static const char *const names[] = { "..",
					     ".",
					     ".g",
					     "a/b",
					     "../g",
					     "a b",
					     "012345678901234567890123456789012345678901234567" };
	struct fwa_grant_terms t = basic();

	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++) {
		t.name = names[i];
		refused(&t, 5, name_message);
	}
	t = basic();
	refused(&t, 0, "a grant lasts a second or longer");
	refused(&t, FWA_GRANT_SECONDS_MAX + 1,
		"a grant lasts 366 days at most; one that is to stay belongs into a policy file");
	refused(&t, UINT64_MAX,
		"a grant lasts 366 days at most; one that is to stay belongs into a policy file");
	t.user.n = 0;
	refused(&t, 5, "grant 'g' has neither user, group nor unit");
	t = basic();
	t.group = (struct fwa_grant_list){ { "0" }, 1 };
	refused(&t, 5, "grant 'g' has both user and group: make it two");
	t = basic();
	t.device.n = 0;
	refused(&t, 5, "grant 'g' has no device");
	t = basic();
	t.user.item[0] = "no-such-user-here";
	refused(&t, 5, "this machine has no user 'no-such-user-here'; the grant gives it nothing");
	t = basic();
	t.scope = NULL;
	t.effects.n = 0;
	refused(&t, 5, "a grant needs a scope, or effects");
	t = basic();
	t.scope = "all";
	refused(&t, 5,
		"unknown scope 'all'; allowed: configuration, debug-read-only, debug-write, "
		"debug-write-full");
	t = basic();
	t.scope = "debug-write";
	refused(&t, 5, "grant 'g': scope debug-write does not reach effects: data");
	t = basic();
	t.effects.item[0] = "dma";
	refused(&t, 5, NULL);
	t = basic();
	t.commands = (struct fwa_grant_list){ { "identify,,format-nvm" }, 1 };
	refused(&t, 5, ITEM("commands", "", "',', ';'"));
	t.commands.item[0] = "no-such";
	refused(&t, 5, "unknown command 'no-such'; give a name or an opcode such as 0x4302");
	t = basic();
	t.device.item[0] = "a b";
	refused(&t, 5, ITEM("device", "a b", "',', ';'"));
	t = basic();
	t.max_sessions = UINT64_C(1) << 32;
	refused(&t, 5, "a limit is too great to be one");
	t = basic();
	t.user.n = FWA_GRANT_ITEMS_MAX + 1;
	refused(&t, 5, "more than 64 items of 'user'");
}

static void test_clocks_that_cannot_be(void **state)
{
	char name[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN];
	struct fwa_moment m = noon;
	struct fwa_grant_terms t = basic();

	m.boot_id[0] = '\0';
	assert_int_equal(fwa_grants_create(store, &t, 5, 0, &m, name, error), -EINVAL);
	assert_string_equal(error, "the clock cannot be read");
	m = noon;
	m.wall = FWA_TIME_MAX - 4;
	assert_int_equal(fwa_grants_create(store, &t, 5, 0, &m, name, error), -EINVAL);
}

static void test_twice(void **state)
{
	char name[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN];
	struct fwa_grant_terms t = basic();

	make(&t, 5);
	assert_int_equal(fwa_grants_create(store, &t, 5, 0, &noon, name, error), -EEXIST);
	assert_string_equal(error, "there is a grant 'g' already");
	assert_int_equal(fwa_grants_remove(store, "g"), 0);
	assert_int_equal(fwa_grants_remove(store, "g"), -ENOENT);
	assert_int_equal(fwa_grants_remove(store, "../policy.d/x"), -ENOENT);
	make(&t, 5);
}

static void test_too_many(void **state)
{
	char name[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN], messages[MESSAGES];
	struct fwa_grant_terms t = basic();

	make(&t, 5);
	for (int i = 0; i < FWA_GRANTS_MAX; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		write_text(name, "", 0);
	}
	t.name = "h";
	assert_int_equal(fwa_grants_create(store, &t, 5, 0, &noon, name, error), -E2BIG);
	assert_string_equal(error, "there are 1024 grants already: revoke some");
	rights_at(&noon, messages);
	assert_non_null(strstr(messages, "E:0:more than 1024 grants: some are not in force"));
}

/* --- when they end ---------------------------------------------------------------------------- */

static void test_same_boot(void **state)
{
	struct fwa_grant_terms t = basic();
	struct fwa_moment m = noon;

	make(&t, 100);
	assert_int_equal(end_at(&m), 3700 * S);
	m.wall = 0; /* the clock goes anywhere */
	assert_int_equal(end_at(&m), 3700 * S);
	m.wall = FWA_TIME_MAX;
	assert_int_equal(end_at(&m), 3700 * S);
	m = noon;
	m.boot = 3700 * S - 1;
	assert_int_equal(end_at(&m), 3700 * S);
	m.boot++; /* over: still known, so that the refusal can say so */
	assert_int_equal(end_at(&m), 1);
}

static void test_other_boot(void **state)
{
	struct fwa_moment m = { noon.wall + 40, 0, 7 * S, BOOT_B };
	struct fwa_grant_terms t = basic();
	char messages[MESSAGES];

	make(&t, 100);
	assert_int_equal(end_at(&m), 67 * S);
	m.wall = noon.wall - 1; /* before it was made: not in force, until the clock is right */
	assert_int_equal(rights_at(&m, messages).n_matched, 0);
	m.wall = noon.wall; /* as long as ever it can be */
	assert_int_equal(end_at(&m), 107 * S);
	m.wall = noon.wall + 100;
	assert_int_equal(end_at(&m), 1);
	m.wall = FWA_TIME_MAX;
	assert_int_equal(end_at(&m), 1);
	m.boot_id[0] = '\0'; /* not known: as another one */
	m.wall = noon.wall + 40;
	assert_int_equal(end_at(&m), 67 * S);
}

/* Once seen in a later boot, it gets no longer by setting the clock back. */
static void test_sweep_fixes_the_end(void **state)
{
	struct fwa_moment m = { noon.wall + 90, 0, 7 * S, BOOT_B };
	struct fwa_grant_terms t = basic();
	fwa_auto_free char *text = NULL, *again = NULL;

	make(&t, 100);
	assert_int_equal(fwa_grants_sweep(store, &m, NULL, NULL), 0);
	text = file_text("g");
	assert_non_null(strstr(text, "\nlater-boot = " BOOT_B " 17000000000\ncreated = "));
	assert_int_equal(end_at(&m), 17 * S);
	m.wall = noon.wall + 1; /* back */
	assert_int_equal(end_at(&m), 17 * S);
	m.wall = noon.wall + 95; /* on */
	assert_int_equal(end_at(&m), 12 * S);
	assert_int_equal(fwa_grants_sweep(store, &m, NULL, NULL), 0);
	again = file_text("g");
	assert_string_equal(text, again); /* once a boot */
	/* and in the next boot */
	strcpy(m.boot_id, "00000000-0000-4000-8000-00000000000c");
	m.wall = noon.wall + 50;
	assert_int_equal(fwa_grants_sweep(store, &m, NULL, NULL), 0);
	free(again);
	again = file_text("g");
	assert_null(strstr(again, BOOT_B));
	assert_non_null(
		strstr(again, "later-boot = 00000000-0000-4000-8000-00000000000c 57000000000"));
	/* what it was made by is there as before: in its own boot nothing of this counts */
	assert_int_equal(end_at(&noon), 3700 * S);
}

static void test_sweep_removes(void **state)
{
	struct fwa_moment m = noon;
	struct fwa_grant_terms t = basic();
	char all[MESSAGES] = "", path[128];

	make(&t, 100);
	t.name = "h";
	make(&t, 200);
	write_text("bad", "x\n", 2);
	snprintf(path, sizeof(path), "%s/.new-abcdef", store);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	m.boot += 99 * S;
	assert_int_equal(fwa_grants_sweep(store, &m, remember, all), 0);
	assert_int_equal(access(path, F_OK), -1);
	m.boot += 1 * S;
	assert_int_equal(fwa_grants_sweep(store, &m, remember, all), 1);
	assert_memory_equal(all, "g by 1000", 9);
	assert_int_equal(strchr(all, '\n')[1], '\0');
	assert_int_equal(fwa_grants_remove(store, "g"), -ENOENT);
	/* the clock before it was made, in another boot: it waits */
	m = (struct fwa_moment){ 5, 0, 5, BOOT_B };
	assert_int_equal(fwa_grants_sweep(store, &m, remember, all), 0);
	assert_int_equal(fwa_grants_remove(store, "h"), 0);
	assert_int_equal(fwa_grants_remove(store, "bad"), 0); /* by its name */
}

/* --- files that are not as they should be ------------------------------------------------------ */

#define BODY                                                                                   \
	"[grant x]\nuser = 0\ndevice = *\nscope = debug-write\nuntil = 2026-12-31T20:00:00Z\n" \
	"boot = " BOOT_A " 10800000000000\n"
#define CREATED "created = 1000 2026-12-31T18:00:00Z\n"

static const struct {
	const char *text, *message;
} bad_files[] = {
	{ "", "E:0:not in force: cut off" },
	{ BODY "created = 1000 2026-12-31T18:00:00Z", "E:0:not in force: cut off" },
	{ BODY, "E:1:not in force: grant 'x' has no created" },
	{ BODY CREATED "commands = !get-log\n",
	  "E:8:not in force: 'commands' behind 'created', which ends the file" },
	{ BODY CREATED "[grant x]\nuser = 1\n",
	  "E:8:not in force: a file of the store has one grant" },
	{ "# nothing\n", "E:0:not in force: there is no grant in it" },
	{ "[grant y]\n", "E:1:not in force: its file is called x.conf" },
	{ "[grant x]\n" CREATED, "E:1:not in force: grant 'x' has neither user, group nor unit" },
	{ "[grant x]\nuser = 0\ndevice = *\nscope = debug-write\n" CREATED,
	  "E:1:not in force: grant 'x' has no until" },
	{ "[grant x]\nuser = 0\ndevice = *\nscope = debug-write\nuntil = "
	  "2026-12-31T20:00:00Z\n" CREATED,
	  "E:1:not in force: grant 'x' has no boot" },
	{ BODY "created = 1000 2026-12-31T20:00:00Z\n",
	  "E:1:not in force: grant 'x' ends before it was made" },
	{ BODY "created = 1000 2025-12-30T19:59:59Z\n",
	  "E:1:not in force: grant 'x' lasts longer than 366 days" },
	{ BODY "created = 1000\n", "E:7:not in force: 'created' is a uid and a time" },
	{ BODY "created = x 2026-12-31T18:00:00Z\n",
	  "E:7:not in force: 'created' is a uid and a time" },
	{ BODY "created =\n", "E:7:not in force: 'created' has no value" },
	{ BODY "boot = " BOOT_A " 1\n" CREATED, "E:7:not in force: a grant has one boot" },
	{ BODY "later-boot = x 1\n" CREATED,
	  "E:7:not in force: 'boot' and 'later-boot' are the id of a boot and nanoseconds in it" },
	{ BODY "later-boot = " BOOT_B " 0\n" CREATED,
	  "E:7:not in force: 'boot' and 'later-boot' are the id of a boot and nanoseconds in it" },
	{ BODY "later-boot = " BOOT_B " 18446744073709551616\n" CREATED,
	  "E:7:not in force: 'boot' and 'later-boot' are the id of a boot and nanoseconds in it" },
	{ BODY "later-boot = " BOOT_B "\n" CREATED,
	  "E:7:not in force: 'boot' and 'later-boot' are the id of a boot and nanoseconds in it" },
	{ BODY "later-boot = " BOOT_B " 1\nlater-boot = " BOOT_B " 1\n" CREATED,
	  "E:8:not in force: a grant has one later-boot" },
	{ BODY "later-boot =\n" CREATED, "E:7:not in force: 'later-boot' has no value" },
	{ "[grant x]\nboot =\n", "E:2:not in force: 'boot' has no value" },
	{ BODY "frob = 1\n" CREATED,
	  "E:7:not in force: unknown key 'frob'; allowed: user, group, unit, device, family, "
	  "vendor, "
	  "model, firmware, serial, scope, effects, commands, ticket, until, commands-per-second, "
	  "bytes-per-second, max-sessions, record" },
	{ BODY "\x01\n" CREATED, "E:7:not in force: the line holds a control character" },
};

/* One bad file costs nobody else anything. */
static void test_bad_files(void **state)
{
	struct fwa_grant_terms t = basic();
	char messages[MESSAGES], expected[1024];
	struct fwa_rights r;

	make(&t, 100);
	write_text("x", BODY CREATED, strlen(BODY CREATED));
	r = rights_at(&noon, messages);
	assert_string_equal(messages, NO_FILES);
	assert_int_equal(r.n, 2);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(bad_files); i++) {
		write_text("x", bad_files[i].text, strlen(bad_files[i].text));
		r = rights_at(&noon, messages);
		snprintf(expected, sizeof(expected), "%s\n%s", NO_FILES, bad_files[i].message);
		assert_string_equal(messages, expected);
		assert_int_equal(r.n, 1);
		assert_int_equal(r.right[0].until, 3700 * S);
	}
}

/* Cut off anywhere, a file is not in force; least of all as a wider grant. */
static void test_cut_off(void **state)
{
	fwa_auto_free char *text = NULL;
	struct fwa_grant_terms t = basic();
	char messages[MESSAGES];
	size_t len;

	t.commands = (struct fwa_grant_list){ { "clear-poison" }, 1 };
	t.max_sessions = 1;
	make(&t, 100);
	text = file_text("g");
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		fwa_auto_free char *zeroed = malloc(len);

		write_text("g", text, i);
		assert_int_equal(rights_at(&noon, messages).n_matched, 0);
		assert_non_null(strstr(messages, "not in force"));
		/* or of the right length, with zeroes behind what was written */
		assert_non_null(zeroed);
		memset(zeroed, 0, len);
		memcpy(zeroed, text, i);
		write_text("g", zeroed, len);
		assert_int_equal(rights_at(&noon, messages).n_matched, 0);
	}
	write_text("g", text, len);
	assert_int_equal(rights_at(&noon, messages).n_matched, 1);
}

static void test_foreign_files(void **state)
{
	struct fwa_grant_terms t = basic();
	char path[128], target[160], messages[MESSAGES];

	make(&t, 100);
	snprintf(path, sizeof(path), "%s/g.conf", store);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_string_equal(messages,
			    NO_FILES "\nE:0:not in force: others own it or may write to it");
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 1), 0);
		assert_int_equal(rights_at(&noon, messages).n, 0);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(rights_at(&noon, messages).n, 1);

	snprintf(target, sizeof(target), "%s/../elsewhere", store);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_string_equal(messages,
			    NO_FILES "\nE:0:not in force: Too many levels of symbolic links");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* does not wait for a writer */
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_string_equal(messages, NO_FILES "\nE:0:not in force: not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(target, path), 0);

	assert_int_equal(truncate(path, 64 * 1024 + 1), 0);
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_string_equal(messages, NO_FILES "\nE:0:not in force: too long");
}

static void test_foreign_store(void **state)
{
	char name[FWA_GRANT_NAME_MAX], error[FWA_ERROR_LEN], messages[MESSAGES];
	struct fwa_grant_terms t = basic();

	make(&t, 100);
	assert_int_equal(chmod(store, 0770), 0);
	assert_int_equal(rights_at(&noon, messages).n, 0);
	assert_string_equal(messages, NO_FILES
			    "\nE:0:no grant of it is in force: others own it or may write to it");
	t.name = "h";
	assert_int_equal(fwa_grants_create(store, &t, 5, 0, &noon, name, error), -EPERM);
	assert_int_equal(fwa_grants_remove(store, "g"), -EPERM);
	assert_int_equal(fwa_grants_sweep(store, &noon, NULL, NULL), -EPERM);
	assert_int_equal(chmod(store, 0700), 0);
	assert_int_equal(rights_at(&noon, messages).n, 1);
}

/* In the operator's directories an error stays an error, whatever the store has. */
static void test_layers(void **state)
{
	struct fwa_grant_terms t = basic();
	struct fwa_policy_files *p = NULL;
	char messages[MESSAGES] = "", path[128];
	FILE *f;

	make(&t, 100);
	snprintf(path, sizeof(path), "%s/a.conf", policy_dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("nonsense\n", f);
	fclose(f);
	assert_int_equal(fwa_policy_files_load(policy_dir, store, collect, messages, &p), -EINVAL);
	assert_null(p);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("[grant g]\nuser = 5\ndevice = *\nscope = configuration\n", f);
	fclose(f);
	messages[0] = '\0';
	assert_int_equal(fwa_policy_files_load(policy_dir, store, collect, messages, &p), 0);
	assert_non_null(strstr(messages, "W:2:grant 'g' is already in "));
	assert_int_equal(fwa_policy_files_count(p), 2);
	assert_int_equal(fwa_policy_files_next_end(p, &noon), 3700 * S);
	fwa_policy_files_free(p);
	/* one that the operator did not ask for is none */
	assert_int_equal(fwa_policy_files_load(policy_dir, NULL, collect, messages, &p), 0);
	assert_int_equal(fwa_policy_files_count(p), 1);
	fwa_policy_files_free(p);
}

/* What is revoked while nothing new can be read: the text is the same, the policy is another one. */
static void test_revoked_from_what_is_in_force(void **state)
{
	struct fwa_grant_terms t = basic();
	struct fwa_policy_files *p = NULL, *again = NULL;
	char messages[MESSAGES] = "", before[65], after[65];

	make(&t, 100);
	t.name = "h";
	make(&t, 100);
	assert_int_equal(fwa_policy_files_load(policy_dir, store, collect, messages, &p), 0);
	assert_int_equal(fwa_policy_files_load(policy_dir, store, collect, messages, &again), 0);
	strcpy(before, fwa_policy_files_digest(p));
	assert_int_equal(fwa_policy_files_count(p), 2);
	fwa_policy_files_revoke(p, "nobody's");
	assert_string_equal(fwa_policy_files_digest(p), before);
	fwa_policy_files_revoke(p, "g");
	strcpy(after, fwa_policy_files_digest(p));
	assert_string_not_equal(after, before);
	assert_int_equal(fwa_policy_files_count(p), 1);
	fwa_policy_files_revoke(p, "g");
	assert_string_equal(fwa_policy_files_digest(p), after);
	fwa_policy_files_revoke(again, "h");
	assert_string_not_equal(fwa_policy_files_digest(again), after);
	fwa_policy_files_free(p);
	fwa_policy_files_free(again);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_create),
		with_store(test_list),
		with_store(test_made_up_names),
		with_store(test_scopes),
		with_store(test_injection),
		with_store(test_what_is_refused),
		with_store(test_clocks_that_cannot_be),
		with_store(test_twice),
		with_store(test_too_many),
		with_store(test_same_boot),
		with_store(test_other_boot),
		with_store(test_sweep_fixes_the_end),
		with_store(test_sweep_removes),
		with_store(test_bad_files),
		with_store(test_cut_off),
		with_store(test_foreign_files),
		with_store(test_foreign_store),
		with_store(test_layers),
		with_store(test_revoked_from_what_is_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
