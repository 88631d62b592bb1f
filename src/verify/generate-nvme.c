/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe commands: dwords, and lengths that say the same as they do (NVM Express Base 2.0, NVM Command Set
 * 1.1). Set Features always comes with a page of data and Get Features with room for one, whether or not
 * the feature has a data structure: a controller that wants none looks at neither.
 */
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/nvme.h"

#define OP_NS_MGMT 0x0d
#define OP_NS_ATTACH 0x15
#define OP_FORMAT 0x80
#define OP_DIRECTIVE_SEND 0x19
#define OP_DIRECTIVE_RECV 0x1a

#define IO_WRITE 0x01
#define IO_READ 0x02
#define IO_DSM 0x09
#define IO_COPY 0x19
#define IO_MGMT_SEND 0x1d

#define BLOCKS_MAX 8u

/* --- what the profile and the answers say ---------------------------------------------------------- */

/* Bytes of a block of the namespace; 0: unknown. */
static uint32_t block_size(const struct vfy_make *m)
{
	struct fwa_namespace ns;

	if (!fwa_profile_namespace(m->g->profile, m->choice->nsid, &ns) || ns.metadata)
		return 0;
	return ns.block_size;
}

uint64_t vfy_nvme_blocks(const struct vfy_generator *g, uint32_t nsid)
{
	struct vfy_choice like = { .nsid = nsid, .cdw10 = NVME_CNS_NAMESPACE };
	uint64_t n = vfy_fact(g, FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, &like, 0, 8, 1024);

	return n ? n : 1;
}

static uint64_t blocks_of(const struct vfy_make *m)
{
	return vfy_nvme_blocks(m->g, m->choice->nsid);
}

uint32_t vfy_nvme_format(const struct vfy_generator *g, uint32_t nsid)
{
	struct vfy_choice like = { .nsid = nsid, .cdw10 = NVME_CNS_NAMESPACE };
	uint64_t flbas =
		vfy_fact(g, FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, &like, NVME_ID_NS_FLBAS, 1, 0);

	return (uint32_t)(flbas & 0xf) | (uint32_t)(flbas & 0x60) << 7;
}

/* First block, last, second, middle, any. */
static uint64_t block_at(const struct vfy_make *m, uint64_t count)
{
	uint64_t n = blocks_of(m), last = n > count ? n - count : 0;

	switch (m->variation) {
	case 0:
		return 0;
	case 1:
		return last;
	case 2:
		return last ? 1 : 0;
	case 3:
		return last / 2;
	default:
		return vfy_random(m->random) % (last + 1);
	}
}

/* --- admin ----------------------------------------------------------------------------------------- */

static bool get_log_page(struct vfy_make *m)
{
	static const uint32_t lens[] = { 512, 4096 };
	uint8_t lid = (uint8_t)m->choice->cdw10;
	uint32_t dwords;

	if (m->variation > 1)
		return false;
	m->step->out_len = lid == NVME_LID_EFFECTS ? NVME_EFFECTS_LEN : lens[m->variation];
	dwords = m->step->out_len / 4 - 1;
	m->step->cdw[0] = dwords << 16;
	m->step->cdw[1] = dwords >> 16;
	return true;
}

static bool identify(struct vfy_make *m)
{
	m->step->out_len = NVME_IDENTIFY_LEN;
	return m->variation == 0;
}

static bool get_features(struct vfy_make *m)
{
	m->step->out_len = NVME_PAGE_LEN;
	return m->variation == 0;
}

static bool set_features(struct vfy_make *m)
{
	struct vfy_choice like = { .nsid = m->choice->nsid,
				   .has_op = true,
				   .cdw10 = m->choice->cdw10 & 0xff };
	const struct vfy_form *now =
		vfy_taken(m->g, FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES, &like);
	uint32_t value = now ? now->result : 0;
	const uint32_t values[VFY_VARIATIONS] = {
		value ^ 1,
		value + 1,
		0,
		1,
		value,
		value ^ (1u << vfy_random_below(m->random, 32)),
		(uint32_t)vfy_random(m->random) & 0xffff,
		UINT32_MAX,
	};

	if (!vfy_make_len(m, NVME_PAGE_LEN))
		return false;
	m->step->cdw[1] = values[m->variation % VFY_VARIATIONS];
	/* of data structures the beginning will do */
	vfy_make_fill(m, 0, VFY_HEAD, now ? now->head : NULL, now ? now->head_len : 0);
	return true;
}

static bool fw_download(struct vfy_make *m)
{
	uint32_t len = m->variation == 2 ? 4 : 4096;

	if (m->variation > 3 || !vfy_make_len(m, len))
		return false;
	m->step->cdw[0] = len / 4 - 1;
	m->step->cdw[1] = m->variation == 1 ? 4096 / 4 : 0;
	vfy_random_fill(m->random, m->step->payload, len);
	return true;
}

