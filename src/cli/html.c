/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"

void cli_html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			/* documents have no others left; this holds whatever a caller brings */
			fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
		}
	}
}

void cli_html_take(FILE *out, char *text)
{
	if (text)
		cli_html_text(out, text);
	free(text);
}

void cli_html_number(FILE *out, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (size_t i = 0; i < len; i++) {
		/* a narrow space that does not break, where there are more than four */
		if (i && len > 4 && (len - i) % 3 == 0)
			fputs("&#8239;", out);
		fputc(digits[i], out);
	}
}
