/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forms: each declared command that the model knows, with each log, Feature, page, structure, namespace
 * and operation that the profile and the model have for it.
 *
 * What changes nothing has a form for each of its variations, for these are what is repeated and put in
 * order later. What changes something has one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

static bool is_listed(const struct vfy_generator *g, unsigned int set)
{
	return (set != FWA_SET_CXL) == g->nvme;
}

static int make_commands(struct vfy_generator *g)
{
	unsigned int set = 0;
	int32_t opcode = -1;

	g->command = calloc(fwa_profile_count(g->profile) + 1u, sizeof(*g->command));
	if (!g->command)
		return -ENOMEM;
	while (fwa_profile_next(g->profile, &set, &opcode)) {
		if (!is_listed(g, set))
			continue;
		g->command[g->n_commands++] = (struct vfy_gen_command){
			.set = (uint8_t)set,
			.opcode = (uint16_t)opcode,
			.row = fwa_model_find(set, (uint16_t)opcode),
		};
	}
	return 0;
}

static int order(const struct vfy_gen_command *c, uint8_t set, uint16_t opcode)
{
	if (c->set != set)
		return c->set < set ? -1 : 1;
	return c->opcode < opcode ? -1 : c->opcode > opcode;
}

struct vfy_gen_command *vfy_gen_command(const struct vfy_generator *g, uint8_t set, uint16_t opcode)
{
	uint32_t low = 0, high = g->n_commands;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = order(&g->command[mid], set, opcode);

		if (c == 0)
			return &g->command[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* --- adding --------------------------------------------------------------------------------------- */

static int room_for_form(struct vfy_generator *g)
{
	uint32_t room = g->forms_room ? 2 * g->forms_room : 128;
	struct vfy_form *form;

	if (g->n_forms < g->forms_room)
		return 0;
	form = realloc(g->form, room * sizeof(*form));
	if (!form)
		return -ENOMEM;
	g->form = form;
	g->forms_room = room;
	return 0;
}

int vfy_form_add(struct vfy_generator *g, uint32_t command, const struct vfy_choice *choice,
		 unsigned int variation, const struct vfy_step *step)
{
	struct vfy_form *f;
	struct fwa_decision d;
	uint8_t *payload = NULL;

	if (room_for_form(g) < 0)
		return -ENOMEM;
	if (step->payload_len) {
		payload = malloc(step->payload_len);
		if (!payload)
			return -ENOMEM;
		memcpy(payload, step->payload, step->payload_len);
	}
	f = &g->form[g->n_forms++];
	*f = (struct vfy_form){ .command = command,
				.variation = (uint8_t)variation,
				.step = *step };
	f->step.payload = payload;
	f->risk = (uint8_t)vfy_step_judged(g->profile, &f->step, &d);
	f->declared = d.declared;
	f->floor = d.floor;
	if (choice)
		f->choice = *choice;
	return 0;
}

void vfy_forms_clear(struct vfy_generator *g)
{
	for (uint32_t i = 0; i < g->n_forms; i++)
		free(g->form[i].step.payload);
	free(g->form);
	free(g->command);
}

static bool same_as_last(const struct vfy_generator *g, uint32_t command,
			 const struct vfy_step *step)
{
	const struct vfy_form *last = g->n_forms ? &g->form[g->n_forms - 1] : NULL;

	return last && last->command == command && vfy_step_eq(&last->step, step);
}

/* The forms of one choice. */
static int add_choice(struct vfy_generator *g, uint32_t command, const struct vfy_choice *choice)
{
	struct vfy_random random = vfy_random_of(g->args.seed, VFY_PHASES, g->n_forms);

	for (unsigned int v = 0; v < VFY_VARIATIONS; v++) {
		struct vfy_step step;

		if (!vfy_input_valid(g, g->command[command].row, choice, v, &random, &step) ||
		    !vfy_step_is_shaped(g->profile, &step) || same_as_last(g, command, &step))
			continue;
		if (vfy_form_add(g, command, choice, v, &step) < 0)
			return -ENOMEM;
		if (!vfy_form_reads(&g->form[g->n_forms - 1]))
			break;
	}
	return 0;
}

/* --- operations, namespaces ----------------------------------------------------------------------- */

/* Values that the specification reserves have no well-formed form. */
static int add_operations(struct vfy_generator *g, uint32_t command, struct vfy_choice choice)
{
	const struct fwa_operation_table *t = g->command[command].row->operations;
	int r = 0;

	if (!t)
		return add_choice(g, command, &choice);
	choice.has_op = true;
	for (uint8_t i = 0; r == 0 && i < t->n; i++) {
		choice.op = t->all[i].first;
		if (!(t->all[i].floor & FWA_EFFECT_UNKNOWN))
			r = add_choice(g, command, &choice);
	}
	return r;
}

#define NAMESPACE_LEN 8

/* Namespace @i of the profile, false past the last. */
static bool namespace_at(const struct vfy_generator *g, size_t i, uint32_t *ret)
{
	if (i >= g->profile->namespaces.len / NAMESPACE_LEN || i >= FWA_PROFILE_NAMESPACES_MAX)
		return false;
	*ret = fwa_le32(g->profile->namespaces.data + i * NAMESPACE_LEN);
	return true;
}

static int add_namespaces(struct vfy_generator *g, uint32_t command, struct vfy_choice choice)
{
	const struct vfy_gen_command *c = &g->command[command];
	unsigned int kind = c->row->select ? c->row->select->kind : FWA_SELECT_NONE;
	bool io = c->set == FWA_SET_NVME_IO;
	uint32_t first = 1;
	int r = 0;

	if (c->set == FWA_SET_CXL)
		return add_operations(g, command, choice);
	namespace_at(g, 0, &first);
	for (size_t i = 0; r == 0 && namespace_at(g, i, &choice.nsid); i++)
		/* of the further ones the structure that says how large they are will do */
		if (i == 0 || io || (kind == FWA_SELECT_CNS && !(choice.cdw10 & 0xff)))
			r = add_operations(g, command, choice);
	choice.nsid = first;
	if (r == 0 && !g->profile->namespaces.len)
		r = add_operations(g, command, choice);
	choice.nsid = 0;
	if (r == 0 && !io)
		r = add_operations(g, command, choice);
	choice.nsid = NVME_NSID_ALL;
	if (r == 0 && (kind == FWA_SELECT_LID || kind == FWA_SELECT_CNS))
		r = add_operations(g, command, choice);
	return r;
}

/* --- selectors ------------------------------------------------------------------------------------ */

static int add_uuid(struct vfy_generator *g, uint32_t command, const uint8_t *uuid)
{
	struct vfy_choice choice = { .by_uuid = true };

	memcpy(choice.uuid, uuid, sizeof(choice.uuid));
	return add_namespaces(g, command, choice);
}

static int add_logs(struct vfy_generator *g, uint32_t command)
{
	size_t n = g->profile->logs.len / CXL_LOGS_ENTRY_LEN;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n && i < FWA_PROFILE_LOGS_MAX; i++)
		r = add_uuid(g, command, g->profile->logs.data + i * CXL_LOGS_ENTRY_LEN);
	return r;
}

static int add_features(struct vfy_generator *g, uint32_t command)
{
	bool sets = g->command[command].opcode == CXL_OP_SET_FEATURE;
	struct fwa_feature f;
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->profile->n_features; i++)
		if (fwa_profile_feature(g->profile, i, &f) &&
		    (!sets || f.flags & CXL_FEATURE_CHANGEABLE))
			r = add_uuid(g, command, f.uuid);
	return r;
}

