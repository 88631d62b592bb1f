/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest transport against the QEMU of this machine, or the one that FWADMIT_QEMU names.
 * Skipped (77) when there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/util.h"
#include "core/transfer.h"
#include "transport/qtest.h"
#include "transport/read-profile.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define SUBMIT_MS 5000
#define BUF_LEN FWA_COMMAND_DATA_MAX

static uint8_t out[BUF_LEN], data[BUF_LEN];

static int try_open(const char *rest, struct fwa_open_args *args, struct fwa_device **ret)
{
	*args = (struct fwa_open_args){ .fd = -1 };
	return fwa_qtest_open(args, rest, ret);
}

static int open_type(const char *type, struct fwa_device **ret)
{
	const char *qemu = getenv("FWADMIT_QEMU");
	struct fwa_open_args args;
	char rest[512];
	int r;

	snprintf(rest, sizeof(rest), "%s%s%s", type, qemu ? ",qemu=" : "", qemu ? qemu : "");
	r = try_open(rest, &args, ret);
	if (r < 0)
		fprintf(stderr, "%s\n", args.error);
	return r;
}

static int set_up_cxl(void **state)
{
	return open_type("cxl-type3", (struct fwa_device **)state);
}

static int set_up_nvme(void **state)
{
	return open_type("nvme", (struct fwa_device **)state);
}

static int tear_down(void **state)
{
	struct fwa_device *dev = *state;

	dev->ops->close(dev);
	return 0;
}

static pid_t qemu_of(struct fwa_device *dev)
{
	return ((struct fwa_qtest_device *)dev)->qemu.pid;
}

/* True when @pid has ended, reaped or not. */
static bool ended(pid_t pid)
{
	char path[64], stat[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(stat, sizeof(stat), f))
		stat[0] = '\0';
	fclose(f);
	return strstr(stat, ") Z ") || strstr(stat, ") X ");
}

static bool ends_soon(pid_t pid)
{
	for (int i = 0; i < 500 && !ended(pid); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	return ended(pid);
}

/* Sends @cmd; the answer's data goes to @out, of which cmd->out_len bytes may be used. */
static int submit(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *ret)
{
	memset(out, 0, sizeof(out));
	*ret = (struct fwa_reply){ .out = out, .out_cap = cmd->out_len };
	return dev->ops->submit(dev, cmd, ret, SUBMIT_MS);
}

static struct fwa_reply cxl(struct fwa_device *dev, uint16_t opcode, const void *in, size_t len)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = opcode,
				   .payload = fwa_span(in, len),
				   .out_len = dev->payload_max };
	struct fwa_reply reply;

	assert_int_equal(submit(dev, &cmd, &reply), 0);
	assert_true(reply.maybe_sent);
	return reply;
}

static struct fwa_reply nvme(struct fwa_device *dev, struct fwa_command cmd)
{
	struct fwa_reply reply;

	assert_int_equal(submit(dev, &cmd, &reply), 0);
	assert_true(reply.maybe_sent);
	return reply;
}

/* --- CXL ------------------------------------------------------------------------------------ */

static uint32_t read_cel(struct fwa_device *dev, uint8_t *cel)
{
	uint8_t in[CXL_GET_LOG_LEN];
	struct fwa_reply r = cxl(dev, CXL_OP_GET_SUPPORTED_LOGS, NULL, 0);
	uint32_t len;

	assert_int_equal(r.code, CXL_RC_SUCCESS);
	assert_true(r.out_len >= CXL_LOGS_HEADER_LEN + CXL_LOGS_ENTRY_LEN);
	assert_memory_equal(out + CXL_LOGS_HEADER_LEN, CXL_UUID_CEL, 16);
	len = fwa_le32(out + CXL_LOGS_HEADER_LEN + 16);
	memcpy(in, CXL_UUID_CEL, 16);
	fwa_put_le32(in + 16, 0);
	fwa_put_le32(in + 20, len);
	r = cxl(dev, CXL_OP_GET_LOG, in, sizeof(in));
	assert_int_equal(r.code, CXL_RC_SUCCESS);
	assert_int_equal(r.out_len, len);
	memcpy(cel, out, len);
	return len;
}

