/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"
#include "base/util.h"
#include "base/weight.h"
#include "core/model.h"

#define DEPTH_MAX 16
/* The text of a file, in a finding: kept as it is, and looked into only when parsed itself. */
#define VERBATIM "evidence"

/* --- reading ---------------------------------------------------------------------------------- */

static void clean_text(struct json_object *o)
{
	const char *text = json_object_get_string(o);
	fwa_auto_free char *copy = strdup(text);

	if (copy)
		fwa_make_printable(copy);
	if (!copy || strcmp(copy, text) != 0 ||
	    (size_t)json_object_get_string_len(o) != strlen(text))
		json_object_set_string(o, copy ? copy : "?");
}

static void clean(struct json_object *o)
{
	if (json_object_is_type(o, json_type_string)) {
		clean_text(o);
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			clean(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			if (strcmp(key, VERBATIM) != 0)
				clean(value);
		}
	}
}

static struct json_object *parse(struct json_tokener *t, struct fwa_span text,
				 char error[FWA_ERROR_LEN])
{
	struct json_object *o;
	size_t len = text.len;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	while (len && memchr(" \r\n\t", text.data[len - 1], 4))
		len--;
	o = json_tokener_parse_ex(t, (const char *)text.data, (int)len);
	if (json_tokener_get_error(t) == json_tokener_continue)
		fwa_fail(error, 0, "not JSON: it ends too early");
	else if (json_tokener_get_error(t) != json_tokener_success)
		fwa_fail(error, 0, "not JSON: %s",
			 json_tokener_error_desc(json_tokener_get_error(t)));
	else if (json_tokener_get_parse_end(t) != len)
		fwa_fail(error, 0, "not JSON: something follows its end");
	else if (!json_object_is_type(o, json_type_object))
		fwa_fail(error, 0, "not a JSON object");
	else
		return o;
	json_object_put(o);
	return NULL;
}

struct json_object *cli_document_parse(struct fwa_span text, char error[FWA_ERROR_LEN])
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;

	if (!t)
		fwa_fail(error, 0, "out of memory");
	else if (text.len > CLI_DOCUMENT_MAX)
		fwa_fail(error, 0, "more than %u bytes", CLI_DOCUMENT_MAX);
	else if (fwa_json_values(text) > FWA_JSON_VALUES_MAX)
		fwa_fail(error, 0, "more than %u values", FWA_JSON_VALUES_MAX);
	else
		o = parse(t, text, error);
	json_tokener_free(t);
	if (!o)
		return NULL;
	clean(o);
	if (cli_doc_number(o, "format_version") == 1)
		return o;
	fwa_fail(error, 0, "format_version: not 1, the only one that is known here");
	json_object_put(o);
	return NULL;
}

const char *cli_document_fault(struct json_object *doc)
{
	bool evidence = cli_document_is(doc, "fwadmit-evidence");
	size_t n = cli_doc_list_length(cli_doc_list(doc, "findings"));

	if (!evidence && !cli_document_is(doc, "fwadmit-campaign"))
		return "neither a campaign nor evidence of fwadmit verify";
	if (!cli_doc_object(doc, "device"))
		return "it does not say which device it is about";
	if (evidence)
		return cli_doc_object(doc, "finding") ? NULL : "evidence without a finding";
	if (!cli_doc_list(doc, "findings"))
		return "a campaign without a list of findings";
	if (n > CLI_DOCUMENT_FINDINGS_MAX)
		return "more than 256 findings";
	for (size_t i = 0; i < n; i++)
		if (!cli_document_finding(doc, i))
			return "a finding that is no object";
	return NULL;
}

struct json_object *cli_document_read(struct fwa_span text, char error[FWA_ERROR_LEN])
{
	struct json_object *doc = cli_document_parse(text, error);
	const char *fault = doc ? cli_document_fault(doc) : NULL;

	if (!fault)
		return doc;
	fwa_fail(error, 0, "%s", fault);
	json_object_put(doc);
	return NULL;
}

bool cli_document_is(struct json_object *doc, const char *kind)
{
	return strcmp(cli_doc_text(doc, "kind"), kind) == 0;
}

/* --- members ---------------------------------------------------------------------------------- */

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
		return NULL;
	return json_object_is_type(v, type) ? v : NULL;
}

const char *cli_doc_text(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_string);

	return v ? json_object_get_string(v) : "";
}

uint64_t cli_doc_number(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_int);

	/* it makes 0 of what is negative */
	return v ? json_object_get_uint64(v) : 0;
}

bool cli_doc_flag(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

bool cli_doc_has(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) &&
	       v;
}

struct json_object *cli_doc_object(struct json_object *o, const char *key)
{
	return member(o, key, json_type_object);
}

