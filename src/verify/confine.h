/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this process may still do once it talks to a device.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* No new privileges, no core dumps with what a device said, an end together with the parent. 0 or errno. */
int vfy_confine_begin(void);
/*
 * Before the device's first byte is read: no more files than the node of @spec and what the kernel says of
 * it, and less memory than the machine has. Not for what starts another program. 0 or negative errno with
 * @error.
 */
int vfy_confine(const char *spec, char error[FWA_ERROR_LEN]);
/* The path in @spec, NULL when it names none: "sim:honest". */
const char *vfy_spec_path(const char *spec);
