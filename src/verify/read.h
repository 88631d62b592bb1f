/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading JSON that nobody vouches for. The first thing that is not as it should be is said, with its place
 * ("finding.steps[3].payload: ..."), and all that is read after it is zero.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "core/effects.h"

struct vfy_read {
	char *error; /* FWA_ERROR_LEN */
	bool bad;
	char where[128]; /* of the object that is read; "" for the outermost */
};

/* Says what is wrong with member @key (NULL: with the object itself), unless something was said before. */
void vfy_read_fail(struct vfy_read *r, const char *key, const char *why);
/* A member that must be there: an object, an array; NULL otherwise. */
json_object *vfy_read_object(struct vfy_read *r, json_object *o, const char *key);
json_object *vfy_read_array(struct vfy_read *r, json_object *o, const char *key);
/* A text that must be there, of at most @max bytes and without NUL. "" otherwise. */
const char *vfy_read_text(struct vfy_read *r, json_object *o, const char *key, size_t max);
/* The same or null or nothing: then NULL. */
const char *vfy_read_maybe(struct vfy_read *r, json_object *o, const char *key, size_t max);
/* A number from 0 to @max. */
uint64_t vfy_read_number(struct vfy_read *r, json_object *o, const char *key, uint64_t max);
bool vfy_read_bool(struct vfy_read *r, json_object *o, const char *key);
/* Hex digits into @ret: how many bytes, at most @max. */
size_t vfy_read_hex(struct vfy_read *r, json_object *o, const char *key, uint8_t *ret, size_t max);
/* The same into fresh memory, to be freed. */
uint8_t *vfy_read_hex_alloc(struct vfy_read *r, json_object *o, const char *key, size_t max,
			    size_t *ret_len);
fwa_effects vfy_read_effects(struct vfy_read *r, json_object *o, const char *key);
/* Which of the @n words it is; a word may be NULL. */
unsigned int vfy_read_word(struct vfy_read *r, json_object *o, const char *key,
			   const char *const *words, unsigned int n);
/* The same for words that a function gives. */
unsigned int vfy_read_name(struct vfy_read *r, json_object *o, const char *key,
			   const char *(*name)(unsigned int), unsigned int n);
/* From here on what is read is in member @key, item @i (SIZE_MAX: no array) of where it was. */
struct vfy_read vfy_read_in(const struct vfy_read *r, const char *key, size_t i);
