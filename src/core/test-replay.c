/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Judging again what was recorded: drawn decisions come out the same from their record, and another
 * policy, profile or state that says otherwise is noticed.
 */
#include "core/test-replay.h"
#include "base/pattern.h"

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
