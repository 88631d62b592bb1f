/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash-check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "base/util.h"
#include "journal/testcheck.h"
#include "journal/verify.h"

static bool __attribute__((format(printf, 2, 3)))
wrong(struct crash_check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (c->bad++ == 0)
		vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	return false;
}

/* --- what has to be cut ------------------------------------------------------------------------------- */

static struct fwa_testfs_file *last_segment(struct fwa_testfs *t, const char *before)
{
	struct fwa_testfs_file *last = NULL;

	for (size_t i = 0; i < t->n_files; i++) {
		struct fwa_testfs_file *f = t->files[i];

		if (f->named && strstr(f->name, ".fwj") &&
		    (!before || strcmp(f->name, before) < 0) &&
		    (!last || strcmp(f->name, last->name) > 0))
			last = f;
	}
	return last;
}

/* The last one that has a header. */
static struct fwa_testfs_file *last_whole(struct fwa_testfs *t, struct fwa_segment *h)
{
	struct fwa_testfs_file *f = last_segment(t, NULL);

	while (f && fwa_segment_decode(fwa_span(f->data, f->len), h) < 0)
		f = last_segment(t, f->name);
	return f;
}

/* From the front to the end, by hash. */
static void find_cut(struct fwa_testfs *t, struct fwa_record_start *start)
{
	uint8_t hash[FWA_HASH_LEN];
	size_t at = FWA_SEGMENT_LEN, end;
	struct fwa_segment h;
	struct fwa_testfs_file *f = last_whole(t, &h);
	struct fwa_frame frame;
	uint64_t next;

	if (!f)
		return;
	fwa_segment_hash(f->data, hash);
	for (next = h.first;; next++) {
		struct fwa_span rest = fwa_span(f->data + at, f->len - at);
		uint8_t then[FWA_HASH_LEN];

		memcpy(then, hash, sizeof(then));
		if (fwa_frame_parse(rest, &frame) != 1 || frame.seq != next ||
		    !fwa_frame_verify(rest, &frame, then))
			break;
		memcpy(hash, then, sizeof(hash));
		at += frame.len;
	}
	for (end = f->len; end > at && f->data[end - 1] == 0; end--)
		;
	if (end == at)
		return;
	start->cut_offset = at;
	start->cut_bytes = end - at;
	fwa_sha256(fwa_span(f->data + at, end - at), start->cut_sha256);
}

/* The START record has to say just that. */
static void expected_start(const struct crash_check *c, struct fwa_testfs *t,
			   uint8_t sha256[FWA_HASH_LEN], bool *ret_cut)
{
	struct fwa_record_start r = { .boottime = c->now.boot };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memcpy(r.boot_id, c->options.boot_id, sizeof(r.boot_id));
	snprintf(r.version, sizeof(r.version), "%s", c->options.version);
	find_cut(t, &r);
	fwa_record_start_encode(&w, &r);
	fwa_sha256(fwa_span(body, w.len), sha256);
	*ret_cut = r.cut_bytes;
}

/* --- recovering ----------------------------------------------------------------------------------------- */

struct left {
	struct fwa_open_source sources[FWA_OPEN_SOURCES_MAX];
	size_t n;
};

static void note_left(void *arg, const struct fwa_open_source *source)
{
	struct left *l = arg;

	l->sources[l->n++] = *source;
}

static int take_up(struct fwa_store *s, const struct fwa_open_source *o, struct fwa_times now)
{
	struct fwa_record_source r = { .kind = o->kind, .pid = 43, .resumed = o->counter };
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
	uint8_t body[512];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memcpy(r.id, o->id, sizeof(r.id));
	memcpy(r.name, o->name, sizeof(r.name));
	fwa_record_source_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	return fwa_store_append(s, &a, now, NULL);
}

/* One source in three comes back, the others are ended. */
static int settle(struct crash_check *c, struct fwa_store *s, uint64_t variant, size_t *ret_resumed)
{
	static struct left l;
	int r = 0;

	l.n = 0;
	fwa_store_each_source(s, note_left, &l);
	for (size_t i = 0; i < l.n && r == 0; i++) {
		bool back = (variant + i) % 3 == 0;

		r = back ? take_up(s, &l.sources[i], c->now)
			 : fwa_store_end_source(s, l.sources[i].number, FWA_SOURCE_END_LOST,
						c->now);
		*ret_resumed += back;
	}
	return r == 0 ? fwa_store_sync(s) : r;
}

/* --- looking at it ---------------------------------------------------------------------------------------- */

static bool is_same(const struct fwa_testcheck_record *r, const struct crash_told *told)
{
	return r->kind == told->kind &&
	       memcmp(r->body_sha256, told->body_sha256, FWA_HASH_LEN) == 0;
}

