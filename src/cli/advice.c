/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where numbers would help they are those that the gate compared: the device's sizes and the model's
 * lengths.
 */
#include "cli/advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "cli/duration.h"
#include "cli/text.h"
#include "core/reason.h"
#include "wire/nvme.h"

static const char sender[] = "whoever sends it: no grant is about this";
static const char vendor[] = "the device's vendor, by other firmware; no grant is about this";
static const char nobody[] = "nobody: no grant allows it, not even to root";
static const char granter[] =
	"root, for good or for a time; members of group fwadmit-admin, for a time";
static const char operator[] = "root and members of group fwadmit-admin";
static const char user[] = "this user: nothing has to be granted";
static const char time_alone[] = "nobody has to: it passes by itself";
static const char keeper[] = "whoever looks after the journal's disk; then it passes by itself";

__attribute__((format(printf, 2, 3))) static void add(struct cli_advice *a, const char *format, ...)
{
	va_list ap;

	if (a->n == CLI_ADVICE_MAX)
		return;
	va_start(ap, format);
	vsnprintf(a->pass[a->n++], CLI_ADVICE_TEXT, format, ap);
	va_end(ap);
}

/* --- no grant helps ------------------------------------------------------------------------- */

/* What does not depend on the command's numbers. */
static const struct {
	const char *pass;
	const char *who;
} fixed[FWA_DETAIL_COUNT] = {
	[FWA_DETAIL_SET] = { "a request that names one of the sets cxl, admin and io", sender },
	[FWA_DETAIL_OPCODE_WIDTH] = { "an opcode from 00h to ffh", sender },
	[FWA_DETAIL_SCOPE] = { "one of the four scopes, or the least", sender },
	[FWA_DETAIL_DATA_MAX] = { "a payload and a reply of at most 2 MiB", sender },
	[FWA_DETAIL_FIELDS] = { "the same without namespace and command dwords, which only NVMe "
				"has",
				sender },
	[FWA_DETAIL_FEATURE_UNKNOWN] = { "a Feature that the device lists in Get Supported "
					 "Features",
					 sender },
	[FWA_DETAIL_FEATURE_READ_ONLY] = { "nothing, as long as the Feature's entry in Get "
					   "Supported "
					   "Features does not say \"changeable\"",
					   vendor },
	[FWA_DETAIL_LOG_UNKNOWN] = { "a log that the device lists in Get Supported Logs", sender },
	[FWA_DETAIL_RESERVED_DECLARED] = { "nothing, until the device declares it with bits that "
					   "the specification defines",
					   vendor },
	[FWA_DETAIL_FEATURE_SILENT] = { "nothing, until the Feature's entry in Get Supported "
					"Features "
					"says what setting it changes",
					vendor },
	[FWA_DETAIL_ZERO_LENGTH] = { "a length that is not zero", sender },
	[FWA_DETAIL_DPA_ALIGN] = { "an address that is a multiple of 64 bytes", sender },
	[FWA_DETAIL_DPA_WRAP] = { "a range that ends below 2^64", sender },
	[FWA_DETAIL_TRANSFER_LENGTH] = { "the same length in the command's fields and for its data",
					 sender },
	[FWA_DETAIL_NAMESPACE_UNKNOWN] = { "a namespace that the controller lists, with a format "
					   "that "
					   "has no separate metadata",
					   sender },
	[FWA_DETAIL_DMA] = { "nothing: where the device reads or writes host memory is not in the "
			     "bytes "
			     "that the gate can judge",
			     nobody },
	[FWA_DETAIL_CARRIER] = { "the command that it carries, sent by itself, so that it is "
				 "judged",
				 nobody },
	[FWA_DETAIL_OTHER_CLIENT] = { "nothing here: it is for the kernel's driver, or for the "
				      "client "
				      "whose state it is",
				      nobody },
	[FWA_DETAIL_UNKNOWN_SELECTOR] = { "a value that the specification defines", sender },
	[FWA_DETAIL_LINUX_OPCODE] = { "Get Supported Features, Get Feature and Set Feature; or any "
				      "command where fwadmitd runs in strict mode",
				      "root, who starts fwadmitd" },
	[FWA_DETAIL_LINUX_FEATURE] = { "a Feature that Linux passes; or this one where fwadmitd "
				       "runs in "
				       "strict mode",
				       "root, who starts fwadmitd" },
	[FWA_DETAIL_LID_UNLISTED] = { "a log page that the controller lists in page 00h", sender },
	[FWA_DETAIL_FID_UNLISTED] = { "a feature that the controller lists in page 12h", sender },
	[FWA_DETAIL_NO_TRANSFER] = { "the Feature's own UUID; the one of all ones goes on with a "
				     "transfer that the same session has begun",
				     sender },
	[FWA_DETAIL_TRANSFER_OF_OTHER] = { "the Feature's own UUID, once the other session's "
					   "transfer is "
					   "over",
					   sender },
	[FWA_DETAIL_ADVISORY] = { "nothing, as long as the advisory is in force", operator },
};

