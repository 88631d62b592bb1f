/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hidden triggers: writes of ordinary data that carry what a device may look for (generate-content.c):
 * labels, Features, pieces of firmware, times, blocks, the values of NVMe features. At the start, at the
 * end and at the boundaries of what is written to, alone and in a block of zeroes; then sequences of such
 * writes, with reads between them.
 *
 * A write is judged by what the writing command declares. So what it shows is what changes besides.
 * Coverage counts the writes one by one; the sequences are drawn by lot and come on top.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define STEPS 128u   /* of one experiment */
#define CONTENTS 16u /* of one job */
#define PLACES 12u   /* at most, of one carrier */
#define BLOCK 64u    /* of zeroes around what is carried */
#define SEQUENCES 64u
#define SEQUENCE 96u

enum carrier_kind {
	AREA,   /* a range at an offset: labels, Features */
	WHOLE,  /* all of a payload behind its header, of a fixed length */
	BLOCKS, /* NVMe blocks, at addresses that are magic themselves */
	VALUE,  /* CDW11 of Set Features, and the data that goes with it */
};

struct vfy_carrier {
	uint8_t kind;
	uint32_t form;
	uint32_t at;     /* where data begins in the payload */
	uint32_t offset; /* where the offset is, and how wide */
	uint32_t width;
	uint64_t size;  /* of what is written to; bytes, or blocks */
	uint32_t most;  /* bytes that go at once */
	uint32_t abort; /* the form that ends what was begun; VFY_NO_FORM: none */
};

/* --- which there are ------------------------------------------------------------------------------ */

static const struct fwa_rule *data_rule(const struct fwa_model_command *row)
{
	for (uint8_t i = 0; i < row->n_rules; i++)
		if (row->rules[i].kind == FWA_RULE_LSA_DATA ||
		    row->rules[i].kind == FWA_RULE_FEATURE_DATA)
			return &row->rules[i];
	return NULL;
}

static bool as_area(const struct vfy_generator *g, const struct vfy_form *f, struct vfy_carrier *c)
{
	const struct fwa_rule *r = data_rule(g->command[f->command].row);
	struct fwa_feature feature;

	if (!r || g->mailbox <= r->at2 || f->choice.op) /* of Features in one piece */
		return false;
	c->kind = AREA;
	c->at = r->at2;
	c->offset = r->at;
	c->width = r->kind == FWA_RULE_LSA_DATA ? 4 : 2;
	c->most = g->mailbox - r->at2;
	c->size = g->profile->lsa_size;
	if (r->kind == FWA_RULE_FEATURE_DATA) {
		if (!fwa_profile_feature_by_uuid(g->profile, f->choice.uuid, &feature))
			return false;
		c->size = feature.set_size;
	}
	return c->size;
}

/* What has data in its payload, and where that begins. */
static const struct {
	uint8_t set;
	uint16_t opcode, op;
	uint32_t at;
} whole[] = {
	{ FWA_SET_CXL, 0x0301, 0, 0 }, /* Set Timestamp */
	{ FWA_SET_CXL, 0x4302, 0, 8 }, /* Clear Poison */
	{ FWA_SET_CXL, CXL_OP_TRANSFER_FW, CXL_FW_INITIATE, CXL_TRANSFER_FW_HEADER_LEN },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD, 0, 0 },
};

static bool as_whole(const struct vfy_form *f, struct vfy_carrier *c)
{
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (whole[i].set != f->step.set || whole[i].opcode != f->step.opcode ||
		    whole[i].op != f->choice.op || f->step.payload_len <= whole[i].at)
			continue;
		c->kind = WHOLE;
		c->at = whole[i].at;
		c->size = c->most = f->step.payload_len - whole[i].at;
		return true;
	}
	return false;
}

static bool as_nvme(const struct vfy_generator *g, const struct vfy_form *f, struct vfy_carrier *c)
{
	if (f->step.set == FWA_SET_NVME_IO && f->step.opcode == 0x01) {
		c->kind = BLOCKS;
		c->size = vfy_nvme_blocks(g, f->step.nsid);
	} else if (f->step.set == FWA_SET_NVME_ADMIN && f->step.opcode == NVME_OP_SET_FEATURES &&
		   f->state != VFY_FORM_REFUSED) {
		c->kind = VALUE;
		c->size = 4;
	} else {
		return false;
	}
	c->most = f->step.payload_len;
	return true;
}

