/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind and any bytes as its body. What is taken is the same bytes again when it is written, the
 * journal takes it exactly when it can be read, and a decision can be judged again whatever it says:
 * only the bytes that it records are looked at.
 */
#include <stdlib.h>

#include "base/pattern.h"
#include "core/test-record.h"
#include "fuzz/fuzz.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static uint8_t encoded[1 << 16];
static struct fwa_profile profile;

/* A device that declares all that the model names, a log and a Feature. */
static void make_device(void)
{
	static const uint8_t limits[8] = { 0, 2, 0, 0, 0, 2, 0, 0 };
	static uint8_t cel[4096], log[CXL_LOGS_ENTRY_LEN], feature[CXL_FEATURE_ENTRY_LEN],
		nvme[NVME_EFFECTS_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded)),
			  c = fwa_writer(cel, sizeof(cel));
	const struct fwa_model_command *row;

	for (size_t i = 0; (row = fwa_model_row(FWA_SET_CXL, i)); i++) {
		fwa_write_le16(&c, row->opcode);
		fwa_write_le16(&c, 0);
	}
	for (size_t at = 0; at < sizeof(nvme); at += 4)
		fwa_put_le32(nvme + at, 1);
	memcpy(log, CXL_UUID_CEL, sizeof(CXL_UUID_CEL));
	fwa_put_le32(log + 16, 0x200);
	fwa_put_le32(feature + 18, 0x00400040);
	feature[22] = CXL_FEATURE_CHANGEABLE;
	feature[28] = CXL_CEL_CONFIG;
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, c.len));
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(feature, sizeof(feature)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(nvme, sizeof(nvme)));
	if (fwa_profile_parse(&profile, fwa_span(encoded, w.len)) < 0)
		abort();
}

static void again(struct fwa_span body)
{
	static const struct fwa_policy none;
	struct fwa_record_decision r;
	struct fwa_decision d;
	const char *why;

	if (fwa_record_decision_decode(body, &r) < 0)
		return;
	if (!profile.family)
		make_device();
	memset(r.policy_digest, 0, sizeof(r.policy_digest));
	if (fwa_record_replay(&r, &profile, &none, &profile, fwa_pattern_matches, &d, &why) &&
	    (why || d.reason != r.decision.reason || d.effects != r.decision.effects))
		abort();
	if (why && d.reason != FWA_REASON_MALFORMED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t twice[FWA_RECORD_BODY_MAX];
	struct fwa_writer w = fwa_writer(twice, sizeof(twice));
	struct fwa_span body;
	uint64_t closes;
	bool admitted, is_one;

	if (!size)
		return 0;
	body = fwa_span(data + 1, size - 1);
	is_one = record_again(data[0], body, &w);
	if (is_one && (w.full || w.len != body.len || memcmp(twice, body.data, body.len)))
		abort();
	if (fwa_record_check(data[0], body, &admitted, &closes) !=
	    (is_one && data[0] >= FWA_RECORD_DECISION))
		abort();
	if (data[0] == FWA_RECORD_DECISION)
		again(body);
	return 0;
}
