/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new file is written beside the old one and renamed, so that nobody sees half of it.
 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/util.h"

int cli_fail_file(const struct cli *cli, const char *path, int r)
{
	return cli_fail(cli, r == -ENOENT ? CLI_NOT_FOUND : CLI_FAILED, "%s: %s", path,
			strerror(-r));
}

static int write_to(const char *path, int flags, struct fwa_span data)
{
	fwa_auto_close int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);

	return fd < 0 ? -errno : fwa_write_all(fd, data);
}

static int replace_file(const char *path, struct fwa_span data)
{
	fwa_auto_free char *beside = NULL;
	int r;

	if (asprintf(&beside, "%s.%d.tmp", path, (int)getpid()) < 0)
		return -ENOMEM;
	r = write_to(beside, O_CREAT | O_EXCL, data);
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0 && r != -EEXIST)
		unlink(beside);
	return r;
}

int cli_write_output(const struct cli *cli, const char *path, struct fwa_span data)
{
	struct stat st;
	int r;

	if (strcmp(path, "-") == 0)
		r = fwa_write_all(STDOUT_FILENO, data);
	else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		r = write_to(path, 0, data); /* a pipe, /dev/null: there is nothing to replace */
	else
		r = replace_file(path, data);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "%s: cannot write: %s", path, strerror(-r));
	return CLI_OK;
}
