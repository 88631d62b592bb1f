/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fwadmitd tells of one device beside what its gate describes.
 */
#pragma once

#include <json-c/json_object.h>

#include "cli/cli.h"

/*
 * The Device of that name (spec/org.fwadmit.Control.varlink), owned by the caller; NULL, and nothing
 * is said, when nobody can tell.
 */
struct json_object *cli_state_of(const struct cli *cli, const char *device);

/*
 * "smells of smoke; by alice at 2026-11-22T16:00:00Z, 3m ago" for a Device that is quarantined, ""
 * for any other.
 */
void cli_quarantine_text(struct json_object *device, char *text, size_t size);

/* "sanitize, background, of alice (pid 12), 40 % done, for 3m" for a Lease. */
void cli_lease_text(struct json_object *lease, char *text, size_t size);
