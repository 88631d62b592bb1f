/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process's control group is a path that systemd makes: slices, then the unit, then whatever the
 * unit made for itself.
 *
 * 1. The unit is the first group below slices, as for systemd's own cg_path_get_unit(). What stands
 *    further down was made by whoever the unit's subtree was given to: a user's own services are
 *    all in `user@UID.service`, those of a container in the container's scope. So nobody can make a
 *    group that is taken for a unit of the system.
 * 2. Groups that systemd did not make (a container runtime's, another control group namespace's) are
 *    no unit, and neither is anything below them.
 * 3. The unified hierarchy counts. Only where the process has no place in it, as on a host that
 *    keeps its units in version 1, does systemd's own hierarchy.
 */
#include "worker/unit.h"

#include <string.h>

#include "base/util.h"

#define DELETED " (deleted)"

/* A part of the kernel's text; it is not ended by a NUL. */
struct piece {
	const char *at;
	size_t len;
};

static bool equals(struct piece p, const char *text)
{
	return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

static bool ends_with(struct piece p, const char *end)
{
	size_t len = strlen(end);

	return p.len >= len && memcmp(p.at + p.len - len, end, len) == 0;
}

/* Takes what stands before the next @separator off @rest; false when there is no separator. */
static bool take(struct piece *rest, char separator, struct piece *ret)
{
	const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;

	if (!end)
		return false;
	ret->at = rest->at;
	ret->len = (size_t)(end - rest->at);
	rest->at += ret->len + 1;
	rest->len -= ret->len + 1;
	return true;
}

static bool is_unit_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr(":-_.\\@", c));
}

/* Whether @p is a NAME or NAME@INSTANCE with @suffix; a template without an instance never runs. */
static bool is_named(struct piece p, const char *suffix)
{
	const char *at = p.len ? memchr(p.at, '@', p.len) : NULL;
	size_t stem;

	if (!ends_with(p, suffix) || p.len >= UNIT_NAME_LEN)
		return false;
	stem = p.len - strlen(suffix);
	for (size_t i = 0; i < stem; i++)
		if (!is_unit_char(p.at[i]))
			return false;
	return stem && at != p.at && (!at || at + 1 < p.at + stem);
}

/* The kinds of units that have processes. */
static bool is_unit(struct piece p)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
						".swap" };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(suffixes); i++)
		if (is_named(p, suffixes[i]))
			return true;
	return false;
}

/* systemd puts this before a name that would be one of the kernel's own files, as `cpu.service`. */
static struct piece unescaped(struct piece p)
{
	if (p.len && p.at[0] == '_')
		return (struct piece){ p.at + 1, p.len - 1 };
	return p;
}

/*= spec/SECURITY-MODEL.md#C2 */
static bool unit_of_path(struct piece path, struct piece *ret)
{
	struct piece group = { 0 };

	/* Only what is about to end is in a group that was removed. */
	if (ends_with(path, DELETED) || !take(&path, '/', &group) || group.len)
		return false;
	do {
		if (!take(&path, '/', &group)) {
			group = path;
			path.len = 0;
		}
		group = unescaped(group);
	} while (is_named(group, ".slice"));
	*ret = group;
	return is_unit(group);
}

struct groups {
	struct piece unified, systemd;
};

/* Line "ID:CONTROLLERS:PATH". */
static bool read_line(struct piece line, struct groups *g)
{
	struct piece id, controllers, *which = NULL;

	if (!take(&line, ':', &id) || !take(&line, ':', &controllers) || !line.len)
		return false;
	if (equals(id, "0") && !controllers.len)
		which = &g->unified;
	else if (equals(controllers, "name=systemd"))
		which = &g->systemd;
	if (!which)
		return true;
	/* The kernel writes each once. */
	if (which->len)
		return false;
	*which = line;
	return true;
}

bool unit_of_cgroups(const char *text, size_t len, char ret[UNIT_NAME_LEN])
{
	struct piece rest = { text, len }, line, unit;
	struct groups g = { 0 };

	if (!len || memchr(text, '\0', len))
		return false;
	while (take(&rest, '\n', &line))
		if (!read_line(line, &g))
			return false;
	/* Without a last end of line there was more. */
	if (rest.len)
		return false;
	if (!g.unified.len || equals(g.unified, "/"))
		g.unified = g.systemd;
	if (!unit_of_path(g.unified, &unit))
		return false;
	memcpy(ret, unit.at, unit.len);
	ret[unit.len] = '\0';
	return true;
}
