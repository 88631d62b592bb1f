/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a sequence: those that are not needed become zero, or go away. What is left is what
 * somebody has to look at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/engine.h"
#include "verify/minimise.h"

struct shrink {
	struct vfy_campaign *c;
	const struct vfy_symptom *s;
	unsigned int flags;
	struct vfy_sequence *q;
	struct vfy_step *step; /* the one that is worked on, in @q */
	const uint8_t *full;   /* its payload as it was */
	const uint32_t *place; /* of its bytes that are not zero */
	size_t *budget;
};

/* 1 when it happens with the sequence as it is now, 0, negative errno; -EDQUOT. */
static int happens(struct shrink *k)
{
	struct vfy_attempt a = { 0 };
	int r;

	/* What was made of it may be what no experiment sends: a transfer longer than its buffer. */
	if (vfy_step_risk(k->c->target.profile, k->step) > k->c->args.probe)
		return 0;
	if (!*k->budget || vfy_is_short_enough(k->c))
		return -EDQUOT;
	--*k->budget;
	r = vfy_try(k->c, k->q, k->flags, &a);
	if (r == 0)
		r = vfy_shows(k->c, k->q, &a, k->s);
	vfy_attempt_clear(&a);
	return r;
}

/* --- shorter ---------------------------------------------------------------------------------------- */

static int shorten_to(struct shrink *k, uint32_t len)
{
	uint32_t before = k->step->payload_len;
	int r;

	k->step->payload_len = len;
	r = happens(k);
	if (r > 0)
		k->q->payloads -= before - len;
	else
		k->step->payload_len = before;
	return r;
}

/* Ever smaller pieces off the end. */
static int shorten(struct shrink *k)
{
	uint32_t piece = k->step->payload_len;

	while (piece) {
		int r = 0;

		if (piece <= k->step->payload_len)
			r = shorten_to(k, k->step->payload_len - piece);
		if (r < 0)
			return r;
		if (!r)
			piece /= 2;
	}
	return 0;
}

/* --- zeroes ----------------------------------------------------------------------------------------- */

static void keep_bytes(struct shrink *k, const uint32_t *keep, size_t n)
{
	memset(k->step->payload, 0, k->step->payload_len);
	for (size_t i = 0; i < n; i++)
		k->step->payload[k->place[keep[i]]] = k->full[k->place[keep[i]]];
}

static int try_bytes(void *userdata, const uint32_t *keep, size_t n)
{
	struct shrink *k = userdata;

	keep_bytes(k, keep, n);
	return happens(k);
}

static int minimise_bytes(struct shrink *k, uint32_t *keep, size_t n)
{
	size_t tries = SIZE_MAX; /* each takes one from the budget by itself */
	int r = vfy_minimise(keep, &n, &tries, try_bytes, k);

	keep_bytes(k, keep, n);
	return r;
}

/* All bytes of the payload zero that can be. */
static int zero_bytes(struct shrink *k)
{
	uint32_t len = k->step->payload_len;
	fwa_auto_free uint8_t *full = malloc(len + 1);
	fwa_auto_free uint32_t *place = calloc(len + 1, sizeof(*place));
	fwa_auto_free uint32_t *keep = calloc(len + 1, sizeof(*keep));
	size_t n = 0;

	if (!full || !place || !keep)
		return -ENOMEM;
	for (uint32_t i = 0; i < len; i++) {
		full[i] = k->step->payload[i];
		keep[n] = (uint32_t)n;
		place[n] = i;
		n += full[i] != 0;
	}
	k->full = full;
	k->place = place;
	return minimise_bytes(k, keep, n);
}

static int zero_dwords(struct shrink *k)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(k->step->cdw); i++) {
		uint32_t before = k->step->cdw[i];
		int r;

		if (!before)
			continue;
		k->step->cdw[i] = 0;
		r = happens(k);
		if (r <= 0)
			k->step->cdw[i] = before;
		if (r < 0)
			return r;
	}
	return 0;
}

int vfy_shrink(struct vfy_campaign *c, struct vfy_sequence *q, const struct vfy_symptom *s,
	       unsigned int flags, size_t *budget)
{
	struct shrink k = { .c = c, .s = s, .flags = flags, .q = q, .budget = budget };
	int r = 0;

	for (size_t i = q->n; i-- && r >= 0;) { /* the last steps are what it is about */
		k.step = &q->step[i];
		if (k.step->kind != VFY_COMMAND)
			continue;
		r = zero_dwords(&k);
		if (r >= 0 && k.step->payload_len)
			r = shorten(&k);
		if (r >= 0 && k.step->payload_len)
			r = zero_bytes(&k);
	}
	return r < 0 ? r : 0;
}
