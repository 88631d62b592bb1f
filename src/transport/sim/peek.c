/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be seen of the device past its commands: the status registers, the media, and what it left in the
 * payload registers behind a reply.
 *
 * A device that hangs still has registers; one that is gone has nothing.
 */
#include "transport/sim/sim.h"

#include <errno.h>

/* Memory Device Status (CXL 3.1 section 8.2.8.5.1.1). */
#define STATUS_MEDIA_READY (1u << 2)
#define STATUS_MEDIA_DISABLED (3u << 2)
#define STATUS_MAILBOX_READY (1u << 4)
/* Mailbox Status (8.2.8.4.6): bit 0, code in 47:32. */
#define MAILBOX_BACKGROUND (1u << 0)
#define BACKGROUND_OVER 100

#define REGISTERS_LEN 24

static void read_registers(const struct sim *s, uint8_t ret[REGISTERS_LEN])
{
	const struct sim_background *b = &s->background;

	memset(ret, 0, REGISTERS_LEN);
	ret[0] = STATUS_MAILBOX_READY |
		 (sim_media_disabled(s) ? STATUS_MEDIA_DISABLED : STATUS_MEDIA_READY);
	ret[8] = b->opcode ? MAILBOX_BACKGROUND : 0;
	fwa_put_le16(ret + 12, s->code);
	fwa_put_le16(ret + 16, b->opcode ? b->opcode : s->background_opcode);
	if (b->opcode)
		ret[18] = sim_percent(b->start_ns, b->until_ns);
	else if (s->background_opcode)
		ret[18] = BACKGROUND_OVER;
	fwa_put_le16(ret + 20, b->opcode ? 0 : s->background_code);
}

static bool within(uint64_t at, size_t len, uint64_t size)
{
	return at <= size && len <= size - at;
}

static int peek_registers(const struct sim *s, uint64_t at, uint8_t *buf, size_t len)
{
	uint8_t raw[REGISTERS_LEN];

	if (!within(at, len, sizeof(raw)))
		return -ERANGE;
	read_registers(s, raw);
	memcpy(buf, raw + at, len);
	return 0;
}

/* How many bytes of the line at @at the @len bytes from there have. */
static size_t in_line(uint64_t at, size_t len)
{
	size_t left = SIM_LINE_LEN - at % SIM_LINE_LEN;

	return len < left ? len : left;
}

static int check_media(const struct sim *s, uint64_t at, size_t len)
{
	if (!within(at, len, SIM_CAPACITY))
		return -ERANGE;
	return sim_media_disabled(s) ? -EACCES : 0;
}

static int peek_media(const struct sim *s, uint64_t at, uint8_t *buf, size_t len)
{
	int r = check_media(s, at, len);
	uint8_t line[SIM_LINE_LEN];

	while (r == 0 && len) {
		size_t n = in_line(at, len);

		sim_media_read(s, at - at % SIM_LINE_LEN, line);
		memcpy(buf, line + at % SIM_LINE_LEN, n);
		buf += n;
		at += n;
		len -= n;
	}
	return r;
}

static int poke_media(struct sim *s, uint64_t at, struct fwa_span data)
{
	int r = check_media(s, at, data.len);
	uint8_t line[SIM_LINE_LEN];

	while (r == 0 && data.len) {
		size_t n = in_line(at, data.len);

		sim_media_read(s, at - at % SIM_LINE_LEN, line);
		memcpy(line + at % SIM_LINE_LEN, data.data, n);
		if (!sim_media_write(s, at - at % SIM_LINE_LEN, line))
			r = -ENOSPC;
		at += n;
		data = fwa_span(data.data + n, data.len - n);
	}
	return r;
}

/* The first time there is nothing to see: the registers were not cleared before the last command. */
static int peek_beyond(struct sim *s, uint64_t at, uint8_t *buf, size_t len)
{
	if (!within(at, len, s->dev.payload_max - s->replied))
		return -ERANGE;
	if (!s->beyond_asked)
		memset(s->payload, 0, s->dev.payload_max);
	s->beyond_asked = true;
	memcpy(buf, s->payload + s->replied + at, len);
	return 0;
}

static int peek(struct sim *s, enum fwa_region region, uint64_t at, uint8_t *buf, size_t len)
{
	if (s->gone)
		return -ENODEV;
	sim_background_settle(s);
	switch (region) {
	case FWA_REGION_REGISTERS:
		return peek_registers(s, at, buf, len);
	case FWA_REGION_MEDIA:
		return peek_media(s, at, buf, len);
	case FWA_REGION_BEYOND:
		return peek_beyond(s, at, buf, len);
	default:
		return -EOPNOTSUPP;
	}
}

int sim_peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf, size_t len)
{
	struct sim *s = (struct sim *)dev;
	int r;

	pthread_mutex_lock(&s->lock);
	r = peek(s, region, at, buf, len);
	pthread_mutex_unlock(&s->lock);
	return r;
}

int sim_poke(struct fwa_device *dev, enum fwa_region region, uint64_t at, struct fwa_span data)
{
	struct sim *s = (struct sim *)dev;
	int r = -EOPNOTSUPP;

	pthread_mutex_lock(&s->lock);
	if (s->gone) {
		r = -ENODEV;
	} else if (region == FWA_REGION_MEDIA) {
		sim_background_settle(s);
		r = poke_media(s, at, data);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}
