/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence: what is written is read again as it was, whatever is not as it was written is refused, and it
 * happens again on the device that it is about, and on no honest one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/util.h"
#include "verify/digest.h"
#include "verify/evidence-internal.h"

static struct vfy_campaign liar; /* sim:liar-immediate */

static int run(struct vfy_campaign *c, const char *spec)
{
	struct vfy_campaign_args args = {
		.spec = spec,
		.seed = 1,
		.probe = VFY_PROBE_DESTRUCTIVE,
		.only_set = -1,
		.phases = 1u << VFY_PHASE_VALID,
		.timeout_ms = 20,
	};

	return vfy_campaign_run(c, &args);
}

static int make_liar(void **state)
{
	return run(&liar, "sim:liar-immediate,bg-ms=1") < 0 || !liar.n_findings ? -1 : 0;
}

static int clear_liar(void **state)
{
	vfy_campaign_clear(&liar);
	return 0;
}

/* The first finding of @kind. */
static size_t index_of(const struct vfy_campaign *c, unsigned int kind)
{
	for (size_t i = 0; i < c->n_findings; i++)
		if (c->finding[i].kind == kind)
			return i;
	fail_msg("no %s among %zu findings", vfy_kind_name(kind), c->n_findings);
	return 0;
}

static char *text_of(const struct vfy_campaign *c, size_t i)
{
	json_object *o = vfy_evidence_json(c, i);
	char *text = vfy_json_file(o);

	assert_non_null(text);
	json_object_put(o);
	return text;
}

static int read_text(struct vfy_evidence *e, const char *text, char error[FWA_ERROR_LEN])
{
	return vfy_evidence_read(e, fwa_span(text, strlen(text)), error);
}

/* --- there and back ---------------------------------------------------------------------------------- */

static void assert_same_answer(const struct vfy_answer *a, const struct vfy_answer *b)
{
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->code, b->code);
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->out_len, b->out_len);
	assert_memory_equal(a->sha256, b->sha256, sizeof(a->sha256));
	assert_memory_equal(a->head, b->head, sizeof(a->head));
}

static void assert_same_exhibit(const struct vfy_exhibit *a, const struct vfy_exhibit *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->field, b->field);
	assert_int_equal(a->shown, b->shown);
	assert_int_equal(a->covered, b->covered);
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->last, b->last);
	assert_int_equal(a->before_code, b->before_code);
	assert_int_equal(a->after_code, b->after_code);
	assert_int_equal(a->before_error, b->before_error);
	assert_int_equal(a->after_error, b->after_error);
	assert_int_equal(a->kept_from, b->kept_from);
	assert_int_equal(a->before_len, b->before_len);
	assert_int_equal(a->after_len, b->after_len);
	assert_memory_equal(a->before, b->before, sizeof(a->before));
	assert_memory_equal(a->after, b->after, sizeof(a->after));
}

static void assert_same_finding(const struct vfy_finding *a, const struct vfy_finding *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->severity, b->severity);
	assert_int_equal(a->set, b->set);
	assert_int_equal(a->has_opcode, b->has_opcode);
	assert_int_equal(a->opcode, b->opcode);
	assert_int_equal(a->claim.declared, b->claim.declared);
	assert_int_equal(a->claim.floor, b->claim.floor);
	assert_int_equal(a->claim.listed, b->claim.listed);
	assert_int_equal(a->observed, b->observed);
	assert_int_equal(a->undeclared, b->undeclared);
	assert_int_equal(a->apart, b->apart);
	assert_string_equal(a->only, b->only);
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->runs, b->runs);
	assert_int_equal(a->reproduced, b->reproduced);
	assert_int_equal(a->controls, b->controls);
	assert_int_equal(a->control_changed, b->control_changed);
	assert_int_equal(a->from_steps, b->from_steps);
	assert_int_equal(a->sequence.n, b->sequence.n);
	for (size_t i = 0; i < a->sequence.n; i++) {
		assert_true(vfy_step_eq(&a->sequence.step[i], &b->sequence.step[i]));
		/* Of equal neighbours only the last one's answer is there. */
		if (a->answer && (i + 1 == a->sequence.n ||
				  !vfy_step_eq(&a->sequence.step[i], &a->sequence.step[i + 1])))
			assert_same_answer(&a->answer[i], &b->answer[i]);
	}
	assert_int_equal(a->n_exhibits, b->n_exhibits);
	for (uint32_t i = 0; i < a->n_exhibits; i++)
		assert_same_exhibit(&a->exhibit[i], &b->exhibit[i]);
}

