/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What explain proposes, tried out (C30): for each command that the model and the devices here know, in
 * each of its forms, refused to users with different rights at each scope, the proposed grant is read
 * as a policy file, and
 *
 * 1. the command passes, at the scope that was said;
 * 2. by this grant alone nothing passes that is not the same opcode with the same fields, at most at this
 *    scope and with at most these effects; nothing for another user, nothing on another device;
 * 3. the command line says the same as the policy file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include "base/pattern.h"
#include "base/util.h"
#include "cli/advice.h"
#include "cli/propose.h"
#include "core/reason.h"
#include "support.h"
#include "transport/transport.h"
#include "wire/cxl.h"

#define FORMS_MAX 20000
#define ENCODED_MAX (1u << 20)
#define DATA_MAX 4096u

static uint8_t zeroes[DATA_MAX];

/* --- subjects ------------------------------------------------------------------------------- */

/* Every mailbox command of the model and some of vendors, declared in rotating ways. */
static void open_cxl(void)
{
	static const uint16_t words[] = { 0,    0x1,  0x2,   0x4,  0x8,  0x10,
					  0x20, 0x42, 0x202, 0x7f, 0xe00 };
	static const uint8_t limits[8] = {
		0x01, 0x10, 0, 0, 0, 0x10, 0, 0
	}; /* LSA 4097, mailbox 4096 */
	uint8_t *encoded = malloc(ENCODED_MAX), cel[4096];
	struct fwa_writer w = fwa_writer(encoded, ENCODED_MAX), c = fwa_writer(cel, sizeof(cel));
	uint8_t log[CXL_LOGS_ENTRY_LEN];
	const struct fwa_model_command *row;
	size_t i;

	for (i = 0; (row = fwa_model_row(FWA_SET_CXL, i)); i++) {
		fwa_write_le16(&c, row->opcode);
		fwa_write_le16(&c, words[i % FWA_ARRAY_SIZE(words)]);
	}
	for (uint16_t opcode = 0xc000; opcode < 0xc020; opcode++) {
		fwa_write_le16(&c, opcode);
		fwa_write_le16(&c, words[opcode % FWA_ARRAY_SIZE(words)]);
	}
	assert_false(c.full);
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, c.len));
	memcpy(log, CXL_UUID_CEL, sizeof(CXL_UUID_CEL));
	fwa_put_le32(log + sizeof(CXL_UUID_CEL), 4096);
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	test_set_subject(encoded, w.len, "mem0");
}

/* Every opcode of both queues, declared in rotating ways. */
static void open_nvme(void)
{
	static const uint32_t dwords[] = { 0x1, 0x3, 0x5, 0x9, 0x11, 0x1f, 0x10001, 0x20001 };
	static const uint8_t namespace[8] = { 1, 0, 0, 0, 9 };
	uint8_t *encoded = malloc(ENCODED_MAX), log[4096] = { 0 };
	struct fwa_writer w = fwa_writer(encoded, ENCODED_MAX);

	for (uint32_t i = 0; i < 512; i++)
		fwa_put_le32(log + 4 * (size_t)i, dwords[i % FWA_ARRAY_SIZE(dwords)]);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES, fwa_span(namespace, sizeof(namespace)));
	test_set_subject(encoded, w.len, "nvme0");
}

/* --- commands ------------------------------------------------------------------------------- */

struct form {
	struct fwa_command cmd;
	uint8_t *payload; /* owned, DATA_MAX bytes; NULL: zeroes */
};

static struct form forms[FORMS_MAX];
static size_t n_forms;

static const struct fwa_rights everything = {
	.n_matched = 1,
	.n = 1,
	.right[0] = { .scope = FWA_SCOPE_DEBUG_WRITE_FULL, .effects = FWA_EFFECTS_GRANTABLE },
};

static struct fwa_decision decide(const struct fwa_rights *rights, const struct fwa_command *cmd)
{
	return fwa_decide(&test_subject.contract, rights, test_subject.profile, cmd,
			  test_subject.now);
}

/* Finds lengths that the command can have. */
static void fit(struct fwa_command *cmd, const struct fwa_model_command *row)
{
	const uint32_t in[] = { row ? row->in_min : 0, 0, 2, 4, 16, 20, 32, 40, 64, 512, 4096 };
	const uint32_t out[] = { row && row->set != FWA_SET_CXL ? row->out_min : 0, 0, 4, 512,
				 4096 };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(in); i++) {
		for (size_t o = 0; o < FWA_ARRAY_SIZE(out); o++) {
			cmd->payload.len = in[i];
			cmd->out_len = out[o];
			if (decide(&everything, cmd).reason != FWA_REASON_PAYLOAD_SHAPE)
				return;
		}
	}
}

