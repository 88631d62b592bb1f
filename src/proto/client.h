/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of one worker's socket. Synchronous: one request at a time.
 */
#pragma once

#include "proto/gate.h"

struct fwa_client;

/* Connects to @path. 0 or negative errno. */
int fwa_client_connect(const char *path, struct fwa_client **ret);
/* Takes ownership of the connected SOCK_SEQPACKET socket @fd, also on failure. */
int fwa_client_from_fd(int fd, struct fwa_client **ret);
/* Closes and frees; takes NULL; returns NULL. */
struct fwa_client *fwa_client_free(struct fwa_client *c);

/* How long to wait for each reply, in ms; 0 = for ever. The default is 60,000. */
void fwa_client_set_timeout(struct fwa_client *c, unsigned int ms);

/*
 * From now on replies wait until what was decided is on disk in the gate's journal, and have its number
 * there. Without it only those to commands with effects do.
 */
void fwa_client_ask_receipts(struct fwa_client *c);

/*
 * Asks for the device's description. Views in @ret point into memory of @c and live until the next
 * call. 0 or negative errno: -EPROTO for a reply that is not one, -ECONNRESET when the worker died.
 */
int fwa_client_describe(struct fwa_client *c, struct fwa_description *ret);

/*
 * Sends @cmd through the gate. 0 when a reply came (refusals and gate errors are replies);
 * @ret_data views memory of @c until the next call.
 */
int fwa_client_submit(struct fwa_client *c, const struct fwa_command *cmd, unsigned int timeout_ms,
		      struct fwa_gate_reply *ret, struct fwa_span *ret_data);
