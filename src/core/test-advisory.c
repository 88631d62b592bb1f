/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Advisories by hand: tables, folding, what is added to a command, and the decision on it. Against a
 * reference: test-advice.c.
 */
#include "core/test-advisory.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* --- making tables ---------------------------------------------------------------------------- */

/* An entry about @opcode of CXL, whatever it selects. */
struct simple {
	struct fwa_advisory entry;
	uint8_t filter[FWA_TERM_LEN];
};

static struct fwa_advisory *make_simple(struct simple *s, uint16_t opcode, fwa_effects effects)
{
	struct fwa_writer w = fwa_writer(s->filter, sizeof(s->filter));

	fwa_filter_write_term(&w, &(struct fwa_term){ .value = opcode });
	s->entry = (struct fwa_advisory){ .family = FWA_FAMILY_CXL,
					  .effects = effects,
					  .never = !effects,
					  .filter = fwa_span(s->filter, w.len),
					  .id = "FWA-2026-0001",
					  .vendor = "",
					  .model = "",
					  .firmware_from = "",
					  .firmware_to = "",
					  .reference = "" };
	return &s->entry;
}

static fwa_effects effects_of(const struct fwa_advice *advice, uint16_t opcode, uint64_t now)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = opcode };

	return fwa_advice_effects(advice, &cmd, NULL, now, NULL);
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void assert_same(const struct fwa_advisory *a, const struct fwa_advisory *b)
{
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->never, b->never);
	assert_int_equal(a->effects, b->effects);
	assert_int_equal(a->until, b->until);
	assert_int_equal(a->filter.len, b->filter.len);
	assert_memory_equal(a->filter.data, b->filter.data, a->filter.len);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->vendor, b->vendor);
	assert_string_equal(a->model, b->model);
	assert_string_equal(a->firmware_from, b->firmware_from);
	assert_string_equal(a->firmware_to, b->firmware_to);
	assert_string_equal(a->reference, b->reference);
}

/* Three entries with something in each place. */
static uint32_t make_three(struct fwa_advisory all[3])
{
	static const struct fwa_term terms[] = {
		{ .set = FWA_SET_NVME_ADMIN, .value = NVME_OP_GET_LOG_PAGE },
		{ .kind = FWA_FIELD_LID, .value = 7 },
		{ .kind = FWA_FIELD_LSP, .flags = FWA_TERM_AND, .value = 1 },
		{ .kind = FWA_FIELD_NSID, .flags = FWA_TERM_NOT, .value = 9 },
		{ .set = FWA_SET_NVME_IO, .value = 2 },
	};
	static uint8_t filter[COUNT(terms) * FWA_TERM_LEN];
	static struct simple s[2];
	struct fwa_writer w = fwa_writer(filter, sizeof(filter));

	for (size_t i = 0; i < COUNT(terms); i++)
		fwa_filter_write_term(&w, &terms[i]);
	all[0] = *make_simple(&s[0], 0x4302, FWA_EFFECT_DATA);
	all[0].until = UINT64_C(0x1122334455667788);
	all[1] = (struct fwa_advisory){ .family = FWA_FAMILY_NVME,
					.never = true,
					.effects = FWA_EFFECT_LOG | FWA_EFFECT_CARRIER,
					.filter = fwa_span(filter, w.len),
					.id = "A",
					.vendor = "Acme*",
					.model = "Drive [0-9]",
					.firmware_from = "1.0",
					.firmware_to = "1.9",
					.reference = "https://example.com/a" };
	all[2] = *make_simple(&s[1], 0xc000, 0);
	all[2].family = FWA_FAMILY_SIM;
	return 3;
}

static void table_comes_out_again(void **state)
{
	struct fwa_advisory all[3], e;
	struct fwa_advisories a;
	uint32_t n = make_three(all);
	size_t len = encode(all, n);

	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len)), 0);
	assert_int_equal(a.n, n);
	assert_memory_equal(a.digest, digest, sizeof(digest));
	for (uint32_t i = 0; i < n; i++) {
		assert_true(fwa_advisories_entry(&a, i, &e));
		assert_same(&e, &all[i]);
	}
	assert_false(fwa_advisories_entry(&a, n, &e));
	assert_false(fwa_advisories_entry(&a, UINT32_MAX, &e));
	assert_null(e.id);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, cut)), -1);
	assert_int_equal(a.n, 0);
	assert_false(fwa_advisories_entry(&a, 0, &e));
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len + 1)), -1);
	assert_int_equal(parse(&a, NULL, 0), 0); /* an empty one is one */
	assert_int_equal(a.n, 0);
}

