/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C library knows the time zone, and turns 31 February into March: what it makes of a date is
 * compared with what was written.
 */
#include "cli/log-time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "cli/duration.h"

/* Reads exactly @n digits at *@at. */
static bool digits(const char **at, int n, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* ".123" as nanoseconds; nothing is none. */
static bool fraction(const char **at, uint64_t *ret)
{
	uint64_t unit = FWA_NS_PER_S / 10, sum = 0;

	*ret = 0;
	if (!take(at, '.'))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		sum += (uint64_t)(**at - '0') * unit;
	*ret = sum;
	return true;
}

/* "10:00", "10:00:05.5" */
static bool time_of_day(const char **at, struct tm *tm, uint64_t *ret_ns)
{
	tm->tm_sec = 0;
	*ret_ns = 0;
	if (!digits(at, 2, &tm->tm_hour) || !take(at, ':') || !digits(at, 2, &tm->tm_min))
		return false;
	if (take(at, ':') && (!digits(at, 2, &tm->tm_sec) || !fraction(at, ret_ns)))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

/* "2026-11-22" */
static bool date(const char **at, struct tm *tm)
{
	if (!digits(at, 4, &tm->tm_year) || !take(at, '-') || !digits(at, 2, &tm->tm_mon) ||
	    !take(at, '-') || !digits(at, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

/* The second that @tm names, in UTC or by the time zone; false when there is no such day. */
static bool second_of(const struct tm *tm, bool utc, uint64_t *ret)
{
	struct tm copy = *tm;
	time_t t;

	copy.tm_isdst = -1;
	t = utc ? timegm(&copy) : mktime(&copy);
	if (t < 0 || copy.tm_mday != tm->tm_mday || copy.tm_mon != tm->tm_mon ||
	    copy.tm_year != tm->tm_year)
		return false;
	*ret = (uint64_t)t;
	return true;
}

static bool parse_date(const char *text, uint64_t now, uint64_t *ret)
{
	time_t today = (time_t)(now / FWA_NS_PER_S);
	struct tm tm = { 0 };
	uint64_t ns = 0, seconds;
	bool utc;

	if (text[0] && text[1] && text[2] == ':') {
		localtime_r(&today, &tm);
	} else {
		if (!date(&text, &tm))
			return false;
		if (*text && !take(&text, ' ') && !take(&text, 'T'))
			return false;
		if (!*text)
			return second_of(&tm, false, &seconds) &&
			       !__builtin_mul_overflow(seconds, FWA_NS_PER_S, ret);
	}
	if (!time_of_day(&text, &tm, &ns))
		return false;
	utc = strcmp(text, "Z") == 0 || strcmp(text, " UTC") == 0;
	if ((*text && !utc) || !second_of(&tm, utc, &seconds))
		return false;
	return !__builtin_mul_overflow(seconds, FWA_NS_PER_S, ret) &&
	       !__builtin_add_overflow(*ret, ns, ret);
}

/* Midnight, @days after that of today. */
static bool midnight(uint64_t now, int days, uint64_t *ret)
{
	time_t t = (time_t)(now / FWA_NS_PER_S);
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday += days;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	*ret = (uint64_t)(t < 0 ? 0 : t) * FWA_NS_PER_S;
	return true;
}

/* "1h30m" before @now. */
static bool before(const char *span, uint64_t now, uint64_t *ret)
{
	uint64_t seconds;

	if (!cli_duration_parse(span, now / FWA_NS_PER_S, &seconds))
		return false;
	*ret = now - seconds * FWA_NS_PER_S;
	return true;
}

static bool parse_unix(const char *text, uint64_t *ret)
{
	uint64_t seconds = 0, ns;
	const char *start = text;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (seconds > UINT64_MAX / FWA_NS_PER_S / 10)
			return false;
		seconds = seconds * 10 + (uint64_t)(*text - '0');
	}
	if (text == start || !fraction(&text, &ns) || *text)
		return false;
	return !__builtin_mul_overflow(seconds, FWA_NS_PER_S, ret) &&
	       !__builtin_add_overflow(*ret, ns, ret);
}

bool cli_stamp_parse(const char *text, uint64_t now, uint64_t *ret)
{
	static const struct {
		const char *word;
		int days;
	} days[] = { { "yesterday", -1 }, { "today", 0 }, { "tomorrow", 1 } };
	const char *ago = strstr(text, " ago");
	char span[32];

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		if (strcmp(text, days[i].word) == 0)
			return midnight(now, days[i].days, ret);
	}
	if (strcmp(text, "now") == 0) {
		*ret = now;
		return true;
	}
	if (*text == '@')
		return parse_unix(text + 1, ret);
	if (*text == '-')
		return before(text + 1, now, ret);
	if (ago && !ago[4] && (size_t)(ago - text) < sizeof(span)) {
		snprintf(span, sizeof(span), "%.*s", (int)(ago - text), text);
		return before(span, now, ret);
	}
	return parse_date(text, now, ret);
}

const char *cli_stamp_text(uint64_t time, unsigned int digits_wanted, char text[CLI_STAMP_TEXT])
{
	uint64_t seconds = time / FWA_NS_PER_S;
	char fraction_text[16], whole[FWA_TIME_TEXT];

	if (seconds > FWA_TIME_MAX) {
		snprintf(text, CLI_STAMP_TEXT, "-");
		return text;
	}
	fwa_time_text(seconds, whole);
	snprintf(fraction_text, sizeof(fraction_text), ".%09u",
		 (unsigned int)(time % FWA_NS_PER_S));
	fraction_text[digits_wanted ? 1 + (digits_wanted < 9 ? digits_wanted : 9) : 0] = '\0';
	whole[FWA_TIME_TEXT - 2] = '\0'; /* the Z */
	snprintf(text, CLI_STAMP_TEXT, "%s%sZ", whole, fraction_text);
	return text;
}
