/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A proof is bytes in hex; what stands beside them in words is for people and proves nothing.
 */
#include "cli/log-proof.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/log-entry.h"
#include "cli/log-time.h"
#include "cli/output.h"
#include "journal/verify.h"

#define PROOF_MAX (4u * 1024 * 1024) /* bytes of a file */
#define FORMAT "fwadmit-proof-1"

/* --- writing -------------------------------------------------------------------------------------- */

static struct json_object *level_json(const struct fwa_proof_level *l)
{
	struct json_object *o = json_object_new_object(), *children = json_object_new_array();

	json_object_object_add(o, "index", json_object_new_int(l->index));
	for (unsigned int i = 0; i < l->n && i < FWA_TREE_CHILDREN; i++)
		json_object_array_add(children,
				      i == l->index ? NULL
						    : cli_json_hex(l->children[i], FWA_HASH_LEN));
	json_object_object_add(o, "children", children);
	return o;
}

static struct json_object *proof_json(const struct fwa_proof *p)
{
	struct json_object *o = json_object_new_object(), *levels = json_object_new_array();
	struct fwa_checkpoint c = { .statement = p->statement };
	char line[FWA_CHECKPOINT_LINE];

	memcpy(c.signature, p->signature, sizeof(c.signature));
	fwa_checkpoint_line(&c, line);
	line[strcspn(line, "\n")] = '\0';
	json_object_object_add(o, "format", json_object_new_string(FORMAT));
	json_object_object_add(o, "before", cli_json_hex(p->before, FWA_HASH_LEN));
	json_object_object_add(o, "frame", cli_json_hex(p->frame, p->frame_len));
	for (uint32_t i = 0; i < p->n_levels; i++)
		json_object_array_add(levels, level_json(&p->levels[i]));
	json_object_object_add(o, "levels", levels);
	json_object_object_add(o, "checkpoint", cli_json_text(line));
	return o;
}

static int print_proof(struct cli_log *log, const struct fwa_proof *p)
{
	fwa_auto_free struct cli_entry *e = calloc(1, sizeof(*e));
	struct fwa_frame f;
	struct json_object *o;

	if (!e || fwa_frame_parse(fwa_span(p->frame, p->frame_len), &f) != 1)
		return cli_fail(log->cli, CLI_FAILED, "out of memory");
	cli_entry_read(log, &f, e);
	o = cli_entry_json(log->cli, e);
	json_object_object_add(o, "proof", proof_json(p));
	cli_json_end(o);
	return CLI_OK;
}

int cli_proof_export(struct cli_log *log, uint64_t seq)
{
	struct fwa_proof p = { 0 };
	int r = fwa_prove(log->journal, seq, &p);

	if (r == -ENOENT)
		return cli_fail(log->cli, CLI_NOT_FOUND, "there is no record %llu",
				(unsigned long long)seq);
	if (r == -EAGAIN)
		return cli_fail(log->cli, CLI_FAILED,
				"no checkpoint was signed after record %llu yet: try again in a "
				"second",
				(unsigned long long)seq);
	if (r == -EBADMSG)
		return cli_fail(log->cli, CLI_VIOLATION,
				"record %llu is not what was signed; `fwadmit log verify` says why",
				(unsigned long long)seq);
	if (r < 0)
		return cli_log_fail(log, r);
	r = print_proof(log, &p);
	fwa_proof_clear(&p);
	return r;
}

/* --- reading -------------------------------------------------------------------------------------- */

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

static bool read_hex(const char *text, uint8_t *out, size_t len)
{
	if (!text || strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!fwa_hex_byte(text + 2 * i, &out[i]))
			return false;
	}
	return true;
}

static bool read_frame(const char *text, struct fwa_proof *p)
{
	if (!text || strlen(text) % 2 || strlen(text) / 2 > FWA_FRAME_MAX)
		return false;
	p->frame_len = strlen(text) / 2;
	p->frame = malloc(p->frame_len + 1);
	return p->frame && read_hex(text, p->frame, p->frame_len);
}