static void lengths(uint64_t least, uint64_t most, const char *what, struct cli_advice *a)
{
	if (most == FWA_LENGTH_ANY)
		add(a, "a %s of %llu bytes or more", what, (unsigned long long)least);
	else if (least == most)
		add(a, "a %s of %llu bytes", what, (unsigned long long)least);
	else
		add(a, "a %s of %llu to %llu bytes", what, (unsigned long long)least,
		    (unsigned long long)most);
}

static void log_size(const struct cli_verdict *v, struct cli_advice *a)
{
	uint32_t size = 0;

	if (v->cmd->payload.len >= FWA_UUID_LEN)
		fwa_profile_log_size(v->subject->profile, v->cmd->payload.data, &size);
	add(a, "an offset and a length within the log's %u bytes", size);
}

static void direction(const struct cli_verdict *v, struct cli_advice *a)
{
	switch (NVME_DIR(v->cmd->opcode)) {
	case 0:
		add(a, "the command without data: this opcode has none");
		break;
	case NVME_DIR_TO_DEVICE:
		add(a, "data for the device only: this opcode returns none");
		break;
	case NVME_DIR_FROM_DEVICE:
		add(a, "data from the device only: this opcode takes none");
		break;
	default:
		add(a, "data in one direction, not in both");
		break;
	}
}

/* What is wrong with the command's lengths, offsets and fields, in the numbers that would do. */
static void shape(const struct cli_verdict *v, const struct fwa_decision *d, struct cli_advice *a)
{
	const struct fwa_model_command *row = fwa_model_find(v->cmd->set, v->cmd->opcode);
	const struct fwa_profile *p = v->subject->profile;

	a->who = sender;
	switch (d->detail) {
	case FWA_DETAIL_PAYLOAD_SHORT:
	case FWA_DETAIL_PAYLOAD_LONG:
		lengths(row ? row->in_min : 0, row ? row->in_max : FWA_LENGTH_ANY, "payload", a);
		break;
	case FWA_DETAIL_REPLY_LENGTH:
		lengths(row ? row->out_min : 0, row ? row->out_max : FWA_LENGTH_ANY, "reply", a);
		break;
	case FWA_DETAIL_PAYLOAD_OVER_MAILBOX:
	case FWA_DETAIL_REPLY_OVER_MAILBOX:
		add(a, "at most %u bytes at a time, the size of the device's mailbox",
		    p->payload_max);
		break;
	case FWA_DETAIL_LOG_RANGE:
		log_size(v, a);
		break;
	case FWA_DETAIL_LSA_RANGE:
		add(a, "an offset and a length within the %u bytes of the label storage area",
		    p->lsa_size);
		break;
	case FWA_DETAIL_FEATURE_RANGE:
		add(a, "an offset and a length within the size that Get Supported Features gives");
		break;
	case FWA_DETAIL_DIRECTION:
		direction(v, a);
		break;
	default:
		add(a, "other bytes: these are not ones that the command has");
		break;
	}
}

