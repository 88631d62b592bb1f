/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker puts in its ring, and how it knows whether anybody takes it out.
 */
#include "worker/journal.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "journal/digest.h"
#include "worker/worker.h"

/* The longest of each but a decision. */
#define OUTCOME_LEN (40 + FWA_HASH_LEN)
#define CONTEXT_LEN (2 * FWA_HASH_LEN + 2 + FWA_RECORD_TEXT_MAX)
#define UNRECORDED_LEN 32
/* A question of the gate's own, which a request may give rise to. */
#define QUESTION_LEN 1024

static bool is_on(const struct worker *w)
{
	return w->journal.ring.ring;
}

void journal_init(struct journal *j, bool reads_pass)
{
	*j = (struct journal){ .reads_pass = reads_pass,
			       .next_late = UINT64_MAX,
			       .own_refused = FWA_REASON_ADMIT };
	fwa_list_init(&j->waiting);
}

int journal_open(struct worker *w, const struct fwa_ring_fds *fds)
{
	return fwa_ring_writer_open(&w->journal.ring, fds);
}

/* --- what is decided by ----------------------------------------------------------------------------- */

/* What reads the same is the same, however often it is read. */
static void change(struct journal *j, uint8_t name[FWA_HASH_LEN],
		   const uint8_t new_name[FWA_HASH_LEN])
{
	if (j->context && memcmp(name, new_name, FWA_HASH_LEN) == 0)
		return;
	memcpy(name, new_name, FWA_HASH_LEN);
	j->context++;
}

void journal_new_profile(struct worker *w)
{
	uint8_t name[FWA_HASH_LEN];

	if (!is_on(w))
		return;
	fwa_sha256(w->profile.encoded, name);
	change(&w->journal, w->journal.profile_sha256, name);
}

void journal_new_policy(struct worker *w)
{
	static const uint8_t none[FWA_HASH_LEN];

	if (is_on(w))
		change(&w->journal, w->journal.policy_digest,
		       w->policy.digest ? w->policy.digest : none);
}

void journal_new_baseline(struct worker *w)
{
	const struct profiling *p = &w->profiling;

	memset(w->journal.accepted_sha256, 0, FWA_HASH_LEN);
	if (is_on(w) && p->drift.baseline)
		fwa_sha256(fwa_span(p->accepted, p->accepted_len), w->journal.accepted_sha256);
}

/* --- room ------------------------------------------------------------------------------------------- */

static size_t owed(const struct journal *j)
{
	return j->owed * fwa_ring_need(OUTCOME_LEN);
}

/* For any one request, and what may have to be said before it. */
static size_t wanted(const struct journal *j)
{
	return owed(j) + fwa_ring_need(FWA_RECORD_BODY_MAX) + fwa_ring_need(CONTEXT_LEN) +
	       fwa_ring_need(UNRECORDED_LEN) + fwa_ring_need(QUESTION_LEN) +
	       2 * fwa_ring_need(OUTCOME_LEN);
}

/* Who finds none is told of it when there is. */
static bool has_room(struct journal *j)
{
	size_t need = wanted(j);

	if (fwa_ring_room(&j->ring) < need && !fwa_ring_ask_room(&j->ring, need)) {
		if (!j->full_since)
			j->full_since = fwa_clock_ns(CLOCK_MONOTONIC);
		return false;
	}
	j->full_since = 0;
	j->full = false;
	return true;
}

uint64_t journal_full_at(const struct worker *w)
{
	const struct journal *j = &w->journal;

	return !j->full_since || j->full ? UINT64_MAX
					 : j->full_since + JOURNAL_ROOM_MS * FWA_NS_PER_MS;
}

void journal_note_full(struct worker *w)
{
	w->journal.full = !has_room(&w->journal);
}

void journal_note_late(struct worker *w, uint64_t record)
{
	if (record > w->journal.late)
		w->journal.late = record;
}

/* --- how it is -------------------------------------------------------------------------------------- */

