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
};

/*
 * Starts fwadmit-journald on @o's directory. When another one has it and @join, connects to that one; *ret_pid
 * is 0 then. 0 with the connection, or negative errno; what went wrong later comes as a message.
 */
int fwa_journal_launch(const struct fwa_journal_options *o, bool join, pid_t *ret_pid,
		       int *ret_sock);
/* The journal of this user's own programs: $FWADMIT_STATE_DIR/journal, else below $XDG_STATE_HOME or
 * $HOME, also for root. Fresh memory, NULL when there is none. */
char *fwa_journal_own_dir(void);
