/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Own arithmetic in place of timegm(3): no locale, no time zone, and no date that is silently
 * another one, as the 30th of February would be.
 */
#include "host/policy-time.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"

#define DAY 86400u

void fwa_moment_now(struct fwa_moment *ret)
{
	/* In this order: what happens in between makes an end earlier, not later. */
	uint64_t boot = fwa_clock_ns(CLOCK_BOOTTIME), wall = fwa_clock_ns(CLOCK_REALTIME);
	fwa_auto_free uint8_t *text = NULL;
	size_t len = 0;

	*ret = (struct fwa_moment){
		.wall = wall / FWA_NS_PER_S,
		.wall_ns = (uint32_t)(wall % FWA_NS_PER_S),
		.boot = boot,
	};
	if (fwa_read_file("/proc/sys/kernel/random/boot_id", 64, &text, &len) == 0 &&
	    len >= FWA_BOOT_ID_TEXT - 1)
		memcpy(ret->boot_id, text, FWA_BOOT_ID_TEXT - 1);
}

uint64_t fwa_moment_boot_time(const struct fwa_moment *m, uint64_t until)
{
	uint64_t end;

	if (until <= m->wall)
		return 1;
	if (__builtin_mul_overflow(until - m->wall, FWA_NS_PER_S, &end) ||
	    __builtin_add_overflow(end - m->wall_ns, m->boot, &end))
		return UINT64_MAX;
	return end;
}

static bool is_leap(unsigned int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned int days_of(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first day of @year. */
static uint64_t days_before(unsigned int year)
{
	unsigned int y = year - 1;

	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

/* The number in the @n digits at @text; the form was checked. */
static unsigned int digits(const char *text, unsigned int n)
{
	unsigned int v = 0;

	while (n--)
		v = v * 10 + (unsigned int)(*text++ - '0');
	return v;
}

bool fwa_time_parse(const char *text, uint64_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	unsigned int year, month, day, hour, minute, second;
	uint64_t days;

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	day = digits(text + 8, 2);
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	days = days_before(year) + day - 1;
	for (unsigned int m = 1; m < month; m++)
		days += days_of(year, m);
	*ret = days * DAY + hour * 3600u + minute * 60u + second;
	return true;
}

void fwa_time_text(uint64_t time, char text[FWA_TIME_TEXT])
{
	unsigned int year, month = 1, s;
	uint64_t days;

	if (time > FWA_TIME_MAX)
		time = FWA_TIME_MAX;
	days = time / DAY;
	s = (unsigned int)(time % DAY);
	year = 1970 + (unsigned int)(days / 366); /* this one or an earlier one */
	while (days_before(year + 1) <= days)
		year++;
	days -= days_before(year);
	while (days >= days_of(year, month))
		days -= days_of(year, month++);
	/* % keeps the compiler from fearing for the room */
	snprintf(text, FWA_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
		 ((unsigned int)days + 1) % 100, s / 3600, s / 60 % 60, s % 60);
}
