/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bytes of a payload decisions look at, and judging again what was recorded: drawn decisions
 * come out the same from their record, and another policy, profile or state that says otherwise is
 * noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/pattern.h"
#include "core/record.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 88172645463325252;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) % n);
}

static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

static void draw_bytes(void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)below(256);
}

#define ONE_OF(array) ((array)[below(COUNT(array))])

/* --- devices -------------------------------------------------------------------------------------- */

#define DEVICES 6
#define LOG_SIZE 300u

static struct fwa_profile devices[DEVICES];
static uint8_t encoded[DEVICES][1 << 17];

/* Logs and Features that the model knows, and one that it does not. */
static uint8_t uuids[2][16][16];
static size_t n_uuids[2];

static void collect_uuids(void)
{
	static const uint16_t opcodes[2] = { CXL_OP_GET_LOG, CXL_OP_GET_FEATURE };

	for (int k = 0; k < 2; k++) {
		const struct fwa_selector_table *t =
			fwa_model_find(FWA_SET_CXL, opcodes[k])->select;

		memset(uuids[k][0], 0x31 + k, 16);
		for (n_uuids[k] = 1; n_uuids[k] < 16 && n_uuids[k] <= t->n_all; n_uuids[k]++)
			memcpy(uuids[k][n_uuids[k]], t->all[n_uuids[k] - 1].uuid, 16);
	}
}

static uint16_t draw_word(void)
{
	static const uint16_t words[] = { 0, 0, 1, 2, 4, 8, 16, 32, 0x42, 0x202, 0x8000 };

	return ONE_OF(words);
}

static void add_cel(struct fwa_writer *w)
{
	static uint8_t cel[4096];
	struct fwa_writer c = fwa_writer(cel, sizeof(cel));
	const struct fwa_model_command *row;

	for (size_t i = 0; (row = fwa_model_row(FWA_SET_CXL, i)); i++) {
		fwa_write_le16(&c, row->opcode);
		fwa_write_le16(&c, draw_word());
	}
	for (uint16_t i = 0; i < 4; i++) {
		fwa_write_le16(&c, CXL_OP_VENDOR_FIRST + i);
		fwa_write_le16(&c, draw_word());
	}
	assert_false(c.full);
	fwa_profile_add(w, FWA_RECORD_CXL_CEL, fwa_span(cel, c.len));
}

static void add_selected(struct fwa_writer *w)
{
	static uint8_t logs[16 * CXL_LOGS_ENTRY_LEN], features[16 * CXL_FEATURE_ENTRY_LEN];

	for (size_t i = 0; i < n_uuids[0]; i++) {
		memcpy(logs + i * CXL_LOGS_ENTRY_LEN, uuids[0][i], 16);
		fwa_put_le32(logs + i * CXL_LOGS_ENTRY_LEN + 16, LOG_SIZE);
	}
	for (size_t i = 0; i < n_uuids[1]; i++) {
		uint8_t *e = features + i * CXL_FEATURE_ENTRY_LEN;

		memset(e, 0, CXL_FEATURE_ENTRY_LEN);
		memcpy(e, uuids[1][i], 16);
		fwa_put_le16(e + 16, (uint16_t)i);
		fwa_put_le16(e + 18, LOG_SIZE);
		fwa_put_le16(e + 20, LOG_SIZE);
		fwa_put_le32(e + 22, chance(90) ? CXL_FEATURE_CHANGEABLE : 0);
		fwa_put_le16(e + 28, draw_word());
	}
	fwa_profile_add(w, FWA_RECORD_CXL_LOGS, fwa_span(logs, n_uuids[0] * CXL_LOGS_ENTRY_LEN));
	fwa_profile_add(w, FWA_RECORD_CXL_FEATURES,
			fwa_span(features, n_uuids[1] * CXL_FEATURE_ENTRY_LEN));
}

static void add_nvme(struct fwa_writer *w)
{
	static const uint8_t namespace[8] = { 1, 0, 0, 0, 9 };
	static uint8_t log[NVME_EFFECTS_LEN];

	for (size_t at = 0; at < sizeof(log); at += 4)
		fwa_put_le32(log + at, 1 | below(2) << 1 | below(2) << 4);
	fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES, fwa_span(namespace, sizeof(namespace)));
}

