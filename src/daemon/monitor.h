/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that come and go, as udev tells it.
 */
#pragma once

#include "daemon/daemon.h"

/* Begins to listen, and adds the devices that are there. 0, or negative errno after a line in the log. */
int fwa_monitor_new(struct fwa_daemon *d, struct fwa_monitor **ret);
struct fwa_monitor *fwa_monitor_free(struct fwa_monitor *m);
