/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What records name by its SHA-256, in the journal's folder objects/: written whole and durably, or not at
 * all. @dirfd is the journal's directory.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "core/record.h"

#define FWA_OBJECT_MAX (64u * 1024 * 1024)

/*
 * Keeps @data; its digest, which is its name, in @sha256. It is on disk when this returns 0. One that is there
 * and is not what its name says is replaced. Negative errno; -EFBIG: more than FWA_OBJECT_MAX bytes.
 */
int fwa_objects_put(int dirfd, struct fwa_span data, uint8_t sha256[FWA_HASH_LEN]);
/* Removes all that @keep does not want, and what was only being written. 0 or negative errno. */
int fwa_objects_sweep(int dirfd, bool (*keep)(void *arg, const uint8_t sha256[FWA_HASH_LEN]),
		      void *arg);
