/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"

void vfy_read_fail(struct vfy_read *r, const char *key, const char *why)
{
	if (r->bad)
		return;
	r->bad = true;
	fwa_fail(r->error, 0, "%s%s%s: %s", r->where, r->where[0] && key ? "." : "",
		 key           ? key
		 : r->where[0] ? ""
			       : "the file",
		 why);
}

struct vfy_read vfy_read_in(const struct vfy_read *r, const char *key, size_t i)
{
	struct vfy_read in = { .error = r->error, .bad = r->bad };
	const char *dot = r->where[0] ? "." : "";

	if (i == SIZE_MAX)
		snprintf(in.where, sizeof(in.where), "%.90s%s%.30s", r->where, dot, key);
	else
		snprintf(in.where, sizeof(in.where), "%.80s%s%.20s[%zu]", r->where, dot, key, i);
	return in;
}

/* A member of @type, or NULL, which is said. */
static json_object *member(struct vfy_read *r, json_object *o, const char *key, json_type type,
			   const char *what)
{
	json_object *m = NULL;
	char why[64];

	if (r->bad)
		return NULL;
	if (!json_object_object_get_ex(o, key, &m)) {
		vfy_read_fail(r, key, "missing");
		return NULL;
	}
	if (json_object_is_type(m, type))
		return m;
	snprintf(why, sizeof(why), "not %s", what);
	vfy_read_fail(r, key, why);
	return NULL;
}

json_object *vfy_read_object(struct vfy_read *r, json_object *o, const char *key)
{
	return member(r, o, key, json_type_object, "an object");
}

json_object *vfy_read_array(struct vfy_read *r, json_object *o, const char *key)
{
	return member(r, o, key, json_type_array, "an array");
}

const char *vfy_read_text(struct vfy_read *r, json_object *o, const char *key, size_t max)
{
	json_object *m = member(r, o, key, json_type_string, "a string");
	const char *text = m ? json_object_get_string(m) : NULL;
	size_t len = m ? (size_t)json_object_get_string_len(m) : 0;

	if (!text)
		return "";
	if (len > max)
		vfy_read_fail(r, key, "too long");
	else if (strlen(text) != len)
		vfy_read_fail(r, key, "has a NUL in it");
	return r->bad ? "" : text;
}

const char *vfy_read_maybe(struct vfy_read *r, json_object *o, const char *key, size_t max)
{
	json_object *m = NULL;

	if (!json_object_object_get_ex(o, key, &m) || !m)
		return NULL;
	return vfy_read_text(r, o, key, max);
}

uint64_t vfy_read_number(struct vfy_read *r, json_object *o, const char *key, uint64_t max)
{
	json_object *m = member(r, o, key, json_type_int, "a whole number");
	char why[64];
	uint64_t v;

	if (!m)
		return 0;
	v = json_object_get_uint64(m);
	if (json_object_get_int64(m) >= 0 && v <= max)
		return v;
	snprintf(why, sizeof(why), "not from 0 to %llu", (unsigned long long)max);
	vfy_read_fail(r, key, why);
	return 0;
}

bool vfy_read_bool(struct vfy_read *r, json_object *o, const char *key)
{
	return json_object_get_boolean(member(r, o, key, json_type_boolean, "true or false"));
}

size_t vfy_read_hex(struct vfy_read *r, json_object *o, const char *key, uint8_t *ret, size_t max)
{
	const char *text = vfy_read_text(r, o, key, 2 * max);
	size_t len = strlen(text);

	for (size_t i = 0; i < len / 2; i++)
		if (!fwa_hex_byte(text + 2 * i, &ret[i]))
			vfy_read_fail(r, key, "not hexadecimal digits");
	if (len % 2)
		vfy_read_fail(r, key, "half a byte at its end");
	return r->bad ? 0 : len / 2;
}

uint8_t *vfy_read_hex_alloc(struct vfy_read *r, json_object *o, const char *key, size_t max,
			    size_t *ret_len)
{
	size_t len = strlen(vfy_read_text(r, o, key, 2 * max));
	uint8_t *bytes = malloc(len + 1);

	*ret_len = 0;
	if (!bytes)
		vfy_read_fail(r, key, "out of memory");
	else
		*ret_len = vfy_read_hex(r, o, key, bytes, len);
	return bytes;
}

fwa_effects vfy_read_effects(struct vfy_read *r, json_object *o, const char *key)
{
	json_object *a = vfy_read_array(r, o, key);
	size_t n = a ? json_object_array_length(a) : 0;
	fwa_effects effects = 0;

	for (size_t i = 0; i < n && i < FWA_EFFECT_COUNT; i++) {
		json_object *m = json_object_array_get_idx(a, i);
		const char *name =
			json_object_is_type(m, json_type_string) ? json_object_get_string(m) : "";
		fwa_effects one = fwa_effect_by_name(name, strlen(name));

		if (!one)
			vfy_read_fail(r, key, "not a name of an effect");
		effects |= one;
	}
	if (n > FWA_EFFECT_COUNT)
		vfy_read_fail(r, key, "more than there are effects");
	return r->bad ? 0 : effects;
}

unsigned int vfy_read_word(struct vfy_read *r, json_object *o, const char *key,
			   const char *const *words, unsigned int n)
{
	const char *text = vfy_read_text(r, o, key, 64);

	for (unsigned int i = 0; i < n && !r->bad; i++)
		if (words[i] && strcmp(words[i], text) == 0)
			return i;
	vfy_read_fail(r, key, "a word that is not known here");
	return 0;
}

unsigned int vfy_read_name(struct vfy_read *r, json_object *o, const char *key,
			   const char *(*name)(unsigned int), unsigned int n)
{
	const char *text = vfy_read_text(r, o, key, 64);

	for (unsigned int i = 0; i < n && !r->bad; i++)
		if (strcmp(name(i), text) == 0)
			return i;
	vfy_read_fail(r, key, "a word that is not known here");
	return 0;
}
