/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bursts: the steps of one job, and how they become experiments.
 *
 * 1. No step gets into a burst that the probe may not send (vfy_step_risk()).
 * 2. An experiment is judged by the union of what its commands declare. So steps are in one experiment
 *    only when this union is no more than each one's own, or where the job says that it is meant. Steps
 *    of one claim are brought together for that, each claim's in their order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"

void vfy_burst_begin(struct vfy_generator *g, unsigned int reads, unsigned int writes)
{
	struct vfy_burst *b = &g->burst;

	vfy_sequence_cut(&b->steps, 0);
	*b = (struct vfy_burst){
		.steps = b->steps,
		.note = b->note,
		.notes_room = b->notes_room,
		.phase = g->phase,
		.reads = vfy_least(reads, VFY_EXPERIMENT_STEPS),
		.writes = vfy_least(writes, VFY_EXPERIMENT_STEPS),
	};
}

void vfy_burst_clear(struct vfy_burst *b)
{
	vfy_sequence_clear(&b->steps);
	free(b->note);
	*b = (struct vfy_burst){ 0 };
}

static int room_for_note(struct vfy_burst *b)
{
	size_t room = b->notes_room ? 2 * b->notes_room : 64;
	struct vfy_note *note;

	if (b->steps.n < b->notes_room)
		return 0;
	note = realloc(b->note, room * sizeof(*note));
	if (!note)
		return -ENOMEM;
	b->note = note;
	b->notes_room = room;
	return 0;
}

static void append(struct vfy_generator *g, const struct vfy_step *step,
		   const struct vfy_note *note)
{
	struct vfy_burst *b = &g->burst;
	size_t at = b->steps.n;
	int r = room_for_note(b);

	if (r == 0)
		r = vfy_sequence_add(&b->steps, step);
	if (r == 0)
		b->note[at] = *note;
	else if (r == -E2BIG)
		b->full = true;
	else
		b->error = r;
}

#define FORMAT_NVM 0x80
#define FORMAT_OF_BLOCKS 0x300fu /* CDW10: the format's number */

/*
 * With blocks of another size transfers would be longer than the buffers that go with them, which are
 * made by what the profile says.
 */
static bool changes_blocks(const struct vfy_generator *g, const struct vfy_step *step)
{
	return step->kind == VFY_COMMAND && step->set == FWA_SET_NVME_ADMIN &&
	       step->opcode == FORMAT_NVM &&
	       (step->cdw[0] & FORMAT_OF_BLOCKS) != vfy_nvme_format(g, step->nsid);
}

/*
 * The device does not survive it: that was found, and each further time costs a device. What is well-formed
 * goes on when only what is not was too much for it.
 */
static bool is_given_up(const struct vfy_generator *g, const struct vfy_step *step,
			const struct fwa_decision *d)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, step->set, step->opcode);

	if (step->kind != VFY_COMMAND || !c)
		return false;
	return (vfy_is_shaped(d) ? c->lost_shaped : c->lost) >= VFY_LOST_MAX;
}

#define DAMAGES (FWA_EFFECT_SECURITY | FWA_EFFECT_NAMESPACE_INVENTORY)

void vfy_burst_add(struct vfy_generator *g, const struct vfy_step *step, uint32_t form)
{
	struct vfy_burst *b = &g->burst;
	struct vfy_note note = { .form = form };
	struct fwa_decision d;
	enum vfy_probe risk = vfy_step_judged(g->profile, step, &d);

	if (risk > g->args.probe || changes_blocks(g, step) || is_given_up(g, step, &d)) {
		b->spoiled = true;
		return;
	}
	note.declared = d.declared;
	note.floor = d.floor;
	note.listed = step->kind != VFY_COMMAND || d.reason != FWA_REASON_UNDECLARED;
	note.reads = risk == VFY_PROBE_READ_ONLY ||
		     (risk == VFY_PROBE_DECLARED && !fwa_admitted(&d)); /* a malformed one */
	note.refused = form != VFY_NO_FORM && g->form[form].state == VFY_FORM_REFUSED;
	if ((d.declared | d.floor) & DAMAGES)
		b->damages = true;
	append(g, step, &note);
}

void vfy_burst_reset(struct vfy_generator *g, enum fwa_reset reset)
{
	struct vfy_step step = { .kind = VFY_RESET, .reset = (uint8_t)reset };

	vfy_burst_add(g, &step, VFY_NO_FORM);
}

void vfy_burst_settle(struct vfy_generator *g)
{
	struct vfy_step step = { .kind = VFY_SETTLE };

	vfy_burst_add(g, &step, VFY_NO_FORM);
}

/* --- cutting -------------------------------------------------------------------------------------- */

/* What both declare together is what each of them declares. */
static bool same_claim(const struct vfy_burst *b, size_t x, size_t y)
{
	const struct vfy_step *s = &b->steps.step[x], *t = &b->steps.step[y];
	const struct vfy_note *m = &b->note[x], *n = &b->note[y];

	if (m->declared != n->declared || m->floor != n->floor || m->listed != n->listed ||
	    m->refused != n->refused)
		return false;
	return !(m->declared | m->floor) ||
	       (s->kind == t->kind && s->set == t->set && s->opcode == t->opcode);
}

