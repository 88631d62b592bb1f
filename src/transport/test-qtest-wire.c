/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest protocol against a peer that says what it likes. The peer's answers are written between
 * the beginning of an exchange and the read that takes them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "transport/qtest-wire.h"

#define SHORT_MS 30
#define LONG_MS 5000

struct fixture {
	struct fwa_qtest q;
	int peer;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	if (!f || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	fwa_qtest_init(&f->q, pair[0]);
	f->peer = pair[1];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->q.fd);
	if (f->peer >= 0)
		close(f->peer);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->peer, text, strlen(text)), strlen(text));
}

static void hang_up(struct fixture *f)
{
	close(f->peer);
	f->peer = -1;
}

/* What we sent so far, as a string. */
static const char *heard(struct fixture *f, char *buf, size_t len)
{
	ssize_t n = recv(f->peer, buf, len - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void test_values(void **state)
{
	struct fixture *f = *state;
	char buf[256];

	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, "OK 0x0000000070758086\n");
	assert_int_equal(fwa_qtest_readl(&f->q, 0xb0c00000), 0x70758086);
	say(f, "OK 0xffffffffffffffff\n");
	assert_true(fwa_qtest_readq(&f->q, 0x8) == UINT64_MAX);
	say(f, "OK 0xb0000001\n");
	assert_int_equal(fwa_qtest_inl(&f->q, 0xcfc), 0xb0000001);
	assert_int_equal(f->q.error, 0);
	assert_string_equal(heard(f, buf, sizeof(buf)), "readl 0xb0c00000\nreadq 0x8\ninl 0xcfc\n");
}

static void test_posted_writes_leave_with_the_read(void **state)
{
	struct fixture *f = *state;
	char buf[256];

	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	fwa_qtest_outl(&f->q, 0xcf8, 0x80000060);
	fwa_qtest_outb(&f->q, 0xcf9, 6);
	fwa_qtest_write(&f->q, 0x20, fwa_span("\x01\xab", 2));
	fwa_qtest_writeq(&f->q, 0x8, 0x20004100);
	fwa_qtest_fill(&f->q, 0x40, 16, 0xa5);
	assert_string_equal(heard(f, buf, sizeof(buf)), "");
	say(f, "OK\nOK\nOK\nOK\nOK\nOK 0x5\n");
	assert_int_equal(fwa_qtest_readl(&f->q, 4), 5);
	assert_string_equal(heard(f, buf, sizeof(buf)),
			    "outl 0xcf8 0x80000060\noutb 0xcf9 0x6\nwrite 0x20 0x2 0x01ab\n"
			    "writeq 0x8 0x20004100\nmemset 0x40 0x10 0xa5\nreadl 0x4\n");
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
}

static void test_long_data_is_cut(void **state)
{
	struct fixture *f = *state;
	static char answer[2 * FWA_QTEST_CHUNK + 8], line[3 * FWA_QTEST_LINE];
	static uint8_t data[FWA_QTEST_CHUNK + 3];

	memset(data, 0x5a, FWA_QTEST_CHUNK);
	memcpy(answer, "OK ", 3);
	fwa_base64_text(data, FWA_QTEST_CHUNK, answer + 3);
	answer[3 + fwa_base64_len(FWA_QTEST_CHUNK)] = '\n';
	memset(data, 0, sizeof(data));
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, answer);
	say(f, "OK 0x010203\n");
	fwa_qtest_read(&f->q, 0x1000, data, sizeof(data));
	assert_int_equal(f->q.error, 0);
	assert_int_equal(data[0], 0x5a);
	assert_int_equal(data[FWA_QTEST_CHUNK - 1], 0x5a);
	assert_memory_equal(data + FWA_QTEST_CHUNK, "\x01\x02\x03", 3);
	assert_string_equal(heard(f, line, sizeof(line)),
			    "b64read 0x1000 0x2000\nread 0x3000 0x3\n");

	say(f, "OK\nOK\n");
	fwa_qtest_write(&f->q, 0x1000, fwa_span(data, sizeof(data)));
	assert_int_equal(fwa_qtest_sync(&f->q), 0);
	heard(f, line, sizeof(line));
	assert_memory_equal(line, "write 0x1000 0x2000 0x5a5a", 26);
	assert_string_equal(strchr(line, '\n') + 1, "write 0x3000 0x3 0x010203\n");
}

/* Every one of these, in answer to a readl, is nonsense and the end of the connection. */
static void test_nonsense(void **state)
{
	static const char *const answers[] = {
		"\n",
		"OK\n",
		"OK \n",
		"OK 0x\n",
		"OK 0xzz\n",
		"OK 0x1 \n",
		"OK 0x-1\n",
		"OK 1234567\n",
		"OK 0x100000000\n",         /* more than 32 bits */
		"OK 0x11112222333344445\n", /* more than 64 */
		"ok 0x1\n",
		"FAIL Unknown command 'readl'\n",
		"ERR\n",
		"IRQ raise 1\n",
		"\x01\x02\xff\xfe\n",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fixture *f = NULL;

		assert_int_equal(set_up((void **)&f), 0);
		assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
		say(f, answers[i]);
		assert_int_equal(fwa_qtest_readl(&f->q, 0), 0);
		assert_int_equal(f->q.error, -EPROTO);
		assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -ENODEV);
		tear_down((void **)&f);
	}
	(void)state;
}

static void test_value_for_a_write_is_nonsense(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	fwa_qtest_writel(&f->q, 0, 1);
	say(f, "OK 0x1\n");
	assert_int_equal(fwa_qtest_sync(&f->q), -EPROTO);
}

