/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequences: what they own, and where they end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verify/step.h"

static struct vfy_step step_with(const char *payload)
{
	const struct fwa_command cmd = {
		.set = FWA_SET_CXL,
		.opcode = 0x4103,
		.cdw = { 1, 2, 3, 4, 5, 6 },
		.nsid = 7,
		.out_len = 8,
		.payload = fwa_span(payload, strlen(payload)),
	};

	return vfy_command_step(&cmd);
}

static void test_a_sequence_owns_its_payloads(void **state)
{
	struct vfy_sequence q = { 0 };
	char text[] = "label";
	struct vfy_step step = step_with(text);
	struct fwa_command cmd;

	assert_int_equal(vfy_sequence_add(&q, &step), 0);
	memset(text, 'x', 5);
	cmd = vfy_step_command(&q.step[0]);
	assert_int_equal(cmd.set, FWA_SET_CXL);
	assert_int_equal(cmd.scope, FWA_SCOPE_LEAST);
	assert_int_equal(cmd.opcode, 0x4103);
	assert_int_equal(cmd.cdw[5], 6);
	assert_int_equal(cmd.nsid, 7);
	assert_int_equal(cmd.out_len, 8);
	assert_int_equal(cmd.payload.len, 5);
	assert_memory_equal(cmd.payload.data, "label", 5);
	vfy_sequence_clear(&q);
	assert_int_equal(q.n + q.room + q.payloads, 0);
	assert_null(q.step);
}

static void test_cut_and_append(void **state)
{
	struct vfy_sequence q = { 0 }, more = { 0 };
	const struct vfy_step observe = { .kind = VFY_OBSERVE };
	struct vfy_step step;

	for (unsigned int i = 0; i < 40; i++) {
		char text[8] = { (char)('a' + i % 26), (char)('0' + i / 26) };

		step = step_with(text);
		assert_int_equal(vfy_sequence_add(&q, &step), 0);
	}
	assert_int_equal(vfy_sequence_add(&more, &observe), 0);
	assert_int_equal(vfy_sequence_add_all(&more, &q), 0);
	assert_int_equal(vfy_sequence_add_all(&q, &q), 0);
	assert_int_equal(q.n, 80);
	assert_int_equal(q.payloads, 160);
	assert_int_equal(more.n, 41);
	assert_true(vfy_step_eq(&q.step[41], &more.step[2]));
	vfy_sequence_cut(&q, 3);
	vfy_sequence_cut(&q, 30); /* has no more than it has */
	assert_int_equal(q.n, 3);
	assert_int_equal(q.payloads, 6);
	assert_memory_equal(q.step[2].payload, "c0", 2);
	vfy_sequence_clear(&q);
	vfy_sequence_clear(&more);
	vfy_sequence_clear(&more);
}

static void test_limits_leave_it_as_it_was(void **state)
{
	struct vfy_sequence q = { 0 }, full = { 0 };
	const struct vfy_step settle = { .kind = VFY_SETTLE };
	uint8_t *megabyte = calloc(1, 1024 * 1024);
	struct vfy_step big = { .payload = megabyte, .payload_len = 1024 * 1024 };

	assert_non_null(megabyte);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(vfy_sequence_add(&q, &big), 0);
	big.payload_len = 1;
	assert_int_equal(vfy_sequence_add(&q, &big), -E2BIG);
	assert_int_equal(vfy_sequence_add(&q, &settle), 0);
	assert_int_equal(q.n, 17);
	for (unsigned int i = 0; i < VFY_STEPS_MAX - 16; i++)
		assert_int_equal(vfy_sequence_add(&full, &settle), 0);
	assert_int_equal(vfy_sequence_add_all(&full, &q), -E2BIG);
	assert_int_equal(full.n, VFY_STEPS_MAX - 16);
	assert_int_equal(full.payloads, 0);
	vfy_sequence_clear(&full);
	vfy_sequence_clear(&q);
	free(megabyte);
}

static void test_equality(void **state)
{
	struct vfy_step a = step_with("one"), b = step_with("one");
	struct vfy_step cold = { .kind = VFY_RESET, .reset = FWA_RESET_COLD };
	struct vfy_step cxl = { .kind = VFY_RESET, .reset = FWA_RESET_CXL };

	assert_true(vfy_step_eq(&a, &b));
	b = step_with("two");
	assert_false(vfy_step_eq(&a, &b));
	b = step_with("on");
	assert_false(vfy_step_eq(&a, &b));
	b = a;
	b.cdw[5]++;
	assert_false(vfy_step_eq(&a, &b));
	b = a;
	b.out_len++;
	assert_false(vfy_step_eq(&a, &b));
	b = a;
	b.nsid++;
	assert_false(vfy_step_eq(&a, &b));
	assert_false(vfy_step_eq(&cold, &cxl));
	assert_false(vfy_step_eq(&cold, &a));
	cxl.reset = FWA_RESET_COLD;
	cxl.opcode = 5; /* says nothing of a reset */
	assert_true(vfy_step_eq(&cold, &cxl));
	a.payload_len = b.payload_len = 0;
	b = a;
	a.payload = NULL;
	assert_true(vfy_step_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sequence_owns_its_payloads),
		cmocka_unit_test(test_cut_and_append),
		cmocka_unit_test(test_limits_leave_it_as_it_was),
		cmocka_unit_test(test_equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
