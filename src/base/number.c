/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/number.h"

#include <string.h>

#include "base/hex.h"

bool fwa_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	size_t len = strlen(text);
	bool suffix = len > 1 && (text[len - 1] == 'h' || text[len - 1] == 'H');
	bool prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	int base = suffix || prefix ? 16 : 10;
	uint64_t value = 0;

	if (suffix)
		len--;
	if (prefix) {
		text += 2;
		len -= 2;
	}
	if (len == 0 || (suffix && prefix))
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = fwa_hex_digit(text[i]);

		if (digit < 0 || digit >= base ||
		    __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}
