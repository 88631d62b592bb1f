/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bytes of a payload decisions look at: for each command of the model those that are recorded, and
 * no others.
 */
#include "core/test-replay.h"

/* --- what is judged of a payload ------------------------------------------------------------------ */

/* Terms about @row: its opcode, and a field that it has, with a small value. */
static struct fwa_span draw_filter(const struct fwa_model_command *row, uint8_t *buf, size_t cap)
{
	struct fwa_writer w = fwa_writer(buf, cap);
	struct fwa_term t = { .kind = FWA_TERM_COMMAND, .set = row->set, .value = row->opcode };

	fwa_filter_write_term(&w, &t);
	for (unsigned int f = 1; f < FWA_FIELD_COUNT; f++) {
		t = (struct fwa_term){ .kind = (uint8_t)f };
		if (!fwa_opcode_has_field((enum fwa_set)row->set, row->opcode, (enum fwa_field)f) ||
		    chance(60))
			continue;
		t.flags = chance(50) ? FWA_TERM_NOT : 0;
		if (f == FWA_FIELD_UUID)
			memcpy(t.uuid, payload, 16);
		else
			t.value = below(2);
		fwa_filter_write_term(&w, &t);
	}
	assert_true(fwa_filter_valid(fwa_span(buf, w.len)));
	return fwa_span(buf, w.len);
}

static void draw_rights(const struct fwa_model_command *row, struct fwa_rights *r)
{
	static uint8_t filters[2][16 * FWA_TERM_LEN];

	memset(r, 0, sizeof(*r));
	r->n = r->n_matched = 1 + below(2);
	for (uint32_t i = 0; i < r->n; i++) {
		r->right[i].scope = chance(80) ? FWA_SCOPE_DEBUG_WRITE_FULL : below(4);
		r->right[i].effects = chance(70) ? FWA_EFFECTS_GRANTABLE : below(FWA_EFFECTS_ALL);
		r->right[i].effects &= FWA_EFFECTS_GRANTABLE;
		r->right[i].grant = i;
		if (chance(60))
			r->right[i].filter = draw_filter(row, filters[i], sizeof(filters[i]));
	}
}

/* One way to judge commands of one row. */
struct judge {
	struct fwa_contract contract;
	struct fwa_drift drift;
	struct fwa_rights rights;
	const struct fwa_profile *profile;
};

static void draw_judge(struct judge *j, const struct fwa_model_command *row)
{
	draw_contract(&j->contract);
	draw_rights(row, &j->rights);
	j->profile = &ONE_OF(devices);
	if (chance(20)) {
		j->drift.baseline = chance(80) ? &ONE_OF(devices) : NULL;
		j->contract.drift = &j->drift;
	}
}

static struct fwa_decision judged(const struct judge *j, const struct fwa_command *cmd)
{
	return fwa_decide(&j->contract, &j->rights, j->profile, cmd, 1000);
}

/* Gives byte @i other values, and says whether a decision is another one for it. */
static bool matters(const struct judge *j, const struct fwa_command *cmd, size_t i)
{
	const uint8_t values[] = { (uint8_t)(payload[i] ^ 1), (uint8_t)(payload[i] ^ 0x80),
				   (uint8_t)below(256), 0, 0xff };
	struct fwa_decision before = judged(j, cmd), after;
	uint8_t was = payload[i];
	bool any = false;

	for (size_t k = 0; k < COUNT(values) && !any; k++) {
		payload[i] = values[k];
		after = judged(j, cmd);
		any = !same(&before, &after);
	}
	payload[i] = was;
	return any;
}

/*
 * An address has 8 bytes, and only the first of them can be wrong by itself; it says what was asked for
 * all the same.
 */
static bool is_address(const struct fwa_model_command *row)
{
	return row->n_rules && row->rules[0].kind == FWA_RULE_DPA;
}

static void only_judged_bytes_matter(void **state)
{
	const struct fwa_model_command *row;

	for (size_t n = 0; (row = any_row(n)); n++) {
		size_t len = 0;
		bool last = false;

		for (int trial = 0; trial < 400; trial++) {
			struct fwa_command cmd = draw_command(row);
			struct judge j;

			draw_judge(&j, row);
			len = fwa_command_judged_len(&cmd);
			assert_true(len <= cmd.payload.len);
			for (size_t i = len; i < cmd.payload.len; i++)
				if (matters(&j, &cmd, i))
					fail_msg("%s: byte %zu of %zu", row->name, i, len);
			last |= len && matters(&j, &cmd, len - 1);
		}
		if (len && !last && !is_address(row))
			fail_msg("%s: no decision looks at byte %zu", row->name, len - 1);
	}
}

