/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of messages: their ids are the same in every version.
 */
#include "mirror/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/hex.h"
#include "core/model.h"
#include "core/reason.h"
#include "core/record.h"

enum kind {
	REFUSED,
	QUARANTINED,
	RELEASED,
	DRIFTED,
	ACCEPTED,
	UNRECORDED,
	DAMAGED,
	KINDS,
};

/* docs/OPERATORS.md has them, too. */
static const struct {
	const char *id, *name;
	int priority;
} kinds[KINDS] = {
	[REFUSED] = { "f0e12dfe7f19417aa42ace9ef671a895", "refused", LOG_NOTICE },
	[QUARANTINED] = { "480e77867f5c41a68b27bc509aeb3498", "quarantined", LOG_WARNING },
	[RELEASED] = { "a6de47a5e9be4a6ab139466135ecd437", "released", LOG_NOTICE },
	[DRIFTED] = { "9ed109876a59499b97083a810c946da7", "drifted", LOG_WARNING },
	[ACCEPTED] = { "ba60c4af854645c3b97d83b878ce35a4", "baseline-accepted", LOG_NOTICE },
	[UNRECORDED] = { "d2e177715dd64500a9fc20b3dc5dd714", "unrecorded", LOG_ERR },
	[DAMAGED] = { "7d553f3229cb4f799b7b4d206a517614", "damaged", LOG_CRIT },
};

size_t fwa_mirror_kinds(void)
{
	return KINDS;
}

const char *fwa_mirror_id(size_t kind, const char **ret_name)
{
	*ret_name = kinds[kind].name;
	return kinds[kind].id;
}

/* --- fields -------------------------------------------------------------------------------------- */

/* Adds NAME=value; what does not fit is left out whole. */
__attribute__((format(printf, 2, 3))) static void add(struct fwa_mirror_message *m,
						      const char *format, ...)
{
	size_t room = sizeof(m->text) - m->len;
	char *at = m->text + m->len;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(at, room, format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room || m->n == FWA_MIRROR_FIELDS)
		return;
	/* A newline would begin another field; records have none, and this does not rely on it. */
	for (char *c = at; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	m->field[m->n++] = (struct iovec){ at, (size_t)len };
	m->len += (size_t)len + 1;
}

static void begin(struct fwa_mirror_message *m, enum kind kind, const struct fwa_frame *f,
		  const char *device)
{
	char hash[2 * FWA_HASH_LEN + 1];

	m->n = m->len = 0;
	fwa_hex_text(f->hash, FWA_HASH_LEN, hash);
	add(m, "MESSAGE_ID=%s", kinds[kind].id);
	add(m, "PRIORITY=%d", kinds[kind].priority);
	add(m, "SYSLOG_IDENTIFIER=fwadmit");
	add(m, "FWADMIT_EVENT=%s", kinds[kind].name);
	add(m, "FWADMIT_SEQ=%llu", (unsigned long long)f->seq);
	add(m, "FWADMIT_TIME_USEC=%llu", (unsigned long long)(f->time / 1000));
	add(m, "FWADMIT_HASH=%s", hash);
	if (*device)
		add(m, "FWADMIT_DEVICE=%s", device);
}

/* "config data", "none" */
static void add_effects(struct fwa_mirror_message *m, fwa_effects effects)
{
	char list[512] = "";
	size_t len = 0;

	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT && len < sizeof(list); bit++) {
		if (effects >> bit & 1)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
						len ? " " : "", fwa_effect_name(bit));
	}
	add(m, "FWADMIT_EFFECTS=%s", len ? list : "none");
}

static void add_command(struct fwa_mirror_message *m, const struct fwa_decision *d)
{
	const struct fwa_model_command *row = fwa_model_find(d->set, d->opcode);
	const char *set = fwa_set_name(d->set);

	add(m, "FWADMIT_COMMAND=%s", row ? row->name : "unknown");
	add(m, "FWADMIT_OPCODE=%s:%04x", set ? set : "unknown", d->opcode);
}

static bool refused(const struct fwa_frame *f, const char *device, struct fwa_mirror_message *m)
{
	struct fwa_record_decision r;
	const struct fwa_decision *d = &r.decision;
	const struct fwa_model_command *row;

	if (fwa_record_decision_decode(f->body, &r) < 0 || fwa_admitted(d))
		return false;
	row = fwa_model_find(d->set, d->opcode);
	begin(m, REFUSED, f, device);
	add(m, "MESSAGE=%s (%04xh) on %s refused to uid %u: %s (C%u)", row ? row->name : "command",
	    d->opcode, *device ? device : "a device", r.who.uid, fwa_reason_name(d->reason),
	    fwa_reason_clause(d->reason));
	add(m, "FWADMIT_UID=%u", r.who.uid);
	add(m, "FWADMIT_PID=%u", r.who.pid);
	if (*r.who.comm)
		add(m, "FWADMIT_COMM=%s", r.who.comm);
	if (*r.who.unit)
		add(m, "FWADMIT_UNIT=%s", r.who.unit);
	add_command(m, d);
	add(m, "FWADMIT_REASON=%s", fwa_reason_name(d->reason));
	add(m, "FWADMIT_CLAUSE=C%u", fwa_reason_clause(d->reason));
	add_effects(m, d->effects);
	return true;
}

static bool controlled(const struct fwa_frame *f, struct fwa_mirror_message *m)
{
	struct fwa_record_control r;
	enum kind kind;

	if (fwa_record_control_decode(f->body, &r) < 0)
		return false;
	switch (r.act) {
	case FWA_ACT_QUARANTINED:
		kind = QUARANTINED;
		break;
	case FWA_ACT_RELEASED:
		kind = RELEASED;
		break;
	case FWA_ACT_DRIFTED:
		kind = DRIFTED;
		break;
	case FWA_ACT_BASELINE_ACCEPTED:
		kind = ACCEPTED;
		break;
	default:
		return false;
	}
	begin(m, kind, f, r.device);
	add(m, "MESSAGE=%s: %s%s%s", r.device, kinds[kind].name, *r.text ? ": " : "", r.text);
	add(m, "FWADMIT_UID=%u", r.uid);
	add(m, "FWADMIT_PID=%u", r.pid);
	return true;
}

static bool unrecorded(const struct fwa_frame *f, const char *device, struct fwa_mirror_message *m)
{
	struct fwa_record_unrecorded r;

	if (fwa_record_unrecorded_decode(f->body, &r) < 0)
		return false;
	begin(m, UNRECORDED, f, device);
	add(m, "MESSAGE=%s: %llu refusals and %llu commands without effects are not in the journal",
	    *device ? device : "a device", (unsigned long long)r.refused,
	    (unsigned long long)r.passed);
	return true;
}

static bool damaged(const struct fwa_frame *f, struct fwa_mirror_message *m)
{
	struct fwa_record_start r;

	if (fwa_record_start_decode(f->body, &r) < 0 || !r.damaged)
		return false;
	begin(m, DAMAGED, f, "");
	add(m, "MESSAGE=the journal is damaged: record %llu cannot be read",
	    (unsigned long long)r.damaged);
	return true;
}

bool fwa_mirror_fields(const struct fwa_frame *f, const char *device,
		       struct fwa_mirror_message *ret)
{
	switch (f->kind) {
	case FWA_RECORD_DECISION:
		return refused(f, device, ret);
	case FWA_RECORD_CONTROL:
		return controlled(f, ret);
	case FWA_RECORD_UNRECORDED:
		return unrecorded(f, device, ret);
	case FWA_RECORD_START:
		return damaged(f, ret);
	default:
		return false;
	}
}
