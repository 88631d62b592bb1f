/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a worker and the process that started it say to each other, over a SOCK_SEQPACKET pair.
 * Message: le16 kind, le16 0, then text (no NUL) of at most FWA_CONTROL_TEXT_MAX bytes.
 */
#pragma once

#include <stdint.h>

#define FWA_CONTROL_TEXT_MAX 1024

enum fwa_control_kind {
	FWA_CONTROL_READY = 1,  /* worker: profile read, serving; text: one line about the device */
	FWA_CONTROL_FAILED = 2, /* worker: cannot serve the device; text: why. The worker exits */
	FWA_CONTROL_NO_DEVICE = 7,  /* the same: there is no such device */
	FWA_CONTROL_GONE = 3,       /* worker: the device went away; it keeps answering that */
	FWA_CONTROL_POLICY = 4,     /* to worker: a new snapshot, one descriptor attached */
	FWA_CONTROL_POLICY_OK = 5,  /* worker: in force */
	FWA_CONTROL_POLICY_BAD = 6, /* worker: refused, the old one stays in force; text: why */
};

/* Sends one message, with descriptor @fd unless it is -1. 0 or negative errno. */
int fwa_control_send(int sock, enum fwa_control_kind kind, const char *text, int fd);
/*
 * Receives one message: its kind, its text (always ended), its descriptor (owned by the caller, -1
 * when there is none). 0 or negative errno; -ECONNRESET when the other side is gone; -EPROTO.
 */
int fwa_control_recv(int sock, uint16_t *ret_kind, char text[FWA_CONTROL_TEXT_MAX + 1],
		     int *ret_fd);
