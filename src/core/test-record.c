/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bodies of records: what is written is read again, the same; what is read was written so, and
 * nothing else is taken.
 */
#include "core/test-record.h"
#include "core/record-text.h"
#include "core/test-draw.h"
#include "wire/cxl.h"

static uint8_t payload[FWA_RECORD_PAYLOAD_MAX];
static uint8_t body[FWA_RECORD_BODY_MAX], twice[FWA_RECORD_BODY_MAX];

static struct fwa_span encoded(const struct fwa_record_decision *r)
{
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_decision_encode(&w, r);
	assert_false(w.full);
	return fwa_span(body, w.len);
}

/* --- the other kinds ---------------------------------------------------------------------------- */

#define MAKE(name, ...)                                                                \
	static void make_##name(struct fwa_writer *w)                                  \
	{                                                                              \
		fwa_record_##name##_encode(w, &(struct fwa_record_##name)__VA_ARGS__); \
	}

MAKE(start, { .boot_id = { 1, [15] = 2 },
	      .boottime = 5,
	      .version = "1.2.3",
	      .cut_offset = 128,
	      .cut_bytes = 7,
	      .cut_sha256 = { 9 },
	      .damaged = 3 })
MAKE(retired, { .first = 1, .last = 9, .last_hash = { 4 }, .bytes = 100 })
MAKE(clock, { .before = 1000, .after = 10 })
MAKE(source, { .id = { 7 },
	       .kind = FWA_SOURCE_EMBEDDED,
	       .pid = 12,
	       .uid = 1000,
	       .resumed = 5,
	       .name = "cxl0",
	       .spec = "sim:honest" })
MAKE(source_end, { .how = FWA_SOURCE_END_NONSENSE, .closed = 2 })
MAKE(object, { .kind = FWA_OBJECT_POLICY, .key = { 1 }, .sha256 = { 2 }, .device = "nvme0" })
MAKE(outcome, { .decision = 7,
		.status = FWA_OUTCOME_UNKNOWN,
		.device_code = 1,
		.device_result = 2,
		.transport_errno = 110,
		.out_len = 12,
		.duration_ns = 99,
		.response_sha256 = { 3 } })
MAKE(context, { .profile_sha256 = { 1 }, .policy_digest = { 2 }, .identity = "Maker\tM 1\t\t0.1" })
MAKE(control, { .act = FWA_ACT_GRANT_CREATED,
		.uid = 1000,
		.pid = 2,
		.device = "cxl0",
		.text = "grant \"fix\" until 2030" })
MAKE(unrecorded, { .refused = 4, .passed = 3, .since = 10, .until = 20 })

static void make_decision(struct fwa_writer *w)
{
	struct fwa_record_decision r = record_typical();

	r.contract.rate_over = r.cmd.nsid = 1;
	memset(r.contract.transfer_uuid, 1, 16);
	memset(r.accepted_sha256, 1, FWA_HASH_LEN);
	r.drifted = true;
	fwa_record_decision_encode(w, &r);
}

static void make_decision_with_payload(struct fwa_writer *w)
{
	struct fwa_record_decision r = record_typical();

	r.payload = fwa_span(payload, r.cmd.payload.len);
	r.judged_bytes = fwa_span(payload, 20);
	fwa_record_decision_encode(w, &r);
}

static const struct sample {
	uint8_t kind;
	void (*make)(struct fwa_writer *w);
} samples[] = {
	{ FWA_RECORD_START, make_start },
	{ FWA_RECORD_RETIRED, make_retired },
	{ FWA_RECORD_CLOCK, make_clock },
	{ FWA_RECORD_SOURCE, make_source },
	{ FWA_RECORD_SOURCE_END, make_source_end },
	{ FWA_RECORD_OBJECT, make_object },
	{ FWA_RECORD_OUTCOME, make_outcome },
	{ FWA_RECORD_CONTEXT, make_context },
	{ FWA_RECORD_CONTROL, make_control },
	{ FWA_RECORD_UNRECORDED, make_unrecorded },
	{ FWA_RECORD_DECISION, make_decision },
	{ FWA_RECORD_DECISION, make_decision_with_payload },
};

