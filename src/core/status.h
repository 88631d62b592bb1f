/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of the status codes that devices return.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/model.h"

/* True when @code of a command of @set means that the command did, or began, its work. */
bool fwa_status_ok(unsigned int set, uint32_t code);
/* "success", "invalid-input", "invalid-field", ...; "unknown-status" for what nobody has named. */
const char *fwa_status_name(unsigned int set, uint32_t code);
