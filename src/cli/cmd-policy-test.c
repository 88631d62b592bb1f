/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit policy test: rows of who, device, command and the decision that is expected
 * (data/policy/README.md). Each row is decided as the gate would, by the policy files; nothing is
 * sent.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/number.h"
#include "base/util.h"
#include "cli/command.h"
#include "cli/decision.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/policy.h"
#include "cli/text.h"
#include "core/reason.h"

#define FILE_MAX (4u * 1024 * 1024)
#define WORDS_MAX 32 /* of a command */
#define GROUPS_MAX 64
#define UNKNOWN_ID UINT32_MAX /* (gid_t)-1 is no group, so no grant is for it */

enum key {
	KEY_USER,
	KEY_GROUPS,
	KEY_UNIT,
	KEY_DEVICE,
	KEY_PROFILE,
	KEY_KIND,
	KEY_COMMAND,
	KEY_SCOPE,
	KEY_TIME,
	KEY_EXPECT, /* the word behind "->" */
	KEY_GRANT,
	KEY_COUNT,
};

static const char *const keys[KEY_COUNT] = { "user",    "groups", "unit",    "device",
					     "profile", "kind",   "command", "scope",
					     "time",    NULL,     "grant" };

struct test {
	struct cli *cli;
	const struct fwa_policy_files *files;
	const char *path;
	unsigned int line;
	char where[600]; /* both of them */
	unsigned int rows, failed;
	struct json_object *failures;

	struct cli_subject subject; /* of the row before; used again for the same profile */
	char *profile;
	const char *field[KEY_COUNT];
};

/* What is wrong with a row; cli_fail() says where. */
#define broken(t, ...) cli_fail((t)->cli, CLI_FAILED, __VA_ARGS__)

/* --- words ------------------------------------------------------------------------------------ */

/*
 * The next word of *@at, where "..." holds blanks together; NULL at the end, or, with *@at not at its
 * end, when a quote has none. Changes the text.
 */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t\r"), *out = word, *in = word;
	bool quoted = false;

	if (!*word)
		return NULL;
	for (; *in && (quoted || !strchr(" \t\r", *in)); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	if (quoted)
		return NULL;
	*at = *in ? in + 1 : in;
	*out = '\0';
	return word;
}

static int take_word(struct test *t, char *word, bool *expect)
{
	char *value;
	int k = 0;

	if (strcmp(word, "->") == 0) {
		*expect = true;
		return CLI_OK;
	}
	value = strchr(word, '=');
	if (*expect && !t->field[KEY_EXPECT] && !value) {
		t->field[KEY_EXPECT] = word;
		return CLI_OK;
	}
	if (!value)
		return broken(t, "'%s' is not KEY=VALUE", word);
	*value++ = '\0';
	while (k < KEY_COUNT && (!keys[k] || strcmp(keys[k], word) != 0))
		k++;
	if (k == KEY_COUNT || *expect != (k == KEY_GRANT))
		return broken(
			t,
			"unknown key '%s'; allowed: user, groups, unit, device, profile, kind, "
			"command, scope, time; after '->': grant",
			word);
	if (t->field[k])
		return broken(t, "'%s' twice", word);
	t->field[k] = value;
	return CLI_OK;
}

static int split_row(struct test *t, char *text)
{
	static const enum key required[] = { KEY_USER, KEY_DEVICE, KEY_PROFILE, KEY_COMMAND };
	bool expect = false;
	char *word;
	int r = CLI_OK;

	memset(t->field, 0, sizeof(t->field));
	while (r == CLI_OK && (word = next_word(&text)))
		r = take_word(t, word, &expect);
	if (r != CLI_OK)
		return r;
	if (text[strspn(text, " \t\r")])
		return broken(t, "a '\"' is missing");
	for (size_t i = 0; i < FWA_ARRAY_SIZE(required); i++)
		if (!t->field[required[i]])
			return broken(t, "'%s=' is missing", keys[required[i]]);
	if (!t->field[KEY_EXPECT])
		return broken(t, "'-> REASON' is missing");
	return CLI_OK;
}

/* --- a row ------------------------------------------------------------------------------------ */

/* The profile that the row names, unless it is that of the row before. */
static int open_profile(struct test *t)
{
	const char *profile = t->field[KEY_PROFILE], *kind = t->field[KEY_KIND];
	struct cli_args args = { .given = t->cli->args.given };
	struct cli cli = *t->cli;
	uint64_t n = 2; /* a saved profile */

	if (t->profile && strcmp(t->profile, profile) == 0 && !kind)
		return CLI_OK;
	free(t->profile);
	t->profile = kind ? NULL : strdup(profile);
	cli_subject_close(&t->subject);
	if (strncmp(profile, "sim:", 4) == 0)
		return cli_subject_open_device(t->cli, profile, &t->subject);
	if (kind) {
		n = 0;
		while (cli_options[CLI_OPT_KIND].values[n] &&
		       strcmp(cli_options[CLI_OPT_KIND].values[n], kind) != 0)
			n++;
		if (!cli_options[CLI_OPT_KIND].values[n])
			return broken(t,
				      "unknown kind '%s'; allowed: cxl-cel, nvme-effects, profile",
				      kind);
	}
	args.given |= CLI_BIT(CLI_OPT_FROM) | CLI_BIT(CLI_OPT_KIND);
	args.text[CLI_OPT_FROM] = profile;
	args.number[CLI_OPT_KIND] = n;
	cli.args = args;
	return cli_subject_open_file(&cli, &t->subject);
}

