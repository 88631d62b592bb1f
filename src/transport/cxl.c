/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL memory devices through the kernel's mailbox ioctl, CXL_MEM_SEND_COMMAND.
 *
 * 1. The kernel numbers the commands that it passes on; an opcode without a number goes through RAW
 *    where the kernel was built with it, else nowhere. The first RAW command after boot makes the
 *    kernel print a warning (WARN_ONCE): that is meant, and panic_on_warn makes a panic of it.
 * 2. The kernel is asked for a whole mailbox of reply, so that it never refuses a command for the
 *    caller's smaller buffer; what the caller did not ask for is dropped here.
 * 3. How long a command may take is the kernel's choice: it waits for the mailbox by itself, and
 *    the ioctl cannot be interrupted. It does not wait for what a RAW command began in the
 *    background, and says ETIMEDOUT at once: what became of it is unknown then, but the device has
 *    answered.
 */
#include <errno.h>
#include <linux/cxl_mem.h>
#include <sys/ioctl.h>

#include "base/util.h"
#include "transport/node.h"
#include "wire/cxl.h"

/* Part of the kernel's ABI, but newer than the oldest header that we build with. */
#define ID_GET_TIMESTAMP 21
#define ID_GET_LOG_CAPS 22
#define ID_CLEAR_LOG 23
#define ID_GET_SUP_LOG_SUBLIST 24

/* How long the kernel waits for the mailbox, less a little: CXL_MAILBOX_TIMEOUT_MS. */
#define KERNEL_MS 1900u

/* More than any kernel has. */
#define IDS_MAX 64

static const struct {
	uint16_t opcode;
	uint8_t id;
} kernel_ids[] = {
	{ 0x0200, CXL_MEM_COMMAND_ID_GET_FW_INFO },
	{ 0x0300, ID_GET_TIMESTAMP },
	{ CXL_OP_GET_SUPPORTED_LOGS, CXL_MEM_COMMAND_ID_GET_SUPPORTED_LOGS },
	{ CXL_OP_GET_LOG, CXL_MEM_COMMAND_ID_GET_LOG },
	{ 0x0402, ID_GET_LOG_CAPS },
	{ 0x0403, ID_CLEAR_LOG },
	{ 0x0405, ID_GET_SUP_LOG_SUBLIST },
	{ CXL_OP_IDENTIFY_MEMORY_DEVICE, CXL_MEM_COMMAND_ID_IDENTIFY },
	{ 0x4100, CXL_MEM_COMMAND_ID_GET_PARTITION_INFO },
	{ 0x4101, CXL_MEM_COMMAND_ID_SET_PARTITION_INFO },
	{ 0x4102, CXL_MEM_COMMAND_ID_GET_LSA },
	{ 0x4103, CXL_MEM_COMMAND_ID_SET_LSA },
	{ 0x4200, CXL_MEM_COMMAND_ID_GET_HEALTH_INFO },
	{ 0x4201, CXL_MEM_COMMAND_ID_GET_ALERT_CONFIG },
	{ 0x4202, CXL_MEM_COMMAND_ID_SET_ALERT_CONFIG },
	{ 0x4203, CXL_MEM_COMMAND_ID_GET_SHUTDOWN_STATE },
	{ 0x4204, CXL_MEM_COMMAND_ID_SET_SHUTDOWN_STATE },
	{ 0x4303, CXL_MEM_COMMAND_ID_GET_SCAN_MEDIA_CAPS },
};

struct cxl_device {
	struct fwa_device base;
	int fd;
	uint8_t *out; /* one mailbox of reply */
	/* What this kernel has under each id, and how much input it wants; UINT32_MAX = any. */
	struct {
		bool present;
		uint32_t in_len;
	} command[IDS_MAX];
};

static struct cxl_device *cxl_device(struct fwa_device *dev)
{
	return (struct cxl_device *)dev;
}

/*= spec/SECURITY-MODEL.md#C4 */
/* The kernel's number for @opcode, CXL_MEM_COMMAND_ID_RAW, or INVALID when there is no way. */
static uint32_t command_id(const struct cxl_device *cxl, uint16_t opcode)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(kernel_ids); i++)
		if (kernel_ids[i].opcode == opcode && cxl->command[kernel_ids[i].id].present)
			return kernel_ids[i].id;
	if (cxl->command[CXL_MEM_COMMAND_ID_RAW].present)
		return CXL_MEM_COMMAND_ID_RAW;
	return CXL_MEM_COMMAND_ID_INVALID;
}

/* Errors by which the kernel says that the mailbox was not touched; the rest leaves it open. */
/*= spec/SECURITY-MODEL.md#C27 */
static int failed(int err, uint64_t ns, struct fwa_reply *reply)
{
	switch (err) {
	case ETIMEDOUT: /*= spec/SECURITY-MODEL.md#C22 */
		return ns < KERNEL_MS * FWA_NS_PER_MS ? -EINPROGRESS : -ETIMEDOUT;
	case ENOTTY: /* the kernel does not pass this on, or thinks that the device lacks it */
		reply->maybe_sent = false;
		return -EOPNOTSUPP;
	case ENXIO: /* the driver was unbound */
		reply->maybe_sent = false;
		return -ENODEV;
	case EPERM: /* RAW not allowed */
	case EBUSY: /* the kernel keeps the command for itself, or the mailbox is in use */
	case EINVAL:
	case ENOMEM:
		reply->maybe_sent = false;
		return -err;
	default:
		return -err;
	}
}

