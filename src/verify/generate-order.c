/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order: each read many times over; each ordered pair and triple of reads, in sequences of which each two
 * or three neighbours are another pair or triple (de Bruijn's), cut into experiments that overlap so that
 * none is lost; and each write among reads.
 *
 * Reads are the forms that the device has taken; of a command of which it took none, the first. Triples
 * are those of at most TRIPLES of them, chosen by the seed, one of each command before a second one of any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"

#define TIMES 256u
#define PAIRS 512u    /* reads at most whose pairs are tried */
#define PAYLOAD 4096u /* longest payload of what is sent over and over */
#define TRIPLES 40u   /* and whose triples */
#define AMONG 11u     /* reads among which triples with a write are tried */

/* --- which ---------------------------------------------------------------------------------------- */

static bool taken_before(const struct vfy_generator *g, uint32_t form)
{
	const struct vfy_gen_command *c = &g->command[g->form[form].command];

	for (uint32_t i = 0; i < c->n_forms; i++)
		if (vfy_form_reads(&g->form[c->first_form + i]) &&
		    (g->form[c->first_form + i].state != VFY_FORM_REFUSED ||
		     c->first_form + i < form))
			return true;
	return false;
}

static bool is_read(const struct vfy_generator *g, uint32_t form)
{
	const struct vfy_form *f = &g->form[form];

	if (!vfy_form_reads(f) || g->command[f->command].lost_shaped >= VFY_LOST_MAX)
		return false;
	return f->state != VFY_FORM_REFUSED || !taken_before(g, form);
}

static bool is_short_read(const struct vfy_generator *g, uint32_t form)
{
	return is_read(g, form) && g->form[form].step.payload_len <= PAYLOAD;
}

/* What may be sent a hundred times over: no background work, no firmware, nothing that locks. */
static bool is_write(const struct vfy_generator *g, uint32_t form)
{
	const struct vfy_form *f = &g->form[form];
	struct fwa_command cmd = vfy_step_command(&f->step);
	const fwa_effects hard = FWA_EFFECT_BACKGROUND | FWA_EFFECT_SECURITY |
				 FWA_EFFECT_NAMESPACE_INVENTORY | FWA_EFFECT_EXCLUSIVE;

	return !vfy_form_reads(f) && f->risk < VFY_PROBES &&
	       g->command[f->command].lost_shaped < VFY_LOST_MAX && f->state != VFY_FORM_REFUSED &&
	       f->step.payload_len <= PAYLOAD && !((f->declared | f->floor) & hard) &&
	       !fwa_command_moves_firmware(&cmd) && !vfy_scene_only(f);
}

static bool wanted(const struct vfy_generator *g, uint32_t form)
{
	return vfy_gen_wanted(g, g->form[form].step.set, g->form[form].step.opcode);
}

static uint32_t list(const struct vfy_generator *g,
		     bool (*which)(const struct vfy_generator *g, uint32_t form), uint32_t *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_forms; i++)
		if (which(g, i)) {
			if (to)
				to[n] = i;
			n++;
		}
	return n;
}

/* With --command those that change nothing are put among others, too. */
static bool is_pivot(const struct vfy_generator *g, uint32_t form)
{
	if (g->args.only_set >= 0)
		return wanted(g, form) && (is_write(g, form) || is_read(g, form));
	return is_write(g, form);
}

static void shuffle(uint32_t *list, uint32_t n, struct vfy_random *random)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = vfy_random_below(random, i), swap = list[i - 1];

		list[i - 1] = list[j];
		list[j] = swap;
	}
}

/* In front: one form of each command, then a second one; else as the seed has it. */
static int spread(struct vfy_generator *g)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_TRIPLES, 0);
	uint32_t *to = calloc(g->n_reads + 1u, sizeof(*to));
	uint32_t *before = calloc(g->n_reads + 1u, sizeof(*before)); /* of the same command */
	uint32_t *n = calloc(g->n_commands + 1u, sizeof(*n));
	bool made = to && before && n;
	uint32_t at = 0;

	if (made) {
		shuffle(g->reads, g->n_reads, &random);
		for (uint32_t i = 0; i < g->n_reads; i++)
			before[i] = n[g->form[g->reads[i]].command]++;
		for (uint32_t round = 0; at < g->n_reads; round++)
			for (uint32_t i = 0; i < g->n_reads; i++)
				if (before[i] == round)
					to[at++] = g->reads[i];
		memcpy(g->reads, to, g->n_reads * sizeof(*to));
	}
	free(to);
	free(before);
	free(n);
	return made ? 0 : -ENOMEM;
}