/* The form that ends a transfer that the form begins. */
static uint32_t abort_of(const struct vfy_generator *g, const struct vfy_form *f)
{
	const struct vfy_gen_command *c = &g->command[f->command];

	if (f->step.set != FWA_SET_CXL || f->step.opcode != CXL_OP_TRANSFER_FW)
		return VFY_NO_FORM;
	for (uint32_t i = c->first_form; i < c->first_form + c->n_forms; i++)
		if (g->form[i].choice.op == CXL_FW_ABORT)
			return i;
	return VFY_NO_FORM;
}

static uint32_t list(struct vfy_generator *g, struct vfy_carrier *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_model_forms; i++) {
		const struct vfy_form *f = &g->form[i];
		struct vfy_carrier c = { .form = i, .abort = abort_of(g, f) };

		if (!vfy_gen_wanted(g, f->step.set, f->step.opcode) || f->risk == VFY_PROBES ||
		    !(as_area(g, f, &c) || as_whole(f, &c) || as_nvme(g, f, &c)))
			continue;
		if (to)
			to[n] = c;
		n++;
	}
	return n;
}

/* --- where it is put ------------------------------------------------------------------------------ */

/* One place of a content: where it is written, how much, and where in that it is. */
struct place {
	uint64_t at;
	uint32_t len;
	uint32_t in;
};

static bool in_area(const struct vfy_carrier *c, uint64_t at, uint32_t len, uint32_t in,
		    struct place *ret)
{
	*ret = (struct place){ at, len, in };
	return len <= c->most && at <= c->size && len <= c->size - at;
}

static bool place_in_area(const struct vfy_carrier *c, unsigned int i, uint32_t len,
			  struct place *ret)
{
	const uint64_t at[] = { 0, c->size - len, 512, 512 - (uint64_t)len, 4096, c->size / 2 };
	uint32_t block = len > BLOCK ? len : BLOCK;

	if (len > c->size)
		return false;
	if (i < 6)
		return in_area(c, at[i], len, 0, ret);
	block = vfy_least(block, vfy_least(c->size, c->most));
	switch (i) {
	case 6: /* in front of zeroes */
		return block > len && in_area(c, 0, block, 0, ret);
	case 7: /* behind them, at the end */
		return block > len && in_area(c, c->size - block, block, block - len, ret);
	case 8: /* in front of all there is, as far as it goes at once */
		return in_area(c, 0, vfy_least(c->size, c->most), 0, ret);
	default:
		return false;
	}
}

static const uint64_t magic_blocks[] = { 0, 1, 0x1337, 0xbeef, 0xdead, 0xcafe, 0xdeadbeef };

static bool place_in_blocks(const struct vfy_carrier *c, unsigned int i, uint32_t len,
			    struct place *ret)
{
	unsigned int n = sizeof(magic_blocks) / sizeof(magic_blocks[0]);

	*ret = (struct place){ .len = c->most };
	if (len > c->most)
		return false;
	if (i < n) {
		ret->at = magic_blocks[i];
	} else { /* the last one: in front and behind */
		ret->at = c->size - 1;
		ret->in = i == n ? 0 : c->most - len;
	}
	return i < n + 2 && ret->at < c->size;
}

/* Place number @i of @len bytes; false: there is none, or they do not fit. */
static bool place(const struct vfy_carrier *c, unsigned int i, uint32_t len, struct place *ret)
{
	if (!len)
		return false;
	switch (c->kind) {
	case AREA:
		return place_in_area(c, i, len, ret);
	case BLOCKS:
		return place_in_blocks(c, i, len, ret);
	case WHOLE:
		*ret = (struct place){ 0, c->most, i ? c->most - len : 0 };
		return len <= c->most && i < 2;
	default:
		*ret = (struct place){ 0, c->most, 0 };
		return i == 0 && len <= c->most;
	}
}

/* --- the plan ------------------------------------------------------------------------------------- */

static uint64_t count(struct vfy_generator *g)
{
	uint8_t content[VFY_CONTENT];
	uint64_t n = 0;

	for (uint32_t i = 0; i < vfy_contents(g); i++) {
		uint32_t len = (uint32_t)vfy_content(g, i, content);
		struct place p;

		for (uint32_t c = 0; c < g->n_carriers; c++)
			for (unsigned int k = 0; k < PLACES; k++)
				n += place(&g->carrier[c], k, len, &p);
	}
	return n;
}

