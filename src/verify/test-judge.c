/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is covered, by whom, and how bad it is when it is not: each effect, each kind of field, each
 * family, against rules that are written here a second time.
 */
#include "verify/test-bench.h"

#include "core/decide.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static struct bench b;

/* --- coverage --------------------------------------------------------------------------------------- */

enum said {
	SAID_NOT,
	SAID_BY_FLOOR,
	SAID_BY_DEVICE,
	SAID_OTHERWISE, /* every other effect, by both */
	SAID_COUNT,
};

/* Makes field 0 differ in a way that its kind does not explain. */
static void spoil(unsigned int kind, bool grown)
{
	if (grown) {
		b.data[1][8] = 1;
		b.values[0][0].len = kind == VFY_RECORDS ? 8 : BENCH_LEN;
		b.values[1][0].len = kind == VFY_RECORDS ? 12 : BENCH_LEN;
		return;
	}
	b.data[0][8] = 1; /* a number that is less, a record that is gone */
}

static void check_coverage(unsigned int effect, unsigned int kind, bool grown, bool nvme,
			   enum said said)
{
	fwa_effects e = 1u << effect, declared, floor;
	fwa_effects bits = nvme ? FWA_EFFECTS_NVME_DECLARABLE : FWA_EFFECTS_CXL_DECLARABLE;
	struct vfy_claim claim = { .declarable = bits, .listed = true, .n = 1 };
	bool covered = said == SAID_BY_DEVICE || (said == SAID_BY_FLOOR && !(bits & e));
	struct vfy_field *f;

	declared = said == SAID_BY_DEVICE ? e : said == SAID_OTHERWISE ? FWA_EFFECTS_ALL & ~e : 0;
	floor = said == SAID_BY_FLOOR ? e : said == SAID_OTHERWISE ? FWA_EFFECTS_ALL & ~e : 0;
	claim.declared = declared;
	claim.floor = floor;
	bench_init(&b, 1, 1u << ((effect + 1) % FWA_EFFECT_COUNT));
	f = bench_field(&b, 8, kind == VFY_RECORDS ? UINT32_MAX : 23, kind, e);
	f->unit = kind == VFY_RECORDS || kind == VFY_RING ? 4 : 1;
	f->grows = e;
	spoil(kind, grown);
	bench_judge(&b, &claim);
	if (kind == VFY_VOLATILE) {
		assert_int_equal(b.j.n_changes, 0);
		return;
	}
	assert_int_equal(b.j.n_changes, 1);
	assert_int_equal(b.j.change[0].field, 0);
	assert_int_equal(b.j.change[0].covered, covered);
	assert_int_equal(b.j.change[0].grown, grown);
	assert_int_equal(b.j.change[0].means, e);
	assert_int_equal(b.j.change[0].shown, e);
	assert_int_equal(b.j.undeclared, covered ? 0 : e);
	assert_int_equal(b.j.observed, grown && covered ? 0 : e);
	assert_int_equal(b.j.severity, vfy_severity_of(&claim, b.j.undeclared));
}

static void test_coverage(void **state)
{
	for (unsigned int effect = 0; effect < FWA_EFFECT_COUNT; effect++)
		for (unsigned int kind = VFY_STATE; kind <= VFY_DECLARES; kind++)
			for (unsigned int said = 0; said < SAID_COUNT; said++)
				for (unsigned int nvme = 0; nvme < 2; nvme++) {
					check_coverage(effect, kind, false, nvme, said);
					if (kind == VFY_RECORDS || kind == VFY_RING)
						check_coverage(effect, kind, true, nvme, said);
				}
}

