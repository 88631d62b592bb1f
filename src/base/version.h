/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware revisions in their order, as far as one can be told without knowing whose they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool fwa_version_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at @s without zeroes in front; how many they are in *ret_n. *ret_end is behind them. */
static inline const char *fwa_version_digits(const char *s, size_t *ret_n, const char **ret_end)
{
	const char *first;

	while (*s == '0')
		s++;
	for (first = s; fwa_version_digit(*s);)
		s++;
	*ret_n = (size_t)(s - first);
	*ret_end = s;
	return first;
}

/*
 * Compares from the left: where both have digits, the numbers that these are, however long, and zeroes in
 * front of them count for nothing; everything else by bytes. What goes on is greater than what ends. <0, 0,
 * >0: "1.9" < "1.10", "1.2" < "1.2a", "A1" < "B0", "1.02" is "1.2".
 */
static inline int fwa_version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		if (fwa_version_digit(*a) && fwa_version_digit(*b)) {
			size_t n, m;
			const char *x = fwa_version_digits(a, &n, &a);
			const char *y = fwa_version_digits(b, &m, &b);

			if (n != m)
				return n < m ? -1 : 1;
			for (; n--; x++, y++)
				if (*x != *y)
					return *x < *y ? -1 : 1;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return 0;
}
