/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The experiments that the generator would give, counted by phase, command and risk. The last phase has no
 * end, so its experiments are not among them.
 */
#include "verify/preview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/json.h"

#define OPCODES 65536u
#define RISKS (VFY_PROBES + 1u) /* some steps are for no probe */

struct count {
	uint8_t phase, set, risk;
	uint16_t opcode;
	uint64_t n;
};

struct preview {
	const struct vfy_campaign_args *args;
	struct vfy_target target;
	struct vfy_plan plan;
	struct count *count;
	size_t n, room;
	uint32_t *last; /* by set, risk and opcode: 1 and the index of its last count; 0: none */
	uint64_t experiments[VFY_PHASES], commands[VFY_PHASES];
	bool endless; /* the last phase would follow */
};

/* --- counting --------------------------------------------------------------------------------------- */

static int count_step(struct preview *p, unsigned int phase, const struct vfy_step *step)
{
	struct count one = {
		.phase = (uint8_t)phase,
		.set = step->set,
		.risk = (uint8_t)vfy_step_risk(p->target.profile, step),
		.opcode = step->opcode,
		.n = 1,
	};
	uint32_t *last = &p->last[(one.set * RISKS + one.risk) * OPCODES + one.opcode];

	if (*last && p->count[*last - 1].phase == phase) {
		p->count[*last - 1].n++;
		return 0;
	}
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		struct count *more = reallocarray(p->count, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->count = more;
		p->room = room;
	}
	p->count[p->n++] = one;
	*last = (uint32_t)p->n;
	return 0;
}

static int count_experiment(struct preview *p, const struct vfy_experiment *x)
{
	int r = 0;

	p->experiments[x->phase]++;
	for (size_t i = 0; i < x->sequence.n && r == 0; i++) {
		if (x->sequence.step[i].kind != VFY_COMMAND)
			continue;
		p->commands[x->phase]++;
		r = count_step(p, x->phase, &x->sequence.step[i]);
	}
	return r;
}

static int count_all(struct preview *p)
{
	struct vfy_generate_args args = {
		.profile = p->target.profile,
		.seed = p->args->seed,
		.probe = p->args->probe,
		.resets = p->target.dev->ops->reset != NULL,
		.only_set = p->args->only_set,
		.only_opcode = p->args->only_opcode,
		.phases = p->args->phases,
	};
	struct vfy_generator *g;
	struct vfy_experiment x = { 0 };
	int r = vfy_generator_make(&args, &g);

	while (r == 0) {
		int next = vfy_generator_next(g, &x);

		p->endless = next > 0 && x.phase == VFY_PHASE_RANDOM;
		if (next <= 0 || p->endless) {
			r = next < 0 ? next : 1;
			break;
		}
		r = count_experiment(p, &x);
		vfy_generator_answered(g, &x, NULL, 0);
		vfy_sequence_clear(&x.sequence);
		x = (struct vfy_experiment){ 0 };
	}
	vfy_sequence_clear(&x.sequence);
	vfy_generator_free(g);
	return r < 0 ? r : 0;
}

/* --- as a document ----------------------------------------------------------------------------------- */

static void phases(struct vfy_json *j, json_object *o, const struct preview *p)
{
	json_object *all = vfy_json_array(j);

	for (unsigned int i = 0; i < VFY_PHASES; i++) {
		json_object *one;

		if (!p->experiments[i] && !(i == VFY_PHASE_RANDOM && p->endless))
			continue;
		one = vfy_json_object(j);
		vfy_json_text(j, one, "phase", vfy_phase_name(i));
		if (i == VFY_PHASE_RANDOM) {
			vfy_json_put(j, one, "experiments", NULL);
			vfy_json_put(j, one, "commands", NULL);
		} else {
			vfy_json_number(j, one, "experiments", p->experiments[i]);
			vfy_json_number(j, one, "commands", p->commands[i]);
		}
		vfy_json_append(j, all, one);
	}
	vfy_json_put(j, o, "phases", all);
}

static void commands(struct vfy_json *j, json_object *o, const struct preview *p)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < p->n; i++) {
		json_object *one = vfy_json_object(j);

		vfy_json_text(j, one, "phase", vfy_phase_name(p->count[i].phase));
		vfy_json_command(j, one, p->count[i].set, p->count[i].opcode);
		vfy_json_text(j, one, "risk", vfy_probe_name(p->count[i].risk));
		vfy_json_number(j, one, "count", p->count[i].n);
		vfy_json_append(j, all, one);
	}
	vfy_json_put(j, o, "commands", all);
}

static void device(struct vfy_json *j, json_object *o, const struct preview *p)
{
	const struct fwa_profile *profile = p->target.profile;
	json_object *d = vfy_json_object(j);

	vfy_json_text(j, d, "spec", p->args->spec);
	vfy_json_text(j, d, "family", fwa_family_name(profile->family));
	vfy_json_text(j, d, "vendor", profile->id.vendor);
	vfy_json_text(j, d, "model", profile->id.model);
	vfy_json_text(j, d, "serial", profile->id.serial);
	vfy_json_text(j, d, "firmware", profile->id.firmware);
	vfy_json_bool(j, d, "disposable", p->target.disposable);
	vfy_json_put(j, o, "device", d);
}

static void observing(struct vfy_json *j, json_object *o, const struct preview *p)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < p->plan.n; i++)
		vfy_json_append(j, all, json_object_new_string(p->plan.observable[i].name));
	vfy_json_put(j, o, "observing", all);
}

static json_object *document(const struct preview *p)
{
	struct vfy_json j = { 0 };
	json_object *o = vfy_json_object(&j);

	vfy_json_number(&j, o, "format_version", 1);
	vfy_json_text(&j, o, "kind", "fwadmit-plan");
	device(&j, o, p);
	vfy_json_text(&j, o, "probe", vfy_probe_name(p->args->probe));
	observing(&j, o, p);
	phases(&j, o, p);
	commands(&j, o, p);
	if (!j.failed)
		return o;
	json_object_put(o);
	return NULL;
}

int vfy_preview(const struct vfy_campaign_args *args, json_object **ret, char error[FWA_ERROR_LEN])
{
	struct preview p = { .args = args };
	int r = vfy_target_open(&p.target, args->spec, args->timeout_ms);

	if (r < 0) {
		fwa_fail(error, r, "%s", p.target.error);
		vfy_target_close(&p.target);
		return r;
	}
	p.last = calloc((size_t)FWA_SET_COUNT * RISKS * OPCODES, sizeof(*p.last));
	r = !p.last ? -ENOMEM : vfy_plan_make(&p.plan, p.target.profile, p.target.dev, NULL, NULL);
	if (r == 0)
		r = count_all(&p);
	*ret = r == 0 ? document(&p) : NULL;
	if (r == 0 && !*ret)
		r = -ENOMEM;
	if (r < 0)
		fwa_fail(error, r, "%s", strerror(-r));
	free(p.last);
	free(p.count);
	vfy_plan_clear(&p.plan);
	vfy_target_close(&p.target);
	return r;
}
