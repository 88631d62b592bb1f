/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command selects, and the names of scopes.
 */
#include "core/command.h"

#include "base/uuid.h"
#include "core/text.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

struct fwa_selector fwa_command_selector(const struct fwa_model_command *row,
					 const struct fwa_command *cmd)
{
	struct fwa_selector s = { .kind = FWA_SELECT_NONE };

	if (!row || !row->select)
		return s;
	s.kind = row->select->kind;
	switch (s.kind) {
	case FWA_SELECT_LOG_UUID:
	case FWA_SELECT_FEATURE_UUID:
		if (cmd->payload.len >= FWA_UUID_LEN)
			s.uuid = cmd->payload.data;
		break;
	default:
		s.value = (uint8_t)cmd->cdw[0];
		break;
	}
	return s;
}

/* False when the payload ends before the field. */
static bool operation_value(const struct fwa_operation_table *t, const struct fwa_command *cmd,
			    uint32_t *ret)
{
	uint32_t v = 0;

	if (t->cdw) {
		v = cmd->cdw[t->cdw - 10];
	} else {
		if (cmd->payload.len < (size_t)t->at + t->width)
			return false;
		for (uint8_t i = 0; i < t->width; i++)
			v = v << 8 | cmd->payload.data[t->at + i];
	}
	*ret = v >> t->shift & t->mask;
	return true;
}

const struct fwa_operation *fwa_command_operation(const struct fwa_model_command *row,
						  const struct fwa_command *cmd,
						  uint16_t *ret_value)
{
	const struct fwa_operation_table *t = row ? row->operations : NULL;
	uint32_t value;

	if (!t || !operation_value(t, cmd, &value))
		return NULL;
	*ret_value = (uint16_t)value;
	for (uint8_t i = 0; i < t->n; i++)
		if (value <= t->all[i].last)
			return &t->all[i];
	return NULL;
}

bool fwa_command_aborts(const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL)
		return cmd->opcode == CXL_OP_ABORT_BACKGROUND;
	return cmd->set == FWA_SET_NVME_ADMIN && cmd->opcode == NVME_OP_SELF_TEST &&
	       (cmd->cdw[0] & NVME_SELF_TEST_CODE) == NVME_SELF_TEST_ABORT;
}

bool fwa_command_moves_firmware(const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL)
		return cmd->opcode == CXL_OP_TRANSFER_FW || cmd->opcode == CXL_OP_ACTIVATE_FW;
	return cmd->set == FWA_SET_NVME_ADMIN &&
	       (cmd->opcode == NVME_OP_FW_DOWNLOAD || cmd->opcode == NVME_OP_FW_COMMIT);
}

/* --- fields ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t max;
} fields[FWA_FIELD_COUNT] = {
	[FWA_FIELD_LID] = { "lid", 0xff },        [FWA_FIELD_LSP] = { "lsp", 0x7f },
	[FWA_FIELD_LSI] = { "lsi", 0xffff },      [FWA_FIELD_FID] = { "fid", 0xff },
	[FWA_FIELD_CNS] = { "cns", 0xff },        [FWA_FIELD_NSID] = { "nsid", UINT32_MAX },
	[FWA_FIELD_SLOT] = { "slot", UINT8_MAX }, [FWA_FIELD_UUID] = { "uuid", 0 },
	[FWA_FIELD_SEL] = { "sel", UINT8_MAX },   [FWA_FIELD_SV] = { "sv", 1 },
	[FWA_FIELD_OP] = { "op", UINT16_MAX },
};

#define NVME_SLOT_MAX 7u
#define NVME_SEL_MAX 7u

static unsigned int select_kind(enum fwa_set set, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);

	return row && row->select ? row->select->kind : FWA_SELECT_NONE;
}

static bool has_slot(enum fwa_set set, uint16_t opcode)
{
	if (set == FWA_SET_CXL)
		return opcode == CXL_OP_TRANSFER_FW || opcode == CXL_OP_ACTIVATE_FW;
	return set == FWA_SET_NVME_ADMIN && opcode == NVME_OP_FW_COMMIT;
}

static bool has_operations(enum fwa_set set, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);

	return row && row->operations;
}

static bool is_either(enum fwa_set set, uint16_t opcode, uint16_t cxl, uint16_t nvme)
{
	return set == FWA_SET_CXL ? opcode == cxl : set == FWA_SET_NVME_ADMIN && opcode == nvme;
}

bool fwa_opcode_has_field(enum fwa_set set, uint16_t opcode, enum fwa_field field)
{
	unsigned int kind = select_kind(set, opcode);

	switch (field) {
	case FWA_FIELD_LID:
	case FWA_FIELD_LSP:
	case FWA_FIELD_LSI:
		return kind == FWA_SELECT_LID;
	case FWA_FIELD_FID:
		return kind == FWA_SELECT_FID;
	case FWA_FIELD_CNS:
		return kind == FWA_SELECT_CNS;
	case FWA_FIELD_NSID:
		return set == FWA_SET_NVME_ADMIN || set == FWA_SET_NVME_IO;
	case FWA_FIELD_SLOT:
		return has_slot(set, opcode);
	case FWA_FIELD_UUID:
		return kind == FWA_SELECT_LOG_UUID || kind == FWA_SELECT_FEATURE_UUID;
	case FWA_FIELD_SEL:
		return is_either(set, opcode, CXL_OP_GET_FEATURE, NVME_OP_GET_FEATURES);
	case FWA_FIELD_SV:
		return is_either(set, opcode, CXL_OP_SET_FEATURE, NVME_OP_SET_FEATURES);
	case FWA_FIELD_OP:
		return has_operations(set, opcode);
	default:
		return false;
	}
}

/*
 * A number that a mailbox command has in byte @at of its payload, and an NVMe command in CDW10. It is
 * behind @shift and as wide as @mask.
 */
