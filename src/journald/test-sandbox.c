/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a journal's writer that was taken over can still do (C5): each attempt is made by a child inside the
 * sandbox, which kills it or lets it be.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "journald/journald.h"

static struct journald j;
static int shared; /* an eventfd that a worker, or the daemon, has too */

/* A child's exit status; 128 and the signal when it was killed. */
static int inside(int (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_begin() < 0 || sandbox_close(&j) < 0)
			_exit(99);
		_exit(attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Those who share it would wait for as long as it likes. */
static int clear_nonblocking(void)
{
	return fcntl(shared, F_SETFL, 0);
}

static int choose_signal_owner(void)
{
	return fcntl(shared, F_SETOWN, 1);
}

static int new_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}

static int make_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_a_path(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int end_another(void)
{
	return kill(getppid(), 0);
}

/* What it needs for its work. */
static int work(void)
{
	int fd = openat(j.dirfd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || pwrite(fd, "x", 1, 0) != 1 || fdatasync(fd) < 0)
		return 1;
	if (fcntl(shared, F_SETFL, fcntl(shared, F_GETFL) | O_NONBLOCK) < 0)
		return 2;
	return unlinkat(j.dirfd, "file", 0) < 0;
}

static void test_sandbox(void **state)
{
	int (*const forbidden[])(void) = { clear_nonblocking, choose_signal_owner, new_code,
					   make_a_socket,     open_a_path,         end_another };

	assert_int_equal(inside(work), 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(forbidden); i++)
		assert_int_equal(inside(forbidden[i]), 128 + SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sandbox) };
	char dir[] = "/tmp/fwadmit-sandbox-XXXXXX";
	int r;

	if (!mkdtemp(dir))
		return 1;
	j.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	shared = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return r;
}
