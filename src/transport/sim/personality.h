/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks that make the personalities of personality.c. Each one calls sim_command() for what it
 * leaves honest.
 */
#pragma once

#include "transport/sim/sim.h"

/* declare.c: what they say. */
void sim_liar_data_declare(struct sim *s);
void sim_liar_spec_declare(struct sim *s);
void sim_reserved_declare(struct sim *s);
void sim_huge_declare(struct sim *s);
void sim_empty_declare(struct sim *s);

/* liar.c: what they do. */
int sim_liar_data(struct sim *s, struct sim_call *c);
int sim_liar_magic(struct sim *s, struct sim_call *c);
int sim_liar_log(struct sim *s, struct sim_call *c);
int sim_liar_immediate(struct sim *s, struct sim_call *c);

/* hostile.c: how they answer. */
int sim_flapping(struct sim *s, struct sim_call *c);
int sim_hang(struct sim *s, struct sim_call *c);
int sim_garbage(struct sim *s, struct sim_call *c);
int sim_rotting(struct sim *s, struct sim_call *c);
int sim_gone(struct sim *s, struct sim_call *c);
int sim_huge(struct sim *s, struct sim_call *c);

/* The command that most of them lie about. */
#define SIM_OP_SET_LSA 0x4103

/* The vendor commands that the personality huge declares besides the honest ones. */
#define SIM_HUGE_FIRST 0xc002u
#define SIM_HUGE_COUNT 8192u
