/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a document says: each member known, each value one that has a meaning, or all of it is refused. The
 * commands are understood in advisory-entries.c, in the same way whether a document is checked or compiled.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "host/advisory-internal.h"
#include "host/policy-internal.h"

static const struct fwa_json_field document_fields[] = {
	{ "format_version", json_type_int, .required = true },
	{ "id", json_type_string, .required = true, 1, FWA_ADVISORY_ID_MAX - 1 },
	{ "sequence", json_type_int, .required = true },
	{ "issued", json_type_string, .required = true, 1, FWA_TIME_TEXT },
	{ "expires", json_type_string, .required = false, 1, FWA_TIME_TEXT },
	{ "title", json_type_string, .required = true, 1, 255 },
	{ "reference", json_type_string, .required = false, 0, 511 },
	{ "products", json_type_array, .required = true, 1, 256 },
	{ "commands", json_type_array, .required = true, 1, 1024 },
	{ "evidence", json_type_array, .required = false, 0, 64 },
};

static const struct fwa_json_field evidence_fields[] = {
	{ "sha256", json_type_string, .required = true, 64, 64 },
};

#define wrong(f, ...) fwa_fail((f)->error, -EBADMSG, __VA_ARGS__)

bool fwa_advisory_is_id(const char *id)
{
	size_t len = strlen(id);

	return len && len < FWA_ADVISORY_ID_MAX && !strchr("-_.", *id) &&
	       !id[strspn(id, FWA_GRANT_NAME_CHARACTERS)];
}

/* A web address that can stand in a page or a message as it is. */
static bool is_reference(const char *text)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~:/?#[]@!$&'()*+,;=%";

	if (!*text)
		return true;
	if (strncmp(text, "https://", 8) == 0)
		text += 8;
	else if (strncmp(text, "http://", 7) == 0)
		text += 7;
	else
		return false;
	return *text && !text[strspn(text, characters)];
}

static int take_times(struct fwa_advisory_file *f, json_object *doc)
{
	const char *expires = fwa_json_text(doc, "expires");

	if (!fwa_time_parse(fwa_json_text(doc, "issued"), &f->issued) || !f->issued)
		return wrong(f, "issued: not a time like 2026-12-31T18:00:00Z");
	f->expires = 0;
	if (!*expires)
		return 0;
	if (!fwa_time_parse(expires, &f->expires))
		return wrong(f, "expires: not a time like 2026-12-31T18:00:00Z");
	return f->expires > f->issued ? 0 : wrong(f, "it expires before it was issued");
}

static int check_evidence(struct fwa_advisory_file *f, json_object *doc)
{
	json_object *list;
	size_t n = fwa_json_items(doc, "evidence", &list);

	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *hex;
		char where[32];

		snprintf(where, sizeof(where), "evidence[%zu]", i);
		if (fwa_json_check(item, where, evidence_fields, FWA_ARRAY_SIZE(evidence_fields),
				   f->error) < 0)
			return -EBADMSG;
		hex = fwa_json_text(item, "sha256");
		if (hex[strspn(hex, "0123456789abcdef")])
			return wrong(f, "%s.sha256: not 64 digits from 0 to f", where);
	}
	return 0;
}

/* That the commands are understood, by what would be made of them. */
static int check_commands(struct fwa_advisory_file *f)
{
	struct fwa_advisory_entries e = { 0 };
	int r = fwa_advisory_add_entries(&e, f->document, 0, f->error);

	fwa_advisory_entries_clear(&e);
	return r == -E2BIG ? -EBADMSG : r;
}

int fwa_advisory_take(struct fwa_advisory_file *f, json_object *doc)
{
	const char *id, *reference;
	int64_t sequence;
	int r;

	f->document = doc;
	r = fwa_json_check(doc, "", document_fields, FWA_ARRAY_SIZE(document_fields), f->error);
	if (r < 0)
		return r;
	if (json_object_get_int64(json_object_object_get(doc, "format_version")) !=
	    FWA_ADVISORY_FORMAT)
		return wrong(f, "format_version: not %d, which is all that is known here",
			     FWA_ADVISORY_FORMAT);
	id = fwa_json_text(doc, "id");
	if (!fwa_advisory_is_id(id))
		return wrong(f,
			     "id: not letters, digits, '-', '_' and '.', of which the first is a "
			     "letter or a digit");
	sequence = json_object_get_int64(json_object_object_get(doc, "sequence"));
	if (sequence < 1 || sequence > FWA_ADVISORY_SEQUENCE_MAX)
		return wrong(f, "sequence: not a number from 1 to 2^53 - 1");
	reference = fwa_json_text(doc, "reference");
	if (!is_reference(reference))
		return wrong(f, "reference: not a web address");
	r = take_times(f, doc);
	if (r == 0)
		r = check_evidence(f, doc);
	if (r == 0)
		r = check_commands(f);
	if (r < 0)
		return r;
	f->sequence = (uint64_t)sequence;
	f->n_commands = json_object_array_length(json_object_object_get(doc, "commands"));
	snprintf(f->id, sizeof(f->id), "%s", id);
	snprintf(f->title, sizeof(f->title), "%s", fwa_json_text(doc, "title"));
	snprintf(f->reference, sizeof(f->reference), "%s", reference);
	return 0;
}

void fwa_advisory_file_clear(struct fwa_advisory_file *f)
{
	json_object_put(f->document);
	memset(f, 0, sizeof(*f));
}

const char *fwa_advisory_status_name(unsigned int status)
{
	static const char *const names[FWA_ADVISORY_STATUS_COUNT] = { "in-force", "expired", "bad",
								      "waiting" };

	return status < FWA_ADVISORY_STATUS_COUNT ? names[status] : NULL;
}
