/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates (C24), whatever a command costs: what is taken is gone, and no input overflows. What it costs
 * is a division, with which CBMC does not come to an end: a unit test compares it in 128 bits.
 */
#include "core/bucket.h"
#include "proof.h"

#define SECOND UINT64_C(1000000000)

/* Any price. */
uint64_t fwa_rate_cost(uint64_t n, uint64_t rate)
{
	prove(rate);
	return nondet_u64();
}

/* Any state, rate, price and time: who takes something never has more than before, nor more than a
 * second's worth; what is not limited is not touched; and it passes exactly when it is paid for.
 * proof: core/bucket.c; without fwa_rate_cost; --unwind 2 --unsigned-overflow-check */
void prove_bucket(void)
{
	struct fwa_bucket b, before;
	struct fwa_rate rate;
	uint64_t bytes = nondet_u64(), now = nondet_u64();
	uint64_t full = now > SECOND ? now - SECOND : 0;
	uint64_t wait;

	forget(b);
	forget(rate);
	before = b;
	wait = fwa_bucket_wait(&b, &rate, now);
	prove((wait == 0) ==
	      ((!rate.commands || b.commands < now) && (!rate.bytes || b.bytes < now)));
	if (wait && wait < UINT64_MAX - now)
		prove(!fwa_bucket_wait(&b, &rate, now + wait));
	fwa_bucket_take(&b, &rate, bytes, now);
	prove(b.commands >= before.commands && b.bytes >= before.bytes);
	prove(implies(rate.commands, b.commands >= full));
	prove(implies(rate.bytes, b.bytes >= full));
	prove(implies(!rate.commands, b.commands == before.commands));
	prove(implies(!rate.bytes, b.bytes == before.bytes));
	witness(wait == 0 && rate.commands && rate.bytes);
	witness(b.bytes == UINT64_MAX && before.bytes != UINT64_MAX);
}
