/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as workers write them: of a small write, by a user from a service, and of a plain read.
 */
#pragma once

#include <string.h>

#include "core/record.h"

struct bench_records {
	uint8_t decision[1024], refused[1024], outcome[128];
	size_t decision_len, refused_len, outcome_len;
};

/* Where an outcome's body has the counter of its decision. */
#define BENCH_OUTCOME_DECISION 0

static inline struct fwa_record_decision bench_decision(enum fwa_reason reason)
{
	static const uint8_t groups[12] = { 10, 0, 0, 0, 24, 0, 0, 0, 100 };
	struct fwa_record_decision r = {
		.judged = 1234567890123,
		.decision = { .reason = (uint8_t)reason,
			      .need = FWA_NEED_CHANGE,
			      .required = FWA_SCOPE_DEBUG_WRITE_FULL,
			      .scope = FWA_SCOPE_DEBUG_WRITE_FULL,
			      .opcode = 0x4103,
			      .declared_raw = 6,
			      .declared = 6,
			      .floor = 6,
			      .effects = 6 },
		.cmd = { .opcode = 0x4103, .scope = FWA_SCOPE_LEAST, .payload.len = 136 },
		.who = { .uid = 1000, .gid = 1000, .pid = 4242, .groups = groups, .n_groups = 3 },
	};
	static const uint8_t judged[8];

	r.judged_bytes = fwa_span(judged, fwa_command_judged_len(&r.cmd));
	memset(r.request_sha256, 0x5a, FWA_HASH_LEN);
	memset(r.profile_sha256, 0x5b, FWA_HASH_LEN);
	memset(r.policy_digest, 0x5c, FWA_HASH_LEN);
	strcpy(r.who.unit, "storage-exporter.service");
	strcpy(r.who.comm, "exporter");
	if (reason == FWA_REASON_ADMIT)
		strcpy(r.grant, "storage-team");
	return r;
}

static inline size_t bench_encode_decision(enum fwa_reason reason, uint8_t *buf, size_t cap)
{
	struct fwa_record_decision r = bench_decision(reason);
	struct fwa_writer w = fwa_writer(buf, cap);
	bool admitted;
	uint64_t closes;

	fwa_record_decision_encode(&w, &r);
	if (w.full ||
	    !fwa_record_check(FWA_RECORD_DECISION, fwa_span(buf, w.len), &admitted, &closes))
		abort();
	return w.len;
}

static inline void bench_records_make(struct bench_records *b)
{
	struct fwa_record_outcome o = {
		.decision = 1, .status = FWA_OUTCOME_COMPLETED, .out_len = 0, .duration_ns = 123456
	};
	struct fwa_writer w = fwa_writer(b->outcome, sizeof(b->outcome));

	b->decision_len = bench_encode_decision(FWA_REASON_ADMIT, b->decision, sizeof(b->decision));
	b->refused_len = bench_encode_decision(FWA_REASON_NO_GRANT, b->refused, sizeof(b->refused));
	fwa_record_outcome_encode(&w, &o);
	b->outcome_len = w.len;
}

/* The outcome of the decision whose counter is @decision. */
static inline struct fwa_span bench_outcome(struct bench_records *b, uint64_t decision)
{
	fwa_put_le64(b->outcome + BENCH_OUTCOME_DECISION, decision);
	return fwa_span(b->outcome, b->outcome_len);
}
