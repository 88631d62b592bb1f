/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading segments that this test writes byte by byte: forwards and backwards, from numbers, times and places,
 * while they grow, and when they are not what they should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "journal/reader.h"

#define SECOND 1000000000ull

struct log {
	char dir[64];
	struct fwa_journal *j;
	struct fwa_cursor *c;
	/* the segment that is written */
	int fd;
	uint64_t seq, size;
	uint8_t hash[FWA_HASH_LEN];
};

static int setup(void **state)
{
	struct log *l = calloc(1, sizeof(*l));

	strcpy(l->dir, "/tmp/test-reader-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	assert_int_equal(fwa_journal_open(l->dir, &l->j), 0);
	l->c = fwa_cursor_new(l->j);
	l->fd = -1;
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct log *l = *state;
	char command[128];

	fwa_cursor_free(l->c);
	fwa_journal_close(l->j);
	fwa_close(l->fd);
	snprintf(command, sizeof(command), "rm -r %s", l->dir);
	assert_int_equal(system(command), 0);
	free(l);
	return 0;
}

static void path_of(const struct log *l, uint64_t first, char path[128])
{
	snprintf(path, 128, "%s/%016llx.fwj", l->dir, (unsigned long long)first);
}

static void put(struct log *l, const void *data, size_t len, uint64_t offset)
{
	assert_int_equal(pwrite(l->fd, data, len, (off_t)offset), len);
}

/* A segment that begins with record @first, with room for @size bytes. */
static void begin(struct log *l, uint64_t first, uint64_t size)
{
	struct fwa_segment s = { .journal = "1", .first = first, .created = first * SECOND };
	uint8_t header[FWA_SEGMENT_LEN];
	char path[128];

	memcpy(s.before, l->hash, FWA_HASH_LEN);
	path_of(l, first, path);
	fwa_close(l->fd);
	l->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(l->fd >= 0);
	fwa_segment_encode(header, &s);
	fwa_segment_hash(header, l->hash);
	assert_int_equal(ftruncate(l->fd, (off_t)size), 0);
	put(l, header, sizeof(header), 0);
	l->seq = first;
	l->size = FWA_SEGMENT_LEN;
}

/* The next record, whose body is @len bytes; its first @part bytes are written. */
static size_t add_part(struct log *l, size_t len, size_t part)
{
	static uint8_t body[FWA_BODY_MAX], buf[FWA_FRAME_MAX];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	struct fwa_frame f = {
		.kind = 200, .seq = l->seq, .time = l->seq * SECOND, .body = fwa_span(body, len)
	};

	memset(body, (int)(l->seq % 250), len);
	l->seq++;
	fwa_frame_write(&w, &f, l->hash);
	put(l, buf, part < w.len ? part : w.len, l->size);
	if (part < w.len)
		put(l, buf, 0, l->size);
	l->size += w.len;
	return w.len;
}

static void add(struct log *l, unsigned int n)
{
	while (n--)
		add_part(l, (size_t)(l->seq * 7 % 100), SIZE_MAX);
}

static void expect(struct log *l, uint64_t seq)
{
	struct fwa_frame f;

	assert_int_equal(fwa_cursor_next(l->c, &f), 1);
	assert_int_equal(f.seq, seq);
	assert_true(f.body.len == 0 || f.body.data[0] == seq % 250);
	assert_int_equal(fwa_cursor_bytes(l->c).len, f.len);
}

static void expect_before(struct log *l, uint64_t seq)
{
	struct fwa_frame f;

	assert_int_equal(fwa_cursor_previous(l->c, &f), 1);
	assert_int_equal(f.seq, seq);
}

static void expect_end(struct log *l, int how)
{
	struct fwa_frame f;

	assert_int_equal(fwa_cursor_next(l->c, &f), how);
}

/* --- what is as it should be ------------------------------------------------------------------- */

static void make_three(struct log *l)
{
	begin(l, 1, 100000);
	add(l, 300);
	begin(l, 301, 100000);
	add(l, 1);
	begin(l, 302, 100000);
	add(l, 150);
}

static void reads_forwards_and_backwards(void **state)
{
	struct log *l = *state;
	struct fwa_frame f;

	expect_end(l, 0);
	make_three(l);
	for (uint64_t seq = 1; seq <= 451; seq++)
		expect(l, seq);
	expect_end(l, 0);
	for (uint64_t seq = 451; seq; seq--)
		expect_before(l, seq);
	assert_int_equal(fwa_cursor_previous(l->c, &f), 0);
	expect(l, 1);
	expect_before(l, 1);
}

static void seeks_each_number(void **state)
{
	struct log *l = *state;

	make_three(l);
	for (uint64_t seq = 451; seq; seq--) {
		assert_int_equal(fwa_cursor_seek(l->c, seq), 0);
		expect(l, seq);
		assert_int_equal(fwa_cursor_seek(l->c, 452 - seq), 0);
		if (seq < 451)
			expect_before(l, 451 - seq);
	}
	assert_int_equal(fwa_cursor_seek(l->c, 452), 0);
	expect_end(l, 0);
	expect_before(l, 451);
}

static void seeks_times(void **state)
{
	struct log *l = *state;

	make_three(l);
	for (uint64_t seq = 1; seq <= 451; seq += 3) {
		assert_int_equal(fwa_cursor_seek_time(l->c, seq * SECOND), 0);
		expect(l, seq);
		assert_int_equal(fwa_cursor_seek_time(l->c, seq * SECOND - 1), 0);
		expect(l, seq);
	}
	assert_int_equal(fwa_cursor_seek_time(l->c, 452 * SECOND), 0);
	expect_end(l, 0);
}

static void seeks_places(void **state)
{
	struct log *l = *state;
	uint64_t segment, offset;

	make_three(l);
	assert_int_equal(fwa_cursor_seek(l->c, 310), 0);
	expect(l, 310);
	fwa_cursor_place(l->c, &segment, &offset);
	assert_int_equal(segment, 302);
	assert_int_equal(fwa_cursor_seek(l->c, 1), 0);
	assert_int_equal(fwa_cursor_seek_place(l->c, segment, offset), 0);
	expect(l, 310);
	assert_int_equal(fwa_cursor_seek_place(l->c, segment, offset), 0);
	expect_before(l, 309);
	assert_int_equal(fwa_cursor_seek_place(l->c, segment, 100001), -EINVAL);
	assert_int_equal(fwa_cursor_seek_place(l->c, segment, 8), -EINVAL);
	assert_int_equal(fwa_cursor_seek_place(l->c, 7, offset), -ENODATA);
}

static void lists_segments(void **state)
{
	static const char *const names[] = { "0000000000000000.fwj",   "000000000000000G.fwj",
					     "000000000000012D.fwj",   "12d.fwj",
					     "000000000000000005.fwj", "000000000000000f.fwj.x" };
	struct log *l = *state;
	const struct fwa_segment_file *all;
	char path[128];
	size_t n;

	make_three(l);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", l->dir, names[i]);
		assert_true(close(creat(path, 0600)) == 0);
	}
	path_of(l, 5000, path);
	assert_int_equal(mkfifo(path, 0600), 0);
	path_of(l, 5001, path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(fwa_journal_segments(l->j, &all, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(all[1].header.first, 301);
	assert_int_equal(all[2].bytes, 100000);
	assert_false(all[2].bad);
	assert_true(all[3].bad && all[4].bad);
	assert_int_equal(all[4].header.first, 5001);
}

/* --- while it is written ------------------------------------------------------------------------- */

static void sees_what_was_written_since(void **state)
{
	struct log *l = *state;

	begin(l, 1, FWA_SEGMENT_LEN);
	expect_end(l, 0);
	for (unsigned int i = 0; i < 50; i++) {
		add(l, 2);
		expect(l, 2 * i + 1);
		expect(l, 2 * i + 2);
		expect_end(l, 0);
	}
	add(l, 1);
	begin(l, 102, 4096);
	expect(l, 101);
	expect_end(l, 0);
	add(l, 1);
	expect(l, 102);
}

static void waits_for_a_header(void **state)
{
	struct log *l = *state;
	char path[128];

	begin(l, 1, 4096);
	add(l, 3);
	path_of(l, 4, path);
	assert_true(close(creat(path, 0600)) == 0);
	for (uint64_t seq = 1; seq < 4; seq++)
		expect(l, seq);
	expect_end(l, 0);
	assert_int_equal(truncate(path, 4096), 0);
	expect_end(l, 0);
	begin(l, 4, 4096);
	expect_end(l, 0);
	add(l, 1);
	expect(l, 4);
}

/* What the lock says: that a writer is there, or none is. */
static int take_lock(struct log *l)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", l->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static void a_record_is_there_when_all_of_it_is(void **state)
{
	struct log *l = *state;
	int lock = take_lock(l);

	begin(l, 1, 4096);
	add(l, 1);
	expect(l, 1);
	for (size_t part = 0; part < 150; part += 5) {
		uint64_t size = l->size, seq = l->seq;
		uint8_t hash[FWA_HASH_LEN];

		memcpy(hash, l->hash, sizeof(hash));
		add_part(l, 75, part);
		expect_end(l, 0);
		memcpy(l->hash, hash, sizeof(hash));
		l->size = size;
		l->seq = seq;
	}
	fwa_close(lock);
	expect_end(l, -EBADMSG); /* now nobody will write the rest of it */
	expect_end(l, 0);
	add_part(l, 75, SIZE_MAX);
	expect(l, 2);
}

static void what_was_written_again_comes_once(void **state)
{
	struct log *l = *state;
	uint8_t hash[FWA_HASH_LEN];

	begin(l, 1, 100000);
	add(l, 10);
	memcpy(hash, l->hash, sizeof(hash));
	add(l, 5);
	for (uint64_t seq = 1; seq <= 13; seq++)
		expect(l, seq);
	memcpy(l->hash, hash, sizeof(hash));
	begin(l, 11, 100000);
	add(l, 7);
	for (uint64_t seq = 14; seq <= 17; seq++)
		expect(l, seq);
	for (uint64_t seq = 17; seq; seq--)
		expect_before(l, seq);
	for (uint64_t seq = 1; seq <= 17; seq++)
		expect(l, seq);
}

/* --- what is not as it should be ----------------------------------------------------------------- */

static void goes_on_behind_damage(void **state)
{
	struct log *l = *state;
	struct fwa_frame f;
	uint64_t at;

	begin(l, 1, 100000);
	add(l, 5);
	at = l->size;
	add(l, 5);
	put(l, "\x7b", 1, at);
	begin(l, 11, 100000);
	put(l, "x", 1, 0);
	begin(l, 12, 100000);
	add(l, 3);
	for (uint64_t seq = 1; seq <= 5; seq++)
		expect(l, seq);
	expect_end(l, -EBADMSG);
	expect_end(l, -EBADMSG);
	for (uint64_t seq = 12; seq <= 14; seq++)
		expect(l, seq);
	expect_end(l, 0);
	for (uint64_t seq = 14; seq >= 12; seq--)
		expect_before(l, seq);
	assert_int_equal(fwa_cursor_previous(l->c, &f), -EBADMSG);
	assert_int_equal(fwa_cursor_previous(l->c, &f), -EBADMSG);
	for (uint64_t seq = 5; seq; seq--)
		expect_before(l, seq);
	assert_int_equal(fwa_cursor_previous(l->c, &f), 0);
}

static void a_file_may_shrink(void **state)
{
	struct log *l = *state;
	struct fwa_frame f;
	int r;

	begin(l, 1, 1 << 20);
	while (l->size < 1 << 19)
		add_part(l, 4000, SIZE_MAX);
	expect(l, 1);
	assert_int_equal(ftruncate(l->fd, 20000), 0);
	while ((r = fwa_cursor_next(l->c, &f)) > 0)
		;
	assert_true(r == 0 || r == -EBADMSG);
}

static void gives_the_last_checkpoint(void **state)
{
	struct log *l = *state;
	struct fwa_checkpoint c, made = { .statement = { .seq = 3, .first = 1 } };
	uint8_t body[FWA_BODY_MAX], buf[FWA_FRAME_MAX];
	struct fwa_writer b = fwa_writer(body, sizeof(body)), w = fwa_writer(buf, sizeof(buf));
	struct fwa_frame f = { .kind = FWA_RECORD_CHECKPOINT, .seq = 3 };

	begin(l, 1, 10000);
	assert_int_equal(fwa_journal_last_checkpoint(l->c, &c), -ENODATA);
	add(l, 2);
	fwa_checkpoint_encode(&b, &made);
	f.body = fwa_span(body, b.len);
	fwa_frame_write(&w, &f, l->hash);
	put(l, buf, w.len, l->size);
	l->size += w.len;
	l->seq++;
	add(l, 2);
	begin(l, 6, 10000);
	add(l, 1);
	assert_int_equal(fwa_journal_last_checkpoint(l->c, &c), 0);
	assert_int_equal(c.statement.seq, 3);
	assert_int_equal(c.statement.first, 1);
}

static void objects_are_what_their_name_says(void **state)
{
	static const uint8_t digest[FWA_HASH_LEN] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf,
						      0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae,
						      0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96,
						      0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61,
						      0xf2, 0x00, 0x15, 0xad };
	struct log *l = *state;
	uint8_t *data;
	char path[160];
	size_t len;
	int fd;

	assert_int_equal(fwa_journal_object(l->j, digest, &data, &len), -ENOENT);
	snprintf(path, sizeof(path), "%s/objects", l->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	fd = creat(path, 0600);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(fwa_journal_object(l->j, digest, &data, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "abc", 3);
	free(data);
	assert_int_equal(write(fd, "d", 1), 1);
	assert_int_equal(fwa_journal_object(l->j, digest, &data, &len), -EBADMSG);
	close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(reads_forwards_and_backwards),
		T(seeks_each_number),
		T(seeks_times),
		T(seeks_places),
		T(lists_segments),
		T(sees_what_was_written_since),
		T(waits_for_a_header),
		T(a_record_is_there_when_all_of_it_is),
		T(what_was_written_again_comes_once),
		T(goes_on_behind_damage),
		T(a_file_may_shrink),
		T(gives_the_last_checkpoint),
		T(objects_are_what_their_name_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
