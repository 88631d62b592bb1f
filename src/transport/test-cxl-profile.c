/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the declarations of every personality, and of devices that lie in the answers that the
 * reader itself depends on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/lint.h"
#include "transport/read-profile.h"
#include "transport/sim/personality.h"
#include "transport/sim/test-device.h"

static struct fwa_profile profile;
static uint8_t encoded[FWA_PROFILE_MAX];

static void read_device(struct fwa_device *dev)
{
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	char error[256] = "";

	assert_int_equal(fwa_cxl_profile_read(dev, &w, error), 0);
	assert_string_equal(error, "");
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(w.buf, w.len)), 0);
	assert_true(fwa_profile_check(&profile));
}

static void read_personality(const char *what)
{
	struct fwa_device *dev = test_open(what);

	read_device(dev);
	test_close(dev);
}

static int fail_to_read(struct fwa_device *dev, const char *expected)
{
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	char error[256] = "";
	int e = fwa_cxl_profile_read(dev, &w, error);

	assert_non_null(strstr(error, expected));
	return e;
}

static uint32_t declared(uint16_t opcode)
{
	struct fwa_declared d;

	return fwa_profile_declared(&profile, FWA_SET_CXL, opcode, &d) ? d.raw : 0x10000;
}

static void count_finding(const struct fwa_finding *f, void *userdata)
{
	unsigned int *counts = userdata;

	counts[f->code]++;
}

static uint32_t lint(unsigned int counts[FWA_FINDING_COUNT])
{
	memset(counts, 0, FWA_FINDING_COUNT * sizeof(*counts));
	return fwa_lint(&profile, count_finding, counts);
}

static void print_finding(const struct fwa_finding *f, void *userdata)
{
	print_error("%s: %04Xh, bits %x\n", fwa_finding_name(f->code), f->opcode, f->bits);
}

static void test_honest(void **state)
{
	uint32_t size;

	read_personality("honest,seed=3");
	assert_int_equal(fwa_lint(&profile, print_finding, NULL), 0);
	assert_int_equal(profile.family, FWA_FAMILY_SIM);
	assert_string_equal(profile.id.vendor, "fwadmit");
	assert_string_equal(profile.id.model, "Simulated CXL type-3");
	assert_int_equal(strlen(profile.id.serial), 16);
	assert_string_equal(profile.id.firmware, "1.3.0");
	assert_int_equal(profile.payload_max, 2048);
	assert_int_equal(profile.lsa_size, SIM_LSA_LEN);
	assert_int_equal(fwa_profile_count(&profile), 43);
	assert_int_equal(profile.n_features, SIM_FEATURE_COUNT);
	assert_null(profile.cel_again.data);
	assert_true(fwa_profile_log_size(&profile, CXL_UUID_VENDOR_DEBUG, &size));
	assert_int_equal(size, SIM_DEBUG_LOG_LEN);
	assert_true(fwa_profile_log_size(&profile, CXL_UUID_CEL, &size));
	assert_int_equal(size, profile.cel.len);
	assert_int_equal(declared(0x4103), 0x0006);
	assert_int_equal(declared(0x4666), 0x10000);
}

/* A mailbox of the least size: the CEL and the Features come in several pieces, and are the same. */
static void test_pieces(void **state)
{
	uint8_t cel[512], features[512];

	read_personality("honest");
	assert_true(profile.cel.len <= 512 && profile.features.len <= 512);
	memcpy(cel, profile.cel.data, profile.cel.len);
	memcpy(features, profile.features.data, profile.features.len);
	read_personality("honest,payload=256");
	assert_true(profile.cel.len == 43 * 4 && profile.features.len == 7 * 48);
	assert_memory_equal(profile.features.data, features, profile.features.len);
	assert_memory_equal(profile.cel.data, cel, profile.cel.len);
}

static void test_huge(void **state)
{
	unsigned int counts[FWA_FINDING_COUNT];

	for (unsigned int i = 0; i < 3; i++) {
		static const char *const sizes[] = { "huge,payload=256", "huge",
						     "huge,payload=65536" };

		read_personality(sizes[i]);
		assert_int_equal(fwa_profile_count(&profile), 43 + SIM_HUGE_COUNT);
		assert_int_equal(declared(SIM_HUGE_FIRST + SIM_HUGE_COUNT - 1), 0);
		assert_int_equal(lint(counts), 0);
	}
}

