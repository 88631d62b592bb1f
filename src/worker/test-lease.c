/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases without clients or a device: what the worker does around them is played here, and the device
 * answers by script.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "core/status.h"
#include "wire/nvme.h"
#include "worker/lease-own.h"
#include "worker/worker.h"

/* --- the rest of the worker ------------------------------------------------------------------------- */

static struct {
	int result; /* of the next commands of the gate's own */
	uint32_t code;
	uint32_t page; /* what a log page says */
	int progress;  /* what registers say */
	uint8_t percent;
	bool slow;              /* its own jobs stay under way until finish() */
	struct job *pending[4]; /* such jobs, oldest first */
	unsigned int n_pending;
	unsigned int sent, asked;
	struct fwa_command last; /* what was sent; its payload is in @payload */
	uint8_t payload[256];
	struct fwa_contract contract;
	unsigned int recorded; /* decisions on its own commands */
	bool full;             /* none can be */
	char log[256];
} gate;

unsigned int admit_timeout(const struct worker *worker, unsigned int ms)
{
	return ms ? ms : 30000;
}

uint64_t worker_now(void)
{
	return 0;
}

void worker_log(const struct worker *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(gate.log, sizeof(gate.log), format, args);
	va_end(args);
}

struct fwa_contract worker_contract(struct worker *w, const struct session *s, uint64_t now)
{
	assert_null(s);
	return gate.contract;
}

bool admit_begin(struct worker *w, struct job *j)
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

bool journal_own_decision(struct worker *w, struct job *j)
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

void admit_end(struct worker *w, struct job *j)
{
	admit_outcome(j);
	lease_follow(w, j);
}

void job_free(struct job *j)
{
	free(j->answer.out);
	free(j);
}

void job_own(struct worker *w, struct job *j)
{
	j->worker = w;
	if (gate.slow) {
		assert_true(gate.n_pending < 4);
		gate.pending[gate.n_pending++] = j;
		return;
	}
	j->work(j);
	j->done(w, j);
}

static void finish(struct worker *w)
{
	struct job *j = gate.pending[0];

	assert_true(gate.n_pending);
	gate.n_pending--;
	memmove(gate.pending, gate.pending + 1, gate.n_pending * sizeof(gate.pending[0]));
	j->work(j);
	j->done(w, j);
}

static int progress(struct fwa_device *dev, uint8_t *ret_percent)
{
	gate.asked++;
	*ret_percent = gate.percent;
	return gate.progress;
}

/* --- one worker, two sessions ------------------------------------------------------------------------ */

static const struct fwa_device_ops tells = { .progress = progress }, mute;
static const uint8_t uuid[16] = { 1, 2, 3 };

static struct worker w;
static struct fwa_device device;
static struct session mine = { .id = 1, .pid = 11, .who.uid = 1000 };
static struct session other = { .id = 2, .pid = 12, .who.uid = 1001 };
static uint8_t encoded[16384];

static void declare(bool nvme)
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

static void begin_with(const struct fwa_device_ops *ops, bool nvme, bool slow)
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

static struct fwa_contract seen_by(const struct session *s)
{
	struct fwa_contract c = { 0 };

	lease_contract(&w, s, &c);
	return c;
}

/* A client's command with @effects has come back. @s NULL: its client, @mine, is gone. */
static void effects_came_back(struct session *s, struct fwa_command cmd, fwa_effects effects,
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

static void came_back(struct session *s, struct fwa_command cmd, unsigned int status, uint32_t code)
{
	effects_came_back(s, cmd, cmd.opcode == CXL_OP_SET_FEATURE ? 0 : FWA_EFFECT_BACKGROUND,
			  status, code);
}

static struct fwa_command plain(enum fwa_set set, uint16_t opcode)
{
	return (struct fwa_command){ .set = (uint8_t)set, .opcode = opcode };
}

static void feature_part(struct session *s, uint8_t part, unsigned int status)
{
	uint8_t payload[FWA_TRANSFER_ABORT_LEN] = { 0 };
	struct fwa_command cmd = plain(FWA_SET_CXL, CXL_OP_SET_FEATURE);

	memcpy(payload, uuid, sizeof(uuid));
	payload[CXL_SET_FEATURE_FLAGS] = part;
	payload[CXL_SET_FEATURE_VERSION] = 9;
	cmd.payload = fwa_span(payload, sizeof(payload));
	came_back(s, cmd, status, status == FWA_OUTCOME_DEVICE_ERROR ? CXL_RC_INTERNAL : 0);
}

static void firmware_part(struct session *s, uint8_t action, uint32_t code)
{
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN] = { action, 2 };
	struct fwa_command cmd = plain(FWA_SET_CXL, CXL_OP_TRANSFER_FW);

	cmd.payload = fwa_span(payload, sizeof(payload));
	came_back(s, cmd, FWA_OUTCOME_COMPLETED, code);
}

