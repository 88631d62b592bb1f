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
#include "transport/qtest-nvme.h"

#include <errno.h>

#include "base/util.h"

#define REG_DOORBELLS 0x1000

#define SQE_LEN FWA_QTEST_NVME_SQE_LEN
#define CQE_LEN 16u

#define ENTRIES FWA_QTEST_NVME_ENTRIES
#define PAGE FWA_QTEST_NVME_PAGE
#define MEM_DATA FWA_QTEST_NVME_DATA

uint64_t fwa_qtest_nvme_sq(int queue)
{
	return FWA_QTEST_NVME_QUEUE_MEMORY + (uint64_t)queue * 2 * PAGE;
}

uint64_t fwa_qtest_nvme_cq(int queue)
{
	return fwa_qtest_nvme_sq(queue) + PAGE;
}

static void ring(struct fwa_qtest_nvme *n, int queue, bool completion, uint32_t value)
{
	uint64_t doorbell = (uint64_t)(2 * queue + completion) * n->stride;

	fwa_qtest_writel(&n->base.wire, FWA_QTEST_NVME_REGS + REG_DOORBELLS + doorbell, value);
}

void fwa_qtest_nvme_put(struct fwa_qtest_nvme *n, int queue, uint8_t sqe[SQE_LEN])
{
	struct fwa_qtest_nvme_queue *q = &n->queues[queue];

	fwa_put_le16(sqe + 2, ++n->cid);
	fwa_qtest_write(&n->base.wire, fwa_qtest_nvme_sq(queue) + q->tail * SQE_LEN,
			fwa_span(sqe, SQE_LEN));
	q->tail = (q->tail + 1) % ENTRIES;
	n->in_flight = queue;
	ring(n, queue, false, q->tail);
}

static struct fwa_qtest_nvme_completion read_completion(struct fwa_qtest_nvme *n, int queue)
{
	uint8_t raw[CQE_LEN];

	fwa_qtest_read(&n->base.wire, fwa_qtest_nvme_cq(queue) + n->queues[queue].head * CQE_LEN,
		       raw, sizeof(raw));
	return (struct fwa_qtest_nvme_completion){
		.result = fwa_le32(raw),
		.queue = fwa_le16(raw + 10),
		.cid = fwa_le16(raw + 12),
		.phase = fwa_le16(raw + 14) & 1,
		.status = (uint16_t)(fwa_le16(raw + 14) >> 1),
	};
}

/* Waits for the completion of the command in flight. 0 or the exchange's error. */
int fwa_qtest_nvme_take(struct fwa_qtest_nvme *n, struct fwa_qtest_nvme_completion *ret)
{
	struct fwa_qtest *wire = &n->base.wire;
	int queue = n->in_flight;
	struct fwa_qtest_nvme_queue *q = &n->queues[queue];
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

static int wait_idle(struct fwa_qtest_nvme *n)
{
	struct fwa_qtest_nvme_completion c;
	int r = n->in_flight < 0 ? 0 : fwa_qtest_nvme_take(n, &c);

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
		fwa_put_le64(sqe + 32, FWA_QTEST_NVME_PRP_LIST);
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

static int send_command(struct fwa_qtest_nvme *n, int queue, const struct fwa_command *cmd,
			struct fwa_reply *reply, struct fwa_qtest_nvme_completion *ret)
{
	struct fwa_qtest *wire = &n->base.wire;
	uint8_t sqe[SQE_LEN];

	fwa_qtest_nvme_prepare(n, cmd->payload.len + cmd->out_len);
	/*= spec/SECURITY-MODEL.md#C25 */
	if (cmd->out_len)
		fwa_qtest_zero(wire, MEM_DATA, cmd->out_len);
	fwa_qtest_write(wire, MEM_DATA, cmd->payload);
	if (wire->error)
		return wire->error;
	build_command(sqe, cmd, cmd->payload.len + cmd->out_len);
	reply->maybe_sent = true;
	fwa_qtest_nvme_put(n, queue, sqe);
	return fwa_qtest_nvme_take(n, ret);
}

int fwa_qtest_nvme_submit(struct fwa_device *dev, const struct fwa_command *cmd,
			  struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct fwa_qtest_nvme *n = (struct fwa_qtest_nvme *)dev;
	struct fwa_qtest *wire = &n->base.wire;
	int queue = cmd->set == FWA_SET_NVME_IO ? FWA_QTEST_NVME_IO : FWA_QTEST_NVME_ADMIN;
	struct fwa_qtest_nvme_completion c;
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