static void test_empty(void **state)
{
	unsigned int counts[FWA_FINDING_COUNT];

	read_personality("empty");
	assert_true(profile.has_cel);
	assert_int_equal(fwa_profile_count(&profile), 0);
	lint(counts);
	assert_int_equal(counts[FWA_FINDING_EMPTY], 1);
}

static void test_flapping(void **state)
{
	unsigned int counts[FWA_FINDING_COUNT];

	read_personality("flapping");
	assert_int_equal(profile.cel_again.len, profile.cel.len);
	lint(counts);
	assert_int_equal(counts[FWA_FINDING_UNSTABLE], 1);
}

static void test_reserved(void **state)
{
	unsigned int counts[FWA_FINDING_COUNT];

	read_personality("reserved");
	lint(counts);
	assert_int_equal(counts[FWA_FINDING_RESERVED_BITS], 7); /* six commands, one Feature */
}

static void test_liar_data(void **state)
{
	read_personality("liar-data");
	assert_int_equal(declared(0x4302), 0);
	assert_int_equal(declared(0xc000), 0);
}

static void test_liar_spec(void **state)
{
	unsigned int counts[FWA_FINDING_COUNT];

	read_personality("liar-spec");
	lint(counts);
	assert_int_equal(counts[FWA_FINDING_DUPLICATE], 1);
	assert_int_equal(counts[FWA_FINDING_RESERVED_BITS], 1);
	assert_int_equal(counts[FWA_FINDING_WRONG_BIT], 3); /* 4401h, 0202h, one Feature */
	assert_int_equal(counts[FWA_FINDING_UNDECLARED_FLOOR], 1);
	assert_int_equal(counts[FWA_FINDING_FEATURE_SILENT], 1);
	assert_true(counts[FWA_FINDING_FEATURE_EFFECTS] >= 4);
	assert_int_equal(declared(0x4103), 0);
	/* One entry taken away, one added. */
	assert_int_equal(profile.cel.len, 43 * 4);
	assert_int_equal(declared(0x0301), 0x8008);
	assert_int_equal(declared(0x0401), 0);
	assert_int_equal(declared(0xc001), 0x0002);
}

/* Liars that look honest to a reader: that is what makes them liars. */
static void test_well_declared_liars(void **state)
{
	static const char *const liars[] = { "liar-magic-lba", "liar-log", "liar-immediate", "hang",
					     "gone" };
	unsigned int counts[FWA_FINDING_COUNT];

	for (size_t i = 0; i < sizeof(liars) / sizeof(liars[0]); i++) {
		read_personality(liars[i]);
		assert_int_equal(lint(counts), 0);
		assert_int_equal(fwa_profile_count(&profile), 43);
	}
}

static void test_gone(void **state)
{
	struct fwa_device *dev = test_open("gone,after=0");

	assert_int_equal(fail_to_read(dev, "is gone"), -ENODEV);
	test_close(dev);
	dev = test_open("gone"); /* after the reading */
	read_device(dev);
	SEND(dev, 0x4000);
	assert_int_equal(answer.error, -ENODEV);
	test_close(dev);
}

static void test_garbage(void **state)
{
	unsigned int ragged = 0, unstable = 0, nothing = 0;
	char what[64];

	for (unsigned int seed = 0; seed < 400; seed++) {
		unsigned int counts[FWA_FINDING_COUNT];

		snprintf(what, sizeof(what), "garbage,seed=%u,payload=%u", seed,
			 seed % 2 ? 2048u : 256u);
		read_personality(what);
		lint(counts);
		ragged += counts[FWA_FINDING_TRUNCATED];
		unstable += counts[FWA_FINDING_UNSTABLE];
		nothing += !fwa_profile_count(&profile);
	}
	assert_true(ragged > 10 && unstable > 10 && nothing > 10);
}

/* --- a device made of one hostile answer ---------------------------------------------------- */

/* Stands before the honest device, and changes what the reader gets for @opcode. */
struct bad_device {
	struct fwa_device dev;
	struct fwa_device *honest;
	uint16_t opcode;
	int error;
	unsigned int commands;
	void (*spoil)(struct fwa_reply *reply);
};

