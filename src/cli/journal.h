/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of a private worker: this user's own, whose writer is started, or joined when another
 * program has started it.
 */
#pragma once

#include "base/error.h"
#include "cli/cli.h"
#include "host/launch.h"
#include "journal/attach.h"
#include "journal/ring.h"

#define CLI_JOURNAL_NONE "none"

struct cli_journal {
	bool wanted; /* what this worker decides is to be recorded */
	struct fwa_ring_fds ring;
	int sock;  /* to the journal's writer, -1: none */
	pid_t pid; /* of it, when it is of our own */
};

#define CLI_JOURNAL_NOT ((struct cli_journal){ .ring = { -1, -1, -1 }, .sock = -1 })

/* Gives the worker that is to be started its ring. CLI_OK, or the exit code with @error. */
int cli_journal_give(const struct cli *cli, struct cli_journal *j, struct fwa_launch *l,
		     char error[FWA_ERROR_LEN]);
/* It runs, as @pid: what comes through its ring is recorded. The same. */
int cli_journal_begin(const struct cli *cli, struct cli_journal *j, const struct fwa_launch *l,
		      pid_t pid, char error[FWA_ERROR_LEN]);
/* Lets the journal keep what decisions name; @fd stays the caller's. The same. */
int cli_journal_keep(struct cli_journal *j, enum fwa_object_kind kind, const char *device, int fd,
		     char error[FWA_ERROR_LEN]);
/* The worker has ended; @orderly, or not. Returns when all that it said is in the file, or cannot be soon. */
void cli_journal_end(struct cli_journal *j, bool orderly);
