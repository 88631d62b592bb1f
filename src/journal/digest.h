/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256.
 */
#pragma once

#include "base/bytes.h"

/* Of @data: 32 bytes. Cannot fail, and makes no system calls: the worker's sandbox allows none. */
void fwa_sha256(struct fwa_span data, uint8_t out[32]);