static int bad_submit(struct fwa_device *dev, const struct fwa_command *cmd,
		      struct fwa_reply *reply, unsigned int timeout_ms)
{
	struct bad_device *bad = (struct bad_device *)dev;
	int e = bad->honest->ops->submit(bad->honest, cmd, reply, timeout_ms);

	bad->commands++;
	if (cmd->opcode != bad->opcode)
		return e;
	if (bad->spoil)
		bad->spoil(reply);
	return bad->error;
}

static const struct fwa_device_ops bad_ops = { .submit = bad_submit };

static struct bad_device bad_device(uint16_t opcode, void (*spoil)(struct fwa_reply *reply))
{
	struct fwa_device *honest = test_open("honest,payload=4096");

	return (struct bad_device){
		.dev = { .ops = &bad_ops, .family = FWA_FAMILY_CXL, .payload_max = 4096 },
		.honest = honest,
		.opcode = opcode,
		.spoil = spoil,
	};
}

static unsigned int features_at_once;

/* Thousands of Features, a few at a time. */
static void endless_features(struct fwa_reply *reply)
{
	reply->code = CXL_RC_SUCCESS;
	fwa_put_le16(reply->out, (uint16_t)features_at_once);
	fwa_put_le16(reply->out + 2, 0xffff);
	reply->out_len = CXL_FEATURES_HEADER_LEN + features_at_once * CXL_FEATURE_ENTRY_LEN;
}

static void test_endless_features(void **state)
{
	static const unsigned int times[] = { 1, 80 };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct bad_device bad = bad_device(CXL_OP_GET_SUPPORTED_FEATURES, endless_features);

		features_at_once = times[i];
		read_device(&bad.dev);
		assert_int_equal(profile.n_features, FWA_PROFILE_FEATURES_MAX);
		assert_int_equal(bad.commands,
				 4 + (FWA_PROFILE_FEATURES_MAX + times[i] - 1) / times[i]);
		test_close(bad.honest);
	}
}

/* Five commands: logs, CEL, Features, identify, CEL again. */
static void test_no_command_too_many(void **state)
{
	struct bad_device bad = bad_device(0, NULL);

	read_device(&bad.dev);
	assert_int_equal(bad.commands, 5);
	test_close(bad.honest);
}

/* Takes Get Supported Features out of the CEL. */
static void without_features(struct fwa_reply *reply)
{
	for (uint32_t at = 0; at + CXL_CEL_ENTRY_LEN <= reply->out_len; at += CXL_CEL_ENTRY_LEN)
		if (fwa_le16(reply->out + at) == CXL_OP_GET_SUPPORTED_FEATURES)
			fwa_put_le16(reply->out + at, 0xc0fe);
}

/* The reader, too, sends only what is declared. */
static void test_features_undeclared(void **state)
{
	struct bad_device bad = bad_device(CXL_OP_GET_LOG, without_features);

	read_device(&bad.dev);
	assert_int_equal(fwa_profile_count(&profile), 43);
	assert_int_equal(bad.commands, 4);
	assert_int_equal(profile.n_features, 0);
	test_close(bad.honest);
}

/* Counts more entries than the answer holds. */
static void overcounted(struct fwa_reply *reply)
{
	fwa_put_le16(reply->out, 0xffff);
	reply->out_len -= 5;
}

static void test_counts_that_lie(void **state)
{
	struct bad_device bad = bad_device(CXL_OP_GET_SUPPORTED_FEATURES, overcounted);
	uint32_t size;

	read_device(&bad.dev);
	assert_int_equal(profile.n_features, SIM_FEATURE_COUNT - 1); /* the last never came whole */
	test_close(bad.honest);
	bad = bad_device(CXL_OP_GET_SUPPORTED_LOGS, overcounted);
	read_device(&bad.dev);
	assert_true(fwa_profile_log_size(&profile, CXL_UUID_CEL, &size));
	assert_false(fwa_profile_log_size(&profile, CXL_UUID_VENDOR_DEBUG, &size));
	assert_int_equal(fwa_profile_count(&profile), 43);
	test_close(bad.honest);
}

/* As many log entries as the mailbox holds: more than a profile takes. */
static void many_logs(struct fwa_reply *reply)
{
	fwa_put_le16(reply->out, 200);
	reply->out_len = CXL_LOGS_HEADER_LEN + 200 * CXL_LOGS_ENTRY_LEN;
}