static void test_cxl_identity(void **state)
{
	struct fwa_device *dev = *state;

	assert_int_equal(dev->family, FWA_FAMILY_CXL);
	assert_false(dev->is_nvme);
	assert_string_equal(dev->id.vendor, "8086");
	assert_string_equal(dev->id.serial, "0x1234");
	assert_non_null(strstr(dev->id.model, "0d93 (QEMU "));
	assert_true(dev->payload_max >= 2048);
}

static void test_cxl_cel(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t cel[4096];
	struct fwa_declared d;
	uint32_t len = read_cel(dev, cel);

	assert_true(len / CXL_CEL_ENTRY_LEN >= 13);
	assert_true(fwa_cel_declared(fwa_span(cel, len), 0x4103, &d)); /* Set LSA */
	assert_int_equal(d.effects, FWA_EFFECT_CONFIG | FWA_EFFECT_DATA);
	assert_true(fwa_cel_declared(fwa_span(cel, len), 0x4000, &d)); /* Identify */
	assert_int_equal(d.effects, 0);
}

/* The 13 commands that every QEMU since 7.2 declares: input, least reply. */
static const struct known {
	uint16_t opcode;
	uint8_t in[CXL_GET_LOG_LEN];
	uint8_t in_len;
	uint16_t out_len;
} known[] = {
	{ 0x0100, { 0 }, 1, 32 },           /* Get Event Records */
	{ 0x0102, { 0 }, 0, 4 },            /* Get Event Interrupt Policy */
	{ 0x0103, { 0, 0, 0, 0 }, 4, 0 },   /* Set Event Interrupt Policy */
	{ 0x0200, { 0 }, 0, 80 },           /* Get FW Info */
	{ 0x0300, { 0 }, 0, 8 },            /* Get Timestamp */
	{ 0x0301, { 1 }, 8, 0 },            /* Set Timestamp */
	{ 0x0400, { 0 }, 0, 28 },           /* Get Supported Logs */
	{ 0x4000, { 0 }, 0, 67 },           /* Identify Memory Device */
	{ 0x4100, { 0 }, 0, 32 },           /* Get Partition Info */
	{ 0x4102, { [4] = 16 }, 8, 16 },    /* Get LSA, 16 bytes */
	{ 0x4103, { [8] = 1 }, 8 + 16, 0 }, /* Set LSA, 16 bytes */
};

static void test_cxl_declared_commands(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t cel[4096];
	uint32_t len = read_cel(dev, cel);
	struct fwa_declared d;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(known); i++) {
		struct fwa_reply r = cxl(dev, known[i].opcode, known[i].in, known[i].in_len);

		assert_true(fwa_cel_declared(fwa_span(cel, len), known[i].opcode, &d));
		if (r.code || r.out_len < known[i].out_len)
			print_message("%04Xh: code %02Xh, %u bytes\n", known[i].opcode, r.code,
				      r.out_len);
		assert_int_equal(r.code, CXL_RC_SUCCESS);
		assert_true(r.out_len >= known[i].out_len);
	}
	/* Get Log is read_cel(); Clear Event Records has nothing to clear, and says so. */
	assert_int_not_equal(cxl(dev, 0x0101, "\0\0\0\0\0\0\0", 6).code, CXL_RC_UNSUPPORTED);
}

/*
 * With no input at all: most answer with an error, all with a code that there is. QEMU 11.1 dies of
 * Perform Maintenance (0600h) like that, which has to look like a device that is gone.
 */
