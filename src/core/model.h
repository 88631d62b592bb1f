/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model: what the specifications say of standard commands.
 *
 * The tables are written as text in model/ and compiled to C by tools/gen-model.py. They hold no
 * pointers to anything that a device or a caller sent, and a lookup costs the same whatever the
 * number of rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/effects.h"

enum fwa_set {
	FWA_SET_CXL,
	FWA_SET_NVME_ADMIN,
	FWA_SET_NVME_IO,
	FWA_SET_COUNT,
};

/* What a command without effects is. DESIGN's table of scopes; C12 for user data, C13. */
enum fwa_class {
	FWA_CLASS_DEBUG,     /* vendor-specific, or tells more than a monitor needs */
	FWA_CLASS_PLAIN,     /* a read that a monitor needs */
	FWA_CLASS_USER_DATA, /* returns what users stored on the device */
};

enum fwa_rule_kind {
	FWA_RULE_NONZERO,    /* payload number at @at, @width bytes, is not 0 */
	FWA_RULE_REPLY_FITS, /* payload number at @at counts reply bytes: within the payload size */
	FWA_RULE_LOG_RANGE,  /* offset @at, length @at2 (4 bytes each) within log uuid@0 */
	FWA_RULE_LSA_RANGE,  /* offset @at, length @at2 (4 bytes each) within the LSA */
	FWA_RULE_LSA_DATA,   /* offset @at (4 bytes), data from @at2 on, within the LSA */
	FWA_RULE_FEATURE_RANGE, /* offset @at, count @at2 (2 bytes each) within feature uuid@0's Get size */
	FWA_RULE_FEATURE_DATA, /* offset @at (2 bytes), data from @at2 on, within its Set size */
	FWA_RULE_DPA,          /* 8-byte device physical address at @at: 64-byte aligned */
	FWA_RULE_DPA_RANGE, /* DPA at @at; length at @at2 (8 bytes), in units of 64 bytes: no wrap */
	FWA_RULE_NUMD_OUT, /* NVMe: CDW10 31:16 and CDW11 15:0, 0's based dwords, are the reply length */
	FWA_RULE_NUMD_IN,    /* NVMe: CDW10, 0's based dwords, is the payload length */
	FWA_RULE_NLB,        /* NVMe I/O: CDW12 15:0, 0's based blocks, is the data length */
	FWA_RULE_DSM_RANGES, /* NVMe I/O: CDW10 7:0, 0's based 16-byte ranges, is the payload length */
	FWA_RULE_LENGTH_CDW11, /* NVMe: CDW11 is the length in bytes of the data, either way */
	FWA_RULE_LENGTH_DWORDS_CDW10, /* NVMe: CDW10, 0's based dwords, is the length of the data, either way */
	FWA_RULE_LENGTH_DWORDS_CDW11, /* the same, CDW11 */
	FWA_RULE_LENGTH_DWORDS_CDW12, /* the same, CDW12 */
	FWA_RULE_WHOLE_PAGE, /* NVMe: the payload is a page, or none: only the device knows how much it reads */
	FWA_RULE_PLACEMENT_IDS, /* NVMe I/O: CDW10 31:16, 0's based, counts the payload's 2-byte identifiers */
	FWA_RULE_COPY_RANGES, /* NVMe I/O: CDW12 7:0, 0's based ranges, is the payload length; a range has
				 32 bytes, or 40 when CDW12 11:8 is odd */
};

struct fwa_rule {
	uint8_t kind; /* enum fwa_rule_kind */
	uint8_t at;
	uint8_t width;
	uint8_t at2;
};

/*
 * One selected form of a command: a log page, a Feature, a CNS. It applies when its selector
 * matches and (dwords[cdw - 10] & mask) == value; @mask 0 means always.
 */
struct fwa_variant {
	const char *name;
	const char *title;
	uint8_t class; /* enum fwa_class */
	uint8_t cdw;   /* 10..15 */
	uint32_t mask;
	uint32_t value;
	fwa_effects floor;
	fwa_effects conditional;
	uint8_t uuid[16]; /* CXL: the log or Feature */
};

