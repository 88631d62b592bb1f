/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding devices: names, nodes, and the transport spec that serves them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct fwa_found {
	char name[64];  /* "nvme0", "mem0": safe as a file name and for patterns */
	char node[256]; /* "/dev/nvme0" */
	char spec[320]; /* "nvme:/dev/nvme0" */
};

/* All CXL memdevs and NVMe controllers that sysfs shows, by name. 0 and a fresh array, or negative errno. */
int fwa_discover(struct fwa_found **ret, size_t *ret_n);
/*
 * The device called @name in the kernel's @subsystem ("nvme", "cxl"). False when it is none that
 * fwadmit serves (namespaces, CXL ports and decoders ..) or the name is not one that Linux gives.
 */
bool fwa_discover_name(const char *subsystem, const char *name, struct fwa_found *ret);
/*
 * What the device node @path (symbolic links followed) is; a namespace stands for its controller.
 * 0, or -ENOENT, -ENOTBLK when it is not a device node, -ENODEV when it is not a device that
 * fwadmit knows, -EMLINK when a namespace has several controllers, other negative errno; @error
 * (256 bytes) says why.
 */
int fwa_discover_path(const char *path, struct fwa_found *ret, char error[FWA_ERROR_LEN]);

/* The same on a sysfs that is mounted, or imitated, at @sysfs. */
int fwa_discover_in(const char *sysfs, struct fwa_found **ret, size_t *ret_n);
int fwa_discover_path_in(const char *sysfs, const char *path, struct fwa_found *ret,
			 char error[FWA_ERROR_LEN]);
