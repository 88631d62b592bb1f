/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of units for both directions.
 */
#include "cli/duration.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const struct {
	char letter;
	uint32_t seconds;
} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

bool cli_duration_parse(const char *text, uint64_t max, uint64_t *ret_seconds)
{
	size_t unit = 0; /* the first that may still come */
	uint64_t sum = 0;

	if (!*text)
		return false;
	while (*text) {
		size_t digits = strspn(text, "0123456789");
		uint64_t n = 0;

		if (!digits || digits > 12)
			return false;
		for (size_t i = 0; i < digits; i++)
			n = n * 10 + (uint64_t)(text[i] - '0');
		text += digits;
		while (unit < FWA_ARRAY_SIZE(units) && units[unit].letter != *text)
			unit++;
		if (unit == FWA_ARRAY_SIZE(units))
			return false;
		sum += n * units[unit++].seconds; /* below 5 * 10^12 * 604800 */
		text++;
	}
	if (sum > max)
		return false;
	*ret_seconds = sum;
	return true;
}

const char *cli_duration_text(int64_t seconds, char text[CLI_DURATION_TEXT])
{
	uint64_t left = seconds > 0 ? (uint64_t)seconds : 0;
	size_t len = 0, first = FWA_ARRAY_SIZE(units);

	snprintf(text, CLI_DURATION_TEXT, "0s");
	/* days are as long as people count: no weeks */
	for (size_t i = 1; i < FWA_ARRAY_SIZE(units) && i < first + 2; i++) {
		uint64_t n = left / units[i].seconds;

		if (!n)
			continue;
		if (first > i)
			first = i;
		left -= n * units[i].seconds;
		len += (size_t)snprintf(text + len, CLI_DURATION_TEXT - len, "%s%llu%c",
					len ? " " : "", (unsigned long long)n, units[i].letter);
	}
	return text;
}

const char *cli_time_text(int64_t seconds, char text[FWA_TIME_TEXT])
{
	if (seconds < 0 || (uint64_t)seconds > FWA_TIME_MAX)
		snprintf(text, FWA_TIME_TEXT, "-");
	else
		fwa_time_text((uint64_t)seconds, text);
	return text;
}
