/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a client is, with a /proc of the test's own: what is read there is right or forged, and the
 * client lives on or ends between one read and the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "worker/worker.h"

/* A client's end and ours, and a folder that stands for /proc. */
struct scene {
	char dir[32];
	struct worker worker;
	struct session session;
	pid_t client;
};

static void path_of(const struct scene *s, const char *file, char path[128])
{
	snprintf(path, 128, "%s/%d%s%s", s->dir, (int)s->client, *file ? "/" : "", file);
}

static void write_file(const struct scene *s, const char *file, const char *text)
{
	char path[128];
	FILE *f;

	path_of(s, file, path);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* The client makes the pair, so that both ends are its own in the kernel's eyes. */
static void start_client(struct scene *s)
{
	int carry[2], pair[2], fd = -1;
	char byte = 0;
	struct iovec part = { &byte, 1 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, carry), 0);
	s->client = fork();
	if (s->client == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
		    fwa_send_message(carry[1], &part, 1, pair[0]) < 0)
			_exit(1);
		while (true)
			pause();
	}
	assert_true(s->client > 0);
	assert_int_equal(fwa_recv_message(carry[0], &byte, 1, &fd), 1);
	assert_true(fd >= 0);
	s->session.sock = fd;
	close(carry[0]);
	close(carry[1]);
}

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	char path[128];

	assert_non_null(s);
	strcpy(s->dir, "/tmp/fwadmit-id-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	start_client(s);
	path_of(s, "", path);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(s, "comm", "a \033[31mcomm\n");
	write_file(s, "cgroup", "0::/system.slice/fw.service\n");
	s->worker.proc_fd = open(s->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->worker.proc_fd >= 0);
	*state = s;
	return 0;
}

static void end_client(struct scene *s)
{
	kill(s->client, SIGKILL);
	waitpid(s->client, NULL, 0);
}

static int tear_down(void **state)
{
	static const char *const files[] = { "comm", "cgroup" };
	struct scene *s = *state;
	char path[128];

	end_client(s);
	for (size_t i = 0; i < 2; i++) {
		path_of(s, files[i], path);
		unlink(path);
	}
	path_of(s, "", path);
	rmdir(path);
	rmdir(s->dir);
	close(s->worker.proc_fd);
	close(s->session.sock);
	free((void *)s->session.who.groups);
	free((void *)s->session.who.unit);
	free(s->session.label);
	free(s);
	return 0;
}

static void expect_known(struct scene *s, bool known)
{
	assert_int_equal(session_identify(&s->worker, &s->session), 0);
	assert_int_equal(s->session.who.uid, getuid());
	assert_int_equal(s->session.pid, s->client);
	if (known) {
		assert_non_null(s->session.who.unit);
		assert_string_equal(s->session.who.unit, "fw.service");
		assert_string_equal(s->session.comm, "a ?[31mcomm");
	} else {
		assert_null(s->session.who.unit);
		assert_string_equal(s->session.comm, "");
	}
}

static void test_lives(void **state)
{
	struct scene *s = *state;
	char text[IDENTITY_TEXT_LEN], wanted[IDENTITY_TEXT_LEN];

	s->worker.owner = getuid();
	expect_known(s, true);
	assert_true(s->session.who.owner);
	snprintf(wanted, sizeof(wanted), "uid %u, gid %u, unit fw.service, pid %d (a ?[31mcomm)",
		 getuid(), getgid(), (int)s->client);
	identity_text(&s->session, text);
	assert_memory_equal(text, wanted, strlen(wanted)); /* a label may follow */
}

static void test_has_ended(void **state)
{
	end_client(*state);
	expect_known(*state, false);
}

/* Whoever has the number by then writes what is read. */
static void test_ends_while_it_is_read(void **state)
{
	struct scene *s = *state;
	char path[128];
	int fd, status;
	pid_t forger;

	path_of(s, "cgroup", path);
	assert_int_equal(unlink(path) | mkfifo(path, 0600), 0);
	forger = fork();
	if (forger == 0) {
		fd = open(path, O_WRONLY | O_CLOEXEC); /* until the reader is there */
		kill(s->client, SIGKILL);
		usleep(20000);
		_exit(write(fd, "0::/fw.service\n", 15) != 15);
	}
	assert_true(forger > 0);
	expect_known(s, false);
	assert_int_equal(waitpid(forger, &status, 0), forger);
	assert_int_equal(status, 0);
}

static void test_without_proc(void **state)
{
	struct scene *s = *state;

	close(s->worker.proc_fd);
	s->worker.proc_fd = -1;
	expect_known(s, false);
}

/* What is longer than any kernel makes it is not cut, but none. */
static void test_more_groups_than_there_is_room_for(void **state)
{
	struct scene *s = *state;
	char *text = malloc(20000);
	size_t len = 0;

	assert_non_null(text);
	for (int i = 1; i < 500; i++)
		len += (size_t)sprintf(text + len, "%d:cpu:/system.slice\n", i);
	strcpy(text + len, "0::/system.slice/fw.service\n");
	write_file(s, "cgroup", text);
	free(text);
	write_file(s, "comm", "sixteen letters and more\n");
	expect_known(s, false);
}

static void test_no_files(void **state)
{
	struct scene *s = *state;
	char path[128];

	write_file(s, "comm", "");
	path_of(s, "cgroup", path);
	assert_int_equal(unlink(path) | symlink("/proc/self/cgroup", path), 0);
	expect_known(s, false);
}

/* Another pid namespace's numbers are not those of our clients. */
static void test_proc_of_others(void **state)
{
	int fd = identity_open(), status;
	pid_t pid;

	if (fd < 0)
		skip();
	close(fd);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(77);
		pid = fork();
		if (pid == 0)
			_exit(identity_open() == -EXDEV ? 0 : 1);
		_exit(waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_lives),
		CASE(test_has_ended),
		CASE(test_ends_while_it_is_read),
		CASE(test_without_proc),
		CASE(test_more_groups_than_there_is_room_for),
		CASE(test_no_files),
		cmocka_unit_test(test_proc_of_others),
	};
	int fd = identity_open();

	if (fd == -ENOPROTOOPT)
		return 77; /* the kernel cannot say who a peer is */
	if (fd >= 0)
		close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