static void undeclared(const struct cli_verdict *v, struct cli_advice *a)
{
	bool cxl = v->cmd->set == FWA_SET_CXL;

	a->who = vendor;
	add(a, "nothing, until the device lists it in its %s",
	    cxl ? "Command Effects Log" : "Commands Supported and Effects log (page 05h)");
}

/* @d is what nothing takes away. */
static void impossible(const struct cli_verdict *v, const struct fwa_decision *d,
		       struct cli_advice *a)
{
	if (d->reason != v->decision.reason)
		add(a, "nothing: without that it would be refused as %s",
		    fwa_reason_name(d->reason));
	if (d->reason == FWA_REASON_LOCKDOWN) {
		a->who = "who boots the machine; no grant helps";
		add(a, "only where the kernel is not locked down: it refuses what changes a device "
		       "at once, to root, too");
	} else if (d->reason == FWA_REASON_LEASE) { /* an abort: waiting leaves nothing to end */
		a->who = "the user whose operation it is, and root";
		add(a, "the same from them: nobody else may end it");
	} else if (fixed[d->detail].pass) {
		a->who = fixed[d->detail].who;
		add(a, "%s", fixed[d->detail].pass);
	} else if (d->detail == FWA_DETAIL_NOT_LISTED) {
		undeclared(v, a);
	} else if (d->reason == FWA_REASON_PAYLOAD_SHAPE) {
		shape(v, d, a);
	} else {
		a->who = nobody;
		add(a, "nothing");
	}
}

/* --- what an operator or time can do -------------------------------------------------------- */

/* What is in the way when the rate is: the right that would cover the command. */
static const struct fwa_right *used_up(const struct cli_verdict *v, uint32_t *ret_index)
{
	const struct fwa_contract *c = v->contract;
	const struct fwa_decision *d = &v->decision;
	uint32_t over = d->detail == FWA_DETAIL_SESSIONS ? c->seats_over : c->rate_over;

	for (uint32_t i = 0; i < v->subject->rights.n; i++) {
		const struct fwa_right *r = &v->subject->rights.right[i];

		if (!(over >> i & 1) || r->scope < d->scope || d->effects & ~r->effects ||
		    !fwa_filter_covers(r->filter, v->cmd, NULL))
			continue;
		*ret_index = i;
		return r;
	}
	return NULL;
}

/* The longest that a bucket with this right can take to let something pass again, in s. */
static int64_t longest_wait(const struct fwa_right *r)
{
	uint64_t most = 2u * FWA_COMMAND_DATA_MAX; /* what one command can have taken */
	uint64_t wait = 1;

	if (r->bytes && most / r->bytes >= wait)
		wait = most / r->bytes + 1;
	return (int64_t)wait;
}

static void wait_for_rate(const struct cli_verdict *v, struct cli_advice *a)
{
	uint32_t i = 0;
	const struct fwa_right *r = used_up(v, &i);
	char span[CLI_DURATION_TEXT];

	if (!r)
		add(a, "later: what the grant allows is used up for now");
	else if (v->decision.detail == FWA_DETAIL_SESSIONS)
		add(a, "once another session of this user ends: grant \"%s\" allows %u at a time",
		    v->subject->grant_names[i], r->sessions);
	else
		add(a, "in %s at the latest: grant \"%s\" allows a second's worth at a time",
		    cli_duration_text(longest_wait(r), span), v->subject->grant_names[i]);
}

/* Whether the journal is in the way, first or behind something else. */
static bool journal_is_down(const struct cli_verdict *v)
{
	if (v->decision.reason == FWA_REASON_JOURNAL)
		return true;
	if (v->stale || v->contract->journal == FWA_JOURNAL_OK)
		return false;
	return v->contract->journal != FWA_JOURNAL_DOWN_EFFECTS || fwa_may_change(&v->last);
}

/* Whether somebody else is, or the rate. */
static bool others_are(const struct cli_verdict *v)
{
	const struct cli_subject *s = v->subject;
	struct fwa_contract contract = s->contract;

	if (v->stale)
		return v->decision.reason != FWA_REASON_JOURNAL;
	contract.journal = FWA_JOURNAL_OK;
	return fwa_remedy(&contract, &s->rights, s->profile, v->cmd, s->now).wait;
}

