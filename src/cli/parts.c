/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define FW_UNIT \
	128u /* Transfer FW counts offsets in these, and so do lengths of all parts but the last */
#define FW_OFFSET 4
#define FEATURE_OFFSET 20
#define NVME_UNIT 4u
#define NVME_ROOM \
	4096u /* every controller takes it, whatever its granularity or its greatest transfer */

enum kind {
	NONE,
	CXL_FW,
	CXL_FEATURE,
	NVME_FW,
};

static enum kind kind_of(const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL && cmd->opcode == CXL_OP_TRANSFER_FW)
		return CXL_FW;
	if (cmd->set == FWA_SET_CXL && cmd->opcode == CXL_OP_SET_FEATURE)
		return CXL_FEATURE;
	return cmd->set == FWA_SET_NVME_ADMIN && cmd->opcode == NVME_OP_FW_DOWNLOAD ? NVME_FW
										    : NONE;
}

bool cli_parts_can(const struct fwa_command *cmd)
{
	return kind_of(cmd) != NONE;
}

/* What is a part already, or has no data, goes as it is. */
static bool is_whole(enum kind kind, const struct fwa_command *cmd, size_t header)
{
	const uint8_t *in = cmd->payload.data;

	if (kind == NONE || cmd->payload.len <= header)
		return false;
	if (kind == CXL_FW)
		return in[CXL_TRANSFER_FW_ACTION] == CXL_FW_FULL;
	return kind != CXL_FEATURE ||
	       (in[CXL_SET_FEATURE_FLAGS] & CXL_SET_FEATURE_PART) == CXL_PART_FULL;
}

/* Where in the image or the Feature the data begins, in bytes. */
static uint64_t start_of(enum kind kind, const struct fwa_command *cmd)
{
	if (kind == NVME_FW)
		return (uint64_t)cmd->cdw[1] * NVME_UNIT;
	return kind == CXL_FW ? (uint64_t)fwa_le32(cmd->payload.data + FW_OFFSET) * FW_UNIT
			      : fwa_le16(cmd->payload.data + FEATURE_OFFSET);
}

/* The field for offsets has so many bits: what does not fit would be written elsewhere. */
static bool offsets_fit(enum kind kind, const struct fwa_command *cmd, size_t len)
{
	uint64_t last = start_of(kind, cmd) + len;

	if (kind == CXL_FEATURE)
		return last <= UINT16_MAX;
	return last <= (uint64_t)UINT32_MAX * (kind == CXL_FW ? FW_UNIT : NVME_UNIT);
}

/* How much data a part takes: --length, else what the mailbox has room for. */
static int choose_room(const struct cli *cli, const struct cli_subject *s, enum kind kind,
		       struct cli_parts *p)
{
	static const unsigned int units[] = {
		[CXL_FW] = FW_UNIT, [CXL_FEATURE] = 1, [NVME_FW] = NVME_UNIT
	};
	uint32_t mailbox = s->profile->payload_max ? s->profile->payload_max : CXL_PAYLOAD_MAX;
	size_t most = kind == NVME_FW ? FWA_COMMAND_DATA_MAX : mailbox;

	most = most > p->header ? (most - p->header) / units[kind] * units[kind] : 0;
	p->room = kind == NVME_FW ? NVME_ROOM : most;
	if (cli_given(&cli->args, CLI_OPT_LENGTH))
		p->room = cli->args.number[CLI_OPT_LENGTH];
	if (p->room && p->room <= most && p->room % units[kind] == 0)
		return CLI_OK;
	return cli_fail(cli, CLI_USAGE,
			"--length: a part of this command has at most %zu bytes of data, a "
			"multiple of %u",
			most, units[kind]);
}

int cli_parts_of(const struct cli *cli, const struct cli_subject *s,
		 const struct cli_command *whole, struct cli_parts *ret)
{
	const struct fwa_command *cmd = &whole->cmd;
	enum kind kind = kind_of(cmd);
	size_t len;
	int r;

	*ret = (struct cli_parts){ .whole = whole, .n = 1 };
	if (kind == CXL_FW)
		ret->header = CXL_TRANSFER_FW_HEADER_LEN;
	else if (kind == CXL_FEATURE)
		ret->header = CXL_SET_FEATURE_HEADER_LEN;
	if (!is_whole(kind, cmd, ret->header))
		return CLI_OK;
	r = choose_room(cli, s, kind, ret);
	if (r != CLI_OK)
		return r;
	len = cmd->payload.len - ret->header;
	if (len <= ret->room)
		return CLI_OK;
	if (!offsets_fit(kind, cmd, len))
		return cli_fail(cli, CLI_USAGE, "%zu bytes are more than the command can address",
				len);
	ret->payload = malloc(ret->header + ret->room);
	if (!ret->payload)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	ret->n = (len + ret->room - 1) / ret->room;
	return CLI_OK;
}

/* Initiate, continue and end have the same values in both commands. */
static void mark(enum kind kind, uint8_t *payload, size_t i, size_t n, uint64_t offset)
{
	uint8_t part = i == 0 ? CXL_PART_INITIATE : i + 1 < n ? CXL_PART_CONTINUE : CXL_PART_FINISH;

	if (kind == CXL_FW) {
		payload[CXL_TRANSFER_FW_ACTION] = part;
		fwa_put_le32(payload + FW_OFFSET, (uint32_t)(offset / FW_UNIT));
	} else {
		payload[CXL_SET_FEATURE_FLAGS] |= part;
		fwa_put_le16(payload + FEATURE_OFFSET, (uint16_t)offset);
	}
}
_Static_assert(CXL_PART_INITIATE == (int)CXL_FW_INITIATE &&
		       CXL_PART_CONTINUE == (int)CXL_FW_CONTINUE &&
		       CXL_PART_FINISH == (int)CXL_FW_END,
	       "mark() marks parts of both");

struct fwa_command cli_parts_get(struct cli_parts *p, size_t i)
{
	struct fwa_command cmd = p->whole->cmd;
	enum kind kind = kind_of(&cmd);
	const uint8_t *all = cmd.payload.data;
	size_t at = i * p->room, len;
	uint64_t offset;

	if (p->n == 1)
		return cmd;
	offset = start_of(kind, &cmd) + at;
	len = cmd.payload.len - p->header - at;
	if (len > p->room)
		len = p->room;
	memcpy(p->payload, all, p->header);
	memcpy(p->payload + p->header, all + p->header + at, len);
	cmd.payload = fwa_span(p->payload, p->header + len);
	if (kind == NVME_FW) {
		cmd.cdw[0] = (uint32_t)(len / NVME_UNIT - 1);
		cmd.cdw[1] = (uint32_t)(offset / NVME_UNIT);
	} else {
		mark(kind, p->payload, i, p->n, offset);
	}
	return cmd;
}

void cli_parts_free(struct cli_parts *p)
{
	free(p->payload);
	p->payload = NULL;
}