/* Whether the profile has page or feature @value, as far as it says. */
static bool has_value(const struct vfy_generator *g, unsigned int kind, uint8_t value)
{
	struct fwa_declared ignored;

	if (kind == FWA_SELECT_LID)
		return fwa_profile_lid(g->profile, value);
	return kind != FWA_SELECT_FID || fwa_profile_fid(g->profile, value, &ignored);
}

static bool applies(const struct fwa_variant *v, uint32_t cdw10)
{
	return (cdw10 & v->mask) == v->value;
}

/* CDW10 for variant @v of @value: so that no other conditional one applies, if that can be. */
static uint32_t dword_for(const struct fwa_selector_table *t, uint8_t value,
			  const struct fwa_variant *v)
{
	uint32_t with = value | (t->kind == FWA_SELECT_LID ? NVME_LOG_RETAIN : 0);
	struct fwa_variant_slice s = t->by_value[value];

	if (v->mask)
		return (with & ~v->mask) | v->value;
	for (uint16_t i = s.first; i < s.first + s.count; i++)
		if (t->all[i].mask && applies(&t->all[i], with))
			return value;
	return with;
}

static int add_value(struct vfy_generator *g, uint32_t command, uint8_t value)
{
	const struct fwa_selector_table *t = g->command[command].row->select;
	struct fwa_variant_slice s = t->by_value[value];
	int r = 0;

	if (!has_value(g, t->kind, value))
		return 0;
	for (uint16_t i = s.first; r == 0 && i < s.first + s.count; i++) {
		const struct fwa_variant *v = &t->all[i];
		struct vfy_choice choice = { .cdw10 = dword_for(t, value, v) };

		/* conditions on other dwords than the selector's there are none */
		if (!(v->floor & FWA_EFFECT_UNKNOWN) && (!v->mask || v->cdw == 10))
			r = add_namespaces(g, command, choice);
	}
	return r;
}

static int add_values(struct vfy_generator *g, uint32_t command)
{
	int r = 0;

	for (unsigned int value = 0; r == 0 && value < 256; value++)
		r = add_value(g, command, (uint8_t)value);
	return r;
}

static int add_forms(struct vfy_generator *g, uint32_t command)
{
	const struct fwa_model_command *row = g->command[command].row;
	struct vfy_choice none = { 0 };

	if (!row)
		return 0;
	if (!row->select)
		return add_namespaces(g, command, none);
	switch (row->select->kind) {
	case FWA_SELECT_LOG_UUID:
		return add_logs(g, command);
	case FWA_SELECT_FEATURE_UUID:
		return add_features(g, command);
	default:
		return add_values(g, command);
	}
}

int vfy_forms_make(struct vfy_generator *g)
{
	int r = make_commands(g);

	for (uint32_t i = 0; r == 0 && i < g->n_commands; i++) {
		g->command[i].first_form = g->n_forms;
		r = add_forms(g, i);
		g->command[i].n_forms = g->n_forms - g->command[i].first_form;
	}
	g->n_model_forms = g->n_forms;
	return r;
}
