/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device says of a command: its own word, the Feature's, the model's; also of commands that the
 * gate would not send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "core/decide.h"
#include "verify/judge.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static const uint8_t policy_uuid[16] = { 1 }, fixed_uuid[16] = { 2 }, unknown_uuid[16] = { 3 };
static const uint8_t scrub_uuid[16] = { 0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
					0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a };

static uint8_t encoded[65536];
static struct fwa_profile profile;

static void put_feature(struct fwa_writer *w, const uint8_t *uuid, uint32_t flags, uint16_t effects)
{
	fwa_write_bytes(w, uuid, 16);
	fwa_write_le16(w, 0);
	fwa_write_le16(w, 8);
	fwa_write_le16(w, flags ? 8 : 0);
	fwa_write_le32(w, flags);
	fwa_write_le16(w, 0x0101);
	fwa_write_le16(w, effects);
	fwa_write_room(w, 18);
}

static void make_cxl(void)
{
	static const uint16_t cel[][2] = {
		{ CXL_OP_GET_LOG, 0 },
		{ CXL_OP_GET_FEATURE, 0 },
		{ CXL_OP_SET_FEATURE, CXL_CEL_CONFIG | CXL_CEL_POLICY | CXL_CEL_SECURITY },
		{ 0x4101, CXL_CEL_DATA },
		{ 0x4200, 0 },
		{ 0x4400, 0x1000 | CXL_CEL_DATA },
		{ 0xc000, CXL_CEL_LOG },
		{ 0xc001, CXL_CEL_CONFIG_COLD_RESET },
	};
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	uint8_t bytes[256];
	struct fwa_writer part = fwa_writer(bytes, sizeof(bytes));

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(cel); i++) {
		fwa_write_le16(&part, cel[i][0]);
		fwa_write_le16(&part, cel[i][1]);
	}
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(bytes, part.len));
	part = fwa_writer(bytes, sizeof(bytes));
	put_feature(&part, policy_uuid, CXL_FEATURE_CHANGEABLE, CXL_CEL_POLICY);
	put_feature(&part, fixed_uuid, 0, 0);
	put_feature(&part, scrub_uuid, CXL_FEATURE_CHANGEABLE, CXL_CEL_CONFIG);
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(bytes, part.len));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(encoded, w.len)), 0);
}

static void make_nvme(void)
{
	static uint8_t page[NVME_EFFECTS_LEN], ids[NVME_IDS_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

	memset(page, 0, sizeof(page));
	memset(ids, 0, sizeof(ids));
	fwa_put_le32(page + 4 * NVME_OP_SET_FEATURES, NVME_EFFECT_CSUPP);
	fwa_put_le32(page + 4 * 0xc0, NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC);
	fwa_put_le32(page + NVME_EFFECTS_IO + 4 * 2, NVME_EFFECT_CSUPP);
	fwa_put_le32(ids + 4 * 4, NVME_FEATURE_FSUPP | NVME_EFFECT_NCC);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(page, sizeof(page)));
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, fwa_span(ids, sizeof(ids)));
	fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES,
			fwa_span((uint8_t[]){ 1, 0, 0, 0, 9, 0, 0, 0 }, 8));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(encoded, w.len)), 0);
}

static struct vfy_claim claim_of(enum fwa_set set, uint16_t opcode, const void *payload, size_t len)
{
	struct vfy_claim claim = { 0 };
	struct fwa_command cmd = { .set = (uint8_t)set,
				   .opcode = opcode,
				   .payload = fwa_span(payload, len) };

	vfy_claim_add(&claim, &profile, &cmd);
	return claim;
}

/* Set Feature of @uuid, of which @len bytes are sent. */
static struct vfy_claim set_feature(const uint8_t *uuid, size_t len, unsigned int part)
{
	uint8_t payload[40] = { 0 };

	memcpy(payload, uuid, 16);
	payload[CXL_SET_FEATURE_FLAGS] = (uint8_t)part;
	return claim_of(FWA_SET_CXL, CXL_OP_SET_FEATURE, payload, len);
}

#define WORD (FWA_EFFECT_CONFIG | FWA_EFFECT_POLICY | FWA_EFFECT_SECURITY) /* of 0502h */