static void wait_for(const struct cli_verdict *v, struct cli_advice *a)
{
	switch (v->decision.detail) {
	case FWA_DETAIL_USED_UP:
	case FWA_DETAIL_SESSIONS:
		wait_for_rate(v, a);
		break;
	case FWA_DETAIL_BACKGROUND_OF_OTHER:
		add(a, "once that operation is done; its user and root can abort it");
		break;
	case FWA_DETAIL_TRANSFER_OF_OTHER:
	case FWA_DETAIL_FIRMWARE_OF_OTHER:
		add(a, "once that transfer is done, or the session that began it has ended");
		break;
	default: /* not the first thing in the way */
		if (others_are(v))
			add(a, "once no other session's work is in the way");
		break;
	}
	if (journal_is_down(v))
		add(a, "once the journal can write: %sfree space where it is kept",
		    v->subject->embedded ? "" : "see fwadmit status, ");
}

static void accepting(const struct cli_verdict *v, struct cli_advice *a)
{
	const struct cli_subject *s = v->subject;
	const char *name = s->embedded ? s->spec : s->name;

	if (v->pinned || v->decision.detail == FWA_DETAIL_NOT_PINNED)
		add(a,
		    "once they are pinned (fwadmit baseline save %s -O /etc/fwadmit/baselines); "
		    "root is not held to them",
		    name);
	else
		add(a,
		    "once they are accepted (fwadmit baseline diff %s, fwadmit baseline accept "
		    "%s); root is not held to them",
		    name, name);
}

static void possible(const struct cli_verdict *v, const struct fwa_remedy *r, struct cli_advice *a)
{
	const char *name = v->subject->name;
	char effects[CLI_EFFECTS_TEXT];

	if (r->release && v->subject->embedded)
		add(a, "nothing in this call: the next one asks the device anew");
	else if (r->release)
		add(a, "once the quarantine is ended: fwadmit release %s", name);
	if (r->accept)
		accepting(v, a);
	if (r->ask)
		add(a, "with --scope=%s", fwa_scope_name(r->scope));
	if (r->grant)
		add(a, "with a grant that reaches scope %s%s%s", fwa_scope_name(r->scope),
		    r->effects ? " and covers the effects: " : "",
		    r->effects ? cli_effects_text(r->effects, 0, ", ", effects) : "");
	if (r->grant && v->subject->rights.overflow)
		add(a, "with fewer grants of this user: it has more than the %u that count",
		    FWA_RIGHTS_MAX);
	if (r->wait)
		wait_for(v, a);
	if (r->release || r->accept)
		a->who = operator;
	else if (r->grant)
		a->who = granter;
	else if (r->ask)
		a->who = user;
	else
		a->who = journal_is_down(v) ? keeper : time_alone;
}

/* What takes away the one reason that the gate gave, in a state that is not known here. */
static struct fwa_remedy remedy_of(const struct fwa_decision *d)
{
	return (struct fwa_remedy){
		.possible = true,
		.release = d->reason == FWA_REASON_QUARANTINED,
		.accept = d->reason == FWA_REASON_DRIFT,
		.wait = d->reason >= FWA_REASON_LEASE && d->reason <= FWA_REASON_JOURNAL,
		.ask = d->reason == FWA_REASON_SCOPE_TOO_LOW,
		.grant = d->reason >= FWA_REASON_NO_GRANT && d->reason <= FWA_REASON_GRANT_EXPIRED,
		.scope = d->required,
		.effects = d->effects,
	};
}

/*= spec/SECURITY-MODEL.md#C30 */
void cli_advise(const struct cli_verdict *v, struct cli_advice *ret)
{
	struct fwa_remedy r = v->stale ? remedy_of(&v->decision) : v->remedy;
	bool any = r.release || r.accept || r.wait || r.ask || r.grant;

	memset(ret, 0, sizeof(*ret));
	if (r.possible && any)
		possible(v, &r, ret);
	else
		impossible(v, v->stale || fwa_admitted(&v->last) ? &v->decision : &v->last, ret);
}
