/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker says. It may have been captured by its device or a client: what it says is bounded,
 * cleaned, and about its own device only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bury.h"
#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "core/drift.h"
#include "core/profile.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/quarantine.h"
#include "daemon/round.h"
#include "daemon/served.h"

#define MINUTE_US (60 * FWA_US_PER_S)
#define INTRODUCTIONS_MAX 16 /* a minute */

/* --- who the device is ---------------------------------------------------------------------- */

/*
 * A device may ask for a place in the store with each new name that it gives itself. One that says what
 * it said before only has been read again, which its clients may bring about as often as they like.
 */
static bool introduces_too_often(struct fwa_served *s, const struct fwa_identified *who)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC) / 1000;

	if (s->identified && fwa_same_device(&s->who, who) &&
	    strcmp(s->who.id.firmware, who->id.firmware) == 0)
		return false;
	if (now - s->introductions_since > MINUTE_US) {
		s->introductions_since = now;
		s->introductions = 0;
	}
	return ++s->introductions > INTRODUCTIONS_MAX;
}

/* The device became another one before its worker's eyes: neither of the two is to be trusted. */
static void changed_before_our_eyes(struct fwa_served *s, const struct fwa_identified *now)
{
	static const struct fwa_quarantine_why why = {
		.cause = "identity-changed",
		.reason = "it changed into another device while it was served",
		.by = FWA_QUARANTINE_BY_NOBODY,
	};

	fwa_daemon_quarantine(s->daemon, s->name, &s->who, &why, NULL, NULL);
	fwa_daemon_quarantine(s->daemon, s->name, now, &why, NULL, NULL);
}

static bool on_identity(struct fwa_served *s, const char *text, int *fd)
{
	char digest[FWA_DIGEST_TEXT];
	struct fwa_identified who;

	if (fwa_identified_parse(text, &who) < 0 || introduces_too_often(s, &who) || *fd < 0 ||
	    fwa_sha256_of_memfd(*fd, FWA_PROFILE_MAX, digest) < 0)
		return false;
	if (s->identified && !fwa_same_device(&s->who, &who)) {
		log_warning("%s: another device than before: %s %s, serial %s", s->name,
			    who.id.vendor, who.id.model, who.id.serial);
		if (s->judged)
			changed_before_our_eyes(s, &who);
	}
	s->who = who;
	fwa_baseline_name(&who, s->kind);
	s->identified = true;
	s->judged = false;
	fwa_close(s->profile_fd);
	s->profile_fd = fwa_steal_fd(fd);
	s->declarations_fd = fwa_close(s->declarations_fd);
	strcpy(s->profile_digest, digest);
	return true;
}

/* Two of the same model and firmware that declare differently: one of them is not what it says. */
static void compare(const struct fwa_served *s)
{
	char text[FWA_ERROR_LEN];

	if (!fwa_served_divides(s, text))
		return;
	log_warning("%s: %s", s->name, text);
	fwa_event(s->daemon, "finding", s->name, "%s", text);
}

/* The first of its kind: what it declares is what others, and it from now on, are held to. */
static void trust_first(struct fwa_served *s)
{
	const struct fwa_baselines *b = &s->daemon->baselines;
	fwa_auto_close int fd = -1;
	int r;

	if (!b->state_dir || fwa_baselines_find(b, &s->who, &s->baseline, &fd) < 0 ||
	    s->baseline != FWA_BASELINE_FROM_NOWHERE)
		return;
	r = fwa_baselines_save(b, FWA_BASELINE_FROM_SEEN, &s->who, s->declarations_fd);
	if (r < 0) {
		log_error("%s: its declarations cannot be remembered: %s", s->name, strerror(-r));
		return;
	}
	log_info("%s: first of its model and firmware (%s %s, %s): its declarations are trusted, "
		 "sha256 "
		 "%s",
		 s->name, s->who.id.vendor, s->who.id.model, s->who.id.firmware,
		 s->declarations_digest);
	fwa_event(s->daemon, "baseline_seen", s->name, "%s %s, firmware %s", s->who.id.vendor,
		  s->who.id.model, s->who.id.firmware);
}

