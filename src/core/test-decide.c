/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The decision by what the gate knows: rights that are used up, against a plain reference; and
 * remedies: what is named makes the command pass, all of it is needed, and where nothing is named
 * nothing helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/decide.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t encoded[4096], accepted_encoded[4096], payload[600];
static struct fwa_profile profile, accepted;
static const struct fwa_drift drift = { &accepted }, missing = { NULL };

/* Some standard commands and some of the vendor's, with effects of all kinds. */
static const uint16_t cel[][2] = {
	{ 0x0001, 0x0000 }, { 0x0005, 0x0000 }, { 0x0201, 0x0042 }, { 0x4000, 0x0000 },
	{ 0x4103, 0x0006 }, { 0x4400, 0x0044 }, { 0xc000, 0x0000 }, { 0xc001, 0x0001 },
	{ 0xc002, 0x0004 }, { 0xc003, 0x0050 }, { 0xc004, 0x1000 }, { 0xc005, 0x0060 },
	{ 0x0502, 0x0042 },
};
static const uint8_t feature_uuid[16] = { 0x5a };

/* A device that declares what is in @cel, but for every @without-th (0: all of it). */
static void declare(struct fwa_profile *p, uint8_t *buf, size_t without)
{
	struct fwa_writer w = fwa_writer(buf, sizeof(encoded)), c;
	uint8_t entries[sizeof(cel)], limits[8] = { 0, 2, 0, 0, 64 };
	/* UUID, index, Get size, Set size, flags (changeable), versions, effects */
	uint8_t feature[48] = { [18] = 8, [20] = 8, [22] = 1, [28] = 0x42 };

	c = fwa_writer(entries, sizeof(entries));
	for (size_t i = 0; i < COUNT(cel); i++) {
		if (without && i % without == 0)
			continue;
		fwa_write_le16(&c, cel[i][0]);
		fwa_write_le16(&c, cel[i][1]);
	}
	memcpy(feature, feature_uuid, sizeof(feature_uuid));
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(feature, sizeof(feature)));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(entries, c.len));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	assert_int_equal(fwa_profile_parse(p, fwa_span(buf, w.len)), 0);
}

static void make_profile(void)
{
	declare(&profile, encoded, 0);
	declare(&accepted, accepted_encoded, 3);
}

/* --- at random -------------------------------------------------------------------------------- */

static bool one_in(int n)
{
	return rand() % n == 0;
}

static fwa_effects some_effects(void)
{
	fwa_effects e = (fwa_effects)rand() & FWA_EFFECTS_GRANTABLE;

	return one_in(2) ? FWA_EFFECTS_GRANTABLE : e & (fwa_effects)rand();
}

static void some_rights(struct fwa_rights *rights)
{
	*rights = (struct fwa_rights){ .n = (uint32_t)rand() % 4 };
	rights->n_matched = rights->n + one_in(4);
	for (uint32_t i = 0; i < rights->n; i++)
		rights->right[i] = (struct fwa_right){ .scope = (uint32_t)rand() % 4,
						       .effects = some_effects(),
						       .until = one_in(3) ? 5 : 0,
						       .grant = i };
}

static struct fwa_contract some_contract(void)
{
	struct fwa_contract c = {
		.lockdown = one_in(6),
		.quarantine = (uint8_t)(one_in(5) ? rand() % 7 : 0),
		.leased = one_in(3),
		.not_to_abort = one_in(2),
		.transfer = (uint8_t)(rand() % 3),
		.firmware_leased = one_in(3),
		.rate_over = one_in(2) ? (uint32_t)rand() % 8 : 0,
		.seats_over = one_in(2) ? (uint32_t)rand() % 8 : 0,
		.journal = (uint8_t)(one_in(3) ? rand() % (FWA_JOURNAL_COUNT + 1) : 0),
		.advisory = one_in(8) ? 1u << (rand() % FWA_EFFECT_COUNT) : 0,
		.drift = one_in(3)   ? &drift
			 : one_in(8) ? &missing
				     : NULL,
	};

	memcpy(c.transfer_uuid, feature_uuid, sizeof(feature_uuid));
	return c;
}

static struct fwa_command some_command(void)
{
	struct fwa_command cmd = {
		.set = FWA_SET_CXL,
		.opcode = one_in(20) ? 0xcfff : cel[(size_t)rand() % COUNT(cel)][0],
		.scope = (uint8_t)(one_in(2) ? FWA_SCOPE_LEAST : rand() % 4),
		.nsid = one_in(30),
	};

	cmd.payload.data = payload;
	cmd.payload.len = cmd.opcode == 0x4103   ? 9
			  : cmd.opcode == 0x0201 ? 128
			  : cmd.opcode == 0x0502 ? 33
			  : one_in(20)           ? sizeof(payload)
						 : 0;
	memset(payload, 0, sizeof(payload));
	if (cmd.opcode != 0x0502)
		return cmd;
	memcpy(payload, feature_uuid, sizeof(feature_uuid));
	if (one_in(2)) /* the one whose transfer is in progress */
		memset(payload, 0xff, 16);
	payload[16] = (uint8_t)(rand() % 5);
	return cmd;
}

/* --- rights that are used up ------------------------------------------------------------------ */

static bool enough(const struct fwa_right *r, const struct fwa_decision *d, uint64_t now)
{
	return r->scope >= d->scope && !(d->effects & ~r->effects) && (!r->until || now < r->until);
}

