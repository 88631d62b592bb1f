/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests gather in @tx, answers in @rx. Each request that has left is owed one line, so that
 * counting them keeps requests and answers in step.
 */
#include "transport/qtest-wire.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/util.h"

/* A device that answers at all mostly does so at once: so many rounds of waiting do not sleep. */
#define ROUNDS_BUSY 50

/* So many bytes are read as hexadecimal; QEMU is some ten times as fast with more of them as base64. */
#define HEX_MAX 64u

static uint64_t now_ms(void)
{
	return fwa_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static int time_left(const struct fwa_qtest *q)
{
	uint64_t now = now_ms();

	if (now >= q->deadline_ms)
		return 0;
	return q->deadline_ms - now < INT_MAX ? (int)(q->deadline_ms - now) : INT_MAX;
}

void fwa_qtest_init(struct fwa_qtest *q, int fd)
{
	*q = (struct fwa_qtest){ .fd = fd };
}

int fwa_qtest_fail(struct fwa_qtest *q, int error)
{
	if (!q->error)
		q->error = error;
	if (error != -ETIMEDOUT)
		q->lost = true;
	return q->error;
}

/* Waits until the socket is ready for @events; false, and the exchange failed, when it is not. */
static bool wait_socket(struct fwa_qtest *q, short events)
{
	struct pollfd p = { .fd = q->fd, .events = events };
	int r;

	do {
		r = poll(&p, 1, time_left(q));
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		fwa_qtest_fail(q, -errno);
	else if (r == 0)
		fwa_qtest_fail(q, -ETIMEDOUT);
	return r > 0;
}

/* Sends all of @tx. What cannot leave in time must not leave later: then the connection ends. */
static void flush(struct fwa_qtest *q)
{
	size_t at = 0;

	if (q->error)
		return;
	while (!q->error && at < q->tx_len) {
		ssize_t n = send(q->fd, q->tx + at, q->tx_len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN)
			wait_socket(q, POLLOUT);
		else if (errno != EINTR)
			fwa_qtest_fail(q, -ENODEV);
	}
	if (q->error) {
		q->lost = true;
		return;
	}
	q->owed += q->posted;
	q->posted = 0;
	q->tx_len = 0;
}

/* Reads more bytes behind those in @rx. */
static void fill(struct fwa_qtest *q)
{
	ssize_t n;

	if (q->rx_at > 0) {
		memmove(q->rx, q->rx + q->rx_at, q->rx_len - q->rx_at);
		q->rx_len -= q->rx_at;
		q->rx_at = 0;
	}
	if (q->rx_len == sizeof(q->rx)) {
		fwa_qtest_fail(q, -EPROTO);
		return;
	}
	if (!wait_socket(q, POLLIN))
		return;
	n = read(q->fd, q->rx + q->rx_len, sizeof(q->rx) - q->rx_len);
	if (n > 0)
		q->rx_len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		fwa_qtest_fail(q, -ENODEV);
}

/* The next answer without its newline, viewed in @rx; empty after an error. */
static struct fwa_span next_answer(struct fwa_qtest *q)
{
	size_t seen = 0;

	while (!q->error) {
		const char *at = q->rx + q->rx_at;
		const char *end = memchr(at + seen, '\n', q->rx_len - q->rx_at - seen);

		if (end) {
			q->rx_at += (size_t)(end - at) + 1;
			q->owed--;
			return fwa_span(at, (size_t)(end - at));
		}
		seen = q->rx_len - q->rx_at;
		fill(q);
	}
	return fwa_span(NULL, 0);
}

/* Takes answers that carry no value until @keep are owed. */
static void settle(struct fwa_qtest *q, uint32_t keep)
{
	while (!q->error && q->owed > keep) {
		struct fwa_span a = next_answer(q);

		if (!q->error && (a.len != 2 || memcmp(a.data, "OK", 2) != 0))
			fwa_qtest_fail(q, -EPROTO);
	}
}

/* Answers that came too late: whatever they say, nobody asks any more. */
static void discard(struct fwa_qtest *q)
{
	while (!q->error && q->owed)
		next_answer(q);
}

/* Nothing is owed: bytes are nonsense, and an end is an end. */
static void expect_silence(struct fwa_qtest *q)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };

	if (q->error)
		return;
	if (q->rx_len > q->rx_at)
		fwa_qtest_fail(q, -EPROTO);
	else if (poll(&p, 1, 0) > 0) {
		fill(q);
		fwa_qtest_fail(q, -EPROTO);
	}
}