static void add_form(const struct fwa_command *cmd, const uint8_t *payload,
		     const struct fwa_model_command *row)
{
	struct form *f = &forms[n_forms++];

	assert_true(n_forms < FORMS_MAX);
	f->cmd = *cmd;
	f->cmd.scope = FWA_SCOPE_LEAST;
	f->payload = payload ? malloc(DATA_MAX) : NULL;
	if (payload)
		memcpy(f->payload, payload, DATA_MAX);
	f->cmd.payload = fwa_span(payload ? f->payload : zeroes, 0);
	fit(&f->cmd, row);
}

/* The command for each of its operations, at the first value of each. */
static void add_operations(struct fwa_command *cmd, uint8_t *payload,
			   const struct fwa_model_command *row)
{
	const struct fwa_operation_table *t = row ? row->operations : NULL;

	if (!t) {
		add_form(cmd, payload, row);
		return;
	}
	for (uint8_t i = 0; i < t->n; i++) {
		uint32_t value = (uint32_t)t->all[i].first << t->shift;
		uint32_t mask = (uint32_t)t->mask << t->shift;

		if (t->cdw) {
			cmd->cdw[t->cdw - 10] = (cmd->cdw[t->cdw - 10] & ~mask) | value;
		} else {
			payload[t->at] = (uint8_t)(t->width == 2 ? value >> 8 : value);
			if (t->width == 2)
				payload[t->at + 1] = (uint8_t)value;
		}
		add_form(cmd, payload, row);
	}
}

static void add_numbered(struct fwa_command *cmd, uint8_t *payload,
			 const struct fwa_model_command *row)
{
	for (uint32_t value = 0; value < 256; value++) {
		struct fwa_variant_slice slice = row->select->by_value[value];

		for (uint16_t i = slice.first; i < slice.first + slice.count; i++) {
			const struct fwa_variant *v = &row->select->all[i];

			memset(cmd->cdw, 0, sizeof(cmd->cdw));
			if (v->mask)
				cmd->cdw[v->cdw - 10] = v->value;
			cmd->cdw[0] |= value;
			add_operations(cmd, payload, row);
		}
	}
	memset(cmd->cdw, 0, sizeof(cmd->cdw));
}

static void add_uuids(struct fwa_command *cmd, uint8_t *payload,
		      const struct fwa_model_command *row)
{
	struct fwa_feature feature;

	for (uint16_t i = 0; i < row->select->n_all; i++) {
		memcpy(payload, row->select->all[i].uuid, 16);
		add_operations(cmd, payload, row);
	}
	for (size_t i = 0; fwa_profile_feature(test_subject.profile, i, &feature); i++) {
		memcpy(payload, feature.uuid, 16);
		add_operations(cmd, payload, row);
	}
	for (size_t i = 0; i < test_subject.profile->logs.len / CXL_LOGS_ENTRY_LEN; i++) {
		memcpy(payload, test_subject.profile->logs.data + i * CXL_LOGS_ENTRY_LEN, 16);
		add_operations(cmd, payload, row);
	}
}

static void add_command(unsigned int set, uint16_t opcode)
{
	static const uint32_t namespaces[] = { 0, 1, UINT32_MAX };
	const struct fwa_model_command *row = fwa_model_find(set, opcode);
	struct fwa_command cmd = { .set = (uint8_t)set, .opcode = opcode };
	uint8_t payload[DATA_MAX] = { 0 };

	for (uint8_t i = 0; row && i < row->n_rules; i++) {
		if (row->rules[i].kind == FWA_RULE_NONZERO)
			payload[row->rules[i].at] = 1;
	}
	for (size_t i = 0; i < (set == FWA_SET_CXL ? 1 : FWA_ARRAY_SIZE(namespaces)); i++) {
		cmd.nsid = namespaces[i];
		if (row && row->select && row->select->by_value)
			add_numbered(&cmd, payload, row);
		else if (row && row->select)
			add_uuids(&cmd, payload, row);
		else
			add_operations(&cmd, payload, row);
	}
}

static void make_forms(void)
{
	unsigned int set = 0;
	int32_t opcode = -1;

	for (size_t i = 0; i < n_forms; i++)
		free(forms[i].payload);
	n_forms = 0;
	/* thousands of vendor commands that differ in nothing tell no more than hundreds */
	while (fwa_profile_next(test_subject.profile, &set, &opcode) && opcode < 0xc100)
		add_command(set, (uint16_t)opcode);
}

/* --- trying it ------------------------------------------------------------------------------ */

