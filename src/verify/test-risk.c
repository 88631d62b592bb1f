/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which probe a step needs, row by row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/util.h"
#include "verify/generate-internal.h"
#include "verify/test-profiles.h"
#include "wire/nvme.h"

#define CEL "0da9c0b5bf414b788f7996b1623b3f17"
#define VENDOR_LOG "5e1819d911a9400c811fd60719403d86"
#define SCRUB "96dad7d6fde8482ba733757e4e06db8a"
#define VENDOR_FEATURE "5a1df00d6b2e4c119a770c514d000002"
#define ALL_ONES "ffffffffffffffffffffffffffffffff"
#define REST_OF_SET "0000000000000200000000000000000000"

/* On sim:honest, which declares what the specification says. */
static const struct {
	uint16_t opcode;
	const char *payload;
	enum vfy_probe risk;
} cxl[] = {
	{ 0x0200, "", VFY_PROBE_READ_ONLY },
	{ 0x0200, "00", VFY_PROBE_DECLARED }, /* malformed, and still a read */
	{ 0x0100, "00", VFY_PROBE_READ_ONLY },
	{ 0x0100, "ffffffff", VFY_PROBE_DECLARED },
	{ 0x0401, CEL "0000000010000000", VFY_PROBE_READ_ONLY },
	{ 0x0401, VENDOR_LOG "ffffffffffffffff", VFY_PROBE_DECLARED },
	{ 0x0401, "00", VFY_PROBE_DECLARED }, /* no log is worse than a read */
	{ 0x0401, ALL_ONES "0000000010000000", VFY_PROBE_DESTRUCTIVE }, /* not one that it lists */
	{ 0x0501, VENDOR_FEATURE "0000010000", VFY_PROBE_READ_ONLY },
	{ 0x0501, VENDOR_FEATURE "0000010003", VFY_PROBE_DESTRUCTIVE }, /* a reserved selection */
	{ 0x0501, VENDOR_FEATURE "00000100", VFY_PROBE_DESTRUCTIVE },   /* any selection */
	{ 0x0501, ALL_ONES "0000010000", VFY_PROBE_DESTRUCTIVE },
	{ 0xc000, "00000000", VFY_PROBE_READ_ONLY }, /* declared as a read */
	{ 0xc001, "0800000001000000", VFY_PROBE_DESTRUCTIVE },
	{ 0x0103, "01010101", VFY_PROBE_DECLARED },
	{ 0x0103, "010101", VFY_PROBE_DESTRUCTIVE }, /* malformed */
	{ 0x0101, "000100000000", VFY_PROBE_DECLARED },
	{ 0x0301, "0000000000000000", VFY_PROBE_DECLARED },
	{ 0x4204, "01", VFY_PROBE_DECLARED },
	{ 0x0502, VENDOR_FEATURE "0000000000000200000000000000000001", VFY_PROBE_DESTRUCTIVE },
	{ 0x4103, "000000000000000001", VFY_PROBE_DESTRUCTIVE }, /* data */
	{ 0x4302, "", VFY_PROBE_DESTRUCTIVE },
	{ 0x4400, "", VFY_PROBE_DESTRUCTIVE },
	{ 0x4504, "", VFY_PROBE_DESTRUCTIVE },
	{ 0x0202, "0101", VFY_PROBE_DESTRUCTIVE },
	{ 0x0005, "", VFY_PROBE_DESTRUCTIVE },
	{ 0x5300, "", VFY_PROBE_DESTRUCTIVE }, /* undeclared */
	{ 0x1234, "", VFY_PROBE_DESTRUCTIVE },
	{ 0x010a, "", VFY_PROBES }, /* takes addresses */
};

static struct test_profile sim, nvme;

static void test_cxl(void **state)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(cxl); i++) {
		struct vfy_step step = { .kind = VFY_COMMAND, .opcode = cxl[i].opcode };
		uint8_t payload[256];

		step.payload = payload;
		step.payload_len = (uint32_t)(strlen(cxl[i].payload) / 2);
		for (uint32_t b = 0; b < step.payload_len; b++)
			assert_true(fwa_hex_byte(cxl[i].payload + (size_t)2 * b, &payload[b]));
		if (vfy_step_risk(sim.profile, &step) != cxl[i].risk)
			fail_msg("%04xh %s: %s", cxl[i].opcode, cxl[i].payload,
				 vfy_probe_name(vfy_step_risk(sim.profile, &step)));
	}
}

