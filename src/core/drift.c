/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two profiles, side by side. Neither is trusted more than the other to be in any order or without
 * repetitions: both are asked, entry by entry, with the look-ups that decisions use.
 */
#include "core/drift.h"

#include "base/uuid.h"
#include "core/declaration.h"
#include "core/text.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* The bytes of a Supported Feature entry that make up its declaration. */
#define FEATURE_SIZES 18    /* Get size, Set size */
#define FEATURE_FLAGS 22    /* le32 */
#define FEATURE_VERSIONS 26 /* Get, Set */
#define FEATURE_EFFECTS 28  /* le16 */

/* --- the canonical form --------------------------------------------------------------------- */

/* Begins a record of @len bytes: where its value goes, NULL when there is no room. */
static uint8_t *record(struct fwa_writer *w, enum fwa_profile_record type, size_t len)
{
	fwa_write_le16(w, (uint16_t)type);
	fwa_write_le16(w, 0);
	fwa_write_le32(w, (uint32_t)len);
	return fwa_write_room(w, len);
}

static void write_cel(struct fwa_writer *w, const struct fwa_profile *p)
{
	uint8_t *at = record(w, FWA_RECORD_CXL_CEL, (size_t)p->cxl.count * CXL_CEL_ENTRY_LEN);
	unsigned int set = FWA_SET_CXL;
	int32_t opcode = -1;

	while (at && fwa_profile_next(p, &set, &opcode) && set == FWA_SET_CXL) {
		fwa_put_le16(at, (uint16_t)opcode);
		fwa_put_le16(at + 2, p->cxl.word[opcode]);
		at += CXL_CEL_ENTRY_LEN;
	}
}

static const uint8_t *log_uuid(const struct fwa_profile *p, size_t i)
{
	return p->logs.data + i * CXL_LOGS_ENTRY_LEN;
}

static size_t n_logs(const struct fwa_profile *p)
{
	size_t n = p->logs.len / CXL_LOGS_ENTRY_LEN;

	return n < FWA_PROFILE_LOGS_MAX ? n : FWA_PROFILE_LOGS_MAX;
}

/* The first log by UUID behind @last (NULL: of all); NULL when there is none. */
static const uint8_t *next_log(const struct fwa_profile *p, const uint8_t *last)
{
	const uint8_t *best = NULL;

	for (size_t i = 0; i < n_logs(p); i++) {
		const uint8_t *u = log_uuid(p, i);

		if (last && memcmp(u, last, FWA_UUID_LEN) <= 0)
			continue;
		if (!best || memcmp(u, best, FWA_UUID_LEN) < 0)
			best = u;
	}
	return best;
}

static void write_logs(struct fwa_writer *w, const struct fwa_profile *p)
{
	const uint8_t *log = NULL;
	size_t n = 0;
	uint8_t *at;

	while ((log = next_log(p, log)))
		n++;
	at = n ? record(w, FWA_RECORD_CXL_LOGS, n * CXL_LOGS_ENTRY_LEN) : NULL;
	for (log = NULL; at && (log = next_log(p, log)); at += CXL_LOGS_ENTRY_LEN)
		memcpy(at, log, FWA_UUID_LEN);
}

/* Feature @i by UUID, repetitions united; false when it repeats the one before, or there is none. */
static bool feature_at(const struct fwa_profile *p, size_t i, struct fwa_feature *ret)
{
	struct fwa_feature before;

	if (i >= p->n_features || !fwa_profile_feature(p, p->feature_order[i], ret))
		return false;
	if (i && fwa_profile_feature(p, p->feature_order[i - 1], &before) &&
	    fwa_uuid_eq(before.uuid, ret->uuid))
		return false;
	return fwa_profile_feature_by_uuid(p, ret->uuid, ret);
}

static void write_feature(uint8_t *at, const struct fwa_feature *f)
{
	memcpy(at, f->uuid, FWA_UUID_LEN);
	fwa_put_le16(at + FEATURE_SIZES, f->get_size);
	fwa_put_le16(at + FEATURE_SIZES + 2, f->set_size);
	fwa_put_le32(at + FEATURE_FLAGS, f->flags);
	at[FEATURE_VERSIONS] = f->get_version;
	at[FEATURE_VERSIONS + 1] = f->set_version;
	fwa_put_le16(at + FEATURE_EFFECTS, f->effects);
}