static int plan(struct vfy_generator *g)
{
	uint32_t n = list(g, NULL);

	free(g->carrier);
	g->n_carriers = 0;
	g->carrier = calloc(n + 1u, sizeof(*g->carrier));
	if (!g->carrier)
		return -ENOMEM;
	list(g, g->carrier);
	g->n_carriers = n;
	vfy_content_plan(g);
	g->planned[VFY_PHASE_TRIGGERS] = count(g);
	return 0;
}

void vfy_trigger_clear(struct vfy_generator *g)
{
	free(g->carrier);
	g->carrier = NULL;
}

/* --- writes --------------------------------------------------------------------------------------- */

static void write_content(struct vfy_generator *g, const struct vfy_carrier *c,
			  const uint8_t *content, uint32_t len, const struct place *p)
{
	struct vfy_step step = vfy_step_copy(g, &g->form[c->form].step);
	size_t before = g->burst.steps.n;

	step.payload_len = c->at + p->len;
	memset(step.payload + c->at, 0, p->len);
	memcpy(step.payload + c->at + p->in, content, len);
	for (uint32_t i = 0; c->kind == AREA && i < c->width; i++)
		step.payload[c->offset + i] = (uint8_t)(p->at >> 8 * i);
	if (c->kind == BLOCKS) {
		step.cdw[0] = (uint32_t)p->at;
		step.cdw[1] = (uint32_t)(p->at >> 32);
	}
	if (c->kind == VALUE) {
		step.cdw[1] = 0;
		for (uint32_t i = 0; i < 4 && i < len; i++)
			step.cdw[1] |= (uint32_t)content[i] << 8 * i;
	}
	vfy_burst_add(g, &step, c->form);
	g->burst.units += g->burst.steps.n - before;
	if (c->abort != VFY_NO_FORM && g->burst.steps.n > before)
		vfy_burst_add(g, &g->form[c->abort].step, c->abort);
}

/* All contents of a carrier, some a job; each carrier has its first ones before any has the next. */
static void fill_writes(struct vfy_generator *g, uint64_t job)
{
	const struct vfy_carrier *c = &g->carrier[job % g->n_carriers];
	uint32_t first = (uint32_t)(job / g->n_carriers) * CONTENTS;
	uint8_t content[VFY_CONTENT];
	struct place p;

	for (uint32_t i = first; i < first + CONTENTS; i++) {
		uint32_t len = (uint32_t)vfy_content(g, i, content);

		for (unsigned int k = 0; k < PLACES; k++)
			if (place(c, k, len, &p))
				write_content(g, c, content, len, &p);
	}
}

/* Any content, any place, one after the other, and something read now and then. */
static void fill_sequence(struct vfy_generator *g, struct vfy_random *random)
{
	const struct vfy_carrier *c = &g->carrier[vfy_random_below(random, g->n_carriers)];
	uint8_t content[VFY_CONTENT];
	struct place p;

	g->burst.mixed = true;
	for (unsigned int i = 0; i < SEQUENCE; i++) {
		uint32_t which = vfy_random_below(random, vfy_contents(g));
		uint32_t len = (uint32_t)vfy_content(g, which, content);
		uint32_t form = vfy_random_below(random, g->n_model_forms);

		if (place(c, vfy_random_below(random, PLACES), len, &p) || place(c, 0, len, &p))
			write_content(g, c, content, len, &p);
		if (!(vfy_random(random) & 3) && vfy_form_reads(&g->form[form]))
			vfy_burst_add(g, &g->form[form].step, form);
	}
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	uint64_t jobs = g->n_carriers * (uint64_t)((vfy_contents(g) + CONTENTS - 1) / CONTENTS);
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_TRIGGERS, job);

	if (!g->n_carriers || job >= jobs + SEQUENCES)
		return false;
	vfy_burst_begin(g, STEPS, STEPS);
	if (job < jobs)
		fill_writes(g, job);
	else
		fill_sequence(g, &random);
	if (job >= jobs)
		g->burst.units = 0;
	return true;
}

const struct vfy_phase_ops vfy_phase_triggers = { .unit = "writes", .plan = plan, .fill = fill };
