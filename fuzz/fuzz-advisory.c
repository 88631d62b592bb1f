/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a table of advisories, folded for a device and asked about commands. What is added is what
 * some entry says, or `unknown`; what was parsed is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
#include "core/decide.h"
#include "fuzz/fuzz.h"

static uint8_t table[1 << 16], again[1 << 16];
static struct fwa_advice advice;

static struct fwa_command some_command(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));
	struct fwa_command cmd = {
		.set = fwa_read_u8(&in) % (FWA_SET_COUNT + 1u),
		.opcode = fwa_read_le16(&in),
		.nsid = fwa_read_u8(&in),
		.cdw = { fwa_read_le32(&in) },
	};

	cmd.payload = fwa_span(in.at, in.left);
	return cmd;
}

/* Each item's command: so that what the fuzzer wrote into a filter is asked about. */
static void check_items(const struct fwa_advisory *e, struct fwa_command cmd, fwa_effects all)
{
	struct fwa_term t;

	for (size_t i = 0; fwa_filter_term(e->filter, i, &t); i++) {
		fwa_effects added;
		uint32_t entry;

		if (t.kind != FWA_TERM_COMMAND)
			continue;
		cmd.set = t.set;
		cmd.opcode = (uint16_t)t.value;
		added = fwa_advice_effects(&advice, &cmd, NULL, 7, &entry);
		if (added & ~all || (entry != UINT32_MAX && !added))
			abort();
	}
}

static void check(const struct fwa_advisories *a, const struct fwa_command *cmd)
{
	struct fwa_profile p = { .id = { "Acme", "Drive", "1", "A" } };
	fwa_effects all = FWA_EFFECT_UNKNOWN;
	struct fwa_advisory e;

	for (uint32_t i = 0; fwa_advisories_entry(a, i, &e); i++)
		all |= e.effects;
	for (p.family = 1; p.family < FWA_FAMILY_COUNT; p.family++) {
		fwa_advice_fold(a, &p, fwa_pattern_matches, strcmp, &advice);
		if (advice.n > a->n)
			abort();
		for (uint32_t i = 0; fwa_advisories_entry(a, i, &e); i++)
			check_items(&e, *cmd, all);
		if (fwa_advice_effects(&advice, cmd, NULL, 7, NULL) & ~all)
			abort();
	}
}

static void write_again(const struct fwa_advisories *a, struct fwa_span s)
{
	static struct fwa_advisory all[64];
	struct fwa_writer w = fwa_writer(again, sizeof(again));

	if (a->n > 64)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		if (!fwa_advisories_entry(a, i, &all[i]))
			abort();
	fwa_advisories_write(&w, all, a->n, a->digest);
	if (!w.full && (w.len != s.len || memcmp(again, s.data, s.len)))
		abort();
}

static void use(struct fwa_span s, const struct fwa_command *cmd)
{
	struct fwa_advisories a;

	if (fwa_advisories_parse(&a, s) < 0)
		return;
	write_again(&a, s);
	check(&a, cmd);
}

/*
 * The counts are the first bytes, and what an entry says of where its terms and texts are is right: the
 * fuzzer has the rest.
 */
static struct fwa_span with_header(struct fwa_reader *in)
{
	uint32_t n = 1u + fwa_read_u8(in) % 4, terms = 0, texts = 0;
	size_t text_len = fwa_read_u8(in), at;
	struct fwa_writer w = fwa_writer(table, sizeof(table));

	fwa_write_room(&w, FWA_ADVISORIES_HEADER_LEN);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t numbers[16];
		struct fwa_span s = fwa_read_span(in, sizeof(numbers));

		memset(numbers, 0, sizeof(numbers));
		if (s.len)
			memcpy(numbers, s.data, sizeof(numbers));
		fwa_put_le16(numbers + 2, 1u + numbers[2] % 3);
		fwa_write_bytes(&w, numbers, sizeof(numbers));
		fwa_write_le32(&w, terms);
		fwa_write_le32(&w, 0);
		terms += fwa_le16(numbers + 2);
	}
	for (uint32_t i = 0; i < terms; i++) {
		struct fwa_span s = fwa_read_span(in, FWA_TERM_LEN);

		fwa_write_bytes(&w, s.data, s.len);
		fwa_write_room(&w, FWA_TERM_LEN - s.len);
	}
	at = w.len;
	fwa_write_bytes(&w, in->at, in->left < text_len ? in->left : text_len);
	for (size_t i = at, nuls = 0; i < w.len; i++) /* where the texts of each entry begin */
		if (!table[i] && ++nuls % 6 == 0 && ++texts < n)
			fwa_put_le32(table + FWA_ADVISORIES_HEADER_LEN +
					     texts * FWA_ADVISORIES_ENTRY_LEN + 20,
				     (uint32_t)(i + 1 - at));
	fwa_put_le32(table, FWA_ADVISORIES_MAGIC);
	fwa_put_le32(table + 4, n);
	fwa_put_le32(table + 8, terms);
	fwa_put_le32(table + 12, (uint32_t)(w.len - at));
	return fwa_span(table, w.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_command cmd = some_command(data, size < 40 ? size : 40);
	struct fwa_reader in = fwa_reader(fwa_span(data, size));

	use(fwa_span(data, size), &cmd);
	use(with_header(&in), &cmd);
	return 0;
}
