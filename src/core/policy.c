/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of grants, and folding those of one principal into rights.
 *
 * All that a snapshot says is proved once, by fwa_policy_parse(): every index and offset in it leads
 * to something, so that what follows them need not ask again.
 */
#include "core/policy.h"

#include "core/command.h"

int fwa_grantee_order(uint32_t who_a, uint32_t id_a, uint32_t who_b, uint32_t id_b)
{
	if (who_a != who_b)
		return who_a < who_b ? -1 : 1;
	if (id_a != id_b)
		return id_a < id_b ? -1 : 1;
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

void fwa_policy_write_header(struct fwa_writer *w, const struct fwa_policy_counts *n,
			     const uint8_t *digest)
{
	fwa_write_le32(w, FWA_POLICY_MAGIC);
	fwa_write_le32(w, n->grantees);
	fwa_write_le32(w, n->grants);
	fwa_write_le32(w, n->terms);
	fwa_write_le32(w, n->patterns);
	fwa_write_le32(w, n->text);
	fwa_write_le64(w, 0);
	fwa_write_bytes(w, digest, 32);
}

void fwa_policy_write_grantee(struct fwa_writer *w, const struct fwa_grantee *g)
{
	fwa_write_le32(w, g->who);
	fwa_write_le32(w, g->id);
	fwa_write_le32(w, g->last);
	fwa_write_le32(w, g->grant);
}

void fwa_policy_write_grant(struct fwa_writer *w, const struct fwa_grant *g)
{
	fwa_write_le32(w, g->scope);
	fwa_write_le32(w, g->effects);
	fwa_write_le64(w, g->until);
	fwa_write_le32(w, g->first_term);
	fwa_write_le32(w, g->n_terms);
	fwa_write_le32(w, g->first_pattern);
	fwa_write_le32(w, g->n_patterns);
	fwa_write_le32(w, g->ticket);
	fwa_write_le32(w, 0);
	fwa_write_bytes(w, g->name, FWA_GRANT_NAME_MAX);
}

void fwa_policy_write_pattern(struct fwa_writer *w, const struct fwa_pattern *p)
{
	fwa_write_le32(w, p->condition);
	fwa_write_le32(w, p->text);
}

/* --- reading ---------------------------------------------------------------------------------- */

bool fwa_policy_grantee(const struct fwa_policy *p, uint32_t i, struct fwa_grantee *ret)
{
	const uint8_t *e;

	if (i >= p->n.grantees)
		return false;
	e = p->grantees.data + (size_t)i * FWA_POLICY_GRANTEE_LEN;
	*ret = (struct fwa_grantee){
		.who = fwa_le32(e),
		.id = fwa_le32(e + 4),
		.last = fwa_le32(e + 8),
		.grant = fwa_le32(e + 12),
	};
	return true;
}

bool fwa_policy_grant(const struct fwa_policy *p, uint32_t i, struct fwa_grant *ret)
{
	const uint8_t *e;

	if (i >= p->n.grants)
		return false;
	e = p->grants.data + (size_t)i * FWA_POLICY_GRANT_LEN;
	*ret = (struct fwa_grant){
		.scope = fwa_le32(e),
		.effects = fwa_le32(e + 4),
		.until = fwa_le64(e + 8),
		.first_term = fwa_le32(e + 16),
		.n_terms = fwa_le32(e + 20),
		.first_pattern = fwa_le32(e + 24),
		.n_patterns = fwa_le32(e + 28),
		.ticket = fwa_le32(e + 32),
	};
	memcpy(ret->name, e + 40, FWA_GRANT_NAME_MAX);
	return true;
}

bool fwa_policy_pattern(const struct fwa_policy *p, uint32_t i, struct fwa_pattern *ret)
{
	const uint8_t *e;

	if (i >= p->n.patterns)
		return false;
	e = p->patterns.data + (size_t)i * FWA_POLICY_PATTERN_LEN;
	*ret = (struct fwa_pattern){ .condition = fwa_le32(e), .text = fwa_le32(e + 4) };
	return true;
}

struct fwa_span fwa_policy_filter(const struct fwa_policy *p, const struct fwa_grant *g)
{
	return fwa_span(p->terms.data + (size_t)g->first_term * FWA_TERM_LEN,
			(size_t)g->n_terms * FWA_TERM_LEN);
}

const char *fwa_policy_text(const struct fwa_policy *p, uint32_t offset)
{
	return p->text + offset;
}

/* --- proving ---------------------------------------------------------------------------------- */

static bool within(uint32_t first, uint32_t n, uint32_t count)
{
	return first <= count && n <= count - first;
}

static bool grantee_valid(const struct fwa_policy *p, const struct fwa_grantee *g)
{
	if (g->who > FWA_WHO_UID_RANGE || g->grant >= p->n.grants)
		return false;
	return g->who == FWA_WHO_UID_RANGE ? g->id <= g->last : g->last == 0;
}

/* Sorted, so that they can be searched; and few that must be looked at one by one. */
static bool grantees_valid(const struct fwa_policy *p)
{
	struct fwa_grantee g, last = { 0 };
	uint32_t ranges = 0;

	for (uint32_t i = 0; fwa_policy_grantee(p, i, &g); i++) {
		if (!grantee_valid(p, &g) || fwa_grantee_order(last.who, last.id, g.who, g.id) > 0)
			return false;
		ranges += g.who == FWA_WHO_UID_RANGE;
		last = g;
	}
	return ranges <= FWA_POLICY_RANGES_MAX;
}

static bool grant_valid(const struct fwa_policy *p, const struct fwa_grant *g)
{
	return g->scope <= FWA_SCOPE_DEBUG_WRITE_FULL && !(g->effects & ~FWA_EFFECTS_GRANTABLE) &&
	       !g->name[FWA_GRANT_NAME_MAX - 1] && g->ticket < p->n.text &&
	       g->n_terms <= FWA_FILTER_TERMS_MAX &&
	       within(g->first_term, g->n_terms, p->n.terms) &&
	       within(g->first_pattern, g->n_patterns, p->n.patterns) &&
	       fwa_filter_valid(fwa_policy_filter(p, g));
}

static bool entries_valid(const struct fwa_policy *p)
{
	struct fwa_pattern pattern;
	struct fwa_grant g;

	for (uint32_t i = 0; fwa_policy_grant(p, i, &g); i++)
		if (!grant_valid(p, &g))
			return false;
	for (uint32_t i = 0; fwa_policy_pattern(p, i, &pattern); i++)
		if (pattern.condition >= FWA_CONDITION_COUNT || pattern.text >= p->n.text)
			return false;
	return p->text[0] == '\0' && p->text[p->n.text - 1] == '\0' && grantees_valid(p);
}

static bool counts_valid(const struct fwa_policy_counts *n)
{
	return n->grantees <= FWA_POLICY_GRANTS_MAX && n->grants <= FWA_POLICY_GRANTS_MAX &&
	       n->terms <= FWA_POLICY_TERMS_MAX && n->patterns <= FWA_POLICY_PATTERNS_MAX &&
	       n->text >= 1 && n->text <= FWA_POLICY_TEXT_MAX;
}

int fwa_policy_parse(struct fwa_policy *p, struct fwa_span encoded)
{
	struct fwa_reader r = fwa_reader(encoded);
	uint32_t magic = fwa_read_le32(&r);
	struct fwa_policy q = { 0 };

	memset(p, 0, sizeof(*p));
	q.n.grantees = fwa_read_le32(&r);
	q.n.grants = fwa_read_le32(&r);
	q.n.terms = fwa_read_le32(&r);
	q.n.patterns = fwa_read_le32(&r);
	q.n.text = fwa_read_le32(&r);
	fwa_read_le64(&r);
	q.digest = fwa_read_span(&r, 32).data;
	if (r.bad || magic != FWA_POLICY_MAGIC || !counts_valid(&q.n))
		return -1;
	q.grantees = fwa_read_span(&r, (size_t)q.n.grantees * FWA_POLICY_GRANTEE_LEN);
	q.grants = fwa_read_span(&r, (size_t)q.n.grants * FWA_POLICY_GRANT_LEN);
	q.terms = fwa_read_span(&r, (size_t)q.n.terms * FWA_TERM_LEN);
	q.patterns = fwa_read_span(&r, (size_t)q.n.patterns * FWA_POLICY_PATTERN_LEN);
	q.text = (const char *)fwa_read_span(&r, q.n.text).data;
	if (r.bad || r.left || !entries_valid(&q))
		return -1;
	*p = q;
	return 0;
}

/* --- the device's identity -------------------------------------------------------------------- */

const char *fwa_condition_name(unsigned int condition)
{
	static const char *const names[FWA_CONDITION_COUNT] = { "family", "vendor", "model",
								"firmware", "serial" };

	return condition < FWA_CONDITION_COUNT ? names[condition] : NULL;
}

const char *fwa_condition_text(const struct fwa_profile *profile, enum fwa_condition condition)
{
	switch (condition) {
	case FWA_CONDITION_FAMILY:
		return fwa_family_name(profile->family);
	case FWA_CONDITION_VENDOR:
		return profile->id.vendor;
	case FWA_CONDITION_MODEL:
		return profile->id.model;
	case FWA_CONDITION_FIRMWARE:
		return profile->id.firmware;
	case FWA_CONDITION_SERIAL:
		return profile->id.serial;
	default:
		return "";
	}
}

static bool conditions_hold(const struct fwa_policy *p, const struct fwa_grant *g,
			    const struct fwa_profile *profile, fwa_pattern_fn match)
{
	bool has[FWA_CONDITION_COUNT] = { 0 }, met[FWA_CONDITION_COUNT] = { 0 };
	struct fwa_pattern pattern;

	for (uint32_t i = 0; i < g->n_patterns; i++) {
		fwa_policy_pattern(p, g->first_pattern + i, &pattern);
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

/* In a narrowed snapshot, on the scope of a grant that is for another device. */
#define NOT_FOR_THIS_DEVICE FWA_SCOPE_NEVER

void fwa_policy_narrow(struct fwa_policy *p, uint8_t *snapshot, const struct fwa_profile *profile,
		       fwa_pattern_fn match)
{
	uint8_t *grantees = snapshot + FWA_POLICY_HEADER_LEN, *kept = grantees;
	uint8_t *grants = grantees + p->grantees.len;
	struct fwa_grantee e;
	struct fwa_grant g;

	/* Each grant is asked once, however many it is for. */
	for (uint32_t i = 0; fwa_policy_grant(p, i, &g); i++)
		if (g.n_patterns && !conditions_hold(p, &g, profile, match))
			fwa_put_le32(grants + (size_t)i * FWA_POLICY_GRANT_LEN,
				     NOT_FOR_THIS_DEVICE);
	for (uint32_t i = 0; fwa_policy_grantee(p, i, &e); i++) {
		fwa_policy_grant(p, e.grant, &g);
		if (g.scope == NOT_FOR_THIS_DEVICE)
			continue;
		/* never overlaps: what is kept moves by whole entries, or stays */
		if (kept != grantees + (size_t)i * FWA_POLICY_GRANTEE_LEN)
			memcpy(kept, grantees + (size_t)i * FWA_POLICY_GRANTEE_LEN,
			       FWA_POLICY_GRANTEE_LEN);
		kept += FWA_POLICY_GRANTEE_LEN;
	}
	p->grantees.len = (size_t)(kept - grantees);
	p->n.grantees = (uint32_t)(p->grantees.len / FWA_POLICY_GRANTEE_LEN);
}

/* --- folding ---------------------------------------------------------------------------------- */

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

static bool contains(const struct fwa_right *a, const struct fwa_right *b)
{
	return a->scope >= b->scope && !(b->effects & ~a->effects) &&
	       lasts_as_long(a->until, b->until) && covers_as_much(a->filter, b->filter);
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

static void fold_grant(const struct fwa_policy *p, uint32_t i, struct fwa_rights *rights)
{
	struct fwa_grant g;

	if (!fwa_policy_grant(p, i, &g))
		return;
	rights->n_matched++;
	rights_add(rights,
		   &(struct fwa_right){ g.scope, g.effects, g.until, i, fwa_policy_filter(p, &g) });
}

static void fold_one(const struct fwa_policy *p, uint32_t who, uint32_t id,
		     struct fwa_rights *rights)
{
	struct fwa_grantee e;

	for (uint32_t i = lower_bound(p, who, id); fwa_policy_grantee(p, i, &e); i++) {
		if (e.who != who || e.id != id)
			return;
		fold_grant(p, e.grant, rights);
	}
}

/* Ranges may overlap, so that each that does not begin beyond @uid is looked at: they are few. */
static void fold_ranges(const struct fwa_policy *p, uint32_t uid, struct fwa_rights *rights)
{
	struct fwa_grantee e;

	for (uint32_t i = lower_bound(p, FWA_WHO_UID_RANGE, 0); fwa_policy_grantee(p, i, &e); i++) {
		if (e.id > uid)
			return;
		if (uid <= e.last)
			fold_grant(p, e.grant, rights);
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
	fold_ranges(p, who->uid, ret);
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
