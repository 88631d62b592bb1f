/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that were recorded of fwadmit-journald itself (record.c), and what its sources had put in. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/util.h"
#include "crash.h"
#include "record.h"

_Static_assert(RECORD_WORDS == CRASH_WORDS, "the same words");
_Static_assert((int)RECORD_REMOVE == (int)FWA_TESTFS_REMOVE, "the same kinds");

static struct fwa_span map_file(const char *path)
{
	fwa_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fwa_span(NULL, 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? fwa_span(NULL, 0) : fwa_span(map, (size_t)st.st_size);
}

static void add(struct crash_trace *t, const struct record_trace *r, const struct record_step *s)
{
	struct fwa_testfs_op *op;

	if ((t->n & (t->n - 1)) == 0) {
		size_t cap = t->n ? 2 * t->n : 1;

		t->ops = reallocarray(t->ops, cap, sizeof(*t->ops));
		t->durable = reallocarray(t->durable, cap, sizeof(*t->durable));
	}
	memcpy(t->durable[t->n], s->durable, sizeof(*t->durable));
	op = &t->ops[t->n++];
	*op = (struct fwa_testfs_op){ .kind = (enum fwa_testfs_kind)s->kind,
				      .error = s->error,
				      .file = s->file,
				      .offset = s->offset,
				      .len = (size_t)s->len,
				      .data = (uint8_t *)(s + 1) };
	snprintf(op->name, sizeof(op->name), "%s", r->names[s->file]);
}

/* For each source: 16 bytes id, le64 how many records, and of each u8 kind and the digest of its body. */
static bool read_told(struct crash_run *run, const char *path)
{
	struct fwa_span b = map_file(path);
	size_t at = 0;

	for (unsigned int word = 1; word < CRASH_WORDS && at + 24 <= b.len; word++) {
		uint64_t n = fwa_le64(b.data + at + 16);
		struct crash_told *told = calloc(n + 1, sizeof(*told));

		memcpy(run->c.ids[word], b.data + at, 16);
		for (uint64_t i = 1; i <= n; i++) {
			const uint8_t *p = b.data + at + 24 + (i - 1) * 33;

			told[i].kind = p[0];
			memcpy(told[i].body_sha256, p + 1, FWA_HASH_LEN);
		}
		at += 24 + n * 33;
		run->c.told[word] = told;
		run->c.n_told[word] = n + 1;
		run->at_end[word] = 0;
	}
	return at == b.len && b.len;
}

bool crash_read(struct crash_run *run, const char *trace, const char *told, struct crash_trace *ret)
{
	struct fwa_span b = map_file(trace);
	const struct record_trace *r = (const struct record_trace *)b.data;
	const struct record_step *s;

	*ret = (struct crash_trace){ 0 };
	if (!b.data || !read_told(run, told))
		return false;
	for (uint64_t at = sizeof(*r); at < r->used;
	     at += sizeof(*s) + ((s->len + 7) & ~UINT64_C(7))) {
		s = (const struct record_step *)(b.data + at);
		add(ret, r, s);
	}
	if (ret->n)
		memcpy(run->at_end, ret->durable[ret->n - 1], sizeof(run->at_end));
	return ret->n;
}
