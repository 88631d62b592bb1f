/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods that are about one device.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "core/profile.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/quarantine.h"
#include "daemon/round.h"
#include "daemon/served.h"
#include "daemon/varlink-call.h"

#define REPROFILE_TIMEOUT (60 * FWA_US_PER_S)

/* What a call is answered with when every worker works by the change. */
struct change {
	struct fwa_varlink_call *call;
	struct json_object *reply;
	const char *error; /* of our interface; NULL: it is done */
};

static void on_done(void *userdata)
{
	struct change *c = userdata;

	if (c->error)
		fwa_varlink_error(c->call, c->error, c->reply);
	else
		fwa_varlink_reply(c->call, c->reply);
	free(c);
}

/* A round that answers @call at its end. NULL: the call is answered already. */
static struct fwa_round *begin(struct fwa_varlink_call *call, struct change **ret)
{
	struct change *c = calloc(1, sizeof(*c));
	struct fwa_round *round = c ? fwa_round_new(on_done, c) : NULL;

	if (!round) {
		free(c);
		fwa_varlink_refuse(call, "Busy", NULL, NULL);
		return NULL;
	}
	c->call = call;
	*ret = c;
	return round;
}

/* What came of it: the change is not remembered, or not made. */
static void state_error(struct change *c, const char *message)
{
	c->error = "StateError";
	c->reply = json_object_new_object();
	fwa_varlink_text(c->reply, "message", message);
}

/* The same when it cannot be recorded, and so is not made. */
static void journal_error(struct change *c, const char *message)
{
	state_error(c, message);
	c->error = "JournalError";
}

/* The device that the call names, or NULL after an answer. */
static struct fwa_served *find(struct fwa_varlink_call *call, const char *name)
{
	struct fwa_served *s = fwa_daemon_find(call->daemon, name);

	if (!s)
		fwa_varlink_refuse(call, "NoSuchDevice", "device", name);
	return s;
}

/* The same, when its worker has said what the device is and declares. */
static struct fwa_served *find_ready(struct fwa_varlink_call *call, const char *name)
{
	struct fwa_served *s = find(call, name);

	if (!s || (s->state == FWA_SERVED_READY && s->declarations_fd >= 0))
		return s;
	fwa_varlink_refuse(call, "NotReady", "device", name);
	return NULL;
}

/* --- profile -------------------------------------------------------------------------------- */

/* The bytes of the sealed memfd @fd in base64; NULL when there is no memory. */
static struct json_object *encode(int fd)
{
	fwa_auto_free unsigned char *text = NULL;
	struct fwa_span data;
	int n;

	if (fwa_memfd_map(fd, FWA_PROFILE_MAX, &data) < 0)
		return NULL;
	text = malloc((data.len + 2) / 3 * 4 + 1);
	n = text ? EVP_EncodeBlock(text, data.data, (int)data.len) : 0;
	fwa_memfd_unmap(data);
	return n > 0 ? json_object_new_string_len((char *)text, n) : NULL;
}

void fwa_call_get_profile(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_served *s = find_ready(call, p->device);
	struct json_object *profile, *o;

	if (!s)
		return;
	profile = encode(s->profile_fd);
	if (!profile) {
		fwa_varlink_refuse(call, "Busy", NULL, NULL);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "profile", profile);
	fwa_varlink_text(o, "digest", s->profile_digest);
	fwa_varlink_text(o, "declarations_digest", s->declarations_digest);
	fwa_varlink_reply(call, o);
}

/* --- quarantine ----------------------------------------------------------------------------- */

void fwa_call_quarantine(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_served *s = find(call, p->device);
	struct fwa_quarantine_why why;
	struct fwa_round *round;
	struct change *c;
	int r;

	if (!s) /* and the call is answered, and gone */
		return;
	why = (struct fwa_quarantine_why){ "operator", p->reason, call->peer.uid };
	if (!s->identified) { /* nobody knows what is to be remembered; nothing is sent to it either */
		fwa_varlink_refuse(call, "NotReady", "device", p->device);
		return;
	}
	round = begin(call, &c);
	if (!round)
		return;
	log_info("%s: quarantine, asked for by uid %u", s->name, call->peer.uid);
	r = fwa_daemon_quarantine(call->daemon, s->name, &s->who, &why, &call->peer, round);
	if (r < 0)
		state_error(c, fwa_served_quarantine(s)
				       ? "quarantined until fwadmitd ends: it cannot be stored"
				       : "not quarantined: too many devices, or no memory");
	fwa_round_drop(round);
}

void fwa_call_release(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_served *s = find(call, p->device);
	char error[FWA_ERROR_LEN];
	struct fwa_round *round;
	struct change *c;

	if (!s)
		return;
	if (!fwa_served_quarantine(s)) {
		fwa_varlink_refuse(call, "NotQuarantined", "device", p->device);
		return;
	}
	round = begin(call, &c);
	if (!round)
		return;
	log_info("%s: release, asked for by uid %u", s->name, call->peer.uid);
	if (fwa_act_widen(call->daemon, error, FWA_ACT_RELEASED, &call->peer, s->name,
			  "released from quarantine") < 0) {
		journal_error(c, error);
	} else if (fwa_daemon_release(call->daemon, s->name, &s->who, round) < 0) {
		fwa_act(call->daemon, FWA_ACT_QUARANTINED, NULL, s->name,
			"still: its record cannot be removed");
		state_error(c, "still quarantined: its record cannot be removed");
	}
	fwa_round_drop(round);
}

/* --- declarations --------------------------------------------------------------------------- */

