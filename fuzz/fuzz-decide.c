/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log, a right, a state and a command out of the fuzzer's bytes. What is admitted must have been
 * declared by the raw log, within the right, and of no effect that is never admitted.
 */
#include <stdlib.h>

#include "core/decide.h"
#include "core/transfer.h"
#include "fuzz/fuzz.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static struct fwa_profile profile;
static uint8_t encoded[1 << 20];

static void check(const struct fwa_decision *d, const struct fwa_rights *rights,
		  const struct fwa_command *cmd, const struct fwa_contract *contract)
{
	const struct fwa_right *r = &rights->right[0];
	struct fwa_declared raw;

	if (!fwa_admitted(d))
		return;
	if (contract->quarantine || contract->rate_over & 1 || contract->seats_over & 1 ||
	    !rights->n)
		abort();
	if (d->scope < d->required || d->scope > r->scope || d->effects & ~r->effects ||
	    d->effects & FWA_EFFECTS_NEVER)
		abort();
	if (contract->journal == FWA_JOURNAL_DOWN || contract->journal >= FWA_JOURNAL_COUNT ||
	    (contract->journal == FWA_JOURNAL_DOWN_EFFECTS && fwa_may_change(d)))
		abort();
	/* by all ones nobody sets a Feature but the one of his own transfer */
	if (contract->mode == FWA_MODE_STRICT && cmd->opcode == CXL_OP_SET_FEATURE &&
	    cmd->set == FWA_SET_CXL && fwa_transfer_named(cmd->payload.data) &&
	    contract->transfer != FWA_TRANSFER_OWN)
		abort();
	if (cmd->set == FWA_SET_CXL && !fwa_cel_declared(profile.cel, cmd->opcode, &raw))
		abort();
}

/* A page of 256 entries that begins with @bytes; the rest is listed, without effects. */
static struct fwa_span ids(struct fwa_span bytes)
{
	static uint8_t page[NVME_IDS_LEN];

	for (size_t at = 0; at < sizeof(page); at += 4)
		fwa_put_le32(page + at, 1);
	if (bytes.len)
		memcpy(page, bytes.data, bytes.len < sizeof(page) ? bytes.len : sizeof(page));
	return fwa_span(page, sizeof(page));
}

/* Other declarations were accepted; or none at all, where some are required. */
static void hold_to_others(struct fwa_contract *contract, const struct fwa_span records[5])
{
	static uint8_t accepted[1 << 16];
	static struct fwa_profile baseline;
	static struct fwa_drift drift;
	struct fwa_writer w = fwa_writer(accepted, sizeof(accepted));

	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, records[1]);
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, records[0]);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, records[3]);
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, ids(records[1]));
	drift.baseline = NULL;
	if (fwa_profile_parse(&baseline, fwa_span(accepted, w.len)) == 0)
		drift.baseline = &baseline;
	contract->drift = &drift;
}

/* What is admitted needs no remedy, and what is refused passes by the one that is named. */
static void check_remedy(const struct fwa_contract *contract, const struct fwa_rights *rights,
			 const struct fwa_command *cmd, const struct fwa_decision *d)
{
	struct fwa_remedy r = fwa_remedy(contract, rights, &profile, cmd, 0);
	struct fwa_contract c = *contract;
	struct fwa_rights enough = *rights;
	struct fwa_command asked = *cmd;
	struct fwa_decision then;

	if (fwa_admitted(d) && (!r.possible || r.ask || r.grant || r.wait || r.accept || r.release))
		abort();
	if (!r.possible)
		return;
	if (r.ask)
		asked.scope = r.scope;
	if (r.grant)
		enough.right[0] = (struct fwa_right){ .scope = r.scope, .effects = r.effects };
	if (r.grant || r.wait)
		c.rate_over = c.seats_over = 0;
	if (r.accept)
		c.drift = NULL;
	if (r.release)
		c.quarantine = FWA_QUARANTINE_NONE;
	if (r.wait) {
		c.leased = c.firmware_leased = false;
		c.journal = FWA_JOURNAL_OK;
		c.transfer = c.transfer == FWA_TRANSFER_OWN ? c.transfer : FWA_TRANSFER_NONE;
	}
	then = fwa_decide(&c, &enough, &profile, &asked, 0);
	if (!fwa_admitted(&then))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	struct fwa_rights rights = { .n_matched = 1, .n = 1 };
	struct fwa_command cmd = { .set = fwa_read_u8(&in) % 4,
				   .scope = fwa_read_u8(&in),
				   .opcode = fwa_read_le16(&in),
				   .nsid = fwa_read_u8(&in) };
	uint8_t flags = fwa_read_u8(&in);
	struct fwa_contract contract = {
		.mode = flags & 1,
		.lockdown = flags & 2,
		.quarantine = (flags & 0x0c) == 0x0c ? flags >> 4 : 0,
		.seats_over = (flags & 0x30) == 0x30,
		.leased = flags & 0x40,
		.not_to_abort = flags & 0x20,
		.firmware_leased = flags & 0x10,
		.rate_over = flags & 0x80 && flags & 1,
	};
	uint8_t pages = fwa_read_u8(&in), mask = fwa_read_u8(&in);
	struct fwa_span records[5];
	struct fwa_decision d;

	contract.transfer = pages >> 2 & 3;
	contract.journal = mask & 1 ? mask >> 1 : FWA_JOURNAL_OK;
	memset(contract.transfer_uuid, pages >> 4, sizeof(contract.transfer_uuid));
	rights.right[0].scope = fwa_read_u8(&in) % 4;
	rights.right[0].effects = fwa_read_le32(&in) & FWA_EFFECTS_GRANTABLE;
	contract.advisory = fwa_read_le32(&in) & fwa_read_le32(&in);
	for (int i = 0; i < 6; i++)
		cmd.cdw[i] = flags & 4 ? fwa_read_le32(&in) : 0;
	cmd.out_len = fwa_read_le16(&in);
	cmd.payload = fwa_read_span(&in, fwa_read_le16(&in) % 300);
	for (int i = 0; i < 4; i++)
		records[i] = fwa_read_span(&in, fwa_read_le16(&in) % 1024);
	records[4] = fwa_span(in.at, in.left);
	if (in.bad)
		return 0;
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, records[0]);
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, records[1]);
	if (records[2].len >= 8)
		fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(records[2].data, 8));
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, records[3]);
	if (pages & 1)
		fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, ids(records[2]));
	if (pages & 2)
		fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, ids(records[3]));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, records[4]);
	if (fwa_profile_parse(&profile, fwa_span(encoded, w.len)) < 0)
		return 0;
	if (flags & 0x08)
		hold_to_others(&contract, records);
	d = fwa_decide(&contract, &rights, &profile, &cmd, 0);
	check(&d, &rights, &cmd, &contract);
	check_remedy(&contract, &rights, &cmd, &d);
	return 0;
}