static void test_data_of_another_length(void **state)
{
	static const char *const answers[] = { "OK 0x0102\n", "OK 0x01020\n", "OK 0x01020304\n",
					       "OK 0x01020g\n" };

	for (size_t i = 0; i < 4; i++) {
		struct fixture *f = NULL;
		uint8_t data[3] = { 9, 9, 9 };

		assert_int_equal(set_up((void **)&f), 0);
		assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
		say(f, answers[i]);
		fwa_qtest_read(&f->q, 0, data, sizeof(data));
		assert_int_equal(f->q.error, -EPROTO);
		assert_memory_equal(data, "\0\0\0", 3);
		tear_down((void **)&f);
	}
	(void)state;
}

/* An answer in base64 to a request for 65 bytes: not these many, no base64, or no answer. */
static void test_long_data_of_another_length(void **state)
{
	char answers[6][128] = { "OK \n", "OK 0x00\n" };
	uint8_t bytes[80] = { 1 };

	for (size_t i = 2; i < 6; i++) {
		static const size_t len[] = { 64, 66, 67, 65 };
		char text[112];

		fwa_base64_text(bytes, len[i - 2], text);
		if (i == 5)
			text[3] = '!';
		snprintf(answers[i], sizeof(answers[i]), "OK %s\n", text);
	}
	for (size_t i = 0; i < 6; i++) {
		struct fixture *f = NULL;
		uint8_t data[65] = { 9 };

		assert_int_equal(set_up((void **)&f), 0);
		assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
		say(f, answers[i]);
		fwa_qtest_read(&f->q, 0, data, sizeof(data));
		assert_int_equal(f->q.error, -EPROTO);
		assert_int_equal(data[0], 0);
		tear_down((void **)&f);
	}
	(void)state;
}

static void test_endless_line(void **state)
{
	struct fixture *f = *state;
	static char line[2 * FWA_QTEST_LINE];

	memset(line, 'a', sizeof(line) - 1);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, line);
	fwa_qtest_readl(&f->q, 0);
	assert_int_equal(f->q.error, -EPROTO);
}

static void test_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, "OK 0x12");
	hang_up(f);
	assert_int_equal(fwa_qtest_readl(&f->q, 0), 0);
	assert_int_equal(f->q.error, -ENODEV);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -ENODEV);
}

static void test_end_between_exchanges(void **state)
{
	struct fixture *f = *state;

	hang_up(f);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -ENODEV);
	fwa_qtest_writel(&f->q, 0, 1);
	assert_int_equal(fwa_qtest_sync(&f->q), -ENODEV);
}

static void test_unasked(void **state)
{
	struct fixture *f = *state;

	say(f, "OK\n");
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -EPROTO);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -ENODEV);
}

/* An answer too many in one burst is found by the exchange that follows. */
static void test_answer_too_many(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, "OK 0x1\nOK 0x2\n");
	assert_int_equal(fwa_qtest_readl(&f->q, 0), 1);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), -EPROTO);
}

static void test_late_answer_is_not_the_next_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), 0);
	say(f, "OK 0x1");
	assert_int_equal(fwa_qtest_readl(&f->q, 0), 0);
	assert_int_equal(f->q.error, -ETIMEDOUT);
	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), -ETIMEDOUT);
	say(f, "1\n");
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, "OK 0x22\n");
	assert_int_equal(fwa_qtest_readl(&f->q, 0), 0x22);
	assert_int_equal(f->q.error, 0);
}

static void test_nothing_is_sent_after_an_error(void **state)
{
	struct fixture *f = *state;
	char buf[256];

	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), 0);
	fwa_qtest_writel(&f->q, 0, 1);
	assert_int_equal(fwa_qtest_fail(&f->q, -ETIMEDOUT), -ETIMEDOUT);
	assert_int_equal(fwa_qtest_sync(&f->q), -ETIMEDOUT);
	assert_int_equal(fwa_qtest_begin(&f->q, LONG_MS), 0);
	say(f, "OK 0x7\n");
	assert_int_equal(fwa_qtest_readl(&f->q, 8), 7);
	assert_string_equal(heard(f, buf, sizeof(buf)), "readl 0x8\n");
}

/* Half a request cannot be taken back: the connection has ended. */
static void test_peer_that_does_not_read(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = calloc(1, 4 << 20);

	assert_non_null(data);
	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), 0);
	fwa_qtest_write(&f->q, 0, fwa_span(data, 4 << 20));
	assert_int_equal(fwa_qtest_sync(&f->q), -ETIMEDOUT);
	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), -ENODEV);
	free(data);
}

static void test_waiting_ends(void **state)
{
	struct fixture *f = *state;
	unsigned int round = 0;

	assert_int_equal(fwa_qtest_begin(&f->q, SHORT_MS), 0);
	while (fwa_qtest_wait(&f->q, round))
		round++;
	assert_int_equal(f->q.error, -ETIMEDOUT);
	assert_true(round < 50 + 2 * SHORT_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_values),
		TEST(test_posted_writes_leave_with_the_read),
		TEST(test_long_data_is_cut),
		cmocka_unit_test(test_nonsense),
		TEST(test_value_for_a_write_is_nonsense),
		cmocka_unit_test(test_data_of_another_length),
		cmocka_unit_test(test_long_data_of_another_length),
		TEST(test_endless_line),
		TEST(test_end),
		TEST(test_end_between_exchanges),
		TEST(test_unasked),
		TEST(test_answer_too_many),
		TEST(test_late_answer_is_not_the_next_one),
		TEST(test_nothing_is_sent_after_an_error),
		TEST(test_peer_that_does_not_read),
		TEST(test_waiting_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
