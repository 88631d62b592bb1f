/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Declarations to effects, by CXL 3.1 Table 8-75 and NVM Express Base 2.0 Figure 210.
 */
#include "core/effects.h"

#include <string.h>

#include "wire/cxl.h"
#include "wire/nvme.h"

static const char *const effect_names[FWA_EFFECT_COUNT] = {
	"config-cold-reset",
	"config",
	"data",
	"policy",
	"log",
	"security",
	"background",
	"config-conv-reset",
	"config-cxl-reset",
	"namespace-capability",
	"namespace-inventory",
	"controller-capability",
	"exclusive",
	"dma",
	"carrier",
	"other-client",
	"unknown",
};

static const char *const attribute_names[FWA_ATTR_COUNT] = {
	"secondary-mailbox",     "abort-supported",
	"uuid-selection",        "scope-namespace",
	"scope-controller",      "scope-nvm-set",
	"scope-endurance-group", "scope-domain",
	"scope-nvm-subsystem",   "scope-controller-data-queue",
};

/* The bits of @word that mean nothing, given its other bits: CXL 3.1 Table 8-75. */
static uint16_t cxl_reserved(uint16_t word)
{
	uint32_t reserved = CXL_CEL_RESERVED;

	if (!(word & CXL_CEL_RESETS_VALID))
		reserved |= CXL_CEL_CONFIG_CONV_RESET | CXL_CEL_CONFIG_CXL_RESET;
	if (!(word & CXL_CEL_BACKGROUND))
		reserved |= CXL_CEL_ABORT_SUPPORTED;
	return (uint16_t)(word & reserved);
}

struct fwa_declared fwa_cxl_declared(uint16_t word)
{
	struct fwa_declared d = { .raw = word, .reserved = cxl_reserved(word) };
	uint32_t known = word & ~d.reserved;

	/* Bits 0 to 6 stand in the same places in both. */
	d.effects = known & 0x7f;
	if (known & CXL_CEL_CONFIG_CONV_RESET)
		d.effects |= FWA_EFFECT_CONFIG_CONV_RESET;
	if (known & CXL_CEL_CONFIG_CXL_RESET)
		d.effects |= FWA_EFFECT_CONFIG_CXL_RESET;
	if (d.reserved)
		d.effects |= FWA_EFFECT_UNKNOWN; /*= spec/SECURITY-MODEL.md#C8 */
	if (known & CXL_CEL_SECONDARY_MAILBOX)
		d.attributes |= FWA_ATTR_SECONDARY_MAILBOX;
	if (known & CXL_CEL_ABORT_SUPPORTED)
		d.attributes |= FWA_ATTR_ABORT_SUPPORTED;
	return d;
}

/* The part of @dword that holds reserved bits or reserved values. */
static uint32_t nvme_reserved(uint32_t dword)
{
	uint32_t reserved = dword & NVME_EFFECT_RESERVED;
	uint32_t cse = dword >> NVME_EFFECT_CSE_SHIFT & NVME_EFFECT_CSE_MASK;
	uint32_t cser = dword >> NVME_EFFECT_CSER_SHIFT & NVME_EFFECT_CSER_MASK;

	if (cse > 2)
		reserved |= cse << NVME_EFFECT_CSE_SHIFT;
	if (cser > 1)
		reserved |= cser << NVME_EFFECT_CSER_SHIFT;
	return reserved;
}

/* What both NVMe logs say in the same bits. */
static struct fwa_declared nvme_common(uint32_t dword, uint32_t reserved, uint32_t scopes)
{
	struct fwa_declared d = { .raw = dword, .reserved = reserved };

	if (dword & NVME_EFFECT_LBCC)
		d.effects |= FWA_EFFECT_DATA;
	if (dword & NVME_EFFECT_NCC)
		d.effects |= FWA_EFFECT_NAMESPACE_CAPABILITY;
	if (dword & NVME_EFFECT_NIC)
		d.effects |= FWA_EFFECT_NAMESPACE_INVENTORY;
	if (dword & NVME_EFFECT_CCC)
		d.effects |= FWA_EFFECT_CONTROLLER_CAPABILITY;
	if (reserved)
		d.effects |= FWA_EFFECT_UNKNOWN; /*= spec/SECURITY-MODEL.md#C8 */
	if (dword & NVME_EFFECT_UUID_SELECTION)
		d.attributes |= FWA_ATTR_UUID_SELECTION;
	d.attributes |= (dword >> NVME_EFFECT_SCOPE_SHIFT & scopes) * FWA_ATTR_SCOPE_NAMESPACE;
	return d;
}

struct fwa_declared fwa_nvme_declared(uint32_t dword)
{
	static const uint32_t exclusive = NVME_EFFECT_CSE_MASK << NVME_EFFECT_CSE_SHIFT |
					  NVME_EFFECT_CSER_MASK << NVME_EFFECT_CSER_SHIFT;
	struct fwa_declared d = nvme_common(dword, nvme_reserved(dword), NVME_EFFECT_SCOPE_KNOWN);

	if (dword & exclusive)
		d.effects |= FWA_EFFECT_EXCLUSIVE;
	return d;
}

struct fwa_declared fwa_nvme_feature_declared(uint32_t dword)
{
	return nvme_common(dword, dword & NVME_FEATURE_RESERVED, NVME_FEATURE_SCOPE_KNOWN);
}

const char *fwa_effect_name(unsigned int bit)
{
	return bit < FWA_EFFECT_COUNT ? effect_names[bit] : NULL;
}

const char *fwa_attribute_name(unsigned int bit)
{
	return bit < FWA_ATTR_COUNT ? attribute_names[bit] : NULL;
}

fwa_effects fwa_effect_by_name(const char *name, size_t len)
{
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++) {
		const char *n = effect_names[bit];
		size_t i = 0;

		while (i < len && n[i] && n[i] == name[i])
			i++;
		if (i == len && !n[i])
			return 1u << bit;
	}
	return 0;
}
