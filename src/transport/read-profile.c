/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "transport/read-profile.h"

int fwa_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[256])
{
	if (dev->is_nvme)
		return fwa_nvme_profile_read(dev, w, error);
	return fwa_cxl_profile_read(dev, w, error);
}
