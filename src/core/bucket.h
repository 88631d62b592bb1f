/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rates: commands and bytes a second, with a burst of one second (C24).
 *
 * Each of the two is a token bucket, kept as the time at which what has passed is paid for: a bucket
 * that is full was last used up a second ago. So there is no remainder that rounding could lose, a
 * zeroed bucket is full, and a clock that stands still or goes back fills none.
 *
 * Whoever finds something in the bucket may take more than there is, once: the next one waits until
 * that is paid for, so that a single transfer may be longer than a second's bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What may pass in a second; 0: any number. */
struct fwa_rate {
	uint32_t commands;
	uint64_t bytes;
};

/* CLOCK_BOOTTIME ns; zero is a full bucket. */
struct fwa_bucket {
	uint64_t commands;
	uint64_t bytes;
};

/* ns that @n take at @rate a second, which is not 0: never less than they do; UINT64_MAX at most. */
uint64_t fwa_rate_cost(uint64_t n, uint64_t rate);
/* ns from @now until @b lets something pass by @rate; 0: it does now. UINT64_MAX at the end of time. */
uint64_t fwa_bucket_wait(const struct fwa_bucket *b, const struct fwa_rate *rate, uint64_t now);
/*
 * Takes one command and @bytes, both ways together, out of @b, whether or not they are in it. In any
 * T seconds fewer than rate * (T + 1) + 1 commands pass so, and at most rate * (T + 1) bytes and
 * what the last command took. Pure, for any input.
 */
void fwa_bucket_take(struct fwa_bucket *b, const struct fwa_rate *rate, uint64_t bytes,
		     uint64_t now);
