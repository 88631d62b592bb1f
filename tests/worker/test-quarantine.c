/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a worker quarantines its device, and what it says of one that goes away.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "started.h"

static void changed_identity(void **state)
{
	struct started s = start_with("sim:honest", "none", -1);

	load_firmware(&s, SERIAL, 0, 0, "2.0.0");
	activate(&s);
	expect(&s, FWA_CONTROL_QUARANTINED, NULL);
	assert_int_equal(strncmp(s.text, "identity-changed: ", 18), 0);
	expect_profile(&s);
	assert_string_equal(s.who.id.serial, "changed");
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect_reason(&s, HEALTH, FWA_REASON_QUARANTINED, FWA_DETAIL_IDENTITY_CHANGED);
	say(&s, FWA_CONTROL_RELEASE, "", -1);
	while (submit(&s, HEALTH).decision.reason == FWA_REASON_QUARANTINED)
		;
	expect_reason(&s, HEALTH, ADMIT);
	stop(&s);
}

static void by_an_operator(void **state)
{
	static const struct {
		const char *text;
		enum fwa_detail detail;
	} rows[] = {
		{ "", FWA_DETAIL_OPERATOR },
		{ "smells of smoke", FWA_DETAIL_OPERATOR },
		{ "operator: smells of smoke", FWA_DETAIL_OPERATOR },
		{ "garbage", FWA_DETAIL_OPERATOR },
		{ "garbage: x", FWA_DETAIL_GARBAGE },
		{ "time-out: x", FWA_DETAIL_TIME_OUT },
		{ "identity-changed: x", FWA_DETAIL_IDENTITY_CHANGED },
		{ "identity: x", FWA_DETAIL_OPERATOR },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows); i++) {
		struct started s = start("sim:honest");

		expect_profile(&s);
		say(&s, FWA_CONTROL_QUARANTINE, rows[i].text, -1);
		say(&s, FWA_CONTROL_BASELINE, "none", -1);
		expect(&s, FWA_CONTROL_READY, NULL);
		expect_reason(&s, HEALTH, FWA_REASON_QUARANTINED, rows[i].detail);
		expect_reason(&s, VENDOR, FWA_REASON_QUARANTINED, rows[i].detail);
		/* it gets nothing at all, so it is not read until it is released */
		say(&s, FWA_CONTROL_REPROFILE, "", -1);
		assert_false(says_something(&s, 100));
		say(&s, FWA_CONTROL_RELEASE, "", -1);
		expect_profile(&s);
		say(&s, FWA_CONTROL_BASELINE, "none", -1);
		expect_reason(&s, HEALTH, ADMIT);
		stop(&s);
	}
}

/* Who is not patient enough does not quarantine a device; the gate's own limit does. */
static void by_a_time_out(void **state)
{
	struct started s = start_as("sim:hang", 300, NOBODY);
	struct fwa_gate_reply r;

	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect(&s, FWA_CONTROL_READY, NULL);
	for (int i = 0; i < 3; i++) {
		r = submit_for(&s, HEALTH, fwa_span(NULL, 0), 20);
		assert_int_equal(r.decision.reason, FWA_REASON_ADMIT);
		assert_int_equal(r.transport_errno, ETIMEDOUT);
	}
	assert_false(says_something(&s, 0));
	r = submit(&s, HEALTH);
	assert_int_equal(r.transport_errno, ETIMEDOUT);
	expect(&s, FWA_CONTROL_QUARANTINED, NULL);
	assert_int_equal(strncmp(s.text, "time-out: ", 10), 0);
	expect_reason(&s, SET_LSA, FWA_REASON_QUARANTINED, FWA_DETAIL_TIME_OUT);
	stop(&s);
}

/* An answer that makes no sense is the last that the device is asked for. */
static void by_garbage(void **state)
{
	for (unsigned int seed = 0; seed < 8; seed++) {
		struct fwa_gate_reply r = { 0 };
		struct started s;
		char spec[64];

		snprintf(spec, sizeof(spec), "sim:rotting,seed=%u", seed);
		s = start_with(spec, "none", -1);
		for (int i = 0; i < 200 && r.transport_errno != EPROTO; i++) {
			assert_false(says_something(&s, 0));
			r = submit(&s, HEALTH);
			assert_int_equal(r.decision.reason, FWA_REASON_ADMIT);
		}
		assert_int_equal(r.status, FWA_OUTCOME_UNKNOWN);
		expect(&s, FWA_CONTROL_QUARANTINED, NULL);
		assert_string_equal(s.text, "garbage: its answer to cxl 4200h makes no sense");
		expect_reason(&s, HEALTH, FWA_REASON_QUARANTINED, FWA_DETAIL_GARBAGE);
		stop(&s);
	}
}

