/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a worker: this program starts itself as one, which tells what it was given.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "host/launch.h"
#include "journal/ring.h"
#include "proto/control.h"

/* The worker's side */

static void describe_fds(char *text, size_t size)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned long open_fds = 0;
	struct dirent *e;
	size_t n = strlen(text);

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			open_fds |= 1ul << (atoi(e->d_name) & 63);
	if (d)
		closedir(d);
	snprintf(text + n, size - n, "fds %lx", open_fds);
}

static void describe_signals(char *text, size_t size)
{
	struct sigaction sa;
	size_t n = strlen(text);
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigaction(SIGPIPE, NULL, &sa);
	snprintf(text + n, size - n, " blocked %d ignored %d", sigismember(&mask, SIGTERM),
		 sa.sa_handler == SIG_IGN);
}

static int worker(char **argv)
{
	char text[FWA_CONTROL_TEXT_MAX] = "";
	int control = -1;

	for (char **arg = argv + 1; *arg; arg++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s ", *arg);
		if (strncmp(*arg, "--control-fd=", 13) == 0)
			control = atoi(*arg + 13);
	}
	describe_fds(text, sizeof(text));
	describe_signals(text, sizeof(text));
	return fwa_control_send(control, FWA_CONTROL_READY, text, -1) < 0;
}

/* The starter's side */

static char self[PATH_MAX];

/* Starts @l and returns what the worker said. */
static const char *run(const struct fwa_launch *l)
{
	static char text[FWA_CONTROL_TEXT_MAX + 1], rest[FWA_CONTROL_TEXT_MAX + 1];
	fwa_auto_close int control = -1;
	int status, fd;
	uint16_t kind;
	pid_t pid;

	assert_int_equal(fwa_launch_worker(l, &pid, &control), 0);
	assert_int_equal(fcntl(control, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fwa_control_recv(control, &kind, text, &fd), 0);
	assert_int_equal(kind, FWA_CONTROL_READY);
	assert_int_equal(fwa_control_recv(control, &kind, rest, &fd), -ECONNRESET);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

static void test_embedded(void **state)
{
	fwa_auto_close int policy = fwa_memfd_sealed("p", fwa_span("", 0));
	int pair[2];
	struct fwa_launch l = {
		.name = "sim:honest",
		.spec = "sim:honest,seed=3",
		.device_fd = -1,
		.listen_fd = -1,
		.policy_fd = policy,
	};

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	l.client_fd = pair[1];
	/* 0, 1, 2, control, policy, client: and not our other end, though nothing closes it. */
	assert_string_equal(run(&l), "--name=sim:honest --device=sim:honest,seed=3 --mode=strict "
				     "--policy-fd=4 --control-fd=3 --client-fd=5 --journal=none "
				     "fds 3f blocked 0 ignored 0");
	close(pair[0]);
	close(pair[1]);
}

static void test_daemon(void **state)
{
	fwa_auto_close int policy = fwa_memfd_sealed("p", fwa_span("", 0));
	fwa_auto_close int device = open("/dev/null", O_RDWR | O_CLOEXEC);
	fwa_auto_close int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct fwa_launch l = {
		.name = "nvme0",
		.spec = "nvme:/dev/nvme0",
		.mode = "linux",
		.device_fd = device,
		.listen_fd = listener,
		.client_fd = -1,
		.policy_fd = policy,
	};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
	assert_string_equal(run(&l), "--name=nvme0 --device=nvme:/dev/nvme0 --mode=linux "
				     "--policy-fd=4 --control-fd=3 --listen-fd=5 --journal=none "
				     "--device-fd=6 "
				     "fds 7f blocked 0 ignored 0");
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void test_journal(void **state)
{
	fwa_auto_close int policy = fwa_memfd_sealed("p", fwa_span("", 0));
	fwa_auto_close int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct fwa_ring_fds ring;
	struct fwa_launch l = {
		.name = "sim0",
		.spec = "sim:honest",
		.device_fd = -1,
		.listen_fd = listener,
		.client_fd = -1,
		.policy_fd = policy,
		.ring = &ring,
	};

	assert_int_equal(fwa_ring_create(&ring), 0);
	assert_string_equal(run(&l), "--name=sim0 --device=sim:honest --mode=strict "
				     "--policy-fd=4 --control-fd=3 --listen-fd=5 "
				     "--journal-fds=7,8,9 fds 3bf blocked 0 ignored 0");
	l.reads_pass = true;
	assert_non_null(strstr(run(&l), "--journal-fds=7,8,9 --journal-reads=pass "));
	fwa_ring_close(&ring);
}

static void test_no_program(void **state)
{
	struct fwa_launch l = {
		.name = "x",
		.spec = "sim:honest",
		.device_fd = -1,
		.listen_fd = -1,
		.client_fd = 0,
		.policy_fd = 0,
	};
	int control = -7;
	pid_t pid = -7;

	setenv("FWADMIT_WORKER", "/nowhere/fwadmit-worker", 1);
	assert_int_equal(fwa_launch_worker(&l, &pid, &control), -ENOENT);
	assert_int_equal(control, -7);
	assert_int_equal(pid, -7);
	setenv("FWADMIT_WORKER", self, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_no_program),
	};

	if (argc > 1)
		return worker(argv);
	if (!realpath("/proc/self/exe", self))
		return 1;
	setenv("FWADMIT_WORKER", self, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