static void sanitize_begins(struct session *s)
{
	came_back(s, plain(FWA_SET_CXL, 0x4400), FWA_OUTCOME_COMPLETED, CXL_RC_BACKGROUND);
}

/* A minute and a second later, as far as transfers know. */
static void time_goes_by(void)
{
	w.leases.feature.touched -= 61000000000u;
	w.leases.firmware.touched -= 61000000000u;
}

/* --- background work ---------------------------------------------------------------------------------- */

static void work_of_a_mute_device_ends_with_its_session(void **state)
{
	begin_with(&mute, false, false);
	sanitize_begins(&mine);
	assert_true(seen_by(&other).leased);
	assert_false(seen_by(&mine).leased);
	assert_int_equal(lease_next(&w), UINT64_MAX);
	lease_leave(&w, &other);
	assert_true(seen_by(&other).leased);
	lease_leave(&w, &mine);
	assert_false(seen_by(&other).leased);
	/* Nor is there a lease when the client went first. */
	sanitize_begins(NULL);
	assert_false(seen_by(&other).leased);
}

static void what_begins_work(void **state)
{
	static const struct {
		enum fwa_set set;
		unsigned int status;
		uint32_t code;
		bool begins;
	} cases[] = {
		{ FWA_SET_CXL, FWA_OUTCOME_COMPLETED, CXL_RC_BACKGROUND, true },
		{ FWA_SET_CXL, FWA_OUTCOME_COMPLETED, CXL_RC_SUCCESS, false },
		{ FWA_SET_CXL, FWA_OUTCOME_UNKNOWN, 0, true },
		{ FWA_SET_CXL, FWA_OUTCOME_DEVICE_ERROR, CXL_RC_BUSY, false },
		{ FWA_SET_CXL, FWA_OUTCOME_REFUSED, 0, false },
		{ FWA_SET_NVME_ADMIN, FWA_OUTCOME_COMPLETED, 0, true },
		{ FWA_SET_NVME_ADMIN, FWA_OUTCOME_UNKNOWN, 0, true },
		{ FWA_SET_NVME_ADMIN, FWA_OUTCOME_DEVICE_ERROR, 0x11d, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_with(&mute, cases[i].set != FWA_SET_CXL, false);
		came_back(&mine, plain(cases[i].set, 0x84), cases[i].status, cases[i].code);
		if (w.leases.work.held != cases[i].begins)
			fail_msg("case %zu", i);
	}
}

/* Only what may run in the background, and no abort, whatever the device answers. */
static void what_begins_no_work(void **state)
{
	const struct fwa_command no_work[] = { plain(FWA_SET_CXL, 0x4400),
					       plain(FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE) };
	struct fwa_command aborts[] = { plain(FWA_SET_CXL, CXL_OP_ABORT_BACKGROUND),
					plain(FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST) };

	aborts[1].cdw[0] = 15;
	for (int i = 0; i < 2; i++)
		for (unsigned int status = 0; status <= FWA_OUTCOME_UNKNOWN; status++) {
			begin_with(&mute, i, false);
			effects_came_back(&mine, no_work[i], FWA_EFFECTS_IMMEDIATE, status,
					  i ? 0 : CXL_RC_BACKGROUND);
			effects_came_back(&mine, aborts[i], FWA_EFFECT_BACKGROUND, status,
					  i ? 0 : CXL_RC_BACKGROUND);
			assert_false(w.leases.work.held);
		}
}

static void registers_say_when_it_is_over(void **state)
{
	begin_with(&tells, false, false);
	sanitize_begins(&mine);
	gate.progress = 1;
	gate.percent = 40;
	lease_leave(&w, &mine);
	assert_true(seen_by(&other).leased);
	assert_int_equal(w.leases.work.percent, 40);
	gate.progress = 0;
	assert_false(seen_by(&other).leased);
	assert_int_equal(gate.sent, 0);
}

static void a_slow_device_is_asked_now_and_then(void **state)
{
	uint64_t first;

	begin_with(&tells, false, true);
	gate.progress = 1;
	sanitize_begins(&mine);
	first = lease_next(&w);
	assert_true(seen_by(&other).leased);
	assert_int_equal(gate.asked, 0); /* not while somebody waits for a verdict */
	lease_run(&w, first);
	assert_int_equal(lease_next(&w), UINT64_MAX); /* not twice at a time */
	lease_run(&w, UINT64_MAX - 1);
	finish(&w);
	assert_int_equal(gate.asked, 1);
	assert_true(lease_next(&w) > first && lease_next(&w) != UINT64_MAX);
	gate.progress = 0;
	lease_run(&w, lease_next(&w));
	finish(&w);
	assert_false(seen_by(&other).leased);
}

static void an_answer_about_work_before_does_not_count(void **state)
{
	begin_with(&tells, false, true);
	sanitize_begins(&mine);
	lease_run(&w, lease_next(&w));
	sanitize_begins(&mine);
	finish(&w); /* over, says the device of the first */
	assert_true(seen_by(&other).leased);
}

static void no_answer_keeps_it_for_its_owner_only(void **state)
{
	begin_with(&tells, false, false);
	gate.progress = -EIO;
	sanitize_begins(&mine);
	for (int i = 0; i < 10; i++)
		assert_true(seen_by(&other).leased);
	gate.progress = 1;
	assert_true(seen_by(&other).leased);
	lease_leave(&w, &mine);
	gate.progress = -EIO;
	assert_true(seen_by(&other).leased);
	assert_true(seen_by(&other).leased);
	assert_false(seen_by(&other).leased);
}

static void nvme_is_asked_by_its_logs(void **state)
{
	begin_with(&mute, true, false);
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST), FWA_OUTCOME_COMPLETED, 0);
	gate.page = 0x3701;
	assert_true(seen_by(&other).leased);
	assert_int_equal(gate.last.opcode, NVME_OP_GET_LOG_PAGE);
	assert_int_equal(gate.last.cdw[0], 0x06);
	assert_int_equal(w.leases.work.percent, 55);
	gate.code = 2; /* an error says nothing */
	gate.page = 0;
	assert_true(seen_by(&other).leased);
	gate.code = 0;
	assert_false(seen_by(&other).leased);
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_SANITIZE), FWA_OUTCOME_COMPLETED, 0);
	gate.page = 0x00028000;
	assert_true(seen_by(&other).leased);
	assert_int_equal(gate.last.cdw[0], 0x8081);
	assert_int_equal(w.leases.work.percent, 50);
	gate.page = 0x00018000;
	assert_false(seen_by(&other).leased);
}

