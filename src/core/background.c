/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NVM Express Base 2.0: Device Self-test log page 5.16.1.7, Sanitize Status log page 5.16.1.25.
 */
#include "core/background.h"

#include "wire/nvme.h"

/* Both log pages say all that is needed in their first dword. */
#define ASK_LEN 4u

bool fwa_background_ask(uint16_t opcode, struct fwa_command *ret)
{
	uint32_t lid;

	if (opcode == NVME_OP_SELF_TEST)
		lid = NVME_LID_SELF_TEST;
	else if (opcode == NVME_OP_SANITIZE)
		lid = NVME_LID_SANITIZE | NVME_LOG_RETAIN;
	else
		return false;
	*ret = (struct fwa_command){ .set = FWA_SET_NVME_ADMIN,
				     .scope = FWA_SCOPE_LEAST,
				     .opcode = NVME_OP_GET_LOG_PAGE,
				     .nsid = NVME_NSID_ALL,
				     .cdw = { lid | (ASK_LEN / 4 - 1) << 16 },
				     .out_len = ASK_LEN };
	return true;
}

static enum fwa_work self_test(const uint8_t *page, uint8_t *ret_percent)
{
	unsigned int percent = page[1] & 0x7f;

	if (!(page[0] & NVME_SELF_TEST_CODE))
		return FWA_WORK_OVER;
	*ret_percent = (uint8_t)(percent <= 100 ? percent : FWA_PERCENT_UNKNOWN);
	return FWA_WORK_RUNS;
}

static enum fwa_work sanitize(const uint8_t *page, uint8_t *ret_percent)
{
	if ((page[2] & NVME_SANITIZE_STATUS) != NVME_SANITIZE_RUNS)
		return FWA_WORK_OVER;
	*ret_percent = (uint8_t)(fwa_le16(page) * 100u / 65536);
	return FWA_WORK_RUNS;
}

/*= spec/SECURITY-MODEL.md#C25 */
enum fwa_work fwa_background_answer(uint16_t opcode, struct fwa_span page, uint8_t *ret_percent)
{
	*ret_percent = FWA_PERCENT_UNKNOWN;
	if (page.len < ASK_LEN)
		return FWA_WORK_UNKNOWN;
	if (opcode == NVME_OP_SELF_TEST)
		return self_test(page.data, ret_percent);
	return opcode == NVME_OP_SANITIZE ? sanitize(page.data, ret_percent) : FWA_WORK_UNKNOWN;
}
