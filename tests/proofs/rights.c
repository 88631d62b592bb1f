/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights: that a decision takes the right one, and that folding grants into them neither adds nor
 * loses (C19, C20). The static functions are reached by including their files, and with room for 3
 * rights instead of 32: each step of the loops over them is the same.
 */
#include "core/policy.h"
#undef FWA_RIGHTS_MAX
#define FWA_RIGHTS_MAX 3

#include "core/decide.c"
#include "core/rights.c"
#include "proof.h"

/* What a right or grant admits: any command of at most its scope and effects, before its end. */
struct wish {
	unsigned int scope;
	fwa_effects effects;
	uint64_t now;
};

/* Which of the grants that have a limit are used up. */
#define GRANTS 4
static bool spent[GRANTS];

/* Filters: none, which covers every command, or one of two, which cover this one or not. */
static const uint8_t filters[2][FWA_TERM_LEN] = { { 1 }, { 2 } };
static bool covered[2];

static bool covers(struct fwa_span filter)
{
	return !filter.len || covered[filter.data == filters[1]];
}

bool fwa_filter_covers(struct fwa_span filter, const struct fwa_command *cmd, const uint8_t *uuid)
{
	return covers(filter);
}

static void any_filter(struct fwa_right *r)
{
	if (nondet_bool())
		r->filter = fwa_span(NULL, 0);
	else
		r->filter = fwa_span(filters[nondet_bool()], FWA_TERM_LEN);
}

/* Of whole filters, and for equality. */
int memcmp(const void *a, const void *b, size_t n)
{
	prove(n == FWA_TERM_LEN);
	return a != b;
}

static struct wish any_wish(void)
{
	struct wish w;

	w.scope = nondet_u8();
	w.effects = nondet_u32();
	w.now = nondet_u64();
	covered[0] = nondet_bool();
	covered[1] = nondet_bool();
	for (int i = 0; i < GRANTS; i++)
		spent[i] = nondet_bool();
	return w;
}

/* Any rights that come of a snapshot that was read. */
static bool valid(const struct fwa_right *r)
{
	return r->scope <= FWA_SCOPE_DEBUG_WRITE_FULL && !(r->effects & ~FWA_EFFECTS_GRANTABLE) &&
	       r->grant < GRANTS;
}

static void any_rights(struct fwa_rights *rights)
{
	forget(*rights);
	assume(rights->n <= FWA_RIGHTS_MAX);
	for (unsigned int i = 0; i < FWA_RIGHTS_MAX; i++) {
		assume(valid(&rights->right[i]));
		any_filter(&rights->right[i]);
	}
}

/* What is not limited is never used up. */
static bool used_up(const struct fwa_right *r)
{
	return (r->sessions || r->commands || r->bytes) && spent[r->grant];
}

static bool one_covers(const struct fwa_right *r, const struct wish *w)
{
	return covers(r->filter) && !(r->scope < w->scope) && !(w->effects & ~r->effects) &&
	       !(r->until && w->now >= r->until);
}

static bool one_admits(const struct fwa_right *r, const struct wish *w)
{
	return one_covers(r, w) && !used_up(r);
}

/* Some right that has payloads recorded admits: in_order() it is the first, which the decision takes. */
static bool records(const struct fwa_rights *rights, const struct wish *w)
{
	bool yes = false;

	for (unsigned int i = 0; i < FWA_RIGHTS_MAX; i++)
		yes = yes || (i < rights->n && rights->right[i].record_payload &&
			      one_admits(&rights->right[i], w));
	return yes;
}

/* Those that have payloads recorded come first. */
static bool in_order(const struct fwa_rights *rights)
{
	bool yes = true;

	for (unsigned int i = 1; i < FWA_RIGHTS_MAX; i++)
		yes = yes && (i >= rights->n || !rights->right[i].record_payload ||
			      rights->right[i - 1].record_payload);
	return yes;
}

static bool admits(const struct fwa_rights *rights, const struct wish *w)
{
	bool yes = false;

	for (unsigned int i = 0; i < FWA_RIGHTS_MAX; i++)
		yes = yes || (i < rights->n && one_admits(&rights->right[i], w));
	return yes;
}

/* Any rights, of which some are used up: admitted by the first that is enough and is not, and
 * refused only when there is none; for the rate exactly when one that is enough is used up.
 * proof: core/effects.c; without; --unwind 7 --external-sat-solver cadical */
