/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Core's parts one by one; verdicts as a whole are in tests/decisions/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/uuid.h"
#include "core/decide.h"
#include "core/lint.h"
#include "core/status.h"
#include "wire/nvme.h"

static uint8_t buf[8 * 1024 * 1024];
static struct fwa_profile profile;

static int make_cel(const uint16_t (*entries)[2], size_t n, size_t extra)
{
	static uint8_t cel[65536 * 4 + 4];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	for (size_t i = 0; i < n; i++) {
		fwa_put_le16(cel + 4 * i, entries[i][0]);
		fwa_put_le16(cel + 4 * i + 2, entries[i][1]);
	}
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, 4 * n + extra));
	return fwa_profile_parse(&profile, fwa_span(buf, w.len));
}

/* --- effects --------------------------------------------------------------------------------- */

static void effects_every_word_is_known_or_unknown(void **state)
{
	for (uint32_t w = 0; w < 65536; w++) {
		struct fwa_declared d = fwa_cxl_declared((uint16_t)w);

		assert_int_equal(!!(d.effects & FWA_EFFECT_UNKNOWN), d.reserved != 0);
		assert_int_equal(d.effects & ~(FWA_EFFECTS_CXL_DECLARABLE | FWA_EFFECT_UNKNOWN), 0);
		assert_int_equal(d.effects & 0x7f, w & 0x7f);
	}
}

static void effects_nvme_bits(void **state)
{
	assert_int_equal(fwa_nvme_declared(1).effects, 0);
	assert_int_equal(fwa_nvme_declared(0x1f).effects,
			 FWA_EFFECT_DATA | FWA_EFFECT_NAMESPACE_CAPABILITY |
				 FWA_EFFECT_NAMESPACE_INVENTORY | FWA_EFFECT_CONTROLLER_CAPABILITY);
	assert_int_equal(fwa_nvme_declared(1 | 7u << 16).effects,
			 FWA_EFFECT_EXCLUSIVE | FWA_EFFECT_UNKNOWN);
	assert_int_equal(fwa_nvme_declared(1 | 1u << 19).attributes, FWA_ATTR_UUID_SELECTION);
	assert_int_equal(fwa_nvme_declared(1 | 0x3fu << 20).attributes,
			 FWA_ATTR_SCOPE_NAMESPACE | FWA_ATTR_SCOPE_CONTROLLER |
				 FWA_ATTR_SCOPE_NVM_SET | FWA_ATTR_SCOPE_ENDURANCE_GROUP |
				 FWA_ATTR_SCOPE_DOMAIN | FWA_ATTR_SCOPE_NVM_SUBSYSTEM);
	for (unsigned int bit = 26; bit < 32; bit++)
		assert_true(fwa_nvme_declared(1 | 1u << bit).effects & FWA_EFFECT_UNKNOWN);
}

static void effects_nvme_feature_bits(void **state)
{
	assert_int_equal(fwa_nvme_feature_declared(0x1f).effects, fwa_nvme_declared(0x1f).effects);
	assert_int_equal(fwa_nvme_feature_declared(1 | 0x7fu << 20).attributes,
			 fwa_nvme_declared(1 | 0x3fu << 20).attributes |
				 FWA_ATTR_SCOPE_CONTROLLER_DATA_QUEUE);
	assert_int_equal(fwa_nvme_feature_declared(1 | 1u << 19).attributes,
			 FWA_ATTR_UUID_SELECTION);
	for (unsigned int bit = 0; bit < 32; bit++) {
		bool known = bit < 5 || (bit >= 19 && bit < 27);
		struct fwa_declared d = fwa_nvme_feature_declared(1u << bit);

		assert_int_equal(!(d.effects & FWA_EFFECT_UNKNOWN), known);
		assert_int_equal(d.reserved, known ? 0 : 1u << bit);
	}
}

static void effects_names_round_trip(void **state)
{
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++) {
		const char *name = fwa_effect_name(bit);

		assert_int_equal(fwa_effect_by_name(name, strlen(name)), 1u << bit);
		assert_int_equal(fwa_effect_by_name(name, strlen(name) - 1), 0);
	}
	assert_null(fwa_effect_name(FWA_EFFECT_COUNT));
	assert_null(fwa_attribute_name(FWA_ATTR_COUNT));
	assert_int_equal(fwa_effect_by_name("", 0), 0);
}

