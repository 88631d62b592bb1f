/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots, filters and folding: by hand, and against a reference that is as plain as the text of
 * the rules: no terms, no sorting, no antichain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/pattern.h"
#include "base/uuid.h"
#include "core/decide.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t buf[1024 * 1024];

/* --- making snapshots ------------------------------------------------------------------------- */

/* A grant and whom it is for, as the tests write them. */
struct entry {
	uint32_t who, id, last;
	struct fwa_grant grant;
};

/* The snapshot of @n entries, each with its own grant; @terms and @patterns are all grants'. */
static size_t make_policy(const struct entry *e, uint32_t n, const struct fwa_term *terms,
			  uint32_t n_terms, const struct fwa_pattern *patterns, uint32_t n_patterns,
			  const char *text, uint32_t text_len)
{
	struct fwa_policy_counts counts = { n, n, n_terms, n_patterns, text_len };
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	uint8_t digest[32] = { 1 };

	fwa_policy_write_header(&w, &counts, digest);
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grantee(&w,
					 &(struct fwa_grantee){ e[i].who, e[i].id, e[i].last, i });
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grant(&w, &e[i].grant);
	for (uint32_t i = 0; i < n_terms; i++)
		fwa_filter_write_term(&w, &terms[i]);
	for (uint32_t i = 0; i < n_patterns; i++)
		fwa_policy_write_pattern(&w, &patterns[i]);
	fwa_write_bytes(&w, text, text_len);
	assert_false(w.full);
	return w.len;
}

static size_t make_simple(const struct entry *e, uint32_t n)
{
	return make_policy(e, n, NULL, 0, NULL, 0, "", 1);
}

/* 0 when what make_policy() made is a snapshot, and whole. */
static int parse_whole(struct fwa_policy *p, size_t len)
{
	return fwa_policy_parse(p, fwa_span(buf, len)) == 0 && fwa_policy_whole(p) ? 0 : -1;
}

/* What @who may do on a device that says nothing of itself. */
static struct fwa_rights fold(const struct fwa_policy *p, const struct fwa_principal *who)
{
	static const struct fwa_profile nobody;
	struct fwa_rights rights;

	fwa_policy_fold(p, who, &nobody, fwa_pattern_matches, &rights);
	return rights;
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void policy_folds_what_is_for_the_caller(void **state)
{
	static const struct entry grants[] = {
		{ FWA_WHO_ANY, 0, 0, { .scope = 0, .name = "all" } },
		{ FWA_WHO_OWNER, 0, 0, { .scope = 2, .effects = 1, .name = "own" } },
		{ FWA_WHO_UID, 5, 0, { .scope = 3, .effects = 4, .name = "five" } },
		{ FWA_WHO_GID, 7, 0, { .scope = 1, .name = "seven" } },
		{ FWA_WHO_GID, 8, 0, { .scope = 3, .effects = 8, .name = "eight" } },
		{ FWA_WHO_UID_RANGE, 20, 29, { .scope = 1, .effects = 16, .name = "twenties" } },
		{ FWA_WHO_UID_RANGE, 25, 25, { .scope = 2, .effects = 32, .name = "overlaps" } },
	};
	static const uint32_t groups[] = { 7, 8 };
	struct fwa_policy p;
	struct fwa_rights r;
	size_t len = make_simple(grants, COUNT(grants));

	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	r = fold(&p, &(struct fwa_principal){ .uid = 9, .gid = 9 });
	assert_int_equal(r.n_matched, 1);
	assert_int_equal(r.right[0].scope, 0);
	r = fold(&p, &(struct fwa_principal){ 5, 7, groups, 2, false });
	assert_int_equal(r.n_matched, 4);
	assert_int_equal(r.n, 2); /* five and eight contain the rest, and not each other */
	r = fold(&p, &(struct fwa_principal){ 9, 9, NULL, 0, true });
	assert_int_equal(r.right[0].effects, 1);
	for (uint32_t uid = 15; uid < 35; uid++) {
		uint32_t in = 1 + (uid >= 20 && uid <= 29) + (uid == 25);

		r = fold(&p, &(struct fwa_principal){ .uid = uid, .gid = 9 });
		assert_int_equal(r.n_matched, in);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, cut)), -1);
	r = fold(&p, &(struct fwa_principal){ .uid = 25, .owner = true });
	assert_int_equal(r.n_matched, 0); /* what is not a snapshot grants nothing */
}

