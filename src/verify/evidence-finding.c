/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding as JSON.
 */
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "core/status.h"
#include "verify/engine.h"
#include "verify/evidence-internal.h"

/* --- steps ------------------------------------------------------------------------------------------ */

static json_object *answer(struct vfy_json *j, unsigned int set, const struct vfy_answer *a)
{
	json_object *o = vfy_json_object(j);
	size_t head = a->out_len < sizeof(a->head) ? a->out_len : sizeof(a->head);

	vfy_json_text(j, o, "error", a->error ? strerrorname_np(-a->error) : NULL);
	vfy_json_number(j, o, "code", a->code);
	vfy_json_text(j, o, "status", a->error ? NULL : fwa_status_name(set, a->code));
	vfy_json_number(j, o, "result", a->result);
	vfy_json_number(j, o, "bytes", a->out_len);
	vfy_json_hex(j, o, "sha256", fwa_span(a->sha256, sizeof(a->sha256)));
	vfy_json_hex(j, o, "head", fwa_span(a->head, head));
	return o;
}

static void command(struct vfy_json *j, json_object *o, const struct vfy_step *step)
{
	vfy_json_command(j, o, step->set, step->opcode);
	if (step->set != FWA_SET_CXL) {
		json_object *cdw = vfy_json_array(j);

		for (size_t i = 0; i < 6; i++)
			vfy_json_append(j, cdw, json_object_new_uint64(step->cdw[i]));
		vfy_json_number(j, o, "nsid", step->nsid);
		vfy_json_put(j, o, "cdw", cdw);
	}
	vfy_json_number(j, o, "out_len", step->out_len);
	vfy_json_hex(j, o, "payload", fwa_span(step->payload, step->payload_len));
}

static json_object *step_json(struct vfy_json *j, const struct vfy_step *step, size_t times,
			      const struct vfy_answer *a)
{
	json_object *o = vfy_json_object(j);

	vfy_json_text(j, o, "do", vfy_step_words[step->kind]);
	if (step->kind == VFY_COMMAND)
		command(j, o, step);
	else if (step->kind == VFY_RESET)
		vfy_json_text(j, o, "reset", vfy_reset_words[step->reset]);
	vfy_json_number(j, o, "times", times);
	if (step->kind == VFY_COMMAND)
		vfy_json_put(j, o, "answer", a ? answer(j, step->set, a) : NULL);
	return o;
}

/* Equal neighbours are one; its answer is the last one's. */
static json_object *steps(struct vfy_json *j, const struct vfy_finding *f)
{
	const struct vfy_sequence *q = &f->sequence;
	json_object *all = vfy_json_array(j);
	size_t times = 1;

	for (size_t i = 0; i < q->n; i++, times++) {
		if (i + 1 < q->n && vfy_step_eq(&q->step[i], &q->step[i + 1]))
			continue;
		vfy_json_append(j, all,
				step_json(j, &q->step[i], times, f->answer ? &f->answer[i] : NULL));
		times = 0;
	}
	return all;
}

/* --- exhibits --------------------------------------------------------------------------------------- */

static void reading(struct vfy_json *j, json_object *o, const char *when, struct fwa_span bytes,
		    uint32_t code, int32_t error)
{
	char key[24];

	vfy_json_hex(j, o, when, bytes);
	snprintf(key, sizeof(key), "%s_code", when);
	vfy_json_number(j, o, key, code);
	snprintf(key, sizeof(key), "%s_error", when);
	vfy_json_text(j, o, key, error ? strerrorname_np(-error) : NULL);
}

static json_object *exhibit(struct vfy_json *j, const struct vfy_exhibit *x)
{
	json_object *o = vfy_json_object(j);

	vfy_json_text(j, o, "observable", x->name);
	vfy_json_text(j, o, "field", x->field);
	vfy_json_effects(j, o, "effects", x->shown);
	vfy_json_bool(j, o, "covered", x->covered);
	vfy_json_number(j, o, "first", x->first);
	vfy_json_number(j, o, "last", x->last);
	vfy_json_number(j, o, "from", x->kept_from);
	reading(j, o, "before", fwa_span(x->before, x->before_len), x->before_code,
		x->before_error);
	reading(j, o, "after", fwa_span(x->after, x->after_len), x->after_code, x->after_error);
	return o;
}

static json_object *changes(struct vfy_json *j, const struct vfy_finding *f)
{
	json_object *all = vfy_json_array(j);

	for (uint32_t i = 0; i < f->n_exhibits && i < VFY_EXHIBITS_MAX; i++)
		vfy_json_append(j, all, exhibit(j, &f->exhibit[i]));
	return all;
}