static struct fwa_span sample(const struct sample *s)
{
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	s->make(&w);
	assert_false(w.full);
	return fwa_span(body, w.len);
}

/* Refused, or the same bytes again. The copy has no byte behind it, so that none is looked at. */
static bool taken(unsigned int kind, struct fwa_span s)
{
	struct fwa_writer w = fwa_writer(twice, sizeof(twice));
	uint8_t *exact = malloc(s.len ? s.len : 1);
	bool is_one, admitted;
	uint64_t closes;

	assert_non_null(exact);
	memcpy(exact, s.data, s.len);
	is_one = record_again(kind, fwa_span(exact, s.len), &w);
	if (is_one) {
		assert_int_equal(w.len, s.len);
		assert_memory_equal(twice, s.data, s.len);
	}
	assert_int_equal(fwa_record_check(kind, fwa_span(exact, s.len), &admitted, &closes),
			 is_one && kind >= FWA_RECORD_DECISION);
	free(exact);
	return is_one;
}

static void every_kind_again(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++)
		assert_true(taken(samples[i].kind, sample(&samples[i])));
	for (unsigned int kind = 0; kind < 256; kind++) {
		bool known = false;

		for (size_t i = 0; i < COUNT(record_kinds); i++)
			known |= record_kinds[i] == kind;
		assert_int_equal(known || kind == FWA_RECORD_CHECKPOINT,
				 fwa_record_kind_name(kind) != NULL);
		assert_int_equal(taken(kind, fwa_span("", 0)), false);
	}
}

/* A length of what may be left out: of an outcome's answer only. */
static bool is_whole_without(const struct sample *s, size_t len)
{
	return s->kind == FWA_RECORD_OUTCOME && len == 36;
}

static void every_cut_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct fwa_span s = sample(&samples[i]);

		for (size_t len = 0; len < s.len; len++)
			assert_int_equal(taken(samples[i].kind, fwa_span(s.data, len)),
					 is_whole_without(&samples[i], len));
		for (size_t more = 1; more < 70; more++) {
			body[s.len + more - 1] = (uint8_t)(more & 1);
			assert_false(taken(samples[i].kind, fwa_span(s.data, s.len + more)));
		}
	}
}