int fwa_qtest_begin(struct fwa_qtest *q, unsigned int timeout_ms)
{
	if (q->lost)
		return q->error = -ENODEV;
	q->error = 0;
	q->deadline_ms = now_ms() + timeout_ms;
	q->tx_len = 0;
	q->posted = 0;
	discard(q);
	expect_silence(q);
	return q->error;
}

int fwa_qtest_sync(struct fwa_qtest *q)
{
	flush(q);
	settle(q, 0);
	return q->error;
}

bool fwa_qtest_wait(struct fwa_qtest *q, unsigned int round)
{
	if (!q->error && round > ROUNDS_BUSY)
		poll(NULL, 0, 1);
	if (!q->error && time_left(q) == 0)
		fwa_qtest_fail(q, -ETIMEDOUT);
	return !q->error;
}

/* Appends one request line to @tx; @room counts bytes that the caller appends before the newline. */
__attribute__((format(printf, 3, 4))) static char *post(struct fwa_qtest *q, size_t room,
							const char *format, ...)
{
	char line[64];
	va_list args;
	size_t len;
	char *at;

	if (q->error)
		return NULL;
	va_start(args, format);
	len = (size_t)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len + room + 1 > sizeof(q->tx) - q->tx_len)
		flush(q);
	if (q->error)
		return NULL;
	at = q->tx + q->tx_len;
	memcpy(at, line, len);
	at[len + room] = '\n';
	q->tx_len += len + room + 1;
	q->posted++;
	return at + len;
}

/* The answer to the request that was posted last: what follows @prefix; empty after an error. */
static struct fwa_span answer_after(struct fwa_qtest *q, const char *prefix)
{
	size_t len = strlen(prefix);
	struct fwa_span a;

	flush(q);
	settle(q, 1);
	a = next_answer(q);
	if (!q->error && (a.len <= len || memcmp(a.data, prefix, len) != 0))
		fwa_qtest_fail(q, -EPROTO);
	return q->error ? fwa_span(NULL, 0) : fwa_span(a.data + len, a.len - len);
}

static struct fwa_span value(struct fwa_qtest *q)
{
	return answer_after(q, "OK 0x");
}

static uint64_t number(struct fwa_qtest *q, uint64_t max)
{
	struct fwa_span digits = value(q);
	uint64_t n = 0;

	if (digits.len > 16)
		fwa_qtest_fail(q, -EPROTO);
	for (size_t i = 0; i < digits.len && !q->error; i++) {
		int d = fwa_hex_digit((char)digits.data[i]);

		if (d < 0)
			fwa_qtest_fail(q, -EPROTO);
		n = n << 4 | (uint64_t)d;
	}
	if (!q->error && n > max)
		fwa_qtest_fail(q, -EPROTO);
	return q->error ? 0 : n;
}

uint32_t fwa_qtest_readl(struct fwa_qtest *q, uint64_t addr)
{
	post(q, 0, "readl 0x%" PRIx64, addr);
	return (uint32_t)number(q, UINT32_MAX);
}

uint64_t fwa_qtest_readq(struct fwa_qtest *q, uint64_t addr)
{
	post(q, 0, "readq 0x%" PRIx64, addr);
	return number(q, UINT64_MAX);
}

void fwa_qtest_writel(struct fwa_qtest *q, uint64_t addr, uint32_t v)
{
	post(q, 0, "writel 0x%" PRIx64 " 0x%" PRIx32, addr, v);
}

