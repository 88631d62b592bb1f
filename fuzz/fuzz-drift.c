/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any two profiles: le16 length of the first, then both. What the walk through their differences says
 * and what a decision is told of one command are the same; a baseline is its own baseline.
 */
#include <stdlib.h>

#include "core/drift.h"
#include "fuzz/fuzz.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static struct fwa_profile before, after, again;
static uint8_t first[FWA_DECLARATIONS_MAX], second[FWA_DECLARATIONS_MAX];

/* The declarations of @p; those of the profile that they make are the same bytes. */
static void check_baseline(const struct fwa_profile *p)
{
	struct fwa_writer w = fwa_writer(first, sizeof(first)),
			  v = fwa_writer(second, sizeof(second));
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;

	fwa_declarations_write(&w, p);
	if (w.full || fwa_profile_parse(&again, fwa_span(first, w.len)) < 0)
		abort();
	fwa_declarations_write(&v, &again);
	if (v.full || v.len != w.len || memcmp(first, second, w.len) ||
	    !fwa_drift_same_key(p, &again))
		abort();
	while (fwa_difference_next(p, &again, &walk, &d))
		if (d.how != FWA_DIFFERENCE_CHANGED)
			abort();
}

/* The command that @d is about. */
static struct fwa_command command_of(const struct fwa_difference *d)
{
	struct fwa_command cmd = { .set = d->set, .opcode = d->opcode, .cdw = { d->id } };

	if (d->uuid)
		cmd.payload = fwa_span(d->uuid, 16);
	if (d->of == FWA_DIFFERENCE_FEATURE)
		cmd.opcode = CXL_OP_GET_FEATURE;
	if (d->of == FWA_DIFFERENCE_SETTING)
		cmd.opcode = CXL_OP_SET_FEATURE;
	if (d->of == FWA_DIFFERENCE_LOG)
		cmd.opcode = CXL_OP_GET_LOG;
	if (d->of == FWA_DIFFERENCE_LID || d->of == FWA_DIFFERENCE_FID) {
		cmd.set = FWA_SET_NVME_ADMIN;
		cmd.opcode =
			d->of == FWA_DIFFERENCE_LID ? NVME_OP_GET_LOG_PAGE : NVME_OP_SET_FEATURES;
	}
	return cmd;
}

static void check_difference(const struct fwa_difference *d)
{
	const struct fwa_drift drift = { &before };
	struct fwa_command cmd = command_of(d);
	struct fwa_selector s = { 0 };
	struct fwa_declared declared;
	enum fwa_detail detail;

	if (d->of != FWA_DIFFERENCE_COMMAND)
		s = fwa_command_selector(fwa_model_find(cmd.set, cmd.opcode), &cmd);
	if (!fwa_difference_of_name(d->of) || !fwa_difference_how_name(d->how))
		abort();
	detail = fwa_drift_detail(&drift, &after, &cmd, &s);
	/* What was lost of a feature or a setting the command's own entry may declare all the same. */
	if (d->how == FWA_DIFFERENCE_APPEARED && !detail &&
	    fwa_profile_declared(&after, cmd.set, cmd.opcode, &declared))
		abort();
	if (d->of == FWA_DIFFERENCE_COMMAND && fwa_difference_drifts(d->how) != !!detail)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;
	size_t len;

	if (size < 2)
		return 0;
	len = fwa_le16(data);
	if (len > size - 2)
		len = size - 2;
	if (fwa_profile_parse(&before, fwa_span(data + 2, len)) < 0 ||
	    fwa_profile_parse(&after, fwa_span(data + 2 + len, size - 2 - len)) < 0)
		return 0;
	check_baseline(&before);
	check_baseline(&after);
	while (fwa_difference_next(&before, &after, &walk, &d))
		check_difference(&d);
	return 0;
}
