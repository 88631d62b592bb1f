/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the program's parts: a subject made in memory, and what main.c has.
 */
#pragma once

#include "cli/subject.h"

extern const struct cli test_cli;
extern struct cli_subject test_subject;

/* Makes test_subject a device called @name of that profile, which is taken. */
void test_set_subject(uint8_t *encoded, size_t len, const char *name);
/* The same of a simulated device, "sim:PERSONALITY". */
void test_open_sim(const char *personality);
