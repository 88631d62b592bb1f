/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes on from record to record: sources and their counters, decisions that wait for their outcome.
 * Written for itself, and not shared with the writer, whose mistakes it is to find. What checkpoints say
 * of it has to be the same.
 */
#include "base/util.h"
#include "journal/verify-private.h"

#define SLOTS (2 * FWA_OPEN_DECISIONS_MAX)
#define MASK (SLOTS - 1)
_Static_assert((SLOTS & MASK) == 0, "a power of two");

struct fwa_follow {
	bool exact; /* nothing is unknown */
	uint32_t n_sources, n_decisions;
	struct fwa_open_source sources[FWA_OPEN_SOURCES_MAX]; /* by number */
	struct fwa_open_decision slots[SLOTS];                /* by hash of seq; seq 0: empty */
};

struct fwa_follow *fwa_follow_new(void)
{
	return calloc(1, sizeof(struct fwa_follow));
}

void fwa_follow_free(struct fwa_follow *f)
{
	free(f);
}

void fwa_follow_reset(struct fwa_follow *f, bool from_nothing)
{
	f->exact = from_nothing;
	f->n_sources = f->n_decisions = 0;
	memset(f->slots, 0, sizeof(f->slots));
}

uint64_t fwa_follow_open(const struct fwa_follow *f)
{
	return f->n_decisions;
}

/* --- decisions ------------------------------------------------------------------------------------ */

static uint32_t home(uint64_t seq)
{
	return (uint32_t)(seq * 0x9e3779b97f4a7c15u >> 40) & MASK;
}

/* Where @seq is, or the empty slot where it would be: half of them always are. */
static uint32_t find(const struct fwa_follow *f, uint64_t seq)
{
	uint32_t i = home(seq);

	while (f->slots[i].seq && f->slots[i].seq != seq)
		i = (i + 1) & MASK;
	return i;
}

static bool open_decision(struct fwa_follow *f, const struct fwa_open_decision *d)
{
	if (f->n_decisions == FWA_OPEN_DECISIONS_MAX)
		return false;
	f->slots[find(f, d->seq)] = *d;
	f->n_decisions++;
	return true;
}

static void close_slot(struct fwa_follow *f, uint32_t at)
{
	for (uint32_t i = (at + 1) & MASK; f->slots[i].seq; i = (i + 1) & MASK) {
		uint32_t wants = home(f->slots[i].seq);

		if (((i - wants) & MASK) >= ((i - at) & MASK)) {
			f->slots[at] = f->slots[i];
			at = i;
		}
	}
	f->slots[at].seq = 0;
	f->n_decisions--;
}

/* How many decisions of source @from are open; they are of source @to from now on. */
static uint32_t count_of(struct fwa_follow *f, uint64_t from, uint64_t to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS && f->n_decisions; i++)
		if (f->slots[i].seq && f->slots[i].source == from) {
			f->slots[i].source = to;
			n++;
		}
	return n;
}

/* --- sources -------------------------------------------------------------------------------------- */

