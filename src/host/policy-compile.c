/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From rules to the snapshot of one device: only the grants that a worker needs, in the order in
 * which it searches them (core/policy.h).
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "base/util.h"

/* What goes into a snapshot: rules by index, and whom they are for. */
struct selection {
	const struct fwa_policy_files *p;
	const struct fwa_moment *moment;
	struct fwa_grantee *grantees; /* their grant: index of the rule, then of the grant */
	uint32_t *rules;
	struct fwa_policy_counts n;
};

static bool matches(const struct fwa_policy_files *p, const struct fwa_policy_rule *r,
		    const char *name, const char *spec)
{
	const char *pattern = p->pool + r->patterns;

	for (size_t i = 0; i < r->n_patterns; i++, pattern += strlen(pattern) + 1)
		if (fwa_pattern_matches(pattern, name) ||
		    (spec && fwa_pattern_matches(pattern, spec)))
			return true;
	return false;
}

/* Grantees that compare equal stay in the order of the files. */
static int grantee_order(const void *pa, const void *pb)
{
	const struct fwa_grantee *a = pa, *b = pb;
	int order = fwa_grantee_order(a->who, a->id, b->who, b->id);

	return order ? order : (a->grant > b->grant) - (a->grant < b->grant);
}

static uint32_t text_len(const struct fwa_policy_files *p, size_t offset)
{
	return (uint32_t)strlen(p->texts + offset) + 1;
}

/* A rule's texts follow each other in the snapshot: those of its units, of its conditions, its ticket. */

static uint32_t conditions_len(const struct fwa_policy_files *p, const struct fwa_policy_rule *r)
{
	uint32_t len = 0;

	for (size_t i = 0; i < r->n_conditions; i++)
		len += text_len(p, p->conditions[r->conditions + i].text);
	return len;
}

static uint32_t units_len(const struct fwa_policy_files *p, const struct fwa_policy_rule *r)
{
	const struct fwa_policy_subject *who = p->subjects + r->subjects;
	uint32_t len = 0;

	for (size_t i = 0; i < r->n_subjects && who->who == FWA_WHO_UNIT; i++)
		len += text_len(p, who[i].id);
	return len;
}

static uint32_t ticket_len(const struct fwa_policy_files *p, const struct fwa_policy_rule *r)
{
	return r->ticket ? text_len(p, r->ticket) : 0;
}

static void take_rule(struct selection *s, const struct fwa_policy_rule *r)
{
	uint32_t text = s->n.text;

	for (size_t i = 0; i < r->n_subjects; i++) {
		const struct fwa_policy_subject *who = &s->p->subjects[r->subjects + i];
		struct fwa_grantee g = { who->who, who->id, who->last, s->n.grants };

		if (who->who == FWA_WHO_UNIT) {
			g.id = text;
			text += text_len(s->p, who->id);
		}
		s->grantees[s->n.grantees++] = g;
	}
	s->rules[s->n.grants++] = (uint32_t)(r - s->p->rules);
	s->n.terms += (uint32_t)r->n_terms;
	s->n.patterns += (uint32_t)r->n_conditions;
	s->n.text = text + conditions_len(s->p, r) + ticket_len(s->p, r);
}

static void collect(struct selection *s, const char *name, const char *spec)
{
	uint64_t end;

	s->n.text = 1; /* the empty one */
	for (size_t i = 0; i < s->p->n_rules; i++)
		if (s->p->rules[i].n_subjects && matches(s->p, &s->p->rules[i], name, spec) &&
		    fwa_policy_rule_end(s->p, &s->p->rules[i], s->moment, &end))
			take_rule(s, &s->p->rules[i]);
	qsort(s->grantees, s->n.grantees, sizeof(*s->grantees), grantee_order);
}

/*
 * One that has ended is there so that a refusal can say so. It has no limits and records nothing: others
 * that have ended then contain it, and it takes no place among the rights of a caller
 * (FWA_RIGHTS_MAX).
 */
static void write_grant(const struct selection *s, const struct fwa_policy_rule *r,
			struct fwa_policy_counts *at, struct fwa_writer *w)
{
	uint32_t ticket = at->text + units_len(s->p, r) + conditions_len(s->p, r);
	struct fwa_grant g = {
		.scope = r->scope,
		.effects = r->effects,
		.first_term = at->terms,
		.n_terms = (uint32_t)r->n_terms,
		.first_pattern = at->patterns,
		.n_patterns = (uint32_t)r->n_conditions,
		.ticket = r->ticket ? ticket : 0,
	};

