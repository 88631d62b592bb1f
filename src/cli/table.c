/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <libsmartcols.h>
#include <stdio.h>

struct libscols_table *cli_table_new(const struct cli *cli, const char *const *heads, size_t n)
{
	struct libscols_table *t = scols_new_table();

	if (!t)
		return NULL;
	scols_table_enable_colors(t, cli->color);
	scols_table_set_column_separator(t, "  ");
	/* Never cut a line short to fit a terminal: what is cut may be what matters. */
	scols_table_set_termforce(t, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < n; i++)
		scols_table_new_column(t, heads[i], 0, 0);
	return t;
}

void cli_table_add(struct libscols_table *t, const char *const *cells, size_t n, size_t colored,
		   const char *color)
{
	struct libscols_line *line = t ? scols_table_new_line(t, NULL) : NULL;

	if (!line)
		return;
	for (size_t i = 0; i < n; i++)
		scols_line_set_data(line, i, cells[i] ? cells[i] : "-");
	if (color)
		scols_cell_set_color(scols_line_get_cell(line, colored), color);
}

void cli_table_print(struct libscols_table *t)
{
	scols_print_table(t);
	scols_unref_table(t);
}
