/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and resetting QEMU's NVMe controller, its registers, and the memory around the data of a
 * command.
 *
 * A controller is given whole pages (PRP entries say where they are, and not how much of them): what is in
 * them behind the data is its own, and an overrun begins behind the last of them, or before the first.
 */
#include "transport/qtest-nvme.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"

#define ENDPOINT FWA_PCI_CONFIG(0, 4)
#define REGS FWA_QTEST_NVME_REGS
#define DISK_SIZE (64u * 1024 * 1024)

/* Controller registers (Figure 33). */
#define REG_CAP 0x00
#define REG_CC 0x14
#define REG_CSTS 0x1c
#define REG_AQA 0x24
#define REG_ASQ 0x28
#define REG_ACQ 0x30
#define CC_ENABLE (1u | 6u << 16 | 4u << 20) /* entries of 64 and 16 bytes, pages of 4 KiB */
#define CSTS_READY 1u
#define CSTS_FATAL 2u

#define ENTRIES FWA_QTEST_NVME_ENTRIES
#define QUEUE_CONTIGUOUS 1u

#define PAGE FWA_QTEST_NVME_PAGE
#define PAGES (FWA_COMMAND_DATA_MAX / PAGE)
#define MEM_DATA FWA_QTEST_NVME_DATA

#define OP_CREATE_SQ 0x01
#define OP_CREATE_CQ 0x05

/* What memory around the data is filled with: a byte that zeroing it is seen by, too. */
#define GUARD 0xa5
#define PEEK_MS 10000

static const char *const *nvme_args(const struct fwa_qemu_version *v)
{
	static const char *const args[] = {
		/* clang-format off */
		"-drive", "file=" FWA_QEMU_DISK ",if=none,id=disk,format=raw",
		"-device", "nvme,bus=pcie.0,addr=4,serial=fwadmit-qtest,drive=disk,mdts=9",
		NULL,
		/* clang-format on */
	};

	return args;
}

static void wait_ready(struct fwa_qtest *q, uint32_t ready)
{
	unsigned int round = 0;
	uint32_t status;

	do {
		status = fwa_qtest_readl(q, REGS + REG_CSTS);
		if (status & CSTS_FATAL)
			fwa_qtest_fail(q, -EIO);
	} while ((status & CSTS_READY) != ready && fwa_qtest_wait(q, round++));
}

/* All pages of the data buffer but the first: every longer transfer uses the beginning of it. */
static void write_prp_list(struct fwa_qtest *q)
{
	uint8_t list[8 * (PAGES - 1)];

	for (uint64_t i = 0; i < PAGES - 1; i++)
		fwa_put_le64(list + 8 * i, MEM_DATA + PAGE * (i + 1));
	fwa_qtest_write(q, FWA_QTEST_NVME_PRP_LIST, fwa_span(list, sizeof(list)));
}

/* Reset, the admin queue, enable (3.5.1). */
static void start_controller(struct fwa_qtest_nvme *n)
{
	struct fwa_qtest *q = &n->base.wire;

	n->stride = 4u << (fwa_qtest_readq(q, REGS + REG_CAP) >> 32 & 0xf);
	fwa_qtest_writel(q, REGS + REG_CC, 0);
	wait_ready(q, 0);
	fwa_qtest_zero(q, FWA_QTEST_NVME_QUEUE_MEMORY, FWA_QTEST_NVME_QUEUES * 2 * PAGE);
	write_prp_list(q);
	fwa_qtest_writel(q, REGS + REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	fwa_qtest_writeq(q, REGS + REG_ASQ, fwa_qtest_nvme_sq(FWA_QTEST_NVME_ADMIN));
	fwa_qtest_writeq(q, REGS + REG_ACQ, fwa_qtest_nvme_cq(FWA_QTEST_NVME_ADMIN));
	fwa_qtest_writel(q, REGS + REG_CC, CC_ENABLE);
	wait_ready(q, CSTS_READY);
}

static void create_queue(struct fwa_qtest_nvme *n, uint8_t opcode, uint64_t memory, uint32_t cdw11)
{
	uint8_t sqe[FWA_QTEST_NVME_SQE_LEN] = { opcode };
	struct fwa_qtest_nvme_completion c;

	fwa_put_le64(sqe + 24, memory);
	fwa_put_le32(sqe + 40, (ENTRIES - 1) << 16 | FWA_QTEST_NVME_IO);
	fwa_put_le32(sqe + 44, cdw11);
	fwa_qtest_nvme_put(n, FWA_QTEST_NVME_ADMIN, sqe);
	if (fwa_qtest_nvme_take(n, &c) == 0 && c.status)
		fwa_qtest_fail(&n->base.wire, -EIO);
}

/* From power-on or a reset to queues that can be used. */
static void start_queues(struct fwa_qtest_nvme *n)
{
	n->in_flight = -1;
	for (int i = 0; i < FWA_QTEST_NVME_QUEUES; i++)
		n->queues[i] = (struct fwa_qtest_nvme_queue){ .phase = true };
	n->beyond.prepared = false;
	start_controller(n);
	create_queue(n, OP_CREATE_CQ, fwa_qtest_nvme_cq(FWA_QTEST_NVME_IO), QUEUE_CONTIGUOUS);
	create_queue(n, OP_CREATE_SQ, fwa_qtest_nvme_sq(FWA_QTEST_NVME_IO),
		     FWA_QTEST_NVME_IO << 16 | QUEUE_CONTIGUOUS);
}

static void set_up_bus(struct fwa_qtest *q)
{
	fwa_pci_start(q);
	fwa_pci_place(q, ENDPOINT, 0, REGS);
	fwa_pci_enable(q, ENDPOINT);
}

/* Cold: the whole machine; what is on the disk stays. Conventional: by the controller's register. */
static int nvme_reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms)
{
	struct fwa_qtest_nvme *n = (struct fwa_qtest_nvme *)dev;
	struct fwa_qtest *q = &n->base.wire;
	int r;

	if (kind != FWA_RESET_COLD && kind != FWA_RESET_CONVENTIONAL)
		return -EOPNOTSUPP;
	r = fwa_qtest_begin(q, timeout_ms);
	if (r < 0)
		return r;
	if (kind == FWA_RESET_COLD) {
		fwa_pci_reset_machine(q);
		set_up_bus(q);
	}
	start_queues(n);
	return fwa_qtest_sync(q);
}

