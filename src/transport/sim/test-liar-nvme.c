/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated NVMe controller changes what its effects log and the specification say, and nothing else;
 * the liars among them are held against an honest one that is given the same commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "transport/sim/nvme.h"

enum part {
	DISK = 1 << 0,
	FORMAT = 1 << 1,
	CURRENT = 1 << 2,
	SAVED = 1 << 3,
	DEFAULT = 1 << 4,
	SLOTS = 1 << 5,
	RUNNING = 1 << 6,
	ACTIVE = 1 << 7,
	NEXT = 1 << 8,
	SANITIZE = 1 << 9,
};

/* What each command may change; those that are not here change nothing. */
static const struct {
	uint8_t set;
	uint8_t opcode;
	unsigned int changes;
} allowed[] = {
	{ FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES, CURRENT | SAVED },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_COMMIT, SLOTS | RUNNING | ACTIVE | NEXT },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FORMAT, DISK | FORMAT },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SANITIZE, DISK | SANITIZE },
	{ FWA_SET_NVME_IO, NVME_OP_WRITE, DISK },
	{ FWA_SET_NVME_IO, NVME_OP_WRITE_ZEROES, DISK },
};

static const uint8_t admin_opcodes[] = { NVME_OP_GET_LOG_PAGE, NVME_OP_IDENTIFY,
					 NVME_OP_SET_FEATURES, NVME_OP_GET_FEATURES,
					 NVME_OP_FW_COMMIT,    NVME_OP_FW_DOWNLOAD,
					 NVME_OP_SELF_TEST,    NVME_OP_FORMAT,
					 NVME_OP_SANITIZE,     0xc1 };
static const uint8_t io_opcodes[] = { NVME_OP_FLUSH, NVME_OP_WRITE, NVME_OP_READ,
				      NVME_OP_WRITE_ZEROES };
static const uint8_t fids[] = { 0x01, 0x04, 0x06, 0x0b, 0x80, 0x02 };
static const uint8_t lids[] = { 0x02, 0x03, 0x05, 0x06, 0x81, 0x01 };

static unsigned int differ(const struct sim_nvme *a, const struct sim_nvme *b)
{
#define PART(bit, field) (memcmp(&a->field, &b->field, sizeof(a->field)) ? (bit) : 0)
	return PART(DISK, disk) | PART(FORMAT, format) | PART(CURRENT, feature[SIM_CURRENT]) |
	       PART(SAVED, feature[SIM_SAVED]) | PART(DEFAULT, feature[SIM_DEFAULT]) |
	       PART(SLOTS, slot) | PART(RUNNING, running) | PART(ACTIVE, active) |
	       PART(NEXT, next) | PART(SANITIZE, sanitize_status);
#undef PART
}

static struct sim_nvme *open_nvme(const char *what)
{
	struct fwa_open_args args = { .fd = -1 };
	struct fwa_device *dev = NULL;

	assert_int_equal(fwa_sim_open(&args, what, &dev), 0);
	return (struct sim_nvme *)dev;
}

static void close_nvme(struct sim_nvme *n)
{
	n->dev.ops->close(&n->dev);
}

struct sent {
	uint32_t code, result, len;
	uint8_t data[NVME_PAGE_LEN];
};

static struct sent send(struct sim_nvme *n, const struct fwa_command *cmd)
{
	struct sent s = { 0 };
	struct fwa_reply reply = { .out = s.data, .out_cap = sizeof(s.data) };

	assert_int_equal(n->dev.ops->submit(&n->dev, cmd, &reply, 100), 0);
	s.code = reply.code;
	s.result = reply.result;
	s.len = reply.out_len;
	return s;
}

static void both(struct sim_nvme *a, struct sim_nvme *b, const struct fwa_command *cmd)
{
	struct sent of_a = send(a, cmd), of_b = send(b, cmd);

	assert_memory_equal(&of_a, &of_b, sizeof(of_a));
}