struct json_object *cli_doc_list(struct json_object *o, const char *key)
{
	return member(o, key, json_type_array);
}

size_t cli_doc_list_length(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

static struct json_object *element(struct json_object *list, size_t i, enum json_type type)
{
	struct json_object *v =
		i < cli_doc_list_length(list) ? json_object_array_get_idx(list, i) : NULL;

	return json_object_is_type(v, type) ? v : NULL;
}

struct json_object *cli_doc_list_object(struct json_object *list, size_t i)
{
	struct json_object *v = element(list, i, json_type_object);

	return v;
}

const char *cli_doc_list_text(struct json_object *list, size_t i)
{
	struct json_object *v = element(list, i, json_type_string);

	return v ? json_object_get_string(v) : "";
}

fwa_effects cli_doc_effects(struct json_object *o, const char *key)
{
	struct json_object *list = cli_doc_list(o, key);
	fwa_effects effects = 0;

	for (size_t i = 0; i < cli_doc_list_length(list); i++) {
		const char *name = cli_doc_list_text(list, i);
		fwa_effects one = fwa_effect_by_name(name, strlen(name));

		effects |= one ? one : FWA_EFFECT_UNKNOWN;
	}
	return effects;
}

uint8_t *cli_doc_hex(struct json_object *o, const char *key, size_t *ret_len)
{
	const char *text = cli_doc_text(o, key);
	size_t n = strlen(text) / 2;
	uint8_t *bytes = malloc(n + 1);

	*ret_len = 0;
	for (size_t i = 0; bytes && i < n; i++) {
		if (!fwa_hex_byte(text + 2 * i, &bytes[i])) {
			free(bytes);
			return NULL;
		}
	}
	if (bytes)
		*ret_len = n;
	return bytes;
}

bool cli_doc_command(struct json_object *o, unsigned int *ret_set, uint16_t *ret_opcode)
{
	const char *name = cli_doc_text(o, "set");
	uint64_t opcode = cli_doc_number(o, "opcode");

	if (!cli_doc_has(o, "opcode") &&
	    !fwa_parse_number(cli_doc_text(o, "opcode_hex"), UINT16_MAX, &opcode))
		return false;
	for (unsigned int set = 0; set < FWA_SET_COUNT && opcode <= UINT16_MAX; set++) {
		if (strcmp(name, fwa_set_name(set)) != 0)
			continue;
		*ret_set = set;
		*ret_opcode = (uint16_t)opcode;
		return true;
	}
	return false;
}

/* --- findings --------------------------------------------------------------------------------- */

struct json_object *cli_document_finding(struct json_object *doc, size_t i)
{
	if (cli_document_is(doc, "fwadmit-evidence"))
		return i ? NULL : cli_doc_object(doc, "finding");
	return cli_doc_list_object(cli_doc_list(doc, "findings"), i);
}

size_t cli_document_findings(struct json_object *doc)
{
	if (cli_document_is(doc, "fwadmit-evidence"))
		return cli_doc_object(doc, "finding") != NULL;
	return cli_doc_list_length(cli_doc_list(doc, "findings"));
}

bool cli_finding_accuses(struct json_object *finding)
{
	return cli_doc_flag(finding, "accuses");
}

size_t cli_document_accusing(struct json_object *doc)
{
	size_t n = 0;

	for (size_t i = 0; i < cli_document_findings(doc); i++)
		n += cli_finding_accuses(cli_document_finding(doc, i));
	return n;
}

bool cli_document_id(struct json_object *doc, char id[CLI_DOCUMENT_ID_TEXT])
{
	const char *said = cli_doc_text(doc, "id"), *digits = said + strlen(CLI_DOCUMENT_ID);

	if (strlen(said) != CLI_DOCUMENT_ID_TEXT - 1 ||
	    strncmp(said, CLI_DOCUMENT_ID, strlen(CLI_DOCUMENT_ID)) != 0 ||
	    digits[strspn(digits, "0123456789abcdef")])
		return false;
	memcpy(id, said, CLI_DOCUMENT_ID_TEXT);
	return true;
}

const char *cli_finding_evidence(struct json_object *finding, char id[CLI_DOCUMENT_ID_TEXT])
{
	const char *text = cli_doc_text(finding, VERBATIM);
	char error[FWA_ERROR_LEN];
	struct json_object *doc;
	bool fits;

	if (!*text)
		return NULL;
	doc = cli_document_read(fwa_span((const uint8_t *)text, strlen(text)), error);
	fits = cli_document_is(doc, "fwadmit-evidence") && cli_document_id(doc, id);
	json_object_put(doc);
	return fits ? text : NULL;
}
