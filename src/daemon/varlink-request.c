/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to checked parameters.
 *
 * json-c keeps the last of two equal keys and says nothing. So members are counted in the text, and
 * the count must be that of the tree.
 */
#include "daemon/varlink-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define FIRST_ROOM 1024
/* Of a request that gives something twice: to find what takes the square of the time. */
#define MEMBERS_MAX 64

/* --- framing -------------------------------------------------------------------------------- */

char *fwa_varlink_input_room(struct fwa_varlink_input *in, size_t max, size_t *ret_room)
{
	size_t cap = in->cap ? in->cap : FIRST_ROOM;
	char *data;

	*ret_room = 0;
	if (in->len >= max)
		return NULL;
	while (cap <= in->len)
		cap *= 2;
	if (cap != in->cap) {
		data = realloc(in->data, cap);
		if (!data)
			return NULL;
		in->data = data;
		in->cap = cap;
	}
	*ret_room = cap - in->len;
	return in->data + in->len;
}

void fwa_varlink_input_add(struct fwa_varlink_input *in, size_t n)
{
	in->len += n;
}

const char *fwa_varlink_input_next(struct fwa_varlink_input *in, size_t *ret_len)
{
	const char *nul;

	if (in->used) {
		in->len -= in->used;
		memmove(in->data, in->data + in->used, in->len);
		in->used = 0;
	}
	nul = in->len ? memchr(in->data, '\0', in->len) : NULL;
	if (!nul)
		return NULL;
	*ret_len = (size_t)(nul - in->data);
	in->used = *ret_len + 1;
	return in->data;
}

void fwa_varlink_input_clear(struct fwa_varlink_input *in)
{
	free(in->data);
	*in = (struct fwa_varlink_input){ 0 };
}

/* --- keys that are given twice -------------------------------------------------------------- */

