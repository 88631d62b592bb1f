/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker that was taken over can still do (C5): each attempt is made by a child inside the
 * sandbox, which kills it or lets it be.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "worker/worker.h"

/* What a child's worker has: /proc, and a process outside. */
static int proc_fd;
static pid_t other;

enum layers {
	LANDLOCK, /* and capabilities */
	ALL,
};

/* A child's exit status; 128 and the signal when it was killed. */
static int inside(enum layers layers, int (*attempt)(void))
{
	struct fwa_device device = { .family = FWA_FAMILY_SIM };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    sandbox_drop(&device, &proc_fd) < 0 ||
		    (layers == ALL && sandbox_close(&device, proc_fd) < 0))
			_exit(99);
		_exit(attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A worker of root's could have the kernel kill any process for it. */
static int choose_signal_owner(void)
{
	return fcntl(0, F_SETOWN, 1);
}

static int choose_signal(void)
{
	return fcntl(0, F_SETSIG, SIGKILL);
}

static int clear_nonblocking(void)
{
	return fcntl(0, F_SETFL, O_APPEND);
}

static int new_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}

static int look_at_a_file(void)
{
	struct stat st;

	return stat("/etc/shadow", &st);
}

static int open_a_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int make_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* What it needs for its work. */
static int work(void)
{
	static const uint8_t data[] = { 1, 2, 3 };
	int fd = fwa_memfd_sealed("test", fwa_span(data, sizeof(data)));
	uint8_t *copy = NULL;

	if (fd < 0 || fwa_memfd_copy(fd, sizeof(data), &copy) < 0)
		return 1;
	free(copy);
	copy = malloc(8u << 20);
	if (!copy || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return 2;
	free(copy);
	return close(fd);
}

static void test_sandbox(void **state)
{
	int (*const forbidden[])(
		void) = { choose_signal_owner, choose_signal, clear_nonblocking, new_code,
			  look_at_a_file,      open_a_file,   make_a_socket };

	assert_int_equal(inside(ALL, work), 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(forbidden); i++)
		assert_int_equal(inside(ALL, forbidden[i]), 128 + SIGSYS);
}

/* --- files ---------------------------------------------------------------------------------- */

/* 0, or the errno with which a file of the other process is not opened. */
static int open_of_other(const char *file, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)other, file);
	fd = openat(proc_fd, path, flags);
	return fd < 0 ? errno : close(fd);
}

static int read_its_groups(void)
{
	return open_of_other("cgroup", SANDBOX_OPEN_FLAGS);
}

static int read_its_name(void)
{
	return open_of_other("comm", SANDBOX_OPEN_FLAGS);
}

static int read_its_environment(void)
{
	return open_of_other("environ", SANDBOX_OPEN_FLAGS);
}

static int read_its_memory(void)
{
	return open_of_other("mem", SANDBOX_OPEN_FLAGS);
}

static int read_its_maps(void)
{
	return open_of_other("maps", SANDBOX_OPEN_FLAGS);
}

static int read_through_its_root(void)
{
	return open_of_other("root/etc/passwd", SANDBOX_OPEN_FLAGS);
}

static int read_through_its_folder(void)
{
	return open_of_other("cwd/meson.build", SANDBOX_OPEN_FLAGS);
}

static int read_through_its_descriptor(void)
{
	return open_of_other("fd/0", SANDBOX_OPEN_FLAGS & ~O_NOFOLLOW);
}

static int open_here(const char *path, int flags)
{
	int fd = openat(proc_fd, path, flags, 0600);

	return fd < 0 ? errno : close(fd);
}

static int read_passwd(void)
{
	return open_here("/etc/passwd", SANDBOX_OPEN_FLAGS);
}

static int read_passwd_upwards(void)
{
	return open_here("../etc/passwd", SANDBOX_OPEN_FLAGS);
}

static int read_through_own_root(void)
{
	return open_here("self/root/etc/passwd", SANDBOX_OPEN_FLAGS);
}

