/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sequence owns its steps and a copy of each payload; everything else in a step is a number.
 */
#include "verify/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16u

static int grow(struct vfy_sequence *q)
{
	size_t room = q->room ? 2 * q->room : ROOM_FIRST;
	struct vfy_step *step;

	if (q->n < q->room)
		return 0;
	step = realloc(q->step, room * sizeof(*step));
	if (!step)
		return -ENOMEM;
	q->step = step;
	q->room = room;
	return 0;
}

int vfy_sequence_add(struct vfy_sequence *q, const struct vfy_step *step)
{
	struct vfy_step copy = *step; /* @step may be in @q, which grows */
	uint8_t *payload = NULL;
	int r;

	if (q->n >= VFY_STEPS_MAX || copy.payload_len > VFY_PAYLOADS_MAX - q->payloads)
		return -E2BIG;
	r = grow(q);
	if (r < 0)
		return r;
	if (copy.payload_len) {
		payload = malloc(copy.payload_len);
		if (!payload)
			return -ENOMEM;
		memcpy(payload, copy.payload, copy.payload_len);
	}
	copy.payload = payload;
	q->step[q->n++] = copy;
	q->payloads += copy.payload_len;
	return 0;
}

int vfy_sequence_add_all(struct vfy_sequence *q, const struct vfy_sequence *more)
{
	size_t before = q->n, count = more->n; /* @more may be @q */

	for (size_t i = 0; i < count; i++) {
		int r = vfy_sequence_add(q, &more->step[i]);

		if (r < 0) {
			vfy_sequence_cut(q, before);
			return r;
		}
	}
	return 0;
}

void vfy_sequence_cut(struct vfy_sequence *q, size_t n)
{
	while (q->n > n) {
		q->n--;
		q->payloads -= q->step[q->n].payload_len;
		free(q->step[q->n].payload);
	}
}

void vfy_sequence_clear(struct vfy_sequence *q)
{
	vfy_sequence_cut(q, 0);
	free(q->step);
	*q = (struct vfy_sequence){ 0 };
}

bool vfy_step_eq(const struct vfy_step *a, const struct vfy_step *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == VFY_RESET)
		return a->reset == b->reset;
	if (a->kind != VFY_COMMAND)
		return true;
	return a->set == b->set && a->opcode == b->opcode && a->nsid == b->nsid &&
	       memcmp(a->cdw, b->cdw, sizeof(a->cdw)) == 0 && a->out_len == b->out_len &&
	       a->payload_len == b->payload_len &&
	       (!a->payload_len || memcmp(a->payload, b->payload, a->payload_len) == 0);
}

struct fwa_command vfy_step_command(const struct vfy_step *step)
{
	struct fwa_command cmd = {
		.set = step->set,
		.scope = FWA_SCOPE_LEAST,
		.opcode = step->opcode,
		.nsid = step->nsid,
		.payload = fwa_span(step->payload, step->payload_len),
		.out_len = step->out_len,
	};

	memcpy(cmd.cdw, step->cdw, sizeof(cmd.cdw));
	return cmd;
}

struct vfy_step vfy_command_step(const struct fwa_command *cmd)
{
	struct vfy_step step = {
		.kind = VFY_COMMAND,
		.set = cmd->set,
		.opcode = cmd->opcode,
		.nsid = cmd->nsid,
		.out_len = cmd->out_len,
		.payload_len = (uint32_t)cmd->payload.len,
		.payload = (uint8_t *)cmd->payload.data,
	};

	memcpy(step.cdw, cmd->cdw, sizeof(step.cdw));
	return step;
}
