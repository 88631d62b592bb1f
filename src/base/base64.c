/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void fwa_base64_text(const uint8_t *data, size_t len, char *text)
{
	for (; len; data += len < 3 ? len : 3, len -= len < 3 ? len : 3) {
		uint32_t v = (uint32_t)data[0] << 16;

		v |= len > 1 ? (uint32_t)data[1] << 8 : 0;
		v |= len > 2 ? data[2] : 0;
		*text++ = digits[v >> 18];
		*text++ = digits[v >> 12 & 63];
		*text++ = len > 1 ? digits[v >> 6 & 63] : '=';
		*text++ = len > 2 ? digits[v & 63] : '=';
	}
	*text = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '/')
		return c == '+' ? 62 : 63;
	return -1;
}

/* Four characters of which the last @padding are '='. False when they are no 3 - @padding bytes. */
static bool parse_group(const char *text, size_t padding, uint8_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - padding ? value_of(text[i]) : 0;

		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
	}
	for (size_t i = 0; i < 3 - padding; i++)
		ret[i] = (uint8_t)(v >> (16 - 8 * i));
	return !(v & ((1u << 8 * padding) - 1)); /* bits that no byte has */
}

bool fwa_base64_parse(const char *text, size_t len, uint8_t *ret, size_t *ret_len)
{
	size_t n = 0;

	*ret_len = 0;
	if (len % 4)
		return false;
	for (size_t at = 0; at < len; at += 4) {
		bool last = at + 4 == len;
		size_t padding = 0;

		if (last && text[at + 3] == '=')
			padding = text[at + 2] == '=' ? 2 : 1;
		if (!parse_group(text + at, padding, ret + n))
			return false;
		n += 3 - padding;
	}
	*ret_len = n;
	return true;
}
