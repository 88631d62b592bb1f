/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers as people write them, on command lines and in files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads "17154", "0x4302" or "4302h", at most @max. False, and *ret untouched, for all else. */
bool fwa_parse_number(const char *text, uint64_t max, uint64_t *ret);
