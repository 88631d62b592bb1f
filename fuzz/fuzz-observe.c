/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device out of the fuzzer's bytes: what it declares, and what it answers to whoever observes it. Whatever
 * it is, what is sent is a read, values stay in their places, what is the same is no change, what was learned
 * to say nothing accuses nobody, and who declares everything is not accused.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/decide.h"
#include "fuzz/fuzz.h"
#include "verify/judge.h"
#include "wire/nvme.h"

static struct fwa_profile profile;
static uint8_t encoded[1 << 20];

struct device {
	struct fwa_device dev;
	struct fwa_reader answers;
};

/* As long as there are bytes: how it fails, a code, a length and what it is filled with. */
static int answer(struct device *d, uint32_t cap, struct fwa_reply *reply)
{
	uint8_t how = fwa_read_u8(&d->answers);
	uint32_t len = fwa_read_le16(&d->answers);
	struct fwa_span head;

	reply->maybe_sent = true;
	if (how == 0xff)
		return -EPROTO;
	if (how == 0xfe)
		return -EOPNOTSUPP;
	if (how > 0xf0) /* but none that asks to come again: that takes time */
		reply->code = (how & 0xf) == 5 || (how & 0xf) == 6 ? 2 : how & 0xf;
	reply->result = how;
	len = len < cap ? len : cap;
	head = fwa_read_span(&d->answers, len < 64 ? len : 64);
	if (head.len)
		memcpy(reply->out, head.data, head.len);
	if (len > head.len)
		memset(reply->out + head.len, how, len - head.len);
	reply->out_len = len;
	return 0;
}

static int submit(void *userdata, const struct fwa_command *cmd, struct fwa_reply *reply)
{
	const struct fwa_contract ordinary = { 0 };
	struct fwa_decision d = fwa_decide(&ordinary, &fwa_rights_all, &profile, cmd, 0);
	struct device *dev = userdata;
	uint32_t cap = cmd->out_len < reply->out_cap ? cmd->out_len : reply->out_cap;

	if (!fwa_admitted(&d) || d.effects)
		abort();
	if (reply->out_cap > 1 &&
	    (reply->out[0] || memcmp(reply->out, reply->out + 1, reply->out_cap - 1)))
		abort(); /* a buffer that was not cleared */
	return answer(dev, cap, reply);
}

static int peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf, size_t len)
{
	struct fwa_reply reply = { .out = buf, .out_cap = (uint32_t)len };
	int r;

	memset(buf, 0, len);
	r = answer((struct device *)dev, (uint32_t)len, &reply);
	return r < 0 ? r : 0;
}

static const struct fwa_device_ops ops = { .peek = peek };

static const struct vfy_claim nothing, everything = { .declared = FWA_EFFECTS_ALL };

static fwa_effects undeclared(const struct vfy_plan *plan, const struct vfy_mask *mask,
			      const struct vfy_snapshot *a, const struct vfy_snapshot *b,
			      const struct vfy_claim *claim)
{
	static struct vfy_judgement j;

	vfy_judge(plan, mask, a, b, claim, 0, &j);
	for (uint32_t i = 0; i < j.n_changes && i < VFY_CHANGES_MAX; i++) {
		const struct vfy_change *c = &j.change[i];

		if (c->observable >= plan->n || c->first > c->last ||
		    (!c->reading && c->last >= plan->observable[c->observable].len) || !c->shown ||
		    c->shown & (c->shown - 1) || (!c->covered && !(j.undeclared & c->shown)))
			abort();
	}
	if (j.severity != vfy_severity_of(claim, j.undeclared) || (!j.n_changes && j.undeclared))
		abort();
	return j.undeclared;
}

/* Whether anything but what declares is told after all of it was learned. */
static void check_learned(const struct vfy_plan *plan, const struct vfy_snapshot *a,
			  const struct vfy_snapshot *b)
{
	static struct vfy_judgement j;
	struct vfy_mask mask;

	if (vfy_mask_make(&mask, plan) < 0)
		return;
	vfy_mask_learn(&mask, plan, a, b);
	if (vfy_mask_learn(&mask, plan, a, b))
		abort();
	vfy_judge(plan, &mask, a, b, &nothing, 0, &j);
	for (uint32_t i = 0; i < j.n_changes && i < VFY_CHANGES_MAX; i++) {
		const struct vfy_observe_row *row = plan->observable[j.change[i].observable].row;
		bool declares = false;

		for (uint8_t k = 0; k < row->n_fields; k++)
			declares |= row->field[k].kind == VFY_DECLARES;
		if (!declares)
			abort();
	}
	vfy_mask_clear(&mask);
}