static void every_flip_is_refused_or_means_something(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct fwa_span s = sample(&samples[i]);
		size_t n = 0;

		for (size_t bit = 0; bit < s.len * 8; bit++) {
			body[bit / 8] ^= (uint8_t)(1 << bit % 8);
			n += taken(samples[i].kind, s);
			body[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(n > 0 && (n < s.len * 8 || samples[i].kind == FWA_RECORD_CLOCK));
	}
}

static void any_bytes(void **state)
{
	for (int i = 0; i < 200000; i++) {
		const struct sample *k = &samples[below(COUNT(samples))];
		struct fwa_span s = sample(k);

		for (uint32_t n = 1 + below(4); n; n--)
			body[below((uint32_t)s.len)] = (uint8_t)below(chance(50) ? 256 : 5);
		if (chance(30))
			s.len = below((uint32_t)s.len + 1);
		taken(k->kind, s);
	}
}

/* --- the edges of each number -------------------------------------------------------------------- */

#define ANY UINT64_MAX

/* A number in a body, and the greatest that it can be; @least: the smallest. */
struct place {
	uint8_t kind;
	uint16_t at;
	uint8_t width;
	uint64_t least, most;
};

static const struct place places[] = {
	{ FWA_RECORD_START, 16, 8, 0, ANY },
	{ FWA_RECORD_START, 24, 8, 0, ANY },
	{ FWA_RECORD_START, 80, 1, 5, 5 }, /* the length of what follows */
	{ FWA_RECORD_RETIRED, 0, 8, 1, 9 },
	{ FWA_RECORD_RETIRED, 8, 8, 1, ANY },
	{ FWA_RECORD_SOURCE, 32, 1, 1, FWA_SOURCE_KINDS - 1 },
	{ FWA_RECORD_SOURCE_END, 0, 4, 0, FWA_SOURCE_END_NONSENSE },
	{ FWA_RECORD_SOURCE_END, 4, 4, 0, UINT32_MAX },
	{ FWA_RECORD_OBJECT, 64, 1, 1, FWA_OBJECT_ACCEPTED },
	{ FWA_RECORD_OUTCOME, 0, 8, 1, ANY },
	{ FWA_RECORD_OUTCOME, 24, 4, 0, INT32_MAX },
	{ FWA_RECORD_OUTCOME, 32, 4, 0, FWA_OUTCOME_COUNT - 1 },
	{ FWA_RECORD_CONTROL, 8, 2, 1, FWA_ACT_COUNT - 1 },
	{ FWA_RECORD_UNRECORDED, 16, 8, 0, 20 },
	{ FWA_RECORD_UNRECORDED, 24, 8, 10, ANY },
	{ FWA_RECORD_DECISION, 3, 1, 0, FWA_DETAIL_COUNT - 1 },
	{ FWA_RECORD_DECISION, 4, 1, 0, FWA_NEED_COUNT - 1 },
	{ FWA_RECORD_DECISION, 5, 1, 0, FWA_SCOPE_NEVER },
	{ FWA_RECORD_DECISION, 8, 1, 0, FWA_SET_COUNT - 1 },
	{ FWA_RECORD_DECISION, 9, 1, 0, FWA_MODE_LINUX },
	{ FWA_RECORD_DECISION, 10, 2, 0, UINT16_MAX },
	{ FWA_RECORD_DECISION, 12, 1, 0, FWA_QUARANTINE_COUNT - 1 },
	{ FWA_RECORD_DECISION, 13, 1, 0, FWA_TRANSFER_OTHER },
	{ FWA_RECORD_DECISION, 14, 1, 0, FWA_JOURNAL_COUNT - 1 },
	{ FWA_RECORD_DECISION, 15, 1, 0, 0 },
	{ FWA_RECORD_DECISION, 28, 4, 0, (1u << FWA_ATTR_COUNT) - 1 },
	{ FWA_RECORD_DECISION, 32, 4, 0, FWA_EFFECTS_ALL },
	{ FWA_RECORD_DECISION, 36, 4, 0, FWA_EFFECTS_ALL },
	{ FWA_RECORD_DECISION, 40, 4, 0, FWA_EFFECTS_ALL },
	{ FWA_RECORD_DECISION, 44, 4, 0, FWA_EFFECTS_ALL },
	{ FWA_RECORD_DECISION, 48, 4, 22, UINT32_MAX }, /* as many as were judged */
	{ FWA_RECORD_DECISION, 73, 1, 0, 0 },
	{ FWA_RECORD_DECISION, 74, 2, 0, 0 },
};

static void put(size_t at, unsigned int width, uint64_t v)
{
	for (unsigned int i = 0; i < width; i++)
		body[at + i] = (uint8_t)(v >> 8 * i);
}

static struct fwa_span sample_of(unsigned int kind)
{
	size_t i = 0;

	while (samples[i].kind != kind)
		i++;
	return sample(&samples[i]);
}

static void every_number_has_its_edges(void **state)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct place *p = &places[i];
		uint64_t all = p->width == 8 ? ANY : (UINT64_C(1) << 8 * p->width) - 1;
		struct fwa_span s = sample_of(p->kind);
		const uint64_t in[] = { p->least, p->most, p->least + (p->most - p->least) / 2 };
		const uint64_t out[] = { p->least - 1, p->most + 1, all };

		for (size_t k = 0; k < COUNT(in); k++) {
			put(p->at, p->width, in[k]);
			assert_true(taken(p->kind, s));
		}
		for (size_t k = 0; k < COUNT(out); k++) {
			if (out[k] > all || (out[k] >= p->least && out[k] <= p->most))
				continue;
			put(p->at, p->width, out[k]);
			assert_false(taken(p->kind, s));
		}
	}
}

