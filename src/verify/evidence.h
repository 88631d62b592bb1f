/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence: a finding as a file that stands on its own (spec/EVIDENCE-FORMAT.md), and the run of it on
 * another device. A file is as hostile as a device (C25).
 */
#pragma once

#include <json-c/json.h>

#include "verify/campaign.h"

/*
 * The whole campaign, what `report` draws. Each finding has, as "evidence", the text of its evidence file: who
 * saves it writes just that. NULL: no memory.
 */
json_object *vfy_campaign_json(const struct vfy_campaign *c);
/* Finding @i alone, self-contained. NULL: no memory. */
json_object *vfy_evidence_json(const struct vfy_campaign *c, size_t i);

/* An evidence file, read and checked. */
struct vfy_evidence {
	char id[80];   /* "fwadmit-" and the first 16 hex digits of its digest */
	char tool[32]; /* version that wrote it */
	char spec[256];
	struct fwa_identity id_of; /* the device that it is about */
	uint8_t profile_digest[32];
	uint8_t *profile_bytes;
	size_t profile_len;
	struct vfy_finding finding;
};

#define VFY_EVIDENCE_MAX (64u * 1024 * 1024) /* bytes of a file */

/* 0; -EINVAL with one line in @error that says where; -ENOMEM. */
int vfy_evidence_read(struct vfy_evidence *e, struct fwa_span text, char error[FWA_ERROR_LEN]);
void vfy_evidence_clear(struct vfy_evidence *e);

enum vfy_replay {
	VFY_REPRODUCED,
	VFY_NOT_REPRODUCED,
	VFY_OTHER_DEVICE, /* another model or firmware: it was run, and @same says what came of it */
	VFY_NOT_RUN, /* the device does not declare what the evidence needs, or cannot be watched */
};

struct vfy_replayed {
	uint8_t outcome; /* enum vfy_replay */
	bool same;       /* the finding happened again */
	uint32_t runs, reproduced, controls, control_changed;
	struct vfy_finding finding; /* as it is here */
};

/*
 * Runs @e on the device of @args, as often as it was confirmed, with controls. 0, with one line in @error when
 * it was not run; -EPERM: it needs more than the probe of @args; other negative errno with @error.
 */
int vfy_replay(const struct vfy_evidence *e, const struct vfy_campaign_args *args,
	       struct vfy_replayed *ret, char error[FWA_ERROR_LEN]);
