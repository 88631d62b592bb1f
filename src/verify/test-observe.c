/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching simulated devices: what is in a plan, that observing changes nothing and sends reads alone, and
 * what happens with devices that are no good.
 */
#include "verify/test-watch.h"

static struct watch w;

static void open_watch(const char *spec)
{
	assert_int_equal(watch_try(&w, spec), 0);
}

static void assert_names_differ(void)
{
	for (size_t i = 0; i < w.plan.n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(w.plan.observable[i].name,
						w.plan.observable[k].name);
}

static void test_plan_of_a_cxl_device(void **state)
{
	static const char *const names[] = {
		"identify",
		"cel",
		"supported-features",
		"firmware",
		"partitions",
		"health",
		"alerts",
		"shutdown-state",
		"event-interrupt-policy",
		"timestamp",
		"security",
		"events-00",
		"events-03",
		"poison",
		"registers",
		"feature patrol-scrub current",
		"feature patrol-scrub default",
		"feature 5a1df00d-6b2e-4c11-9a77-0c514d000004 saved @0x800",
		"log vendor-debug",
		"lsa @0",
		"lsa @0x3800",
		"media @0",
		"media @0x3fffffc0",
	};

	open_watch("sim:honest");
	assert_names_differ();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		watch_find(&w, names[i]);
	assert_true(watch_left_out(&w, "component: "));
	assert_true(watch_left_out(&w, "events-04: the device answers 0x2"));
	assert_null(w.plan.left_out[w.plan.n_left_out]);
	for (size_t i = 0; i < w.plan.n; i++)
		assert_true(w.plan.observable[i].row->each == VFY_EACH_REGISTERS ||
			    w.plan.observable[i].row->each == VFY_EACH_MEDIA ||
			    !w.plan.observable[i].cmd.payload.len ||
			    w.plan.observable[i].cmd.payload.data == w.plan.observable[i].payload);
	watch_close(&w);
}

static void test_plan_of_an_nvme_controller(void **state)
{
	static const char *const names[] = {
		"controller", "effects",        "active-namespaces", "namespace 1",
		"smart",      "firmware-slots", "self-test",         "sanitize-status",
	};

	open_watch("sim:nvme");
	assert_names_differ();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		watch_find(&w, names[i]);
	watch_close(&w);
}

/* What a device that lies about it declares as no read is not read, and it is said. */
static void test_only_reads(void **state)
{
	open_watch("sim:honest,declare=0x42000002");
	for (size_t i = 0; i < w.plan.n; i++)
		assert_string_not_equal(w.plan.observable[i].name, "health");
	assert_true(
		watch_left_out(&w, "health: reading it is declared to change something: config"));
	watch_close(&w);
	open_watch("sim:honest,declare=0x42008000"); /* a reserved bit */
	assert_true(watch_left_out(&w, "health: reserved-bits"));
	watch_close(&w);
	open_watch("sim:honest,undeclare=0x4200");
	assert_true(watch_left_out(&w, "health: the device does not declare the command"));
	watch_close(&w);
}

/* Twice the same, also with nothing masked, whoever the device is. */
static void test_nothing_changes_by_itself(void **state)
{
	static const char *const specs[] = {
		"sim:honest",
		"sim:honest,payload=256",
		"sim:honest,payload=65536",
		"sim:honest,locked=1",
		"sim:honest,seed=77",
		"sim:huge",
		"sim:empty",
		"sim:reserved",
		"sim:liar-spec",
		"sim:liar-data",
		"sim:nvme",
		"sim:nvme,seed=9",
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(specs); i++) {
		open_watch(specs[i]);
		assert_int_equal(watch_observe(&w, 0), 0);
		assert_int_equal(watch_observe(&w, 1), 0);
		watch_assert_unchanged(&w, 0, 1);
		assert_int_equal(vfy_mask_learn(&w.mask, &w.plan, &w.snapshot[0], &w.snapshot[1]),
				 0);
		watch_close(&w);
	}
}

/* A clock that runs is no change; one that was set is. */
static void test_clock(void **state)
{
	uint8_t time[8];

	open_watch("sim:honest");
	watch_begin(&w);
	fwa_put_le64(time, 1700000000000000000);
	watch_send(&w, 0x0301, time, sizeof(time));
	assert_int_equal(w.code, 0);
	assert_true(watch_changed(&w, "timestamp", "time"));
	assert_int_equal(w.j.observed, FWA_EFFECT_POLICY);
	assert_int_equal(w.j.undeclared, 0);
	watch_begin(&w);
	assert_int_equal(watch_observe(&w, 1), 0);
	watch_assert_unchanged(&w, 0, 1);
	fwa_put_le64(time, 1700000100000000000);
	watch_send(&w, 0x0301, time, sizeof(time));
	assert_int_equal(w.j.observed, FWA_EFFECT_POLICY);
	watch_close(&w);
}

/* The first reading empties the log; from then on it is empty. Who learned that from it would see nothing. */
static void test_what_observing_changes(void **state)
{
	open_watch("sim:liar-log");
	for (int i = 0; i < 3; i++)
		assert_int_equal(watch_observe(&w, i), 0);
	assert_int_equal(vfy_mask_learn(&w.mask, &w.plan, &w.snapshot[1], &w.snapshot[2]), 0);
	vfy_judge(&w.plan, &w.mask, &w.snapshot[0], &w.snapshot[1], &(struct vfy_claim){ 0 }, 0,
		  &w.j);
	assert_int_equal(w.j.undeclared, FWA_EFFECT_LOG);
	assert_true(watch_changed(&w, "log vendor-debug", "bytes"));
	watch_close(&w);
}

static void assert_disturbs(const char *spec, const char *what, const char *by)
{
	size_t found = SIZE_MAX, i;

	open_watch(spec);
	watch_begin(&w);
	i = watch_find(&w, what);
	for (size_t k = 0; k < w.plan.n; k++)
		assert_int_equal(vfy_mask_has(&w.mask, &w.plan, &w.snapshot[0], k), k == i);
	assert_int_equal(vfy_disturbed(&w.plan, w.dev, watch_submit, &w, i, &found), 1);
	assert_int_equal(found, watch_find(&w, by));
	assert_int_equal(vfy_disturbed(&w.plan, w.dev, watch_submit, &w, found, &i), 0);
	watch_close(&w);
}

/* Reading one thing changes another one at each reading: it is masked, and yet found. */
static void test_what_disturbs(void **state)
{
	assert_disturbs("sim:liar-selector", "log vendor-debug", "log-capabilities vendor-debug");
	assert_disturbs("sim:liar-nvme-feature", "feature temp-thresh current", "self-test");
}

/* With the one alone the lie is to be seen like any other. */
static void test_a_plan_of_one(void **state)
{
	struct vfy_snapshot s[2];
	struct vfy_plan one;
	size_t by;

	open_watch("sim:liar-selector");
	by = watch_find(&w, "log-capabilities vendor-debug");
	assert_int_equal(vfy_plan_only(&one, &w.plan, watch_find(&w, "log vendor-debug")), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vfy_snapshot_make(&s[i], &one), 0);
		watch_command(&w, &w.plan.observable[by].cmd);
		assert_int_equal(vfy_observe(&one, w.dev, watch_submit, &w, NULL, &s[i]), 0);
	}
	vfy_judge(&one, NULL, &s[0], &s[1], &(struct vfy_claim){ 0 }, 0, &w.j);
	assert_int_equal(w.j.undeclared, FWA_EFFECT_LOG);
	vfy_snapshot_clear(&s[0]);
	vfy_snapshot_clear(&s[1]);
	vfy_plan_clear(&one);
	watch_close(&w);
}

