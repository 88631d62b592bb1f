/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker may still do once it holds its device.
 *
 * A worker that was taken over has what its descriptors give: one device, by the ioctls of that
 * device's transport, its clients, and nothing else (C5). In /proc it may read what anybody may: it
 * must learn which unit a client is in.
 *
 * The order: no new privileges; open all that is ever opened; Landlock and capabilities, which
 * threads inherit; threads; the system call filter for all of them. Of the two that hold back
 * open(), the filter knows flags and folders but sees no paths, Landlock knows paths.
 */
#include "worker/worker.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/cxl_mem.h>
#include <linux/nvme_ioctl.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bury.h"
#include "base/landlock.h"
#include "base/sanitized.h"
#include "base/util.h"

/* A descriptor for every client that may be connected, those that are being closed, and a few more. */
static void raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = SESSIONS_MAX + FWA_BURIED_MAX + 64;
	if (files.rlim_cur > files.rlim_max)
		files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int sandbox_begin(void)
{
	struct rlimit none = { 0, 0 };
	pid_t parent = getppid();

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	raise_descriptors();
	/* The parent may have died before we asked to be told. */
	return getppid() == parent ? 0 : -ESRCH;
}

/* --- capabilities --------------------------------------------------------------------------- */

static int drop_capabilities(const struct fwa_device *device)
{
	capng_clear(CAPNG_SELECT_CAPS);
	/* The kernel asks for this in the ioctl itself, whoever opened the node; for CXL's it asks for none. */
	if (device->family == FWA_FAMILY_NVME)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_ADMIN, -1);
	if (geteuid() != 0)
		capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

/*= spec/SECURITY-MODEL.md#C5 */
int sandbox_drop(const struct fwa_device *device, int *proc_fd)
{
	struct fwa_landlock_path proc = { *proc_fd, FWA_LANDLOCK_READ_FILE };

	/*
	 * Without Landlock there is the filter still, which then has no way to open a file. Signals stay
	 * where there is a child: the one that ends it with us counts as ours.
	 */
	if (!FWA_SANITIZED && !fwa_landlock(&proc, *proc_fd >= 0 ? 1 : 0, device->is_child))
		*proc_fd = fwa_close(*proc_fd);
	return drop_capabilities(device);
}

/* --- system calls --------------------------------------------------------------------------- */

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

/* Of ioctl() or fcntl(), only these @requests. */
static int allow_requests(scmp_filter_ctx filter, int call, const unsigned long *requests, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, requests[i]));
	return r;
}

/* Memory, but no new code. */
static int allow_mmap(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Only in one way, from one folder; an absolute path goes elsewhere, and there Landlock stands. */
static int allow_open(scmp_filter_ctx filter, int proc_fd)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2,
				SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, (uint32_t)proc_fd),
				SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff, SANDBOX_OPEN_FLAGS));
}

/*
 * What is shared with others stays non-blocking: the journal's writer rings an eventfd that is ours too, and
 * would wait for as long as we liked.
 */
static int allow_nonblocking(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, F_SETFL),
				SCMP_A2(SCMP_CMP_MASKED_EQ, O_NONBLOCK, O_NONBLOCK));
}

/* Whoever hangs up wants to know of each message that is left. */
static int allow_passcred(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, SOL_SOCKET),
				SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff, SO_PASSCRED));
}

static int allow_ioctls(scmp_filter_ctx filter, const struct fwa_device *device)
{
	static const unsigned long nvme[] = { NVME_IOCTL_ADMIN64_CMD, NVME_IOCTL_IO64_CMD };
	static const unsigned long cxl[] = { CXL_MEM_SEND_COMMAND };

	if (device->family == FWA_FAMILY_NVME)
		return allow_requests(filter, SCMP_SYS(ioctl), nvme, FWA_ARRAY_SIZE(nvme));
	if (device->family == FWA_FAMILY_CXL)
		return allow_requests(filter, SCMP_SYS(ioctl), cxl, FWA_ARRAY_SIZE(cxl));
	return 0;
}

static int fill_filter(scmp_filter_ctx filter, const struct fwa_device *device, int proc_fd)
{
	static const int calls[] = {
		SCMP_SYS(read),
		SCMP_SYS(write),
		SCMP_SYS(pread64),
		SCMP_SYS(close),
		SCMP_SYS(lseek),
		SCMP_SYS(memfd_create),
		SCMP_SYS(recvmsg),
		SCMP_SYS(sendmsg),
		SCMP_SYS(recvfrom),
		SCMP_SYS(sendto),
		SCMP_SYS(accept4),
		SCMP_SYS(getsockopt),
		SCMP_SYS(shutdown),
		SCMP_SYS(epoll_wait),
		SCMP_SYS(epoll_pwait),
		SCMP_SYS(epoll_ctl),
		SCMP_SYS(poll),
		SCMP_SYS(ppoll),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(brk),
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(nanosleep),
		SCMP_SYS(clock_nanosleep),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(exit),
		SCMP_SYS(exit_group),
	};
	/* F_SETOWN and F_SETSIG would let the kernel signal any process in a worker's name. */
	static const unsigned long fcntls[] = { F_GETFL, F_ADD_SEALS, F_GET_SEALS };
	int r = allow(filter, calls, FWA_ARRAY_SIZE(calls));

	if (r == 0)
		r = allow_mmap(filter);
	if (r == 0)
		r = allow_requests(filter, SCMP_SYS(fcntl), fcntls, FWA_ARRAY_SIZE(fcntls));
	if (r == 0)
		r = allow_nonblocking(filter);
	if (r == 0)
		r = allow_passcred(filter);
	if (r == 0 && proc_fd >= 0)
		r = allow_open(filter, proc_fd);
	if (r == 0)
		r = allow_ioctls(filter, device);
	return r;
}

/*= spec/SECURITY-MODEL.md#C5 */
int sandbox_close(const struct fwa_device *device, int proc_fd)
{
	scmp_filter_ctx filter;
	int r;

	if (FWA_SANITIZED)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1); /* the lanes too */
	if (r == 0)
		r = fill_filter(filter, device, proc_fd);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
