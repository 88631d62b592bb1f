/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded access to bytes that nobody vouches for.
 *
 * A span is a view: pointer and length, owned by somebody else. A reader consumes a span and a
 * writer fills a buffer; both carry a sticky error, so that a decoder can read a whole structure
 * and check once at its end. After an error a reader yields zeroes and a writer stores nothing.
 *
 * All multi-byte accessors are little-endian, as CXL, NVMe and fwctl are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fwa_span {
	const uint8_t *data;
	size_t len;
};

struct fwa_reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

struct fwa_writer {
	uint8_t *buf;
	size_t cap;
	size_t len;
	bool full;
};

static inline uint16_t fwa_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}

static inline uint32_t fwa_le32(const uint8_t *p)
{
	return (uint32_t)fwa_le16(p) | (uint32_t)fwa_le16(p + 2) << 16;
}

static inline uint64_t fwa_le64(const uint8_t *p)
{
	return (uint64_t)fwa_le32(p) | (uint64_t)fwa_le32(p + 4) << 32;
}

static inline void fwa_put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void fwa_put_le32(uint8_t *p, uint32_t v)
{
	fwa_put_le16(p, (uint16_t)v);
	fwa_put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void fwa_put_le64(uint8_t *p, uint64_t v)
{
	fwa_put_le32(p, (uint32_t)v);
	fwa_put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline struct fwa_span fwa_span(const void *data, size_t len)
{
	return (struct fwa_span){ data, len };
}

/* The @len bytes of @s at @off; false, and *ret_sub untouched, when they do not all lie in @s. */
static inline bool fwa_span_sub(struct fwa_span s, size_t off, size_t len, struct fwa_span *ret_sub)
{
	if (off > s.len || len > s.len - off)
		return false;
	*ret_sub = fwa_span(s.data + off, len);
	return true;
}

/*
 * The little-endian number of @width (1, 2, 4 or 8) bytes at @off of @s. False, and *ret
 * untouched, when it does not lie in @s or the width is none of these.
 */
static inline bool fwa_span_number(struct fwa_span s, size_t off, size_t width, uint64_t *ret)
{
	struct fwa_span f;

	if (!fwa_span_sub(s, off, width, &f))
		return false;
	switch (width) {
	case 1:
		*ret = f.data[0];
		return true;
	case 2:
		*ret = fwa_le16(f.data);
		return true;
	case 4:
		*ret = fwa_le32(f.data);
		return true;
	case 8:
		*ret = fwa_le64(f.data);
		return true;
	default:
		return false;
	}
}

static inline struct fwa_reader fwa_reader(struct fwa_span s)
{
	return (struct fwa_reader){ .at = s.data, .left = s.len };
}

/* The next @len bytes as a view; an empty span, and the error set, when fewer are left. */
static inline struct fwa_span fwa_read_span(struct fwa_reader *r, size_t len)
{
	struct fwa_span s = { NULL, 0 };

	if (r->bad || len > r->left) {
		r->bad = true;
		return s;
	}
	s = fwa_span(r->at, len);
	r->at += len;
	r->left -= len;
	return s;
}

static inline uint8_t fwa_read_u8(struct fwa_reader *r)
{
	struct fwa_span s = fwa_read_span(r, 1);

	return s.len ? s.data[0] : 0;
}

static inline uint16_t fwa_read_le16(struct fwa_reader *r)
{
	struct fwa_span s = fwa_read_span(r, 2);

	return s.len ? fwa_le16(s.data) : 0;
}

static inline uint32_t fwa_read_le32(struct fwa_reader *r)
{
	struct fwa_span s = fwa_read_span(r, 4);

	return s.len ? fwa_le32(s.data) : 0;
}

static inline uint64_t fwa_read_le64(struct fwa_reader *r)
{
	struct fwa_span s = fwa_read_span(r, 8);

	return s.len ? fwa_le64(s.data) : 0;
}

static inline struct fwa_writer fwa_writer(void *buf, size_t cap)
{
	return (struct fwa_writer){ .buf = buf, .cap = cap };
}

/* Room for @len bytes, zeroed, to be filled by the caller; NULL, and the error set, when full. */
static inline uint8_t *fwa_write_room(struct fwa_writer *w, size_t len)
{
	uint8_t *p;

	if (w->full || len > w->cap - w->len) {
		w->full = true;
		return NULL;
	}
	p = w->buf + w->len;
	w->len += len;
	memset(p, 0, len);
	return p;
}

static inline void fwa_write_bytes(struct fwa_writer *w, const void *data, size_t len)
{
	uint8_t *p = fwa_write_room(w, len);

	if (p && len)
		memcpy(p, data, len);
}

static inline void fwa_write_u8(struct fwa_writer *w, uint8_t v)
{
	fwa_write_bytes(w, &v, 1);
}

static inline void fwa_write_le16(struct fwa_writer *w, uint16_t v)
{
	uint8_t *p = fwa_write_room(w, 2);

	if (p)
		fwa_put_le16(p, v);
}

static inline void fwa_write_le32(struct fwa_writer *w, uint32_t v)
{
	uint8_t *p = fwa_write_room(w, 4);

	if (p)
		fwa_put_le32(p, v);
}

static inline void fwa_write_le64(struct fwa_writer *w, uint64_t v)
{
	uint8_t *p = fwa_write_room(w, 8);

	if (p)
		fwa_put_le64(p, v);
}
