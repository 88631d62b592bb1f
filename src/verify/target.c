/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device, and how it is had anew. Everything that it sends lands in buffers of known size here.
 */
#include "verify/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "core/background.h"
#include "core/effects.h"
#include "verify/digest.h"
#include "wire/nvme.h"

#define SETTLE_MS 10000u
#define RESET_MS 20000u
#define POLL_NS (1000u * 1000) /* between two looks at background work */

/* --- opening ---------------------------------------------------------------------------------------- */

/*
 * Nobody waits for QEMU's devices but us, and sanitizing their media takes seconds of a clock that need not
 * go by. NULL: no memory.
 */
static char *spec_to_open(const char *spec)
{
	bool qtest = strncmp(spec, "qtest:", 6) == 0 && !strstr(spec, ",clock=");
	char *ret;

	return asprintf(&ret, "%s%s", spec, qtest ? ",clock=warp" : "") < 0 ? NULL : ret;
}

static int open_device(struct vfy_target *t)
{
	fwa_auto_free char *spec = spec_to_open(t->spec);
	struct fwa_open_args args = { .spec = spec, .fd = -1 };
	int r;

	if (!spec)
		return fwa_fail(t->error, -ENOMEM, "out of memory");
	r = fwa_device_open(&args, &t->dev);

	if (r < 0)
		return fwa_fail(t->error, r, "%s", args.error);
	t->openings++;
	return 0;
}

/* Fresh memory for the profile as it is read now: *ret_len bytes; NULL with *ret_error and t->error. */
static uint8_t *read_profile(struct vfy_target *t, size_t *ret_len, int *ret_error)
{
	struct fwa_writer w = { .buf = malloc(FWA_PROFILE_MAX), .cap = FWA_PROFILE_MAX };
	uint8_t *less;

	if (!w.buf) {
		*ret_error = fwa_fail(t->error, -ENOMEM, "out of memory");
		return NULL;
	}
	*ret_error = fwa_profile_read(t->dev, &w, t->error);
	if (*ret_error < 0) {
		free(w.buf);
		return NULL;
	}
	*ret_len = w.len;
	less = realloc(w.buf, w.len ? w.len : 1);
	if (less)
		w.buf = less;
	return w.buf;
}

static int take_profile(struct vfy_target *t)
{
	int r = 0;

	t->profile_bytes = read_profile(t, &t->profile_len, &r);
	if (!t->profile_bytes)
		return r;
	t->profile = malloc(sizeof(*t->profile));
	if (!t->profile)
		return fwa_fail(t->error, -ENOMEM, "out of memory");
	if (fwa_profile_parse(t->profile, fwa_span(t->profile_bytes, t->profile_len)) < 0)
		return fwa_fail(t->error, -EPROTO, "%.100s: what it declares cannot be read back",
				t->spec);
	return 0;
}

/* So that a device that dies, or changes, when it is read does so each time. */
static int read_profile_again(struct vfy_target *t)
{
	size_t len;
	int r = 0;

	free(read_profile(t, &len, &r));
	return r;
}

/* What is behind replies is cleared from now on, where the transport can. */
static int begin_looking_behind(struct vfy_target *t)
{
	size_t len = t->dev->is_nvme ? 2 * FWA_BEYOND_LEN : t->dev->payload_max;
	uint8_t none;

	if (!t->dev->ops->peek || t->dev->ops->peek(t->dev, FWA_REGION_BEYOND, 0, &none, 0) < 0)
		return 0;
	if (t->behind && t->behind_len >= len)
		return 0;
	free(t->behind);
	t->behind = malloc(len);
	t->behind_len = len;
	return t->behind ? 0 : fwa_fail(t->error, -ENOMEM, "out of memory");
}

static int prepare(struct vfy_target *t)
{
	int r = begin_looking_behind(t);

	if (r == 0 && t->disposable)
		r = vfy_target_write_pattern(t);
	if (r < 0 && !t->error[0])
		fwa_fail(t->error, r, "%.100s does not survive that its media is written: %s",
			 t->spec, strerror(-r));
	return r;
}

int vfy_target_open(struct vfy_target *t, const char *spec, unsigned int timeout_ms)
{
	int r;

	*t = (struct vfy_target){ .spec = spec, .timeout_ms = timeout_ms };
	t->reply = malloc(FWA_COMMAND_DATA_MAX);
	if (!t->reply)
		return fwa_fail(t->error, -ENOMEM, "out of memory");
	r = open_device(t);
	if (r < 0)
		return r;
	t->disposable = t->dev->is_child || t->dev->family == FWA_FAMILY_SIM;
	r = take_profile(t);
	return r < 0 ? r : prepare(t);
}

void vfy_target_close(struct vfy_target *t)
{
	t->dev = fwa_device_close(t->dev);
	free(t->profile);
	free(t->profile_bytes);
	free(t->reply);
	free(t->behind);
	t->profile = NULL;
	t->profile_bytes = t->reply = t->behind = NULL;
}

int vfy_target_fresh(struct vfy_target *t)
{
	int r;

	if (!t->disposable)
		return -EOPNOTSUPP;
	t->error[0] = '\0';
	t->dev = fwa_device_close(t->dev);
	r = open_device(t);
	if (r == 0)
		r = read_profile_again(t);
	if (r == 0)
		r = prepare(t);
	if (r < 0)
		t->dev = fwa_device_close(t->dev);
	return r;
}

/* --- commands --------------------------------------------------------------------------------------- */

