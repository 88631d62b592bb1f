/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 in hex.
 */
#pragma once

#include "base/bytes.h"

#define FWA_DIGEST_TEXT 65 /* 64 digits and the final NUL */

void fwa_sha256_text(struct fwa_span data, char text[FWA_DIGEST_TEXT]);
/* Of the sealed memfd @fd, of at most @max bytes. 0 or negative errno; -ENODATA when it is empty. */
int fwa_sha256_of_memfd(int fd, size_t max, char text[FWA_DIGEST_TEXT]);
