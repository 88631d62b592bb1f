/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the declarations of controllers that no QEMU models: without the log, with two of them,
 * with nonsense in every field, gone in the middle.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/read-profile.h"
#include "wire/nvme.h"

/* A controller as a list of pages. */
struct controller {
	struct fwa_device dev;
	unsigned int commands; /* answered so far */
	unsigned int fail_at;  /* this command fails with @fail_error; 0: none does */
	int fail_error;
	uint32_t log_code; /* status of log page 05h */
	bool log_changes;  /* between two readings */
	uint32_t ids_code; /* status of pages 00h and 12h */
	bool fids_change;
	uint32_t short_by;     /* bytes missing from each answer */
	unsigned int ids_read; /* how often */
	uint8_t log[NVME_EFFECTS_LEN];
	uint8_t lids[NVME_IDS_LEN];
	uint8_t fids[NVME_IDS_LEN];
	uint8_t id[NVME_IDENTIFY_LEN];
	uint8_t list[NVME_IDENTIFY_LEN];
	uint8_t namespace[NVME_IDENTIFY_LEN];
};

static const uint8_t *page_for(struct controller *c, const struct fwa_command *cmd)
{
	if (cmd->opcode == NVME_OP_GET_LOG_PAGE) {
		if (cmd->cdw[0] == 0x03ff0005)
			return c->log;
		c->ids_read++;
		if (cmd->cdw[0] == 0x00ff0000)
			return c->lids;
		assert_int_equal(cmd->cdw[0], 0x00ff0012);
		return c->fids;
	}
	assert_int_equal(cmd->opcode, NVME_OP_IDENTIFY);
	switch (cmd->cdw[0]) {
	case NVME_CNS_CONTROLLER:
		return c->id;
	case NVME_CNS_ACTIVE_LIST:
		return c->list;
	default:
		assert_int_equal(cmd->cdw[0], NVME_CNS_NAMESPACE);
		assert_int_not_equal(cmd->nsid, 0);
		return c->namespace;
	}
}

static int answer(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *reply,
		  unsigned int timeout_ms)
{
	struct controller *c = (struct controller *)dev;
	const uint8_t *page = page_for(c, cmd);

	assert_int_equal(cmd->set, FWA_SET_NVME_ADMIN);
	assert_int_equal(cmd->out_len, page == c->lids || page == c->fids ? 1024 : 4096);
	assert_true(reply->out_cap >= cmd->out_len && timeout_ms > 0);
	if (++c->commands == c->fail_at)
		return c->fail_error;
	reply->maybe_sent = true;
	if (page == c->log)
		reply->code = c->log_code;
	else if (page == c->lids || page == c->fids)
		reply->code = c->ids_code;
	reply->out_len = cmd->out_len - c->short_by;
	memcpy(reply->out, page, reply->out_len);
	if (page == c->log && c->log_changes)
		c->log[4 * 0xc0] ^= 1;
	if (page == c->fids && c->fids_change)
		c->fids[4 * 0xc0] ^= 1;
	return 0;
}

static const struct fwa_device_ops ops = { .submit = answer };

