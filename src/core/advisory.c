/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of advisories, and what of one is about one device.
 */
#include "core/advisory.h"

enum text {
	TEXT_ID,
	TEXT_VENDOR,
	TEXT_MODEL,
	TEXT_FROM,
	TEXT_TO,
	TEXT_REFERENCE,
	TEXT_COUNT,
};

#define FLAG_NEVER 1u
#define RESERVED_LEN 16
#define DIGEST_LEN 32

/* --- writing ---------------------------------------------------------------------------------- */

/* No longer than all texts of a table together may be. */
static size_t text_len(const char *text)
{
	size_t len = 0;

	while (len < FWA_ADVISORIES_TEXT_MAX && text[len])
		len++;
	return len;
}

static void texts_of(const struct fwa_advisory *e, const char *texts[TEXT_COUNT])
{
	texts[TEXT_ID] = e->id;
	texts[TEXT_VENDOR] = e->vendor;
	texts[TEXT_MODEL] = e->model;
	texts[TEXT_FROM] = e->firmware_from;
	texts[TEXT_TO] = e->firmware_to;
	texts[TEXT_REFERENCE] = e->reference;
}

/* With their NULs. */
static size_t texts_len(const struct fwa_advisory *e)
{
	const char *texts[TEXT_COUNT];
	size_t len = 0;

	texts_of(e, texts);
	for (int i = 0; i < TEXT_COUNT; i++)
		len += text_len(texts[i]) + 1;
	return len;
}

static void write_entry(struct fwa_writer *w, const struct fwa_advisory *e, size_t first_term,
			size_t text)
{
	fwa_write_u8(w, e->family);
	fwa_write_u8(w, e->never ? FLAG_NEVER : 0);
	fwa_write_le16(w, (uint16_t)(e->filter.len / FWA_TERM_LEN));
	fwa_write_le32(w, e->effects);
	fwa_write_le64(w, e->until);
	fwa_write_le32(w, (uint32_t)first_term);
	fwa_write_le32(w, (uint32_t)text);
}

/* False when they are more than a table may have. */
static bool measure(const struct fwa_advisory *all, uint32_t n, size_t *ret_terms, size_t *ret_text)
{
	size_t terms = 0, text = 0;

	for (uint32_t i = 0; i < n; i++) {
		terms += all[i].filter.len / FWA_TERM_LEN;
		text += texts_len(&all[i]);
		if (terms > FWA_ADVISORIES_TERMS_MAX || text > FWA_ADVISORIES_TEXT_MAX)
			return false;
	}
	*ret_terms = terms;
	*ret_text = text;
	return n <= FWA_ADVISORIES_MAX;
}

