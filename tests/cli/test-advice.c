/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of explain for every reason and detail (C30): what would pass, and who can see to it. The
 * verdicts are decide()'s own wherever a device here can be brought to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/advice.h"
#include "core/reason.h"
#include "support.h"
#include "wire/cxl.h"

#define SECOND UINT64_C(1000000000)
#define SET_LSA 0x4103
#define HEALTH 0x4200
#define SANITIZE 0x4400

static struct fwa_command cmd;
static uint8_t payload[256];
static struct cli_verdict v;
static struct cli_advice advice;

/* A grant of everything, called "all". */
static struct fwa_right *grant_all(void)
{
	test_subject.rights = (struct fwa_rights){ .n_matched = 1, .n = 1 };
	test_subject.rights.right[0] = (struct fwa_right){ .scope = FWA_SCOPE_DEBUG_WRITE_FULL,
							   .effects = FWA_EFFECTS_GRANTABLE };
	snprintf(test_subject.grant_names[0], sizeof(test_subject.grant_names[0]), "all");
	return &test_subject.rights.right[0];
}

static int setup(void **state)
{
	test_open_sim("honest");
	test_subject.now = 1000 * SECOND;
	grant_all();
	memset(payload, 0, sizeof(payload));
	return 0;
}

static int teardown(void **state)
{
	cli_subject_close(&test_subject);
	return 0;
}

static void judge(uint16_t opcode, size_t len)
{
	cmd = (struct fwa_command){ .set = FWA_SET_CXL,
				    .opcode = opcode,
				    .scope = FWA_SCOPE_LEAST,
				    .payload = fwa_span(payload, len) };
	v = cli_verdict_of(&test_subject, &cmd, "alice");
	memset(&advice, 0, sizeof(advice));
	if (!fwa_admitted(&v.decision))
		cli_advise(&v, &advice);
}

/* That the decision is @reason with @detail, and that the first clause and who can have these words. */
static void expect(unsigned int reason, unsigned int detail, const char *pass, const char *who)
{
	assert_int_equal(v.decision.reason, reason);
	assert_int_equal(v.decision.detail, detail);
	if (!strstr(advice.pass[0], pass) || !strstr(advice.who, who))
		fail_msg("not \"%s\" and \"%s\": %s; %s", pass, who, advice.pass[0], advice.who);
}

static void test_quarantine(void **state)
{
	static const uint8_t details[FWA_QUARANTINE_COUNT] = {
		[FWA_QUARANTINE_OPERATOR] = FWA_DETAIL_OPERATOR,
		[FWA_QUARANTINE_GARBAGE] = FWA_DETAIL_GARBAGE,
		[FWA_QUARANTINE_TIME_OUT] = FWA_DETAIL_TIME_OUT,
		[FWA_QUARANTINE_IDENTITY] = FWA_DETAIL_IDENTITY_CHANGED,
	};

	for (uint8_t q = 1; q < FWA_QUARANTINE_COUNT; q++) {
		test_subject.contract.quarantine = q;
		judge(SET_LSA, 16);
		expect(FWA_REASON_QUARANTINED, details[q], "fwadmit release sim:honest",
		       "root and members of group fwadmit-admin");
		assert_int_equal(advice.n, 1);
		judge(0x5300, 0);
		expect(FWA_REASON_QUARANTINED, details[q], "would be refused as undeclared",
		       "vendor");
		assert_string_equal(advice.pass[1],
				    "nothing, until the device lists it in its Command "
				    "Effects Log");
	}
	test_subject.embedded = true;
	judge(SET_LSA, 16);
	expect(FWA_REASON_QUARANTINED, FWA_DETAIL_IDENTITY_CHANGED, "the next one", "");
}

static void test_all_that_it_takes(void **state)
{
	test_subject.contract.quarantine = FWA_QUARANTINE_OPERATOR;
	test_subject.contract.leased = true;
	test_subject.rights = (struct fwa_rights){ 0 };
	judge(SANITIZE, 0);
	expect(FWA_REASON_QUARANTINED, FWA_DETAIL_OPERATOR, "fwadmit release", "root");
	assert_int_equal(advice.n, 3);
	assert_non_null(strstr(advice.pass[1], "with a grant that reaches scope debug-write-full"));
	assert_non_null(strstr(advice.pass[2], "once no other session's work is in the way"));
}

static void test_lockdown(void **state)
{
	test_subject.contract.lockdown = true;
	judge(SET_LSA, 16);
	expect(FWA_REASON_LOCKDOWN, FWA_DETAIL_NONE, "not locked down", "boots");
	/* what was asked for is more than it needs */
	cmd = (struct fwa_command){ .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE,
				    .scope = FWA_SCOPE_DEBUG_WRITE_FULL };
	v = cli_verdict_of(&test_subject, &cmd, "alice");
	cli_advise(&v, &advice);
	expect(FWA_REASON_LOCKDOWN, FWA_DETAIL_NONE, "with --scope=configuration", "this user");
}

