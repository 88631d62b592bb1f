/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers with this test in the place of whoever starts them: what they say of their device, what they
 * hold callers to, when they read it again, and when they quarantine it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "core/drift.h"
#include "host/baseline.h"
#include "host/launch.h"
#include "host/policy-file.h"
#include "proto/client.h"
#include "proto/control.h"
#include "wire/cxl.h"

#define NOBODY 65534
#define PATIENCE_MS 20000
#define SET_LSA 0x4103
#define HEALTH 0x4200
#define VENDOR 0xc0de /* which no simulated device has unless it is told to */

static const char policy[] = "[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n"
			     "effects = config-cold-reset, config, data, policy, log, security, "
			     "background, config-conv-reset, config-cxl-reset, exclusive, "
			     "namespace-capability, namespace-inventory, controller-capability\n"
			     "[grant old]\nuser = *\ndevice = *\nscope = configuration\n"
			     "firmware = 1.0.0\nticket = old\n";

/* A worker and what it said last. */
struct started {
	pid_t pid;
	int control;
	struct fwa_client *client;
	struct fwa_identified who;
	int profile_fd, declarations_fd;
	char text[FWA_CONTROL_TEXT_MAX + 1];
};

/* --- the worker ----------------------------------------------------------------------------- */

/* A socket that listens under a name of the kernel's own choice, as the daemon's do under a path. */
static int listening(struct sockaddr_un *address, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*address);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, len), 0);
	return fd;
}

/* A client that the kernel says to be @uid. */
static int connected(const struct sockaddr_un *address, socklen_t len, uid_t uid)
{
	bool other = geteuid() == 0 && uid;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (other)
		assert_int_equal(seteuid(uid), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)address, len), 0);
	if (other)
		assert_int_equal(seteuid(0), 0);
	return fd;
}

static int policy_fd(const char *spec)
{
	struct fwa_policy_files *files = NULL;
	int fd;

	assert_int_equal(fwa_policy_files_parse_memory("policy",
						       fwa_span(policy, sizeof(policy) - 1), NULL,
						       NULL, &files),
			 0);
	fd = fwa_policy_files_compile(files, "dev", spec);
	fwa_policy_files_free(files);
	assert_true(fd >= 0);
	return fd;
}

static struct started start_as(const char *spec, unsigned int limit_ms, uid_t uid)
{
	struct started s = { .control = -1, .profile_fd = -1, .declarations_fd = -1 };
	fwa_auto_close int fd = policy_fd(spec);
	struct fwa_launch l = { .name = "dev",
				.spec = spec,
				.device_fd = -1,
				.client_fd = -1,
				.policy_fd = fd,
				.device_timeout_ms = limit_ms };
	struct sockaddr_un address;
	socklen_t len;

	l.listen_fd = listening(&address, &len);
	assert_int_equal(fwa_launch_worker(&l, &s.pid, &s.control), 0);
	assert_int_equal(fwa_client_from_fd(connected(&address, len, uid), &s.client), 0);
	close(l.listen_fd);
	fwa_client_set_timeout(s.client, PATIENCE_MS);
	return s;
}

static struct started start(const char *spec)
{
	return start_as(spec, 0, NOBODY);
}

