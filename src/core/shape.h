/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shape of a command: lengths, ranges and alignment, checked before the device sees a byte
 * (C18).
 */
#pragma once

#include "core/command.h"
#include "core/profile.h"
#include "core/reason.h"

/*
 * FWA_DETAIL_NONE when @cmd fits its model row @row (NULL: not in the model) and @p's limits. @uuid
 * is that of the log or Feature that it selects, NULL for none.
 */
enum fwa_detail fwa_shape_check(const struct fwa_profile *p, const struct fwa_model_command *row,
				const struct fwa_command *cmd, const uint8_t *uuid);
