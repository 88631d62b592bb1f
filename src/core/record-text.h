/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts and hashes in the bodies of records. A text has its length elsewhere in the body, no NUL, and
 * nothing but printable ASCII.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/record.h"

static inline bool fwa_record_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* How much of @text, an array of @cap bytes, is recorded: up to its NUL, and never all of it. */
static inline size_t fwa_record_text_len(const char *text, size_t cap)
{
	size_t len = 0;

	while (len < cap - 1 && text[len])
		len++;
	return len;
}

/* @tabs: a tab stays one. */
static inline void fwa_record_write_text(struct fwa_writer *w, const char *text, size_t len,
					 bool tabs)
{
	uint8_t *p = fwa_write_room(w, len);

	for (size_t i = 0; p && i < len; i++) {
		bool stays = fwa_record_printable(text[i]) || (tabs && text[i] == '\t');

		p[i] = stays ? (uint8_t)text[i] : '?';
	}
}

/*
 * Eight characters at once: of each byte the uppermost bit says whether it is no printable one. It is
 * itself set, or what is below it is less than a space, or one less than it.
 */
static inline bool fwa_record_printable_8(const uint8_t *bytes)
{
	const uint64_t tops = 0x8080808080808080u, ones = 0x0101010101010101u;
	uint64_t x = fwa_le64(bytes);

	return !((x | ~((x | tops) - ' ' * ones) | ((x & ~tops) + ones)) & tops);
}

/* Whether all of @bytes are characters of a text. */
static inline bool fwa_record_is_text(const uint8_t *bytes, size_t len, bool tabs)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8)
		if (!fwa_record_printable_8(bytes + i))
			break;
	for (; i < len; i++)
		if (!fwa_record_printable((char)bytes[i]) && !(tabs && bytes[i] == '\t'))
			return false;
	return true;
}

/*
 * Reads @len bytes as a text into @ret, an array of @cap zeroes; NULL: it is only looked at. False when
 * it is too long, or is none.
 */
static inline bool fwa_record_read_text(struct fwa_reader *m, size_t len, char *ret, size_t cap,
					bool tabs)
{
	struct fwa_span s = fwa_read_span(m, len);

	if (m->bad || len >= cap || !fwa_record_is_text(s.data, len, tabs))
		return false;
	if (ret && len)
		memcpy(ret, s.data, len);
	return true;
}

static inline void fwa_record_read_bytes(struct fwa_reader *m, uint8_t *ret, size_t len)
{
	struct fwa_span s = fwa_read_span(m, len);

	if (s.len)
		memcpy(ret, s.data, s.len);
}

static inline bool fwa_record_is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return !any;
}

/* Whether all was read, and nothing more is there. */
static inline bool fwa_record_at_end(const struct fwa_reader *m)
{
	return !m->bad && !m->left;
}