/* Read again, it declares what it declares then: nothing, mostly. It is no reason to trust it more. */
static void read_again_as_garbage(void **state)
{
	for (unsigned int seed = 0; seed < 8; seed++) {
		struct started s;
		char spec[64];

		snprintf(spec, sizeof(spec), "sim:rotting,seed=%u", seed);
		s = start_with(spec, "none", -1);
		for (int i = 0; i < 4; i++) {
			uint16_t kind;
			int fd;

			say(&s, FWA_CONTROL_REPROFILE, "", -1);
			assert_true(says_something(&s, PATIENCE_MS));
			assert_int_equal(fwa_control_recv(s.control, &kind, s.text, &fd), 0);
			fwa_close(fd);
			if (kind == FWA_CONTROL_QUARANTINED)
				break;
			assert_int_equal(kind, FWA_CONTROL_IDENTITY);
			expect(&s, FWA_CONTROL_DECLARATIONS, &s.declarations_fd);
			say(&s, FWA_CONTROL_BASELINE, "none", -1);
		}
		assert_int_not_equal(submit(&s, VENDOR).decision.reason, FWA_REASON_ADMIT);
		stop(&s);
	}
}

/* It disappears while it is read again. */
static void gone(void **state)
{
	struct started s = start_with("sim:gone,after=3", "none", -1);

	say(&s, FWA_CONTROL_REPROFILE, "", -1);
	expect(&s, FWA_CONTROL_GONE, NULL);
	assert_int_equal(submit(&s, HEALTH).error, FWA_GATE_E_GONE);
	stop(&s);
}

/* The device was pulled out: who asked nothing hears it once, at his next request at the latest. */
static void unplugged(void **state)
{
	struct started s = start_with("sim:honest", "none", -1);
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = HEALTH, .scope = FWA_SCOPE_LEAST };
	struct fwa_gate_reply reply;
	struct fwa_description d;
	struct fwa_span data;
	uint16_t kind;
	int fd;

	assert_int_equal(submit(&s, HEALTH).status, FWA_OUTCOME_COMPLETED);
	say(&s, FWA_CONTROL_REMOVED, "", -1);
	do { /* until it has ended */
		assert_true(says_something(&s, PATIENCE_MS));
	} while (fwa_control_recv(s.control, &kind, s.text, &fd) == 0);
	assert_int_equal(submit(&s, HEALTH).error, FWA_GATE_E_GONE);
	assert_true(fwa_client_submit(s.client, &cmd, 0, &reply, &data) < 0);
	assert_true(fwa_client_describe(s.client, &d) < 0);
	stop(&s);
}

/* What a client is told of @opcode, which is under way when the device is pulled out. */
static struct fwa_gate_reply unplugged_during(uint16_t opcode)
{
	struct started s = start_with("sim:honest,delay-ms=300", "none", -1);
	struct fwa_gate_reply *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct fwa_gate_reply reply;
	int status;
	pid_t child;

	assert_true(told != MAP_FAILED);
	child = fork();
	if (child == 0) {
		*told = submit(&s, opcode);
		_exit(0);
	}
	usleep(100000);
	say(&s, FWA_CONTROL_REMOVED, "", -1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	reply = *told;
	munmap(told, sizeof(*told));
	stop(&s);
	return reply;
}

/* A change has its own outcome, whatever happens meanwhile (C27); a read is not waited for. */
static void unplugged_at_work(void **state)
{
	struct fwa_gate_reply reply = unplugged_during(SET_LSA);

	assert_int_equal(reply.error, FWA_GATE_OK);
	assert_int_equal(reply.status, FWA_OUTCOME_COMPLETED);
	assert_int_equal(unplugged_during(HEALTH).error, FWA_GATE_E_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_identity),
		cmocka_unit_test(by_an_operator),
		cmocka_unit_test(by_a_time_out),
		cmocka_unit_test(by_garbage),
		cmocka_unit_test(read_again_as_garbage),
		cmocka_unit_test(gone),
		cmocka_unit_test(unplugged),
		cmocka_unit_test(unplugged_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
