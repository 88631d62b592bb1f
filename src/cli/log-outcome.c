/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second cursor runs ahead of the one that is shown and keeps where outcomes are, in a table of fixed
 * size, until their decisions come by. What does not fit is looked for again. What the table says of a
 * decision stays true, wherever the cursors go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/log-entry.h"

#define SLOTS 65536u /* a power of two */
#define MOST (SLOTS / 2)

struct slot {
	uint64_t decision; /* 0: free */
	struct cli_place place;
};

struct cli_outcomes {
	struct fwa_cursor *ahead, *jump;
	uint64_t at;  /* the last number that was seen ahead */
	uint64_t now; /* outcomes of decisions before this one are of no use any more */
	size_t n;
	struct slot slots[SLOTS];
};

struct cli_outcomes *cli_outcomes_new(struct cli_log *log)
{
	struct cli_outcomes *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->ahead = fwa_cursor_new(log->journal);
	o->jump = fwa_cursor_new(log->journal);
	if (o->ahead && o->jump)
		return o;
	cli_outcomes_free(o);
	return NULL;
}

void cli_outcomes_free(struct cli_outcomes *o)
{
	if (!o)
		return;
	fwa_cursor_free(o->ahead);
	fwa_cursor_free(o->jump);
	free(o);
}

static size_t home(uint64_t decision)
{
	return (size_t)(decision * UINT64_C(0x9e3779b97f4a7c15) >> 48) & (SLOTS - 1);
}

static struct slot *find(struct cli_outcomes *o, uint64_t decision)
{
	size_t i = home(decision);

	while (o->slots[i].decision && o->slots[i].decision != decision)
		i = (i + 1) & (SLOTS - 1);
	return &o->slots[i];
}

static void put(struct cli_outcomes *o, uint64_t decision, struct cli_place place)
{
	struct slot *s = find(o, decision);

	if (s->decision) /* a second outcome: verify says what to think of it, the first one counts */
		return;
	*s = (struct slot){ decision, place };
	o->n++;
}

/* Forgets what is of no use. Nothing moves but into a new table: O(SLOTS), and rare. */
static int purge(struct cli_outcomes *o)
{
	struct slot *old = malloc(sizeof(o->slots));

	if (!old)
		return -ENOMEM;
	memcpy(old, o->slots, sizeof(o->slots));
	memset(o->slots, 0, sizeof(o->slots));
	o->n = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		if (old[i].decision >= o->now)
			put(o, old[i].decision, old[i].place);
	}
	free(old);
	return 0;
}

/* Reads the outcome that @c has come to. */
static int take(const struct fwa_frame *f, struct cli_outcome *ret)
{
	struct cli_outcome out = { .seq = f->seq, .time = f->time };

	if (fwa_record_outcome_decode(f->body, &out.record) < 0)
		return -EBADMSG;
	memcpy(out.hash, f->hash, sizeof(out.hash));
	*ret = out;
	return 1;
}

/* The next record that can be read: 1; 0 at the end, negative errno. */
static int next(struct fwa_cursor *c, struct fwa_frame *f)
{
	int r;

	do {
		r = fwa_cursor_next(c, f);
	} while (r == -EBADMSG); /* it stands behind what cannot be read */
	return r;
}

/* Goes on from where the other cursor has stopped, for this decision alone. */
static int search(struct cli_outcomes *o, uint64_t decision, struct cli_outcome *ret)
{
	struct fwa_frame f;
	int r = fwa_cursor_seek(o->jump, o->at + 1);

	while (r >= 0 && (r = next(o->jump, &f)) == 1) {
		if (f.kind == FWA_RECORD_OUTCOME && f.refers == decision)
			return take(&f, ret);
	}
	return r;
}

/* Reads on until the outcome of @decision has come: 1. 0 at the end, -ENOBUFS when the table is full. */
static int read_on(struct cli_outcomes *o, uint64_t decision, struct cli_outcome *ret)
{
	struct cli_place place;
	struct fwa_frame f;
	int r;

	for (;;) {
		if (o->n >= MOST) {
			r = purge(o);
			if (r < 0)
				return r;
			if (o->n >= MOST / 2) /* or it would be purged again and again */
				return -ENOBUFS;
		}
		r = next(o->ahead, &f);
		if (r != 1)
			return r;
		o->at = f.seq;
		if (f.kind != FWA_RECORD_OUTCOME || f.refers < o->now)
			continue;
		if (f.refers == decision)
			return take(&f, ret);
		fwa_cursor_place(o->ahead, &place.segment, &place.offset);
		put(o, f.refers, place);
	}
}

static int read_at(struct cli_outcomes *o, const struct cli_place *place, struct cli_outcome *ret)
{
	struct fwa_frame f;
	int r = fwa_cursor_seek_place(o->jump, place->segment, place->offset);

	if (r < 0)
		return r;
	return fwa_cursor_next(o->jump, &f) == 1 ? take(&f, ret) : -EBADMSG;
}

int cli_outcomes_find(struct cli_outcomes *o, uint64_t seq, const struct cli_place *place,
		      struct cli_outcome *ret)
{
	struct slot *s;
	int r;

	if (seq < o->now) /* back again: what is known begins later */
		o->at = 0;
	o->now = seq;
	if (o->at < seq) {
		r = fwa_cursor_seek_place(o->ahead, place->segment, place->offset);
		if (r < 0)
			return r;
		o->at = seq - 1;
	}
	s = find(o, seq);
	if (s->decision)
		return read_at(o, &s->place, ret);
	r = read_on(o, seq, ret);
	return r == -ENOBUFS ? search(o, seq, ret) : r;
}