/* To which of the claims that turn up in the burst each step belongs: how many there are. */
static uint32_t group(const struct vfy_burst *b, uint32_t *of, size_t *first)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < b->steps.n; i++) {
		uint32_t k = 0;

		while (k < groups && !same_claim(b, first[k], i))
			k++;
		if (k == groups)
			first[groups++] = i;
		of[i] = k;
	}
	return groups;
}

static int sort(struct vfy_burst *b)
{
	size_t n = b->steps.n, at = 0;
	struct vfy_step *step = calloc(n + 1, sizeof(*step));
	struct vfy_note *note = calloc(n + 1, sizeof(*note));
	uint32_t *of = calloc(n + 1, sizeof(*of));
	size_t *first = calloc(n + 1, sizeof(*first));
	bool made = step && note && of && first;
	uint32_t groups = made ? group(b, of, first) : 0;

	for (uint32_t k = 0; groups > 1 && k < groups; k++)
		for (size_t i = first[k]; i < n; i++)
			if (of[i] == k) {
				step[at] = b->steps.step[i];
				note[at++] = b->note[i];
			}
	if (groups > 1) {
		memcpy(b->steps.step, step, n * sizeof(*step));
		memcpy(b->note, note, n * sizeof(*note));
	}
	free(step);
	free(note);
	free(of);
	free(first);
	return made ? 0 : -ENOMEM;
}

void vfy_burst_ready(struct vfy_generator *g)
{
	struct vfy_burst *b = &g->burst;

	if (!b->error && b->steps.n > 1 && !(b->together || b->mixed || b->overlap))
		b->error = sort(b);
}

/* How many steps from b->at on are one experiment. */
static size_t length_of_piece(const struct vfy_burst *b)
{
	size_t left = b->steps.n - b->at, n, bytes = 0;
	const struct vfy_note *first = &b->note[b->at];
	size_t most = first->reads || first->refused ? b->reads : b->writes;

	if (b->together)
		return left;
	for (n = 0; n < left && n < most; n++) {
		bytes += b->steps.step[b->at + n].payload_len;
		if (n && (bytes > VFY_EXPERIMENT_BYTES ||
			  !(b->mixed || same_claim(b, b->at, b->at + n))))
			break;
	}
	return n;
}

static int copy_piece(struct vfy_generator *g, size_t n, struct vfy_experiment *ret)
{
	struct vfy_burst *b = &g->burst;

	for (size_t i = 0; i < n; i++) {
		int r = vfy_sequence_add(&ret->sequence, &b->steps.step[b->at + i]);

		if (r < 0)
			return r;
		g->last[i] = b->note[b->at + i].form;
		if (!b->note[b->at + i].reads)
			ret->settle = true;
	}
	g->n_last = n;
	return 0;
}

/* A form that is sent for the first time in this phase is one more that was tried. */
static void count_forms(struct vfy_generator *g)
{
	for (size_t i = 0; i < g->n_last; i++) {
		struct vfy_form *f;

		if (g->last[i] == VFY_NO_FORM)
			continue;
		f = &g->form[g->last[i]];
		if (g->ops->by_forms && !(f->sent_in >> g->phase & 1))
			g->done[g->phase]++;
		f->sent_in |= 1u << g->phase;
	}
}

static bool usable(const struct vfy_burst *b)
{
	return !b->together || !(b->spoiled || b->full || b->steps.n > VFY_EXPERIMENT_STEPS);
}

int vfy_burst_cut(struct vfy_generator *g, struct vfy_experiment *ret)
{
	struct vfy_burst *b = &g->burst;
	size_t n;
	int r;

	if (b->error)
		return b->error;
	if (b->at >= b->steps.n || !usable(b))
		return 0;
	n = length_of_piece(b);
	*ret = (struct vfy_experiment){
		.phase = b->phase, .deferred = b->deferred, .settle = b->settle, .fresh = g->damaged
	};
	r = copy_piece(g, n, ret);
	if (r < 0) {
		vfy_sequence_clear(&ret->sequence);
		return r;
	}
	b->piece = b->at;
	b->at += n;
	g->damaged = b->damages;
	if (b->at < b->steps.n && b->overlap < n)
		b->at -= b->overlap;
	g->uncounted = true;
	return 1;
}

void vfy_burst_count(struct vfy_generator *g, bool was_run)
{
	struct vfy_burst *b = &g->burst;

	if (!g->uncounted)
		return;
	g->uncounted = false;
	if (!was_run)
		b->units = 0;
	else
		count_forms(g);
	if (b->at >= b->steps.n) {
		g->done[b->phase] += b->units;
		b->units = 0;
	}
}

#define RESUMED_MAX 16u /* times for one burst */

void vfy_burst_resume(struct vfy_generator *g, size_t n)
{
	struct vfy_burst *b = &g->burst;
	size_t last = b->piece + n;

	if (b->together || last >= b->steps.n || b->resumed++ >= RESUMED_MAX)
		return;
	for (b->at = last + 1; b->at < b->steps.n; b->at++)
		if (!vfy_step_eq(&b->steps.step[b->at], &b->steps.step[last]))
			break;
}
