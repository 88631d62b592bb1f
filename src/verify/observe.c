/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots. A reading goes straight to its place, which is zeroed before, so that a value is as long as
 * what the device sent and nothing of an older one is behind it (C25).
 */
#include "verify/observe.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "verify/compare.h"
#include "verify/digest.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define DIGEST_LEN 32u
#define TRIES 3       /* where the device asks to come again */
#define PIECES_MAX 64 /* of a list that goes on */
#define SCRATCH_LEN (64u * 1024)

int vfy_snapshot_make(struct vfy_snapshot *s, const struct vfy_plan *plan)
{
	uint32_t at = 0;

	*s = (struct vfy_snapshot){ .n = plan->n, .data_len = plan->bytes };
	s->value = calloc(plan->n + 1, sizeof(*s->value));
	s->data = calloc(1, plan->bytes + 1);
	s->scratch = malloc(SCRATCH_LEN);
	if (!s->value || !s->data || !s->scratch) {
		vfy_snapshot_clear(s);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->n; i++) {
		s->value[i].at = at;
		at += plan->observable[i].len;
	}
	return 0;
}

void vfy_snapshot_clear(struct vfy_snapshot *s)
{
	free(s->value);
	free(s->data);
	free(s->scratch);
	*s = (struct vfy_snapshot){ 0 };
}

/* --- one observable --------------------------------------------------------------------------------- */

struct reading {
	const struct vfy_observable *o;
	struct fwa_device *dev;
	vfy_submit_fn submit;
	void *userdata;
	uint8_t *dst; /* o->len bytes */
	uint8_t *scratch;
	struct vfy_value *v;
};

static bool fatal(int r)
{
	return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO;
}

static bool come_again(const struct fwa_command *cmd, uint32_t code)
{
	return cmd->set == FWA_SET_CXL && (code == CXL_RC_RETRY || code == CXL_RC_BUSY);
}

/* The command once, or some times: @cap bytes of room at @out. */
static int send(const struct reading *r, uint8_t *out, uint32_t cap, struct fwa_reply *ret)
{
	const struct timespec pause = { .tv_nsec = FWA_NS_PER_MS };
	int e;

	for (int i = 0;; i++) {
		*ret = (struct fwa_reply){ .out = out, .out_cap = cap };
		memset(out, 0, cap);
		e = r->submit(r->userdata, &r->o->cmd, ret);
		if (ret->out_len > cap)
			return -EPROTO;
		if (e < 0 || i + 1 == TRIES || !come_again(&r->o->cmd, ret->code))
			return e;
		nanosleep(&pause, NULL);
	}
}

static void keep_code(const struct reading *r, int e, const struct fwa_reply *reply)
{
	r->v->error = e;
	r->v->code = e < 0 ? 0 : reply->code;
}

static int read_plain(const struct reading *r)
{
	struct fwa_reply reply;
	int e = send(r, r->dst, r->o->len, &reply);

	keep_code(r, e, &reply);
	if (e == 0 && reply.code == 0)
		r->v->len = reply.out_len;
	return e;
}

/* Dword 0, then the data. */
static int read_feature(const struct reading *r)
{
	struct fwa_reply reply;
	int e = send(r, r->dst + 4, r->o->len - 4, &reply);

	keep_code(r, e, &reply);
	if (e == 0 && reply.code == 0) {
		fwa_put_le32(r->dst, reply.result);
		r->v->len = 4 + reply.out_len;
	}
	return e;
}

static int read_digest(const struct reading *r)
{
	struct fwa_reply reply;
	int e = send(r, r->scratch, r->o->cmd.out_len, &reply);

	keep_code(r, e, &reply);
	if (e == 0 && reply.code == 0) {
		vfy_sha256(fwa_span(r->scratch, reply.out_len), r->dst);
		r->v->len = DIGEST_LEN;
	}
	return e;
}

/* Behind the first piece comes what follows the head of each other one. What has no room is read and dropped. */
static int read_list(const struct reading *r)
{
	const struct vfy_observe_row *row = r->o->row;
	uint32_t head = row->n_fields ? row->field[row->n_fields - 1].first : 0, skip = 0;
	struct fwa_reply reply;

	memset(r->dst, 0, r->o->len);
	for (int i = 0; i < PIECES_MAX; i++) {
		int e = send(r, r->scratch, r->o->cmd.out_len, &reply);
		uint32_t room = r->o->len - r->v->len, more;

		keep_code(r, e, &reply);
		if (e < 0 || reply.code)
			return e;
		more = reply.out_len > skip ? reply.out_len - skip : 0;
		if (more > room)
			more = room;
		memcpy(r->dst + r->v->len, r->scratch + skip, more);
		r->v->len += more;
		if (!reply.out_len || !(r->scratch[0] & row->more))
			return 0;
		skip = head;
	}
	return 0;
}

static int read_region(const struct reading *r)
{
	const struct vfy_observable *o = r->o;
	uint32_t len = o->digest ? CXL_DPA_ALIGN : o->len;
	int e = -EOPNOTSUPP;

	if (r->dev && r->dev->ops->peek)
		e = r->dev->ops->peek(r->dev, o->region, o->at, o->digest ? r->scratch : r->dst,
				      len);
	r->v->error = e;
	if (e < 0)
		return e;
	if (o->digest)
		vfy_sha256(fwa_span(r->scratch, len), r->dst);
	r->v->len = o->len;
	return 0;
}

static int read_command(const struct reading *r)
{
	const struct vfy_observable *o = r->o;

	if (o->digest)
		return read_digest(r);
	if (o->row->more)
		return read_list(r);
	if (o->cmd.set == FWA_SET_NVME_ADMIN && o->cmd.opcode == NVME_OP_GET_FEATURES)
		return read_feature(r);
	return read_plain(r);
}

static int read_one(const struct reading *r)
{
	uint8_t each = r->o->row->each;
	uint64_t begin = fwa_clock_ns(CLOCK_MONOTONIC);
	int e;

	*r->v = (struct vfy_value){ .at = r->v->at, .at_ns = begin };
	e = each == VFY_EACH_REGISTERS || each == VFY_EACH_MEDIA ? read_region(r) : read_command(r);
	r->v->took_ns = (uint32_t)(fwa_clock_ns(CLOCK_MONOTONIC) - begin);
	if (e < 0 || r->v->code) { /* the value is how it failed */
		memset(r->dst, 0, r->o->len);
		r->v->len = 0;
	}
	return e;
}

/* --- all of them ------------------------------------------------------------------------------------ */

/* What is taken over again and again is there already. */
static void take_over(const struct vfy_snapshot *from, struct vfy_snapshot *to, size_t i,
		      uint32_t len)
{
	if (vfy_same_reading(&to->value[i], &from->value[i]))
		return;
	to->value[i] = from->value[i];
	memcpy(to->data + to->value[i].at, from->data + from->value[i].at, len);
}

int vfy_observe(const struct vfy_plan *plan, struct fwa_device *dev, vfy_submit_fn submit,
		void *userdata, const struct vfy_snapshot *previous, struct vfy_snapshot *ret)
{
	struct reading r = {
		.dev = dev, .submit = submit, .userdata = userdata, .scratch = ret->scratch
	};
	int e;

	for (size_t i = 0; i < plan->n; i++) {
		const struct vfy_observable *o = &plan->observable[i];

		if (previous && o->rare) {
			take_over(previous, ret, i, o->len);
			continue;
		}
		r.o = o;
		r.v = &ret->value[i];
		r.dst = ret->data + r.v->at;
		e = read_one(&r);
		if (fatal(e))
			return e;
	}
	return 0;
}
