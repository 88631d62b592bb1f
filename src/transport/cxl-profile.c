/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading all that a CXL mailbox device declares (C23).
 *
 * 1. Whatever the device answers, the reading ends: each loop is bounded by a number of our own
 *    and ends at the first answer that brings nothing (C25).
 * 2. The CEL is recorded as it came, also when it is ragged, short or longer than asked for: what
 *    is wrong with it is for lint to say, and what it does not list is refused (C6).
 * 3. An answer that is an error or makes no sense leaves its part of the profile empty. Only a
 *    device that is gone or does not answer ends the reading.
 */
#include "transport/read-profile.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "base/uuid.h"

#define CEL_MAX (65536u * CXL_CEL_ENTRY_LEN)

struct reading {
	struct fwa_device *dev;
	uint32_t payload; /* bytes of @buf, one mailbox payload */
	uint8_t *buf;
	char *error; /* FWA_ERROR_LEN bytes */
};

static uint32_t payload_of(const struct fwa_device *dev)
{
	if (dev->payload_max < CXL_PAYLOAD_MIN)
		return CXL_PAYLOAD_MIN;
	return dev->payload_max < CXL_PAYLOAD_MAX ? dev->payload_max : CXL_PAYLOAD_MAX;
}

/*
 * Sends one command. 0: *ret_reply views what the device answered, until the next call; it is empty
 * when the answer was an error. -ENODEV, -ETIMEDOUT: the reading cannot go on.
 */
static int ask(struct reading *r, uint16_t opcode, struct fwa_span in, struct fwa_span *ret_reply)
{
	struct fwa_command cmd = {
		.set = FWA_SET_CXL,
		.opcode = opcode,
		.payload = in,
		.out_len = r->payload,
	};
	struct fwa_reply reply = { .out = r->buf, .out_cap = r->payload };
	int e;

	memset(r->buf, 0, r->payload);
	e = r->dev->ops->submit(r->dev, &cmd, &reply, FWA_READ_TIMEOUT_MS);
	if (e == -ENODEV || e == -ETIMEDOUT)
		return fwa_fail(r->error, e, "%s while its declarations were read (command %04Xh)",
				e == -ENODEV ? "the device is gone" : "the device does not answer",
				opcode);
	*ret_reply = fwa_span(r->buf, e < 0 || reply.code != CXL_RC_SUCCESS ? 0 : reply.out_len);
	return 0;
}

/* Firmware revision to the identity, LSA size to *ret_lsa_size. */
static int read_identify(struct reading *r, uint32_t *ret_lsa_size)
{
	struct fwa_span reply, text;
	uint64_t lsa_size;
	int e = ask(r, CXL_OP_IDENTIFY_MEMORY_DEVICE, fwa_span(NULL, 0), &reply);

	if (e < 0)
		return e;
	if (fwa_span_sub(reply, CXL_IDENTIFY_FW_REVISION, CXL_IDENTIFY_FW_REVISION_LEN, &text))
		fwa_text_clean(r->dev->id.firmware, text.data, text.len);
	if (fwa_span_number(reply, CXL_IDENTIFY_LSA_SIZE, 4, &lsa_size))
		*ret_lsa_size = (uint32_t)lsa_size;
	return 0;
}

/* The list of logs to @logs. */
static int read_logs(struct reading *r, struct fwa_writer *logs)
{
	struct fwa_span reply, entries;
	size_t n;
	int e = ask(r, CXL_OP_GET_SUPPORTED_LOGS, fwa_span(NULL, 0), &reply);

	if (e < 0 || reply.len < CXL_LOGS_HEADER_LEN)
		return e;
	n = (reply.len - CXL_LOGS_HEADER_LEN) / CXL_LOGS_ENTRY_LEN;
	if (n > fwa_le16(reply.data))
		n = fwa_le16(reply.data);
	if (n > logs->cap / CXL_LOGS_ENTRY_LEN)
		n = logs->cap / CXL_LOGS_ENTRY_LEN;
	if (fwa_span_sub(reply, CXL_LOGS_HEADER_LEN, n * CXL_LOGS_ENTRY_LEN, &entries))
		fwa_write_bytes(logs, entries.data, entries.len);
	return 0;
}

/* The size that the list gives the CEL, bounded; false when it has none. */
static bool cel_size(struct fwa_span logs, uint32_t *ret)
{
	for (size_t at = 0; at + CXL_LOGS_ENTRY_LEN <= logs.len; at += CXL_LOGS_ENTRY_LEN) {
		if (!fwa_uuid_eq(logs.data + at, CXL_UUID_CEL))
			continue;
		*ret = fwa_le32(logs.data + at + FWA_UUID_LEN);
		if (*ret > CEL_MAX) /*= spec/SECURITY-MODEL.md#C25 */
			*ret = CEL_MAX;
		return true;
	}
	return false;
}

/* The whole CEL to @cel: in one piece when the mailbox takes it. */
static int read_cel(struct reading *r, uint32_t size, struct fwa_writer *cel)
{
	uint8_t in[CXL_GET_LOG_LEN];
	struct fwa_span reply = { NULL, 0 };

	memcpy(in, CXL_UUID_CEL, sizeof(CXL_UUID_CEL));
	while (cel->len < size) {
		size_t want = size - cel->len < r->payload ? size - cel->len : r->payload;
		size_t room = cel->cap - cel->len;
		int e;

		fwa_put_le32(in + 16, (uint32_t)cel->len);
		fwa_put_le32(in + 20, (uint32_t)want);
		e = ask(r, CXL_OP_GET_LOG, fwa_span(in, sizeof(in)), &reply);
		if (e < 0)
			return e;
		fwa_write_bytes(cel, reply.data, reply.len < room ? reply.len : room);
		if (reply.len != want)
			break;
	}
	return 0;
}

