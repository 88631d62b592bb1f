/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wire format, field by field in its order. spec/GATE-PROTOCOL.md has the layouts.
 */
#include "proto/gate.h"

#define REQUEST_IN_MEMFD 1u
#define REQUEST_RECEIPT 2u
#define REPLY_OUT_MEMFD 1u
#define REPLY_GRANT_LEN 40

#define DESCRIPTION_VERSION 5u
#define CONTRACT_LOCKDOWN (1u << 0)
#define CONTRACT_LEASED (1u << 3)
#define CONTRACT_TRANSFER_OWN (1u << 5)
#define CONTRACT_TRANSFER_OTHER (1u << 6)
#define CONTRACT_FIRMWARE_LEASED (1u << 7)
#define CONTRACT_NOT_TO_ABORT (1u << 8)
#define CONTRACT_JOURNAL_DOWN (1u << 9)
#define CONTRACT_READS_UNRECORDED (1u << 10)
#define RIGHT_RECORD_PAYLOAD (1u << 0)

/* --- requests ------------------------------------------------------------------------------- */

void fwa_request_encode(struct fwa_writer *w, const struct fwa_request *r)
{
	fwa_write_le32(w, FWA_GATE_MAGIC);
	fwa_write_le16(w, FWA_GATE_VERSION);
	fwa_write_le16(w, r->kind);
	fwa_write_le64(w, r->id);
	fwa_write_u8(w, r->cmd.set);
	fwa_write_u8(w, r->cmd.scope);
	fwa_write_le16(w, r->cmd.opcode);
	fwa_write_le32(w, r->cmd.nsid);
	for (int i = 0; i < 6; i++)
		fwa_write_le32(w, r->cmd.cdw[i]);
	fwa_write_le32(w, r->in_len);
	fwa_write_le32(w, r->cmd.out_len);
	fwa_write_le32(w, r->timeout_ms);
	fwa_write_le32(w,
		       (r->in_memfd ? REQUEST_IN_MEMFD : 0) | (r->receipt ? REQUEST_RECEIPT : 0));
	if (!r->in_memfd)
		fwa_write_bytes(w, r->cmd.payload.data, r->cmd.payload.len);
}

static void decode_command(struct fwa_reader *m, struct fwa_command *cmd)
{
	struct fwa_span cdw;

	cmd->set = fwa_read_u8(m);
	cmd->scope = fwa_read_u8(m);
	cmd->opcode = fwa_read_le16(m);
	cmd->nsid = fwa_read_le32(m);
	cdw = fwa_read_span(m, sizeof(cmd->cdw));
	for (size_t i = 0; i < cdw.len / 4; i++)
		cmd->cdw[i] = fwa_le32(cdw.data + 4 * i);
}

/*= spec/SECURITY-MODEL.md#C17 */
enum fwa_gate_error fwa_request_decode(struct fwa_span message, struct fwa_request *ret)
{
	struct fwa_request r = { 0 };
	struct fwa_span header;
	struct fwa_reader m;
	uint16_t version;
	uint32_t magic, flags;
	size_t left;

	if (!fwa_span_sub(message, 0, FWA_GATE_REQUEST_LEN, &header))
		return FWA_GATE_E_MALFORMED;
	/* Of a known length: what reads it is not checked field by field. */
	m = fwa_reader(fwa_span(header.data, FWA_GATE_REQUEST_LEN));
	left = message.len - FWA_GATE_REQUEST_LEN;
	magic = fwa_read_le32(&m);
	version = fwa_read_le16(&m);
	r.kind = fwa_read_le16(&m);
	r.id = fwa_read_le64(&m);
	decode_command(&m, &r.cmd);
	r.in_len = fwa_read_le32(&m);
	r.cmd.out_len = fwa_read_le32(&m);
	r.timeout_ms = fwa_read_le32(&m);
	flags = fwa_read_le32(&m);
	if (magic != FWA_GATE_MAGIC)
		return FWA_GATE_E_MALFORMED;
	*ret = (struct fwa_request){ .kind = r.kind, .id = r.id };
	if (version != FWA_GATE_VERSION)
		return FWA_GATE_E_VERSION;
	if (r.kind != FWA_GATE_DESCRIBE && r.kind != FWA_GATE_SUBMIT)
		return FWA_GATE_E_KIND;
	if (flags & ~(REQUEST_IN_MEMFD | REQUEST_RECEIPT))
		return FWA_GATE_E_MALFORMED;
	r.in_memfd = flags & REQUEST_IN_MEMFD;
	r.receipt = flags & REQUEST_RECEIPT;
	if (r.in_len > FWA_COMMAND_DATA_MAX)
		return FWA_GATE_E_PAYLOAD;
	if (left != (r.in_memfd ? 0 : r.in_len))
		return FWA_GATE_E_MALFORMED;
	if (!r.in_memfd)
		r.cmd.payload = fwa_span(m.at, left);
	*ret = r;
	return FWA_GATE_OK;
}