static bool on_declarations(struct fwa_served *s, int *fd)
{
	const struct fwa_quarantined *q;
	char text[FWA_CONTROL_TEXT_MAX];

	if (s->profile_fd < 0 || s->declarations_fd >= 0 || *fd < 0 ||
	    fwa_sha256_of_memfd(*fd, FWA_DECLARATIONS_MAX, s->declarations_digest) < 0)
		return false;
	s->declarations_fd = fwa_steal_fd(fd);
	compare(s);
	q = fwa_served_quarantine(s);
	if (q) { /*= spec/SECURITY-MODEL.md#C22 */
		snprintf(text, sizeof(text), "%s: %s", q->cause, q->reason);
		log_warning("%s: quarantined: %s", s->name, q->reason);
		fwa_served_order(s, FWA_CONTROL_QUARANTINE, text, NULL);
	}
	trust_first(s);
	fwa_served_judge(s, NULL);
	if (s->reprofile) {
		fwa_round_drop(s->reprofile);
		s->reprofile = NULL;
	}
	return true;
}

/* --- how it is ------------------------------------------------------------------------------ */

/* "garbage: it answered with ..", as the worker says it, to a cause and a reason. */
static void on_quarantined(struct fwa_served *s, const char *text)
{
	static const char *const causes[] = { "garbage", "time-out", "identity-changed" };
	struct fwa_quarantine_why why = { causes[0], text, FWA_QUARANTINE_BY_NOBODY };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(causes); i++) {
		size_t len = strlen(causes[i]);

		if (strncmp(text, causes[i], len) == 0 && (!text[len] || text[len] == ':')) {
			why.cause = causes[i];
			why.reason = text[len] ? text + len + 1 + (text[len + 1] == ' ') : text;
		}
	}
	if (s->identified && !fwa_served_quarantine(s))
		fwa_daemon_quarantine(s->daemon, s->name, &s->who, &why, NULL, NULL);
}

