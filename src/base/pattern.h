/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Patterns as the shell has them: what policy says of devices is matched in this one way.
 */
#pragma once

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the pattern that matches @text alone; false when it does not fit in @cap bytes. A pattern has at most
 * twice the characters.
 */
static inline bool fwa_pattern_exactly(const char *text, char *ret, size_t cap)
{
	size_t len = 0;

	if (!cap)
		return false;
	for (; *text; text++) {
		bool special = *text == '*' || *text == '?' || *text == '[' || *text == '\\';

		if (len + special + 1 >= cap)
			return false;
		if (special)
			ret[len++] = '\\';
		ret[len++] = *text;
	}
	ret[len] = '\0';
	return true;
}

static inline bool fwa_pattern_matches(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}
