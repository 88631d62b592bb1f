/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfers and background work: what is followed, what ends it, and what is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/uuid.h"
#include "core/background.h"
#include "core/shape.h"
#include "core/transfer.h"
#include "wire/nvme.h"

/* --- Features ------------------------------------------------------------------------------- */

static void follow(struct fwa_transfer *t, uint8_t fill, uint8_t part, enum fwa_sent sent)
{
	uint8_t payload[CXL_SET_FEATURE_HEADER_LEN] = { 0 };
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_SET_FEATURE,
				   .payload = fwa_span(payload, sizeof(payload)) };

	memset(payload, fill, FWA_UUID_LEN);
	payload[CXL_SET_FEATURE_FLAGS] = (uint8_t)(0x08 | part); /* bit 3 is not about parts */
	payload[CXL_SET_FEATURE_VERSION] = (uint8_t)(fill + 1);
	fwa_transfer_follow(t, &cmd, sent);
}

static void transfer_is_followed(void **state)
{
	struct fwa_transfer t = { 0 };

	follow(&t, 1, CXL_PART_FULL, FWA_SENT_DONE);
	assert_false(t.running || t.left);
	follow(&t, 1, CXL_PART_INITIATE, FWA_SENT_DONE);
	assert_true(t.running && t.left && t.uuid[0] == 1 && t.uuid[15] == 1);
	follow(&t, 0xff, CXL_PART_CONTINUE, FWA_SENT_DONE);
	assert_true(t.running && t.left && t.uuid[0] == 1 && t.version == 2);
	follow(&t, 2, CXL_PART_FULL, FWA_SENT_FAILED);
	assert_true(t.running && t.uuid[0] == 1);
	follow(&t, 0xff, CXL_PART_FINISH, FWA_SENT_DONE);
	assert_false(t.running || t.left);
	follow(&t, 2, CXL_PART_INITIATE, FWA_SENT_FAILED);
	assert_false(t.running || t.left);
	follow(&t, 2, CXL_PART_CONTINUE, FWA_SENT_DONE); /* begun before the gate looked */
	assert_true(t.running && t.left && t.uuid[0] == 2);
}

/* Whatever part goes wrong, and however: nobody goes on by all ones, and the device is not trusted to be free. */
static void transfer_in_doubt_is_left(void **state)
{
	for (uint8_t part = CXL_PART_INITIATE; part <= CXL_PART_ABORT; part++) {
		for (int sent = FWA_SENT_FAILED; sent <= FWA_SENT_UNKNOWN; sent++) {
			struct fwa_transfer t = { 0 };

			follow(&t, 3, CXL_PART_INITIATE, FWA_SENT_DONE);
			follow(&t, part == CXL_PART_INITIATE ? 4 : 0xff, part, (enum fwa_sent)sent);
			assert_false(t.running);
			assert_true(t.left && t.uuid[0] == 3 && t.version == 4);
			/* By all ones it is not found again. */
			follow(&t, 0xff, CXL_PART_CONTINUE, FWA_SENT_DONE);
			assert_false(t.running);
			follow(&t, 3, CXL_PART_ABORT, FWA_SENT_DONE);
			assert_false(t.left);
		}
	}
}

static void transfer_that_may_have_begun_is_left(void **state)
{
	struct fwa_transfer t = { 0 };

	follow(&t, 3, CXL_PART_INITIATE, FWA_SENT_UNKNOWN);
	assert_true(!t.running && t.left && t.uuid[0] == 3);
	follow(&t, 5, CXL_PART_INITIATE, FWA_SENT_DONE);
	assert_true(t.running && t.left && t.uuid[0] == 5);
}

static void transfer_only_of_set_feature(void **state)
{
	uint8_t payload[CXL_SET_FEATURE_HEADER_LEN] = { [CXL_SET_FEATURE_FLAGS] = 1 };
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_SET_FEATURE,
				   .payload = fwa_span(payload, sizeof(payload)) };

	assert_int_equal(fwa_transfer_part(&cmd), CXL_PART_INITIATE);
	cmd.payload.len--;
	assert_int_equal(fwa_transfer_part(&cmd), CXL_PART_FULL);
	cmd.payload.len++;
	cmd.opcode = CXL_OP_GET_FEATURE;
	assert_int_equal(fwa_transfer_part(&cmd), CXL_PART_FULL);
	cmd.opcode = CXL_OP_SET_FEATURE;
	cmd.set = FWA_SET_NVME_ADMIN;
	assert_int_equal(fwa_transfer_part(&cmd), CXL_PART_FULL);
}

