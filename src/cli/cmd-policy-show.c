/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit policy show: the grants that are compiled for a device; with --as and --unit those of them
 * that are for one caller.
 */
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
#include "base/util.h"
#include "cli/duration.h"
#include "cli/json.h"
#include "cli/policy.h"
#include "cli/subject.h"
#include "cli/table.h"
#include "cli/text.h"

#define NOBODY UINT32_MAX /* (uid_t)-1 is no user, so no grant is for it */

/* What is shown, and for whom. */
struct show {
	struct cli *cli;
	const struct fwa_policy_files *files;
	struct fwa_policy policy;
	struct fwa_moment now;
	const char *user, *unit; /* --as, --unit; NULL: not given */
	struct fwa_principal who;
};

/* --- for whom --------------------------------------------------------------------------------- */

static bool in_groups(const struct fwa_principal *who, uint32_t gid)
{
	for (uint32_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] == gid)
			return true;
	return gid == who->gid;
}

static bool is_for(const struct show *s, const struct fwa_grantee *e)
{
	const struct fwa_principal *who = &s->who;

	if (!s->user && !s->unit)
		return true;
	switch (e->who) {
	case FWA_WHO_ANY:
		return true;
	case FWA_WHO_OWNER:
		return who->owner;
	case FWA_WHO_UID:
		return e->id == who->uid;
	case FWA_WHO_UID_RANGE:
		return e->id <= who->uid && who->uid <= e->last;
	case FWA_WHO_GID:
		return in_groups(who, e->id);
	case FWA_WHO_UNIT:
		return s->unit && fwa_pattern_matches(fwa_policy_text(&s->policy, e->id), s->unit);
	default:
		return false;
	}
}

/* The next grantee from *at on that is shown. */
static bool next_grantee(const struct show *s, uint32_t *at, struct fwa_grantee *ret)
{
	while (fwa_policy_grantee(&s->policy, *at, ret)) {
		(*at)++;
		if (is_for(s, ret))
			return true;
	}
	return false;
}

static int read_principal(struct show *s, gid_t **ret_groups)
{
	s->user = s->cli->args.text[CLI_OPT_AS];
	s->unit = s->cli->args.text[CLI_OPT_UNIT];
	s->who = (struct fwa_principal){ .uid = NOBODY, .gid = NOBODY };
	if (s->user && !cli_principal(s->user, &s->who, ret_groups))
		return cli_fail(s->cli, CLI_NOT_FOUND, "--as=%.64s: no such user", s->user);
	s->who.owner = s->user && s->who.uid == 0; /* the daemon starts the workers */
	return CLI_OK;
}

static const char *const who_kinds[] = {
	[FWA_WHO_ANY] = "anybody", [FWA_WHO_OWNER] = "owner",     [FWA_WHO_UID] = "user",
	[FWA_WHO_GID] = "group",   [FWA_WHO_UID_RANGE] = "users", [FWA_WHO_UNIT] = "unit"
};

/* The name of the user or group @e, its number when it has none; the unit's pattern; else NULL. */
static const char *who_name(const struct show *s, const struct fwa_grantee *e, char number[32])
{
	const struct passwd *pw = e->who == FWA_WHO_UID ? getpwuid(e->id) : NULL;
	const struct group *gr = e->who == FWA_WHO_GID ? getgrgid(e->id) : NULL;

	if (e->who == FWA_WHO_ANY || e->who == FWA_WHO_OWNER)
		return NULL;
	if (e->who == FWA_WHO_UNIT)
		return fwa_policy_text(&s->policy, e->id);
	if (e->who == FWA_WHO_UID_RANGE)
		snprintf(number, 32, "%u-%u", e->id, e->last);
	else
		snprintf(number, 32, "%u", e->id);
	return pw ? pw->pw_name : gr ? gr->gr_name : number;
}

/* --- how long --------------------------------------------------------------------------------- */

/* How long @g still lasts, ns; 0: it is over. */
static uint64_t left(const struct show *s, const struct fwa_grant *g)
{
	return g->until > s->now.boot ? g->until - s->now.boot : 0;
}

static bool ends(const struct fwa_grant *g)
{
	return g->until && g->until != UINT64_MAX;
}