static void test_opcodes(void **state)
{
	struct vfy_claim c = claim_of(FWA_SET_CXL, 0xc000, NULL, 0);

	assert_int_equal(c.declared, FWA_EFFECT_LOG);
	assert_int_equal(c.floor, 0);
	assert_int_equal(c.declarable, FWA_EFFECTS_CXL_DECLARABLE);
	assert_int_equal(c.scope, FWA_SCOPE_DEBUG_WRITE_FULL);
	assert_true(c.listed);
	c = claim_of(FWA_SET_CXL, 0x4200, NULL, 0);
	assert_int_equal(c.scope, FWA_SCOPE_CONFIGURATION);
	c = claim_of(FWA_SET_CXL, 0xc002, NULL, 0);
	assert_false(c.listed);
	assert_int_equal(c.declared | c.floor, 0);
	c = claim_of(FWA_SET_CXL, 0x4302, NULL, 0); /* the model knows what it would do */
	assert_false(c.listed);
	assert_int_equal(c.floor, FWA_EFFECT_DATA);
	assert_int_equal(c.declared, 0);
}

/* Also what the gate refuses for its shape has the declaration of its opcode, and the floor. */
static void test_malformed(void **state)
{
	const uint8_t payload[9] = { 0 };

	for (size_t len = 0; len <= sizeof(payload); len++) {
		struct vfy_claim c = claim_of(FWA_SET_CXL, 0x4101, payload, len);

		assert_true(c.listed);
		assert_int_equal(c.declared, FWA_EFFECT_DATA);
		assert_int_equal(c.floor, FWA_EFFECT_CONFIG_COLD_RESET | FWA_EFFECT_CONFIG |
						  FWA_EFFECT_DATA);
		assert_int_equal(c.scope, len == sizeof(payload) ? FWA_SCOPE_DEBUG_WRITE_FULL
								 : FWA_SCOPE_NEVER);
	}
}

/* Dwords of a CXL command are nobody's: a mailbox has none. */
static void test_fields_that_a_mailbox_has_not(void **state)
{
	struct vfy_claim claim = { 0 };
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0x4200, .nsid = 1, .cdw = { 2 } };

	vfy_claim_add(&claim, &profile, &cmd);
	assert_true(claim.listed);
	assert_int_equal(claim.scope, FWA_SCOPE_CONFIGURATION);
}

static void test_reserved_bits(void **state)
{
	struct vfy_claim c = claim_of(FWA_SET_CXL, 0x4400, NULL, 0);

	assert_true(c.listed);
	assert_int_equal(c.declared, FWA_EFFECT_DATA | FWA_EFFECT_UNKNOWN);
	assert_int_equal(c.scope, FWA_SCOPE_NEVER);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_LOG), VFY_LOW);
}

/* The Feature's own entry; without one that can be read, the command's word. */
static void test_features(void **state)
{
	struct vfy_claim c = set_feature(policy_uuid, 40, CXL_PART_FULL);

	assert_int_equal(c.declared, FWA_EFFECT_POLICY);
	assert_int_equal(c.floor, 0);
	assert_true(c.listed);
	c = set_feature(scrub_uuid, 40, CXL_PART_FULL);
	assert_int_equal(c.declared, FWA_EFFECT_CONFIG);
	assert_int_equal(c.floor, FWA_EFFECT_OTHER_CLIENT);
	for (size_t len = 0; len < 16; len++) {
		c = set_feature(policy_uuid, len, CXL_PART_FULL);
		assert_int_equal(c.declared, WORD);
		assert_true(c.listed);
	}
	c = set_feature(policy_uuid, 16, CXL_PART_FULL);
	assert_int_equal(c.declared, FWA_EFFECT_POLICY);
	c = set_feature(unknown_uuid, 40, CXL_PART_FULL);
	assert_int_equal(c.declared, WORD);
	assert_false(c.listed);
	c = set_feature(CXL_UUID_IN_TRANSFER, 40, CXL_PART_CONTINUE);
	assert_int_equal(c.declared, WORD);
	assert_true(c.listed);
}

/* One that says that it cannot be changed says that nothing changes. */
static void test_fixed_features(void **state)
{
	struct vfy_claim c = set_feature(fixed_uuid, 40, CXL_PART_FULL);

	assert_int_equal(c.declared, 0);
	assert_int_equal(c.floor, 0);
	assert_false(c.listed);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_CONFIG), VFY_LOW);
}

