/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/util.h"
#include "core/model.h"

static json_object *have(struct vfy_json *j, json_object *o)
{
	j->failed |= !o;
	return o;
}

json_object *vfy_json_object(struct vfy_json *j)
{
	return have(j, json_object_new_object());
}

json_object *vfy_json_array(struct vfy_json *j)
{
	return have(j, json_object_new_array());
}

void vfy_json_put(struct vfy_json *j, json_object *o, const char *key, json_object *value)
{
	if (o && json_object_object_add(o, key, value) == 0)
		return;
	j->failed = true;
	json_object_put(value);
}

void vfy_json_append(struct vfy_json *j, json_object *array, json_object *value)
{
	if (array && json_object_array_add(array, value) == 0)
		return;
	j->failed = true;
	json_object_put(value);
}

void vfy_json_text(struct vfy_json *j, json_object *o, const char *key, const char *text)
{
	fwa_auto_free char *copy = text && *text ? strdup(text) : NULL;

	j->failed |= text && *text && !copy;
	if (copy)
		fwa_make_printable(copy);
	vfy_json_put(j, o, key, copy ? have(j, json_object_new_string(copy)) : NULL);
}

void vfy_json_number(struct vfy_json *j, json_object *o, const char *key, uint64_t value)
{
	vfy_json_put(j, o, key, have(j, json_object_new_uint64(value)));
}

void vfy_json_bool(struct vfy_json *j, json_object *o, const char *key, bool value)
{
	vfy_json_put(j, o, key, have(j, json_object_new_boolean(value)));
}

void vfy_json_hex(struct vfy_json *j, json_object *o, const char *key, struct fwa_span bytes)
{
	fwa_auto_free char *text = malloc(2 * bytes.len + 1);

	j->failed |= !text;
	if (!text)
		return;
	fwa_hex_text(bytes.data, bytes.len, text);
	vfy_json_put(j, o, key, have(j, json_object_new_string_len(text, (int)(2 * bytes.len))));
}

void vfy_json_base64(struct vfy_json *j, json_object *o, const char *key, struct fwa_span bytes)
{
	size_t len = fwa_base64_len(bytes.len);
	fwa_auto_free char *text = malloc(len + 1);

	j->failed |= !text;
	if (!text)
		return;
	fwa_base64_text(bytes.data, bytes.len, text);
	vfy_json_put(j, o, key, have(j, json_object_new_string_len(text, (int)len)));
}

void vfy_json_effects(struct vfy_json *j, json_object *o, const char *key, fwa_effects effects)
{
	json_object *a = vfy_json_array(j);

	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++)
		if (effects >> bit & 1)
			vfy_json_append(j, a,
					have(j, json_object_new_string(fwa_effect_name(bit))));
	vfy_json_put(j, o, key, a);
}

void vfy_json_command(struct vfy_json *j, json_object *o, unsigned int set, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);
	char hex[8];

	snprintf(hex, sizeof(hex), set == FWA_SET_CXL ? "%04xh" : "%02xh", opcode);
	vfy_json_text(j, o, "set", fwa_set_name(set));
	vfy_json_number(j, o, "opcode", opcode);
	vfy_json_text(j, o, "opcode_hex", hex);
	vfy_json_text(j, o, "name", row ? row->name : NULL);
}

char *vfy_json_file(json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *ret;

	if (!text || asprintf(&ret, "%s\n", text) < 0)
		return NULL;
	return ret;
}
