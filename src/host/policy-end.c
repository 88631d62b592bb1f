/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a grant ends (C20).
 *
 * 1. A grant of a file ends when the wall clock says so at the time of compiling.
 * 2. One of the store, in the boot in which it was made, ends on the boot clock, whatever happens to
 *    the wall clock.
 * 3. In a later boot there is only the wall clock to go by. The end that was found first there holds,
 *    so that setting the clock back makes no grant longer; and setting it forward makes it shorter,
 *    which is the side to err on.
 */
#include "host/policy-internal.h"

#include <string.h>

#include "base/units.h"

static bool same_boot(const struct fwa_policy_boot_end *end, const struct fwa_moment *m)
{
	return *m->boot_id && strcmp(end->boot_id, m->boot_id) == 0;
}

/* No end is later than the whole length of the grant from now. */
static uint64_t stored_end(const struct fwa_policy_stored *s, uint64_t until,
			   const struct fwa_moment *m)
{
	uint64_t most = m->boot + (until - s->created) * FWA_NS_PER_S; /* bounded by the parser */
	uint64_t end;

	if (same_boot(&s->boot, m)) {
		end = s->boot.at;
	} else {
		end = fwa_moment_boot_time(m, until);
		if (same_boot(&s->later_boot, m) && s->later_boot.at < end)
			end = s->later_boot.at;
	}
	return end < most ? end : most;
}

bool fwa_policy_rule_end(const struct fwa_policy_files *p, const struct fwa_policy_rule *r,
			 const struct fwa_moment *m, uint64_t *ret_end)
{
	const struct fwa_policy_stored *s = r->stored ? &p->stored[r->stored - 1] : NULL;
	uint64_t end = 0;

	if (s && !same_boot(&s->boot, m) && m->wall < s->created)
		return false;
	if (s)
		end = stored_end(s, r->until, m);
	else if (r->until)
		end = fwa_moment_boot_time(m, r->until);
	*ret_end = end && end <= m->boot ? 1 : end;
	return true;
}

uint64_t fwa_policy_files_next_end(const struct fwa_policy_files *p, const struct fwa_moment *m)
{
	uint64_t next = 0, end;

	for (size_t i = 0; i < p->n_rules; i++)
		if (fwa_policy_rule_end(p, &p->rules[i], m, &end) && end > 1 &&
		    (!next || end < next))
			next = end;
	return next;
}
