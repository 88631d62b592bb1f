/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a writer before has left.
 *
 * Of what was written in its last FWA_STORE_UNSYNCED_MAX bytes any part may be missing, also before a part
 * that is there. So hashing begins at a checkpoint that is further back than that, found by the lengths of
 * records alone; where the segment has none, at its beginning; and what is open at its beginning, when it
 * does not begin with a checkpoint, is read from the segments before.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "journal/scan.h"
#include "journal/sha256.h"
#include "journal/store-internal.h"

/* Zeroes ahead of records are never more. */
#define TAIL_MAX (16u * 1024 * 1024)
/* As many checkpoints as FWA_STORE_UNSYNCED_MAX bytes can hold, and more. */
#define MARKS 4096u
#define FIRST_MAX (UINT64_C(1) << 62)

struct mark {
	uint64_t offset, end, seq;
};

/* A segment that is being read. */
struct reading {
	struct fwa_scan scan;
	int fd;
	uint8_t bytes[FWA_SEGMENT_LEN];
	struct fwa_segment header;
	struct mark marks[MARKS]; /* the last checkpoints, by their place modulo */
	size_t n_marks;
	uint64_t hopped; /* the offset behind the last record that looks like one */
	uint64_t last;   /* and its number */
	struct fwa_record_retired retired;
	uint64_t retired_seq;
};

struct recovery {
	struct fwa_store *s;
	struct reading *in;
	uint64_t damaged;
	uint64_t cut_offset, cut_bytes;
	uint8_t cut_sha256[FWA_HASH_LEN];
	uint8_t why; /* of the last record, when it is a checkpoint; else FWA_CHECKPOINT_WHYS */
};

/* --- opening files ----------------------------------------------------------------------------------- */

/* 0 with @in open, whatever its header is; or negative errno. */
static int open_reading(struct fwa_store *s, uint64_t first, struct reading *in)
{
	char name[FWA_SEGMENT_NAME];
	struct fwa_span bytes;
	int r;

	fwa_segment_name(first, name);
	in->n_marks = 0;
	in->retired_seq = 0;
	in->fd = s->fs.open(&s->fs, name, false);
	if (in->fd < 0)
		return in->fd;
	r = fwa_scan_open(&in->scan, &s->fs, in->fd);
	if (r == 0)
		r = fwa_scan_bytes(&in->scan, 0, &bytes);
	if (r < 0) {
		fwa_scan_close(&in->scan);
		s->fs.close(&s->fs, in->fd);
		return r;
	}
	memset(in->bytes, 0, sizeof(in->bytes));
	memcpy(in->bytes, bytes.data, bytes.len < FWA_SEGMENT_LEN ? bytes.len : FWA_SEGMENT_LEN);
	return 0;
}

static void close_reading(struct fwa_store *s, struct reading *in)
{
	fwa_scan_close(&in->scan);
	s->fs.close(&s->fs, in->fd);
}

/* The header, when it is one and belongs to the file's name. */
static bool good_header(struct reading *in, uint64_t first)
{
	return fwa_segment_decode(fwa_span(in->bytes, FWA_SEGMENT_LEN), &in->header) == 0 &&
	       in->header.first == first && first < FIRST_MAX;
}

static bool all_zero(struct fwa_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i])
			return false;
	return true;
}

/* The offset behind the last byte from @from on that is not zero; @from when there is none. */
static int find_end(struct reading *in, uint64_t from, uint64_t *ret)
{
	uint64_t end = from;
	struct fwa_span bytes;

	for (uint64_t at = from; at < in->scan.size; at += bytes.len) {
		int r = fwa_scan_bytes(&in->scan, at, &bytes);

		if (r < 0)
			return r;
		if (bytes.len == 0)
			break;
		if (all_zero(bytes))
			continue;
		end = at + bytes.len;
		while (bytes.data[end - at - 1] == 0)
			end--;
	}
	*ret = end;
	return 0;
}

/* --- the list of segments -------------------------------------------------------------------------------- */

