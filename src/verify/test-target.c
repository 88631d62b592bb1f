/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device under test: opened, opened anew, sent to; devices that hang, answer nonsense and die.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/qtest.h"
#include "verify/digest.h"
#include "verify/target.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define TIMEOUT_MS 5000u

#define OP_GET_LSA 0x4102
#define OP_SET_LSA 0x4103
#define OP_GET_HEALTH 0x4200
#define OP_SANITIZE 0x4400
#define OP_SECURE_ERASE 0x4401
#define OP_SECURITY_STATE 0x4500

static struct vfy_target t;
static struct vfy_answer answer;
static uint32_t beyond;

static void open_target(const char *spec, unsigned int timeout_ms)
{
	int r = vfy_target_open(&t, spec, timeout_ms);

	if (r < 0)
		fail_msg("%s: %s", spec, t.error);
}

static int run(const struct vfy_step *step)
{
	beyond = UINT32_MAX;
	return vfy_target_run(&t, NULL, step, NULL, &answer, &beyond);
}

static int send(uint16_t opcode, const void *payload, size_t len)
{
	struct vfy_step step = { .kind = VFY_COMMAND,
				 .set = FWA_SET_CXL,
				 .opcode = opcode,
				 .payload = (uint8_t *)payload,
				 .payload_len = (uint32_t)len };

	return run(&step);
}

static int reset(uint8_t kind)
{
	return run(&(struct vfy_step){ .kind = VFY_RESET, .reset = kind });
}

static void test_honest(void **state)
{
	uint8_t expected[32];

	open_target("sim:honest,seed=3", TIMEOUT_MS);
	assert_true(t.disposable);
	assert_int_equal(t.openings, 1);
	assert_true(fwa_profile_check(t.profile));
	assert_true(fwa_profile_count(t.profile) > 40);
	assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), 0);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.code, CXL_RC_SUCCESS);
	assert_int_equal(answer.out_len, 4);
	assert_int_equal(beyond, 0);
	vfy_sha256(fwa_span("\0\0\0\0", 4), expected);
	assert_memory_equal(answer.sha256, expected, 32);
	assert_int_equal(send(CXL_OP_IDENTIFY_MEMORY_DEVICE, NULL, 0), 0);
	assert_int_equal(answer.out_len, CXL_IDENTIFY_MEMORY_LEN);
	assert_memory_equal(answer.head, "1.3.0", 5);
	assert_memory_equal(answer.head, t.reply, sizeof(answer.head));
	assert_int_equal(send(OP_SECURITY_STATE, "x", 1), 0);
	assert_int_equal(answer.code, CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(answer.out_len, 0);
	assert_int_equal(answer.head[0], 0);
	assert_int_equal(run(&(struct vfy_step){ .kind = VFY_STEP_KINDS }), -EINVAL);
	vfy_target_close(&t);
	vfy_target_close(&t);
}

/* Another one, to which nothing was done. */
static void test_fresh(void **state)
{
	uint8_t label[13] = { 0 }, read[8] = { 0, 0, 0, 0, 5 };

	memcpy(label + 8, "label", 5);
	open_target("sim:honest", TIMEOUT_MS);
	assert_int_equal(send(OP_SET_LSA, label, sizeof(label)), 0);
	assert_int_equal(send(OP_GET_LSA, read, sizeof(read)), 0);
	assert_memory_equal(answer.head, "label", 5);
	assert_int_equal(vfy_target_fresh(&t), 0);
	assert_int_equal(t.openings, 2);
	assert_int_equal(send(OP_GET_LSA, read, sizeof(read)), 0);
	assert_memory_equal(answer.head, "\0\0\0\0\0", 5);
	vfy_target_close(&t);
}

/* --- media ------------------------------------------------------------------------------------------ */

static size_t media_of(const struct vfy_plan *plan, uint8_t each)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++)
		n += plan->observable[i].row->each == each;
	return n;
}

/* What a plan has of @each in @s differs from that in @other: how many. */
static size_t differing(const struct vfy_plan *plan, uint8_t each, const struct vfy_snapshot *s,
			const struct vfy_snapshot *other)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		const struct vfy_value *v = &s->value[i];

		if (plan->observable[i].row->each != each)
			continue;
		assert_int_equal(v->error, 0);
		assert_int_equal(v->code, 0);
		assert_true(v->len > 0);
		n += memcmp(s->data + v->at, other->data + v->at, v->len) != 0;
	}
	return n;
}

