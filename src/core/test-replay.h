/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests: devices that declare all that the model names, and commands and states that are drawn.
 */
#pragma once

#include "core/record.h"
#include "core/test-draw.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* --- devices -------------------------------------------------------------------------------------- */

#define DEVICES 6
#define LOG_SIZE 300u

static struct fwa_profile devices[DEVICES];
static uint8_t encoded[DEVICES][1 << 17];

/* Logs and Features that the model knows, and one that it does not. */
static uint8_t uuids[2][16][16];
static size_t n_uuids[2];

static void collect_uuids(void)
{
	static const uint16_t opcodes[2] = { CXL_OP_GET_LOG, CXL_OP_GET_FEATURE };

	for (int k = 0; k < 2; k++) {
		const struct fwa_selector_table *t =
			fwa_model_find(FWA_SET_CXL, opcodes[k])->select;

		memset(uuids[k][0], 0x31 + k, 16);
		for (n_uuids[k] = 1; n_uuids[k] < 16 && n_uuids[k] <= t->n_all; n_uuids[k]++)
			memcpy(uuids[k][n_uuids[k]], t->all[n_uuids[k] - 1].uuid, 16);
	}
}

static uint16_t draw_word(void)
{
	static const uint16_t words[] = { 0, 0, 1, 2, 4, 8, 16, 32, 0x42, 0x202, 0x8000 };

	return ONE_OF(words);
}

static void add_cel(struct fwa_writer *w)
{
	static uint8_t cel[4096];
	struct fwa_writer c = fwa_writer(cel, sizeof(cel));
	const struct fwa_model_command *row;

	for (size_t i = 0; (row = fwa_model_row(FWA_SET_CXL, i)); i++) {
		fwa_write_le16(&c, row->opcode);
		fwa_write_le16(&c, draw_word());
	}
	for (uint16_t i = 0; i < 4; i++) {
		fwa_write_le16(&c, CXL_OP_VENDOR_FIRST + i);
		fwa_write_le16(&c, draw_word());
	}
	assert_false(c.full);
	fwa_profile_add(w, FWA_RECORD_CXL_CEL, fwa_span(cel, c.len));
}

static void add_selected(struct fwa_writer *w)
{
	static uint8_t logs[16 * CXL_LOGS_ENTRY_LEN], features[16 * CXL_FEATURE_ENTRY_LEN];

	for (size_t i = 0; i < n_uuids[0]; i++) {
		memcpy(logs + i * CXL_LOGS_ENTRY_LEN, uuids[0][i], 16);
		fwa_put_le32(logs + i * CXL_LOGS_ENTRY_LEN + 16, LOG_SIZE);
	}
	for (size_t i = 0; i < n_uuids[1]; i++) {
		uint8_t *e = features + i * CXL_FEATURE_ENTRY_LEN;

		memset(e, 0, CXL_FEATURE_ENTRY_LEN);
		memcpy(e, uuids[1][i], 16);
		fwa_put_le16(e + 16, (uint16_t)i);
		fwa_put_le16(e + 18, LOG_SIZE);
		fwa_put_le16(e + 20, LOG_SIZE);
		fwa_put_le32(e + 22, chance(90) ? CXL_FEATURE_CHANGEABLE : 0);
		fwa_put_le16(e + 28, draw_word());
	}
	fwa_profile_add(w, FWA_RECORD_CXL_LOGS, fwa_span(logs, n_uuids[0] * CXL_LOGS_ENTRY_LEN));
	fwa_profile_add(w, FWA_RECORD_CXL_FEATURES,
			fwa_span(features, n_uuids[1] * CXL_FEATURE_ENTRY_LEN));
}

static void add_nvme(struct fwa_writer *w)
{
	static const uint8_t namespace[8] = { 1, 0, 0, 0, 9 };
	static uint8_t log[NVME_EFFECTS_LEN];

	for (size_t at = 0; at < sizeof(log); at += 4)
		fwa_put_le32(log + at, 1 | below(2) << 1 | below(2) << 4);
	fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES, fwa_span(namespace, sizeof(namespace)));
}