static void table_refuses_what_is_no_entry(void **state)
{
	static const struct fwa_term bad[][2] = {
		{ { .kind = FWA_FIELD_LID, .value = 1 } },                 /* of no command */
		{ { .value = 1, .flags = FWA_TERM_NOT } },                 /* all but one */
		{ { .value = 1 }, { .value = 2, .flags = FWA_TERM_NOT } }, /* negative items */
		{ { .value = 1 }, { .kind = FWA_FIELD_LID } },             /* which it has not */
	};
	static char long_id[FWA_ADVISORY_ID_MAX + 1];
	struct fwa_advisories a;
	struct simple s;
	struct fwa_advisory *e;
	uint8_t filter[2 * FWA_TERM_LEN];

#define RENEW() (e = make_simple(&s, 0x4302, FWA_EFFECT_DATA))
	RENEW();
	assert_int_equal(parse(&a, e, 1), 0);
	e->effects = 0;
	assert_int_equal(parse(&a, e, 1), -1);
	e->never = true;
	assert_int_equal(parse(&a, e, 1), 0);
	e->effects = FWA_EFFECTS_ALL & ~FWA_EFFECT_UNKNOWN;
	assert_int_equal(parse(&a, e, 1), 0);
	e->effects = FWA_EFFECT_UNKNOWN;
	assert_int_equal(parse(&a, e, 1), -1);
	e->effects = 1u << FWA_EFFECT_COUNT;
	assert_int_equal(parse(&a, e, 1), -1);
	RENEW();
	e->family = FWA_FAMILY_NONE;
	assert_int_equal(parse(&a, e, 1), -1);
	e->family = FWA_FAMILY_COUNT;
	assert_int_equal(parse(&a, e, 1), -1);
	RENEW();
	e->id = "";
	assert_int_equal(parse(&a, e, 1), -1);
	memset(long_id, 'x', FWA_ADVISORY_ID_MAX);
	e->id = long_id;
	assert_int_equal(parse(&a, e, 1), -1);
	e->id = long_id + 1;
	assert_int_equal(parse(&a, e, 1), 0);
	RENEW();
	e->vendor = "Acme\n";
	assert_int_equal(parse(&a, e, 1), -1);
	RENEW();
	e->filter.len = 0; /* which would be all commands */
	assert_int_equal(parse(&a, e, 1), -1);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct fwa_writer w = fwa_writer(filter, sizeof(filter));

		RENEW();
		for (int t = 0; t < 2; t++)
			if (t == 0 || bad[i][1].value || bad[i][1].kind)
				fwa_filter_write_term(&w, &bad[i][t]);
		e->filter = fwa_span(filter, w.len);
		assert_int_equal(parse(&a, e, 1), -1);
	}
#undef RENEW
}

/* Which entries, and whether the digest, are not as they were. */
static uint32_t differ(const struct fwa_advisories *a, const struct fwa_advisory *all, uint32_t n)
{
	uint32_t bits = memcmp(a->digest, digest, sizeof(digest)) ? 1u << n : 0;
	struct fwa_advisory e;

	assert_int_equal(a->n, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(fwa_advisories_entry(a, i, &e));
		if (e.family != all[i].family || e.never != all[i].never ||
		    e.effects != all[i].effects || e.until != all[i].until ||
		    e.filter.len != all[i].filter.len ||
		    memcmp(e.filter.data, all[i].filter.data, e.filter.len) ||
		    strcmp(e.id, all[i].id) || strcmp(e.vendor, all[i].vendor) ||
		    strcmp(e.model, all[i].model) ||
		    strcmp(e.firmware_from, all[i].firmware_from) ||
		    strcmp(e.firmware_to, all[i].firmware_to) ||
		    strcmp(e.reference, all[i].reference))
			bits |= 1u << i;
	}
	return bits;
}

/* Another byte in any place: no table, or one in which exactly one thing is otherwise. */
static void table_with_any_byte_damaged(void **state)
{
	struct fwa_profile nvme = device(FWA_FAMILY_NVME, "Acme", "Drive 1", "1.5");
	unsigned int refused = 0, otherwise = 0;
	struct fwa_advisory all[3];
	uint32_t n = make_three(all);
	size_t len = encode(all, n);

	for (size_t at = 0; at < len; at++) {
		uint8_t was = buf[at];

		for (unsigned int v = 0; v < 256; v++) {
			struct fwa_advisories a;
			struct fwa_advice advice;
			uint32_t what;

			if (v == was)
				continue;
			buf[at] = (uint8_t)v;
			if (fwa_advisories_parse(&a, fwa_span(buf, len)) < 0) {
				refused++;
				continue;
			}
			what = differ(&a, all, n);
			assert_true(what && !(what & (what - 1)));
			fold(&a, &nvme, &advice);
			otherwise++;
		}
		buf[at] = was;
	}
	assert_true(refused > 10000 && otherwise > 10000);
}

