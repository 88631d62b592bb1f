/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding from JSON. What only describes is read as far as it is needed to be drawn again; what is run is
 * bounded like any sequence.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verify/evidence-internal.h"
#include "verify/read.h"

#define ERRNO_MAX 133

/* An errno by its name, negative; 0 for null. */
static int32_t read_error(struct vfy_read *r, json_object *o, const char *key)
{
	const char *name = vfy_read_maybe(r, o, key, 32);

	for (int i = 1; name && i <= ERRNO_MAX; i++) {
		const char *other = strerrorname_np(i);

		if (other && strcmp(name, other) == 0)
			return -i;
	}
	if (name)
		vfy_read_fail(r, key, "not the name of an error");
	return 0;
}

/* --- steps ------------------------------------------------------------------------------------------ */

static void read_answer(struct vfy_read *r, json_object *o, struct vfy_answer *a)
{
	struct vfy_read in = vfy_read_in(r, "answer", SIZE_MAX);
	json_object *m = NULL;

	if (!json_object_object_get_ex(o, "answer", &m) || !m)
		return;
	if (!json_object_is_type(m, json_type_object)) {
		vfy_read_fail(r, "answer", "not an object");
		return;
	}
	a->error = read_error(&in, m, "error");
	a->code = (uint32_t)vfy_read_number(&in, m, "code", UINT32_MAX);
	a->result = (uint32_t)vfy_read_number(&in, m, "result", UINT32_MAX);
	a->out_len = (uint32_t)vfy_read_number(&in, m, "bytes", FWA_COMMAND_DATA_MAX);
	if (vfy_read_hex(&in, m, "sha256", a->sha256, sizeof(a->sha256)) != sizeof(a->sha256))
		vfy_read_fail(&in, "sha256", "not 64 digits");
	vfy_read_hex(&in, m, "head", a->head, sizeof(a->head));
	r->bad = in.bad;
}

static void read_cdw(struct vfy_read *r, json_object *o, struct vfy_step *step)
{
	json_object *a = vfy_read_array(r, o, "cdw");

	if (!a)
		return;
	if (json_object_array_length(a) != 6)
		vfy_read_fail(r, "cdw", "not six numbers");
	for (size_t i = 0; i < 6 && !r->bad; i++) {
		json_object *m = json_object_array_get_idx(a, i);
		int64_t v = json_object_get_int64(m);

		if (!json_object_is_type(m, json_type_int) || v < 0 || v > UINT32_MAX)
			vfy_read_fail(r, "cdw", "not six numbers from 0 to 4294967295");
		step->cdw[i] = (uint32_t)v;
	}
}

/* step->payload is fresh memory then. */
static void read_command(struct vfy_read *r, json_object *o, struct vfy_step *step)
{
	size_t len;

	step->set = (uint8_t)vfy_read_name(r, o, "set", fwa_set_name, FWA_SET_COUNT);
	step->opcode = (uint16_t)vfy_read_number(r, o, "opcode",
						 step->set == FWA_SET_CXL ? UINT16_MAX : UINT8_MAX);
	step->out_len = (uint32_t)vfy_read_number(r, o, "out_len", FWA_COMMAND_DATA_MAX);
	if (step->set != FWA_SET_CXL) {
		step->nsid = (uint32_t)vfy_read_number(r, o, "nsid", UINT32_MAX);
		read_cdw(r, o, step);
	}
	step->payload = vfy_read_hex_alloc(r, o, "payload", FWA_COMMAND_DATA_MAX, &len);
	step->payload_len = (uint32_t)len;
}

