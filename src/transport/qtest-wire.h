/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's qtest protocol, our side: one text line a request, one text line an answer, in order.
 *
 * 1. An exchange begins with fwa_qtest_begin(), which sets its deadline. Errors are sticky within
 *    it: after one, nothing is sent and reads give zeroes, so that a register sequence is written
 *    straight down and checked once.
 * 2. Writes are posted: they leave together with the next read or sync, which also takes their
 *    answers.
 * 3. An answer that came too late is still owed, and is taken by the exchange that follows. Any
 *    other failure (the peer is gone, or answers nonsense) ends the connection for good.
 * 4. QEMU is as hostile as the device that it models (C25): an answer has exactly the form and the
 *    length that was asked for, or it is nonsense.
 *
 * It uses read, sendto, poll and clock_gettime, and allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Bytes of one read or write request; longer ones are cut into pieces. */
#define FWA_QTEST_CHUNK 8192u
/* The longest line: a chunk in hexadecimal and the words before it. */
#define FWA_QTEST_LINE (2 * FWA_QTEST_CHUNK + 64)

struct fwa_qtest {
	int fd;               /* a connected stream socket, owned by somebody else */
	int error;            /* of this exchange: 0 or negative errno */
	bool lost;            /* the connection has ended */
	uint64_t deadline_ms; /* CLOCK_MONOTONIC */
	uint32_t owed;        /* answers to requests that have left */
	uint32_t posted;      /* requests in @tx */
	size_t rx_at;         /* first byte of @rx not yet taken */
	size_t rx_len;
	size_t tx_len;
	char rx[FWA_QTEST_LINE];
	char tx[FWA_QTEST_LINE];
};

void fwa_qtest_init(struct fwa_qtest *q, int fd);

/*
 * Begins an exchange that must end within @timeout_ms, and takes what the last one left. 0;
 * -ENODEV the peer is gone, -ETIMEDOUT it still owes answers, -EPROTO it said what nobody asked.
 */
int fwa_qtest_begin(struct fwa_qtest *q, unsigned int timeout_ms);
/* Sends what is posted and waits for all answers. The error of the exchange. */
int fwa_qtest_sync(struct fwa_qtest *q);
/* Declares the exchange failed with @error, unless it has failed already. The first error. */
int fwa_qtest_fail(struct fwa_qtest *q, int error);
/*
 * For loops that wait for a register: true while there is no error and time is left; without time
 * the exchange has failed with -ETIMEDOUT. @round: how often it was asked; later rounds sleep.
 */
bool fwa_qtest_wait(struct fwa_qtest *q, unsigned int round);

/* Guest physical memory, registers included. Little-endian, one access each. */
uint32_t fwa_qtest_readl(struct fwa_qtest *q, uint64_t addr);
uint64_t fwa_qtest_readq(struct fwa_qtest *q, uint64_t addr);
void fwa_qtest_writel(struct fwa_qtest *q, uint64_t addr, uint32_t value);
void fwa_qtest_writeq(struct fwa_qtest *q, uint64_t addr, uint64_t value);
/* I/O ports. */
void fwa_qtest_outb(struct fwa_qtest *q, uint16_t port, uint8_t value);
void fwa_qtest_outl(struct fwa_qtest *q, uint16_t port, uint32_t value);
uint32_t fwa_qtest_inl(struct fwa_qtest *q, uint16_t port);
/* Any number of bytes. After an error @buf is all zeroes. */
void fwa_qtest_read(struct fwa_qtest *q, uint64_t addr, void *buf, size_t len);
void fwa_qtest_write(struct fwa_qtest *q, uint64_t addr, struct fwa_span data);
void fwa_qtest_zero(struct fwa_qtest *q, uint64_t addr, size_t len);
void fwa_qtest_fill(struct fwa_qtest *q, uint64_t addr, size_t len, uint8_t byte);
