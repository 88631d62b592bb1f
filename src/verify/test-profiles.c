/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/test-profiles.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/uuid.h"
#include "transport/transport.h"
#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static void make(struct test_profile *p)
{
	p->encoded = malloc(FWA_PROFILE_MAX);
	p->profile = calloc(1, sizeof(*p->profile));
	if (!p->encoded || !p->profile)
		abort();
}

void test_profile_clear(struct test_profile *p)
{
	free(p->encoded);
	free(p->profile);
}

bool test_profile_of(struct test_profile *p, const char *spec)
{
	struct fwa_open_args args = { .spec = spec, .fd = -1 };
	char error[FWA_ERROR_LEN];
	struct fwa_device *dev;
	struct fwa_writer w;
	int r;

	make(p);
	if (fwa_device_open(&args, &dev) < 0) {
		fprintf(stderr, "%s\n", args.error);
		return false;
	}
	w = fwa_writer(p->encoded, FWA_PROFILE_MAX);
	r = fwa_profile_read(dev, &w, error);
	fwa_device_close(dev);
	return r == 0 && fwa_profile_parse(p->profile, fwa_span(p->encoded, w.len)) == 0;
}

/* --- random ones ---------------------------------------------------------------------------------- */

static uint8_t bytes[1 << 18];

/* Few bits, none, or any. */
static uint32_t word(struct vfy_random *r)
{
	switch (vfy_random_below(r, 4)) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)vfy_random(r);
	default:
		return (uint32_t)(vfy_random(r) & vfy_random(r) & vfy_random(r));
	}
}

/* Each command that the model knows with one chance of two, and some others. */
static struct fwa_span cel(struct vfy_random *r)
{
	struct fwa_writer w = fwa_writer(bytes, sizeof(bytes));
	const struct fwa_model_command *row;

	for (size_t i = 0; (row = fwa_model_row(FWA_SET_CXL, i)); i++)
		if (vfy_random(r) & 1) {
			fwa_write_le16(&w, row->opcode);
			fwa_write_le16(&w, (uint16_t)word(r));
		}
	for (uint32_t n = vfy_random_below(r, 20); n; n--) {
		fwa_write_le16(&w, (uint16_t)vfy_random(r));
		fwa_write_le16(&w, (uint16_t)word(r));
	}
	return fwa_span(bytes, w.len);
}

/* UUIDs that the model knows, or not. */
static void write_uuid(struct fwa_writer *w, struct vfy_random *r, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(FWA_SET_CXL, opcode);
	uint8_t uuid[FWA_UUID_LEN];

	vfy_random_fill(r, uuid, sizeof(uuid));
	if (vfy_random(r) & 1)
		memcpy(uuid, row->select->all[vfy_random_below(r, row->select->n_all)].uuid,
		       sizeof(uuid));
	fwa_write_bytes(w, uuid, sizeof(uuid));
}

static struct fwa_span logs(struct vfy_random *r)
{
	struct fwa_writer w = fwa_writer(bytes, sizeof(bytes));

	for (uint32_t n = vfy_random_below(r, 9); n; n--) {
		write_uuid(&w, r, CXL_OP_GET_LOG);
		fwa_write_le32(&w, word(r));
	}
	return fwa_span(bytes, w.len);
}

static struct fwa_span features(struct vfy_random *r)
{
	struct fwa_writer w = fwa_writer(bytes, sizeof(bytes));

	for (uint32_t n = vfy_random_below(r, 9), i = 0; i < n; i++) {
		write_uuid(&w, r, CXL_OP_GET_FEATURE);
		fwa_write_le16(&w, (uint16_t)i);
		fwa_write_le16(&w, (uint16_t)word(r));
		fwa_write_le16(&w, (uint16_t)word(r));
		fwa_write_le32(&w, (uint32_t)vfy_random(r));
		fwa_write_le16(&w, (uint16_t)word(r));
		fwa_write_le16(&w, (uint16_t)word(r));
		fwa_write_room(&w, 18);
	}
	return fwa_span(bytes, w.len);
}

static struct fwa_span limits(struct vfy_random *r)
{
	fwa_put_le32(bytes, vfy_random(r) & 1 ? 1u << vfy_random_below(r, 21) : word(r) & 0xfffff);
	fwa_put_le32(bytes + 4, word(r));
	return fwa_span(bytes, 8);
}

static struct fwa_span effects(struct vfy_random *r)
{
	for (size_t at = 0; at < NVME_EFFECTS_LEN; at += 4)
		fwa_put_le32(bytes + at, vfy_random(r) & 1 ? word(r) | 1 : 0);
	return fwa_span(bytes, NVME_EFFECTS_LEN);
}

static struct fwa_span ids(struct vfy_random *r)
{
	for (size_t at = 0; at < NVME_IDS_LEN; at += 4)
		fwa_put_le32(bytes + at, word(r));
	return fwa_span(bytes, NVME_IDS_LEN);
}

static struct fwa_span namespaces(struct vfy_random *r)
{
	struct fwa_writer w = fwa_writer(bytes, sizeof(bytes));

	for (uint32_t n = vfy_random_below(r, 5); n; n--) {
		fwa_write_le32(&w, vfy_random(r) & 1 ? n : word(r));
		fwa_write_u8(&w, (uint8_t)(9 + vfy_random_below(r, 9)));
		fwa_write_u8(&w, 0);
		fwa_write_le16(&w, vfy_random(r) & 1 ? 0 : (uint16_t)word(r));
	}
	return fwa_span(bytes, w.len);
}

static void add_cxl(struct fwa_writer *w, struct vfy_random *r)
{
	fwa_profile_add(w, FWA_RECORD_CXL_CEL, cel(r));
	if (!vfy_random_below(r, 8))
		fwa_profile_add(w, FWA_RECORD_CXL_CEL_AGAIN, cel(r));
	fwa_profile_add(w, FWA_RECORD_CXL_LOGS, logs(r));
	fwa_profile_add(w, FWA_RECORD_CXL_FEATURES, features(r));
	if (vfy_random(r) & 3)
		fwa_profile_add(w, FWA_RECORD_CXL_LIMITS, limits(r));
}

static void add_nvme(struct fwa_writer *w, struct vfy_random *r)
{
	fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS, effects(r));
	if (!vfy_random_below(r, 8))
		fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS_AGAIN, effects(r));
	fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES, namespaces(r));
	if (vfy_random(r) & 1)
		fwa_profile_add(w, FWA_RECORD_NVME_LOGS, ids(r));
	if (vfy_random(r) & 1)
		fwa_profile_add(w, FWA_RECORD_NVME_FEATURES, ids(r));
}

void test_profile_random(struct test_profile *p, uint64_t seed)
{
	struct vfy_random r = { seed };
	struct fwa_writer w;

	make(p);
	w = fwa_writer(p->encoded, FWA_PROFILE_MAX);
	fwa_profile_begin(&w, seed & 1 ? FWA_FAMILY_CXL : FWA_FAMILY_NVME);
	if (seed & 1)
		add_cxl(&w, &r);
	else
		add_nvme(&w, &r);
	if (fwa_profile_parse(p->profile, fwa_span(p->encoded, w.len)) < 0)
		abort();
}
