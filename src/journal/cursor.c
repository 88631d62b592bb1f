/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walking through segments. A segment ends where its records end, at the first record whose number the
 * next segment begins with (what a writer could not take back after an error), or where it cannot be
 * read. In the last one a record counts when its hash is right: one that is being written is not there yet.
 */
#include <errno.h>
#include <time.h>

#include "base/util.h"
#include "journal/private.h"

#define MARK_EVERY 64u /* records between two places that are remembered for going back */
#define LOOKS_AGAIN 3u /* in the last segment at records that do not hash, though others follow */

struct fwa_cursor {
	struct fwa_journal *j;
	struct fwa_map map;
	uint64_t first, next; /* numbers of the segment that is read, and of the one after it; 0 */
	uint8_t head[FWA_HASH_LEN]; /* what its chain begins with */
	size_t at;                  /* where the next record is; 0: the header is none */
	size_t last, last_len;      /* the record that was returned last; last 0: none */
	uint64_t returned, floor;   /* its number; what is not beyond @floor was returned already */
	unsigned int looks;         /* again, in this segment */
	bool stuck;                 /* that the end cannot be read has been said */

	size_t *marks; /* where each 64th record is, as far as the segment was read from its front */
	size_t n_marks, room, front;
	uint64_t n_front;
};

struct fwa_cursor *fwa_cursor_new(struct fwa_journal *j)
{
	struct fwa_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->j = j;
	c->map = (struct fwa_map)FWA_MAP_NONE;
	return c;
}

void fwa_cursor_free(struct fwa_cursor *c)
{
	if (!c)
		return;
	fwa_map_close(&c->map);
	free(c->marks);
	free(c);
}

/* --- segments ------------------------------------------------------------------------------------- */

static bool has_header(struct fwa_span file, uint64_t first)
{
	struct fwa_segment s;

	return file.len >= FWA_SEGMENT_LEN && fwa_segment_decode(file, &s) == 0 && s.first == first;
}

bool fwa_segment_unmade(struct fwa_span file, uint64_t first)
{
	const uint8_t *p;

	if (has_header(file, first))
		return false;
	if (file.len <= FWA_SEGMENT_LEN)
		return true;
	p = file.data + FWA_SEGMENT_LEN;
	return !*p && memcmp(p, p + 1, file.len - FWA_SEGMENT_LEN - 1) == 0;
}

static void leave(struct fwa_cursor *c)
{
	fwa_map_close(&c->map);
	c->first = c->next = 0;
	c->n_marks = 0;
	c->n_front = 0;
	c->front = c->at = FWA_SEGMENT_LEN;
	c->last = 0;
	c->stuck = false;
	c->looks = 0;
}

/* Goes to the front of the segment @first. 0; -ENODATA when it is gone, or not made yet. */
static int enter(struct fwa_cursor *c, uint64_t first)
{
	char name[FWA_SEGMENT_NAME];
	int r;

	leave(c);
	c->first = first;
	c->next = fwa_journal_after(c->j, first);
	fwa_segment_file_name(first, name);
	r = fwa_map_open(c->j->dirfd, name, &c->map);
	if (r == -ENOENT)
		return -ENODATA;
	if (r < 0 && r != -EINVAL && r != -ELOOP)
		return r;
	if (r == 0 && !c->next && fwa_segment_unmade(c->map.bytes, first)) {
		fwa_map_close(&c->map);
		return -ENODATA;
	}
	if (r < 0 || !has_header(c->map.bytes, first))
		c->at = 0;
	else
		fwa_segment_hash(c->map.bytes.data, c->head);
	return 0;
}

/* --- records -------------------------------------------------------------------------------------- */

static struct fwa_span rest(const struct fwa_cursor *c, size_t at)
{
	return at < c->map.bytes.len ? fwa_span(c->map.bytes.data + at, c->map.bytes.len - at)
				     : fwa_span(NULL, 0);
}

/* The record at @at. 1, 0 at the end of the segment, -1 for what is no record. */
static int look(const struct fwa_cursor *c, size_t at, struct fwa_frame *ret)
{
	int r;

	if (rest(c, at).len < 4)
		return 0;
	r = fwa_frame_parse(rest(c, at), ret);
	return r > 0 && c->next && ret->seq >= c->next ? 0 : r;
}

static void hash_before(const struct fwa_cursor *c, size_t at, uint8_t hash[FWA_HASH_LEN])
{
	memcpy(hash, at > FWA_SEGMENT_LEN ? c->map.bytes.data + at - FWA_HASH_LEN : c->head,
	       FWA_HASH_LEN);
}

static int mark(struct fwa_cursor *c, size_t at, size_t len)
{
	if (at != c->front)
		return 0;
	if (c->n_front % MARK_EVERY == 0) {
		if (c->n_marks == c->room) {
			size_t room = c->room ? 2 * c->room : 256;
			size_t *more = reallocarray(c->marks, room, sizeof(*more));

			if (!more)
				return -ENOMEM;
			c->marks = more;
			c->room = room;
		}
		c->marks[c->n_marks++] = at;
	}
	c->n_front++;
	c->front += len;
	return 0;
}

