/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of grants, entry by entry. What leads out of an entry (an index, an offset) is looked at
 * before the entry is handed out; rights.c finds and folds those of one principal.
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

#define GRANT_NAME_AT 56
#define GRANT_RECORD_PAYLOAD 1u /* flag */

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
	fwa_write_le32(w, g->sessions);
	fwa_write_le32(w, g->commands);
	fwa_write_le32(w, g->record_payload ? GRANT_RECORD_PAYLOAD : 0);
	fwa_write_le64(w, g->bytes);
	fwa_write_bytes(w, g->name, FWA_GRANT_NAME_MAX);
}

void fwa_policy_write_pattern(struct fwa_writer *w, const struct fwa_pattern *p)
{
	fwa_write_le32(w, p->condition);
	fwa_write_le32(w, p->text);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool within(uint32_t first, uint32_t n, uint32_t count)
{
	return first <= count && n <= count - first;
}

static bool grantee_valid(const struct fwa_policy *p, const struct fwa_grantee *g)
{
	if (g->grant >= p->n.grants)
		return false;
	switch (g->who) {
	case FWA_WHO_ANY:
	case FWA_WHO_OWNER:
		return !g->id && !g->last;
	case FWA_WHO_UID:
	case FWA_WHO_GID:
		return !g->last;
	case FWA_WHO_UID_RANGE:
		return g->id <= g->last;
	case FWA_WHO_UNIT:
		return !g->last && g->id < p->n.text;
	default:
		return false;
	}
}

bool fwa_policy_grantee(const struct fwa_policy *p, uint32_t i, struct fwa_grantee *ret)
{
	const uint8_t *e;

	*ret = (struct fwa_grantee){ 0 };
	if (i >= p->n.grantees)
		return false;
	e = p->grantees.data + (size_t)i * FWA_POLICY_GRANTEE_LEN;
	*ret = (struct fwa_grantee){
		.who = fwa_le32(e),
		.id = fwa_le32(e + 4),
		.last = fwa_le32(e + 8),
		.grant = fwa_le32(e + 12),
	};
	if (grantee_valid(p, ret))
		return true;
	*ret = (struct fwa_grantee){ 0 };
	return false;
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

const char *fwa_policy_grant_name(const struct fwa_policy *p, uint32_t i)
{
	static const char none[FWA_GRANT_NAME_MAX];
	size_t at = (size_t)i * FWA_POLICY_GRANT_LEN + GRANT_NAME_AT;

	return i < p->n.grants ? (const char *)p->grants.data + at : none;
}

bool fwa_policy_grant(const struct fwa_policy *p, uint32_t i, struct fwa_grant *ret)
{
	const uint8_t *e;
	uint32_t flags;

	*ret = (struct fwa_grant){ 0 };
	if (i >= p->n.grants)
		return false;
	e = p->grants.data + (size_t)i * FWA_POLICY_GRANT_LEN;
	flags = fwa_le32(e + 44);
	*ret = (struct fwa_grant){
		.scope = fwa_le32(e),
		.effects = fwa_le32(e + 4),
		.until = fwa_le64(e + 8),
		.first_term = fwa_le32(e + 16),
		.n_terms = fwa_le32(e + 20),
		.first_pattern = fwa_le32(e + 24),
		.n_patterns = fwa_le32(e + 28),
		.ticket = fwa_le32(e + 32),
		.sessions = fwa_le32(e + 36),
		.commands = fwa_le32(e + 40),
		.record_payload = flags & GRANT_RECORD_PAYLOAD,
		.bytes = fwa_le64(e + 48),
	};
	memcpy(ret->name, e + GRANT_NAME_AT, FWA_GRANT_NAME_MAX);
	if (!(flags & ~GRANT_RECORD_PAYLOAD) && grant_valid(p, ret))
		return true;
	*ret = (struct fwa_grant){ 0 };
	return false;
}

bool fwa_policy_pattern(const struct fwa_policy *p, uint32_t i, struct fwa_pattern *ret)
{
	const uint8_t *e;

	*ret = (struct fwa_pattern){ 0 };
	if (i >= p->n.patterns)
		return false;
	e = p->patterns.data + (size_t)i * FWA_POLICY_PATTERN_LEN;
	if (fwa_le32(e) >= FWA_CONDITION_COUNT || fwa_le32(e + 4) >= p->n.text)
		return false;
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
	return offset < p->n.text ? p->text + offset : "";
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
	uint64_t reserved;

	memset(p, 0, sizeof(*p));
	q.n.grantees = fwa_read_le32(&r);
	q.n.grants = fwa_read_le32(&r);
	q.n.terms = fwa_read_le32(&r);
	q.n.patterns = fwa_read_le32(&r);
	q.n.text = fwa_read_le32(&r);
	reserved = fwa_read_le64(&r);
	q.digest = fwa_read_span(&r, 32).data;
	if (r.bad || magic != FWA_POLICY_MAGIC || reserved || !counts_valid(&q.n))
		return -1;
	q.grantees = fwa_read_span(&r, (size_t)q.n.grantees * FWA_POLICY_GRANTEE_LEN);
	q.grants = fwa_read_span(&r, (size_t)q.n.grants * FWA_POLICY_GRANT_LEN);
	q.terms = fwa_read_span(&r, (size_t)q.n.terms * FWA_TERM_LEN);
	q.patterns = fwa_read_span(&r, (size_t)q.n.patterns * FWA_POLICY_PATTERN_LEN);
	q.text = (const char *)fwa_read_span(&r, q.n.text).data;
	if (r.bad || r.left || q.text[0] || q.text[q.n.text - 1])
		return -1;
	*p = q;
	return 0;
}

/* Sorted, so that they can be searched; and few that must be looked at one by one. */
static bool grantees_whole(const struct fwa_policy *p)
{
	struct fwa_grantee g, last = { 0 };
	uint32_t ranges = 0, units = 0;

	for (uint32_t i = 0; i < p->n.grantees; i++) {
		if (!fwa_policy_grantee(p, i, &g) ||
		    fwa_grantee_order(last.who, last.id, g.who, g.id) > 0)
			return false;
		ranges += g.who == FWA_WHO_UID_RANGE;
		units += g.who == FWA_WHO_UNIT;
		last = g;
	}
	return ranges <= FWA_POLICY_RANGES_MAX && units <= FWA_POLICY_UNITS_MAX;
}

bool fwa_policy_whole(const struct fwa_policy *p)
{
	struct fwa_pattern pattern;
	struct fwa_grant g;

	for (uint32_t i = 0; i < p->n.grants; i++)
		if (!fwa_policy_grant(p, i, &g))
			return false;
	for (uint32_t i = 0; i < p->n.patterns; i++)
		if (!fwa_policy_pattern(p, i, &pattern))
			return false;
	return grantees_whole(p);
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

fwa_effects fwa_grant_default_effects(unsigned int scope)
{
	fwa_effects effects = 0;

	if (scope >= FWA_SCOPE_DEBUG_WRITE)
		effects |= FWA_EFFECTS_RESET | FWA_EFFECT_BACKGROUND;
	if (scope >= FWA_SCOPE_DEBUG_WRITE_FULL)
		effects |= FWA_EFFECTS_IMMEDIATE; /* exclusive must be named: C14 */
	return effects;
}
