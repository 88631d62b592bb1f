/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/advisories.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "core/advisory.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/served.h"
#include "host/advisory.h"

/* One reading of the store. */
struct reading {
	struct fwa_daemon *d;
	uint64_t before; /* wall clock of the one before */
	unsigned int n_bad;
	char trouble[sizeof(((struct fwa_advised *)0)->trouble)];
};

static void on_bad(struct reading *r, const struct fwa_advisory_file *f)
{
	char error[sizeof(f->error)];

	memcpy(error, f->error, sizeof(error));
	fwa_make_printable(error);
	log_error("advisory %s: NOT in force: %s", f->id, error);
	if (!r->n_bad++)
		snprintf(r->trouble, sizeof(r->trouble), "%s is not in force: %.160s", f->id,
			 error);
}

/* What it forbade may pass from now on, which is told once. */
static void on_over(struct reading *r, const struct fwa_advisory_file *f)
{
	if (!r->before || f->expires <= r->before)
		return;
	log_info("advisory %s: ended", f->id);
	fwa_act(r->d, FWA_ACT_ADVISORY_ENDED, NULL, NULL, "%s: its time is over", f->id);
	fwa_event(r->d, "advisory_ended", NULL, "%s", f->id);
}

static void on_left_out(const struct fwa_advisory_file *f, void *userdata)
{
	if (f->status == FWA_ADVISORY_EXPIRED)
		on_over(userdata, f);
	else
		on_bad(userdata, f);
}

/* Documents in a table: the entries of one follow each other. */
static uint32_t count(int table_fd)
{
	char last[FWA_ADVISORY_ID_MAX] = "";
	struct fwa_advisories all;
	struct fwa_advisory e;
	struct fwa_span map;
	uint32_t n = 0;

	if (fwa_memfd_map(table_fd, FWA_ADVISORIES_TABLE_MAX, &map) < 0)
		return 0;
	if (fwa_advisories_parse(&all, map) < 0)
		log_error("the table of advisories is none");
	for (uint32_t i = 0; fwa_advisories_entry(&all, i, &e); i++) {
		n += strcmp(last, e.id) != 0;
		snprintf(last, sizeof(last), "%s", e.id);
	}
	fwa_memfd_unmap(map);
	return n;
}

/* Says a new trouble once. */
static void take_trouble(struct fwa_daemon *d, const struct reading *r)
{
	struct fwa_advised *a = &d->advisories;

	if (r->n_bad && strcmp(a->trouble, r->trouble) != 0)
		fwa_event(d, "advisory_trouble", NULL, "%s", r->trouble);
	memcpy(a->trouble, r->trouble, sizeof(a->trouble));
	a->n_bad = r->n_bad;
}

int fwa_advised_load(struct fwa_daemon *d)
{
	const struct fwa_advisory_place place = { .state = d->state.path };
	struct fwa_advised *a = &d->advisories;
	struct reading reading = { .d = d, .before = a->read };
	struct fwa_moment now;
	uint64_t until;
	int fd, r;

	if (!d->state.path) {
		snprintf(a->trouble, sizeof(a->trouble), "none are in force: %s", d->state.error);
		return 0;
	}
	fwa_moment_now(&now);
	r = fwa_advisories_compile(&place, &now, on_left_out, &reading, &fd, &until);
	if (r < 0) {
		snprintf(a->trouble, sizeof(a->trouble), "they cannot be read: %s%s", strerror(-r),
			 a->table_fd < 0 ? "" : "; those before stay in force");
		log_error("advisories: %s", a->trouble);
		fwa_event(d, "advisory_trouble", NULL, "%s", a->trouble);
		return r;
	}
	fwa_close(a->table_fd);
	a->table_fd = fd;
	a->until = until;
	a->n = count(fd);
	a->read = fwa_clock_ns(CLOCK_REALTIME) / FWA_NS_PER_S;
	take_trouble(d, &reading);
	if (a->n)
		log_info("%u advisor%s in force", a->n, a->n == 1 ? "y is" : "ies are");
	return 0;
}

int fwa_advised_renew(struct fwa_daemon *d, struct fwa_round *round)
{
	int r = fwa_advised_load(d);

	if (r < 0)
		return r;
	fwa_advised_expect(d);
	if (d->advisories.table_fd < 0)
		return 0;
	for (struct fwa_served *s = d->devices; s; s = s->next)
		fwa_served_advise(s, round);
	return 0;
}

/* Workers know its end themselves; a table without it has room for others. */
static int on_end(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_daemon *d = userdata;

	d->advisories.until = 0;
	fwa_advised_renew(d, NULL);
	return 0;
}

void fwa_advised_expect(struct fwa_daemon *d)
{
	struct fwa_advised *a = &d->advisories;
	int r;

	a->end = sd_event_source_unref(a->end);
	if (!a->until)
		return;
	r = sd_event_add_time(d->event, &a->end, CLOCK_BOOTTIME, a->until / 1000 + 1, 0, on_end, d);
	if (r < 0)
		log_warning("advisories that end stay in the list: %s", strerror(-r));
}

void fwa_advised_clear(struct fwa_advised *a)
{
	a->end = sd_event_source_unref(a->end);
	a->table_fd = fwa_close(a->table_fd);
}