/* Whether nothing has come to disk for long, though something is to: also what nobody waits for (C31). */
static bool is_behind(struct journal *j)
{
	uint64_t durable = fwa_ring_durable(&j->ring), now;

	if (durable >= j->ring.counter) {
		j->behind = 0;
		return false;
	}
	now = fwa_clock_ns(CLOCK_MONOTONIC);
	if (!j->behind || durable != j->durable)
		j->behind = now;
	j->durable = durable;
	return now - j->behind >= JOURNAL_WAIT_MS * FWA_NS_PER_MS;
}

/* NULL, or why it is down. */
static const char *why_down(struct journal *j)
{
	int trouble = fwa_ring_trouble(&j->ring);

	if (j->late && fwa_ring_durable(&j->ring) >= j->late)
		j->late = 0;
	if (trouble)
		return strerror(trouble);
	if (j->late || is_behind(j))
		return "it does not say that anything is on disk";
	return j->full && !has_room(j) ? "nothing is taken out of the ring" : NULL;
}

uint8_t journal_down(const struct worker *w)
{
	return w->journal.reads_pass ? FWA_JOURNAL_DOWN_EFFECTS : FWA_JOURNAL_DOWN;
}

/*= spec/SECURITY-MODEL.md#C31 */
uint8_t journal_state(struct worker *w)
{
	struct journal *j = &w->journal;
	const char *why = is_on(w) ? why_down(j) : NULL;
	uint8_t state = why ? journal_down(w) : FWA_JOURNAL_OK;

	if (state != j->said && w->listener >= 0)
		worker_log(w, "the journal %s%s", why ? "cannot be written: " : "is written again",
			   why ? why : "");
	j->said = state;
	return state;
}

bool journal_takes(struct worker *w)
{
	return !is_on(w) || has_room(&w->journal) || journal_state(w) != FWA_JOURNAL_OK;
}

/* --- putting records in ------------------------------------------------------------------------------- */

/* One at a time in one process; of this only what is used takes memory. */
static uint8_t body[FWA_RECORD_BODY_MAX];

/* Leaves room for @more outcomes besides those that are owed. Its counter, or 0. */
static uint64_t put(struct journal *j, enum fwa_record_kind kind, const struct fwa_writer *out,
		    bool urgent, uint32_t more)
{
	size_t need = fwa_ring_need(out->len) + owed(j) + more * fwa_ring_need(OUTCOME_LEN);

	if (out->full || fwa_ring_room(&j->ring) < need)
		return 0;
	if (!j->behind) {
		j->behind = fwa_clock_ns(CLOCK_MONOTONIC);
		j->durable = fwa_ring_durable(&j->ring);
	}
	return fwa_ring_put(&j->ring, kind, fwa_span(out->buf, out->len), urgent);
}

static bool has_lost(const struct journal *j)
{
	return j->lost.refused || j->lost.passed;
}

/*
 * How many decisions are not in the journal is the first that it hears when there is room again, and
 * once a second where they are only too many.
 */
static bool tell_lost(struct journal *j)
{
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	if (!has_lost(j) || fwa_clock_ns(CLOCK_MONOTONIC) < j->tell_at)
		return true;
	if (!has_room(j))
		return false;
	fwa_record_unrecorded_encode(&out, &j->lost);
	if (!put(j, FWA_RECORD_UNRECORDED, &out, false, 0))
		return false;
	j->lost = (struct fwa_record_unrecorded){ 0 };
	fwa_ring_set_lost(&j->ring, &j->lost);
	j->tell_at = fwa_clock_ns(CLOCK_MONOTONIC) + FWA_NS_PER_S;
	return true;
}

/* While it is down, or there is no room, the ack is waited for instead. */
uint64_t journal_next_telling(const struct worker *w)
{
	const struct journal *j = &w->journal;

	return has_lost(j) && j->said == FWA_JOURNAL_OK && !j->full_since ? j->tell_at : UINT64_MAX;
}

void journal_tell(struct worker *w, uint64_t now)
{
	tell_lost(&w->journal);
}

static bool tell_context(struct worker *w)
{
	const struct fwa_identity *id = &w->profile.id;
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	struct journal *j = &w->journal;
	struct fwa_record_context c;

	if (j->told == j->context)
		return true;
	memcpy(c.profile_sha256, j->profile_sha256, sizeof(c.profile_sha256));
	memcpy(c.policy_digest, j->policy_digest, sizeof(c.policy_digest));
	snprintf(c.identity, sizeof(c.identity), "%s\t%s\t%s\t%s", id->vendor, id->model,
		 id->serial, id->firmware);
	fwa_record_context_encode(&out, &c);
	if (!put(j, FWA_RECORD_CONTEXT, &out, false, 0))
		return false;
	j->told = j->context;
	return true;
}

