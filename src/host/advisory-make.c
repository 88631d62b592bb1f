/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a document of what was found on a device here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/advisory-store.h"
#include "host/policy-internal.h"

#define LOCAL_ID "FWA-local-"
#define LOCAL_DIGITS 16

static void put_text(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text ? text : ""));
}

static json_object *products_of(const struct fwa_advisory_draft *d)
{
	json_object *list = json_object_new_array(), *product = json_object_new_object();
	json_object *firmware = json_object_new_object();

	put_text(product, "family", d->family);
	put_text(product, "vendor", d->vendor);
	put_text(product, "model", d->model);
	put_text(firmware, "from", d->firmware_from);
	put_text(firmware, "to", d->firmware_to);
	json_object_object_add(product, "firmware", firmware);
	json_object_array_add(list, product);
	return list;
}

/* "set-feature uuid:..": what is behind the first blank is the selector. */
static json_object *commands_of(const struct fwa_advisory_draft *d)
{
	json_object *list = json_object_new_array(), *command = json_object_new_object();
	size_t len = strcspn(d->command, " ");
	const char *selector = d->command + len + strspn(d->command + len, " ");
	json_object *effects;

	json_object_object_add(command, "command",
			       json_object_new_string_len(d->command, (int)len));
	if (*selector)
		put_text(command, "selector", selector);
	if (d->never) {
		json_object_object_add(command, "never", json_object_new_boolean(true));
	} else {
		effects = json_object_new_array();
		for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++)
			if (d->effects >> bit & 1)
				json_object_array_add(effects,
						      json_object_new_string(fwa_effect_name(bit)));
		json_object_object_add(command, "effects", effects);
	}
	json_object_array_add(list, command);
	return list;
}

static json_object *evidence_of(const char *sha256)
{
	json_object *list = json_object_new_array(), *item = json_object_new_object();

	put_text(item, "sha256", sha256);
	json_object_array_add(list, item);
	return list;
}

/* The one that is made up: a file's digest tells it from others made here. */
static int id_of(const struct fwa_advisory_draft *d, char id[FWA_ADVISORY_ID_MAX], char *error)
{
	if (d->id && fwa_advisory_is_id(d->id)) {
		strcpy(id, d->id);
		return 0;
	}
	if (d->id)
		return fwa_fail(error, -EINVAL,
				"id: not 1 to %d letters, digits, '-', '_' and '.', of which the "
				"first is a letter or a digit",
				FWA_ADVISORY_ID_MAX - 1);
	if (!d->evidence_sha256 || strspn(d->evidence_sha256, "0123456789abcdef") < LOCAL_DIGITS)
		return fwa_fail(error, -EINVAL, "an id is needed, or evidence that gives it one");
	snprintf(id, FWA_ADVISORY_ID_MAX, LOCAL_ID "%.*s", LOCAL_DIGITS, d->evidence_sha256);
	return 0;
}

static void put_title(json_object *doc, const struct fwa_advisory_draft *d)
{
	char title[256];

	snprintf(title, sizeof(title), "%.60s %.60s: %.100s does more than it declares",
		 d->vendor && *d->vendor ? d->vendor : d->family,
		 d->model && *d->model ? d->model : "device", d->command);
	put_text(doc, "title", d->title ? d->title : title);
}

static json_object *document_of(const struct fwa_advisory_draft *d, const char *id,
				uint64_t sequence, const struct fwa_moment *now)
{
	json_object *doc = json_object_new_object();
	char text[FWA_TIME_TEXT];

	json_object_object_add(doc, "format_version", json_object_new_int(FWA_ADVISORY_FORMAT));
	put_text(doc, "id", id);
	json_object_object_add(doc, "sequence", json_object_new_int64((int64_t)sequence));
	fwa_time_text(now->wall, text);
	put_text(doc, "issued", text);
	fwa_time_text(d->expires, text);
	json_object_object_add(doc, "expires", d->expires ? json_object_new_string(text) : NULL);
	put_title(doc, d);
	put_text(doc, "reference", d->reference);
	json_object_object_add(doc, "products", products_of(d));
	json_object_object_add(doc, "commands", commands_of(d));
	if (d->evidence_sha256)
		json_object_object_add(doc, "evidence", evidence_of(d->evidence_sha256));
	return doc;
}

/* The payload, when a reader would understand it. */
static int payload_of(json_object *doc, char **ret, char *error)
{
	const int how = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	struct fwa_advisory_file f = { .status = FWA_ADVISORY_BAD };
	const char *text = json_object_to_json_string_ext(doc, how);
	json_object *again;
	int r;

	if (!text)
		return fwa_fail(error, -ENOMEM, "out of memory");
	again = fwa_json_parse(fwa_span(text, strlen(text)), FWA_JSON_VALUES_MAX, f.error);
	r = again ? fwa_advisory_take(&f, again) : -EBADMSG;
	if (r == 0) {
		*ret = strdup(text);
		r = *ret ? 0 : fwa_fail(f.error, -ENOMEM, "out of memory");
	}
	if (r < 0) {
		fwa_make_printable(f.error);
		snprintf(error, FWA_ERROR_LEN, "%s", f.error);
	}
	fwa_advisory_file_clear(&f);
	return r == -EBADMSG ? -EINVAL : r;
}

int fwa_advisory_make(const struct fwa_advisory_place *p, const struct fwa_advisory_draft *draft,
		      const char *key, const struct fwa_moment *now, char **ret_text,
		      char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *payload = NULL;
	char id[FWA_ADVISORY_ID_MAX];
	uint64_t sequence = draft->sequence;
	json_object *doc;
	int r;

	if (!draft->family || !draft->command)
		return fwa_fail(error, -EINVAL, "a family and a command are needed");
	r = id_of(draft, id, error);
	if (r < 0)
		return r;
	if (!sequence)
		sequence = fwa_advisory_next_sequence(p, id, now);
	if (sequence > FWA_ADVISORY_SEQUENCE_MAX)
		return fwa_fail(error, -EINVAL, "sequence: greater than 2^53 - 1");
	doc = document_of(draft, id, sequence, now);
	r = payload_of(doc, &payload, error);
	json_object_put(doc);
	return r < 0 ? r
		     : fwa_advisory_seal(p, key, fwa_span(payload, strlen(payload)), ret_text,
					 error);
}
