/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON from others, as strictly as it can be read.
 *
 * json-c keeps the last of two equal keys and says nothing. So members are counted in the text, and the
 * count must be that of the tree; and of its strict mode it takes keys in single quotes, in which that count
 * would get lost. Values are counted before anything is made of them: a text of brackets
 * becomes a tree of a hundred times its size.
 */
#include <errno.h>
#include <string.h>

#include "host/advisory-internal.h"

/* --- the text --------------------------------------------------------------------------------- */

struct counts {
	size_t members; /* of all objects */
	size_t values;  /* no fewer than there are */
	bool quotes;    /* single ones, where JSON has none */
};

/* Right for valid JSON; for any other text some numbers. */
static struct counts count(struct fwa_span text)
{
	struct counts n = { 0, 1, false };
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (quoted) {
			if (c == '\\')
				i++;
			quoted = c != '"';
		} else {
			quoted = c == '"';
			n.quotes |= c == '\'';
			n.members += c == ':';
			n.values += c == ',' || c == '[' || c == '{';
		}
	}
	return n;
}

static size_t count_members(json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			n += 1 + count_members(value);
		}
	}
	return n;
}

static json_object *parse(struct fwa_span text, char *error)
{
	json_tokener *tok = json_tokener_new_ex(FWA_JSON_DEPTH);
	json_object *o = NULL;

	if (!tok) {
		fwa_fail(error, 0, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (text.len)
		o = json_tokener_parse_ex(tok, (const char *)text.data, (int)text.len);
	if (json_tokener_get_error(tok) == json_tokener_error_depth)
		fwa_fail(error, 0, "nested deeper than %d", FWA_JSON_DEPTH);
	else if (!json_object_is_type(o, json_type_object) ||
		 json_tokener_get_parse_end(tok) != text.len)
		fwa_fail(error, 0, "not one JSON object");
	json_tokener_free(tok);
	if (*error) {
		json_object_put(o);
		o = NULL;
	}
	return o;
}

json_object *fwa_json_parse(struct fwa_span text, size_t values_max, char error[FWA_ERROR_LEN])
{
	struct counts n;
	json_object *o;

	error[0] = '\0';
	if (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	n = count(text);
	if (n.values > values_max) {
		fwa_fail(error, 0, "more than %zu values", values_max);
		return NULL;
	}
	if (n.quotes) {
		fwa_fail(error, 0, "not one JSON object");
		return NULL;
	}
	o = parse(text, error);
	if (o && count_members(o) != n.members) {
		fwa_fail(error, 0, "a member is given twice");
		json_object_put(o);
		o = NULL;
	}
	return o;
}

/* --- members ---------------------------------------------------------------------------------- */

static const char *not_of(enum json_type type)
{
	switch (type) {
	case json_type_string:
		return "not a text";
	case json_type_int:
		return "not a whole number";
	case json_type_array:
		return "not a list";
	case json_type_boolean:
		return "neither true nor false";
	default:
		return "not an object";
	}
}

static const struct fwa_json_field *find(const struct fwa_json_field *fields, size_t n,
					 const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* "commands[3].opcode: missing"; @key can be anything. */
static int wrong(char *error, const char *where, const char *key, const char *what)
{
	return fwa_fail(error, -EBADMSG, "%s%s%.48s: %s", where, *where ? "." : "", key, what);
}

static int check_text(json_object *value, const char *where, const struct fwa_json_field *f,
		      char *error)
{
	const char *text = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);

	if (!is_printable(text, len))
		return wrong(error, where, f->key, "has what is not printable ASCII");
	if (len < f->min)
		return wrong(error, where, f->key, f->min == 1 ? "empty" : "too short");
	return len > f->max ? wrong(error, where, f->key, "too long") : 0;
}

static int check_value(json_object *value, const char *where, const struct fwa_json_field *f,
		       char *error)
{
	size_t n;

	if (!value && !f->required)
		return 0;
	if (!json_object_is_type(value, f->type))
		return wrong(error, where, f->key, not_of(f->type));
	if (f->type == json_type_string)
		return check_text(value, where, f, error);
	if (f->type != json_type_array)
		return 0;
	n = json_object_array_length(value);
	if (n < f->min)
		return wrong(error, where, f->key, "empty");
	return n > f->max ? wrong(error, where, f->key, "too many") : 0;
}

int fwa_json_check(json_object *o, const char *where, const struct fwa_json_field *fields, size_t n,
		   char error[FWA_ERROR_LEN])
{
	if (!json_object_is_type(o, json_type_object))
		return fwa_fail(error, -EBADMSG, "%s: not an object", where);
	json_object_object_foreach(o, key, value)
	{
		const struct fwa_json_field *f = find(fields, n, key);
		int r = f ? check_value(value, where, f, error)
			  : wrong(error, where, key, "not known");

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].required && !json_object_object_get_ex(o, fields[i].key, NULL))
			return wrong(error, where, fields[i].key, "missing");
	return 0;
}

const char *fwa_json_text(json_object *o, const char *key)
{
	json_object *value = json_object_object_get(o, key);

	return value ? json_object_get_string(value) : "";
}

size_t fwa_json_items(json_object *o, const char *key, json_object **ret_array)
{
	*ret_array = json_object_object_get(o, key);
	return *ret_array ? json_object_array_length(*ret_array) : 0;
}
