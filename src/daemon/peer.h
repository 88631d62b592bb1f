/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is at the other end of a control connection: asked of the kernel, once, when it is accepted.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define FWA_ADMIN_GROUP "fwadmit-admin"

struct fwa_peer {
	uid_t uid;
	pid_t pid;
	bool admin; /* may change things: root, who runs the daemon, and members of @admin_group */
};

/* @admin_group: from fwa_peer_admin_group(). 0 or negative errno. */
int fwa_peer_of(int sock, gid_t admin_group, struct fwa_peer *ret);
/* The group's number, (gid_t)-1 when this machine has none or it cannot be looked up. */
gid_t fwa_peer_admin_group(void);
