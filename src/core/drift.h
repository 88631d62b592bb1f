/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drift: what a device declares now and did not declare when it was accepted (C23).
 *
 * 1. A *baseline* is an encoded profile with the declarations alone: no serial number, nothing that
 *    is another one in each device of a model. fwa_declarations_write() makes it, the same bytes for
 *    the same declarations in whatever order a device lists them.
 * 2. Drift is a command that is declared now and was not, or whose declaration lost an effect. More
 *    caution is no drift: it is judged with at once. So is one command less.
 * 3. Nothing is derived and kept: both profiles are asked about the one command at hand.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/command.h"
#include "core/profile.h"
#include "core/reason.h"

/* More than any baseline has: see fwa_declarations_write(). */
#define FWA_DECLARATIONS_MAX (320u * 1024)

/* What a device's declarations are to its baseline; the numbers are those of the description. */
enum fwa_baseline_state {
	FWA_BASELINE_NONE,    /* there is none yet: the first one that is seen is trusted */
	FWA_BASELINE_SAME,    /* the same bytes */
	FWA_BASELINE_DIFFERS, /* not the same bytes; whether that is drift depends on the command */
	FWA_BASELINE_MISSING, /* there is none, and the site trusts none that was not pinned */
	FWA_BASELINE_COUNT,
};

/* What a caller's commands are held to. */
struct fwa_drift {
	const struct fwa_profile *baseline; /* NULL: none, where one is required */
};

/*
 * Writes the declarations of @p in their canonical form: family, vendor, model and firmware; every
 * opcode once, by number, with all that its entries say; Features once each, by UUID, without their
 * index; logs by UUID, without their size, which may follow what is in them; of NVMe's pages the
 * entries of what is supported. At most FWA_DECLARATIONS_MAX bytes.
 */
void fwa_declarations_write(struct fwa_writer *w, const struct fwa_profile *p);

/* Whether @baseline is about devices like @p: family, vendor, model and firmware. */
bool fwa_drift_same_key(const struct fwa_profile *p, const struct fwa_profile *baseline);

/*
 * Why @cmd, which selects @selector (see fwa_declaration_of()), is refused as drift on a device that
 * declares @now: appeared, lost-effect, not-pinned; FWA_DETAIL_NONE when it is not. @drift NULL:
 * the caller is held to nothing. O(log n) in the number of Features.
 */
enum fwa_detail fwa_drift_detail(const struct fwa_drift *drift, const struct fwa_profile *now,
				 const struct fwa_command *cmd,
				 const struct fwa_selector *selector);

/* --- every difference ----------------------------------------------------------------------- */

/* What a difference is about. */
enum fwa_difference_of {
	FWA_DIFFERENCE_COMMAND, /* @set, @opcode */
	FWA_DIFFERENCE_FEATURE, /* @uuid: that it is listed, and so can be read */
	FWA_DIFFERENCE_SETTING, /* @uuid: that it can be set, and with which effects */
	FWA_DIFFERENCE_LOG,     /* @uuid */
	FWA_DIFFERENCE_LID,     /* @id */
	FWA_DIFFERENCE_FID,     /* @id */
	FWA_DIFFERENCE_OF_COUNT,
};

enum fwa_difference_how {
	FWA_DIFFERENCE_NONE,
	FWA_DIFFERENCE_APPEARED, /* drift */
	FWA_DIFFERENCE_LOST,     /* an effect; drift, whatever it gained */
	FWA_DIFFERENCE_GAINED,
	FWA_DIFFERENCE_REMOVED,
	FWA_DIFFERENCE_CHANGED, /* in what is no effect: attributes, sizes, versions */
	FWA_DIFFERENCE_HOW_COUNT,
};

struct fwa_difference {
	uint8_t of;  /* enum fwa_difference_of */
	uint8_t how; /* enum fwa_difference_how */
	uint8_t set;
	uint8_t id;
	uint16_t opcode;
	const uint8_t *uuid; /* a view of one of the profiles */
	fwa_effects before;
	fwa_effects after;
};

/* Where a walk through the differences is; begin with all zero. */
struct fwa_difference_walk {
	uint32_t part;
	uint32_t at;
};

/*
 * Steps to the next difference between @before and @after: commands by set and opcode, then
 * Features, settings, logs, LIDs and FIDs. False at the end.
 */
bool fwa_difference_next(const struct fwa_profile *before, const struct fwa_profile *after,
			 struct fwa_difference_walk *walk, struct fwa_difference *ret);

/* Whether @how is drift. */
static inline bool fwa_difference_drifts(unsigned int how)
{
	return how == FWA_DIFFERENCE_APPEARED || how == FWA_DIFFERENCE_LOST;
}

/* How many differences between @before and @after are drift. */
uint32_t fwa_drift_count(const struct fwa_profile *before, const struct fwa_profile *after);

/* "command", "feature", "setting", "log", "log-page", "nvme-feature". */
const char *fwa_difference_of_name(unsigned int of);
/* "appeared", "lost-effect", "gained-effect", "removed", "changed". */
const char *fwa_difference_how_name(unsigned int how);
/* "none", "same", "differs", "missing". */
const char *fwa_baseline_state_name(unsigned int state);