static void test_scope(void **state)
{
	cmd = (struct fwa_command){ .opcode = SET_LSA,
				    .scope = FWA_SCOPE_DEBUG_WRITE,
				    .payload = fwa_span(payload, 16) };
	v = cli_verdict_of(&test_subject, &cmd, "alice");
	cli_advise(&v, &advice);
	expect(FWA_REASON_SCOPE_TOO_LOW, FWA_DETAIL_NONE, "with --scope=debug-write-full",
	       "this user");
}

static void test_grants(void **state)
{
	struct fwa_right *r = grant_all();
	char why[512];

	test_subject.rights.n = test_subject.rights.n_matched = 0;
	judge(SET_LSA, 16);
	expect(FWA_REASON_NO_GRANT, FWA_DETAIL_NONE,
	       "debug-write-full and covers the effects: config, data",
	       "root, for good or for a time");
	test_subject.rights.n_matched = 1;
	judge(SET_LSA, 16);
	expect(FWA_REASON_NO_GRANT, FWA_DETAIL_OTHER_COMMANDS, "with a grant", "root");
	test_subject.rights.n = 1;
	r->scope = FWA_SCOPE_DEBUG_WRITE;
	judge(SET_LSA, 16);
	expect(FWA_REASON_GRANT_SCOPE, FWA_DETAIL_NONE, "with a grant", "root");
	r->scope = FWA_SCOPE_DEBUG_WRITE_FULL;
	r->effects = FWA_EFFECT_CONFIG;
	judge(SET_LSA, 16);
	expect(FWA_REASON_GRANT_EFFECTS, FWA_DETAIL_NONE, "with a grant", "root");
	r->effects = FWA_EFFECTS_GRANTABLE;
	r->until = test_subject.now - 90 * SECOND;
	judge(SET_LSA, 16);
	expect(FWA_REASON_GRANT_EXPIRED, FWA_DETAIL_NONE, "with a grant", "root");
	cli_verdict_why(&v, why, sizeof(why));
	assert_string_equal(why, "grant \"all\" would cover it, and ended 1m 30s ago");
	r->until = 1;
	judge(SET_LSA, 16);
	cli_verdict_why(&v, why, sizeof(why));
	assert_string_equal(
		why, "grant \"all\" would cover it, and ended before this machine was started");
	test_subject.rights.overflow = true;
	judge(SET_LSA, 16);
	assert_non_null(strstr(advice.pass[1], "fewer grants"));
}

static void test_rate(void **state)
{
	struct fwa_right *r = grant_all();

	test_subject.contract.rate_over = 1;
	r->commands = 5;
	judge(SET_LSA, 16);
	expect(FWA_REASON_RATE, FWA_DETAIL_USED_UP, "in 1s at the latest: grant \"all\"",
	       "nobody has to");
	r->bytes = 65536;
	judge(SET_LSA, 16);
	expect(FWA_REASON_RATE, FWA_DETAIL_USED_UP, "in 1m 5s at the latest", "nobody has to");
	test_subject.contract.rate_over = 0;
	test_subject.contract.seats_over = 1;
	r->sessions = 2;
	judge(SET_LSA, 16);
	expect(FWA_REASON_RATE, FWA_DETAIL_SESSIONS, "grant \"all\" allows 2 at a time",
	       "nobody has to");
}

static void test_lease(void **state)
{
	test_subject.contract.leased = true;
	judge(SANITIZE, 0);
	expect(FWA_REASON_LEASE, FWA_DETAIL_BACKGROUND_OF_OTHER, "once that operation is done",
	       "nobody has");
	test_subject.contract.not_to_abort = true;
	judge(CXL_OP_ABORT_BACKGROUND, 0);
	expect(FWA_REASON_LEASE, FWA_DETAIL_BACKGROUND_OF_OTHER, "the same from them", "and root");
	test_subject.contract.leased = test_subject.contract.not_to_abort = false;
	test_subject.contract.firmware_leased = true;
	judge(CXL_OP_TRANSFER_FW, 256);
	expect(FWA_REASON_LEASE, FWA_DETAIL_FIRMWARE_OF_OTHER, "the session that began it",
	       "nobody");
}

