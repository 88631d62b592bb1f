/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decision as a record: numbers at fixed places, then what most decisions do not have, each part
 * only when its flag says so, then texts and bytes.
 *
 * 1. Nothing is said twice: the opcode is the command's and the decision's, the effects are those of
 *    declaration, floor and advisory together, a payload that is recorded holds the bytes that were
 *    judged.
 * 2. Each decision has one form: a part that is all zero is left out, and where it is not decoding
 *    refuses it.
 */
#include "core/record.h"

#include "core/record-text.h"

enum flag {
	FLAG_OWNER = 1 << 0,
	FLAG_GATE = 1 << 1,
	FLAG_MORE_GROUPS = 1 << 2,
	FLAG_DRIFTED = 1 << 3,
	FLAG_ACCEPTED = 1 << 4, /* the accepted declarations follow */
	FLAG_DWORDS = 1 << 5,   /* nsid and CDW10 to 15 follow */
	FLAG_LIMITS = 1 << 6,   /* what is used up follows */
	FLAG_TRANSFER = 1 << 7, /* the Feature of the caller's transfer follows */
	FLAG_PAYLOAD = 1 << 8,  /* all of it follows */
	FLAG_LEFT_OUT = 1 << 9, /* it was too long to follow */
	FLAG_LOCKDOWN = 1 << 10,
	FLAG_LEASED = 1 << 11,
	FLAG_NOT_TO_ABORT = 1 << 12,
	FLAG_FIRMWARE_LEASED = 1 << 13,
	FLAGS_ALL = (1 << 14) - 1,
};

#define DWORDS 6
#define FIXED_LEN 76 /* numbers, and the lengths of the parts at the end */

/* The lengths of the parts at the end. */
struct parts {
	uint8_t judged, groups, unit, comm, grant;
};

/* --- writing ---------------------------------------------------------------------------------- */

static bool has_dwords(const struct fwa_command *c)
{
	uint32_t any = c->nsid;

	for (int i = 0; i < DWORDS; i++)
		any |= c->cdw[i];
	return any;
}

static bool has_payload(const struct fwa_record_decision *r)
{
	return r->payload.len && r->payload.len == r->cmd.payload.len &&
	       r->payload.len <= FWA_RECORD_PAYLOAD_MAX;
}

/* Nothing that had to be recorded is missing without a word. */
/*= spec/SECURITY-MODEL.md#C31 */
static bool is_left_out(const struct fwa_record_decision *r)
{
	return (r->payload_left_out || r->payload.len) && !has_payload(r);
}

static uint16_t contract_flags(const struct fwa_contract *c)
{
	unsigned int flags = 0;

	flags |= c->rate_over || c->seats_over ? FLAG_LIMITS : 0;
	flags |= fwa_record_is_zero(c->transfer_uuid, sizeof(c->transfer_uuid)) ? 0 : FLAG_TRANSFER;
	flags |= c->lockdown ? FLAG_LOCKDOWN : 0;
	flags |= c->leased ? FLAG_LEASED : 0;
	flags |= c->not_to_abort ? FLAG_NOT_TO_ABORT : 0;
	flags |= c->firmware_leased ? FLAG_FIRMWARE_LEASED : 0;
	return (uint16_t)flags;
}

static uint16_t flags_of(const struct fwa_record_decision *r)
{
	bool accepted = r->drifted && !fwa_record_is_zero(r->accepted_sha256, FWA_HASH_LEN);
	unsigned int flags = contract_flags(&r->contract);

	flags |= r->who.owner ? FLAG_OWNER : 0;
	flags |= r->who.gate ? FLAG_GATE : 0;
	flags |= r->who.more_groups || r->who.n_groups > FWA_RECORD_GROUPS_MAX ? FLAG_MORE_GROUPS
									       : 0;
	flags |= r->drifted ? FLAG_DRIFTED : 0;
	flags |= accepted ? FLAG_ACCEPTED : 0;
	flags |= has_dwords(&r->cmd) ? FLAG_DWORDS : 0;
	flags |= has_payload(r) ? FLAG_PAYLOAD : 0;
	flags |= is_left_out(r) ? FLAG_LEFT_OUT : 0;
	return (uint16_t)flags;
}

static uint8_t at_most(size_t n, size_t most)
{
	return (uint8_t)(n < most ? n : most);
}

static struct parts parts_of(const struct fwa_record_decision *r)
{
	const struct fwa_record_who *who = &r->who;
	struct parts n = {
		.judged = at_most(r->judged_bytes.len, UINT8_MAX),
		.groups = at_most(who->n_groups, FWA_RECORD_GROUPS_MAX),
		.unit = at_most(fwa_record_text_len(who->unit, sizeof(who->unit)), UINT8_MAX),
		.comm = at_most(fwa_record_text_len(who->comm, sizeof(who->comm)), UINT8_MAX),
	};

