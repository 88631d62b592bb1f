/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resets, and what waits for each of them.
 *
 *  any           Features take their saved values, or their default ones; transfers, lists that were
 *                half read and scan results are forgotten; a sanitize is brought to its end, other
 *                background work comes to nothing
 *  conventional  as any, and the clock and the interrupt policy are as if nobody had set them
 *  cold          as conventional, and staged firmware runs, the capacity is divided anew, what was in
 *                volatile memory is lost, the shutdown state is clean, and the device is locked if it has
 *                a user passphrase
 *
 * A device that hangs comes back; one that is gone does not.
 */
#include "transport/sim/sim.h"

#include <errno.h>

static void forget_what_runs(struct sim *s)
{
	sim_background_end(s);
	s->background_opcode = 0;
	s->background_code = 0;
	sim_firmware_abort(s);
	s->scan = (struct sim_scan){ 0 };
	s->poison_from = 0;
	s->lie = (struct sim_lie){ 0 };
	memset(s->payload, 0, s->dev.payload_max);
	s->replied = 0;
	s->code = 0;
}

static void reset_conventional(struct sim *s)
{
	s->timestamp_set = false;
	memset(s->event_policy, 0, sizeof(s->event_policy));
}

static void reset_cold(struct sim *s)
{
	sim_firmware_apply_staged(s);
	sim_media_forget(s, 0, s->volatile_units * SIM_CAPACITY_UNIT);
	sim_partition_apply(s);
	s->shutdown = 0;
	sim_security_reset(s);
}

static void reset(struct sim *s, enum fwa_reset kind)
{
	sim_background_settle(s);
	s->hung = false;
	forget_what_runs(s);
	sim_features_reset(s);
	if (kind != FWA_RESET_CXL)
		reset_conventional(s);
	if (kind == FWA_RESET_COLD)
		reset_cold(s);
}

int sim_reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms)
{
	struct sim *s = (struct sim *)dev;
	int r = 0;

	if (kind >= FWA_RESET_COUNT)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&s->lock);
	if (s->gone)
		r = -ENODEV;
	else
		reset(s, kind);
	pthread_mutex_unlock(&s->lock);
	return r;
}
