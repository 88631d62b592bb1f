/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a table of observables becomes the plan for one device: what plan.c and plan-nvme.c share.
 */
#pragma once

#include "verify/observe.h"

struct vfy_planning {
	struct vfy_plan *plan;
	const struct fwa_profile *profile;
	struct fwa_device *dev;
	vfy_submit_fn submit;
	void *userdata;
	size_t room;         /* of plan->observable */
	size_t room_out;     /* of plan->left_out */
	uint32_t piece;      /* CXL: most bytes of one reading */
	uint64_t lines;      /* CXL: 64-byte lines of the whole device; 0: not known */
	size_t n_missing;    /* NVMe: of a row's features or pages the controller has not */
	bool has_selections; /* NVMe: features have default and saved values */
	uint8_t *page;       /* VFY_PIECE_MAX bytes: the newest answer */
	int error;           /* nothing more can be planned */
};

/* Most bytes of one reading: of a larger mailbox, or of a log, more than one are made. */
#define VFY_PIECE_MAX 4096u
/* Observables of one row that are read each time; of more the first ones and the last. */
#define VFY_OFTEN_MAX 16u

/* An observable of @row with the row's command; the name is to be written. */
struct vfy_observable vfy_plan_begin(const struct vfy_observe_row *row);
/*
 * Puts @o into the plan, or its name with the reason into what is left out. Whether there will be room
 * for more.
 */
bool vfy_plan_add(struct vfy_planning *p, const struct vfy_observable *o);
void vfy_plan_leave_out(struct vfy_planning *p, const char *name, const char *why);
/*
 * Sends @cmd, which must be a read, with room for cmd->out_len bytes in p->page: 1 with *ret_len; 0 when it
 * has no answer, with *ret_code; negative errno, also in p->error, when the device is of no use.
 */
int vfy_plan_ask(struct vfy_planning *p, const struct fwa_command *cmd, uint32_t *ret_len,
		 uint32_t *ret_code);
/* Why @cmd is no read on this device, in words; NULL: it is one. */
const char *vfy_plan_no_read(const struct vfy_planning *p, const struct fwa_command *cmd,
			     char why[96]);
/* What the model calls what @cmd selects; NULL: nothing. */
const char *vfy_selected_name(const struct fwa_command *cmd);

/* Rows of NVMe that are not VFY_EACH_ONCE; and @o, of one that is. */
void vfy_plan_nvme(struct vfy_planning *p, const struct vfy_observe_row *row);
void vfy_plan_nvme_once(struct vfy_planning *p, struct vfy_observable *o);
/* What has to be known of the controller first. */
void vfy_plan_nvme_begin(struct vfy_planning *p);
