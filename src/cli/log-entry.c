/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is shown of one record. A kind of a later version, or a body that is none, is shown as that.
 */
#include "cli/log-entry.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "cli/decision.h"
#include "cli/log-time.h"
#include "cli/text.h"
#include "core/reason.h"
#include "core/status.h"

#define UIDS 64u
#define SHORT_HASH 12u /* digits that tell digests apart */

/* --- reading ---------------------------------------------------------------------------------- */

static bool decode(const struct fwa_frame *f, struct cli_entry *e)
{
	switch (f->kind) {
	case FWA_RECORD_START:
		return fwa_record_start_decode(f->body, &e->start) == 0;
	case FWA_RECORD_CHECKPOINT:
		return fwa_checkpoint_decode(f->body, &e->checkpoint) == 0;
	case FWA_RECORD_RETIRED:
		return fwa_record_retired_decode(f->body, &e->retired) == 0;
	case FWA_RECORD_CLOCK:
		return fwa_record_clock_decode(f->body, &e->clock) == 0;
	case FWA_RECORD_SOURCE:
		return fwa_record_source_decode(f->body, &e->opened) == 0;
	case FWA_RECORD_SOURCE_END:
		return fwa_record_source_end_decode(f->body, &e->ended) == 0;
	case FWA_RECORD_OBJECT:
		return fwa_record_object_decode(f->body, &e->object) == 0;
	case FWA_RECORD_DECISION:
		return fwa_record_decision_decode(f->body, &e->decision) == 0;
	case FWA_RECORD_OUTCOME:
		return fwa_record_outcome_decode(f->body, &e->outcome) == 0;
	case FWA_RECORD_CONTEXT:
		return fwa_record_context_decode(f->body, &e->context) == 0;
	case FWA_RECORD_CONTROL:
		return fwa_record_control_decode(f->body, &e->control) == 0;
	case FWA_RECORD_UNRECORDED:
		return fwa_record_unrecorded_decode(f->body, &e->unrecorded) == 0;
	default:
		return false;
	}
}

void cli_entry_read(struct cli_log *log, const struct fwa_frame *f, struct cli_entry *ret)
{
	ret->frame = *f;
	ret->has_outcome = false;
	ret->decoded = decode(f, ret);
	if (f->kind == FWA_RECORD_SOURCE)
		cli_log_note_source(log, f);
	ret->source = cli_log_source(log, f->source);
}

const char *cli_entry_device(const struct cli_entry *e)
{
	if (e->decoded && e->frame.kind == FWA_RECORD_CONTROL)
		return e->control.device;
	if (e->decoded && e->frame.kind == FWA_RECORD_OBJECT)
		return e->object.device;
	if (e->decoded && e->frame.kind == FWA_RECORD_SOURCE)
		return e->opened.name;
	return e->source->name;
}

bool cli_entry_notable(const struct cli_entry *e)
{
	if (!e->decoded)
		return true;
	switch (e->frame.kind) {
	case FWA_RECORD_DECISION:
	case FWA_RECORD_CONTROL:
	case FWA_RECORD_UNRECORDED:
	case FWA_RECORD_CLOCK:
		return true;
	case FWA_RECORD_START:
		return e->start.cut_bytes || e->start.damaged;
	case FWA_RECORD_SOURCE_END:
		return e->ended.closed || e->ended.how == FWA_SOURCE_END_NONSENSE;
	default:
		return false;
	}
}

const char *cli_uid_text(uint32_t uid)
{
	static struct {
		uint32_t uid;
		char name[40];
	} cache[UIDS];
	const struct passwd *pw;
	char *name = cache[uid % UIDS].name;

	if (*name && cache[uid % UIDS].uid == uid)
		return name;
	pw = getpwuid(uid);
	cache[uid % UIDS].uid = uid;
	if (pw)
		snprintf(name, sizeof(cache[0].name), "%s", pw->pw_name);
	else
		snprintf(name, sizeof(cache[0].name), "%u", uid);
	cli_one_line(name);
	return name;
}