static void round_trip(const struct vfy_campaign *c)
{
	for (size_t i = 0; i < c->n_findings; i++) {
		fwa_auto_free char *text = text_of(c, i);
		char error[FWA_ERROR_LEN] = "";
		struct vfy_evidence e;

		if (read_text(&e, text, error) < 0)
			fail_msg("%s", error);
		assert_same_finding(&c->finding[i], &e.finding);
		assert_string_equal(e.spec, c->args.spec);
		assert_string_equal(e.tool, FWADMIT_VERSION);
		assert_string_equal(e.id_of.model, c->target.profile->id.model);
		assert_string_equal(e.id_of.serial, c->target.profile->id.serial);
		assert_int_equal(e.profile_len, c->target.profile_len);
		assert_memory_equal(e.profile_bytes, c->target.profile_bytes, e.profile_len);
		assert_int_equal(strncmp(e.id, "fwadmit-", 8), 0);
		assert_int_equal(strlen(e.id), 8 + 16);
		vfy_evidence_clear(&e);
	}
}

static void round_trips(void **state)
{
	static const char *const specs[] = { "sim:flapping,bg-ms=1", "sim:hang,bg-ms=1",
					     "sim:liar-nvme-data,bg-ms=1" };

	round_trip(&liar);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(specs); i++) {
		struct vfy_campaign c;

		assert_int_equal(run(&c, specs[i]), 0);
		assert_true(c.n_findings > 0);
		round_trip(&c);
		vfy_campaign_clear(&c);
	}
}

/* A sequence of everything that a step can be. */
static void each_step(void **state)
{
	uint8_t payload[] = { 1, 2, 3 };
	const struct vfy_step steps[] = {
		{ .kind = VFY_OBSERVE },
		{ .kind = VFY_OBSERVE },
		{ .kind = VFY_RESET, .reset = FWA_RESET_CXL },
		{ .kind = VFY_SETTLE },
		{ .kind = VFY_COMMAND, .opcode = 0xc001, .payload = payload, .payload_len = 3 },
		{ .kind = VFY_COMMAND, .opcode = 0xc001, .payload = payload, .payload_len = 2 },
		{ .kind = VFY_COMMAND,
		  .set = FWA_SET_NVME_IO,
		  .opcode = 2,
		  .nsid = UINT32_MAX,
		  .cdw = { 1, 2, 3, 4, 5, UINT32_MAX },
		  .out_len = 4096 },
	};
	struct vfy_finding f = { .kind = VFY_HALF_APPLIED }, back = { 0 };
	char error[FWA_ERROR_LEN];
	struct vfy_json j = { 0 };
	json_object *o;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(steps); i++)
		assert_int_equal(vfy_sequence_add(&f.sequence, &steps[i]), 0);
	snprintf(f.text, sizeof(f.text), "text");
	snprintf(f.only, sizeof(f.only), "lsa @0");
	o = vfy_finding_json(&j, &f);
	assert_false(j.failed);
	assert_int_equal(vfy_finding_read(o, &back, error), 0);
	assert_same_finding(&f, &back);
	json_object_put(o);
	vfy_finding_clear(&f);
	vfy_finding_clear(&back);
}

/* --- not as it was written ---------------------------------------------------------------------------- */

