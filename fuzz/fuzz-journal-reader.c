/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of the fuzzer's making: segments of its bytes as they are, or of its records with a chain that is
 * right, names and files of any kind. Reading ends, in both directions; one thread finds what many find;
 * what is proved holds. And the fuzzer's bytes as a proof.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/util.h"
#include "fuzz/fuzz.h"
#include "journal/verify.h"

#define SEGMENTS 3
#define RECORDS_MAX 300

static char dir[64];
static int dirfd_ = -1;
static uint8_t file[1 << 20];

static void remove_dir(void)
{
	if (rmdir(dir) < 0)
		perror(dir);
}

static void make_dir(void)
{
	if (dirfd_ >= 0)
		return;
	snprintf(dir, sizeof(dir), "%s/fuzz-journal-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir) || (dirfd_ = open(dir, O_RDONLY | O_DIRECTORY)) < 0)
		abort();
	atexit(remove_dir);
}

/* --- files ---------------------------------------------------------------------------------------- */

/* A record of the fuzzer's, with the next number most of the time. */
static void put_record(struct fwa_reader *in, struct fwa_writer *w, uint64_t *seq, uint8_t *hash)
{
	uint8_t flags = fwa_read_u8(in);
	struct fwa_frame f = { .kind = fwa_read_u8(in) % 24,
			       .time = 5,
			       .source = fwa_read_u8(in),
			       .counter = fwa_read_u8(in),
			       .refers = fwa_read_u8(in) };
	size_t len = flags & 1 ? fwa_read_le16(in) : fwa_read_u8(in);

	f.seq = flags & 2 ? fwa_read_u8(in) : *seq;
	f.body = fwa_read_span(in, len < in->left ? len : in->left);
	*seq = f.seq + 1;
	fwa_frame_write(w, &f, hash);
	if (flags & 4 && w->len)
		w->buf[w->len - 1 - fwa_read_u8(in) % 80] ^= 1;
}

static struct fwa_span make_segment(struct fwa_reader *in, uint64_t first, uint8_t *hash)
{
	struct fwa_segment s = { .journal = "1", .first = first };
	struct fwa_writer w = fwa_writer(file, sizeof(file));
	uint8_t flags = fwa_read_u8(in), n = fwa_read_u8(in);
	uint64_t seq = first;

	memcpy(s.before, hash, FWA_HASH_LEN);
	fwa_segment_encode(fwa_write_room(&w, FWA_SEGMENT_LEN), &s);
	fwa_segment_hash(file, hash);
	if (flags & 1)
		file[fwa_read_u8(in) % FWA_SEGMENT_LEN] ^= 1;
	for (unsigned int i = 0; i < n && i < RECORDS_MAX && in->left; i++)
		put_record(in, &w, &seq, hash);
	if (flags & 2) {
		struct fwa_span raw = fwa_read_span(in, in->left < n ? in->left : n);

		fwa_write_bytes(&w, raw.data, raw.len);
	}
	if (flags & 4)
		fwa_write_room(&w, n);
	return fwa_span(file, w.len);
}

static void write_file(const char *name, struct fwa_span data)
{
	fwa_auto_close int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data.data, data.len) != (ssize_t)data.len)
		abort();
}

static void make_name(char name[32], uint8_t how, uint64_t first)
{
	unsigned long long n = first;

	if (!(how & 0x80))
		snprintf(name, 32, "%016llx.fwj", n);
	else if (how & 1)
		snprintf(name, 32, "%016llX.fwj", n + 0xa);
	else if (how & 2)
		snprintf(name, 32, "%llx.fwj", n);
	else
		snprintf(name, 32, "%017llx.fwj", n);
}

static void make_file(struct fwa_reader *in, char name[32], uint64_t *first, uint8_t *hash)
{
	uint8_t how = fwa_read_u8(in), step = fwa_read_u8(in);

	make_name(name, how, *first);
	switch (how % 16) {
	case 0:
		mkdirat(dirfd_, name, 0700);
		break;
	case 1:
		mkfifoat(dirfd_, name, 0600);
		break;
	case 2:
		if (symlinkat("..", dirfd_, name) < 0)
			abort();
		break;
	case 3:
		write_file(name, fwa_read_span(in, in->left < step ? in->left : step));
		break;
	default:
		write_file(name, make_segment(in, *first, hash));
	}
	*first += step + 1u;
}

