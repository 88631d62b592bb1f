/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Folding the grants that are for one principal on one device into rights.
 *
 * Grantees are found by binary search; where they do not stand in their order, fewer are found.
 */
#include "core/policy.h"

#include "core/command.h"

/*= spec/SECURITY-MODEL.md#C16 */
const struct fwa_rights fwa_rights_all = {
	.n_matched = 1,
	.n = 1,
	.right = { { .scope = FWA_SCOPE_DEBUG_WRITE_FULL, .effects = FWA_EFFECTS_GRANTABLE } },
};

/* --- rights that none of the others contains -------------------------------------------------- */

/* No end is later than any end. */
static bool lasts_as_long(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && a >= b);
}

/* Of two different filters neither is taken to cover what the other does. */
static bool covers_as_much(struct fwa_span a, struct fwa_span b)
{
	return !a.len || (a.len == b.len && !memcmp(a.data, b.data, a.len));
}

/*
 * One that has a limit contains none: what it does not let pass another one may. Nor does one that has no
 * payloads recorded contain one that has.
 */
static bool contains(const struct fwa_right *a, const struct fwa_right *b)
{
	return !fwa_right_limited(a) && a->scope >= b->scope && !(b->effects & ~a->effects) &&
	       lasts_as_long(a->until, b->until) && covers_as_much(a->filter, b->filter) &&
	       (a->record_payload || !b->record_payload);
}

/*
 * Where the decision, which takes the first right that is enough, has to find @new: those that have
 * payloads recorded stand before those that have not.
 */
static uint32_t place_of(const struct fwa_rights *rights, const struct fwa_right *new)
{
	uint32_t at = 0;

	if (!new->record_payload)
		return rights->n;
	while (at < rights->n && rights->right[at].record_payload)
		at++;
	return at;
}

/* Where there is no room the last one goes: none that records while there is one that does not. */
/*= spec/SECURITY-MODEL.md#C31 */
static void rights_insert(struct fwa_rights *rights, const struct fwa_right *new)
{
	uint32_t at = place_of(rights, new);
	struct fwa_right moved = *new;

	if (rights->n == FWA_RIGHTS_MAX) {
		rights->overflow = true;
		if (at == FWA_RIGHTS_MAX)
			return;
		rights->n--;
	}
	/* each that has to follow it makes room for the one before: no memmove(), which core may not call */
	for (uint32_t i = at; i < rights->n; i++) {
		struct fwa_right next = rights->right[i];

		rights->right[i] = moved;
		moved = next;
	}
	rights->right[rights->n++] = moved;
}

static void rights_add(struct fwa_rights *rights, const struct fwa_right *new)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < rights->n; i++)
		if (contains(&rights->right[i], new))
			return;
	for (uint32_t i = 0; i < rights->n; i++)
		if (!contains(new, &rights->right[i]))
			rights->right[kept++] = rights->right[i];
	rights->n = kept;
	rights_insert(rights, new);
}

/* --- the device's identity -------------------------------------------------------------------- */

/* False also when a pattern is malformed. */
static bool conditions_hold(const struct fwa_policy *p, const struct fwa_grant *g,
			    const struct fwa_profile *profile, fwa_pattern_fn match)
{
	bool has[FWA_CONDITION_COUNT] = { 0 }, met[FWA_CONDITION_COUNT] = { 0 };
	struct fwa_pattern pattern;

	for (uint32_t i = 0; i < g->n_patterns; i++) {
		if (!fwa_policy_pattern(p, g->first_pattern + i, &pattern))
			return false;
		has[pattern.condition] = true;
		if (!met[pattern.condition])
			met[pattern.condition] =
				match(fwa_policy_text(p, pattern.text),
				      fwa_condition_text(profile, pattern.condition));
	}
	for (int c = 0; c < FWA_CONDITION_COUNT; c++)
		if (has[c] && !met[c])
			return false;
	return true;
}

/* --- whom a grant is for ---------------------------------------------------------------------- */