static void policy_refuses_what_is_not_sorted_or_valid(void **state)
{
	struct entry g[2] = { { .who = FWA_WHO_UID, .id = 2 }, { .who = FWA_WHO_UID, .id = 1 } };
	struct fwa_policy p;

	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].id = 2;
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), 0);
	g[1].grant.scope = 4;
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].grant.scope = 3;
	g[1].grant.effects = FWA_EFFECT_DMA;
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].grant.effects = 0;
	g[1].last = 3; /* of a single user */
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].who = FWA_WHO_UID_RANGE;
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), 0);
	g[1].last = 1;
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].last = 2;
	g[1].grant.ticket = 1; /* beyond the text */
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
	g[1].grant.ticket = 0;
	memset(g[1].grant.name, 'x', sizeof(g[1].grant.name));
	assert_int_equal(parse_whole(&p, make_simple(g, 2)), -1);
}

/* Indices into terms, patterns and text, each just within and just beyond. */
static void policy_indices_lead_somewhere(void **state)
{
	static const struct fwa_term terms[] = { { .value = 1 }, { .value = 2 } };
	struct fwa_pattern patterns[] = { { FWA_CONDITION_VENDOR, 1 }, { FWA_CONDITION_MODEL, 3 } };
	struct entry e = {
		.grant = { .first_term = 1, .n_terms = 1, .first_pattern = 1, .n_patterns = 1 }
	};
	struct fwa_policy p;

#define PARSE(text) parse_whole(&p, make_policy(&e, 1, terms, 2, patterns, 2, text, sizeof(text)))
	assert_int_equal(PARSE("\0a\0b"), 0);
	e.grant.n_terms = 2;
	assert_int_equal(PARSE("\0a\0b"), -1);
	e.grant.n_terms = UINT32_MAX;
	assert_int_equal(PARSE("\0a\0b"), -1);
	e.grant.n_terms = 1;
	e.grant.first_term = UINT32_MAX;
	assert_int_equal(PARSE("\0a\0b"), -1);
	e.grant.first_term = 0;
	e.grant.first_pattern = 2;
	assert_int_equal(PARSE("\0a\0b"), -1);
	e.grant.first_pattern = 0;
	assert_int_equal(PARSE("\0a\0b"), 0);
	patterns[1].text = 5;
	assert_int_equal(PARSE("\0a\0b"), -1);
	patterns[1].text = 4;
	assert_int_equal(PARSE("\0a\0b"), 0);
	patterns[1].condition = FWA_CONDITION_COUNT;
	assert_int_equal(PARSE("\0a\0b"), -1);
	patterns[1].condition = 0;
	assert_int_equal(PARSE("xa\0b"), -1);
	assert_int_equal(parse_whole(&p, make_policy(&e, 1, terms, 2, patterns, 2, "\0a\0bc", 5)),
			 -1); /* the text does not end */
#undef PARSE
}

static void policy_ranges_are_few(void **state)
{
	static struct entry e[FWA_POLICY_RANGES_MAX + 1];
	struct fwa_policy p;

	for (uint32_t i = 0; i < COUNT(e); i++)
		e[i] = (struct entry){ .who = FWA_WHO_UID_RANGE, .id = i, .last = i };
	assert_int_equal(parse_whole(&p, make_simple(e, COUNT(e))), -1);
	assert_int_equal(parse_whole(&p, make_simple(e, COUNT(e) - 1)), 0);
}

