/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that is told to misbehave gets a process that can do little else: of files the device's node, and
 * sysfs to read (C5, C25).
 *
 * A process of ours (qtest) is a program that needs its own files, so nothing is taken away there. A simulated
 * device is this program's own code; where its spec names a path that is a file for tests.
 */
#include "verify/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/sanitized.h"
#include "base/util.h"

#include <signal.h>

#define MEMORY_MAX (2ull << 30)

int vfy_confine_begin(void)
{
	struct rlimit none = { 0, 0 };
	pid_t parent = getppid();

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	/* The parent may have died before we asked to be told. */
	return getppid() == parent ? 0 : -ESRCH;
}

const char *vfy_spec_path(const char *spec)
{
	const char *rest = strchr(spec, ':');

	return rest && (strncmp(spec, "cxl:", 4) == 0 || strncmp(spec, "nvme:", 5) == 0) ? rest + 1
											 : NULL;
}

static int limit_memory(void)
{
	struct rlimit memory;

	if (FWA_SANITIZED)
		return 0;
	if (getrlimit(RLIMIT_AS, &memory) < 0)
		return -errno;
	if (memory.rlim_max > MEMORY_MAX)
		memory.rlim_max = MEMORY_MAX;
	memory.rlim_cur = memory.rlim_max;
	return setrlimit(RLIMIT_AS, &memory) < 0 ? -errno : 0;
}

/* Without Landlock in the kernel there is less protection, and no less of a campaign. */
static int limit_files(const char *path, char error[FWA_ERROR_LEN])
{
	fwa_auto_close int node = path ? open(path, O_PATH | O_CLOEXEC) : -1;
	fwa_auto_close int sys = path ? open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct fwa_landlock_path paths[] = {
		{ node, FWA_LANDLOCK_READ_FILE | FWA_LANDLOCK_WRITE_FILE | FWA_LANDLOCK_IOCTL_DEV },
		{ sys, FWA_LANDLOCK_READ_FILE | FWA_LANDLOCK_READ_DIR },
	};

	if (path && node < 0)
		return fwa_fail(error, -errno, "%.128s: %s", path, strerror(errno));
	if (!FWA_SANITIZED)
		fwa_landlock(paths, path ? sys >= 0 ? 2 : 1 : 0, false);
	return 0;
}

int vfy_confine(const char *spec, char error[FWA_ERROR_LEN])
{
	const char *path = vfy_spec_path(spec);
	int r;

	if (!path && (strncmp(spec, "sim:", 4) || strchr(spec, '/')))
		return 0;
	r = limit_memory();
	if (r < 0)
		return fwa_fail(error, r, "the memory cannot be limited: %s", strerror(-r));
	return limit_files(path, error);
}