static void test_cxl_every_declared_opcode_answers(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t cel[4096];
	uint32_t len = read_cel(dev, cel);

	for (uint32_t at = 0; at + CXL_CEL_ENTRY_LEN <= len; at += CXL_CEL_ENTRY_LEN) {
		struct fwa_command cmd = { .opcode = fwa_le16(cel + at), .out_len = 2048 };
		struct fwa_reply reply;
		int r = submit(dev, &cmd, &reply);

		assert_true(reply.maybe_sent);
		if (r == -ENODEV) {
			print_message("QEMU died of %04Xh\n", cmd.opcode);
			assert_true(ends_soon(qemu_of(dev)));
			tear_down(state);
			assert_int_equal(set_up_cxl(state), 0);
			dev = *state;
			continue;
		}
		assert_int_equal(r, 0);
		assert_true(reply.code <= CXL_RC_ABORT_UNSUPPORTED);
		if (reply.code != CXL_RC_SUCCESS)
			assert_int_equal(reply.out_len, 0);
	}
}

/* Sanitize, which QEMU has since 8.1, and which takes it seconds. */
static void test_cxl_background(void **state)
{
	struct fwa_device *dev = *state;
	uint8_t cel[4096];
	struct fwa_declared d;
	uint8_t percent;

	assert_int_equal(dev->ops->progress(dev, &percent), 0);
	if (!fwa_cel_declared(fwa_span(cel, read_cel(dev, cel)), 0x4400, &d))
		skip();
	assert_int_equal(cxl(dev, 0x4400, NULL, 0).code, CXL_RC_BACKGROUND);
	assert_int_equal(dev->ops->progress(dev, &percent), 1);
	assert_true(percent < 100);
	assert_int_equal(cxl(dev, 0x4400, NULL, 0).code, CXL_RC_BUSY);
	assert_int_equal(dev->ops->progress(dev, &percent), 1);
}

/* Feature @i of those that the device lists; false when there is none. */
static bool feature(struct fwa_device *dev, uint8_t i, uint8_t entry[CXL_FEATURE_ENTRY_LEN])
{
	const uint8_t in[CXL_GET_FEATURES_LEN] = { CXL_FEATURES_HEADER_LEN + CXL_FEATURE_ENTRY_LEN,
						   0, 0, 0, i };
	struct fwa_reply reply = cxl(dev, CXL_OP_GET_SUPPORTED_FEATURES, in, sizeof(in));

	if (reply.code != CXL_RC_SUCCESS ||
	    reply.out_len != CXL_FEATURES_HEADER_LEN + CXL_FEATURE_ENTRY_LEN)
		return false;
	memcpy(entry, out + CXL_FEATURES_HEADER_LEN, CXL_FEATURE_ENTRY_LEN);
	return true;
}

/* The first part of a transfer of the Feature in @entry: its return code. */
static uint32_t initiate(struct fwa_device *dev, struct fwa_transfer *t, const uint8_t *entry)
{
	uint8_t in[CXL_SET_FEATURE_HEADER_LEN + 1] = { [CXL_SET_FEATURE_FLAGS] =
							       CXL_PART_INITIATE };
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_SET_FEATURE,
				   .payload = fwa_span(in, sizeof(in)) };
	struct fwa_reply reply;

	memcpy(in, entry, 16);
	in[CXL_SET_FEATURE_VERSION] = entry[27];
	assert_int_equal(submit(dev, &cmd, &reply), 0);
	fwa_transfer_follow(t, &cmd, reply.code ? FWA_SENT_FAILED : FWA_SENT_DONE);
	return reply.code;
}

/* The abort that core builds frees the device for a transfer of another Feature. */
static void test_cxl_feature_abort(void **state)
{
	uint8_t first[CXL_FEATURE_ENTRY_LEN], other[CXL_FEATURE_ENTRY_LEN];
	uint8_t payload[FWA_TRANSFER_ABORT_LEN];
	struct fwa_device *dev = *state;
	struct fwa_transfer t = { 0 };
	struct fwa_command cmd;
	struct fwa_reply reply;

	if (!feature(dev, 0, first) || !feature(dev, 1, other))
		skip();
	assert_int_equal(initiate(dev, &t, first), CXL_RC_SUCCESS);
	assert_int_equal(initiate(dev, &t, other), CXL_RC_FEATURE_IN_PROGRESS);
	assert_true(t.left);
	cmd = fwa_transfer_abort(&t, payload);
	assert_int_equal(submit(dev, &cmd, &reply), 0);
	assert_int_equal(reply.code, CXL_RC_SUCCESS);
	assert_int_equal(initiate(dev, &t, other), CXL_RC_SUCCESS);
}

