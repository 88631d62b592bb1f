/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit policy check, fwadmit policy show: the operator's files, as the gate reads them.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/policy.h"
#include "cli/table.h"
#include "cli/text.h"

/* --- check ---------------------------------------------------------------------------------- */

struct check {
	const struct cli *cli;
	struct json_object *messages;
	unsigned int errors;
	unsigned int warnings;
};

static void take_message(const struct fwa_policy_message *m, void *userdata)
{
	struct check *c = userdata;
	const char *severity = m->error ? "error" : "warning";
	struct json_object *o;
	char text[1024];

	c->errors += m->error;
	c->warnings += !m->error;
	if (!c->cli->json) {
		if (m->line)
			snprintf(text, sizeof(text), "%s:%u: %s: %s", m->file, m->line, severity,
				 m->text);
		else
			snprintf(text, sizeof(text), "%s: %s: %s", m->file, severity, m->text);
		cli_one_line(text);
		puts(text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "severity", json_object_new_string(severity));
	json_object_object_add(o, "file", cli_json_text(m->file));
	json_object_object_add(o, "line", m->line ? json_object_new_int64(m->line) : NULL);
	json_object_object_add(o, "message", cli_json_text(m->text));
	json_object_array_add(c->messages, o);
}

static void print_check_json(struct check *c, const struct fwa_policy_files *files)
{
	struct json_object *o = cli_json_begin(c->cli);

	json_object_object_add(o, "source",
			       files ? cli_json_text(fwa_policy_files_source(files)) : NULL);
	json_object_object_add(o, "policy_digest",
			       files ? cli_json_text(fwa_policy_files_digest(files)) : NULL);
	json_object_object_add(o, "grants",
			       files ? json_object_new_int64(fwa_policy_files_count(files)) : NULL);
	json_object_object_add(o, "errors", json_object_new_int64(c->errors));
	json_object_object_add(o, "warnings", json_object_new_int64(c->warnings));
	json_object_object_add(o, "messages", json_object_get(c->messages));
	cli_json_end(o);
}

static void print_check_text(const struct check *c, const struct fwa_policy_files *files)
{
	if (!files)
		printf("the policy has %u error%s; a running fwadmitd keeps the old one\n",
		       c->errors, c->errors == 1 ? "" : "s");
	else
		printf("%s: %u grant%s, policy %.12s\n", fwa_policy_files_source(files),
		       fwa_policy_files_count(files), fwa_policy_files_count(files) == 1 ? "" : "s",
		       fwa_policy_files_digest(files));
}

int cli_cmd_policy_check(struct cli *cli)
{
	const char *dir = cli->n ? cli->word[0] : cli->args.text[CLI_OPT_POLICY];
	struct check c = { .cli = cli };
	cli_auto_policy struct fwa_policy_files *files = NULL;
	int r;

	if (dir && access(dir, F_OK) < 0)
		return cli_fail(cli, errno == ENOENT ? CLI_NOT_FOUND : CLI_FAILED, "%s: %s", dir,
				strerror(errno));
	c.messages = json_object_new_array();
	r = fwa_policy_files_load(dir, NULL, take_message, &c, &files);
	if (r < 0 && !c.errors) {
		json_object_put(c.messages);
		return cli_fail(cli, CLI_FAILED, "%s: %s", dir ? dir : "policy", strerror(-r));
	}
	if (cli->json)
		print_check_json(&c, files);
	else
		print_check_text(&c, files);
	json_object_put(c.messages);
	return c.errors ? CLI_VIOLATION : CLI_OK;
}

/* --- show ----------------------------------------------------------------------------------- */

static const char *const who_kinds[] = {
	[FWA_WHO_ANY] = "anybody", [FWA_WHO_OWNER] = "owner",     [FWA_WHO_UID] = "user",
	[FWA_WHO_GID] = "group",   [FWA_WHO_UID_RANGE] = "users", [FWA_WHO_UNIT] = "unit"
};

/* The name of the user or group @e; its number when it has none, NULL when it is neither. */
static const char *who_name(const struct fwa_grantee *e, char number[32])
{
	const struct passwd *pw = e->who == FWA_WHO_UID ? getpwuid(e->id) : NULL;
	const struct group *gr = e->who == FWA_WHO_GID ? getgrgid(e->id) : NULL;

	if (e->who == FWA_WHO_ANY || e->who == FWA_WHO_OWNER)
		return NULL;
	if (e->who == FWA_WHO_UID_RANGE)
		snprintf(number, 32, "%u-%u", e->id, e->last);
	else
		snprintf(number, 32, "%u", e->id);
	return pw ? pw->pw_name : gr ? gr->gr_name : number;
}

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

static struct json_object *json_grant(const struct fwa_policy *policy, const struct fwa_grantee *e)
{
	struct json_object *o = json_object_new_object();
	struct fwa_grant g;
	char number[32];

	fwa_policy_grant(policy, e->grant, &g);
	json_object_object_add(o, "name", cli_json_text(g.name));
	json_object_object_add(o, "for", cli_json_text(who_kinds[e->who]));
	json_object_object_add(o, "who", cli_json_text(who_name(e, number)));
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(g.scope)));
	json_object_object_add(o, "effects", cli_json_effects(g.effects));
	json_object_object_add(o, "commands", json_commands(fwa_policy_filter(policy, &g)));
	json_object_object_add(o, "conditions", json_conditions(policy, &g));
	json_object_object_add(o, "ticket", cli_json_text(fwa_policy_text(policy, g.ticket)));
	return o;
}

