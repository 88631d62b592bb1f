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

int fwa_model_value_by_name(const struct fwa_model_command *row, const char *name)
{
	const struct fwa_selector_table *t = row ? row->select : NULL;

	for (int value = 0; t && t->by_value && value < 256; value++) {
		struct fwa_variant_slice slice = t->by_value[value];

		for (uint16_t i = slice.first; i < slice.first + slice.count; i++) {
			const struct fwa_variant *v = &t->all[i];

			if (!v->mask && v->name && fwa_text_eq(v->name, name))
				return value;
		}
	}
	return -1;
}

int fwa_model_operation_by_name(const struct fwa_model_command *row, const char *name)
{
	const struct fwa_operation_table *t = row ? row->operations : NULL;
	int found = -1;

	for (uint8_t i = 0; t && i < t->n; i++) {
		if (!fwa_text_eq(t->all[i].name, name))
			continue;
		if (found >= 0 || t->all[i].first != t->all[i].last)
			return -1;
		found = t->all[i].first;
	}
	return found;
}

const uint8_t *fwa_model_uuid_by_name(const struct fwa_model_command *row, const char *name)
{
	const struct fwa_selector_table *t = row ? row->select : NULL;

	if (!t || t->by_value)
		return NULL;
	for (uint16_t i = 0; i < t->n_all; i++)
		if (fwa_text_eq(t->all[i].name, name))
			return t->all[i].uuid;
	return NULL;
}

const char *fwa_set_prefix(unsigned int set)
{
	static const char *const prefixes[FWA_SET_COUNT] = { "cxl:", "admin:", "io:" };

	return set < FWA_SET_COUNT ? prefixes[set] : NULL;
}

bool fwa_set_take_prefix(const char **word, enum fwa_set *ret)
{
	for (unsigned int set = 0; set < FWA_SET_COUNT; set++) {
		const char *at = *word, *prefix = fwa_set_prefix(set);

		while (*prefix && *at == *prefix) {
			at++;
			prefix++;
		}
		if (*prefix)
			continue;
		*word = at;
		*ret = (enum fwa_set)set;
		return true;
	}
	return false;
}
