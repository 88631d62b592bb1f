/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control plane: DIR/control.sock, Varlink, spec/org.fwadmit.Control.varlink.
 *
 * 1. Who a client is comes from its socket, when it is accepted (peer.h). Anybody may ask; only
 *    administrators change anything.
 * 2. A client has one call at a time: its next request is read when the reply is on its way. Only
 *    calls that want no reply do not hold up the next.
 * 3. What a client costs is bounded: one request of FWA_VARLINK_REQUEST_MAX bytes (of an
 *    administrator FWA_VARLINK_REQUEST_MAX_ADMIN), one reply, and
 *    patience for a few seconds of silence. Strangers are bounded in number, each and in all, below
 *    what there is, so that they never lock out administrators (C26).
 */
#pragma once

#include <json-c/json.h>

#include "daemon/daemon.h"
#include "daemon/peer.h"
#include "daemon/varlink-request.h"

#define FWA_VARLINK_NAME "control" /* of the socket: no device may be called so */
#define FWA_VARLINK_CLIENTS_MAX 64
#define FWA_VARLINK_STRANGERS_MAX 40 /* the rest is for administrators */
#define FWA_VARLINK_PER_UID_MAX 8    /* of strangers */

/* Makes the socket and serves it. 0 or negative errno. */
int fwa_varlink_new(struct fwa_daemon *d, struct fwa_varlink **ret);
/* Ends all connections and removes the socket; takes NULL; returns NULL. */
struct fwa_varlink *fwa_varlink_free(struct fwa_varlink *v);

/* --- calls ---------------------------------------------------------------------------------- */

/* One call, until it is replied to, which may be long after its client hung up. */
struct fwa_varlink_call {
	struct fwa_daemon *daemon;
	struct fwa_varlink_client *client; /* NULL: nobody waits for the reply */
	struct fwa_peer peer;
	struct fwa_varlink_request request;
};

/* Runs @call: varlink-call.c. */
void fwa_varlink_run(struct fwa_varlink_call *call);

/* Replies and frees @call. @parameters is taken over; NULL: none. */
void fwa_varlink_reply(struct fwa_varlink_call *call, struct json_object *parameters);
/* The same with an error, "org.varlink.service.X" or, without a dot, one of our interface's own. */
void fwa_varlink_error(struct fwa_varlink_call *call, const char *error,
		       struct json_object *parameters);
/* With {"@key": "@value"}, or without parameters when @key is NULL. */
void fwa_varlink_refuse(struct fwa_varlink_call *call, const char *error, const char *key,
			const char *value);
/* Replies with events from now on; frees @call. */
void fwa_varlink_subscribe(struct fwa_varlink_call *call);

/* Puts text, or a number, in @o. */
void fwa_varlink_text(struct json_object *o, const char *key, const char *value);
void fwa_varlink_number(struct json_object *o, const char *key, int64_t value);

/* --- varlink-device.c ----------------------------------------------------------------------- */

/* An array of Device, as an administrator or as anybody may see it. */
struct json_object *fwa_varlink_devices(const struct fwa_daemon *d, bool admin);