static void decision_by_what_is_used_up(void **state)
{
	unsigned int seen[FWA_REASON_COUNT];

	memset(seen, 0, sizeof(seen));
	make_profile();
	srand(21);
	for (int i = 0; i < 200000; i++) {
		struct fwa_contract c = { .rate_over = (uint32_t)rand() % 8,
					  .seats_over = (uint32_t)rand() % 8 };
		struct fwa_command cmd = some_command();
		struct fwa_rights rights;
		uint64_t now = (uint64_t)rand() % 10;
		uint32_t fresh = UINT32_MAX, over = UINT32_MAX;
		struct fwa_decision d;

		some_rights(&rights);
		d = fwa_decide(&c, &rights, &profile, &cmd, now);
		seen[d.reason]++;
		if (d.reason < FWA_REASON_NO_GRANT)
			continue;
		for (uint32_t r = rights.n; r-- > 0;) {
			if (!enough(&rights.right[r], &d, now))
				continue;
			if ((c.rate_over | c.seats_over) >> r & 1)
				over = r;
			else
				fresh = r;
		}
		if (fresh != UINT32_MAX) {
			assert_int_equal(d.reason, FWA_REASON_ADMIT);
			assert_int_equal(d.grant, rights.right[fresh].grant + 1);
			assert_int_equal(d.right, fresh);
			continue;
		}
		assert_int_equal(d.grant | d.right, 0);
		assert_int_equal(d.reason == FWA_REASON_RATE, over != UINT32_MAX);
		if (over != UINT32_MAX)
			assert_int_equal(d.detail, c.seats_over >> over & 1 ? FWA_DETAIL_SESSIONS
									    : FWA_DETAIL_USED_UP);
	}
	assert_true(seen[FWA_REASON_RATE] > 5000 && seen[FWA_REASON_ADMIT] > 5000);
	assert_true(seen[FWA_REASON_GRANT_EXPIRED] > 500);
}

/* --- remedies --------------------------------------------------------------------------------- */

#define REMEDIES 5

static bool part(const struct fwa_remedy *r, int i)
{
	const bool parts[REMEDIES] = { r->ask, r->grant, r->wait, r->accept, r->release };

	return parts[i];
}

static void others_are_done(struct fwa_contract *c)
{
	c->leased = c->firmware_leased = false;
	if (c->transfer == FWA_TRANSFER_OTHER)
		c->transfer = FWA_TRANSFER_NONE;
}

/* Whether the command passes once all that @r names has happened, but for part @but. */
static bool passes(const struct fwa_remedy *r, int but, struct fwa_contract c,
		   struct fwa_rights rights, struct fwa_command cmd, uint64_t now)
{
	struct fwa_decision d;

	if (r->ask && but != 0)
		cmd.scope = r->scope;
	if (r->grant && but != 1) {
		/* a further grant, which takes nothing away */
		c.rate_over &= ~(1u << rights.n);
		c.seats_over &= ~(1u << rights.n);
		rights.right[rights.n++] =
			(struct fwa_right){ .scope = r->scope, .effects = r->effects };
		rights.n_matched++;
	}
	if (r->wait && but != 2) {
		others_are_done(&c);
		c.rate_over = c.seats_over = 0;
		c.journal = FWA_JOURNAL_OK;
	}
	if (r->accept && but != 3)
		c.drift = NULL;
	if (r->release && but != 4)
		c.quarantine = 0;
	d = fwa_decide(&c, &rights, &profile, &cmd, now);
	return fwa_admitted(&d);
}

/* All that anybody could do, at every scope: whoever may not abort something does not come to. */
static bool anything_helps(struct fwa_contract c, struct fwa_command cmd, uint64_t now)
{
	struct fwa_rights rights = { .n_matched = 1, .n = 1 };

	rights.right[0] = (struct fwa_right){ .scope = 3, .effects = FWA_EFFECTS_GRANTABLE };
	c.quarantine = 0;
	c.drift = NULL;
	others_are_done(&c);
	c.rate_over = c.seats_over = 0;
	c.journal = FWA_JOURNAL_OK;
	for (uint8_t scope = 0; scope < 4; scope++) {
		struct fwa_decision d;

		cmd.scope = scope;
		d = fwa_decide(&c, &rights, &profile, &cmd, now);
		if (fwa_admitted(&d))
			return true;
	}
	return false;
}

static void remedies_are_enough_and_needed(void **state)
{
	unsigned int named[REMEDIES] = { 0 }, together = 0, impossible = 0;

	make_profile();
	srand(22);
	for (int i = 0; i < 200000; i++) {
		struct fwa_contract c = some_contract();
		struct fwa_command cmd = some_command();
		uint64_t now = (uint64_t)rand() % 10;
		struct fwa_rights rights;
		struct fwa_decision d;
		struct fwa_remedy r;
		int n = 0;

		some_rights(&rights);
		d = fwa_decide(&c, &rights, &profile, &cmd, now);
		r = fwa_remedy(&c, &rights, &profile, &cmd, now);
		for (int k = 0; k < REMEDIES; k++)
			n += part(&r, k);
		assert_int_equal(fwa_admitted(&d), r.possible && n == 0);
		if (!r.possible) {
			assert_int_equal(n, 0);
			/* a scope that is none is not the scope that is missing */
			assert_true(!anything_helps(c, cmd, now));
			impossible++;
			continue;
		}
		assert_true(passes(&r, -1, c, rights, cmd, now));
		for (int k = 0; k < REMEDIES; k++) {
			if (!part(&r, k))
				continue;
			named[k]++;
			assert_false(passes(&r, k, c, rights, cmd, now));
		}
		together += n > 2;
	}
	for (int k = 0; k < REMEDIES; k++)
		assert_true(named[k] > 1000);
	assert_true(together > 1000 && impossible > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decision_by_what_is_used_up),
		cmocka_unit_test(remedies_are_enough_and_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
