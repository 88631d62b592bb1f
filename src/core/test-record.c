/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies of records: what is written is read again, the same, and nothing else is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record.h"

static void fill(uint8_t *bytes, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(first + i);
}

/* A Set Feature that was admitted, with everything that a record can have. */
static struct fwa_record_decision full_decision(void)
{
	static const uint8_t payload[40] = { 1, 2, 3 }, groups[8] = { 10, 0, 0, 0, 20 };
	struct fwa_record_decision r = {
		.judged = 123456789012345,
		.decision = { .reason = FWA_REASON_ADMIT,
			      .need = FWA_NEED_CHANGE,
			      .required = FWA_SCOPE_DEBUG_WRITE_FULL,
			      .scope = FWA_SCOPE_DEBUG_WRITE_FULL,
			      .set = FWA_SET_CXL,
			      .opcode = 0x0502,
			      .declared_raw = 0x201,
			      .attributes = FWA_ATTR_SECONDARY_MAILBOX,
			      .declared = FWA_EFFECT_CONFIG,
			      .floor = FWA_EFFECT_POLICY,
			      .advisory = FWA_EFFECT_LOG,
			      .effects = FWA_EFFECT_CONFIG | FWA_EFFECT_POLICY | FWA_EFFECT_LOG },
		.contract = { .leased = true,
			      .transfer = FWA_TRANSFER_OWN,
			      .rate_over = 2,
			      .seats_over = 4,
			      .advisory = FWA_EFFECT_LOG },
		.cmd = { .set = FWA_SET_CXL,
			 .scope = FWA_SCOPE_LEAST,
			 .opcode = 0x0502,
			 .payload = { NULL, sizeof(payload) },
			 .out_len = 16 },
		.judged_bytes = { payload, 20 },
		.drifted = true,
		.who = { .uid = 1000,
			 .gid = 100,
			 .pid = 4711,
			 .owner = true,
			 .groups = groups,
			 .n_groups = 2,
			 .unit = "monitor.service",
			 .comm = "monitor" },
		.grant = "monitors",
	};

	fill(r.request_sha256, FWA_HASH_LEN, 1);
	fill(r.profile_sha256, FWA_HASH_LEN, 40);
	fill(r.policy_digest, FWA_HASH_LEN, 80);
	fill(r.accepted_sha256, FWA_HASH_LEN, 120);
	fill(r.contract.transfer_uuid, 16, 160);
	return r;
}

static struct fwa_span encoded(const struct fwa_record_decision *r, uint8_t *buf, size_t cap)
{
	struct fwa_writer w = fwa_writer(buf, cap);

	fwa_record_decision_encode(&w, r);
	assert_false(w.full);
	return fwa_span(buf, w.len);
}

static void test_decision_again(void **state)
{
	struct fwa_record_decision in = full_decision(), out;
	uint8_t once[1024], twice[1024];
	struct fwa_span a = encoded(&in, once, sizeof(once)), b;

	assert_true(a.len < 300);
	assert_int_equal(fwa_record_decision_decode(a, &out), 0);
	b = encoded(&out, twice, sizeof(twice));
	assert_int_equal(a.len, b.len);
	assert_memory_equal(once, twice, a.len);
	assert_memory_equal(&in.decision, &out.decision, sizeof(in.decision));
	assert_string_equal(out.who.unit, "monitor.service");
	assert_string_equal(out.grant, "monitors");
}

static void test_outcome_again(void **state)
{
	struct fwa_record_outcome in = { .decision = 7,
					 .status = FWA_OUTCOME_UNKNOWN,
					 .transport_errno = 110,
					 .duration_ns = 99 },
				  out;
	uint8_t buf[100];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fill(in.response_sha256, FWA_HASH_LEN, 3);
	fwa_record_outcome_encode(&w, &in);
	assert_true(w.len <= 72);
	assert_int_equal(fwa_record_outcome_decode(fwa_span(buf, w.len), &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decision_again),
		cmocka_unit_test(test_outcome_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
