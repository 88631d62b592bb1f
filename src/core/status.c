/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Status names: CXL 3.1 Table 8-34; NVM Express Base 2.0, Figures 93 to 95.
 */
#include "core/status.h"

#include "wire/cxl.h"

static const char *const cxl_names[] = {
	"success",
	"background-started",
	"invalid-input",
	"unsupported",
	"internal-error",
	"retry-required",
	"busy",
	"media-disabled",
	"fw-transfer-in-progress",
	"fw-transfer-out-of-order",
	"fw-verification-failed",
	"invalid-slot",
	"activation-failed-rolled-back",
	"activation-failed-cold-reset-required",
	"invalid-handle",
	"invalid-physical-address",
	"inject-poison-limit",
	"permanent-media-failure",
	"aborted",
	"invalid-security-state",
	"incorrect-passphrase",
	"unsupported-mailbox",
	"invalid-payload-length",
	"invalid-log",
	"interrupted",
	"unsupported-feature-version",
	"unsupported-feature-selection",
	"feature-transfer-in-progress",
	"feature-transfer-out-of-order",
	"resources-exhausted",
	"invalid-extent-list",
	"transfer-out-of-order",
	"request-abort-not-supported",
};

/* SCT << 8 | SC, without CRD, More and Do Not Retry. */
static const struct {
	uint16_t code;
	const char *name;
} nvme_names[] = {
	{ 0x000, "success" },
	{ 0x001, "invalid-opcode" },
	{ 0x002, "invalid-field" },
	{ 0x003, "command-id-conflict" },
	{ 0x004, "data-transfer-error" },
	{ 0x005, "aborted-power-loss" },
	{ 0x006, "internal-error" },
	{ 0x007, "abort-requested" },
	{ 0x008, "aborted-sq-deletion" },
	{ 0x00b, "invalid-namespace" },
	{ 0x00c, "command-sequence-error" },
	{ 0x013, "invalid-prp-offset" },
	{ 0x015, "operation-denied" },
	{ 0x01c, "sanitize-failed" },
	{ 0x01d, "sanitize-in-progress" },
	{ 0x020, "namespace-write-protected" },
	{ 0x021, "command-interrupted" },
	{ 0x023, "prohibited-by-lockdown" },
	{ 0x024, "admin-media-not-ready" },
	{ 0x080, "lba-out-of-range" },
	{ 0x081, "capacity-exceeded" },
	{ 0x082, "namespace-not-ready" },
	{ 0x083, "reservation-conflict" },
	{ 0x084, "format-in-progress" },
	{ 0x106, "invalid-firmware-slot" },
	{ 0x107, "invalid-firmware-image" },
	{ 0x109, "invalid-log-page" },
	{ 0x10a, "invalid-format" },
	{ 0x10b, "firmware-needs-conventional-reset" },
	{ 0x10d, "feature-not-saveable" },
	{ 0x10e, "feature-not-changeable" },
	{ 0x10f, "feature-not-namespace-specific" },
	{ 0x110, "firmware-needs-subsystem-reset" },
	{ 0x111, "firmware-needs-controller-reset" },
	{ 0x114, "overlapping-range" },
	{ 0x115, "namespace-insufficient-capacity" },
	{ 0x116, "namespace-id-unavailable" },
	{ 0x118, "namespace-already-attached" },
	{ 0x11a, "namespace-not-attached" },
	{ 0x11d, "self-test-in-progress" },
	{ 0x281, "unrecovered-read-error" },
	{ 0x285, "compare-failure" },
	{ 0x286, "access-denied" },
	{ 0x287, "unwritten-block" },
};

bool fwa_status_ok(unsigned int set, uint32_t code)
{
	if (set == FWA_SET_CXL)
		return code == CXL_RC_SUCCESS || code == CXL_RC_BACKGROUND;
	return (code & 0x7ff) == 0;
}

const char *fwa_status_name(unsigned int set, uint32_t code)
{
	if (set == FWA_SET_CXL)
		return code < sizeof(cxl_names) / sizeof(cxl_names[0]) ? cxl_names[code]
								       : "unknown-status";
	for (size_t i = 0; i < sizeof(nvme_names) / sizeof(nvme_names[0]); i++)
		if (nvme_names[i].code == (code & 0x7ff))
			return nvme_names[i].name;
	return "unknown-status";
}