enum fwa_selector_kind {
	FWA_SELECT_NONE,
	FWA_SELECT_LOG_UUID,     /* CXL payload bytes 0..15 */
	FWA_SELECT_FEATURE_UUID, /* CXL payload bytes 0..15 */
	FWA_SELECT_FID,          /* NVMe CDW10 7:0 */
	FWA_SELECT_LID,          /* NVMe CDW10 7:0 */
	FWA_SELECT_CNS,          /* NVMe CDW10 7:0 */
};

/* The variants of one command. By number: @by_value has 256 slices. By UUID: @all is searched. */
struct fwa_variant_slice {
	uint16_t first;
	uint16_t count;
};

struct fwa_selector_table {
	uint8_t kind; /* enum fwa_selector_kind */
	const struct fwa_variant *all;
	uint16_t n_all;
	/* NULL when by UUID; else 256 of them, never empty. */
	const struct fwa_variant_slice *by_value;
};

/*
 * What a command is told to do by a field of its own bytes: its values from @first to @last. These
 * are effects in addition to the command's own, never less.
 */
struct fwa_operation {
	const char *name;
	const char *title;
	uint16_t first;
	uint16_t last;
	fwa_effects floor;
};

/* The operations of one command; they cover each value of the field. */
struct fwa_operation_table {
	const struct fwa_operation *all;
	uint8_t n;
	uint8_t cdw;   /* 10..15, 0: in the payload */
	uint8_t at;    /* byte of the payload, within the least length */
	uint8_t width; /* its bytes, 1 or 2: the first is the upper one */
	uint8_t shift;
	uint16_t mask; /* behind the shift */
};

#define FWA_LENGTH_ANY UINT32_MAX

struct fwa_model_command {
	const char *name;
	const char *title;
	const char *source; /* which specification and revision the floor was read from */
	uint16_t opcode;
	uint8_t set;             /* enum fwa_set */
	uint8_t class;           /* enum fwa_class */
	fwa_effects floor;       /* the least effects; includes what the device has no bit for */
	fwa_effects conditional; /* part of @floor that an honest device may leave undeclared */
	uint32_t in_min;         /* payload bytes; NVMe: bytes from host to controller */
	uint32_t in_max;
	uint32_t out_min; /* NVMe: bytes from controller to host; CXL: 0..ANY, the gate sizes it */
	uint32_t out_max;
	const struct fwa_rule *rules;
	uint8_t n_rules;
	const struct fwa_selector_table *select;      /* NULL when the opcode says all */
	const struct fwa_operation_table *operations; /* NULL when it does one thing */
};

/* The row of @opcode, NULL when the specifications do not name it. Constant time. */
const struct fwa_model_command *fwa_model_find(enum fwa_set set, uint16_t opcode);
/* The row called @name in @set, NULL when there is none. For command lines: linear. */
const struct fwa_model_command *fwa_model_by_name(enum fwa_set set, const char *name);
/* Row @i of @set in opcode order, NULL past the last. */
const struct fwa_model_command *fwa_model_row(enum fwa_set set, size_t i);

/*
 * The number of the log page, Feature or CNS of @row (which may be NULL) that the model calls @name;
 * -1 for none. What the model names with a condition on other bits (a snapshot is made, an event
 * cleared) has no number of its own.
 */
int fwa_model_value_by_name(const struct fwa_model_command *row, const char *name);
/*
 * The number of the operation of @row (which may be NULL) that the model calls @name; -1 for none, and
 * for a name that stands for more than one number.
 */
int fwa_model_operation_by_name(const struct fwa_model_command *row, const char *name);
/* The UUID of a CXL log or Feature that the model calls @name: its 16 bytes, or NULL. */
const uint8_t *fwa_model_uuid_by_name(const struct fwa_model_command *row, const char *name);

/* "cxl", "nvme-admin", "nvme-io"; NULL for no set. */
const char *fwa_set_name(unsigned int set);
/* What a command's name can begin with: "cxl:", "admin:", "io:"; NULL for no set. */
const char *fwa_set_prefix(unsigned int set);
/* Skips such a prefix at the start of *@word; false when there is none. */
bool fwa_set_take_prefix(const char **word, enum fwa_set *ret);