static void names_are_all_there(void **state)
{
	for (unsigned int i = 0; i < FWA_REASON_COUNT; i++) {
		assert_non_null(fwa_reason_name(i));
		assert_in_range(fwa_reason_clause(i), 1, 32);
	}
	for (unsigned int i = 1; i < FWA_DETAIL_COUNT; i++)
		assert_true(fwa_detail_text(i)[0]);
	for (unsigned int i = 0; i < FWA_NEED_COUNT; i++)
		assert_non_null(fwa_need_name(i));
	for (unsigned int i = 0; i < FWA_FINDING_COUNT; i++)
		assert_true(fwa_finding_name(i) && fwa_finding_text(i)[0]);
	assert_string_equal(fwa_status_name(FWA_SET_CXL, 0x20), "request-abort-not-supported");
	assert_string_equal(fwa_status_name(FWA_SET_CXL, 0xffff), "unknown-status");
	assert_string_equal(fwa_status_name(FWA_SET_NVME_ADMIN, 0x4002), "invalid-field");
	assert_false(fwa_status_ok(FWA_SET_NVME_ADMIN, 0x4002));
	assert_true(fwa_status_ok(FWA_SET_CXL, 1));
}

/* --- profiles -------------------------------------------------------------------------------- */

static void profile_table_is_the_raw_log(void **state)
{
	static uint16_t entries[20000][2];
	struct fwa_declared a, b;

	srand(7);
	for (size_t i = 0; i < 20000; i++) {
		entries[i][0] = (uint16_t)(rand() % 12000 * 5);
		entries[i][1] = (uint16_t)rand();
	}
	assert_int_equal(make_cel(entries, 20000, 3), 0);
	assert_true(fwa_profile_check(&profile));
	for (uint32_t opcode = 0; opcode < 65536; opcode += 5) {
		bool in_table = fwa_profile_declared(&profile, FWA_SET_CXL, (uint16_t)opcode, &a);

		assert_int_equal(in_table, fwa_cel_declared(profile.cel, (uint16_t)opcode, &b));
		if (in_table)
			assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void profile_check_sees_a_wrong_table(void **state)
{
	static const uint16_t entries[][2] = { { 1, 2 }, { 3, 4 }, { 3, 8 } };

	assert_int_equal(make_cel(entries, 3, 0), 0);
	assert_true(fwa_profile_check(&profile));
	profile.cxl.word[1] = 0;
	assert_false(fwa_profile_check(&profile));
	profile.cxl.word[1] = 6;
	assert_false(fwa_profile_check(&profile));
	profile.cxl.word[1] = 2;
	profile.cxl.word[3] = 4;
	assert_false(fwa_profile_check(&profile));
	profile.cxl.word[3] = 12;
	profile.cxl.present[7] |= 1;
	assert_false(fwa_profile_check(&profile));
}

static void profile_empty_and_ragged(void **state)
{
	static const uint16_t one[][2] = { { 0x4000, 0 } };

	for (size_t extra = 0; extra < 4; extra++) {
		assert_int_equal(make_cel(one, 0, extra), 0);
		assert_int_equal(fwa_profile_count(&profile), 0);
		assert_int_equal(make_cel(one, 1, extra), 0);
		assert_int_equal(fwa_profile_count(&profile), 1);
	}
}

/* Any cut of a good profile, and any changed byte, is refused or parsed: never more than was sent. */
static void profile_cuts_and_flips(void **state)
{
	static const uint16_t entries[][2] = { { 0x4000, 0 }, { 0x4103, 6 } };
	static uint8_t copy[512];
	size_t len;

	assert_int_equal(make_cel(entries, 2, 0), 0);
	len = profile.encoded.len;
	for (size_t cut = 0; cut < len; cut++) {
		memcpy(copy, buf, len);
		if (fwa_profile_parse(&profile, fwa_span(copy, cut)) == 0)
			assert_true(fwa_profile_check(&profile));
		else
			assert_int_equal(fwa_profile_count(&profile), 0);
	}
	for (size_t at = 0; at < len; at++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, buf, len);
			copy[at] ^= (uint8_t)(1 << bit);
			if (fwa_profile_parse(&profile, fwa_span(copy, len)) == 0)
				assert_true(fwa_profile_check(&profile));
		}
}

static void profile_refuses_twice_and_unknown(void **state)
{
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span("", 0));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span("", 0));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), -1);
	w = fwa_writer(buf, sizeof(buf));
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, 63, fwa_span("", 0));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), -1);
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, 8)), -1);
}

