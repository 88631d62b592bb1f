/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features, as far as one dword holds them (NVM Express Base 2.0, section 5.27).
 */
#include "transport/sim/nvme.h"

#define SELECT_CAPABILITIES 3
#define CAPABLE_SAVE (1u << 0)
#define CAPABLE_CHANGE (1u << 2)
#define SAVE (1u << 31)

static const struct {
	uint8_t fid;
	bool saveable;
	uint32_t initial;
	uint32_t mask; /* of what is not reserved */
} features[SIM_NVME_FEATURES] = {
	{ 0x01, false, 0x00000006, 0xffffff07 }, /* arbitration */
	{ 0x04, false, 0x00000157, 0x003fffff }, /* temperature threshold: 343 K */
	{ 0x06, true, 0x00000001, 0x00000001 },  /* volatile write cache */
	{ 0x0b, false, 0x00000000, 0x0000ffff }, /* asynchronous events */
	{ 0x80, true, 0x00000000, 0x000000ff },  /* software progress */
};

void sim_nvme_features_init(struct sim_nvme *n)
{
	for (unsigned int selection = 0; selection < SIM_SELECTIONS; selection++)
		for (unsigned int i = 0; i < SIM_NVME_FEATURES; i++)
			n->feature[selection][i] = features[i].initial;
}

void sim_nvme_features_reset(struct sim_nvme *n)
{
	memcpy(n->feature[SIM_CURRENT], n->feature[SIM_SAVED], sizeof(n->feature[SIM_CURRENT]));
}

/* The number of feature @fid here, SIM_NVME_FEATURES when there is none. */
static unsigned int find(uint8_t fid)
{
	unsigned int i = 0;

	while (i < SIM_NVME_FEATURES && features[i].fid != fid)
		i++;
	return i;
}

uint32_t *sim_nvme_feature(struct sim_nvme *n, uint8_t fid)
{
	return &n->feature[SIM_CURRENT][find(fid)];
}

uint16_t sim_nvme_set_features(struct sim_nvme *n, const struct fwa_command *cmd)
{
	unsigned int i = find((uint8_t)cmd->cdw[0]);
	bool save = cmd->cdw[0] & SAVE;

	if (i == SIM_NVME_FEATURES || cmd->cdw[1] & ~features[i].mask)
		return NVME_INVALID_FIELD;
	if (save && !features[i].saveable)
		return NVME_FEATURE_NOT_SAVEABLE;
	n->feature[SIM_CURRENT][i] = cmd->cdw[1];
	if (save)
		n->feature[SIM_SAVED][i] = cmd->cdw[1];
	return 0;
}

uint16_t sim_nvme_get_features(struct sim_nvme *n, const struct fwa_command *cmd)
{
	unsigned int i = find((uint8_t)cmd->cdw[0]), select = cmd->cdw[0] >> 8 & 7;

	if (i == SIM_NVME_FEATURES || select > SELECT_CAPABILITIES)
		return NVME_INVALID_FIELD;
	if (select == SELECT_CAPABILITIES)
		n->result = CAPABLE_CHANGE | (features[i].saveable ? CAPABLE_SAVE : 0);
	else
		n->result = n->feature[select][i];
	return 0;
}
