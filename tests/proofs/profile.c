/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles: the reference loop over the raw log, and namespaces. README.md says why not more.
 */
#include "core/profile.h"
#include "proof.h"
#include "wire/cxl.h"

#define ENTRIES 8

static struct fwa_span any_bytes(size_t max)
{
	size_t len = nondet_size();

	assume(len <= max);
	return fwa_span(bytes_of(len), len);
}

/* A log of up to eight entries and three odd bytes declares an opcode exactly when it lists it,
 * with the bits of all its entries (C6, C7).
 * proof: core/effects.c core/profile.c; without; --unwind 10 */
void prove_cel_declared(void)
{
	struct fwa_span log = any_bytes(4 * ENTRIES + 3);
	uint16_t opcode = nondet_u16(), word = 0;
	struct fwa_declared d, e;
	unsigned int n = 0;

	for (unsigned int i = 0; i < ENTRIES; i++)
		if (4 * i + 4 <= log.len && fwa_le16(log.data + 4 * i) == opcode) {
			word |= fwa_le16(log.data + 4 * i + 2);
			n++;
		}
	prove(fwa_cel_declared(log, opcode, &d) == (n > 0));
	e = fwa_cxl_declared(word);
	prove(implies(n, d.raw == word && d.reserved == e.reserved && d.effects == e.effects &&
				 d.attributes == e.attributes));
	witness(n == ENTRIES && d.effects & FWA_EFFECT_DATA);
}

/* Up to eight namespaces: the first with the number, and a block size of 2^9 to 2^16 or none.
 * proof: core/effects.c core/profile.c; without; --unwind 9 */
void prove_namespace(void)
{
	struct fwa_profile *p = profile_before(n_features);
	uint32_t nsid = nondet_u32();
	struct fwa_namespace ns;
	bool yes, listed = false;

	p->namespaces = any_bytes(64);
	assume(p->namespaces.len % 8 == 0); /* take_namespaces() */
	yes = fwa_profile_namespace(p, nsid, &ns);
	for (unsigned int i = 0; i < 8; i++)
		listed = listed || (8 * i < p->namespaces.len &&
				    fwa_le32(p->namespaces.data + 8 * i) == nsid);
	prove(yes == listed);
	prove(implies(yes, ns.nsid == nsid && (ns.block_size & (ns.block_size - 1)) == 0));
	prove(implies(yes && ns.block_size, ns.block_size >= 512 && ns.block_size <= 65536));
	witness(yes && ns.block_size == 4096);
}
