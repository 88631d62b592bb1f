/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A launcher: launch DIR TIMES RECORDS: starts the journal's writer or joins it, TIMES times; each time with a
 * source that puts RECORDS records in, waits for the last one, and goes. Prints the sources' ids.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/util.h"
#include "host/journal.h"

static void fail(const char *what, int r)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void expect(int sock, enum fwa_attach_kind kind)
{
	struct fwa_attach_message m = { 0 };
	int r = fwa_attach_recv(sock, &m);

	if (r < 0 || m.kind != kind)
		fail(m.text[0] ? m.text : "no such answer", r);
}

static void attach(int sock, const struct fwa_ring_fds *ring, char id[33])
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_SOURCE, .token = 1 };
	int r;

	m.source.kind = FWA_SOURCE_EMBEDDED;
	m.source.pid = (uint32_t)getpid();
	m.source.uid = getuid();
	if (getrandom(m.source.id, sizeof(m.source.id), 0) != sizeof(m.source.id))
		exit(1);
	strcpy(m.source.name, "dev");
	m.fds[0] = ring->memory;
	m.fds[1] = ring->doorbell;
	m.fds[2] = ring->ack;
	r = fwa_attach_send(sock, &m);
	if (r < 0)
		fail("attach", r);
	fwa_hex_text(m.source.id, sizeof(m.source.id), id);
}

static void put(const struct fwa_ring_fds *ring, unsigned int n)
{
	struct fwa_record_context context = { .identity = "a\tb\tc\td" };
	struct pollfd ack = { .fd = ring->ack, .events = POLLIN };
	struct fwa_ring_writer w;
	uint8_t buf[2048];
	struct fwa_writer body = fwa_writer(buf, sizeof(buf));

	fwa_record_context_encode(&body, &context);
	if (fwa_ring_writer_open(&w, ring) < 0)
		exit(1);
	for (unsigned int i = 1; i <= n; i++)
		if (!fwa_ring_put(&w, FWA_RECORD_CONTEXT, fwa_span(buf, body.len), i == n))
			exit(1);
	while (fwa_ring_durable(&w) < n) {
		if (poll(&ack, 1, 20000) != 1)
			fail("not durable", 0);
		fwa_ring_acked(&w);
	}
	if (!fwa_ring_seq(&w, n))
		exit(1);
	fwa_ring_writer_close(&w);
}

static void once(const struct fwa_journal_options *o, unsigned int records)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_BEGIN };
	struct fwa_ring_fds ring;
	char id[33];
	pid_t pid;
	int sock, r;

	r = fwa_journal_launch(o, true, &pid, &sock);
	if (r < 0)
		fail("start", r);
	expect(sock, FWA_ATTACH_READY);
	if (fwa_ring_create(&ring) < 0)
		exit(1);
	attach(sock, &ring, id);
	fwa_attach_send(sock, &m);
	put(&ring, records);
	m.kind = FWA_ATTACH_DETACH;
	m.token = 1;
	fwa_attach_send(sock, &m);
	fwa_ring_close(&ring);
	close(sock);
	printf("%s %d\n", id, pid > 0);
}

int main(int argc, char **argv)
{
	struct fwa_journal_options o = { .log = true };

	if (argc != 4)
		return 2;
	o.dir = argv[1];
	for (int i = atoi(argv[2]); i > 0; i--)
		once(&o, (unsigned int)atoi(argv[3]));
	return 0;
}