static void profile_text_is_clean(void **state)
{
	char text[FWA_TEXT_MAX];

	fwa_text_clean(text, "ab\x1b[31m\xff  ", 10);
	assert_string_equal(text, "ab?[31m?");
	fwa_text_clean(text, "", 0);
	assert_string_equal(text, "");
	memset(buf, 'x', 200);
	fwa_text_clean(text, buf, 200);
	assert_int_equal(strlen(text), FWA_TEXT_MAX - 1);
}

static void profile_features_are_found(void **state)
{
	static uint8_t features[1500 * CXL_FEATURE_ENTRY_LEN];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	struct fwa_feature f;
	uint8_t uuid[16] = { 0 };

	for (uint32_t i = 0; i < 1500; i++) {
		uint8_t *e = features + i * CXL_FEATURE_ENTRY_LEN;

		fwa_put_le32(e, i * 2654435761u);
		fwa_put_le16(e + 28, (uint16_t)i);
		fwa_put_le32(e + 22, 1);
	}
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(features, sizeof(features)));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), 0);
	for (uint32_t i = 0; i < 1500; i++) {
		fwa_put_le32(uuid, i * 2654435761u);
		assert_int_equal(fwa_profile_feature_by_uuid(&profile, uuid, &f),
				 i < FWA_PROFILE_FEATURES_MAX);
		if (i < FWA_PROFILE_FEATURES_MAX)
			assert_int_equal(f.effects, i);
	}
}

static int make_pages(size_t len)
{
	static uint8_t page[NVME_EFFECTS_LEN];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_put_le32(page + 4 * 0x02, 1);
	fwa_put_le32(page + 4 * 0x06, 3);
	fwa_put_le32(page + 4 * 0xff, 2);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, fwa_span(page, len));
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, fwa_span(page, len));
	return fwa_profile_parse(&profile, fwa_span(buf, w.len));
}

static void profile_pages_of_ids(void **state)
{
	static const uint16_t none[1][2];
	struct fwa_declared d = { .raw = 7 };

	assert_int_equal(make_cel(none, 0, 0), 0);
	assert_true(fwa_profile_lid(&profile, 0xff));
	assert_true(fwa_profile_fid(&profile, 0xff, &d));
	assert_true(d.raw == 0 && d.effects == 0);
	assert_int_equal(make_pages(NVME_IDS_LEN), 0);
	assert_true(fwa_profile_lid(&profile, 0x02));
	assert_false(fwa_profile_lid(&profile, 0x03));
	assert_false(fwa_profile_lid(&profile, 0xff));
	assert_true(fwa_profile_fid(&profile, 0x06, &d));
	assert_int_equal(d.effects, FWA_EFFECT_DATA);
	assert_false(fwa_profile_fid(&profile, 0xff, &d));
	assert_int_equal(make_pages(0), -1);
	assert_int_equal(make_pages(NVME_IDS_LEN - 4), -1);
	assert_int_equal(make_pages(NVME_IDS_LEN + 4), -1);
}

/* --- decisions and remedies ------------------------------------------------------------------ */

static void decision_zero_denies(void **state)
{
	struct fwa_decision d = { 0 };

	assert_false(fwa_admitted(&d));
}

/* Whatever is admitted was declared, understood, in scope and granted. */
static void decision_admits_only_within_rights(void **state)
{
	static uint16_t entries[4096][2];
	unsigned int admitted = 0;

	srand(11);
	for (size_t i = 0; i < 4096; i++) {
		entries[i][0] = (uint16_t)(rand() & 1 ? rand() : 0xc000 | rand());
		entries[i][1] = (uint16_t)(rand() & 3 ? rand() & 0x0eff & rand() : rand());
	}
	assert_int_equal(make_cel(entries, 4096, 0), 0);
	for (int i = 0; i < 300000; i++) {
		struct fwa_rights rights = { .n_matched = 1, .n = 1 };
		struct fwa_contract contract = { .advisory = rand() % 8 ? 0 : 1u << (rand() % 17) };
		struct fwa_command cmd = {
			.set = FWA_SET_CXL,
			.opcode = rand() & 7 ? entries[rand() % 4096][0] : (uint16_t)rand(),
			.scope = (uint8_t)(rand() & 1 ? FWA_SCOPE_LEAST : rand() % 5),
			.payload = fwa_span(buf, (size_t)(rand() % 100)),
		};
		struct fwa_declared raw;
		struct fwa_decision d;

		rights.right[0].scope = (uint32_t)rand() % 4;
		rights.right[0].effects = (uint32_t)rand() & FWA_EFFECTS_GRANTABLE;
		d = fwa_decide(&contract, &rights, &profile, &cmd, 0);
		if (!fwa_admitted(&d))
			continue;
		admitted++;
		assert_true(fwa_cel_declared(profile.cel, cmd.opcode, &raw));
		assert_int_equal(raw.effects & ~d.effects, 0);
		assert_int_equal(contract.advisory & ~d.effects, 0);
		assert_int_equal(d.effects & ~rights.right[0].effects, 0);
		assert_int_equal(d.effects & FWA_EFFECTS_NEVER, 0);
		assert_true(d.scope >= d.required && d.scope <= rights.right[0].scope);
	}
	assert_true(admitted > 1000);
}

