/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit log list, log export: the records that are asked for, one after the other.
 *
 * A table is printed in pieces, so that memory does not grow with it: the columns of a piece are at least
 * as wide as those of the one before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/json.h"
#include "cli/log-proof.h"
#include "cli/log-time.h"
#include "cli/log-walk.h"
#include "cli/table.h"
#include "cli/text.h"
#include "core/reason.h"

#define COLUMNS 8u
#define PIECE 500u /* rows that are laid out together */
#define CELL 512u
#define FOLLOW_LINES 10u /* of what was, as `journalctl -f` has it */
#define OUTCOME_WAIT FWA_NS_PER_S
#define OPEN_MAX 256u

struct listing {
	const struct cli *cli;
	struct cli_walk walk;
	struct cli_entry entry;
	uint64_t n;
	bool json, follow;
	/* the table */
	struct libscols_table *table;
	size_t rows, width[COLUMNS];
	bool headed;
	/* decisions that were shown before their outcome, while following */
	uint64_t open[OPEN_MAX];
	size_t n_open;
};

/* --- a table in pieces ------------------------------------------------------------------------------ */

static void new_piece(struct listing *l)
{
	static const char *const heads[COLUMNS] = { "SEQ",     "TIME",    "DEVICE",  "USER",
						    "COMMAND", "EFFECTS", "VERDICT", "OUTCOME" };

	l->table = cli_table_new(l->cli, heads, COLUMNS);
	if (l->headed)
		cli_table_continue(l->table, l->width, COLUMNS);
	for (size_t i = 0; i < COLUMNS && !l->headed; i++)
		l->width[i] = strlen(heads[i]);
	l->headed = true;
	l->rows = 0;
}

static void print_piece(struct listing *l)
{
	if (l->table)
		cli_table_print(l->table);
	l->table = NULL;
	fflush(stdout);
}

static void add_row(struct listing *l, const char *const *cells, const char *color)
{
	if (!l->table)
		new_piece(l);
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t len = strlen(cells[i]);

		if (len > l->width[i])
			l->width[i] = len;
	}
	cli_table_add(l->table, cells, COLUMNS, 6, color);
	if (++l->rows == PIECE)
		print_piece(l);
}

static void row_of_decision(struct listing *l, const struct cli_entry *e, const char **cells)
{
	const struct fwa_decision *d = &e->decision.decision;
	static char command[CELL], effects[CLI_EFFECTS_TEXT], outcome[CELL];

	snprintf(command, sizeof(command), "%s", cli_command_name(d->set, d->opcode));
	if (!fwa_model_find(d->set, d->opcode))
		cli_command_text(d->set, d->opcode, command, sizeof(command));
	cli_entry_outcome_text(e, outcome, sizeof(outcome));
	cells[3] = e->decision.who.gate ? "(gate)" : cli_uid_text(e->decision.who.uid);
	cells[4] = command;
	cells[5] = cli_effects_text(d->effects, 0, " ", effects);
	cells[6] = fwa_reason_name(d->reason);
	cells[7] = outcome;
}

static void row_of_other(const struct cli_entry *e, const char **cells)
{
	static char text[CLI_ENTRY_TEXT];
	const char *name = fwa_record_kind_name(e->frame.kind);

	cells[4] = name ? name : "unknown";
	cli_entry_text(e, text);
	if (e->decoded && e->frame.kind == FWA_RECORD_CONTROL) {
		cells[3] = cli_uid_text(e->control.uid);
		name = fwa_control_act_name(e->control.act);
		cells[4] = name ? name : "unknown";
	} else if (e->decoded && e->frame.kind == FWA_RECORD_OUTCOME) {
		size_t len = strlen(text);

		text[len] = ':';
		text[len + 1] = ' ';
		cli_entry_outcome_text(e, text + len + 2, sizeof(text) - len - 2);
	}
	cells[7] = *text ? text : "-";
}

static void print_row(struct listing *l, const struct cli_entry *e)
{
	char seq[24], time[CLI_STAMP_TEXT];
	const char *cells[COLUMNS] = {
		seq, cli_stamp_text(e->frame.time, 3, time), "-", "-", "-", "-", "-", "-"
	};
	const char *device = cli_entry_device(e), *color = NULL;

	snprintf(seq, sizeof(seq), "%llu", (unsigned long long)e->frame.seq);
	if (*device)
		cells[2] = device;
	if (e->decoded && e->frame.kind == FWA_RECORD_DECISION) {
		row_of_decision(l, e, cells);
		color = fwa_admitted(&e->decision.decision) ? NULL : "red";
	} else {
		row_of_other(e, cells);
	}
	add_row(l, cells, color);
}

