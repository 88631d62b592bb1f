/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants for a time, by CreateGrant, ListGrants and RevokeGrant. What a grant may say is checked by
 * the store, which reads back what it has written (host/grants.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/grants.h"
#include "daemon/journal.h"
#include "daemon/reload.h"
#include "daemon/varlink-call.h"
#include "host/grants.h"

/* A call that waits until the policy is in force which has, or has not, the grant. */
struct pending {
	struct fwa_varlink_call *call;
	char name[FWA_GRANT_NAME_MAX];
	int64_t seconds;
	bool recorded, unrecordable; /* a new one: in the journal, or it cannot be */
	uint64_t record;             /* a revocation in the journal */
};

/* --- describing ----------------------------------------------------------------------------- */

static void add_list(struct json_object *o, const char *key, const struct fwa_grant_list *list)
{
	struct json_object *items = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_object_array_add(items, json_object_new_string(list->item[i]));
	json_object_object_add(o, key, items);
}

static void add_commands(struct json_object *o, const struct fwa_grant_list *list)
{
	char text[FWA_GRANT_ITEMS_MAX * 132] = "";
	size_t at = 0;

	for (size_t i = 0; i < list->n && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? ", " : "",
				       list->item[i]);
	if (list->n)
		fwa_varlink_text(o, "commands", text);
}

static void add_limit(struct json_object *o, const char *key, uint64_t limit)
{
	if (limit)
		fwa_varlink_number(o, key, (int64_t)limit);
}

static struct json_object *describe(const struct fwa_granted *g, const struct fwa_moment *now)
{
	struct json_object *o = json_object_new_object();
	const struct fwa_grant_terms *t = &g->terms;

	fwa_varlink_text(o, "name", t->name);
	add_list(o, "user", &t->user);
	add_list(o, "group", &t->group);
	add_list(o, "unit", &t->unit);
	add_list(o, "device", &t->device);
	fwa_varlink_text(o, "scope", t->scope);
	if (t->effects.n)
		add_list(o, "effects", &t->effects);
	add_commands(o, &t->commands);
	if (t->ticket)
		fwa_varlink_text(o, "ticket", t->ticket);
	add_limit(o, "commands_per_second", t->commands_per_second);
	add_limit(o, "bytes_per_second", t->bytes_per_second);
	add_limit(o, "max_sessions", t->max_sessions);
	if (t->records)
		fwa_varlink_text(o, "record", t->records);
	fwa_varlink_number(o, "created", (int64_t)g->created);
	fwa_varlink_number(o, "created_by", g->by);
	fwa_varlink_number(o, "until", (int64_t)g->until);
	fwa_varlink_number(o, "seconds_left",
			   g->end > now->boot ? (int64_t)((g->end - now->boot) / FWA_NS_PER_S) : 0);
	return o;
}

struct listing {
	struct fwa_moment now;
	struct json_object *grants;
	const char *name; /* NULL: all */
};

static void add_grant(const struct fwa_granted *g, void *userdata)
{
	struct listing *l = userdata;

	if (!l->name || strcmp(l->name, g->terms.name) == 0)
		json_object_array_add(l->grants, describe(g, &l->now));
}

/* An array of the grants of the store, or of the one called @name. */
static struct json_object *list(const struct fwa_daemon *d, const char *name)
{
	struct listing l = { .grants = json_object_new_array(), .name = name };

	fwa_moment_now(&l.now);
	if (d->grants_dir && fwa_grants_list(d->grants_dir, &l.now, add_grant, &l) < 0)
		log_warning("not all grants are listed: no memory");
	return l.grants;
}

void fwa_call_list_grants(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "grants", list(call->daemon, NULL));
	fwa_varlink_reply(call, o);
}

/* --- creating ------------------------------------------------------------------------------- */

/* @array's texts, as views; it has at most FWA_GRANT_ITEMS_MAX. */
static struct fwa_grant_list texts(struct json_object *array)
{
	struct fwa_grant_list l = { .n = array ? json_object_array_length(array) : 0 };

	for (size_t i = 0; i < l.n; i++)
		l.item[i] = json_object_get_string(json_object_array_get_idx(array, i));
	return l;
}

static void on_created(void *userdata, int r, const char *message)
{
	struct pending *p = userdata;
	struct fwa_daemon *d = p->call->daemon;
	struct json_object *grants, *o;

	if (r < 0) { /* it would come into force at some later time, when nobody expects it */
		log_error("grant %s: not made: %s", p->name, message);
		fwa_act(d, FWA_ACT_GRANT_ENDED, NULL, NULL, "%s: not made: %s", p->name, message);
		fwa_grants_remove(d->grants_dir, p->name);
		fwa_varlink_refuse(p->call, "PolicyError", "message", message);
		free(p);
		return;
	}
	grants = list(d, p->name);
	if (json_object_array_length(grants) == 1) {
		fwa_event(d, "grant_created", NULL, "%s", p->name);
		o = json_object_new_object();
		json_object_object_add(o, "grant",
				       json_object_get(json_object_array_get_idx(grants, 0)));
		fwa_varlink_reply(p->call, o);
	} else { /* so short, or revoked by another one meanwhile */
		fwa_varlink_refuse(p->call, "NoSuchGrant", "name", p->name);
	}
	json_object_put(grants);
	free(p);
}

