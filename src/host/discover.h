/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding devices: names, nodes, and the transport spec that serves them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fwa_found {
	char name[64];  /* "nvme0", "mem0": safe as a file name and for patterns */
	char node[256]; /* "/dev/nvme0" */
	char spec[320]; /* "nvme:/dev/nvme0" */
};

/* All CXL memdevs and NVMe controllers that sysfs shows, by name. 0 and a fresh array, or negative errno. */
int fwa_discover(struct fwa_found **ret, size_t *ret_n);
/*
 * What the device node @path (symbolic links followed) is. 0, or -ENOENT, -ENODEV when it is not a
 * device that fwadmit knows, -ENOTBLK.. other negative errno; @error (256 bytes) says why.
 */
int fwa_discover_path(const char *path, struct fwa_found *ret, char error[256]);
