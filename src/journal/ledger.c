/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources are few and sorted: found by halves. Decisions stand in a table of open addressing, so that each
 * record costs the same whatever is open.
 */
#include "journal/ledger.h"

#include <errno.h>
#include <stdlib.h>

#define MASK (FWA_LEDGER_SLOTS - 1)
_Static_assert((FWA_LEDGER_SLOTS & MASK) == 0, "a power of two");
_Static_assert(FWA_OPEN_DECISIONS_MAX < UINT16_MAX, "an index fits into a slot");

void fwa_ledger_clear(struct fwa_ledger *l)
{
	l->n_sources = l->n_decisions = 0;
	memset(l->slots, 0, sizeof(l->slots));
}

/* --- decisions ------------------------------------------------------------------------------------- */

static uint32_t home(uint64_t source, uint64_t counter)
{
	uint64_t h = (source * 0x9e3779b97f4a7c15u) ^ (counter * 0xc2b2ae3d27d4eb4fu);

	return (uint32_t)(h >> 40) & MASK;
}

/* The slot of the decision, or the empty one where it would be. */
static uint32_t find(const struct fwa_ledger *l, uint64_t source, uint64_t counter)
{
	uint32_t at = home(source, counter);

	while (l->slots[at]) {
		const struct fwa_open_decision *d = &l->decisions[l->slots[at] - 1];

		if (d->source == source && d->counter == counter)
			break;
		at = (at + 1) & MASK;
	}
	return at;
}

static int add_decision(struct fwa_ledger *l, const struct fwa_open_decision *d)
{
	uint32_t at = find(l, d->source, d->counter);

	if (l->slots[at])
		return -EPROTO;
	if (l->n_decisions == FWA_OPEN_DECISIONS_MAX)
		return -EMFILE;
	l->decisions[l->n_decisions++] = *d;
	l->slots[at] = (uint16_t)l->n_decisions;
	return 0;
}

/* Empties slot @at; what stands behind it and could not be found any more moves up. */
static void empty_slot(struct fwa_ledger *l, uint32_t at)
{
	for (uint32_t next = (at + 1) & MASK; l->slots[next]; next = (next + 1) & MASK) {
		const struct fwa_open_decision *d = &l->decisions[l->slots[next] - 1];
		uint32_t wants = home(d->source, d->counter);

		if (((next - wants) & MASK) >= ((next - at) & MASK)) {
			l->slots[at] = l->slots[next];
			at = next;
		}
	}
	l->slots[at] = 0;
}

static void remove_decision(struct fwa_ledger *l, uint32_t at)
{
	uint32_t gone = l->slots[at] - 1u, last = l->n_decisions - 1;
	struct fwa_open_decision *d = &l->decisions[last];

	empty_slot(l, at);
	if (gone != last) {
		l->slots[find(l, d->source, d->counter)] = (uint16_t)(gone + 1);
		l->decisions[gone] = *d;
	}
	l->n_decisions--;
}

const struct fwa_open_decision *fwa_ledger_decision(const struct fwa_ledger *l, uint64_t source,
						    uint64_t counter)
{
	uint16_t slot = l->slots[find(l, source, counter)];

	return slot ? &l->decisions[slot - 1] : NULL;
}

const struct fwa_open_decision *fwa_ledger_first(const struct fwa_ledger *l, uint64_t source)
{
	const struct fwa_open_decision *first = NULL;

	for (uint32_t i = 0; i < l->n_decisions; i++)
		if (l->decisions[i].source == source &&
		    (!first || l->decisions[i].seq < first->seq))
			first = &l->decisions[i];
	return first;
}

static void rebuild_slots(struct fwa_ledger *l)
{
	memset(l->slots, 0, sizeof(l->slots));
	for (uint32_t i = 0; i < l->n_decisions; i++)
		l->slots[find(l, l->decisions[i].source, l->decisions[i].counter)] =
			(uint16_t)(i + 1);
}

/* --- sources ---------------------------------------------------------------------------------------- */

