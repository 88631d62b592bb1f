/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a subject holds, whichever way it was opened; device.c and offline.c open it.
 */
#include "cli/subject.h"

#include <errno.h>
#include <grp.h>
#include <json-c/json_object.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"
#include "base/pattern.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/policy.h"

ssize_t cli_unhex(const char *text, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	while (*text) {
		if (strchr(" :\t\n", *text)) {
			text++;
			continue;
		}
		if (n == cap || !fwa_hex_byte(text, &buf[n++]))
			return -1;
		text += 2;
	}
	return (ssize_t)n;
}

bool cli_subject_set_profile(struct cli_subject *s, uint8_t *encoded, size_t len)
{
	s->encoded = encoded;
	s->encoded_len = len;
	s->profile = calloc(1, sizeof(*s->profile));
	if (!s->profile || fwa_profile_parse(s->profile, fwa_span(encoded, len)) < 0)
		return false;
	fwa_sha256_text(fwa_span(encoded, len), s->digest);
	return true;
}

void cli_subject_close(struct cli_subject *s)
{
	cli_worker_close(s);
	cli_advised_free(&s->advised);
	free(s->filters);
	free(s->baseline);
	free(s->accepted);
	free(s->profile);
	free(s->encoded);
	*s = CLI_SUBJECT_NONE;
}

bool cli_subject_set_rights(struct cli_subject *s, const struct fwa_rights *rights)
{
	uint8_t *at;
	size_t len = 1;

	for (uint32_t i = 0; i < rights->n; i++)
		len += rights->right[i].filter.len;
	at = malloc(len);
	if (!at)
		return false;
	free(s->filters);
	s->filters = at;
	s->rights = *rights;
	for (uint32_t i = 0; i < rights->n; i++) {
		struct fwa_span *filter = &s->rights.right[i].filter;

		if (filter->len)
			memcpy(at, filter->data, filter->len);
		filter->data = at;
		at += filter->len;
	}
	return true;
}

/* --- what it is held to --------------------------------------------------------------------- */

static void hold(struct cli_subject *s, bool binds)
{
	bool drifts = s->baseline_state == FWA_BASELINE_DIFFERS ||
		      s->baseline_state == FWA_BASELINE_MISSING;

	s->drift.baseline = s->baseline;
	s->contract.drift = binds && drifts ? &s->drift : NULL;
}

int cli_subject_set_baseline(struct cli_subject *s, const struct fwa_description *d)
{
	size_t len = d->accepted.len;

	if (d->baseline >= FWA_BASELINE_COUNT ||
	    (d->baseline == FWA_BASELINE_DIFFERS) != (len != 0))
		return -EPROTO;
	s->baseline_state = (enum fwa_baseline_state)d->baseline;
	if (len) {
		s->accepted = malloc(len);
		s->baseline = malloc(sizeof(*s->baseline));
		if (!s->accepted || !s->baseline)
			return -ENOMEM;
		memcpy(s->accepted, d->accepted.data, len);
		if (fwa_profile_parse(s->baseline, fwa_span(s->accepted, len)) < 0)
			return -EPROTO;
	}
	hold(s, d->drift_binds);
	return 0;
}

/*= spec/SECURITY-MODEL.md#C23 */
void cli_subject_bind(struct cli_subject *s, uint32_t uid)
{
	hold(s, uid != 0);
}

int cli_subject_open(const struct cli *cli, struct cli_subject *s, int *ret_words)
{
	bool from = cli_given(&cli->args, CLI_OPT_FROM);
	int r;

	if (!from && cli_given(&cli->args, CLI_OPT_KIND))
		return cli_fail(cli, CLI_USAGE, "--kind is for --from=FILE");
	if (!from && cli->n < cli->verb->max_args)
		return cli_fail(cli, CLI_USAGE,
				"usage: fwadmit %s %s; in place of DEVICE: --from=FILE",
				cli->verb->name, cli->verb->synopsis);
	if (from && cli->n == cli->verb->max_args)
		return cli_fail(cli, CLI_USAGE, "%.64s: give a device or --from, not both",
				cli->word[0]);
	r = from ? cli_subject_open_file(cli, s) : cli_subject_open_device(cli, cli->word[0], s);
	if (r == CLI_OK)
		*ret_words = from ? 0 : 1;
	return r;
}

/* --- judging as somebody else --------------------------------------------------------------- */

bool cli_principal(const char *user, struct fwa_principal *who, gid_t **ret_groups)
{
	uint64_t uid;
	const struct passwd *pw;
	gid_t *groups;
	int n = 0;
	bool number = fwa_parse_number(user, UINT32_MAX - 1, &uid);

	*ret_groups = NULL;
	pw = number ? getpwuid((uid_t)uid) : getpwnam(user);
	if (!pw && number)
		*who = (struct fwa_principal){ .uid = (uint32_t)uid, .gid = UINT32_MAX };
	if (!pw)
		return number;
	getgrouplist(pw->pw_name, pw->pw_gid, NULL, &n);
	groups = calloc((size_t)n + 1, sizeof(*groups));
	if (!groups || getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0) {
		free(groups);
		return false;
	}
	*who = (struct fwa_principal){
		.uid = pw->pw_uid,
		.gid = pw->pw_gid,
		.groups = groups,
		.n_groups = (uint32_t)n,
	};
	*ret_groups = groups;
	return true;
}