/* Slots 1 to 7, and 0: the controller chooses. */
static bool fw_commit(struct vfy_make *m)
{
	m->step->cdw[0] = (m->variation + 2) % 8;
	return true;
}

static bool self_test(struct vfy_make *m)
{
	return m->variation == 0;
}

/* Delete takes no data, and no harm from some that is there. */
static bool ns_mgmt(struct vfy_make *m)
{
	if (m->variation > 1 || !vfy_make_len(m, NVME_PAGE_LEN))
		return false;
	fwa_put_le64(m->step->payload, 2048u >> m->variation);
	fwa_put_le64(m->step->payload + 8, 2048u >> m->variation);
	return true;
}

/* A list of one controller. */
static bool ns_attach(struct vfy_make *m)
{
	if (m->variation > 1 || !vfy_make_len(m, NVME_PAGE_LEN))
		return false;
	fwa_put_le16(m->step->payload, 1);
	fwa_put_le16(m->step->payload + 2, (uint16_t)m->variation);
	return true;
}

/* Identify: which directives there are; streams, placement. */
static bool directive_recv(struct vfy_make *m)
{
	if (m->variation > 2)
		return false;
	m->step->out_len = 4096;
	m->step->cdw[0] = 4096 / 4 - 1;
	m->step->cdw[1] = 1 | m->variation << 8;
	return true;
}

/* Identify, enable or disable streams, placement. */
static bool directive_send(struct vfy_make *m)
{
	if (m->variation > 3 || !vfy_make_len(m, 4096))
		return false;
	m->step->cdw[0] = 4096 / 4 - 1;
	m->step->cdw[1] = 1;
	m->step->cdw[2] = (m->variation & 1) | (1 + m->variation / 2) << 8;
	return true;
}

/* In the format of blocks that it has: another one would make untrue what the profile says of blocks. */
static bool format_nvm(struct vfy_make *m)
{
	m->step->cdw[0] = vfy_nvme_format(m->g, m->choice->nsid);
	return m->variation == 0;
}

static bool sanitize(struct vfy_make *m)
{
	m->step->cdw[0] = m->variation ? 1u << 4 : 0; /* one pass */
	m->step->cdw[1] = m->variation ? 0xa5a5a5a5 : 0;
	return m->variation < 2;
}

static bool security_recv(struct vfy_make *m)
{
	m->step->out_len = 512;
	m->step->cdw[1] = 512;
	return m->variation == 0;
}

/* --- I/O ------------------------------------------------------------------------------------------- */

static bool is_data_in(uint16_t opcode)
{
	return NVME_DIR(opcode) == NVME_DIR_TO_DEVICE;
}

/* Write, Read, Compare and the like: CDW10 and 11 the block, CDW12 how many. */
static bool blocks(struct vfy_make *m, bool with_data)
{
	uint32_t size = block_size(m), count = m->variation < 4 ? 1 : BLOCKS_MAX;
	uint64_t at, len;

	if (!size || (m->row->opcode != IO_WRITE && m->variation > 3))
		return false;
	count = vfy_least(count, blocks_of(m));
	len = vfy_least((uint64_t)count * size, VFY_NVME_DATA_MAX);
	count = (uint32_t)(len / size);
	if (!count)
		return false;
	at = block_at(m, count);
	m->step->cdw[0] = (uint32_t)at;
	m->step->cdw[1] = (uint32_t)(at >> 32);
	m->step->cdw[2] = count - 1;
	if (!with_data)
		return true;
	if (!is_data_in(m->row->opcode)) {
		m->step->out_len = (uint32_t)len;
		return true;
	}
	if (!vfy_make_len(m, len))
		return false;
	vfy_make_fill(m, 0, (uint32_t)len, NULL, 0);
	return true;
}

/* One range: attributes, how many blocks, the first one. CDW11: idle, deallocate ... */
static bool dsm(struct vfy_make *m)
{
	if (!vfy_make_len(m, 16))
		return false;
	fwa_put_le32(m->step->payload + 4, 1);
	fwa_put_le64(m->step->payload + 8, block_at(m, 1));
	m->step->cdw[1] = m->variation & 1 ? 1u << (m->variation / 2) : 1u << 2;
	return true;
}