	if (r->cmd.payload.len < n.judged)
		n.judged = (uint8_t)r->cmd.payload.len;
	if (fwa_admitted(&r->decision))
		n.grant = at_most(fwa_record_text_len(r->grant, sizeof(r->grant)), UINT8_MAX);
	return n;
}

/* A number that is none counts as one of these where commands are judged. */
static uint8_t quarantine_of(const struct fwa_contract *c)
{
	return c->quarantine < FWA_QUARANTINE_COUNT ? c->quarantine : FWA_QUARANTINE_OPERATOR;
}

static uint8_t journal_of(const struct fwa_contract *c)
{
	return c->journal < FWA_JOURNAL_COUNT ? c->journal : FWA_JOURNAL_DOWN;
}

static void write_numbers(struct fwa_writer *w, const struct fwa_record_decision *r)
{
	const struct fwa_decision *d = &r->decision;
	const struct fwa_contract *c = &r->contract;

	fwa_write_le16(w, flags_of(r));
	fwa_write_u8(w, d->reason);
	fwa_write_u8(w, d->detail);
	fwa_write_u8(w, d->need);
	fwa_write_u8(w, d->required);
	fwa_write_u8(w, d->scope);
	fwa_write_u8(w, r->cmd.scope);
	fwa_write_u8(w, r->cmd.set);
	fwa_write_u8(w, c->mode);
	fwa_write_le16(w, r->cmd.opcode);
	fwa_write_u8(w, quarantine_of(c));
	fwa_write_u8(w, c->transfer);
	fwa_write_u8(w, journal_of(c));
	fwa_write_u8(w, 0);
	fwa_write_le64(w, r->judged);
	fwa_write_le32(w, d->declared_raw);
	fwa_write_le32(w, d->attributes);
	fwa_write_le32(w, d->declared);
	fwa_write_le32(w, d->floor);
	fwa_write_le32(w, d->advisory);
	fwa_write_le32(w, c->advisory & FWA_EFFECTS_ALL);
	fwa_write_le32(w, (uint32_t)r->cmd.payload.len);
	fwa_write_le32(w, r->cmd.out_len);
	fwa_write_le32(w, r->who.uid);
	fwa_write_le32(w, r->who.gid);
	fwa_write_le32(w, r->who.pid);
}

static void write_lengths(struct fwa_writer *w, const struct parts *n)
{
	fwa_write_u8(w, n->judged);
	fwa_write_u8(w, n->groups);
	fwa_write_u8(w, n->unit);
	fwa_write_u8(w, n->comm);
	fwa_write_u8(w, n->grant);
	fwa_write_bytes(w, (const uint8_t[3]){ 0 }, 3);
}

static void write_dwords(struct fwa_writer *w, const struct fwa_command *c)
{
	fwa_write_le32(w, c->nsid);
	for (int i = 0; i < DWORDS; i++)
		fwa_write_le32(w, c->cdw[i]);
}

static void write_hashes(struct fwa_writer *w, const struct fwa_record_decision *r, uint16_t flags)
{
	fwa_write_bytes(w, r->profile_sha256, FWA_HASH_LEN);
	fwa_write_bytes(w, r->policy_digest, FWA_HASH_LEN);
	if (r->cmd.payload.len)
		fwa_write_bytes(w, r->request_sha256, FWA_HASH_LEN);
	if (flags & FLAG_ACCEPTED)
		fwa_write_bytes(w, r->accepted_sha256, FWA_HASH_LEN);
}

void fwa_record_decision_encode(struct fwa_writer *w, const struct fwa_record_decision *r)
{
	const struct fwa_contract *c = &r->contract;
	uint16_t flags = flags_of(r);
	struct parts n = parts_of(r);

	write_numbers(w, r);
	write_lengths(w, &n);
	write_hashes(w, r, flags);
	if (flags & FLAG_DWORDS)
		write_dwords(w, &r->cmd);
	if (flags & FLAG_LIMITS) {
		fwa_write_le32(w, c->rate_over);
		fwa_write_le32(w, c->seats_over);
	}
	if (flags & FLAG_TRANSFER)
		fwa_write_bytes(w, c->transfer_uuid, sizeof(c->transfer_uuid));
	fwa_write_bytes(w, r->who.groups, (size_t)n.groups * 4);
	fwa_record_write_text(w, r->who.unit, n.unit, false);
	fwa_record_write_text(w, r->who.comm, n.comm, false);
	fwa_record_write_text(w, r->grant, n.grant, false);
	if (flags & FLAG_PAYLOAD)
		fwa_write_bytes(w, r->payload.data, r->payload.len);
	else
		fwa_write_bytes(w, r->judged_bytes.data, n.judged);
}

