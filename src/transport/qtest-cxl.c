/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's CXL type-3 memory device: one behind one root port, its primary mailbox driven as CXL 3.1
 * section 8.2.8.4 says.
 *
 * 1. One command at a time. While a command that was given up on still runs, the next one is
 *    refused (-EBUSY) and not sent.
 * 2. Where the mailbox is and how much it takes is the device's word: bounded at open.
 * 3. The reply of a command that failed is empty, whatever length stands in the register.
 */
#include "transport/qtest-cxl.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "wire/cxl.h"

#define HOST_BUS 12
#define DEVICE_BUS 13
#define ROOT_PORT FWA_PCI_CONFIG(HOST_BUS, 0)
#define ENDPOINT FWA_PCI_CONFIG(DEVICE_BUS, 0)
#define DEVICE_REGS (FWA_PCI_WINDOW + FWA_PCI_SLOT)

/* Capability array: header and entries of 16 bytes (8.2.8.2). */
#define CAP_LEN 16u
#define CAP_MAX 32u
#define CAP_PRIMARY_MAILBOX 2u
#define CAP_MEMORY_STATUS 0x4000u
#define MEMORY_STATUS_LEN 8u

/* Mailbox registers (8.2.8.4.3 on). */
#define MB_CAP 0x00
#define MB_CAP_SIZE_MASK 0x1fu
#define MB_CONTROL 0x04
#define MB_DOORBELL 1u
#define MB_COMMAND 0x08
#define MB_BACKGROUND 0x18

#define PROGRESS_MS 1000

struct registers {
	bool doorbell;
	bool background;
	uint8_t percent;
	uint16_t code;
	uint32_t len;
};

static const char *const *cxl_args(const struct fwa_qemu_version *v)
{
	/* clang-format off */
#define MACHINE \
	"-M", "cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G", \
	"-device", "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1", \
	"-device", "cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2", \
	"-object", "memory-backend-ram,id=pmem0,share=on,size=256M", \
	"-object", "memory-backend-ram,id=lsa0,share=on,size=1M"
#define DEVICE(memdev) \
	"-device", "cxl-type3,bus=rp0," memdev "=pmem0,lsa=lsa0,sn=0x1234"
	static const char *const first[] = { MACHINE, DEVICE("memdev"), NULL };
	static const char *const now[] = { MACHINE, DEVICE("persistent-memdev"), NULL };
	/* clang-format on */

	return v->major < 8 ? first : now;
}

/*
 * By the Background Command Status register: opcode 15:0, percentage 22:16, return code 47:32. The
 * status register has a bit for this too; in QEMU 10.0 a refused command clears it and in 11.1 it
 * is set from the start.
 */
static unsigned int percent(uint64_t background)
{
	return background >> 16 & 0x7f;
}

static bool is_running(uint64_t background)
{
	return (background & 0xffff) && percent(background) < 100 &&
	       (background >> 32 & 0xffff) != CXL_RC_ABORTED;
}

static struct registers read_registers(struct fwa_qtest_cxl *c)
{
	uint8_t raw[FWA_QTEST_MB_PAYLOAD];
	uint64_t status, command, background;

	fwa_qtest_read(&c->base.wire, c->mailbox, raw, sizeof(raw));
	command = fwa_le64(raw + MB_COMMAND);
	status = fwa_le64(raw + FWA_QTEST_MB_STATUS);
	background = fwa_le64(raw + MB_BACKGROUND);
	return (struct registers){
		.doorbell = fwa_le32(raw + MB_CONTROL) & MB_DOORBELL,
		.background = is_running(background),
		.percent = (uint8_t)percent(background),
		.code = (uint16_t)(status >> 32),
		.len = (uint32_t)(command >> 16) & 0xfffffu,
	};
}

/* Waits until the doorbell is silent; the exchange's error otherwise. */
static int wait_doorbell(struct fwa_qtest_cxl *c, struct registers *ret)
{
	unsigned int round = 0;

	do {
		*ret = read_registers(c);
	} while (ret->doorbell && fwa_qtest_wait(&c->base.wire, round++));
	return c->base.wire.error;
}

