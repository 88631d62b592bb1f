/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: lines on stderr, with the priority in front when systemd reads them.
 */
#pragma once

#include <syslog.h>

/* Looks whether stderr is the journal's; before that lines are plain. */
void fwa_log_setup(void);
/* One line of @priority LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO. */
void fwa_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) fwa_log(LOG_ERR, __VA_ARGS__)
#define log_warning(...) fwa_log(LOG_WARNING, __VA_ARGS__)
#define log_info(...) fwa_log(LOG_INFO, __VA_ARGS__)