/* What @text grants to @uid on a device called @device. The rights view *ret_encoded. */
static struct fwa_rights rights_by(const char *text, const char *device, uint32_t uid,
				   uint8_t **ret_encoded)
{
	const struct fwa_principal who = { .uid = uid, .gid = 60000 };
	struct fwa_policy_files *files = NULL;
	struct fwa_rights rights;
	struct fwa_policy policy;
	size_t len;

	if (fwa_policy_files_parse_memory("test.conf", fwa_span(text, strlen(text)), NULL, NULL,
					  &files) < 0)
		fail_msg("not a policy:\n%s", text);
	assert_int_equal(fwa_policy_files_encode(files, device, NULL, ret_encoded, &len), 0);
	fwa_policy_files_free(files);
	assert_int_equal(fwa_policy_parse(&policy, fwa_span(*ret_encoded, len)), 0);
	fwa_policy_fold(&policy, &who, test_subject.profile, fwa_pattern_matches, &rights);
	return rights;
}

static bool same_field(const struct fwa_command *a, const struct fwa_command *b, unsigned int field)
{
	struct fwa_field_value x, y;

	if (fwa_command_field(a, field, &x) != fwa_command_field(b, field, &y))
		return false;
	if (!fwa_command_field(a, field, &x))
		return true;
	return x.uuid ? memcmp(x.uuid, y.uuid, 16) == 0 : x.number == y.number;
}

static bool same_command(const struct fwa_command *a, const struct fwa_command *b)
{
	if (a->set != b->set || a->opcode != b->opcode)
		return false;
	for (unsigned int field = 1; field < FWA_FIELD_COUNT; field++) {
		if (!same_field(a, b, field))
			return false;
	}
	return true;
}

/* That the grant in @policy lets nothing through but commands like the one of @v. */
static void check_no_more(const struct cli_verdict *v, const char *policy, uint32_t uid)
{
	fwa_auto_free uint8_t *encoded = NULL, *others = NULL, *elsewhere = NULL;
	struct fwa_rights rights = rights_by(policy, test_subject.name, uid, &encoded);
	struct fwa_decision d;

	assert_int_equal(rights.n, 1);
	assert_int_equal(rights.right[0].scope, v->remedy.scope);
	assert_int_equal(rights.right[0].effects, v->remedy.effects);
	assert_int_equal(rights_by(policy, test_subject.name, uid + 1, &others).n, 0);
	assert_int_equal(rights_by(policy, "mem00", uid, &elsewhere).n, 0);
	for (size_t i = 0; i < n_forms; i++) {
		d = decide(&rights, &forms[i].cmd);
		if (!fwa_admitted(&d))
			continue;
		if (!same_command(&forms[i].cmd, v->cmd))
			fail_msg("%02xh passes by what was proposed for %02xh:\n%s", d.opcode,
				 v->cmd->opcode, policy);
		assert_int_equal(d.effects & ~v->remedy.effects, 0);
	}
}

/* The value of --@option among the words; NULL for none. */
static const char *option(const wordexp_t *words, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < words->we_wordc; i++) {
		const char *word = words->we_wordv[i];

		if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, len) == 0 &&
		    word[2 + len] == '=')
			return word + 2 + len + 1;
	}
	return NULL;
}

static void check_command_line(const struct cli_proposal *p)
{
	char line[CLI_PROPOSAL_TEXT], effects[CLI_EFFECTS_TEXT] = "", *to = effects;
	wordexp_t words;

	cli_proposal_command(p, line);
	assert_int_equal(wordexp(line, &words, WRDE_NOCMD | WRDE_UNDEF), 0);
	assert_int_equal(words.we_wordc, 9);
	assert_string_equal(words.we_wordv[2], "create");
	assert_string_equal(option(&words, "user"), p->user);
	assert_string_equal(option(&words, "device"), p->device);
	assert_string_equal(option(&words, "scope"), p->scope);
	assert_string_equal(option(&words, "commands"), p->commands);
	assert_string_equal(option(&words, "for"), "1h");
	for (const char *c = p->effects; *c; c++) {
		if (*c != ' ')
			*to++ = *c;
	}
	assert_string_equal(option(&words, "effects"), effects);
	wordfree(&words);
}

static size_t tried, proposed;

/* What the refused command of @v gets proposed, on top of what @base grants. */
static void try_proposal(const struct cli_verdict *v, const char *base, uint32_t uid, bool all)
{
	char own[CLI_PROPOSAL_TEXT], policy[2 * CLI_PROPOSAL_TEXT];
	fwa_auto_free uint8_t *encoded = NULL;
	struct fwa_command asked = *v->cmd;
	struct cli_proposal p;
	struct fwa_rights rights;
	struct fwa_decision d;

	proposed++;
	cli_propose(&test_cli, v, &p);
	cli_proposal_policy(&p, own);
	snprintf(policy, sizeof(policy), "%s%s", base, own);
	rights = rights_by(policy, test_subject.name, uid, &encoded);
	asked.scope = v->remedy.scope;
	d = decide(&rights, &asked);
	if (!fwa_admitted(&d))
		fail_msg("%s does not pass by what was proposed: %s\n%s", p.commands,
			 fwa_reason_name(d.reason), policy);
	check_command_line(&p);
	if (all)
		check_no_more(v, own, uid);
}

