/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the decision is told of advisories.
 */
#include "base/uuid.h"
#include "core/decide.h"
#include "core/transfer.h"
#include "wire/cxl.h"

/* The Feature of the caller's own transfer, where @cmd goes on with it under the name of all ones. */
static const uint8_t *feature_in_transfer(const struct fwa_contract *c,
					  const struct fwa_command *cmd)
{
	bool set = cmd->set == FWA_SET_CXL && cmd->opcode == CXL_OP_SET_FEATURE;

	return set && c->transfer == FWA_TRANSFER_OWN && cmd->payload.len >= FWA_UUID_LEN &&
			       fwa_transfer_named(cmd->payload.data)
		       ? c->transfer_uuid
		       : NULL;
}

/*= spec/SECURITY-MODEL.md#C33 */
void fwa_contract_advise(struct fwa_contract *contract, const struct fwa_advice *advice,
			 const struct fwa_command *cmd, uint64_t now, uint32_t *ret_entry)
{
	contract->advisory =
		fwa_advice_effects(advice, cmd, feature_in_transfer(contract, cmd), now, ret_entry);
}