/* A field of NVMe that is no CXL command's. */
static void test_malformed(void **state)
{
	struct vfy_step step = { .kind = VFY_COMMAND, .opcode = 0x0200, .nsid = 1 };

	assert_int_equal(vfy_step_risk(sim.profile, &step), VFY_PROBE_DESTRUCTIVE);
	step = (struct vfy_step){ .kind = VFY_COMMAND, .set = FWA_SET_COUNT };
	assert_int_equal(vfy_step_risk(sim.profile, &step), VFY_PROBES);
	step = (struct vfy_step){ .kind = VFY_STEP_KINDS };
	assert_int_equal(vfy_step_risk(sim.profile, &step), VFY_PROBES);
	step = (struct vfy_step){ .kind = VFY_RESET };
	assert_int_equal(vfy_step_risk(sim.profile, &step), VFY_PROBE_DESTRUCTIVE);
	step = (struct vfy_step){ .kind = VFY_SETTLE };
	assert_int_equal(vfy_step_risk(sim.profile, &step), VFY_PROBE_READ_ONLY);
}

/* On a controller that declares every command, and no effects; one namespace of 512 byte blocks. */
static const struct {
	uint8_t set;
	uint8_t opcode;
	uint32_t nsid;
	uint32_t cdw[3]; /* 10 to 12 */
	uint32_t in, out;
	enum vfy_probe risk;
} nvmes[] = {
	{ FWA_SET_NVME_ADMIN, 0x06, 0, { 1 }, 0, 4096, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_ADMIN, 0x06, 0, { 1 }, 0, 8192, VFY_PROBE_DECLARED },
	{ FWA_SET_NVME_ADMIN, 0x06, 0, { 1 }, 0, 512, VFY_PROBES }, /* it returns 4096 */
	{ FWA_SET_NVME_ADMIN, 0x06, 0, { 0x30 }, 0, 4096, VFY_PROBE_DESTRUCTIVE }, /* reserved */
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 127u << 16 | 2 }, 0, 512, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 126u << 16 | 2 }, 0, 512, VFY_PROBE_DECLARED },
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 128u << 16 | 2 }, 0, 512, VFY_PROBES },
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 127u << 16 | 2, 1 }, 0, 512, VFY_PROBES },
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 127u << 16 | 1 }, 0, 512, VFY_PROBE_DECLARED },
	{ FWA_SET_NVME_ADMIN, 0x02, 0, { 127u << 16 | 1 | 1u << 15 }, 0, 512, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0x02, 1 }, 4096, 0, VFY_PROBE_DECLARED },
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0x02, 1 }, 0, 0, VFY_PROBES }, /* it may read a page */
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0xc1, 1 }, 4096, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0x84, 1 }, 4096, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0x0d, 1 }, 4096, 0, VFY_PROBES }, /* host memory */
	{ FWA_SET_NVME_ADMIN, 0x09, 0, { 0x07, 1 }, 4096, 0, VFY_PROBES }, /* the driver's */
	{ FWA_SET_NVME_ADMIN, 0x00, 0, { 1 }, 0, 0, VFY_PROBES },          /* Delete SQ */
	{ FWA_SET_NVME_ADMIN, 0x01, 0, { 1 }, 4096, 0, VFY_PROBES },
	{ FWA_SET_NVME_ADMIN, 0x0c, 0, { 0 }, 0, 0, VFY_PROBES },
	{ FWA_SET_NVME_ADMIN, 0x10, 0, { 1 }, 0, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_ADMIN, 0x80, 1, { 0 }, 0, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_ADMIN, 0xc2, 0, { 1023 }, 0, 4096, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_ADMIN, 0xc2, 0, { 1024 }, 0, 4096, VFY_PROBES },
	{ FWA_SET_NVME_ADMIN, 0xc2, 0, { 0, 1 }, 0, 4096, VFY_PROBES }, /* metadata */
	{ FWA_SET_NVME_ADMIN, 0xc0, 0, { UINT32_MAX, 1 }, 0, 0, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_IO, 0x02, 1, { 0, 0, 0 }, 0, 512, VFY_PROBE_READ_ONLY },
	{ FWA_SET_NVME_IO, 0x02, 1, { 0, 0, 1 }, 0, 512, VFY_PROBES },
	{ FWA_SET_NVME_IO,
	  0x02,
	  2,
	  { 0, 0, 0 },
	  0,
	  512,
	  VFY_PROBES }, /* blocks of who knows what size */
	{ FWA_SET_NVME_IO, 0x01, 1, { 0, 0, 0 }, 512, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_IO, 0x0d, 1, { 0 }, 16, 0, VFY_PROBES }, /* reservations */
	{ FWA_SET_NVME_IO, 0x19, 1, { 0, 0, 0 }, 32, 0, VFY_PROBE_DESTRUCTIVE },
	{ FWA_SET_NVME_IO, 0x19, 1, { 0, 0, 1u << 8 }, 32, 0, VFY_PROBES },
};

