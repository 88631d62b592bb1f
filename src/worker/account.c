/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

static bool is_full(const struct fwa_bucket *b, uint64_t now)
{
	uint64_t full = now > FWA_NS_PER_S ? now - FWA_NS_PER_S : 0;

	return b->commands <= full && b->bytes <= full;
}

/* Frees what nobody needs on the way: whoever makes an account has looked at all of them. */
static struct account *find(struct fwa_link *accounts, uint32_t uid,
			    const char grant[FWA_GRANT_NAME_MAX], uint64_t now)
{
	struct account *found = NULL;

	fwa_list_each(at, following, accounts)
	{
		struct account *a = fwa_list_entry(at, struct account, link);

		if (a->uid == uid && strcmp(a->grant, grant) == 0) {
			found = a;
		} else if (!a->holders && is_full(&a->bucket, now)) {
			fwa_list_remove(at);
			free(a);
		}
	}
	return found;
}

static struct account *find_or_make(struct fwa_link *accounts, uint32_t uid,
				    const char grant[FWA_GRANT_NAME_MAX], uint64_t now)
{
	struct account *a = find(accounts, uid, grant, now);

	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->uid = uid;
	memcpy(a->grant, grant, sizeof(a->grant));
	fwa_list_append(accounts, &a->link);
	return a;
}

/* Takes the seat over that @old has of @a. */
static bool had_seat(struct holdings *old, const struct account *a)
{
	for (uint32_t i = 0; old && i < old->n; i++) {
		if (old->at[i].account != a || !old->at[i].seat)
			continue;
		old->at[i].seat = false;
		return true;
	}
	return false;
}

static bool hold(struct holding *h, struct fwa_link *accounts, uint32_t uid,
		 const struct fwa_policy *policy, const struct fwa_right *right, uint64_t now)
{
	struct fwa_grant grant;

	if (!fwa_right_limited(right))
		return true;
	if (!fwa_policy_grant(policy, right->grant, &grant))
		return false;
	h->account = find_or_make(accounts, uid, grant.name, now);
	if (!h->account)
		return false;
	h->account->holders++;
	h->account->rate = (struct fwa_rate){ right->commands, right->bytes };
	return true;
}

/*= spec/SECURITY-MODEL.md#C24 */
bool holdings_renew(struct fwa_link *accounts, uint32_t uid, const struct fwa_policy *policy,
		    const struct fwa_rights *rights, uint64_t now, struct holdings **held)
{
	struct holdings *h = calloc(1, sizeof(*h) + rights->n * sizeof(h->at[0]));

	if (!h)
		return false;
	h->n = rights->n;
	for (uint32_t i = 0; i < h->n; i++) {
		if (!hold(&h->at[i], accounts, uid, policy, &rights->right[i], now)) {
			holdings_free(h);
			return false;
		}
	}
	for (uint32_t i = 0; i < h->n; i++) {
		h->at[i].seat = h->at[i].account && had_seat(*held, h->at[i].account);
		h->limited |= h->at[i].account != NULL;
	}
	holdings_free(*held);
	*held = h;
	return true;
}

struct holdings *holdings_free(struct holdings *h)
{
	for (uint32_t i = 0; h && i < h->n; i++) {
		struct account *a = h->at[i].account;

		if (!a)
			continue;
		a->holders--;
		a->seats -= h->at[i].seat;
	}
	free(h);
	return NULL;
}

uint32_t holdings_rate_over(const struct holdings *h, uint64_t now)
{
	uint32_t over = 0;

	for (uint32_t i = 0; h->limited && i < h->n; i++) {
		const struct account *a = h->at[i].account;

		if (a && fwa_bucket_wait(&a->bucket, &a->rate, now))
			over |= 1u << i;
	}
	return over;
}

uint32_t holdings_seats_over(const struct holdings *h, const struct fwa_rights *rights)
{
	uint32_t over = 0;

	for (uint32_t i = 0; h->limited && i < h->n; i++) {
		uint32_t most = rights->right[i].sessions;

		if (most && !h->at[i].seat && h->at[i].account->seats >= most)
			over |= 1u << i;
	}
	return over;
}

/*= spec/SECURITY-MODEL.md#C24 */
struct account *holdings_begin(struct holdings *h, uint32_t right, uint64_t bytes, uint64_t now)
{
	struct holding *at = &h->at[right];

	if (!at->account)
		return NULL;
	at->account->seats += !at->seat;
	at->seat = true;
	fwa_bucket_take(&at->account->bucket, &at->account->rate, bytes, now);
	at->account->holders++;
	return at->account;
}

void account_end(struct account *a, uint64_t bytes, uint64_t now)
{
	struct fwa_rate rate;

	if (!a)
		return;
	rate = (struct fwa_rate){ .bytes = a->rate.bytes };
	fwa_bucket_take(&a->bucket, &rate, bytes, now);
	a->holders--;
}