/* A journal that is down makes nobody mute: once it is back the device is asked. */
static void nvme_is_asked_when_that_can_be_recorded(void **state)
{
	for (int full = 0; full < 2; full++) {
		begin_with(&mute, true, false);
		gate.full = full;
		gate.contract.journal = full ? FWA_JOURNAL_OK : FWA_JOURNAL_DOWN;
		came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST),
			  FWA_OUTCOME_COMPLETED, 0);
		assert_true(seen_by(&other).leased);
		assert_false(w.leases.work.mute);
		assert_int_equal(gate.sent, 0);
		assert_int_equal(gate.recorded, 1);
		gate.full = false;
		gate.contract.journal = FWA_JOURNAL_OK;
		gate.page = 0;
		assert_false(seen_by(&other).leased);
		assert_int_equal(gate.sent, 1);
		assert_int_equal(gate.recorded, 2);
	}
}

/* What is not declared is not asked either. */
static void nvme_without_logs_is_mute(void **state)
{
	begin_with(&mute, true, false);
	declare(false);
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST), FWA_OUTCOME_COMPLETED, 0);
	assert_true(seen_by(&other).leased);
	lease_leave(&w, &mine);
	assert_false(seen_by(&other).leased);
	assert_int_equal(gate.sent, 0);
}