static void each_byte_counts(void **state)
{
	fwa_auto_free char *text = text_of(&liar, index_of(&liar, VFY_IMMEDIATE));
	size_t len = strlen(text);

	/* Each of the first and last, and every 97th in between. */
	for (size_t i = 0; i < len; i += i < 600 || i > len - 600 ? 1 : 97) {
		char error[FWA_ERROR_LEN] = "";
		struct vfy_evidence e;
		char before = text[i];
		int r;

		text[i] = before == '1' ? '2' : '1';
		r = read_text(&e, text, error);
		text[i] = before;
		if (r != -EINVAL)
			fail_msg("byte %zu, '%c', does not count", i, before);
		assert_true(error[0]);
	}
	for (size_t i = 0; i < len; i += 1 + i / 8) {
		char error[FWA_ERROR_LEN] = "";
		struct vfy_evidence e;

		assert_int_equal(vfy_evidence_read(&e, fwa_span(text, i), error), -EINVAL);
		assert_true(error[0]);
	}
}

/* @o as who wrote it would have digested it. */
static char *digested(json_object *o)
{
	char *text = vfy_json_file(o), digits[65];
	uint8_t digest[32];
	size_t id, sha256;

	assert_true(vfy_evidence_digest(text, strlen(text), digest, &id, &sha256));
	fwa_hex_text(digest, 32, digits);
	memcpy(text + id, digits, 16);
	memcpy(text + sha256, digits, 64);
	return text;
}

/* The member at @path ("finding.steps.0.times") of @o becomes the JSON @value. */
static void change(json_object *o, const char *path, const char *value)
{
	char copy[128], *save, *word, *next;

	snprintf(copy, sizeof(copy), "%s", path);
	word = strtok_r(copy, ".", &save);
	while ((next = strtok_r(NULL, ".", &save))) {
		o = json_object_is_type(o, json_type_array)
			    ? json_object_array_get_idx(o, strtoul(word, NULL, 10))
			    : json_object_object_get(o, word);
		assert_non_null(o);
		word = next;
	}
	if (json_object_is_type(o, json_type_array))
		json_object_array_put_idx(o, strtoul(word, NULL, 10), json_tokener_parse(value));
	else if (*value)
		json_object_object_add(o, word, json_tokener_parse(value));
	else
		json_object_object_del(o, word);
}

