/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UUIDs as the CXL mailbox carries them: 16 bytes in the order of the text form (RFC 9562 network
 * order; Linux's uuid_t). No allocation, no locale.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/hex.h"

#define FWA_UUID_LEN 16
#define FWA_UUID_TEXT_LEN 37 /* with the final NUL */

struct fwa_uuid {
	uint8_t b[FWA_UUID_LEN];
};

static inline bool fwa_uuid_eq(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, FWA_UUID_LEN) == 0;
}

static inline void fwa_uuid_text(const uint8_t *u, char text[FWA_UUID_TEXT_LEN])
{
	for (int i = 0; i < FWA_UUID_LEN; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		fwa_hex_text(u + i, 1, text);
		text += 2;
	}
}

/* Reads exactly the 8-4-4-4-12 text form; false, and *ret untouched, for anything else. */
static inline bool fwa_uuid_parse(const char *text, struct fwa_uuid *ret)
{
	struct fwa_uuid u;

	for (int i = 0; i < FWA_UUID_LEN; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		if (!fwa_hex_byte(text, &u.b[i]))
			return false;
		text += 2;
	}
	if (*text)
		return false;
	*ret = u;
	return true;
}
