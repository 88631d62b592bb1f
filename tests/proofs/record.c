/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bodies of records, of any bytes: nothing outside the body is read, what is taken is all of it,
 * and it is written again as it was (C31).
 */
#include "core/record-decision.c"
#include "core/record-text.h"
#include "proof.h"

/* Any bytes, @max at most, at the end of their object. */
static struct fwa_span any_body(size_t max)
{
	uint8_t *p = bytes_of(max);
	size_t len = nondet_size();

	assume(len <= max);
	return fwa_span(p + (max - len), len);
}

/* Whether @w holds @body. Byte @i is any of them. */
static bool is_written(const struct fwa_writer *w, struct fwa_span body)
{
	size_t i = nondet_size();

	if (w->full || w->len != body.len)
		return false;
	return i >= body.len || w->buf[i] == body.data[i];
}

/* proof: core/record.c; without fwa_record_decision_decode; --unwind 33 */
void prove_record_outcome(void)
{
	static uint8_t again[68];
	struct fwa_span b = any_body(80);
	struct fwa_writer w = fwa_writer(again, sizeof(again));
	bool admitted;
	uint64_t closes;
	struct fwa_record_outcome r;
	int no = fwa_record_outcome_decode(b, &r);

	prove(fwa_record_check(FWA_RECORD_OUTCOME, b, &admitted, &closes) == !no);
	prove(!admitted && (no ? !closes : closes));
	if (no)
		return;
	prove(r.status < FWA_OUTCOME_COUNT && r.transport_errno >= 0 && closes == r.decision);
	fwa_record_outcome_encode(&w, &r);
	prove(is_written(&w, b));
	witness(b.len == 36);
	witness(b.len == 68);
}

/* The texts, which the others have in the same way. */
/* proof: core/record.c; without fwa_record_decision_decode; --unwind 33 */
void prove_record_control(void)
{
	static uint8_t again[24];
	struct fwa_span b = any_body(24);
	struct fwa_writer w = fwa_writer(again, sizeof(again));
	struct fwa_record_control r;

	if (fwa_record_control_decode(b, &r))
		return;
	prove(fwa_control_act_name(r.act));
	prove(b.len == 14u + fwa_le16(b.data + 10) + fwa_le16(b.data + 12));
	fwa_record_control_encode(&w, &r);
	prove(is_written(&w, b));
	witness(fwa_le16(b.data + 10) == 4 && fwa_le16(b.data + 12) == 6);
}

/* Numbers, hashes, and room for some of what is not always there. */
#define NUMBERS 68
#define DECISION (76 + 64 + 36)
#define TEXT 3

/* proof: core/effects.c; without; --unwind 33 --unwindset fwa_record_read_text.0:4 */
void prove_record_decision(void)
{
	struct fwa_span b = fwa_span(bytes_of(DECISION), DECISION);
	struct fwa_record_decision r;

	assume(b.data[70] <= TEXT && b.data[71] <= TEXT && b.data[72] <= TEXT);
	if (fwa_record_decision_decode(b, &r))
		return;
	prove(r.decision.reason < FWA_REASON_COUNT && r.decision.detail < FWA_DETAIL_COUNT);
	prove(!(r.decision.effects & ~FWA_EFFECTS_ALL));
	prove(r.who.n_groups <= FWA_RECORD_GROUPS_MAX && r.judged_bytes.len <= r.cmd.payload.len);
	prove(!r.payload.len || r.payload.len == r.cmd.payload.len);
	witness(fwa_admitted(&r.decision) && r.drifted && r.who.n_groups == 2);
	witness(r.payload.len == 4);
}

/* The numbers are written as they were read, whatever the parts behind them are. */
/* proof: core/effects.c; without; --unwind 33 */
void prove_record_numbers(void)
{
	uint8_t *p = bytes_of(NUMBERS), again[NUMBERS];
	struct fwa_reader m = fwa_reader(fwa_span(p, NUMBERS));
	struct fwa_writer w = fwa_writer(again, sizeof(again));
	struct fwa_record_decision r;
	uint16_t flags = read_numbers(&m, &r);
	struct parts n;

	fill_in(&r, flags);
	if (m.bad || !numbers_valid(&r) || !parts_valid(&r, flags, &n))
		return;
	assume(flags_of(&r) == flags); /* what follows is there as they say */
	write_numbers(&w, &r);
	prove(!m.left && is_written(&w, fwa_span(p, NUMBERS)));
	witness(fwa_admitted(&r.decision) && flags == (FLAGS_ALL & ~FLAG_LEFT_OUT));
	witness(r.decision.reason == FWA_REASON_MALFORMED && flags == 0 && r.cmd.set == 200);
}
