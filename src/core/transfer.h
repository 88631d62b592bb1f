/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Set Feature in several parts (CXL 3.1, 8.2.9.6.3), followed by what goes through the gate.
 *
 * Its later parts may name the Feature as "the one whose transfer is in progress". What was followed
 * says which one that is; when in doubt there is none, and such a part is refused (C10).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/command.h"

struct fwa_transfer {
	bool running;
	uint8_t uuid[16]; /* the Feature, while it is */
};

/* Which part of a transfer @cmd is, an enum cxl_set_feature_part; FULL for all that is none. */
unsigned int fwa_transfer_part(const struct fwa_command *cmd);
/* True when @uuid (16 bytes) names the Feature whose transfer is in progress. */
bool fwa_transfer_named(const uint8_t *uuid);
/*
 * Takes note of @cmd, which was sent. @completed: the device did it; else nobody knows what became of
 * the transfer, and it counts as over.
 */
void fwa_transfer_follow(struct fwa_transfer *t, const struct fwa_command *cmd, bool completed);
