/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as JSON: one object each. What all have stands first, then what its kind has.
 */
#include "base/hex.h"
#include "base/util.h"
#include "cli/decision.h"
#include "cli/log-entry.h"
#include "cli/log-time.h"

static const uint8_t zero[FWA_HASH_LEN];

static struct json_object *number(uint64_t n)
{
	return json_object_new_uint64(n);
}

/* A digest; null for one that is all zero, which stands for none. */
static struct json_object *digest(const uint8_t *hash)
{
	return memcmp(hash, zero, FWA_HASH_LEN) == 0 ? NULL : cli_json_hex(hash, FWA_HASH_LEN);
}

static struct json_object *stamp(uint64_t time)
{
	char text[CLI_STAMP_TEXT];

	return cli_json_text(cli_stamp_text(time, 9, text));
}

/* --- decisions ---------------------------------------------------------------------------------- */

static struct json_object *principal(const struct fwa_record_who *w)
{
	struct json_object *o = json_object_new_object(), *groups = json_object_new_array();

	json_object_object_add(o, "uid", number(w->uid));
	json_object_object_add(o, "gid", number(w->gid));
	json_object_object_add(o, "pid", number(w->pid));
	json_object_object_add(o, "comm", cli_json_text(w->comm));
	json_object_object_add(o, "unit", cli_json_text(w->unit));
	for (uint32_t i = 0; i < w->n_groups; i++)
		json_object_array_add(groups, number(fwa_le32(w->groups + 4 * (size_t)i)));
	json_object_object_add(o, "groups", groups);
	json_object_object_add(o, "more_groups", json_object_new_boolean(w->more_groups));
	json_object_object_add(o, "owner", json_object_new_boolean(w->owner));
	json_object_object_add(o, "gate", json_object_new_boolean(w->gate));
	return o;
}

/* The bytes of the command beside its payload; NVMe's are zero for others. */
static struct json_object *command(const struct fwa_command *cmd)
{
	struct json_object *o = json_object_new_object(), *cdw = json_object_new_array();

	for (size_t i = 0; i < FWA_ARRAY_SIZE(cmd->cdw); i++)
		json_object_array_add(cdw, number(cmd->cdw[i]));
	json_object_object_add(o, "nsid", number(cmd->nsid));
	json_object_object_add(o, "cdw10_15", cdw);
	json_object_object_add(o, "in_bytes", number(cmd->payload.len));
	json_object_object_add(o, "out_bytes", number(cmd->out_len));
	return o;
}

/* As `send` has it, and where it stands. */
static struct json_object *outcome(unsigned int set, uint64_t decision,
				   const struct fwa_record_outcome *r, uint64_t seq, uint64_t time)
{
	struct fwa_gate_reply reply = {
		.status = r->status,
		.device_code = r->device_code,
		.device_result = r->device_result,
		.transport_errno = r->transport_errno,
		.duration_ns = r->duration_ns,
		.seq = decision,
	};
	struct json_object *o = cli_json_outcome(set, &reply, r->out_len);

	json_object_object_add(o, "record", seq ? number(seq) : NULL);
	json_object_object_add(o, "time", seq ? stamp(time) : NULL);
	return o;
}

static struct json_object *outcome_of(const struct cli_entry *e)
{
	static const struct fwa_record_outcome refused = { .status = FWA_OUTCOME_REFUSED };
	const struct fwa_decision *d = &e->decision.decision;

	if (e->has_outcome)
		return outcome(d->set, e->frame.seq, &e->result.record, e->result.seq,
			       e->result.time);
	return fwa_admitted(d) ? NULL : outcome(d->set, e->frame.seq, &refused, 0, 0);
}

static void add_decision(const struct cli *cli, const struct cli_entry *e, struct json_object *o)
{
	const struct fwa_record_decision *d = &e->decision;
	struct cli_subject subject;
	struct fwa_command cmd;
	struct cli_verdict v = cli_entry_verdict(e, &subject, &cmd);

	json_object_object_add(o, "principal", principal(&d->who));
	json_object_object_add(o, "decision", cli_json_decision(cli, &v));
	json_object_object_add(o, "outcome", outcome_of(e));
	json_object_object_add(o, "command", command(&d->cmd));
	json_object_object_add(o, "request_sha256", digest(d->request_sha256));
	json_object_object_add(o, "request_hex",
			       d->payload.len ? cli_json_hex(d->payload.data, d->payload.len)
					      : NULL);
	json_object_object_add(o, "response_sha256",
			       e->has_outcome ? digest(e->result.record.response_sha256) : NULL);
	json_object_object_add(o, "profile_sha256", digest(d->profile_sha256));
	json_object_object_add(o, "policy_digest", digest(d->policy_digest));
	json_object_object_add(o, "accepted_sha256", digest(d->accepted_sha256));
}

/* --- the others ----------------------------------------------------------------------------------- */

static void add_control(const struct fwa_record_control *c, struct json_object *o)
{
	struct json_object *who = json_object_new_object();

	json_object_object_add(who, "uid", number(c->uid));
	json_object_object_add(who, "pid", number(c->pid));
	json_object_object_add(o, "principal", who);
	json_object_object_add(o, "act", cli_json_text(fwa_control_act_name(c->act)));
}