static void transfer_abort_names_the_feature(void **state)
{
	struct fwa_transfer t = { 0 };
	uint8_t payload[FWA_TRANSFER_ABORT_LEN];
	struct fwa_command cmd;

	follow(&t, 7, CXL_PART_INITIATE, FWA_SENT_DONE);
	memset(payload, 0xee, sizeof(payload));
	cmd = fwa_transfer_abort(&t, payload);
	assert_int_equal(fwa_transfer_part(&cmd), CXL_PART_ABORT);
	assert_int_equal(cmd.payload.len, FWA_TRANSFER_ABORT_LEN);
	assert_memory_equal(cmd.payload.data,
			    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\4\0\0\0\0\0\10\0\0\0\0\0\0\0\0\0",
			    FWA_TRANSFER_ABORT_LEN);
	fwa_transfer_follow(&t, &cmd, FWA_SENT_DONE);
	assert_false(t.left);
}

/* --- firmware ------------------------------------------------------------------------------- */

static void part(struct fwa_firmware *f, uint8_t action, enum fwa_sent sent, uint32_t code)
{
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN] = { action };
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_TRANSFER_FW,
				   .payload = fwa_span(payload, sizeof(payload)) };

	assert_true(fwa_command_moves_firmware(&cmd));
	fwa_firmware_follow(f, &cmd, sent, code);
}

/* What follows a transfer that runs: by action and by what became of it, whether it still does. */
static void firmware_lasts_until_it_surely_ended(void **state)
{
	static const struct {
		uint8_t action;
		enum fwa_sent sent;
		uint32_t code;
		bool running;
	} cases[] = {
		{ CXL_FW_FULL, FWA_SENT_FAILED, CXL_RC_FW_IN_PROGRESS, true },
		{ CXL_FW_FULL, FWA_SENT_DONE, 0, false },
		{ CXL_FW_INITIATE, FWA_SENT_FAILED, CXL_RC_FW_IN_PROGRESS, true },
		{ CXL_FW_INITIATE, FWA_SENT_UNKNOWN, 0, true },
		{ CXL_FW_CONTINUE, FWA_SENT_DONE, 0, true },
		{ CXL_FW_CONTINUE, FWA_SENT_FAILED, CXL_RC_INVALID_INPUT, true },
		{ CXL_FW_CONTINUE, FWA_SENT_FAILED, CXL_RC_FW_OUT_OF_ORDER, false },
		{ CXL_FW_CONTINUE, FWA_SENT_UNKNOWN, CXL_RC_FW_OUT_OF_ORDER, true },
		{ CXL_FW_END, FWA_SENT_DONE, 0, false },
		{ CXL_FW_END, FWA_SENT_FAILED, CXL_RC_FW_SLOT, true },
		{ CXL_FW_END, FWA_SENT_FAILED, CXL_RC_FW_AUTH, false },
		{ CXL_FW_END, FWA_SENT_UNKNOWN, 0, true },
		{ CXL_FW_ABORT, FWA_SENT_DONE, 0, false },
		{ CXL_FW_ABORT, FWA_SENT_FAILED, CXL_RC_BUSY, true },
		{ CXL_FW_ABORT, FWA_SENT_FAILED, CXL_RC_INVALID_INPUT, false },
		{ CXL_FW_ABORT, FWA_SENT_UNKNOWN, 0, true },
		{ 5, FWA_SENT_FAILED, CXL_RC_INVALID_INPUT, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fwa_firmware f = { 0 };

		part(&f, CXL_FW_INITIATE, FWA_SENT_DONE, 0);
		assert_true(f.running);
		part(&f, cases[i].action, cases[i].sent, cases[i].code);
		if (f.running != cases[i].running)
			fail_msg("case %zu", i);
	}
}

static void firmware_begins(void **state)
{
	struct fwa_firmware f = { 0 };

	part(&f, CXL_FW_FULL, FWA_SENT_DONE, 0);
	part(&f, CXL_FW_INITIATE, FWA_SENT_FAILED, CXL_RC_FW_IN_PROGRESS);
	part(&f, CXL_FW_CONTINUE, FWA_SENT_UNKNOWN, 0);
	part(&f, CXL_FW_END, FWA_SENT_UNKNOWN, 0);
	assert_false(f.running);
	part(&f, CXL_FW_INITIATE, FWA_SENT_UNKNOWN, 0);
	assert_true(f.running);
}

static void nvme(struct fwa_firmware *f, uint16_t opcode, uint32_t cdw10, enum fwa_sent sent)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = opcode, .cdw = { cdw10 } };

	assert_true(fwa_command_moves_firmware(&cmd));
	fwa_firmware_follow(f, &cmd, sent, 0);
}

