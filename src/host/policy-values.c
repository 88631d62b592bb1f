/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of limits. 0 is none of them: in a grant it stands for "no limit", and an operator who
 * writes it means the opposite.
 */
#include "host/policy-internal.h"

bool fwa_policy_parse_count(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
			return false;
	if (v == 0 || v > max)
		return false;
	*ret = v;
	return true;
}

bool fwa_policy_parse_size(const char *text, uint64_t max, uint64_t *ret)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	char digits[21];
	uint64_t v;

	if (unit)
		len--;
	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!fwa_policy_parse_count(digits, max >> shift, &v))
		return false;
	*ret = v << shift;
	return true;
}