/* Keeps of @policy what the subject's rights and their explanation need. */
static bool set_rights(struct cli_subject *s, const struct fwa_policy *policy,
		       const struct fwa_principal *who, uint64_t now)
{
	struct fwa_rights rights;
	struct fwa_grant g;

	fwa_policy_fold(policy, who, s->profile, fwa_pattern_matches, &rights);
	memset(s->grant_names, 0, sizeof(s->grant_names));
	memset(s->tickets, 0, sizeof(s->tickets));
	for (uint32_t i = 0; i < rights.n; i++) {
		if (!fwa_policy_grant(policy, rights.right[i].grant, &g))
			continue;
		memcpy(s->grant_names[i], g.name, sizeof(g.name));
		strncpy(s->tickets[i], fwa_policy_text(policy, g.ticket),
			sizeof(s->tickets[i]) - 1);
	}
	fwa_hex_text(policy->digest, 32, s->policy_digest);
	s->now = now;
	return cli_subject_set_rights(s, &rights);
}

/* As the worker does: compiled for the device's name, then folded for who it says that it is. */
int cli_subject_fold(const struct cli *cli, struct cli_subject *s,
		     const struct fwa_policy_files *files, const struct fwa_principal *who,
		     const struct fwa_moment *m)
{
	fwa_auto_free uint8_t *encoded = NULL;
	struct fwa_policy policy;
	size_t len;
	int r = fwa_policy_files_encode_at(files, s->name, *s->spec ? s->spec : NULL, m, &encoded,
					   &len);

	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "policy: %s", strerror(-r));
	if (fwa_policy_parse(&policy, fwa_span(encoded, len)) < 0)
		return cli_fail(cli, CLI_FAILED, "policy: the compiled policy is broken");
	return set_rights(s, &policy, who, m->boot) ? CLI_OK
						    : cli_fail(cli, CLI_FAILED, "out of memory");
}

int cli_subject_judge_as(const struct cli *cli, struct cli_subject *s, const char *user)
{
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_free gid_t *groups = NULL;
	struct fwa_principal who = { .owner = true };
	struct fwa_moment now;
	char error[FWA_ERROR_LEN], gates_digest[FWA_DIGEST_TEXT];
	int r;

	if (user) {
		if (!cli_principal(user, &who, &groups))
			return cli_fail(cli, CLI_NOT_FOUND, "--as=%.64s: no such user", user);
		who.owner = who.uid == (s->embedded ? getuid() : 0);
	}
	cli_subject_bind(s, who.uid);
	who.unit = cli->args.text[CLI_OPT_UNIT];
	s->as_caller = false;
	r = cli_policy_load(cli, &files, error);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "%s", error);
	memcpy(gates_digest, s->policy_digest, sizeof(gates_digest));
	fwa_moment_now(&now);
	r = cli_subject_fold(cli, s, files, &who, &now);
	if (r != CLI_OK)
		return r;
	if (s->client && strcmp(gates_digest, s->policy_digest) != 0)
		cli_note(cli, "judged by %s, which is not the policy that the gate has now",
			 fwa_policy_files_source(files));
	return CLI_OK;
}

/* --- saving --------------------------------------------------------------------------------- */

static struct json_object *saved_profile(const struct cli_subject *s)
{
	const struct fwa_identity *id = &s->profile->id;
	struct json_object *o = json_object_new_object(), *p = json_object_new_object();

	json_object_object_add(p, "family", cli_json_text(fwa_family_name(s->profile->family)));
	json_object_object_add(p, "vendor", cli_json_text(id->vendor));
	json_object_object_add(p, "model", cli_json_text(id->model));
	json_object_object_add(p, "serial", cli_json_text(id->serial));
	json_object_object_add(p, "firmware", cli_json_text(id->firmware));
	json_object_object_add(p, "digest", cli_json_text(s->digest));
	json_object_object_add(p, "encoded_hex", cli_json_hex(s->encoded, s->encoded_len));
	json_object_object_add(o, "format_version", json_object_new_int(1));
	json_object_object_add(o, "profile", p);
	return o;
}

int cli_subject_save(const struct cli *cli, const struct cli_subject *s, const char *path)
{
	struct json_object *o;
	const char *text;
	int r;

	if (strcmp(path, "-") == 0)
		return cli_fail(cli, CLI_USAGE, "--save=-: standard output is taken");
	o = saved_profile(s);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	r = cli_write_output(cli, path, fwa_span(text, strlen(text)));
	json_object_put(o);
	return r;
}
