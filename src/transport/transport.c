/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which transport serves a device, and which reader knows its declarations: the word before the
 * colon of its spec chooses the one, what the transport says of the device the other.
 */
#include "transport/transport.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "transport/read-profile.h"

static const struct {
	const char *prefix;
	int (*open)(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);
} transports[] = {
	{ "sim:", fwa_sim_open },
	{ "qtest:", fwa_qtest_open },
	{ "cxl:", fwa_cxl_open },
	{ "nvme:", fwa_nvme_open },
};

int fwa_device_open(struct fwa_open_args *args, struct fwa_device **ret_dev)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(transports); i++) {
		size_t len = strlen(transports[i].prefix);

		if (strncmp(args->spec, transports[i].prefix, len) == 0)
			return transports[i].open(args, args->spec + len, ret_dev);
	}
	return fwa_fail(args->error, -EINVAL,
			"\"%.80s\" does not begin with sim:, qtest:, cxl: or nvme:", args->spec);
}

struct fwa_device *fwa_device_close(struct fwa_device *dev)
{
	if (dev)
		dev->ops->close(dev);
	return NULL;
}

int fwa_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN])
{
	int r = dev->is_nvme ? fwa_nvme_profile_read(dev, w, error)
			     : fwa_cxl_profile_read(dev, w, error);

	if (r == 0 && w->full)
		return fwa_fail(error, -ENOBUFS, "the declarations do not fit into a profile");
	return r;
}