/* All of the payload behind them at once, and payloads of other lengths than the specification's. */
static void nothing_behind_matters(void **state)
{
	for (int trial = 0; trial < 100000; trial++) {
		const struct fwa_model_command *row = draw_row();
		struct fwa_command cmd = draw_command(row);
		struct fwa_decision before, after;
		struct judge j;
		size_t len;

		if (chance(5))
			cmd.opcode = (uint16_t)(CXL_OP_VENDOR_FIRST + below(8));
		if (chance(5))
			cmd.set = (uint8_t)below(5);
		if (chance(50))
			cmd.payload.len = below(PAYLOAD + 1);
		draw_judge(&j, row);
		before = judged(&j, &cmd);
		len = fwa_command_judged_len(&cmd);
		draw_bytes(payload + len, PAYLOAD - len);
		after = judged(&j, &cmd);
		assert_true(same(&before, &after));
	}
}

/* What users put into a command to keep it secret is never among what is judged. */
static void secrets_are_not_judged(void **state)
{
	static const struct {
		uint8_t set;
		uint16_t opcode;
		size_t judged;
	} secret[] = {
		{ FWA_SET_CXL, 0x4501, 0 },      /* Set Passphrase */
		{ FWA_SET_CXL, 0x4502, 0 },      /* Disable Passphrase */
		{ FWA_SET_CXL, 0x4503, 0 },      /* Unlock */
		{ FWA_SET_CXL, 0x4505, 0 },      /* Passphrase Secure Erase */
		{ FWA_SET_CXL, 0x4600, 0 },      /* Security Send */
		{ FWA_SET_CXL, 0x4601, 0 },      /* Security Receive */
		{ FWA_SET_CXL, 0x4103, 4 },      /* Set LSA: where, and nothing of the labels */
		{ FWA_SET_CXL, 0x0201, 2 },      /* Transfer FW: nothing of the image */
		{ FWA_SET_CXL, 0x0502, 22 },     /* Set Feature: nothing of its data */
		{ FWA_SET_NVME_ADMIN, 0x81, 0 }, /* Security Send */
		{ FWA_SET_NVME_ADMIN, 0x24, 0 }, /* Lockdown */
		{ FWA_SET_NVME_IO, 0x01, 0 },    /* Write */
	};

	for (size_t i = 0; i < COUNT(secret); i++) {
		struct fwa_command cmd = { .set = secret[i].set,
					   .opcode = secret[i].opcode,
					   .payload = { payload, PAYLOAD } };

		assert_non_null(fwa_model_find((enum fwa_set)cmd.set, cmd.opcode));
		assert_int_equal(fwa_command_judged_len(&cmd), secret[i].judged);
	}
	for (uint16_t i = 0; i < 4; i++) {
		struct fwa_command vendor = { .set = FWA_SET_CXL,
					      .opcode = CXL_OP_VENDOR_FIRST + i,
					      .payload = { payload, PAYLOAD } };

		assert_int_equal(fwa_command_judged_len(&vendor), 0);
	}
	/* No NVMe payload, and none of the whole class of security commands. */
	for (size_t i = 0; any_row(i); i++) {
		struct fwa_command cmd = { .set = any_row(i)->set,
					   .opcode = any_row(i)->opcode,
					   .payload = { payload, PAYLOAD } };

		assert_true(fwa_command_judged_len(&cmd) <= 24); /* spec/JOURNAL-FORMAT.md */
		if (cmd.set != FWA_SET_CXL || cmd.opcode >> 8 == 0x45 || cmd.opcode >> 8 == 0x46)
			assert_int_equal(fwa_command_judged_len(&cmd), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_judged_bytes_matter),
		cmocka_unit_test(nothing_behind_matters),
		cmocka_unit_test(secrets_are_not_judged),
	};

	return cmocka_run_group_tests(tests, make_devices, NULL);
}