static void refuse_create(struct fwa_varlink_call *call, const struct pending *p, int r,
			  const char *error)
{
	bool invalid = r == -EINVAL || r == -EEXIST || r == -E2BIG;

	if (p && p->recorded)
		fwa_act(call->daemon, FWA_ACT_GRANT_ENDED, NULL, NULL, "%s: not made: %s", p->name,
			error);
	fwa_varlink_refuse(call,
			   invalid                ? "InvalidGrant"
			   : p && p->unrecordable ? "JournalError"
						  : "StateError",
			   "message", error[0] ? error : strerror(-r));
}

/* " @word a,b" for what there is. */
static void add_words(FILE *f, const char *word, const struct fwa_grant_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		fprintf(f, "%s%s%s", i ? "," : ", ", i ? "" : word, list->item[i]);
}

/* What a grant says, in one line; fresh memory. */
static char *in_words(const struct fwa_grant_terms *t)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	add_words(f, "user ", &t->user);
	add_words(f, "group ", &t->group);
	add_words(f, "unit ", &t->unit);
	add_words(f, "device ", &t->device);
	fprintf(f, ", scope %s", t->scope);
	add_words(f, "effects ", &t->effects);
	add_words(f, "commands ", &t->commands);
	if (t->ticket)
		fprintf(f, ", ticket %s", t->ticket);
	if (t->records)
		fprintf(f, ", record %s", t->records);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* A grant that is good is in the journal before it is in the store (C31). */
static int record(void *userdata, const struct fwa_grant_terms *t, char error[FWA_ERROR_LEN])
{
	struct pending *p = userdata;
	fwa_auto_free char *words = in_words(t);
	int r = -ENOMEM;

	if (words)
		r = fwa_act_widen(p->call->daemon, error, FWA_ACT_GRANT_CREATED, &p->call->peer,
				  NULL, "%s: for %lld s%s", t->name, (long long)p->seconds, words);
	snprintf(p->name, sizeof(p->name), "%s", t->name);
	p->recorded = r == 0;
	p->unrecordable = r < 0;
	return r;
}

/* Stores the grant and puts it in force. */
static void create(struct fwa_varlink_call *call, struct fwa_grant_terms *terms, int64_t seconds)
{
	struct pending *p = calloc(1, sizeof(*p));
	char error[FWA_ERROR_LEN] = "";
	struct fwa_moment now;
	int r = -ENOMEM;

	fwa_moment_now(&now);
	if (p) {
		p->call = call;
		p->seconds = seconds;
		terms->record = record;
		terms->userdata = p;
		r = fwa_grants_create(call->daemon->grants_dir, terms, (uint64_t)seconds,
				      call->peer.uid, &now, p->name, error);
	}
	if (r < 0) {
		refuse_create(call, p, r, error);
		free(p);
		return;
	}
	log_info("grant %s: made by uid %u for %lld s", p->name, call->peer.uid,
		 (long long)seconds);
	r = fwa_reload(call->daemon, &call->peer, on_created, p);
	if (r < 0)
		on_created(p, r, strerror(-r));
}

void fwa_call_create_grant(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct fwa_grant_terms terms = {
		.name = p->name,
		.user = texts(p->user),
		.group = texts(p->group),
		.unit = texts(p->unit),
		.device = texts(p->devices),
		.effects = texts(p->effects),
		.scope = p->scope,
		.ticket = p->ticket,
		.commands_per_second = (uint64_t)p->commands_per_second,
		.bytes_per_second = (uint64_t)p->bytes_per_second,
		.max_sessions = (uint64_t)p->max_sessions,
		.records = p->record,
	};

	if (p->commands) /* the store splits them */
		terms.commands = (struct fwa_grant_list){ { p->commands }, 1 };
	if (!call->daemon->grants_dir)
		fwa_varlink_refuse(call, "StateError", "message", call->daemon->state.error);
	else
		create(call, &terms, p->seconds);
}

/* --- revoking ------------------------------------------------------------------------------- */

static void on_revoked(void *userdata, int r, const char *message)
{
	struct pending *p = userdata;

	fwa_act_await(p->call->daemon, p->record);
	if (r < 0) {
		fwa_varlink_refuse(p->call, "PolicyError", "message", message);
	} else {
		fwa_event(p->call->daemon, "grant_revoked", NULL, "%s", p->name);
		fwa_varlink_reply(p->call, NULL);
	}
	free(p);
}

/*
 * What was revoked is revoked, also when some policy file has an error and so nothing new can come
 * into force: it is taken out of the policy that is.
 */
/*= spec/SECURITY-MODEL.md#C19 */
void fwa_call_revoke_grant(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *args)
{
	const char *dir = call->daemon->grants_dir;
	struct pending *p = calloc(1, sizeof(*p));
	int r = !p ? -ENOMEM : !dir ? -ENOENT : fwa_grants_remove(dir, args->name);

	if (r < 0) {
		free(p);
		if (r == -ENOENT)
			fwa_varlink_refuse(call, "NoSuchGrant", "name", args->name);
		else
			fwa_varlink_refuse(call, "StateError", "message", strerror(-r));
		return;
	}
	log_info("grant %s: revoked by uid %u", args->name, call->peer.uid);
	fwa_policy_files_revoke(call->daemon->policy, args->name);
	p->call = call;
	snprintf(p->name, sizeof(p->name), "%s", args->name);
	p->record = fwa_act_begin(call->daemon, FWA_ACT_GRANT_REVOKED, &call->peer, NULL, "%s",
				  args->name);
	r = fwa_reload_anyway(call->daemon, &call->peer, on_revoked, p);
	if (r < 0)
		on_revoked(p, r, strerror(-r));
}
