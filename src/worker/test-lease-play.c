/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/test-lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"

struct gate gate;

unsigned int admit_timeout(const struct worker *worker, unsigned int ms)
{
	return ms ? ms : 30000;
}

uint64_t worker_now(void)
{
	return 0;
}

void worker_log(const struct worker *worker, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(gate.log, sizeof(gate.log), format, args);
	va_end(args);
}

struct fwa_contract worker_contract(struct worker *worker, const struct session *s, uint64_t now)
{
	assert_null(s);
	return gate.contract;
}

bool admit_begin(struct worker *worker, struct job *j)
{
	j->answer = (struct fwa_reply){ .out_cap = 64, .out = calloc(1, 64) };
	return j->answer.out;
}

void admit_submit(struct job *j)
{
	assert_true(j->cmd.payload.len <= sizeof(gate.payload));
	gate.sent++;
	gate.last = j->cmd;
	if (j->cmd.payload.len)
		memcpy(gate.payload, j->cmd.payload.data, j->cmd.payload.len);
	j->result = gate.result;
	j->answer.code = gate.code;
	j->answer.maybe_sent = gate.result != -EBUSY;
	fwa_put_le32(j->answer.out, gate.page);
	j->answer.out_len = j->cmd.out_len;
}

bool journal_own_decision(struct worker *worker, struct job *j)
{
	gate.recorded++;
	if (gate.full && fwa_admitted(&j->reply.decision))
		j->reply.decision.reason = FWA_REASON_JOURNAL;
	return fwa_admitted(&j->reply.decision);
}

void admit_outcome(struct job *j)
{
	j->reply.device_code = j->answer.code;
	if (j->result < 0)
		j->reply.status = j->answer.maybe_sent ? FWA_OUTCOME_UNKNOWN : FWA_OUTCOME_REFUSED;
	else
		j->reply.status = fwa_status_ok(j->cmd.set, j->answer.code)
					  ? FWA_OUTCOME_COMPLETED
					  : FWA_OUTCOME_DEVICE_ERROR;
}

void admit_end(struct worker *worker, struct job *j)
{
	admit_outcome(j);
	lease_follow(worker, j);
}

void job_free(struct job *j)
{
	free(j->answer.out);
	free(j);
}

void job_own(struct worker *worker, struct job *j)
{
	j->worker = worker;
	if (gate.slow) {
		assert_true(gate.n_pending < 4);
		gate.pending[gate.n_pending++] = j;
		return;
	}
	j->work(j);
	j->done(worker, j);
}

void finish(struct worker *worker)
{
	struct job *j = gate.pending[0];

	assert_true(gate.n_pending);
	gate.n_pending--;
	memmove(gate.pending, gate.pending + 1, gate.n_pending * sizeof(gate.pending[0]));
	j->work(j);
	j->done(worker, j);
}

static int progress(struct fwa_device *dev, uint8_t *ret_percent)
{
	gate.asked++;
	*ret_percent = gate.percent;
	return gate.progress;
}

/* --- one worker, two sessions ------------------------------------------------------------------------ */

const struct fwa_device_ops tells = { .progress = progress }, mute;
const uint8_t uuid[16] = { 1, 2, 3 };

struct worker w;
struct session mine = { .id = 1, .pid = 11, .who.uid = 1000 };
struct session other = { .id = 2, .pid = 12, .who.uid = 1001 };
static struct fwa_device device;
static uint8_t encoded[16384];