/* An entry that says the same in another place, and what no entry has, is no table. */
static void table_has_one_form(void **state)
{
	const size_t second = FWA_ADVISORIES_HEADER_LEN + FWA_ADVISORIES_ENTRY_LEN;
	struct fwa_advisory all[2];
	struct fwa_advisories a;
	struct simple s[2];
	size_t len;

	for (int i = 0; i < 2; i++)
		all[i] = *make_simple(&s[i], 0x4302, FWA_EFFECT_DATA);
	len = encode(all, 2);
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len)), 0);
	fwa_put_le32(buf + second + 16, 0); /* the terms of the first */
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len)), -1);
	fwa_put_le32(buf + second + 16, 1);
	fwa_put_le32(buf + second + 20, 0); /* its texts */
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len)), -1);

	len = encode(all, 1);
	fwa_put_le32(buf + 12, fwa_le32(buf + 12) + 1); /* another text behind the last */
	buf[len] = 0;
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len + 1)), -1);

	len = encode(all, 1);
	fwa_put_le32(buf + 8, 2); /* another term */
	memmove(buf + second + 2 * FWA_TERM_LEN, buf + second + FWA_TERM_LEN,
		len - second - FWA_TERM_LEN);
	memcpy(buf + second + FWA_TERM_LEN, buf + second, FWA_TERM_LEN);
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len + FWA_TERM_LEN)), -1);
	buf[FWA_ADVISORIES_HEADER_LEN + 2] = 2; /* which the entry has after all */
	assert_int_equal(fwa_advisories_parse(&a, fwa_span(buf, len + FWA_TERM_LEN)), 0);
}

static void writer_says_what_does_not_fit(void **state)
{
	static struct fwa_advisory many[FWA_ADVISORIES_MAX + 1];
	static uint8_t terms[64 * FWA_TERM_LEN];
	struct simple s;
	struct fwa_advisory *e = make_simple(&s, 1, FWA_EFFECT_DATA);
	size_t len = encode(e, 1);
	struct fwa_writer w;

	for (size_t cap = 0; cap < len; cap++) {
		w = fwa_writer(buf, cap);
		fwa_advisories_write(&w, e, 1, digest);
		assert_true(w.full);
	}
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = *e;
	w = fwa_writer(buf, sizeof(buf));
	fwa_advisories_write(&w, many, COUNT(many), digest);
	assert_true(w.full && !w.len); /* entries */
	for (size_t i = 0; i < COUNT(many); i++)
		many[i].filter = fwa_span(terms, sizeof(terms));
	w = fwa_writer(buf, sizeof(buf));
	fwa_advisories_write(&w, many, FWA_ADVISORIES_TERMS_MAX / 64 + 1, digest);
	assert_true(w.full && !w.len); /* terms */
}

static void identity_decides(void **state)
{
	static const struct {
		const char *vendor, *model, *from, *to;
		bool acme, other, silent;
	} table[] = {
		{ "", "", "", "", true, true, true },
		{ "Acme", "", "", "", true, false, false },
		{ "A*", "Drive ?", "", "", true, false, false },
		{ "", "Drive 2", "", "", false, false, false },
		{ "", "", "1.5", "1.5", true, false, true },
		{ "", "", "1.6", "", false, true, true },
		{ "", "", "", "1.4", false, false, true },
		{ "", "", "", "2", true, true, true },
	};
	struct fwa_profile acme = device(FWA_FAMILY_CXL, "Acme", "Drive 1", "1.5");
	struct fwa_profile other = device(FWA_FAMILY_CXL, "Other", "Thing", "2");
	struct fwa_profile silent = device(FWA_FAMILY_CXL, "", "", "");
	struct fwa_profile nvme = device(FWA_FAMILY_NVME, "Acme", "Drive 1", "1.5");
	static struct fwa_advice advice;

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_advisories a;
		struct simple s;
		struct fwa_advisory *e = make_simple(&s, 0xc000, FWA_EFFECT_LOG);

		e->vendor = table[i].vendor;
		e->model = table[i].model;
		e->firmware_from = table[i].from;
		e->firmware_to = table[i].to;
		assert_int_equal(parse(&a, e, 1), 0);
		fold(&a, &acme, &advice);
		assert_int_equal(advice.n, table[i].acme);
		assert_int_equal(effects_of(&advice, 0xc000, 0),
				 table[i].acme ? FWA_EFFECT_LOG : 0);
		fold(&a, &other, &advice);
		assert_int_equal(advice.n, table[i].other);
		fold(&a, &silent, &advice);
		assert_int_equal(advice.n, table[i].silent);
		fold(&a, &nvme, &advice);
		assert_int_equal(advice.n, 0);
	}
}