static void write_features(struct fwa_writer *w, const struct fwa_profile *p)
{
	struct fwa_feature f;
	size_t n = 0;
	uint8_t *at;

	for (size_t i = 0; i < p->n_features; i++)
		n += feature_at(p, i, &f);
	at = n ? record(w, FWA_RECORD_CXL_FEATURES, n * CXL_FEATURE_ENTRY_LEN) : NULL;
	for (size_t i = 0; at && i < p->n_features; i++) {
		if (!feature_at(p, i, &f))
			continue;
		write_feature(at, &f);
		at += CXL_FEATURE_ENTRY_LEN;
	}
}

/* One dword each, as they are where bit 0 (CSUPP, LSUPP, FSUPP) says that it is supported. */
static void write_dwords(struct fwa_writer *w, enum fwa_profile_record type, struct fwa_span page,
			 size_t len)
{
	uint8_t *out = record(w, type, len);

	for (size_t at = 0; out && at + 4 <= len && at + 4 <= page.len; at += 4)
		if (fwa_le32(page.data + at) & 1)
			memcpy(out + at, page.data + at, 4);
}

void fwa_declarations_write(struct fwa_writer *w, const struct fwa_profile *p)
{
	struct fwa_identity id = p->id;

	memset(id.serial, 0, sizeof(id.serial));
	fwa_profile_begin(w, (enum fwa_family)p->family);
	fwa_profile_add_identity(w, &id);
	if (p->has_cel)
		write_cel(w, p);
	write_logs(w, p);
	write_features(w, p);
	if (p->has_nvme)
		write_dwords(w, FWA_RECORD_NVME_EFFECTS, p->nvme_effects, 2 * NVME_EFFECTS_IO);
	if (p->nvme_logs.len)
		write_dwords(w, FWA_RECORD_NVME_LOGS, p->nvme_logs, NVME_IDS_LEN);
	if (p->nvme_features.len)
		write_dwords(w, FWA_RECORD_NVME_FEATURES, p->nvme_features, NVME_IDS_LEN);
}

bool fwa_drift_same_key(const struct fwa_profile *p, const struct fwa_profile *baseline)
{
	return p->family == baseline->family && fwa_text_eq(p->id.vendor, baseline->id.vendor) &&
	       fwa_text_eq(p->id.model, baseline->id.model) &&
	       fwa_text_eq(p->id.firmware, baseline->id.firmware);
}

/* --- one command ---------------------------------------------------------------------------- */

/*= spec/SECURITY-MODEL.md#C23 */
enum fwa_detail fwa_drift_detail(const struct fwa_drift *drift, const struct fwa_profile *now,
				 const struct fwa_command *cmd, const struct fwa_selector *selector)
{
	struct fwa_declaration before, after;

	if (!drift)
		return FWA_DETAIL_NONE;
	if (!drift->baseline)
		return FWA_DETAIL_NOT_PINNED;
	if (fwa_declaration_of(now, cmd, selector, &after))
		return FWA_DETAIL_NONE; /* which is for the step that asks whether it is declared */
	if (fwa_declaration_of(drift->baseline, cmd, selector, &before))
		return FWA_DETAIL_APPEARED;
	return before.declared.effects & ~after.declared.effects ? FWA_DETAIL_LOST_EFFECT
								 : FWA_DETAIL_NONE;
}

/* --- every difference ----------------------------------------------------------------------- */

/* What one side says of one thing. */
struct side {
	bool there;
	fwa_effects effects;
	uint64_t rest; /* what is no effect, to be compared only */
};

static enum fwa_difference_how compare(const struct side *before, const struct side *after)
{
	if (!before->there && !after->there)
		return FWA_DIFFERENCE_NONE;
	if (!before->there)
		return FWA_DIFFERENCE_APPEARED;
	if (!after->there)
		return FWA_DIFFERENCE_REMOVED;
	if (before->effects & ~after->effects)
		return FWA_DIFFERENCE_LOST;
	if (after->effects & ~before->effects)
		return FWA_DIFFERENCE_GAINED;
	return before->rest != after->rest ? FWA_DIFFERENCE_CHANGED : FWA_DIFFERENCE_NONE;
}

