/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's NVMe controller with one namespace: an admin queue and one I/O queue pair in guest memory
 * (NVM Express Base 2.0, sections 3.3, 3.5 and 4.1), polled.
 *
 * 1. One command at a time, through one data buffer of 2 MiB, FWA_COMMAND_DATA_MAX. While a command
 *    that was given up on may still use that buffer, the next one is refused (-EBUSY) and not sent.
 * 2. The buffer's first bytes, as many as the command returns, are zeroed before each command: a
 *    controller that fills less than it was asked for returns zeroes and nobody's data (C25).
 * 3. A completion counts when its phase is new and its command is ours; any other is nonsense.
 */
#include "transport/qtest.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "transport/qtest-pci.h"
#include "wire/nvme.h"

#define ENDPOINT FWA_PCI_CONFIG(0, 4)
#define REGS FWA_PCI_WINDOW
#define DISK_SIZE (64u * 1024 * 1024)

/* Controller registers (Figure 33). */
#define REG_CAP 0x00
#define REG_CC 0x14
#define REG_CSTS 0x1c
#define REG_AQA 0x24
#define REG_ASQ 0x28
#define REG_ACQ 0x30
#define REG_DOORBELLS 0x1000
#define CC_ENABLE (1u | 6u << 16 | 4u << 20) /* entries of 64 and 16 bytes, pages of 4 KiB */
#define CSTS_READY 1u
#define CSTS_FATAL 2u

#define ENTRIES 16u
#define SQE_LEN 64u
#define CQE_LEN 16u
#define QUEUE_CONTIGUOUS 1u

#define PAGE 4096u
#define PAGES (FWA_COMMAND_DATA_MAX / PAGE)

/* Guest memory, far from where anything else is: queues, the PRP list, the data. */
#define MEM_QUEUES 0x1000000u
#define MEM_PRP_LIST 0x1010000u
#define MEM_DATA 0x1200000u

#define OP_CREATE_SQ 0x01
#define OP_CREATE_CQ 0x05

enum {
	QUEUE_ADMIN,
	QUEUE_IO,
	QUEUES,
};

struct queue {
	uint32_t tail; /* next submission entry */
	uint32_t head; /* next completion entry */
	bool phase;    /* of a new completion */
};

struct nvme {
	struct fwa_qtest_device base;
	uint32_t stride; /* bytes between doorbells */
	struct queue queues[QUEUES];
	int in_flight; /* queue of a command without completion, -1: none */
	uint16_t cid;  /* of the newest command */
};

struct completion {
	uint32_t result;
	uint16_t queue;
	uint16_t cid;
	bool phase;
	uint16_t status;
};

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

static uint64_t sq_base(int queue)
{
	return MEM_QUEUES + (uint64_t)queue * 2 * PAGE;
}

static uint64_t cq_base(int queue)
{
	return sq_base(queue) + PAGE;
}

static void ring(struct nvme *n, int queue, bool completion, uint32_t value)
{
	uint64_t doorbell = (uint64_t)(2 * queue + completion) * n->stride;

	fwa_qtest_writel(&n->base.wire, REGS + REG_DOORBELLS + doorbell, value);
}

static void put_command(struct nvme *n, int queue, uint8_t sqe[SQE_LEN])
{
	struct queue *q = &n->queues[queue];

	fwa_put_le16(sqe + 2, ++n->cid);
	fwa_qtest_write(&n->base.wire, sq_base(queue) + q->tail * SQE_LEN, fwa_span(sqe, SQE_LEN));
	q->tail = (q->tail + 1) % ENTRIES;
	n->in_flight = queue;
	ring(n, queue, false, q->tail);
}

static struct completion read_completion(struct nvme *n, int queue)
{
	uint8_t raw[CQE_LEN];

