/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between a launcher and journald: what is sent arrives, with its descriptors, and what is no
 * message leaves none behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "journal/attach.h"

static int pair[2];

static int setup(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int teardown(void **state)
{
	fwa_close(pair[0]);
	fwa_close(pair[1]);
	return 0;
}

static unsigned int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static struct fwa_attach_message source(void)
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_SOURCE,
		.token = 0x01020304,
		.source = { .id = { 1, 2, 3 }, .kind = FWA_SOURCE_EMBEDDED, .pid = 7, .uid = 1000 },
		.fds = { pair[0], pair[1], pair[0] },
	};

	memset(m.source.name, 'n', sizeof(m.source.name) - 1);
	strcpy(m.source.spec, "sim:honest,seed=3");
	return m;
}

static struct fwa_attach_message object(void)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_OBJECT,
					.token = 9,
					.object = { .kind = FWA_OBJECT_POLICY, .key = { 5 } },
					.fds = { pair[0] } };

	strcpy(m.object.device, "nvme0");
	return m;
}

static void send_and_take(const struct fwa_attach_message *m, struct fwa_attach_message *ret)
{
	assert_int_equal(fwa_attach_send(pair[0], m), 0);
	assert_int_equal(fwa_attach_recv(pair[1], ret), 0);
	assert_int_equal(ret->kind, m->kind);
	assert_int_equal(ret->token, m->token);
}

static void close_all(struct fwa_attach_message *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(fcntl(m->fds[i], F_GETFD), FD_CLOEXEC);
		m->fds[i] = fwa_close(m->fds[i]);
	}
	for (size_t i = n; i < 3; i++)
		assert_int_equal(m->fds[i], -1);
}

static void test_what_a_launcher_says(void **state)
{
	struct fwa_attach_message m = source(), got;
	unsigned int before = open_fds();

	send_and_take(&m, &got);
	assert_memory_equal(&got.source, &m.source, sizeof(m.source));
	close_all(&got, 3);
	m = object();
	send_and_take(&m, &got);
	assert_memory_equal(&got.object, &m.object, sizeof(m.object));
	close_all(&got, 1);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_DETACH, .token = 1, .how = 1 };
	send_and_take(&m, &got);
	assert_int_equal(got.how, 1);
	close_all(&got, 0);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_BEGIN };
	send_and_take(&m, &got);
	close_all(&got, 0);
	assert_int_equal(open_fds(), before);
}

static void test_what_journald_says(void **state)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_READY, .text = "12 records" }, got;

	send_and_take(&m, &got);
	assert_string_equal(got.text, "12 records");
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_BAD, .token = 3 };
	memset(m.text, 'x', FWA_ATTACH_TEXT_MAX);
	m.text[0] = '\n';
	send_and_take(&m, &got);
	m.text[0] = '?';
	assert_string_equal(got.text, m.text);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_FAILED, .error = EWOULDBLOCK };
	send_and_take(&m, &got);
	assert_int_equal(got.error, EWOULDBLOCK);
	assert_string_equal(got.text, "");
	assert_int_equal(fwa_attach_recv(pair[1], &got), -EAGAIN);
	fwa_close(pair[0]);
	pair[0] = -1;
	assert_int_equal(fwa_attach_recv(pair[1], &got), -ECONNRESET);
	assert_int_equal(fwa_attach_send(pair[1], &m), -EPIPE);
}

/* @m as it goes over the wire. */
static size_t raw(const struct fwa_attach_message *m, uint8_t *message, size_t cap)
{
	int fds[FWA_FDS_MAX];
	ssize_t n;
	size_t n_fds;

	assert_int_equal(fwa_attach_send(pair[0], m), 0);
	n = fwa_recv_message_fds(pair[1], message, cap, fds, &n_fds);
	assert_true(n > 0);
	for (size_t i = 0; i < n_fds; i++)
		fwa_close(fds[i]);
	return (size_t)n;
}

/* The result of these bytes with @n_fds descriptors. */
static int take_raw(const uint8_t *message, size_t len, size_t n_fds)
{
	int fds[FWA_FDS_MAX] = { pair[0], pair[0], pair[0] };
	struct iovec part = { (void *)message, len };
	struct fwa_attach_message got;
	unsigned int before = open_fds();
	int r;

	assert_int_equal(fwa_send_message_fds(pair[0], &part, 1, fds, n_fds), 0);
	r = fwa_attach_recv(pair[1], &got);
	if (r == 0)
		close_all(&got, n_fds);
	assert_int_equal(open_fds(), before);
	return r;
}

static void try_lengths(const struct fwa_attach_message *m, size_t n_fds)
{
	uint8_t message[2048] = { 0 };
	size_t len = raw(m, message, sizeof(message));

	assert_int_equal(take_raw(message, len, n_fds), 0);
	for (size_t i = 0; i < sizeof(message); i++)
		if (i != len && (i || n_fds))
			assert_int_equal(take_raw(message, i, n_fds), -EPROTO);
	for (size_t i = 0; i <= FWA_FDS_MAX; i++)
		assert_int_equal(take_raw(message, len, i), i == n_fds ? 0 : -EPROTO);
	message[2] = 1;
	assert_int_equal(take_raw(message, len, n_fds), -EPROTO);
	message[2] = 0;
	for (unsigned int kind = 0; kind < 0x10000; kind += kind < 20 ? 1 : 4099) {
		fwa_put_le16(message, (uint16_t)kind);
		if ((kind < 1 || kind > FWA_ATTACH_FAILED) && kind != m->kind)
			assert_int_equal(take_raw(message, len, n_fds), -EPROTO);
	}
}

static void test_lengths(void **state)
{
	struct fwa_attach_message m = source();

	try_lengths(&m, 3);
	m = object();
	try_lengths(&m, 1);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_DETACH };
	try_lengths(&m, 0);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_BEGIN };
	try_lengths(&m, 0);
}

static void test_fields(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int result;
	} changes[] = {
		{ 24, 0, -EPROTO }, /* kind of source */
		{ 24, FWA_SOURCE_KINDS, -EPROTO },
		{ 33 + 63, 'n', -EPROTO }, /* a name without an end */
		{ 33, 0, -EPROTO },        /* bytes behind its end */
		{ 33, '\n', -EPROTO },
		{ 33, 0x80, -EPROTO },
		{ 33 + 64 + 17, '4', 0 },
		{ 33 + 64 + 18, '4', -EPROTO },
	};
	struct fwa_attach_message m = source();
	uint8_t message[2048];
	size_t len = raw(&m, message, sizeof(message));

	for (size_t i = 0; i < FWA_ARRAY_SIZE(changes); i++) {
		uint8_t before = message[changes[i].at];

		message[changes[i].at] = changes[i].value;
		assert_int_equal(take_raw(message, len, 3), changes[i].result);
		message[changes[i].at] = before;
	}
	m = object();
	len = raw(&m, message, sizeof(message));
	message[8] = FWA_OBJECT_ACCEPTED + 1;
	assert_int_equal(take_raw(message, len, 1), -EPROTO);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_DETACH, .how = 3 };
	len = raw(&m, message, sizeof(message));
	assert_int_equal(take_raw(message, len, 0), -EPROTO);
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_FAILED, .error = 5000 };
	len = raw(&m, message, sizeof(message));
	assert_int_equal(take_raw(message, len, 0), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_launcher_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_journald_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
