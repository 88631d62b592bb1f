/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boundaries: each range that the model knows of a command at 0, 1, its end, just before and behind it,
 * at what the mailbox takes, and at the largest numbers; each length at its limits. Of each form, by what it
 * selects: the end is that of its own log or Feature.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define READS 128u /* steps of an experiment */
#define WRITES 32u
#define NUMBERS 10u
#define FEW_BYTES 64u

/* A form that is bent: its step, with a payload that may be changed. */
struct bend {
	struct vfy_generator *g;
	const struct vfy_form *form;
	uint32_t index;
	struct vfy_step step;
};

static void add(struct bend *b)
{
	vfy_burst_add(b->g, &b->step, b->index);
}

/* Numbers about @end of something of which @most goes at once. */
static unsigned int about(uint64_t end, uint64_t most, uint64_t to[NUMBERS])
{
	const uint64_t all[NUMBERS] = { 0,       1,        end / 2, end - 1,  end,
					end + 1, most - 1, most,    most + 1, UINT64_MAX };

	memcpy(to, all, sizeof(all));
	return NUMBERS;
}

static void put(struct bend *b, unsigned int at, unsigned int width, uint64_t v)
{
	for (unsigned int i = 0; i < width && at + i < b->step.payload_len; i++)
		b->step.payload[at + i] = (uint8_t)(v >> 8 * i);
}

/* Each place with each length. */
static void range(struct bend *b, const struct fwa_rule *r, unsigned int width, uint64_t size)
{
	uint64_t at[NUMBERS], len[NUMBERS];
	unsigned int n = about(size, b->g->mailbox, at), m = about(size, b->g->mailbox, len);

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < m; j++) {
			put(b, r->at, width, at[i]);
			put(b, r->at2, width, len[j]);
			add(b);
		}
}

/* Each place with data of few lengths; the longest that the mailbox takes at few places. */
static void data(struct bend *b, const struct fwa_rule *r, unsigned int width, uint64_t size)
{
	uint32_t room = b->g->mailbox > r->at2 ? b->g->mailbox - r->at2 : 0;
	const uint32_t len[] = { 0, 1, 2, FEW_BYTES, vfy_least(size, room), room };
	uint64_t at[NUMBERS];
	unsigned int n = about(size, room, at);

	for (unsigned int j = 0; j < sizeof(len) / sizeof(len[0]); j++)
		for (unsigned int i = 0; i < n; i++) {
			if (len[j] > room || (len[j] > FEW_BYTES && i > 1 && at[i] != size))
				continue;
			b->step.payload_len = r->at2 + len[j];
			memset(b->step.payload + r->at2, 0x5a + (int)i, len[j]);
			put(b, r->at, width, at[i]);
			add(b);
		}
}

static void addresses(struct bend *b, const struct fwa_rule *r)
{
	struct vfy_make m = { .g = b->g };
	uint64_t size = vfy_cxl_capacity(&m);
	const uint64_t at[] = { 0,
				1,
				32,
				63,
				64,
				size / 2,
				size - 64,
				size - 1,
				size,
				size + 64,
				1ull << 63,
				UINT64_MAX - 63,
				size / 4 + 1,
				UINT64_MAX };
	const uint64_t lines[] = {
		1, 0, 2, size / 64 - 1, size / 64, size / 64 + 1, 1ull << 58, 1ull << 63, UINT64_MAX
	};
	bool ranged = r->kind == FWA_RULE_DPA_RANGE;

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (unsigned int j = 0; j < (ranged ? sizeof(lines) / sizeof(lines[0]) : 1); j++) {
			put(b, r->at, 8, at[i]);
			if (ranged)
				put(b, r->at2, 8, lines[j]);
			add(b);
		}
}

static void counts(struct bend *b, const struct fwa_rule *r)
{
	uint64_t n[NUMBERS];

	about(CXL_FEATURES_HEADER_LEN, b->g->mailbox, n);
	for (unsigned int i = 0; i < NUMBERS; i++) {
		put(b, r->at, r->width, n[i]);
		add(b);
	}
}