/* What declares differs at every reading, and is not learned away. */
static void test_declarations_are_not_masked(void **state)
{
	bool changed = false;

	open_watch("sim:flapping");
	watch_begin(&w);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(watch_observe(&w, 1), 0);
		vfy_judge(&w.plan, &w.mask, &w.snapshot[0], &w.snapshot[1],
			  &(struct vfy_claim){ 0 }, 0, &w.j);
		changed |= watch_changed(&w, "cel", "entries");
		assert_int_equal(watch_observe(&w, 0), 0);
	}
	assert_true(changed);
	watch_close(&w);
}

/* Of many pieces most are rare: taken over from the reading before, and read when nothing is. */
static void test_rare(void **state)
{
	uint8_t labels[8 + 4] = { 0, 0x20, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 }; /* at 0x2000 */
	size_t i, rare = 0;
	uint64_t all;

	open_watch("sim:honest,payload=256");
	i = watch_find(&w, "lsa @0x2000");
	assert_true(w.plan.observable[i].rare);
	assert_false(w.plan.observable[watch_find(&w, "lsa @0")].rare);
	assert_false(w.plan.observable[watch_find(&w, "lsa @0x3f00")].rare);
	for (size_t k = 0; k < w.plan.n; k++)
		rare += w.plan.observable[k].rare;
	assert_int_equal(watch_observe(&w, 0), 0);
	all = w.observed;
	watch_send(&w, 0x4103, labels, sizeof(labels));
	assert_true(watch_changed(&w, "lsa @0x2000", NULL));
	assert_int_equal(w.j.observed, FWA_EFFECT_DATA);
	watch_command(&w, &(struct fwa_command){ .opcode = 0x4400 });
	w.observed = 0;
	assert_int_equal(
		vfy_observe(&w.plan, w.dev, watch_submit, &w, &w.snapshot[1], &w.snapshot[2]), 0);
	assert_true(w.observed < all && w.observed + rare <= all);
	assert_memory_equal(w.snapshot[2].data + w.snapshot[2].value[i].at, labels + 8, 4);
	assert_int_equal(w.snapshot[2].value[i].len, 256);
	watch_close(&w);
}

