/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching QEMU's devices, which nobody here wrote: this machine's, or those of the QEMU that FWADMIT_QEMU
 * names. Skipped (77) when there is none.
 */
#include "verify/test-watch.h"

static struct watch w;

static int open_type(const char *type)
{
	const char *qemu = getenv("FWADMIT_QEMU");
	char spec[512];

	snprintf(spec, sizeof(spec), "qtest:%s%s%s", type, qemu ? ",qemu=" : "", qemu ? qemu : "");
	return watch_try(&w, spec);
}

static int set_up_cxl(void **state)
{
	return open_type("cxl-type3");
}

static int set_up_nvme(void **state)
{
	return open_type("nvme");
}

static int tear_down(void **state)
{
	watch_close(&w);
	return 0;
}

/* With nothing sent nothing changes, beyond what was masked; and all is read again. */
static void assert_still(void)
{
	watch_begin(&w);
	for (int i = 0; i < 5; i++) {
		uint64_t before = w.observed;

		assert_int_equal(vfy_observe(&w.plan, w.dev, watch_submit, &w, &w.snapshot[0],
					     &w.snapshot[1]),
				 0);
		assert_true(w.observed > before);
		watch_assert_unchanged(&w, 0, 1);
	}
	assert_int_equal(watch_observe(&w, 1), 0);
	watch_assert_unchanged(&w, 0, 1);
	/* What is masked is little. */
	for (size_t i = 0; i < w.plan.n; i++)
		if (vfy_mask_has(&w.mask, &w.plan, &w.snapshot[0], i))
			print_message("  masked: %s\n", w.plan.observable[i].name);
}

static void test_cxl_is_still(void **state)
{
	assert_still();
	watch_find(&w, "identify");
	watch_find(&w, "lsa @0");
	watch_find(&w, "lsa @0xff800");
	assert_true(w.plan.observable[watch_find(&w, "lsa @0x80000")].rare);
}

static void test_nvme_is_still(void **state)
{
	assert_still();
	watch_find(&w, "controller");
	watch_find(&w, "namespace 1");
	watch_find(&w, "smart");
	watch_find(&w, "lba 1 @0");
}

/*
 * What is declared and done is seen, and covered. Set Event Interrupt Policy has the bit for configuration in
 * some releases, and does nothing in some.
 */
static void test_cxl_changes(void **state)
{
	static const uint8_t labels[8 + 4] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 };
	static const uint8_t policy[5] = { 1, 1, 1, 1, 0 };
	uint8_t time[8];

	watch_begin(&w);
	watch_send(&w, 0x4103, labels, sizeof(labels));
	assert_int_equal(w.code, 0);
	assert_int_equal(w.j.undeclared, 0);
	assert_true(watch_changed(&w, "lsa @0", NULL));
	fwa_put_le64(time, 1700000000000000000);
	watch_send(&w, 0x0301, time, sizeof(time));
	assert_int_equal(w.j.undeclared, 0);
	assert_int_equal(w.j.observed, FWA_EFFECT_POLICY);
	for (size_t len = 4; len <= 5; len++) {
		watch_send(&w, 0x0103, policy, len);
		assert_true(!w.j.undeclared || w.j.undeclared == FWA_EFFECT_POLICY);
		if (w.j.undeclared)
			assert_int_equal(w.j.severity, VFY_LOW);
		if (w.code == 0)
			break;
	}
	assert_int_equal(w.code, 0);
}

static void test_nvme_changes(void **state)
{
	static uint8_t data[512];
	struct fwa_command write = {
		.set = FWA_SET_NVME_IO, .opcode = 1, .nsid = 1, .payload = { data, sizeof(data) }
	};
	struct fwa_command set = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_SET_FEATURES,
				   .cdw = { 0x04, 0x160 } };

	memset(data, 0x5a, sizeof(data));
	watch_begin(&w);
	watch_try_command(&w, &write);
	assert_int_equal(w.code, 0);
	assert_int_equal(w.j.undeclared, 0);
	assert_int_equal(w.j.observed, FWA_EFFECT_DATA);
	watch_try_command(&w, &set);
	assert_int_equal(w.code, 0);
	assert_int_equal(w.j.undeclared, 0);
	assert_true(watch_changed(&w, "feature temp-thresh current", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cxl_is_still, set_up_cxl, tear_down),
		cmocka_unit_test_setup_teardown(test_cxl_changes, set_up_cxl, tear_down),
		cmocka_unit_test_setup_teardown(test_nvme_is_still, set_up_nvme, tear_down),
		cmocka_unit_test_setup_teardown(test_nvme_changes, set_up_nvme, tear_down),
	};
	struct fwa_open_args args = { .spec = "qtest:cxl-type3", .fd = -1 };
	char spec[512];
	int r;

	if (getenv("FWADMIT_QEMU")) {
		snprintf(spec, sizeof(spec), "qtest:cxl-type3,qemu=%s", getenv("FWADMIT_QEMU"));
		args.spec = spec;
	}
	r = fwa_device_open(&args, &w.dev);
	/* -EACCES: there is none either, and $PATH has a folder that this user may not look into. */
	if (!getenv("FWADMIT_QEMU") && (r == -ENOENT || r == -EACCES)) {
		fprintf(stderr, "skipped: %s\n", args.error);
		return 77;
	}
	if (r == 0)
		fwa_device_close(w.dev);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