/* --- reading -------------------------------------------------------------------------------------- */

static unsigned int count(struct fwa_journal *j, bool back, bool *ret_bad)
{
	struct fwa_cursor *c = fwa_cursor_new(j);
	unsigned int n = 0, bad = 0;
	struct fwa_frame f;
	int r = fwa_cursor_seek(c, back ? UINT64_MAX : 0);

	if (r < 0)
		abort();
	while ((r = back ? fwa_cursor_previous(c, &f) : fwa_cursor_next(c, &f)) != 0) {
		if (r < 0 && r != -EBADMSG)
			abort();
		n += r > 0;
		bad += r < 0;
		if (bad > 2 * SEGMENTS + 2 || (r > 0 && fwa_cursor_bytes(c).len != f.len))
			abort();
	}
	fwa_cursor_free(c);
	*ret_bad |= bad;
	return n;
}

static struct fwa_verified verify(struct fwa_journal *j, uint64_t from, uint64_t to)
{
	static const struct fwa_statement kept = { .journal = "1", .seq = 7 };
	struct fwa_verify_options o = { .from = from, .to = to, .threads = 1 };
	struct fwa_verified one, more;

	if (fwa_verify(j, &o, &one) < 0)
		abort();
	o.threads = 2;
	if (fwa_verify(j, &o, &more) < 0 || one.fault != more.fault || one.bad != more.bad ||
	    one.last != more.last || strcmp(one.why, more.why) != 0)
		abort();
	o.kept = &kept;
	o.n_kept = 1;
	if (fwa_verify(j, &o, &more) < 0 || (!more.fault && !more.kept_gone))
		abort();
	return one;
}

static void read_all(struct fwa_reader *in, uint64_t first)
{
	struct fwa_verified whole;
	unsigned int n, n_back;
	struct fwa_journal *j;
	struct fwa_proof p;
	const char *why;
	bool bad = false;

	if (fwa_journal_open(dir, &j) < 0)
		abort();
	n = count(j, false, &bad);
	n_back = count(j, true, &bad);
	whole = verify(j, 0, 0);
	if (!whole.fault && (bad || n != n_back || n != whole.records))
		abort();
	verify(j, fwa_read_u8(in), fwa_read_u8(in));
	for (uint64_t seq = 1; seq < first && seq < 20; seq++)
		if (fwa_prove(j, seq, &p) == 0) {
			if (!fwa_proof_holds(&p, &why))
				abort();
			fwa_proof_clear(&p);
		}
	fwa_journal_close(j);
}

/* Nobody has signed it. */
static void judge_proof(struct fwa_reader in)
{
	struct fwa_proof p = { .n_levels = fwa_read_u8(&in) % 10 };
	const char *why = NULL;
	struct fwa_span frame;
	size_t rest;

	for (uint32_t i = 0; i < p.n_levels && i < FWA_PROOF_LEVELS; i++) {
		p.levels[i].index = fwa_read_u8(&in);
		p.levels[i].n = fwa_read_u8(&in);
	}
	p.statement.first = fwa_read_u8(&in);
	p.statement.seq = fwa_read_le64(&in);
	rest = in.left;
	frame = fwa_read_span(&in, rest);
	p.frame = (uint8_t *)frame.data;
	p.frame_len = frame.len;
	if (fwa_proof_holds(&p, &why) || !why)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));
	uint8_t hash[FWA_HASH_LEN] = { 0 };
	char names[SEGMENTS][32];
	uint64_t first = 1;
	int n = 0;

	judge_proof(in);
	make_dir();
	while (n < SEGMENTS && in.left)
		make_file(&in, names[n++], &first, hash);
	read_all(&in, first);
	while (n--)
		if (unlinkat(dirfd_, names[n], 0) < 0)
			unlinkat(dirfd_, names[n], AT_REMOVEDIR);
	return 0;
}
