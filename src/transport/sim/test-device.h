/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated device for tests, and sending it a command in one line.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/transport.h"
#include "wire/cxl.h"

/* The answer to the last command of the test. */
static struct test_answer {
	int error; /* what submit() gave */
	uint32_t code;
	uint32_t len;
	bool maybe_sent;
	uint8_t data[8192];
} answer;

static inline struct fwa_device *test_open(const char *what)
{
	struct fwa_open_args args = { .fd = -1 };
	struct fwa_device *dev = NULL;

	assert_int_equal(fwa_sim_open(&args, what, &dev), 0);
	return dev;
}

static inline void test_close(struct fwa_device *dev)
{
	dev->ops->close(dev);
}

/* Sends @len bytes of @in, and gives the return code; 0x10000 when there is none. */
static inline uint32_t test_send(struct fwa_device *dev, uint16_t opcode, const void *in,
				 size_t len)
{
	struct fwa_command cmd = {
		.set = FWA_SET_CXL,
		.opcode = opcode,
		.payload = { in, len },
		.out_len = sizeof(answer.data),
	};
	struct fwa_reply reply = { .out = answer.data, .out_cap = sizeof(answer.data) };

	memset(&answer, 0, sizeof(answer));
	answer.error = dev->ops->submit(dev, &cmd, &reply, 20);
	answer.code = reply.code;
	answer.len = reply.out_len;
	answer.maybe_sent = reply.maybe_sent;
	return answer.error ? 0x10000 : reply.code;
}

/* Sends the bytes that follow. */
#define SEND(dev, opcode, ...)                                            \
	test_send(dev, opcode, (const uint8_t[]){ 0, ##__VA_ARGS__ } + 1, \
		  sizeof((const uint8_t[]){ 0, ##__VA_ARGS__ }) - 1)

#define LE16(v) (uint8_t)(v), (uint8_t)((v) >> 8)
#define LE32(v) LE16((v)&0xffff), LE16((uint32_t)(v) >> 16)
#define LE64(v) LE32((v)&0xffffffff), LE32((uint64_t)(v) >> 32)

static inline uint32_t test_get_lsa(struct fwa_device *dev, uint32_t offset, uint32_t length)
{
	return SEND(dev, 0x4102, LE32(offset), LE32(length));
}

static inline uint32_t test_set_lsa(struct fwa_device *dev, uint32_t offset, const char *text)
{
	uint8_t in[64] = { LE32(offset) };
	size_t len = strlen(text);

	memcpy(in + 8, text, len);
	return test_send(dev, 0x4103, in, 8 + len);
}

static inline uint32_t test_get_log(struct fwa_device *dev, const uint8_t *uuid, uint32_t offset,
				    uint32_t length)
{
	uint8_t in[CXL_GET_LOG_LEN];

	memcpy(in, uuid, 16);
	fwa_put_le32(in + 16, offset);
	fwa_put_le32(in + 20, length);
	return test_send(dev, CXL_OP_GET_LOG, in, sizeof(in));
}

/* A package for Transfer FW, whole, of @len bytes. */
static inline uint32_t test_transfer_fw(struct fwa_device *dev, uint8_t action, uint8_t slot,
					uint32_t offset, const void *data, size_t len)
{
	uint8_t in[2048] = { action, slot, 0, 0 };

	fwa_put_le32(in + 4, offset);
	memcpy(in + 128, data, len);
	return test_send(dev, 0x0201, in, 128 + len);
}

static inline uint32_t test_set_feature(struct fwa_device *dev, const uint8_t *uuid, uint32_t flags,
					uint16_t offset, uint8_t version, const void *data,
					size_t len)
{
	static uint8_t in[8192];

	memset(in, 0, CXL_SET_FEATURE_HEADER_LEN);
	memcpy(in, uuid, 16);
	fwa_put_le32(in + 16, flags);
	fwa_put_le16(in + 20, offset);
	in[22] = version;
	memcpy(in + CXL_SET_FEATURE_HEADER_LEN, data, len);
	return test_send(dev, CXL_OP_SET_FEATURE, in, CXL_SET_FEATURE_HEADER_LEN + len);
}

static inline uint32_t test_get_feature(struct fwa_device *dev, const uint8_t *uuid,
					uint16_t offset, uint16_t count, uint8_t selection)
{
	uint8_t in[21];

	memcpy(in, uuid, 16);
	fwa_put_le16(in + 16, offset);
	fwa_put_le16(in + 18, count);
	in[20] = selection;
	return test_send(dev, CXL_OP_GET_FEATURE, in, sizeof(in));
}

/* The UUID of Feature @index, as the device lists it. */
static inline void test_feature_uuid(struct fwa_device *dev, uint8_t index, uint8_t uuid[16])
{
	assert_int_equal(SEND(dev, CXL_OP_GET_SUPPORTED_FEATURES,
			      LE32(CXL_FEATURES_HEADER_LEN + CXL_FEATURE_ENTRY_LEN), index, 0, 0,
			      0),
			 CXL_RC_SUCCESS);
	assert_int_equal(answer.len, CXL_FEATURES_HEADER_LEN + CXL_FEATURE_ENTRY_LEN);
	memcpy(uuid, answer.data + CXL_FEATURES_HEADER_LEN, 16);
}