static void policy_overflow_only_takes_away(void **state)
{
	static struct entry g[40];
	static const fwa_effects pairs[] = { 3, 5, 9, 17, 33, 65, 129, 257 };
	struct fwa_policy p;
	struct fwa_rights r;

	/* Sets of two bits: none contains another. */
	for (uint32_t i = 0; i < 40; i++)
		g[i].grant = (struct fwa_grant){ .scope = 3,
						 .effects = (pairs[i % 8] << (i / 8)) & 0x1fff };
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, make_simple(g, 40))), 0);
	r = fold(&p, &(struct fwa_principal){ .uid = 1 });
	assert_true(r.overflow);
	assert_int_equal(r.n, FWA_RIGHTS_MAX);
	assert_int_equal(r.n_matched, 40);
}

static void policy_a_longer_grant_is_kept(void **state)
{
	static const struct entry g[] = {
		{ .grant = { .scope = 3, .effects = 7, .until = 10, .name = "short" } },
		{ .grant = { .scope = 3, .effects = 1, .name = "for ever" } },
	};
	struct fwa_policy p;
	struct fwa_rights r;

	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, make_simple(g, 2))), 0);
	r = fold(&p, &(struct fwa_principal){ .uid = 1 });
	assert_int_equal(r.n, 2);
}

/* A filter is contained by no filter or by the same one, never by another. */
static void policy_filters_in_the_antichain(void **state)
{
	static const struct fwa_term terms[] = { { .value = 0xc000 }, { .value = 0xc001 } };
	static const struct {
		uint32_t first, n; /* of the second grant; the first has term 0 */
		uint32_t rights;
	} table[] = { { 0, 1, 1 }, { 1, 1, 2 }, { 0, 2, 2 }, { 0, 0, 1 } };

	for (size_t i = 0; i < COUNT(table); i++) {
		struct entry g[] = {
			{ .grant = { .scope = 1, .n_terms = 1 } },
			{ .grant = { .scope = 3,
				     .effects = 7,
				     .first_term = table[i].first,
				     .n_terms = table[i].n } },
		};
		size_t len = make_policy(g, 2, terms, 2, NULL, 0, "", 1);
		struct fwa_policy p;
		struct fwa_rights r;

		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
		r = fold(&p, &(struct fwa_principal){ .uid = 1 });
		assert_int_equal(r.n_matched, 2);
		assert_int_equal(r.n, table[i].rights);
	}
}

static void policy_conditions_of_the_device(void **state)
{
	/* 1 "Acme*", 7 "9?", 10 "nvme" */
	static const char text[] = "\0Acme*\0009?\0nvme";
	static const struct fwa_pattern patterns[] = {
		{ FWA_CONDITION_VENDOR, 1 },
		{ FWA_CONDITION_VENDOR, 7 },
		{ FWA_CONDITION_MODEL, 7 },
		{ FWA_CONDITION_FAMILY, 10 },
	};
	static const struct entry e[] = {
		{ .grant = { .scope = 1, .effects = 1 } },
		{ .grant = { .scope = 1, .effects = 2, .n_patterns = 2 } }, /* vendor: either */
		{ .grant = { .scope = 1, .effects = 4, .n_patterns = 3 } }, /* and model */
		{ .grant = { .scope = 1, .effects = 8, .first_pattern = 3, .n_patterns = 1 } },
	};
	static const struct {
		uint8_t family;
		const char *vendor, *model;
		uint32_t kept; /* bits */
	} devices[] = {
		{ FWA_FAMILY_CXL, "Acme Inc", "91", 0x7 }, { FWA_FAMILY_CXL, "92", "91", 0x7 },
		{ FWA_FAMILY_CXL, "Acme", "", 0x3 },       { FWA_FAMILY_CXL, "", "91", 0x1 },
		{ FWA_FAMILY_NVME, "", "", 0x9 },          { FWA_FAMILY_NVME, "Acme", "9x", 0xf },
	};

	for (size_t i = 0; i < COUNT(devices); i++) {
		size_t len = make_policy(e, 4, NULL, 0, patterns, 4, text, sizeof(text));
		static struct fwa_profile profile;
		struct fwa_rights r;
		uint32_t bits = 0;
		struct fwa_policy p;

		profile.family = devices[i].family;
		strcpy(profile.id.vendor, devices[i].vendor);
		strcpy(profile.id.model, devices[i].model);
		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
		fwa_policy_fold(&p, &(struct fwa_principal){ .uid = 1 }, &profile,
				fwa_pattern_matches, &r);
		for (uint32_t k = 0; k < r.n; k++)
			bits |= r.right[k].effects;
		assert_int_equal(bits, devices[i].kept);
	}
}

