/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as hexadecimal digits. No allocation, no locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of one digit, -1 for what is none. */
static inline int fwa_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads two digits, of which a text that ends has fewer; false, and *ret untouched, for all else. */
static inline bool fwa_hex_byte(const char *text, uint8_t *ret)
{
	int high = fwa_hex_digit(text[0]);
	int low = high < 0 ? -1 : fwa_hex_digit(text[1]);

	if (low < 0)
		return false;
	*ret = (uint8_t)(high << 4 | low);
	return true;
}

/* Writes 2 * @len lower-case digits and a NUL. */
static inline void fwa_hex_text(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}
