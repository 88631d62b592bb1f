/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NVMe layouts that fwadmit reads or builds itself (NVM Express Base 2.0): the Commands Supported
 * and Effects log page, Identify Controller and Identify Namespace offsets, opcodes.
 */
#pragma once

#define NVME_OP_GET_LOG_PAGE 0x02
#define NVME_OP_IDENTIFY 0x06
#define NVME_OP_SET_FEATURES 0x09
#define NVME_OP_GET_FEATURES 0x0a
#define NVME_OP_FW_COMMIT 0x10
#define NVME_OP_FW_DOWNLOAD 0x11
#define NVME_OP_SELF_TEST 0x14
#define NVME_OP_FORMAT 0x80
#define NVME_OP_SANITIZE 0x84
/* NVM I/O. */
#define NVME_OP_FLUSH 0x00
#define NVME_OP_WRITE 0x01
#define NVME_OP_READ 0x02
#define NVME_OP_WRITE_ZEROES 0x08
#define NVME_NSID_ALL 0xffffffffu

/*
 * Firmware Commit's action, CDW10 5:3; the two that take nothing of what was downloaded, and the one
 * that activates without a reset.
 */
#define NVME_COMMIT_ACTION(cdw10) ((cdw10) >> 3 & 7u)
#define NVME_COMMIT_ACTIVATE 2u
#define NVME_COMMIT_ACTIVATE_BOOT 7u
#define NVME_COMMIT_ACTIVATE_NOW 3u
/* Device Self-test: what to do, CDW10 3:0, and in its log page what is done; 0: nothing is. */
#define NVME_SELF_TEST_CODE 0xfu
#define NVME_SELF_TEST_ABORT 0xfu

#define NVME_CNS_NAMESPACE 0x00
#define NVME_CNS_CONTROLLER 0x01
#define NVME_CNS_ACTIVE_LIST 0x02
#define NVME_PAGE_LEN 4096 /* the least memory page, and the most data of a feature */
#define NVME_IDENTIFY_LEN 4096

#define NVME_LID_SUPPORTED 0x00
#define NVME_LID_SMART 0x02
#define NVME_LID_EFFECTS 0x05
#define NVME_LID_SELF_TEST 0x06
#define NVME_LID_SANITIZE 0x81
#define NVME_LOG_RETAIN (1u << 15) /* CDW10: the event is kept (RAE) */
/* Sanitize Status: le16 progress in 65536ths at 0, status at 2. */
#define NVME_SANITIZE_STATUS 7u
#define NVME_SANITIZE_RUNS 2u
/* 256 admin dwords, 256 I/O dwords, 2048 bytes reserved. */
#define NVME_EFFECTS_LEN 4096
#define NVME_EFFECTS_IO 1024

#define NVME_EFFECT_CSUPP (1u << 0)
#define NVME_EFFECT_LBCC (1u << 1)
#define NVME_EFFECT_NCC (1u << 2)
#define NVME_EFFECT_NIC (1u << 3)
#define NVME_EFFECT_CCC (1u << 4)
#define NVME_EFFECT_CSER_SHIFT 14
#define NVME_EFFECT_CSER_MASK 3u
#define NVME_EFFECT_CSE_SHIFT 16
#define NVME_EFFECT_CSE_MASK 7u
#define NVME_EFFECT_UUID_SELECTION (1u << 19)
#define NVME_EFFECT_SCOPE_SHIFT 20
#define NVME_EFFECT_SCOPE_KNOWN 0x3fu
#define NVME_EFFECT_RESERVED 0xfc003fe0u /* 31:26 and 13:5 */

#define NVME_LID_FEATURES 0x12
/* Supported Log Pages (00h), Feature Identifiers Supported and Effects (12h): 256 dwords, one an id. */
#define NVME_IDS_LEN 1024
#define NVME_LOG_LSUPP (1u << 0)
#define NVME_FEATURE_FSUPP (1u << 0)
/* UDCC, NCC, NIC, CCC, UUID selection and scope stand where they stand in page 05h; no CSE, no CSER. */
#define NVME_FEATURE_SCOPE_KNOWN 0x7fu
#define NVME_FEATURE_RESERVED 0xf807ffe0u /* 31:27 and 18:5 */
/* Log pages and features from here on are the vendor's: CDW14 6:0 says which vendor's. */
#define NVME_ID_VENDOR 0xc0
#define NVME_UUID_INDEX 0x7fu

/* Identify Controller: PCI vendor at 0 (2), serial at 4 (20), model at 24 (40), firmware at 64 (8). */
#define NVME_ID_CTRL_VID 0
#define NVME_ID_CTRL_SN 4
#define NVME_ID_CTRL_SN_LEN 20
#define NVME_ID_CTRL_MN 24
#define NVME_ID_CTRL_MN_LEN 40
#define NVME_ID_CTRL_FR 64
#define NVME_ID_CTRL_FR_LEN 8
/* Log Page Attributes: bit 5 says that there are log pages 00h and 12h. */
#define NVME_ID_CTRL_LPA 261
#define NVME_LPA_IDS (1u << 5)
/* Identify Namespace: formatted LBA size at 26, LBA formats from 128 on, 4 bytes each. */
#define NVME_ID_NS_FLBAS 26
#define NVME_ID_NS_LBAF 128

/* Data transfer direction: opcode bits 1:0. */
#define NVME_DIR(opcode) ((opcode)&3u)
#define NVME_DIR_NONE 0u
#define NVME_DIR_TO_DEVICE 1u
#define NVME_DIR_FROM_DEVICE 2u
