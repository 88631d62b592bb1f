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
	r = fwa_policy_files_load(dir, take_message, &c, &files);
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

static const char *const who_kinds[] = { [FWA_WHO_ANY] = "anybody",
					 [FWA_WHO_OWNER] = "owner",
					 [FWA_WHO_UID] = "user",
					 [FWA_WHO_GID] = "group" };

/* The name of the user or group of @g; its number when it has none, NULL when it is for neither. */
static const char *who_name(const struct fwa_grant *g, char number[16])
{
	const struct passwd *pw = g->who == FWA_WHO_UID ? getpwuid(g->id) : NULL;
	const struct group *gr = g->who == FWA_WHO_GID ? getgrgid(g->id) : NULL;

	if (g->who != FWA_WHO_UID && g->who != FWA_WHO_GID)
		return NULL;
	snprintf(number, 16, "%u", g->id);
	return pw ? pw->pw_name : gr ? gr->gr_name : number;
}

static struct json_object *json_grant(const struct fwa_grant *g)
{
	struct json_object *o = json_object_new_object();
	char number[16];

	json_object_object_add(o, "name", cli_json_text(g->name));
	json_object_object_add(o, "for", cli_json_text(who_kinds[g->who]));
	json_object_object_add(o, "who", cli_json_text(who_name(g, number)));
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(g->scope)));
	json_object_object_add(o, "effects", cli_json_effects(g->effects));
	return o;
}

static void print_grants_json(const struct cli *cli, const struct fwa_policy_files *files,
			      const struct fwa_policy *policy)
{
	struct json_object *o = cli_json_begin(cli), *a = json_object_new_array();
	struct fwa_grant g;

	for (uint32_t i = 0; fwa_policy_grant(policy, i, &g); i++)
		json_object_array_add(a, json_grant(&g));
	json_object_object_add(o, "device", cli_json_text(cli->word[0]));
	json_object_object_add(o, "source", cli_json_text(fwa_policy_files_source(files)));
	json_object_object_add(o, "policy_digest", cli_json_text(fwa_policy_files_digest(files)));
	json_object_object_add(o, "grants", a);
	cli_json_end(o);
}

static void print_grants_text(const struct cli *cli, const struct fwa_policy_files *files,
			      const struct fwa_policy *policy)
{
	static const char *const heads[] = { "GRANT", "FOR", "SCOPE", "EFFECTS" };
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	char number[16], who[64], effects[CLI_EFFECTS_TEXT];
	struct fwa_grant g;

	for (uint32_t i = 0; fwa_policy_grant(policy, i, &g); i++) {
		const char *name = who_name(&g, number);
		const char *cells[] = { g.name, who, fwa_scope_name(g.scope),
					cli_effects_text(g.effects, 0, " ", effects) };

		snprintf(who, sizeof(who), "%s%s%.40s", who_kinds[g.who], name ? " " : "",
			 name ? name : "");
		cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
	}
	printf("%s, by %s, policy %.12s\n\n", cli->word[0], fwa_policy_files_source(files),
	       fwa_policy_files_digest(files));
	cli_table_print(t);
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
	if (!policy.count)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: no grant is for this device",
				cli->word[0]);
	if (cli->json)
		print_grants_json(cli, files, &policy);
	else
		print_grants_text(cli, files, &policy);
	return CLI_OK;
}
