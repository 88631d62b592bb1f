/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of a policy as a whole: grants that share a name, that another makes useless, that
 * are over; and, on request, what is no mistake but can surprise. By sorting, so that a large policy
 * costs little.
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
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

/* Anybody covers all, a range what lies in it, a pattern for units only itself. */
static bool covers_subject(const struct fwa_policy_files *p, const struct fwa_policy_subject *a,
			   const struct fwa_policy_subject *b)
{
	uint32_t last = b->who == FWA_WHO_UID_RANGE ? b->last : b->id;

	if (a->who == FWA_WHO_ANY)
		return true;
	if (a->who == FWA_WHO_UID_RANGE && (b->who == FWA_WHO_UID || b->who == FWA_WHO_UID_RANGE))
		return a->id <= b->id && last <= a->last;
	if (a->who == FWA_WHO_UNIT && b->who == FWA_WHO_UNIT)
		return strcmp(p->texts + a->id, p->texts + b->id) == 0;
	return a->who == b->who && a->id == b->id;
}

static bool covers_subjects(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct fwa_policy_subject *s = subjects(p, b) + i;
		size_t k = 0;

		while (k < a->n_subjects && !covers_subject(p, subjects(p, a) + k, s))
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

		if (x->flags != y->flags || !fwa_term_eq(x, y))
			return false;
	}
	return true;
}

static bool limited(rule_ptr r)
{
	return r->sessions || r->commands || r->bytes;
}

static bool same_limits(rule_ptr a, rule_ptr b)
{
	return a->sessions == b->sessions && a->commands == b->commands && a->bytes == b->bytes;
}

static bool lasts_as_long(rule_ptr a, rule_ptr b)
{
	return !a->until || (b->until && a->until >= b->until);
}

/* But for limits. One that has payloads recorded is not covered by one that has not. */
static bool covers(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	return (a->record_payload || !b->record_payload) && lasts_as_long(a, b) &&
	       a->scope >= b->scope && !(b->effects & ~a->effects) && covers_subjects(p, a, b) &&
	       covers_devices(p, a, b) && covers_conditions(p, a, b) && covers_commands(p, a, b);
}

/* Numbers as they are; units by their text. */
static int subject_order(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	const struct fwa_policy_subject *x = subjects(p, a), *y = subjects(p, b);

	if (x->who == FWA_WHO_UNIT && y->who == FWA_WHO_UNIT)
		return strcmp(p->texts + x->id, p->texts + y->id);
	return fwa_grantee_order(x->who, x->id, y->who, y->id);
}

/* By first subject; those without any come last. */
static int order_by_subject(const void *pa, const void *pb, void *userdata)
{
	rule_ptr a = *(const rule_ptr *)pa, b = *(const rule_ptr *)pb;
	int order;

	if (!a->n_subjects || !b->n_subjects)
		return (a->n_subjects == 0) - (b->n_subjects == 0);
	order = subject_order(userdata, a, b);
	return order ? order : order_by_place(a, b);
}

/*
 * What @a makes of @b. A limited one contains nothing (C24): what it does not let pass the other may.
 * Two that differ in limits alone are probably one that was meant to have the lower of them.
 */
static const char *useless(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	if (!covers(p, a, b))
		return NULL;
	if (!limited(a))
		return a > b && !limited(b) && covers(p, b, a) ? NULL : "adds nothing to";
	if (a < b && limited(b) && covers(p, b, a))
		return same_limits(a, b) ? "doubles the limits of" : "adds its limits to those of";
	return NULL;
}

/* Rules to compare one with. */
struct candidates {
	const rule_ptr *at;
	size_t n;
};

/* Looks for a rule that makes @b useless; of equal ones the first counts. Says so. */
static bool check_useful(const struct fwa_policy_files *p, const struct candidates *c, rule_ptr b,
			 struct fwa_policy_report *report)
{
	for (size_t i = 0; i < c->n; i++) {
		rule_ptr a = c->at[i];
		const char *verb = a == b ? NULL : useless(p, a, b);

		if (!verb)
			continue;
		fwa_policy_report(report, false, p->files[b->file], b->line,
				  "grant '%s' %s grant '%s' (%s:%u)", b->name, verb, a->name,
				  p->files[a->file], a->line);
		return true;
	}
	return false;
}

/* Where the rules that share the first subject of rule @i end; @n of them have any. */
static size_t end_of_group(const struct fwa_policy_files *p, const rule_ptr *rules, size_t i,
			   size_t n)
{
	size_t end = i + 1;

	while (end < n && !subject_order(p, rules[i], rules[end]))
		end++;
	return end;
}

static struct candidates group_of(const rule_ptr *rules, size_t i, size_t end)
{
	return (struct candidates){ rules + i, end - i < PAIRS_MAX ? end - i : PAIRS_MAX };
}

/* The first so many rules whose first subject is anybody or a range. */
static struct candidates wide_ones(const struct fwa_policy_files *p, const rule_ptr *rules,
				   size_t n, rule_ptr wide[PAIRS_MAX])
{
	struct candidates c = { wide, 0 };

	for (size_t i = 0; i < n && c.n < PAIRS_MAX; i++) {
		uint32_t who = subjects(p, rules[i])->who;

		if (who == FWA_WHO_ANY || who == FWA_WHO_UID_RANGE)
			wide[c.n++] = rules[i];
	}
	return c;
}

/* Sorts the rules by subject; how many of them have one. */
static size_t sort_by_subject(const struct fwa_policy_files *p, rule_ptr *rules)
{
	size_t n = 0;

	qsort_r(rules, p->n_rules, sizeof(*rules), order_by_subject, (void *)p);
	while (n < p->n_rules && rules[n]->n_subjects)
		n++;
	return n;
}

