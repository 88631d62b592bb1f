/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Items are judged one after the other in one pass over the terms.
 */
#include "core/filter.h"

#include "base/uuid.h"

void fwa_filter_write_term(struct fwa_writer *w, const struct fwa_term *t)
{
	fwa_write_u8(w, t->kind);
	fwa_write_u8(w, t->flags);
	fwa_write_u8(w, t->set);
	fwa_write_u8(w, 0);
	fwa_write_le32(w, t->value);
	fwa_write_bytes(w, t->uuid, sizeof(t->uuid));
}

bool fwa_term_eq(const struct fwa_term *a, const struct fwa_term *b)
{
	return a->kind == b->kind && a->set == b->set && a->value == b->value &&
	       fwa_uuid_eq(a->uuid, b->uuid);
}

bool fwa_filter_term(struct fwa_span filter, size_t i, struct fwa_term *ret)
{
	struct fwa_span s;

	if (i >= FWA_FILTER_TERMS_MAX || !fwa_span_sub(filter, i * FWA_TERM_LEN, FWA_TERM_LEN, &s))
		return false;
	ret->kind = s.data[0];
	ret->flags = s.data[1];
	ret->set = s.data[2];
	ret->value = fwa_le32(s.data + 4);
	memcpy(ret->uuid, s.data + 8, sizeof(ret->uuid));
	return true;
}

/* --- validity --------------------------------------------------------------------------------- */

static const uint8_t no_uuid[FWA_UUID_LEN];

static bool command_valid(const struct fwa_term *t)
{
	return !(t->flags & ~FWA_TERM_NOT) && t->set < FWA_SET_COUNT &&
	       t->value <= (t->set == FWA_SET_CXL ? 0xffffu : 0xffu) &&
	       fwa_uuid_eq(t->uuid, no_uuid);
}

/* @before: the term before; @item: the command that the field belongs to. */
static bool field_valid(const struct fwa_term *t, const struct fwa_term *before,
			const struct fwa_term *item)
{
	if (t->flags & ~(FWA_TERM_NOT | FWA_TERM_AND) || t->set ||
	    !fwa_opcode_has_field(item->set, (uint16_t)item->value, t->kind) ||
	    t->value > fwa_field_max(item->set, (uint16_t)item->value, t->kind) ||
	    (t->kind != FWA_FIELD_UUID && !fwa_uuid_eq(t->uuid, no_uuid)))
		return false;
	/* What continues a group needs one of its own kind to continue. */
	return !(t->flags & FWA_TERM_AND) ||
	       (before->kind != FWA_TERM_COMMAND &&
		(before->flags & FWA_TERM_NOT) == (t->flags & FWA_TERM_NOT));
}

bool fwa_filter_valid(struct fwa_span filter)
{
	struct fwa_term t, before = { 0 }, item = { 0 };

	if (filter.len % FWA_TERM_LEN || filter.len / FWA_TERM_LEN > FWA_FILTER_TERMS_MAX)
		return false;
	for (size_t i = 0; fwa_filter_term(filter, i, &t); i++) {
		if (filter.data[i * FWA_TERM_LEN + 3])
			return false;
		if (t.kind == FWA_TERM_COMMAND) {
			if (!command_valid(&t))
				return false;
			item = t;
		} else if (i == 0 || !field_valid(&t, &before, &item)) {
			return false;
		}
		before = t;
	}
	return true;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Whether the field has the term's value; @unknown when its bytes are not there. */
static bool field_matches(const struct fwa_term *t, const struct fwa_command *cmd,
			  const uint8_t *uuid, bool unknown)
{
	struct fwa_field_value v;

	if (!fwa_command_field(cmd, t->kind, &v))
		return unknown;
	if (v.uuid && uuid)
		v.uuid = uuid;
	return v.uuid ? fwa_uuid_eq(v.uuid, t->uuid) : v.number == t->value;
}

/* What is known of an item while its terms go by. */
struct item {
	bool missing;   /* bytes that are missing count for covering, else against it */
	bool negative;  /* it is a negative one */
	bool applies;   /* its opcode is the command's */
	bool any, hit;  /* it has positive groups; one of them matched */
	bool excluded;  /* one of its negative groups matched */
	bool group_not; /* the current group: negative, */
	bool group;     /* and all of its fields so far matched */
};

static void end_group(struct item *it)
{
	it->hit |= it->any && !it->group_not && it->group;
	it->excluded |= it->group_not && it->group;
	it->group = false;
}

static bool item_matches(struct item *it)
{
	end_group(it);
	return it->applies && (it->hit || !it->any) && !it->excluded;
}

static void take_field(struct item *it, const struct fwa_term *t, const struct fwa_command *cmd,
		       const uint8_t *uuid)
{
	bool negative = t->flags & FWA_TERM_NOT, matches;

	if (!it->applies)
		return;
	/* Rule 2. */
	matches = field_matches(t, cmd, uuid, (it->negative != negative) != it->missing);
	if (t->flags & FWA_TERM_AND) {
		it->group &= matches;
		return;
	}
	end_group(it);
	it->group_not = negative;
	it->any |= !negative;
	it->group = matches;
}

/* @missing: as in struct item. */
static bool covers(struct fwa_span filter, const struct fwa_command *cmd, const uint8_t *uuid,
		   bool missing)
{
	struct item it = { 0 };
	bool begun = false, any = false, covered = false;
	struct fwa_term t;

	if (!filter.len) /* most grants: no need to go round for nothing */
		return true;
	for (size_t i = 0;; i++) {
		bool more = fwa_filter_term(filter, i, &t);

		if (more && t.kind != FWA_TERM_COMMAND) {
			take_field(&it, &t, cmd, uuid);
			continue;
		}
		if (begun && item_matches(&it)) {
			if (it.negative)
				return false;
			covered = true;
		}
		if (!more)
			return covered || !any;
		begun = true;
		it = (struct item){
			.missing = missing,
			.negative = t.flags & FWA_TERM_NOT,
			.applies = t.set == cmd->set && t.value == cmd->opcode,
		};
		any |= !it.negative;
	}
}

/*= spec/SECURITY-MODEL.md#C19 */
bool fwa_filter_covers(struct fwa_span filter, const struct fwa_command *cmd, const uint8_t *uuid)
{
	return covers(filter, cmd, uuid, false);
}

/*= spec/SECURITY-MODEL.md#C33 */
bool fwa_filter_may_cover(struct fwa_span filter, const struct fwa_command *cmd,
			  const uint8_t *uuid)
{
	return covers(filter, cmd, uuid, true);
}
