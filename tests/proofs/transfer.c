/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following transfers (C10, C16), against a device that does what its specification says: whatever was
 * sent and whatever became of it, one that may have begun is known, and none that did not is.
 *
 * Each proof is a step from any state in which what it proves holds. It holds at first, when nothing
 * was sent and the device has begun nothing, so it holds after any number of commands. Only the gate
 * sends commands; the device may drop a transfer at any time.
 */
#include "core/transfer.h"
#include "base/uuid.h"
#include "core/background.h"
#include "proof.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* A command that was sent: what the gate knows of its end, and what really became of it. */
static struct fwa_command cmd;
static enum fwa_sent sent;
static uint32_t code;
static bool executed;

static void any_command(void)
{
	forget(cmd);
	assume(cmd.payload.len <= CXL_TRANSFER_FW_HEADER_LEN);
	cmd.payload.data = bytes_of(cmd.payload.len);
	code = nondet_u32();
	sent = nondet_u8();
	assume(sent <= FWA_SENT_UNKNOWN);
	executed = sent == FWA_SENT_DONE || (sent == FWA_SENT_UNKNOWN && nondet_bool());
}

/* --- Features: CXL 3.1, 8.2.9.6.3 ------------------------------------------------------------- */

/* What the device really holds. */
static struct {
	bool holds;
	uint8_t uuid[16];
} device;

static bool is_part(void)
{
	return cmd.set == FWA_SET_CXL && cmd.opcode == CXL_OP_SET_FEATURE && cmd.payload.len >= 32;
}

static void device_takes_part(unsigned int part, bool named)
{
	if (nondet_bool())
		device.holds = false; /* it may, before it looks at the command */
	if (!executed)
		return;
	if (part == CXL_PART_CONTINUE) /* of what it holds: else it answers with an error */
		assume(device.holds && (named || fwa_uuid_eq(device.uuid, cmd.payload.data)));
	if (part == CXL_PART_INITIATE && !named) {
		device.holds = true;
		memcpy(device.uuid, cmd.payload.data, 16);
	}
	if (part == CXL_PART_FINISH || part == CXL_PART_ABORT)
		device.holds = false;
}

/* What holds of @t at any time: what is begun is known, and "the one in progress" is the device's. */
static bool follows(const struct fwa_transfer *t)
{
	return implies(t->running, t->left) && implies(device.holds, t->left) &&
	       implies(t->running && device.holds, fwa_uuid_eq(t->uuid, device.uuid));
}

/* proof: core/transfer.c; without; --unwind 17 */
void prove_transfer(void)
{
	struct fwa_transfer t, before;
	unsigned int part = CXL_PART_FULL;
	bool named = false;

	any_command();
	forget(t);
	t.running = nondet_bool();
	t.left = nondet_bool();
	forget(device);
	device.holds = nondet_bool();
	assume(follows(&t));
	if (is_part()) {
		part = cmd.payload.data[16] & 7;
		named = fwa_transfer_named(cmd.payload.data);
		assume(part <= CXL_PART_ABORT); /* the others are reserved */
		device_takes_part(part, named);
	}
	before = t;
	prove(fwa_transfer_part(&cmd) == part);
	fwa_transfer_follow(&t, &cmd, sent);
	prove(follows(&t));
	prove(implies(part == CXL_PART_FULL, t.left == before.left && t.running == before.running));
	/* it is known as begun only by a part that may have begun it, or that was taken */
	prove(implies(t.left && !before.left,
		      (part == CXL_PART_INITIATE && sent != FWA_SENT_FAILED) ||
			      (part == CXL_PART_CONTINUE && sent == FWA_SENT_DONE)));
	prove(implies(t.left && !before.left && !named,
		      fwa_uuid_eq(t.uuid, cmd.payload.data) && t.version == cmd.payload.data[22]));
	/* and as ended only by one that surely ended it */
	prove(implies(before.left && !t.left, part >= CXL_PART_FINISH && sent == FWA_SENT_DONE));
	witness(t.running && !before.left);
	witness(t.running && named && part == CXL_PART_CONTINUE);
	witness(device.holds && t.left && !t.running);
	witness(before.left && !t.left);
}

/* The abort ends what it was made of, and names its Feature.
 * proof: core/transfer.c; without; --unwind 34 */
void prove_transfer_abort(void)
{
	struct fwa_transfer t, before;
	uint8_t *payload = bytes_of(FWA_TRANSFER_ABORT_LEN);

	forget(t);
	before = t;
	cmd = fwa_transfer_abort(&t, payload);
	prove(is_part() && fwa_transfer_part(&cmd) == CXL_PART_ABORT);
	prove(cmd.payload.data == payload && cmd.payload.len == FWA_TRANSFER_ABORT_LEN);
	prove(fwa_uuid_eq(payload, t.uuid) && payload[22] == t.version);
	prove(payload[16] == CXL_PART_ABORT && !payload[20] && !payload[21]);
	fwa_transfer_follow(&t, &cmd, FWA_SENT_DONE);
	prove(!t.running && !t.left);
	witness(before.left);
}

/* --- firmware: CXL 3.1, 8.2.9.3.2; NVM Express Base 2.0, 5.11 and 5.12 ------------------------- */

/* The device's answer to Transfer FW says that it holds nothing. */
static bool says_nothing(unsigned int action)
{
	return action == CXL_FW_ABORT ? code == CXL_RC_INVALID_INPUT
				      : code == CXL_RC_FW_OUT_OF_ORDER || code == CXL_RC_FW_AUTH;
}

static void device_takes_firmware(unsigned int action)
{
	if (nondet_bool() || (sent == FWA_SENT_FAILED && says_nothing(action)))
		device.holds = false;
	if (!executed)
		return;
	if (action == CXL_FW_CONTINUE)
		assume(device.holds);
	else
		device.holds = action == CXL_FW_INITIATE;
}

