/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what is stored to one table for all devices.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "host/advisory-store.h"
#include "host/policy-internal.h"

struct gathering {
	const struct fwa_moment *now;
	const char *without; /* this one is left out, unsaid; NULL: none */
	fwa_advisory_fn left_out;
	void *userdata;
	struct fwa_advisory_entries entries;
	uint64_t until; /* when the next one is over; 0: never */
	char *digests;  /* of the payloads, one a line */
	size_t len, cap;
};

static void clear(struct gathering *g)
{
	fwa_advisory_entries_clear(&g->entries);
	free(g->digests);
}

/* CLOCK_BOOTTIME at which @f is over, 0 for never; noted when it is the next one. */
static uint64_t end_of(struct gathering *g, const struct fwa_advisory_file *f)
{
	uint64_t end = f->expires ? fwa_moment_boot_time(g->now, f->expires) : 0;

	if (end == UINT64_MAX)
		return 0;
	if (end && (!g->until || end < g->until))
		g->until = end;
	return end;
}

static int add_digest(struct gathering *g, const char *digest)
{
	int r = fwa_policy_grow(&g->digests, 1, g->len, FWA_DIGEST_TEXT, &g->cap);

	if (r < 0)
		return r;
	memcpy(g->digests + g->len, digest, FWA_DIGEST_TEXT - 1);
	g->len += FWA_DIGEST_TEXT;
	g->digests[g->len - 1] = '\n';
	return 0;
}

/*
 * One whose time has not come counts: it was accepted once, and a clock that was lost is no reason to let
 * anything pass.
 */
/*= spec/SECURITY-MODEL.md#C33 */
static int gather(struct fwa_advisory_file *f, const char *digest, void *userdata)
{
	struct gathering *g = userdata;
	int r;

	if (g->without && strcmp(g->without, f->id) == 0)
		return 0;
	if (f->status == FWA_ADVISORY_BAD || f->status == FWA_ADVISORY_EXPIRED) {
		if (g->left_out)
			g->left_out(f, g->userdata);
		return 0;
	}
	r = fwa_advisory_add_entries(&g->entries, f->document, end_of(g, f), f->error);
	return r < 0 ? r : add_digest(g, digest);
}

static int encode(const struct gathering *g, uint8_t **ret, size_t *ret_len)
{
	char text[FWA_DIGEST_TEXT];
	uint8_t digest[32] = { 0 };

	if (g->len) {
		fwa_sha256_text(fwa_span(g->digests, g->len), text);
		for (size_t i = 0; i < sizeof(digest); i++)
			fwa_hex_byte(text + 2 * i, &digest[i]);
	}
	return fwa_advisory_entries_encode(&g->entries, digest, ret, ret_len);
}

int fwa_advisory_fits(const struct fwa_advisory_store *s, struct fwa_advisory_file *f)
{
	struct gathering g = { .now = s->now, .without = f->id };
	fwa_auto_free uint8_t *table = NULL;
	size_t len;
	int r = fwa_advisory_each(s, gather, &g);

	if (r == 0)
		r = fwa_advisory_add_entries(&g.entries, f->document, 0, f->error);
	if (r == 0)
		r = encode(&g, &table, &len);
	clear(&g);
	if (r == -E2BIG)
		return fwa_fail(f->error, r,
				"with it there would be more commands than one table has "
				"room for");
	return r < 0 ? fwa_fail(f->error, r, "out of memory") : 0;
}

int fwa_advisories_compile(const struct fwa_advisory_place *p, const struct fwa_moment *now,
			   fwa_advisory_fn fn, void *userdata, int *ret_fd, uint64_t *ret_until)
{
	struct gathering g = { .now = now, .left_out = fn, .userdata = userdata };
	fwa_auto_store struct fwa_advisory_store s;
	fwa_auto_free uint8_t *table = NULL;
	size_t len;
	int r = fwa_advisory_store_begin(&s, p, now);

	if (r == 0)
		r = fwa_advisory_each(&s, gather, &g);
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = encode(&g, &table, &len);
	clear(&g);
	if (r == 0)
		r = fwa_memfd_sealed("fwadmit-advisories", fwa_span(table, len));
	if (r < 0)
		return r;
	*ret_fd = r;
	*ret_until = g.until;
	return 0;
}
