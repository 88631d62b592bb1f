/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sources write besides decisions, and whether it is what it has to be.
 */
#include "core/record.h"

#include "core/record-text.h"

/* --- outcomes --------------------------------------------------------------------------------- */

void fwa_record_outcome_encode(struct fwa_writer *w, const struct fwa_record_outcome *r)
{
	fwa_write_le64(w, r->decision);
	fwa_write_le64(w, r->duration_ns);
	fwa_write_le32(w, r->device_code);
	fwa_write_le32(w, r->device_result);
	fwa_write_le32(w, (uint32_t)r->transport_errno);
	fwa_write_le32(w, r->out_len);
	fwa_write_le32(w, r->status);
	if (!fwa_record_is_zero(r->response_sha256, FWA_HASH_LEN))
		fwa_write_bytes(w, r->response_sha256, FWA_HASH_LEN);
}

int fwa_record_outcome_decode(struct fwa_span body, struct fwa_record_outcome *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_outcome r = { 0 };
	uint32_t error, status;

	r.decision = fwa_read_le64(&m);
	r.duration_ns = fwa_read_le64(&m);
	r.device_code = fwa_read_le32(&m);
	r.device_result = fwa_read_le32(&m);
	error = fwa_read_le32(&m);
	r.out_len = fwa_read_le32(&m);
	status = fwa_read_le32(&m);
	if (m.bad || !r.decision || error > INT32_MAX || status >= FWA_OUTCOME_COUNT)
		return -1;
	r.transport_errno = (int32_t)error;
	r.status = (uint8_t)status;
	if (m.left) {
		fwa_record_read_bytes(&m, r.response_sha256, FWA_HASH_LEN);
		if (fwa_record_is_zero(r.response_sha256, FWA_HASH_LEN))
			return -1;
	}
	if (!fwa_record_at_end(&m))
		return -1;
	*ret = r;
	return 0;
}

/* --- context ---------------------------------------------------------------------------------- */

/* Vendor, model, serial and firmware of what a worker decides on; or nobody knows. */
static bool is_identity(const char *text, size_t len)
{
	unsigned int tabs = 0;

	for (size_t i = 0; i < len; i++)
		tabs += text[i] == '\t';
	return !len || tabs == 3;
}

void fwa_record_context_encode(struct fwa_writer *w, const struct fwa_record_context *r)
{
	size_t len = fwa_record_text_len(r->identity, sizeof(r->identity));

	if (!is_identity(r->identity, len))
		len = 0;
	fwa_write_bytes(w, r->profile_sha256, FWA_HASH_LEN);
	fwa_write_bytes(w, r->policy_digest, FWA_HASH_LEN);
	fwa_write_le16(w, (uint16_t)len);
	fwa_record_write_text(w, r->identity, len, true);
}

int fwa_record_context_decode(struct fwa_span body, struct fwa_record_context *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_context r = { 0 };
	uint16_t len;

	fwa_record_read_bytes(&m, r.profile_sha256, FWA_HASH_LEN);
	fwa_record_read_bytes(&m, r.policy_digest, FWA_HASH_LEN);
	len = fwa_read_le16(&m);
	if (!fwa_record_read_text(&m, len, r.identity, sizeof(r.identity), true) ||
	    !is_identity(r.identity, len) || !fwa_record_at_end(&m))
		return -1;
	*ret = r;
	return 0;
}

/* --- control ---------------------------------------------------------------------------------- */

void fwa_record_control_encode(struct fwa_writer *w, const struct fwa_record_control *r)
{
	size_t device = fwa_record_text_len(r->device, sizeof(r->device));
	size_t text = fwa_record_text_len(r->text, sizeof(r->text));

	fwa_write_le32(w, r->uid);
	fwa_write_le32(w, r->pid);
	fwa_write_le16(w, r->act);
	fwa_write_le16(w, (uint16_t)device);
	fwa_write_le16(w, (uint16_t)text);
	fwa_record_write_text(w, r->device, device, false);
	fwa_record_write_text(w, r->text, text, false);
}

int fwa_record_control_decode(struct fwa_span body, struct fwa_record_control *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_control r = { 0 };
	uint16_t device, text;

	r.uid = fwa_read_le32(&m);
	r.pid = fwa_read_le32(&m);
	r.act = fwa_read_le16(&m);
	device = fwa_read_le16(&m);
	text = fwa_read_le16(&m);
	if (!fwa_control_act_name(r.act) ||
	    !fwa_record_read_text(&m, device, r.device, sizeof(r.device), false) ||
	    !fwa_record_read_text(&m, text, r.text, sizeof(r.text), false) ||
	    !fwa_record_at_end(&m))
		return -1;
	*ret = r;
	return 0;
}

