/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Device of spec/org.fwadmit.Control.varlink. All text of workers was cleaned when it came.
 */
#include <stdio.h>

#include "daemon/quarantine.h"
#include "daemon/served.h"
#include "daemon/varlink.h"

static void add_identity(struct json_object *o, const struct fwa_served *s)
{
	if (!s->identified)
		return;
	fwa_varlink_text(o, "family", s->who.family);
	fwa_varlink_text(o, "vendor", s->who.id.vendor);
	fwa_varlink_text(o, "model", s->who.id.model);
	fwa_varlink_text(o, "serial", s->who.id.serial);
	fwa_varlink_text(o, "firmware", s->who.id.firmware);
	fwa_varlink_number(o, "commands", s->who.commands);
}

static void add_trust(struct json_object *o, const struct fwa_served *s)
{
	const struct fwa_quarantined *q = fwa_served_quarantine(s);

	if (q) {
		fwa_varlink_text(o, "quarantine", q->reason);
		fwa_varlink_text(o, "quarantine_cause", q->cause);
	}
	if (q && q->since)
		fwa_varlink_number(o, "quarantine_since", q->since);
	if (q && q->by != FWA_QUARANTINE_BY_NOBODY)
		fwa_varlink_number(o, "quarantine_by", q->by);
	if (s->judged)
		fwa_varlink_text(o, "baseline", fwa_baseline_source_name(s->baseline));
	if (s->declarations_fd >= 0)
		fwa_varlink_text(o, "declarations_digest", s->declarations_digest);
}

static void add_findings(struct json_object *o, const struct fwa_served *s)
{
	struct json_object *findings = json_object_new_array();
	char text[FWA_ERROR_LEN];

	if (fwa_served_stands_out(s, text))
		json_object_array_add(findings, json_object_new_string(text));
	json_object_object_add(o, "findings", findings);
}

/* Whose it is, is for operators. */
/*= spec/SECURITY-MODEL.md#C16 */
static struct json_object *describe_lease(const struct fwa_served_news *n, bool admin)
{
	struct json_object *o = json_object_new_object();

	fwa_varlink_text(o, "kind", n->lease_kind);
	if (admin)
		fwa_varlink_number(o, "uid", n->lease_uid);
	if (admin && n->lease_pid)
		fwa_varlink_number(o, "pid", n->lease_pid);
	fwa_varlink_text(o, "command", n->lease_command);
	if (n->lease_percent >= 0)
		fwa_varlink_number(o, "percent", n->lease_percent);
	fwa_varlink_number(o, "since", (int64_t)n->lease_since);
	return o;
}

static void add_news(struct json_object *o, const struct fwa_served_news *n, bool admin)
{
	if (!n->known)
		return;
	fwa_varlink_number(o, "drift", n->drift);
	fwa_varlink_number(o, "sessions", n->sessions);
	fwa_varlink_number(o, "queued", n->queued);
	if (n->leased)
		json_object_object_add(o, "lease", describe_lease(n, admin));
}

static struct json_object *describe(const struct fwa_served *s, bool admin)
{
	struct json_object *o = json_object_new_object();

	fwa_varlink_text(o, "name", s->name);
	fwa_varlink_text(o, "spec", s->spec);
	fwa_varlink_text(o, "state", fwa_served_state_name(s));
	if (s->pid > 0)
		fwa_varlink_number(o, "pid", s->pid);
	fwa_varlink_number(o, "restarts", s->restarts);
	fwa_varlink_text(o, "about", s->about);
	add_identity(o, s);
	add_trust(o, s);
	add_findings(o, s);
	add_news(o, &s->news, admin);
	return o;
}

struct json_object *fwa_varlink_devices(const struct fwa_daemon *d, bool admin)
{
	struct json_object *devices = json_object_new_array();

	for (const struct fwa_served *s = d->devices; s; s = s->next)
		if (!s->stopping)
			json_object_array_add(devices, describe(s, admin));
	return devices;
}
