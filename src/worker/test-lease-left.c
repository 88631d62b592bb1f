/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left half done: transfers that nobody goes on with are aborted, once, as soon as that can be.
 */
#include "worker/test-lease.h"

#include <errno.h>

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

/* Whatever the device says, or does not: it is sent once, and others may try. */
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

/* When the worker ends, all sessions do; for some seconds it stays for what is left. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