static void who_may_abort(void **state)
{
	static const struct session root = { .id = 3 }, same = { .id = 4, .who.uid = 1000 };

	begin_with(&mute, false, false);
	assert_true(seen_by(&mine).not_to_abort);
	assert_false(seen_by(&root).not_to_abort);
	sanitize_begins(&mine);
	assert_false(seen_by(&mine).not_to_abort);
	assert_false(seen_by(&same).not_to_abort);
	assert_true(seen_by(&other).not_to_abort);
	w.listener = -1; /* alone with a device that it opened itself */
	assert_false(seen_by(&other).not_to_abort);
}

/* --- what is left half done ----------------------------------------------------------------------------- */

static void a_feature_is_aborted(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	assert_int_equal(seen_by(&mine).transfer, FWA_TRANSFER_OWN);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_OTHER);
	lease_leave(&w, &other);
	assert_int_equal(gate.sent, 0);
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 1);
	assert_int_equal(gate.last.opcode, CXL_OP_SET_FEATURE);
	assert_memory_equal(gate.payload, uuid, sizeof(uuid));
	assert_int_equal(gate.payload[CXL_SET_FEATURE_FLAGS], CXL_PART_ABORT);
	assert_int_equal(gate.payload[CXL_SET_FEATURE_VERSION], 9);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
	assert_string_equal(gate.log,
			    "uid 1000 left its transfer of a Feature half done; the abort that "
			    "was sent: success");
}

/* Whatever the device says, or does not: it is sent once, and others may try. */
/* One that is in doubt is not in the way of another session's, which is that one's then. */
static void a_feature_is_whose_transfer_runs(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	feature_part(&mine, CXL_PART_CONTINUE, FWA_OUTCOME_DEVICE_ERROR);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
	assert_int_equal(w.leases.feature.by.session, mine.id);
	feature_part(&other, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	assert_int_equal(w.leases.feature.by.session, other.id);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_OWN);
	assert_int_equal(seen_by(&mine).transfer, FWA_TRANSFER_OTHER);
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 0);
	lease_leave_all(&w);
	assert_int_equal(gate.sent, 1);
	assert_int_equal(gate.payload[CXL_SET_FEATURE_FLAGS], CXL_PART_ABORT);
}

static void an_abort_that_fails_is_not_sent_again(void **state)
{
	for (int i = 0; i < 3; i++) {
		begin_with(&mute, false, false);
		gate.code = i == 0 ? CXL_RC_FEATURE_OUT_OF_ORDER : 0;
		gate.result = i == 1 ? -ETIMEDOUT : i == 2 ? -ENODEV : 0;
		feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_UNKNOWN);
		lease_leave(&w, &mine);
		assert_int_equal(gate.sent, 1);
		assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
		assert_int_equal(lease_next(&w), UINT64_MAX);
	}
}

/* A device that is quarantined, or does not declare the command, gets none. */
static void an_abort_is_judged(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	gate.contract.quarantine = FWA_QUARANTINE_GARBAGE;
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 0);
	/* It is not forgotten: once the quarantine is over it is sent. */
	gate.contract.quarantine = FWA_QUARANTINE_NONE;
	lease_run(&w, 0);
	assert_int_equal(gate.sent, 0);
	w.leases.feature.ending.at = 0;
	lease_run(&w, 0);
	assert_int_equal(gate.sent, 1);
	assert_false(w.leases.feature.transfer.left);
	begin_with(&mute, true, false);
	firmware_part(&mine, CXL_FW_INITIATE, 0);
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 0);
	assert_non_null(strstr(gate.log, "the abort is refused: undeclared"));
}

/* Nor is one sent that cannot be recorded, or forgotten for that. */
static void an_abort_is_recorded(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	gate.full = true;
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 0);
	assert_int_equal(gate.recorded, 1);
	assert_true(w.leases.feature.transfer.left);
	gate.full = false;
	w.leases.feature.ending.at = 0;
	lease_run(&w, 0);
	assert_int_equal(gate.sent, 1);
	assert_int_equal(gate.recorded, 2);
	assert_false(w.leases.feature.transfer.left);
}

