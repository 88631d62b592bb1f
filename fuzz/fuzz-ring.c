/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of the fuzzer's: words and bytes of the shared memory are whatever it says, between the consumer's
 * steps. What is taken lies within its bounds and has the next counter; nonsense ends it.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "journal/ring.h"

static struct fwa_ring ring;
static uint8_t body[FWA_RECORD_BODY_MAX];

enum {
	PUT = 0, /* a record that is one, of the bytes that follow */
	BYTES,   /* bytes anywhere */
	PRODUCED,
	CONSUMED,
	TAKE,
	RELEASE,
	SLEEP,
	STEPS,
};

/* Writes @s round the end, @at anywhere. */
static void scribble(uint64_t at, struct fwa_span s)
{
	for (size_t i = 0; i < s.len; i++)
		ring.data[(at + i) % FWA_RING_DATA_LEN] = s.data[i];
}

/* False when it is done with. */
static bool take(struct fwa_ring_reader *r)
{
	uint64_t before = r->counter;
	struct fwa_ring_record got;
	int result = fwa_ring_take(r, body, &got);

	if (result < 0)
		return false;
	if (result == 0)
		return true;
	if (got.body.data != body || got.body.len > sizeof(body) || got.counter != before + 1 ||
	    r->counter != got.counter || r->consumed % 8)
		abort();
	fwa_ring_receipt(r, got.counter, got.counter);
	return true;
}

static bool step(struct fwa_ring_writer *w, struct fwa_ring_reader *r, struct fwa_reader *in)
{
	uint8_t what = fwa_read_u8(in) % STEPS;
	uint64_t n = fwa_read_le64(in);
	struct fwa_span bytes = fwa_read_span(in, fwa_read_u8(in));

	if (in->bad)
		return false;
	if (what == PUT)
		fwa_ring_put(w, (enum fwa_record_kind)(n % 32), bytes, n & 64);
	else if (what == BYTES)
		scribble(r->consumed + n % 256, bytes);
	else if (what == PRODUCED)
		atomic_store(&ring.produced, n & 1 ? n : r->consumed + n % 512 * 8);
	else if (what == CONSUMED)
		atomic_store(&ring.consumed, n);
	else if (what == TAKE)
		return take(r);
	else if (what == RELEASE)
		fwa_ring_release(r);
	else if (fwa_ring_sleep(r, (uint32_t)n % 3))
		fwa_ring_awake(r);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));
	struct fwa_ring_writer w = { .ring = &ring, .doorbell = -1, .ack = -1 };
	struct fwa_ring_reader r = { .ring = &ring, .doorbell = -1, .ack = -1, .passing = true };
	uint8_t at = fwa_read_u8(&in);

	/* From anywhere, also from just before the end of the data; a consumer that resumes, or the first. */
	memset(&ring, 0, sizeof(ring));
	w.produced = r.consumed = at & 1 ? FWA_RING_DATA_LEN - (at & ~7u) : 0;
	r.counter = at >> 5;
	atomic_store(&ring.produced, w.produced);
	atomic_store(&ring.consumed, r.consumed);
	while (step(&w, &r, &in))
		;
	return 0;
}
