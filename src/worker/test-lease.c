/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of background work, who may abort it, and anything in any order.
 */
#include "worker/test-lease.h"

#include <errno.h>

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
		cmocka_unit_test(whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