/* One that is in order: one namespace with blocks of 4096 bytes. */
static int set_up(void **state)
{
	struct controller *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	c->dev = (struct fwa_device){ .ops = &ops, .family = FWA_FAMILY_NVME, .is_nvme = true };
	fwa_put_le32(c->log + 4 * NVME_OP_IDENTIFY, NVME_EFFECT_CSUPP);
	fwa_put_le16(c->id, 0x1b36);
	memcpy(c->id + NVME_ID_CTRL_SN, "S1                  ", NVME_ID_CTRL_SN_LEN);
	memcpy(c->id + NVME_ID_CTRL_MN, "Model\x1b[31m", 10);
	fwa_put_le32(c->list, 1);
	c->namespace[25] = 1;               /* two formats */
	c->namespace[NVME_ID_NS_FLBAS] = 1; /* the second */
	c->namespace[NVME_ID_NS_LBAF + 4 + 2] = 12;
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static uint8_t encoded[FWA_PROFILE_MAX];

static void read_profile(struct controller *c, struct fwa_profile *p)
{
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	char error[256] = "";

	assert_int_equal(fwa_nvme_profile_read(&c->dev, &w, error), 0);
	assert_int_equal(fwa_profile_parse(p, fwa_span(w.buf, w.len)), 0);
	assert_true(fwa_profile_check(p));
}

static void test_in_order(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct fwa_namespace ns;
	struct fwa_declared d;

	read_profile(*state, p);
	assert_int_equal(fwa_profile_count(p), 1);
	assert_true(fwa_profile_declared(p, FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, &d));
	assert_string_equal(p->id.vendor, "1b36");
	assert_string_equal(p->id.serial, "S1");
	assert_string_equal(p->id.model, "Model?[31m");
	assert_string_equal(p->id.firmware, "");
	assert_int_equal(p->nvme_effects_again.len, 0);
	assert_true(fwa_profile_namespace(p, 1, &ns));
	assert_int_equal(ns.block_size, 4096);
}

/* It does not say that it has them: asking would put errors into its log. */
static void test_pages_are_not_asked_for(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->lids[0] = 1;
	read_profile(c, p);
	assert_int_equal(c->ids_read, 0);
	assert_int_equal(p->nvme_logs.len, 0);
	assert_int_equal(p->nvme_features.len, 0);
}

static void test_pages(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;
	struct fwa_declared d;

	c->id[NVME_ID_CTRL_LPA] = 0x20;
	fwa_put_le32(c->lids + 4 * NVME_LID_SMART, 1);
	fwa_put_le32(c->fids + 4 * 0x06, 3);
	read_profile(c, p);
	assert_int_equal(c->ids_read, 4);
	assert_memory_equal(p->nvme_logs.data, c->lids, NVME_IDS_LEN);
	assert_memory_equal(p->nvme_features.data, c->fids, NVME_IDS_LEN);
	assert_int_equal(p->nvme_logs_again.len, 0);
	assert_int_equal(p->nvme_features_again.len, 0);
	assert_true(fwa_profile_lid(p, NVME_LID_SMART));
	assert_false(fwa_profile_lid(p, 0x07));
	assert_true(fwa_profile_fid(p, 0x06, &d));
	assert_int_equal(d.effects, FWA_EFFECT_DATA);
}

/* It says that it has them, and answers with an error: as if it had not. */
static void test_pages_that_are_an_error(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->id[NVME_ID_CTRL_LPA] = 0xff;
	c->ids_code = 0x4002; /* invalid field, do not retry */
	read_profile(c, p);
	assert_int_equal(p->nvme_logs.len, 0);
	assert_int_equal(p->nvme_features.len, 0);
	assert_int_equal(fwa_profile_count(p), 1);
}

static void test_unstable_page(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->id[NVME_ID_CTRL_LPA] = 0x20;
	c->fids_change = true;
	read_profile(c, p);
	assert_int_equal(p->nvme_logs_again.len, 0);
	assert_int_equal(p->nvme_features_again.len, NVME_IDS_LEN);
	assert_int_equal(p->nvme_features.data[4 * 0xc0], 0);
	assert_int_equal(p->nvme_features_again.data[4 * 0xc0], 1);
}

/* A controller that cannot be identified may have them. */
static void test_pages_of_a_stranger(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->fail_at = 1;
	c->fail_error = -EPROTO;
	read_profile(c, p);
	assert_int_equal(p->nvme_logs.len, NVME_IDS_LEN);
	assert_int_equal(p->nvme_features.len, NVME_IDS_LEN);
}

static void test_no_log(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->log_code = 0x4109; /* invalid log page, do not retry */
	read_profile(c, p);
	assert_int_equal(p->nvme_effects.len, 0);
	assert_int_equal(fwa_profile_count(p), 0);
	assert_string_equal(p->id.vendor, "1b36");
}

static void test_unstable_log(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->log_changes = true;
	read_profile(c, p);
	assert_int_equal(p->nvme_effects.len, NVME_EFFECTS_LEN);
	assert_int_equal(p->nvme_effects_again.len, NVME_EFFECTS_LEN);
	assert_int_equal(p->nvme_effects.data[4 * 0xc0], 0);
	assert_int_equal(p->nvme_effects_again.data[4 * 0xc0], 1);
}

static void test_short_answers_say_nothing(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->short_by = 1;
	read_profile(c, p);
	assert_int_equal(fwa_profile_count(p), 0);
	assert_int_equal(p->namespaces.len, 0);
	assert_string_equal(p->id.vendor, "");
}

static void test_all_ones(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;
	struct fwa_namespace ns;

	memset(c->log, 0xff, sizeof(c->log));
	memset(c->id, 0xff, sizeof(c->id));
	memset(c->list, 0xff, sizeof(c->list));
	memset(c->namespace, 0xff, sizeof(c->namespace));
	read_profile(c, p);
	assert_int_equal(fwa_profile_count(p), 512);
	assert_string_equal(p->id.serial, "????????????????????");
	assert_int_equal(p->namespaces.len, 8); /* the list does not ascend */
	assert_true(fwa_profile_namespace(p, UINT32_MAX, &ns));
	assert_int_equal(ns.block_size, 0);
}

static void test_many_namespaces(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;
	struct fwa_namespace ns;

	for (uint32_t i = 0; i < 1024; i++)
		fwa_put_le32(c->list + 4 * i, i + 1);
	read_profile(c, p);
	assert_true(fwa_profile_namespace(p, FWA_PROFILE_NAMESPACES_MAX, &ns));
	assert_false(fwa_profile_namespace(p, FWA_PROFILE_NAMESPACES_MAX + 1, &ns));
}

static void test_formats(void **state)
{
	static const struct {
		uint8_t flbas, nlbaf, index, lbads;
		uint32_t want;
	} cases[] = {
		{ 0x00, 0, 0, 9, 512 },     { 0x00, 0, 0, 8, 0 }, /* too small to be a block */
		{ 0x00, 0, 0, 22, 0 }, /* longer than any command's data */
		{ 0x00, 0, 0, 255, 0 },     { 0x01, 0, 1, 12, 0 }, /* a format that is not there */
		{ 0x21, 17, 17, 12, 4096 }, /* FLBAS 6:5 are the upper bits */
		{ 0x6f, 63, 63, 12, 4096 }, /* the last that there can be */
		{ 0x11, 1, 1, 9, 512 },     /* bit 4 is about metadata */
	};
	struct controller *c = *state;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
		fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
		struct fwa_namespace ns;

		memset(c->namespace, 0, sizeof(c->namespace));
		c->namespace[25] = cases[i].nlbaf;
		c->namespace[NVME_ID_NS_FLBAS] = cases[i].flbas;
		c->namespace[NVME_ID_NS_LBAF + 4 * cases[i].index] = 8; /* bytes of metadata */
		c->namespace[NVME_ID_NS_LBAF + 4 * cases[i].index + 2] = cases[i].lbads;
		read_profile(c, p);
		assert_true(fwa_profile_namespace(p, 1, &ns));
		assert_int_equal(ns.block_size, cases[i].want);
		assert_int_equal(ns.metadata, cases[i].want ? 8 : 0);
	}
}

