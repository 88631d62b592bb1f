/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digest that is part of what it is the digest of. Its two places are lines of their own, of the outermost
 * object: two blanks before them, which inner members never have, and which no string can imitate, for it
 * cannot hold a line feed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "verify/digest.h"
#include "verify/evidence-internal.h"

static bool is_digits(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fwa_hex_digit(text[i]) < 0 || (text[i] >= 'A' && text[i] <= 'F'))
			return false;
	return true;
}

/* Where the @digits digits behind the only line that begins with @intro are. */
static bool find_digits(const char *text, size_t len, const char *intro, size_t digits, size_t *ret)
{
	size_t intro_len = strlen(intro);
	const char *at = memmem(text, len, intro, intro_len), *after;
	size_t left;

	if (!at)
		return false;
	after = at + intro_len;
	left = len - (size_t)(after - text);
	if (left < digits + 1 || !is_digits(after, digits) || after[digits] != '"')
		return false;
	*ret = (size_t)(after - text);
	return !memmem(after, left, intro, intro_len);
}

bool vfy_evidence_digest(const char *text, size_t len, uint8_t ret[32], size_t *ret_id,
			 size_t *ret_sha256)
{
	fwa_auto_free char *copy = NULL;

	if (!find_digits(text, len, "\n  \"id\": \"" EVIDENCE_ID, EVIDENCE_ID_DIGITS, ret_id) ||
	    !find_digits(text, len, "\n  \"sha256\": \"", EVIDENCE_DIGEST_DIGITS, ret_sha256))
		return false;
	copy = malloc(len);
	if (!copy)
		return false;
	memcpy(copy, text, len);
	memset(copy + *ret_id, '0', EVIDENCE_ID_DIGITS);
	memset(copy + *ret_sha256, '0', EVIDENCE_DIGEST_DIGITS);
	vfy_sha256(fwa_span(copy, len), ret);
	return true;
}