/*= spec/SECURITY-MODEL.md#C25 */
static int take_reply(struct fwa_qtest_cxl *c, const struct registers *regs,
		      struct fwa_reply *reply)
{
	uint32_t len = regs->code == CXL_RC_SUCCESS ? regs->len : 0;

	if (len > c->base.dev.payload_max)
		return fwa_qtest_fail(&c->base.wire, -EPROTO);
	c->beyond.replied = len;
	if (len > reply->out_cap)
		len = reply->out_cap;
	fwa_qtest_read(&c->base.wire, c->mailbox + FWA_QTEST_MB_PAYLOAD, reply->out, len);
	if (c->base.wire.error)
		return c->base.wire.error;
	reply->code = regs->code;
	reply->out_len = len;
	return 0;
}

static int wait_idle(struct fwa_qtest_cxl *c)
{
	struct registers regs;
	int r;

	if (!c->in_flight)
		return 0;
	r = wait_doorbell(c, &regs);
	if (r == 0)
		c->in_flight = false;
	return r == -ETIMEDOUT ? -EBUSY : r;
}

static int cxl_submit(struct fwa_device *dev, const struct fwa_command *cmd,
		      struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;
	struct fwa_qtest *q = &c->base.wire;
	struct registers regs;
	int r;

	if (cmd->set != FWA_SET_CXL)
		return -EOPNOTSUPP;
	if (cmd->payload.len > dev->payload_max)
		return -EMSGSIZE;
	r = fwa_qtest_begin(q, timeout_ms);
	if (r == 0)
		r = wait_idle(c);
	if (r < 0)
		return r;
	fwa_qtest_cxl_prepare(c, cmd->payload);
	fwa_qtest_write(q, c->mailbox + FWA_QTEST_MB_PAYLOAD, cmd->payload);
	fwa_qtest_writeq(q, c->mailbox + MB_COMMAND,
			 (uint64_t)cmd->payload.len << 16 | cmd->opcode);
	reply->maybe_sent = true;
	c->in_flight = true;
	fwa_qtest_writel(q, c->mailbox + MB_CONTROL, MB_DOORBELL);
	r = wait_doorbell(c, &regs);
	if (r < 0)
		return r;
	c->in_flight = false;
	return take_reply(c, &regs, reply);
}

static int cxl_progress(struct fwa_device *dev, uint8_t *ret_percent)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;
	int r = fwa_qtest_begin(&c->base.wire, PROGRESS_MS);
	struct registers regs;

	if (r < 0)
		return r;
	regs = read_registers(c);
	*ret_percent = regs.percent;
	return c->base.wire.error ? c->base.wire.error : regs.background;
}

/* Registers of at least @len bytes by the capability array: all of them within the BAR's slot. */
static uint64_t find_registers(struct fwa_qtest *q, uint16_t id, uint32_t len)
{
	uint8_t header[CAP_LEN], entry[CAP_LEN];
	uint32_t n;

	fwa_qtest_read(q, DEVICE_REGS, header, sizeof(header));
	n = fwa_le16(header + 4);
	for (uint32_t i = 1; i <= n && i <= CAP_MAX && !q->error; i++) {
		uint32_t at;

		fwa_qtest_read(q, DEVICE_REGS + i * CAP_LEN, entry, sizeof(entry));
		at = fwa_le32(entry + 4);
		if (fwa_le16(entry) == id && at % 8 == 0 && at <= FWA_PCI_SLOT - len)
			return DEVICE_REGS + at;
	}
	fwa_qtest_fail(q, -EPROTO);
	return 0;
}

static void find_payload_size(struct fwa_qtest_cxl *c)
{
	struct fwa_qtest *q = &c->base.wire;
	uint64_t size = 1ull << (fwa_qtest_readl(q, c->mailbox + MB_CAP) & MB_CAP_SIZE_MASK);
	uint64_t room = DEVICE_REGS + FWA_PCI_SLOT - (c->mailbox + FWA_QTEST_MB_PAYLOAD);

	if (q->error || size < CXL_PAYLOAD_MIN || size > CXL_PAYLOAD_MAX || size > room)
		fwa_qtest_fail(q, -EPROTO);
	else
		c->base.dev.payload_max = (uint32_t)size;
}

