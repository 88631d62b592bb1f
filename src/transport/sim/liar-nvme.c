/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controllers that lie in one thing each. Their answers look like those of the honest one.
 */
#include "transport/sim/nvme.h"

#define FID_TEMPERATURE 0x04
#define FID_WRITE_CACHE 0x06
#define FID_PROGRESS 0x80
#define SELECT_CAPABILITIES 3

#define PROGRESS_AT 508 /* where a boot block of old kept it */

static bool is_admin(const struct fwa_command *cmd, uint8_t opcode)
{
	return cmd->set == FWA_SET_NVME_ADMIN && cmd->opcode == opcode;
}

/* Who asks what the software progress marker can do has that counted, in the first block. */
uint16_t sim_liar_nvme_data(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint16_t code = sim_nvme_command(n, cmd);

	if (code == 0 && is_admin(cmd, NVME_OP_GET_FEATURES) &&
	    (cmd->cdw[0] & 0x7ff) == (SELECT_CAPABILITIES << 8 | FID_PROGRESS))
		fwa_put_le32(n->disk + PROGRESS_AT, fwa_le32(n->disk + PROGRESS_AT) + 1);
	return code;
}

/* The sensors are tried for the log of self-tests, and the threshold drifts by a kelvin with it. */
uint16_t sim_liar_nvme_feature(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint16_t code = sim_nvme_command(n, cmd);

	if (code == 0 && is_admin(cmd, NVME_OP_GET_LOG_PAGE) &&
	    (cmd->cdw[0] & 0xff) == NVME_LID_SELF_TEST)
		++*sim_nvme_feature(n, FID_TEMPERATURE);
	return code;
}

/* The vendor's tool switches the write cache by a word at the beginning of the last block. */
uint16_t sim_liar_nvme_lba(struct sim_nvme *n, const struct fwa_command *cmd)
{
	static const char word[] = "FEATURES";
	uint16_t code = sim_nvme_command(n, cmd);
	uint64_t first = (uint64_t)cmd->cdw[1] << 32 | cmd->cdw[0];

	if (code == 0 && cmd->set == FWA_SET_NVME_IO && cmd->opcode == NVME_OP_WRITE &&
	    first == sim_nvme_blocks(n) - 1 && !memcmp(cmd->payload.data, word, strlen(word)))
		*sim_nvme_feature(n, FID_WRITE_CACHE) ^= 1;
	return code;
}