struct cli_verdict cli_entry_verdict(const struct cli_entry *e, struct cli_subject *subject,
				     struct fwa_command *cmd)
{
	const struct fwa_record_decision *d = &e->decision;

	*subject = CLI_SUBJECT_NONE;
	snprintf(subject->name, sizeof(subject->name), "%s", cli_entry_device(e));
	subject->contract = d->contract;
	*cmd = d->cmd;
	cmd->payload = d->judged_bytes; /* the true length is in the record, its bytes are not */
	return (struct cli_verdict){
		.decision = d->decision,
		.recorded = true,
		.grant = d->grant,
		.user = d->who.gate ? "the gate" : cli_uid_text(d->who.uid),
		.cmd = cmd,
		.contract = &subject->contract,
		.subject = subject,
	};
}

/* --- in words ----------------------------------------------------------------------------------- */

static const char *short_hash(const uint8_t *hash, char text[SHORT_HASH + 1])
{
	fwa_hex_text(hash, SHORT_HASH / 2, text);
	return text;
}

static void start_text(const struct fwa_record_start *s, char *text)
{
	int len = snprintf(text, CLI_ENTRY_TEXT, "writer %s began", s->version);

	if (s->cut_bytes)
		len += snprintf(text + len, CLI_ENTRY_TEXT - (size_t)len,
				"; %llu bytes that were never durable are cut",
				(unsigned long long)s->cut_bytes);
	if (s->damaged)
		snprintf(text + len, CLI_ENTRY_TEXT - (size_t)len,
			 "; damaged: record %llu cannot be read", (unsigned long long)s->damaged);
}

static void unrecorded_text(const struct fwa_record_unrecorded *u, char *text)
{
	snprintf(text, CLI_ENTRY_TEXT,
		 "%llu refusals and %llu commands without effects are not in the journal",
		 (unsigned long long)u->refused, (unsigned long long)u->passed);
}

static void source_text(const struct fwa_record_source *s, char *text)
{
	static const char *const kinds[] = { "?", "worker", "fwadmitd", "embedded worker" };

	snprintf(text, CLI_ENTRY_TEXT, "%s, pid %u%s%s%s",
		 kinds[s->kind < FWA_ARRAY_SIZE(kinds) ? s->kind : 0], s->pid,
		 *s->spec ? ", for " : "", s->spec, s->resumed ? "; it goes on" : "");
}

static void end_text(const struct fwa_record_source_end *s, char *text)
{
	static const char *const hows[] = { "in order", "lost", "it wrote nonsense" };
	int len = snprintf(text, CLI_ENTRY_TEXT, "%s",
			   s->how < FWA_ARRAY_SIZE(hows) ? hows[s->how] : "?");

	if (s->closed)
		snprintf(text + len, CLI_ENTRY_TEXT - (size_t)len,
			 ", %u commands have an unknown outcome", s->closed);
}

static void object_text(const struct fwa_record_object *o, char *text)
{
	static const char *const kinds[] = { "object", "profile", "policy", "accepted" };
	char key[SHORT_HASH + 1];

	snprintf(text, CLI_ENTRY_TEXT, "%s %s is kept",
		 kinds[o->kind < FWA_ARRAY_SIZE(kinds) ? o->kind : 0], short_hash(o->key, key));
}

static void checkpoint_text(const struct fwa_checkpoint *c, char *text)
{
	static const char *const whys[] = { "signed", "signed, the segment's last",
					    "signed, the writer ends",
					    "signed, the segment's first" };
	char key[SHORT_HASH + 1];

	snprintf(text, CLI_ENTRY_TEXT, "%s, by key %s",
		 whys[c->why < FWA_ARRAY_SIZE(whys) ? c->why : 0],
		 short_hash(c->statement.key, key));
}

static void clock_text(const struct fwa_record_clock *c, char *text)
{
	char before[CLI_STAMP_TEXT], after[CLI_STAMP_TEXT];

	snprintf(text, CLI_ENTRY_TEXT, "the clock was set from %s to %s",
		 cli_stamp_text(c->before, 3, before), cli_stamp_text(c->after, 3, after));
}

