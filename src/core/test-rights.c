/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Folding: grants for units, limits, and snapshots that are garbage, which only ever give less than
 * their whole entries say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/pattern.h"
#include "core/decide.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t buf[1024 * 1024];
static struct fwa_profile profile;

/* --- making snapshots ------------------------------------------------------------------------- */

struct entry {
	struct fwa_grantee who; /* its grant, too */
	struct fwa_grant grant;
};

/* A snapshot of @n grantees, and as many grants; @text begins and ends with a NUL. */
static size_t make(const struct entry *e, uint32_t n, const struct fwa_pattern *patterns,
		   uint32_t n_patterns, const char *text, uint32_t text_len)
{
	struct fwa_policy_counts counts = { n, n, 0, n_patterns, text_len };
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	uint8_t digest[32] = { 1 };

	fwa_policy_write_header(&w, &counts, digest);
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grantee(&w, &e[i].who);
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grant(&w, &e[i].grant);
	for (uint32_t i = 0; i < n_patterns; i++)
		fwa_policy_write_pattern(&w, &patterns[i]);
	fwa_write_bytes(&w, text, text_len);
	assert_false(w.full);
	return w.len;
}

static struct fwa_rights fold(size_t len, const struct fwa_principal *who)
{
	struct fwa_rights rights;
	struct fwa_policy p;

	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	fwa_policy_fold(&p, who, &profile, fwa_pattern_matches, &rights);
	return rights;
}

/* --- units ------------------------------------------------------------------------------------ */

static void rights_of_units(void **state)
{
	static const char text[] = "\0a.service\0*.scope\0*"; /* 1, 11, 19 */
	static const struct entry e[] = {
		{ { FWA_WHO_UNIT, 1, 0, 0 }, { .scope = 3, .effects = 1, .name = "a" } },
		{ { FWA_WHO_UNIT, 11, 0, 1 }, { .scope = 3, .effects = 2, .name = "scopes" } },
		{ { FWA_WHO_UNIT, 19, 0, 2 }, { .scope = 3, .effects = 4, .name = "any" } },
	};
	static const struct {
		const char *unit;
		fwa_effects effects;
	} table[] = {
		{ "a.service", 5 },
		{ "b.service", 4 },
		{ "session-1.scope", 6 },
		{ "a.service.scope", 6 },
		{ "", 0 },
		{ NULL, 0 }, /* nobody knows: no unit */
	};
	size_t len = make(e, COUNT(e), NULL, 0, text, sizeof(text));

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_rights r = fold(len, &(struct fwa_principal){ .unit = table[i].unit });
		fwa_effects effects = 0;

		for (uint32_t k = 0; k < r.n; k++)
			effects |= r.right[k].effects;
		assert_int_equal(effects, table[i].effects);
	}
}

static void rights_units_are_few(void **state)
{
	static struct entry e[FWA_POLICY_UNITS_MAX + 1];
	struct fwa_policy p;
	size_t len;

	for (uint32_t i = 0; i < COUNT(e); i++)
		e[i].who = (struct fwa_grantee){ FWA_WHO_UNIT, 1, 0, i };
	len = make(e, COUNT(e), NULL, 0, "\0*", 3);
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	assert_false(fwa_policy_whole(&p));
	/* what is too much is not looked at */
	assert_int_equal(fold(len, &(struct fwa_principal){ .unit = "x" }).n_matched,
			 FWA_POLICY_UNITS_MAX);
	len = make(e, COUNT(e) - 1, NULL, 0, "\0*", 3);
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	assert_true(fwa_policy_whole(&p));
}

