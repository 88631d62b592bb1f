/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log of a program that runs by itself: lines on stderr, with the priority in front when systemd reads
 * them.
 */
#pragma once

#include <syslog.h>

/* For program @name. Looks whether stderr is the journal's; before that lines are plain. */
void fwa_log_setup(const char *name);
/* One line of @priority LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO. */
void fwa_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) fwa_log(LOG_ERR, __VA_ARGS__)
#define log_warning(...) fwa_log(LOG_WARNING, __VA_ARGS__)
#define log_info(...) fwa_log(LOG_INFO, __VA_ARGS__)
