/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of grants, and folding those of one principal into rights.
 */
#include "core/policy.h"

#include "core/command.h"

int fwa_grant_order(uint32_t who_a, uint32_t id_a, uint32_t who_b, uint32_t id_b)
{
	if (who_a != who_b)
		return who_a < who_b ? -1 : 1;
	if (id_a != id_b)
		return id_a < id_b ? -1 : 1;
	return 0;
}

void fwa_policy_write_grant(struct fwa_writer *w, const struct fwa_grant *g)
{
	fwa_write_le32(w, g->who);
	fwa_write_le32(w, g->id);
	fwa_write_le32(w, g->scope);
	fwa_write_le32(w, g->effects);
	fwa_write_le64(w, g->until);
	fwa_write_le64(w, 0);
	fwa_write_bytes(w, g->name, FWA_GRANT_NAME_MAX);
}

void fwa_policy_write_header(struct fwa_writer *w, uint32_t count, const uint8_t *digest)
{
	fwa_write_le32(w, FWA_POLICY_MAGIC);
	fwa_write_le32(w, count);
	fwa_write_le64(w, 0);
	fwa_write_bytes(w, digest, 32);
}

static const uint8_t *encoded_grant(const struct fwa_policy *p, uint32_t i)
{
	return p->grants.data + (size_t)i * FWA_POLICY_GRANT_LEN;
}

static bool grant_valid(const uint8_t *e)
{
	uint32_t who = fwa_le32(e);
	uint32_t effects = fwa_le32(e + 12);

	return who <= FWA_WHO_GID && fwa_le32(e + 8) <= FWA_SCOPE_DEBUG_WRITE_FULL &&
	       !(effects & ~FWA_EFFECTS_GRANTABLE) && !e[FWA_POLICY_GRANT_LEN - 1];
}

int fwa_policy_parse(struct fwa_policy *p, struct fwa_span encoded)
{
	struct fwa_reader r = fwa_reader(encoded);
	uint32_t magic = fwa_read_le32(&r);
	uint32_t count = fwa_read_le32(&r);
	struct fwa_policy q = { .count = count };

	memset(p, 0, sizeof(*p));
	fwa_read_le64(&r);
	q.digest = fwa_read_span(&r, 32).data;
	if (r.bad || magic != FWA_POLICY_MAGIC || count > FWA_POLICY_GRANTS_MAX ||
	    r.left != (size_t)count * FWA_POLICY_GRANT_LEN)
		return -1;
	q.grants = fwa_span(r.at, r.left);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *e = encoded_grant(&q, i);
		const uint8_t *last = i ? encoded_grant(&q, i - 1) : e;

		if (!grant_valid(e) || fwa_grant_order(fwa_le32(last), fwa_le32(last + 4),
						       fwa_le32(e), fwa_le32(e + 4)) > 0)
			return -1;
	}
	*p = q;
	return 0;
}

bool fwa_policy_grant(const struct fwa_policy *p, uint32_t i, struct fwa_grant *ret)
{
	const uint8_t *e;

	if (i >= p->count)
		return false;
	e = encoded_grant(p, i);
	*ret = (struct fwa_grant){
		.who = fwa_le32(e),
		.id = fwa_le32(e + 4),
		.scope = fwa_le32(e + 8),
		.effects = fwa_le32(e + 12),
		.until = fwa_le64(e + 16),
	};
	memcpy(ret->name, e + 32, FWA_GRANT_NAME_MAX);
	return true;
}

/* No end is later than any end. */
static bool lasts_as_long(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && a >= b);
}

static bool contains(const struct fwa_right *a, const struct fwa_right *b)
{
	return a->scope >= b->scope && !(b->effects & ~a->effects) &&
	       lasts_as_long(a->until, b->until);
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
	if (rights->n == FWA_RIGHTS_MAX) {
		rights->overflow = true;
		return;
	}
	rights->right[rights->n++] = *new;
}

/* The first grant that is not before (@who, @id). */
static uint32_t lower_bound(const struct fwa_policy *p, uint32_t who, uint32_t id)
{
	uint32_t lo = 0, hi = p->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const uint8_t *e = encoded_grant(p, mid);

		if (fwa_grant_order(fwa_le32(e), fwa_le32(e + 4), who, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void fold_one(const struct fwa_policy *p, uint32_t who, uint32_t id,
		     struct fwa_rights *rights)
{
	struct fwa_grant g;

	for (uint32_t i = lower_bound(p, who, id); fwa_policy_grant(p, i, &g); i++) {
		if (g.who != who || g.id != id)
			return;
		rights->n_matched++;
		rights_add(rights, &(struct fwa_right){ g.scope, g.effects, g.until, i });
	}
}

void fwa_policy_fold(const struct fwa_policy *p, const struct fwa_principal *who,
		     struct fwa_rights *ret)
{
	memset(ret, 0, sizeof(*ret));
	fold_one(p, FWA_WHO_ANY, 0, ret);
	if (who->owner)
		fold_one(p, FWA_WHO_OWNER, 0, ret);
	fold_one(p, FWA_WHO_UID, who->uid, ret);
	fold_one(p, FWA_WHO_GID, who->gid, ret);
	for (uint32_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] != who->gid)
			fold_one(p, FWA_WHO_GID, who->groups[i], ret);
}

fwa_effects fwa_grant_default_effects(unsigned int scope)
{
	fwa_effects effects = 0;

	if (scope >= FWA_SCOPE_DEBUG_WRITE)
		effects |= FWA_EFFECTS_RESET | FWA_EFFECT_BACKGROUND;
	if (scope >= FWA_SCOPE_DEBUG_WRITE_FULL)
		effects |= FWA_EFFECTS_IMMEDIATE; /* exclusive must be named: C14 */
	return effects;
}
