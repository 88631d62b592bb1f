/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timing: an input that takes much longer than others of its command may be one that the device does
 * something else with. It is sent again, among others; when it always takes that long its neighbours are
 * tried: single bits, other values, as experiments of the random phase. What of those is slow is looked
 * into in turn, up to a limit.
 *
 * Times are compared per so many bytes that were moved, and a slow input counts by the fastest of its
 * repetitions: the host's own pauses make single answers slow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"

#define TIMES_MIN 12u /* before anything is called slow */
#define FACTOR 8u
#define NS_MIN 100000u
#define BYTES 512u
#define AGAIN 8u       /* repetitions */
#define NEIGHBOURS 64u /* single bits, and as many other values at most */
#define OF_COMMAND 6u  /* slow inputs of one command that are looked into */
#define PAYLOAD_MAX 4096u
#define PIECE 128u

enum stage {
	FOUND,
	AGAIN_SENT,
	CONFIRMED,
	NEIGHBOURS_SENT,
	DONE,
};

static uint64_t rate(const struct vfy_step *step, const struct vfy_answer *answer)
{
	return answer->took_ns / (1 + ((uint64_t)step->payload_len + answer->out_len) / BYTES);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* 0: too few are known. */
static uint64_t median(const struct vfy_gen_command *c)
{
	uint64_t sorted[VFY_TIMES];
	uint32_t n = vfy_least(c->n_times, VFY_TIMES);

	if (n < TIMES_MIN)
		return 0;
	memcpy(sorted, c->times, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_number);
	return sorted[n / 2];
}

static bool is_slow(uint64_t usual, const struct vfy_step *step, const struct vfy_answer *answer)
{
	return usual && !answer->error && answer->took_ns > NS_MIN &&
	       rate(step, answer) / FACTOR > usual;
}

static bool is_known(const struct vfy_generator *g, const struct vfy_step *step)
{
	for (uint32_t i = 0; i < g->n_slow; i++)
		if (vfy_step_eq(&g->slow[i].step, step))
			return true;
	return false;
}

static int remember(struct vfy_generator *g, struct vfy_gen_command *c, const struct vfy_step *step,
		    uint64_t usual)
{
	struct vfy_slow_input *s;
	uint8_t *payload = NULL;

	if (g->n_slow >= VFY_SLOW_MAX || c->n_slow >= OF_COMMAND ||
	    step->payload_len > PAYLOAD_MAX || is_known(g, step))
		return 0;
	if (step->payload_len) {
		payload = malloc(step->payload_len);
		if (!payload)
			return -ENOMEM;
		memcpy(payload, step->payload, step->payload_len);
	}
	s = &g->slow[g->n_slow++];
	*s = (struct vfy_slow_input){ .step = *step, .usual = usual, .fastest = UINT64_MAX };
	s->step.payload = payload;
	c->n_slow++;
	return 0;
}

int vfy_slow_learn(struct vfy_generator *g, const struct vfy_step *step,
		   const struct vfy_answer *answer)
{
	struct vfy_gen_command *c = vfy_gen_command(g, step->set, step->opcode);
	uint64_t usual;
	int r = 0;

	if (!c || answer->error)
		return 0;
	usual = answer->took_ns > NS_MIN ? median(c) : 0;
	if (is_slow(usual, step, answer))
		r = remember(g, c, step, usual);
	c->times[c->n_times++ % VFY_TIMES] = rate(step, answer);
	return r;
}

/* --- looking into it ------------------------------------------------------------------------------ */

/* The input itself, with an ordinary one of the same command between. */
static void send_again(struct vfy_generator *g, const struct vfy_slow_input *s)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, s->step.set, s->step.opcode);

	for (unsigned int i = 0; i < AGAIN; i++) {
		vfy_burst_add(g, &s->step, VFY_NO_FORM);
		if (c && c->n_forms && vfy_form_reads(&g->form[c->first_form]))
			vfy_burst_add(g, &g->form[c->first_form].step, c->first_form);
	}
}

