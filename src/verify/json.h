/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON objects, member by member. What there was no memory for is remembered, so that who builds an object
 * looks once, at its end.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "core/effects.h"

struct vfy_json {
	bool failed; /* something is missing */
};

json_object *vfy_json_object(struct vfy_json *j);
json_object *vfy_json_array(struct vfy_json *j);
/* Puts @value, which may be NULL for null, into @o. */
void vfy_json_put(struct vfy_json *j, json_object *o, const char *key, json_object *value);
void vfy_json_append(struct vfy_json *j, json_object *array, json_object *value);
/* null for NULL and for "". What is not printable ASCII is masked. */
void vfy_json_text(struct vfy_json *j, json_object *o, const char *key, const char *text);
void vfy_json_number(struct vfy_json *j, json_object *o, const char *key, uint64_t value);
void vfy_json_bool(struct vfy_json *j, json_object *o, const char *key, bool value);
void vfy_json_hex(struct vfy_json *j, json_object *o, const char *key, struct fwa_span bytes);
void vfy_json_base64(struct vfy_json *j, json_object *o, const char *key, struct fwa_span bytes);
void vfy_json_effects(struct vfy_json *j, json_object *o, const char *key, fwa_effects effects);
/* "set", "opcode", "opcode_hex", "name" (of the model, else null). */
void vfy_json_command(struct vfy_json *j, json_object *o, unsigned int set, uint16_t opcode);

/* @o as the text of a file: two blanks a level, ended with a line feed. To be freed; NULL: no memory. */
char *vfy_json_file(json_object *o);
