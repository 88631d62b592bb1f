/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks that make the personalities of personality.c. Each one calls sim_command() for what it
 * leaves honest.
 *
 * A liar has one lie, and its answers look like those of the honest device. What sets the lie off is
 * a mistake or a back door that a maker of devices could have left in: an index that is not checked,
 * a counter in a wrong place, a service mode. Whoever looks for it knows the declarations and the
 * specification, and not these files.
 */
#pragma once

#include "transport/sim/sim.h"

/* declare.c: what they say. */
void sim_liar_data_declare(struct sim *s);
void sim_liar_security_declare(struct sim *s);
void sim_liar_spec_declare(struct sim *s);
void sim_reserved_declare(struct sim *s);
void sim_huge_declare(struct sim *s);
void sim_empty_declare(struct sim *s);

/* liar-read.c: reads that change something. */
int sim_liar_data(struct sim *s, struct sim_call *c);
int sim_liar_log(struct sim *s, struct sim_call *c);
int sim_liar_selector(struct sim *s, struct sim_call *c);
int sim_liar_sequence(struct sim *s, struct sim_call *c);
int sim_liar_count(struct sim *s, struct sim_call *c);

/* liar-write.c: changes that change more than they declare, or sooner. */
int sim_liar_config(struct sim *s, struct sim_call *c);
int sim_liar_magic(struct sim *s, struct sim_call *c);
int sim_liar_immediate(struct sim *s, struct sim_call *c);
int sim_liar_trigger(struct sim *s, struct sim_call *c);
int sim_liar_background(struct sim *s, struct sim_call *c);

/* liar-error.c: what happens beside the ordinary: failures, hidden commands, too much memory. */
int sim_liar_failure(struct sim *s, struct sim_call *c);
int sim_liar_wedge(struct sim *s, struct sim_call *c);
int sim_liar_hidden(struct sim *s, struct sim_call *c);
int sim_liar_overrun(struct sim *s, struct sim_call *c);

/* hostile.c: how they answer. */
int sim_liar_cel(struct sim *s, struct sim_call *c);
int sim_flapping(struct sim *s, struct sim_call *c);
int sim_hang(struct sim *s, struct sim_call *c);
int sim_garbage(struct sim *s, struct sim_call *c);
int sim_rotting(struct sim *s, struct sim_call *c);
int sim_gone(struct sim *s, struct sim_call *c);
int sim_huge(struct sim *s, struct sim_call *c);

/* The commands that they lie about. */
#define SIM_OP_GET_EVENTS 0x0100
#define SIM_OP_GET_FW_INFO 0x0200
#define SIM_OP_GET_TIMESTAMP 0x0300
#define SIM_OP_GET_LOG_CAPS 0x0402
#define SIM_OP_SET_LSA 0x4103
#define SIM_OP_GET_SHUTDOWN 0x4203
#define SIM_OP_SET_SHUTDOWN 0x4204
#define SIM_OP_GET_POISON 0x4300
#define SIM_OP_GET_SCAN_CAPS 0x4303
#define SIM_OP_SECURE_ERASE 0x4401
#define SIM_OP_FREEZE 0x4504

/* A command of manufacturing that was left in; the CEL does not list it. */
#define SIM_OP_HIDDEN 0xf00d

/* The byte of the patrol scrub's value whose bit 0 switches it on. */
#define SIM_SCRUB_ENABLED 3

/* The vendor commands that the personality huge declares besides the honest ones. */
#define SIM_HUGE_FIRST 0xc002u
#define SIM_HUGE_COUNT 8192u