static int cxl_submit(struct fwa_device *dev, const struct fwa_command *cmd,
		      struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct cxl_device *cxl = cxl_device(dev);
	struct cxl_send_command send = {
		.id = command_id(cxl, cmd->opcode),
		.in = { .size = (uint32_t)cmd->payload.len,
			.payload = (uintptr_t)cmd->payload.data },
		.out = { .size = dev->payload_max, .payload = (uintptr_t)cxl->out },
	};
	uint64_t start;

	if (cmd->set != FWA_SET_CXL || cmd->payload.len > dev->payload_max)
		return -EINVAL;
	if (send.id == CXL_MEM_COMMAND_ID_INVALID)
		return -EOPNOTSUPP;
	if (send.id == CXL_MEM_COMMAND_ID_RAW)
		send.raw.opcode = cmd->opcode;
	else if (cxl->command[send.id].in_len != UINT32_MAX &&
		 cxl->command[send.id].in_len != send.in.size)
		return -EINVAL; /* the kernel would say ENOMEM */

	reply->maybe_sent = true;
	start = fwa_clock_ns(CLOCK_MONOTONIC);
	if (ioctl(cxl->fd, CXL_MEM_SEND_COMMAND, &send) < 0) {
		int err = errno;

		return failed(err, fwa_clock_ns(CLOCK_MONOTONIC) - start, reply);
	}
	reply->code = send.retval;
	if (send.retval != CXL_RC_SUCCESS)
		return 0; /* the kernel fetches no payload then, but leaves the size as it was */
	if (send.out.size > dev->payload_max)
		return -EPROTO;
	/*= spec/SECURITY-MODEL.md#C25 */
	reply->out_len = send.out.size < reply->out_cap ? send.out.size : reply->out_cap;
	if (reply->out_len)
		memcpy(reply->out, cxl->out, reply->out_len);
	return 0;
}

static void cxl_close(struct fwa_device *dev)
{
	struct cxl_device *cxl = cxl_device(dev);

	fwa_close(cxl->fd);
	free(cxl->out);
	free(cxl);
}

static const struct fwa_device_ops cxl_ops = {
	.submit = cxl_submit,
	.close = cxl_close,
};

/* Which commands this kernel knows. Which of them the device has, it says when they are sent. */
static int query_commands(struct cxl_device *cxl)
{
	fwa_auto_free struct cxl_mem_query_commands *query = NULL;

	query = calloc(1, sizeof(*query) + IDS_MAX * sizeof(query->commands[0]));
	if (!query)
		return -ENOMEM;
	query->n_commands = IDS_MAX;
	if (ioctl(cxl->fd, CXL_MEM_QUERY_COMMANDS, query) < 0)
		return -errno;
	for (uint32_t i = 0; i < query->n_commands && i < IDS_MAX; i++) {
		const struct cxl_command_info *info = &query->commands[i];

		if (info->id >= IDS_MAX)
			continue;
		cxl->command[info->id].present = true;
		cxl->command[info->id].in_len = info->size_in;
	}
	return 0;
}

static int setup(struct cxl_device *cxl, int sysfs, struct fwa_open_args *args, const char *path)
{
	unsigned long payload_max = fwa_sysfs_number(sysfs, "payload_max");
	int r;

	if (payload_max < CXL_PAYLOAD_MIN || payload_max > CXL_PAYLOAD_MAX)
		return fwa_fail(args->error, -EPROTO, "%s: a mailbox of %lu bytes makes no sense",
				path, payload_max);
	cxl->base.payload_max = (uint32_t)payload_max;
	cxl->out = malloc(payload_max);
	r = cxl->out ? query_commands(cxl) : -ENOMEM;
	if (r < 0)
		return fwa_fail(args->error, r, "%s: %s", path, strerror(-r));
	fwa_sysfs_pci_id(sysfs, "../vendor", cxl->base.id.vendor);
	fwa_sysfs_pci_id(sysfs, "../device", cxl->base.id.model);
	fwa_sysfs_text(sysfs, "serial", cxl->base.id.serial);
	fwa_sysfs_text(sysfs, "firmware_version", cxl->base.id.firmware);
	return 0;
}

int fwa_cxl_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	struct cxl_device *cxl;
	struct fwa_node node;
	int r;

	r = fwa_node_open(args, rest, "cxl", "a CXL memory device", &node);
	if (r < 0)
		return r;
	cxl = calloc(1, sizeof(*cxl));
	if (!cxl) {
		fwa_node_close(&node);
		return fwa_fail(args->error, -ENOMEM, "%s: out of memory", rest);
	}
	cxl->base.ops = &cxl_ops;
	cxl->base.family = FWA_FAMILY_CXL;
	cxl->base.lanes = 1; /* one mailbox, and one reply buffer */
	cxl->fd = node.fd;
	r = setup(cxl, node.sysfs, args, rest);
	fwa_close(node.sysfs);
	if (r < 0) {
		cxl_close(&cxl->base);
		return r;
	}
	*ret_dev = &cxl->base;
	return 0;
}
