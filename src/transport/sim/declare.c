/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the personalities declare where the honest device declares otherwise.
 */
#include "transport/sim/personality.h"

void sim_liar_data_declare(struct sim *s)
{
	sim_declare(s, 0x4302, 0x0000); /* Clear Poison: not even data */
}

void sim_liar_security_declare(struct sim *s)
{
	sim_undeclare(s, SIM_OP_FREEZE); /* which it does all the same */
}

void sim_liar_spec_declare(struct sim *s)
{
	sim_declare(s, 0x4103, 0x0000); /* Set LSA: a read, it says */
	sim_declare(s, 0x4400, 0x0044); /* Sanitize: no security, no abort */
	sim_declare(s, 0x4401, 0x0124); /* Secure Erase: an abort without background */
	sim_declare(s, 0x0202, 0x0c43); /* Activate FW: bits 11:10 that bit 9 does not validate */
	sim_declare(s, 0x0201, 0x0002); /* Transfer FW: immediate, nothing at a reset */
	sim_declare(s, 0x0301, 0x8008); /* Set Timestamp: a reserved bit */
	sim_declare(s, 0x4200, 0x0002); /* Get Health Info: a read that changes configuration */
	sim_declare(s, 0x0502, 0x0208); /* Set Feature: covers one Feature of six */
	sim_declare(s, 0x4302, 0x0000); /* Clear Poison, once as a read ... */
	sim_declare_more(s, 0x4302, 0x0004);                /* ... and once as it is */
	sim_undeclare(s, CXL_OP_GET_SUPPORTED_LOGS);        /* which it answers all the same */
	s->feature[SIM_FEATURE_TELEMETRY].effects = 0x0000; /* changeable, and nothing changes */
	s->feature[SIM_FEATURE_VERBOSITY].effects = 0x0c10;
}

void sim_reserved_declare(struct sim *s)
{
	static const struct {
		uint16_t opcode;
		uint16_t effects;
	} next_revision[] = {
		{ 0x0301, 0x1008 }, { 0x0201, 0x2f41 }, { 0x0502, 0x1e3b },
		{ 0x4103, 0x1006 }, { 0x4200, 0x4000 }, { SIM_OP_VENDOR_READ, 0x8000 },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(next_revision); i++)
		sim_declare(s, next_revision[i].opcode, next_revision[i].effects);
	s->feature[SIM_FEATURE_TELEMETRY].effects = 0x1208;
}

void sim_huge_declare(struct sim *s)
{
	for (unsigned int i = 0; i < SIM_HUGE_COUNT; i++)
		sim_declare_more(s, (uint16_t)(SIM_HUGE_FIRST + i), 0x0000);
}

void sim_empty_declare(struct sim *s)
{
	s->cel_len = 0;
}
