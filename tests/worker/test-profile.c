/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker says of its device, what it holds callers to, and when it reads the device again.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/util.h"
#include "core/drift.h"
#include "started.h"

/* What a device declares, for another one. */
static int baseline_of(const char *spec)
{
	struct started s = start_with(spec, "none", -1);
	int fd = fwa_steal_fd(&s.declarations_fd);

	stop(&s);
	return fd;
}

/* Nothing is judged, and no READY is said, before BASELINE has come. */
static void waits_for_its_baseline(void **state)
{
	struct started s = start("sim:honest");
	struct fwa_description d;
	struct fwa_profile *p = malloc(sizeof(*p));
	uint8_t *bytes = NULL;
	ssize_t len;

	expect_profile(&s);
	assert_string_equal(s.who.family, "sim");
	assert_string_equal(s.who.id.firmware, "1.0.0");
	len = fwa_memfd_size(s.declarations_fd, FWA_DECLARATIONS_MAX);
	assert_true(len > 0);
	assert_int_equal(fwa_memfd_copy(s.declarations_fd, (size_t)len, &bytes), 0);
	assert_int_equal(fwa_profile_parse(p, fwa_span(bytes, (size_t)len)), 0);
	assert_int_equal(fwa_profile_count(p), s.who.commands);
	assert_string_equal(p->id.serial, "");
	free(bytes);
	free(p);
	fwa_client_set_timeout(s.client, 300);
	assert_true(fwa_client_describe(s.client, &d) < 0);
	assert_false(says_something(&s, 0));
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect(&s, FWA_CONTROL_READY, NULL);
	stop(&s);
}

/* Each kind of difference, by who asks and by what is said of the baseline. */
static void drift(void **state)
{
	static const struct {
		const char *spec;
		uint16_t opcode;
		enum fwa_reason reason;
		enum fwa_detail detail;
	} rows[] = {
		{ "sim:honest", SET_LSA, ADMIT },
		{ "sim:honest,serial=7", SET_LSA, ADMIT },
		{ "sim:honest,declare=0x41030002", SET_LSA, FWA_REASON_DRIFT,
		  FWA_DETAIL_LOST_EFFECT },
		{ "sim:honest,declare=0x41030002", HEALTH, ADMIT },
		{ "sim:honest,declare=0x4103000e", SET_LSA, ADMIT },
		{ "sim:honest,declare=0x4103000a", SET_LSA, FWA_REASON_DRIFT,
		  FWA_DETAIL_LOST_EFFECT },
		{ "sim:honest,declare=0xc0de0000", VENDOR, FWA_REASON_DRIFT, FWA_DETAIL_APPEARED },
		{ "sim:honest,declare=0xc0de0000", SET_LSA, ADMIT },
		{ "sim:honest,undeclare=0x4200", HEALTH, FWA_REASON_UNDECLARED,
		  FWA_DETAIL_NOT_LISTED },
		{ "sim:honest,undeclare=0x4200", SET_LSA, ADMIT },
	};
	static const char *const sources[] = { "seen", "accepted", "pinned" };
	fwa_auto_close int fd = baseline_of("sim:honest");

	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows); i++) {
		struct started s = start_with(rows[i].spec, sources[i % 3], fd);

		expect_reason(&s, rows[i].opcode, rows[i].reason, rows[i].detail);
		stop(&s);
	}
}

static void root_is_not_held(void **state)
{
	fwa_auto_close int fd = baseline_of("sim:honest");
	struct started s;

	if (geteuid())
		skip();
	for (int i = 0; i < 2; i++) {
		s = start_as("sim:honest,declare=0x41030002", 0, 0);
		expect_profile(&s);
		say(&s, FWA_CONTROL_BASELINE, i ? "required" : "seen", i ? -1 : fd);
		expect(&s, FWA_CONTROL_READY, NULL);
		expect_reason(&s, SET_LSA, ADMIT);
		stop(&s);
	}
}

/* The caller is told what it is held to, so that it can come to the same verdict. */
static void description(void **state)
{
	static const struct {
		const char *spec, *source;
		uint32_t baseline;
	} rows[] = { { "sim:honest", "none", FWA_BASELINE_NONE },
		     { "sim:honest", "seen", FWA_BASELINE_SAME },
		     { "sim:honest,declare=0x41030002", "seen", FWA_BASELINE_DIFFERS },
		     { "sim:honest", "required", FWA_BASELINE_MISSING } };
	fwa_auto_close int fd = baseline_of("sim:honest");

	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows); i++) {
		bool seen = strcmp(rows[i].source, "seen") == 0;
		struct started s = start_with(rows[i].spec, rows[i].source, seen ? fd : -1);
		struct fwa_description d;

		assert_int_equal(fwa_client_describe(s.client, &d), 0);
		assert_int_equal(d.baseline, rows[i].baseline);
		assert_true(d.drift_binds);
		assert_int_equal(d.accepted.len != 0, d.baseline == FWA_BASELINE_DIFFERS);
		if (d.accepted.len)
			assert_int_equal(d.accepted.len, fwa_memfd_size(fd, FWA_DECLARATIONS_MAX));
		stop(&s);
	}
}

