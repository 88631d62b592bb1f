/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe commands from options: fields of the command dwords, and the length of the data, which the
 * model's rules put where the command has it (NVM Express Base 2.0).
 */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "cli/command.h"
#include "wire/nvme.h"

struct field {
	uint8_t set;
	uint8_t opcode;
	uint8_t option;
	uint8_t cdw;
	uint8_t shift;
	uint8_t bits; /* 64: two dwords */
};

enum {
	OP_NS_MGMT = 0x0d,
	OP_NS_ATTACH = 0x15,
	OP_FORMAT = 0x80,
};

static const struct field fields[] = {
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, CLI_OPT_LID, 10, 0, 8 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, CLI_OPT_LSP, 10, 8, 7 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, CLI_OPT_RAE, 10, 15, 1 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, CLI_OPT_LSI, 11, 16, 16 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, CLI_OPT_OFFSET, 12, 0, 64 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, CLI_OPT_CNS, 10, 0, 8 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES, CLI_OPT_FID, 10, 0, 8 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES, CLI_OPT_SELECTION, 10, 31, 1 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES, CLI_OPT_FID, 10, 0, 8 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES, CLI_OPT_SELECTION, 10, 8, 3 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_COMMIT, CLI_OPT_SLOT, 10, 0, 3 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_COMMIT, CLI_OPT_ACTION, 10, 3, 3 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD, CLI_OPT_OFFSET, 11, 0, 32 },
	{ FWA_SET_NVME_ADMIN, OP_NS_MGMT, CLI_OPT_ACTION, 10, 0, 4 },
	{ FWA_SET_NVME_ADMIN, OP_NS_ATTACH, CLI_OPT_ACTION, 10, 0, 4 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST, CLI_OPT_ACTION, 10, 0, 4 },
	{ FWA_SET_NVME_ADMIN, OP_FORMAT, CLI_OPT_ACTION, 10, 9, 3 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SANITIZE, CLI_OPT_ACTION, 10, 0, 3 },
};

/* Bytes of log pages, where there is one length for all devices. */
static const struct {
	uint8_t lid;
	uint32_t length;
} lengths[] = {
	{ NVME_LID_SUPPORTED, 1024 },
	{ 0x01, 64 }, /* the first error */
	{ NVME_LID_SMART, 512 },
	{ 0x03, 512 },  /* firmware slots */
	{ 0x04, 4096 }, /* changed namespaces */
	{ NVME_LID_EFFECTS, NVME_EFFECTS_LEN },
	{ NVME_LID_SELF_TEST, 564 },
	{ 0x07, 512 }, /* telemetry: the header */
	{ 0x08, 512 },
	{ 0x09, 512 }, /* endurance group */
	{ 0x0d, 512 }, /* persistent events: the header */
	{ NVME_LID_FEATURES, 1024 },
	{ 0x13, 1024 }, /* NVMe-MI effects */
	{ 0x80, 64 },   /* reservation */
	{ NVME_LID_SANITIZE, 512 },
};

static bool is_io(const struct cli_build *b)
{
	return b->out->cmd.set == FWA_SET_NVME_IO;
}

static uint32_t *cdw(struct cli_build *b, unsigned int n)
{
	return &b->out->cmd.cdw[n - 10];
}

static bool cdw_given(const struct cli_build *b, unsigned int n)
{
	return cli_given(&b->cli->args, CLI_OPT_CDW10 + n - 10);
}

/* --- selectors ------------------------------------------------------------------------------ */

static int named_value(struct cli_build *b, enum cli_option_id id, uint64_t *ret)
{
	const char *text = b->cli->args.text[id];
	int value;

	if (fwa_parse_number(text, 0xff, ret))
		return CLI_OK;
	value = fwa_model_value_by_name(b->out->row, text);
	if (value < 0)
		return cli_build_unnamed(b, id, b->out->row, text);
	*ret = (uint64_t)value;
	return CLI_OK;
}

static bool is_named(uint8_t option)
{
	return option == CLI_OPT_FID || option == CLI_OPT_LID || option == CLI_OPT_CNS;
}

static int option_value(struct cli_build *b, const struct field *f, uint64_t *ret)
{
	int r = CLI_OK;

	if (is_named(f->option))
		return named_value(b, f->option, ret);
	switch (f->option) {
	case CLI_OPT_RAE:
		*ret = 1;
		return r;
	case CLI_OPT_SELECTION:
		if (!cli_build_selection(b, ret, &r))
			return r;
		if (f->opcode == NVME_OP_SET_FEATURES && *ret != 0 && *ret != 2)
			return cli_fail(b->cli, CLI_USAGE,
					"set-features sets the current or the saved value");
		*ret >>= f->opcode == NVME_OP_SET_FEATURES; /* saved is one bit there */
		return r;
	default:
		*ret = b->cli->args.number[f->option];
		return r;
	}
}

