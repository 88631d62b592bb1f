/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times are turned into numbers first, by the headers of segments and then by records. The clock may
 * have been set: what is shown has a number in that range and a time that fits, too.
 */
#include "cli/log-walk.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/index.h"

/* --- damage and disbelief ------------------------------------------------------------------------- */

static void say_damaged(struct cli_walk *w)
{
	if (!w->damaged)
		cli_note(w->log->cli,
			 "records after %llu cannot be read; `fwadmit log verify` says why",
			 (unsigned long long)w->last);
	w->damaged = true;
}

/* From here on without it. */
static void drop_index(struct cli_walk *w, const char *why)
{
	cli_note(w->log->cli, "the index is not used: %s", why);
	cli_index_close(w->log->index);
	w->log->index = NULL;
	w->by_index = false;
}

static void find_index(struct cli_walk *w)
{
	const char *why = "it cannot be read";
	int r;

	if (!cli_filter_selects(w->filter) || cli_given(&w->log->cli->args, CLI_OPT_NO_INDEX))
		return;
	r = cli_index_open(w->log, &w->log->index, &why);
	if (r == 0)
		r = cli_index_select(w->log->index, w->filter);
	if (r == 0)
		w->by_index = true;
	else if (r != -ENOENT)
		drop_index(w, why);
}

/* --- the range -------------------------------------------------------------------------------------- */

/* Nothing is as late as --since: what comes may be. */
static int start_at_end(struct cli_walk *w)
{
	struct fwa_frame f = { 0 };
	int r = fwa_cursor_seek(w->cursor, UINT64_MAX);

	if (r == 0)
		r = fwa_cursor_previous(w->cursor, &f);
	if (r == 1)
		w->start = f.seq + 1;
	return r < 0 && r != -EBADMSG ? r : 0;
}

/* The first record of --since. */
static int find_start(struct cli_walk *w)
{
	struct fwa_frame f = { 0 };
	int r;

	w->start = w->log->first;
	if (!w->filter->since)
		return 0;
	r = fwa_cursor_seek_time(w->cursor, w->filter->since);
	if (r == 0)
		r = fwa_cursor_next(w->cursor, &f);
	if (r == 1)
		w->start = f.seq;
	return r ? (r < 0 ? r : 0) : start_at_end(w);
}

/* The segments that were all begun after --until hold nothing of it. */
static int find_end(struct cli_walk *w)
{
	const struct fwa_segment_file *files;
	size_t n;
	int r = fwa_journal_segments(w->log->journal, &files, &n);

	w->end = 0;
	if (r < 0)
		return r;
	for (size_t i = n; i > 0 && !files[i - 1].bad; i--) {
		if (files[i - 1].header.created <= w->filter->until)
			break;
		w->end = files[i - 1].header.first;
	}
	return 0;
}

/* --- one record ------------------------------------------------------------------------------------- */

static bool beyond(const struct cli_walk *w, uint64_t seq)
{
	return w->end && seq >= w->end;
}

/* Decodes the record that @cursor has come to. Whether it is wanted. */
static bool take(struct cli_walk *w, const struct fwa_frame *f, struct cli_entry *ret)
{
	cli_entry_read(w->log, f, ret);
	ret->bytes = fwa_cursor_bytes(w->cursor);
	fwa_cursor_place(w->cursor, &ret->place.segment, &ret->place.offset);
	return f->seq >= w->start && !beyond(w, f->seq) && cli_filter_takes(w->filter, ret);
}

int cli_walk_outcome(struct cli_walk *w, struct cli_entry *e)
{
	int r;

	if (!w->want_outcomes || !e->decoded || e->frame.kind != FWA_RECORD_DECISION ||
	    !fwa_admitted(&e->decision.decision))
		return 0;
	r = cli_outcomes_find(w->outcomes, e->frame.seq, &e->place, &e->result);
	e->has_outcome = r == 1;
	return r < 0 && r != -EBADMSG ? r : 0;
}

/*
 * The next candidate of the index, read at its place: 1, 0 when it has no more; -EBADMSG when the
 * journal has something else there.
 */
static int by_index(struct cli_walk *w, uint64_t from, bool backwards, struct fwa_frame *ret)
{
	struct cli_place place;
	uint64_t seq = 0;
	int r = cli_index_next(w->log->index, from, backwards, &seq, &place);

	if (r <= 0)
		return r;
	if (fwa_cursor_seek_place(w->cursor, place.segment, place.offset) < 0 ||
	    fwa_cursor_next(w->cursor, ret) != 1 || ret->seq != seq)
		return -EBADMSG;
	return 1;
}

/* The index is through, or wrong: on from the record after the last one that it knew, or was shown. */
static int leave_index(struct cli_walk *w, int r)
{
	struct fwa_frame f;
	struct cli_place place;

	w->by_index = false;
	if (r < 0) {
		drop_index(w, "it is of another history than the journal");
		return fwa_cursor_seek(w->cursor, w->last + 1 > w->start ? w->last + 1 : w->start);
	}
	if (w->start > cli_index_last(w->log->index))
		return fwa_cursor_seek(w->cursor, w->start);
	place = cli_index_last_place(w->log->index);
	w->last = cli_index_last(w->log->index);
	r = fwa_cursor_seek_place(w->cursor, place.segment, place.offset);
	if (r == 0)
		r = fwa_cursor_next(w->cursor, &f); /* which is in the index */
	return r < 0 ? r : 0;
}