/* One of several effects is enough, and names what is covered by it; else the field's own name does. */
static void test_one_of_several(void **state)
{
	const fwa_effects means = FWA_EFFECT_CONFIG | FWA_EFFECT_DATA | FWA_EFFECT_SECURITY;

	for (fwa_effects e = 1; e <= FWA_EFFECT_UNKNOWN; e <<= 1) {
		struct vfy_claim claim = { .declared = e, .listed = true, .n = 1 };
		bool covered = means & e;

		bench_init(&b, 1, FWA_EFFECT_LOG);
		bench_field(&b, 0, 3, VFY_STATE, means)->name_as = FWA_EFFECT_DATA;
		b.data[1][0] = 1;
		bench_judge(&b, &claim);
		assert_int_equal(b.j.change[0].covered, covered);
		assert_int_equal(b.j.observed, covered ? e : FWA_EFFECT_DATA);
		assert_int_equal(b.j.undeclared, covered ? 0 : FWA_EFFECT_DATA);
	}
}

/* More records: by any effect, or without any, as the field says. */
static void test_growth(void **state)
{
	struct vfy_claim policy = { .declared = FWA_EFFECT_POLICY, .n = 1, .listed = true };

	bench_init(&b, 1, FWA_EFFECT_DATA);
	*bench_field(&b, 8, UINT32_MAX, VFY_RECORDS, FWA_EFFECT_LOG) =
		(struct vfy_field){ .first = 8,
				    .last = UINT32_MAX,
				    .kind = VFY_RECORDS,
				    .unit = 4,
				    .means = FWA_EFFECT_LOG,
				    .name_as = FWA_EFFECT_LOG,
				    .grows = FWA_EFFECTS_ALL };
	spoil(VFY_RECORDS, true);
	assert_int_equal(bench_changes(&b)->undeclared, FWA_EFFECT_LOG);
	assert_int_equal(bench_judge(&b, &policy)->undeclared, 0);
	assert_int_equal(b.j.observed, 0);
	b.field[0].grows = 0;
	assert_int_equal(bench_changes(&b)->undeclared, 0);
	assert_true(b.j.change[0].covered);
	/* Records that are gone are another matter. */
	b.values[0][0].len = 16;
	b.data[0][12] = 9;
	assert_int_equal(bench_judge(&b, &policy)->undeclared, FWA_EFFECT_LOG);
}

/* By the Feature's own entry: immediate effects for the current value, all for the saved one. */
static void test_features(void **state)
{
	for (fwa_effects own = 0; own < FWA_EFFECT_EXCLUSIVE; own++)
		for (uint8_t selection = 0; selection < 3; selection++) {
			fwa_effects means = FWA_EFFECT_CONFIG;

			if (selection == 0)
				means |= own & FWA_EFFECTS_IMMEDIATE;
			if (selection == 2)
				means |= own;
			bench_init(&b, 1, 0);
			b.observable[0].feature_effects = own;
			b.observable[0].selection = selection;
			b.data[1][5] = 1;
			bench_changes(&b);
			assert_int_equal(b.j.change[0].means, means);
			assert_false(b.j.change[0].covered);
			assert_true(means & b.j.undeclared);
			assert_int_equal(b.j.undeclared & (b.j.undeclared - 1), 0);
		}
	bench_init(&b, 1, 0);
	b.observable[0].feature_effects = FWA_EFFECT_POLICY | FWA_EFFECT_BACKGROUND;
	b.data[1][5] = 1;
	assert_int_equal(bench_changes(&b)->undeclared, FWA_EFFECT_POLICY);
	b.observable[0].feature_effects = FWA_EFFECTS_RESET;
	assert_int_equal(bench_changes(&b)->undeclared, FWA_EFFECT_CONFIG);
}

/* A reading may fail for what its bytes mean, and for locks, work and new firmware. */
static void test_readings(void **state)
{
	const fwa_effects means = FWA_EFFECT_LOG | FWA_EFFECT_DATA | FWA_EFFECT_SECURITY |
				  FWA_EFFECT_BACKGROUND | FWA_EFFECT_CONFIG;

	bench_init(&b, 1, FWA_EFFECT_LOG);
	bench_field(&b, 8, 11, VFY_STATE, FWA_EFFECT_DATA);
	b.values[1][0].code = CXL_RC_MEDIA_DISABLED;
	bench_changes(&b);
	assert_int_equal(b.j.change[0].means, means);
	assert_int_equal(b.j.undeclared, FWA_EFFECT_LOG);
	assert_int_equal(
		bench_judge(&b, &(struct vfy_claim){ .declared = FWA_EFFECT_SECURITY })->undeclared,
		0);
}

