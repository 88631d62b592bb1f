/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads of CXL mailbox commands from options. The table below says where an option's value goes
 * (CXL 3.1 section 8.2.9); a command that is not in it takes its payload as it is given.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "wire/cxl.h"

enum fallback {
	REQUIRED,
	ZERO,
	REST,    /* what is left behind --offset of the log, the LSA or the Feature */
	MAILBOX, /* as much as the mailbox takes */
};

struct field {
	uint8_t option;
	uint8_t at;
	uint8_t width;
	uint8_t unit; /* the option counts bytes, the field so many of them; 0 = 1 */
	uint8_t fallback;
};

struct layout {
	uint16_t opcode;
	uint8_t header;
	bool data; /* --input or --hex follows the header */
	struct field fields[5];
};

#define UUID16                                             \
	{                                                  \
		CLI_OPT_UUID, 0, FWA_UUID_LEN, 0, REQUIRED \
	}

static const struct layout layouts[] = {
	/* Get Event Records: which event log */
	{ 0x0100, 1, false, { { CLI_OPT_SELECTION, 0, 1, 0, ZERO } } },
	{ CXL_OP_TRANSFER_FW,
	  CXL_TRANSFER_FW_HEADER_LEN,
	  true,
	  { { CLI_OPT_ACTION, 0, 1, 0, ZERO },
	    { CLI_OPT_SLOT, 1, 1, 0, ZERO },
	    { CLI_OPT_OFFSET, 4, 4, 128, ZERO } } },
	{ CXL_OP_ACTIVATE_FW,
	  2,
	  false,
	  { { CLI_OPT_ACTION, 0, 1, 0, ZERO }, { CLI_OPT_SLOT, 1, 1, 0, REQUIRED } } },
	{ CXL_OP_GET_LOG,
	  CXL_GET_LOG_LEN,
	  false,
	  { UUID16, { CLI_OPT_OFFSET, 16, 4, 0, ZERO }, { CLI_OPT_LENGTH, 20, 4, 0, REST } } },
	/* Get Log Capabilities, Clear Log, Populate Log */
	{ 0x0402, FWA_UUID_LEN, false, { UUID16 } },
	{ 0x0403, FWA_UUID_LEN, false, { UUID16 } },
	{ 0x0404, FWA_UUID_LEN, false, { UUID16 } },
	{ CXL_OP_GET_SUPPORTED_FEATURES,
	  CXL_GET_FEATURES_LEN,
	  false,
	  { { CLI_OPT_LENGTH, 0, 4, 0, MAILBOX }, { CLI_OPT_OFFSET, 4, 2, 0, ZERO } } },
	{ CXL_OP_GET_FEATURE,
	  21,
	  false,
	  { UUID16,
	    { CLI_OPT_OFFSET, 16, 2, 0, ZERO },
	    { CLI_OPT_LENGTH, 18, 2, 0, REST },
	    { CLI_OPT_SELECTION, CXL_GET_FEATURE_SELECTION, 1, 0, ZERO } } },
	{ CXL_OP_SET_FEATURE,
	  CXL_SET_FEATURE_HEADER_LEN,
	  true,
	  { UUID16,
	    { CLI_OPT_SELECTION, CXL_SET_FEATURE_FLAGS, 4, 0, ZERO },
	    { CLI_OPT_OFFSET, 20, 2, 0, ZERO } } },
	/* Get LSA, Set LSA */
	{ 0x4102,
	  8,
	  false,
	  { { CLI_OPT_OFFSET, 0, 4, 0, ZERO }, { CLI_OPT_LENGTH, 4, 4, 0, REST } } },
	{ 0x4103, 8, true, { { CLI_OPT_OFFSET, 0, 4, 0, REQUIRED } } },
	/* Get Poison List, Inject Poison, Clear Poison */
	{ 0x4300,
	  16,
	  false,
	  { { CLI_OPT_OFFSET, 0, 8, 0, REQUIRED }, { CLI_OPT_LENGTH, 8, 8, 64, REQUIRED } } },
	{ 0x4301, 8, false, { { CLI_OPT_OFFSET, 0, 8, 0, REQUIRED } } },
	{ 0x4302, 8, true, { { CLI_OPT_OFFSET, 0, 8, 0, REQUIRED } } },
	/* Get Scan Media Capabilities, Scan Media */
	{ 0x4303,
	  16,
	  false,
	  { { CLI_OPT_OFFSET, 0, 8, 0, REQUIRED }, { CLI_OPT_LENGTH, 8, 8, 64, REQUIRED } } },
	{ 0x4304,
	  17,
	  false,
	  { { CLI_OPT_OFFSET, 0, 8, 0, REQUIRED }, { CLI_OPT_LENGTH, 8, 8, 64, REQUIRED } } },
};

static const struct layout *layout_of(uint16_t opcode)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(layouts); i++) {
		if (layouts[i].opcode == opcode)
			return &layouts[i];
	}
	return NULL;
}

/* --- values --------------------------------------------------------------------------------- */

static int put_uuid(struct cli_build *b, uint8_t *at)
{
	const char *text = b->cli->args.text[CLI_OPT_UUID];
	const uint8_t *known = fwa_model_uuid_by_name(b->out->row, text);
	struct fwa_uuid uuid;

	if (known)
		memcpy(at, known, FWA_UUID_LEN);
	else if (fwa_uuid_parse(text, &uuid))
		memcpy(at, uuid.b, FWA_UUID_LEN);
	else
		return cli_build_unnamed(b, CLI_OPT_UUID, b->out->row, text);
	return CLI_OK;
}

static uint64_t mailbox(const struct cli_build *b)
{
	uint32_t size = b->subject->profile->payload_max;

	return size ? size : CXL_PAYLOAD_MAX;
}

