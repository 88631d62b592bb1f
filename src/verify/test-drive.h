/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives a device with a generator's experiments and counts what comes of them; for the generator's own
 * tests. Nothing is judged here.
 */
#pragma once

#include "transport/transport.h"
#include "verify/generate.h"

/* Of one phase. */
struct drive_count {
	uint64_t experiments;
	uint64_t commands;
	uint64_t taken; /* answered with success, or begun */
};

struct drive {
	struct fwa_device *dev;
	const char *spec;
	uint8_t *encoded;
	struct fwa_profile *profile;
	struct vfy_generator *generator;
	struct drive_count count[VFY_PHASES];
	uint64_t lost; /* times that the device was of no use any more, and opened anew */
	uint8_t *out;
	/* Called for each command; NULL: not. */
	void (*each)(const struct vfy_experiment *e, const struct vfy_step *step,
		     const struct vfy_answer *answer);
};

/* 0, or negative errno with a line on stderr. To be closed in both cases. */
int drive_open(struct drive *d, const char *spec, const struct vfy_generate_args *args);
/* At most @commands, of all phases; 0 or negative errno. */
int drive_run(struct drive *d, uint64_t commands);
void drive_close(struct drive *d);