static int read_groups(const struct test *t, struct fwa_principal *who, gid_t groups[GROUPS_MAX])
{
	fwa_auto_free char *copy = strdup(t->field[KEY_GROUPS]);
	char *save, *word = copy ? strtok_r(copy, ",", &save) : NULL;
	uint32_t n = 0;

	for (; word; word = strtok_r(NULL, ",", &save)) {
		uint64_t gid;
		const struct group *gr = NULL;

		if (n == GROUPS_MAX)
			return broken(t, "more than %d groups", GROUPS_MAX);
		if (!fwa_parse_number(word, UINT32_MAX - 1, &gid)) {
			gr = getgrnam(word);
			if (!gr)
				return broken(t, "this machine has no group '%s'", word);
			gid = gr->gr_gid;
		}
		groups[n++] = (gid_t)gid;
	}
	who->groups = groups;
	who->n_groups = n;
	return CLI_OK;
}

/* Who asks: somebody of this machine, or just a number. groups= replaces all of its groups. */
static int read_principal(const struct test *t, struct fwa_principal *who, gid_t **ret_own,
			  gid_t groups[GROUPS_MAX])
{
	const char *user = t->field[KEY_USER];

	if (strcmp(user, "@owner") == 0)
		*who = (struct fwa_principal){ UNKNOWN_ID, UNKNOWN_ID, NULL, 0, true };
	else if (!cli_principal(user, who, ret_own))
		return broken(t, "this machine has no user '%s'", user);
	who->unit = t->field[KEY_UNIT];
	if (!t->field[KEY_GROUPS])
		return CLI_OK;
	who->gid = UNKNOWN_ID;
	return read_groups(t, who, groups);
}

/* The command with its options, as on the command line of send. */
static int read_command(const struct test *t, struct cli_command *c)
{
	fwa_auto_free char *copy = strdup(t->field[KEY_COMMAND]);
	char *argv[WORDS_MAX + 2] = { (char *)"command" }, *at = copy, *word;
	struct cli cli = *t->cli;
	int argc = 1, first;

	if (!copy)
		return broken(t, "out of memory");
	while (argc <= WORDS_MAX && (word = next_word(&at)))
		argv[argc++] = word;
	cli.args = (struct cli_args){ 0 };
	first = cli_parse_options(&cli.args, CLI_SELECTORS | CLI_PAYLOAD, false, argc, argv);
	if (cli.args.error[0])
		return broken(t, "%s", cli.args.error);
	if (argc > WORDS_MAX || first != argc - 1)
		return broken(t, "'command=' takes one command and its options");
	if (cli_command_read(&cli, &t->subject, argv[first], c) != CLI_OK)
		return CLI_FAILED;
	if (t->field[KEY_SCOPE] && strcmp(t->field[KEY_SCOPE], "least") != 0) {
		int scope = fwa_scope_by_name(t->field[KEY_SCOPE]);

		if (scope < 0)
			return broken(t, "unknown scope '%s'", t->field[KEY_SCOPE]);
		c->cmd.scope = (uint8_t)scope;
	}
	return CLI_OK;
}

/* What else happens at a device is not in a table: a row that expects it could never hold. */
static bool is_reachable(unsigned int reason)
{
	return reason != FWA_REASON_QUARANTINED && reason != FWA_REASON_DRIFT &&
	       reason != FWA_REASON_LEASE && reason != FWA_REASON_RATE &&
	       reason != FWA_REASON_JOURNAL;
}

static int find_reason(const struct test *t, unsigned int *ret)
{
	for (unsigned int r = 0; r < FWA_REASON_COUNT; r++) {
		if (strcmp(fwa_reason_name(r), t->field[KEY_EXPECT]) != 0)
			continue;
		if (!is_reachable(r))
			return broken(t,
				      "reason '%s' comes of what else happens at a device, which a "
				      "table does not know",
				      t->field[KEY_EXPECT]);
		*ret = r;
		return CLI_OK;
	}
	return broken(t, "unknown reason '%s'", t->field[KEY_EXPECT]);
}