void declare(bool nvme)
{
	static const uint16_t cel[][2] = { { 0x0201, 0x0141 },
					   { 0x0502, 0x003f },
					   { 0x4400, 0x0164 } };
	uint8_t log[sizeof(cel)], page[NVME_EFFECTS_LEN] = { 0 },
				  feature[CXL_FEATURE_ENTRY_LEN] = { 0 };
	struct fwa_writer out = fwa_writer(encoded, sizeof(encoded));

	for (size_t i = 0; i < sizeof(cel) / sizeof(cel[0]); i++) {
		fwa_put_le16(log + 4 * i, cel[i][0]);
		fwa_put_le16(log + 4 * i + 2, cel[i][1]);
	}
	memcpy(feature, uuid, sizeof(uuid));
	fwa_put_le16(feature + 18, 64);
	fwa_put_le16(feature + 20, 64);
	fwa_put_le32(feature + 22, CXL_FEATURE_CHANGEABLE);
	fwa_put_le16(feature + 28, CXL_CEL_CONFIG);
	fwa_put_le32(page + 4 * NVME_OP_GET_LOG_PAGE, NVME_EFFECT_CSUPP);
	fwa_profile_begin(&out, nvme ? FWA_FAMILY_NVME : FWA_FAMILY_CXL);
	if (nvme) {
		fwa_profile_add(&out, FWA_RECORD_NVME_EFFECTS, fwa_span(page, sizeof(page)));
	} else {
		fwa_profile_add(&out, FWA_RECORD_CXL_CEL, fwa_span(log, sizeof(log)));
		fwa_profile_add(&out, FWA_RECORD_CXL_FEATURES, fwa_span(feature, sizeof(feature)));
	}
	assert_int_equal(fwa_profile_parse(&w.profile, fwa_span(encoded, out.len)), 0);
}

void begin_with(const struct fwa_device_ops *ops, bool nvme, bool slow)
{
	memset(&gate, 0, sizeof(gate));
	memset(&w, 0, sizeof(w));
	device = (struct fwa_device){ .ops = ops, .is_nvme = nvme };
	w.device = &device;
	w.lanes.n = slow;
	w.name = "test";
	w.listener = 3;
	w.control = -1;
	queue_init(&w.queue);
	fwa_list_init(&w.sessions);
	gate.slow = slow;
	declare(nvme);
}

struct fwa_contract seen_by(const struct session *s)
{
	struct fwa_contract c = { 0 };

	lease_contract(&w, s, &c);
	return c;
}

void effects_came_back(struct session *s, struct fwa_command cmd, fwa_effects effects,
		       unsigned int status, uint32_t code)
{
	struct job j = {
		.worker = &w,
		.session = s,
		.owner = s ? s->id : mine.id,
		.uid = s ? s->who.uid : mine.who.uid,
		.pid = s ? s->pid : mine.pid,
		.cmd = cmd,
		.reply = { .status = (uint8_t)status, .device_code = code },
	};

	j.reply.decision.effects = effects;
	lease_follow(&w, &j);
}

void came_back(struct session *s, struct fwa_command cmd, unsigned int status, uint32_t code)
{
	effects_came_back(s, cmd, cmd.opcode == CXL_OP_SET_FEATURE ? 0 : FWA_EFFECT_BACKGROUND,
			  status, code);
}

struct fwa_command plain(enum fwa_set set, uint16_t opcode)
{
	return (struct fwa_command){ .set = (uint8_t)set, .opcode = opcode };
}

void feature_part(struct session *s, uint8_t part, unsigned int status)
{
	uint8_t payload[FWA_TRANSFER_ABORT_LEN] = { 0 };
	struct fwa_command cmd = plain(FWA_SET_CXL, CXL_OP_SET_FEATURE);

	memcpy(payload, uuid, sizeof(uuid));
	payload[CXL_SET_FEATURE_FLAGS] = part;
	payload[CXL_SET_FEATURE_VERSION] = 9;
	cmd.payload = fwa_span(payload, sizeof(payload));
	came_back(s, cmd, status, status == FWA_OUTCOME_DEVICE_ERROR ? CXL_RC_INTERNAL : 0);
}

void firmware_part(struct session *s, uint8_t action, uint32_t code)
{
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN] = { action, 2 };
	struct fwa_command cmd = plain(FWA_SET_CXL, CXL_OP_TRANSFER_FW);

	cmd.payload = fwa_span(payload, sizeof(payload));
	came_back(s, cmd, FWA_OUTCOME_COMPLETED, code);
}

void sanitize_begins(struct session *s)
{
	came_back(s, plain(FWA_SET_CXL, 0x4400), FWA_OUTCOME_COMPLETED, CXL_RC_BACKGROUND);
}

void time_goes_by(void)
{
	w.leases.feature.touched -= 61000000000u;
	w.leases.firmware.touched -= 61000000000u;
}
