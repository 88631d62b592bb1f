/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A profile is records of type and length (spec/PROFILE-FORMAT.md). Reading takes views of them and
 * derives the tables that make look-ups cheap; it believes no length before it has checked it.
 */
#include "core/profile.h"

#include "base/uuid.h"
#include "wire/nvme.h"

#define MAGIC_LEN 8
#define NAMESPACE_LEN 8

/* --- encoding ------------------------------------------------------------------------------- */

void fwa_profile_begin(struct fwa_writer *w, enum fwa_family family)
{
	uint8_t f = (uint8_t)family;

	fwa_write_bytes(w, FWA_PROFILE_MAGIC, MAGIC_LEN);
	fwa_profile_add(w, FWA_RECORD_FAMILY, fwa_span(&f, 1));
}

void fwa_profile_add(struct fwa_writer *w, enum fwa_profile_record type, struct fwa_span value)
{
	if (value.len > UINT32_MAX)
		w->full = true;
	fwa_write_le16(w, (uint16_t)type);
	fwa_write_le16(w, 0);
	fwa_write_le32(w, (uint32_t)value.len);
	fwa_write_bytes(w, value.data, value.len);
}

void fwa_text_clean(char text[FWA_TEXT_MAX], const void *raw, size_t len)
{
	const uint8_t *from = raw;
	size_t n = 0;

	for (size_t i = 0; i < len && n < FWA_TEXT_MAX - 1 && from[i]; i++)
		text[n++] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
	while (n && text[n - 1] == ' ')
		n--;
	memset(text + n, 0, FWA_TEXT_MAX - n);
}

static void add_text(struct fwa_writer *w, enum fwa_profile_record type, const char *text)
{
	char clean[FWA_TEXT_MAX];
	size_t len = 0;

	fwa_text_clean(clean, text, FWA_TEXT_MAX - 1);
	while (len < FWA_TEXT_MAX - 1 && clean[len])
		len++;
	if (len)
		fwa_profile_add(w, type, fwa_span(clean, len));
}

void fwa_profile_add_identity(struct fwa_writer *w, const struct fwa_identity *id)
{
	add_text(w, FWA_RECORD_VENDOR, id->vendor);
	add_text(w, FWA_RECORD_MODEL, id->model);
	add_text(w, FWA_RECORD_SERIAL, id->serial);
	add_text(w, FWA_RECORD_FIRMWARE, id->firmware);
}

/* --- deriving the tables -------------------------------------------------------------------- */

static bool bit_get(const uint64_t *map, unsigned int i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static void bit_set(uint64_t *map, unsigned int i)
{
	map[i / 64] |= 1ull << (i % 64);
}

/* Duplicates are united: an effect that any of them declares is declared (C7). */
static void derive_cxl(struct fwa_cxl_table *t, struct fwa_span cel)
{
	for (size_t at = 0; cel.len - at >= CXL_CEL_ENTRY_LEN; at += CXL_CEL_ENTRY_LEN) {
		uint16_t opcode = fwa_le16(cel.data + at);

		if (bit_get(t->present, opcode)) {
			bit_set(t->duplicate, opcode);
		} else {
			bit_set(t->present, opcode);
			t->count++;
		}
		t->word[opcode] |= fwa_le16(cel.data + at + 2);
	}
}

static void derive_nvme(uint32_t table[2][256], struct fwa_span log)
{
	for (size_t i = 0; i < 512 && log.len / 4 > i; i++)
		table[i / 256][i % 256] = fwa_le32(log.data + 4 * i);
}

static const uint8_t *feature_entry(const struct fwa_profile *p, size_t i)
{
	return p->features.data + i * CXL_FEATURE_ENTRY_LEN;
}

static bool feature_less(const struct fwa_profile *p, uint16_t a, uint16_t b)
{
	int c = memcmp(feature_entry(p, a), feature_entry(p, b), FWA_UUID_LEN);

	return c < 0 || (c == 0 && a < b);
}

static void sift_down(struct fwa_profile *p, size_t root, size_t n)
{
	uint16_t *o = p->feature_order;

	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		uint16_t tmp;

		if (child + 1 < n && feature_less(p, o[child], o[child + 1]))
			child++;
		if (!feature_less(p, o[root], o[child]))
			return;
		tmp = o[root];
		o[root] = o[child];
		o[child] = tmp;
	}
}

