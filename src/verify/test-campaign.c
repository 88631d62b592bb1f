/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole campaigns on simulated devices: what lies is found, with a sequence as short as it gets, and what does
 * not is not accused. Nothing here is known to the campaign.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "verify/engine.h"

#define VALID (1u << VFY_PHASE_VALID)

static int run(struct vfy_campaign *c, const char *spec, uint32_t phases, uint64_t seed)
{
	struct vfy_campaign_args args = {
		.spec = spec,
		.seed = seed,
		.probe = VFY_PROBE_DESTRUCTIVE,
		.only_set = -1,
		.phases = phases,
		.timeout_ms = 20,
	};

	return vfy_campaign_run(c, &args);
}

static const struct vfy_finding *find(const struct vfy_campaign *c, unsigned int kind,
				      int32_t opcode)
{
	for (size_t i = 0; i < c->n_findings; i++) {
		const struct vfy_finding *f = &c->finding[i];

		if (f->kind == kind && f->has_opcode == (opcode >= 0) &&
		    (opcode < 0 || f->opcode == opcode))
			return f;
	}
	return NULL;
}

static void print(const struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_findings; i++)
		print_message("%s: %s, %zu steps\n", vfy_severity_name(c->finding[i].severity),
			      c->finding[i].text, c->finding[i].sequence.n);
	print_message("%llu experiments, %llu not confirmed\n", (unsigned long long)c->experiments,
		      (unsigned long long)c->not_confirmed);
}

/* --- honest ones ----------------------------------------------------------------------------------- */

static void honest(const char *spec, uint64_t seed)
{
	struct vfy_campaign c;

	assert_int_equal(run(&c, spec, VALID, seed), 0);
	if (strcmp(vfy_campaign_verdict(&c), "honest-so-far"))
		print(&c);
	assert_string_equal(vfy_campaign_verdict(&c), "honest-so-far");
	assert_int_equal(c.not_confirmed, 0);
	assert_true(c.experiments > 20);
	assert_true(c.plan.n > 20);
	vfy_campaign_clear(&c);
}

static void honest_cxl(void **state)
{
	for (uint64_t seed = 0; seed < 5; seed++)
		honest("sim:honest,bg-ms=1", seed);
}

static void honest_nvme(void **state)
{
	for (uint64_t seed = 0; seed < 5; seed++)
		honest("sim:nvme,bg-ms=1", seed);
}

/* --- those that are none ---------------------------------------------------------------------------- */

static void liars(void **state)
{
	static const struct {
		const char *spec;
		uint8_t kind;
		int32_t opcode; /* -1: none */
		size_t steps;
	} table[] = {
		{ "sim:liar-log,bg-ms=1", VFY_BREACH, 0x0401, 1 },
		{ "sim:liar-immediate,bg-ms=1", VFY_IMMEDIATE, 0x0502, 1 },
		{ "sim:hang,bg-ms=1", VFY_HANG, 0x4200, 1 },
		{ "sim:flapping,bg-ms=1", VFY_UNSTABLE, -1, 0 },
		{ "sim:reserved,bg-ms=1", VFY_CONTRADICTION, 0xc000, 0 },
		{ "sim:empty,bg-ms=1", VFY_CONTRADICTION, -1, 0 },
		{ "sim:gone", VFY_GONE, -1, 0 },
		{ "sim:rotting", VFY_GARBAGE, -1, 0 },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		const struct vfy_finding *f;
		struct vfy_campaign c;

		assert_int_equal(run(&c, table[i].spec, VALID, 1), 0);
		f = find(&c, table[i].kind, table[i].opcode);
		if (!f)
			print(&c);
		assert_non_null(f);
		assert_true(vfy_finding_accuses(f));
		assert_true(f->runs >= 3 && f->reproduced >= 3);
		assert_true(!f->sequence.n || f->controls >= 3);
		assert_int_equal(f->control_changed, 0);
		if (f->sequence.n != table[i].steps)
			print(&c);
		assert_int_equal(f->sequence.n, table[i].steps);
		assert_string_equal(vfy_campaign_verdict(&c), "breach");
		vfy_campaign_clear(&c);
	}
}

