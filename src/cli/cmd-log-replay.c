/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit log replay: recorded decisions, made again by the declarations and the policy of then.
 *
 * Profiles are stored by the digest that decisions name. A policy is compiled for one device, and anew
 * when clocks or grants change: of those with the decision's key and device the last one that was
 * stored before it is meant.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/log-time.h"
#include "cli/log-walk.h"
#include "cli/text.h"
#include "core/reason.h"

#define KEEP 4u     /* profiles, and policies, that are kept parsed */
#define REASONS 16u /* different ones why something cannot be replayed */
#define NO_PROFILE "the declarations of then are not kept"
#define NO_POLICY "the policy of then is not kept"
#define NO_SOURCE "who wrote it is not known any more"

struct kept {
	uint8_t sha256[FWA_HASH_LEN];
	uint8_t *bytes; /* owned */
	size_t len;
	struct fwa_profile *profile; /* owned */
	struct fwa_policy policy;
};

struct stored {
	uint8_t key[FWA_HASH_LEN], sha256[FWA_HASH_LEN];
	char device[64];
};

struct replay {
	const struct cli *cli;
	struct cli_log *log;
	struct cli_entry entry;
	struct stored *policies; /* owned; each key and device once */
	size_t n_policies, room;
	struct kept profiles[KEEP], snapshots[KEEP];
	unsigned int next_profile, next_snapshot;
	uint64_t n, agree, differ, skipped;
	struct {
		const char *why;
		uint64_t n;
	} reasons[REASONS];
};

/* --- what was stored --------------------------------------------------------------------------------- */

static struct stored *find_policy(struct replay *p, const uint8_t *key, const char *device)
{
	for (size_t i = p->n_policies; i > 0; i--) {
		struct stored *s = &p->policies[i - 1];

		if (memcmp(s->key, key, FWA_HASH_LEN) == 0 && strcmp(s->device, device) == 0)
			return s;
	}
	return NULL;
}

static int note_object(struct replay *p, const struct fwa_record_object *o)
{
	struct stored *s, *more;

	if (o->kind != FWA_OBJECT_POLICY)
		return 0;
	s = find_policy(p, o->key, o->device);
	if (!s && p->n_policies == p->room) {
		more = reallocarray(p->policies, p->room ? 2 * p->room : 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->policies = more;
		p->room = p->room ? 2 * p->room : 64;
	}
	if (!s)
		s = &p->policies[p->n_policies++];
	memcpy(s->key, o->key, FWA_HASH_LEN);
	memcpy(s->sha256, o->sha256, FWA_HASH_LEN);
	snprintf(s->device, sizeof(s->device), "%s", o->device);
	return 0;
}

static void drop(struct kept *k)
{
	free(k->bytes);
	free(k->profile);
	*k = (struct kept){ 0 };
}

/* The object, parsed: from what is kept, or fetched. NULL when there is none, or it is not one. */
static struct kept *fetch(struct replay *p, struct kept *all, unsigned int *next,
			  const uint8_t *sha256, bool profile)
{
	struct kept *k;

	for (unsigned int i = 0; i < KEEP; i++) {
		if (all[i].bytes && memcmp(all[i].sha256, sha256, FWA_HASH_LEN) == 0)
			return &all[i];
	}
	k = &all[*next];
	*next = (*next + 1) % KEEP;
	drop(k);
	if (fwa_journal_object(p->log->journal, sha256, &k->bytes, &k->len) < 0) {
		k->bytes = NULL;
		return NULL;
	}
	memcpy(k->sha256, sha256, FWA_HASH_LEN);
	if (profile)
		k->profile = malloc(sizeof(*k->profile));
	if (profile ? k->profile && fwa_profile_parse(k->profile, fwa_span(k->bytes, k->len)) == 0
		    : fwa_policy_parse(&k->policy, fwa_span(k->bytes, k->len)) == 0)
		return k;
	drop(k);
	return NULL;
}

static const struct fwa_profile *profile_of(struct replay *p, const uint8_t *sha256)
{
	struct kept *k = fetch(p, p->profiles, &p->next_profile, sha256, true);

	return k ? k->profile : NULL;
}

static const struct fwa_policy *policy_of(struct replay *p, const struct cli_entry *e)
{
	static const struct fwa_policy none;
	struct stored *s;
	struct kept *k;

	/* The gate's own commands are judged by no policy. */
	if (e->decision.who.gate)
		return &none;
	s = find_policy(p, e->decision.policy_digest, cli_entry_device(e));
	k = s ? fetch(p, p->snapshots, &p->next_snapshot, s->sha256, false) : NULL;
	return k ? &k->policy : NULL;
}

/* --- judging again ------------------------------------------------------------------------------------ */

static void skip(struct replay *p, const char *why)
{
	p->skipped++;
	for (unsigned int i = 0; i < REASONS; i++) {
		if (p->reasons[i].why && strcmp(p->reasons[i].why, why) != 0)
			continue;
		p->reasons[i].why = why;
		p->reasons[i].n++;
		return;
	}
}

static struct json_object *verdict_json(const struct fwa_decision *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "verdict", cli_json_text(fwa_admitted(d) ? "admit" : "deny"));
	json_object_object_add(o, "reason", cli_json_text(fwa_reason_name(d->reason)));
	json_object_object_add(o, "detail", cli_json_text(fwa_detail_text(d->detail)));
	json_object_object_add(o, "effects", cli_json_effects(d->effects));
	json_object_object_add(o, "required_scope", cli_json_text(fwa_scope_name(d->required)));
	json_object_object_add(o, "scope", cli_json_text(fwa_scope_name(d->scope)));
	return o;
}

