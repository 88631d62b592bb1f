/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to outlive this program, in files of its own: written whole or not at all.
 */
#include "host/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

#define TEMPORARY ".new-"

/* Whoever this is, root too. */
static char *home_state_dir(void)
{
	const char *home;
	char *path = NULL;

	home = secure_getenv("XDG_STATE_HOME");
	if (home && *home == '/')
		return asprintf(&path, "%s/fwadmit", home) < 0 ? NULL : path;
	home = secure_getenv("HOME");
	if (home && *home == '/' && asprintf(&path, "%s/.local/state/fwadmit", home) < 0)
		return NULL;
	return path;
}

char *fwa_state_dir(void)
{
	const char *override = secure_getenv("FWADMIT_STATE_DIR");

	if (override && *override)
		return strdup(override);
	return geteuid() == 0 ? strdup(FWA_STATE_DIR) : home_state_dir();
}

char *fwa_own_state_dir(void)
{
	const char *override = secure_getenv("FWADMIT_STATE_DIR");

	return override && *override ? strdup(override) : home_state_dir();
}

int fwa_make_dirs(const char *path)
{
	fwa_auto_free char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int sync_dir(const char *dir)
{
	fwa_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int fwa_write_durably(const char *dir, const char *name, const void *data, size_t len)
{
	fwa_auto_free char *temporary = NULL, *path = NULL;
	fwa_auto_close int fd = -1;
	int r;

	if (asprintf(&temporary, "%s/" TEMPORARY "XXXXXX", dir) < 0)
		return -ENOMEM;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	r = fwa_write_all(fd, fwa_span(data, len));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	return sync_dir(dir);
}

void fwa_remove_leftovers(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

bool fwa_is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}
