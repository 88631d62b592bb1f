/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Patterns as the shell has them: what policy says of devices is matched in this one way.
 */
#pragma once

#include <fnmatch.h>
#include <stdbool.h>

static inline bool fwa_pattern_matches(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}
