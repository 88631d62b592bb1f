/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times of the journal: nanoseconds since 1970, as people name and read them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLI_STAMP_TEXT 40

/*
 * Reads what --since and --until take, at the time @now: "2026-11-22 10:00", with seconds, a fraction
 * of them and a "Z" for UTC where wanted, else by the time zone; "2026-11-22", "10:00"; "now", "today",
 * "yesterday", "tomorrow"; "-1h30m", "1h30m ago"; "@1795341600.5". False for all else.
 */
bool cli_stamp_parse(const char *text, uint64_t now, uint64_t *ret);
/* "2026-11-22T10:00:00.123Z" with @digits (0 to 9) of the fraction, cut; "-" beyond the year 9999. */
const char *cli_stamp_text(uint64_t time, unsigned int digits, char text[CLI_STAMP_TEXT]);