/* "deny (drift), effects data, needs debug-write-full" */
static void verdict_text(const struct fwa_decision *d, char *text, size_t size)
{
	char effects[CLI_EFFECTS_TEXT];

	snprintf(text, size, "%s, effects %s, needs %s, asked for %s", fwa_reason_name(d->reason),
		 cli_effects_text(d->effects, 0, " ", effects), fwa_scope_name(d->required),
		 fwa_scope_name(d->scope));
}

static void report(struct replay *p, const struct cli_entry *e, const struct fwa_decision *now)
{
	char command[96], then[CLI_EFFECTS_TEXT + 128], again[CLI_EFFECTS_TEXT + 128];
	const struct fwa_decision *d = &e->decision.decision;
	struct json_object *o;

	p->differ++;
	if (p->cli->json) {
		o = cli_json_begin(p->cli);
		json_object_object_add(o, "kind", json_object_new_string("difference"));
		json_object_object_add(o, "seq", json_object_new_uint64(e->frame.seq));
		json_object_object_add(o, "device", cli_json_text(cli_entry_device(e)));
		cli_json_add_command(o, d->set, d->opcode);
		json_object_object_add(o, "recorded", verdict_json(d));
		json_object_object_add(o, "replayed", verdict_json(now));
		cli_json_line(o);
		return;
	}
	cli_command_text(d->set, d->opcode, command, sizeof(command));
	verdict_text(d, then, sizeof(then));
	verdict_text(now, again, sizeof(again));
	printf("%llu: %s on %s\n  recorded  %s\n  replayed  %s\n", (unsigned long long)e->frame.seq,
	       command, cli_entry_device(e), then, again);
}

static void judge(struct replay *p, const struct cli_entry *e)
{
	const struct fwa_record_decision *d = &e->decision;
	const struct fwa_profile *profile, *accepted = NULL;
	static const uint8_t none[FWA_HASH_LEN];
	const struct fwa_policy *policy;
	struct fwa_decision now;
	const char *why = NULL;

	p->n++;
	if (!e->source->known) {
		skip(p, NO_SOURCE);
		return;
	}
	if (d->drifted && memcmp(d->accepted_sha256, none, sizeof(none)) != 0) {
		accepted = profile_of(p, d->accepted_sha256);
		if (!accepted) {
			skip(p, NO_PROFILE);
			return;
		}
	}
	/* Of KEEP that are kept these two are the last: neither takes the other's place. */
	profile = profile_of(p, d->profile_sha256);
	policy = policy_of(p, e);
	if (!profile || !policy) {
		skip(p, profile ? NO_POLICY : NO_PROFILE);
		return;
	}
	if (fwa_record_replay(d, profile, policy, accepted, fwa_pattern_matches, &now, &why))
		p->agree++;
	else if (why)
		skip(p, why);
	else
		report(p, e, &now);
}

