/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/weight.h"

#include <stdbool.h>

size_t fwa_json_values(struct fwa_span text)
{
	bool quoted = false;
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted)
			n += c == ',' || c == '[' || c == '{';
	}
	return n;
}
