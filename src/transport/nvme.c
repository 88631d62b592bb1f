/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controllers through the kernel's passthrough ioctls.
 *
 * 1. Admin commands go to the controller's node. I/O commands go to the generic nodes of the
 *    controller's own namespaces, which are opened with it. A namespace that the kernel reaches by
 *    several controllers (multipath) has no node of its own controller, and so no path here: its
 *    commands could end at a controller that was not judged.
 * 2. The kernel takes the direction of the data from bit 0 of the opcode and moves it one way.
 * 3. The kernel resets a controller whose command is late: no command gets less time than the kernel
 *    gives by itself, whatever the caller asks for.
 * 4. An NVMe completion does not tell how much data was moved: a successful read has returned all
 *    that was asked for, into memory that was zero before.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "transport/node.h"
#include "wire/nvme.h"

/* The kernel's own time-outs in seconds, and what they are unless it was told otherwise. */
#define KERNEL_ADMIN "/sys/module/nvme_core/parameters/admin_timeout"
#define KERNEL_IO "/sys/module/nvme_core/parameters/io_timeout"
#define KERNEL_ADMIN_S 60u
#define KERNEL_IO_S 30u
#define KERNEL_S_MAX 3600u
/* How much of one may be missing: one 16th. */
#define KERNEL_SLACK 16

/* The kernel has a queue for them; a slow command leaves room for others. */
#define LANES 4

struct nvme_device {
	struct fwa_device base;
	int fd;
	unsigned int admin_ms, io_ms; /* the kernel's */
	size_t n_namespaces;
	struct {
		uint32_t nsid;
		int fd;
	} namespace[FWA_PROFILE_NAMESPACES_MAX];
};

static struct nvme_device *nvme_device(struct fwa_device *dev)
{
	return (struct nvme_device *)dev;
}

static int namespace_fd(const struct nvme_device *nvme, uint32_t nsid)
{
	for (size_t i = 0; i < nvme->n_namespaces; i++)
		if (nvme->namespace[i].nsid == nsid)
			return nvme->namespace[i].fd;
	return -1;
}

/* Errors by which the kernel says that nothing was queued; the rest leaves it open. */
/*= spec/SECURITY-MODEL.md#C27 */
static int failed(int err, bool late, struct fwa_reply *reply)
{
	switch (err) {
	case EACCES:
	case EPERM:
		reply->maybe_sent = false;
		return -EPERM;
	case ENOTTY:
		reply->maybe_sent = false;
		return -EOPNOTSUPP;
	case EINVAL:
	case ENODEV:
	case ENOMEM:
		reply->maybe_sent = false;
		return -err;
	case EINTR: /* given up by the kernel: too late, or somebody had the controller reset */
		return late ? -ETIMEDOUT : -ECANCELED;
	default:
		return -err;
	}
}

/* 0 is the kernel's own. A caller in a hurry would have the controller reset for everybody. */
/*= spec/SECURITY-MODEL.md#C26 */
static uint32_t kernel_timeout(unsigned int kernel_ms, unsigned int timeout_ms)
{
	return timeout_ms > kernel_ms ? timeout_ms : 0;
}

static unsigned int kernel_ms(const char *parameter, unsigned int otherwise)
{
	unsigned long s = fwa_sysfs_number(AT_FDCWD, parameter);

	return 1000 * (s && s <= KERNEL_S_MAX ? (unsigned int)s : otherwise);
}

/* Whether a command that was given up had its time. */
static bool was_late(uint64_t since, unsigned int kernel, unsigned int timeout_ms)
{
	uint64_t limit = (timeout_ms > kernel ? timeout_ms : kernel) * FWA_NS_PER_MS;

	return fwa_clock_ns(CLOCK_MONOTONIC) - since >= limit - limit / KERNEL_SLACK;
}

