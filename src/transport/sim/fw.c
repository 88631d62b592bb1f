/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware slots, transfer and activation (CXL 3.1 section 8.2.9.3).
 *
 * A package of this device begins with a head of 32 bytes: "SIMFWPKG", le32 flags (bit 0: its
 * activation fails and is rolled back; bit 1: it needs a cold reset; the others say what the device
 * declares from then on: change.c), le16 opcode, le16 effects, 16 bytes of revision. Only the head is
 * kept.
 */
#include "transport/sim/sim.h"

#include <stdio.h>

#define TRANSFER_HEADER_LEN 128
#define ONLINE_ACTIVATION (1u << 0) /* Get FW Info: activation capability */

#define PACKAGE_MAX (32u << 20)
#define PACKAGE_MAGIC "SIMFWPKG"
#define PACKAGE_FLAGS 8
#define PACKAGE_REVISION 16
#define PACKAGE_FAILS (1u << 0)
#define PACKAGE_NEEDS_RESET (1u << 1)

enum transfer_action {
	TRANSFER_FULL,
	TRANSFER_INITIATE,
	TRANSFER_CONTINUE,
	TRANSFER_END,
	TRANSFER_ABORT,
};

enum activate_action {
	ACTIVATE_ONLINE,
	ACTIVATE_AT_RESET,
};

const uint8_t *sim_firmware_revision(const struct sim *s, unsigned int slot)
{
	return s->firmware.head[slot - 1] + PACKAGE_REVISION;
}

void sim_firmware_init(struct sim *s)
{
	char revision[SIM_FW_REVISION_LEN + 1] = "";
	uint8_t *head = s->firmware.head[0];

	snprintf(revision, sizeof(revision), "1.%u.0", (unsigned int)(s->options.seed % 1000));
	memcpy(head, PACKAGE_MAGIC, 8);
	memcpy(head + PACKAGE_REVISION, revision, SIM_FW_REVISION_LEN);
	s->firmware.filled[0] = true;
	s->firmware.active = 1;
}

uint16_t sim_get_fw_info(struct sim *s, struct sim_call *c)
{
	uint8_t *out = fwa_write_room(&c->out, 80);

	out[0] = SIM_FW_SLOTS;
	out[1] = (uint8_t)(s->firmware.active | s->firmware.staged << 3);
	out[2] = ONLINE_ACTIVATION;
	for (unsigned int slot = 1; slot <= SIM_FW_SLOTS; slot++)
		memcpy(out + 16 * slot, sim_firmware_revision(s, slot), SIM_FW_REVISION_LEN);
	return CXL_RC_SUCCESS;
}

/* Keeps what @data at @at brings of the package's head. */
static void take_head(struct sim_firmware *f, uint64_t at, const uint8_t *data, size_t len)
{
	if (at)
		return;
	memset(f->coming, 0, sizeof(f->coming));
	memcpy(f->coming, data, len < sizeof(f->coming) ? len : sizeof(f->coming));
}

/* The whole package is here: checks it and fills its slot with it. */
static uint16_t take_package(struct sim *s)
{
	struct sim_firmware *f = &s->firmware;

	f->transferring = false;
	if (memcmp(f->coming, PACKAGE_MAGIC, 8) != 0)
		return CXL_RC_FW_AUTH;
	memcpy(f->head[f->slot - 1], f->coming, SIM_FW_HEAD_LEN);
	f->filled[f->slot - 1] = true;
	return CXL_RC_SUCCESS;
}

static void make_active(struct sim *s, uint8_t slot)
{
	s->firmware.active = slot;
	s->firmware.staged = 0;
	sim_change(s, s->firmware.head[slot - 1]);
}

static uint16_t activate(struct sim *s)
{
	struct sim_firmware *f = &s->firmware;
	uint32_t flags = fwa_le32(f->head[f->slot - 1] + PACKAGE_FLAGS);

	if (flags & PACKAGE_FAILS)
		return CXL_RC_FW_ROLLED_BACK;
	if (flags & PACKAGE_NEEDS_RESET) {
		f->staged = f->slot;
		return CXL_RC_FW_COLD_RESET;
	}
	make_active(s, f->slot);
	return CXL_RC_SUCCESS;
}

