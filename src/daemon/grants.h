/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants for a time (C20): when one ends it is taken out of the store, and when the clock of the wall
 * was set all ends are computed again.
 *
 * Workers refuse by their own clock what has ended; that it is tidied up here is no part of that.
 */
#pragma once

#include "daemon/daemon.h"

/* Begins to watch the clocks. 0 or negative errno. */
int fwa_grants_watch(struct fwa_daemon *d);
/* A policy came into force: waits for the next end in it. */
void fwa_grants_expect(struct fwa_daemon *d);
void fwa_grants_unwatch(struct fwa_daemon *d);

/* Takes those that are over out of the store; to be called before the policy is read. */
void fwa_grants_tidy(struct fwa_daemon *d);
