/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a profile declares of one command: not only of its opcode, but of the Feature, log, log page
 * or NVMe feature that the command's own bytes select (C6, C10).
 */
#pragma once

#include <stdbool.h>

#include "core/command.h"
#include "core/profile.h"
#include "core/reason.h"

struct fwa_declaration {
	struct fwa_declared declared;
	bool has_feature; /* a Set Feature whose effects are those of @feature */
	struct fwa_feature feature;
};

/*
 * What @p declares of @cmd, which selects @selector (of fwa_command_selector(), with the UUID of a
 * transfer in progress put in its place). FWA_DETAIL_NONE with *ret filled, or why the command is
 * not declared. A payload that ends before its selector is declared by its opcode alone: its shape
 * is somebody else's to judge. O(log n) in the number of Features, else constant time.
 */
enum fwa_detail fwa_declaration_of(const struct fwa_profile *p, const struct fwa_command *cmd,
				   const struct fwa_selector *selector,
				   struct fwa_declaration *ret);
/* The same for who has looked up already what the opcode is declared as: it is in d->declared, the rest zero. */
enum fwa_detail fwa_declaration_narrow(const struct fwa_profile *p, const struct fwa_command *cmd,
				       const struct fwa_selector *selector,
				       struct fwa_declaration *d);