static void hostile_members(void **state)
{
	static const struct {
		const char *path, *value, *says;
	} table[] = {
		{ "format_version", "2", "format_version: not 1" },
		{ "format_version", "\"1\"", "format_version: not a whole number" },
		{ "kind", "\"fwadmit-campaign\"", "kind: not fwadmit-evidence" },
		{ "tool", "[]", "tool: not an object" },
		{ "tool.version", "\"a version that is as long as no version is\"",
		  "tool.version: too long" },
		{ "device", "", "device: missing" },
		{ "device.vendor", "7", "device.vendor: not a string" },
		{ "device.model", "\"a\\u0000b\"", "device.model: has a NUL in it" },
		{ "device.serial",
		  "\"0123456789012345678901234567890123456789012345678901234567890123\"",
		  "device.serial: too long" },
		{ "profile.sha256", "\"00\"", "profile.sha256: not 64 digits" },
		{ "profile.sha256",
		  "\"0000000000000000000000000000000000000000000000000000000000000000\"",
		  "profile.sha256: not that of the profile" },
		{ "profile.base64", "\"AA=A\"", "profile.base64: not base64" },
		{ "profile.base64", "\"AAAA\"", "profile.sha256: not that of the profile" },
		{ "finding", "null", "finding: not an object" },
		{ "finding.kind", "\"bad\"", "finding.kind: a word that is not known here" },
		{ "finding.severity", "4", "finding.severity: not a string" },
		{ "finding.set", "\"scsi\"", "finding.set: a word" },
		{ "finding.opcode", "65536", "finding.opcode: not from 0 to 65535" },
		{ "finding.opcode", "-1", "finding.opcode: not from 0 to 65535" },
		{ "finding.opcode", "18446744073709551615", "finding.opcode: not from 0" },
		{ "finding.opcode", "1.5", "finding.opcode: not a whole number" },
		{ "finding.declared", "[\"all\"]", "finding.declared: not a name of an effect" },
		{ "finding.declared", "[[]]", "finding.declared: not a name of an effect" },
		{ "finding.undeclared", "{}", "finding.undeclared: not an array" },
		{ "finding.apart", "0", "finding.apart: not true or false" },
		{ "finding.runs", "4294967296", "finding.runs: not from 0 to 4294967295" },
		{ "finding.steps", "7", "finding.steps: not an array" },
		{ "finding.steps.0", "7", "finding.steps[0]: not an object" },
		{ "finding.steps.0", "null", "finding.steps[0]: not an object" },
		{ "finding.steps.0.do", "\"burn\"", "finding.steps[0].do: a word" },
		{ "finding.steps.0.do", "\"reset\"", "finding.steps[0].reset: missing" },
		{ "finding.steps.0.times", "0", "finding.steps[0].times: not at least 1" },
		{ "finding.steps.0.times", "16385", "finding.steps[0].times: not from 0 to 16384" },
		{ "finding.steps.0.set", "\"nvme-admin\"", "finding.steps[0].opcode: not from 0" },
		{ "finding.steps.0.payload", "\"0g\"", "finding.steps[0].payload: not hex" },
		{ "finding.steps.0.payload", "\"000\"", "finding.steps[0].payload: half a byte" },
		{ "finding.steps.0.out_len", "2097153", "finding.steps[0].out_len: not from" },
		{ "finding.steps.0.answer", "1", "finding.steps[0].answer: not an object" },
		{ "finding.steps.0.answer.error", "\"EHUH\"",
		  "finding.steps[0].answer.error: not the name of an error" },
		{ "finding.steps.0.answer.head", "\"\"", NULL },
		{ "finding.steps.0.answer", "null", NULL },
		{ "finding.changes.0.first", "-5", "finding.changes[0].first: not from 0" },
		{ "finding.changes.0.observable", "\"\"", NULL },
		{ "finding.changes", "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]",
		  "finding.changes: more than 16" },
		{ "finding.more", "{\"any\":1}", NULL }, /* not known: of no interest */
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		json_object *o = vfy_evidence_json(&liar, index_of(&liar, VFY_IMMEDIATE));
		fwa_auto_free char *text = NULL;
		char error[FWA_ERROR_LEN] = "";
		struct vfy_evidence e;
		int r;

		change(o, table[i].path, table[i].value);
		text = digested(o);
		json_object_put(o);
		r = read_text(&e, text, error);
		if (r != (table[i].says ? -EINVAL : 0) ||
		    (table[i].says && !strstr(error, table[i].says)))
			fail_msg("%s = %s: %d, \"%s\"", table[i].path, table[i].value, r, error);
		vfy_evidence_clear(&e);
	}
}

static void no_evidence(void **state)
{
	static const char *const table[] = { "",     "{",     "[]", "null",      "{}",
					     "{} x", "\"a\"", "7",  "{\"a\":1}", "\x01\xff" };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		char error[FWA_ERROR_LEN] = "";
		struct vfy_evidence e;

		assert_int_equal(read_text(&e, table[i], error), -EINVAL);
		assert_true(error[0]);
		vfy_evidence_clear(&e);
	}
}

/* More steps than a sequence has, by few lines. */
static void too_many_steps(void **state)
{
	json_object *o = vfy_evidence_json(&liar, index_of(&liar, VFY_IMMEDIATE));
	fwa_auto_free char *text = NULL;
	char error[FWA_ERROR_LEN] = "";
	struct vfy_evidence e;

	change(o, "finding.steps",
	       "[{\"do\":\"observe\",\"times\":16384},{\"do\":\"observe\",\"times\":1}]");
	text = digested(o);
	json_object_put(o);
	assert_int_equal(read_text(&e, text, error), -EINVAL);
	assert_non_null(strstr(error, "finding.steps[1]: more steps"));
}

/* --- again -------------------------------------------------------------------------------------------- */

static int replay(const struct vfy_evidence *e, const char *spec, unsigned int probe,
		  struct vfy_replayed *ret, char error[FWA_ERROR_LEN])
{
	struct vfy_campaign_args args = {
		.spec = spec,
		.probe = (uint8_t)probe,
		.only_set = -1,
		.timeout_ms = 20,
	};

	return vfy_replay(e, &args, ret, error);
}

