/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects: what a command may change, in one vocabulary for all families.
 *
 * No effects = a read. The order of the bits is the order in which they are printed: that of the
 * CXL Command Effects Log (CXL 3.1 Table 8-75), then what NVMe adds (log page 05h), then what only
 * fwadmit's own model says (dma, carrier, other-client) and what nobody can say (unknown).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint32_t fwa_effects;

#define FWA_EFFECT_CONFIG_COLD_RESET (1u << 0)
#define FWA_EFFECT_CONFIG (1u << 1)
#define FWA_EFFECT_DATA (1u << 2)
#define FWA_EFFECT_POLICY (1u << 3)
#define FWA_EFFECT_LOG (1u << 4)
#define FWA_EFFECT_SECURITY (1u << 5)
#define FWA_EFFECT_BACKGROUND (1u << 6)
#define FWA_EFFECT_CONFIG_CONV_RESET (1u << 7)
#define FWA_EFFECT_CONFIG_CXL_RESET (1u << 8)
#define FWA_EFFECT_NAMESPACE_CAPABILITY (1u << 9)
#define FWA_EFFECT_NAMESPACE_INVENTORY (1u << 10)
#define FWA_EFFECT_CONTROLLER_CAPABILITY (1u << 11)
#define FWA_EFFECT_EXCLUSIVE (1u << 12)
#define FWA_EFFECT_DMA (1u << 13)
#define FWA_EFFECT_CARRIER (1u << 14)
#define FWA_EFFECT_OTHER_CLIENT (1u << 15)
#define FWA_EFFECT_UNKNOWN (1u << 16)
#define FWA_EFFECT_COUNT 17
#define FWA_EFFECTS_ALL ((1u << FWA_EFFECT_COUNT) - 1)

/* Changes that wait for a reset. */
#define FWA_EFFECTS_RESET \
	(FWA_EFFECT_CONFIG_COLD_RESET | FWA_EFFECT_CONFIG_CONV_RESET | FWA_EFFECT_CONFIG_CXL_RESET)

/* Changes that are there as soon as the command is done. */
#define FWA_EFFECTS_IMMEDIATE                                                                     \
	(FWA_EFFECT_CONFIG | FWA_EFFECT_DATA | FWA_EFFECT_POLICY | FWA_EFFECT_LOG |               \
	 FWA_EFFECT_SECURITY | FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY | \
	 FWA_EFFECT_CONTROLLER_CAPABILITY)

/* Never admitted, at any scope: spec/SECURITY-MODEL.md C15 (dma, carrier, other-client), C8. */
#define FWA_EFFECTS_NEVER \
	(FWA_EFFECT_DMA | FWA_EFFECT_CARRIER | FWA_EFFECT_OTHER_CLIENT | FWA_EFFECT_UNKNOWN)

/* What a grant can name. */
#define FWA_EFFECTS_GRANTABLE (FWA_EFFECTS_ALL & ~FWA_EFFECTS_NEVER)

/* What a device of each kind has bits for, and so can be held to have declared. */
#define FWA_EFFECTS_CXL_DECLARABLE                                                     \
	(FWA_EFFECTS_RESET | FWA_EFFECT_CONFIG | FWA_EFFECT_DATA | FWA_EFFECT_POLICY | \
	 FWA_EFFECT_LOG | FWA_EFFECT_SECURITY | FWA_EFFECT_BACKGROUND)
#define FWA_EFFECTS_NVME_DECLARABLE                                                           \
	(FWA_EFFECT_DATA | FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY | \
	 FWA_EFFECT_CONTROLLER_CAPABILITY | FWA_EFFECT_EXCLUSIVE)

/* Attributes: what a declaration says besides effects. */
#define FWA_ATTR_SECONDARY_MAILBOX (1u << 0)
#define FWA_ATTR_ABORT_SUPPORTED (1u << 1)
#define FWA_ATTR_UUID_SELECTION (1u << 2)
#define FWA_ATTR_SCOPE_NAMESPACE (1u << 3)
#define FWA_ATTR_SCOPE_CONTROLLER (1u << 4)
#define FWA_ATTR_SCOPE_NVM_SET (1u << 5)
#define FWA_ATTR_SCOPE_ENDURANCE_GROUP (1u << 6)
#define FWA_ATTR_SCOPE_DOMAIN (1u << 7)
#define FWA_ATTR_SCOPE_NVM_SUBSYSTEM (1u << 8)
#define FWA_ATTR_SCOPE_CONTROLLER_DATA_QUEUE (1u << 9)
#define FWA_ATTR_COUNT 10

/* One declaration, normalised. @reserved: bits of @raw that this revision of fwadmit does not know. */
struct fwa_declared {
	uint32_t raw;
	uint32_t reserved;
	fwa_effects effects;
	uint32_t attributes;
};

/*
 * Normalises the effects word of a CEL entry or of a Supported Feature entry (CXL 3.1 Tables 8-75
 * and 8-97). Bits 15:12, bits 11:10 without bit 9, and bit 8 without bit 6 are reserved; a
 * reserved bit that is set adds FWA_EFFECT_UNKNOWN (C8). Total.
 */
struct fwa_declared fwa_cxl_declared(uint16_t word);

/*
 * Normalises one entry of the NVMe Commands Supported and Effects log (NVM Express Base 2.0,
 * Figure 210): LBCC, NCC, NIC, CCC; CSE (18:16) or CSER (15:14) give exclusive; reserved bits and
 * reserved values add FWA_EFFECT_UNKNOWN (C8). CSUPP says whether the command is declared at all
 * and is not an effect. Total.
 */
struct fwa_declared fwa_nvme_declared(uint32_t dword);

/*
 * Normalises one entry of the NVMe Feature Identifiers Supported and Effects log (page 12h): UDCC,
 * NCC, NIC, CCC; reserved bits add FWA_EFFECT_UNKNOWN (C8). FSUPP says whether the feature is listed
 * at all. Total.
 */
struct fwa_declared fwa_nvme_feature_declared(uint32_t dword);

/* The name of bit @bit ("config-cold-reset"), NULL beyond FWA_EFFECT_COUNT. */
const char *fwa_effect_name(unsigned int bit);
/* The name of attribute bit @bit ("abort-supported"), NULL beyond FWA_ATTR_COUNT. */
const char *fwa_attribute_name(unsigned int bit);
/* The effect called @name (@len bytes), 0 when there is none. */
fwa_effects fwa_effect_by_name(const char *name, size_t len);
