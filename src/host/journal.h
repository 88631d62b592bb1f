/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The launcher's side of the journal: starting fwadmit-journald, or joining one that runs.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "journal/attach.h"

struct fwa_journal_options {
	const char *dir; /* made when it is not there, mode 0700 */
	const char *key; /* a signing key of one's own (PEM), or NULL: DIR/key, made once */
	unsigned long long segment_max, total_max,
		age_max; /* bytes, bytes, seconds; 0: the usual */
	bool log; /* what it has to say goes to our stderr, which it then keeps open; else nowhere */
};

/*
 * Starts fwadmit-journald ($FWADMIT_JOURNALD, or beside this program, or installed) on @o's directory. With
 * @join, when another one has it, connects to that one: *ret_pid is 0 then; and waits until one or the other
 * has said something, which is still to be received: FWA_ATTACH_READY, or why not. Without, another one's
 * lock comes as FWA_ATTACH_FAILED with EWOULDBLOCK. 0 with the connection, or negative errno: -ETIMEDOUT, -ECONNRESET.
 * Whoever does not join reaps *ret_pid, which outlives its launcher for as long as it has work.
 */
int fwa_journal_launch(const struct fwa_journal_options *o, bool join, pid_t *ret_pid,
		       int *ret_sock);
/* What decisions call the object of @kind in the sealed memfd @fd. 0 or negative errno. */
int fwa_journal_key(enum fwa_object_kind kind, int fd, uint8_t key[FWA_HASH_LEN]);
/* The journal of this user's own programs: $FWADMIT_STATE_DIR/journal, else below $XDG_STATE_HOME or
 * $HOME, also for root. Fresh memory, NULL when there is none. */
char *fwa_journal_own_dir(void);
