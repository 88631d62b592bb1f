/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "PERSONALITY[,key=value...]", as a person types it behind "sim:".
 */
#include "transport/sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct key {
	const char *name;
	size_t at; /* in struct sim_options */
	uint64_t initial;
	uint64_t min;
	uint64_t max;
	bool power_of_two;
} keys[] = {
	{ "seed", offsetof(struct sim_options, seed), 0, 0, UINT64_MAX, false },
	{ "payload", offsetof(struct sim_options, payload), 2048, CXL_PAYLOAD_MIN, CXL_PAYLOAD_MAX,
	  true },
	{ "bg-ms", offsetof(struct sim_options, bg_ms), 200, 0, 600000, false },
	{ "fw-ms", offsetof(struct sim_options, fw_ms), 0, 0, 600000, false },
	{ "after", offsetof(struct sim_options, after), 1, 0, UINT32_MAX, false },
	{ "declare", offsetof(struct sim_options, declare), UINT64_MAX, 0, UINT32_MAX, false },
	{ "undeclare", offsetof(struct sim_options, undeclare), UINT64_MAX, 0, UINT16_MAX, false },
	{ "serial", offsetof(struct sim_options, serial), UINT64_MAX, 0, UINT32_MAX, false },
	{ "locked", offsetof(struct sim_options, locked), 0, 0, 1, false },
	{ "exclusive", offsetof(struct sim_options, exclusive), UINT64_MAX, 0, UINT8_MAX, false },
	{ "delay-ms", offsetof(struct sim_options, delay_ms), 0, 0, 60000, false },
	{ "lanes", offsetof(struct sim_options, lanes), 1, 1, 8, false },
};

#define COUNT "count" /* the one that takes a path */

static uint64_t *value_of(struct sim_options *o, const struct key *k)
{
	return (uint64_t *)((char *)o + k->at);
}

/* Up to the next comma or the end. */
static struct fwa_span word(const char *text)
{
	return fwa_span(text, strcspn(text, ","));
}

static bool is(struct fwa_span w, const char *name)
{
	return w.len == strlen(name) && memcmp(w.data, name, w.len) == 0;
}

#define CUT_OFF ", ..."

/* @intro about @w, and what there is instead, as much of it as fits. */
static int unknown(char error[FWA_ERROR_LEN], const char *intro, struct fwa_span w,
		   const char *(*name)(size_t i))
{
	size_t len;

	snprintf(error, FWA_ERROR_LEN - sizeof(CUT_OFF), "%s \"%.*s\"; there are", intro,
		 (int)(w.len < 40 ? w.len : 40), (const char *)w.data);
	for (size_t i = 0; name(i); i++) {
		len = strlen(error);
		if (len + strlen(name(i)) + strlen(", " CUT_OFF) >= FWA_ERROR_LEN) {
			memcpy(error + len, CUT_OFF, sizeof(CUT_OFF));
			break;
		}
		snprintf(error + len, FWA_ERROR_LEN - len, "%s %s", i ? "," : "", name(i));
	}
	return -EINVAL;
}

static const char *personality_name(size_t i)
{
	return i < sim_n_personalities ? sim_personalities[i].name : NULL;
}

static const char *key_name(size_t i)
{
	if (i < FWA_ARRAY_SIZE(keys))
		return keys[i].name;
	return i == FWA_ARRAY_SIZE(keys) ? COUNT : NULL;
}

static const struct sim_personality *find_personality(struct fwa_span w)
{
	for (size_t i = 0; i < sim_n_personalities; i++)
		if (is(w, sim_personalities[i].name))
			return &sim_personalities[i];
	return NULL;
}

static const struct key *find_key(struct fwa_span w)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(keys); i++)
		if (is(w, keys[i].name))
			return &keys[i];
	return NULL;
}

/* Digits, decimal or 0x..., up to the comma or the end. */
static bool number(struct fwa_span w, const struct key *k, uint64_t *ret)
{
	char *end;
	uint64_t v;

	if (!w.len || w.data[0] < '0' || w.data[0] > '9')
		return false;
	errno = 0;
	v = strtoull((const char *)w.data, &end, w.data[0] == '0' && w.data[1] == 'x' ? 16 : 10);
	if (errno || (const uint8_t *)end != w.data + w.len || v < k->min || v > k->max)
		return false;
	if (k->power_of_two && v & (v - 1))
		return false;
	*ret = v;
	return true;
}

static int take_path(struct fwa_span path, char ret[SIM_PATH_MAX], char error[FWA_ERROR_LEN])
{
	if (!path.len || path.len >= SIM_PATH_MAX)
		return fwa_fail(error, -EINVAL, COUNT " takes a path of 1 to %u bytes",
				SIM_PATH_MAX - 1);
	memcpy(ret, path.data, path.len);
	ret[path.len] = '\0';
	return 0;
}

static int parse_pair(struct fwa_span pair, struct sim_options *o, char error[FWA_ERROR_LEN])
{
	const uint8_t *equals = memchr(pair.data, '=', pair.len);
	struct fwa_span name = pair, value = { NULL, 0 };
	const struct key *k;

	if (equals) {
		name.len = (size_t)(equals - pair.data);
		value = fwa_span(equals + 1, pair.len - name.len - 1);
	}
	if (is(name, COUNT))
		return take_path(value, o->count, error);
	k = find_key(name);
	if (!k)
		return unknown(error, "unknown option", name, key_name);
	if (number(value, k, value_of(o, k)))
		return 0;
	return fwa_fail(error, -EINVAL, "%s takes a %s from %llu to %llu", k->name,
			k->power_of_two ? "power of two" : "number", (unsigned long long)k->min,
			(unsigned long long)k->max);
}

int sim_options_parse(const char *text, const struct sim_personality **ret_personality,
		      struct sim_options *ret_options, char error[FWA_ERROR_LEN])
{
	struct fwa_span w = word(text);
	const struct sim_personality *p = find_personality(w);
	struct sim_options o = { 0 };
	int r;

	if (!p)
		return unknown(error, "unknown personality", w, personality_name);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(keys); i++)
		*value_of(&o, &keys[i]) = keys[i].initial;
	if (p->after)
		o.after = p->after;
	while (text[w.len]) {
		text += w.len + 1;
		w = word(text);
		r = parse_pair(w, &o, error);
		if (r < 0)
			return r;
	}
	*ret_personality = p;
	*ret_options = o;
	return 0;
}