static void watch(struct device *d, const struct vfy_plan *plan)
{
	struct vfy_snapshot s[3] = { 0 };
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = vfy_snapshot_make(&s[i], plan);
	for (int i = 0; i < 3 && r == 0; i++)
		r = vfy_observe(plan, &d->dev, submit, d, i == 2 ? &s[0] : NULL, &s[i]);
	for (int i = 0; i < 3 && r == 0; i++)
		for (size_t k = 0; k < plan->n; k++)
			if (s[i].value[k].len > plan->observable[k].len ||
			    s[i].value[k].at + plan->observable[k].len > plan->bytes)
				abort();
	if (r == 0) {
		if (undeclared(plan, NULL, &s[0], &s[0], &nothing) ||
		    undeclared(plan, NULL, &s[0], &s[1], &everything) ||
		    undeclared(plan, NULL, &s[1], &s[2], &everything))
			abort();
		undeclared(plan, NULL, &s[0], &s[2], &nothing);
		check_learned(plan, &s[0], &s[1]);
		check_learned(plan, &s[1], &s[2]);
	}
	for (int i = 0; i < 3; i++)
		vfy_snapshot_clear(&s[i]);
}

/* A page of 256 entries that begins with @bytes; of the rest some are listed, without effects. */
static struct fwa_span ids(struct fwa_span bytes)
{
	static uint8_t page[NVME_IDS_LEN];

	for (size_t at = 0; at < sizeof(page); at += 4)
		fwa_put_le32(page + at, at % 32 == 0);
	if (bytes.len)
		memcpy(page, bytes.data, bytes.len < sizeof(page) ? bytes.len : sizeof(page));
	return fwa_span(page, sizeof(page));
}

/* Reads that the model knows, so that not every device declares nothing. */
static void add_reads(struct fwa_writer *w, struct fwa_span more, bool nvme)
{
	static uint8_t bytes[8192];
	struct fwa_writer log = fwa_writer(bytes, sizeof(bytes));

	if (nvme) {
		for (size_t i = 0; i < NVME_EFFECTS_LEN / 4; i++)
			fwa_write_le32(&log, 1);
		if (more.len)
			memcpy(bytes, more.data, more.len < 4096 ? more.len : 4096);
		fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS, fwa_span(bytes, NVME_EFFECTS_LEN));
		return;
	}
	for (const struct vfy_observe_row *row = vfy_observe_cxl; row->name; row++)
		fwa_write_le32(&log, row->opcode);
	fwa_write_bytes(&log, more.data, more.len);
	fwa_profile_add(w, FWA_RECORD_CXL_CEL, fwa_span(bytes, log.len));
}

/* Sizes at @at of each @step bytes, but for one device in eight none that takes long to read. */
static struct fwa_span sizes(struct fwa_span s, uint8_t flags, size_t at, size_t step)
{
	static uint8_t copies[2][1024];
	uint8_t *copy = copies[step > 8];

	if (!(flags >> 5) || !s.len)
		return s;
	memcpy(copy, s.data, s.len);
	for (; at + 4 <= s.len; at += step)
		fwa_put_le32(copy + at, fwa_le32(copy + at) & 0x1fff);
	return fwa_span(copy, s.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	uint8_t flags = fwa_read_u8(&in);
	struct device d = { .dev = { .ops = &ops, .is_nvme = flags & 1 } };
	struct fwa_span records[4];
	struct vfy_plan plan;
	int r;

	d.dev.payload_max = 256u << (flags >> 4);
	for (int i = 0; i < 4; i++)
		records[i] = fwa_read_span(&in, fwa_read_le16(&in) % 1024);
	if (in.bad)
		return 0;
	fwa_profile_begin(&w, flags & 1 ? FWA_FAMILY_NVME : FWA_FAMILY_CXL);
	add_reads(&w, records[0], flags & 1);
	if (records[1].len >= 8)
		fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS,
				sizes(fwa_span(records[1].data, 8), flags, 4, 8));
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, records[2]);
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, sizes(records[3], flags, 16, 20));
	if (flags & 2)
		fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, ids(records[2]));
	if (flags & 4)
		fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, ids(records[3]));
	if (records[1].len >= 16)
		fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES,
				fwa_span(records[1].data, records[1].len & ~7u));
	if (fwa_profile_parse(&profile, fwa_span(encoded, w.len)) < 0)
		return 0;
	d.answers = in;
	r = vfy_plan_make(&plan, &profile, &d.dev, flags & 8 ? NULL : submit, &d);
	if (plan.n > VFY_OBSERVABLES_MAX || plan.bytes > VFY_PLAN_BYTES_MAX)
		abort();
	if (r == 0)
		watch(&d, &plan);
	vfy_plan_clear(&plan);
	return 0;
}
