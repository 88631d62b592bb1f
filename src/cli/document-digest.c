/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digest that stands in what it is the digest of. Its two places are lines of the outermost object: two
 * blanks before them, which inner members do not have, and no string can hold a line feed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/document.h"
#include "host/digest.h"

#define DIGITS 64u
#define ID_DIGITS 16u

/* The digits behind the only line that begins with @intro; NULL when they are not there. */
static char *find(char *text, size_t len, const char *intro, size_t digits)
{
	char *at = memmem(text, len, intro, strlen(intro));
	size_t left;

	if (!at)
		return NULL;
	at += strlen(intro);
	left = len - (size_t)(at - text);
	if (left <= digits || at[digits] != '"' || memmem(at, left, intro, strlen(intro)))
		return NULL;
	for (size_t i = 0; i < digits; i++)
		if (!strchr("0123456789abcdef", at[i]))
			return NULL;
	return at;
}

bool cli_document_intact(struct fwa_span text, char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *copy = malloc(text.len + 1);
	char said[DIGITS], id_said[ID_DIGITS], digest[FWA_DIGEST_TEXT];
	char *id, *sha256;

	if (!copy) {
		fwa_fail(error, 0, "out of memory");
		return false;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	id = find(copy, text.len, "\n  \"id\": \"" CLI_DOCUMENT_ID, ID_DIGITS);
	sha256 = find(copy, text.len, "\n  \"sha256\": \"", DIGITS);
	if (!id || !sha256) {
		fwa_fail(error, 0,
			 "\"id\" and \"sha256\" do not stand in a line of their own each");
		return false;
	}
	memcpy(id_said, id, ID_DIGITS);
	memcpy(said, sha256, DIGITS);
	memset(id, '0', ID_DIGITS);
	memset(sha256, '0', DIGITS);
	fwa_sha256_text(fwa_span((const uint8_t *)copy, text.len), digest);
	if (memcmp(said, digest, DIGITS) == 0 && memcmp(id_said, digest, ID_DIGITS) == 0)
		return true;
	fwa_fail(error, 0, "the file is not as it was written: its digest is %s", digest);
	return false;
}
