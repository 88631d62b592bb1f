/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device nodes of the kernel and what sysfs says about them: for the transports that reach a device
 * by its driver.
 */
#pragma once

#include "transport/transport.h"

struct fwa_node {
	int fd;    /* the node, open for reading and writing */
	int sysfs; /* the device's folder in sysfs */
};

/*
 * Opens @path, or duplicates args->fd when that is given, and makes sure that it is a character
 * device of the kernel's @subsystem ("cxl", "nvme"); @what names such a device for people. 0 and
 * both descriptors; negative errno with args->error filled: -ENODEV when it is something else.
 */
int fwa_node_open(struct fwa_open_args *args, const char *path, const char *subsystem,
		  const char *what, struct fwa_node *ret);
void fwa_node_close(struct fwa_node *node);

/* The attribute @name of the device's folder, cleaned; @text stays as it is when there is none. */
void fwa_sysfs_text(int sysfs, const char *name, char text[FWA_TEXT_MAX]);
/* The same for a number, written as four hex digits: a PCI vendor or device. */
void fwa_sysfs_pci_id(int sysfs, const char *name, char text[FWA_TEXT_MAX]);
/* The number in attribute @name, 0 when there is none. */
unsigned long fwa_sysfs_number(int sysfs, const char *name);