static struct side side_of_command(const struct fwa_profile *p, const struct fwa_difference *d)
{
	struct fwa_declared declared = { 0 };
	struct side s = { .there = fwa_profile_declared(p, d->set, d->opcode, &declared) };

	s.effects = declared.effects;
	s.rest = declared.raw;
	return s;
}

/* Where a Feature appears, or goes, its effects are told with that. */
static struct side side_of_feature(const struct fwa_profile *p, const struct fwa_difference *d)
{
	struct fwa_feature f = { 0 };
	struct side s = { .there = fwa_profile_feature_by_uuid(p, d->uuid, &f) };

	s.rest = (uint64_t)f.get_size << 32 | (uint64_t)f.get_version;
	return s;
}

static struct side side_of_setting(const struct fwa_profile *p, const struct fwa_difference *d)
{
	struct fwa_feature f = { 0 };
	struct side s = { 0 };

	if (!fwa_profile_feature_by_uuid(p, d->uuid, &f) || !(f.flags & CXL_FEATURE_CHANGEABLE))
		return s;
	s.there = true;
	s.effects = fwa_cxl_declared(f.effects).effects;
	s.rest = (uint64_t)f.flags << 32 ^ (uint64_t)f.set_size << 16 ^
		 (uint64_t)f.set_version << 48 ^ f.effects;
	return s;
}

static struct side side_of_log(const struct fwa_profile *p, const struct fwa_difference *d)
{
	uint32_t size;

	return (struct side){ .there = fwa_profile_log_size(p, d->uuid, &size) };
}

static struct side side_of_lid(const struct fwa_profile *p, const struct fwa_difference *d)
{
	return (struct side){
		.there = fwa_profile_lid(p, d->id),
		.rest = p->nvme_logs.len ? fwa_le32(p->nvme_logs.data + 4 * d->id) : 0,
	};
}

static struct side side_of_fid(const struct fwa_profile *p, const struct fwa_difference *d)
{
	struct fwa_declared declared = { 0 };
	struct side s = { .there = fwa_profile_fid(p, d->id, &declared) };

	s.effects = declared.effects;
	s.rest = declared.raw;
	return s;
}