/* When the wall clock will show that it is over, if nobody sets it. */
static const char *until_text(const struct show *s, const struct fwa_grant *g,
			      char text[FWA_TIME_TEXT])
{
	fwa_time_text(s->now.wall + (left(s, g) + s->now.wall_ns + FWA_NS_PER_S / 2) / FWA_NS_PER_S,
		      text);
	return text;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static struct json_object *json_commands(struct fwa_span filter)
{
	struct json_object *a = json_object_new_array();
	char text[CLI_FILTER_ITEM_TEXT];
	size_t at = 0;

	while ((at = cli_filter_item(filter, at, text)))
		json_object_array_add(a, json_object_new_string(text));
	return a;
}

/* {"vendor":["Acme*"]} */
static struct json_object *json_conditions(const struct fwa_policy *policy,
					   const struct fwa_grant *g)
{
	struct json_object *o = json_object_new_object(), *a;
	struct fwa_pattern pattern;

	for (uint32_t i = 0; i < g->n_patterns; i++) {
		const char *name;

		fwa_policy_pattern(policy, g->first_pattern + i, &pattern);
		name = fwa_condition_name(pattern.condition);
		if (!json_object_object_get_ex(o, name, &a)) {
			a = json_object_new_array();
			json_object_object_add(o, name, a);
		}
		json_object_array_add(a, cli_json_text(fwa_policy_text(policy, pattern.text)));
	}
	return o;
}

static struct json_object *json_limit(uint64_t limit)
{
	return limit ? json_object_new_int64((int64_t)limit) : NULL;
}

static void add_limits(const struct show *s, const struct fwa_grant *g, struct json_object *o)
{
	char until[FWA_TIME_TEXT];

	json_object_object_add(
		o, "until", ends(g) && left(s, g) ? cli_json_text(until_text(s, g, until)) : NULL);
	json_object_object_add(o, "seconds_left",
			       ends(g) ? json_object_new_int64((int64_t)(left(s, g) / FWA_NS_PER_S))
				       : NULL);
	json_object_object_add(o, "commands_per_second", json_limit(g->commands));
	json_object_object_add(o, "bytes_per_second", json_limit(g->bytes));
	json_object_object_add(o, "max_sessions", json_limit(g->sessions));
}

/* As the key "record" has it. */
static const char *recorded(const struct fwa_grant *g)
{
	return g->record_payload ? "payload" : "digest";
}

static struct json_object *json_grant(const struct show *s, const struct fwa_grantee *e)
{
	struct json_object *o = json_object_new_object();
	const struct fwa_policy *policy = &s->policy;
	struct fwa_grant g;
	char number[32];

	fwa_policy_grant(policy, e->grant, &g);
	json_object_object_add(o, "name", cli_json_text(g.name));
	json_object_object_add(o, "for", cli_json_text(who_kinds[e->who]));
	json_object_object_add(o, "who", cli_json_text(who_name(s, e, number)));
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(g.scope)));
	json_object_object_add(o, "effects", cli_json_effects(g.effects));
	json_object_object_add(o, "commands", json_commands(fwa_policy_filter(policy, &g)));
	json_object_object_add(o, "conditions", json_conditions(policy, &g));
	json_object_object_add(o, "ticket", cli_json_text(fwa_policy_text(policy, g.ticket)));
	add_limits(s, &g, o);
	json_object_object_add(o, "record", cli_json_text(recorded(&g)));
	return o;
}