static void rights_ranges_are_few(void **state)
{
	static struct entry e[FWA_POLICY_RANGES_MAX + 9];

	for (uint32_t i = 0; i < COUNT(e); i++)
		e[i].who = (struct fwa_grantee){ FWA_WHO_UID_RANGE, 0, UINT32_MAX, i };
	assert_int_equal(
		fold(make(e, COUNT(e), NULL, 0, "", 1), &(struct fwa_principal){ 0 }).n_matched,
		FWA_POLICY_RANGES_MAX);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void rights_carry_their_limits(void **state)
{
	static const struct entry e[] = {
		{ { FWA_WHO_ANY, 0, 0, 0 },
		  { .scope = 2, .sessions = 3, .commands = 0xfffffffe, .bytes = UINT64_MAX - 1 } },
	};
	struct fwa_rights r = fold(make(e, 1, NULL, 0, "", 1), &(struct fwa_principal){ .uid = 1 });

	assert_int_equal(r.n, 1);
	assert_int_equal(r.right[0].sessions, 3);
	assert_int_equal(r.right[0].commands, 0xfffffffe);
	assert_true(r.right[0].bytes == UINT64_MAX - 1);
}

/* A limited right stands beside what it covers, for that may pass when it is used up. */
static void rights_limited_contain_nothing(void **state)
{
	static const struct fwa_grant small = { .scope = 1 };
	static const struct fwa_grant great[] = {
		{ .scope = 3, .effects = 7 },
		{ .scope = 3, .effects = 7, .sessions = 1 },
		{ .scope = 3, .effects = 7, .commands = 1 },
		{ .scope = 3, .effects = 7, .bytes = 1 },
	};

	for (size_t i = 0; i < COUNT(great); i++)
		for (int first = 0; first < 2; first++) {
			struct entry e[2] = { { .who = { .grant = 0 } },
					      { .who = { .grant = 1 } } };

			e[first].grant = small;
			e[!first].grant = great[i];
			assert_int_equal(fold(make(e, 2, NULL, 0, "", 1),
					      &(struct fwa_principal){ .uid = 1 })
						 .n,
					 i ? 2 : 1);
		}
}

/* --- what is recorded --------------------------------------------------------------------------- */

/* Rights of the grants that @e has, for anybody. */
static struct fwa_rights fold_grants(const struct fwa_grant *g, uint32_t n)
{
	static struct entry e[FWA_RIGHTS_MAX + 8];

	for (uint32_t i = 0; i < n; i++)
		e[i] = (struct entry){ .who = { .grant = i }, .grant = g[i] };
	return fold(make(e, n, NULL, 0, "", 1), &(struct fwa_principal){ .uid = 1 });
}

/* Whether one right contains another one: also by what is recorded, in either order. */
static void rights_that_record_are_not_lost(void **state)
{
	for (int set = 0; set < 8; set++) {
		bool first = set & 4;
		struct fwa_grant great = { .scope = 3, .effects = 7, .record_payload = set & 1 };
		struct fwa_grant small = { .scope = 1, .record_payload = set & 2 };
		struct fwa_grant g[2];
		struct fwa_rights r;

		g[first] = great;
		g[!first] = small;
		r = fold_grants(g, 2);
		assert_int_equal(r.n, small.record_payload && !great.record_payload ? 2 : 1);
		assert_int_equal(r.right[0].record_payload,
				 small.record_payload || great.record_payload);
	}
}

/* The decision takes the first that is enough: that is one that records, wherever it was written. */
static void rights_that_record_come_first(void **state)
{
	static const struct fwa_grant g[] = {
		{ .scope = 3, .effects = 1 },
		{ .scope = 1, .effects = 2, .sessions = 1 },
		{ .scope = 2, .effects = 4, .sessions = 1, .record_payload = true },
		{ .scope = 2, .effects = 8, .sessions = 1 },
		{ .scope = 1, .effects = 1, .sessions = 1, .record_payload = true },
	};
	static const uint32_t order[] = { 2, 4, 0, 1, 3 };
	struct fwa_rights r = fold_grants(g, COUNT(g));

	assert_int_equal(r.n, COUNT(g));
	for (size_t i = 0; i < COUNT(g); i++) {
		assert_int_equal(r.right[i].grant, order[i]);
		assert_int_equal(r.right[i].record_payload, i < 2);
	}
}

/* Where there is no room those go that record nothing; then those that came last. */
static void rights_that_record_have_room(void **state)
{
	for (uint32_t recording = 0; recording <= FWA_RIGHTS_MAX + 2; recording++) {
		struct fwa_grant g[FWA_RIGHTS_MAX + 4] = { 0 };
		struct fwa_rights r;
		uint32_t n = 0;

		for (uint32_t i = 0; i < COUNT(g); i++)
			g[i] = (struct fwa_grant){ .scope = 1,
						   .sessions = i + 1,
						   .record_payload = i >= COUNT(g) - recording };
		r = fold_grants(g, COUNT(g));
		assert_int_equal(r.n, FWA_RIGHTS_MAX);
		assert_true(r.overflow);
		while (n < r.n && r.right[n].record_payload)
			n++;
		assert_int_equal(n, recording < FWA_RIGHTS_MAX ? recording : FWA_RIGHTS_MAX);
		for (uint32_t i = n; i < r.n; i++) {
			assert_false(r.right[i].record_payload);
			assert_int_equal(r.right[i].grant, i - n);
		}
	}
}

/* Bit 0 is the only one: a grant with another one is none. */
static void rights_flags_that_are_reserved(void **state)
{
	const struct entry e = { { FWA_WHO_ANY, 0, 0, 0 }, { .scope = 1, .record_payload = true } };
	struct fwa_principal who = { .uid = 1 };

	for (int bit = 0; bit < 32; bit++) {
		size_t len = make(&e, 1, NULL, 0, "", 1);
		uint8_t *flags = buf + FWA_POLICY_HEADER_LEN + FWA_POLICY_GRANTEE_LEN + 44;

		assert_int_equal(fwa_le32(flags), 1);
		fwa_put_le32(flags, 1u << bit);
		assert_int_equal(fold(len, &who).n, bit == 0);
	}
}

/* By its uid and two of its groups: three times the same right, whose limits hold once. */
static void rights_count_a_grant_once(void **state)
{
	static const struct entry e[] = {
		{ { FWA_WHO_UID, 5, 0, 0 }, { .scope = 1, .commands = 9 } },
		{ { FWA_WHO_GID, 5, 0, 0 }, { .scope = 1 } },
		{ { FWA_WHO_GID, 6, 0, 0 }, { .scope = 1 } },
	};
	static const uint32_t groups[] = { 5, 6 };
	struct fwa_principal who = { .uid = 5, .gid = 5, .groups = groups, .n_groups = 2 };
	struct fwa_rights r = fold(make(e, COUNT(e), NULL, 0, "", 1), &who);

	assert_int_equal(r.n, 1);
	assert_int_equal(r.n_matched, 3);
	assert_int_equal(r.right[0].commands, 9);
}

/* --- garbage ---------------------------------------------------------------------------------- */

static bool is_for(const struct fwa_policy *p, const struct fwa_grantee *e,
		   const struct fwa_principal *who)
{
	bool in_group = e->id == who->gid;

	for (uint32_t i = 0; i < who->n_groups; i++)
		in_group |= e->id == who->groups[i];
	switch (e->who) {
	case FWA_WHO_ANY:
		return true;
	case FWA_WHO_OWNER:
		return who->owner;
	case FWA_WHO_UID:
		return e->id == who->uid;
	case FWA_WHO_GID:
		return in_group;
	case FWA_WHO_UID_RANGE:
		return e->id <= who->uid && who->uid <= e->last;
	case FWA_WHO_UNIT:
		return fwa_pattern_matches(fwa_policy_text(p, e->id), who->unit);
	default:
		return false;
	}
}

static bool conditions_hold(const struct fwa_policy *p, const struct fwa_grant *g)
{
	bool has[FWA_CONDITION_COUNT] = { 0 }, met[FWA_CONDITION_COUNT] = { 0 };

	for (uint32_t i = 0; i < g->n_patterns; i++) {
		struct fwa_pattern pattern;

		if (!fwa_policy_pattern(p, g->first_pattern + i, &pattern))
			return false;
		has[pattern.condition] = true;
		met[pattern.condition] |=
			fwa_pattern_matches(fwa_policy_text(p, pattern.text),
					    fwa_condition_text(&profile, pattern.condition));
	}
	return !memcmp(has, met, sizeof(has));
}

/* Whether some whole entry, wherever it stands, gives grant @i to @who. */
static bool is_given(const struct fwa_policy *p, uint32_t i, const struct fwa_principal *who)
{
	struct fwa_grantee e;
	struct fwa_grant g;

	if (!fwa_policy_grant(p, i, &g) || !conditions_hold(p, &g))
		return false;
	for (uint32_t k = 0; k < p->n.grantees; k++)
		if (fwa_policy_grantee(p, k, &e) && e.grant == i && is_for(p, &e, who))
			return true;
	return false;
}

/* In any order, and with some bytes that are others: what is folded is given. Returns how much. */
static unsigned int folded_is_given(const struct fwa_policy *p, const struct fwa_principal *who)
{
	struct fwa_rights r;
	struct fwa_grant g;

	fwa_policy_fold(p, who, &profile, fwa_pattern_matches, &r);
	assert_in_range(r.n, 0, FWA_RIGHTS_MAX);
	for (uint32_t i = 0; i < r.n; i++) {
		assert_true(is_given(p, r.right[i].grant, who));
		assert_true(fwa_policy_grant(p, r.right[i].grant, &g));
		assert_int_equal(r.right[i].scope, g.scope);
		assert_int_equal(r.right[i].effects, g.effects);
		assert_true(r.right[i].until == g.until);
		assert_int_equal(r.right[i].sessions, g.sessions);
		assert_int_equal(r.right[i].record_payload, g.record_payload);
		assert_true(!i || r.right[i - 1].record_payload || !r.right[i].record_payload);
		assert_true(fwa_filter_valid(r.right[i].filter));
	}
	return r.n;
}

static const char pool[] = "\0*\0a*\0ab.service\0?"; /* 1 3 6 17 */
static const uint32_t places[] = { 1, 3, 6, 17 };

static size_t random_snapshot(void)
{
	struct fwa_pattern patterns[4];
	struct entry e[12];

	for (size_t i = 0; i < COUNT(patterns); i++)
		patterns[i] = (struct fwa_pattern){ (uint32_t)rand() % FWA_CONDITION_COUNT,
						    places[rand() % 4] };
	for (size_t i = 0; i < COUNT(e); i++) {
		uint32_t who = (uint32_t)rand() % FWA_WHO_COUNT;

		memset(&e[i], 0, sizeof(e[i]));
		e[i].who = (struct fwa_grantee){ .who = who, .grant = (uint32_t)rand() % 12 };
		if (who >= FWA_WHO_UID)
			e[i].who.id =
				who == FWA_WHO_UNIT ? places[rand() % 4] : (uint32_t)rand() % 4;
		if (who == FWA_WHO_UID_RANGE)
			e[i].who.last = e[i].who.id + (uint32_t)rand() % 3;
		e[i].grant = (struct fwa_grant){
			.scope = (uint32_t)rand() % 4,
			.effects = (uint32_t)rand() & 0x1fff,
			.until = (uint64_t)rand() % 3,
			.first_pattern = (uint32_t)rand() % 3,
			.n_patterns = rand() & 1 ? (uint32_t)rand() % 2 : 0,
			.sessions = rand() & 1,
			.record_payload = rand() & 1,
		};
	}
	return make(e, COUNT(e), patterns, COUNT(patterns), pool, sizeof(pool));
}

static void rights_of_garbage(void **state)
{
	unsigned int given = 0, given_by_garbage = 0;

	profile.family = FWA_FAMILY_NVME;
	strcpy(profile.id.vendor, "ab");
	srand(9);
	for (int round = 0; round < 60000; round++) {
		uint32_t groups[] = { (uint32_t)rand() % 4, (uint32_t)rand() % 4 };
		struct fwa_principal who = {
			(uint32_t)rand() % 6, (uint32_t)rand() % 4,           groups, 2,
			rand() & 1,           rand() & 1 ? "ab.service" : "x"
		};
		size_t len = random_snapshot();
		struct fwa_policy p;

		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
		given += folded_is_given(&p, &who);
		for (int i = rand() % 8; i >= 0; i--)
			buf[FWA_POLICY_HEADER_LEN +
			    (size_t)rand() % (len - FWA_POLICY_HEADER_LEN)] =
				(uint8_t)(rand() & 1 ? rand() % 5 : rand());
		if (fwa_policy_parse(&p, fwa_span(buf, len)) == 0)
			given_by_garbage += folded_is_given(&p, &who);
	}
	profile = (struct fwa_profile){ 0 };
	assert_true(given > 30000);
	assert_true(given_by_garbage > 10000);
}

/* Each way in which an entry can be malformed: its grant is none, and the others stay. */
static void rights_without_malformed_entries(void **state)
{
	static const struct entry good = { { FWA_WHO_UID, 7, 0, 1 }, { .scope = 2 } };
	static const struct entry bad[] = {
		{ { FWA_WHO_UID, 7, 0, 2 }, { .scope = 3 } },       /* no such grant */
		{ { FWA_WHO_UID, 7, 1, 1 }, { .scope = 3 } },       /* not a range */
		{ { FWA_WHO_COUNT, 7, 0, 1 }, { .scope = 3 } },     /* nobody */
		{ { FWA_WHO_UID_RANGE, 8, 7, 1 }, { .scope = 3 } }, /* ends before it begins */
		{ { FWA_WHO_UNIT, 2, 0, 1 }, { .scope = 3 } },      /* beyond the text */
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 4 } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .effects = FWA_EFFECT_DMA } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .ticket = 2 } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .n_terms = 1 } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .first_term = 1 } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .n_patterns = 3 } },
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .n_patterns = 1 } }, /* of no condition */
		{ { FWA_WHO_UID, 7, 0, 1 },
		  { .scope = 3, .first_pattern = 1, .n_patterns = 1 } }, /* beyond the text */
		{ { FWA_WHO_UID, 7, 0, 1 }, { .scope = 3, .first_pattern = 3 } },
		{ { FWA_WHO_UID, 7, 0, 1 },
		  { .scope = 3, .first_pattern = UINT32_MAX, .n_patterns = 2 } },
	};
	static const struct fwa_pattern patterns[] = { { FWA_CONDITION_COUNT, 0 }, { 0, 2 } };
	struct fwa_principal who = { .uid = 7, .unit = "" };

	for (size_t i = 0; i <= COUNT(bad); i++) {
		struct entry e[2] = { { { FWA_WHO_ANY, 0, 0, 0 }, { .scope = 1 } } };
		struct fwa_rights r;
		struct fwa_policy p;
		size_t len;

		e[1] = i < COUNT(bad) ? bad[i] : good;
		len = make(e, 2, patterns, 2, "\0", 2);
		r = fold(len, &who);
		assert_int_equal(r.n_matched, i < COUNT(bad) ? 1 : 2);
		assert_int_equal(r.right[0].scope, i < COUNT(bad) ? 1 : 2);
		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
		assert_false(fwa_policy_whole(&p)); /* the patterns are not */
	}
}