/* All that the model names, with other effects in each. */
static void make_device(unsigned int i)
{
	static const struct fwa_identity id = { .vendor = "Maker", .model = "M", .serial = "1" };
	struct fwa_writer w = fwa_writer(encoded[i], sizeof(encoded[i]));
	uint8_t limits[8];

	fwa_put_le32(limits, 512);
	fwa_put_le32(limits + 4, LOG_SIZE);
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add_identity(&w, &id);
	add_cel(&w);
	add_selected(&w);
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	add_nvme(&w);
	assert_false(w.full);
	assert_int_equal(fwa_profile_parse(&devices[i], fwa_span(encoded[i], w.len)), 0);
}

static int make_devices(void **state)
{
	collect_uuids();
	for (unsigned int i = 0; i < DEVICES; i++)
		make_device(i);
	return 0;
}

/* --- commands ------------------------------------------------------------------------------------- */

#define PAYLOAD 400

static uint8_t payload[PAYLOAD];

/* Small numbers, which are in every range, or near its end. */
static uint8_t draw_byte(void)
{
	return (uint8_t)(chance(70) ? 0 : chance(80) ? below(4) : below(256));
}

static uint32_t draw_length(const struct fwa_model_command *row)
{
	uint32_t more = row->in_max - row->in_min, len = row->in_min;

	if (more && chance(60))
		len += below(more < 64 ? more + 1 : 64);
	return len < PAYLOAD ? len : PAYLOAD;
}

static void draw_dwords(struct fwa_command *cmd, const struct fwa_model_command *row)
{
	cmd->nsid = chance(70) ? 1 : below(3);
	cmd->out_len = row->out_min < 8192 ? row->out_min : 8192;
	for (int i = 0; i < 6; i++)
		cmd->cdw[i] = chance(70) ? 0 : below(chance(80) ? 20 : UINT32_MAX);
}

/* A command of @row, mostly one that a device would take. */
static struct fwa_command draw_command(const struct fwa_model_command *row)
{
	struct fwa_command cmd = { .set = row->set, .opcode = row->opcode, .out_len = 300 };
	unsigned int kind = row->select ? row->select->kind : FWA_SELECT_NONE;

	cmd.scope = (uint8_t)(chance(80) ? FWA_SCOPE_LEAST : below(4));
	cmd.payload = fwa_span(payload, draw_length(row));
	for (size_t i = 0; i < PAYLOAD; i++)
		payload[i] = draw_byte();
	if (kind == FWA_SELECT_LOG_UUID || kind == FWA_SELECT_FEATURE_UUID) {
		unsigned int k = kind == FWA_SELECT_FEATURE_UUID;

		memcpy(payload, uuids[k][below((uint32_t)n_uuids[k])], 16);
		if (chance(10))
			memset(payload, 0xff, 16);
	}
	if (cmd.set != FWA_SET_CXL)
		draw_dwords(&cmd, row);
	return cmd;
}

/* The rows of all sets one after the other; NULL past the last. */
static const struct fwa_model_command *any_row(size_t i)
{
	for (unsigned int set = 0; set < FWA_SET_COUNT; set++) {
		size_t n = 0;

		while (fwa_model_row((enum fwa_set)set, n))
			n++;
		if (i < n)
			return fwa_model_row((enum fwa_set)set, i);
		i -= n;
	}
	return NULL;
}

static const struct fwa_model_command *draw_row(void)
{
	const struct fwa_model_command *row;

	do
		row = any_row(below(400));
	while (!row);
	return row;
}

/* --- what others decide by ------------------------------------------------------------------------ */

static void draw_contract(struct fwa_contract *c)
{
	memset(c, 0, sizeof(*c));
	c->mode = chance(10) ? FWA_MODE_LINUX : FWA_MODE_STRICT;
	c->lockdown = chance(10);
	c->quarantine = (uint8_t)(chance(3) ? 1 + below(4) : 0);
	c->leased = chance(20);
	c->not_to_abort = chance(20);
	c->firmware_leased = chance(20);
	c->transfer = (uint8_t)below(3);
	memcpy(c->transfer_uuid, uuids[1][below((uint32_t)n_uuids[1])], 16);
	c->rate_over = chance(10) ? below(4) : 0;
	c->seats_over = chance(10) ? below(4) : 0;
	c->advisory = chance(10) ? FWA_EFFECT_LOG : 0;
	c->journal = (uint8_t)(chance(10) ? below(3) : 0);
}