/* Does @cel list @opcode? */
static bool declares(struct fwa_span cel, uint16_t opcode)
{
	for (size_t at = 0; at + CXL_CEL_ENTRY_LEN <= cel.len; at += CXL_CEL_ENTRY_LEN)
		if (fwa_le16(cel.data + at) == opcode)
			return true;
	return false;
}

/* The whole list of Features to @features. */
static int read_features(struct reading *r, struct fwa_writer *features)
{
	uint8_t in[CXL_GET_FEATURES_LEN] = { 0 };
	struct fwa_span reply;

	fwa_put_le32(in, r->payload);
	for (uint16_t start = 0; start < FWA_PROFILE_FEATURES_MAX;) {
		size_t n, room = FWA_PROFILE_FEATURES_MAX - start;
		uint16_t total;
		int e;

		fwa_put_le16(in + 4, start);
		e = ask(r, CXL_OP_GET_SUPPORTED_FEATURES, fwa_span(in, sizeof(in)), &reply);
		if (e < 0)
			return e;
		if (reply.len < CXL_FEATURES_HEADER_LEN)
			break;
		n = (reply.len - CXL_FEATURES_HEADER_LEN) / CXL_FEATURE_ENTRY_LEN;
		if (n > fwa_le16(reply.data))
			n = fwa_le16(reply.data);
		if (n > room)
			n = room;
		total = fwa_le16(reply.data + 2);
		fwa_write_bytes(features, reply.data + CXL_FEATURES_HEADER_LEN,
				n * CXL_FEATURE_ENTRY_LEN);
		start = (uint16_t)(start + n);
		if (!n || start >= total)
			break;
	}
	return 0;
}

static struct fwa_span written(const struct fwa_writer *w)
{
	return fwa_span(w->buf, w->len);
}

/* What one reading collects, in memory of its own. */
struct collection {
	uint32_t lsa_size;
	bool has_cel;
	struct fwa_writer logs;
	struct fwa_writer features;
	struct fwa_writer cel;
	struct fwa_writer cel_again;
	uint8_t logs_buf[FWA_PROFILE_LOGS_MAX * CXL_LOGS_ENTRY_LEN];
	uint8_t features_buf[FWA_PROFILE_FEATURES_MAX * CXL_FEATURE_ENTRY_LEN];
	uint8_t cel_buf[CEL_MAX];
	uint8_t cel_again_buf[CEL_MAX];
};

/* The second reading of the CEL comes last: the farther from the first, the more it tells. */
static int collect(struct reading *r, struct collection *c)
{
	uint32_t size = 0;
	int e;

	c->logs = fwa_writer(c->logs_buf, sizeof(c->logs_buf));
	c->features = fwa_writer(c->features_buf, sizeof(c->features_buf));
	c->cel = fwa_writer(c->cel_buf, sizeof(c->cel_buf));
	c->cel_again = fwa_writer(c->cel_again_buf, sizeof(c->cel_again_buf));
	e = read_logs(r, &c->logs);
	if (e < 0)
		return e;
	c->has_cel = cel_size(written(&c->logs), &size);
	e = read_cel(r, size, &c->cel);
	if (e < 0)
		return e;
	/*= spec/SECURITY-MODEL.md#C6 */
	if (declares(written(&c->cel), CXL_OP_GET_SUPPORTED_FEATURES))
		e = read_features(r, &c->features);
	if (e < 0)
		return e;
	e = read_identify(r, &c->lsa_size);
	if (e < 0)
		return e;
	return read_cel(r, size, &c->cel_again);
}

static bool same(struct fwa_span a, struct fwa_span b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void encode(const struct reading *r, const struct collection *c, struct fwa_writer *w)
{
	struct fwa_span cel = written(&c->cel), again = written(&c->cel_again);
	uint8_t limits[8];

	fwa_put_le32(limits, r->payload);
	fwa_put_le32(limits + 4, c->lsa_size);
	fwa_profile_begin(w, r->dev->family);
	fwa_profile_add_identity(w, &r->dev->id);
	fwa_profile_add(w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	if (c->logs.len)
		fwa_profile_add(w, FWA_RECORD_CXL_LOGS, written(&c->logs));
	if (c->features.len)
		fwa_profile_add(w, FWA_RECORD_CXL_FEATURES, written(&c->features));
	if (c->has_cel)
		fwa_profile_add(w, FWA_RECORD_CXL_CEL, cel);
	if (!same(cel, again)) /*= spec/SECURITY-MODEL.md#C23 */
		fwa_profile_add(w, FWA_RECORD_CXL_CEL_AGAIN, again);
}

int fwa_cxl_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN])
{
	struct reading r = { .dev = dev, .payload = payload_of(dev), .error = error };
	fwa_auto_free struct collection *c = calloc(1, sizeof(*c));
	fwa_auto_free uint8_t *buf = calloc(1, r.payload);
	int e;

	if (!c || !buf)
		return fwa_fail(error, -ENOMEM, "out of memory while the declarations were read");
	r.buf = buf;
	e = collect(&r, c);
	if (e == 0)
		encode(&r, c, w);
	return e;
}
