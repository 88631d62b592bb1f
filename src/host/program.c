/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a program of ours.
 *
 * 1. It gets the descriptors that it needs, at numbers that are free of any other meaning, and no
 *    other: whatever else is open here, with or without close-on-exec, is closed there (C5).
 * 2. It gets no blocked signal and none that is ignored, no input but /dev/null, no output but
 *    stderr.
 */
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define FDS_MAX 16

struct plan {
	int high[FDS_MAX + 1]; /* copies out of the way of the numbers that are made */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
};

int fwa_program_find(const char *name, const char *variable, char path[PATH_MAX])
{
	const char *override = secure_getenv(variable);
	char self[PATH_MAX] = "";
	char *slash;

	if (override)
		return snprintf(path, PATH_MAX, "%s", override) < PATH_MAX ? 0 : -ENAMETOOLONG;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (snprintf(path, PATH_MAX, "%s/%s", self, name) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return 0;
	}
	snprintf(path, PATH_MAX, FWADMIT_LIBEXEC_DIR "/%s", name);
	return access(path, X_OK) == 0 ? 0 : -errno;
}

static int plan_fd(struct plan *p, const struct fwa_program *s, size_t i)
{
	int end = FWA_PROGRAM_FIRST + (int)s->n_fds;

	if (s->fds[i] < 0)
		return 0;
	p->high[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, end);
	if (p->high[i] < 0)
		return -errno;
	return -posix_spawn_file_actions_adddup2(&p->actions, p->high[i],
						 FWA_PROGRAM_FIRST + (int)i);
}

static int plan_null(struct plan *p, int fd, int flags)
{
	return -posix_spawn_file_actions_addopen(&p->actions, fd, "/dev/null", flags, 0);
}

static int plan_err(struct plan *p, const struct fwa_program *s)
{
	int *high = &p->high[FDS_MAX];

	*high = fcntl(*s->err_fd, F_DUPFD_CLOEXEC, FWA_PROGRAM_FIRST + (int)s->n_fds);
	if (*high < 0)
		return -errno;
	return -posix_spawn_file_actions_adddup2(&p->actions, *high, STDERR_FILENO);
}

static int plan_attributes(struct plan *p, bool apart)
{
	int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	if (apart)
		flags |= POSIX_SPAWN_SETSID;
	r = posix_spawnattr_setsigmask(&p->attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&p->attr, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(&p->attr, (short)flags);
	return -r;
}

static int plan_make(struct plan *p, const struct fwa_program *s)
{
	int r = plan_null(p, 0, O_RDONLY);

	if (r == 0)
		r = plan_null(p, 1, O_WRONLY);
	if (r == 0 && s->quiet)
		r = plan_null(p, 2, O_WRONLY);
	if (r == 0 && s->err_fd)
		r = plan_err(p, s);
	for (size_t i = 0; i < s->n_fds && r == 0; i++)
		r = plan_fd(p, s, i);
	/* A number that is not planned may be open here: close it before what follows the last. */
	for (size_t i = 0; i < s->n_fds && r == 0; i++)
		if (p->high[i] < 0)
			r = -posix_spawn_file_actions_addclose(&p->actions,
							       FWA_PROGRAM_FIRST + (int)i);
	if (r == 0) /*= spec/SECURITY-MODEL.md#C5 */
		r = -posix_spawn_file_actions_addclosefrom_np(&p->actions,
							      FWA_PROGRAM_FIRST + (int)s->n_fds);
	if (r == 0)
		r = plan_attributes(p, s->apart);
	return r;
}

static int plan_init(struct plan *p)
{
	int r;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(p->high); i++)
		p->high[i] = -1;
	r = posix_spawn_file_actions_init(&p->actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&p->attr);
	if (r)
		posix_spawn_file_actions_destroy(&p->actions);
	return -r;
}

static void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(p->high); i++)
		fwa_close(p->high[i]);
	posix_spawnattr_destroy(&p->attr);
	posix_spawn_file_actions_destroy(&p->actions);
}

int fwa_program_start(const struct fwa_program *s, pid_t *ret_pid)
{
	struct plan p;
	int r;

	if (s->n_fds > FDS_MAX)
		return -EINVAL;
	r = plan_init(&p);
	if (r < 0)
		return r;
	r = plan_make(&p, s);
	if (r == 0)
		r = -posix_spawn(ret_pid, s->path, &p.actions, &p.attr, s->argv, environ);
	plan_clear(&p);
	return r;
}