static void test_cxl_errors_are_codes(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_reply r = cxl(dev, 0xc123, "\x01\x02\x03", 3);

	assert_int_equal(r.code, CXL_RC_UNSUPPORTED);
	assert_int_equal(r.out_len, 0);
	r = cxl(dev, CXL_OP_GET_LOG, "short", 5);
	assert_int_equal(r.code, CXL_RC_PAYLOAD_LENGTH);
	assert_int_equal(r.out_len, 0);
}

static void test_cxl_not_sent(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .opcode = 0x4103, .payload = { data, dev->payload_max + 1 } };
	struct fwa_reply reply;

	assert_int_equal(submit(dev, &cmd, &reply), -EMSGSIZE);
	assert_false(reply.maybe_sent);
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_ADMIN, .opcode = 6 };
	assert_int_equal(submit(dev, &cmd, &reply), -EOPNOTSUPP);
	assert_false(reply.maybe_sent);
}

static void set_lsa(struct fwa_device *dev, uint8_t seed, size_t len)
{
	memset(data, 0, 8);
	for (size_t i = 0; i < len; i++)
		data[8 + i] = (uint8_t)(seed + i * 7);
	assert_int_equal(cxl(dev, 0x4103, data, 8 + len).code, CXL_RC_SUCCESS);
}

static void check_lsa(struct fwa_device *dev, uint8_t seed, size_t len)
{
	uint8_t in[8] = { 0 };
	struct fwa_reply r;

	fwa_put_le32(in + 4, (uint32_t)len);
	r = cxl(dev, 0x4102, in, sizeof(in));
	assert_int_equal(r.code, CXL_RC_SUCCESS);
	assert_int_equal(r.out_len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(out[i], (uint8_t)(seed + i * 7));
}

/* The longest payload each way. */
static void test_cxl_lsa_round_trip(void **state)
{
	struct fwa_device *dev = *state;
	size_t len = dev->payload_max - 8;

	set_lsa(dev, 1, len);
	check_lsa(dev, 1, len);
	set_lsa(dev, 99, 24);
	check_lsa(dev, 99, 24);
}

static void test_cxl_reply_is_bounded_by_the_buffer(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE, .out_len = 20 };
	struct fwa_reply reply;

	assert_int_equal(submit(dev, &cmd, &reply), 0);
	assert_int_equal(reply.out_len, 20);
	assert_int_equal(out[20], 0);
	assert_int_equal(out[CXL_IDENTIFY_LSA_SIZE + 2], 0); /* 1 MiB would be 10h here */
}

static void test_two_devices(void **state)
{
	struct fwa_device *a = *state, *b = NULL;

	assert_int_equal(open_type("cxl-type3", &b), 0);
	set_lsa(a, 1, 64);
	set_lsa(b, 2, 64);
	check_lsa(a, 1, 64);
	check_lsa(b, 2, 64);
	b->ops->close(b);
	check_lsa(a, 1, 64);
}

/* --- NVMe ----------------------------------------------------------------------------------- */

static void test_nvme_identify(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_IDENTIFY,
				   .cdw = { NVME_CNS_CONTROLLER },
				   .out_len = NVME_IDENTIFY_LEN };
	struct fwa_reply r = nvme(dev, cmd);

	assert_int_equal(dev->family, FWA_FAMILY_NVME);
	assert_true(dev->is_nvme);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.out_len, NVME_IDENTIFY_LEN);
	assert_int_equal(fwa_le16(out + NVME_ID_CTRL_VID), 0x1b36);
	assert_memory_equal(out + NVME_ID_CTRL_SN, "fwadmit-qtest", 13);
	assert_memory_equal(out + NVME_ID_CTRL_MN, "QEMU NVMe Ctrl", 14);
}

