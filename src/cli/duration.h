/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spans of time and points in it, as people write and read them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/policy-time.h"

#define CLI_DURATION_TEXT 32

/*
 * Reads "90m" or "1d12h": numbers with w, d, h, m or s behind them, each unit once and the longest
 * first. False when @text is something else, or longer than @max seconds.
 */
bool cli_duration_parse(const char *text, uint64_t max, uint64_t *ret_seconds);
/* "2h", "1h 59m", "3d 4h": its two longest units. */
const char *cli_duration_text(int64_t seconds, char text[CLI_DURATION_TEXT]);
/* "2026-11-22T16:00:00Z" for seconds since 1970; "-" when there is no such year. */
const char *cli_time_text(int64_t seconds, char text[FWA_TIME_TEXT]);