/* --- against a reference ---------------------------------------------------------------------- */

/* An item as people think of it. */
struct plain_group {
	bool negative;
	unsigned int n;
	struct {
		enum fwa_field field;
		uint32_t value;
	} is[2];
};
struct plain_item {
	bool negative;
	uint8_t set;
	uint16_t opcode;
	unsigned int n;
	struct plain_group group[3];
};
struct plain_filter {
	unsigned int n;
	struct plain_item item[3];
};
/* What a command selects, known because the test made it so. */
struct plain_command {
	struct fwa_command cmd;
	uint32_t value[FWA_FIELD_COUNT];
	uint8_t payload[2];
};

static const struct {
	uint8_t set;
	uint16_t opcode;
	enum fwa_field fields[3];
} opcodes[] = {
	{ FWA_SET_NVME_ADMIN,
	  NVME_OP_GET_LOG_PAGE,
	  { FWA_FIELD_LID, FWA_FIELD_LSP, FWA_FIELD_LSI } },
	{ FWA_SET_NVME_ADMIN,
	  NVME_OP_SET_FEATURES,
	  { FWA_FIELD_FID, FWA_FIELD_NSID, FWA_FIELD_FID } },
	{ FWA_SET_NVME_IO,
	  NVME_OP_GET_LOG_PAGE,
	  { FWA_FIELD_NSID, FWA_FIELD_NSID, FWA_FIELD_NSID } },
	{ FWA_SET_CXL, CXL_OP_ACTIVATE_FW, { FWA_FIELD_SLOT, FWA_FIELD_SLOT, FWA_FIELD_SLOT } },
};

static bool plain_group_matches(const struct plain_group *g, const struct plain_command *c)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (c->value[g->is[i].field] != g->is[i].value)
			return false;
	return true;
}

static bool plain_item_matches(const struct plain_item *it, const struct plain_command *c)
{
	bool positive = false, hit = false;

	if (it->set != c->cmd.set || it->opcode != c->cmd.opcode)
		return false;
	for (unsigned int i = 0; i < it->n; i++) {
		bool matches = plain_group_matches(&it->group[i], c);

		if (it->group[i].negative && matches)
			return false;
		positive |= !it->group[i].negative;
		hit |= !it->group[i].negative && matches;
	}
	return hit || !positive;
}

static bool plain_covers(const struct plain_filter *f, const struct plain_command *c)
{
	bool positive = false, hit = false;

	for (unsigned int i = 0; i < f->n; i++) {
		bool matches = plain_item_matches(&f->item[i], c);

		if (f->item[i].negative && matches)
			return false;
		positive |= !f->item[i].negative;
		hit |= !f->item[i].negative && matches;
	}
	return hit || !positive;
}

static struct plain_filter random_filter(void)
{
	struct plain_filter f = { .n = (unsigned int)rand() % 4 };

