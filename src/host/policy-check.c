/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of a policy as a whole: grants that share a name, and grants that another makes
 * useless. Both by sorting, so that a large policy costs little.
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

typedef const struct fwa_policy_rule *rule_ptr;

/* Rules of one subject are looked at in pairs; of one that has more, only the first so many. */
#define PAIRS_MAX 64

static int order_by_place(rule_ptr a, rule_ptr b)
{
	return (a > b) - (a < b); /* rules lie in the order in which they were written */
}

static int order_by_name(const void *pa, const void *pb)
{
	rule_ptr a = *(const rule_ptr *)pa, b = *(const rule_ptr *)pb;
	int order = strcmp(a->name, b->name);

	return order ? order : order_by_place(a, b);
}

static void check_names(const struct fwa_policy_files *p, rule_ptr *rules,
			struct fwa_policy_report *report)
{
	qsort(rules, p->n_rules, sizeof(*rules), order_by_name);
	for (size_t i = 1; i < p->n_rules; i++) {
		rule_ptr a = rules[i - 1], b = rules[i];

		if (*a->name && strcmp(a->name, b->name) == 0)
			fwa_policy_report(report, a->file == b->file, p->files[b->file], b->line,
					  "grant '%s' is already in %s:%u", b->name,
					  p->files[a->file], a->line);
	}
}

/* --- useless grants ------------------------------------------------------------------------- */

static const struct fwa_policy_subject *subjects(const struct fwa_policy_files *p, rule_ptr r)
{
	return p->subjects + r->subjects;
}

/* A range covers what lies in it. */
static bool covers_subject(const struct fwa_policy_subject *a, const struct fwa_policy_subject *b)
{
	uint32_t last = b->who == FWA_WHO_UID_RANGE ? b->last : b->id;

	if (a->who == FWA_WHO_UID_RANGE && (b->who == FWA_WHO_UID || b->who == FWA_WHO_UID_RANGE))
		return a->id <= b->id && last <= a->last;
	return a->who == b->who && a->id == b->id;
}

static bool covers_subjects(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct fwa_policy_subject *s = subjects(p, b) + i;
		size_t k = 0;

		while (k < a->n_subjects && !covers_subject(subjects(p, a) + k, s))
			k++;
		if (k == a->n_subjects)
			return false;
	}
	return true;
}

/* True when one of @r's patterns is @pattern, or matches every name. */
static bool has_pattern(const struct fwa_policy_files *p, rule_ptr r, const char *pattern)
{
	const char *own = p->pool + r->patterns;

	for (size_t i = 0; i < r->n_patterns; i++, own += strlen(own) + 1)
		if (strcmp(own, "*") == 0 || strcmp(own, pattern) == 0)
			return true;
	return false;
}

static bool covers_devices(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	const char *pattern = p->pool + b->patterns;

	for (size_t i = 0; i < b->n_patterns; i++, pattern += strlen(pattern) + 1)
		if (!has_pattern(p, a, pattern))
			return false;
	return true;
}

/* How many patterns of @condition @r has; one of them *ret_any is "*", or the same as @pattern. */
static size_t patterns_of(const struct fwa_policy_files *p, rule_ptr r, uint32_t condition,
			  const char *pattern, bool *ret_any)
{
	size_t n = 0;

	*ret_any = false;
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct fwa_pattern *own = &p->conditions[r->conditions + i];
		const char *text = p->texts + own->text;

		if (own->condition != condition)
			continue;
		n++;
		*ret_any |= strcmp(text, "*") == 0 || (pattern && strcmp(text, pattern) == 0);
	}
	return n;
}

/* For each condition of @a: @b has it, too, and no pattern that @a has not. */
static bool covers_conditions(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	bool any;

	for (uint32_t c = 0; c < FWA_CONDITION_COUNT; c++)
		if (patterns_of(p, a, c, NULL, &any) && !any && !patterns_of(p, b, c, NULL, &any))
			return false;
	for (size_t i = 0; i < b->n_conditions; i++) {
		const struct fwa_pattern *own = &p->conditions[b->conditions + i];

		if (patterns_of(p, a, own->condition, p->texts + own->text, &any) && !any)
			return false;
	}
	return true;
}

/* As in a worker: of two different filters neither is taken to cover the other. */
static bool covers_commands(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	if (!a->n_terms)
		return true;
	if (a->n_terms != b->n_terms)
		return false;
	for (size_t i = 0; i < a->n_terms; i++) {
		const struct fwa_term *x = &p->terms[a->terms + i], *y = &p->terms[b->terms + i];

		if (x->kind != y->kind || x->flags != y->flags || x->set != y->set ||
		    x->value != y->value || memcmp(x->uuid, y->uuid, sizeof(x->uuid)))
			return false;
	}
	return true;
}

static bool covers(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	return a->scope >= b->scope && !(b->effects & ~a->effects) && covers_subjects(p, a, b) &&
	       covers_devices(p, a, b) && covers_conditions(p, a, b) && covers_commands(p, a, b);
}

/* By first subject; those without any come last. */
static int order_by_subject(const void *pa, const void *pb, void *userdata)
{
	rule_ptr a = *(const rule_ptr *)pa, b = *(const rule_ptr *)pb;
	const struct fwa_policy_files *p = userdata;
	int order;

	if (!a->n_subjects || !b->n_subjects)
		return (a->n_subjects == 0) - (b->n_subjects == 0);
	order = fwa_grantee_order(subjects(p, a)->who, subjects(p, a)->id, subjects(p, b)->who,
				  subjects(p, b)->id);
	return order ? order : order_by_place(a, b);
}

/* Looks for a rule among the @n that share @b's first subject; of equal ones the first counts. */
static void check_useful(const struct fwa_policy_files *p, const rule_ptr *rules, size_t n,
			 rule_ptr b, struct fwa_policy_report *report)
{
	for (size_t i = 0; i < n; i++) {
		rule_ptr a = rules[i];

		if (a == b || !covers(p, a, b) || (a > b && covers(p, b, a)))
			continue;
		fwa_policy_report(report, false, p->files[b->file], b->line,
				  "grant '%s' adds nothing to grant '%s' (%s:%u)", b->name, a->name,
				  p->files[a->file], a->line);
		return;
	}
}

static void check_shadowed(const struct fwa_policy_files *p, rule_ptr *rules,
			   struct fwa_policy_report *report)
{
	size_t end;

	qsort_r(rules, p->n_rules, sizeof(*rules), order_by_subject, (void *)p);
	for (size_t i = 0; i < p->n_rules && rules[i]->n_subjects; i = end) {
		for (end = i + 1; end < p->n_rules && rules[end]->n_subjects; end++)
			if (fwa_grantee_order(subjects(p, rules[i])->who, subjects(p, rules[i])->id,
					      subjects(p, rules[end])->who,
					      subjects(p, rules[end])->id))
				break;
		for (size_t k = i; k < end; k++)
			check_useful(p, rules + i, end - i < PAIRS_MAX ? end - i : PAIRS_MAX,
				     rules[k], report);
	}
}

int fwa_policy_check(const struct fwa_policy_files *p, struct fwa_policy_report *report)
{
	fwa_auto_free rule_ptr *rules = calloc(p->n_rules + 1, sizeof(rule_ptr));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_rules; i++)
		rules[i] = &p->rules[i];
	check_names(p, rules, report);
	if (report->errors)
		return 0;
	check_shadowed(p, rules, report);
	fwa_policy_check_commands(p, report);
	return 0;
}
