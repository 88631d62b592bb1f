/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A profile: what one device declared, read once and never edited (spec/PROFILE-FORMAT.md).
 *
 * 1. The encoded bytes are the truth: digests are made of them, they are what is stored and sent.
 * 2. Everything else here is a view of those bytes or a table derived from them, and
 *    fwa_profile_check() proves the table against them.
 * 3. Any byte string can be parsed; what makes no sense is an error or a finding, never a crash.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/effects.h"
#include "core/model.h"
#include "wire/cxl.h"

enum fwa_family {
	FWA_FAMILY_NONE,
	FWA_FAMILY_CXL,
	FWA_FAMILY_NVME,
	FWA_FAMILY_FWCTL,
	FWA_FAMILY_SIM,
	FWA_FAMILY_COUNT,
};

#define FWA_TEXT_MAX 64 /* with the final NUL */

/* Cleaned text: printable ASCII, no trailing blanks. Empty when the device did not say. */
struct fwa_identity {
	char vendor[FWA_TEXT_MAX];
	char model[FWA_TEXT_MAX];
	char serial[FWA_TEXT_MAX];
	char firmware[FWA_TEXT_MAX];
};

/* Record types of the encoded form; the numbers are stable. */
enum fwa_profile_record {
	FWA_RECORD_FAMILY = 1,         /* u8 enum fwa_family */
	FWA_RECORD_VENDOR = 2,         /* text */
	FWA_RECORD_MODEL = 3,          /* text */
	FWA_RECORD_SERIAL = 4,         /* text */
	FWA_RECORD_FIRMWARE = 5,       /* text */
	FWA_RECORD_CXL_CEL = 16,       /* the CEL as Get Log returned it */
	FWA_RECORD_CXL_CEL_AGAIN = 17, /* the second reading, only when it was different */
	FWA_RECORD_CXL_LOGS = 18,      /* Supported Log entries: uuid 16, le32 size */
	FWA_RECORD_CXL_FEATURES = 19,  /* Supported Feature entries, 48 bytes each */
	FWA_RECORD_CXL_LIMITS = 20,    /* le32 payload size, le32 LSA size */
	FWA_RECORD_NVME_EFFECTS = 32,  /* log page 05h, 4096 bytes: admin half and NVM I/O half */
	FWA_RECORD_NVME_EFFECTS_AGAIN = 33,
	/* Active namespaces: le32 nsid, u8 log2 of the block size, u8 0, le16 metadata bytes */
	FWA_RECORD_NVME_NAMESPACES = 34,
	FWA_RECORD_NVME_LOGS = 35, /* log page 00h, 1024 bytes: one le32 a log page */
	FWA_RECORD_NVME_LOGS_AGAIN = 36,
	FWA_RECORD_NVME_FEATURES = 37, /* log page 12h, 1024 bytes: one le32 a feature */
	FWA_RECORD_NVME_FEATURES_AGAIN = 38,
};

#define FWA_PROFILE_MAGIC "FWAPROF1"
#define FWA_PROFILE_MAX (4u * 1024 * 1024) /* most bytes of an encoded profile */
#define FWA_PROFILE_FEATURES_MAX 1024
#define FWA_PROFILE_LOGS_MAX 64
#define FWA_PROFILE_NAMESPACES_MAX 64

/* CXL: bits by opcode, duplicates united. Untouched pages cost no memory. */
struct fwa_cxl_table {
	uint16_t word[65536];
	uint64_t present[1024];
	uint64_t duplicate[1024];
	uint32_t count; /* different opcodes */
};

struct fwa_profile {
	struct fwa_span encoded;
	uint8_t family; /* enum fwa_family */
	struct fwa_identity id;

	struct fwa_span cel;
	struct fwa_span cel_again;
	struct fwa_span logs;
	struct fwa_span features;
	bool has_cel;
	bool has_nvme;
	uint32_t payload_max; /* CXL mailbox payload size in bytes; 0 = the profile does not say */
	uint32_t lsa_size;
	struct fwa_span nvme_effects;
	struct fwa_span nvme_effects_again;
	struct fwa_span namespaces;
	struct fwa_span nvme_logs; /* empty: the controller does not have the page */
	struct fwa_span nvme_logs_again;
	struct fwa_span nvme_features; /* the same */
	struct fwa_span nvme_features_again;

