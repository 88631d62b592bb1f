/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What became of a command: what the gate's reply says, and what the journal records.
 */
#pragma once

/* The numbers are stable. */
enum fwa_outcome {
	FWA_OUTCOME_REFUSED = 0, /* never sent: by the decision, or by the kernel */
	FWA_OUTCOME_COMPLETED,
	FWA_OUTCOME_DEVICE_ERROR,
	FWA_OUTCOME_UNDELIVERABLE, /* executed; the answer could not be delivered */
	FWA_OUTCOME_UNKNOWN,       /* sent or not, executed or not: nobody knows */
	FWA_OUTCOME_DRY_RUN,
	FWA_OUTCOME_COUNT,
};

/* "refused", "completed", "device-error", "undeliverable", "unknown", "dry-run"; NULL for none. */
const char *fwa_outcome_name(unsigned int outcome);
