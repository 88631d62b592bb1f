/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fwadmit-journald and those who launch sources say to each other: SOCK_SEQPACKET messages, each le16
 * kind, le16 0, le32 token, then fields. A launcher (fwadmitd, `fwadmit` in embedded mode) has one
 * connection: the socketpair with which it started journald, or one to JOURNAL/socket when another
 * program's journald has the journal already. Who connects there must have journald's uid. When a
 * connection closes its sources are drained and ended; when none is left, journald stops in order.
 */
#pragma once

#include "core/record.h"
#include "journal/ring.h"

enum fwa_attach_kind {
	FWA_ATTACH_SOURCE = 1, /* launcher: a source; three descriptors: memory, doorbell, ack */
	FWA_ATTACH_DETACH = 2, /* launcher: it has ended: take what is left in its ring; u8 how */
	FWA_ATTACH_OBJECT =
		3, /* launcher: keep this: one sealed memfd; u8 kind, 32 key, 64 device */
	FWA_ATTACH_BEGIN =
		4, /* launcher: all sources of before are attached again: end the others */
	FWA_ATTACH_READY =
		5, /* journald: recovered, BEGIN is next; text: one line of what was found */
	FWA_ATTACH_BAD =
		6, /* journald: the source @token wrote nonsense, or cannot be taken; text */
	FWA_ATTACH_FAILED = 7, /* journald: it cannot begin; le32 errno, text. It exits */
};

#define FWA_ATTACH_TEXT_MAX 512

struct fwa_attach_message {
	enum fwa_attach_kind kind;
	uint32_t token;                  /* the launcher's name for the source */
	struct fwa_record_source source; /* of SOURCE; resumed is not sent */
	struct fwa_record_object object; /* of OBJECT; sha256 is not sent */
	uint8_t how;                     /* of DETACH */
	int error;                       /* of FAILED: an errno */
	char text[FWA_ATTACH_TEXT_MAX + 1];
	int fds[3]; /* received: owned by the receiver, -1 for none; sent: stay the sender's */
};

/* 0 or negative errno; -EAGAIN when a non-blocking socket is full. */
int fwa_attach_send(int sock, const struct fwa_attach_message *m);
/* 0 or negative errno; -ECONNRESET when the other side is gone, -EPROTO for nonsense (fds closed). */
int fwa_attach_recv(int sock, struct fwa_attach_message *ret);