/*
 * On a fresh device, also the first one, an erase is seen at each place that the plan looks at: the
 * pattern is where the plan looks, and nowhere what an erase leaves.
 */
static void check_erase_is_seen(const char *spec, uint8_t each, const struct vfy_step *erase)
{
	struct vfy_plan plan;
	struct vfy_snapshot before, after;

	open_target(spec, TIMEOUT_MS);
	assert_int_equal(vfy_plan_make(&plan, t.profile, t.dev, vfy_target_submit, &t), 0);
	assert_int_equal(vfy_snapshot_make(&before, &plan), 0);
	assert_int_equal(vfy_snapshot_make(&after, &plan), 0);
	assert_true(media_of(&plan, each) >= 4);
	for (int i = 0; i < 2; i++) {
		uint64_t commands = t.commands;

		assert_int_equal(vfy_target_observe(&t, &plan, NULL, &before), 0);
		assert_true(t.commands > commands);
		assert_int_equal(run(&(struct vfy_step){ .kind = VFY_SETTLE }), 0);
		assert_int_equal(vfy_target_run(&t, &plan,
						&(struct vfy_step){ .kind = VFY_OBSERVE }, &after,
						&answer, NULL),
				 0);
		assert_int_equal(differing(&plan, each, &before, &after), 0);
		assert_int_equal(run(erase), 0);
		assert_int_equal(vfy_target_settle(&t, 60000), 0);
		assert_int_equal(vfy_target_observe(&t, &plan, NULL, &after), 0);
		assert_int_equal(differing(&plan, each, &before, &after), media_of(&plan, each));
		assert_int_equal(vfy_target_fresh(&t), 0);
	}
	vfy_snapshot_clear(&before);
	vfy_snapshot_clear(&after);
	vfy_plan_clear(&plan);
	vfy_target_close(&t);
}

static void test_erase_is_seen(void **state)
{
	static const struct vfy_step cxl[] = {
		{ .kind = VFY_COMMAND, .set = FWA_SET_CXL, .opcode = OP_SECURE_ERASE },
		{ .kind = VFY_COMMAND, .set = FWA_SET_CXL, .opcode = OP_SANITIZE },
	};
	static const struct vfy_step nvme[] = {
		{ .kind = VFY_COMMAND,
		  .set = FWA_SET_NVME_ADMIN,
		  .opcode = NVME_OP_FORMAT,
		  .nsid = 1 },
		{ .kind = VFY_COMMAND,
		  .set = FWA_SET_NVME_ADMIN,
		  .opcode = NVME_OP_SANITIZE,
		  .cdw = { 2 } },
	};

	for (size_t i = 0; i < 2; i++) {
		check_erase_is_seen("sim:honest,bg-ms=20", VFY_EACH_MEDIA, &cxl[i]);
		check_erase_is_seen("sim:nvme,bg-ms=20", VFY_EACH_LBA, &nvme[i]);
	}
}

/* A locked device lets nobody at its media: it is opened all the same. */
static void test_locked(void **state)
{
	open_target("sim:honest,locked=1", TIMEOUT_MS);
	assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), 0);
	assert_int_equal(answer.head[0], 5);
	assert_int_equal(vfy_target_fresh(&t), 0);
	vfy_target_close(&t);
}

/* --- work and resets -------------------------------------------------------------------------------- */

static void test_settle(void **state)
{
	const struct vfy_step self_test = { .kind = VFY_COMMAND,
					    .set = FWA_SET_NVME_ADMIN,
					    .opcode = NVME_OP_SELF_TEST,
					    .cdw = { 1 } };

	open_target("sim:honest,bg-ms=600000", TIMEOUT_MS);
	assert_int_equal(vfy_target_settle(&t, 0), 0);
	assert_int_equal(send(OP_SANITIZE, NULL, 0), 0);
	assert_int_equal(answer.code, CXL_RC_BACKGROUND);
	assert_int_equal(vfy_target_settle(&t, 20), -ETIMEDOUT);
	assert_int_equal(reset(FWA_RESET_COLD), 0);
	assert_int_equal(vfy_target_settle(&t, 0), 0);
	vfy_target_close(&t);

	open_target("sim:nvme,bg-ms=600000", TIMEOUT_MS);
	assert_int_equal(vfy_target_settle(&t, 0), 0);
	assert_int_equal(run(&self_test), 0);
	assert_int_equal(answer.code, 0);
	assert_int_equal(vfy_target_settle(&t, 20), -ETIMEDOUT);
	assert_int_equal(reset(FWA_RESET_CXL), -EOPNOTSUPP);
	assert_int_equal(reset(FWA_RESET_CONVENTIONAL), 0);
	assert_int_equal(vfy_target_settle(&t, 0), 0);
	vfy_target_close(&t);
}