static void report(struct test *t, const struct cli_verdict *v)
{
	const char *expected = t->field[KEY_EXPECT], *grant = t->field[KEY_GRANT];
	const char *reason = fwa_reason_name(v->decision.reason);
	struct json_object *o;
	char why[512], text[1024];

	t->failed++;
	cli_verdict_why(v, why, sizeof(why));
	snprintf(text, sizeof(text), "expected %s%s%s, decided %s: %s", expected,
		 grant ? " by grant " : "", grant ? grant : "", reason, why);
	cli_one_line(text);
	if (!t->cli->json) {
		printf("%s:%u: %s\n", t->path, t->line, text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "line", json_object_new_int64(t->line));
	json_object_object_add(o, "expected", cli_json_text(expected));
	json_object_object_add(o, "reason", cli_json_text(reason));
	json_object_object_add(o, "grant", cli_json_text(v->grant));
	json_object_object_add(o, "message", cli_json_text(text));
	json_object_array_add(t->failures, o);
}

/* When the row is decided: now, or as far from it as time= is, by both clocks. */
static int read_moment(const struct test *t, struct fwa_moment *m)
{
	uint64_t time, now;

	fwa_moment_now(m);
	if (!t->field[KEY_TIME])
		return CLI_OK;
	if (!fwa_time_parse(t->field[KEY_TIME], &time))
		return broken(t, "'%s' is not a time in UTC such as 2026-12-31T18:00:00Z",
			      t->field[KEY_TIME]);
	now = m->wall;
	m->wall = time;
	m->wall_ns = 0;
	if (time >= now && !__builtin_mul_overflow(time - now, FWA_NS_PER_S, &time) &&
	    !__builtin_add_overflow(m->boot, time, &m->boot))
		return CLI_OK;
	/* before now, and probably before this boot: by the wall clock alone */
	m->boot = FWA_NS_PER_S;
	m->boot_id[0] = '\0';
	return CLI_OK;
}

static int run_row(struct test *t)
{
	cli_auto_command struct cli_command c = { 0 };
	fwa_auto_free gid_t *own = NULL;
	gid_t groups[GROUPS_MAX];
	struct fwa_principal who;
	struct fwa_moment moment;
	struct cli_verdict v;
	unsigned int reason = 0;
	int r = find_reason(t, &reason);

	if (r == CLI_OK)
		r = read_moment(t, &moment);
	if (r == CLI_OK)
		r = open_profile(t);
	if (r == CLI_OK)
		r = read_principal(t, &who, &own, groups);
	if (r == CLI_OK)
		r = read_command(t, &c);
	if (r != CLI_OK)
		return r;
	/* The name is the row's, whatever the profile was read from; so are the rights. */
	snprintf(t->subject.name, sizeof(t->subject.name), "%s", t->field[KEY_DEVICE]);
	t->subject.spec[0] = '\0';
	r = cli_subject_fold(t->cli, &t->subject, t->files, &who, &moment);
	if (r != CLI_OK)
		return r;
	v = cli_verdict_of(&t->subject, &c.cmd, NULL);
	t->rows++;
	if (v.decision.reason != reason ||
	    (t->field[KEY_GRANT] && (!v.grant || strcmp(v.grant, t->field[KEY_GRANT]) != 0)))
		report(t, &v);
	return CLI_OK;
}

/* --- the file --------------------------------------------------------------------------------- */

static int run_rows(struct test *t, char *text)
{
	char *line;
	int r = CLI_OK;

	t->cli->where = t->where;
	while (r == CLI_OK && (line = strsep(&text, "\n"))) {
		t->line++;
		snprintf(t->where, sizeof(t->where), "%.512s:%u", t->path, t->line);
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			continue;
		r = split_row(t, line);
		if (r == CLI_OK)
			r = run_row(t);
	}
	t->cli->where = NULL;
	return r;
}

static void print_summary(const struct test *t)
{
	struct json_object *o;

	if (!t->cli->json) {
		printf("%s: %u row%s, %u failed, policy %.12s\n", t->path, t->rows,
		       t->rows == 1 ? "" : "s", t->failed, fwa_policy_files_digest(t->files));
		return;
	}
	o = cli_json_begin(t->cli);
	json_object_object_add(o, "file", cli_json_text(t->path));
	json_object_object_add(o, "policy_digest",
			       cli_json_text(fwa_policy_files_digest(t->files)));
	json_object_object_add(o, "rows", json_object_new_int64(t->rows));
	json_object_object_add(o, "failed", json_object_new_int64(t->failed));
	json_object_object_add(o, "failures", json_object_get(t->failures));
	cli_json_end(o);
}

int cli_cmd_policy_test(struct cli *cli)
{
	struct test t = { .cli = cli, .path = cli->word[0], .subject = CLI_SUBJECT_NONE };
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_free uint8_t *text = NULL;
	char error[FWA_ERROR_LEN];
	size_t len;
	int r = fwa_read_file(t.path, FILE_MAX, &text, &len);

	if (r < 0)
		return cli_fail_file(cli, t.path, r);
	if (strlen((char *)text) != len)
		return cli_fail(cli, CLI_FAILED, "%s: not a text", t.path);
	if (cli_policy_load(cli, &files, error) < 0)
		return cli_fail(cli, CLI_FAILED, "%s", error);
	t.files = files;
	t.failures = json_object_new_array();
	r = run_rows(&t, (char *)text);
	if (r == CLI_OK)
		print_summary(&t);
	json_object_put(t.failures);
	cli_subject_close(&t.subject);
	free(t.profile);
	if (r != CLI_OK)
		return r == CLI_NOT_FOUND ? r : CLI_FAILED;
	return t.failed ? CLI_VIOLATION : CLI_OK;
}