static bool take_u32(const char *value, uint32_t *ret)
{
	uint64_t n;

	if (!fwa_parse_number(value, UINT32_MAX, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool take_percent(const char *value, int *ret)
{
	uint64_t n;

	if (!fwa_parse_number(value, 100, &n))
		return false;
	*ret = (int)n;
	return true;
}

static void take_word(const char *value, char *ret, size_t room)
{
	snprintf(ret, room, "%s", value);
	fwa_make_printable(ret);
}

/* One "key=value". Keys that are not known are those of a newer worker. */
static bool take_news(struct fwa_served_news *n, const char *key, const char *value)
{
	if (strcmp(key, "sessions") == 0)
		return take_u32(value, &n->sessions);
	if (strcmp(key, "queued") == 0)
		return take_u32(value, &n->queued);
	if (strcmp(key, "drift") == 0)
		return take_u32(value, &n->drift);
	if (strcmp(key, "lease_uid") == 0)
		return take_u32(value, &n->lease_uid);
	if (strcmp(key, "lease_pid") == 0)
		return take_u32(value, &n->lease_pid);
	if (strcmp(key, "lease_percent") == 0)
		return take_percent(value, &n->lease_percent);
	if (strcmp(key, "lease_since") == 0)
		return fwa_parse_number(value, INT64_MAX, &n->lease_since);
	if (strcmp(key, "lease_kind") == 0) {
		take_word(value, n->lease_kind, sizeof(n->lease_kind));
		n->leased = n->lease_kind[0] && strcmp(value, "none") != 0;
	} else if (strcmp(key, "lease_command") == 0) {
		take_word(value, n->lease_command, sizeof(n->lease_command));
	}
	return true;
}

static bool on_state(struct fwa_served *s, char *text)
{
	struct fwa_served_news news = { .known = true, .lease_percent = -1 };
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (!*line)
			continue;
		if (!value)
			return false;
		*value++ = '\0';
		if (!take_news(&news, line, value))
			return false;
	}
	if (news.drift && !s->news.drift) {
		log_warning("%s: %u of its declarations are not those of its %s baseline", s->name,
			    news.drift, fwa_baseline_source_name(s->baseline));
		fwa_act(s->daemon, FWA_ACT_DRIFTED, NULL, s->name,
			"%u of its declarations are not those of its %s baseline", news.drift,
			fwa_baseline_source_name(s->baseline));
		fwa_event(s->daemon, "baseline_drift", s->name,
			  "%u of its declarations are not those of its %s baseline", news.drift,
			  fwa_baseline_source_name(s->baseline));
	}
	s->news = news;
	return true;
}

static bool on_ready(struct fwa_served *s, const char *text)
{
	if (s->state != FWA_SERVED_STARTING || s->failed || !s->judged)
		return false;
	s->state = FWA_SERVED_READY;
	s->timer = sd_event_source_unref(s->timer);
	strcpy(s->about, text);
	log_info("%s: ready (worker %d): %s", s->name, s->pid, text);
	fwa_event(s->daemon, "device_ready", s->name, "%s", text);
	return true;
}

static bool on_failed(struct fwa_served *s, const char *text, bool hopeless)
{
	if (s->state != FWA_SERVED_STARTING || s->failed)
		return false;
	s->failed = true;
	s->hopeless = hopeless;
	if (strcmp(s->about, text) != 0) /* not again for each attempt */
		log_error("%s: %s", s->name, text);
	strcpy(s->about, text);
	return true;
}

static bool on_gone(struct fwa_served *s)
{
	if (s->state == FWA_SERVED_GONE)
		return false;
	s->state = FWA_SERVED_GONE;
	log_warning("%s: the device is gone", s->name);
	fwa_event(s->daemon, "device_gone", s->name, "the device is gone");
	return true;
}

static bool on_policy_bad(struct fwa_served *s, const char *text)
{
	if (!s->acks)
		return false;
	log_error("%s: worker %d refuses the policy: %s", s->name, s->pid, text);
	fwa_served_kill(s); /* its acknowledgement comes with its end */
	return true;
}

/* It made of the table what we did not: it is not to serve by the one before. */
static bool on_advisories_bad(struct fwa_served *s, const char *text)
{
	log_error("%s: worker %d refuses the advisories: %s", s->name, s->pid, text);
	fwa_served_kill(s); /*= spec/SECURITY-MODEL.md#C33 */
	return true;
}

/* True when the message @kind makes sense now. A descriptor that is kept is taken out of @fd. */
static bool on_message(struct fwa_served *s, uint16_t kind, char *text, int *fd)
{
	if (kind == FWA_CONTROL_IDENTITY)
		return on_identity(s, text, fd);
	if (kind == FWA_CONTROL_STATE)
		return on_state(s, text);
	fwa_make_printable(text);
	switch (kind) {
	case FWA_CONTROL_READY:
		return on_ready(s, text);
	case FWA_CONTROL_FAILED:
	case FWA_CONTROL_NO_DEVICE:
		return on_failed(s, text, kind == FWA_CONTROL_NO_DEVICE);
	case FWA_CONTROL_GONE:
		return on_gone(s);
	case FWA_CONTROL_POLICY_OK:
		return fwa_served_acknowledged(s);
	case FWA_CONTROL_POLICY_BAD:
		return on_policy_bad(s, text);
	case FWA_CONTROL_ADVISORIES_BAD:
		return on_advisories_bad(s, text);
	case FWA_CONTROL_DECLARATIONS:
		return on_declarations(s, fd);
	case FWA_CONTROL_QUARANTINED:
		on_quarantined(s, text);
		return true;
	default:
		return false;
	}
}

int fwa_served_on_control(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	char text[FWA_CONTROL_TEXT_MAX + 1];
	struct fwa_served *s = userdata;
	uint16_t kind;
	int r, passed = -1;
	bool good;

	r = fwa_control_recv(fd, &kind, text, &passed);
	if (r == -EAGAIN || r == -EINTR)
		return 0;
	good = r == 0 && on_message(s, kind, text, &passed);
	fwa_bury(passed);
	if (good)
		return 0;
	if (r != -ECONNRESET)
		log_error("%s: worker %d sends nonsense: killed", s->name, s->pid);
	s->messages = sd_event_source_unref(s->messages);
	fwa_served_kill(s); /* who hung up is ending, or of no use */
	return 0;
}