/* --- devices of no use ------------------------------------------------------------------------------ */

static void test_hang(void **state)
{
	open_target("sim:hang", 20);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), 0);
		assert_int_equal(send(OP_GET_HEALTH, NULL, 0), -ETIMEDOUT);
		assert_int_equal(answer.error, -ETIMEDOUT);
		assert_true(answer.took_ns >= 20 * FWA_NS_PER_MS);
		assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), -ETIMEDOUT);
		assert_int_equal(vfy_target_fresh(&t), 0);
	}
	vfy_target_close(&t);
}

static void test_gone(void **state)
{
	uint64_t n = 0;

	open_target("sim:gone,after=20", TIMEOUT_MS);
	for (int i = 0; i < 2; i++) {
		uint64_t left = 0;

		while (send(OP_SECURITY_STATE, NULL, 0) == 0)
			left++;
		assert_int_equal(answer.error, -ENODEV);
		assert_int_equal(vfy_target_settle(&t, 10), -ENODEV);
		assert_int_equal(reset(FWA_RESET_COLD), -ENODEV);
		assert_true(left && (!n || left == n)); /* each is like the first */
		n = left;
		assert_int_equal(vfy_target_fresh(&t), 0);
	}
	assert_int_equal(t.openings, 3);
	vfy_target_close(&t);
	assert_int_equal(vfy_target_open(&t, "sim:gone,after=0", TIMEOUT_MS), -ENODEV);
	assert_non_null(strstr(t.error, "gone"));
	vfy_target_close(&t);
}

static void test_garbage(void **state)
{
	static const char *const words[] = { "garbage", "rotting" };
	char spec[64];
	int nonsense = 0;

	for (unsigned int seed = 0; seed < 40; seed++) {
		int r;

		snprintf(spec, sizeof(spec), "sim:%s,seed=%u", words[seed % 2], seed / 2);
		r = vfy_target_open(&t, spec, TIMEOUT_MS);
		assert_true(r == 0 || t.error[0]);
		for (int i = 0; i < 50 && r == 0; i++) {
			int e = send((uint16_t)(OP_GET_HEALTH + i % 4), NULL, 0);

			assert_true(e == 0 || e == -EPROTO);
			assert_int_equal(answer.error, e);
			assert_true(answer.out_len <= t.dev->payload_max);
			nonsense += e < 0;
		}
		if (r == 0)
			assert_true(vfy_target_fresh(&t) == 0 || t.error[0]);
		vfy_target_close(&t);
	}
	assert_true(nonsense > 0);
}

static void test_overrun(void **state)
{
	uint8_t in[CXL_GET_LOG_LEN];
	const struct vfy_step get_log = { .kind = VFY_COMMAND,
					  .set = FWA_SET_CXL,
					  .opcode = CXL_OP_GET_LOG,
					  .payload = in,
					  .payload_len = sizeof(in) };

	memcpy(in, CXL_UUID_VENDOR_DEBUG, 16);
	fwa_put_le32(in + 16, 0);
	fwa_put_le32(in + 20, 8);
	open_target("sim:liar-overrun", TIMEOUT_MS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(&get_log), 0);
		assert_int_equal(answer.out_len, 8);
		assert_true(beyond > 0);
		assert_int_equal(vfy_target_run(&t, NULL, &get_log, NULL, &answer, NULL), 0);
		assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), 0);
		assert_int_equal(beyond, 0);
		assert_int_equal(vfy_target_fresh(&t), 0);
	}
	vfy_target_close(&t);
}

