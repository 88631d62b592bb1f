/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Background operations: one at a time, finished by the clock, abortable (CXL 3.1 section
 * 8.2.8.4.6, opcode 0005h). Nothing runs beside the commands: what is due is done before the next
 * command or status read looks.
 */
#include "transport/sim/sim.h"

/* An abort later than this share of the time lets the operation end by itself. */
#define ABORT_UNTIL_PERCENT 85

uint16_t sim_background_start(struct sim *s, uint16_t opcode, void (*finish)(struct sim *s))
{
	uint64_t now = sim_now();

	s->background = (struct sim_background){
		.opcode = opcode,
		.start_ns = now,
		.until_ns = now + s->options.bg_ms * 1000000,
		.finish = finish,
	};
	return CXL_RC_BACKGROUND;
}

void sim_background_settle(struct sim *s)
{
	void (*finish)(struct sim * s) = s->background.finish;

	if (!s->background.opcode || sim_now() < s->background.until_ns)
		return;
	s->background = (struct sim_background){ 0 };
	finish(s);
}

bool sim_media_disabled(const struct sim *s)
{
	return s->locked || s->background.opcode;
}

uint16_t sim_request_abort(struct sim *s, struct sim_call *c)
{
	const struct sim_background *b = &s->background;
	uint64_t whole = b->until_ns - b->start_ns;

	if (b->opcode && sim_now() - b->start_ns < whole / 100 * ABORT_UNTIL_PERCENT)
		s->background = (struct sim_background){ 0 };
	return CXL_RC_SUCCESS;
}