/* --- what is judged of a payload ------------------------------------------------------------------ */

/* Terms about @row: its opcode, and a field that it has, with a small value. */
static struct fwa_span draw_filter(const struct fwa_model_command *row, uint8_t *buf, size_t cap)
{
	struct fwa_writer w = fwa_writer(buf, cap);
	struct fwa_term t = { .kind = FWA_TERM_COMMAND, .set = row->set, .value = row->opcode };

	fwa_filter_write_term(&w, &t);
	for (unsigned int f = 1; f < FWA_FIELD_COUNT; f++) {
		t = (struct fwa_term){ .kind = (uint8_t)f };
		if (!fwa_opcode_has_field((enum fwa_set)row->set, row->opcode, (enum fwa_field)f) ||
		    chance(60))
			continue;
		t.flags = chance(50) ? FWA_TERM_NOT : 0;
		if (f == FWA_FIELD_UUID)
			memcpy(t.uuid, payload, 16);
		else
			t.value = below(2);
		fwa_filter_write_term(&w, &t);
	}
	assert_true(fwa_filter_valid(fwa_span(buf, w.len)));
	return fwa_span(buf, w.len);
}

static void draw_rights(const struct fwa_model_command *row, struct fwa_rights *r)
{
	static uint8_t filters[2][16 * FWA_TERM_LEN];

	memset(r, 0, sizeof(*r));
	r->n = r->n_matched = 1 + below(2);
	for (uint32_t i = 0; i < r->n; i++) {
		r->right[i].scope = chance(80) ? FWA_SCOPE_DEBUG_WRITE_FULL : below(4);
		r->right[i].effects = chance(70) ? FWA_EFFECTS_GRANTABLE : below(FWA_EFFECTS_ALL);
		r->right[i].effects &= FWA_EFFECTS_GRANTABLE;
		r->right[i].grant = i;
		if (chance(60))
			r->right[i].filter = draw_filter(row, filters[i], sizeof(filters[i]));
	}
}