/* Heap sort: in place, and n log n also for a device that sends the worst order. */
static void derive_features(struct fwa_profile *p)
{
	size_t n = p->features.len / CXL_FEATURE_ENTRY_LEN;

	if (n > FWA_PROFILE_FEATURES_MAX)
		n = FWA_PROFILE_FEATURES_MAX;
	p->n_features = (uint16_t)n;
	for (size_t i = 0; i < n; i++)
		p->feature_order[i] = (uint16_t)i;
	for (size_t i = n / 2; i-- > 0;)
		sift_down(p, i, n);
	for (size_t end = n; end > 1; end--) {
		uint16_t tmp = p->feature_order[0];

		p->feature_order[0] = p->feature_order[end - 1];
		p->feature_order[end - 1] = tmp;
		sift_down(p, 0, end - 1);
	}
}

/* --- reading -------------------------------------------------------------------------------- */

static bool take_family(struct fwa_profile *p, struct fwa_span v)
{
	if (v.len != 1 || v.data[0] == FWA_FAMILY_NONE || v.data[0] >= FWA_FAMILY_COUNT)
		return false;
	p->family = v.data[0];
	return true;
}

static bool take_text(char text[FWA_TEXT_MAX], struct fwa_span v)
{
	if (v.len >= FWA_TEXT_MAX)
		return false;
	fwa_text_clean(text, v.data, v.len);
	return true;
}

static bool take_limits(struct fwa_profile *p, struct fwa_span v)
{
	if (v.len != 8)
		return false;
	p->payload_max = fwa_le32(v.data);
	p->lsa_size = fwa_le32(v.data + 4);
	return p->payload_max <= CXL_PAYLOAD_MAX;
}

static bool take_namespaces(struct fwa_profile *p, struct fwa_span v)
{
	p->namespaces = v;
	return v.len % NAMESPACE_LEN == 0 && v.len / NAMESPACE_LEN <= FWA_PROFILE_NAMESPACES_MAX;
}

static bool take_ids(struct fwa_span *ids, struct fwa_span v)
{
	*ids = v;
	return v.len == NVME_IDS_LEN;
}

static bool take_record(struct fwa_profile *p, uint16_t type, struct fwa_span v)
{
	switch (type) {
	case FWA_RECORD_FAMILY:
		return take_family(p, v);
	case FWA_RECORD_VENDOR:
		return take_text(p->id.vendor, v);
	case FWA_RECORD_MODEL:
		return take_text(p->id.model, v);
	case FWA_RECORD_SERIAL:
		return take_text(p->id.serial, v);
	case FWA_RECORD_FIRMWARE:
		return take_text(p->id.firmware, v);
	case FWA_RECORD_CXL_CEL:
		p->cel = v;
		p->has_cel = true;
		return true;
	case FWA_RECORD_CXL_CEL_AGAIN:
		p->cel_again = v;
		return true;
	case FWA_RECORD_CXL_LOGS:
		p->logs = v;
		return true;
	case FWA_RECORD_CXL_FEATURES:
		p->features = v;
		return true;
	case FWA_RECORD_CXL_LIMITS:
		return take_limits(p, v);
	case FWA_RECORD_NVME_EFFECTS:
		p->nvme_effects = v;
		p->has_nvme = true;
		return v.len <= NVME_EFFECTS_LEN;
	case FWA_RECORD_NVME_EFFECTS_AGAIN:
		p->nvme_effects_again = v;
		return v.len <= NVME_EFFECTS_LEN;
	case FWA_RECORD_NVME_NAMESPACES:
		return take_namespaces(p, v);
	case FWA_RECORD_NVME_LOGS:
		return take_ids(&p->nvme_logs, v);
	case FWA_RECORD_NVME_LOGS_AGAIN:
		return take_ids(&p->nvme_logs_again, v);
	case FWA_RECORD_NVME_FEATURES:
		return take_ids(&p->nvme_features, v);
	case FWA_RECORD_NVME_FEATURES_AGAIN:
		return take_ids(&p->nvme_features_again, v);
	default:
		return false; /*= spec/SECURITY-MODEL.md#C8 */
	}
}

