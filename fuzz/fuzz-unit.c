/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a process's control groups: no unit, or one that stands in them below slices only.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "worker/unit.h"

/* Whether all groups of the path that ends at @end, back to its ':', are slices. */
static bool only_slices(const char *text, const char *end)
{
	static const char slice[] = ".slice";
	const size_t len = sizeof(slice) - 1;

	while (end > text && end[-1] != ':') {
		if ((size_t)(end - text) < len || memcmp(end - len, slice, len))
			return false;
		while (end > text && end[-1] != '/')
			end--;
		if (end == text)
			return false;
		end--;
	}
	return end > text;
}

static bool stands_in(const char *text, size_t len, const char *unit)
{
	size_t n = strlen(unit);

	for (size_t at = 1; at + n < len; at++) {
		size_t slash = text[at - 1] == '_' && at > 1 ? at - 2 : at - 1;

		if (memcmp(text + at, unit, n) == 0 && text[slash] == '/' &&
		    strchr("/\n", text[at + n]) && only_slices(text, text + slash))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char unit[UNIT_NAME_LEN];

	if (!unit_of_cgroups((const char *)data, size, unit))
		return 0;
	if (memchr(unit, '\0', sizeof(unit)) == unit || strpbrk(unit, "/ \n*?[]") ||
	    !stands_in((const char *)data, size, unit))
		abort();
	return 0;
}