static void firmware_of_nvme(void **state)
{
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN];
	struct fwa_command cmd;

	for (uint32_t action = 0; action < 8; action++) {
		struct fwa_firmware f = { 0 };

		nvme(&f, NVME_OP_FW_DOWNLOAD, 0, FWA_SENT_FAILED);
		assert_false(f.running);
		nvme(&f, NVME_OP_FW_DOWNLOAD, 0, FWA_SENT_DONE);
		assert_true(f.running);
		assert_false(fwa_firmware_abort(&f, payload, &cmd));
		nvme(&f, NVME_OP_FW_COMMIT, action << 3, FWA_SENT_FAILED);
		nvme(&f, NVME_OP_FW_COMMIT, action << 3, FWA_SENT_UNKNOWN);
		assert_true(f.running);
		nvme(&f, NVME_OP_FW_COMMIT, action << 3, FWA_SENT_DONE);
		assert_int_equal(f.running, action == 2 || action == 7);
	}
}

static void firmware_abort(void **state)
{
	struct fwa_firmware f = { 0 };
	uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN];
	struct fwa_command cmd;

	assert_false(fwa_firmware_abort(&f, payload, &cmd));
	part(&f, CXL_FW_INITIATE, FWA_SENT_DONE, 0);
	memset(payload, 0xee, sizeof(payload));
	assert_true(fwa_firmware_abort(&f, payload, &cmd));
	assert_int_equal(cmd.opcode, CXL_OP_TRANSFER_FW);
	assert_int_equal(cmd.payload.len, CXL_TRANSFER_FW_HEADER_LEN);
	assert_int_equal(payload[0], CXL_FW_ABORT);
	for (size_t i = 1; i < sizeof(payload); i++)
		assert_int_equal(payload[i], 0);
	fwa_firmware_follow(&f, &cmd, FWA_SENT_DONE, 0);
	assert_false(f.running);
}

/* Of all opcodes only these four. */
static void what_moves_firmware(void **state)
{
	static const uint32_t moves[] = { 0x00201, 0x00202, 0x10010, 0x10011 };

	for (uint32_t i = 0; i < FWA_SET_COUNT << 16; i++) {
		struct fwa_command cmd = { .set = (uint8_t)(i >> 16), .opcode = (uint16_t)i };
		bool expected = false;

		for (size_t k = 0; k < sizeof(moves) / sizeof(moves[0]); k++)
			expected |= moves[k] == i;
		assert_int_equal(fwa_command_moves_firmware(&cmd), expected);
	}
}

/* --- background work ------------------------------------------------------------------------ */

static void what_aborts_background_work(void **state)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = CXL_OP_ABORT_BACKGROUND };

	assert_true(fwa_command_aborts(&cmd));
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_ADMIN, .opcode = CXL_OP_ABORT_BACKGROUND };
	assert_false(fwa_command_aborts(&cmd));
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_IO,
				    .opcode = NVME_OP_SELF_TEST,
				    .cdw = { 15 } };
	assert_false(fwa_command_aborts(&cmd));
	cmd.set = FWA_SET_NVME_ADMIN;
	for (uint32_t cdw10 = 0; cdw10 < 64; cdw10++) {
		cmd.cdw[0] = cdw10;
		assert_int_equal(fwa_command_aborts(&cmd), cdw10 % 16 == 15);
	}
}