static void check_shadowed(const struct fwa_policy_files *p, rule_ptr *rules,
			   struct fwa_policy_report *report)
{
	size_t n = sort_by_subject(p, rules), end;
	rule_ptr wide[PAIRS_MAX];
	struct candidates wider = wide_ones(p, rules, n, wide);

	for (size_t i = 0; i < n; i = end) {
		struct candidates group;

		end = end_of_group(p, rules, i, n);
		group = group_of(rules, i, end);
		for (size_t k = i; k < end; k++)
			if (!check_useful(p, &group, rules[k], report))
				check_useful(p, &wider, rules[k], report);
	}
}

/* --- ends ------------------------------------------------------------------------------------- */

#define FAR_OFF (UINT64_C(10) * 366 * 86400)

static void report_end(const struct fwa_policy_files *p, rule_ptr r, bool far_off,
		       struct fwa_policy_report *report)
{
	char until[FWA_TIME_TEXT];

	fwa_time_text(r->until, until);
	fwa_policy_report(report, false, p->files[r->file], r->line, "grant '%s' %s %s: %s",
			  r->name, far_off ? "lasts until" : "ended at", until,
			  far_off ? "so far off that it is as good as without an end"
				  : "it gives nothing");
}

/* Of the operator's files: what has ended in the store is removed from it. */
static void check_ends(const struct fwa_policy_files *p, struct fwa_policy_report *report)
{
	struct fwa_moment now;

	fwa_moment_now(&now);
	for (size_t i = 0; i < p->n_rules; i++) {
		rule_ptr r = &p->rules[i];

		if (!r->until || r->stored)
			continue;
		if (r->until <= now.wall)
			report_end(p, r, false, report);
		else if (r->until - now.wall > FAR_OFF)
			report_end(p, r, true, report);
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
	check_ends(p, report);
	check_shadowed(p, rules, report);
	fwa_policy_check_commands(p, report);
	return 0;
}

/* --- notes ------------------------------------------------------------------------------------ */

/* Whether some name can match a pattern of both, as far as that is plain to see. */
static bool share_devices(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	const char *x = p->pool + a->patterns;

	for (size_t i = 0; i < a->n_patterns; i++, x += strlen(x) + 1) {
		const char *y = p->pool + b->patterns;

		for (size_t k = 0; k < b->n_patterns; k++, y += strlen(y) + 1)
			if (fwa_pattern_matches(x, y) || fwa_pattern_matches(y, x))
				return true;
	}
	return false;
}

static bool allows_command(const struct fwa_policy_files *p, rule_ptr r, const struct fwa_term *t)
{
	bool listed = false;

	for (size_t i = 0; i < r->n_terms; i++) {
		const struct fwa_term *own = &p->terms[r->terms + i];

		if (own->kind != FWA_TERM_COMMAND || own->flags & FWA_TERM_NOT)
			continue;
		listed = true;
		if (own->set == t->set && own->value == t->value)
			return true;
	}
	return !listed;
}

static bool share_commands(const struct fwa_policy_files *p, rule_ptr a, rule_ptr b)
{
	bool listed = false;

	for (size_t i = 0; i < a->n_terms; i++) {
		const struct fwa_term *t = &p->terms[a->terms + i];

		if (t->kind != FWA_TERM_COMMAND || t->flags & FWA_TERM_NOT)
			continue;
		listed = true;
		if (allows_command(p, b, t))
			return true;
	}
	return !listed;
}

static void note_overlap(const struct fwa_policy_files *p, const struct candidates *c, rule_ptr b,
			 struct fwa_policy_report *report)
{
	for (size_t i = 0; i < c->n; i++) {
		rule_ptr a = c->at[i];

		if (a >= b || covers(p, a, b) || covers(p, b, a) || !share_devices(p, a, b) ||
		    !share_commands(p, a, b))
			continue;
		fwa_policy_report(report, false, p->files[b->file], b->line,
				  "grant '%s' overlaps grant '%s' (%s:%u): a command must be "
				  "covered by one of them alone, they are not added up",
				  b->name, a->name, p->files[a->file], a->line);
		return;
	}
}

/* Names only: a pattern with a ':' is for a spec, which no list of devices has. */
static void note_no_device(const struct fwa_policy_files *p, rule_ptr r,
			   const struct fwa_found *devices, size_t n,
			   struct fwa_policy_report *report)
{
	const char *pattern = p->pool + r->patterns;

	for (size_t i = 0; i < r->n_patterns; i++, pattern += strlen(pattern) + 1) {
		if (strchr(pattern, ':'))
			return;
		for (size_t k = 0; k < n; k++)
			if (fwa_pattern_matches(pattern, devices[k].name))
				return;
	}
	fwa_policy_report(report, false, p->files[r->file], r->line,
			  "grant '%s' is for no device that this machine has now", r->name);
}

int fwa_policy_files_notes(const struct fwa_policy_files *p, const struct fwa_found *devices,
			   size_t n_devices, fwa_policy_message_fn fn, void *userdata)
{
	fwa_auto_free rule_ptr *rules = calloc(p->n_rules + 1, sizeof(rule_ptr));
	struct fwa_policy_report report = { .fn = fn, .userdata = userdata };
	size_t n, end;

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_rules; i++) {
		rules[i] = &p->rules[i];
		note_no_device(p, rules[i], devices, n_devices, &report);
	}
	n = sort_by_subject(p, rules);
	for (size_t i = 0; i < n; i = end) {
		struct candidates group;

		end = end_of_group(p, rules, i, n);
		group = group_of(rules, i, end);
		for (size_t k = i; k < end; k++)
			note_overlap(p, &group, rules[k], &report);
	}
	return 0;
}
