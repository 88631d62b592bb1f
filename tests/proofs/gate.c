/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate's decoders on any bytes (C17): nothing outside the message is read, what is taken is
 * all of it, and what is not a request leaves no command behind.
 */
#include "proto/gate.h"
#include "proof.h"

#define MESSAGE 160

static uint8_t bytes[MESSAGE];

/* Any message of up to @max bytes, with the object's end as its own. */
static struct fwa_span any_message(size_t max)
{
	size_t len = nondet_size();

	for (unsigned int i = 0; i < MESSAGE; i++)
		bytes[i] = nondet_u8();
	assume(len <= max);
	return fwa_span(bytes + MESSAGE - len, len);
}

/* proof: proto/gate.c; without; --unwind 7 --unwindset any_message.0:161 */
void prove_request(void)
{
	struct fwa_span m = any_message(96);
	struct fwa_request r = { 0 };
	enum fwa_gate_error e = fwa_request_decode(m, &r);

	prove(e < FWA_GATE_E_COUNT);
	if (e) {
		prove(!r.cmd.payload.len && !r.cmd.opcode && !r.in_len);
		return;
	}
	prove(r.kind == FWA_GATE_DESCRIBE || r.kind == FWA_GATE_SUBMIT);
	prove(m.len == FWA_GATE_REQUEST_LEN + r.cmd.payload.len);
	prove(r.in_memfd ? !r.cmd.payload.len : r.cmd.payload.len == r.in_len);
	prove(r.in_memfd || r.cmd.payload.data == m.data + FWA_GATE_REQUEST_LEN);
	prove(r.in_len <= FWA_COMMAND_DATA_MAX);
	prove(r.cmd.opcode == fwa_le16(m.data + 18) && r.cmd.scope == m.data[17]);
	witness(r.cmd.payload.len == 32);
	witness(r.in_memfd && r.in_len == FWA_COMMAND_DATA_MAX);
}

/* proof: proto/gate.c; without; --unwind 7 --unwindset any_message.0:161 */
void prove_reply(void)
{
	struct fwa_span m = any_message(MESSAGE), data;
	struct fwa_gate_reply r;

	if (fwa_reply_decode(m, &r, &data))
		return;
	prove(m.len == FWA_GATE_REPLY_LEN + data.len);
	prove(data.data == m.data + FWA_GATE_REPLY_LEN);
	prove(data.len == (r.out_memfd ? 0 : r.out_len));
	witness(data.len == 32);
}