static int peek_registers(struct fwa_qtest *q, uint64_t at, uint8_t *buf, size_t len)
{
	uint8_t raw[8];
	int r;

	if (at > sizeof(raw) || len > sizeof(raw) - at)
		return -ERANGE;
	r = fwa_qtest_begin(q, PEEK_MS);
	if (r < 0)
		return r;
	fwa_put_le32(raw, fwa_qtest_readl(q, REGS + REG_CC));
	fwa_put_le32(raw + 4, fwa_qtest_readl(q, REGS + REG_CSTS));
	memcpy(buf, raw + at, len);
	return q->error;
}

void fwa_qtest_nvme_prepare(struct fwa_qtest_nvme *n, size_t len)
{
	n->beyond.prepared = n->beyond.asked;
	n->beyond.at = (uint32_t)((len + PAGE - 1) / PAGE * PAGE);
	if (!n->beyond.asked)
		return;
	fwa_qtest_fill(&n->base.wire, MEM_DATA + n->beyond.at, FWA_BEYOND_LEN, GUARD);
	fwa_qtest_fill(&n->base.wire, MEM_DATA - FWA_BEYOND_LEN, FWA_BEYOND_LEN, GUARD);
}

static int peek_beyond(struct fwa_qtest_nvme *n, uint64_t at, uint8_t *buf, size_t len)
{
	uint8_t raw[2 * FWA_BEYOND_LEN];
	struct fwa_qtest *q = &n->base.wire;
	int r;

	if (at > sizeof(raw) || len > sizeof(raw) - at)
		return -ERANGE;
	n->beyond.asked = true;
	memset(buf, 0, len);
	if (!n->beyond.prepared)
		return 0;
	r = fwa_qtest_begin(q, PEEK_MS);
	if (r < 0)
		return r;
	fwa_qtest_read(q, MEM_DATA + n->beyond.at, raw, FWA_BEYOND_LEN);
	fwa_qtest_read(q, MEM_DATA - FWA_BEYOND_LEN, raw + FWA_BEYOND_LEN, FWA_BEYOND_LEN);
	if (q->error)
		return q->error;
	for (size_t i = 0; i < len; i++)
		buf[i] = raw[at + i] ^ GUARD;
	return 0;
}

static int nvme_peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf,
		     size_t len)
{
	struct fwa_qtest_nvme *n = (struct fwa_qtest_nvme *)dev;

	switch (region) {
	case FWA_REGION_REGISTERS:
		return peek_registers(&n->base.wire, at, buf, len);
	case FWA_REGION_BEYOND:
		return peek_beyond(n, at, buf, len);
	default:
		return -EOPNOTSUPP;
	}
}

static const struct fwa_device_ops nvme_ops = {
	.submit = fwa_qtest_nvme_submit,
	.peek = nvme_peek,
	.reset = nvme_reset,
	.close = fwa_qtest_close,
};

static int nvme_start(struct fwa_qtest_device *base, const struct fwa_qemu_version *v)
{
	struct fwa_qtest_nvme *n = (struct fwa_qtest_nvme *)base;
	struct fwa_device *dev = &base->dev;

	dev->ops = &nvme_ops;
	dev->family = FWA_FAMILY_NVME;
	dev->is_nvme = true;
	set_up_bus(&base->wire);
	snprintf(dev->id.vendor, sizeof(dev->id.vendor), "%04x",
		 fwa_pci_id(&base->wire, ENDPOINT) & 0xffff);
	snprintf(dev->id.model, sizeof(dev->id.model), "QEMU %s nvme", v->text);
	start_queues(n);
	return fwa_qtest_sync(&base->wire);
}

const struct fwa_qtest_type fwa_qtest_nvme = {
	.name = "nvme",
	.size = sizeof(struct fwa_qtest_nvme),
	.disk_size = DISK_SIZE,
	.args = nvme_args,
	.start = nvme_start,
};