/* What is no baseline of this device is not the same as that there is none. */
static void baselines_that_are_none(void **state)
{
	static uint8_t zeros[FWA_DECLARATIONS_MAX + 1];
	fwa_auto_close int other = baseline_of("sim:honest,seed=1"); /* another firmware */
	fwa_auto_close int empty = fwa_memfd_sealed("test", fwa_span(zeros, 0));
	fwa_auto_close int nonsense = fwa_memfd_sealed("test", fwa_span(zeros, 100));
	fwa_auto_close int large = fwa_memfd_sealed("test", fwa_span(zeros, sizeof(zeros)));
	fwa_auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct {
		const char *source;
		int fd;
	} rows[] = { { "seen", other }, { "seen", empty }, { "seen", nonsense }, { "seen", large },
		     { "seen", null },  { "seen", -1 },    { "required", -1 },   { "", -1 },
		     { "nothing", -1 }, { "none", other } };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows); i++) {
		struct started s = start_with("sim:honest", rows[i].source, rows[i].fd);

		expect_reason(&s, HEALTH, FWA_REASON_DRIFT, FWA_DETAIL_NOT_PINNED);
		expect_reason(&s, VENDOR, FWA_REASON_UNDECLARED, FWA_DETAIL_NOT_LISTED);
		stop(&s);
	}
}

/* Accepted meanwhile: a BASELINE that nobody asked for is taken. */
static void accepted_later(void **state)
{
	fwa_auto_close int fd = baseline_of("sim:honest");
	struct started s = start_with("sim:honest,declare=0x41030002", "seen", fd);

	expect_reason(&s, SET_LSA, FWA_REASON_DRIFT, FWA_DETAIL_LOST_EFFECT);
	say(&s, FWA_CONTROL_BASELINE, "accepted", s.declarations_fd);
	while (submit(&s, SET_LSA).decision.reason == FWA_REASON_DRIFT)
		;
	expect_reason(&s, SET_LSA, ADMIT);
	assert_false(says_something(&s, 0));
	stop(&s);
}

/* Also while the profile is read again: that reading still has to be told. */
static void accepted_while_it_is_read(void **state)
{
	struct started s = start_with("sim:honest,delay-ms=10", "none", -1);
	struct fwa_description d;

	say(&s, FWA_CONTROL_REPROFILE, "", -1);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	fwa_client_set_timeout(s.client, 20);
	assert_true(fwa_client_describe(s.client, &d) < 0);
	expect_profile(&s);
	stop(&s);
	s = start_with("sim:honest,delay-ms=10", "none", -1);
	say(&s, FWA_CONTROL_REPROFILE, "", -1);
	say(&s, FWA_CONTROL_BASELINE, "required", -1);
	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect_reason(&s, HEALTH, ADMIT);
	stop(&s);
}

/* After an activation nothing is judged by what the old firmware declared. */
static void activation(void **state)
{
	struct started s = start_with("sim:honest", "none", -1);
	struct fwa_description d;

	load_firmware(&s, DECLARES, HEALTH, 0x1000, "2.0.0");
	expect_reason(&s, HEALTH, ADMIT);
	assert_int_equal(fwa_client_describe(s.client, &d), 0);
	assert_int_equal(d.rights.n_matched, 2);
	activate(&s);
	expect_profile(&s);
	assert_string_equal(s.who.id.firmware, "2.0.0");
	fwa_client_set_timeout(s.client, 200);
	assert_true(fwa_client_describe(s.client, &d) < 0); /* not before BASELINE */
	stop(&s);

	s = start_with("sim:honest", "none", -1);
	load_firmware(&s, DECLARES, HEALTH, 0x1000, "2.0.0");
	activate(&s);
	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect_reason(&s, HEALTH, FWA_REASON_RESERVED_BITS, FWA_DETAIL_RESERVED_DECLARED);
	assert_int_equal(fwa_client_describe(s.client, &d), 0);
	assert_int_equal(d.rights.n_matched, 1); /* a grant was for the old firmware */
	assert_false(says_something(&s, 0));
	stop(&s);
}

/* What the new firmware declares is held to what was accepted of it. */
static void activation_drifts(void **state)
{
	fwa_auto_close int fd = -1;
	struct started s = start_with("sim:honest", "none", -1);

	load_firmware(&s, DECLARES, SET_LSA, 0x0006, "2.0.0");
	activate(&s);
	expect_profile(&s);
	fd = fwa_steal_fd(&s.declarations_fd);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	stop(&s);

	s = start_with("sim:honest", "none", -1);
	load_firmware(&s, DECLARES, SET_LSA, 0x0002, "2.0.0");
	activate(&s);
	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, "seen", fd);
	expect_reason(&s, SET_LSA, FWA_REASON_DRIFT, FWA_DETAIL_LOST_EFFECT);
	expect_reason(&s, HEALTH, ADMIT);
	stop(&s);
}