static void entries_end_on_time(void **state)
{
	struct fwa_profile p = device(FWA_FAMILY_CXL, "", "", "");
	static struct fwa_advice advice;
	struct fwa_advisories a;
	struct simple s[2];
	struct fwa_advisory all[2];
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0xc000 };
	uint32_t entry;

	all[0] = *make_simple(&s[0], 0xc000, 0);
	all[0].until = 5;
	all[1] = *make_simple(&s[1], 0xc000, FWA_EFFECT_LOG);
	assert_int_equal(parse(&a, all, 2), 0);
	fold(&a, &p, &advice);
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 4, &entry),
			 FWA_EFFECT_UNKNOWN | FWA_EFFECT_LOG);
	assert_int_equal(entry, 0);
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 5, &entry), FWA_EFFECT_LOG);
	assert_int_equal(entry, 1);
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, UINT64_MAX, NULL), FWA_EFFECT_LOG);
	cmd.opcode = 0xc001;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 4, &entry), 0);
	assert_int_equal(entry, UINT32_MAX);
}

/* More entries than there is room for: those that have none forbid their commands, whatever they add. */
static void what_has_no_room_is_forbidden(void **state)
{
	static struct simple s[FWA_ADVICE_MAX + 3];
	static struct fwa_advisory all[COUNT(s)];
	static struct fwa_advice advice;
	struct fwa_profile p = device(FWA_FAMILY_CXL, "", "", "");
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0xc001 };
	struct fwa_advisories a;
	uint32_t entry = 0;

	for (uint32_t i = 0; i < COUNT(s); i++)
		all[i] = *make_simple(&s[i], (uint16_t)(0xc000 + i), FWA_EFFECT_LOG);
	assert_int_equal(parse(&a, all, FWA_ADVICE_MAX), 0);
	fold(&a, &p, &advice);
	assert_int_equal(advice.n, FWA_ADVICE_MAX);
	assert_false(advice.overflow);
	all[7].until = 1; /* it is over, and takes its room all the same */
	all[FWA_ADVICE_MAX + 1].until = 1;
	all[FWA_ADVICE_MAX + 2] = *make_simple(&s[FWA_ADVICE_MAX + 2], 0xc001, FWA_EFFECT_DATA);
	assert_int_equal(parse(&a, all, COUNT(s)), 0);
	fold(&a, &p, &advice);
	assert_true(advice.overflow);
	assert_int_equal(advice.n, FWA_ADVICE_MAX);
	for (uint16_t i = 0; i < COUNT(s) + 3; i++)
		assert_int_equal(effects_of(&advice, (uint16_t)(0xc000 + i), 5),
				 i == 1                   ? FWA_EFFECT_LOG | FWA_EFFECT_UNKNOWN
				 : i == 7                 ? 0u
				 : i < FWA_ADVICE_MAX     ? FWA_EFFECT_LOG
				 : i < FWA_ADVICE_MAX + 2 ? FWA_EFFECT_UNKNOWN
							  : 0u);
	fwa_advice_effects(&advice, &cmd, NULL, 5, &entry);
	assert_int_equal(entry, 1);
	cmd.opcode = 0xc000 + FWA_ADVICE_MAX;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 5, &entry), FWA_EFFECT_UNKNOWN);
	assert_int_equal(entry, UINT32_MAX);
}

static void nothing_is_said_of_what_is_no_command(void **state)
{
	static struct fwa_advice advice, none;
	struct fwa_command cmd = { .set = FWA_SET_COUNT, .opcode = 0x4302 };

	memset(&advice, 0xff, sizeof(advice));
	advice.overflow = true;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 0, NULL), 0);
	cmd.set = 255;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 0, NULL), 0);
	cmd = (struct fwa_command){ .set = FWA_SET_NVME_IO, .opcode = 0x102 };
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, 0, NULL), 0);
	cmd = (struct fwa_command){ .set = FWA_SET_CXL, .opcode = 0xffff };
	assert_int_equal(fwa_advice_effects(&none, &cmd, NULL, 0, NULL), 0);
}

