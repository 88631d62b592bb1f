/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of grants that make no sense together with the rest of the grant, as far as the model
 * can tell without a device: a device may declare more effects than the model knows, never fewer.
 *
 * 1. Nothing here changes what a grant admits: these are warnings about what it does not.
 * 2. What is said to be impossible is so on every device.
 */
#include "host/policy-internal.h"

#include <stdio.h>
#include <string.h>

#include "base/pattern.h"
#include "core/decide.h"

typedef const struct fwa_policy_rule *rule_ptr;

struct checker {
	const struct fwa_policy_files *p;
	struct fwa_policy_report *report;
	rule_ptr rule;
};

#define warn(c, ...)                                                                           \
	fwa_policy_report((c)->report, false, (c)->p->files[(c)->rule->file], (c)->rule->line, \
			  __VA_ARGS__)

static const struct fwa_term *term(const struct checker *c, size_t i)
{
	return &c->p->terms[c->rule->terms + i];
}

/* "get-log-page", "io:read", "cxl:c001h". */
static const char *command_text(const struct fwa_term *t, char text[64])
{
	const struct fwa_model_command *row = fwa_model_find(t->set, (uint16_t)t->value);

	if (row)
		snprintf(text, 64, "%s%.48s", fwa_set_prefix(t->set), row->name);
	else
		snprintf(text, 64, "%s%02xh", fwa_set_prefix(t->set), t->value);
	return text;
}

/* --- impossible ------------------------------------------------------------------------------- */

static bool set_is_family(unsigned int set, unsigned int family)
{
	if (family == FWA_FAMILY_SIM)
		return true;
	return (family == FWA_FAMILY_NVME) == (set != FWA_SET_CXL);
}

/* Whether a device that the grant is for can have commands of @set. */
static bool family_has(const struct checker *c, unsigned int set)
{
	bool demands = false;

	for (size_t i = 0; i < c->rule->n_conditions; i++) {
		const struct fwa_pattern *pattern = &c->p->conditions[c->rule->conditions + i];

		if (pattern->condition != FWA_CONDITION_FAMILY)
			continue;
		demands = true;
		for (unsigned int f = FWA_FAMILY_NONE + 1; f < FWA_FAMILY_COUNT; f++)
			if (set_is_family(set, f) &&
			    fwa_pattern_matches(c->p->texts + pattern->text, fwa_family_name(f)))
				return true;
	}
	return !demands;
}

/* Whether the grant can admit @t on some device; says why not. */
static bool check_possible(const struct checker *c, const struct fwa_term *t)
{
	fwa_effects effects;
	unsigned int scope = fwa_least_scope(t->set, (uint16_t)t->value, &effects);
	const char *name = c->rule->name;
	char command[64];

	command_text(t, command);
	if (!family_has(c, t->set))
		warn(c, "grant '%s': no device of its family has command %s", name, command);
	else if (scope == FWA_SCOPE_NEVER) /*= spec/SECURITY-MODEL.md#C15 */
		warn(c, "grant '%s': command %s is never admitted", name, command);
	else if (scope > c->rule->scope)
		warn(c, "grant '%s': command %s needs scope %s", name, command,
		     fwa_scope_name(scope));
	else if (effects & ~c->rule->effects)
		warn(c, "grant '%s': command %s has effects that the grant does not allow", name,
		     command);
	else
		return true;
	return false;
}

static void check_possible_items(const struct checker *c)
{
	bool any = false, possible = false;

	for (size_t i = 0; i < c->rule->n_terms; i++) {
		const struct fwa_term *t = term(c, i);

		if (t->kind != FWA_TERM_COMMAND || t->flags & FWA_TERM_NOT)
			continue;
		any = true;
		possible |= check_possible(c, t);
	}
	if (any && !possible)
		warn(c, "grant '%s' can never admit anything", c->rule->name);
}

static void check_family(const struct checker *c)
{
	for (size_t i = 0; i < c->rule->n_conditions; i++) {
		const struct fwa_pattern *pattern = &c->p->conditions[c->rule->conditions + i];
		const char *text = c->p->texts + pattern->text;
		unsigned int f = FWA_FAMILY_NONE + 1;

		if (pattern->condition != FWA_CONDITION_FAMILY)
			continue;
		while (f < FWA_FAMILY_COUNT && !fwa_pattern_matches(text, fwa_family_name(f)))
			f++;
		if (f == FWA_FAMILY_COUNT)
			warn(c,
			     "grant '%s': no family is called '%s'; there are cxl, nvme, fwctl, "
			     "sim",
			     c->rule->name, text);
	}
}

/* --- contradictory ---------------------------------------------------------------------------- */

/* Where the item or group that begins at @i ends. */
static size_t end_of_item(const struct checker *c, size_t i)
{
	do
		i++;
	while (i < c->rule->n_terms && term(c, i)->kind != FWA_TERM_COMMAND);
	return i;
}

static size_t end_of_group(const struct checker *c, size_t i)
{
	do
		i++;
	while (i < c->rule->n_terms && term(c, i)->flags & FWA_TERM_AND);
	return i;
}

static bool same_group(const struct checker *c, size_t a, size_t b)
{
	size_t n = end_of_group(c, a) - a;

	if (end_of_group(c, b) - b != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!fwa_term_eq(term(c, a + i), term(c, b + i)))
			return false;
	return true;
}

/* Groups of the item from @first to @end that are in it with and without a '!'. */
static void check_groups(const struct checker *c, size_t first, size_t end)
{
	char command[64];

	for (size_t a = first + 1; a < end; a = end_of_group(c, a))
		for (size_t b = end_of_group(c, a); b < end; b = end_of_group(c, b)) {
			if ((term(c, a)->flags ^ term(c, b)->flags) & FWA_TERM_NOT &&
			    same_group(c, a, b))
				warn(c,
				     "grant '%s': command %s: the same %s is both allowed and "
				     "excluded",
				     c->rule->name, command_text(term(c, first), command),
				     fwa_field_name(term(c, a)->kind));
		}
}

/* The item from @a to @end is allowed, and another excludes all of it, or just it. */
static void check_excluded(const struct checker *c, size_t a, size_t end)
{
	char command[64];

	if (term(c, a)->flags & FWA_TERM_NOT)
		return;
	for (size_t b = 0; b < c->rule->n_terms; b = end_of_item(c, b)) {
		size_t n = end_of_item(c, b) - b, i = 0;

		if (!(term(c, b)->flags & FWA_TERM_NOT) || !fwa_term_eq(term(c, a), term(c, b)))
			continue;
		while (n == end - a && i < n && fwa_term_eq(term(c, a + i), term(c, b + i)) &&
		       (i == 0 || term(c, a + i)->flags == term(c, b + i)->flags))
			i++;
		if (n == 1 || i == n)
			warn(c, "grant '%s': command %s is both allowed and excluded",
			     c->rule->name, command_text(term(c, a), command));
	}
}

void fwa_policy_check_commands(const struct fwa_policy_files *p, struct fwa_policy_report *report)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		struct checker c = { p, report, &p->rules[i] };
		size_t end;

		check_family(&c);
		check_possible_items(&c);
		for (size_t a = 0; a < c.rule->n_terms; a = end) {
			end = end_of_item(&c, a);
			check_groups(&c, a, end);
			check_excluded(&c, a, end);
		}
	}
}
