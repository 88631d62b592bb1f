/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor commands: what the device declares and the model does not know. First the lengths that each of
 * them takes, as its answers say; then values: small numbers in each field, single bits, anything. What is
 * taken becomes a form, to be repeated and put in order like the others.
 *
 * All commands have their first round before any has its second one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define READS 128u /* steps of an experiment */
#define WRITES 32u
#define LENGTHS 4u /* of so many lengths that were taken values are tried */
#define FORM_BYTES 256u
#define FORMS_OF_MANY 2u /* with many commands only so many of each are kept */
#define FORMS 16u        /* so many that were taken are kept */
#define FIELDS 32u       /* bytes that are gone through field by field */
#define SMALL 24u        /* numbers from 0 on */
#define BITS 256u
#define RANDOM 96u

enum round {
	ROUND_LENGTHS,
	ROUND_MORE_LENGTHS,
	ROUND_SMALL,
	ROUND_BITS,
	ROUND_PAIRS,
	ROUND_RANDOM,
	ROUNDS = ROUND_RANDOM + 4,
};

struct vfy_vendor {
	uint32_t command;
	uint32_t length[LENGTHS];
	uint32_t n_lengths;
	uint32_t n_forms;
	bool succeeded; /* lengths are only those of successes */
};

static uint32_t count(const struct vfy_generator *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_commands; i++)
		n += !g->command[i].row &&
		     vfy_gen_wanted(g, g->command[i].set, g->command[i].opcode);
	return n;
}

static int plan(struct vfy_generator *g)
{
	uint32_t n = count(g), at = 0;

	g->planned[VFY_PHASE_VENDOR] = n;
	if (g->vendor)
		return 0;
	g->vendor = calloc(n + 1u, sizeof(*g->vendor));
	if (!g->vendor)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_commands; i++)
		if (!g->command[i].row &&
		    vfy_gen_wanted(g, g->command[i].set, g->command[i].opcode))
			g->vendor[at++].command = i;
	g->n_vendor = n;
	return 0;
}

void vfy_vendor_clear(struct vfy_generator *g)
{
	free(g->vendor);
	g->vendor = NULL;
}

/* --- learning ------------------------------------------------------------------------------------- */

static struct vfy_vendor *find(struct vfy_generator *g, const struct vfy_step *step)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, step->set, step->opcode);
	uint32_t command = c ? (uint32_t)(c - g->command) : VFY_NO_FORM;
	uint32_t low = 0, high = g->n_vendor;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (g->vendor[mid].command == command)
			return &g->vendor[mid];
		if (g->vendor[mid].command < command)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Lengths of successes drive out those that were only not refused for themselves. */
static void note_length(struct vfy_vendor *v, uint32_t len, bool success)
{
	if (success && !v->succeeded) {
		v->succeeded = true;
		v->n_lengths = 0;
	}
	if (v->succeeded && !success)
		return;
	for (uint32_t i = 0; i < v->n_lengths; i++)
		if (v->length[i] == len)
			return;
	if (v->n_lengths < LENGTHS)
		v->length[v->n_lengths++] = len;
}

static bool same_form(const struct vfy_generator *g, const struct vfy_step *step)
{
	for (uint32_t i = g->n_model_forms; i < g->n_forms; i++)
		if (vfy_step_eq(&g->form[i].step, step))
			return true;
	return false;
}

/* 0 or -ENOMEM. */
int vfy_vendor_learn(struct vfy_generator *g, const struct vfy_step *step,
		     const struct vfy_answer *answer)
{
	struct vfy_vendor *v = find(g, step);
	bool success = vfy_is_taken(step, answer);
	int r;

	if (!v || answer->error || answer->code == CXL_RC_UNSUPPORTED ||
	    (step->set == FWA_SET_CXL && answer->code == CXL_RC_PAYLOAD_LENGTH))
		return 0;
	note_length(v, step->payload_len, success);
	if (!success || v->n_forms >= (g->n_vendor > 64 ? FORMS_OF_MANY : FORMS) ||
	    step->payload_len > (g->nvme ? NVME_PAGE_LEN : FORM_BYTES) || same_form(g, step))
		return 0;
	r = vfy_form_add(g, v->command, NULL, 0, step);
	if (r < 0)
		return r;
	g->form[g->n_forms - 1].state = VFY_FORM_TAKEN;
	v->n_forms++;
	return 0;
}

/* --- inputs --------------------------------------------------------------------------------------- */

struct search {
	struct vfy_generator *g;
	const struct vfy_vendor *v;
	struct vfy_random *random;
	struct vfy_step step;
	uint8_t *field; /* what values are put into: payload, or CDW10 on */
	uint32_t n;     /* bytes of it */
	uint8_t dwords[24];
};

static struct vfy_step blank(const struct search *s)
{
	const struct vfy_gen_command *c = &s->g->command[s->v->command];

	return (struct vfy_step){
		.kind = VFY_COMMAND, .set = c->set, .opcode = c->opcode, .payload = s->g->data
	};
}

static void add(struct search *s)
{
	if (s->step.set != FWA_SET_CXL)
		for (unsigned int i = 0; i < 6; i++)
			s->step.cdw[i] = fwa_le32(s->dwords + (size_t)4 * i);
	vfy_burst_add(s->g, &s->step, VFY_NO_FORM);
}

