/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of one family, vendor, model and firmware have to declare the same. Where they do
 * not, those stand out that fewer, or no more, agree with than with others.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/served.h"

#define NAMES_MAX 3 /* in a text */

static bool same_kind(const struct fwa_served *a, const struct fwa_served *b)
{
	return !a->stopping && !b->stopping && a->declarations_fd >= 0 && b->declarations_fd >= 0 &&
	       strcmp(a->kind, b->kind) == 0;
}

static bool agrees(const struct fwa_served *a, const struct fwa_served *b)
{
	return same_kind(a, b) && strcmp(a->declarations_digest, b->declarations_digest) == 0;
}

static bool contradicts(const struct fwa_served *a, const struct fwa_served *b)
{
	return same_kind(a, b) && !agrees(a, b);
}

/* How many declare what @s does, itself included. */
static unsigned int agreeing(const struct fwa_served *s)
{
	unsigned int n = 0;

	for (const struct fwa_served *o = s->daemon->devices; o; o = o->next)
		n += agrees(s, o);
	return n;
}

/* "a, b, c and 20 more" for those that @s contradicts. */
static void name_them(const struct fwa_served *s, char *text, size_t size)
{
	unsigned int n = 0;
	size_t len = 0;

	text[0] = '\0';
	for (const struct fwa_served *o = s->daemon->devices; o; o = o->next) {
		if (!contradicts(s, o) || n++ >= NAMES_MAX || len >= size)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", o->name);
	}
	if (n > NAMES_MAX && len < size)
		snprintf(text + len, size - len, " and %u more", n - NAMES_MAX);
}

static void describe(const struct fwa_served *s, char text[FWA_ERROR_LEN])
{
	char names[FWA_ERROR_LEN / 2];

	name_them(s, names, sizeof(names));
	snprintf(text, FWA_ERROR_LEN,
		 "declares other commands than %s, of the same model and firmware", names);
}

bool fwa_served_stands_out(const struct fwa_served *s, char text[FWA_ERROR_LEN])
{
	unsigned int n = agreeing(s);

	for (const struct fwa_served *o = s->daemon->devices; o; o = o->next) {
		if (!contradicts(s, o) || agreeing(o) < n)
			continue;
		describe(s, text);
		return true;
	}
	return false;
}

bool fwa_served_divides(const struct fwa_served *s, char text[FWA_ERROR_LEN])
{
	bool alone = agreeing(s) == 1;

	for (const struct fwa_served *o = s->daemon->devices; alone && o; o = o->next) {
		if (!contradicts(s, o))
			continue;
		describe(s, text);
		return true;
	}
	return false;
}