static bool numbers_are_there(struct crash_check *c, const struct fwa_testcheck *k, uint64_t until)
{
	for (uint64_t seq = 1; seq <= until; seq++) {
		const struct fwa_testcheck_record *r = fwa_testcheck_find(k, seq);

		if (!r && seq < k->first && seq <= k->retired)
			continue;
		if (!r)
			return wrong(c, "%llu was durable and is not there",
				     (unsigned long long)seq);
		if (seq < c->n_told[0] && c->told[0][seq].kind && !is_same(r, &c->told[0][seq]))
			return wrong(c, "%llu was durable and is another one",
				     (unsigned long long)seq);
	}
	return true;
}

/* What the log calls a source, and where its counter stood when the first segment began. */
struct names {
	bool *are;
	size_t n;
	uint64_t base;
};

static void names_of_checkpoint(const struct crash_check *c, unsigned int word,
				struct fwa_span body, bool first, struct names *ret)
{
	struct fwa_open_source s;
	struct fwa_checkpoint ck;

	if (fwa_checkpoint_decode(body, &ck) < 0)
		return;
	for (uint32_t i = 0; i < ck.n_sources; i++) {
		if (!fwa_checkpoint_source(&ck, i, &s) || memcmp(s.id, c->ids[word], 16) != 0)
			continue;
		if (s.number < ret->n)
			ret->are[s.number] = true;
		if (first)
			ret->base = s.counter;
	}
}

static void find_names(const struct crash_check *c, struct fwa_testfs *t, unsigned int word,
		       uint64_t first, struct names *ret)
{
	for (size_t i = 0; i < t->n_files; i++) {
		const struct fwa_testfs_file *f = t->files[i];
		struct fwa_record_source r;
		struct fwa_frame frame;
		size_t at = FWA_SEGMENT_LEN;

		if (!f->named || !strstr(f->name, ".fwj"))
			continue;
		for (; at < f->len &&
		       fwa_frame_parse(fwa_span(f->data + at, f->len - at), &frame) == 1;
		     at += frame.len) {
			if (frame.kind == FWA_RECORD_CHECKPOINT)
				names_of_checkpoint(c, word, frame.body, frame.seq == first, ret);
			if (frame.kind == FWA_RECORD_SOURCE && frame.seq < ret->n &&
			    fwa_record_source_decode(frame.body, &r) == 0 &&
			    memcmp(r.id, c->ids[word], 16) == 0)
				ret->are[frame.seq] = true;
		}
	}
}

/* All that the source put in, up to @until at least, from the first one on that was not retired. */
static bool counters_are_there(struct crash_check *c, struct fwa_testfs *t,
			       const struct fwa_testcheck *k, unsigned int word, uint64_t until)
{
	fwa_auto_free bool *are = calloc(k->last + 1, sizeof(*are));
	struct names names = { are, k->last + 1, 0 };
	uint64_t counter;

	find_names(c, t, word, k->first > 1 ? k->first : 0, &names);
	counter = names.base;
	for (size_t i = 0; i < k->n_records; i++) {
		const struct fwa_testcheck_record *r = &k->records[i];

		if (!r->counter || !are[r->source])
			continue;
		if (r->counter != ++counter || counter >= c->n_told[word] ||
		    !is_same(r, &c->told[word][counter]))
			return wrong(c, "word %u: %llu is not what was put in", word,
				     (unsigned long long)r->counter);
	}
	if (counter < until)
		return wrong(c, "word %u: %llu was durable, the last one is %llu", word,
			     (unsigned long long)until, (unsigned long long)counter);
	return true;
}

static bool all_is_there(struct crash_check *c, struct fwa_testfs *t, const struct fwa_testcheck *k,
			 const uint64_t durable[CRASH_WORDS])
{
	static const uint8_t none[16];

	if (k->bad)
		return wrong(c, "%s", k->why);
	if (k->n_gaps || k->damaged)
		return wrong(c, "%llu is damaged", (unsigned long long)k->damaged);
	if (k->first > 1 && k->first - 1 > k->retired)
		return wrong(c, "it begins with %llu", (unsigned long long)k->first);
	if (!numbers_are_there(c, k, durable[0]))
		return false;
	for (unsigned int i = 1; i < CRASH_WORDS; i++)
		if (memcmp(c->ids[i], none, 16) != 0 && !counters_are_there(c, t, k, i, durable[i]))
			return false;
	return true;
}

/* --- the real verifier -------------------------------------------------------------------------------------- */

