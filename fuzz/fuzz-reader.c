/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that answers each command of the profile readers with the fuzzer's bytes: reading ends,
 * within bounds, in a profile or an error.
 */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "transport/transport.h"

struct liar {
	struct fwa_device device;
	struct fwa_reader in;
	unsigned int commands;
};

static struct fwa_profile profile;
static uint8_t encoded[FWA_PROFILE_MAX];

static int submit(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *reply,
		  unsigned int timeout_ms)
{
	struct liar *liar = (struct liar *)dev;
	uint8_t flags = fwa_read_u8(&liar->in);
	uint32_t len = fwa_read_le16(&liar->in);
	struct fwa_span data;

	if (liar->in.bad)
		return -ENODEV;
	if (++liar->commands > 100000)
		abort(); /* a reader that a device can keep busy for ever */
	reply->code = flags & 7 ? 0 : flags;
	if (len > reply->out_cap)
		len = reply->out_cap;
	if (len > liar->in.left)
		len = (uint32_t)liar->in.left;
	data = fwa_read_span(&liar->in, len);
	if (len)
		memcpy(reply->out, data.data, len);
	/* NVMe data always has the length that was asked for. */
	reply->out_len = dev->is_nvme ? reply->out_cap : len;
	return flags == 0xff ? -EPROTO : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fwa_device_ops ops = { .submit = submit };
	struct liar liar = { .in = fwa_reader(fwa_span(data, size)) };
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	uint8_t kind = fwa_read_u8(&liar.in);
	char error[256];

	liar.device.ops = &ops;
	liar.device.is_nvme = kind & 1;
	liar.device.family = kind & 1 ? FWA_FAMILY_NVME : FWA_FAMILY_CXL;
	liar.device.payload_max = 256u << (kind >> 1) % 4;
	if (fwa_profile_read(&liar.device, &w, error) < 0)
		return 0;
	if (!w.full && (fwa_profile_parse(&profile, fwa_span(encoded, w.len)) < 0 ||
			!fwa_profile_check(&profile)))
		abort();
	return 0;
}