static void scopes_and_reasons_have_their_edges(void **state)
{
	struct fwa_span s = sample_of(FWA_RECORD_DECISION);

	for (unsigned int v = 0; v < 256; v++) {
		bool scope = v <= FWA_SCOPE_DEBUG_WRITE_FULL || v == FWA_SCOPE_LEAST;

		for (size_t at = 6; at <= 7; at++) {
			s = sample_of(FWA_RECORD_DECISION);
			body[at] = (uint8_t)v;
			assert_int_equal(taken(FWA_RECORD_DECISION, s), scope);
		}
		s = sample_of(FWA_RECORD_DECISION);
		body[2] = (uint8_t)v; /* the one that is recorded has a grant */
		assert_int_equal(taken(FWA_RECORD_DECISION, s), v == FWA_REASON_ADMIT);
		body[72] = 0;
		s.len -= strlen("monitors");
		memmove(body + s.len - 22, body + s.len - 22 + strlen("monitors"), 22);
		assert_int_equal(taken(FWA_RECORD_DECISION, s), v < FWA_REASON_COUNT);
		/* what was refused for it can ask for anything */
		body[2] = FWA_REASON_MALFORMED;
		body[6] = body[7] = body[8] = (uint8_t)v;
		assert_true(taken(FWA_RECORD_DECISION, s));
	}
}

/* Each flag that says that something follows, and each that cannot be there beside another. */
static void flags_agree_with_what_follows(void **state)
{
	struct fwa_span s;

	for (unsigned int bit = 0; bit < 16; bit++) {
		static const bool follows[16] = {
			[4] = true, [5] = true, [6] = true, [7] = true, [8] = true
		};
		/* held to nothing: then to no declarations either */
		bool drifted = bit == 3, none = bit >= 14;

		s = sample_of(FWA_RECORD_DECISION);
		body[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(taken(FWA_RECORD_DECISION, s), !follows[bit] && !drifted && !none);
	}
	s = sample(&samples[COUNT(samples) - 1]);
	body[1] |= 2; /* recorded, and left out */
	assert_false(taken(FWA_RECORD_DECISION, s));
}

/* Parts that are there only when they say something. */
static void empty_parts_are_refused(void **state)
{
	static const struct {
		uint16_t at;
		uint8_t len;
	} parts[] = { { 172, 32 }, { 204, 28 }, { 232, 8 }, { 240, 16 } };

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct fwa_span s = sample_of(FWA_RECORD_DECISION);

		memset(body + parts[i].at, 0, parts[i].len);
		assert_false(taken(FWA_RECORD_DECISION, s));
		body[parts[i].at + parts[i].len - 1] = 1;
		assert_true(taken(FWA_RECORD_DECISION, s));
	}
}

/* A payload that is said to follow, and is empty, or longer than any that is recorded. */
static void payloads_have_their_length(void **state)
{
	struct fwa_record_decision r = { .decision.reason = FWA_REASON_ADMIT };
	struct fwa_span s = encoded(&r);

	assert_true(taken(FWA_RECORD_DECISION, s));
	body[1] = 1;
	assert_false(taken(FWA_RECORD_DECISION, s));
	r.cmd.payload.len = FWA_RECORD_PAYLOAD_MAX;
	r.payload = fwa_span(payload, FWA_RECORD_PAYLOAD_MAX);
	s = encoded(&r);
	assert_true(taken(FWA_RECORD_DECISION, s));
	put(48, 4, FWA_RECORD_PAYLOAD_MAX + 1);
	body[s.len] = 0;
	s.len++;
	assert_false(taken(FWA_RECORD_DECISION, s));
}