static void context_text(const struct fwa_record_context *c, char *text)
{
	char profile[SHORT_HASH + 1], policy[SHORT_HASH + 1];

	size_t len = (size_t)snprintf(text, CLI_ENTRY_TEXT, "profile %s, policy %s",
				      short_hash(c->profile_sha256, profile),
				      short_hash(c->policy_digest, policy));

	/* Vendor, model, serial number, firmware, with tabs between them. */
	for (const char *p = c->identity; *p; p++) {
		bool begins = p == c->identity || *p == '\t';

		if (len + 4 > CLI_ENTRY_TEXT)
			break;
		if (begins)
			len += (size_t)snprintf(text + len, 3, ", ");
		if (*p != '\t')
			text[len++] = *p;
		text[len] = '\0';
	}
	cli_one_line(text);
}

void cli_entry_text(const struct cli_entry *e, char text[CLI_ENTRY_TEXT])
{
	*text = '\0';
	if (!e->decoded)
		snprintf(text, CLI_ENTRY_TEXT, "a record of kind %u that this version cannot read",
			 e->frame.kind);
	else if (e->frame.kind == FWA_RECORD_START)
		start_text(&e->start, text);
	else if (e->frame.kind == FWA_RECORD_CHECKPOINT)
		checkpoint_text(&e->checkpoint, text);
	else if (e->frame.kind == FWA_RECORD_RETIRED)
		snprintf(text, CLI_ENTRY_TEXT, "records %llu to %llu are removed",
			 (unsigned long long)e->retired.first, (unsigned long long)e->retired.last);
	else if (e->frame.kind == FWA_RECORD_CLOCK)
		clock_text(&e->clock, text);
	else if (e->frame.kind == FWA_RECORD_SOURCE)
		source_text(&e->opened, text);
	else if (e->frame.kind == FWA_RECORD_SOURCE_END)
		end_text(&e->ended, text);
	else if (e->frame.kind == FWA_RECORD_OBJECT)
		object_text(&e->object, text);
	else if (e->frame.kind == FWA_RECORD_CONTEXT)
		context_text(&e->context, text);
	else if (e->frame.kind == FWA_RECORD_CONTROL)
		snprintf(text, CLI_ENTRY_TEXT, "%s", e->control.text);
	else if (e->frame.kind == FWA_RECORD_UNRECORDED)
		unrecorded_text(&e->unrecorded, text);
	else if (e->frame.kind == FWA_RECORD_OUTCOME)
		snprintf(text, CLI_ENTRY_TEXT, "of %llu", (unsigned long long)e->frame.refers);
}

static void outcome_text(const struct fwa_record_outcome *o, unsigned int set, char *text,
			 size_t size)
{
	const char *name = fwa_outcome_name(o->status);

	if (o->status == FWA_OUTCOME_DEVICE_ERROR)
		snprintf(text, size, "%s (%s)", name, fwa_status_name(set, o->device_code));
	else if (o->transport_errno)
		snprintf(text, size, "%s (%s)", name, strerror(o->transport_errno));
	else
		snprintf(text, size, "%s", name);
}

void cli_entry_outcome_text(const struct cli_entry *e, char *text, size_t size)
{
	unsigned int set = e->decoded && e->frame.kind == FWA_RECORD_DECISION
				   ? e->decision.decision.set
				   : FWA_SET_CXL;

	if (e->has_outcome)
		outcome_text(&e->result.record, set, text, size);
	else if (e->decoded && e->frame.kind == FWA_RECORD_DECISION)
		snprintf(text, size, "%s", fwa_admitted(&e->decision.decision) ? "open" : "-");
	else if (e->decoded && e->frame.kind == FWA_RECORD_OUTCOME)
		outcome_text(&e->outcome, set, text, size);
	else
		snprintf(text, size, "-");
}
