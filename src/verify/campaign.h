/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A campaign: experiments until the budget ends, each finding confirmed on fresh devices, with a
 * control, and made as short as it gets (delta debugging).
 */
#pragma once

#include "verify/finding.h"
#include "verify/generate.h"
#include "verify/target.h"

struct vfy_campaign;
struct vfy_engine; /* engine.h */

struct vfy_budget {
	uint64_t commands; /* 0: no limit */
	uint64_t ms;       /* 0: no limit */
};

struct vfy_campaign_args {
	const char *spec;
	uint64_t seed;
	uint8_t probe;
	struct vfy_budget budget;
	int only_set;
	uint32_t only_opcode;
	uint32_t phases;
	unsigned int timeout_ms;
	unsigned int repeats; /* runs that must reproduce a finding; 0: 3 */
	/* What the caller says that the device's serial number is: vfy_may_probe(); NULL: nothing. */
	const char *serial;
	/* Once it is not 0 the campaign ends as if its budget had; NULL: never. */
	const volatile int *stop;
	/* Called now and then and at each finding; NULL: not. */
	void (*progress)(void *userdata, const struct vfy_campaign *c);
	void *userdata;
};

/* What was seen of one command. */
struct vfy_row {
	uint8_t set;
	uint16_t opcode;
	bool listed;
	fwa_effects declared, floor, observed, undeclared;
	uint64_t tried; /* how often it was sent in experiments */
	uint64_t succeeded;
};

#define VFY_FINDINGS_MAX 256u

struct vfy_campaign {
	struct vfy_campaign_args args;
	struct vfy_target target;
	struct vfy_plan plan;
	struct vfy_mask mask;
	struct vfy_generator *generator;
	uint64_t experiments, snapshots, elapsed_ms;
	bool out_of_budget; /* ended before the generator did */
	bool inconclusive; /* something could not be confirmed, or the device could not be watched */
	struct vfy_row *row; /* commands that are declared, or answered though they are not */
	size_t n_rows;
	struct vfy_finding *finding; /* worst first once it has ended */
	size_t n_findings;
	size_t dropped;       /* findings beyond VFY_FINDINGS_MAX, and those that repeat another */
	uint64_t masked_late; /* bytes of which it was seen only later that they say nothing */
	uint64_t not_confirmed; /* what was seen once and not again: no finding */
	uint64_t
		left; /* experiments not run: the device does not survive them, or they are too risky */
	struct vfy_engine *engine; /* its own */
};

/*
 * Runs it. 0, whatever was found; negative errno with c->target.error when the device cannot be opened or
 * watched at all. To be cleared in both cases.
 */
int vfy_campaign_run(struct vfy_campaign *c, const struct vfy_campaign_args *args);
void vfy_campaign_clear(struct vfy_campaign *c);
/* "honest-so-far", "breach", "inconclusive". */
const char *vfy_campaign_verdict(const struct vfy_campaign *c);
