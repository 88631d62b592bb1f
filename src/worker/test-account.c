/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user has used of limited grants: over time, by several sessions, across reloads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/account.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)

/* A policy of grants @names, each with the limits of the right of its index. */
static struct fwa_policy policy_of(const char *const *names, uint32_t n, struct fwa_rights *rights,
				   uint8_t buf[4096])
{
	struct fwa_policy_counts counts = { .grantees = n, .grants = n, .text = 1 };
	struct fwa_writer w = fwa_writer(buf, 4096);
	uint8_t digest[32] = { 0 };
	struct fwa_policy p;

	fwa_policy_write_header(&w, &counts, digest);
	for (uint32_t i = 0; i < n; i++) {
		struct fwa_grantee g = { .who = FWA_WHO_ANY, .grant = i };

		fwa_policy_write_grantee(&w, &g);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct fwa_grant g = { .scope = rights->right[i].scope };

		strncpy(g.name, names[i], sizeof(g.name) - 1);
		fwa_policy_write_grant(&w, &g);
		rights->right[i].grant = i;
	}
	fwa_write_u8(&w, 0);
	rights->n = n;
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, w.len)), 0);
	return p;
}

struct site {
	struct fwa_link accounts;
	struct fwa_rights rights;
	struct fwa_policy policy;
	uint8_t buf[4096];
};

static void set_up(struct site *s, const char *const *names, uint32_t n)
{
	fwa_list_init(&s->accounts);
	s->policy = policy_of(names, n, &s->rights, s->buf);
}

static struct holdings *renew(struct site *s, uint32_t uid, uint64_t now, struct holdings *held)
{
	assert_true(holdings_renew(&s->accounts, uid, &s->policy, &s->rights, now, &held));
	return held;
}

static unsigned int count(const struct site *s)
{
	unsigned int n = 0;

	fwa_list_each(at, following, &s->accounts) n++;
	return n;
}

static void clear(struct site *s)
{
	fwa_list_each(at, following, &s->accounts)
	{
		struct account *a = fwa_list_entry(at, struct account, link);

		assert_int_equal(a->holders, 0);
		assert_int_equal(a->seats, 0);
		free(a);
	}
}

static void use(struct holdings *h, uint32_t right, uint64_t in, uint64_t out, uint64_t now)
{
	account_end(holdings_begin(h, right, in, now), out, now);
}

static void test_unlimited(void **state)
{
	static const char *const names[] = { "free" };
	struct site s = { 0 };
	struct holdings *h;

	set_up(&s, names, 1);
	h = renew(&s, 7, START, NULL);
	assert_null(holdings_begin(h, 0, UINT64_MAX, START));
	account_end(NULL, UINT64_MAX, START);
	assert_int_equal(holdings_rate_over(h, START) | holdings_seats_over(h, &s.rights), 0);
	assert_int_equal(count(&s), 0);
	holdings_free(h);
}

/* Both sessions of a uid pay from one bucket, another uid has its own; time fills them. */
static void test_commands(void **state)
{
	static const char *const names[] = { "free", "slow" };
	struct site s = { .rights.right[1].commands = 2 };
	struct holdings *a, *b, *other;

	set_up(&s, names, 2);
	a = renew(&s, 7, START, NULL);
	b = renew(&s, 7, START, NULL);
	other = renew(&s, 8, START, NULL);
	use(a, 1, 0, 0, START);
	assert_int_equal(holdings_rate_over(b, START), 0);
	use(b, 1, 0, 0, START);
	use(a, 0, 0, 0, START);
	use(b, 1, 0, 0, START); /* the one that is more than there is */
	assert_int_equal(holdings_rate_over(a, START), 2);
	assert_int_equal(holdings_rate_over(b, START + SECOND / 4), 2);
	assert_int_equal(holdings_rate_over(other, START), 0);
	assert_int_equal(holdings_rate_over(b, START + SECOND), 0);
	holdings_free(a);
	holdings_free(b);
	holdings_free(other);
	clear(&s);
}

/* What came back counts like what was sent; it counts when the session is gone, too. */
static void test_bytes(void **state)
{
	static const char *const names[] = { "narrow" };
	struct site s = { .rights.right[0].bytes = 1000 };
	struct account *running;
	struct holdings *h;

	set_up(&s, names, 1);
	h = renew(&s, 7, START, NULL);
	use(h, 0, 500, 400, START);
	assert_int_equal(holdings_rate_over(h, START), 0);
	running = holdings_begin(h, 0, 0, START);
	h = holdings_free(h);
	account_end(running, 5100, START);
	h = renew(&s, 7, START, NULL);
	assert_int_equal(holdings_rate_over(h, START), 1);
	assert_int_equal(holdings_rate_over(h, START + 4 * SECOND), 1);
	assert_int_equal(holdings_rate_over(h, START + 6 * SECOND), 0);
	holdings_free(h);
	clear(&s);
}