/* --- replies -------------------------------------------------------------------------------- */

static void encode_reply(struct fwa_writer *w, const struct fwa_gate_reply *r)
{
	const struct fwa_decision *d = &r->decision;

	fwa_write_le32(w, FWA_GATE_MAGIC);
	fwa_write_le16(w, FWA_GATE_VERSION);
	fwa_write_le16(w, r->kind);
	fwa_write_le64(w, r->id);
	fwa_write_le16(w, r->error);
	fwa_write_u8(w, r->status);
	fwa_write_u8(w, r->out_memfd ? REPLY_OUT_MEMFD : 0);
	fwa_write_u8(w, d->reason);
	fwa_write_u8(w, d->detail);
	fwa_write_u8(w, d->need);
	fwa_write_u8(w, d->required);
	fwa_write_u8(w, d->scope);
	fwa_write_u8(w, d->set);
	fwa_write_le16(w, d->opcode);
	fwa_write_le32(w, d->declared_raw);
	fwa_write_le32(w, d->attributes);
	fwa_write_le32(w, d->declared);
	fwa_write_le32(w, d->floor);
	fwa_write_le32(w, d->advisory);
	fwa_write_le32(w, d->effects);
	fwa_write_le32(w, r->device_code);
	fwa_write_le32(w, r->device_result);
	fwa_write_le32(w, r->out_len);
	fwa_write_le64(w, r->duration_ns);
	fwa_write_le64(w, r->seq);
	fwa_write_bytes(w, r->grant, REPLY_GRANT_LEN - 1);
	fwa_write_u8(w, 0);
	fwa_write_le32(w, (uint32_t)r->transport_errno);
	fwa_write_le32(w, 0);
}

/* The room is looked for once, not field by field. */
void fwa_reply_encode(struct fwa_writer *w, const struct fwa_gate_reply *r)
{
	uint8_t *room = fwa_write_room(w, FWA_GATE_REPLY_LEN);
	struct fwa_writer fields = fwa_writer(room, FWA_GATE_REPLY_LEN);

	if (room)
		encode_reply(&fields, r);
}

static void decode_decision(struct fwa_reader *m, struct fwa_decision *d)
{
	d->reason = fwa_read_u8(m);
	d->detail = fwa_read_u8(m);
	d->need = fwa_read_u8(m);
	d->required = fwa_read_u8(m);
	d->scope = fwa_read_u8(m);
	d->set = fwa_read_u8(m);
	d->opcode = fwa_read_le16(m);
	d->declared_raw = fwa_read_le32(m);
	d->attributes = fwa_read_le32(m);
	d->declared = fwa_read_le32(m);
	d->floor = fwa_read_le32(m);
	d->advisory = fwa_read_le32(m);
	d->effects = fwa_read_le32(m);
}

int fwa_reply_decode(struct fwa_span message, struct fwa_gate_reply *ret, struct fwa_span *ret_data)
{
	struct fwa_reader m = fwa_reader(message);
	struct fwa_gate_reply r = { 0 };
	uint32_t magic = fwa_read_le32(&m);
	uint16_t version = fwa_read_le16(&m);
	struct fwa_span grant;

	r.kind = fwa_read_le16(&m);
	r.id = fwa_read_le64(&m);
	r.error = fwa_read_le16(&m);
	r.status = fwa_read_u8(&m);
	r.out_memfd = fwa_read_u8(&m) & REPLY_OUT_MEMFD;
	decode_decision(&m, &r.decision);
	r.device_code = fwa_read_le32(&m);
	r.device_result = fwa_read_le32(&m);
	r.out_len = fwa_read_le32(&m);
	r.duration_ns = fwa_read_le64(&m);
	r.seq = fwa_read_le64(&m);
	grant = fwa_read_span(&m, REPLY_GRANT_LEN);
	r.transport_errno = (int32_t)fwa_read_le32(&m);
	fwa_read_le32(&m);
	if (m.bad || magic != FWA_GATE_MAGIC || version != FWA_GATE_VERSION ||
	    m.left != (r.out_memfd ? 0 : r.out_len))
		return -1;
	memcpy(r.grant, grant.data, REPLY_GRANT_LEN - 1);
	*ret_data = fwa_span(m.at, m.left);
	*ret = r;
	return 0;
}

/* --- descriptions --------------------------------------------------------------------------- */

