/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting a new policy in force: it is read, compiled for one device after the other, so that nothing
 * else waits for all of it, and then comes into force for all devices or for none (C3).
 */
#pragma once

#include "daemon/daemon.h"

/*
 * What came of it: 0 when every worker works by the policy that was read after the request; else
 * negative errno, @message says why, and the old one is in force.
 */
typedef void (*fwa_reload_fn)(void *userdata, int r, const char *message);

/*
 * Begins; requests that come meanwhile share the next reading. @peer asked for it; NULL: nobody did. @fn
 * may be NULL. 0 or -ENOMEM.
 */
int fwa_reload(struct fwa_daemon *d, const struct fwa_peer *peer, fwa_reload_fn fn, void *userdata);
/*
 * The same for who has to have the policy compiled again even when what is read now cannot be used:
 * then it is the one that is in force.
 */
int fwa_reload_anyway(struct fwa_daemon *d, const struct fwa_peer *peer, fwa_reload_fn fn,
		      void *userdata);
/* Gives up what is under way: everybody who waits is told -ECANCELED. */
void fwa_reload_cancel(struct fwa_daemon *d);

/* Reads the policy, after tidying up what has ended. 0, or negative errno after lines in the log, the first of them in @error. */
int fwa_reload_read(struct fwa_daemon *d, struct fwa_policy_files **ret, char error[FWA_ERROR_LEN]);
