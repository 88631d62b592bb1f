/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts: what one user has used of a grant that is limited in rate or sessions (C24).
 *
 * 1. There is one for each uid and grant, whichever connection uses it, and under every policy that
 *    has a grant of that name: neither connecting again nor a reload fills a bucket.
 * 2. An account goes when nobody holds it and its bucket is full again, so that a new one says the
 *    same.
 *
 * Times are CLOCK_BOOTTIME in ns, given by the caller. No descriptors, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/bucket.h"
#include "core/policy.h"

/* One user's use of one grant. */
struct account {
	struct fwa_link link;
	uint32_t uid;
	char grant[FWA_GRANT_NAME_MAX];
	uint32_t holders; /* holdings and commands under way */
	uint32_t seats;   /* sessions that have used the grant and are still there */
	struct fwa_rate rate;
	struct fwa_bucket bucket;
};

/* What one session holds: entry i is for its right i. */
struct holdings {
	uint32_t n;
	bool limited; /* some right is */
	struct holding {
		struct account *account; /* NULL: the right is not limited */
		bool seat;
	} at[];
};

/*
 * Finds or makes in @accounts those of @uid for its @rights under @policy, in place of what *held
 * (NULL: nothing) was before, whose seats are kept where the grant still is. False without memory,
 * with nothing changed.
 */
bool holdings_renew(struct fwa_link *accounts, uint32_t uid, const struct fwa_policy *policy,
		    const struct fwa_rights *rights, uint64_t now, struct holdings **held);
/* Gives back what @h, which may be NULL, holds, and its seats. Returns NULL. */
struct holdings *holdings_free(struct holdings *h);

/* Bit i: right i, for which @h was made, has used up its rate at @now. */
uint32_t holdings_rate_over(const struct holdings *h, uint64_t now);
/* Bit i: as many other sessions as right i allows hold its seats. */
uint32_t holdings_seats_over(const struct holdings *h, const struct fwa_rights *rights);

/*
 * A command with @bytes of payload begins by right @right: takes its seat, and what it uses out of
 * the bucket. The account, to be given to account_end(); NULL when the right is not limited.
 */
struct account *holdings_begin(struct holdings *h, uint32_t right, uint64_t bytes, uint64_t now);
/* The command of @a, which may be NULL, brought @bytes back. */
void account_end(struct account *a, uint64_t bytes, uint64_t now);
