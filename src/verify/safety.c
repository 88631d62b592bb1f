/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may be probed, and how far.
 */
#include "verify/safety.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

const struct vfy_roots vfy_this_host = {
	.sysfs = "/sys",
	.dev = "/dev",
	.mountinfo = "/proc/self/mountinfo",
	.swaps = "/proc/swaps",
};

bool vfy_attribute(const char *dir, const char *name, char ret[VFY_ATTRIBUTE_MAX])
{
	char path[PATH_MAX];
	bool has;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	has = fgets(ret, VFY_ATTRIBUTE_MAX, f);
	fclose(f);
	if (!has)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	fwa_make_printable(ret);
	return true;
}

bool vfy_link_name(const char *dir, const char *name, char ret[VFY_ATTRIBUTE_MAX])
{
	fwa_auto_free char *real = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	real = realpath(path, NULL);
	if (!real)
		return false;
	snprintf(ret, VFY_ATTRIBUTE_MAX, "%s", strrchr(real, '/') + 1);
	return true;
}

int vfy_hold_take(struct vfy_hold *h, const struct vfy_roots *roots, const char *name,
		  char error[FWA_ERROR_LEN])
{
	int r;

	*h = (struct vfy_hold){ 0 };
	if (strncmp(name, "nvme", 4))
		return vfy_hold_cxl(roots, name, error);
	r = vfy_hold_nvme(h, roots, name, error);
	if (r < 0)
		vfy_hold_release(h);
	return r;
}

void vfy_hold_release(struct vfy_hold *h)
{
	for (size_t i = 0; i < h->n; i++)
		fwa_close(h->fd[i]);
	free(h->fd);
	*h = (struct vfy_hold){ 0 };
}

/*= spec/SECURITY-MODEL.md#C34 */
int vfy_may_probe(bool disposable, unsigned int probe, const struct fwa_identity *id,
		  const char *serial, char error[FWA_ERROR_LEN])
{
	if (disposable || probe < VFY_PROBE_DESTRUCTIVE)
		return 0;
	if (!id->serial[0])
		return fwa_fail(error, -EPERM,
				"the device has no serial number by which it could be named: "
				"nothing destructive is sent to it");
	if (!serial)
		return fwa_fail(error, -EPERM,
				"this destroys what the device stores: name it, with --serial=%s",
				id->serial);
	if (strcmp(serial, id->serial))
		return fwa_fail(error, -EPERM, "the device's serial number is %s, not %.64s",
				id->serial, serial);
	return 0;
}
