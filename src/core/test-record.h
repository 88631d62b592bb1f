/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests: any body as a record of any kind, and back.
 */
#pragma once

#include "core/record.h"
#include "wire/cxl.h"

/* The kinds whose bodies core knows. */
static const uint8_t record_kinds[] = {
	FWA_RECORD_START,      FWA_RECORD_RETIRED, FWA_RECORD_CLOCK,      FWA_RECORD_SOURCE,
	FWA_RECORD_SOURCE_END, FWA_RECORD_OBJECT,  FWA_RECORD_DECISION,   FWA_RECORD_OUTCOME,
	FWA_RECORD_CONTEXT,    FWA_RECORD_CONTROL, FWA_RECORD_UNRECORDED,
};

#define RECORD_AGAIN(name)                                    \
	{                                                     \
		struct fwa_record_##name r;                   \
                                                              \
		if (fwa_record_##name##_decode(body, &r) < 0) \
			return false;                         \
		fwa_record_##name##_encode(w, &r);            \
		return true;                                  \
	}

/* Reads @body and writes it again. False when it is none; @w is untouched then. */
static inline bool record_again(unsigned int kind, struct fwa_span body, struct fwa_writer *w)
{
	switch (kind) {
	case FWA_RECORD_START:
		RECORD_AGAIN(start)
	case FWA_RECORD_RETIRED:
		RECORD_AGAIN(retired)
	case FWA_RECORD_CLOCK:
		RECORD_AGAIN(clock)
	case FWA_RECORD_SOURCE:
		RECORD_AGAIN(source)
	case FWA_RECORD_SOURCE_END:
		RECORD_AGAIN(source_end)
	case FWA_RECORD_OBJECT:
		RECORD_AGAIN(object)
	case FWA_RECORD_DECISION:
		RECORD_AGAIN(decision)
	case FWA_RECORD_OUTCOME:
		RECORD_AGAIN(outcome)
	case FWA_RECORD_CONTEXT:
		RECORD_AGAIN(context)
	case FWA_RECORD_CONTROL:
		RECORD_AGAIN(control)
	case FWA_RECORD_UNRECORDED:
		RECORD_AGAIN(unrecorded)
	default:
		return false;
	}
}

/* What a monitor changes; 40 bytes of payload. */
static inline struct fwa_record_decision record_typical(void)
{
	static const uint8_t two[8] = { 10, 0, 0, 0, 20 }, feature[22] = { 1, 2, 3 };
	struct fwa_record_decision r = {
		.decision = { .reason = FWA_REASON_ADMIT,
			      .set = FWA_SET_CXL,
			      .opcode = CXL_OP_SET_FEATURE },
		.cmd = { .set = FWA_SET_CXL,
			 .scope = FWA_SCOPE_LEAST,
			 .opcode = CXL_OP_SET_FEATURE,
			 .payload = { NULL, 40 } },
		.judged_bytes = { feature, sizeof(feature) },
		.who = { .uid = 1000,
			 .groups = two,
			 .n_groups = 2,
			 .unit = "monitor@pci-0000.service",
			 .comm = "fwadmit-monitor" },
		.grant = "monitors",
	};

	memset(r.request_sha256, 0xa5, FWA_HASH_LEN);
	return r;
}