static unsigned int count_members(struct json_object *o)
{
	unsigned int n = 0;

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

/* The end of the string that begins at @s, behind its last quote. The text is valid JSON. */
static const char *skip_string(const char *s, const char *end)
{
	for (s++; s < end && *s != '"'; s++)
		s += *s == '\\';
	return s < end ? s + 1 : end;
}

/*
 * Walks valid JSON and counts the members of its objects. With @name: only those of the objects
 * that are members of the outermost one and are called so.
 */
static unsigned int count_keys(const char *s, size_t len, const char *name)
{
	const char *end = s + len, *string = s, *string_end = s;
	unsigned int n = 0;
	int depth = 0;

	while (s < end) {
		if (*s == '"') {
			string = s;
			s = string_end = skip_string(s, end);
			continue;
		}
		depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
		if (*s == ':') {
			struct json_object *key;
			char text[512];
			size_t key_len = (size_t)(string_end - string);

			if (!name) {
				n++;
			} else if (depth == 2 && key_len < sizeof(text)) {
				memcpy(text, string, key_len);
				text[key_len] = '\0';
				key = json_tokener_parse(text); /* with its escapes undone */
				n += key && strcmp(json_object_get_string(key), name) == 0;
				json_object_put(key);
			}
		}
		s++;
	}
	return n;
}

/* False when something other than a parameter is given twice. */
static bool find_twice(const char *text, size_t len, struct fwa_varlink_request *r)
{
	unsigned int n = count_keys(text, len, NULL);

	if (n == count_members(r->root))
		return true;
	if (!r->parameters || n > MEMBERS_MAX)
		return false; /*= spec/SECURITY-MODEL.md#C26 */
	json_object_object_foreach(r->parameters, key, value)
	{
		(void)value;
		if (strlen(key) < sizeof(r->twice) && count_keys(text, len, key) > 1) {
			strcpy(r->twice, key);
			return true;
		}
	}
	return false;
}

/* --- a request ------------------------------------------------------------------------------ */

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (!json_object_is_type(o, json_type_object) || json_tokener_get_parse_end(tok) != len) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

static bool is_text(struct json_object *o, int64_t min, int64_t max)
{
	const char *text;
	int64_t len;

	if (!json_object_is_type(o, json_type_string))
		return false;
	text = json_object_get_string(o);
	len = json_object_get_string_len(o);
	if (len < min || len > max)
		return false;
	for (int64_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static bool take_flag(struct json_object *value, bool *ret)
{
	*ret = json_object_get_boolean(value);
	return json_object_is_type(value, json_type_boolean);
}

/* One member of the request itself. A client that means more than we know is not understood. */
static bool take_member(struct fwa_varlink_request *r, const char *key, struct json_object *value)
{
	if (strcmp(key, "method") == 0) {
		r->method = json_object_get_string(value);
		return is_text(value, 1, FWA_VARLINK_METHOD_MAX);
	}
	if (strcmp(key, "parameters") == 0) {
		r->parameters = value;
		return !value || json_object_is_type(value, json_type_object);
	}
	if (strcmp(key, "more") == 0)
		return take_flag(value, &r->more);
	if (strcmp(key, "oneway") == 0)
		return take_flag(value, &r->oneway);
	if (strcmp(key, "upgrade") == 0)
		return take_flag(value, &r->upgrade);
	return false;
}

int fwa_varlink_request_parse(const char *text, size_t len, struct fwa_varlink_request *ret)
{
	*ret = (struct fwa_varlink_request){ .root = parse(text, len) };
	if (!ret->root)
		return -EPROTO;
	json_object_object_foreach(ret->root, key, value)
	{
		if (!take_member(ret, key, value))
			return -EPROTO;
	}
	return ret->method && find_twice(text, len, ret) ? 0 : -EPROTO;
}

void fwa_varlink_request_clear(struct fwa_varlink_request *r)
{
	json_object_put(r->root);
	*r = (struct fwa_varlink_request){ 0 };
}

/* --- parameters ----------------------------------------------------------------------------- */

static bool are_texts(const struct fwa_varlink_field *f, struct json_object *value)
{
	int64_t n;

	if (!json_object_is_type(value, json_type_array))
		return false;
	n = (int64_t)json_object_array_length(value);
	if (n < f->min || n > f->max)
		return false;
	for (int64_t i = 0; i < n; i++)
		if (!is_text(json_object_array_get_idx(value, (size_t)i), 1, FWA_VARLINK_ITEM_MAX))
			return false;
	return true;
}

/* What does not fit in 64 bits json-c makes the greatest that does, which is beyond every max. */
static bool take_number(const struct fwa_varlink_field *f, struct json_object *value, int64_t *ret)
{
	*ret = json_object_get_int64(value);
	return json_object_is_type(value, json_type_int) && *ret >= f->min && *ret <= f->max;
}

static bool take_field(const struct fwa_varlink_field *f, struct json_object *value, void *to)
{
	if (!value)
		return f->optional; /* null is as good as nothing */
	switch (f->type) {
	case FWA_VARLINK_TEXT:
		*(const char **)to = json_object_get_string(value);
		return is_text(value, f->min, f->max);
	case FWA_VARLINK_TEXTS:
		*(struct json_object **)to = value;
		return are_texts(f, value);
	case FWA_VARLINK_NUMBER:
		return take_number(f, value, to);
	}
	return false;
}

static const struct fwa_varlink_field *find(const struct fwa_varlink_field *fields, size_t n,
					    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

bool fwa_varlink_take(const struct fwa_varlink_request *r, const struct fwa_varlink_field *fields,
		      size_t n, void *ret, const char **ret_bad)
{
	uint32_t there = 0;

	*ret_bad = r->twice;
	if (r->twice[0])
		return false;
	if (r->parameters) {
		json_object_object_foreach(r->parameters, key, value)
		{
			const struct fwa_varlink_field *f = find(fields, n, key);

			*ret_bad = key;
			if (!f || !take_field(f, value, (char *)ret + f->offset))
				return false;
			there |= 1u << (f - fields);
		}
	}
	for (size_t i = 0; i < n; i++) {
		*ret_bad = fields[i].name;
		if (!fields[i].optional && !(there & 1u << i))
			return false;
	}
	*ret_bad = NULL;
	return true;
}
