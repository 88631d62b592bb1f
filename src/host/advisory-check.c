/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One envelope against the keys and the clock.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "host/advisory-internal.h"

/* Whether it is in force by the clock. */
static int check_time(struct fwa_advisory_file *f, const struct fwa_moment *now)
{
	char text[FWA_TIME_TEXT];

	f->status = FWA_ADVISORY_IN_FORCE;
	if (f->expires && f->expires <= now->wall) {
		f->status = FWA_ADVISORY_EXPIRED;
		fwa_time_text(f->expires, text);
		return fwa_fail(f->error, -ETIME, "it expired at %s", text);
	}
	if (f->issued > now->wall + FWA_ADVISORY_AHEAD_MAX) {
		f->status = FWA_ADVISORY_WAITING;
		fwa_time_text(f->issued, text);
		return fwa_fail(f->error, -EAGAIN, "it is of %s, which is in the future", text);
	}
	return 0;
}

int fwa_advisory_check_with(const struct fwa_advisory_keys *keys, struct fwa_span text,
			    const struct fwa_moment *now, struct fwa_advisory_file *f,
			    char digest[FWA_DIGEST_TEXT])
{
	fwa_auto_free char *payload = NULL;
	json_object *doc = NULL;
	size_t len = 0;
	int r;

	memset(f, 0, sizeof(*f));
	f->status = FWA_ADVISORY_BAD;
	r = fwa_advisory_open(text, keys, f, &payload, &len, NULL);
	if (r == 0) {
		fwa_sha256_text(fwa_span(payload, len), digest);
		doc = fwa_json_parse(fwa_span(payload, len), FWA_JSON_VALUES_MAX, f->error);
		r = doc ? fwa_advisory_take(f, doc) : -EBADMSG;
	}
	if (r == 0)
		return check_time(f, now);
	json_object_put(f->document);
	f->document = NULL;
	fwa_make_printable(f->error);
	return r;
}

int fwa_advisory_check(const struct fwa_advisory_place *p, struct fwa_span text,
		       const struct fwa_moment *now, struct fwa_advisory_file *f)
{
	struct fwa_advisory_keys keys;
	char digest[FWA_DIGEST_TEXT];
	int r = fwa_advisory_keys_load(p, &keys);

	if (r < 0) {
		memset(f, 0, sizeof(*f));
		f->status = FWA_ADVISORY_BAD;
		return fwa_fail(f->error, r, "out of memory");
	}
	r = fwa_advisory_check_with(&keys, text, now, f, digest);
	fwa_advisory_keys_clear(&keys);
	return r;
}