/* Only a mailbox tells lengths apart; NVMe has a page where data goes either way. */
static void begin(struct search *s, uint32_t len)
{
	s->step = blank(s);
	memset(s->dwords, 0, sizeof(s->dwords));
	if (s->step.set == FWA_SET_CXL) {
		s->step.payload_len = len;
		s->field = s->g->data;
		s->n = len;
	} else {
		if (NVME_DIR(s->step.opcode) & NVME_DIR_FROM_DEVICE)
			s->step.out_len = NVME_PAGE_LEN;
		else if (NVME_DIR(s->step.opcode) == NVME_DIR_TO_DEVICE)
			s->step.payload_len = NVME_PAGE_LEN;
		s->field = s->dwords;
		s->n = sizeof(s->dwords);
	}
	memset(s->g->data, 0, s->step.payload_len);
}

/* One input with @value of @width bytes at @at. */
static void with_value(struct search *s, uint32_t len, uint32_t at, unsigned int width,
		       uint64_t value)
{
	begin(s, len);
	for (unsigned int i = 0; i < width && at + i < s->n; i++)
		s->field[at + i] = (uint8_t)(value >> 8 * i);
	add(s);
}

/* What is filled in besides: zeroes hide that a second number is wanted, too. */
static void lengths(struct search *s, uint32_t from, uint32_t to, uint32_t by, int filler)
{
	for (uint32_t len = from; len <= to && len <= s->g->mailbox; len += by) {
		begin(s, len);
		memset(s->field, filler, s->n);
		add(s);
	}
}

static void round_lengths(struct search *s)
{
	static const uint32_t larger[] = { 96, 128, 192, 256, 512, 1024, 2048, 4096 };
	uint32_t nsid = 1;

	if (s->g->nvme) {
		for (unsigned int i = 0; i < 3; i++, nsid = i == 1 ? 0 : NVME_NSID_ALL) {
			begin(s, 0);
			s->step.nsid = nsid;
			add(s);
			fwa_put_le32(s->dwords, NVME_PAGE_LEN / 4 - 1);
			add(s);
		}
		return;
	}
	lengths(s, 0, 24, 1, 0);
	lengths(s, 28, 80, 4, 0);
	for (unsigned int i = 0; i < sizeof(larger) / sizeof(larger[0]); i++)
		lengths(s, larger[i], larger[i], 1, 0);
	lengths(s, s->g->mailbox, s->g->mailbox, 1, 0);
}

static void round_more_lengths(struct search *s)
{
	if (s->g->nvme)
		return;
	if (!s->v->n_lengths) {
		lengths(s, 25, 128, 1, 0);
		lengths(s, 132, 512, 4, 0);
	}
	lengths(s, 0, 64, 4, 1);
	lengths(s, 0, 64, 4, 0xff);
}

static void small(struct search *s, uint32_t len)
{
	static const unsigned int widths[] = { 4, 2, 1 };

	for (unsigned int w = 0; w < 3; w++)
		for (uint32_t at = 0; at < FIELDS && at + widths[w] <= s->n; at += widths[w])
			for (uint64_t value = 1; value < SMALL; value++) {
				/* the same number in a narrower field is the same input */
				if (w && at % widths[w - 1] == 0)
					continue;
				with_value(s, len, at, widths[w], value);
			}
}

static void bits(struct search *s, uint32_t len)
{
	for (uint32_t bit = 0; bit < BITS && bit / 8 < s->n; bit++)
		with_value(s, len, bit / 8, 1, 1u << bit % 8);
	begin(s, len);
	memset(s->field, 0xff, s->n);
	add(s);
}

/* A number that chooses, and one that is put there: registers and the like. */
static void pairs(struct search *s, uint32_t len)
{
	static const uint32_t values[] = { 1, 0xff, 0xffff, UINT32_MAX, 0x80000000, 0xdeadbeef };

	for (uint32_t i = 0; i < SMALL && s->n >= 8; i++)
		for (unsigned int v = 0; v < 6; v++) {
			begin(s, len);
			fwa_put_le32(s->field, i);
			fwa_put_le32(s->field + 4, values[v]);
			add(s);
		}
}

static void any(struct search *s, uint32_t len)
{
	for (unsigned int i = 0; i < RANDOM; i++) {
		begin(s, len);
		vfy_random_fill(s->random, s->field, s->n);
		/* half of them with a small number in front */
		if (i & 1 && s->n >= 4)
			fwa_put_le32(s->field, vfy_random_below(s->random, 256));
		add(s);
	}
}

static void values(struct search *s, enum round round, uint32_t len)
{
	begin(s, len);
	switch (round) {
	case ROUND_SMALL:
		small(s, len);
		break;
	case ROUND_BITS:
		bits(s, len);
		break;
	case ROUND_PAIRS:
		pairs(s, len);
		break;
	default:
		any(s, len);
		break;
	}
}

/* --- the phase ------------------------------------------------------------------------------------ */

/* With very many commands each gets less, so that the phases behind this one have their turn. */
static unsigned int rounds(const struct vfy_generator *g)
{
	return g->n_vendor <= 64 ? ROUNDS : g->n_vendor <= 1024 ? ROUND_PAIRS : ROUND_SMALL;
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_VENDOR, job);
	struct search s = { .g = g, .random = &random };
	enum round round;

	if (!g->n_vendor || job / g->n_vendor >= rounds(g))
		return false;
	round = (enum round)(job / g->n_vendor);
	s.v = &g->vendor[job % g->n_vendor];
	vfy_burst_begin(g, READS, WRITES);
	if (round == ROUND_LENGTHS)
		round_lengths(&s);
	else if (round == ROUND_MORE_LENGTHS)
		round_more_lengths(&s);
	else if (g->nvme)
		values(&s, round, 0);
	else
		for (uint32_t i = 0; i < s.v->n_lengths; i++)
			values(&s, round, s.v->length[i]);
	g->burst.units = round == ROUND_LENGTHS && g->burst.steps.n;
	return true;
}

const struct vfy_phase_ops vfy_phase_vendor = { .unit = "commands", .plan = plan, .fill = fill };