/* That of a namespace also for its being taken away: what is declared so covers no other reading. */
static void test_readings_of_namespaces(void **state)
{
	const struct vfy_claim claim = { .declared = FWA_EFFECT_NAMESPACE_INVENTORY, .n = 1 };
	const uint8_t of_namespace[] = { VFY_EACH_NAMESPACE, VFY_EACH_LBA };

	bench_init(&b, 1, FWA_EFFECT_DATA);
	b.values[1][0].code = 0x4002;
	assert_int_equal(bench_judge(&b, &claim)->undeclared, FWA_EFFECT_DATA);
	for (size_t i = 0; i < sizeof(of_namespace); i++) {
		b.row.each = of_namespace[i];
		assert_int_equal(bench_judge(&b, &claim)->undeclared, 0);
		assert_int_equal(bench_changes(&b)->undeclared, FWA_EFFECT_DATA);
	}
}

static void test_replies(void **state)
{
	struct vfy_claim background = { .declared = FWA_EFFECT_BACKGROUND };
	struct vfy_claim floor = { .floor = FWA_EFFECT_BACKGROUND,
				   .declarable = FWA_EFFECTS_CXL_DECLARABLE };

	bench_init(&b, 1, FWA_EFFECT_LOG);
	vfy_judge(&b.plan, NULL, &b.before, &b.after, &background, FWA_EFFECT_BACKGROUND, &b.j);
	assert_int_equal(b.j.observed, FWA_EFFECT_BACKGROUND);
	assert_int_equal(b.j.undeclared, 0);
	vfy_judge(&b.plan, NULL, &b.before, &b.after, &floor, FWA_EFFECT_BACKGROUND, &b.j);
	assert_int_equal(b.j.undeclared, FWA_EFFECT_BACKGROUND);
	assert_int_equal(b.j.severity, VFY_LOW);
	assert_int_equal(b.j.n_changes, 0);
}

/* All are counted; those that are not covered are kept, and stand first, both in the plan's order. */
static void test_many_changes(void **state)
{
	const struct vfy_claim claim = { .declared = FWA_EFFECT_DATA };

	for (uint32_t uncovered = 0; uncovered <= BENCH_OBSERVABLES; uncovered++) {
		uint32_t kept = uncovered < VFY_CHANGES_MAX ? uncovered : VFY_CHANGES_MAX;
		uint32_t last = 0;

		bench_init(&b, BENCH_OBSERVABLES, FWA_EFFECT_DATA);
		bench_field(&b, 0, 0, VFY_STATE, FWA_EFFECT_LOG);
		for (uint32_t i = 0; i < BENCH_OBSERVABLES; i++)
			b.data[1][i * BENCH_LEN + (i < BENCH_OBSERVABLES - uncovered)] = 1;
		bench_judge(&b, &claim);
		assert_int_equal(b.j.n_changes, BENCH_OBSERVABLES);
		for (uint32_t i = 0; i < VFY_CHANGES_MAX; i++) {
			assert_int_equal(b.j.change[i].covered, i >= kept);
			if (i && i != kept)
				assert_true(b.j.change[i].observable > last);
			last = b.j.change[i].observable;
		}
		assert_int_equal(b.j.undeclared, uncovered ? FWA_EFFECT_LOG : 0);
	}
}

/* --- severity --------------------------------------------------------------------------------------- */

