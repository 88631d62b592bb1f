/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of leases, to whom it concerns.
 */
#include "worker/test-lease.h"

#include <sys/socket.h>
#include <unistd.h>

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
		cmocka_unit_test(state_is_told_when_it_changes),
		cmocka_unit_test(kinds_and_commands_are_told),
		cmocka_unit_test(who_does_not_read_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
