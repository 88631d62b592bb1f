/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit log verify, log checkpoint: whether the journal is what was written, and the line that lets
 * another machine know.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/log-proof.h"
#include "cli/output.h"
#include "journal/verify.h"

#define KEPT_MAX (16u * 1024 * 1024) /* bytes of a file of checkpoints */
#define KEY_TEXT (2 * FWA_KEY_LEN + 1)

struct check {
	const struct cli *cli;
	struct fwa_verify_options options;
	uint8_t key[FWA_KEY_LEN];
	struct fwa_statement *kept; /* owned */
	uint64_t shown;
};

/* --- what is expected ---------------------------------------------------------------------------- */

static int read_key(struct check *c)
{
	const char *name = c->cli->args.text[CLI_OPT_KEY];
	int r;

	if (!name)
		return CLI_OK;
	r = fwa_public_key_read(name, c->key);
	if (r < 0)
		return cli_fail(c->cli, CLI_USAGE, "--key=%.256s: %s", name,
				r == -EBADMSG ? "not a public key: a PEM file, or 64 hex digits"
					      : strerror(-r));
	c->options.key = c->key;
	return CLI_OK;
}

/* One line of --checkpoint. It has to be signed, or anybody could make the journal look wrong. */
static int take_kept(struct check *c, const char *line, size_t number)
{
	const char *file = c->cli->args.text[CLI_OPT_CHECKPOINT];
	struct fwa_statement s;
	uint8_t signature[FWA_SIGNATURE_LEN], message[FWA_STATEMENT_LEN];
	struct fwa_statement *more;

	if (fwa_checkpoint_parse_line(line, &s, signature) < 0)
		return cli_fail(c->cli, CLI_USAGE,
				"%.256s:%zu: not a line of `fwadmit log checkpoint`", file, number);
	fwa_statement_encode(message, &s);
	if (!fwa_signed_by(s.key, fwa_span(message, sizeof(message)), signature) ||
	    (c->options.key && memcmp(s.key, c->options.key, FWA_KEY_LEN) != 0))
		return cli_fail(c->cli, CLI_VIOLATION,
				"%.256s:%zu: this checkpoint is not signed by %s", file, number,
				c->options.key ? "that key" : "the key that it names");
	more = reallocarray(c->kept, c->options.n_kept + 1, sizeof(*more));
	if (!more)
		return cli_fail(c->cli, CLI_FAILED, "out of memory");
	c->kept = more;
	c->options.kept = more;
	c->kept[c->options.n_kept++] = s;
	return CLI_OK;
}

static int read_kept(struct check *c)
{
	const char *file = c->cli->args.text[CLI_OPT_CHECKPOINT];
	fwa_auto_free uint8_t *data = NULL;
	size_t len, number = 0;
	char *line, *rest;
	int r;

	if (!file)
		return CLI_OK;
	r = fwa_read_file(file, KEPT_MAX, &data, &len);
	if (r < 0)
		return cli_fail_file(c->cli, file, r);
	rest = (char *)data;
	r = CLI_OK;
	while (r == CLI_OK && (line = strsep(&rest, "\n"))) {
		number++;
		if (*line && *line != '#')
			r = take_kept(c, line, number);
	}
	if (r == CLI_OK && !c->options.n_kept)
		return cli_fail(c->cli, CLI_USAGE, "%.256s: no checkpoint in it", file);
	/* Whoever kept it knows the key by it. */
	if (r == CLI_OK && !c->options.key) {
		memcpy(c->key, c->kept[0].key, sizeof(c->key));
		c->options.key = c->key;
	}
	return r;
}

/* --- what was found -------------------------------------------------------------------------------- */

static void progress(void *arg, uint64_t seq)
{
	struct check *c = arg;

	fprintf(stderr, "\r%llu", (unsigned long long)seq);
	c->shown = seq;
}

static struct json_object *seq_or_null(uint64_t seq)
{
	return seq ? json_object_new_uint64(seq) : NULL;
}

static void print_json(const struct cli *cli, const struct cli_log *log, size_t n_kept,
		       const struct fwa_verified *v)
{
	struct json_object *o = cli_json_begin(cli), *fault = NULL;

	json_object_object_add(o, "journal", cli_json_text(log->dir));
	json_object_object_add(o, "verdict", cli_json_text(v->fault ? "broken" : "intact"));
	if (v->fault) {
		fault = json_object_new_object();
		json_object_object_add(fault, "code", cli_json_text(fwa_fault_name(v->fault)));
		json_object_object_add(fault, "message", cli_json_text(fwa_fault_text(v->fault)));
		json_object_object_add(fault, "why", cli_json_text(v->why));
		json_object_object_add(fault, "seq", seq_or_null(v->bad));
		json_object_object_add(fault, "segment", cli_json_text(v->segment));
		json_object_object_add(fault, "offset", json_object_new_uint64(v->offset));
	}
	json_object_object_add(o, "fault", fault);
	json_object_object_add(o, "first", seq_or_null(v->first));
	json_object_object_add(o, "last", seq_or_null(v->last));
	json_object_object_add(o, "records", json_object_new_uint64(v->records));
	json_object_object_add(o, "bytes", json_object_new_uint64(v->bytes));
	json_object_object_add(o, "checkpoints", json_object_new_uint64(v->checkpoints));
	json_object_object_add(o, "signed_until", seq_or_null(v->signed_until));
	json_object_object_add(o, "kept", json_object_new_uint64(n_kept));
	json_object_object_add(o, "kept_gone", json_object_new_uint64(v->kept_gone));
	json_object_object_add(o, "open", json_object_new_uint64(v->open));
	json_object_object_add(o, "key", cli_json_hex(v->key, sizeof(v->key)));
	cli_json_end(o);
}