/* One range, to the last block; descriptor formats 0 and 1 (NVM Command Set 1.1, Figure 11). */
static bool copy(struct vfy_make *m)
{
	uint32_t format = m->variation & 1;
	uint64_t to = blocks_of(m) - 1;

	if (m->variation > 3 || !vfy_make_len(m, format ? 40 : 32))
		return false;
	fwa_put_le64(m->step->payload + 8, block_at(m, 1));
	m->step->cdw[0] = (uint32_t)to;
	m->step->cdw[1] = (uint32_t)(to >> 32);
	m->step->cdw[2] = format << 8;
	return true;
}

static bool placement_ids(struct vfy_make *m)
{
	m->step->cdw[0] = 1; /* update; one identifier */
	return m->variation < 2 && vfy_make_len(m, 2);
}

/* --- lengths by rule ------------------------------------------------------------------------------- */

#define READ_LEN 512u

/* Where a dword has the length of the data: so many, either way. */
static bool put_length(struct vfy_make *m, const struct fwa_rule *r)
{
	uint32_t *cdw = m->step->cdw;
	uint32_t len = vfy_least(READ_LEN, m->row->in_max ? m->row->in_max : m->row->out_max);

	switch (r->kind) {
	case FWA_RULE_LENGTH_CDW11:
		cdw[1] = len;
		break;
	case FWA_RULE_LENGTH_DWORDS_CDW10:
	case FWA_RULE_LENGTH_DWORDS_CDW11:
	case FWA_RULE_LENGTH_DWORDS_CDW12:
		cdw[r->kind - FWA_RULE_LENGTH_DWORDS_CDW10] = len / 4 - 1;
		break;
	default:
		return true;
	}
	if (!is_data_in(m->row->opcode)) {
		m->step->out_len = len;
		return true;
	}
	return vfy_make_len(m, len);
}

/* What the model's lengths and rules alone say: dwords that are zero, small, random. */
static bool make_by_length(struct vfy_make *m)
{
	const struct fwa_model_command *row = m->row;
	bool any = row->in_max == FWA_LENGTH_ANY || row->out_max == FWA_LENGTH_ANY;

	if (m->variation > 3)
		return false;
	if (is_data_in(row->opcode) && row->in_max &&
	    !vfy_make_len(m, row->in_min || !any ? row->in_min : READ_LEN))
		return false;
	if (!is_data_in(row->opcode) && row->out_max)
		m->step->out_len = row->out_min || !any ? row->out_min : READ_LEN;
	if (m->variation)
		for (int i = 3; i < 6; i++)
			m->step->cdw[i] =
				m->variation < 3 ? m->variation : (uint32_t)vfy_random(m->random);
	for (uint8_t i = 0; i < row->n_rules; i++)
		if (!put_length(m, &row->rules[i]))
			return false;
	if (m->step->payload_len)
		vfy_make_fill(m, 0, m->step->payload_len, NULL, 0);
	return true;
}

static const struct {
	uint16_t opcode;
	bool (*make)(struct vfy_make *m);
} admin[] = {
	{ NVME_OP_GET_LOG_PAGE, get_log_page },
	{ NVME_OP_IDENTIFY, identify },
	{ NVME_OP_SET_FEATURES, set_features },
	{ NVME_OP_GET_FEATURES, get_features },
	{ OP_NS_MGMT, ns_mgmt },
	{ NVME_OP_FW_COMMIT, fw_commit },
	{ NVME_OP_FW_DOWNLOAD, fw_download },
	{ NVME_OP_SELF_TEST, self_test },
	{ OP_NS_ATTACH, ns_attach },
	{ OP_DIRECTIVE_SEND, directive_send },
	{ OP_DIRECTIVE_RECV, directive_recv },
	{ OP_FORMAT, format_nvm },
	{ 0x82, security_recv },
	{ NVME_OP_SANITIZE, sanitize },
	{ 0x8c, sanitize },
};

static bool make_admin(struct vfy_make *m)
{
	for (size_t i = 0; i < sizeof(admin) / sizeof(admin[0]); i++)
		if (admin[i].opcode == m->row->opcode)
			return admin[i].make(m);
	return make_by_length(m);
}

static bool make_io(struct vfy_make *m)
{
	switch (m->row->opcode) {
	case 0x00: /* Flush */
		return m->variation == 0;
	case IO_WRITE:
	case IO_READ:
	case 0x05: /* Compare */
		return blocks(m, true);
	case 0x04: /* Write Uncorrectable */
	case 0x08: /* Write Zeroes */
	case 0x0c: /* Verify */
		return blocks(m, false);
	case IO_DSM:
		return dsm(m);
	case IO_COPY:
		return copy(m);
	case IO_MGMT_SEND:
		return placement_ids(m);
	default:
		return make_by_length(m);
	}
}

bool vfy_make_nvme(struct vfy_make *m)
{
	return m->row->set == FWA_SET_NVME_IO ? make_io(m) : make_admin(m);
}