static int next_frame(struct cli_walk *w, struct fwa_frame *ret)
{
	int r;

	if (w->by_index) {
		uint64_t from = w->last + 1 > w->start ? w->last + 1 : w->start;

		r = by_index(w, from, false, ret);
		if (r == 1)
			return 1;
		r = leave_index(w, r);
		if (r < 0)
			return r;
	}
	while ((r = fwa_cursor_next(w->cursor, ret)) == -EBADMSG)
		say_damaged(w);
	return r;
}

int cli_walk_next(struct cli_walk *w, struct cli_entry *ret)
{
	struct fwa_frame f;
	int r;

	while ((r = next_frame(w, &f)) == 1) {
		if (beyond(w, f.seq))
			return 0;
		w->last = f.seq;
		if (!take(w, &f, ret))
			continue;
		r = cli_walk_outcome(w, ret);
		/* looking things up has moved no cursor but its own */
		return r < 0 ? r : 1;
	}
	return r;
}

/* --- the last N --------------------------------------------------------------------------------------- */

/* Counts back from @from by the index. 1 when @left became 0 there. */
static int back_by_index(struct cli_walk *w, uint64_t from, uint64_t *left, struct cli_entry *e)
{
	struct fwa_frame f;
	int r;

	while (*left && from >= w->start && (r = by_index(w, from, true, &f)) != 0) {
		if (r < 0)
			return r;
		if (f.seq < w->start)
			break;
		if (take(w, &f, e) && --*left == 0)
			w->last = f.seq - 1;
		from = f.seq - 1;
	}
	return *left == 0;
}

/* Counts back by the journal, down to @floor. 1 when @left became 0 there. */
static int back(struct cli_walk *w, uint64_t floor, uint64_t *left, struct cli_entry *e)
{
	struct fwa_frame f;
	int r = fwa_cursor_seek(w->cursor, w->end ? w->end : UINT64_MAX);

	while (r >= 0 && *left && (r = fwa_cursor_previous(w->cursor, &f)) != 0) {
		if (r == -EBADMSG) {
			say_damaged(w);
			r = 0;
			continue;
		}
		if (r < 0)
			return r;
		if (f.seq < floor)
			break;
		if (take(w, &f, e) && --*left == 0)
			w->last = f.seq - 1;
	}
	return r < 0 ? r : *left == 0;
}

/* Sets @last so that @lines of what is wanted come after it. */
static int find_lines(struct cli_walk *w, uint64_t lines)
{
	fwa_auto_free struct cli_entry *e = calloc(1, sizeof(*e));
	uint64_t left = lines, floor = w->start;
	int r;

	if (!e)
		return -ENOMEM;
	if (w->by_index && cli_index_last(w->log->index) >= floor)
		floor = cli_index_last(w->log->index) + 1;
	r = back(w, floor, &left, e);
	if (r != 0 || floor == w->start)
		return r < 0 ? r : 0;
	r = back_by_index(w, w->end && w->end < floor ? w->end - 1 : floor - 1, &left, e);
	if (r == -EBADMSG) {
		drop_index(w, "it is of another history than the journal");
		left = lines;
		r = back(w, w->start, &left, e);
	}
	return r < 0 ? r : 0;
}

/* --- beginning ------------------------------------------------------------------------------------------ */

/* To the first record of what is left of the range. */
static int go_to_start(struct cli_walk *w)
{
	uint64_t from = w->last + 1 > w->start ? w->last + 1 : w->start;

	if (w->by_index && from <= cli_index_last(w->log->index))
		return 0;
	w->by_index = false;
	return fwa_cursor_seek(w->cursor, from);
}

static int prepare(struct cli_walk *w, uint64_t lines)
{
	int r;

	w->cursor = fwa_cursor_new(w->log->journal);
	w->outcomes = cli_outcomes_new(w->log);
	if (!w->cursor || !w->outcomes)
		return -ENOMEM;
	r = find_start(w);
	if (r == 0)
		r = find_end(w);
	if (r < 0)
		return r;
	find_index(w);
	if (lines)
		r = find_lines(w, lines);
	return r < 0 ? r : go_to_start(w);
}

int cli_walk_begin(struct cli_log *log, const struct cli_filter *filter, uint64_t lines,
		   struct cli_walk *ret)
{
	int r;

	*ret = (struct cli_walk){ .log = log, .filter = filter, .want_outcomes = true };
	r = prepare(ret, lines);
	return r < 0 ? cli_log_fail(log, r) : CLI_OK;
}

void cli_walk_end(struct cli_walk *w)
{
	cli_outcomes_free(w->outcomes);
	fwa_cursor_free(w->cursor);
	*w = (struct cli_walk){ 0 };
}
