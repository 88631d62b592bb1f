/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a subject holds, whichever way it was opened; device.c and offline.c open it.
 */
#include "cli/subject.h"

#include <errno.h>
#include <grp.h>
#include <json-c/json_object.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/policy.h"

void cli_hex(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}

ssize_t cli_unhex(const char *text, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	while (*text) {
		int hi, lo;

		if (strchr(" :\t\n", *text)) {
			text++;
			continue;
		}
		hi = fwa_hex_digit(text[0]);
		lo = hi < 0 ? -1 : fwa_hex_digit(text[1]);
		if (lo < 0 || n == cap)
			return -1;
		buf[n++] = (uint8_t)(hi << 4 | lo);
		text += 2;
	}
	return (ssize_t)n;
}

void cli_sha256(struct fwa_span data, char text[CLI_SHA256_TEXT])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	/* A digest that cannot be made is a broken installation: there is nothing to go on with. */
	if (!EVP_Digest(data.data, data.len, md, &len, EVP_sha256(), NULL) || len != 32)
		abort();
	cli_hex(md, len, text);
}

bool cli_subject_set_profile(struct cli_subject *s, uint8_t *encoded, size_t len)
{
	s->encoded = encoded;
	s->encoded_len = len;
	s->profile = calloc(1, sizeof(*s->profile));
	if (!s->profile || fwa_profile_parse(s->profile, fwa_span(encoded, len)) < 0)
		return false;
	cli_sha256(fwa_span(encoded, len), s->digest);
	return true;
}

void cli_subject_close(struct cli_subject *s)
{
	cli_worker_close(s);
	free(s->profile);
	free(s->encoded);
	*s = CLI_SUBJECT_NONE;
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

/* Fills @who for @user. The groups are fresh memory. False when there is no such user. */
static bool principal_of(const char *user, const struct cli_subject *s, struct fwa_principal *who,
			 gid_t **ret_groups)
{
	uint64_t uid;
	const struct passwd *pw;
	gid_t *groups;
	int n = 0;

	pw = cli_parse_number(user, UINT32_MAX - 1, &uid) ? getpwuid((uid_t)uid) : getpwnam(user);
	if (!pw)
		return false;
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
		.owner = pw->pw_uid == (s->embedded ? getuid() : 0),
	};
	*ret_groups = groups;
	return true;
}

/* Folds the encoded policy for @who into the subject's rights, with the names of the grants. */
static bool fold(struct cli_subject *s, struct fwa_span encoded, const struct fwa_principal *who)
{
	struct fwa_policy policy;
	struct fwa_grant grant;

	if (fwa_policy_parse(&policy, encoded) < 0)
		return false;
	fwa_policy_fold(&policy, who, &s->rights);
	for (uint32_t i = 0; i < s->rights.n; i++) {
		s->grant_names[i][0] = '\0';
		if (fwa_policy_grant(&policy, s->rights.right[i].grant, &grant))
			memcpy(s->grant_names[i], grant.name, sizeof(grant.name));
	}
	cli_hex(policy.digest, 32, s->policy_digest);
	s->now = fwa_clock_ns(CLOCK_BOOTTIME);
	return true;
}

int cli_subject_judge_as(const struct cli *cli, struct cli_subject *s, const char *user)
{
	cli_auto_policy struct fwa_policy_files *files = NULL;
	fwa_auto_free uint8_t *encoded = NULL;
	fwa_auto_free gid_t *groups = NULL;
	struct fwa_principal who = { .owner = true };
	char error[256], gates_digest[CLI_SHA256_TEXT];
	size_t len;
	int r;

	if (user && !principal_of(user, s, &who, &groups))
		return cli_fail(cli, CLI_NOT_FOUND, "--as=%.64s: no such user", user);
	r = cli_policy_load(cli, &files, error);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "%s", error);
	r = fwa_policy_files_encode(files, s->name, *s->spec ? s->spec : NULL, &encoded, &len);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "policy: %s", strerror(-r));
	memcpy(gates_digest, s->policy_digest, sizeof(gates_digest));
	if (!fold(s, fwa_span(encoded, len), &who))
		return cli_fail(cli, CLI_FAILED, "policy: the compiled policy is broken");
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
