/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an NVMe controller has of namespaces, features and log pages. It is asked for each once, for each time
 * that it is asked for one that it has not it notes an error.
 */
#include <stdio.h>

#include "verify/plan.h"
#include "verify/sample.h"
#include "wire/nvme.h"

#define ONCS 520 /* in Identify Controller; bit 4: features have default and saved values */
#define ONCS_SELECT (1u << 4)

#define NAMESPACE_RECORD 8 /* bytes of one in the profile: le32 nsid, its format */
#define FEATURE_VALUE (4 + NVME_PAGE_LEN)
#define BLOCK_MAX (64u * 1024)
#define DIGEST_LEN 32u

#define SELECT_SHIFT 8 /* Get Features: CDW10 10:8 */

static void put_number_name(struct vfy_observable *o, const char *word, const char *known,
			    unsigned int number, const char *more)
{
	bool shared = !known || !strcmp(known, "vendor-specific") || !strcmp(known, "reserved");
	char text[8];

	snprintf(text, sizeof(text), "%02xh", number);
	if (number && (uint8_t)o->row->cdw[0] == number) { /* a row for this one */
		snprintf(o->name, sizeof(o->name), "%.24s%s%s", word, *more ? " " : "", more);
		return;
	}
	snprintf(o->name, sizeof(o->name), "%.24s %.40s%s%s", word, shared ? text : known,
		 *more ? " " : "", more);
}

/* The numbers of dwords that a log page's command has of its own. */
static void put_length(struct fwa_command *cmd)
{
	uint32_t numd = cmd->out_len / 4 - 1;

	if (cmd->set != FWA_SET_NVME_ADMIN || cmd->opcode != NVME_OP_GET_LOG_PAGE)
		return;
	cmd->cdw[0] |= (numd & 0xffff) << 16;
	cmd->cdw[1] |= numd >> 16;
}

/*
 * Whether the controller has it: it answers without an error. Named when it does not, unless it was one of
 * all that there are.
 */
static bool answers(struct vfy_planning *p, const struct vfy_observable *o)
{
	bool named = (o->row->each != VFY_EACH_FID && o->row->each != VFY_EACH_LID) ||
		     (uint8_t)o->row->cdw[0];
	uint32_t len, code = 0;
	char why[96];

	if (!p->submit || p->error || vfy_plan_no_read(p, &o->cmd, why))
		return !p->error; /* vfy_plan_add() says why not */
	if (vfy_plan_ask(p, &o->cmd, &len, &code) > 0)
		return true;
	if (p->error)
		return false;
	if (!named) {
		p->n_missing++;
		return false;
	}
	snprintf(why, sizeof(why), "the controller answers %#x", code);
	vfy_plan_leave_out(p, o->name, why);
	return false;
}

void vfy_plan_nvme_once(struct vfy_planning *p, struct vfy_observable *o)
{
	put_length(&o->cmd);
	if (o->cmd.opcode == NVME_OP_GET_FEATURES && o->cmd.set == FWA_SET_NVME_ADMIN)
		o->len = FEATURE_VALUE;
	if (answers(p, o))
		vfy_plan_add(p, o);
}

void vfy_plan_nvme_begin(struct vfy_planning *p)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_IDENTIFY,
				   .scope = FWA_SCOPE_LEAST,
				   .cdw = { NVME_CNS_CONTROLLER },
				   .out_len = NVME_IDENTIFY_LEN };
	uint32_t len, code;
	char why[96];

	if (!p->submit || vfy_plan_no_read(p, &cmd, why) || vfy_plan_ask(p, &cmd, &len, &code) <= 0)
		return;
	p->has_selections = len > ONCS && p->page[ONCS] & ONCS_SELECT;
}

/* --- features and log pages ------------------------------------------------------------------------- */

/* What the model says that Set Features changes of @fid, and what the controller's own page does. */
static fwa_effects feature_effects(const struct vfy_planning *p, uint8_t fid)
{
	const struct fwa_model_command *set =
		fwa_model_find(FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES);
	fwa_effects e = FWA_EFFECT_CONFIG | FWA_EFFECT_CONTROLLER_CAPABILITY;
	struct fwa_declared own;
	struct fwa_variant_slice slice;

	if (fwa_profile_fid(p->profile, fid, &own))
		e |= own.effects;
	if (!set || !set->select || !set->select->by_value)
		return e & ~FWA_EFFECTS_NEVER;
	slice = set->select->by_value[fid];
	for (uint16_t i = slice.first; i < slice.first + slice.count; i++)
		e |= set->select->all[i].floor;
	return e & ~FWA_EFFECTS_NEVER;
}

static void add_feature(struct vfy_planning *p, const struct vfy_observe_row *row, uint8_t fid)
{
	static const char *const selections[] = { "current", "default", "saved" };
	size_t before = p->plan->n;

	for (uint8_t s = 0; s < (p->has_selections ? 3 : 1); s++) {
		struct vfy_observable o = vfy_plan_begin(row);

		o.cmd.cdw[0] = fid | (uint32_t)s << SELECT_SHIFT;
		o.selection = s;
		o.rare |= s !=
			  0; /* what is read from the page of a feature costs more than it tells */
		o.feature_effects = feature_effects(p, fid);
		put_number_name(&o, row->name, vfy_selected_name(&o.cmd), fid, selections[s]);
		vfy_plan_nvme_once(p, &o);
		if (p->error || p->plan->n == before) /* it has no such feature */
			return;
	}
}

