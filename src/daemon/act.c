/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What operators and the daemon do, as records of the journal.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/journal-internal.h"

static struct fwa_record_unrecorded unrecorded(const struct fwa_journald *j)
{
	return (struct fwa_record_unrecorded){ .passed = j->unrecorded,
					       .since = j->unrecorded_since,
					       .until = j->unrecorded_until };
}

/* Says in the journal, first thing when there is room, what is not in it. */
static void confess(struct fwa_journald *j, struct fwa_ring_writer *w)
{
	struct fwa_record_unrecorded u = unrecorded(j);
	uint8_t body[64];
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	if (!j->unrecorded)
		return;
	fwa_record_unrecorded_encode(&out, &u);
	if (!fwa_ring_put(w, FWA_RECORD_UNRECORDED, fwa_span(body, out.len), true))
		return;
	j->unrecorded = 0;
	fwa_ring_set_lost(w, &(struct fwa_record_unrecorded){ 0 });
}

static void lose(struct fwa_journald *j, const struct fwa_record_control *r)
{
	struct fwa_record_unrecorded u;

	log_error("journal: not recorded: %s, uid %u%s%s: %s", fwa_control_act_name(r->act), r->uid,
		  r->device[0] ? ", " : "", r->device, r->text);
	j->unrecorded_until = fwa_clock_ns(CLOCK_BOOTTIME);
	if (!j->unrecorded++)
		j->unrecorded_since = j->unrecorded_until;
	u = unrecorded(j);
	if (fwa_journald_ring(j)) /* should we end before it can be told */
		fwa_ring_set_lost(fwa_journald_ring(j), &u);
}

/* The record's counter; 0 when there is no room. */
static uint64_t put(struct fwa_journald *j, const struct fwa_record_control *r, bool urgent)
{
	struct fwa_ring_writer *w = fwa_journald_ring(j);
	uint8_t body[sizeof(*r) + 64];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	uint64_t counter = 0;

	fwa_record_control_encode(&out, r);
	fwa_journald_look(j); /* what is late counts from when it was all written */
	if (w) {
		confess(j, w);
		if (!j->unrecorded)
			counter = fwa_ring_put(w, FWA_RECORD_CONTROL, fwa_span(body, out.len),
					       urgent);
	}
	if (counter)
		fwa_journald_stir(j);
	return counter;
}

__attribute__((format(printf, 5, 0))) static void fill(struct fwa_record_control *r,
						       enum fwa_control_act act,
						       const struct fwa_peer *peer,
						       const char *device, const char *format,
						       va_list ap)
{
	memset(r, 0, sizeof(*r));
	r->act = (uint16_t)act;
	r->uid = peer ? peer->uid : getuid();
	r->pid = (uint32_t)(peer ? peer->pid : getpid());
	snprintf(r->device, sizeof(r->device), "%s", device ? device : "");
	vsnprintf(r->text, sizeof(r->text), format, ap);
	fwa_make_printable(r->device);
	fwa_make_printable(r->text);
}

void fwa_act(struct fwa_daemon *d, enum fwa_control_act act, const struct fwa_peer *peer,
	     const char *device, const char *format, ...)
{
	struct fwa_record_control r;
	va_list ap;

	if (!d->journald)
		return;
	va_start(ap, format);
	fill(&r, act, peer, device, format, ap);
	va_end(ap);
	if (!put(d->journald, &r, false))
		lose(d->journald, &r);
}

uint64_t fwa_act_begin(struct fwa_daemon *d, enum fwa_control_act act, const struct fwa_peer *peer,
		       const char *device, const char *format, ...)
{
	struct fwa_record_control r;
	uint64_t counter;
	va_list ap;

	if (!d->journald)
		return 0;
	va_start(ap, format);
	fill(&r, act, peer, device, format, ap);
	va_end(ap);
	counter = put(d->journald, &r, true);
	if (!counter)
		lose(d->journald, &r);
	return counter;
}

void fwa_act_await(struct fwa_daemon *d, uint64_t record)
{
	if (record)
		fwa_journald_wait(d->journald, record);
}

/*= spec/SECURITY-MODEL.md#C31 */
int fwa_act_widen(struct fwa_daemon *d, char error[FWA_ERROR_LEN], enum fwa_control_act act,
		  const struct fwa_peer *peer, const char *device, const char *format, ...)
{
	struct fwa_record_control r;
	uint64_t counter = 0;
	va_list ap;

	if (!d->journald)
		return 0;
	va_start(ap, format);
	fill(&r, act, peer, device, format, ap);
	va_end(ap);
	if (!fwa_journald_is_down(d->journald))
		counter = put(d->journald, &r, true);
	if (counter && fwa_journald_wait(d->journald, counter) == 0)
		return 0;
	if (counter) /* it may come to be in the journal after all */
		fwa_act(d, act, peer, device,
			"not done, for this could not be recorded in time: %s", r.text);
	return fwa_fail(error, -EIO, "the journal cannot record it: %s",
			fwa_journald_trouble(d->journald));
}