/* --- the decision ----------------------------------------------------------------------------- */

static const uint8_t feature[16] = { 0x5a }, another[16] = { 0x5b };

/* An entry about Set Feature of @feature. */
static void forbid_feature(struct fwa_advisories *a, struct fwa_advice *advice)
{
	struct fwa_profile p = device(FWA_FAMILY_CXL, "", "", "");
	uint8_t filter[2 * FWA_TERM_LEN];
	struct fwa_writer w = fwa_writer(filter, sizeof(filter));
	struct simple s;
	struct fwa_advisory *e = make_simple(&s, 0, 0);
	struct fwa_term t = { .kind = FWA_FIELD_UUID };

	fwa_filter_write_term(&w, &(struct fwa_term){ .value = CXL_OP_SET_FEATURE });
	memcpy(t.uuid, feature, sizeof(t.uuid));
	fwa_filter_write_term(&w, &t);
	e->filter = fwa_span(filter, w.len);
	assert_int_equal(parse(a, e, 1), 0);
	fold(a, &p, advice);
}

/* A part that names its Feature as the one in progress is about that one. */
static void transfers_are_known_by_their_feature(void **state)
{
	static struct fwa_advice advice;
	struct fwa_advisories a;
	uint8_t payload[CXL_SET_FEATURE_HEADER_LEN];
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_SET_FEATURE,
				   .payload = fwa_span(payload, sizeof(payload)) };
	struct fwa_contract c = { .transfer = FWA_TRANSFER_OWN };
	uint32_t entry;

	forbid_feature(&a, &advice);
#define ADVISED() (fwa_contract_advise(&c, &advice, &cmd, 0, &entry), c.advisory)
	memset(payload, 0xff, sizeof(payload));
	memcpy(c.transfer_uuid, feature, sizeof(feature));
	assert_int_equal(ADVISED(), FWA_EFFECT_UNKNOWN);
	assert_int_equal(entry, 0);
	memcpy(c.transfer_uuid, another, sizeof(another));
	assert_int_equal(ADVISED(), 0);
	assert_int_equal(entry, UINT32_MAX);
	memcpy(c.transfer_uuid, feature, sizeof(feature));
	c.transfer = FWA_TRANSFER_OTHER; /* undeclared, whatever is said of it */
	assert_int_equal(ADVISED(), 0);
	c.transfer = FWA_TRANSFER_OWN;
	memcpy(payload, another, sizeof(another));
	assert_int_equal(ADVISED(), 0);
	memcpy(payload, feature, sizeof(feature));
	memcpy(c.transfer_uuid, another, sizeof(another));
	assert_int_equal(ADVISED(), FWA_EFFECT_UNKNOWN);
	cmd.payload.len = 15; /* whatever it is */
	assert_int_equal(ADVISED(), FWA_EFFECT_UNKNOWN);
#undef ADVISED
}

/* A device with a vendor's read, and one with a Feature. */
static void make_device(struct fwa_profile *p)
{
	static uint8_t encoded[4096];
	static const uint8_t cel[] = { 0x00, 0xc0, 0, 0, 0x02, 0x05, 0x01, 0, 0x01, 0xc0, 0, 0x10 };
	uint8_t entry[48] = { [18] = 8, [20] = 8, [22] = 1, [28] = 1 };
	uint8_t limits[8] = { 0, 2, 0, 0, 64 };
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));

	memcpy(entry, feature, sizeof(feature));
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, sizeof(cel)));
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(entry, sizeof(entry)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	assert_int_equal(fwa_profile_parse(p, fwa_span(encoded, w.len)), 0);
}

