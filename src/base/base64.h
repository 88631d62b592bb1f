/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as base64 (RFC 4648, section 4): with padding, without line breaks. No allocation, no locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters for @len bytes, without the final NUL. */
static inline size_t fwa_base64_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* Writes fwa_base64_len(@len) characters and a NUL. */
void fwa_base64_text(const uint8_t *data, size_t len, char *text);
/*
 * Reads @len characters, which must be all that fwa_base64_text() would have written for some bytes, into
 * @ret, which has room for @len / 4 * 3 of them. False, with *ret_len 0, for anything else.
 */
bool fwa_base64_parse(const char *text, size_t len, uint8_t *ret, size_t *ret_len);
