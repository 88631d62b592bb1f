/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where media is looked at: by a plan when it is read, by a target when a fresh device gets its pattern.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VFY_SAMPLE_LINES 16u
#define VFY_SAMPLE_BLOCKS 8u

/* Line @i of VFY_SAMPLE_LINES, all over a device of @lines, at least as many: the first and the last. */
static inline uint64_t vfy_sample_line(uint64_t lines, unsigned int i)
{
	return i == VFY_SAMPLE_LINES - 1 ? lines - 1 : lines / VFY_SAMPLE_LINES * i;
}

/* The first block of @blocks, the next, some between, and the last: each once. How many. */
static inline size_t vfy_sample_blocks(uint64_t blocks, uint64_t ret[VFY_SAMPLE_BLOCKS])
{
	uint64_t next = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < VFY_SAMPLE_BLOCKS; i++) {
		uint64_t at = i < 2 ? i : blocks / (VFY_SAMPLE_BLOCKS - 2) * (i - 1);

		if (i == VFY_SAMPLE_BLOCKS - 1)
			at = blocks - 1;
		if (at < next || at >= blocks)
			continue;
		ret[n++] = at;
		next = at + 1;
	}
	return n;
}