/* Goes behind the record @f at c->at, which is the one that is returned. */
static int pass(struct fwa_cursor *c, const struct fwa_frame *f)
{
	int r = mark(c, c->at, f->len);

	if (r < 0)
		return r;
	c->last = c->at;
	c->last_len = f->len;
	c->at += f->len;
	c->returned = f->seq;
	c->stuck = false;
	return 1;
}

/* Whether all of the record at @at is there, of a segment that may be written just now. */
static bool complete(struct fwa_cursor *c, size_t at, const struct fwa_frame *f)
{
	static const struct timespec a_bit = { .tv_nsec = 1000000 };
	uint8_t hash[FWA_HASH_LEN];

	for (;;) {
		struct fwa_span behind = rest(c, at + f->len);

		hash_before(c, at, hash);
		if (fwa_frame_verify(rest(c, at), f, hash))
			return true;
		if (behind.len < 4 || !fwa_le32(behind.data))
			return false;
		/* Not the end. Then it is damage, and not for who only lists to judge. */
		if (c->looks++ >= LOOKS_AGAIN || !fwa_journal_is_written(c->j))
			return true;
		nanosleep(&a_bit, NULL);
	}
}

/* The record at c->at: 1, 0 at the end of this segment, -1 where it cannot be read. */
static int here(struct fwa_cursor *c, struct fwa_frame *ret)
{
	int r = c->at < FWA_SEGMENT_LEN ? -1 : look(c, c->at, ret);

	if (r > 0 && !c->next && !complete(c, c->at, ret))
		return -1;
	return r;
}

/* --- forwards ------------------------------------------------------------------------------------- */

/* At the end of the last segment: 1 when there is more now, 0, -errno. */
static int look_again(struct fwa_cursor *c)
{
	size_t len = c->map.bytes.len;
	int r = fwa_journal_look(c->j);

	if (r < 0)
		return r;
	c->next = fwa_journal_after(c->j, c->first);
	if (c->map.fd >= 0)
		r = fwa_map_grow(&c->map);
	else if (c->first && !c->next && c->at) /* it was not made yet */
		r = enter(c, c->first);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	/* With a next one, too, look once more: the last records may have come just before that. */
	return c->next || c->map.bytes.len > len;
}

/* At the end of a segment, of which @found says how it ends: 1 when it is worth another try, 0, -errno. */
static int go_on(struct fwa_cursor *c, int found)
{
	int r;

	if (!c->next)
		return look_again(c);
	r = enter(c, c->next);
	c->floor = c->returned;
	if (r < 0 && r != -ENODATA)
		return r;
	return found < 0 ? -EBADMSG : 1;
}

/* What is at the end of the journal is no record: not yet, or never. */
static int at_bad_end(struct fwa_cursor *c, int found)
{
	if (found == 0 || c->stuck || fwa_journal_is_written(c->j))
		return 0;
	c->stuck = true;
	return -EBADMSG;
}

int fwa_cursor_next(struct fwa_cursor *c, struct fwa_frame *ret)
{
	for (;;) {
		int found = c->first ? here(c, ret) : 0, r;

		if (found > 0) {
			r = pass(c, ret);
			if (r < 0 || ret->seq > c->floor)
				return r;
			continue; /* it was written again, to a new segment */
		}
		r = go_on(c, found);
		if (r == 0)
			return at_bad_end(c, found);
		if (r < 0)
			return r;
	}
}

/* --- places --------------------------------------------------------------------------------------- */

static void forget(struct fwa_cursor *c)
{
	c->returned = c->floor = 0;
	c->last = 0;
}

/* The front of the segment in which @seq would be; without any before the first one. 0 or -errno. */
static int enter_holding(struct fwa_cursor *c, uint64_t seq)
{
	uint64_t first;
	int r = fwa_journal_look(c->j);

	forget(c);
	if (r < 0)
		return r;
	first = fwa_journal_holding(c->j, seq);
	if (first && first == c->first && c->front > FWA_SEGMENT_LEN) {
		c->next = fwa_journal_after(c->j, first);
		c->at = FWA_SEGMENT_LEN;
		return fwa_map_grow(&c->map);
	}
	leave(c);
	r = first ? enter(c, first) : 0;
	return r == -ENODATA ? 0 : r;
}

/* To the last place that is remembered whose number is not beyond @seq. */
static void skip_by_marks(struct fwa_cursor *c, uint64_t seq)
{
	struct fwa_frame f;
	size_t low = 0, high = c->n_marks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (look(c, c->marks[middle], &f) > 0 && f.seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low)
		c->at = c->marks[low - 1];
}

int fwa_cursor_seek(struct fwa_cursor *c, uint64_t seq)
{
	struct fwa_frame f;
	int r = enter_holding(c, seq);

	if (r < 0 || !c->first)
		return r;
	skip_by_marks(c, seq);
	while (c->at && look(c, c->at, &f) > 0 && f.seq < seq) {
		r = mark(c, c->at, f.len);
		if (r < 0)
			return r;
		c->at += f.len;
	}
	return 0;
}