/* Each record once, the family first. */
static bool parse_records(struct fwa_profile *p, struct fwa_reader *r)
{
	uint64_t seen = 0;

	while (r->left && !r->bad) {
		uint16_t type = fwa_read_le16(r);
		uint16_t zero = fwa_read_le16(r);
		struct fwa_span v = fwa_read_span(r, fwa_read_le32(r));

		if (r->bad || zero || type >= 64 || seen >> type & 1)
			return false;
		if (!seen && type != FWA_RECORD_FAMILY)
			return false;
		seen |= 1ull << type;
		if (!take_record(p, type, v))
			return false;
	}
	return !r->bad && seen;
}

int fwa_profile_parse(struct fwa_profile *p, struct fwa_span encoded)
{
	struct fwa_reader r = fwa_reader(encoded);
	struct fwa_span magic = fwa_read_span(&r, MAGIC_LEN);

	memset(p, 0, sizeof(*p));
	if (r.bad || encoded.len > FWA_PROFILE_MAX ||
	    memcmp(magic.data, FWA_PROFILE_MAGIC, MAGIC_LEN) || !parse_records(p, &r)) {
		memset(p, 0, sizeof(*p));
		return -1;
	}
	p->encoded = encoded;
	derive_cxl(&p->cxl, p->cel);
	derive_nvme(p->nvme, p->nvme_effects);
	derive_features(p);
	return 0;
}