static void set_up_bus(struct fwa_qtest *q)
{
	fwa_pci_start(q);
	fwa_pci_bridge(q, ROOT_PORT, HOST_BUS, DEVICE_BUS, FWA_PCI_WINDOW,
		       FWA_PCI_WINDOW + 2 * FWA_PCI_SLOT - 1);
	fwa_pci_place(q, ENDPOINT, 0, FWA_QTEST_CXL_COMPONENT);
	fwa_pci_place(q, ENDPOINT, 2, DEVICE_REGS);
	fwa_pci_enable(q, ENDPOINT);
}

static void identify(struct fwa_qtest_cxl *c, const struct fwa_qemu_version *v)
{
	struct fwa_identity *id = &c->base.dev.id;
	uint32_t pci = fwa_pci_id(&c->base.wire, ENDPOINT);
	uint64_t serial = fwa_pci_serial(&c->base.wire, ENDPOINT);

	snprintf(id->vendor, sizeof(id->vendor), "%04x", pci & 0xffff);
	snprintf(id->model, sizeof(id->model), "%04x (QEMU %s cxl-type3)", pci >> 16, v->text);
	snprintf(id->serial, sizeof(id->serial), "0x%llx", (unsigned long long)serial);
}

static void set_up_device(struct fwa_qtest_cxl *c)
{
	struct fwa_qtest *q = &c->base.wire;

	set_up_bus(q);
	c->mailbox = find_registers(q, CAP_PRIMARY_MAILBOX, FWA_QTEST_MB_PAYLOAD);
	c->status = find_registers(q, CAP_MEMORY_STATUS, MEMORY_STATUS_LEN);
	find_payload_size(c);
}

/*
 * Cold: the whole machine. Conventional: a hot reset by the root port. QEMU has no CXL Reset. What runs
 * in QEMU's memory after either is as it was: it has no other.
 */
static int cxl_reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;
	struct fwa_qtest *q = &c->base.wire;
	uint32_t payload_max = dev->payload_max;
	int r;

	if (kind != FWA_RESET_COLD && kind != FWA_RESET_CONVENTIONAL)
		return -EOPNOTSUPP;
	r = fwa_qtest_begin(q, timeout_ms);
	if (r < 0)
		return r;
	if (kind == FWA_RESET_COLD)
		fwa_pci_reset_machine(q);
	else
		fwa_pci_reset_bus(q, ROOT_PORT);
	c->in_flight = false;
	c->media_open = false;
	set_up_device(c);
	if (dev->payload_max != payload_max) { /* buffers were made for the one that it had */
		dev->payload_max = payload_max;
		fwa_qtest_fail(q, -EPROTO);
	}
	fwa_qtest_cxl_lose_reply(c);
	return fwa_qtest_sync(q);
}

static void cxl_close(struct fwa_device *dev)
{
	free(((struct fwa_qtest_cxl *)dev)->beyond.sent);
	fwa_qtest_close(dev);
}

static const struct fwa_device_ops cxl_ops = {
	.submit = cxl_submit,
	.progress = cxl_progress,
	.peek = fwa_qtest_cxl_peek,
	.poke = fwa_qtest_cxl_poke,
	.reset = cxl_reset,
	.close = cxl_close,
};

static int cxl_start(struct fwa_qtest_device *base, const struct fwa_qemu_version *v)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)base;

	c->base.dev.ops = &cxl_ops;
	c->base.dev.family = FWA_FAMILY_CXL;
	set_up_device(c);
	fwa_qtest_cxl_lose_reply(c);
	identify(c, v);
	return fwa_qtest_sync(&base->wire);
}

const struct fwa_qtest_type fwa_qtest_cxl = {
	.name = "cxl-type3",
	.size = sizeof(struct fwa_qtest_cxl),
	.args = cxl_args,
	.start = cxl_start,
};
