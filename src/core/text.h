/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * String helpers for core, which calls no libc but memcpy, memcmp and memset.
 */
#pragma once

#include <stdbool.h>

static inline bool fwa_text_eq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}
