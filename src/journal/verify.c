/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A journal as a whole: segment behind segment, and what only the whole shows: segments that are missing,
 * checkpoints that were kept elsewhere, a writer that writes just now.
 *
 * Of one record these are looked at in this order, and the first fault is the one that is told: frame, number,
 * hash, body; of a checkpoint its statement, tree, key and signature; how long nothing was signed; counters and
 * outcomes; what was kept elsewhere.
 *
 *= spec/SECURITY-MODEL.md#C32
 */
#include "journal/verify.h"

#include <errno.h>
#include <time.h>

#include "base/util.h"
#include "journal/verify-private.h"

#define TRIES 200u /* at what is not complete while somebody writes, a bit of time between them */
#define A_BIT_NS 5000000
#define RESTARTS 5u /* when what was read has been taken back */

static const struct {
	const char *name, *text;
} faults[FWA_FAULT_COUNT] = {
	[FWA_FAULT_NONE] = { "none", "nothing is wrong" },
	[FWA_FAULT_HEADER] = { "header", "the beginning of its file is damaged, or of another "
					 "journal or version" },
	[FWA_FAULT_GAP] = { "gap", "records are missing that were not retired" },
	[FWA_FAULT_FRAME] = { "frame", "here was a record that was cut off or overwritten" },
	[FWA_FAULT_HASH] = { "hash", "the chain is broken: this was changed" },
	[FWA_FAULT_SEQUENCE] = { "sequence", "another record stands in this one's place" },
	[FWA_FAULT_COUNTER] = { "counter", "records of a source are missing" },
	[FWA_FAULT_BODY] = { "body", "what the record says is no record of its kind" },
	[FWA_FAULT_REFERS] = { "refers", "a decision has no outcome, or an outcome no decision" },
	[FWA_FAULT_ROOT] = { "root", "the checkpoint was signed over something else" },
	[FWA_FAULT_SIGNATURE] = { "signature", "the checkpoint's signature is wrong" },
	[FWA_FAULT_KEY] = { "key", "it is signed by another key than the expected one" },
	[FWA_FAULT_CHECKPOINT] = { "checkpoint",
				   "a checkpoint that was kept elsewhere is not in it: "
				   "it was rolled back or forked" },
	[FWA_FAULT_UNSIGNED] = { "unsigned", "more records follow a checkpoint than there may be" },
	[FWA_FAULT_TRAILING] = { "trailing", "there are bytes behind the end" },
};

const char *fwa_fault_name(unsigned int fault)
{
	return fault < FWA_FAULT_COUNT ? faults[fault].name : NULL;
}

const char *fwa_fault_text(unsigned int fault)
{
	return fault < FWA_FAULT_COUNT ? faults[fault].text : NULL;
}

/* --- gaps ----------------------------------------------------------------------------------------- */

void fwa_verify_retired(struct fwa_verification *v, struct fwa_span body)
{
	struct fwa_record_retired r;

	if (fwa_record_retired_decode(body, &r) < 0)
		return;
	if (r.last > v->retired)
		v->retired = r.last;
	for (size_t i = 0; i < v->n_gaps; i++)
		if (r.last == v->gaps[i].to &&
		    memcmp(r.last_hash, v->gaps[i].before, FWA_HASH_LEN) == 0)
			v->gaps[i].allowed = true;
}

static bool all_allowed(const struct fwa_verification *v)
{
	for (size_t i = 0; i < v->n_gaps; i++)
		if (!v->gaps[i].allowed)
			return false;
	return true;
}

/* What was not read for being out of the range, or behind a fault, may say that a gap is none. */
static int look_for_retired(struct fwa_verification *v)
{
	struct fwa_cursor *c = fwa_cursor_new(v->j);
	struct fwa_frame f;
	int r;

	if (!c)
		return -ENOMEM;
	r = fwa_cursor_seek(c, v->seq);
	while (r >= 0 && !all_allowed(v) && (r = fwa_cursor_next(c, &f)) != 0) {
		if (r > 0 && f.kind == FWA_RECORD_RETIRED)
			fwa_verify_retired(v, f.body);
		if (r == -EBADMSG)
			r = 0;
	}
	fwa_cursor_free(c);
	return r < 0 ? r : 0;
}

/* A gap that nothing allows comes before whatever was found behind it. */
static int judge_gaps(struct fwa_verification *v)
{
	int r = all_allowed(v) ? 0 : look_for_retired(v);

	for (size_t i = 0; i < v->n_gaps && r == 0; i++) {
		const struct fwa_gap *g = &v->gaps[i];
		uint64_t from = g->from;

		if (g->allowed)
			continue;
		if (v->retired >= from && v->retired < g->to)
			from = v->retired + 1;
		fwa_segment_file_name(g->to + 1, v->v->segment);
		fwa_found(&v->found, FWA_FAULT_GAP, from, 0, "records %llu to %llu are missing",
			  (unsigned long long)from, (unsigned long long)g->to);
		break;
	}
	return r;
}