	uint16_t n_features;
	uint16_t feature_order[FWA_PROFILE_FEATURES_MAX]; /* sorted by UUID */
	struct fwa_cxl_table cxl;
	uint32_t nvme[2][256]; /* admin, NVM I/O */
};

struct fwa_feature {
	const uint8_t *uuid;
	uint16_t index;
	uint16_t get_size;
	uint16_t set_size;
	uint32_t flags;
	uint8_t get_version;
	uint8_t set_version;
	uint16_t effects; /* raw, the CEL's bits */
};

struct fwa_namespace {
	uint32_t nsid;
	uint32_t block_size; /* bytes; 0 when the device gave nonsense */
	uint16_t metadata;
};

/* --- encoding ------------------------------------------------------------------------------- */

/* Starts an encoded profile in @w: magic and family. */
void fwa_profile_begin(struct fwa_writer *w, enum fwa_family family);
/* Appends one record; records may come in any order, each type once. */
void fwa_profile_add(struct fwa_writer *w, enum fwa_profile_record type, struct fwa_span value);
/* Appends the texts of @id, cleaned, each as a record; none for an empty one. */
void fwa_profile_add_identity(struct fwa_writer *w, const struct fwa_identity *id);

/* Copies at most @len bytes of a device's fixed-width text, cleaned, into @text (always ended). */
void fwa_text_clean(char text[FWA_TEXT_MAX], const void *raw, size_t len);

/* --- reading -------------------------------------------------------------------------------- */

/*
 * Reads an encoded profile. @encoded must outlive @p. On success 0; -1 when the bytes are not a
 * profile (magic, lengths, a record twice, a record of the wrong size); @p is then all zero and
 * declares nothing. Ragged or odd *declarations* are not errors here: lint reports them.
 */
int fwa_profile_parse(struct fwa_profile *p, struct fwa_span encoded);

/*
 * True when the derived table says what the raw log says: each opcode that is listed is there with
 * all bits of its entries, one that is listed once with no others, and no further opcode is there.
 * Linear in the log.
 */
bool fwa_profile_check(const struct fwa_profile *p);

/*
 * The declaration of @opcode; false when the device does not declare the command (C6). For NVMe,
 * CSUPP decides. Constant time.
 */
bool fwa_profile_declared(const struct fwa_profile *p, enum fwa_set set, uint16_t opcode,
			  struct fwa_declared *ret);

/* The same for CXL from the raw log alone, by one loop: the reference for the table. */
bool fwa_cel_declared(struct fwa_span cel, uint16_t opcode, struct fwa_declared *ret);

/* Steps through the declared commands in order; start with *set = 0 and *opcode = -1. */
bool fwa_profile_next(const struct fwa_profile *p, unsigned int *set, int32_t *opcode);
/* How many commands the device declares. */
uint32_t fwa_profile_count(const struct fwa_profile *p);

/* Feature @i in the device's order; false past the last whole entry. */
bool fwa_profile_feature(const struct fwa_profile *p, size_t i, struct fwa_feature *ret);
/* The Feature with @uuid (16 bytes), duplicates united. O(log n). */
bool fwa_profile_feature_by_uuid(const struct fwa_profile *p, const uint8_t *uuid,
				 struct fwa_feature *ret);
/* The size in bytes that the device gave for log @uuid; false when it lists no such log. */
bool fwa_profile_log_size(const struct fwa_profile *p, const uint8_t *uuid, uint32_t *ret_size);
/* The format of namespace @nsid; false when the profile does not know it. */
bool fwa_profile_namespace(const struct fwa_profile *p, uint32_t nsid, struct fwa_namespace *ret);

/* False when the controller has page 00h and does not list log page @lid in it (C6). */
bool fwa_profile_lid(const struct fwa_profile *p, uint8_t lid);
/*
 * What page 12h declares of feature @fid, nothing when the controller has no such page. False when it
 * has one that does not list @fid (C6).
 */
bool fwa_profile_fid(const struct fwa_profile *p, uint8_t fid, struct fwa_declared *ret);

/* "cxl", "nvme", "fwctl", "sim", "none". */
const char *fwa_family_name(unsigned int family);
