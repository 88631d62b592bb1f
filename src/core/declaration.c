/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One function for the profile that is in force and for the one that was accepted, so that the two
 * are read the same way.
 */
#include "core/declaration.h"

#include "wire/cxl.h"
#include "wire/nvme.h"

/* Set Feature is declared by the Feature's own entry. */
/*= spec/SECURITY-MODEL.md#C10 */
static enum fwa_detail of_feature(const struct fwa_profile *p, const struct fwa_command *cmd,
				  const uint8_t *uuid, struct fwa_declaration *d)
{
	uint32_t reserved = d->declared.reserved;

	if (!uuid)
		return FWA_DETAIL_NONE;
	if (!fwa_profile_feature_by_uuid(p, uuid, &d->feature))
		return FWA_DETAIL_FEATURE_UNKNOWN;
	if (cmd->opcode != CXL_OP_SET_FEATURE)
		return FWA_DETAIL_NONE;
	if (!(d->feature.flags & CXL_FEATURE_CHANGEABLE))
		return FWA_DETAIL_FEATURE_READ_ONLY;
	d->has_feature = true;
	d->declared = fwa_cxl_declared(d->feature.effects);
	if (reserved) { /* of the command's own word: C8 */
		d->declared.reserved |= reserved;
		d->declared.effects |= FWA_EFFECT_UNKNOWN;
	}
	return FWA_DETAIL_NONE;
}

/*
 * Pages 00h and 12h were read without a UUID: what they say of vendor specific pages and features is
 * not about those of another vendor.
 */
static bool of_other_vendor(const struct fwa_command *cmd, uint8_t id)
{
	return id >= NVME_ID_VENDOR && cmd->cdw[4] & NVME_UUID_INDEX;
}

static enum fwa_detail of_log_page(const struct fwa_profile *p, const struct fwa_command *cmd,
				   uint8_t lid)
{
	if (!p->nvme_logs.len || (fwa_profile_lid(p, lid) && !of_other_vendor(cmd, lid)))
		return FWA_DETAIL_NONE;
	return FWA_DETAIL_LID_UNLISTED;
}

/* What page 12h says of the feature comes on top of what page 05h says of Set Features (C7). */
static enum fwa_detail of_fid(const struct fwa_profile *p, const struct fwa_command *cmd,
			      uint8_t fid, struct fwa_declaration *d)
{
	struct fwa_declared own;

	if (!fwa_profile_fid(p, fid, &own) || (p->nvme_features.len && of_other_vendor(cmd, fid)))
		return FWA_DETAIL_FID_UNLISTED;
	if (cmd->opcode != NVME_OP_SET_FEATURES)
		return FWA_DETAIL_NONE;
	d->declared.reserved |= own.reserved;
	d->declared.effects |= own.effects;
	d->declared.attributes |= own.attributes;
	return FWA_DETAIL_NONE;
}

/*= spec/SECURITY-MODEL.md#C6 */
enum fwa_detail fwa_declaration_of(const struct fwa_profile *p, const struct fwa_command *cmd,
				   const struct fwa_selector *selector, struct fwa_declaration *ret)
{
	*ret = (struct fwa_declaration){ 0 };
	if (!fwa_profile_declared(p, cmd->set, cmd->opcode, &ret->declared))
		return FWA_DETAIL_NOT_LISTED;
	return fwa_declaration_narrow(p, cmd, selector, ret);
}

/*= spec/SECURITY-MODEL.md#C6 */
enum fwa_detail fwa_declaration_narrow(const struct fwa_profile *p, const struct fwa_command *cmd,
				       const struct fwa_selector *selector,
				       struct fwa_declaration *d)
{
	uint32_t size;

	switch (selector->kind) {
	case FWA_SELECT_FEATURE_UUID:
		return of_feature(p, cmd, selector->uuid, d);
	case FWA_SELECT_LID:
		return of_log_page(p, cmd, selector->value);
	case FWA_SELECT_FID:
		return of_fid(p, cmd, selector->value, d);
	case FWA_SELECT_LOG_UUID:
		return !selector->uuid || fwa_profile_log_size(p, selector->uuid, &size)
			       ? FWA_DETAIL_NONE
			       : FWA_DETAIL_LOG_UNKNOWN;
	default:
		return FWA_DETAIL_NONE;
	}
}
