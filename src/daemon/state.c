/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "host/state.h"

/* 0 when it is a directory that we, and nobody but root beside us, can write to. */
static int check(const char *path)
{
	fwa_auto_close int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!fwa_is_ours(&st))
		return -EPERM;
	return faccessat(fd, ".", W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

void fwa_state_open(const char *path, struct fwa_state *ret)
{
	int r = path ? fwa_make_dirs(path) : -ENOENT;

	if (r == 0)
		r = check(path);
	*ret = (struct fwa_state){ .path = r == 0 ? path : NULL };
	if (r == 0)
		return;
	snprintf(ret->error, sizeof(ret->error), "%.100s: %s", path ?: "no state directory",
		 r == -EPERM ? "others may write to it" : strerror(-r));
	log_warning("%s: grants, baselines, quarantine and advisories are not remembered",
		    ret->error);
}
