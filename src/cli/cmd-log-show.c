/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit log show: one record, and its place in the chain of hashes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"
#include "base/util.h"
#include "cli/decision.h"
#include "cli/log-entry.h"
#include "cli/log-hex.h"
#include "cli/log-time.h"
#include "cli/text.h"

#define LINE 640

/* --- its place in the chain ---------------------------------------------------------------------- */

/* The hash of the record before, or what the segment's chain begins with. */
static int hash_before(struct cli_log *log, const struct cli_entry *e, uint8_t hash[FWA_HASH_LEN])
{
	const struct fwa_segment_file *files;
	uint8_t header[FWA_SEGMENT_LEN];
	struct fwa_frame f = { 0 };
	size_t n;
	int r;

	if (e->place.offset > FWA_SEGMENT_LEN) {
		r = fwa_cursor_seek(log->side, e->frame.seq);
		if (r == 0)
			r = fwa_cursor_previous(log->side, &f);
		if (r == 1)
			memcpy(hash, f.hash, FWA_HASH_LEN);
		return r == 1 ? 0 : -EBADMSG;
	}
	r = fwa_journal_segments(log->journal, &files, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (files[i].bad || files[i].header.first != e->place.segment)
			continue;
		fwa_segment_encode(header, &files[i].header);
		fwa_segment_hash(header, hash);
		return 0;
	}
	return -EBADMSG;
}

static bool in_chain(struct cli_log *log, const struct cli_entry *e)
{
	uint8_t hash[FWA_HASH_LEN];

	return hash_before(log, e, hash) == 0 && fwa_frame_verify(e->bytes, &e->frame, hash);
}

/* --- its page --------------------------------------------------------------------------------------- */

static void print_digest(const char *name, const uint8_t *hash)
{
	static const uint8_t none[FWA_HASH_LEN];
	char text[2 * FWA_HASH_LEN + 1];

	if (memcmp(hash, none, sizeof(none)) == 0)
		return;
	fwa_hex_text(hash, FWA_HASH_LEN, text);
	cli_print_field(name, text);
}

static void print_who(const struct fwa_record_who *w)
{
	char text[LINE];
	int len = snprintf(text, sizeof(text), "uid %u, gid %u, pid %u", w->uid, w->gid, w->pid);

	if (*w->comm)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " (%s)", w->comm);
	if (*w->unit)
		snprintf(text + len, sizeof(text) - (size_t)len, ", unit %s", w->unit);
	cli_one_line(text);
	cli_print_field("caller", w->gate ? "the gate itself" : text);
}

static void print_outcome(const struct cli_entry *e)
{
	const struct fwa_record_outcome *o = &e->result.record;
	char text[LINE], name[256];

	if (!fwa_admitted(&e->decision.decision))
		return;
	cli_entry_outcome_text(e, name, sizeof(name));
	if (e->has_outcome)
		snprintf(text, sizeof(text), "%s, %u bytes, after %.3f ms; record %llu", name,
			 o->out_len, (double)o->duration_ns / (double)FWA_NS_PER_MS,
			 (unsigned long long)e->result.seq);
	else
		snprintf(text, sizeof(text), "%s: none is recorded yet", name);
	cli_print_field("outcome", text);
	if (e->has_outcome)
		print_digest("response", o->response_sha256);
}

static void print_decision(const struct cli *cli, const struct cli_entry *e)
{
	const struct fwa_record_decision *d = &e->decision;
	bool admitted = fwa_admitted(&d->decision);
	const char *on = cli->color ? (admitted ? "\033[32m" : "\033[31m") : "";
	struct cli_subject subject;
	struct fwa_command cmd;
	struct cli_verdict v = cli_entry_verdict(e, &subject, &cmd);
	char text[LINE];

	cli_command_text(d->decision.set, d->decision.opcode, text, sizeof(text));
	printf("%s on %s for %s: %s%s%s\n", text, subject.name, v.user, on,
	       admitted ? "admitted" : "refused", cli->color ? "\033[0m" : "");
	print_who(&d->who);
	cli_print_recorded(&v);
	snprintf(text, sizeof(text), "%zu bytes%s", d->cmd.payload.len,
		 d->payload_left_out ? ", too many to be recorded"
		 : d->payload.len    ? ", recorded"
				     : "");
	cli_print_field("payload", text);
	print_digest("request", d->request_sha256);
	print_digest("profile", d->profile_sha256);
	print_digest("policy", d->policy_digest);
	print_digest("accepted as", d->accepted_sha256);
	print_outcome(e);
}