static void remedy_says_what_passes(void **state)
{
	static const uint16_t entries[][2] = { { 0xc000, 0x0004 },
					       { 0xc001, 0x8000 },
					       { 0xc002, 0 } };
	struct fwa_contract contract = { 0 };
	struct fwa_rights rights = { .n_matched = 1, .n = 1 };
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0xc000, .scope = FWA_SCOPE_LEAST };
	struct fwa_remedy r;

	rights.right[0].scope = FWA_SCOPE_DEBUG_READ_ONLY;
	assert_int_equal(make_cel(entries, 3, 0), 0);
	r = fwa_remedy(&contract, &rights, &profile, &cmd, 0);
	assert_true(r.possible && r.grant && !r.ask);
	assert_int_equal(r.scope, FWA_SCOPE_DEBUG_WRITE_FULL);
	assert_int_equal(r.effects, FWA_EFFECT_DATA);
	cmd.opcode = 0xc001;
	r = fwa_remedy(&contract, &rights, &profile, &cmd, 0);
	assert_false(r.possible);
	cmd.opcode = 0xc002;
	cmd.scope = FWA_SCOPE_CONFIGURATION;
	r = fwa_remedy(&contract, &rights, &profile, &cmd, 0);
	assert_true(r.possible && r.ask && !r.grant);
	assert_int_equal(r.scope, FWA_SCOPE_DEBUG_READ_ONLY);
	cmd.scope = FWA_SCOPE_LEAST;
	contract.lockdown = true;
	cmd.opcode = 0xc000;
	r = fwa_remedy(&contract, &rights, &profile, &cmd, 0);
	assert_false(r.possible);
}

/* --- lint ------------------------------------------------------------------------------------ */

static uint32_t seen[FWA_FINDING_COUNT];

static void count(const struct fwa_finding *f, void *userdata)
{
	seen[f->code]++;
}

static void lint_finds_what_is_wrong(void **state)
{
	static const uint16_t entries[][2] = {
		{ 0x0400, 0x0000 }, { 0x4302, 0x0000 }, /* under-declared */
		{ 0x4000, 0x0004 },                     /* over-declared */
		{ 0xc000, 0x1000 },                     /* reserved */
		{ 0xc001, 0x0400 },                     /* bit 10 without bit 9 */
		{ 0xc002, 0x0000 }, { 0xc002, 0x0001 }, /* duplicate */
	};

	memset(seen, 0, sizeof(seen));
	assert_int_equal(make_cel(entries, 7, 1), 0);
	assert_int_equal(fwa_lint(&profile, count, NULL), 7);
	assert_int_equal(seen[FWA_FINDING_UNDER_DECLARED], 1);
	assert_int_equal(seen[FWA_FINDING_OVER_DECLARED], 1);
	assert_int_equal(seen[FWA_FINDING_RESERVED_BITS], 1);
	assert_int_equal(seen[FWA_FINDING_WRONG_BIT], 1);
	assert_int_equal(seen[FWA_FINDING_DUPLICATE], 1);
	assert_int_equal(seen[FWA_FINDING_TRUNCATED], 1);
	assert_int_equal(seen[FWA_FINDING_UNDECLARED_FLOOR], 1); /* Get Log */
}

