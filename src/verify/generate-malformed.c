/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Malformed inputs: forms with a length, a byte, a dword or a selector that they should not have. Most
 * are refused; what matters is what they change though they are.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define READS 128u /* steps of an experiment */
#define WRITES 32u
#define LENGTHS 72u /* each length up to this; then few */
#define BYTES 64u   /* so many bytes of a payload one by one */

struct bend {
	struct vfy_generator *g;
	const struct vfy_form *form;
	const struct fwa_model_command *row;
	struct vfy_random *random;
	uint32_t index;
	struct vfy_step step;
};

static void add(struct bend *b)
{
	vfy_burst_add(b->g, &b->step, b->index);
}

static void restore(struct bend *b)
{
	b->step = vfy_step_copy(b->g, &b->form->step);
}

/* The first form that the command has for its operation: what is about lengths needs no other. */
static bool is_first(const struct bend *b)
{
	const struct vfy_gen_command *c = &b->g->command[b->form->command];

	for (uint32_t i = c->first_form; i < b->index; i++)
		if (b->g->form[i].choice.op == b->form->choice.op)
			return false;
	return true;
}

/* --- mailbox payloads ----------------------------------------------------------------------------- */

static void length(struct bend *b, uint32_t len, int filler)
{
	uint32_t had = b->form->step.payload_len;

	if (len > b->g->mailbox)
		return;
	restore(b);
	if (len > had)
		memset(b->step.payload + had, filler, len - had);
	b->step.payload_len = len;
	add(b);
}

static void lengths(struct bend *b)
{
	const uint32_t more[] = { 96,
				  128,
				  129,
				  256,
				  512,
				  1024,
				  b->row->in_max - 1,
				  b->row->in_max + 1,
				  b->g->mailbox - 1,
				  b->g->mailbox };
	uint32_t most = b->row->in_max < LENGTHS ? b->row->in_max + 2 : LENGTHS;

	for (uint32_t len = 0; len < most; len++)
		length(b, len, 0);
	for (unsigned int i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i] >= most)
			length(b, more[i], i & 1 ? 0xff : 0);
}

/* One byte at a time, all of them, and anything. */
static void bytes(struct bend *b)
{
	static const uint8_t values[] = { 0xff, 0x80, 0x01 };
	uint32_t len = b->form->step.payload_len;

	for (uint32_t i = 0; i < len && i < BYTES; i++)
		for (unsigned int v = 0; v < sizeof(values); v++) {
			restore(b);
			b->step.payload[i] ^= values[v];
			add(b);
		}
	for (unsigned int round = 0; len && round < 4; round++) {
		uint32_t keep = b->form->choice.by_uuid ? FWA_UUID_LEN : 0;

		restore(b);
		for (uint32_t i = vfy_least(keep, len); i < len; i++)
			b->step.payload[i] = round == 0   ? 0xff
					     : round == 1 ? 0
							  : (uint8_t)vfy_random(b->random);
		add(b);
	}
}

/* UUIDs that nobody lists, those of the other kind, and one that is a bit off. */
static void uuids(struct bend *b)
{
	const struct fwa_profile *p = b->g->profile;
	uint8_t uuid[7][FWA_UUID_LEN] = { { 0 } };

	memset(uuid[1], 0xff, FWA_UUID_LEN);
	vfy_random_fill(b->random, uuid[2], FWA_UUID_LEN);
	memcpy(uuid[3], b->form->choice.uuid, FWA_UUID_LEN);
	uuid[3][15] ^= 1;
	memcpy(uuid[4], CXL_UUID_CEL, FWA_UUID_LEN);
	memcpy(uuid[5], CXL_UUID_VENDOR_DEBUG, FWA_UUID_LEN);
	if (p->n_features)
		memcpy(uuid[6], p->features.data, FWA_UUID_LEN);
	for (unsigned int i = 0; i < 7; i++) {
		restore(b);
		memcpy(b->step.payload, uuid[i], FWA_UUID_LEN);
		add(b);
	}
}

/* --- dwords --------------------------------------------------------------------------------------- */

static void dwords(struct bend *b)
{
	const uint32_t values[] = { UINT32_MAX, (uint32_t)vfy_random(b->random), 0x80000000,
				    0xff00ff00, 1 };
	/* of what the device does not have one will do */
	unsigned int n = b->form->state == VFY_FORM_REFUSED ? 1 : 5;

	for (unsigned int i = 0; i < 6; i++)
		for (unsigned int v = 0; v < n; v++) {
			restore(b);
			/* bits above what selects: what selects is another form's */
			if (i == 0 && b->row->select)
				b->step.cdw[0] ^= values[v] & ~0xffu;
			else
				b->step.cdw[i] ^= values[v];
			add(b);
		}
}

