/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a profile: parsed or refused; the tables match the raw log; every declared command
 * can be judged and linted; nothing is admitted to somebody without rights.
 */
#include <stdlib.h>

#include "core/decide.h"
#include "core/lint.h"
#include "fuzz/fuzz.h"

static struct fwa_profile profile;

static void finding(const struct fwa_finding *f, void *userdata)
{
	if (!fwa_finding_name(f->code) || !fwa_severity_name(f->severity))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fwa_contract contract;
	static const struct fwa_rights nothing;
	unsigned int set = 0, left = 2000;
	int32_t opcode = -1;

	if (fwa_profile_parse(&profile, fwa_span(data, size)) < 0)
		return 0;
	if (!fwa_profile_check(&profile))
		abort();
	fwa_lint(&profile, finding, NULL);
	while (left-- && fwa_profile_next(&profile, &set, &opcode)) {
		struct fwa_command cmd = {
			.set = (uint8_t)set,
			.opcode = (uint16_t)opcode,
			.scope = FWA_SCOPE_LEAST,
			.payload = fwa_span(data, size < 64 ? size : 64),
		};
		struct fwa_decision d;

		if (set != FWA_SET_CXL)
			cmd.cdw[0] = left; /* another page or feature each time */
		if (!fwa_opcode_effects(&profile, set, cmd.opcode, &d) ||
		    d.required > FWA_SCOPE_NEVER)
			abort();
		d = fwa_decide(&contract, &nothing, &profile, &cmd, 0);
		if (fwa_admitted(&d))
			abort();
	}
	return 0;
}