/* --- what was kept -------------------------------------------------------------------------------- */

const struct fwa_statement *fwa_verify_kept(const struct fwa_verification *v, uint64_t seq)
{
	for (size_t i = 0; i < v->o->n_kept; i++)
		if (v->o->kept[i].seq == seq)
			return &v->o->kept[i];
	return NULL;
}

/* The range holds all that was kept. */
static void widen(struct fwa_verification *v)
{
	v->from = v->o->from;
	v->to = v->o->to ? v->o->to : UINT64_MAX;
	for (size_t i = 0; i < v->o->n_kept; i++) {
		uint64_t seq = v->o->kept[i].seq;

		if (seq < v->from)
			v->from = seq;
		if (seq > v->to)
			v->to = seq;
	}
}

/* Whether what was kept of record @seq cannot be compared: that was retired. */
static bool is_gone(const struct fwa_verification *v, uint64_t seq)
{
	for (size_t i = 0; i < v->n_gaps; i++)
		if (seq >= v->gaps[i].from && seq <= v->gaps[i].to)
			return true;
	return seq < v->v->first;
}

/* At the end: what was kept of records that are not there. */
static void judge_kept(struct fwa_verification *v)
{
	for (size_t i = 0; i < v->o->n_kept; i++) {
		const struct fwa_statement *s = &v->o->kept[i];

		v->v->kept_gone += is_gone(v, s->seq);
		if (s->seq < v->seq || v->found.fault)
			continue;
		fwa_found(&v->found, FWA_FAULT_CHECKPOINT, v->seq, v->at,
			  "checkpoint %llu was kept, and the journal ends before",
			  (unsigned long long)s->seq);
	}
}

/* --- segments ------------------------------------------------------------------------------------- */

static bool bad_segment(struct fwa_verification *v, enum fwa_verify_fault fault, uint64_t bad,
			const char *why)
{
	fwa_found(&v->found, fault, bad, 0, "%s", why);
	return false;
}

/* The first segment says which journal, and by which key, unless that is known. */
static bool begin(struct fwa_verification *v, const struct fwa_segment *s)
{
	static const uint8_t zeroes[FWA_HASH_LEN];

	memcpy(v->journal, s->journal, sizeof(v->journal));
	memcpy(v->key, v->o->key ? v->o->key : s->key, FWA_KEY_LEN);
	memcpy(v->v->key, v->key, FWA_KEY_LEN);
	v->begun = true;
	v->v->first = v->seq = s->first;
	for (size_t i = 0; i < v->o->n_kept; i++)
		if (memcmp(v->o->kept[i].journal, s->journal, sizeof(s->journal)) != 0)
			return bad_segment(v, FWA_FAULT_CHECKPOINT, s->first,
					   "a checkpoint of another journal was kept");
	if (s->first > 1)
		return true;
	if (memcmp(s->before, zeroes, sizeof(zeroes)) != 0)
		return bad_segment(v, FWA_FAULT_HASH, s->first,
				   "there is no record before, but the hash of one");
	fwa_leaves_begin(v, 1, NULL, true);
	fwa_follow_reset(v->follow, true);
	return true;
}

/* Numbers before @s are missing. What goes on from record to record is unknown until the next checkpoint. */
static bool note_gap(struct fwa_verification *v, const struct fwa_segment *s, uint64_t from)
{
	struct fwa_gap *g = &v->gaps[v->n_gaps];

	if (v->n_gaps == FWA_GAPS_MAX)
		return bad_segment(v, FWA_FAULT_GAP, from, "too many records are missing");
	v->n_gaps++;
	*g = (struct fwa_gap){ .from = from, .to = s->first - 1 };
	memcpy(g->before, s->before, FWA_HASH_LEN);
	fwa_leaves_begin(v, s->first - 1, s->before, false);
	fwa_follow_reset(v->follow, false);
	v->seq = s->first;
	return true;
}

static bool check_header(struct fwa_verification *v, const struct fwa_segment *s)
{
	bool begins = !v->begun;
	uint64_t from = begins ? 1 : v->seq;

	if (begins && !begin(v, s))
		return false;
	if (memcmp(s->journal, v->journal, sizeof(v->journal)) != 0)
		return bad_segment(v, FWA_FAULT_HEADER, from, "it is a segment of another journal");
	if (memcmp(s->key, v->key, FWA_KEY_LEN) != 0)
		return bad_segment(v, FWA_FAULT_KEY, s->first, "its header names another key");
	if (s->first > from)
		return note_gap(v, s, from);
	if (!begins && memcmp(s->before, v->hash, FWA_HASH_LEN) != 0)
		return bad_segment(v, FWA_FAULT_HASH, s->first,
				   "it does not follow the segment before it");
	return true;
}