static void test_no_device(void **state)
{
	assert_int_equal(vfy_target_open(&t, "sim:nobody", TIMEOUT_MS), -EINVAL);
	assert_non_null(strstr(t.error, "nobody"));
	assert_int_equal(send(OP_SECURITY_STATE, NULL, 0), -ENODEV);
	assert_int_equal(vfy_target_settle(&t, 10), -ENODEV);
	vfy_target_close(&t);
	assert_true(vfy_target_open(&t, "nvme:/dev/null", TIMEOUT_MS) < 0);
	vfy_target_close(&t);
}

/* Lengths that no transport takes are not sent. */
static void test_not_sent(void **state)
{
	struct vfy_step step = { .kind = VFY_COMMAND,
				 .set = FWA_SET_NVME_IO,
				 .opcode = NVME_OP_READ,
				 .nsid = 1,
				 .out_len = UINT32_MAX };
	uint64_t commands;

	open_target("sim:nvme", TIMEOUT_MS);
	commands = t.commands;
	assert_int_equal(run(&step), -EMSGSIZE);
	assert_int_equal(answer.error, -EMSGSIZE);
	assert_int_equal(t.commands, commands);
	step.set = FWA_SET_CXL;
	assert_int_equal(run(&step), -EOPNOTSUPP);
	vfy_target_close(&t);
}

/* --- QEMU ------------------------------------------------------------------------------------------- */

static bool has_qemu(void)
{
	struct fwa_qemu_version v;
	char error[FWA_ERROR_LEN];
	int r = fwa_qemu_version(FWA_QEMU_PROGRAM, &v, error);

	return r != -ENOENT && r != -EACCES;
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void check_qemu(const char *spec, const struct vfy_step *read)
{
	int before = descriptors();

	open_target(spec, 20000);
	assert_true(t.disposable);
	assert_int_equal(strncmp(t.dev->about, "QEMU ", 5), 0);
	for (int i = 0; i < 3; i++) {
		pid_t pid = ((struct fwa_qtest_device *)t.dev)->qemu.pid;

		assert_int_equal(run(read), 0);
		assert_int_equal(answer.code, 0);
		assert_true(answer.out_len > 0);
		assert_int_equal(beyond, 0);
		assert_int_equal(reset(FWA_RESET_COLD), 0);
		assert_int_equal(run(read), 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(run(read), -ENODEV);
		assert_int_equal(run(read), -ENODEV);
		assert_int_equal(vfy_target_fresh(&t), 0);
		assert_int_equal(kill(pid, 0), -1); /* reaped */
	}
	vfy_target_close(&t);
	assert_int_equal(descriptors(), before);
}

static void test_qemu(void **state)
{
	const struct vfy_step cxl = { .kind = VFY_COMMAND,
				      .set = FWA_SET_CXL,
				      .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE };
	const struct vfy_step nvme = { .kind = VFY_COMMAND,
				       .set = FWA_SET_NVME_ADMIN,
				       .opcode = NVME_OP_IDENTIFY,
				       .cdw = { 1 },
				       .out_len = 4096 };
	const struct vfy_step format = {
		.kind = VFY_COMMAND, .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_FORMAT, .nsid = 1
	};

	if (!has_qemu())
		skip();
	check_qemu("qtest:cxl-type3", &cxl);
	check_qemu("qtest:nvme", &nvme);
	check_erase_is_seen("qtest:nvme", VFY_EACH_LBA, &format);
}

/* Through the host's memory window; a QEMU that cannot sanitize has nothing that erases. */
static void test_qemu_media(void **state)
{
	const struct vfy_step sanitize = { .kind = VFY_COMMAND,
					   .set = FWA_SET_CXL,
					   .opcode = OP_SANITIZE };
	struct fwa_declared declared;
	bool can;

	if (!has_qemu())
		skip();
	open_target("qtest:cxl-type3", 20000);
	can = fwa_profile_declared(t.profile, FWA_SET_CXL, OP_SANITIZE, &declared);
	vfy_target_close(&t);
	if (!can)
		skip();
	check_erase_is_seen("qtest:cxl-type3", VFY_EACH_MEDIA, &sanitize);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),        cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_erase_is_seen), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_settle),        cmocka_unit_test(test_hang),
		cmocka_unit_test(test_gone),          cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_overrun),       cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_not_sent),      cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_qemu_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
