/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a client of the control plane sends, in pieces of any size: the requests in them,
 * and their parameters. What is taken is within its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/varlink-request.h"
#include "fuzz/fuzz.h"

struct parameters {
	const char *device, *reason;
	struct json_object *user;
	int64_t seconds;
};

static const struct fwa_varlink_field fields[] = {
	{ "device", FWA_VARLINK_TEXT, false, offsetof(struct parameters, device), 1, 8 },
	{ "reason", FWA_VARLINK_TEXT, true, offsetof(struct parameters, reason), 0, 64 },
	{ "user", FWA_VARLINK_TEXTS, true, offsetof(struct parameters, user), 1, 3 },
	{ "seconds", FWA_VARLINK_NUMBER, true, offsetof(struct parameters, seconds), 1, 3600 },
};

static void check_text(const char *text, size_t min, size_t max)
{
	if (strlen(text) < min || strlen(text) > max)
		abort();
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void check(const struct parameters *p)
{
	check_text(p->device, 1, 8);
	if (p->reason)
		check_text(p->reason, 0, 64);
	if (p->user && json_object_array_length(p->user) > 3)
		abort();
	for (size_t i = 0; p->user && i < json_object_array_length(p->user); i++)
		check_text(json_object_get_string(json_object_array_get_idx(p->user, i)), 1,
			   FWA_VARLINK_ITEM_MAX);
	if (p->seconds < 0 || p->seconds > 3600)
		abort();
}

static void request(const char *text, size_t len)
{
	struct fwa_varlink_request r;
	struct parameters p = { 0 };
	const char *bad;

	if (fwa_varlink_request_parse(text, len, &r) == 0) {
		check_text(r.method, 1, FWA_VARLINK_METHOD_MAX);
		if (fwa_varlink_take(&r, fields, sizeof(fields) / sizeof(*fields), &p, &bad))
			check(&p);
		else if (!bad)
			abort();
	}
	fwa_varlink_request_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_varlink_input in = { 0 };
	size_t piece = size ? 1 + data[0] * 7u : 1, room, len;
	const char *text;
	char *to;

	while (size && (to = fwa_varlink_input_room(&in, FWA_VARLINK_REQUEST_MAX, &room))) {
		size_t n = piece < room ? piece : room;

		n = n < size ? n : size;
		memcpy(to, data, n);
		fwa_varlink_input_add(&in, n);
		data += n;
		size -= n;
		while ((text = fwa_varlink_input_next(&in, &len)))
			request(text, len);
	}
	fwa_varlink_input_clear(&in);
	return 0;
}