static void test_together(void **state)
{
	struct vfy_claim claim = { 0 };
	struct fwa_command read = { .set = FWA_SET_CXL, .opcode = 0x4200 };
	struct fwa_command log = { .set = FWA_SET_CXL, .opcode = 0xc000 };
	struct fwa_command none = { .set = FWA_SET_CXL, .opcode = 0xc005 };

	vfy_claim_add(&claim, &profile, &read);
	vfy_claim_add(&claim, &profile, &log);
	assert_true(claim.listed);
	assert_int_equal(claim.n, 2);
	assert_int_equal(claim.declared, FWA_EFFECT_LOG);
	assert_int_equal(claim.scope, FWA_SCOPE_DEBUG_WRITE_FULL);
	vfy_claim_add(&claim, &profile, &none);
	vfy_claim_add(&claim, &profile, &read);
	assert_false(claim.listed);
	assert_int_equal(claim.scope, FWA_SCOPE_NEVER);
}

static void test_resets(void **state)
{
	const struct {
		enum fwa_reset kind;
		fwa_effects due;
	} resets[] = {
		{ FWA_RESET_COLD, FWA_EFFECTS_RESET },
		{ FWA_RESET_CONVENTIONAL,
		  FWA_EFFECT_CONFIG_CONV_RESET | FWA_EFFECT_CONFIG_CXL_RESET },
		{ FWA_RESET_CXL, FWA_EFFECT_CONFIG_CXL_RESET },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(resets); i++)
		for (fwa_effects e = 1; e <= FWA_EFFECT_UNKNOWN; e <<= 1) {
			struct vfy_claim declared = { .declared = e }, floor = { .floor = e };
			fwa_effects then = e & resets[i].due ? e | FWA_EFFECT_CONFIG : e;

			vfy_claim_reset(&declared, resets[i].kind);
			vfy_claim_reset(&floor, resets[i].kind);
			assert_int_equal(declared.declared, then);
			assert_int_equal(declared.floor, 0);
			assert_int_equal(floor.floor, then);
			assert_int_equal(floor.declared, 0);
		}
}

static void test_nvme(void **state)
{
	struct fwa_command set = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_SET_FEATURES,
				   .cdw = { 4 } };
	struct fwa_command read = {
		.set = FWA_SET_NVME_IO, .opcode = 2, .nsid = 1, .out_len = 512
	};
	struct vfy_claim c = { 0 }, user = { 0 };

	make_nvme();
	vfy_claim_add(&c, &profile, &set);
	assert_int_equal(c.declared, FWA_EFFECT_NAMESPACE_CAPABILITY);
	assert_int_equal(c.floor, FWA_EFFECT_CONFIG | FWA_EFFECT_POLICY);
	assert_int_equal(c.declarable, FWA_EFFECTS_NVME_DECLARABLE);
	set.cdw[0] = 6; /* which page 12h does not list */
	c = (struct vfy_claim){ 0 };
	vfy_claim_add(&c, &profile, &set);
	assert_false(c.listed);
	assert_int_equal(c.floor, FWA_EFFECT_CONFIG);
	c = claim_of(FWA_SET_NVME_ADMIN, 0xc0, NULL, 0);
	assert_int_equal(c.declared, FWA_EFFECT_DATA);
	assert_int_equal(c.floor, 0);
	c = claim_of(FWA_SET_NVME_ADMIN, 0x1c0, NULL, 0); /* no opcode at all */
	assert_false(c.listed);
	assert_int_equal(c.declared, 0);
	vfy_claim_add(&user, &profile, &read);
	assert_int_equal(user.declared | user.floor, 0);
	assert_int_equal(user.scope, FWA_SCOPE_DEBUG_WRITE_FULL);
	make_cxl();
}

static void test_nonsense(void **state)
{
	struct vfy_claim c = claim_of(FWA_SET_COUNT, 0x4200, NULL, 0);

	assert_false(c.listed);
	assert_int_equal(c.declared | c.floor, 0);
	assert_int_equal(c.n, 1);
}

static int setup(void **state)
{
	make_cxl();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opcodes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_fields_that_a_mailbox_has_not),
		cmocka_unit_test(test_reserved_bits),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_fixed_features),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