static void test_seats(void **state)
{
	static const char *const names[] = { "two" };
	struct site s = { .rights.right[0].sessions = 2 };
	struct holdings *h[4];

	set_up(&s, names, 1);
	for (int i = 0; i < 3; i++)
		h[i] = renew(&s, 7, START, NULL);
	h[3] = renew(&s, 8, START, NULL);
	use(h[0], 0, 0, 0, START);
	use(h[0], 0, 0, 0, START);
	assert_int_equal(holdings_seats_over(h[2], &s.rights), 0);
	use(h[1], 0, 0, 0, START);
	assert_int_equal(holdings_seats_over(h[0], &s.rights), 0);
	assert_int_equal(holdings_seats_over(h[1], &s.rights), 0);
	assert_int_equal(holdings_seats_over(h[2], &s.rights), 1);
	assert_int_equal(holdings_seats_over(h[3], &s.rights), 0);
	h[0] = holdings_free(h[0]);
	assert_int_equal(holdings_seats_over(h[2], &s.rights), 0);
	use(h[2], 0, 0, 0, START);
	h[0] = renew(&s, 7, START, NULL);
	assert_int_equal(holdings_seats_over(h[0], &s.rights), 1);
	for (int i = 0; i < 4; i++)
		holdings_free(h[i]);
	clear(&s);
}

/* The grant stands elsewhere in the new policy, then nowhere, then it is back. */
static void test_reload(void **state)
{
	static const char *const names[] = { "slow", "other" }, *const turned[] = { "other",
										    "slow" };
	struct site s = { .rights.right[0] = { .commands = 1, .sessions = 1 } };
	struct holdings *h, *waits;

	set_up(&s, names, 2);
	h = renew(&s, 7, START, NULL);
	waits = renew(&s, 7, START, NULL);
	use(h, 0, 0, 0, START);
	use(h, 0, 0, 0, START);
	s.rights = (struct fwa_rights){ .right[1] = { .commands = 1, .sessions = 1 } };
	s.policy = policy_of(turned, 2, &s.rights, s.buf);
	h = renew(&s, 7, START, h);
	waits = renew(&s, 7, START, waits);
	assert_int_equal(holdings_rate_over(h, START), 2);
	assert_int_equal(holdings_rate_over(waits, START), 2);
	assert_int_equal(holdings_seats_over(h, &s.rights), 0);
	assert_int_equal(holdings_seats_over(waits, &s.rights), 2);
	s.rights = (struct fwa_rights){ 0 };
	s.policy = policy_of(turned, 1, &s.rights, s.buf);
	h = renew(&s, 7, START, h);
	waits = renew(&s, 7, START, waits);
	assert_int_equal(holdings_rate_over(h, START), 0);
	s.rights = (struct fwa_rights){ .right[0] = { .commands = 1, .sessions = 1 } };
	s.policy = policy_of(names, 1, &s.rights, s.buf);
	h = renew(&s, 7, START, h);
	waits = renew(&s, 7, START, waits);
	assert_int_equal(holdings_rate_over(h, START), 1);
	assert_int_equal(holdings_seats_over(waits, &s.rights), 0); /* it had given it up */
	holdings_free(h);
	holdings_free(waits);
	clear(&s);
}

/* Each right has its own seat and its own rate: one of them, the other, both. */
static void test_each_right(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct site s = { 0 };

	for (uint32_t used = 0; used < 8; used++) {
		struct holdings *h, *other;

		s = (struct site){ 0 };
		for (int i = 0; i < 3; i++)
			s.rights.right[i] = (struct fwa_right){ .commands = 1, .sessions = 1 };
		set_up(&s, names, 3);
		h = renew(&s, 7, START, NULL);
		other = renew(&s, 7, START, NULL);
		for (uint32_t i = 0; i < 3; i++) {
			for (int twice = 0; used >> i & 1 && twice < 2; twice++)
				use(h, i, 0, 0, START);
		}
		for (int again = 0; again < 2; again++) {
			assert_int_equal(holdings_rate_over(other, START), used);
			assert_int_equal(holdings_seats_over(other, &s.rights), used);
			assert_int_equal(holdings_seats_over(h, &s.rights), 0);
			h = renew(&s, 7, START, h); /* it keeps its seats */
		}
		holdings_free(h);
		holdings_free(other);
		clear(&s);
	}
}

/* Who connects again finds what it owes; what nobody owes anything on is forgotten. */
static void test_forgotten(void **state)
{
	static const char *const names[] = { "slow" };
	struct site s = { .rights.right[0].commands = 1 };
	struct holdings *h;

	set_up(&s, names, 1);
	for (uint32_t uid = 0; uid < 100; uid++) {
		h = renew(&s, uid, START, NULL);
		use(h, 0, 0, 0, START);
		use(h, 0, 0, 0, START);
		h = renew(&s, uid, START, holdings_free(h));
		assert_int_equal(holdings_rate_over(h, START), 1);
		holdings_free(h);
	}
	assert_int_equal(count(&s), 100);
	holdings_free(renew(&s, 7, START + 3 * SECOND, NULL));
	assert_int_equal(count(&s), 1);
	clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlimited),  cmocka_unit_test(test_commands),
		cmocka_unit_test(test_bytes),      cmocka_unit_test(test_seats),
		cmocka_unit_test(test_each_right), cmocka_unit_test(test_reload),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