/* --- reading ---------------------------------------------------------------------------------- */

/*
 * What each decision has, in one piece of FIXED_LEN bytes, so that not each number is asked whether it is
 * there. Returns the flags.
 */
static uint16_t read_numbers(const uint8_t *p, struct fwa_record_decision *r)
{
	struct fwa_decision *d = &r->decision;
	struct fwa_contract *c = &r->contract;

	d->reason = p[2];
	d->detail = p[3];
	d->need = p[4];
	d->required = p[5];
	d->scope = p[6];
	r->cmd.scope = p[7];
	r->cmd.set = p[8];
	c->mode = p[9];
	r->cmd.opcode = fwa_le16(p + 10);
	c->quarantine = p[12];
	c->transfer = p[13];
	c->journal = p[14];
	r->judged = fwa_le64(p + 16);
	d->declared_raw = fwa_le32(p + 24);
	d->attributes = fwa_le32(p + 28);
	d->declared = fwa_le32(p + 32);
	d->floor = fwa_le32(p + 36);
	d->advisory = fwa_le32(p + 40);
	c->advisory = fwa_le32(p + 44);
	r->cmd.payload.len = fwa_le32(p + 48);
	r->cmd.out_len = fwa_le32(p + 52);
	r->who.uid = fwa_le32(p + 56);
	r->who.gid = fwa_le32(p + 60);
	r->who.pid = fwa_le32(p + 64);
	return fwa_le16(p);
}

static struct parts read_lengths(const uint8_t *p)
{
	return (struct parts){ p[68], p[69], p[70], p[71], p[72] };
}

static bool reserved_are_zero(const uint8_t *p)
{
	return !(p[15] | p[73] | p[74] | p[75]);
}

/* What is said once and stands in two places, and what is a flag. */
static void fill_in(struct fwa_record_decision *r, uint16_t flags)
{
	struct fwa_decision *d = &r->decision;
	struct fwa_contract *c = &r->contract;

	d->set = r->cmd.set;
	d->opcode = r->cmd.opcode;
	d->effects = d->declared | d->floor | d->advisory;
	c->lockdown = flags & FLAG_LOCKDOWN;
	c->leased = flags & FLAG_LEASED;
	c->not_to_abort = flags & FLAG_NOT_TO_ABORT;
	c->firmware_leased = flags & FLAG_FIRMWARE_LEASED;
	r->who.owner = flags & FLAG_OWNER;
	r->who.gate = flags & FLAG_GATE;
	r->who.more_groups = flags & FLAG_MORE_GROUPS;
	r->drifted = flags & FLAG_DRIFTED;
	r->payload_left_out = flags & FLAG_LEFT_OUT;
}

static bool scope_valid(uint8_t scope)
{
	return scope <= FWA_SCOPE_DEBUG_WRITE_FULL || scope == FWA_SCOPE_LEAST;
}

/* What was asked for is anything at all in what was refused for being that. */
static bool command_valid(const struct fwa_record_decision *r)
{
	const struct fwa_decision *d = &r->decision;

	return d->reason == FWA_REASON_MALFORMED ||
	       (r->cmd.set < FWA_SET_COUNT && scope_valid(r->cmd.scope) && scope_valid(d->scope));
}

static bool numbers_valid(const struct fwa_record_decision *r)
{
	const struct fwa_decision *d = &r->decision;
	const struct fwa_contract *c = &r->contract;
	fwa_effects effects = d->effects | c->advisory;

	return d->reason < FWA_REASON_COUNT && d->detail < FWA_DETAIL_COUNT &&
	       d->need < FWA_NEED_COUNT && d->required <= FWA_SCOPE_NEVER && command_valid(r) &&
	       c->mode <= FWA_MODE_LINUX && c->quarantine < FWA_QUARANTINE_COUNT &&
	       c->transfer <= FWA_TRANSFER_OTHER && c->journal < FWA_JOURNAL_COUNT &&
	       !(effects & ~FWA_EFFECTS_ALL) && !(d->attributes & ~((1u << FWA_ATTR_COUNT) - 1));
}

