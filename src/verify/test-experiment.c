/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single experiments of our own making: across resets, on devices that cannot be had fresh, of what is not read
 * each time, with more risk than was allowed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "verify/engine.h"

#define GET_EVENTS 0x0100
#define SET_PARTITION 0x4101
#define SET_LSA 0x4103
#define FREEZE 0x4504
#define VENDOR_READ 0xc000

/* --- a campaign of which we are the generator -------------------------------------------------------- */

static void begin(struct vfy_campaign *c, const char *spec, bool disposable, unsigned int probe)
{
	struct vfy_generate_args args = { .only_set = -1 };

	*c = (struct vfy_campaign){
		.args = { .spec = spec, .probe = (uint8_t)probe, .only_set = -1, .timeout_ms = 20 },
	};
	assert_int_equal(vfy_engine_make(c), 0);
	assert_int_equal(vfy_target_open(&c->target, spec, 20), 0);
	c->target.disposable = disposable;
	args.profile = c->target.profile;
	assert_int_equal(vfy_generator_make(&args, &c->generator), 0);
	assert_int_equal(vfy_rows_make(c), 0);
	assert_int_equal(vfy_learn_plan(c), 0);
	assert_int_equal(vfy_learn_device(c, true), 0);
	assert_int_equal(vfy_engine_fresh(c, true), 0);
}

static void add(struct vfy_experiment *x, uint16_t opcode, const void *payload, size_t len)
{
	struct fwa_command cmd = { .opcode = opcode, .payload = fwa_span(payload, len) };
	struct vfy_step step = vfy_command_step(&cmd);

	assert_int_equal(vfy_sequence_add(&x->sequence, &step), 0);
}

static void add_reset(struct vfy_experiment *x, unsigned int kind)
{
	struct vfy_step step = { .kind = VFY_RESET, .reset = (uint8_t)kind };

	assert_int_equal(vfy_sequence_add(&x->sequence, &step), 0);
	x->deferred = true;
}

static void run(struct vfy_campaign *c, struct vfy_experiment *x)
{
	assert_int_equal(vfy_experiment_run(c, x), 0);
	vfy_sequence_clear(&x->sequence);
	*x = (struct vfy_experiment){ 0 };
}

/* One command. */
static void run_one(struct vfy_campaign *c, unsigned int phase, uint16_t opcode,
		    const void *payload, size_t len)
{
	struct vfy_experiment x = { .phase = (uint8_t)phase };

	add(&x, opcode, payload, len);
	run(c, &x);
}

/* The only finding is of @kind. */
static const struct vfy_finding *only(const struct vfy_campaign *c, unsigned int kind)
{
	for (size_t i = 0; i < c->n_findings; i++)
		if (c->n_findings != 1 || c->finding[i].kind != kind)
			print_message("%s\n", c->finding[i].text);
	assert_int_equal(c->n_findings, 1);
	assert_int_equal(c->finding[0].kind, kind);
	return &c->finding[0];
}

/* Set LSA of one byte at @at. */
static void run_set_lsa(struct vfy_campaign *c, unsigned int phase, uint32_t at, uint8_t byte)
{
	uint8_t payload[9] = { 0 };

	fwa_put_le32(payload, at);
	payload[8] = byte;
	run_one(c, phase, SET_LSA, payload, sizeof(payload));
}

/* --- across a reset ---------------------------------------------------------------------------------- */

/* Another partition, from the next reset on. */
static void add_set_partition(struct vfy_experiment *x, uint64_t units)
{
	uint8_t payload[9] = { 0 };

	fwa_put_le64(payload, units);
	add(x, SET_PARTITION, payload, sizeof(payload));
}

static void waits_as_declared(void **state)
{
	struct vfy_experiment x = { .phase = VFY_PHASE_RESET };
	struct vfy_campaign c;

	begin(&c, "sim:honest", true, VFY_PROBE_DESTRUCTIVE);
	add_set_partition(&x, 1);
	add_reset(&x, FWA_RESET_COLD);
	run(&c, &x);
	assert_int_equal(c.n_findings, 0);
	assert_int_equal(c.not_confirmed, 0);
	assert_int_equal(vfy_counts_of(&c, FWA_SET_CXL, SET_PARTITION)->waited, 1);
	assert_int_equal(vfy_counts_of(&c, FWA_SET_CXL, SET_PARTITION)->came, 1);
	vfy_campaign_clear(&c);
}

/* The same device, which only declares nothing of it: the change that comes with the reset is its doing. */
static void waits_undeclared(void **state)
{
	struct vfy_experiment x = { .phase = VFY_PHASE_RESET };
	const struct vfy_finding *f;
	struct vfy_campaign c;

	begin(&c, "sim:honest,declare=0x41010000", true, VFY_PROBE_DESTRUCTIVE);
	add_set_partition(&x, 1);
	add_reset(&x, FWA_RESET_COLD);
	run(&c, &x);
	f = only(&c, VFY_BREACH);
	assert_true(vfy_finding_accuses(f));
	assert_int_equal(f->opcode, SET_PARTITION);
	assert_int_equal(f->severity, VFY_LOW); /* the floor has it */
	vfy_campaign_clear(&c);
}

/* What a reset does by itself accuses nobody. */
static void reset_alone(void **state)
{
	for (unsigned int kind = 0; kind < FWA_RESET_COUNT; kind++) {
		struct vfy_experiment x = { .phase = VFY_PHASE_RESET };
		struct vfy_campaign c;

		begin(&c, "sim:honest", true, VFY_PROBE_DESTRUCTIVE);
		add(&x, 0x4000, NULL, 0);
		add_reset(&x, kind);
		run(&c, &x);
		assert_int_equal(c.n_findings, 0);
		assert_int_equal(c.not_confirmed, 0);
		assert_int_equal(c.masked_late, 0);
		vfy_campaign_clear(&c);
	}
}

