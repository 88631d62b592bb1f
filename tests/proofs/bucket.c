/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates (C24), whatever a command costs: what is taken is gone, and no input overflows. What it costs
 * is a division, with which CBMC does not come to an end: a unit test compares it in 128 bits.
 */
#include "core/bucket.h"
#include "proof.h"

#define SECOND UINT64_C(1000000000)

/* Any prices, of a command and of its bytes: the same for the same. */
static struct fwa_rate rate;
static uint64_t price[2];

uint64_t fwa_rate_cost(uint64_t n, uint64_t per)
{
	prove(per);
	return n == 1 && per == rate.commands ? price[0] : price[1];
}

static void any_rate(uint64_t bytes)
{
	forget(rate);
	price[0] = nondet_u64();
	price[1] = nondet_u64();
	assume(implies(bytes == 1 && rate.bytes == rate.commands, price[0] == price[1]));
}

/* Any state, rate, price and time: who takes something never has more than before, nor more than a
 * second's worth; what is not limited is not touched; and it passes exactly when it is paid for.
 * proof: core/bucket.c; without fwa_rate_cost; --unwind 2 --unsigned-overflow-check */
void prove_bucket(void)
{
	struct fwa_bucket b, before;
	uint64_t bytes = nondet_u64(), now = nondet_u64();
	uint64_t full = now > SECOND ? now - SECOND : 0;
	uint64_t wait;

	forget(b);
	any_rate(bytes);
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

/* What has passed since a moment is still in the bucket: @spent ns of it, above a second before that
 * moment. A bucket at the end of time lets nothing pass any more. */
static bool stands(uint64_t paid, uint64_t full, uint64_t spent)
{
	return !spent || paid == UINT64_MAX || (spent <= UINT64_MAX - full && paid >= full + spent);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* In any T seconds what passes costs less than T + 1 seconds, but for the last command: for one of the
 * two limits, which are kept apart (prove_bucket). A step from any state in which what passed since
 * @begin stands, whatever was taken before or else.
 * proof: core/bucket.c; without fwa_rate_cost; --unwind 2 --unsigned-overflow-check --external-sat-solver cadical */
void prove_bucket_window(void)
{
	uint64_t begin = nondet_u64(), now = nondet_u64(), spent = nondet_u64();
	uint64_t full = begin > SECOND ? begin - SECOND : 0;
	struct fwa_bucket b = { 0, nondet_u64() };

	any_rate(0);
	rate.commands = 0;
	assume(now >= begin && stands(b.bytes, full, spent));
	if (rate.bytes && !fwa_bucket_wait(&b, &rate, now)) {
		prove(implies(spent, spent < now - full));
		witness(spent > SECOND);
	}
	/* that of an answer is taken whether or not it is there */
	fwa_bucket_take(&b, &rate, 0, now);
	prove(implies(rate.bytes, stands(b.bytes, full, sum(spent, price[1]))));
	witness(rate.bytes && spent && b.bytes < UINT64_MAX);
}