static int open_a_device(void)
{
	return open_here("/dev/null", SANDBOX_OPEN_FLAGS);
}

static int list_processes(void)
{
	return open_here(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int write_own_memory(void)
{
	return open_here("self/mem", O_RDWR | O_CLOEXEC);
}

static int write_own_name(void)
{
	return open_here("self/comm", O_WRONLY | O_CLOEXEC);
}

static int set_a_kernel_option(void)
{
	return open_here("sys/kernel/hostname", O_WRONLY | O_CLOEXEC);
}

static int make_a_file(void)
{
	return open_here("/tmp/fwadmit-test-sandbox", O_WRONLY | O_CREAT | O_CLOEXEC);
}

static int make_a_folder(void)
{
	return mkdir("/tmp/fwadmit-test-sandbox", 0700) < 0 ? errno : 0;
}

static int truncate_a_file(void)
{
	return truncate("/etc/hostname", 0) < 0 ? errno : 0;
}

static int run_a_program(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int signal_outside(void)
{
	return kill(other, 0) < 0 ? errno : 0;
}

static int connect_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

/* Of the test, which listens there. */
static const struct sockaddr_un abstract = { AF_UNIX, "\0fwadmit-test-sandbox" };

static int connect_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)&abstract, sizeof(abstract)) < 0 ? errno : 0;
}

static int no_proc(void)
{
	return proc_fd == -1 ? 0 : 1;
}

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

/* Another worker, with the same uid and no more rights than the children have. */
static pid_t start_other(void)
{
	struct fwa_device device = { .family = FWA_FAMILY_SIM };
	int ready[2], unused = -1;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    sandbox_drop(&device, &unused) < 0 || write(ready[1], &byte, 1) != 1)
			_exit(99);
		pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(close(ready[0]) | close(ready[1]), 0);
	return pid;
}

static void stop_other(void)
{
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

struct attempt {
	int (*attempt)(void);
	int result;
	long since; /* which version of Landlock */
};

/* What Landlock alone holds back: the filter, which sees no paths, would let some of it pass. */
static void test_landlock(void **state)
{
	static const struct attempt attempts[] = {
		{ read_its_groups, 0, 1 },
		{ read_its_name, 0, 1 },
		{ read_its_environment, EACCES, 1 },
		{ read_its_memory, EACCES, 1 },
		{ read_its_maps, EACCES, 1 },
		{ read_through_its_root, EACCES, 1 },
		{ read_through_its_folder, EACCES, 1 },
		{ read_through_its_descriptor, EACCES, 1 },
		{ read_passwd, EACCES, 1 },
		{ read_passwd_upwards, EACCES, 1 },
		{ read_through_own_root, EACCES, 1 },
		{ open_a_device, EACCES, 1 },
		{ list_processes, EACCES, 1 },
		{ write_own_memory, EACCES, 1 },
		{ write_own_name, EACCES, 1 },
		{ set_a_kernel_option, EACCES, 1 },
		{ make_a_file, EACCES, 1 },
		{ make_a_folder, EACCES, 1 },
		{ run_a_program, EACCES, 1 },
		{ truncate_a_file, EACCES, 3 },
		{ connect_tcp, EACCES, 4 },
		{ connect_abstract, EPERM, 6 },
		{ signal_outside, EPERM, 6 },
	};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (landlock_version() < 1)
		skip();
	assert_int_equal(bind(listener, (const struct sockaddr *)&abstract, sizeof(abstract)), 0);
	assert_int_equal(listen(listener, 1), 0);
	other = start_other();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(attempts); i++) {
		int result = attempts[i].result;

		if (attempts[i].since > landlock_version())
			continue;
		if (inside(LANDLOCK, attempts[i].attempt) != result)
			fail_msg("attempt %zu: not %d", i, result);
	}
	stop_other();
	close(listener);
}