static void lint_nvme(void **state)
{
	static uint8_t log[NVME_EFFECTS_LEN];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_put_le32(log + 4 * 0x02, 1);
	fwa_put_le32(log + 4 * 0x06, 1);
	fwa_put_le32(log + 4 * 0x09, 1);
	fwa_put_le32(log + 4 * 0x0a, 1);
	fwa_put_le32(log + 4 * 0x80, 1);      /* Format without LBCC */
	fwa_put_le32(log + 4 * 0xc0, 2);      /* bits without CSUPP */
	fwa_put_le32(log + 4 * 0xc1, 0x8001); /* CSER 2 */
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS_AGAIN, fwa_span(log, 8));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), 0);
	memset(seen, 0, sizeof(seen));
	assert_int_equal(fwa_lint(&profile, count, NULL), 4);
	assert_int_equal(seen[FWA_FINDING_UNDER_DECLARED], 1);
	assert_int_equal(seen[FWA_FINDING_UNSUPPORTED_BITS], 1);
	assert_int_equal(seen[FWA_FINDING_RESERVED_BITS], 1);
	assert_int_equal(seen[FWA_FINDING_UNSTABLE], 1);
}

static size_t id_findings[256];

static void count_ids(const struct fwa_finding *f, void *userdata)
{
	count(f, userdata);
	if (f->has_id)
		id_findings[f->id]++;
}

static void lint_nvme_pages(void **state)
{
	static uint8_t log[NVME_EFFECTS_LEN], lids[NVME_IDS_LEN], fids[NVME_IDS_LEN];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_put_le32(log + 4 * 0x02, 1);
	fwa_put_le32(log + 4 * 0x06, 1);
	fwa_put_le32(log + 4 * 0x09, 3); /* Set Features, LBCC */
	fwa_put_le32(log + 4 * 0x0a, 1);
	for (int lid = 0; lid < 6; lid++)
		fwa_put_le32(lids + 4 * lid, lid != 3); /* without firmware slots */
	fwa_put_le32(fids + 4 * 0x01, 1);
	fwa_put_le32(fids + 4 * 0x06, 3);       /* covered by LBCC */
	fwa_put_le32(fids + 4 * 0x1d, 5);       /* NCC is not */
	fwa_put_le32(fids + 4 * 0x19, 1);       /* a conditional floor may be left out */
	fwa_put_le32(fids + 4 * 0x02, 0x20001); /* reserved here; in page 05h it is CSE */
	fwa_put_le32(fids + 4 * 0x04, 4);       /* bits without FSUPP */
	fwa_put_le32(fids + 4 * 0xc0, 1 | 1u << 26);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, fwa_span(lids, sizeof(lids)));
	fwa_profile_add(&w, FWA_RECORD_NVME_LOGS_AGAIN, fwa_span(fids, sizeof(fids)));
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, fwa_span(fids, sizeof(fids)));
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES_AGAIN, fwa_span(lids, sizeof(lids)));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), 0);
	memset(seen, 0, sizeof(seen));
	/* the last one: page 05h's LBCC is over-declared by the model of Set Features */
	assert_int_equal(fwa_lint(&profile, count_ids, NULL), 7);
	assert_int_equal(seen[FWA_FINDING_OVER_DECLARED], 1);
	assert_int_equal(seen[FWA_FINDING_UNSTABLE], 2);
	assert_int_equal(seen[FWA_FINDING_UNDECLARED_FLOOR], 1);
	assert_int_equal(seen[FWA_FINDING_FEATURE_EFFECTS], 1);
	assert_int_equal(seen[FWA_FINDING_RESERVED_BITS], 1);
	assert_int_equal(seen[FWA_FINDING_UNSUPPORTED_BITS], 1);
	assert_true(id_findings[0x1d] == 1 && id_findings[0x02] == 1 && id_findings[0x04] == 1);
	assert_true(id_findings[0x00] == 1 && id_findings[0x12] == 1 && id_findings[0x03] == 1);
}

static void uuids(void **state)
{
	char text[FWA_UUID_TEXT_LEN];
	struct fwa_uuid u;

	assert_true(fwa_uuid_parse("0da9c0b5-bf41-4b78-8f79-96b1623b3f17", &u));
	assert_memory_equal(u.b, CXL_UUID_CEL, 16);
	fwa_uuid_text(u.b, text);
	assert_string_equal(text, "0da9c0b5-bf41-4b78-8f79-96b1623b3f17");
	assert_false(fwa_uuid_parse("0da9c0b5-bf41-4b78-8f79-96b1623b3f1", &u));
	assert_false(fwa_uuid_parse("0da9c0b5-bf41-4b78-8f79-96b1623b3f177", &u));
	assert_false(fwa_uuid_parse("0da9c0b5bf414b788f7996b1623b3f17", &u));
	assert_false(fwa_uuid_parse("", &u));
}

