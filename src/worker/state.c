/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling how the device is. A process that does not read is not waited for.
 */
#include "worker/state.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "core/model.h"
#include "worker/worker.h"

#define INTERVAL_NS FWA_NS_PER_S

/* One more line. What does not fit is left out as a whole. */
static void add(struct fwa_writer *t, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct fwa_writer *t, const char *key, const char *format, ...)
{
	char value[128];
	char line[192];
	va_list args;
	int n;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	n = snprintf(line, sizeof(line), "%s=%s\n", key, value);
	fwa_write_bytes(t, line, (size_t)n < sizeof(line) ? (size_t)n : 0);
}

static void add_command(struct fwa_writer *t, const struct lease *l)
{
	const struct fwa_model_command *row = fwa_model_find(l->set, l->opcode);

	add(t, "lease_command", l->set == FWA_SET_CXL ? "%s %04xh%s%s" : "%s %02xh%s%s",
	    fwa_set_name(l->set), l->opcode, row ? " " : "", row ? row->name : "");
}

static void add_lease(struct fwa_writer *t, const struct worker *w)
{
	const char *kind;
	const struct lease *l = lease_shown(w, &kind);

	if (!l)
		return;
	add(t, "lease_kind", "%s", kind);
	add(t, "lease_uid", "%u", l->uid);
	if (l->session)
		add(t, "lease_pid", "%d", (int)l->pid);
	add_command(t, l);
	if (w->leases.work.held && w->leases.work.percent != FWA_PERCENT_UNKNOWN)
		add(t, "lease_percent", "%u", w->leases.work.percent);
	add(t, "lease_since", "%llu", (unsigned long long)(l->since / FWA_NS_PER_S));
}

static void describe(const struct worker *w, char text[FWA_CONTROL_TEXT_MAX + 1])
{
	struct fwa_writer t = fwa_writer((uint8_t *)text, FWA_CONTROL_TEXT_MAX);

	add(&t, "sessions", "%u", w->n_sessions);
	add(&t, "queued", "%u", queue_waiting(&w->queue));
	add(&t, "drift", "%u", w->profiling.drifted);
	add_lease(&t, w);
	text[t.len] = '\0';
}

void state_changed(struct worker *w)
{
	w->state.changed = true;
}

/* In embedded mode nobody asks for it. */
uint64_t state_next(const struct worker *w)
{
	if (!w->state.changed || w->listener < 0 || w->ending)
		return UINT64_MAX;
	return w->state.sent + INTERVAL_NS;
}

void state_run(struct worker *w, uint64_t now)
{
	struct pollfd room = { .fd = w->control, .events = POLLOUT };
	char text[FWA_CONTROL_TEXT_MAX + 1];

	/* Looked at once an interval too: every command may have changed something, and few do. */
	w->state.sent = now;
	w->state.changed = false;
	describe(w, text);
	if (strcmp(text, w->state.text) == 0)
		return;
	if (poll(&room, 1, 0) == 1 && room.revents == POLLOUT &&
	    fwa_control_send(w->control, FWA_CONTROL_STATE, text, -1) == 0)
		strcpy(w->state.text, text);
	else
		w->state.changed = true;
}
