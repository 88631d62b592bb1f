/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of the steps (C29): every set of steps that would each refuse one command, and of these the
 * first is the one that does. Of several rights the one that gets furthest says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/decide.h"
#include "core/filter.h"
#include "wire/cxl.h"

#define BIT(reason) (1u << (reason))
#define ALL (BIT(FWA_REASON_ADMIT) - 1)
/* What a right can lack; the state of the gate is looked at around FWA_REASON_RATE. */
#define RIGHT_FAULTS 5
#define RIGHTS 2

static const enum fwa_reason right_fault[RIGHT_FAULTS] = {
	FWA_REASON_NO_GRANT,      FWA_REASON_GRANT_SCOPE, FWA_REASON_GRANT_EFFECTS,
	FWA_REASON_GRANT_EXPIRED, FWA_REASON_RATE,
};

static const struct fwa_drift not_pinned = { NULL };
static struct fwa_profile profiles[2][2]; /* with reserved bits; without the Feature */
static uint8_t encoded[2][2][1024], other[FWA_TERM_LEN];

/* Set Feature, and a Feature that changes the configuration in the background. */
static void declare(bool reserved, bool without)
{
	struct fwa_writer w = fwa_writer(encoded[reserved][without], sizeof(encoded[0][0]));
	uint8_t feature[CXL_FEATURE_ENTRY_LEN] = {
		0x5a, [18] = 8, [20] = 8, [22] = 1, [28] = 0x42
	};
	const uint8_t cel[] = { 0x02, 0x05, 0x42, reserved ? 0x80 : 0 }, limits[8] = { 0, 2 };

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	if (!without)
		fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(feature, sizeof(feature)));
	assert_int_equal(fwa_profile_parse(&profiles[reserved][without], fwa_span(w.buf, w.len)),
			 0);
}

static int setup(void **state)
{
	struct fwa_writer w = fwa_writer(other, sizeof(other));

	for (int i = 0; i < 4; i++)
		declare(i & 1, i & 2);
	fwa_filter_write_term(&w, &(struct fwa_term){ .value = 0x0500 });
	return 0;
}

/* One right that lacks all of @faults, and its bits of @c. */
static void lack(struct fwa_rights *rights, uint32_t i, unsigned int faults, struct fwa_contract *c)
{
	struct fwa_right *r = &rights->right[i];

	*r = (struct fwa_right){ .scope = 3, .effects = FWA_EFFECTS_GRANTABLE, .grant = i };
	if (faults & BIT(FWA_REASON_NO_GRANT))
		r->filter = fwa_span(other, sizeof(other));
	if (faults & BIT(FWA_REASON_GRANT_SCOPE))
		r->scope = 2;
	if (faults & BIT(FWA_REASON_GRANT_EFFECTS))
		r->effects = FWA_EFFECTS_RESET;
	if (faults & BIT(FWA_REASON_GRANT_EXPIRED))
		r->until = 5;
	if (faults & BIT(FWA_REASON_RATE))
		c->rate_over |= 1u << i;
	rights->n = rights->n_matched = i + 1;
}

/* The verdict on the command when all of @faults apply, for who has @rights. */
static struct fwa_decision decide(unsigned int faults, const struct fwa_rights *rights,
				  struct fwa_contract c)
{
	static const uint8_t payload[600] = { 0x5a };
	bool reserved = faults & BIT(FWA_REASON_RESERVED_BITS);
	bool without = faults & BIT(FWA_REASON_UNDECLARED);
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_SET_FEATURE,
				   .scope = FWA_SCOPE_DEBUG_WRITE_FULL,
				   .payload = fwa_span(payload, CXL_SET_FEATURE_HEADER_LEN + 8) };

	if (faults & BIT(FWA_REASON_MALFORMED))
		cmd.nsid = 1;
	if (faults & BIT(FWA_REASON_PAYLOAD_SHAPE))
		cmd.payload.len = sizeof(payload);
	if (faults & BIT(FWA_REASON_SCOPE_TOO_LOW))
		cmd.scope = FWA_SCOPE_CONFIGURATION;
	if (faults & BIT(FWA_REASON_NEVER))
		c.advisory = FWA_EFFECT_DMA;
	c.quarantine = faults & BIT(FWA_REASON_QUARANTINED) ? FWA_QUARANTINE_GARBAGE : 0;
	c.lockdown = faults & BIT(FWA_REASON_LOCKDOWN);
	c.drift = faults & BIT(FWA_REASON_DRIFT) ? &not_pinned : NULL;
	c.leased = faults & BIT(FWA_REASON_LEASE);
	c.journal = faults & BIT(FWA_REASON_JOURNAL) ? FWA_JOURNAL_DOWN : FWA_JOURNAL_OK;
	return fwa_decide(&c, rights, &profiles[reserved][without], &cmd, 5);
}

static enum fwa_reason first_of(unsigned int faults)
{
	enum fwa_reason r = FWA_REASON_MALFORMED;

	while (r < FWA_REASON_ADMIT && !(faults & BIT(r)))
		r++;
	return r;
}

/* All 65,536 sets of the 16 reasons to refuse. */
static void order_of_all_steps(void **state)
{
	for (unsigned int faults = 0; faults <= ALL; faults++) {
		struct fwa_contract c = { 0 };
		struct fwa_rights rights = { 0 };
		struct fwa_decision d;

		lack(&rights, 0, faults, &c);
		d = decide(faults, &rights, c);
		if (d.reason != first_of(faults))
			fail_msg("of the reasons %#x %s was given", faults,
				 fwa_reason_name(d.reason));
		assert_int_equal(d.grant, !faults);
	}
}

/* The reasons, of those that a right can lack, that the bits of @set stand for. */
static unsigned int lacked(unsigned int set)
{
	unsigned int faults = 0;

	for (unsigned int i = 0; i < RIGHT_FAULTS; i++)
		if (set >> i & 1)
			faults |= BIT(right_fault[i]);
	return faults;
}

/* Of two rights: what the one lacks and what the other does, in all ways, and the state of the gate. */
static void order_among_rights(void **state)
{
	const enum fwa_reason gate[] = { FWA_REASON_DRIFT, FWA_REASON_LEASE, FWA_REASON_JOURNAL };

	for (unsigned int i = 0; i < 1u << (2 * RIGHT_FAULTS); i++) {
		enum fwa_reason furthest = FWA_REASON_MALFORMED, first[RIGHTS];
		struct fwa_contract c = { 0 };
		struct fwa_rights rights = { 0 };

		for (uint32_t k = 0; k < RIGHTS; k++) {
			unsigned int faults = lacked(i >> (k * RIGHT_FAULTS));

			lack(&rights, k, faults, &c);
			first[k] = first_of(faults);
			furthest = first[k] > furthest ? first[k] : furthest;
		}
		for (unsigned int set = 0; set < 1u << 3; set++) {
			unsigned int g = 0;
			struct fwa_decision d;

			for (int k = 0; k < 3; k++)
				g |= set >> k & 1 ? BIT(gate[k]) : 0;
			d = decide(g, &rights, c);
			/* what a right covers the state of the gate can stop */
			if (furthest >= FWA_REASON_RATE)
				assert_int_equal(d.reason, first_of(g | BIT(furthest)));
			else
				assert_int_equal(d.reason, furthest);
			assert_int_equal(d.grant, d.reason != FWA_REASON_ADMIT ? 0
						  : first[0] == furthest       ? 1
									       : 2);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_all_steps),
		cmocka_unit_test(order_among_rights),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