/* A part that ends early is not made up for by what stands behind it. */
static void parts_are_whole(void **state)
{
	struct fwa_record_decision r = { .decision.reason = FWA_REASON_ADMIT };
	struct fwa_span s;

	memset(r.cmd.cdw, 'a', sizeof(r.cmd.cdw));
	s = encoded(&r);
	for (size_t cut = 1; cut < 28; cut++) {
		body[70] = (uint8_t)((28 - cut) % 4); /* so long would the unit be */
		assert_false(taken(FWA_RECORD_DECISION, fwa_span(s.data, s.len - cut)));
	}
	body[70] = 0;
	for (size_t at = 73; at < 76; at++) {
		uint8_t zeroes[3] = { 0 };

		body[at] = 1;
		for (size_t cut = 0; cut < 3; cut++)
			assert_false(taken(FWA_RECORD_DECISION, fwa_span(s.data, s.len - cut)));
		memcpy(body + 73, zeroes, 3);
	}
	assert_true(taken(FWA_RECORD_DECISION, s));
}

/* --- texts -------------------------------------------------------------------------------------- */

/* Each byte of each text: printable, or none; a tab only where four texts are one. */
static void texts_are_printable(void **state)
{
	static const struct {
		uint8_t kind;
		uint16_t at;
	} texts[] = {
		{ FWA_RECORD_START, 81 },     { FWA_RECORD_SOURCE, 35 },
		{ FWA_RECORD_SOURCE, 39 },    { FWA_RECORD_OBJECT, 66 },
		{ FWA_RECORD_CONTEXT, 66 },   { FWA_RECORD_CONTROL, 14 },
		{ FWA_RECORD_CONTROL, 18 },   { FWA_RECORD_DECISION, 264 },
		{ FWA_RECORD_DECISION, 290 }, { FWA_RECORD_DECISION, 305 },
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct fwa_span s = sample_of(texts[i].kind);

		for (unsigned int c = 0; c < 256; c++) {
			body[texts[i].at] = (uint8_t)c;
			assert_int_equal(taken(texts[i].kind, s), c >= 0x20 && c < 0x7f);
		}
	}
}

/* Each byte at each place of texts that are longer than what is looked at in one piece. */
static void texts_are_printable_everywhere(void **state)
{
	uint8_t text[19];

	for (size_t len = 1; len <= sizeof(text); len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned int c = 0; c < 256; c++) {
				memset(text, c % 2 ? '~' : ' ', sizeof(text));
				text[at] = (uint8_t)c;
				assert_int_equal(fwa_record_is_text(text, len, false),
						 c >= 0x20 && c < 0x7f);
				assert_int_equal(fwa_record_is_text(text, len, true),
						 (c >= 0x20 && c < 0x7f) || c == '\t');
			}
}

#define CARELESS "a\tb\n\xe9"
#define READABLE "a?b??"

/* What a careless writer gives as a text is one that can be read. */
static void texts_are_made_printable(void **state)
{
	static const struct fwa_record_start start = { .version = CARELESS };
	static const struct fwa_record_source source = { .kind = 1,
							 .name = CARELESS,
							 .spec = CARELESS };
	static const struct fwa_record_object object = { .kind = 1, .device = CARELESS };
	static const struct fwa_record_control control = { .act = 1,
							   .device = CARELESS,
							   .text = CARELESS };
	struct fwa_writer w[4];
	struct fwa_record_start a;
	struct fwa_record_source b;
	struct fwa_record_object c;
	struct fwa_record_control d;

	for (int i = 0; i < 4; i++)
		w[i] = fwa_writer(body + i * 1000L, 1000);
	fwa_record_start_encode(&w[0], &start);
	fwa_record_source_encode(&w[1], &source);
	fwa_record_object_encode(&w[2], &object);
	fwa_record_control_encode(&w[3], &control);
	assert_int_equal(fwa_record_start_decode(fwa_span(w[0].buf, w[0].len), &a), 0);
	assert_int_equal(fwa_record_source_decode(fwa_span(w[1].buf, w[1].len), &b), 0);
	assert_int_equal(fwa_record_object_decode(fwa_span(w[2].buf, w[2].len), &c), 0);
	assert_int_equal(fwa_record_control_decode(fwa_span(w[3].buf, w[3].len), &d), 0);
	assert_string_equal(a.version, READABLE);
	assert_string_equal(b.name, READABLE);
	assert_string_equal(b.spec, READABLE);
	assert_string_equal(c.device, READABLE);
	assert_string_equal(d.device, READABLE);
	assert_string_equal(d.text, READABLE);
}

