/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the simulated CXL device as parts with names, and commands drawn at random: for tests
 * that hold what a command changes against what it declares, or one device against another.
 */
#pragma once

#include "transport/sim/personality.h"
#include "transport/sim/test-device.h"

/* Bits of a CEL entry: any of those covers a change. */
#define COVERS_RESET \
	(CXL_CEL_CONFIG_COLD_RESET | CXL_CEL_CONFIG_CONV_RESET | CXL_CEL_CONFIG_CXL_RESET)
#define COVERS_NONE 0

struct test_part {
	const char *name; /* neighbours may share it */
	size_t at;
	size_t len;
	unsigned int covered_by;
};

#define PART(name, field, covered_by)                                                              \
	{                                                                                          \
		name, offsetof(struct sim, field), sizeof(((struct sim *)NULL)->field), covered_by \
	}

/* Feature values are covered by what the Feature itself declares: test-honest.c. */
static const struct test_part test_parts[] = {
	PART("lsa", lsa, CXL_CEL_DATA),
	PART("poison", n_poison, CXL_CEL_DATA),
	PART("poison", n_injected, CXL_CEL_DATA),
	PART("poison", poison, CXL_CEL_DATA),
	{ "media", offsetof(struct sim, media), offsetof(struct sim_media, line[64]),
	  CXL_CEL_DATA },
	PART("debug-log", debug_log, CXL_CEL_LOG),
	PART("events", event, CXL_CEL_LOG),
	PART("event-policy", event_policy, CXL_CEL_POLICY),
	PART("alerts", alerts, CXL_CEL_POLICY),
	PART("shutdown", shutdown, CXL_CEL_POLICY),
	PART("timestamp", timestamp_set, CXL_CEL_POLICY),
	PART("timestamp", timestamp, CXL_CEL_POLICY),
	PART("fw-active", firmware.active, CXL_CEL_CONFIG),
	PART("fw-staged", firmware.staged, CXL_CEL_CONFIG | COVERS_RESET),
	PART("fw-slots", firmware.filled, CXL_CEL_CONFIG | COVERS_RESET),
	PART("fw-slots", firmware.head, CXL_CEL_CONFIG | COVERS_RESET),
	PART("partition", volatile_units, CXL_CEL_CONFIG),
	PART("next-partition", next_volatile_units, CXL_CEL_CONFIG | COVERS_RESET),
	PART("security", passphrase[SIM_MASTER].set, CXL_CEL_SECURITY),
	PART("security", passphrase[SIM_MASTER].failures, CXL_CEL_SECURITY),
	PART("security", passphrase[SIM_MASTER].text, CXL_CEL_SECURITY),
	PART("security", passphrase[SIM_USER].set, CXL_CEL_SECURITY),
	PART("security", passphrase[SIM_USER].failures, CXL_CEL_SECURITY),
	PART("security", passphrase[SIM_USER].text, CXL_CEL_SECURITY),
	PART("security", locked, CXL_CEL_SECURITY),
	PART("security", frozen, CXL_CEL_SECURITY),
	PART("registers", reg[0], COVERS_NONE),
	PART("media-key", reg[SIM_REGISTER_MEDIA_KEY], CXL_CEL_SECURITY),
	{ "registers", offsetof(struct sim, reg[2]), 4 * (SIM_REGISTER_FIRST_WRITABLE - 2),
	  COVERS_NONE },
	{ "registers", offsetof(struct sim, reg[SIM_REGISTER_FIRST_WRITABLE]),
	  4 * (SIM_REGISTERS - SIM_REGISTER_FIRST_WRITABLE), CXL_CEL_CONFIG },
	PART("scan", scan.done, CXL_CEL_LOG | CXL_CEL_BACKGROUND),
	PART("scan", scan.dpa, CXL_CEL_LOG | CXL_CEL_BACKGROUND),
	PART("scan", scan.lines, CXL_CEL_LOG | CXL_CEL_BACKGROUND),
	{ "cel", offsetof(struct sim, cel), 4096, CXL_CEL_CONFIG },
};