static void a_busy_device_is_told_again(void **state)
{
	for (int kind = 0; kind < 3; kind++) {
		begin_with(&mute, false, false);
		gate.code = kind == 1 ? CXL_RC_RETRY : CXL_RC_BUSY;
		gate.result = kind == 2 ? -EBUSY : 0;
		firmware_part(&mine, CXL_FW_INITIATE, 0);
		lease_leave(&w, &mine);
		for (unsigned int i = 1; i <= 5; i++) {
			assert_int_equal(gate.sent, i);
			assert_true(seen_by(&other).firmware_leased);
			lease_run(&w, 0); /* not before its time */
			assert_int_equal(gate.sent, i);
			assert_true(lease_next(&w) != UINT64_MAX);
			w.leases.firmware.ending.at = 0;
			lease_run(&w, 0);
		}
		gate.code = gate.result = 0;
		w.leases.firmware.ending.at = 0;
		lease_run(&w, 0);
		assert_false(seen_by(&other).firmware_leased);
		assert_int_equal(gate.last.opcode, CXL_OP_TRANSFER_FW);
		assert_int_equal(gate.payload[0], CXL_FW_ABORT);
	}
}

static void but_not_for_ever(void **state)
{
	begin_with(&mute, false, false);
	gate.code = CXL_RC_BUSY;
	firmware_part(&mine, CXL_FW_INITIATE, 0);
	lease_leave(&w, &mine);
	for (int i = 0; i < 100; i++) {
		w.leases.firmware.ending.at = 0;
		lease_run(&w, 0);
	}
	assert_int_equal(gate.sent, 60);
	assert_false(seen_by(&other).firmware_leased);
}

static void firmware_in_the_background_is_waited_for(void **state)
{
	begin_with(&tells, false, false);
	gate.progress = 1;
	firmware_part(&mine, CXL_FW_INITIATE, CXL_RC_BACKGROUND);
	lease_leave(&w, &mine);
	assert_true(seen_by(&other).firmware_leased && seen_by(&other).leased);
	assert_int_equal(gate.sent, 0);
	gate.progress = 0;
	assert_false(seen_by(&other).leased);
	assert_int_equal(gate.sent, 1);
	assert_false(seen_by(&other).firmware_leased);
}

/* The client went away while its part was with the device. */
static void a_part_that_comes_back_to_nobody(void **state)
{
	begin_with(&mute, false, false);
	feature_part(NULL, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	assert_int_equal(gate.sent, 1);
	feature_part(NULL, CXL_PART_INITIATE, FWA_OUTCOME_DEVICE_ERROR);
	assert_int_equal(gate.sent, 1);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	w.queue.n_running[JOB_CHANGE] = 1;
	lease_leave(&w, &mine);
	assert_int_equal(gate.sent, 1); /* what is with the device may be the last part */
	assert_int_equal(lease_next(&w), UINT64_MAX);
	w.queue.n_running[JOB_CHANGE] = 0;
	feature_part(NULL, CXL_PART_FINISH, FWA_OUTCOME_COMPLETED);
	assert_int_equal(gate.sent, 1);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
}

static void others_wait_for_the_abort(void **state)
{
	begin_with(&mute, false, true);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	feature_part(&mine, CXL_PART_CONTINUE, FWA_OUTCOME_DEVICE_ERROR);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
	lease_leave(&w, &mine);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_OTHER);
	lease_run(&w, UINT64_MAX - 1);
	finish(&w);
	assert_int_equal(gate.sent, 1);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
}

static void firmware_of_nvme_is_just_free(void **state)
{
	begin_with(&mute, true, false);
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD), FWA_OUTCOME_REFUSED, 0);
	assert_false(seen_by(&other).firmware_leased);
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD), FWA_OUTCOME_COMPLETED, 0);
	assert_true(seen_by(&other).firmware_leased);
	assert_false(seen_by(&mine).firmware_leased);
	lease_leave(&w, &mine);
	assert_false(seen_by(&other).firmware_leased);
	came_back(NULL, plain(FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD), FWA_OUTCOME_COMPLETED, 0);
	assert_false(seen_by(&other).firmware_leased);
	assert_int_equal(gate.sent, 0);
}

/* When the worker ends, all sessions do; for some seconds it stays for what is left. */
static void a_feature_that_is_left_alone_is_aborted(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	assert_true(lease_next(&w) != UINT64_MAX);
	time_goes_by();
	feature_part(&mine, CXL_PART_CONTINUE, FWA_OUTCOME_COMPLETED); /* just in time */
	lease_run(&w, UINT64_MAX - 1);
	assert_int_equal(gate.sent, 0);
	assert_int_equal(seen_by(&mine).transfer, FWA_TRANSFER_OWN);
	time_goes_by();
	assert_true(lease_next(&w) < fwa_clock_ns(CLOCK_MONOTONIC));
	lease_run(&w, fwa_clock_ns(CLOCK_MONOTONIC));
	assert_int_equal(gate.sent, 1);
	assert_int_equal(gate.payload[CXL_SET_FEATURE_FLAGS], CXL_PART_ABORT);
	/* Its owner's next part goes on with nothing, and anybody may begin. */
	assert_int_equal(seen_by(&mine).transfer, FWA_TRANSFER_NONE);
	assert_int_equal(seen_by(&other).transfer, FWA_TRANSFER_NONE);
	assert_int_equal(lease_next(&w), UINT64_MAX);
}

