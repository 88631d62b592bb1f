/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As of ABI 7 of the kernel's interface: headers and C libraries are older than that.
 */
#include "base/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

enum {
	FS_1 = (1 << 13) - 1, /* all rights to files of ABI 1; each later bit is one right */
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	FS_IOCTL_DEV = 1 << 15,
	NET_TCP = 3, /* bind, connect */
	SCOPE_SOCKET = 1,
	SCOPE_SIGNAL = 2,
	RULE_PATH = 1,  /* struct path_rule */
	ASK_VERSION = 1 /* flag */
};

struct rules {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* All that a kernel of version @abi can take away. Returns how much of @ret such a kernel knows. */
static size_t all_rules(long abi, bool signals, struct rules *ret)
{
	*ret = (struct rules){ .fs = FS_1 };
	if (abi >= 2)
		ret->fs |= FS_REFER;
	if (abi >= 3)
		ret->fs |= FS_TRUNCATE;
	if (abi >= 5)
		ret->fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		ret->net = NET_TCP;
	if (abi >= 6)
		ret->scoped = signals ? SCOPE_SOCKET : SCOPE_SOCKET | SCOPE_SIGNAL;
	if (abi >= 6)
		return sizeof(*ret);
	return abi >= 4 ? offsetof(struct rules, scoped) : offsetof(struct rules, net);
}

bool fwa_landlock(const struct fwa_landlock_path *paths, size_t n, bool signals)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	fwa_auto_close int fd = -1;
	struct rules rules;
	size_t len;

	if (abi < 1)
		return false;
	len = all_rules(abi, signals, &rules);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, len, 0);
	if (fd < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct path_rule rule = { .allowed = paths[i].allowed & rules.fs,
					  .parent = paths[i].fd };

		if (syscall(SYS_landlock_add_rule, fd, RULE_PATH, &rule, 0) < 0)
			return false;
	}
	return syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}
