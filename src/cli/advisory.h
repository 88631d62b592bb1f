/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advisories in a store: fwadmitd's when it runs, else the user's own.
 *
 * What comes of either is an object as type Advisory of spec/org.fwadmit.Control.varlink.
 */
#pragma once

#include "base/bytes.h"
#include "cli/cli.h"

struct json_object;

/* Imports the envelope @text, said to be @path, and shows that it is in force. The exit code. */
int cli_advisory_import(const struct cli *cli, const char *path, struct fwa_span text);
/*
 * All, or that of @id with its document. CLI_OK and a fresh array, or the exit code after cli_fail(): also
 * CLI_NOT_FOUND when there is none with @id.
 */
int cli_advisory_list(const struct cli *cli, const char *id, struct json_object **ret);
/* Takes one out. The exit code, after cli_fail(). */
int cli_advisory_remove(const struct cli *cli, const char *id);