	fwa_policy_rule_end(s->p, r, s->moment, &g.until); /*= spec/SECURITY-MODEL.md#C20 */
	if (g.until != 1) {
		g.sessions = r->sessions;
		g.commands = r->commands;
		g.bytes = r->bytes;
		g.record_payload = r->record_payload;
	}
	at->terms += g.n_terms;
	at->patterns += g.n_patterns;
	at->text = ticket + ticket_len(s->p, r);
	memcpy(g.name, r->name, sizeof(g.name));
	fwa_policy_write_grant(w, &g);
}

static void write_patterns(const struct selection *s, const struct fwa_policy_rule *r,
			   uint32_t *text, struct fwa_writer *w)
{
	*text += units_len(s->p, r);
	for (size_t i = 0; i < r->n_conditions; i++) {
		struct fwa_pattern pattern = s->p->conditions[r->conditions + i];
		uint32_t len = text_len(s->p, pattern.text);

		pattern.text = *text;
		fwa_policy_write_pattern(w, &pattern);
		*text += len;
	}
	*text += ticket_len(s->p, r);
}

static void write_text(const struct selection *s, size_t offset, struct fwa_writer *w)
{
	fwa_write_bytes(w, s->p->texts + offset, text_len(s->p, offset));
}

static void write_texts(const struct selection *s, const struct fwa_policy_rule *r,
			struct fwa_writer *w)
{
	const struct fwa_policy_subject *who = s->p->subjects + r->subjects;

	for (size_t i = 0; i < r->n_subjects && who->who == FWA_WHO_UNIT; i++)
		write_text(s, who[i].id, w);
	for (size_t i = 0; i < r->n_conditions; i++)
		write_text(s, s->p->conditions[r->conditions + i].text, w);
	if (r->ticket)
		write_text(s, r->ticket, w);
}

static void write_snapshot(const struct selection *s, struct fwa_writer *w)
{
	struct fwa_policy_counts at = { .text = 1 };
	const struct fwa_policy_rule *rules = s->p->rules;
	uint32_t text = 1;

	fwa_policy_write_header(w, &s->n, s->p->digest);
	for (uint32_t i = 0; i < s->n.grantees; i++)
		fwa_policy_write_grantee(w, &s->grantees[i]);
	for (uint32_t i = 0; i < s->n.grants; i++)
		write_grant(s, &rules[s->rules[i]], &at, w);
	for (uint32_t i = 0; i < s->n.grants; i++)
		for (size_t k = 0; k < rules[s->rules[i]].n_terms; k++)
			fwa_filter_write_term(w, &s->p->terms[rules[s->rules[i]].terms + k]);
	for (uint32_t i = 0; i < s->n.grants; i++)
		write_patterns(s, &rules[s->rules[i]], &text, w);
	fwa_write_u8(w, 0);
	for (uint32_t i = 0; i < s->n.grants; i++)
		write_texts(s, &rules[s->rules[i]], w);
}

static size_t snapshot_len(const struct fwa_policy_counts *n)
{
	return FWA_POLICY_HEADER_LEN + (size_t)n->grantees * FWA_POLICY_GRANTEE_LEN +
	       (size_t)n->grants * FWA_POLICY_GRANT_LEN + (size_t)n->terms * FWA_TERM_LEN +
	       (size_t)n->patterns * FWA_POLICY_PATTERN_LEN + n->text;
}

int fwa_policy_files_encode_at(const struct fwa_policy_files *p, const char *name, const char *spec,
			       const struct fwa_moment *m, uint8_t **ret, size_t *ret_len)
{
	fwa_auto_free struct fwa_grantee *grantees = calloc(p->n_subjects + 1, sizeof(*grantees));
	fwa_auto_free uint32_t *rules = calloc(p->n_rules + 1, sizeof(*rules));
	struct selection s = { .p = p, .moment = m, .grantees = grantees, .rules = rules };
	fwa_auto_free uint8_t *buf = NULL;
	struct fwa_writer w;

	if (!grantees || !rules)
		return -ENOMEM;
	collect(&s, name, spec);
	buf = malloc(snapshot_len(&s.n));
	if (!buf)
		return -ENOMEM;
	w = fwa_writer(buf, snapshot_len(&s.n));
	write_snapshot(&s, &w);
	*ret = fwa_steal(buf);
	*ret_len = w.len;
	return 0;
}

int fwa_policy_files_encode(const struct fwa_policy_files *p, const char *name, const char *spec,
			    uint8_t **ret, size_t *ret_len)
{
	struct fwa_moment now;

	fwa_moment_now(&now);
	return fwa_policy_files_encode_at(p, name, spec, &now, ret, ret_len);
}

int fwa_policy_files_compile(const struct fwa_policy_files *p, const char *name, const char *spec)
{
	fwa_auto_free uint8_t *buf = NULL;
	size_t len;
	int r;

	r = fwa_policy_files_encode(p, name, spec, &buf, &len);
	if (r < 0)
		return r;
	return fwa_memfd_sealed("fwadmit-policy", fwa_span(buf, len));
}