static void show(struct listing *l, const struct cli_entry *e)
{
	l->n++;
	if (l->json)
		cli_json_line(cli_entry_json(l->cli, e));
	else
		print_row(l, e);
}

/* --- following ------------------------------------------------------------------------------------------ */

/* Whether @e is the outcome of a decision that was shown while it was open. */
static bool closes(struct listing *l, const struct cli_entry *e)
{
	for (size_t i = 0; i < l->n_open; i++) {
		if (l->open[i] != e->frame.refers)
			continue;
		l->open[i] = l->open[--l->n_open];
		return true;
	}
	return false;
}

/* Gives the outcome of a decision that was just made a moment to come. */
static int wait_for_outcome(struct listing *l, int watch)
{
	struct cli_entry *e = &l->entry;
	int r = 0;

	if (e->frame.kind != FWA_RECORD_DECISION || !e->decoded ||
	    !fwa_admitted(&e->decision.decision))
		return 0;
	while (r == 0 && !e->has_outcome &&
	       fwa_clock_ns(CLOCK_REALTIME) < e->frame.time + OUTCOME_WAIT) {
		cli_log_wait(watch);
		r = cli_walk_outcome(&l->walk, e);
	}
	if (!e->has_outcome && l->n_open < OPEN_MAX)
		l->open[l->n_open++] = e->frame.seq;
	return r;
}

static int follow(struct listing *l, struct cli_filter *f)
{
	int watch = cli_log_watch(l->walk.log), r;

	/* Outcomes come by, too, to be held against what is open. */
	f->outcomes = true;
	do {
		while ((r = cli_walk_next(&l->walk, &l->entry)) == 1) {
			if (l->entry.frame.kind == FWA_RECORD_OUTCOME && l->entry.decoded &&
			    !closes(l, &l->entry))
				continue;
			r = wait_for_outcome(l, watch);
			if (r < 0)
				break;
			show(l, &l->entry);
		}
		print_piece(l);
		/* Who reads a pipe may have gone. */
		if (fflush(stdout) != 0 || ferror(stdout))
			r = 1;
		if (r == 0)
			cli_log_wait(watch);
	} while (r == 0);
	fwa_close(watch);
	return r < 0 ? r : 0;
}

/* --- the verbs -------------------------------------------------------------------------------------------- */

static int list(const struct cli *cli, struct cli_log *log, struct cli_filter *f, uint64_t lines,
		bool json)
{
	fwa_auto_free struct listing *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	l->cli = cli;
	l->json = json;
	l->follow = cli_given(&cli->args, CLI_OPT_FOLLOW);
	r = cli_walk_begin(log, f, lines, &l->walk);
	if (r == CLI_OK) {
		while ((r = cli_walk_next(&l->walk, &l->entry)) == 1 && !ferror(stdout))
			show(l, &l->entry);
		print_piece(l);
		if (r == 0 && l->follow)
			r = follow(l, f);
		if (r < 0)
			r = cli_log_fail(log, r);
		else
			r = l->walk.damaged ? CLI_VIOLATION : CLI_OK;
	}
	if (r == CLI_OK && !l->n && !l->follow)
		r = cli_fail(cli, CLI_NOT_FOUND, "%s: no record matches", log->dir);
	cli_walk_end(&l->walk);
	return r;
}

int cli_cmd_log_list(struct cli *cli)
{
	cli_auto_filter struct cli_filter f = { 0 };
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	uint64_t lines = cli->args.number[CLI_OPT_LINES];
	int r = cli_filter_read(cli, &f);

	if (cli_given(&cli->args, CLI_OPT_LINES) && !lines)
		return cli_fail(cli, CLI_USAGE, "--lines=0: nothing to show");
	if (cli_given(&cli->args, CLI_OPT_FOLLOW) && !lines && !f.since)
		lines = FOLLOW_LINES;
	if (r == CLI_OK)
		r = cli_log_open(cli, &log);
	return r == CLI_OK ? list(cli, &log, &f, lines, cli->json) : r;
}

int cli_cmd_log_export(struct cli *cli)
{
	cli_auto_filter struct cli_filter f = { 0 };
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	int r = cli_filter_read(cli, &f);

	if (r == CLI_OK)
		r = cli_log_open(cli, &log);
	if (r != CLI_OK)
		return r;
	if (cli_given(&cli->args, CLI_OPT_PROOF_SEQ))
		return cli_proof_export(&log, cli->args.number[CLI_OPT_PROOF_SEQ]);
	f.all = true;
	/* where decisions are chosen theirs are with them */
	f.outcomes = !f.n_uids && !f.refused && !f.by_effects;
	return list(cli, &log, &f, cli->args.number[CLI_OPT_LINES], true);
}
