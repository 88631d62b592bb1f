/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tools/gen-model.py generates into model-tables.c, and model.c looks up.
 */
#pragma once

#include "core/model.h"

/*
 * Rows of one set in opcode order. @page[opcode >> 8] is 0 for no rows, else 1 + the index of a page
 * of 256 entries in @index; such an entry is 0 for no row, else 1 + the index into @rows.
 */
struct fwa_model_set {
	const struct fwa_model_command *rows;
	uint16_t n_rows;
	const uint8_t *page;          /* 256 */
	const uint16_t (*index)[256]; /* as many as @page names */
};

extern const struct fwa_model_set fwa_model_sets[FWA_SET_COUNT];
