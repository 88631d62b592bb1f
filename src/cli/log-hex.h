/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record's bytes, each with its name in spec/JOURNAL-FORMAT.md.
 */
#pragma once

#include "cli/log-entry.h"

void cli_print_record_hex(const struct cli_entry *e);