static int make_lists(struct vfy_generator *g)
{
	uint32_t *reads = calloc(g->n_forms + 1u, sizeof(*reads));
	uint32_t *pivots = calloc(g->n_forms + 1u, sizeof(*pivots));

	free(g->reads);
	free(g->pivots);
	g->reads = reads;
	g->pivots = pivots;
	if (!reads || !pivots)
		return -ENOMEM;
	g->n_reads = list(g, is_short_read, reads);
	g->n_all_reads = list(g, is_read, NULL);
	g->n_pivots = list(g, is_pivot, pivots);
	return spread(g);
}

void vfy_order_clear(struct vfy_generator *g)
{
	free(g->reads);
	free(g->pivots);
	free(g->cycle);
	g->reads = g->pivots = NULL;
	g->cycle = NULL;
}

/* --- each many times ------------------------------------------------------------------------------ */

static int plan_repeat(struct vfy_generator *g)
{
	uint64_t n = 0;
	int r = make_lists(g);

	for (uint32_t i = 0; i < g->n_forms; i++)
		n += is_read(g, i) && wanted(g, i);
	g->planned[VFY_PHASE_REPEAT] = n;
	return r;
}

static bool fill_repeat(struct vfy_generator *g, uint64_t job)
{
	if (job >= g->n_reads)
		return false;
	vfy_burst_begin(g, TIMES, TIMES);
	if (!wanted(g, g->reads[job]))
		return true;
	for (unsigned int i = 0; i < TIMES; i++)
		vfy_burst_add(g, &g->form[g->reads[job]].step, g->reads[job]);
	g->burst.units = 1;
	return true;
}

const struct vfy_phase_ops vfy_phase_repeat = { .unit = "reads",
						.plan = plan_repeat,
						.fill = fill_repeat };

/* --- de Bruijn sequences -------------------------------------------------------------------------- */

struct cycle {
	uint16_t *to;
	uint32_t at;
	uint32_t k;     /* letters */
	unsigned int n; /* of one word */
	uint16_t a[4];
};

/* Appends the Lyndon words whose length divides n, in their order (Fredricksen, Kessler, Maiorana). */
static void words(struct cycle *c, unsigned int t, unsigned int p)
{
	if (t > c->n) {
		for (unsigned int i = 1; c->n % p == 0 && i <= p; i++)
			c->to[c->at++] = c->a[i];
		return;
	}
	c->a[t] = c->a[t - p];
	words(c, t + 1, p);
	for (uint32_t j = c->a[t - p] + 1u; j < c->k; j++) {
		c->a[t] = (uint16_t)j;
		words(c, t + 1, t);
	}
}

static uint32_t power(uint32_t k, unsigned int n)
{
	return n ? k * power(k, n - 1) : 1;
}

/* Each word of @n of @k letters, @n 2 or 3, once: g->cycle, open at its ends. 0 or -ENOMEM. */
static int make_cycle(struct vfy_generator *g, uint32_t k, unsigned int n)
{
	struct cycle c = { .k = k, .n = n };

	free(g->cycle);
	g->n_cycle = 0;
	g->cycle = c.to = calloc(power(k, n) + n, sizeof(*c.to));
	if (!c.to)
		return -ENOMEM;
	if (!k)
		return 0;
	words(&c, 1, 1);
	for (unsigned int i = 0; i < n - 1; i++)
		c.to[c.at + i] = c.to[i];
	g->n_cycle = c.at + n - 1;
	return 0;
}

/* Piece @i of the cycle over the reads; false past its end. @n - 1 of its steps are in the one before, too. */
static bool fill_cycle(struct vfy_generator *g, uint64_t i, unsigned int n)
{
	uint64_t step = VFY_EXPERIMENT_STEPS - (n - 1), from = i * step;

	if (from + n > g->n_cycle)
		return false;
	vfy_burst_begin(g, VFY_EXPERIMENT_STEPS, VFY_EXPERIMENT_STEPS);
	for (uint64_t at = from; at < from + VFY_EXPERIMENT_STEPS && at < g->n_cycle; at++)
		vfy_burst_add(g, &g->form[g->reads[g->cycle[at]]].step, g->reads[g->cycle[at]]);
	g->burst.units = g->burst.spoiled ? 0 : g->burst.steps.n - (n - 1);
	return true;
}

