/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256.
 */
#pragma once

#include "base/bytes.h"

/* Of @data. Cannot fail. */
void vfy_sha256(struct fwa_span data, uint8_t ret[32]);