static void firmware_that_is_left_alone_is_aborted(void **state)
{
	begin_with(&tells, false, false);
	firmware_part(&mine, CXL_FW_INITIATE, CXL_RC_BACKGROUND);
	gate.progress = 1;
	time_goes_by();
	lease_run(&w, fwa_clock_ns(CLOCK_MONOTONIC));
	assert_true(seen_by(&other).firmware_leased); /* the device works: it cannot take a part */
	gate.progress = 0;
	assert_false(seen_by(&other).leased);
	assert_true(seen_by(&other).firmware_leased); /* from now on it counts */
	assert_int_equal(gate.sent, 0);
	time_goes_by();
	lease_run(&w, fwa_clock_ns(CLOCK_MONOTONIC));
	assert_int_equal(gate.sent, 1);
	assert_int_equal(gate.payload[CXL_TRANSFER_FW_ACTION], CXL_FW_ABORT);
	assert_false(seen_by(&other).firmware_leased);
	assert_false(seen_by(&mine).firmware_leased); /* it may begin anew */
}

static void download(struct session *s)
{
	came_back(s, plain(FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD), FWA_OUTCOME_COMPLETED, 0);
}

/* NVMe has no abort: who was away for too long could go on with another one's image. */
static void a_download_that_is_left_alone_is_lost(void **state)
{
	begin_with(&mute, true, false);
	fwa_list_append(&w.sessions, &mine.link);
	fwa_list_append(&w.sessions, &other.link);
	w.leases.work.held = false;
	download(&mine);
	w.leases.work.held = false; /* this one is in the foreground */
	time_goes_by();
	lease_run(&w, fwa_clock_ns(CLOCK_MONOTONIC));
	assert_int_equal(gate.sent, 0);
	assert_false(seen_by(&other).firmware_leased);
	assert_true(seen_by(&mine).firmware_leased);
	download(&other);
	w.leases.work.held = false;
	lease_leave(&w, &other);
	assert_true(seen_by(&mine).firmware_leased);
	mine.lost_firmware = false;
}

static void idle_is_measured_between_commands(void **state)
{
	begin_with(&mute, false, false);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	time_goes_by();
	w.queue.n_running[JOB_CHANGE] = 1; /* perhaps its next part, with a slow device */
	assert_int_equal(lease_next(&w), UINT64_MAX);
	lease_tend(&w);
	assert_int_equal(gate.sent, 0);
	w.queue.n_running[JOB_CHANGE] = 0;
	w.listener = -1; /* nobody else is there in embedded mode */
	lease_tend(&w);
	assert_int_equal(gate.sent, 0);
	w.listener = 3;
	lease_tend(&w);
	assert_int_equal(gate.sent, 1);
}

static void the_worker_ends(void **state)
{
	begin_with(&mute, false, true);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	assert_false(lease_pending(&w));
	w.ending = true;
	lease_leave_all(&w);
	assert_true(lease_pending(&w));
	w.leases.feature.ending.since -= 6000000000;
	assert_false(lease_pending(&w));
	w.leases.feature.ending.since += 6000000000;
	finish(&w);
	assert_false(lease_pending(&w));
	/* What is with the device now is nobody's when it comes back. */
	firmware_part(&mine, CXL_FW_INITIATE, 0);
	assert_true(lease_pending(&w));
	finish(&w);
	assert_false(lease_pending(&w));
}

static void the_device_is_gone(void **state)
{
	begin_with(&tells, false, false);
	gate.progress = -ENODEV;
	sanitize_begins(&mine);
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	firmware_part(&mine, CXL_FW_INITIATE, 0);
	w.gone = true;
	lease_leave(&w, &mine);
	lease_run(&w, UINT64_MAX - 1);
	assert_false(w.leases.work.held || w.leases.feature.transfer.left ||
		     w.leases.firmware.transfer.running);
	assert_int_equal(gate.sent, 0);
	assert_int_equal(lease_next(&w), UINT64_MAX);
}