void fwa_qtest_writeq(struct fwa_qtest *q, uint64_t addr, uint64_t v)
{
	post(q, 0, "writeq 0x%" PRIx64 " 0x%" PRIx64, addr, v);
}

void fwa_qtest_outb(struct fwa_qtest *q, uint16_t port, uint8_t v)
{
	post(q, 0, "outb 0x%x 0x%x", (unsigned int)port, (unsigned int)v);
}

void fwa_qtest_outl(struct fwa_qtest *q, uint16_t port, uint32_t v)
{
	post(q, 0, "outl 0x%x 0x%" PRIx32, (unsigned int)port, v);
}

uint32_t fwa_qtest_inl(struct fwa_qtest *q, uint16_t port)
{
	post(q, 0, "inl 0x%x", (unsigned int)port);
	return (uint32_t)number(q, UINT32_MAX);
}

static void read_long(struct fwa_qtest *q, uint64_t addr, uint8_t *buf, size_t len)
{
	uint8_t bytes[FWA_QTEST_CHUNK + 3]; /* an answer without padding has up to two more */
	struct fwa_span text;
	size_t n = 0;

	post(q, 0, "b64read 0x%" PRIx64 " 0x%zx", addr, len);
	text = answer_after(q, "OK ");
	if (q->error)
		return;
	if (text.len != fwa_base64_len(len) ||
	    !fwa_base64_parse((const char *)text.data, text.len, bytes, &n) || n != len)
		fwa_qtest_fail(q, -EPROTO);
	else
		memcpy(buf, bytes, len);
}

static void read_short(struct fwa_qtest *q, uint64_t addr, uint8_t *buf, size_t len)
{
	struct fwa_span hex;

	post(q, 0, "read 0x%" PRIx64 " 0x%zx", addr, len);
	hex = value(q);
	if (!q->error && hex.len != 2 * len)
		fwa_qtest_fail(q, -EPROTO);
	for (size_t i = 0; i < len && !q->error; i++)
		if (!fwa_hex_byte((const char *)hex.data + 2 * i, &buf[i]))
			fwa_qtest_fail(q, -EPROTO);
}

void fwa_qtest_read(struct fwa_qtest *q, uint64_t addr, void *buf, size_t len)
{
	uint8_t *to = buf;

	for (size_t at = 0; at < len && !q->error; at += FWA_QTEST_CHUNK) {
		size_t n = len - at < FWA_QTEST_CHUNK ? len - at : FWA_QTEST_CHUNK;

		if (n > HEX_MAX)
			read_long(q, addr + at, to + at, n);
		else
			read_short(q, addr + at, to + at, n);
	}
	if (q->error && len)
		memset(to, 0, len);
}

static void write_chunk(struct fwa_qtest *q, uint64_t addr, struct fwa_span data)
{
	static const char digits[] = "0123456789abcdef";
	char *at = post(q, 2 * data.len, "write 0x%" PRIx64 " 0x%zx 0x", addr, data.len);

	for (size_t i = 0; i < data.len && at; i++) {
		*at++ = digits[data.data[i] >> 4];
		*at++ = digits[data.data[i] & 15];
	}
}

void fwa_qtest_write(struct fwa_qtest *q, uint64_t addr, struct fwa_span data)
{
	struct fwa_span chunk;

	for (size_t at = 0; at < data.len; at += chunk.len) {
		size_t n = data.len - at < FWA_QTEST_CHUNK ? data.len - at : FWA_QTEST_CHUNK;

		chunk = fwa_span(data.data + at, n);
		write_chunk(q, addr + at, chunk);
	}
}

void fwa_qtest_zero(struct fwa_qtest *q, uint64_t addr, size_t len)
{
	fwa_qtest_fill(q, addr, len, 0);
}

void fwa_qtest_fill(struct fwa_qtest *q, uint64_t addr, size_t len, uint8_t byte)
{
	post(q, 0, "memset 0x%" PRIx64 " 0x%zx 0x%x", addr, len, (unsigned int)byte);
}
