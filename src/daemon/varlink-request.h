/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client of the control plane sends: bytes, of which requests are made (framing: JSON, ended
 * by a NUL), and their parameters. No descriptors here.
 *
 * 1. What is taken is exactly what was sent: a key that is given twice, a parameter that is not
 *    known, a number that does not fit are refused, never dropped or bent (C17's rule, for control).
 * 2. Text that is taken is printable ASCII and not longer than its field allows.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FWA_VARLINK_REQUEST_MAX (64u * 1024) /* with its NUL */
/* Of an administrator: one advisory, as base64, with the rest of its request. */
#define FWA_VARLINK_DOCUMENT_MAX (1024 * 1024 / 3 * 4 + 4)
#define FWA_VARLINK_REQUEST_MAX_ADMIN (FWA_VARLINK_DOCUMENT_MAX + 4096u)
#define FWA_VARLINK_METHOD_MAX 128 /* bytes of a method's full name */

/* Bytes that came and are not used up. */
struct fwa_varlink_input {
	char *data;
	size_t len, cap;
	size_t used; /* of the request that was taken last, with its NUL */
};

/*
 * Room for more bytes; *ret_room says how many, at most up to @max in all, to the next power of two. NULL
 * when a request is longer (*ret_room 0) or there is no memory.
 */
char *fwa_varlink_input_room(struct fwa_varlink_input *in, size_t max, size_t *ret_room);
/* @n bytes were put there. */
void fwa_varlink_input_add(struct fwa_varlink_input *in, size_t n);
/* Drops the request that was taken last. The next one, of *ret_len bytes before its NUL, or NULL. */
const char *fwa_varlink_input_next(struct fwa_varlink_input *in, size_t *ret_len);
void fwa_varlink_input_clear(struct fwa_varlink_input *in);

struct fwa_varlink_request {
	struct json_object *root;
	const char *method;
	struct json_object *parameters; /* NULL: none */
	bool more, oneway, upgrade;
	char twice[64]; /* a parameter that is given twice, "" when there is none */
};

/* Reads one request. 0, or -EPROTO when it is none. Clear it in any case. */
int fwa_varlink_request_parse(const char *text, size_t len, struct fwa_varlink_request *ret);
void fwa_varlink_request_clear(struct fwa_varlink_request *r);

enum fwa_varlink_type {
	FWA_VARLINK_TEXT,   /* const char *; NULL when absent */
	FWA_VARLINK_TEXTS,  /* struct json_object *, an array of strings; NULL when absent */
	FWA_VARLINK_NUMBER, /* int64_t; 0 when absent */
};

struct fwa_varlink_field {
	const char *name;
	enum fwa_varlink_type type;
	bool optional;
	size_t offset; /* in the struct that is filled */
	int64_t min;   /* TEXT: bytes; TEXTS: items; NUMBER: the least */
	int64_t max;
};

#define FWA_VARLINK_ITEM_MAX 256 /* bytes of an item of TEXTS, which is never empty */

/*
 * Fills @ret, zeroed by the caller, with what @r gives for @fields (@n, at most 32). True, or false
 * with the parameter that is missing, unknown or does not fit in *ret_bad, which lives as long as @r
 * and @fields. What is filled in lives as long as @r.
 */
bool fwa_varlink_take(const struct fwa_varlink_request *r, const struct fwa_varlink_field *fields,
		      size_t n, void *ret, const char **ret_bad);