static int write_out(const char *dir, struct fwa_testfs *t)
{
	fwa_auto_close int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = at < 0 ? -errno : 0;

	for (size_t i = 0; i < t->n_files && r == 0; i++) {
		const struct fwa_testfs_file *f = t->files[i];
		fwa_auto_close int fd = -1;

		if (!f->named)
			continue;
		fd = openat(at, f->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, f->data, f->len) != (ssize_t)f->len)
			r = -EIO;
	}
	return r;
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static bool verifies(struct crash_check *c, struct fwa_testfs *t)
{
	struct fwa_verify_options o = { .threads = 1 };
	struct fwa_verified v = { 0 };
	struct fwa_journal *j = NULL;
	int r = write_out(c->dir, t);

	if (r == 0)
		r = fwa_journal_open(c->dir, &j);
	if (r == 0)
		r = fwa_verify(j, &o, &v);
	fwa_journal_close(j);
	remove_all(c->dir);
	c->verified++;
	if (r < 0)
		return wrong(c, "cannot be verified: %s", strerror(-r));
	return !v.fault || wrong(c, "%s at %llu: %s", fwa_fault_name(v.fault),
				 (unsigned long long)v.bad, v.why);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static const struct fwa_testcheck_record *last_start(const struct fwa_testcheck *k)
{
	for (size_t i = k->n_records; i > 0; i--)
		if (k->records[i - 1].kind == FWA_RECORD_START)
			return &k->records[i - 1];
	return NULL;
}

/* Opens it, settles what is open, and looks. */
static bool opens(struct crash_check *c, struct fwa_testfs *t, const uint64_t durable[CRASH_WORDS],
		  uint64_t variant, bool *ret_cut)
{
	struct fwa_fs fs = fwa_testfs_fs(t);
	struct fwa_store *s = NULL;
	const struct fwa_testcheck_record *start;
	uint8_t sha256[FWA_HASH_LEN];
	struct fwa_testcheck k;
	size_t resumed = 0;
	bool good;
	int r;

	expected_start(c, t, sha256, ret_cut);
	r = fwa_store_open(&fs, &c->options, c->now, &s);
	if (r == 0)
		r = settle(c, s, variant, &resumed);
	fwa_store_free(s);
	if (r < 0)
		return wrong(c, "cannot be opened: %s", strerror(-r));
	c->resumed += resumed;
	fwa_testcheck(t, &k);
	good = all_is_there(c, t, &k, durable);
	start = good ? last_start(&k) : NULL;
	if (good && (!start || memcmp(start->body_sha256, sha256, sizeof(sha256)) != 0))
		good = wrong(c, "START does not say what was cut");
	/* What is open is of those who came back. */
	if (good && k.n_sources != resumed)
		good = wrong(c, "%zu sources are left, %zu came back", k.n_sources, resumed);
	fwa_testcheck_clear(&k);
	return good;
}

bool crash_survives(struct crash_check *c, struct fwa_testfs *t,
		    const uint64_t durable[CRASH_WORDS], uint64_t variant)
{
	bool cut, again;

	c->states++;
	if (!opens(c, t, durable, variant, &cut))
		return false;
	c->cuts += cut;
	if (c->dir && variant % 64 == 0 && !verifies(c, t))
		return false;
	if (variant % 8)
		return true;
	/* Another time there is nothing to be cut. */
	if (!opens(c, t, durable, variant + 1, &again))
		return false;
	return !again || wrong(c, "there is something to be cut another time");
}

/* --- signatures ------------------------------------------------------------------------------------------------ */

/* The same few are looked at again and again, and that would be most of the time: what is good is remembered. */
#define GOOD_MAX 4096u

bool __real_fwa_signed_by(const uint8_t key[FWA_KEY_LEN], struct fwa_span message,
			  const uint8_t signature[FWA_SIGNATURE_LEN]);
bool __wrap_fwa_signed_by(const uint8_t key[FWA_KEY_LEN], struct fwa_span message,
			  const uint8_t signature[FWA_SIGNATURE_LEN]);
bool __wrap_fwa_signed_by(const uint8_t key[FWA_KEY_LEN], struct fwa_span message,
			  const uint8_t signature[FWA_SIGNATURE_LEN])
{
	static uint8_t good[GOOD_MAX][FWA_HASH_LEN];
	uint8_t all[FWA_KEY_LEN + FWA_SIGNATURE_LEN + 256], digest[FWA_HASH_LEN], *known;

	if (message.len > 256)
		return __real_fwa_signed_by(key, message, signature);
	memcpy(all, key, FWA_KEY_LEN);
	memcpy(all + FWA_KEY_LEN, signature, FWA_SIGNATURE_LEN);
	memcpy(all + FWA_KEY_LEN + FWA_SIGNATURE_LEN, message.data, message.len);
	fwa_sha256(fwa_span(all, FWA_KEY_LEN + FWA_SIGNATURE_LEN + message.len), digest);
	known = good[(digest[0] | digest[1] << 8) % GOOD_MAX];
	if (memcmp(known, digest, sizeof(digest)) == 0)
		return true;
	if (!__real_fwa_signed_by(key, message, signature))
		return false;
	memcpy(known, digest, sizeof(digest));
	return true;
}