/*
 * An option that was not given leaves its field 0. That is no page, feature or structure to assume,
 * and no action where 0 is reserved.
 */
static int leave_field(struct cli_build *b, const struct field *f)
{
	const struct fwa_model_command *row = b->out->row;

	if (cdw_given(b, f->cdw))
		return CLI_OK;
	if (is_named(f->option))
		return cli_build_unnamed(b, f->option, row, NULL);
	if (f->option == CLI_OPT_ACTION && row && row->operations &&
	    row->operations->all[0].floor & FWA_EFFECT_UNKNOWN)
		return cli_build_no_action(b);
	return CLI_OK;
}

static int put_field(struct cli_build *b, const struct field *f)
{
	uint64_t value = 0;
	int r;

	if (!cli_build_takes(b, f->option))
		return leave_field(b, f);
	r = option_value(b, f, &value);
	if (r != CLI_OK)
		return r;
	if (f->opcode == NVME_OP_FW_DOWNLOAD && f->option == CLI_OPT_OFFSET) {
		if (value % 4)
			return cli_fail(b->cli, CLI_USAGE, "--offset: not a multiple of 4");
		value /= 4;
	}
	if (f->bits < 64 && value >> f->bits)
		return cli_fail(b->cli, CLI_USAGE, "--%s: too great for %s",
				cli_options[f->option].name, cli_build_name(b));
	*cdw(b, f->cdw) |= (uint32_t)(value << f->shift);
	if (f->bits == 64)
		*cdw(b, f->cdw + 1u) |= (uint32_t)(value >> 32);
	return CLI_OK;
}

static int put_fields(struct cli_build *b)
{
	const struct fwa_command *cmd = &b->out->cmd;
	int r = CLI_OK;

	for (unsigned int n = 10; n <= 15; n++) {
		if (cli_build_takes(b, CLI_OPT_CDW10 + n - 10))
			*cdw(b, n) = (uint32_t)b->cli->args.number[CLI_OPT_CDW10 + n - 10];
	}
	for (size_t i = 0; r == CLI_OK && i < FWA_ARRAY_SIZE(fields); i++) {
		if (fields[i].set == cmd->set && fields[i].opcode == cmd->opcode)
			r = put_field(b, &fields[i]);
	}
	return r;
}

static int put_namespace(struct cli_build *b)
{
	struct fwa_command *cmd = &b->out->cmd;
	uint64_t nsid =
		cmd->opcode == NVME_OP_GET_LOG_PAGE ? NVME_NSID_ALL : 0; /* the controller's */
	int r = CLI_OK;

	if (cli_build_takes(b, CLI_OPT_NSID))
		nsid = b->cli->args.number[CLI_OPT_NSID];
	else if (is_io(b) || cmd->opcode == OP_FORMAT)
		r = cli_build_missing(b, CLI_OPT_NSID, 1, &nsid);
	cmd->nsid = (uint32_t)nsid;
	return r;
}

/* --- data ----------------------------------------------------------------------------------- */

#define ASSUMED_LENGTH 512 /* a block, and a whole number of dwords */

/* The length of the data that the controller sends, when the specification has just one. */
static bool known_length(const struct cli_build *b, uint32_t *ret)
{
	const struct fwa_model_command *row = b->out->row;
	const struct fwa_command *cmd = &b->out->cmd;

	if (row && row->out_min == row->out_max) {
		*ret = row->out_min;
		return true;
	}
	if (is_io(b) || cmd->opcode != NVME_OP_GET_LOG_PAGE)
		return false;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(lengths); i++) {
		if (lengths[i].lid == (cmd->cdw[0] & 0xff)) {
			*ret = lengths[i].length;
			return true;
		}
	}
	return false;
}

