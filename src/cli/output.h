/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a verb reads and writes.
 */
#pragma once

#include "base/bytes.h"
#include "cli/cli.h"

/* Says what the system said of @path, @r being a negative errno; the exit code. */
int cli_fail_file(const struct cli *cli, const char *path, int r);

/*
 * Writes @data to @path ("-": standard output). A regular file appears whole or not at all. CLI_OK,
 * or the code after cli_fail().
 */
int cli_write_output(const struct cli *cli, const char *path, struct fwa_span data);
