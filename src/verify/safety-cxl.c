/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a CXL device's memory.
 *
 * An endpoint decoder that has some of the device's memory makes it part of the host's: of a region, which
 * a program maps, a file system is on, or the kernel uses as its own; or of one that the firmware made and
 * the kernel knows nothing of. All of that is in use, whoever uses it just now.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/safety.h"

/* What of @bus ("dax", "nd") is below the region @name, with its driver: "dax0.0 (kmem)". */
static bool user_of(const struct vfy_roots *roots, const char *bus, const char *name,
		    char ret[2 * VFY_ATTRIBUTE_MAX])
{
	char list[PATH_MAX], part[VFY_ATTRIBUTE_MAX + 2], driver[VFY_ATTRIBUTE_MAX], path[PATH_MAX];
	bool found = false;
	struct dirent *e;
	DIR *d;

	snprintf(list, sizeof(list), "%s/bus/%s/devices", roots->sysfs, bus);
	snprintf(part, sizeof(part), "/%s/", name);
	d = opendir(list);
	while (d && !found && (e = readdir(d))) {
		fwa_auto_free char *dir = NULL;

		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", list, e->d_name) >= (int)sizeof(path))
			continue;
		dir = realpath(path, NULL);
		found = dir && strstr(dir, part) && vfy_link_name(dir, "driver", driver);
		if (found)
			snprintf(ret, 2 * VFY_ATTRIBUTE_MAX, "%.200s (%.200s)", e->d_name, driver);
	}
	if (d)
		closedir(d);
	return found;
}

static int in_region(const struct vfy_roots *roots, const char *name, const char *region,
		     char error[FWA_ERROR_LEN])
{
	char user[2 * VFY_ATTRIBUTE_MAX];

	if (user_of(roots, "dax", region, user) || user_of(roots, "nd", region, user))
		return fwa_fail(error, -EBUSY, "memory of %.64s is in %.64s, which %.96s uses",
				name, region, user);
	return fwa_fail(error, -EBUSY, "memory of %.64s is in %.64s", name, region);
}

/* Whether the decoder with folder @dir in sysfs is of memory device @name. */
static bool is_of(const char *dir, const char *name)
{
	char text[VFY_ATTRIBUTE_MAX], up[PATH_MAX];

	if (!vfy_link_name(dir, "..", text) || strncmp(text, "endpoint", 8))
		return false;
	snprintf(up, sizeof(up), "%s/..", dir);
	return vfy_link_name(up, "uport", text) && strcmp(text, name) == 0;
}

static int check_decoder(const struct vfy_roots *roots, const char *name, const char *dir,
			 char error[FWA_ERROR_LEN])
{
	char text[VFY_ATTRIBUTE_MAX];

	if (vfy_attribute(dir, "region", text) && text[0])
		return in_region(roots, name, text, error);
	if (vfy_attribute(dir, "dpa_size", text) && strtoull(text, NULL, 0))
		return fwa_fail(error, -EBUSY, "%.64s maps %.64s bytes of %.64s",
				strrchr(dir, '/') + 1, text, name);
	return 0;
}

int vfy_hold_cxl(const struct vfy_roots *roots, const char *name, char error[FWA_ERROR_LEN])
{
	char list[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	int r = 0;
	DIR *d;

	snprintf(list, sizeof(list), "%s/bus/cxl/devices", roots->sysfs);
	d = opendir(list);
	if (!d)
		return fwa_fail(error, -errno,
				"whether %.64s is in use cannot be known: %.128s: %s", name, list,
				strerror(errno));
	while (r == 0 && (e = readdir(d))) {
		fwa_auto_free char *dir = NULL;

		if (strncmp(e->d_name, "decoder", 7) ||
		    snprintf(path, sizeof(path), "%s/%s", list, e->d_name) >= (int)sizeof(path))
			continue;
		dir = realpath(path, NULL);
		if (dir && is_of(dir, name))
			r = check_decoder(roots, name, dir, error);
	}
	closedir(d);
	return r;
}