/* A list that does not fit is read on to its end, also when somebody has left it in the middle. */
static void test_long_lists(void **state)
{
	struct fwa_command ask = { .opcode = 0x4300, .out_len = 256 };
	uint8_t dpa[8], range[16] = { 0 };
	size_t i;

	open_watch("sim:honest,payload=256");
	for (uint64_t k = 1; k <= 30; k++) {
		fwa_put_le64(dpa, k * 0x10000);
		watch_command(
			&w, &(struct fwa_command){ .opcode = 0x4301, .payload = fwa_span(dpa, 8) });
		assert_int_equal(w.code, 0);
	}
	watch_begin(&w);
	i = watch_find(&w, "poison");
	assert_int_equal(w.snapshot[0].value[i].len, 32 + 31 * 16);
	fwa_put_le64(range + 8, (1ull << 30) / 64);
	ask.payload = fwa_span(range, sizeof(range));
	watch_try_command(&w, &ask);
	assert_true(w.reply[0] & 1);
	assert_int_equal(w.j.n_changes, 0);
	fwa_put_le64(dpa, 31 * 0x10000);
	watch_send(&w, 0x4301, dpa, sizeof(dpa));
	assert_int_equal(w.j.undeclared, 0);
	assert_true(watch_changed(&w, "poison", "records"));
	assert_true(w.j.change[0].grown);
	watch_send(&w, 0x4400, NULL, 0); /* the media is gone while it is sanitized */
	assert_int_equal(w.j.undeclared, 0);
	assert_true(w.j.observed & FWA_EFFECT_BACKGROUND);
	watch_close(&w);
}

static void test_devices_that_are_no_good(void **state)
{
	assert_int_equal(watch_try(&w, "sim:gone,after=1"), -ENODEV);
	watch_close(&w);
	open_watch("sim:gone,after=60");
	assert_int_equal(watch_observe(&w, 0), -ENODEV);
	assert_int_equal(watch_observe(&w, 0), -ENODEV);
	watch_close(&w);
	watch_timeout_ms = 5;
	assert_int_equal(watch_try(&w, "sim:hang"), -ETIMEDOUT);
	watch_close(&w);
	watch_timeout_ms = 5000;
}

/* Whatever the answers are they stay in their places. */
static void test_garbage(void **state)
{
	char spec[40];

	for (unsigned int seed = 0; seed < 100; seed++) {
		int r;

		snprintf(spec, sizeof(spec), "sim:%s,seed=%u", seed % 2 ? "garbage" : "rotting",
			 seed);
		r = watch_try(&w, spec);
		for (int i = 0; r == 0 && i < 8; i++) {
			r = watch_observe(&w, i % 2);
			assert_true(r == 0 || r == -EPROTO);
			vfy_mask_learn(&w.mask, &w.plan, &w.snapshot[0], &w.snapshot[1]);
			vfy_judge(&w.plan, &w.mask, &w.snapshot[0], &w.snapshot[1],
				  &(struct vfy_claim){ 0 }, 0, &w.j);
			for (size_t k = 0; k < w.plan.n; k++)
				assert_true(w.snapshot[i % 2].value[k].len <=
					    w.plan.observable[k].len);
		}
		assert_true(r == 0 || r == -EPROTO);
		watch_close(&w);
	}
}

