/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/advice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "base/version.h"
#include "proto/control.h"
#include "worker/worker.h"

void advice_renew(struct worker *w)
{
	struct advising *a = &w->advising;

	if (a->table.data)
		fwa_advice_fold(&a->all, &w->profile, fwa_pattern_matches, fwa_version_compare,
				&a->advice);
}

/*= spec/SECURITY-MODEL.md#C33 */
int advice_load(struct worker *w, int fd)
{
	struct advising *a = &w->advising;
	struct fwa_span table, old = a->table;
	struct fwa_advisories all;
	int r = fwa_memfd_map(fd, FWA_ADVISORIES_TABLE_MAX, &table);

	if (r < 0)
		return r;
	if (fwa_advisories_parse(&all, table) < 0) {
		fwa_memfd_unmap(table);
		return -EBADMSG;
	}
	a->table = table;
	a->all = all;
	advice_renew(w);
	if (old.data)
		fwa_memfd_unmap(old);
	return 0;
}

/* Jobs that wait are judged again when they start: nothing else has to be told. */
void advice_on_advisories(struct worker *w, const char *text, int *fd)
{
	int r = *fd < 0 ? -EBADF : advice_load(w, *fd);

	if (r < 0)
		fwa_control_send(w->control, FWA_CONTROL_ADVISORIES_BAD, strerror(-r), -1);
}

/* --- telling what they are ------------------------------------------------------------------------ */

/* Opcodes that are forbidden for lack of room, as entries of as many terms as a filter may have. */
struct forbidden {
	struct fwa_advisory *entry;
	uint32_t n, terms; /* entries, and terms of the last one */
	struct fwa_writer filters;
};

static void forbid(struct forbidden *f, uint8_t family, uint8_t set, uint32_t opcode)
{
	struct fwa_term t = { .kind = FWA_TERM_COMMAND, .set = set, .value = opcode };
	struct fwa_advisory *e = f->n ? &f->entry[f->n - 1] : NULL;

	if (!e || f->terms == FWA_FILTER_TERMS_MAX) {
		e = &f->entry[f->n++];
		*e = (struct fwa_advisory){ .family = family,
					    .never = true,
					    .id = "too-many",
					    .vendor = "",
					    .model = "",
					    .firmware_from = "",
					    .firmware_to = "",
					    .reference = "" };
		e->filter = fwa_span(f->filters.buf + f->filters.len, 0);
		f->terms = 0;
	}
	fwa_filter_write_term(&f->filters, &t);
	e->filter.len += FWA_TERM_LEN;
	f->terms++;
}

static void forbid_marked(struct forbidden *f, uint8_t family, uint8_t set, const uint64_t *bits,
			  uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (bits[i / 64] >> (i % 64) & 1)
			forbid(f, family, set, i);
}

/* The most opcodes that there are. */
#define OPCODES (65536u + 2 * 256u)
#define FORBIDDEN_MAX (OPCODES / FWA_FILTER_TERMS_MAX + 3)

/* False without memory. What has no room here has none where it is read either, and is forbidden there. */
static bool write_overflow(const struct worker *w, struct fwa_advisory *all, uint32_t n,
			   struct fwa_writer *out)
{
	static const uint8_t none[32];
	const struct fwa_advice *a = &w->advising.advice;
	size_t len = a->overflow ? (size_t)OPCODES * FWA_TERM_LEN : 1;
	uint8_t *terms = malloc(len);
	struct forbidden f = { .entry = all + n, .filters = fwa_writer(terms, terms ? len : 0) };

	if (!terms)
		return false;
	if (a->overflow) {
		uint8_t family = w->profile.family;

		forbid_marked(&f, family, FWA_SET_CXL, a->cxl_over, 65536);
		forbid_marked(&f, family, FWA_SET_NVME_ADMIN, a->nvme_over[0], 256);
		forbid_marked(&f, family, FWA_SET_NVME_IO, a->nvme_over[1], 256);
	}
	fwa_advisories_write(out, all, n + f.n, a->table ? a->table->digest : none);
	free(terms);
	return true;
}

void advice_write(const struct worker *w, struct fwa_writer *out)
{
	const struct fwa_advice *a = &w->advising.advice;
	struct fwa_advisory *all;
	uint32_t n = 0;

	if (!a->n)
		return;
	all = calloc(FWA_ADVICE_MAX + (a->overflow ? FORBIDDEN_MAX : 0), sizeof(*all));
	for (uint32_t i = 0; all && i < a->n; i++)
		n += fwa_advisories_entry(a->table, a->entry[i], &all[n]);
	if (!all || !write_overflow(w, all, n, out))
		out->full = true;
	free(all);
}