static int put_data(struct cli_build *b)
{
	struct fwa_command *cmd = &b->out->cmd;
	bool from_device = NVME_DIR(cmd->opcode) & NVME_DIR_FROM_DEVICE;
	uint64_t length = 0;
	int r = CLI_OK;

	b->out->payload = fwa_steal(b->data);
	cmd->payload = fwa_span(b->out->payload, b->data_len);
	/* A page may be missing: some features have no data. */
	if (!from_device && b->out->row && b->out->row->n_rules &&
	    b->out->row->rules[0].kind != FWA_RULE_WHOLE_PAGE)
		return cli_build_zeroes(b, ASSUMED_LENGTH);
	if (b->has_data || !from_device)
		return CLI_OK;
	if (cli_build_takes(b, CLI_OPT_LENGTH))
		length = b->cli->args.number[CLI_OPT_LENGTH];
	else if (known_length(b, &cmd->out_len))
		return CLI_OK;
	else
		r = cli_build_missing(b, CLI_OPT_LENGTH, ASSUMED_LENGTH, &length);
	if (length > FWA_COMMAND_DATA_MAX)
		return cli_fail(b->cli, CLI_USAGE, "--length: a command returns at most %u bytes",
				FWA_COMMAND_DATA_MAX);
	cmd->out_len = (uint32_t)length;
	return r;
}

/* First block and number of blocks; a namespace of unknown format is left to the gate to refuse. */
static int put_blocks(struct cli_build *b, uint64_t len)
{
	uint64_t offset = b->cli->args.number[CLI_OPT_OFFSET];
	struct fwa_namespace ns;

	cli_build_takes(b, CLI_OPT_OFFSET);
	if (!fwa_profile_namespace(b->subject->profile, b->out->cmd.nsid, &ns) || !ns.block_size)
		return CLI_OK;
	if (offset % ns.block_size || len % ns.block_size || !len)
		return cli_fail(b->cli, CLI_USAGE,
				"%s: --offset and data must be whole blocks of %u bytes",
				cli_build_name(b), ns.block_size);
	if (!cdw_given(b, 10))
		*cdw(b, 10) = (uint32_t)(offset / ns.block_size);
	if (!cdw_given(b, 11))
		*cdw(b, 11) = (uint32_t)(offset / ns.block_size >> 32);
	if (!cdw_given(b, 12))
		*cdw(b, 12) = (uint32_t)(len / ns.block_size - 1) & 0xffff;
	return CLI_OK;
}

/* Where the model's rules have the count of the data, 0's based: in which dword, in which unit. */
static const struct count {
	uint8_t rule;
	uint8_t cdw;
	uint8_t unit;
} counts[] = {
	{ FWA_RULE_NUMD_OUT, 10, 4 },
	{ FWA_RULE_NUMD_IN, 10, 4 },
	{ FWA_RULE_DSM_RANGES, 10, 16 },
	{ FWA_RULE_LENGTH_DWORDS_CDW10, 10, 4 },
	{ FWA_RULE_LENGTH_DWORDS_CDW11, 11, 4 },
	{ FWA_RULE_LENGTH_DWORDS_CDW12, 12, 4 },
	{ FWA_RULE_COPY_RANGES, 12, 32 },
};

/* What --cdwN says stays as it is said. */
static int put_count(struct cli_build *b, const struct count *c, uint64_t len)
{
	uint64_t count = len / c->unit - 1;

	if (!len || len % c->unit)
		return cli_fail(b->cli, CLI_USAGE,
				"%s: %llu bytes of data are not a multiple of %u",
				cli_build_name(b), (unsigned long long)len, c->unit);
	if (c->rule == FWA_RULE_NUMD_OUT) {
		if (!cdw_given(b, 11))
			*cdw(b, 11) |= (uint32_t)(count >> 16);
		count = (count & 0xffff) << 16;
	}
	if (!cdw_given(b, c->cdw))
		*cdw(b, c->cdw) |= (uint32_t)count;
	return CLI_OK;
}

static int put_length(struct cli_build *b, uint8_t rule)
{
	uint64_t len = b->out->cmd.payload.len + b->out->cmd.out_len;

	if (rule == FWA_RULE_NLB)
		return put_blocks(b, len);
	if (rule == FWA_RULE_LENGTH_CDW11 && !cdw_given(b, 11))
		*cdw(b, 11) = (uint32_t)len;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(counts); i++) {
		if (counts[i].rule == rule)
			return put_count(b, &counts[i], len);
	}
	return CLI_OK;
}

int cli_build_nvme(struct cli_build *b)
{
	const struct fwa_model_command *row = b->out->row;
	int r = put_namespace(b);

	if (r == CLI_OK)
		r = put_fields(b);
	if (r == CLI_OK)
		r = put_data(b);
	for (uint8_t i = 0; r == CLI_OK && row && i < row->n_rules; i++)
		r = put_length(b, row->rules[i].kind);
	return r;
}