/* Whether flags and lengths can stand together. */
static bool parts_valid(const struct fwa_record_decision *r, uint16_t flags, const struct parts *n)
{
	size_t payload = r->cmd.payload.len;

	if (flags & ~FLAGS_ALL || (flags & FLAG_ACCEPTED && !(flags & FLAG_DRIFTED)))
		return false;
	if (flags & FLAG_PAYLOAD &&
	    (flags & FLAG_LEFT_OUT || !payload || payload > FWA_RECORD_PAYLOAD_MAX))
		return false;
	return n->judged <= payload && n->groups <= FWA_RECORD_GROUPS_MAX &&
	       (!n->grant || fwa_admitted(&r->decision));
}

static void read_dwords(struct fwa_reader *m, struct fwa_command *c)
{
	c->nsid = fwa_read_le32(m);
	for (int i = 0; i < DWORDS; i++)
		c->cdw[i] = fwa_read_le32(m);
	m->bad |= !has_dwords(c);
}

static void read_hash(struct fwa_reader *m, uint8_t *ret, size_t len)
{
	fwa_record_read_bytes(m, ret, len);
	m->bad |= fwa_record_is_zero(ret, len);
}

static void read_limits(struct fwa_reader *m, struct fwa_contract *c)
{
	c->rate_over = fwa_read_le32(m);
	c->seats_over = fwa_read_le32(m);
	m->bad |= !c->rate_over && !c->seats_over;
}

/* What has a place of fixed length. */
static void read_parts(struct fwa_reader *m, struct fwa_record_decision *r, uint16_t flags)
{
	struct fwa_contract *c = &r->contract;

	fwa_record_read_bytes(m, r->profile_sha256, FWA_HASH_LEN);
	fwa_record_read_bytes(m, r->policy_digest, FWA_HASH_LEN);
	if (r->cmd.payload.len)
		fwa_record_read_bytes(m, r->request_sha256, FWA_HASH_LEN);
	if (flags & FLAG_ACCEPTED)
		read_hash(m, r->accepted_sha256, FWA_HASH_LEN);
	if (flags & FLAG_DWORDS)
		read_dwords(m, &r->cmd);
	if (flags & FLAG_LIMITS)
		read_limits(m, c);
	if (flags & FLAG_TRANSFER)
		read_hash(m, c->transfer_uuid, sizeof(c->transfer_uuid));
}

/* @texts: they are kept, too. */
static bool read_who(struct fwa_reader *m, struct fwa_record_decision *r, const struct parts *n,
		     bool texts)
{
	struct fwa_record_who *who = &r->who;

	who->n_groups = n->groups;
	who->groups = n->groups ? fwa_read_span(m, (size_t)n->groups * 4).data : NULL;
	return fwa_record_read_text(m, n->unit, texts ? who->unit : NULL, sizeof(who->unit),
				    false) &&
	       fwa_record_read_text(m, n->comm, texts ? who->comm : NULL, sizeof(who->comm),
				    false) &&
	       fwa_record_read_text(m, n->grant, texts ? r->grant : NULL, sizeof(r->grant), false);
}

/* Reads into @r, zeroes; without @texts those of it need not be. */
static inline bool read_decision(struct fwa_span body, struct fwa_record_decision *r, bool texts)
{
	struct fwa_reader m = fwa_reader(body);
	const uint8_t *fixed = fwa_read_span(&m, FIXED_LEN).data;
	struct parts n;
	uint16_t flags;

	if (m.bad)
		return false;
	flags = read_numbers(fixed, r);
	n = read_lengths(fixed);
	fill_in(r, flags);
	if (!reserved_are_zero(fixed) || !numbers_valid(r) || !parts_valid(r, flags, &n))
		return false;
	read_parts(&m, r, flags);
	if (!read_who(&m, r, &n, texts))
		return false;
	if (flags & FLAG_PAYLOAD) {
		r->payload = fwa_read_span(&m, r->cmd.payload.len);
		r->judged_bytes = fwa_span(r->payload.data, n.judged);
	} else {
		r->judged_bytes = fwa_read_span(&m, n.judged);
	}
	return fwa_record_at_end(&m);
}

int fwa_record_decision_decode(struct fwa_span body, struct fwa_record_decision *ret)
{
	struct fwa_record_decision r = { 0 };

	if (!read_decision(body, &r, true))
		return -1;
	*ret = r;
	return 0;
}

bool fwa_record_decision_check(struct fwa_span body, bool *ret_admitted)
{
	struct fwa_record_decision r;

	/* Whoever checks many of them: what is behind this is not looked at. */
	memset(&r, 0, offsetof(struct fwa_record_decision, who));
	if (!read_decision(body, &r, false))
		return false;
	*ret_admitted = fwa_admitted(&r.decision);
	return true;
}
