/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/test-drive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define TIMEOUT_MS 2000
#define SETTLE_MS 2000

static int open_device(struct drive *d)
{
	struct fwa_open_args args = { .spec = d->spec, .fd = -1 };
	int r = fwa_device_open(&args, &d->dev);

	if (r < 0)
		fprintf(stderr, "%s\n", args.error);
	return r;
}

static int read_profile(struct drive *d)
{
	char error[FWA_ERROR_LEN];
	struct fwa_writer w;
	int r;

	d->encoded = malloc(FWA_PROFILE_MAX);
	d->profile = calloc(1, sizeof(*d->profile));
	d->out = malloc(FWA_COMMAND_DATA_MAX);
	if (!d->encoded || !d->profile || !d->out)
		return -ENOMEM;
	w = fwa_writer(d->encoded, FWA_PROFILE_MAX);
	r = fwa_profile_read(d->dev, &w, error);
	if (r == 0)
		r = fwa_profile_parse(d->profile, fwa_span(d->encoded, w.len));
	return r;
}

int drive_open(struct drive *d, const char *spec, const struct vfy_generate_args *args)
{
	struct vfy_generate_args with = *args;
	int r;

	*d = (struct drive){ .spec = spec };
	r = open_device(d);
	if (r == 0)
		r = read_profile(d);
	if (r < 0)
		return r;
	with.profile = d->profile;
	with.resets = d->dev->ops->reset;
	return vfy_generator_make(&with, &d->generator);
}

void drive_close(struct drive *d)
{
	vfy_generator_free(d->generator);
	fwa_device_close(d->dev);
	free(d->encoded);
	free(d->profile);
	free(d->out);
}

static uint8_t page_byte(struct drive *d, uint8_t lid, unsigned int at)
{
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
				   .opcode = NVME_OP_GET_LOG_PAGE,
				   .nsid = NVME_NSID_ALL,
				   .cdw = { lid | 127u << 16 | NVME_LOG_RETAIN },
				   .out_len = 512 };
	struct fwa_reply reply = { .out = d->out, .out_cap = 512 };

	memset(d->out, 0, 512);
	d->dev->ops->submit(d->dev, &cmd, &reply, TIMEOUT_MS);
	return reply.code ? 0 : d->out[at];
}

static bool is_busy(struct drive *d)
{
	uint8_t percent;

	if (d->dev->is_nvme)
		return (page_byte(d, NVME_LID_SANITIZE, 2) & NVME_SANITIZE_STATUS) ==
			       NVME_SANITIZE_RUNS ||
		       page_byte(d, NVME_LID_SELF_TEST, 0);
	return d->dev->ops->progress && d->dev->ops->progress(d->dev, &percent) > 0;
}

static void settle(struct drive *d)
{
	uint64_t end = fwa_clock_ns(CLOCK_MONOTONIC) + SETTLE_MS * 1000000ull;
	const struct timespec ms = { .tv_nsec = 1000000 };

	while (is_busy(d) && fwa_clock_ns(CLOCK_MONOTONIC) < end)
		nanosleep(&ms, NULL);
}

static int again(struct drive *d)
{
	d->dev = fwa_device_close(d->dev);
	return open_device(d);
}

/* As the target does it (target.h), and no more than that. */
static int run_step(struct drive *d, const struct vfy_step *step, struct vfy_answer *ret)
{
	struct fwa_reply reply = { .out = d->out, .out_cap = FWA_COMMAND_DATA_MAX };
	struct fwa_command cmd = vfy_step_command(step);
	uint64_t from = fwa_clock_ns(CLOCK_MONOTONIC);

	*ret = (struct vfy_answer){ 0 };
	if (step->kind == VFY_SETTLE)
		settle(d);
	if (step->kind == VFY_RESET && d->dev->ops->reset)
		return d->dev->ops->reset(d->dev, step->reset, TIMEOUT_MS);
	if (step->kind != VFY_COMMAND)
		return 0;
	memset(d->out, 0, cmd.out_len > 65536 ? cmd.out_len : 65536);
	ret->error = d->dev->ops->submit(d->dev, &cmd, &reply, TIMEOUT_MS);
	ret->code = reply.code;
	ret->result = reply.result;
	ret->out_len = reply.out_len;
	ret->took_ns = fwa_clock_ns(CLOCK_MONOTONIC) - from;
	memcpy(ret->head, d->out, reply.out_len < 64 ? reply.out_len : 64);
	return ret->error == -ENODEV || ret->error == -ETIMEDOUT || ret->error == -EPROTO
		       ? ret->error
		       : 0;
}

static bool taken(const struct vfy_step *step, const struct vfy_answer *a)
{
	return !a->error &&
	       (!a->code || (step->set == FWA_SET_CXL && a->code == CXL_RC_BACKGROUND));
}

static size_t run_experiment(struct drive *d, const struct vfy_experiment *e,
			     struct vfy_answer *answer)
{
	struct drive_count *c = &d->count[e->phase];

	c->experiments++;
	for (size_t i = 0; i < e->sequence.n; i++) {
		const struct vfy_step *step = &e->sequence.step[i];

		if (run_step(d, step, &answer[i]) < 0) {
			d->lost++;
			again(d);
			return i + 1;
		}
		if (step->kind != VFY_COMMAND)
			continue;
		c->commands++;
		c->taken += taken(step, &answer[i]);
		if (d->each)
			d->each(e, step, &answer[i]);
	}
	if (e->settle)
		settle(d);
	return e->sequence.n;
}

int drive_run(struct drive *d, uint64_t commands)
{
	static struct vfy_answer answer[VFY_STEPS_MAX];
	struct vfy_experiment e;
	uint64_t sent = 0;
	int r;

	while (sent < commands && (r = vfy_generator_next(d->generator, &e)) > 0) {
		size_t n;

		r = e.fresh ? again(d) : 0;
		n = r < 0 ? 0 : run_experiment(d, &e, answer);
		vfy_generator_answered(d->generator, &e, answer, n);
		sent += e.sequence.n;
		vfy_sequence_clear(&e.sequence);
		if (r < 0 || !d->dev)
			return r < 0 ? r : -ENODEV;
	}
	return sent < commands ? r : 0;
}
