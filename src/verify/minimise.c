/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces are taken away, at first all, then halves of what there is, at last single things, for as long as
 * it still happens. Pieces at the front are tried first: of a sequence what is long ago is seldom needed,
 * and what is left is tried the faster for it.
 *
 * A set that no single thing can be taken away from is what "1-minimal" means; it is known when a whole
 * round over the single things took none away.
 */
#include "verify/minimise.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct minimise {
	uint32_t *keep;
	uint32_t *without; /* what is tried */
	size_t n;
	size_t *budget;
	vfy_try_fn try_fn;
	void *userdata;
};

/* Whether it happens without the @len things at @at: then they are gone. 1, 0, -EDQUOT, negative errno. */
static int take_away(struct minimise *m, size_t at, size_t len)
{
	size_t left = m->n - len;
	int r;

	if (!*m->budget)
		return -EDQUOT;
	--*m->budget;
	memcpy(m->without, m->keep, at * sizeof(*m->keep));
	memcpy(m->without + at, m->keep + at + len, (left - at) * sizeof(*m->keep));
	r = m->try_fn(m->userdata, m->without, left);
	if (r <= 0)
		return r;
	memcpy(m->keep, m->without, left * sizeof(*m->keep));
	m->n = left;
	return 1;
}

/* One round over all pieces of @size, from the first. 1: something went away; 0; negative errno. */
static int take_pieces(struct minimise *m, size_t size)
{
	bool any = false;
	size_t at = 0;

	while (at < m->n) {
		size_t len = m->n - at < size ? m->n - at : size;
		int r = take_away(m, at, len);

		if (r < 0)
			return r;
		if (r)
			any = true;
		else
			at += len;
	}
	return any;
}

/* Ever smaller pieces; single things until none of them goes away. */
static int take_all(struct minimise *m)
{
	size_t size = m->n;
	int r = 0;

	while (m->n) {
		r = take_pieces(m, size);
		if (r < 0)
			return r;
		if (size > 1)
			size = (size + 1) / 2;
		else if (!r)
			return 1;
		if (size > m->n && m->n)
			size = m->n;
	}
	return 1;
}

int vfy_minimise(uint32_t *keep, size_t *n, size_t *budget, vfy_try_fn try_fn, void *userdata)
{
	struct minimise m = {
		.keep = keep,
		.n = *n,
		.budget = budget,
		.try_fn = try_fn,
		.userdata = userdata,
	};
	int r;

	if (!*n)
		return 1;
	m.without = malloc(*n * sizeof(*m.without));
	if (!m.without)
		return -ENOMEM;
	r = take_all(&m);
	free(m.without);
	*n = m.n;
	return r == -EDQUOT ? 0 : r;
}