static void print_other(const struct cli_entry *e)
{
	const char *kind = fwa_record_kind_name(e->frame.kind), *act = NULL;
	const char *device = cli_entry_device(e);
	char text[CLI_ENTRY_TEXT];

	if (e->decoded && e->frame.kind == FWA_RECORD_CONTROL)
		act = fwa_control_act_name(e->control.act);
	printf("%s%s%s\n", act ? act : kind ? kind : "unknown", *device ? " on " : "", device);
	if (act) {
		snprintf(text, sizeof(text), "%s (uid %u), pid %u", cli_uid_text(e->control.uid),
			 e->control.uid, e->control.pid);
		cli_print_field("by", text);
	}
	cli_entry_text(e, text);
	if (*text)
		cli_print_field("what", text);
	if (e->decoded && e->frame.kind == FWA_RECORD_OUTCOME) {
		cli_entry_outcome_text(e, text, sizeof(text));
		cli_print_field("outcome", text);
		print_digest("response", e->outcome.response_sha256);
	}
}

static void print_page(const struct cli *cli, const struct cli_entry *e, bool right)
{
	char text[LINE], time[CLI_STAMP_TEXT];

	if (e->decoded && e->frame.kind == FWA_RECORD_DECISION)
		print_decision(cli, e);
	else
		print_other(e);
	snprintf(text, sizeof(text), "%llu of %s", (unsigned long long)e->frame.seq,
		 cli_stamp_text(e->frame.time, 9, time));
	cli_print_field("record", text);
	if (e->frame.source) {
		snprintf(text, sizeof(text), "%llu%s, its record %llu",
			 (unsigned long long)e->frame.source, e->source->known ? "" : " (unknown)",
			 (unsigned long long)e->frame.counter);
		cli_print_field("source", text);
	}
	print_digest("hash", e->frame.hash);
	cli_print_field("chain", right ? "right: it follows the record before"
				       : "WRONG: `fwadmit log verify` says more");
}

/* --- the verb ----------------------------------------------------------------------------------------- */

static int find(struct cli_log *log, uint64_t seq, struct fwa_cursor *c, struct cli_entry *e)
{
	struct fwa_frame f;
	int r = fwa_cursor_seek(c, seq);

	if (r == 0)
		r = fwa_cursor_next(c, &f);
	if (r < 0 && r != -EBADMSG)
		return cli_log_fail(log, r);
	if (r == -EBADMSG)
		return cli_fail(log->cli, CLI_VIOLATION,
				"record %llu cannot be read; `fwadmit log verify` says why",
				(unsigned long long)seq);
	if (r == 0 || f.seq != seq)
		return cli_fail(log->cli, CLI_NOT_FOUND,
				seq < log->first ? "record %llu is no more in the journal"
						 : "there is no record %llu",
				(unsigned long long)seq);
	cli_entry_read(log, &f, e);
	e->bytes = fwa_cursor_bytes(c);
	fwa_cursor_place(c, &e->place.segment, &e->place.offset);
	return CLI_OK;
}

static int find_outcome(struct cli_log *log, struct cli_entry *e)
{
	struct cli_outcomes *o;
	int r;

	if (!e->decoded || e->frame.kind != FWA_RECORD_DECISION ||
	    !fwa_admitted(&e->decision.decision))
		return CLI_OK;
	o = cli_outcomes_new(log);
	r = o ? cli_outcomes_find(o, e->frame.seq, &e->place, &e->result) : -ENOMEM;
	e->has_outcome = r == 1;
	cli_outcomes_free(o);
	return r < 0 && r != -EBADMSG ? cli_log_fail(log, r) : CLI_OK;
}

static void print_json(const struct cli *cli, const struct cli_entry *e, bool right)
{
	struct json_object *o = cli_entry_json(cli, e);

	json_object_object_add(o, "chain", cli_json_text(right ? "right" : "wrong"));
	if (cli_given(&cli->args, CLI_OPT_SHOW_HEX))
		json_object_object_add(o, "record_hex", cli_json_hex(e->bytes.data, e->bytes.len));
	cli_json_end(o);
}

static int show(struct cli_log *log, uint64_t seq, struct fwa_cursor *c, struct cli_entry *e)
{
	const struct cli *cli = log->cli;
	int r = find(log, seq, c, e);
	bool right;

	if (r == CLI_OK)
		r = find_outcome(log, e);
	if (r != CLI_OK)
		return r;
	right = in_chain(log, e);
	if (cli->json)
		print_json(cli, e, right);
	else
		print_page(cli, e, right);
	if (!cli->json && cli_given(&cli->args, CLI_OPT_SHOW_HEX)) {
		putchar('\n');
		cli_print_record_hex(e);
	}
	return right ? CLI_OK : CLI_VIOLATION;
}

int cli_cmd_log_show(struct cli *cli)
{
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	static struct cli_entry e; /* too large for the stack */
	struct fwa_cursor *c;
	uint64_t seq;
	int r;

	if (!fwa_parse_number(cli->word[0], INT64_MAX, &seq) || !seq)
		return cli_fail(cli, CLI_USAGE, "%.64s: not the number of a record", cli->word[0]);
	r = cli_log_open(cli, &log);
	if (r != CLI_OK)
		return r;
	c = fwa_cursor_new(log.journal);
	r = c ? show(&log, seq, c, &e) : cli_fail(cli, CLI_FAILED, "out of memory");
	fwa_cursor_free(c);
	return r;
}
