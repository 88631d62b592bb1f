/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decisions as records: any that a gate could make is read as it was written.
 */
#include "core/test-draw.h"
#include "core/test-record.h"

/* Mostly not zero, which stands for nothing there. */
static void draw_hash(uint8_t hash[FWA_HASH_LEN])
{
	draw_bytes(hash, chance(80) ? FWA_HASH_LEN : 0);
}

/* Any length that has a place, the longest ones often. */
static void draw_text(char *text, size_t cap)
{
	size_t len = chance(20) ? cap - 1 : below((uint32_t)cap);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(' ' + below('~' - ' ' + 1));
}

static uint8_t payload[FWA_RECORD_PAYLOAD_MAX + 1], groups[(FWA_RECORD_GROUPS_MAX + 1) * 4];

static void draw_verdict(struct fwa_record_decision *r)
{
	struct fwa_decision *d = &r->decision;
	static const uint8_t scopes[] = { 0, 1, 2, 3, FWA_SCOPE_LEAST };

	d->reason = (uint8_t)(chance(40) ? FWA_REASON_ADMIT : below(FWA_REASON_COUNT));
	d->detail = (uint8_t)below(FWA_DETAIL_COUNT);
	d->need = (uint8_t)below(FWA_NEED_COUNT);
	d->required = (uint8_t)below(FWA_SCOPE_NEVER + 1);
	d->scope = scopes[below(COUNT(scopes))];
	r->cmd.scope = scopes[below(COUNT(scopes))];
	r->cmd.set = (uint8_t)below(FWA_SET_COUNT);
	if (d->reason == FWA_REASON_MALFORMED) {
		r->cmd.set = (uint8_t)below(256);
		r->cmd.scope = d->scope = (uint8_t)below(256);
	}
	r->cmd.opcode = (uint16_t)below(65536);
	draw_bytes(&d->declared_raw, sizeof(d->declared_raw));
	d->attributes = below(1u << FWA_ATTR_COUNT);
	d->declared = below(FWA_EFFECTS_ALL + 1);
	d->floor = below(FWA_EFFECTS_ALL + 1);
	d->advisory = below(FWA_EFFECTS_ALL + 1);
	d->effects = d->declared | d->floor | d->advisory;
	d->set = r->cmd.set;
	d->opcode = r->cmd.opcode;
}

static void draw_contract(struct fwa_contract *c)
{
	c->mode = (uint8_t)below(2);
	c->lockdown = chance(50);
	c->quarantine = (uint8_t)below(FWA_QUARANTINE_COUNT);
	c->leased = chance(50);
	c->not_to_abort = chance(50);
	c->firmware_leased = chance(50);
	c->transfer = (uint8_t)below(FWA_TRANSFER_OTHER + 1);
	c->journal = (uint8_t)below(FWA_JOURNAL_COUNT);
	c->rate_over = chance(30) ? below(UINT32_MAX) : 0;
	c->seats_over = chance(30) ? below(UINT32_MAX) : 0;
	c->advisory = below(FWA_EFFECTS_ALL + 1);
	draw_bytes(c->transfer_uuid, chance(50) ? 16 : 0);
}

static void draw_payload(struct fwa_record_decision *r)
{
	struct fwa_command *cmd = &r->cmd;
	uint32_t judged;

	draw_bytes(payload, 300);
	cmd->payload.len = chance(30) ? 0 : below(chance(80) ? 300 : UINT32_MAX);
	judged = below(256);
	r->judged_bytes = fwa_span(payload, judged < cmd->payload.len ? judged : cmd->payload.len);
	if (cmd->payload.len && cmd->payload.len <= FWA_RECORD_PAYLOAD_MAX && chance(30))
		r->payload = fwa_span(payload, cmd->payload.len);
	else
		r->payload_left_out = chance(20);
	if (cmd->payload.len)
		draw_hash(r->request_sha256);
}

static void draw_who(struct fwa_record_who *who)
{
	draw_bytes(groups, sizeof(groups));
	who->uid = below(UINT32_MAX);
	who->gid = below(UINT32_MAX);
	who->pid = below(UINT32_MAX);
	who->owner = chance(50);
	who->gate = chance(10);
	who->n_groups = chance(20) ? FWA_RECORD_GROUPS_MAX : below(4);
	who->groups = who->n_groups ? groups : NULL;
	who->more_groups = chance(20);
	draw_text(who->unit, sizeof(who->unit));
	draw_text(who->comm, sizeof(who->comm));
}