/* A device that does not last: one finding, not one for each command that it happens to die by. */
static void does_not_last(void **state)
{
	static const char *const specs[] = { "sim:gone,bg-ms=1,after=300",
					     "sim:gone,bg-ms=1,after=700" };

	for (size_t s = 0; s < FWA_ARRAY_SIZE(specs); s++) {
		struct vfy_campaign c;
		size_t gone = 0;

		assert_int_equal(run(&c, specs[s], VALID, 1), 0);
		for (size_t i = 0; i < c.n_findings; i++)
			gone += c.finding[i].kind == VFY_GONE;
		if (gone != 1)
			print(&c);
		assert_int_equal(gone, 1);
		vfy_campaign_clear(&c);
	}
}

/* --- the same again --------------------------------------------------------------------------------- */

/* The same seed gives the same campaign, command by command. */
static void repeatable(void **state)
{
	struct vfy_campaign a, b;

	assert_int_equal(run(&a, "sim:liar-immediate,bg-ms=1", VALID, 7), 0);
	assert_int_equal(run(&b, "sim:liar-immediate,bg-ms=1", VALID, 7), 0);
	assert_int_equal(a.experiments, b.experiments);
	assert_int_equal(a.n_findings, b.n_findings);
	for (size_t i = 0; i < a.n_findings; i++) {
		assert_string_equal(a.finding[i].text, b.finding[i].text);
		assert_int_equal(a.finding[i].sequence.n, b.finding[i].sequence.n);
		for (size_t s = 0; s < a.finding[i].sequence.n; s++)
			assert_true(vfy_step_eq(&a.finding[i].sequence.step[s],
						&b.finding[i].sequence.step[s]));
	}
	vfy_campaign_clear(&a);
	vfy_campaign_clear(&b);
}

/* --- limits ----------------------------------------------------------------------------------------- */

static void budget_of_commands(void **state)
{
	struct vfy_campaign c;
	struct vfy_campaign_args args = {
		.spec = "sim:honest,bg-ms=1",
		.probe = VFY_PROBE_DESTRUCTIVE,
		.budget.commands = 3000,
		.only_set = -1,
		.timeout_ms = 20,
	};

	assert_int_equal(vfy_campaign_run(&c, &args), 0);
	assert_true(c.out_of_budget);
	assert_true(c.target.commands >= 3000 && c.target.commands < 6000);
	vfy_campaign_clear(&c);
}

static void told_to_stop(void **state)
{
	static const volatile int stop = 1;
	struct vfy_campaign c;
	struct vfy_campaign_args args = {
		.spec = "sim:honest",
		.only_set = -1,
		.timeout_ms = 20,
		.stop = &stop,
	};

	assert_int_equal(vfy_campaign_run(&c, &args), 0);
	assert_int_equal(c.experiments, 0);
	assert_true(c.out_of_budget);
	vfy_campaign_clear(&c);
}

static void no_device(void **state)
{
	struct vfy_campaign c;

	assert_int_equal(run(&c, "sim:nobody", VALID, 0), -EINVAL);
	assert_non_null(strstr(c.target.error, "unknown personality"));
	vfy_campaign_clear(&c);
	assert_int_equal(run(&c, "sim:gone,after=0", VALID, 0), -ENODEV);
	assert_true(c.target.error[0]);
	vfy_campaign_clear(&c);
}

/* Nothing that changes anything is sent by who only looks. */
static void read_only(void **state)
{
	struct vfy_campaign_args args = {
		.spec = "sim:honest",
		.probe = VFY_PROBE_READ_ONLY,
		.only_set = -1,
		.timeout_ms = 20,
		.phases = VALID,
	};
	struct vfy_campaign c;

	assert_int_equal(vfy_campaign_run(&c, &args), 0);
	assert_string_equal(vfy_campaign_verdict(&c), "honest-so-far");
	assert_true(c.experiments > 5);
	for (size_t i = 0; i < c.n_rows; i++)
		assert_true(!c.row[i].tried || !(c.row[i].declared | c.row[i].floor));
	vfy_campaign_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_cxl),   cmocka_unit_test(honest_nvme),
		cmocka_unit_test(liars),        cmocka_unit_test(does_not_last),
		cmocka_unit_test(repeatable),   cmocka_unit_test(budget_of_commands),
		cmocka_unit_test(told_to_stop), cmocka_unit_test(no_device),
		cmocka_unit_test(read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
