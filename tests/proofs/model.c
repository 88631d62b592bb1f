/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generated tables: every row keeps what any.h assumes of a row.
 */
#include "core/model-tables.h"
#include "proof.h"
#include "wire/cxl.h"

/* The bytes that @r needs of the payload. */
static unsigned int reach(const struct fwa_rule *r)
{
	unsigned int at = r->at + r->width, at2 = 0;

	switch (r->kind) {
	case FWA_RULE_LOG_RANGE:
	case FWA_RULE_LSA_RANGE:
		at = r->at + 4;
		at2 = r->at2 + 4;
		break;
	case FWA_RULE_LSA_DATA:
		at = r->at + 4;
		at2 = r->at2;
		break;
	case FWA_RULE_FEATURE_RANGE:
		at = r->at + 2;
		at2 = r->at2 + 2;
		break;
	case FWA_RULE_FEATURE_DATA:
		at = r->at + 2;
		at2 = r->at2;
		break;
	case FWA_RULE_DPA:
		at = r->at + 8;
		break;
	case FWA_RULE_DPA_RANGE:
		at = r->at + 8;
		at2 = r->at2 + 8;
		break;
	}
	return at > at2 ? at : at2;
}

static void prove_select(const struct fwa_model_command *row)
{
	const struct fwa_selector_table *t = row->select;

	prove(t->kind >= FWA_SELECT_LOG_UUID && t->kind <= FWA_SELECT_CNS);
	prove((t->kind <= FWA_SELECT_FEATURE_UUID) == !t->by_value);
	prove(implies(!t->by_value, row->in_min >= 16));
	for (unsigned int i = 0; t->by_value && i < 256; i++)
		prove(t->by_value[i].count <= ANY_VARIANTS &&
		      t->by_value[i].first + t->by_value[i].count <= t->n_all);
	for (unsigned int i = 0; i < t->n_all; i++)
		prove(t->all[i].cdw >= 10 && t->all[i].cdw <= 15);
}

/* Its operations cover each value of a field that is there. */
static void prove_operations(const struct fwa_model_command *row)
{
	const struct fwa_operation_table *t = row->operations;

	prove(t->n && t->all[t->n - 1].last >= t->mask && t->shift < 32);
	prove(t->cdw ? t->cdw >= 10 && t->cdw <= 15 : t->at + t->width <= row->in_min);
}

/* proof: core/model-tables.c; without; --unwind 258 */
void prove_model_rows(void)
{
	for (unsigned int set = 0; set < FWA_SET_COUNT; set++)
		for (unsigned int i = 0; i < fwa_model_sets[set].n_rows; i++) {
			const struct fwa_model_command *row = &fwa_model_sets[set].rows[i];

			prove(row->set == set && row->n_rules <= ANY_RULES);
			for (unsigned int r = 0; r < row->n_rules; r++)
				prove(reach(&row->rules[r]) <= row->in_min);
			if (row->select)
				prove_select(row);
			if (row->operations)
				prove_operations(row);
			if (set == FWA_SET_CXL && row->opcode == CXL_OP_SET_FEATURE)
				prove(row->select && row->select->kind == FWA_SELECT_FEATURE_UUID);
			witness(row->opcode == CXL_OP_SET_FEATURE);
		}
}