/* --- selectors -------------------------------------------------------------------------------------- */

static void selected_name(struct vfy_json *j, json_object *o, const struct fwa_model_command *row,
			  const struct fwa_selector *s)
{
	const struct fwa_selector_table *t = row->select;
	const char *name = NULL;

	for (uint16_t i = 0; s->uuid && i < t->n_all; i++)
		if (fwa_uuid_eq(t->all[i].uuid, s->uuid))
			name = t->all[i].name;
	if (!s->uuid && t->by_value)
		name = t->all[t->by_value[s->value].first].name;
	vfy_json_text(j, o, "name", name);
}

/* What the accused command selects, in the words that policy files have for it; null for nothing. */
static json_object *selector(struct vfy_json *j, const struct vfy_finding *f)
{
	static const enum fwa_field fields[] = { FWA_FIELD_LID, FWA_FIELD_FID, FWA_FIELD_CNS,
						 FWA_FIELD_UUID, FWA_FIELD_OP };
	const struct fwa_model_command *row = fwa_model_find(f->set, f->opcode);
	const struct vfy_step *step = vfy_last_command(&f->sequence);
	struct fwa_command cmd;
	struct fwa_selector s;
	json_object *o;

	if (!step || !row || (!row->select && !row->operations))
		return NULL;
	cmd = vfy_step_command(step);
	s = fwa_command_selector(row, &cmd);
	o = vfy_json_object(j);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct fwa_field_value value;
		char text[FWA_UUID_TEXT_LEN];

		if (!fwa_command_field(&cmd, fields[i], &value))
			continue;
		if (value.uuid)
			fwa_uuid_text(value.uuid, text);
		if (value.uuid)
			vfy_json_text(j, o, fwa_field_name(fields[i]), text);
		else
			vfy_json_number(j, o, fwa_field_name(fields[i]), value.number);
	}
	if (row->select)
		selected_name(j, o, row, &s);
	return o;
}

/* --- all of it --------------------------------------------------------------------------------------- */

static void clause(struct vfy_json *j, json_object *o, unsigned int number)
{
	char text[8];

	snprintf(text, sizeof(text), "C%u", number);
	vfy_json_text(j, o, "clause", text);
}

static void accused(struct vfy_json *j, json_object *o, const struct vfy_finding *f)
{
	if (f->has_opcode) {
		vfy_json_command(j, o, f->set, f->opcode);
	} else {
		vfy_json_text(j, o, "set", fwa_set_name(f->set));
		vfy_json_put(j, o, "opcode", NULL);
		vfy_json_put(j, o, "opcode_hex", NULL);
		vfy_json_put(j, o, "name", NULL);
	}
	vfy_json_put(j, o, "selector", selector(j, f));
}

/* For which others it stands, besides. */
static void alike(struct vfy_json *j, json_object *o, const struct vfy_finding *f)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < vfy_finding_alike(f); i++)
		vfy_json_append(j, all, json_object_new_int(f->alike[i]));
	vfy_json_number(j, o, "alike", f->n_alike);
	vfy_json_put(j, o, "alike_opcodes", all);
}

json_object *vfy_finding_json(struct vfy_json *j, const struct vfy_finding *f)
{
	json_object *o = vfy_json_object(j);

	vfy_json_text(j, o, "kind", vfy_kind_name(f->kind));
	vfy_json_text(j, o, "severity", vfy_severity_name(f->severity));
	vfy_json_bool(j, o, "accuses", vfy_finding_accuses(f));
	clause(j, o, vfy_kind_clause(f->kind));
	accused(j, o, f);
	vfy_json_text(j, o, "text", f->text);
	vfy_json_bool(j, o, "listed", f->claim.listed);
	vfy_json_effects(j, o, "declared", f->claim.declared);
	vfy_json_effects(j, o, "floor", f->claim.floor);
	vfy_json_effects(j, o, "observed", f->observed);
	vfy_json_effects(j, o, "undeclared", f->undeclared);
	vfy_json_bool(j, o, "apart", f->apart);
	vfy_json_text(j, o, "only", f->only);
	vfy_json_number(j, o, "runs", f->runs);
	vfy_json_number(j, o, "reproduced", f->reproduced);
	vfy_json_number(j, o, "controls", f->controls);
	vfy_json_number(j, o, "control_changed", f->control_changed);
	vfy_json_number(j, o, "from_steps", f->from_steps);
	alike(j, o, f);
	vfy_json_put(j, o, "steps", steps(j, f));
	vfy_json_put(j, o, "changes", changes(j, f));
	return o;
}