/* The rule that says most of the form; the others follow from the same fields. */
static const struct fwa_rule *main_rule(const struct fwa_model_command *row)
{
	const struct fwa_rule *found = NULL;

	for (uint8_t i = 0; i < row->n_rules; i++)
		if (!found || row->rules[i].kind > FWA_RULE_REPLY_FITS)
			found = &row->rules[i];
	return found;
}

static void bend_cxl(struct bend *b, const struct fwa_model_command *row)
{
	const struct fwa_rule *r = main_rule(row);
	const struct fwa_profile *p = b->g->profile;
	struct fwa_feature f = { 0 };
	uint32_t size = 0;

	if (!r)
		return;
	fwa_profile_feature_by_uuid(p, b->form->choice.uuid, &f);
	fwa_profile_log_size(p, b->form->choice.uuid, &size);
	switch (r->kind) {
	case FWA_RULE_LOG_RANGE:
		range(b, r, 4, size);
		break;
	case FWA_RULE_LSA_RANGE:
		range(b, r, 4, p->lsa_size);
		break;
	case FWA_RULE_FEATURE_RANGE:
		range(b, r, 2, f.get_size);
		break;
	case FWA_RULE_LSA_DATA:
		data(b, r, 4, p->lsa_size);
		break;
	case FWA_RULE_FEATURE_DATA:
		data(b, r, 2, f.set_size);
		break;
	case FWA_RULE_DPA:
	case FWA_RULE_DPA_RANGE:
		addresses(b, r);
		break;
	default:
		counts(b, r);
		break;
	}
}

/* --- lengths -------------------------------------------------------------------------------------- */

/* Mailbox payloads as short and as long as they can be, and by one more and less. */
static void lengths(struct bend *b, const struct fwa_model_command *row)
{
	uint32_t most = vfy_least(row->in_max, b->g->mailbox);
	const uint32_t all[] = { 0,        1,    row->in_min - 1, row->in_min,  row->in_min + 1,
				 most - 1, most, most + 1,        b->g->mailbox };
	uint32_t had = b->step.payload_len;

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] > b->g->mailbox)
			continue;
		if (all[i] > had)
			memset(b->step.payload + had, 0, all[i] - had);
		b->step.payload_len = all[i];
		add(b);
	}
}

/* --- NVMe ----------------------------------------------------------------------------------------- */

static void put_pair(struct bend *b, unsigned int dword, uint64_t v)
{
	b->step.cdw[dword] = (uint32_t)v;
	b->step.cdw[dword + 1] = (uint32_t)(v >> 32);
}

/* Get Log Page: lengths from one dword on, offsets in CDW12 and 13. */
static void log_pages(struct bend *b)
{
	static const uint32_t lens[] = { 4, 8, 508, 512, 516, 4092, 4096, 4100, 65536 };
	static const uint64_t at[] = {
		0, 1, 4, 508, 512, 4096, 1ull << 31, 1ull << 32, UINT64_MAX
	};
	uint32_t select = b->step.cdw[0] & 0xffff;

	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (unsigned int j = 0; j < sizeof(at) / sizeof(at[0]); j++) {
			/* of a page that there is not the lengths will do */
			if (j && (b->form->state == VFY_FORM_REFUSED || (i && i != 3)))
				continue;
			b->step.out_len = lens[i];
			b->step.cdw[0] = select | (lens[i] / 4 - 1) << 16;
			put_pair(b, 2, at[j]);
			add(b);
		}
}

/* Blocks at the ends of the namespace, and behind; counts that the data has room for. */
static void blocks(struct bend *b, const struct fwa_model_command *row)
{
	uint64_t size = vfy_nvme_blocks(b->g, b->step.nsid);
	uint64_t at[NUMBERS];
	bool moves = row->in_max || row->out_max;
	uint32_t count[] = { 1, 2, 8, moves ? 1 : 65536 }, unit;
	struct fwa_namespace ns;

	if (!fwa_profile_namespace(b->g->profile, b->step.nsid, &ns) || !ns.block_size)
		return;
	unit = moves ? ns.block_size : 0;
	about(size, 1ull << 32, at);
	for (unsigned int i = 0; i < NUMBERS; i++)
		for (unsigned int j = 0; j < 4; j++) {
			uint32_t len = count[j] * unit;

			if (len > VFY_NVME_DATA_MAX)
				continue;
			put_pair(b, 0, at[i]);
			b->step.cdw[2] = count[j] - 1;
			memset(b->step.payload, 0xa0 + (int)i, row->in_max ? len : 0);
			b->step.payload_len = row->in_max ? len : 0;
			b->step.out_len = row->out_max ? len : 0;
			add(b);
		}
}