	fwa_qtest_read(&n->base.wire, cq_base(queue) + n->queues[queue].head * CQE_LEN, raw,
		       sizeof(raw));
	return (struct completion){
		.result = fwa_le32(raw),
		.queue = fwa_le16(raw + 10),
		.cid = fwa_le16(raw + 12),
		.phase = fwa_le16(raw + 14) & 1,
		.status = (uint16_t)(fwa_le16(raw + 14) >> 1),
	};
}

/* Waits for the completion of the command in flight. 0 or the exchange's error. */
static int take_completion(struct nvme *n, struct completion *ret)
{
	struct fwa_qtest *wire = &n->base.wire;
	int queue = n->in_flight;
	struct queue *q = &n->queues[queue];
	unsigned int round = 0;

	do {
		*ret = read_completion(n, queue);
	} while (ret->phase != q->phase && fwa_qtest_wait(wire, round++));
	if (wire->error)
		return wire->error;
	if (ret->cid != n->cid || ret->queue != queue)
		return fwa_qtest_fail(wire, -EPROTO);
	n->in_flight = -1;
	q->head = (q->head + 1) % ENTRIES;
	if (q->head == 0)
		q->phase = !q->phase;
	ring(n, queue, true, q->head);
	return 0;
}

static int wait_idle(struct nvme *n)
{
	struct completion c;
	int r = n->in_flight < 0 ? 0 : take_completion(n, &c);

	return r == -ETIMEDOUT ? -EBUSY : r;
}

static void build_command(uint8_t sqe[SQE_LEN], const struct fwa_command *cmd, size_t data_len)
{
	memset(sqe, 0, SQE_LEN);
	sqe[0] = (uint8_t)cmd->opcode;
	fwa_put_le32(sqe + 4, cmd->nsid);
	if (data_len)
		fwa_put_le64(sqe + 24, MEM_DATA);
	if (data_len > 2 * PAGE)
		fwa_put_le64(sqe + 32, MEM_PRP_LIST);
	else if (data_len > PAGE)
		fwa_put_le64(sqe + 32, MEM_DATA + PAGE);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(cmd->cdw); i++)
		fwa_put_le32(sqe + 40 + 4 * i, cmd->cdw[i]);
}

/* What cannot be put into a submission entry: 0 or negative errno. */
static int check_command(const struct fwa_command *cmd, const struct fwa_reply *reply)
{
	if (cmd->set != FWA_SET_NVME_ADMIN && cmd->set != FWA_SET_NVME_IO)
		return -EOPNOTSUPP;
	if (cmd->opcode > 0xff || (cmd->payload.len && cmd->out_len))
		return -EINVAL;
	if (cmd->payload.len > FWA_COMMAND_DATA_MAX || cmd->out_len > FWA_COMMAND_DATA_MAX ||
	    cmd->out_len > reply->out_cap)
		return -EMSGSIZE;
	return 0;
}

static int send_command(struct nvme *n, int queue, const struct fwa_command *cmd,
			struct fwa_reply *reply, struct completion *ret)
{
	struct fwa_qtest *wire = &n->base.wire;
	uint8_t sqe[SQE_LEN];

	/*= spec/SECURITY-MODEL.md#C25 */
	if (cmd->out_len)
		fwa_qtest_zero(wire, MEM_DATA, cmd->out_len);
	fwa_qtest_write(wire, MEM_DATA, cmd->payload);
	if (wire->error)
		return wire->error;
	build_command(sqe, cmd, cmd->payload.len + cmd->out_len);
	reply->maybe_sent = true;
	put_command(n, queue, sqe);
	return take_completion(n, ret);
}