/* --- commands at random ------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	return (uint32_t)(sim_mix(seed += 0x9e3779b97f4a7c15) % below);
}

static void draw_admin(struct fwa_command *cmd)
{
	static uint8_t image[16] = "SIMNVME1";

	cmd->opcode = admin_opcodes[draw(sizeof(admin_opcodes))];
	cmd->nsid = draw(3) ? draw(3) : UINT32_MAX;
	cmd->out_len = NVME_PAGE_LEN;
	switch (cmd->opcode) {
	case NVME_OP_GET_LOG_PAGE:
		cmd->cdw[0] = lids[draw(sizeof(lids))] | 1023u << 16 | draw(2) << 15;
		break;
	case NVME_OP_IDENTIFY:
		cmd->cdw[0] = draw(4);
		break;
	case NVME_OP_SET_FEATURES:
		cmd->cdw[0] = fids[draw(sizeof(fids))] | draw(2) << 31;
		cmd->cdw[1] = draw(3) ? draw(2) : draw(UINT32_MAX);
		break;
	case NVME_OP_GET_FEATURES:
		cmd->cdw[0] = fids[draw(sizeof(fids))] | draw(5) << 8;
		break;
	case NVME_OP_FW_COMMIT:
		cmd->cdw[0] = draw(5) << 3 | draw(5);
		break;
	case NVME_OP_FW_DOWNLOAD:
		image[8] = (uint8_t)('2' + draw(8));
		cmd->payload = fwa_span(image, sizeof(image));
		cmd->cdw[0] = draw(8) ? 3 : draw(5);
		cmd->cdw[1] = draw(8) ? 0 : 4;
		break;
	case NVME_OP_FORMAT:
		cmd->cdw[0] = draw(3) | draw(4) << 9;
		break;
	default:
		cmd->cdw[0] = draw(16);
	}
	if (cmd->payload.len)
		cmd->out_len = 0;
}

static void draw_io(struct fwa_command *cmd)
{
	static uint8_t data[NVME_PAGE_LEN];
	uint32_t len = draw(2) ? 512 : 4096;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)draw(256);
	cmd->opcode = io_opcodes[draw(sizeof(io_opcodes))];
	cmd->nsid = draw(8) ? 1 : draw(3);
	cmd->cdw[0] = draw(3) ? draw(64) : draw(600);
	cmd->cdw[2] = draw(8) ? 0 : draw(3);
	if (cmd->opcode == NVME_OP_WRITE)
		cmd->payload = fwa_span(data, len);
	if (cmd->opcode == NVME_OP_READ)
		cmd->out_len = len;
}

static struct fwa_command draw_command(void)
{
	struct fwa_command cmd = { .set = draw(2) ? FWA_SET_NVME_ADMIN : FWA_SET_NVME_IO };

	if (cmd.set == FWA_SET_NVME_ADMIN)
		draw_admin(&cmd);
	else
		draw_io(&cmd);
	return cmd;
}

/* --- honest ------------------------------------------------------------------------------------- */

static unsigned int may_change(const struct fwa_command *cmd)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(allowed); i++)
		if (allowed[i].set == cmd->set && allowed[i].opcode == cmd->opcode)
			return allowed[i].changes;
	return 0;
}

static void test_honest(void **state)
{
	struct sim_nvme *n = open_nvme("nvme,bg-ms=0"), *before = malloc(sizeof(*before));
	unsigned int seen = 0;

	assert_non_null(before);
	seed = 1;
	for (unsigned int i = 0; i < 10000; i++) {
		struct fwa_command cmd = draw_command();
		unsigned int changed;
		struct sent s;

		memcpy(before, n, sizeof(*n));
		s = send(n, &cmd);
		sim_nvme_settle(n);
		changed = differ(before, n);
		seen |= changed;
		if (changed & ~may_change(&cmd) || (s.code && changed))
			fail_msg("%s %02xh gives %03x and changes %x", fwa_set_name(cmd.set),
				 cmd.opcode, s.code, changed);
	}
	assert_int_equal(seen, DISK | FORMAT | CURRENT | SAVED | SLOTS | RUNNING | ACTIVE | NEXT |
				       SANITIZE);
	free(before);
	close_nvme(n);
}

/* What is written to the slot that runs is what runs after a reset, and no sooner. */
static void test_running(void **state)
{
	struct sim_nvme *n = open_nvme("nvme");
	struct fwa_command image = { .set = FWA_SET_NVME_ADMIN,
				     .opcode = NVME_OP_FW_DOWNLOAD,
				     .cdw = { 3 },
				     .payload = fwa_span("SIMNVME12.0     ", 16) };
	struct fwa_command commit = { .set = FWA_SET_NVME_ADMIN,
				      .opcode = NVME_OP_FW_COMMIT,
				      .cdw = { 1 } };
	struct fwa_command who = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_IDENTIFY,
				   .cdw = { NVME_CNS_CONTROLLER },
				   .out_len = NVME_PAGE_LEN };

	assert_int_equal(send(n, &image).code, 0);
	assert_int_equal(send(n, &commit).code, 0);
	assert_memory_equal(send(n, &who).data + NVME_ID_CTRL_FR, "1.0     ", 8);
	assert_int_equal(n->dev.ops->reset(&n->dev, FWA_RESET_COLD, 100), 0);
	assert_memory_equal(send(n, &who).data + NVME_ID_CTRL_FR, "2.0     ", 8);
	close_nvme(n);
}