static void add_log_page(struct vfy_planning *p, const struct vfy_observe_row *row, uint8_t lid)
{
	struct vfy_observable o = vfy_plan_begin(row);

	o.cmd.cdw[0] = lid | NVME_LOG_RETAIN;
	put_number_name(&o, row->name, vfy_selected_name(&o.cmd), lid, "");
	vfy_plan_nvme_once(p, &o);
}

/* Whether another row of the same command is for @value. */
static bool has_own_row(const struct vfy_observe_row *row, uint8_t value)
{
	for (const struct vfy_observe_row *r = vfy_observe_nvme; r->name; r++)
		if (r != row && r->set == row->set && r->opcode == row->opcode &&
		    (uint8_t)r->cdw[0] == value &&
		    (r->each == VFY_EACH_ONCE || (r->each == row->each && value)))
			return true;
	return false;
}

/* Whether the model gives it a meaning, or the controller's own list names it. */
static bool is_known(const struct vfy_planning *p, const struct vfy_observe_row *row, uint8_t value)
{
	struct fwa_command cmd = { .set = row->set, .opcode = row->opcode, .cdw = { value } };
	const char *name = vfy_selected_name(&cmd);
	bool lid = row->each == VFY_EACH_LID;
	bool listed = (lid ? p->profile->nvme_logs : p->profile->nvme_features).len;
	struct fwa_declared own;

	if (listed)
		return lid ? fwa_profile_lid(p->profile, value)
			   : fwa_profile_fid(p->profile, value, &own);
	return name && strcmp(name, "reserved") != 0 && strcmp(name, "vendor-specific") != 0;
}

/* The one in the row's CDW10, or all that have no row of their own. */
static void add_numbers(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	uint8_t only = (uint8_t)row->cdw[0];
	char why[96];

	p->n_missing = 0;
	for (unsigned int value = 0; value < 256 && !p->error; value++) {
		if (only ? value != only : has_own_row(row, (uint8_t)value))
			continue;
		if (!is_known(p, row, (uint8_t)value))
			continue;
		if (row->each == VFY_EACH_FID)
			add_feature(p, row, (uint8_t)value);
		else
			add_log_page(p, row, (uint8_t)value);
	}
	snprintf(why, sizeof(why), "%zu of which the controller knows nothing", p->n_missing);
	if (p->n_missing)
		vfy_plan_leave_out(p, row->name, why);
}

/* --- namespaces ------------------------------------------------------------------------------------- */

static void add_namespace(struct vfy_planning *p, const struct vfy_observe_row *row, uint32_t nsid)
{
	struct vfy_observable o = vfy_plan_begin(row);

	o.cmd.nsid = nsid;
	if (row->opcode == NVME_OP_GET_FEATURES)
		o.feature_effects = feature_effects(p, (uint8_t)row->cdw[0]);
	snprintf(o.name, sizeof(o.name), "%s %u", row->name, nsid);
	vfy_plan_nvme_once(p, &o);
}

/* Blocks of namespace @nsid; 0 when it does not say. */
static uint64_t blocks_of(struct vfy_planning *p, uint32_t nsid)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_IDENTIFY,
				   .scope = FWA_SCOPE_LEAST,
				   .nsid = nsid,
				   .cdw = { NVME_CNS_NAMESPACE },
				   .out_len = NVME_IDENTIFY_LEN };
	uint32_t len, code;
	char why[96];

	if (!p->submit || vfy_plan_no_read(p, &cmd, why) || vfy_plan_ask(p, &cmd, &len, &code) <= 0)
		return 0;
	return len >= 8 ? fwa_le64(p->page) : 0;
}

static void add_block(struct vfy_planning *p, const struct vfy_observe_row *row,
		      const struct fwa_namespace *ns, uint64_t lba)
{
	struct vfy_observable o = vfy_plan_begin(row);

	o.cmd.nsid = ns->nsid;
	o.cmd.cdw[0] = (uint32_t)lba;
	o.cmd.cdw[1] = (uint32_t)(lba >> 32);
	o.cmd.out_len = ns->block_size;
	o.len = DIGEST_LEN;
	o.digest = true;
	snprintf(o.name, sizeof(o.name), "%s %u @%#llx", row->name, ns->nsid,
		 (unsigned long long)lba);
	vfy_plan_add(p, &o);
}

static void sample_blocks(struct vfy_planning *p, const struct vfy_observe_row *row, uint32_t nsid)
{
	struct fwa_namespace ns;
	uint64_t blocks, at[VFY_SAMPLE_BLOCKS];
	char name[40];
	size_t n;

	snprintf(name, sizeof(name), "%.20s %u", row->name, nsid);
	if (!fwa_profile_namespace(p->profile, nsid, &ns) || !ns.block_size ||
	    ns.block_size > BLOCK_MAX) {
		vfy_plan_leave_out(p, name, "its blocks have no size that makes sense");
		return;
	}
	blocks = blocks_of(p, nsid);
	if (!blocks) {
		vfy_plan_leave_out(p, name, "the controller does not say how large it is");
		return;
	}
	n = vfy_sample_blocks(blocks, at);
	for (size_t i = 0; i < n && !p->error; i++)
		add_block(p, row, &ns, at[i]);
}

void vfy_plan_nvme(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct fwa_span namespaces = p->profile->namespaces;

	if (row->each == VFY_EACH_FID || row->each == VFY_EACH_LID) {
		add_numbers(p, row);
		return;
	}
	for (size_t at = 0; at + NAMESPACE_RECORD <= namespaces.len && !p->error;
	     at += NAMESPACE_RECORD) {
		uint32_t nsid = fwa_le32(namespaces.data + at);

		if (row->each == VFY_EACH_LBA)
			sample_blocks(p, row, nsid);
		else
			add_namespace(p, row, nsid);
	}
}
