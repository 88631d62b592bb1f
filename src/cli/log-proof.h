/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs of one record, as JSON (spec/JOURNAL-FORMAT.md).
 */
#pragma once

#include "cli/log.h"

/* Prints record @seq and its proof. The exit code, after cli_fail() for another than CLI_OK. */
int cli_proof_export(struct cli_log *log, uint64_t seq);
/* Checks the proof in file @path; with @key that it is signed by that. The exit code. */
int cli_proof_check(const struct cli *cli, const char *path, const uint8_t *key);
