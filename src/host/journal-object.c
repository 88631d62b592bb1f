/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "core/policy.h"
#include "core/profile.h"
#include "host/journal.h"
#include "journal/digest.h"

static int policy_key(struct fwa_span data, uint8_t key[FWA_HASH_LEN])
{
	struct fwa_policy policy;

	if (fwa_policy_parse(&policy, data) < 0)
		return -EBADMSG;
	memcpy(key, policy.digest, FWA_HASH_LEN);
	return 0;
}

int fwa_journal_key(enum fwa_object_kind kind, int fd, uint8_t key[FWA_HASH_LEN])
{
	struct fwa_span data;
	int r;

	r = fwa_memfd_map(fd, kind == FWA_OBJECT_POLICY ? FWA_POLICY_MAX : FWA_PROFILE_MAX, &data);
	if (r < 0)
		return r;
	if (kind == FWA_OBJECT_POLICY)
		r = policy_key(data, key);
	else
		fwa_sha256(data, key);
	fwa_memfd_unmap(data);
	return r;
}