/* How long the thing is that @payload selects; false when the device did not say. */
static bool selected_size(const struct cli_build *b, const uint8_t *payload, uint64_t *ret)
{
	const struct fwa_profile *p = b->subject->profile;
	struct fwa_feature feature;
	uint32_t log_size;

	switch (b->out->cmd.opcode) {
	case CXL_OP_GET_LOG:
		if (!fwa_profile_log_size(p, payload, &log_size))
			return false;
		*ret = log_size;
		return true;
	case CXL_OP_GET_FEATURE:
		if (!fwa_profile_feature_by_uuid(p, payload, &feature))
			return false;
		*ret = feature.get_size;
		return true;
	default:
		*ret = p->lsa_size;
		return p->lsa_size;
	}
}

static int fall_back(struct cli_build *b, const struct field *f, const uint8_t *payload,
		     uint64_t *ret)
{
	uint64_t offset = b->cli->args.number[CLI_OPT_OFFSET], size;

	switch (f->fallback) {
	case ZERO:
		*ret = 0;
		return CLI_OK;
	case MAILBOX:
		*ret = mailbox(b);
		return CLI_OK;
	case REST:
		if (!selected_size(b, payload, &size))
			break;
		size = offset < size ? size - offset : 0;
		*ret = size < mailbox(b) ? size : mailbox(b);
		if (*ret < size && !b->out->assume)
			cli_note(b->cli, "%s: %llu of %llu bytes; --offset=%llu reads on",
				 cli_build_name(b), (unsigned long long)*ret,
				 (unsigned long long)size, (unsigned long long)(offset + *ret));
		return CLI_OK;
	default:
		break;
	}
	/* A length of 0 is no length; a slot of 0 is no slot. */
	return cli_build_missing(b, f->option, f->option != CLI_OPT_OFFSET, ret);
}

/* Set Feature has no selection to set: its value becomes the current one, and the saved one or not. */
static int set_feature_flags(struct cli_build *b, uint64_t *value)
{
	if (*value == 1)
		return cli_fail(b->cli, CLI_USAGE, "set-feature: the default cannot be set");
	*value = *value == 2 ? 1u << CXL_SET_FEATURE_SAVED_BIT : 0;
	return CLI_OK;
}

static int field_value(struct cli_build *b, const struct field *f, const uint8_t *payload,
		       uint64_t *ret)
{
	unsigned int unit = f->unit ? f->unit : 1;
	int r = CLI_OK;

	if (!cli_build_takes(b, f->option))
		return fall_back(b, f, payload, ret);
	if (f->option == CLI_OPT_SELECTION) {
		if (!cli_build_selection(b, ret, &r))
			return r;
		return b->out->cmd.opcode == CXL_OP_SET_FEATURE ? set_feature_flags(b, ret) : r;
	}
	*ret = b->cli->args.number[f->option];
	if (*ret % unit)
		return cli_fail(b->cli, CLI_USAGE, "--%s: not a multiple of %u",
				cli_options[f->option].name, unit);
	*ret /= unit;
	if (f->width < 8 && *ret >> (8 * f->width))
		return cli_fail(b->cli, CLI_USAGE, "--%s: too great for %s",
				cli_options[f->option].name, cli_build_name(b));
	return CLI_OK;
}

static int put_field(struct cli_build *b, const struct field *f, uint8_t *payload)
{
	uint64_t value = 0;
	int r;

	if (f->option == CLI_OPT_UUID)
		return cli_build_takes(b, CLI_OPT_UUID)
			       ? put_uuid(b, payload + f->at)
			       : cli_build_unnamed(b, CLI_OPT_UUID, b->out->row, NULL);
	r = field_value(b, f, payload, &value);
	for (uint8_t i = 0; r == CLI_OK && i < f->width; i++)
		payload[f->at + i] = (uint8_t)(value >> (8 * i));
	return r;
}

/* --- payloads ------------------------------------------------------------------------------- */

static bool any_field_given(const struct cli_build *b, const struct layout *l)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(l->fields) && l->fields[i].width; i++) {
		if (cli_given(&b->cli->args, l->fields[i].option))
			return true;
	}
	return false;
}

static int build_layout(struct cli_build *b, const struct layout *l)
{
	struct fwa_feature feature;
	uint8_t *payload;
	int r = CLI_OK;

	if (b->has_data && !l->data)
		return cli_fail(b->cli, CLI_USAGE, "%s takes its selectors or a payload, not both",
				cli_build_name(b));
	payload = calloc(1, l->header + b->data_len);
	if (!payload)
		return cli_fail(b->cli, CLI_FAILED, "out of memory");
	b->out->payload = payload;
	for (size_t i = 0; r == CLI_OK && i < FWA_ARRAY_SIZE(l->fields) && l->fields[i].width; i++)
		r = put_field(b, &l->fields[i], payload);
	if (r != CLI_OK)
		return r;
	if (l->opcode == CXL_OP_SET_FEATURE &&
	    fwa_profile_feature_by_uuid(b->subject->profile, payload, &feature))
		payload[CXL_SET_FEATURE_VERSION] = feature.set_version;
	if (b->data_len)
		memcpy(payload + l->header, b->data, b->data_len);
	b->out->cmd.payload = fwa_span(payload, l->header + b->data_len);
	return CLI_OK;
}

int cli_build_cxl(struct cli_build *b)
{
	const struct layout *l = layout_of(b->out->cmd.opcode);

	b->out->cmd.out_len = (uint32_t)mailbox(b);
	if (l && (!b->has_data || any_field_given(b, l)))
		return build_layout(b, l);
	b->out->payload = fwa_steal(b->data);
	b->out->cmd.payload = fwa_span(b->out->payload, b->data_len);
	return CLI_OK;
}
