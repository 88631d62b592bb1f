/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message of the fuzzer's, with up to three descriptors: what is taken is one that can be sent again and is the
 * same then; no descriptor is lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz/fuzz.h"
#include "journal/attach.h"

static int ends[2];

static size_t owned(const struct fwa_attach_message *m)
{
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		n += m->fds[i] >= 0;
	return n;
}

static void forget(struct fwa_attach_message *m)
{
	for (int i = 0; i < 3; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_attach_message m, again;
	struct iovec part;
	int fds[FWA_FDS_MAX], next;

	if (!ends[1] && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	if (size < 2 || size > 4096)
		return 0;
	for (size_t i = 0; i < FWA_FDS_MAX; i++)
		fds[i] = ends[0];
	next = dup(ends[0]);
	close(next);
	part = (struct iovec){ (void *)(data + 1), size - 1 };
	if (fwa_send_message_fds(ends[0], &part, 1, fds, data[0] % 4) < 0)
		abort();
	if (fwa_attach_recv(ends[1], &m) == 0) {
		if (owned(&m) != data[0] % 4u || fwa_attach_send(ends[0], &m) < 0 ||
		    fwa_attach_recv(ends[1], &again) < 0 || again.kind != m.kind ||
		    again.token != m.token || again.how != m.how || again.error != m.error ||
		    memcmp(&again.source, &m.source, sizeof(m.source)) ||
		    memcmp(&again.object, &m.object, sizeof(m.object)) ||
		    memcmp(again.text, m.text, sizeof(m.text)))
			abort();
		forget(&m);
		forget(&again);
	}
	/* The lowest number that is free is the same again. */
	if (dup(ends[0]) != next)
		abort();
	close(next);
	return 0;
}
