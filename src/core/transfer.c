/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following transfers by the commands that were sent.
 */
#include "core/transfer.h"

#include "base/uuid.h"
#include "wire/nvme.h"

/* --- Features ------------------------------------------------------------------------------- */

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

/* A part that may have begun a transfer, or shows that there is one. */
static void follow_data(struct fwa_transfer *t, const struct fwa_command *cmd, enum fwa_sent sent,
			bool begins)
{
	const uint8_t *in = cmd->payload.data;
	bool was_left = t->left, named = fwa_transfer_named(in);

	t->running = sent == FWA_SENT_DONE && (t->running || !named);
	if (t->running || (begins && sent == FWA_SENT_UNKNOWN))
		t->left = true;
	/* The device may still hold the one before, whatever became of this. */
	if (named || !t->left || (was_left && !t->running))
		return;
	memcpy(t->uuid, in, sizeof(t->uuid));
	t->version = in[CXL_SET_FEATURE_VERSION];
}

/*= spec/SECURITY-MODEL.md#C10 */
void fwa_transfer_follow(struct fwa_transfer *t, const struct fwa_command *cmd, enum fwa_sent sent)
{
	switch (fwa_transfer_part(cmd)) {
	case CXL_PART_FULL:
		return;
	case CXL_PART_INITIATE:
		follow_data(t, cmd, sent, true);
		return;
	case CXL_PART_CONTINUE:
		follow_data(t, cmd, sent, false);
		return;
	default:
		t->running = false;
		if (sent == FWA_SENT_DONE)
			t->left = false;
	}
}

struct fwa_command fwa_transfer_abort(const struct fwa_transfer *t,
				      uint8_t payload[FWA_TRANSFER_ABORT_LEN])
{
	memset(payload, 0, FWA_TRANSFER_ABORT_LEN);
	memcpy(payload, t->uuid, sizeof(t->uuid));
	payload[CXL_SET_FEATURE_FLAGS] = CXL_PART_ABORT;
	payload[CXL_SET_FEATURE_VERSION] = t->version;
	return (struct fwa_command){ .set = FWA_SET_CXL,
				     .scope = FWA_SCOPE_LEAST,
				     .opcode = CXL_OP_SET_FEATURE,
				     .payload = { payload, FWA_TRANSFER_ABORT_LEN } };
}

/* --- firmware ------------------------------------------------------------------------------- */

bool fwa_firmware_part(const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL)
		return cmd->opcode == CXL_OP_TRANSFER_FW;
	return cmd->set == FWA_SET_NVME_ADMIN &&
	       (cmd->opcode == NVME_OP_FW_DOWNLOAD || cmd->opcode == NVME_OP_FW_COMMIT);
}

/* These say that the device has dropped what it held. */
static bool dropped(unsigned int action, uint32_t code)
{
	if (action == CXL_FW_ABORT)
		return code == CXL_RC_INVALID_INPUT; /* it held nothing */
	return code == CXL_RC_FW_OUT_OF_ORDER || code == CXL_RC_FW_AUTH;
}

static void follow_cxl(struct fwa_firmware *f, const struct fwa_command *cmd, enum fwa_sent sent,
		       uint32_t code)
{
	unsigned int action;

	if (cmd->opcode != CXL_OP_TRANSFER_FW || cmd->payload.len < CXL_TRANSFER_FW_HEADER_LEN)
		return;
	action = cmd->payload.data[CXL_TRANSFER_FW_ACTION];
	if (action == CXL_FW_INITIATE || action == CXL_FW_CONTINUE) {
		if (sent == FWA_SENT_DONE ||
		    (sent == FWA_SENT_UNKNOWN && action == CXL_FW_INITIATE))
			*f = (struct fwa_firmware){ .running = true, .set = FWA_SET_CXL };
	} else if (sent == FWA_SENT_DONE) {
		f->running = false;
	}
	if (sent == FWA_SENT_FAILED && dropped(action, code))
		f->running = false;
}

static void follow_nvme(struct fwa_firmware *f, const struct fwa_command *cmd, enum fwa_sent sent)
{
	unsigned int action = NVME_COMMIT_ACTION(cmd->cdw[0]);

	if (cmd->opcode == NVME_OP_FW_DOWNLOAD && sent != FWA_SENT_FAILED)
		*f = (struct fwa_firmware){ .running = true, .set = FWA_SET_NVME_ADMIN };
	/* The two that put an image in use that was there before leave the one that came. */
	if (cmd->opcode == NVME_OP_FW_COMMIT && sent == FWA_SENT_DONE &&
	    action != NVME_COMMIT_ACTIVATE && action != NVME_COMMIT_ACTIVATE_BOOT)
		f->running = false;
}

void fwa_firmware_follow(struct fwa_firmware *f, const struct fwa_command *cmd, enum fwa_sent sent,
			 uint32_t code)
{
	if (cmd->set == FWA_SET_CXL)
		follow_cxl(f, cmd, sent, code);
	else if (cmd->set == FWA_SET_NVME_ADMIN)
		follow_nvme(f, cmd, sent);
}

bool fwa_firmware_abort(const struct fwa_firmware *f, uint8_t payload[CXL_TRANSFER_FW_HEADER_LEN],
			struct fwa_command *ret)
{
	if (!f->running || f->set != FWA_SET_CXL)
		return false;
	memset(payload, 0, CXL_TRANSFER_FW_HEADER_LEN);
	payload[CXL_TRANSFER_FW_ACTION] = CXL_FW_ABORT;
	*ret = (struct fwa_command){ .set = FWA_SET_CXL,
				     .scope = FWA_SCOPE_LEAST,
				     .opcode = CXL_OP_TRANSFER_FW,
				     .payload = { payload, CXL_TRANSFER_FW_HEADER_LEN } };
	return true;
}