/* What is asked is a read of the right shape that leaves events alone. */
static void what_is_asked(void **state)
{
	struct fwa_profile profile = { 0 };
	struct fwa_command cmd;

	for (uint32_t opcode = 0; opcode <= 0xff; opcode++) {
		if (opcode != NVME_OP_SELF_TEST && opcode != NVME_OP_SANITIZE) {
			assert_false(fwa_background_ask((uint16_t)opcode, &cmd));
			continue;
		}
		assert_true(fwa_background_ask((uint16_t)opcode, &cmd));
		assert_int_equal(cmd.cdw[0] & 0xff, opcode == NVME_OP_SANITIZE ? 0x81 : 0x06);
		assert_int_equal(cmd.out_len, 4);
		assert_int_equal(
			fwa_shape_check(&profile, fwa_model_find(cmd.set, cmd.opcode), &cmd, NULL),
			FWA_DETAIL_NONE);
	}
}

static enum fwa_work answer(uint16_t opcode, uint32_t dword, uint8_t *percent)
{
	uint8_t page[4];

	fwa_put_le32(page, dword);
	return fwa_background_answer(opcode, fwa_span(page, sizeof(page)), percent);
}

static void what_is_answered(void **state)
{
	uint8_t percent;

	assert_int_equal(answer(NVME_OP_SELF_TEST, 0x00006400, &percent), FWA_WORK_OVER);
	assert_int_equal(percent, FWA_PERCENT_UNKNOWN);
	assert_int_equal(answer(NVME_OP_SELF_TEST, 0x2a01, &percent), FWA_WORK_RUNS);
	assert_int_equal(percent, 42);
	assert_int_equal(answer(NVME_OP_SELF_TEST, 0xaa02, &percent),
			 FWA_WORK_RUNS); /* bit 7 is reserved */
	assert_int_equal(percent, 42);
	assert_int_equal(answer(NVME_OP_SELF_TEST, 0x6401, &percent), FWA_WORK_RUNS);
	assert_int_equal(percent, 100);
	assert_int_equal(answer(NVME_OP_SELF_TEST, 0x6501, &percent), FWA_WORK_RUNS);
	assert_int_equal(percent, FWA_PERCENT_UNKNOWN);
	assert_int_equal(answer(NVME_OP_SELF_TEST, 0x7f0e, &percent), FWA_WORK_RUNS);
	assert_int_equal(percent, FWA_PERCENT_UNKNOWN);
	for (uint32_t status = 0; status < 8; status++) {
		assert_int_equal(answer(NVME_OP_SANITIZE, status << 16 | 0x8000, &percent),
				 status == 2 ? FWA_WORK_RUNS : FWA_WORK_OVER);
		assert_int_equal(percent, status == 2 ? 50 : FWA_PERCENT_UNKNOWN);
	}
	assert_int_equal(answer(NVME_OP_SANITIZE, 0x0002ffff, &percent), FWA_WORK_RUNS);
	assert_int_equal(percent, 99);
	assert_int_equal(answer(0x80, 0x0002ffff, &percent), FWA_WORK_UNKNOWN);
	for (size_t len = 0; len < 4; len++)
		assert_int_equal(fwa_background_answer(NVME_OP_SANITIZE, fwa_span("\0\0\2\0", len),
						       &percent),
				 FWA_WORK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer_is_followed),
		cmocka_unit_test(transfer_in_doubt_is_left),
		cmocka_unit_test(transfer_that_may_have_begun_is_left),
		cmocka_unit_test(transfer_only_of_set_feature),
		cmocka_unit_test(transfer_abort_names_the_feature),
		cmocka_unit_test(firmware_lasts_until_it_surely_ended),
		cmocka_unit_test(firmware_begins),
		cmocka_unit_test(firmware_of_nvme),
		cmocka_unit_test(firmware_abort),
		cmocka_unit_test(what_moves_firmware),
		cmocka_unit_test(what_aborts_background_work),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(what_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