static uint32_t popcount(uint64_t x)
{
	uint32_t n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

/* Which opcodes the log lists, and which of them again; false when a word is not in the table. */
static bool cel_in_table(const struct fwa_profile *p, uint64_t *listed, uint64_t *again)
{
	for (size_t at = 0; p->cel.len - at >= CXL_CEL_ENTRY_LEN; at += CXL_CEL_ENTRY_LEN) {
		uint16_t opcode = fwa_le16(p->cel.data + at);
		uint16_t word = fwa_le16(p->cel.data + at + 2);

		if (bit_get(listed, opcode))
			bit_set(again, opcode);
		bit_set(listed, opcode);
		if (word & ~p->cxl.word[opcode])
			return false;
		if (word != p->cxl.word[opcode] && !bit_get(p->cxl.duplicate, opcode))
			return false;
	}
	return true;
}

bool fwa_profile_check(const struct fwa_profile *p)
{
	uint64_t listed[1024] = { 0 }, again[1024] = { 0 };
	uint32_t count = 0;

	if (!cel_in_table(p, listed, again))
		return false;
	for (unsigned int i = 0; i < 1024; i++) {
		if (listed[i] != p->cxl.present[i] || again[i] != p->cxl.duplicate[i])
			return false;
		count += popcount(listed[i]);
	}
	if (count != p->cxl.count)
		return false;
	for (size_t i = 0; i < 512 && p->nvme_effects.len / 4 > i; i++)
		if (p->nvme[i / 256][i % 256] != fwa_le32(p->nvme_effects.data + 4 * i))
			return false;
	return true;
}

bool fwa_cel_declared(struct fwa_span cel, uint16_t opcode, struct fwa_declared *ret)
{
	uint16_t word = 0;
	bool found = false;

	for (size_t at = 0; cel.len - at >= CXL_CEL_ENTRY_LEN; at += CXL_CEL_ENTRY_LEN) {
		if (fwa_le16(cel.data + at) != opcode)
			continue;
		found = true;
		word |= fwa_le16(cel.data + at + 2);
	}
	if (found)
		*ret = fwa_cxl_declared(word);
	return found;
}

bool fwa_profile_declared(const struct fwa_profile *p, enum fwa_set set, uint16_t opcode,
			  struct fwa_declared *ret)
{
	uint32_t dword;

	if (set == FWA_SET_CXL) {
		if (!bit_get(p->cxl.present, opcode))
			return false;
		*ret = fwa_cxl_declared(p->cxl.word[opcode]);
		return true;
	}
	if ((unsigned int)set >= FWA_SET_COUNT || opcode > 0xff)
		return false;
	dword = p->nvme[set == FWA_SET_NVME_IO][opcode];
	if (!(dword & NVME_EFFECT_CSUPP))
		return false;
	*ret = fwa_nvme_declared(dword);
	return true;
}

bool fwa_profile_next(const struct fwa_profile *p, unsigned int *set, int32_t *opcode)
{
	struct fwa_declared d;

	for (; *set < FWA_SET_COUNT; (*set)++, *opcode = -1) {
		int32_t last = *set == FWA_SET_CXL ? 0xffff : 0xff;

		while (++*opcode <= last)
			if (fwa_profile_declared(p, *set, (uint16_t)*opcode, &d))
				return true;
	}
	return false;
}

uint32_t fwa_profile_count(const struct fwa_profile *p)
{
	uint32_t n = p->cxl.count;

	for (unsigned int i = 0; i < 512; i++)
		n += p->nvme[i / 256][i % 256] & NVME_EFFECT_CSUPP;
	return n;
}

bool fwa_profile_feature(const struct fwa_profile *p, size_t i, struct fwa_feature *ret)
{
	const uint8_t *e;

	if (i >= p->n_features)
		return false;
	e = feature_entry(p, i);
	*ret = (struct fwa_feature){
		.uuid = e,
		.index = fwa_le16(e + 16),
		.get_size = fwa_le16(e + 18),
		.set_size = fwa_le16(e + 20),
		.flags = fwa_le32(e + 22),
		.get_version = e[26],
		.set_version = e[27],
		.effects = fwa_le16(e + 28),
	};
	return true;
}

/* The place of the first Feature in UUID order that is not before @uuid. */
static size_t feature_lower_bound(const struct fwa_profile *p, const uint8_t *uuid)
{
	size_t lo = 0, hi = p->n_features;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(feature_entry(p, p->feature_order[mid]), uuid, FWA_UUID_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A Feature that is listed twice has the effects of both and the limits of the smaller (C7). */
bool fwa_profile_feature_by_uuid(const struct fwa_profile *p, const uint8_t *uuid,
				 struct fwa_feature *ret)
{
	size_t at = feature_lower_bound(p, uuid);
	struct fwa_feature f, more;

	if (at == p->n_features || !fwa_uuid_eq(feature_entry(p, p->feature_order[at]), uuid))
		return false;
	fwa_profile_feature(p, p->feature_order[at], &f);
	while (++at < p->n_features && fwa_profile_feature(p, p->feature_order[at], &more) &&
	       fwa_uuid_eq(more.uuid, uuid)) {
		f.effects |= more.effects;
		f.flags &= more.flags;
		f.get_size = more.get_size < f.get_size ? more.get_size : f.get_size;
		f.set_size = more.set_size < f.set_size ? more.set_size : f.set_size;
	}
	*ret = f;
	return true;
}

bool fwa_profile_log_size(const struct fwa_profile *p, const uint8_t *uuid, uint32_t *ret_size)
{
	size_t n = p->logs.len / CXL_LOGS_ENTRY_LEN;

	for (size_t i = 0; i < n && i < FWA_PROFILE_LOGS_MAX; i++) {
		const uint8_t *e = p->logs.data + i * CXL_LOGS_ENTRY_LEN;

		if (fwa_uuid_eq(e, uuid)) {
			*ret_size = fwa_le32(e + 16);
			return true;
		}
	}
	return false;
}

bool fwa_profile_namespace(const struct fwa_profile *p, uint32_t nsid, struct fwa_namespace *ret)
{
	for (size_t at = 0; at < p->namespaces.len; at += NAMESPACE_LEN) {
		const uint8_t *e = p->namespaces.data + at;

		if (fwa_le32(e) != nsid)
			continue;
		*ret = (struct fwa_namespace){
			.nsid = nsid,
			.block_size = e[4] >= 9 && e[4] <= 16 ? 1u << e[4] : 0,
			.metadata = fwa_le16(e + 6),
		};
		return true;
	}
	return false;
}

bool fwa_profile_lid(const struct fwa_profile *p, uint8_t lid)
{
	return !p->nvme_logs.len || fwa_le32(p->nvme_logs.data + 4 * lid) & NVME_LOG_LSUPP;
}

bool fwa_profile_fid(const struct fwa_profile *p, uint8_t fid, struct fwa_declared *ret)
{
	uint32_t dword;

	if (!p->nvme_features.len) {
		*ret = (struct fwa_declared){ 0 };
		return true;
	}
	dword = fwa_le32(p->nvme_features.data + 4 * fid);
	if (!(dword & NVME_FEATURE_FSUPP))
		return false;
	*ret = fwa_nvme_feature_declared(dword);
	return true;
}

const char *fwa_family_name(unsigned int family)
{
	static const char *const names[FWA_FAMILY_COUNT] = { "none", "cxl", "nvme", "fwctl",
							     "sim" };

	return family < FWA_FAMILY_COUNT ? names[family] : "none";
}
