/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 in hex, of bytes that are not looked at otherwise.
 */
#pragma once

#include <stddef.h>

#define FWA_HEX_DIGEST 65 /* 64 digits and the final NUL */

/* Of the sealed memfd @fd, of at most @max bytes. 0 or negative errno; -ENODATA when it is empty. */
int fwa_hex_digest_of_fd(int fd, size_t max, char ret[FWA_HEX_DIGEST]);
