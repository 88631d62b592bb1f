/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of text on standard output (libsmartcols).
 */
#pragma once

#include <stddef.h>

#include "cli/cli.h"

struct libscols_table;

/* A table with @n columns called @heads; NULL without memory, which the others take. */
struct libscols_table *cli_table_new(const struct cli *cli, const char *const *heads, size_t n);
/* Adds a row of @n cells; @color ("red", NULL: none) is for the cell @colored. */
void cli_table_add(struct libscols_table *t, const char *const *cells, size_t n, size_t colored,
		   const char *color);
/*
 * For a table that goes on from one printed before: no heads, and each column at least as wide as
 * @widths says.
 */
void cli_table_continue(struct libscols_table *t, const size_t *widths, size_t n);
/* Prints the table, the last column in pieces where a terminal is too narrow for it, and frees it. */
void cli_table_print(struct libscols_table *t);
