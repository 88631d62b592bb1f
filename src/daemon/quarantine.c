/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record is lines "key = value", of which device is for people:
 *
 *	cause = operator
 *	reason = smells of smoke
 *	device = nvme ACME Drive 2000, serial 4711
 *	by = 0
 *	since = 1790000000
 *
 * Without "by" the gate did it. A line that cannot be read says nothing; only the cause has to be there.
 */
#include "daemon/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "host/state.h"

#define RECORD_MAX 1024
#define ENTRIES_MAX 65536

static struct fwa_quarantined **find(const struct fwa_quarantines *q, const char *key)
{
	struct fwa_quarantined **at = (struct fwa_quarantined **)&q->first;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

const struct fwa_quarantined *fwa_quarantine_find(const struct fwa_quarantines *q, const char *key)
{
	return *find(q, key);
}

/* 0, -EEXIST when it is there already, or -ENOMEM, -E2BIG. */
static int remember(struct fwa_quarantines *q, const char *key,
		    const struct fwa_quarantine_why *why, int64_t since, bool stored)
{
	struct fwa_quarantined **at = find(q, key), *e;

	if (*at)
		return -EEXIST;
	if (q->n >= ENTRIES_MAX)
		return -E2BIG;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	snprintf(e->key, sizeof(e->key), "%s", key);
	snprintf(e->cause, sizeof(e->cause), "%s", why->cause);
	snprintf(e->reason, sizeof(e->reason), "%s", why->reason);
	e->by = why->by;
	e->since = since;
	fwa_make_printable(e->cause);
	fwa_make_printable(e->reason);
	e->stored = stored;
	*at = e;
	q->n++;
	return 0;
}

/* --- what was remembered -------------------------------------------------------------------- */

/* The value of the line "@key = value" in @text, "" when there is none. */
static void take_value(const char *text, const char *key, char *ret, size_t room)
{
	size_t len = strlen(key);

	ret[0] = '\0';
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, len) == 0 && strncmp(line + len, " = ", 3) == 0)
			snprintf(ret, room, "%.*s", (int)strcspn(line + len + 3, "\n"),
				 line + len + 3);
}

/* The number of the line "@key = value", @otherwise when there is none up to @max. */
static int64_t take_number(const char *text, const char *key, uint64_t max, int64_t otherwise)
{
	char value[24];
	uint64_t n;

	take_value(text, key, value, sizeof(value));
	return fwa_parse_number(value, max, &n) ? (int64_t)n : otherwise;
}

static int load_record(struct fwa_quarantines *q, int dir_fd, const char *name)
{
	char text[RECORD_MAX] = "", cause[24] = "", reason[FWA_QUARANTINE_REASON_MAX + 1] = "";
	struct fwa_quarantine_why why = { cause, reason, FWA_QUARANTINE_BY_NOBODY };
	fwa_auto_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n >= 0) {
		text[n] = '\0';
		take_value(text, "cause", cause, sizeof(cause));
		take_value(text, "reason", reason, sizeof(reason));
		why.by = take_number(text, "by", UINT32_MAX - 1, FWA_QUARANTINE_BY_NOBODY);
	}
	if (cause[0])
		return remember(q, name, &why, take_number(text, "since", INT64_MAX, 0), true);
	log_warning("%s/%s: cannot be read; the device stays quarantined", q->dir, name);
	why = (struct fwa_quarantine_why){ "operator", "its record cannot be read",
					   FWA_QUARANTINE_BY_NOBODY };
	return remember(q, name, &why, 0, true);
}

static bool is_key(const char *name)
{
	return strlen(name) == FWA_DIGEST_TEXT - 1 &&
	       strspn(name, "0123456789abcdef") == FWA_DIGEST_TEXT - 1;
}

static int load_all(struct fwa_quarantines *q, DIR *dir)
{
	struct dirent *e;
	int r = 0;

	while (errno = 0, r == 0 && (e = readdir(dir)))
		if (is_key(e->d_name))
			r = load_record(q, dirfd(dir), e->d_name);
	return r < 0 ? r : -errno;
}

int fwa_quarantine_load(const struct fwa_state *state, struct fwa_quarantines *ret)
{
	DIR *dir;
	int r;

	*ret = (struct fwa_quarantines){ 0 };
	if (!state->path)
		return 0;
	if (asprintf(&ret->dir, "%s/quarantine", state->path) < 0) {
		ret->dir = NULL;
		return -ENOMEM;
	}
	r = fwa_make_dirs(ret->dir);
	dir = r == 0 ? opendir(ret->dir) : NULL;
	if (dir) {
		fwa_remove_leftovers(ret->dir);
		r = load_all(ret, dir);
		closedir(dir);
	} else if (r == 0) {
		r = -errno;
	}
	if (r < 0)
		log_error("%s: who is quarantined is not known: %s", ret->dir, strerror(-r));
	return r;
}

void fwa_quarantine_clear(struct fwa_quarantines *q)
{
	struct fwa_quarantined *next;

	for (struct fwa_quarantined *e = q->first; e; e = next) {
		next = e->next;
		free(e);
	}
	free(q->dir);
	*q = (struct fwa_quarantines){ 0 };
}

/* --- changes -------------------------------------------------------------------------------- */

static int store(const struct fwa_quarantines *q, const struct fwa_quarantined *e,
		 const struct fwa_identified *who)
{
	char text[RECORD_MAX], by[32] = "";

	if (e->by != FWA_QUARANTINE_BY_NOBODY)
		snprintf(by, sizeof(by), "by = %lld\n", (long long)e->by);
	snprintf(text, sizeof(text),
		 "cause = %s\nreason = %s\ndevice = %s %s %s, serial %s\n%ssince = %lld\n",
		 e->cause, e->reason, who->family, who->id.vendor, who->id.model, who->id.serial,
		 by, (long long)e->since);
	return fwa_write_durably(q->dir, e->key, text, strlen(text));
}

int fwa_quarantine_add(struct fwa_quarantines *q, const char *key,
		       const struct fwa_quarantine_why *why, const struct fwa_identified *who)
{
	int r = remember(q, key, why, time(NULL), false);
	struct fwa_quarantined *e;

	if (r < 0 && r != -EEXIST)
		return r;
	e = *find(q, key);
	if (!e->stored && q->dir) {
		int stored = store(q, e, who);

		e->stored = stored == 0;
		return stored;
	}
	return e->stored ? 0 : -ENOENT;
}

static int take_away(const struct fwa_quarantines *q, const char *key)
{
	fwa_auto_close int dir = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || (unlinkat(dir, key, 0) < 0 && errno != ENOENT) || fsync(dir) < 0)
		return -errno;
	return 0;
}

int fwa_quarantine_remove(struct fwa_quarantines *q, const char *key)
{
	struct fwa_quarantined **at = find(q, key), *e = *at;
	int r = q->dir ? take_away(q, key) : 0;

	if (r < 0 || !e)
		return r;
	*at = e->next;
	q->n--;
	free(e);
	return 0;
}
