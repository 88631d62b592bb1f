/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any command on any device under any model, and the look-ups of its world.
 *
 * What fwa_decide() and fwa_shape_check() look up elsewhere is answered here by any answer at all:
 * the model by any row, with up to ANY_RULES rules and ANY_VARIANTS variants, the profile by any
 * entry or none. The same question has the same answer all through one proof. README.md says which
 * of the look-ups are proved.
 */
#pragma once

#include <stdlib.h>

#include "core/decide.h"
#include "core/shape.h"
#include "proof.h"

static struct {
	bool listed, has_row, has_select, has_operation, has_feature, has_log, has_namespace;
	bool has_lid, has_fid;
	struct fwa_declared declared, fid;
	struct fwa_feature feature;
	struct fwa_operation operation;
	uint32_t log_size;
	struct fwa_namespace ns;
} any;

/* Objects of their own: CBMC is far slower with one that holds them all. */
static struct fwa_model_command any_row;
static struct fwa_rule any_rules[ANY_RULES];
static struct fwa_selector_table any_select;
static struct fwa_variant any_variants[ANY_VARIANTS];
static struct fwa_variant_slice any_slices[256];

const struct fwa_model_command *fwa_model_find(enum fwa_set set, uint16_t opcode)
{
	return any.has_row ? &any_row : NULL;
}

bool fwa_profile_declared(const struct fwa_profile *p, enum fwa_set set, uint16_t opcode,
			  struct fwa_declared *ret)
{
	if (any.listed)
		*ret = any.declared;
	return any.listed;
}

bool fwa_profile_feature_by_uuid(const struct fwa_profile *p, const uint8_t *uuid,
				 struct fwa_feature *ret)
{
	if (any.has_feature)
		*ret = any.feature;
	return any.has_feature;
}

bool fwa_profile_log_size(const struct fwa_profile *p, const uint8_t *uuid, uint32_t *ret_size)
{
	if (any.has_log)
		*ret_size = any.log_size;
	return any.has_log;
}

bool fwa_profile_namespace(const struct fwa_profile *p, uint32_t nsid, struct fwa_namespace *ret)
{
	if (any.has_namespace)
		*ret = any.ns;
	return any.has_namespace;
}

bool fwa_profile_lid(const struct fwa_profile *p, uint8_t lid)
{
	return any.has_lid;
}

bool fwa_profile_fid(const struct fwa_profile *p, uint8_t fid, struct fwa_declared *ret)
{
	if (any.has_fid)
		*ret = any.fid;
	return any.has_fid;
}

const struct fwa_operation *fwa_command_operation(const struct fwa_model_command *row,
						  const struct fwa_command *cmd,
						  uint16_t *ret_value)
{
	return row && any.has_operation ? &any.operation : NULL;
}

/* The only comparison that the decision makes: of UUIDs, for equality. */
int memcmp(const void *a, const void *b, size_t n)
{
	const uint64_t *x = a, *y = b;

	prove(n == 16);
	return x[0] != y[0] || x[1] != y[1];
}

static bool by_uuid(unsigned int kind)
{
	return kind == FWA_SELECT_LOG_UUID || kind == FWA_SELECT_FEATURE_UUID;
}

/* Any row for @cmd that tools/gen-model.py can write. */
static void any_world(const struct fwa_command *cmd)
{
	struct fwa_variant_slice *slice = &any_slices[(uint8_t)cmd->cdw[0]];

	forget(any);
	any.fid = fwa_nvme_feature_declared(nondet_u32());
	forget(any_row);
	forget(any_select);
	for (unsigned int i = 0; i < ANY_RULES; i++)
		forget(any_rules[i]);
	for (unsigned int i = 0; i < ANY_VARIANTS; i++) {
		forget(any_variants[i]);
		assume(any_variants[i].cdw >= 10 && any_variants[i].cdw <= 15);
	}
	forget(*slice);
	any_row.rules = any_rules;
	assume(any_row.n_rules <= ANY_RULES);
	any_row.select = any.has_select ? &any_select : NULL;
	any_select.all = any_variants;
	assume(any_select.kind >= FWA_SELECT_LOG_UUID && any_select.kind <= FWA_SELECT_CNS);
	assume(any_select.n_all <= ANY_VARIANTS);
	any_select.by_value = by_uuid(any_select.kind) ? NULL : any_slices;
	assume(slice->count <= ANY_VARIANTS && slice->first + slice->count <= any_select.n_all);
	/* prove_model_rows: a UUID is all there. */
	assume(implies(any.has_select && by_uuid(any_select.kind), any_row.in_min >= 16));
}
