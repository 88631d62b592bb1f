/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drift: what a device declares now and did not declare when an operator accepted it (C23).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/command.h"
#include "core/profile.h"
#include "core/reason.h"

/* How a profile stands to the accepted declarations of its device. The numbers are stable. */
enum fwa_baseline_state {
	FWA_BASELINE_NONE,    /* there were none: the first ones that are seen are trusted */
	FWA_BASELINE_SAME,    /* nothing has drifted */
	FWA_BASELINE_DIFFERS, /* something may have: struct fwa_drift says what */
	FWA_BASELINE_MISSING, /* the site demands pinned ones and has none for this device */
	FWA_BASELINE_COUNT,
};

/*
 * What has drifted: an enum fwa_detail for each, FWA_DETAIL_NONE for what has not. A zeroed one holds
 * nothing back.
 */
struct fwa_drift {
	bool missing; /* no baseline, and one is required: everything is held back */
	uint8_t cxl[65536];
	uint8_t nvme[2][256];                      /* admin, NVM I/O */
	uint8_t lid[256], fid[256];                /* log pages 00h, 12h */
	uint8_t feature[FWA_PROFILE_FEATURES_MAX]; /* in the order of the profile's entries */
	uint8_t log[FWA_PROFILE_LOGS_MAX];         /* the same */
};

/*
 * Why a command of @set and @opcode that selects what @selector says is held back: an enum
 * fwa_detail, FWA_DETAIL_NONE when it is not. @profile is the one that @drift was made of.
 * A selector that is not there (too short a payload) drifts with nothing. O(1) but for the search for
 * a UUID.
 */
enum fwa_detail fwa_drift_lookup(const struct fwa_drift *drift, const struct fwa_profile *profile,
				 enum fwa_set set, uint16_t opcode,
				 const struct fwa_selector *selector);