/* --- in place ---------------------------------------------------------------------------------------- */

static void in_place_honest(void **state)
{
	struct vfy_campaign c;

	begin(&c, "sim:honest", false, VFY_PROBE_DESTRUCTIVE);
	for (uint8_t i = 0; i < 20; i++) {
		run_set_lsa(&c, VFY_PHASE_VALID, i, i);
		run_one(&c, VFY_PHASE_VALID, VENDOR_READ, &(uint32_t){ i }, 4);
	}
	assert_int_equal(c.n_findings, 0);
	assert_int_equal(c.experiments, 40);
	assert_int_equal(c.target.openings, 1);
	assert_string_equal(vfy_campaign_verdict(&c), "honest-so-far");
	vfy_campaign_clear(&c);
}

/* It happens each time, so it can be repeated there and then. */
static void in_place_again(void **state)
{
	struct vfy_campaign c;

	begin(&c, "sim:liar-data", false, VFY_PROBE_DESTRUCTIVE);
	run_one(&c, VFY_PHASE_VALID, VENDOR_READ, &(uint32_t){ 0 }, 4);
	assert_true(vfy_finding_accuses(only(&c, VFY_BREACH)));
	assert_int_equal(c.finding[0].opcode, VENDOR_READ);
	assert_true(c.finding[0].controls >= 3);
	assert_int_equal(c.target.openings, 1);
	assert_string_equal(vfy_campaign_verdict(&c), "breach");
	vfy_campaign_clear(&c);
}

/* It cannot happen twice on one device: it is said, and accuses nobody. */
static void in_place_once(void **state)
{
	struct vfy_campaign c;

	begin(&c, "sim:honest,declare=0x45040000", false, VFY_PROBE_DESTRUCTIVE);
	run_one(&c, VFY_PHASE_VALID, FREEZE, NULL, 0);
	assert_false(vfy_finding_accuses(only(&c, VFY_BREACH)));
	assert_non_null(strstr(c.finding[0].text, "seen once"));
	assert_int_equal(c.finding[0].reproduced, 0);
	assert_true(c.not_confirmed > 0);
	vfy_campaign_clear(&c);
}

/* --- others ------------------------------------------------------------------------------------------ */

/* A command that fails, and changes what it declares. */
static void half_applied(void **state)
{
	struct vfy_campaign c;
	const uint8_t no_log = 0x7f;

	begin(&c, "sim:liar-failure,declare=0x01000008", true, VFY_PROBE_DESTRUCTIVE);
	run_one(&c, VFY_PHASE_MALFORMED, GET_EVENTS, &no_log, 1);
	assert_false(vfy_finding_accuses(only(&c, VFY_HALF_APPLIED)));
	assert_int_equal(c.finding[0].severity, VFY_NOTE);
	assert_true(c.finding[0].reproduced >= 3);
	vfy_campaign_clear(&c);
}

/* Of a small mailbox's many pieces not all are read each time: found all the same, and made short. */
static void rare(void **state)
{
	const struct vfy_finding *f;
	struct vfy_campaign c;

	begin(&c, "sim:honest,payload=256,declare=0x41030010", true, VFY_PROBE_DESTRUCTIVE);
	assert_true(c.engine->has_rare);
	for (unsigned int i = 0; i < 100; i++)
		if (i == 30)
			run_set_lsa(&c, VFY_PHASE_BOUNDARY, 9000, 0xa5);
		else
			run_one(&c, VFY_PHASE_BOUNDARY, 0x4000, NULL, 0);
	f = only(&c, VFY_BREACH);
	assert_true(vfy_finding_accuses(f));
	assert_int_equal(f->opcode, SET_LSA);
	assert_int_equal(f->sequence.n, 1);
	assert_true(f->from_steps > 30);
	vfy_campaign_clear(&c);
}

/* History that is needed stays, and what is not goes. */
static void history(void **state)
{
	const struct vfy_finding *f;
	struct vfy_campaign c;

	begin(&c, "sim:liar-count,after=5", true, VFY_PROBE_DESTRUCTIVE);
	for (unsigned int i = 0; i < 60 && !c.n_findings; i++) {
		run_set_lsa(&c, VFY_PHASE_VALID, i, 1);
		run_one(&c, VFY_PHASE_VALID, 0x4303, (uint64_t[2]){ 0, 1 }, 16);
	}
	f = only(&c, VFY_BREACH);
	assert_true(vfy_finding_accuses(f));
	assert_int_equal(f->opcode, 0x4303);
	assert_true(f->sequence.n > 1 && f->sequence.n < f->from_steps);
	vfy_campaign_clear(&c);
}

static void no_more_than_allowed(void **state)
{
	struct vfy_campaign c;
	uint64_t before;

	begin(&c, "sim:honest", true, VFY_PROBE_READ_ONLY);
	before = c.target.commands;
	run_set_lsa(&c, VFY_PHASE_VALID, 0, 1);
	assert_int_equal(c.left, 1);
	assert_int_equal(c.experiments, 0);
	assert_int_equal(c.target.commands, before);
	run_one(&c, VFY_PHASE_VALID, 0x4000, NULL, 0);
	assert_int_equal(c.experiments, 1);
	assert_true(c.target.commands > before);
	vfy_campaign_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_as_declared), cmocka_unit_test(waits_undeclared),
		cmocka_unit_test(reset_alone),       cmocka_unit_test(in_place_honest),
		cmocka_unit_test(in_place_again),    cmocka_unit_test(in_place_once),
		cmocka_unit_test(half_applied),      cmocka_unit_test(rare),
		cmocka_unit_test(history),           cmocka_unit_test(no_more_than_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
