/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generator, without devices: what it may send, how much at once, and that it sends the same again.
 * The answers are made up, from the bytes that were sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "core/shape.h"
#include "verify/generate-internal.h"
#include "verify/test-profiles.h"
#include "wire/cxl.h"

/* Experiments of one run at most: what is behind is more of the same. */
#define EXPERIMENTS 60u

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9fb21c651e98df25;
		h ^= h >> 29;
	}
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

static uint64_t hash_step(uint64_t h, const struct vfy_step *s)
{
	h = hash(h, &s->kind, 1);
	h = hash(h, &s->reset, 1);
	h = hash(h, &s->set, 1);
	h = hash(h, &s->opcode, sizeof(s->opcode));
	h = hash(h, &s->nsid, sizeof(s->nsid));
	h = hash(h, s->cdw, sizeof(s->cdw));
	h = hash(h, &s->out_len, sizeof(s->out_len));
	return hash(h, s->payload, s->payload_len);
}

/* Of half the commands a success; lengths, bytes and times of all kinds. */
static struct vfy_answer made_up(const struct vfy_step *step, uint64_t salt)
{
	struct vfy_random r = { hash_step(salt, step) };
	struct vfy_answer a = { .took_ns = 1000 + vfy_random_below(&r, 500) };

	if (vfy_random(&r) & 1)
		a.code = vfy_random_below(&r, 0x24);
	if (!vfy_random_below(&r, 50))
		a.error = -5;
	if (!vfy_random_below(&r, 50))
		a.took_ns *= 1000;
	a.out_len = vfy_random_below(&r, 200);
	a.result = (uint32_t)vfy_random(&r);
	vfy_random_fill(&r, a.head, sizeof(a.head));
	return a;
}

/* --- a run ---------------------------------------------------------------------------------------- */

typedef void check_fn(const struct vfy_generate_args *args, const struct vfy_experiment *e);

/* Runs a generator, calls @check for each experiment. The digest of all of them. */
static uint64_t run(const struct vfy_generate_args *args, check_fn *check)
{
	static struct vfy_answer answer[VFY_STEPS_MAX];
	struct vfy_generator *g;
	struct vfy_experiment e;
	uint64_t h = 0;
	int r = 1;

	assert_int_equal(vfy_generator_make(args, &g), 0);
	for (unsigned int n = 0; n < EXPERIMENTS; n++) {
		r = vfy_generator_next(g, &e);
		if (r <= 0)
			break;
		h = hash(h, &e.phase, 1);
		for (size_t i = 0; i < e.sequence.n; i++) {
			h = hash_step(h, &e.sequence.step[i]);
			answer[i] = made_up(&e.sequence.step[i], args->seed);
		}
		if (check)
			check(args, &e);
		vfy_generator_answered(g, &e, answer, e.sequence.n - n % 7 % e.sequence.n);
		vfy_sequence_clear(&e.sequence);
	}
	assert_true(r >= 0);
	vfy_generator_free(g);
	return h;
}

static struct vfy_generate_args args_of(const struct test_profile *p, uint64_t seed,
					unsigned int probe, uint32_t phases)
{
	return (struct vfy_generate_args){ .profile = p->profile,
					   .seed = seed,
					   .probe = (uint8_t)probe,
					   .resets = seed & 1,
					   .only_set = -1,
					   .phases = phases };
}

static const char *const specs[] = { "sim:honest",   "sim:nvme",           "sim:liar-spec",
				     "sim:reserved", "sim:empty",          "sim:flapping",
				     "sim:huge",     "sim:garbage,seed=3", "qtest:cxl-type3",
				     "qtest:nvme" };

#define RANDOM_PROFILES 20u
#define PROFILES (FWA_ARRAY_SIZE(specs) + RANDOM_PROFILES)

static struct test_profile profiles[PROFILES];
static bool usable[PROFILES];

static int set_up(void **state)
{
	for (size_t i = 0; i < PROFILES; i++) {
		usable[i] = true;
		if (i < FWA_ARRAY_SIZE(specs))
			usable[i] = test_profile_of(&profiles[i], specs[i]);
		else
			test_profile_random(&profiles[i], i);
	}
	return usable[0] && usable[1] ? 0 : -1;
}

static int tear_down(void **state)
{
	for (size_t i = 0; i < PROFILES; i++)
		test_profile_clear(&profiles[i]);
	return 0;
}

/* Calls @check for experiments of each phase, with each probe, on each profile. */
static void all(check_fn *check, uint64_t seeds)
{
	for (size_t i = 0; i < PROFILES; i++)
		for (unsigned int probe = 0; usable[i] && probe < VFY_PROBES; probe++)
			for (uint64_t seed = 0; seed < seeds; seed++)
				for (unsigned int phase = 0; phase < VFY_PHASES; phase++) {
					struct vfy_generate_args args =
						args_of(&profiles[i], seed + i, probe, 1u << phase);

					run(&args, check);
				}
}

/* --- what holds for each experiment --------------------------------------------------------------- */