	for (unsigned int i = 0; i < f.n; i++) {
		size_t op = (size_t)rand() % COUNT(opcodes);
		struct plain_item *it = &f.item[i];

		*it = (struct plain_item){ .negative = rand() % 3 == 0,
					   .set = opcodes[op].set,
					   .opcode = opcodes[op].opcode,
					   .n = (unsigned int)rand() % 4 };
		for (unsigned int g = 0; g < it->n; g++) {
			it->group[g].negative = rand() & 1;
			it->group[g].n = 1 + (unsigned int)rand() % 2;
			for (unsigned int k = 0; k < it->group[g].n; k++) {
				it->group[g].is[k].field = opcodes[op].fields[rand() % 3];
				it->group[g].is[k].value = (uint32_t)rand() % 3;
			}
		}
	}
	return f;
}

static uint32_t filter_terms(const struct plain_filter *f, struct fwa_term *t)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < f->n; i++) {
		const struct plain_item *it = &f->item[i];

		t[n++] = (struct fwa_term){ .flags = it->negative ? FWA_TERM_NOT : 0,
					    .set = it->set,
					    .value = it->opcode };
		for (unsigned int g = 0; g < it->n; g++)
			for (unsigned int k = 0; k < it->group[g].n; k++)
				t[n++] = (struct fwa_term){
					.kind = (uint8_t)it->group[g].is[k].field,
					.flags = (uint8_t)((it->group[g].negative ? FWA_TERM_NOT
										  : 0) |
							   (k ? FWA_TERM_AND : 0)),
					.value = it->group[g].is[k].value,
				};
	}
	return n;
}

static void random_command(struct plain_command *c)
{
	size_t op = (size_t)rand() % COUNT(opcodes);

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < 3; i++)
		c->value[opcodes[op].fields[i]] = (uint32_t)rand() % 3;
	c->payload[1] = (uint8_t)c->value[FWA_FIELD_SLOT];
	c->cmd = (struct fwa_command){
		.set = opcodes[op].set,
		.opcode = opcodes[op].opcode,
		.scope = FWA_SCOPE_LEAST,
		.nsid = c->value[FWA_FIELD_NSID],
		.cdw = { c->value[FWA_FIELD_LID] | c->value[FWA_FIELD_FID] |
				 c->value[FWA_FIELD_LSP] << 8,
			 c->value[FWA_FIELD_LSI] << 16 },
		.payload = fwa_span(c->payload, c->cmd.set == FWA_SET_CXL ? 2 : 0),
	};
	if (opcodes[op].set == FWA_SET_CXL)
		c->cmd.payload = fwa_span(c->payload, 2);
}