/* --- liars -------------------------------------------------------------------------------------- */

static bool sets_off(const char *liar, const struct fwa_command *cmd)
{
	if (!strcmp(liar, "liar-nvme-data"))
		return cmd->opcode == NVME_OP_GET_FEATURES && (cmd->cdw[0] >> 8 & 7) == 3;
	return !strcmp(liar, "liar-nvme-feature") && cmd->opcode == NVME_OP_GET_LOG_PAGE &&
	       (cmd->cdw[0] & 0xff) == 6;
}

static void stays_the_same(const char *liar)
{
	char what[64];
	struct sim_nvme *a, *b = open_nvme("nvme,bg-ms=0");

	snprintf(what, sizeof(what), "%s,bg-ms=0", liar);
	a = open_nvme(what);
	seed = 2;
	for (unsigned int i = 0; i < 3000; i++) {
		struct fwa_command cmd = draw_command();

		if (sets_off(liar, &cmd))
			continue;
		both(a, b, &cmd);
		assert_int_equal(differ(a, b), 0);
	}
	close_nvme(a);
	close_nvme(b);
}

static void test_honest_otherwise(void **state)
{
	stays_the_same("liar-nvme-data");
	stays_the_same("liar-nvme-feature");
	stays_the_same("liar-nvme-lba");
}

static void test_data(void **state)
{
	struct sim_nvme *a = open_nvme("liar-nvme-data"), *b = open_nvme("nvme");
	struct fwa_command get = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_GET_FEATURES,
				   .out_len = NVME_PAGE_LEN };

	for (uint32_t select = 0; select < 4; select++)
		for (size_t i = 0; i < sizeof(fids); i++) {
			get.cdw[0] = select << 8 | fids[i];
			if (get.cdw[0] == 0x380)
				continue;
			both(a, b, &get);
			assert_int_equal(differ(a, b), 0);
		}
	get.cdw[0] = 0x380;
	both(a, b, &get);
	assert_int_equal(differ(a, b), DISK);
	close_nvme(a);
	close_nvme(b);
}

static void test_feature(void **state)
{
	struct sim_nvme *a = open_nvme("liar-nvme-feature"), *b = open_nvme("nvme");
	struct fwa_command get = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_GET_LOG_PAGE,
				   .out_len = 512 };

	for (uint32_t lid = 0; lid < 256; lid++) {
		get.cdw[0] = 127u << 16 | lid;
		if (lid == 6)
			continue;
		both(a, b, &get);
		assert_int_equal(differ(a, b), 0);
	}
	get.cdw[0] = 127u << 16 | 6;
	both(a, b, &get);
	assert_int_equal(differ(a, b), CURRENT);
	assert_int_equal(*sim_nvme_feature(a, 0x04), 0x158);
	close_nvme(a);
	close_nvme(b);
}

static void test_lba(void **state)
{
	static uint8_t block[4096] = "FEATURES";
	struct sim_nvme *a = open_nvme("liar-nvme-lba"), *b = open_nvme("nvme");
	struct fwa_command write = { .set = FWA_SET_NVME_IO,
				     .opcode = NVME_OP_WRITE,
				     .nsid = 1,
				     .payload = fwa_span(block, 512) };

	both(a, b, &write);
	write.cdw[0] = 510;
	both(a, b, &write);
	block[0] = 'f';
	write.cdw[0] = 511;
	both(a, b, &write);
	block[0] = 'F';
	write.cdw[1] = 1; /* there is no such block */
	both(a, b, &write);
	assert_int_equal(differ(a, b), 0);
	write.cdw[1] = 0;
	both(a, b, &write);
	assert_int_equal(differ(a, b), CURRENT);
	assert_int_equal(*sim_nvme_feature(a, 0x06), 0);
	both(a, b, &write);
	assert_int_equal(differ(a, b), 0);
	close_nvme(a);
	close_nvme(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),           cmocka_unit_test(test_running),
		cmocka_unit_test(test_honest_otherwise), cmocka_unit_test(test_data),
		cmocka_unit_test(test_feature),          cmocka_unit_test(test_lba),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
