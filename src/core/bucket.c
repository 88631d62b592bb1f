/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What passes costs time: n at a rate of r a second cost n / r seconds, rounded up.
 */
#include "core/bucket.h"

#include "base/units.h"

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t fwa_rate_cost(uint64_t n, uint64_t rate)
{
	uint64_t seconds = n / rate, rest = n % rate, ns;

	if (seconds > UINT64_MAX / FWA_NS_PER_S)
		return UINT64_MAX;
	/* rest < rate: where its ns do not fit, both are so large that a millionth does not matter */
	while (rest > UINT64_MAX / FWA_NS_PER_S) {
		rest = rest / 2 + 1;
		rate /= 2;
	}
	ns = rest * FWA_NS_PER_S / rate;
	return add(seconds * FWA_NS_PER_S, rest * FWA_NS_PER_S % rate ? ns + 1 : ns);
}

static uint64_t until_paid(uint64_t paid, uint64_t rate, uint64_t now)
{
	return rate && paid >= now ? add(paid - now, 1) : 0;
}

uint64_t fwa_bucket_wait(const struct fwa_bucket *b, const struct fwa_rate *rate, uint64_t now)
{
	uint64_t commands = until_paid(b->commands, rate->commands, now);
	uint64_t bytes = until_paid(b->bytes, rate->bytes, now);

	return commands > bytes ? commands : bytes;
}

static void take(uint64_t *paid, uint64_t rate, uint64_t n, uint64_t now)
{
	uint64_t full = now > FWA_NS_PER_S ? now - FWA_NS_PER_S : 0;

	if (!rate)
		return;
	if (*paid < full)
		*paid = full;
	*paid = add(*paid, fwa_rate_cost(n, rate));
}

/*= spec/SECURITY-MODEL.md#C24 */
void fwa_bucket_take(struct fwa_bucket *b, const struct fwa_rate *rate, uint64_t bytes,
		     uint64_t now)
{
	take(&b->commands, rate->commands, 1, now);
	take(&b->bytes, rate->bytes, bytes, now);
}
