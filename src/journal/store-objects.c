/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects records name. Of segments that this writer has written or read from its beginning that is
 * known; the others are read once, one a call.
 */
#include <errno.h>
#include <stdlib.h>

#include "journal/scan.h"
#include "journal/store-internal.h"

static bool same(const struct fwa_record_object *a, const struct fwa_record_object *b)
{
	return a->kind == b->kind && memcmp(a->key, b->key, FWA_HASH_LEN) == 0 &&
	       memcmp(a->sha256, b->sha256, FWA_HASH_LEN) == 0 && strcmp(a->device, b->device) == 0;
}

static bool known(const struct fwa_store *s, uint64_t segment, const struct fwa_record_object *o)
{
	for (size_t i = 0; i < s->n_objects; i++)
		if (s->objects[i].segment == segment && same(&s->objects[i].object, o))
			return true;
	return false;
}

int fwa_store_name_object(struct fwa_store *s, uint64_t segment, struct fwa_span body)
{
	struct fwa_store_object o = { .segment = segment };
	size_t cap = s->cap_objects ? 2 * s->cap_objects : 16;
	struct fwa_store_object *more;

	if (fwa_record_object_decode(body, &o.object) < 0 || known(s, segment, &o.object))
		return 0;
	if (s->n_objects == s->cap_objects) {
		more = reallocarray(s->objects, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->objects = more;
		s->cap_objects = cap;
	}
	s->objects[s->n_objects++] = o;
	return 0;
}

void fwa_store_forget_objects(struct fwa_store *s, uint64_t segment)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_objects; i++)
		if (s->objects[i].segment != segment)
			s->objects[kept++] = s->objects[i];
	s->n_objects = kept;
}

uint64_t fwa_store_segment(const struct fwa_store *s)
{
	return s->n_segments ? s->segments[s->n_segments - 1].first : 0;
}

bool fwa_store_has_object(const struct fwa_store *s, const struct fwa_record_object *o)
{
	return known(s, fwa_store_segment(s), o);
}

bool fwa_store_names(const struct fwa_store *s, const uint8_t sha256[FWA_HASH_LEN])
{
	for (size_t i = 0; i < s->n_objects; i++)
		if (memcmp(s->objects[i].object.sha256, sha256, FWA_HASH_LEN) == 0)
			return true;
	return false;
}

/* Reads segment @i by lengths alone: -EBADMSG when its records do not lead to the next one. */
static int read_names(struct fwa_store *s, size_t i)
{
	uint64_t seq = s->segments[i].first, end = s->segments[i + 1].first;
	uint64_t offset = FWA_SEGMENT_LEN;
	char name[FWA_SEGMENT_NAME];
	struct fwa_scan scan = { 0 };
	struct fwa_span bytes;
	struct fwa_frame f;
	int fd, r;

	fwa_segment_name(seq, name);
	fd = s->fs.open(&s->fs, name, false);
	if (fd < 0)
		return fd;
	r = fwa_scan_open(&scan, &s->fs, fd);
	for (; r == 0 && seq < end; seq++, offset += f.len) {
		r = fwa_scan_frame(&scan, offset, &bytes, &f);
		if (r == 0 || (r == 1 && f.seq != seq))
			r = -EBADMSG;
		if (r == 1)
			r = f.kind == FWA_RECORD_OBJECT
				    ? fwa_store_name_object(s, s->segments[i].first, f.body)
				    : 0;
	}
	fwa_scan_close(&scan);
	s->fs.close(&s->fs, fd);
	return r;
}

int fwa_store_find_names(struct fwa_store *s)
{
	for (size_t i = 0; i + 1 < s->n_segments; i++) {
		int r;

		if (s->segments[i].named)
			continue;
		r = read_names(s, i);
		if (r < 0)
			return r;
		s->segments[i].named = true;
		return 1;
	}
	return 0;
}
