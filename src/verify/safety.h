/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps a campaign from harm: whether anybody uses what a device stores (C34).
 *
 * Only for devices of the kernel; simulated ones, and processes of ours, are nobody's.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "verify/generate.h"

/* Where the kernel says what is used: a test builds its own. */
struct vfy_roots {
	const char *sysfs;     /* "/sys" */
	const char *dev;       /* "/dev": block devices by their names in sysfs */
	const char *mountinfo; /* "/proc/self/mountinfo" */
	const char *swaps;     /* "/proc/swaps" */
};
extern const struct vfy_roots vfy_this_host;

/* Block devices that are ours alone for as long as they are held: nobody can mount them meanwhile. */
struct vfy_hold {
	int *fd;
	size_t n;
};

/*
 * Takes all block devices of the NVMe controller @name ("nvme0"), or finds that nothing of the CXL
 * memory device @name ("mem0") is mapped: 0, with what vfy_hold_release() gives back; -EBUSY when it is
 * in use; other negative errno when that cannot be known. @error is one line that says what uses it, or
 * why it cannot be known.
 *
 * NVMe: all namespaces, of the whole subsystem where the kernel shows them as such, and their partitions:
 * mounted, swapped to, held by another block device (dm, md), or opened exclusively. CXL: a decoder of
 * the device's that has memory of it, or that is in a region.
 */
int vfy_hold_take(struct vfy_hold *h, const struct vfy_roots *roots, const char *name,
		  char error[FWA_ERROR_LEN]);
void vfy_hold_release(struct vfy_hold *h);

/* By kind; parts of vfy_hold_take(). */
int vfy_hold_nvme(struct vfy_hold *h, const struct vfy_roots *roots, const char *name,
		  char error[FWA_ERROR_LEN]);
int vfy_hold_cxl(const struct vfy_roots *roots, const char *name, char error[FWA_ERROR_LEN]);

/*
 * Whether a campaign with @probe may run on a device that says it is @id: 0, or -EPERM with @error. A
 * device that is not @disposable has to be named by its serial number for what is destructive: @serial
 * is what the caller says that it is, NULL when he does not.
 */
int vfy_may_probe(bool disposable, unsigned int probe, const struct fwa_identity *id,
		  const char *serial, char error[FWA_ERROR_LEN]);

/* --- small files ---------------------------------------------------------------------------------- */

#define VFY_ATTRIBUTE_MAX 256

/* The first line of @dir/@name; false when it cannot be read. */
bool vfy_attribute(const char *dir, const char *name, char ret[VFY_ATTRIBUTE_MAX]);
/* The last part of where the link @dir/@name leads; false when it is none. */
bool vfy_link_name(const char *dir, const char *name, char ret[VFY_ATTRIBUTE_MAX]);