static bool same(const struct fwa_decision *a, const struct fwa_decision *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* One way to judge commands of one row. */
struct judge {
	struct fwa_contract contract;
	struct fwa_drift drift;
	struct fwa_rights rights;
	const struct fwa_profile *profile;
};

static void draw_judge(struct judge *j, const struct fwa_model_command *row)
{
	draw_contract(&j->contract);
	draw_rights(row, &j->rights);
	j->profile = &ONE_OF(devices);
	if (chance(20)) {
		j->drift.baseline = chance(80) ? &ONE_OF(devices) : NULL;
		j->contract.drift = &j->drift;
	}
}

static struct fwa_decision judged(const struct judge *j, const struct fwa_command *cmd)
{
	return fwa_decide(&j->contract, &j->rights, j->profile, cmd, 1000);
}

/* Gives byte @i other values, and says whether a decision is another one for it. */
static bool matters(const struct judge *j, const struct fwa_command *cmd, size_t i)
{
	const uint8_t values[] = { (uint8_t)(payload[i] ^ 1), (uint8_t)(payload[i] ^ 0x80),
				   (uint8_t)below(256), 0, 0xff };
	struct fwa_decision before = judged(j, cmd), after;
	uint8_t was = payload[i];
	bool any = false;

	for (size_t k = 0; k < COUNT(values) && !any; k++) {
		payload[i] = values[k];
		after = judged(j, cmd);
		any = !same(&before, &after);
	}
	payload[i] = was;
	return any;
}

/*
 * An address has 8 bytes, and only the first of them can be wrong by itself; it says what was asked for
 * all the same.
 */
static bool is_address(const struct fwa_model_command *row)
{
	return row->n_rules && row->rules[0].kind == FWA_RULE_DPA;
}

static void only_judged_bytes_matter(void **state)
{
	const struct fwa_model_command *row;

	for (size_t n = 0; (row = any_row(n)); n++) {
		size_t len = 0;
		bool last = false;

		for (int trial = 0; trial < 400; trial++) {
			struct fwa_command cmd = draw_command(row);
			struct judge j;

			draw_judge(&j, row);
			len = fwa_command_judged_len(&cmd);
			assert_true(len <= cmd.payload.len);
			for (size_t i = len; i < cmd.payload.len; i++)
				if (matters(&j, &cmd, i))
					fail_msg("%s: byte %zu of %zu", row->name, i, len);
			last |= len && matters(&j, &cmd, len - 1);
		}
		if (len && !last && !is_address(row))
			fail_msg("%s: no decision looks at byte %zu", row->name, len - 1);
	}
}

/* All of the payload behind them at once, and payloads of other lengths than the specification's. */
static void nothing_behind_matters(void **state)
{
	for (int trial = 0; trial < 100000; trial++) {
		const struct fwa_model_command *row = draw_row();
		struct fwa_command cmd = draw_command(row);
		struct fwa_decision before, after;
		struct judge j;
		size_t len;

		if (chance(5))
			cmd.opcode = (uint16_t)(CXL_OP_VENDOR_FIRST + below(8));
		if (chance(5))
			cmd.set = (uint8_t)below(5);
		if (chance(50))
			cmd.payload.len = below(PAYLOAD + 1);
		draw_judge(&j, row);
		before = judged(&j, &cmd);
		len = fwa_command_judged_len(&cmd);
		draw_bytes(payload + len, PAYLOAD - len);
		after = judged(&j, &cmd);
		assert_true(same(&before, &after));
	}
}

/* What users put into a command to keep it secret is never among what is judged. */
static void secrets_are_not_judged(void **state)
{
	static const struct {
		uint8_t set;
		uint16_t opcode;
		size_t judged;
	} secret[] = {
		{ FWA_SET_CXL, 0x4501, 0 },      /* Set Passphrase */
		{ FWA_SET_CXL, 0x4502, 0 },      /* Disable Passphrase */
		{ FWA_SET_CXL, 0x4503, 0 },      /* Unlock */
		{ FWA_SET_CXL, 0x4505, 0 },      /* Passphrase Secure Erase */
		{ FWA_SET_CXL, 0x4600, 0 },      /* Security Send */
		{ FWA_SET_CXL, 0x4601, 0 },      /* Security Receive */
		{ FWA_SET_CXL, 0x4103, 4 },      /* Set LSA: where, and nothing of the labels */
		{ FWA_SET_CXL, 0x0201, 2 },      /* Transfer FW: nothing of the image */
		{ FWA_SET_CXL, 0x0502, 22 },     /* Set Feature: nothing of its data */
		{ FWA_SET_NVME_ADMIN, 0x81, 0 }, /* Security Send */
		{ FWA_SET_NVME_ADMIN, 0x24, 0 }, /* Lockdown */
		{ FWA_SET_NVME_IO, 0x01, 0 },    /* Write */
	};

	for (size_t i = 0; i < COUNT(secret); i++) {
		struct fwa_command cmd = { .set = secret[i].set,
					   .opcode = secret[i].opcode,
					   .payload = { payload, PAYLOAD } };

		assert_non_null(fwa_model_find((enum fwa_set)cmd.set, cmd.opcode));
		assert_int_equal(fwa_command_judged_len(&cmd), secret[i].judged);
	}
	for (uint16_t i = 0; i < 4; i++) {
		struct fwa_command vendor = { .set = FWA_SET_CXL,
					      .opcode = CXL_OP_VENDOR_FIRST + i,
					      .payload = { payload, PAYLOAD } };

		assert_int_equal(fwa_command_judged_len(&vendor), 0);
	}
	/* No NVMe payload, and none of the whole class of security commands. */
	for (size_t i = 0; any_row(i); i++) {
		struct fwa_command cmd = { .set = any_row(i)->set,
					   .opcode = any_row(i)->opcode,
					   .payload = { payload, PAYLOAD } };

		assert_true(fwa_command_judged_len(&cmd) <= 24); /* spec/JOURNAL-FORMAT.md */
		if (cmd.set != FWA_SET_CXL || cmd.opcode >> 8 == 0x45 || cmd.opcode >> 8 == 0x46)
			assert_int_equal(fwa_command_judged_len(&cmd), 0);
	}
}

/* --- policies ------------------------------------------------------------------------------------- */

#define POLICIES 400
#define GRANTS 6

static uint8_t snapshots[POLICIES][4096];
static struct fwa_policy policies[POLICIES];
static const char policy_text[] = "\0m*.service\0M*\0X*"; /* 1, 12, 15 */

static const struct fwa_grantee whom[] = {
	{ FWA_WHO_ANY, 0, 0, 0 },
	{ FWA_WHO_OWNER, 0, 0, 0 },
	{ FWA_WHO_UID, 1000, 0, 0 },
	{ FWA_WHO_GID, 100, 0, 0 },
	{ FWA_WHO_GID, 101, 0, 0 },
	{ FWA_WHO_GID, 102, 0, 0 },
	{ FWA_WHO_UID_RANGE, 900, 1001, 0 },
	{ FWA_WHO_UNIT, 1, 0, 0 },
};

static void draw_grant(struct fwa_grant *g, unsigned int i, uint32_t *n_terms)
{
	*g = (struct fwa_grant){
		.scope = chance(60) ? FWA_SCOPE_DEBUG_WRITE_FULL : below(4),
		.effects = (chance(60) ? FWA_EFFECTS_ALL : below(FWA_EFFECTS_ALL)) &
			   FWA_EFFECTS_GRANTABLE,
		.until = chance(20) ? 500 + below(1000) : 0,
		.first_term = *n_terms,
		.n_terms = chance(40) ? 1 + below(3) : 0,
		.commands = chance(20) ? 5 : 0,
		.n_patterns = chance(20),
		.first_pattern = below(2),
	};
	*n_terms += g->n_terms;
	memcpy(g->name, "grant-", 6);
	g->name[6] = (char)('a' + i);
	g->name[7] = (char)('0' + below(2));
}

static void write_terms(struct fwa_writer *w, uint32_t n)
{
	while (n--) {
		const struct fwa_model_command *row = draw_row();

		fwa_filter_write_term(w, &(struct fwa_term){ .kind = FWA_TERM_COMMAND,
							     .flags = chance(40) ? FWA_TERM_NOT : 0,
							     .set = row->set,
							     .value = row->opcode });
	}
}

/* All have the same digest: whatever notices that they differ has looked at what they say. */
static void make_policy(unsigned int i)
{
	static const uint8_t digest[32] = { 7 };
	struct fwa_policy_counts n = { 0, 0, 0, 2, sizeof(policy_text) };
	struct fwa_writer w = fwa_writer(snapshots[i], sizeof(snapshots[i]));
	struct fwa_grantee who[COUNT(whom)];
	struct fwa_grant grants[COUNT(whom)];

	for (size_t k = 0; k < COUNT(whom); k++) {
		if (chance(50))
			continue;
		who[n.grants] = whom[k];
		who[n.grants].grant = n.grants;
		draw_grant(&grants[n.grants], (unsigned int)k, &n.terms);
		n.grants++;
	}
	n.grantees = n.grants;
	fwa_policy_write_header(&w, &n, digest);
	for (uint32_t k = 0; k < n.grants; k++)
		fwa_policy_write_grantee(&w, &who[k]);
	for (uint32_t k = 0; k < n.grants; k++)
		fwa_policy_write_grant(&w, &grants[k]);
	write_terms(&w, n.terms);
	fwa_policy_write_pattern(&w, &(struct fwa_pattern){ FWA_CONDITION_VENDOR, 12 });
	fwa_policy_write_pattern(&w, &(struct fwa_pattern){ FWA_CONDITION_VENDOR, 15 });
	fwa_write_bytes(&w, policy_text, sizeof(policy_text));
	assert_false(w.full);
	assert_int_equal(fwa_policy_parse(&policies[i], fwa_span(snapshots[i], w.len)), 0);
	assert_true(fwa_policy_whole(&policies[i]));
}

/* --- decisions as a gate makes and records them --------------------------------------------------- */

/* What a decision was made by. */
struct made {
	const struct fwa_policy *policy;
	const struct fwa_profile *profile, *accepted;
	struct fwa_principal who;
	struct fwa_contract contract;
	struct fwa_command cmd;
	bool gate;
	uint64_t now;
};

static const uint32_t all_groups[] = { 100, 101, 102 };

static void draw_made(struct made *m)
{
	memset(m, 0, sizeof(*m));
	m->policy = &ONE_OF(policies);
	m->profile = &ONE_OF(devices);
	m->cmd = draw_command(draw_row());
	if (chance(3))
		m->cmd.scope = (uint8_t)below(256);
	draw_contract(&m->contract);
	m->accepted = chance(80) ? &ONE_OF(devices) : NULL;
	m->who = (struct fwa_principal){ .uid = chance(50) ? 1000 : 999 + below(10),
					 .gid = 99 + below(3),
					 .groups = all_groups,
					 .n_groups = below(4),
					 .owner = chance(30),
					 .unit = chance(50) ? "monitor.service" : "x.service" };
	m->gate = chance(5);
	m->now = 500 + below(1000);
}

/* As the gate does: fold, decide, name the grant. */
static struct fwa_decision decide(const struct made *m, bool drifted, const char **ret_grant)
{
	struct fwa_drift drift = { m->accepted };
	struct fwa_contract contract = m->contract;
	struct fwa_rights rights = fwa_rights_all;
	struct fwa_decision d;

	contract.drift = drifted ? &drift : NULL;
	if (!m->gate)
		fwa_policy_fold(m->policy, &m->who, m->profile, fwa_pattern_matches, &rights);
	d = fwa_decide(&contract, &rights, m->profile, &m->cmd, m->now);
	*ret_grant = "";
	if (fwa_admitted(&d) && !m->gate)
		*ret_grant = fwa_policy_grant_name(m->policy, d.grant - 1);
	return d;
}

static void fill_who(const struct made *m, struct fwa_record_who *ret)
{
	static uint8_t bytes[sizeof(all_groups)];

	ret->uid = m->who.uid;
	ret->gid = m->who.gid;
	ret->owner = m->who.owner;
	ret->gate = m->gate;
	ret->n_groups = m->who.n_groups;
	ret->groups = bytes;
	for (uint32_t i = 0; i < m->who.n_groups; i++)
		fwa_put_le32(bytes + i * 4, m->who.groups[i]);
	strcpy(ret->unit, m->who.unit);
}

static uint8_t body[4096];

/* The record of what @m decides, as it is read from the journal. */
static void record(const struct made *m, bool drifted, bool whole_payload,
		   struct fwa_record_decision *ret)
{
	struct fwa_record_decision r = {
		.judged = m->now, .contract = m->contract, .cmd = m->cmd, .drifted = drifted
	};
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	const char *grant;

	r.decision = decide(m, drifted, &grant);
	r.judged_bytes = fwa_span(m->cmd.payload.data, fwa_command_judged_len(&m->cmd));
	if (whole_payload)
		r.payload = m->cmd.payload;
	r.policy_digest[0] = 7;
	r.accepted_sha256[0] = drifted && m->accepted;
	strcpy(r.grant, grant);
	fill_who(m, &r.who);
	fwa_record_decision_encode(&w, &r);
	assert_int_equal(fwa_record_decision_decode(fwa_span(body, w.len), ret), 0);
}

static bool replay(const struct fwa_record_decision *r, const struct made *m,
		   struct fwa_decision *ret)
{
	const char *why = "untouched";
	bool ok = fwa_record_replay(r, m->profile, m->policy, m->accepted, fwa_pattern_matches, ret,
				    &why);

	assert_null(why);
	return ok;
}

static void decisions_come_out_again(void **state)
{
	unsigned int by_reason[FWA_REASON_COUNT] = { 0 };

	for (int i = 0; i < 60000; i++) {
		struct fwa_record_decision r;
		struct fwa_decision d;
		struct made m;

		draw_made(&m);
		record(&m, chance(30), chance(20), &r);
		assert_true(replay(&r, &m, &d));
		d.grant = d.right = 0;
		assert_true(same(&d, &r.decision));
		by_reason[d.reason]++;
	}
	for (int i = 0; i < FWA_REASON_COUNT; i++)
		if (!by_reason[i])
			fail_msg("no decision %s was drawn", fwa_reason_name((unsigned int)i));
}

/* Whether what @m decides is what @r says of it; by the decision itself, not by its replay. */
static bool still(const struct made *m, const struct fwa_record_decision *r)
{
	const char *grant;
	struct fwa_decision d = decide(m, r->drifted, &grant);

	d.grant = d.right = 0;
	return same(&d, &r->decision) && strcmp(grant, r->grant) == 0;
}

/* Another policy of the same digest, another profile, other declarations: noticed if it matters. */
static void other_content_is_noticed(void **state)
{
	unsigned int differ[3] = { 0 }, same_again[3] = { 0 };

	for (int i = 0; i < 60000; i++) {
		uint32_t what = below(3);
		struct fwa_record_decision r;
		struct fwa_decision d;
		struct made m;

		draw_made(&m);
		record(&m, what == 2 && m.accepted, false, &r);
		if (what == 0)
			m.policy = &ONE_OF(policies);
		else if (what == 1)
			m.profile = &ONE_OF(devices);
		else if (m.accepted)
			m.accepted = &ONE_OF(devices);
		assert_int_equal(replay(&r, &m, &d), still(&m, &r));
		if (still(&m, &r))
			same_again[what]++;
		else
			differ[what]++;
	}
	for (int i = 0; i < 3; i++)
		assert_true(differ[i] > 500 && same_again[i] > 500);
}

/* Whatever a record says otherwise than it was: refused, or there is no difference. */
static void tampered_records_are_noticed(void **state)
{
	unsigned int noticed = 0;

	for (int i = 0; i < 20000; i++) {
		struct fwa_record_decision r, was;
		struct fwa_decision d;
		struct made m;
		uint8_t *p;

		draw_made(&m);
		record(&m, false, false, &r);
		was = r;
		/* its verdict and all that it says of it */
		p = (uint8_t *)&r.decision + below(offsetof(struct fwa_decision, grant));
		*p ^= (uint8_t)(1 << below(8));
		if (memcmp(&r.decision, &was.decision, sizeof(r.decision)))
			assert_false(replay(&r, &m, &d));
		r = was;
		r.grant[0] = (char)(r.grant[0] ^ 1);
		assert_false(replay(&r, &m, &d));
		/* the state that it was decided in */
		r = was;
		draw_contract(&r.contract);
		m.contract = r.contract;
		assert_int_equal(replay(&r, &m, &d), still(&m, &was));
		noticed += !still(&m, &was);
	}
	assert_true(noticed > 1000);
}

/* --- what cannot be judged again ------------------------------------------------------------------ */

static void says_why(const struct fwa_record_decision *r, const struct made *m,
		     const struct fwa_profile *accepted, const char *why)
{
	struct fwa_decision d;
	const char *text = NULL;

	assert_false(fwa_record_replay(r, m->profile, m->policy, accepted, fwa_pattern_matches, &d,
				       &text));
	assert_string_equal(text, why);
	assert_int_equal(d.reason, FWA_REASON_MALFORMED);
}

static void what_is_missing_is_said(void **state)
{
	const struct fwa_model_command *row = fwa_model_find(FWA_SET_CXL, CXL_OP_SET_FEATURE);
	struct fwa_record_decision r, was;
	struct fwa_decision d;
	const char *why;
	struct made m;

	draw_made(&m);
	m.gate = false;
	m.accepted = &devices[0];
	m.cmd = draw_command(row);
	record(&m, true, false, &was);

	r = was;
	r.policy_digest[31] ^= 1;
	says_why(&r, &m, m.accepted, "it was decided by another policy");
	r = was;
	r.who.more_groups = true;
	says_why(&r, &m, m.accepted, "it does not record all groups of the caller");
	r = was;
	r.judged_bytes.len--;
	says_why(&r, &m, m.accepted,
		 "it records fewer bytes of the payload than decisions look at");
	r = was;
	says_why(&r, &m, NULL, "the declarations that it was held to are not here");
	r.payload = fwa_span(payload, m.cmd.payload.len - 1);
	says_why(&r, &m, m.accepted, "it records another payload than it says");

	/* a policy is no matter of the gate's own commands, and no policy is one, too */
	m.gate = true;
	record(&m, true, false, &r);
	r.policy_digest[31] ^= 1;
	assert_true(replay(&r, &m, &d));
	m.gate = false;
	m.policy = &(struct fwa_policy){ 0 };
	record(&m, false, false, &r);
	r.policy_digest[0] = 0;
	assert_true(
		fwa_record_replay(&r, m.profile, m.policy, NULL, fwa_pattern_matches, &d, &why));
}

/* A device of which nothing is accepted where something must be. */
static void nothing_accepted(void **state)
{
	struct fwa_record_decision r;
	struct fwa_decision d;
	unsigned int refused = 0;
	struct made m;

	for (int i = 0; i < 2000; i++) {
		draw_made(&m);
		m.accepted = NULL;
		record(&m, true, false, &r);
		/* others that are at hand are none of its matter */
		m.accepted = &devices[0];
		assert_true(replay(&r, &m, &d));
		refused += d.detail == FWA_DETAIL_NOT_PINNED;
	}
	assert_true(refused > 10);
}

/*
 * Judged bytes up to as many as a record can hold, of a payload that is longer than any: nothing behind
 * them is looked at, which the sanitizer would see.
 */
static void lying_lengths(void **state)
{
	for (size_t n = 0; any_row(n); n++) {
		size_t len = chance(50) ? 255 : below(256);
		uint8_t *exact = malloc(len ? len : 1);
		struct fwa_record_decision r = { .judged_bytes = { exact, len } };
		struct fwa_policy none = { 0 };
		struct fwa_decision d;
		const char *why;

		assert_non_null(exact);
		draw_bytes(exact, len);
		r.cmd = draw_command(any_row(n));
		r.cmd.payload = fwa_span(NULL, chance(50) ? UINT32_MAX : FWA_COMMAND_DATA_MAX);
		fwa_record_replay(&r, &ONE_OF(devices), &none, NULL, fwa_pattern_matches, &d, &why);
		assert_int_equal(why != NULL, len < fwa_command_judged_len(&r.cmd));
		free(exact);
	}
}

/* As many groups as a record holds, the one that counts the last. */
static void all_groups_count(void **state)
{
	static const struct fwa_grant all = {
		.scope = FWA_SCOPE_DEBUG_WRITE_FULL,
		.effects = FWA_EFFECTS_GRANTABLE,
		.name = "grant-of-a-name-that-is-as-long-as-a-name-can-b"
	};
	static const struct fwa_policy_counts n = { 1, 1, 0, 0, 1 };
	static uint8_t snapshot[256], groups[FWA_RECORD_GROUPS_MAX * 4];
	const uint8_t digest[32] = { 7 };
	struct fwa_writer w = fwa_writer(snapshot, sizeof(snapshot));
	struct fwa_record_decision r = { .policy_digest = { 7 } };
	struct fwa_policy policy;
	struct fwa_decision d;
	const char *why;

	fwa_policy_write_header(&w, &n, digest);
	fwa_policy_write_grantee(&w, &(struct fwa_grantee){ FWA_WHO_GID, 77, 0, 0 });
	fwa_policy_write_grant(&w, &all);
	fwa_write_u8(&w, 0);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(snapshot, w.len)), 0);
	fwa_put_le32(groups + sizeof(groups) - 4, 77);
	r.who = (struct fwa_record_who){ .gid = 1,
					 .groups = groups,
					 .n_groups = FWA_RECORD_GROUPS_MAX };
	r.cmd = (struct fwa_command){ .scope = FWA_SCOPE_LEAST, .opcode = 0x4000 };
	memcpy(r.grant, all.name, sizeof(r.grant));
	fwa_record_replay(&r, &devices[0], &policy, NULL, fwa_pattern_matches, &r.decision, &why);
	assert_true(fwa_admitted(&r.decision));
	assert_true(
		fwa_record_replay(&r, &devices[0], &policy, NULL, fwa_pattern_matches, &d, &why));
	r.grant[FWA_GRANT_NAME_MAX - 2]++;
	assert_false(
		fwa_record_replay(&r, &devices[0], &policy, NULL, fwa_pattern_matches, &d, &why));
	r.grant[FWA_GRANT_NAME_MAX - 2] = '\0';
	assert_false(
		fwa_record_replay(&r, &devices[0], &policy, NULL, fwa_pattern_matches, &d, &why));
}

static int make_all(void **state)
{
	make_devices(state);
	for (unsigned int i = 0; i < POLICIES; i++)
		make_policy(i);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_judged_bytes_matter),
		cmocka_unit_test(nothing_behind_matters),
		cmocka_unit_test(secrets_are_not_judged),
		cmocka_unit_test(decisions_come_out_again),
		cmocka_unit_test(other_content_is_noticed),
		cmocka_unit_test(tampered_records_are_noticed),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(nothing_accepted),
		cmocka_unit_test(lying_lengths),
		cmocka_unit_test(all_groups_count),
	};

	return cmocka_run_group_tests(tests, make_all, NULL);
}