/* What is being folded. */
struct folding {
	const struct fwa_policy *policy;
	const struct fwa_profile *profile;
	fwa_pattern_fn match;
	struct fwa_rights *rights;
};

/* The first grantee that is not before (@who, @id). */
static uint32_t lower_bound(const struct fwa_policy *p, uint32_t who, uint32_t id)
{
	uint32_t lo = 0, hi = p->n.grantees;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const uint8_t *e = p->grantees.data + (size_t)mid * FWA_POLICY_GRANTEE_LEN;

		if (fwa_grantee_order(fwa_le32(e), fwa_le32(e + 4), who, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool has_right(const struct fwa_rights *rights, uint32_t grant)
{
	for (uint32_t i = 0; i < rights->n; i++)
		if (rights->right[i].grant == grant)
			return true;
	return false;
}

static void fold_grant(const struct folding *f, uint32_t i)
{
	struct fwa_grant g;

	if (!fwa_policy_grant(f->policy, i, &g) ||
	    !conditions_hold(f->policy, &g, f->profile, f->match))
		return;
	f->rights->n_matched++;
	if (has_right(f->rights, i)) /* by a uid and a group: its limits hold once */
		return;
	rights_add(f->rights, &(struct fwa_right){
				      .scope = g.scope,
				      .effects = g.effects,
				      .until = g.until,
				      .grant = i,
				      .filter = fwa_policy_filter(f->policy, &g),
				      .sessions = g.sessions,
				      .commands = g.commands,
				      .bytes = g.bytes,
				      .record_payload = g.record_payload,
			      });
}

static void fold_one(const struct folding *f, uint32_t who, uint32_t id)
{
	struct fwa_grantee e;

	for (uint32_t i = lower_bound(f->policy, who, id); fwa_policy_grantee(f->policy, i, &e);
	     i++) {
		if (e.who != who || e.id != id)
			return;
		fold_grant(f, e.grant);
	}
}

/* Ranges may overlap, so that each that does not begin beyond @uid is looked at: they are few. */
static void fold_ranges(const struct folding *f, uint32_t uid)
{
	uint32_t first = lower_bound(f->policy, FWA_WHO_UID_RANGE, 0);
	struct fwa_grantee e;

	for (uint32_t i = 0; i < FWA_POLICY_RANGES_MAX; i++) {
		if (!fwa_policy_grantee(f->policy, first + i, &e) || e.who != FWA_WHO_UID_RANGE ||
		    e.id > uid)
			return;
		if (uid <= e.last)
			fold_grant(f, e.grant);
	}
}

/* Patterns cannot be searched: each is looked at, and they are few. */
static void fold_units(const struct folding *f, const char *unit)
{
	uint32_t first = lower_bound(f->policy, FWA_WHO_UNIT, 0);
	struct fwa_grantee e;

	if (!unit || !*unit) /*= spec/SECURITY-MODEL.md#C2 */
		return;
	for (uint32_t i = 0; i < FWA_POLICY_UNITS_MAX; i++) {
		if (!fwa_policy_grantee(f->policy, first + i, &e) || e.who != FWA_WHO_UNIT)
			return;
		if (f->match(fwa_policy_text(f->policy, e.id), unit))
			fold_grant(f, e.grant);
	}
}

void fwa_policy_fold(const struct fwa_policy *p, const struct fwa_principal *who,
		     const struct fwa_profile *profile, fwa_pattern_fn match,
		     struct fwa_rights *ret)
{
	struct folding f = { p, profile, match, ret };

	memset(ret, 0, sizeof(*ret));
	fold_one(&f, FWA_WHO_ANY, 0);
	if (who->owner)
		fold_one(&f, FWA_WHO_OWNER, 0);
	fold_one(&f, FWA_WHO_UID, who->uid);
	fold_ranges(&f, who->uid);
	fold_one(&f, FWA_WHO_GID, who->gid);
	for (uint32_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] != who->gid)
			fold_one(&f, FWA_WHO_GID, who->groups[i]);
	fold_units(&f, who->unit);
}
