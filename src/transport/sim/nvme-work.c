/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware and work that takes time: Device Self-test and Sanitize, which take bg-ms.
 *
 * An image begins with "SIMNVME1" and 8 bytes of revision.
 */
#include "transport/sim/nvme.h"

#define IMAGE_MAGIC "SIMNVME1"

#define SANITIZE_DONE 1

enum sanitize_action {
	SANITIZE_BLOCK_ERASE = 2,
	SANITIZE_OVERWRITE,
	SANITIZE_CRYPTO_ERASE,
};

static void sanitized(struct sim_nvme *n)
{
	n->sanitize_status = SANITIZE_DONE;
	if (n->work.code == SANITIZE_CRYPTO_ERASE)
		sim_nvme_scramble(n);
	else
		sim_nvme_overwrite(n, n->work.code == SANITIZE_OVERWRITE ? n->work.pattern : 0);
}

void sim_nvme_settle(struct sim_nvme *n)
{
	if (!n->work.opcode || sim_now() < n->work.until_ns)
		return;
	if (n->work.opcode == NVME_OP_SANITIZE)
		sanitized(n);
	n->work.opcode = 0;
}

static uint16_t begin(struct sim_nvme *n, const struct fwa_command *cmd, uint8_t code)
{
	n->work.opcode = cmd->opcode;
	n->work.code = code;
	n->work.pattern = cmd->cdw[1];
	n->work.start_ns = sim_now();
	n->work.until_ns = n->work.start_ns + n->options.bg_ms * 1000000;
	return 0;
}

uint16_t sim_nvme_self_test(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint8_t code = cmd->cdw[0] & NVME_SELF_TEST_CODE;

	if (code == NVME_SELF_TEST_ABORT) {
		n->work.opcode = 0;
		return 0;
	}
	if (code != 1 && code != 2)
		return NVME_INVALID_FIELD;
	return n->work.opcode ? NVME_SELF_TEST_IN_PROGRESS : begin(n, cmd, code);
}

/* It ends a self-test that runs. */
uint16_t sim_nvme_sanitize(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint8_t action = cmd->cdw[0] & 7;

	if (action < SANITIZE_BLOCK_ERASE || action > SANITIZE_CRYPTO_ERASE)
		return NVME_INVALID_FIELD;
	n->sanitize_status = NVME_SANITIZE_RUNS;
	return begin(n, cmd, action);
}

uint16_t sim_nvme_download(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint64_t at = (uint64_t)cmd->cdw[1] * 4;

	if (cmd->payload.len != ((uint64_t)cmd->cdw[0] + 1) * 4)
		return NVME_INVALID_FIELD;
	if (at && at != n->image_len)
		return NVME_OVERLAPPING_RANGE;
	if (at + cmd->payload.len > SIM_NVME_IMAGE_MAX)
		return NVME_INVALID_FIELD;
	memcpy(n->image + at, cmd->payload.data, cmd->payload.len);
	n->image_len = (uint32_t)(at + cmd->payload.len);
	return 0;
}

/* What stands in its slot may be replaced later, and is what runs only from the next reset on. */
static void activate(struct sim_nvme *n, uint8_t slot)
{
	n->active = slot;
	n->next = 0;
	memcpy(n->running, n->slot[slot - 1], sizeof(n->running));
}

uint16_t sim_nvme_commit(struct sim_nvme *n, const struct fwa_command *cmd)
{
	unsigned int slot = cmd->cdw[0] & 7, action = NVME_COMMIT_ACTION(cmd->cdw[0]);

	if (action > NVME_COMMIT_ACTIVATE_NOW)
		return NVME_INVALID_FIELD;
	if (!slot || slot > SIM_NVME_SLOTS)
		return NVME_INVALID_SLOT;
	if (action != NVME_COMMIT_ACTIVATE) {
		if (n->image_len < 16 || memcmp(n->image, IMAGE_MAGIC, 8) != 0)
			return NVME_INVALID_IMAGE;
		memcpy(n->slot[slot - 1], n->image + 8, NVME_ID_CTRL_FR_LEN);
		n->image_len = 0;
	}
	if (!n->slot[slot - 1][0])
		return NVME_INVALID_IMAGE;
	if (action == NVME_COMMIT_ACTIVATE_NOW) {
		activate(n, (uint8_t)slot);
	} else if (action) {
		n->next = (uint8_t)slot;
	}
	return 0;
}

void sim_nvme_work_init(struct sim_nvme *n)
{
	memcpy(n->slot[0], "1.0     ", NVME_ID_CTRL_FR_LEN);
	activate(n, 1);
}

void sim_nvme_work_reset(struct sim_nvme *n)
{
	if (n->work.opcode == NVME_OP_SELF_TEST)
		n->work.opcode = 0;
	n->image_len = 0;
	activate(n, n->next ? n->next : n->active);
}
