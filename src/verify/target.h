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
	uint8_t *reply;  /* FWA_COMMAND_DATA_MAX */
	uint8_t *behind; /* what stands behind a reply; NULL: this transport cannot tell */
	size_t behind_len;
	/* Counted over all openings. */
	uint64_t commands; /* sent, observing included; without those that read the profile */
	uint64_t openings;
	char error[FWA_ERROR_LEN];
};

/*
 * Opens @spec, which must outlive @t, and reads its profile; a disposable device is then as after
 * vfy_target_fresh(). 0, or negative errno with t->error filled; to be closed in both cases.
 */
int vfy_target_open(struct vfy_target *t, const char *spec, unsigned int timeout_ms);
void vfy_target_close(struct vfy_target *t);
/*
 * Another device of the same kind, to which nothing was done: closes and opens a disposable one; -EOPNOTSUPP
 * for others. Its declarations were read as those of the first one were, and its media is written with the
 * pattern that shows whether it is erased. When this fails, with t->error, there is no device, and all else
 * is -ENODEV until it succeeds.
 */
int vfy_target_fresh(struct vfy_target *t);
/*
 * Runs one step. 0 when the device answered, whatever it answered, with *ret_answer (all zero for what is no
 * command); -ENODEV, -ETIMEDOUT, -EPROTO: it is of no use any more, but that a VFY_SETTLE takes too long;
 * other negative errno: it was not sent, or is not to be had. *ret_beyond: bytes that it wrote past its reply
 * (0 where the transport cannot tell); NULL: not looked at, which costs less. VFY_OBSERVE reads into @scratch;
 * for other steps @plan and @scratch may be NULL.
 */
int vfy_target_run(struct vfy_target *t, const struct vfy_plan *plan, const struct vfy_step *step,
		   struct vfy_snapshot *scratch, struct vfy_answer *ret_answer,
		   uint32_t *ret_beyond);
/* Of vfy_plan_make() and vfy_observe(): sends to @userdata, a struct vfy_target, and counts. */
int vfy_target_submit(void *userdata, const struct fwa_command *cmd, struct fwa_reply *reply);
/* Waits until no background work runs, at most @ms. 0, -ETIMEDOUT, or as run. */
int vfy_target_settle(struct vfy_target *t, unsigned int ms);
/* vfy_observe() on it: with @previous what is rare is not read, but taken over from there. */
int vfy_target_observe(struct vfy_target *t, const struct vfy_plan *plan,
		       const struct vfy_snapshot *previous, struct vfy_snapshot *ret);

/*
 * Writes all samples of media that a plan observes, so that none of it is zero: CXL lines past the mailbox,
 * NVMe blocks by Write where the device declares it. 0, also where there is no way to; -ENODEV, -ETIMEDOUT,
 * -EPROTO.
 */
int vfy_target_write_pattern(struct vfy_target *t);
