/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters by hand: each kind of term, and what is no filter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/filter.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CMD(s, op)                                              \
	{                                                       \
		.kind = FWA_TERM_COMMAND, .set = s, .value = op \
	}
#define NO_CMD(s, op)                                                                  \
	{                                                                              \
		.kind = FWA_TERM_COMMAND, .flags = FWA_TERM_NOT, .set = s, .value = op \
	}
#define GLP CMD(FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE)
#define NO_GLP NO_CMD(FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE)
#define IS(k, v)                                  \
	{                                         \
		.kind = FWA_FIELD_##k, .value = v \
	}
#define AND(k, v)                                                        \
	{                                                                \
		.kind = FWA_FIELD_##k, .flags = FWA_TERM_AND, .value = v \
	}
#define NOT(k, v)                                                        \
	{                                                                \
		.kind = FWA_FIELD_##k, .flags = FWA_TERM_NOT, .value = v \
	}
#define NOT_AND(k, v)                                                                   \
	{                                                                               \
		.kind = FWA_FIELD_##k, .flags = FWA_TERM_NOT | FWA_TERM_AND, .value = v \
	}

static struct fwa_span encode(const struct fwa_term *terms, size_t n)
{
	static uint8_t encoded[(FWA_FILTER_TERMS_MAX + 1) * FWA_TERM_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

	for (size_t i = 0; i < n; i++)
		fwa_filter_write_term(&w, &terms[i]);
	return fwa_span(encoded, w.len);
}

static struct fwa_command glp(uint32_t lid, uint32_t lsp)
{
	return (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
				     .opcode = NVME_OP_GET_LOG_PAGE,
				     .cdw = { lid | lsp << 8 } };
}

static void filter_of_the_manual(void **state)
{
	/* get-log-page !lid:0x07/lsp:1 */
	static const struct fwa_term t[] = { GLP, NOT(LID, 7), NOT_AND(LSP, 1) };
	struct fwa_span f = encode(t, COUNT(t));
	struct fwa_command cmd = glp(7, 1);

	assert_true(fwa_filter_valid(f));
	assert_false(fwa_filter_covers(f, &cmd, NULL));
	cmd = glp(7, 0);
	assert_true(fwa_filter_covers(f, &cmd, NULL));
	cmd = glp(8, 1);
	assert_true(fwa_filter_covers(f, &cmd, NULL));
	cmd.opcode = NVME_OP_IDENTIFY;
	assert_false(fwa_filter_covers(f, &cmd, NULL));
	cmd.set = FWA_SET_NVME_IO;
	cmd.opcode = NVME_OP_GET_LOG_PAGE;
	assert_false(fwa_filter_covers(f, &cmd, NULL));
}

static void filter_without_terms_covers_all(void **state)
{
	struct fwa_command cmd = glp(1, 0);

	assert_true(fwa_filter_valid(fwa_span(NULL, 0)));
	assert_true(fwa_filter_covers(fwa_span(NULL, 0), &cmd, NULL));
}

static void filter_of_negative_items_covers_the_rest(void **state)
{
	static const struct fwa_term t[] = { NO_GLP, IS(LID, 2), IS(LID, 3) };
	struct fwa_span f = encode(t, COUNT(t));
	struct fwa_command cmd = glp(2, 0);

	assert_false(fwa_filter_covers(f, &cmd, NULL));
	cmd = glp(3, 5);
	assert_false(fwa_filter_covers(f, &cmd, NULL));
	cmd = glp(4, 0);
	assert_true(fwa_filter_covers(f, &cmd, NULL));
	cmd.opcode = NVME_OP_IDENTIFY;
	assert_true(fwa_filter_covers(f, &cmd, NULL));
}

/*
 * Bytes that are not there match nothing that is allowed and all that is excluded; the other way
 * round where a filter forbids.
 */
static void filter_missing_bytes_never_help(void **state)
{
	static const struct fwa_term slot2[] = { CMD(FWA_SET_CXL, CXL_OP_ACTIVATE_FW),
						 IS(SLOT, 2) };
	static const struct fwa_term not2[] = { CMD(FWA_SET_CXL, CXL_OP_ACTIVATE_FW),
						NOT(SLOT, 2) };
	static const struct fwa_term no_slot2[] = { NO_CMD(FWA_SET_CXL, CXL_OP_ACTIVATE_FW),
						    IS(SLOT, 2) };
	static const struct fwa_term no_not2[] = { NO_CMD(FWA_SET_CXL, CXL_OP_ACTIVATE_FW),
						   NOT(SLOT, 2) };
	static const struct {
		const struct fwa_term *t;
		bool two, three, missing;
	} table[] = {
		{ slot2, true, false, false },
		{ not2, false, true, false },
		{ no_slot2, false, true, false },
		{ no_not2, true, false, false },
	};
	struct fwa_command cmd = { .opcode = CXL_OP_ACTIVATE_FW };

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_span f = encode(table[i].t, 2);

		assert_true(fwa_filter_valid(f));
		cmd.payload = fwa_span("\1\2", 2);
		assert_int_equal(fwa_filter_covers(f, &cmd, NULL), table[i].two);
		assert_int_equal(fwa_filter_may_cover(f, &cmd, NULL), table[i].two);
		cmd.payload = fwa_span("\2\3", 2);
		assert_int_equal(fwa_filter_covers(f, &cmd, NULL), table[i].three);
		assert_int_equal(fwa_filter_may_cover(f, &cmd, NULL), table[i].three);
		cmd.payload.len = 1;
		assert_int_equal(fwa_filter_covers(f, &cmd, NULL), table[i].missing);
		assert_int_equal(fwa_filter_may_cover(f, &cmd, NULL), !table[i].missing);
	}
}