/* The number of the last segment that was made before @time; of the first one, when none was. */
static int segment_at(struct fwa_cursor *c, uint64_t time, uint64_t *ret)
{
	const struct fwa_segment_file *all;
	size_t n;
	int r = fwa_journal_segments(c->j, &all, &n);

	if (r < 0)
		return r;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		if (!*ret || (!all[i].bad && all[i].header.created < time))
			*ret = all[i].header.first;
	return 0;
}

int fwa_cursor_seek_time(struct fwa_cursor *c, uint64_t time)
{
	struct fwa_frame f;
	uint64_t first;
	int r = segment_at(c, time, &first);

	if (r < 0)
		return r;
	r = fwa_cursor_seek(c, first);
	if (r < 0)
		return r;
	do
		r = fwa_cursor_next(c, &f);
	while (r == -EBADMSG || (r > 0 && f.time < time));
	if (r <= 0)
		return r;
	c->at = c->last;
	forget(c);
	return 0;
}

int fwa_cursor_seek_place(struct fwa_cursor *c, uint64_t segment, uint64_t offset)
{
	int r = 0;

	forget(c);
	if (c->first != segment || c->map.fd < 0) {
		r = fwa_journal_look(c->j);
		if (r == 0)
			r = enter(c, segment);
	}
	if (r < 0)
		return r;
	if (!c->at || offset < FWA_SEGMENT_LEN || offset % 8 || offset > c->map.bytes.len)
		return -EINVAL;
	c->at = (size_t)offset;
	return 0;
}

void fwa_cursor_place(const struct fwa_cursor *c, uint64_t *ret_segment, uint64_t *ret_offset)
{
	*ret_segment = c->last ? c->first : 0;
	*ret_offset = c->last;
}

struct fwa_span fwa_cursor_bytes(const struct fwa_cursor *c)
{
	return c->last ? fwa_span(c->map.bytes.data + c->last, c->last_len) : fwa_span(NULL, 0);
}

void fwa_cursor_before(const struct fwa_cursor *c, uint8_t hash[FWA_HASH_LEN])
{
	hash_before(c, c->last, hash);
}

/* --- backwards ------------------------------------------------------------------------------------ */

/* Remembers marks up to @end. 0; -EBADMSG where the segment cannot be read; -ENOMEM. */
static int read_front(struct fwa_cursor *c, size_t end)
{
	struct fwa_frame f;
	int r = 1;

	while (c->front < end && (r = look(c, c->front, &f)) > 0)
		if (mark(c, c->front, f.len) < 0)
			return -ENOMEM;
	return r < 0 ? -EBADMSG : 0;
}

/* To the end of the segment before this one. 1; 0 when there is none; -errno. */
static int enter_before(struct fwa_cursor *c)
{
	uint64_t before = 0;
	int r = fwa_journal_look(c->j);

	if (r < 0)
		return r;
	for (size_t i = 0; i < c->j->n_firsts && c->j->firsts[i] < c->first; i++)
		before = c->j->firsts[i];
	if (!before)
		return 0;
	r = enter(c, before);
	if (r == -ENODATA || (r == 0 && !c->at))
		return r ? 1 : -EBADMSG;
	if (r == 0)
		r = read_front(c, SIZE_MAX);
	c->at = c->front;
	return r < 0 ? r : 1;
}

/* The record that ends at c->at, or before it: the segment was read up to there. */
static int step_back(struct fwa_cursor *c, struct fwa_frame *ret)
{
	size_t low = 0, high = c->n_marks, at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->marks[middle] < c->at)
			low = middle + 1;
		else
			high = middle;
	}
	at = low ? c->marks[low - 1] : c->at;
	while (look(c, at, ret) > 0 && at + ret->len < c->at)
		at += ret->len;
	if (look(c, at, ret) <= 0)
		return -EBADMSG;
	c->at = c->last = at;
	c->last_len = ret->len;
	return 1;
}

int fwa_cursor_previous(struct fwa_cursor *c, struct fwa_frame *ret)
{
	int r;

	forget(c);
	while (c->first) {
		if (c->at <= FWA_SEGMENT_LEN) {
			r = enter_before(c);
			if (r <= 0)
				return r;
			continue;
		}
		r = read_front(c, c->at);
		if (r == 0 && c->front >= c->at)
			return step_back(c, ret);
		c->at = c->front;
		if (r < 0)
			return r;
	}
	return 0;
}

int fwa_journal_last_checkpoint(struct fwa_cursor *c, struct fwa_checkpoint *ret)
{
	struct fwa_frame f;
	int r = fwa_cursor_seek(c, UINT64_MAX);

	if (r < 0)
		return r;
	while ((r = fwa_cursor_previous(c, &f)) != 0) {
		if (r < 0 && r != -EBADMSG)
			return r;
		if (r > 0 && f.kind == FWA_RECORD_CHECKPOINT &&
		    fwa_checkpoint_decode(f.body, ret) == 0)
			return 0;
	}
	return -ENODATA;
}