struct reprofile {
	struct fwa_varlink_call *call;
	sd_event_source *timer;
	uint64_t record; /* of the journal */
	char device[64];
};

static void on_reprofiled(void *userdata)
{
	struct reprofile *rp = userdata;
	const struct fwa_served *s = fwa_daemon_find(rp->call->daemon, rp->device);

	fwa_act_await(rp->call->daemon, rp->record);
	if (s && s->judged)
		fwa_varlink_reply(rp->call, NULL);
	else
		fwa_varlink_refuse(rp->call, "NotReady", "device", rp->device);
	sd_event_source_unref(rp->timer);
	free(rp);
}

static int on_not_reprofiled(sd_event_source *source, uint64_t us, void *userdata)
{
	struct reprofile *rp = userdata;
	struct fwa_served *s = fwa_daemon_find(rp->call->daemon, rp->device);

	log_warning("%s: its declarations are not read again in time", rp->device);
	if (s && s->reprofile) {
		s->judged = false; /* by whatever it declares now */
		fwa_round_drop(fwa_steal(s->reprofile));
	}
	return 0;
}

/* 0 when the worker's answer is waited for; on_reprofiled() frees @rp. */
static int wait_for_profile(struct fwa_served *s, struct reprofile *rp)
{
	int r = sd_event_add_time_relative(s->daemon->event, &rp->timer, CLOCK_MONOTONIC,
					   REPROFILE_TIMEOUT, 0, on_not_reprofiled, rp);

	if (r < 0)
		return r;
	s->reprofile = fwa_round_new(on_reprofiled, rp);
	return s->reprofile ? 0 : -ENOMEM;
}

void fwa_call_reprofile(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_served *s = find_ready(call, p->device);
	struct reprofile *rp;

	if (!s)
		return;
	/* It gets nothing, no reading either, before it is released. */
	if (fwa_served_quarantine(s)) {
		fwa_varlink_refuse(call, "NotReady", "device", p->device);
		return;
	}
	rp = s->reprofile ? NULL : calloc(1, sizeof(*rp));
	if (!rp || wait_for_profile(s, rp) < 0) {
		if (rp)
			sd_event_source_unref(rp->timer);
		free(rp);
		fwa_varlink_refuse(call, "Busy", NULL, NULL);
		return;
	}
	rp->call = call;
	snprintf(rp->device, sizeof(rp->device), "%s", s->name);
	rp->record = fwa_act_begin(call->daemon, FWA_ACT_REPROFILED, &call->peer, s->name,
				   "its declarations are read again");
	fwa_served_order(s, FWA_CONTROL_REPROFILE, "", NULL);
}

/* All that the same baseline is for are held to it from now on. */
static void judge_all(struct fwa_daemon *d, const struct fwa_identified *who,
		      struct fwa_round *round)
{
	for (struct fwa_served *s = d->devices; s; s = s->next)
		if (s->judged && fwa_same_baseline(who, &s->who))
			fwa_served_judge(s, round);
}

/* Whether something stands in the way of accepting: what, in @error. */
static bool may_not_accept(const struct fwa_served *s, char error[FWA_ERROR_LEN])
{
	const struct fwa_baselines *b = &s->daemon->baselines;

	if (!s->daemon->state.path) {
		snprintf(error, FWA_ERROR_LEN, "%s", s->daemon->state.error);
		return true;
	}
	if (s->baseline != FWA_BASELINE_FROM_PINNED && !b->require_pinned)
		return false;
	snprintf(error, FWA_ERROR_LEN,
		 "baselines are pinned here: put the file of `fwadmit baseline save` in %s",
		 b->pinned_dir);
	return true;
}

static void accept_it(struct fwa_served *s, struct change *c, struct fwa_round *round)
{
	struct fwa_daemon *d = s->daemon;
	char error[FWA_ERROR_LEN];
	int r;

	if (fwa_act_widen(d, error, FWA_ACT_BASELINE_ACCEPTED, &c->call->peer, s->name, "sha256 %s",
			  s->declarations_digest) < 0) {
		journal_error(c, error);
		return;
	}
	r = fwa_baselines_save(&d->baselines, FWA_BASELINE_FROM_ACCEPTED, &s->who,
			       s->declarations_fd);
	if (r < 0) {
		fwa_act(d, FWA_ACT_BASELINE_ACCEPTED, NULL, s->name, "not done: %s", strerror(-r));
		state_error(c, strerror(-r));
		return;
	}
	log_info("%s: baseline accepted, asked for by uid %u, sha256 %s", s->name,
		 c->call->peer.uid, s->declarations_digest);
	fwa_event(d, "baseline_accepted", s->name, "sha256 %s", s->declarations_digest);
	c->reply = json_object_new_object();
	fwa_varlink_text(c->reply, "digest", s->declarations_digest);
	judge_all(d, &s->who, round);
}

void fwa_call_accept_baseline(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_served *s = find_ready(call, p->device);
	char obstacle[FWA_ERROR_LEN];
	struct fwa_round *round;
	struct json_object *o;
	struct change *c;

	if (!s)
		return;
	if (p->declarations_digest && strcmp(p->declarations_digest, s->declarations_digest) != 0) {
		o = json_object_new_object();
		fwa_varlink_text(o, "device", p->device);
		fwa_varlink_text(o, "declarations_digest", s->declarations_digest);
		fwa_varlink_error(call, "Changed", o);
		return;
	}
	if (may_not_accept(s, obstacle)) {
		fwa_varlink_refuse(call, "StateError", "message", obstacle);
		return;
	}
	round = begin(call, &c);
	if (!round)
		return;
	accept_it(s, c, round);
	fwa_round_drop(round);
}