static void filter_fields_are_read_from_the_bytes(void **state)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .nsid = 77 };
	uint8_t payload[20] = { 9, 4, 7 };
	struct fwa_field_value v;

	cmd.opcode = NVME_OP_GET_LOG_PAGE;
	cmd.cdw[0] = 0x12348523;
	cmd.cdw[1] = 0xabcd0001;
	assert_true(fwa_command_field(&cmd, FWA_FIELD_LID, &v) && v.number == 0x23);
	assert_true(fwa_command_field(&cmd, FWA_FIELD_LSP, &v) && v.number == 0x05);
	assert_true(fwa_command_field(&cmd, FWA_FIELD_LSI, &v) && v.number == 0xabcd);
	assert_true(fwa_command_field(&cmd, FWA_FIELD_NSID, &v) && v.number == 77);
	assert_false(fwa_command_field(&cmd, FWA_FIELD_FID, &v));
	assert_false(fwa_command_field(&cmd, FWA_FIELD_COUNT, &v));
	cmd.opcode = NVME_OP_SET_FEATURES;
	assert_true(fwa_command_field(&cmd, FWA_FIELD_FID, &v) && v.number == 0x23);
	cmd.opcode = NVME_OP_IDENTIFY;
	assert_true(fwa_command_field(&cmd, FWA_FIELD_CNS, &v) && v.number == 0x23);
	cmd.opcode = NVME_OP_FW_COMMIT;
	assert_true(fwa_command_field(&cmd, FWA_FIELD_SLOT, &v) && v.number == 3);
	cmd = (struct fwa_command){ .opcode = CXL_OP_TRANSFER_FW,
				    .payload = fwa_span(payload, sizeof(payload)) };
	assert_true(fwa_command_field(&cmd, FWA_FIELD_SLOT, &v) && v.number == 4);
	assert_false(fwa_command_field(&cmd, FWA_FIELD_NSID, &v));
	cmd.opcode = CXL_OP_SET_FEATURE;
	assert_true(fwa_command_field(&cmd, FWA_FIELD_UUID, &v) && v.uuid == payload);
	cmd.payload.len = 15;
	assert_false(fwa_command_field(&cmd, FWA_FIELD_UUID, &v));
}

