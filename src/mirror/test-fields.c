/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of which record, and that nothing in a record makes a field of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "core/reason.h"
#include "mirror/fields.h"

static uint8_t body[FWA_RECORD_BODY_MAX];
static const uint8_t hash[FWA_HASH_LEN] = { 0xab };
static struct fwa_mirror_message message;

static struct fwa_frame frame(uint8_t kind, const struct fwa_writer *w)
{
	return (struct fwa_frame){ .kind = kind,
				   .seq = 77,
				   .time = 5000000,
				   .body = fwa_span(w->buf, w->len),
				   .hash = hash };
}

/* The value of field @name; NULL when there is none. Twice is a mistake. */
static const char *field(const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < message.n; i++) {
		const char *text = message.field[i].iov_base;

		assert_int_equal(strlen(text), message.field[i].iov_len);
		assert_null(strpbrk(text, "\n\r"));
		if (strncmp(text, name, len) != 0 || text[len] != '=')
			continue;
		assert_null(found);
		found = text + len + 1;
	}
	return found;
}

static bool decision(unsigned int reason)
{
	struct fwa_record_decision r = {
		.decision = { .reason = (uint8_t)reason,
			      .set = FWA_SET_CXL,
			      .opcode = 0x4302,
			      .declared = FWA_EFFECT_DATA | FWA_EFFECT_CONFIG,
			      .effects = FWA_EFFECT_DATA | FWA_EFFECT_CONFIG },
		.cmd = { .set = FWA_SET_CXL, .opcode = 0x4302 },
		.who = { .uid = 1000, .pid = 4711, .unit = "a.service", .comm = "cxl" },
	};
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_frame f;

	fwa_record_decision_encode(&w, &r);
	f = frame(FWA_RECORD_DECISION, &w);
	return fwa_mirror_fields(&f, "mem0", &message);
}

static void test_refusals(void **state)
{
	assert_false(decision(FWA_REASON_ADMIT));
	assert_true(decision(FWA_REASON_GRANT_SCOPE));
	assert_string_equal(field("MESSAGE"),
			    "clear-poison (4302h) on mem0 refused to uid 1000: grant-scope (C19)");
	assert_string_equal(field("MESSAGE_ID"), "f0e12dfe7f19417aa42ace9ef671a895");
	assert_string_equal(field("PRIORITY"), "5");
	assert_string_equal(field("FWADMIT_EVENT"), "refused");
	assert_string_equal(field("FWADMIT_SEQ"), "77");
	assert_string_equal(field("FWADMIT_TIME_USEC"), "5000");
	assert_string_equal(field("FWADMIT_DEVICE"), "mem0");
	assert_string_equal(field("FWADMIT_UID"), "1000");
	assert_string_equal(field("FWADMIT_PID"), "4711");
	assert_string_equal(field("FWADMIT_COMM"), "cxl");
	assert_string_equal(field("FWADMIT_UNIT"), "a.service");
	assert_string_equal(field("FWADMIT_COMMAND"), "clear-poison");
	assert_string_equal(field("FWADMIT_OPCODE"), "cxl:4302");
	assert_string_equal(field("FWADMIT_REASON"), "grant-scope");
	assert_string_equal(field("FWADMIT_CLAUSE"), "C19");
	assert_string_equal(field("FWADMIT_EFFECTS"), "config data");
	assert_int_equal(strlen(field("FWADMIT_HASH")), 2 * FWA_HASH_LEN);
	/* every reason but one is a refusal, and fits */
	for (unsigned int reason = 0; reason < FWA_REASON_COUNT; reason++) {
		assert_int_equal(decision(reason), reason != FWA_REASON_ADMIT);
		if (reason != FWA_REASON_ADMIT)
			assert_string_equal(field("FWADMIT_REASON"), fwa_reason_name(reason));
	}
}