void fwa_advisories_write(struct fwa_writer *w, const struct fwa_advisory *all, uint32_t n,
			  const uint8_t digest[32])
{
	size_t terms = 0, text = 0;

	if (!measure(all, n, &terms, &text)) {
		w->full = true;
		return;
	}
	fwa_write_le32(w, FWA_ADVISORIES_MAGIC);
	fwa_write_le32(w, n);
	fwa_write_le32(w, (uint32_t)terms);
	fwa_write_le32(w, (uint32_t)text);
	fwa_write_room(w, RESERVED_LEN);
	fwa_write_bytes(w, digest, DIGEST_LEN);
	terms = text = 0;
	for (uint32_t i = 0; i < n; i++) {
		write_entry(w, &all[i], terms, text);
		terms += all[i].filter.len / FWA_TERM_LEN;
		text += texts_len(&all[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		fwa_write_bytes(w, all[i].filter.data, all[i].filter.len);
	for (uint32_t i = 0; i < n; i++) {
		const char *texts[TEXT_COUNT];

		texts_of(&all[i], texts);
		for (int t = 0; t < TEXT_COUNT; t++)
			fwa_write_bytes(w, texts[t], text_len(texts[t]) + 1);
	}
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The parts of a table, and how far the entries read so far have used them up. */
struct parts {
	struct fwa_span entries, terms, text;
	size_t term, byte;
};

/* What an entry says that is no text. */
static void read_numbers(const uint8_t *e, struct fwa_advisory *ret)
{
	ret->family = e[0];
	ret->never = e[1] & FLAG_NEVER;
	ret->effects = fwa_le32(e + 4);
	ret->until = fwa_le64(e + 8);
}

/* The view of its filter; empty when that does not lie in @terms. */
static struct fwa_span filter_of(const uint8_t *e, struct fwa_span terms)
{
	struct fwa_span filter = { NULL, 0 };

	fwa_span_sub(terms, (size_t)fwa_le32(e + 16) * FWA_TERM_LEN,
		     (size_t)fwa_le16(e + 2) * FWA_TERM_LEN, &filter);
	return filter;
}

/* Takes one text, its bytes and a NUL, from @text at *@at on; NULL when there is none. */
static const char *take_text(struct fwa_span text, size_t *at)
{
	size_t first = *at;

	for (size_t i = first; i < text.len; i++) {
		if (!text.data[i]) {
			*at = i + 1;
			return (const char *)text.data + first;
		}
		if (text.data[i] < ' ' || text.data[i] > '~')
			return NULL;
	}
	return NULL;
}

static bool take_texts(struct fwa_span text, size_t *at, struct fwa_advisory *ret)
{
	const char **const to[TEXT_COUNT] = { &ret->id,          &ret->vendor,
					      &ret->model,       &ret->firmware_from,
					      &ret->firmware_to, &ret->reference };

	for (int i = 0; i < TEXT_COUNT; i++) {
		*to[i] = take_text(text, at);
		if (!*to[i])
			return false;
	}
	return true;
}

/* One or more items, each of them positive. */
static bool filter_whole(struct fwa_span filter)
{
	struct fwa_term t;

	if (!filter.len || !fwa_filter_valid(filter))
		return false;
	for (size_t i = 0; fwa_filter_term(filter, i, &t); i++)
		if (t.kind == FWA_TERM_COMMAND && t.flags & FWA_TERM_NOT)
			return false;
	return true;
}

static bool numbers_whole(const struct fwa_advisory *e)
{
	return e->family > FWA_FAMILY_NONE && e->family < FWA_FAMILY_COUNT &&
	       !(e->effects & ~(FWA_EFFECTS_ALL & ~FWA_EFFECT_UNKNOWN)) && (e->effects || e->never);
}

/* The entry at @e, which has to go on where the one before ended. */
static bool take_entry(const uint8_t *e, struct parts *p)
{
	struct fwa_advisory entry;
	struct fwa_span filter = filter_of(e, p->terms);
	size_t id;

	read_numbers(e, &entry);
	if (e[1] & ~FLAG_NEVER || fwa_le32(e + 16) != p->term || fwa_le32(e + 20) != p->byte ||
	    !numbers_whole(&entry) || !filter_whole(filter) ||
	    !take_texts(p->text, &p->byte, &entry))
		return false;
	p->term += filter.len / FWA_TERM_LEN;
	id = text_len(entry.id);
	return id > 0 && id < FWA_ADVISORY_ID_MAX;
}

static bool is_zero(struct fwa_span s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < s.len; i++)
		any |= s.data[i];
	return !any;
}

/* The parts of @encoded by its header; false when it has none, or is not as long as that says. */
static bool parts_of(struct fwa_span encoded, struct parts *ret, const uint8_t **ret_digest)
{
	struct fwa_reader r = fwa_reader(encoded);
	uint32_t magic = fwa_read_le32(&r), n = fwa_read_le32(&r), terms = fwa_read_le32(&r),
		 text = fwa_read_le32(&r);
	bool reserved = is_zero(fwa_read_span(&r, RESERVED_LEN));

	*ret_digest = fwa_read_span(&r, DIGEST_LEN).data;
	if (r.bad || magic != FWA_ADVISORIES_MAGIC || !reserved || n > FWA_ADVISORIES_MAX ||
	    terms > FWA_ADVISORIES_TERMS_MAX || text > FWA_ADVISORIES_TEXT_MAX)
		return false;
	*ret = (struct parts){ .entries = fwa_read_span(&r, (size_t)n * FWA_ADVISORIES_ENTRY_LEN) };
	ret->terms = fwa_read_span(&r, (size_t)terms * FWA_TERM_LEN);
	ret->text = fwa_read_span(&r, text);
	return !r.bad && !r.left;
}

int fwa_advisories_parse(struct fwa_advisories *a, struct fwa_span encoded)
{
	const uint8_t *digest;
	struct parts p;

	memset(a, 0, sizeof(*a));
	if (!parts_of(encoded, &p, &digest))
		return -1;
	for (size_t at = 0; at < p.entries.len; at += FWA_ADVISORIES_ENTRY_LEN)
		if (!take_entry(p.entries.data + at, &p))
			return -1;
	if (p.term * FWA_TERM_LEN != p.terms.len || p.byte != p.text.len)
		return -1;
	a->encoded = encoded;
	a->n = (uint32_t)(p.entries.len / FWA_ADVISORIES_ENTRY_LEN);
	a->digest = digest;
	return 0;
}

bool fwa_advisories_entry(const struct fwa_advisories *a, uint32_t i, struct fwa_advisory *ret)
{
	const uint8_t *digest, *e;
	struct parts p;
	size_t at;

	memset(ret, 0, sizeof(*ret));
	if (i >= a->n || !parts_of(a->encoded, &p, &digest))
		return false;
	e = p.entries.data + (size_t)i * FWA_ADVISORIES_ENTRY_LEN;
	read_numbers(e, ret);
	ret->filter = filter_of(e, p.terms);
	at = fwa_le32(e + 20);
	return take_texts(p.text, &at, ret);
}

/* --- advice ----------------------------------------------------------------------------------- */

/*
 * The bit of @opcode in the maps for CXL and for NVMe's two sets, as a word and a mask; NULL for an
 * opcode that its set does not have.
 */
static uint64_t *place_of(uint64_t cxl[1024], uint64_t nvme[2][4], unsigned int set,
			  uint32_t opcode, uint64_t *ret_mask)
{
	*ret_mask = UINT64_C(1) << (opcode & 63);
	if (set == FWA_SET_CXL)
		return opcode <= 0xffff ? &cxl[opcode >> 6] : NULL;
	if (set >= FWA_SET_COUNT || opcode > 0xff)
		return NULL;
	return &nvme[set - FWA_SET_NVME_ADMIN][opcode >> 6];
}

static void mark(uint64_t cxl[1024], uint64_t nvme[2][4], struct fwa_span filter)
{
	struct fwa_term t;
	uint64_t mask, *word;

	for (size_t i = 0; fwa_filter_term(filter, i, &t); i++) {
		if (t.kind != FWA_TERM_COMMAND)
			continue;
		word = place_of(cxl, nvme, t.set, t.value, &mask);
		if (word)
			*word |= mask;
	}
}

static bool is_marked(const uint64_t cxl[1024], const uint64_t nvme[2][4],
		      const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL)
		return cxl[cmd->opcode >> 6] >> (cmd->opcode & 63) & 1;
	if (cmd->set >= FWA_SET_COUNT || cmd->opcode > 0xff)
		return false;
	return nvme[cmd->set - FWA_SET_NVME_ADMIN][cmd->opcode >> 6] >> (cmd->opcode & 63) & 1;
}

/* What a device does not say can be anything. */
static bool in_range(const struct fwa_advisory *e, const char *firmware, fwa_version_fn compare)
{
	if (!*firmware)
		return true;
	return (!*e->firmware_from || compare(e->firmware_from, firmware) <= 0) &&
	       (!*e->firmware_to || compare(firmware, e->firmware_to) <= 0);
}

static bool is_for(const struct fwa_advisory *e, const struct fwa_profile *p, fwa_pattern_fn match,
		   fwa_version_fn compare)
{
	return e->family == p->family && (!*e->vendor || match(e->vendor, p->id.vendor)) &&
	       (!*e->model || match(e->model, p->id.model)) && in_range(e, p->id.firmware, compare);
}

/*= spec/SECURITY-MODEL.md#C33 */
void fwa_advice_fold(const struct fwa_advisories *a, const struct fwa_profile *profile,
		     fwa_pattern_fn match, fwa_version_fn compare, struct fwa_advice *ret)
{
	struct fwa_advisory e;

	memset(ret, 0, sizeof(*ret));
	ret->table = a;
	for (uint32_t i = 0; fwa_advisories_entry(a, i, &e); i++) {
		if (!is_for(&e, profile, match, compare))
			continue;
		if (ret->n < FWA_ADVICE_MAX) {
			ret->entry[ret->n++] = i;
			mark(ret->cxl, ret->nvme, e.filter);
		} else {
			ret->overflow = true;
			mark(ret->cxl_over, ret->nvme_over, e.filter);
		}
	}
}

/* The entries that are about it, one after the other; their texts are not looked at. */
static fwa_effects of_entries(const struct fwa_advice *advice, const struct fwa_command *cmd,
			      const uint8_t *uuid, uint64_t now, uint32_t *ret_entry)
{
	const uint8_t *digest;
	fwa_effects effects = 0;
	struct parts p;

	if (!parts_of(advice->table->encoded, &p, &digest))
		return FWA_EFFECT_UNKNOWN;
	for (uint32_t i = 0; i < advice->n && i < FWA_ADVICE_MAX; i++) {
		const uint8_t *at =
			p.entries.data + (size_t)advice->entry[i] * FWA_ADVISORIES_ENTRY_LEN;
		struct fwa_advisory e;

		read_numbers(at, &e);
		if ((e.until && now >= e.until) ||
		    !fwa_filter_may_cover(filter_of(at, p.terms), cmd, uuid))
			continue;
		if (*ret_entry == UINT32_MAX)
			*ret_entry = advice->entry[i];
		effects |= e.never ? e.effects | FWA_EFFECT_UNKNOWN : e.effects;
	}
	return effects;
}

/*= spec/SECURITY-MODEL.md#C33 */
fwa_effects fwa_advice_effects(const struct fwa_advice *advice, const struct fwa_command *cmd,
			       const uint8_t *uuid, uint64_t now, uint32_t *ret_entry)
{
	uint32_t entry = UINT32_MAX;
	fwa_effects effects = 0;

	if (is_marked(advice->cxl, advice->nvme, cmd))
		effects = of_entries(advice, cmd, uuid, now, &entry);
	if (advice->overflow && is_marked(advice->cxl_over, advice->nvme_over, cmd))
		effects |= FWA_EFFECT_UNKNOWN;
	if (ret_entry)
		*ret_entry = entry;
	return effects;
}