/* Without a device, or with one that is not to be asked. */
static void test_plans_without_asking(void **state)
{
	struct vfy_plan plan;

	open_watch("sim:honest");
	assert_int_equal(vfy_plan_make(&plan, w.profile, NULL, NULL, NULL), 0);
	assert_true(plan.n > 30);
	vfy_plan_clear(&plan);
	w.observed = 0;
	assert_int_equal(vfy_plan_make(&plan, w.profile, w.dev, NULL, NULL), 0);
	assert_int_equal(w.observed, 0);
	for (size_t i = 0; i < plan.n; i++)
		assert_true(plan.observable[i].row->each != VFY_EACH_MEDIA);
	vfy_plan_clear(&plan);
	watch_close(&w);
	open_watch("sim:nvme");
	assert_int_equal(vfy_plan_make(&plan, w.profile, NULL, NULL, NULL), 0);
	assert_true(plan.n > 10);
	vfy_plan_clear(&plan);
	watch_close(&w);
}

/* --- profiles that were made up ------------------------------------------------------------------- */

static uint8_t encoded[FWA_PROFILE_MAX];

static void put_cel(struct fwa_writer *out, const uint16_t *opcodes, size_t n)
{
	uint8_t cel[64] = { 0 };

	for (size_t i = 0; i < n; i++)
		fwa_put_le16(cel + 4 * i, opcodes[i]);
	fwa_profile_add(out, FWA_RECORD_CXL_CEL, fwa_span(cel, 4 * n));
}

/* A label storage area of 4 GiB, in a mailbox of 256 bytes: bounded, and what is left out is said. */
static void test_huge_numbers(void **state)
{
	static const uint16_t opcodes[] = { 0x0401, 0x0501, 0x4102, 0x4200 };
	static uint8_t features[1024 * 48], logs[64 * 20];
	static struct fwa_profile profile;
	struct fwa_writer out = fwa_writer(encoded, sizeof(encoded));
	uint8_t limits[8] = { 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff };
	struct vfy_snapshot s;
	struct vfy_plan plan;
	size_t lsa = 0;

	for (unsigned int i = 0; i < 1024; i++) {
		fwa_put_le32(features + 48 * i, i / 2); /* each of them twice */
		fwa_put_le16(features + 48 * i + 18, 0xffff);
		fwa_put_le32(features + 48 * i + 22, 0xffffffff);
	}
	for (unsigned int i = 0; i < 64; i++) {
		fwa_put_le32(logs + 20 * i, i / 2);
		fwa_put_le32(logs + 20 * i + 16, UINT32_MAX);
	}
	fwa_profile_begin(&out, FWA_FAMILY_CXL);
	put_cel(&out, opcodes, FWA_ARRAY_SIZE(opcodes));
	fwa_profile_add(&out, FWA_RECORD_CXL_LIMITS, fwa_span(limits, 8));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(encoded, out.len)), 0);
	assert_int_equal(vfy_plan_make(&plan, &profile, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < plan.n; i++)
		lsa += plan.observable[i].row->each == VFY_EACH_LSA;
	assert_int_equal(lsa, 1024);
	assert_int_equal(fwa_le32(plan.observable[plan.n - 1].payload), 0xffffff00);
	assert_int_equal(plan.observable[plan.n - 1].len, 0xff);
	w.plan = plan;
	assert_true(watch_left_out(&w, "lsa: 16776192 of 16777216 pieces"));
	vfy_plan_clear(&plan);
	fwa_profile_add(&out, FWA_RECORD_CXL_FEATURES, fwa_span(features, sizeof(features)));
	fwa_profile_add(&out, FWA_RECORD_CXL_LOGS, fwa_span(logs, sizeof(logs)));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(encoded, out.len)), 0);
	assert_int_equal(vfy_plan_make(&plan, &profile, NULL, NULL, NULL), 0);
	assert_int_equal(plan.n, VFY_OBSERVABLES_MAX);
	assert_int_equal(plan.n_left_out, VFY_OBSERVABLES_MAX);
	assert_true(plan.bytes <= VFY_PLAN_BYTES_MAX);
	assert_string_equal(plan.left_out[plan.n_left_out - 1],
			    "more: there is too much of it to be named");
	assert_int_equal(vfy_snapshot_make(&s, &plan), 0);
	vfy_snapshot_clear(&s);
	vfy_plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_of_a_cxl_device),
		cmocka_unit_test(test_plan_of_an_nvme_controller),
		cmocka_unit_test(test_only_reads),
		cmocka_unit_test(test_nothing_changes_by_itself),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_what_observing_changes),
		cmocka_unit_test(test_what_disturbs),
		cmocka_unit_test(test_a_plan_of_one),
		cmocka_unit_test(test_declarations_are_not_masked),
		cmocka_unit_test(test_rare),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_devices_that_are_no_good),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_plans_without_asking),
		cmocka_unit_test(test_huge_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
