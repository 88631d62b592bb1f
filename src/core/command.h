/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command: the flat request that is judged and, byte for byte, submitted (C17).
 *
 * It is the same struct for every family. There are no pointers that a device or a kernel would
 * follow: @payload is a view of memory that the gate owns, and the reply goes to memory that the
 * gate owns.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/model.h"

/* The numbers of Linux's enum fwctl_rpc_scope (include/uapi/fwctl/fwctl.h). */
enum fwa_scope {
	FWA_SCOPE_CONFIGURATION = 0,
	FWA_SCOPE_DEBUG_READ_ONLY = 1,
	FWA_SCOPE_DEBUG_WRITE = 2,
	FWA_SCOPE_DEBUG_WRITE_FULL = 3,
	FWA_SCOPE_NEVER = 4,   /* as a requirement: no scope is enough */
	FWA_SCOPE_LEAST = 255, /* as a request: the least that the command needs */
};

/* The longest payload or reply of one command, in bytes: the CXL mailbox's own limit is 1 MiB. */
#define FWA_COMMAND_DATA_MAX (2u * 1024 * 1024)

struct fwa_command {
	uint8_t set;             /* enum fwa_set */
	uint8_t scope;           /* what the caller asks for: 0..3 or FWA_SCOPE_LEAST */
	uint16_t opcode;         /* NVMe: 00h..FFh */
	uint32_t nsid;           /* NVMe only */
	uint32_t cdw[6];         /* NVMe command dwords 10 to 15 */
	struct fwa_span payload; /* host to device */
	uint32_t out_len;        /* most bytes of reply that the caller takes; NVMe: all of them */
};

/* What the command's own bytes select. Read from the bytes that are submitted, never claimed. */
struct fwa_selector {
	uint8_t kind;        /* enum fwa_selector_kind, of the model's row */
	uint8_t value;       /* FID, LID or CNS */
	const uint8_t *uuid; /* 16 bytes in the payload, NULL when not by UUID or not all there */
};

/* The selector of @cmd by its model row @row (which may be NULL: no selector). Pure, total. */
struct fwa_selector fwa_command_selector(const struct fwa_model_command *row,
					 const struct fwa_command *cmd);

/*
 * The operation that @cmd asks for by its model row @row, its number in *ret_value. NULL when the
 * row has no operations, or when the payload ends before the field.
 */
const struct fwa_operation *fwa_command_operation(const struct fwa_model_command *row,
						  const struct fwa_command *cmd,
						  uint16_t *ret_value);

/*
 * Whether @cmd ends background work that is running: CXL Request Abort Background Operation, NVMe
 * Device Self-test with the code for that (C16).
 */
bool fwa_command_aborts(const struct fwa_command *cmd);
/*
 * Whether @cmd is part of a transfer of firmware, or the whole of one, or takes what was transferred:
 * CXL Transfer FW and Activate FW; NVMe Firmware Image Download and Firmware Commit (C16).
 */
bool fwa_command_moves_firmware(const struct fwa_command *cmd);

/* What a grant can tell commands of one opcode apart by (core/filter.h). The numbers are stable. */
enum fwa_field {
	FWA_FIELD_LID = 1, /* NVMe log page: CDW10 7:0 */
	FWA_FIELD_LSP,     /* its specific parameter: CDW10 14:8 */
	FWA_FIELD_LSI,     /* its specific identifier: CDW11 31:16 */
	FWA_FIELD_FID,     /* NVMe feature: CDW10 7:0 */
	FWA_FIELD_CNS,     /* NVMe Identify: CDW10 7:0 */
	FWA_FIELD_NSID,    /* NVMe namespace */
	FWA_FIELD_SLOT,    /* firmware slot: CXL payload byte 1, NVMe CDW10 2:0 */
	FWA_FIELD_UUID,    /* CXL log or Feature: payload bytes 0 to 15 */
	FWA_FIELD_SEL, /* which value of a feature is read: Get Features CDW10 10:8, Get Feature byte 20 */
	FWA_FIELD_SV, /* 1: what is set is saved, too: Set Features CDW10 31, Set Feature byte 16 bit 3 */
	FWA_FIELD_OP, /* what the command does: where the model's table of operations reads it */
	FWA_FIELD_COUNT,
};

struct fwa_field_value {
	uint32_t number;
	const uint8_t *uuid; /* 16 bytes in the payload for FWA_FIELD_UUID, else NULL */
};

/* Whether commands of @opcode have @field at all. */
bool fwa_opcode_has_field(enum fwa_set set, uint16_t opcode, enum fwa_field field);
/*
 * Reads @field from the bytes of @cmd. False when its opcode has no such field, or the payload ends
 * before it.
 */
bool fwa_command_field(const struct fwa_command *cmd, enum fwa_field field,
		       struct fwa_field_value *ret);
/* Where @field of @opcode ends in its payload; 0 when it has none, or has it elsewhere. */
size_t fwa_field_end(enum fwa_set set, uint16_t opcode, enum fwa_field field);
/* "lid"; NULL for no field. */
const char *fwa_field_name(unsigned int field);
/* The greatest number that fits in @field of @opcode, which has it; 0 for FWA_FIELD_UUID. */
uint32_t fwa_field_max(enum fwa_set set, uint16_t opcode, enum fwa_field field);

/* "configuration", "debug-read-only", "debug-write", "debug-write-full", "never", "least". */
const char *fwa_scope_name(unsigned int scope);
/* The scope 0..3 called @name, -1 when there is none. */
int fwa_scope_by_name(const char *name);
