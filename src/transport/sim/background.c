/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Background operations: one at a time, finished by the clock, abortable (CXL 3.1 section
 * 8.2.8.4.6, opcode 0005h). Nothing runs beside the commands: what is due is done before the next
 * command or status read looks.
 */
#include "transport/sim/sim.h"

/* An abort later than this share of the time lets the operation end by itself. */
#define ABORT_UNTIL_PERCENT 85

uint16_t sim_background_start(struct sim *s, uint16_t opcode, uint64_t ms,
			      uint16_t (*finish)(struct sim *s))
{
	uint64_t now = sim_now();

	s->background = (struct sim_background){
		.opcode = opcode,
		.start_ns = now,
		.until_ns = now + ms * 1000000,
		.finish = finish,
	};
	return CXL_RC_BACKGROUND;
}

static void end(struct sim *s, uint16_t code)
{
	s->background_opcode = s->background.opcode;
	s->background_code = code;
	s->background = (struct sim_background){ 0 };
}

static void finish(struct sim *s)
{
	uint16_t (*work)(struct sim * s) = s->background.finish;

	end(s, CXL_RC_SUCCESS);
	if (work)
		s->background_code = work(s);
}

void sim_background_settle(struct sim *s)
{
	if (s->background.opcode && sim_now() >= s->background.until_ns)
		finish(s);
}

static void give_up(struct sim *s)
{
	if (s->background.opcode == CXL_OP_TRANSFER_FW)
		sim_firmware_abort(s);
	end(s, CXL_RC_ABORTED);
}

void sim_background_end(struct sim *s)
{
	if (s->background.opcode == SIM_OP_SANITIZE)
		finish(s);
	else if (s->background.opcode)
		give_up(s);
}

uint8_t sim_percent(uint64_t start_ns, uint64_t until_ns)
{
	uint64_t now = sim_now();

	return (uint8_t)(now < until_ns ? (now - start_ns) * 100 / (until_ns - start_ns) : 99);
}

bool sim_media_disabled(const struct sim *s)
{
	return s->locked || s->background.opcode == SIM_OP_SANITIZE;
}

uint16_t sim_request_abort(struct sim *s, struct sim_call *c)
{
	const struct sim_background *b = &s->background;
	uint64_t whole = b->until_ns - b->start_ns;

	if (!b->opcode || sim_now() - b->start_ns >= whole / 100 * ABORT_UNTIL_PERCENT)
		return CXL_RC_SUCCESS;
	give_up(s);
	return CXL_RC_SUCCESS;
}
