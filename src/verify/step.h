/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps: what an experiment does to a device, one after the other. A sequence of them is all that is
 * needed to do it again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/command.h"
#include "transport/transport.h"

enum vfy_step_kind {
	VFY_COMMAND,
	VFY_OBSERVE, /* everything observable is read once, as between two experiments */
	VFY_SETTLE,  /* until no background work runs */
	VFY_RESET,   /* @reset */
	VFY_STEP_KINDS,
};

struct vfy_step {
	uint8_t kind;  /* enum vfy_step_kind */
	uint8_t reset; /* enum fwa_reset of VFY_RESET */
	uint8_t set;   /* enum fwa_set of VFY_COMMAND, and so on */
	uint16_t opcode;
	uint32_t nsid;
	uint32_t cdw[6];
	uint32_t out_len;     /* bytes of reply asked for; CXL: the whole mailbox is offered */
	uint32_t payload_len; /* at most FWA_COMMAND_DATA_MAX */
	uint8_t *payload;     /* owned by the sequence */
};

#define VFY_STEPS_MAX 16384u
/* Bytes of all payloads of a sequence. */
#define VFY_PAYLOADS_MAX (16u * 1024 * 1024)

/* Zeroed it is empty. */
struct vfy_sequence {
	struct vfy_step *step;
	size_t n, room;
	size_t payloads; /* bytes */
};

/*
 * Appends a copy of @step and of its payload. 0, -ENOMEM, or -E2BIG beyond the limits above; the
 * sequence is as before then.
 */
int vfy_sequence_add(struct vfy_sequence *q, const struct vfy_step *step);
int vfy_sequence_add_all(struct vfy_sequence *q, const struct vfy_sequence *more);
/* Keeps the first @n steps. */
void vfy_sequence_cut(struct vfy_sequence *q, size_t n);
void vfy_sequence_clear(struct vfy_sequence *q);
/* Same kind, same command, same bytes. */
bool vfy_step_eq(const struct vfy_step *a, const struct vfy_step *b);
/* The command that @step is: a view that lives as long as the step. */
struct fwa_command vfy_step_command(const struct vfy_step *step);
/* A step that sends @cmd; its payload is @cmd's, so copy it by vfy_sequence_add(). */
struct vfy_step vfy_command_step(const struct fwa_command *cmd);