/* Done at once, or with the option fw-ms in the background. What came of it is then not told. */
static uint16_t work(struct sim *s, uint16_t opcode, uint16_t (*finish)(struct sim *s))
{
	if (s->options.fw_ms)
		return sim_background_start(s, opcode, s->options.fw_ms, finish);
	return finish ? finish(s) : CXL_RC_SUCCESS;
}

static uint16_t check_part(const struct sim_firmware *f, unsigned int action, uint64_t at,
			   size_t len)
{
	bool begins = action == TRANSFER_FULL || action == TRANSFER_INITIATE;
	bool again = at == f->part_at && len == f->part_len;

	if (f->transferring && begins)
		return CXL_RC_FW_IN_PROGRESS;
	if (!f->transferring && !begins)
		return CXL_RC_INVALID_INPUT;
	if (!len || at + len > PACKAGE_MAX || (begins && at))
		return CXL_RC_INVALID_INPUT;
	if ((action == TRANSFER_INITIATE || action == TRANSFER_CONTINUE) && len % SIM_FW_UNIT)
		return CXL_RC_INVALID_INPUT;
	/* A part may be sent again; else each one follows the one before. */
	if (!begins && !again && at != f->part_at + f->part_len)
		return CXL_RC_FW_OUT_OF_ORDER;
	return CXL_RC_SUCCESS;
}

static uint16_t abort_transfer(struct sim_firmware *f)
{
	if (!f->transferring)
		return CXL_RC_INVALID_INPUT;
	f->transferring = false;
	return CXL_RC_SUCCESS;
}

uint16_t sim_transfer_fw(struct sim *s, struct sim_call *c)
{
	struct sim_firmware *f = &s->firmware;
	unsigned int action = c->in.data[0], slot = c->in.data[1];
	uint64_t at = (uint64_t)fwa_le32(c->in.data + 4) * SIM_FW_UNIT;
	size_t len = c->in.len - TRANSFER_HEADER_LEN;
	uint16_t code;

	if (action == TRANSFER_ABORT)
		return abort_transfer(f);
	if (action > TRANSFER_ABORT)
		return CXL_RC_INVALID_INPUT;
	code = check_part(f, action, at, len);
	if (code == CXL_RC_FW_OUT_OF_ORDER)
		f->transferring = false;
	if (code != CXL_RC_SUCCESS)
		return code;
	if ((action == TRANSFER_FULL || action == TRANSFER_END) &&
	    (!slot || slot > SIM_FW_SLOTS || slot == f->active))
		return CXL_RC_FW_SLOT;
	take_head(f, at, c->in.data + TRANSFER_HEADER_LEN, len);
	if (action == TRANSFER_FULL || action == TRANSFER_END) {
		f->slot = (uint8_t)slot;
		return work(s, c->opcode, take_package);
	}
	f->transferring = true;
	f->part_at = at;
	f->part_len = len;
	return work(s, c->opcode, NULL);
}

void sim_firmware_abort(struct sim *s)
{
	s->firmware.transferring = false;
}

void sim_firmware_apply_staged(struct sim *s)
{
	if (s->firmware.staged)
		make_active(s, s->firmware.staged);
}

uint16_t sim_activate_fw(struct sim *s, struct sim_call *c)
{
	struct sim_firmware *f = &s->firmware;
	unsigned int action = c->in.data[0], slot = c->in.data[1];

	if (action > ACTIVATE_AT_RESET)
		return CXL_RC_INVALID_INPUT;
	if (!slot || slot > SIM_FW_SLOTS || !f->filled[slot - 1])
		return CXL_RC_FW_SLOT;
	if (action == ACTIVATE_AT_RESET) {
		f->staged = (uint8_t)slot;
		return CXL_RC_SUCCESS;
	}
	f->slot = (uint8_t)slot;
	return work(s, c->opcode, activate);
}