static struct fwa_span encode(const struct fwa_term *terms, size_t n)
{
	static uint8_t encoded[(FWA_FILTER_TERMS_MAX + 1) * FWA_TERM_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

	for (size_t i = 0; i < n; i++)
		fwa_filter_write_term(&w, &terms[i]);
	return fwa_span(encoded, w.len);
}

static void filter_agrees_with_the_reference(void **state)
{
	unsigned int covered = 0;

	srand(3);
	for (int i = 0; i < 200000; i++) {
		struct plain_filter f = random_filter();
		struct fwa_term terms[FWA_FILTER_TERMS_MAX];
		struct fwa_span encoded = encode(terms, filter_terms(&f, terms));
		struct plain_command c;

		random_command(&c);
		assert_true(fwa_filter_valid(encoded));
		assert_int_equal(fwa_filter_covers(encoded, &c.cmd, NULL), plain_covers(&f, &c));
		covered += fwa_filter_covers(encoded, &c.cmd, NULL);
	}
	assert_in_range(covered, 20000, 180000);
}

/* A grant of the reference: whom, and all of what. */
struct plain_grant {
	struct entry e;
	struct plain_filter filter;
};

static bool plain_is_for(const struct entry *e, const struct fwa_principal *who)
{
	switch (e->who) {
	case FWA_WHO_ANY:
		return true;
	case FWA_WHO_OWNER:
		return who->owner;
	case FWA_WHO_UID:
		return e->id == who->uid;
	case FWA_WHO_UID_RANGE:
		return e->id <= who->uid && who->uid <= e->last;
	default:
		for (uint32_t i = 0; i < who->n_groups; i++)
			if (who->groups[i] == e->id)
				return true;
		return e->id == who->gid;
	}
}

/* The reason that the grants alone give for a command of @scope and @effects. */
static enum fwa_reason plain_verdict(const struct plain_grant *g, size_t n,
				     const struct fwa_principal *who, const struct plain_command *c,
				     unsigned int scope, fwa_effects effects, uint64_t now)
{
	enum fwa_reason best = FWA_REASON_NO_GRANT;

	for (size_t i = 0; i < n; i++) {
		enum fwa_reason r = FWA_REASON_ADMIT;

		if (!plain_is_for(&g[i].e, who) || !plain_covers(&g[i].filter, c))
			continue;
		if (g[i].e.grant.scope < scope)
			r = FWA_REASON_GRANT_SCOPE;
		else if (effects & ~g[i].e.grant.effects)
			r = FWA_REASON_GRANT_EFFECTS;
		else if (g[i].e.grant.until && g[i].e.grant.until <= now)
			r = FWA_REASON_GRANT_EXPIRED;
		if (r > best)
			best = r;
	}
	return best;
}

static int by_whom(const void *pa, const void *pb)
{
	const struct plain_grant *a = pa, *b = pb;

	return fwa_grantee_order(a->e.who, a->e.id, b->e.who, b->e.id);
}

#define GRANTS 12

static void random_grants(struct plain_grant *g)
{
	for (size_t i = 0; i < GRANTS; i++) {
		uint32_t who = (uint32_t)rand() % 5;

		g[i].e = (struct entry){
			.who = who,
			.id = who >= FWA_WHO_UID ? (uint32_t)rand() % 4 : 0,
			.grant = { .scope = (uint32_t)rand() % 4,
				   .effects = (uint32_t)rand() & FWA_EFFECTS_GRANTABLE,
				   .until = rand() & 1 ? 0 : 1 + (uint64_t)rand() % 3 },
		};
		if (rand() & 1)
			g[i].e.grant.effects = FWA_EFFECTS_GRANTABLE;
		if (who == FWA_WHO_UID_RANGE)
			g[i].e.last = g[i].e.id + (uint32_t)rand() % 3;
		g[i].filter = random_filter();
	}
	qsort(g, GRANTS, sizeof(*g), by_whom);
}

static size_t encode_grants(struct plain_grant *g)
{
	static struct fwa_term terms[GRANTS * FWA_FILTER_TERMS_MAX];
	struct entry e[GRANTS];
	uint32_t n = 0;

	for (size_t i = 0; i < GRANTS; i++) {
		g[i].e.grant.first_term = n;
		g[i].e.grant.n_terms = filter_terms(&g[i].filter, terms + n);
		n += g[i].e.grant.n_terms;
		e[i] = g[i].e;
	}
	return make_policy(e, GRANTS, terms, n, NULL, 0, "", 1);
}

/* Declares the commands of opcodes[], with effects at random. */
static struct fwa_span random_profile(struct fwa_profile *profile)
{
	static uint8_t encoded[16384], log[NVME_EFFECTS_LEN], cel[4];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	static const uint8_t namespaces[3 * 8] = { 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0,
						   0, 9, 0, 0, 0, 2, 0, 0, 0, 9 };

	for (size_t i = 0; i < 512; i++)
		fwa_put_le32(log + 4 * i, 1u | ((uint32_t)rand() & 0x1f & (uint32_t)rand()));
	fwa_put_le16(cel, CXL_OP_ACTIVATE_FW);
	fwa_put_le16(cel + 2, (uint16_t)(rand() & rand() & 0xff));
	fwa_profile_begin(&w, FWA_FAMILY_SIM);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES, fwa_span(namespaces, sizeof(namespaces)));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
	assert_int_equal(fwa_profile_parse(profile, fwa_span(encoded, w.len)), 0);
	return fwa_span(encoded, w.len);
}