static inline bool test_part_differs(const struct test_part *p, const struct sim *a,
				     const struct sim *b)
{
	return memcmp((const char *)a + p->at, (const char *)b + p->at, p->len) != 0;
}

static inline bool test_value_differs(unsigned int selection, unsigned int id, const struct sim *a,
				      const struct sim *b)
{
	return memcmp(a->value[selection][id], b->value[selection][id], SIM_FEATURE_MAX) != 0;
}

/* The parts and the values alone: a whole device is large. */
static inline void test_copy(struct sim *to, const struct sim *from)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(test_parts); i++)
		memcpy((char *)to + test_parts[i].at, (const char *)from + test_parts[i].at,
		       test_parts[i].len);
	memcpy(to->value, from->value, sizeof(to->value));
	memcpy(to->feature, from->feature, sizeof(to->feature));
	to->transfer.id = from->transfer.id;
	to->cel_len = from->cel_len;
}

/* What is not the same in @a and @b: names with blanks between them. */
static inline const char *test_differ(const struct sim *a, const struct sim *b)
{
	static const char *const selections[] = { "current", "default", "saved" };
	static char text[1024];
	const char *last = "";
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < FWA_ARRAY_SIZE(test_parts); i++) {
		const struct test_part *p = &test_parts[i];

		if (!strcmp(p->name, last) || !test_part_differs(p, a, b))
			continue;
		last = p->name;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "", p->name);
	}
	for (unsigned int i = 0; i < SIM_SELECTIONS * SIM_FEATURE_COUNT; i++) {
		unsigned int selection = i / SIM_FEATURE_COUNT, id = i % SIM_FEATURE_COUNT;

		if (test_value_differs(selection, id, a, b))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s-%u", n ? " " : "",
					      selections[selection], id);
	}
	return text;
}

/* --- commands at random ------------------------------------------------------------------------- */

struct test_draw {
	uint64_t random;
	uint16_t opcode;
	size_t len;
	uint8_t in[600];
};