static uint32_t contract_flags(const struct fwa_contract *c)
{
	return (c->lockdown ? CONTRACT_LOCKDOWN : 0) | (c->leased ? CONTRACT_LEASED : 0) |
	       (c->firmware_leased ? CONTRACT_FIRMWARE_LEASED : 0) |
	       (c->not_to_abort ? CONTRACT_NOT_TO_ABORT : 0) |
	       (c->transfer == FWA_TRANSFER_OWN ? CONTRACT_TRANSFER_OWN : 0) |
	       (c->transfer == FWA_TRANSFER_OTHER ? CONTRACT_TRANSFER_OTHER : 0) |
	       (c->journal != FWA_JOURNAL_OK ? CONTRACT_JOURNAL_DOWN : 0) |
	       (c->journal == FWA_JOURNAL_DOWN_EFFECTS ? CONTRACT_READS_UNRECORDED : 0);
}

static void encode_right(struct fwa_writer *w, const struct fwa_right *r)
{
	fwa_write_le32(w, r->scope);
	fwa_write_le32(w, r->effects);
	fwa_write_le64(w, r->until);
	fwa_write_le32(w, r->grant);
	fwa_write_le32(w, (uint32_t)(r->filter.len / FWA_TERM_LEN));
	fwa_write_le32(w, r->sessions);
	fwa_write_le32(w, r->commands);
	fwa_write_le64(w, r->bytes);
	fwa_write_le32(w, r->record_payload ? RIGHT_RECORD_PAYLOAD : 0);
	fwa_write_le32(w, 0);
}

static void encode_caller(struct fwa_writer *w, const struct fwa_caller *c)
{
	fwa_write_le32(w, c->uid);
	fwa_write_le32(w, c->gid);
	fwa_write_bytes(w, c->unit, sizeof(c->unit));
	fwa_write_bytes(w, c->label, sizeof(c->label));
	fwa_write_bytes(w, c->comm, sizeof(c->comm));
}

void fwa_description_encode(struct fwa_writer *w, const struct fwa_description *d)
{
	fwa_write_le32(w, DESCRIPTION_VERSION);
	fwa_write_le32(w, contract_flags(&d->contract));
	fwa_write_le32(w, d->contract.mode);
	fwa_write_le32(w, d->contract.advisory);
	fwa_write_le64(w, d->now);
	fwa_write_bytes(w, d->policy_digest, sizeof(d->policy_digest));
	fwa_write_bytes(w, d->name, sizeof(d->name));
	fwa_write_le32(w, d->rights.n_matched);
	fwa_write_le32(w, d->rights.n);
	fwa_write_le32(w, d->rights.overflow);
	fwa_write_le32(w, d->contract.quarantine);
	fwa_write_bytes(w, d->contract.transfer_uuid, sizeof(d->contract.transfer_uuid));
	fwa_write_le32(w, d->contract.rate_over);
	fwa_write_le32(w, d->contract.seats_over);
	for (uint32_t i = 0; i < d->rights.n && i < FWA_RIGHTS_MAX; i++) {
		encode_right(w, &d->rights.right[i]);
		fwa_write_bytes(w, d->grant_names[i], FWA_GRANT_NAME_MAX);
		fwa_write_bytes(w, d->tickets[i], FWA_GRANT_TICKET_MAX);
		fwa_write_bytes(w, d->rights.right[i].filter.data, d->rights.right[i].filter.len);
	}
	fwa_write_le32(w, (uint32_t)d->profile.len);
	fwa_write_le32(w, 0);
	fwa_write_bytes(w, d->profile.data, d->profile.len);
	fwa_write_le32(w, d->baseline);
	fwa_write_le32(w, d->drift_binds);
	fwa_write_le32(w, (uint32_t)d->accepted.len);
	fwa_write_le32(w, 0);
	fwa_write_bytes(w, d->accepted.data, d->accepted.len);
	encode_caller(w, &d->caller);
	fwa_write_le32(w, (uint32_t)d->advisories.len);
	fwa_write_le32(w, 0);
	fwa_write_bytes(w, d->advisories.data, d->advisories.len);
}

static void decode_contract(struct fwa_reader *m, struct fwa_contract *c)
{
	uint32_t flags = fwa_read_le32(m);

	c->lockdown = flags & CONTRACT_LOCKDOWN;
	c->leased = flags & CONTRACT_LEASED;
	c->firmware_leased = flags & CONTRACT_FIRMWARE_LEASED;
	c->not_to_abort = flags & CONTRACT_NOT_TO_ABORT;
	if (flags & CONTRACT_TRANSFER_OTHER)
		c->transfer = FWA_TRANSFER_OTHER;
	else if (flags & CONTRACT_TRANSFER_OWN)
		c->transfer = FWA_TRANSFER_OWN;
	if (flags & CONTRACT_JOURNAL_DOWN)
		c->journal = flags & CONTRACT_READS_UNRECORDED ? FWA_JOURNAL_DOWN_EFFECTS
							       : FWA_JOURNAL_DOWN;
	c->mode = (uint8_t)fwa_read_le32(m);
	c->advisory = fwa_read_le32(m);
}