/* Compiled, folded and decided: the same verdict as each grant looked at by itself. */
static void decision_agrees_with_the_reference(void **state)
{
	static struct fwa_profile profile;
	static const struct fwa_contract ordinary;
	unsigned int seen[FWA_REASON_COUNT];

	memset(seen, 0, sizeof(seen));
	srand(5);
	for (int round = 0; round < 400; round++) {
		struct plain_grant grants[GRANTS];
		struct fwa_policy policy;

		random_profile(&profile);
		random_grants(grants);
		assert_int_equal(fwa_policy_parse(&policy, fwa_span(buf, encode_grants(grants))),
				 0);
		for (int i = 0; i < 200; i++) {
			uint32_t groups[] = { (uint32_t)rand() % 5, (uint32_t)rand() % 5 };
			struct fwa_principal who = { (uint32_t)rand() % 6, (uint32_t)rand() % 6,
						     groups, 2, rand() & 1 };
			struct plain_command c;
			struct fwa_rights rights;
			struct fwa_decision d;
			uint64_t now = (uint64_t)rand() % 4;

			random_command(&c);
			c.cmd.out_len = 4; /* get-log-page: one dword */
			rights = fold(&policy, &who);
			d = fwa_decide(&ordinary, &rights, &profile, &c.cmd, now);
			seen[d.reason]++;
			if (d.reason < FWA_REASON_NO_GRANT)
				continue; /* not for the grants to say */
			assert_int_equal(d.reason, plain_verdict(grants, GRANTS, &who, &c, d.scope,
								 d.effects, now));
			assert_int_equal(d.detail,
					 d.reason == FWA_REASON_NO_GRANT && rights.n_matched
						 ? FWA_DETAIL_OTHER_COMMANDS
						 : FWA_DETAIL_NONE);
		}
	}
	for (int r = FWA_REASON_NO_GRANT; r <= FWA_REASON_GRANT_EXPIRED; r++)
		assert_in_range(seen[r], 200, 80000);
	assert_in_range(seen[FWA_REASON_ADMIT], 1000, 80000);
}

static void policy_headers_are_checked(void **state)
{
	static const struct entry e[] = { { FWA_WHO_UID, 1, 0, { .scope = 1, .name = "one" } } };
	struct fwa_policy p;
	size_t len = make_simple(e, 1);

	buf[0] ^= 1;
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), -1);
	buf[0] ^= 1;
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	/* Counts beyond the limits, of which the bytes are not even there. */
	for (size_t at = 4; at <= 20; at += 4) {
		make_simple(e, 1);
		fwa_put_le32(buf + at, UINT32_MAX);
		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), -1);
		assert_int_equal(p.n.grants, 0);
	}
}

static void default_effects_by_scope(void **state)
{
	assert_int_equal(fwa_grant_default_effects(0), 0);
	assert_int_equal(fwa_grant_default_effects(1), 0);
	assert_int_equal(fwa_grant_default_effects(2), FWA_EFFECTS_RESET | FWA_EFFECT_BACKGROUND);
	assert_int_equal(fwa_grant_default_effects(3),
			 FWA_EFFECTS_RESET | FWA_EFFECT_BACKGROUND | FWA_EFFECTS_IMMEDIATE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_folds_what_is_for_the_caller),
		cmocka_unit_test(policy_refuses_what_is_not_sorted_or_valid),
		cmocka_unit_test(policy_indices_lead_somewhere),
		cmocka_unit_test(policy_ranges_are_few),
		cmocka_unit_test(policy_overflow_only_takes_away),
		cmocka_unit_test(policy_a_longer_grant_is_kept),
		cmocka_unit_test(policy_filters_in_the_antichain),
		cmocka_unit_test(policy_conditions_of_the_device),
		cmocka_unit_test(filter_agrees_with_the_reference),
		cmocka_unit_test(decision_agrees_with_the_reference),
		cmocka_unit_test(policy_headers_are_checked),
		cmocka_unit_test(default_effects_by_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
