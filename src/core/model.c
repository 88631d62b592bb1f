/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Look-ups in the tables that tools/gen-model.py makes of model/.
 */
#include "core/model.h"

#include "core/model-tables.h"
#include "core/text.h"

const struct fwa_model_command *fwa_model_find(enum fwa_set set, uint16_t opcode)
{
	const struct fwa_model_set *s;
	uint8_t page;
	uint16_t row;

	if ((unsigned int)set >= FWA_SET_COUNT)
		return NULL;
	s = &fwa_model_sets[set];
	page = s->page[opcode >> 8];
	if (!page)
		return NULL;
	row = s->index[page - 1][opcode & 0xff];
	return row ? &s->rows[row - 1] : NULL;
}

const struct fwa_model_command *fwa_model_row(enum fwa_set set, size_t i)
{
	if ((unsigned int)set >= FWA_SET_COUNT || i >= fwa_model_sets[set].n_rows)
		return NULL;
	return &fwa_model_sets[set].rows[i];
}

const struct fwa_model_command *fwa_model_by_name(enum fwa_set set, const char *name)
{
	const struct fwa_model_command *row;

	for (size_t i = 0; (row = fwa_model_row(set, i)); i++)
		if (fwa_text_eq(row->name, name))
			return row;
	return NULL;
}

const char *fwa_set_name(unsigned int set)
{
	static const char *const names[FWA_SET_COUNT] = { "cxl", "nvme-admin", "nvme-io" };

	return set < FWA_SET_COUNT ? names[set] : NULL;
}