static void namespaces(struct bend *b)
{
	static const uint32_t nsids[] = { 0, 1, 2, 0x100, 0x7fffffff, 0xfffffffe, NVME_NSID_ALL };

	for (unsigned int i = 0; i < sizeof(nsids) / sizeof(nsids[0]); i++) {
		restore(b);
		b->step.nsid = nsids[i];
		add(b);
	}
}

/* Room for more than is said, and data the other way. */
static void buffers(struct bend *b)
{
	restore(b);
	if (b->step.out_len) {
		b->step.out_len += NVME_PAGE_LEN;
		add(b);
		b->step.payload_len = b->step.out_len;
		b->step.out_len = 0;
		memset(b->step.payload, 0, b->step.payload_len);
		add(b);
	} else if (b->step.payload_len) {
		b->step.out_len = b->step.payload_len;
		b->step.payload_len = 0;
		add(b);
	}
}

/* --- selectors and operations --------------------------------------------------------------------- */

static void operation(struct bend *b, uint32_t value)
{
	const struct fwa_operation_table *t = b->row->operations;

	restore(b);
	if (t->cdw) {
		uint32_t *dword = &b->step.cdw[t->cdw - 10];

		*dword &= ~((uint32_t)t->mask << t->shift);
		*dword |= value << t->shift;
	} else {
		for (uint8_t i = t->width; i-- > 0 && t->at + i < b->step.payload_len;) {
			uint8_t mask =
				(uint8_t)((uint32_t)t->mask << t->shift >> 8 * (t->width - 1 - i));
			uint8_t bits = (uint8_t)(value << t->shift >> 8 * (t->width - 1 - i));

			b->step.payload[t->at + i] =
				(uint8_t)((b->step.payload[t->at + i] & ~mask) | (bits & mask));
		}
	}
	add(b);
}

/* The first and the last of each range of values that nobody has defined, and one between. */
static void operations(struct bend *b)
{
	const struct fwa_operation_table *t = b->row->operations;

	for (uint8_t i = 0; t && i < t->n; i++) {
		const struct fwa_operation *o = &t->all[i];

		if (!(o->floor & FWA_EFFECT_UNKNOWN))
			continue;
		operation(b, o->first);
		operation(b, o->last);
		operation(b,
			  o->first + vfy_random_below(b->random, (uint32_t)o->last - o->first + 1));
	}
}

/* Pages, features and structures that are reserved. */
static void selectors(struct bend *b)
{
	const struct fwa_selector_table *t = b->row->select;

	for (unsigned int value = 0; t && t->by_value && value < 256; value++) {
		struct fwa_variant_slice s = t->by_value[value];

		if (!s.count || !(t->all[s.first].floor & FWA_EFFECT_UNKNOWN))
			continue;
		restore(b);
		b->step.cdw[0] = (b->step.cdw[0] & ~0xffu) | value;
		add(b);
	}
}

/* --- the phase ------------------------------------------------------------------------------------ */

static void bend(struct bend *b)
{
	bool first = is_first(b);

	if (b->step.set == FWA_SET_CXL) {
		if (first)
			lengths(b);
		if (first && b->form->choice.by_uuid)
			uuids(b);
		bytes(b);
	} else {
		dwords(b);
		if (first) {
			namespaces(b);
			buffers(b);
			selectors(b);
		}
	}
	if (first)
		operations(b);
}

static int plan(struct vfy_generator *g)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->n_model_forms; i++)
		n += vfy_gen_wanted(g, g->form[i].step.set, g->form[i].step.opcode);
	g->planned[VFY_PHASE_MALFORMED] = n;
	return 0;
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASE_MALFORMED, job);
	uint64_t n = vfy_forms_of_job(g), first = job * n;

	if (first >= g->n_model_forms)
		return false;
	vfy_burst_begin(g, READS, WRITES);
	for (uint64_t i = first; i < first + n && i < g->n_model_forms; i++) {
		struct bend b = { .g = g,
				  .random = &random,
				  .index = (uint32_t)i,
				  .form = &g->form[i],
				  .row = g->command[g->form[i].command].row };

		if (!vfy_gen_wanted(g, b.row->set, b.row->opcode))
			continue;
		restore(&b);
		bend(&b);
	}
	return true;
}

const struct vfy_phase_ops vfy_phase_malformed = {
	.unit = "forms of commands", .by_forms = true, .plan = plan, .fill = fill
};