/* Nine commands; whichever fails, the reading ends with a line that says why. */
static void test_gone_in_the_middle(void **state)
{
	static const struct {
		int error;
		const char *words;
	} cases[] = {
		{ -ENODEV, "gone" },
		{ -ETIMEDOUT, "does not answer" },
		{ -EPERM, "does not permit" },
		{ -EACCES, "does not permit" },
	};
	struct controller *c = *state;

	c->id[NVME_ID_CTRL_LPA] = 0x20;
	for (unsigned int at = 1; at <= 9; at++) {
		for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
			struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
			char error[256] = "";

			c->commands = 0;
			c->fail_at = at;
			c->fail_error = cases[i].error;
			assert_int_equal(fwa_nvme_profile_read(&c->dev, &w, error), c->fail_error);
			assert_non_null(strstr(error, cases[i].words));
			assert_int_equal(w.len, 0);
		}
	}
}

/* Nonsense from one command costs that command's part alone. */
static void test_nonsense_costs_its_own_part(void **state)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct controller *c = *state;

	c->fail_at = 1; /* Identify Controller */
	c->fail_error = -EPROTO;
	read_profile(c, p);
	assert_string_equal(p->id.vendor, "");
	assert_int_equal(fwa_profile_count(p), 1);
	assert_int_equal(p->namespaces.len, 8);
}

static void test_no_room(void **state)
{
	struct controller *c = *state;
	struct fwa_writer w = fwa_writer(encoded, 1000);
	char error[256] = "";

	assert_int_equal(fwa_profile_read(&c->dev, &w, error), -ENOBUFS);
	assert_non_null(strstr(error, "do not fit"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_in_order),
		TEST(test_pages_are_not_asked_for),
		TEST(test_pages),
		TEST(test_pages_that_are_an_error),
		TEST(test_unstable_page),
		TEST(test_pages_of_a_stranger),
		TEST(test_no_log),
		TEST(test_unstable_log),
		TEST(test_short_answers_say_nothing),
		TEST(test_all_ones),
		TEST(test_many_namespaces),
		TEST(test_formats),
		TEST(test_gone_in_the_middle),
		TEST(test_nonsense_costs_its_own_part),
		TEST(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