static bool control(uint16_t act, const char *text)
{
	struct fwa_record_control r = { .act = act, .uid = 7, .pid = 8, .device = "nvme0" };
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_frame f;

	snprintf(r.text, sizeof(r.text), "%s", text);
	fwa_record_control_encode(&w, &r);
	f = frame(FWA_RECORD_CONTROL, &w);
	return fwa_mirror_fields(&f, "", &message);
}

static void test_acts(void **state)
{
	static const uint16_t told[] = { FWA_ACT_QUARANTINED, FWA_ACT_RELEASED, FWA_ACT_DRIFTED,
					 FWA_ACT_BASELINE_ACCEPTED };
	unsigned int n = 0;

	for (uint16_t act = 1; act < FWA_ACT_COUNT; act++)
		n += control(act, "why");
	assert_int_equal(n, sizeof(told) / sizeof(told[0]));
	assert_true(control(FWA_ACT_QUARANTINED, "recall 4711"));
	assert_string_equal(field("MESSAGE"), "nvme0: quarantined: recall 4711");
	assert_string_equal(field("PRIORITY"), "4");
	assert_string_equal(field("FWADMIT_DEVICE"), "nvme0");
	assert_string_equal(field("FWADMIT_UID"), "7");
	assert_true(control(FWA_ACT_RELEASED, ""));
	assert_string_equal(field("MESSAGE"), "nvme0: released");
}

static void test_nothing_makes_a_field(void **state)
{
	static char longest[FWA_RECORD_TEXT_MAX];

	assert_true(control(FWA_ACT_QUARANTINED, "x\nPRIORITY=0\nMESSAGE_ID=0"));
	assert_string_equal(field("PRIORITY"), "4");
	memset(longest, 'x', sizeof(longest) - 1);
	assert_true(control(FWA_ACT_QUARANTINED, longest));
	assert_non_null(field("MESSAGE"));
	assert_true(message.n <= FWA_MIRROR_FIELDS && message.len <= FWA_MIRROR_TEXT);
}

static void test_the_journal_itself(void **state)
{
	struct fwa_record_unrecorded u = { .refused = 5, .passed = 2, .since = 1, .until = 2 };
	struct fwa_record_start s = { .version = "1" };
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_frame f;

	fwa_record_unrecorded_encode(&w, &u);
	f = frame(FWA_RECORD_UNRECORDED, &w);
	assert_true(fwa_mirror_fields(&f, "mem0", &message));
	assert_string_equal(field("PRIORITY"), "3");
	w = fwa_writer(body, sizeof(body));
	fwa_record_start_encode(&w, &s);
	f = frame(FWA_RECORD_START, &w);
	assert_false(fwa_mirror_fields(&f, "", &message));
	s.damaged = 99;
	w = fwa_writer(body, sizeof(body));
	fwa_record_start_encode(&w, &s);
	f = frame(FWA_RECORD_START, &w);
	assert_true(fwa_mirror_fields(&f, "", &message));
	assert_string_equal(field("PRIORITY"), "2");
	assert_non_null(strstr(field("MESSAGE"), "99"));
}

static void test_bodies_that_are_none(void **state)
{
	static const uint8_t nonsense[40] = { 0xff };

	for (unsigned int kind = 0; kind < 256; kind++) {
		struct fwa_frame f = { .kind = (uint8_t)kind,
				       .body = fwa_span(nonsense, sizeof(nonsense)),
				       .hash = hash };

		assert_false(fwa_mirror_fields(&f, "mem0", &message));
	}
}

static void test_ids(void **state)
{
	for (size_t i = 0; i < fwa_mirror_kinds(); i++) {
		const char *name, *other, *id = fwa_mirror_id(i, &name);

		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(fwa_mirror_id(j, &other), id);
			assert_string_not_equal(name, other);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_nothing_makes_a_field),
		cmocka_unit_test(test_the_journal_itself),
		cmocka_unit_test(test_bodies_that_are_none),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