static void print_json(const struct show *s)
{
	struct json_object *o = cli_json_begin(s->cli), *a = json_object_new_array();
	struct fwa_grantee e;
	uint32_t at = 0;

	while (next_grantee(s, &at, &e))
		json_object_array_add(a, json_grant(s, &e));
	json_object_object_add(o, "device", cli_json_text(s->cli->word[0]));
	json_object_object_add(o, "user", cli_json_text(s->user));
	json_object_object_add(o, "unit", cli_json_text(s->unit));
	json_object_object_add(o, "source", cli_json_text(fwa_policy_files_source(s->files)));
	json_object_object_add(o, "policy_digest",
			       cli_json_text(fwa_policy_files_digest(s->files)));
	json_object_object_add(o, "grants", a);
	cli_json_end(o);
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_line(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Of what an operator wrote, or a file of theirs: nothing that a terminal would obey. */
static void print_line(const char *name, const char *format, ...)
{
	char text[CLI_FILTER_ITEM_TEXT];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	cli_one_line(text);
	printf("  %-9s %s\n", name, text);
}

static void print_end(const struct show *s, const struct fwa_grant *g)
{
	char until[FWA_TIME_TEXT], duration[CLI_DURATION_TEXT];

	if (left(s, g))
		print_line("until", "%s, for another %s", until_text(s, g, until),
			   cli_duration_text((int64_t)(left(s, g) / FWA_NS_PER_S), duration));
	else
		print_line("until", "it has ended: it gives nothing");
}

static void print_limits(const struct fwa_grant *g)
{
	if (g->commands)
		print_line("rate", "%u command%s a second", g->commands,
			   g->commands == 1 ? "" : "s");
	if (g->bytes)
		print_line("rate", "%llu byte%s a second", (unsigned long long)g->bytes,
			   g->bytes == 1 ? "" : "s");
	if (g->sessions)
		print_line("sessions", "%u of a user at a time", g->sessions);
}

/* What a grant demands besides scope and effects: commands, the device's identity; and its limits. */
static void print_more(const struct show *s, uint32_t i)
{
	char text[CLI_FILTER_ITEM_TEXT];
	struct fwa_pattern pattern;
	struct fwa_grant g;
	size_t at = 0;

	fwa_policy_grant(&s->policy, i, &g);
	if (!g.n_terms && !g.n_patterns && !g.ticket && !ends(&g) && !g.commands && !g.bytes &&
	    !g.sessions && !g.record_payload)
		return;
	printf("\n%s\n", g.name);
	while ((at = cli_filter_item(fwa_policy_filter(&s->policy, &g), at, text)))
		print_line("commands", "%s", text);
	for (uint32_t k = 0; k < g.n_patterns; k++) {
		fwa_policy_pattern(&s->policy, g.first_pattern + k, &pattern);
		print_line(fwa_condition_name(pattern.condition), "%s",
			   fwa_policy_text(&s->policy, pattern.text));
	}
	if (ends(&g))
		print_end(s, &g);
	print_limits(&g);
	if (g.record_payload)
		print_line("record", "%s", recorded(&g));
	if (g.ticket)
		print_line("ticket", "%s", fwa_policy_text(&s->policy, g.ticket));
}

static void add_row(const struct show *s, const struct fwa_grantee *e, struct libscols_table *t)
{
	char number[32], who[64], effects[CLI_EFFECTS_TEXT];
	const char *name = who_name(s, e, number);
	struct fwa_grant g;

	fwa_policy_grant(&s->policy, e->grant, &g);
	snprintf(who, sizeof(who), "%s%s%.40s", who_kinds[e->who], name ? " " : "",
		 name ? name : "");
	cli_table_add(t,
		      (const char *[]){ g.name, who, fwa_scope_name(g.scope),
					cli_effects_text(g.effects, 0, " ", effects) },
		      4, 0, NULL);
}

static void print_text(const struct show *s)
{
	static const char *const heads[] = { "GRANT", "FOR", "SCOPE", "EFFECTS" };
	struct libscols_table *t = cli_table_new(s->cli, heads, FWA_ARRAY_SIZE(heads));
	fwa_auto_free bool *shown = calloc(s->policy.n.grants + 1, sizeof(*shown));
	struct fwa_grantee e;
	uint32_t at = 0;

	while (next_grantee(s, &at, &e)) {
		add_row(s, &e, t);
		if (shown && e.grant < s->policy.n.grants)
			shown[e.grant] = true;
	}
	printf("%s, by %s, policy %.12s\n\n", s->cli->word[0], fwa_policy_files_source(s->files),
	       fwa_policy_files_digest(s->files));
	cli_table_print(t);
	for (uint32_t i = 0; shown && i < s->policy.n.grants; i++)
		if (shown[i])
			print_more(s, i);
}

int cli_cmd_policy_show(struct cli *cli)
{
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_free uint8_t *encoded = NULL;
	fwa_auto_free gid_t *groups = NULL;
	struct show s = { .cli = cli };
	struct fwa_grantee e;
	char error[FWA_ERROR_LEN];
	uint32_t at = 0;
	size_t len;
	int r;

	r = read_principal(&s, &groups);
	if (r != CLI_OK)
		return r;
	if (cli_policy_load(cli, &files, error) < 0)
		return cli_fail(cli, CLI_FAILED, "%s", error);
	s.files = files;
	fwa_moment_now(&s.now);
	if (fwa_policy_files_encode_at(files, cli->word[0], NULL, &s.now, &encoded, &len) < 0 ||
	    fwa_policy_parse(&s.policy, fwa_span(encoded, len)) < 0)
		return cli_fail(cli, CLI_FAILED, "%s: cannot compile the policy", cli->word[0]);
	if (!next_grantee(&s, &at, &e))
		return cli_fail(cli, CLI_NOT_FOUND, "%s: no grant is for %s", cli->word[0],
				s.user || s.unit ? "this caller on this device" : "this device");
	if (cli->json)
		print_json(&s);
	else
		print_text(&s);
	return CLI_OK;
}
