/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that a test watches: opened by what a person types, with its profile and its plan. Each command
 * by which it is observed is checked against the device's own word.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "core/decide.h"
#include "verify/judge.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define WATCH_SNAPSHOTS 4

static unsigned int watch_timeout_ms = 5000;

struct watch {
	struct fwa_device *dev;
	uint8_t *encoded;
	struct fwa_profile *profile;
	struct vfy_plan plan;
	struct vfy_snapshot snapshot[WATCH_SNAPSHOTS];
	struct vfy_mask mask;
	struct vfy_judgement j;
	uint64_t observed; /* commands that observing sent */
	uint32_t code;     /* of the last watch_send() */
	uint8_t reply[8192];
};

/* Observing is done with what is declared as a read, and by the model is one. */
static inline int watch_submit(void *userdata, const struct fwa_command *cmd,
			       struct fwa_reply *reply)
{
	const struct fwa_contract ordinary = { 0 };
	struct watch *w = userdata;
	struct fwa_decision d = fwa_decide(&ordinary, &fwa_rights_all, w->profile, cmd, 0);

	assert_int_equal(d.reason, FWA_REASON_ADMIT);
	assert_int_equal(d.effects, 0);
	w->observed++;
	return w->dev->ops->submit(w->dev, cmd, reply, watch_timeout_ms);
}

static inline int watch_profile(struct watch *w, const char *spec)
{
	struct fwa_open_args args = { .spec = spec, .fd = -1 };
	struct fwa_writer out;
	char error[FWA_ERROR_LEN];
	int r = fwa_device_open(&args, &w->dev);

	if (r < 0)
		return r;
	w->encoded = malloc(FWA_PROFILE_MAX);
	w->profile = calloc(1, sizeof(*w->profile));
	assert_non_null(w->encoded);
	assert_non_null(w->profile);
	out = fwa_writer(w->encoded, FWA_PROFILE_MAX);
	r = fwa_profile_read(w->dev, &out, error);
	if (r == 0)
		assert_int_equal(fwa_profile_parse(w->profile, fwa_span(w->encoded, out.len)), 0);
	return r;
}

/* 0, or what opening, reading the profile or planning said. */
static inline int watch_try(struct watch *w, const char *spec)
{
	int r;

	memset(w, 0, sizeof(*w));
	r = watch_profile(w, spec);
	if (r < 0)
		return r;
	r = vfy_plan_make(&w->plan, w->profile, w->dev, watch_submit, w);
	if (r < 0)
		return r;
	for (int i = 0; i < WATCH_SNAPSHOTS; i++)
		assert_int_equal(vfy_snapshot_make(&w->snapshot[i], &w->plan), 0);
	return vfy_mask_make(&w->mask, &w->plan);
}

static inline void watch_close(struct watch *w)
{
	for (int i = 0; i < WATCH_SNAPSHOTS; i++)
		vfy_snapshot_clear(&w->snapshot[i]);
	vfy_mask_clear(&w->mask);
	vfy_plan_clear(&w->plan);
	fwa_device_close(w->dev);
	free(w->profile);
	free(w->encoded);
}

static inline int watch_observe(struct watch *w, int i)
{
	return vfy_observe(&w->plan, w->dev, watch_submit, w, NULL, &w->snapshot[i]);
}

/* Into snapshot 0, with nothing to be learned but what is volatile. */
static inline void watch_begin(struct watch *w)
{
	assert_int_equal(watch_observe(w, 3), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(watch_observe(w, 0), 0);
		vfy_mask_learn(&w->mask, &w->plan, &w->snapshot[3], &w->snapshot[0]);
		assert_int_equal(watch_observe(w, 3), 0);
		vfy_mask_learn(&w->mask, &w->plan, &w->snapshot[0], &w->snapshot[3]);
	}
	assert_int_equal(watch_observe(w, 0), 0);
}

static inline uint32_t watch_command(struct watch *w, const struct fwa_command *cmd)
{
	struct fwa_reply reply = { .out = w->reply, .out_cap = sizeof(w->reply) };

	memset(w->reply, 0, sizeof(w->reply));
	assert_int_equal(w->dev->ops->submit(w->dev, cmd, &reply, watch_timeout_ms), 0);
	return w->code = reply.code;
}

/* Sends @cmd between snapshots 0 and 1, and judges. */
static inline const struct vfy_judgement *watch_try_command(struct watch *w,
							    const struct fwa_command *cmd)
{
	struct vfy_claim claim = { 0 };
	fwa_effects by_reply;

	assert_int_equal(watch_observe(w, 0), 0);
	watch_command(w, cmd);
	by_reply =
		cmd->set == FWA_SET_CXL && w->code == CXL_RC_BACKGROUND ? FWA_EFFECT_BACKGROUND : 0;
	assert_int_equal(watch_observe(w, 1), 0);
	vfy_claim_add(&claim, w->profile, cmd);
	vfy_judge(&w->plan, &w->mask, &w->snapshot[0], &w->snapshot[1], &claim, by_reply, &w->j);
	return &w->j;
}

static inline const struct vfy_judgement *watch_send(struct watch *w, uint16_t opcode,
						     const void *payload, size_t len)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = opcode,
				   .payload = fwa_span(payload, len),
				   .out_len = 2048 };

	return watch_try_command(w, &cmd);
}

static inline size_t watch_find(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->plan.n; i++)
		if (strcmp(w->plan.observable[i].name, name) == 0)
			return i;
	fail_msg("nothing is called \"%s\"", name);
	return 0;
}

static inline bool watch_left_out(const struct watch *w, const char *begin)
{
	for (size_t i = 0; i < w->plan.n_left_out; i++)
		if (strncmp(w->plan.left_out[i], begin, strlen(begin)) == 0)
			return true;
	return false;
}

/* Whether a change is of the observable @name and, unless NULL, of its part @part. */
static inline bool watch_changed(const struct watch *w, const char *name, const char *part)
{
	for (uint32_t i = 0; i < w->j.n_changes && i < VFY_CHANGES_MAX; i++) {
		const struct vfy_change *c = &w->j.change[i];
		const struct vfy_observable *o = &w->plan.observable[c->observable];

		if (strcmp(o->name, name) != 0)
			continue;
		if (!part || (c->field < o->row->n_fields &&
			      strcmp(o->row->field[c->field].name, part) == 0))
			return true;
	}
	return false;
}

/* For who looks why a test failed. */
static inline void watch_print(const struct watch *w)
{
	for (uint32_t i = 0; i < w->j.n_changes && i < VFY_CHANGES_MAX; i++) {
		const struct vfy_change *c = &w->j.change[i];
		const struct vfy_observable *o = &w->plan.observable[c->observable];

		print_message("  %s, %s: %u to %u, %s, means %#x%s%s\n", o->name,
			      c->field < o->row->n_fields ? o->row->field[c->field].name : "-",
			      c->first, c->last, c->covered ? "covered" : "not covered", c->means,
			      c->reading ? ", reading" : "", c->grown ? ", grown" : "");
	}
}

static inline void watch_assert_unchanged(struct watch *w, int before, int after)
{
	const struct vfy_claim nothing = { 0 };

	vfy_judge(&w->plan, &w->mask, &w->snapshot[before], &w->snapshot[after], &nothing, 0,
		  &w->j);
	if (w->j.undeclared)
		watch_print(w);
	assert_int_equal(w->j.undeclared, 0);
}