/* What a later version would begin with. */
static bool newer(struct fwa_span header)
{
	return header.len >= FWA_SEGMENT_LEN && memcmp(header.data, "FWJSEG", 6) == 0 &&
	       header.data[6] > '1' && header.data[6] <= '9';
}

/* Goes to the front of segment @first. 1, 0 with a fault or (no fault) when it is not there yet; -errno. */
static int enter(struct fwa_verification *v, uint64_t first)
{
	struct fwa_segment s;
	int r;

	fwa_map_close(&v->map);
	v->first = first;
	v->next = fwa_journal_after(v->j, first);
	fwa_segment_file_name(first, v->v->segment);
	r = fwa_map_open(v->j->dirfd, v->v->segment, &v->map);
	if (r < 0 && r != -EINVAL && r != -ELOOP)
		return r;
	if (r == 0 && !v->next && fwa_segment_unmade(v->map.bytes, first))
		return 0;
	if (r < 0 || v->map.bytes.len < FWA_SEGMENT_LEN ||
	    fwa_segment_decode(fwa_span(v->map.bytes.data, FWA_SEGMENT_LEN), &s) < 0 ||
	    s.first != first) {
		bad_segment(v, FWA_FAULT_HEADER, v->begun ? v->seq : first,
			    newer(v->map.bytes) ? "its format is that of a newer version of fwadmit"
						: "it has no header");
		return 0;
	}
	v->at = FWA_SEGMENT_LEN;
	fwa_segment_hash(v->map.bytes.data, v->head);
	memcpy(v->before, s.before, FWA_HASH_LEN);
	v->handed_over = false;
	return check_header(v, &s);
}

/* --- the end of a segment --------------------------------------------------------------------------- */

/* Whether there are only zeroes from @at on; *ret_at: where there is something else. */
static bool zero_from(struct fwa_span s, size_t at, size_t *ret_at)
{
	const uint8_t *p = s.data + at;

	if (at == s.len || (!*p && memcmp(p, p + 1, s.len - at - 1) == 0))
		return true;
	while (!s.data[at])
		at++;
	*ret_at = at;
	return false;
}

/*
 * Behind the records there is nothing; except where the next segment goes on with the next number though
 * nothing was handed over: there a writer could not take back what it had not made durable.
 */
static bool check_rest(struct fwa_verification *v)
{
	size_t at;

	if ((v->next == v->seq && !v->handed_over) || zero_from(v->map.bytes, v->at, &at))
		return true;
	fwa_found(&v->found, FWA_FAULT_TRAILING, v->seq, at,
		  "there is something behind the last record");
	return false;
}

static bool may_be_incomplete(enum fwa_verify_fault fault)
{
	return fault == FWA_FAULT_FRAME || fault == FWA_FAULT_SEQUENCE || fault == FWA_FAULT_HASH ||
	       fault == FWA_FAULT_TRAILING;
}

/* Whether it is worth to look once more: somebody writes here, and what is read is the last that there is. */
static int try_again(struct fwa_verification *v)
{
	static const struct timespec a_bit = { .tv_nsec = A_BIT_NS };
	int r;

	if (v->next || !may_be_incomplete(v->found.fault) || v->tries++ >= TRIES ||
	    !fwa_journal_is_written(v->j))
		return 0;
	nanosleep(&a_bit, NULL);
	r = fwa_journal_look(v->j);
	if (r == 0)
		r = fwa_map_grow(&v->map);
	if (r < 0)
		return r;
	v->next = fwa_journal_after(v->j, v->first);
	v->found.fault = FWA_FAULT_NONE;
	return v->next && v->next < v->seq ? -EAGAIN : 1;
}

/* Verifies the rest of the segment. 1 when it is good, 0 with a fault, -errno. */
static int verify_segment(struct fwa_verification *v)
{
	for (;;) {
		bool good = fwa_verify_records(v) && (v->done || check_rest(v));
		uint64_t before = v->next;
		int r;

		if (!good) {
			r = try_again(v);
			if (r <= 0)
				return r;
			continue;
		}
		if (v->done || v->next)
			return 1;
		/* With a next one by now, the last records may have come just before that. */
		r = fwa_journal_look(v->j);
		v->next = fwa_journal_after(v->j, v->first);
		if (r == 0 && v->next != before)
			r = v->next < v->seq ? -EAGAIN : fwa_map_grow(&v->map);
		if (r < 0)
			return r;
		if (v->next == before)
			return 1;
	}
}