static bool read_level(struct json_object *o, struct fwa_proof_level *l)
{
	struct json_object *children = json_object_object_get(o, "children"), *child;
	struct json_object *index = json_object_object_get(o, "index");
	size_t n;

	if (!json_object_is_type(children, json_type_array) ||
	    !json_object_is_type(index, json_type_int))
		return false;
	n = json_object_array_length(children);
	if (!n || n > FWA_TREE_CHILDREN || json_object_get_int64(index) < 0 ||
	    json_object_get_int64(index) >= (int64_t)n)
		return false;
	l->n = (uint8_t)n;
	l->index = (uint8_t)json_object_get_int(index);
	for (size_t i = 0; i < n; i++) {
		child = json_object_array_get_idx(children, i);
		if (i != l->index &&
		    (!json_object_is_type(child, json_type_string) ||
		     !read_hex(json_object_get_string(child), l->children[i], FWA_HASH_LEN)))
			return false;
	}
	return true;
}

static bool read_proof(struct json_object *o, struct fwa_proof *p)
{
	const char *format = text_of(o, "format"), *line = text_of(o, "checkpoint");
	struct json_object *levels = json_object_object_get(o, "levels");

	if (!format || strcmp(format, FORMAT) != 0 || !line ||
	    !json_object_is_type(levels, json_type_array) ||
	    json_object_array_length(levels) > FWA_PROOF_LEVELS)
		return false;
	p->n_levels = (uint32_t)json_object_array_length(levels);
	for (uint32_t i = 0; i < p->n_levels; i++) {
		if (!read_level(json_object_array_get_idx(levels, i), &p->levels[i]))
			return false;
	}
	return read_hex(text_of(o, "before"), p->before, FWA_HASH_LEN) &&
	       read_frame(text_of(o, "frame"), p) &&
	       fwa_checkpoint_parse_line(line, &p->statement, p->signature) == 0;
}

static int report(const struct cli *cli, const struct fwa_proof *p)
{
	char key[2 * FWA_KEY_LEN + 1], time[CLI_STAMP_TEXT];
	struct fwa_frame f = { 0 };
	struct json_object *o;

	fwa_hex_text(p->statement.key, FWA_KEY_LEN, key);
	fwa_frame_parse(fwa_span(p->frame, p->frame_len), &f);
	if (!cli->json) {
		if (!cli_given(&cli->args, CLI_OPT_QUIET))
			printf("record %llu of %s was in the journal when checkpoint %llu was "
			       "signed, by key %s\n",
			       (unsigned long long)f.seq, cli_stamp_text(f.time, 3, time),
			       (unsigned long long)p->statement.seq, key);
		return CLI_OK;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "verdict", cli_json_text("proved"));
	json_object_object_add(o, "seq", json_object_new_uint64(f.seq));
	json_object_object_add(o, "hash", cli_json_hex(f.hash, FWA_HASH_LEN));
	json_object_object_add(o, "checkpoint_seq", json_object_new_uint64(p->statement.seq));
	json_object_object_add(o, "key", cli_json_text(key));
	cli_json_end(o);
	return CLI_OK;
}

static int check(const struct cli *cli, const char *path, const uint8_t *key, struct json_object *o,
		 struct fwa_proof *p)
{
	struct json_object *proof = json_object_object_get(o, "proof");
	const char *why = "it proves nothing";

	if (!json_object_is_type(o, json_type_object) ||
	    !read_proof(json_object_is_type(proof, json_type_object) ? proof : o, p))
		return cli_fail(cli, CLI_FAILED, "%.256s: not a proof of `fwadmit log export`",
				path);
	if (!fwa_proof_holds(p, &why))
		return cli_fail(cli, CLI_VIOLATION, "%.256s: the proof does not hold: %s", path,
				why);
	if (key && memcmp(key, p->statement.key, FWA_KEY_LEN) != 0)
		return cli_fail(cli, CLI_VIOLATION, "%.256s: the proof is signed by another key",
				path);
	return report(cli, p);
}

int cli_proof_check(const struct cli *cli, const char *path, const uint8_t *key)
{
	fwa_auto_free uint8_t *data = NULL;
	struct fwa_proof p = { 0 };
	struct json_object *o;
	size_t len;
	int r = fwa_read_file(path, PROOF_MAX, &data, &len);

	if (r < 0)
		return cli_fail_file(cli, path, r);
	o = json_tokener_parse((const char *)data);
	r = check(cli, path, key, o, &p);
	json_object_put(o);
	fwa_proof_clear(&p);
	return r;
}