/* --- what could not be recorded --------------------------------------------------------------- */

void fwa_record_unrecorded_encode(struct fwa_writer *w, const struct fwa_record_unrecorded *r)
{
	fwa_write_le64(w, r->refused);
	fwa_write_le64(w, r->passed);
	fwa_write_le64(w, r->since);
	fwa_write_le64(w, r->until);
}

int fwa_record_unrecorded_decode(struct fwa_span body, struct fwa_record_unrecorded *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_unrecorded r;

	r.refused = fwa_read_le64(&m);
	r.passed = fwa_read_le64(&m);
	r.since = fwa_read_le64(&m);
	r.until = fwa_read_le64(&m);
	if (!fwa_record_at_end(&m) || r.since > r.until)
		return -1;
	*ret = r;
	return 0;
}

/* --- any record of a source's ----------------------------------------------------------------- */

static bool check_outcome(struct fwa_span body, uint64_t *ret_closes)
{
	struct fwa_record_outcome r;

	if (fwa_record_outcome_decode(body, &r) < 0)
		return false;
	*ret_closes = r.decision;
	return true;
}

static bool check_context(struct fwa_span body)
{
	struct fwa_record_context r;

	return fwa_record_context_decode(body, &r) == 0;
}

static bool check_control(struct fwa_span body)
{
	struct fwa_record_control r;

	return fwa_record_control_decode(body, &r) == 0;
}

static bool check_unrecorded(struct fwa_span body)
{
	struct fwa_record_unrecorded r;

	return fwa_record_unrecorded_decode(body, &r) == 0;
}

/*= spec/SECURITY-MODEL.md#C31 */
bool fwa_record_check(unsigned int kind, struct fwa_span body, bool *ret_admitted,
		      uint64_t *ret_closes)
{
	*ret_admitted = false;
	*ret_closes = 0;
	switch (kind) {
	case FWA_RECORD_DECISION:
		return fwa_record_decision_check(body, ret_admitted);
	case FWA_RECORD_OUTCOME:
		return check_outcome(body, ret_closes);
	case FWA_RECORD_CONTEXT:
		return check_context(body);
	case FWA_RECORD_CONTROL:
		return check_control(body);
	case FWA_RECORD_UNRECORDED:
		return check_unrecorded(body);
	default:
		return false;
	}
}

/* --- names ------------------------------------------------------------------------------------ */

const char *fwa_record_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[FWA_RECORD_START] = "start",     [FWA_RECORD_CHECKPOINT] = "checkpoint",
		[FWA_RECORD_RETIRED] = "retired", [FWA_RECORD_CLOCK] = "clock",
		[FWA_RECORD_SOURCE] = "source",   [FWA_RECORD_SOURCE_END] = "source-end",
		[FWA_RECORD_OBJECT] = "object",   [FWA_RECORD_DECISION] = "decision",
		[FWA_RECORD_OUTCOME] = "outcome", [FWA_RECORD_CONTEXT] = "context",
		[FWA_RECORD_CONTROL] = "control", [FWA_RECORD_UNRECORDED] = "unrecorded",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

const char *fwa_control_act_name(unsigned int act)
{
	static const char *const names[FWA_ACT_COUNT] = {
		[FWA_ACT_DAEMON_START] = "daemon-start",
		[FWA_ACT_DAEMON_STOP] = "daemon-stop",
		[FWA_ACT_POLICY_RELOADED] = "policy-reloaded",
		[FWA_ACT_POLICY_REFUSED] = "policy-refused",
		[FWA_ACT_GRANT_CREATED] = "grant-created",
		[FWA_ACT_GRANT_REVOKED] = "grant-revoked",
		[FWA_ACT_GRANT_ENDED] = "grant-ended",
		[FWA_ACT_QUARANTINED] = "quarantined",
		[FWA_ACT_RELEASED] = "released",
		[FWA_ACT_BASELINE_ACCEPTED] = "baseline-accepted",
		[FWA_ACT_REPROFILED] = "reprofiled",
		[FWA_ACT_DRIFTED] = "drifted",
		[FWA_ACT_DEVICE_ADDED] = "device-added",
		[FWA_ACT_DEVICE_REMOVED] = "device-removed",
		[FWA_ACT_ADVISORY_IMPORTED] = "advisory-imported",
		[FWA_ACT_ADVISORY_REMOVED] = "advisory-removed",
		[FWA_ACT_ADVISORY_ENDED] = "advisory-ended",
	};

	return act < FWA_ACT_COUNT ? names[act] : NULL;
}
