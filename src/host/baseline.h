/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of baselines, and the part of whoever starts a worker in asking for one (C23).
 *
 * 1. A baseline is opaque here: bytes that a worker made (fwa_declarations_write()) and that a worker
 *    checks. Nothing of a device is parsed.
 * 2. It is found by who the device says that it is: family, vendor, model and firmware. The name of
 *    its file is the digest of those, so that no text of a device becomes a part of a path.
 * 3. What the administrator pinned goes before what was accepted, and that before what was seen
 *    first. What is there but cannot be read is an error and never the same as "none".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/profile.h"
#include "host/digest.h"

#define FWA_BASELINE_PINNED_DIR "/etc/fwadmit/baselines"

/* Where a baseline comes from; what BASELINE messages say. */
enum fwa_baseline_source {
	FWA_BASELINE_FROM_NOWHERE, /* "none" */
	FWA_BASELINE_FROM_SEEN,
	FWA_BASELINE_FROM_ACCEPTED,
	FWA_BASELINE_FROM_PINNED,
	FWA_BASELINE_FROM_REQUIRED, /* none is pinned, and the store demands that one is */
	FWA_BASELINE_SOURCE_COUNT,
};

struct fwa_baselines {
	const char *pinned_dir;
	const char *state_dir; /* holds baselines/accepted and baselines/seen */
	bool require_pinned;
};

/* Who a device says that it is: what an IDENTITY message says. Cleaned text. */
struct fwa_identified {
	char family[FWA_TEXT_MAX];
	struct fwa_identity id;
	uint32_t commands;
};

/*
 * Reads the text of an IDENTITY message, "family\nvendor\nmodel\nserial\nfirmware\ncommands".
 * -EPROTO when it is none; *ret is then untouched.
 */
int fwa_identified_parse(const char *text, struct fwa_identified *ret);

/* The file name of the baseline of devices like @who. */
void fwa_baseline_name(const struct fwa_identified *who, char name[FWA_DIGEST_TEXT]);
/* The same digest over family, vendor, model and serial: one device, whatever its firmware. */
void fwa_device_digest(const struct fwa_identified *who, char name[FWA_DIGEST_TEXT]);
/* Whether both names, or both digests, are the same. */
bool fwa_same_baseline(const struct fwa_identified *a, const struct fwa_identified *b);
bool fwa_same_device(const struct fwa_identified *a, const struct fwa_identified *b);

/*
 * Looks for the baseline of devices like @who. 0 with *ret_source and *ret_fd, a sealed memfd that
 * is the caller's, -1 for none and required; or negative errno, with *ret_source required and
 * *ret_fd -1: what is there and cannot be had is not trusted around.
 */
int fwa_baselines_find(const struct fwa_baselines *b, const struct fwa_identified *who,
		       enum fwa_baseline_source *ret_source, int *ret_fd);

/*
 * Keeps the sealed memfd @fd as the baseline of devices like @who: @source seen or accepted. On disk
 * when it returns 0; else negative errno, and what was there before is there still.
 */
int fwa_baselines_save(const struct fwa_baselines *b, enum fwa_baseline_source source,
		       const struct fwa_identified *who, int fd);

/* Removes what a crash left in the folders that fwa_baselines_save() writes to; said to nobody. */
void fwa_baselines_sweep(const struct fwa_baselines *b);

/*
 * Answers DECLARATIONS of a worker on @control with BASELINE, from the store. 0 with *ret_source, and
 * what the worker has as *ret_fd, the caller's, or -1; negative errno when the message cannot be sent.
 * What cannot be read is answered with "required", and *ret_error is its negative errno, else 0.
 */
int fwa_baselines_answer(const struct fwa_baselines *b, const struct fwa_identified *who,
			 int control, enum fwa_baseline_source *ret_source, int *ret_fd,
			 int *ret_error);

/* The administrator's folder: $FWADMIT_PINNED_DIR, else /etc/fwadmit/baselines. */
const char *fwa_pinned_dir(void);

/* "none", "seen", "accepted", "pinned", "required"; NULL for no source. */
const char *fwa_baseline_source_name(unsigned int source);