static inline uint64_t test_random(struct test_draw *d, uint64_t below)
{
	uint64_t z = d->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* Every command of the honest device, and the length that it takes, or takes at least. */
static const struct {
	uint16_t opcode;
	uint16_t len;
} test_commands[] = {
	{ 0x0005, 0 },  { 0x0100, 1 },   { 0x0101, 8 },  { 0x0102, 0 },  { 0x0103, 4 },
	{ 0x0200, 0 },  { 0x0201, 256 }, { 0x0202, 2 },  { 0x0300, 0 },  { 0x0301, 8 },
	{ 0x0400, 0 },  { 0x0401, 24 },  { 0x0402, 16 }, { 0x0403, 16 }, { 0x0500, 8 },
	{ 0x0501, 21 }, { 0x0502, 40 },  { 0x4000, 0 },  { 0x4100, 0 },  { 0x4101, 9 },
	{ 0x4102, 8 },  { 0x4103, 40 },  { 0x4200, 0 },  { 0x4201, 0 },  { 0x4202, 12 },
	{ 0x4203, 0 },  { 0x4204, 1 },   { 0x4300, 16 }, { 0x4301, 8 },  { 0x4302, 72 },
	{ 0x4303, 16 }, { 0x4304, 17 },  { 0x4305, 0 },  { 0x4400, 0 },  { 0x4401, 0 },
	{ 0x4500, 0 },  { 0x4501, 96 },  { 0x4502, 64 }, { 0x4503, 32 }, { 0x4504, 0 },
	{ 0x4505, 64 }, { 0xc000, 4 },   { 0xc001, 8 },
};

static inline void test_draw_bytes(struct test_draw *d)
{
	uint64_t kind = test_random(d, 4);

	for (size_t i = 0; i < d->len; i++)
		d->in[i] = (uint8_t)(kind == 0   ? 0
				     : kind == 1 ? test_random(d, 256)
				     : kind == 2 ? test_random(d, 100) == 0
						 : test_random(d, 3) * (i % 8 == 0));
}

/* Puts in what a random number would not hit: UUIDs, addresses, a package, the passphrases that are set. */
static inline void test_draw_sense(struct test_draw *d, const struct sim *s)
{
	unsigned int group = d->opcode >> 8;
	uint64_t id = test_random(d, SIM_FEATURE_COUNT + 1);

	if (test_random(d, 8) == 0)
		return;
	if (d->opcode == 0x0401 || d->opcode == 0x0402 || d->opcode == 0x0403)
		memcpy(d->in, test_random(d, 2) ? CXL_UUID_VENDOR_DEBUG : CXL_UUID_CEL, 16);
	if (d->opcode == 0x0501 || d->opcode == 0x0502) {
		memset(d->in, 0xff, 16);
		if (id < SIM_FEATURE_COUNT)
			memcpy(d->in, s->feature[id].uuid, 16);
	}
	if (d->opcode == 0x0501)
		fwa_put_le16(d->in + 18, (uint16_t)test_random(d, 64));
	if (d->opcode == 0x0502) {
		fwa_put_le32(d->in + 16, (uint32_t)(test_random(d, 5) | test_random(d, 2) << 3));
		fwa_put_le16(d->in + 20, (uint16_t)(test_random(d, 3) * 8));
		d->in[22] = id < SIM_FEATURE_COUNT ? s->feature[id].set_version : 1;
		d->len = CXL_SET_FEATURE_HEADER_LEN + 1 + test_random(d, 8);
	}
	if (d->opcode == 0x0201) {
		d->in[0] = (uint8_t)test_random(d, 5);
		d->in[1] = (uint8_t)test_random(d, 3);
		fwa_put_le32(d->in + 4, (uint32_t)test_random(d, 2));
		memcpy(d->in + 128, "SIMFWPKG", 8);
		fwa_put_le32(d->in + 136, 4u >> test_random(d, 4));
		fwa_put_le16(d->in + 140, SIM_OP_SET_LSA); /* as it is declared */
		fwa_put_le16(d->in + 142, CXL_CEL_CONFIG | CXL_CEL_DATA);
		d->in[144] = (uint8_t)('1' + test_random(d, 9));
	}
	if (d->opcode == 0x0202) {
		d->in[0] = (uint8_t)test_random(d, 2);
		d->in[1] = (uint8_t)test_random(d, 3);
	}
	if (d->opcode >= SIM_OP_VENDOR_READ)
		fwa_put_le32(d->in, (uint32_t)test_random(d, SIM_REGISTERS + 1));
	if (group == 0x43 && d->len >= 8) {
		fwa_put_le64(d->in, test_random(d, 80) * 64);
		if (d->len == 16 || d->len == 17)
			fwa_put_le64(d->in + 8, 1 + test_random(d, 1 << 20));
	}
	if (group == 0x45 && d->len >= 64) {
		d->in[0] = (uint8_t)test_random(d, 3);
		if (d->in[0] < SIM_PASSPHRASES)
			memcpy(d->in + 32, s->passphrase[d->in[0]].text, SIM_PASSPHRASE_LEN);
	}
}

/* The next command, for a device in the state of @s. */
static inline void test_draw(struct test_draw *d, const struct sim *s)
{
	uint64_t i = test_random(d, FWA_ARRAY_SIZE(test_commands));
	size_t most = s->dev.payload_max < sizeof(d->in) ? s->dev.payload_max : sizeof(d->in);

	d->opcode = test_commands[i].opcode;
	d->len = test_commands[i].len;
	memset(d->in, 0, sizeof(d->in));
	test_draw_bytes(d);
	test_draw_sense(d, s);
	if (test_random(d, 16) == 0)
		d->len = test_random(d, most + 1);
}
