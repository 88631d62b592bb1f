/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's CXL device shows past its mailbox.
 *
 * Its memory is seen as a host sees it: through the host's window, once the HDM decoders on the way are
 * committed (CXL 3.1 section 8.2.4.20). Of the host bridge with its one root port only QEMU 7 has a decoder.
 *
 * Behind a reply a device may leave what the host wrote there, or clear it (QEMU before 9 does the one, later
 * releases the other): neither is an overrun.
 */
#include "transport/qtest-cxl.h"

#include <errno.h>
#include <stdlib.h>

/* Where QEMU puts them on a machine of 256 MiB: behind 4 GiB, then at the next 256 MiB. */
#define HOST_BRIDGE 0x100000000ull
#define WINDOW 0x110000000ull

#define CACHE_MEM 0x1000 /* in component registers: CXL.cache and CXL.mem (8.2.4) */
#define CAP_ID_MASK 0xffffu
#define CAP_ARRAY 1u
#define CAP_HDM 5u

#define HDM_GLOBAL_CONTROL 0x04
#define HDM_ENABLE (1u << 1)
#define HDM_BASE 0x10
#define HDM_SIZE 0x18
#define HDM_CONTROL 0x20
#define HDM_COMMIT (1u << 9)
#define HDM_COMMITTED (1u << 10)
#define HDM_TARGETS 0x24 /* of a bridge: port numbers; ours is 0 */

#define REGISTERS_LEN 24
#define PEEK_MS 10000

static struct fwa_qtest *begin(struct fwa_qtest_cxl *c, int *ret)
{
	*ret = fwa_qtest_begin(&c->base.wire, PEEK_MS);
	return &c->base.wire;
}

static bool within(uint64_t at, size_t len, uint64_t size)
{
	return at <= size && len <= size - at;
}

/* --- registers ---------------------------------------------------------------------------------- */

static int peek_registers(struct fwa_qtest_cxl *c, uint64_t at, uint8_t *buf, size_t len)
{
	uint8_t raw[REGISTERS_LEN];
	struct fwa_qtest *q;
	int r;

	if (!within(at, len, sizeof(raw)))
		return -ERANGE;
	q = begin(c, &r);
	if (r < 0)
		return r;
	fwa_qtest_read(q, c->status, raw, 8);
	fwa_qtest_read(q, c->mailbox + FWA_QTEST_MB_STATUS, raw + 8, 16);
	memcpy(buf, raw + at, len);
	return q->error;
}

/* --- media -------------------------------------------------------------------------------------- */

/* The HDM decoder capability in the component registers at @component, 0 when there is none. */
static uint64_t find_hdm(struct fwa_qtest *q, uint64_t component)
{
	uint64_t base = component + CACHE_MEM;
	uint32_t header = fwa_qtest_readl(q, base);

	if ((header & CAP_ID_MASK) != CAP_ARRAY)
		return 0;
	for (uint32_t i = 1; i <= header >> 24 && !q->error; i++) {
		uint32_t entry = fwa_qtest_readl(q, base + 4 * i);

		if ((entry & CAP_ID_MASK) == CAP_HDM)
			return base + (entry >> 20);
	}
	return 0;
}

static void put_address(struct fwa_qtest *q, uint64_t at, uint64_t value)
{
	fwa_qtest_writel(q, at, (uint32_t)value);
	fwa_qtest_writel(q, at + 4, (uint32_t)(value >> 32));
}

/* Decoder 0 sends the window on; the exchange fails when it does not take that. */
static void commit(struct fwa_qtest *q, uint64_t hdm, bool bridge)
{
	fwa_qtest_writel(q, hdm + HDM_GLOBAL_CONTROL, HDM_ENABLE);
	put_address(q, hdm + HDM_BASE, WINDOW);
	put_address(q, hdm + HDM_SIZE, FWA_QTEST_CXL_CAPACITY);
	if (bridge)
		put_address(q, hdm + HDM_TARGETS, 0);
	fwa_qtest_writel(q, hdm + HDM_CONTROL, HDM_COMMIT);
	if (!(fwa_qtest_readl(q, hdm + HDM_CONTROL) & HDM_COMMITTED))
		fwa_qtest_fail(q, -EPROTO);
}