/* All that the model names, with other effects in each. */
static void make_device(unsigned int i)
{
	static const struct fwa_identity id = { .vendor = "Maker", .model = "M", .serial = "1" };
	struct fwa_writer w = fwa_writer(encoded[i], sizeof(encoded[i]));
	uint8_t limits[8];

	fwa_put_le32(limits, 512);
	fwa_put_le32(limits + 4, LOG_SIZE);
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add_identity(&w, &id);
	add_cel(&w);
	add_selected(&w);
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	add_nvme(&w);
	assert_false(w.full);
	assert_int_equal(fwa_profile_parse(&devices[i], fwa_span(encoded[i], w.len)), 0);
}

static int make_devices(void **state)
{
	collect_uuids();
	for (unsigned int i = 0; i < DEVICES; i++)
		make_device(i);
	return 0;
}

/* --- commands ------------------------------------------------------------------------------------- */

#define PAYLOAD 400

static uint8_t payload[PAYLOAD];

/* Small numbers, which are in every range, or near its end. */
static uint8_t draw_byte(void)
{
	return (uint8_t)(chance(70) ? 0 : chance(80) ? below(4) : below(256));
}

static uint32_t draw_length(const struct fwa_model_command *row)
{
	uint32_t more = row->in_max - row->in_min, len = row->in_min;

	if (more && chance(60))
		len += below(more < 64 ? more + 1 : 64);
	return len < PAYLOAD ? len : PAYLOAD;
}

static void draw_dwords(struct fwa_command *cmd, const struct fwa_model_command *row)
{
	cmd->nsid = chance(70) ? 1 : below(3);
	cmd->out_len = row->out_min < 8192 ? row->out_min : 8192;
	for (int i = 0; i < 6; i++)
		cmd->cdw[i] = chance(70) ? 0 : below(chance(80) ? 20 : UINT32_MAX);
}

/* A command of @row, mostly one that a device would take. */
static struct fwa_command draw_command(const struct fwa_model_command *row)
{
	struct fwa_command cmd = { .set = row->set, .opcode = row->opcode, .out_len = 300 };
	unsigned int kind = row->select ? row->select->kind : FWA_SELECT_NONE;

	cmd.scope = (uint8_t)(chance(80) ? FWA_SCOPE_LEAST : below(4));
	cmd.payload = fwa_span(payload, draw_length(row));
	for (size_t i = 0; i < PAYLOAD; i++)
		payload[i] = draw_byte();
	if (kind == FWA_SELECT_LOG_UUID || kind == FWA_SELECT_FEATURE_UUID) {
		unsigned int k = kind == FWA_SELECT_FEATURE_UUID;

		memcpy(payload, uuids[k][below((uint32_t)n_uuids[k])], 16);
		if (chance(10))
			memset(payload, 0xff, 16);
	}
	if (cmd.set != FWA_SET_CXL)
		draw_dwords(&cmd, row);
	return cmd;
}

/* The rows of all sets one after the other; NULL past the last. */
static const struct fwa_model_command *any_row(size_t i)
{
	for (unsigned int set = 0; set < FWA_SET_COUNT; set++) {
		size_t n = 0;

		while (fwa_model_row((enum fwa_set)set, n))
			n++;
		if (i < n)
			return fwa_model_row((enum fwa_set)set, i);
		i -= n;
	}
	return NULL;
}

static const struct fwa_model_command *draw_row(void)
{
	const struct fwa_model_command *row;

	do
		row = any_row(below(400));
	while (!row);
	return row;
}

/* --- what others decide by ------------------------------------------------------------------------ */

static void draw_contract(struct fwa_contract *c)
{
	memset(c, 0, sizeof(*c));
	c->mode = chance(10) ? FWA_MODE_LINUX : FWA_MODE_STRICT;
	c->lockdown = chance(10);
	c->quarantine = (uint8_t)(chance(3) ? 1 + below(4) : 0);
	c->leased = chance(20);
	c->not_to_abort = chance(20);
	c->firmware_leased = chance(20);
	c->transfer = (uint8_t)below(3);
	memcpy(c->transfer_uuid, uuids[1][below((uint32_t)n_uuids[1])], 16);
	c->rate_over = chance(10) ? below(4) : 0;
	c->seats_over = chance(10) ? below(4) : 0;
	c->advisory = chance(10) ? 1u << below(FWA_EFFECT_COUNT) : 0;
	c->journal = (uint8_t)(chance(10) ? below(3) : 0);
}

static bool same(const struct fwa_decision *a, const struct fwa_decision *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