/* --- the verb --------------------------------------------------------------------------------------------- */

static void print_summary(const struct replay *p)
{
	struct json_object *o, *reasons;

	if (p->cli->json) {
		o = cli_json_begin(p->cli);
		reasons = json_object_new_object();
		json_object_object_add(o, "kind", json_object_new_string("summary"));
		json_object_object_add(o, "decisions", json_object_new_uint64(p->n));
		json_object_object_add(o, "agree", json_object_new_uint64(p->agree));
		json_object_object_add(o, "differ", json_object_new_uint64(p->differ));
		json_object_object_add(o, "not_replayed", json_object_new_uint64(p->skipped));
		for (unsigned int i = 0; i < REASONS && p->reasons[i].why; i++)
			json_object_object_add(reasons, p->reasons[i].why,
					       json_object_new_uint64(p->reasons[i].n));
		json_object_object_add(o, "why_not", reasons);
		cli_json_line(o);
		return;
	}
	if (cli_given(&p->cli->args, CLI_OPT_QUIET))
		return;
	printf("%llu decisions: %llu agree, %llu differ, %llu cannot be replayed\n",
	       (unsigned long long)p->n, (unsigned long long)p->agree,
	       (unsigned long long)p->differ, (unsigned long long)p->skipped);
	for (unsigned int i = 0; i < REASONS && p->reasons[i].why; i++)
		printf("  %llu: %s\n", (unsigned long long)p->reasons[i].n, p->reasons[i].why);
}

/*
 * All of the journal goes by, for the objects; what the filter takes is judged.
 */
static int walk(struct replay *p, const struct cli_filter *f)
{
	static const struct cli_filter everything = { .until = UINT64_MAX, .all = true };
	cli_auto_walk struct cli_walk w = { 0 };
	int r = cli_walk_begin(p->log, &everything, 0, &w);

	if (r != CLI_OK)
		return r;
	w.want_outcomes = false;
	while ((r = cli_walk_next(&w, &p->entry)) == 1) {
		const struct cli_entry *e = &p->entry;

		if (!e->decoded)
			continue;
		if (e->frame.kind == FWA_RECORD_OBJECT && note_object(p, &e->object) < 0)
			return cli_log_fail(p->log, -ENOMEM);
		if (e->frame.kind == FWA_RECORD_DECISION && cli_filter_takes(f, e))
			judge(p, e);
	}
	if (r < 0)
		return cli_log_fail(p->log, r);
	return w.damaged ? CLI_VIOLATION : CLI_OK;
}

static void clear(struct replay *p)
{
	for (unsigned int i = 0; i < KEEP; i++) {
		drop(&p->profiles[i]);
		drop(&p->snapshots[i]);
	}
	free(p->policies);
}

int cli_cmd_log_replay(struct cli *cli)
{
	static struct replay p; /* too large for the stack */
	cli_auto_filter struct cli_filter f = { 0 };
	cli_auto_log struct cli_log log = CLI_LOG_NONE;
	int r = cli_filter_read(cli, &f);

	f.decisions = true;
	if (r == CLI_OK)
		r = cli_log_open(cli, &log);
	if (r != CLI_OK)
		return r;
	p.cli = cli;
	p.log = &log;
	r = walk(&p, &f);
	clear(&p);
	if (r != CLI_OK && r != CLI_VIOLATION)
		return r;
	if (!p.n && r == CLI_OK)
		return cli_fail(cli, CLI_NOT_FOUND, "%s: no decision matches", log.dir);
	print_summary(&p);
	return p.differ ? CLI_VIOLATION : r;
}
