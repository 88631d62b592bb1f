/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated device as a transport: opening it, and its mailbox.
 *
 * The mailbox is where "reported by the device" ends: a length register that says more than the
 * payload registers hold is -EPROTO, and no more than the caller's buffer takes is copied (C25).
 */
#include "transport/sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static struct sim *sim_of(struct fwa_device *dev)
{
	return (struct sim *)dev;
}

/* splitmix64 */
uint64_t sim_mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t sim_random(struct sim *s)
{
	return sim_mix(s->random += 0x9e3779b97f4a7c15);
}

uint64_t sim_now(void)
{
	return fwa_clock_ns(CLOCK_MONOTONIC);
}

void sim_wait_ms(uint64_t ms)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	uint64_t end = ms ? sim_now() + ms * 1000000 : 0;

	while (ms && sim_now() < end)
		nanosleep(&step, NULL);
}

/* The doorbell does not clear: nobody learns whether anything came of the command. */
static int wait_in_vain(unsigned int timeout_ms)
{
	sim_wait_ms(timeout_ms);
	return -ETIMEDOUT;
}

static int run(struct sim *s, struct sim_call *c)
{
	if (s->personality->command)
		return s->personality->command(s, c);
	return sim_command(s, c);
}

static int deliver(struct sim *s, const struct sim_call *c, struct fwa_reply *reply)
{
	uint32_t len;

	s->replied = c->reported < s->dev.payload_max ? c->reported : s->dev.payload_max;
	if (c->reported > s->dev.payload_max) /*= spec/SECURITY-MODEL.md#C25 */
		return -EPROTO;
	len = c->reported < reply->out_cap ? (uint32_t)c->reported : reply->out_cap;
	if (len)
		memcpy(reply->out, s->payload, len);
	reply->out_len = len;
	return 0;
}

/* One command, with the device to itself. -ETIMEDOUT at once when there will be no answer. */
static int answer(struct sim *s, const struct fwa_command *cmd, struct fwa_reply *reply)
{
	struct sim_call c = {
		.opcode = cmd->opcode,
		.in = cmd->payload,
		.out = fwa_writer(s->payload, s->dev.payload_max),
	};
	int code;

	if (s->gone)
		return -ENODEV;
	if (s->hung)
		return -ETIMEDOUT;
	reply->maybe_sent = true;
	sim_tally_note(&s->tally, cmd);
	sim_background_settle(s);
	if (s->beyond_asked)
		memset(s->payload, 0, s->dev.payload_max);
	code = run(s, &c);
	s->hung = code == -ETIMEDOUT;
	if (code < 0)
		return code;
	s->code = (uint16_t)code;
	reply->code = (uint32_t)code;
	return deliver(s, &c, reply);
}

/* How long a command takes; those by which a profile is read are not held up. */
static uint64_t delay_ms(const struct sim *s, uint16_t opcode)
{
	switch (opcode) {
	case CXL_OP_GET_SUPPORTED_LOGS:
	case CXL_OP_GET_LOG:
	case CXL_OP_GET_SUPPORTED_FEATURES:
	case CXL_OP_IDENTIFY_MEMORY_DEVICE:
		return 0;
	default:
		return s->options.delay_ms;
	}
}

static int submit(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *reply,
		  unsigned int timeout_ms)
{
	struct sim *s = sim_of(dev);
	uint64_t delay = delay_ms(s, cmd->opcode);
	int r;

	if (cmd->set != FWA_SET_CXL)
		return -EOPNOTSUPP;
	if (cmd->payload.len > dev->payload_max)
		return -EMSGSIZE;
	if (delay > timeout_ms) {
		reply->maybe_sent = true;
		return wait_in_vain(timeout_ms);
	}
	sim_wait_ms(delay);
	pthread_mutex_lock(&s->lock);
	r = answer(s, cmd, reply);
	pthread_mutex_unlock(&s->lock);
	return r == -ETIMEDOUT ? wait_in_vain(timeout_ms) : r;
}

static int progress(struct fwa_device *dev, uint8_t *ret_percent)
{
	struct sim *s = sim_of(dev);
	int r = -ENODEV;

	pthread_mutex_lock(&s->lock);
	if (!s->gone) {
		sim_background_settle(s);
		*ret_percent = sim_percent(s->background.start_ns, s->background.until_ns);
		r = s->background.opcode != 0;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

static void close_sim(struct fwa_device *dev)
{
	sim_tally_close(&sim_of(dev)->tally);
	free(sim_of(dev));
}

static const struct fwa_device_ops ops = {
	.submit = submit,
	.progress = progress,
	.peek = sim_peek,
	.poke = sim_poke,
	.reset = sim_reset,
	.close = close_sim,
};

static void init(struct sim *s)
{
	s->random = s->options.seed;
	snprintf(s->dev.id.vendor, FWA_TEXT_MAX, "fwadmit");
	snprintf(s->dev.id.model, FWA_TEXT_MAX, "Simulated CXL type-3");
	snprintf(s->dev.id.serial, FWA_TEXT_MAX, "%016llx", (unsigned long long)sim_random(s));
	sim_log_init(s);
	sim_events_init(s);
	sim_firmware_init(s);
	sim_features_init(s);
	sim_alerts_init(s);
	sim_poison_init(s);
	sim_security_init(s);
	sim_vendor_init(s);
	s->volatile_units = s->next_volatile_units = SIM_CAPACITY_UNITS / 2;
	sim_declare_honest(s);
	if (s->personality->declare)
		s->personality->declare(s);
	sim_change_by_options(s);
}

int fwa_sim_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	const struct sim_personality *personality;
	struct sim_options options;
	struct sim *s;
	int r;

	r = sim_options_parse(rest, &personality, &options, args->error);
	if (r < 0)
		return r;
	if (personality->nvme)
		return sim_nvme_open(personality, &options, args, ret_dev);
	s = calloc(1, sizeof(*s) + options.payload);
	if (!s)
		return fwa_fail(args->error, -ENOMEM, "sim: out of memory");
	r = sim_tally_open(&s->tally, options.count, args->error);
	if (r < 0) {
		free(s);
		return r;
	}
	s->dev.ops = &ops;
	s->dev.family = FWA_FAMILY_SIM;
	s->dev.payload_max = (uint32_t)options.payload;
	s->dev.lanes = personality->waits || options.delay_ms ? (unsigned int)options.lanes : 0;
	pthread_mutex_init(&s->lock, NULL);
	s->personality = personality;
	s->options = options;
	init(s);
	*ret_dev = &s->dev;
	return 0;
}

bool fwa_sim_personality(size_t i, const char **ret_name, const char **ret_about)
{
	if (i >= sim_n_personalities)
		return false;
	*ret_name = sim_personalities[i].name;
	*ret_about = sim_personalities[i].about;
	return true;
}
