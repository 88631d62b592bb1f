/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The systemd unit that a process belongs to, as its control group says (C2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define UNIT_NAME_LEN 256 /* systemd's own limit, with the final NUL */

/*
 * Finds the unit of the *system's* manager in what the kernel says in /proc/PID/cgroup: @text of
 * @len bytes. False, and @ret untouched, when there is none or the text is not what the kernel
 * writes.
 */
bool unit_of_cgroups(const char *text, size_t len, char ret[UNIT_NAME_LEN]);
