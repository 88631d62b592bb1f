/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/outcome.h"

#include <stddef.h>

const char *fwa_outcome_name(unsigned int outcome)
{
	static const char *const names[FWA_OUTCOME_COUNT] = {
		"refused", "completed", "device-error", "undeliverable", "unknown", "dry-run",
	};

	return outcome < FWA_OUTCOME_COUNT ? names[outcome] : NULL;
}
