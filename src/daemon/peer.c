/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/util.h"

#define NOBODY ((gid_t)-1)
#define GROUP_ENTRY_MAX (1u << 20) /* bytes: a group may have many members */

/* Whether the peer's supplementary groups hold @group. What cannot be known is no. */
static bool in_groups(int sock, gid_t group)
{
	fwa_auto_free gid_t *groups = NULL;
	socklen_t len = 0;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
		return false;
	groups = malloc(len);
	if (!groups || getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

int fwa_peer_of(int sock, gid_t admin_group, struct fwa_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret = (struct fwa_peer){ .uid = cred.uid, .pid = cred.pid };
	ret->admin = cred.uid == 0 || cred.uid == geteuid();
	if (!ret->admin && admin_group != NOBODY)
		ret->admin = cred.gid == admin_group || in_groups(sock, admin_group);
	return 0;
}

gid_t fwa_peer_admin_group(void)
{
	struct group entry, *found = NULL;
	gid_t group = NOBODY;
	size_t len = 1024;
	char *buf = NULL;
	int r = ERANGE;

	while (r == ERANGE && len <= GROUP_ENTRY_MAX) {
		free(buf);
		buf = malloc(len);
		r = buf ? getgrnam_r(FWA_ADMIN_GROUP, &entry, buf, len, &found) : ENOMEM;
		len *= 2;
	}
	if (r == 0 && found)
		group = found->gr_gid;
	free(buf);
	return group;
}