static void test_nvme_logs(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_GET_LOG_PAGE,
				   .nsid = UINT32_MAX,
				   .cdw = { 127 << 16 | NVME_LID_SMART },
				   .out_len = 512 };
	uint32_t entry;

	assert_int_equal(nvme(dev, cmd).code, 0);
	assert_int_equal(fwa_le16(out + 1), 0x143); /* QEMU's device is always at 323 K */
	cmd.cdw[0] = 1023 << 16 | NVME_LID_EFFECTS;
	cmd.out_len = NVME_EFFECTS_LEN;
	assert_int_equal(nvme(dev, cmd).code, 0);
	entry = fwa_le32(out + 4 * NVME_OP_IDENTIFY);
	assert_int_equal(entry, NVME_EFFECT_CSUPP);
	entry = fwa_le32(out + NVME_EFFECTS_IO + 4 * 1); /* Write */
	assert_int_equal(entry, NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC);
}

static struct fwa_command transfer(uint16_t opcode, uint32_t len)
{
	struct fwa_command cmd = {
		.set = FWA_SET_NVME_IO, .opcode = opcode, .nsid = 1, .cdw = { 8, 0, len / 512 - 1 }
	};

	if (opcode & NVME_DIR_TO_DEVICE)
		cmd.payload = fwa_span(data, len);
	else
		cmd.out_len = len;
	return cmd;
}

/* One page, two, and a PRP list up to its last entry. */
static void test_nvme_data_round_trip(void **state)
{
	static const uint32_t lengths[] = { 512, 4096, 4608, 8192, 12288, BUF_LEN };
	struct fwa_device *dev = *state;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(lengths); i++) {
		for (size_t k = 0; k < BUF_LEN; k++)
			data[k] = (uint8_t)(k * 2654435761u >> 24 ^ i);
		assert_int_equal(nvme(dev, transfer(1, lengths[i])).code, 0);
		assert_int_equal(nvme(dev, transfer(2, lengths[i])).out_len, lengths[i]);
		assert_memory_equal(out, data, lengths[i]);
	}
}

/* More commands than a queue has entries: both queues wrap, phases turn. */
static void test_nvme_queues_wrap(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command flush = { .set = FWA_SET_NVME_IO, .opcode = 0, .nsid = 1 };
	struct fwa_command features = { .set = FWA_SET_NVME_ADMIN,
					.opcode = NVME_OP_GET_FEATURES,
					.cdw = { 7 } };

	for (int i = 0; i < 50; i++) {
		assert_int_equal(nvme(dev, flush).code, 0);
		assert_int_equal(nvme(dev, features).code, 0);
	}
	assert_int_not_equal(nvme(dev, features).result, 0); /* number of queues */
}

static void test_nvme_errors_are_codes(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = 0xc6, .out_len = 64 };
	struct fwa_reply r = nvme(dev, cmd);

	assert_int_equal(r.code & 0x7ff, 0x001); /* invalid opcode */
	assert_int_equal(r.out_len, 0);
	cmd = transfer(2, 512);
	cmd.cdw[1] = 0xffff;
	assert_int_equal(nvme(dev, cmd).code & 0x7ff, 0x080); /* LBA out of range */
}

static void test_nvme_not_sent(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0x4000 };
	struct fwa_reply reply;

	assert_int_equal(submit(dev, &cmd, &reply), -EOPNOTSUPP);
	assert_false(reply.maybe_sent);
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_ADMIN, .opcode = 0x106 };
	assert_int_equal(submit(dev, &cmd, &reply), -EINVAL);
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_IO, .opcode = 2, .out_len = BUF_LEN + 512 };
	assert_int_equal(submit(dev, &cmd, &reply), -EMSGSIZE);
	assert_false(reply.maybe_sent);
}

/* An Asynchronous Event Request answers when there is an event: here never. */
static void test_nvme_command_without_end(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = 0x0c };
	struct fwa_reply reply = { .out = out };

	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 50), -ETIMEDOUT);
	assert_true(reply.maybe_sent);
	reply.maybe_sent = false;
	cmd = transfer(2, 512);
	reply.out_cap = 512;
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 50), -EBUSY);
	assert_false(reply.maybe_sent);
}