struct listing {
	struct fwa_store *s;
	int error;
};

static void list_one(void *arg, const char *name)
{
	struct listing *l = arg;
	uint64_t first = fwa_segment_number(name);
	struct fwa_store_segment *segment;

	if (first == 0 || l->error)
		return;
	segment = l->s->n_segments < FWA_SEGMENTS_MAX ? fwa_store_add_segment(l->s) : NULL;
	if (segment)
		segment->first = first;
	else
		l->error = l->s->n_segments < FWA_SEGMENTS_MAX ? -ENOMEM : -E2BIG;
}

static int by_first(const void *a, const void *b)
{
	const struct fwa_store_segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* What the list has to know of each file. */
static int look_at(struct fwa_store *s, struct fwa_store_segment *segment, struct reading *in)
{
	int r = open_reading(s, segment->first, in);

	if (r < 0)
		return r;
	segment->bytes = in->scan.size;
	segment->readable = good_header(in, segment->first);
	if (segment->readable) {
		segment->created = in->header.created;
		memcpy(segment->before, in->header.before, FWA_HASH_LEN);
	}
	close_reading(s, in);
	return 0;
}

static int list_segments(struct fwa_store *s, struct reading *in)
{
	struct listing l = { .s = s };
	int r = s->fs.list(&s->fs, list_one, &l);

	if (r < 0 || l.error)
		return r < 0 ? r : l.error;
	if (s->n_segments)
		qsort(s->segments, s->n_segments, sizeof(*s->segments), by_first);
	for (size_t i = 0; i < s->n_segments && r == 0; i++)
		r = look_at(s, &s->segments[i], in);
	return r;
}

/* --- hopping from record to record ----------------------------------------------------------------------- */

static int note(struct recovery *rec, uint64_t segment, const struct fwa_frame *f, uint64_t offset)
{
	struct reading *in = rec->in;

	if (f->kind == FWA_RECORD_CHECKPOINT)
		in->marks[in->n_marks++ % MARKS] = (struct mark){ offset, offset + f->len, f->seq };
	if (f->kind == FWA_RECORD_RETIRED && fwa_record_retired_decode(f->body, &in->retired) == 0)
		in->retired_seq = f->seq;
	if (f->kind == FWA_RECORD_OBJECT)
		return fwa_store_name_object(rec->s, segment, f->body);
	return 0;
}

/* By lengths and numbers alone, up to number @until. */
static int hop(struct recovery *rec, uint64_t until)
{
	struct reading *in = rec->in;
	struct fwa_span bytes;
	struct fwa_frame f;
	int r;

	in->hopped = FWA_SEGMENT_LEN;
	in->last = in->header.first - 1;
	while ((r = fwa_scan_frame(&in->scan, in->hopped, &bytes, &f)) == 1) {
		if (f.seq != in->last + 1 || f.seq > until)
			return 0;
		r = note(rec, in->header.first, &f, in->hopped);
		if (r < 0)
			return r;
		in->hopped += f.len;
		in->last = f.seq;
	}
	return r;
}

/* The last checkpoint whose record ends at @end or before; false when there is none that is known. */
static bool last_mark(const struct reading *in, uint64_t end, struct mark *ret)
{
	size_t oldest = in->n_marks > MARKS ? in->n_marks - MARKS : 0;

	for (size_t i = in->n_marks; i > oldest; i--) {
		*ret = in->marks[(i - 1) % MARKS];
		if (ret->end <= end)
			return true;
	}
	return false;
}

/* --- reading with hashes ------------------------------------------------------------------------------------ */

static void load_checkpoint(struct recovery *rec, const struct fwa_frame *f)
{
	struct fwa_checkpoint ck;

	rec->why = FWA_CHECKPOINT_WHYS;
	if (fwa_checkpoint_decode(f->body, &ck) < 0)
		return;
	rec->why = ck.why;
	if (fwa_ledger_load(&rec->s->ledger, &ck) < 0)
		fwa_ledger_clear(&rec->s->ledger);
}

static void take(struct recovery *rec, const struct fwa_frame *f)
{
	struct fwa_store *s = rec->s;
	bool checkpoint = f->kind == FWA_RECORD_CHECKPOINT;

	rec->why = FWA_CHECKPOINT_WHYS;
	if (checkpoint)
		load_checkpoint(rec, f);
	else
		fwa_ledger_follow(&s->ledger, f);
	fwa_chain_add(&s->now, f->seq, checkpoint);
	s->now.offset += f->len;
}

/* Reads on from s->now up to number @until, as far as the chain holds. 0 or negative errno. */
static int follow(struct recovery *rec, uint64_t until)
{
	struct fwa_store_chain *c = &rec->s->now;
	uint8_t hash[FWA_HASH_LEN];
	struct fwa_span bytes;
	struct fwa_frame f;
	int r;

	while (c->last < until &&
	       (r = fwa_scan_frame(&rec->in->scan, c->offset, &bytes, &f)) != 0) {
		if (r < 0)
			return r;
		memcpy(hash, c->hash, sizeof(hash));
		if (f.seq != c->last + 1 || !fwa_frame_verify(bytes, &f, hash))
			break;
		memcpy(c->hash, hash, sizeof(hash));
		take(rec, &f);
	}
	return 0;
}

/* Whether the record at @m is a checkpoint of this journal that is signed; then reading begins there. */
static bool begin_at_mark(struct recovery *rec, const struct mark *m)
{
	struct fwa_store_chain *c = &rec->s->now;
	const struct fwa_segment *h = &rec->in->header;
	uint8_t statement[FWA_STATEMENT_LEN], hash[FWA_HASH_LEN];
	struct fwa_checkpoint ck;
	struct fwa_span bytes;
	struct fwa_frame f;

	if (fwa_scan_frame(&rec->in->scan, m->offset, &bytes, &f) != 1 ||
	    fwa_checkpoint_decode(f.body, &ck) < 0 || ck.statement.seq != f.seq ||
	    memcmp(ck.statement.journal, h->journal, sizeof(h->journal)) != 0 ||
	    memcmp(ck.statement.key, h->key, FWA_KEY_LEN) != 0)
		return false;
	memcpy(hash, ck.statement.head, FWA_HASH_LEN);
	fwa_statement_encode(statement, &ck.statement);
	if (!fwa_frame_verify(bytes, &f, hash) ||
	    !fwa_signed_by(h->key, fwa_span(statement, sizeof(statement)), ck.signature))
		return false;
	c->last = f.seq - 1;
	c->offset = m->offset;
	memcpy(c->hash, ck.statement.head, FWA_HASH_LEN);
	return true;
}

static void begin_at_front(struct recovery *rec)
{
	struct fwa_store_chain *c = &rec->s->now;

	fwa_segment_hash(rec->in->bytes, c->hash);
	memcpy(c->record, rec->in->header.before, FWA_HASH_LEN);
	c->last = rec->in->header.first - 1;
	c->offset = FWA_SEGMENT_LEN;
}

/* Whether the segment's first record is a checkpoint that can be relied on. */
static bool begins_with_checkpoint(struct recovery *rec)
{
	struct fwa_span bytes;
	struct fwa_frame f;
	struct fwa_checkpoint ck;
	uint8_t hash[FWA_HASH_LEN];

	fwa_segment_hash(rec->in->bytes, hash);
	return fwa_scan_frame(&rec->in->scan, FWA_SEGMENT_LEN, &bytes, &f) == 1 &&
	       f.kind == FWA_RECORD_CHECKPOINT && f.seq == rec->in->header.first &&
	       fwa_frame_verify(bytes, &f, hash) && fwa_checkpoint_decode(f.body, &ck) == 0;
}

/* --- segments before the last ---------------------------------------------------------------------------------- */

static void note_damage(struct recovery *rec, uint64_t seq)
{
	if (rec->damaged == 0)
		rec->damaged = seq;
	fwa_chain_reset(&rec->s->now);
}

/*
 * Reads segment @i, which is not the last, to its end: from its last checkpoint when @begin and it has one.
 * 1, 0 when it had none and nothing was read, or negative errno.
 */
static int read_earlier(struct recovery *rec, size_t i, bool begin)
{
	struct fwa_store *s = rec->s;
	const struct fwa_store_segment *next = &s->segments[i + 1];
	struct mark m;
	int r = open_reading(s, s->segments[i].first, rec->in);

	if (r < 0)
		return r;
	if (!good_header(rec->in, s->segments[i].first)) {
		close_reading(s, rec->in);
		return 0;
	}
	r = begin ? hop(rec, next->first - 1) : 0;
	if (r == 0 && !begin)
		begin_at_front(rec);
	if (r == 0 && (!begin || (last_mark(rec->in, UINT64_MAX, &m) && begin_at_mark(rec, &m)))) {
		r = follow(rec, next->first - 1);
		if (r == 0 && (s->now.last != next->first - 1 ||
			       memcmp(s->now.record, next->before, FWA_HASH_LEN) != 0))
			note_damage(rec, s->now.last + 1);
		r = r < 0 ? r : 1;
	}
	close_reading(s, rec->in);
	return r;
}

/* What was open when the last segment began, from as few segments before it as say it. */
static int read_before(struct recovery *rec)
{
	struct fwa_store *s = rec->s;
	size_t last = s->n_segments - 1, i = last;
	int r = 0;

	while (i > 0 && r == 0)
		r = read_earlier(rec, --i, true);
	if (r < 0 || last == 0)
		return r;
	/* None has a checkpoint: then from the front of the oldest. */
	for (i += r == 1; r >= 0 && i < last; i++)
		r = read_earlier(rec, i, false);
	return r < 0 ? r : 0;
}

/* --- the last segment ---------------------------------------------------------------------------------------------- */

/*
 * Opens the last segment. A file that was only being made is removed: it is none, and the one before is the
 * last. 1 with it, 0 when there is no segment, or negative errno.
 */
static int open_last(struct recovery *rec)
{
	struct fwa_store *s = rec->s;
	char name[FWA_SEGMENT_NAME];
	uint64_t end;
	int r;

	while (s->n_segments) {
		uint64_t first = s->segments[s->n_segments - 1].first;

		r = open_reading(s, first, rec->in);
		if (r < 0)
			return r;
		if (good_header(rec->in, first))
			return 1;
		r = rec->in->scan.size > FWA_FILL_MIN ? -EBADMSG
						      : find_end(rec->in, FWA_SEGMENT_LEN, &end);
		close_reading(s, rec->in);
		if (r < 0 || end > FWA_SEGMENT_LEN)
			return r < 0 ? r : -EBADMSG;
		fwa_segment_name(first, name);
		r = s->fs.remove(&s->fs, name);
		if (r == 0)
			r = s->fs.sync_dir(&s->fs);
		if (r < 0)
			return r;
		s->n_segments--;
	}
	return 0;
}

/* Reads the last segment from where that is safe, and what came before when that is needed. */
static int read_last(struct recovery *rec)
{
	struct fwa_store *s = rec->s;
	struct reading *in = rec->in;
	struct fwa_segment header = in->header;
	struct mark m;
	int r = hop(rec, UINT64_MAX);

	if (r < 0)
		return r;
	s->segments[s->n_segments - 1].named = true;
	if (in->hopped > FWA_STORE_UNSYNCED_MAX &&
	    last_mark(in, in->hopped - FWA_STORE_UNSYNCED_MAX, &m) && begin_at_mark(rec, &m))
		return follow(rec, UINT64_MAX);
	if (!begins_with_checkpoint(rec) && s->n_segments > 1) {
		struct recovery before = *rec;

		before.in = malloc(sizeof(*before.in));
		if (!before.in)
			return -ENOMEM;
		r = read_before(&before);
		rec->damaged = before.damaged;
		free(before.in);
		if (r < 0)
			return r;
		/* After damage nothing can be said of what leads here. */
		if (s->now.last != header.first - 1)
			fwa_chain_reset(&s->now);
	}
	begin_at_front(rec);
	return follow(rec, UINT64_MAX);
}

static int digest(struct recovery *rec, uint64_t from, uint64_t to)
{
	struct fwa_span bytes;
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	while (from < to) {
		int r = fwa_scan_bytes(&rec->in->scan, from, &bytes);

		if (r < 0)
			return r;
		if (bytes.len > to - from)
			bytes.len = (size_t)(to - from);
		if (bytes.len == 0)
			return -EIO;
		SHA256_Update(&ctx, bytes.data, bytes.len);
		from += bytes.len;
	}
	SHA256_Final(rec->cut_sha256, &ctx);
	return 0;
}

/* Sees what stands behind the last good record. 1 when it may be cut, 0 when it is damage, -errno. */
static int look_behind(struct recovery *rec)
{
	uint64_t from = rec->s->now.offset, size = rec->in->scan.size, end;
	int r;

	if (size > from && size - from > TAIL_MAX)
		return 0;
	r = find_end(rec->in, from, &end);
	if (r < 0)
		return r;
	if (end - from > FWA_STORE_UNSYNCED_MAX)
		return 0;
	if (end > from) {
		r = digest(rec, from, end);
		rec->cut_offset = from;
		rec->cut_bytes = end - from;
	}
	return r < 0 ? r : 1;
}

/* Writes the last bytes once more, zeroes what is cut, and syncs: whoever wrote them may not have been able to. */
static int write_again(struct recovery *rec)
{
	static const uint8_t zeroes[4096];
	struct fwa_store *s = rec->s;
	uint64_t end = s->now.offset, cut = end + rec->cut_bytes;
	uint64_t from = end > FWA_STORE_UNSYNCED_MAX ? end - FWA_STORE_UNSYNCED_MAX : 0;
	ssize_t n = s->fs.read(&s->fs, s->fd, s->unsynced, (size_t)(end - from), from);
	int r = 0;

	if (n != (ssize_t)(end - from))
		return n < 0 ? (int)n : -EIO;
	r = s->fs.write(&s->fs, s->fd, s->unsynced, (size_t)(end - from), from);
	while (r == 0 && end < cut) {
		size_t len = cut - end < sizeof(zeroes) ? (size_t)(cut - end) : sizeof(zeroes);

		r = s->fs.write(&s->fs, s->fd, zeroes, len, end);
		end += len;
	}
	if (r == 0)
		r = s->fs.sync(&s->fs, s->fd);
	return r < 0 ? r : s->fs.sync_dir(&s->fs);
}

/* Finishes a retirement that was recorded and signed. */
static void finish_retirement(struct recovery *rec)
{
	struct fwa_store *s = rec->s;
	const struct fwa_record_retired *r = &rec->in->retired;
	struct mark m;

	if (!rec->in->retired_seq || !last_mark(rec->in, s->now.offset, &m) ||
	    m.seq < rec->in->retired_seq)
		return;
	for (size_t i = 0; i + 1 < s->n_segments; i++)
		if (s->segments[i].first == r->first && s->segments[i + 1].first == r->last + 1)
			for (size_t k = 0; k <= i; k++)
				s->segments[k].retired = true;
	fwa_store_remove_retired(s);
}

/* --- beginning ------------------------------------------------------------------------------------------------------- */

static int put_start(struct fwa_store *s, const struct recovery *rec, struct fwa_times now)
{
	struct fwa_record_start r = { .boottime = now.boot,
				      .cut_offset = rec->cut_offset,
				      .cut_bytes = rec->cut_bytes,
				      .damaged = rec->damaged };
	struct fwa_append a = { .kind = FWA_RECORD_START };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memcpy(r.boot_id, s->options.boot_id, sizeof(r.boot_id));
	memcpy(r.cut_sha256, rec->cut_sha256, FWA_HASH_LEN);
	if (s->options.version)
		strncpy(r.version, s->options.version, sizeof(r.version) - 1);
	fwa_record_start_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	return fwa_store_append(s, &a, now, NULL);
}

static int begin_anew(struct fwa_store *s, uint64_t gap, struct fwa_times now)
{
	int r = fwa_store_begin_segment(s, gap, now.real);

	return r < 0 ? r : fwa_store_checkpoint(s, FWA_CHECKPOINT_BEGIN, now);
}

static int make_journal(struct fwa_store *s, struct fwa_times now)
{
	if (getrandom(s->journal, sizeof(s->journal), 0) != sizeof(s->journal))
		return -EIO;
	fwa_chain_reset(&s->now);
	return begin_anew(s, 0, now);
}

/* What is cut names nothing. */
static int name_objects_again(struct recovery *rec)
{
	fwa_store_forget_objects(rec->s, rec->in->header.first);
	return hop(rec, rec->s->now.last);
}

/* Goes on in the last segment, or begins one where it must not be written to. */
static int go_on(struct recovery *rec, bool whole, struct fwa_times now)
{
	struct fwa_store *s = rec->s;
	uint64_t left = rec->in->scan.size - s->now.offset;
	int r;

	if (!whole) {
		note_damage(rec, s->now.last + 1);
		s->segments[s->n_segments - 1].named = false;
		/* Whatever numbers there were, the new ones are greater. */
		return begin_anew(s, 1 + left / (FWA_FRAME_LEN + FWA_HASH_LEN), now);
	}
	r = rec->cut_bytes ? name_objects_again(rec) : 0;
	if (r == 0)
		r = write_again(rec);
	if (r < 0)
		return r;
	fwa_store_all_durable(s);
	s->filled = rec->in->scan.size;
	finish_retirement(rec);
	if (rec->why == FWA_CHECKPOINT_HANDOVER ||
	    memcmp(rec->in->header.key, s->key, FWA_KEY_LEN) != 0)
		return begin_anew(s, 0, now);
	return 0;
}

static int recover(struct recovery *rec, struct fwa_times now)
{
	struct fwa_store *s = rec->s;
	int r = list_segments(s, rec->in);

	if (r == 0)
		r = open_last(rec);
	if (r <= 0)
		return r < 0 ? r : make_journal(s, now);
	memcpy(s->journal, rec->in->header.journal, sizeof(s->journal));
	s->fd = rec->in->fd;
	r = read_last(rec);
	if (r == 0)
		r = look_behind(rec);
	if (r >= 0)
		r = go_on(rec, r == 1, now);
	fwa_scan_close(&rec->in->scan);
	return r;
}

static int new_store(const struct fwa_fs *fs, const struct fwa_store_options *o,
		     struct fwa_times now, struct fwa_store **ret)
{
	struct fwa_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fs = *fs;
	s->options = *o;
	s->fd = -1;
	s->last_time = now;
	s->unsigned_since = now.boot;
	fwa_signer_key(o->signer, s->key);
	fwa_chain_reset(&s->now);
	s->unsynced = malloc(FWA_STORE_UNSYNCED_MAX);
	if (!s->unsynced) {
		fwa_store_free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

int fwa_store_open(const struct fwa_fs *fs, const struct fwa_store_options *o, struct fwa_times now,
		   struct fwa_store **ret)
{
	struct recovery rec = { .why = FWA_CHECKPOINT_WHYS };
	int r = new_store(fs, o, now, &rec.s);

	if (r < 0)
		return r;
	rec.in = calloc(1, sizeof(*rec.in));
	r = rec.in ? recover(&rec, now) : -ENOMEM;
	free(rec.in);
	if (r == 0)
		r = put_start(rec.s, &rec, now);
	if (r < 0) {
		fwa_store_free(rec.s);
		return r;
	}
	*ret = rec.s;
	return 0;
}
