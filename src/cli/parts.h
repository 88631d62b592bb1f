/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images and Features that are longer than one command can carry, sent in parts: Transfer FW and Set
 * Feature (CXL 3.1, 8.2.9.3.2 and 8.2.9.6.3) as initiate, continue, end; NVMe's Firmware Image Download
 * (Base 2.0, 5.12) piece by piece.
 *
 * All parts belong on one connection: when it ends, the gate aborts what is half done (C16).
 */
#pragma once

#include "cli/command.h"

/* Greater than any image that is known; all of it is in memory. */
#define CLI_PARTS_DATA_MAX (256u * 1024 * 1024)

struct cli_parts {
	const struct cli_command *whole;
	size_t header; /* what each part's payload begins with */
	size_t room;   /* bytes of data of a part */
	size_t n;
	uint8_t *payload; /* owned: that of the part that was asked for last */
};

/* Whether commands like @cmd can be sent in parts. */
bool cli_parts_can(const struct fwa_command *cmd);
/*
 * How @whole, which outlives @ret, is sent to @s; ret->n is 1 when it fits into one command or cannot be
 * divided. CLI_OK, or the code after cli_fail().
 */
int cli_parts_of(const struct cli *cli, const struct cli_subject *s,
		 const struct cli_command *whole, struct cli_parts *ret);
/* Part @i, below n; it views memory of @p until the next call. */
struct fwa_command cli_parts_get(struct cli_parts *p, size_t i);
void cli_parts_free(struct cli_parts *p);
#define cli_auto_parts __attribute__((cleanup(cli_parts_free)))