void journal_acked(struct worker *w)
{
	fwa_ring_acked(&w->journal.ring);
	journal_state(w);
	tell_lost(&w->journal);
}

void journal_miss(struct worker *w, struct job *j)
{
	struct fwa_record_unrecorded *lost = &w->journal.lost;

	if (j->missed)
		return;
	j->missed = true;
	if (!has_lost(&w->journal))
		lost->since = j->judged;
	lost->until = j->judged;
	if (fwa_admitted(&j->reply.decision))
		lost->passed++;
	else
		lost->refused++;
	fwa_ring_set_lost(&w->journal.ring, lost); /* should we end before it can be told */
}

/* --- decisions ---------------------------------------------------------------------------------------- */

static void copy_text(char *to, size_t cap, const char *text)
{
	size_t len = text ? strnlen(text, cap - 1) : 0;

	if (len)
		memcpy(to, text, len);
	to[len] = '\0';
}

/* Groups are told as le32 in @groups. */
static void tell_who(struct fwa_record_who *who, const struct session *s,
		     uint8_t groups[FWA_RECORD_GROUPS_MAX * 4])
{
	const struct fwa_principal *p = &s->who;
	uint32_t n = p->n_groups < FWA_RECORD_GROUPS_MAX ? p->n_groups : FWA_RECORD_GROUPS_MAX;

	for (uint32_t i = 0; i < n; i++)
		fwa_put_le32(groups + i * 4, p->groups[i]);
	who->uid = p->uid;
	who->gid = p->gid;
	who->pid = (uint32_t)s->pid;
	who->owner = p->owner;
	who->groups = groups;
	who->n_groups = n;
	who->more_groups = p->n_groups > n;
	copy_text(who->unit, sizeof(who->unit), p->unit);
	copy_text(who->comm, sizeof(who->comm), s->comm);
}

/* All of the payload, where the grant that admits wants that. */
static void tell_payload(struct fwa_record_decision *r, const struct job *j)
{
	const struct fwa_decision *d = &j->reply.decision;
	struct fwa_span payload = j->cmd.payload;

	if (!payload.len)
		return;
	r->judged_bytes = fwa_span(payload.data, fwa_command_judged_len(&j->cmd));
	fwa_sha256(payload, r->request_sha256);
	if (!j->session || !fwa_admitted(d) || !j->session->rights->right[d->right].record_payload)
		return;
	if (payload.len <= FWA_RECORD_PAYLOAD_MAX)
		r->payload = payload;
	else
		r->payload_left_out = true;
}

static void tell_decision(const struct worker *w, const struct job *j, struct fwa_writer *out)
{
	const struct journal *journal = &w->journal;
	static uint8_t groups[FWA_RECORD_GROUPS_MAX * 4];
	struct fwa_record_decision r = {
		.judged = j->judged,
		.decision = j->reply.decision,
		.contract = j->contract,
		.cmd = j->cmd,
		.drifted = j->contract.drift,
		.who.gate = !j->session,
	};

	memcpy(r.profile_sha256, journal->profile_sha256, sizeof(r.profile_sha256));
	memcpy(r.policy_digest, journal->policy_digest, sizeof(r.policy_digest));
	if (r.drifted)
		memcpy(r.accepted_sha256, journal->accepted_sha256, sizeof(r.accepted_sha256));
	memcpy(r.grant, j->reply.grant, sizeof(r.grant));
	if (j->session)
		tell_who(&r.who, j->session, groups);
	tell_payload(&r, j);
	r.cmd.payload.data = NULL;
	fwa_record_decision_encode(out, &r);
}

/* A refusal of somebody who has no grant at all, of whom enough is recorded in this second. */
/*= spec/SECURITY-MODEL.md#C32 */
static bool is_one_too_many(struct journal *journal, const struct job *j)
{
	static const struct fwa_rate rate = { .commands = JOURNAL_STRANGERS };

	if (!j->session || j->session->rights->n_matched)
		return false;
	if (fwa_bucket_wait(&journal->strangers, &rate, j->judged))
		return true;
	fwa_bucket_take(&journal->strangers, &rate, 0, j->judged);
	return false;
}