void prove_granted(void)
{
	struct fwa_rights rights;
	struct fwa_contract contract = { 0 };
	struct fwa_decision d;
	struct wish w = any_wish();
	struct subject s = { .rights = &rights, .now = w.now, .contract = &contract };
	enum fwa_reason reason;
	bool covered_by_one = false, yes = false;

	any_rights(&rights);
	contract.rate_over = nondet_u32();
	contract.seats_over = nondet_u32();
	d.scope = nondet_u8();
	d.effects = w.effects;
	w.scope = d.scope;
	reason = granted(&s, &d);
	for (unsigned int i = 0; i < FWA_RIGHTS_MAX; i++) {
		bool enough = i < rights.n && one_covers(&rights.right[i], &w);

		covered_by_one = covered_by_one || enough;
		yes = yes || (enough && !((contract.rate_over | contract.seats_over) >> i & 1));
	}
	prove((reason == FWA_REASON_ADMIT) == yes);
	prove((reason == FWA_REASON_RATE) == (covered_by_one && !yes));
	prove(implies(!covered_by_one,
		      reason >= FWA_REASON_NO_GRANT && reason <= FWA_REASON_GRANT_EXPIRED));
	prove(implies(yes, d.right < rights.n && d.grant == rights.right[d.right].grant + 1 &&
				   one_covers(&rights.right[d.right], &w)));
	for (unsigned int i = 0; i < FWA_RIGHTS_MAX; i++)
		prove(implies(yes && i < d.right,
			      !one_covers(&rights.right[i], &w) ||
				      (contract.rate_over | contract.seats_over) >> i & 1));
	witness(yes && rights.n == FWA_RIGHTS_MAX && contract.seats_over & 3);
	witness(reason == FWA_REASON_GRANT_EXPIRED);
	witness(reason == FWA_REASON_RATE);
}

/* A right that another one contains admits nothing that the other does not, whatever is used up; and
 * one is not kept in vain: it is contained when the other is as good in each way.
 * proof: core/effects.c; without; --unwind 7 */
void prove_contains(void)
{
	struct fwa_right a, b;
	struct wish w = any_wish();
	bool yes;

	forget(a);
	forget(b);
	any_filter(&a);
	any_filter(&b);
	assume(valid(&a) && valid(&b));
	yes = contains(&a, &b);
	prove(implies(yes && one_admits(&b, &w), one_admits(&a, &w)));
	prove(implies(yes, one_covers(&a, &w) == one_admits(&a, &w)));
	prove(yes == (!a.sessions && !a.commands && !a.bytes && a.scope >= b.scope &&
		      (a.effects & b.effects) == b.effects &&
		      (!a.until || (b.until && b.until <= a.until)) &&
		      implies(b.record_payload, a.record_payload) &&
		      (!a.filter.len || (b.filter.len && a.filter.data == b.filter.data))));
	witness(yes && one_admits(&b, &w) && a.filter.len && b.until && a.until);
	witness(!yes && one_admits(&b, &w) && !one_admits(&a, &w));
}

/* Any rights in order, and one more grant. */
static void one_more(struct fwa_rights *rights, struct fwa_right *new)
{
	any_rights(rights);
	assume(in_order(rights));
	forget(*new);
	assume(valid(new));
	any_filter(new);
}

/* One more grant: the rights admit what they did and what it does, and no more, whatever is used up;
 * when there is no room, less. By induction this holds of any number of grants.
 * proof: core/effects.c; without; --unwind 7 --external-sat-solver cadical */
void prove_rights_add(void)
{
	struct fwa_rights rights;
	struct fwa_right new;
	struct wish w = any_wish();
	bool before, after, overflow;

	one_more(&rights, &new);
	overflow = rights.overflow;
	before = admits(&rights, &w);
	rights_add(&rights, &new);
	after = admits(&rights, &w);
	prove(rights.n <= FWA_RIGHTS_MAX);
	prove(implies(after, before || one_admits(&new, &w)));
	prove(implies(before, after || rights.overflow));
	prove(implies(one_admits(&new, &w), after || rights.overflow));
	prove(implies(overflow, rights.overflow));
	witness(after && !before);
	witness(before && new.commands &&spent[new.grant]);
	witness(rights.overflow && !overflow);
	witness(before && !after);
}

/* And what any of the grants would have recorded, the right that admits it does (C31).
 * proof: core/effects.c; without; --unwind 7 --external-sat-solver cadical */
void prove_rights_record(void)
{
	struct fwa_rights rights;
	struct fwa_right new;
	struct wish w = any_wish();
	bool before, recorded, recorded_after;

	one_more(&rights, &new);
	before = admits(&rights, &w);
	recorded = records(&rights, &w) || (new.record_payload &&one_admits(&new, &w));
	rights_add(&rights, &new);
	recorded_after = records(&rights, &w);
	prove(in_order(&rights));
	prove(implies(admits(&rights, &w) && recorded, recorded_after));
	witness(recorded_after && before && !rights.overflow);
}