/* --- anything -------------------------------------------------------------------------------------------- */

static uint32_t dice(uint32_t n)
{
	static uint64_t x = 42;

	x = x * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(x >> 33) % n;
}

static void anything(void)
{
	static const int results[] = { 0, 0, 0, -EBUSY, -ETIMEDOUT };
	static const uint32_t codes[] = { 0, 1, CXL_RC_BUSY, CXL_RC_INVALID_INPUT,
					  CXL_RC_FW_OUT_OF_ORDER };
	struct session *s = dice(4) == 0 ? NULL : dice(2) ? &mine : &other;

	gate.result = results[dice(5)];
	gate.code = codes[dice(5)];
	gate.progress = (int)dice(3) - 1;
	w.queue.n_running[JOB_CHANGE] = dice(8) == 0;
	switch (dice(7)) {
	case 0:
		sanitize_begins(s);
		return;
	case 1:
		feature_part(s, (uint8_t)(1 + dice(4)), 1 + dice(2) * 3);
		return;
	case 2:
		firmware_part(s, (uint8_t)dice(5), dice(2));
		return;
	case 3:
		if (s)
			lease_leave(&w, s);
		return;
	case 4:
		if (gate.n_pending)
			finish(&w);
		return;
	case 5:
		seen_by(dice(2) ? &mine : &other);
		return;
	default:
		lease_run(&w, UINT64_MAX - 1);
	}
}

/* The loop never spins: what is done now is not due again at once. And when all are gone, so is all they held. */
static void whatever_happens(void **state)
{
	for (int round = 0; round < 2000; round++) {
		begin_with(dice(2) ? &tells : &mute, false, dice(2));
		for (int i = 0; i < 40; i++) {
			uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);

			anything();
			if (dice(8) == 0)
				time_goes_by();
			lease_run(&w, now);
			assert_true(lease_next(&w) > now);
		}
		lease_leave(&w, &mine);
		lease_leave(&w, &other);
		w.queue.n_running[JOB_CHANGE] = 0;
		gate.result = gate.code = gate.progress = 0;
		for (int i = 0; i < 5; i++) {
			w.leases.feature.ending.at = w.leases.firmware.ending.at = 0;
			lease_run(&w, UINT64_MAX - 1);
			while (gate.n_pending)
				finish(&w);
		}
		assert_false(w.leases.work.held || w.leases.feature.transfer.left ||
			     w.leases.firmware.transfer.running);
		assert_int_equal(lease_next(&w), UINT64_MAX);
	}
}

/* --- what is told ---------------------------------------------------------------------------------------- */

static int control[2];

static void connect_control(void)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	w.control = control[0];
}

/* The next message, "" when there is none. */
static const char *told(void)
{
	static char text[FWA_CONTROL_TEXT_MAX + 5];
	ssize_t n;

	memset(text, 0, sizeof(text));
	n = recv(control[1], text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n < 4)
		return "";
	assert_int_equal(text[0], FWA_CONTROL_STATE);
	return text + 4;
}

static void state_is_told_when_it_changes(void **state)
{
	begin_with(&tells, false, false);
	connect_control();
	w.n_sessions = 2;
	assert_int_equal(state_next(&w), UINT64_MAX);
	state_changed(&w);
	state_run(&w, 7);
	assert_string_equal(told(), "sessions=2\nqueued=0\ndrift=0\n");
	assert_int_equal(state_next(&w), UINT64_MAX);
	state_changed(&w);
	assert_int_equal(state_next(&w), 1000000007);
	state_run(&w, 1000000007); /* the same */
	assert_string_equal(told(), "");
	sanitize_begins(&mine);
	w.leases.work.by.since = 5000000000;
	gate.progress = 1;
	gate.percent = 77;
	seen_by(&other);
	state_run(&w, 2000000007);
	assert_string_equal(told(),
			    "sessions=2\nqueued=0\ndrift=0\nlease_kind=background\nlease_uid=1000\n"
			    "lease_pid=11\nlease_command=cxl 4400h sanitize\n"
			    "lease_percent=77\nlease_since=5\n");
	lease_leave(&w, &mine);
	state_run(&w, 3000000007);
	assert_null(strstr(told(), "lease_pid"));
	gate.progress = 0;
	seen_by(&other);
	state_run(&w, 4000000007);
	assert_string_equal(told(), "sessions=2\nqueued=0\ndrift=0\n");
	close(control[0]);
	close(control[1]);
}