static void downloads(struct bend *b)
{
	static const uint32_t lens[] = { 4, 8, 4092, 4096, 65536 };
	static const uint32_t at[] = { 0, 1, 1023, 1024, 1u << 30, UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (unsigned int j = 0; j < sizeof(at) / sizeof(at[0]); j++) {
			memset(b->step.payload, 0xf0 + (int)i, lens[i]);
			b->step.payload_len = lens[i];
			b->step.cdw[0] = lens[i] / 4 - 1;
			b->step.cdw[1] = at[j];
			add(b);
		}
}

/* What selects within what is selected: controllers, sets, thresholds, values. */
static void dwords(struct bend *b)
{
	static const uint32_t values[8] = { 0,       1,          0xff,       0xffff,
					    0x10000, 0x7fffffff, 0x80000000, UINT32_MAX };
	uint32_t select = b->step.cdw[0] & 0xffff;

	/* of what the device does not have the largest will do */
	for (unsigned int i = b->form->state == VFY_FORM_REFUSED ? 6 : 0; i < 8; i++) {
		b->step.cdw[1] = values[i];
		add(b);
	}
	b->step.cdw[1] = 0;
	for (unsigned int i = 1; i < 4; i++) {
		b->step.cdw[0] = select | (values[i] & 0xffff) << 16;
		add(b);
	}
}

static void bend_nvme(struct bend *b, const struct fwa_model_command *row)
{
	unsigned int kind = row->select ? row->select->kind : FWA_SELECT_NONE;

	if (kind == FWA_SELECT_LID)
		log_pages(b);
	else if (kind != FWA_SELECT_NONE)
		dwords(b);
	else if (row->set == FWA_SET_NVME_IO && row->opcode && row->opcode <= 0x0c &&
		 row->opcode != 0x09)
		blocks(b, row);
	else if (row->set == FWA_SET_NVME_ADMIN && row->opcode == NVME_OP_FW_DOWNLOAD)
		downloads(b);
}

/* --- the phase ------------------------------------------------------------------------------------ */

static bool has_edges(const struct vfy_generator *g, const struct vfy_form *f)
{
	const struct fwa_model_command *row = g->command[f->command].row;

	if (!vfy_gen_wanted(g, row->set, row->opcode))
		return false;
	if (row->set == FWA_SET_CXL)
		return row->n_rules || row->in_max != row->in_min;
	return row->select || row->n_rules || row->set == FWA_SET_NVME_IO;
}

static int plan(struct vfy_generator *g)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->n_model_forms; i++)
		n += has_edges(g, &g->form[i]);
	g->planned[VFY_PHASE_BOUNDARY] = n;
	return 0;
}

static void bend(struct vfy_generator *g, uint32_t form)
{
	struct bend b = { .g = g, .form = &g->form[form], .index = form };
	const struct fwa_model_command *row = g->command[b.form->command].row;

	if (!has_edges(g, b.form))
		return;
	b.step = vfy_step_copy(g, &b.form->step);
	if (row->set != FWA_SET_CXL) {
		bend_nvme(&b, row);
		return;
	}
	bend_cxl(&b, row);
	b.step = vfy_step_copy(g, &b.form->step);
	if (row->in_max != row->in_min)
		lengths(&b, row);
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	uint64_t n = vfy_forms_of_job(g), first = job * n;

	if (first >= g->n_model_forms)
		return false;
	vfy_burst_begin(g, READS, WRITES);
	for (uint64_t i = first; i < first + n && i < g->n_model_forms; i++)
		bend(g, (uint32_t)i);
	return true;
}

const struct vfy_phase_ops vfy_phase_boundary = {
	.unit = "forms of commands", .by_forms = true, .plan = plan, .fill = fill
};
