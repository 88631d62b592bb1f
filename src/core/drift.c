/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking up what has drifted.
 */
#include "core/drift.h"

#include "base/uuid.h"

static uint8_t of_command(const struct fwa_drift *drift, enum fwa_set set, uint16_t opcode)
{
	if (set == FWA_SET_CXL)
		return drift->cxl[opcode];
	return drift->nvme[set == FWA_SET_NVME_IO][opcode & 0xff];
}

static uint8_t of_log(const struct fwa_drift *drift, const struct fwa_profile *profile,
		      const uint8_t *uuid)
{
	size_t n = profile->logs.len / CXL_LOGS_ENTRY_LEN;

	for (size_t i = 0; i < n && i < FWA_PROFILE_LOGS_MAX; i++)
		if (fwa_uuid_eq(profile->logs.data + i * CXL_LOGS_ENTRY_LEN, uuid))
			return drift->log[i];
	return FWA_DETAIL_NONE;
}

static uint8_t of_feature(const struct fwa_drift *drift, const struct fwa_profile *profile,
			  const uint8_t *uuid)
{
	struct fwa_feature feature;
	size_t i;

	if (!fwa_profile_feature_by_uuid(profile, uuid, &feature))
		return FWA_DETAIL_NONE;
	i = (size_t)(feature.uuid - profile->features.data) / CXL_FEATURE_ENTRY_LEN;
	return i < FWA_PROFILE_FEATURES_MAX ? drift->feature[i] : FWA_DETAIL_NONE;
}

static uint8_t of_selector(const struct fwa_drift *drift, const struct fwa_profile *profile,
			   const struct fwa_selector *selector)
{
	switch (selector->kind) {
	case FWA_SELECT_LID:
		return drift->lid[selector->value];
	case FWA_SELECT_FID:
		return drift->fid[selector->value];
	case FWA_SELECT_LOG_UUID:
		return selector->uuid ? of_log(drift, profile, selector->uuid) : FWA_DETAIL_NONE;
	case FWA_SELECT_FEATURE_UUID:
		return selector->uuid ? of_feature(drift, profile, selector->uuid)
				      : FWA_DETAIL_NONE;
	default:
		return FWA_DETAIL_NONE;
	}
}

/*= spec/SECURITY-MODEL.md#C23 */
enum fwa_detail fwa_drift_lookup(const struct fwa_drift *drift, const struct fwa_profile *profile,
				 enum fwa_set set, uint16_t opcode,
				 const struct fwa_selector *selector)
{
	uint8_t detail;

	if (drift->missing)
		return FWA_DETAIL_NOT_PINNED;
	detail = of_command(drift, set, opcode);
	return detail ? detail : of_selector(drift, profile, selector);
}