static void assert_replay(const struct vfy_evidence *e, const char *spec, unsigned int outcome,
			  bool same)
{
	char error[FWA_ERROR_LEN] = "";
	struct vfy_replayed r;

	if (replay(e, spec, VFY_PROBE_DESTRUCTIVE, &r, error) < 0)
		fail_msg("%s: %s", spec, error);
	if (r.outcome != outcome || r.same != same)
		fail_msg("%s on %s: %u, %d of %u: %s", e->finding.text, spec, r.outcome,
			 r.reproduced, r.runs, error);
	assert_int_equal(!!error[0], outcome == VFY_NOT_RUN);
	if (same && e->finding.sequence.n)
		assert_true(r.controls >= r.reproduced && !r.control_changed);
	vfy_finding_clear(&r.finding);
}

static void evidence_of(const struct vfy_campaign *c, unsigned int kind, struct vfy_evidence *ret)
{
	fwa_auto_free char *text = text_of(c, index_of(c, kind));
	char error[FWA_ERROR_LEN];

	assert_int_equal(read_text(ret, text, error), 0);
}

static void replays(void **state)
{
	char error[FWA_ERROR_LEN];
	struct vfy_replayed r;
	struct vfy_evidence e;

	evidence_of(&liar, VFY_IMMEDIATE, &e);
	assert_replay(&e, "sim:liar-immediate", VFY_REPRODUCED, true);
	assert_replay(&e, "sim:liar-immediate,seed=9", VFY_OTHER_DEVICE, true);
	assert_replay(&e, "sim:honest", VFY_NOT_REPRODUCED, false);
	assert_replay(&e, "sim:nvme", VFY_NOT_RUN, false);
	assert_replay(&e, "sim:honest,undeclare=0x502", VFY_NOT_RUN, false);
	snprintf(e.id_of.firmware, sizeof(e.id_of.firmware), "another");
	assert_replay(&e, "sim:liar-immediate", VFY_OTHER_DEVICE, true);
	assert_replay(&e, "sim:honest", VFY_OTHER_DEVICE, false);
	/* What it sends is not for who only looks. */
	assert_int_equal(replay(&e, "sim:honest", VFY_PROBE_READ_ONLY, &r, error), -EPERM);
	assert_non_null(strstr(error, "--probe="));
	assert_int_equal(replay(&e, "sim:nobody", VFY_PROBE_DESTRUCTIVE, &r, error), -EINVAL);
	vfy_evidence_clear(&e);
}

static void replays_of_other_kinds(void **state)
{
	static const struct {
		const char *spec, *honest;
		uint8_t kind;
	} table[] = {
		{ "sim:liar-log,bg-ms=1", "sim:honest", VFY_BREACH }, /* seen apart */
		{ "sim:hang,bg-ms=1", "sim:honest", VFY_HANG },
		{ "sim:liar-overrun,bg-ms=1", "sim:honest", VFY_OVERRUN },
		{ "sim:reserved,bg-ms=1", "sim:honest", VFY_CONTRADICTION },
		{ "sim:liar-cel,bg-ms=1", "sim:honest", VFY_UNSTABLE },
		{ "sim:rotting", "sim:honest", VFY_GARBAGE },
		{ "sim:liar-nvme-data,bg-ms=1", "sim:nvme", VFY_BREACH },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++) {
		struct vfy_campaign c;
		struct vfy_evidence e;

		assert_int_equal(run(&c, table[i].spec), 0);
		evidence_of(&c, table[i].kind, &e);
		vfy_campaign_clear(&c);
		assert_replay(&e, table[i].spec, VFY_REPRODUCED, true);
		if (table[i].kind != VFY_GARBAGE) /* of a device that is not even opened */
			assert_replay(&e, table[i].honest, VFY_NOT_REPRODUCED, false);
		vfy_evidence_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),      cmocka_unit_test(each_step),
		cmocka_unit_test(each_byte_counts), cmocka_unit_test(hostile_members),
		cmocka_unit_test(no_evidence),      cmocka_unit_test(too_many_steps),
		cmocka_unit_test(replays),          cmocka_unit_test(replays_of_other_kinds),
	};

	return cmocka_run_group_tests(tests, make_liar, clear_liar);
}
