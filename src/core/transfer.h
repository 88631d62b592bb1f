/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfers in several parts, followed by what goes through the gate: Set Feature (CXL 3.1,
 * 8.2.9.6.3), Transfer FW (8.2.9.3.2) and NVMe's Firmware Image Download (Base 2.0, 5.11, 5.12).
 *
 * 1. Later parts of Set Feature may name the Feature as "the one whose transfer is in progress". What
 *    was followed says which one that is; when in doubt there is none, and such a part is refused
 *    (C10).
 * 2. Whether the device may hold something half done is asked the other way round: when in doubt it
 *    does, so that it is ended when nobody can go on with it (C16).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/command.h"
#include "wire/cxl.h"

/* What became of a command that was given to the device. */
enum fwa_sent {
	FWA_SENT_DONE,    /* the device did it, or began it */
	FWA_SENT_FAILED,  /* the device answered with an error */
	FWA_SENT_UNKNOWN, /* nobody knows */
};

/* --- Features ------------------------------------------------------------------------------- */

struct fwa_transfer {
	bool running;    /* for sure: the last part that was sent went well */
	bool left;       /* the device may hold a transfer that has not ended; true while running */
	uint8_t version; /* of the Feature, as its first part said */
	uint8_t uuid[16]; /* the Feature, while running or left */
};

/* Which part of a transfer @cmd is, an enum cxl_set_feature_part; FULL for all that is none. */
unsigned int fwa_transfer_part(const struct fwa_command *cmd);
/* True when @uuid (16 bytes) names the Feature whose transfer is in progress. */
bool fwa_transfer_named(const uint8_t *uuid);
/* Takes note of @cmd, which was sent, and of what became of it. */
void fwa_transfer_follow(struct fwa_transfer *t, const struct fwa_command *cmd, enum fwa_sent sent);
/*
 * The command that ends what @t has left in the device: Set Feature of the Feature's own UUID, the
 * part Abort. @payload is what it views. It has a byte of data, which nobody looks at: there are
 * devices, QEMU's among them, that refuse a part without any.
 */
#define FWA_TRANSFER_ABORT_LEN (CXL_SET_FEATURE_HEADER_LEN + 1)
struct fwa_command fwa_transfer_abort(const struct fwa_transfer *t,
				      uint8_t payload[FWA_TRANSFER_ABORT_LEN]);

/* --- firmware ------------------------------------------------------------------------------- */

struct fwa_firmware {
	bool running; /* the device may hold a part of an image */
	uint8_t set;  /* enum fwa_set of its commands, while it does */
};

/* Whether @cmd is one of those that a transfer of firmware is made of, or that use what came. */
bool fwa_firmware_part(const struct fwa_command *cmd);
/*
 * Takes note of @cmd, which was sent, and of what became of it, @code being the device's answer. A
 * transfer lasts until it was surely ended: a part that failed may be sent again.
 */
void fwa_firmware_follow(struct fwa_firmware *f, const struct fwa_command *cmd, enum fwa_sent sent,
			 uint32_t code);
/*
 * The command that ends what @f has left in the device, in *ret with @payload as what it views. False
 * when there is none: NVMe has no such command, the next download begins anew.
 */
bool fwa_firmware_abort(const struct fwa_firmware *f, uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN],
			struct fwa_command *ret);
