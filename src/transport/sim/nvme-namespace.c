/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespace: blocks of 512 bytes, or of 4096 once it was formatted so.
 *
 * The controller moves as many bytes as a command's blocks have: a buffer of another length is refused,
 * where hardware would not see it.
 */
#include "transport/sim/nvme.h"

#define NLBAF 25
#define FORMATS 2
#define LBAF_LEN 4u

static const uint8_t block_shift[FORMATS] = { 9, 12 };

enum secure_erase {
	ERASE_NOT,
	ERASE_USER_DATA,
	ERASE_CRYPTO,
};

uint64_t sim_nvme_blocks(const struct sim_nvme *n)
{
	return SIM_NVME_DISK_LEN >> block_shift[n->format];
}

uint16_t sim_nvme_identify_namespace(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint8_t *page = n->answer;

	if (cmd->nsid != SIM_NVME_NSID)
		return NVME_INVALID_NAMESPACE;
	for (unsigned int i = 0; i < 3; i++) /* size, capacity, utilization */
		fwa_put_le64(page + 8u * i, sim_nvme_blocks(n));
	page[NLBAF] = FORMATS - 1;
	page[NVME_ID_NS_FLBAS] = n->format;
	for (unsigned int i = 0; i < FORMATS; i++)
		page[NVME_ID_NS_LBAF + LBAF_LEN * i + 2] = block_shift[i];
	return 0;
}

/* Where the blocks of @cmd are on the disk, and how many bytes they have. */
static uint16_t find(const struct sim_nvme *n, const struct fwa_command *cmd, size_t *ret_at,
		     size_t *ret_len)
{
	uint64_t first = (uint64_t)cmd->cdw[1] << 32 | cmd->cdw[0];
	uint64_t count = (uint64_t)(cmd->cdw[2] & 0xffff) + 1;

	if (cmd->nsid != SIM_NVME_NSID)
		return NVME_INVALID_NAMESPACE;
	if (first > sim_nvme_blocks(n) || count > sim_nvme_blocks(n) - first)
		return NVME_LBA_RANGE;
	*ret_at = (size_t)(first << block_shift[n->format]);
	*ret_len = (size_t)(count << block_shift[n->format]);
	return 0;
}

/* Nothing is cached. */
uint16_t sim_nvme_flush(struct sim_nvme *n, const struct fwa_command *cmd)
{
	return cmd->nsid == SIM_NVME_NSID || cmd->nsid == NVME_NSID_ALL ? 0
									: NVME_INVALID_NAMESPACE;
}

uint16_t sim_nvme_write(struct sim_nvme *n, const struct fwa_command *cmd)
{
	size_t at = 0, len = 0;
	uint16_t code = find(n, cmd, &at, &len);

	if (code)
		return code;
	if (cmd->payload.len != len)
		return NVME_INVALID_FIELD;
	memcpy(n->disk + at, cmd->payload.data, len);
	return 0;
}

uint16_t sim_nvme_read(struct sim_nvme *n, const struct fwa_command *cmd)
{
	size_t at = 0, len = 0;
	uint16_t code = find(n, cmd, &at, &len);

	if (code)
		return code;
	if (cmd->out_len != len)
		return NVME_INVALID_FIELD;
	memcpy(n->answer, n->disk + at, len);
	return 0;
}

uint16_t sim_nvme_write_zeroes(struct sim_nvme *n, const struct fwa_command *cmd)
{
	size_t at = 0, len = 0;
	uint16_t code = find(n, cmd, &at, &len);

	if (code == 0)
		memset(n->disk + at, 0, len);
	return code;
}

/* CDW10: format 3:0, metadata and protection 8:4, secure erase 11:9, more of the format 13:12. */
uint16_t sim_nvme_format(struct sim_nvme *n, const struct fwa_command *cmd)
{
	unsigned int erase = cmd->cdw[0] >> 9 & 7;
	unsigned int format = (cmd->cdw[0] & 0xf) | (cmd->cdw[0] >> 12 & 3) << 4;

	if (cmd->nsid != SIM_NVME_NSID && cmd->nsid != NVME_NSID_ALL)
		return NVME_INVALID_NAMESPACE;
	if (format >= FORMATS || cmd->cdw[0] >> 4 & 0x1f)
		return NVME_INVALID_FORMAT;
	if (erase > ERASE_CRYPTO)
		return NVME_INVALID_FIELD;
	n->format = (uint8_t)format;
	if (erase == ERASE_CRYPTO)
		sim_nvme_scramble(n);
	else
		sim_nvme_overwrite(n, 0);
	return 0;
}

void sim_nvme_overwrite(struct sim_nvme *n, uint32_t pattern)
{
	for (size_t i = 0; i < SIM_NVME_DISK_LEN; i += 4)
		fwa_put_le32(n->disk + i, pattern);
}

void sim_nvme_scramble(struct sim_nvme *n)
{
	uint64_t key = sim_mix(n->options.seed ^ fwa_le64(n->disk) ^ 1);

	for (size_t i = 0; i < SIM_NVME_DISK_LEN; i += 8)
		fwa_put_le64(n->disk + i, fwa_le64(n->disk + i) ^ sim_mix(key + i));
}
