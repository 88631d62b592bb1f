/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advisories, by ImportAdvisory, ListAdvisories and RemoveAdvisory. What one may say, and who may have
 * signed it, is checked by the store (host/advisory.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/advisories.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/round.h"
#include "daemon/varlink-call.h"
#include "host/advisory.h"

/* A call that waits until all workers have what it changed. */
struct pending {
	struct fwa_varlink_call *call;
	char id[FWA_ADVISORY_ID_MAX];
	uint64_t sequence; /* 0: it was removed */
	uint64_t record;
	bool failed; /* what is stored could not be brought into force */
};

static struct fwa_advisory_place place_of(const struct fwa_varlink_call *call)
{
	return (struct fwa_advisory_place){ .state = call->daemon->state.path };
}

/* False after a refusal: nothing could be remembered. */
static bool has_state(struct fwa_varlink_call *call)
{
	if (call->daemon->state.path)
		return true;
	fwa_varlink_refuse(call, "StateError", "message", call->daemon->state.error);
	return false;
}

/* --- in force --------------------------------------------------------------------------------- */

static void on_settled(void *userdata)
{
	struct pending *p = userdata;
	struct json_object *o = NULL;

	fwa_act_await(p->call->daemon, p->record);
	if (p->failed) {
		fwa_varlink_refuse(
			p->call, "StateError", "message",
			"it is stored, but could not be brought into force: see the log");
		free(p);
		return;
	}
	if (p->sequence) {
		o = json_object_new_object();
		fwa_varlink_text(o, "id", p->id);
		fwa_varlink_number(o, "sequence", (int64_t)p->sequence);
	}
	fwa_event(p->call->daemon, p->sequence ? "advisory_imported" : "advisory_removed", NULL,
		  "%s", p->id);
	fwa_varlink_reply(p->call, o);
	free(p);
}

/* Takes @p: the store has changed, and all workers are to work by it before that is answered. */
static void bring_into_force(struct pending *p)
{
	struct fwa_round *round = fwa_round_new(on_settled, p);

	p->failed = !round || fwa_advised_renew(p->call->daemon, round) < 0;
	if (round)
		fwa_round_drop(round);
	else
		on_settled(p);
}

/* --- importing -------------------------------------------------------------------------------- */

struct search {
	const char *id;
	bool found;
};

static void look(const struct fwa_advisory_file *f, void *userdata)
{
	struct search *s = userdata;

	s->found |= strcmp(f->id, s->id) == 0;
}

/* Whether there is an edition of it already: another one may say less. */
static bool is_known(const struct fwa_advisory_place *place, const char *id)
{
	struct search s = { .id = id };
	struct fwa_moment now;

	fwa_moment_now(&now);
	return fwa_advisory_list(place, &now, look, &s) < 0 || s.found;
}

static void refuse_import(struct fwa_varlink_call *call, const struct fwa_advisory_file *f, int r)
{
	bool invalid = r == -EBADMSG || r == -ENOKEY || r == -EKEYREJECTED || r == -ETIME ||
		       r == -EAGAIN || r == -ESTALE || r == -EEXIST || r == -E2BIG;
	char message[FWA_ERROR_LEN];

	snprintf(message, sizeof(message), "%s", *f->error ? f->error : strerror(-r));
	fwa_make_printable(message);
	log_warning("advisory %s of uid %u is refused: %s", *f->id ? f->id : "without an id",
		    call->peer.uid, message);
	fwa_varlink_refuse(call, invalid ? "InvalidAdvisory" : "StateError", "message", message);
}

/* In the journal: before it is done when it can widen anything (C31). 0, or negative errno with @error. */
static int record(struct pending *p, const struct fwa_advisory_place *place,
		  const struct fwa_advisory_file *f, char error[FWA_ERROR_LEN])
{
	static const char format[] = "%s, edition %llu, key %.16s: %.200s";
	struct fwa_daemon *d = p->call->daemon;

	if (is_known(place, f->id))
		return fwa_act_widen(d, error, FWA_ACT_ADVISORY_IMPORTED, &p->call->peer, NULL,
				     format, f->id, (unsigned long long)f->sequence, f->key,
				     f->title);
	p->record = fwa_act_begin(d, FWA_ACT_ADVISORY_IMPORTED, &p->call->peer, NULL, format, f->id,
				  (unsigned long long)f->sequence, f->key, f->title);
	return 0;
}

/* Takes @p. */
static void import(struct pending *p, struct fwa_span text)
{
	struct fwa_varlink_call *call = p->call;
	const struct fwa_advisory_place place = place_of(call);
	struct fwa_advisory_file f;
	char error[FWA_ERROR_LEN] = "";
	struct fwa_moment now;
	int r;

	fwa_moment_now(&now);
	r = fwa_advisory_check(&place, text, &now, &f);
	if (r == 0 && record(p, &place, &f, error) < 0) {
		fwa_varlink_refuse(call, "JournalError", "message", error);
		fwa_advisory_file_clear(&f);
		free(p);
		return;
	}
	if (r == 0) {
		fwa_advisory_file_clear(&f);
		r = fwa_advisory_import(&place, text, &now, &f);
		if (r < 0)
			fwa_act(call->daemon, FWA_ACT_ADVISORY_REMOVED, NULL, NULL,
				"%s: not imported: %s", f.id, f.error);
	}
	if (r < 0) {
		refuse_import(call, &f, r);
		fwa_advisory_file_clear(&f);
		free(p);
		return;
	}
	log_info("advisory %s, edition %llu: imported by uid %u", f.id,
		 (unsigned long long)f.sequence, call->peer.uid);
	memcpy(p->id, f.id, sizeof(p->id));
	p->sequence = f.sequence;
	fwa_advisory_file_clear(&f);
	bring_into_force(p);
}

static void take_document(struct fwa_varlink_call *call, const char *document)
{
	size_t len = strlen(document), n;
	fwa_auto_free uint8_t *text = malloc(len / 4 * 3 + 1);
	struct pending *p = calloc(1, sizeof(*p));

	if (!text || !p) {
		fwa_varlink_refuse(call, "StateError", "message", strerror(ENOMEM));
		free(p);
	} else if (!fwa_base64_parse(document, len, text, &n)) {
		fwa_varlink_refuse(call, "InvalidAdvisory", "message", "it is not base64");
		free(p);
	} else {
		p->call = call;
		import(p, fwa_span(text, n));
	}
}

void fwa_call_import_advisory(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *args)
{
	if (has_state(call))
		take_document(call, args->document);
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
	struct json_object *all;
	const char *id; /* NULL: all */
};

static void add_one(const struct fwa_advisory_file *f, void *userdata)
{
	struct json_object *o = json_object_new_object();
	struct listing *l = userdata;

	if (l->id && strcmp(l->id, f->id) != 0) {
		json_object_put(o);
		return;
	}
	fwa_varlink_text(o, "id", f->id);
	fwa_varlink_text(o, "status", fwa_advisory_status_name(f->status));
	fwa_varlink_number(o, "sequence", (int64_t)f->sequence);
	fwa_varlink_number(o, "issued", (int64_t)f->issued);
	if (f->expires)
		fwa_varlink_number(o, "expires", (int64_t)f->expires);
	fwa_varlink_text(o, "title", f->title);
	fwa_varlink_text(o, "reference", f->reference);
	fwa_varlink_text(o, "signer", f->signer);
	fwa_varlink_text(o, "key", f->key);
	fwa_varlink_number(o, "commands", (int64_t)f->n_commands);
	if (*f->error)
		fwa_varlink_text(o, "error", f->error);
	if (l->id && f->document)
		fwa_varlink_text(
			o, "document",
			json_object_to_json_string_ext(f->document, JSON_C_TO_STRING_PLAIN));
	json_object_array_add(l->all, o);
}

void fwa_call_list_advisories(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *args)
{
	const struct fwa_advisory_place place = place_of(call);
	struct listing l = { .all = json_object_new_array(), .id = args->id };
	struct json_object *o = json_object_new_object();
	struct fwa_moment now;
	int r = 0;

	fwa_moment_now(&now);
	if (place.state)
		r = fwa_advisory_list(&place, &now, add_one, &l);
	json_object_object_add(o, "advisories", l.all);
	if (r == 0) {
		fwa_varlink_reply(call, o);
		return;
	}
	json_object_put(o);
	fwa_varlink_refuse(call, "StateError", "message", strerror(-r));
}

/* --- removing --------------------------------------------------------------------------------- */

/*= spec/SECURITY-MODEL.md#C31 */
void fwa_call_remove_advisory(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *args)
{
	const struct fwa_advisory_place place = place_of(call);
	struct pending *p;
	char error[FWA_ERROR_LEN] = "";
	int r;

	if (!has_state(call))
		return;
	if (!is_known(&place, args->id)) {
		fwa_varlink_refuse(call, "NoSuchAdvisory", "id", args->id);
		return;
	}
	if (fwa_act_widen(call->daemon, error, FWA_ACT_ADVISORY_REMOVED, &call->peer, NULL, "%s",
			  args->id) < 0) {
		fwa_varlink_refuse(call, "JournalError", "message", error);
		return;
	}
	p = calloc(1, sizeof(*p));
	r = p ? fwa_advisory_remove(&place, args->id) : -ENOMEM;
	if (r < 0) {
		fwa_act(call->daemon, FWA_ACT_ADVISORY_IMPORTED, NULL, NULL, "%s: not removed: %s",
			args->id, strerror(-r));
		if (r == -ENOENT)
			fwa_varlink_refuse(call, "NoSuchAdvisory", "id", args->id);
		else
			fwa_varlink_refuse(call, "StateError", "message", strerror(-r));
		free(p);
		return;
	}
	log_info("advisory %s: removed by uid %u", args->id, call->peer.uid);
	p->call = call;
	snprintf(p->id, sizeof(p->id), "%s", args->id);
	bring_into_force(p);
}
