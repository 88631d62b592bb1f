/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without memory there is no table and nothing is printed; a verb's exit code does not depend on it.
 */
#include "cli/table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"
#include "base/util.h"

#define GAP 2             /* between columns */
#define LAST_WIDTH_MIN 24 /* narrower than this the last column is not worth breaking */

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

void cli_table_continue(struct libscols_table *t, const size_t *widths, size_t n)
{
	if (!t)
		return;
	scols_table_enable_noheadings(t, 1);
	for (size_t i = 0; i + 1 < n; i++)
		scols_column_set_whint(scols_table_get_column(t, i), (double)widths[i]);
}

/* --- breaking the last column --------------------------------------------------------------- */

/* How wide a line may be, 0 for any width: $COLUMNS, or the terminal's. Files and pipes get whole lines. */
static size_t line_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (columns && fwa_parse_number(columns, 10000, &n))
		return n;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* What is left of @width for the last column, 0 for no limit. */
static size_t last_width(struct libscols_table *t, size_t width, struct libscols_iter *lines)
{
	size_t n = scols_table_get_ncols(t), taken = GAP * (n - 1);

	for (size_t i = 0; i + 1 < n; i++) {
		struct libscols_column *c = scols_table_get_column(t, i);
		size_t most = strlen(scols_column_get_name(c));
		struct libscols_line *line;

		scols_reset_iter(lines, SCOLS_ITER_FORWARD);
		while (scols_table_next_line(t, lines, &line) == 0) {
			const char *text = scols_line_get_column_data(line, c);

			if (text && strlen(text) > most)
				most = strlen(text);
		}
		taken += most;
	}
	return width >= taken + LAST_WIDTH_MIN ? width - taken : 0;
}

/* Puts newlines for spaces, so that no piece is longer than @width unless it is one word. */
static void break_text(char *text, size_t width)
{
	char *start = text, *space = NULL;

	for (; *text; text++) {
		if (*text == ' ')
			space = text;
		if (space && (size_t)(text - start) >= width) {
			*space = '\n';
			start = space + 1;
			space = NULL;
		}
	}
}

static void break_lines(struct libscols_table *t, size_t width)
{
	struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_column *last = scols_table_get_column(t, scols_table_get_ncols(t) - 1);
	struct libscols_line *line;
	size_t most = lines ? last_width(t, width, lines) : 0;

	if (most) {
		scols_column_set_flags(last, SCOLS_FL_WRAP);
		scols_column_set_safechars(last, "\n");
		scols_column_set_wrapfunc(last, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					  NULL);
		scols_reset_iter(lines, SCOLS_ITER_FORWARD);
	}
	while (most && scols_table_next_line(t, lines, &line) == 0) {
		const char *whole = scols_line_get_column_data(line, last);
		fwa_auto_free char *text = whole ? strdup(whole) : NULL;

		if (!text)
			continue;
		break_text(text, most);
		scols_line_set_column_data(line, last, text);
	}
	scols_free_iter(lines);
}

void cli_table_print(struct libscols_table *t)
{
	size_t width = line_width();

	if (t && width)
		break_lines(t, width);
	scols_print_table(t);
	scols_unref_table(t);
}