/* What a count of bits alone would not see: an opcode too many beside one that is marked, or not. */
static void profile_check_sees_an_opcode_too_many(void **state)
{
	static const uint16_t entries[][2] = { { 1, 2 }, { 3, 4 }, { 3, 4 } };

	assert_int_equal(make_cel(entries, 3, 0), 0);
	assert_true(fwa_profile_check(&profile));
	profile.cxl.present[7] |= 1;
	profile.cxl.duplicate[7] |= 1;
	profile.cxl.count++;
	assert_false(fwa_profile_check(&profile));
	profile.cxl.duplicate[7] = 0;
	profile.cxl.duplicate[0] = 0; /* two entries that said the same, now one and another */
	assert_false(fwa_profile_check(&profile));
}

static void decision_names_the_grant(void **state)
{
	static const uint16_t entries[][2] = { { 0xc000, 0 } };
	struct fwa_contract contract = { 0 };
	struct fwa_rights rights = { .n_matched = 2, .n = 2 };
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0xc000, .scope = FWA_SCOPE_LEAST };

	rights.right[0] = (struct fwa_right){ .scope = 0, .grant = 3 };
	rights.right[1] = (struct fwa_right){ .scope = 1, .grant = 6 };
	assert_int_equal(make_cel(entries, 1, 0), 0);
	assert_int_equal(fwa_decide(&contract, &rights, &profile, &cmd, 0).grant, 7);
	contract.rate_over = 2;
	assert_int_equal(fwa_decide(&contract, &rights, &profile, &cmd, 0).grant, 0);
}

static void profile_refuses_no_family(void **state)
{
	for (int family = 0; family <= FWA_FAMILY_COUNT; family++) {
		struct fwa_writer w = fwa_writer(buf, sizeof(buf));
		bool good = family != FWA_FAMILY_NONE && family != FWA_FAMILY_COUNT;

		fwa_profile_begin(&w, (enum fwa_family)family);
		assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), good ? 0 : -1);
	}
}

static void profile_begins_with_its_family(void **state)
{
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	uint8_t family = FWA_FAMILY_CXL;

	fwa_write_bytes(&w, FWA_PROFILE_MAGIC, 8);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span("", 0));
	fwa_profile_add(&w, FWA_RECORD_FAMILY, fwa_span(&family, 1));
	assert_int_equal(fwa_profile_parse(&profile, fwa_span(buf, w.len)), -1);
}

static void effects_attributes_of_a_mailbox(void **state)
{
	assert_int_equal(fwa_cxl_declared(0x00c0).attributes, FWA_ATTR_SECONDARY_MAILBOX);
	assert_int_equal(fwa_cxl_declared(0x0140).attributes, FWA_ATTR_ABORT_SUPPORTED);
	assert_int_equal(fwa_cxl_declared(0x0100).attributes, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(effects_every_word_is_known_or_unknown),
		cmocka_unit_test(effects_nvme_bits),
		cmocka_unit_test(effects_nvme_feature_bits),
		cmocka_unit_test(effects_names_round_trip),
		cmocka_unit_test(names_are_all_there),
		cmocka_unit_test(profile_table_is_the_raw_log),
		cmocka_unit_test(profile_check_sees_a_wrong_table),
		cmocka_unit_test(profile_empty_and_ragged),
		cmocka_unit_test(profile_cuts_and_flips),
		cmocka_unit_test(profile_refuses_twice_and_unknown),
		cmocka_unit_test(profile_text_is_clean),
		cmocka_unit_test(profile_features_are_found),
		cmocka_unit_test(profile_pages_of_ids),
		cmocka_unit_test(decision_zero_denies),
		cmocka_unit_test(decision_admits_only_within_rights),
		cmocka_unit_test(remedy_says_what_passes),
		cmocka_unit_test(lint_finds_what_is_wrong),
		cmocka_unit_test(lint_nvme),
		cmocka_unit_test(lint_nvme_pages),
		cmocka_unit_test(uuids),
		cmocka_unit_test(profile_check_sees_an_opcode_too_many),
		cmocka_unit_test(decision_names_the_grant),
		cmocka_unit_test(profile_refuses_no_family),
		cmocka_unit_test(profile_begins_with_its_family),
		cmocka_unit_test(effects_attributes_of_a_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