/* The index of the first source whose number is @number or greater. */
static uint32_t source_at(const struct fwa_ledger *l, uint64_t number)
{
	uint32_t low = 0, high = l->n_sources;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (l->sources[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct fwa_open_source *fwa_ledger_source(const struct fwa_ledger *l, uint64_t number)
{
	uint32_t i = source_at(l, number);

	return i < l->n_sources && l->sources[i].number == number ? &l->sources[i] : NULL;
}

const struct fwa_open_source *fwa_ledger_source_by_id(const struct fwa_ledger *l,
						      const uint8_t id[16])
{
	for (uint32_t i = 0; i < l->n_sources; i++)
		if (memcmp(l->sources[i].id, id, 16) == 0)
			return &l->sources[i];
	return NULL;
}

static void remove_source(struct fwa_ledger *l, uint32_t i)
{
	l->n_sources--;
	memmove(&l->sources[i], &l->sources[i + 1], (l->n_sources - i) * sizeof(*l->sources));
}

/* The decisions of a source that was attached again go by its new number. */
static void rename_source(struct fwa_ledger *l, uint64_t from, uint64_t to)
{
	for (uint32_t i = 0; i < l->n_decisions; i++)
		if (l->decisions[i].source == from)
			l->decisions[i].source = to;
	rebuild_slots(l);
}

static int begin_source(struct fwa_ledger *l, const struct fwa_frame *f)
{
	const struct fwa_open_source *before;
	struct fwa_record_source r;
	struct fwa_open_source s = { .number = f->seq };

	if (fwa_record_source_decode(f->body, &r) < 0)
		return -EINVAL;
	if (l->n_sources && l->sources[l->n_sources - 1].number >= f->seq)
		return -EPROTO;
	before = fwa_ledger_source_by_id(l, r.id);
	if (!before && l->n_sources == FWA_OPEN_SOURCES_MAX)
		return -EMFILE;
	if (before && before->counter != r.resumed)
		return -EPROTO;
	if (before) {
		rename_source(l, before->number, f->seq);
		remove_source(l, (uint32_t)(before - l->sources));
	}
	s.counter = r.resumed;
	s.kind = r.kind;
	memcpy(s.id, r.id, sizeof(s.id));
	memcpy(s.name, r.name, sizeof(s.name));
	l->sources[l->n_sources++] = s;
	return 0;
}

static int end_source(struct fwa_ledger *l, const struct fwa_frame *f)
{
	const struct fwa_open_source *s = fwa_ledger_source(l, f->source);

	if (!s || f->counter || fwa_ledger_first(l, f->source))
		return -EPROTO;
	remove_source(l, (uint32_t)(s - l->sources));
	return 0;
}

/* --- records ------------------------------------------------------------------------------------------ */

/* Closes the decision @counter of the frame's source; fills in which record that is. */
static int close_decision(struct fwa_ledger *l, struct fwa_frame *f, uint64_t counter)
{
	uint32_t at = find(l, f->source, counter);
	uint64_t seq;

	if (!l->slots[at])
		return -EPROTO;
	seq = l->decisions[l->slots[at] - 1].seq;
	if (f->refers && f->refers != seq)
		return -EPROTO;
	f->refers = seq;
	remove_decision(l, at);
	return 0;
}

static int of_source(struct fwa_ledger *l, struct fwa_frame *f)
{
	struct fwa_open_source *s = (struct fwa_open_source *)fwa_ledger_source(l, f->source);
	struct fwa_open_decision d = { f->source, f->counter, f->seq };
	uint64_t closes;
	bool admitted;
	int r = 0;

	if (!fwa_record_check(f->kind, f->body, &admitted, &closes))
		return -EINVAL;
	if (!s || (f->counter && f->counter != s->counter + 1))
		return -EPROTO;
	if (f->kind == FWA_RECORD_OUTCOME)
		r = close_decision(l, f, closes);
	else if (f->counter == 0)
		r = -EPROTO;
	else if (admitted)
		r = add_decision(l, &d);
	if (r == 0 && f->counter)
		s->counter = f->counter;
	return r;
}

int fwa_ledger_apply(struct fwa_ledger *l, struct fwa_frame *f)
{
	if (f->kind == FWA_RECORD_SOURCE)
		return begin_source(l, f);
	if (f->kind == FWA_RECORD_SOURCE_END)
		return end_source(l, f);
	if (f->source || f->kind >= FWA_RECORD_DECISION)
		return of_source(l, f);
	return 0;
}

void fwa_ledger_follow(struct fwa_ledger *l, const struct fwa_frame *f)
{
	struct fwa_open_source *s = (struct fwa_open_source *)fwa_ledger_source(l, f->source);
	struct fwa_frame copy = *f;

	if (fwa_ledger_apply(l, &copy) < 0 && s && s->counter < f->counter)
		s->counter = f->counter;
}

/* --- checkpoints ---------------------------------------------------------------------------------------- */

int fwa_ledger_load(struct fwa_ledger *l, const struct fwa_checkpoint *c)
{
	struct fwa_open_decision d;

	fwa_ledger_clear(l);
	for (uint32_t i = 0; i < c->n_sources; i++)
		if (fwa_checkpoint_source(c, i, &l->sources[i]))
			l->n_sources++;
	for (uint32_t i = 0; i < c->n_decisions; i++)
		if (fwa_checkpoint_decision(c, i, &d) && add_decision(l, &d) < 0)
			return -1;
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct fwa_open_decision *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void fwa_ledger_encode(struct fwa_ledger *l, struct fwa_writer *sources,
		       struct fwa_writer *decisions)
{
	for (uint32_t i = 0; i < l->n_sources; i++)
		fwa_open_source_encode(sources, &l->sources[i]);
	qsort(l->decisions, l->n_decisions, sizeof(*l->decisions), by_seq);
	rebuild_slots(l);
	for (uint32_t i = 0; i < l->n_decisions; i++)
		fwa_open_decision_encode(decisions, &l->decisions[i]);
}