static const struct part {
	uint8_t of;
	uint8_t set; /* of commands */
	struct side (*side)(const struct fwa_profile *p, const struct fwa_difference *d);
} parts[] = {
	{ FWA_DIFFERENCE_COMMAND, FWA_SET_CXL, side_of_command },
	{ FWA_DIFFERENCE_COMMAND, FWA_SET_NVME_ADMIN, side_of_command },
	{ FWA_DIFFERENCE_COMMAND, FWA_SET_NVME_IO, side_of_command },
	{ FWA_DIFFERENCE_FEATURE, 0, side_of_feature },
	{ FWA_DIFFERENCE_SETTING, 0, side_of_setting },
	{ FWA_DIFFERENCE_LOG, 0, side_of_log },
	{ FWA_DIFFERENCE_LID, 0, side_of_lid },
	{ FWA_DIFFERENCE_FID, 0, side_of_fid },
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

/* How many things of @part there are to ask both sides about. */
static uint32_t extent(const struct part *part, const struct fwa_profile *before,
		       const struct fwa_profile *after)
{
	switch (part->of) {
	case FWA_DIFFERENCE_COMMAND:
		return part->set == FWA_SET_CXL ? 65536 : 256;
	case FWA_DIFFERENCE_FEATURE:
	case FWA_DIFFERENCE_SETTING:
		return (uint32_t)after->n_features + before->n_features;
	case FWA_DIFFERENCE_LOG:
		return (uint32_t)(n_logs(after) + n_logs(before));
	default:
		return 256;
	}
}

/* A page that only one of the two has: how its entries are numbered is no change of each of them. */
static bool comparable(const struct part *part, const struct fwa_profile *before,
		       const struct fwa_profile *after)
{
	if (part->of == FWA_DIFFERENCE_LID)
		return before->nvme_logs.len && after->nvme_logs.len;
	if (part->of == FWA_DIFFERENCE_FID)
		return before->nvme_features.len && after->nvme_features.len;
	return true;
}

/* The Feature that is number @at of those of @after, and then of those that only @before has. */
static const uint8_t *feature_uuid(const struct fwa_profile *before,
				   const struct fwa_profile *after, uint32_t at)
{
	struct fwa_feature f, other;

	if (at < after->n_features)
		return feature_at(after, at, &f) ? f.uuid : NULL;
	if (!feature_at(before, at - after->n_features, &f) ||
	    fwa_profile_feature_by_uuid(after, f.uuid, &other))
		return NULL;
	return f.uuid;
}

/* The same of logs; a repetition is none. */
static const uint8_t *nth_log(const struct fwa_profile *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (fwa_uuid_eq(log_uuid(p, k), log_uuid(p, i)))
			return NULL;
	return log_uuid(p, i);
}

static const uint8_t *log_of(const struct fwa_profile *before, const struct fwa_profile *after,
			     uint32_t at)
{
	const uint8_t *uuid;
	uint32_t size;

	if (at < n_logs(after))
		return nth_log(after, at);
	uuid = nth_log(before, at - n_logs(after));
	return uuid && !fwa_profile_log_size(after, uuid, &size) ? uuid : NULL;
}

/* Names thing @at of @part in *ret; false when there is none at that place. */
static bool name(const struct part *part, const struct fwa_profile *before,
		 const struct fwa_profile *after, uint32_t at, struct fwa_difference *ret)
{
	*ret = (struct fwa_difference){ .of = part->of, .set = part->set };
	switch (part->of) {
	case FWA_DIFFERENCE_COMMAND:
		ret->opcode = (uint16_t)at;
		return true;
	case FWA_DIFFERENCE_FEATURE:
	case FWA_DIFFERENCE_SETTING:
		ret->uuid = feature_uuid(before, after, at);
		return ret->uuid;
	case FWA_DIFFERENCE_LOG:
		ret->uuid = log_of(before, after, at);
		return ret->uuid;
	default:
		ret->id = (uint8_t)at;
		return true;
	}
}

static bool differs(const struct part *part, const struct fwa_profile *before,
		    const struct fwa_profile *after, uint32_t at, struct fwa_difference *ret)
{
	struct side a, b;

	if (!name(part, before, after, at, ret))
		return false;
	a = part->side(before, ret);
	b = part->side(after, ret);
	if (!comparable(part, before, after))
		a.rest = b.rest;
	ret->how = (uint8_t)compare(&a, &b);
	ret->before = a.effects;
	ret->after = b.effects;
	return ret->how != FWA_DIFFERENCE_NONE;
}

bool fwa_difference_next(const struct fwa_profile *before, const struct fwa_profile *after,
			 struct fwa_difference_walk *walk, struct fwa_difference *ret)
{
	for (; walk->part < N_PARTS; walk->part++, walk->at = 0) {
		const struct part *part = &parts[walk->part];
		uint32_t end = extent(part, before, after);

		while (walk->at < end)
			if (differs(part, before, after, walk->at++, ret))
				return true;
	}
	return false;
}

uint32_t fwa_drift_count(const struct fwa_profile *before, const struct fwa_profile *after)
{
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;
	uint32_t n = 0;

	while (fwa_difference_next(before, after, &walk, &d))
		n += fwa_difference_drifts(d.how);
	return n;
}

const char *fwa_difference_of_name(unsigned int of)
{
	static const char *const names[FWA_DIFFERENCE_OF_COUNT] = {
		"command", "feature", "setting", "log", "log-page", "nvme-feature",
	};

	return of < FWA_DIFFERENCE_OF_COUNT ? names[of] : NULL;
}

const char *fwa_difference_how_name(unsigned int how)
{
	static const char *const names[FWA_DIFFERENCE_HOW_COUNT] = {
		NULL, "appeared", "lost-effect", "gained-effect", "removed", "changed",
	};

	return how < FWA_DIFFERENCE_HOW_COUNT ? names[how] : NULL;
}

const char *fwa_baseline_state_name(unsigned int state)
{
	static const char *const names[FWA_BASELINE_COUNT] = { "none", "same", "differs",
							       "missing" };

	return state < FWA_BASELINE_COUNT ? names[state] : NULL;
}
