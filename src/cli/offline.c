/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declarations from a file: a raw log as a device returned it, or a saved profile. The file is as
 * little trusted as a device: bounded, and whatever it says ends as a profile or as one line.
 */
#include <errno.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* A log that lists every opcode once fits; what is longer is not a Command Effects Log. */
#define CEL_MAX (65536u * CXL_CEL_ENTRY_LEN)
#define RECORD_ROOM 128u /* the profile's magic, family, record headers and what is assumed */
#define SAVED_MAX (2 * FWA_PROFILE_MAX + 4096)

enum kind {
	KIND_CXL_CEL,
	KIND_NVME_EFFECTS,
	KIND_PROFILE
};

static const size_t size_max[] = { CEL_MAX, NVME_EFFECTS_LEN, SAVED_MAX };
static const char *const what[] = { "a Command Effects Log", "the NVMe effects log",
				    "a saved profile" };

/*
 * lint has a finding for a log that ends early. For everybody else it is a broken file: an answer
 * from half of the declarations would look like one from all of them.
 */
static int check_whole(const struct cli *cli, enum kind kind, size_t len)
{
	const char *path = cli->args.text[CLI_OPT_FROM];

	if (cli->verb->run == cli_cmd_lint)
		return CLI_OK;
	if (kind == KIND_CXL_CEL && len % CXL_CEL_ENTRY_LEN)
		return cli_fail(cli, CLI_FAILED,
				"%s: not %s, which has %u bytes an entry: %zu bytes", path,
				what[kind], CXL_CEL_ENTRY_LEN, len);
	if (kind == KIND_NVME_EFFECTS && len != NVME_EFFECTS_LEN)
		return cli_fail(cli, CLI_FAILED, "%s: not %s, which has %u bytes: %zu bytes", path,
				what[kind], NVME_EFFECTS_LEN, len);
	return CLI_OK;
}

/*
 * What a raw log does not say, so that an explanation is about effects and not about gaps in a file:
 * sizes are no obstacle, the log itself can be read, namespace 1 has blocks of 512 bytes. A command
 * is never sent to a file; devices say all of this themselves.
 */
static void assume_rest(struct fwa_writer *w, enum kind kind, size_t log_len)
{
	static const uint8_t limits[8] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t namespace[8] = { 1, 0, 0, 0, 9 };
	uint8_t log[CXL_LOGS_ENTRY_LEN];

	if (kind == KIND_NVME_EFFECTS) {
		fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES,
				fwa_span(namespace, sizeof(namespace)));
		return;
	}
	memcpy(log, CXL_UUID_CEL, sizeof(CXL_UUID_CEL));
	fwa_put_le32(log + sizeof(CXL_UUID_CEL), (uint32_t)log_len);
	fwa_profile_add(w, FWA_RECORD_CXL_LOGS, fwa_span(log, sizeof(log)));
	fwa_profile_add(w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
}

static int set_raw_log(const struct cli *cli, struct cli_subject *s, enum kind kind,
		       struct fwa_span log)
{
	size_t cap = log.len + RECORD_ROOM;
	uint8_t *encoded = malloc(cap);
	struct fwa_writer w = fwa_writer(encoded, cap);

	if (!encoded)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	fwa_profile_begin(&w, kind == KIND_CXL_CEL ? FWA_FAMILY_CXL : FWA_FAMILY_NVME);
	fwa_profile_add(&w, kind == KIND_CXL_CEL ? FWA_RECORD_CXL_CEL : FWA_RECORD_NVME_EFFECTS,
			log);
	assume_rest(&w, kind, log.len);
	if (!cli_subject_set_profile(s, encoded, w.len))
		return cli_fail(cli, CLI_FAILED, "%s: not %s", cli->args.text[CLI_OPT_FROM],
				what[kind]);
	return CLI_OK;
}

static const char *member_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

/* The bytes of a saved profile's "encoded_hex"; NULL, and *ret_error, when it is not one. */
static uint8_t *saved_bytes(struct json_object *root, size_t *ret_len, char digest[FWA_DIGEST_TEXT],
			    const char **ret_error)
{
	struct json_object *version, *p;
	const char *hex, *said;
	uint8_t *bytes;
	ssize_t n;

	*ret_error = "not a saved profile";
	if (!json_object_object_get_ex(root, "format_version", &version) ||
	    !json_object_object_get_ex(root, "profile", &p))
		return NULL;
	if (json_object_get_int64(version) != 1) {
		*ret_error = "a saved profile of another format version";
		return NULL;
	}
	hex = member_text(p, "encoded_hex");
	said = member_text(p, "digest");
	if (!hex || !said || strlen(said) != FWA_DIGEST_TEXT - 1)
		return NULL;
	bytes = malloc(strlen(hex) / 2 + 1);
	n = bytes ? cli_unhex(hex, bytes, strlen(hex) / 2) : -1;
	if (n < 0) {
		free(bytes);
		return NULL;
	}
	memcpy(digest, said, FWA_DIGEST_TEXT);
	*ret_len = (size_t)n;
	return bytes;
}

static int set_saved(const struct cli *cli, struct cli_subject *s, const char *text, size_t len)
{
	const char *path = cli->args.text[CLI_OPT_FROM], *error;
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;
	char digest[FWA_DIGEST_TEXT];
	uint8_t *bytes;
	size_t n;

	root = tokener ? json_tokener_parse_ex(tokener, text, (int)len + 1) : NULL;
	json_tokener_free(tokener);
	bytes = saved_bytes(root, &n, digest, &error);
	json_object_put(root);
	if (!bytes)
		return cli_fail(cli, CLI_FAILED, "%s: %s", path, error);
	if (!cli_subject_set_profile(s, bytes, n))
		return cli_fail(cli, CLI_FAILED, "%s: its encoded profile is damaged", path);
	if (strcmp(digest, s->digest) != 0)
		return cli_fail(cli, CLI_FAILED,
				"%s: its bytes do not have the digest that it names", path);
	s->identified = true;
	return CLI_OK;
}

int cli_subject_open_file(const struct cli *cli, struct cli_subject *s)
{
	const char *path = cli->args.text[CLI_OPT_FROM];
	enum kind kind = (enum kind)cli->args.number[CLI_OPT_KIND];
	fwa_auto_free uint8_t *data = NULL;
	size_t len;
	int r;

	if (!cli_given(&cli->args, CLI_OPT_KIND))
		return cli_fail(cli, CLI_USAGE,
				"--from needs --kind=cxl-cel, nvme-effects or profile");
	r = fwa_read_file(path, size_max[kind], &data, &len);
	if (r == -EFBIG)
		return cli_fail(cli, CLI_FAILED, "%s: too long for %s, which has at most %zu bytes",
				path, what[kind], size_max[kind]);
	if (r < 0)
		return cli_fail_file(cli, path, r);
	s->kind = cli_options[CLI_OPT_KIND].values[kind];
	s->source_len = len;
	fwa_sha256_text(fwa_span(data, len), s->source_sha256);
	if (kind == KIND_PROFILE)
		return set_saved(cli, s, (const char *)data, len);
	r = check_whole(cli, kind, len);
	return r == CLI_OK ? set_raw_log(cli, s, kind, fwa_span(data, len)) : r;
}
