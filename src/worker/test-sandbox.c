/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker that was taken over can still do (C5): each attempt is made by a child inside the
 * sandbox, which kills it or lets it be.
 */
#include <fcntl.h>
#include <linux/capability.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "worker/worker.h"

/* A child's exit status; 128 and the signal when it was killed. */
static int inside(int (*attempt)(void))
{
	struct fwa_device device = { .family = FWA_FAMILY_SIM };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sandbox_drop(&device) < 0 ||
		    sandbox_close(&device) < 0)
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
	int (*const forbidden[])(void) = { choose_signal_owner, choose_signal, new_code,
					   look_at_a_file,      open_a_file,   make_a_socket };

	assert_int_equal(inside(work), 0);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(inside(forbidden[i]), 128 + SIGSYS);
}

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
	int ready[2], go[2];
	uint64_t caps;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready) | pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sandbox_drop(&device) < 0 ||
		    sandbox_close(&device) < 0)
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
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