static void test_nvme(void **state)
{
	static uint8_t payload[8192];

	for (size_t i = 0; i < FWA_ARRAY_SIZE(nvmes); i++) {
		struct vfy_step step = { .kind = VFY_COMMAND,
					 .set = nvmes[i].set,
					 .opcode = nvmes[i].opcode,
					 .nsid = nvmes[i].nsid,
					 .out_len = nvmes[i].out,
					 .payload = payload,
					 .payload_len = nvmes[i].in };

		memcpy(step.cdw, nvmes[i].cdw, sizeof(nvmes[i].cdw));
		if (vfy_step_risk(nvme.profile, &step) != nvmes[i].risk)
			fail_msg("%zu: %02xh: %s", i, nvmes[i].opcode,
				 vfy_probe_name(vfy_step_risk(nvme.profile, &step)));
	}
}

/* What was declared in one reading only, or otherwise in the second, is not relied on. */
static void test_two_readings(void **state)
{
	static const uint8_t once[] = { 0x00, 0x02, 0, 0, 0x00, 0x03, 0, 0, 0x00, 0x42, 0, 0 };
	static const uint8_t again[] = { 0x00, 0x02, 0, 0, 0x00, 0x03, 8, 0 };
	struct vfy_step step = { .kind = VFY_COMMAND, .opcode = 0x0200 };
	static struct fwa_profile p;
	uint8_t encoded[256];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(once, sizeof(once)));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL_AGAIN, fwa_span(again, sizeof(again)));
	assert_int_equal(fwa_profile_parse(&p, fwa_span(encoded, w.len)), 0);
	assert_int_equal(vfy_step_risk(&p, &step), VFY_PROBE_READ_ONLY);
	step.opcode = 0x0300;
	assert_int_equal(vfy_step_risk(&p, &step), VFY_PROBE_DESTRUCTIVE);
	step.opcode = 0x4200;
	assert_int_equal(vfy_step_risk(&p, &step), VFY_PROBE_DESTRUCTIVE);
}

static void test_names(void **state)
{
	assert_string_equal(vfy_probe_name(VFY_PROBE_READ_ONLY), "read-only");
	assert_string_equal(vfy_probe_name(VFY_PROBE_DESTRUCTIVE), "destructive");
	assert_string_equal(vfy_probe_name(VFY_PROBES), "never");
}

static void make_nvme(void)
{
	static uint8_t page[NVME_EFFECTS_LEN];
	static const uint8_t namespaces[] = { 1, 0, 0, 0, 9, 0, 0, 0 };
	struct fwa_writer w;

	nvme.encoded = malloc(FWA_PROFILE_MAX);
	nvme.profile = calloc(1, sizeof(*nvme.profile));
	w = fwa_writer(nvme.encoded, FWA_PROFILE_MAX);
	for (size_t at = 0; at < 2048; at += 4)
		fwa_put_le32(page + at, NVME_EFFECT_CSUPP);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(page, sizeof(page)));
	fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES, fwa_span(namespaces, sizeof(namespaces)));
	assert_int_equal(fwa_profile_parse(nvme.profile, fwa_span(nvme.encoded, w.len)), 0);
}

static int set_up(void **state)
{
	make_nvme();
	return test_profile_of(&sim, "sim:honest") ? 0 : -1;
}

static int tear_down(void **state)
{
	test_profile_clear(&sim);
	test_profile_clear(&nvme);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cxl),   cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nvme),  cmocka_unit_test(test_two_readings),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