static void print_text(const struct check *c, const struct cli_log *log,
		       const struct fwa_verified *v)
{
	char key[KEY_TEXT];

	fwa_hex_text(v->key, sizeof(v->key), key);
	if (v->fault) {
		char where[64] = "";

		if (v->bad)
			snprintf(where, sizeof(where), "record %llu: ", (unsigned long long)v->bad);
		printf("%s: BROKEN\n  %s%s (%s: %s)\n", log->dir, where, fwa_fault_text(v->fault),
		       fwa_fault_name(v->fault), v->why);
		if (*v->segment)
			printf("  in %s, offset %llu; what comes after it was not looked at\n",
			       v->segment, (unsigned long long)v->offset);
	} else {
		printf("%s: intact\n", log->dir);
	}
	if (v->records)
		printf("  %s%llu records, %llu to %llu, %llu bytes\n", v->fault ? "before it " : "",
		       (unsigned long long)v->records, (unsigned long long)v->first,
		       (unsigned long long)v->last, (unsigned long long)v->bytes);
	if (v->checkpoints)
		printf("  signed until %llu, in %llu checkpoints, by key %s%s\n",
		       (unsigned long long)v->signed_until, (unsigned long long)v->checkpoints, key,
		       c->options.key ? ""
				      : ",\n  which is the journal's own word: --key says which to "
					"expect");
	else if (v->records)
		printf("  nothing of it is signed\n");
	if (c->options.n_kept && !v->fault)
		printf("  %llu of %zu checkpoints that were kept elsewhere are in it%s\n",
		       (unsigned long long)(c->options.n_kept - v->kept_gone), c->options.n_kept,
		       v->kept_gone ? "; the records of the others are retired" : "");
	if (v->open)
		printf("  commands without an outcome yet: %llu\n", (unsigned long long)v->open);
}

static int verify(struct check *c, struct cli_log *log)
{
	const struct cli *cli = c->cli;
	struct fwa_verified v = { 0 };
	int r;

	c->options.from = cli->args.number[CLI_OPT_FROM_SEQ];
	c->options.to = cli->args.number[CLI_OPT_TO_SEQ];
	if (c->options.to && c->options.to < c->options.from)
		return cli_fail(cli, CLI_USAGE, "--to is before --from");
	if (!cli->json && !cli_given(&cli->args, CLI_OPT_QUIET) && isatty(STDERR_FILENO))
		c->options.progress = progress;
	c->options.arg = c;
	r = fwa_verify(log->journal, &c->options, &v);
	if (c->shown)
		fputs("\r\033[K", stderr);
	if (r == -ENOENT || r == -ENODATA)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: there is no such record", log->dir);
	if (r < 0)
		return cli_log_fail(log, r);
	/* Where all was removed nothing is wrong, and nothing is right. */
	if (!v.fault && !v.records)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: there is no record in it", log->dir);
	if (cli->json)
		print_json(cli, log, c->options.n_kept, &v);
	else if (v.fault || !cli_given(&cli->args, CLI_OPT_QUIET))
		print_text(c, log, &v);
	return v.fault ? CLI_VIOLATION : CLI_OK;
}

int cli_cmd_log_verify(struct cli *cli)
{
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	struct check c = { .cli = cli };
	int r = read_key(&c);

	if (r == CLI_OK && cli_given(&cli->args, CLI_OPT_PROOF_FILE))
		return cli_proof_check(cli, cli->args.text[CLI_OPT_PROOF_FILE], c.options.key);
	if (r == CLI_OK)
		r = read_kept(&c);
	if (r == CLI_OK)
		r = cli_log_open(cli, &log);
	if (r == CLI_OK)
		r = verify(&c, &log);
	free(c.kept);
	return r;
}

/* --- checkpoint ------------------------------------------------------------------------------------- */

static void print_checkpoint(const struct cli *cli, const struct fwa_checkpoint *c)
{
	char line[FWA_CHECKPOINT_LINE];
	struct json_object *o;

	fwa_checkpoint_line(c, line);
	line[strcspn(line, "\n")] = '\0';
	if (!cli->json) {
		puts(line);
		return;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "checkpoint", cli_json_text(line));
	json_object_object_add(o, "seq", seq_or_null(c->statement.seq));
	json_object_object_add(o, "journal_id", cli_json_hex(c->statement.journal, 16));
	json_object_object_add(o, "key", cli_json_hex(c->statement.key, FWA_KEY_LEN));
	cli_json_end(o);
}

int cli_cmd_log_checkpoint(struct cli *cli)
{
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	struct fwa_checkpoint c;
	int r = cli_log_open(cli, &log);

	if (r != CLI_OK)
		return r;
	r = fwa_journal_last_checkpoint(log.side, &c);
	if (r == -ENODATA)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: there is no checkpoint yet", log.dir);
	if (r < 0)
		return cli_log_fail(&log, r);
	print_checkpoint(cli, &c);
	return CLI_OK;
}