static void try_form(const struct form *f, const char *user, uint32_t uid)
{
	static const char *const bases[] = {
		"",
		"[grant reader]\nuser = *\ndevice = *\nscope = configuration\n",
		"[grant logger]\nuser = *\ndevice = *\nscope = debug-write-full\neffects = log\n",
		("[grant few]\nuser = *\ndevice = *\nscope = debug-write-full\n"
		 "commands = cxl:get-log, admin:get-log-page lid:2, !admin:identify\n"),
	};

	for (size_t b = 0; b < FWA_ARRAY_SIZE(bases); b++) {
		fwa_auto_free uint8_t *encoded = NULL;

		test_subject.rights = rights_by(bases[b], test_subject.name, uid, &encoded);
		for (unsigned int scope = 0; scope <= FWA_SCOPE_NEVER; scope++) {
			struct fwa_command cmd = f->cmd;
			struct cli_advice advice;
			struct cli_verdict v;

			cmd.scope = (uint8_t)(scope < FWA_SCOPE_NEVER ? scope : FWA_SCOPE_LEAST);
			v = cli_verdict_of(&test_subject, &cmd, user);
			tried++;
			if (fwa_admitted(&v.decision))
				continue;
			cli_advise(&v, &advice);
			assert_true(advice.n >= 1 && advice.who && *advice.pass[0]);
			if (v.remedy.possible && v.remedy.grant)
				try_proposal(&v, bases[b], uid, b == 0 && scope == FWA_SCOPE_NEVER);
		}
		test_subject.rights = (struct fwa_rights){ 0 };
	}
}

static void try_all(void)
{
	make_forms();
	for (size_t i = 0; i < n_forms; i++)
		try_form(&forms[i], i % 2 ? "0" : "12345", i % 2 ? 0 : 12345);
}

static void test_simulated(void **state)
{
	const char *name, *about;

	tried = proposed = 0;
	for (size_t i = 0; fwa_sim_personality(i, &name, &about); i++) {
		test_open_sim(name);
		try_all();
	}
	print_message("%zu decisions, %zu proposals\n", tried, proposed);
	assert_true(proposed > 5000);
}

static void test_cxl(void **state)
{
	tried = proposed = 0;
	open_cxl();
	try_all();
	print_message("%zu decisions, %zu proposals\n", tried, proposed);
	assert_true(proposed > 500);
}

static void test_nvme(void **state)
{
	tried = proposed = 0;
	open_nvme();
	try_all();
	print_message("%zu decisions, %zu proposals\n", tried, proposed);
	assert_true(proposed > 10000);
}

/* A proposal for the device of that name. */
static void try_name(const char *name, struct cli_proposal *ret)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE,
				   .scope = FWA_SCOPE_LEAST };
	struct cli_verdict v;

	snprintf(test_subject.name, sizeof(test_subject.name), "%s", name);
	v = cli_verdict_of(&test_subject, &cmd, "12345");
	assert_true(v.remedy.possible && v.remedy.grant);
	try_proposal(&v, "", 12345, true);
	cli_propose(&test_cli, &v, ret);
}

/* Names that a pattern or a policy file would read otherwise. */
static void test_odd_device_names(void **state)
{
	static const char *const patterns[][2] = {
		{ "we*rd", "weird" }, { "a?b", "axb" }, { "[ab]", "a" }, { "a\\?", "ax" }
	};
	struct cli_proposal p;

	static const char *const names[] = { "we*rd", "a?b", "[ab]",  "a\\b",  "a b",  "a,b",
					     "#a",    ";a",  "a;b;",  "sim:x", "a=b",  "!a",
					     "-",     "'a'", "\"a\"", "$HOME", "`id`", "~" };

	test_open_sim("honest");
	make_forms();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		try_name(names[i], &p);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(patterns); i++) {
		try_name(patterns[i][0], &p);
		assert_false(fwa_pattern_matches(p.device, patterns[i][1]));
	}
}

static int leave(void **state)
{
	for (size_t i = 0; i < n_forms; i++)
		free(forms[i].payload);
	cli_subject_close(&test_subject);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simulated),
		cmocka_unit_test(test_cxl),
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_odd_device_names),
	};

	return cmocka_run_group_tests(tests, NULL, leave);
}