static struct fwa_open_source *source_of(struct fwa_follow *f, uint64_t number)
{
	uint32_t low = 0, high = f->n_sources;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (f->sources[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->n_sources && f->sources[low].number == number ? &f->sources[low] : NULL;
}

static void remove_source(struct fwa_follow *f, struct fwa_open_source *s)
{
	size_t behind = (size_t)(&f->sources[f->n_sources] - (s + 1));

	memmove(s, s + 1, behind * sizeof(*s));
	f->n_sources--;
}

static struct fwa_open_source *source_with(struct fwa_follow *f, const uint8_t id[16])
{
	for (uint32_t i = 0; i < f->n_sources; i++)
		if (memcmp(f->sources[i].id, id, 16) == 0)
			return &f->sources[i];
	return NULL;
}

/* --- records -------------------------------------------------------------------------------------- */

static bool bad(struct fwa_finding *found, enum fwa_verify_fault fault, uint64_t seq,
		const struct fwa_note *n, const char *why)
{
	fwa_found(found, fault, seq, n->offset, "%s", why);
	return false;
}

static bool begin_source(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
			 struct fwa_span body, struct fwa_finding *found)
{
	struct fwa_open_source *before, s = { .number = seq };
	struct fwa_record_source r;

	if (n->source || n->counter || fwa_record_source_decode(body, &r) < 0)
		return bad(found, FWA_FAULT_COUNTER, seq, n, "a source in a source");
	before = source_with(f, r.id);
	if ((before ? before->counter : 0) != r.resumed) {
		fwa_found(found, FWA_FAULT_COUNTER, seq, n->offset,
			  "the source goes on behind its record %llu, but has written %llu",
			  (unsigned long long)r.resumed,
			  (unsigned long long)(before ? before->counter : 0));
		return false;
	}
	if (before) {
		count_of(f, before->number, seq);
		remove_source(f, before);
	}
	if (f->n_sources == FWA_OPEN_SOURCES_MAX)
		return bad(found, FWA_FAULT_COUNTER, seq, n, "more sources than there may be");
	s.counter = r.resumed;
	s.kind = r.kind;
	memcpy(s.id, r.id, sizeof(s.id));
	memcpy(s.name, r.name, sizeof(s.name));
	f->sources[f->n_sources++] = s;
	return true;
}

static bool end_source(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		       struct fwa_finding *found)
{
	struct fwa_open_source *s = source_of(f, n->source);

	if (!s || n->counter)
		return bad(found, FWA_FAULT_COUNTER, seq, n, "a source ends that is not there");
	if (count_of(f, s->number, s->number))
		return bad(found, FWA_FAULT_REFERS, seq, n,
			   "its source ends, and decisions of it have no outcome");
	remove_source(f, s);
	return true;
}

static bool outcome(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		    struct fwa_finding *found)
{
	uint32_t i = find(f, n->refers);
	const struct fwa_open_decision *d = &f->slots[i];

	if (!n->refers || d->seq != n->refers || d->source != n->source ||
	    d->counter != n->closes) {
		fwa_found(found, FWA_FAULT_REFERS, seq, n->offset,
			  "it is the outcome of record %llu, which waits for none",
			  (unsigned long long)n->refers);
		return false;
	}
	close_slot(f, i);
	return true;
}

static bool of_source(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		      struct fwa_finding *found)
{
	struct fwa_open_decision d = { n->source, n->counter, seq };
	struct fwa_open_source *s = source_of(f, n->source);
	/* What the journal says in the place of a source that is gone has no counter. */
	bool in_place = n->kind == FWA_RECORD_OUTCOME && !n->counter;

	if (!s)
		return bad(found, FWA_FAULT_COUNTER, seq, n, "its source is not there");
	if (!in_place && n->counter != s->counter + 1) {
		fwa_found(found, FWA_FAULT_COUNTER, seq, n->offset,
			  "its source has written %llu records before, this is its record %llu",
			  (unsigned long long)s->counter, (unsigned long long)n->counter);
		return false;
	}
	if (!in_place)
		s->counter++;
	if (n->kind == FWA_RECORD_OUTCOME)
		return outcome(f, seq, n, found);
	if (n->admitted && !open_decision(f, &d))
		return bad(found, FWA_FAULT_REFERS, seq, n,
			   "more decisions without an outcome than there may be");
	return true;
}

/* --- checkpoints ---------------------------------------------------------------------------------- */

static bool same_source(const struct fwa_open_source *a, const struct fwa_open_source *b)
{
	return a->number == b->number && a->counter == b->counter && a->kind == b->kind &&
	       memcmp(a->id, b->id, sizeof(a->id)) == 0 &&
	       memcmp(a->name, b->name, sizeof(a->name)) == 0;
}

static bool same_sources(const struct fwa_follow *f, const struct fwa_checkpoint *c)
{
	struct fwa_open_source s;

	if (c->n_sources != f->n_sources)
		return false;
	for (uint32_t i = 0; i < c->n_sources; i++)
		if (!fwa_checkpoint_source(c, i, &s) || !same_source(&s, &f->sources[i]))
			return false;
	return true;
}

static bool same_decisions(const struct fwa_follow *f, const struct fwa_checkpoint *c)
{
	struct fwa_open_decision d;

	if (c->n_decisions != f->n_decisions)
		return false;
	for (uint32_t i = 0; i < c->n_decisions; i++) {
		const struct fwa_open_decision *known;

		if (!fwa_checkpoint_decision(c, i, &d))
			return false;
		known = &f->slots[find(f, d.seq)];
		if (known->seq != d.seq || known->source != d.source || known->counter != d.counter)
			return false;
	}
	return true;
}

static void take_over(struct fwa_follow *f, const struct fwa_checkpoint *c)
{
	struct fwa_open_decision d;

	fwa_follow_reset(f, true);
	for (uint32_t i = 0; i < c->n_sources; i++)
		if (fwa_checkpoint_source(c, i, &f->sources[f->n_sources]))
			f->n_sources++;
	for (uint32_t i = 0; i < c->n_decisions; i++)
		if (fwa_checkpoint_decision(c, i, &d))
			open_decision(f, &d);
}

static bool checkpoint(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		       struct fwa_span body, struct fwa_finding *found)
{
	struct fwa_checkpoint c;

	if (fwa_checkpoint_decode(body, &c) < 0)
		return bad(found, FWA_FAULT_BODY, seq, n, "its body is no checkpoint");
	if (!f->exact)
		take_over(f, &c);
	else if (!same_sources(f, &c))
		return bad(found, FWA_FAULT_COUNTER, seq, n, "it lists other sources");
	else if (!same_decisions(f, &c))
		return bad(found, FWA_FAULT_REFERS, seq, n,
			   "it lists other decisions without an outcome");
	return true;
}

bool fwa_follow_take(struct fwa_follow *f, uint64_t seq, const struct fwa_note *n,
		     struct fwa_span body, struct fwa_finding *found)
{
	if (n->kind == FWA_RECORD_CHECKPOINT)
		return checkpoint(f, seq, n, body, found);
	if (!f->exact)
		return true;
	if (n->kind == FWA_RECORD_SOURCE)
		return begin_source(f, seq, n, body, found);
	if (n->kind == FWA_RECORD_SOURCE_END)
		return end_source(f, seq, n, found);
	if (n->source || n->counter ||
	    (n->kind >= FWA_RECORD_DECISION && fwa_record_kind_name(n->kind)))
		return of_source(f, seq, n, found);
	return true;
}