/* The data of @cmd, in the one direction that its opcode gives. */
static int attach_data(struct nvme_passthru_cmd64 *pass, const struct fwa_command *cmd,
		       struct fwa_reply *reply)
{
	switch (NVME_DIR(cmd->opcode)) {
	case NVME_DIR_NONE:
		return cmd->payload.len || cmd->out_len ? -EINVAL : 0;
	case NVME_DIR_TO_DEVICE:
		if (cmd->out_len)
			return -EINVAL;
		pass->addr = (uintptr_t)cmd->payload.data;
		pass->data_len = (uint32_t)cmd->payload.len;
		return 0;
	case NVME_DIR_FROM_DEVICE:
		if (cmd->payload.len || cmd->out_len > reply->out_cap)
			return -EINVAL;
		pass->addr = (uintptr_t)reply->out;
		pass->data_len = cmd->out_len;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int nvme_submit(struct fwa_device *dev, const struct fwa_command *cmd,
		       struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct nvme_device *nvme = nvme_device(dev);
	bool io = cmd->set == FWA_SET_NVME_IO;
	int fd = io ? namespace_fd(nvme, cmd->nsid) : nvme->fd;
	unsigned int kernel = io ? nvme->io_ms : nvme->admin_ms;
	struct nvme_passthru_cmd64 pass = {
		.opcode = (uint8_t)cmd->opcode,
		.nsid = cmd->nsid,
		.cdw10 = cmd->cdw[0],
		.cdw11 = cmd->cdw[1],
		.cdw12 = cmd->cdw[2],
		.cdw13 = cmd->cdw[3],
		.cdw14 = cmd->cdw[4],
		.cdw15 = cmd->cdw[5],
		.timeout_ms = kernel_timeout(kernel, timeout_ms),
	};
	uint64_t start;
	int r;

	if ((!io && cmd->set != FWA_SET_NVME_ADMIN) || cmd->opcode > UINT8_MAX ||
	    cmd->payload.len > UINT32_MAX)
		return -EINVAL;
	if (fd < 0)
		return -EOPNOTSUPP;
	r = attach_data(&pass, cmd, reply);
	if (r < 0)
		return r;

	reply->maybe_sent = true;
	start = fwa_clock_ns(CLOCK_MONOTONIC);
	r = ioctl(fd, io ? NVME_IOCTL_IO64_CMD : NVME_IOCTL_ADMIN64_CMD, &pass);
	if (r < 0) {
		int err = errno;

		return failed(err, was_late(start, kernel, timeout_ms), reply);
	}
	reply->code = (uint32_t)r;
	reply->result = (uint32_t)pass.result;
	if (r == 0)
		reply->out_len = cmd->out_len;
	return 0;
}

/*
 * A controller reset, which takes the kernel as long as it takes. A reset of the subsystem leaves a
 * controller that the kernel has given up: that is not offered.
 */
static int nvme_reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms)
{
	if (kind != FWA_RESET_CONVENTIONAL)
		return -EOPNOTSUPP;
	if (ioctl(nvme_device(dev)->fd, NVME_IOCTL_RESET) == 0)
		return 0;
	switch (errno) {
	case EACCES:
		return -EPERM;
	case ENOTTY:
		return -EOPNOTSUPP;
	default:
		return -errno;
	}
}

static void nvme_close(struct fwa_device *dev)
{
	struct nvme_device *nvme = nvme_device(dev);

	for (size_t i = 0; i < nvme->n_namespaces; i++)
		fwa_close(nvme->namespace[i].fd);
	fwa_close(nvme->fd);
	free(nvme);
}

static const struct fwa_device_ops nvme_ops = {
	.submit = nvme_submit,
	.reset = nvme_reset,
	.close = nvme_close,
};

/* Whether @fd is the device that folder @name of @sysfs is about, by its number. */
static bool is_device(int fd, int sysfs, const char *name)
{
	char path[300], want[FWA_TEXT_MAX] = "", have[FWA_TEXT_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/dev", name);
	fwa_sysfs_text(sysfs, path, want);
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return false;
	snprintf(have, sizeof(have), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return strcmp(have, want) == 0;
}

/* A namespace whose node cannot be opened is left out: commands for it have no path. */
static void add_namespace(struct nvme_device *nvme, int sysfs, const char *name)
{
	fwa_auto_close int fd = -1;
	char path[300];
	int nsid;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	/* What devtmpfs has under that name must be what sysfs lists: names are given anew. */
	if (!is_device(fd, sysfs, name))
		return;
	nsid = ioctl(fd, NVME_IOCTL_ID);
	if (nsid <= 0)
		return;
	nvme->namespace[nvme->n_namespaces].nsid = (uint32_t)nsid;
	nvme->namespace[nvme->n_namespaces].fd = fwa_steal_fd(&fd);
	nvme->n_namespaces++;
}

/* The controller's folder in sysfs holds one entry ngXnY for each namespace that is its own. */
static void open_namespaces(struct nvme_device *nvme, int sysfs)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	fd = openat(sysfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		fwa_close(fd);
		return;
	}
	while (nvme->n_namespaces < FWA_ARRAY_SIZE(nvme->namespace) && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "ng", 2) == 0)
			add_namespace(nvme, sysfs, entry->d_name);
	closedir(dir);
}

int fwa_nvme_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	struct nvme_device *nvme;
	struct fwa_node node;
	int r;

	r = fwa_node_open(args, rest, "nvme", "an NVMe controller", &node);
	if (r < 0)
		return r;
	nvme = calloc(1, sizeof(*nvme));
	if (!nvme) {
		fwa_node_close(&node);
		return fwa_fail(args->error, -ENOMEM, "%s: out of memory", rest);
	}
	nvme->base.ops = &nvme_ops;
	nvme->base.family = FWA_FAMILY_NVME;
	nvme->base.is_nvme = true;
	nvme->base.lanes = LANES;
	nvme->fd = node.fd;
	nvme->admin_ms = kernel_ms(KERNEL_ADMIN, KERNEL_ADMIN_S);
	nvme->io_ms = kernel_ms(KERNEL_IO, KERNEL_IO_S);
	open_namespaces(nvme, node.sysfs);
	fwa_sysfs_pci_id(node.sysfs, "device/vendor", nvme->base.id.vendor);
	fwa_sysfs_text(node.sysfs, "model", nvme->base.id.model);
	fwa_sysfs_text(node.sysfs, "serial", nvme->base.id.serial);
	fwa_sysfs_text(node.sysfs, "firmware_rev", nvme->base.id.firmware);
	fwa_close(node.sysfs);
	*ret_dev = &nvme->base;
	return 0;
}
