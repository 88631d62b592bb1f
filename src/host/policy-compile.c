/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From rules to the snapshot of one device: only the grants that a worker needs, in the order in
 * which it searches them (core/policy.h).
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"

/* A grant to be: rule and subject by index. */
struct pair {
	uint32_t who;
	uint32_t id;
	uint32_t rule;
};

static bool matches(const struct fwa_policy_files *p, const struct fwa_policy_rule *r,
		    const char *name, const char *spec)
{
	const char *pattern = p->pool + r->patterns;

	for (size_t i = 0; i < r->n_patterns; i++, pattern += strlen(pattern) + 1)
		if (fnmatch(pattern, name, 0) == 0 || (spec && fnmatch(pattern, spec, 0) == 0))
			return true;
	return false;
}

/* The order of a snapshot; grants for the same subject stay in the order of the files. */
static int pair_order(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int order = fwa_grant_order(a->who, a->id, b->who, b->id);

	return order ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

static uint32_t collect(const struct fwa_policy_files *p, const char *name, const char *spec,
			struct pair *pairs)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_rules; i++) {
		const struct fwa_policy_rule *r = &p->rules[i];

		if (!matches(p, r, name, spec))
			continue;
		for (size_t k = 0; k < r->n_subjects; k++) {
			const struct fwa_policy_subject *s = &p->subjects[r->subjects + k];

			pairs[n++] = (struct pair){ s->who, s->id, i };
		}
	}
	qsort(pairs, n, sizeof(*pairs), pair_order);
	return n;
}

static void write_snapshot(const struct fwa_policy_files *p, const struct pair *pairs, uint32_t n,
			   struct fwa_writer *w)
{
	fwa_policy_write_header(w, n, p->digest);
	for (uint32_t i = 0; i < n; i++) {
		const struct fwa_policy_rule *r = &p->rules[pairs[i].rule];
		struct fwa_grant g = {
			.who = pairs[i].who,
			.id = pairs[i].id,
			.scope = r->scope,
			.effects = r->effects,
		};

		memcpy(g.name, r->name, sizeof(g.name));
		fwa_policy_write_grant(w, &g);
	}
}

int fwa_policy_files_encode(const struct fwa_policy_files *p, const char *name, const char *spec,
			    uint8_t **ret, size_t *ret_len)
{
	fwa_auto_free struct pair *pairs = calloc(p->n_subjects + 1, sizeof(*pairs));
	fwa_auto_free uint8_t *buf = NULL;
	struct fwa_writer w;
	uint32_t n;
	size_t cap;

	if (!pairs)
		return -ENOMEM;
	n = collect(p, name, spec, pairs);
	cap = FWA_POLICY_HEADER_LEN + (size_t)n * FWA_POLICY_GRANT_LEN;
	buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	w = fwa_writer(buf, cap);
	write_snapshot(p, pairs, n, &w);
	*ret = fwa_steal(buf);
	*ret_len = w.len;
	return 0;
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