/* What the bytes of a command select besides, in both families. */
static void filter_fields_of_operations(void **state)
{
	static const struct {
		uint8_t set;
		uint16_t opcode;
		enum fwa_field field;
		uint32_t cdw10;
		size_t at; /* in the payload, where it is the last byte */
		uint8_t byte;
		uint32_t value, max;
	} table[] = {
		{ FWA_SET_NVME_ADMIN, 0x0a, FWA_FIELD_SEL, 0xfffffaff, 0, 0, 2, 7 },
		{ FWA_SET_NVME_ADMIN, 0x0a, FWA_FIELD_OP, 0x00000300, 0, 0, 3, 7 },
		{ FWA_SET_NVME_ADMIN, 0x09, FWA_FIELD_SV, 0x80000004, 0, 0, 1, 1 },
		{ FWA_SET_NVME_ADMIN, 0x09, FWA_FIELD_SV, 0x7fffffff, 0, 0, 0, 1 },
		{ FWA_SET_NVME_ADMIN, 0x09, FWA_FIELD_OP, 0x80000004, 0, 0, 1, 1 },
		{ FWA_SET_NVME_ADMIN, 0x80, FWA_FIELD_OP, 0x00000400, 0, 0, 2, 7 }, /* SES */
		{ FWA_SET_NVME_ADMIN, 0x10, FWA_FIELD_OP, 0x0000001a, 0, 0, 3, 7 }, /* CA */
		{ FWA_SET_CXL, 0x0501, FWA_FIELD_SEL, 0, 20, 2, 2, 255 },
		{ FWA_SET_CXL, 0x0502, FWA_FIELD_SV, 0, 16, 0x0a, 1, 1 },
		{ FWA_SET_CXL, 0x0502, FWA_FIELD_SV, 0, 16, 0xf7, 0, 1 },
		{ FWA_SET_CXL, 0x0502, FWA_FIELD_OP, 0, 16, 0x0a, 2, 7 },
		{ FWA_SET_CXL, 0x4101, FWA_FIELD_OP, 0, 8, 1, 1, 255 },
		{ FWA_SET_CXL, 0x4402, FWA_FIELD_OP, 0, 1, 3, 3, 65535 }, /* class 0, subclass 3 */
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		uint8_t payload[32] = { [31] = 0 };
		struct fwa_command cmd = { .set = table[i].set,
					   .opcode = table[i].opcode,
					   .cdw = { table[i].cdw10 },
					   .payload = fwa_span(payload, table[i].at + 1) };
		struct fwa_field_value v;

		payload[table[i].at] = table[i].byte;
		assert_int_equal(fwa_field_max(cmd.set, cmd.opcode, table[i].field), table[i].max);
		assert_true(fwa_command_field(&cmd, table[i].field, &v));
		assert_int_equal(v.number, table[i].value);
		cmd.payload.len--;
		assert_int_equal(fwa_command_field(&cmd, table[i].field, &v),
				 cmd.set != FWA_SET_CXL);
	}
	assert_false(fwa_opcode_has_field(FWA_SET_NVME_IO, 0x0a, FWA_FIELD_SEL));
	assert_false(fwa_opcode_has_field(FWA_SET_NVME_ADMIN, 0x09, FWA_FIELD_SEL));
	assert_false(fwa_opcode_has_field(FWA_SET_CXL, 0x0501, FWA_FIELD_SV));
	assert_false(fwa_opcode_has_field(FWA_SET_CXL, 0xc000, FWA_FIELD_OP));
}