static void add_outcome(const struct cli_entry *e, struct json_object *o)
{
	json_object_object_add(o, "decision_seq", number(e->frame.refers));
	json_object_object_add(o, "status", cli_json_text(fwa_outcome_name(e->outcome.status)));
	json_object_object_add(o, "device_code", number(e->outcome.device_code));
	json_object_object_add(o, "device_result", number(e->outcome.device_result));
	json_object_object_add(o, "transport_errno",
			       json_object_new_int(e->outcome.transport_errno));
	json_object_object_add(o, "bytes", number(e->outcome.out_len));
	json_object_object_add(o, "duration_ns", number(e->outcome.duration_ns));
	json_object_object_add(o, "response_sha256", digest(e->outcome.response_sha256));
}

static void add_start(const struct fwa_record_start *s, struct json_object *o)
{
	json_object_object_add(o, "version", cli_json_text(s->version));
	json_object_object_add(o, "boot_id", cli_json_hex(s->boot_id, sizeof(s->boot_id)));
	json_object_object_add(o, "cut_offset", number(s->cut_offset));
	json_object_object_add(o, "cut_bytes", number(s->cut_bytes));
	json_object_object_add(o, "cut_sha256", digest(s->cut_sha256));
	json_object_object_add(o, "damaged", s->damaged ? number(s->damaged) : NULL);
}

static void add_source(const struct fwa_record_source *s, struct json_object *o)
{
	json_object_object_add(o, "id", cli_json_hex(s->id, sizeof(s->id)));
	json_object_object_add(o, "source_kind", json_object_new_int(s->kind));
	json_object_object_add(o, "pid", number(s->pid));
	json_object_object_add(o, "uid", number(s->uid));
	json_object_object_add(o, "resumed", number(s->resumed));
	json_object_object_add(o, "spec", cli_json_text(s->spec));
}

static void add_checkpoint(const struct fwa_checkpoint *c, struct json_object *o)
{
	char line[FWA_CHECKPOINT_LINE];

	fwa_checkpoint_line(c, line);
	line[strcspn(line, "\n")] = '\0';
	json_object_object_add(o, "first", number(c->statement.first));
	json_object_object_add(o, "root", cli_json_hex(c->statement.root, FWA_HASH_LEN));
	json_object_object_add(o, "key", cli_json_hex(c->statement.key, FWA_KEY_LEN));
	json_object_object_add(o, "open_decisions", number(c->n_decisions));
	json_object_object_add(o, "line", cli_json_text(line));
}

static void add_object(const struct fwa_record_object *r, struct json_object *o)
{
	static const char *const kinds[] = { NULL, "profile", "policy", "accepted" };

	json_object_object_add(
		o, "object",
		cli_json_text(r->kind < FWA_ARRAY_SIZE(kinds) ? kinds[r->kind] : NULL));
	json_object_object_add(o, "key", cli_json_hex(r->key, FWA_HASH_LEN));
	json_object_object_add(o, "sha256", cli_json_hex(r->sha256, FWA_HASH_LEN));
}

static void add_unrecorded(const struct fwa_record_unrecorded *u, struct json_object *o)
{
	json_object_object_add(o, "refused", number(u->refused));
	json_object_object_add(o, "passed", number(u->passed));
}

static void add_other(const struct cli_entry *e, struct json_object *o)
{
	char text[CLI_ENTRY_TEXT];

	switch (e->decoded ? e->frame.kind : 0) {
	case FWA_RECORD_CONTROL:
		add_control(&e->control, o);
		break;
	case FWA_RECORD_OUTCOME:
		add_outcome(e, o);
		break;
	case FWA_RECORD_START:
		add_start(&e->start, o);
		break;
	case FWA_RECORD_SOURCE:
		add_source(&e->opened, o);
		break;
	case FWA_RECORD_CHECKPOINT:
		add_checkpoint(&e->checkpoint, o);
		break;
	case FWA_RECORD_OBJECT:
		add_object(&e->object, o);
		break;
	case FWA_RECORD_UNRECORDED:
		add_unrecorded(&e->unrecorded, o);
		break;
	case FWA_RECORD_RETIRED:
		json_object_object_add(o, "first", number(e->retired.first));
		json_object_object_add(o, "last", number(e->retired.last));
		break;
	case FWA_RECORD_CONTEXT:
		json_object_object_add(o, "profile_sha256", digest(e->context.profile_sha256));
		json_object_object_add(o, "policy_digest", digest(e->context.policy_digest));
		break;
	case FWA_RECORD_CLOCK:
		json_object_object_add(o, "before", stamp(e->clock.before));
		json_object_object_add(o, "after", stamp(e->clock.after));
		break;
	default:
		break;
	}
	cli_entry_text(e, text);
	json_object_object_add(o, "text", cli_json_text(text));
}

struct json_object *cli_entry_json(const struct cli *cli, const struct cli_entry *e)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, "seq", number(e->frame.seq));
	json_object_object_add(o, "kind", cli_json_text(fwa_record_kind_name(e->frame.kind)));
	json_object_object_add(o, "time", stamp(e->frame.time));
	json_object_object_add(o, "time_ns", number(e->frame.time));
	json_object_object_add(o, "device", cli_json_text(cli_entry_device(e)));
	json_object_object_add(o, "source", e->frame.source ? number(e->frame.source) : NULL);
	if (e->decoded && e->frame.kind == FWA_RECORD_DECISION)
		add_decision(cli, e, o);
	else
		add_other(e, o);
	json_object_object_add(o, "hash", cli_json_hex(e->frame.hash, FWA_HASH_LEN));
	return o;
}