/* --- from where ------------------------------------------------------------------------------------- */

/* Finds the last checkpoint before v->from: the segment it is in, its place and number. 1, 0: none, -errno. */
static int find_start(struct fwa_verification *v, uint64_t *ret_segment, uint64_t *ret_at,
		      uint64_t *ret_seq)
{
	struct fwa_cursor *c = fwa_cursor_new(v->j);
	struct fwa_frame f;
	int r;

	if (!c)
		return -ENOMEM;
	r = fwa_cursor_seek(c, v->from);
	while (r >= 0 && (r = fwa_cursor_previous(c, &f)) != 0) {
		if (r > 0 && f.kind == FWA_RECORD_CHECKPOINT && f.seq < v->from) {
			fwa_cursor_place(c, ret_segment, ret_at);
			*ret_seq = f.seq;
			break;
		}
		if (r == -EBADMSG)
			r = 0;
	}
	fwa_cursor_free(c);
	return r;
}

/* Begins at a checkpoint: the hash before it is taken for good, and so is what it says is open. */
static bool begin_at(struct fwa_verification *v, uint64_t at, uint64_t seq)
{
	if (v->map.bytes.len < at)
		return bad_segment(v, FWA_FAULT_FRAME, seq, "it is gone");
	v->n_gaps = 0;
	v->at = (size_t)at;
	v->v->first = v->seq = seq;
	fwa_leaves_begin(v, seq - 1,
			 at > FWA_SEGMENT_LEN ? v->map.bytes.data + at - FWA_HASH_LEN : v->before,
			 false);
	fwa_follow_reset(v->follow, false);
	return true;
}

/* 1 when there is something to verify, 0 with a fault or when there is nothing, -errno. */
static int start(struct fwa_verification *v)
{
	uint64_t segment = 0, at = 0, seq = 0;
	int r = 0;

	if (v->from > 1)
		r = find_start(v, &segment, &at, &seq);
	if (r >= 0)
		r = fwa_journal_look(v->j) < 0 ? -EIO : r;
	if (r < 0)
		return r;
	if (r == 0)
		segment = fwa_journal_holding(v->j, 0);
	if (!segment)
		return 0;
	r = enter(v, segment);
	if (r == -ENOENT)
		return -EAGAIN;
	if (r > 0 && at)
		return begin_at(v, at, seq);
	return r;
}

/* --- all of it -------------------------------------------------------------------------------------- */

static int verify_all(struct fwa_verification *v)
{
	int r = start(v);

	while (r > 0 && (r = verify_segment(v)) > 0 && !v->done && v->next) {
		r = enter(v, v->next);
		/* Retired meanwhile, and more with it. */
		if (r == -ENOENT)
			return -EAGAIN;
	}
	return r < 0 ? r : 0;
}

static void tell(struct fwa_verification *v)
{
	struct fwa_verified *ret = v->v;

	ret->fault = v->found.fault;
	ret->last = v->seq - 1;
	ret->open = fwa_follow_open(v->follow);
	if (!ret->fault) {
		ret->segment[0] = '\0';
		return;
	}
	ret->bad = v->found.bad;
	ret->offset = v->found.offset;
	memcpy(ret->why, v->found.why, sizeof(ret->why));
}

/* Once; -EAGAIN when what was read has been taken back or retired meanwhile. */
static int verify_once(struct fwa_verification *v)
{
	int r = verify_all(v);

	if (r == 0 && v->n_gaps)
		r = judge_gaps(v);
	if (r == 0 && !v->found.fault)
		judge_kept(v);
	if (r == 0)
		tell(v);
	fwa_map_close(&v->map);
	return r;
}

int fwa_verify(struct fwa_journal *j, const struct fwa_verify_options *o, struct fwa_verified *ret)
{
	struct fwa_pool *pool = fwa_pool_new(o->threads);
	struct fwa_follow *follow = fwa_follow_new();
	fwa_auto_free struct fwa_verification *v = malloc(sizeof(*v));
	int r = pool && follow && v ? -EAGAIN : -ENOMEM;

	for (unsigned int i = 0; i < RESTARTS && r == -EAGAIN; i++) {
		memset(v, 0, sizeof(*v));
		*ret = (struct fwa_verified){ 0 };
		v->j = j;
		v->o = o;
		v->v = ret;
		v->pool = pool;
		v->follow = follow;
		v->map = (struct fwa_map)FWA_MAP_NONE;
		v->seq = 1;
		widen(v);
		r = verify_once(v);
	}
	fwa_follow_free(follow);
	fwa_pool_free(pool);
	return r;
}
