/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a request, a reply and a description. A request that is taken encodes to the same bytes
 * again: nothing of it was dropped. So does a description, but for what has no meaning in it.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/gate.h"

static void request(struct fwa_span s)
{
	static uint8_t again[FWA_GATE_REQUEST_LEN + FWA_GATE_INLINE_MAX];
	struct fwa_writer w = fwa_writer(again, sizeof(again));
	struct fwa_request r;

	if (fwa_request_decode(s, &r) != FWA_GATE_OK)
		return;
	fwa_request_encode(&w, &r);
	if (s.len <= sizeof(again) && (w.len != s.len || memcmp(again, s.data, s.len)))
		abort();
}

/* @d as bytes, in @buf. */
static struct fwa_span encoded(const struct fwa_description *d, uint8_t *buf, size_t cap)
{
	struct fwa_writer w = fwa_writer(buf, cap);

	fwa_description_encode(&w, d);
	return fwa_span(buf, w.full ? 0 : w.len);
}

static void encodes_again(const struct fwa_description *d)
{
	static uint8_t once[1 << 16], twice[1 << 16];
	struct fwa_span a = encoded(d, once, sizeof(once)), b;
	struct fwa_description read;

	if (!a.len) /* too long to try */
		return;
	if (fwa_description_decode(a, &read) < 0)
		abort();
	b = encoded(&read, twice, sizeof(twice));
	if (a.len != b.len || memcmp(once, twice, a.len))
		abort();
}

static void description(struct fwa_span s)
{
	struct fwa_description d;
	struct fwa_gate_reply reply;
	struct fwa_span data;

	fwa_reply_decode(s, &reply, &data);
	if (fwa_description_decode(s, &d) < 0)
		return;
	if (d.profile.len > s.len || d.accepted.len > s.len - d.profile.len)
		abort();
	for (uint32_t i = 0; i < d.rights.n; i++)
		if (!fwa_filter_valid(d.rights.right[i].filter))
			abort();
	encodes_again(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request(fwa_span(data, size));
	description(fwa_span(data, size));
	return 0;
}