/* Any decision that a record can hold. */
static void draw_decision(struct fwa_record_decision *r)
{
	memset(r, 0, sizeof(*r));
	draw_bytes(&r->judged, sizeof(r->judged));
	draw_verdict(r);
	draw_contract(&r->contract);
	if (chance(50)) {
		r->cmd.nsid = below(UINT32_MAX);
		draw_bytes(r->cmd.cdw, sizeof(r->cmd.cdw));
	}
	draw_payload(r);
	r->cmd.out_len = below(UINT32_MAX);
	draw_hash(r->profile_sha256);
	draw_hash(r->policy_digest);
	r->drifted = chance(40);
	if (r->drifted)
		draw_hash(r->accepted_sha256);
	draw_who(&r->who);
	if (fwa_admitted(&r->decision))
		draw_text(r->grant, sizeof(r->grant));
}

#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static void same_span(struct fwa_span a, struct fwa_span b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_memory_equal(a.data, b.data, a.len);
}

static void same_contract(const struct fwa_contract *a, const struct fwa_contract *b)
{
	SAME(mode);
	SAME(lockdown);
	SAME(quarantine);
	SAME(leased);
	SAME(not_to_abort);
	SAME(firmware_leased);
	SAME(transfer);
	SAME(journal);
	SAME(rate_over);
	SAME(seats_over);
	SAME(advisory);
	SAME(transfer_uuid);
	assert_null(b->drift);
}

static void same_who(const struct fwa_record_who *a, const struct fwa_record_who *b)
{
	SAME(uid);
	SAME(gid);
	SAME(pid);
	SAME(owner);
	SAME(gate);
	SAME(more_groups);
	SAME(unit);
	SAME(comm);
	same_span(fwa_span(a->groups, a->n_groups * 4), fwa_span(b->groups, b->n_groups * 4));
}

static void same_record(const struct fwa_record_decision *a, const struct fwa_record_decision *b)
{
	SAME(judged);
	SAME(decision);
	same_contract(&a->contract, &b->contract);
	SAME(cmd.set);
	SAME(cmd.scope);
	SAME(cmd.opcode);
	SAME(cmd.nsid);
	SAME(cmd.cdw);
	SAME(cmd.out_len);
	SAME(cmd.payload.len);
	assert_null(b->cmd.payload.data);
	same_span(a->judged_bytes, b->judged_bytes);
	same_span(a->payload, b->payload);
	SAME(payload_left_out);
	SAME(request_sha256);
	SAME(profile_sha256);
	SAME(policy_digest);
	SAME(drifted);
	SAME(accepted_sha256);
	same_who(&a->who, &b->who);
	SAME(grant);
}

static uint8_t body[FWA_RECORD_BODY_MAX];

static struct fwa_span encoded(const struct fwa_record_decision *r)
{
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_decision_encode(&w, r);
	assert_false(w.full);
	return fwa_span(body, w.len);
}

static void decision_is_what_was_written(void **state)
{
	struct fwa_record_decision in, out;
	bool admitted;
	uint64_t closes;

	for (int i = 0; i < 50000; i++) {
		struct fwa_span s;

		draw_decision(&in);
		s = encoded(&in);
		memset(&out, 0xff, sizeof(out));
		assert_int_equal(fwa_record_decision_decode(s, &out), 0);
		same_record(&in, &out);
		assert_true(fwa_record_check(FWA_RECORD_DECISION, s, &admitted, &closes));
		assert_int_equal(admitted, in.decision.reason == FWA_REASON_ADMIT);
		assert_int_equal(closes, 0);
	}
}

static void decision_is_short(void **state)
{
	struct fwa_record_decision r = record_typical();

	assert_true(encoded(&r).len <= 262);
	r.drifted = true;
	memset(r.accepted_sha256, 1, FWA_HASH_LEN);
	assert_true(encoded(&r).len < 300);
}