static unsigned int action_of_commit(void)
{
	return cmd.cdw[0] >> 3 & 7;
}

static void device_takes_nvme(void)
{
	unsigned int action = action_of_commit();

	if (nondet_bool())
		device.holds = false;
	if (!executed)
		return;
	if (cmd.opcode == NVME_OP_FW_DOWNLOAD)
		device.holds = true;
	/* 0, 1, 3: the image replaces a slot's; 6: a boot partition; 2 and 7 use what was there. */
	if (cmd.opcode == NVME_OP_FW_COMMIT && (action < 2 || action == 3 || action == 6))
		device.holds = false;
}

/* proof: core/transfer.c; without; --unwind 17 */
void prove_firmware(void)
{
	struct fwa_firmware f, before;
	bool cxl, nvme, begins = false, ends = false;
	unsigned int action = 0;

	any_command();
	f = (struct fwa_firmware){ nondet_bool(), nondet_u8() };
	forget(device);
	device.holds = nondet_bool();
	assume(implies(device.holds, f.running));
	before = f;
	cxl = cmd.set == FWA_SET_CXL && cmd.opcode == CXL_OP_TRANSFER_FW && cmd.payload.len >= 128;
	nvme = cmd.set == FWA_SET_NVME_ADMIN;
	if (cxl) {
		action = cmd.payload.data[0];
		assume(action <= CXL_FW_ABORT); /* the others are reserved */
		device_takes_firmware(action);
		begins = (action == CXL_FW_INITIATE && sent != FWA_SENT_FAILED) ||
			 (action == CXL_FW_CONTINUE && sent == FWA_SENT_DONE);
		ends = (sent == FWA_SENT_DONE && !begins) ||
		       (sent == FWA_SENT_FAILED && says_nothing(action));
	} else if (nvme) {
		assume(cmd.opcode != NVME_OP_FW_COMMIT || action_of_commit() < 4 ||
		       action_of_commit() > 5); /* reserved */
		device_takes_nvme();
		begins = cmd.opcode == NVME_OP_FW_DOWNLOAD && sent != FWA_SENT_FAILED;
		ends = cmd.opcode == NVME_OP_FW_COMMIT && sent == FWA_SENT_DONE;
	}
	fwa_firmware_follow(&f, &cmd, sent, code);
	prove(implies(device.holds, f.running));
	prove(implies(begins, f.running && f.set == cmd.set));
	prove(implies(f.running && !before.running, begins));
	prove(implies(before.running && !f.running, ends));
	prove(implies(cxl, f.running == (begins || (before.running && !ends))));
	witness(device.holds && f.running && !before.running && cxl);
	witness(device.holds && f.running && !before.running && nvme);
	witness(before.running && !f.running && sent == FWA_SENT_FAILED);
}

/* An abort is built exactly when there is something to abort; and it ends it, or shows that it ended.
 * proof: core/transfer.c; without; --unwind 17 --unwindset memset.0:129 */
void prove_firmware_abort(void)
{
	uint8_t *payload = bytes_of(CXL_TRANSFER_FW_HEADER_LEN);
	struct fwa_firmware f, g;
	bool yes;

	f = (struct fwa_firmware){ nondet_bool(), nondet_u8() };
	forget(cmd);
	g = f;
	yes = fwa_firmware_abort(&f, payload, &cmd);
	prove(yes == (f.running && f.set == FWA_SET_CXL));
	if (!yes)
		return;
	prove(cmd.set == FWA_SET_CXL && cmd.opcode == CXL_OP_TRANSFER_FW && !cmd.nsid);
	prove(cmd.payload.data == payload && cmd.payload.len == CXL_TRANSFER_FW_HEADER_LEN);
	prove(payload[0] == CXL_FW_ABORT);
	fwa_firmware_follow(&f, &cmd, FWA_SENT_DONE, CXL_RC_SUCCESS);
	fwa_firmware_follow(&g, &cmd, FWA_SENT_FAILED, CXL_RC_INVALID_INPUT);
	prove(!f.running && !g.running);
	witness(yes);
}

/* --- background work: NVM Express Base 2.0, 5.16.1.7 and 5.16.1.25 ----------------------------- */

/* Pages of any length and content: nothing outside them is read; it runs exactly when they say so.
 * proof: core/background.c; without; --unwind 7 */
void prove_background(void)
{
	uint16_t opcode = nondet_u16();
	size_t len = nondet_size();
	struct fwa_span page;
	uint8_t percent;
	enum fwa_work work;
	bool asked, runs;

	assume(len <= 1024);
	page = fwa_span(bytes_of(len), len);
	asked = fwa_background_ask(opcode, &cmd);
	prove(asked == (opcode == 0x14 || opcode == 0x84));
	prove(implies(asked, cmd.set == FWA_SET_NVME_ADMIN && cmd.opcode == 2 && !cmd.payload.len));
	work = fwa_background_answer(opcode, page, &percent);
	prove((work == FWA_WORK_UNKNOWN) == (!asked || len < 4));
	prove(percent <= 100 || percent == FWA_PERCENT_UNKNOWN);
	prove(implies(work != FWA_WORK_RUNS, percent == FWA_PERCENT_UNKNOWN));
	if (work == FWA_WORK_UNKNOWN)
		return;
	runs = opcode == 0x14 ? page.data[0] & 0xf : (page.data[2] & 7) == 2;
	prove((work == FWA_WORK_RUNS) == runs);
	witness(runs && opcode == 0x14 && percent == 100);
	witness(runs && opcode == 0x84 && percent == 99);
}
