/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting and ending the quarantine. That nothing is sent then is the decision's second step.
 */
#include "worker/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "proto/control.h"
#include "worker/worker.h"

/* How much of the gate's limit may have gone into waiting for the turn: one 16th. */
#define LIMIT_SLACK 16

static const char *const kinds[FWA_QUARANTINE_COUNT] = {
	[FWA_QUARANTINE_OPERATOR] = "operator",
	[FWA_QUARANTINE_GARBAGE] = "garbage",
	[FWA_QUARANTINE_TIME_OUT] = "time-out",
	[FWA_QUARANTINE_IDENTITY] = "identity-changed",
};

/*= spec/SECURITY-MODEL.md#C22 */
void quarantine(struct worker *w, enum fwa_quarantine why, const char *text)
{
	char line[FWA_CONTROL_TEXT_MAX];

	if (w->quarantine)
		return;
	w->quarantine = (uint8_t)why;
	snprintf(line, sizeof(line), "%s: %s", kinds[why], text);
	if (w->listener >= 0)
		worker_log(w, "quarantined: %s", line);
	fwa_control_send(w->control, FWA_CONTROL_QUARANTINED, line, -1);
}

/*
 * Whether the device had its time: the gate's whole limit, or the transport's own, which ended before
 * the caller's. What a caller is not patient enough for says nothing about the device.
 */
static bool had_its_time(const struct worker *w, const struct job *j)
{
	uint64_t limit = w->device_timeout_ms * FWA_NS_PER_MS;

	return j->duration_ns >= limit - limit / LIMIT_SLACK ||
	       j->duration_ns < j->timeout_ms * FWA_NS_PER_MS;
}

void quarantine_follow(struct worker *w, const struct job *j)
{
	char text[128];

	if (j->result == -EPROTO) {
		snprintf(text, sizeof(text), "its answer to %s %04xh makes no sense",
			 fwa_set_name(j->cmd.set), j->cmd.opcode);
		quarantine(w, FWA_QUARANTINE_GARBAGE, text);
	} else if (j->result == -ETIMEDOUT && had_its_time(w, j)) {
		snprintf(text, sizeof(text), "it did not answer %s %04xh within %u ms",
			 fwa_set_name(j->cmd.set), j->cmd.opcode,
			 (unsigned int)(j->duration_ns / FWA_NS_PER_MS));
		quarantine(w, FWA_QUARANTINE_TIME_OUT, text);
	}
}

void quarantine_on_quarantine(struct worker *w, const char *text, int *fd)
{
	size_t len = strcspn(text, ":");

	w->quarantine = FWA_QUARANTINE_OPERATOR;
	for (uint8_t i = FWA_QUARANTINE_OPERATOR; i < FWA_QUARANTINE_COUNT; i++)
		if (text[len] && len == strlen(kinds[i]) && strncmp(text, kinds[i], len) == 0)
			w->quarantine = i;
}

void quarantine_on_release(struct worker *w, const char *text, int *fd)
{
	w->quarantine = FWA_QUARANTINE_NONE;
	profile_recover(w);
}