static void check_limits(const struct vfy_generate_args *args, const struct vfy_experiment *e)
{
	uint32_t mailbox = args->profile->payload_max ? args->profile->payload_max : 256;

	assert_in_range(e->sequence.n, 1, 1024);
	assert_true(1u << e->phase == args->phases);
	if (e->deferred)
		assert_int_equal(e->sequence.step[e->sequence.n - 1].kind, VFY_RESET);
	for (size_t i = 0; i < e->sequence.n; i++) {
		const struct vfy_step *s = &e->sequence.step[i];

		assert_true(vfy_step_risk(args->profile, s) <= args->probe);
		if (s->kind == VFY_RESET)
			assert_true(args->resets);
		if (s->kind == VFY_COMMAND && s->set == FWA_SET_CXL)
			assert_true(s->payload_len <= mailbox);
		assert_true(s->out_len <= FWA_COMMAND_DATA_MAX && !(s->out_len && s->payload_len));
	}
}

static void test_limits(void **state)
{
	all(check_limits, 1);
}

/* What is well-formed passes the gate's own check, and is refused, if at all, for what it is. */
static void check_valid(const struct vfy_generate_args *args, const struct vfy_experiment *e)
{
	for (size_t i = 0; i < e->sequence.n; i++) {
		struct fwa_decision d;
		struct fwa_command cmd = vfy_step_command(&e->sequence.step[i]);
		const struct fwa_model_command *row = fwa_model_find(cmd.set, cmd.opcode);
		struct fwa_selector s = fwa_command_selector(row, &cmd);

		if (e->sequence.step[i].kind != VFY_COMMAND)
			continue;
		assert_non_null(row);
		vfy_step_judged(args->profile, &e->sequence.step[i], &d);
		assert_int_equal(fwa_shape_check(args->profile, row, &cmd, s.uuid), 0);
		switch (d.reason) {
		case FWA_REASON_ADMIT:
		case FWA_REASON_NEVER:
			break;
		case FWA_REASON_RESERVED_BITS: /* of the declaration */
			assert_int_not_equal(d.detail, FWA_DETAIL_UNKNOWN_SELECTOR);
			break;
		default:
			fail_msg("%s: %s", row->name, fwa_reason_name(d.reason));
		}
	}
}

static void test_valid_is_well_formed(void **state)
{
	for (size_t i = 0; i < PROFILES; i++)
		for (uint64_t seed = 0; usable[i] && seed < 10; seed++) {
			struct vfy_generate_args args =
				args_of(&profiles[i], seed, VFY_PROBE_DESTRUCTIVE, 1);

			run(&args, check_valid);
		}
}

/* --- determinism ---------------------------------------------------------------------------------- */

static void test_same_again(void **state)
{
	for (size_t i = 0; i < PROFILES; i++) {
		struct vfy_generate_args args = args_of(&profiles[i], i, VFY_PROBE_DESTRUCTIVE, 0);

		if (usable[i])
			assert_true(run(&args, NULL) == run(&args, NULL));
	}
}

static void test_seeds_differ(void **state)
{
	struct vfy_generate_args a = args_of(&profiles[0], 1, VFY_PROBE_DESTRUCTIVE, 1);
	struct vfy_generate_args b = args_of(&profiles[0], 3, VFY_PROBE_DESTRUCTIVE, 1);

	assert_true(run(&a, NULL) != run(&b, NULL));
}

/* --- coverage ------------------------------------------------------------------------------------- */

static void exhaust(struct vfy_generator *g)
{
	struct vfy_experiment e;

	while (vfy_generator_next(g, &e) > 0)
		vfy_sequence_clear(&e.sequence);
}

/* All that is planned is done, where the probe allows it; with a lesser one less of it. */
static void test_coverage(void **state)
{
	uint32_t without_random = (1u << VFY_PHASE_RANDOM) - 1;

	for (unsigned int probe = 0; probe < VFY_PROBES; probe++) {
		struct vfy_generate_args args = args_of(&profiles[0], 1, probe, without_random);
		struct vfy_generator *g;
		struct vfy_coverage before, after;

		assert_int_equal(vfy_generator_make(&args, &g), 0);
		vfy_generator_coverage(g, VFY_PHASE_SWEEP, &before);
		exhaust(g);
		vfy_generator_coverage(g, VFY_PHASE_SWEEP, &after);
		assert_int_equal(before.planned, after.planned);
		assert_int_equal(before.done, 0);
		/* one opcode is left out: Set GAM Buffer takes addresses */
		assert_int_equal(after.planned - after.done,
				 probe == VFY_PROBE_DESTRUCTIVE ? 4 : after.planned);
		vfy_generator_free(g);
	}
}

/* --- one command ---------------------------------------------------------------------------------- */

static void check_only_sweeps(const struct vfy_generate_args *args, const struct vfy_experiment *e)
{
	assert_int_equal(e->phase, VFY_PHASE_SWEEP);
	assert_int_equal(e->sequence.step[0].opcode, 0x5300);
}

static void test_one_command(void **state)
{
	struct vfy_generate_args args =
		args_of(&profiles[0], 1, VFY_PROBE_DESTRUCTIVE, 1u << VFY_PHASE_SWEEP);

	args.only_set = FWA_SET_CXL;
	args.only_opcode = 0x5300;
	run(&args, check_only_sweeps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),     cmocka_unit_test(test_valid_is_well_formed),
		cmocka_unit_test(test_same_again), cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_coverage),   cmocka_unit_test(test_one_command),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