/* Both together: the one way that is left, and where it ends. */
static void test_open(void **state)
{
	static const struct attempt attempts[] = {
		{ read_its_groups, 0 },
		{ read_its_name, 0 },
		{ read_its_environment, EACCES },
		{ read_its_memory, EACCES },
		{ read_through_its_root, EACCES },
		{ read_passwd, EACCES },
		{ read_passwd_upwards, EACCES },
		{ read_through_own_root, EACCES },
		{ open_a_device, EACCES },
		{ open_a_file, 128 + SIGSYS },
		{ read_through_its_descriptor, 128 + SIGSYS },
		{ list_processes, 128 + SIGSYS },
		{ write_own_memory, 128 + SIGSYS },
		{ make_a_file, 128 + SIGSYS },
	};

	if (landlock_version() < 1)
		skip();
	other = start_other();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(attempts); i++)
		if (inside(ALL, attempts[i].attempt) != attempts[i].result)
			fail_msg("attempt %zu: not %d", i, attempts[i].result);
	stop_other();
}

/* Makes @call fail with @error here and in what is started from here. */
static void lose(int call, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(error), call, 0) < 0 ||
	    seccomp_load(filter) < 0)
		_exit(98);
	seccomp_release(filter);
}

/* On a kernel without Landlock there is no /proc, and no open() at all. */
static int without_landlock(void)
{
	lose(SCMP_SYS(landlock_create_ruleset), ENOSYS);
	if (inside(LANDLOCK, no_proc) != 0)
		return 1;
	if (inside(ALL, work) != 0)
		return 2;
	return inside(ALL, read_its_groups) == 128 + SIGSYS ? 0 : 3;
}

static void test_without_landlock(void **state)
{
	int status;
	pid_t pid;

	other = getpid();
	pid = fork();
	if (pid == 0)
		_exit(without_landlock());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- threads -------------------------------------------------------------------------------- */

static void *open_when_told(void *arg)
{
	const int *go = arg;
	char byte;

	if (read(*go, &byte, 1) == 1)
		open_a_file();
	return NULL;
}

/* A thread that was there before the filter is under it too. */
static int thread_of_before(void)
{
	struct fwa_device device = { .family = FWA_FAMILY_SIM };
	int go[2];
	pthread_t thread;

	if (pipe(go) < 0 || pthread_create(&thread, NULL, open_when_told, &go[0]) ||
	    sandbox_close(&device, -1) < 0 || write(go[1], "", 1) != 1)
		return 1;
	while (true)
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
}

static void test_threads(void **state)
{
	assert_int_equal(inside(LANDLOCK, thread_of_before), 128 + SIGSYS);
}

/* --- capabilities --------------------------------------------------------------------------- */

static uint64_t permitted(pid_t pid)
{
	unsigned long long caps = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && sscanf(line, "CapPrm: %llx", &caps) != 1)
		;
	fclose(f);
	return caps;
}

/* The capabilities of a worker of root's, for a device of @family. */
static uint64_t capabilities(enum fwa_family family)
{
	struct fwa_device device = { .family = family };
	int ready[2], go[2], none = -1;
	uint64_t caps;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready) | pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    sandbox_drop(&device, &none) < 0 || sandbox_close(&device, none) < 0)
			_exit(99);
		_exit(write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	caps = permitted(pid);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 2; i++)
		assert_int_equal(close(ready[i]) | close(go[i]), 0);
	return caps;
}

/* The kernel asks for one only in the NVMe ioctls; those of a CXL node need none. */
static void test_capabilities(void **state)
{
	uint64_t nvme = capabilities(FWA_FAMILY_NVME);

	assert_int_equal(capabilities(FWA_FAMILY_CXL), 0);
	assert_int_equal(capabilities(FWA_FAMILY_SIM), 0);
	assert_int_equal(nvme & ~(1ull << CAP_SYS_ADMIN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox), cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_open),    cmocka_unit_test(test_without_landlock),
		cmocka_unit_test(test_threads), cmocka_unit_test(test_capabilities),
	};

	proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