/*= spec/SECURITY-MODEL.md#C31 */
bool journal_decision(struct worker *w, struct job *j)
{
	const struct fwa_decision *d = &j->reply.decision;
	bool admitted = fwa_admitted(d), urgent = j->receipt || (admitted && fwa_may_change(d));
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	struct journal *journal = &w->journal;

	if (!is_on(w))
		return true;
	journal_outcome(w, j, true);
	j->record = 0;
	if (!admitted && is_one_too_many(journal, j)) {
		journal_miss(w, j);
		return true;
	}
	if (!tell_lost(journal) || !tell_context(w))
		return false;
	tell_decision(w, j, &out);
	j->record = put(journal, FWA_RECORD_DECISION, &out, urgent, admitted);
	if (!j->record)
		return false;
	j->owes = admitted;
	j->context = journal->context;
	journal->owed += admitted;
	return true;
}

bool journal_own_decision(struct worker *w, struct job *j)
{
	struct fwa_decision *d = &j->reply.decision;
	bool again = d->reason == w->journal.own_refused;

	w->journal.own_refused = d->reason;
	if (again && !fwa_admitted(d))
		return false;
	if (journal_decision(w, j))
		return fwa_admitted(d);
	d->reason = w->journal.own_refused = FWA_REASON_JOURNAL;
	d->detail = FWA_DETAIL_JOURNAL_DOWN;
	journal_miss(w, j);
	return false;
}

bool journal_says(const struct worker *w, const struct job *j, const struct fwa_gate_reply *was)
{
	const struct fwa_decision *a = &was->decision, *b = &j->reply.decision;

	_Static_assert(sizeof(*a) == 40, "no padding that memcmp() would look at");
	return j->owes && j->context == w->journal.context && memcmp(a, b, sizeof(*a)) == 0 &&
	       memcmp(was->grant, j->reply.grant, sizeof(was->grant)) == 0;
}

/* --- afterwards ----------------------------------------------------------------------------------------- */

bool journal_numbered(struct worker *w, struct job *j)
{
	const struct fwa_ring_writer *ring = &w->journal.ring;

	if (!j->record)
		return true;
	if (fwa_ring_durable(ring) < j->record)
		return false;
	if (!j->reply.seq)
		j->reply.seq = fwa_ring_seq(ring, j->record);
	return true;
}

/*= spec/SECURITY-MODEL.md#C31 */
bool journal_settled(struct worker *w, struct job *j)
{
	if (!is_on(w) || !fwa_may_change(&j->reply.decision))
		return true;
	return j->record && journal_numbered(w, j);
}

/* What was executed and could not be told is another outcome than what was not executed. */
/*= spec/SECURITY-MODEL.md#C27 */
static uint8_t outcome_of(const struct job *j, bool delivered)
{
	uint8_t status = j->reply.status;

	if (!delivered && (status == FWA_OUTCOME_COMPLETED || status == FWA_OUTCOME_DEVICE_ERROR))
		return FWA_OUTCOME_UNDELIVERABLE;
	return status;
}

void journal_outcome(struct worker *w, struct job *j, bool delivered)
{
	const struct fwa_gate_reply *reply = &j->reply;
	struct fwa_record_outcome r = { .decision = j->record, .status = outcome_of(j, delivered) };
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	if (!j->owes)
		return;
	if (r.status != FWA_OUTCOME_REFUSED || reply->transport_errno) {
		r.device_code = reply->device_code;
		r.device_result = reply->device_result;
		r.transport_errno = reply->transport_errno;
		r.out_len = reply->out_len;
		r.duration_ns = reply->duration_ns;
	}
	if (r.out_len)
		fwa_sha256(fwa_span(j->answer.out, r.out_len), r.response_sha256);
	fwa_record_outcome_encode(&out, &r);
	j->owes = false;
	w->journal.owed--;
	put(&w->journal, FWA_RECORD_OUTCOME, &out, false, 0);
}