static void test_journal(void **state)
{
	struct fwa_right *r = grant_all();

	test_subject.contract.journal = FWA_JOURNAL_DOWN_EFFECTS;
	judge(HEALTH, 0);
	assert_true(fwa_admitted(&v.decision));
	judge(SET_LSA, 16);
	expect(FWA_REASON_JOURNAL, FWA_DETAIL_JOURNAL_DOWN,
	       "once the journal can write: see fwadmit status, free space", "the journal's disk");
	assert_int_equal(advice.n, 1);
	test_subject.contract.journal = FWA_JOURNAL_DOWN;
	judge(HEALTH, 0);
	expect(FWA_REASON_JOURNAL, FWA_DETAIL_JOURNAL_DOWN, "see fwadmit status", "disk");
	test_subject.embedded = true;
	judge(HEALTH, 0);
	expect(FWA_REASON_JOURNAL, FWA_DETAIL_JOURNAL_DOWN,
	       "once the journal can write: free space where it is kept", "disk");
	/* behind others, and behind the want of a grant */
	test_subject.contract.leased = true;
	judge(SANITIZE, 0);
	expect(FWA_REASON_LEASE, FWA_DETAIL_BACKGROUND_OF_OTHER, "once that operation", "disk");
	assert_int_equal(advice.n, 2);
	assert_non_null(strstr(advice.pass[1], "the journal"));
	test_subject.contract.leased = false;
	r->scope = FWA_SCOPE_DEBUG_READ_ONLY;
	judge(SET_LSA, 16);
	expect(FWA_REASON_GRANT_SCOPE, FWA_DETAIL_NONE, "with a grant", "root");
	assert_int_equal(advice.n, 2);
	assert_non_null(strstr(advice.pass[1], "the journal"));
	/* what is not in the way is not named */
	test_subject.contract.journal = FWA_JOURNAL_DOWN_EFFECTS;
	r->scope = FWA_SCOPE_CONFIGURATION;
	r->effects = 0;
	judge(HEALTH, 0);
	assert_int_equal(advice.n, v.decision.reason == FWA_REASON_ADMIT ? 0 : 1);
	test_subject.embedded = false;
}

/* The baseline is what another personality, or nothing, declares. */
static void test_drift(void **state)
{
	static struct fwa_profile before;
	uint8_t *encoded = malloc(test_subject.encoded_len);
	size_t len = test_subject.encoded_len;
	struct fwa_drift drift = { .baseline = NULL };
	fwa_effects accepted;

	memcpy(encoded, test_subject.encoded, len);
	assert_int_equal(fwa_profile_parse(&before, fwa_span(encoded, len)), 0);
	test_open_sim("liar-data"); /* Clear Poison: data no more */
	test_subject.now = 1000 * SECOND;
	grant_all();
	test_subject.contract.drift = &drift;
	judge(0x4302, 72);
	expect(FWA_REASON_DRIFT, FWA_DETAIL_NOT_PINNED,
	       "pinned (fwadmit baseline save sim:liar-data -O", "root");
	drift.baseline = &before;
	judge(0x4302, 72);
	expect(FWA_REASON_DRIFT, FWA_DETAIL_LOST_EFFECT, "fwadmit baseline accept sim:liar-data",
	       "root and");
	assert_true(cli_verdict_accepted(&v, &accepted));
	assert_int_equal(accepted, FWA_EFFECT_DATA);
	assert_int_equal(accepted & ~v.decision.declared, FWA_EFFECT_DATA);
	v.pinned = true;
	cli_advise(&v, &advice);
	assert_non_null(strstr(advice.pass[0], "pinned"));
	judge(SET_LSA, 16);
	assert_true(fwa_admitted(&v.decision));
	test_subject.contract.drift = NULL;
	free(encoded);
}

/* What the gate decided in a state that was not described: its reason alone is to go by. */
static void test_stale(void **state)
{
	for (unsigned int reason = 0; reason < FWA_REASON_ADMIT; reason++) {
		judge(SET_LSA, 16);
		assert_true(fwa_admitted(&v.decision));
		v.stale = true;
		v.decision.reason = (uint8_t)reason;
		cli_advise(&v, &advice);
		assert_true(advice.n >= 1 && *advice.pass[0] && advice.who);
		if (reason == FWA_REASON_LEASE)
			assert_non_null(strstr(advice.pass[0], "once"));
	}
}

/* Every detail that no remedy takes away has words of its own. */
static void test_every_detail(void **state)
{
	char seen[FWA_DETAIL_COUNT][CLI_ADVICE_TEXT] = { 0 };

	for (unsigned int detail = 1; detail < FWA_DETAIL_COUNT; detail++) {
		judge(CXL_OP_GET_LOG, 24);
		v.remedy = (struct fwa_remedy){ 0 };
		v.last = v.decision;
		v.decision.detail = (uint8_t)detail;
		v.decision.reason = FWA_REASON_PAYLOAD_SHAPE;
		v.last = v.decision;
		cli_advise(&v, &advice);
		assert_true(advice.n == 1 && strlen(advice.pass[0]) > 8 && strlen(advice.who) > 8);
		snprintf(seen[detail], sizeof(seen[detail]), "%s", advice.pass[0]);
		if (detail >= FWA_DETAIL_OTHER_COMMANDS || detail == FWA_DETAIL_NOT_LISTED)
			continue; /* those have a remedy, or words by the reason */
		assert_string_not_equal(advice.pass[0],
					"other bytes: these are not ones that the command has");
	}
	assert_non_null(strstr(seen[FWA_DETAIL_PAYLOAD_LONG], "24 bytes"));
	assert_non_null(strstr(seen[FWA_DETAIL_REPLY_OVER_MAILBOX], "2048 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quarantine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_that_it_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lockdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drift, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_detail, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
