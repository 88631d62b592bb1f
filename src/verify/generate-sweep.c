/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep: opcodes that the device does not declare, so that none of them should be answered. Each is
 * sent with no payload first, then with zeroes of some lengths; NVMe commands with a page, for the
 * namespaces none, the first, and all.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/nvme.h"

#define OPCODES 1024u /* of one experiment */

static const uint32_t cxl_lens[] = { 0, 4, 16, 64 };
static const uint32_t nvme_nsids[] = { 0, 1, NVME_NSID_ALL };

#define CXL_ROUNDS (sizeof(cxl_lens) / sizeof(cxl_lens[0]))
#define NVME_ROUNDS (sizeof(nvme_nsids) / sizeof(nvme_nsids[0]))
#define CXL_BLOCKS (65536u / OPCODES)
#define NVME_BLOCKS 2u

static unsigned int rounds(const struct vfy_generator *g)
{
	return g->nvme ? NVME_ROUNDS : CXL_ROUNDS;
}

/* Of one block. */
static unsigned int opcodes(const struct vfy_generator *g)
{
	return g->nvme ? 256 : OPCODES;
}

static unsigned int blocks(const struct vfy_generator *g)
{
	return g->nvme ? NVME_BLOCKS : CXL_BLOCKS;
}

static bool is_swept(const struct vfy_generator *g, uint8_t set, uint16_t opcode)
{
	struct fwa_declared ignored;

	return vfy_gen_wanted(g, set, opcode) &&
	       !fwa_profile_declared(g->profile, set, opcode, &ignored);
}

/* Block @block's opcode @i. */
static uint16_t opcode_of(const struct vfy_generator *g, unsigned int block, unsigned int i,
			  uint8_t *ret_set)
{
	*ret_set = FWA_SET_CXL;
	if (!g->nvme)
		return (uint16_t)(block * OPCODES + i);
	*ret_set = block ? FWA_SET_NVME_IO : FWA_SET_NVME_ADMIN;
	return (uint16_t)i;
}

static int plan(struct vfy_generator *g)
{
	uint64_t n = 0;

	for (unsigned int block = 0; block < blocks(g); block++)
		for (unsigned int i = 0; i < opcodes(g); i++) {
			uint8_t set;
			uint16_t opcode = opcode_of(g, block, i, &set);

			n += is_swept(g, set, opcode);
		}
	g->planned[VFY_PHASE_SWEEP] = n * rounds(g);
	return 0;
}

static struct vfy_step make(struct vfy_generator *g, uint8_t set, uint16_t opcode,
			    unsigned int round)
{
	struct vfy_step step = {
		.kind = VFY_COMMAND, .set = set, .opcode = opcode, .payload = g->data
	};

	if (!g->nvme) {
		step.payload_len = vfy_least(cxl_lens[round], g->mailbox);
	} else {
		step.nsid = nvme_nsids[round];
		if (NVME_DIR(opcode) & NVME_DIR_FROM_DEVICE)
			step.out_len = NVME_PAGE_LEN;
		else if (NVME_DIR(opcode) == NVME_DIR_TO_DEVICE)
			step.payload_len = NVME_PAGE_LEN;
	}
	memset(g->data, 0, step.payload_len);
	return step;
}

static bool fill(struct vfy_generator *g, uint64_t job)
{
	unsigned int round = (unsigned int)(job / blocks(g));
	unsigned int block = (unsigned int)(job % blocks(g));

	if (round >= rounds(g))
		return false;
	vfy_burst_begin(g, OPCODES, OPCODES);
	for (unsigned int i = 0; i < opcodes(g); i++) {
		uint8_t set;
		uint16_t opcode = opcode_of(g, block, i, &set);
		struct vfy_step step = make(g, set, opcode, round);

		if (is_swept(g, set, opcode))
			vfy_burst_add(g, &step, VFY_NO_FORM);
	}
	g->burst.units = g->burst.steps.n;
	return true;
}

const struct vfy_phase_ops vfy_phase_sweep = { .unit = "opcodes by length",
					       .plan = plan,
					       .fill = fill };
