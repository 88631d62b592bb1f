// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is waited for and what is not. A file that takes its time to close is played by close() itself.
 */
#include "base/bury.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"

static pthread_mutex_t slow = PTHREAD_MUTEX_INITIALIZER; /* held: nothing is closed but by us */
static pthread_t self;

int close(int fd)
{
	if (!pthread_equal(pthread_self(), self)) {
		pthread_mutex_lock(&slow);
		pthread_mutex_unlock(&slow);
	}
	return (int)syscall(SYS_close, fd);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void wait_for_all(void)
{
	for (int i = 0; fwa_buried() && i < 5000; i++)
		usleep(1000);
	assert_int_equal(fwa_buried(), 0);
}

static void make_pair(int type, int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
}

static int any_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void send_it(int sock, const char *text, size_t len, int fd)
{
	struct iovec part = { (void *)text, len };

	assert_int_equal(fwa_send_message(sock, &part, 1, fd), 0);
}

/* Not before there is a thread: then all is closed at once. */
static void test_without_a_thread(void **state)
{
	int pair[2], fd = any_fd();

	fwa_bury(fd);
	assert_false(is_open(fd));
	make_pair(SOCK_SEQPACKET, pair);
	fd = any_fd();
	send_it(pair[1], "x", 1, fd);
	fwa_bury_socket(pair[0]);
	assert_false(is_open(pair[0]));
	close(fd);
	close(pair[1]);
	assert_int_equal(fwa_bury_start(), 0);
}

static void test_nobody_waits(void **state)
{
	static const uint8_t byte;
	int fd = any_fd(), memory = fwa_memfd_sealed("test", fwa_span(&byte, 1));

	pthread_mutex_lock(&slow);
	assert_int_equal(fwa_bury(fd), -1);
	fwa_bury(-1);
	fwa_bury(memory);
	assert_true(is_open(fd));
	assert_false(is_open(memory));
	assert_int_equal(fwa_buried(), 1);
	pthread_mutex_unlock(&slow);
	wait_for_all();
	assert_false(is_open(fd));
}

static void test_unread(void **state)
{
	static const struct {
		int type;
		const char *first; /* sent before, without a descriptor; NULL: nothing is */
		size_t first_len;
		bool fd;
	} cases[] = {
		{ SOCK_SEQPACKET, NULL, 0, false }, { SOCK_SEQPACKET, "x", 1, false },
		{ SOCK_SEQPACKET, "", 0, false },   { SOCK_SEQPACKET, NULL, 0, true },
		{ SOCK_SEQPACKET, "xyz", 3, true }, { SOCK_SEQPACKET, "", 0, true },
		{ SOCK_STREAM, NULL, 0, false },    { SOCK_STREAM, "xyz", 3, false },
		{ SOCK_STREAM, NULL, 0, true },     { SOCK_STREAM, "xyz", 3, true },
	};

	for (int gone = 0; gone < 2; gone++) {
		for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
			int pair[2], fd = any_fd();

			make_pair(cases[i].type, pair);
			if (cases[i].first)
				send_it(pair[1], cases[i].first, cases[i].first_len, -1);
			if (cases[i].fd)
				send_it(pair[1], "x", 1, fd);
			if (gone)
				close(pair[1]);
			assert_int_equal(fwa_hang_up(pair[0]), !cases[i].fd);
			if (!gone) { /* nothing comes any more */
				assert_int_equal(send(pair[1], "x", 1, MSG_NOSIGNAL), -1);
				assert_int_equal(errno, EPIPE);
				close(pair[1]);
			}
			fwa_bury_socket(pair[0]);
			close(fd);
			wait_for_all();
			assert_false(is_open(pair[0]));
		}
	}
}

static void test_peek(void **state)
{
	int pair[2], fd = any_fd();
	char buf[8];
	bool brings;

	make_pair(SOCK_SEQPACKET, pair);
	assert_int_equal(fwa_peek(pair[0], buf, sizeof(buf), &brings), -EAGAIN);
	assert_false(brings);
	send_it(pair[1], "ab", 2, -1);
	send_it(pair[1], "abc", 3, fd);
	assert_int_equal(fwa_peek(pair[0], buf, sizeof(buf), &brings), 2);
	assert_false(brings);
	assert_int_equal(recv(pair[0], buf, sizeof(buf), 0), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fwa_peek(pair[0], buf, sizeof(buf), &brings), 3);
		assert_true(brings);
	}
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

/* All that a message can bring is ours to bury, and nothing is closed on the way. */
static void test_many(void **state)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(253 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2], fd = any_fd(), got;
	char byte;

	make_pair(SOCK_SEQPACKET, pair);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(253 * sizeof(int));
	for (size_t i = 0; i < 253; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(pair[1], &m, 0), 1);
	pthread_mutex_lock(&slow);
	assert_int_equal(fwa_recv_message(pair[0], &byte, 1, &got), -EPROTO);
	assert_int_equal(got, -1);
	assert_int_equal(fwa_buried(), 253);
	pthread_mutex_unlock(&slow);
	wait_for_all();
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_thread),
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_many),
	};

	self = pthread_self();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
