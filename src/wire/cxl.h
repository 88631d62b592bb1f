/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL mailbox layouts: opcodes that fwadmit itself sends, sizes and offsets of their payloads,
 * return codes (CXL 3.1 sections 8.2.8.4 and 8.2.9). Numbers are little-endian.
 */
#pragma once

#include <stdint.h>

#define CXL_OP_ABORT_BACKGROUND 0x0005
#define CXL_OP_TRANSFER_FW 0x0201
#define CXL_OP_ACTIVATE_FW 0x0202
#define CXL_OP_GET_SUPPORTED_LOGS 0x0400
#define CXL_OP_GET_LOG 0x0401
#define CXL_OP_GET_SUPPORTED_FEATURES 0x0500
#define CXL_OP_GET_FEATURE 0x0501
#define CXL_OP_SET_FEATURE 0x0502
#define CXL_OP_IDENTIFY_MEMORY_DEVICE 0x4000
#define CXL_OP_VENDOR_FIRST 0xc000

/* CEL entry: le16 opcode, le16 effects (Table 8-75). */
#define CXL_CEL_ENTRY_LEN 4
/* Supported Logs reply: le16 count, 6 reserved, entries of uuid and le32 size (Table 8-72). */
#define CXL_LOGS_HEADER_LEN 8
#define CXL_LOGS_ENTRY_LEN 20
/* Get Log input: uuid, le32 offset, le32 length (Table 8-74). */
#define CXL_GET_LOG_LEN 24
/* Get Supported Features: input le32 count in bytes, le16 start, 2 reserved; reply header 8 bytes. */
#define CXL_GET_FEATURES_LEN 8
#define CXL_FEATURES_HEADER_LEN 8
#define CXL_FEATURE_ENTRY_LEN 48
/* Get Feature input: uuid, le16 offset, le16 count, u8 selection (current, default, saved). */
#define CXL_GET_FEATURE_SELECTION 20
/* Set Feature input before its data: uuid, le32 flags, le16 offset, u8 version, 9 reserved. */
#define CXL_SET_FEATURE_HEADER_LEN 32
/* Its flags are at 16: bits 2:0 say which part of a transfer it is, bit 3 saves across resets. */
#define CXL_SET_FEATURE_FLAGS 16
#define CXL_SET_FEATURE_SAVED_BIT 3
#define CXL_SET_FEATURE_PART 7u
enum cxl_set_feature_part {
	CXL_PART_FULL,
	CXL_PART_INITIATE,
	CXL_PART_CONTINUE,
	CXL_PART_FINISH,
	CXL_PART_ABORT,
};
#define CXL_SET_FEATURE_VERSION 22
#define CXL_FEATURE_CHANGEABLE (1u << 0)
/* Transfer FW input before its data: u8 action, u8 slot, 2 reserved, le32 offset in units of 128 bytes. */
#define CXL_TRANSFER_FW_HEADER_LEN 128
#define CXL_TRANSFER_FW_ACTION 0
enum cxl_fw_action {
	CXL_FW_FULL,
	CXL_FW_INITIATE,
	CXL_FW_CONTINUE,
	CXL_FW_END,
	CXL_FW_ABORT,
};
/* Identify Memory Device reply: firmware revision at 0, 16 bytes; le32 LSA size at 38h. */
#define CXL_IDENTIFY_MEMORY_LEN 67
#define CXL_IDENTIFY_FW_REVISION 0
#define CXL_IDENTIFY_FW_REVISION_LEN 16
#define CXL_IDENTIFY_LSA_SIZE 0x38

/* Mailbox payload size: 256 bytes to 1 MiB (8.2.8.4.3). */
#define CXL_PAYLOAD_MIN 256u
#define CXL_PAYLOAD_MAX (1024u * 1024)

#define CXL_DPA_ALIGN 64u

/* CEL effects word (Table 8-75). */
#define CXL_CEL_CONFIG_COLD_RESET (1u << 0)
#define CXL_CEL_CONFIG (1u << 1)
#define CXL_CEL_DATA (1u << 2)
#define CXL_CEL_POLICY (1u << 3)
#define CXL_CEL_LOG (1u << 4)
#define CXL_CEL_SECURITY (1u << 5)
#define CXL_CEL_BACKGROUND (1u << 6)
#define CXL_CEL_SECONDARY_MAILBOX (1u << 7)
#define CXL_CEL_ABORT_SUPPORTED (1u << 8)
#define CXL_CEL_RESETS_VALID (1u << 9)
#define CXL_CEL_CONFIG_CONV_RESET (1u << 10)
#define CXL_CEL_CONFIG_CXL_RESET (1u << 11)
#define CXL_CEL_RESERVED 0xf000u

static const uint8_t CXL_UUID_CEL[16] = { 0x0d, 0xa9, 0xc0, 0xb5, 0xbf, 0x41, 0x4b, 0x78,
					  0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17 };
static const uint8_t CXL_UUID_VENDOR_DEBUG[16] = { 0x5e, 0x18, 0x19, 0xd9, 0x11, 0xa9, 0x40, 0x0c,
						   0x81, 0x1f, 0xd6, 0x07, 0x19, 0x40, 0x3d, 0x86 };

/* In Set Feature: the Feature whose transfer is in progress. */
static const uint8_t CXL_UUID_IN_TRANSFER[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Return codes (Table 8-34). */
enum cxl_return_code {
	CXL_RC_SUCCESS = 0x00,
	CXL_RC_BACKGROUND = 0x01,
	CXL_RC_INVALID_INPUT = 0x02,
	CXL_RC_UNSUPPORTED = 0x03,
	CXL_RC_INTERNAL = 0x04,
	CXL_RC_RETRY = 0x05,
	CXL_RC_BUSY = 0x06,
	CXL_RC_MEDIA_DISABLED = 0x07,
	CXL_RC_FW_IN_PROGRESS = 0x08,
	CXL_RC_FW_OUT_OF_ORDER = 0x09,
	CXL_RC_FW_AUTH = 0x0a,
	CXL_RC_FW_SLOT = 0x0b,
	CXL_RC_FW_ROLLED_BACK = 0x0c,
	CXL_RC_FW_COLD_RESET = 0x0d,
	CXL_RC_INVALID_HANDLE = 0x0e,
	CXL_RC_INVALID_PA = 0x0f,
	CXL_RC_POISON_LIMIT = 0x10,
	CXL_RC_MEDIA_FAILURE = 0x11,
	CXL_RC_ABORTED = 0x12,
	CXL_RC_SECURITY_STATE = 0x13,
	CXL_RC_PASSPHRASE = 0x14,
	CXL_RC_UNSUPPORTED_MAILBOX = 0x15,
	CXL_RC_PAYLOAD_LENGTH = 0x16,
	CXL_RC_INVALID_LOG = 0x17,
	CXL_RC_INTERRUPTED = 0x18,
	CXL_RC_FEATURE_VERSION = 0x19,
	CXL_RC_FEATURE_SELECTION = 0x1a,
	CXL_RC_FEATURE_IN_PROGRESS = 0x1b,
	CXL_RC_FEATURE_OUT_OF_ORDER = 0x1c,
	CXL_RC_RESOURCES = 0x1d,
	CXL_RC_EXTENT_LIST = 0x1e,
	CXL_RC_TRANSFER_OUT_OF_ORDER = 0x1f,
	CXL_RC_ABORT_UNSUPPORTED = 0x20,
};