static void read_text(struct fwa_reader *m, char *text, size_t len)
{
	struct fwa_span s = fwa_read_span(m, len);

	memset(text, 0, len);
	if (s.len)
		memcpy(text, s.data, len - 1);
}

/* Right @i. -1 when its filter is none: the rest would be judged by something else (C19). */
static int decode_right(struct fwa_reader *m, struct fwa_description *d, uint32_t i)
{
	struct fwa_right *r = &d->rights.right[i];
	uint32_t n_terms;

	r->scope = fwa_read_le32(m);
	r->effects = fwa_read_le32(m);
	r->until = fwa_read_le64(m);
	r->grant = fwa_read_le32(m);
	n_terms = fwa_read_le32(m);
	r->sessions = fwa_read_le32(m);
	r->commands = fwa_read_le32(m);
	r->bytes = fwa_read_le64(m);
	r->record_payload = fwa_read_le32(m) & RIGHT_RECORD_PAYLOAD;
	fwa_read_le32(m);
	read_text(m, d->grant_names[i], FWA_GRANT_NAME_MAX);
	read_text(m, d->tickets[i], FWA_GRANT_TICKET_MAX);
	if (n_terms > FWA_FILTER_TERMS_MAX)
		return -1;
	r->filter = fwa_read_span(m, (size_t)n_terms * FWA_TERM_LEN);
	return fwa_filter_valid(r->filter) ? 0 : -1;
}

static void decode_caller(struct fwa_reader *m, struct fwa_caller *c)
{
	c->uid = fwa_read_le32(m);
	c->gid = fwa_read_le32(m);
	read_text(m, c->unit, sizeof(c->unit));
	read_text(m, c->label, sizeof(c->label));
	read_text(m, c->comm, sizeof(c->comm));
}

int fwa_description_decode(struct fwa_span data, struct fwa_description *ret)
{
	struct fwa_reader m = fwa_reader(data);
	struct fwa_description d = { 0 };
	uint32_t version = fwa_read_le32(&m), quarantine, len;
	struct fwa_span digest, transfer;

	decode_contract(&m, &d.contract);
	d.now = fwa_read_le64(&m);
	digest = fwa_read_span(&m, sizeof(d.policy_digest));
	read_text(&m, d.name, sizeof(d.name));
	d.rights.n_matched = fwa_read_le32(&m);
	d.rights.n = fwa_read_le32(&m);
	d.rights.overflow = fwa_read_le32(&m);
	quarantine = fwa_read_le32(&m);
	transfer = fwa_read_span(&m, sizeof(d.contract.transfer_uuid));
	d.contract.rate_over = fwa_read_le32(&m);
	d.contract.seats_over = fwa_read_le32(&m);
	/* a kind that this client does not know is a quarantine all the same */
	d.contract.quarantine =
		(uint8_t)(quarantine < FWA_QUARANTINE_COUNT ? quarantine : FWA_QUARANTINE_OPERATOR);
	if (m.bad || version != DESCRIPTION_VERSION || d.rights.n > FWA_RIGHTS_MAX)
		return -1;
	memcpy(d.policy_digest, digest.data, digest.len);
	memcpy(d.contract.transfer_uuid, transfer.data, transfer.len);
	for (uint32_t i = 0; i < d.rights.n; i++)
		if (decode_right(&m, &d, i) < 0)
			return -1;
	len = fwa_read_le32(&m);
	fwa_read_le32(&m);
	d.profile = fwa_read_span(&m, len);
	d.baseline = fwa_read_le32(&m);
	d.drift_binds = fwa_read_le32(&m);
	len = fwa_read_le32(&m);
	fwa_read_le32(&m);
	d.accepted = fwa_read_span(&m, len);
	decode_caller(&m, &d.caller);
	len = fwa_read_le32(&m);
	fwa_read_le32(&m);
	d.advisories = fwa_read_span(&m, len);
	if (m.bad || m.left)
		return -1;
	*ret = d;
	return 0;
}

const char *fwa_gate_error_text(unsigned int error)
{
	static const char *const texts[FWA_GATE_E_COUNT] = {
		[FWA_GATE_OK] = "no error",
		[FWA_GATE_E_MALFORMED] = "the gate did not take the message as a request",
		[FWA_GATE_E_VERSION] = "the gate speaks another version of its protocol",
		[FWA_GATE_E_KIND] = "the gate knows no such request",
		[FWA_GATE_E_PAYLOAD] =
			"the payload is too long, or its memfd is not sealed or not that long",
		[FWA_GATE_E_MEMORY] = "the gate is out of memory",
		[FWA_GATE_E_GONE] = "the device is gone",
		[FWA_GATE_E_BUSY] = "the device is busy with other requests; nothing was sent",
	};

	return error < FWA_GATE_E_COUNT ? texts[error] : "unknown gate error";
}
