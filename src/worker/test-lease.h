/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of leases without clients or a device: what the worker does around them is played here, and the
 * device answers by script.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "wire/nvme.h"
#include "worker/lease-own.h"
#include "worker/worker.h"

/* The rest of the worker. */
extern struct gate {
	int result; /* of the next commands of the gate's own */
	uint32_t code;
	uint32_t page; /* what a log page says */
	int progress;  /* what registers say */
	uint8_t percent;
	bool slow;              /* its own jobs stay under way until finish() */
	struct job *pending[4]; /* such jobs, oldest first */
	unsigned int n_pending;
	unsigned int sent, asked;
	struct fwa_command last; /* what was sent; its payload is in @payload */
	uint8_t payload[256];
	struct fwa_contract contract;
	unsigned int recorded; /* decisions on its own commands */
	bool full;             /* none can be */
	char log[256];
} gate;

/* The oldest of the gate's own jobs that are under way. */
void finish(struct worker *worker);

/* --- one worker, two sessions ------------------------------------------------------------------------ */

extern const struct fwa_device_ops tells, mute; /* of progress */
extern const uint8_t uuid[16];
extern struct worker w;
extern struct session mine, other;

void begin_with(const struct fwa_device_ops *ops, bool nvme, bool slow);
void declare(bool nvme);
struct fwa_contract seen_by(const struct session *s);

struct fwa_command plain(enum fwa_set set, uint16_t opcode);
/* A client's command with @effects has come back. @s NULL: its client, @mine, is gone. */
void effects_came_back(struct session *s, struct fwa_command cmd, fwa_effects effects,
		       unsigned int status, uint32_t code);
void came_back(struct session *s, struct fwa_command cmd, unsigned int status, uint32_t code);
void feature_part(struct session *s, uint8_t part, unsigned int status);
void firmware_part(struct session *s, uint8_t action, uint32_t code);
void sanitize_begins(struct session *s);
/* A minute and a second later, as far as transfers know. */
void time_goes_by(void);