static void test_nvme_profile(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_writer w = fwa_writer(data, sizeof(data));
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	struct fwa_namespace ns;
	struct fwa_declared d;
	char error[256] = "";

	assert_non_null(p);
	assert_int_equal(fwa_nvme_profile_read(dev, &w, error), 0);
	assert_int_equal(fwa_profile_parse(p, fwa_span(w.buf, w.len)), 0);
	assert_true(fwa_profile_check(p));
	assert_string_equal(p->id.vendor, "1b36");
	assert_string_equal(p->id.model, "QEMU NVMe Ctrl");
	assert_string_equal(p->id.serial, "fwadmit-qtest");
	assert_int_equal(p->nvme_effects_again.len, 0);
	assert_true(fwa_profile_declared(p, FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, &d));
	assert_int_equal(d.effects, 0);
	assert_false(fwa_profile_declared(p, FWA_SET_NVME_ADMIN, 0xc6, &d));
	assert_true(fwa_profile_namespace(p, 1, &ns));
	assert_int_equal(ns.block_size, 512);
	assert_false(fwa_profile_namespace(p, 2, &ns));
}

/* --- a process that fails -------------------------------------------------------------------- */

static struct fwa_command harmless(const struct fwa_device *dev)
{
	if (dev->is_nvme)
		return (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
					     .opcode = NVME_OP_GET_FEATURES,
					     .cdw = { 7 } };
	return (struct fwa_command){ .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE, .out_len = 256 };
}

static void test_timeout_then_recovery(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = harmless(dev);
	struct fwa_reply reply = { .out = out, .out_cap = cmd.out_len };

	kill(qemu_of(dev), SIGSTOP);
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 50), -ETIMEDOUT);
	assert_true(reply.maybe_sent);
	reply.maybe_sent = false;
	assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 50), -ETIMEDOUT);
	assert_false(reply.maybe_sent);
	kill(qemu_of(dev), SIGCONT);
	assert_int_equal(submit(dev, &cmd, &reply), 0);
	assert_int_equal(reply.code, 0);
}

static void test_killed_in_mid_call(void **state)
{
	struct fwa_device *dev = *state;
	struct fwa_command cmd = harmless(dev);
	struct fwa_reply reply;
	uint8_t percent;
	pid_t killer;

	kill(qemu_of(dev), SIGSTOP);
	killer = fork();
	if (killer == 0) {
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		_exit(kill(qemu_of(dev), SIGKILL));
	}
	assert_int_equal(submit(dev, &cmd, &reply), -ENODEV);
	assert_true(reply.maybe_sent);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
	assert_int_equal(submit(dev, &cmd, &reply), -ENODEV);
	assert_false(reply.maybe_sent);
	if (dev->ops->progress)
		assert_int_equal(dev->ops->progress(dev, &percent), -ENODEV);
}