static void print_grants_json(const struct cli *cli, const struct fwa_policy_files *files,
			      const struct fwa_policy *policy)
{
	struct json_object *o = cli_json_begin(cli), *a = json_object_new_array();
	struct fwa_grantee e;

	for (uint32_t i = 0; fwa_policy_grantee(policy, i, &e); i++)
		json_object_array_add(a, json_grant(policy, &e));
	json_object_object_add(o, "device", cli_json_text(cli->word[0]));
	json_object_object_add(o, "source", cli_json_text(fwa_policy_files_source(files)));
	json_object_object_add(o, "policy_digest", cli_json_text(fwa_policy_files_digest(files)));
	json_object_object_add(o, "grants", a);
	cli_json_end(o);
}

/* What a grant demands besides scope and effects: commands, the device's identity, a ticket. */
static void print_limits(const struct fwa_policy *policy, uint32_t i)
{
	char text[CLI_FILTER_ITEM_TEXT];
	struct fwa_pattern pattern;
	struct fwa_grant g;
	size_t at = 0;

	fwa_policy_grant(policy, i, &g);
	if (!g.n_terms && !g.n_patterns && !g.ticket)
		return;
	printf("\n%s\n", g.name);
	while ((at = cli_filter_item(fwa_policy_filter(policy, &g), at, text)))
		printf("  %-9s %s\n", "commands", text);
	for (uint32_t k = 0; k < g.n_patterns; k++) {
		fwa_policy_pattern(policy, g.first_pattern + k, &pattern);
		snprintf(text, sizeof(text), "%s", fwa_policy_text(policy, pattern.text));
		cli_one_line(text);
		printf("  %-9s %s\n", fwa_condition_name(pattern.condition), text);
	}
	if (g.ticket) {
		snprintf(text, sizeof(text), "%s", fwa_policy_text(policy, g.ticket));
		cli_one_line(text);
		printf("  %-9s %s\n", "ticket", text);
	}
}

static void print_grants_text(const struct cli *cli, const struct fwa_policy_files *files,
			      const struct fwa_policy *policy)
{
	static const char *const heads[] = { "GRANT", "FOR", "SCOPE", "EFFECTS" };
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	char number[32], who[64], effects[CLI_EFFECTS_TEXT];
	struct fwa_grantee e;
	struct fwa_grant g;

	for (uint32_t i = 0; fwa_policy_grantee(policy, i, &e); i++) {
		const char *name = who_name(&e, number);
		const char *cells[] = { g.name, who, NULL, effects };

		fwa_policy_grant(policy, e.grant, &g);
		cells[2] = fwa_scope_name(g.scope);
		cells[3] = cli_effects_text(g.effects, 0, " ", effects);
		snprintf(who, sizeof(who), "%s%s%.40s", who_kinds[e.who], name ? " " : "",
			 name ? name : "");
		cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
	}
	printf("%s, by %s, policy %.12s\n\n", cli->word[0], fwa_policy_files_source(files),
	       fwa_policy_files_digest(files));
	cli_table_print(t);
	for (uint32_t i = 0; i < policy->n.grants; i++)
		print_limits(policy, i);
}

int cli_cmd_policy_show(struct cli *cli)
{
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_free uint8_t *encoded = NULL;
	struct fwa_policy policy;
	char error[256];
	size_t len;

	if (cli_policy_load(cli, &files, error) < 0)
		return cli_fail(cli, CLI_FAILED, "%s", error);
	if (fwa_policy_files_encode(files, cli->word[0], NULL, &encoded, &len) < 0 ||
	    fwa_policy_parse(&policy, fwa_span(encoded, len)) < 0)
		return cli_fail(cli, CLI_FAILED, "%s: cannot compile the policy", cli->word[0]);
	if (!policy.n.grantees)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: no grant is for this device",
				cli->word[0]);
	if (cli->json)
		print_grants_json(cli, files, &policy);
	else
		print_grants_text(cli, files, &policy);
	return CLI_OK;
}