static void decision_with_an_advisory(void **state)
{
	static struct fwa_profile p;
	uint8_t payload[CXL_SET_FEATURE_HEADER_LEN + 8] = { 0x5a };
	static const struct {
		uint8_t mode;
		uint16_t opcode;
		fwa_effects advisory;
		uint8_t reason, detail, need, required;
		bool its, possible;
	} table[] = {
#define RO FWA_SCOPE_DEBUG_READ_ONLY
#define WRITE FWA_SCOPE_DEBUG_WRITE
#define FULL FWA_SCOPE_DEBUG_WRITE_FULL
#define NEVER FWA_SCOPE_NEVER
		{ 0, 0xc000, 0, FWA_REASON_ADMIT, 0, FWA_NEED_DEBUG_READ, RO, false, true },
		{ 0, 0xc000, FWA_EFFECT_UNKNOWN, FWA_REASON_NEVER, FWA_DETAIL_ADVISORY,
		  FWA_NEED_NEVER, NEVER, true, false },
		{ 0, 0xc000, FWA_EFFECT_DMA, FWA_REASON_NEVER, FWA_DETAIL_DMA, FWA_NEED_NEVER,
		  NEVER, true, false },
		{ 0, 0xc000, FWA_EFFECT_LOG, FWA_REASON_GRANT_SCOPE, 0, FWA_NEED_CHANGE, FULL, true,
		  true },
		{ 0, 0xc001, FWA_EFFECT_UNKNOWN, FWA_REASON_RESERVED_BITS,
		  FWA_DETAIL_RESERVED_DECLARED, FWA_NEED_NOT_UNDERSTOOD, NEVER, false, false },
		{ 0, 0xcfff, FWA_EFFECT_UNKNOWN, FWA_REASON_UNDECLARED, FWA_DETAIL_NOT_LISTED,
		  FWA_NEED_NEVER, NEVER, false, false },
		{ 1, 0x0502, 0, FWA_REASON_ADMIT, 0, FWA_NEED_LINUX, WRITE, false, true },
		{ 1, 0x0502, FWA_EFFECT_UNKNOWN, FWA_REASON_NEVER, FWA_DETAIL_ADVISORY,
		  FWA_NEED_NEVER, NEVER, true, false },
		{ 1, 0x0502, FWA_EFFECT_CARRIER, FWA_REASON_NEVER, FWA_DETAIL_CARRIER,
		  FWA_NEED_NEVER, NEVER, true, false },
		{ 1, 0x0502, FWA_EFFECT_DATA, FWA_REASON_GRANT_SCOPE, 0, FWA_NEED_CHANGE, FULL,
		  true, true },
		{ 1, 0x0502, FWA_EFFECT_CONFIG_COLD_RESET, FWA_REASON_ADMIT, 0, FWA_NEED_LINUX,
		  WRITE, false, true },
	};
	const struct fwa_rights rights = {
		.n_matched = 1,
		.n = 1,
		.right = { { .scope = WRITE, .effects = FWA_EFFECTS_RESET } },
	};

	make_device(&p);
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_contract c = { .mode = table[i].mode, .advisory = table[i].advisory };
		struct fwa_command cmd = { .set = FWA_SET_CXL,
					   .opcode = table[i].opcode,
					   .scope = FWA_SCOPE_LEAST };
		struct fwa_decision d;
		struct fwa_remedy r;

		if (cmd.opcode == CXL_OP_SET_FEATURE)
			cmd.payload = fwa_span(payload, sizeof(payload));
		d = fwa_decide(&c, &rights, &p, &cmd, 0);
		if (d.reason != table[i].reason || d.detail != table[i].detail ||
		    d.need != table[i].need || d.required != table[i].required)
			fail_msg("row %zu: %s, %s, %s, %s", i, fwa_reason_name(d.reason),
				 fwa_detail_text(d.detail), fwa_need_name(d.need),
				 fwa_scope_name(d.required));
		if (d.reason >= FWA_REASON_RESERVED_BITS)
			assert_int_equal(fwa_advised_alone(&d), c.advisory & ~d.declared);
		assert_int_equal(fwa_refused_by_advisory(&c, &rights, &p, &cmd, 0), table[i].its);
		r = fwa_remedy(&c, &rights, &p, &cmd, 0);
		assert_int_equal(r.possible, table[i].possible);
		if (r.possible)
			assert_int_equal(r.effects & c.advisory, c.advisory);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_comes_out_again),
		cmocka_unit_test(table_refuses_what_is_no_entry),
		cmocka_unit_test(table_with_any_byte_damaged),
		cmocka_unit_test(table_has_one_form),
		cmocka_unit_test(writer_says_what_does_not_fit),
		cmocka_unit_test(identity_decides),
		cmocka_unit_test(entries_end_on_time),
		cmocka_unit_test(what_has_no_room_is_forbidden),
		cmocka_unit_test(nothing_is_said_of_what_is_no_command),
		cmocka_unit_test(transfers_are_known_by_their_feature),
		cmocka_unit_test(decision_with_an_advisory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
