/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control plane: DIR/control.sock, Varlink, spec/org.fwadmit.Control.varlink.
 *
 * 1. It only tells; nothing that it receives changes anything.
 * 2. A client costs one request of at most FWA_VARLINK_REQUEST_MAX bytes and one reply at a time,
 *    and only for a few seconds of silence; there are at most FWA_VARLINK_CLIENTS_MAX.
 */
#pragma once

#include "daemon/daemon.h"

#define FWA_VARLINK_NAME "control" /* of the socket: no device may be called so */
#define FWA_VARLINK_REQUEST_MAX 4096
#define FWA_VARLINK_CLIENTS_MAX 16

/* Makes the socket and serves it. 0 or negative errno. */
int fwa_varlink_new(struct fwa_daemon *d, struct fwa_varlink **ret);
/* Ends all connections and removes the socket; takes NULL; returns NULL. */
struct fwa_varlink *fwa_varlink_free(struct fwa_varlink *c);

/* The reply to one request of @len bytes (JSON, without the NUL), to be freed; NULL: hang up. */
char *fwa_varlink_reply(const struct fwa_daemon *d, const char *request, size_t len);
