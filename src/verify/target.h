/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device under test: opened, opened anew, sent to, watched. It is expected to die, to hang and to
 * lie about lengths; that is reported, and the campaign goes on.
 */
#pragma once

#include <stdbool.h>

#include "transport/transport.h"
#include "verify/finding.h"
#include "verify/observe.h"
#include "verify/step.h"

struct vfy_target {
	const char *spec; /* of fwa_device_open() */
	struct fwa_device *dev;
	bool disposable; /* simulated, or a process of ours: can be opened anew, and nobody else uses it */
	unsigned int timeout_ms;
	uint8_t *profile_bytes; /* of the first opening */
	size_t profile_len;
	struct fwa_profile *profile;
	uint8_t *reply; /* FWA_COMMAND_DATA_MAX */
	/* Counted over all openings. */
	uint64_t commands; /* sent, observing included */
	uint64_t openings;
	char error[FWA_ERROR_LEN];
};

/* Opens @spec and reads its profile. 0, or negative errno with t->error filled. */
int vfy_target_open(struct vfy_target *t, const char *spec, unsigned int timeout_ms);
void vfy_target_close(struct vfy_target *t);
/*
 * Another device of the same kind, to which nothing was done: closes and opens a disposable one; -EOPNOTSUPP
 * for others. Its media is written with the pattern that shows whether it is erased.
 */
int vfy_target_fresh(struct vfy_target *t);
/*
 * Runs one step. 0 when the device answered, whatever it answered, with *ret_answer; -ENODEV, -ETIMEDOUT,
 * -EPROTO: it is of no use any more. *ret_beyond: bytes that it wrote past its reply (0 where the transport
 * cannot tell). VFY_OBSERVE reads into @scratch.
 */
int vfy_target_run(struct vfy_target *t, const struct vfy_plan *plan, const struct vfy_step *step,
		   struct vfy_snapshot *scratch, struct vfy_answer *ret_answer,
		   uint32_t *ret_beyond);
/* Waits until no background work runs, at most @ms. 0, -ETIMEDOUT, or as run. */
int vfy_target_settle(struct vfy_target *t, unsigned int ms);
/* vfy_observe() on it: with @previous what is rare is not read, but taken over from there. */
int vfy_target_observe(struct vfy_target *t, const struct vfy_plan *plan,
		       const struct vfy_snapshot *previous, struct vfy_snapshot *ret);