static void stop(struct started *s)
{
	int status;

	fwa_client_free(s->client);
	fwa_close(s->control);
	fwa_close(s->profile_fd);
	fwa_close(s->declarations_fd);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Anything but how it is: that it says whenever it changes. */
static bool says_something(struct started *s, int ms)
{
	struct pollfd p = { .fd = s->control, .events = POLLIN };
	uint8_t kind[2];
	uint16_t got;
	int fd;

	while (poll(&p, 1, ms) == 1) {
		if (recv(s->control, kind, sizeof(kind), MSG_PEEK) != sizeof(kind) ||
		    fwa_le16(kind) != FWA_CONTROL_STATE)
			return true;
		assert_int_equal(fwa_control_recv(s->control, &got, s->text, &fd), 0);
	}
	return false;
}

/* Its next message must be @kind; the descriptor goes to @ret_fd or must not be there. */
static void expect(struct started *s, uint16_t kind, int *ret_fd)
{
	uint16_t got = 0;
	int fd = -1;

	assert_true(says_something(s, PATIENCE_MS));
	assert_int_equal(fwa_control_recv(s->control, &got, s->text, &fd), 0);
	assert_int_equal(got, kind);
	assert_int_equal(fd >= 0, ret_fd != NULL);
	if (ret_fd) {
		fwa_close(*ret_fd);
		*ret_fd = fd;
	}
}

/* IDENTITY and DECLARATIONS, which are one thing. */
static void expect_profile(struct started *s)
{
	expect(s, FWA_CONTROL_IDENTITY, &s->profile_fd);
	assert_int_equal(fwa_identified_parse(s->text, &s->who), 0);
	expect(s, FWA_CONTROL_DECLARATIONS, &s->declarations_fd);
}

static void say(const struct started *s, enum fwa_control_kind kind, const char *text, int fd)
{
	assert_int_equal(fwa_control_send(s->control, kind, text, fd), 0);
}

/* Starts and answers with the baseline @source of @fd. */
static struct started start_with(const char *spec, const char *source, int fd)
{
	struct started s = start(spec);

	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, source, fd);
	expect(&s, FWA_CONTROL_READY, NULL);
	return s;
}

/* What a device declares, for another one. */
static int baseline_of(const char *spec)
{
	struct started s = start_with(spec, "none", -1);
	int fd = fwa_steal_fd(&s.declarations_fd);

	stop(&s);
	return fd;
}

/* --- commands ------------------------------------------------------------------------------- */

static struct fwa_gate_reply submit_for(struct started *s, uint16_t opcode, struct fwa_span payload,
					unsigned int timeout_ms)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = opcode,
				   .scope = FWA_SCOPE_LEAST,
				   .payload = payload,
				   .out_len = 4096 };
	struct fwa_gate_reply reply;
	struct fwa_span data;

	assert_int_equal(fwa_client_submit(s->client, &cmd, timeout_ms, &reply, &data), 0);
	return reply;
}

static struct fwa_gate_reply submit(struct started *s, uint16_t opcode)
{
	uint8_t payload[16] = { 0 };
	bool writes = opcode == SET_LSA;

	return submit_for(s, opcode, fwa_span(payload, writes ? sizeof(payload) : 0), 0);
}

static void expect_reason(struct started *s, uint16_t opcode, enum fwa_reason reason,
			  enum fwa_detail detail)
{
	struct fwa_gate_reply r = submit(s, opcode);

	assert_int_equal(r.decision.reason, reason);
	assert_int_equal(r.decision.detail, detail);
}

#define ADMIT FWA_REASON_ADMIT, FWA_DETAIL_NONE

/* A package for slot 2, as sim/fw.c has it: what it changes, and its revision. */
static void load_firmware(struct started *s, uint32_t flags, uint16_t opcode, uint16_t effects,
			  const char *revision)
{
	uint8_t payload[128 + 32] = { 0, 2 }, *head = payload + 128;
	struct fwa_gate_reply r;

	memcpy(head, "SIMFWPKG", 8);
	fwa_put_le32(head + 8, flags);
	fwa_put_le16(head + 12, opcode);
	fwa_put_le16(head + 14, effects);
	memcpy(head + 16, revision, strlen(revision));
	r = submit_for(s, CXL_OP_TRANSFER_FW, fwa_span(payload, sizeof(payload)), 0);
	assert_int_equal(r.status, FWA_OUTCOME_COMPLETED);
}

static void activate(struct started *s)
{
	uint8_t payload[2] = { 0, 2 };
	struct fwa_gate_reply r;

	r = submit_for(s, CXL_OP_ACTIVATE_FW, fwa_span(payload, sizeof(payload)), 0);
	assert_int_equal(r.status, FWA_OUTCOME_COMPLETED);
}

#define DECLARES (1u << 2)
#define UNDECLARES (1u << 3)
#define SERIAL (1u << 4)

/* --- tests ---------------------------------------------------------------------------------- */

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
		cmocka_unit_test(changed_identity),
		cmocka_unit_test(reprofile),
		cmocka_unit_test(reprofile_in_a_lane),
		cmocka_unit_test(flapping),
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