/* What lies between the counts and the end is not looked at before it is used; the ends are. */
static void policy_ends_are_checked(void **state)
{
	static const struct entry e[] = { { { FWA_WHO_ANY, 0, 0, 0 }, { .scope = 1 } } };
	struct fwa_policy p;
	size_t len = make(e, 1, NULL, 0, "\0a", 3);

	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	buf[len - 1] = 'x'; /* the text does not end */
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), -1);
	assert_int_equal(p.n.grants, 0);
	buf[len - 1] = 0;
	buf[len - 3] = 'x';
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), -1);
	buf[len - 3] = 0;
	for (size_t at = 24; at < 32; at++) {
		buf[at] = 1; /* reserved */
		assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), -1);
		buf[at] = 0;
	}
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len + 1)), -1);
	assert_int_equal(fwa_policy_parse(&p, fwa_span(buf, len)), 0);
	assert_string_equal(fwa_policy_text(&p, 1), "a");
	assert_string_equal(fwa_policy_text(&p, 3), "");
	assert_string_equal(fwa_policy_text(&p, UINT32_MAX), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_of_units),
		cmocka_unit_test(rights_units_are_few),
		cmocka_unit_test(rights_ranges_are_few),
		cmocka_unit_test(rights_carry_their_limits),
		cmocka_unit_test(rights_limited_contain_nothing),
		cmocka_unit_test(rights_count_a_grant_once),
		cmocka_unit_test(rights_that_record_are_not_lost),
		cmocka_unit_test(rights_that_record_come_first),
		cmocka_unit_test(rights_that_record_have_room),
		cmocka_unit_test(rights_flags_that_are_reserved),
		cmocka_unit_test(rights_of_garbage),
		cmocka_unit_test(rights_without_malformed_entries),
		cmocka_unit_test(policy_ends_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