/* --- pairs ---------------------------------------------------------------------------------------- */

static int plan_pairs(struct vfy_generator *g)
{
	uint64_t k;
	int r = make_lists(g);

	if (r < 0)
		return r;
	k = g->n_all_reads;
	g->planned[VFY_PHASE_PAIRS] = (g->args.only_set < 0 ? k * k : 0) + k * g->n_pivots;
	return make_cycle(g, g->args.only_set < 0 ? vfy_least(g->n_reads, PAIRS) : 0, 2);
}

/* The pivot before each read. */
static void fill_pivot(struct vfy_generator *g, uint32_t pivot)
{
	vfy_burst_begin(g, VFY_EXPERIMENT_STEPS, VFY_EXPERIMENT_STEPS);
	g->burst.mixed = true;
	for (uint32_t i = 0; i < g->n_reads; i++) {
		size_t n = g->burst.steps.n;

		vfy_burst_add(g, &g->form[pivot].step, pivot);
		if (g->burst.steps.n == n) /* the probe does not allow it */
			break;
		vfy_burst_add(g, &g->form[g->reads[i]].step, g->reads[i]);
	}
	g->burst.units = g->burst.steps.n / 2;
}

static uint64_t cycle_pieces(const struct vfy_generator *g, unsigned int n)
{
	uint64_t step = VFY_EXPERIMENT_STEPS - (n - 1);

	return g->n_cycle < n ? 0 : (g->n_cycle - n) / step + 1;
}

static bool fill_pairs(struct vfy_generator *g, uint64_t job)
{
	uint64_t pieces = cycle_pieces(g, 2);

	if (job < pieces)
		return fill_cycle(g, job, 2);
	if (job - pieces >= g->n_pivots)
		return false;
	fill_pivot(g, g->pivots[job - pieces]);
	return true;
}

const struct vfy_phase_ops vfy_phase_pairs = { .unit = "pairs",
					       .plan = plan_pairs,
					       .fill = fill_pairs };

/* --- triples -------------------------------------------------------------------------------------- */

static int plan_triples(struct vfy_generator *g)
{
	uint64_t k;
	int r = make_lists(g);

	if (r < 0)
		return r;
	k = g->n_all_reads;
	g->planned[VFY_PHASE_TRIPLES] = (g->args.only_set < 0 ? k * k * k : 0) +
					g->n_pivots * ((k + 1) * (k + 1) * (k + 1) - k * k * k);
	return make_cycle(g, g->args.only_set < 0 ? vfy_least(g->n_reads, TRIPLES) : 0, 3);
}

/* Each triple of the pivot and a few reads: the cycle over one letter more, the last one. */
static int fill_pivot_triples(struct vfy_generator *g, uint32_t pivot)
{
	uint32_t k = vfy_least(g->n_reads, AMONG);
	struct cycle c = { .k = k + 1, .n = 3 };

	vfy_burst_begin(g, VFY_EXPERIMENT_STEPS, VFY_EXPERIMENT_STEPS);
	g->burst.mixed = true;
	g->burst.overlap = 2;
	c.to = calloc(power(k + 1, 3) + 3, sizeof(*c.to));
	if (!c.to)
		return -ENOMEM;
	words(&c, 1, 1);
	c.to[c.at++] = 0;
	c.to[c.at++] = 0;
	for (uint32_t i = 0; i < c.at; i++) {
		uint32_t form = c.to[i] < k ? g->reads[c.to[i]] : pivot;

		vfy_burst_add(g, &g->form[form].step, form);
	}
	free(c.to);
	if (g->burst.spoiled) /* the probe does not allow the pivot */
		vfy_burst_begin(g, 1, 1);
	else
		g->burst.units = power(k + 1, 3) - power(k, 3);
	return 0;
}

static bool fill_triples(struct vfy_generator *g, uint64_t job)
{
	uint64_t pieces = cycle_pieces(g, 3);

	if (job < pieces)
		return fill_cycle(g, job, 3);
	if (job - pieces >= g->n_pivots)
		return false;
	g->burst.error = 0;
	if (fill_pivot_triples(g, g->pivots[job - pieces]) < 0)
		g->burst.error = -ENOMEM;
	return true;
}

const struct vfy_phase_ops vfy_phase_triples = { .unit = "triples",
						 .plan = plan_triples,
						 .fill = fill_triples };