/* The table of scopes in spec/SECURITY-MODEL.md, in its own words. */
static unsigned int scope_by_table(fwa_effects e)
{
	const fwa_effects never =
		FWA_EFFECT_DMA | FWA_EFFECT_CARRIER | FWA_EFFECT_OTHER_CLIENT | FWA_EFFECT_UNKNOWN;
	const fwa_effects reset = FWA_EFFECT_CONFIG_COLD_RESET | FWA_EFFECT_CONFIG_CONV_RESET |
				  FWA_EFFECT_CONFIG_CXL_RESET;

	if (e & never)
		return 4;
	if (e & ~(reset | FWA_EFFECT_BACKGROUND))
		return 3;
	return e & reset ? 2 : 0;
}

static unsigned int severity_by_table(fwa_effects declared, fwa_effects floor,
				      fwa_effects undeclared)
{
	const fwa_effects grave = FWA_EFFECT_DATA | FWA_EFFECT_SECURITY | FWA_EFFECT_CONFIG |
				  FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY |
				  FWA_EFFECT_CONTROLLER_CAPABILITY;
	unsigned int asked = scope_by_table(declared | floor);
	unsigned int needed = scope_by_table(declared | floor | undeclared);

	if (!undeclared)
		return VFY_NOTE;
	if (asked == 4 || !(undeclared & ~floor))
		return VFY_LOW;
	if (asked == needed)
		return VFY_MEDIUM;
	return asked < 2 && undeclared & ~floor & grave ? VFY_CRITICAL : VFY_HIGH;
}

static void test_severities(void **state)
{
	for (unsigned int i = 0; i <= FWA_EFFECT_COUNT; i++)
		for (unsigned int k = 0; k <= FWA_EFFECT_COUNT; k++)
			for (unsigned int m = 0; m <= FWA_EFFECT_COUNT; m++)
				for (unsigned int n = 0; n <= FWA_EFFECT_COUNT; n++) {
					fwa_effects undeclared =
						(1u << m | 1u << n) & FWA_EFFECTS_ALL;
					struct vfy_claim c = {
						.declared = 1u << i & FWA_EFFECTS_ALL,
						.floor = 1u << k & FWA_EFFECTS_ALL,
						.listed = true,
						.n = 1,
					};

					assert_int_equal(
						vfy_severity_of(&c, undeclared),
						severity_by_table(c.declared, c.floor, undeclared));
				}
}

static void test_severities_by_what_the_gate_asks_for(void **state)
{
	struct vfy_claim c = { .listed = true, .n = 1 };

	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_DATA), VFY_CRITICAL);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_LOG), VFY_HIGH);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_BACKGROUND), VFY_MEDIUM);
	c.scope = FWA_SCOPE_DEBUG_READ_ONLY;
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_DATA), VFY_CRITICAL);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_SECURITY), VFY_CRITICAL);
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_LOG), VFY_HIGH); /* Get Log that empties */
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_POLICY), VFY_HIGH);
	c.scope = FWA_SCOPE_DEBUG_WRITE_FULL; /* it reads what users stored: C12 */
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_DATA), VFY_MEDIUM);
	c.scope = FWA_SCOPE_NEVER;
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_DATA), VFY_LOW);
	c = (struct vfy_claim){ .declared = FWA_EFFECTS_RESET, .listed = true, .n = 1 };
	assert_int_equal(vfy_severity_of(&c, FWA_EFFECT_CONFIG), VFY_HIGH);
	assert_int_equal(vfy_severity_of(&(struct vfy_claim){ 0 }, FWA_EFFECT_LOG), VFY_HIGH);
	assert_string_equal(vfy_severity_name(VFY_NOTE), "note");
	assert_string_equal(vfy_severity_name(VFY_CRITICAL), "critical");
	assert_string_equal(vfy_severity_name(VFY_SEVERITIES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_one_of_several),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_readings_of_namespaces),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_many_changes),
		cmocka_unit_test(test_severities),
		cmocka_unit_test(test_severities_by_what_the_gate_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