static int nvme_submit(struct fwa_device *dev, const struct fwa_command *cmd,
		       struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct nvme *n = (struct nvme *)dev;
	struct fwa_qtest *wire = &n->base.wire;
	int queue = cmd->set == FWA_SET_NVME_IO ? QUEUE_IO : QUEUE_ADMIN;
	struct completion c;
	uint32_t len;
	int r = check_command(cmd, reply);

	if (r == 0)
		r = fwa_qtest_begin(wire, timeout_ms);
	if (r == 0)
		r = wait_idle(n);
	if (r == 0)
		r = send_command(n, queue, cmd, reply, &c);
	if (r < 0)
		return r;
	len = c.status == 0 ? cmd->out_len : 0;
	fwa_qtest_read(wire, MEM_DATA, reply->out, len);
	r = fwa_qtest_sync(wire);
	if (r < 0)
		return r;
	reply->code = c.status;
	reply->result = c.result;
	reply->out_len = len;
	return 0;
}

static const struct fwa_device_ops nvme_ops = {
	.submit = nvme_submit,
	.close = fwa_qtest_close,
};

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
	fwa_qtest_write(q, MEM_PRP_LIST, fwa_span(list, sizeof(list)));
}

/* Reset, the admin queue, enable (3.5.1). */
static void start_controller(struct nvme *n)
{
	struct fwa_qtest *q = &n->base.wire;

	n->stride = 4u << (fwa_qtest_readq(q, REGS + REG_CAP) >> 32 & 0xf);
	fwa_qtest_writel(q, REGS + REG_CC, 0);
	wait_ready(q, 0);
	fwa_qtest_zero(q, MEM_QUEUES, QUEUES * 2 * PAGE);
	write_prp_list(q);
	fwa_qtest_writel(q, REGS + REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	fwa_qtest_writeq(q, REGS + REG_ASQ, sq_base(QUEUE_ADMIN));
	fwa_qtest_writeq(q, REGS + REG_ACQ, cq_base(QUEUE_ADMIN));
	fwa_qtest_writel(q, REGS + REG_CC, CC_ENABLE);
	wait_ready(q, CSTS_READY);
}

static void create_queue(struct nvme *n, uint8_t opcode, uint64_t memory, uint32_t cdw11)
{
	uint8_t sqe[SQE_LEN] = { opcode };
	struct completion c;

	fwa_put_le64(sqe + 24, memory);
	fwa_put_le32(sqe + 40, (ENTRIES - 1) << 16 | QUEUE_IO);
	fwa_put_le32(sqe + 44, cdw11);
	put_command(n, QUEUE_ADMIN, sqe);
	if (take_completion(n, &c) == 0 && c.status)
		fwa_qtest_fail(&n->base.wire, -EIO);
}

static int nvme_start(struct fwa_qtest_device *base, const struct fwa_qemu_version *v)
{
	struct nvme *n = (struct nvme *)base;
	struct fwa_device *dev = &base->dev;

	dev->ops = &nvme_ops;
	dev->family = FWA_FAMILY_NVME;
	dev->is_nvme = true;
	n->in_flight = -1;
	for (int i = 0; i < QUEUES; i++)
		n->queues[i].phase = true;
	fwa_pci_start(&base->wire);
	fwa_pci_place(&base->wire, ENDPOINT, 0, REGS);
	fwa_pci_enable(&base->wire, ENDPOINT);
	snprintf(dev->id.vendor, sizeof(dev->id.vendor), "%04x",
		 fwa_pci_id(&base->wire, ENDPOINT) & 0xffff);
	snprintf(dev->id.model, sizeof(dev->id.model), "QEMU %s nvme", v->text);
	start_controller(n);
	create_queue(n, OP_CREATE_CQ, cq_base(QUEUE_IO), QUEUE_CONTIGUOUS);
	create_queue(n, OP_CREATE_SQ, sq_base(QUEUE_IO), QUEUE_IO << 16 | QUEUE_CONTIGUOUS);
	return fwa_qtest_sync(&base->wire);
}

const struct fwa_qtest_type fwa_qtest_nvme = {
	.name = "nvme",
	.size = sizeof(struct nvme),
	.disk_size = DISK_SIZE,
	.args = nvme_args,
	.start = nvme_start,
};