/* An activation that fails may have done something all the same. */
static void activation_that_fails(void **state)
{
	struct started s = start_with("sim:honest", "none", -1);
	uint8_t payload[2] = { 0, 2 };
	struct fwa_gate_reply r;

	load_firmware(&s, 1, 0, 0, "2.0.0");
	r = submit_for(&s, CXL_OP_ACTIVATE_FW, fwa_span(payload, sizeof(payload)), 0);
	assert_int_equal(r.status, FWA_OUTCOME_DEVICE_ERROR);
	expect_profile(&s);
	assert_string_equal(s.who.id.firmware, "1.0.0");
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect_reason(&s, HEALTH, ADMIT);
	stop(&s);
}

/* NVMe: a commit that activates at once, and none that waits for a reset. Both fail: there is no image. */
static void nvme_commit(void **state)
{
	for (uint32_t action = 0; action < 4; action++) { /* the others are reserved, or boot's */
		struct started s = start_with("sim:nvme", "none", -1);
		struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
					   .opcode = 0x10,
					   .scope = FWA_SCOPE_LEAST,
					   .cdw = { action << 3 | 7 } };
		struct fwa_gate_reply r;
		struct fwa_span data;

		assert_int_equal(fwa_client_submit(s.client, &cmd, 0, &r, &data), 0);
		assert_int_equal(r.decision.reason, FWA_REASON_ADMIT);
		if (action == 3) {
			expect_profile(&s);
			assert_string_equal(s.who.family, "sim");
		} else {
			assert_false(says_something(&s, 20));
		}
		stop(&s);
	}
}

static void reprofile(void **state)
{
	struct started s = start_with("sim:honest", "none", -1);

	for (int i = 0; i < 3; i++) {
		say(&s, FWA_CONTROL_REPROFILE, "", -1);
		expect_profile(&s);
		say(&s, FWA_CONTROL_BASELINE, "none", -1);
		expect_reason(&s, HEALTH, ADMIT);
	}
	/* asked for again while it is under way: once more, not twice more */
	for (int i = 0; i < 3; i++)
		say(&s, FWA_CONTROL_REPROFILE, "", -1);
	for (int i = 0; i < 2; i++) {
		expect_profile(&s);
		while (i == 0 && says_something(&s, 100))
			fail();
		say(&s, FWA_CONTROL_BASELINE, "none", -1);
	}
	expect_reason(&s, HEALTH, ADMIT);
	assert_false(says_something(&s, 0));
	stop(&s);
}

/* Also where a lane does the reading. */
static void reprofile_in_a_lane(void **state)
{
	struct started s = start_with("sim:honest,delay-ms=1,lanes=4", "none", -1);

	load_firmware(&s, UNDECLARES, HEALTH, 0, "2.0.0");
	expect_reason(&s, HEALTH, ADMIT);
	activate(&s);
	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, "none", -1);
	expect_reason(&s, HEALTH, FWA_REASON_UNDECLARED, FWA_DETAIL_NOT_LISTED);
	stop(&s);
}

/* Its two readings differ, and so does each from the one before: what is read is held to the same. */
static void flapping(void **state)
{
	fwa_auto_close int fd = baseline_of("sim:honest");
	struct started s = start_with("sim:flapping", "seen", fd);

	for (int i = 0; i < 4; i++) {
		struct fwa_gate_reply r = submit(&s, SET_LSA);

		assert_true(r.decision.reason == FWA_REASON_ADMIT ||
			    r.decision.reason == FWA_REASON_DRIFT);
		assert_int_equal(r.decision.reason == FWA_REASON_DRIFT,
				 !(r.decision.declared & FWA_EFFECT_DATA));
		say(&s, FWA_CONTROL_REPROFILE, "", -1);
		expect_profile(&s);
		say(&s, FWA_CONTROL_BASELINE, "seen", fd);
	}
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_its_baseline),
		cmocka_unit_test(drift),
		cmocka_unit_test(root_is_not_held),
		cmocka_unit_test(description),
		cmocka_unit_test(baselines_that_are_none),
		cmocka_unit_test(accepted_later),
		cmocka_unit_test(accepted_while_it_is_read),
		cmocka_unit_test(activation),
		cmocka_unit_test(activation_drifts),
		cmocka_unit_test(activation_that_fails),
		cmocka_unit_test(nvme_commit),
		cmocka_unit_test(reprofile),
		cmocka_unit_test(reprofile_in_a_lane),
		cmocka_unit_test(flapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