static void kinds_and_commands_are_told(void **state)
{
	begin_with(&mute, false, false);
	connect_control();
	feature_part(&mine, CXL_PART_INITIATE, FWA_OUTCOME_COMPLETED);
	state_run(&w, 0);
	assert_non_null(strstr(told(), "lease_kind=feature-transfer\nlease_uid=1000\nlease_pid=11\n"
				       "lease_command=cxl 0502h set-feature\nlease_since="));
	firmware_part(&other, CXL_FW_INITIATE, 0);
	state_run(&w, 0);
	assert_non_null(strstr(told(), "lease_kind=firmware-transfer\nlease_uid=1001\n"));
	came_back(&mine, plain(FWA_SET_CXL, 0xc0de), FWA_OUTCOME_COMPLETED, CXL_RC_BACKGROUND);
	state_run(&w, 0);
	assert_non_null(strstr(told(), "lease_command=cxl c0deh\nlease_since="));
	came_back(&mine, plain(FWA_SET_NVME_ADMIN, 0x14), FWA_OUTCOME_COMPLETED, 0);
	state_run(&w, 0);
	assert_non_null(strstr(told(), "lease_command=nvme-admin 14h dev-self-test\n"));
	close(control[0]);
	close(control[1]);
}

static void who_does_not_read_is_not_waited_for(void **state)
{
	unsigned int n = 0;

	begin_with(&mute, false, false);
	connect_control();
	for (unsigned int i = 1; i < 5000; i++) {
		w.n_sessions = i;
		state_changed(&w);
		state_run(&w, i);
	}
	assert_true(state_next(&w) != UINT64_MAX); /* it is tried again */
	while (told()[0])
		n++;
	assert_true(n > 0 && n < 4999);
	state_run(&w, 5000);
	assert_string_equal(told(), "sessions=4999\nqueued=0\ndrift=0\n");
	w.listener = -1; /* in embedded mode nobody wants to know */
	state_changed(&w);
	assert_int_equal(state_next(&w), UINT64_MAX);
	close(control[0]);
	close(control[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_of_a_mute_device_ends_with_its_session),
		cmocka_unit_test(what_begins_work),
		cmocka_unit_test(what_begins_no_work),
		cmocka_unit_test(registers_say_when_it_is_over),
		cmocka_unit_test(a_slow_device_is_asked_now_and_then),
		cmocka_unit_test(an_answer_about_work_before_does_not_count),
		cmocka_unit_test(no_answer_keeps_it_for_its_owner_only),
		cmocka_unit_test(nvme_is_asked_by_its_logs),
		cmocka_unit_test(nvme_is_asked_when_that_can_be_recorded),
		cmocka_unit_test(nvme_without_logs_is_mute),
		cmocka_unit_test(who_may_abort),
		cmocka_unit_test(a_feature_is_aborted),
		cmocka_unit_test(a_feature_is_whose_transfer_runs),
		cmocka_unit_test(an_abort_that_fails_is_not_sent_again),
		cmocka_unit_test(an_abort_is_judged),
		cmocka_unit_test(an_abort_is_recorded),
		cmocka_unit_test(a_busy_device_is_told_again),
		cmocka_unit_test(but_not_for_ever),
		cmocka_unit_test(firmware_in_the_background_is_waited_for),
		cmocka_unit_test(a_part_that_comes_back_to_nobody),
		cmocka_unit_test(others_wait_for_the_abort),
		cmocka_unit_test(firmware_of_nvme_is_just_free),
		cmocka_unit_test(a_feature_that_is_left_alone_is_aborted),
		cmocka_unit_test(firmware_that_is_left_alone_is_aborted),
		cmocka_unit_test(a_download_that_is_left_alone_is_lost),
		cmocka_unit_test(idle_is_measured_between_commands),
		cmocka_unit_test(the_worker_ends),
		cmocka_unit_test(the_device_is_gone),
		cmocka_unit_test(whatever_happens),
		cmocka_unit_test(state_is_told_when_it_changes),
		cmocka_unit_test(kinds_and_commands_are_told),
		cmocka_unit_test(who_does_not_read_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