static void test_qemu_does_not_survive_us(void **state)
{
	int channel[2];
	pid_t child, qemu = 0;

	assert_int_equal(pipe(channel), 0);
	child = fork();
	if (child == 0) {
		struct fwa_device *dev;

		if (open_type("cxl-type3", &dev) < 0)
			_exit(1);
		qemu = qemu_of(dev);
		_exit(write(channel[1], &qemu, sizeof(qemu)) != sizeof(qemu));
	}
	close(channel[1]);
	assert_int_equal(read(channel[0], &qemu, sizeof(qemu)), sizeof(qemu));
	close(channel[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(qemu > 0 && ends_soon(qemu));
	(void)state;
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_close_leaves_nothing(void **state)
{
	int before = descriptors();
	struct fwa_device *dev;
	pid_t qemu;

	assert_int_equal(open_type("nvme", &dev), 0);
	qemu = qemu_of(dev);
	dev->ops->close(dev);
	assert_int_equal(kill(qemu, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(descriptors(), before);
	(void)state;
}

/* --- bad requests to open ------------------------------------------------------------------- */

static void check_refused(const char *rest, int want, const char *words)
{
	struct fwa_open_args args;
	struct fwa_device *dev = NULL;
	int before = descriptors();

	assert_int_equal(try_open(rest, &args, &dev), want);
	assert_null(dev);
	assert_int_equal(descriptors(), before);
	if (!strstr(args.error, words))
		fail_msg("\"%s\" does not say \"%s\"", args.error, words);
	assert_null(strchr(args.error, '\n'));
}

static void test_bad_specs(void **state)
{
	check_refused("", -EINVAL, "there are cxl-type3, nvme");
	check_refused("cxl-type4", -EINVAL, "there are cxl-type3, nvme");
	check_refused("nvme,colour=red", -EINVAL, "there are qemu=PATH, version=X.Y");
	check_refused("nvme,qemu=", -EINVAL, "there are qemu=PATH, version=X.Y");
	check_refused("nvme,clock=fast", -EINVAL, "there are qemu=PATH, version=X.Y, clock=warp");
	check_refused("nvme,qemu=/nonexistent", -ENOENT, "/nonexistent");
	check_refused("nvme,qemu=/etc/passwd", -EACCES, "/etc/passwd");
	check_refused("nvme,qemu=/bin/true", -EPROTO, "is no QEMU");
	check_refused("nvme,qemu=/bin/cat", -EPROTO, "is no QEMU");
	check_refused("nvme,qemu=/a\nb", -EINVAL, "control character");
	(void)state;
}

static void test_wrong_version(void **state)
{
	const char *qemu = getenv("FWADMIT_QEMU");
	char rest[512];

	snprintf(rest, sizeof(rest), "nvme,version=0.9,qemu=%s", qemu ? qemu : FWA_QEMU_PROGRAM);
	check_refused(rest, -ENOENT, "version=0.9 was asked for");
	(void)state;
}

static void test_no_qemu(void **state)
{
	fwa_auto_free char *path = strdup(getenv("PATH"));

	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	check_refused("nvme", -ENOENT, "install the package qemu-system-x86");
	assert_int_equal(setenv("PATH", path, 1), 0);
	(void)state;
}

#define CXL(name) cmocka_unit_test_setup_teardown(name, set_up_cxl, tear_down)
#define NVME(name) cmocka_unit_test_setup_teardown(name, set_up_nvme, tear_down)
#define NVME_ALSO(name)                                           \
	{                                                         \
#name "_nvme", name, set_up_nvme, tear_down, NULL \
	}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CXL(test_cxl_identity),
		CXL(test_cxl_cel),
		CXL(test_cxl_declared_commands),
		CXL(test_cxl_every_declared_opcode_answers),
		CXL(test_cxl_errors_are_codes),
		CXL(test_cxl_not_sent),
		CXL(test_cxl_lsa_round_trip),
		CXL(test_cxl_reply_is_bounded_by_the_buffer),
		CXL(test_cxl_background),
		CXL(test_cxl_feature_abort),
		CXL(test_two_devices),
		NVME(test_nvme_identify),
		NVME(test_nvme_logs),
		NVME(test_nvme_data_round_trip),
		NVME(test_nvme_queues_wrap),
		NVME(test_nvme_errors_are_codes),
		NVME(test_nvme_not_sent),
		NVME(test_nvme_command_without_end),
		NVME(test_nvme_profile),
		CXL(test_timeout_then_recovery),
		CXL(test_killed_in_mid_call),
		NVME_ALSO(test_timeout_then_recovery),
		NVME_ALSO(test_killed_in_mid_call),
		cmocka_unit_test(test_qemu_does_not_survive_us),
		cmocka_unit_test(test_close_leaves_nothing),
		cmocka_unit_test(test_bad_specs),
		cmocka_unit_test(test_wrong_version),
		cmocka_unit_test(test_no_qemu),
	};
	const char *qemu = getenv("FWADMIT_QEMU");
	struct fwa_qemu_version v;
	char error[256];
	int r = fwa_qemu_version(FWA_QEMU_PROGRAM, &v, error);

	/* -EACCES: there is none either, and $PATH has a folder that this user may not look into. */
	if (!qemu && (r == -ENOENT || r == -EACCES)) {
		fprintf(stderr, "skipped: %s\n", error);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