static int add_steps(struct vfy_read *r, struct vfy_finding *f, const struct vfy_step *step,
		     const struct vfy_answer *answer, uint64_t times)
{
	struct vfy_answer *more;
	int e = 0;

	more = reallocarray(f->answer, f->sequence.n + times, sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->answer = more;
	for (uint64_t i = 0; i < times && e == 0; i++) {
		f->answer[f->sequence.n] = *answer;
		e = vfy_sequence_add(&f->sequence, step);
	}
	if (e == -E2BIG)
		vfy_read_fail(r, NULL, "more steps, or longer payloads, than a sequence can have");
	return e == -E2BIG ? 0 : e;
}

static int read_step(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	struct vfy_answer answer = { 0 };
	struct vfy_step step = { 0 };
	uint64_t times;
	int e = 0;

	if (!json_object_is_type(o, json_type_object)) {
		vfy_read_fail(r, NULL, "not an object");
		return 0;
	}
	step.kind = (uint8_t)vfy_read_word(r, o, "do", vfy_step_words, VFY_STEP_KINDS);
	times = vfy_read_number(r, o, "times", VFY_STEPS_MAX);
	if (!times)
		vfy_read_fail(r, "times", "not at least 1");
	if (!r->bad && step.kind == VFY_RESET)
		step.reset =
			(uint8_t)vfy_read_word(r, o, "reset", vfy_reset_words, FWA_RESET_COUNT);
	if (!r->bad && step.kind == VFY_COMMAND) {
		read_command(r, o, &step);
		read_answer(r, o, &answer);
	}
	if (!r->bad)
		e = add_steps(r, f, &step, &answer, times);
	free(step.payload);
	return e;
}

static int read_steps(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	json_object *a = vfy_read_array(r, o, "steps");
	size_t n = a ? json_object_array_length(a) : 0;
	int e = 0;

	for (size_t i = 0; i < n && e == 0 && !r->bad; i++) {
		struct vfy_read in = vfy_read_in(r, "steps", i);

		e = read_step(&in, json_object_array_get_idx(a, i), f);
		r->bad = in.bad;
	}
	return e;
}

/* --- exhibits --------------------------------------------------------------------------------------- */

static void read_exhibit(struct vfy_read *r, json_object *o, struct vfy_exhibit *x)
{
	const char *field;

	if (!json_object_is_type(o, json_type_object)) {
		vfy_read_fail(r, NULL, "not an object");
		return;
	}
	snprintf(x->name, sizeof(x->name), "%s",
		 vfy_read_text(r, o, "observable", sizeof(x->name) - 1));
	field = vfy_read_maybe(r, o, "field", sizeof(x->field) - 1);
	snprintf(x->field, sizeof(x->field), "%s", field ? field : "");
	x->shown = vfy_read_effects(r, o, "effects");
	x->covered = vfy_read_bool(r, o, "covered");
	x->first = (uint32_t)vfy_read_number(r, o, "first", UINT32_MAX);
	x->last = (uint32_t)vfy_read_number(r, o, "last", UINT32_MAX);
	x->kept_from = (uint32_t)vfy_read_number(r, o, "from", UINT32_MAX);
	x->before_len = (uint32_t)vfy_read_hex(r, o, "before", x->before, sizeof(x->before));
	x->after_len = (uint32_t)vfy_read_hex(r, o, "after", x->after, sizeof(x->after));
	x->before_code = (uint32_t)vfy_read_number(r, o, "before_code", UINT32_MAX);
	x->after_code = (uint32_t)vfy_read_number(r, o, "after_code", UINT32_MAX);
	x->before_error = read_error(r, o, "before_error");
	x->after_error = read_error(r, o, "after_error");
}

static void read_exhibits(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	json_object *a = vfy_read_array(r, o, "changes");
	size_t n = a ? json_object_array_length(a) : 0;

	if (n > VFY_EXHIBITS_MAX)
		vfy_read_fail(r, "changes", "more than 16");
	for (size_t i = 0; i < n && !r->bad; i++) {
		struct vfy_read in = vfy_read_in(r, "changes", i);

		read_exhibit(&in, json_object_array_get_idx(a, i), &f->exhibit[f->n_exhibits++]);
		r->bad = in.bad;
	}
}

/* --- all of it --------------------------------------------------------------------------------------- */

static void read_accused(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	json_object *opcode = NULL;

	f->set = (uint8_t)vfy_read_name(r, o, "set", fwa_set_name, FWA_SET_COUNT);
	if (!json_object_object_get_ex(o, "opcode", &opcode) || !opcode)
		return;
	f->has_opcode = true;
	f->opcode = (uint16_t)vfy_read_number(r, o, "opcode",
					      f->set == FWA_SET_CXL ? UINT16_MAX : UINT8_MAX);
}

static void read_claim(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	f->claim.listed = vfy_read_bool(r, o, "listed");
	f->claim.declared = vfy_read_effects(r, o, "declared");
	f->claim.floor = vfy_read_effects(r, o, "floor");
	f->observed = vfy_read_effects(r, o, "observed");
	f->undeclared = vfy_read_effects(r, o, "undeclared");
}

static void read_counts(struct vfy_read *r, json_object *o, struct vfy_finding *f)
{
	const char *only = vfy_read_maybe(r, o, "only", sizeof(f->only) - 1);

	snprintf(f->only, sizeof(f->only), "%s", only ? only : "");
	f->apart = vfy_read_bool(r, o, "apart");
	f->runs = (uint32_t)vfy_read_number(r, o, "runs", UINT32_MAX);
	f->reproduced = (uint32_t)vfy_read_number(r, o, "reproduced", UINT32_MAX);
	f->controls = (uint32_t)vfy_read_number(r, o, "controls", UINT32_MAX);
	f->control_changed = (uint32_t)vfy_read_number(r, o, "control_changed", UINT32_MAX);
	f->from_steps = (uint32_t)vfy_read_number(r, o, "from_steps", UINT32_MAX);
}

int vfy_finding_read(json_object *o, struct vfy_finding *f, char error[FWA_ERROR_LEN])
{
	struct vfy_read r = { .error = error, .where = "finding" };
	int e;

	f->kind = (uint8_t)vfy_read_name(&r, o, "kind", vfy_kind_name, VFY_KINDS);
	f->severity = (uint8_t)vfy_read_name(&r, o, "severity", vfy_severity_name, VFY_SEVERITIES);
	read_accused(&r, o, f);
	snprintf(f->text, sizeof(f->text), "%s", vfy_read_text(&r, o, "text", sizeof(f->text) - 1));
	fwa_make_printable(f->text);
	read_claim(&r, o, f);
	read_counts(&r, o, f);
	e = read_steps(&r, o, f);
	if (e < 0)
		return fwa_fail(error, e, "out of memory");
	read_exhibits(&r, o, f);
	return r.bad ? -EINVAL : 0;
}
