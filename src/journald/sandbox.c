/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the journal's writer may still do once all is open: read and write beneath the journal's folder, talk
 * with who is connected, and map memory that it is given. It has no capability, no device, no network, no
 * other file (C5). As the worker's (worker/sandbox.c): of the two that hold back open(), the filter knows
 * folders but no paths, Landlock knows paths.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/landlock.h"
#include "base/sanitized.h"
#include "base/util.h"
#include "journald/journald.h"

/*
 * For each source its doorbell, ack and process, and while it is attached its memory. Objects that cannot be
 * written now: a message whose descriptors find no place ends the connection, and with it its sources.
 */
#define DESCRIPTORS (SOURCES_MAX * 3 + CONNECTIONS_MAX + OBJECTS_MAX + 512)

int sandbox_begin(void)
{
	struct rlimit none = { 0, 0 }, files;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS) {
		files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

/* Calls whose first argument is a folder: only ours, or one that was opened in it. */
static int allow_folders(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(openat),    SCMP_SYS(unlinkat), SCMP_SYS(mkdirat),
				     SCMP_SYS(renameat),  SCMP_SYS(linkat),   SCMP_SYS(renameat2),
				     SCMP_SYS(newfstatat) };
	int r = 0;

	/* Not the current one, which a path could leave. */
	for (size_t i = 0; i < FWA_ARRAY_SIZE(calls) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, 0x80000000, 0));
	return r;
}

/* What is shared with workers and the daemon stays non-blocking: they do not wait for one that was taken over. */
static int allow_nonblocking(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, F_SETFL),
				SCMP_A2(SCMP_CMP_MASKED_EQ, O_NONBLOCK, O_NONBLOCK));
}

static int allow_some(scmp_filter_ctx filter)
{
	static const int fcntls[] = { F_GETFL, F_GETFD, F_SETFD, F_GET_SEALS };
	/* Memory, but no new code. */
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	for (size_t i = 0; i < FWA_ARRAY_SIZE(fcntls) && r == 0; i++)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, (unsigned int)fcntls[i]));
	return r;
}

static int fill_filter(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(read),
		SCMP_SYS(write),
		SCMP_SYS(pread64),
		SCMP_SYS(pwrite64),
		SCMP_SYS(fdatasync),
		SCMP_SYS(fsync),
		SCMP_SYS(fallocate),
		SCMP_SYS(ftruncate),
		SCMP_SYS(fstat),
		SCMP_SYS(fchmod),
		SCMP_SYS(getdents64),
		SCMP_SYS(lseek),
		SCMP_SYS(close),
		SCMP_SYS(recvmsg),
		SCMP_SYS(sendmsg),
		SCMP_SYS(accept4),
		SCMP_SYS(getsockopt),
		SCMP_SYS(shutdown),
		SCMP_SYS(geteuid),
		SCMP_SYS(getpid),
		SCMP_SYS(epoll_wait),
		SCMP_SYS(epoll_pwait),
		SCMP_SYS(epoll_ctl),
		SCMP_SYS(pidfd_open),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(brk),
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(exit_group),
		SCMP_SYS(sysinfo), /* qsort(), for more than a kilobyte */
		/* getrandom() of glibc 2.41, which keeps a state of its own */
		SCMP_SYS(rt_sigprocmask),
	};
	int r = allow(filter, calls, FWA_ARRAY_SIZE(calls));

	if (r == 0)
		r = allow_folders(filter);
	if (r == 0)
		r = allow_nonblocking(filter);
	return r == 0 ? allow_some(filter) : r;
}

static int close_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	r = fill_filter(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/*= spec/SECURITY-MODEL.md#C5 */
int sandbox_close(const struct journald *j)
{
	const struct fwa_landlock_path folder = {
		j->dirfd, FWA_LANDLOCK_READ_FILE | FWA_LANDLOCK_WRITE_FILE | FWA_LANDLOCK_READ_DIR |
				  FWA_LANDLOCK_REMOVE_FILE | FWA_LANDLOCK_MAKE_DIR |
				  FWA_LANDLOCK_MAKE_REG | FWA_LANDLOCK_TRUNCATE
	};

	/* Where the kernel has none, users and modes of files hold back the rest. */
	if (!FWA_SANITIZED)
		fwa_landlock(&folder, 1, false);
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return FWA_SANITIZED ? 0 : close_calls();
}