static void flip(struct vfy_generator *g, const struct vfy_step *from, uint32_t bit)
{
	struct vfy_step step = vfy_step_copy(g, from);

	if (bit / 8 < step.payload_len)
		step.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
	else
		step.cdw[bit / 32 % 6] ^= 1u << bit % 32;
	vfy_burst_add(g, &step, VFY_NO_FORM);
}

static void send_neighbours(struct vfy_generator *g, const struct vfy_slow_input *s,
			    struct vfy_random *random)
{
	bool cxl = s->step.set == FWA_SET_CXL;
	uint32_t bits = cxl ? 8 * s->step.payload_len : 6 * 32;

	for (uint32_t i = 0; i < NEIGHBOURS && i < bits; i++)
		flip(g, &s->step, bits <= NEIGHBOURS ? i : vfy_random_below(random, bits));
	for (uint32_t i = 0; i < NEIGHBOURS && s->step.payload_len; i++) {
		struct vfy_step step = vfy_step_copy(g, &s->step);

		step.payload[vfy_random_below(random, step.payload_len)] =
			(uint8_t)vfy_random(random);
		vfy_burst_add(g, &step, VFY_NO_FORM);
	}
}

bool vfy_slow_fill(struct vfy_generator *g, bool random)
{
	struct vfy_random numbers;

	g->looking_into = VFY_SLOW_MAX;
	for (uint32_t i = 0; i < g->n_slow; i++) {
		struct vfy_slow_input *s = &g->slow[i];

		if (s->stage != FOUND && (s->stage != CONFIRMED || !random))
			continue;
		numbers = vfy_random_of(g->args.seed, VFY_PHASES + 2, i);
		vfy_burst_begin(g, PIECE, PIECE);
		if (s->stage == FOUND) {
			send_again(g, s);
		} else {
			send_neighbours(g, s, &numbers);
			g->burst.phase = VFY_PHASE_RANDOM;
			g->burst.units = g->burst.steps.n;
		}
		s->stage++;
		g->looking_into = i;
		return true;
	}
	return false;
}

/* The fastest of all repetitions says whether it is always slow. */
static void take_repetitions(struct vfy_slow_input *s, const struct vfy_experiment *e,
			     const struct vfy_answer *answer, size_t n)
{
	uint64_t fastest = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (vfy_step_eq(&e->sequence.step[i], &s->step)) {
			bool slow = is_slow(s->usual, &s->step, &answer[i]);

			s->repeated++;
			if (!slow)
				s->stage = DONE;
			if (answer[i].took_ns < fastest)
				fastest = answer[i].took_ns;
		}
	if (s->stage == DONE || s->repeated < AGAIN)
		return;
	s->stage = CONFIRMED;
	s->fastest = fastest;
}

static void take_neighbours(struct vfy_slow_input *s, const struct vfy_experiment *e,
			    const struct vfy_answer *answer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->neighbours++;
		s->slow_neighbours += is_slow(s->usual, &e->sequence.step[i], &answer[i]);
	}
}

void vfy_slow_answered(struct vfy_generator *g, const struct vfy_experiment *e,
		       const struct vfy_answer *answer, size_t n)
{
	struct vfy_slow_input *s;

	if (g->looking_into >= g->n_slow)
		return;
	s = &g->slow[g->looking_into];
	if (s->stage == AGAIN_SENT)
		take_repetitions(s, e, answer, n);
	else if (s->stage == NEIGHBOURS_SENT)
		take_neighbours(s, e, answer, n);
}

void vfy_slow_clear(struct vfy_generator *g)
{
	for (uint32_t i = 0; i < g->n_slow; i++)
		free(g->slow[i].step.payload);
	g->n_slow = 0;
}

bool vfy_generator_slow(const struct vfy_generator *g, size_t i, struct vfy_slow *ret)
{
	for (uint32_t at = 0; at < g->n_slow; at++) {
		const struct vfy_slow_input *s = &g->slow[at];

		if (s->fastest == UINT64_MAX || i--)
			continue;
		*ret = (struct vfy_slow){
			.step = &s->step,
			.usual_ns = s->usual * (1 + (uint64_t)s->step.payload_len / BYTES),
			.took_ns = s->fastest,
			.neighbours = s->neighbours,
			.slow_neighbours = s->slow_neighbours,
		};
		return true;
	}
	return false;
}