static void identities_have_four_parts(void **state)
{
	static const char *const good[] = { "", "\t\t\t", "a\tb\tc\td", "a b\t\t\t" };
	static const char *const bad[] = { "a", "\t\t", "\t\t\t\t", "a\tb\tc\nd\t" };
	struct fwa_record_context r = { 0 }, out;

	for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
		const char *text = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];
		struct fwa_writer w = fwa_writer(body, sizeof(body));
		size_t len = strlen(text);

		memset(body, 0, 64);
		w.len = 64;
		fwa_write_le16(&w, (uint16_t)len);
		fwa_write_bytes(&w, text, len);
		assert_int_equal(taken(FWA_RECORD_CONTEXT, fwa_span(body, w.len)), i < COUNT(good));
		/* written, it is none rather than a wrong one */
		strcpy(r.identity, text);
		w = fwa_writer(body, sizeof(body));
		fwa_record_context_encode(&w, &r);
		assert_int_equal(fwa_record_context_decode(fwa_span(body, w.len), &out), 0);
		assert_true(i >= COUNT(good) || strcmp(out.identity, text) == 0);
	}
}

/* The longest text of each place, and one byte more. */
static void texts_have_their_length(void **state)
{
	struct fwa_record_control r = { .act = 1 };
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memset(r.device, 'd', sizeof(r.device));
	memset(r.text, 't', sizeof(r.text));
	fwa_record_control_encode(&w, &r);
	assert_int_equal(w.len, 14 + 63 + 1023);
	assert_true(taken(FWA_RECORD_CONTROL, fwa_span(body, w.len)));
	put(12, 2, 1024);
	body[w.len] = 't';
	assert_false(taken(FWA_RECORD_CONTROL, fwa_span(body, w.len + 1)));
	put(12, 2, 1022);
	put(10, 2, 64);
	assert_false(taken(FWA_RECORD_CONTROL, fwa_span(body, w.len)));
}

/* --- outcomes ----------------------------------------------------------------------------------- */

static void outcomes_are_short(void **state)
{
	struct fwa_span s = sample_of(FWA_RECORD_OUTCOME);
	bool admitted = true;
	uint64_t closes;

	assert_true(s.len <= 72);
	assert_true(fwa_record_check(FWA_RECORD_OUTCOME, s, &admitted, &closes));
	assert_int_equal(closes, 7);
	assert_false(admitted);
	memset(body + 36, 0, FWA_HASH_LEN); /* of no answer there is no hash */
	assert_false(taken(FWA_RECORD_OUTCOME, s));
}

static void names_of_acts(void **state)
{
	assert_null(fwa_control_act_name(0));
	assert_null(fwa_control_act_name(FWA_ACT_COUNT));
	for (unsigned int act = 1; act < FWA_ACT_COUNT; act++)
		for (unsigned int other = 1; other < act; other++)
			assert_string_not_equal(fwa_control_act_name(act),
						fwa_control_act_name(other));
}

/* A writer that has no room stores nothing, and says so. */
static void no_room(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		size_t len = sample(&samples[i]).len;

		for (size_t cap = 0; cap < len; cap++) {
			struct fwa_writer w = fwa_writer(twice, cap);

			samples[i].make(&w);
			assert_true(w.full);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_again),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(every_flip_is_refused_or_means_something),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(every_number_has_its_edges),
		cmocka_unit_test(scopes_and_reasons_have_their_edges),
		cmocka_unit_test(flags_agree_with_what_follows),
		cmocka_unit_test(empty_parts_are_refused),
		cmocka_unit_test(payloads_have_their_length),
		cmocka_unit_test(parts_are_whole),
		cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(texts_are_printable_everywhere),
		cmocka_unit_test(texts_are_made_printable),
		cmocka_unit_test(identities_have_four_parts),
		cmocka_unit_test(texts_have_their_length),
		cmocka_unit_test(outcomes_are_short),
		cmocka_unit_test(names_of_acts),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
