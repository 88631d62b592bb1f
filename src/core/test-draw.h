/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests: what is drawn, the same each time.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ONE_OF(array) ((array)[below(COUNT(array))])

static uint64_t seed = 88172645463325252;

static inline uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) % n);
}

static inline bool chance(unsigned int percent)
{
	return below(100) < percent;
}

static inline void draw_bytes(void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)below(256);
}