static void open_window(struct fwa_qtest_cxl *c, struct fwa_qtest *q)
{
	uint64_t bridge, device;

	if (c->media_open)
		return;
	bridge = find_hdm(q, HOST_BRIDGE);
	device = find_hdm(q, FWA_QTEST_CXL_COMPONENT);
	if (bridge)
		commit(q, bridge, true);
	if (device)
		commit(q, device, false);
	else
		fwa_qtest_fail(q, -EPROTO);
	c->media_open = !q->error;
}

static int reach_media(struct fwa_qtest_cxl *c, uint64_t at, size_t len)
{
	struct fwa_qtest *q;
	int r;

	if (!within(at, len, FWA_QTEST_CXL_CAPACITY))
		return -ERANGE;
	q = begin(c, &r);
	if (r == 0)
		open_window(c, q);
	return r < 0 ? r : q->error;
}

static int peek_media(struct fwa_qtest_cxl *c, uint64_t at, uint8_t *buf, size_t len)
{
	int r = reach_media(c, at, len);

	if (r < 0)
		return r;
	fwa_qtest_read(&c->base.wire, WINDOW + at, buf, len);
	return c->base.wire.error;
}

int fwa_qtest_cxl_poke(struct fwa_device *dev, enum fwa_region region, uint64_t at,
		       struct fwa_span data)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;
	int r;

	if (region != FWA_REGION_MEDIA)
		return -EOPNOTSUPP;
	r = reach_media(c, at, data.len);
	if (r < 0)
		return r;
	fwa_qtest_write(&c->base.wire, WINDOW + at, data);
	return fwa_qtest_sync(&c->base.wire);
}

/* --- behind a reply ----------------------------------------------------------------------------- */

void fwa_qtest_cxl_prepare(struct fwa_qtest_cxl *c, struct fwa_span payload)
{
	uint32_t len = (uint32_t)payload.len;

	c->beyond.replied = c->base.dev.payload_max; /* until there is a reply */
	if (!c->beyond.sent)
		return;
	if (c->beyond.dirty > len)
		fwa_qtest_zero(&c->base.wire, c->mailbox + FWA_QTEST_MB_PAYLOAD + len,
			       c->beyond.dirty - len);
	memset(c->beyond.sent, 0, c->base.dev.payload_max);
	if (len)
		memcpy(c->beyond.sent, payload.data, len);
	c->beyond.dirty = c->base.dev.payload_max;
}

void fwa_qtest_cxl_lose_reply(struct fwa_qtest_cxl *c)
{
	c->beyond.replied = c->beyond.dirty = c->base.dev.payload_max;
}

/* From now on the registers are cleared; the last command had them as they were. */
static int ask_first(struct fwa_qtest_cxl *c, uint8_t *buf, size_t len)
{
	c->beyond.sent = calloc(1, c->base.dev.payload_max);
	if (!c->beyond.sent)
		return -ENOMEM;
	c->beyond.dirty = c->base.dev.payload_max;
	memset(buf, 0, len);
	return 0;
}

/* How many of @len bytes stand before the zeroes at their end. */
static size_t without_zeroes(const uint8_t *buf, size_t len)
{
	while (len && !buf[len - 1])
		len--;
	return len;
}

static int peek_beyond(struct fwa_qtest_cxl *c, uint64_t at, uint8_t *buf, size_t len)
{
	uint32_t room = c->base.dev.payload_max - c->beyond.replied;
	uint32_t from = c->beyond.replied + (uint32_t)at;
	struct fwa_qtest *q;
	int r;

	if (!within(at, len, room))
		return -ERANGE;
	if (!c->beyond.sent)
		return ask_first(c, buf, len);
	q = begin(c, &r);
	if (r < 0)
		return r;
	fwa_qtest_read(q, c->mailbox + FWA_QTEST_MB_PAYLOAD + from, buf, len);
	if (q->error)
		return q->error;
	if (len == room)
		c->beyond.dirty = from + (uint32_t)without_zeroes(buf, len);
	for (size_t i = 0; i < len; i++)
		if (buf[i] == c->beyond.sent[from + i])
			buf[i] = 0;
	return 0;
}

int fwa_qtest_cxl_peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf,
		       size_t len)
{
	struct fwa_qtest_cxl *c = (struct fwa_qtest_cxl *)dev;

	switch (region) {
	case FWA_REGION_REGISTERS:
		return peek_registers(c, at, buf, len);
	case FWA_REGION_MEDIA:
		return peek_media(c, at, buf, len);
	case FWA_REGION_BEYOND:
		return peek_beyond(c, at, buf, len);
	default:
		return -EOPNOTSUPP;
	}
}