static void operations_by_name(void **state)
{
	const struct fwa_model_command *format = fwa_model_find(FWA_SET_NVME_ADMIN, 0x80);
	const struct fwa_model_command *media = fwa_model_by_name(FWA_SET_CXL, "media-operations");

	assert_int_equal(fwa_model_operation_by_name(format, "crypto-erase"), 2);
	assert_int_equal(fwa_model_operation_by_name(format, "format"), 0);
	assert_int_equal(fwa_model_operation_by_name(media, "sanitize"), 0x100);
	assert_int_equal(fwa_model_operation_by_name(format, "reserved"), -1); /* many numbers */
	assert_int_equal(fwa_model_operation_by_name(format, ""), -1);
	assert_int_equal(fwa_model_operation_by_name(NULL, "format"), -1);
}

static void filter_validity(void **state)
{
	static const struct {
		size_t n;
		struct fwa_term t[3];
		bool valid;
	} table[] = {
		{ 1, { GLP }, true },
		{ 2, { GLP, NO_GLP }, true },
		{ 1, { IS(LID, 1) }, false }, /* of no command */
		{ 2, { GLP, IS(FID, 1) }, false },
		{ 2, { GLP, IS(LID, 0xff) }, true },
		{ 2, { GLP, IS(LID, 0x100) }, false },
		{ 2, { CMD(FWA_SET_NVME_ADMIN, 0x80), IS(OP, 7) }, true },
		{ 2, { CMD(FWA_SET_NVME_ADMIN, 0x80), IS(OP, 8) }, false },
		{ 2, { GLP, IS(OP, 0) }, false },
		{ 2, { GLP, AND(LID, 1) }, false }, /* continues nothing */
		{ 3, { GLP, IS(LID, 1), AND(LSP, 1) }, true },
		{ 3, { GLP, IS(LID, 1), NOT_AND(LSP, 1) }, false },
		{ 3, { GLP, NOT(LID, 1), AND(LSP, 1) }, false },
		{ 3, { GLP, NOT(LID, 1), NOT_AND(LSP, 1) }, true },
		{ 1, { CMD(FWA_SET_COUNT, 1) }, false },
		{ 1, { CMD(FWA_SET_NVME_IO, 0x100) }, false },
		{ 1, { CMD(FWA_SET_CXL, 0xffff) }, true },
		{ 1, { CMD(FWA_SET_CXL, 0x10000) }, false },
		{ 1, { { .kind = FWA_TERM_COMMAND, .flags = FWA_TERM_AND, .value = 1 } }, false },
		{ 1, { { .kind = FWA_TERM_COMMAND, .value = 1, .uuid = { 1 } } }, false },
		{ 2, { GLP, { .kind = FWA_FIELD_LID, .set = 1 } }, false },
		{ 2, { GLP, { .kind = FWA_FIELD_LID, .uuid = { [15] = 1 } } }, false },
		{ 2, { GLP, { .kind = FWA_FIELD_COUNT } }, false },
		{ 2, { CMD(FWA_SET_CXL, CXL_OP_SET_FEATURE), IS(UUID, 1) }, false },
	};
	static struct fwa_term many[FWA_FILTER_TERMS_MAX + 1];
	struct fwa_span f;

	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(fwa_filter_valid(encode(table[i].t, table[i].n)), table[i].valid);
	assert_true(fwa_filter_valid(encode(many, COUNT(many) - 1)));
	assert_false(fwa_filter_valid(encode(many, COUNT(many))));
	f = encode(table[0].t, 1);
	f.len--;
	assert_false(fwa_filter_valid(f));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_of_the_manual),
		cmocka_unit_test(filter_without_terms_covers_all),
		cmocka_unit_test(filter_of_negative_items_covers_the_rest),
		cmocka_unit_test(filter_missing_bytes_never_help),
		cmocka_unit_test(filter_fields_are_read_from_the_bytes),
		cmocka_unit_test(filter_fields_of_operations),
		cmocka_unit_test(operations_by_name),
		cmocka_unit_test(filter_validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
