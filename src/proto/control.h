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
	FWA_CONTROL_GONE = 3,   /* worker: the device went away; it keeps answering that */
	FWA_CONTROL_POLICY = 4, /* to worker: a new snapshot, one descriptor attached */
	FWA_CONTROL_POLICY_OK = 5,  /* worker: in force */
	FWA_CONTROL_POLICY_BAD = 6, /* worker: refused, the old one stays in force; text: why */
	FWA_CONTROL_NO_DEVICE = 7,  /* worker: as FAILED; there is no such device */
	/*
	 * worker: after each reading of the profile; text, a line each: family,
	 * vendor, model, serial, firmware, number of commands; a sealed memfd with the encoded profile.
	 * In embedded mode only before READY, as DECLARATIONS
	 */
	FWA_CONTROL_IDENTITY = 8,
	/*
	 * to worker: what the device's declarations are held to; text: "none", "seen", "accepted",
	 * "pinned" or "required"; a sealed memfd with the declarations for all but the first and last
	 */
	FWA_CONTROL_BASELINE = 9,
	FWA_CONTROL_QUARANTINE = 10,  /* to worker: from now on; text: why */
	FWA_CONTROL_RELEASE = 11,     /* to worker: the quarantine is over */
	FWA_CONTROL_QUARANTINED = 12, /* worker: did so itself; text: why, one line */
	FWA_CONTROL_REPROFILE = 13,   /* to worker: read the profile again */
	FWA_CONTROL_REMOVED = 14,     /* to worker: the device was unplugged: end */
	FWA_CONTROL_STATE = 15,       /* worker: how it is; text: lines KEY=VALUE */
	/* worker: right behind IDENTITY; a sealed memfd with the encoded declarations alone */
	FWA_CONTROL_DECLARATIONS = 17,
	/* to worker: a sealed memfd with the table of the advisories in force (core/advisory.h) */
	FWA_CONTROL_ADVISORIES = 18,
	FWA_CONTROL_ADVISORIES_BAD = 19, /* worker: refused, the old ones stay; text: why */
};

/* Sends one message, with descriptor @fd unless it is -1. 0 or negative errno. */
int fwa_control_send(int sock, enum fwa_control_kind kind, const char *text, int fd);
/*
 * Receives one message: its kind, its text (always ended), its descriptor (owned by the caller, -1
 * when there is none). 0 or negative errno; -ECONNRESET when the other side is gone; -EPROTO.
 */
int fwa_control_recv(int sock, uint16_t *ret_kind, char text[FWA_CONTROL_TEXT_MAX + 1],
		     int *ret_fd);
