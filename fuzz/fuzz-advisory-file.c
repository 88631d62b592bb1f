/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an envelope, and as the document of one. An envelope that nobody has signed is never believed; a
 * document that is understood makes a whole table, and a CSAF document.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "host/advisory-internal.h"

static void check_entries(json_object *doc)
{
	struct fwa_advisory_entries e = { 0 };
	uint8_t digest[32] = { 0 }, *table = NULL;
	struct fwa_advisories a;
	char error[FWA_ERROR_LEN];
	size_t len;

	if (fwa_advisory_add_entries(&e, doc, 1, error) < 0 ||
	    fwa_advisory_entries_encode(&e, digest, &table, &len) < 0 ||
	    fwa_advisories_parse(&a, fwa_span(table, len)) < 0 || a.n != e.n || !a.n)
		abort();
	free(table);
	fwa_advisory_entries_clear(&e);
}

static void use_document(struct fwa_span text)
{
	struct fwa_advisory_file f = { .status = FWA_ADVISORY_BAD };
	json_object *doc = fwa_json_parse(text, FWA_JSON_VALUES_MAX, f.error), *csaf;

	if (doc && fwa_advisory_take(&f, doc) == 0) {
		check_entries(doc);
		csaf = fwa_advisory_csaf(&f, "publisher", "https://example.com");
		if (!csaf)
			abort();
		json_object_put(csaf);
	} else if (!*f.error) {
		abort();
	}
	fwa_advisory_file_clear(&f);
}

static void use_envelope(struct fwa_span text)
{
	/* of RFC 8032, 7.1: one of zeroes would be believed at times */
	static struct fwa_advisory_key key = {
		.key = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
			 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
			 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a },
		.id = "0000000000000000000000000000000000000000000000000000000000000000",
		.name = "key.pem",
	};
	struct fwa_advisory_keys keys = { .all = &key, .n = 1 };
	struct fwa_moment now = { .wall = 1798740000 };
	struct fwa_advisory_file f;
	char digest[FWA_DIGEST_TEXT];

	if (fwa_advisory_check_with(&keys, text, &now, &f, digest) == 0 || f.document || !*f.error)
		abort();
	for (const char *c = f.error; *c; c++)
		if (*c < ' ' || *c > '~')
			abort();
	fwa_advisory_file_clear(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	use_envelope(fwa_span(data, size));
	use_document(fwa_span(data, size));
	return 0;
}