int vfy_target_submit(void *userdata, const struct fwa_command *cmd, struct fwa_reply *reply)
{
	struct vfy_target *t = userdata;
	int r;

	if (!t->dev)
		return -ENODEV;
	t->commands++;
	r = t->dev->ops->submit(t->dev, cmd, reply, t->timeout_ms);
	if (r == 0 && reply->out_len > reply->out_cap) /*= spec/SECURITY-MODEL.md#C25 */
		return -EPROTO;
	return r;
}

static int submit_step(struct vfy_target *t, const struct vfy_step *step, struct vfy_answer *ret)
{
	struct fwa_command cmd = vfy_step_command(step);
	struct fwa_reply reply = { .out = t->reply };
	uint64_t start;
	int r;

	if (!t->dev)
		return ret->error = -ENODEV;
	if (step->set == FWA_SET_CXL)
		cmd.out_len = t->dev->payload_max;
	if (cmd.out_len > FWA_COMMAND_DATA_MAX)
		return ret->error = -EMSGSIZE;
	reply.out_cap = cmd.out_len;
	memset(t->reply, 0, reply.out_cap);
	start = fwa_clock_ns(CLOCK_MONOTONIC);
	r = vfy_target_submit(t, &cmd, &reply);
	ret->took_ns = fwa_clock_ns(CLOCK_MONOTONIC) - start;
	ret->error = r;
	if (r < 0)
		return r;
	ret->code = reply.code;
	ret->result = reply.result;
	ret->out_len = reply.out_len;
	vfy_sha256(fwa_span(t->reply, reply.out_len), ret->sha256);
	memcpy(ret->head, t->reply,
	       reply.out_len < sizeof(ret->head) ? reply.out_len : sizeof(ret->head));
	return 0;
}

/* Counts what is not zero behind a reply of @replied bytes. */
static int look_behind(struct vfy_target *t, uint32_t replied, uint32_t *ret)
{
	size_t len = t->dev->is_nvme ? 2 * FWA_BEYOND_LEN : t->dev->payload_max - replied;
	int r;

	*ret = 0;
	if (!t->behind || len > t->behind_len)
		return 0;
	r = t->dev->ops->peek(t->dev, FWA_REGION_BEYOND, 0, t->behind, len);
	if (r < 0)
		return r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO ? r : 0;
	for (size_t i = 0; i < len; i++)
		*ret += t->behind[i] != 0;
	return 0;
}

static int run_command(struct vfy_target *t, const struct vfy_step *step, struct vfy_answer *ret,
		       uint32_t *ret_beyond)
{
	int r = submit_step(t, step, ret);

	return r < 0 || !ret_beyond ? r : look_behind(t, ret->out_len, ret_beyond);
}

static int run_reset(struct vfy_target *t, unsigned int kind)
{
	if (!t->dev)
		return -ENODEV;
	return t->dev->ops->reset ? t->dev->ops->reset(t->dev, kind, RESET_MS) : -EOPNOTSUPP;
}

int vfy_target_run(struct vfy_target *t, const struct vfy_plan *plan, const struct vfy_step *step,
		   struct vfy_snapshot *scratch, struct vfy_answer *ret_answer,
		   uint32_t *ret_beyond)
{
	*ret_answer = (struct vfy_answer){ 0 };
	if (ret_beyond)
		*ret_beyond = 0;
	switch (step->kind) {
	case VFY_COMMAND:
		return run_command(t, step, ret_answer, ret_beyond);
	case VFY_OBSERVE:
		return vfy_target_observe(t, plan, NULL, scratch);
	case VFY_SETTLE:
		return vfy_target_settle(t, SETTLE_MS);
	case VFY_RESET:
		return run_reset(t, step->reset);
	default:
		return -EINVAL;
	}
}

int vfy_target_observe(struct vfy_target *t, const struct vfy_plan *plan,
		       const struct vfy_snapshot *previous, struct vfy_snapshot *ret)
{
	return t->dev ? vfy_observe(plan, t->dev, vfy_target_submit, t, previous, ret) : -ENODEV;
}

/* --- background work -------------------------------------------------------------------------------- */

/* Whether the device says by a log page that work of @opcode runs: 1, 0, or negative errno. */
static int asks_nvme(struct vfy_target *t, uint16_t opcode)
{
	struct fwa_declared declared;
	struct fwa_command cmd;
	struct fwa_reply reply = { .out = t->reply };
	uint8_t percent;
	int r;

	if (!fwa_background_ask(opcode, &cmd) ||
	    !fwa_profile_declared(t->profile, FWA_SET_NVME_ADMIN, opcode, &declared) ||
	    !fwa_profile_declared(t->profile, FWA_SET_NVME_ADMIN, cmd.opcode, &declared))
		return 0;
	reply.out_cap = cmd.out_len;
	memset(t->reply, 0, cmd.out_len);
	r = vfy_target_submit(t, &cmd, &reply);
	if (r < 0)
		return r;
	return reply.code == 0 && fwa_background_answer(opcode, fwa_span(t->reply, reply.out_len),
							&percent) == FWA_WORK_RUNS;
}

/* Whether any runs: 1, 0 (also where there is no way to know), or negative errno. */
static int works(struct vfy_target *t)
{
	uint8_t percent;
	int r;

	if (!t->dev)
		return -ENODEV;
	if (t->dev->ops->progress)
		return t->dev->ops->progress(t->dev, &percent);
	if (!t->dev->is_nvme)
		return 0;
	r = asks_nvme(t, NVME_OP_SELF_TEST);
	return r ? r : asks_nvme(t, NVME_OP_SANITIZE);
}

int vfy_target_settle(struct vfy_target *t, unsigned int ms)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t end = fwa_clock_ns(CLOCK_MONOTONIC) + ms * FWA_NS_PER_MS;
	int r;

	while ((r = works(t)) == 1) {
		if (fwa_clock_ns(CLOCK_MONOTONIC) >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return r;
}