static void test_many_logs(void **state)
{
	struct bad_device bad = bad_device(CXL_OP_GET_SUPPORTED_LOGS, many_logs);

	read_device(&bad.dev);
	assert_int_equal(profile.logs.len, FWA_PROFILE_LOGS_MAX * CXL_LOGS_ENTRY_LEN);
	assert_int_equal(fwa_profile_count(&profile), 43);
	test_close(bad.honest);
}

static void long_log(struct fwa_reply *reply)
{
	reply->out_len = reply->out_cap;
}

static void short_log(struct fwa_reply *reply)
{
	reply->out_len = 41;
}

static void test_log_lengths_that_lie(void **state)
{
	struct bad_device bad = bad_device(CXL_OP_GET_LOG, long_log);

	read_device(&bad.dev);
	assert_int_equal(profile.cel.len, 4096);
	test_close(bad.honest);
	bad = bad_device(CXL_OP_GET_LOG, short_log);
	read_device(&bad.dev);
	assert_int_equal(profile.cel.len, 41);
	assert_int_equal(fwa_profile_count(&profile), 10);
	test_close(bad.honest);
}

/* The largest CEL that can be said, from a device that has it and more. */
static void huge_size(struct fwa_reply *reply)
{
	fwa_put_le32(reply->out + CXL_LOGS_HEADER_LEN + 16, UINT32_MAX);
}

static int endless_submit(struct fwa_device *dev, const struct fwa_command *cmd,
			  struct fwa_reply *reply, unsigned int timeout_ms)
{
	if (cmd->opcode != CXL_OP_GET_LOG)
		return bad_submit(dev, cmd, reply, timeout_ms);
	memset(reply->out, 0x77, reply->out_cap);
	reply->out_len = fwa_le32(cmd->payload.data + 20);
	return 0;
}

static void test_endless_log(void **state)
{
	static const struct fwa_device_ops ops = { .submit = endless_submit };
	struct bad_device bad = bad_device(CXL_OP_GET_SUPPORTED_LOGS, huge_size);

	bad.dev.ops = &ops;
	read_device(&bad.dev);
	assert_int_equal(profile.cel.len, SIM_CEL_MAX);
	assert_int_equal(fwa_profile_count(&profile), 1);
	test_close(bad.honest);
}

/* What goes wrong with one command costs that part; what means that nothing goes on costs all. */
static void test_errors(void **state)
{
	static const uint16_t opcodes[] = { CXL_OP_GET_SUPPORTED_LOGS, CXL_OP_GET_LOG,
					    CXL_OP_GET_SUPPORTED_FEATURES,
					    CXL_OP_IDENTIFY_MEMORY_DEVICE };

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct bad_device bad = bad_device(opcodes[i], NULL);

		bad.error = -EOPNOTSUPP;
		read_device(&bad.dev);
		assert_int_equal(fwa_profile_count(&profile), i < 2 ? 0 : 43);
		assert_int_equal(profile.n_features, i < 3 ? 0 : SIM_FEATURE_COUNT);
		assert_int_equal(profile.lsa_size, i == 3 ? 0 : SIM_LSA_LEN);
		bad.error = -EPROTO;
		read_device(&bad.dev);
		bad.error = -ENODEV;
		assert_int_equal(fail_to_read(&bad.dev, "is gone"), -ENODEV);
		bad.error = -ETIMEDOUT;
		assert_int_equal(fail_to_read(&bad.dev, "does not answer"), -ETIMEDOUT);
		test_close(bad.honest);
	}
}

static void test_no_room(void **state)
{
	struct fwa_device *dev = test_open("honest");
	struct fwa_writer w = fwa_writer(encoded, 100);
	char error[256] = "";

	assert_int_equal(fwa_profile_read(dev, &w, error), -ENOBUFS);
	assert_string_not_equal(error, "");
	test_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_liar_data),
		cmocka_unit_test(test_liar_spec),
		cmocka_unit_test(test_well_declared_liars),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_endless_features),
		cmocka_unit_test(test_no_command_too_many),
		cmocka_unit_test(test_features_undeclared),
		cmocka_unit_test(test_counts_that_lie),
		cmocka_unit_test(test_many_logs),
		cmocka_unit_test(test_log_lengths_that_lie),
		cmocka_unit_test(test_endless_log),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
