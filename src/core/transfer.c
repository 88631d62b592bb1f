/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following a transfer of a Feature by the commands that were sent.
 */
#include "core/transfer.h"

#include "base/uuid.h"
#include "wire/cxl.h"

unsigned int fwa_transfer_part(const struct fwa_command *cmd)
{
	if (cmd->set != FWA_SET_CXL || cmd->opcode != CXL_OP_SET_FEATURE ||
	    cmd->payload.len < CXL_SET_FEATURE_HEADER_LEN)
		return CXL_PART_FULL;
	return cmd->payload.data[CXL_SET_FEATURE_FLAGS] & CXL_SET_FEATURE_PART;
}

bool fwa_transfer_named(const uint8_t *uuid)
{
	return fwa_uuid_eq(uuid, CXL_UUID_IN_TRANSFER);
}

/*= spec/SECURITY-MODEL.md#C10 */
void fwa_transfer_follow(struct fwa_transfer *t, const struct fwa_command *cmd, bool completed)
{
	unsigned int part = fwa_transfer_part(cmd);

	if (part == CXL_PART_FULL)
		return;
	t->running = completed && (part == CXL_PART_INITIATE || part == CXL_PART_CONTINUE);
	if (t->running && !fwa_transfer_named(cmd->payload.data))
		memcpy(t->uuid, cmd->payload.data, sizeof(t->uuid));
}
