/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What who writes evidence and who reads it agree on (spec/EVIDENCE-FORMAT.md).
 */
#pragma once

#include "verify/evidence.h"
#include "verify/json.h"

#define EVIDENCE_ID "fwadmit-"
#define EVIDENCE_ID_DIGITS 16u
#define EVIDENCE_DIGEST_DIGITS 64u

static const char *const vfy_step_words[VFY_STEP_KINDS] = {
	[VFY_COMMAND] = "command",
	[VFY_OBSERVE] = "observe",
	[VFY_SETTLE] = "settle",
	[VFY_RESET] = "reset",
};
static const char *const vfy_reset_words[FWA_RESET_COUNT] = {
	[FWA_RESET_COLD] = "cold",
	[FWA_RESET_CONVENTIONAL] = "conventional",
	[FWA_RESET_CXL] = "cxl",
};

/* --- digest (evidence-digest.c) --------------------------------------------------------------------- */

/*
 * The SHA-256 of @text with the digits of its own "id" and "sha256" replaced by zeroes; these lines must be
 * there once each. False when they are not. @ret_id and @ret_sha256: where in @text the digits are.
 */
bool vfy_evidence_digest(const char *text, size_t len, uint8_t ret[32], size_t *ret_id,
			 size_t *ret_sha256);

/* --- a finding as JSON (evidence-finding.c) ---------------------------------------------------------- */

json_object *vfy_finding_json(struct vfy_json *j, const struct vfy_finding *f);
/* The same the other way. 0; -EINVAL with @error; -ENOMEM. @f is to be cleared in all cases. */
int vfy_finding_read(json_object *o, struct vfy_finding *f, char error[FWA_ERROR_LEN]);