/* The longest of all has its place, and so has the journal's frame for it. */
static void decision_is_not_too_long(void **state)
{
	struct fwa_record_decision r, out;
	struct fwa_span s;

	do
		draw_decision(&r);
	while (!fwa_admitted(&r.decision));
	memset(r.who.unit, 'u', sizeof(r.who.unit) - 1);
	memset(r.who.comm, 'c', sizeof(r.who.comm) - 1);
	memset(r.grant, 'g', sizeof(r.grant) - 1);
	memset(r.accepted_sha256, 1, FWA_HASH_LEN);
	memset(r.contract.transfer_uuid, 1, 16);
	r.contract.rate_over = r.cmd.nsid = 1;
	r.drifted = true;
	r.who.groups = groups;
	r.who.n_groups = FWA_RECORD_GROUPS_MAX;
	r.payload_left_out = false;
	r.cmd.payload.len = FWA_RECORD_PAYLOAD_MAX;
	r.judged_bytes = fwa_span(payload, 255);
	r.payload = fwa_span(payload, FWA_RECORD_PAYLOAD_MAX);
	s = encoded(&r);
	assert_true(s.len > FWA_RECORD_PAYLOAD_MAX && s.len < FWA_RECORD_BODY_MAX);
	assert_int_equal(fwa_record_decision_decode(s, &out), 0);
	same_record(&r, &out);
	/* and one byte more is no payload that is recorded */
	r.cmd.payload.len++;
	r.payload.len++;
	assert_int_equal(fwa_record_decision_decode(encoded(&r), &out), 0);
	assert_int_equal(out.payload.len, 0);
	assert_true(out.payload_left_out);
	assert_int_equal(out.cmd.payload.len, FWA_RECORD_PAYLOAD_MAX + 1);
}

/* What nobody should write comes out as something that can be read, and says less rather than more. */
static void decision_is_made_readable(void **state)
{
	struct fwa_record_decision r = record_typical(), out;

	memset(r.who.unit, 0xe9, sizeof(r.who.unit));
	r.who.unit[0] = '\t';
	strcpy(r.who.comm, "a\tb\n");
	strcpy(r.grant, "\x7f\t");
	r.who.n_groups = FWA_RECORD_GROUPS_MAX + 1;
	r.who.groups = groups;
	r.judged_bytes = fwa_span(payload, 300);
	r.payload = fwa_span(payload, 39);
	r.contract.quarantine = r.contract.journal = 200;
	r.contract.advisory = UINT32_MAX;
	memset(r.accepted_sha256, 1, FWA_HASH_LEN); /* of nothing that it was held to */
	assert_int_equal(fwa_record_decision_decode(encoded(&r), &out), 0);
	assert_int_equal(strlen(out.who.unit), 255);
	assert_int_equal(out.who.unit[0], '?');
	assert_int_equal(out.who.unit[254], '?');
	assert_string_equal(out.who.comm, "a?b?");
	assert_string_equal(out.grant, "??");
	assert_int_equal(out.who.n_groups, FWA_RECORD_GROUPS_MAX);
	assert_true(out.who.more_groups && out.payload_left_out && !out.drifted);
	assert_int_equal(out.judged_bytes.len, 40);
	assert_int_equal(out.payload.len, 0);
	assert_int_equal(out.contract.quarantine, FWA_QUARANTINE_OPERATOR);
	assert_int_equal(out.contract.journal, FWA_JOURNAL_DOWN);
	assert_int_equal(out.contract.advisory, FWA_EFFECTS_ALL);
	assert_int_equal(out.accepted_sha256[0], 0);
	r.decision.reason = FWA_REASON_RATE;
	r.contract.quarantine = FWA_QUARANTINE_COUNT;
	r.contract.journal = FWA_JOURNAL_COUNT;
	assert_int_equal(fwa_record_decision_decode(encoded(&r), &out), 0);
	assert_string_equal(out.grant, "");
	assert_int_equal(out.contract.quarantine, FWA_QUARANTINE_OPERATOR);
	assert_int_equal(out.contract.journal, FWA_JOURNAL_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decision_is_what_was_written),
		cmocka_unit_test(decision_is_short),
		cmocka_unit_test(decision_is_not_too_long),
		cmocka_unit_test(decision_is_made_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
