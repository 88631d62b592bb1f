/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pattern on media that shows whether it was erased: at the places that a plan (observe.h) looks at, each
 * with other bytes, none of them zero.
 *
 * A device that lets nobody at its media, or does not say how large it is, gets none.
 */
#include <errno.h>
#include <string.h>

#include "verify/sample.h"
#include "verify/target.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define CAPACITY 0x10 /* in Identify Memory Device, in units of 256 MiB */
#define UNIT_SHIFT 28

#define NAMESPACE_SIZE 0 /* in Identify Namespace, blocks */

static void fill(uint8_t *buf, size_t len, uint64_t place)
{
	uint32_t x = (uint32_t)(place >> 6) * 2654435761u | 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(x >> 24) | 1;
	}
}

static bool is_fatal(int r)
{
	return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO;
}

/* What @cmd returns of at least @len bytes into t->reply: 1, 0 for an error of the device's, negative errno. */
static int ask(struct vfy_target *t, struct fwa_command *cmd, uint32_t len)
{
	struct fwa_reply reply = { .out = t->reply, .out_cap = cmd->out_len };
	struct fwa_declared declared;
	int r;

	if (!fwa_profile_declared(t->profile, cmd->set, cmd->opcode, &declared) || declared.effects)
		return 0;
	memset(t->reply, 0, cmd->out_len);
	r = vfy_target_submit(t, cmd, &reply);
	if (r < 0)
		return is_fatal(r) ? r : 0;
	return reply.code == 0 && reply.out_len >= len;
}

/* --- CXL -------------------------------------------------------------------------------------------- */

static int write_lines(struct vfy_target *t, uint64_t lines)
{
	uint8_t line[CXL_DPA_ALIGN];

	for (unsigned int i = 0; i < VFY_SAMPLE_LINES; i++) {
		uint64_t at = vfy_sample_line(lines, i) * CXL_DPA_ALIGN;
		int r;

		fill(line, sizeof(line), at);
		r = t->dev->ops->poke(t->dev, FWA_REGION_MEDIA, at, fwa_span(line, sizeof(line)));
		if (r < 0)
			return is_fatal(r) ? r : 0;
	}
	return 0;
}

static int write_cxl(struct vfy_target *t)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .scope = FWA_SCOPE_LEAST,
				   .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE,
				   .out_len = t->dev->payload_max };
	uint64_t units;
	int r;

	if (!t->dev->ops->poke)
		return 0;
	r = ask(t, &cmd, CXL_IDENTIFY_MEMORY_LEN);
	if (r <= 0)
		return r;
	units = fwa_le64(t->reply + CAPACITY);
	if (!units || units > UINT64_MAX >> UNIT_SHIFT)
		return 0;
	return write_lines(t, (units << UNIT_SHIFT) / CXL_DPA_ALIGN);
}

/* --- NVMe ------------------------------------------------------------------------------------------- */

/* 1, 0 when the device refuses, negative errno. */
static int write_block(struct vfy_target *t, const struct fwa_namespace *ns, uint64_t lba)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_IO,
				   .scope = FWA_SCOPE_LEAST,
				   .opcode = NVME_OP_WRITE,
				   .nsid = ns->nsid,
				   .cdw = { (uint32_t)lba, (uint32_t)(lba >> 32) },
				   .payload = fwa_span(t->reply, ns->block_size) };
	struct fwa_reply reply = { .out = t->reply };
	int r;

	fill(t->reply, cmd.payload.len, lba * ns->block_size);
	r = vfy_target_submit(t, &cmd, &reply);
	if (r < 0)
		return is_fatal(r) ? r : 0;
	return reply.code == 0;
}

static int write_namespace(struct vfy_target *t, const struct fwa_namespace *ns)
{
	struct fwa_command identify = { .set = FWA_SET_NVME_ADMIN,
					.scope = FWA_SCOPE_LEAST,
					.opcode = NVME_OP_IDENTIFY,
					.nsid = ns->nsid,
					.cdw = { NVME_CNS_NAMESPACE },
					.out_len = NVME_IDENTIFY_LEN };
	uint64_t at[VFY_SAMPLE_BLOCKS];
	size_t n;
	int r;

	if (!ns->block_size || ns->block_size > FWA_COMMAND_DATA_MAX)
		return 0;
	r = ask(t, &identify, NVME_IDENTIFY_LEN);
	if (r <= 0)
		return r;
	n = vfy_sample_blocks(fwa_le64(t->reply + NAMESPACE_SIZE), at);
	for (size_t i = 0; i < n && r > 0; i++)
		r = write_block(t, ns, at[i]);
	return r < 0 ? r : 0;
}

static int write_nvme(struct vfy_target *t)
{
	struct fwa_span list = t->profile->namespaces;
	struct fwa_declared declared;
	struct fwa_namespace ns;
	int r = 0;

	if (!fwa_profile_declared(t->profile, FWA_SET_NVME_IO, NVME_OP_WRITE, &declared))
		return 0;
	for (size_t at = 0; at + 8 <= list.len && r == 0; at += 8)
		if (fwa_profile_namespace(t->profile, fwa_le32(list.data + at), &ns))
			r = write_namespace(t, &ns);
	return r;
}

int vfy_target_write_pattern(struct vfy_target *t)
{
	return t->dev->is_nvme ? write_nvme(t) : write_cxl(t);
}