struct place {
	uint8_t at, shift;
	uint8_t mask;
	uint8_t cdw10_shift, cdw10_mask;
};

static bool number_at(const struct fwa_command *cmd, const struct place *p, uint32_t *ret)
{
	if (cmd->set != FWA_SET_CXL) {
		*ret = cmd->cdw[0] >> p->cdw10_shift & p->cdw10_mask;
		return true;
	}
	if (cmd->payload.len <= p->at)
		return false;
	*ret = (uint32_t)(cmd->payload.data[p->at] >> p->shift & p->mask);
	return true;
}

static const struct place slot = { 1, 0, 0xff, 0, NVME_SLOT_MAX };
static const struct place sel = { CXL_GET_FEATURE_SELECTION, 0, 0xff, 8, NVME_SEL_MAX };
static const struct place sv = { CXL_SET_FEATURE_FLAGS, CXL_SET_FEATURE_SAVED_BIT, 1, 31, 1 };

/* False when there is none, or its bytes are not all there. */
static bool operation_of(const struct fwa_command *cmd, uint32_t *ret)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);

	return row && row->operations && operation_value(row->operations, cmd, ret);
}

bool fwa_command_field(const struct fwa_command *cmd, enum fwa_field field,
		       struct fwa_field_value *ret)
{
	struct fwa_field_value v = { 0 };
	bool there = true;

	if (!fwa_opcode_has_field(cmd->set, cmd->opcode, field))
		return false;
	switch (field) {
	case FWA_FIELD_LSP:
		v.number = cmd->cdw[0] >> 8 & 0x7f;
		break;
	case FWA_FIELD_LSI:
		v.number = cmd->cdw[1] >> 16;
		break;
	case FWA_FIELD_NSID:
		v.number = cmd->nsid;
		break;
	case FWA_FIELD_SLOT:
		there = number_at(cmd, &slot, &v.number);
		break;
	case FWA_FIELD_SEL:
		there = number_at(cmd, &sel, &v.number);
		break;
	case FWA_FIELD_SV:
		there = number_at(cmd, &sv, &v.number);
		break;
	case FWA_FIELD_OP:
		there = operation_of(cmd, &v.number);
		break;
	case FWA_FIELD_UUID:
		there = cmd->payload.len >= FWA_UUID_LEN;
		v.uuid = cmd->payload.data;
		break;
	default:
		v.number = cmd->cdw[0] & 0xff;
		break;
	}
	if (there)
		*ret = v;
	return there;
}

static size_t operation_end(enum fwa_set set, uint16_t opcode)
{
	const struct fwa_operation_table *t = fwa_model_find(set, opcode)->operations;

	return t->cdw ? 0 : (size_t)t->at + t->width;
}

size_t fwa_field_end(enum fwa_set set, uint16_t opcode, enum fwa_field field)
{
	if (!fwa_opcode_has_field(set, opcode, field))
		return 0;
	if (field == FWA_FIELD_OP)
		return operation_end(set, opcode);
	if (set != FWA_SET_CXL)
		return 0;
	switch (field) {
	case FWA_FIELD_SLOT:
		return slot.at + 1u;
	case FWA_FIELD_SEL:
		return sel.at + 1u;
	case FWA_FIELD_SV:
		return sv.at + 1u;
	case FWA_FIELD_UUID:
		return FWA_UUID_LEN;
	default:
		return 0;
	}
}

const char *fwa_field_name(unsigned int field)
{
	return field < FWA_FIELD_COUNT ? fields[field].name : NULL;
}

uint32_t fwa_field_max(enum fwa_set set, uint16_t opcode, enum fwa_field field)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);

	if (field == FWA_FIELD_SLOT && set != FWA_SET_CXL)
		return NVME_SLOT_MAX;
	if (field == FWA_FIELD_SEL && set != FWA_SET_CXL)
		return NVME_SEL_MAX;
	if (field == FWA_FIELD_OP && row && row->operations)
		return row->operations->mask;
	return (unsigned int)field < FWA_FIELD_COUNT ? fields[field].max : 0;
}

/* --- scopes ----------------------------------------------------------------------------------- */

static const char *const scope_names[] = { "configuration", "debug-read-only", "debug-write",
					   "debug-write-full", "never" };

const char *fwa_scope_name(unsigned int scope)
{
	if (scope == FWA_SCOPE_LEAST)
		return "least";
	return scope <= FWA_SCOPE_NEVER ? scope_names[scope] : NULL;
}

int fwa_scope_by_name(const char *name)
{
	for (int i = 0; i < FWA_SCOPE_NEVER; i++)
		if (fwa_text_eq(scope_names[i], name))
			return i;
	return -1;
}
